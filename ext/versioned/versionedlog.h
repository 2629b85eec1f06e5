/* SPDX-License-Identifier: 0BSD */
/*
** The log of a versioned table with on_stale=log: which writes would have been
** refused (sql/versioned/log.sql has its columns); the virtual table
** versioned_log.
*/
#ifndef INTERLOCK_VERSIONEDLOG_H
#define INTERLOCK_VERSIONEDLOG_H

#include "versioned/versionedtable.h"

/* Whether the options need a log, and it is missing or not as it should be. */
int versionedlogBroken(Sqlx *p, const VersionedTable *pTab);
/* Appends the step that makes the log, if the options need one. */
void versionedlogSteps(Sqlx *p, const VersionedTable *pTab, Ddl *pDdl);
/* Appends the step that drops the log of another set of the same table. */
void versionedlogTakeOver(Sqlx *p, const VersionedTable *pTab,
                          const char *zOther, Ddl *pDdl);
/* Returns how many rows are noted, by kinds, as a text; "" if there are none,
** or on_stale is not log. */
const char *versionedlogNote(Sqlx *p, const VersionedTable *pTab);
/* Empties the log of a table; NULL: of all. Returns how many rows were noted
** there. */
sqlite3_int64 versionedlogClear(Sqlx *p, const char *zTable);

int versionedlogRegister(sqlite3 *db);
void versionedlogUnregister(sqlite3 *db);

#endif
