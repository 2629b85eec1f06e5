/* SPDX-License-Identifier: 0BSD */
/*
** The functions that lock all rows that match a condition. See lockrows.h.
**
** A pass (rowsearch.h) locks each row that it finds and that is free. If all
** are, that is all. Otherwise everything that the call holds is given back, and
** the rows that were found are waited for, one after the other in the order of
** keyCompare(). So while a call waits it holds only rows that come before, and
** two calls never wait for each other in a deadlock. After the wait another
** pass reads what the sessions that held the rows have committed. A row that it
** does not find again is unlocked; one that it finds for the first time is
** locked, or waited for together with the others.
*/
#include <stdlib.h>
#include <string.h>
#include "locks/calloption.h"
#include "locks/lockrows.h"
#include "locks/rowsearch.h"
SQLITE_EXTENSION_INIT3

#define LOCKROWS_PASSES 100    /* in one call */

/* ---- arguments -------------------------------------------------------- */

static int rowsArgs(Rowsearch *p, int nArg, sqlite3_value **apArg){
  Sqlx *x = p->x;
  if( nArg<2 ){
    sqlxBad(x, "%d given; allowed is %s(table, where [, value...])", nArg,
            p->pCall->pThis->zName);
    return 0;
  }
  rowsearchTable(p, apArg[0]);
  p->zWhere = rowsearchText(x, apArg[1], "where");
  p->bKeyOrder = 1;
  p->nValue = nArg-2;
  p->apValue = &apArg[2];
  return x->rc==SQLITE_OK;
}

/* ---- the search ------------------------------------------------------- */

/* Unlocks the rows that earlier passes have found and this one has not. Returns
** how many rows of earlier passes are left. */
static int dropUnmet(Rowsearch *p){
  int i, n = 0, nOld = 0;
  for(i=0; i<p->nRow; i++){
    RowsearchRow *pRow = &p->aRow[i];
    if( pRow->iPos>p->iPos ){
      rowsearchRemove(p, pRow);
      continue;
    }
    nOld += i<p->nOld;
    p->aRow[n++] = *pRow;
  }
  p->nRow = n;
  return nOld;
}

/* A pass. Returns 1 if all rows that it has found are locked and still match:
** those of earlier passes were locked before it began to read. Once a row is
** not free, the others are only noted, since all will be waited for. */
static int lockFree(Rowsearch *p){
  int bFree = 1, bNewest, nOld;
  rowsearchPass(p);
  while( rowsearchNext(p) ){
    RowsearchRow *pRow = &p->aRow[p->nRow];
    if( rowsearchMet(p) ) continue;
    bFree = bFree
         && connectionSearchTry(&p->locks, p->x, &pRow->key, &pRow->grant);
    rowsearchAdd(p);
  }
  bNewest = rowsearchPassEnd(p);
  if( p->bChanged || p->x->rc!=SQLITE_OK ) return 0;
  nOld = dropUnmet(p);
  if( bFree && !bNewest ) rowsearchReadAgain(p, nOld);
  return bFree && p->x->rc==SQLITE_OK;
}

static int compareFound(const void *a, const void *b){
  return keyCompare(&((const RowsearchRow*)a)->key,
                    &((const RowsearchRow*)b)->key);
}

/* Waits for all rows that were found, in their order, and holds none of them
** before. */
static void waitForAll(Rowsearch *p){
  u64 n = (u64)p->nRow;
  LockKey *aKey = sqlxAlloc(p->x, n*sizeof(LockKey));
  LockGrant *aGrant = sqlxAlloc(p->x, n*sizeof(LockGrant));
  int i;
  if( aKey==0 || aGrant==0 ) return;
  for(i=0; i<p->nRow; i++){
    RowsearchRow *pRow = &p->aRow[i];
    if( pRow->grant.iRecord ) connectionSearchBack(&p->locks, &pRow->grant);
    pRow->grant.iRecord = 0;
  }
  qsort(p->aRow, (size_t)n, sizeof(p->aRow[0]), compareFound);
  for(i=0; i<p->nRow; i++) aKey[i] = p->aRow[i].key;
  if( !connectionSearchWait(&p->locks, p->x, aKey, p->nRow, aGrant) ) return;
  for(i=0; i<p->nRow; i++) p->aRow[i].grant = aGrant[i];
}

/* Locks all rows that match. *pnPass counts the passes of the call. */
static void lockAll(Rowsearch *p, int *pnPass){
  while( ++*pnPass<=LOCKROWS_PASSES && !lockFree(p) && !p->bChanged
      && p->x->rc==SQLITE_OK ){
    waitForAll(p);
  }
  if( *pnPass>LOCKROWS_PASSES ){
    sqlxFail(p->x, SQLITE_BUSY_TIMEOUT, "lock timeout: %s: in each of %d"
        " searches other rows matched, which were held", p->pTab->zName,
        LOCKROWS_PASSES);
  }
}

/* ---- the functions ---------------------------------------------------- */

/* One call, with nothing in p but where it comes from and when it began. 1 if
** it must be made again: the schema has changed since the look at the table.
** Nothing is locked then. */
static int rowsCall(
  Rowsearch *p,
  sqlite3_context *ctx,
  int nArg,
  sqlite3_value **apArg,
  int *pnPass
){
  CallOptions options;
  rowsearchBegin(p);
  nArg = calloptionRead(p->x, p->pCall, nArg, apArg, CALLOPTION_WAIT,
                        &options);
  if( rowsArgs(p, nArg, apArg) && rowsearchPrepare(p)
   && rowsearchLock(p, 0, options.msTimeout) ){
    lockAll(p, pnPass);
    if( !p->bChanged ) rowsearchResult(p, ctx);
  }
  rowsearchEnd(p, p->nRow>0 && !p->bChanged);
  return p->bChanged && p->x->rc==SQLITE_OK;
}

/*
** SQL FUNCTION lock_rows(table, where [, value...])
** SQL FUNCTION lock_rows_shared(table, where [, value...])
** SQL FUNCTION xact_lock_rows(table, where [, value...])
** SQL FUNCTION xact_lock_rows_shared(table, where [, value...])
**
** Locks all rows that match, waits for those that are not free, and returns
** their keys. It takes all of them or, after an error, none. Each row is locked
** as by row_lock (`shared`: as by row_lock_shared, `xact`: as by
** row_xact_lock). row_unlock_many releases up to 1,000 of them in a call,
** row_unlock_all all that the session holds. advisory_lock_timeout, or the last
** argument `wait_at_most(ms)`, limits the waits of a call together.
**
** What is promised:
**
** - Each row in the result is locked, and matched when it was read after its
**   lock was granted.
** - After its last wait the call has searched the whole table once more, in one
**   snapshot. The result has every row that matched in it, unless the row was
**   changed before it could be locked. So a row that matches since the last
**   holder's commit is in the result, and one that does not match any more was
**   released.
** - A row that is added later, or matches later, is not locked. To keep such
**   rows out, lock the table.
** - Rows are waited for in one order, which is the same in every process. Calls
**   of sessions that hold nothing else never meet in a deadlock.
**
** As skip_locked, the function may read more than once, each time the newest
** values. So it must be called outside BEGIN, or in a transaction that writes,
** as after BEGIN IMMEDIATE, and in a SELECT of its own. In a transaction that
** writes it cannot wait: a row that another session holds is then an error.
** Give the table an index for `where`, or each call reads all rows.
**
** Arguments:
**   table  TEXT  name, or schema.name; its key has no BLOB
**   where  TEXT  which rows, an SQL expression; NULL for all
**   value  ANY   for ?1, ?2, ... in it
** Result: TEXT a JSON array of keys, in their order; a key of several columns
**   is an array
** Errors:
**   `lock timeout:` SQLITE_BUSY_TIMEOUT, also when other rows matched in each
**     of 100 searches and were held
**   `lock wait refused:` SQLITE_BUSY, in a transaction that has not written, in
**     a statement that reads a table, and for a row that is held, in a
**     transaction that writes
**   `deadlock detected:` SQLITE_LOCKED
**   `lock wait cancelled:` SQLITE_INTERRUPT
**   `no transaction:` SQLITE_ERROR, of the xact forms outside BEGIN
**   `lock table full:` SQLITE_ERROR
**   `lock file:` SQLITE_ERROR, SQLITE_CANTOPEN or SQLITE_BUSY
**   `forked connection:` SQLITE_ERROR
**   `bad argument:` SQLITE_ERROR, also for an error in where, which may not
**     call a function that releases rows or tables; and if where has ended the
**     transaction of an xact form, or rolled back a savepoint with rows of it
**   `transaction rolled back:` SQLITE_INTERRUPT, SQLITE_FULL, SQLITE_IOERR
** From: SELECT ... FOR UPDATE and FOR SHARE of PostgreSQL, which read a row
**   again after its lock, and do not search again after a wait
** Example:
**   CREATE TABLE seat(no INTEGER PRIMARY KEY, class INT, guest TEXT);
**   INSERT INTO seat VALUES(1, 1, 'Ada'), (2, 2, NULL), (3, 2, NULL);
**   SELECT lock_rows('seat', 'class = ?1 AND guest IS NULL', 2);
**   -- [2,3]
**   SELECT key, mode, count FROM advisory_locks WHERE kind = 'row';
**   -- 2|exclusive|1
**   -- 3|exclusive|1
**   SELECT row_unlock_many('seat', '[2,3]'),
**     lock_rows_shared('seat', 'no < 3');
**   -- 2|[1,2]
**   BEGIN IMMEDIATE;
**   SELECT xact_lock_rows('seat', 'no = 3'),
**     xact_lock_rows_shared('seat', NULL);
**   -- [3]|[1,2,3]
**   COMMIT;
**   SELECT lock_rows('seat', 'nr = 1');
**   -- error: bad argument: where: no such column: nr
**   SELECT lock_rows('seat', 'no = 3') FROM seat;
**   -- error: lock wait refused: lock_rows has to read twice, and ...
*/
static void lockRowsFunc(
  sqlite3_context *ctx,
  int nArg,
  sqlite3_value **apArg
){
  Rowsearch s;
  Sqlx x;
  u64 usBegin = 0;
  int nPass = 0;
  sqlxBegin(&x, sqlite3_context_db_handle(ctx));
  do{
    memset(&s, 0, sizeof(s));
    s.x = &x;
    s.pCall = sqlite3_user_data(ctx);
    s.locks.usBegin = usBegin;
  }while( rowsCall(&s, ctx, nArg, apArg, &nPass)
       && (usBegin = s.locks.usBegin)!=0 );
  if( x.rc!=SQLITE_OK ) sqlxResultError(&x, ctx);
  sqlxEnd(&x);
}

#define LOCKROWS(zName, eMode, eScope) \
  { zName, FUNCTION_ANY, lockRowsFunc, { 0, eMode, eScope, 0 } }

static const Function aLockrows[] = {
  LOCKROWS("lock_rows", LOCK_EXCLUSIVE, LOCK_SCOPE_SESSION),
  LOCKROWS("lock_rows_shared", LOCK_SHARED, LOCK_SCOPE_SESSION),
  LOCKROWS("xact_lock_rows", LOCK_EXCLUSIVE, LOCK_SCOPE_TRANSACTION),
  LOCKROWS("xact_lock_rows_shared", LOCK_SHARED, LOCK_SCOPE_TRANSACTION),
};

FunctionList lockrowsFunctions(void){
  FunctionList t = { aLockrows, sizeof(aLockrows)/sizeof(aLockrows[0]) };
  return t;
}
