/* SPDX-License-Identifier: 0BSD */
/*
** acquire.c: a request, up to the grant or the position in the queue: Acquire
** of ext/core/README.md.
*/
#include "core/lockint.h"
#include "core/writer.h"

#define GROWTHS   32               /* how often one call may grow the file */
#define MS_STAY   1000             /* between two looks at the file's name */

/* Looks at one record of the queue.  Returns 1 if the record was invalidated
** and is removed now, which may have granted others. */
static int lookAt(LockSession *p, LockLook *a, u32 i){
  Seg *pSeg = &p->pFile->seg;
  SegRecord *r = segRecord(pSeg, i);
  u32 e = SEG_STATE(atomicGetAcq(&r->state)), m = REC_BIT(r);
  if( e==SEG_WITHDRAWN || recordInvalid(pSeg, r) ){
    recordRemove(pSeg, i);
    return 1;
  }
  if( r->session==p->k ){
    if( e!=SEG_GRANTED && !BUG(REQUEST_HELD) ){            /* its request */
      if( e==SEG_WAITING && a->pKey->eKind==KEY_SEMAPHORE && !BUG(PERMIT_OWN) ){
        a->mAhead |= m;
      }
      return 0;
    }
    a->mOwn |= m;
    if( REC_MODE(r)==a->eMode ) a->iOwn = i;
    if( m>MODE_BIT(a->eMode) && m>(a->mOwn & ~m) ) a->iStrong = i;
  }else if( e==SEG_GRANTED ){
    a->mHeld |= m;
    a->nHeld++;
  }else if( e==SEG_WAITING ){
    a->mAhead |= m;
  }else{
    lockNote(p, r->session);       /* cancelled: its process may be dead */
  }
  return 0;
}

/* Walks the queue.  A walk that removed something is followed by another.  Each
** walk removes what the next would meet, so only a damaged file could make this
** go on without an end. */
static void lookThrough(LockSession *p, LockLook *a){
  Seg *pSeg = &p->pFile->seg;
  u32 i, iNext, n, nRound = 0;
  int bAgain;
  assert( segHeld(pSeg) );
  do{
    p->probes.n = 0;
    a->iOwn = a->iStrong = 0;
    a->mOwn = a->mHeld = a->mAhead = a->iPlace = a->mBefore = n = 0;
    bAgain = a->nHeld = 0;
    for(i=recordNext(pSeg, a->pKey, 0, &n); i; i=iNext){
      iNext = recordNext(pSeg, a->pKey, i, &n);
      bAgain |= lookAt(p, a, i);
    }
  }while( bAgain && segBound(pSeg, &nRound) );
  if( a->nHeld<a->pKey->nPermit && !BUG(PERMIT_ONE) ) a->mHeld = 0;
}

/* Walks the queue, then finds the position that an upgrade would take. */
void lockLook(LockSession *p, LockLook *a){
  Seg *pSeg = &p->pFile->seg;
  u32 i = 0, n = 0;
  lookThrough(p, a);
  if( a->mOwn==0 || a->mAhead==0 || BUG(UPGRADE_TAIL) ) return;
  while( (i = recordNext(pSeg, a->pKey, i, &n))!=0 ){
    SegRecord *r = segRecord(pSeg, i);
    if( SEG_STATE(atomicGetAcq(&r->state))!=SEG_WAITING ) continue;
    if( r->session==p->k ) continue;
    if( keyConflicts(REC_MODE(r)) & a->mOwn ){
      a->iPlace = i;                   /* of G3a, G3b, G3c */
      return;
    }
    a->mBefore |= REC_BIT(r);
  }
}

/* 1 if the request may be granted now: G2 and G3b. */
static int grantable(LockSession *p, const LockLook *a){
  u32 m = keyConflicts(a->eMode);
  if( (m & a->mHeld)
   || writerBlocks(&p->pFile->seg, a->pKey->eKind, p->k) ){
    return 0;
  }
  return !(m & a->mAhead) || (a->iPlace && !(m & a->mBefore));
}

/* Makes a transaction hold of this session; 0 for session scope. */
static u64 newHold(LockSession *p, u32 eScope){
  if( eScope==LOCK_SCOPE_SESSION ) return 0;
  p->bTxn = 1;
  return SEG_PAIR(p->iTxn, eScope==LOCK_SCOPE_TURN ? 0 : ++p->iStamp);
}

/* Notes the record of the grant or the request, with the level before it. */
static void noteRecord(LockSession *p, const LockLook *a, u32 i, u32 iLevel){
  p->grant.iRecord = i;
  p->grant.eScope = a->eScope;
  p->grant.iLevel = iLevel;
}

/* G1: the session holds the mode already.  This is one store. */
void lockHoldAgain(LockSession *p, const LockLook *a){
  Seg *pSeg = &p->pFile->seg;
  SegRecord *r = segRecord(pSeg, a->iOwn);
  assert( segHeld(&p->pFile->seg) );
  noteRecord(p, a, a->iOwn, p->iStamp);
  /* Undoing must leave a turn that the transaction held already. */
  if( a->eScope==LOCK_SCOPE_TURN && !recordHoldInvalid(pSeg, r) ){
    p->grant.eScope = LOCK_SCOPE_TRANSACTION;
  }
  if( a->eScope==LOCK_SCOPE_SESSION ){
    atomicSet(&r->sesCount, r->sesCount+1);
  }else if( recordHoldInvalid(pSeg, r) || a->eScope==LOCK_SCOPE_TURN ){
    atomicSet(&r->txnHold, newHold(p, a->eScope));
    recordMove(pSeg, a->iOwn);
  }
  if( BUG(LEVEL_AFTER) ) p->grant.iLevel = p->iStamp;
  CRASH(ACQUIRE_AGAIN);
}

void lockNoteBlockers(LockSession *p, const LockLook *a, u32 iEnd){
  Seg *pSeg = &p->pFile->seg;
  u32 i = 0, n = 0, m = keyConflicts(a->eMode), kFirst = 0, eFirst = 0;
  u32 eWhy;
  assert( segHeld(pSeg) );
  while( (i = recordNext(pSeg, a->pKey, i, &n))!=0 && i!=iEnd ){
    SegRecord *r = segRecord(pSeg, i);
    u32 e = SEG_STATE(atomicGetAcq(&r->state));
    if( r->session==p->k || !(m & REC_BIT(r)) ) continue;
    if( e!=SEG_GRANTED && e!=SEG_WAITING ) continue;
    if( e==SEG_GRANTED && a->mHeld==0 ) continue;  /* a permit is free */
    if( kFirst==0 || (e==SEG_GRANTED && eFirst!=SEG_GRANTED) ){
      kFirst = r->session;
      eFirst = e;
    }
    if( iEnd==0 ) lockNote(p, r->session);
  }
  eWhy = eFirst==SEG_WAITING ? TROUBLE_WAITS : TROUBLE_HOLDS;
  if( writerBlocks(pSeg, a->pKey->eKind, p->k) ){
    if( eFirst!=SEG_GRANTED ){
      kFirst = segHeader(pSeg)->writer;
      eWhy = TROUBLE_WRITES;
    }
  }
  if( kFirst ){
    if( iEnd==0 && a->pKey->nPermit<=1 ) lockNoteFirst(p, kFirst);
    p->trouble.eWhy = eWhy;
    p->trouble.iBlocker = atomicGet(&segSession(pSeg, kFirst)->id);
    p->trouble.iPid = atomicGet(&segSession(pSeg, kFirst)->pid);
  }
}

u32 lockInsert(LockSession *p, const LockLook *a, int bWaiting){
  RecordNew new;
  u32 i, iStamp = p->iStamp;
  assert( segHeld(&p->pFile->seg) );
  new.pKey = a->pKey;
  new.iSession = p->k;
  new.iGeneration = p->iGen;
  new.eMode = a->eMode;
  new.sesCount = a->eScope==LOCK_SCOPE_SESSION;
  new.txnHold = newHold(p, a->eScope);
  new.iBefore = bWaiting ? a->iPlace : 0;
  new.bWaiting = (u32)bWaiting;
  i = recordInsert(&p->pFile->seg, &new);
  if( i==0 ) p->iStamp = iStamp;
  else p->msInsert = atomicGet(&segRecord(&p->pFile->seg, i)->since);
  noteRecord(p, a, i, iStamp);
  return i;
}

/* Gives new tickets to an upgrade, which stands in front of iPlace, and to the
** requests behind it. */
static void renumber(LockSession *p, const LockLook *a){
  LockFile *pF = p->pFile;
  u32 i = 0, n = 0, nQueue = 0;
  assert( segHeld(&p->pFile->seg) );
  pF->aQueue[nQueue++] = p->iRequest;
  while( (i = recordNext(&pF->seg, a->pKey, i, &n))!=0 ){
    SegRecord *r = segRecord(&pF->seg, i);
    if( i!=a->iPlace && nQueue==1 ) continue;
    if( SEG_STATE(atomicGetAcq(&r->state))!=SEG_WAITING && i!=a->iPlace ){
      continue;
    }
    if( nQueue<LIMIT_SESSION && i!=p->iRequest ) pF->aQueue[nQueue++] = i;
  }
  recordReorder(&pF->seg, pF->aQueue, nQueue);
}

/* Notes the ids of the cycle, and the processes of all members to be probed. */
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
  for(j=0; j<n; j++) lockNote(p, a[j]);
}

/*
** 1 if the request that p has just queued may be in a cycle.
**
** A cycle has an edge that leads to p.  Another session that waits has such an
** edge if p holds a mode that its request conflicts with, or if a request of p
** stands ahead of its own.  p has no other request, and no request stands
** behind one at the tail.  So a session that holds nothing in this file, and
** whose only record is the request, is in no cycle.
**
** Edges of two other kinds do not lead to p.  The active writer never waits for
** a lock (README.md, Choices).  A connection that holds locks in one file waits
** in no other (connection.h), so edges of other files do not count.
*/
static int mayCloseCycle(LockSession *p, const LockLook *a){
  return a->iPlace!=0 || lockOwnSlot(p)->nRecord!=1;
}

/* Queues the request, then looks for a cycle that it completes.  G3c and G4: in
** front of iPlace, or at the tail.  G3a needs no code of its own: the request
** queues as by G3c, and the two upgrades are a cycle of hard edges. */
static LockRc enqueue(LockSession *p, const LockLook *a){
  LockFile *pF = p->pFile;
  SegRecord *r;
  u32 i = lockInsert(p, a, 1);         /* ACQUIRE-QUEUE */
  assert( segHeld(&p->pFile->seg) );
  if( i==0 ) return LOCK_FULL;
  r = segRecord(&pF->seg, i);
  p->iRequest = i;
  p->iState = SEG_WITH(atomicGet(&r->state), SEG_WAITING);
  p->request = p->grant;
  p->iKept = 0;
  p->iRequestStronger = p->iStronger;
  p->eMode = a->eMode;
  p->key = *a->pKey;
  if( a->iPlace ) renumber(p, a);
  /* ACQUIRE-CYCLE */
  if( mayCloseCycle(p, a)
   && graphCheck(pF->pGraph, &pF->seg, p->k)==GRAPH_DEADLOCK ){
    noteDeadlock(p);               /* ACQUIRE-VICTIM */
    recordRemove(&pF->seg, i);
    p->iRequest = 0;
    return LOCK_DEADLOCK;
  }
  p->concern.nSkip = 0;
  lockNoteConcern(p);
  return LOCK_WAITING;
}

void lockNoteGrant(LockSession *p, u32 i){
  p->iToken = p->iStronger ? p->iStronger
                           : atomicGet(&segRecord(&p->pFile->seg, i)->token);
}

/* Makes one attempt, under the mutex.  LOCK_FULL: no slot is free. */
static LockRc attempt(LockSession *p, LockLook *a, int bProbed){
  assert( segHeld(&p->pFile->seg) );
  lockLook(p, a);                      /* ACQUIRE-LOOK */
  p->iStronger = a->iStrong ? segRecord(&p->pFile->seg, a->iStrong)->token : 0;
  if( a->iOwn ){                   /* ACQUIRE-AGAIN */
    lockHoldAgain(p, a);
    lockNoteGrant(p, a->iOwn);
    return LOCK_OK;
  }
  if( grantable(p, a) ){           /* ACQUIRE-GRANT */
    u32 i = lockInsert(p, a, 0);
    if( i==0 ) return LOCK_FULL;
    lockNoteGrant(p, i);
    return LOCK_OK;
  }
  if( !bProbed ){
    lockNoteBlockers(p, a, 0);
    if( p->probes.n || !a->bQueue ) return LOCK_NO;
  }
  return a->bQueue ? enqueue(p, a) : LOCK_NO;
}

/* For an attempt that found no free slot.  Other processes may take the new
** slots first, but not without an end. */
LockRc lockMoreRoom(LockFile *pF, u32 *pnGrown){
  LockRc rc = ++*pnGrown>GROWTHS ? LOCK_FULL : segGrow(&pF->seg);
  if( rc==LOCK_FULL && *pnGrown==1 && lockProbeAll(pF) ) rc = LOCK_OK;
  return rc;
}

/*
** ACQUIRE-ENTER to ACQUIRE-PROBE, and with bQueue ACQUIRE-QUEUE to
** ACQUIRE-VICTIM.  The thread owns the mutex in attempt() only.
*/
LockRc lockAsk(LockSession *p, const LockKey *pKey, u32 eMode, u32 eScope,
               int bQueue){
  u32 nGrown = 0, nRound = 0;
  int bProbed = 0;
  LockLook a;
  if( eMode-1>=LOCK_MODES-1
   || (bQueue && p->iRequest && !BUG(REQUEST_TWICE)) ){
    return LOCK_MISUSE;
  }
  if( p->iStamp>=LIMIT_STAMP ) return LOCK_NOSTAMP;
  a.pKey = pKey;
  a.eMode = eMode;
  a.eScope = eScope;
  a.bQueue = bQueue;
  p->trouble.iBlocker = 0;
  p->trouble.iPid = p->trouble.eWhy = p->trouble.nCycle = 0;
  for(;;){
    LockRc rcLeave, rc = lockEnterSettled(p);      /* ACQUIRE-ENTER */
    if( rc!=LOCK_OK ) return rc;
    rc = attempt(p, &a, bProbed);
    rcLeave = lockLeave(p->pFile);
    if( rcLeave!=LOCK_OK ){
      if( rc==LOCK_WAITING ) p->iRequest = 0;
      return rcLeave;
    }
    if( rc==LOCK_FULL ){                       /* ACQUIRE-GROW */
      rc = lockMoreRoom(p->pFile, &nGrown);
      if( rc!=LOCK_OK ) return rc;
    }else if( rc==LOCK_NO && !bProbed ){       /* ACQUIRE-PROBE */
      int eHow = pKey->nPermit>1 ? PROBE_EACH : PROBE_FIRST;
      if( BUG(PERMIT_FIRST) ) eHow = PROBE_FIRST;
      if( !lockProbe(p, eHow, &nRound) || BUG(PROBE_ONCE) ) bProbed = 1;
      if( bProbed && !bQueue ) return LOCK_NO;
    }else{
      /* ACQUIRE-VICTIM */
      int bDead = p->probes.n && lockProbe(p, PROBE_EACH, &nRound);
      if( rc!=LOCK_DEADLOCK || !bDead ) return rc;
    }
  }
}

/* The time is that of the record, so it costs nothing.  A clock that was set
** back makes the difference large. */
LockRc lockStay(LockSession *p){
  /* ACQUIRE-STAY */
  LockRc rc;
  assert( ruleOutside() );
  if( p->msInsert-p->msMoved<MS_STAY ) return LOCK_OK;
  rc = lockMoved(p);
  if( rc==LOCK_OK ) p->msMoved = p->msInsert;
  else lockUndo(p, &p->grant);
  return rc;
}

/* The rest of a request that was not granted immediately.  LOCK_WAITING: it is
** queued. */
static LockRc askQueued(LockSession *p, const LockKey *pKey, u32 eMode,
                        u32 eScope, const LockWait *pWait){
  LockRc rc;
  /* ACQUIRE-REFUSE */
  assert( ruleOutside() );
  if( p->iRequest && !BUG(REQUEST_TWICE) ) return LOCK_PENDING;
  if( pWait->xMayWait && !pWait->xMayWait(pWait->pArg) ) return LOCK_REFUSED;
  if( pWait->msTimeout==0 ) return LOCK_TIMEOUT;
  rc = lockMoved(p);
  if( rc!=LOCK_OK ) return rc;
  return lockAsk(p, pKey, eMode, eScope, 1);
}

/*
** The first answer that applies is returned: granted if the rules allow it;
** refused if the caller may not wait; timed out if the timeout is 0; deadlock;
** the result of the wait.  A grant that did not come at once must be confirmed,
** since an interrupt may have come meanwhile.
*/
LockRc lockAcquire(LockSession *p, const LockKey *pKey, u32 eMode, u32 eScope,
                   const LockWait *pWait){
  LockRc rc = lockAsk(p, pKey, eMode, eScope, 0);
  if( rc==LOCK_OK ) return lockStay(p);
  if( rc!=LOCK_NO || pWait==0 ) return rc;
  rc = askQueued(p, pKey, eMode, eScope, pWait);
  if( rc==LOCK_WAITING ) rc = lockWait(p, pWait);
  /* ACQUIRE-CONFIRM */
  if( rc!=LOCK_OK || pWait->xPoll==0 ) return rc;
  return lockConfirm(p, lockAskCaller(pWait));
}

LockRc lockRequest(LockSession *p, const LockKey *pKey, u32 eMode,
                   const LockWait *pWait){
  LockRc rc = lockAsk(p, pKey, eMode, LOCK_SCOPE_SESSION, 0);
  if( rc==LOCK_OK ) return lockStay(p);
  if( rc!=LOCK_NO ) return rc;
  p->usPoll = osMonotonicUs() + US_POLL;
  return askQueued(p, pKey, eMode, LOCK_SCOPE_SESSION, pWait);
}
