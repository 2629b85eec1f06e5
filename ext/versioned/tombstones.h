/* SPDX-License-Identifier: 0BSD */
/*
** The tombstones of a versioned table: the table in which a key that is gone
** leaves its last version (sql/versioned/tombstones.sql has its columns).
*/
#ifndef INTERLOCK_TOMBSTONES_H
#define INTERLOCK_TOMBSTONES_H

#include "versioned/versionedtable.h"

/* From how many on a user should know that there are so many. */
#define TOMBSTONES_MANY 100000

/* Whether there are that many. */
int tombstonesMany(Sqlx *p, const VersionedTable *pTab);
/* Whether the tombstones are missing, or not as they should be. */
int tombstonesBroken(Sqlx *p, const VersionedTable *pTab);
/* Finds out whether the tombstones were made for another key than the table has
** now (bOtherKey). If they were, and are in temp, the table gets a new number,
** and its set is made anew. */
void tombstonesPrepare(Sqlx *p, VersionedTable *pTab);
/* Appends the steps that make the tombstones, or that carry those of another
** key over. */
void tombstonesSteps(Sqlx *p, const VersionedTable *pTab, Ddl *pDdl);
/* Whether SQLite will give a new row a key that has a tombstone. */
int tombstonesComeBack(Sqlx *p, const VersionedTable *pTab);
/* Appends the steps that take over the tombstones of another set of the same
** table. */
void tombstonesTakeOver(Sqlx *p, const VersionedTable *pTab,
                        const char *zOther, Ddl *pDdl);
/* Purges the tombstones that are older than msOlder. A tombstone has no time at
** first; the first call of this function after the delete sets it. Returns how
** many were purged. */
sqlite3_int64 tombstonesForget(Sqlx *p, const VersionedTable *pTab,
                               sqlite3_int64 msOlder, DdlTxn *pTxn);

#endif
