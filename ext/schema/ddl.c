/* SPDX-License-Identifier: 0BSD */
/*
** A change of the schema, all or nothing. See ddl.h.
*/
#include <string.h>
#include "schema/ddl.h"
SQLITE_EXTENSION_INIT3

/* ---- writing it down -------------------------------------------------- */

/* Makes an empty list of steps for a table of that kind. */
void ddlNew(Ddl *pDdl, const char *zSchema, const char *zKind){
  memset(pDdl, 0, sizeof(*pDdl));
  pDdl->zSchema = zSchema;
  pDdl->zKind = zKind;
}

/* Appends a statement, with the one that undoes it (DdlStep). */
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
  return sqlxPrintf(p, "DROP TRIGGER \"%w\".\"%w\"", pDdl->zSchema,
                    pOne->zName);
}

/* Appends steps that drop triggers. If steps are undone one by one, each
** trigger is made again with the text that it has, or refused
** (triggersetRemade). */
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

/* Appends steps that make the triggers from iFrom up to before iTo. */
void ddlMakeTriggers(
  Sqlx *p,
  Ddl *pDdl,
  const TriggerSet *pSet,
  int iFrom,
  int iTo
){
  int i;
  for(i=iFrom; i<iTo; i++){
    const TriggerSetOne *pOne = &pSet->a[i];
    ddlStep(p, pDdl, triggersetQualified(p, pOne->zSql, pDdl->zSchema),
            dropTrigger(p, pDdl, pOne));
  }
}

/* Appends steps that make triggers of the user's again, which the plan has
** dropped, as they were. */
void ddlMakeAgain(Sqlx *p, Ddl *pDdl, const TriggerSet *pSet){
  int i;
  for(i=0; i<pSet->n; i++){
    const TriggerSetOne *pOne = &pSet->a[i];
    ddlStep(p, pDdl, triggersetRemade(p, pOne, pDdl->zSchema, pDdl->zKind),
            dropTrigger(p, pDdl, pOne));
  }
}

/* Returns the steps as text, for another program to run. Each statement is one
** line, so no name of zTable may contain a line break. */
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
** Begins a transaction with the write lock, so that busy_timeout applies or, if
** a transaction is open, a savepoint. Inside a statement that writes SQLite
** allows neither. The caller must call ddlEnd(), also after an error.
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
** Once memory has run out, or after an interrupt, SQLite compiles nothing more
** until the outermost statement ends. A statement that was compiled before does
** not help everywhere: SQLite before 3.38 does not run it once memory has run
** out; DDL in temp makes every statement of the connection expire; and inside a
** statement that writes there is none, and the journal of that statement covers
** main only.
**
** But a running statement does not expire. If a running statement ends after
** memory has run out, SQLite rolls the whole transaction back. It does so too
** if a running statement that could write goes on after an interrupt. So one
** statement of each sort is kept on its first row; they read no page and write
** nothing. While they run, SQLite refuses DROP TABLE: a change that drops a
** table must do without them. While the second runs, SQLite refuses COMMIT and
** RELEASE: it must end before ddlEnd() keeps the change.
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
** Undoes the steps up to pStep one by one, inside a statement that writes:
** SQLite refuses a savepoint there, and a statement of one row has none of its
** own. If undoing fails, or is impossible, the whole transaction is rolled
** back: no half of a change may stay.
**
** It is impossible in a file other than main. What SQLite itself then undoes of
** the statement begins there not at the start of the statement, but at the
** first step that needed a journal, and what was undone comes back.
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
** If a statement of several rows fails, SQLite undoes the earlier rows from the
** journal of the statement. In a file other than main that journal begins with
** the first of Interlock's statements there that needs one. So a statement that
** needs a journal, and changes nothing, is run before anything is changed.
** Without a registry the statement that makes the registry is the first.
*/
static void ddlJournal(Sqlx *p, const Ddl *pDdl){
  const char *zRegistry = sqlxPrintf(p, "interlock_%s", pDdl->zKind);
  if( sqlite3_stricmp(pDdl->zSchema, "main")==0
   || !sqlxTable(p, pDdl->zSchema, zRegistry) ) return;
  sqlxChange(p, sqlxPrintf(p, "INSERT INTO \"%w\".%s"
      " SELECT * FROM \"%w\".%s WHERE 0", pDdl->zSchema, zRegistry,
      pDdl->zSchema, zRegistry));
}

/* Runs the steps. After an error nothing of them stays, at the latest after
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
** Undoes everything since ddlBegin(). After an interrupt SQLite also ends every
** statement that is begun, even one that would undo something, until the
** outermost statement has ended. If the one that is begun could write, SQLite
** rolls the whole transaction back with it, and there is no better way here. If
** no step has been run, an empty savepoint stays in the user's transaction.
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

/* Keeps what was done since ddlBegin() or, after any error of the request,
** undoes all of it. */
void ddlEnd(Sqlx *p, DdlTxn *pTxn){
  if( pTxn->pWrite ){
    /* It must end now, and pHalt may have expired. */
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
