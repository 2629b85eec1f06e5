/* SPDX-License-Identifier: 0BSD */
/*
** The registry of guarded tables. See guardreg.h.
*/
#include <string.h>
#include "guarded/guardreg.h"
SQLITE_EXTENSION_INIT3

/* ---- entries ---------------------------------------------------------- */

#define ENTRY_COLUMNS "g.number, g.name, g.file, g.generator"

enum { ENTRY_NUMBER, ENTRY_NAME, ENTRY_FILE, ENTRY_GENERATOR };

/* Whether this can be the id of a file: a registry from elsewhere can have
** anything in it. */
static int isFileId(const char *z){
  return z && strspn(z, "0123456789abcdef")==GUARDSET_FILE_DIGITS
      && z[GUARDSET_FILE_DIGITS]==0;
}

/* Step to an entry, without its triggers. Returns 0 at the end. */
static int nextEntry(Sqlx *p, sqlite3_stmt *pStmt, GuardEntry *pEntry){
  memset(pEntry, 0, sizeof(*pEntry));
  do{
    if( !sqlxStep(p, pStmt) ) return 0;
    pEntry->zNumber = triggersNumber(p, pStmt, ENTRY_NUMBER);
  }while( pEntry->zNumber==0 );
  pEntry->zName = sqlxColumn(p, pStmt, ENTRY_NAME);
  if( pEntry->zName==0 ) pEntry->zName = "";
  pEntry->zTable = pEntry->zName;
  pEntry->zFile = sqlxColumn(p, pStmt, ENTRY_FILE);
  if( !isFileId(pEntry->zFile) ) pEntry->zFile = 0;
  pEntry->iGenerator = triggersGenerator(pStmt, ENTRY_GENERATOR);
  return p->rc==SQLITE_OK;
}

/* Add a trigger, `interlock_<number>_<what>`, to the entry. */
static void addGuard(
  GuardEntry *pEntry,
  const char *zTable,
  const char *zName,
  const char *zSql
){
  TriggersOne *pOne = &pEntry->has.a[pEntry->has.n];
  if( zTable==0 || zName==0 || zSql==0 || strlen(zName)<20
   || pEntry->has.n>=TRIGGERS_MAX ) return;
  pOne->zName = zName;
  pOne->zSql = zSql;
  pOne->zWhat = zName + 19;
  pEntry->zTable = zTable;
  pEntry->has.n++;
}

static void readGuards(Sqlx *p, const char *zSchema, GuardEntry *pEntry){
  sqlite3_stmt *pStmt = sqlxPrepare(p, "SELECT tbl_name, name, sql"
      " FROM \"%w\".sqlite_master WHERE type='trigger'"
      " AND substr(name,1,19)='interlock_%q_' ORDER BY name",
      zSchema, pEntry->zNumber);
  while( sqlxStep(p, pStmt) ){
    addGuard(pEntry, sqlxColumn(p, pStmt, 0), sqlxColumn(p, pStmt, 1),
             sqlxColumn(p, pStmt, 2));
  }
  sqlxFinalize(p, pStmt);
}

/* First by number: CROSS JOIN keeps SQLite from going through the registry for
** each trigger. Then by name, among the entries that have no triggers. */
void guardregFind(Sqlx *p, const TableInfo *pInfo, GuardEntry *pEntry){
  const char *zSchema = pInfo->zSchema, *zName = pInfo->zName;
  sqlite3_stmt *pStmt;
  memset(pEntry, 0, sizeof(*pEntry));
  if( !tableinfoOwn(p, zSchema, "interlock_guarded") ) return;
  pStmt = sqlxPrepare(p, "SELECT " ENTRY_COLUMNS
      " FROM \"%w\".sqlite_master AS m CROSS JOIN \"%w\".interlock_guarded AS g"
      " ON g.number=substr(m.name,11,8) WHERE m.type='trigger'"
      " AND m.tbl_name=%Q COLLATE NOCASE AND substr(m.name,1,10)='interlock_'"
      " ORDER BY g.number", zSchema, zSchema, zName);
  nextEntry(p, pStmt, pEntry);
  sqlxFinalize(p, pStmt);
  if( pEntry->zNumber==0 ){
    pStmt = sqlxPrepare(p, "SELECT " ENTRY_COLUMNS
        " FROM \"%w\".interlock_guarded AS g WHERE g.name=%Q"
        " AND NOT EXISTS(SELECT 1 FROM \"%w\".sqlite_master AS m"
        " WHERE m.type='trigger'"
        " AND substr(m.name,1,19)='interlock_'||g.number||'_')"
        " ORDER BY g.number", zSchema, zName, zSchema);
    nextEntry(p, pStmt, pEntry);
    sqlxFinalize(p, pStmt);
  }
  if( pEntry->zNumber ) readGuards(p, zSchema, pEntry);
}

const char *guardregFile(Sqlx *p, const char *zSchema){
  const char *zFile = 0;
  sqlite3_uint64 u;
  if( tableinfoOwn(p, zSchema, "interlock_guarded") ){
    sqlite3_stmt *pStmt = sqlxPrepare(p, "SELECT file"
        " FROM \"%w\".interlock_guarded ORDER BY number", zSchema);
    while( zFile==0 && sqlxStep(p, pStmt) ){
      zFile = sqlxColumn(p, pStmt, 0);
      if( !isFileId(zFile) ) zFile = 0;
    }
    sqlxFinalize(p, pStmt);
  }
  if( zFile ) return zFile;
  sqlite3_randomness((int)sizeof(u), &u);
  return sqlxPrintf(p, "%016llx", u);
}

const char *guardregStore(
  Sqlx *p,
  const char *zSchema,
  const GuardEntry *pEntry
){
  return sqlxPrintf(p, "INSERT OR REPLACE INTO \"%w\".interlock_guarded"
      " VALUES(%Q,%Q,%Q,%d)", zSchema, pEntry->zNumber, pEntry->zTable,
      pEntry->zFile, pEntry->iGenerator);
}

const char *guardregForget(Sqlx *p, const char *zSchema, const char *zNumber){
  return sqlxPrintf(p, "DELETE FROM \"%w\".interlock_guarded"
      " WHERE number=%Q", zSchema, zNumber);
}

/* ---- what is wrong ---------------------------------------------------- */

const char *guardregStatus(GuardStatus status){
  static const char *const az[] = {
    "ok", "triggers may be skipped", "file attached twice",
    "triggers outdated", "triggers changed",
    "triggers missing", "table missing", "newer"
  };
  return az[status];
}

static const TriggersOne *oneNamed(const TriggersSet *pSet, const char *zName){
  int i;
  for(i=0; i<pSet->n; i++){
    if( strcmp(pSet->a[i].zName, zName)==0 ) return &pSet->a[i];
  }
  return 0;
}

/* How one that should be there is there. */
static GuardStatus compareOne(const TriggersSet *pHas, const TriggersOne *pNew){
  const TriggersOne *pOld = oneNamed(pHas, pNew->zName);
  if( pOld==0 ) return GUARD_MISSING;
  if( strcmp(pOld->zSql, pNew->zSql)==0 ) return GUARD_OK;
  return guardsetDepends(pNew->zWhat) ? GUARD_OUTDATED : GUARD_CHANGED;
}

GuardStatus guardregCompare(const TriggersSet *pHas, const TriggersSet *pSet){
  GuardStatus status = GUARD_OK;
  int i;
  for(i=0; i<pHas->n; i++){
    if( oneNamed(pSet, pHas->a[i].zName)==0 ) status = GUARD_CHANGED;
  }
  for(i=0; i<pSet->n; i++){
    GuardStatus one = compareOne(pHas, &pSet->a[i]);
    if( one>status ) status = one;
  }
  return status;
}

/* The status of an entry with its triggers, but for GUARD_TWICE. What the set
** of an older generator should look like is not known here. */
static GuardStatus statusOfEntry(
  Sqlx *p,
  const TableInfoList *pList,
  GuardTable *pTab
){
  const GuardEntry *pEntry = &pTab->entry;
  GuardSetRule rule;
  GuardStatus status;
  TriggersSet set;
  TableInfo shape;
  if( pEntry->iGenerator>GUARD_GENERATOR ) return GUARD_NEWER;
  if( !tableinfoExists(pList, pTab->zSchema, pEntry->zTable, &shape) ){
    return GUARD_GONE;
  }
  tableinfoRead(p, &shape);
  pTab->bKey = shape.bDeclaredKey;
  rule.zNumber = pEntry->zNumber;
  rule.zFile = pEntry->zFile ? pEntry->zFile : "";
  guardsetMake(p, &shape, &rule, &set);
  if( p->rc==SQLITE_ERROR ){
    sqlxClear(p);
    return GUARD_CHANGED;
  }
  if( p->rc!=SQLITE_OK ) return GUARD_OK;
  status = guardregCompare(&pEntry->has, &set);
  if( status!=GUARD_OK && pEntry->has.n>0
   && pEntry->iGenerator<GUARD_GENERATOR ) return GUARD_OUTDATED;
  if( status==GUARD_OK ){
    skippingFind(p, &shape, pEntry->zNumber, &pTab->skip);
    if( pTab->skip.zName ) status = GUARD_SKIPPED;
  }
  return status;
}

/* Append the tables of one schema. Returns where the next goes. */
static GuardTable **listSchema(
  Sqlx *p,
  const char *zSchema,
  GuardTable **ppNext
){
  sqlite3_stmt *pStmt;
  TableInfoList list;
  GuardEntry entry;
  if( !sqlxExists(p, "SELECT 1 FROM \"%w\".sqlite_master"
      " WHERE type='table' AND name='interlock_guarded'", zSchema)
   || !tableinfoOwn(p, zSchema, "interlock_guarded") ){
    return ppNext;
  }
  tableinfoList(p, zSchema, &list);
  pStmt = sqlxPrepare(p, "SELECT " ENTRY_COLUMNS
      " FROM \"%w\".interlock_guarded AS g ORDER BY g.name, g.number", zSchema);
  while( nextEntry(p, pStmt, &entry) ){
    int n, i;
    const TableInfoItem *pItem = tableinfoNumbered(&list, entry.zNumber, &n);
    GuardTable *pTab = sqlxAlloc(p, sizeof(*pTab));
    if( pTab==0 ) break;
    for(i=0; i<n; i++){
      addGuard(&entry, pItem[i].zTable, pItem[i].zName, pItem[i].zSql);
    }
    pTab->zSchema = zSchema;
    pTab->entry = entry;
    pTab->status = statusOfEntry(p, &list, pTab);
    *ppNext = pTab;
    ppNext = &pTab->pNext;
  }
  sqlxFinalize(p, pStmt);
  return ppNext;
}

/* An id stands for one file. Where two attached ones have it, copies of one
** another, a guard cannot tell in which of them it is. */
static void findTwins(GuardTable *pList){
  GuardTable *a, *b;
  for(a=pList; a; a=a->pNext){
    for(b=pList; b && a->entry.zFile; b=b->pNext){
      if( b->entry.zFile==0 || a->zSchema==b->zSchema
       || strcmp(a->entry.zFile, b->entry.zFile)!=0 ) continue;
      if( a->status<GUARD_TWICE ) a->status = GUARD_TWICE;
      a->zTwin = b->zSchema;
      break;
    }
  }
}

const GuardTable *guardregList(Sqlx *p){
  GuardTable *pList = 0, **ppNext = &pList;
  const char **azSchema = sqlxSchemas(p);
  int i;
  for(i=0; azSchema && azSchema[i]; i++){
    if( sqlite3_stricmp(azSchema[i], "temp")==0 ) continue;
    ppNext = listSchema(p, azSchema[i], ppNext);
  }
  findTwins(pList);
  return p->rc==SQLITE_OK ? pList : 0;
}

const char *guardregNote(Sqlx *p, const GuardTable *pTab){
  const GuardEntry *pEntry = &pTab->entry;
  switch( pTab->status ){
    case GUARD_NEWER:
      return "";
    case GUARD_GONE:
      return "renamed and then rebuilt? guarded() with its new name;"
             " unguarded() with this one gives it up";
    case GUARD_SKIPPED:
      return skippingNote(p, &pTab->skip, "guarded_repair");
    case GUARD_TWICE:
      return sqlxPrintf(p, "a copy of %s, or its original: writes are refused"
          " until one of them is detached, or the copy has an id of its own:"
          " unguarded() for all its tables, then guarded()", pTab->zTwin);
    default:
      break;
  }
  if( pTab->status!=GUARD_OK
   && sqlite3_stricmp(pEntry->zTable, pEntry->zName)!=0 ){
    return sqlxPrintf(p, "guarded as %s: writes are refused until"
        " guarded_repair()", pEntry->zName);
  }
  return pTab->bKey ? "" : "no PRIMARY KEY: only locks on the whole table";
}
