/* SPDX-License-Identifier: 0BSD */
/*
** The event of the release of SQLite's write lock. See writeend.h.
*/
#include <pthread.h>
#include <stddef.h>
#include <string.h>
#include "session/writeend.h"
#include "sqlite/sqlx.h"
SQLITE_EXTENSION_INIT3

/* The lock of the WAL index that its writer has. */
#define WAL_WRITE_LOCK 0

struct WriteEnd {
  sqlite3_io_methods methods;  /* what the file has meanwhile */
  const sqlite3_io_methods *pReal;
  sqlite3_file *pFile;
  sqlite3 *db;
  WriteEnd **ppOwner;          /* the caller's *pp; NULL: no longer */
  void (*xEnd)(void*);
  void *pArg;
  int bReleased;               /* all but a reader's lock was released */
  WriteEnd *pNext;
};

/* ---- the list of all -------------------------------------------------- */

/* SQLite's static mutexes are not used: they belong to the application or to
** SQLite, and a thread that holds one can come here. No function of SQLite is
** called while this one is held. */
static pthread_mutex_t listMutex = PTHREAD_MUTEX_INITIALIZER;
static WriteEnd *pAll;         /* files that have methods of ours */

static WriteEnd *find(const sqlite3_file *pFile){
  WriteEnd *p;
  pthread_mutex_lock(&listMutex);
  for(p=pAll; p && p->pFile!=pFile; p=p->pNext){}
  pthread_mutex_unlock(&listMutex);
  return p;
}

static void addToList(WriteEnd *p){
  pthread_mutex_lock(&listMutex);
  p->pNext = pAll;
  pAll = p;
  pthread_mutex_unlock(&listMutex);
}

static void freeListed(WriteEnd *p){
  WriteEnd **pp;
  pthread_mutex_lock(&listMutex);
  for(pp=&pAll; *pp!=p; pp=&(*pp)->pNext){}
  *pp = p->pNext;
  pthread_mutex_unlock(&listMutex);
  sqlite3_free(p);
}

/* ---- the end ---------------------------------------------------------- */

/* Gives the file its own methods back. If another library has put methods above
** ours meanwhile, ours stay below them until the file is closed, and do
** nothing. */
static void restore(WriteEnd *p){
  if( p->ppOwner ) *p->ppOwner = 0;
  p->ppOwner = 0;
  if( p->pFile->pMethods!=&p->methods ) return;
  p->pFile->pMethods = p->pReal;
  freeListed(p);
}

static void reportEnd(WriteEnd *p){
  void (*xEnd)(void*) = p->xEnd;
  void *pArg = p->pArg;
  if( p->ppOwner==0 ) return;
  restore(p);
  xEnd(pArg);
}

/* Whether a write transaction on main is about to end. */
static int isWriting(const WriteEnd *p){
  return p->ppOwner
      && sqlite3_txn_state(p->db, "main")==SQLITE_TXN_WRITE;
}

/* Whether another statement reads: the file then keeps a reader's lock. */
static int othersRead(sqlite3 *db){
  sqlite3_stmt *pStmt = 0;
  int n = 0;
  while( (pStmt = sqlite3_next_stmt(db, pStmt))!=0 ){
    n += sqlite3_stmt_busy(pStmt)!=0;
  }
  return n>1;
}

/* In rollback mode a writer's locks are released in two steps, and the next
** writer cannot commit before the second. */
static int endUnlock(sqlite3_file *pFile, int eLock){
  WriteEnd *p = find(pFile);
  int bEnds = isWriting(p), rc;
  assert( p->ppOwner==0 || sqlxHeld(p->db) );
  rc = p->pReal->xUnlock(pFile, eLock);
  p->bReleased |= bEnds;
  if( p->bReleased && (eLock==SQLITE_LOCK_NONE || othersRead(p->db)) ){
    reportEnd(p);
  }
  return rc;
}

static int endShmLock(sqlite3_file *pFile, int iFirst, int n, int flags){
  WriteEnd *p = find(pFile);
  int bEnds = iFirst==WAL_WRITE_LOCK
           && (flags & SQLITE_SHM_UNLOCK) && (flags & SQLITE_SHM_EXCLUSIVE)
           && isWriting(p);
  int rc = p->pReal->xShmLock(pFile, iFirst, n, flags);
  if( bEnds ) reportEnd(p);
  return rc;
}

static int endClose(sqlite3_file *pFile){
  WriteEnd *p = find(pFile);
  const sqlite3_io_methods *pReal = p->pReal;
  int rc;
  reportEnd(p);
  rc = pReal->xClose(pFile);
  p = find(pFile);
  if( p ) freeListed(p);
  return rc;
}

/* ---- the file --------------------------------------------------------- */

/* Copies the methods that the file has and this library knows. */
static void copyMethods(sqlite3_io_methods *pTo,
                        const sqlite3_io_methods *pFrom){
  size_t n = sizeof(*pTo);
  int iVersion = pFrom->iVersion<3 ? pFrom->iVersion : 3;
  if( iVersion<2 ) n = offsetof(sqlite3_io_methods, xShmMap);
  else if( iVersion<3 ) n = offsetof(sqlite3_io_methods, xFetch);
  memset(pTo, 0, sizeof(*pTo));
  memcpy(pTo, pFrom, n);
  pTo->iVersion = iVersion;
}

static sqlite3_file *mainFile(sqlite3 *db){
  const char *zName = sqlite3_db_filename(db, "main");
  sqlite3_file *pFile = 0;
  int rc = sqlite3_file_control(db, "main", SQLITE_FCNTL_FILE_POINTER, &pFile);
  if( zName==0 || zName[0]!='/' || rc!=SQLITE_OK ) return 0;
  return pFile && pFile->pMethods ? pFile : 0;
}

/* Whether this SQLite is built for debugging. Such a one reports every file as
** one of a shared cache. */
static int isDebug(sqlite3 *db){
  static const char zSql[] = "SELECT sqlite_compileoption_used('DEBUG')";
  sqlite3_stmt *pStmt = 0;
  int bDebug = sqlite3_prepare_v2(db, zSql, -1, &pStmt, 0)==SQLITE_OK
            && sqlite3_step(pStmt)==SQLITE_ROW
            && sqlite3_column_int(pStmt, 0);
  sqlite3_finalize(pStmt);
  return bDebug;
}

/* Sets *pbShared to whether another connection can use the open file. */
static LockRc askShared(sqlite3 *db, int *pbShared){
  LockRc eRc = filesessionSharable(db, "main", pbShared);
  if( *pbShared && isDebug(db) ) *pbShared = 0;
  return eRc;
}

/* Puts methods of ours into a file. */
static WriteEnd *replaceMethods(sqlite3_file *pFile){
  WriteEnd *p = sqlite3_malloc64(sizeof(*p));
  if( p==0 ) return 0;
  memset(p, 0, sizeof(*p));
  p->pFile = pFile;
  p->pReal = pFile->pMethods;
  copyMethods(&p->methods, p->pReal);
  p->methods.xUnlock = endUnlock;
  p->methods.xClose = endClose;
  if( p->methods.iVersion>=2 && p->pReal->xShmLock ){
    p->methods.xShmLock = endShmLock;
  }
  addToList(p);
  pFile->pMethods = &p->methods;
  return p;
}

LockRc writeendAwait(
  WriteEnd **pp,
  sqlite3 *db,
  void (*xEnd)(void*),
  void *pArg
){
  sqlite3_file *pFile;
  LockRc eRc;
  int bShared;
  assert( sqlxHeld(db) );
  if( *pp ) return LOCK_OK;
  pFile = mainFile(db);
  if( pFile==0 ) return LOCK_NO;
  eRc = askShared(db, &bShared);
  if( eRc!=LOCK_OK || bShared ) return eRc!=LOCK_OK ? eRc : LOCK_NO;
  *pp = find(pFile);
  if( *pp==0 ) *pp = replaceMethods(pFile);
  if( *pp==0 ) return LOCK_NOMEM;
  (*pp)->db = db;
  (*pp)->ppOwner = pp;
  (*pp)->xEnd = xEnd;
  (*pp)->pArg = pArg;
  (*pp)->bReleased = 0;
  return LOCK_OK;
}

void writeendCancel(WriteEnd **pp){
  if( *pp ) restore(*pp);
}
