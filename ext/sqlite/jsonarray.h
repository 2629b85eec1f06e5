/* SPDX-License-Identifier: 0BSD */
/*
** Reading a JSON array, by SQLite's functions for one value. (json_each would
** open a transaction, and the connection must then not wait for a lock.)
** SQLite parses the text in each run of a statement, so one run reads several
** elements.
**
** The statements can be kept for the next arrays. They must be forgotten when
** the connection is closed.
*/
#ifndef INTERLOCK_JSONARRAY_H
#define INTERLOCK_JSONARRAY_H

#include "sqlite/json.h"
#include "sqlite/sqlx.h"

/* An integer, or a text of which JSON escapes nothing. */
typedef struct JsonSimple {
  const char *z;               /* the text; NULL: an integer */
  int n;                       /* its bytes */
  sqlite3_int64 i;             /* the integer */
} JsonSimple;

/* Reads an array of such elements, which most arrays are, without a statement.
** Returns how many there are; 0 if the text is anything else, or has more than
** mx. The texts are parts of zJson. */
int jsonarraySimple(const char *zJson, JsonSimple *a, int mx);

#define JSONARRAY_RUN 16       /* elements of one run */

/* Two statements that nothing is using: an array can be inside of another. */
typedef struct JsonKept {
  sqlite3_stmt *apFree[2];
} JsonKept;

typedef struct JsonArray {
  Sqlx *x;
  JsonKept *pKept;             /* NULL: the statement is not kept */
  sqlite3_stmt *pStmt;
  JsonTexts texts;             /* of an array with bNul */
  const char *zJson;
  int bNul;                    /* a text can have a NUL character */
  int n;                       /* elements; -1: the text is no array */
  int iFirst;                  /* the first element of the run */
  char aPath[JSONARRAY_RUN][16];
} JsonArray;

/*
** jsonarrayBegin: takes a text, which must stay, and finds its length. A text
** that is no JSON is an error, which says zWhat. The caller must call
** jsonarrayEnd() in any case.
** jsonarrayType: the type of the whole text, in JSON's words; "" after an
** error. It is valid until jsonarrayElement() is called.
** jsonarrayElement: element i, which must be below n, and its type. An array or
** an object is its text. NULL with an error. The value is valid until the next
** call.
** jsonarrayForget: ends the statements that are kept.
*/
void jsonarrayBegin(JsonArray*, Sqlx*, JsonKept*, const char *zJson,
                    const char *zWhat);
const char *jsonarrayType(JsonArray*);
sqlite3_value *jsonarrayElement(JsonArray*, int i, const char **pzType);
void jsonarrayEnd(JsonArray*);
void jsonarrayForget(JsonKept*);

#endif
