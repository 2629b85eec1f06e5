/* SPDX-License-Identifier: 0BSD */
/*
** lkstates.c: all states that a few sessions can reach on one or two keys, and
** every call in each of them.  The lock manager itself runs, beside the model
** of test/core/model.h.
**
** A state is the model's: which session holds what in which scope, the order of
** the queues, savepoints.  The program searches breadth first.  It stores the
** first way into a state as a copy of the part of the segment that is in use
** and of the sessions' own memory.  From that copy it makes every call that is
** possible in the state.  It compares what lkmodel compares: results, holds,
** queues, that no deadlock is missed and, by trying all orders of all queues,
** that none is invented.
**
** Deaths: during a call the program copies the segment at each numbered store.
** Each copy is what other processes find if the caller's process dies there.
** After its recovery it must be what the model says without the dead process.
** If a queue was being rearranged, any order is right that has no cycle and no
** grantable request, and in which no hold is lost.
**
** Two sessions may belong to one process, and then die together.
**
**   lkstates [quick | WORLD]
*/
#include "model.h"

enum { RECORDS = 32, HEADBYTES = 832, IMAGES = 256, MXSES = 4 };

typedef struct World {
  const char *zName;
  int nSes, kFirst, kEnd;      /* sessions; keys of model.h */
  u32 mMode;                   /* modes asked for, as MODE_BITs */
  u32 mScope;                  /* bits 1: session, 2: transaction */
  int mxHold;                  /* grants of one session at a time */
  int nSp;                     /* savepoints of one session at a time */
  int bWriter;                 /* a session is the active writer */
  int bPair;                   /* sessions 0 and 1 are of one process */
  int bBusy;                   /* sessions make other calls while they wait */
  u32 mxState;                 /* more is an error */
} World;
enum { IS_ = 1u<<LOCK_INTENT_SHARED, IX_ = 1u<<LOCK_INTENT_EXCLUSIVE,
       S_ = 1u<<LOCK_SHARED, SIX_ = 1u<<LOCK_SHARED_AND_INTENT_EXCLUSIVE,
       X_ = 1u<<LOCK_EXCLUSIVE, ALL_ = (1u<<LOCK_MODES) - 2 };
static const World aWorld[] = {
  { "modes: 3 sessions, 1 key, all modes",
    3, 0, 1, ALL_, 1, 2, 0, 0, 0, 0, 40000 },
  { "scopes: 3 sessions, 1 key, S X, both scopes, a savepoint",
    3, 0, 1, S_|X_, 3, 2, 1, 0, 0, 0, 100000 },
  { "deadlocks: 3 sessions, 2 keys, S X",
    3, 0, 2, S_|X_, 1, 3, 0, 0, 0, 0, 20000 },
  { "queues: 4 sessions, 1 key, S X",
    4, 0, 1, S_|X_, 1, 2, 0, 0, 0, 0, 100000 },
  { "one process: 3 sessions, two of them die together, 2 keys, S X",
    3, 0, 2, S_|X_, 1, 2, 0, 0, 1, 0, 20000 },
  { "writer: 3 sessions, a row, S X, transactions",
    3, 3, 4, S_|X_, 2, 2, 0, 1, 0, 0, 20000 },
  { "table: 3 sessions, a table, IX S X, transactions, writer",
    3, 4, 5, IX_|S_|X_, 2, 2, 0, 1, 0, 0, 20000 },
  { "row and table: 2 sessions, IX X, transactions, a savepoint, writer",
    2, 3, 5, IX_|X_, 2, 2, 1, 1, 0, 0, 20000 },
  { "requests: 3 sessions, 1 key, IX S X",
    3, 0, 1, IX_|S_|X_, 1, 2, 0, 0, 0, 1, 20000 },
  { "requests: 3 sessions, 2 keys, S X",
    3, 0, 2, S_|X_, 1, 3, 0, 0, 0, 1, 40000 },
  { "requests: 3 sessions, 1 key, all modes",
    3, 0, 1, ALL_, 1, 2, 0, 0, 0, 1, 200000 },
  { "requests: 3 sessions, 1 key, S X, both scopes, a savepoint, writer",
    3, 3, 4, S_|X_, 3, 2, 1, 1, 0, 1, 400000 },
  { "semaphore: 4 sessions, 2 permits, both scopes",
    4, K_PERMIT, K_PERMIT+1, X_, 3, 2, 0, 0, 0, 0, 20000 },
  { "semaphore and table: 3 sessions, 2 permits, X",
    3, K_TABLE, K_PERMIT+1, X_, 1, 2, 0, 0, 0, 0, 20000 },
  { "semaphore, requests: 4 sessions, 2 permits, two of one process",
    4, K_PERMIT, K_PERMIT+1, X_, 1, 2, 0, 0, 1, 1, 20000 },
};
static const World *pW;

/*------------------------------------------------------ copies of a state ---*/

typedef struct Image {
  u8 aHead[HEADBYTES];
  SegSession aSession[MXSES];
  SegRecord aRecord[RECORDS];
  u32 aBucket[NK];
} Image;
typedef struct Node {
  Model m;
  u32 aLevel[MXSES][4];
  LockSession aOwn[MXSES];
  Image image;
} Node;

static u32 *bucket(int k){
  Seg *p = lockSegment(pF);
  return segBucket(p, segBucketOf(aKey[k].iHash, segHeader(p)->nBucket));
}
static void saveImage(Image *g){
  Seg *p = lockSegment(pF);
  int k;
  memcpy(g->aHead, p->pBase, HEADBYTES);
  memcpy(g->aSession, segSession(p, 1), sizeof g->aSession);
  memcpy(g->aRecord, segRecord(p, 1), sizeof g->aRecord);
  for(k=0; k<NK; k++) g->aBucket[k] = *bucket(k);
}
static void loadImage(const Image *g){
  Seg *p = lockSegment(pF);
  int k;
  memcpy(p->pBase, g->aHead, HEADBYTES);
  p->iToken = p->iSession = 0;         /* back to what this process has seen */
  memcpy((void*)segSession(p, 1), g->aSession, sizeof g->aSession);
  memcpy((void*)segRecord(p, 1), g->aRecord, sizeof g->aRecord);
  for(k=0; k<NK; k++) *bucket(k) = g->aBucket[k];
}
static void saveNode(Node *n){
  int s;
  n->m = M;
  for(s=0; s<nSes; s++){
    memcpy(n->aLevel[s], aLevel[s], sizeof n->aLevel[s]);
    n->aOwn[s] = *aS[s];
  }
  saveImage(&n->image);
}
static void loadNode(const Node *n){
  int s;
  M = n->m;
  for(s=0; s<nSes; s++){
    memcpy(aLevel[s], n->aLevel[s], sizeof n->aLevel[s]);
    *aS[s] = n->aOwn[s];
  }
  loadImage(&n->image);
}

/*---------------------------------------------------------- states seen ---*/

static Node **apNode;
static u32 nNode;
static u64 *aSeen;              /* two words a state: hashes of its key */
static u32 nSeenSlot;

/* How many of the session's stamps are smaller.  The numbers do not matter. */
static u8 rank(int s, int x){
  int k, m, i;
  u8 n = 0;
  if( x==0 ) return 0;
  for(k=0; k<nKey; k++) for(m=1; m<NM; m++){
    int q = M.hold[s][k][m].seq;
    n += q>0 && q<x;
  }
  for(i=0; i<M.nsp[s]; i++) n += M.sp[s][i]<x;
  return (u8)(n+1);
}
static int isNew(void){
  u64 h[2] = { 0xcbf29ce484222325ULL, 0x9E3779B97F4A7C15ULL };
  u8 a[600];
  u32 n = 0, i;
  int s, k, m;
  for(s=0; s<nSes; s++){
    a[n++] = (u8)M.txn[s];
    a[n++] = (u8)M.nsp[s];
    for(i=0; i<(u32)M.nsp[s]; i++) a[n++] = rank(s, M.sp[s][i]);
    for(k=pW->kFirst; k<nKey; k++) for(m=1; m<NM; m++){
      a[n++] = (u8)M.hold[s][k][m].n;
      a[n++] = rank(s, M.hold[s][k][m].seq);
    }
  }
  for(k=pW->kFirst; k<nKey; k++){
    a[n++] = 255;
    for(i=0; i<(u32)M.nq[k]; i++){
      MReq *q = &M.q[k][i];
      a[n++] = (u8)(q->s*32 + q->m);
      a[n++] = (u8)q->scope;
    }
  }
  a[n++] = (u8)M.writer;
  for(i=0; i<n; i++){
    h[0] = (h[0] ^ a[i])*0x100000001b3ULL;
    h[1] = (h[1] + a[i])*0xff51afd7ed558ccdULL;
    h[1] ^= h[1]>>29;
  }
  h[0] |= 1;
  for(i=(u32)h[1]; ; i++){
    u64 *q = &aSeen[2*(u64)(i & (nSeenSlot-1))];
    if( q[0]==h[0] && q[1]==h[1] ) return 0;
    if( q[0] ) continue;
    q[0] = h[0];
    q[1] = h[1];
    return 1;
  }
}

/*---------------------------------------------------------------- calls ---*/

enum { ASKS, TRIES, UNLOCKS, UNLOCKALL, TXNEND, SAVEPOINT, ROLLBACKTO, CLOSES,
       GIVEUP, CANCELS, POLLS, WRITES, SKIPS, LOOKS, UNDOS };
static const char *azCall[] = { "lock", "try", "unlock", "unlock all", "end",
  "savepoint", "rollback to", "close", "give up", "cancel", "poll", "write",
  "skip", "look", "undo" };
typedef struct Call { int e, s, k, m, scope; } Call;

static const char *perform(const Call *c){
  switch( c->e ){
    case ASKS: return doAsk(c->s, c->k, c->m, c->scope, 1);
    case TRIES: return doAsk(c->s, c->k, c->m, c->scope, 0);
    case UNLOCKS: return doUnlock(c->s, c->k, c->m);
    case UNLOCKALL: return doUnlockAll(c->s, ~0u, ~0u);
    case SKIPS: return doSkip(c->s, c->k, c->m, c->scope);
    case LOOKS: return doLook(c->s);
    case UNDOS: return doUndo(c->s, c->k, c->m, c->scope);
    case TXNEND: doEnd(c->s); return 0;
    case SAVEPOINT: doSavepoint(c->s); return 0;
    case ROLLBACKTO: doRollbackTo(c->s, c->k); return 0;
    case CLOSES: doClose(c->s); return 0;
    case WRITES: return doWriter(c->s);
    default: return doWaiter(c->s, c->e-GIVEUP);
  }
}
static void put(Call *a, int *pn, int e, int s, int k, int m, int scope){
  Call c = { e, s, k, m, scope };
  a[(*pn)++] = c;
}
static int held(int s){
  int k, m, n = 0;
  for(k=0; k<nKey; k++) for(m=1; m<NM; m++) n += holds(s, k, m);
  return n;
}
static int listAsks(Call *a, int n, int s){
  int k, m, scope;
  for(k=pW->kFirst; k<nKey; k++) for(m=1; m<NM; m++){
    for(scope=0; scope<2; scope++){
      if( !(pW->mMode>>m & 1) || !(pW->mScope>>scope & 1) ) continue;
      if( scope==0 && M.hold[s][k][m].n ) continue;
      if( held(s)>=pW->mxHold && !holds(s, k, m) ) continue;
      if( !waitsOn(s) ) put(a, &n, ASKS, s, k, m, scope);
      put(a, &n, TRIES, s, k, m, scope);
      put(a, &n, SKIPS, s, k, m, scope);
      put(a, &n, UNDOS, s, k, m, scope);
    }
  }
  return n;
}
/* Finds every call that is possible now. */
static int listCalls(Call *a){
  int s, k, m, n = 0;
  for(s=0; s<nSes; s++){
    put(a, &n, CLOSES, s, 0, 0, 0);
    if( waitsOn(s) ){
      put(a, &n, GIVEUP, s, 0, 0, 0);
      put(a, &n, CANCELS, s, 0, 0, 0);
      put(a, &n, POLLS, s, 0, 0, 0);
      if( !pW->bBusy || !isBusy(s) ) continue;
    }
    n = listAsks(a, n, s);
    for(k=pW->kFirst; k<nKey; k++) for(m=1; m<NM; m++){
      if( M.hold[s][k][m].n ) put(a, &n, UNLOCKS, s, k, m, 0);
    }
    if( pW->mScope & 1 ) put(a, &n, UNLOCKALL, s, 0, 0, 0);
    if( M.txn[s] ) put(a, &n, TXNEND, s, 0, 0, 0);
    if( pW->bWriter ) put(a, &n, LOOKS, s, 0, 0, 0);
    if( M.nsp[s]<pW->nSp ) put(a, &n, SAVEPOINT, s, 0, 0, 0);
    for(k=0; k<M.nsp[s]; k++) put(a, &n, ROLLBACKTO, s, k, 0, 0);
    if( pW->bWriter && M.writer==0 ) put(a, &n, WRITES, s, 0, 0, 0);
  }
  return n;
}

/*--------------------------------------------------------------- deaths ---*/

static Image aImage[IMAGES];
static int aPoint[IMAGES];
static int nImage, bCapture, bCured;
static u64 nDeath, nMixed;

static int bLow;                /* a guard word was too low at some store */

void crashPoint(int i){
  if( pF ) bLow |= guardTooLow(lockSegment(pF));
  if( !bCapture || nImage==IMAGES ) return;
  if( i==CRASH_ORDER_QUEUE ) bCured = 1;
  aPoint[nImage] = i;
  saveImage(&aImage[nImage++]);
}
static int sameProcess(int s, int t){
  return s==t || (pW->bPair && s<2 && t<2);
}
static u64 numberOf(int s){ return 100u + (u64)(pW->bPair && s<2 ? 0 : s); }

static void modelDeath(int sDead){
  int s, k, m;
  for(s=0; s<nSes; s++){
    if( !sameProcess(s, sDead) ) continue;
    for(k=0; k<NK; k++) for(m=1; m<NM; m++){
      M.hold[s][k][m].n = M.hold[s][k][m].seq = 0;
    }
    if( M.writer==s+1 ) M.writer = 0;
  }
  for(k=0; k<NK; k++){
    int i, n = 0;
    for(i=0; i<M.nq[k]; i++){
      if( !sameProcess(M.q[k][i].s, sDead) ) M.q[k][n++] = M.q[k][i];
    }
    M.nq[k] = n;
  }
  scanAll();
}
/* Copies the real holds and queues, in the order of their tickets, into M. */
static const char *adopt(void){
  Seg *p = lockSegment(pF);
  u64 aTick[NK][NS];
  u32 j;
  int k, s, i;
  memset(M.hold, 0, sizeof M.hold);
  memset(M.nq, 0, sizeof M.nq);
  for(j=1; j<=segHeader(p)->usedRecord; j++){
    SegRecord *r = segRecord(p, j);
    u32 e = SEG_STATE(r->state);
    if( e!=SEG_WAITING && e!=SEG_GRANTED ) continue;
    k = keyIndex(p, r);
    s = sessionIndex(r->session);
    if( k<0 || s<0 ) return "a record of no session";
    if( e==SEG_GRANTED ){
      M.hold[s][k][REC_MODE(r)].n = (int)r->sesCount;
      M.hold[s][k][REC_MODE(r)].seq = !recordHoldInvalid(p, r);
      continue;
    }
    for(i=M.nq[k]++; i>0 && aTick[k][i-1]>r->ticket; i--){
      aTick[k][i] = aTick[k][i-1];
      M.q[k][i] = M.q[k][i-1];
    }
    aTick[k][i] = r->ticket;
    M.q[k][i].s = s;
    M.q[k][i].m = (int)REC_MODE(r);
    M.q[k][i].permits = (int)REC_PERMIT(r);
  }
  return 0;
}
/* A queue was being rearranged.  No hold and no request of a living process may
** be lost, and there may be no cycle. */
static const char *weaker(const Model *pWant){
  const char *z = adopt();
  int s, k, m, i;
  nMixed++;
  for(s=0; s<nSes && z==0; s++) for(k=0; k<nKey; k++) for(m=1; m<NM; m++){
    int bWanted = 0;
    for(i=0; i<pWant->nq[k]; i++){
      bWanted |= pWant->q[k][i].s==s && pWant->q[k][i].m==m;
    }
    if( bWanted && !holds(s, k, m) && waitsOn(s)!=k+1 ) z = "a request is lost";
  }
  if( z==0 && cyclic() ) z = "a cycle is left";
  return z;
}
/* The caller died where the image was taken. */
static const char *death(const Node *pPre, int i, int sDead){
  Seg *p = lockSegment(pF);
  Model want, before;
  const char *z;
  int s, k, m;
  nDeath++;
  loadNode(pPre);
  before = M;
  loadImage(&aImage[i]);
  if( segHeader(p)->mutex ){
    segHeader(p)->mutex = p->iNumber<<2;
    p->iTaken = numberOf(sDead);
    lockRecover(pF);
    lockLeave(pF);
  }else{
    lockReap(pF, numberOf(sDead));
  }
  z = bLow ? "a guard word was too low" : lockCheck(pF);
  modelDeath(sDead);
  want = M;
  if( z==0 ) z = compare();
  if( z && bCured ){
    z = lockCheck(pF);
    if( z==0 ) z = weaker(&want);
    for(s=0; s<nSes && z==0; s++) for(k=0; k<nKey; k++) for(m=1; m<NM; m++){
      MHold *h = &before.hold[s][k][m];
      if( sameProcess(s, sDead) || (h->n==0 && h->seq==0) ) continue;
      if( !holds(s, k, m) ) z = "a hold is lost";
    }
  }
  return z;
}

/*----------------------------------------------------------- exploration ---*/

/* doClose gets the memory back that it has just freed, so that sessions stay
** where they are. */
static void *pLastFree;
static void *sameAlloc(size_t n){
  void *z = pLastFree;
  if( n!=sizeof(LockSession) || z==0 ) return malloc(n);
  pLastFree = 0;
  return z;
}
static void keepFree(void *z){
  int s;
  for(s=0; s<nSes; s++) if( z==aS[s] ){ pLastFree = z; return; }
  free(z);
}

static void own(int s){
  segSession(lockSegment(pF), lockSlot(aS[s]))->owner = numberOf(s);
}
static void addNode(void){
  Node *n;
  if( !isNew() ) return;
  if( nNode==pW->mxState ){
    CHECK(!"more states than expected");
    exit(1);
  }
  n = malloc(sizeof *n);
  if( n==0 ) exit(2);
  saveNode(n);
  apNode[nNode++] = n;
}
static int expand(const Node *n, u64 *pnCall){
  static Call a[400];
  int i, j, nCall;
  const char *z;
  loadNode(n);
  nCall = listCalls(a);
  for(i=0; i<nCall; i++){
    loadNode(n);
    nImage = bCured = 0;
    bCapture = 1;
    z = perform(&a[i]);
    bCapture = 0;
    if( a[i].e==CLOSES ) own(a[i].s);
    if( z==0 ) z = compare();
    if( z==0 ) z = outcomes(0, 0);
    if( z==0 ) z = bLow ? "a guard word was too low" : lockCheck(pF);
    ++*pnCall;
    if( z==0 ) addNode();
    for(j=0; j<nImage && z==0; j++){
      z = death(n, j, a[i].s);
      if( z ) fprintf(stderr, "died at point %d: ", aPoint[j]);
    }
    nTest += 1+nImage;
    if( z==0 ) continue;
    fprintf(stderr, "%s: %s of session %d, key %d, mode %d, scope %d: %s\n",
        pW->zName, azCall[a[i].e], a[i].s, a[i].k, a[i].m, a[i].scope, z);
    nError++;
    return 0;
  }
  return 1;
}
static void explore(void){
  static const LockMem mem = { sameAlloc, keepFree };
  u64 nCall = 0;
  u32 i;
  int s;
  double t0 = seconds();
  memset(&M, 0, sizeof M);
  memset(aCount, 0, sizeof aCount);
  nSes = pW->nSes;
  nKey = pW->kEnd;
  nDeath = nMixed = nNode = 0;
  memset(aS, 0, sizeof aS);
  for(s=0; s<NS; s++) M.seq[s] = 1;
  lockOpenMemory(&mem, 0, &pF);
  for(s=0; s<nSes; s++) aS[s] = beginOrDie(pF);
  for(s=0; s<nSes; s++) own(s);
  for(nSeenSlot=1; nSeenSlot<2*pW->mxState; nSeenSlot*=2){}
  aSeen = calloc(nSeenSlot, 2*sizeof(u64));
  apNode = calloc(pW->mxState, sizeof(Node*));
  if( aSeen==0 || apNode==0 ) exit(2);
  addNode();
  for(i=0; i<nNode && expand(apNode[i], &nCall); i++){
    free(apNode[i]);
    apNode[i] = 0;
  }
  printf("%s: %u states, %llu calls, %llu deaths (%llu in mixed orders), "
      "deadlocks %ld, cured %ld, unproved %ld; %.1f s\n", pW->zName, nNode,
      (unsigned long long)nCall, (unsigned long long)nDeath,
      (unsigned long long)nMixed, aCount[1], aCount[2], aCount[3],
      seconds()-t0);
  CHECK_EQ(aCount[3], 0);
  CHECK_EQ(aCount[4], 0);       /* never full */
  for(; i<nNode; i++) free(apNode[i]);
  free(apNode);
  free(aSeen);
}

int main(int n, char **a){
  int i, bQuick = n>1 && strcmp(a[1], "quick")==0;
  setvbuf(stdout, 0, _IOLBF, 0);
  makeKeys();
  aKey[K_PERMIT].nPermit = 2;
  for(i=0; i<(int)(sizeof(aWorld)/sizeof(aWorld[0])); i++){
    pW = &aWorld[i];
    if( bQuick ? pW->mxState>20000 : n>1 && atoi(a[1])!=i ) continue;
    explore();
  }
  return finish("lkstates");
}
