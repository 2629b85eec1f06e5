/* SPDX-License-Identifier: 0BSD */
/*
** A change of the schema, all or nothing. See ddl.h.
*/
#include <string.h>
#include "schema/ddl.h"
SQLITE_EXTENSION_INIT3

/* ---- writing it down -------------------------------------------------- */

/* An empty plan. */
void ddlNew(Ddl *pDdl, const char *zSchema, const char *zKind){
  memset(pDdl, 0, sizeof(*pDdl));
  pDdl->zSchema = zSchema;
  pDdl->zKind = zKind;
}

/* Append a statement, with the one that undoes it (DdlStep). */
void ddlStep(Sqlx *p, Ddl *pDdl, const char *zDo, const char *zUndo){
  DdlStep *pStep = sqlxAlloc(p, sizeof(*pStep));
  if( pStep==0 ) return;
  pStep->zDo = zDo;
  pStep->zUndo = zUndo;
  pStep->pPrev = pDdl->pLast;
  *(pDdl->pLast ? &pDdl->pLast->pNext : &pDdl->pFirst) = pStep;
  pDdl->pLast = pStep;
}

static const char *dropTrigger(
  Sqlx *p,
  const Ddl *pDdl,
  const TriggerSetOne *pOne
){
  return sqlxPrintf(p, "DROP TRIGGER %s\"%w\".\"%w\"",
                    pDdl->bText ? "IF EXISTS " : "", pDdl->zSchema,
                    pOne->zName);
}

/* Append the dropping of triggers. Where the plan is undone by hand each is
** made again with the text that it has, if that can be (triggersetRemade). */
void ddlDropTriggers(
  Sqlx *p,
  Ddl *pDdl,
  DdlScope eScope,
  const TriggerSet *pSet
){
  int i;
  for(i=0; i<pSet->n; i++){
    const TriggerSetOne *pOne = &pSet->a[i];
    ddlStep(p, pDdl, dropTrigger(p, pDdl, pOne),
            eScope==DDL_SELECT ? DDL_UNDO_ALL
            : triggersetRemade(p, pOne, pDdl->zSchema, pDdl->zKind));
  }
}

void ddlMakeTable(Sqlx *p, Ddl *pDdl, const char *zSql, int bThere){
  if( bThere && !pDdl->bText ) return;
  ddlStep(p, pDdl, pDdl->bText ? triggersetIfMissing(p, zSql, pDdl->zSchema)
          : triggersetQualified(p, zSql, pDdl->zSchema), DDL_UNDO_ALL);
}

/* Append the making of triggers. */
void ddlMakeTriggers(Sqlx *p, Ddl *pDdl, const TriggerSet *pSet){
  int i;
  for(i=0; i<pSet->n; i++){
    const TriggerSetOne *pOne = &pSet->a[i];
    ddlStep(p, pDdl, triggersetQualified(p, pOne->zSql, pDdl->zSchema),
            dropTrigger(p, pDdl, pOne));
  }
}

/* A plan of zTable's as text, for somebody else to run: one statement is one
** line. */
const char *ddlText(Sqlx *p, const Ddl *pDdl, const char *zTable){
  sqlite3_str *pText = sqlite3_str_new(p->db);
  const DdlStep *pStep;
  int bBreak = 0;
  for(pStep=pDdl->pFirst; pStep; pStep=pStep->pNext){
    if( strchr(pStep->zDo, '\n') ) bBreak = 1;
    sqlite3_str_appendf(pText, "%s;\n", pStep->zDo);
  }
  if( bBreak ){
    sqlxBad(p, "a name or an index of table %Q has a line break in it;"
               " allowed in text are names without", zTable);
  }
  return sqlxText(p, pText);
}

/* ---- all or nothing --------------------------------------------------- */

/*
** Open what is around plans: the write lock at once where no transaction is
** open, so that busy_timeout works; a savepoint where one is. Inside a
** statement that writes neither can be. After an error, too, ddlEnd() is
** still to be called.
*/
DdlTxn ddlBegin(Sqlx *p, DdlScope eScope){
  DdlTxn txn = { 0, 0, 0, 0, 0, 0, 0, 0 };
  if( eScope==DDL_STATEMENT ) return txn;
  if( sqlxWrites(p->db) ){
    sqlxBad(p, "called in a statement that writes; allowed is a SELECT of"
               " its own");
  }
  txn.bOwn = sqlite3_get_autocommit(p->db);
  txn.pKeep = sqlxPrepare(p, txn.bOwn ? "COMMIT" : "RELEASE interlock_plan");
  txn.pBack = sqlxPrepare(p, txn.bOwn ? "ROLLBACK"
                                      : "ROLLBACK TO interlock_plan");
  txn.pHalt = sqlxPrepare(p, "BEGIN IMMEDIATE");
  if( txn.bOwn ){
    sqlxStep(p, txn.pHalt);
    txn.bOpen = !sqlite3_get_autocommit(p->db);
    sqlite3_reset(txn.pHalt);
  }else{
    sqlite3_stmt *pSave = sqlxPrepare(p, "SAVEPOINT interlock_plan");
    txn.bOpen = p->rc==SQLITE_OK;
    sqlxStep(p, pSave);
    sqlite3_finalize(pSave);
  }
  return txn;
}

/*
** Once memory has run out, or an interrupt has come, SQLite compiles nothing
** more until the outermost statement ends. What was compiled before does not
** help everywhere: SQLite before 3.38 does not even run it once memory has run
** out; DDL in temp makes every statement of the connection expire; and in a
** statement that writes there is none, and its own journal is of main only.
** But a statement that is being run does not expire. One that ends after memory
** has run out takes the whole transaction back with it, and so does one that
** could write and goes on after an interrupt. So one of each is kept running,
** on its first row: they read no page and write nothing. While they do so
** SQLite refuses a DROP TABLE: such a plan goes without. And while the second
** does so it keeps nothing: that one ends before ddlEnd() does.
*/
static void ddlWatch(Sqlx *p, DdlTxn *pTxn, const Ddl *pDdl){
  if( pDdl->bDrops ){
    sqlite3_finalize(pTxn->pRead);
    sqlite3_finalize(pTxn->pWrite);
    pTxn->pRead = pTxn->pWrite = 0;
  }else if( pTxn->pRead==0 ){
    pTxn->pRead = sqlxPrepare(p, "SELECT 1 UNION ALL"
                                 " SELECT 1 FROM temp.sqlite_master");
    sqlxStep(p, pTxn->pRead);
    if( pTxn->bOpen ){
      pTxn->pWrite = sqlxPrepare(p, "PRAGMA main.journal_mode");
      sqlxStep(p, pTxn->pWrite);
    }
  }
}

/*
** Undo the steps up to pStep, one by one, in a statement that writes: SQLite
** refuses a savepoint there, and for one row has none of its own. If that
** fails, or cannot be, the transaction goes: half of it must not stay.
**
** In other files than main it cannot be: what SQLite itself then takes back of
** the statement begins there not at its start, but where one of the steps was
** the first to need a journal, and what was undone comes back.
*/
static void ddlUndo(sqlite3 *db, const Ddl *pDdl, const DdlStep *pStep){
  Sqlx x;
  int bMain = sqlite3_stricmp(pDdl->zSchema, "main")==0;
  sqlxBegin(&x, db);
  for(; pStep && !sqlite3_get_autocommit(db); pStep=pStep->pPrev){
    if( !bMain ) sqlxChange(&x, DDL_UNDO_ALL);
    else if( pStep->zUndo ) sqlxChange(&x, pStep->zUndo);
  }
  if( x.rc!=SQLITE_OK && !sqlite3_get_autocommit(db) ){
    sqlxClear(&x);
    sqlxChange(&x, DDL_UNDO_ALL);
  }
  sqlxEnd(&x);
}

/*
** In a statement of several rows that fails, SQLite takes back the rows before
** from the journal of the statement, which begins in each file but main with
** the first of our statements there that needs one. It is made to be the first
** of all, before anything is changed; it changes nothing. Without a registry
** the statement that makes it is the first.
*/
static void ddlJournal(Sqlx *p, const Ddl *pDdl){
  const char *zRegistry = sqlxPrintf(p, "interlock_%s", pDdl->zKind);
  if( sqlite3_stricmp(pDdl->zSchema, "main")==0
   || !sqlxTable(p, pDdl->zSchema, zRegistry) ) return;
  sqlxChange(p, sqlxPrintf(p, "INSERT INTO \"%w\".%s"
      " SELECT * FROM \"%w\".%s WHERE 0", pDdl->zSchema, zRegistry,
      pDdl->zSchema, zRegistry));
}

/* Run a plan. After an error nothing of it stays, at the latest after
** ddlEnd(). */
void ddlRun(Sqlx *p, const Ddl *pDdl, DdlTxn *pTxn){
  const DdlStep *pStep;
  if( pDdl->pFirst && !pTxn->bOpen ) ddlJournal(p, pDdl);
  if( pDdl->pFirst ) ddlWatch(p, pTxn, pDdl);
  for(pStep=pDdl->pFirst; pStep && p->rc==SQLITE_OK; pStep=pStep->pNext){
    pTxn->bRun = 1;
    sqlxChange(p, pStep->zDo);
    if( p->rc!=SQLITE_OK && !pTxn->bOpen ){
      ddlUndo(p->db, pDdl, pStep->pPrev);
    }
  }
}

/*
** Undo all since ddlBegin(). An interrupt ends every statement that is begun
** after it as well, also one that would undo something, until the outermost
** has ended. But one that could write takes the whole transaction with it: here
** there is no better way. Where no step has been run a savepoint stays behind
** in the user's transaction, with nothing in it.
*/
static void ddlBack(sqlite3 *db, DdlTxn *pTxn){
  int rc = sqlite3_step(pTxn->pBack);
  if( rc==SQLITE_INTERRUPT && (pTxn->bOwn || pTxn->bRun) ){
    if( pTxn->pWrite ) sqlite3_step(pTxn->pWrite);
    if( !sqlite3_get_autocommit(db) ) sqlite3_step(pTxn->pHalt);
  }
  sqlite3_finalize(pTxn->pWrite);
  pTxn->pWrite = 0;
  sqlite3_reset(pTxn->pKeep);
  if( !pTxn->bOwn && rc==SQLITE_DONE ) sqlite3_step(pTxn->pKeep);
}

/* Close it: keep what was done since ddlBegin(), or, after any error of the
** request, undo all of it. */
void ddlEnd(Sqlx *p, DdlTxn *pTxn){
  if( pTxn->pWrite ){
    /* It is to end, and pHalt may have expired. */
    sqlite3_stmt *pNew = sqlxPrepare(p, "BEGIN IMMEDIATE");
    if( pNew ){
      sqlite3_finalize(pTxn->pHalt);
      pTxn->pHalt = pNew;
      sqlite3_finalize(pTxn->pWrite);
      pTxn->pWrite = 0;
    }
  }
  if( pTxn->bOpen ){
    sqlxStep(p, pTxn->pKeep);
    if( p->rc!=SQLITE_OK && !sqlite3_get_autocommit(p->db) ){
      ddlBack(p->db, pTxn);
    }
  }
  sqlite3_finalize(pTxn->pWrite);
  sqlite3_finalize(pTxn->pRead);
  sqlite3_finalize(pTxn->pHalt);
  sqlite3_finalize(pTxn->pBack);
  sqlite3_finalize(pTxn->pKeep);
}
