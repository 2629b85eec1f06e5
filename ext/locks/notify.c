/* SPDX-License-Identifier: 0BSD */
/*
** The functions of notifications. See notify.h.
*/
#include <string.h>
#include "locks/notify.h"
#include "locks/calloption.h"
#include "session/lockkey.h"
#include "sqlite/args.h"
SQLITE_EXTENSION_INIT3

/*
** SQL AREA Notifications
**
** A notification wakes the programs that wait for something new in the
** database: "there is a job". A transaction that adds the job notifies a
** channel, and the notification is sent when the transaction is committed. A
** ROLLBACK sends nothing. A worker waits for the channel and uses no processor
** meanwhile; the COMMIT wakes it, in whatever process it is.
**
** Each session that listens on a channel has a number for it, which rises with
** each notification. `listen_wait(channel, seen [, ms])` returns as soon
** as the number is not `seen`. So a notification that comes while the worker
** is busy, or between its look at the table and its wait, is not lost. A worker
** takes the number first, from `listen` or `listen_wait`, then looks for all
** that is there, and then waits with this number:
**
** ```sql
** CREATE TABLE job(id INTEGER PRIMARY KEY, work TEXT);
** SELECT listen('job') > 0;
** -- 1
** CREATE TEMP TABLE seen AS SELECT listen('job') AS number;
**
** -- session B
** BEGIN;
** INSERT INTO job(work) VALUES('mail');
** SELECT notify('job');
** -- 1
** COMMIT;
**
** -- session A
** SELECT listen_wait('job', number, 5000) > number FROM (SELECT number
**   FROM seen);
** -- 1
** SELECT work FROM job;
** -- mail
** ```
**
** A notification has no payload: what is new stands in a table, in the same
** transaction. It outlives every process, has no limit of size, and a worker
** that was away finds it too.
**
** Several notifications can be one wake-up, so a worker must look for
** everything that is there. A wake-up can also come without a notification:
** when a process has died, or a connection was closed, in a transaction that
** had notified the channel, or when a process has died in the middle of a
** change of the lock file.
**
** A channel is a name of up to 255 bytes, and need not be made. A session that
** listens takes one entry of the lock file, and so does each channel that an
** open transaction has notified. If the file is full, the functions fail with
** `lock table full:`, before COMMIT. [`advisory_locks`](#advisory_locks) lists
** the sessions that listen, with the kind `listen`.
**
** Notifications of a transaction that a killed process has committed are sent
** by the next session that listens on the channel, within 50 ms, or within a
** second if many threads of its process wait.
*/

/*
** SQL FUNCTION notify(channel)
**
** Notifies a channel: when the open transaction is committed, every session
** that listens on the channel is woken. The notification is sent after the
** commit, so a session that it wakes sees what the transaction has written.
** ROLLBACK sends nothing, and neither does ROLLBACK TO a savepoint that was
** opened before the call. Several calls for one channel in a transaction are
** one notification.
**
** With no transaction open, the notification is sent at once; in a statement
** that writes (`INSERT ... RETURNING notify('job')`, a temp trigger) at the end
** of the statement, if it succeeds. The function cannot be called in triggers
** of the schema, since every program that writes would need the extension.
**
** A statement that writes an attached file or temp, and not `main`, takes
** SQLite's write lock on `main`, too, unless the connection has called the
** function, or taken a transaction lock, in a SELECT between BEGIN and COMMIT
** before.
**
** Arguments:
**   channel  TEXT  its name, 1 to 255 bytes
** Result: INTEGER 1
** Errors:
**   `no transaction:` SQLITE_ERROR, SQLITE_BUSY or SQLITE_READONLY, if a
**     transaction cannot write
**   `lock table full:` SQLITE_ERROR
**   `lock file:` SQLITE_ERROR, SQLITE_CANTOPEN or SQLITE_BUSY
**   `forked connection:` SQLITE_ERROR
**   `bad argument:` SQLITE_ERROR
**   `transaction rolled back:` SQLITE_INTERRUPT, SQLITE_FULL, SQLITE_IOERR
** From: PostgreSQL's NOTIFY
** Example:
**   CREATE TEMP TABLE seen AS SELECT listen('job') AS number;
**   BEGIN;
**   SELECT notify('job'), notify('job');
**   -- 1|1
**   SELECT kind, key, scope FROM advisory_locks WHERE kind = 'notify';
**   -- notify|job|transaction
**   ROLLBACK;
**   SELECT listen('job') = number FROM seen;
**   -- 1
**   SELECT notify('job');
**   -- 1
**   SELECT listen('job') > number FROM seen;
**   -- 1
**   SELECT notify('');
**   -- error: bad argument: channel is empty; allowed is a name
*/
static void notifyFunc(sqlite3_context *ctx, int nArg, sqlite3_value **apArg){
  const FunctionCall *pCall = sqlite3_user_data(ctx);
  LockKey key;
  int bDone = 0;
  Sqlx x;
  (void)nArg;
  sqlxBegin(&x, sqlite3_context_db_handle(ctx));
  if( lockkeyNamed(&x, apArg[0], "channel", KEY_NOTIFY, &key) ){
    bDone = connectionNotify(pCall->pConn, &x, "notify", &key);
  }
  argsEndInteger(&x, ctx, bDone);
}

/*
** SQL FUNCTION pg_notify(channel, payload)
**
** Works as notify, under PostgreSQL's name. A payload is not kept, so only an
** empty one is allowed: write what is new into a table.
**
** Arguments:
**   channel  TEXT  as of notify
**   payload  TEXT  '' or NULL
** Result: NULL
** Errors:
**   `no transaction:` SQLITE_ERROR, SQLITE_BUSY or SQLITE_READONLY, if a
**     transaction cannot write
**   `lock table full:` SQLITE_ERROR
**   `lock file:` SQLITE_ERROR, SQLITE_CANTOPEN or SQLITE_BUSY
**   `forked connection:` SQLITE_ERROR
**   `bad argument:` SQLITE_ERROR
**   `transaction rolled back:` SQLITE_INTERRUPT, SQLITE_FULL, SQLITE_IOERR
** From: PostgreSQL's pg_notify
** Example:
**   SELECT pg_notify('job', '') IS NULL;
**   -- 1
**   SELECT pg_notify('job', '42');
**   -- error: bad argument: payload is not empty; ...
*/
static void pgNotifyFunc(
  sqlite3_context *ctx,
  int nArg,
  sqlite3_value **apArg
){
  const FunctionCall *pCall = sqlite3_user_data(ctx);
  LockKey key;
  Sqlx x;
  (void)nArg;
  sqlxBegin(&x, sqlite3_context_db_handle(ctx));
  if( sqlite3_value_type(apArg[1])!=SQLITE_NULL
   && sqlite3_value_bytes(apArg[1])>0 ){
    sqlxBad(&x, "payload is not empty; allowed is '' or NULL, with what is new"
                " in a table");
  }
  if( lockkeyNamed(&x, apArg[0], "channel", KEY_NOTIFY, &key) ){
    connectionNotify(pCall->pConn, &x, "pg_notify", &key);
  }
  argsEndNull(&x, ctx);
}

/*
** SQL FUNCTION listen(channel)
**
** Listens on a channel from now on, and returns the channel's number. The
** number rises with each notification; pass it to listen_wait. Listening takes
** effect immediately, and ROLLBACK does not end it. It ends with unlisten, the
** connection or interlock_reset(). Called again the function only returns the
** number.
**
** Arguments:
**   channel  TEXT  as of notify
** Result: INTEGER the number
** Errors:
**   `lock table full:` SQLITE_ERROR
**   `lock file:` SQLITE_ERROR, SQLITE_CANTOPEN or SQLITE_BUSY
**   `forked connection:` SQLITE_ERROR
**   `bad argument:` SQLITE_ERROR
** From: PostgreSQL's LISTEN
** Example:
**   SELECT listen('job') = listen('job'), listen('mail') > listen('job');
**   -- 1|1
**   SELECT kind, key, scope, granted FROM advisory_locks;
**   -- listen|job|session|1
**   -- listen|mail|session|1
*/
static void listenFunc(sqlite3_context *ctx, int nArg, sqlite3_value **apArg){
  const FunctionCall *pCall = sqlite3_user_data(ctx);
  LockKey key;
  i64 iNumber = 0;
  Sqlx x;
  (void)nArg;
  sqlxBegin(&x, sqlite3_context_db_handle(ctx));
  if( lockkeyNamed(&x, apArg[0], "channel", KEY_LISTEN, &key) ){
    iNumber = connectionListen(pCall->pConn, &x, &key);
  }
  argsEndInteger(&x, ctx, iNumber);
}

/*
** SQL FUNCTION listen_wait(channel, seen [, timeout_ms])
**
** Waits until the number of a channel is not `seen`, and returns it. A session
** that does not listen yet listens from now on; its number is then greater than
** any before, so the function returns at once. A worker therefore begins with
** `seen` 0.
**
** As every function that waits, it waits only while its connection has no
** transaction open on a database file.
**
** Arguments:
**   channel     TEXT     as of notify
**   seen        INTEGER  the number that was returned last; 0 at first
**   timeout_ms  INTEGER  how long to wait, -1 without limit, 0 not at all; the
**     default is advisory_lock_timeout; `wait_at_most(ms)` is the same
** Result: INTEGER the number; NULL if there was no notification in time
** Errors:
**   `lock wait refused:` SQLITE_BUSY
**   `lock wait cancelled:` SQLITE_INTERRUPT
**   `lock table full:` SQLITE_ERROR
**   `lock file:` SQLITE_ERROR, SQLITE_CANTOPEN or SQLITE_BUSY
**   `forked connection:` SQLITE_ERROR
**   `bad argument:` SQLITE_ERROR
** From: PostgreSQL's wait for notifications, with the counter of a futex
** Example:
**   SELECT listen_wait('job', 0, -1) > 0;
**   -- 1
**   SELECT listen_wait('job', listen('job'), 10) IS NULL;
**   -- 1
**   BEGIN;
**   SELECT count(*) FROM sqlite_master;
**   -- 0
**   SELECT listen_wait('job', listen('job'), 10);
**   -- error: lock wait refused: channel 'job' has no new notification; ...
**   ROLLBACK;
*/
static void listenWaitFunc(
  sqlite3_context *ctx,
  int nArg,
  sqlite3_value **apArg
){
  const FunctionCall *pCall = sqlite3_user_data(ctx);
  CallOptions options;
  LockKey key;
  i64 iNumber = 0;
  Sqlx x;
  sqlxBegin(&x, sqlite3_context_db_handle(ctx));
  nArg = calloptionRead(&x, pCall, nArg, apArg, CALLOPTION_WAIT, &options);
  if( argsCount(&x, nArg, 2, 3, "listen_wait(channel, seen [, timeout_ms])")
   && lockkeyNamed(&x, apArg[0], "channel", KEY_LISTEN, &key) ){
    i64 iSeen = argsInteger(&x, apArg[1], "seen");
    if( nArg==3 ) options.msTimeout = calloptionTimeout(&x, &options, apArg[2]);
    if( x.rc==SQLITE_OK ){
      iNumber = connectionListenWait(pCall->pConn, &x, &key, iSeen,
                                     options.msTimeout);
    }
  }
  argsEndFound(&x, ctx, iNumber);
}

/*
** SQL FUNCTION unlisten([channel])
**
** Ends listening on a channel, or on all.
**
** Arguments:
**   channel  TEXT  as of notify
** Result: INTEGER on how many channels it has ended
** Errors:
**   `lock file:` SQLITE_ERROR or SQLITE_BUSY
**   `forked connection:` SQLITE_ERROR
**   `bad argument:` SQLITE_ERROR
** From: PostgreSQL's UNLISTEN
** Example:
**   SELECT listen('a') > 0, listen('b') > 0, listen('c') > 0;
**   -- 1|1|1
**   SELECT unlisten('a'), unlisten('a'), unlisten();
**   -- 1|0|2
*/
static void unlistenFunc(sqlite3_context *ctx, int nArg, sqlite3_value **apArg){
  const FunctionCall *pCall = sqlite3_user_data(ctx);
  ConnectionRequest req;
  i64 n = 0;
  Sqlx x;
  sqlxBegin(&x, sqlite3_context_db_handle(ctx));
  memset(&req, 0, sizeof(req));
  req.eMode = LOCK_SHARED;
  if( argsCount(&x, nArg, 0, 1, "unlisten([channel])") ){
    if( nArg==0 ){
      n = connectionUnlockAll(pCall->pConn, &x, 1u<<KEY_LISTEN, ~0u);
    }else if( lockkeyNamed(&x, apArg[0], "channel", KEY_LISTEN, &req.key) ){
      n = connectionUnlock(pCall->pConn, &x, &req);
    }
  }
  argsEndInteger(&x, ctx, n);
}

static const Function aNotify[] = {
  { "notify",      1,            notifyFunc,     { 0, 0, 0, 0 } },
  { "pg_notify",   2,            pgNotifyFunc,   { 0, 0, 0, 0 } },
  { "listen",      1,            listenFunc,     { 0, 0, 0, 0 } },
  { "listen_wait", FUNCTION_ANY, listenWaitFunc, { 0, 0, 0, 0 } },
  { "unlisten",    FUNCTION_ANY, unlistenFunc,   { 0, 0, 0, 0 } },
};

FunctionList notifyFunctions(void){
  FunctionList t = { aNotify, sizeof(aNotify)/sizeof(aNotify[0]) };
  return t;
}
