/* SPDX-License-Identifier: 0BSD */
/*
** The keys of tables and rows in a lock file. They are found from the schema
** that SQLite has in memory, without opening a transaction, so that the first
** statement after BEGIN can wait for a lock.
**
** Values of a key are converted as the columns store and compare them, by
** affinity and collation, and equal numbers have one form. So 42, 42.0 and, on
** an INTEGER column, '42' are the key of one row, and with NOCASE so are 'Bob'
** and 'bob'.
*/
#ifndef INTERLOCK_ROWKEY_H
#define INTERLOCK_ROWKEY_H

#include "session/lockkey.h"

typedef struct RowkeyColumn {
  const char *zName;
  const char *zType;       /* as declared, "" for none */
  const char *zAffinity;   /* as tableinfoAffinity() returns it */
  KeyCollation eColl;      /* of the index that keeps the key unique */
} RowkeyColumn;

typedef struct RowkeyTable {
  const char *zSchema;
  const char *zName;       /* as the caller spells it */
  LockKey key;             /* of the table itself */
  int bRowid;              /* the key is an INTEGER PRIMARY KEY */
  int bGone;               /* no such table, or one whose rows cannot be locked:
                           ** then zSchema can be NULL, and nCol is 0 */
  int nCol;                /* columns of the PRIMARY KEY; 0: there is none */
  RowkeyColumn *aCol;      /* in the key's order */
} RowkeyTable;

/* rowkeyTable: finds a table by `name` or `schema.name`. It is an error if
** there is none, or if it is temporary.
** rowkeyRead: reads the columns of the PRIMARY KEY.
** rowkeyColumns: the same, but a table without a PRIMARY KEY is an error: its
** rows cannot be locked.
** rowkeyGone: for a name that is an error of the others, to unlock what was
** locked under it before the table was renamed, dropped or made anew. 0 without
** a table if the name is that of a temporary table, or cannot have been locked;
** the error is then of no use. */
int rowkeyTable(Sqlx *p, const char *zTable, RowkeyTable *pTab);
int rowkeyRead(Sqlx *p, RowkeyTable *pTab);
int rowkeyColumns(Sqlx *p, RowkeyTable *pTab);
int rowkeyGone(Sqlx *p, const char *zTable, RowkeyTable *pTab);

/* Make the key of a row; 0 with an error. A NULL in it is an error, and so is a
** wrong number of values. A key that is too long for the lock file is an error
** of rowkeyRow() only; rowkeyLockable() then returns 0 without an error: no
** session can hold a lock on that row. Of a table that is gone the values are
** taken as they are, in any number. rowkeyInteger() is for a table whose key
** is an INTEGER PRIMARY KEY. */
int rowkeyRow(Sqlx *p, const RowkeyTable *pTab, int nArg,
              sqlite3_value **apArg, LockKey *pKey);
int rowkeyLockable(Sqlx *p, const RowkeyTable *pTab, int nArg,
                   sqlite3_value **apArg, LockKey *pKey);
int rowkeyInteger(Sqlx *p, const RowkeyTable *pTab, sqlite3_int64 i,
                  LockKey *pKey);

#endif
