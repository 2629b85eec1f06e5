/* SPDX-License-Identifier: 0BSD */
/*
** model.h: what the locks mean, written from the rules of ext/core/README.md
** alone, with arrays and without records, tickets or lists.  Also the
** comparison of the real lock file with it.  lkmodel makes random steps beside
** it, lkstates all of them.
*/
#ifndef LOCK_TEST_MODEL_H
#define LOCK_TEST_MODEL_H
#include "util.h"

enum { NS = 8, NK = 8, NM = LOCK_MODES };
/* Keys 0 to 2 are advisory.  A row, a table, a semaphore, and a channel: the
** key of those that listen, and that of notes. */
enum { K_ROW = 3, K_TABLE, K_PERMIT, K_LISTEN, K_NOTE };
typedef struct MHold { int n; int seq; } MHold;    /* seq 0: no such hold */
typedef struct MReq { int s, m, scope, permits; } MReq;
typedef struct Model {
  MHold hold[NS][NK][NM];
  MReq q[NK][NS];
  int nq[NK];
  int txn[NS], seq[NS], nsp[NS], sp[NS][4];
  int writer;                                      /* 1 + session */
  MReq got[NS];                                    /* granted from the queue, */
  int gotKey[NS];                                  /* and of which key */
  int late[NS];                                    /* 1: and not taken yet */
  int told[NS];                                    /* 1: its channel rang */
} Model;

static Model M;
static LockFile *pF;
static LockSession *aS[NS];
static u32 aLevel[NS][4];
static int nSes, nKey;
static LockKey aKey[NK];
static long aCount[8];
static LockRc rcAsked;                             /* of the last doAsk */

/* A set of locks: taken one after the other, all or none.  The last of them may
** be waited for. */
typedef struct MSet {
  int n, scope, m, seq;                            /* seq: the model's level */
  u32 iLevel;
  int aKey[NK];
  LockGrant a[NK];
} MSet;
static MSet aSet[NS];
static u32 aListen[NS];                            /* record, last number */
static u64 aHeard[NS];

/* The conflict matrix once more, written independently of key.c. */
static int conflict(int a, int b){
  static const char *az[] = { "", "....X", "..SBX", ".I.BX", ".ISBX",
                                "AISBX" };
  static const char zName[] = "?AISBX";            /* IS IX S SIX X */
  _Static_assert(sizeof(az)/sizeof(az[0])==NM && sizeof(zName)==NM+1,
                 "every mode");
  return strchr(az[a], zName[b])!=0;
}
static int holds(int s, int k, int m){
  return M.hold[s][k][m].n>0 || M.hold[s][k][m].seq>0;
}
static int isObject(int k){ return k==K_ROW || k==K_TABLE; }
static int modelWriterBlocks(int s, int k){
  return M.writer && M.writer!=s+1 && isObject(k);
}
static int heldAgainst(int s, int k, int m, int permits){
  int t, o, n = 0;
  if( k==K_PERMIT ){
    for(t=0; t<nSes; t++) n += t!=s && holds(t, k, LOCK_EXCLUSIVE);
    return n>=permits;
  }
  for(t=0; t<nSes; t++) if( t!=s ) for(o=1; o<NM; o++){
    if( holds(t, k, o) && conflict(m, o) ) return 1;
  }
  return modelWriterBlocks(s, k);
}
static int waitsOn(int s){                         /* 1 + key */
  int k, i;
  for(k=0; k<NK; k++) for(i=0; i<M.nq[k]; i++) if( M.q[k][i].s==s ) return k+1;
  return 0;
}
/* 1 if the session waits and may do other things meanwhile: a request of a
** transaction is only waited for. */
static int isBusy(int s){
  int k = waitsOn(s)-1, i;
  for(i=0; k>=0 && M.q[k][i].s!=s; i++){}
  return k>=0 && M.q[k][i].scope==LOCK_SCOPE_SESSION;
}
static void give(int s, int k, int m, int scope){
  MHold *h = &M.hold[s][k][m];
  if( scope==LOCK_SCOPE_SESSION ) h->n++;
  else if( scope==LOCK_SCOPE_TURN ) h->seq = 1;    /* older than anything */
  else{
    ++M.seq[s];
    if( h->seq==0 ) h->seq = M.seq[s]; else M.seq[s]--;
  }
}
static void scan(int k){
  int i, j;
  for(i=0; i<M.nq[k]; i++){
    MReq r = M.q[k][i];
    int ok = !heldAgainst(r.s, k, r.m, r.permits);
    for(j=0; j<i && ok; j++) if( conflict(r.m, M.q[k][j].m) ) ok = 0;
    if( !ok ) continue;
    give(r.s, k, r.m, r.scope);
    M.got[r.s] = r;
    M.gotKey[r.s] = k;
    for(j=i; j+1<M.nq[k]; j++) M.q[k][j] = M.q[k][j+1];
    M.nq[k]--;
    i--;
  }
}
static void scanAll(void){ int k; for(k=0; k<NK; k++) scan(k); }
static void leaveQueue(int s){
  int k = waitsOn(s)-1, i;
  if( k<0 ) return;
  for(i=0; M.q[k][i].s!=s; i++){}
  for(; i+1<M.nq[k]; i++) M.q[k][i] = M.q[k][i+1];
  M.nq[k]--;
  scan(k);
}

/* 1 if a session is on a cycle. */
static int cyclic(void){
  int e[NS][NS], k, i, j, t, o;
  memset(e, 0, sizeof e);
  for(k=0; k<NK; k++) for(i=0; i<M.nq[k]; i++){
    MReq r = M.q[k][i];
    for(t=0; t<nSes && r.permits<2; t++) if( t!=r.s ) for(o=1; o<NM; o++){
      if( holds(t, k, o) && conflict(r.m, o) ) e[r.s][t] = 1;
    }
    for(j=0; j<i; j++) if( conflict(r.m, M.q[k][j].m) ) e[r.s][M.q[k][j].s] = 1;
  }
  for(k=0; k<NS; k++) for(i=0; i<NS; i++) for(j=0; j<NS; j++){
    if( e[i][k] && e[k][j] ) e[i][j] = 1;
  }
  for(i=0; i<NS; i++) if( e[i][i] ) return 1;
  return 0;
}
/* 1 if some order of the queues has no cycle; -1: too many to try. */
static int permute(int k, int i, long *pn){
  int j, rc;
  if( k==NK ) return ++*pn>60000 ? -1 : !cyclic();
  if( i>=M.nq[k] ) return permute(k+1, 0, pn);
  for(j=i; j<M.nq[k]; j++){
    MReq r = M.q[k][i];
    M.q[k][i] = M.q[k][j]; M.q[k][j] = r;
    rc = permute(k, i+1, pn);
    r = M.q[k][i]; M.q[k][i] = M.q[k][j]; M.q[k][j] = r;
    if( rc ) return rc;
  }
  return 0;
}

/* G1 to G4.  The result is lockAsk's, but the caller must look for a cycle. */
static int ask(int s, int k, int m, int scope, int bQueue){
  int i, j, ahead = 0, place = -1, before = 0, own = 0;
  MReq r;
  for(i=1; i<NM; i++) own |= holds(s, k, i);
  if( holds(s, k, m) ){ give(s, k, m, scope); return LOCK_OK; }
  for(i=0; i<M.nq[k]; i++){
    if( M.q[k][i].s==s && k!=K_PERMIT ) continue;
    if( conflict(m, M.q[k][i].m) ) ahead = 1;
    if( own && place<0 ){
      for(j=1; j<NM; j++){
        if( holds(s, k, j) && conflict(M.q[k][i].m, j) ){ place = i; break; }
      }
      if( place<0 && conflict(m, M.q[k][i].m) ) before = 1;
    }
  }
  if( !heldAgainst(s, k, m, aKey[k].nPermit)
   && (!ahead || (place>=0 && !before)) ){
    give(s, k, m, scope);
    return LOCK_OK;
  }
  if( !bQueue ) return LOCK_NO;
  r.s = s; r.m = m; r.scope = scope; r.permits = aKey[k].nPermit;
  if( place<0 ) place = M.nq[k];
  for(i=M.nq[k]; i>place; i--) M.q[k][i] = M.q[k][i-1];
  M.q[k][place] = r;
  M.nq[k]++;
  return LOCK_WAITING;
}

/*------------------------------------------------- the real one, looked at */

static int keyIndex(Seg *p, SegRecord *r){
  LockKey key;
  int k;
  recordKey(p, r, &key);
  for(k=0; k<nKey; k++){
    if( key.eKind==aKey[k].eKind && key.nKey==aKey[k].nKey
     && memcmp(key.a, aKey[k].a, key.nKey)==0 ) return k;
  }
  return -1;
}
static int sessionIndex(u32 k){
  int s;
  for(s=0; s<nSes; s++) if( lockSlot(aS[s])==k ) return s;
  return -1;
}

/* A session that listens must have a new number if its channel rang, and only
** then. */
static const char *compareHeard(void){
  int s;
  for(s=0; s<nSes && nKey>K_LISTEN; s++){
    u64 i;
    if( M.hold[s][K_LISTEN][LOCK_SHARED].n==0 ) continue;
    i = segRecord(lockSegment(pF), aListen[s])->token;
    if( i<aHeard[s] ) return "a number fell";
    if( (i!=aHeard[s])!=M.told[s] ){
      return M.told[s] ? "a notification is lost" : "nothing was notified";
    }
    aHeard[s] = i;
    M.told[s] = 0;
  }
  return 0;
}

/* Compares everything in the segment with the model.  0, or what differs. */
static const char *compare(void){
  Seg *p = lockSegment(pF);
  int n[NS][NK][NM], w[NK][NS], nw[NK], k, s, m, i;
  u64 tick[NK][NS];
  u32 j;
  memset(n, 0, sizeof n);
  memset(nw, 0, sizeof nw);
  for(j=1; j<=segHeader(p)->usedRecord; j++){
    SegRecord *r = segRecord(p, j);
    u32 e = SEG_STATE(r->state);
    if( e==SEG_FREE || e==SEG_TEXT ) continue;
    k = keyIndex(p, r); s = sessionIndex(r->session); m = (int)REC_MODE(r);
    if( k<0 || s<0 ) return "a record of no session of the model";
    if( e==SEG_GRANTED ){
      int bT = r->txnHold && !recordHoldInvalid(p, r);
      if( n[s][k][m] ) return "two records of one grant";
      n[s][k][m] = 1 + (int)r->sesCount*2 + bT;
      if( r->token==0 ) return "no token";
    }else if( e==SEG_WAITING ){
      for(i=nw[k]; i>0 && tick[k][i-1]>r->ticket; i--){
        tick[k][i] = tick[k][i-1]; w[k][i] = w[k][i-1];
      }
      tick[k][i] = r->ticket; w[k][i] = s*16 + m;
      nw[k]++;
    }else return "a request that is over";
  }
  for(k=0; k<nKey; k++){
    for(s=0; s<nSes; s++) for(m=1; m<NM; m++){
      MHold *h = &M.hold[s][k][m];
      int x = holds(s, k, m) ? 1 + h->n*2 + (h->seq>0) : 0;
      if( x!=n[s][k][m] ) return "holds differ";
    }
    if( nw[k]!=M.nq[k] ) return "queue lengths differ";
    for(i=0; i<nw[k]; i++){
      if( w[k][i]!=M.q[k][i].s*16 + M.q[k][i].m ) return "queue order differs";
    }
  }
  return compareHeard();
}

/* After a rearrangement: puts the model's queues into the order of the tickets
** of the real requests, also of those that were granted by it. */
static void adoptOrder(void){
  Seg *p = lockSegment(pF);
  int k, i, j;
  for(k=0; k<nKey; k++){
    u64 t[NS];
    for(i=0; i<M.nq[k]; i++){
      u32 x;
      t[i] = 0;
      for(x=1; x<=segHeader(p)->usedRecord; x++){
        SegRecord *r = segRecord(p, x);
        u32 e = SEG_STATE(r->state);
        if( e!=SEG_WAITING && e!=SEG_GRANTED ) continue;
        if( keyIndex(p, r)==k && sessionIndex(r->session)==M.q[k][i].s
         && (int)REC_MODE(r)==M.q[k][i].m ) t[i] = r->ticket;
      }
    }
    for(i=1; i<M.nq[k]; i++) for(j=i; j>0 && t[j-1]>t[j]; j--){
      MReq r = M.q[k][j]; u64 x = t[j];
      M.q[k][j] = M.q[k][j-1]; t[j] = t[j-1];
      M.q[k][j-1] = r; t[j-1] = x;
    }
  }
}

/*---------------------------------------------------------------- steps ---*/

/* Each of these makes one call, and the same step of the model.  0, or what
** differs. */

static const char *doAsk(int s, int k, int m, int scope, int bQueue){
  int e, x;
  LockRc rc;
  Model was = M;
  M.txn[s] = 1;
  if( waitsOn(s) || M.late[s] ) bQueue = 0;
  e = ask(s, k, m, scope, bQueue);
  if( e==LOCK_OK && cyclic() ) return "a grant completes a cycle";
  x = e==LOCK_WAITING && cyclic();
  rcAsked = rc = lockAsk(aS[s], &aKey[k], (u32)m, (u32)scope, bQueue);
  if( rc==LOCK_FULL && LIMIT_RECORD<100 ){
    M = was;
    aCount[4]++;
    return 0;
  }
  if( !x ) return (int)rc==e ? 0 : "result differs";
  aCount[0]++;
  if( rc==LOCK_DEADLOCK ){
    long n = 0;
    aCount[1]++;
    x = permute(0, 0, &n);
    if( x<0 ) aCount[3]++;
    if( x>0 ) return "a deadlock was invented: another order has no cycle";
    leaveQueue(s);
    return 0;
  }
  if( rc!=LOCK_WAITING ) return "neither waiting nor deadlock";
  aCount[2]++;
  adoptOrder();
  if( cyclic() ) return "a deadlock was missed";
  scanAll();
  return 0;
}
static void dropTxn(int s, int above){
  int k, m;
  for(k=0; k<NK; k++) for(m=1; m<NM; m++){
    if( M.hold[s][k][m].seq>above ) M.hold[s][k][m].seq = 0;
  }
}
/* Rings the channel. */
static void ring(void){
  int t;
  for(t=0; t<nSes; t++) M.told[t] |= M.hold[t][K_LISTEN][LOCK_SHARED].n;
}
static void modelEnd(int s){
  dropTxn(s, 0);
  M.txn[s] = M.nsp[s] = 0;
  M.seq[s] = 1;
  if( M.writer==s+1 ) M.writer = 0;
  scanAll();
}
static void doEnd(int s){
  if( M.hold[s][K_NOTE][LOCK_SHARED].seq ) ring();
  modelEnd(s);
  lockTxnEnd(aS[s]);
}
static void doSavepoint(int s){
  if( M.nsp[s]<4 ){
    aLevel[s][M.nsp[s]] = lockLevel(aS[s]);
    M.sp[s][M.nsp[s]++] = M.seq[s];
  }
}
static void doRollbackTo(int s, int i){
  M.nsp[s] = i+1;
  dropTxn(s, M.sp[s][i]);
  lockRollbackTo(aS[s], aLevel[s][i]);
  scanAll();
}
/* How many holds belong to a request that is granted and not taken. */
static int untaken(int s, int k, int m){
  return M.late[s] && M.gotKey[s]==k && M.got[s].m==m;
}
static const char *doUnlock(int s, int k, int m){
  int e = M.hold[s][k][m].n>untaken(s, k, m) ? LOCK_OK : LOCK_NO;
  if( e==LOCK_OK ) M.hold[s][k][m].n--;
  scan(k);
  return (int)lockRelease(aS[s], &aKey[k], (u32)m)==e ? 0 : "unlock differs";
}
static const char *doUnlockAll(int s, u32 mKind, u32 mMode){
  int k, m;
  u64 n = 0, nReal = 0;
  for(k=0; k<nKey; k++) for(m=1; m<NM; m++){
    if( !(mKind>>aKey[k].eKind & 1) || !(mMode>>m & 1) ) continue;
    n += (u64)(M.hold[s][k][m].n - untaken(s, k, m));
    M.hold[s][k][m].n = untaken(s, k, m);
  }
  scanAll();
  if( lockReleaseAll(aS[s], mKind, mMode, &nReal)!=LOCK_OK ){
    return "unlock_all";
  }
  return n==nReal ? 0 : "unlock_all counts differently";
}
/* A try for work queues: no session may hold or wait for it, nor this one. */
static const char *doSkip(int s, int k, int m, int scope){
  Model was = M;
  LockRc rc;
  int i, e = heldAgainst(s, k, m, aKey[k].nPermit) ? LOCK_NO : LOCK_OK;
  for(i=1; i<NM; i++) if( holds(s, k, i) ) e = LOCK_NO;
  for(i=0; i<M.nq[k]; i++){
    if( M.q[k][i].s==s && k!=K_PERMIT ) continue;
    if( conflict(m, M.q[k][i].m) ) e = LOCK_NO;
  }
  M.txn[s] = 1;
  if( e==LOCK_OK ) give(s, k, m, scope);
  rc = lockSkip(aS[s], &aKey[k], (u32)m, (u32)scope);
  if( rc==LOCK_FULL && LIMIT_RECORD<100 ){
    M = was;
    aCount[4]++;
    return 0;
  }
  return (int)rc==e ? 0 : "skip differs";
}
/* A try whose grant goes back at once must leave the state as it was.  A turn
** that the transaction held already stays a turn. */
static const char *doUndo(int s, int k, int m, int scope){
  MHold *h = &M.hold[s][k][m], was = *h;
  int bTurn = scope==LOCK_SCOPE_TURN && h->seq>0;
  int e = ask(s, k, m, scope, 0);
  LockRc rc = lockAsk(aS[s], &aKey[k], (u32)m, (u32)scope, 0);
  LockGrant g = lockGranted(aS[s]);
  M.txn[s] = 1;
  if( rc==LOCK_FULL && LIMIT_RECORD<100 ){
    *h = was;
    aCount[4]++;
    return 0;
  }
  if( (int)rc!=e ) return "result differs";
  if( e!=LOCK_OK ) return 0;
  lockUndo(aS[s], &g);
  if( !bTurn ) *h = was;
  scanAll();
  return 0;
}
/* The grant that the waiter of session s was just given meets an interrupt. */
static const char *doInterrupt(int s){
  MReq *r = &M.got[s];
  MHold *h = &M.hold[s][M.gotKey[s]][r->m];
  if( lockGiveUp(aS[s], LOCK_INTERRUPTED)!=LOCK_INTERRUPTED ){
    return "a grant beat the interrupt";
  }
  if( r->scope==LOCK_SCOPE_SESSION ) h->n--; else h->seq = 0;
  scanAll();
  return 0;
}
/* 1 if another session holds what a write in this mode conflicts with. */
static int isBarred(int s, int k, int m){
  int t, o;
  for(t=0; t<nSes; t++) for(o=1; o<NM; o++){
    if( t!=s && holds(t, k, o) && conflict(m, o) ) return 1;
  }
  return 0;
}
/* The guard of table iTable and row iRow, -1 for none.  The table comes
** first. */
static int guardDiffers(int s, int iTable, int iRow){
  const LockKey *pTable = iTable<0 ? 0 : &aKey[iTable], *pHeld;
  const LockKey *pRow = iRow<0 ? 0 : &aKey[iRow], *pWant = 0;
  LockRc rc = lockGuard(aS[s], pTable, pRow, &pHeld);
  if( pTable && isBarred(s, iTable, LOCK_INTENT_EXCLUSIVE) ) pWant = pTable;
  else if( pRow && isBarred(s, iRow, LOCK_EXCLUSIVE) ) pWant = pRow;
  return pHeld!=pWant || rc!=(pWant ? LOCK_NO : LOCK_OK);
}
/* Compares what a guard of the table and its row sees, and whether the session
** holds anything. */
static const char *doLook(int s){
  int k, m, t, o, bFree = M.writer==s+1, n = 0;
  for(k=0; k<nKey; k++) for(m=1; m<NM && k<K_LISTEN; m++) n += holds(s, k, m);
  if( lockHolding(aS[s])!=(n>0) ) return "holding differs";
  for(k=K_ROW; k<nKey && k<=K_TABLE; k++) for(m=K_ROW; m<=k; m++){
    if( guardDiffers(s, k, -1) || guardDiffers(s, -1, m)
     || guardDiffers(s, k, m) ) return "guard differs";
  }
  for(t=0; t<nSes; t++) for(o=1; o<NM; o++) if( holds(t, 4, o) ) bFree = 0;
  return lockGuardFree(aS[s], &aKey[4])==bFree ? 0 : "guard word differs";
}
static void doClose(int s){
  int k, m;
  leaveQueue(s);
  /* it may have committed */
  if( M.hold[s][K_NOTE][LOCK_SHARED].seq ) ring();
  for(k=0; k<NK; k++) for(m=1; m<NM; m++){
    M.hold[s][k][m].n = M.hold[s][k][m].seq = 0;
  }
  if( M.writer==s+1 ) M.writer = 0;
  M.txn[s] = M.nsp[s] = M.late[s] = M.told[s] = aSet[s].n = 0;
  M.seq[s] = 1;
  scanAll();
  lockSessionEnd(aS[s]);
  aS[s] = beginOrDie(pF);
}
static const char *doWaiter(int s, int e){
  LockRc rc;
  switch( e ){
    case 0:
      leaveQueue(s);
      rc = lockGiveUp(aS[s], LOCK_TIMEOUT);
      return rc==LOCK_TIMEOUT ? 0 : "giving up";
    case 1:
      if( lockCancel(pF, lockSessionId(aS[s]))!=LOCK_OK ) return "cancel";
      leaveQueue(s);
      return lockOutcome(aS[s])==LOCK_CANCELLED ? 0 : "not cancelled";
    case 2:
      lockPoll(aS[s]);
      return 0;
    default:
      if( lockAsk(aS[s], &aKey[0], LOCK_SHARED, 0, 1)!=LOCK_MISUSE ){
        return "two requests";
      }
      return lockStands(aS[s])==LOCK_WAITING ? 0 : "not waiting";
  }
}
/* One writer at a time, as SQLite's write lock ensures. */
static const char *doWriter(int s){
  LockRc rc;
  if( M.writer && M.writer!=s+1 ) return 0;
  M.writer = s+1;
  rc = lockWriterEnter(aS[s]);
  scanAll();
  return rc==LOCK_OK ? 0 : "writer";
}
/*----------------------------------------------------------------- sets ---*/

/* Gives the locks of a set back, the last one first.  Another process may be in
** the mutex meanwhile. */
static void undoSet(int s, int bInside){
  MSet *p = &aSet[s];
  int bHeld;
  if( p->n==0 ) return;
  bHeld = bInside && otherEnters(lockSegment(pF))==MUTEX_ENTERED;
  if( p->scope==LOCK_SCOPE_TRANSACTION ){
    dropTxn(s, p->seq);
    lockRollbackTo(aS[s], p->iLevel);
    p->n = 0;
  }
  while( p->n>0 ){
    M.hold[s][p->aKey[--p->n]][p->m].n--;
    lockUndo(aS[s], &p->a[p->n]);
  }
  if( bHeld ){
    otherLeaves(lockSegment(pF));
    lockHolding(aS[s]);            /* it settles */
  }
  scanAll();
}
/* The step has granted requests: each waiter must see its grant.  A session
** that mStop has a bit for is interrupted at that moment.  One that mLate has a
** bit for does other things first, if it has a request without a wait. */
static const char *outcomes(u32 mStop, u32 mLate){
  int s;
  for(s=0; s<nSes; s++){
    if( !lockPending(aS[s]) || waitsOn(s) || M.late[s] ) continue;
    if( (mLate>>s & 1) && M.got[s].scope==LOCK_SCOPE_SESSION
     && aSet[s].n==0 ){
      M.late[s] = 1;
    }else if( mStop>>s & 1 ){
      const char *z = doInterrupt(s);
      if( z ) return z;
      undoSet(s, 0);
      s = -1;                      /* it may have passed to another waiter */
    }else if( lockOutcome(aS[s])!=LOCK_OK ){
      return "granted, but not told";
    }else{
      aSet[s].n = 0;               /* the set is complete */
    }
  }
  return 0;
}

static void makeKeys(void){
  char zLong[256];
  i64 v = 42;
  i32 aPair[2] = { 0, 42 };
  memset(zLong, 'k', 255);
  keyMake(&aKey[0], KEY_INTEGER, &v, 8);
  keyMake(&aKey[1], KEY_PAIR, aPair, 8);
  keyMake(&aKey[2], KEY_TEXT, zLong, 255);
  keyMake(&aKey[3], KEY_ROW, zLong, 100);
  keyMake(&aKey[4], KEY_TABLE, "t", 1);
  keyMake(&aKey[K_PERMIT], KEY_SEMAPHORE, "s", 1);
  keyMake(&aKey[K_LISTEN], KEY_LISTEN, "c", 1);
  keyMake(&aKey[K_NOTE], KEY_NOTIFY, "c", 1);
}
#endif
