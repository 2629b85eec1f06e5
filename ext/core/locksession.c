/* SPDX-License-Identifier: 0BSD */
/*
** locksession.c: beginning and ending a session, and what it holds.
*/
#include "core/lockint.h"

#define TRIES     32               /* how often one call makes more room */

/* For a session that found no free slot: removes the sessions of the dead, and
** makes more room if there are none. */
static LockRc moreSessions(LockFile *pF, u32 *pnTry){
  if( ++*pnTry>TRIES ) return LOCK_NOSESSION;
  if( *pnTry==1 && lockProbeAll(pF) ) return LOCK_OK;
  return segGrowSessions(&pF->seg);
}

LockRc lockSessionBegin(LockFile *pF, LockSession **pp){
  Seg *pSeg = &pF->seg;
  LockSession *p;
  LockRc rc = LOCK_OK;
  u32 nTry = 0;
  *pp = 0;
  if( pSeg->file.bRead ) return LOCK_MISUSE;
  p = ruleAlloc(&pF->mem, sizeof(*p));
  if( p==0 ) return LOCK_NOMEM;
  memset(p, 0, sizeof(*p));
  p->pFile = pF;
  rc = lockMoved(p);
  p->iTxn = 1;
  p->iRollback = SEG_ALL;
  while( rc==LOCK_OK && p->k==0 ){
    rc = lockEnter(pF);
    if( rc!=LOCK_OK ) break;
    p->k = sessionOpen(pSeg, pSeg->iNumber);
    if( p->k ){
      SegSession *s = lockOwnSlot(p);
      p->iGen = SEG_HIGH(s->state);
      atomicSet(&s->pid, pF->iPid);
      atomicSet(&s->pidSpace, pF->iPidSpace);
      p->msInsert = p->msMoved = atomicGet(&s->started);
    }
    if( BUG(ALLOC_INSIDE) ) ruleFree(&pF->mem, ruleAlloc(&pF->mem, 1));
    if( BUG(RANK_TURNED) ) osProcessEnter();
    rc = lockLeave(pF);
    if( rc==LOCK_OK && p->k==0 ) rc = moreSessions(pF, &nTry);
  }
  if( rc!=LOCK_OK ){
    ruleFree(&pF->mem, p);
    return rc;
  }
  lockHoldBell(pF);
  *pp = p;
  return LOCK_OK;
}

void lockSessionEnd(LockSession *p){
  LockFile *pF;
  if( p==0 ) return;
  pF = p->pFile;
  lockUnwatch(p);
  if( !pF->bForked ){
    if( p->iRequest ) lockGiveUp(p, LOCK_INTERRUPTED);
    /* END-WORD */
    atomicSetRel(&lockOwnSlot(p)->state, SEG_PAIR(p->iGen, SEG_ENDING));
    lockTidy(p);
  }
  ruleFree(&pF->mem, p);
}

u64 lockSessionId(LockSession *p){ return atomicGet(&lockOwnSlot(p)->id); }
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
  for(i=0; i<LIMIT_LABEL/4; i++) atomicSet(&lockOwnSlot(p)->label[i], a[i]);
}

/*------------------------------------------------------- what it holds ---*/

LockGrant lockGranted(const LockSession *p){ return p->grant; }
u64 lockGrantToken(const LockSession *p){ return p->iToken; }

LockRc lockToken(LockSession *p, const LockKey *pKey, u64 *piToken){
  Seg *pSeg = &p->pFile->seg;
  LockRc rc = lockEnterSettled(p);
  u32 i = 0, n = 0, eMode = 0;
  *piToken = 0;
  if( rc!=LOCK_OK ) return rc;
  while( (i = recordNext(pSeg, pKey, i, &n))!=0 ){
    SegRecord *r = segRecord(pSeg, i);
    if( r->session!=p->k || SEG_STATE(atomicGet(&r->state))!=SEG_GRANTED
     || REC_MODE(r)<eMode ){
      continue;
    }
    eMode = REC_MODE(r);
    *piToken = r->token;
  }
  return lockLeave(p->pFile);
}

LockRc lockTxnHolds(LockSession *p, const LockKey *pKey, u32 eMode,
                    int *pbHolds){
  Seg *pSeg = &p->pFile->seg;
  LockRc rc = lockEnterSettled(p);
  u32 i = 0, n = 0;
  *pbHolds = 0;
  if( rc!=LOCK_OK ) return rc;
  while( (i = recordNext(pSeg, pKey, i, &n))!=0 ){
    SegRecord *r = segRecord(pSeg, i);
    if( r->session!=p->k || SEG_STATE(atomicGet(&r->state))!=SEG_GRANTED
     || REC_MODE(r)<eMode || recordHoldInvalid(pSeg, r) ){
      continue;
    }
    *pbHolds = 1;
  }
  return lockLeave(p->pFile);
}

/* 1 if record r is a lock that another session can wait for. */
static int isLock(SegRecord *r){
  return SEG_STATE(atomicGet(&r->state))==SEG_GRANTED
      && REC_KIND(r)!=KEY_LISTEN && REC_KIND(r)!=KEY_NOTIFY;
}

/* lockEnterSettled has removed what is invalidated.  A request may be among the
** rest, and does not count. */
int lockHolding(LockSession *p){
  Seg *pSeg = &p->pFile->seg;
  LockRc rc = lockEnterSettled(p);
  int iList, bHolds = 0;
  if( rc!=LOCK_OK ) return rc==LOCK_BUSY;
  for(iList=0; iList<2 && !bHolds; iList++){
    u32 i = iList ? lockOwnSlot(p)->firstSes : lockOwnSlot(p)->firstTxn, n = 0;
    for(; i && segBound(pSeg, &n) && !bHolds; i=segRecord(pSeg, i)->sesNext){
      bHolds = isLock(segRecord(pSeg, i));
    }
  }
  return lockLeave(p->pFile)==LOCK_OK && bHolds;
}
