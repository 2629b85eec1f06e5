/* SPDX-License-Identifier: 0BSD */
/*
** wait.c: waiting for a request, and how the wait ends: Wait and Poll of
** ext/core/README.md.
*/
#include "core/lockint.h"
#include "core/mutex.h"
#include "core/process.h"

#ifndef US_LOOK                    /* lkbell is built without looks */
# define US_LOOK   100000          /* between two looks where bells tell */
# define US_CROWD  1000000         /* the same if many threads wait */
#endif
#define CROWD      20              /* so many */
#define US_SIGNAL 10000            /* between two looks that signals cause */
#define US_RING   25000            /* patience with a process that ends */

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
** before END-WORK.  It never waits for the mutex and never fails.  It is
** repeated if a process was dead, since others concern the request then.
*/
void lockPoll(LockSession *p){
  LockFile *pF = p->pFile;
  u32 nRound = 0, j;
  LockLook a;
  do{
    if( lockUsable(pF)!=LOCK_OK ) return;
    if( BUG(LOOK_OUTSIDE) ) recordScan(&pF->seg, &p->key);
    /* POLL-ENTER */
    if( lockEntered(pF, mutexTry(&pF->seg, 0))!=LOCK_OK ) return;
    a.pKey = &p->key;
    a.eMode = p->eMode;
    lockLook(p, &a);                                 /* POLL-LOOK */
    recordScan(&pF->seg, &p->key);                /* POLL-SCAN */
    lockNoteBlockers(p, &a, p->iRequest);            /* POLL-PROBE */
    lockNoteConcern(p);
    for(j=0; j<p->concern.list.n && p->probes.n<PROBES; j++){
      p->probes.a[p->probes.n++] = p->concern.list.a[j];
    }
    if( lockLeave(pF)!=LOCK_OK ) p->probes.n = 0;
  }while( p->probes.n && lockProbe(p, PROBE_EACH, &nRound) );
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
  if( rc==LOCK_OK ) rc = lockMoved(p);
  return rc==LOCK_OK ? LOCK_WAITING : lockGiveUp(p, rc);
}

int lockPending(const LockSession *p){ return p->iRequest!=0; }
void lockRequestKeeps(LockSession *p, const LockGrant *pGrant){
  p->iKept = pGrant->iRecord;
}

/* A wait: when it looks and polls next, and when it ends. */
typedef struct Wait {
  const LockWait *pWait;
  u64 usLook, usPoll;              /* time of the last look and poll */
  u64 usEnd;                       /* when the time is over, if ever */
  u64 wMutex;                      /* the mutex word at the last look */
  int bSignal;                     /* 1: a signal came since the last look */
} Wait;

/* 1 if the wait's time is over. */
static int isOver(const Wait *a, u64 usNow){
  return a->pWait->msTimeout>=0 && usNow>=a->usEnd;
}

/*
** The time between two looks.  Where bells tell of deaths a look is needed for
** an interrupt alone, and costs about 10 us, most of it the change of threads.
** So the threads of one process look 200 times a second together, or each once
** a second.
*/
static u64 lookEvery(LockSession *p, int bTold){
  u64 us = (u64)atomicGet(&p->pFile->nWaiting)*(US_LOOK/CROWD);
  if( !bTold ) return US_POLL;
  return us<US_LOOK ? US_LOOK : us<US_CROWD ? us : US_CROWD;
}

/* 1 if a look must poll.  A mutex word that is the same twice may be that of a
** dead owner, of whom no bell tells this session. */
static int mustPoll(LockSession *p, Wait *a, u64 usNow, int bTold){
  u64 w = atomicGet(&segHeader(&p->pFile->seg)->mutex);
  int bStuck = w!=0 && w==a->wMutex;
  a->wMutex = w;
  return !bTold || bStuck || usNow-a->usPoll>=lockConcernTime(p);
}

/* A look.  LOCK_WAITING: the wait goes on. */
static LockRc lookOnce(LockSession *p, Wait *a, u64 usNow, int bTold){
  const LockWait *pWait = a->pWait;
  int bOver = isOver(a, usNow);
  int bPoll = mustPoll(p, a, usNow, bTold) || bOver;
  LockRc rc;
  a->usLook = usNow;
  a->bSignal = 0;
  if( bPoll ){
    a->usPoll = usNow;
    lockPoll(p);
  }
  rc = lockOutcome(p);
  if( rc!=LOCK_WAITING ) return rc;
  if( lockUsable(p->pFile)!=LOCK_OK ) return lockGiveUp(p, LOCK_MALFORMED);
  if( BUG(POLL_INSIDE) && pWait->xPoll ) lockEnter(p->pFile);
  /* LOOK-CALLER */
  rc = pWait->xPoll ? lockAskCaller(pWait) : LOCK_OK;
  if( rc==LOCK_OK && bPoll ) rc = lockMoved(p);
  if( rc==LOCK_OK && bOver ) rc = LOCK_TIMEOUT;
  return rc==LOCK_OK ? LOCK_WAITING : lockGiveUp(p, rc);
}

/* 1 if a process concerns the request. */
static int isConcerned(const LockSession *p, u64 iNumber){
  const Probes *a = &p->concern.list;
  u32 j;
  for(j=0; j<a->n && a->a[j]!=iNumber; j++){}
  return j<a->n;
}

/*
** The bell of a process has rung.  A process that was killed releases its byte
** some time after its bell rings, and one of which only a thread has ended does
** not.  In that case, or if the mutex is not to be had, this wait goes on as
** without bells.
**
** The kernel wakes one of the threads that sleep on a bell.  That is enough,
** since all that the process held is removed and granted to others by the first
** poll that finds it dead.
*/
static void answerRing(LockSession *p, u64 iNumber){
  u32 *pState = &segRecord(&p->pFile->seg, p->iRequest)->state;
  i64 us = 50, usAll = 0;
  while( atomicGetAcq(pState)==p->iState && usAll<US_RING ){
    /* RING-PROBE */
    if( processDead(&p->pFile->seg, iNumber) ) lockPoll(p);
    if( !isConcerned(p, iNumber) ) return;
    if( BUG(BELL_BELIEVED) ) lockReap(p->pFile, iNumber);
    osWait(pState, p->iState, us);
    usAll += us;
    us *= 2;
  }
  p->concern.bDeaf = 1;
}

static LockRc waitOn(LockSession *p, const LockWait *pWait){
  u64 usNow = osMonotonicUs();
  Wait a = { pWait, usNow, usNow, 0, 0, 0 };
  Hear hear;
  a.usEnd = usNow + (u64)pWait->msTimeout*1000;
  p->concern.bDeaf = 0;
  for(;;){
    u64 usDue;
    LockRc rc = lockOutcome(p);
    if( rc!=LOCK_WAITING ) return rc;
    lockHear(p, &hear);
    if( hear.iRung ){
      answerRing(p, hear.iRung);
      continue;
    }
    usNow = osMonotonicUs();
    usDue = a.usLook + lookEvery(p, (int)hear.bTold);
    if( a.bSignal ) usDue = a.usLook + US_SIGNAL;
    if( usNow>=usDue || isOver(&a, usNow) ){
      rc = lookOnce(p, &a, usNow, (int)hear.bTold);
      if( rc!=LOCK_WAITING ) return rc;
      continue;
    }
    if( pWait->msTimeout>=0 && a.usEnd<usDue ) usDue = a.usEnd;
    if( lockAsleep(p, &hear, (i64)(usDue-usNow))==OS_SIGNAL
     && !BUG(SIGNAL_IGNORED) ){
      a.bSignal = 1;
    }
  }
}

LockRc lockWait(LockSession *p, const LockWait *pWait){
  u32 *pnWaiting = &p->pFile->nWaiting;
  LockRc rc;
  atomicAdd(pnWaiting, 1);
  rc = waitOn(p, pWait);
  atomicAdd(pnWaiting, (u32)-1);
  return rc;
}
