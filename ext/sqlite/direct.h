/* SPDX-License-Identifier: 0BSD */
/*
** Whether the program itself calls a function, or the schema of a file does.
**
** SQLite keeps a DIRECTONLY function from the triggers and views of a file. It
** does not keep it from everything else in a schema:
**
** - before 3.50.0 a CHECK constraint can call it;
** - in every version CHECKs, indexes and generated columns can, if the schema
**   was read before the function was registered;
** - a file can contain a trigger that says TEMP.
**
** So a function that only the program may call must ask here in each call.
*/
#ifndef INTERLOCK_DIRECT_H
#define INTERLOCK_DIRECT_H

#include "sqlite/sqlx.h"

/*
** Returns 1 if the program calls the function zName(); otherwise 0, and the
** error is the result of the function. Without a transaction in any database it
** costs one call of SQLite's.
**
** The program calls a function if one of the statements that are being run, or
** something in the schema of temp, contains a call of it. SQLite does not tell
** which of several statements that are being run is the one that calls. So
** while the program reads the rows of a statement that calls a function, a
** schema can call this function, too.
*/
int directAllowed(sqlite3_context*, const char *zName);

#endif
