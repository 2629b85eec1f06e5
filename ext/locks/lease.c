/* SPDX-License-Identifier: 0BSD */
/*
** The functions of leases. See lease.h.
**
** A lease is a row of main's table interlock_leases (schema/leasetable.h). Each
** change is one statement that compares the token which was read before, so
** that no transaction around two statements is needed. The statements are kept
** with the connection (knowntable.h). The lock file is used only to wake a
** connection that waits.
*/
#include <string.h>
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
** Acquiring, renewing and releasing write to the database, so each waits for
** SQLite's write lock as `busy_timeout` says, and then fails with SQLite's
** `database is locked` (SQLITE_BUSY). During a VACUUM, or a long transaction of
** another program, a holder cannot renew. So a lease must last longer than the
** longest write transaction and `busy_timeout` together.
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

/* ---- a call ----------------------------------------------------------- */

#define LEASES "interlock_leases"

/* A call of a function: what it asks for, which its statements have as ?1 to
** ?6, and what it has read. */
typedef struct LeaseCall {
  Sqlx *x;
  Connection *pConn;
  KnownTable *pTable;    /* the table of leases; NULL if it is not there */
  const char *zName;     /* ?1 */
  const char *zOwner;    /* ?2: who asks; NULL if the function has no owner */
  i64 iToken;            /* ?3: that the row must have */
  i64 msTtl;             /* ?4 */
  i64 iNew;              /* ?5: the token of this acquisition */
  i64 msExpires;         /* ?6: as it was read, and must still be */
  i64 msNow;             /* by the clock of SQLite's VFS, when it was read */
  int bOwn;              /* its owner is the one that asks */
  const char *zHolder;   /* its owner, if that is another */
} LeaseCall;

static void beginCall(LeaseCall *p, Sqlx *x, sqlite3_context *ctx){
  const FunctionCall *pCall = sqlite3_user_data(ctx);
  memset(p, 0, sizeof(*p));
  p->x = x;
  p->pConn = pCall->pConn;
  sqlxBegin(x, sqlite3_context_db_handle(ctx));
}

/* Looks the table of leases up; 0 if it is not there, or with an error. The
** caller must call leaveTable() afterwards. */
static int findLeases(LeaseCall *p){
  Sqlx *x = p->x;
  if( x->rc!=SQLITE_OK ) return 0;
  p->pTable = knowntableRef(connectionTables(p->pConn), x, "main." LEASES, 0);
  if( p->pTable==0 && x->rc==SQLITE_ERROR ){
    sqlxClear(x);
    tableinfoOwn(x, "main", LEASES);   /* a view is an error */
  }
  return p->pTable!=0;
}

static void leaveTable(LeaseCall *p){
  knowntableUnref(p->pTable);
  p->pTable = 0;
}

/* ---- statements ------------------------------------------------------- */

static void bindCall(const LeaseCall *p, sqlite3_stmt *pStmt){
  const i64 a[] = { p->iToken, p->msTtl, p->iNew, p->msExpires };
  int n = sqlite3_bind_parameter_count(pStmt);
  int rc = sqlite3_bind_text(pStmt, 1, p->zName, -1, SQLITE_STATIC);
  int i;
  if( rc==SQLITE_OK && p->zOwner ){
    rc = sqlite3_bind_text(pStmt, 2, p->zOwner, -1, SQLITE_STATIC);
  }
  for(i=3; i<=n && rc==SQLITE_OK; i++){
    rc = sqlite3_bind_int64(pStmt, i, a[i-3]);
  }
  if( rc!=SQLITE_OK ) sqlxFail(p->x, rc, "%s", sqlite3_errmsg(p->x->db));
}

/* Takes a statement that is kept with the table, or compiles it if the table is
** one that Interlock can have made. endStatement() must follow; both it and
** statementOf() accept NULL, which is returned if memory has run out. */
static KnownQuery *beginStatement(const LeaseCall *p, const char *zSql){
  Sqlx *x = p->x;
  KnownQuery *pQuery = knowntableTake(p->pTable, x, zSql);
  if( pQuery==0 ) return 0;
  if( pQuery->apStmt[0]==0 ){
    tableinfoOwn(x, "main", LEASES);
    pQuery->apStmt[0] = sqlxPrepare(x, "%s", zSql);
  }
  if( x->rc==SQLITE_OK ) bindCall(p, pQuery->apStmt[0]);
  return pQuery;
}

/* After an error the statement is not kept. */
static void endStatement(const LeaseCall *p, KnownQuery *pQuery){
  if( p->x->rc==SQLITE_OK ){
    knowntableGive(p->pTable, pQuery);
  }else{
    knowntableEnd(pQuery);
  }
}

static sqlite3_stmt *statementOf(KnownQuery *pQuery){
  return pQuery ? pQuery->apStmt[0] : 0;
}

/* A lease without a row is read as one, with NULLs. */
#define READ_SQL \
  "SELECT now,token,expires,owner=?2,owner FROM" \
  " (SELECT " TRIGGERSET_NOW " AS now) LEFT JOIN main." LEASES " ON name=?1"

#define INSERT_SQL \
  "INSERT INTO main." LEASES " SELECT ?1,?2,?5,?4+" TRIGGERSET_NOW \
  " WHERE NOT EXISTS(SELECT 1 FROM main." LEASES " WHERE name=?1)"

/* A renewal changes the expiry and not the token, so both are compared. */
#define TAKE_SQL \
  "UPDATE main." LEASES " SET owner=?2,token=?5,expires=?4+" TRIGGERSET_NOW \
  " WHERE name=?1 AND token=?3 AND expires=?6"

#define RENEW_SQL \
  "UPDATE main." LEASES " SET expires=max(expires,?4+" TRIGGERSET_NOW ")" \
  " WHERE name=?1 AND token=?3 AND expires>0"

#define RELEASE_SQL \
  "UPDATE main." LEASES " SET expires=0" \
  " WHERE name=?1 AND token=?3 AND expires>0"

/* Reads the row of the lease. If there is none, the token is 0. */
static void readRow(LeaseCall *p){
  KnownQuery *pQuery = beginStatement(p, READ_SQL);
  sqlite3_stmt *pStmt = statementOf(pQuery);
  if( sqlxStep(p->x, pStmt) ){
    p->msNow = sqlite3_column_int64(pStmt, 0);
    p->iToken = sqlite3_column_int64(pStmt, 1);
    p->msExpires = sqlite3_column_int64(pStmt, 2);
    p->bOwn = sqlite3_column_int(pStmt, 3);
    p->zHolder = p->bOwn ? 0 : sqlxColumn(p->x, pStmt, 4);
  }
  endStatement(p, pQuery);
}

/* Runs a statement that changes one row. Returns whether it has changed it. */
static int changes(LeaseCall *p, const char *zSql){
  KnownQuery *pQuery = beginStatement(p, zSql);
  int bChanged;
  while( sqlxStep(p->x, statementOf(pQuery)) ){}
  bChanged = p->x->rc==SQLITE_OK && sqlite3_changes(p->x->db)==1;
  endStatement(p, pQuery);
  return bChanged;
}

/* ---- acquiring -------------------------------------------------------- */

/* Takes the lease, which was read and is free, if its row still is as it was
** read. Returns the new token, or 0. */
static i64 takeLease(LeaseCall *p){
  if( p->iToken==TOKEN_LAST ){
    sqlxBad(p->x, "lease %Q has had its last token; allowed is another name",
            p->zName);
  }
  if( p->x->rc!=SQLITE_OK ) return 0;
  p->iNew = p->msNow>p->iToken ? p->msNow : p->iToken + 1;
  return changes(p, p->iToken ? TAKE_SQL : INSERT_SQL) ? p->iNew : 0;
}

/* Returns the new token; 0 if another owner's lease is live, or with an error.
** The table is there. If a change fails, another connection has changed the
** row, so each attempt meets another row than the one before. */
static i64 tryLease(LeaseCall *p){
  i64 iToken = 0, iSeen = -1, msSeen = 0;
  while( iToken==0 && p->x->rc==SQLITE_OK ){
    readRow(p);
    if( !p->bOwn && p->msExpires>p->msNow ) return 0;
    if( p->iToken==iSeen && p->msExpires==msSeen ){
      sqlxBad(p->x, "a trigger on table main." LEASES " skips the change;"
              " allowed is what sql/lease.sql makes");
    }
    iSeen = p->iToken;
    msSeen = p->msExpires;
    iToken = takeLease(p);
  }
  return iToken;
}

/* Makes the table, and acquires the lease; both or none. */
static i64 makeLease(LeaseCall *p){
  i64 iToken = 0;
  DdlTxn txn = ddlBegin(p->x, DDL_SELECT);
  Ddl ddl;
  ddlNew(&ddl, "main", "fenced");
  leasetableSteps(p->x, &ddl);
  if( p->x->rc==SQLITE_OK ) ddlRun(p->x, &ddl, &txn);
  if( p->x->rc==SQLITE_OK && findLeases(p) ) iToken = tryLease(p);
  ddlEnd(p->x, &txn);
  return p->x->rc==SQLITE_OK ? iToken : 0;
}

static i64 acquireLease(LeaseCall *p){
  i64 iToken = 0;
  if( findLeases(p) ){
    iToken = tryLease(p);
  }else if( p->x->rc==SQLITE_OK ){
    iToken = makeLease(p);
  }
  leaveTable(p);
  return iToken;
}

/* Renews or releases. Returns whether the token was the current one. */
static int changeHeld(LeaseCall *p, const char *zSql){
  int bDone = findLeases(p) && changes(p, zSql);
  leaveTable(p);
  return bDone;
}

/* ---- arguments -------------------------------------------------------- */

static void argTtl(LeaseCall *p, sqlite3_value *pVal){
  p->msTtl = argsInteger(p->x, pVal, "ttl_ms");
  if( p->msTtl<1 || p->msTtl>TTL_MAX ){
    sqlxBad(p->x, "ttl_ms is %lld; allowed is 1 to %d", p->msTtl, TTL_MAX);
  }
}

/* Takes the name, the owner and the time; 0 with an error. */
static int argWanted(LeaseCall *p, int nArg, sqlite3_value **apArg, int nMax,
                     const char *zForm){
  if( !argsCount(p->x, nArg, 3, nMax, zForm) ) return 0;
  p->zName = argsText(p->x, apArg[0], "name");
  p->zOwner = argsText(p->x, apArg[1], "owner");
  argTtl(p, apArg[2]);
  return p->x->rc==SQLITE_OK;
}

/* Takes the name and the token; 0 with an error. */
static int argHeld(LeaseCall *p, int nArg, sqlite3_value **apArg, int nWant,
                   const char *zForm){
  if( !argsCount(p->x, nArg, nWant, nWant, zForm) ) return 0;
  p->zName = argsText(p->x, apArg[0], "name");
  p->iToken = argsInteger(p->x, apArg[1], "token");
  return p->x->rc==SQLITE_OK;
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
**   `transaction rolled back:` SQLITE_INTERRUPT, SQLITE_FULL, SQLITE_IOERR
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
  LeaseCall call;
  i64 iToken = 0;
  Sqlx x;
  beginCall(&call, &x, ctx);
  if( argWanted(&call, nArg, apArg, 3, "lease_acquire(name, owner, ttl_ms)") ){
    iToken = acquireLease(&call);
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
**   `transaction rolled back:` SQLITE_INTERRUPT, SQLITE_FULL, SQLITE_IOERR
** From: as of lease_acquire
** Example:
**   SELECT lease_acquire('leader', 'host a', 1000) > 0;
**   -- 1
**   SELECT lease_renew(name, token, 60000), lease_renew(name, token - 1, 1)
**     FROM interlock_leases;
**   -- 1|0
*/
static void renewFunc(sqlite3_context *ctx, int nArg, sqlite3_value **apArg){
  LeaseCall call;
  int bDone = 0;
  Sqlx x;
  beginCall(&call, &x, ctx);
  if( argHeld(&call, nArg, apArg, 3, "lease_renew(name, token, ttl_ms)") ){
    argTtl(&call, apArg[2]);
    bDone = changeHeld(&call, RENEW_SQL);
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
**   `transaction rolled back:` SQLITE_INTERRUPT, SQLITE_FULL, SQLITE_IOERR
** From: as of lease_acquire
** Example:
**   SELECT lease_acquire('leader', 'host a', 60000) > 0;
**   -- 1
**   SELECT lease_release(name, token), lease_release(name, token)
**     FROM interlock_leases;
**   -- 1|0
*/
static void releaseFunc(sqlite3_context *ctx, int nArg, sqlite3_value **apArg){
  LeaseCall call;
  int bDone = 0;
  Sqlx x;
  beginCall(&call, &x, ctx);
  if( argHeld(&call, nArg, apArg, 2, "lease_release(name, token)") ){
    bDone = changeHeld(&call, RELEASE_SQL);
    if( bDone ) connectionEventPost(call.pConn, call.zName);
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
  LeaseCall call;
  i64 iToken;
  int bHeld = 0;
  Sqlx x;
  beginCall(&call, &x, ctx);
  if( argHeld(&call, nArg, apArg, 2, "lease_assert(name, token)") ){
    iToken = call.iToken;
    if( sqlite3_get_autocommit(x.db) && !sqlxWrites(x.db) ){
      sqlxFail(&x, SQLITE_ERROR, "no transaction: lease_assert needs BEGIN, or"
          " a statement that writes");
    }
    if( findLeases(&call) ){
      readRow(&call);
      bHeld = call.iToken==iToken && call.iToken
           && call.msExpires>call.msNow;
    }
    leaveTable(&call);
    if( !bHeld ){
      sqlxFail(&x, SQLITE_CONSTRAINT_FUNCTION, "lease lost: %s", call.zName);
    }
  }
  argsEndInteger(&x, ctx, bHeld);
}

/* ---- waiting ---------------------------------------------------------- */

/* Returns how long to sleep before the next look: not beyond the end of the
** lease, and not beyond the timeout. usBegin is when the wait began. */
static i64 nextLook(const LeaseCall *p, i64 msTimeout, u64 usBegin){
  i64 ms = p->msExpires - p->msNow;
  if( ms>LOOK_MS ) ms = LOOK_MS;
  if( msTimeout>=0 ){
    i64 msLeft = msTimeout - (i64)((osMonotonicUs() - usBegin)/1000);
    if( ms>msLeft ) ms = msLeft;
  }
  return ms;
}

/* Returns the token, or 0 at the timeout or with an error. */
static i64 waitForLease(LeaseCall *p, i64 msTimeout){
  u64 usBegin = osMonotonicUs();
  ConnectionEvent event;
  i64 iToken = 0;
  if( !connectionEventBegin(p->pConn, p->x, p->zName, &event) ) return 0;
  do{
    i64 ms;
    connectionEventLook(&event);
    iToken = acquireLease(p);
    if( iToken || p->x->rc!=SQLITE_OK ) break;
    if( !connectionEventAllowed(p->x, &event, sqlxPrintf(p->x,
            "lease '%s' is held by '%s'", p->zName, p->zHolder)) ) break;
    ms = nextLook(p, msTimeout, usBegin);
    if( ms<=0 ) break;
    connectionEventWait(p->x, &event, ms);
  }while( p->x->rc==SQLITE_OK );
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
** the first to write gets the lease. `timeout_ms` does not limit how long it
** waits for SQLite's write lock: `busy_timeout` does, and then it fails with
** `database is locked`, SQLITE_BUSY.
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
**   `transaction rolled back:` SQLITE_INTERRUPT, SQLITE_FULL, SQLITE_IOERR
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
  LeaseCall call;
  i64 iToken = 0;
  Sqlx x;
  beginCall(&call, &x, ctx);
  nArg = calloptionRead(&x, pCall, nArg, apArg, CALLOPTION_WAIT, &options);
  if( argWanted(&call, nArg, apArg, 4,
                "lease_wait(name, owner, ttl_ms [, timeout_ms])") ){
    if( nArg==4 ) options.msTimeout = calloptionTimeout(&x, &options, apArg[3]);
    if( x.rc==SQLITE_OK ) iToken = waitForLease(&call, options.msTimeout);
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
