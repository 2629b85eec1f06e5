/* SPDX-License-Identifier: 0BSD */
/*
** The rule about waiting, and what a function that waits asks SQLite about its
** connection.
**
** A lock function must wait only while its connection has no transaction open
** on a database file and keeps no SQLite lock on one. So no connection sleeps
** while others wait for its SQLite lock: no deadlock can run through SQLite's
** locks, and a connection that waits stalls no writer. After a wait a
** connection cannot read a snapshot from before it. The temp schema does not
** count, since no other connection uses its file.
**
** The rule has a second half, which this file cannot see: the connection must
** hold no lock in another lock file, since a deadlock over two lock files would
** not be detected. mayWait() in connection.c asks for both halves. A request
** that does not wait obeys both when it is queued.
*/
#ifndef INTERLOCK_WAITING_H
#define INTERLOCK_WAITING_H

#include "sqlite/sqlx.h"

typedef enum Waiting {
  WAITING_ALLOWED,
  WAITING_TRANSACTION,   /* a transaction is open on a database file */
  WAITING_LOCK_KEPT,     /* PRAGMA locking_mode keeps SQLite's lock */
  WAITING_NOT_KNOWN,     /* SQLite does not say whether it does */
  WAITING_INTERRUPTED,   /* an interrupt came meanwhile */
  WAITING_OTHER_FILE,    /* the connection has locks in another lock file:
                         ** mayAsk()'s answer, never waitingAllowed()'s */
  WAITING_OTHER_TASK,    /* another task of it would have to stand still:
                         ** mayWait()'s answer */
  WAITING_NOMEM
} Waiting;

/* Whether SQLite's locks let the connection sleep. If not, *pzSchema is the
** schema of the file that forbids it, valid until the request ends, or NULL. No
** error is left but SQLITE_NOMEM. */
Waiting waitingAllowed(Sqlx*, const char **pzSchema);

/* Whether the connection will keep SQLite's lock on the file of a schema over
** the end of its transaction: WAITING_LOCK_KEPT or an answer after an
** error; WAITING_ALLOWED if it will not. */
Waiting waitingKeepsLock(sqlite3 *db, const char *zSchema);

/* Whether sqlite3_interrupt() was called, or the program's progress handler,
** which is called here, ends the wait. The caller must be a function of a
** statement that is being run. A statement is kept in *ppLook for the next
** call: *ppLook must be NULL at the first, or of waitingPrepare(), and the
** caller must finalize it. */
int waitingInterrupted(sqlite3 *db, sqlite3_stmt **ppLook);

/* Prepares the first look in advance, so that the one after a grant need not:
** the lock is held then. If it cannot, that look does. */
void waitingPrepare(sqlite3 *db, sqlite3_stmt **ppLook);

/* Whether the file of a schema, which this connection reads, is in WAL mode and
** open to other connections. These can then have committed since this one began
** to read. */
int waitingSharesWal(sqlite3 *db, const char *zSchema);

/* Whether the file of a schema was renamed, replaced or deleted. */
int waitingMoved(sqlite3 *db, const char *zSchema);

#endif
