/* SPDX-License-Identifier: 0BSD */
/*
** The session of a connection. See session.h.
*/
#include <string.h>
#include "session/session.h"
#include "session/lockerror.h"
#include "core/os.h"
#include "session/snapshot.h"
SQLITE_EXTENSION_INIT3

struct Session {
  sqlite3 *db;
  int nRef;              /* what points to it */
  void (*xEnd)(void*);
  void *pEndArg;
  u32 iPid;              /* of the process that opened the connection */
  Place *pPlaces;        /* in every lock file that was needed */
  Place *pMain;          /* in that of main; NULL until the first call */
  TxnScope scope;
  i64 iToken;            /* of the last grant */
  int nSkip;             /* searches for free rows that go on */
  void *pGuards;         /* what the guards of this connection know */
  const SessionGuards *pGuardEvents;
  i64 msTimeout;
  char zLabel[LIMIT_LABEL+1];
};

/* Rows and tables, as bits. */
#define KINDS_OF_TABLES (1u<<KEY_ROW | 1u<<KEY_TABLE)

/* ---- places ----------------------------------------------------------- */

static void failPlace(Sqlx *x, LockRc eRc, const Place *pPlace){
  LockFailure failure = { 0, 0, 0, WAITING_ALLOWED, 0 };
  failure.pPlace = pPlace;
  lockerrorSet(x, eRc, &failure);
}

static int isMain(const char *zSchema){
  return zSchema==0 || sqlite3_stricmp(zSchema, "main")==0;
}

/* Is the database of a place attached? */
static int isAttached(Sqlx *x, const Place *pPlace){
  const char **az = sqlxSchemas(x);
  int bMemory = placeFileName(pPlace)[0]==0, i;
  for(i=0; az && az[i]; i++){
    const char *zDb;
    if( bMemory ){
      if( placeOf(pPlace, x->db, az[i]) ) return 1;
      continue;
    }
    zDb = sqlite3_db_filename(x->db, az[i]);
    if( zDb && strcmp(zDb, pPlace->zName)==0 ) return 1;
  }
  return x->rc!=SQLITE_OK;
}

/* Leave the lock files of databases that were detached, unless something is
** held in them: a program may attach one file after the other. A database in
** memory is gone, at least for this connection, and what is held in it, too. */
static void leaveDetached(Session *p, Sqlx *x, int bMemory){
  Place *pPlace;
  for(pPlace=p->pPlaces; pPlace; pPlace=pPlace->pNext){
    int bFile = placeFileName(pPlace)[0]!=0;
    if( pPlace==p->pMain || pPlace->pLock==0 || (bMemory && bFile)
     || lockWriting(pPlace->pLock) || isAttached(x, pPlace)
     || (bFile && lockHolding(pPlace->pLock)) ) continue;
    placeEnd(pPlace);
  }
}

/* The place of a schema, not yet begun; NULL with an error. */
static Place *findPlace(Session *p, Sqlx *x, const char *zSchema){
  Place *pPlace = 0;
  LockRc eRc;
  if( x->rc!=SQLITE_OK ) return 0;
  leaveDetached(p, x, 1);
  if( isMain(zSchema) && p->pMain ) return p->pMain;
  /* A statement that goes on can name a database that is detached by now. */
  if( !isMain(zSchema) && sqlite3_db_filename(p->db, zSchema)==0 ){
    sqlxBad(x, "there is no schema %Q; allowed are main and attached ones",
            zSchema);
    return 0;
  }
  eRc = placeFind(&p->pPlaces, p->db, zSchema, &pPlace);
  failPlace(x, eRc, 0);
  if( isMain(zSchema) ) p->pMain = pPlace;
  return pPlace;
}

/* The place of a schema, with a session; NULL with an error. */
Place *sessionPlace(Session *p, Sqlx *x, const char *zSchema){
  Place *pPlace = findPlace(p, x, zSchema);
  LockRc eRc;
  if( pPlace==0 || pPlace->pLock ) return pPlace;
  if( pPlace!=p->pMain ) leaveDetached(p, x, 0);
  eRc = osPid()==p->iPid ? placeBegin(pPlace, p->db, zSchema) : LOCK_FORKED;
  failPlace(x, eRc, pPlace);
  if( eRc!=LOCK_OK ) return 0;
  if( p->zLabel[0] ) lockSessionLabel(pPlace->pLock, p->zLabel);
  return pPlace;
}

/* ---- the transaction -------------------------------------------------- */

static int onMark(void *pArg, int iFrom, int iTo){
  Session *p = (Session*)pArg;
  Place *pPlace;
  for(pPlace=p->pPlaces; pPlace; pPlace=pPlace->pNext){
    if( !placeMark(pPlace, iFrom, iTo) ) return SQLITE_NOMEM;
  }
  return SQLITE_OK;
}

static void onRollbackTo(void *pArg, int i){
  Session *p = (Session*)pArg;
  Place *pPlace;
  for(pPlace=p->pPlaces; pPlace; pPlace=pPlace->pNext){
    placeRollbackTo(pPlace, i);
  }
}

static void onEnd(void *pArg){
  Session *p = (Session*)pArg;
  Place *pPlace;
  for(pPlace=p->pPlaces; pPlace; pPlace=pPlace->pNext){
    if( pPlace->pLock ) lockTxnEnd(pPlace->pLock);
  }
}

/* The text of an error is the caller's to free. */
static int onCommit(void *pSession, char **pzError){
  Session *p = (Session*)pSession;
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

static const TxnEvents events = {
  onMark, onRollbackTo, onCommit, onEnd, sessionRetain, sessionRelease
};

static void askTransaction(Sqlx *x, const SessionRequest *pReq){
  if( pReq->eScope!=LOCK_SCOPE_SESSION && sqlite3_get_autocommit(x->db) ){
    sqlxFail(x, SQLITE_ERROR, "no transaction: %s needs BEGIN", pReq->zName);
  }
}

static void enlist(Session *p, Sqlx *x, const SessionRequest *pReq){
  askTransaction(x, pReq);
  if( pReq->eScope!=LOCK_SCOPE_SESSION ){
    txnscopeEnlist(&p->scope, x, pReq->zName);
  }
}

/* ---- locks ------------------------------------------------------------ */

/* Rows and tables belong to a file, and are read from it. */
static void askNewest(Sqlx *x, const SessionRequest *pReq){
  u32 eKind = pReq->key.eKind;
  if( eKind!=KEY_ROW && eKind!=KEY_TABLE ) return;
  snapshotAllows(x, pReq->zSchema ? pReq->zSchema : "main", pReq->zName);
}

/* A request that is being made. */
typedef struct Wanted {
  Session *pSession;
  Place *pPlace;
  const SessionRequest *pReq;
  LockFailure failure;
  int bWaited;           /* it was not granted at once */
  sqlite3_stmt *pLook;   /* asks whether there was an interrupt */
} Wanted;

/* The file of another place in which something is held, or NULL. */
static const char *heldElsewhere(const Session *p, const Place *pHere){
  Place *pPlace;
  for(pPlace=p->pPlaces; pPlace; pPlace=pPlace->pNext){
    if( pPlace!=pHere && pPlace->pLock && lockHolding(pPlace->pLock) ){
      return placeFileName(pPlace);
    }
  }
  return 0;
}

static int mayWait(void *pArg){
  Wanted *w = (Wanted*)pArg;
  LockFailure *f = &w->failure;
  w->bWaited = 1;
  f->eWaiting = waitingAllowed(w->pSession->db, &f->zBusy);
  if( f->eWaiting==WAITING_ALLOWED ){
    f->zBusy = heldElsewhere(w->pSession, w->pPlace);
    if( f->zBusy ) f->eWaiting = WAITING_OTHER_FILE;
  }
  return f->eWaiting==WAITING_ALLOWED;
}

static LockRc pollWait(void *pArg){
  Wanted *w = (Wanted*)pArg;
  const char *zSchema = w->pReq->zSchema ? w->pReq->zSchema : "main";
  if( waitingInterrupted(w->pSession->db, &w->pLook) ) return LOCK_INTERRUPTED;
  return waitingMoved(w->pSession->db, zSchema) ? LOCK_REPLACED : LOCK_OK;
}

/* One lock. */
static LockRc acquire(Wanted *w, const LockKey *pKey, u32 eMode){
  const SessionRequest *pReq = w->pReq;
  LockWait wait;
  wait.msTimeout = w->failure.msTimeout;
  wait.xMayWait = mayWait;
  wait.xPoll = pollWait;
  wait.pArg = w;
  w->failure.pKey = pKey;
  return lockAcquire(w->pPlace->pLock, pKey, eMode, pReq->eScope,
                     pReq->bTry ? 0 : &wait);
}

u32 sessionIntent(u32 eMode){
  return eMode==LOCK_SHARED ? LOCK_INTENT_SHARED : LOCK_INTENT_EXCLUSIVE;
}

/* The intention on the table, then the row; both or none. Both waits share the
** time. Where the first has waited, an interrupt may have come since: the row
** that was free is confirmed as well. */
static LockRc acquireRow(Wanted *w){
  const SessionRequest *pReq = w->pReq;
  LockSession *pLock = w->pPlace->pLock;
  u32 eIntent = sessionIntent(pReq->eMode);
  u64 usBegin = osMonotonicUs();
  LockRc eRc = acquire(w, pReq->pTable, eIntent);
  LockGrant intent = lockGranted(pLock);
  int bWaited = w->bWaited;
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
  if( eRc!=LOCK_OK ) lockUndo(pLock, &intent);
  return eRc;
}

int sessionLock(Session *p, Sqlx *x, const SessionRequest *pReq){
  Wanted w;
  LockRc eRc;
  txnscopeCatchUp(&p->scope);
  askTransaction(x, pReq);
  askNewest(x, pReq);
  enlist(p, x, pReq);
  w.pSession = p;
  w.pReq = pReq;
  w.pPlace = sessionPlace(p, x, pReq->zSchema);
  if( w.pPlace==0 ) return 0;
  w.failure.pPlace = w.pPlace;
  w.failure.msTimeout = pReq->msTimeout;
  w.failure.eWaiting = WAITING_ALLOWED;
  w.failure.zBusy = 0;
  w.bWaited = 0;
  w.pLook = 0;
  eRc = pReq->pTable ? acquireRow(&w) : acquire(&w, &pReq->key, pReq->eMode);
  sqlite3_finalize(w.pLook);
  lockerrorSet(x, eRc, &w.failure);
  if( eRc==LOCK_OK ) p->iToken = (i64)lockGrantToken(w.pPlace->pLock);
  return eRc==LOCK_OK;
}

/* A search gives its rows back by the records that it was granted: nothing
** else may release them before. */
static int isSearching(const Session *p, Sqlx *x){
  if( p->nSkip==0 ) return 0;
  sqlxBad(x, "called by what skip_locked searches for; allowed is after it");
  return 1;
}

/* Release a lock in a place that there may not be. */
int sessionUnlock(Session *p, Sqlx *x, const SessionRequest *pReq){
  Place *pPlace;
  LockRc eRc;
  txnscopeCatchUp(&p->scope);
  if( (1u<<pReq->key.eKind & KINDS_OF_TABLES) && isSearching(p, x) ) return 0;
  pPlace = findPlace(p, x, pReq->zSchema);
  if( pPlace==0 || pPlace->pLock==0 ) return 0;
  if( pReq->pTable ){
    eRc = lockReleaseRow(pPlace->pLock, &pReq->key, pReq->eMode,
                         pReq->pTable, sessionIntent(pReq->eMode));
  }else{
    eRc = lockRelease(pPlace->pLock, &pReq->key, pReq->eMode);
  }
  failPlace(x, eRc, pPlace);
  return eRc==LOCK_OK;
}

i64 sessionUnlockAll(Session *p, Sqlx *x, u32 mKind, u32 mMode){
  Place *pPlace;
  i64 nAll = 0;
  txnscopeCatchUp(&p->scope);
  if( (mKind & KINDS_OF_TABLES) && isSearching(p, x) ) return 0;
  for(pPlace=p->pPlaces; pPlace && x->rc==SQLITE_OK; pPlace=pPlace->pNext){
    u64 n = 0;
    if( pPlace->pLock==0 ) continue;
    failPlace(x, lockReleaseAll(pPlace->pLock, mKind, mMode, &n), pPlace);
    nAll += (i64)n;
  }
  return nAll;
}

i64 sessionGrantToken(const Session *p){ return p->iToken; }

i64 sessionToken(Session *p, Sqlx *x, const LockKey *pKey){
  u64 iToken = 0;
  txnscopeCatchUp(&p->scope);
  if( x->rc!=SQLITE_OK || p->pMain==0 || p->pMain->pLock==0 ) return 0;
  failPlace(x, lockToken(p->pMain->pLock, pKey, &iToken), p->pMain);
  return (i64)iToken;
}

i64 sessionHolder(Session *p, Sqlx *x, const LockKey *pKey){
  const LockKey *pHeld;
  Place *pPlace;
  LockRc eRc;
  txnscopeCatchUp(&p->scope);
  pPlace = sessionPlace(p, x, 0);
  if( pPlace==0 ) return 0;
  eRc = lockGuard(pPlace->pLock, 0, pKey, &pHeld);
  failPlace(x, eRc, pPlace);
  return eRc==LOCK_NO ? (i64)lockTrouble(pPlace->pLock)->iBlocker : 0;
}

int sessionCancel(Session *p, Sqlx *x, const char *zSchema, i64 iId){
  Place *pPlace = findPlace(p, x, zSchema);
  LockFile *pFile = 0;
  LockRc eRc;
  if( pPlace==0 ) return 0;
  eRc = placeRefer(pPlace, &pFile);
  if( eRc==LOCK_OK ) eRc = lockCancel(pFile, (u64)iId);
  failPlace(x, eRc, pPlace);
  lockClose(pFile);
  return eRc==LOCK_OK;
}

/* ---- searching for what is free --------------------------------------- */

int sessionSkipBegin(
  Session *p,
  Sqlx *x,
  const SessionRequest *pReq,
  SessionSkip *pSkip
){
  LockRc eRc;
  pSkip->pSession = p;
  pSkip->pReq = pReq;
  txnscopeCatchUp(&p->scope);
  enlist(p, x, pReq);
  pSkip->pPlace = sessionPlace(p, x, pReq->zSchema);
  if( pSkip->pPlace==0 ) return 0;
  pSkip->iLevel = lockLevel(pSkip->pPlace->pLock);
  eRc = lockAcquire(pSkip->pPlace->pLock, pReq->pTable,
                    sessionIntent(pReq->eMode), pReq->eScope, 0);
  pSkip->intent = lockGranted(pSkip->pPlace->pLock);
  failPlace(x, eRc, pSkip->pPlace);
  if( eRc==LOCK_OK ) p->nSkip++;
  return eRc==LOCK_OK;
}

/* The table's intention, held already, comes second: most rows are skipped. */
int sessionSkip(
  SessionSkip *pSkip,
  Sqlx *x,
  const LockKey *pKey,
  LockGrant *pRow
){
  const SessionRequest *pReq = pSkip->pReq;
  LockSession *pLock = pSkip->pPlace->pLock;
  LockRc eRc = lockSkip(pLock, pKey, pReq->eMode, pReq->eScope);
  if( eRc==LOCK_OK ){
    *pRow = lockGranted(pLock);
    eRc = lockAcquire(pLock, pReq->pTable, sessionIntent(pReq->eMode),
                      pReq->eScope, 0);
    if( eRc!=LOCK_OK ) lockUndo(pLock, pRow);
  }
  failPlace(x, eRc, pSkip->pPlace);
  return eRc==LOCK_OK;
}

/* By stores that cannot fail: an error may be on its way already. */
void sessionSkipBack(SessionSkip *pSkip, const LockGrant *pRow){
  LockSession *pLock = pSkip->pPlace->pLock;
  if( pRow->eScope!=LOCK_SCOPE_SESSION ) return;
  lockUndo(pLock, pRow);
  lockUndo(pLock, &pSkip->intent);
}

int sessionSkipProbe(SessionSkip *pSkip){
  return lockSkipProbe(pSkip->pPlace->pLock);
}

void sessionSkipEnd(SessionSkip *pSkip, int bKeep){
  LockSession *pLock = pSkip->pPlace->pLock;
  pSkip->pSession->nSkip--;
  if( pSkip->pReq->eScope==LOCK_SCOPE_SESSION ){
    lockUndo(pLock, &pSkip->intent);
  }else if( !bKeep ){
    lockRollbackTo(pLock, pSkip->iLevel);
  }
}

/* ---- settings --------------------------------------------------------- */

i64 sessionId(Session *p, Sqlx *x){
  Place *pPlace;
  if( osPid()!=p->iPid ) failPlace(x, LOCK_FORKED, 0);
  pPlace = sessionPlace(p, x, 0);
  return pPlace ? (i64)lockSessionId(pPlace->pLock) : 0;
}

i64 sessionTimeout(const Session *p){ return p->msTimeout; }
void sessionSetTimeout(Session *p, i64 ms){ p->msTimeout = ms; }

const char *sessionLabel(const Session *p){ return p->zLabel; }

/* Cut between characters if it is too long. */
void sessionSetLabel(Session *p, const char *zLabel){
  size_t n = strlen(zLabel);
  Place *pPlace;
  if( n>LIMIT_LABEL ){
    for(n=LIMIT_LABEL; n>0 && (zLabel[n] & 0xC0)==0x80; n--){}
  }
  memmove(p->zLabel, zLabel, n);
  p->zLabel[n] = 0;
  for(pPlace=p->pPlaces; pPlace; pPlace=pPlace->pNext){
    if( pPlace->pLock ) lockSessionLabel(pPlace->pLock, p->zLabel);
  }
}

i64 sessionReset(Session *p, Sqlx *x){
  Place *pPlace;
  i64 nAll = 0;
  txnscopeCatchUp(&p->scope);
  if( isSearching(p, x) ) return 0;
  for(pPlace=p->pPlaces; pPlace; pPlace=pPlace->pNext){
    if( pPlace->pLock && lockWriting(pPlace->pLock) ){
      sqlxBad(x, "called in a transaction that has written a guarded table;"
                 " allowed is after COMMIT or ROLLBACK");
      return 0;
    }
  }
  for(pPlace=p->pPlaces; pPlace; pPlace=pPlace->pNext){
    u64 n = 0;
    /* A session that cannot be used any more, of a fork's child, of a replaced
    ** or malformed file, has nothing to give back. */
    if( pPlace->pLock
     && lockReleaseAll(pPlace->pLock, ~0u, ~SESSION_INTENTS, &n)==LOCK_OK ){
      nAll += (i64)n;
    }
    placeEnd(pPlace);
  }
  p->msTimeout = -1;
  p->zLabel[0] = 0;
  return nAll;
}

/* ---- looking ---------------------------------------------------------- */

/* A reference on the lock file of a place; NULL if it has none, or one that is
** seen already. */
static LockFile *referTo(Session *p, Sqlx *x, const Place *pPlace,
                         const SessionLook *pLook){
  LockFile *pFile = 0;
  LockRc eRc = LOCK_FORKED;
  int i;
  if( pPlace==0 ) return 0;
  if( pPlace->pFile || osPid()==p->iPid ) eRc = placeLook(pPlace, &pFile);
  failPlace(x, eRc, pPlace);
  for(i=0; i<pLook->n && pFile; i++){
    if( pLook->a[i].pFile==pFile ){
      lockClose(pFile);
      pFile = 0;
    }
  }
  return pFile;
}

static void lookFile(Session *p, Sqlx *x, const char *zSchema,
                   SessionLook *pLook){
  Place *pPlace = findPlace(p, x, zSchema);
  LockFile *pFile = referTo(p, x, pPlace, pLook);
  LookFile *aNew;
  LookFile *pNew;
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
  failPlace(x, lockSnapshot(pFile, &pNew->snapshot), pPlace);
  lockLooked(pFile);
}

int sessionLook(Session *p, Sqlx *x, SessionLook *pLook){
  const char **azSchema;
  int i;
  memset(pLook, 0, sizeof(*pLook));
  txnscopeCatchUp(&p->scope);
  azSchema = sqlxSchemas(x);
  for(i=0; azSchema && azSchema[i] && x->rc==SQLITE_OK; i++){
    if( sqlite3_stricmp(azSchema[i], "temp")==0 ) continue;
    lookFile(p, x, azSchema[i], pLook);
  }
  if( x->rc!=SQLITE_OK ) sessionLookEnd(pLook);
  return x->rc==SQLITE_OK;
}

void sessionLookEnd(SessionLook *pLook){
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

/* The registration comes before the look at the locks: whoever is granted one
** of this file from now on waited for the end of this transaction. */
int sessionWriter(Sqlx *x, const Place *pPlace){
  LockRc eRc = lockWriterEnter(pPlace->pLock);
  failPlace(x, eRc, pPlace);
  return eRc==LOCK_OK;
}

u64 sessionTransaction(const Session *p){ return p->scope.iNumber; }

void *sessionGuards(const Session *p){ return p->pGuards; }
void sessionSetGuards(
  Session *p,
  void *pGuards,
  const SessionGuards *pEvents
){
  p->pGuards = pGuards;
  p->pGuardEvents = pEvents;
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
  placeFree(&p->pPlaces);
  if( p->pGuards ) p->pGuardEvents->xFree(p->pGuards);
  p->xEnd(p->pEndArg);
  sqlite3_free(p);
}

TxnScope *sessionScope(Session *p){ return &p->scope; }
