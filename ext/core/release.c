/* SPDX-License-Identifier: 0BSD */
/*
** release.c: giving locks back: Release of ext/core/README.md, the undo of a
** grant, and the end of a transaction.
*/
#include "core/lockint.h"

/* This session's grant of a key and mode, of any mode if eMode is 0; or 0. */
static u32 ownGrant(LockSession *p, const LockKey *pKey, u32 eMode){
  Seg *pSeg = &p->pFile->seg;
  u32 i = 0, n = 0;
  while( (i = recordNext(pSeg, pKey, i, &n))!=0 ){
    SegRecord *r = segRecord(pSeg, i);
    if( r->session!=p->k || r->generation!=p->iGen ) continue;
    if( SEG_STATE(atomicGet(&r->state))!=SEG_GRANTED ) continue;
    if( eMode==0 || REC_MODE(r)==eMode ) return i;
  }
  return 0;
}

/* How much of the session count of record i belongs to a request that is not
** taken yet: of its own record, if it is granted, and of the one that it keeps.
** Only its withdrawal releases that. */
static u32 ofRequest(const LockSession *p, u32 i){
  if( p->iRequest==0 || BUG(REQUEST_RELEASED) ) return 0;
  return p->iRequest==i || (p->iKept==i && !BUG(REQUEST_KEPT));
}

/* Lowers the session count of key and mode by one, under the mutex. */
static LockRc releaseOne(LockSession *p, const LockKey *pKey, u32 eMode){
  Seg *pSeg = &p->pFile->seg;
  u32 i = ownGrant(p, pKey, eMode);
  if( i==0 || segRecord(pSeg, i)->sesCount<=ofRequest(p, i) ) return LOCK_NO;
  if( (segRecord(pSeg, i)->sesCount>1 || segRecord(pSeg, i)->txnHold)
   && !BUG(COUNT_SCOPES) ){
    SegRecord *r = segRecord(pSeg, i);
    atomicSet(&r->sesCount, r->sesCount-1);
    CRASH(RELEASE_COUNT);                      /* RELEASE-COUNT */
  }else{
    recordRemove(pSeg, i);                      /* RELEASE-LAST */
  }
  return LOCK_OK;
}

LockRc lockRelease(LockSession *p, const LockKey *pKey, u32 eMode){
  LockRc rc = lockEnterSettled(p), rcLeave;
  if( rc!=LOCK_OK ) return rc;
  rc = releaseOne(p, pKey, eMode);
  rcLeave = lockLeave(p->pFile);
  return rcLeave!=LOCK_OK ? rcLeave : rc;
}

/* The row must be released first, since a session must not hold a row without
** its table's intention lock. */
LockRc lockReleaseRow(LockSession *p, const LockKey *pRow, u32 eMode,
                      const LockKey *pTable, u32 eIntent){
  LockRc rc = lockEnterSettled(p), rcLeave;
  if( rc!=LOCK_OK ) return rc;
  rc = releaseOne(p, pRow, eMode);
  if( rc==LOCK_OK ) releaseOne(p, pTable, eIntent);
  rcLeave = lockLeave(p->pFile);
  return rcLeave!=LOCK_OK ? rcLeave : rc;
}

/* What a lockReleaseAll releases, and how far it has come. */
typedef struct ReleaseAll {
  u32 mKind, mMode;        /* kinds and modes to be released, as bits */
  u32 i;                   /* next record of the present list */
  u32 nStep;               /* bounds the walk of that list */
  u64 n;                   /* session counts released so far */
} ReleaseAll;

/* Releases at most SWEEP_MAX records of a list.  Returns 1 if there are
** more. */
static int releaseSome(LockSession *p, ReleaseAll *a){
  Seg *pSeg = &p->pFile->seg;
  u32 n, nKeep;
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
    nKeep = ofRequest(p, i);
    if( !(a->mKind>>REC_KIND(r) & 1) || r->sesCount<=nKeep ) continue;
    if( !(a->mMode & REC_BIT(r)) ) continue;
    if( SEG_STATE(atomicGet(&r->state))!=SEG_GRANTED ) continue;
    a->n += r->sesCount-nKeep;
    if( r->txnHold || nKeep ){
      atomicSet(&r->sesCount, nKeep);
      CRASH(RELEASE_COUNT);
    }else{
      recordRemove(pSeg, i);
    }
  }
  return a->i!=0;
}

/*
** Releases from both lists.  The caller must own the mutex, and after LOCK_OK
** it still owns it.  Between two portions other processes may enter.  They do
** not change this session's lists, except by a rebuild, which may relink them.
** The walk begins again then.
*/
static LockRc releaseLists(LockSession *p, ReleaseAll *a){
  LockFile *pF = p->pFile;
  SegHeader *h = segHeader(&pF->seg);
  u64 nRecover = h->stat[STAT_RECOVERIES];
  u32 nRound = 0;
  int iList;
  assert( segHeld(&p->pFile->seg) );
  for(iList=0; iList<2; iList++){
    a->i = iList ? lockOwnSlot(p)->firstSes : lockOwnSlot(p)->firstTxn;
    a->nStep = 0;
    while( releaseSome(p, a) && segBound(&pF->seg, &nRound) ){
      LockRc rc = lockLeave(pF);
      if( rc==LOCK_OK ) rc = lockEnter(pF);
      if( rc!=LOCK_OK ) return rc;
      if( nRecover!=h->stat[STAT_RECOVERIES] ){
        nRecover = h->stat[STAT_RECOVERIES];
        a->i = lockOwnSlot(p)->firstTxn;
        a->nStep = 0;
        iList = 0;
      }
    }
  }
  return LOCK_OK;
}

LockRc lockReleaseAll(LockSession *p, u32 mKind, u32 mMode, u64 *pn){
  ReleaseAll a;
  LockRc rc = lockEnterSettled(p);
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
  return lockLeave(p->pFile);
}

/*----------------------------------------------------------------- undo ---*/

/* A turn has no stamp that a rollback level could invalidate.  So its hold is
** made to name a transaction of the past. */
static void undoTurn(LockSession *p, SegRecord *r){
  u32 iPast = p->iTxn>1 ? p->iTxn-1 : SEG_ALL;
  if( BUG(TURN_PRESENT) ) iPast = p->iTxn;
  /* UNDO-WORD */
  atomicSetRel(&r->txnHold, SEG_PAIR(iPast, 0));
  lockTidy(p);
}

/*
** One store invalidates the hold for every process, as at a transaction's end.
** The record is removed by lockTidy, or by a process that meets it.  The record
** is this session's own while the session holds it, so this needs no mutex.
*/
void lockUndo(LockSession *p, const LockGrant *pGrant){
  SegRecord *r;
  u32 nHold;
  if( p->pFile->bForked || pGrant->iRecord==0 ) return;
  r = segRecord(&p->pFile->seg, pGrant->iRecord);
  if( pGrant->eScope==LOCK_SCOPE_TRANSACTION ){
    lockRollbackTo(p, pGrant->iLevel);
    return;
  }
  if( pGrant->eScope==LOCK_SCOPE_TURN ){
    undoTurn(p, r);
    return;
  }
  nHold = atomicGet(&r->sesCount);
  if( nHold==0 ) return;
  atomicSetRel(&r->sesCount, nHold-1);           /* UNDO-WORD */
  if( nHold>1 || r->txnHold ){
    CRASH(RELEASE_COUNT);
    return;
  }
  if( p->nBack<2 ) p->aBack[p->nBack++] = pGrant->iRecord;
  else if( !BUG(SET_NOTED) ) p->bBack = 1;
  if( BUG(SET_SILENT) && p->bBack ) p->bPend = 1;
  else if( !BUG(UNDO_SILENT) ) lockTidy(p);
}

/*--------------------------------------------------------- transactions ---*/

/* The rollback level stays until the session settles: it tells which of the
** transaction's notifications were rolled back. */
static void txnEnd(LockSession *p, u32 iNext){
  if( !p->bTxn || p->pFile->bForked ) return;
  p->bTxn = 0;
  if( !BUG(WRITER_NOTE) ) p->iWriterTxn = 0;
  p->iStamp = 0;
  p->iTxn = iNext;
  if( BUG(NOTIFY_LEVEL) ) p->iRollback = SEG_ALL;
  /* END-WORD */
  atomicSetRel(&lockOwnSlot(p)->now, SEG_PAIR(p->iTxn, p->iRollback));
  lockTidy(p);
}
void lockTxnEnd(LockSession *p){ txnEnd(p, segNextTxn(p->iTxn)); }
void lockTxnRollback(LockSession *p){
  u32 iNext = segNextTxn(p->iTxn);
  txnEnd(p, BUG(NOTIFY_ROLLBACK) ? iNext : segNextTxn(iNext));
}

u32 lockLevel(LockSession *p){ return p->iStamp; }

/* Stamps go on counting, so an invalidated hold is never valid again. */
void lockRollbackTo(LockSession *p, u32 iLevel){
  if( !p->bTxn || p->iStamp<=iLevel || p->pFile->bForked ) return;
  if( iLevel<p->iRollback ) p->iRollback = iLevel;
  /* END-WORD */
  atomicSetRel(&lockOwnSlot(p)->now, SEG_PAIR(p->iTxn, p->iRollback));
  lockTidy(p);
}
