/* SPDX-License-Identifier: 0BSD */
/*
** A search for rows of a table that are to be locked, by the caller's text: the
** table and the text, the statements, the rows that were found, and when what
** was read is the newest. skiplocked.c and lockrows.c decide which of the rows
** are locked, and when.
**
** A row is locked in a pass, which reads rows in an order. Between the snapshot
** of that read and the lock, another session can change the row: it commits and
** unlocks. So a pass ends its read, and a row that it has locked is read again,
** by its key and under the same condition, in a snapshot that began after the
** lock was granted. A row that is not found any more is unlocked.
**
** Rows are not read again where the pass has read the newest values that there
** are: in a transaction that writes the table's file, since no other connection
** can commit; in rollback mode, where a connection that reads keeps others from
** committing; and in WAL mode, if there has been no commit since before the
** pass began.
**
** The two statements are kept with the table (knowntable.h). A Rowsearch
** belongs to one call of a function.
*/
#ifndef INTERLOCK_ROWSEARCH_H
#define INTERLOCK_ROWSEARCH_H

#include "session/function.h"

/* A row that was found. */
typedef struct RowsearchRow {
  LockKey key;
  LockGrant grant;             /* its lock; iRecord 0: not locked */
  sqlite3_value **apVal;       /* its key, as the row has it */
  const char *zJson;           /* its key, as JSON */
  sqlite3_int64 iPos;          /* its position in the last pass */
  int iNext;                   /* 1 + index of the next in its bucket */
} RowsearchRow;

typedef struct Rowsearch {
  Sqlx *x;
  const FunctionCall *pCall;
  KnownTable *pKnown;
  const RowkeyTable *pTab;     /* the table in it */
  const char *zWhere;          /* NULL: all rows */
  const char *zOrder;          /* NULL: any order */
  int bKeyOrder;               /* in the order of the key, without zOrder */
  int nValue;                  /* values for ?1, ?2, ... in these two */
  sqlite3_value **apValue;
  int bNewest;                 /* every snapshot is the newest: the transaction
                               ** writes the table's file */
  KnownQuery *pQuery;          /* in which the two statements are kept */
  sqlite3_stmt *pSearch;       /* returns the keys of rows, in order */
  sqlite3_stmt *pAgain;        /* returns a row if the row is still there */
  int nPrepared;               /* how often SQLite has prepared pSearch anew */
  int bChanged;                /* the schema is not that of pTab any more */
  ConnectionRequest req;
  ConnectionSearch locks;
  int bBegun;                  /* 1: locks must be ended */
  sqlite3_value **apVal;       /* the key of the row that the pass is at */
  RowsearchRow *aRow;          /* the rows that were found */
  int nRow, mxRow;
  int nPass;
  int bWal;                    /* wal is the state before the pass */
  DbheaderWal wal;
  sqlite3_int64 iPos;          /* rows that the pass has read */
  int nOld;                    /* rows that earlier passes have found; */
  int nMet;                    /* those of them that this pass has met */
  int *aBucket, nBucket;       /* nOld rows, by hash of the key */
  Sqlx rowMem;                 /* memory for keys of rows that are read */
  int nRowMem;                 /* how many there are in it */
} Rowsearch;

/*
** rowsearchBegin: begins a call, with nothing in the Rowsearch but x and pCall.
** rowsearchTable: finds the table. rowsearchText: a TEXT argument; NULL for an
** SQL NULL, or with an error.
** rowsearchPrepare: refuses the call if a read of the table would not end with
** its statement, and prepares the statements; 0 with an error.
** rowsearchLock: locks the intention on the table, and waits for that, unless
** it is a try. 0 if a try is refused, or with an error; there may be no pass
** then.
** rowsearchEnd: ends the call. Without bKeep, or with an error, it gives back
** all locks that the call has taken.
*/
void rowsearchBegin(Rowsearch*);
void rowsearchTable(Rowsearch*, sqlite3_value *pName);
const char *rowsearchText(Sqlx*, sqlite3_value *pVal, const char *zWhat);
int rowsearchPrepare(Rowsearch*);
int rowsearchLock(Rowsearch*, int bTry, i64 msTimeout);
void rowsearchEnd(Rowsearch*, int bKeep);

/*
** A pass: after rowsearchPass() the caller calls rowsearchNext() until that
** returns 0, or until it needs no more rows, and then rowsearchPassEnd().
**
** rowsearchNext: goes on to the next row that can be locked. The row is
** aRow[nRow], with its key only, which rowsearchAdd() must add to the rows, or
** the next call replaces it. 0 at the end, with an error, and with bChanged.
** rowsearchMet: the same row among those that earlier passes have found, which
** then has its position in this pass; NULL if none has found it.
** rowsearchPassEnd: ends the read. 1 if it has read the newest values.
** rowsearchReadAgain: unlocks the rows from index iFrom on that are gone or do
** not match any more, and removes them.
** rowsearchRemove: unlocks a row. The caller removes it from aRow.
*/
void rowsearchPass(Rowsearch*);
int rowsearchNext(Rowsearch*);
void rowsearchAdd(Rowsearch*);
RowsearchRow *rowsearchMet(Rowsearch*);
int rowsearchPassEnd(Rowsearch*);
void rowsearchReadAgain(Rowsearch*, int iFrom);
void rowsearchRemove(Rowsearch*, RowsearchRow*);

/* Sets the keys of the rows as the result, in the order of the last pass. After
** this the call must not fail any more. */
void rowsearchResult(Rowsearch*, sqlite3_context*);

#endif
