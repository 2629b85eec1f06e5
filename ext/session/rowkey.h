/* SPDX-License-Identifier: 0BSD */
/*
** What names a table and its rows in a lock file: found in the schema that
** SQLite has in memory, without opening a transaction, so that a lock can be
** waited for as the first thing in BEGIN.
**
** The values of a key are brought to what the columns make of them: their
** affinity, their collation, one way for equal numbers. So 42, 42.0 and, on an
** INTEGER column, '42' name one row; 'Bob' and 'bob' do with NOCASE.
*/
#ifndef INTERLOCK_ROWKEY_H
#define INTERLOCK_ROWKEY_H

#include "session/lockkey.h"

typedef struct RowkeyColumn {
  const char *zName;
  const char *zType;       /* as declared, "" for none */
  const char *zAffinity;   /* as tableinfoAffinity() gives it */
  KeyCollation eColl;   /* of the index that keeps the key unique */
} RowkeyColumn;

typedef struct RowkeyTable {
  const char *zSchema;
  const char *zName;       /* as the caller spells it */
  LockKey key;             /* of the table itself */
  int bRowid;              /* its key is an INTEGER PRIMARY KEY */
  int nCol;                /* of its declared key, in the key's order; 0: it */
  RowkeyColumn *aCol;      /* has none, and nothing names its rows */
} RowkeyTable;

/* By `name` or `schema.name`. 0, with `bad argument:`, if there is none, or if
** only this connection can reach it. rowkeyRead() fills in its columns, of
** which there are none without a declared key; to rowkeyColumns() that is an
** error: rows can only be locked in a table that has one. */
int rowkeyTable(Sqlx *p, const char *zTable, RowkeyTable *pTab);
int rowkeyRead(Sqlx *p, RowkeyTable *pTab);
int rowkeyColumns(Sqlx *p, RowkeyTable *pTab);

/* The key of a row. A NULL in it is an error, and so is a wrong number, or one
** that is too long for the lock file. To rowkeyLockable() the last is none: it
** returns 0, and no session holds a lock on that row. */
int rowkeyRow(Sqlx *p, const RowkeyTable *pTab, int nArg,
              sqlite3_value **apArg, LockKey *pKey);
int rowkeyLockable(Sqlx *p, const RowkeyTable *pTab, int nArg,
                   sqlite3_value **apArg, LockKey *pKey);

#endif
