/* SPDX-License-Identifier: 0BSD */
/*
** The events of a connection's transaction. See txnscope.h.
*/
#include <string.h>
#include "session/txnscope.h"
#include "session/waiting.h"
#include "core/os.h"
#include "sqlite/vtab.h"
SQLITE_EXTENSION_INIT3

#define TABLE_NAME "interlock_transaction"
#define CLOSE_NAME "interlock_close"
#define WRITER_NAME "interlock_writer"

typedef struct TxnTable {
  sqlite3_vtab base;
  TxnScope *pScope;
} TxnTable;

static TxnScope *txnOf(sqlite3_vtab *pVtab){
  TxnScope *p = ((TxnTable*)pVtab)->pScope;
  assert( sqlxHeld(p->db) );
  return p;
}

/* ---- tables without rows ---------------------------------------------- */

static int connectTable(
  sqlite3 *db,
  TxnScope *pScope,
  int eRisk,             /* SQLITE_VTAB_DIRECTONLY or _INNOCUOUS */
  sqlite3_vtab **pp,
  char **pzErr
){
  int rc = vtabConnect(db, "CREATE TABLE x(unused)", eRisk, sizeof(TxnTable),
                       pp, pzErr);
  if( rc!=SQLITE_OK ) return rc;
  ((TxnTable*)*pp)->pScope = pScope;
  pScope->pEvents->xRef(pScope->pArg);
  return SQLITE_OK;
}

static int txnBestIndex(sqlite3_vtab *pVtab, sqlite3_index_info *pInfo){
  (void)pVtab;
  pInfo->estimatedCost = 1;
  pInfo->estimatedRows = 1;
  return SQLITE_OK;
}

/* A table has no rows: a cursor is always at its end. */
static int txnOpen(sqlite3_vtab *pVtab, sqlite3_vtab_cursor **ppCursor){
  (void)pVtab;
  return vtabOpen(sizeof(**ppCursor), ppCursor);
}

static int txnFilter(
  sqlite3_vtab_cursor *pCursor,
  int idxNum,
  const char *idxStr,
  int argc,
  sqlite3_value **argv
){
  (void)pCursor; (void)idxNum; (void)idxStr; (void)argc; (void)argv;
  return SQLITE_OK;
}

static int txnNext(sqlite3_vtab_cursor *pCursor){
  (void)pCursor;
  return SQLITE_OK;
}

static int txnEof(sqlite3_vtab_cursor *pCursor){
  (void)pCursor;
  return 1;
}

static int txnColumn(
  sqlite3_vtab_cursor *pCursor,
  sqlite3_context *ctx,
  int i
){
  (void)pCursor; (void)i;
  sqlite3_result_null(ctx);
  return SQLITE_OK;
}

static int txnRowid(sqlite3_vtab_cursor *pCursor, sqlite3_int64 *piRowid){
  (void)pCursor;
  *piRowid = 0;
  return SQLITE_OK;
}

static void unrefScope(void *pScope){
  TxnScope *p = (TxnScope*)pScope;
  p->pEvents->xUnref(p->pArg);
}

/* SQLite before 3.41 ends the module before its tables, so the module's
** reference does not keep the scope for a table. */
static int txnDisconnect(sqlite3_vtab *pVtab){
  TxnScope *p = txnOf(pVtab);
  vtabDisconnect(pVtab);
  unrefScope(p);
  return SQLITE_OK;
}

#define NO_ROWS \
  .xBestIndex = txnBestIndex, \
  .xOpen = txnOpen, \
  .xClose = vtabClose, \
  .xFilter = txnFilter, \
  .xNext = txnNext, \
  .xEof = txnEof, \
  .xColumn = txnColumn, \
  .xRowid = txnRowid

/* ---- interlock_transaction -------------------------------------------- */

/* Refuses every write. But SQLite enlists the table for a statement that could
** write to it, and for that it needs an xUpdate. */
static int txnUpdate(
  sqlite3_vtab *pVtab,
  int argc,
  sqlite3_value **argv,
  sqlite3_int64 *piRowid
){
  (void)argc; (void)argv; (void)piRowid;
  sqlite3_free(pVtab->zErrMsg);
  pVtab->zErrMsg = sqlite3_mprintf("this table of Interlock's holds no rows");
  return SQLITE_READONLY;
}

static int txnConnect(
  sqlite3 *db,
  void *pAux,
  int argc,
  const char *const *argv,
  sqlite3_vtab **ppVtab,
  char **pzErr
){
  if( argc<2 || sqlite3_stricmp(argv[1], "temp")!=0 ){
    *pzErr = sqlite3_mprintf(TABLE_NAME " is a table of the temp schema");
    return SQLITE_ERROR;
  }
  return connectTable(db, (TxnScope*)pAux, SQLITE_VTAB_DIRECTONLY, ppVtab,
                      pzErr);
}

/* DROP TABLE. It is refused while the table is enlisted: the transaction's end
** would not come as an event. */
static int txnDestroy(sqlite3_vtab *pVtab){
  if( txnOf(pVtab)->bEnlisted ) return SQLITE_LOCKED;
  txnOf(pVtab)->bMade = 0;
  return txnDisconnect(pVtab);
}

/* Marks from before a refused close may belong to savepoints that are closed.
** They must go before the first event after it. */
static void clearMarks(TxnScope *p){
  if( p->bLost ) p->nMark = 0;
}

/* SQLite calls no xBegin for the transaction that makes the table. bMade says
** so, unless an error follows. */
static int txnCreate(
  sqlite3 *db,
  void *pAux,
  int argc,
  const char *const *argv,
  sqlite3_vtab **ppVtab,
  char **pzErr
){
  int rc = txnConnect(db, pAux, argc, argv, ppVtab, pzErr);
  if( rc==SQLITE_OK ){
    ((TxnScope*)pAux)->bMade = 1;
    clearMarks((TxnScope*)pAux);
  }
  return rc;
}

static int inTransaction(TxnScope *p){
  return sqlite3_txn_state(p->db, 0)==SQLITE_TXN_WRITE;
}

static void endScope(TxnScope *p, int bUndone){
  p->bMade = 0;
  p->bEnlisted = 0;
  p->bLost = 0;
  p->nMark = 0;
  p->iNumber++;
  p->pEvents->xEnd(p->pArg, bUndone);
}

/* In autocommit no transaction that was begun by BEGIN goes on, whatever is
** being written now. */
void txnscopeCatchUp(TxnScope *p){
  if( p->bLost && (!inTransaction(p)
   || (p->bLostBegin && sqlite3_get_autocommit(p->db))) ){
    endScope(p, 0);
  }
}

/* A table was enlisted: events come. */
static void startFollowing(TxnScope *p){
  txnscopeCatchUp(p);
  if( p->bLost ){
    p->iNumber++;
    p->bLost = 0;
  }
  p->bEnlisted = 1;
}

static int txnBegin(sqlite3_vtab *pVtab){
  clearMarks(txnOf(pVtab));
  startFollowing(txnOf(pVtab));
  return SQLITE_OK;
}

/* The transaction is committed. At xSync, before, the COMMIT could still have
** failed and the transaction gone on. */
static int txnCommit(sqlite3_vtab *pVtab){
  endScope(txnOf(pVtab), 0);
  return SQLITE_OK;
}

/*
** SQLite calls this after the files have been rolled back, and also from an
** sqlite3_close() that it then refuses. In that case the transaction goes on,
** since a file is still being written, but its end will not come as an event.
*/
static int txnRollback(sqlite3_vtab *pVtab){
  TxnScope *p = txnOf(pVtab);
  if( inTransaction(p) ){
    if( p->bEnlisted ){
      p->bLost = 1;
      p->bLostBegin = !sqlite3_get_autocommit(p->db);
    }
    p->bMade = 0;
    p->bEnlisted = 0;
  }else{
    endScope(p, 1);
  }
  return SQLITE_OK;
}

/* For a table that is newly enlisted SQLite calls this with the savepoint that
** was opened last. If another table was enlisted before, it is marked. */
static int txnSavepoint(sqlite3_vtab *pVtab, int i){
  TxnScope *p = txnOf(pVtab);
  int rc;
  if( i<p->nMark ) return SQLITE_OK;
  rc = p->pEvents->xMark(p->pArg, p->nMark, i);
  if( rc==SQLITE_OK ) p->nMark = i + 1;
  return rc;
}

static int txnRelease(sqlite3_vtab *pVtab, int i){
  TxnScope *p = txnOf(pVtab);
  if( i<0 ) i = 0;
  if( i<p->nMark ) p->nMark = i;
  return SQLITE_OK;
}

static int txnRollbackTo(sqlite3_vtab *pVtab, int i){
  TxnScope *p = txnOf(pVtab);
  if( i>=p->nMark ) return SQLITE_OK;
  p->nMark = i + 1;
  p->pEvents->xRollbackTo(p->pArg, i);
  return SQLITE_OK;
}

#define TXN_EVENTS \
  .xUpdate = txnUpdate, \
  .xBegin = txnBegin, \
  .xCommit = txnCommit, \
  .xRollback = txnRollback, \
  .xSavepoint = txnSavepoint, \
  .xRelease = txnRelease, \
  .xRollbackTo = txnRollbackTo

/* xCreate differs from xConnect, so the table is not eponymous: an eponymous
** table belongs to main. */
static const sqlite3_module transactionModule = {
  NO_ROWS,
  TXN_EVENTS,
  .iVersion = 2,
  .xCreate = txnCreate,
  .xConnect = txnConnect,
  .xDisconnect = txnDisconnect,
  .xDestroy = txnDestroy,
};

/* ---- interlock_close -------------------------------------------------- */

/*
** The statements that enlist are kept. Each has a reference on the table that
** it writes, so it would make sqlite3_close() fail, and must be finalized when
** the connection is closed. SQLite then disconnects the tables without a
** reference, and this one exists only to be one of them. If a table of the
** user's hides its name, no statement is kept. The same holds for statements
** that are kept elsewhere (xClosing).
*/
static void dropStatement(sqlite3_stmt **pp){
  sqlite3_stmt *pStmt = *pp;
  *pp = 0;
  sqlite3_finalize(pStmt);
}

static int txnConnectClose(
  sqlite3 *db,
  void *pAux,
  int argc,
  const char *const *argv,
  sqlite3_vtab **ppVtab,
  char **pzErr
){
  int rc = connectTable(db, (TxnScope*)pAux, SQLITE_VTAB_DIRECTONLY, ppVtab,
                        pzErr);
  (void)argc; (void)argv;
  if( rc==SQLITE_OK ) ((TxnScope*)pAux)->bSeesClose = 1;
  return rc;
}

static int txnDisconnectClose(sqlite3_vtab *pVtab){
  TxnScope *p = txnOf(pVtab);
  p->bSeesClose = 0;
  dropStatement(&p->pEnlist);
  dropStatement(&p->pWrite);
  p->pEvents->xClosing(p->pArg);
  return txnDisconnect(pVtab);
}

static const sqlite3_module closeModule = {
  NO_ROWS,
  .iVersion = 1,
  .xConnect = txnConnectClose,
  .xDisconnect = txnDisconnectClose,
};

/* ---- interlock_writer ------------------------------------------------- */

/*
** This table takes part in every transaction that writes a guarded table. The
** triggers of a guarded table contain a DELETE of no rows from it, and SQLite
** enlists a table for a statement that could write to it, run or not. So
** nothing is run or made in the middle of a user's statement. The table belongs
** to main, as every eponymous one does: a statement that writes a guarded table
** of another file takes main's write lock as well.
*/
static int txnConnectWriter(
  sqlite3 *db,
  void *pAux,
  int argc,
  const char *const *argv,
  sqlite3_vtab **ppVtab,
  char **pzErr
){
  (void)argc; (void)argv;
  return connectTable(db, (TxnScope*)pAux, SQLITE_VTAB_INNOCUOUS, ppVtab,
                      pzErr);
}

/* The last call that can make a COMMIT fail. It may come more than once: a
** COMMIT that fails because of a reader can be tried again. */
static int txnSyncWriter(sqlite3_vtab *pVtab){
  TxnScope *p = txnOf(pVtab);
  char *zError = 0;
  int rc = p->pEvents->xCommit(p->pArg, &zError);
  if( rc!=SQLITE_OK ){
    sqlite3_free(pVtab->zErrMsg);
    pVtab->zErrMsg = zError;
  }
  return rc;
}

static const sqlite3_module writerModule = {
  NO_ROWS,
  TXN_EVENTS,
  .xSync = txnSyncWriter,
  .iVersion = 2,
  .xConnect = txnConnectWriter,
  .xDisconnect = txnDisconnect,
};

/* ---- enlisting -------------------------------------------------------- */

/*
** A DELETE of no rows enlists its table, and changes neither
** last_insert_rowid() nor total_changes(). The statement opens a savepoint of
** its own. SQLite calls xSavepoint for it, and from then on xRollbackTo for the
** savepoints that are already open as well.
**
** If an interrupt meets the statement, SQLite rolls the whole transaction back,
** and only a statement that could write enlists a table. So the statement must
** be short: it has about ten operations. A progress handler counts those of
** all runs, unless the count is cleared.
*/
static void runStatement(Sqlx *x, sqlite3_stmt **pp, const char *zTable){
  if( *pp==0 ) *pp = sqlxPrepare(x, "DELETE FROM %s WHERE 0", zTable);
  if( *pp ){
    sqlite3_stmt_status(*pp, SQLITE_STMTSTATUS_VM_STEP, 1);
    sqlxStep(x, *pp);
    sqlite3_reset(*pp);
  }
}

static void runEnlist(TxnScope *p, Sqlx *x){
  runStatement(x, &p->pEnlist, "temp." TABLE_NAME);
}

static void makeTable(TxnScope *p, Sqlx *x){
  sqlxRun(x, "CREATE VIRTUAL TABLE temp." TABLE_NAME " USING " TABLE_NAME);
  if( x->rc!=SQLITE_OK ){
    p->bMade = 0;
    return;
  }
  runEnlist(p, x);
}

/* A table or view of the user's can hide the name, even one that cannot be
** read. */
int txnscopeSeesClose(TxnScope *p, Sqlx *x){
  if( !p->bSeesClose ){
    sqlxFinalize(x, sqlxPrepare(x, "SELECT 1 FROM " CLOSE_NAME));
    if( x->rc!=SQLITE_NOMEM ) sqlxClear(x);
  }
  return p->bSeesClose && x->rc==SQLITE_OK;
}

/* Keeps a statement only if interlock_close can be connected. */
static void keepStatement(TxnScope *p, Sqlx *x, sqlite3_stmt **pp){
  if( !txnscopeSeesClose(p, x) ) dropStatement(pp);
}

/* Makes the request's error one about the transaction. */
static void explain(Sqlx *x, const char *zWho){
  int rc = x->rc;
  const char *zWhy = sqlxErrorText(x);
  if( rc==SQLITE_NOMEM || rc==SQLITE_INTERRUPT ) return;
  sqlxClear(x);
  sqlxFail(x, rc, "no transaction: %s cannot take part in it: %s%s", zWho, zWhy,
           rc==SQLITE_READONLY && sqlite3_db_readonly(x->db, "main")!=1
               ? " (PRAGMA query_only)" : "");
}

/* Enlists the table in temp; 0 if it is missing. bMake: it is made then. */
static int enlistTemp(TxnScope *p, Sqlx *x, const char *zWho, int bMake){
  runEnlist(p, x);
  if( x->rc==SQLITE_ERROR ){         /* no such table */
    sqlxClear(x);
    dropStatement(&p->pEnlist);
    if( !bMake ) return 0;
    makeTable(p, x);
  }
  /* SQLite calls no xBegin in the transaction that made the table. */
  if( x->rc==SQLITE_OK && p->bMade && !p->bEnlisted ) startFollowing(p);
  if( !p->bEnlisted ){
    sqlxFail(x, SQLITE_ERROR, "temp." TABLE_NAME " is a table of another's");
  }
  if( x->rc!=SQLITE_OK ){
    explain(x, zWho);
    dropStatement(&p->pEnlist);
  }else{
    keepStatement(p, x, &p->pEnlist);
  }
  return 1;
}

/* Whether SQLite has not granted a lock, or was interrupted. txnscopeWrite()
** leaves such an error unchanged. */
static int isBusy(int rc){
  return (rc & 0xff)==SQLITE_BUSY || (rc & 0xff)==SQLITE_LOCKED
      || rc==SQLITE_INTERRUPT;
}

static void runWrite(TxnScope *p, Sqlx *x){
  runStatement(x, &p->pWrite, "main." WRITER_NAME);
}

/* The value of sqlite3_busy_timeout(); 0 if none is set, or if the program has
** a busy handler of its own. SQLite finds it when it compiles the statement,
** which must therefore not be kept. */
static int busyTimeout(Sqlx *x){
  sqlite3_stmt *pStmt = sqlxPrepare(x, "PRAGMA busy_timeout");
  int ms = sqlxStep(x, pStmt) ? sqlite3_column_int(pStmt, 0) : 0;
  sqlxFinalize(x, pStmt);
  return ms;
}

/* How long to sleep before the next attempt, in ms: 1, 2, 4, ... 64. */
static int msPause(int nTry, int msLeft){
  int ms = nTry<6 ? 1<<nTry : 64;
  return ms<msLeft ? ms : msLeft;
}

/*
** The same without SQLite's own busy handler, which does not notice an
** interrupt: SQLite would end the statement after the wait, and roll the
** transaction back. With bWait this function sleeps in its place, as long as
** it would, unless a transaction is open on main: then SQLite does not call it.
** A busy handler of the program's cannot be found out, and is called.
*/
static void runWriteBusy(TxnScope *p, Sqlx *x, int bWait){
  int ms = busyTimeout(x), nTry = 0;
  u64 msEnd = osMonotonicUs()/1000 + (u64)(ms>0 ? ms : 0), msNow;
  sqlite3_stmt *pLook = 0;
  if( sqlite3_txn_state(p->db, "main")!=SQLITE_TXN_NONE ) bWait = 0;
  if( ms>0 ) sqlite3_busy_timeout(p->db, 0);
  runWrite(p, x);
  while( ms>0 && bWait && (x->rc & 0xff)==SQLITE_BUSY
      && (msNow = osMonotonicUs()/1000)<msEnd ){
    osSleep(1000*(i64)msPause(nTry++, (int)(msEnd-msNow)));
    sqlxClear(x);
    if( waitingInterrupted(p->db, &pLook) ) x->rc = SQLITE_INTERRUPT;
    else runWrite(p, x);
  }
  sqlite3_finalize(pLook);
  if( ms>0 ) sqlite3_busy_timeout(p->db, ms);
}

/* interlock_writer is a table of main, so the write enlists it as well. If a
** table of the user's hides it, that table is written, and enlistTemp() enlists
** the other one. The statement is also kept after an error, since it
** will be needed again. */
void txnscopeWrite(TxnScope *p, Sqlx *x, const char *zWho, int bWait){
  if( x->rc!=SQLITE_OK ) return;
  if( p->bEnlisted
   && sqlite3_txn_state(p->db, "main")==SQLITE_TXN_WRITE ) return;
  runWriteBusy(p, x, bWait);
  if( x->rc!=SQLITE_OK ){
    if( !isBusy(x->rc) ) explain(x, zWho);
  }else if( !p->bEnlisted ){
    enlistTemp(p, x, zWho, 1);
  }
  if( x->rc==SQLITE_OK ) keepStatement(p, x, &p->pWrite);
  if( !p->bSeesClose ) dropStatement(&p->pWrite);
}

/* Makes an error of a write to main one that says what helps. */
static void explainInside(Sqlx *x, const char *zWho){
  int rc = x->rc;
  const char *zWhy = sqlxErrorText(x);
  if( rc==SQLITE_NOMEM || rc==SQLITE_INTERRUPT ) return;
  sqlxClear(x);
  sqlxFail(x, rc, "no transaction: %s cannot take part in it, inside of a"
      " statement that writes: main: %s: call it before, once, in a SELECT"
      " between BEGIN and COMMIT", zWho, zWhy);
}

/*
** Enlists a transaction in which a statement that writes is being run. If a
** table is made in temp meanwhile, SQLite ends that statement at the next table
** that it opens, in a trigger for example, and undoes the table with it. So a
** table that is missing is not made, and main is written in its place. If main
** is not being written yet, that takes SQLite's lock on it. A table or view
** of the user's can hide interlock_writer: then only the table in temp is left.
*/
static void enlistInside(TxnScope *p, Sqlx *x, const char *zWho){
  const char *zWhy;
  if( sqlite3_txn_state(p->db, "main")!=SQLITE_TXN_WRITE
   && enlistTemp(p, x, zWho, 0) ) return;
  runWrite(p, x);
  if( x->rc==SQLITE_ERROR || (x->rc==SQLITE_OK && !p->bEnlisted) ){
    zWhy = x->rc==SQLITE_OK ? WRITER_NAME " is a table of another's"
                            : sqlxErrorText(x);
    sqlxClear(x);
    dropStatement(&p->pWrite);
    if( enlistTemp(p, x, zWho, 0) ) return;
    sqlxFail(x, SQLITE_ERROR, "%s", zWhy);
  }
  if( x->rc==SQLITE_OK ) keepStatement(p, x, &p->pWrite);
  else explainInside(x, zWho);
  if( x->rc!=SQLITE_OK ) dropStatement(&p->pWrite);
}

/* Whether a statement that writes is being run. Most transactions have written
** nothing when their first lock is taken: then no statement is looked at. */
static int isInside(TxnScope *p){
  return inTransaction(p) && sqlxWrites(p->db);
}

void txnscopeEnlist(TxnScope *p, Sqlx *x, const char *zWho){
  if( p->bEnlisted || x->rc!=SQLITE_OK ) return;
  if( isInside(p) ) enlistInside(p, x, zWho);
  else enlistTemp(p, x, zWho, 1);
}

int txnscopeFollows(const TxnScope *p){ return p->bEnlisted || p->bLost; }

/* ---- registration ----------------------------------------------------- */

void txnscopeInit(
  TxnScope *p,
  sqlite3 *db,
  const TxnEvents *pEvents,
  void *pArg
){
  memset(p, 0, sizeof(*p));
  p->db = db;
  p->pEvents = pEvents;
  p->pArg = pArg;
  p->iNumber = 1;
}

static int registerModule(
  TxnScope *p,
  const char *zName,
  const sqlite3_module *pModule
){
  p->pEvents->xRef(p->pArg);
  return sqlite3_create_module_v2(p->db, zName, pModule, p, unrefScope);
}

int txnscopeRegister(TxnScope *p){
  int rc = registerModule(p, TABLE_NAME, &transactionModule);
  if( rc==SQLITE_OK ) rc = registerModule(p, CLOSE_NAME, &closeModule);
  if( rc==SQLITE_OK ) rc = registerModule(p, WRITER_NAME, &writerModule);
  return rc;
}

/* Must be called when loading has failed. */
void txnscopeUnregister(sqlite3 *db){
  sqlite3_create_module_v2(db, TABLE_NAME, 0, 0, 0);
  sqlite3_create_module_v2(db, CLOSE_NAME, 0, 0, 0);
  sqlite3_create_module_v2(db, WRITER_NAME, 0, 0, 0);
}
