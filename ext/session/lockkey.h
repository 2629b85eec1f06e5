/* SPDX-License-Identifier: 0BSD */
/*
** Keys of locks in SQL: made from arguments, and written into errors and
** results. core/key.h defines the bytes of a key; rowkey.h makes equal bytes
** from values that are equal to a table.
*/
#ifndef INTERLOCK_LOCKKEY_H
#define INTERLOCK_LOCKKEY_H

#include "sqlite/sqlx.h"
#include "core/key.h"

/* These functions make a key; 0 with an error.
** lockkeyArgs: from one INTEGER, TEXT or BLOB, or from two INTEGERs of 32 bits.
** lockkeyValue: from one INTEGER, TEXT or BLOB that errors call zWhat.
** lockkeyIntegers: as lockkeyArgs, but only from INTEGERs.
** lockkeyName: from a name for MySQL's functions, of at most 64 characters and
** 255 bytes; upper and lower case of ASCII are the same.
** lockkeyNamed: from the name of a semaphore or a channel, zWhat in errors. */
int lockkeyArgs(Sqlx*, int nArg, sqlite3_value **apArg, LockKey*);
int lockkeyValue(Sqlx*, sqlite3_value*, const char *zWhat, LockKey*);
int lockkeyIntegers(Sqlx*, int nArg, sqlite3_value **apArg, LockKey*);
int lockkeyName(Sqlx*, sqlite3_value*, LockKey*);
int lockkeyNamed(Sqlx*, sqlite3_value*, const char *zWhat, int eKind, LockKey*);

/* Make the key of a table, and that of a row of the table with this key. */
int lockkeyTable(Sqlx*, const char *zTable, LockKey*);
int lockkeyRow(Sqlx*, const LockKey *pTable, const KeyValue*, int n, LockKey*);
/* A key for errors: as an SQL literal, a pair as (a,b), a row as table(key). */
void lockkeyAppend(sqlite3_str*, u32 eKind, const u8 *pKey, u32 nKey);
const char *lockkeyText(Sqlx*, const LockKey*);

/* Sets a key as the result of a function: the value that was given; for two
** integers, or for a row's key of several columns, the text (a,b); NULL for a
** table or a turn. */
void lockkeyResult(sqlite3_context*, u32 eKind, const u8 *pKey, u32 nKey);

#endif
