/* SPDX-License-Identifier: 0BSD */
/*
** Raising all versions of a table above every one that was ever given out: for
** a database that has gone back to a backup.
*/
#ifndef INTERLOCK_LIFT_H
#define INTERLOCK_LIFT_H

#include "sqlite/sqlx.h"

/* Raises the versions of one table or, if zTable is NULL, of all, in one
** transaction. Returns how many tables that were. */
int liftTables(Sqlx *p, const char *zTable);

#endif
