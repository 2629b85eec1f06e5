/* SPDX-License-Identifier: 0BSD */
/*
** The logs of all versioned tables: the virtual table versioned_log, and how
** they are emptied.
*/
#ifndef INTERLOCK_LOGTABLE_H
#define INTERLOCK_LOGTABLE_H

#include "sqlite/sqlx.h"

/* Empties the log of a table; NULL: of all. Returns how many rows were noted
** there. */
sqlite3_int64 logtableClear(Sqlx *p, const char *zTable);

int logtableRegister(sqlite3 *db);
void logtableUnregister(sqlite3 *db);

#endif
