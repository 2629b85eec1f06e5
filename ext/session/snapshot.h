/* SPDX-License-Identifier: 0BSD */
/*
** The rule about snapshots: a connection must not lock a row or table while it
** reads the table's file in a snapshot that can be older than the last holder's
** commit.
**
** In WAL mode a connection reads what was committed when its transaction began,
** and SQLite has no function that tells whether there was a commit since. A
** lock that is granted then could come with values from before that commit, in
** the same SELECT or in the next one. A later write in autocommit is another
** transaction and does not fail. So the lock is refused.
**
** A connection reads the newest values if it has no transaction open on the
** file, since it then reads after the lock; if it writes the file; and in the
** other journal modes, where a connection that reads prevents others from
** committing. A lock is also granted to a statement in autocommit that reads no
** table (json_each in FROM), since its snapshot ends with it.
*/
#ifndef INTERLOCK_SNAPSHOT_H
#define INTERLOCK_SNAPSHOT_H

#include "sqlite/sqlx.h"

/* Whether this connection may now lock what the file of a schema holds; 0 with
** an error, which names the calling function, zWho. */
int snapshotAllows(Sqlx*, const char *zSchema, const char *zWho);

#endif
