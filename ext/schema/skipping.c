/* SPDX-License-Identifier: 0BSD */
/*
** Which trigger of the user's can skip Interlock's. See skipping.h.
*/
#include <string.h>
#include "schema/skipping.h"
#include "sqlite/sqltoken.h"
SQLITE_EXTENSION_INIT3

typedef enum Event { EVENT_NONE = 0, EVENT_INSERT, EVENT_UPDATE, EVENT_DELETE,
                     EVENT_COUNT } Event;

/* The beginning of a trigger's text, after CREATE TRIGGER. */
typedef struct Head {
  Event eEvent;
  Event eAfter;          /* the same; EVENT_NONE: it is no AFTER trigger */
  SqlToken schema;       /* the schema of its table; of kind SQLTOKEN_END if the
                         ** text names none */
  const char *zOf;       /* from the event to ON: the columns, if any */
  const char *zOfEnd;
} Head;

/* Steps over a name that may have a schema before it. Returns the schema, or a
** token of kind SQLTOKEN_END. */
static SqlToken skipName(SqlToken *p, const char *zEnd){
  SqlToken first = *p, none = sqltokenAt(zEnd, zEnd);
  *p = sqltokenNext(p, zEnd);
  if( !sqltokenIsByte(p, '.') ) return none;
  *p = sqltokenNext(p, zEnd);
  *p = sqltokenNext(p, zEnd);
  return first;
}

static Head headOf(const char *zSql){
  static const char *const az[EVENT_COUNT] = { "", "INSERT", "UPDATE",
                                               "DELETE" };
  const char *zEnd = zSql + strlen(zSql);
  SqlToken t = sqltokenAt(zSql, zEnd);
  Head head = { EVENT_NONE, EVENT_NONE, sqltokenAt(zEnd, zEnd), zEnd, zEnd };
  int bAfter, e;
  t = sqltokenNext(&t, zEnd);             /* TRIGGER */
  t = sqltokenNext(&t, zEnd);
  skipName(&t, zEnd);
  bAfter = sqltokenIsWord(&t, "AFTER");
  if( bAfter || sqltokenIsWord(&t, "BEFORE") ) t = sqltokenNext(&t, zEnd);
  for(e=EVENT_INSERT; e<EVENT_COUNT; e++){
    if( sqltokenIsWord(&t, az[e]) ) head.eEvent = (Event)e;
  }
  if( bAfter ) head.eAfter = head.eEvent;
  head.zOf = t.z;
  while( t.kind!=SQLTOKEN_END && !sqltokenIsWord(&t, "ON") ){
    t = sqltokenNext(&t, zEnd);
  }
  head.zOfEnd = t.z;
  t = sqltokenNext(&t, zEnd);
  head.schema = skipName(&t, zEnd);
  return head;
}

/* Whether the text of a trigger contains RAISE() with that word. */
static int raises(const char *zSql, const char *zWord){
  const char *zEnd = zSql + strlen(zSql);
  SqlToken t;
  for(t=sqltokenAt(zSql, zEnd); t.kind!=SQLTOKEN_END; t=sqltokenNext(&t, zEnd)){
    SqlToken next;
    if( !sqltokenIsWord(&t, "RAISE") ) continue;
    next = sqltokenNext(&t, zEnd);
    if( !sqltokenIsByte(&next, '(') ) continue;
    next = sqltokenNext(&next, zEnd);
    if( sqltokenIsWord(&next, zWord) ) return 1;
  }
  return 0;
}

static int raisesIgnore(const char *zSql){
  return raises(zSql, "IGNORE");
}

/* Returns the name of a trigger in temp that has RAISE(FAIL); NULL if there is
** none, and if the table is in temp: its list has them. */
static const char *failsInTemp(Sqlx *p, const TableInfo *pInfo){
  const char *zName = 0;
  sqlite3_stmt *pStmt;
  if( sqlite3_stricmp(pInfo->zSchema, "temp")==0 ) return 0;
  pStmt = sqlxPrepare(p, "SELECT name, sql FROM sqlite_temp_master"
                         " WHERE type='trigger' AND sql LIKE '%%fail%%'");
  while( zName==0 && sqlxStep(p, pStmt) ){
    const char *zSql = sqlxColumn(p, pStmt, 1);
    if( zSql && raises(zSql, "FAIL") ) zName = sqlxColumn(p, pStmt, 0);
  }
  sqlxFinalize(p, pStmt);
  return zName;
}

const char *skippingFailNote(Sqlx *p, const TableInfo *pInfo){
  const TableInfoList *pList = pInfo->pList;
  const char *zOther = 0, *zTemp;
  int i;
  for(i=0; pList && pList->bFail && i<pList->nUser; i++){
    const TableInfoItem *pItem = &pList->a[i];
    if( pItem->zSql==0 || !raises(pItem->zSql, "FAIL") ) continue;
    if( sqlite3_stricmp(pItem->zTable, pInfo->zName)==0 ){
      return sqlxPrintf(p, "trigger %s keeps a row by RAISE(FAIL) that the"
          " triggers have not checked yet: make it RAISE(ABORT)",
          pItem->zName);
    }
    if( zOther==0 ) zOther = pItem->zName;
  }
  zTemp = zOther ? 0 : failsInTemp(p, pInfo);
  if( zOther==0 && zTemp==0 ) return 0;
  return sqlxPrintf(p, "%strigger %s, if a write to this table fires it, keeps"
      " a row by RAISE(FAIL) that the triggers have not checked yet: make it"
      " RAISE(ABORT)", zTemp ? "temp " : "", zTemp ? zTemp : zOther);
}

/* Finds out when the oldest AFTER trigger of Interlock was made, for each
** event; -1 for an event that has none. */
static void madeOf(
  const TableInfoList *pList,
  const char *zNumber,
  int *aiMade
){
  int n, i;
  const TableInfoItem *pItem = tableinfoNumbered(pList, zNumber, &n);
  for(i=0; i<EVENT_COUNT; i++) aiMade[i] = -1;
  for(i=0; i<n; i++){
    Event e = pItem[i].zSql ? headOf(pItem[i].zSql).eAfter : EVENT_NONE;
    if( aiMade[e]<0 || pItem[i].iMade<aiMade[e] ) aiMade[e] = pItem[i].iMade;
  }
  aiMade[EVENT_NONE] = -1;
}

/* Whether a trigger in temp that names its table without a schema is on this
** table: SQLite looks for the table in temp first, then in main. */
static int isReached(Sqlx *p, const TableInfo *pInfo){
  const char *zSchema = pInfo->zSchema;
  if( sqlxTable(p, "temp", pInfo->zName) ) return 0;
  return sqlite3_stricmp(zSchema, "main")==0
      || !sqlxTable(p, "main", pInfo->zName);
}

static void findInTemp(
  Sqlx *p,
  const TableInfo *pInfo,
  const int *aiMade,
  Skipping *pSkip
){
  sqlite3_stmt *pStmt;
  if( sqlite3_stricmp(pInfo->zSchema, "temp")==0 ) return;
  pStmt = sqlxPrepare(p, "SELECT name, sql FROM sqlite_temp_master"
      " WHERE type='trigger' AND tbl_name=%Q COLLATE NOCASE", pInfo->zName);
  while( pSkip->zName==0 && sqlxStep(p, pStmt) ){
    const char *zName = sqlxColumn(p, pStmt, 0);
    const char *zSql = sqlxColumn(p, pStmt, 1);
    Head head;
    if( zName==0 || zSql==0 ) continue;
    head = headOf(zSql);
    if( aiMade[head.eAfter]<0 || !raisesIgnore(zSql) ) continue;
    if( head.schema.kind==SQLTOKEN_END ? !isReached(p, pInfo)
        : !sqltokenIsName(&head.schema, pInfo->zSchema) ) continue;
    pSkip->zName = zName;
    pSkip->bTemp = 1;
  }
  sqlxFinalize(p, pStmt);
}

/* The next UPDATE of that table in the text of a trigger, from *p on: 1, with
** *p before its SET, or 0. In an INSERT it is the one behind ON CONFLICT DO;
** *pbInto is kept from call to call, 0 at first: whether the INSERT that was
** met last is one into that table. */
static int nextUpdate(
  SqlToken *p,
  const char *zEnd,
  const char *zTable,
  int *pbInto
){
  while( p->kind!=SQLTOKEN_END ){
    int bInto = sqltokenIsWord(p, "INTO"), bDo = sqltokenIsWord(p, "DO");
    int bUpdate = sqltokenIsWord(p, "UPDATE");
    *p = sqltokenNext(p, zEnd);
    if( bInto ) *pbInto = sqltokenIsName(p, zTable);
    if( bDo && *pbInto && sqltokenIsWord(p, "UPDATE") ){
      *p = sqltokenNext(p, zEnd);
      return 1;
    }
    if( !bUpdate ) continue;
    if( sqltokenIsWord(p, "OR") ){
      *p = sqltokenNext(p, zEnd);
      *p = sqltokenNext(p, zEnd);
    }
    if( !sqltokenIsName(p, zTable) ) continue;
    *p = sqltokenNext(p, zEnd);
    return 1;
  }
  return 0;
}

int skippingUpdates(const char *zSql, const char *zTable){
  const char *zEnd = zSql + strlen(zSql);
  SqlToken t = sqltokenAt(zSql, zEnd);
  int bInto = 0;
  return nextUpdate(&t, zEnd, zTable, &bInto);
}

int skippingSeesColumn(const char *zSql, const char *zColumn){
  static const char *const azWrites[] = { "INSERT", "UPDATE", "DELETE",
                                          "REPLACE" };
  const char *zEnd = zSql + strlen(zSql);
  Head head = headOf(zSql);
  SqlToken t;
  int i;
  if( head.eEvent!=EVENT_UPDATE ) return 0;
  t = sqltokenAt(head.zOf, head.zOfEnd);
  t = sqltokenNext(&t, head.zOfEnd);
  if( sqltokenIsWord(&t, "OF")
   && !sqltokenMentions(head.zOf, head.zOfEnd, zColumn) ) return 0;
  for(t=sqltokenAt(head.zOfEnd, zEnd); t.kind!=SQLTOKEN_END;
      t=sqltokenNext(&t, zEnd)){
    for(i=0; i<4; i++) if( sqltokenIsWord(&t, azWrites[i]) ) return 1;
  }
  return 0;
}

static void setColumn(const TableInfo *pInfo, const SqlToken *p, char *abSet){
  int i;
  for(i=0; i<pInfo->nCol; i++){
    if( sqltokenIsName(p, pInfo->aCol[i].zName) ) abSet[i] = 1;
  }
}

/* Whether the list behind SET ends here. */
static int isListEnd(const SqlToken *p, int nDeep){
  if( sqltokenIsByte(p, ';') ) return 1;
  return nDeep==0 && (sqltokenIsWord(p, "WHERE") || sqltokenIsWord(p, "FROM"));
}

/* Steps from SET to the end of its list. A column stands behind SET, behind a
** comma of the list, or in brackets there. */
static void setList(
  const TableInfo *pInfo,
  SqlToken *p,
  const char *zEnd,
  char *abSet
){
  int bTarget = 1, nDeep = 0;
  for(; p->kind!=SQLTOKEN_END; *p = sqltokenNext(p, zEnd)){
    if( isListEnd(p, nDeep) ) return;
    if( sqltokenIsByte(p, '(') ) nDeep++;
    else if( sqltokenIsByte(p, ')') ) nDeep--;
    else if( nDeep==0 && sqltokenIsByte(p, ',') ) bTarget = 1;
    else if( nDeep==0 && sqltokenIsByte(p, '=') ) bTarget = 0;
    else if( bTarget ) setColumn(pInfo, p, abSet);
  }
}

/* Mark the columns that a trigger sets in the table. */
static void setColumns(
  const TableInfo *pInfo,
  const char *zSql,
  char *abSet
){
  const char *zEnd = zSql + strlen(zSql);
  SqlToken t = sqltokenAt(zSql, zEnd);
  int bInto = 0;
  while( nextUpdate(&t, zEnd, pInfo->zName, &bInto) ){
    while( t.kind!=SQLTOKEN_END && !sqltokenIsWord(&t, "SET")
        && !sqltokenIsByte(&t, ';') ) t = sqltokenNext(&t, zEnd);
    if( !sqltokenIsWord(&t, "SET") ) continue;
    t = sqltokenNext(&t, zEnd);
    setList(pInfo, &t, zEnd, abSet);
  }
}

int skippingSets(
  Sqlx *p,
  const TableInfo *pInfo,
  const char *zSql,
  const char *zColumn
){
  int iCol = tableinfoColumn(pInfo, zColumn);
  char *abSet = sqlxAlloc(p, (sqlite3_uint64)pInfo->nCol + 1);
  if( abSet==0 || iCol<0 ) return 0;
  setColumns(pInfo, zSql, abSet);
  return abSet[iCol];
}

/* Whether it is an AFTER UPDATE trigger of the table that runs before ours. */
static int isAhead(
  const TableInfoItem *pItem,
  const TableInfo *pInfo,
  const int *aiMade
){
  int iMade = aiMade[EVENT_UPDATE];
  return iMade>=0 && pItem->iMade>iMade
      && sqlite3_stricmp(pItem->zTable, pInfo->zName)==0
      && headOf(pItem->zSql).eAfter==EVENT_UPDATE;
}

const char *skippingUnset(
  Sqlx *p,
  const TableInfo *pInfo,
  const char *zNumber,
  const char *zColumn
){
  const TableInfoList *pList = pInfo->pList;
  int aiMade[EVENT_COUNT], i;
  if( pList==0 || zNumber==0 ) return 0;
  madeOf(pList, zNumber, aiMade);
  for(i=0; p->rc==SQLITE_OK && i<pList->nUser; i++){
    const TableInfoItem *pItem = &pList->a[i];
    if( pItem->zSql==0 || !skippingUpdates(pItem->zSql, pInfo->zName) ){
      continue;
    }
    if( isAhead(pItem, pInfo, aiMade)
     || !skippingSets(p, pInfo, pItem->zSql, zColumn) ) return pItem->zName;
  }
  return 0;
}

/* Whether a trigger that updates its table is one of the set of Touches. */
static int isTouch(const TableInfoItem *pItem, const char *zColumn){
  SqlToken tName;
  Head head;
  if( !sqltokenIsTrigger(pItem->zSql, pItem->zName, &tName) ) return 0;
  head = headOf(pItem->zSql);
  return head.eAfter==EVENT_UPDATE
      && !sqltokenMentions(head.zOf, head.zOfEnd, zColumn)
      && !raisesIgnore(pItem->zSql);
}

void skippingTouches(
  Sqlx *p,
  const TableInfo *pInfo,
  const char *zColumn,
  Touches *pTouches
){
  const TableInfoList *pList = pInfo->pList;
  TableInfoList list;
  int i;
  memset(pTouches, 0, sizeof(*pTouches));
  if( pList==0 ){
    tableinfoTriggers(p, pInfo, &list);
    pList = &list;
  }
  for(i=0; p->rc==SQLITE_OK && i<pList->nUser; i++){
    const TableInfoItem *pItem = &pList->a[i];
    TriggerSetOne *pOne;
    if( pItem->zSql==0 || sqlite3_stricmp(pItem->zTable, pInfo->zName)!=0
     || !skippingUpdates(pItem->zSql, pInfo->zName) ) continue;
    if( pTouches->abSet==0 ){
      pTouches->abSet = sqlxAlloc(p, (sqlite3_uint64)pInfo->nCol + 1);
      if( pTouches->abSet==0 ) break;
    }
    setColumns(pInfo, pItem->zSql, pTouches->abSet);
    if( !isTouch(pItem, zColumn) || pTouches->set.n>=TRIGGERSET_MAX ) continue;
    pOne = &pTouches->set.a[pTouches->set.n];
    pOne->zWhat = "";
    pOne->zName = pItem->zName;
    pOne->zSql = pItem->zSql;
    if( pTouches->set.n==0 ) pTouches->iFirst = pItem->iMade;
    pTouches->iLast = pItem->iMade;
    pTouches->set.n++;
  }
}

int skippingIsOutOfOrder(
  Sqlx *p,
  const TableInfo *pInfo,
  const char *zNumber,
  const Touches *pTouches
){
  const TableInfoList *pList = pInfo->pList;
  const TableInfoItem *pItem;
  TableInfoList list;
  int n, i;
  if( pTouches->set.n==0 || zNumber==0 ) return 0;
  if( pList==0 ){
    tableinfoTriggers(p, pInfo, &list);
    pList = &list;
  }
  if( p->rc!=SQLITE_OK ) return 0;
  pItem = tableinfoNumbered(pList, zNumber, &n);
  for(i=0; i<n; i++){
    const char *zWhat = strrchr(pItem[i].zName, '_');
    if( strcmp(zWhat, "_settle")==0 && pItem[i].iMade>pTouches->iFirst ){
      return 1;
    }
    if( strcmp(zWhat, "_quiet")==0 && pItem[i].iMade<pTouches->iLast ) return 1;
  }
  return 0;
}

void skippingFind(
  Sqlx *p,
  const TableInfo *pInfo,
  const char *zNumber,
  Skipping *pSkip
){
  const TableInfoList *pList = pInfo->pList;
  TableInfoList list;
  int aiMade[EVENT_COUNT], i;
  memset(pSkip, 0, sizeof(*pSkip));
  if( pList==0 ){
    tableinfoTriggers(p, pInfo, &list);
    pList = &list;
  }
  if( p->rc!=SQLITE_OK ) return;
  madeOf(pList, zNumber, aiMade);
  for(i=0; i<pList->nUser && pSkip->zName==0; i++){
    const TableInfoItem *pItem = &pList->a[i];
    int iMade;
    if( pItem->zSql==0 || sqlite3_stricmp(pItem->zTable, pInfo->zName)!=0 ){
      continue;
    }
    iMade = aiMade[headOf(pItem->zSql).eAfter];
    if( iMade>=0 && pItem->iMade>iMade && raisesIgnore(pItem->zSql) ){
      pSkip->zName = pItem->zName;
    }
  }
  if( pSkip->zName==0 ) findInTemp(p, pInfo, aiMade, pSkip);
}

const char *skippingTempUpdates(Sqlx *p, const TableInfo *pInfo){
  const char *zName = 0;
  sqlite3_stmt *pStmt;
  if( sqlite3_stricmp(pInfo->zSchema, "temp")==0 ) return 0;
  pStmt = sqlxPrepare(p, "SELECT name, sql FROM sqlite_temp_master"
                         " WHERE type='trigger'");
  while( zName==0 && sqlxStep(p, pStmt) ){
    const char *zSql = sqlxColumn(p, pStmt, 1);
    if( zSql==0 || !skippingUpdates(zSql, pInfo->zName)
     || !isReached(p, pInfo) ) continue;
    zName = sqlxColumn(p, pStmt, 0);
  }
  sqlxFinalize(p, pStmt);
  return zName;
}

const char *skippingNote(Sqlx *p, const Skipping *pSkip, const char *zRepair){
  if( pSkip->bTemp ){
    return sqlxPrintf(p, "temp trigger %s may skip them by RAISE(IGNORE): it"
        " runs before them; make it a BEFORE trigger", pSkip->zName);
  }
  return sqlxPrintf(p, "trigger %s may skip them by RAISE(IGNORE): it is newer"
      " and runs before them; %s() makes them anew", pSkip->zName, zRepair);
}
