/* SPDX-License-Identifier: 0BSD */
/*
** The tombstones of a versioned table: the table in which a key that is gone
** leaves its last version (sql/versioned/tombstones.sql has its columns).
*/
#ifndef INTERLOCK_TOMBSTONES_H
#define INTERLOCK_TOMBSTONES_H

#include "versioned/versionedtable.h"

/* Whether the tombstones of the table's entry are not there, or not as they
** should be. */
int tombstonesBroken(Sqlx *p, const VersionedTable *pTab);
/* Find out whether the tombstones were made for another key than the table has
** (bOtherKey). In temp the table then gets a new number, and its set is made
** anew. */
void tombstonesPrepare(Sqlx *p, VersionedTable *pTab);
/* Append the steps that make the tombstones, or that carry those of another key
** over. */
void tombstonesSteps(Sqlx *p, const VersionedTable *pTab, Ddl *pDdl);
/* Purge the tombstones of a table that are older. A delete leaves no time: the
** first of these calls after it does. Returns how many were purged. */
sqlite3_int64 tombstonesForget(Sqlx *p, const VersionedTable *pTab,
                               sqlite3_int64 msOlder, DdlTxn *pTxn);

#endif
