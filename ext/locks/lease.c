/* SPDX-License-Identifier: 0BSD */
/*
** The functions of leases. See lease.h.
**
** A lease is a row of main's table interlock_leases (schema/leasetable.h). Each
** change is one statement that compares the token which was read before, so
** that no transaction around two statements is needed. The lock file is used
** only to wake a connection that waits.
*/
#include "locks/lease.h"
#include "locks/calloption.h"
#include "core/os.h"
#include "schema/leasetable.h"
#include "schema/tableinfo.h"
#include "sqlite/args.h"
SQLITE_EXTENSION_INIT3

#define TTL_MAX 2147483647
#define TOKEN_LAST ((i64)0x7fffffffffffffff)
/* How often a connection that waits looks by itself, in ms: a program that has
** not loaded Interlock wakes no other. */
#define LOOK_MS 100

/*
** SQL AREA Leases
**
** A lease is a lock with an end: "this process is the leader, for the next ten
** seconds". Unlike an advisory lock, it is a row in the database. It
** outlives the connection and the process, it can be held by a program on
** another machine that reaches the database through a server, and it is
** replicated and backed up with the data. A holder renews it while it works. A
** holder that has died stops renewing, and when the time is over another owner
** can acquire it.
**
** The clock decides only when a lease may pass on. Whether a holder may still
** write is decided by its token, a number that grows with each acquisition:
** `lease_assert` in the write transaction, or a table that is
** [fenced](#fenced-tables), refuses a holder that was paused. A token is at
** least the time of the acquisition in unix ms, so it also grows over a
** restored backup, unless the clock was set back as well.
**
** A clock that goes back makes no live lease end early; a lease then lasts
** longer by that much. A clock that jumps forward ends leases early: another
** owner can acquire them, and the tokens keep the data safe. Owners on several
** machines must have clocks that agree within a small part of the duration.
**
** A program keeps the token that it was given. Only to be short, this example
** reads it from the table of leases.
**
** ```sql
** CREATE TABLE job(id INTEGER PRIMARY KEY, state TEXT);
** SELECT lease_acquire('leader', 'host a', 60000) > 0;
** -- 1
** SELECT lease_acquire('leader', 'host b', 60000) IS NULL;
** -- 1
** BEGIN IMMEDIATE;
** SELECT lease_assert('leader', token) FROM interlock_leases;
** -- 1
** INSERT INTO job VALUES(1, 'sent');
** COMMIT;
** SELECT lease_release('leader', token) FROM interlock_leases;
** -- 1
** SELECT lease_acquire('leader', 'host b', 60000) > 0;
** -- 1
** ```
**
** Engines that load no extension run the statements of `sql/lease.sql`. They
** use the same table, so both can be mixed.
*/

/* ---- the row ---------------------------------------------------------- */

typedef struct LeaseRow {
  int bThere;            /* there is a row of that name */
  const char *zOwner;
  i64 iToken;
  i64 msExpires;
  i64 msNow;             /* by the clock of SQLite's VFS */
  int bOwn;              /* the owner is the one that asks */
} LeaseRow;

static void bindText(Sqlx *p, sqlite3_stmt *pStmt, int i, const char *z){
  int rc;
  if( pStmt==0 || p->rc!=SQLITE_OK ) return;
  rc = sqlite3_bind_text(pStmt, i, z, -1, SQLITE_STATIC);
  if( rc!=SQLITE_OK ) sqlxFail(p, rc, "%s", sqlite3_errmsg(p->db));
}

static int hasLeases(Sqlx *p){
  return tableinfoOwn(p, "main", "interlock_leases");
}

/* Reads the row of a name; the table is there. */
static void readRow(Sqlx *p, const char *zName, const char *zOwner,
                    LeaseRow *pRow){
  sqlite3_stmt *pStmt = sqlxPrepare(p, "SELECT now, name NOT NULL, owner,"
      " token, expires, owner=?2 FROM (SELECT " TRIGGERSET_NOW " AS now)"
      " LEFT JOIN main.interlock_leases ON name=?1");
  LeaseRow row = { 0, 0, 0, 0, 0, 0 };
  bindText(p, pStmt, 1, zName);
  bindText(p, pStmt, 2, zOwner);
  if( sqlxStep(p, pStmt) ){
    row.msNow = sqlite3_column_int64(pStmt, 0);
    row.bThere = sqlite3_column_int(pStmt, 1);
    row.zOwner = sqlxColumn(p, pStmt, 2);
    row.iToken = sqlite3_column_int64(pStmt, 3);
    row.msExpires = sqlite3_column_int64(pStmt, 4);
    row.bOwn = sqlite3_column_int(pStmt, 5);
  }
  sqlxFinalize(p, pStmt);
  *pRow = row;
}

/* Runs a prepared change of one row. Returns whether it has changed it. */
static int changes(Sqlx *p, sqlite3_stmt *pStmt){
  while( sqlxStep(p, pStmt) ){}
  sqlxFinalize(p, pStmt);
  return p->rc==SQLITE_OK && sqlite3_changes(p->db)==1;
}

/* ---- acquiring -------------------------------------------------------- */

/* What is asked for. */
typedef struct LeaseWanted {
  const char *zName;
  const char *zOwner;
  i64 msTtl;
} LeaseWanted;

/* Takes a lease that was read as *pRow, and is free, if it still is as it was
** read. Returns the new token, or 0. */
static i64 takeLease(Sqlx *p, const LeaseWanted *pWanted,
                     const LeaseRow *pRow){
  i64 iToken = pRow->msNow;
  sqlite3_stmt *pStmt;
  if( pRow->iToken==TOKEN_LAST ){
    sqlxBad(p, "lease %Q has had its last token; allowed is another name",
            pWanted->zName);
    return 0;
  }
  if( iToken<=pRow->iToken ) iToken = pRow->iToken + 1;
  if( pRow->bThere ){
    pStmt = sqlxPrepare(p, "UPDATE main.interlock_leases SET owner=?2,"
        " token=%lld, expires=%lld+" TRIGGERSET_NOW " WHERE name=?1"
        " AND token=%lld AND (owner=?2 OR expires<=" TRIGGERSET_NOW ")",
        iToken, pWanted->msTtl, pRow->iToken);
  }else{
    pStmt = sqlxPrepare(p, "INSERT INTO main.interlock_leases"
        " SELECT ?1,?2,%lld,%lld+" TRIGGERSET_NOW " WHERE NOT EXISTS("
        "SELECT 1 FROM main.interlock_leases WHERE name=?1)",
        iToken, pWanted->msTtl);
  }
  bindText(p, pStmt, 1, pWanted->zName);
  bindText(p, pStmt, 2, pWanted->zOwner);
  return changes(p, pStmt) ? iToken : 0;
}

/* Returns the new token; 0 if another owner's lease is live, which *pRow then
** is, or with an error. The table is there. */
static i64 tryLease(Sqlx *p, const LeaseWanted *pWanted, LeaseRow *pRow){
  i64 iToken = 0;
  while( iToken==0 && p->rc==SQLITE_OK ){
    readRow(p, pWanted->zName, pWanted->zOwner, pRow);
    if( pRow->bThere && !pRow->bOwn && pRow->msExpires>pRow->msNow ) return 0;
    if( p->rc==SQLITE_OK ) iToken = takeLease(p, pWanted, pRow);
  }
  return iToken;
}

/* The same, with the table made first if it is not there, all or nothing. */
static i64 acquireLease(Sqlx *p, const LeaseWanted *pWanted, LeaseRow *pRow){
  i64 iToken = 0;
  DdlTxn txn;
  Ddl ddl;
  if( hasLeases(p) ) return tryLease(p, pWanted, pRow);
  if( p->rc!=SQLITE_OK ) return 0;
  txn = ddlBegin(p, DDL_SELECT);
  ddlNew(&ddl, "main", "fenced");
  leasetableSteps(p, &ddl);
  if( p->rc==SQLITE_OK ) ddlRun(p, &ddl, &txn);
  if( p->rc==SQLITE_OK ) iToken = tryLease(p, pWanted, pRow);
  ddlEnd(p, &txn);
  return p->rc==SQLITE_OK ? iToken : 0;
}

/* ---- arguments -------------------------------------------------------- */

static i64 argTtl(Sqlx *p, sqlite3_value *pVal){
  i64 ms = argsInteger(p, pVal, "ttl_ms");
  if( ms<1 || ms>TTL_MAX ){
    sqlxBad(p, "ttl_ms is %lld; allowed is 1 to %d", ms, TTL_MAX);
  }
  return ms;
}

static int argWanted(Sqlx *p, int nArg, sqlite3_value **apArg, int nMax,
                     const char *zForm, LeaseWanted *pWanted){
  if( !argsCount(p, nArg, 3, nMax, zForm) ) return 0;
  pWanted->zName = argsText(p, apArg[0], "name");
  pWanted->zOwner = argsText(p, apArg[1], "owner");
  pWanted->msTtl = argTtl(p, apArg[2]);
  return p->rc==SQLITE_OK;
}

/* Takes the name and the token; 0 with an error. */
static int argHeld(Sqlx *p, int nArg, sqlite3_value **apArg, int nWant,
                   const char *zForm, const char **pzName, i64 *piToken){
  if( !argsCount(p, nArg, nWant, nWant, zForm) ) return 0;
  *pzName = argsText(p, apArg[0], "name");
  *piToken = argsInteger(p, apArg[1], "token");
  return p->rc==SQLITE_OK;
}

/* ---- the functions ---------------------------------------------------- */

/*
** SQL FUNCTION lease_acquire(name, owner, ttl_ms)
**
** Acquires a lease, if no other owner holds it. The result is a new token,
** greater than every earlier one of that lease. An owner that holds the lease
** already gets a new token as well, and its old one is worth nothing: a process
** that starts again is not confused with what it was before. Two processes that
** call themselves by the same name take the lease from each other, so an owner
** must be a name of its own: a host, a process id and a time, or a UUID.
**
** The first call makes the table `interlock_leases` in main, and must then not
** be part of a statement that writes.
**
** Arguments:
**   name    TEXT     the lease
**   owner   TEXT     the owner that asks
**   ttl_ms  INTEGER  how long it lasts, 1 to 2147483647
** Result: INTEGER the token; NULL while another owner's lease is live
** Errors:
**   `bad argument:` SQLITE_ERROR
**   `lease kept:` SQLITE_CONSTRAINT_TRIGGER, of other writes to the table
** From: leases of Chubby, etcd and DynamoDB's lock client
** Example:
**   SELECT lease_acquire('leader', 'host a', 60000) > 1700000000000;
**   -- 1
**   SELECT lease_acquire('leader', 'host b', 60000) IS NULL;
**   -- 1
**   SELECT lease_acquire('leader', 'host a', 60000)
**     < lease_acquire('leader', 'host a', 60000);
**   -- 1
**   DELETE FROM interlock_leases;
**   -- error: lease kept: a lease is not deleted
*/
static void acquireFunc(sqlite3_context *ctx, int nArg, sqlite3_value **apArg){
  LeaseWanted wanted;
  LeaseRow row;
  i64 iToken = 0;
  Sqlx x;
  sqlxBegin(&x, sqlite3_context_db_handle(ctx));
  if( argWanted(&x, nArg, apArg, 3, "lease_acquire(name, owner, ttl_ms)",
                &wanted) ){
    iToken = acquireLease(&x, &wanted, &row);
  }
  argsEndFound(&x, ctx, iToken);
}

/*
** SQL FUNCTION lease_renew(name, token, ttl_ms)
**
** Makes a lease last longer: at least ttl_ms from now. It never makes it end
** earlier. A lease that has expired can be renewed as long as no other owner
** has acquired it. A holder should renew after a third of the duration, and
** stop working when the result is 0.
**
** Arguments:
**   name    TEXT     the lease
**   token   INTEGER  as lease_acquire has returned it
**   ttl_ms  INTEGER  as of lease_acquire
** Result: INTEGER 1, or 0 if the token is not the current one, or the lease was
**   released
** Errors:
**   `bad argument:` SQLITE_ERROR
** From: as of lease_acquire
** Example:
**   SELECT lease_acquire('leader', 'host a', 1000) > 0;
**   -- 1
**   SELECT lease_renew(name, token, 60000), lease_renew(name, token - 1, 1)
**     FROM interlock_leases;
**   -- 1|0
*/
static void renewFunc(sqlite3_context *ctx, int nArg, sqlite3_value **apArg){
  const char *zName;
  i64 iToken, ms;
  int bDone = 0;
  Sqlx x;
  sqlxBegin(&x, sqlite3_context_db_handle(ctx));
  if( argHeld(&x, nArg, apArg, 3, "lease_renew(name, token, ttl_ms)", &zName,
              &iToken) ){
    ms = argTtl(&x, apArg[2]);
    if( hasLeases(&x) ){
      sqlite3_stmt *pStmt = sqlxPrepare(&x, "UPDATE main.interlock_leases"
          " SET expires=max(expires,%lld+" TRIGGERSET_NOW ")"
          " WHERE name=?1 AND token=%lld AND expires>0", ms, iToken);
      bindText(&x, pStmt, 1, zName);
      bDone = changes(&x, pStmt);
    }
  }
  argsEndInteger(&x, ctx, bDone);
}

/*
** SQL FUNCTION lease_release(name, token)
**
** Ends a lease. Its row stays, so that tokens go on growing. A connection that
** waits in lease_wait is woken; if the release is part of a transaction, that
** connection notices it within 100 ms of the COMMIT.
**
** Arguments:
**   name   TEXT     the lease
**   token  INTEGER  as lease_acquire has returned it
** Result: INTEGER 1, or 0 if the token is not the current one, or the lease was
**   released already
** Errors:
**   `bad argument:` SQLITE_ERROR
** From: as of lease_acquire
** Example:
**   SELECT lease_acquire('leader', 'host a', 60000) > 0;
**   -- 1
**   SELECT lease_release(name, token), lease_release(name, token)
**     FROM interlock_leases;
**   -- 1|0
*/
static void releaseFunc(sqlite3_context *ctx, int nArg, sqlite3_value **apArg){
  const FunctionCall *pCall = sqlite3_user_data(ctx);
  const char *zName;
  i64 iToken;
  int bDone = 0;
  Sqlx x;
  sqlxBegin(&x, sqlite3_context_db_handle(ctx));
  if( argHeld(&x, nArg, apArg, 2, "lease_release(name, token)", &zName,
              &iToken) && hasLeases(&x) ){
    sqlite3_stmt *pStmt = sqlxPrepare(&x, "UPDATE main.interlock_leases"
        " SET expires=0 WHERE name=?1 AND token=%lld AND expires>0", iToken);
    bindText(&x, pStmt, 1, zName);
    bDone = changes(&x, pStmt);
    if( bDone ) connectionEventPost(pCall->pConn, zName);
  }
  argsEndInteger(&x, ctx, bDone);
}

/*
** SQL FUNCTION lease_assert(name, token)
**
** Verifies that a lease is held by this token and has not expired; otherwise
** the statement fails. Call it in the transaction that writes under the lease,
** as a SELECT of its own: the lease and the data are in one file, so no other
** owner can acquire the lease before that transaction has ended. In a deferred
** transaction that another writer has overtaken the function passes, and the
** first write then fails with SQLITE_BUSY_SNAPSHOT.
**
** Arguments:
**   name   TEXT     the lease
**   token  INTEGER  as lease_acquire has returned it
** Result: INTEGER 1
** Errors:
**   `lease lost:` SQLITE_CONSTRAINT_FUNCTION
**   `no transaction:` SQLITE_ERROR, outside BEGIN
**   `bad argument:` SQLITE_ERROR
** From: as of lease_acquire
** Example:
**   SELECT lease_acquire('leader', 'host a', 60000) > 0;
**   -- 1
**   BEGIN;
**   SELECT lease_assert('leader', token) FROM interlock_leases;
**   -- 1
**   SELECT lease_assert('leader', 7);
**   -- error: lease lost: leader
**   ROLLBACK;
**   SELECT lease_assert('leader', 7);
**   -- error: no transaction: lease_assert needs BEGIN, ...
*/

/*
** SQL ERROR lease lost:
**
** The token is not the current one of the lease, or the lease has expired or
** was released. The text names the lease.
**
** Code: SQLITE_CONSTRAINT_FUNCTION
** Retry: nothing
** Cure: ROLLBACK, stop working under that lease, and call lease_acquire for a
**   new token
*/
static void assertFunc(sqlite3_context *ctx, int nArg, sqlite3_value **apArg){
  const char *zName;
  i64 iToken;
  int bHeld = 0;
  Sqlx x;
  sqlxBegin(&x, sqlite3_context_db_handle(ctx));
  if( argHeld(&x, nArg, apArg, 2, "lease_assert(name, token)", &zName,
              &iToken) ){
    if( sqlite3_get_autocommit(x.db) && !sqlxWrites(x.db) ){
      sqlxFail(&x, SQLITE_ERROR, "no transaction: lease_assert needs BEGIN, or"
          " a statement that writes");
    }
    if( hasLeases(&x) ){
      LeaseRow row;
      readRow(&x, zName, "", &row);
      bHeld = row.bThere && row.iToken==iToken && row.msExpires>row.msNow;
    }
    if( !bHeld ){
      sqlxFail(&x, SQLITE_CONSTRAINT_FUNCTION, "lease lost: %s", zName);
    }
  }
  argsEndInteger(&x, ctx, bHeld);
}

/* ---- waiting ---------------------------------------------------------- */

/* Returns how long to sleep before the next look: not beyond the end of the
** lease, and not beyond the timeout. usBegin is when the wait began. */
static i64 nextLook(const LeaseRow *pRow, i64 msTimeout, u64 usBegin){
  i64 ms = pRow->msExpires - pRow->msNow;
  if( ms>LOOK_MS ) ms = LOOK_MS;
  if( msTimeout>=0 ){
    i64 msLeft = msTimeout - (i64)((osMonotonicUs() - usBegin)/1000);
    if( ms>msLeft ) ms = msLeft;
  }
  return ms;
}

/* Returns the token, or 0 at the timeout or with an error. */
static i64 waitForLease(
  Connection *pConn,
  Sqlx *p,
  const LeaseWanted *pWanted,
  i64 msTimeout
){
  u64 usBegin = osMonotonicUs();
  ConnectionEvent event;
  i64 iToken = 0;
  if( !connectionEventBegin(pConn, p, pWanted->zName, &event) ) return 0;
  do{
    LeaseRow row = {0};
    i64 ms;
    connectionEventLook(&event);
    iToken = acquireLease(p, pWanted, &row);
    if( iToken || p->rc!=SQLITE_OK ) break;
    if( !connectionEventAllowed(p, &event, sqlxPrintf(p,
            "lease '%s' is held by '%s'", pWanted->zName, row.zOwner)) ) break;
    ms = nextLook(&row, msTimeout, usBegin);
    if( ms<=0 ) break;
    connectionEventWait(p, &event, ms);
  }while( p->rc==SQLITE_OK );
  connectionEventEnd(&event);
  return iToken;
}

/*
** SQL FUNCTION lease_wait(name, owner, ttl_ms [, timeout_ms])
**
** Acquires a lease as lease_acquire does, and waits until it can. It is woken
** through the lock file when another connection calls lease_release, and
** notices a release by plain SQL within 100 ms. It wakes when the lease expires
** by the clock of SQLite. Connections that wait are not in a queue: of several
** the first to write gets the lease.
**
** As every function that waits, it waits only while its connection has no
** transaction open. Inside BEGIN it opens one itself, by reading the table of
** leases: there it acquires a lease that is free, and is refused otherwise.
**
** Arguments:
**   name        TEXT     the lease
**   owner       TEXT     the owner that asks
**   ttl_ms      INTEGER  as of lease_acquire
**   timeout_ms  INTEGER  how long to wait, -1 without limit, 0 not at all; the
**     default is advisory_lock_timeout; `wait_at_most(ms)` is the same
** Result: INTEGER the token; NULL if the lease was not free in time
** Errors:
**   `lock wait refused:` SQLITE_BUSY
**   `lock wait cancelled:` SQLITE_INTERRUPT
**   `lock table full:` SQLITE_ERROR
**   `lock file:` SQLITE_ERROR, SQLITE_CANTOPEN or SQLITE_BUSY
**   `forked connection:` SQLITE_ERROR
**   `bad argument:` SQLITE_ERROR
** From: as of lease_acquire
** Example:
**   SELECT lease_acquire('leader', 'host a', 30) > 0;
**   -- 1
**   SELECT lease_wait('leader', 'host b', 60000, 5000) > 0;
**   -- 1
**   SELECT lease_wait('leader', 'host c', 60000, 10) IS NULL,
**     lease_wait('leader', 'host c', 60000, wait_at_most(10)) IS NULL;
**   -- 1|1
**   BEGIN;
**   SELECT lease_wait('leader', 'host c', 60000, 5000);
**   -- error: lock wait refused: lease 'leader' is held by 'host b'; ...
**   ROLLBACK;
*/
static void waitFunc(sqlite3_context *ctx, int nArg, sqlite3_value **apArg){
  const FunctionCall *pCall = sqlite3_user_data(ctx);
  CallOptions options;
  LeaseWanted wanted;
  i64 iToken = 0;
  Sqlx x;
  sqlxBegin(&x, sqlite3_context_db_handle(ctx));
  nArg = calloptionRead(&x, pCall, nArg, apArg, CALLOPTION_WAIT, &options);
  if( argWanted(&x, nArg, apArg, 4,
                "lease_wait(name, owner, ttl_ms [, timeout_ms])", &wanted) ){
    if( nArg==4 ) options.msTimeout = argsTimeout(&x, apArg[3]);
    if( x.rc==SQLITE_OK ){
      iToken = waitForLease(pCall->pConn, &x, &wanted, options.msTimeout);
    }
  }
  argsEndFound(&x, ctx, iToken);
}

static const Function aLease[] = {
  { "lease_acquire", FUNCTION_ANY, acquireFunc, { 0, 0, 0, 0 } },
  { "lease_renew",   FUNCTION_ANY, renewFunc,   { 0, 0, 0, 0 } },
  { "lease_release", FUNCTION_ANY, releaseFunc, { 0, 0, 0, 0 } },
  { "lease_assert",  FUNCTION_ANY, assertFunc,  { 0, 0, 0, 0 } },
  { "lease_wait",    FUNCTION_ANY, waitFunc,    { 0, 0, 0, 0 } },
};

FunctionList leaseFunctions(void){
  FunctionList t = { aLease, sizeof(aLease)/sizeof(aLease[0]) };
  return t;
}
