/* SPDX-License-Identifier: 0BSD */
/*
** Read-set validation: that a row is still at the version that was read,
** as long as the transaction lasts. And a DELETE that is checked.
*/
#ifndef INTERLOCK_EXPECT_H
#define INTERLOCK_EXPECT_H

#include "versioned/versioned.h"

sqlite3_int64 expectVersion(Sqlx *p, const char *zTable, int nKey,
                            sqlite3_value **apKey, sqlite3_value *pVersion);
int expectDelete(Sqlx *p, const char *zTable, int nKey, sqlite3_value **apKey,
                 sqlite3_value *pVersion);

/* What every function takes that looks at one row. */

/* Finds the table of a call, and refuses a wrong number of values for its key.
** Returns 0 with the error. */
int expectFind(Sqlx *p, const char *zTable, int nKey, VersionedTable *pTab);
/* Refuses a call outside a transaction and outside a statement that writes:
** nothing would keep the row as it was seen. */
void expectTransaction(Sqlx *p, const char *zFunction);
/* Returns "the row has the key ?1, ?2, ...", and binds that key. */
const char *expectKeyIs(Sqlx *p, const TableInfo *pInfo, const char *zPrefix);
void expectBindKey(Sqlx *p, sqlite3_stmt *pStmt, int nKey,
                   sqlite3_value **apKey);
/* Returns the key as it was given, for an error text. */
const char *expectKeyText(Sqlx *p, int nKey, sqlite3_value **apKey);

#endif
