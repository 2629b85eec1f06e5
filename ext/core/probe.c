/* SPDX-License-Identifier: 0BSD */
/*
** probe.c: probing the processes of blockers, and removing what the dead held:
** Death of ext/core/README.md.
*/
#include "core/lockint.h"
#include "core/mutex.h"
#include "core/process.h"

/*
** The sessions of the dead process end with one store each.  Then their records
** are freed, some at a time.  Returns 0 also if the mutex could not be entered,
** or another process was faster.
*/
u32 lockReap(LockFile *pF, u64 iNumber){
  Seg *p = &pF->seg;
  u32 k, n, nRound = 0;
  assert( ruleOutside() );
  if( lockEntered(pF, mutexTry(p, US_TIDY))!=LOCK_OK ) return 0;
  n = sessionKill(p, iNumber);
  atomicSet(&segHeader(p)->stat[STAT_SWEPT],
            segHeader(p)->stat[STAT_SWEPT]+n);
  /* DEAD-SWEEP */
  for(k=1; k<=segHeader(p)->usedSession && k<=LIMIT_SESSION && n; k++){
    SegSession *s = segSession(p, k);
    while( atomicGet(&s->owner)==iNumber
        && SEG_LOW(atomicGetAcq(&s->state))==SEG_ENDING
        && sessionSweep(p, k, SWEEP_MAX) && segBound(p, &nRound) ){
      if( lockLeave(pF)!=LOCK_OK ) return 0;
      if( lockEntered(pF, mutexTry(p, US_TIDY))!=LOCK_OK ) return 0;
    }
  }
  return lockLeave(pF)==LOCK_OK ? n : 0;
}

void lockNoteIn(LockSession *p, Probes *pList, u32 k){
  Seg *pSeg = &p->pFile->seg;
  u64 iNumber = atomicGet(&segSession(pSeg, k)->owner);
  u32 j;
  assert( segHeld(&p->pFile->seg) );
  if( iNumber==pSeg->iNumber || pList->n>=PROBES ) return;
  for(j=0; j<pList->n; j++) if( pList->a[j]==iNumber ) return;
  pList->a[pList->n++] = iNumber;
}
void lockNote(LockSession *p, u32 k){ lockNoteIn(p, &p->probes, k); }

/* Puts the process of session k in front of the others that are noted.  This
** process is alive, so there is nothing to probe if the session is its own. */
void lockNoteFirst(LockSession *p, u32 k){
  Seg *pSeg = &p->pFile->seg;
  Probes *pList = &p->probes;
  u64 iNumber = atomicGet(&segSession(pSeg, k)->owner);
  u32 j;
  assert( segHeld(pSeg) );
  if( iNumber==pSeg->iNumber ){
    pList->n = 0;
    return;
  }
  for(j=0; j<pList->n && pList->a[j]!=iNumber; j++){}
  if( j==pList->n && pList->n<PROBES ) pList->n++;
  if( j==PROBES ) j--;
  memmove(&pList->a[1], &pList->a[0], j*sizeof(u64));
  pList->a[0] = iNumber;
}

/*
** In a damaged file a number can be dead that has no session to end, again and
** again.  So *pnRound counts the results of 1.  It must be 0 at the beginning
** of each call of the layer above.  A result of 1 that ended no session counts
** for many: in a sound file it means that another process was faster.
*/
int lockProbe(LockSession *p, int eHow, u32 *pnRound){
  LockFile *pF = p->pFile;
  u32 j, nDead = 0, nFound = 0;
  assert( ruleOutside() );
  for(j=0; j<p->probes.n && lockUsable(pF)==LOCK_OK; j++){
    /* DEAD-PROBE */
    if( !processDead(&pF->seg, p->probes.a[j]) ){
      if( eHow==PROBE_FIRST ) break;
      continue;
    }
    nFound += lockReap(pF, p->probes.a[j]);
    nDead++;
  }
  p->probes.n = 0;
  if( nDead==0 ) return 0;
  *pnRound += nFound ? 1 : LIMIT_SESSION/4+1;
  return *pnRound<=LIMIT_SESSION+4;
}

int lockProbeAll(LockFile *pF){
  Seg *p = &pF->seg;
  u32 k, n = 0, nRoom = segSessions(p);
  u64 iLast = 0;
  assert( ruleOutside() );
  for(k=1; k<=nRoom; k++){
    SegSession *s = segSession(p, k);
    u64 iNumber = atomicGet(&s->owner);
    if( SEG_LOW(atomicGetAcq(&s->state))==SEG_UNUSED ) continue;
    if( iNumber==iLast || !processDead(p, iNumber) ) continue;
    iLast = iNumber;
    n += lockReap(pF, iNumber);
  }
  return n>0;
}
