/* SPDX-License-Identifier: 0BSD */
/*
** The log of a versioned table with on_stale=log: which writes would have been
** refused (sql/versioned/log.sql has its columns).
*/
#ifndef INTERLOCK_VERSIONEDLOG_H
#define INTERLOCK_VERSIONEDLOG_H

#include "versioned/versionedtable.h"

/* Returns the name of the log that goes with a number. */
const char *versionedlogName(Sqlx *p, const char *zNumber);
/* Whether a table has a log that can be read. It keeps the log when on_stale
** changes. */
int versionedlogThere(Sqlx *p, const DeclaredTable *pTab);
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

#endif
