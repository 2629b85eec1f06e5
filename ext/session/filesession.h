/* SPDX-License-Identifier: 0BSD */
/*
** A connection's session in the lock file of one of its database files: the
** file, the session in it, and where in the transaction its savepoints stand.
**
** A file session is known by its database file, not by the schema: two schemas
** can be one file, and ATTACH gives the same name to other files. It stays
** until the connection ends or is reset, after DETACH as well: what is held
** stays held. A database that is no file of its own has memory in place of a
** lock file; connections that share the database share that memory. Locks held
** there end after the DETACH. A database that is this connection's own is known
** by the schema, which is the only way to it, and by a mark that the next
** database of that name does not have.
**
** Guarded by SQLite's mutex of the connection.
*/
#ifndef INTERLOCK_FILESESSION_H
#define INTERLOCK_FILESESSION_H

#include <sqlite3ext.h>
#include "core/lock.h"

typedef struct FileSession FileSession;
struct FileSession {
  char *zName;           /* what the database file is known by */
  LockFile *pFile;       /* both 0 until filesessionBegin() */
  LockSession *pLock;
  i64 iMark;             /* of a database of its own; 0: it has none */
  u32 *aMark;            /* lock level where savepoint i was opened */
  int mxMark;            /* room in aMark */
  FileSession *pNext;
};

/*
** filesessionFind: the file session of a schema (NULL: main) in a list, added
** to the list if it is not there: LOCK_NOMEM, LOCK_INTERRUPTED.
** filesessionBegin: open its lock file, and begin a session in it, if there is
** none. filesessionEnd: give back everything. filesessionFree: the list.
** filesessionOf: 1 if a schema is its database, or if that cannot be told.
*/
LockRc filesessionFind(FileSession **ppList, sqlite3 *db, const char *zSchema,
                       FileSession **pp);
LockRc filesessionBegin(FileSession*, sqlite3 *db, const char *zSchema);
int filesessionOf(const FileSession*, sqlite3 *db, const char *zSchema);
void filesessionEnd(FileSession*);
void filesessionFree(FileSession **ppList);

/* Its lock file without a session in it, if it is there: a reference of its
** own. LOCK_NOFILE. filesessionLook: for lockSnapshot only, and also where
** the file may only be read. */
LockRc filesessionRefer(const FileSession*, LockFile**);
LockRc filesessionLook(const FileSession*, LockFile**);
/* Is the database in a shared cache, so that another connection may use its
** open file? Yes, if SQLite will not say. LOCK_NOMEM, LOCK_INTERRUPTED. */
LockRc filesessionSharable(sqlite3 *db, const char *zSchema, int *pbShared);
/* The name of its database file; "" for memory. */
const char *filesessionFileName(const FileSession*);

/* The transaction, as txnscope.h tells of it. 0: no memory. */
int filesessionMark(FileSession*, int iFrom, int iTo);
void filesessionRollbackTo(FileSession*, int i);

#endif
