/* SPDX-License-Identifier: 0BSD */
/*
** The place of a connection in a lock file. See place.h.
*/
#include <string.h>
#include "session/place.h"
#include "core/os.h"
#include "session/waiting.h"
SQLITE_EXTENSION_INIT3

/* ---- memory of the lock manager --------------------------------------- */

static void *allocate(size_t n){ return sqlite3_malloc64(n); }
static void release(void *p){ sqlite3_free(p); }
static const LockMem memory = { allocate, release };

/* ---- what a database is known by -------------------------------------- */

/*
** What a database of the VFS "memdb" is, so that the connections which share
** one agree: 0 if it is none. Its name does not tell, newer versions of
** SQLite hide it. Connections have a file object each; since 3.36 the first
** thing in it is a pointer to what they share, and before they share nothing.
** The VFS adds an address and a size to its name.
*/
typedef struct MemdbFile {
  sqlite3_file base;
  void *pStore;
} MemdbFile;
static LockRc memdbStore(
  sqlite3 *db,
  const char *zSchema,
  sqlite3_file *pFile,
  void **pp
){
  char *zVfs = 0;
  int rc = sqlite3_file_control(db, zSchema, SQLITE_FCNTL_VFSNAME, &zVfs);
  *pp = 0;
  if( rc!=SQLITE_OK ) return LOCK_OK;
  if( zVfs==0 ) return LOCK_NOMEM;
  if( strncmp(zVfs, "memdb(", 6)==0 ){
    *pp = sqlite3_libversion_number()<3036000 ? (void*)pFile
                                              : ((MemdbFile*)pFile)->pStore;
  }
  sqlite3_free(zVfs);
  return LOCK_OK;
}

/* The name of its file, which begins with a slash, or one for its memory: what
** a memdb is, or the file object of a shared cache. */
static LockRc databaseName(sqlite3 *db, const char *zSchema, char **pz){
  const char *zDb = sqlite3_db_filename(db, zSchema);
  sqlite3_file *pFile = 0;
  void *pStore;
  LockRc eRc;
  *pz = 0;
  sqlite3_file_control(db, zSchema, SQLITE_FCNTL_FILE_POINTER, &pFile);
  eRc = memdbStore(db, zSchema, pFile, &pStore);
  if( eRc!=LOCK_OK ) return eRc;
  if( pStore==0 && zDb && zDb[0]=='/' ){
    *pz = sqlite3_mprintf("%s", zDb);
  }else{
    *pz = sqlite3_mprintf("%s:%p", pStore ? "memdb" : "cache",
                          pStore ? pStore : (void*)pFile);
  }
  return *pz ? LOCK_OK : LOCK_NOMEM;
}

static LockRc openNamed(const char *zName, int bCreate, LockFile **pp){
  return zName[0]=='/' ? lockOpen(&memory, zName, bCreate, pp)
                       : lockOpenMemory(&memory, zName, pp);
}

/* ---- places ----------------------------------------------------------- */

static Place *placeNamed(Place *pList, const char *zName){
  while( pList && strcmp(pList->zName, zName)!=0 ) pList = pList->pNext;
  return pList;
}

LockRc placeFind(
  Place **ppList,
  sqlite3 *db,
  const char *zSchema,
  Place **pp
){
  char *zName;
  LockRc eRc = databaseName(db, zSchema ? zSchema : "main", &zName);
  *pp = 0;
  if( eRc!=LOCK_OK ) return eRc;
  *pp = placeNamed(*ppList, zName);
  if( *pp==0 ){
    *pp = sqlite3_malloc64(sizeof(**pp));
    if( *pp==0 ){
      sqlite3_free(zName);
      return LOCK_NOMEM;
    }
    memset(*pp, 0, sizeof(**pp));
    (*pp)->zName = zName;
    (*pp)->pNext = *ppList;
    *ppList = *pp;
  }else{
    sqlite3_free(zName);
  }
  return LOCK_OK;
}

/* The session's levels begin anew: all that the next one takes in a
** transaction that goes on came after the savepoints that are open now. */
void placeEnd(Place *p){
  if( p->pLock ) lockSessionEnd(p->pLock);
  if( p->pFile ) lockClose(p->pFile);
  if( p->mxMark ) memset(p->aMark, 0, (size_t)p->mxMark*sizeof(u32));
  p->pLock = 0;
  p->pFile = 0;
}

LockRc placeBegin(Place *p, sqlite3 *db, const char *zSchema){
  LockRc eRc = LOCK_OK;
  if( p->pLock ) return LOCK_OK;
  osStay();
  if( waitingMoved(db, zSchema ? zSchema : "main") ) return LOCK_REPLACED;
  if( p->pFile==0 ) eRc = openNamed(p->zName, 1, &p->pFile);
  if( eRc==LOCK_OK ) eRc = lockSessionBegin(p->pFile, &p->pLock);
  if( eRc!=LOCK_OK ) placeEnd(p);
  return eRc;
}

void placeFree(Place **ppList){
  while( *ppList ){
    Place *p = *ppList;
    *ppList = p->pNext;
    placeEnd(p);
    sqlite3_free(p->aMark);
    sqlite3_free(p->zName);
    sqlite3_free(p);
  }
}

LockRc placeRefer(const Place *p, LockFile **pp){
  *pp = 0;
  if( p->pFile ){
    *pp = lockRetain(p->pFile);
    return LOCK_OK;
  }
  osStay();
  return openNamed(p->zName, 0, pp);
}

/* A lock file that was replaced can be looked at by those who have it. */
LockRc placeLook(const Place *p, LockFile **pp){
  *pp = 0;
  if( p->pFile ){
    if( lockMoved(p->pFile)==LOCK_LINKED ) return LOCK_LINKED;
  }else if( p->zName[0]=='/' ){
    osStay();
    return lockOpenLook(&memory, p->zName, pp);
  }
  return placeRefer(p, pp);
}

const char *placeFileName(const Place *p){
  return p->zName[0]=='/' ? p->zName : "";
}

/* ---- the transaction -------------------------------------------------- */

int placeMark(Place *p, int iFrom, int iTo){
  int i;
  if( iTo>=p->mxMark ){
    int n = iTo + 16;
    u32 *aNew = sqlite3_realloc64(p->aMark, (u64)n*sizeof(u32));
    if( aNew==0 ) return 0;
    memset(&aNew[p->mxMark], 0, (size_t)(n - p->mxMark)*sizeof(u32));
    p->aMark = aNew;
    p->mxMark = n;
  }
  for(i=iFrom; i<=iTo; i++) p->aMark[i] = p->pLock ? lockLevel(p->pLock) : 0;
  return 1;
}

/* A place that was made later has no marks: all of it came since. */
void placeRollbackTo(Place *p, int i){
  if( p->pLock==0 ) return;
  lockRollbackTo(p->pLock, i<0 || i>=p->mxMark ? 0 : p->aMark[i]);
}
