/* SPDX-License-Identifier: 0BSD */
/*
** A connection and its locks: its sessions in lock files, that of main's
** database and those of attached ones, each begun by the first call that needs
** it; its settings; and the one home of the errors that the lock manager's
** results become.
**
** A lock belongs to the file that holds what is locked. In each file the
** connection is a session of its own, with an id of its own. A wait is visible
** to the users of that file only. So a connection that holds locks in one file
** must not wait in another: no process would find a cycle over two files.
**
** A Connection lives from loading to the true end of the connection, which is
** where the destructors of functions and modules are called, and not where a
** table is disconnected: an sqlite3_close() that is refused disconnects as
** well. Each function, module and table that points to it counts: a program,
** or a copy of this library, may register functions of the same names, and
** what it replaces is gone before the rest. It is guarded by SQLite's mutex of
** the connection.
*/
#ifndef INTERLOCK_CONNECTION_H
#define INTERLOCK_CONNECTION_H

#include "session/filesession.h"
#include "sqlite/sqlx.h"
#include "session/txnscope.h"

typedef struct Connection Connection;

/* xEnd(pArg) is called when the Connection has ended, with the last release. */
Connection *connectionNew(sqlite3*, void (*xEnd)(void*), void *pArg);
void connectionRetain(void *pConn);
void connectionRelease(void *pConn);
TxnScope *connectionScope(Connection*);

/*
** What a function asks for. zName is its own, for errors. A row is asked for
** with the key of its table: the intention to lock rows of that is locked
** first, in the same scope, and given back with the row.
*/
typedef struct ConnectionRequest {
  const char *zName;
  const char *zSchema;   /* whose lock file; NULL: main's */
  LockKey key;
  const LockKey *pTable; /* of a row; NULL */
  u32 eMode;
  u32 eScope;
  i64 msTimeout;         /* as of LockWait; not looked at by a try */
  int bTry;
} ConnectionRequest;

/* 1 if granted. 0: a try was refused, or there is an error. In autocommit the
** turn is that of the next transaction. */
int connectionLock(Connection*, Sqlx*, const ConnectionRequest*);
/* Give back a turn that was taken in autocommit, if its transaction has not
** begun: 1 if so. */
int connectionTurnEnd(Connection*, Sqlx*);
/* 1 if one was given back, 0 if this session does not hold it so. Of the
** request only the schema, the keys and the mode are looked at. */
int connectionUnlock(Connection*, Sqlx*, const ConnectionRequest*);
/* How many holds of session scope, in these modes, on keys of these kinds were
** given back, in all files. */
i64 connectionUnlockAll(Connection*, Sqlx*, u32 mKind, u32 mMode);
/* Token of what this session holds on a key; 0 if it holds nothing. The other
** is for right after connectionLock() has returned 1, and cannot fail: after an
** error nothing is held. */
i64 connectionToken(Connection*, Sqlx*, const LockKey*);
/* An error if what this session holds in main's lock file counts no longer,
** since the name of the file leads to another one, or to none. */
void connectionStillHeld(Connection*, Sqlx*);
i64 connectionGrantToken(const Connection*);
/* The mode that who locks a row in a mode intends on its table; and all of
** these, as MODE_BITs. */
u32 connectionIntent(u32 eMode);
#define CONNECTION_INTENTS (MODE_BIT(LOCK_INTENT_SHARED) \
                        |MODE_BIT(LOCK_INTENT_EXCLUSIVE))
/* Id of another session that holds the key; 0 if there is none. */
i64 connectionHolder(Connection*, Sqlx*, const LockKey*);
/* 1 if the session of that id, in the lock file of a schema (NULL: main's),
** waited and does so no more. */
int connectionCancel(Connection*, Sqlx*, const char *zSchema, i64 iId);

/*
** A search for rows that are free. Of the request a row's table, mode, scope
** and schema are looked at; it is not copied. connectionSkipBegin() takes the
** intention to lock rows of the table, so that it holds through the search, or
** returns 0: the table is locked against it, or there is an error; in both
** cases there is nothing to end.
** connectionSkip: 1 if the row is locked now, as *pRow, with a hold of the
** intention of its own; 0 if any session, this one included, holds it or waits
** for it.
** connectionSkipBack: give a row back that was locked so, in session scope. It
** cannot fail. Until the end this session releases rows and tables in no
** other way.
** connectionSkipProbe: 1 if somebody who stood in the way was dead and is gone.
** connectionSkipEnd: without bKeep all that was locked in transaction scope is
** given back. None of them allocates, but for the text of an error.
*/
typedef struct ConnectionSkip {
  Connection *pConn;
  const ConnectionRequest *pReq;
  FileSession *pFs;
  u32 iLevel;            /* of the transaction when it began */
  LockGrant intent;      /* on the table */
} ConnectionSkip;
int connectionSkipBegin(Connection*, Sqlx*, const ConnectionRequest*,
                        ConnectionSkip*);
int connectionSkip(ConnectionSkip*, Sqlx*, const LockKey*, LockGrant *pRow);
void connectionSkipBack(ConnectionSkip*, const LockGrant *pRow);
int connectionSkipProbe(ConnectionSkip*);
void connectionSkipEnd(ConnectionSkip*, int bKeep);

i64 connectionId(Connection*, Sqlx*);
i64 connectionTimeout(const Connection*);
void connectionSetTimeout(Connection*, i64 ms);
const char *connectionLabel(const Connection*);
void connectionSetLabel(Connection*, const char *zLabel);
/* Give back everything, and the settings. How many holds there were. */
i64 connectionReset(Connection*, Sqlx*);

/*
** For guards: the session in a schema's file (NULL: main), begun; make
** this session the writer of that file to the end of the transaction, or make
** sure that it is; a number that is another one in the next transaction, and
** after an sqlite3_close() that was refused may be another one in the same;
** and what guards keep with the connection. xCommit is called before a
** transaction is committed that has written a guarded table, and its error
** rolls that back; xFree when the connection ends.
*/
typedef struct ConnectionGuards {
  void (*xCommit)(void *pGuards, Connection*, Sqlx*);
  void (*xFree)(void *pGuards);
} ConnectionGuards;
FileSession *connectionFile(Connection*, Sqlx*, const char *zSchema);
int connectionWriter(Sqlx*, const FileSession*);
u64 connectionTransaction(const Connection*);
void *connectionGuards(const Connection*);
void connectionSetGuards(Connection*, void *pGuards, const ConnectionGuards*);

/* A look at the lock files, which are not made for it: one after the other
** those that there are, each once. connectionLookEnd() frees what it holds. */
typedef struct LookFile {
  char *zSchema;         /* the first that has this file */
  LockFile *pFile;
  LockSnapshot snapshot;
} LookFile;
typedef struct ConnectionLook {
  LookFile *a;
  int n;
} ConnectionLook;
int connectionLook(Connection*, Sqlx*, ConnectionLook*);
void connectionLookEnd(ConnectionLook*);

#endif
