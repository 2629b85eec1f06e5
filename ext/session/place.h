/* SPDX-License-Identifier: 0BSD */
/*
** The place of a connection in the lock file of one of its database files: the
** file, the session in it, and where in the transaction its savepoints stand.
**
** A place is known by its database file, not by the schema: two schemas can be
** one file, and ATTACH gives the same name to others. It stays until the
** connection ends or is reset, after DETACH as well: what is held stays held.
** A database that is no file of its own has memory in the place of a lock
** file; connections that share the database share it. What is held there goes
** after its DETACH. One that is this connection's own is known by the schema,
** which is the only way to it, and by a mark that the next one of that name
** has not.
**
** Guarded by SQLite's mutex of the connection.
*/
#ifndef INTERLOCK_PLACE_H
#define INTERLOCK_PLACE_H

#include <sqlite3ext.h>
#include "core/lock.h"

typedef struct Place Place;
struct Place {
  char *zName;           /* what the database file is known by */
  LockFile *pFile;       /* both 0 until placeBegin() */
  LockSession *pLock;
  i64 iMark;             /* of a database of its own; 0: it has none */
  u32 *aMark;            /* lock level where savepoint i was opened */
  int mxMark;            /* room in aMark */
  Place *pNext;
};

/*
** placeFind: the place of a schema (NULL: main) in a list, added to it if it is
** not there: LOCK_NOMEM, LOCK_INTERRUPTED. placeBegin: open its lock file, and
** begin a session in it, if there is none. placeEnd: give back everything.
** placeFree: the list. placeOf: 1 if a schema is the database of the place, or
** if that cannot be told.
*/
LockRc placeFind(Place **ppList, sqlite3 *db, const char *zSchema, Place **pp);
LockRc placeBegin(Place*, sqlite3 *db, const char *zSchema);
int placeOf(const Place*, sqlite3 *db, const char *zSchema);
void placeEnd(Place*);
void placeFree(Place **ppList);

/* Its lock file without a session in it, if it is there: a reference of its
** own. LOCK_NOFILE. placeLook: for lockSnapshot only, and also where the file
** may only be read. */
LockRc placeRefer(const Place*, LockFile**);
LockRc placeLook(const Place*, LockFile**);
/* The name of its database file; "" for memory. */
const char *placeFileName(const Place*);

/* The transaction, as txnscope.h tells of it. 0: no memory. */
int placeMark(Place*, int iFrom, int iTo);
void placeRollbackTo(Place*, int i);

#endif
