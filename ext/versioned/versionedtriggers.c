/* SPDX-License-Identifier: 0BSD */
/*
** The generator of versioned tables. See versionedtriggers.h.
**
** A template is filled in two steps: valuesOf() makes the text of each
** placeholder once for the table, and fill() puts them in. Names are always
** quoted, as ALTER TABLE ... RENAME writes them too. So the set of a renamed
** table or column still equals a fresh one.
*/
#include <string.h>
#include "versioned/versionedtriggers.h"
#include "versioned/historytext.h"
#include "schema/clause.h"
#include "schema/keytable.h"
#include "schema/newvalue.h"
#include "schema/owncolumn.h"
#include "sqlite/template.h"
#include "sql_text.h"
SQLITE_EXTENSION_INIT3

/* How many examples of each kind the log keeps. */
#define VERSIONED_EXAMPLES "16"

/* The placeholders of the templates in sql/. */
typedef enum Value {
  V_TRIGGER, V_TABLE, V_SCHEMA, V_VERSION, V_LABEL, V_OPTIONS, V_TOMBSTONES,
  V_NOW, V_FOLLOWS, V_CARRIES, V_STEP, V_LAST, V_EXPECTED, V_CONVENTION,
  V_REFUSE, V_REFUSED, V_LIFT,
  V_KEYS, V_KEY_COLUMNS, V_KEY_OLD, V_KEY_ROW, V_KEY_OLD_WHOLE,
  V_KEY_ROW_WHOLE, V_KEY_END, V_GREATER, V_SAME_KEY,
  V_TOMBSTONE_NEW, V_TOMBSTONE_NEXT, V_MARK,
  V_TOMBSTONE_OLD, V_TOMBSTONE_ROW, V_ROW_IS_NEW_KEY,
  V_SELF_OLD, V_SELF_NEW, V_ROW_IS_OLD,
  V_BLOCKED, V_BLOCKED_BY_OTHER, V_BLOCKER,
  V_OF_KEY, V_OF_UNIQUE, V_OF_OTHERS, V_OTHERS, V_OWN, V_NOT_OWN, V_ALTERED,
  V_CURE,
  V_HISTORY, V_COLUMNS, V_HISTORY_KEYS, V_HISTORY_KEY_COLUMNS,
  V_HISTORY_COLUMNS, V_HISTORY_IS_ROW, V_HISTORY_IS_OLD, V_HISTORY_IS_NEW,
  V_OF_KEPT, V_KEPT, V_KEEP, V_BOUND, V_PURGE,
  V_PARENT, V_PARENT_VERSION, V_PARENT_CURRENT, V_PARENT_KEY, V_PARENT_OF_ROW,
  V_PARENT_NEXT,
  V_PARENT_OF, V_PARENT_MOVED, V_PARENT_BLOCKED, V_PARENT_BLOCKED_BY_OTHER,
  V_PARENT_BLOCKER, V_PARENT_IS, V_RAISE_OLD, V_RAISE_NEW, V_RAISE_VICTIMS,
  V_RAISE_EVICTED,
  V_ROW_OLD, V_ROW_NEW, V_ROW_AT, V_ROW_SENT, V_SENT,
  V_NEW, V_OLD, V_CURRENT, V_OF_ROW, V_OF_TABLE, V_LOWEST, V_NOT_NEXT,
  V_LOG, V_KEY_TEXT, V_KIND, V_WHERE, V_CARRIED, V_FOUND, V_EXAMPLES,
  V_NOTE_CARRIED, V_NOTE_BLIND, V_NOTE_REPLACE, V_NOTE_INVALID,
  V_WAS, V_IS, V_UNRAISED, V_OWN_STEP, V_ACCEPT, V_OF_BLIND,
  V_COUNT
} Value;

static const char *const azValue[V_COUNT] = {
  "trigger", "table", "schema", "version", "label", "options", "tombstones",
  "now", "follows", "carries", "step", "last", "expected", "convention",
  "refuse", "refused", "lift",
  "keys", "key_columns", "key_old", "key_row", "key_old_whole",
  "key_row_whole", "key_end", "greater", "same_key",
  "tombstone_new", "tombstone_next", "mark",
  "tombstone_old", "tombstone_row", "row_is_new_key",
  "self_old", "self_new", "row_is_old",
  "blocked", "blocked_by_other", "blocker",
  "of_key", "of_unique", "of_others", "others", "own", "not_own",
  "altered", "cure",
  "history", "columns", "history_keys", "history_key_columns",
  "history_columns", "history_is_row", "history_is_old", "history_is_new",
  "of_kept", "kept", "keep", "bound", "purge",
  "parent", "parent_version", "parent_current", "parent_key", "parent_of_row",
  "parent_next",
  "parent_of", "parent_moved", "parent_blocked", "parent_blocked_by_other",
  "parent_blocker", "parent_is", "raise_old", "raise_new", "raise_victims",
  "raise_evicted",
  "row_old", "row_new", "row_at", "row_sent", "sent",
  "new", "old", "current", "of_row", "of_table", "lowest", "not_next",
  "log", "key_text", "kind", "where", "carried", "found", "examples",
  "note_carried", "note_blind", "note_replace", "note_invalid",
  "was", "is", "unraised", "own_step", "accept", "of_blind"
};

/* The flags of $if(...). */
typedef enum Flag { F_NULLABLE, F_STRICT, F_TOMBSTONES, F_MARKS,
                    F_OWN, F_AHEAD, F_REPLACE, F_NOTE_REPLACE, F_SEES_REPLACE,
                    F_BLIND, F_LOG, F_ECHO, F_STEPS, F_COUNT } Flag;
static const char *const azFlag[F_COUNT] = {
  "nullable", "strict", "tombstones", "marks", "own", "ahead", "replace",
  "note_replace", "sees_replace", "blind", "log", "echo", "steps"
};

/* The options with which a trigger is part of the set, as bits. With
** on_stale=log nothing is refused, and the modes differ in what is noted. */
#define WHEN(mode, eStale)  (1u << ((mode)*3 + (eStale)))
#define WHEN_BOTH(mode)  (WHEN(mode, VERSIONED_ABORT) \
                          | WHEN(mode, VERSIONED_IGNORE))
#define WHEN_AUTO    WHEN_BOTH(VERSIONED_AUTO)
#define WHEN_STRICT  WHEN_BOTH(VERSIONED_STRICT)
#define WHEN_ECHO    WHEN_BOTH(VERSIONED_ECHO)
#define WHEN_IGNORE  (WHEN(VERSIONED_AUTO, VERSIONED_IGNORE) \
                      | WHEN(VERSIONED_STRICT, VERSIONED_IGNORE) \
                      | WHEN(VERSIONED_ECHO, VERSIONED_IGNORE))
#define WHEN_REFUSES (WHEN_AUTO | WHEN_STRICT | WHEN_ECHO)
#define WHEN_LOG_CLAIMS  (WHEN(VERSIONED_AUTO, VERSIONED_LOG) \
                          | WHEN(VERSIONED_STRICT, VERSIONED_LOG))
#define WHEN_LOG_ECHO    WHEN(VERSIONED_ECHO, VERSIONED_LOG)
#define WHEN_LOG     (WHEN_LOG_CLAIMS | WHEN_LOG_ECHO)
#define WHEN_EVER    (WHEN_REFUSES | WHEN_LOG)

/* What the text of a trigger depends on beside the key and the options. */
typedef enum Depends {
  DEPENDS_NOT = 0,
  DEPENDS_WAYS,          /* the UNIQUE indexes, and defaults of their columns */
  DEPENDS_OTHERS,        /* with except the list of columns */
  DEPENDS_COLUMNS        /* the list of columns, and which of them the user's
                         ** triggers set; or the text of the table */
} Depends;

/* What of the user's triggers a trigger is there for. */
typedef enum For {
  FOR_ALL = 0,
  FOR_TOUCHES,           /* AFTER UPDATE triggers that update the table */
  FOR_OWN,               /* any triggers that update the table they are on */
  FOR_ADDED,             /* except: columns that are added later */
  FOR_ADDED_REFUSED,     /* the same in mode strict; see isAddedRefused() */
  FOR_PARENT,            /* the option parent, not triggers */
  FOR_HISTORY            /* the option history, not triggers */
} For;

/* The set, in the order in which it is made. Two triggers of one event and time
** must not depend on each other: SQLite does not define their order. But those
** called verify, settle, quiet and noted do, and so come first or last, and
** `validate` comes before `restore`: in another order they refuse too much, or
** do less. Those of the history come after all others: in another order less is
** kept. With on_stale=ignore `check` comes after those, and so runs first: when
** it skips the row, what other triggers have done before it stays. */
static const struct {
  const char *zWhat;
  const char *zTemplate;
  unsigned mWhen;
  int iTombstones;       /* 1: only with tombstones, 0: only without; -1 */
  Depends eDepends;
  For eFor;
} aTrigger[] = {
  { "settle",           versioned_settle_sql,
      WHEN_AUTO | WHEN_STRICT | WHEN_LOG_CLAIMS, -1, DEPENDS_NOT, FOR_TOUCHES },
  { "verify_bump",      versioned_verify_bump_sql,
      WHEN_AUTO | WHEN_ECHO | WHEN_LOG, -1, DEPENDS_OTHERS, FOR_ALL },
  { "verify_noted",     versioned_verify_noted_sql, WHEN_LOG, -1, DEPENDS_NOT,
      FOR_ALL },
  { "verify_restore",   versioned_verify_restore_sql, WHEN_LOG, -1,
      DEPENDS_NOT, FOR_ALL },
  { "verify_moved",     versioned_verify_moved_sql, WHEN_EVER, -1,
      DEPENDS_NOT, FOR_ALL },
  { "required_first",   versioned_required_first_sql, WHEN_STRICT, -1,
      DEPENDS_COLUMNS, FOR_OWN },
  { "check",            versioned_check_sql, WHEN_REFUSES & ~WHEN_IGNORE, -1,
      DEPENDS_NOT, FOR_ALL },
  { "check",            versioned_log_check_sql, WHEN_LOG, -1, DEPENDS_NOT,
      FOR_ALL },
  { "check_others",     versioned_check_others_sql, WHEN_ECHO, -1,
      DEPENDS_COLUMNS, FOR_ALL },
  { "check_others",     versioned_check_others_sql, WHEN_AUTO | WHEN_STRICT,
      -1, DEPENDS_COLUMNS, FOR_TOUCHES },
  { "bump",             versioned_bump_sql,
      WHEN(VERSIONED_AUTO, VERSIONED_ABORT)
      | WHEN(VERSIONED_ECHO, VERSIONED_ABORT) | WHEN_LOG, -1, DEPENDS_OTHERS,
      FOR_ALL },
  { "bump_own",         versioned_bump_own_sql, WHEN_STRICT, -1,
      DEPENDS_COLUMNS, FOR_OWN },
  { "bump_added",       versioned_bump_added_sql, WHEN_EVER, -1,
      DEPENDS_COLUMNS, FOR_ADDED },
  { "required_added",   versioned_required_added_sql, WHEN_STRICT, -1,
      DEPENDS_COLUMNS, FOR_ADDED_REFUSED },
  { "bump_after",       versioned_bump_after_sql,
      WHEN_AUTO | WHEN_ECHO | WHEN_LOG, -1, DEPENDS_OTHERS, FOR_ALL },
  { "bump_nested",      versioned_bump_after_sql,
      WHEN(VERSIONED_AUTO, VERSIONED_IGNORE)
      | WHEN(VERSIONED_ECHO, VERSIONED_IGNORE), -1, DEPENDS_OTHERS, FOR_ALL },
  { "required",         versioned_required_sql, WHEN_STRICT, -1,
      DEPENDS_OTHERS, FOR_ALL },
  { "validate",         versioned_validate_sql, WHEN_REFUSES, -1, DEPENDS_NOT,
      FOR_ALL },
  { "validate",         versioned_log_validate_sql, WHEN_LOG, -1, DEPENDS_NOT,
      FOR_ALL },
  { "tombstone",        versioned_tombstone_sql, WHEN_EVER, 1, DEPENDS_NOT,
      FOR_ALL },
  { "unmark",           versioned_unmark_sql, WHEN_EVER, 0, DEPENDS_NOT,
      FOR_ALL },
  { "remember",         versioned_remember_sql, WHEN_EVER, -1, DEPENDS_WAYS,
      FOR_ALL },
  { "restore",          versioned_restore_sql, WHEN_EVER, -1, DEPENDS_NOT,
      FOR_ALL },
  { "remember_evicted", versioned_remember_evicted_sql, WHEN_EVER, -1,
      DEPENDS_WAYS, FOR_ALL },
  { "tombstone_moved",  versioned_tombstone_moved_sql, WHEN_EVER, 1,
      DEPENDS_NOT, FOR_ALL },
  { "restore_moved",    versioned_restore_moved_sql, WHEN_EVER, -1,
      DEPENDS_NOT, FOR_ALL },
  { "noted_blind",      versioned_noted_blind_sql, WHEN_LOG_CLAIMS, -1,
      DEPENDS_COLUMNS, FOR_ALL },
  { "quiet",            versioned_quiet_sql, WHEN_REFUSES, -1, DEPENDS_NOT,
      FOR_TOUCHES },
  { "quiet",            versioned_log_quiet_sql, WHEN_LOG, -1, DEPENDS_NOT,
      FOR_TOUCHES },
  { "noted",            versioned_noted_sql, WHEN_LOG, -1, DEPENDS_NOT,
      FOR_ALL },
  { "noted_others",     versioned_noted_others_sql, WHEN_LOG_ECHO, -1,
      DEPENDS_COLUMNS, FOR_ALL },
  { "noted_others",     versioned_noted_others_sql, WHEN_LOG_CLAIMS, -1,
      DEPENDS_COLUMNS, FOR_TOUCHES },
  { "history_updated",  versioned_history_updated_sql, WHEN_EVER, 1,
      DEPENDS_COLUMNS, FOR_HISTORY },
  { "history_deleted",  versioned_history_deleted_sql, WHEN_EVER, 1,
      DEPENDS_COLUMNS, FOR_HISTORY },
  { "history_replaced", versioned_history_replaced_sql, WHEN_EVER, 1,
      DEPENDS_COLUMNS, FOR_HISTORY },
  { "history_evicted",  versioned_history_evicted_sql, WHEN_EVER, 1,
      DEPENDS_COLUMNS, FOR_HISTORY },
  { "history_ended",    versioned_history_ended_sql, WHEN_EVER, 1,
      DEPENDS_NOT, FOR_HISTORY },
  { "parent_insert",    versioned_parent_insert_sql, WHEN_EVER, -1,
      DEPENDS_COLUMNS, FOR_PARENT },
  { "parent_update",    versioned_parent_update_sql, WHEN_EVER, -1,
      DEPENDS_COLUMNS, FOR_PARENT },
  { "parent_moved",     versioned_parent_moved_sql, WHEN_EVER, -1,
      DEPENDS_COLUMNS, FOR_PARENT },
  { "parent_delete",    versioned_parent_delete_sql, WHEN_EVER, -1,
      DEPENDS_COLUMNS, FOR_PARENT },
  { "parent_victims",   versioned_parent_victims_sql, WHEN_EVER, -1,
      DEPENDS_WAYS, FOR_PARENT },
  { "parent_evicted",   versioned_parent_evicted_sql, WHEN_EVER, -1,
      DEPENDS_WAYS, FOR_PARENT },
  { "check",            versioned_check_sql, WHEN_IGNORE, -1, DEPENDS_NOT,
      FOR_ALL },
};

typedef struct Gen Gen;
struct Gen {
  Sqlx *p;
  const TableInfo *pInfo;
  const VersionedOptions *pOptions;
  const char *zNumber;
  const char *azText[V_COUNT];
  int abFlag[F_COUNT];
  Template t;
};

static void genBegin(Gen *g, Sqlx *p){
  memset(g, 0, sizeof(*g));
  g->p = g->t.p = p;
  g->t.nText = V_COUNT;
  g->t.azName = azValue;
  g->t.azText = g->azText;
  g->t.nFlag = F_COUNT;
  g->t.azFlag = azFlag;
  g->t.abFlag = g->abFlag;
}

static const char *fill(Gen *g, const char *zTemplate){
  return templateFill(&g->t, zTemplate);
}

/* ---- the columns of the tombstones ------------------------------------ */

/* "This tombstone has the key that NEW is about to get", in a BEFORE INSERT
** trigger. If SQLite is to choose the rowid, NEW has -1. */
static const char *tombstoneIsNext(Gen *g){
  const TableInfo *pInfo = g->pInfo;
  sqlite3_str *pStr;
  int i;
  if( pInfo->bRowidKey ){
    return sqlxPrintf(g->p, "k1 IN(NEW.%s,CASE WHEN NEW.%s=-1 THEN"
        " (SELECT ifnull(max(%s)+1,1) FROM \"%w\") END)", pInfo->zRowid,
        pInfo->zRowid, pInfo->zRowid, pInfo->zName);
  }
  pStr = sqlite3_str_new(g->p->db);
  for(i=0; i<pInfo->key.nTerm; i++){
    clauseJoin(pStr, " AND ");
    sqlite3_str_appendf(pStr, "k%d=%s", i+1,
        newvalueOf(g->p, pInfo, pInfo->key.aTerm[i].iCol, 0));
  }
  return sqlxText(g->p, pStr);
}

/* ---- what an UPDATE may carry ----------------------------------------- */

int versionedtriggersExcepts(
  const VersionedOptions *pOptions,
  const TableInfoColumn *pCol
){
  int i;
  if( pCol->bKey || parentclauseHas(&pOptions->parent, pCol->zName) ) return 0;
  for(i=0; i<pOptions->nExcept; i++){
    if( sqlite3_stricmp(pOptions->azExcept[i], pCol->zName)==0 ) break;
  }
  return (i<pOptions->nExcept)!=pOptions->bOnly;
}

/* Which columns beside the version a list for UPDATE OF has. */
typedef enum Columns {
  COLUMNS_ALL,           /* every column that a statement can set */
  COLUMNS_WATCHED,       /* those whose change raises the version */
  COLUMNS_NOT_OWN,       /* of these those that no trigger of the user's sets */
  COLUMNS_OWN            /* of these those that one sets */
} Columns;

static int isListed(Gen *g, int iCol, Columns eColumns){
  const TableInfoColumn *pCol = &g->pInfo->aCol[iCol];
  const char *abOwn = g->pOptions->abOwn;
  int bOwn = abOwn && abOwn[iCol];
  if( pCol->bGenerated
   || sqlite3_stricmp(pCol->zName, g->pOptions->zColumn)==0 ) return 0;
  if( eColumns==COLUMNS_ALL ) return 1;
  if( versionedtriggersExcepts(g->pOptions, pCol) ) return 0;
  return eColumns==COLUMNS_WATCHED || bOwn==(eColumns==COLUMNS_OWN);
}

/* Returns a list of columns for UPDATE OF; "": there is none of them. */
static const char *columnList(Gen *g, Columns eColumns){
  const TableInfo *pInfo = g->pInfo;
  sqlite3_str *pStr = sqlite3_str_new(g->p->db);
  int i;
  for(i=0; i<pInfo->nCol; i++){
    if( !isListed(g, i, eColumns) ) continue;
    clauseJoin(pStr, ",");
    sqlite3_str_appendf(pStr, "\"%w\"", pInfo->aCol[i].zName);
  }
  if( !pInfo->bWithoutRowid && eColumns!=COLUMNS_OWN ){
    clauseRowidNames(pStr, pInfo);
  }
  return sqlxText(g->p, pStr);
}

/* Whether an UPDATE without a version is refused if it may set a column that
** was added. A trigger of the user's that sets a column of except could not be
** told from it, and every write would be refused. */
static int isAddedRefused(const Gen *g){
  const VersionedOptions *pOptions = g->pOptions;
  int i;
  if( pOptions->mode!=VERSIONED_STRICT
   || pOptions->eStale==VERSIONED_LOG ) return 0;
  for(i=0; pOptions->abOwn && i<g->pInfo->nCol; i++){
    if( pOptions->abOwn[i]
     && versionedtriggersExcepts(pOptions, &g->pInfo->aCol[i]) ) return 0;
  }
  return 1;
}

/* "ALTER TABLE has changed the table since the triggers were made." The
** statements of a text are one a line, so a text of several lines is compared
** in hexadecimal. */
static const char *altered(Gen *g){
  Sqlx *p = g->p;
  const TableInfo *pInfo = g->pInfo;
  const char *zSql = g->pOptions->zAdds
      ? owncolumnAdded(p, pInfo, g->pOptions->zAdds) : pInfo->zSql;
  const char *zFrom = sqlxPrintf(p, "SELECT sql FROM %s WHERE",
      sqlite3_stricmp(pInfo->zSchema, "temp")==0 ? "sqlite_temp_master"
                                                 : "sqlite_master");
  const char *zIs = sqlxPrintf(p, "type='table' AND name='%q'", pInfo->zName);
  const char *zNow = sqlxPrintf(p, "ifnull((%s rowid=%lld AND %s),(%s %s))",
                                zFrom, g->pOptions->iRow, zIs, zFrom, zIs);
  const char *zHex = "";
  sqlite3_stmt *pStmt;
  if( zSql==0 ) zSql = "";
  if( zSql[strcspn(zSql, "\r\n")]==0 ){
    return sqlxPrintf(p, "%s IS NOT '%q'", zNow, zSql);
  }
  pStmt = sqlxPrepare(p, "SELECT hex(CAST(%Q AS BLOB))", zSql);
  if( sqlxStep(p, pStmt) ) zHex = sqlxColumn(p, pStmt, 0);
  sqlxFinalize(p, pStmt);
  return sqlxPrintf(p, "CAST(%s AS BLOB) IS NOT x'%s'", zNow, zHex);
}

/* Where an UPDATE carries the next version. */
static const char *next(Gen *g){
  const char *zCol = g->azText[V_VERSION], *zOld = g->azText[V_OLD];
  if( g->pOptions->bAnyStep ){
    return sqlxPrintf(g->p, "(typeof(NEW.%s)='integer' AND NEW.%s>%s)", zCol,
                      zCol, zOld);
  }
  return sqlxPrintf(g->p, "NEW.%s IS %s+1", zCol, zOld);
}

/* What an UPDATE may carry that sets other columns, too. If it carries none,
** NEW has the version that the row has. */
static const char *carries(Gen *g){
  const char *zNew = g->azText[V_NEW], *zOld = g->azText[V_OLD];
  if( g->pOptions->mode==VERSIONED_ECHO ){
    return sqlxPrintf(g->p, "%s IS %s", zNew, zOld);
  }
  return sqlxPrintf(g->p, "%s IS %s OR %s", zNew, zOld, next(g));
}

/* What an UPDATE may carry that sets nothing else. The steps of `bump` are
** among it. */
static const char *follows(Gen *g){
  const char *zCol = g->azText[V_VERSION];
  const char *zNew = g->azText[V_NEW], *zOld = g->azText[V_OLD];
  sqlite3_str *pStr = sqlite3_str_new(g->p->db);
  if( g->pOptions->mode==VERSIONED_ECHO ){
    sqlite3_str_appendf(pStr, "%s IS %s OR ", zNew, zOld);
  }
  sqlite3_str_appendall(pStr, next(g));
  if( g->pOptions->bOwn ){
    sqlite3_str_appendf(pStr, " OR NEW.%s IS %s+2", zCol, zOld);
  }
  return sqlxText(g->p, pStr);
}

/* With errors=row, an expression to append to a message: the key of a row. */
static const char *rowText(Gen *g, const char *zPrefix){
  const TableInfo *pInfo = g->pInfo;
  sqlite3_str *pStr;
  int i;
  if( !g->pOptions->bRowErrors ) return "";
  pStr = sqlite3_str_new(g->p->db);
  sqlite3_str_appendall(pStr, "||': row ('||");
  if( pInfo->bRowidKey ){
    sqlite3_str_appendf(pStr, "quote(%s%s)", zPrefix, pInfo->zRowid);
  }
  for(i=0; i<pInfo->key.nTerm; i++){
    sqlite3_str_appendf(pStr, "%squote(%s\"%w\")", i ? "||', '||" : "", zPrefix,
                        pInfo->aCol[pInfo->key.aTerm[i].iCol].zName);
  }
  sqlite3_str_appendall(pStr, "||')'");
  return sqlxText(g->p, pStr);
}

static void valuesOfErrors(Gen *g){
  const char **az = g->azText;
  const char *zCol = az[V_VERSION];
  az[V_CONVENTION] = g->pOptions->mode==VERSIONED_ECHO
      ? "mode echo expects the version as it was read"
      : "expected is the version that was read plus one";
  az[V_ROW_OLD] = rowText(g, "OLD.");
  az[V_ROW_NEW] = rowText(g, "NEW.");
  az[V_ROW_AT] = az[V_ROW_SENT] = az[V_SENT] = "";
  if( !g->pOptions->bRowErrors ) return;
  az[V_ROW_AT] = sqlxPrintf(g->p, "%s||' is at version '||%s",
                            az[V_ROW_OLD], az[V_OLD]);
  az[V_SENT] = sqlxPrintf(g->p, "||', sent '||quote(NEW.%s)", zCol);
  az[V_ROW_SENT] = sqlxPrintf(g->p, "'%s%s||'", az[V_ROW_AT], az[V_SENT]);
}

/* What happens to a stale row. In auto and strict the version that the row has
** can come from a stale writer, or from one that writes back what it has read:
** the text names the mode for the second. */
static const char *refuse(Gen *g){
  const char *zLabel = g->azText[V_LABEL];
  const char *zSent = g->azText[V_ROW_SENT];
  if( g->pOptions->eStale==VERSIONED_IGNORE ) return "RAISE(IGNORE)";
  if( g->pOptions->mode==VERSIONED_ECHO ){
    return sqlxPrintf(g->p, "RAISE(ABORT,'stale write: %s%s')", zLabel, zSent);
  }
  return sqlxPrintf(g->p, "CASE WHEN %s=%s THEN RAISE(ABORT,"
      "'stale write: %s%s (if it was sent as read: mode echo)')"
      " ELSE RAISE(ABORT,'stale write: %s%s') END", g->azText[V_NEW],
      g->azText[V_OLD], zLabel, zSent, zLabel, zSent);
}

/* ---- the version as a number ------------------------------------------ */

/* With null=0 a NULL counts as 0, wherever a version is read. */
static const char *reads(Gen *g, const char *zPrefix){
  return sqlxPrintf(g->p, g->pOptions->bNull ? "ifnull(%s%s,0)" : "%s%s",
                    zPrefix, g->azText[V_VERSION]);
}

/* A value as a number that can be compared; -1 if it is no version. With
** on_stale=log a row can have any value until a trigger has seen it. */
static const char *numberOf(Gen *g, const char *z, const char *zWhich){
  return sqlxPrintf(g->p, "CASE WHEN typeof(%s)='integer' AND %s%s THEN %s"
                    " ELSE -1 END", z, z, zWhich, z);
}

/* Up to here a version that is ahead is accepted as it is carried. From there
** on too few are left. */
#define CEILING "<4611686018427387904"
#define BELOW_LAST "<9223372036854775807"

static void valuesOfVersion(Gen *g){
  const char **az = g->azText;
  int bLog = g->pOptions->eStale==VERSIONED_LOG;
  az[V_NEW] = reads(g, "NEW.");
  az[V_OLD] = reads(g, "OLD.");
  az[V_CURRENT] = reads(g, "");
  az[V_OF_ROW] = reads(g, "r.");
  az[V_OF_TABLE] = reads(g, sqlxPrintf(g->p, "%s.", az[V_TABLE]));
  az[V_LOWEST] = bLog ? numberOf(g, az[V_CURRENT], BELOW_LAST)
                      : az[V_CURRENT];
  az[V_WAS] = numberOf(g, az[V_OLD], BELOW_LAST);
  az[V_IS] = sqlxPrintf(g->p, "CASE WHEN typeof(%s)='integer' AND (%s" CEILING
      " OR NOT(%s" CEILING ")) THEN %s ELSE -1 END", az[V_CURRENT],
      az[V_CURRENT], az[V_OLD], az[V_CURRENT]);
  az[V_NOT_NEXT] = sqlxPrintf(g->p, g->pOptions->bAnyStep
      ? "NOT(typeof(NEW.%s)='integer' AND NEW.%s>version)"
      : "NEW.%s IS NOT version+1", az[V_VERSION], az[V_VERSION]);
}

/* ---- the log ---------------------------------------------------------- */

/* The key of NEW as SQL literals. */
static const char *noteKey(Gen *g){
  const TableInfo *pInfo = g->pInfo;
  sqlite3_str *pStr;
  int i;
  if( pInfo->bRowidKey ){
    return sqlxPrintf(g->p, "quote(NEW.%s)", pInfo->zRowid);
  }
  pStr = sqlite3_str_new(g->p->db);
  for(i=0; i<pInfo->key.nTerm; i++){
    clauseJoin(pStr, "||','||");
    sqlite3_str_appendf(pStr, "substr(quote(NEW.\"%w\"),1,200)",
                        pInfo->aCol[pInfo->key.aTerm[i].iCol].zName);
  }
  return sqlxText(g->p, pStr);
}

/* The statements that note a row under a kind: which version it carried, and
** which one was found. Only zWhere, if it is not NULL, says that there is
** something to note. */
static const char *note(
  Gen *g,
  const char *zKind,
  const char *zCarried,
  const char *zFound,
  const char *zWhere
){
  g->azText[V_KIND] = zKind;
  g->azText[V_CARRIED] = zCarried;
  g->azText[V_FOUND] = zFound;
  g->azText[V_WHERE] = zWhere ? zWhere : "1";
  return fill(g, versioned_note_sql);
}

/* The columns that an UPDATE without a version is noted for, and the version:
** see noted_blind.sql. */
static const char *ofBlind(Gen *g){
  const char **az = g->azText;
  if( g->pOptions->nExcept==0 && az[V_OWN][0]==0 ) return "";
  return sqlxPrintf(g->p, "OF %s%s%s", az[V_VERSION],
                    az[V_NOT_OWN][0] ? "," : "", az[V_NOT_OWN]);
}

static void valuesOfLog(Gen *g){
  const char **az = g->azText;
  const char *zCarried = sqlxPrintf(g->p, "substr(quote(NEW.%s),1,100)",
                                    az[V_VERSION]);
  az[V_KEY_TEXT] = noteKey(g);
  az[V_EXAMPLES] = VERSIONED_EXAMPLES;
  az[V_NOTE_CARRIED] = note(g, sqlxPrintf(g->p, "CASE WHEN typeof(NEW.%s)="
      "'integer' AND NEW.%s>%s THEN 'ahead' WHEN %s IS %s THEN 'same'"
      " ELSE 'stale' END", az[V_VERSION], az[V_VERSION], az[V_EXPECTED],
      az[V_NEW], az[V_OLD]), zCarried, az[V_OLD], 0);
  az[V_NOTE_BLIND] = note(g, "'blind'", "NULL", az[V_OLD], 0);
  az[V_NOTE_INVALID] = note(g, "'invalid'", zCarried, "NULL", 0);
  az[V_NOTE_REPLACE] = note(g, "'replace'", zCarried,
      sqlxPrintf(g->p, "(SELECT version FROM %s WHERE %s)", az[V_TOMBSTONES],
          az[V_TOMBSTONE_NEW]),
      sqlxPrintf(g->p, "EXISTS(SELECT 1 FROM %s WHERE %s AND live NOT NULL"
          " AND %s)", az[V_TOMBSTONES], az[V_TOMBSTONE_NEW], az[V_NOT_NEXT]));
  az[V_OWN_STEP] = fill(g, versioned_own_step_sql);
  az[V_ACCEPT] = fill(g, versioned_accept_sql);
  az[V_OF_BLIND] = ofBlind(g);
}

/* The ways in which another row can stand in NEW's way. Without tombstones only
** the row under NEW's own key matters. */
#define WAYS (CLAUSE_BY_KEY | CLAUSE_BY_ROWID | CLAUSE_BY_INDEX)

static void valuesOfWays(Gen *g){
  unsigned mBy = g->pOptions->bTombstones ? WAYS
               : g->pInfo->bRowidKey ? CLAUSE_BY_ROWID : CLAUSE_BY_KEY;
  ClauseWay way;
  clauseInTheWay(g->p, g->pInfo, mBy, &way);
  g->azText[V_BLOCKED] = way.zAny;
  g->azText[V_BLOCKED_BY_OTHER] = way.zOther;
  g->azText[V_BLOCKER] = way.zRow;
}

/* The history and what is said of it. */
static void valuesOfHistory(Gen *g){
  Sqlx *p = g->p;
  const TableInfo *pInfo = g->pInfo;
  const VersionedOptions *pOptions = g->pOptions;
  const char **az = g->azText;
  az[V_HISTORY] = sqlxPrintf(p, "\"interlock_%w_history\"", g->zNumber);
  az[V_COLUMNS] = historytextColumns(p, pInfo, pOptions->zColumn);
  az[V_HISTORY_KEYS] = historytextKeys(p, pInfo);
  az[V_HISTORY_KEY_COLUMNS] = historytextKeysDeclared(p, pInfo);
  az[V_HISTORY_COLUMNS] = historytextDeclared(p, pInfo, pOptions->zColumn);
  az[V_HISTORY_IS_ROW] = historytextIs(p, pInfo, "r.");
  az[V_HISTORY_IS_OLD] = historytextIs(p, pInfo, "OLD.");
  az[V_HISTORY_IS_NEW] = historytextIs(p, pInfo, "NEW.");
  az[V_OF_KEPT] = pOptions->nExcept==0 ? "" : sqlxPrintf(p, "%s,%s",
                  az[V_OF_OTHERS], az[V_VERSION]);
  az[V_BOUND] = sqlxPrintf(p, "%lld", pOptions->nHistory ? pOptions->nHistory
                                                        : pOptions->msHistory);
  az[V_PURGE] = fill(g, pOptions->nHistory==0 ? versioned_purge_age_sql
                        : pOptions->bAnyStep ? versioned_purge_any_sql
                                             : versioned_purge_count_sql);
}

/* The steps that keep rows, in the trigger that is about to be made. */
static void valuesOfKeep(Gen *g, const char *zWhat){
  const char **az = g->azText;
  if( strcmp(zWhat, "history_replaced")==0 ){
    az[V_KEPT] = az[V_BLOCKER];
  }else if( strcmp(zWhat, "history_evicted")==0 ){
    az[V_KEPT] = sqlxPrintf(g->p, "(%s) AND NOT(%s)", az[V_BLOCKER],
                            az[V_ROW_IS_OLD]);
  }else{
    az[V_KEPT] = sqlxPrintf(g->p, "%s AND r.%s IS OLD.%s", az[V_ROW_IS_OLD],
                            az[V_VERSION], az[V_VERSION]);
  }
  az[V_KEEP] = fill(g, versioned_keep_sql);
}

/* Returns the statements that raise the rows of the parent that meet a
** condition. */
static const char *raiseParent(Gen *g, const char *zWhere){
  g->azText[V_PARENT_IS] = zWhere;
  return fill(g, versioned_parent_raise_sql);
}

/* Without tombstones too, every row that is replaced has a parent. */
static void valuesOfParent(Gen *g){
  Sqlx *p = g->p;
  const VersionedParent *pParent = &g->pOptions->parent;
  const char **az = g->azText;
  ClauseWay way;
  if( pParent->pInfo==0 ) return;
  clauseInTheWay(p, g->pInfo, WAYS, &way);
  az[V_PARENT_BLOCKED] = way.zAny;
  az[V_PARENT_BLOCKED_BY_OTHER] = way.zOther;
  az[V_PARENT_BLOCKER] = way.zRow;
  az[V_PARENT] = sqlxPrintf(p, "\"%w\"", pParent->pInfo->zName);
  az[V_PARENT_VERSION] = sqlxPrintf(p, "\"%w\"", pParent->zColumn);
  az[V_PARENT_CURRENT] = sqlxPrintf(p, pParent->bNull ? "ifnull(\"%w\",0)"
                                                      : "\"%w\"",
                                    pParent->zColumn);
  az[V_PARENT_KEY] = parentclauseKey(p, pParent);
  az[V_PARENT_OF_ROW] = parentclauseOfRow(p, pParent);
  az[V_PARENT_NEXT] = parentclauseIsNext(p, pParent, g->pInfo);
  az[V_PARENT_OF] = parentclauseOf(p, pParent, g->pInfo);
  az[V_PARENT_MOVED] = parentclauseMoved(p, pParent);
  az[V_RAISE_OLD] = raiseParent(g, parentclauseIs(p, pParent, "OLD."));
  az[V_RAISE_NEW] = raiseParent(g, parentclauseIs(p, pParent, "NEW."));
  az[V_RAISE_VICTIMS] = raiseParent(g, fill(g,
                                            versioned_parent_of_victims_sql));
  az[V_RAISE_EVICTED] = raiseParent(g, fill(g,
                                            versioned_parent_of_evicted_sql));
}

/* Makes the text of every placeholder for this table and its options. */
static void valuesOf(Gen *g){
  Sqlx *p = g->p;
  const TableInfo *pInfo = g->pInfo;
  const VersionedOptions *pOptions = g->pOptions;
  const char **az = g->azText;
  int bLog = pOptions->eStale==VERSIONED_LOG;
  az[V_TABLE] = sqlxPrintf(p, "\"%w\"", pInfo->zName);
  az[V_SCHEMA] = sqlxPrintf(p, "\"%w\"", pInfo->zSchema);
  az[V_VERSION] = sqlxPrintf(p, "\"%w\"", pOptions->zColumn);
  az[V_LABEL] = pOptions->zLabel;
  az[V_OPTIONS] = pOptions->zText ? pOptions->zText : "";
  az[V_TOMBSTONES] = sqlxPrintf(p, "\"interlock_%w_tombstones\"",
                                g->zNumber);
  az[V_LOG] = sqlxPrintf(p, "\"interlock_%w_log\"", g->zNumber);
  az[V_NOW] = TRIGGERSET_NOW;
  az[V_KEYS] = keytableKeys(p, pInfo);
  az[V_KEY_COLUMNS] = keytableColumns(p, pInfo);
  az[V_KEY_OLD] = clauseKeys(p, pInfo, "OLD.");
  az[V_KEY_ROW] = clauseKeys(p, pInfo, "r.");
  az[V_KEY_OLD_WHOLE] = clauseKeyWhole(p, pInfo, "OLD.");
  az[V_KEY_ROW_WHOLE] = clauseKeyWhole(p, pInfo, "r.");
  valuesOfVersion(g);
  g->abFlag[F_STRICT] = pOptions->mode==VERSIONED_STRICT;
  g->abFlag[F_LOG] = bLog;
  g->abFlag[F_ECHO] = pOptions->mode==VERSIONED_ECHO;
  g->abFlag[F_REPLACE] = g->abFlag[F_STRICT] && !bLog;
  g->abFlag[F_NOTE_REPLACE] = g->abFlag[F_BLIND] =
      bLog && pOptions->mode!=VERSIONED_ECHO;
  g->abFlag[F_SEES_REPLACE] = g->abFlag[F_REPLACE] || g->abFlag[F_NOTE_REPLACE];
  g->abFlag[F_TOMBSTONES] = pOptions->bTombstones;
  g->abFlag[F_AHEAD] = pOptions->bTombstones && !pOptions->bAnyStep
                    && pOptions->eStale==VERSIONED_ABORT;
  g->abFlag[F_OWN] = pOptions->bOwn && pOptions->mode!=VERSIONED_ECHO;
  g->abFlag[F_STEPS] = pOptions->bOwn;
  g->abFlag[F_MARKS] = g->abFlag[F_SEES_REPLACE] || !pOptions->bTombstones;
  g->abFlag[F_NULLABLE] = strcmp(az[V_KEY_OLD_WHOLE], "1")!=0;
  az[V_KEY_END] = keytableEnd(p, pInfo);
  az[V_GREATER] = "CASE WHEN version>excluded.version THEN version"
                  " ELSE excluded.version END";
  az[V_SAME_KEY] = clauseSameKey(p, pInfo);
  az[V_TOMBSTONE_NEW] = keytableIs(p, pInfo, "NEW.");
  az[V_TOMBSTONE_NEXT] = tombstoneIsNext(g);
  az[V_MARK] = pOptions->bTombstones ? "1" : TRIGGERSET_NOW;
  az[V_TOMBSTONE_OLD] = keytableIs(p, pInfo, "OLD.");
  az[V_TOMBSTONE_ROW] = keytableIs(p, pInfo,
                                   sqlxPrintf(p, "%s.", az[V_TABLE]));
  az[V_ROW_IS_NEW_KEY] = clauseRowIsNewKey(p, pInfo);
  az[V_SELF_OLD] = clauseSameRow(p, pInfo, "", "OLD.");
  az[V_SELF_NEW] = clauseSameRow(p, pInfo, "", "NEW.");
  az[V_ROW_IS_OLD] = clauseSameRow(p, pInfo, "r.", "OLD.");
  valuesOfWays(g);
  az[V_OF_KEY] = clauseOfKey(p, pInfo);
  az[V_OF_UNIQUE] = clauseOfWay(p, pInfo, WAYS);
  az[V_OTHERS] = columnList(g, COLUMNS_ALL);
  az[V_OWN] = columnList(g, COLUMNS_OWN);
  az[V_NOT_OWN] = columnList(g, COLUMNS_NOT_OWN);
  /* If none is excepted there is no list: it would miss a column that is added
  ** later. */
  az[V_OF_OTHERS] = pOptions->nExcept==0 ? ""
                  : sqlxPrintf(p, "OF %s", columnList(g, COLUMNS_WATCHED));
  az[V_ALTERED] = pOptions->nExcept && !pOptions->bOnly ? altered(g) : "";
  az[V_CURE] = " (table altered: SELECT versioned_repair())";
  az[V_FOLLOWS] = follows(g);
  az[V_CARRIES] = carries(g);
  /* A step of two tells `quiet` that no program has taken it. */
  az[V_STEP] = pOptions->bOwn ? "2" : "1";
  az[V_LAST] = pOptions->bOwn ? "9223372036854775806" : "9223372036854775807";
  az[V_EXPECTED] = sqlxPrintf(p, "%s%s", az[V_OLD],
                              pOptions->mode==VERSIONED_ECHO ? "" : "+1");
  valuesOfErrors(g);
  az[V_REFUSE] = refuse(g);
  if( pOptions->bHistory ) valuesOfHistory(g);
  az[V_REFUSED] = fill(g, versioned_refused_sql);
  az[V_LIFT] = fill(g, versioned_lift_sql);
  az[V_UNRAISED] = fill(g, versioned_unraised_sql);
  valuesOfLog(g);
  valuesOfParent(g);
}

/* Whether a trigger is not part of the set of this table. */
static int isLeftOut(const Gen *g, int i){
  const VersionedOptions *pOptions = g->pOptions;
  const unsigned mWhen = WHEN(pOptions->mode, pOptions->eStale);
  if( !(aTrigger[i].mWhen & mWhen) ) return 1;
  if( aTrigger[i].iTombstones==!pOptions->bTombstones ) return 1;
  switch( aTrigger[i].eFor ){
    case FOR_ALL:     return 0;
    case FOR_TOUCHES: return !pOptions->bOwn;
    case FOR_OWN:     return g->azText[V_OWN][0]==0
                          || g->azText[V_NOT_OWN][0]==0;
    case FOR_ADDED:   return g->azText[V_ALTERED][0]==0 || isAddedRefused(g);
    case FOR_ADDED_REFUSED:
                      return g->azText[V_ALTERED][0]==0 || !isAddedRefused(g);
    case FOR_PARENT:  return pOptions->parent.pInfo==0;
    case FOR_HISTORY: return !pOptions->bHistory;
  }
  return 1;
}

void versionedtriggersMake(
  Sqlx *p,
  const TableInfo *pInfo,
  const char *zNumber,
  const VersionedOptions *pOptions,
  TriggerSet *pSet,
  VersionedTexts *pTexts
){
  static const char *const azPerhaps[] = { "settle", "required_first",
      "bump_own", "quiet", "check_others", "noted_others", 0 };
  static const char *const azPerhapsStrict[] = { "settle", "required_first",
      "bump_own", "quiet", "check_others", "noted_others", "bump_added",
      "required_added", 0 };
  static const char *const azPerhapsEcho[] = { "quiet", 0 };
  Gen g;
  int i;
  memset(pSet, 0, sizeof(*pSet));
  pSet->azPerhaps = pOptions->mode==VERSIONED_ECHO ? azPerhapsEcho
                  : pOptions->mode==VERSIONED_STRICT ? azPerhapsStrict
                                                     : azPerhaps;
  pSet->nFirst = pOptions->bOwn && pOptions->mode!=VERSIONED_ECHO;
  genBegin(&g, p);
  g.pInfo = pInfo;
  g.pOptions = pOptions;
  g.zNumber = zNumber;
  valuesOf(&g);
  pTexts->zTombstones = sqlxPrintf(p, "interlock_%s_tombstones", zNumber);
  pTexts->zTombstonesSql = fill(&g, versioned_tombstones_sql);
  pTexts->zLiftAllSql = fill(&g, versioned_lift_all_sql);
  pTexts->zLog = sqlxPrintf(p, "interlock_%s_log", zNumber);
  pTexts->zLogSql = fill(&g, versioned_log_sql);
  pTexts->zHistory = sqlxPrintf(p, "interlock_%s_history", zNumber);
  pTexts->zHistorySql = pOptions->bHistory ? fill(&g, versioned_history_sql)
                                           : "";
  pTexts->zLiftKeptSql = pOptions->bHistory ? fill(&g, versioned_lift_kept_sql)
                                            : "";
  for(i=0; i<(int)(sizeof(aTrigger)/sizeof(aTrigger[0])); i++){
    TriggerSetOne *pOne;
    if( isLeftOut(&g, i) ) continue;
    if( aTrigger[i].eFor==FOR_HISTORY ) valuesOfKeep(&g, aTrigger[i].zWhat);
    pOne = triggersetNew(p, pSet, zNumber, aTrigger[i].zWhat);
    g.azText[V_TRIGGER] = sqlxPrintf(p, "\"%w\"", pOne->zName);
    pOne->zSql = fill(&g, aTrigger[i].zTemplate);
    pOne->bSchema = aTrigger[i].eDepends==DEPENDS_WAYS
        || aTrigger[i].eDepends==DEPENDS_COLUMNS
        || (aTrigger[i].eDepends==DEPENDS_OTHERS && pOptions->nExcept>0);
  }
}
