/* SPDX-License-Identifier: 0BSD */
/*
** Guarded tables, the declaring half: what it takes to guard a table, to give
** it up, to mend it, and to print the same as text. The triggers' text is the
** generator's (guardset.h); this file decides whether a table may have them,
** and puts them there all or not at all. What they do when a row is written
** is not its business.
*/
#ifndef INTERLOCK_GUARD_H
#define INTERLOCK_GUARD_H

#include "guarded/guardreg.h"

/* Guard a table. Returns "schema.table", NULL for a table of Interlock's own,
** which is also the result of ctx. After an error nothing has changed. */
const char *guardDeclare(Sqlx *p, const char *zTable, sqlite3_context *ctx);
/* Drop the guards of a table, and its entry; also of one that is gone. Returns
** 1, or 0 if it was not guarded. */
int guardUndeclare(Sqlx *p, const char *zTable);
/* What guardDeclare() would run, one statement a line; NULL as there. */
const char *guardText(Sqlx *p, const char *zTable);
/* Mend one table, or, if zTable is NULL, all: all or nothing. Returns how
** many there were to mend. */
int guardRepair(Sqlx *p, const char *zTable);

#endif
