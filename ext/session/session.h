/* SPDX-License-Identifier: 0BSD */
/*
** The session of a connection: its places in lock files, that of main's
** database and those of attached ones, each begun by the first call that needs
** it; its settings; and the one home of the errors that the lock manager's
** results become.
**
** A lock belongs to the file that holds what is locked. In each file the
** connection is a session of its own, with an id of its own; a wait is seen by
** those who use that file only, so who holds locks in one file waits in no
** other: a circle over two files would be seen by nobody.
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

#include "session/place.h"
#include "sqlite/sqlx.h"
#include "session/txnscope.h"

typedef struct Session Session;

/* xEnd(pArg) is called when the session has ended, with the last release. */
Session *sessionNew(sqlite3*, void (*xEnd)(void*), void *pArg);
void sessionRetain(void *pSession);
void sessionRelease(void *pSession);
TxnScope *sessionScope(Session*);

/*
** What a function asks for. zName is its own, for errors. A row is asked for
** with the key of its table: the intention to lock rows of that is locked
** first, in the same scope, and given back with the row.
*/
typedef struct SessionRequest {
  const char *zName;
  const char *zSchema;   /* whose lock file; NULL: main's */
  LockKey key;
  const LockKey *pTable; /* of a row; NULL */
  u32 eMode;
  u32 eScope;
  i64 msTimeout;         /* as of LockWait; not looked at by a try */
  int bTry;
} SessionRequest;

/* 1 if granted. 0: a try was refused, or there is an error. */
int sessionLock(Session*, Sqlx*, const SessionRequest*);
/* 1 if one was given back, 0 if this session does not hold it so. Of the
** request only the schema, the keys and the mode are looked at. */
int sessionUnlock(Session*, Sqlx*, const SessionRequest*);
/* How many holds of session scope, in these modes, on keys of these kinds were
** given back, in all files. */
i64 sessionUnlockAll(Session*, Sqlx*, u32 mKind, u32 mMode);
/* Token of what this session holds on a key; 0 if it holds nothing. The other
** is for right after sessionLock() has returned 1, and cannot fail: after an
** error nothing is held. */
i64 sessionToken(Session*, Sqlx*, const LockKey*);
i64 sessionGrantToken(const Session*);
/* The mode that who locks a row in a mode intends on its table; and all of
** these, as MODE_BITs. */
u32 sessionIntent(u32 eMode);
#define SESSION_INTENTS (MODE_BIT(LOCK_INTENT_SHARED) \
                        |MODE_BIT(LOCK_INTENT_EXCLUSIVE))
/* Id of another session that holds the key; 0 if there is none. */
i64 sessionHolder(Session*, Sqlx*, const LockKey*);
/* 1 if the session of that id, in the lock file of a schema (NULL: main's),
** waited and does so no more. */
int sessionCancel(Session*, Sqlx*, const char *zSchema, i64 iId);

/*
** A search for rows that are free. Of the request a row's table, mode, scope
** and schema are looked at; it is not copied. sessionSkipBegin() takes the
** intention to lock rows of the table, so that it holds through the search, or
** returns 0: the table is locked against it, or there is an error; in both
** cases there is nothing to end.
** sessionSkip: 1 if the row is locked now, as *pRow, with a hold of the
** intention of its own; 0 if any session, this one included, holds it or waits
** for it.
** sessionSkipBack: give a row back that was locked so, in session scope. It
** cannot fail. Until the end this session releases rows and tables in no other
** way.
** sessionSkipProbe: 1 if somebody who stood in the way was dead and is gone.
** sessionSkipEnd: without bKeep all that was locked in transaction scope is
** given back. None of them allocates, but for the text of an error.
*/
typedef struct SessionSkip {
  Session *pSession;
  const SessionRequest *pReq;
  Place *pPlace;
  u32 iLevel;            /* of the transaction when it began */
  LockGrant intent;      /* on the table */
} SessionSkip;
int sessionSkipBegin(Session*, Sqlx*, const SessionRequest*, SessionSkip*);
int sessionSkip(SessionSkip*, Sqlx*, const LockKey*, LockGrant *pRow);
void sessionSkipBack(SessionSkip*, const LockGrant *pRow);
int sessionSkipProbe(SessionSkip*);
void sessionSkipEnd(SessionSkip*, int bKeep);

i64 sessionId(Session*, Sqlx*);
i64 sessionTimeout(const Session*);
void sessionSetTimeout(Session*, i64 ms);
const char *sessionLabel(const Session*);
void sessionSetLabel(Session*, const char *zLabel);
/* Give back everything, and the settings. How many holds there were. */
i64 sessionReset(Session*, Sqlx*);

/*
** For guards: the place of a schema (NULL: main), with a session in it; make
** this session the writer of that file to the end of the transaction, or make
** sure that it is; a number that is another one in the next transaction, and
** after an sqlite3_close() that was refused may be another one in the same;
** and what guards keep with the connection. xCommit is called before a
** transaction is committed that has written a guarded table, and its error
** rolls that back; xFree when the connection ends.
*/
typedef struct SessionGuards {
  void (*xCommit)(void *pGuards, Session*, Sqlx*);
  void (*xFree)(void *pGuards);
} SessionGuards;
Place *sessionPlace(Session*, Sqlx*, const char *zSchema);
int sessionWriter(Sqlx*, const Place*);
u64 sessionTransaction(const Session*);
void *sessionGuards(const Session*);
void sessionSetGuards(Session*, void *pGuards, const SessionGuards*);

/* A look at the lock files, which are not made for it: one after the other
** those that there are, each once. sessionLookEnd() frees what it holds. */
typedef struct LookFile {
  char *zSchema;         /* the first that has this file */
  LockFile *pFile;
  LockSnapshot snapshot;
} LookFile;
typedef struct SessionLook {
  LookFile *a;
  int n;
} SessionLook;
int sessionLook(Session*, Sqlx*, SessionLook*);
void sessionLookEnd(SessionLook*);

#endif
