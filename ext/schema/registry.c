/* SPDX-License-Identifier: 0BSD */
/*
** The registry of a kind of declared tables. See registry.h.
*/
#include <limits.h>
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

/* Returns the columns of the registry, each after a prefix and before a
** suffix. */
static const char *columnsOf(
  Sqlx *p,
  const DeclaredKind *pKind,
  const char *zBefore,
  const char *zAfter,
  const char *zSep
){
  sqlite3_str *pStr = sqlite3_str_new(p->db);
  int i;
  for(i=0; i<pKind->nColumn; i++){
    sqlite3_str_appendf(pStr, "%s%s\"%w\"%s", i ? zSep : "", zBefore,
                        pKind->azColumn[i], zAfter);
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

/* Adds an installed trigger to the entry. */
static void addTrigger(
  Sqlx *p,
  DeclaredTable *pTab,
  const char *zTable,
  const char *zName,
  const char *zSql
){
  const TriggerSetOne *pOne;
  if( zTable==0 ) return;
  pOne = triggersetRead(&pTab->has, zName, zSql);
  if( pOne==0 ) return;
  pTab->zTable = zTable;
  if( pTab->pKind->xReadTrigger ) pTab->pKind->xReadTrigger(p, pTab, pOne);
}

/* Adds the triggers of a list that have the entry's number. */
static void addListed(
  Sqlx *p,
  DeclaredTable *pTab,
  const TableInfoList *pList
){
  int n;
  const TableInfoItem *pItem = tableinfoNumbered(pList, pTab->zEntry, &n);
  for(; n>0; n--, pItem++){
    addTrigger(p, pTab, pItem->zTable, pItem->zName, pItem->zSql);
  }
}

/* The list of the schema is read once: a join with the triggers of thousands of
** tables would be quadratic, or spill to disk. */
DeclaredTable *registryList(
  Sqlx *p,
  const DeclaredKind *pKind,
  const char *zSchema,
  TableInfoList **ppList
){
  DeclaredTable *pFirst = 0, **ppNext = &pFirst, *pTab;
  sqlite3_stmt *pStmt;
  if( !sqlxExists(p, "SELECT 1 FROM \"%w\".sqlite_master"
      " WHERE type='table' AND name=%Q", zSchema, pKind->zRegistry)
   || !hasRegistry(p, pKind, zSchema)
   || (*ppList = sqlxAlloc(p, sizeof(**ppList)))==0 ) return 0;
  tableinfoList(p, zSchema, *ppList);
  pStmt = sqlxPrepare(p, "SELECT %s FROM \"%w\".%s AS v"
      " ORDER BY v.name, v.number", columnsOf(p, pKind, "v.", "", ","),
      zSchema, pKind->zRegistry);
  while( (pTab = sqlxAlloc(p, pKind->nTable))!=0 ){
    pTab->pKind = pKind;
    pTab->zSchema = zSchema;
    if( !readEntry(p, pStmt, pTab) ) break;
    addListed(p, pTab, *ppList);
    *ppNext = pTab;
    ppNext = &pTab->pNext;
  }
  sqlxFinalize(p, pStmt);
  return pFirst;
}

/* Reads the first entry of a query, if there is one. */
static void readFirst(Sqlx *p, sqlite3_stmt *pStmt, DeclaredTable *pTab){
  readEntry(p, pStmt, pTab);
  sqlxFinalize(p, pStmt);
}

/* Reads the installed triggers of the entry. */
static void readTriggers(Sqlx *p, DeclaredTable *pTab){
  sqlite3_stmt *pStmt = sqlxPrepare(p, "SELECT tbl_name, name, sql"
      " FROM \"%w\".sqlite_master WHERE type='trigger'"
      " AND tbl_name=%Q COLLATE NOCASE"
      " AND substr(name,1,19)='interlock_%q_' ORDER BY %s", pTab->zSchema,
      pTab->info.zName, pTab->zEntry, pTab->pKind->zTriggerOrder);
  while( sqlxStep(p, pStmt) ){
    addTrigger(p, pTab, sqlxColumn(p, pStmt, 0), sqlxColumn(p, pStmt, 1),
               sqlxColumn(p, pStmt, 2));
  }
  sqlxFinalize(p, pStmt);
}

/* The condition that a trigger m has the number of an entry v. */
#define REGISTRY_NUMBERED \
  " AND substr(m.name,1,10)='interlock_'" \
  " AND v.number=substr(m.name,11,8)"

/*
** Looks first by the table's triggers; CROSS JOIN keeps SQLite from reading the
** registry for each trigger. Then it looks by the table's name, among the
** entries that have no triggers: an entry whose triggers are on another table
** belongs to that table, whatever name it was declared under.
**
** The schema in memory says whether there is a registry. It is up to date once
** tableinfoFind() has read from the file. A SELECT over sqlite_master would
** read all of it, and a program that declares a thousand tables would do so a
** thousand times.
*/
void registryFind(Sqlx *p, DeclaredTable *pTab){
  const DeclaredKind *pKind = pTab->pKind;
  const char *zSchema = pTab->zSchema, *zName = pTab->info.zName;
  const char *zColumns;
  if( !hasRegistry(p, pKind, zSchema) ) return;
  zColumns = columnsOf(p, pKind, "v.", "", ",");
  readFirst(p, sqlxPrepare(p, "SELECT %s FROM \"%w\".sqlite_master AS m"
      " CROSS JOIN \"%w\".%s AS v WHERE m.type='trigger'"
      " AND m.tbl_name=%Q COLLATE NOCASE" REGISTRY_NUMBERED
      " ORDER BY %s", zColumns,
      zSchema, zSchema, pKind->zRegistry, zName, pKind->zOrder), pTab);
  if( pTab->zEntry ){
    readTriggers(p, pTab);
  }else{
    readFirst(p, sqlxPrepare(p, "SELECT %s FROM \"%w\".%s AS v"
        " WHERE v.name=%Q COLLATE NOCASE AND NOT EXISTS(SELECT 1"
        " FROM \"%w\".sqlite_master AS m WHERE m.type='trigger'"
        REGISTRY_NUMBERED ") ORDER BY %s", zColumns, zSchema,
        pKind->zRegistry, zName, zSchema, pKind->zOrder), pTab);
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

static const char *storeValues(
  Sqlx *p,
  const DeclaredTable *pTab,
  const char *zValues
){
  return sqlxPrintf(p, "INSERT OR REPLACE INTO \"%w\".%s VALUES(%s)",
                    pTab->zSchema, pTab->pKind->zRegistry, zValues);
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
  const char *z = 0;
  sqlite3_stmt *pStmt = sqlxPrepare(p, "SELECT %s FROM \"%w\".%s"
      " WHERE number=%Q", columnsOf(p, pTab->pKind, "quote(", ")", "||','||"),
      pTab->zSchema, pTab->pKind->zRegistry, pTab->zEntry);
  if( sqlxStep(p, pStmt) ) z = sqlxColumn(p, pStmt, 0);
  sqlxFinalize(p, pStmt);
  return storeValues(p, pTab, z ? z : "");
}

void registryStore(
  Sqlx *p,
  const DeclaredTable *pTab,
  int bDeclared,
  DdlScope eScope,
  Ddl *pDdl
){
  const char *zValues = pTab->pKind->xValues(p, pTab, bDeclared);
  const char *zUndo = 0;
  int bThere = tableinfoOwnWritten(p, pTab->zSchema, pTab->pKind->zRegistry);
  if( !bThere || pDdl->bText ){
    ddlStep(p, pDdl, createRegistry(p, pTab), DDL_UNDO_ALL);
  }else if( eScope==DDL_STATEMENT ){
    zUndo = pTab->zEntry ? storeAgain(p, pTab)
                         : deleteNumber(p, pTab, pTab->zNumber);
  }
  ddlStep(p, pDdl, storeValues(p, pTab, zValues), zUndo);
  if( pTab->zEntry && strcmp(pTab->zEntry, pTab->zNumber)!=0 ){
    ddlStep(p, pDdl, registryDelete(p, pTab), 0);
  }
}
