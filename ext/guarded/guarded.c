/* SPDX-License-Identifier: 0BSD */
/*
** Guarded tables as a kind of declared tables. See guarded.h. The triggers
** themselves, and why each exists, are in sql/guarded/.
*/
#include <string.h>
#include "guarded/guarded.h"
#include "guarded/guardedtriggers.h"
#include "schema/registry.h"
#include "session/lockkey.h"
#include "sql_text.h"
SQLITE_EXTENSION_INIT3

typedef struct GuardedTable GuardedTable;
struct GuardedTable {
  DeclaredTable base;    /* must be the first */
  const char *zStored;   /* the id of the file in the registry; NULL if the
                         ** value there is no id */
  const char *zFile;     /* the id that the triggers pass */
  const char *zTwin;     /* for DECLARED_TWICE the other schema */
};

/* ---- what may not be guarded ------------------------------------------ */

/* Refuses a key that compares by a collation of the application's: keys are
** folded as their collation compares, and Interlock knows that of SQLite's own
** only. */
static void checkCollations(Sqlx *p, const TableInfo *pInfo){
  static const char *const az[] = { "BINARY", "NOCASE", "RTRIM" };
  int i, j;
  for(i=0; i<pInfo->key.nTerm; i++){
    const TableInfoTerm *pTerm = &pInfo->key.aTerm[i];
    const char *zColl = pTerm->zColl ? pTerm->zColl : az[0];
    for(j=0; j<3 && sqlite3_stricmp(zColl, az[j])!=0; j++){}
    if( j<3 ) continue;
    sqlxBad(p, "key column %s.%s compares by collation %s; allowed are BINARY,"
               " NOCASE and RTRIM", pInfo->zName,
            pInfo->aCol[pTerm->iCol].zName, zColl);
  }
}

static void guardedCheck(Sqlx *p, const DeclaredTable *pTab){
  const TableInfo *pInfo = &pTab->info;
  LockKey key;
  checkCollations(p, pInfo);
  lockkeyTable(p, pInfo->zName, &key);  /* an error if it is too long */
}

/* ---- the registry ------------------------------------------------------ */

#define FILE_DIGITS 16

static const char *const azGuardedColumn[] = {
  "number", "name", "file", "generator"
};

enum { GUARDED_COL_FILE = 2, GUARDED_COL_GENERATOR, GUARDED_COL_COUNT };

/* Whether a text can be the id of a file: a registry from elsewhere can contain
** any value. */
static int isFileId(const char *z){
  return z && strspn(z, "0123456789abcdef")==FILE_DIGITS && z[FILE_DIGITS]==0;
}

static void guardedRead(Sqlx *p, sqlite3_stmt *pStmt, DeclaredTable *pBase){
  const char *z = sqlxColumn(p, pStmt, GUARDED_COL_FILE);
  ((GuardedTable*)pBase)->zStored = isFileId(z) ? z : 0;
  pBase->iGenerator = registryReadGenerator(pStmt, GUARDED_COL_GENERATOR);
}

static const char *guardedValues(
  Sqlx *p,
  const DeclaredTable *pBase,
  int bDeclared
){
  (void)bDeclared;       /* an entry that is undeclared is deleted */
  return sqlxPrintf(p, "%Q,%Q,%Q,%d", pBase->zNumber, pBase->info.zName,
                    ((const GuardedTable*)pBase)->zFile, GUARDED_GENERATOR);
}

static int guardedIsStored(Sqlx *p, const DeclaredTable *pBase){
  (void)p;
  return ((const GuardedTable*)pBase)->zStored!=0;
}

/* Returns the id of the file, a new one if it has none. */
static const char *fileOf(Sqlx *p, const DeclaredTable *pBase){
  const char *zSchema = pBase->zSchema, *zFile = 0;
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

/* ---- the set ---------------------------------------------------------- */

/* There are no options, but the set needs the id of the file. */
static void guardedTakeOptions(
  Sqlx *p,
  DeclaredTable *pBase,
  const void *pAsked
){
  GuardedTable *pTab = (GuardedTable*)pBase;
  (void)pAsked;
  pTab->zFile = pTab->zStored ? pTab->zStored : fileOf(p, pBase);
}

static DeclaredStatus guardedExpect(Sqlx *p, DeclaredTable *pBase){
  GuardedTable *pTab = (GuardedTable*)pBase;
  (void)p;
  pTab->zFile = pTab->zStored ? pTab->zStored : "";
  return DECLARED_OK;
}

static void guardedMake(Sqlx *p, DeclaredTable *pBase){
  guardedtriggersMake(p, &pBase->info, pBase->zNumber,
                      ((GuardedTable*)pBase)->zFile, &pBase->set);
}

/* An id stands for one file. If two attached files have the same id, one is a
** copy of the other, and a guard cannot tell in which of them it is. */
static void guardedList(DeclaredTable *pList){
  DeclaredTable *a, *b;
  for(a=pList; a; a=a->pNext){
    GuardedTable *pA = (GuardedTable*)a;
    for(b=pList; b && pA->zStored; b=b->pNext){
      const char *zB = ((GuardedTable*)b)->zStored;
      if( zB==0 || a->zSchema==b->zSchema || strcmp(pA->zStored, zB)!=0 ){
        continue;
      }
      if( a->status<DECLARED_TWICE ) a->status = DECLARED_TWICE;
      pA->zTwin = b->zSchema;
      break;
    }
  }
}

static const char *guardedNote(Sqlx *p, const DeclaredTable *pTab){
  switch( pTab->status ){
    case DECLARED_NEWER:
      return "";
    case DECLARED_NO_TABLE:
      return "renamed and then rebuilt? guarded() with its new name;"
             " unguarded() with this one gives it up";
    case DECLARED_SKIPPED:
      return skippingNote(p, &pTab->skip, "guarded_repair");
    case DECLARED_TWICE:
      return sqlxPrintf(p, "a copy of %s, or its original: writes are refused"
          " until one of them is detached, or the copy has an id of its own:"
          " unguarded() for all its tables, then guarded()",
          ((const GuardedTable*)pTab)->zTwin);
    default:
      break;
  }
  if( pTab->status!=DECLARED_OK
   && sqlite3_stricmp(pTab->zTable, pTab->zName)!=0 ){
    return sqlxPrintf(p, "guarded as %s: writes are refused until"
        " guarded_repair()", pTab->zName);
  }
  return pTab->info.bDeclaredKey ? ""
       : "no PRIMARY KEY: only locks on the whole table";
}

static const char *guardedResult(Sqlx *p, const DeclaredTable *pTab){
  return sqlxPrintf(p, "%s.%s", pTab->info.zSchema, pTab->info.zName);
}

const DeclaredKind *guardedKind(void){
  static const DeclaredKind kind = {
    .zName = "guarded",
    .zDeclared = "guarded",
    .nTable = sizeof(GuardedTable),
    .iGenerator = GUARDED_GENERATOR,
    .bTemp = 0,
    .bDeletesEntry = 1,
    .zRegistry = "interlock_guarded",
    .zRegistrySql = guarded_registry_sql,
    .azColumn = azGuardedColumn,
    .nColumn = GUARDED_COL_COUNT,
    .zTriggerOrder = "name",
    .zSide = 0,
    .xRead = guardedRead,
    .xReadTrigger = 0,
    .zMark = "interlock_guard",
    .xReadLost = 0,
    .xValues = guardedValues,
    .xIsStored = guardedIsStored,
    .xOptions = guardedTakeOptions,
    .xMake = guardedMake,
    .xExpect = guardedExpect,
    .xFault = 0,
    .xList = guardedList,
    .xNote = guardedNote,
    .xCheck = guardedCheck,
    .xIsSuccessor = 0,
    .xPrepare = 0,
    .xColumns = 0,
    .xTables = 0,
    .xRows = 0,
    .xTakeOver = 0,
    .xResult = guardedResult,
  };
  return &kind;
}
