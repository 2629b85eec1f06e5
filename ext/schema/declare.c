/* SPDX-License-Identifier: 0BSD */
/*
** Declaring tables. See declare.h.
*/
#include <string.h>
#include "schema/declare.h"
#include "schema/registry.h"
#include "schema/status.h"
SQLITE_EXTENSION_INIT3

/* ---- which table ------------------------------------------------------ */

static int isTemp(const char *zSchema){
  return sqlite3_stricmp(zSchema, "temp")==0;
}

/*
** What a call that is about many tables reads of each schema, once. A statement
** over sqlite_master reads all of it, and would be run for each of the tables.
**
** It is as the schema was before the call. What the call changes for one table
** is not looked up for another in these lists.
*/
typedef struct Pass {
  TableInfoSchema *aSchema;
  struct PassTables {
    int bRead;
    const DeclaredTable *pFirst;   /* those of the kind */
  } *aTables;            /* for each of aSchema */
  int nSeen;
  const char **azSeen;   /* tables that were found, by their names' addresses in
                         ** the lists */
} Pass;

static void passBegin(Sqlx *p, Pass *pPass){
  int n = 0;
  memset(pPass, 0, sizeof(*pPass));
  pPass->aSchema = tableinfoSchemas(p);
  while( pPass->aSchema && pPass->aSchema[n].zSchema ) n++;
  pPass->aTables = sqlxAlloc(p, (sqlite3_uint64)n*sizeof(*pPass->aTables) + 1);
}

/* Returns the lists; NULL: there are none. pPass may be NULL. */
static TableInfoSchema *listsOf(const Pass *pPass){
  return pPass ? pPass->aSchema : 0;
}

/* Does what registryFind() does. */
static void passFind(Sqlx *p, Pass *pPass, DeclaredTable *pTab){
  const TableInfo info = pTab->info;
  const DeclaredTable *pOne;
  struct PassTables *pTables = pPass->aTables;
  const TableInfoSchema *pSchema = pPass->aSchema;
  for(; &pSchema->list!=info.pList; pSchema++) pTables++;
  if( !pTables->bRead ){
    pTables->pFirst = registryListed(p, pTab->pKind, pSchema->zSchema,
                                     &pSchema->list);
    pTables->bRead = 1;
  }
  pOne = pTables->pFirst;
  while( pOne && sqlite3_stricmp(pOne->zTable, info.zName)!=0 ){
    pOne = pOne->pNext;
  }
  if( pOne==0 || p->rc!=SQLITE_OK ) return;
  memcpy(pTab, pOne, pTab->pKind->nTable);
  pTab->info = info;
  pTab->pNext = 0;
}

/* Whether the table was found before in this call. From now on it was. */
static int passSeen(Sqlx *p, Pass *pPass, const DeclaredTable *pTab){
  const char *zName = pTab->info.zName;
  int i;
  for(i=0; i<pPass->nSeen; i++) if( pPass->azSeen[i]==zName ) return 1;
  pPass->azSeen = sqlxGrow(p, pPass->azSeen, pPass->nSeen, sizeof(char*));
  if( pPass->azSeen ) pPass->azSeen[pPass->nSeen++] = zName;
  return 0;
}

/* Does what declareFind() does, also for what a newer Interlock has declared.
** pPass may be NULL. */
static int findAny(
  Sqlx *p,
  Pass *pPass,
  const DeclaredKind *pKind,
  const char *zTable,
  DeclaredTable *pTab
){
  TableInfo *pInfo = &pTab->info;
  memset(pTab, 0, pKind->nTable);
  pTab->pKind = pKind;
  if( !tableinfoFind(p, listsOf(pPass), zTable, pInfo) ) return 0;
  if( sqlite3_strnicmp(pInfo->zName, "interlock_", 10)==0 ) return 0;
  if( !pKind->bTemp && isTemp(pInfo->zSchema) ){
    sqlxBad(p, "table %s is temporary: no other connection reaches it;"
               " allowed are tables of a database file", pInfo->zName);
    return 0;
  }
  tableinfoRead(p, pInfo);
  pTab->zSchema = pInfo->zSchema;
  if( pPass && pInfo->pList ){
    passFind(p, pPass, pTab);
  }else{
    registryFind(p, pTab);
  }
  return p->rc==SQLITE_OK;
}

/* Does what declareFind() does. */
static int findTable(
  Sqlx *p,
  Pass *pPass,
  const DeclaredKind *pKind,
  const char *zTable,
  DeclaredTable *pTab
){
  const DeclaredTable *pOne;
  if( !findAny(p, pPass, pKind, zTable, pTab) ) return 0;
  for(pOne=pTab; pOne; pOne=pOne->pOther){
    if( pOne->iGenerator<=pKind->iGenerator ) continue;
    sqlxBad(p, "%s was %s by a newer Interlock (generator %d, this is"
               " %d); load that one", pTab->info.zName, pKind->zDeclared,
            pOne->iGenerator, pKind->iGenerator);
  }
  return p->rc==SQLITE_OK;
}

int declareFind(
  Sqlx *p,
  const DeclaredKind *pKind,
  const char *zTable,
  DeclaredTable *pTab
){
  return findTable(p, 0, pKind, zTable, pTab);
}

/* Makes the entry of another table that of pTab. */
static void takeEntry(DeclaredTable *pTab, const DeclaredTable *pOther){
  TableInfo info = pTab->info;
  memcpy(pTab, pOther, pTab->pKind->nTable);
  pTab->info = info;
  pTab->pNext = 0;
}

/*
** If a table was renamed and then rebuilt, and no repair came in between,
** nothing leads from it to its entry, which has the old name. This function
** gives pTab, which has no entry, the one with the number zEntry or, if zEntry
** is NULL, the only one that fits.
*/
static void takeMissing(Sqlx *p, DeclaredTable *pTab, const char *zEntry){
  const DeclaredKind *pKind = pTab->pKind;
  const char *zSchema = pTab->zSchema;
  const DeclaredTable *pOther;
  const char *zFirst = 0;
  TableInfoList *pList = 0;
  TableInfo none;
  if( pKind->xIsSuccessor==0 ) return;
  pOther = registryList(p, pKind, zSchema, &pList);
  for(; pOther && p->rc==SQLITE_OK; pOther=pOther->pNext){
    if( !pOther->bDeclared || pOther->has.n>0
     || pOther->iGenerator>pKind->iGenerator
     || tableinfoExists(pList, zSchema, pOther->zName, &none) ) continue;
    if( zEntry ? strcmp(zEntry, pOther->zEntry)!=0
               : !pKind->xIsSuccessor(p, pTab, pOther) ) continue;
    if( zFirst ){
      sqlxBad(p, "table %s was never %s and can have been %s or %s;"
                 " allowed is UPDATE %s_tables SET name = %Q WHERE"
                 " name = ...", pTab->info.zName, pKind->zName, zFirst,
              pOther->zName, pKind->zName, pTab->info.zName);
    }
    zFirst = pOther->zName;
    takeEntry(pTab, pOther);
  }
}

/* Finds the table of a request, and takes its options. Returns 0 as
** declareFind() does, and for a table that was found before. */
static int findRequest(
  Sqlx *p,
  Pass *pPass,
  const DeclaredKind *pKind,
  const DeclareRequest *pReq,
  DeclaredTable *pTab
){
  if( !findTable(p, pPass, pKind, pReq->zTable, pTab) ) return 0;
  if( pPass && passSeen(p, pPass, pTab) ) return 0;
  if( pReq->zEntry && pTab->zEntry ){
    sqlxBad(p, "table %s is known by that name already; allowed is one that"
               " was never %s", pTab->info.zName, pKind->zName);
  }else if( pReq->zEntry ){
    takeMissing(p, pTab, pReq->zEntry);
    if( pTab->zEntry==0 ){
      sqlxBad(p, "table %s is in another schema than the one that is"
                 " missing", pTab->info.zName);
    }
  }
  pKind->xOptions(p, pTab, pReq->pOptions);
  return 1;
}

/* ---- what it takes ---------------------------------------------------- */

/* Whether there is nothing to do. Against a trigger in temp it does not help to
** make Interlock's triggers anew. */
static int isWhole(Sqlx *p, DeclaredTable *pTab){
  const DeclaredKind *pKind = pTab->pKind;
  DeclaredStatus status;
  if( !pTab->bDeclared || pTab->bLost || statusSeveral(pTab)
   || pTab->iGenerator!=pKind->iGenerator
   || strcmp(pTab->zName, pTab->info.zName)!=0
   || !pKind->xIsStored(p, pTab) ) return 0;
  status = statusCompare(p, pTab);
  return status==DECLARED_OK
      || (status==DECLARED_SKIPPED && pTab->skip.bTemp);
}

/*
** Appends the steps that drop all sets of the table and make the one that it
** should have. It is always made whole and in one order; no trigger is put back
** by itself. Triggers of the user's that update the table are made again after
** the first ones of the set that say so (nFirst). A column that is missing is
** added in between, when no trigger is there.
*/
static void stepsOfTriggers(
  Sqlx *p,
  DeclaredTable *pTab,
  DdlScope eScope,
  Ddl *pDdl
){
  const DeclaredKind *pKind = pTab->pKind;
  const DeclaredTable *pOne;
  const DdlStep *pLast;
  if( pDdl->bText || pTab->set.nFirst==0 ) pTab->touches.set.n = 0;
  for(pOne=pTab; pOne; pOne=pOne->pOther){
    ddlDropTriggers(p, pDdl, eScope, &pOne->has);
  }
  ddlDropTriggers(p, pDdl, eScope, &pTab->touches.set);
  pLast = pDdl->pLast;
  if( pKind->xColumns ) pKind->xColumns(p, pTab, pDdl);
  pDdl->bColumns = pDdl->pLast!=pLast;
  ddlMakeTriggers(p, pDdl, &pTab->set, 0, pTab->set.nFirst);
  ddlMakeAgain(p, pDdl, &pTab->touches.set);
  ddlMakeTriggers(p, pDdl, &pTab->set, pTab->set.nFirst, pTab->set.n);
}

/* Refuses the names that a trigger has for its own row: in a statement there
** that reads a table called old, OLD.a is a column of that table. */
static void checkName(Sqlx *p, const TableInfo *pInfo){
  if( sqlite3_stricmp(pInfo->zName, "old")==0
   || sqlite3_stricmp(pInfo->zName, "new")==0 ){
    sqlxBad(p, "table %s has a name that triggers use for the row that is"
               " written; allowed is any but old and new", pInfo->zName);
  }
}

static void checkWritable(Sqlx *p, const char *zSchema){
  if( sqlite3_db_readonly(p->db, zSchema)!=1 ) return;
  sqlxBad(p, "database %s is read-only; allowed is one that can be written",
          zSchema);
}

/*
** Writes down the steps that declare the table. Returns 0 after an error, and
** if everything is there already and bText is not set. Triggers that are as
** they should be stay: only the entry or a table beside is missing. The steps
** that can be undone one by one come before those that make tables: a trigger
** may name a table that does not exist yet.
*/
static int writeDown(
  Sqlx *p,
  DeclaredTable *pTab,
  DdlScope eScope,
  int bText,
  Ddl *pDdl
){
  const DeclaredKind *pKind = pTab->pKind;
  const DeclaredTable *pOther;
  ddlNew(pDdl, pTab->zSchema, pKind->zName);
  pDdl->bText = bText;
  checkName(p, &pTab->info);
  checkWritable(p, pTab->zSchema);
  if( p->rc==SQLITE_OK ) pKind->xCheck(p, pTab);
  if( p->rc!=SQLITE_OK ) return 0;
  if( pTab->zNumber==0 ) pTab->zNumber = registryNumber(p, pTab->zSchema);
  pKind->xMake(p, pTab);
  if( p->rc!=SQLITE_OK ) return 0;
  if( !bText && isWhole(p, pTab) ) return 0;
  if( pKind->xPrepare ) pKind->xPrepare(p, pTab, eScope);
  if( pTab->pOther && eScope==DDL_STATEMENT ){
    sqlxBad(p, "table %s has more than one set or entry; allowed is"
               " SELECT %s() in a statement of its own", pTab->info.zName,
            pKind->zName);
  }
  if( p->rc!=SQLITE_OK ) return 0;

  if( bText || pTab->pOther || statusTriggers(p, pTab)!=DECLARED_OK ){
    stepsOfTriggers(p, pTab, eScope, pDdl);
  }
  if( pKind->xTables ) pKind->xTables(p, pTab, pDdl);
  registryStore(p, pTab, 1, eScope, pDdl);
  for(pOther=pTab->pOther; pOther; pOther=pOther->pOther){
    if( pKind->xTakeOver && !bText ) pKind->xTakeOver(p, pTab, pOther, pDdl);
    ddlStep(p, pDdl, registryDelete(p, pOther), 0);
  }
  if( pKind->xRows ) pKind->xRows(p, pTab, pDdl);
  return p->rc==SQLITE_OK;
}

/* ---- what users ask for ----------------------------------------------- */

/* Returns room for a table of the kind, or NULL after an error. */
static DeclaredTable *newTable(Sqlx *p, const DeclaredKind *pKind){
  return sqlxAlloc(p, pKind->nTable);
}

/* Makes the set of one kind anew if the table's new column has made it
** outdated. Whatever else is wrong with it is left to its repair. */
static void followOne(
  Sqlx *p,
  const DeclaredKind *pKind,
  const char *zTable,
  DdlTxn *pTxn
){
  DeclaredTable *pTab = newTable(p, pKind);
  Ddl ddl;
  if( pTab==0 || !findAny(p, 0, pKind, zTable, pTab) ) return;
  if( !pTab->bDeclared || pTab->bLost || pTab->pOther
   || pTab->iGenerator!=pKind->iGenerator
   || pKind->xExpect(p, pTab)!=DECLARED_OK ) return;
  pKind->xMake(p, pTab);
  if( statusTriggers(p, pTab)!=DECLARED_OUTDATED ) return;
  if( !findTable(p, 0, pKind, zTable, pTab) ) return;
  pKind->xOptions(p, pTab, 0);
  if( writeDown(p, pTab, DDL_SELECT, 0, &ddl) ) ddlRun(p, &ddl, pTxn);
}

/* Whether the table may have triggers of Interlock's. A list tells whether it
** had some before the call. */
static int mayHaveSets(const TableInfo *pInfo){
  const TableInfoList *pList = pInfo->pList;
  int i;
  if( pList==0 ) return 1;
  for(i=pList->nUser; i<pList->nTrigger; i++){
    if( sqlite3_stricmp(pList->a[i].zTable, pInfo->zName)==0 ) return 1;
  }
  return 0;
}

/* Runs the steps that declare or repair a table. If they add a column, the sets
** of the other kinds on this table follow, but not in a statement that writes:
** there a history could not follow. */
static void runSteps(
  Sqlx *p,
  const DeclaredTable *pTab,
  const Ddl *pDdl,
  DdlScope eScope,
  DdlTxn *pTxn
){
  const DeclaredKind *pKind;
  const char *zTable;
  int i;
  ddlRun(p, pDdl, pTxn);
  if( p->rc!=SQLITE_OK || !pDdl->bColumns || eScope==DDL_STATEMENT
   || !mayHaveSets(&pTab->info) ) return;
  zTable = sqlxPrintf(p, "\"%w\".\"%w\"", pTab->zSchema, pTab->info.zName);
  for(i=0; p->rc==SQLITE_OK && (pKind = declaredKind(i))!=0; i++){
    if( pKind!=pTab->pKind && (pKind->bTemp || !isTemp(pTab->zSchema)) ){
      followOne(p, pKind, zTable, pTxn);
    }
  }
}

/* Declares one table of a change that has begun. */
static const char *declareOne(
  Sqlx *p,
  Pass *pPass,
  const DeclaredKind *pKind,
  const DeclareRequest *pReq,
  DdlScope eScope,
  DdlTxn *pTxn
){
  DeclaredTable *pTab = newTable(p, pKind);
  Ddl ddl;
  if( pTab==0 || !findRequest(p, pPass, pKind, pReq, pTab) ) return 0;
  if( writeDown(p, pTab, eScope, 0, &ddl) ){
    runSteps(p, pTab, &ddl, eScope, pTxn);
  }
  return pKind->xResult(p, pTab);
}

/* The result is set before the change is kept: SQLite copies it, and if memory
** runs out there, the change must not be kept either. */
const char *declareTable(
  Sqlx *p,
  const DeclaredKind *pKind,
  const DeclareRequest *pReq,
  DdlScope eScope
){
  DdlTxn txn = ddlBegin(p, eScope);
  const char *zResult = declareOne(p, 0, pKind, pReq, eScope, &txn);
  if( p->rc==SQLITE_OK && zResult && pReq->pResult ){
    sqlite3_result_text(pReq->pResult, zResult, -1, SQLITE_TRANSIENT);
  }
  ddlEnd(p, &txn);
  return zResult;
}

/* Whether the name stands in the array already. */
static int isRepeated(const char *const *azTable, int i){
  int j;
  for(j=0; j<i && strcmp(azTable[j], azTable[i])!=0; j++){}
  return j<i;
}

/* Whether an error can be the fault of one table: others, such as a full disk,
** are not. A trigger of the application's can refuse a row that is raised. */
static int isOfTable(int rc){
  return rc==SQLITE_ERROR || (rc & 0xff)==SQLITE_CONSTRAINT;
}

/* Adds to an error which table of the array it is about. */
static void failAt(Sqlx *p, const char *const *azTable, int i){
  const char *z = sqlxErrorText(p);
  int rc = p->rc;
  if( !isOfTable(rc) ) return;
  sqlxClear(p);
  sqlxFail(p, rc, "%s (table %s, number %d of the array)", z, azTable[i], i+1);
}

int declareMany(
  Sqlx *p,
  const DeclaredKind *pKind,
  int nTable,
  const char *const *azTable,
  const void *pOptions
){
  DdlTxn txn = ddlBegin(p, DDL_SELECT);
  DeclareRequest req = { 0, pOptions, 0, 0 };
  Pass pass;
  int n = 0, i;
  passBegin(p, &pass);
  for(i=0; i<nTable && p->rc==SQLITE_OK; i++){
    if( isRepeated(azTable, i) ) continue;
    req.zTable = azTable[i];
    n += declareOne(p, &pass, pKind, &req, DDL_SELECT, &txn)!=0;
    failAt(p, azTable, i);
  }
  ddlEnd(p, &txn);
  return n;
}

const char *declareText(
  Sqlx *p,
  const DeclaredKind *pKind,
  const DeclareRequest *pReq
){
  DeclaredTable *pTab = newTable(p, pKind);
  Ddl ddl;
  if( pTab==0 || !findRequest(p, 0, pKind, pReq, pTab)
   || !writeDown(p, pTab, DDL_SELECT, 1, &ddl) ) return 0;
  return ddlText(p, &ddl, pTab->info.zName);
}

/* Deletes the entry of a table that does not exist any more, by the name that
** it had, in the first schema that has such an entry. Returns 1 if there was
** one. */
static int undeclareGone(
  Sqlx *p,
  const DeclaredKind *pKind,
  const char *zTable,
  DdlTxn *pTxn
){
  const DeclaredTable *pTab;
  const char *zSchema = 0;
  for(pTab=statusList(p, pKind); pTab; pTab=pTab->pNext){
    Ddl ddl;
    if( pTab->status!=DECLARED_NO_TABLE
     || (zSchema && pTab->zSchema!=zSchema)
     || !tableinfoIsNamed(p, zTable, pTab->zSchema, pTab->zName) ) continue;
    zSchema = pTab->zSchema;
    tableinfoOwnWritten(p, zSchema, pKind->zRegistry);
    ddlNew(&ddl, zSchema, pKind->zName);
    ddlStep(p, &ddl, registryDelete(p, pTab), 0);
    ddlRun(p, &ddl, pTxn);
  }
  return zSchema!=0;
}

/* Drops the triggers of a table, and deletes its entry or stores it as
** undeclared. */
static void undeclareTable(
  Sqlx *p,
  const DeclaredTable *pTab,
  DdlScope eScope,
  DdlTxn *pTxn
){
  const DeclaredKind *pKind = pTab->pKind;
  Ddl ddl;
  ddlNew(&ddl, pTab->zSchema, pKind->zName);
  ddlDropTriggers(p, &ddl, eScope, &pTab->has);
  if( pKind->bDeletesEntry ){
    if( tableinfoOwnWritten(p, pTab->zSchema, pKind->zRegistry) ){
      ddlStep(p, &ddl, registryDelete(p, pTab), 0);
    }
  }else{
    registryStore(p, pTab, 0, eScope, &ddl);
  }
  if( p->rc==SQLITE_OK ) ddlRun(p, &ddl, pTxn);
}

/* All sets of the table are dropped, and their entries with them or stored as
** undeclared. Declared again, the table takes all of them over. */
static int undeclareOne(
  Sqlx *p,
  Pass *pPass,
  const DeclaredKind *pKind,
  const char *zTable,
  DdlScope eScope,
  DdlTxn *pTxn
){
  DeclaredTable *pTab = newTable(p, pKind);
  TableInfo info;
  int bDone = 0;
  if( pKind->bDeletesEntry && !tableinfoLook(p, listsOf(pPass), zTable, &info)
   && undeclareGone(p, pKind, zTable, pTxn) ) return 1;
  if( pTab==0 || !findTable(p, pPass, pKind, zTable, pTab) ) return 0;
  if( pPass && passSeen(p, pPass, pTab) ) return 0;
  for(; pTab && p->rc==SQLITE_OK; pTab=pTab->pOther){
    if( !pTab->bDeclared ) continue;
    undeclareTable(p, pTab, eScope, pTxn);
    bDone = 1;
  }
  return bDone;
}

int declareUndeclare(
  Sqlx *p,
  const DeclaredKind *pKind,
  const char *zTable,
  DdlScope eScope
){
  DdlTxn txn = ddlBegin(p, eScope);
  int bDone = undeclareOne(p, 0, pKind, zTable, eScope, &txn);
  ddlEnd(p, &txn);
  return bDone;
}

int declareUndeclareMany(
  Sqlx *p,
  const DeclaredKind *pKind,
  int nTable,
  const char *const *azTable
){
  DdlTxn txn = ddlBegin(p, DDL_SELECT);
  Pass pass;
  int n = 0, i;
  passBegin(p, &pass);
  for(i=0; i<nTable && p->rc==SQLITE_OK; i++){
    if( isRepeated(azTable, i) ) continue;
    n += undeclareOne(p, &pass, pKind, azTable[i], DDL_SELECT, &txn);
    failAt(p, azTable, i);
  }
  ddlEnd(p, &txn);
  return n;
}

/* ---- repair ----------------------------------------------------------- */

/* Writes down the steps that repair a table. Returns 0 after an error, and if
** there is nothing to do. */
static int planRepair(
  Sqlx *p,
  Pass *pPass,
  const char *zTable,
  DeclaredTable *pTab,
  const DeclaredKind *pKind,
  Ddl *pDdl
){
  if( pTab==0 || !findTable(p, pPass, pKind, zTable, pTab) ) return 0;
  if( pTab->zEntry==0 ) takeMissing(p, pTab, 0);
  if( !pTab->bDeclared ) return 0;
  if( pTab->bUnknown ){
    sqlxBad(p, "the triggers of %s do not tell all of their options; allowed is"
               " %s() with these", pTab->info.zName, pKind->zName);
  }
  pKind->xOptions(p, pTab, 0);
  return writeDown(p, pTab, DDL_SELECT, 0, pDdl);
}

/* Repairs one table. Returns 1 if it had a fault. */
static int repairTable(
  Sqlx *p,
  const DeclaredKind *pKind,
  const char *zTable,
  DdlTxn *pTxn
){
  DeclaredTable *pTab = newTable(p, pKind);
  Ddl ddl;
  if( !planRepair(p, 0, zTable, pTab, pKind, &ddl) ) return 0;
  runSteps(p, pTab, &ddl, DDL_SELECT, pTxn);
  return p->rc==SQLITE_OK;
}

/* Whether a listed table must be repaired. A renamed one must, too: once a
** rebuild has dropped the triggers, only the name leads from a table to its
** entry. So must one with renamed columns that the entry names: another column
** could get the name. */
static int isFaulty(const DeclaredTable *pTab){
  const DeclaredStatus status = pTab->status==DECLARED_REFUSED
                              ? pTab->beneath : pTab->status;
  if( status>=DECLARED_NO_PARENT ) return 0;
  if( status==DECLARED_TWICE || pTab->bUnknown ) return 0;
  return status!=DECLARED_OK || statusRenamed(pTab) || pTab->bOldNames;
}

/* The repair of all tables. */
typedef struct Repair {
  Pass pass;
  DdlTxn txn;
  int nDone;             /* tables that were repaired */
  int nLeft;             /* tables that cannot be */
  const char *zLeft;     /* the first one of these */
  const char *zWhy;      /* why it cannot be */
} Repair;

/* Adds to an error which table has stopped the repair of all. */
static void failUndone(Sqlx *p, const char *zTable){
  const char *z = sqlxErrorText(p);
  int rc = p->rc;
  sqlxClear(p);
  sqlxFail(p, rc, "%s (not repaired: %s; repaired: 0)", z, zTable);
}

/* Repairs one of them. If it cannot be declared as it is now, nothing has been
** done to it, and the others are repaired all the same. After an error of one
** of its steps, of which some are done, all that the call did is undone. */
static void repairListed(
  Sqlx *p,
  const DeclaredTable *pListed,
  Repair *pRepair
){
  const char *zTable = sqlxPrintf(p, "\"%w\".\"%w\"", pListed->zSchema,
                                  pListed->zTable);
  DeclaredTable *pTab = newTable(p, pListed->pKind);
  Ddl ddl;
  if( planRepair(p, &pRepair->pass, zTable, pTab, pListed->pKind, &ddl) ){
    runSteps(p, pTab, &ddl, DDL_SELECT, &pRepair->txn);
    pRepair->nDone += p->rc==SQLITE_OK;
    if( isOfTable(p->rc) ) failUndone(p, zTable);
  }else if( p->rc==SQLITE_ERROR ){
    if( pRepair->nLeft++==0 ){
      pRepair->zWhy = sqlxErrorText(p);
      pRepair->zLeft = zTable;
    }
    sqlxClear(p);
  }
}

/* Tells of the tables that were left, when the others are kept. */
static void failLeft(Sqlx *p, const Repair *pRepair, const char *zKind){
  const char *zMore = "";
  if( pRepair->nLeft>1 ){
    zMore = sqlxPrintf(p, " and %d more, see %s_tables", pRepair->nLeft-1,
                       zKind);
  }
  sqlxFail(p, SQLITE_ERROR, "%s (not repaired: %s%s; repaired: %d)",
           pRepair->zWhy, pRepair->zLeft, zMore, pRepair->nDone);
}

/* The tables are listed before any is repaired: while the list is being read,
** SQLite drops no table. Those in temp come last: after one of them no table
** can be dropped (ddlWatch). */
static int repairAll(Sqlx *p, const DeclaredKind *pKind){
  const DeclaredTable *pList, *pTab;
  Repair repair;
  int bTemp;
  memset(&repair, 0, sizeof(repair));
  repair.txn = ddlBegin(p, DDL_SELECT);
  pList = statusList(p, pKind);
  passBegin(p, &repair.pass);
  for(bTemp=0; bTemp<=1; bTemp++){
    for(pTab=pList; pTab && p->rc==SQLITE_OK; pTab=pTab->pNext){
      if( isTemp(pTab->zSchema)==bTemp && isFaulty(pTab) ){
        repairListed(p, pTab, &repair);
      }
    }
  }
  ddlEnd(p, &repair.txn);
  if( repair.nLeft ) failLeft(p, &repair, pKind->zName);
  return repair.nDone;
}

int declareRepair(Sqlx *p, const DeclaredKind *pKind, const char *zTable){
  DdlTxn txn;
  int n;
  if( zTable==0 ) return repairAll(p, pKind);
  txn = ddlBegin(p, DDL_SELECT);
  n = repairTable(p, pKind, zTable, &txn);
  ddlEnd(p, &txn);
  return n;
}
