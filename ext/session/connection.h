/* SPDX-License-Identifier: 0BSD */
/*
** A connection and its locks: its sessions in the lock files of main and of
** attached databases, each begun by the first call that needs it; its settings;
** and what the lock manager's functions mean for SQL.
**
** A lock belongs to the file that holds what is locked. In each lock file the
** connection has a session of its own, with an id of its own. A wait is visible
** only to the users of that file. So a connection that holds locks in one file
** must not wait in another: no process would find a cycle over two files.
**
** A Connection lives from loading to the true end of the connection, when
** SQLite calls the destructors of its functions and modules. The disconnecting
** of a table is not that end, since an sqlite3_close() that is refused
** disconnects tables as well. Each function, module and table that points to a
** Connection has a reference on it: a program, or a copy of this library, can
** register functions of the same names, and the ones that it replaces end
** before the others. A Connection is guarded by SQLite's mutex of the
** connection.
*/
#ifndef INTERLOCK_CONNECTION_H
#define INTERLOCK_CONNECTION_H

#include "session/direct.h"
#include "session/filesession.h"
#include "session/knowntable.h"
#include "sqlite/jsonarray.h"
#include "sqlite/sqlx.h"
#include "session/txnscope.h"

typedef struct Connection Connection;

/* xEnd(pArg) is called with the last connectionRelease(). */
Connection *connectionNew(sqlite3*, void (*xEnd)(void*), void *pArg);
void connectionRetain(void *pConn);
void connectionRelease(void *pConn);
TxnScope *connectionScope(Connection*);
KnownTables *connectionTables(Connection*);
Direct *connectionDirect(Connection*);
/* Where statements that read JSON arrays are kept; NULL if they cannot be. */
JsonKept *connectionArrays(Connection*, Sqlx*);

/*
** What a function asks for. A request for a row has the key of its table: the
** intention to lock rows of the table is locked before the row, in the same
** scope, and released with it.
*/
typedef struct ConnectionRequest {
  const char *zName;     /* of the function, for errors */
  const char *zSchema;   /* whose lock file; NULL: main's */
  LockKey key;
  const LockKey *pTable; /* the table, of a row; NULL of other keys */
  const LockKey *pTask;  /* the task that asks; NULL: the connection itself */
  u32 eMode;
  u32 eScope;
  i64 msTimeout;         /* as in LockWait; not used by a try */
  int bTry;              /* never wait */
} ConnectionRequest;

/* Returns 1 if the lock was granted; 0 if a try was refused, or with an error,
** after which the lock is not held. In autocommit a turn is that of the next
** transaction. */
int connectionLock(Connection*, Sqlx*, const ConnectionRequest*);
/* The same for several locks, all or none: the keys, which it sorts, take the
** place of the request's own. They are of one kind, rows of one table. The
** timeout is for all together. The greatest of the fencing tokens is that of
** the last grant. */
int connectionLockAll(Connection*, Sqlx*, const ConnectionRequest*,
                      LockKey *aKey, int n);
/*
** A request without a wait, in session scope.
**
** connectionAsk: returns 1 if the lock was granted, now or since an earlier
** call with the same request: it is taken. Returns 0 while the request is in
** the queue, or with an error, after which it is not. Until it is taken the
** session cannot make another one.
** connectionWithdraw: gives up the request of a task (NULL: of the connection
** itself), or gives back the lock that was granted and not taken. Returns 0 if
** there is none.
*/
int connectionAsk(Connection*, Sqlx*, const ConnectionRequest*);
int connectionWithdraw(Connection*, Sqlx*, const LockKey *pTask);
/* The descriptor that is readable when a request of this connection is decided,
** made by the first call; -1 with an error. */
int connectionRequestFd(Connection*, Sqlx*);
/* Releases a turn that was taken in autocommit, if its transaction has not
** begun. Returns 1 if there was one. */
int connectionTurnEnd(Connection*, Sqlx*);
/* Releases one hold of session scope; 0 if the session has none of this key and
** mode. Only the schema, the keys, the task and the mode are used. */
int connectionUnlock(Connection*, Sqlx*, const ConnectionRequest*);
/* The same for a row or a table, which may be gone: if its schema is not known
** then, in the first file where the session has such a hold. */
int connectionUnlockOf(Connection*, Sqlx*, const RowkeyTable*,
                       const ConnectionRequest*);
/* Releases all holds of session scope, in these modes, on keys of these kinds,
** in all files, and returns how many there were. Those of tasks stay.
** connectionUnlockTask: those of one task, in any mode. */
i64 connectionUnlockAll(Connection*, Sqlx*, u32 mKind, u32 mMode);
i64 connectionUnlockTask(Connection*, Sqlx*, const LockKey *pTask);
/* The fencing token of what a task, or with NULL this connection, holds on a
** key in main's lock file; 0 if it holds nothing. */
i64 connectionToken(Connection*, Sqlx*, const LockKey*, const LockKey *pTask);
/* An error if what this session holds in main's lock file counts no longer,
** since the name of the file leads to another one, or to none. */
void connectionStillHeld(Connection*, Sqlx*);
/* The fencing token of the last grant. Cannot fail; for the caller of a
** connectionLock() that has returned 1. */
i64 connectionGrantToken(const Connection*);
/* The mode in which a table is locked with its row, of the row's mode; and all
** such modes, as MODE_BITs. */
u32 connectionIntent(u32 eMode);
#define CONNECTION_INTENTS (MODE_BIT(LOCK_INTENT_SHARED) \
                        |MODE_BIT(LOCK_INTENT_EXCLUSIVE))
/* The id of another session that holds the key; 0 if there is none. */
i64 connectionHolder(Connection*, Sqlx*, const LockKey*);
/* Ends the wait of the session with that id in the lock file of a schema (NULL:
** main's); 0 if it was not waiting. */
int connectionCancel(Connection*, Sqlx*, const char *zSchema, i64 iId);

/*
** A search for rows that are to be locked. The request must stay as it is until
** the search ends; its schema, table, mode, scope, timeout and bTry are used.
** None of these functions allocates, except for the text of an error, and
** connectionSearchWait.
**
** connectionSearchBegin: with nothing in the ConnectionSearch but, where a call
** is made again, when it began: locks the intention to lock rows of the table,
** which is held through the search. It waits for the table, unless the request
** is a try. Returns 0 if a try is refused, or with an error; the search must
** then not be ended.
** connectionSearchSkip: locks a row, as *pRow, with a hold of the intention of
** its own; 0 if any session, this one included, holds the row or waits for it.
** connectionSearchTry: the same for a row that this session may hold already;
** 0 if the row would have to be waited for.
** connectionSearchWait: locks n rows, all or none, and waits for them. The keys
** must be in the order of keyCompare(). The timeout is for all waits of the
** search together. 0 with an error.
** connectionSearchHolds: whether a row that was locked so is locked still; 0
** with an error. SQL of the program's, which a search runs, can end the
** transaction, or roll back a savepoint of it. Must be called for each row of
** the result, and with NULL where there are none.
** connectionSearchBack: releases a row that was locked so in session scope. It
** cannot fail. Until the search ends, the connection must release rows and
** tables in no other way.
** connectionSearchProbe: looks whether sessions that connectionSearchSkip has
** met are dead; 1 if one was, and was removed.
** connectionSearchEnd: without bKeep it releases everything that the search has
** locked in transaction scope.
*/
typedef struct ConnectionSearch {
  Connection *pConn;
  const ConnectionRequest *pReq;
  FileSession *pFs;
  u32 iLevel;            /* of the transaction when the search began */
  u64 usBegin;           /* when the time for its waits began; 0: now */
  LockGrant intent;      /* the intention on the table */
  u32 nEnd;              /* transactions that had ended when it began */
  u32 nBack;             /* the same of savepoints that were rolled back */
} ConnectionSearch;
int connectionSearchBegin(Connection*, Sqlx*, const ConnectionRequest*,
                          ConnectionSearch*);
int connectionSearchSkip(ConnectionSearch*, Sqlx*, const LockKey*,
                         LockGrant *pRow);
int connectionSearchTry(ConnectionSearch*, Sqlx*, const LockKey*,
                        LockGrant *pRow);
int connectionSearchWait(ConnectionSearch*, Sqlx*, const LockKey *aKey, int n,
                         LockGrant *aRow);
int connectionSearchHolds(ConnectionSearch*, Sqlx*, const LockKey*);
void connectionSearchBack(ConnectionSearch*, const LockGrant *pRow);
int connectionSearchProbe(ConnectionSearch*);
void connectionSearchEnd(ConnectionSearch*, int bKeep);

/*
** Waiting for something that is no lock, by its name, in main's lock file.
** After connectionEventBegin() the caller must, in a loop, call
** connectionEventLook(), look at the data, and call connectionEventWait(); and
** connectionEventEnd() at last.
**
** connectionEventBegin: returns 0 with an error; there is nothing to end then.
** connectionEventAllowed: whether the rule about waiting allows the wait; 0
** with `lock wait refused:`, which says zHeld.
** connectionEventWait: sleeps until the name is posted, ms at most. An
** interrupt is an error.
** connectionEventPost: wakes all processes that wait for the name.
*/
typedef struct ConnectionEvent {
  Connection *pConn;
  FileSession *pFs;
  const char *zName;
  u32 iSeen;             /* what connectionEventLook() has seen */
  sqlite3_stmt *pLook;   /* for waitingInterrupted() */
} ConnectionEvent;
int connectionEventBegin(Connection*, Sqlx*, const char *zName,
                         ConnectionEvent*);
void connectionEventLook(ConnectionEvent*);
int connectionEventAllowed(Sqlx*, ConnectionEvent*, const char *zHeld);
void connectionEventWait(Sqlx*, ConnectionEvent*, i64 ms);
void connectionEventEnd(ConnectionEvent*);
void connectionEventPost(Connection*, const char *zName);

/*
** Channels, in main's lock file. The keys are of kind KEY_NOTIFY or KEY_LISTEN.
**
** connectionNotify: notifies a channel when the open transaction is committed,
** or at once if none is open; 0 with an error.
** connectionListen: listens from now on, and returns the channel's number; 0
** with an error.
** connectionListenWait: listens, and waits until the number is not iSeen;
** returns it, or 0 at the timeout or with an error.
** connectionUnlock() and connectionUnlockAll() end listening.
*/
int connectionNotify(Connection*, Sqlx*, const char *zWho, const LockKey*);
i64 connectionListen(Connection*, Sqlx*, const LockKey*);
i64 connectionListenWait(Connection*, Sqlx*, const LockKey*, i64 iSeen,
                         i64 msTimeout);

i64 connectionId(Connection*, Sqlx*);
i64 connectionTimeout(const Connection*);
void connectionSetTimeout(Connection*, i64 ms);
const char *connectionLabel(const Connection*);
void connectionSetLabel(Connection*, Sqlx*, const char *zLabel);
/* Releases everything, ends the sessions and resets the settings. Returns how
** many holds of session scope there were. */
i64 connectionReset(Connection*, Sqlx*);

/*
** For guards.
**
** connectionFile: the connection's session in the lock file of a schema (NULL:
** main), begun if it was not; NULL with an error.
** connectionWriter: makes this session the active writer of its file until the
** transaction ends, if it is not; 0 with an error.
** connectionTransaction: a number that differs from one transaction to the
** next. After a refused sqlite3_close() it can also change within one.
** connectionGuards, connectionSetGuards: what the guards keep with the
** connection. xCommit is called before the commit of a transaction that has
** written a guarded table, and after an error the transaction is rolled back.
** xClosing is called when the connection is being closed: statements that are
** kept must go (txnscopeSeesClose). xFree is called when the connection ends.
*/
typedef struct ConnectionGuards {
  void (*xCommit)(void *pGuards, Connection*, Sqlx*);
  void (*xClosing)(void *pGuards);
  void (*xFree)(void *pGuards);
} ConnectionGuards;
FileSession *connectionFile(Connection*, Sqlx*, const char *zSchema);
int connectionWriter(Sqlx*, const FileSession*);
u64 connectionTransaction(const Connection*);
void *connectionGuards(const Connection*);
void connectionSetGuards(Connection*, void *pGuards, const ConnectionGuards*);

/* Snapshots of the lock files of all databases, one file after the other, each
** once, with what the filter wants (NULL: everything). No lock file is made for
** this. After a failure nothing is left to free; otherwise the caller must call
** connectionLookEnd(). */
typedef struct LookFile {
  char *zSchema;         /* the first schema that has this file */
  LockFile *pFile;
  LockSnapshot snapshot;
} LookFile;
typedef struct ConnectionLook {
  LookFile *a;
  int n;
} ConnectionLook;
int connectionLook(Connection*, Sqlx*, const LockFilter*, ConnectionLook*);
void connectionLookEnd(ConnectionLook*);

#endif
