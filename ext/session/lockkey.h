/* SPDX-License-Identifier: 0BSD */
/*
** Keys of locks as SQL has them: from arguments, into errors, into results.
** The bytes of a key, by its kind, are those of table.h.
**
** The key of a table is its name with ASCII letters in lower case, as SQLite
** compares names. The key of a row is that of its table and then
**
**   0                     ends the name, which has none
**   n                     how many values, one byte
**   n type bytes          LOCKVALUE_INTEGER ...
**   0 to 3 times 0        up to a multiple of 4
**   the values            INTEGER and REAL in 8 bytes; TEXT and BLOB as they
**                         are, each but the last after a byte with its length
**
** Equal values have equal bytes: rowkey.h sees to that.
*/
#ifndef INTERLOCK_LOCKKEY_H
#define INTERLOCK_LOCKKEY_H

#include "sqlite/sqlx.h"
#include "core/table.h"

/* From one value, INTEGER, TEXT or BLOB, or from two INTEGERs of 32 bits. */
int lockkeyArgs(Sqlx*, int nArg, sqlite3_value **apArg, LockKey*);
/* The same where only integers are allowed. */
int lockkeyIntegers(Sqlx*, int nArg, sqlite3_value **apArg, LockKey*);
/* From a name of MySQL's: at most 64 characters, upper and lower case one. */
int lockkeyName(Sqlx*, sqlite3_value*, LockKey*);

/* One value of the key of a row. */
enum { LOCKVALUE_INTEGER = 1, LOCKVALUE_REAL, LOCKVALUE_TEXT, LOCKVALUE_BLOB };
typedef struct LockValue {
  int eType;
  i64 i;                 /* INTEGER */
  double r;              /* REAL */
  const u8 *p;           /* TEXT and BLOB, */
  u32 n;                 /* and how many bytes they have */
} LockValue;

/* The key of a table, and that of a row of the table with this key. */
int lockkeyTable(Sqlx*, const char *zTable, LockKey*);
int lockkeyRow(Sqlx*, const LockKey *pTable, const LockValue*, int n, LockKey*);
/* The length that the key of that row would have; more than LIMIT_KEY: it
** cannot be locked. */
u32 lockkeyRowBytes(const LockKey *pTable, const LockValue*, int n);

/* As an SQL literal, a pair as (a,b), a row as table(key). */
void lockkeyAppend(sqlite3_str*, u32 eKind, const u8 *pKey, u32 nKey);
const char *lockkeyText(Sqlx*, const LockKey*);

/* As the value that was given; two integers, or the key of several columns, as
** the text (a,b); of a table or a turn as NULL. */
void lockkeyResult(sqlite3_context*, u32 eKind, const u8 *pKey, u32 nKey);
/* The name of the table that the key of a row or a table begins with: how many
** bytes of the key it has; 0 for other kinds. */
u32 lockkeyObject(u32 eKind, const u8 *pKey, u32 nKey);

#endif
