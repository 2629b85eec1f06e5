/* SPDX-License-Identifier: 0BSD */
/*
** The generator of guarded tables. See guardedtriggers.h.
*/
#include <string.h>
#include "guarded/guardedtriggers.h"
#include "schema/clause.h"
#include "schema/newvalue.h"
#include "sqlite/template.h"
#include "sql_text.h"
SQLITE_EXTENSION_INIT3

/* The placeholders of sql/guarded/. */
typedef enum GuardWord {
  G_TRIGGER, G_TABLE, G_ME, G_KEY_NEW, G_KEY_NEXT, G_KEY_OLD,
  G_KEY_ROW, G_CHOSEN, G_OF_WAY, G_BLOCKER, G_ROW_IS_OLD,
  G_COUNT
} GuardWord;

static const char *const azGuardWord[G_COUNT] = {
  "trigger", "table", "me", "key_new", "key_next", "key_old",
  "key_row", "chosen", "of_way", "blocker", "row_is_old"
};

/* The flags of $if(...). */
typedef enum GuardFlag { GF_KEY, GF_CHOSEN, GF_WAY, GF_COUNT } GuardFlag;
static const char *const azGuardFlag[GF_COUNT] = { "key", "chosen", "way" };

/* The set, in the order in which it is made. A table whose rows have no key
** needs only the triggers that look for a lock on the whole table. */
static const struct {
  const char *zWhat;
  const char *zTemplate;
  int bKey;              /* only if rows have a key */
  int bIndexes;          /* its text depends on the UNIQUE indexes */
} aGuard[] = {
  { "insert",  guarded_insert_sql,  1, 0 },
  { "update",  guarded_update_sql,  0, 0 },
  { "moved",   guarded_moved_sql,   1, 1 },
  { "delete",  guarded_delete_sql,  0, 0 },
  { "victims", guarded_victims_sql, 0, 1 },
  { "evicted", guarded_evicted_sql, 1, 1 },
};

/*
** Makes the texts of the key. A table without a declared key has NULL: its
** rowids identify no rows, since VACUUM renumbers them. So no row of it can be
** locked.
*/
static void wordsOfKey(Sqlx *p, const TableInfo *pInfo, const char **az){
  int bKey = pInfo->bDeclaredKey;
  az[G_KEY_NEW] = bKey ? clauseKeys(p, pInfo, "NEW.") : "NULL";
  az[G_KEY_NEXT] = bKey ? clauseKeysNext(p, pInfo) : "NULL";
  az[G_KEY_OLD] = bKey ? clauseKeys(p, pInfo, "OLD.") : "NULL";
  az[G_KEY_ROW] = bKey ? clauseKeys(p, pInfo, "r.") : "NULL";
  az[G_CHOSEN] = bKey && pInfo->bRowidKey ? newvalueChosen(p, pInfo) : "";
}

/* Makes the texts for rows that can stand in the way of a row, beside one with
** its key. Returns 0 if no row can. */
static int wordsOfWay(Sqlx *p, const TableInfo *pInfo, const char **az){
  unsigned mBy = CLAUSE_BY_INDEX;
  ClauseWay way;
  az[G_BLOCKER] = az[G_OF_WAY] = az[G_ROW_IS_OLD] = "";
  if( !pInfo->bDeclaredKey ) return 0;
  if( !pInfo->bRowidKey ) mBy |= CLAUSE_BY_ROWID;
  clauseInTheWay(p, pInfo, mBy, &way);
  az[G_BLOCKER] = way.zRow;
  az[G_OF_WAY] = clauseOfWay(p, pInfo, mBy | CLAUSE_BY_KEY);
  az[G_ROW_IS_OLD] = clauseSameRow(p, pInfo, "r.", "OLD.");
  return way.zRow[0]!=0;
}

void guardedtriggersMake(
  Sqlx *p,
  const TableInfo *pInfo,
  const char *zNumber,
  const char *zFile,
  TriggerSet *pSet
){
  const char *azText[G_COUNT] = { 0 };
  int abFlag[GF_COUNT];
  Template t = { p, G_COUNT, azGuardWord, azText, GF_COUNT, azGuardFlag, abFlag,
                 0, 0, 0 };
  size_t i;
  memset(pSet, 0, sizeof(*pSet));
  azText[G_TABLE] = sqlxPrintf(p, "\"%w\"", pInfo->zName);
  azText[G_ME] = sqlxPrintf(p, "%Q,%Q,%Q", zNumber, zFile, pInfo->zName);
  wordsOfKey(p, pInfo, azText);
  abFlag[GF_KEY] = pInfo->bDeclaredKey;
  abFlag[GF_CHOSEN] = azText[G_CHOSEN][0]!=0;
  abFlag[GF_WAY] = wordsOfWay(p, pInfo, azText);
  for(i=0; i<sizeof(aGuard)/sizeof(aGuard[0]); i++){
    TriggerSetOne *pOne;
    if( aGuard[i].bKey && !pInfo->bDeclaredKey ) continue;
    pOne = triggersetNew(p, pSet, zNumber, aGuard[i].zWhat);
    azText[G_TRIGGER] = sqlxPrintf(p, "\"%w\"", pOne->zName);
    pOne->zSql = templateFill(&t, aGuard[i].zTemplate);
    pOne->bSchema = aGuard[i].bIndexes;
  }
}
