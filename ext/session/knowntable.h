/* SPDX-License-Identifier: 0BSD */
/*
** Tables whose keys a connection knows: what rowkey.h finds in the schema is
** kept with the connection, as long as nothing has changed it.
**
** Whether it has is asked by every call, and never taken from an earlier one:
**
**   the connection itself    A kept statement. SQLite prepares it anew after
**                            DETACH, after a change of the temp schema, and
**                            after the rollback of a change of any schema, and
**                            counts that (SQLITE_STMTSTATUS_REPREPARE).
**   a file with a            Another kept statement, which reads nothing of the
**   transaction open         file but the number of its schema, as every
**                            statement does: SQLite prepares it anew if the
**                            number, or the schema in memory, is another.
**   a file without           The number in the file (dbheader.h). Where it
**                            cannot be read: in autocommit the same statement;
**                            in BEGIN, where it would leave a transaction open,
**                            the table is looked up again.
**
** One change is enough to forget every table. A name that leads to a table only
** because there is no other one (`"t"` in quotes, `a.b` without a schema a, a
** table of an attached file without its schema) is known as long as no file has
** changed, and none was attached.
**
** A database that is not a file is not known: sqlite3_deserialize() puts
** another in its place, which nothing tells.
**
** The statements go when the connection is closed, of which txnscope.h tells.
** Guarded by SQLite's mutex of the connection.
*/
#ifndef INTERLOCK_KNOWNTABLE_H
#define INTERLOCK_KNOWNTABLE_H

#include "session/rowkey.h"
#include "session/txnscope.h"
#include "sqlite/dbheader.h"

typedef struct KnownTable KnownTable;
typedef struct KnownTables KnownTables;
typedef struct KnownSchema KnownSchema;

/* What the schema in memory is known by: the number that it was read under,
** and how often this connection has read it. */
typedef struct KnownStamp {
  i64 iNumber;
  i64 iGeneration;
  int bShared;             /* other connections can have the same cache */
} KnownStamp;

/* A query on a table that is kept with it, in one statement or two. */
typedef struct KnownQuery KnownQuery;
struct KnownQuery {
  char *zText;
  sqlite3_stmt *apStmt[2];
  KnownQuery *pNext;
};

struct KnownTable {
  RowkeyTable tab;
  KnownStamp stamp;        /* of its schema when it was looked up */
  int bStamp;              /* stamp is known */
  int bColumns;            /* its columns have been read */
  int nRef;                /* calls that use it, and the list */
  char *zGiven;            /* as the caller names it */
  const char *zGone;       /* the error of the name, if the table is gone */
  int bWide;               /* it depends on all schemas, */
  int nSchema;             /* of which there are so many */
  KnownSchema *pSchema;    /* its own, unless it is not kept */
  KnownQuery *pQueries;
  KnownTables *pTables;
  Sqlx mem;                /* owns what tab points to */
  KnownTable *pNext;
};

struct KnownTables {
  sqlite3 *db;
  TxnScope *pScope;
  sqlite3_stmt *pExpiry;
  int nExpiry;             /* how often it had been prepared anew */
  KnownSchema *pSchemas;
  KnownTable *pTables;     /* the one used last comes first */
};

void knowntableInit(KnownTables*, sqlite3*, TxnScope*);

/* The table that a caller names, with its columns if these are wanted; NULL
** with the error of rowkey.h. It stays as it is to knowntableUnref(). */
KnownTable *knowntableRef(KnownTables*, Sqlx*, const char *zTable,
                          int bColumns);
void knowntableUnref(KnownTable*);

/* The same to unlock. Locks keep the name that their table had: if it is gone
** (rowkey.h), that is no error yet. It is one if nothing was unlocked, which
** the caller must say: knowntableUnlocked(). */
KnownTable *knowntableRefUnlock(KnownTables*, Sqlx*, const char *zTable,
                                int bColumns);
void knowntableUnlocked(const KnownTable*, Sqlx*, i64 nUnlocked);

/* An earlier table of the same name, which is gone and had another PRIMARY KEY:
** for a key under which nothing was locked, or which cannot be one of the
** present table. The error that says so comes again from knowntableUnlocked().
** NULL if the table is gone itself, or with an error. The caller must give it
** back. */
KnownTable *knowntableEarlier(KnownTable*, Sqlx*);

/* Whether the table is as it was looked up, by the schema that SQLite has in
** memory. The caller must be reading the table: then that is the schema of what
** it reads. 0 also if it cannot be told. */
int knowntableStill(const KnownTable*, Sqlx*);

/* The state of the WAL of its file, at this moment and without a transaction.
** 0 if it cannot be told, or the file has none. */
int knowntableWal(const KnownTable*, DbheaderWal*);

/* Takes the query of this text, which is then the caller's: without statements
** if none was kept; NULL if memory has run out. Giving it back resets it, and
** ends it if it cannot be kept. knowntableEnd() ends it; it accepts NULL. */
KnownQuery *knowntableTake(KnownTable*, Sqlx*, const char *zText);
void knowntableGive(KnownTable*, KnownQuery*);
void knowntableEnd(KnownQuery*);

/* The connection is being closed, or has ended. */
void knowntableForget(KnownTables*);

#endif
