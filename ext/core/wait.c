/* SPDX-License-Identifier: 0BSD */
/*
** wait.c: waiting for a request, and how the wait ends: Wait and Poll of
** ext/core/README.md.
*/
#include "core/lockint.h"
#include "core/mutex.h"

/*
** Every grant that meets a reason to end its wait comes here.  An interrupt, a
** replaced file or any other error wins, whichever came first.  Only a timeout
** yields to the grant.
*/
LockRc lockConfirm(LockSession *p, LockRc rc){
  /* WAIT-CONFIRM */
  if( rc==LOCK_OK || rc==LOCK_TIMEOUT || BUG(KEEP_GRANT) ) return LOCK_OK;
  lockUndo(p, &p->grant);
  return rc;
}

LockRc lockOutcome(LockSession *p){
  /* WAIT-LOOK */
  SegRecord *r = segRecord(&p->pFile->seg, p->iRequest);
  u32 iState = atomicGetAcq(&r->state);
  if( p->pFile->bForked ) return LOCK_FORKED;
  if( iState==p->iState ) return LOCK_WAITING;
  lockUnwatch(p);
  if( iState==SEG_WITH(p->iState, SEG_GRANTED) ){
    p->grant = p->request;
    p->iStronger = p->iRequestStronger;
    lockNoteGrant(p, p->iRequest);
    p->iRequest = 0;
    return LOCK_OK;
  }
  p->iRequest = 0;
  if( iState!=SEG_WITH(p->iState, SEG_CANCELLED) ){
    lockDamage(p->pFile);
    return LOCK_MALFORMED;
  }
  /* WAIT-CANCELLED */
  atomicSetRel(&r->state, SEG_WITH(iState, SEG_WITHDRAWN));
  CRASH(WAIT_WITHDRAW);
  lockTidy(p);
  return LOCK_CANCELLED;
}

/* The request was granted or cancelled before this session could withdraw it.
** Returns the result of a wait that had to end with rc. */
static LockRc overtaken(LockSession *p, LockRc rc){
  LockRc rcOut = lockOutcome(p);
  return rcOut==LOCK_OK ? lockConfirm(p, rc) : rcOut;
}

/*
** A compare-and-swap decides: either this session withdraws the request, or
** another process has granted it.
*/
LockRc lockGiveUp(LockSession *p, LockRc rc){
  Seg *pSeg = &p->pFile->seg;
  u32 *pState = &segRecord(pSeg, p->iRequest)->state;
  u32 iNew = SEG_WITH(p->iState, SEG_WITHDRAWN);
  if( p->pFile->bForked ) return LOCK_FORKED;
  lockUnwatch(p);
  if( BUG(WITHDRAW_STORE) && atomicGetAcq(pState)!=p->iState ){
    return overtaken(p, rc);
  }
  CRASH(WAIT_DECIDE);            /* WAIT-DECIDE, then WAIT-WITHDRAW */
  if( BUG(WITHDRAW_STORE) ){
    atomicSetRel(pState, iNew);
  }else if( !atomicCas32(pState, p->iState, iNew) ){
    return overtaken(p, rc);
  }
  CRASH(WAIT_WITHDRAW);
  p->iRequest = 0;
  if( rc==LOCK_TIMEOUT ) atomicAdd(&segHeader(pSeg)->stat[STAT_TIMEOUTS], 1);
  lockTidy(p);
  return rc;
}

/*
** A poll finds what no wake-up reports: the waking process may have died
** between its store and its wake, a holder may have died, an end may be stopped
** before END-WORK.  It never waits for the mutex and never fails.
*/
void lockPoll(LockSession *p){
  LockFile *pF = p->pFile;
  u32 nRound = 0;
  LockLook a;
  if( lockUsable(pF)!=LOCK_OK ) return;
  if( BUG(LOOK_OUTSIDE) ) recordScan(&pF->seg, &p->key);
  /* POLL-ENTER */
  if( lockEntered(pF, mutexTry(&pF->seg, 0))!=LOCK_OK ) return;
  a.pKey = &p->key;
  a.eMode = p->eMode;
  lockLook(p, &a);                                 /* POLL-LOOK */
  recordScan(&pF->seg, &p->key);                /* POLL-SCAN */
  lockNoteBlockers(p, &a, p->iRequest);            /* POLL-PROBE */
  if( lockLeave(pF)==LOCK_OK ) lockProbe(p, PROBE_EACH, &nRound);
  p->probes.n = 0;
}

LockRc lockAskCaller(const LockWait *pWait){
  assert( ruleOutside() );
  return pWait->xPoll(pWait->pArg);
}

/* A request that waits while its session does other things.  Its session polls
** where a waiting session would: when it asks how the request stands. */
LockRc lockStands(LockSession *p){
  LockRc rc = lockOutcome(p);
  if( rc!=LOCK_WAITING || osMonotonicUs()<p->usPoll ) return rc;
  p->usPoll = osMonotonicUs() + US_POLL;
  if( !BUG(REQUEST_IDLE) ) lockPoll(p);
  rc = lockOutcome(p);
  if( rc!=LOCK_WAITING ) return rc;
  rc = lockUsable(p->pFile);
  if( rc==LOCK_OK ) rc = lockMoved(p->pFile);
  return rc==LOCK_OK ? LOCK_WAITING : lockGiveUp(p, rc);
}

int lockPending(const LockSession *p){ return p->iRequest!=0; }
void lockRequestKeeps(LockSession *p, const LockGrant *pGrant){
  p->iKept = pGrant->iRecord;
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
      if( lockUsable(p->pFile)!=LOCK_OK ) return lockGiveUp(p, LOCK_MALFORMED);
      if( BUG(POLL_INSIDE) && pWait->xPoll ) lockEnter(p->pFile);
      if( pWait->xPoll ) rc = lockAskCaller(pWait);
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
