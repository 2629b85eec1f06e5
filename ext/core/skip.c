/* SPDX-License-Identifier: 0BSD */
/*
** skip.c: acquiring what no session holds or waits for: Work queues of
** ext/core/README.md.
*/
#include "core/lockint.h"
#include "core/writer.h"
#include "core/process.h"

/* Notes the processes of the blockers: grants, requests, the active writer. */
static void noteSkipped(LockSession *p, const LockLook *a){
  /* SKIP-NOTE */
  Seg *pSeg = &p->pFile->seg;
  u32 i = 0, n = 0, m = keyConflicts(a->eMode);
  assert( segHeld(pSeg) );
  if( p->skipped.n>=PROBES ) return;
  while( (i = recordNext(pSeg, a->pKey, i, &n))!=0 ){
    SegRecord *r = segRecord(pSeg, i);
    if( r->session==p->k || !(m & REC_BIT(r)) ) continue;
    lockNoteIn(p, &p->skipped, r->session);
  }
  if( writerBlocks(pSeg, a->pKey->eKind, p->k) ){
    lockNoteIn(p, &p->skipped, segHeader(pSeg)->writer);
  }
}

/* Makes one attempt, under the mutex.  LOCK_FULL: no slot is free. */
static LockRc skipAttempt(LockSession *p, LockLook *a){
  u32 i;
  lockLook(p, a);                                  /* SKIP-LOOK */
  if( a->mOwn ){
    if( !BUG(SKIP_OWN) || a->iOwn==0 ) return LOCK_NO;
    lockHoldAgain(p, a);
    return LOCK_OK;
  }
  if( BUG(SKIP_QUEUED) ) a->mAhead = 0;
  if( (keyConflicts(a->eMode) & (a->mHeld|a->mAhead))
   || writerBlocks(&p->pFile->seg, a->pKey->eKind, p->k) ){
    noteSkipped(p, a);
    return LOCK_NO;
  }
  i = lockInsert(p, a, 0);
  if( i==0 ) return LOCK_FULL;
  p->iStronger = 0;
  lockNoteGrant(p, i);
  return LOCK_OK;
}

LockRc lockSkip(LockSession *p, const LockKey *pKey, u32 eMode, u32 eScope){
  u32 nGrown = 0;
  LockLook a;
  if( eMode-1>=LOCK_MODES-1 ) return LOCK_MISUSE;
  if( p->iStamp>=LIMIT_STAMP ) return LOCK_NOSTAMP;
  a.pKey = pKey;
  a.eMode = eMode;
  a.eScope = eScope;
  a.bQueue = 0;
  for(;;){
    LockRc rc = lockEnterSettled(p), rcLeave;
    if( rc!=LOCK_OK ) return rc;
    rc = skipAttempt(p, &a);
    rcLeave = lockLeave(p->pFile);
    if( rcLeave!=LOCK_OK ) return rcLeave;
    if( rc==LOCK_OK ) return lockStay(p);
    if( rc!=LOCK_FULL ) return rc;
    rc = lockMoreRoom(p->pFile, &nGrown);
    if( rc!=LOCK_OK ) return rc;
  }
}

int lockSkipProbe(LockSession *p){
  LockFile *pF = p->pFile;
  u32 j, nGone = 0;
  /* SKIP-PROBE */
  for(j=0; j<p->skipped.n && lockUsable(pF)==LOCK_OK; j++){
    if( !processDead(&pF->seg, p->skipped.a[j]) ) continue;
    nGone += lockReap(pF, p->skipped.a[j]);
  }
  p->skipped.n = 0;
  return nGone>0;
}
