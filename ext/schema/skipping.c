/* SPDX-License-Identifier: 0BSD */
/*
** Which trigger of the user's can skip triggers of ours. See skipping.h.
*/
#include <string.h>
#include "schema/skipping.h"
#include "sqlite/token.h"
SQLITE_EXTENSION_INIT3

typedef enum Event { EVENT_NONE = 0, EVENT_INSERT, EVENT_UPDATE, EVENT_DELETE,
                     EVENT_COUNT } Event;

/* What begins an AFTER trigger's text behind CREATE TRIGGER. */
typedef struct Head {
  Event eAfter;          /* EVENT_NONE: it is no AFTER trigger */
  Token schema;          /* of the table, if it is named; else TOKEN_END */
} Head;

/* Step over a name that may have a schema before it. Returns that, or a token
** of kind TOKEN_END. */
static Token skipName(Token *p, const char *zEnd){
  Token first = *p, none = tokenAt(zEnd, zEnd);
  *p = tokenNext(p, zEnd);
  if( !tokenIsByte(p, '.') ) return none;
  *p = tokenNext(p, zEnd);
  *p = tokenNext(p, zEnd);
  return first;
}

static Head headOf(const char *zSql){
  static const char *const az[EVENT_COUNT] = { "", "INSERT", "UPDATE",
                                               "DELETE" };
  const char *zEnd = zSql + strlen(zSql);
  Token t = tokenAt(zSql, zEnd);
  Head head = { EVENT_NONE, tokenAt(zEnd, zEnd) };
  int e;
  t = tokenNext(&t, zEnd);             /* TRIGGER */
  t = tokenNext(&t, zEnd);
  skipName(&t, zEnd);
  if( !tokenIsWord(&t, "AFTER") ) return head;
  t = tokenNext(&t, zEnd);
  for(e=EVENT_INSERT; e<EVENT_COUNT; e++){
    if( tokenIsWord(&t, az[e]) ) head.eAfter = (Event)e;
  }
  while( t.kind!=TOKEN_END && !tokenIsWord(&t, "ON") ) t = tokenNext(&t, zEnd);
  t = tokenNext(&t, zEnd);
  head.schema = skipName(&t, zEnd);
  return head;
}

/* Whether RAISE(IGNORE) stands in the text of a trigger. */
static int raisesIgnore(const char *zSql){
  const char *zEnd = zSql + strlen(zSql);
  Token t;
  for(t=tokenAt(zSql, zEnd); t.kind!=TOKEN_END; t=tokenNext(&t, zEnd)){
    Token next;
    if( !tokenIsWord(&t, "RAISE") ) continue;
    next = tokenNext(&t, zEnd);
    if( !tokenIsByte(&next, '(') ) continue;
    next = tokenNext(&next, zEnd);
    if( tokenIsWord(&next, "IGNORE") ) return 1;
  }
  return 0;
}

/* When the first of ours was made, for each event that has an AFTER trigger;
** -1 for the others. */
static void madeOf(const ShapeList *pList, const char *zNumber, int *aiMade){
  int n, i;
  const ShapeItem *pItem = shapeNumbered(pList, zNumber, &n);
  for(i=0; i<EVENT_COUNT; i++) aiMade[i] = -1;
  for(i=0; i<n; i++){
    Event e = pItem[i].zSql ? headOf(pItem[i].zSql).eAfter : EVENT_NONE;
    if( aiMade[e]<0 || pItem[i].iMade<aiMade[e] ) aiMade[e] = pItem[i].iMade;
  }
  aiMade[EVENT_NONE] = -1;
}

/* Whether a trigger of temp, with no schema before its table's name, is on that
** table: temp comes first, then main. */
static int isReached(Sqlx *p, const Shape *pShape){
  const char *zSchema = pShape->zSchema;
  if( sqlxTable(p, "temp", pShape->zName) ) return 0;
  return sqlite3_stricmp(zSchema, "main")==0
      || !sqlxTable(p, "main", pShape->zName);
}

static void findInTemp(
  Sqlx *p,
  const Shape *pShape,
  const int *aiMade,
  Skipping *pSkip
){
  sqlite3_stmt *pStmt;
  if( sqlite3_stricmp(pShape->zSchema, "temp")==0 ) return;
  pStmt = sqlxPrepare(p, "SELECT name, sql FROM sqlite_temp_master"
      " WHERE type='trigger' AND tbl_name=%Q COLLATE NOCASE", pShape->zName);
  while( pSkip->zName==0 && sqlxStep(p, pStmt) ){
    const char *zName = sqlxColumn(p, pStmt, 0);
    const char *zSql = sqlxColumn(p, pStmt, 1);
    Head head;
    if( zName==0 || zSql==0 ) continue;
    head = headOf(zSql);
    if( aiMade[head.eAfter]<0 || !raisesIgnore(zSql) ) continue;
    if( head.schema.kind==TOKEN_END ? !isReached(p, pShape)
        : !tokenIsName(&head.schema, pShape->zSchema) ) continue;
    pSkip->zName = zName;
    pSkip->bTemp = 1;
  }
  sqlxFinalize(p, pStmt);
}

void skippingFind(
  Sqlx *p,
  const Shape *pShape,
  const char *zNumber,
  Skipping *pSkip
){
  const ShapeList *pList = pShape->pList;
  ShapeList list;
  int aiMade[EVENT_COUNT], i;
  memset(pSkip, 0, sizeof(*pSkip));
  if( pList==0 ){
    shapeList(p, pShape->zSchema, &list);
    pList = &list;
  }
  if( p->rc!=SQLITE_OK ) return;
  madeOf(pList, zNumber, aiMade);
  for(i=0; i<pList->nUser && pSkip->zName==0; i++){
    const ShapeItem *pItem = &pList->a[i];
    int iMade;
    if( pItem->zSql==0 || sqlite3_stricmp(pItem->zTable, pShape->zName)!=0 ){
      continue;
    }
    iMade = aiMade[headOf(pItem->zSql).eAfter];
    if( iMade>=0 && pItem->iMade>iMade && raisesIgnore(pItem->zSql) ){
      pSkip->zName = pItem->zName;
    }
  }
  if( pSkip->zName==0 ) findInTemp(p, pShape, aiMade, pSkip);
}

const char *skippingNote(Sqlx *p, const Skipping *pSkip, const char *zRepair){
  if( pSkip->bTemp ){
    return sqlxPrintf(p, "temp trigger %s may skip them by RAISE(IGNORE): it"
        " runs before them; make it a BEFORE trigger", pSkip->zName);
  }
  return sqlxPrintf(p, "trigger %s may skip them by RAISE(IGNORE): it is newer"
      " and runs before them; %s() makes them anew", pSkip->zName, zRepair);
}
