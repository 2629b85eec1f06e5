/* SPDX-License-Identifier: 0BSD */
/*
** The functions of advisory locks. See advisory.h.
**
** One table at the end says for each name what it does; PostgreSQL's names
** are rows of it. Each block is a page of sql/README.md.
*/
#include <string.h>
#include "locks/advisory.h"
#include "sqlite/args.h"
#include "locks/hashtext.h"
#include "session/lockkey.h"
SQLITE_EXTENSION_INIT3

enum { OP_LOCK = 1, OP_TRY, OP_UNLOCK, OP_UNLOCK_ALL };

#define KIND_BIT(eKind) (1u<<(eKind))
#define ADVISORY_KINDS (KIND_BIT(KEY_INTEGER)|KIND_BIT(KEY_PAIR) \
                       |KIND_BIT(KEY_TEXT)|KIND_BIT(KEY_BLOB))

/*
** SQL AREA Advisory locks
**
** Locks on numbers and names that a program agrees on with itself and others:
** "only one of us sends the invoices". They live in a small file beside the
** database, `<database>-interlock`, not in it: taking one writes nothing into
** the database, needs no transaction, and costs well under a microsecond.
** Waiters are served in the order in which they came. A lock goes with its
** holder: with unlock, with the end of the connection, and within a tenth of
** a second with the process, however it ended. Who would wait for ever in a
** circle is told at once (`deadlock detected:`).
**
** A lock has a key: an INTEGER, two INTEGERs of 32 bits, or a TEXT or BLOB of
** up to 255 bytes; the four kinds never collide. It is exclusive or shared. A
** lock of session scope is counted and held until it is unlocked as often, or
** the connection ends; COMMIT and ROLLBACK do not touch it. A lock of
** transaction scope (`xact`) ends with the transaction, and with ROLLBACK TO
** a savepoint that was opened before it.
**
** **A function waits only while its connection has no transaction open on a
** database file.** `BEGIN` alone opens none; the first read or write after it
** does, and so does a cursor that was not read to its end, or any table in
** FROM. Then a lock that is free is still granted, and one that is not is
** refused at once (`lock wait refused:`): so nobody sleeps while he holds
** SQLite's own lock. Take locks first, in a SELECT of their own. In WAL mode
** what a statement or a transaction reads that was begun before the lock may be
** older than the last holder's commit. In BEGIN a write then fails with
** SQLITE_BUSY_SNAPSHOT; what is only read does not, nor, in autocommit, does a
** later statement: `SELECT try_advisory_lock('x'), balance FROM account` can
** return the old balance together with the lock. (An advisory key belongs to
** no table, so that Interlock cannot tell whether that matters; a row or table
** lock is refused there.)
**
** ```sql
** CREATE TABLE account(id INTEGER PRIMARY KEY, balance INT);
** INSERT INTO account VALUES(1, 100);
** BEGIN;
** SELECT advisory_xact_lock('account', 1) > 0;
** -- error: bad argument: first key is TEXT; allowed is INTEGER
** SELECT advisory_xact_lock('account 1') > 0;
** -- 1
** UPDATE account SET balance = balance - 10 WHERE id = 1;
** COMMIT;
** SELECT count(*) FROM advisory_locks;
** -- 0
** ```
**
** What differs from PostgreSQL, and why SQLite asks for it:
**
** | | here |
** |---|---|
** | waiting after a read or write in a transaction | `lock wait refused:` |
** | transaction lock with no transaction | `no transaction:` |
** | an error in a transaction | it goes on, and what is held stays held |
** | a statement fails | transaction locks stay, unless SQLite undoes it |
** | first transaction lock, in a larger statement | may need a second try |
** | after the first one of a transaction | changes() is 0 |
** | triggers and views of a schema | cannot call lock functions |
**
** (Where SQLite undoes a statement inside a transaction it says so, and the
** locks go that the statement took. The first transaction lock of a connection
** makes a table in its temp schema; SQLite then ends a statement that has yet
** to open a table with `abort due to ROLLBACK`, although the transaction goes
** on: it works the second time, and always where the lock has a SELECT of its
** own. A commit hook is called for a transaction that has taken transaction
** locks, even if nothing was written.)
*/

/* ---- one function for many names -------------------------------------- */

static int isNull(int nArg, sqlite3_value **apArg){
  int i;
  for(i=0; i<nArg; i++){
    if( sqlite3_value_type(apArg[i])==SQLITE_NULL ) return 1;
  }
  return 0;
}

static int keyOf(Sqlx *x, const Function *p, int nArg, sqlite3_value **apArg,
                 LockKey *pKey){
  if( nArg<1 || nArg>2 ){
    sqlxBad(x, "%d given; allowed is %s(key) or %s(key, key)", nArg, p->zName,
            p->zName);
    return 0;
  }
  return p->word.bPostgres ? lockkeyIntegers(x, nArg, apArg, pKey)
                           : lockkeyArgs(x, nArg, apArg, pKey);
}

/* Locks that wait. The result is the fencing token, or PostgreSQL's void. */
static void lockFunc(sqlite3_context *ctx, int nArg, sqlite3_value **apArg){
  const FunctionCall *pCall = sqlite3_user_data(ctx);
  const FunctionWord *pWord = &pCall->pThis->word;
  SessionRequest req;
  Sqlx x;
  i64 iToken = 0;
  if( pWord->bPostgres && isNull(nArg, apArg) ) return;
  sqlxBegin(&x, sqlite3_context_db_handle(ctx));
  if( keyOf(&x, pCall->pThis, nArg, apArg, &req.key) ){
    req.zName = pCall->pThis->zName;
    req.zSchema = 0;
    req.pTable = 0;
    req.eMode = pWord->eMode;
    req.eScope = pWord->eScope;
    req.msTimeout = sessionTimeout(pCall->pSession);
    req.bTry = pWord->eOp==OP_TRY;
    iToken = sessionLock(pCall->pSession, &x, &req);
    if( iToken && !req.bTry && !pWord->bPostgres ){
      iToken = sessionGrantToken(pCall->pSession);
    }
  }
  if( x.rc==SQLITE_OK && pWord->bPostgres && pWord->eOp==OP_LOCK ){
    sqlxEnd(&x);
  }else{
    argsEndInteger(&x, ctx, iToken);
  }
}

static void unlockFunc(sqlite3_context *ctx, int nArg, sqlite3_value **apArg){
  const FunctionCall *pCall = sqlite3_user_data(ctx);
  const FunctionWord *pWord = &pCall->pThis->word;
  SessionRequest req;
  Sqlx x;
  int bDone = 0;
  if( pWord->bPostgres && isNull(nArg, apArg) ) return;
  sqlxBegin(&x, sqlite3_context_db_handle(ctx));
  if( keyOf(&x, pCall->pThis, nArg, apArg, &req.key) ){
    req.zSchema = 0;
    req.pTable = 0;
    req.eMode = pWord->eMode;
    bDone = sessionUnlock(pCall->pSession, &x, &req);
  }
  argsEndInteger(&x, ctx, bDone);
}

static void unlockAllFunc(
  sqlite3_context *ctx,
  int nArg,
  sqlite3_value **apArg
){
  const FunctionCall *pCall = sqlite3_user_data(ctx);
  Sqlx x;
  i64 n;
  (void)nArg; (void)apArg;
  sqlxBegin(&x, sqlite3_context_db_handle(ctx));
  n = sessionUnlockAll(pCall->pSession, &x, ADVISORY_KINDS, ~0u);
  if( x.rc==SQLITE_OK && pCall->pThis->word.bPostgres ){
    sqlxEnd(&x);
  }else{
    argsEndInteger(&x, ctx, n);
  }
}

/* ---- their pages ------------------------------------------------------ */

/*
** SQL FUNCTION advisory_lock(key)
** SQL FUNCTION advisory_lock_shared(key)
** SQL FUNCTION advisory_xact_lock(key)
** SQL FUNCTION advisory_xact_lock_shared(key)
**
** Take a lock, and wait for it if it is not free: at most as long as
** advisory_lock_timeout says. What this connection holds already is granted
** again and counted; a session never conflicts with itself. Each takes two
** 32-bit INTEGERs in place of the key, as `advisory_lock(class, id)`.
**
** The result is the fencing token of the grant: it only grows, over all
** grants in this database. Send it along with what the lock protects; who
** receives it refuses a token smaller than one it has seen, and so what a
** holder has sent that has died since, and arrives late, does no harm.
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
** Take a lock if it is free. Never waits, and works with a transaction open.
** A lock that others wait for is not free, except for who holds it already.
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
** SQL FUNCTION advisory_unlock(key)
** SQL FUNCTION advisory_unlock_shared(key)
**
** Give back one hold of session scope, of exactly this key and mode. What is
** held by the transaction, in the other mode, or by another session is not
** touched. Takes effect at once, and is not undone by ROLLBACK.
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
** Give back all advisory locks of session scope, however often they were
** taken. Locks of the transaction stay.
**
** Arguments: none
** Result: INTEGER how many holds were given back
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
** How long this connection waits for a lock: -1 for ever, as it begins, 0 not
** at all. It counts for each wait by itself, and not for busy_timeout's kind
** of waiting. Without an argument it changes nothing.
**
** Arguments:
**   ms  INTEGER  milliseconds, -1 to 2147483647
** Result: INTEGER the time-out until now, in ms
** Errors:
**   `bad argument:` SQLITE_ERROR
** From: PostgreSQL's lock_timeout, where 0 means for ever
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
  i64 msOld = sessionTimeout(pCall->pSession);
  Sqlx x;
  sqlxBegin(&x, sqlite3_context_db_handle(ctx));
  if( argsCount(&x, nArg, 0, 1, "advisory_lock_timeout([ms])") && nArg ){
    i64 ms = argsTimeout(&x, apArg[0]);
    if( x.rc==SQLITE_OK ) sessionSetTimeout(pCall->pSession, ms);
  }
  argsEndInteger(&x, ctx, msOld);
}

/*
** SQL FUNCTION advisory_token(key)
**
** The fencing token of the grant by which this connection holds a lock; of
** the exclusive one if it holds both. Taking again what is held keeps it.
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
  LockKey key;
  Sqlx x;
  i64 iToken = 0;
  sqlxBegin(&x, sqlite3_context_db_handle(ctx));
  if( keyOf(&x, pCall->pThis, nArg, apArg, &key) ){
    iToken = sessionToken(pCall->pSession, &x, &key);
  }
  if( x.rc==SQLITE_OK && iToken==0 ){
    sqlxEnd(&x);
  }else{
    argsEndInteger(&x, ctx, iToken);
  }
}

/*
** SQL FUNCTION advisory_session()
**
** This connection's session id, as it is seen in the inspection tables. It is
** never used twice in one lock file.
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
  iId = sessionId(pCall->pSession, &x);
  argsEndInteger(&x, ctx, iId);
}

/*
** SQL FUNCTION advisory_application([name])
**
** A label for this connection that others see in the inspection tables.
** What is longer than 48 bytes is cut.
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
  zOld = sqlxPrintf(&x, "%s", sessionLabel(pCall->pSession));
  if( argsCount(&x, nArg, 0, 1, "advisory_application([name])") && nArg ){
    const char *z = 0;
    if( sqlite3_value_type(apArg[0])!=SQLITE_TEXT ){
      sqlxBad(&x, "name is %s; allowed is TEXT", argsType(apArg[0]));
    }else if( (z = (const char*)sqlite3_value_text(apArg[0]))==0 ){
      x.rc = SQLITE_NOMEM;
    }else{
      sessionSetLabel(pCall->pSession, z);
    }
  }
  argsEndText(&x, ctx, zOld);
}

/*
** SQL FUNCTION advisory_cancel(session [, schema])
**
** End the wait of another session: its function fails with `lock wait
** cancelled:`. What it holds it keeps. It never hits a later wait.
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
    const char *z = nArg>1 ? argsText(&x, apArg[1], "schema") : 0;
    if( z && sqlite3_db_filename(x.db, z)==0 ){
      sqlxBad(&x, "there is no schema %Q; allowed are main and attached ones",
              z);
    }
    if( iId>0 ) bDone = sessionCancel(pCall->pSession, &x, z, iId);
  }
  argsEndInteger(&x, ctx, bDone);
}

/*
** SQL FUNCTION interlock_reset()
**
** Give back everything that this connection holds, of either scope, and its
** settings: time-out and label are as in a new connection, and its session
** ends. For a pool that takes a connection back. It also begins anew after
** the lock file was replaced.
**
** Arguments: none
** Result: INTEGER how many holds of session scope were given back
** Errors:
**   `bad argument:` SQLITE_ERROR, in a transaction that has written a guarded
**     table: until its end others have to wait for it
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
  n = sessionReset(pCall->pSession, &x);
  argsEndInteger(&x, ctx, n);
}

/* ---- PostgreSQL's names ----------------------------------------------- */

/*
** SQL AREA PostgreSQL's names
**
** Code that was written for PostgreSQL runs unchanged: its functions under its
** names, on the same locks as `advisory_lock` and its kin. They take a bigint
** or two 32-bit INTEGERs, return NULL for void and 1 or 0 for boolean, and lock
** nothing if an argument is NULL.
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
** As the functions of the same name without `pg_`, with PostgreSQL's
** arguments and results.
**
** Arguments:
**   key  INTEGER  or two INTEGERs of 32 bits; NULL locks nothing
** Result: NULL of pg_advisory_lock and its kin, and of pg_advisory_unlock_all;
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
** The hash by which names become keys in PostgreSQL code, with PostgreSQL's
** values for UTF-8.
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
  if( isNull(nArg, apArg) ) return;
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

/* ---- the table -------------------------------------------------------- */

#define SES LOCK_SCOPE_SESSION
#define TXN LOCK_SCOPE_TRANSACTION
#define EXC LOCK_EXCLUSIVE
#define SHR LOCK_SHARED
#define ANY FUNCTION_ANY

/* Under Interlock's name, and with pg_ under PostgreSQL's: after pg_ comes
** try_, as here. */
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
  { "advisory_unlock_all",    0, unlockAllFunc, { OP_UNLOCK_ALL, 0, 0, 0 } },
  { "pg_advisory_unlock_all", 0, unlockAllFunc, { OP_UNLOCK_ALL, 0, 0, 1 } },
  { "hashtext",               1, hashtextFunc,    { 0, 0, 0, 0 } },
  { "advisory_lock_timeout",  ANY, timeoutFunc,   { 0, 0, 0, 0 } },
  { "advisory_token",         ANY, tokenFunc,     { 0, 0, 0, 0 } },
  { "advisory_session",       0, sessionFunc,     { 0, 0, 0, 0 } },
  { "advisory_application",   ANY, applicationFunc, { 0, 0, 0, 0 } },
  { "advisory_cancel",        ANY, cancelFunc,    { 0, 0, 0, 0 } },
  { "interlock_reset",        0, resetFunc,       { 0, 0, 0, 0 } },
};

FunctionTable advisoryFunctions(void){
  FunctionTable t = { aAdvisory, sizeof(aAdvisory)/sizeof(aAdvisory[0]) };
  return t;
}
