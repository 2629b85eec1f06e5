/* SPDX-License-Identifier: 0BSD */
/*
** The SQL functions that every kind of declared tables has alike: those that
** undeclare one table or many, and the one that repairs. Each takes the
** arguments of the SQL function, the kind, and the form that its error for a
** wrong number of arguments shows.
*/
#ifndef INTERLOCK_DECLARECALL_H
#define INTERLOCK_DECLARECALL_H

#include "schema/declared.h"

void declarecallUndo(sqlite3_context*, int nArg, sqlite3_value **apArg,
                     const DeclaredKind*, const char *zForm);
void declarecallUndoMany(sqlite3_context*, int nArg, sqlite3_value **apArg,
                         const DeclaredKind*, const char *zForm);
void declarecallRepair(sqlite3_context*, int nArg, sqlite3_value **apArg,
                       const DeclaredKind*, const char *zForm);

/* Declares the tables that the first argument names as a JSON array, and ends
** the request with their number as the result. After an error it only ends the
** request. */
void declarecallMany(Sqlx*, sqlite3_context*, sqlite3_value **apArg,
                     const DeclaredKind*, const void *pOptions);

#endif
