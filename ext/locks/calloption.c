/* SPDX-License-Identifier: 0BSD */
/*
** Options of one call. See calloption.h.
**
** An option is an SQL NULL with a pointer, which SQLite passes from one
** function to the next and nowhere else. Behind a subquery, a view or a column
** it is a plain NULL, which every lock function refuses.
*/
#include <string.h>
#include "locks/calloption.h"
#include "session/lockkey.h"
#include "sqlite/args.h"
SQLITE_EXTENSION_INIT3

#define POINTER_TYPE "interlock_option"

typedef struct CallOption {
  u32 eKind;             /* CALLOPTION_WAIT or CALLOPTION_TASK */
  i64 ms;
  LockKey task;
} CallOption;

static const char *const azOption[] = { "", "wait_at_most", "as_task" };

/* The same, where the last argument may be an option. */
static int readSome(
  Sqlx *x,
  const FunctionCall *pCall,
  int nArg,
  sqlite3_value **apArg,
  u32 mAllowed,
  CallOptions *pOut
){
  while( nArg>0 && sqlite3_value_type(apArg[nArg-1])==SQLITE_NULL ){
    const CallOption *p = sqlite3_value_pointer(apArg[nArg-1], POINTER_TYPE);
    if( p==0 ) break;
    if( (p->eKind & mAllowed)==0 ){
      sqlxBad(x, "%s is no option of %s", azOption[p->eKind],
              pCall->pThis->zName);
    }else if( p->eKind & pOut->mGiven ){
      sqlxBad(x, "%s is given twice", azOption[p->eKind]);
    }
    pOut->mGiven |= p->eKind;
    if( p->eKind==CALLOPTION_WAIT ) pOut->msTimeout = p->ms;
    else pOut->task = p->task;
    nArg--;
  }
  return nArg;
}

int calloptionRead(
  Sqlx *x,
  const FunctionCall *pCall,
  int nArg,
  sqlite3_value **apArg,
  u32 mAllowed,
  CallOptions *pOut
){
  pOut->mGiven = 0;
  pOut->msTimeout = connectionTimeout(pCall->pConn);
  if( nArg==0 || sqlite3_value_type(apArg[nArg-1])!=SQLITE_NULL ) return nArg;
  return readSome(x, pCall, nArg, apArg, mAllowed, pOut);
}

i64 calloptionTimeout(Sqlx *x, const CallOptions *p, sqlite3_value *pArg){
  if( p->mGiven & CALLOPTION_WAIT ){
    sqlxBad(x, "a timeout and wait_at_most() are given; allowed is one");
  }
  return argsTimeout(x, pArg);
}

const LockKey *calloptionTask(const CallOptions *p){
  return p->mGiven & CALLOPTION_TASK ? &p->task : 0;
}

/* Ends a request with an option as its result. */
static void endOption(Sqlx *x, sqlite3_context *ctx, const CallOption *pOption){
  CallOption *p = 0;
  if( x->rc==SQLITE_OK ){
    p = sqlite3_malloc64(sizeof(*p));
    if( p==0 ) x->rc = SQLITE_NOMEM;
  }
  if( p==0 ){
    sqlxResultError(x, ctx);
  }else{
    *p = *pOption;
    sqlite3_result_pointer(ctx, p, POINTER_TYPE, sqlite3_free);
  }
  sqlxEnd(x);
}

/*
** SQL FUNCTION wait_at_most(ms)
**
** How long one call waits, in place of advisory_lock_timeout: the last argument
** of every function that waits, `advisory_lock('invoices', wait_at_most(500))`,
** `row_lock('seat', 'IC 7', 12, wait_at_most(500))`, except those with
** PostgreSQL's and MySQL's names. It is no number, so no function takes it for
** a part of the key. It must be written there: a column, or a subquery in FROM,
** makes an ordinary NULL of it, which is refused. It does not limit a wait for
** SQLite's own lock, which `busy_timeout` limits.
**
** Arguments:
**   ms  INTEGER  milliseconds, 0 not at all, -1 without limit, to 2147483647
** Result: an option; NULL to everything else
** Errors:
**   `bad argument:` SQLITE_ERROR
** From: the time that MySQL's GET_LOCK is given
** Example:
**   SELECT advisory_lock('a', wait_at_most(500)) > 0, advisory_lock_timeout();
**   -- 1|-1
**   SELECT try_advisory_lock('a', wait_at_most(500));
**   -- error: bad argument: wait_at_most is no option of try_advisory_lock
**   SELECT advisory_lock('a', wait_at_most('soon'));
**   -- error: bad argument: ms is TEXT; allowed is INTEGER
*/
static void waitAtMostFunc(
  sqlite3_context *ctx,
  int nArg,
  sqlite3_value **apArg
){
  CallOption option;
  Sqlx x;
  (void)nArg;
  sqlxBegin(&x, sqlite3_context_db_handle(ctx));
  memset(&option, 0, sizeof(option));
  option.eKind = CALLOPTION_WAIT;
  option.ms = argsTimeout(&x, apArg[0]);
  endOption(&x, ctx, &option);
}

/*
** SQL FUNCTION as_task(name)
**
** Which task of the program calls, where several share one connection: the last
** argument of an advisory lock function of session scope, as in
** `try_advisory_lock('invoices', as_task('request 17'))`. A task is to locks
** what a connection is. Two tasks exclude each other, a task that takes its
** lock again is granted it, and a deadlock of tasks is detected. A task begins
** with its first call and ends when it holds and requests nothing. It has a
** session id of its own, and its name is in the column application of
** advisory_sessions.
**
** Because a wait makes the whole connection stand still, a function that waits
** is refused with `lock wait refused:` while another task of the connection
** holds locks. Tasks use request_advisory_lock.
**
** Arguments:
**   name  ANY  INTEGER, TEXT or BLOB of up to 255 bytes
** Result: an option; NULL to everything else
** Errors:
**   `bad argument:` SQLITE_ERROR
** From: no other system; a task is what elsewhere is a connection of its own
** Example:
**   SELECT try_advisory_lock('a', as_task(1)),
**     try_advisory_lock('a', as_task(2));
**   -- 1|0
**   SELECT try_advisory_lock('a', as_task(1)), try_advisory_lock('a');
**   -- 1|0
**   SELECT application, locks FROM advisory_sessions ORDER BY session DESC
**     LIMIT 1;
**   -- task 1|1
**   SELECT advisory_unlock('a'), advisory_unlock_all(as_task(1));
**   -- 0|2
**   SELECT try_advisory_xact_lock('a', as_task(1));
**   -- error: bad argument: as_task is no option of try_advisory_xact_lock
*/
static void asTaskFunc(
  sqlite3_context *ctx,
  int nArg,
  sqlite3_value **apArg
){
  CallOption option;
  Sqlx x;
  (void)nArg;
  sqlxBegin(&x, sqlite3_context_db_handle(ctx));
  memset(&option, 0, sizeof(option));
  option.eKind = CALLOPTION_TASK;
  lockkeyValue(&x, apArg[0], "name", &option.task);
  endOption(&x, ctx, &option);
}

static const Function aOption[] = {
  { "wait_at_most", 1, waitAtMostFunc, { 0, 0, 0, 0 } },
  { "as_task",      1, asTaskFunc,     { 0, 0, 0, 0 } },
};

FunctionList calloptionFunctions(void){
  FunctionList t = { aOption, sizeof(aOption)/sizeof(aOption[0]) };
  return t;
}
