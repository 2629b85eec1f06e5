/* SPDX-License-Identifier: 0BSD */
/*
** Keys of locks as SQL has them: from arguments, into errors, into results.
** The bytes of a key are those of core/key.h; rowkey.h sees to it that what a
** table calls equal has equal bytes.
*/
#ifndef INTERLOCK_LOCKKEY_H
#define INTERLOCK_LOCKKEY_H

#include "sqlite/sqlx.h"
#include "core/key.h"

/* From one value, INTEGER, TEXT or BLOB, or from two INTEGERs of 32 bits. */
int lockkeyArgs(Sqlx*, int nArg, sqlite3_value **apArg, LockKey*);
/* The same where only integers are allowed. */
int lockkeyIntegers(Sqlx*, int nArg, sqlite3_value **apArg, LockKey*);
/* From a name of MySQL's: at most 64 characters, upper and lower case one. */
int lockkeyName(Sqlx*, sqlite3_value*, LockKey*);

/* The key of a table, and that of a row of the table with this key. */
int lockkeyTable(Sqlx*, const char *zTable, LockKey*);
int lockkeyRow(Sqlx*, const LockKey *pTable, const KeyValue*, int n, LockKey*);
/* As an SQL literal, a pair as (a,b), a row as table(key). */
void lockkeyAppend(sqlite3_str*, u32 eKind, const u8 *pKey, u32 nKey);
const char *lockkeyText(Sqlx*, const LockKey*);

/* As the value that was given; two integers, or the key of several columns, as
** the text (a,b); of a table or a turn as NULL. */
void lockkeyResult(sqlite3_context*, u32 eKind, const u8 *pKey, u32 nKey);

#endif
