/* SPDX-License-Identifier: 0BSD */
/*
** The functions that lock rows and tables. See rowlock.h.
*/
#include <string.h>
#include "locks/rowlock.h"
#include "locks/calloption.h"
#include "sqlite/args.h"
#include "session/rowkey.h"
SQLITE_EXTENSION_INIT3

enum { ROWLOCK_LOCK = 1, ROWLOCK_TRY, ROWLOCK_REQUEST, ROWLOCK_UNLOCK };

/*
** SQL AREA Row and table locks
**
** A row or table lock lasts as long as a program needs it, over any number of
** transactions: "this order is being edited", "the price list must not change
** while I compare". Other rows and tables stay free for other programs. The
** locks are kept in the same file as advisory locks, wait by the same rules,
** and appear in the same tables. A lock belongs to the file that holds the
** table: `row_lock('aux.t', 1)` is seen by every connection that uses that
** file, under whatever schema name.
**
** A lock in a file that is detached stays held. In a database in memory, or in
** a temporary one, it ends: at the DETACH if no other connection can have the
** database, else at the next call of one of these functions. A shared database
** in memory has `cache=shared`, or the VFS memdb and a name that begins with a
** slash. If all connections have detached such a database and one of them has
** made no call since, its locks can be met in another shared database that is
** later made at the same place of memory.
**
** SQLite does not stop a writer that asks for no lock, unless the table is
** `guarded`.
**
** **Lock first, in a SELECT of its own; then read.** In WAL mode a connection
** reads the values that were committed when its transaction or statement
** began. A lock that is granted later could therefore come with values from
** before the last holder's commit. So in WAL mode a lock is refused with `lock
** wait refused:`, even if it is free, to a statement that reads a table of the
** same file, while a cursor on such a table is open, and in a transaction that
** has read the file and not written it. After BEGIN IMMEDIATE, or after a
** write, the transaction reads the newest values, and locks are granted. In
** the other journal modes they are granted as well, since there a connection
** that reads prevents all others from committing.
**
** To lock several rows outside BEGIN, use `SELECT row_lock('t', value) FROM
** json_each('[1,2]')`; values that are read before all of its rows were
** fetched are from before the locks. `SELECT row_lock('t', column1) FROM
** (VALUES(1), (2))` also works as the first statement after BEGIN. skip_locked
** reads each row again after it is locked.
**
** | lock | what other sessions can hold beside it |
** |---|---|
** | `row_lock` | locks on other rows |
** | `row_lock_shared` | shared locks on that row; locks on other rows |
** | `table_lock` | nothing on the table or a row of it |
** | `table_lock_shared` | shared locks on the table and its rows |
**
** A row is identified by its PRIMARY KEY, as the columns store it: 42, 42.0
** and, on an INTEGER column, '42' are the same row, and with NOCASE so are
** 'Bob' and 'bob'. The row need not exist. A table without a PRIMARY KEY is
** refused, because VACUUM may renumber its rowids. Locking opens no
** transaction, so `BEGIN; SELECT row_xact_lock('account', 1), write_turn();`
** can wait; the turn is needed if the transaction reads and then writes. A
** function looks at the schema the first time that it is asked for a table, and
** again when the schema has changed. That reads the file for a moment. While
** another connection has the file to itself (a COMMIT in rollback mode, BEGIN
** EXCLUSIVE), that read waits as long as busy_timeout says; after that the
** function uses the schema that was read before.
**
** A request for a row first waits for the table, and then in the row's own
** queue, in order of arrival. Several requests that waited for the table, or
** for the writer of a guarded table, continue together, in any order. A lock
** that was taken before a migration changed the type or collation of the
** table's key, or by a statement that began to read before it, conflicts with
** no lock that is taken after it.
**
** A lock is on the name that its table had when it was taken. It stays held
** when the table is renamed or dropped, but conflicts with no lock that is
** taken under the new name. advisory_locks shows it under the old one, by which
** it can be unlocked: `row_unlock('old', 1)`, `table_unlock('old')`. If there
** is no such table any more, or one whose rows cannot be locked, the values of
** the key must be those that advisory_locks shows, of the same types; and it is
** an error if the session holds no such lock.
**
** The first database of a connection is `main` here, also if the program has
** given it another name (`SQLITE_DBCONFIG_MAINDBNAME`). Where a schema can be
** named, that name is accepted, too.
**
** ```sql
** CREATE TABLE account(id INTEGER PRIMARY KEY, owner TEXT, balance INT);
** INSERT INTO account VALUES(1, 'Ada', 100);
** SELECT row_lock('account', 1) > 0, try_table_lock_shared('account');
** -- 1|1
** SELECT kind, object, key, mode FROM advisory_locks ORDER BY kind, mode;
** -- row|account|1|exclusive
** -- table|account||intention exclusive
** -- table|account||shared
** SELECT row_unlock('account', '1'), table_unlock_shared('account');
** -- 1|1
** ```
*/

/* ---- requests --------------------------------------------------------- */

/* Fills in a request but for its keys. */
static void beginRequest(const FunctionCall *pCall, const RowkeyTable *pTab,
                         ConnectionRequest *pReq){
  const FunctionWord *pWord = &pCall->pThis->word;
  pReq->zName = pCall->pThis->zName;
  pReq->zSchema = pTab->zSchema;
  pReq->eMode = pWord->eMode;
  pReq->eScope = pWord->eScope;
  pReq->pTask = 0;
  pReq->bTry = pWord->eOp==ROWLOCK_TRY;
}

/* The table that an argument names; NULL with an error. */
static KnownTable *lockableTable(const FunctionCall *pCall, Sqlx *x,
                                 sqlite3_value *pArg, int bColumns){
  KnownTables *p = connectionTables(pCall->pConn);
  const char *z = argsText(x, pArg, "table");
  return pCall->pThis->word.eOp==ROWLOCK_UNLOCK
       ? knowntableRefUnlock(p, x, z, bColumns)
       : knowntableRef(p, x, z, bColumns);
}

/* Makes a request for a row or a table. Returns the table, which the caller
** must give back by knowntableUnref() after the request; NULL with an error. */
typedef KnownTable *(*RequestMaker)(const FunctionCall*, Sqlx*, int nArg,
                                    sqlite3_value **apArg, ConnectionRequest*);

static KnownTable *rowRequest(
  const FunctionCall *pCall,
  Sqlx *x,
  int nArg,
  sqlite3_value **apArg,
  ConnectionRequest *pReq
){
  KnownTable *p = 0, *pEarlier = 0;
  if( nArg<2 ){
    sqlxBad(x, "%d given; allowed is %s(table, key...)", nArg,
            pCall->pThis->zName);
    return 0;
  }
  p = lockableTable(pCall, x, apArg[0], 1);
  if( p==0 ) return 0;
  beginRequest(pCall, &p->tab, pReq);
  pReq->pTable = &p->tab.key;
  if( rowkeyRow(x, &p->tab, nArg-1, &apArg[1], &pReq->key) ) return p;
  if( pCall->pThis->word.eOp==ROWLOCK_UNLOCK ){
    pEarlier = knowntableEarlier(p, x);
  }
  knowntableUnref(p);
  if( pEarlier==0 ) return 0;
  pReq->pTable = &pEarlier->tab.key;
  if( rowkeyRow(x, &pEarlier->tab, nArg-1, &apArg[1], &pReq->key) ){
    return pEarlier;
  }
  knowntableUnref(pEarlier);
  return 0;
}

static KnownTable *tableRequest(
  const FunctionCall *pCall,
  Sqlx *x,
  int nArg,
  sqlite3_value **apArg,
  ConnectionRequest *pReq
){
  KnownTable *p = 0;
  if( nArg!=1 ){
    sqlxBad(x, "%d given; allowed is %s(table)", nArg, pCall->pThis->zName);
    return 0;
  }
  p = lockableTable(pCall, x, apArg[0], 0);
  if( p==0 ) return 0;
  beginRequest(pCall, &p->tab, pReq);
  pReq->pTable = 0;
  pReq->key = p->tab.key;
  return p;
}

/* ---- the functions ---------------------------------------------------- */

/* Unlocks; 0 if nothing was locked. A row of an earlier table of the same name
** can have been locked under a key that the present one would make otherwise:
** then the values are taken as they are, as if the table was gone. */
static i64 unlockRequest(
  const FunctionCall *pCall,
  Sqlx *x,
  int nArg,
  sqlite3_value **apArg,
  KnownTable *pTable,
  ConnectionRequest *pReq
){
  i64 n = connectionUnlockOf(pCall->pConn, x, &pTable->tab, pReq);
  KnownTable *pEarlier;
  if( n || pReq->pTable==0 ) return n;
  pEarlier = knowntableEarlier(pTable, x);
  if( pEarlier==0 ) return 0;
  pReq->pTable = &pEarlier->tab.key;
  if( rowkeyRow(x, &pEarlier->tab, nArg-1, &apArg[1], &pReq->key) ){
    n = connectionUnlockOf(pCall->pConn, x, &pEarlier->tab, pReq);
  }
  knowntableUnref(pEarlier);
  return n;
}

/* Locks or unlocks. The result of a lock is its fencing token, or NULL while
** its request is in the queue, of the others 1 or 0. */
static void runRequest(
  sqlite3_context *ctx,
  int nArg,
  sqlite3_value **apArg,
  RequestMaker xMake
){
  const FunctionCall *pCall = sqlite3_user_data(ctx);
  int eOp = pCall->pThis->word.eOp;
  ConnectionRequest req;
  CallOptions options;
  KnownTable *pTable;
  Sqlx x;
  i64 iResult = 0;
  sqlxBegin(&x, sqlite3_context_db_handle(ctx));
  nArg = calloptionRead(&x, pCall, nArg, apArg,
                        eOp==ROWLOCK_LOCK ? CALLOPTION_WAIT : 0, &options);
  pTable = xMake(pCall, &x, nArg, apArg, &req);
  if( pTable ){
    req.msTimeout = options.msTimeout;
    if( eOp==ROWLOCK_UNLOCK ){
      iResult = unlockRequest(pCall, &x, nArg, apArg, pTable, &req);
      knowntableUnlocked(pTable, &x, iResult);
    }else{
      iResult = eOp==ROWLOCK_REQUEST ? connectionAsk(pCall->pConn, &x, &req)
                                     : connectionLock(pCall->pConn, &x, &req);
      if( iResult && !req.bTry ) iResult = connectionGrantToken(pCall->pConn);
    }
  }
  knowntableUnref(pTable);
  if( eOp==ROWLOCK_REQUEST ) argsEndFound(&x, ctx, iResult);
  else argsEndInteger(&x, ctx, iResult);
}

static void rowFunc(sqlite3_context *ctx, int nArg, sqlite3_value **apArg){
  runRequest(ctx, nArg, apArg, rowRequest);
}

static void tableFunc(sqlite3_context *ctx, int nArg, sqlite3_value **apArg){
  runRequest(ctx, nArg, apArg, tableRequest);
}

/* Unlocks all rows or all tables: eOp is the kind of key. The intentions on
** tables go with the rows. */
static void unlockRowsFunc(
  sqlite3_context *ctx,
  int nArg,
  sqlite3_value **apArg
){
  const FunctionCall *pCall = sqlite3_user_data(ctx);
  int bRow = pCall->pThis->word.eOp==KEY_ROW;
  Sqlx x;
  i64 n;
  (void)nArg; (void)apArg;
  sqlxBegin(&x, sqlite3_context_db_handle(ctx));
  n = connectionUnlockAll(pCall->pConn, &x, 1u<<pCall->pThis->word.eOp,
                          ~CONNECTION_INTENTS);
  if( bRow ){
    connectionUnlockAll(pCall->pConn, &x, 1u<<KEY_TABLE, CONNECTION_INTENTS);
  }
  argsEndInteger(&x, ctx, n);
}

/* ---- reference -------------------------------------------------------- */

/*
** SQL FUNCTION row_lock(table, key...)
** SQL FUNCTION row_lock_shared(table, key...)
** SQL FUNCTION row_xact_lock(table, key...)
** SQL FUNCTION row_xact_lock_shared(table, key...)
**
** Locks a row, and waits until it is free. The wait lasts no longer than
** advisory_lock_timeout says. The `shared` forms can be held by several
** sessions. The `xact` forms end with the transaction, and with ROLLBACK TO a
** savepoint that was opened before them; the others are counted and held until
** they were unlocked as often. The functions also wait for a session that
** holds a conflicting table lock, and for a transaction of another session
** that has written to any guarded table of the file: the values that are read
** after the lock are those that it has committed.
**
** Arguments:
**   table  TEXT  name, or schema.name
**   key    ANY   a value for each column of the PRIMARY KEY, in its order
** Result: INTEGER the fencing token
** Errors:
**   `lock timeout:` SQLITE_BUSY_TIMEOUT
**   `lock wait refused:` SQLITE_BUSY
**   `deadlock detected:` SQLITE_LOCKED
**   `lock wait cancelled:` SQLITE_INTERRUPT
**   `no transaction:` SQLITE_ERROR, of the xact forms outside BEGIN
**   `lock table full:` SQLITE_ERROR
**   `lock file:` SQLITE_ERROR, SQLITE_CANTOPEN or SQLITE_BUSY
**   `forked connection:` SQLITE_ERROR
**   `bad argument:` SQLITE_ERROR
**   `transaction rolled back:` SQLITE_INTERRUPT, SQLITE_FULL, SQLITE_IOERR
** From: SELECT ... FOR UPDATE and FOR SHARE of PostgreSQL and MySQL, which hold
**   to the end of the transaction only
** Example:
**   CREATE TABLE seat(train TEXT COLLATE NOCASE, no INT,
**     PRIMARY KEY(train, no));
**   SELECT row_lock('seat', 'IC 7', 12) > 0;
**   -- 1
**   SELECT object, key, mode FROM advisory_locks WHERE kind = 'row';
**   -- seat|('ic 7',12)|exclusive
**   SELECT row_unlock('seat', 'ic 7', '12');
**   -- 1
**   SELECT row_lock('seat', 'IC 7');
**   -- error: bad argument: 1 values for the key of seat; allowed is 2
**   SELECT row_xact_lock('seat', 'IC 7', 12);
**   -- error: no transaction: row_xact_lock needs BEGIN
**   BEGIN;
**   SELECT row_lock_shared('seat', 'IC 7', 1)
**     < row_xact_lock_shared('seat', 'IC 7', 2);
**   -- 1
**   COMMIT;
**   SELECT key, mode, scope FROM advisory_locks WHERE kind = 'row';
**   -- ('ic 7',1)|shared|session
*/

/*
** SQL FUNCTION try_row_lock(table, key...)
** SQL FUNCTION try_row_lock_shared(table, key...)
** SQL FUNCTION try_row_xact_lock(table, key...)
** SQL FUNCTION try_row_xact_lock_shared(table, key...)
**
** Locks a row if it is free. The function never waits. It works with a
** transaction open, but in WAL mode not in one that has read the file and not
** written it.
**
** Arguments:
**   table  TEXT  name, or schema.name
**   key    ANY   a value for each column of the PRIMARY KEY, in its order
** Result: INTEGER 1 if it is held now, 0 if not
** Errors:
**   `lock wait refused:` SQLITE_BUSY, in WAL mode, where the connection reads
**     the file and does not write it
**   `no transaction:` SQLITE_ERROR, of the xact forms outside BEGIN
**   `lock table full:` SQLITE_ERROR
**   `lock file:` SQLITE_ERROR, SQLITE_CANTOPEN or SQLITE_BUSY
**   `forked connection:` SQLITE_ERROR
**   `bad argument:` SQLITE_ERROR
**   `transaction rolled back:` SQLITE_INTERRUPT, SQLITE_FULL, SQLITE_IOERR
** From: SELECT ... FOR UPDATE NOWAIT of PostgreSQL and MySQL
** Example:
**   CREATE TABLE account(id INTEGER PRIMARY KEY, balance INT);
**   SELECT try_row_lock('account', 1), try_row_lock_shared('account', 1.0);
**   -- 1|1
**   SELECT try_row_lock('account', NULL);
**   -- error: bad argument: id, of the key of account, is NULL; no row has that
**   SELECT row_unlock_all();
**   -- 2
**   BEGIN;
**   SELECT try_row_xact_lock('account', 1),
**     try_row_xact_lock_shared('account', 2);
**   -- 1|1
**   ROLLBACK;
*/

/*
** SQL FUNCTION request_row_lock(table, key...)
** SQL FUNCTION request_row_lock_shared(table, key...)
** SQL FUNCTION request_table_lock(table)
** SQL FUNCTION request_table_lock_shared(table)
**
** Asks for a lock on a row or table, keeps the place in the queue, and returns
** at once. The functions are to row_lock and table_lock what
** request_advisory_lock is to advisory_lock: the same call takes the lock once
** it is granted, and withdraw_request() gives up. A request for a row is first
** in the queue of the table; the first call after the table is granted puts it
** into the row's own queue. In WAL mode a call is refused where row_lock is,
** and a request that is in the queue stays there.
**
** Arguments:
**   table  TEXT  name, or schema.name
**   key    ANY   a value for each column of the PRIMARY KEY, in its order
** Result: INTEGER the fencing token; NULL while the request is in the queue
** Errors:
**   `request pending:` SQLITE_BUSY
**   `lock wait refused:` SQLITE_BUSY
**   `deadlock detected:` SQLITE_LOCKED
**   `lock wait cancelled:` SQLITE_INTERRUPT
**   `lock table full:` SQLITE_ERROR
**   `lock file:` SQLITE_ERROR, SQLITE_CANTOPEN or SQLITE_BUSY
**   `forked connection:` SQLITE_ERROR
**   `bad argument:` SQLITE_ERROR
** From: no other system
** Example:
**   CREATE TABLE account(id INTEGER PRIMARY KEY, balance INT);
**   SELECT request_row_lock('account', 1) > 0,
**     request_row_lock_shared('account', 2) > 0;
**   -- 1|1
**   SELECT row_unlock('account', 1), row_unlock_shared('account', 2);
**   -- 1|1
**   SELECT request_table_lock('account') > 0,
**     request_table_lock_shared('account') > 0, withdraw_request();
**   -- 1|1|0
*/

/*
** SQL FUNCTION row_unlock(table, key...)
** SQL FUNCTION row_unlock_shared(table, key...)
**
** Releases one hold of session scope, of exactly this row and mode. The
** release takes effect immediately, and ROLLBACK does not undo it.
**
** Arguments:
**   table  TEXT  name, or schema.name; of a table that was renamed or dropped
**     the name that it had
**   key    ANY   a value for each column of the PRIMARY KEY, in its order
** Result: INTEGER 1, or 0 if this session does not hold it so
** Errors:
**   `lock file:` SQLITE_ERROR or SQLITE_BUSY
**   `forked connection:` SQLITE_ERROR
**   `bad argument:` SQLITE_ERROR
** From: PostgreSQL's pg_advisory_unlock
** Example:
**   CREATE TABLE account(id INTEGER PRIMARY KEY, balance INT);
**   SELECT row_lock('account', 1) > 0, row_unlock('account', 1);
**   -- 1|1
**   SELECT row_unlock('account', 1), row_unlock_shared('account', 1);
**   -- 0|0
*/

/*
** SQL FUNCTION row_unlock_all()
**
** Releases all row locks of session scope, in every file.
**
** Arguments: none
** Result: INTEGER how many holds were released
** Errors:
**   `lock file:` SQLITE_ERROR or SQLITE_BUSY
**   `forked connection:` SQLITE_ERROR
** From: PostgreSQL's pg_advisory_unlock_all
** Example:
**   CREATE TABLE account(id INTEGER PRIMARY KEY, balance INT);
**   INSERT INTO account VALUES(1, 100), (2, 50);
**   SELECT count(row_lock('account', value)) FROM json_each('[1,2]');
**   -- 2
**   SELECT row_unlock_all();
**   -- 2
*/

/*
** SQL FUNCTION table_lock(table)
** SQL FUNCTION table_lock_shared(table)
** SQL FUNCTION table_xact_lock(table)
** SQL FUNCTION table_xact_lock_shared(table)
**
** Locks a table, and waits until the table and its rows are free. Otherwise
** the functions work as row_lock. The table needs no PRIMARY KEY.
**
** Arguments:
**   table  TEXT  name, or schema.name
** Result: INTEGER the fencing token
** Errors:
**   `lock timeout:` SQLITE_BUSY_TIMEOUT
**   `lock wait refused:` SQLITE_BUSY
**   `deadlock detected:` SQLITE_LOCKED
**   `lock wait cancelled:` SQLITE_INTERRUPT
**   `no transaction:` SQLITE_ERROR, of the xact forms outside BEGIN
**   `lock table full:` SQLITE_ERROR
**   `lock file:` SQLITE_ERROR, SQLITE_CANTOPEN or SQLITE_BUSY
**   `forked connection:` SQLITE_ERROR
**   `bad argument:` SQLITE_ERROR
**   `transaction rolled back:` SQLITE_INTERRUPT, SQLITE_FULL, SQLITE_IOERR
** From: LOCK TABLE of PostgreSQL (EXCLUSIVE, SHARE), LOCK TABLES of MySQL
** Example:
**   CREATE TABLE price(item TEXT, cents INT);
**   SELECT table_lock('price') > 0;
**   -- 1
**   SELECT kind, schema, object, mode FROM advisory_locks;
**   -- table|main|price|exclusive
**   BEGIN;
**   SELECT table_lock_shared('price') > 0, table_xact_lock('price') > 0,
**     table_xact_lock_shared('price') > 0;
**   -- 1|1|1
**   COMMIT;
*/

/*
** SQL FUNCTION try_table_lock(table)
** SQL FUNCTION try_table_lock_shared(table)
** SQL FUNCTION try_table_xact_lock(table)
** SQL FUNCTION try_table_xact_lock_shared(table)
**
** Locks a table if it is free. The function never waits. It works with a
** transaction open, but in WAL mode not in one that has read the file and not
** written it.
**
** Arguments:
**   table  TEXT  name, or schema.name
** Result: INTEGER 1 if it is held now, 0 if not
** Errors:
**   `lock wait refused:` SQLITE_BUSY, in WAL mode, where the connection reads
**     the file and does not write it
**   `no transaction:` SQLITE_ERROR, of the xact forms outside BEGIN
**   `lock table full:` SQLITE_ERROR
**   `lock file:` SQLITE_ERROR, SQLITE_CANTOPEN or SQLITE_BUSY
**   `forked connection:` SQLITE_ERROR
**   `bad argument:` SQLITE_ERROR
**   `transaction rolled back:` SQLITE_INTERRUPT, SQLITE_FULL, SQLITE_IOERR
** From: LOCK TABLE ... NOWAIT of PostgreSQL
** Example:
**   CREATE TABLE price(item TEXT, cents INT);
**   BEGIN;
**   SELECT try_table_xact_lock('price'), try_table_xact_lock_shared('price');
**   -- 1|1
**   COMMIT;
**   SELECT count(*) FROM advisory_locks;
**   -- 0
**   SELECT try_table_lock_shared('price'), table_unlock_shared('price');
**   -- 1|1
*/

/*
** SQL FUNCTION table_unlock(table)
** SQL FUNCTION table_unlock_shared(table)
**
** Releases one hold of session scope, of exactly this table and mode. Locks on
** its rows stay.
**
** Arguments:
**   table  TEXT  name, or schema.name; of a table that was renamed or dropped
**     the name that it had
** Result: INTEGER 1, or 0 if this session does not hold it so
** Errors:
**   `lock file:` SQLITE_ERROR or SQLITE_BUSY
**   `forked connection:` SQLITE_ERROR
**   `bad argument:` SQLITE_ERROR
** From: PostgreSQL's pg_advisory_unlock, UNLOCK TABLES of MySQL
** Example:
**   CREATE TABLE price(item TEXT, cents INT);
**   SELECT table_lock('price') > 0, table_unlock('price');
**   -- 1|1
**   SELECT table_unlock('price');
**   -- 0
*/

/*
** SQL FUNCTION table_unlock_all()
**
** Releases all table locks of session scope, in every file. Locks on rows
** stay.
**
** Arguments: none
** Result: INTEGER how many holds were released
** Errors:
**   `lock file:` SQLITE_ERROR or SQLITE_BUSY
**   `forked connection:` SQLITE_ERROR
** From: UNLOCK TABLES of MySQL
** Example:
**   CREATE TABLE price(item TEXT, cents INT);
**   SELECT try_table_lock('price'), try_table_lock('price');
**   -- 1|1
**   SELECT table_unlock_all();
**   -- 2
*/

/* ---- the list of functions -------------------------------------------- */

#define EACH(zName, xFunc, eOp, eMode, eScope) \
  { zName, FUNCTION_ANY, xFunc, { eOp, eMode, eScope, 0 } }
#define ROW_EXC LOCK_EXCLUSIVE
#define ROW_SHR LOCK_SHARED
#define ROW_SES LOCK_SCOPE_SESSION
#define ROW_TXN LOCK_SCOPE_TRANSACTION

static const Function aRowlock[] = {
  EACH("row_lock", rowFunc, ROWLOCK_LOCK, ROW_EXC, ROW_SES),
  EACH("row_lock_shared", rowFunc, ROWLOCK_LOCK, ROW_SHR, ROW_SES),
  EACH("row_xact_lock", rowFunc, ROWLOCK_LOCK, ROW_EXC, ROW_TXN),
  EACH("row_xact_lock_shared", rowFunc, ROWLOCK_LOCK, ROW_SHR, ROW_TXN),
  EACH("try_row_lock", rowFunc, ROWLOCK_TRY, ROW_EXC, ROW_SES),
  EACH("try_row_lock_shared", rowFunc, ROWLOCK_TRY, ROW_SHR, ROW_SES),
  EACH("try_row_xact_lock", rowFunc, ROWLOCK_TRY, ROW_EXC, ROW_TXN),
  EACH("try_row_xact_lock_shared", rowFunc, ROWLOCK_TRY, ROW_SHR, ROW_TXN),
  EACH("request_row_lock", rowFunc, ROWLOCK_REQUEST, ROW_EXC, ROW_SES),
  EACH("request_row_lock_shared", rowFunc, ROWLOCK_REQUEST, ROW_SHR, ROW_SES),
  EACH("row_unlock", rowFunc, ROWLOCK_UNLOCK, ROW_EXC, ROW_SES),
  EACH("row_unlock_shared", rowFunc, ROWLOCK_UNLOCK, ROW_SHR, ROW_SES),
  { "row_unlock_all", 0, unlockRowsFunc, { KEY_ROW, 0, 0, 0 } },
  EACH("table_lock", tableFunc, ROWLOCK_LOCK, ROW_EXC, ROW_SES),
  EACH("table_lock_shared", tableFunc, ROWLOCK_LOCK, ROW_SHR, ROW_SES),
  EACH("table_xact_lock", tableFunc, ROWLOCK_LOCK, ROW_EXC, ROW_TXN),
  EACH("table_xact_lock_shared", tableFunc, ROWLOCK_LOCK, ROW_SHR, ROW_TXN),
  EACH("try_table_lock", tableFunc, ROWLOCK_TRY, ROW_EXC, ROW_SES),
  EACH("try_table_lock_shared", tableFunc, ROWLOCK_TRY, ROW_SHR, ROW_SES),
  EACH("try_table_xact_lock", tableFunc, ROWLOCK_TRY, ROW_EXC, ROW_TXN),
  EACH("try_table_xact_lock_shared", tableFunc, ROWLOCK_TRY, ROW_SHR,
       ROW_TXN),
  EACH("request_table_lock", tableFunc, ROWLOCK_REQUEST, ROW_EXC, ROW_SES),
  EACH("request_table_lock_shared", tableFunc, ROWLOCK_REQUEST, ROW_SHR,
       ROW_SES),
  EACH("table_unlock", tableFunc, ROWLOCK_UNLOCK, ROW_EXC, ROW_SES),
  EACH("table_unlock_shared", tableFunc, ROWLOCK_UNLOCK, ROW_SHR, ROW_SES),
  { "table_unlock_all", 0, unlockRowsFunc, { KEY_TABLE, 0, 0, 0 } },
};

FunctionList rowlockFunctions(void){
  FunctionList t = { aRowlock, sizeof(aRowlock)/sizeof(aRowlock[0]) };
  return t;
}
