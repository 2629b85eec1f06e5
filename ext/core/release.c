/* SPDX-License-Identifier: 0BSD */
/*
** release.c: giving locks back: Release of ext/core/README.md, and the end of
** a transaction.
*/
#include "core/lockint.h"

/* Own grant of a key and mode; 0 if there is none. */
static u32 ownGrant(LockSession *p, const LockKey *pKey, u32 eMode){
  Seg *pSeg = &p->pFile->seg;
  u32 i = 0, n = 0;
  while( (i = tableNext(pSeg, pKey, i, &n))!=0 ){
    SegRecord *r = segRecord(pSeg, i);
    if( r->session!=p->k || r->generation!=p->iGen ) continue;
    if( SEG_STATE(atomicGet(&r->state))!=SEG_GRANTED ) continue;
    if( eMode==0 || REC_MODE(r)==eMode ) return i;
  }
  return 0;
}

/* Takes one from the session count of key and mode, under the mutex. */
static LockRc releaseOne(LockSession *p, const LockKey *pKey, u32 eMode){
  Seg *pSeg = &p->pFile->seg;
  u32 i = ownGrant(p, pKey, eMode);
  if( i==0 || segRecord(pSeg, i)->scount==0 ) return LOCK_NO;
  if( (segRecord(pSeg, i)->scount>1 || segRecord(pSeg, i)->thold)
   && !BUG(COUNT_SCOPES) ){
    SegRecord *r = segRecord(pSeg, i);
    atomicSet(&r->scount, r->scount-1);
    CRASH(RELEASE_COUNT);                      /* RELEASE-COUNT */
  }else{
    tableRemove(pSeg, i);                      /* RELEASE-LAST */
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

/* The row is released first: it is never held without its table's intention. */
LockRc lockReleaseRow(LockSession *p, const LockKey *pRow, u32 eMode,
                      const LockKey *pTable, u32 eIntent){
  LockRc rc = lockEnterSettled(p), rcLeave;
  if( rc!=LOCK_OK ) return rc;
  rc = releaseOne(p, pRow, eMode);
  if( rc==LOCK_OK ) releaseOne(p, pTable, eIntent);
  rcLeave = lockLeave(p->pFile);
  return rcLeave!=LOCK_OK ? rcLeave : rc;
}

/* What a lockReleaseAll releases, and how far it is. */
typedef struct ReleaseAll {
  u32 mKind, mMode;
  u32 i;                   /* next record of the present list */
  u32 nStep;
  u64 n;                   /* released */
} ReleaseAll;

/* Release at most SWEEP_MAX records of a list: 1 if there are more. */
static int releaseSome(LockSession *p, ReleaseAll *a){
  Seg *pSeg = &p->pFile->seg;
  u32 n;
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
    if( !(a->mKind>>REC_KIND(r) & 1) || r->scount==0 ) continue;
    if( !(a->mMode & REC_BIT(r)) ) continue;
    if( SEG_STATE(atomicGet(&r->state))!=SEG_GRANTED ) continue;
    a->n += r->scount;
    if( r->thold ){
      atomicSet(&r->scount, 0);
      CRASH(RELEASE_COUNT);
    }else{
      tableRemove(pSeg, i);
    }
  }
  return a->i!=0;
}

/*
** Release from both lists.  The mutex is held at entry and, after LOCK_OK, at
** the end.  Between two portions other processes may enter.  They do not change
** this session's lists, except that a rebuild may relink them: then start
** again.
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

/* A turn has no stamp that a rollback level could invalidate: its hold names a
** transaction of the past. */
static void undoTurn(LockSession *p, SegRecord *r){
  u32 iPast = p->iTxn>1 ? p->iTxn-1 : SEG_ALL;
  if( BUG(TURN_PRESENT) ) iPast = p->iTxn;
  /* UNDO-WORD */
  atomicSetRel(&r->thold, SEG_PAIR(iPast, 0));
  lockTidy(p);
}

/*
** One store invalidates the hold for every process, as at a transaction's end.
** The record is removed by tidy, or by a process that meets it.  The record is
** this session's own while the session holds it, so it is found without the
** mutex.
*/
void lockUndo(LockSession *p, const LockGrant *pGrant){
  SegRecord *r = segRecord(&p->pFile->seg, pGrant->iRecord);
  u32 nHold;
  if( p->pFile->bForked || pGrant->iRecord==0 ) return;
  if( pGrant->eScope==LOCK_SCOPE_TRANSACTION ){
    lockRollbackTo(p, pGrant->iLevel);
    return;
  }
  if( pGrant->eScope==LOCK_SCOPE_TURN ){
    undoTurn(p, r);
    return;
  }
  nHold = atomicGet(&r->scount);
  if( nHold==0 ) return;
  atomicSetRel(&r->scount, nHold-1);           /* UNDO-WORD */
  if( nHold>1 || r->thold ){
    CRASH(RELEASE_COUNT);
    return;
  }
  if( p->nBack<2 ) p->aBack[p->nBack++] = pGrant->iRecord;
  else p->bBack = 1;
  if( !BUG(UNDO_SILENT) ) lockTidy(p);
}

/*--------------------------------------------------------- transactions ---*/

void lockTxnEnd(LockSession *p){
  if( !p->bTxn || p->pFile->bForked ) return;
  p->bTxn = 0;
  if( !BUG(WRITER_NOTE) ) p->iWriterTxn = 0;
  p->iStamp = 0;
  p->iKeep = SEG_ALL;
  if( ++p->iTxn==0 ) p->iTxn = 1;
  /* END-WORD */
  atomicSetRel(&lockOwnSlot(p)->now, SEG_PAIR(p->iTxn, SEG_ALL));
  lockTidy(p);
}

u32 lockLevel(LockSession *p){ return p->iStamp; }

/* Stamps go on counting, so that an invalidated hold is never valid again. */
void lockRollbackTo(LockSession *p, u32 iLevel){
  if( !p->bTxn || p->iStamp<=iLevel || p->pFile->bForked ) return;
  if( iLevel<p->iKeep ) p->iKeep = iLevel;
  /* END-WORD */
  atomicSetRel(&lockOwnSlot(p)->now, SEG_PAIR(p->iTxn, p->iKeep));
  lockTidy(p);
}
