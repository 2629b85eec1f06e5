/* SPDX-License-Identifier: 0BSD */
/*
** The functions of advisory locks. See advisory.h.
**
** The list at the end of the file says what each name does; PostgreSQL's names
** stand beside Interlock's. Each reference block is a section of
** sql/README.md.
*/
#include <string.h>
#include "locks/advisory.h"
#include "locks/calloption.h"
#include "sqlite/args.h"
#include "locks/hashtext.h"
#include "session/lockkey.h"
SQLITE_EXTENSION_INIT3

enum { OP_LOCK = 1, OP_TRY, OP_REQUEST, OP_UNLOCK, OP_UNLOCK_ALL };

#define KIND_BIT(eKind) (1u<<(eKind))
#define ADVISORY_KINDS (KIND_BIT(KEY_INTEGER)|KIND_BIT(KEY_PAIR) \
                       |KIND_BIT(KEY_TEXT)|KIND_BIT(KEY_BLOB))

/*
** SQL AREA Advisory locks
**
** An advisory lock is a lock on a number or a name that programs agree on:
** "only one process sends the invoices". The locks are kept in a small file
** beside the database, `<database>-interlock`. Taking one writes nothing into
** the database, needs no transaction, and costs well under a microsecond.
** Waiting connections are served in the order in which they came. A lock is
** released by unlock, by the end of the connection, and, within a tenth of a
** second, by the end of the process, however the process ended. A connection
** that is closed while a cursor or a prepared statement of it is open ends only
** with the last of these, in drivers that use sqlite3_close_v2(): in Python,
** for example, when a cursor that was not read to its end is freed. A program
** that closes a connection should call `interlock_reset()` or unlock before. A
** request that would complete a deadlock fails immediately with `deadlock
** detected:`.
**
** A lock has a key: an INTEGER, two INTEGERs of 32 bits, or a TEXT or BLOB of
** up to 255 bytes. The four kinds never collide: `advisory_lock('42')` is
** another lock than `advisory_lock(42)`. Some drivers bind a number as TEXT
** (PHP's PDO, Perl's DBI, Tcl). There write `advisory_lock(CAST(? AS
** INTEGER))`, or bind an integer ([CLIENTS.md](CLIENTS.md#a-number-as-a-key)).
** Where only a number is allowed, as in `advisory_lock(?, ?)`,
** `pg_advisory_lock(?)` and timeouts, a TEXT that is a number is that number.
**
** A lock is exclusive or shared. A lock of session scope is counted: it is held
** until it was unlocked as often as it was taken, or until the connection ends;
** COMMIT and ROLLBACK do not release it. A lock of transaction scope (`xact`)
** ends with the transaction, and with ROLLBACK TO a savepoint that was opened
** before it.
**
** A lock function stands alone in a SELECT, or with other lock functions:
** SQLite may call a function in a subquery, a view or a JOIN more than once.
** `SELECT h FROM (SELECT try_advisory_lock(1) AS h) WHERE h = 1` takes the lock
** twice.
**
** **A function waits only while its connection has no transaction open on a
** database file.** `BEGIN` alone opens none. The first read or write after it
** does, and so does a cursor that was not read to its end, or any table in
** FROM. With a transaction open, a lock that is free is still granted, and a
** lock that is not free is refused immediately (`lock wait refused:`), so that
** no connection sleeps while it holds SQLite's own lock. A function also does
** not wait while PRAGMA locking_mode keeps SQLite's lock, or while the
** connection holds locks in the lock file of another of its databases
** ([lock wait refused](#lock-wait-refused)). Take locks first, in a SELECT of
** their own.
**
** A lock does not replace SQLite's write lock. Two transactions that hold locks
** on different keys, read, and then write fail with `database is locked`, as
** without locks. A transaction that reads and writes takes the turn to write
** right after its locks: `BEGIN; SELECT advisory_xact_lock('account 1'),
** write_turn();`.
**
** In WAL mode a statement or transaction that began before the lock was
** granted may read values from before the last holder's commit. Inside BEGIN a
** later write then fails with SQLITE_BUSY_SNAPSHOT, but a read does not; in
** autocommit a later statement does not fail either. `SELECT
** try_advisory_lock('x'), balance FROM account` can therefore return the old
** balance together with the lock. (An advisory key belongs to no table, so
** Interlock cannot tell whether that matters. A row or table lock is refused
** in this case.)
**
** ```sql
** CREATE TABLE account(id INTEGER PRIMARY KEY, balance INT);
** INSERT INTO account VALUES(1, 100);
** BEGIN;
** SELECT advisory_xact_lock('account', 1) > 0;
** -- error: bad argument: first key is TEXT; allowed is INTEGER
** SELECT advisory_xact_lock('account 1') > 0, write_turn();
** -- 1|1
** SELECT balance FROM account WHERE id = 1;
** -- 100
** UPDATE account SET balance = 90 WHERE id = 1;
** COMMIT;
** SELECT count(*) FROM advisory_locks;
** -- 0
** ```
**
** These are the differences from PostgreSQL, which SQLite makes necessary:
**
** | | here |
** |---|---|
** | waiting after a read or write in a transaction | `lock wait refused:` |
** | transaction lock outside BEGIN | `no transaction:` |
** | an error in a transaction | it goes on, except after an interrupt |
** | a statement fails | transaction locks stay, unless SQLite undoes it |
** | first transaction lock, in a larger SELECT | may need a second try |
** | after the first transaction lock of a transaction | changes() is 0 |
** | triggers and views of a schema | cannot call lock functions |
**
** An interrupt that meets a function which takes part in the transaction can
** roll the transaction back. The error then begins with `transaction rolled
** back:`. A progress handler cannot do that to a lock function, if it is called
** every 100 operations or less often.
**
** If SQLite undoes a failed statement inside a transaction, the locks that the
** statement took are released. SQLite calls a commit hook for a transaction
** that has taken transaction locks, even if it wrote nothing.
**
** The first transaction lock of a connection makes a table in its temp schema.
** SQLite then ends a SELECT that has yet to open a table with `abort due to
** ROLLBACK`, although the transaction goes on. The SELECT works the second
** time, and so does a lock in a SELECT of its own.
**
** As long as a statement that writes has not ended, such as one with a temp
** trigger that takes the lock, or an INSERT ... RETURNING whose rows are not
** all read, no table is made. If only an attached file or temp is written then,
** and the connection has not made the table before, the lock takes SQLite's
** write lock on `main`, too, and fails if that is read-only; and it cannot wait
** for a lock that is not free. To avoid this, take a transaction lock once in a
** SELECT between BEGIN and COMMIT when the connection is new.
*/

/* ---- one function for many names -------------------------------------- */

/* Whether an argument is NULL. */
static int anyNull(int nArg, sqlite3_value **apArg){
  int i;
  for(i=0; i<nArg; i++){
    if( sqlite3_value_type(apArg[i])==SQLITE_NULL ) return 1;
  }
  return 0;
}

/* The options that a function allows: those of PostgreSQL's names have none,
** and a transaction belongs to the connection and not to a task. */
static u32 allowedOptions(const FunctionWord *p){
  if( p->bPostgres ) return 0;
  return (p->eOp==OP_LOCK ? CALLOPTION_WAIT : 0)
       | (p->eScope==LOCK_SCOPE_SESSION ? CALLOPTION_TASK : 0);
}

/* Reads the options behind a key. A key alone, which is the usual call, has
** none. */
static int optionsOfCall(Sqlx *x, const FunctionCall *pCall, int nArg,
                         sqlite3_value **apArg, CallOptions *p){
  if( nArg>1 ){
    return calloptionRead(x, pCall, nArg, apArg,
                          allowedOptions(&pCall->pThis->word), p);
  }
  p->mGiven = 0;
  p->msTimeout = connectionTimeout(pCall->pConn);
  return nArg;
}

/* Makes the key that the arguments name; 0 with an error. */
static int keyOf(Sqlx *x, const Function *p, int nArg, sqlite3_value **apArg,
                 LockKey *pKey){
  if( x->rc!=SQLITE_OK ) return 0;
  if( nArg<1 || nArg>2 ){
    sqlxBad(x, "%d given; allowed is %s(key) or %s(key, key)", nArg, p->zName,
            p->zName);
    return 0;
  }
  return p->word.bPostgres ? lockkeyIntegers(x, nArg, apArg, pKey)
                           : lockkeyArgs(x, nArg, apArg, pKey);
}

/* Takes a lock, tries to, or requests it. The result is the fencing token, or 1
** or 0; of a request that is in the queue it is NULL, and of PostgreSQL's
** functions that wait, for void. */
static void lockFunc(sqlite3_context *ctx, int nArg, sqlite3_value **apArg){
  const FunctionCall *pCall = sqlite3_user_data(ctx);
  const FunctionWord *pWord = &pCall->pThis->word;
  ConnectionRequest req;
  CallOptions options;
  Sqlx x;
  i64 iToken = 0;
  sqlxBegin(&x, sqlite3_context_db_handle(ctx));
  nArg = optionsOfCall(&x, pCall, nArg, apArg, &options);
  if( pWord->bPostgres && x.rc==SQLITE_OK && anyNull(nArg, apArg) ){
    argsEndNull(&x, ctx);
    return;
  }
  if( keyOf(&x, pCall->pThis, nArg, apArg, &req.key) ){
    req.zName = pCall->pThis->zName;
    req.zSchema = 0;
    req.pTable = 0;
    req.pTask = calloptionTask(&options);
    req.eMode = pWord->eMode;
    req.eScope = pWord->eScope;
    req.msTimeout = options.msTimeout;
    req.bTry = pWord->eOp==OP_TRY;
    iToken = pWord->eOp==OP_REQUEST ? connectionAsk(pCall->pConn, &x, &req)
                                    : connectionLock(pCall->pConn, &x, &req);
    if( iToken && !req.bTry && !pWord->bPostgres ){
      iToken = connectionGrantToken(pCall->pConn);
    }
  }
  if( pWord->bPostgres && pWord->eOp==OP_LOCK ){
    argsEndNull(&x, ctx);
  }else if( pWord->eOp==OP_REQUEST ){
    argsEndFound(&x, ctx, iToken);
  }else{
    argsEndInteger(&x, ctx, iToken);
  }
}

static void unlockFunc(sqlite3_context *ctx, int nArg, sqlite3_value **apArg){
  const FunctionCall *pCall = sqlite3_user_data(ctx);
  const FunctionWord *pWord = &pCall->pThis->word;
  ConnectionRequest req;
  CallOptions options;
  Sqlx x;
  int bDone = 0;
  sqlxBegin(&x, sqlite3_context_db_handle(ctx));
  nArg = optionsOfCall(&x, pCall, nArg, apArg, &options);
  if( pWord->bPostgres && x.rc==SQLITE_OK && anyNull(nArg, apArg) ){
    argsEndNull(&x, ctx);
    return;
  }
  if( keyOf(&x, pCall->pThis, nArg, apArg, &req.key) ){
    req.zSchema = 0;
    req.pTable = 0;
    req.pTask = calloptionTask(&options);
    req.eMode = pWord->eMode;
    bDone = connectionUnlock(pCall->pConn, &x, &req);
  }
  argsEndInteger(&x, ctx, bDone);
}

static void unlockAllFunc(
  sqlite3_context *ctx,
  int nArg,
  sqlite3_value **apArg
){
  const FunctionCall *pCall = sqlite3_user_data(ctx);
  CallOptions options;
  Sqlx x;
  i64 n = 0;
  sqlxBegin(&x, sqlite3_context_db_handle(ctx));
  nArg = calloptionRead(&x, pCall, nArg, apArg,
                        allowedOptions(&pCall->pThis->word), &options);
  if( argsCount(&x, nArg, 0, 0, "no argument, or as_task(name)") ){
    const LockKey *pTask = calloptionTask(&options);
    n = pTask ? connectionUnlockTask(pCall->pConn, &x, pTask)
              : connectionUnlockAll(pCall->pConn, &x, ADVISORY_KINDS, ~0u);
  }
  if( pCall->pThis->word.bPostgres ){
    argsEndNull(&x, ctx);
  }else{
    argsEndInteger(&x, ctx, n);
  }
}

/* ---- reference -------------------------------------------------------- */

/*
** SQL FUNCTION advisory_lock(key)
** SQL FUNCTION advisory_lock_shared(key)
** SQL FUNCTION advisory_xact_lock(key)
** SQL FUNCTION advisory_xact_lock_shared(key)
**
** Takes an advisory lock, and waits until it is free. The wait lasts no longer
** than advisory_lock_timeout says. A lock that this connection already holds
** is granted again and counted; a connection never conflicts with itself. Each
** function also takes two 32-bit INTEGERs in place of the key, as in
** `advisory_lock(class, id)`.
**
** The result is the fencing token of the grant. It only grows, over all grants
** in this database. Send the token along with the work that the lock protects.
** A receiver that refuses every token smaller than the largest it has seen is
** safe from a holder that has died since and whose message arrives late.
**
** Arguments:
**   key  ANY  INTEGER, TEXT or BLOB up to 255 bytes; or two INTEGERs of 32 bits
** Result: INTEGER the token
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
** From: PostgreSQL's pg_advisory_lock family
** Example:
**   SELECT advisory_lock('invoices') > 0, advisory_lock_shared(7, 1) > 0;
**   -- 1|1
**   SELECT key, mode, scope, granted, count FROM advisory_locks;
**   -- (7,1)|shared|session|1|1
**   -- invoices|exclusive|session|1|1
**   SELECT advisory_xact_lock(42);
**   -- error: no transaction: advisory_xact_lock needs BEGIN
**   BEGIN;
**   SELECT advisory_xact_lock(42) < advisory_xact_lock_shared(43);
**   -- 1
**   COMMIT;
**   SELECT advisory_unlock_all();
**   -- 2
*/

/*
** SQL FUNCTION try_advisory_lock(key)
** SQL FUNCTION try_advisory_lock_shared(key)
** SQL FUNCTION try_advisory_xact_lock(key)
** SQL FUNCTION try_advisory_xact_lock_shared(key)
**
** Takes an advisory lock if it is free. The function never waits, and works
** with a transaction open. A lock that other sessions wait for is not free,
** except for a connection that already holds it.
**
** Arguments:
**   key  ANY  as of advisory_lock
** Result: INTEGER 1 if it is held now, 0 if not
** Errors:
**   `no transaction:` SQLITE_ERROR, of the xact forms outside BEGIN
**   `lock table full:` SQLITE_ERROR
**   `lock file:` SQLITE_ERROR, SQLITE_CANTOPEN or SQLITE_BUSY
**   `forked connection:` SQLITE_ERROR
**   `bad argument:` SQLITE_ERROR
**   `transaction rolled back:` SQLITE_INTERRUPT, SQLITE_FULL, SQLITE_IOERR
** From: PostgreSQL's pg_try_advisory_lock family
** Example:
**   SELECT try_advisory_lock('invoices'), try_advisory_lock('invoices');
**   -- 1|1
**   SELECT try_advisory_lock_shared('invoices');
**   -- 1
**   SELECT mode, count FROM advisory_locks ORDER BY mode;
**   -- exclusive|2
**   -- shared|1
**   SELECT try_advisory_lock(NULL);
**   -- error: bad argument: key is NULL; allowed is INTEGER, TEXT or BLOB
**   BEGIN;
**   SELECT try_advisory_xact_lock(1), try_advisory_xact_lock_shared(1);
**   -- 1|1
**   ROLLBACK;
*/

/*
** SQL AREA Requests and tasks
**
** A function that waits makes its connection stand still. An event loop (Node,
** asyncio), a program with many threads on one connection, and one whose
** language keeps a lock of its own during the call cannot have that. They
** request a lock: the call returns at once, and the request keeps its place in
** the queue.
**
** Locks belong to a connection, and a connection that takes its lock again is
** granted it. Where many tasks share one connection each must have a name, or
** two of them are inside at once: `as_task(name)`.
** [LOCKRECIPES.md](LOCKRECIPES.md#many-tasks-on-one-connection) has programs.
**
** ```sql
** SELECT request_advisory_lock('invoices', as_task('request 1')) > 0;
** -- 1
** SELECT request_advisory_lock('invoices', as_task('request 2')) IS NULL;
** -- 1
** SELECT advisory_unlock('invoices', as_task('request 1'));
** -- 1
** SELECT request_advisory_lock('invoices', as_task('request 2')) > 0;
** -- 1
** ```
*/

/*
** SQL FUNCTION request_advisory_lock(key)
** SQL FUNCTION request_advisory_lock_shared(key)
**
** Asks for an advisory lock, keeps the place in the queue, and returns at once:
** for programs that must not sleep, such as event loops and threads that share
** one connection. The result is the fencing token if the lock is granted, and
** NULL while the request is in the queue. The same call later tells the same,
** and takes the lock once it is granted, so a program calls it again when it
** likes or when the descriptor of interlock_request_fd() is readable.
**
** While the request is in the queue it is what a waiting function is. It
** appears in advisory_waits, others that come later wait behind it, a request
** that would complete a deadlock fails, and advisory_cancel ends it: the next
** call fails with `lock wait cancelled:`. advisory_lock_timeout does not end
** it; withdraw_request() does, and so do interlock_reset() and the end of the
** connection. A lock that is granted is held, and others wait for it, although
** the program has not taken it yet; advisory_unlock gives back only what was
** taken.
**
** A session has one request at a time; a second one fails with `request
** pending:`. Programs with many tasks on one connection give each a name:
** `request_advisory_lock('invoices', as_task('request 17'))`. A request obeys
** the rule about waiting when it is put into the queue. Later the connection
** may begin transactions. It should not keep one open until the lock is
** granted: the session that holds the lock may need to write.
**
** Arguments:
**   key  ANY  as of advisory_lock
** Result: INTEGER the token; NULL while the request is in the queue
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
**   SELECT try_advisory_lock('a', as_task('one'));
**   -- 1
**   SELECT request_advisory_lock('a', as_task('two')) IS NULL;
**   -- 1
**   SELECT key, granted, mode FROM advisory_locks;
**   -- a|1|exclusive
**   -- a|0|exclusive
**   SELECT advisory_unlock('a', as_task('one'));
**   -- 1
**   SELECT request_advisory_lock('a', as_task('two')) > 0;
**   -- 1
**   SELECT request_advisory_lock_shared(7, 1) > 0,
**     advisory_unlock_shared(7, 1);
**   -- 1|1
*/

/*
** SQL FUNCTION withdraw_request()
**
** Withdraws the request of the connection, or with `withdraw_request(
** as_task(name))` that of a task, for an advisory lock, a row or a table. If
** the lock was granted meanwhile and not taken, it is given back.
**
** Arguments: none
** Result: INTEGER 1, or 0 if there is no request
** Errors:
**   `lock file:` SQLITE_ERROR
**   `forked connection:` SQLITE_ERROR
**   `bad argument:` SQLITE_ERROR
** From: no other system
** Example:
**   SELECT try_advisory_lock('a', as_task(1)),
**     request_advisory_lock('a') IS NULL;
**   -- 1|1
**   SELECT withdraw_request(), withdraw_request();
**   -- 1|0
*/
static void withdrawFunc(sqlite3_context *ctx, int nArg, sqlite3_value **apArg){
  const FunctionCall *pCall = sqlite3_user_data(ctx);
  CallOptions options;
  Sqlx x;
  int bDone = 0;
  sqlxBegin(&x, sqlite3_context_db_handle(ctx));
  nArg = calloptionRead(&x, pCall, nArg, apArg, CALLOPTION_TASK, &options);
  if( argsCount(&x, nArg, 0, 0, "no argument, or as_task(name)") ){
    bDone = connectionWithdraw(pCall->pConn, &x, calloptionTask(&options));
  }
  argsEndInteger(&x, ctx, bDone);
}

/*
** SQL FUNCTION interlock_request_fd()
**
** Returns a descriptor that an event loop can wait for. It is readable when a
** request of this connection, of any task, is granted or was cancelled, and
** stays so until the program has asked for each of these, by the function that
** made the request or by withdraw_request(). Then the program needs no timer:
** asyncio's `loop.add_reader`, libuv, `IO.select`, `poll`. It may read what is
** in the descriptor, but need not. It must not close it; the connection does.
**
** It is the end of a pipe. The first call starts a thread in this process,
** which sleeps on the requests and every 50 ms looks for holders that have
** died, and ends with the connection. Without the descriptor there is no
** thread, and a program asks now and then.
**
** Arguments: none
** Result: INTEGER the descriptor
** Errors:
**   `lock file:` SQLITE_ERROR, if there can be no pipe or thread
**   `forked connection:` SQLITE_ERROR
** From: PostgreSQL's PQsocket
** Example:
**   SELECT interlock_request_fd() > 2,
**     interlock_request_fd() = interlock_request_fd();
**   -- 1|1
*/
static void requestFdFunc(
  sqlite3_context *ctx,
  int nArg,
  sqlite3_value **apArg
){
  const FunctionCall *pCall = sqlite3_user_data(ctx);
  Sqlx x;
  i64 fd;
  (void)nArg; (void)apArg;
  sqlxBegin(&x, sqlite3_context_db_handle(ctx));
  fd = connectionRequestFd(pCall->pConn, &x);
  argsEndInteger(&x, ctx, fd);
}

/*
** SQL FUNCTION advisory_unlock(key)
** SQL FUNCTION advisory_unlock_shared(key)
**
** Releases one hold of session scope, of exactly this key and mode. Holds of
** the transaction, of the other mode, or of other sessions are not touched.
** The release takes effect immediately, and ROLLBACK does not undo it. So
** commit first: a session that gets the lock before COMMIT does not see what
** was written.
**
** Arguments:
**   key  ANY  as of advisory_lock
** Result: INTEGER 1, or 0 if this session does not hold it so
** Errors:
**   `lock file:` SQLITE_ERROR or SQLITE_BUSY
**   `forked connection:` SQLITE_ERROR
**   `bad argument:` SQLITE_ERROR
** From: PostgreSQL's pg_advisory_unlock and pg_advisory_unlock_shared
** Example:
**   SELECT try_advisory_lock(1), try_advisory_lock(1);
**   -- 1|1
**   SELECT advisory_unlock(1), advisory_unlock(1), advisory_unlock(1);
**   -- 1|1|0
**   SELECT try_advisory_lock_shared(1), advisory_unlock(1);
**   -- 1|0
**   SELECT advisory_unlock_shared(1);
**   -- 1
*/

/*
** SQL FUNCTION advisory_unlock_all()
**
** Releases all advisory locks of session scope, however often they were taken.
** Locks of transaction scope stay.
**
** Arguments: none
** Result: INTEGER how many holds were released
** Errors:
**   `lock file:` SQLITE_ERROR or SQLITE_BUSY
**   `forked connection:` SQLITE_ERROR
** From: PostgreSQL's pg_advisory_unlock_all
** Example:
**   SELECT try_advisory_lock(1), try_advisory_lock(1), try_advisory_lock('a');
**   -- 1|1|1
**   SELECT advisory_unlock_all(), advisory_unlock_all();
**   -- 3|0
*/

/*
** SQL FUNCTION advisory_lock_timeout([ms])
**
** Sets how long this connection waits for a lock, and returns the old value.
** -1 means without limit, which is the default, and 0 means not at all. The
** limit applies to each wait by itself; it is not busy_timeout, which limits
** the waits for SQLite's own lock. Without an argument the function changes
** nothing.
**
** Arguments:
**   ms  INTEGER  milliseconds, -1 to 2147483647
** Result: INTEGER the timeout until now, in ms
** Errors:
**   `bad argument:` SQLITE_ERROR
** From: PostgreSQL's lock_timeout, where 0 means without limit
** Example:
**   SELECT advisory_lock_timeout(), advisory_lock_timeout(500);
**   -- -1|-1
**   SELECT advisory_lock_timeout();
**   -- 500
**   SELECT advisory_lock_timeout(-2);
**   -- error: bad argument: ms is -2; allowed is -1 to 2147483647
*/
static void timeoutFunc(sqlite3_context *ctx, int nArg, sqlite3_value **apArg){
  const FunctionCall *pCall = sqlite3_user_data(ctx);
  i64 msOld = connectionTimeout(pCall->pConn);
  Sqlx x;
  sqlxBegin(&x, sqlite3_context_db_handle(ctx));
  if( argsCount(&x, nArg, 0, 1, "advisory_lock_timeout([ms])") && nArg ){
    i64 ms = argsTimeout(&x, apArg[0]);
    if( x.rc==SQLITE_OK ) connectionSetTimeout(pCall->pConn, ms);
  }
  argsEndInteger(&x, ctx, msOld);
}

/*
** SQL FUNCTION advisory_token(key)
**
** Returns the fencing token of the grant by which this connection holds a
** lock. If the connection holds both modes, it is the token of the exclusive
** one. Taking a lock again does not change its token.
**
** A holder can ask by this whether the lock is still its own: the function
** looks whether the lock file was replaced or deleted, and fails with `lock
** file:` if so, since another session may hold the lock then.
**
** Arguments:
**   key  ANY  as of advisory_lock
** Result: INTEGER the token; NULL if this connection does not hold the key
** Errors:
**   `lock file:` SQLITE_ERROR or SQLITE_BUSY
**   `forked connection:` SQLITE_ERROR
**   `bad argument:` SQLITE_ERROR
** From: fencing tokens of Chubby and ZooKeeper
** Example:
**   SELECT advisory_lock('a') = advisory_token('a');
**   -- 1
**   SELECT advisory_token('b') IS NULL;
**   -- 1
*/
static void tokenFunc(sqlite3_context *ctx, int nArg, sqlite3_value **apArg){
  const FunctionCall *pCall = sqlite3_user_data(ctx);
  CallOptions options;
  LockKey key;
  Sqlx x;
  i64 iToken = 0;
  sqlxBegin(&x, sqlite3_context_db_handle(ctx));
  nArg = calloptionRead(&x, pCall, nArg, apArg, CALLOPTION_TASK, &options);
  if( keyOf(&x, pCall->pThis, nArg, apArg, &key) ){
    iToken = connectionToken(pCall->pConn, &x, &key, calloptionTask(&options));
    if( iToken ) connectionStillHeld(pCall->pConn, &x);
  }
  argsEndFound(&x, ctx, iToken);
}

/*
** SQL FUNCTION advisory_session()
**
** Returns this connection's session id, as the inspection tables show it. An
** id is never used twice in one lock file.
**
** Arguments: none
** Result: INTEGER
** Errors:
**   `lock table full:` SQLITE_ERROR
**   `lock file:` SQLITE_ERROR, SQLITE_CANTOPEN or SQLITE_BUSY
**   `forked connection:` SQLITE_ERROR
** From: PostgreSQL's pg_backend_pid, MySQL's CONNECTION_ID
** Example:
**   SELECT advisory_session() > 0;
**   -- 1
*/
static void sessionFunc(sqlite3_context *ctx, int nArg, sqlite3_value **apArg){
  const FunctionCall *pCall = sqlite3_user_data(ctx);
  Sqlx x;
  i64 iId;
  (void)nArg; (void)apArg;
  sqlxBegin(&x, sqlite3_context_db_handle(ctx));
  iId = connectionId(pCall->pConn, &x);
  argsEndInteger(&x, ctx, iId);
}

/*
** SQL FUNCTION advisory_application([name])
**
** Sets a label for this connection and its tasks, which all connections see in
** the inspection tables, and returns the old one. A label longer than 40 bytes
** is cut.
**
** Arguments:
**   name  TEXT  the label; '' for none
** Result: TEXT the label until now
** Errors:
**   `bad argument:` SQLITE_ERROR
** From: PostgreSQL's application_name
** Example:
**   SELECT advisory_application('nightly report') = '';
**   -- 1
**   SELECT advisory_application();
**   -- nightly report
*/
static void applicationFunc(
  sqlite3_context *ctx,
  int nArg,
  sqlite3_value **apArg
){
  const FunctionCall *pCall = sqlite3_user_data(ctx);
  const char *zOld;
  Sqlx x;
  sqlxBegin(&x, sqlite3_context_db_handle(ctx));
  zOld = sqlxPrintf(&x, "%s", connectionLabel(pCall->pConn));
  if( argsCount(&x, nArg, 0, 1, "advisory_application([name])") && nArg ){
    const char *z = 0;
    if( sqlite3_value_type(apArg[0])!=SQLITE_TEXT ){
      sqlxBad(&x, "name is %s; allowed is TEXT", argsType(apArg[0]));
    }else if( (z = (const char*)sqlite3_value_text(apArg[0]))==0 ){
      x.rc = SQLITE_NOMEM;
    }else{
      connectionSetLabel(pCall->pConn, &x, z);
    }
  }
  argsEndText(&x, ctx, zOld);
}

/*
** SQL FUNCTION advisory_cancel(session [, schema])
**
** Ends the wait of another session: its function fails with `lock wait
** cancelled:`. The session keeps the locks that it holds. A later wait of that
** session is never affected. The function does not end a wait of listen_wait or
** lease_wait, which are for no lock: the program that waits can interrupt them.
**
** Arguments:
**   session  INTEGER  id of the session
**   schema   TEXT     the database in whose lock file it waits; default main
** Result: INTEGER 1 if its wait has ended so, 0 if it was not waiting
** Errors:
**   `lock file:` SQLITE_ERROR or SQLITE_CANTOPEN
**   `forked connection:` SQLITE_ERROR
**   `bad argument:` SQLITE_ERROR
** From: PostgreSQL's pg_cancel_backend
** Example:
**   SELECT advisory_cancel(advisory_session());
**   -- 0
*/
static void cancelFunc(sqlite3_context *ctx, int nArg, sqlite3_value **apArg){
  const FunctionCall *pCall = sqlite3_user_data(ctx);
  Sqlx x;
  int bDone = 0;
  sqlxBegin(&x, sqlite3_context_db_handle(ctx));
  if( argsCount(&x, nArg, 1, 2, "advisory_cancel(session [, schema])") ){
    i64 iId = argsInteger(&x, apArg[0], "session");
    const char *z = nArg>1 ? argsSchema(&x, apArg[1]) : 0;
    if( iId>0 ) bDone = connectionCancel(pCall->pConn, &x, z, iId);
  }
  argsEndInteger(&x, ctx, bDone);
}

/*
** SQL FUNCTION interlock_reset()
**
** Releases every lock that this connection holds, of either scope, and resets
** its settings: timeout and label are as in a new connection, and its session
** ends. A pool should call it when a connection comes back, after ROLLBACK. It
** also starts a new session after the lock file was replaced.
**
** Arguments: none
** Result: INTEGER how many holds of session scope were released
** Errors:
**   `bad argument:` SQLITE_ERROR, in a transaction that has written a guarded
**     table, since other sessions must wait for its end, or has called notify
** From: PostgreSQL's DISCARD ALL
** Example:
**   SELECT try_advisory_lock(1), advisory_lock_timeout(100);
**   -- 1|-1
**   SELECT interlock_reset(), advisory_lock_timeout();
**   -- 1|-1
*/
static void resetFunc(sqlite3_context *ctx, int nArg, sqlite3_value **apArg){
  const FunctionCall *pCall = sqlite3_user_data(ctx);
  Sqlx x;
  i64 n;
  (void)nArg; (void)apArg;
  sqlxBegin(&x, sqlite3_context_db_handle(ctx));
  n = connectionReset(pCall->pConn, &x);
  argsEndInteger(&x, ctx, n);
}

/* ---- PostgreSQL's names ----------------------------------------------- */

/*
** SQL AREA PostgreSQL's names
**
** Code that was written for PostgreSQL runs unchanged. The functions have
** PostgreSQL's names and take the same locks as `advisory_lock` and the
** functions beside it. They take a bigint or two 32-bit INTEGERs, return NULL
** for void and 1 or 0 for boolean, and lock nothing if an argument is NULL.
*/

/*
** SQL FUNCTION pg_advisory_lock(key)
** SQL FUNCTION pg_advisory_lock_shared(key)
** SQL FUNCTION pg_advisory_xact_lock(key)
** SQL FUNCTION pg_advisory_xact_lock_shared(key)
** SQL FUNCTION pg_try_advisory_lock(key)
** SQL FUNCTION pg_try_advisory_lock_shared(key)
** SQL FUNCTION pg_try_advisory_xact_lock(key)
** SQL FUNCTION pg_try_advisory_xact_lock_shared(key)
** SQL FUNCTION pg_advisory_unlock(key)
** SQL FUNCTION pg_advisory_unlock_shared(key)
** SQL FUNCTION pg_advisory_unlock_all()
**
** Works as the function of the same name without `pg_`, with PostgreSQL's
** arguments and results.
**
** Arguments:
**   key  INTEGER  or two INTEGERs of 32 bits; NULL locks nothing
** Result: NULL of the functions that wait, and of pg_advisory_unlock_all;
**   INTEGER 1 or 0 of the pg_try_ and unlock forms; NULL for a NULL argument
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
** From: PostgreSQL
** Example:
**   SELECT pg_try_advisory_lock(1), pg_try_advisory_lock(7, 1);
**   -- 1|1
**   SELECT pg_advisory_lock(1) IS NULL, pg_try_advisory_lock(NULL) IS NULL;
**   -- 1|1
**   SELECT pg_advisory_unlock(1), pg_advisory_unlock(1), advisory_unlock(1);
**   -- 1|1|0
**   SELECT pg_advisory_lock_shared(3), pg_try_advisory_lock_shared(3);
**   -- |1
**   SELECT pg_advisory_unlock_shared(3);
**   -- 1
**   BEGIN;
**   SELECT pg_advisory_xact_lock(4), pg_advisory_xact_lock_shared(5);
**   -- |
**   SELECT pg_try_advisory_xact_lock(4), pg_try_advisory_xact_lock_shared(6);
**   -- 1|1
**   COMMIT;
**   SELECT pg_advisory_unlock_all() IS NULL;
**   -- 1
**   SELECT count(*) FROM advisory_locks;
**   -- 0
*/

/*
** SQL FUNCTION hashtext(text)
**
** Returns the hash by which PostgreSQL code turns names into keys, with
** PostgreSQL's values for UTF-8.
**
** Arguments:
**   text  TEXT  any text; NULL gives NULL
** Result: INTEGER of 32 bits
** Errors:
**   `bad argument:` SQLITE_ERROR
** From: PostgreSQL's hashtext
** Example:
**   SELECT hashtext('x'), pg_try_advisory_lock(hashtext('x'));
**   -- 1074944137|1
*/
static void hashtextFunc(sqlite3_context *ctx, int nArg, sqlite3_value **apArg){
  const unsigned char *z;
  Sqlx x;
  int iHash = 0;
  if( anyNull(nArg, apArg) ) return;
  sqlxBegin(&x, sqlite3_context_db_handle(ctx));
  if( sqlite3_value_type(apArg[0])!=SQLITE_TEXT ){
    sqlxBad(&x, "text is %s; allowed is TEXT", argsType(apArg[0]));
  }else{
    z = sqlite3_value_text(apArg[0]);
    if( z==0 ) x.rc = SQLITE_NOMEM;
    else iHash = hashtext(z, (u32)sqlite3_value_bytes(apArg[0]));
  }
  argsEndInteger(&x, ctx, iHash);
}

/* ---- the list of functions -------------------------------------------- */

#define SES LOCK_SCOPE_SESSION
#define TXN LOCK_SCOPE_TRANSACTION
#define EXC LOCK_EXCLUSIVE
#define SHR LOCK_SHARED
#define ANY FUNCTION_ANY

/* A function under Interlock's name and, with pg_ before that, under
** PostgreSQL's. */
#define BOTH(zName, xFunc, eOp, eMode, eScope) \
  { zName, ANY, xFunc, { eOp, eMode, eScope, 0 } }, \
  { "pg_" zName, ANY, xFunc, { eOp, eMode, eScope, 1 } }

static const Function aAdvisory[] = {
  BOTH("advisory_lock",                 lockFunc,   OP_LOCK,   EXC, SES),
  BOTH("advisory_lock_shared",          lockFunc,   OP_LOCK,   SHR, SES),
  BOTH("advisory_xact_lock",            lockFunc,   OP_LOCK,   EXC, TXN),
  BOTH("advisory_xact_lock_shared",     lockFunc,   OP_LOCK,   SHR, TXN),
  BOTH("try_advisory_lock",             lockFunc,   OP_TRY,    EXC, SES),
  BOTH("try_advisory_lock_shared",      lockFunc,   OP_TRY,    SHR, SES),
  BOTH("try_advisory_xact_lock",        lockFunc,   OP_TRY,    EXC, TXN),
  BOTH("try_advisory_xact_lock_shared", lockFunc,   OP_TRY,    SHR, TXN),
  BOTH("advisory_unlock",               unlockFunc, OP_UNLOCK, EXC, SES),
  BOTH("advisory_unlock_shared",        unlockFunc, OP_UNLOCK, SHR, SES),
  { "request_advisory_lock",  ANY, lockFunc, { OP_REQUEST, EXC, SES, 0 } },
  { "request_advisory_lock_shared", ANY, lockFunc,
    { OP_REQUEST, SHR, SES, 0 } },
  { "interlock_request_fd",   0,   requestFdFunc,   { 0, 0, 0, 0 } },
  { "withdraw_request",       ANY, withdrawFunc,    { 0, 0, 0, 0 } },
  { "advisory_unlock_all",    ANY, unlockAllFunc, { OP_UNLOCK_ALL, 0, 0, 0 } },
  { "pg_advisory_unlock_all", 0, unlockAllFunc, { OP_UNLOCK_ALL, 0, 0, 1 } },
  { "hashtext",               1,   hashtextFunc,    { 0, 0, 0, 0 } },
  { "advisory_lock_timeout",  ANY, timeoutFunc,     { 0, 0, 0, 0 } },
  { "advisory_token",         ANY, tokenFunc,       { 0, 0, 0, 0 } },
  { "advisory_session",       0,   sessionFunc,     { 0, 0, 0, 0 } },
  { "advisory_application",   ANY, applicationFunc, { 0, 0, 0, 0 } },
  { "advisory_cancel",        ANY, cancelFunc,      { 0, 0, 0, 0 } },
  { "interlock_reset",        0,   resetFunc,       { 0, 0, 0, 0 } },
};

FunctionList advisoryFunctions(void){
  FunctionList t = { aAdvisory, sizeof(aAdvisory)/sizeof(aAdvisory[0]) };
  return t;
}
