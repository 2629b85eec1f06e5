/* SPDX-License-Identifier: 0BSD */
/*
** The session of a connection: its place in the lock file of main's database,
** begun by the first call that needs it; its settings; and the one home of
** the errors that the lock manager's results become.
**
** A Session lives from loading to the true end of the connection, which is
** where the destructors of functions and modules are called, and not where a
** table is disconnected: an sqlite3_close() that is refused disconnects as
** well. Each function, module and table that points to it counts: a program,
** or a copy of this library, may register functions of the same names, and
** what it replaces is gone before the rest. It is guarded by SQLite's mutex of
** the connection.
*/
#ifndef INTERLOCK_SESSION_H
#define INTERLOCK_SESSION_H

#include "lock.h"
#include "sqlx.h"
#include "txnscope.h"

typedef struct Session Session;

/* xEnd(pArg) is called when the session has ended, with the last release. */
Session *sessionNew(sqlite3*, void (*xEnd)(void*), void *pArg);
void sessionRetain(void *pSession);
void sessionRelease(void *pSession);
TxnScope *sessionScope(Session*);

/* What a function asks for. zName is its own, for errors. */
typedef struct SessionRequest {
  const char *zName;
  LockKey key;
  u32 eMode;
  u32 eScope;
  i64 msTimeout;         /* as of LockWait; not looked at by a try */
  int bTry;
} SessionRequest;

/* 1 if granted. 0: a try was refused, or there is an error. */
int sessionLock(Session*, Sqlx*, const SessionRequest*);
/* 1 if one was given back, 0 if this session does not hold it so. */
int sessionUnlock(Session*, Sqlx*, const LockKey*, u32 eMode);
/* How many holds of session scope on keys of these kinds were given back. */
i64 sessionUnlockAll(Session*, Sqlx*, u32 mKind);
/* Token of what this session holds on a key; 0 if it holds nothing. The other
** is for right after sessionLock() has returned 1, and cheaper. */
i64 sessionToken(Session*, Sqlx*, const LockKey*);
i64 sessionGrantToken(Session*, Sqlx*, const LockKey*);
/* Id of another session that holds the key; 0 if there is none. */
i64 sessionHolder(Session*, Sqlx*, const LockKey*);
/* 1 if the session of that id waited and does so no more. */
int sessionCancel(Session*, Sqlx*, i64 iId);

i64 sessionId(Session*, Sqlx*);
i64 sessionTimeout(const Session*);
void sessionSetTimeout(Session*, i64 ms);
const char *sessionLabel(const Session*);
void sessionSetLabel(Session*, const char *zLabel);
/* Give back everything, and the settings. How many holds there were. */
i64 sessionReset(Session*);

/* A look at the lock file, which is not made for it: 0, and no error, if there
** is none. sessionLookEnd() frees what it holds. */
typedef struct SessionLook {
  LockFile *pFile;
  LockSnapshot snapshot;
} SessionLook;
int sessionLook(Session*, Sqlx*, SessionLook*);
void sessionLookEnd(SessionLook*);

#endif
