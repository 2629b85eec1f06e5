/* SPDX-License-Identifier: 0BSD */
/*
** The events of a connection's transaction: its savepoints, its rollbacks and
** its end. None of the application's hooks is used for them.
**
** A virtual table in the temp schema, `interlock_transaction`, takes part in
** each transaction for which txnscopeEnlist() was called. SQLite then calls its
** xCommit, xRollback, xSavepoint, xRelease and xRollbackTo. The table is made
** when it is first needed. PRAGMA temp_store drops it, and so does the rollback
** of the transaction that made it; it is then made again when it is next
** needed. SQLite can have several objects of the table in one transaction, so
** the state belongs to the connection, and each event may come twice.
**
** In a transaction that writes a guarded table the events come through another
** table, `interlock_writer`. No call is needed: the triggers of the guarded
** table name it.
**
** A TxnScope belongs to its connection and is guarded by SQLite's mutex of the
** connection.
*/
#ifndef INTERLOCK_TXNSCOPE_H
#define INTERLOCK_TXNSCOPE_H

#include "sqlite/sqlx.h"

/*
** What the owner must do at each event. Savepoints are numbered from 0.
**
** xMark        note for savepoints iFrom to iTo what is held now; after
**              SQLITE_NOMEM the savepoint fails
** xRollbackTo  release what was acquired since savepoint i; if i is -1, all
** xCommit      the transaction has written a guarded table and is about to be
**              committed; after an error it is rolled back. The caller frees
**              the text
** xEnd         the transaction has ended. bUndone: by ROLLBACK; otherwise by
**              COMMIT or, after a refused close, in a way that is not known
** xClosing     finalize the statements that are kept: the connection is being
**              closed
** xRef         count one more module or table that points to the TxnScope
** xUnref       count one less; with the last, the TxnScope may be freed
*/
typedef struct TxnEvents {
  int (*xMark)(void*, int iFrom, int iTo);
  void (*xRollbackTo)(void*, int i);
  int (*xCommit)(void*, char **pzError);
  void (*xEnd)(void*, int bUndone);
  void (*xClosing)(void*);
  void (*xRef)(void*);
  void (*xUnref)(void*);
} TxnEvents;

typedef struct TxnScope {
  sqlite3 *db;
  const TxnEvents *pEvents;
  void *pArg;
  sqlite3_stmt *pEnlist; /* enlists the table; kept only while bSeesClose */
  sqlite3_stmt *pWrite;  /* takes main's write lock; kept likewise */
  int nMark;             /* savepoints 0 to nMark-1 have marks */
  int bMade;             /* this transaction has made the table */
  int bEnlisted;         /* the events of this transaction come */
  sqlite3_uint64 iNumber; /* differs from one transaction to the next */
  int bLost;             /* no events come any more, and the transaction may not
                         ** have ended */
  int bLostBegin;        /* of bLost: it was begun by BEGIN or SAVEPOINT */
  int bSeesClose;        /* interlock_close is connected */
} TxnScope;

void txnscopeInit(TxnScope*, sqlite3*, const TxnEvents*, void *pArg);

/* 1 if xClosing will be called: only then may a statement be kept. A refusal
** leaves no error but SQLITE_NOMEM. */
int txnscopeSeesClose(TxnScope*, Sqlx*);

/* Register the modules. They point to the TxnScope until the connection ends or
** modules of the same names replace them. */
int txnscopeRegister(TxnScope*);
void txnscopeUnregister(sqlite3*);

/* Makes the events of the open transaction come, including the rollback of
** savepoints that are already open. Inside of a statement that writes nothing
** is made in temp, since SQLite can end the statement for that; if the table is
** missing, main is written, which takes SQLite's lock on it. An error names the
** calling function, zWho. */
void txnscopeEnlist(TxnScope*, Sqlx*, const char *zWho);

/* Makes its events come by a write to main, which changes nothing and takes
** SQLite's write lock. With bWait it waits for that as long as the connection's
** busy handler would, but an interrupt ends the wait. If SQLite refuses it, the
** error is SQLite's, SQLITE_BUSY or SQLITE_LOCKED. */
void txnscopeWrite(TxnScope*, Sqlx*, const char *zWho, int bWait);

/* Whether the end of the open transaction will be noticed: by its event, or,
** after a refused close, by txnscopeCatchUp(). */
int txnscopeFollows(const TxnScope*);

/*
** An sqlite3_close() that is refused takes the tables out of the transaction,
** and no events come until one is enlisted again. So every lock function must
** call this first: it notices that the transaction has ended meanwhile, as
** enlisting a table again does. A transaction that has ended cannot always be
** told from the next one (BEGIN, then a write before any call). It is then
** taken to go on, so that locks are held longer, never shorter. iNumber goes
** up, so that the guards find again what they know and register the writer
** again.
*/
void txnscopeCatchUp(TxnScope*);

#endif
