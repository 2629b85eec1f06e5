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

/*
** A text in JSON can have a NUL character, written \u0000 (JSON5: \x00, \0).
** Older versions of SQLite, 3.40 among them, return the part before it.
**
** jsonHasNul: 0 if no text of this JSON has one.
** jsontextsBegin: takes an array or an object, which must be valid JSON.
** jsontextsAt: element i, or the value of member i, which must be a text; the
** whole of it. It is valid until the next call. NULL with an error. To go
** forwards costs least.
** jsontextsEnd: must be called before the request ends.
*/
typedef struct JsonTexts {
  Sqlx *x;
  const char *zAll;            /* as SQLite writes it, without blanks */
  const char *z;               /* element i in it */
  int i;
  sqlite3_stmt *pStmt;         /* its column is the last text */
} JsonTexts;
int jsonHasNul(const char *zJson);
void jsontextsBegin(JsonTexts*, Sqlx*, const char *zJson);
sqlite3_value *jsontextsAt(JsonTexts*, int i);
void jsontextsEnd(JsonTexts*);

#endif
