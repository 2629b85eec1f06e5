/* SPDX-License-Identifier: 0BSD */
/*
** graph.c: deadlocks.
**
** Nodes are sessions.  A waiting session has a hard edge to everybody who
** holds a mode that conflicts with its request, and a soft edge to everybody
** whose conflicting request is queued ahead of its own.  A cycle of hard edges
** alone is a deadlock.  A soft edge can be turned round by letting the waiter
** pass: the search proposes such constraints ("this request before that one"),
** sorts the queues by them, otherwise keeping the order, and looks again for
** cycles through every session that a constraint mentions, until no cycle is
** left or nothing more can be tried.
**
** Everything runs in a workspace of fixed size, without recursion along the
** graph: a thread may have a small stack.  Every session waits for at most one
** request, so queues hold at most LIMIT_SESSION requests together.
*/
#include "core/graph.h"

#define NODES       (LIMIT_SESSION+1)
#define CONSTRAINTS 64u        /* turned round at the same time */
#define EDGES       (8*NODES + CONSTRAINTS)
#define TRIALS      4096u      /* arrangements tried: the mutex is held */

typedef struct Edge {
  u32 iWaiter, iBlocker;       /* records in one queue: ... before ... */
} Edge;
typedef struct Order {
  u32 iFirst, n;               /* the proposed queue is aQueue[iFirst...] */
} Order;
typedef struct Frame {
  u32 k;                       /* session */
  u32 iRecord;                 /* its request */
  u32 bSoft;                   /* which kind of edge is followed now */
  u32 iAt;                     /* where: record, or place in an order */
  u32 nStep;
} Frame;

struct Graph {
  Seg *p;
  u32 iVisit, nCycle, nMember, nOrder, nQueue, nTrial, nCur;
  u32 aVisit[NODES];           /* iVisit of the walk that came here */
  u32 aSeen[NODES];            /* 1: in aMember */
  u32 aCycle[NODES], aMember[NODES];
  Frame aFrame[NODES];
  Edge aCur[CONSTRAINTS];      /* constraints of the present proposal */
  Order aOrder[CONSTRAINTS];
  u32 aQueue[NODES];           /* records of all proposed queues */
  u32 aBefore[NODES];          /* scratch of the sort */
  u32 aIn[NODES];
  Edge aSoft[EDGES];           /* soft edges found, a stretch a level */
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

/* The request that session k waits for; 0 if it does not wait. */
static u32 waitOf(Graph *g, u32 k){
  u32 i = segSession(g->p, k)->waits;
  SegRecord *r;
  if( i==0 ) return 0;
  r = segRecord(g->p, i);
  if( r->session!=k || SEG_STATE(atomicGetAcq(&r->state))!=SEG_WAITING ){
    return 0;
  }
  return tableVoid(g->p, r) ? 0 : i;
}

/*--------------------------------------------------------------- edges ---*/

/* The proposed order of the queue in which record i waits; 0 for none. */
static Order *orderOf(Graph *g, u32 i){
  u32 j;
  for(j=0; j<g->nOrder; j++){
    Order *o = &g->aOrder[j];
    if( tableSameKey(g->p, g->aQueue[o->iFirst], i) ) return o;
  }
  return 0;
}

/* The next hard edge of a frame: a session, or 0. */
static u32 nextHard(Graph *g, Frame *f, const LockKey *pKey, u32 mConflict){
  while( (f->iAt = tableNext(g->p, pKey, f->iAt, &f->nStep))!=0 ){
    SegRecord *q = segRecord(g->p, f->iAt);
    if( SEG_STATE(atomicGetAcq(&q->state))!=SEG_GRANTED ) continue;
    if( q->session==f->k || !(mConflict & REC_BIT(q)) ) continue;
    if( !tableVoid(g->p, q) ) return q->session;
  }
  return 0;
}

/* The next soft edge: conflicting requests ahead, as proposed or as queued. */
static u32 nextSoft(Graph *g, Frame *f, const LockKey *pKey, u32 mConflict){
  Order *o = orderOf(g, f->iRecord);
  for(;;){
    u32 i;
    SegRecord *q;
    if( o ){
      if( f->iAt>=o->n ) return 0;
      i = g->aQueue[o->iFirst + f->iAt++];
    }else{
      i = f->iAt = tableNext(g->p, pKey, f->iAt, &f->nStep);
    }
    if( i==0 || i==f->iRecord ) return 0;
    q = segRecord(g->p, i);
    if( SEG_STATE(atomicGetAcq(&q->state))!=SEG_WAITING ) continue;
    if( q->session==f->k || !(mConflict & REC_BIT(q)) ) continue;
    if( !tableVoid(g->p, q) ) return q->session;
  }
}

static u32 nextEdge(Graph *g, Frame *f){
  SegRecord *r = segRecord(g->p, f->iRecord);
  u32 mConflict = tableConflicts(REC_MODE(r)), k;
  LockKey key;
  tableKeyOf(g->p, r, &key);
  if( !f->bSoft ){
    k = nextHard(g, f, &key, mConflict);
    if( k || BUG(HARD_ONLY) ) return k;
    f->bSoft = 1;
    f->iAt = f->nStep = 0;
  }
  return nextSoft(g, f, &key, mConflict);
}

/*--------------------------------------------------------------- cycles ---*/

/* Frames 0 to nFrame-1 are a cycle: note its members, and its soft edges into
** aSoft from *pnSoft on, the one farthest from the start first. */
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

static void push(Graph *g, u32 *pn, u32 k, u32 iRecord){
  Frame *f = &g->aFrame[(*pn)++];
  g->aVisit[k] = g->iVisit;
  f->k = k;
  f->iRecord = iRecord;
  f->bSoft = f->iAt = f->nStep = 0;
}

/* Is session k on a cycle?  Depth first; no session is entered twice. */
static int findCycle(Graph *g, u32 k, u32 iSoft, u32 *pnSoft){
  u32 n = 0, i = waitOf(g, k);
  if( i==0 ) return 0;
  g->iVisit++;
  push(g, &n, k, i);
  while( n>0 ){
    u32 kNext = nextEdge(g, &g->aFrame[n-1]);
    if( kNext==0 ){
      n--;
    }else if( kNext==k ){
      noteCycle(g, n, iSoft, pnSoft);
      return 1;
    }else if( kNext<NODES && g->aVisit[kNext]!=g->iVisit ){
      i = waitOf(g, kNext);
      if( i ) push(g, &n, kNext, i);
    }
  }
  return 0;
}

/*---------------------------------------------------------- rearranging ---*/

static u32 placeIn(const u32 *a, u32 n, u32 i){
  u32 j;
  for(j=0; j<n && a[j]!=i; j++){}
  return j;
}

/*
** Sort a queue of n records by constraints 0 to nCur-1 that lie in it: filled
** from the end with the last record that nothing unplaced has to follow.  0 if
** the constraints contradict each other.
*/
static int sortQueue(Graph *g, const u32 *aIn, u32 n, u32 nCur, u32 *aOut){
  u32 i, j, nLeft;
  memset(g->aBefore, 0, n*sizeof(u32));
  for(i=0; i<nCur; i++){
    u32 w = placeIn(aIn, n, g->aCur[i].iWaiter);
    if( w<n && placeIn(aIn, n, g->aCur[i].iBlocker)<n ) g->aBefore[w]++;
  }
  for(nLeft=n; nLeft>0; nLeft--){
    for(j=n; j>0 && g->aBefore[j-1]; j--){}
    if( j==0 ) return 0;
    g->aBefore[--j] = SEG_ALL;              /* placed */
    aOut[nLeft-1] = aIn[j];
    for(i=0; i<nCur; i++){
      u32 w;
      if( g->aCur[i].iBlocker!=aIn[j] ) continue;
      w = placeIn(aIn, n, g->aCur[i].iWaiter);
      if( w<n && g->aBefore[w]!=SEG_ALL ) g->aBefore[w]--;
    }
  }
  return 1;
}

/* Proposed orders for all queues that the constraints touch. */
static int makeOrders(Graph *g){
  u32 c, n;
  g->nOrder = g->nQueue = 0;
  for(c=g->nCur; c>0; c--){
    u32 iRecord = g->aCur[c-1].iWaiter, i = 0, nStep = 0;
    LockKey key;
    if( orderOf(g, iRecord) ) continue;
    tableKeyOf(g->p, segRecord(g->p, iRecord), &key);
    for(n=0; (i = tableNext(g->p, &key, i, &nStep))!=0 && n<LIMIT_SESSION; ){
      if( SEG_STATE(atomicGetAcq(&segRecord(g->p, i)->state))==SEG_WAITING ){
        g->aIn[n++] = i;
      }
    }
    if( g->nQueue+n>NODES ) return 0;
    if( !sortQueue(g, g->aIn, n, c, &g->aQueue[g->nQueue]) ) return 0;
    if( n==0 ) continue;
    g->aOrder[g->nOrder].iFirst = g->nQueue;
    g->aOrder[g->nOrder++].n = n;
    g->nQueue += n;
  }
  return 1;
}

/* -1: hopeless; 0: no cycle; n: a cycle with n soft edges from iSoft on. */
static int testOrders(Graph *g, u32 k, u32 iSoft){
  u32 c, nSoft = 0, n;
  if( g->nTrial++>=TRIALS || iSoft+LIMIT_SESSION>EDGES ) return -1;
  if( !makeOrders(g) ) return -1;
  for(c=0; c<2*g->nCur; c++){
    Edge *e = &g->aCur[c/2];
    u32 iRecord = c%2 ? e->iBlocker : e->iWaiter;
    if( iRecord==0 ) continue;
    if( findCycle(g, segRecord(g->p, iRecord)->session, iSoft, &n) ){
      if( n==0 ) return -1;
      nSoft = n;
    }
  }
  if( findCycle(g, k, iSoft, &n) ){
    if( n==0 ) return -1;
    nSoft = n;
  }
  return (int)nSoft;
}

/*
** Depth first over sets of constraints; the level is nCur, its candidates are
** aSoft[iSoft...].  1: an arrangement without a cycle is in aOrder.
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
    tableReorder(g->p, &g->aQueue[o->iFirst], o->n);
    CRASH(REORDER);                            /* ORDER-QUEUE */
  }
  /* ORDER-SCAN */
  for(j=0; j<g->nOrder && !BUG(REORDER_NOSCAN); j++){
    LockKey key;
    tableKeyOf(g->p, segRecord(g->p, g->aQueue[g->aOrder[j].iFirst]), &key);
    tableScan(g->p, &key);
  }
}

int graphCheck(Graph *g, Seg *p, u32 k){
  SegHeader *h = segHeader(p);
  u32 nSoft, aCycle[16], nCycle, i;
  g->p = p;
  g->nCur = g->nOrder = g->nQueue = g->nTrial = 0;
  while( g->nMember ) g->aSeen[g->aMember[--g->nMember]] = 0;
  /* ORDER-SEARCH */
  if( BUG(NO_DEADLOCK) || !findCycle(g, k, 0, &nSoft) ) return GRAPH_NONE;
  nCycle = g->nCycle<16 ? g->nCycle : 0;
  memcpy(aCycle, g->aCycle, nCycle*sizeof(u32));
  if( nSoft && search(g, k, 0) ){
    applyOrders(g);
    atomicSet(&h->stat[STAT_REORDERED], h->stat[STAT_REORDERED]+1);
    return GRAPH_CURED;
  }
  /* report the cycle that is there, not a proposed one */
  for(i=0; i<nCycle; i++) g->aCycle[i] = aCycle[i];
  if( nCycle ) g->nCycle = nCycle;
  atomicSet(&h->stat[STAT_DEADLOCKS], h->stat[STAT_DEADLOCKS]+1);
  return GRAPH_DEADLOCK;
}
