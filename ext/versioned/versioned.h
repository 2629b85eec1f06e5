/* SPDX-License-Identifier: 0BSD */
/*
** Versioned tables as a kind of declared tables (schema/declared.h): which
** tables may be versioned, what their registry says, and what a declaration
** takes beside triggers: the version column and the tombstones.
*/
#ifndef INTERLOCK_VERSIONED_H
#define INTERLOCK_VERSIONED_H

#include "schema/declare.h"
#include "versioned/versionedtable.h"

/* Returns the descriptor. It takes options as OptionsText. */
const DeclaredKind *versionedKind(void);
/* Finds a table and its entry, as declareFind() does. */
int versionedFind(Sqlx *p, const char *zTable, VersionedTable *pTab);
/* Purges the tombstones of a table that are older than msOlder. Returns how
** many were purged. */
sqlite3_int64 versionedForget(Sqlx *p, const char *zTable,
                              sqlite3_int64 msOlder);

#endif
