/* SPDX-License-Identifier: 0BSD */
/*
** The rule about snapshots: a row or a table is not locked by a connection that
** reads its file in a snapshot which can be older than the last holder's
** commit.
**
** In WAL mode a connection reads what had been committed when its transaction
** began, and no function of SQLite's tells whether there has been a commit
** since. A lock that is granted then would come with values from before it, of
** the same SELECT or of the next one; and a write in a later transaction, which
** is what autocommit is, would not fail. So the lock is refused.
**
** What is read is the newest where the connection has no transaction open on
** the file, since it reads after the lock; where it writes the file; and in
** every other journal mode, where a connection that reads keeps others from
** committing. A statement in autocommit that opens a transaction and reads no
** table (json_each in FROM) is let through: its snapshot ends with it.
*/
#ifndef INTERLOCK_SNAPSHOT_H
#define INTERLOCK_SNAPSHOT_H

#include "sqlite/sqlx.h"

/* 1 if a lock on what a file holds may be granted to this connection now; 0
** with an error that begins with the name of the function, zWho. */
int snapshotAllows(Sqlx*, const char *zSchema, const char *zWho);

#endif
