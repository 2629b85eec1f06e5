/* SPDX-License-Identifier: 0BSD */
/*
** The rule about waiting, and what a wait asks of its connection meanwhile.
**
** A lock function waits only while its connection has no transaction open on
** a database file, and does not keep SQLite's lock on one without. So nobody
** sleeps here while others wait for him in SQLite: no deadlock can run through
** SQLite's own locks, no sleeper stalls every writer, and who has waited does
** not read a snapshot from before the wait. The temp schema does not count:
** its file is the connection's own.
*/
#ifndef INTERLOCK_WAITING_H
#define INTERLOCK_WAITING_H

#include <sqlite3ext.h>

typedef enum Waiting {
  WAITING_ALLOWED,
  WAITING_TRANSACTION,   /* a transaction is open on a database file */
  WAITING_LOCK_KEPT,     /* PRAGMA locking_mode keeps SQLite's lock */
  WAITING_OTHER_FILE,    /* it holds locks in another lock file */
  WAITING_NOMEM
} Waiting;

/* May it sleep? On any answer but the first *pzSchema names the file that
** stands against it, valid until the next ATTACH or DETACH; or is NULL. */
Waiting waitingAllowed(sqlite3 *db, const char **pzSchema);

/* Has sqlite3_interrupt() been called, or does the program's progress handler,
** which is called here, end the wait? Only for a function of a statement that
** is being run. *ppLook, NULL at first, keeps a statement for the next call,
** and the caller finalizes it. */
int waitingInterrupted(sqlite3 *db, sqlite3_stmt **ppLook);

/* Is the file of a schema, which this connection reads, in WAL mode, and open
** to others? Then there can have been a commit since it began to read. */
int waitingSharesWal(sqlite3 *db, const char *zSchema);

/* Was the file of a schema renamed, replaced or deleted? */
int waitingMoved(sqlite3 *db, const char *zSchema);

#endif
