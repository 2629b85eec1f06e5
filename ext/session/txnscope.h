/* SPDX-License-Identifier: 0BSD */
/*
** Hearing of the transaction: its end, its savepoints and its roll backs,
** without any of the application's hooks.
**
** A virtual table in the temp schema, `interlock_transaction`, takes part in
** each transaction that asked for it (txnscopeEnlist), and SQLite calls its
** xCommit, xRollback, xSavepoint, xRelease and xRollbackTo. It is made when
** first needed, and made again when it has vanished: PRAGMA temp_store and the
** roll back of the transaction that made it drop it. There can be several
** objects of it in one transaction, so the state is the connection's, and
** every event may come twice.
**
** A transaction that writes a guarded table is heard of through another one,
** `interlock_writer`, without a call: its triggers name it.
**
** A TxnScope belongs to its connection and is guarded by SQLite's mutex of
** the connection.
*/
#ifndef INTERLOCK_TXNSCOPE_H
#define INTERLOCK_TXNSCOPE_H

#include "sqlite/sqlx.h"

/*
** What is told. Savepoints are numbered from 0.
**
** xMark        savepoints iFrom to iTo, not more than there are, stand at what
**              is held now; SQLITE_NOMEM, and the savepoint is refused
** xRollbackTo  what was acquired since savepoint i is given back; -1: all
** xCommit      the transaction, which wrote a guarded table, is about to be
**              committed; an error and its text, and it is rolled back
** xEnd         the transaction has ended, either way
** xClosing     the connection is being closed: statements that are kept must be
**              finalized
** xHold        a module or table points to the TxnScope
** xDrop        and does so no more: after the last, it may be freed
*/
typedef struct TxnEvents {
  int (*xMark)(void*, int iFrom, int iTo);
  void (*xRollbackTo)(void*, int i);
  int (*xCommit)(void*, char **pzError);
  void (*xEnd)(void*);
  void (*xClosing)(void*);
  void (*xHold)(void*);
  void (*xDrop)(void*);
} TxnEvents;

typedef struct TxnScope {
  sqlite3 *db;
  const TxnEvents *pEvents;
  void *pArg;
  sqlite3_stmt *pEnlist; /* enlists; kept while bClosing is told of */
  int nMark;             /* savepoints 0 to nMark-1 have marks */
  int bMade;             /* the table was made in this transaction */
  int bEnlisted;         /* the events of this transaction come */
  sqlite3_uint64 iNumber; /* another one in each transaction */
  int bUntold;           /* its events come no more, but it may go on */
  int bUntoldBegin;      /* then: it was begun by BEGIN or SAVEPOINT */
  int bClosing;          /* an sqlite3_close() of the connection is told of */
} TxnScope;

void txnscopeInit(TxnScope*, sqlite3*, const TxnEvents*, void *pArg);

/* 1 if xClosing is going to be called: only then may a statement be kept. A
** refusal leaves no error but SQLITE_NOMEM. */
int txnscopeHearsClose(TxnScope*, Sqlx*);

/* The modules. They point to the TxnScope until the connection ends, or others
** take their names. */
int txnscopeRegister(TxnScope*);
void txnscopeUnregister(sqlite3*);

/* Take part in the open transaction; zWho in the error names the function.
** The roll back of a savepoint that is open already is heard as well. */
void txnscopeEnlist(TxnScope*, Sqlx*, const char *zWho);

/* Has a statement of the open transaction enlisted a table? Then its end is
** going to be told, or, after a refused close, seen by txnscopeCatchUp(). */
int txnscopeHeard(const TxnScope*);

/*
** An sqlite3_close() that is refused takes the tables out of the transaction,
** and SQLite tells nothing more of it unless one is enlisted again. Whether the
** transaction has ended meanwhile is looked at by every call of a lock
** function, which begins here, and where a table is enlisted again. Where it
** cannot be told from the next transaction (BEGIN, and a write before any
** call), it is taken to go on: locks are kept longer, never shorter. iNumber
** goes up, so that what guards know is found again, and the writer registered
** again.
*/
void txnscopeCatchUp(TxnScope*);

#endif
