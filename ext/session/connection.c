/* SPDX-License-Identifier: 0BSD */
/*
** A connection and its locks. See connection.h.
*/
#include <stdlib.h>
#include <string.h>
#include "session/connection.h"
#include "session/lockerror.h"
#include "session/lockkey.h"
#include "core/os.h"
#include "core/watch.h"
#include "session/snapshot.h"
#include "session/writeend.h"
SQLITE_EXTENSION_INIT3

struct Connection {
  sqlite3 *db;
  int nRef;              /* references: functions, modules, tables */
  void (*xEnd)(void*);
  void *pEndArg;
  u32 iPid;              /* of the process that opened the connection */
  FileSession *pFileSessions;  /* one for each lock file that was needed */
  FileSession *pMain;    /* the one of main; NULL until the first call */
  TxnScope scope;
  KnownTables known;     /* tables that calls have named */
  JsonKept arrays;       /* for connectionArrays() */
  Direct direct;         /* for connectionDirect() */
  WriteEnd *pTurn;       /* of a turn that was taken before its transaction:
                         ** waits for the end of that; NULL: there is none */
  i64 iToken;            /* fencing token of the last grant */
  int bNotified;         /* the open transaction has notified a channel */
  int nSearch;           /* searches for rows that have not ended */
  u32 nEnd;              /* transactions whose end was an event */
  u32 nBack;             /* savepoints whose rollback was one */
  LockWatch *pWatch;     /* watches its requests; NULL: none was asked for */
  void *pGuards;         /* what the guards of this connection know */
  const ConnectionGuards *pGuardEvents;
  i64 msTimeout;         /* how long a lock function waits; -1: no limit */
  char zLabel[LIMIT_LABEL+1];
};

/* Rows and tables, as bits. */
#define KINDS_OF_TABLES (1u<<KEY_ROW | 1u<<KEY_TABLE)

/* ---- file sessions ---------------------------------------------------- */

static void failSession(Sqlx *x, LockRc eRc, const FileSession *pFs){
  LockFailure failure = { 0, 0, 0, WAITING_ALLOWED, 0, 0 };
  failure.pFs = pFs;
  lockerrorSet(x, eRc, &failure);
}

static int isMain(const char *zSchema){
  return zSchema==0 || sqlite3_stricmp(zSchema, "main")==0;
}

/* Whether the database of a file session is attached; 1 also with an error. */
static int isAttached(Sqlx *x, const FileSession *pFs){
  const char **az = sqlxSchemas(x);
  int bMemory = filesessionFileName(pFs)[0]==0, i;
  for(i=0; az && az[i]; i++){
    const char *zDb;
    if( bMemory ){
      if( filesessionOf(pFs, x->db, az[i]) ) return 1;
      continue;
    }
    zDb = sqlite3_db_filename(x->db, az[i]);
    if( zDb && strcmp(zDb, pFs->zName)==0 ) return 1;
  }
  return x->rc!=SQLITE_OK;
}

/* Ends the file sessions of databases that were detached, so that a program can
** attach one file after the other. A session that holds a lock in a file stays.
** A database in memory is gone for this connection, so its session ends with
** all locks. bMemory: only databases in memory. */
static void leaveDetached(Connection *p, Sqlx *x, int bMemory){
  FileSession *pFs;
  for(pFs=p->pFileSessions; pFs; pFs=pFs->pNext){
    int bFile = filesessionFileName(pFs)[0]!=0;
    if( pFs==p->pMain || pFs->pLock==0 || (bMemory && bFile)
     || lockWriting(pFs->pLock) || isAttached(x, pFs)
     || (bFile && filesessionInUse(pFs)) ) continue;
    filesessionEnd(pFs);
  }
}

/* sqlite3_deserialize() replaces main's file by another database. Without a
** name SQLite takes main and compares no names, 100 instructions in each
** call. */
static int isStillMain(const Connection *p){
  const char *zFile = filesessionFileName(p->pMain);
  const char *zDb = zFile[0] ? sqlite3_db_filename(p->db, 0) : zFile;
  return zDb && strcmp(zDb, zFile)==0;
}

/* The file session of a schema, begun or not; NULL with an error. */
static FileSession *findSession(Connection *p, Sqlx *x, const char *zSchema){
  FileSession *pFs = 0;
  LockRc eRc;
  if( x->rc!=SQLITE_OK ) return 0;
  leaveDetached(p, x, 1);
  if( isMain(zSchema) && p->pMain && isStillMain(p) ) return p->pMain;
  /* A statement can name a database that was detached while it was running. */
  if( !isMain(zSchema) && sqlite3_db_filename(p->db, zSchema)==0 ){
    sqlxBad(x, "there is no schema %Q; allowed are main and attached ones",
            zSchema);
    return 0;
  }
  eRc = filesessionFind(&p->pFileSessions, p->db, zSchema, &pFs);
  failSession(x, eRc, 0);
  if( isMain(zSchema) ) p->pMain = pFs;
  return pFs;
}

/* Whether the files of an attached database have others in their places, and
** this connection has nothing there: the database can be detached, deleted,
** made anew and attached again. */
static int isLost(const FileSession *pFs){
  return pFs->pLock && !filesessionInUse(pFs) && !lockWriting(pFs->pLock)
      && lockMoved(pFs->pLock)!=LOCK_OK;
}

FileSession *connectionFile(Connection *p, Sqlx *x, const char *zSchema){
  FileSession *pFs = findSession(p, x, zSchema);
  LockRc eRc;
  assert( sqlxHeld(x->db) );
  if( pFs && pFs!=p->pMain && isLost(pFs) ) filesessionEnd(pFs);
  if( pFs==0 || pFs->pLock ) return pFs;
  if( pFs!=p->pMain ) leaveDetached(p, x, 0);
  eRc = osPid()==p->iPid ? filesessionBegin(pFs, p->db, zSchema) : LOCK_FORKED;
  failSession(x, eRc, pFs);
  if( eRc!=LOCK_OK ) return 0;
  if( p->zLabel[0] ) lockSessionLabel(pFs->pLock, p->zLabel);
  return pFs;
}

/* The label of a task tells whose it is. */
static const char *taskLabel(Sqlx *x, const char *zLabel,
                             const LockKey *pTask){
  return sqlxPrintf(x, "%s%stask %s", zLabel, zLabel[0] ? " " : "",
                    lockkeyText(x, pTask));
}

/* The file session of a task in main's lock file. Without bBegin NULL if there
** is none; NULL with an error. */
static FileSession *taskFile(Connection *p, Sqlx *x, const LockKey *pTask,
                             int bBegin){
  FileSession *pOwn = bBegin ? connectionFile(p, x, 0) : findSession(p, x, 0);
  FileSession *pFs;
  if( pOwn==0 || pOwn->pLock==0 ) return 0;
  pFs = filesessionTask(pOwn, pTask);
  if( pFs==0 && bBegin ){
    const char *z = taskLabel(x, p->zLabel, pTask);
    if( x->rc!=SQLITE_OK ) return 0;
    failSession(x, filesessionBeginTask(pOwn, pTask, &pFs), pOwn);
    if( pFs ) lockSessionLabel(pFs->pLock, z);
  }
  return pFs;
}

/* The file session that makes a request, begun. */
static FileSession *askingFile(Connection *p, Sqlx *x,
                               const ConnectionRequest *pReq){
  if( pReq->pTask ) return taskFile(p, x, pReq->pTask, 1);
  return connectionFile(p, x, pReq->zSchema);
}

/* A task that holds nothing any more ends. */
static inline void leaveTask(Connection *p, FileSession *pFs){
  if( pFs->pTask ) filesessionLeave(p->pMain, pFs);
}

/* ---- the transaction -------------------------------------------------- */

static int onMark(void *pArg, int iFrom, int iTo){
  Connection *p = (Connection*)pArg;
  FileSession *pFs;
  for(pFs=p->pFileSessions; pFs; pFs=pFs->pNext){
    if( !filesessionMark(pFs, iFrom, iTo) ) return SQLITE_NOMEM;
  }
  return SQLITE_OK;
}

static void onRollbackTo(void *pArg, int i){
  Connection *p = (Connection*)pArg;
  FileSession *pFs;
  p->nBack++;
  for(pFs=p->pFileSessions; pFs; pFs=pFs->pNext){
    filesessionRollbackTo(pFs, i);
  }
}

static void onEnd(void *pArg, int bUndone){
  Connection *p = (Connection*)pArg;
  FileSession *pFs;
  writeendCancel(&p->pTurn);
  p->nEnd++;
  p->bNotified = 0;
  for(pFs=p->pFileSessions; pFs; pFs=pFs->pNext){
    if( pFs->pLock==0 ) continue;
    if( bUndone ) lockTxnRollback(pFs->pLock);
    else lockTxnEnd(pFs->pLock);
  }
}

static int onCommit(void *pConn, char **pzError){
  Connection *p = (Connection*)pConn;
  Sqlx x;
  int rc;
  if( p->pGuards==0 ) return SQLITE_OK;
  sqlxBegin(&x, p->db);
  p->pGuardEvents->xCommit(p->pGuards, p, &x);
  rc = x.rc;
  if( rc!=SQLITE_OK ) *pzError = sqlite3_mprintf("%s", sqlxErrorText(&x));
  sqlxEnd(&x);
  return rc;
}

static void onClosing(void *pArg){
  Connection *p = (Connection*)pArg;
  knowntableForget(&p->known);
  jsonarrayForget(&p->arrays);
  directForget(&p->direct);
  if( p->pGuards ) p->pGuardEvents->xClosing(p->pGuards);
}

static const TxnEvents events = {
  onMark, onRollbackTo, onCommit, onEnd, onClosing,
  connectionRetain, connectionRelease
};

/* The transaction of a turn that was taken before it has ended. An enlisted
** transaction has its own event for that, which comes after all files. */
static void onTurnEnd(void *pArg){
  Connection *p = (Connection*)pArg;
  if( txnscopeFollows(&p->scope) ) return;
  if( p->pMain && p->pMain->pLock ) lockTxnEnd(p->pMain->pLock);
}

/* Whether the request is for a turn of the next transaction. */
static int isTurnAhead(const ConnectionRequest *pReq, sqlite3 *db){
  return pReq->eScope==LOCK_SCOPE_TURN && sqlite3_get_autocommit(db);
}

/* Sets an error if SQLite will not unlock the file at the end of the next
** transaction. No event would tell of that end. */
static void requireUnlock(Sqlx *x, const ConnectionRequest *pReq){
  switch( waitingKeepsLock(x->db, "main") ){
    case WAITING_ALLOWED:
      break;
    case WAITING_NOMEM:
      x->rc = SQLITE_NOMEM;
      break;
    case WAITING_INTERRUPTED:
      failSession(x, LOCK_INTERRUPTED, 0);
      break;
    case WAITING_LOCK_KEPT:
      sqlxFail(x, SQLITE_ERROR, "no transaction: %s needs BEGIN, since PRAGMA"
          " locking_mode keeps SQLite's lock", pReq->zName);
      break;
    default:
      sqlxFail(x, SQLITE_ERROR, "no transaction: %s needs BEGIN, since SQLite"
          " does not say whether PRAGMA locking_mode keeps its lock: if the"
          " program has an authorizer, it must allow that pragma", pReq->zName);
  }
}

/* Waits for the end of the next transaction if the request needs that. Returns
** 1 if this call has begun to wait. */
static int awaitTurnEnd(Connection *p, Sqlx *x, const ConnectionRequest *pReq){
  LockRc eRc;
  if( x->rc!=SQLITE_OK || p->pTurn || !isTurnAhead(pReq, x->db) ) return 0;
  /* The connection must know the schema before it can tell a shared cache. */
  sqlite3_finalize(sqlxPrepare(x, "SELECT 1 FROM main.sqlite_master"));
  if( x->rc!=SQLITE_OK ) return 0;
  eRc = writeendAwait(&p->pTurn, p->db, onTurnEnd, p);
  if( eRc==LOCK_NO ){
    sqlxFail(x, SQLITE_ERROR, "no transaction: %s needs BEGIN, since the"
        " database has no file or is in a shared cache", pReq->zName);
  }
  failSession(x, eRc, 0);
  if( eRc==LOCK_OK ) requireUnlock(x, pReq);
  if( x->rc!=SQLITE_OK ) writeendCancel(&p->pTurn);
  return x->rc==SQLITE_OK;
}

/* Sets an error if the request needs BEGIN. */
static void requireTransaction(Sqlx *x, const ConnectionRequest *pReq){
  if( pReq->eScope!=LOCK_SCOPE_SESSION && !isTurnAhead(pReq, x->db)
   && sqlite3_get_autocommit(x->db) ){
    sqlxFail(x, SQLITE_ERROR, "no transaction: %s needs BEGIN", pReq->zName);
  }
}

static void enlist(Connection *p, Sqlx *x, const ConnectionRequest *pReq){
  requireTransaction(x, pReq);
  if( pReq->eScope==LOCK_SCOPE_TRANSACTION ){
    txnscopeEnlist(&p->scope, x, pReq->zName);
  }
}

/* ---- locks ------------------------------------------------------------ */

/* Sets an error if the request is for a row or table of which the connection
** can have read an older version. */
static void requireNewest(Sqlx *x, const ConnectionRequest *pReq){
  u32 eKind = pReq->key.eKind;
  if( eKind!=KEY_ROW && eKind!=KEY_TABLE ) return;
  snapshotAllows(x, pReq->zSchema ? pReq->zSchema : "main", pReq->zName);
}

/* A request that is being made. */
typedef struct Wanted {
  Connection *pConn;
  Sqlx *x;
  FileSession *pFs;
  const ConnectionRequest *pReq;
  LockFailure failure;
  int bWaited;           /* the request was not granted immediately */
  LockGrant intent;      /* on the table, of the last row that was granted */
  sqlite3_stmt *pLook;   /* for waitingInterrupted() */
} Wanted;

/* The name of another file in which this connection holds or requests a lock;
** "" for memory, NULL if there is none. */
static const char *heldElsewhere(const Connection *p, const FileSession *pHere){
  FileSession *pFs;
  for(pFs=p->pFileSessions; pFs; pFs=pFs->pNext){
    if( pFs->pFile!=pHere->pFile && filesessionInUse(pFs) ){
      return filesessionFileName(pFs);
    }
  }
  return 0;
}

/* Whether another task of this connection, or the connection itself, holds or
** requests a lock in this file: it could not go on during a wait. */
static int taskInUse(const FileSession *pOwn, const FileSession *pHere){
  const FileSession *pFs;
  if( pHere!=pOwn && (lockPending(pOwn->pLock) || lockHolding(pOwn->pLock)) ){
    return 1;
  }
  for(pFs=pOwn->pTasks; pFs; pFs=pFs->pNext){
    if( pFs!=pHere && filesessionInUse(pFs) ) return 1;
  }
  return 0;
}

/* The connection's own file session in the file of another one. */
static FileSession *ownFile(const Connection *p, FileSession *pFs){
  return pFs->pTask ? p->pMain : pFs;
}

/* xMayWait of LockWait: whether the request may wait, or be queued; if not,
** w->failure says why. */
static int mayAsk(void *pArg){
  Wanted *w = (Wanted*)pArg;
  LockFailure *f = &w->failure;
  w->bWaited = 1;
  f->eWaiting = waitingAllowed(w->x, &f->zBusy);
  if( f->eWaiting==WAITING_ALLOWED ){
    f->zBusy = heldElsewhere(w->pConn, w->pFs);
    if( f->zBusy ) f->eWaiting = WAITING_OTHER_FILE;
  }
  return f->eWaiting==WAITING_ALLOWED;
}
static int mayWait(void *pArg){
  Wanted *w = (Wanted*)pArg;
  if( !mayAsk(pArg) ) return 0;
  if( taskInUse(ownFile(w->pConn, w->pFs), w->pFs) ){
    w->failure.eWaiting = WAITING_OTHER_TASK;
    return 0;
  }
  if( w->failure.msTimeout!=0 ) waitingPrepare(w->pConn->db, &w->pLook);
  return 1;
}

/* xPoll of LockWait: whether the wait must end. */
static LockRc pollWait(void *pArg){
  Wanted *w = (Wanted*)pArg;
  const char *zSchema = w->pReq->zSchema ? w->pReq->zSchema : "main";
  if( waitingInterrupted(w->pConn->db, &w->pLook) ) return LOCK_INTERRUPTED;
  return waitingMoved(w->pConn->db, zSchema) ? LOCK_MOVED : LOCK_OK;
}

/* Acquires one lock of a request. */
static LockRc acquire(Wanted *w, const LockKey *pKey, u32 eMode){
  const ConnectionRequest *pReq = w->pReq;
  LockWait wait;
  wait.msTimeout = w->failure.msTimeout;
  wait.xMayWait = mayWait;
  wait.xPoll = pollWait;
  wait.pArg = w;
  w->failure.pKey = pKey;
  return lockAcquire(w->pFs->pLock, pKey, eMode, pReq->eScope,
                     pReq->bTry ? 0 : &wait);
}

u32 connectionIntent(u32 eMode){
  return eMode==LOCK_SHARED ? LOCK_INTENT_SHARED : LOCK_INTENT_EXCLUSIVE;
}

/* Acquires the intention on the table, then the row; both or none. The timeout
** limits both waits together. An interrupt can come after the first wait: then
** a row that was free must be confirmed as well. */
static LockRc acquireRow(Wanted *w){
  const ConnectionRequest *pReq = w->pReq;
  LockSession *pLock = w->pFs->pLock;
  u32 eIntent = connectionIntent(pReq->eMode);
  u64 usBegin = osMonotonicUs();
  LockRc eRc = acquire(w, pReq->pTable, eIntent);
  int bWaited = w->bWaited;
  w->intent = lockGranted(pLock);
  if( eRc!=LOCK_OK ) return eRc;
  w->bWaited = 0;
  if( w->failure.msTimeout>0 ){
    i64 ms = (i64)(osMonotonicUs() - usBegin)/1000;
    w->failure.msTimeout -= ms<w->failure.msTimeout ? ms
                                                    : w->failure.msTimeout;
  }
  eRc = acquire(w, &pReq->key, pReq->eMode);
  w->failure.msTimeout = pReq->msTimeout;
  if( eRc==LOCK_OK && bWaited && !w->bWaited ){
    eRc = lockConfirm(pLock, pollWait(w));
  }
  if( eRc!=LOCK_OK ) lockUndo(pLock, &w->intent);
  return eRc;
}

/* Takes SQLite's write lock, which comes with the turn. If a writer without a
** turn has that lock, only the connection's busy handler can wait for it. If it
** is not granted, the turn is released, also one that was taken before BEGIN.
** Of a try that is no error. An interrupt then ends the wait for the turn,
** whose lock is not held, unless SQLite has rolled the transaction back. */
static int takeWrite(Sqlx *x, const Wanted *w){
  Connection *p = w->pConn;
  LockSession *pLock = w->pFs->pLock;
  LockGrant turn = lockGranted(pLock);
  txnscopeWrite(&p->scope, x, w->pReq->zName, !w->pReq->bTry);
  if( x->rc==SQLITE_OK ) return 1;
  if( p->pTurn ){
    writeendCancel(&p->pTurn);
    turn.eScope = LOCK_SCOPE_TURN;
  }
  lockUndo(pLock, &turn);
  if( w->pReq->bTry && ((x->rc & 0xff)==SQLITE_BUSY
                     || (x->rc & 0xff)==SQLITE_LOCKED) ) sqlxClear(x);
  if( x->rc==SQLITE_INTERRUPT && !w->pReq->bTry && !sqlxRolledBack(x) ){
    sqlxClear(x);
    failSession(x, LOCK_INTERRUPTED, w->pFs);
  }
  return 0;
}

/* Begins a request, with the file session that it needs; 0 with an error. While
** the connection has a request in the queue of one file, it must not be granted
** a lock in another one: that would be an edge that no process sees. */
static int beginWanted(Wanted *w, Connection *p, Sqlx *x,
                       const ConnectionRequest *pReq){
  FileSession *pFs;
  w->pConn = p;
  w->x = x;
  w->pReq = pReq;
  w->bWaited = 0;
  w->pLook = 0;
  w->pFs = askingFile(p, x, pReq);
  if( w->pFs==0 ) return 0;
  w->failure.pFs = w->pFs;
  w->failure.pKey = &pReq->key;
  w->failure.msTimeout = pReq->msTimeout;
  w->failure.eWaiting = WAITING_ALLOWED;
  w->failure.zBusy = 0;
  w->failure.zHeld = 0;
  if( p->pFileSessions->pNext==0 ) return 1;
  for(pFs=p->pFileSessions; pFs; pFs=pFs->pNext){
    if( pFs->pFile!=w->pFs->pFile && filesessionPending(pFs) ){
      lockerrorSet(x, LOCK_PENDING, &w->failure);
      return 0;
    }
  }
  return 1;
}

/* A request that waits. */
static int request(Connection *p, Sqlx *x, const ConnectionRequest *pReq){
  Wanted w;
  LockRc eRc;
  if( !beginWanted(&w, p, x, pReq) ) return 0;
  eRc = pReq->pTable ? acquireRow(&w) : acquire(&w, &pReq->key, pReq->eMode);
  sqlite3_finalize(w.pLook);
  lockerrorSet(x, eRc, &w.failure);
  if( eRc!=LOCK_OK ){
    leaveTask(p, w.pFs);
    return 0;
  }
  if( pReq->eScope==LOCK_SCOPE_TURN && !isTurnAhead(pReq, p->db)
   && !takeWrite(x, &w) ) return 0;
  p->iToken = (i64)lockGrantToken(w.pFs->pLock);
  return 1;
}

int connectionLock(Connection *p, Sqlx *x, const ConnectionRequest *pReq){
  int bAwaits, bHeld;
  assert( sqlxHeld(x->db) );
  txnscopeCatchUp(&p->scope);
  requireTransaction(x, pReq);
  requireNewest(x, pReq);
  enlist(p, x, pReq);
  bAwaits = awaitTurnEnd(p, x, pReq);
  bHeld = request(p, x, pReq);
  if( bAwaits && !bHeld ) writeendCancel(&p->pTurn);
  return bHeld;
}

/* ---- sets of locks ---------------------------------------------------- */

/* The locks of a set that were granted so far. */
typedef struct Granted {
  LockGrant *a;          /* two for each row: the table's intention, the row */
  int n;
  u64 iToken;            /* the greatest of their fencing tokens */
  u32 iLevel;            /* of the transaction, before the first */
  u64 usBegin;           /* when the time began that the waits may take */
} Granted;

/* Gives all of them back. It cannot fail. */
static void undoGranted(Wanted *w, Granted *pDone){
  if( w->pReq->eScope==LOCK_SCOPE_TRANSACTION ){
    lockRollbackTo(w->pFs->pLock, pDone->iLevel);
    return;
  }
  while( pDone->n>0 ) lockUndo(w->pFs->pLock, &pDone->a[--pDone->n]);
}

/* What is left of the time that a set may take. */
static i64 timeLeft(i64 msTimeout, u64 usBegin){
  i64 ms = msTimeout;
  if( ms>0 ) ms -= (i64)((osMonotonicUs() - usBegin)/1000);
  return msTimeout<0 ? -1 : ms>0 ? ms : 0;
}

/* Acquires the locks of a set one after the other, all or none. An interrupt
** can come after a wait: then locks that were free must be confirmed as well.
*/
static LockRc acquireAll(Wanted *w, ConnectionRequest *pOne,
                         const LockKey *aKey, int n, Granted *pDone){
  LockSession *pLock = w->pFs->pLock;
  i64 msTimeout = pOne->msTimeout;
  int i, bWaited = 0;
  LockRc eRc = LOCK_OK;
  pDone->iLevel = lockLevel(pLock);
  for(i=0; i<n && eRc==LOCK_OK; i++){
    pOne->key = aKey[i];
    pOne->msTimeout = w->failure.msTimeout = timeLeft(msTimeout,
                                                    pDone->usBegin);
    w->bWaited = 0;
    eRc = pOne->pTable ? acquireRow(w) : acquire(w, &pOne->key, pOne->eMode);
    bWaited |= w->bWaited;
    if( eRc!=LOCK_OK ) break;
    if( pOne->pTable ) pDone->a[pDone->n++] = w->intent;
    pDone->a[pDone->n++] = lockGranted(pLock);
    if( lockGrantToken(pLock)>pDone->iToken ){
      pDone->iToken = lockGrantToken(pLock);
    }
  }
  if( eRc==LOCK_OK && bWaited && !w->bWaited ) eRc = pollWait(w);
  if( eRc!=LOCK_OK ) undoGranted(w, pDone);
  w->failure.msTimeout = msTimeout;
  return eRc;
}

static int compareSetKeys(const void *a, const void *b){
  return keyCompare((const LockKey*)a, (const LockKey*)b);
}

/* Sorts keys, and removes those that are there twice. */
static int sortKeys(LockKey *aKey, int n){
  int i, nOut = 0;
  qsort(aKey, (size_t)n, sizeof(*aKey), compareSetKeys);
  for(i=0; i<n; i++){
    if( nOut && keySame(&aKey[nOut-1], &aKey[i]) ) continue;
    aKey[nOut++] = aKey[i];
  }
  return nOut;
}

int connectionLockAll(Connection *p, Sqlx *x, const ConnectionRequest *pReq,
                      LockKey *aKey, int n){
  ConnectionRequest one = *pReq;
  Granted done;
  LockRc eRc;
  Wanted w;
  assert( sqlxHeld(x->db) );
  memset(&done, 0, sizeof(done));
  done.usBegin = osMonotonicUs();
  n = sortKeys(aKey, n);
  one.key = aKey[0];
  txnscopeCatchUp(&p->scope);
  requireNewest(x, &one);
  enlist(p, x, &one);
  if( x->rc!=SQLITE_OK || !beginWanted(&w, p, x, &one) ) return 0;
  done.a = sqlxAlloc(x, (u64)n*2*sizeof(LockGrant));
  eRc = done.a ? acquireAll(&w, &one, aKey, n, &done) : LOCK_NOMEM;
  sqlite3_finalize(w.pLook);
  lockerrorSet(x, eRc, &w.failure);
  if( eRc==LOCK_OK ) p->iToken = (i64)done.iToken;
  return eRc==LOCK_OK;
}

/* ---- requests without a wait ------------------------------------------ */

static LockRc ask(Wanted *w, const LockKey *pKey, u32 eMode){
  LockWait wait = { -1, 0, 0, 0 };
  wait.xMayWait = mayAsk;
  wait.pArg = w;
  w->failure.pKey = pKey;
  return lockRequest(w->pFs->pLock, pKey, eMode, &wait);
}

/* Requests what comes after the intention on the table, which a row's request
** keeps. */
static LockRc askLast(Wanted *w){
  FileRequest *pAsked = &w->pFs->request;
  LockRc eRc = ask(w, &w->pReq->key, w->pReq->eMode);
  if( eRc==LOCK_WAITING && pAsked->bRow ){
    lockRequestKeeps(w->pFs->pLock, &pAsked->intent);
  }else if( eRc!=LOCK_OK && pAsked->bRow ){
    lockUndo(w->pFs->pLock, &pAsked->intent);
  }
  return eRc;
}

static LockRc askFirst(Wanted *w){
  const ConnectionRequest *pReq = w->pReq;
  FileRequest *pAsked = &w->pFs->request;
  LockRc eRc;
  memset(pAsked, 0, sizeof(*pAsked));
  pAsked->key = pReq->key;
  pAsked->eMode = pReq->eMode;
  pAsked->bRow = pReq->pTable!=0;
  if( !pAsked->bRow ) return askLast(w);
  eRc = ask(w, pReq->pTable, connectionIntent(pReq->eMode));
  if( eRc!=LOCK_OK ) return eRc;
  pAsked->intent = lockGranted(w->pFs->pLock);
  return askLast(w);
}

/* How the request stands that an earlier call has queued. */
static LockRc askAgain(Wanted *w){
  FileRequest *pAsked = &w->pFs->request;
  LockSession *pLock = w->pFs->pLock;
  LockRc eRc;
  w->failure.pKey = &w->pReq->key;
  if( pAsked->eMode!=w->pReq->eMode || !keySame(&pAsked->key, &w->pReq->key) ){
    return LOCK_PENDING;
  }
  eRc = lockStands(pLock);
  if( eRc==LOCK_OK && pAsked->bRow && pAsked->intent.iRecord==0 ){
    pAsked->intent = lockGranted(pLock);
    return askLast(w);
  }
  if( eRc!=LOCK_OK && eRc!=LOCK_WAITING ) lockUndo(pLock, &pAsked->intent);
  return eRc;
}

/* A request that cannot be watched is withdrawn. */
static LockRc watched(Connection *p, FileSession *pFs){
  LockRc eRc;
  if( p->pWatch==0 ) return LOCK_WAITING;
  eRc = watchRequest(p->pWatch, pFs->pLock);
  if( eRc==LOCK_OK ) return LOCK_WAITING;
  lockGiveUp(pFs->pLock, LOCK_INTERRUPTED);
  lockUndo(pFs->pLock, &pFs->request.intent);
  return eRc;
}

int connectionAsk(Connection *p, Sqlx *x, const ConnectionRequest *pReq){
  Wanted w;
  LockRc eRc;
  assert( sqlxHeld(x->db) );
  txnscopeCatchUp(&p->scope);
  requireNewest(x, pReq);
  if( x->rc!=SQLITE_OK || !beginWanted(&w, p, x, pReq) ) return 0;
  eRc = lockPending(w.pFs->pLock) ? askAgain(&w) : askFirst(&w);
  if( eRc==LOCK_WAITING ) eRc = watched(p, w.pFs);
  if( eRc!=LOCK_WAITING ) lockerrorSet(x, eRc, &w.failure);
  if( eRc==LOCK_OK ) p->iToken = (i64)lockGrantToken(w.pFs->pLock);
  else leaveTask(p, w.pFs);
  return eRc==LOCK_OK;
}

/* Gives up the request of a file session, if it has one. */
static int withdraw(Connection *p, Sqlx *x, FileSession *pFs){
  LockRc eRc;
  if( pFs==0 || pFs->pLock==0 || !lockPending(pFs->pLock) ) return 0;
  eRc = lockGiveUp(pFs->pLock, LOCK_INTERRUPTED);
  if( eRc==LOCK_FORKED || eRc==LOCK_MALFORMED ) failSession(x, eRc, pFs);
  else lockUndo(pFs->pLock, &pFs->request.intent);
  leaveTask(p, pFs);
  return x->rc==SQLITE_OK;
}

int connectionWithdraw(Connection *p, Sqlx *x, const LockKey *pTask){
  FileSession *pFs;
  int nDone = 0;
  assert( sqlxHeld(x->db) );
  txnscopeCatchUp(&p->scope);
  if( pTask ) return withdraw(p, x, taskFile(p, x, pTask, 0));
  for(pFs=p->pFileSessions; pFs; pFs=pFs->pNext) nDone += withdraw(p, x, pFs);
  return nDone>0;
}

/* Requests that are in a queue already are watched, too. */
int connectionRequestFd(Connection *p, Sqlx *x){
  FileSession *pFs, *pTask;
  LockRc eRc = osPid()==p->iPid ? LOCK_OK : LOCK_FORKED;
  assert( sqlxHeld(x->db) );
  if( eRc==LOCK_OK && p->pWatch==0 ){
    osStay();
    eRc = watchBegin(filesessionMemory(), &p->pWatch);
  }
  for(pFs=p->pFileSessions; pFs && eRc==LOCK_OK; pFs=pFs->pNext){
    if( pFs->pLock ) eRc = watchRequest(p->pWatch, pFs->pLock);
    for(pTask=pFs->pTasks; pTask && eRc==LOCK_OK; pTask=pTask->pNext){
      eRc = watchRequest(p->pWatch, pTask->pLock);
    }
  }
  failSession(x, eRc, 0);
  return eRc==LOCK_OK ? watchFd(p->pWatch) : -1;
}

/* ---- giving back ------------------------------------------------------ */

/* A statement that writes in autocommit is a transaction, and ends the turn. */
int connectionTurnEnd(Connection *p, Sqlx *x){
  assert( sqlxHeld(x->db) );
  txnscopeCatchUp(&p->scope);
  if( x->rc!=SQLITE_OK || p->pTurn==0 || txnscopeFollows(&p->scope)
   || !sqlite3_get_autocommit(p->db)
   || sqlite3_txn_state(p->db, "main")==SQLITE_TXN_WRITE ) return 0;
  writeendCancel(&p->pTurn);
  onTurnEnd(p);
  return 1;
}

/* Sets an error during a search. A search releases rows by the records of their
** grants, so no other call may release them before. */
static int isSearching(const Connection *p, Sqlx *x){
  if( p->nSearch==0 ) return 0;
  sqlxBad(x, "called within a search for rows; allowed is after it");
  return 1;
}

/* Releases a hold of a file session, which may be none or not begun. */
static int unlockIn(Connection *p, Sqlx *x, FileSession *pFs,
                    const ConnectionRequest *pReq){
  LockRc eRc;
  if( pFs==0 || pFs->pLock==0 ) return 0;
  if( pReq->pTable ){
    eRc = lockReleaseRow(pFs->pLock, &pReq->key, pReq->eMode,
                         pReq->pTable, connectionIntent(pReq->eMode));
  }else{
    eRc = lockRelease(pFs->pLock, &pReq->key, pReq->eMode);
  }
  failSession(x, eRc, pFs);
  leaveTask(p, pFs);
  return eRc==LOCK_OK;
}

int connectionUnlock(Connection *p, Sqlx *x, const ConnectionRequest *pReq){
  assert( sqlxHeld(x->db) );
  txnscopeCatchUp(&p->scope);
  if( (1u<<pReq->key.eKind & KINDS_OF_TABLES) && isSearching(p, x) ) return 0;
  return unlockIn(p, x, pReq->pTask ? taskFile(p, x, pReq->pTask, 0)
                                    : findSession(p, x, pReq->zSchema), pReq);
}

int connectionUnlockOf(Connection *p, Sqlx *x, const RowkeyTable *pTab,
                       const ConnectionRequest *pReq){
  FileSession *pFs;
  int bDone = 0;
  if( pTab->zSchema ) return connectionUnlock(p, x, pReq);
  txnscopeCatchUp(&p->scope);
  if( isSearching(p, x) ) return 0;
  leaveDetached(p, x, 1);
  for(pFs=p->pFileSessions; pFs && !bDone && x->rc==SQLITE_OK; pFs=pFs->pNext){
    bDone = unlockIn(p, x, pFs, pReq);
  }
  return bDone;
}

i64 connectionUnlockAll(Connection *p, Sqlx *x, u32 mKind, u32 mMode){
  FileSession *pFs;
  i64 nAll = 0;
  assert( sqlxHeld(x->db) );
  txnscopeCatchUp(&p->scope);
  if( (mKind & KINDS_OF_TABLES) && isSearching(p, x) ) return 0;
  for(pFs=p->pFileSessions; pFs && x->rc==SQLITE_OK; pFs=pFs->pNext){
    u64 n = 0;
    if( pFs->pLock==0 ) continue;
    failSession(x, lockReleaseAll(pFs->pLock, mKind, mMode, &n), pFs);
    nAll += (i64)n;
  }
  return nAll;
}

i64 connectionUnlockTask(Connection *p, Sqlx *x, const LockKey *pTask){
  FileSession *pFs;
  u64 n = 0;
  assert( sqlxHeld(x->db) );
  txnscopeCatchUp(&p->scope);
  pFs = taskFile(p, x, pTask, 0);
  if( pFs==0 ) return 0;
  failSession(x, lockReleaseAll(pFs->pLock, ~0u, ~0u, &n), pFs);
  leaveTask(p, pFs);
  return (i64)n;
}

i64 connectionGrantToken(const Connection *p){ return p->iToken; }

i64 connectionToken(
  Connection *p,
  Sqlx *x,
  const LockKey *pKey,
  const LockKey *pTask
){
  FileSession *pFs = p->pMain;
  u64 iToken = 0;
  assert( sqlxHeld(x->db) );
  txnscopeCatchUp(&p->scope);
  if( x->rc!=SQLITE_OK || pFs==0 || pFs->pLock==0 ) return 0;
  if( pTask ) pFs = taskFile(p, x, pTask, 0);
  if( pFs==0 ) return 0;
  failSession(x, lockToken(pFs->pLock, pKey, &iToken), pFs);
  return (i64)iToken;
}

void connectionStillHeld(Connection *p, Sqlx *x){
  LockRc eRc;
  assert( sqlxHeld(x->db) );
  if( x->rc!=SQLITE_OK || p->pMain==0 || p->pMain->pLock==0 ) return;
  /* A second name of the database keeps new locks out; held ones stay held. */
  eRc = lockMoved(p->pMain->pLock);
  if( eRc!=LOCK_LINKED ) failSession(x, eRc, p->pMain);
}

i64 connectionHolder(Connection *p, Sqlx *x, const LockKey *pKey){
  const LockKey *pHeld;
  FileSession *pFs;
  LockRc eRc;
  assert( sqlxHeld(x->db) );
  txnscopeCatchUp(&p->scope);
  pFs = connectionFile(p, x, 0);
  if( pFs==0 ) return 0;
  eRc = lockGuard(pFs->pLock, 0, pKey, &pHeld);
  failSession(x, eRc, pFs);
  return eRc==LOCK_NO ? (i64)lockTrouble(pFs->pLock)->iBlocker : 0;
}

int connectionCancel(Connection *p, Sqlx *x, const char *zSchema, i64 iId){
  FileSession *pFs = findSession(p, x, zSchema);
  LockFile *pFile = 0;
  LockRc eRc;
  assert( sqlxHeld(x->db) );
  if( pFs==0 ) return 0;
  eRc = filesessionOpen(pFs, &pFile);
  if( eRc==LOCK_OK ) eRc = lockCancel(pFile, (u64)iId);
  failSession(x, eRc, pFs);
  lockClose(pFile);
  return eRc==LOCK_OK;
}

/* ---- events ----------------------------------------------------------- */

int connectionEventBegin(
  Connection *p,
  Sqlx *x,
  const char *zName,
  ConnectionEvent *pEvent
){
  assert( sqlxHeld(x->db) );
  pEvent->pConn = p;
  pEvent->zName = zName;
  pEvent->pLook = 0;
  pEvent->pFs = connectionFile(p, x, 0);
  return pEvent->pFs!=0;
}

void connectionEventLook(ConnectionEvent *pEvent){
  pEvent->iSeen = lockEvent(pEvent->pFs->pFile, pEvent->zName);
}

int connectionEventAllowed(Sqlx *x, ConnectionEvent *pEvent,
                           const char *zHeld){
  LockFailure failure = { 0, 0, 0, WAITING_ALLOWED, 0, 0 };
  failure.pFs = pEvent->pFs;
  failure.zHeld = zHeld;
  failure.eWaiting = waitingAllowed(x, &failure.zBusy);
  if( failure.eWaiting==WAITING_ALLOWED ){
    failure.zBusy = heldElsewhere(pEvent->pConn, pEvent->pFs);
    if( failure.zBusy ) failure.eWaiting = WAITING_OTHER_FILE;
  }
  if( failure.eWaiting==WAITING_ALLOWED ) return 1;
  lockerrorSet(x, LOCK_REFUSED, &failure);
  return 0;
}

void connectionEventWait(Sqlx *x, ConnectionEvent *pEvent, i64 ms){
  LockRc eRc = LOCK_OK;
  lockEventWait(pEvent->pFs->pFile, pEvent->zName, pEvent->iSeen, ms);
  if( waitingInterrupted(x->db, &pEvent->pLook) ){
    eRc = LOCK_INTERRUPTED;
  }else if( waitingMoved(x->db, "main") ){
    eRc = LOCK_MOVED;
  }
  failSession(x, eRc, pEvent->pFs);
}

void connectionEventEnd(ConnectionEvent *pEvent){
  sqlite3_finalize(pEvent->pLook);
  pEvent->pLook = 0;
}

/* A process that waits has made the lock file: without one there is nothing to
** do. The first post begins a session, so that the next ones need not open the
** file again. An error is ignored: a process that waits also looks itself. */
void connectionEventPost(Connection *p, const char *zName){
  FileSession *pFs;
  LockFile *pFile = 0;
  Sqlx x;
  assert( sqlxHeld(p->db) );
  sqlxBegin(&x, p->db);
  pFs = findSession(p, &x, 0);
  if( pFs && pFs->pLock==0 && osPid()==p->iPid && filesessionThere(pFs)
   && filesessionOpen(pFs, &pFile)==LOCK_OK ){
    connectionFile(p, &x, 0);
  }
  if( pFs && pFs->pLock ){
    lockEventPost(pFs->pFile, zName);
  }else if( pFile ){
    lockEventPost(pFile, zName);
  }
  lockClose(pFile);
  sqlxEnd(&x);
}

/* ---- channels --------------------------------------------------------- */

/* Whether what is called now is a transaction, or part of one, that may write:
** in autocommit a statement that writes. */
static int isInTransaction(const Connection *p){
  return !sqlite3_get_autocommit(p->db) || sqlxWrites(p->db);
}

int connectionNotify(Connection *p, Sqlx *x, const char *zWho,
                     const LockKey *pKey){
  FileSession *pFs;
  LockRc eRc;
  int bLater;
  assert( sqlxHeld(x->db) );
  txnscopeCatchUp(&p->scope);
  bLater = isInTransaction(p);
  if( bLater ) txnscopeEnlist(&p->scope, x, zWho);
  pFs = connectionFile(p, x, 0);
  if( pFs==0 ) return 0;
  if( bLater ) p->bNotified = 1;
  eRc = bLater ? lockNotify(pFs->pLock, pKey) : lockNotifyNow(pFs->pLock, pKey);
  failSession(x, eRc, pFs);
  return eRc==LOCK_OK;
}

/* Listens, and waits as pWait says, unless it is NULL. */
static i64 listenWait(Connection *p, Sqlx *x, const LockKey *pKey, i64 iSeen,
                      const LockWait *pWait, Wanted *w){
  u64 iNumber = 0;
  u32 iRecord;
  LockRc eRc;
  w->pFs = connectionFile(p, x, 0);
  if( w->pFs==0 ) return 0;
  w->failure.pFs = w->pFs;
  eRc = lockListen(w->pFs->pLock, pKey, &iRecord);
  if( eRc==LOCK_OK ){
    eRc = lockListenWait(w->pFs->pLock, pKey, iRecord, (u64)iSeen, pWait,
                         &iNumber);
  }
  if( eRc==LOCK_TIMEOUT ) return 0;
  lockerrorSet(x, eRc, &w->failure);
  return eRc==LOCK_OK ? (i64)iNumber : 0;
}

i64 connectionListen(Connection *p, Sqlx *x, const LockKey *pKey){
  Wanted w;
  assert( sqlxHeld(x->db) );
  memset(&w, 0, sizeof(w));
  txnscopeCatchUp(&p->scope);
  return listenWait(p, x, pKey, 0, 0, &w);
}

i64 connectionListenWait(Connection *p, Sqlx *x, const LockKey *pKey,
                         i64 iSeen, i64 msTimeout){
  ConnectionRequest req;
  LockWait wait;
  Wanted w;
  i64 iNumber;
  assert( sqlxHeld(x->db) );
  memset(&req, 0, sizeof(req));
  memset(&w, 0, sizeof(w));
  w.pConn = p;
  w.x = x;
  w.pReq = &req;
  w.failure.msTimeout = msTimeout;
  w.failure.zHeld = sqlxPrintf(x, "channel '%.*s' has no new notification",
                               (int)pKey->nKey, (const char*)pKey->a);
  wait.msTimeout = msTimeout;
  wait.xMayWait = mayWait;
  wait.xPoll = pollWait;
  wait.pArg = &w;
  txnscopeCatchUp(&p->scope);
  iNumber = listenWait(p, x, pKey, iSeen, &wait, &w);
  sqlite3_finalize(w.pLook);
  return iNumber;
}

/* ---- searching for rows ----------------------------------------------- */

int connectionSearchBegin(
  Connection *p,
  Sqlx *x,
  const ConnectionRequest *pReq,
  ConnectionSearch *pSearch
){
  Wanted w;
  LockRc eRc;
  assert( sqlxHeld(x->db) );
  pSearch->pConn = p;
  pSearch->pReq = pReq;
  if( !pReq->bTry && pSearch->usBegin==0 ) pSearch->usBegin = osMonotonicUs();
  txnscopeCatchUp(&p->scope);
  enlist(p, x, pReq);
  pSearch->nEnd = p->nEnd;
  pSearch->nBack = p->nBack;
  if( !beginWanted(&w, p, x, pReq) ) return 0;
  pSearch->pFs = w.pFs;
  pSearch->iLevel = lockLevel(w.pFs->pLock);
  w.failure.msTimeout = timeLeft(pReq->msTimeout, pSearch->usBegin);
  eRc = lockMoved(w.pFs->pLock);
  if( eRc==LOCK_OK ){
    eRc = acquire(&w, pReq->pTable, connectionIntent(pReq->eMode));
  }
  pSearch->intent = lockGranted(w.pFs->pLock);
  w.failure.msTimeout = pReq->msTimeout;
  sqlite3_finalize(w.pLook);
  lockerrorSet(x, eRc, &w.failure);
  if( eRc==LOCK_OK ) p->nSearch++;
  return eRc==LOCK_OK;
}

/* Whether the transaction has ended in which the search holds its rows. The
** search runs SQL of the program's, a function of which can do that. */
static int txnIsOver(const ConnectionSearch *pSearch){
  Connection *p = pSearch->pConn;
  if( pSearch->pReq->eScope==LOCK_SCOPE_SESSION ) return 0;
  txnscopeCatchUp(&p->scope);
  return p->nEnd!=pSearch->nEnd;
}

/* Sets an error if a search must lock no more rows. */
static int mustStop(const ConnectionSearch *pSearch, Sqlx *x){
  if( !txnIsOver(pSearch) ) return 0;
  sqlxBad(x, "the transaction was ended within the search of %s; allowed is"
             " after it", pSearch->pReq->zName);
  return 1;
}

/* The intention that goes with a row that was just granted. The search holds
** it already, so it is granted at once. Without it the row is given back. */
static int keepRow(ConnectionSearch *pSearch, Sqlx *x, LockRc eRc,
                   LockGrant *pRow){
  const ConnectionRequest *pReq = pSearch->pReq;
  LockSession *pLock = pSearch->pFs->pLock;
  assert( sqlxHeld(x->db) );
  if( eRc==LOCK_OK ){
    *pRow = lockGranted(pLock);
    eRc = lockAcquire(pLock, pReq->pTable, connectionIntent(pReq->eMode),
                      pReq->eScope, 0);
    if( eRc!=LOCK_OK ) lockUndo(pLock, pRow);
  }
  failSession(x, eRc, pSearch->pFs);
  if( eRc!=LOCK_OK ) pRow->iRecord = 0;
  return eRc==LOCK_OK;
}

/* The row comes first, since most rows are skipped. */
int connectionSearchSkip(ConnectionSearch *pSearch, Sqlx *x,
                         const LockKey *pKey, LockGrant *pRow){
  const ConnectionRequest *pReq = pSearch->pReq;
  LockRc eRc;
  if( mustStop(pSearch, x) ) return 0;
  eRc = lockSkip(pSearch->pFs->pLock, pKey, pReq->eMode, pReq->eScope);
  return keepRow(pSearch, x, eRc, pRow);
}

int connectionSearchTry(ConnectionSearch *pSearch, Sqlx *x,
                        const LockKey *pKey, LockGrant *pRow){
  const ConnectionRequest *pReq = pSearch->pReq;
  LockRc eRc;
  if( mustStop(pSearch, x) ) return 0;
  eRc = lockAcquire(pSearch->pFs->pLock, pKey, pReq->eMode, pReq->eScope, 0);
  return keepRow(pSearch, x, eRc, pRow);
}

int connectionSearchWait(ConnectionSearch *pSearch, Sqlx *x,
                         const LockKey *aKey, int n, LockGrant *aRow){
  ConnectionRequest one = *pSearch->pReq;
  Granted done;
  LockRc eRc;
  Wanted w;
  int i;
  assert( sqlxHeld(x->db) );
  memset(&done, 0, sizeof(done));
  if( mustStop(pSearch, x) ) return 0;
  done.usBegin = pSearch->usBegin;
  done.a = sqlxAlloc(x, (u64)n*2*sizeof(LockGrant));
  if( done.a==0 || !beginWanted(&w, pSearch->pConn, x, &one) ) return 0;
  eRc = acquireAll(&w, &one, aKey, n, &done);
  sqlite3_finalize(w.pLook);
  lockerrorSet(x, eRc, &w.failure);
  if( eRc!=LOCK_OK ) return 0;
  for(i=0; i<n; i++) aRow[i] = done.a[2*i+1];
  return 1;
}

/* Another savepoint than one of a row's may have been rolled back, such as that
** of a statement that failed. So the lock manager is asked then. */
int connectionSearchHolds(ConnectionSearch *pSearch, Sqlx *x,
                          const LockKey *pKey){
  const ConnectionRequest *pReq = pSearch->pReq;
  LockSession *pLock = pSearch->pFs->pLock;
  int bHolds = 0;
  assert( sqlxHeld(x->db) );
  if( mustStop(pSearch, x) ) return 0;
  if( pKey==0 || pReq->eScope==LOCK_SCOPE_SESSION
   || pSearch->nBack==pSearch->pConn->nBack ) return 1;
  failSession(x, lockTxnHolds(pLock, pKey, pReq->eMode, &bHolds), pSearch->pFs);
  if( !bHolds ){
    sqlxBad(x, "a savepoint was rolled back within the search of %s; allowed is"
               " after it", pReq->zName);
  }
  return x->rc==SQLITE_OK;
}

/* The caller may have an error already: this only makes stores that cannot
** fail. */
void connectionSearchBack(ConnectionSearch *pSearch, const LockGrant *pRow){
  LockSession *pLock = pSearch->pFs->pLock;
  assert( sqlxHeld(pSearch->pConn->db) );
  if( pRow->eScope!=LOCK_SCOPE_SESSION ) return;
  lockUndo(pLock, pRow);
  lockUndo(pLock, &pSearch->intent);
}

int connectionSearchProbe(ConnectionSearch *pSearch){
  return lockSkipProbe(pSearch->pFs->pLock);
}

void connectionSearchEnd(ConnectionSearch *pSearch, int bKeep){
  LockSession *pLock = pSearch->pFs->pLock;
  assert( sqlxHeld(pSearch->pConn->db) );
  pSearch->pConn->nSearch--;
  if( pSearch->pReq->eScope==LOCK_SCOPE_SESSION ){
    lockUndo(pLock, &pSearch->intent);
  }else if( !bKeep && !txnIsOver(pSearch) ){
    lockRollbackTo(pLock, pSearch->iLevel);
  }
}

/* ---- settings --------------------------------------------------------- */

i64 connectionId(Connection *p, Sqlx *x){
  FileSession *pFs;
  assert( sqlxHeld(x->db) );
  if( osPid()!=p->iPid ) failSession(x, LOCK_FORKED, 0);
  pFs = connectionFile(p, x, 0);
  return pFs ? (i64)lockSessionId(pFs->pLock) : 0;
}

i64 connectionTimeout(const Connection *p){ return p->msTimeout; }
void connectionSetTimeout(Connection *p, i64 ms){ p->msTimeout = ms; }

const char *connectionLabel(const Connection *p){ return p->zLabel; }

/* How many bytes of a label there is room for: one that is too long is cut
** between two characters. */
static size_t labelBytes(const char *zLabel){
  size_t n = strlen(zLabel);
  if( n<=LIMIT_LABEL ) return n;
  for(n=LIMIT_LABEL; n>0 && (zLabel[n] & 0xC0)==0x80; n--){}
  return n;
}

/* The labels of the tasks of a connection that is labeled zLabel, in the order
** of the lists; NULL with an error. */
static const char **taskLabels(Connection *p, Sqlx *x, const char *zLabel){
  const char **az = sqlxGrow(x, 0, 0, sizeof(az[0]));
  const FileSession *pFs, *pTask;
  int n = 0;
  for(pFs=p->pFileSessions; pFs; pFs=pFs->pNext){
    for(pTask=pFs->pTasks; pTask; pTask=pTask->pNext){
      az = sqlxGrow(x, az, n, sizeof(az[0]));
      if( az ) az[n++] = taskLabel(x, zLabel, pTask->pTask);
    }
  }
  return x->rc==SQLITE_OK ? az : 0;
}

void connectionSetLabel(Connection *p, Sqlx *x, const char *zLabel){
  size_t n = labelBytes(zLabel);
  const char *z = sqlxPrintf(x, "%.*s", (int)n, zLabel);
  const char **az = taskLabels(p, x, z);
  FileSession *pFs, *pTask;
  assert( sqlxHeld(x->db) );
  if( az==0 ) return;
  memcpy(p->zLabel, z, n+1);
  for(pFs=p->pFileSessions; pFs; pFs=pFs->pNext){
    if( pFs->pLock ) lockSessionLabel(pFs->pLock, z);
    for(pTask=pFs->pTasks; pTask; pTask=pTask->pNext){
      lockSessionLabel(pTask->pLock, *az++);
    }
  }
}

i64 connectionReset(Connection *p, Sqlx *x){
  FileSession *pFs;
  i64 nAll = 0;
  assert( sqlxHeld(x->db) );
  txnscopeCatchUp(&p->scope);
  if( isSearching(p, x) ) return 0;
  if( p->bNotified ){
    sqlxBad(x, "called in a transaction that has notified a channel; allowed is"
               " after COMMIT or ROLLBACK");
    return 0;
  }
  for(pFs=p->pFileSessions; pFs; pFs=pFs->pNext){
    if( pFs->pLock && lockWriting(pFs->pLock) ){
      sqlxBad(x, "called in a transaction that has written a guarded table;"
                 " allowed is after COMMIT or ROLLBACK");
      return 0;
    }
  }
  writeendCancel(&p->pTurn);
  for(pFs=p->pFileSessions; pFs; pFs=pFs->pNext){
    u64 n = 0;
    FileSession *pTask;
    for(pTask=pFs->pTasks; pTask; pTask=pTask->pNext){
      u64 nTask = 0;
      if( lockReleaseAll(pTask->pLock, ~0u, ~0u, &nTask)==LOCK_OK ){
        nAll += (i64)nTask;
      }
    }
    /* A session that cannot be used any more holds nothing: that of a parent
    ** process, or of a file that was replaced or is malformed. */
    if( pFs->pLock
     && lockReleaseAll(pFs->pLock, ~0u, ~CONNECTION_INTENTS, &n)==LOCK_OK ){
      nAll += (i64)n;
    }
    filesessionEnd(pFs);
  }
  p->msTimeout = -1;
  p->zLabel[0] = 0;
  return nAll;
}

/* ---- looking ---------------------------------------------------------- */

/* A reference on the lock file of a file session; NULL if there is none, if
** pLook has it already, or with an error. */
static LockFile *openUnseen(Connection *p, Sqlx *x, const FileSession *pFs,
                            const char *zSchema, const ConnectionLook *pLook){
  LockFile *pFile = 0;
  LockRc eRc = LOCK_FORKED;
  int i;
  if( pFs==0 ) return 0;
  if( pFs->pFile || osPid()==p->iPid ){
    eRc = waitingMoved(p->db, zSchema) ? LOCK_MOVED
                                       : filesessionLook(pFs, &pFile);
  }
  failSession(x, eRc, pFs);
  for(i=0; i<pLook->n && pFile; i++){
    if( pLook->a[i].pFile==pFile ){
      lockClose(pFile);
      pFile = 0;
    }
  }
  return pFile;
}

/* Adds the snapshot of a schema's lock file, unless it is there already. */
static void lookFile(Connection *p, Sqlx *x, const char *zSchema,
                     const LockFilter *pWanted, ConnectionLook *pLook){
  FileSession *pFs = findSession(p, x, zSchema);
  LockFile *pFile = openUnseen(p, x, pFs, zSchema, pLook);
  LookFile *aNew;
  LookFile *pNew;
  LockRc eRc;
  if( pFile==0 ) return;
  aNew = sqlite3_realloc64(pLook->a, (u64)(pLook->n+1)*sizeof(*aNew));
  if( aNew ) pLook->a = aNew;
  pNew = aNew ? &aNew[pLook->n] : 0;
  if( pNew ){
    memset(pNew, 0, sizeof(*pNew));
    pNew->zSchema = sqlite3_mprintf("%s", zSchema);
  }
  if( pNew==0 || pNew->zSchema==0 ){
    lockClose(pFile);
    if( x->rc==SQLITE_OK ) x->rc = SQLITE_NOMEM;
    return;
  }
  pNew->pFile = pFile;
  pLook->n++;
  eRc = pWanted ? lockSnapshotSome(pFile, pWanted, &pNew->snapshot)
                : lockSnapshot(pFile, &pNew->snapshot);
  failSession(x, eRc, pFs);
  lockLooked(pFile);
}

int connectionLook(Connection *p, Sqlx *x, const LockFilter *pWanted,
                   ConnectionLook *pLook){
  const char **azSchema;
  int i;
  assert( sqlxHeld(x->db) );
  memset(pLook, 0, sizeof(*pLook));
  txnscopeCatchUp(&p->scope);
  azSchema = sqlxSchemas(x);
  for(i=0; azSchema && azSchema[i] && x->rc==SQLITE_OK; i++){
    if( sqlite3_stricmp(azSchema[i], "temp")==0 ) continue;
    lookFile(p, x, azSchema[i], pWanted, pLook);
  }
  if( x->rc!=SQLITE_OK ) connectionLookEnd(pLook);
  return x->rc==SQLITE_OK;
}

void connectionLookEnd(ConnectionLook *pLook){
  while( pLook->n>0 ){
    LookFile *pLast = &pLook->a[--pLook->n];
    lockSnapshotFree(pLast->pFile, &pLast->snapshot);
    lockClose(pLast->pFile);
    sqlite3_free(pLast->zSchema);
  }
  sqlite3_free(pLook->a);
  pLook->a = 0;
}

/* ---- guards ----------------------------------------------------------- */

/* A guard must register the writer before it looks at the locks: from then on
** no other session is granted a row or table of this file before this
** transaction ends. */
int connectionWriter(Sqlx *x, const FileSession *pFs){
  LockRc eRc = lockWriterEnter(pFs->pLock);
  assert( sqlxHeld(x->db) );
  failSession(x, eRc, pFs);
  return eRc==LOCK_OK;
}

u64 connectionTransaction(const Connection *p){ return p->scope.iNumber; }

void *connectionGuards(const Connection *p){ return p->pGuards; }
void connectionSetGuards(
  Connection *p,
  void *pGuards,
  const ConnectionGuards *pEvents
){
  p->pGuards = pGuards;
  p->pGuardEvents = pEvents;
}

/* ---- the connection --------------------------------------------------- */

Connection *connectionNew(sqlite3 *db, void (*xEnd)(void*), void *pArg){
  Connection *p = sqlite3_malloc64(sizeof(*p));
  if( p==0 ) return 0;
  memset(p, 0, sizeof(*p));
  p->db = db;
  p->nRef = 1;
  p->xEnd = xEnd;
  p->pEndArg = pArg;
  p->iPid = osPid();
  p->msTimeout = -1;
  txnscopeInit(&p->scope, db, &events, p);
  knowntableInit(&p->known, db, &p->scope);
  directInit(&p->direct, &p->scope);
  return p;
}

void connectionRetain(void *pConn){ ((Connection*)pConn)->nRef++; }

void connectionRelease(void *pConn){
  Connection *p = (Connection*)pConn;
  if( --p->nRef>0 ) return;
  writeendCancel(&p->pTurn);
  filesessionFree(&p->pFileSessions);
  watchEnd(p->pWatch);
  knowntableForget(&p->known);
  jsonarrayForget(&p->arrays);
  directForget(&p->direct);
  if( p->pGuards ) p->pGuardEvents->xFree(p->pGuards);
  p->xEnd(p->pEndArg);
  sqlite3_free(p);
}

TxnScope *connectionScope(Connection *p){ return &p->scope; }
KnownTables *connectionTables(Connection *p){ return &p->known; }
Direct *connectionDirect(Connection *p){ return &p->direct; }
JsonKept *connectionArrays(Connection *p, Sqlx *x){
  if( x->rc!=SQLITE_OK || !txnscopeSeesClose(&p->scope, x) ) return 0;
  return &p->arrays;
}
