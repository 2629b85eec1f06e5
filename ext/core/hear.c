/* SPDX-License-Identifier: 0BSD */
/*
** hear.c: whose deaths concern a session that waits, and the sleep that they
** end: Hear of ext/core/README.md.
*/
#include "core/lockint.h"
#include "core/bell.h"
#include "core/writer.h"

#ifndef US_BEHIND                  /* lkbell is built without polls */
# define US_BEHIND 10000000        /* as US_RARE, behind a request ahead */
#endif

/* Adds the process of a blocker to the list. */
static void noteConcerned(LockSession *p, u32 k, u32 *pnMet){
  if( (*pnMet)++<p->concern.nSkip ) return;
  lockNoteIn(p, &p->concern.list, k);
}

/* Adds the holders that conflict with the request, and the active writer. */
static void noteHolders(LockSession *p, u32 *pnMet){
  Seg *pSeg = &p->pFile->seg;
  u32 i = 0, n = 0, m = keyConflicts(p->eMode);
  assert( segHeld(pSeg) );
  /* HEAR-HOLDERS */
  while( (i = recordNext(pSeg, &p->key, i, &n))!=0 ){
    SegRecord *r = segRecord(pSeg, i);
    if( r->session==p->k || !(m & REC_BIT(r)) ) continue;
    if( SEG_STATE(atomicGetAcq(&r->state))!=SEG_GRANTED ) continue;
    noteConcerned(p, r->session, pnMet);
  }
  if( writerBlocks(pSeg, p->key.eKind, p->k) ){
    noteConcerned(p, segHeader(pSeg)->writer, pnMet);
  }
}

/*
** From the nearest request ahead to the first that conflicts with all that this
** one conflicts with.  This request cannot be granted before that one, which is
** blocked by whatever blocks this one beyond it.  So the deaths there concern
** that one's session.  If there is none, the holders concern this session.
** They do again when that one is granted one of several permits.
*/
void lockNoteConcern(LockSession *p){
  Seg *pSeg = &p->pFile->seg;
  Concern *w = &p->concern;
  u32 i = p->iRequest, n = 0, m = keyConflicts(p->eMode), nMet = 0;
  assert( segHeld(pSeg) );
  w->list.n = 0;
  w->iAhead = 0;
  /* HEAR-AHEAD */
  while( w->iAhead==0 && (i = recordPrev(pSeg, &p->key, i, &n))!=0 ){
    SegRecord *r = segRecord(pSeg, i);
    u32 iState = atomicGetAcq(&r->state);
    if( r->session==p->k || !(m & REC_BIT(r)) ) continue;
    if( SEG_STATE(iState)!=SEG_WAITING || BUG(POLL_HOLDERS) ) continue;
    noteConcerned(p, r->session, &nMet);
    if( (m & ~keyConflicts(REC_MODE(r)))!=0 ) continue;
    w->iAhead = i;
    w->iAheadState = iState;
  }
  if( w->iAhead==0 ) noteHolders(p, &nMet);
  w->bWhole = w->nSkip==0 && w->list.n<PROBES;
  w->nSkip = w->list.n<PROBES ? 0 : w->nSkip+PROBES/2;
}

/* This needs no mutex.  Whatever becomes of the slot later has another state,
** or another session. */
u64 lockConcernTime(LockSession *p){
  Seg *pSeg = &p->pFile->seg;
  Concern *w = &p->concern;
  SegRecord *r;
  u32 iState, k;
  if( w->iAhead==0 ) return US_RARE;
  r = segRecord(pSeg, w->iAhead);
  iState = atomicGetAcq(&r->state);
  if( iState==SEG_WITH(w->iAheadState, SEG_GRANTED) ){
    return p->key.nPermit>1 && !BUG(PERMIT_BEHIND) ? 0 : US_RARE;
  }
  k = atomicGet(&r->session);
  if( iState!=w->iAheadState || k-1>=LIMIT_SESSION ) return 0;
  return SEG_LOW(atomicGetAcq(&segSession(pSeg, k)->state))==SEG_LIVE
       ? US_BEHIND : 0;
}

void lockHear(LockSession *p, Hear *a){
  Seg *pSeg = &p->pFile->seg;
  Concern *w = &p->concern;
  u32 j;
  /* WAIT-HEAR */
  a->iRung = 0;
  a->n = 1;
  a->apWord[0] = &segRecord(pSeg, p->iRequest)->state;
  a->aValue[0] = p->iState;
  a->bTold = w->bWhole && (!w->bDeaf || w->list.n==0);
  for(j=0; j<w->list.n && !w->bDeaf; j++){
    int e = bellLook(pSeg, w->list.a[j], &a->apWord[a->n], &a->aValue[a->n]);
    if( e==BELL_NONE ) a->bTold = 0;
    if( e==BELL_QUIET ) a->n++;
    if( e==BELL_RUNG ) a->iRung = w->list.a[j];
  }
}

int lockAsleep(LockSession *p, Hear *a, i64 us){
  /* WAIT-SLEEP */
  int e;
  if( a->n==1 ) return osWait(a->apWord[0], a->aValue[0], us);
  e = osWaitEach(a->apWord, a->aValue, a->n, us);
  if( e==OS_NOWAIT ) p->concern.bDeaf = 1;
  return e;
}
