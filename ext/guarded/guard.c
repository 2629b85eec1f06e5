/* SPDX-License-Identifier: 0BSD */
/*
** Guarded tables. See guard.h; the triggers themselves, and why each exists,
** are in sql/guarded/.
**
** A change is made in three steps: look at everything and refuse what cannot
** be; write down all statements; run them, all or nothing (ddl.h). It is made
** from functions only, so no step needs another to undo it.
*/
#include <string.h>
#include "guarded/guard.h"
#include "schema/ddl.h"
#include "session/lockkey.h"
SQLITE_EXTENSION_INIT3

/* A table, and what the registry knows of it. */
typedef struct Guarded Guarded;
struct Guarded {
  TableInfo shape;
  GuardEntry entry;
};

/* ---- what may not be guarded ------------------------------------------ */

/* A key is folded as its collation compares, and of others than SQLite's own
** nobody else knows how. */
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

static void checkGuarded(Sqlx *p, const TableInfo *pInfo){
  LockKey key;
  if( sqlite3_db_readonly(p->db, pInfo->zSchema)==1 ){
    sqlxBad(p, "database %s is read-only; allowed is one that can be"
               " written", pInfo->zSchema);
  }
  checkCollations(p, pInfo);
  lockkeyTable(p, pInfo->zName, &key);  /* an error if it is too long */
}

/* Find a table, and what the registry knows of it. Returns 0 with no error for
** one of Interlock's own. */
static int findGuarded(Sqlx *p, const char *zTable, Guarded *pTab){
  memset(pTab, 0, sizeof(*pTab));
  if( !tableinfoFind(p, zTable, &pTab->shape) ) return 0;
  if( sqlite3_strnicmp(pTab->shape.zName, "interlock_", 10)==0 ) return 0;
  if( sqlite3_stricmp(pTab->shape.zSchema, "temp")==0 ){
    sqlxBad(p, "table %s is temporary: no other connection reaches it;"
               " allowed are tables of a database file", pTab->shape.zName);
    return 0;
  }
  tableinfoRead(p, &pTab->shape);
  guardregFind(p, &pTab->shape, &pTab->entry);
  if( pTab->entry.iGenerator>GUARD_GENERATOR ){
    sqlxBad(p, "%s was guarded by a newer Interlock (generator %d, this is"
               " %d); load that one", pTab->shape.zName,
            pTab->entry.iGenerator, GUARD_GENERATOR);
  }
  return p->rc==SQLITE_OK;
}

/* ---- what it takes ---------------------------------------------------- */

/* Whether the registry says already what it is to say. */
static int isStored(const GuardEntry *pOld, const GuardEntry *pNew){
  return pOld->zNumber && pOld->zFile && pOld->iGenerator==pNew->iGenerator
      && strcmp(pOld->zName, pNew->zTable)==0;
}

/* Whether a trigger of the user's may skip the guards, and will not if they are
** made anew. */
static int isSkipped(Sqlx *p, const Guarded *pTab){
  Skipping skip;
  skippingFind(p, &pTab->shape, pTab->entry.zNumber, &skip);
  return skip.zName && !skip.bTemp;
}

/*
** Write down what guards a table: nothing where all is there already and bText
** is not set. The set is always made whole, never a single trigger put back.
*/
static int stepsOfGuard(Sqlx *p, const Guarded *pTab, int bText, Ddl *pPlan){
  const char *zSchema = pTab->shape.zSchema;
  const GuardEntry *pOld = &pTab->entry;
  GuardEntry entry = *pOld;
  GuardSetRule rule;
  TriggersSet set;
  ddlNew(pPlan, zSchema);
  checkGuarded(p, &pTab->shape);
  if( p->rc!=SQLITE_OK ) return 0;
  if( entry.zNumber==0 ) entry.zNumber = triggersDraw(p, zSchema);
  if( entry.zFile==0 ) entry.zFile = guardregFile(p, zSchema);
  entry.zTable = pTab->shape.zName;
  entry.iGenerator = GUARD_GENERATOR;
  rule.zNumber = entry.zNumber;
  rule.zFile = entry.zFile;
  guardsetMake(p, &pTab->shape, &rule, &set);
  if( p->rc!=SQLITE_OK ) return 0;
  if( !bText && isStored(pOld, &entry)
   && guardregCompare(&pOld->has, &set)==GUARD_OK
   && !isSkipped(p, pTab) ) return 0;

  ddlDropTriggers(p, pPlan, DDL_SELECT, pOld->has.a, pOld->has.n);
  ddlMakeTriggers(p, pPlan, set.a, set.n);
  if( !tableinfoOwnWritten(p, zSchema, "interlock_guarded") ){
    ddlStep(p, pPlan, guardsetRegistry(p, zSchema), 0);
  }
  ddlStep(p, pPlan, guardregStore(p, zSchema, &entry), 0);
  return p->rc==SQLITE_OK;
}

/* ---- what users ask for ----------------------------------------------- */

/* The result is set before the work is kept: it is copied, and if memory runs
** out over that nothing can be kept either. */
const char *guardDeclare(Sqlx *p, const char *zTable, sqlite3_context *ctx){
  const char *zResult = 0;
  DdlTxn txn = ddlBegin(p, DDL_SELECT);
  Guarded tab;
  Ddl plan;
  if( findGuarded(p, zTable, &tab) ){
    if( stepsOfGuard(p, &tab, 0, &plan) ) ddlRun(p, &plan, &txn);
    zResult = sqlxPrintf(p, "%s.%s", tab.shape.zSchema, tab.shape.zName);
  }
  if( p->rc==SQLITE_OK && zResult ){
    sqlite3_result_text(ctx, zResult, -1, SQLITE_TRANSIENT);
  }
  ddlEnd(p, &txn);
  return zResult;
}

const char *guardText(Sqlx *p, const char *zTable){
  Guarded tab;
  Ddl plan;
  if( !findGuarded(p, zTable, &tab) ) return 0;
  if( !stepsOfGuard(p, &tab, 1, &plan) ) return 0;
  return ddlText(p, &plan, tab.shape.zName);
}

/* Take away the triggers and the entry of a table. Two texts that were made
** apart (guardText) can have given it two of each. */
static int giveUpGuard(Sqlx *p, const char *zTable, DdlTxn *pTxn){
  Guarded tab;
  const char *zLast = "";
  int bDone = 0;
  while( findGuarded(p, zTable, &tab) && tab.entry.zNumber ){
    Ddl plan;
    if( strcmp(tab.entry.zNumber, zLast)==0 ){
      sqlxBad(p, "row %s of %s.interlock_guarded does not go away; allowed is a"
                 " table without triggers", zLast, tab.shape.zSchema);
    }
    zLast = tab.entry.zNumber;
    tableinfoOwnWritten(p, tab.shape.zSchema, "interlock_guarded");
    ddlNew(&plan, tab.shape.zSchema);
    ddlDropTriggers(p, &plan, DDL_SELECT, tab.entry.has.a,
                     tab.entry.has.n);
    ddlStep(p, &plan, guardregForget(p, tab.shape.zSchema,
                                      tab.entry.zNumber), 0);
    ddlRun(p, &plan, pTxn);
    bDone = 1;
  }
  return bDone;
}

/* Take away the entry of a table that is gone, by the name that it had; of the
** first schema that has one. */
static int giveUpGone(Sqlx *p, const char *zTable, DdlTxn *pTxn){
  const GuardTable *pTab;
  const char *zSchema = 0;
  for(pTab=guardregList(p); pTab; pTab=pTab->pNext){
    Ddl plan;
    if( pTab->status!=GUARD_GONE || (zSchema && pTab->zSchema!=zSchema)
     || !tableinfoIsNamed(p, zTable, pTab->zSchema, pTab->entry.zName) ){
      continue;
    }
    zSchema = pTab->zSchema;
    tableinfoOwnWritten(p, zSchema, "interlock_guarded");
    ddlNew(&plan, pTab->zSchema);
    ddlStep(p, &plan, guardregForget(p, pTab->zSchema, pTab->entry.zNumber),
             0);
    ddlRun(p, &plan, pTxn);
  }
  return zSchema!=0;
}

int guardUndeclare(Sqlx *p, const char *zTable){
  DdlTxn txn = ddlBegin(p, DDL_SELECT);
  TableInfo shape;
  int bDone = 0;
  if( !tableinfoLook(p, zTable, &shape) ) bDone = giveUpGone(p, zTable, &txn);
  if( !bDone ) bDone = giveUpGuard(p, zTable, &txn);
  ddlEnd(p, &txn);
  return bDone;
}

/* Put back what a table lacks. Returns 1 if there was something to mend. */
static int repairGuard(Sqlx *p, const char *zTable, DdlTxn *pTxn){
  Guarded tab;
  Ddl plan;
  if( !findGuarded(p, zTable, &tab) || tab.entry.zNumber==0 ) return 0;
  if( !stepsOfGuard(p, &tab, 0, &plan) ) return 0;
  ddlRun(p, &plan, pTxn);
  return p->rc==SQLITE_OK;
}

int guardRepair(Sqlx *p, const char *zTable){
  DdlTxn txn = ddlBegin(p, DDL_SELECT);
  int n = 0;
  if( zTable ){
    n = repairGuard(p, zTable, &txn);
  }else{
    const GuardTable *pTab;
    for(pTab=guardregList(p); pTab; pTab=pTab->pNext){
      if( pTab->status!=GUARD_SKIPPED && (pTab->status<GUARD_OUTDATED
       || pTab->status>GUARD_MISSING) ) continue;
      n += repairGuard(p, sqlxPrintf(p, "\"%w\".\"%w\"", pTab->zSchema,
                                     pTab->entry.zTable), &txn);
    }
  }
  ddlEnd(p, &txn);
  return n;
}
