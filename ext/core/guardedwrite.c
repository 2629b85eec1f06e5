/* SPDX-License-Identifier: 0BSD */
/*
** guardedwrite.c: becoming the active writer, and looking whether a row that it
** writes is locked: Guarded writes of ext/core/README.md.
*/
#include "core/lockint.h"
#include "core/writer.h"

int lockWriting(const LockSession *p){
  return p->iWriterTxn!=0 && p->iWriterTxn==p->iTxn;
}

/*
** 1 if this session is the active writer.  Its own note is not enough: SQLite
** may have ended the transaction without a notice (lock.h), and another session
** may have become the active writer since.  This needs no mutex.  The caller
** has SQLite's write lock.  So no other session becomes the active writer now,
** and one that has did so before the caller got that lock.
*/
static int isWriter(const LockSession *p){
  const SegHeader *h = segHeader(&p->pFile->seg);
  if( !lockWriting(p) ) return 0;
  return atomicGetAcq(&h->writerTxn)==p->iTxn && atomicGet(&h->writer)==p->k
      && atomicGet(&h->writerGen)==p->iGen;
}

/*
** After a rollback to a savepoint the session is still the active writer, until
** the end of the transaction, which is the end of SQLite's write lock.  After
** LOCK_BUSY the session makes no note.
*/
LockRc lockWriterEnter(LockSession *p){
  LockFile *pF = p->pFile;
  LockRc rc = lockUsable(pF);
  if( rc!=LOCK_OK || isWriter(p) ) return rc;
  if( BUG(WRITER_NOTE) && p->iWriterTxn ) return LOCK_OK;
  rc = lockMoved(p);
  if( rc!=LOCK_OK ) return rc;
  rc = lockEnterSettled(p);
  if( rc!=LOCK_OK ) return rc;
  writerEnter(&pF->seg, p->k);
  p->bTxn = 1;
  rc = lockLeave(pF);
  if( rc==LOCK_OK ) p->iWriterTxn = p->iTxn;
  return rc;
}

/* segment.h, GUARD WORDS, says why this needs no mutex. */
int lockGuardFree(LockSession *p, const LockKey *pTable){
  LockFile *pF = p->pFile;
  u32 iClass = (pTable->iHash + BUG(GUARD_CLASS))%SEG_GUARDS;
  if( lockUsable(pF)!=LOCK_OK || !isWriter(p) ) return 0;
  /* GUARD-READ */
  return atomicGet(&segHeader(&pF->seg)->guard[iClass])==0;
}

/* 1 if no other session holds what a write in this mode conflicts with.
** Otherwise the blockers are noted.  Under the mutex. */
static int noneAgainst(LockSession *p, const LockKey *pKey, u32 eMode){
  LockLook a;
  int bFree;
  assert( segHeld(&p->pFile->seg) );
  a.pKey = pKey;
  a.eMode = eMode;
  lockLook(p, &a);
  bFree = (keyConflicts(eMode) & a.mHeld)==0;
  if( !bFree ) lockNoteBlockers(p, &a, 0);
  return bFree;
}

LockRc lockGuard(LockSession *p, const LockKey *pTable, const LockKey *pKey,
                 const LockKey **ppHeld){
  u32 nRound = 0;
  int bProbed = 0;
  for(;;){
    LockRc rc = lockEnterSettled(p);
    *ppHeld = 0;
    if( rc!=LOCK_OK ) return rc;
    /* GUARD-LOOK */
    if( pTable && !noneAgainst(p, pTable, LOCK_INTENT_EXCLUSIVE) ){
      *ppHeld = pTable;
    }else if( pKey && !noneAgainst(p, pKey, LOCK_EXCLUSIVE) ){
      *ppHeld = pKey;
    }
    rc = lockLeave(p->pFile);
    if( rc!=LOCK_OK || *ppHeld==0 ) return rc;
    /* GUARD-PROBE */
    if( bProbed || !lockProbe(p, PROBE_FIRST, &nRound) ) return LOCK_NO;
    bProbed = 1;
  }
}
