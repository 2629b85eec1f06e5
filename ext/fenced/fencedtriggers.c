/* SPDX-License-Identifier: 0BSD */
/*
** The generator of fenced tables. See fencedtriggers.h.
*/
#include <string.h>
#include "fenced/fencedtriggers.h"
#include "schema/clause.h"
#include "schema/keytable.h"
#include "sqlite/template.h"
#include "sql_text.h"
SQLITE_EXTENSION_INIT3

/* The placeholders of sql/fenced/. */
typedef enum FenceWord {
  FW_TRIGGER, FW_TABLE, FW_TOKEN, FW_LABEL, FW_SIDE, FW_CURRENT,
  FW_KEYS, FW_KEY_COLUMNS, FW_KEY_END, FW_KEY_OLD, FW_KEY_ROW,
  FW_KEY_OLD_WHOLE, FW_KEY_ROW_WHOLE, FW_SAME_KEY, FW_SIDE_NEW, FW_SIDE_OLD,
  FW_SELF_NEW, FW_ROW_IS_OLD, FW_BLOCKED, FW_BLOCKED_BY_OTHER, FW_BLOCKER,
  FW_OF_KEY, FW_OF_UNIQUE,
  FW_COUNT
} FenceWord;

static const char *const azFenceWord[FW_COUNT] = {
  "trigger", "table", "token", "label", "side", "current",
  "keys", "key_columns", "key_end", "key_old", "key_row",
  "key_old_whole", "key_row_whole", "same_key", "side_new", "side_old",
  "self_new", "row_is_old", "blocked", "blocked_by_other", "blocker",
  "of_key", "of_unique"
};

static const char *const azFenceFlag[] = { "nullable" };

/* The set, in the order in which it is made. `carried` must be newer than
** `note`, and `restore` than `validate`: see carried.sql and validate.sql. */
static const struct {
  const char *zWhat;
  const char *zTemplate;
  int bLease;            /* of a table with a lease; 0: of one without */
  int bIndexes;          /* its text depends on the UNIQUE indexes */
} aFence[] = {
  { "check",    fenced_check_sql,            0, 0 },
  { "validate", fenced_validate_sql,         0, 0 },
  { "gone",     fenced_tombstone_sql,        0, 0 },
  { "remember", fenced_remember_sql,         0, 1 },
  { "restore",  fenced_restore_sql,          0, 0 },
  { "evicted",  fenced_remember_evicted_sql, 0, 1 },
  { "left",     fenced_tombstone_moved_sql,  0, 0 },
  { "moved",    fenced_restore_moved_sql,    0, 0 },
  { "note",     fenced_note_sql,             1, 0 },
  { "carried",  fenced_carried_sql,          1, 0 },
  { "taken",    fenced_taken_sql,            1, 0 },
  { "entered",  fenced_entered_sql,          1, 0 },
  { "kept",     fenced_kept_sql,             1, 0 },
};

/* By what another row can stand in NEW's way. */
#define FENCE_WAYS (CLAUSE_BY_KEY | CLAUSE_BY_ROWID | CLAUSE_BY_INDEX)

static void fenceWordsOfWay(Sqlx *p, const TableInfo *pInfo, const char **az){
  ClauseWay way;
  clauseInTheWay(p, pInfo, FENCE_WAYS, &way);
  az[FW_BLOCKED] = way.zAny;
  az[FW_BLOCKED_BY_OTHER] = way.zOther;
  az[FW_BLOCKER] = way.zRow;
  az[FW_OF_UNIQUE] = clauseOfWay(p, pInfo, FENCE_WAYS);
  az[FW_OF_KEY] = clauseOfKey(p, pInfo);
  az[FW_SAME_KEY] = clauseSameKey(p, pInfo);
  az[FW_SELF_NEW] = clauseSameRow(p, pInfo, "", "NEW.");
  az[FW_ROW_IS_OLD] = clauseSameRow(p, pInfo, "r.", "OLD.");
}

/* The key of the side table. */
static void fenceWordsOfKey(Sqlx *p, const TableInfo *pInfo, const char **az){
  az[FW_KEYS] = keytableKeys(p, pInfo);
  az[FW_KEY_COLUMNS] = keytableColumns(p, pInfo);
  az[FW_KEY_END] = keytableEnd(p, pInfo);
  az[FW_KEY_OLD] = clauseKeys(p, pInfo, "OLD.");
  az[FW_KEY_ROW] = clauseKeys(p, pInfo, "r.");
  az[FW_KEY_OLD_WHOLE] = clauseKeyWhole(p, pInfo, "OLD.");
  az[FW_KEY_ROW_WHOLE] = clauseKeyWhole(p, pInfo, "r.");
  az[FW_SIDE_NEW] = keytableIs(p, pInfo, "NEW.");
  az[FW_SIDE_OLD] = keytableIs(p, pInfo, "OLD.");
}

/* What the side table goes by: the key, or, for notes, which do not outlive an
** UPDATE, the rowid where there is one. */
static TableInfo sideInfo(const TableInfo *pInfo, int bLease){
  TableInfo info = *pInfo;
  if( bLease && info.zRowid ){
    info.bRowidKey = 1;
    info.key.nTerm = 0;
  }
  return info;
}

void fencedtriggersMake(
  Sqlx *p,
  const TableInfo *pInfo,
  const char *zNumber,
  const FencedOptions *pOptions,
  TriggerSet *pSet,
  FencedTexts *pTexts
){
  const char *azText[FW_COUNT] = { 0 };
  int bLease = pOptions->zLease[0]!=0;
  int bNullable;
  Template t = { p, FW_COUNT, azFenceWord, azText, 1, azFenceFlag, &bNullable,
                 0, 0, 0 };
  TableInfo side = sideInfo(pInfo, bLease);
  size_t i;
  memset(pSet, 0, sizeof(*pSet));
  azText[FW_TABLE] = sqlxPrintf(p, "\"%w\"", pInfo->zName);
  azText[FW_TOKEN] = sqlxPrintf(p, "\"%w\"", pOptions->zColumn);
  azText[FW_LABEL] = pOptions->zLabel;
  azText[FW_CURRENT] = sqlxPrintf(p, "SELECT token FROM interlock_leases"
      " WHERE name=%Q AND expires>0", pOptions->zLease);
  pTexts->zSide = sqlxPrintf(p, "interlock_%s_%s", zNumber,
                             bLease ? "notes" : "tombstones");
  azText[FW_SIDE] = sqlxPrintf(p, "\"%w\"", pTexts->zSide);
  fenceWordsOfKey(p, &side, azText);
  fenceWordsOfWay(p, pInfo, azText);
  bNullable = strcmp(azText[FW_KEY_OLD_WHOLE], "1")!=0;
  pTexts->zSideSql = templateFill(&t, bLease ? fenced_notes_sql
                                             : fenced_tombstones_sql);
  pTexts->nSide = keytableCount(&side) + !bLease;
  for(i=0; i<sizeof(aFence)/sizeof(aFence[0]); i++){
    TriggerSetOne *pOne;
    if( aFence[i].bLease!=bLease ) continue;
    pOne = triggersetNew(p, pSet, zNumber, aFence[i].zWhat);
    azText[FW_TRIGGER] = sqlxPrintf(p, "\"%w\"", pOne->zName);
    pOne->zSql = templateFill(&t, aFence[i].zTemplate);
    pOne->bSchema = aFence[i].bIndexes;
  }
}
