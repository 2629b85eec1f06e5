/* SPDX-License-Identifier: 0BSD */
/*
** lock.c: the steps that a caller sees: acquire, wait, release, end, cancel,
** over the records of table.c and the mutex of owner.c.  ext/core/README.md
** says what each is for.
**
** Three rules carry everything here.  A session gives something up by one store
** of a word of its own, outside the mutex if necessary; the clean-up is done by
** whichever process next has the mutex (tidy).  A session that has left
** something behind removes it before it makes anything new (settle).  Liveness
** is never tested while the mutex is held: process numbers are collected under
** it and probed after it is released, which is safe because dead is final.
*/
#include "core/lockint.h"
#include "core/lock.h"
#include "core/format.h"
#include "core/graph.h"
#include "core/owner.h"
#include <stdlib.h>

#define US_POLL   50000            /* between two polls of a wait */
#define US_TIDY   2000             /* patience of an end with the mutex */
#define SWEEP_MAX 2048             /* records freed before others may enter */
#define PROBES    32               /* processes probed at a time */
#define GROWTHS   32               /* how often one call may grow the file */

struct LockFile {
  Seg seg;                         /* its process-side fields: mutex holder */
  Graph *pGraph;                   /* mutex holder */
  u32 *aQueue;                     /* LIMIT_SESSION records, mutex holder */
  LockMem mem;
  LockFile *pNext;                 /* the process's list: osProcessEnter */
  char *zPath;                     /* 0: private memory without a name */
  char *zDb;                       /* the database, behind zPath; or 0 */
  u32 nRef;                        /* osProcessEnter */
  u32 bForked;                     /* this is the child's copy */
  u32 iPid;
  u64 iPidSpace;
};

/* Process numbers to probe. */
typedef struct Probes {
  u32 n;
  u64 a[PROBES];
} Probes;

struct LockSession {
  LockFile *pFile;
  u32 k;                           /* slot, of generation iGen */
  u32 iGen;
  u32 iTxn, iStamp;                /* this transaction, last stamp in it */
  u32 iKeep;                       /* rollback level, as in the slot's now */
  u32 bPend;                       /* something is left to settle */
  u32 bTxn;                        /* this transaction has locks */
  u32 iWriterTxn;                  /* in which it is the active writer */
  u32 iRequest, iState;            /* queued record, its state when queued */
  u32 eMode;                       /* mode of the request */
  u32 iProbe;                      /* where the next poll goes on probing */
  Probes probes;                   /* of the blockers of this attempt */
  Probes skipped;                  /* of the blockers of lockSkip */
  LockKey key;                     /* of the request */
  LockGrant grant;                 /* as lockGranted; of the request, too */
  u32 nBack, aBack[2];             /* records that lockUndo has invalidated */
  u32 bBack;                       /* it has invalidated more than these */
  u64 iStronger;                   /* token of a stronger mode held, or 0 */
  u64 iToken;                      /* as lockGrantToken */
  LockTrouble trouble;
};

static LockFile *pFiles;           /* all open files: osProcessEnter */

static SegSession *slot(LockSession *p){
  return segSession(&p->pFile->seg, p->k);
}

/*--------------------------------------------------------------- mutex ---*/

/*
** The mutex came from a dead owner: compute everything derived again.  A queue
** whose rearrangement was cut off may stand in an order with a soft cycle, so
** every waiting session is checked again.
*/
static void recover(LockFile *pF){
  Seg *p = &pF->seg;
  SegHeader *h = segHeader(p);
  assert( segHeld(p) );
  if( segStale(p) && segRefresh(p)!=LOCK_OK ) return;
  if( BUG(NO_REBUILD) ) return;
  tableRebuild(p, p->iTaken);
  /* REBUILD-SCAN */
  if( !BUG(REBUILD_NOSCAN) ) tableScanAll(p);
  if( !segDamaged(p) ) graphCheckAll(pF->pGraph, p);
  atomicSet(&h->stat[STAT_RECOVERIES], h->stat[STAT_RECOVERIES]+1);
}

static LockRc usable(LockFile *pF){
  if( pF->bForked ) return LOCK_FORKED;
  if( segDamaged(&pF->seg) || atomicGet(&segHeader(&pF->seg)->damaged) ){
    return LOCK_MALFORMED;
  }
  return LOCK_OK;
}

/* Tell the other processes that this one has met nonsense in the file. */
static void tellDamage(LockFile *pF){
  segDamage(&pF->seg);
  atomicSet(&segHeader(&pF->seg)->damaged, 1);
}

#ifdef INTERLOCK_DEBUG
static void debugCheck(Seg *p){
  const char *z = 0;
  assert( segHeld(p) );
  if( segDamaged(p) || segHeader(p)->usedRecord>3000
   || segHeader(p)->usedSession>300 ){
    return;
  }
  z = segmentCheck(p);
  if( z==0 ) z = tableCheck(p);
  if( !segDamaged(p) && z ){
    assert( z==0 );
    abort();
  }
}
#else
# define debugCheck(p) ((void)0)
#endif

/* Leave, after the sweep that other sessions have left to the owner.
** LOCK_MALFORMED if nonsense was met inside: no process may go on with this
** file then, and nothing more is done in it. */
static LockRc leave(LockFile *pF){
  Seg *p = &pF->seg;
  if( BUG(SLEEP_INSIDE) ) osSleep(1);
  debugCheck(p);
  if( segDamaged(p) ) tellDamage(pF);
  while( ownerLeave(p) ){
    if( segDamaged(p) ) continue;
    tableSweepLeft(p);
    debugCheck(p);
    if( segDamaged(p) ) tellDamage(pF);
  }
  return segDamaged(p) ? LOCK_MALFORMED : LOCK_OK;
}

/* eHow is what ownerEnter, ownerTry or ownerTask returned.  After any result
** but LOCK_OK the mutex is not held. */
static LockRc entered(LockFile *pF, int eHow){
  if( eHow==OWNER_BUSY ) return LOCK_BUSY;
  if( eHow==OWNER_TOOK ) recover(pF);
  if( segStale(&pF->seg) ) segRefresh(&pF->seg);
  if( usable(pF)!=LOCK_OK ){
    leave(pF);
    return LOCK_MALFORMED;
  }
  return LOCK_OK;
}

static LockRc enter(LockFile *pF){
  LockRc rc = usable(pF);
  return rc!=LOCK_OK ? rc : entered(pF, ownerEnter(&pF->seg));
}

/*-------------------------------------------------------------- settle ---*/

/* Remove record i if it is this session's and invalidated. */
static void removeVoid(LockSession *p, u32 i){
  Seg *pSeg = &p->pFile->seg;
  SegRecord *r = segRecord(pSeg, i);
  if( SEG_STATE(atomicGetAcq(&r->state))==SEG_GRANTED && r->session==p->k
   && r->generation==p->iGen && tableVoid(pSeg, r) ){
    tableRemove(pSeg, i);
  }
}

/* Remove what lockUndo has invalidated, unless another session met it in a
** queue and did so.  Where aBack was too short, the records that were acquired
** last are looked at.  One that is not among them is removed by the session
** that meets it, or with this session. */
static void removeBack(LockSession *p){
  /* SETTLE-BACK */
  Seg *pSeg = &p->pFile->seg;
  u32 i, iNext, n;
  assert( segHeld(pSeg) );
  while( p->nBack>0 ){
    i = p->aBack[--p->nBack];
    if( !BUG(BACK_KEPT) ) removeVoid(p, i);
  }
  if( !p->bBack ) return;
  p->bBack = 0;
  i = slot(p)->firstSes;
  for(n=0; i && n<SWEEP_MAX && segBound(pSeg, &n); i=iNext){
    iNext = segRecord(pSeg, i)->sesNext;
    removeVoid(p, i);
  }
}

/*
** Remove what this session has given up, at most SWEEP_MAX records: 1 if there
** may be more.  The rollback level may go up again only when all of it is gone:
** before, invalidated grants would come to life.
*/
static int settle(LockSession *p){
  Seg *pSeg = &p->pFile->seg;
  SegSession *s = slot(p);
  u64 iState = atomicGetAcq(&s->state);
  assert( segHeld(pSeg) );
  if( SEG_HIGH(iState)!=p->iGen || SEG_LOW(iState)==SEG_UNUSED ){
    p->bPend = 0;                  /* ended, and swept by a process */
    return 0;
  }
  atomicSwap(&s->left, 0);         /* SETTLE-LEFT */
  CRASH(SETTLE_LEFT);
  removeBack(p);
  if( BUG(KEEP_FIRST) ) atomicSetRel(&s->now, SEG_PAIR(p->iTxn, SEG_ALL));
  if( tableSweep(pSeg, p->k, SWEEP_MAX) ) return 1;     /* SETTLE-SWEEP */
  if( segDamaged(pSeg) ) return 0;       /* not all of it is gone */
  if( SEG_LOW(iState)==SEG_LIVE && p->iKeep!=SEG_ALL ){
    p->iKeep = SEG_ALL;            /* SETTLE-KEEP */
    atomicSetRel(&s->now, SEG_PAIR(p->iTxn, SEG_ALL));
    CRASH(SETTLE_KEEP);
  }
  p->bPend = 0;
  return 0;
}

/* Enter for a session: settled, and shown as the session inside. */
static LockRc enterSettled(LockSession *p){
  LockRc rc = enter(p->pFile);
  u32 nRound = 0;
  if( rc!=LOCK_OK ) return rc;
  atomicSet(&segHeader(&p->pFile->seg)->inside, p->k);
  while( p->bPend && !BUG(NO_SETTLE) && settle(p)
      && segBound(&p->pFile->seg, &nRound) ){
    rc = leave(p->pFile);
    if( rc==LOCK_OK ) rc = enter(p->pFile);
    if( rc!=LOCK_OK ) return rc;
  }
  return LOCK_OK;
}

/*
** The word that decides has been stored (END-WORD); the rest cannot fail.
** Either this process gets the mutex soon and settles, or the owner finds WORK
** set when it leaves, or the owner is dead and the rebuild sweeps, or the owner
** is stopped and nothing is granted meanwhile.
*/
static void tidy(LockSession *p){
  LockFile *pF = p->pFile;
  u32 nRound = 0;
  int bMore = 1;
  CRASH(END_WORD);
  atomicSetRel(&slot(p)->left, 1);             /* END-LEFT */
  CRASH(END_LEFT);
  p->bPend = 1;
  while( bMore ){
    /* END-TRY, else END-WORK */
    int eHow = p->bBack ? OWNER_BUSY : ownerTry(&pF->seg, US_TIDY);
    if( eHow==OWNER_BUSY ) eHow = ownerTask(&pF->seg);
    if( entered(pF, eHow)!=LOCK_OK ) return;
    bMore = settle(p) && segBound(&pF->seg, &nRound);
    if( bMore ) atomicSetRel(&slot(p)->left, 1);
    if( leave(pF)!=LOCK_OK ) return;
  }
}

/*---------------------------------------------------------------- death ---*/

/*
** Remove everything of a process that is known to be dead: its sessions end
** with one store each, then their records are freed, some at a time.  Returns
** the number of its sessions; 0 also if the mutex could not be entered, or
** another process was faster.
*/
static u32 reap(LockFile *pF, u64 iNumber){
  Seg *p = &pF->seg;
  u32 k, n, nRound = 0;
  assert( ruleOutside() );
  if( entered(pF, ownerTry(p, US_TIDY))!=LOCK_OK ) return 0;
  n = tableKill(p, iNumber);
  atomicSet(&segHeader(p)->stat[STAT_SWEPT],
            segHeader(p)->stat[STAT_SWEPT]+n);
  /* DEAD-SWEEP */
  for(k=1; k<=segHeader(p)->usedSession && k<=LIMIT_SESSION && n; k++){
    SegSession *s = segSession(p, k);
    while( atomicGet(&s->owner)==iNumber
        && SEG_LOW(atomicGetAcq(&s->state))==SEG_ENDING
        && tableSweep(p, k, SWEEP_MAX) && segBound(p, &nRound) ){
      if( leave(pF)!=LOCK_OK ) return 0;
      if( entered(pF, ownerTry(p, US_TIDY))!=LOCK_OK ) return 0;
    }
  }
  return leave(pF)==LOCK_OK ? n : 0;
}

/* Under the mutex: note the process of session k, to be probed. */
static void noteIn(LockSession *p, Probes *pList, u32 k){
  Seg *pSeg = &p->pFile->seg;
  u64 iNumber = atomicGet(&segSession(pSeg, k)->owner);
  u32 j;
  assert( segHeld(&p->pFile->seg) );
  if( iNumber==pSeg->iNumber || pList->n>=PROBES ) return;
  for(j=0; j<pList->n; j++) if( pList->a[j]==iNumber ) return;
  pList->a[pList->n++] = iNumber;
}
static void noteProbe(LockSession *p, u32 k){ noteIn(p, &p->probes, k); }

/*
** Outside the mutex: probe the noted processes.  1 if one was dead, so that
** another attempt may find fewer blockers.  In a damaged file a number can be
** dead that has no session to end, again and again.  So *pnRound, which is 0 at
** the beginning of each call of the layer above, counts the results 1.  Those
** that ended no session, which in a sound file means that another process was
** faster, count for many.
*/
static int probe(LockSession *p, u32 *pnRound){
  LockFile *pF = p->pFile;
  u32 j, nDead = 0, nFound = 0;
  assert( ruleOutside() );
  for(j=0; j<p->probes.n && usable(pF)==LOCK_OK; j++){
    /* DEAD-PROBE */
    if( !ownerDead(&pF->seg, p->probes.a[j]) ) continue;
    nFound += reap(pF, p->probes.a[j]);
    nDead++;
  }
  p->probes.n = 0;
  if( nDead==0 ) return 0;
  *pnRound += nFound ? 1 : LIMIT_SESSION/4+1;
  return *pnRound<=LIMIT_SESSION+4;
}

/* Outside the mutex, when no slot is free: probe the owners of all sessions.
** 1 if sessions of a dead one were ended. */
static int probeAll(LockFile *pF){
  Seg *p = &pF->seg;
  u32 k, n = 0;
  u64 iLast = 0;
  assert( ruleOutside() );
  for(k=1; k<=LIMIT_SESSION; k++){
    SegSession *s = segSession(p, k);
    u64 iNumber = atomicGet(&s->owner);
    if( SEG_LOW(atomicGetAcq(&s->state))==SEG_UNUSED ) continue;
    if( iNumber==iLast || !ownerDead(p, iNumber) ) continue;
    iLast = iNumber;
    n += reap(pF, iNumber);
  }
  return n>0;
}

/*-------------------------------------------------------------- acquire ---*/

/* A request, and what the look at the queue of its key has found. */
typedef struct Ask {
  const LockKey *pKey;
  u32 eMode, eScope;
  int bQueue;
  u32 iOwn;                /* own grant of that mode */
  u32 iStrong;             /* own grant of the strongest mode above it */
  u32 mOwn;                /* modes held by this session */
  u32 mHeld;               /* modes held by others */
  u32 mAhead;              /* modes requested by others */
  u32 iPlace;              /* first request that conflicts with mOwn */
  u32 mBefore;             /* modes requested ahead of iPlace */
} Ask;

/* One record of the queue.  1: it was invalidated and was removed, which may
** have granted others. */
static int lookAt(LockSession *p, Ask *a, u32 i){
  Seg *pSeg = &p->pFile->seg;
  SegRecord *r = segRecord(pSeg, i);
  u32 e = SEG_STATE(atomicGetAcq(&r->state)), m = REC_BIT(r);
  if( e==SEG_WITHDRAWN || tableVoid(pSeg, r) ){
    tableRemove(pSeg, i);
    return 1;
  }
  if( r->session==p->k ){
    a->mOwn |= m;
    if( REC_MODE(r)==a->eMode ) a->iOwn = i;
    if( m>MODE_BIT(a->eMode) && m>(a->mOwn & ~m) ) a->iStrong = i;
  }else if( e==SEG_GRANTED ){
    a->mHeld |= m;
  }else if( e==SEG_WAITING ){
    a->mAhead |= m;
  }else{
    noteProbe(p, r->session);      /* cancelled: its process may be dead */
  }
  return 0;
}

/* Walk the queue.  After a walk that removed something the queue is walked
** again.  Each walk removes what the next would meet, so only a damaged file
** could make it go on without an end. */
static void lookThrough(LockSession *p, Ask *a){
  Seg *pSeg = &p->pFile->seg;
  u32 i, iNext, n, nRound = 0;
  int bAgain;
  assert( segHeld(pSeg) );
  do{
    p->probes.n = 0;
    a->iOwn = a->iStrong = 0;
    a->mOwn = a->mHeld = a->mAhead = a->iPlace = a->mBefore = n = 0;
    bAgain = 0;
    for(i=tableNext(pSeg, a->pKey, 0, &n); i; i=iNext){
      iNext = tableNext(pSeg, a->pKey, i, &n);
      bAgain |= lookAt(p, a, i);
    }
  }while( bAgain && segBound(pSeg, &nRound) );
}

/* The same; then find the position that an upgrade would take. */
static void look(LockSession *p, Ask *a){
  Seg *pSeg = &p->pFile->seg;
  u32 i = 0, n = 0;
  lookThrough(p, a);
  if( a->mOwn==0 || a->mAhead==0 || BUG(UPGRADE_TAIL) ) return;
  while( (i = tableNext(pSeg, a->pKey, i, &n))!=0 ){
    SegRecord *r = segRecord(pSeg, i);
    if( SEG_STATE(atomicGetAcq(&r->state))!=SEG_WAITING ) continue;
    if( keyConflicts(REC_MODE(r)) & a->mOwn ){
      a->iPlace = i;
      return;
    }
    a->mBefore |= REC_BIT(r);
  }
}

/* G2 and G3b: may it be granted now? */
static int grantable(LockSession *p, const Ask *a){
  u32 m = keyConflicts(a->eMode);
  if( (m & a->mHeld)
   || tableWriterBlocks(&p->pFile->seg, a->pKey->eKind, p->k) ){
    return 0;
  }
  return !(m & a->mAhead) || (a->iPlace && !(m & a->mBefore));
}

/* A new transaction hold of this session; 0 for session scope. */
static u64 newHold(LockSession *p, u32 eScope){
  if( eScope==LOCK_SCOPE_SESSION ) return 0;
  p->bTxn = 1;
  return SEG_PAIR(p->iTxn, eScope==LOCK_SCOPE_TURN ? 0 : ++p->iStamp);
}

/* Note the record of the grant or the request, with the level before it. */
static void noteRecord(LockSession *p, const Ask *a, u32 i, u32 iLevel){
  p->grant.iRecord = i;
  p->grant.eScope = a->eScope;
  p->grant.iLevel = iLevel;
}

/* G1: the mode is held already; one store. */
static void holdAgain(LockSession *p, const Ask *a){
  Seg *pSeg = &p->pFile->seg;
  SegRecord *r = segRecord(pSeg, a->iOwn);
  assert( segHeld(&p->pFile->seg) );
  noteRecord(p, a, a->iOwn, p->iStamp);
  /* A turn that the transaction held already stays, whatever is undone. */
  if( a->eScope==LOCK_SCOPE_TURN && !tableHoldVoid(pSeg, r) ){
    p->grant.eScope = LOCK_SCOPE_TRANSACTION;
  }
  if( a->eScope==LOCK_SCOPE_SESSION ){
    atomicSet(&r->scount, r->scount+1);
  }else if( tableHoldVoid(pSeg, r) || a->eScope==LOCK_SCOPE_TURN ){
    atomicSet(&r->thold, newHold(p, a->eScope));
    tableMove(pSeg, a->iOwn);
  }
  if( BUG(LEVEL_AFTER) ) p->grant.iLevel = p->iStamp;
  CRASH(HOLD_AGAIN);
}

/* Note the blockers: for the message, and to be probed. */
static void noteBlockers(LockSession *p, const Ask *a, u32 iEnd){
  Seg *pSeg = &p->pFile->seg;
  u32 i = 0, n = 0, m = keyConflicts(a->eMode), kFirst = 0, eFirst = 0;
  u32 nSkip = p->iProbe, nMet = 0, eWhy;
  assert( segHeld(pSeg) );
  while( (i = tableNext(pSeg, a->pKey, i, &n))!=0 && i!=iEnd ){
    SegRecord *r = segRecord(pSeg, i);
    u32 e = SEG_STATE(atomicGetAcq(&r->state));
    if( r->session==p->k || !(m & REC_BIT(r)) ) continue;
    if( e!=SEG_GRANTED && (e!=SEG_WAITING || BUG(POLL_HOLDERS)) ) continue;
    if( kFirst==0 || (e==SEG_GRANTED && eFirst!=SEG_GRANTED) ){
      kFirst = r->session;
      eFirst = e;
    }
    if( nMet++>=nSkip ) noteProbe(p, r->session);
  }
  p->iProbe = p->probes.n<PROBES ? 0 : nSkip+PROBES/2;
  eWhy = eFirst==SEG_WAITING ? TROUBLE_WAITS : TROUBLE_HOLDS;
  if( tableWriterBlocks(pSeg, a->pKey->eKind, p->k) ){
    if( eFirst!=SEG_GRANTED ){
      kFirst = segHeader(pSeg)->writer;
      eWhy = TROUBLE_WRITES;
    }
    p->probes.n -= p->probes.n==PROBES;
    noteProbe(p, segHeader(pSeg)->writer);
  }
  if( kFirst ){
    p->trouble.eWhy = eWhy;
    p->trouble.iBlocker = atomicGet(&segSession(pSeg, kFirst)->id);
    p->trouble.iPid = atomicGet(&segSession(pSeg, kFirst)->pid);
  }
}

static u32 insert(LockSession *p, const Ask *a, int bWaiting){
  TableNew new;
  u32 i, iStamp = p->iStamp;
  assert( segHeld(&p->pFile->seg) );
  new.pKey = a->pKey;
  new.iSession = p->k;
  new.iGeneration = p->iGen;
  new.eMode = a->eMode;
  new.scount = a->eScope==LOCK_SCOPE_SESSION;
  new.thold = newHold(p, a->eScope);
  new.iBefore = bWaiting ? a->iPlace : 0;
  new.bWaiting = (u32)bWaiting;
  i = tableInsert(&p->pFile->seg, &new);
  if( i==0 ) p->iStamp = iStamp;
  noteRecord(p, a, i, iStamp);
  return i;
}

/* An upgrade stands in front of iPlace: it and the requests behind it get new
** tickets. */
static void renumber(LockSession *p, const Ask *a){
  LockFile *pF = p->pFile;
  u32 i = 0, n = 0, nQueue = 0;
  assert( segHeld(&p->pFile->seg) );
  pF->aQueue[nQueue++] = p->iRequest;
  while( (i = tableNext(&pF->seg, a->pKey, i, &n))!=0 ){
    SegRecord *r = segRecord(&pF->seg, i);
    if( i!=a->iPlace && nQueue==1 ) continue;
    if( SEG_STATE(atomicGetAcq(&r->state))!=SEG_WAITING && i!=a->iPlace ){
      continue;
    }
    if( nQueue<LIMIT_SESSION && i!=p->iRequest ) pF->aQueue[nQueue++] = i;
  }
  tableReorder(&pF->seg, pF->aQueue, nQueue);
}

/* Note the cycle by session ids, and its members' processes to be probed. */
static void noteDeadlock(LockSession *p){
  LockFile *pF = p->pFile;
  u32 n, j;
  const u32 *a = graphCycle(pF->pGraph, &n);
  assert( segHeld(&p->pFile->seg) );
  p->trouble.nCycle = n;
  for(j=0; j<n && j<16; j++){
    p->trouble.aCycle[j] = atomicGet(&segSession(&pF->seg, a[j])->id);
  }
  a = graphMembers(pF->pGraph, &n);
  p->probes.n = 0;
  for(j=0; j<n; j++) noteProbe(p, a[j]);
}

/*
** May the request that was queued just now be in a cycle?  A cycle has an edge
** that leads to its session p.  Another session that waits has such an edge if
** p holds a mode that its request conflicts with, or if a request of p stands
** ahead of its own.  p has no other request, and behind a request at the tail
** there is none.  So a session that holds nothing in this file, whose only
** record is the request, is in no cycle.  Neither of the other things that a
** request can wait for leads to p: the active writer never waits for a lock
** (README.md, Choices), and a connection that holds locks in one file waits in
** no other (connection.h), so that edges of other files do not count.
*/
static int mayCloseCycle(LockSession *p, const Ask *a){
  return a->iPlace!=0 || slot(p)->nRecord!=1;
}

/* Queue the request, then check whether that completes a cycle. */
static LockRc enqueue(LockSession *p, const Ask *a){
  LockFile *pF = p->pFile;
  SegRecord *r;
  u32 i = insert(p, a, 1);         /* ACQUIRE-QUEUE */
  assert( segHeld(&p->pFile->seg) );
  if( i==0 ) return LOCK_FULL;
  r = segRecord(&pF->seg, i);
  p->iRequest = i;
  p->iState = SEG_WITH(atomicGet(&r->state), SEG_WAITING);
  p->eMode = a->eMode;
  p->key = *a->pKey;
  if( a->iPlace ) renumber(p, a);
  /* ACQUIRE-CYCLE */
  if( mayCloseCycle(p, a)
   && graphCheck(pF->pGraph, &pF->seg, p->k)==GRAPH_DEADLOCK ){
    noteDeadlock(p);               /* ACQUIRE-VICTIM */
    tableRemove(&pF->seg, i);
    p->iRequest = 0;
    return LOCK_DEADLOCK;
  }
  return LOCK_WAITING;
}

/* Record i is held: remember its token for the caller. */
static void noteGrant(LockSession *p, u32 i){
  p->iToken = p->iStronger ? p->iStronger
                           : atomicGet(&segRecord(&p->pFile->seg, i)->token);
}

/* One attempt under the mutex.  LOCK_FULL: no slot is free. */
static LockRc attempt(LockSession *p, Ask *a, int bProbed){
  assert( segHeld(&p->pFile->seg) );
  look(p, a);                      /* ACQUIRE-LOOK */
  p->iStronger = a->iStrong ? segRecord(&p->pFile->seg, a->iStrong)->token : 0;
  if( a->iOwn ){                   /* ACQUIRE-AGAIN */
    holdAgain(p, a);
    noteGrant(p, a->iOwn);
    return LOCK_OK;
  }
  if( grantable(p, a) ){           /* ACQUIRE-GRANT */
    u32 i = insert(p, a, 0);
    if( i==0 ) return LOCK_FULL;
    noteGrant(p, i);
    return LOCK_OK;
  }
  if( !bProbed ){
    noteBlockers(p, a, 0);
    if( p->probes.n || !a->bQueue ) return LOCK_NO;
  }
  return a->bQueue ? enqueue(p, a) : LOCK_NO;
}

/* After an attempt that found no free slot: LOCK_OK to try once more.  Other
** processes may take the new slots first, but not without an end. */
static LockRc moreRoom(LockFile *pF, u32 *pnGrown){
  LockRc rc = ++*pnGrown>GROWTHS ? LOCK_FULL : segGrow(&pF->seg);
  if( rc==LOCK_FULL && *pnGrown==1 && probeAll(pF) ) rc = LOCK_OK;
  return rc;
}

/*
** Acquire, without the sleep: ACQUIRE-ENTER to ACQUIRE-PROBE; with bQueue also
** ACQUIRE-QUEUE to ACQUIRE-VICTIM.  The mutex is held in attempt() only.
*/
LockRc lockAsk(LockSession *p, const LockKey *pKey, u32 eMode, u32 eScope,
               int bQueue){
  u32 nGrown = 0, nRound = 0;
  int bProbed = 0;
  Ask a;
  if( eMode-1>=LOCK_MODES-1 || p->iRequest || p->iStamp>=SEG_ALL-1 ){
    return LOCK_MISUSE;
  }
  a.pKey = pKey;
  a.eMode = eMode;
  a.eScope = eScope;
  a.bQueue = bQueue;
  p->trouble.iBlocker = 0;
  p->trouble.iPid = p->trouble.eWhy = p->trouble.nCycle = 0;
  for(;;){
    LockRc rcLeave, rc = enterSettled(p);      /* ACQUIRE-ENTER */
    if( rc!=LOCK_OK ) return rc;
    rc = attempt(p, &a, bProbed);
    rcLeave = leave(p->pFile);
    if( rcLeave!=LOCK_OK ){
      p->iRequest = 0;
      return rcLeave;
    }
    if( rc==LOCK_FULL ){                       /* ACQUIRE-GROW */
      rc = moreRoom(p->pFile, &nGrown);
      if( rc!=LOCK_OK ) return rc;
    }else if( rc==LOCK_NO && !bProbed ){       /* ACQUIRE-PROBE */
      if( !probe(p, &nRound) || BUG(PROBE_ONCE) ) bProbed = 1;
      if( bProbed && !bQueue ) return LOCK_NO;
    }else{
      int bDead = probe(p, &nRound);           /* ACQUIRE-VICTIM */
      if( rc!=LOCK_DEADLOCK || !bDead ) return rc;
    }
  }
}

/*----------------------------------------------------------------- undo ---*/

LockGrant lockGranted(const LockSession *p){ return p->grant; }

/* A turn has no stamp that a rollback level could invalidate: its hold names a
** transaction of the past. */
static void undoTurn(LockSession *p, SegRecord *r){
  u32 iPast = p->iTxn>1 ? p->iTxn-1 : SEG_ALL;
  if( BUG(TURN_PRESENT) ) iPast = p->iTxn;
  /* UNDO-WORD */
  atomicSetRel(&r->thold, SEG_PAIR(iPast, 0));
  tidy(p);
}

/*
** One store invalidates the hold for every process, as at a transaction's end.
** The record is removed by tidy, or by a process that meets it.  The record is
** this session's own while the session holds it, so it is found without the
** mutex.
*/
void lockUndo(LockSession *p, const LockGrant *pGrant){
  SegRecord *r = segRecord(&p->pFile->seg, pGrant->iRecord);
  u32 nHold;
  if( p->pFile->bForked || pGrant->iRecord==0 ) return;
  if( pGrant->eScope==LOCK_SCOPE_TRANSACTION ){
    lockRollbackTo(p, pGrant->iLevel);
    return;
  }
  if( pGrant->eScope==LOCK_SCOPE_TURN ){
    undoTurn(p, r);
    return;
  }
  nHold = atomicGet(&r->scount);
  if( nHold==0 ) return;
  atomicSetRel(&r->scount, nHold-1);           /* UNDO-WORD */
  if( nHold>1 || r->thold ){
    CRASH(RELEASE_COUNT);
    return;
  }
  if( p->nBack<2 ) p->aBack[p->nBack++] = pGrant->iRecord;
  else p->bBack = 1;
  if( !BUG(UNDO_SILENT) ) tidy(p);
}

/*
** The one place where a grant meets a reason to end its wait.  An interrupt, a
** replaced file or any other error wins, whichever came first.  Only a timeout
** yields to the grant.
*/
LockRc lockConfirm(LockSession *p, LockRc rc){
  /* WAIT-CONFIRM */
  if( rc==LOCK_OK || rc==LOCK_TIMEOUT || BUG(KEEP_GRANT) ) return LOCK_OK;
  lockUndo(p, &p->grant);
  return rc;
}

/*----------------------------------------------------------------- wait ---*/

/* How the queued request stands: LOCK_WAITING, or the wait is over. */
LockRc lockOutcome(LockSession *p){
  /* WAIT-LOOK */
  SegRecord *r = segRecord(&p->pFile->seg, p->iRequest);
  u32 iState = atomicGetAcq(&r->state);
  if( p->pFile->bForked ) return LOCK_FORKED;
  if( iState==p->iState ) return LOCK_WAITING;
  if( iState==SEG_WITH(p->iState, SEG_GRANTED) ){
    noteGrant(p, p->iRequest);
    p->iRequest = 0;
    return LOCK_OK;
  }
  p->iRequest = 0;
  if( iState!=SEG_WITH(p->iState, SEG_CANCELLED) ){
    tellDamage(p->pFile);
    return LOCK_MALFORMED;
  }
  /* WAIT-CANCELLED */
  atomicSetRel(&r->state, SEG_WITH(iState, SEG_WITHDRAWN));
  CRASH(WITHDRAW);
  tidy(p);
  return LOCK_CANCELLED;
}

/* The request was granted or cancelled before this session could withdraw it.
** Returns how a wait ends that had to end with rc. */
static LockRc overtaken(LockSession *p, LockRc rc){
  LockRc rcOut = lockOutcome(p);
  return rcOut==LOCK_OK ? lockConfirm(p, rc) : rcOut;
}

/*
** End the wait, by compare-and-swap: the request is either withdrawn here or
** granted by another process.
*/
LockRc lockGiveUp(LockSession *p, LockRc rc){
  Seg *pSeg = &p->pFile->seg;
  u32 *pState = &segRecord(pSeg, p->iRequest)->state;
  u32 iNew = SEG_WITH(p->iState, SEG_WITHDRAWN);
  if( p->pFile->bForked ) return LOCK_FORKED;
  if( BUG(WITHDRAW_STORE) && atomicGetAcq(pState)!=p->iState ){
    return overtaken(p, rc);
  }
  CRASH(WITHDRAW_LOOK);            /* WAIT-DECIDE, then WAIT-WITHDRAW */
  if( BUG(WITHDRAW_STORE) ){
    atomicSetRel(pState, iNew);
  }else if( !atomicCas32(pState, p->iState, iNew) ){
    return overtaken(p, rc);
  }
  CRASH(WITHDRAW);
  p->iRequest = 0;
  if( rc==LOCK_TIMEOUT ) atomicAdd(&segHeader(pSeg)->stat[STAT_TIMEOUTS], 1);
  tidy(p);
  return rc;
}

/*
** The waking process may have died between its store and its wake, a holder may
** have died, an end may be stopped before END-WORK.  Never waits for the mutex,
** never fails.
*/
void lockPoll(LockSession *p){
  LockFile *pF = p->pFile;
  u32 nRound = 0;
  Ask a;
  if( usable(pF)!=LOCK_OK ) return;
  if( BUG(LOOK_OUTSIDE) ) tableScan(&pF->seg, &p->key);
  /* POLL-ENTER */
  if( entered(pF, ownerTry(&pF->seg, 0))!=LOCK_OK ) return;
  a.pKey = &p->key;
  a.eMode = p->eMode;
  look(p, &a);                                 /* POLL-LOOK */
  tableScan(&pF->seg, &p->key);                /* POLL-SCAN */
  noteBlockers(p, &a, p->iRequest);            /* POLL-PROBE */
  if( leave(pF)==LOCK_OK ) probe(p, &nRound);
  p->probes.n = 0;
}

/* May the wait go on? */
static LockRc askCaller(const LockWait *pWait){
  assert( ruleOutside() );
  return pWait->xPoll(pWait->pArg);
}

LockRc lockWait(LockSession *p, const LockWait *pWait){
  u64 usNow = osMonotonicUs(), usPoll = usNow+US_POLL, usEnd;
  usEnd = usNow + (u64)pWait->msTimeout*1000;
  for(;;){
    u32 *pState = &segRecord(&p->pFile->seg, p->iRequest)->state;
    LockRc rc = lockOutcome(p);
    i64 us;
    if( rc!=LOCK_WAITING ) return rc;
    usNow = osMonotonicUs();
    if( usNow>=usPoll || (pWait->msTimeout>=0 && usNow>=usEnd) ){
      usPoll = usNow + US_POLL;
      lockPoll(p);
      rc = lockOutcome(p);
      if( rc!=LOCK_WAITING ) return rc;
      if( usable(p->pFile)!=LOCK_OK ) return lockGiveUp(p, LOCK_MALFORMED);
      if( BUG(POLL_INSIDE) && pWait->xPoll ) enter(p->pFile);
      if( pWait->xPoll ) rc = askCaller(pWait);
      if( rc!=LOCK_WAITING && rc!=LOCK_OK ) return lockGiveUp(p, rc);
      rc = lockMoved(p->pFile);
      if( rc!=LOCK_OK ) return lockGiveUp(p, rc);
      if( pWait->msTimeout>=0 && usNow>=usEnd ){
        return lockGiveUp(p, LOCK_TIMEOUT);
      }
    }
    us = (i64)(usPoll-usNow);
    if( pWait->msTimeout>=0 && (i64)(usEnd-usNow)<us ) us = (i64)(usEnd-usNow);
    osWait(pState, p->iState, us>0 ? us : 1);  /* WAIT-SLEEP */
  }
}

/*
** The order of answers: granted if the rules allow it; refused if the caller
** may not wait; timed out if the timeout is 0; deadlock; then the wait.  A
** grant that did not come at once must be confirmed: an interrupt may have come
** meanwhile.
*/
LockRc lockAcquire(LockSession *p, const LockKey *pKey, u32 eMode, u32 eScope,
                   const LockWait *pWait){
  LockRc rc = lockAsk(p, pKey, eMode, eScope, 0);
  /* ACQUIRE-REFUSE */
  if( rc!=LOCK_NO || pWait==0 ) return rc;
  assert( ruleOutside() );
  if( pWait->xMayWait && !pWait->xMayWait(pWait->pArg) ) return LOCK_REFUSED;
  if( pWait->msTimeout==0 ) return LOCK_TIMEOUT;
  rc = lockMoved(p->pFile);
  if( rc!=LOCK_OK ) return rc;
  rc = lockAsk(p, pKey, eMode, eScope, 1);
  if( rc==LOCK_WAITING ) rc = lockWait(p, pWait);
  /* ACQUIRE-CONFIRM */
  if( rc!=LOCK_OK || pWait->xPoll==0 ) return rc;
  return lockConfirm(p, askCaller(pWait));
}

/*----------------------------------------------------------------- skip ---*/

/* Note the blockers of a skip: grants, requests and the active writer. */
static void noteSkipped(LockSession *p, const Ask *a){
  /* SKIP-NOTE */
  Seg *pSeg = &p->pFile->seg;
  u32 i = 0, n = 0, m = keyConflicts(a->eMode);
  assert( segHeld(pSeg) );
  if( p->skipped.n>=PROBES ) return;
  while( (i = tableNext(pSeg, a->pKey, i, &n))!=0 ){
    SegRecord *r = segRecord(pSeg, i);
    if( r->session==p->k || !(m & REC_BIT(r)) ) continue;
    noteIn(p, &p->skipped, r->session);
  }
  if( tableWriterBlocks(pSeg, a->pKey->eKind, p->k) ){
    noteIn(p, &p->skipped, segHeader(pSeg)->writer);
  }
}

static LockRc skipAttempt(LockSession *p, Ask *a){
  u32 i;
  look(p, a);                                  /* SKIP-LOOK */
  if( a->mOwn ){
    if( !BUG(SKIP_OWN) || a->iOwn==0 ) return LOCK_NO;
    holdAgain(p, a);
    return LOCK_OK;
  }
  if( BUG(SKIP_QUEUED) ) a->mAhead = 0;
  if( (keyConflicts(a->eMode) & (a->mHeld|a->mAhead))
   || tableWriterBlocks(&p->pFile->seg, a->pKey->eKind, p->k) ){
    noteSkipped(p, a);
    return LOCK_NO;
  }
  i = insert(p, a, 0);
  if( i==0 ) return LOCK_FULL;
  p->iStronger = 0;
  noteGrant(p, i);
  return LOCK_OK;
}

LockRc lockSkip(LockSession *p, const LockKey *pKey, u32 eMode, u32 eScope){
  u32 nGrown = 0;
  Ask a;
  if( eMode-1>=LOCK_MODES-1 || p->iRequest || p->iStamp>=SEG_ALL-1 ){
    return LOCK_MISUSE;
  }
  a.pKey = pKey;
  a.eMode = eMode;
  a.eScope = eScope;
  a.bQueue = 0;
  for(;;){
    LockRc rc = enterSettled(p), rcLeave;
    if( rc!=LOCK_OK ) return rc;
    rc = skipAttempt(p, &a);
    rcLeave = leave(p->pFile);
    if( rcLeave!=LOCK_OK ) return rcLeave;
    if( rc!=LOCK_FULL ) return rc;
    rc = moreRoom(p->pFile, &nGrown);
    if( rc!=LOCK_OK ) return rc;
  }
}

int lockSkipProbe(LockSession *p){
  LockFile *pF = p->pFile;
  u32 j, nGone = 0;
  /* SKIP-PROBE */
  for(j=0; j<p->skipped.n && usable(pF)==LOCK_OK; j++){
    if( !ownerDead(&pF->seg, p->skipped.a[j]) ) continue;
    nGone += reap(pF, p->skipped.a[j]);
  }
  p->skipped.n = 0;
  return nGone>0;
}

/*-------------------------------------------------------------- release ---*/

/* Own grant of a key and mode; 0 if there is none. */
static u32 ownGrant(LockSession *p, const LockKey *pKey, u32 eMode){
  Seg *pSeg = &p->pFile->seg;
  u32 i = 0, n = 0;
  while( (i = tableNext(pSeg, pKey, i, &n))!=0 ){
    SegRecord *r = segRecord(pSeg, i);
    if( r->session!=p->k || r->generation!=p->iGen ) continue;
    if( SEG_STATE(atomicGet(&r->state))!=SEG_GRANTED ) continue;
    if( eMode==0 || REC_MODE(r)==eMode ) return i;
  }
  return 0;
}

/* Takes one from the session count of key and mode, under the mutex. */
static LockRc releaseOne(LockSession *p, const LockKey *pKey, u32 eMode){
  Seg *pSeg = &p->pFile->seg;
  u32 i = ownGrant(p, pKey, eMode);
  if( i==0 || segRecord(pSeg, i)->scount==0 ) return LOCK_NO;
  if( (segRecord(pSeg, i)->scount>1 || segRecord(pSeg, i)->thold)
   && !BUG(COUNT_SCOPES) ){
    SegRecord *r = segRecord(pSeg, i);
    atomicSet(&r->scount, r->scount-1);
    CRASH(RELEASE_COUNT);                      /* RELEASE-COUNT */
  }else{
    tableRemove(pSeg, i);                      /* RELEASE-LAST */
  }
  return LOCK_OK;
}

LockRc lockRelease(LockSession *p, const LockKey *pKey, u32 eMode){
  LockRc rc = enterSettled(p), rcLeave;
  if( rc!=LOCK_OK ) return rc;
  rc = releaseOne(p, pKey, eMode);
  rcLeave = leave(p->pFile);
  return rcLeave!=LOCK_OK ? rcLeave : rc;
}

/* The row is released first: it is never held without its table's intention. */
LockRc lockReleaseRow(LockSession *p, const LockKey *pRow, u32 eMode,
                      const LockKey *pTable, u32 eIntent){
  LockRc rc = enterSettled(p), rcLeave;
  if( rc!=LOCK_OK ) return rc;
  rc = releaseOne(p, pRow, eMode);
  if( rc==LOCK_OK ) releaseOne(p, pTable, eIntent);
  rcLeave = leave(p->pFile);
  return rcLeave!=LOCK_OK ? rcLeave : rc;
}

/* What a lockReleaseAll releases, and how far it is. */
typedef struct ReleaseAll {
  u32 mKind, mMode;
  u32 i;                   /* next record of the present list */
  u32 nStep;
  u64 n;                   /* released */
} ReleaseAll;

/* Release at most SWEEP_MAX records of a list: 1 if there are more. */
static int releaseSome(LockSession *p, ReleaseAll *a){
  Seg *pSeg = &p->pFile->seg;
  u32 n;
  assert( segHeld(pSeg) );
  for(n=0; a->i && n<SWEEP_MAX; n++){
    u32 i = a->i;
    SegRecord *r = segRecord(pSeg, i);
    if( !segBound(pSeg, &a->nStep) ) return 0;
    if( r->session!=p->k && !BUG(RELEASE_FOREIGN) ){
      segDamage(pSeg);
      return 0;
    }
    a->i = r->sesNext;
    if( !(a->mKind>>REC_KIND(r) & 1) || r->scount==0 ) continue;
    if( !(a->mMode & REC_BIT(r)) ) continue;
    if( SEG_STATE(atomicGet(&r->state))!=SEG_GRANTED ) continue;
    a->n += r->scount;
    if( r->thold ){
      atomicSet(&r->scount, 0);
      CRASH(RELEASE_COUNT);
    }else{
      tableRemove(pSeg, i);
    }
  }
  return a->i!=0;
}

/*
** Release from both lists.  The mutex is held at entry and, after LOCK_OK, at
** the end.  Between two portions other processes may enter.  They do not change
** this session's lists, except that a rebuild may relink them: then start
** again.
*/
static LockRc releaseLists(LockSession *p, ReleaseAll *a){
  LockFile *pF = p->pFile;
  SegHeader *h = segHeader(&pF->seg);
  u64 nRecover = h->stat[STAT_RECOVERIES];
  u32 nRound = 0;
  int iList;
  assert( segHeld(&p->pFile->seg) );
  for(iList=0; iList<2; iList++){
    a->i = iList ? slot(p)->firstSes : slot(p)->firstTxn;
    a->nStep = 0;
    while( releaseSome(p, a) && segBound(&pF->seg, &nRound) ){
      LockRc rc = leave(pF);
      if( rc==LOCK_OK ) rc = enter(pF);
      if( rc!=LOCK_OK ) return rc;
      if( nRecover!=h->stat[STAT_RECOVERIES] ){
        nRecover = h->stat[STAT_RECOVERIES];
        a->i = slot(p)->firstTxn;
        a->nStep = 0;
        iList = 0;
      }
    }
  }
  return LOCK_OK;
}

LockRc lockReleaseAll(LockSession *p, u32 mKind, u32 mMode, u64 *pn){
  ReleaseAll a;
  LockRc rc = enterSettled(p);
  if( pn ) *pn = 0;
  if( rc!=LOCK_OK ) return rc;
  memset(&a, 0, sizeof(a));
  a.mMode = mMode;
  a.mKind = BUG(TABLES_FIRST) ? mKind : mKind & ~(1u<<KEY_TABLE);
  rc = releaseLists(p, &a);
  a.mKind = mKind & 1u<<KEY_TABLE;
  if( rc==LOCK_OK && a.mKind ) rc = releaseLists(p, &a);
  if( rc!=LOCK_OK ) return rc;
  if( pn ) *pn = a.n;
  return leave(p->pFile);
}

/* enterSettled has removed what is invalidated; a request may be among the
** rest. */
int lockHolding(LockSession *p){
  Seg *pSeg = &p->pFile->seg;
  LockRc rc = enterSettled(p);
  int iList, bHolds = 0;
  if( rc!=LOCK_OK ) return rc==LOCK_BUSY;
  for(iList=0; iList<2 && !bHolds; iList++){
    u32 i = iList ? slot(p)->firstSes : slot(p)->firstTxn, n = 0;
    for(; i && segBound(pSeg, &n) && !bHolds; i=segRecord(pSeg, i)->sesNext){
      bHolds = SEG_STATE(atomicGet(&segRecord(pSeg, i)->state))==SEG_GRANTED;
    }
  }
  return leave(p->pFile)==LOCK_OK && bHolds;
}

/*--------------------------------------------------------- transactions ---*/

void lockTxnEnd(LockSession *p){
  if( !p->bTxn || p->pFile->bForked ) return;
  p->bTxn = 0;
  if( !BUG(WRITER_NOTE) ) p->iWriterTxn = 0;
  p->iStamp = 0;
  p->iKeep = SEG_ALL;
  if( ++p->iTxn==0 ) p->iTxn = 1;
  atomicSetRel(&slot(p)->now, SEG_PAIR(p->iTxn, SEG_ALL));     /* END-WORD */
  tidy(p);
}

u32 lockLevel(LockSession *p){ return p->iStamp; }

/* Stamps go on counting, so that an invalidated hold is never valid again. */
void lockRollbackTo(LockSession *p, u32 iLevel){
  if( !p->bTxn || p->iStamp<=iLevel || p->pFile->bForked ) return;
  if( iLevel<p->iKeep ) p->iKeep = iLevel;
  atomicSetRel(&slot(p)->now, SEG_PAIR(p->iTxn, p->iKeep));    /* END-WORD */
  tidy(p);
}

/*--------------------------------------------------------------- cancel ---*/

/* Cancel the wait of session slot k, if that is the session of that id. */
static LockRc cancelSlot(Seg *p, u32 k, u64 iId){
  SegSession *s = segSession(p, k);
  u64 iState = atomicGetAcq(&s->state);
  u32 i = atomicGet(&s->waits), iRec;
  SegRecord *r;
  if( atomicGet(&s->id)!=iId || SEG_LOW(iState)!=SEG_LIVE ) return LOCK_NO;
  if( i-1>=segRecords(p) ) return LOCK_NO;
  r = segRecord(p, i);
  iRec = atomicGetAcq(&r->state);              /* CANCEL-LOOK */
  if( SEG_STATE(iRec)!=SEG_WAITING || atomicGet(&r->session)!=k
   || atomicGet(&r->generation)!=SEG_HIGH(iState) ){
    return LOCK_NO;
  }
  CRASH(CANCEL_LOOK);
  if( BUG(CANCEL_NOSEQ) ){
    iRec = atomicGetAcq(&r->state);
    if( SEG_STATE(iRec)!=SEG_WAITING ) return LOCK_NO;
  }
  /* CANCEL-STATE */
  if( !atomicCas32(&r->state, iRec, SEG_WITH(iRec, SEG_CANCELLED)) ){
    return LOCK_NO;
  }
  CRASH(CANCEL);
  atomicAdd(&segHeader(p)->stat[STAT_CANCELS], 1);
  if( !BUG(CANCEL_SILENT) ) osWake(&r->state, 1);   /* CANCEL-WAKE */
  return LOCK_OK;
}

LockRc lockCancel(LockFile *pF, u64 iId){
  u32 k;
  LockRc rc = usable(pF);
  if( rc==LOCK_OK && segStale(&pF->seg) ) rc = segRefresh(&pF->seg);
  if( rc!=LOCK_OK ) return rc;
  for(k=1; k<=LIMIT_SESSION; k++){
    if( atomicGet(&segSession(&pF->seg, k)->id)==iId ){
      return cancelSlot(&pF->seg, k, iId);
    }
  }
  return LOCK_NO;
}

/*---------------------------------------------- tokens, guards, events ---*/

LockRc lockToken(LockSession *p, const LockKey *pKey, u64 *piToken){
  Seg *pSeg = &p->pFile->seg;
  LockRc rc = enterSettled(p);
  u32 i = 0, n = 0, eMode = 0;
  *piToken = 0;
  if( rc!=LOCK_OK ) return rc;
  while( (i = tableNext(pSeg, pKey, i, &n))!=0 ){
    SegRecord *r = segRecord(pSeg, i);
    if( r->session!=p->k || SEG_STATE(atomicGet(&r->state))!=SEG_GRANTED
     || REC_MODE(r)<eMode ){
      continue;
    }
    eMode = REC_MODE(r);
    *piToken = r->token;
  }
  return leave(p->pFile);
}

int lockWriting(const LockSession *p){
  return p->iWriterTxn!=0 && p->iWriterTxn==p->iTxn;
}

/*
** Is this session the active writer?  Its own note is not enough: SQLite may
** have ended the transaction without a notice (lock.h), and another session may
** have become the active writer since.  No mutex: the caller has SQLite's write
** lock, so no other session becomes the active writer meanwhile, and one that
** has did so before the caller got that lock.
*/
static int isWriter(const LockSession *p){
  const SegHeader *h = segHeader(&p->pFile->seg);
  if( !lockWriting(p) ) return 0;
  return atomicGetAcq(&h->writerTxn)==p->iTxn && atomicGet(&h->writer)==p->k
      && atomicGet(&h->writerGen)==p->iGen;
}

/*
** After a roll back to a savepoint the session is still the active writer,
** until the transaction's end, which is the end of SQLite's write lock.  After
** LOCK_BUSY nothing is noted.
*/
LockRc lockWriterEnter(LockSession *p){
  LockFile *pF = p->pFile;
  LockRc rc = usable(pF);
  if( rc!=LOCK_OK || isWriter(p) ) return rc;
  if( BUG(WRITER_NOTE) && p->iWriterTxn ) return LOCK_OK;
  rc = lockMoved(pF);
  if( rc!=LOCK_OK ) return rc;
  rc = enterSettled(p);
  if( rc!=LOCK_OK ) return rc;
  tableWriterEnter(&pF->seg, p->k);
  p->bTxn = 1;
  rc = leave(pF);
  if( rc==LOCK_OK ) p->iWriterTxn = p->iTxn;
  return rc;
}

/* segment.h, GUARD WORDS, says why this needs no mutex. */
int lockGuardFree(LockSession *p, const LockKey *pTable){
  LockFile *pF = p->pFile;
  u32 iClass = (pTable->iHash + BUG(GUARD_CLASS))%SEG_GUARDS;
  if( usable(pF)!=LOCK_OK || !isWriter(p) ) return 0;
  /* GUARD-READ */
  return atomicGet(&segHeader(&pF->seg)->guard[iClass])==0;
}

/* Under the mutex: 1 if no other session holds what a write in this mode
** conflicts with.  Otherwise the blockers are noted. */
static int guardFree(LockSession *p, const LockKey *pKey, u32 eMode){
  Ask a;
  int bFree;
  assert( segHeld(&p->pFile->seg) );
  a.pKey = pKey;
  a.eMode = eMode;
  look(p, &a);
  bFree = (keyConflicts(eMode) & a.mHeld)==0;
  if( !bFree ) noteBlockers(p, &a, 0);
  return bFree;
}

LockRc lockGuard(LockSession *p, const LockKey *pTable, const LockKey *pKey,
                 const LockKey **ppHeld){
  u32 nRound = 0;
  int bProbed = 0;
  for(;;){
    LockRc rc = enterSettled(p);
    *ppHeld = 0;
    if( rc!=LOCK_OK ) return rc;
    /* GUARD-LOOK */
    if( pTable && !guardFree(p, pTable, LOCK_INTENT_EXCLUSIVE) ){
      *ppHeld = pTable;
    }else if( pKey && !guardFree(p, pKey, LOCK_EXCLUSIVE) ){
      *ppHeld = pKey;
    }
    rc = leave(p->pFile);
    if( rc!=LOCK_OK || *ppHeld==0 ) return rc;
    /* GUARD-PROBE */
    if( bProbed || !probe(p, &nRound) ) return LOCK_NO;
    bProbed = 1;
  }
}

static u32 *eventWord(LockFile *pF, const char *zName){
  return &segHeader(&pF->seg)->event[keyEvent(zName) % SEG_EVENTS];
}
u32 lockEvent(LockFile *pF, const char *zName){
  return atomicGetAcq(eventWord(pF, zName));
}
/* A signal ends a sleep early: the clock decides. */
void lockEventWait(LockFile *pF, const char *zName, u32 iSeen, i64 ms){
  u32 *pWord = eventWord(pF, zName);
  u64 usNow = osMonotonicUs(), usEnd = usNow + (u64)ms*1000;
  while( !pF->bForked && usNow<usEnd && atomicGetAcq(pWord)==iSeen ){
    osWait(pWord, iSeen, (i64)(usEnd-usNow));
    usNow = osMonotonicUs();
  }
}
void lockEventPost(LockFile *pF, const char *zName){
  if( pF->bForked ) return;
  atomicAdd(eventWord(pF, zName), 1);
  if( !BUG(EVENT_SILENT) ) osWake(eventWord(pF, zName), 1<<30);
}

/*------------------------------------------------------------- sessions ---*/

LockRc lockSessionBegin(LockFile *pF, LockSession **pp){
  Seg *pSeg = &pF->seg;
  LockSession *p;
  LockRc rc = LOCK_OK;
  int bProbed = 0;
  *pp = 0;
  if( pSeg->file.bRead ) return LOCK_MISUSE;
  rc = lockMoved(pF);
  if( rc!=LOCK_OK ) return rc;
  p = ruleAlloc(&pF->mem, sizeof(*p));
  if( p==0 ) return LOCK_NOMEM;
  memset(p, 0, sizeof(*p));
  p->pFile = pF;
  p->iTxn = 1;
  p->iKeep = SEG_ALL;
  while( rc==LOCK_OK && p->k==0 ){
    rc = enter(pF);
    if( rc!=LOCK_OK ) break;
    p->k = tableOpen(pSeg, pSeg->iNumber);
    if( p->k ){
      SegSession *s = slot(p);
      p->iGen = SEG_HIGH(s->state);
      atomicSet(&s->pid, pF->iPid);
      atomicSet(&s->pidSpace, pF->iPidSpace);
    }
    if( BUG(ALLOC_INSIDE) ) ruleFree(&pF->mem, ruleAlloc(&pF->mem, 1));
    if( BUG(RANK_TURNED) ) osProcessEnter();
    rc = leave(pF);
    if( rc==LOCK_OK && p->k==0 ){
      rc = !bProbed && probeAll(pF) ? LOCK_OK : LOCK_FULL;
      bProbed = 1;
    }
  }
  if( rc!=LOCK_OK ){
    ruleFree(&pF->mem, p);
    return rc;
  }
  *pp = p;
  return LOCK_OK;
}

void lockSessionEnd(LockSession *p){
  LockFile *pF;
  if( p==0 ) return;
  pF = p->pFile;
  if( !pF->bForked ){
    if( p->iRequest ) lockGiveUp(p, LOCK_INTERRUPTED);
    /* END-WORD */
    atomicSetRel(&slot(p)->state, SEG_PAIR(p->iGen, SEG_ENDING));
    tidy(p);
  }
  ruleFree(&pF->mem, p);
}

u64 lockGrantToken(const LockSession *p){ return p->iToken; }

u64 lockSessionId(LockSession *p){ return atomicGet(&slot(p)->id); }
const LockTrouble *lockTrouble(LockSession *p){ return &p->trouble; }

void lockSessionLabel(LockSession *p, const char *z){
  u32 a[LIMIT_LABEL/4], i;
  size_t n = strlen(z);
  if( p->pFile->bForked ) return;
  memset(a, 0, sizeof(a));
  if( n>LIMIT_LABEL ){
    for(n=LIMIT_LABEL; n && ((u8)z[n] & 0xC0)==0x80; n--){}
  }
  memcpy(a, z, n);
  for(i=0; i<LIMIT_LABEL/4; i++) atomicSet(&slot(p)->label[i], a[i]);
}

/*------------------------------------------------------------ open file ---*/

/* In a fork's child: the parent's byte must not stay locked through this copy
** of the descriptor, nor through the inherited mapping, which refers to the
** same open file.  And nothing here may touch the segment again. */
static void forgetFiles(void){
  LockFile *pF;
  for(pF=pFiles; pF; pF=pF->pNext){
    pF->bForked = 1;
    osForget(pF->seg.pBase, pF->seg.nWindow);
    osClose(&pF->seg.file);
  }
  pFiles = 0;
}

static void freeFile(LockFile *pF){
  segClose(&pF->seg);
  if( pF->pGraph ) ruleFree(&pF->mem, pF->pGraph);
  if( pF->aQueue ) ruleFree(&pF->mem, pF->aQueue);
  if( pF->zPath ) ruleFree(&pF->mem, pF->zPath);
  ruleFree(&pF->mem, pF);
}

/* A LockFile with its memory; zPath is zName and zSuffix.  Without a suffix
** it is no database's. */
static LockFile *newFile(const LockMem *pMem, const char *zName,
                         const char *zSuffix){
  LockFile *pF = ruleAlloc(pMem, sizeof(*pF));
  size_t n = zName ? strlen(zName) : 0;
  if( pF==0 ) return 0;
  memset(pF, 0, sizeof(*pF));
  pF->mem = *pMem;
  pF->seg.file.fd = -1;
  pF->nRef = 1;
  pF->iPid = osPid();
  pF->iPidSpace = osPidSpace();
  pF->aQueue = ruleAlloc(pMem, LIMIT_SESSION*sizeof(u32));
  pF->pGraph = ruleAlloc(pMem, graphSize());
  if( zName ) pF->zPath = ruleAlloc(pMem, 2*n + strlen(zSuffix) + 2);
  if( pF->aQueue==0 || pF->pGraph==0 || (zName && pF->zPath==0) ){
    freeFile(pF);
    return 0;
  }
  memset(pF->pGraph, 0, graphSize());
  pF->pGraph = graphInit(pF->pGraph);
  if( zName ){
    memcpy(pF->zPath, zName, n);
    memcpy(pF->zPath+n, zSuffix, strlen(zSuffix)+1);
    if( zSuffix[0] ){
      pF->zDb = pF->zPath + n + strlen(zSuffix) + 1;
      memcpy(pF->zDb, zName, n+1);
    }
  }
  return pF;
}

/* Under osProcessEnter: the same file, if this process has it open already. */
static LockFile *findFile(LockFile *pNew, int bMemory){
  LockFile *pF;
  u64 iDev = 0, iIno = 0;
  if( pNew->zPath==0 ) return 0;
  if( !bMemory && osIdentify(pNew->zPath, &iDev, &iIno)!=LOCK_OK ) return 0;
  for(pF=pFiles; pF; pF=pF->pNext){
    int bMem = pF->seg.file.fd<0;
    if( bMem!=bMemory || pF->zPath==0 || pF->seg.file.bRead ) continue;
    if( bMemory ? strcmp(pF->zPath, pNew->zPath)==0
                : pF->seg.file.iDev==iDev && pF->seg.file.iIno==iIno ){
      return pF;
    }
  }
  return 0;
}

enum { OPEN_CREATE, OPEN_THERE, OPEN_LOOK };

static LockRc attachFile(LockFile *pF, int eOpen){
  OsFile *pFile = &pF->seg.file;
  LockRc rc = LOCK_OK;
  if( pF->zDb ){
    rc = osOpen(pFile, pF->zPath, pF->zDb,
                eOpen==OPEN_CREATE ? OS_CREATE : OS_WRITE);
    if( rc==LOCK_CANTOPEN && eOpen==OPEN_LOOK
     && osTrouble()->eAbout==OS_ABOUT_OPEN ){
      rc = osOpen(pFile, pF->zPath, pF->zDb, OS_READ);
    }
  }
  pF->seg.iPrint = formatPrint();
  if( rc==LOCK_OK ) rc = segOpen(&pF->seg);
  if( rc==LOCK_OK ){
    rc = pFile->bRead ? ownerLook(&pF->seg) : ownerAttach(&pF->seg);
  }
  return rc;
}

/* Join pNew to an open file of the same name, or attach it. */
static LockRc openFile(LockFile *pNew, int eOpen, LockFile **pp){
  LockFile *pF;
  LockRc rc = LOCK_OK;
  *pp = 0;
  if( pNew==0 ) return LOCK_NOMEM;
  if( pNew->zDb ) rc = osOneName(pNew->zDb);
  if( rc!=LOCK_OK ){
    freeFile(pNew);
    return rc;
  }
  osAtFork(forgetFiles);
  osProcessEnter();
  pF = findFile(pNew, pNew->zDb==0);
  if( pF ){
    pF->nRef++;
    freeFile(pNew);
  }else{
    pF = pNew;
    rc = attachFile(pF, eOpen);
    if( rc==LOCK_OK ){
      pF->pNext = pFiles;
      pFiles = pF;
    }else{
      freeFile(pF);
      pF = 0;
    }
  }
  osProcessLeave();
  *pp = pF;
  return rc;
}

LockRc lockOpen(const LockMem *pMem, const char *zDb, int bCreate,
                LockFile **pp){
  return openFile(newFile(pMem, zDb, "-interlock"),
                  bCreate ? OPEN_CREATE : OPEN_THERE, pp);
}

LockRc lockOpenLook(const LockMem *pMem, const char *zDb, LockFile **pp){
  return openFile(newFile(pMem, zDb, "-interlock"), OPEN_LOOK, pp);
}

void lockLooked(LockFile *pF){
  if( pF->seg.file.bRead ) osLockFirst(&pF->seg.file, OS_UNLOCKED, 0);
}

LockRc lockOpenMemory(const LockMem *pMem, const char *zName, LockFile **pp){
  return openFile(newFile(pMem, zName, ""), OPEN_CREATE, pp);
}

LockFile *lockRetain(LockFile *pF){
  osProcessEnter();
  pF->nRef++;
  osProcessLeave();
  return pF;
}

void lockClose(LockFile *pF){
  LockFile **ppF;
  u32 nRef;
  if( pF==0 ) return;
  osProcessEnter();
  nRef = --pF->nRef;
  if( nRef==0 ){
    for(ppF=&pFiles; *ppF && *ppF!=pF; ppF=&(*ppF)->pNext){}
    if( *ppF ) *ppF = pF->pNext;
    freeFile(pF);
  }
  osProcessLeave();
}

LockRc lockMoved(LockFile *pF){
  u64 iDev, iIno;
  if( pF->seg.file.fd<0 ) return LOCK_OK;
  if( osIdentify(pF->zPath, &iDev, &iIno)!=LOCK_OK
   || iDev!=pF->seg.file.iDev || iIno!=pF->seg.file.iIno ){
    return LOCK_REPLACED;
  }
  return osOneName(pF->zDb);
}

u32 lockLimit(const LockFile *pF){
  return pF->seg.file.fd<0 ? LIMIT_PRIVATE*LIMIT_EXTENT : LIMIT_RECORD;
}

LockFormat lockFormat(void){ return formatOwn(); }
LockFormat lockFormatMet(void){ return formatMet(); }

Seg *lockSegment(LockFile *pF){ return &pF->seg; }
const LockMem *lockMemory(LockFile *pF){ return &pF->mem; }
int lockForked(LockFile *pF){ return pF->bForked!=0; }

#ifdef INTERLOCK_TEST
int lockPending(LockSession *p){ return p->iRequest!=0; }
u32 lockSlot(LockSession *p){ return p->k; }
u64 lockGraphSteps(LockFile *pF){ return graphSteps(pF->pGraph); }
const char *lockCheck(LockFile *pF){
  const char *z;
  LockRc rc = enter(pF);
  if( rc!=LOCK_OK ) return rc==LOCK_BUSY ? "busy" : "not usable";
  z = segmentCheck(&pF->seg);
  if( z==0 ) z = tableCheck(&pF->seg);
  rc = leave(pF);
  return z==0 && rc!=LOCK_OK ? "damaged" : z;
}
#endif
