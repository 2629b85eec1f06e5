/* SPDX-License-Identifier: 0BSD */
/*
** Keys of locks as SQL has them: from arguments, into errors, into results.
** The bytes of a key, by its kind, are those of table.h.
*/
#ifndef INTERLOCK_LOCKKEY_H
#define INTERLOCK_LOCKKEY_H

#include "sqlx.h"
#include "table.h"

/* From one value, INTEGER, TEXT or BLOB, or from two INTEGERs of 32 bits. */
int lockkeyArgs(Sqlx*, int nArg, sqlite3_value **apArg, LockKey*);
/* The same where only integers are allowed. */
int lockkeyIntegers(Sqlx*, int nArg, sqlite3_value **apArg, LockKey*);
/* From a name of MySQL's: at most 64 characters, upper and lower case one. */
int lockkeyName(Sqlx*, sqlite3_value*, LockKey*);

/* As an SQL literal, a pair as (a,b). */
void lockkeyAppend(sqlite3_str*, u32 eKind, const u8 *pKey, u32 nKey);
const char *lockkeyText(Sqlx*, const LockKey*);

/* As the value that was given; a pair as the text (a,b); a turn as NULL. */
void lockkeyResult(sqlite3_context*, u32 eKind, const u8 *pKey, u32 nKey);

#endif
