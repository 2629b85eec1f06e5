/* SPDX-License-Identifier: 0BSD */
/*
** Write turns. See turn.h.
**
** A turn is a lock on a key of its own kind. It is held to the end of the
** transaction. ROLLBACK TO does not release it, since its holder still has
** SQLite's write lock, which comes with the turn (connectionLock).
*/
#include "locks/turn.h"
#include "locks/calloption.h"
#include "sqlite/args.h"
SQLITE_EXTENSION_INIT3

/*
** SQL AREA Write turns
**
** SQLite allows one writer a database at a time. A connection that finds the
** database locked sleeps and retries (`busy_timeout`). When several
** connections retry, which one wins is chance: some wait while a hundred
** others pass. Connections that call `write_turn()` first wait in a queue, and
** the next one is woken when the transaction before it has ended. With the turn
** comes SQLite's write lock: `BEGIN; SELECT write_turn()` is a fair BEGIN
** IMMEDIATE.
**
** A writer that asks for no turn can still have SQLite's write lock. Then the
** connection whose turn it is waits for that lock as BEGIN IMMEDIATE does, for
** as long as its `busy_timeout` or busy handler says, and keeps the turn
** meanwhile. So keep a `busy_timeout`.
*/

/* Takes the turn, or tries to, unless the request has an error; sets the
** result. */
static void turn(sqlite3_context *ctx, int bTry, i64 msTimeout, Sqlx *x){
  const FunctionCall *pCall = sqlite3_user_data(ctx);
  ConnectionRequest req;
  int bHeld = 0;
  req.zName = pCall->pThis->zName;
  req.zSchema = 0;
  req.pTable = 0;
  req.pTask = 0;
  req.eMode = LOCK_EXCLUSIVE;
  req.eScope = LOCK_SCOPE_TURN;
  req.msTimeout = msTimeout;
  req.bTry = bTry;
  if( x->rc==SQLITE_OK && keyMake(&req.key, KEY_TURN, 0, 0)==LOCK_OK ){
    bHeld = connectionLock(pCall->pConn, x, &req);
  }
  argsEndInteger(x, ctx, bHeld);
}

/*
** SQL FUNCTION write_turn([ms])
**
** Waits for the turn to write, and takes SQLite's write lock on `main`. It
** must be called after BEGIN and after locks, before anything is read or
** written: `BEGIN; SELECT write_turn(); ...; COMMIT;`. A connection that
** already has the turn gets 1 immediately. The turn passes on when the
** transaction ends (by COMMIT or ROLLBACK), or the connection, or the process;
** ROLLBACK TO keeps it.
**
** Outside BEGIN, the turn is that of the next transaction: `SELECT
** write_turn(); BEGIN IMMEDIATE; ...; COMMIT;`, for programs whose framework
** sends BEGIN IMMEDIATE. The function then takes no lock of SQLite's. The turn
** passes on when the next transaction that writes `main`, or that takes locks
** of transaction scope, has ended. A transaction that only reads does not end
** it. If no transaction begins after all, write_turn_end() ends the turn.
** Under PRAGMA locking_mode = EXCLUSIVE SQLite unlocks no file, so nothing
** tells when a transaction has ended, and the function needs BEGIN. If that
** pragma is set after the call, end the turn with write_turn_end().
**
** If a writer without a turn has SQLite's write lock for longer than the
** connection's `busy_timeout`, a call in BEGIN fails with SQLite's `database is
** locked`, SQLITE_BUSY, and the turn is given back, also one that was taken
** before BEGIN. A BEGIN IMMEDIATE that fails so begins no transaction and keeps
** the turn.
**
** Arguments:
**   ms  INTEGER  how long to wait in the queue, as of advisory_lock_timeout,
**     which is the default
** Result: INTEGER 1
** Errors:
**   `no transaction:` SQLITE_ERROR, outside BEGIN on a database without a file
**     or in a shared cache, or under PRAGMA locking_mode = EXCLUSIVE; or if a
**     transaction cannot write
**   `lock timeout:` SQLITE_BUSY_TIMEOUT
**   `lock wait refused:` SQLITE_BUSY, after a read or write
**   `deadlock detected:` SQLITE_LOCKED
**   `lock wait cancelled:` SQLITE_INTERRUPT
**   `lock file:` SQLITE_ERROR, SQLITE_CANTOPEN or SQLITE_BUSY
**   `lock table full:` SQLITE_ERROR
**   `forked connection:` SQLITE_ERROR
**   `bad argument:` SQLITE_ERROR
**   `transaction rolled back:` SQLITE_INTERRUPT, SQLITE_FULL, SQLITE_IOERR
** From: ticket locks, and the queues of databases for a row
** Example:
**   CREATE TABLE account(id INTEGER PRIMARY KEY, balance INT);
**   BEGIN;
**   SELECT write_turn();
**   -- 1
**   INSERT INTO account VALUES(1, 100);
**   SELECT kind, scope, granted FROM advisory_locks;
**   -- turn|transaction|1
**   COMMIT;
**   SELECT count(*) FROM advisory_locks;
**   -- 0
**   SELECT write_turn();
**   -- 1
**   BEGIN IMMEDIATE;
**   UPDATE account SET balance = 90 WHERE id = 1;
**   COMMIT;
**   SELECT count(*) FROM advisory_locks;
**   -- 0
*/
static void writeTurnFunc(
  sqlite3_context *ctx,
  int nArg,
  sqlite3_value **apArg
){
  const FunctionCall *pCall = sqlite3_user_data(ctx);
  CallOptions options;
  Sqlx x;
  sqlxBegin(&x, sqlite3_context_db_handle(ctx));
  nArg = calloptionRead(&x, pCall, nArg, apArg, CALLOPTION_WAIT, &options);
  if( argsCount(&x, nArg, 0, 1, "write_turn([ms])") && nArg ){
    options.msTimeout = calloptionTimeout(&x, &options, apArg[0]);
  }
  turn(ctx, 0, options.msTimeout, &x);
}

/*
** SQL FUNCTION try_write_turn()
**
** Takes the turn to write, with SQLite's write lock, if no session has the turn
** or waits for it, and no connection has that lock. Outside BEGIN, the turn is
** that of the next transaction. The function does not wait. (A busy handler
** that the program has set by sqlite3_busy_handler is called.)
**
** Arguments: none
** Result: INTEGER 1 if this connection has it now, 0 if not
** Errors:
**   `no transaction:` SQLITE_ERROR, as of write_turn
**   `lock file:` SQLITE_ERROR, SQLITE_CANTOPEN or SQLITE_BUSY
**   `lock table full:` SQLITE_ERROR
**   `forked connection:` SQLITE_ERROR
**   `transaction rolled back:` SQLITE_INTERRUPT, SQLITE_FULL, SQLITE_IOERR
** From: as of write_turn
** Example:
**   BEGIN;
**   SELECT try_write_turn();
**   -- 1
**   ROLLBACK;
*/
static void tryWriteTurnFunc(
  sqlite3_context *ctx,
  int nArg,
  sqlite3_value **apArg
){
  Sqlx x;
  (void)nArg; (void)apArg;
  sqlxBegin(&x, sqlite3_context_db_handle(ctx));
  turn(ctx, 1, 0, &x);
}

/*
** SQL FUNCTION write_turn_end()
**
** Gives back a turn that was taken outside BEGIN, if its transaction has not
** begun. A program that takes such turns calls the function when the
** transaction has ended, however it ended: after an error before BEGIN the turn
** would otherwise last to the connection's next transaction.
**
** Arguments: none
** Result: INTEGER 1, or 0 if there is nothing to give back: the turn has ended
**   with its transaction, or a transaction is open and will end it
** Errors:
**   `bad argument:` SQLITE_ERROR
** From: no other system
** Example:
**   CREATE TABLE account(id INTEGER PRIMARY KEY, balance INT);
**   SELECT write_turn(), write_turn_end(), write_turn_end();
**   -- 1|1|0
**   SELECT write_turn();
**   -- 1
**   BEGIN IMMEDIATE;
**   INSERT INTO account VALUES(1, 100);
**   COMMIT;
**   SELECT write_turn_end();
**   -- 0
*/
static void writeTurnEndFunc(
  sqlite3_context *ctx,
  int nArg,
  sqlite3_value **apArg
){
  const FunctionCall *pCall = sqlite3_user_data(ctx);
  Sqlx x;
  int bEnded;
  (void)nArg; (void)apArg;
  sqlxBegin(&x, sqlite3_context_db_handle(ctx));
  bEnded = connectionTurnEnd(pCall->pConn, &x);
  argsEndInteger(&x, ctx, bEnded);
}

static const Function aTurn[] = {
  { "write_turn",     FUNCTION_ANY, writeTurnFunc,    { 0, 0, 0, 0 } },
  { "try_write_turn", 0,            tryWriteTurnFunc, { 0, 0, 0, 0 } },
  { "write_turn_end", 0,            writeTurnEndFunc, { 0, 0, 0, 0 } },
};

FunctionList turnFunctions(void){
  FunctionList t = { aTurn, sizeof(aTurn)/sizeof(aTurn[0]) };
  return t;
}
