/* SPDX-License-Identifier: 0BSD */
/*
** MySQL's named locks. See getlock.h.
*/
#include "locks/getlock.h"
#include "sqlite/args.h"
#include "session/lockkey.h"
SQLITE_EXTENSION_INIT3

#define SECONDS_MAX 2147483  /* as ms, what advisory_lock_timeout allows */

/*
** SQL AREA MySQL's names
**
** These functions are MySQL's locks on names, with MySQL's results. The locks
** are exclusive, counted, and of session scope. A name has up to 64
** characters, and upper and lower case of ASCII are the same. The names are a
** space of their own: `get_lock('a', 0)` and `advisory_lock('a')` are
** different locks.
*/

/* Begins the request and makes the key of its first argument; 0 with an
** error. */
static int nameOf(
  sqlite3_context *ctx,
  Sqlx *x,
  sqlite3_value *pVal,
  LockKey *pKey
){
  sqlxBegin(x, sqlite3_context_db_handle(ctx));
  return lockkeyName(x, pVal, pKey);
}

/* A number of seconds, as ms; -1, without limit, if it is negative or too
** large. */
static i64 timeoutOf(Sqlx *x, sqlite3_value *pVal){
  double r;
  int eType = argsNumberType(pVal);
  if( eType!=SQLITE_INTEGER && eType!=SQLITE_FLOAT ){
    sqlxBad(x, "seconds is %s; allowed is a number", argsType(pVal));
    return 0;
  }
  r = sqlite3_value_double(pVal);
  if( r<0 ) return -1;
  return r<SECONDS_MAX ? (i64)(r*1000) : -1;
}

/*
** SQL FUNCTION get_lock(name, seconds)
**
** Takes the lock of a name, and waits for it up to this number of seconds: 0
** means not at all, a negative number without limit.
**
** Arguments:
**   name     TEXT  up to 64 characters and 255 bytes
**   seconds  REAL  how long to wait
** Result: INTEGER 1 if it is held now, 0 if not within that time
** Errors:
**   `lock wait refused:` SQLITE_BUSY
**   `deadlock detected:` SQLITE_LOCKED
**   `lock wait cancelled:` SQLITE_INTERRUPT
**   `lock table full:` SQLITE_ERROR
**   `lock file:` SQLITE_ERROR, SQLITE_CANTOPEN or SQLITE_BUSY
**   `forked connection:` SQLITE_ERROR
**   `bad argument:` SQLITE_ERROR
** From: MySQL's GET_LOCK
** Example:
**   SELECT get_lock('Invoices', 10), is_used_lock('invoices') > 0;
**   -- 1|1
**   SELECT release_lock('invoices'), release_lock('invoices') IS NULL;
**   -- 1|1
*/
static void getLockFunc(sqlite3_context *ctx, int nArg, sqlite3_value **apArg){
  const FunctionCall *pCall = sqlite3_user_data(ctx);
  ConnectionRequest req;
  Sqlx x;
  int bHeld = 0;
  (void)nArg;
  if( nameOf(ctx, &x, apArg[0], &req.key) ){
    req.zName = pCall->pThis->zName;
    req.zSchema = 0;
    req.pTable = 0;
    req.pTask = 0;
    req.eMode = LOCK_EXCLUSIVE;
    req.eScope = LOCK_SCOPE_SESSION;
    req.msTimeout = timeoutOf(&x, apArg[1]);
    req.bTry = req.msTimeout==0;
    if( x.rc==SQLITE_OK ) bHeld = connectionLock(pCall->pConn, &x, &req);
    if( x.rc==SQLITE_BUSY_TIMEOUT ) sqlxClear(&x);
  }
  argsEndInteger(&x, ctx, bHeld);
}

/*
** SQL FUNCTION release_lock(name)
**
** Releases one hold of a name.
**
** Arguments:
**   name  TEXT  up to 64 characters and 255 bytes
** Result: INTEGER 1; 0 if another session holds it; NULL if no session does
** Errors:
**   `lock file:` SQLITE_ERROR, SQLITE_CANTOPEN or SQLITE_BUSY
**   `forked connection:` SQLITE_ERROR
**   `bad argument:` SQLITE_ERROR
** From: MySQL's RELEASE_LOCK
** Example:
**   SELECT get_lock('a', 0), get_lock('a', 0);
**   -- 1|1
**   SELECT release_lock('a'), release_lock('a'), release_lock('a') IS NULL;
**   -- 1|1|1
*/
static void releaseLockFunc(
  sqlite3_context *ctx,
  int nArg,
  sqlite3_value **apArg
){
  const FunctionCall *pCall = sqlite3_user_data(ctx);
  ConnectionRequest req;
  Sqlx x;
  (void)nArg;
  if( nameOf(ctx, &x, apArg[0], &req.key) ){
    req.zSchema = 0;
    req.pTable = 0;
    req.pTask = 0;
    req.eMode = LOCK_EXCLUSIVE;
    if( connectionUnlock(pCall->pConn, &x, &req) ){
      argsEndInteger(&x, ctx, 1);
      return;
    }
    if( connectionHolder(pCall->pConn, &x, &req.key) ){
      argsEndInteger(&x, ctx, 0);
      return;
    }
  }
  argsEndNull(&x, ctx);
}

/*
** SQL FUNCTION release_all_locks()
**
** Releases all names of this session, however often they were taken.
**
** Arguments: none
** Result: INTEGER how many holds were released
** Errors:
**   `lock file:` SQLITE_ERROR or SQLITE_BUSY
**   `forked connection:` SQLITE_ERROR
** From: MySQL's RELEASE_ALL_LOCKS
** Example:
**   SELECT get_lock('a', 0), get_lock('a', 0), get_lock('b', 0);
**   -- 1|1|1
**   SELECT release_all_locks();
**   -- 3
*/
static void releaseAllFunc(
  sqlite3_context *ctx,
  int nArg,
  sqlite3_value **apArg
){
  const FunctionCall *pCall = sqlite3_user_data(ctx);
  Sqlx x;
  i64 n;
  (void)nArg; (void)apArg;
  sqlxBegin(&x, sqlite3_context_db_handle(ctx));
  n = connectionUnlockAll(pCall->pConn, &x, 1u<<KEY_NAME, ~0u);
  argsEndInteger(&x, ctx, n);
}

/* The id of the session that holds a name, this one or another; 0 if no
** session does. */
static i64 holderOf(Connection *p, Sqlx *x, const LockKey *pKey){
  if( connectionToken(p, x, pKey, 0) ) return connectionId(p, x);
  return connectionHolder(p, x, pKey);
}

/*
** SQL FUNCTION is_free_lock(name)
** SQL FUNCTION is_used_lock(name)
**
** Tells whether the lock of a name is free, and which session holds it.
**
** Arguments:
**   name  TEXT  up to 64 characters and 255 bytes
** Result: INTEGER is_free_lock: 1 if it is free, 0 if it is held;
**   is_used_lock: id of the session that holds it, NULL if it is free
** Errors:
**   `lock table full:` SQLITE_ERROR
**   `lock file:` SQLITE_ERROR, SQLITE_CANTOPEN or SQLITE_BUSY
**   `forked connection:` SQLITE_ERROR
**   `bad argument:` SQLITE_ERROR
** From: MySQL's IS_FREE_LOCK and IS_USED_LOCK
** Example:
**   SELECT is_free_lock('a'), is_used_lock('a') IS NULL, get_lock('a', 0);
**   -- 1|1|1
**   SELECT is_free_lock('a'), is_used_lock('a') = advisory_session();
**   -- 0|1
*/
static void isFreeFunc(sqlite3_context *ctx, int nArg, sqlite3_value **apArg){
  const FunctionCall *pCall = sqlite3_user_data(ctx);
  LockKey key;
  Sqlx x;
  int bFree = 0;
  (void)nArg;
  if( nameOf(ctx, &x, apArg[0], &key) ){
    bFree = holderOf(pCall->pConn, &x, &key)==0;
  }
  argsEndInteger(&x, ctx, bFree);
}

static void isUsedFunc(sqlite3_context *ctx, int nArg, sqlite3_value **apArg){
  const FunctionCall *pCall = sqlite3_user_data(ctx);
  LockKey key;
  Sqlx x;
  i64 iHolder = 0;
  (void)nArg;
  if( nameOf(ctx, &x, apArg[0], &key) ){
    iHolder = holderOf(pCall->pConn, &x, &key);
  }
  argsEndFound(&x, ctx, iHolder);
}

static const Function aNameLock[] = {
  { "get_lock",          2, getLockFunc,     { 0, 0, 0, 0 } },
  { "release_lock",      1, releaseLockFunc, { 0, 0, 0, 0 } },
  { "release_all_locks", 0, releaseAllFunc,  { 0, 0, 0, 0 } },
  { "is_free_lock",      1, isFreeFunc,      { 0, 0, 0, 0 } },
  { "is_used_lock",      1, isUsedFunc,      { 0, 0, 0, 0 } },
};

FunctionList getlockFunctions(void){
  FunctionList t = { aNameLock, sizeof(aNameLock)/sizeof(aNameLock[0]) };
  return t;
}
