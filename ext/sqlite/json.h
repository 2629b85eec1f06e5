/* SPDX-License-Identifier: 0BSD */
/*
** Values as JSON, appended to a string builder; and texts from JSON, where
** SQLite's own functions may not return all of them.
*/
#ifndef INTERLOCK_JSON_H
#define INTERLOCK_JSON_H

#include "core/base.h"
#include "sqlite/sqlx.h"

/* Appends n bytes of UTF-8 as a JSON string. */
void jsonString(sqlite3_str*, const char *z, u32 n);
/* Appends an INTEGER, REAL or TEXT so that what is read back is equal to it,
** and any other value as null. 0 if memory has run out. */
int jsonValue(sqlite3_str*, sqlite3_value*);

/* A text in JSON can have a NUL character, written \u0000 (JSON5: \x00, \0).
** Older versions of SQLite, 3.40 among them, return the part before it.
**
** jsonHasNul: 0 if no text of this JSON has one.
** jsonText: the whole text at a path, in column 0 of a statement, which the
** caller must finalize before the request ends; NULL with an error. The JSON
** must be valid. */
int jsonHasNul(const char *zJson);
sqlite3_stmt *jsonText(Sqlx*, const char *zJson, const char *zPath);

#endif
