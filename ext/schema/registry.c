/* SPDX-License-Identifier: 0BSD */
/*
** The registry of a kind of declared tables. See registry.h.
*/
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include "schema/registry.h"
#include "sqlite/template.h"
SQLITE_EXTENSION_INIT3

/* ---- values of a row -------------------------------------------------- */

/* Numbers become parts of names, and a file from elsewhere can contain any
** value. By a BLOB, or a text that goes on after a NUL, the row would not be
** found again. */
const char *registryReadNumber(Sqlx *p, sqlite3_stmt *pStmt, int iCol){
  const char *z;
  if( sqlite3_column_type(pStmt, iCol)!=SQLITE_TEXT ) return 0;
  z = sqlxColumn(p, pStmt, iCol);
  if( z==0 || sqlite3_column_bytes(pStmt, iCol)!=8 ) return 0;
  return strspn(z, "0123456789abcdef")==8 ? z : 0;
}

/* A generator that no int can hold is taken for a newer one. */
int registryReadGenerator(sqlite3_stmt *pStmt, int iCol){
  sqlite3_int64 i = sqlite3_column_int64(pStmt, iCol);
  return i>INT_MAX ? INT_MAX : i<0 ? 0 : (int)i;
}

const char *registryReadText(Sqlx *p, sqlite3_stmt *pStmt, int iCol){
  const char *z = sqlxColumn(p, pStmt, iCol);
  return z ? z : "";
}

/* Returns how many of its columns the registry of a schema has. */
static int columnCount(Sqlx *p, const DeclaredKind *pKind, const char *zSchema){
  int n = pKind->nColumn;
  while( n>pKind->nColumn-pKind->nLater
      && !sqlxTableColumn(p, zSchema, pKind->zRegistry,
                          pKind->azColumn[n-1]) ) n--;
  return n;
}

/* Returns the columns of the registry, as v. One that is not there is ''. */
static const char *columnsOf(
  Sqlx *p,
  const DeclaredKind *pKind,
  const char *zSchema
){
  sqlite3_str *pStr = sqlite3_str_new(p->db);
  int nHas = columnCount(p, pKind, zSchema);
  int i;
  for(i=0; i<pKind->nColumn && p->rc==SQLITE_OK; i++){
    if( i ) sqlite3_str_appendall(pStr, ",");
    sqlite3_str_appendf(pStr, i<nHas ? "v.\"%w\"" : "''",
                        pKind->azColumn[i]);
  }
  return sqlxText(p, pStr);
}

static int hasRegistry(Sqlx *p, const DeclaredKind *pKind, const char *zSchema){
  return tableinfoOwn(p, zSchema, pKind->zRegistry);
}

/* ---- reading ---------------------------------------------------------- */

/* Steps to the next entry. Returns 0 at the end. */
static int readEntry(Sqlx *p, sqlite3_stmt *pStmt, DeclaredTable *pTab){
  do{
    if( !sqlxStep(p, pStmt) ) return 0;
    pTab->zEntry = registryReadNumber(p, pStmt, 0);
  }while( pTab->zEntry==0 );
  pTab->zNumber = pTab->zEntry;
  pTab->zName = registryReadText(p, pStmt, 1);
  pTab->zTable = pTab->zName;
  pTab->bDeclared = 1;
  pTab->pKind->xRead(p, pStmt, pTab);
  return p->rc==SQLITE_OK;
}

/* Takes what the installed triggers tell, once all of them are in the set. A
** set whose entry is missing, or says that it was undeclared, is lost. */
static void takeTriggers(Sqlx *p, DeclaredTable *pTab, const char *zTable){
  const DeclaredKind *pKind = pTab->pKind;
  int i;
  if( pTab->has.n==0 ) return;
  pTab->zTable = zTable;
  if( pTab->zName==0 ) pTab->zName = zTable;
  if( !pTab->bDeclared ) pTab->bDeclared = pTab->bLost = 1;
  for(i=0; i<pTab->has.n && pKind->xReadTrigger; i++){
    pKind->xReadTrigger(p, pTab, &pTab->has.a[i]);
  }
}

/* Makes a lost set of triggers out of those that have a number: pTab has them,
** and otherwise nothing. Returns 0 if they are of another kind. */
static int takeLost(
  Sqlx *p,
  DeclaredTable *pTab,
  const char *zNumber,
  const char *zTable
){
  const DeclaredKind *pKind = pTab->pKind;
  if( !triggersetMarked(&pTab->has, pKind->zMark) ) return 0;
  pTab->zEntry = pTab->zNumber = zNumber;
  takeTriggers(p, pTab, zTable);
  pTab->bUnknown = pKind->xReadLost && !pKind->xReadLost(p, pTab);
  return 1;
}

/* Adds the triggers of a list that have a number. Returns their table. */
static const char *addListed(
  DeclaredTable *pTab,
  const TableInfoList *pList,
  const char *zNumber
){
  const char *zTable = 0;
  int n;
  const TableInfoItem *pItem = tableinfoNumbered(pList, zNumber, &n);
  for(; n>0; n--, pItem++){
    if( triggersetRead(&pTab->has, pItem->zName, pItem->zSql) ){
      zTable = pItem->zTable;
    }
  }
  return zTable;
}

/* ---- several sets of one table ---------------------------------------- */

/* In which order the sets and entries of one table come: the first is the
** table's own. */
static int rankOf(const DeclaredTable *pTab){
  if( pTab->bLost ) return 2;
  if( !pTab->bDeclared ) return 3;
  return pTab->has.n==0;
}

static int compareRank(const DeclaredTable *a, const DeclaredTable *b){
  int c = rankOf(a) - rankOf(b);
  return c ? c : strcmp(a->zEntry, b->zEntry);
}

static int compareTables(const void *pA, const void *pB){
  const DeclaredTable *a = *(DeclaredTable *const*)pA;
  const DeclaredTable *b = *(DeclaredTable *const*)pB;
  int c = sqlite3_stricmp(a->zTable, b->zTable);
  return c ? c : compareRank(a, b);
}

static int compareNumbers(const void *pA, const void *pB){
  return strcmp((*(DeclaredTable *const*)pA)->zEntry,
                (*(DeclaredTable *const*)pB)->zEntry);
}

/* Entries and sets, as an array. */
typedef struct Found {
  int n;
  DeclaredTable **ap;
} Found;

static void addFound(Sqlx *p, Found *pFound, DeclaredTable *pTab){
  pFound->ap = sqlxGrow(p, pFound->ap, pFound->n, sizeof(DeclaredTable*));
  if( pFound->ap==0 ){
    pFound->n = 0;
    return;
  }
  pFound->ap[pFound->n++] = pTab;
}

static void sortFound(
  Found *pFound,
  int (*xCompare)(const void*, const void*)
){
  if( pFound->n>1 ){
    qsort(pFound->ap, (size_t)pFound->n, sizeof(DeclaredTable*), xCompare);
  }
}

/* Whether an entry has the number; the array is in order of numbers. */
static int isFound(const Found *pFound, const char *zNumber){
  int iLow = 0, iHigh = pFound->n;
  while( iLow<iHigh ){
    int iMid = (iLow + iHigh)/2;
    int c = strcmp(pFound->ap[iMid]->zEntry, zNumber);
    if( c==0 ) return 1;
    if( c<0 ) iLow = iMid + 1; else iHigh = iMid;
  }
  return 0;
}

static DeclaredTable *newFound(
  Sqlx *p,
  const DeclaredKind *pKind,
  const char *zSchema
){
  DeclaredTable *pTab = sqlxAlloc(p, pKind->nTable);
  if( pTab==0 ) return 0;
  pTab->pKind = pKind;
  pTab->zSchema = zSchema;
  return pTab;
}

/* ---- all tables of a schema ------------------------------------------- */

/* Finds all entries, in order of numbers. */
static void findEntries(
  Sqlx *p,
  const DeclaredKind *pKind,
  const char *zSchema,
  const TableInfoList *pList,
  Found *pFound
){
  DeclaredTable *pTab;
  sqlite3_stmt *pStmt;
  if( !hasRegistry(p, pKind, zSchema) ) return;
  pStmt = sqlxPrepare(p, "SELECT %s FROM \"%w\".%s AS v",
      columnsOf(p, pKind, zSchema), zSchema, pKind->zRegistry);
  while( (pTab = newFound(p, pKind, zSchema))!=0 ){
    if( !readEntry(p, pStmt, pTab) ) break;
    takeTriggers(p, pTab, addListed(pTab, pList, pTab->zEntry));
    addFound(p, pFound, pTab);
  }
  sqlxFinalize(p, pStmt);
  sortFound(pFound, compareNumbers);
}

/* Adds the sets of triggers that have no entry. */
static void findLost(
  Sqlx *p,
  const DeclaredKind *pKind,
  const char *zSchema,
  const TableInfoList *pList,
  Found *pFound
){
  const Found entries = *pFound;
  const char *zLast = "";
  int i;
  pFound->ap = 0;
  pFound->n = 0;
  for(i=0; i<entries.n; i++) addFound(p, pFound, entries.ap[i]);
  for(i=pList->nUser; i<pList->nTrigger && p->rc==SQLITE_OK; i++){
    const char *zNumber = triggersetNumber(p, pList->a[i].zName);
    DeclaredTable *pTab;
    const char *zTable;
    if( zNumber==0 || strcmp(zNumber, zLast)==0 ) continue;
    zLast = zNumber;
    if( isFound(&entries, zNumber) ) continue;
    pTab = newFound(p, pKind, zSchema);
    if( pTab==0 ) break;
    zTable = addListed(pTab, pList, zNumber);
    if( zTable && takeLost(p, pTab, zNumber, zTable) ){
      addFound(p, pFound, pTab);
    }
  }
}

/* Makes the list of the array: several of one table become one. */
static DeclaredTable *linkFound(
  Found *pFound,
  const char *zSchema,
  const TableInfoList *pList
){
  DeclaredTable *pFirst = 0, **ppNext = &pFirst, **ppOther = 0, *pLast = 0;
  TableInfo info;
  int i;
  sortFound(pFound, compareTables);
  for(i=0; i<pFound->n; i++){
    DeclaredTable *pTab = pFound->ap[i];
    if( pLast && sqlite3_stricmp(pLast->zTable, pTab->zTable)==0
     && tableinfoExists(pList, zSchema, pTab->zTable, &info) ){
      *ppOther = pTab;
      ppOther = &pTab->pOther;
      continue;
    }
    *ppNext = pLast = pTab;
    ppNext = &pTab->pNext;
    ppOther = &pTab->pOther;
  }
  return pFirst;
}

DeclaredTable *registryListed(
  Sqlx *p,
  const DeclaredKind *pKind,
  const char *zSchema,
  const TableInfoList *pList
){
  Found found = { 0, 0 };
  findEntries(p, pKind, zSchema, pList, &found);
  if( p->rc==SQLITE_OK ) findLost(p, pKind, zSchema, pList, &found);
  return p->rc==SQLITE_OK ? linkFound(&found, zSchema, pList) : 0;
}

/* The list of the schema is read once: a join with the triggers of thousands of
** tables would be quadratic, or spill to disk. */
DeclaredTable *registryList(
  Sqlx *p,
  const DeclaredKind *pKind,
  const char *zSchema,
  TableInfoList **ppList
){
  if( !sqlxExists(p, "SELECT 1 FROM \"%w\".sqlite_master WHERE (type='table'"
      " AND name=%Q) OR (type='trigger' AND substr(name,1,10)='interlock_')",
      zSchema, pKind->zRegistry)
   || (*ppList = sqlxAlloc(p, sizeof(**ppList)))==0 ) return 0;
  tableinfoList(p, zSchema, *ppList);
  return registryListed(p, pKind, zSchema, *ppList);
}

/* ---- one table -------------------------------------------------------- */

/* Adds each set of Interlock's triggers that the table has. */
static void findSets(
  Sqlx *p,
  const DeclaredKind *pKind,
  const TableInfo *pInfo,
  Found *pFound
){
  sqlite3_stmt *pStmt = sqlxPrepare(p, "SELECT name, sql"
      " FROM \"%w\".sqlite_master WHERE type='trigger'"
      " AND tbl_name=%Q COLLATE NOCASE AND substr(name,1,10)='interlock_'"
      " ORDER BY %s", pInfo->zSchema, pInfo->zName, pKind->zTriggerOrder);
  while( sqlxStep(p, pStmt) ){
    const char *zName = sqlxColumn(p, pStmt, 0);
    const char *zSql = sqlxColumn(p, pStmt, 1);
    const char *zNumber = triggersetNumber(p, zName);
    int i;
    if( zNumber==0 ) continue;
    for(i=0; i<pFound->n && strcmp(pFound->ap[i]->zEntry, zNumber)!=0; i++){}
    if( i==pFound->n ){
      DeclaredTable *pTab = newFound(p, pKind, pInfo->zSchema);
      if( pTab ) pTab->zEntry = zNumber;
      if( pTab ) addFound(p, pFound, pTab);
    }
    if( i<pFound->n ) triggersetRead(&pFound->ap[i]->has, zName, zSql);
  }
  sqlxFinalize(p, pStmt);
}

/* Reads the entries of the sets. A set of another kind is left out. */
static void readSets(
  Sqlx *p,
  const TableInfo *pInfo,
  int bRegistry,
  Found *pFound
){
  Found sets = *pFound;
  int i;
  pFound->n = 0;
  for(i=0; i<sets.n && p->rc==SQLITE_OK; i++){
    DeclaredTable *pTab = sets.ap[i];
    const DeclaredKind *pKind = pTab->pKind;
    const char *zNumber = pTab->zEntry;
    int bEntry = 0;
    if( bRegistry ){
      sqlite3_stmt *pStmt = sqlxPrepare(p, "SELECT %s FROM \"%w\".%s AS v"
          " WHERE v.number=%Q", columnsOf(p, pKind, pInfo->zSchema),
          pInfo->zSchema, pKind->zRegistry, zNumber);
      bEntry = readEntry(p, pStmt, pTab);
      sqlxFinalize(p, pStmt);
    }
    if( bEntry ){
      takeTriggers(p, pTab, pInfo->zName);
    }else if( !takeLost(p, pTab, zNumber, pInfo->zName) ){
      continue;
    }
    sets.ap[pFound->n++] = pTab;
  }
}

/* Adds the entries that have the name of the table and no triggers. An entry
** whose triggers are on another table belongs to that table, whatever name it
** was declared under. */
static void findNamed(
  Sqlx *p,
  const DeclaredKind *pKind,
  const TableInfo *pInfo,
  Found *pFound
){
  DeclaredTable *pTab;
  sqlite3_stmt *pStmt;
  pStmt = sqlxPrepare(p, "SELECT %s FROM \"%w\".%s AS v WHERE v.name=%Q"
      " COLLATE NOCASE AND NOT EXISTS(SELECT 1 FROM \"%w\".sqlite_master AS m"
      " WHERE m.type='trigger' AND substr(m.name,1,10)='interlock_'"
      " AND v.number=substr(m.name,11,8))",
      columnsOf(p, pKind, pInfo->zSchema), pInfo->zSchema,
      pKind->zRegistry, pInfo->zName, pInfo->zSchema);
  while( (pTab = newFound(p, pKind, pInfo->zSchema))!=0
      && readEntry(p, pStmt, pTab) ) addFound(p, pFound, pTab);
  sqlxFinalize(p, pStmt);
}

/*
** The schema in memory says whether there is a registry. It is up to date once
** tableinfoFind() has read from the file. A SELECT over sqlite_master would
** read all of it, and a program that declares a thousand tables would do so a
** thousand times.
*/
void registryFind(Sqlx *p, DeclaredTable *pTab){
  const TableInfo info = pTab->info;
  DeclaredTable **ppOther = &pTab->pOther;
  int bRegistry = hasRegistry(p, pTab->pKind, info.zSchema);
  Found found = { 0, 0 };
  int i;
  findSets(p, pTab->pKind, &info, &found);
  readSets(p, &info, bRegistry, &found);
  if( bRegistry ) findNamed(p, pTab->pKind, &info, &found);
  if( p->rc!=SQLITE_OK || found.n==0 ) return;
  sortFound(&found, compareTables);
  memcpy(pTab, found.ap[0], pTab->pKind->nTable);
  pTab->info = info;
  for(i=1; i<found.n; i++){
    *ppOther = found.ap[i];
    ppOther = &found.ap[i]->pOther;
  }
}

/* Whether a table of the kind has the number. A table beside one of the user's
** may be there although no registry has its number any more. */
static int isTaken(
  Sqlx *p,
  const DeclaredKind *pKind,
  const char *zSchema,
  const char *zNumber
){
  const char *zSide = pKind->zSide;
  if( zSide && sqlxTable(p, zSchema, sqlxPrintf(p, "interlock_%s_%s", zNumber,
                                                zSide)) ) return 1;
  return hasRegistry(p, pKind, zSchema)
      && sqlxExists(p, "SELECT 1 FROM \"%w\".%s WHERE number=%Q", zSchema,
                    pKind->zRegistry, zNumber);
}

const char *registryNumber(Sqlx *p, const char *zSchema){
  const char *z;
  int i, bTaken;
  do{
    unsigned int u;
    sqlite3_randomness((int)sizeof(u), &u);
    z = sqlxPrintf(p, "%08x", u);
    bTaken = 0;
    for(i=0; declaredKind(i) && !bTaken; i++){
      bTaken = isTaken(p, declaredKind(i), zSchema, z);
    }
  }while( bTaken );
  return z;
}

/* ---- writing ---------------------------------------------------------- */

/* Returns the statement that makes the registry of the schema. */
static const char *createRegistry(Sqlx *p, const DeclaredTable *pTab){
  static const char *const azName[] = { "schema" };
  const char *azText[1];
  Template t = { p, 1, azName, azText, 0, 0, 0, 0, 0, 0 };
  azText[0] = sqlxPrintf(p, "\"%w\"", pTab->zSchema);
  return templateFill(&t, pTab->pKind->zRegistrySql);
}

/* Returns the statement that stores the first nColumn columns of an entry. The
** others are ''. */
static const char *storeValues(
  Sqlx *p,
  const DeclaredTable *pTab,
  int nColumn,
  const char *zValues
){
  const DeclaredKind *pKind = pTab->pKind;
  sqlite3_str *pStr = sqlite3_str_new(p->db);
  int i;
  for(i=0; i<nColumn; i++){
    sqlite3_str_appendf(pStr, "%s\"%w\"", i ? "," : "", pKind->azColumn[i]);
  }
  return sqlxPrintf(p, "INSERT OR REPLACE INTO \"%w\".%s(%s) VALUES(%s)",
                    pTab->zSchema, pKind->zRegistry, sqlxText(p, pStr),
                    zValues);
}

static const char *deleteNumber(
  Sqlx *p,
  const DeclaredTable *pTab,
  const char *zNumber
){
  return sqlxPrintf(p, "DELETE FROM \"%w\".%s WHERE number=%Q", pTab->zSchema,
                    pTab->pKind->zRegistry, zNumber);
}

const char *registryDelete(Sqlx *p, const DeclaredTable *pTab){
  return deleteNumber(p, pTab, pTab->zEntry);
}

void registryUndeclare(Sqlx *p, const DeclaredTable *pTab){
  const DeclaredKind *pKind = pTab->pKind;
  tableinfoOwnWritten(p, pTab->zSchema, pKind->zRegistry);
  if( pKind->bDeletesEntry ){
    sqlxChange(p, registryDelete(p, pTab));
  }else{
    sqlxRun(p, "UPDATE \"%w\".%s SET declared=0 WHERE number=%Q",
            pTab->zSchema, pKind->zRegistry, pTab->zEntry);
  }
}

/* Returns the statement that stores the entry as it is in the file, with its
** old names. */
static const char *storeAgain(Sqlx *p, const DeclaredTable *pTab){
  const DeclaredKind *pKind = pTab->pKind;
  int n = columnCount(p, pKind, pTab->zSchema), i;
  sqlite3_str *pStr;
  sqlite3_stmt *pStmt;
  const char *z = 0;
  if( pTab->bLost ) return registryDelete(p, pTab);
  pStr = sqlite3_str_new(p->db);
  for(i=0; i<n; i++){
    sqlite3_str_appendf(pStr, "%squote(\"%w\")", i ? "||','||" : "",
                        pKind->azColumn[i]);
  }
  pStmt = sqlxPrepare(p, "SELECT %s FROM \"%w\".%s WHERE number=%Q",
      sqlxText(p, pStr), pTab->zSchema, pKind->zRegistry, pTab->zEntry);
  if( sqlxStep(p, pStmt) ) z = sqlxColumn(p, pStmt, 0);
  sqlxFinalize(p, pStmt);
  return storeValues(p, pTab, n, z ? z : "");
}

/* Appends the steps that add the columns which an older Interlock did not
** make. */
static void addColumns(Sqlx *p, const DeclaredTable *pTab, Ddl *pDdl){
  const DeclaredKind *pKind = pTab->pKind;
  const char *zSchema = pTab->zSchema;
  int i;
  for(i=columnCount(p, pKind, zSchema); i<pKind->nColumn; i++){
    const char *zColumn = pKind->azColumn[i];
    ddlStep(p, pDdl,
        sqlxPrintf(p, "ALTER TABLE \"%w\".%s ADD COLUMN \"%w\" TEXT NOT NULL"
            " DEFAULT ''", zSchema, pKind->zRegistry, zColumn),
        sqlite3_libversion_number()<3035000 ? DDL_UNDO_ALL
        : sqlxPrintf(p, "ALTER TABLE \"%w\".%s DROP COLUMN \"%w\"", zSchema,
                     pKind->zRegistry, zColumn));
  }
}

void registryStore(
  Sqlx *p,
  const DeclaredTable *pTab,
  int bDeclared,
  DdlScope eScope,
  Ddl *pDdl
){
  const DeclaredKind *pKind = pTab->pKind;
  const char *zValues = pKind->xValues(p, pTab, bDeclared);
  const char *zLater = pKind->xLater ? pKind->xLater(p, pTab, bDeclared) : "";
  int nColumn = pKind->nColumn - (zLater[0] ? 0 : pKind->nLater);
  const char *zUndo = 0;
  int bThere = tableinfoOwnWritten(p, pTab->zSchema, pKind->zRegistry);
  if( zLater[0] ) zValues = sqlxPrintf(p, "%s,%s", zValues, zLater);
  if( !bThere || pDdl->bText ){
    ddlStep(p, pDdl, createRegistry(p, pTab), DDL_UNDO_ALL);
  }
  if( bThere && zLater[0] ) addColumns(p, pTab, pDdl);
  if( bThere && !pDdl->bText && eScope==DDL_STATEMENT ){
    zUndo = pTab->zEntry ? storeAgain(p, pTab)
                         : deleteNumber(p, pTab, pTab->zNumber);
  }
  ddlStep(p, pDdl, storeValues(p, pTab, nColumn, zValues), zUndo);
  if( pTab->zEntry && strcmp(pTab->zEntry, pTab->zNumber)!=0 ){
    ddlStep(p, pDdl, registryDelete(p, pTab), 0);
  }
}
