/* SPDX-License-Identifier: 0BSD */
/*
** File sessions. See filesession.h.
*/
#include <string.h>
#include "session/filesession.h"
#include "core/os.h"
#include "session/waiting.h"
SQLITE_EXTENSION_INIT3

#define OWN_PREFIX "own:"
#define MARK_FIRST ((i64)1<<62)

/* ---- the lock manager's allocator ------------------------------------- */

static void *allocate(size_t n){ return sqlite3_malloc64(n); }
static void release(void *p){ sqlite3_free(p); }
static const LockMem memory = { allocate, release };
const LockMem *filesessionMemory(void){ return &memory; }

/* ---- what identifies a database --------------------------------------- */

/*
** Identifies a database of the VFS "memdb" by the address of its store, which
** all connections that share the database share; *pp is NULL if no other
** connection can share it. The name of the database does not tell, since newer
** versions of SQLite hide it. Each connection has a file object of its own.
** Since SQLite 3.36 that begins with a pointer to the store; before, nothing is
** shared. A store with a mutex has a name, and can be shared by it. The VFS
** returns its own name with an address and a size. If these differ from what is
** read here, this SQLite has another layout of stores, and any store may be a
** shared one.
*/
typedef struct MemdbStore {
  sqlite3_int64 sz, szAlloc, szMax;
  unsigned char *aData;
  sqlite3_mutex *pMutex;
} MemdbStore;
typedef struct MemdbFile {
  sqlite3_file base;
  MemdbStore *pStore;
} MemdbFile;

static LockRc memdbStore(
  sqlite3 *db,
  const char *zSchema,
  sqlite3_file *pFile,
  int *pbMemdb,
  void **pp
){
  char *zVfs = 0, *zLike = 0;
  LockRc eRc = LOCK_OK;
  int rc = sqlite3_file_control(db, zSchema, SQLITE_FCNTL_VFSNAME, &zVfs);
  *pbMemdb = 0;
  *pp = 0;
  if( rc!=SQLITE_OK ) return LOCK_OK;
  if( zVfs==0 ) return LOCK_NOMEM;
  *pbMemdb = pFile && strncmp(zVfs, "memdb(", 6)==0;
  if( *pbMemdb && sqlite3_libversion_number()>=3036000 ){
    MemdbStore *pStore = ((MemdbFile*)pFile)->pStore;
    zLike = sqlite3_mprintf("memdb(%p,%lld)", (void*)pStore->aData, pStore->sz);
    if( zLike==0 ) eRc = LOCK_NOMEM;
    else if( pStore->pMutex || strcmp(zLike, zVfs)!=0 ) *pp = pStore;
  }
  sqlite3_free(zLike);
  sqlite3_free(zVfs);
  return eRc;
}

/* Whether another connection can share the cache of a schema: statements lock
** tables only in such a cache. 1 also if SQLite does not answer. temp is never
** shared. */
LockRc filesessionSharable(sqlite3 *db, const char *zSchema, int *pbShared){
  char *zSql;
  sqlite3_stmt *pStmt = 0;
  int rc, bShared = 0;
  *pbShared = 0;
  if( sqlite3_stricmp(zSchema, "temp")==0 ) return LOCK_OK;
  zSql = sqlite3_mprintf("EXPLAIN SELECT 1 FROM \"%w\".sqlite_master", zSchema);
  rc = zSql ? sqlite3_prepare_v2(db, zSql, -1, &pStmt, 0) : SQLITE_NOMEM;
  if( rc==SQLITE_OK ){
    while( (rc = sqlite3_step(pStmt))==SQLITE_ROW ){
      const char *zOp = (const char*)sqlite3_column_text(pStmt, 1);
      if( zOp==0 || strcmp(zOp, "TableLock")==0 ) bShared = 1;
    }
  }
  sqlite3_finalize(pStmt);
  sqlite3_free(zSql);
  *pbShared = bShared || rc!=SQLITE_DONE;
  if( rc==SQLITE_INTERRUPT ) return LOCK_INTERRUPTED;
  return rc==SQLITE_NOMEM ? LOCK_NOMEM : LOCK_OK;
}

/* What identifies the database of a schema: the name of its file, which begins
** with a slash; for a database in memory the address of what is shared; if
** nothing is shared, the name of the schema, since no other one leads to it. */
static LockRc databaseName(sqlite3 *db, const char *zSchema, char **pz){
  const char *zDb = sqlite3_db_filename(db, zSchema);
  sqlite3_file *pFile = 0;
  void *pStore;
  int bMemdb, bShared = 0;
  LockRc eRc;
  *pz = 0;
  sqlite3_file_control(db, zSchema, SQLITE_FCNTL_FILE_POINTER, &pFile);
  eRc = memdbStore(db, zSchema, pFile, &bMemdb, &pStore);
  if( eRc!=LOCK_OK ) return eRc;
  if( pStore ){
    *pz = sqlite3_mprintf("memdb:%p", pStore);
  }else if( !bMemdb && zDb && zDb[0]=='/' ){
    *pz = sqlite3_mprintf("%s", zDb);
  }else{
    if( !bMemdb ) eRc = filesessionSharable(db, zSchema, &bShared);
    if( eRc!=LOCK_OK ) return eRc;
    *pz = bShared ? sqlite3_mprintf("cache:%p", (void*)pFile)
                  : sqlite3_mprintf(OWN_PREFIX "%s", zSchema);
  }
  return *pz ? LOCK_OK : LOCK_NOMEM;
}

static int isFile(const char *zName){ return zName[0]=='/'; }
static int inOwnMemory(const char *zName){
  return strncmp(zName, OWN_PREFIX, sizeof(OWN_PREFIX)-1)==0;
}

static LockRc openNamed(const char *zName, int bCreate, LockFile **pp){
  return isFile(zName) ? lockOpen(&memory, zName, bCreate, pp)
       : lockOpenMemory(&memory, inOwnMemory(zName) ? 0 : zName, pp);
}

/* ---- marks ------------------------------------------------------------ */

/*
** DETACH and ATTACH can replace a database of this connection's own by another
** one, under the same name and at the same address, and SQLite has no event for
** it. So the database gets a mark that ends with it: its journal_size_limit. A
** database in memory has no journal, and the mark is larger than any journal of
** a temporary file. If SQLite does not accept it, the mark is 0, and the name
** alone identifies the database.
*/
static i64 sizeLimit(sqlite3 *db, const char *zSchema, i64 iMark){
  sqlite3_stmt *pStmt = 0;
  char *zSql = iMark
      ? sqlite3_mprintf("PRAGMA \"%w\".journal_size_limit=%lld", zSchema, iMark)
      : sqlite3_mprintf("PRAGMA \"%w\".journal_size_limit", zSchema);
  i64 iAnswer = 0;
  if( zSql && sqlite3_prepare_v2(db, zSql, -1, &pStmt, 0)==SQLITE_OK
   && sqlite3_step(pStmt)==SQLITE_ROW ){
    iAnswer = sqlite3_column_int64(pStmt, 0);
  }
  sqlite3_finalize(pStmt);
  sqlite3_free(zSql);
  return iAnswer;
}

/* main and temp cannot be detached, and need no mark. */
static void setMark(FileSession *p, sqlite3 *db){
  const char *zSchema = p->zName + sizeof(OWN_PREFIX)-1;
  i64 iMark;
  p->iMark = 0;
  if( !inOwnMemory(p->zName) || sqlite3_stricmp(zSchema, "main")==0
   || sqlite3_stricmp(zSchema, "temp")==0 ) return;
  sqlite3_randomness(sizeof(iMark), &iMark);
  iMark = (iMark & (MARK_FIRST-1)) | MARK_FIRST;
  if( sizeLimit(db, zSchema, iMark)==iMark ) p->iMark = iMark;
}

/* Whether the schema's own database still is the one that the session began
** with. */
static int hasMark(const FileSession *p, sqlite3 *db){
  i64 iAnswer;
  if( p->iMark==0 ) return 1;
  iAnswer = sizeLimit(db, p->zName + sizeof(OWN_PREFIX)-1, 0);
  return iAnswer==0 || iAnswer==p->iMark;
}

/* ---- file sessions ---------------------------------------------------- */

/* Names of schemas are compared without case. */
static int hasName(const FileSession *p, const char *zName){
  return inOwnMemory(zName) ? sqlite3_stricmp(p->zName, zName)==0
                      : strcmp(p->zName, zName)==0;
}

static FileSession *filesessionNamed(FileSession *pList, const char *zName){
  while( pList && !hasName(pList, zName) ) pList = pList->pNext;
  return pList;
}

int filesessionOf(const FileSession *p, sqlite3 *db, const char *zSchema){
  char *zName;
  int bSame;
  if( databaseName(db, zSchema, &zName)!=LOCK_OK ) return 1;
  bSame = hasName(p, zName) && hasMark(p, db);
  sqlite3_free(zName);
  return bSame;
}

LockRc filesessionFind(
  FileSession **ppList,
  sqlite3 *db,
  const char *zSchema,
  FileSession **pp
){
  char *zName;
  LockRc eRc = databaseName(db, zSchema ? zSchema : "main", &zName);
  *pp = 0;
  if( eRc!=LOCK_OK ) return eRc;
  *pp = filesessionNamed(*ppList, zName);
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
    if( !hasMark(*pp, db) ) filesessionEnd(*pp);
  }
  return LOCK_OK;
}

/* ---- tasks ------------------------------------------------------------ */

static void endTask(FileSession **pp){
  FileSession *p = *pp;
  *pp = p->pNext;
  lockSessionEnd(p->pLock);
  lockClose(p->pFile);
  sqlite3_free(p);
}

/* The name of the task lies behind its file session. */
LockRc filesessionBeginTask(
  FileSession *p,
  const LockKey *pTask,
  FileSession **pp
){
  FileSession *pNew = sqlite3_malloc64(sizeof(*pNew)+sizeof(*pTask));
  LockKey *pName;
  LockRc eRc;
  if( pNew==0 ) return LOCK_NOMEM;
  memset(pNew, 0, sizeof(*pNew));
  eRc = lockSessionBegin(p->pFile, &pNew->pLock);
  if( eRc!=LOCK_OK ){
    sqlite3_free(pNew);
    return eRc;
  }
  pName = (LockKey*)(void*)&pNew[1];
  *pName = *pTask;
  pNew->pTask = pName;
  pNew->zName = p->zName;
  pNew->pFile = lockRef(p->pFile);
  pNew->pNext = p->pTasks;
  p->pTasks = pNew;
  *pp = pNew;
  return LOCK_OK;
}

FileSession *filesessionTask(const FileSession *p, const LockKey *pTask){
  FileSession *pFs = p->pTasks;
  while( pFs && !keySame(pFs->pTask, pTask) ) pFs = pFs->pNext;
  return pFs;
}

void filesessionLeave(FileSession *p, FileSession *pTask){
  FileSession **pp = &p->pTasks;
  if( filesessionInUse(pTask) ) return;
  while( *pp!=pTask ) pp = &(*pp)->pNext;
  endTask(pp);
}

int filesessionPending(const FileSession *p){
  const FileSession *pFs;
  if( p->pLock==0 ) return 0;
  for(pFs=p->pTasks; pFs; pFs=pFs->pNext){
    if( lockPending(pFs->pLock) ) return 1;
  }
  return lockPending(p->pLock);
}

int filesessionInUse(const FileSession *p){
  const FileSession *pFs;
  if( p->pLock==0 ) return 0;
  if( lockPending(p->pLock) || lockHolding(p->pLock) ) return 1;
  for(pFs=p->pTasks; pFs; pFs=pFs->pNext){
    if( filesessionInUse(pFs) ) return 1;
  }
  return 0;
}

/* ---- ends ------------------------------------------------------------- */

/* Lock levels begin anew with the next session: what that locks while the
** transaction goes on is newer than all savepoints that are open now. */
void filesessionEnd(FileSession *p){
  while( p->pTasks ) endTask(&p->pTasks);
  if( p->pLock ) lockSessionEnd(p->pLock);
  if( p->pFile ) lockClose(p->pFile);
  if( p->mxMark ) memset(p->aMark, 0, (size_t)p->mxMark*sizeof(u32));
  p->pLock = 0;
  p->pFile = 0;
  p->iMark = 0;
}

LockRc filesessionBegin(FileSession *p, sqlite3 *db, const char *zSchema){
  LockRc eRc = LOCK_OK;
  if( p->pLock ) return LOCK_OK;
  osStay();
  if( waitingMoved(db, zSchema ? zSchema : "main") ) return LOCK_MOVED;
  if( p->pFile==0 ) eRc = openNamed(p->zName, 1, &p->pFile);
  if( eRc==LOCK_OK ) eRc = lockSessionBegin(p->pFile, &p->pLock);
  if( eRc==LOCK_OK ) setMark(p, db);
  else filesessionEnd(p);
  return eRc;
}

void filesessionFree(FileSession **ppList){
  while( *ppList ){
    FileSession *p = *ppList;
    *ppList = p->pNext;
    filesessionEnd(p);
    sqlite3_free(p->aMark);
    sqlite3_free(p->zName);
    sqlite3_free(p);
  }
}

LockRc filesessionOpen(const FileSession *p, LockFile **pp){
  *pp = 0;
  if( p->pFile ){
    *pp = lockRef(p->pFile);
    return LOCK_OK;
  }
  osStay();
  return openNamed(p->zName, 0, pp);
}

int filesessionThere(const FileSession *p){
  LockRc eRc = LOCK_OK;
  u64 iDev, iIno;
  if( p->pFile==0 && inOwnMemory(p->zName) ) return 0;
  if( p->pFile==0 && isFile(p->zName) ){
    char *z = sqlite3_mprintf("%s" LOCK_SUFFIX, p->zName);
    if( z ) eRc = osIdentify(z, &iDev, &iIno);
    sqlite3_free(z);
  }
  return eRc!=LOCK_NOFILE;
}

/* A look at a file that was replaced would show locks that no other session
** sees. */
LockRc filesessionLook(const FileSession *p, LockFile **pp){
  *pp = 0;
  if( p->pLock ){
    LockRc eRc = lockMoved(p->pLock);
    if( eRc!=LOCK_OK ) return eRc;
  }else if( isFile(p->zName) ){
    osStay();
    return lockOpenLook(&memory, p->zName, pp);
  }
  return filesessionOpen(p, pp);
}

const char *filesessionFileName(const FileSession *p){
  return isFile(p->zName) ? p->zName : "";
}

/* ---- the transaction -------------------------------------------------- */

int filesessionMark(FileSession *p, int iFrom, int iTo){
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

/* A file session without a mark is newer than the savepoint: all of its locks
** came after it. */
void filesessionRollbackTo(FileSession *p, int i){
  if( p->pLock==0 ) return;
  lockRollbackTo(p->pLock, i<0 || i>=p->mxMark ? 0 : p->aMark[i]);
}
