/* SPDX-License-Identifier: 0BSD */
/*
** The generator of guards. See guardset.h.
*/
#include <string.h>
#include "guarded/guardset.h"
#include "schema/clause.h"
#include "sqlite/template.h"
#include "sql_text.h"
SQLITE_EXTENSION_INIT3

/* The placeholders of sql/guarded/. */
typedef enum GuardWord {
  G_TRIGGER, G_TABLE, G_SCHEMA, G_ME, G_KEY_NEW, G_KEY_OLD, G_KEY_ROW,
  G_SAME_KEY, G_OF_KEY, G_OF_WAY, G_BLOCKED, G_BLOCKED_BY_OTHER, G_BLOCKER,
  G_ROW_IS_OLD,
  G_COUNT
} GuardWord;

static const char *const azGuardWord[G_COUNT] = {
  "trigger", "table", "schema", "me", "key_new", "key_old", "key_row",
  "same_key", "of_key", "of_way", "blocked", "blocked_by_other", "blocker",
  "row_is_old"
};

/* For which tables a trigger is part of the set. */
typedef enum GuardFor {
  FOR_ALL = 0,
  FOR_KEY,               /* where rows have a key */
  FOR_WAY                /* where a row can be in the way by something else
                         ** than its key, too */
} GuardFor;

static const struct {
  const char *zWhat;
  const char *zTemplate;
  GuardFor eFor;
} aGuard[] = {
  { "insert",  guarded_insert_sql,  FOR_ALL },
  { "update",  guarded_update_sql,  FOR_ALL },
  { "moved",   guarded_moved_sql,   FOR_KEY },
  { "delete",  guarded_delete_sql,  FOR_ALL },
  { "victims", guarded_victims_sql, FOR_WAY },
  { "evicted", guarded_evicted_sql, FOR_WAY },
};

int guardsetDepends(const char *zWhat){
  size_t i;
  for(i=0; i<sizeof(aGuard)/sizeof(aGuard[0]); i++){
    if( strcmp(aGuard[i].zWhat, zWhat)==0 ) return aGuard[i].eFor==FOR_WAY;
  }
  return 0;
}

/*
** What a row goes by. A table without a declared key has NULL: its rowids are
** no names, since VACUUM renumbers them, so nobody can lock one of its rows.
*/
static void wordsOfKey(Sqlx *p, const Shape *pShape, const char **az){
  int bKey = pShape->bDeclaredKey;
  az[G_KEY_NEW] = bKey ? clauseKeys(p, pShape, "NEW.") : "NULL";
  az[G_KEY_OLD] = bKey ? clauseKeys(p, pShape, "OLD.") : "NULL";
  az[G_KEY_ROW] = bKey ? clauseKeys(p, pShape, "r.") : "NULL";
  if( !bKey ) return;
  az[G_SAME_KEY] = clauseSameKey(p, pShape);
  az[G_OF_KEY] = clauseOfKey(p, pShape);
}

/* What can be in the way of a row beside one with its key. Returns 0 if there
** is nothing. */
static int wordsOfWay(Sqlx *p, const Shape *pShape, const char **az){
  unsigned mBy = CLAUSE_BY_INDEX;
  ClauseWay way;
  if( !pShape->bDeclaredKey ) return 0;
  if( !pShape->bRowidKey ) mBy |= CLAUSE_BY_ROWID;
  clauseInTheWay(p, pShape, mBy, &way);
  az[G_BLOCKED] = way.zAny;
  az[G_BLOCKED_BY_OTHER] = way.zOther;
  az[G_BLOCKER] = way.zRow;
  az[G_OF_WAY] = clauseOfWay(p, pShape, mBy);
  az[G_ROW_IS_OLD] = clauseSameRow(p, pShape, "r.", "OLD.");
  return way.zRow[0]!=0;
}

void guardsetMake(
  Sqlx *p,
  const Shape *pShape,
  const GuardSetRule *pRule,
  TriggersSet *pSet
){
  const char *azText[G_COUNT] = { 0 };
  Template t = { p, G_COUNT, azGuardWord, azText, 0, 0, 0, 0, 0, 0 };
  int bWay;
  size_t i;
  memset(pSet, 0, sizeof(*pSet));
  azText[G_TABLE] = sqlxPrintf(p, "\"%w\"", pShape->zName);
  azText[G_ME] = sqlxPrintf(p, "%Q,%Q,%Q", pRule->zNumber, pRule->zFile,
                            pShape->zName);
  wordsOfKey(p, pShape, azText);
  bWay = wordsOfWay(p, pShape, azText);
  for(i=0; i<sizeof(aGuard)/sizeof(aGuard[0]); i++){
    TriggersOne *pOne = &pSet->a[pSet->n];
    if( aGuard[i].eFor==FOR_KEY && !pShape->bDeclaredKey ) continue;
    if( aGuard[i].eFor==FOR_WAY && !bWay ) continue;
    pSet->n++;
    pOne->zWhat = aGuard[i].zWhat;
    pOne->zName = sqlxPrintf(p, "interlock_%s_%s", pRule->zNumber,
                             aGuard[i].zWhat);
    azText[G_TRIGGER] = sqlxPrintf(p, "\"%w\"", pOne->zName);
    pOne->zSql = templateFill(&t, aGuard[i].zTemplate);
  }
}

const char *guardsetRegistry(Sqlx *p, const char *zSchema){
  const char *azText[G_COUNT] = { 0 };
  Template t = { p, G_COUNT, azGuardWord, azText, 0, 0, 0, 0, 0, 0 };
  azText[G_SCHEMA] = sqlxPrintf(p, "\"%w\"", zSchema);
  return templateFill(&t, guarded_registry_sql);
}
