/* SPDX-License-Identifier: 0BSD */
/*
** enter.c: entering and leaving the segment: the recovery after an owner's
** death, what a session has to settle first, and the end of a hold: Settle and
** End of ext/core/README.md.
*/
#include "core/lockint.h"
#include "core/check.h"
#include "core/mutex.h"
#include "core/rebuild.h"
#include <stdlib.h>

/*
** The mutex came from a dead owner: compute everything derived again.  A queue
** whose rearrangement was cut off may stand in an order with a soft cycle, so
** every waiting session is checked again.
*/
void lockRecover(LockFile *pF){
  Seg *p = &pF->seg;
  SegHeader *h = segHeader(p);
  assert( segHeld(p) );
  if( segStale(p) && segRefresh(p)!=LOCK_OK ) return;
  if( BUG(NO_REBUILD) ) return;
  tableRebuild(p, p->iTaken);
  /* REBUILD-SCAN */
  if( !BUG(REBUILD_NOSCAN) ) tableScanWaiting(p, 0);
  if( !segDamaged(p) ) graphCheckAll(pF->pGraph, p);
  atomicSet(&h->stat[STAT_RECOVERIES], h->stat[STAT_RECOVERIES]+1);
}

LockRc lockUsable(LockFile *pF){
  if( pF->bForked ) return LOCK_FORKED;
  if( segDamaged(&pF->seg) || atomicGet(&segHeader(&pF->seg)->damaged) ){
    return LOCK_MALFORMED;
  }
  return LOCK_OK;
}

/* Tell the other processes that this one has met nonsense in the file. */
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
LockRc lockLeave(LockFile *pF){
  Seg *p = &pF->seg;
  if( BUG(SLEEP_INSIDE) ) osSleep(1);
  debugCheck(p);
  if( segDamaged(p) ) lockDamage(pF);
  while( ownerLeave(p) ){
    if( segDamaged(p) ) continue;
    tableSweepLeft(p);
    debugCheck(p);
    if( segDamaged(p) ) lockDamage(pF);
  }
  return segDamaged(p) ? LOCK_MALFORMED : LOCK_OK;
}

/* eHow is what ownerEnter, ownerTry or ownerTask returned.  After any result
** but LOCK_OK the mutex is not held. */
LockRc lockEntered(LockFile *pF, int eHow){
  if( eHow==OWNER_BUSY ) return LOCK_BUSY;
  if( eHow==OWNER_TOOK ) lockRecover(pF);
  if( segStale(&pF->seg) ) segRefresh(&pF->seg);
  if( lockUsable(pF)!=LOCK_OK ){
    lockLeave(pF);
    return LOCK_MALFORMED;
  }
  return LOCK_OK;
}

LockRc lockEnter(LockFile *pF){
  LockRc rc = lockUsable(pF);
  return rc!=LOCK_OK ? rc : lockEntered(pF, ownerEnter(&pF->seg));
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
  i = lockOwnSlot(p)->firstSes;
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
  SegSession *s = lockOwnSlot(p);
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
LockRc lockEnterSettled(LockSession *p){
  LockRc rc = lockEnter(p->pFile);
  u32 nRound = 0;
  if( rc!=LOCK_OK ) return rc;
  atomicSet(&segHeader(&p->pFile->seg)->inside, p->k);
  while( p->bPend && !BUG(NO_SETTLE) && settle(p)
      && segBound(&p->pFile->seg, &nRound) ){
    rc = lockLeave(p->pFile);
    if( rc==LOCK_OK ) rc = lockEnter(p->pFile);
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
void lockTidy(LockSession *p){
  LockFile *pF = p->pFile;
  u32 nRound = 0;
  int bMore = 1;
  CRASH(END_WORD);
  atomicSetRel(&lockOwnSlot(p)->left, 1);             /* END-LEFT */
  CRASH(END_LEFT);
  p->bPend = 1;
  while( bMore ){
    /* END-TRY, else END-WORK */
    int eHow = p->bBack ? OWNER_BUSY : ownerTry(&pF->seg, US_TIDY);
    if( eHow==OWNER_BUSY ) eHow = ownerTask(&pF->seg);
    if( lockEntered(pF, eHow)!=LOCK_OK ) return;
    bMore = settle(p) && segBound(&pF->seg, &nRound);
    if( bMore ) atomicSetRel(&lockOwnSlot(p)->left, 1);
    if( lockLeave(pF)!=LOCK_OK ) return;
  }
}
