/* SPDX-License-Identifier: 0BSD */
/*
** The history of a versioned table: the table in which its triggers keep what
** earlier versions of the rows looked like (sql/versioned/history.sql has its
** columns).
*/
#ifndef INTERLOCK_HISTORY_H
#define INTERLOCK_HISTORY_H

#include "versioned/versionedtable.h"

/* What stands in a history for a value that is not known. */
#define HISTORY_UNKNOWN "x'6e6f74206b657074'"

/* Returns the name of a table's history and, for each column of the table, the
** name of the one that has its values there, or NULL; NULL if there is none. */
const char *historyOf(Sqlx *p, const VersionedTable *pTab, const char ***paz);
/* Whether the table should have a history that is missing, or not as it should
** be. */
int historyBroken(Sqlx *p, const VersionedTable *pTab);
/* Refuses a table whose columns have names of the history's own. */
void historyCheck(Sqlx *p, const VersionedTable *pTab);
/* Finds out what must be done with the history (eHistory). A statement that
** writes can make one, and do nothing else with it. */
void historyPrepare(Sqlx *p, VersionedTable *pTab, DdlScope eScope);
/* Append the steps: those on its columns, while there are no triggers; and all
** others. */
void historyColumns(Sqlx *p, const VersionedTable *pTab, Ddl *pDdl);
void historySteps(Sqlx *p, const VersionedTable *pTab, Ddl *pDdl);
/* Appends the steps that delete the history of another set of the table. */
void historyTakeOver(Sqlx *p, const VersionedTable *pTab, const char *zOther,
                     Ddl *pDdl);
/* Purges the versions that ended before msOlder. Returns how many. */
sqlite3_int64 historyForget(Sqlx *p, const VersionedTable *pTab,
                            sqlite3_int64 msOlder, DdlTxn *pTxn);

#endif
