/* SPDX-License-Identifier: 0BSD */
/*
** The session of a connection. See session.h.
*/
#include <string.h>
#include "session.h"
#include "lockkey.h"
#include "os.h"
#include "waiting.h"
SQLITE_EXTENSION_INIT3

struct Session {
  sqlite3 *db;
  int nRef;              /* what points to it */
  void (*xEnd)(void*);
  void *pEndArg;
  u32 iPid;              /* of the process that opened the connection */
  LockFile *pFile;       /* both 0 until the first call that needs them */
  LockSession *pLock;
  TxnScope scope;
  u32 *aMark;            /* lock level where savepoint i was opened */
  int mxMark;            /* room in aMark */
  i64 msTimeout;
  Waiting eWaiting;      /* the last answer about waiting */
  const char *zBusy;     /* the schema that it was about, or NULL */
  char zLabel[LIMIT_LABEL+1];
};

/* ---- memory of the lock manager --------------------------------------- */

static void *allocate(size_t n){ return sqlite3_malloc64(n); }
static void release(void *p){ sqlite3_free(p); }
static const LockMem memory = { allocate, release };

/* ---- errors ----------------------------------------------------------- */

/* Who is in the way, in words: 'x' is held by session 7 (pid 4321). */
static const char *heldBy(Session *p, Sqlx *x, const LockKey *pKey){
  const LockTrouble *pTrouble = lockTrouble(p->pLock);
  const char *zKey = lockkeyText(x, pKey);
  if( pTrouble->iBlocker==0 ) return sqlxPrintf(x, "%s is held", zKey);
  return sqlxPrintf(x, "%s is held by session %lld (pid %u)", zKey,
      (sqlite3_int64)pTrouble->iBlocker, pTrouble->iPid);
}

/*
** SQL ERROR lock wait refused:
**
** The lock is not free, and this connection may not wait for it now: a
** transaction is open on one of its database files (by this statement, by a
** cursor that was not read to its end, by an earlier read or write in BEGIN),
** or PRAGMA locking_mode keeps SQLite's lock. To sleep now could block
** everybody else. Nothing has changed.
**
** Code: SQLITE_BUSY
** Retry: the transaction, after ROLLBACK; without BEGIN the statement, when
**   the open cursors are read to their end
** Cure: take the lock before it, as the first statement after BEGIN
*/
static void failRefused(Session *p, Sqlx *x, const LockKey *pKey){
  const char *zWhere = p->zBusy ? sqlxPrintf(x, " on %s", p->zBusy) : "";
  const char *zHeld = heldBy(p, x, pKey);
  if( p->eWaiting==WAITING_NOMEM ){
    x->rc = SQLITE_NOMEM;
  }else if( p->eWaiting==WAITING_LOCK_KEPT ){
    sqlxFail(x, SQLITE_BUSY, "lock wait refused: %s; PRAGMA locking_mode keeps"
        " SQLite's own lock%s: set it to NORMAL and use the file once before",
        zHeld, zWhere);
  }else{
    sqlxFail(x, SQLITE_BUSY, "lock wait refused: %s; this statement or an open"
        " one (a cursor not read to its end, json_each or any table in FROM,"
        " an earlier read or write) has a transaction open%s: take the lock"
        " before it", zHeld, zWhere);
  }
}

/*
** SQL ERROR lock timeout:
**
** The lock was not free within advisory_lock_timeout. It is neither held nor
** asked for any more; what the session held before it still holds.
**
** Code: SQLITE_BUSY_TIMEOUT
** Retry: the statement
** Cure: advisory_waits tells who is in the way; wait longer
*/
static void failTimeout(Session *p, Sqlx *x, const SessionRequest *pReq){
  sqlxFail(x, SQLITE_BUSY_TIMEOUT, "lock timeout: %s; waited %lld ms",
      heldBy(p, x, &pReq->key), (sqlite3_int64)pReq->msTimeout);
}

/*
** SQL ERROR deadlock detected:
**
** To wait would close a circle of sessions that wait for each other. Only
** this request failed: what the session holds still blocks the others, so
** give it back. The text names the sessions of the circle.
**
** Code: SQLITE_LOCKED
** Retry: the transaction, after ROLLBACK and giving back session locks
** Cure: take locks in one order everywhere
*/
static void failDeadlock(Session *p, Sqlx *x, const LockKey *pKey){
  const LockTrouble *pTrouble = lockTrouble(p->pLock);
  u32 n = sizeof(pTrouble->aCycle)/sizeof(pTrouble->aCycle[0]), i;
  sqlite3_str *pStr = sqlite3_str_new(x->db);
  sqlite3_str_appendf(pStr, "session %lld",
                      (sqlite3_int64)lockSessionId(p->pLock));
  if( pTrouble->nCycle<n ) n = pTrouble->nCycle;
  for(i=1; i<n; i++){
    sqlite3_str_appendf(pStr, " waits for %lld, which",
                        (sqlite3_int64)pTrouble->aCycle[i]);
  }
  if( n<pTrouble->nCycle ) sqlite3_str_appendall(pStr, " ... which");
  sqlite3_str_appendf(pStr, " waits for %lld",
                      (sqlite3_int64)lockSessionId(p->pLock));
  sqlxFail(x, SQLITE_LOCKED, "deadlock detected: wanted %s; %s",
           lockkeyText(x, pKey), sqlxText(x, pStr));
}

/*
** SQL ERROR lock table full:
**
** The lock file has no room for another session (4096) or lock (4194304).
** What is held stays held, and can be given back.
**
** Code: SQLITE_ERROR
** Retry: nothing
** Cure: hold fewer at a time: one lock on a larger thing; close connections
*/
static void failFull(Session *p, Sqlx *x){
  if( p->pLock ){
    sqlxFail(x, SQLITE_ERROR, "lock table full: %u locks are held or wanted",
             LIMIT_RECORD);
  }else{
    sqlxFail(x, SQLITE_ERROR, "lock table full: %u sessions are open",
             LIMIT_SESSION);
  }
}

/*
** SQL ERROR lock file:
**
** The lock file cannot be used, and the text says why: its name and what is
** wrong with it. `lock file: busy:` names the process that is stopped in the
** middle of a change. After `replaced` this session's locks are not worth
** anything any more: call interlock_reset(), or open a new connection, and
** begin again. After `malformed` nobody's are. After `no space` what is held
** stays held.
**
** Code: SQLITE_ERROR; SQLITE_CANTOPEN if it cannot be opened or written;
**   SQLITE_BUSY for `lock file: busy:`
** Retry: the statement after `busy` and `no space`, otherwise nothing
** Cure: in [OPERATIONS.md](OPERATIONS.md); the file may be deleted when nobody
**   has the database open
*/
static void failFile(Session *p, Sqlx *x, LockRc eRc){
  const char *zDb = sqlite3_db_filename(p->db, "main");
  const char *zWhy;
  int rc = SQLITE_ERROR;
  switch( eRc ){
    case LOCK_NOSPACE:   zWhy = "no space on its disk";                  break;
    case LOCK_MALFORMED: zWhy = "malformed; delete it when nobody has the"
                                " database open";                    break;
    case LOCK_FORMAT:    zWhy = "in use by another version of Interlock, with"
                                " another format";                       break;
    case LOCK_REPLACED:  zWhy = "replaced under us (it, or the database, was"
                                " moved or deleted)";                break;
    case LOCK_NETWORK:   zWhy = "on a network file system; allowed is a local"
                                " one";                                  break;
    case LOCK_CANTOPEN:  zWhy = "cannot be opened for writing as a plain file"
                                " with one name";
                         rc = SQLITE_CANTOPEN;                           break;
    default:             zWhy = "the operating system failed";           break;
  }
  sqlxFail(x, rc, "lock file: %s-interlock: %s", zDb ? zDb : "", zWhy);
}

static void failBusy(Session *p, Sqlx *x){
  LockTrouble trouble = { 0 };
  if( p->pFile ) lockInside(p->pFile, &trouble);
  if( trouble.iBlocker ){
    sqlxFail(x, SQLITE_BUSY, "lock file: busy: session %lld (pid %u) is stopped"
        " inside it", (sqlite3_int64)trouble.iBlocker, trouble.iPid);
  }else{
    sqlxFail(x, SQLITE_BUSY, "lock file: busy: a process is stopped inside it");
  }
}

/*
** SQL ERROR forked connection:
**
** The connection was opened before fork(), and this is the child. It holds
** no locks and can take none; those of the parent are not touched.
**
** Code: SQLITE_ERROR
** Retry: nothing
** Cure: open a connection of its own in the child, as SQLite itself asks for
*/

/*
** SQL ERROR lock wait cancelled:
**
** Another session called advisory_cancel, or sqlite3_interrupt was called,
** while this one waited. The lock is neither held nor asked for any more.
**
** Code: SQLITE_INTERRUPT
** Retry: the statement, if it is still wanted
** Cure: none needed
*/
static void failLock(Session *p, Sqlx *x, LockRc eRc){
  switch( eRc ){
    case LOCK_OK:
    case LOCK_NO:
    case LOCK_NOFILE:
      break;
    case LOCK_NOMEM:
      if( x->rc==SQLITE_OK ) x->rc = SQLITE_NOMEM;
      break;
    case LOCK_BUSY:
      failBusy(p, x);
      break;
    case LOCK_FULL:
      failFull(p, x);
      break;
    case LOCK_FORKED:
      sqlxFail(x, SQLITE_ERROR, "forked connection: it belongs to the parent"
          " process; open one in the child");
      break;
    case LOCK_CANCELLED:
      sqlxFail(x, SQLITE_INTERRUPT, "lock wait cancelled: by another session");
      break;
    case LOCK_INTERRUPTED:
      sqlxFail(x, SQLITE_INTERRUPT, "lock wait cancelled: interrupted");
      break;
    default:
      failFile(p, x, eRc);
      break;
  }
}

/* ---- the transaction -------------------------------------------------- */

static int onMark(void *pArg, int iFrom, int iTo){
  Session *p = (Session*)pArg;
  int i;
  if( iTo>=p->mxMark ){
    int n = iTo + 16;
    u32 *aNew = sqlite3_realloc64(p->aMark, (u64)n*sizeof(u32));
    if( aNew==0 ) return SQLITE_NOMEM;
    p->aMark = aNew;
    p->mxMark = n;
  }
  for(i=iFrom; i<=iTo; i++) p->aMark[i] = p->pLock ? lockLevel(p->pLock) : 0;
  return SQLITE_OK;
}

static void onRollbackTo(void *pArg, int i){
  Session *p = (Session*)pArg;
  if( p->pLock ) lockRollbackTo(p->pLock, i<0 ? 0 : p->aMark[i]);
}

static void onEnd(void *pArg){
  Session *p = (Session*)pArg;
  if( p->pLock ) lockTxnEnd(p->pLock);
}

static const TxnEvents events = {
  onMark, onRollbackTo, onEnd, sessionRetain, sessionRelease
};

static void enlist(Session *p, Sqlx *x, const SessionRequest *pReq){
  if( pReq->eScope==LOCK_SCOPE_SESSION ) return;
  if( sqlite3_get_autocommit(p->db) ){
    sqlxFail(x, SQLITE_ERROR, "no transaction: %s needs BEGIN", pReq->zName);
  }else{
    txnscopeEnlist(&p->scope, x, pReq->zName);
  }
}

/* ---- opening ---------------------------------------------------------- */

/*
** What a database of the VFS "memdb" is, so that the connections which share
** one agree: 0 if main is none. Its name does not tell, newer versions of
** SQLite hide it. Connections have a file object each; since 3.36 the first
** thing in it is a pointer to what they share, and before they share nothing.
** The VFS adds an address and a size to its name.
*/
typedef struct MemdbFile {
  sqlite3_file base;
  void *pStore;
} MemdbFile;
static LockRc memdbStore(sqlite3 *db, sqlite3_file *pFile, void **pp){
  char *zVfs = 0;
  int rc = sqlite3_file_control(db, "main", SQLITE_FCNTL_VFSNAME, &zVfs);
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

/*
** The lock file of main. A database that is no file of its own has private
** memory in its place: connections that share the database share it, by what
** a memdb is, or by the file object of a shared cache.
*/
static LockRc openLockFile(sqlite3 *db, int bCreate, LockFile **pp){
  const char *zDb = sqlite3_db_filename(db, "main");
  sqlite3_file *pFile = 0;
  void *pStore;
  LockRc eRc;
  char *z;
  sqlite3_file_control(db, "main", SQLITE_FCNTL_FILE_POINTER, &pFile);
  eRc = memdbStore(db, pFile, &pStore);
  if( eRc!=LOCK_OK ) return eRc;
  if( pStore==0 && zDb && zDb[0]=='/' ){
    return lockOpen(&memory, zDb, bCreate, pp);
  }
  z = sqlite3_mprintf("%s:%p", pStore ? "memdb" : "cache",
                      pStore ? pStore : (void*)pFile);
  if( z==0 ) return LOCK_NOMEM;
  eRc = lockOpenMemory(&memory, z, pp);
  sqlite3_free(z);
  return eRc;
}

static void dropSession(Session *p){
  if( p->pLock ) lockSessionEnd(p->pLock);
  if( p->pFile ) lockClose(p->pFile);
  p->pLock = 0;
  p->pFile = 0;
}

/* The lock file without a session, if there is one. A reference of its own:
** the session may be reset before that is closed. */
static LockRc refer(Session *p, LockFile **pp){
  *pp = 0;
  if( p->pFile ){
    *pp = lockRetain(p->pFile);
    return LOCK_OK;
  }
  osStay();
  return osPid()==p->iPid ? openLockFile(p->db, 0, pp) : LOCK_FORKED;
}

/* 1 if there is a session now. */
static int beginSession(Session *p, Sqlx *x){
  LockRc eRc;
  if( x->rc!=SQLITE_OK ) return 0;
  if( p->pLock ) return 1;
  osStay();
  if( osPid()!=p->iPid ){
    eRc = LOCK_FORKED;
  }else if( waitingMoved(p->db) ){
    eRc = LOCK_REPLACED;
  }else{
    eRc = openLockFile(p->db, 1, &p->pFile);
  }
  if( eRc==LOCK_OK ) eRc = lockSessionBegin(p->pFile, &p->pLock);
  if( eRc==LOCK_OK ){
    if( p->zLabel[0] ) lockSessionLabel(p->pLock, p->zLabel);
  }else{
    failLock(p, x, eRc);
    dropSession(p);
  }
  return p->pLock!=0;
}

/* ---- locks ------------------------------------------------------------ */

static int mayWait(void *pArg){
  Session *p = (Session*)pArg;
  p->eWaiting = waitingAllowed(p->db, &p->zBusy);
  return p->eWaiting==WAITING_ALLOWED;
}

static LockRc pollWait(void *pArg){
  Session *p = (Session*)pArg;
  if( waitingInterrupted(p->db) ) return LOCK_INTERRUPTED;
  return waitingMoved(p->db) ? LOCK_REPLACED : LOCK_OK;
}

int sessionLock(Session *p, Sqlx *x, const SessionRequest *pReq){
  LockWait wait;
  LockRc eRc;
  txnscopeCatchUp(&p->scope);
  enlist(p, x, pReq);
  if( !beginSession(p, x) ) return 0;
  wait.msTimeout = pReq->msTimeout;
  wait.xMayWait = mayWait;
  wait.xPoll = pollWait;
  wait.pArg = p;
  eRc = lockAcquire(p->pLock, &pReq->key, pReq->eMode, pReq->eScope,
                    pReq->bTry ? 0 : &wait);
  switch( eRc ){
    case LOCK_REFUSED:  failRefused(p, x, &pReq->key);  break;
    case LOCK_TIMEOUT:  failTimeout(p, x, pReq);        break;
    case LOCK_DEADLOCK: failDeadlock(p, x, &pReq->key); break;
    default:            failLock(p, x, eRc);            break;
  }
  return eRc==LOCK_OK;
}

int sessionUnlock(Session *p, Sqlx *x, const LockKey *pKey, u32 eMode){
  LockRc eRc;
  txnscopeCatchUp(&p->scope);
  if( x->rc!=SQLITE_OK || p->pLock==0 ) return 0;
  eRc = lockRelease(p->pLock, pKey, eMode);
  failLock(p, x, eRc);
  return eRc==LOCK_OK;
}

i64 sessionUnlockAll(Session *p, Sqlx *x, u32 mKind){
  u64 n = 0;
  txnscopeCatchUp(&p->scope);
  if( x->rc!=SQLITE_OK || p->pLock==0 ) return 0;
  failLock(p, x, lockReleaseAll(p->pLock, mKind, ~0u, &n));
  return (i64)n;
}

i64 sessionGrantToken(const Session *p){
  return (i64)lockGrantToken(p->pLock);
}

i64 sessionToken(Session *p, Sqlx *x, const LockKey *pKey){
  u64 iToken = 0;
  txnscopeCatchUp(&p->scope);
  if( x->rc!=SQLITE_OK || p->pLock==0 ) return 0;
  failLock(p, x, lockToken(p->pLock, pKey, &iToken));
  return (i64)iToken;
}

i64 sessionHolder(Session *p, Sqlx *x, const LockKey *pKey){
  LockRc eRc;
  txnscopeCatchUp(&p->scope);
  if( !beginSession(p, x) ) return 0;
  eRc = lockGuard(p->pLock, pKey, LOCK_EXCLUSIVE);
  failLock(p, x, eRc);
  return eRc==LOCK_NO ? (i64)lockTrouble(p->pLock)->iBlocker : 0;
}

int sessionCancel(Session *p, Sqlx *x, i64 iId){
  LockFile *pFile = 0;
  LockRc eRc;
  if( x->rc!=SQLITE_OK ) return 0;
  eRc = refer(p, &pFile);
  if( eRc==LOCK_OK ) eRc = lockCancel(pFile, (u64)iId);
  failLock(p, x, eRc);
  lockClose(pFile);
  return eRc==LOCK_OK;
}

/* ---- settings --------------------------------------------------------- */

i64 sessionId(Session *p, Sqlx *x){
  if( p->pLock && osPid()!=p->iPid ) failLock(p, x, LOCK_FORKED);
  return beginSession(p, x) ? (i64)lockSessionId(p->pLock) : 0;
}

i64 sessionTimeout(const Session *p){ return p->msTimeout; }
void sessionSetTimeout(Session *p, i64 ms){ p->msTimeout = ms; }

const char *sessionLabel(const Session *p){ return p->zLabel; }

/* Cut between characters if it is too long. */
void sessionSetLabel(Session *p, const char *zLabel){
  size_t n = strlen(zLabel);
  if( n>LIMIT_LABEL ){
    for(n=LIMIT_LABEL; n>0 && (zLabel[n] & 0xC0)==0x80; n--){}
  }
  memmove(p->zLabel, zLabel, n);
  p->zLabel[n] = 0;
  if( p->pLock ) lockSessionLabel(p->pLock, p->zLabel);
}

i64 sessionReset(Session *p){
  u64 n = 0;
  /* A session that cannot be used any more, of a fork's child, of a replaced
  ** or malformed file, has nothing to give back. */
  if( p->pLock && lockReleaseAll(p->pLock, ~0u, ~0u, &n)!=LOCK_OK ) n = 0;
  dropSession(p);
  /* The next session's levels begin anew: all that it takes in a transaction
  ** that goes on came after the savepoints that are open now. */
  if( p->mxMark ) memset(p->aMark, 0, (size_t)p->mxMark*sizeof(u32));
  p->msTimeout = -1;
  p->zLabel[0] = 0;
  return (i64)n;
}

/* ---- looking ---------------------------------------------------------- */

int sessionLook(Session *p, Sqlx *x, SessionLook *pLook){
  LockRc eRc;
  memset(pLook, 0, sizeof(*pLook));
  txnscopeCatchUp(&p->scope);
  if( x->rc!=SQLITE_OK ) return 0;
  eRc = refer(p, &pLook->pFile);
  if( eRc==LOCK_OK ) eRc = lockSnapshot(pLook->pFile, &pLook->snapshot);
  if( eRc!=LOCK_OK ) sessionLookEnd(pLook);
  failLock(p, x, eRc);
  return eRc==LOCK_OK;
}

void sessionLookEnd(SessionLook *pLook){
  if( pLook->pFile==0 ) return;
  lockSnapshotFree(pLook->pFile, &pLook->snapshot);
  lockClose(pLook->pFile);
  pLook->pFile = 0;
}

/* ---- the connection --------------------------------------------------- */

Session *sessionNew(sqlite3 *db, void (*xEnd)(void*), void *pArg){
  Session *p = sqlite3_malloc64(sizeof(*p));
  if( p==0 ) return 0;
  memset(p, 0, sizeof(*p));
  p->db = db;
  p->nRef = 1;
  p->xEnd = xEnd;
  p->pEndArg = pArg;
  p->iPid = osPid();
  p->msTimeout = -1;
  txnscopeInit(&p->scope, db, &events, p);
  return p;
}

void sessionRetain(void *pSession){ ((Session*)pSession)->nRef++; }

void sessionRelease(void *pSession){
  Session *p = (Session*)pSession;
  if( --p->nRef>0 ) return;
  dropSession(p);
  p->xEnd(p->pEndArg);
  sqlite3_free(p->aMark);
  sqlite3_free(p);
}

TxnScope *sessionScope(Session *p){ return &p->scope; }
