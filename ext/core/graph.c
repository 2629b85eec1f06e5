/* SPDX-License-Identifier: 0BSD */
/*
** graph.c: deadlocks.
**
** Nodes are sessions.  A waiting session has a hard edge to every session that
** holds a mode that conflicts with its request, and a soft edge to every
** session whose conflicting request is queued ahead of its own.  A cycle of
** hard edges alone is a deadlock.  A soft edge can be reversed by letting the
** waiting session pass.  The search proposes such constraints ("this request
** before that one") and sorts the queues by them, otherwise keeping the order.
** Then it looks again for cycles through every session that a constraint
** mentions, until there is no cycle or nothing more can be tried.
**
** The caller owns the mutex, so the work is bounded, and counted in elementary
** steps: records looked at.  A look for a cycle through one session walks each
** queue that it comes to a few times at most, once for each mode, however many
** requests wait there (Covered edges, below).  The search for an arrangement
** ends after STEPS.
**
** Everything runs in a workspace of fixed size, without recursion along the
** graph, since a thread may have a small stack.  Every session waits for at
** most one request, so all queues together hold at most LIMIT_SESSION requests.
** A session number that comes from a record must be checked before it is used
** as an index (sessionOf).
*/
#include "core/graph.h"

#define NODES       (LIMIT_SESSION+1)
#define CONSTRAINTS 64u        /* edges reversed at the same time */
#define EDGES       (8*NODES + CONSTRAINTS)
#ifndef STEPS
# define STEPS      400000u    /* of one search: README.md, no deadlock */
#endif

/* A soft edge, or a constraint: iWaiter before iBlocker. */
typedef struct Edge {
  u32 iWaiter, iBlocker;       /* records of one queue */
} Edge;
/* A proposed order of a queue: n records in aQueue, from iFirst on. */
typedef struct Order {
  u32 iFirst, n;
} Order;
/* One session on the way of the walk. */
typedef struct Frame {
  u32 k;                       /* the session */
  u32 iRecord;                 /* its request */
  u32 bSoft;                   /* 1: soft edges are followed now */
  u32 iAt;                     /* the place: record, or index into aQueue */
  u32 iStop;                   /* request whose walk covers the rest, or 0 */
  u32 iOrder;                  /* 1 + proposed order of its queue, or 0 */
  u32 nStep;                   /* bounds the walk of the queue */
} Frame;

struct Graph {
  Seg *p;                      /* the segment that is checked */
  u32 iVisit;                  /* number of the present walk */
  u32 nCycle, nMember, nOrder, nQueue, nCur;    /* lengths of the arrays */
  u32 kStart, bStartHolds;     /* start of the walk: see Covered edges */
  u64 nStep, mxStep;           /* elementary steps; where a search ends */
  u32 aVisit[NODES];           /* by session: iVisit of its last walk */
  u32 aSeen[NODES];            /* by session: 1: in aMember */
  u32 aCycle[NODES];           /* sessions of the last cycle */
  u32 aMember[NODES];          /* sessions of all cycles that were met */
  Frame aFrame[NODES];         /* the way of the walk */
  Edge aCur[CONSTRAINTS];      /* constraints of the present proposal */
  Order aOrder[CONSTRAINTS];   /* proposed orders */
  u32 aQueue[NODES];           /* records of all proposed orders */
  u32 aOwner[NODES];           /* sessions of these records */
  u32 aIn[NODES];              /* a queue as it is, for the sort */
  u32 aBefore[NODES];          /* by place in aIn: constraints still open */
  u32 aDown[NODES];            /* by place in aIn: next record not placed */
  u8 aIsBlocker[NODES];        /* by place in aIn: 1: a constraint's iBlocker */
  u8 aCandidate[NODES];        /* by session: 1: graphCheckAll checks it */
  u32 aPlace[NODES];           /* by session: index into aQueue or aIn */
  u32 aOrderOf[NODES];         /* by session: 1 + its proposed order, or 0 */
  Edge aSoft[EDGES];           /* soft edges found, a stretch for each level */
};

size_t graphSize(void){ return sizeof(Graph); }
Graph *graphInit(void *pSpace){ return (Graph*)pSpace; }

const u32 *graphCycle(Graph *g, u32 *pn){
  *pn = g->nCycle;
  return g->aCycle;
}
const u32 *graphMembers(Graph *g, u32 *pn){
  *pn = g->nMember;
  return g->aMember;
}
u64 graphSteps(const Graph *g){ return g->nStep; }

/* The session of record i, as an index.  Returns 0, and marks the file damaged,
** if it is no index.  The word must be read once, so that the value that is
** checked is the one that is used. */
static u32 sessionOf(Graph *g, u32 i){
  u32 k = atomicGet(&segRecord(g->p, i)->session);
  if( k-1<LIMIT_SESSION ) return k;
  segDamage(g->p);
  return 0;
}

/* The request that session k waits for; 0 if it does not wait. */
static u32 waitOf(Graph *g, u32 k){
  u32 i = segSession(g->p, k)->waits;
  SegRecord *r;
  if( i==0 ) return 0;
  r = segRecord(g->p, i);
  if( r->session!=k || SEG_STATE(atomicGetAcq(&r->state))!=SEG_WAITING ){
    return 0;
  }
  return recordInvalid(g->p, r) ? 0 : i;
}

/*--------------------------------------------------------------- edges ---*/

/*
** Covered edges.  Let requests a and b wait in one queue, a ahead of b, and let
** b conflict with every mode that a conflicts with.  Then whatever blocks a
** blocks b as well, except that a session does not block itself.  So the edges
** of a lead to where those of b lead, or to b's session.  So a walk that comes
** from b need not follow the edges of a (b covers a).  And once the edges of a
** are being followed, a walk that is at b needs none of the queue from a on (a
** is known to be walked, and covers the rest of b).  A walk only asks whether a
** session can be reached from the start, so the way does not matter.
**
** There are two exceptions.  A request for one of several permits has no hard
** edges, so it covers no request for the only one.  And if b's session is the
** start, the walk looks for an edge to it.  Its own queue can have one only if
** it holds the key, and then it covers nothing (bStartHolds).
**
** A walk passes a record once for each of the five modes: the next walk of the
** mode ends where the first has been, or begins in what that has covered.
*/
static int covers(const SegRecord *b, const SegRecord *a){
  if( REC_PERMIT(b)>1 && REC_PERMIT(a)<=1 ) return 0;
  return (keyConflicts(REC_MODE(a)) & ~keyConflicts(REC_MODE(b)))==0;
}
/* 1 if session k's request may cover others in its queue. */
static int mayCover(Graph *g, u32 k){
  return k!=g->kStart || !g->bStartHolds;
}

/* The proposed order in which record i stands: 1 + its index, or 0. */
static u32 orderOf(Graph *g, u32 i){
  u32 k = sessionOf(g, i), o = g->aOrderOf[k];
  return o && g->aQueue[g->aPlace[k]]==i ? o : 0;
}

/* The next record ahead of the frame's place in its queue, as proposed or as it
** is; 0 at its head. */
static u32 ahead(Graph *g, Frame *f, const LockKey *pKey){
  u32 nStep = f->nStep;
  g->nStep++;
  if( f->iOrder ){
    if( f->iAt<=g->aOrder[f->iOrder-1].iFirst ) return 0;
    return g->aQueue[--f->iAt];
  }
  f->iAt = recordPrev(g->p, pKey, f->iAt, &f->nStep);
  g->nStep += f->nStep-nStep;
  return f->iAt;
}

/* 1 if r is a request that counts. */
static int isWaiting(Graph *g, SegRecord *r){
  return SEG_STATE(atomicGetAcq(&r->state))==SEG_WAITING
      && !recordInvalid(g->p, r);
}

/* Moves the frame to its own request. */
static void toOwnPlace(Graph *g, Frame *f){
  f->iAt = f->iOrder ? g->aPlace[f->k] : f->iRecord;
  f->nStep = 0;
}

/* Finds iStop: the nearest request ahead that is walked and covers the rest. */
static void findStop(Graph *g, Frame *f, const LockKey *pKey,
                     const SegRecord *r){
  u32 i;
  toOwnPlace(g, f);
  while( (i = ahead(g, f, pKey))!=0 ){
    SegRecord *q = segRecord(g->p, i);
    u32 k = sessionOf(g, i);
    if( g->aVisit[k]!=g->iVisit || !mayCover(g, k) ) continue;
    if( isWaiting(g, q) && waitOf(g, k)==i && covers(q, r) ){
      break;
    }
  }
  f->iStop = i;
  f->iAt = f->nStep = 0;
}

/* 1 if a request has hard edges.  One that waits for the first of several
** permits has none: each holder alone can end its wait. */
static int hasHard(const SegRecord *r){
  return REC_PERMIT(r)<=1 || BUG(PERMIT_EDGE);
}

/* The next hard edge of a frame: a session, or 0. */
static u32 nextHard(Graph *g, Frame *f, const LockKey *pKey, u32 mConflict){
  u32 nStep = f->nStep;
  while( (f->iAt = recordNext(g->p, pKey, f->iAt, &f->nStep))!=0 ){
    SegRecord *q = segRecord(g->p, f->iAt);
    u32 k;
    g->nStep += f->nStep-nStep;
    nStep = f->nStep;
    if( SEG_STATE(atomicGetAcq(&q->state))!=SEG_GRANTED ) continue;
    k = sessionOf(g, f->iAt);
    if( k==f->k || !(mConflict & REC_BIT(q)) ) continue;
    if( !recordInvalid(g->p, q) ) return k;
  }
  return 0;
}

/* The next soft edge, from the nearest request ahead on.  A session that the
** frame covers counts as visited, unless it is the start: that is a cycle. */
static u32 nextSoft(Graph *g, Frame *f, const LockKey *pKey,
                    const SegRecord *r){
  u32 i, mConflict = keyConflicts(REC_MODE(r));
  while( f->iAt && (i = ahead(g, f, pKey))!=0 ){
    SegRecord *q = segRecord(g->p, i);
    u32 k = sessionOf(g, i), bEdge;
    if( i==f->iStop ) f->iAt = 0;
    if( i==f->iStop && BUG(WALK_STOP) ) return 0;
    if( k==f->k || k==0 || !isWaiting(g, q) ) continue;
    bEdge = mConflict & REC_BIT(q);
    if( bEdge && k==g->kStart ) return k;
    if( mayCover(g, f->k) && waitOf(g, k)==i && covers(r, q) ){
      g->aVisit[k] = g->iVisit;
    }else if( bEdge ){
      return k;
    }
  }
  return 0;
}

/* The next edge of a frame, hard ones first: a session, or 0. */
static u32 nextEdge(Graph *g, Frame *f){
  SegRecord *r = segRecord(g->p, f->iRecord);
  u32 k = 0;
  LockKey key;
  g->nStep++;
  recordKey(g->p, r, &key);
  if( f->bSoft==0 ){
    if( f->iAt==0 ) findStop(g, f, &key, r);
    if( f->iStop==0 && hasHard(r) ){
      k = nextHard(g, f, &key, keyConflicts(REC_MODE(r)));
    }
    if( k || BUG(HARD_ONLY) ) return k;
    f->bSoft = 1;
    toOwnPlace(g, f);
  }
  return nextSoft(g, f, &key, r);
}

/*--------------------------------------------------------------- cycles ---*/

/* Notes a cycle, which is frames 0 to nFrame-1: its members, and its soft edges
** into aSoft from iSoft on, the one farthest from the start first. */
static void noteCycle(Graph *g, u32 nFrame, u32 iSoft, u32 *pnSoft){
  u32 i;
  g->nCycle = nFrame;
  *pnSoft = 0;
  for(i=nFrame; i>0; i--){
    Frame *f = &g->aFrame[i-1];
    g->aCycle[i-1] = f->k;
    if( !g->aSeen[f->k] ){
      g->aSeen[f->k] = 1;
      g->aMember[g->nMember++] = f->k;
    }
    if( f->bSoft && iSoft + *pnSoft<EDGES ){
      Edge *e = &g->aSoft[iSoft + (*pnSoft)++];
      u32 k = i<nFrame ? g->aFrame[i].k : g->aFrame[0].k;
      e->iWaiter = f->iRecord;
      e->iBlocker = waitOf(g, k);
    }
  }
}

/* Adds session k to the way of the walk. */
static void push(Graph *g, u32 *pn, u32 k, u32 iRecord){
  Frame *f = &g->aFrame[(*pn)++];
  g->aVisit[k] = g->iVisit;
  f->k = k;
  f->iRecord = iRecord;
  f->bSoft = f->iAt = f->iStop = f->nStep = 0;
  f->iOrder = orderOf(g, iRecord);
}

/* 1 if session k holds the key of its own request i. */
static int holdsToo(Graph *g, u32 k, u32 i){
  LockKey key;
  u32 j = 0, n = 0, bHolds = 0;
  recordKey(g->p, segRecord(g->p, i), &key);
  while( (j = recordNext(g->p, &key, j, &n))!=0 && !bHolds ){
    SegRecord *r = segRecord(g->p, j);
    bHolds = r->session==k
          && SEG_STATE(atomicGetAcq(&r->state))==SEG_GRANTED;
  }
  g->nStep += n;
  return (int)bHolds;
}

/* 1 if session k is on a cycle.  Depth first; no session is entered twice. */
static int findCycle(Graph *g, u32 k, u32 iSoft, u32 *pnSoft){
  u32 n = 0, i;
  if( k-1>=LIMIT_SESSION || (i = waitOf(g, k))==0 ) return 0;
  g->iVisit++;
  g->kStart = k;
  g->bStartHolds = (u32)holdsToo(g, k, i);
  push(g, &n, k, i);
  while( n>0 && !segDamaged(g->p) ){
    u32 kNext = nextEdge(g, &g->aFrame[n-1]);
    if( kNext==0 ){
      n--;
    }else if( kNext==k ){
      noteCycle(g, n, iSoft, pnSoft);
      return 1;
    }else if( g->aVisit[kNext]!=g->iVisit ){
      i = waitOf(g, kNext);
      if( i ) push(g, &n, kNext, i);
    }
  }
  return 0;
}

/*---------------------------------------------------------- rearranging ---*/

/* The place of record i among the n records of aIn; n if it is not there. */
static u32 placeIn(Graph *g, u32 n, u32 i){
  u32 j = i ? g->aPlace[sessionOf(g, i)] : n;
  return j<n && g->aIn[j]==i ? j : n;
}

/* Finds of the constraints 0 to nCur-1 that lie in aIn how many each record
** must follow, and which records block others. */
static void countConstraints(Graph *g, u32 n, u32 nCur){
  u32 i;
  memset(g->aBefore, 0, n*sizeof(u32));
  memset(g->aIsBlocker, 0, n);
  for(i=0; i<nCur; i++){
    u32 w = placeIn(g, n, g->aCur[i].iWaiter);
    u32 b = placeIn(g, n, g->aCur[i].iBlocker);
    if( w>=n || b>=n ) continue;
    g->aBefore[w]++;
    g->aIsBlocker[b] = 1;
  }
}

/* Record j of aIn is placed.  Records that must stand before it may be next. */
static void releaseBefore(Graph *g, u32 n, u32 nCur, u32 j){
  u32 i;
  if( !g->aIsBlocker[j] ) return;
  g->nStep += nCur;
  for(i=0; i<nCur; i++){
    u32 w;
    if( g->aCur[i].iBlocker!=g->aIn[j] ) continue;
    w = placeIn(g, n, g->aCur[i].iWaiter);
    if( w<n && g->aBefore[w] ) g->aBefore[w]--;
  }
}

/*
** Sorts the n records of aIn by those of the constraints 0 to nCur-1 that lie
** in it.  The result is filled from its end, each time with the last record
** that no unplaced record must follow.  aDown links the records that are not
** placed, from the last on, so that only the few that are blocked are passed
** again.  Returns 0 if the constraints contradict each other.
*/
static int sortQueue(Graph *g, u32 n, u32 nCur, u32 *aOut){
  u32 j, nLeft, iTop = n;               /* links are 1 + index, 0 ends */
  countConstraints(g, n, nCur);
  for(j=0; j<n; j++) g->aDown[j] = j;
  for(nLeft=n; nLeft>0; nLeft--){
    u32 iUp = 0;
    for(j=iTop; j && g->aBefore[j-1]; j=g->aDown[j-1]){
      iUp = j;
      g->nStep++;
    }
    if( j==0 ) return 0;
    if( iUp ) g->aDown[iUp-1] = g->aDown[j-1]; else iTop = g->aDown[j-1];
    aOut[nLeft-1] = g->aIn[--j];
    releaseBefore(g, n, nCur, j);
  }
  g->nStep += n;
  return 1;
}

/* Reads the queue of record i as it is into aIn.  Returns its length. */
static u32 readQueue(Graph *g, u32 i){
  u32 j = 0, nStep = 0, n = 0;
  LockKey key;
  recordKey(g->p, segRecord(g->p, i), &key);
  while( (j = recordNext(g->p, &key, j, &nStep))!=0 && n<LIMIT_SESSION ){
    u32 k = sessionOf(g, j);
    if( SEG_STATE(atomicGetAcq(&segRecord(g->p, j)->state))!=SEG_WAITING ){
      continue;
    }
    g->aPlace[k] = n;
    g->aIn[n++] = j;
  }
  g->nStep += nStep;
  return n;
}

static void clearOrders(Graph *g){
  while( g->nQueue>0 ) g->aOrderOf[g->aOwner[--g->nQueue]] = 0;
  g->nOrder = 0;
}

/* Makes a sorted queue a proposed order: notes the place of each record. */
static void addOrder(Graph *g, u32 n){
  Order *o = &g->aOrder[g->nOrder++];
  u32 i;
  o->iFirst = g->nQueue;
  o->n = n;
  for(i=o->iFirst; i<o->iFirst+n; i++){
    u32 k = sessionOf(g, g->aQueue[i]);
    g->aOwner[i] = k;
    g->aPlace[k] = i;
    g->aOrderOf[k] = g->nOrder;
  }
  g->nQueue += n;
}

/* Makes proposed orders for all queues that the constraints touch.  Returns 0
** if that is not possible. */
static int makeOrders(Graph *g){
  u32 c, n;
  clearOrders(g);
  for(c=g->nCur; c>0; c--){
    u32 iRecord = g->aCur[c-1].iWaiter;
    if( orderOf(g, iRecord) ) continue;
    n = readQueue(g, iRecord);
    if( g->nQueue+n>NODES || segDamaged(g->p) ) return 0;
    if( !sortQueue(g, n, c, &g->aQueue[g->nQueue]) ) return 0;
    if( n ) addOrder(g, n);
  }
  return 1;
}

/* Tests the proposed orders.  Returns 0 if there is no cycle; n if there is
** one, with n soft edges from iSoft on; -1 if there is no cure this way, or no
** steps are left. */
static int testOrders(Graph *g, u32 k, u32 iSoft){
  u32 c, nSoft = 0, n;
  if( iSoft+LIMIT_SESSION>EDGES || !makeOrders(g) ) return -1;
  for(c=0; c<=2*g->nCur; c++){
    Edge *e = &g->aCur[c/2];
    u32 iRecord = c==2*g->nCur ? 0 : c%2 ? e->iBlocker : e->iWaiter;
    u32 kTest = c==2*g->nCur ? k : 0;
    if( g->nStep>g->mxStep ) return -1;
    if( iRecord ) kTest = sessionOf(g, iRecord);
    if( kTest && findCycle(g, kTest, iSoft, &n) ){
      if( n==0 ) return -1;
      nSoft = n;
    }
  }
  return (int)nSoft;
}

/*
** Searches depth first over sets of constraints.  The level is nCur, and its
** candidates are aSoft[iSoft...].  Returns 1 if an arrangement without a cycle
** is in aOrder.
*/
static int search(Graph *g, u32 k, u32 iSoft){
  /* ORDER-SOLVE */
  int n = testOrders(g, k, iSoft), i;
  if( n<=0 ) return n==0;
  if( g->nCur>=CONSTRAINTS ) return 0;
  for(i=0; i<n; i++){
    g->aCur[g->nCur++] = g->aSoft[iSoft+(u32)i];
    if( search(g, k, iSoft+(u32)n) ) return 1;
    g->nCur--;
  }
  return 0;
}

static void applyOrders(Graph *g){
  u32 j;
  for(j=0; j<g->nOrder; j++){
    Order *o = &g->aOrder[j];
    recordReorder(g->p, &g->aQueue[o->iFirst], o->n);
    CRASH(ORDER_QUEUE);                            /* ORDER-QUEUE */
  }
  /* ORDER-SCAN */
  for(j=0; j<g->nOrder && !BUG(REORDER_NOSCAN); j++){
    LockKey key;
    recordKey(g->p, segRecord(g->p, g->aQueue[g->aOrder[j].iFirst]), &key);
    recordScan(g->p, &key);
  }
}

static int checkOne(Graph *g, u32 k){
  SegHeader *h = segHeader(g->p);
  u32 nSoft, aCycle[16], nCycle, nKeep;
  g->nCur = 0;
  clearOrders(g);
  while( g->nMember ) g->aSeen[g->aMember[--g->nMember]] = 0;
  /* ORDER-SEARCH */
  if( BUG(NO_DEADLOCK) || !findCycle(g, k, 0, &nSoft) ) return GRAPH_NONE;
  nCycle = g->nCycle;
  nKeep = nCycle<16 ? nCycle : 16;
  memcpy(aCycle, g->aCycle, nKeep*sizeof(u32));
  g->mxStep = g->nStep+STEPS;
  if( nSoft && search(g, k, 0) ){
    applyOrders(g);
    atomicSet(&h->stat[STAT_REORDERED], h->stat[STAT_REORDERED]+1);
    return GRAPH_CURED;
  }
  /* The caller must report the cycle that is there, not a proposed one. */
  memcpy(g->aCycle, aCycle, nKeep*sizeof(u32));
  g->nCycle = nCycle;
  atomicSet(&h->stat[STAT_DEADLOCKS], h->stat[STAT_DEADLOCKS]+1);
  return GRAPH_DEADLOCK;
}

int graphCheck(Graph *g, Seg *p, u32 k){
  assert( segHeld(p) );
  g->p = p;
  g->nStep = 0;
  return checkOne(g, k);
}

/* Marks the sessions that hold what a request in the queue of record i
** conflicts with, and as visited every session that waits in it. */
static void findCandidates(Graph *g, u32 i){
  u32 j = 0, n = 0, mWanted = 0;
  LockKey key;
  recordKey(g->p, segRecord(g->p, i), &key);
  while( (j = recordNext(g->p, &key, j, &n))!=0 ){
    SegRecord *r = segRecord(g->p, j);
    if( SEG_STATE(atomicGetAcq(&r->state))!=SEG_WAITING ) continue;
    mWanted |= keyConflicts(REC_MODE(r));
    g->aVisit[sessionOf(g, j)] = g->iVisit;
  }
  for(n=0; (j = recordNext(g->p, &key, j, &n))!=0; ){
    SegRecord *r = segRecord(g->p, j);
    if( SEG_STATE(atomicGetAcq(&r->state))!=SEG_GRANTED ) continue;
    if( mWanted & REC_BIT(r) ) g->aCandidate[sessionOf(g, j)] = 1;
  }
}

/*
** A cycle has a hard edge, since soft edges stay in one queue and lead forward
** in it.  So it has a session that waits and holds what another session waits
** for.  Only such sessions are checked.
*/
void graphCheckAll(Graph *g, Seg *p){
  /* ORDER-ALL */
  u32 k, nUsed = segHeader(p)->usedSession;
  assert( segHeld(p) );
  if( nUsed>LIMIT_SESSION ) nUsed = LIMIT_SESSION;
  g->p = p;
  g->nStep = 0;
  g->iVisit++;
  memset(g->aCandidate, 0, sizeof(g->aCandidate));
  for(k=1; k<=nUsed && !segDamaged(p); k++){
    u32 i = waitOf(g, k);
    if( i && g->aVisit[k]!=g->iVisit ) findCandidates(g, i);
  }
  for(k=1; k<=nUsed && !segDamaged(p); k++){
    if( g->aCandidate[k] ) checkOne(g, k);
  }
}
