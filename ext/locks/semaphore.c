/* SPDX-License-Identifier: 0BSD */
/*
** The functions of semaphores. See semaphore.h.
**
** A permit is a lock on a key of the semaphore's name. The lock manager counts
** how many sessions hold it.
*/
#include <string.h>
#include "locks/semaphore.h"
#include "locks/calloption.h"
#include "session/lockkey.h"
#include "sqlite/args.h"
SQLITE_EXTENSION_INIT3

#define PERMITS_MAX 255

/*
** SQL AREA Semaphores
**
** A semaphore is a lock that several sessions may hold at once: at most three
** downloads, over all processes. `semaphore_lock('download', 3)` takes one of
** three permits, and waits in a queue if no permit is free. Like an advisory
** lock, a permit ends with the connection or the process.
**
** Each caller says how many permits there are. A request is granted when fewer
** sessions than that hold a permit and no other session waits ahead. So a
** program that allows more does not pass one that waits.
**
** A session that waits for one of several permits can be in a deadlock that is
** not detected: any of the holders could give its permit back, so the wait for
** one of them alone is no deadlock. Set a timeout where holders of permits wait
** for other locks. With one permit deadlocks are detected.
**
** ```sql
** SELECT semaphore_lock('download', 2) > 0;
** -- 1
**
** -- session B
** SELECT semaphore_lock('download', 2) > 0;
** -- 1
**
** -- session C
** SELECT try_semaphore_lock('download', 2);
** -- 0
**
** -- session A
** SELECT semaphore_unlock('download');
** -- 1
**
** -- session C
** SELECT try_semaphore_lock('download', 2);
** -- 1
** ```
*/

static int permitKey(Sqlx *x, sqlite3_value **apArg, LockKey *pKey){
  i64 n;
  if( !lockkeyNamed(x, apArg[0], "name", KEY_SEMAPHORE, pKey) ) return 0;
  n = argsInteger(x, apArg[1], "permits");
  if( n<1 || n>PERMITS_MAX ){
    sqlxBad(x, "permits is %lld; allowed is 1 to %d", n, PERMITS_MAX);
  }
  pKey->nPermit = (u8)n;
  return x->rc==SQLITE_OK;
}

/*
** SQL FUNCTION semaphore_lock(name, permits)
** SQL FUNCTION semaphore_xact_lock(name, permits)
**
** Takes a permit, and waits until one is free, no longer than
** advisory_lock_timeout or the last argument `wait_at_most(ms)` says. A session
** that holds a permit of that name keeps
** the one, which is counted. The xact form ends with the transaction.
**
** Arguments:
**   name     TEXT     the semaphore, 1 to 255 bytes
**   permits  INTEGER  how many sessions may hold one, 1 to 255
** Result: INTEGER the fencing token
** Errors:
**   `lock timeout:` SQLITE_BUSY_TIMEOUT
**   `lock wait refused:` SQLITE_BUSY
**   `deadlock detected:` SQLITE_LOCKED
**   `lock wait cancelled:` SQLITE_INTERRUPT
**   `no transaction:` SQLITE_ERROR, of the xact form outside BEGIN
**   `lock table full:` SQLITE_ERROR
**   `lock file:` SQLITE_ERROR, SQLITE_CANTOPEN or SQLITE_BUSY
**   `forked connection:` SQLITE_ERROR
**   `bad argument:` SQLITE_ERROR
**   `transaction rolled back:` SQLITE_INTERRUPT, SQLITE_FULL, SQLITE_IOERR
** From: POSIX's sem_wait, with a queue and holders that are known
** Example:
**   SELECT semaphore_lock('download', 3) = semaphore_lock('download', 3);
**   -- 1
**   SELECT kind, key, mode, scope, count FROM advisory_locks;
**   -- semaphore|download|permit|session|2
**   SELECT semaphore_lock('download', 0);
**   -- error: bad argument: permits is 0; allowed is 1 to 255
**   BEGIN;
**   SELECT semaphore_xact_lock('upload', 1) > 0;
**   -- 1
**   COMMIT;
*/

/*
** SQL FUNCTION try_semaphore_lock(name, permits)
** SQL FUNCTION try_semaphore_xact_lock(name, permits)
**
** Takes a permit if one is free and no other session waits for one. The
** function never waits.
**
** Arguments:
**   name     TEXT     as of semaphore_lock
**   permits  INTEGER  as of semaphore_lock
** Result: INTEGER 1 if it is held now, 0 if not
** Errors:
**   `no transaction:` SQLITE_ERROR, of the xact form outside BEGIN
**   `lock table full:` SQLITE_ERROR
**   `lock file:` SQLITE_ERROR, SQLITE_CANTOPEN or SQLITE_BUSY
**   `forked connection:` SQLITE_ERROR
**   `bad argument:` SQLITE_ERROR
**   `transaction rolled back:` SQLITE_INTERRUPT, SQLITE_FULL, SQLITE_IOERR
** From: POSIX's sem_trywait
** Example:
**   SELECT try_semaphore_lock('download', 1);
**   -- 1
**   BEGIN;
**   SELECT try_semaphore_xact_lock('upload', 1);
**   -- 1
**   COMMIT;
*/
static void permitFunc(sqlite3_context *ctx, int nArg, sqlite3_value **apArg){
  const FunctionCall *pCall = sqlite3_user_data(ctx);
  const FunctionWord *pWord = &pCall->pThis->word;
  ConnectionRequest req;
  CallOptions options;
  i64 iResult = 0;
  Sqlx x;
  memset(&req, 0, sizeof(req));
  sqlxBegin(&x, sqlite3_context_db_handle(ctx));
  nArg = calloptionRead(&x, pCall, nArg, apArg,
                        pWord->eOp ? 0 : CALLOPTION_WAIT, &options);
  if( argsCount(&x, nArg, 2, 2, sqlxPrintf(&x, "%s(name, permits)",
                                           pCall->pThis->zName))
   && permitKey(&x, apArg, &req.key) ){
    req.zName = pCall->pThis->zName;
    req.eMode = LOCK_EXCLUSIVE;
    req.eScope = pWord->eScope;
    req.msTimeout = options.msTimeout;
    req.bTry = pWord->eOp;
    iResult = connectionLock(pCall->pConn, &x, &req);
    if( iResult && !req.bTry ) iResult = connectionGrantToken(pCall->pConn);
  }
  argsEndInteger(&x, ctx, iResult);
}

/*
** SQL FUNCTION semaphore_unlock(name)
**
** Releases one hold of a permit, of session scope. A permit that was taken
** several times is free when it was released as often.
**
** Arguments:
**   name  TEXT  as of semaphore_lock
** Result: INTEGER 1, or 0 if this session does not hold it so
** Errors:
**   `lock file:` SQLITE_ERROR or SQLITE_BUSY
**   `forked connection:` SQLITE_ERROR
**   `bad argument:` SQLITE_ERROR
** From: POSIX's sem_post
** Example:
**   SELECT try_semaphore_lock('download', 1), semaphore_unlock('download');
**   -- 1|1
**   SELECT semaphore_unlock('download');
**   -- 0
*/
static void permitBackFunc(
  sqlite3_context *ctx,
  int nArg,
  sqlite3_value **apArg
){
  const FunctionCall *pCall = sqlite3_user_data(ctx);
  ConnectionRequest req;
  int bDone = 0;
  Sqlx x;
  (void)nArg;
  memset(&req, 0, sizeof(req));
  sqlxBegin(&x, sqlite3_context_db_handle(ctx));
  if( lockkeyNamed(&x, apArg[0], "name", KEY_SEMAPHORE, &req.key) ){
    req.eMode = LOCK_EXCLUSIVE;
    bDone = connectionUnlock(pCall->pConn, &x, &req);
  }
  argsEndInteger(&x, ctx, bDone);
}

#define SES LOCK_SCOPE_SESSION
#define TXN LOCK_SCOPE_TRANSACTION

/* eOp: whether it is a try. */
static const Function aSemaphore[] = {
  { "semaphore_lock",          FUNCTION_ANY, permitFunc, { 0, 0, SES, 0 } },
  { "semaphore_xact_lock",     FUNCTION_ANY, permitFunc, { 0, 0, TXN, 0 } },
  { "try_semaphore_lock",      FUNCTION_ANY, permitFunc, { 1, 0, SES, 0 } },
  { "try_semaphore_xact_lock", FUNCTION_ANY, permitFunc, { 1, 0, TXN, 0 } },
  { "semaphore_unlock",        1, permitBackFunc, { 0, 0, 0, 0 } },
};

FunctionList semaphoreFunctions(void){
  FunctionList t = { aSemaphore, sizeof(aSemaphore)/sizeof(aSemaphore[0]) };
  return t;
}
