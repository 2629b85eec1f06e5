/* SPDX-License-Identifier: 0BSD */
/*
** Read-set validation: that a row is still at the version that was read,
** as long as the transaction lasts. And a DELETE that is checked.
*/
#ifndef INTERLOCK_EXPECT_H
#define INTERLOCK_EXPECT_H

#include "sqlite/sqlx.h"

sqlite3_int64 expectVersion(Sqlx *p, const char *zTable, int nKey,
                            sqlite3_value **apKey, sqlite3_value *pVersion);
int expectDelete(Sqlx *p, const char *zTable, int nKey, sqlite3_value **apKey,
                 sqlite3_value *pVersion);

#endif
