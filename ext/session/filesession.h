/* SPDX-License-Identifier: 0BSD */
/*
** File sessions: a connection's session in the lock file of one of its database
** files, and what it held when each savepoint was opened.
**
** A file session is identified by its database file, not by the schema: two
** schemas can be one file, and ATTACH can give the same name to another file.
** It lives until the connection ends or is reset. What it holds is held also
** after DETACH. A database in memory, or a temporary one, has memory in place
** of a lock file, which the connections that share the database share; locks in
** it end after the DETACH. A database that only this connection can reach is
** identified by its schema, and by a mark that a later database of that name
** does not have.
**
** A task of the connection has a file session of its own, in the list of the
** connection's own one. It ends when it holds nothing and requests nothing.
**
** A file session is guarded by SQLite's mutex of the connection.
*/
#ifndef INTERLOCK_FILESESSION_H
#define INTERLOCK_FILESESSION_H

#include <sqlite3ext.h>
#include "core/lock.h"

/* What a file session has requested without a wait, until it takes the lock. */
typedef struct FileRequest {
  LockKey key;
  u32 eMode;
  int bRow;              /* 1: a row, whose table is locked before it */
  LockGrant intent;      /* on the table of a row; iRecord 0: not granted yet */
} FileRequest;

typedef struct FileSession FileSession;
struct FileSession {
  char *zName;           /* identifies the database file */
  LockFile *pFile;       /* NULL, as pLock, until filesessionBegin() */
  LockSession *pLock;
  i64 iMark;             /* the mark of the connection's own database; or 0 */
  u32 *aMark;            /* the lock level when savepoint i was opened */
  int mxMark;            /* room in aMark */
  FileRequest request;   /* valid while lockPending(pLock) */
  const LockKey *pTask;  /* of a task: its name; NULL: the connection's own */
  FileSession *pTasks;   /* the sessions of tasks in this file */
  FileSession *pNext;
};

/*
** filesessionFind: returns the file session of a schema (NULL: main) in a list;
** adds it if it is missing. It fails with LOCK_NOMEM or LOCK_INTERRUPTED.
** filesessionBegin: opens the lock file and begins a session in it, if there is
** none. filesessionOf: whether a schema is its database; 1 also if that cannot
** be found out. filesessionEnd: releases everything and ends the session.
** filesessionFree: ends and frees a list.
** filesessionTask: the file session of a task, or NULL. filesessionBeginTask:
** begins it; the connection's own one, p, must have begun. filesessionLeave:
** ends the file session of a task, unless it holds or requests something.
** filesessionInUse: whether it, or one of its tasks, holds or requests
** something. filesessionPending: whether one of these requests something.
*/
LockRc filesessionFind(FileSession **ppList, sqlite3 *db, const char *zSchema,
                       FileSession **pp);
LockRc filesessionBegin(FileSession*, sqlite3 *db, const char *zSchema);
int filesessionOf(const FileSession*, sqlite3 *db, const char *zSchema);
void filesessionEnd(FileSession*);
void filesessionFree(FileSession **ppList);
FileSession *filesessionTask(const FileSession *p, const LockKey *pTask);
LockRc filesessionBeginTask(FileSession *p, const LockKey *pTask,
                            FileSession **pp);
void filesessionLeave(FileSession *p, FileSession *pTask);
int filesessionInUse(const FileSession*);
int filesessionPending(const FileSession*);

/* Where the lock manager's memory comes from. */
const LockMem *filesessionMemory(void);

/* Whether there is a lock file, without opening it: 0 only if there is none
** that another connection could have opened. */
int filesessionThere(const FileSession*);
/* Opens the lock file without beginning a session in it; the caller must close
** it. LOCK_NOFILE if there is none. What filesessionLook opens is for
** lockSnapshot() only; a user who may only read the file can call it. */
LockRc filesessionOpen(const FileSession*, LockFile**);
LockRc filesessionLook(const FileSession*, LockFile**);
/* Whether a schema is in a shared cache, so that another connection can use its
** open file; 1 also if SQLite does not answer. LOCK_NOMEM, LOCK_INTERRUPTED. */
LockRc filesessionSharable(sqlite3 *db, const char *zSchema, int *pbShared);
/* The name of the database file; "" for a database in memory. */
const char *filesessionFileName(const FileSession*);

/* For the events of txnscope.h. filesessionMark: 0 if memory has run out. */
int filesessionMark(FileSession*, int iFrom, int iTo);
void filesessionRollbackTo(FileSession*, int i);

#endif
