/* SPDX-License-Identifier: 0BSD */
/*
** The functions that lock rows of a table which no session has locked. See
** skiplocked.h. A pass goes through the rows in the order that is asked for,
** and locks each one that is free (rowsearch.h).
*/
#include <string.h>
#include "locks/calloption.h"
#include "locks/rowsearch.h"
#include "locks/skiplocked.h"
#include "sqlite/args.h"
SQLITE_EXTENSION_INIT3

#define SKIP_TRIES 3           /* while the schema changes */

/* ---- arguments -------------------------------------------------------- */

/* Reads the arguments. *pnWanted: how many rows to lock, at most. */
static int skipArgs(Rowsearch *p, int nArg, sqlite3_value **apArg,
                    sqlite3_int64 *pnWanted){
  Sqlx *x = p->x;
  if( nArg<2 ){
    sqlxBad(x, "%d given; allowed is %s(table, n [, where [, order_by"
               " [, value...]]])", nArg, p->pCall->pThis->zName);
    return 0;
  }
  rowsearchTable(p, apArg[0]);
  *pnWanted = argsInteger(x, apArg[1], "n");
  if( *pnWanted<0 ) sqlxBad(x, "n is %lld; allowed is 0 and up", *pnWanted);
  if( nArg>2 ) p->zWhere = rowsearchText(x, apArg[2], "where");
  if( nArg>3 ) p->zOrder = rowsearchText(x, apArg[3], "order by");
  p->nValue = nArg>4 ? nArg-4 : 0;
  p->apValue = &apArg[nArg-p->nValue];
  return x->rc==SQLITE_OK;
}

/* ---- the search ------------------------------------------------------- */

/* Locks the row that the pass is at, if it is free. */
static void tryRow(Rowsearch *p, sqlite3_int64 nWanted){
  RowsearchRow *pRow = &p->aRow[p->nRow];
  if( p->nRow<nWanted
   && connectionSearchSkip(&p->locks, p->x, &pRow->key, &pRow->grant) ){
    rowsearchAdd(p);
  }else{
    rowsearchMet(p);
  }
}

/* Goes through the rows once; 1 if it has come to the last one. */
static int searchOnce(Rowsearch *p, sqlite3_int64 nWanted){
  int bEnd = 0;
  rowsearchPass(p);
  while( (p->nRow<nWanted || p->nMet<p->nOld) && !bEnd ){
    bEnd = !rowsearchNext(p);
    if( !bEnd ) tryRow(p, nWanted);
  }
  if( !rowsearchPassEnd(p) ) rowsearchReadAgain(p, 0);
  return bEnd;
}

/* Searches until there are enough rows or no more are free. A pass is repeated
** if rows that it had locked were gone, or if sessions that had locked rows
** were found dead. These sessions are probed after every pass: otherwise the
** rows of a dead session would stay locked as long as there are enough other
** rows. */
static void searchAll(Rowsearch *p, sqlite3_int64 nWanted){
  int bEnd, bDead;
  do{
    bEnd = searchOnce(p, nWanted);
    bDead = connectionSearchProbe(&p->locks);
  }while( p->x->rc==SQLITE_OK && !p->bChanged
       && p->nRow<nWanted && (!bEnd || bDead) );
}

/* ---- the functions ---------------------------------------------------- */

/* One call, with nothing in p but where it comes from. 1 if it must be made
** again: the schema has changed between the look at the table and the search,
** and nothing is locked. */
static int skipCall(
  Rowsearch *p,
  sqlite3_context *ctx,
  int nArg,
  sqlite3_value **apArg
){
  CallOptions options;
  sqlite3_int64 nWanted = 0;
  int bAgain = 0;
  rowsearchBegin(p);
  nArg = calloptionRead(p->x, p->pCall, nArg, apArg, 0, &options);
  if( skipArgs(p, nArg, apArg, &nWanted) && rowsearchPrepare(p) ){
    if( nWanted>0 && rowsearchLock(p, 1, 0) ) searchAll(p, nWanted);
    bAgain = p->bChanged && p->nRow==0;
    rowsearchResult(p, ctx);
  }
  rowsearchEnd(p, p->nRow>0);
  return bAgain && p->x->rc==SQLITE_OK;
}

/*
** SQL AREA Work queues
**
** Any table can be a work queue. Each worker calls `skip_locked`, which locks
** rows that no other worker has locked, and returns their keys. A worker that
** dies releases its rows, and the next worker takes them.
** [LOCKRECIPES.md](LOCKRECIPES.md#a-job-queue) has a complete worker.
*/

/*
** SQL FUNCTION skip_locked(table, n [, where [, order_by [, value...]]])
** SQL FUNCTION xact_skip_locked(table, n [, where [, order_by [, value...]]])
**
** Locks up to n rows that no session has locked or waits for, and returns
** their keys. Rows that this connection has locked are skipped too. Several
** workers that call the function at the same time get different rows, and none
** of them waits. If there was a commit meanwhile, a row is read again after it
** is locked, so a row that another worker has finished is not returned. Each
** row is locked as by row_lock (`xact`: as by row_xact_lock), and row_unlock
** releases it.
**
** Fewer than n keys, or none, does not prove that no other row is left: the
** rows that are left may be locked. The result is also `[]` while a session
** holds or waits for the whole table, or while a transaction of another
** session writes to a guarded table of the file.
**
** The function may read twice, each time the newest values. So it must be
** called outside BEGIN, or in a transaction that writes, as after BEGIN
** IMMEDIATE, and in a SELECT of its own: `json_each(skip_locked(...))` opens a
** transaction first. Give the table an index in the order of `order_by`, or
** each call sorts all rows.
**
** Arguments:
**   table     TEXT     name, or schema.name; its key has no BLOB
**   n         INTEGER  how many at most
**   where     TEXT     which rows, an SQL expression; NULL for all
**   order_by  TEXT     which of them first, as behind ORDER BY; NULL for any
**   value     ANY      for ?1, ?2, ... in these
** Result: TEXT a JSON array of keys, in that order; a key of several columns is
**   an array
** Errors:
**   `lock wait refused:` SQLITE_BUSY, in a transaction that has not written,
**     and in a statement that reads a table
**   `no transaction:` SQLITE_ERROR, of the xact form outside BEGIN
**   `lock table full:` SQLITE_ERROR
**   `lock file:` SQLITE_ERROR, SQLITE_CANTOPEN or SQLITE_BUSY
**   `forked connection:` SQLITE_ERROR
**   `bad argument:` SQLITE_ERROR, also for an error in where or order_by, which
**     may not call a function that releases rows or tables; and if one of them
**     has ended the transaction of the xact form, or rolled back a savepoint
**     with rows of it
**   `transaction rolled back:` SQLITE_INTERRUPT, SQLITE_FULL, SQLITE_IOERR
** From: SELECT ... FOR UPDATE SKIP LOCKED of PostgreSQL, MySQL and Oracle
** Example:
**   CREATE TABLE job(id INTEGER PRIMARY KEY, state TEXT, rank INT);
**   INSERT INTO job VALUES(1,'ready',5), (2,'done',6), (3,'ready',7),
**     (4,'ready',8);
**   SELECT skip_locked('job', 2, 'state = ?1', 'rank DESC', 'ready');
**   -- [4,3]
**   SELECT skip_locked('job', 2, 'state = ?1', 'rank DESC', 'ready');
**   -- [1]
**   SELECT row_unlock('job', 3), skip_locked('job', 9, 'rank > 6');
**   -- 1|[3]
**   SELECT skip_locked('job', 1, 'stat = 1');
**   -- error: bad argument: where: no such column: stat
**   SELECT skip_locked('job', 1) FROM job;
**   -- error: lock wait refused: skip_locked has to read twice, and ...
**   BEGIN IMMEDIATE;
**   SELECT row_unlock('job', 1), xact_skip_locked('job', 1, 'rank < 6');
**   -- 1|[1]
**   COMMIT;
*/
static void skipLockedFunc(
  sqlite3_context *ctx,
  int nArg,
  sqlite3_value **apArg
){
  Rowsearch s;
  Sqlx x;
  int i = 0;
  sqlxBegin(&x, sqlite3_context_db_handle(ctx));
  do{
    memset(&s, 0, sizeof(s));
    s.x = &x;
    s.pCall = sqlite3_user_data(ctx);
  }while( skipCall(&s, ctx, nArg, apArg) && ++i<SKIP_TRIES );
  if( x.rc!=SQLITE_OK ) sqlxResultError(&x, ctx);
  sqlxEnd(&x);
}

static const Function aSkip[] = {
  { "skip_locked", FUNCTION_ANY, skipLockedFunc,
    { 0, LOCK_EXCLUSIVE, LOCK_SCOPE_SESSION, 0 } },
  { "xact_skip_locked", FUNCTION_ANY, skipLockedFunc,
    { 0, LOCK_EXCLUSIVE, LOCK_SCOPE_TRANSACTION, 0 } },
};

FunctionList skiplockedFunctions(void){
  FunctionList t = { aSkip, sizeof(aSkip)/sizeof(aSkip[0]) };
  return t;
}
