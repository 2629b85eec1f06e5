/* SPDX-License-Identifier: 0BSD */
/*
** What a database file says of its schema without a transaction: the number
** that every change of the schema raises (PRAGMA schema_version), and in WAL
** mode the header of the WAL index, which every commit changes.
**
** A statement that reads the number opens a transaction, which in BEGIN stays
** open, and costs several system calls. Here the bytes are read where SQLite
** itself reads them, through the connection's own file object:
**
**   rollback mode   bytes 40 to 43 of the file, with one read. A commit writes
**                   them before it ends, so the number of a commit that has
**                   ended is never missed. The number of one that has not
**                   ended may be seen, which a caller takes for a change.
**   WAL mode        the WAL index is mapped already. It tells whether any frame
**                   of the WAL holds page 1, and which is the newest. While its
**                   header stays as it is nothing is read at all.
**
** Both formats are documented (sqlite.org/fileformat2.html, walformat.html) and
** fixed, since processes with different versions of SQLite share files.
**
** dbheaderSchema() is called without a transaction on the file. It returns 0
** where the file does not tell: in memory, with locking_mode=EXCLUSIVE, without
** a shared WAL index, before the connection has opened the WAL, while a commit
** is being published. An encrypted file gives other numbers or none. A cache
** that is shared by connections (cache=shared) must not be asked: another
** thread may be closing its WAL.
*/
#ifndef INTERLOCK_DBHEADER_H
#define INTERLOCK_DBHEADER_H

#include <sqlite3ext.h>
#include "core/base.h"

#define DBHEADER_WORDS 12          /* of a WAL index's header */

/* The state of a WAL as its index has it: equal bytes, no commit between. */
typedef struct DbheaderWal {
  sqlite3_file *pWal;              /* 0: none has been read */
  u32 a[DBHEADER_WORDS];
} DbheaderWal;

/* The number of the schema, and the state of the WAL that it was read in. */
typedef struct DbheaderSchema {
  u32 iNumber;
  DbheaderWal wal;
} DbheaderSchema;

/* Read the number into a zeroed DbheaderSchema, or into one of an earlier call
** for the same file. 1 if it could be read. */
int dbheaderSchema(sqlite3*, const char *zSchema, DbheaderSchema*);

/* 1 if the WAL of a file is still in this state, which dbheaderSchema() has
** read: nothing has been committed since. The connection may read the file
** meanwhile. */
int dbheaderSame(sqlite3*, const char *zSchema, const DbheaderWal*);

#endif
