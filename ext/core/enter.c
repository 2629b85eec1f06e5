/* SPDX-License-Identifier: 0BSD */
/*
** enter.c: entering and leaving the mutex: the recovery after an owner's death,
** what a session must settle first, and the end of a hold: Settle and End of
** ext/core/README.md.
*/
#include "core/lockint.h"
#include "core/check.h"
#include "core/mutex.h"
#include "core/rebuild.h"
#include <stdlib.h>

/*
** A rearrangement that was cut off may have left a queue in an order with a
** soft cycle.  So every waiting session must be checked again.
*/
void lockRecover(LockFile *pF){
  Seg *p = &pF->seg;
  SegHeader *h = segHeader(p);
  assert( segHeld(p) );
  if( segStale(p) && segRefresh(p)!=LOCK_OK ) return;
  if( BUG(NO_REBUILD) ) return;
  rebuildSegment(p, p->iTaken);
  /* REBUILD-SCAN */
  if( !BUG(REBUILD_NOSCAN) ) recordScanWaiting(p, 0);
  if( !segDamaged(p) ) graphCheckAll(pF->pGraph, p);
  /* REBUILD-RING.  A note of the dead may be freed and not sent. */
  if( !segDamaged(p) && !BUG(REBUILD_SILENT) ) recordRingAll(p);
  atomicSet(&h->stat[STAT_RECOVERIES], h->stat[STAT_RECOVERIES]+1);
}

LockRc lockUsable(LockFile *pF){
  if( pF->bForked ) return LOCK_FORKED;
  if( segDamaged(&pF->seg) || atomicGet(&segHeader(&pF->seg)->damaged) ){
    return LOCK_MALFORMED;
  }
  return LOCK_OK;
}

void lockDamage(LockFile *pF){
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
  z = checkSegment(p);
  if( z==0 ) z = checkGrants(p);
  if( !segDamaged(p) && z ){
    assert( z==0 );
    abort();
  }
}
#else
# define debugCheck(p) ((void)0)
#endif

/* After nonsense inside, no process may go on with this file, and this one must
** not store anything more in it. */
LockRc lockLeave(LockFile *pF){
  Seg *p = &pF->seg;
  if( BUG(SLEEP_INSIDE) ) osSleep(1);
  debugCheck(p);
  if( segDamaged(p) ) lockDamage(pF);
  while( mutexLeave(p) ){
    if( segDamaged(p) ) continue;
    sessionSweepAll(p);
    debugCheck(p);
    if( segDamaged(p) ) lockDamage(pF);
  }
  return segDamaged(p) ? LOCK_MALFORMED : LOCK_OK;
}

/* 1 if the header has gone back: its numbers only rise, and this process has
** drawn higher ones.  An older copy was written over the file. */
static int wentBack(const Seg *p){
  const SegHeader *h = segHeader(p);
  assert( segHeld(p) );
  return atomicGet(&h->numbers)<p->iNumber || h->token<p->iToken
      || h->sessionId<p->iSession;
}

LockRc lockEntered(LockFile *pF, int eHow){
  if( eHow==MUTEX_BUSY ) return LOCK_BUSY;
  if( eHow==MUTEX_TAKEN ) lockRecover(pF);
  if( segStale(&pF->seg) ) segRefresh(&pF->seg);
  if( wentBack(&pF->seg) ) segDamage(&pF->seg);
  if( lockUsable(pF)!=LOCK_OK ){
    lockLeave(pF);
    return LOCK_MALFORMED;
  }
  return LOCK_OK;
}

LockRc lockEnter(LockFile *pF){
  LockRc rc = lockUsable(pF);
  return rc!=LOCK_OK ? rc : lockEntered(pF, mutexEnter(&pF->seg));
}

/*-------------------------------------------------------------- settle ---*/

/* Removes record i if it is this session's and invalidated. */
static void removeInvalid(LockSession *p, u32 i){
  Seg *pSeg = &p->pFile->seg;
  SegRecord *r = segRecord(pSeg, i);
  if( SEG_STATE(atomicGetAcq(&r->state))==SEG_GRANTED && r->session==p->k
   && r->generation==p->iGen && recordInvalid(pSeg, r) ){
    recordRemove(pSeg, i);
  }
}

/* Removes what lockUndo has invalidated, unless another session met it in a
** queue and did so.  If lockUndo has invalidated more than aBack has room for,
** the records that were acquired last are looked at.  A record that is not
** among these is removed by the session that meets it, or with this session. */
static void removeBack(LockSession *p){
  /* SETTLE-BACK */
  Seg *pSeg = &p->pFile->seg;
  u32 i, iNext, n;
  assert( segHeld(pSeg) );
  while( p->nBack>0 ){
    i = p->aBack[--p->nBack];
    if( !BUG(BACK_KEPT) ) removeInvalid(p, i);
  }
  if( !p->bBack ) return;
  p->bBack = 0;
  i = lockOwnSlot(p)->firstSes;
  for(n=0; i && n<SWEEP_MAX && segBound(pSeg, &n); i=iNext){
    iNext = segRecord(pSeg, i)->sesNext;
    removeInvalid(p, i);
  }
}

/*
** Removes what this session has given up, at most SWEEP_MAX records.  Returns 1
** if there may be more.  The rollback level may rise again only when all of it
** is gone: before that, invalidated grants would be valid again.
*/
static int settle(LockSession *p){
  Seg *pSeg = &p->pFile->seg;
  SegSession *s = lockOwnSlot(p);
  u64 iState = atomicGetAcq(&s->state);
  assert( segHeld(pSeg) );
  if( SEG_HIGH(iState)!=p->iGen || SEG_LOW(iState)==SEG_UNUSED ){
    p->bPend = 0;                  /* another process has swept it */
    return 0;
  }
  atomicSwap(&s->sweepNeeded, 0);         /* SETTLE-FLAG */
  CRASH(SETTLE_FLAG);
  removeBack(p);
  if( BUG(LEVEL_FIRST) ) atomicSetRel(&s->now, SEG_PAIR(p->iTxn, SEG_ALL));
  if( sessionSweep(pSeg, p->k, SWEEP_MAX) ) return 1;     /* SETTLE-SWEEP */
  if( segDamaged(pSeg) ) return 0;       /* some of it may be there */
  if( SEG_LOW(iState)==SEG_LIVE && p->iRollback!=SEG_ALL ){
    p->iRollback = SEG_ALL;            /* SETTLE-LEVEL */
    atomicSetRel(&s->now, SEG_PAIR(p->iTxn, SEG_ALL));
    CRASH(SETTLE_LEVEL);
  }
  p->bPend = 0;
  return 0;
}

LockRc lockEnterSettled(LockSession *p){
  LockRc rc = lockEnter(p->pFile);
  u32 nRound = 0;
  if( rc!=LOCK_OK ) return rc;
  atomicSet(&segHeader(&p->pFile->seg)->lastInside, p->k);
  while( p->bPend && !BUG(NO_SETTLE) && settle(p)
      && segBound(&p->pFile->seg, &nRound) ){
    rc = lockLeave(p->pFile);
    if( rc==LOCK_OK ) rc = lockEnter(p->pFile);
    if( rc!=LOCK_OK ) return rc;
  }
  return LOCK_OK;
}

/*
** The word that decides has been stored (END-WORD).  The rest happens in one of
** four ways.  This process gets the mutex soon and settles.  The owner finds
** WORK set when it leaves, and sweeps.  The owner is dead, and the rebuild
** sweeps.  The owner is stopped; then no process is granted anything until it
** continues.
*/
void lockTidy(LockSession *p){
  LockFile *pF = p->pFile;
  u32 nRound = 0;
  int bMore = 1;
  CRASH(END_WORD);
  atomicSetRel(&lockOwnSlot(p)->sweepNeeded, 1);             /* END-FLAG */
  CRASH(END_FLAG);
  p->bPend = 1;
  while( bMore ){
    /* END-TRY, else END-WORK */
    int eHow = p->bBack ? MUTEX_BUSY : mutexTry(&pF->seg, US_TIDY);
    if( eHow==MUTEX_BUSY ) eHow = mutexTask(&pF->seg);
    if( lockEntered(pF, eHow)!=LOCK_OK ) return;
    bMore = settle(p) && segBound(&pF->seg, &nRound);
    if( bMore ) atomicSetRel(&lockOwnSlot(p)->sweepNeeded, 1);
    if( lockLeave(pF)!=LOCK_OK ) return;
  }
}
