/* SPDX-License-Identifier: 0BSD */
/*
** Hearing of the transaction. See txnscope.h.
*/
#include <string.h>
#include "session/txnscope.h"
SQLITE_EXTENSION_INIT3

#define TABLE_NAME "interlock_transaction"
#define CLOSE_NAME "interlock_close"
#define WRITER_NAME "interlock_writer"

typedef struct TxnTable {
  sqlite3_vtab base;
  TxnScope *pScope;
} TxnTable;

/* A table has no rows: a cursor is always at its end. */
typedef struct TxnCursor {
  sqlite3_vtab_cursor base;
} TxnCursor;

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
  sqlite3_vtab **pp
){
  TxnTable *pNew;
  int rc = sqlite3_declare_vtab(db, "CREATE TABLE x(unused)");
  if( rc!=SQLITE_OK ) return rc;
  pNew = sqlite3_malloc64(sizeof(*pNew));
  if( pNew==0 ) return SQLITE_NOMEM;
  memset(pNew, 0, sizeof(*pNew));
  pNew->pScope = pScope;
  pScope->pEvents->xHold(pScope->pArg);
  sqlite3_vtab_config(db, eRisk);
  *pp = &pNew->base;
  return SQLITE_OK;
}

static int txnBestIndex(sqlite3_vtab *pVtab, sqlite3_index_info *pInfo){
  (void)pVtab;
  pInfo->estimatedCost = 1;
  pInfo->estimatedRows = 1;
  return SQLITE_OK;
}

static int txnOpen(sqlite3_vtab *pVtab, sqlite3_vtab_cursor **ppCursor){
  TxnCursor *pNew = sqlite3_malloc64(sizeof(*pNew));
  (void)pVtab;
  if( pNew==0 ) return SQLITE_NOMEM;
  memset(pNew, 0, sizeof(*pNew));
  *ppCursor = &pNew->base;
  return SQLITE_OK;
}

static int txnClose(sqlite3_vtab_cursor *pCursor){
  sqlite3_free(pCursor);
  return SQLITE_OK;
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

static void dropScope(void *pScope){
  TxnScope *p = (TxnScope*)pScope;
  p->pEvents->xDrop(p->pArg);
}

/* SQLite before 3.41 lets go of the module first: it does not keep the scope
** for the table's sake. */
static int txnDisconnect(sqlite3_vtab *pVtab){
  TxnScope *p = txnOf(pVtab);
  sqlite3_free(pVtab);
  dropScope(p);
  return SQLITE_OK;
}

#define NO_ROWS \
  .xBestIndex = txnBestIndex, \
  .xOpen = txnOpen, \
  .xClose = txnClose, \
  .xFilter = txnFilter, \
  .xNext = txnNext, \
  .xEof = txnEof, \
  .xColumn = txnColumn, \
  .xRowid = txnRowid

/* ---- interlock_transaction -------------------------------------------- */

/* Nothing is written to it. That it could be is what enlists a statement. */
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
  return connectTable(db, (TxnScope*)pAux, SQLITE_VTAB_DIRECTONLY, ppVtab);
}

/* DROP TABLE. Without its table a transaction would not be heard of to its
** end, so it is refused meanwhile. */
static int txnDestroy(sqlite3_vtab *pVtab){
  if( txnOf(pVtab)->bEnlisted ) return SQLITE_LOCKED;
  txnOf(pVtab)->bMade = 0;
  return txnDisconnect(pVtab);
}

/* The transaction that makes the table is not begun for it: it has begun. It
** counts only if no error comes after. */
/* Marks from before a refused close may be of other savepoints than those there
** are now: they go before the first event after it. */
static void dropMarks(TxnScope *p){
  if( p->bUntold ) p->nMark = 0;
}

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
    dropMarks((TxnScope*)pAux);
  }
  return rc;
}

static int inTransaction(TxnScope *p){
  return sqlite3_txn_state(p->db, 0)==SQLITE_TXN_WRITE;
}

static void endScope(TxnScope *p){
  p->bMade = 0;
  p->bEnlisted = 0;
  p->bUntold = 0;
  p->nMark = 0;
  p->iNumber++;
  p->pEvents->xEnd(p->pArg);
}

/* After an sqlite3_close() that was refused: has the transaction ended? In
** autocommit none that was begun by BEGIN goes on, whatever is written now. */
static void catchUp(TxnScope *p){
  if( p->bUntold && (!inTransaction(p)
   || (p->bUntoldBegin && sqlite3_get_autocommit(p->db))) ){
    endScope(p);
  }
}

/* Events come again. */
static void hearAgain(TxnScope *p){
  catchUp(p);
  if( p->bUntold ){
    p->iNumber++;
    p->bUntold = 0;
  }
  p->bEnlisted = 1;
}

static int txnBegin(sqlite3_vtab *pVtab){
  dropMarks(txnOf(pVtab));
  hearAgain(txnOf(pVtab));
  return SQLITE_OK;
}

/* Comes when the transaction is committed. In xSync, before, it may still be
** refused and go on. */
static int txnCommit(sqlite3_vtab *pVtab){
  endScope(txnOf(pVtab));
  return SQLITE_OK;
}

/*
** Comes after the files have been rolled back, and also from an
** sqlite3_close() that is then refused: the transaction goes on, a file
** still being written, but nobody is going to tell of its end.
*/
static int txnRollback(sqlite3_vtab *pVtab){
  TxnScope *p = txnOf(pVtab);
  if( inTransaction(p) ){
    if( p->bEnlisted ){
      p->bUntold = 1;
      p->bUntoldBegin = !sqlite3_get_autocommit(p->db);
    }
    p->bMade = 0;
    p->bEnlisted = 0;
  }else{
    endScope(p);
  }
  return SQLITE_OK;
}

/* A table that takes part from now on is told of the savepoint that was opened
** last. Where another one has heard of it, it stands marked. */
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

/* xCreate is not xConnect: so it is not eponymous, which would make it a
** table of main. */
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
** The statement that enlists is kept, and holds a reference on the table it
** writes: it would make sqlite3_close() fail, as would any other that is kept
** (knowntable.h). They have to go when the connection is closed, and a table
** that they do not refer to is told of that: this one, whose only use it is. A user's table of that name hides it, and
** then nothing is kept.
*/
static void dropStatement(TxnScope *p){
  sqlite3_stmt *pStmt = p->pEnlist;
  p->pEnlist = 0;
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
  int rc = connectTable(db, (TxnScope*)pAux, SQLITE_VTAB_DIRECTONLY, ppVtab);
  (void)argc; (void)argv; (void)pzErr;
  if( rc==SQLITE_OK ) ((TxnScope*)pAux)->bClosing = 1;
  return rc;
}

static int txnDisconnectClose(sqlite3_vtab *pVtab){
  TxnScope *p = txnOf(pVtab);
  p->bClosing = 0;
  dropStatement(p);
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
** Takes part in every transaction that writes a guarded table: the triggers
** of such a table write to it, a DELETE of no rows in a place that is never
** reached, and SQLite begins a table for a statement that could write it. So
** nothing has to be run, and nothing made, in the middle of a user's statement.
** It is a table of main, as all are that have no CREATE: who writes a guarded
** table of another file takes main's write lock as well.
*/
static int txnConnectWriter(
  sqlite3 *db,
  void *pAux,
  int argc,
  const char *const *argv,
  sqlite3_vtab **ppVtab,
  char **pzErr
){
  (void)argc; (void)argv; (void)pzErr;
  return connectTable(db, (TxnScope*)pAux, SQLITE_VTAB_INNOCUOUS, ppVtab);
}

/* The last moment at which a transaction can be refused. It may come more than
** once: a COMMIT that finds a reader is tried again. */
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

/* ---- taking part ------------------------------------------------------ */

/* A DELETE of no rows enlists its table, and moves neither
** last_insert_rowid() nor total_changes(). It opens a savepoint of its own, by
** which SQLite takes the table to know of those that are open already: it then
** hears of their ROLLBACK TO. */
static void runEnlist(TxnScope *p, Sqlx *x){
  if( p->pEnlist==0 ){
    p->pEnlist = sqlxPrepare(x, "DELETE FROM temp." TABLE_NAME " WHERE 0");
  }
  if( p->pEnlist ){
    sqlxStep(x, p->pEnlist);
    sqlite3_reset(p->pEnlist);
  }
}

static void makeTable(TxnScope *p, Sqlx *x){
  sqlxRun(x, "CREATE VIRTUAL TABLE temp." TABLE_NAME " USING " TABLE_NAME);
  if( x->rc!=SQLITE_OK ){
    p->bMade = 0;
    return;
  }
  runEnlist(p, x);
}

/* A table or view of that name can hide it, also one that cannot be read. */
int txnscopeHearsClose(TxnScope *p, Sqlx *x){
  if( !p->bClosing ){
    sqlxFinalize(x, sqlxPrepare(x, "SELECT 1 FROM " CLOSE_NAME));
    if( x->rc!=SQLITE_NOMEM ) sqlxClear(x);
  }
  return p->bClosing && x->rc==SQLITE_OK;
}

/* Keep the statement only if its end will be seen to. */
static void keepStatement(TxnScope *p, Sqlx *x){
  if( !txnscopeHearsClose(p, x) ) dropStatement(p);
}

static void explain(Sqlx *x, const char *zWho){
  int rc = x->rc;
  const char *zWhy = sqlxErrorText(x);
  if( rc==SQLITE_NOMEM ) return;
  sqlxClear(x);
  sqlxFail(x, rc, "no transaction: %s cannot take part in it: %s%s", zWho, zWhy,
           rc==SQLITE_READONLY ? " (PRAGMA query_only)" : "");
}

void txnscopeEnlist(TxnScope *p, Sqlx *x, const char *zWho){
  if( p->bEnlisted || x->rc!=SQLITE_OK ) return;
  runEnlist(p, x);
  if( x->rc==SQLITE_ERROR ){         /* no such table */
    sqlxClear(x);
    dropStatement(p);
    makeTable(p, x);
  }
  /* In the transaction that made it xBegin does not come. */
  if( x->rc==SQLITE_OK && p->bMade && !p->bEnlisted ) hearAgain(p);
  if( !p->bEnlisted ){
    sqlxFail(x, SQLITE_ERROR, "temp." TABLE_NAME " is a table of another's");
  }
  if( x->rc!=SQLITE_OK ){
    explain(x, zWho);
    dropStatement(p);
  }else{
    keepStatement(p, x);
  }
}

int txnscopeHeard(const TxnScope *p){ return p->bEnlisted || p->bUntold; }

void txnscopeCatchUp(TxnScope *p){ catchUp(p); }

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
  p->pEvents->xHold(p->pArg);
  return sqlite3_create_module_v2(p->db, zName, pModule, p, dropScope);
}

int txnscopeRegister(TxnScope *p){
  int rc = registerModule(p, TABLE_NAME, &transactionModule);
  if( rc==SQLITE_OK ) rc = registerModule(p, CLOSE_NAME, &closeModule);
  if( rc==SQLITE_OK ) rc = registerModule(p, WRITER_NAME, &writerModule);
  return rc;
}

/* After a failed load. */
void txnscopeUnregister(sqlite3 *db){
  sqlite3_create_module_v2(db, TABLE_NAME, 0, 0, 0);
  sqlite3_create_module_v2(db, CLOSE_NAME, 0, 0, 0);
  sqlite3_create_module_v2(db, WRITER_NAME, 0, 0, 0);
}
