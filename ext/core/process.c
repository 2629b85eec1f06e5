/* SPDX-License-Identifier: 0BSD */
/*
** process.c: process numbers and death: Attach and Format of
** ext/core/README.md.  See process.h.
*/
#include "core/process.h"
#include "core/format.h"

#define MS_FIRST  1000             /* patience with the first byte */

/* The result for a file that cannot be used and in which a process is alive. */
static LockRc whyNotUsable(Seg *p){
  if( atomicGet(&segHeader(p)->magic)==0 ) return LOCK_MALFORMED;
  return formatDiffers(p) ? LOCK_FORMAT : LOCK_MALFORMED;
}

/* Locks or unlocks the first byte. */
static LockRc lockFirst(Seg *p, int eLock){
  LockRc rc;
  if( ruleHolds(RANK_FIRST, p) ) ruleLeave(RANK_FIRST, p);
  if( eLock!=OS_UNLOCKED ) ruleEnter(RANK_FIRST, p);
  rc = osLockFirst(&p->file, eLock, eLock==OS_UNLOCKED ? 0 : MS_FIRST);
  if( rc!=LOCK_OK && eLock!=OS_UNLOCKED ) ruleLeave(RANK_FIRST, p);
  return rc;
}

/* segUsable for a process that must not format the file. */
static LockRc usableAsIs(Seg *p){
  LockRc rc = segUsable(p);
  if( rc!=LOCK_FORMAT ) return rc;
  return osAnyHeld(&p->file)==0 ? LOCK_NOFILE : whyNotUsable(p);
}

LockRc processLook(Seg *p){
  LockRc rc = lockFirst(p, OS_SHARED);
  if( rc!=LOCK_OK ) return rc;
  rc = usableAsIs(p);
  if( rc!=LOCK_OK ) lockFirst(p, OS_UNLOCKED);
  else ruleLeave(RANK_FIRST, p);   /* the file keeps it, not the thread */
  return rc;
}

/*
** Formats the file, unless another process has done so.  Returns LOCK_OK with a
** shared lock on the first byte, or an error with no lock.
*/
static LockRc formatFirst(Seg *p){
  /* FORMAT-FIRST */
  LockRc rc = lockFirst(p, OS_EXCLUSIVE);
  if( rc!=LOCK_OK ) return rc;
  rc = segUsable(p);           /* another process may have formatted it */
  if( rc==LOCK_NOFILE || rc==LOCK_FORMAT ){
    if( osAnyHeld(&p->file)!=0 ){
      rc = whyNotUsable(p);
    }else{
      rc = segFormat(p);
    }
  }
  /* FORMAT-SHARE */
  if( rc==LOCK_OK ) rc = lockFirst(p, OS_SHARED);
  if( rc!=LOCK_OK ) lockFirst(p, OS_UNLOCKED);
  return rc;
}

/* 1 if this process can have bell b, whose word in the header is iBell: it is
** at the end of a page here, and no other living process has it. */
static int bellFree(Seg *p, u32 b, u64 iBell){
  u64 iOffset = segBellOffset(b+1);
  if( iOffset==0 || !osBellAt(iOffset) ) return 0;
  return iBell==0 || osNumberHeld(&p->file, SEG_BELL_OWNER(iBell))==0;
}

/* Draws the next number that has bell b. */
static u64 drawNumber(Seg *p, u32 b){
  /* ATTACH-NUMBER */
  u64 *pNumbers = &segHeader(p)->numbers, iOld, iNew;
  do{
    iOld = atomicGet(pNumbers);
    iNew = iOld + 1 + (b + SEG_BELLS - segBellOf(iOld+1))%SEG_BELLS;
  }while( !atomicCas64(pNumbers, iOld, iNew) );
  CRASH(ATTACH_NUMBER);
  return iNew;
}

/*
** Locks the byte of a number that was just drawn.  If another process has it
** the header has gone back: an older copy was written over the file, so no
** process may go on with it.  A program that has locked the whole file has not
** done that.
*/
static LockRc lockNumber(Seg *p, u64 iNumber){
  LockRc rc = osLockNumber(&p->file, iNumber);
  if( rc!=LOCK_NO ) return rc;
  if( osNumberHeld(&p->file, SEG_NUMBERS)!=0 ) return LOCK_IOERR;
  segDamage(p);
  atomicSet(&segHeader(p)->damaged, 1);
  return LOCK_MALFORMED;
}

/*
** Takes a number and locks its byte.  The number is one of the first bell that
** no living process has.  The process must name the bell while its byte is
** locked, and by compare-and-swap.  Otherwise another process that attaches at
** this moment takes the same bell.
*/
static LockRc ownNumber(Seg *p, u64 *piNumber){
  u32 b;
  LockRc rc;
  for(b=0; b<SEG_BELLS; b++){
    u64 *pBell = &segHeader(p)->bell[b], iBell = atomicGet(pBell);
    if( !bellFree(p, b, iBell) ) continue;
    *piNumber = drawNumber(p, b);
    rc = lockNumber(p, *piNumber);             /* ATTACH-BYTE */
    CRASH(ATTACH_BYTE);
    /* ATTACH-BELL */
    if( BUG(BELL_STORE) ) iBell = atomicGet(pBell);
    if( rc!=LOCK_OK || atomicCas64(pBell, iBell, 4*(*piNumber)) ){
      CRASH(ATTACH_BELL);
      return rc;
    }
    rc = osUnlockNumber(&p->file, *piNumber);
    if( rc!=LOCK_OK ) return rc;
  }
  *piNumber = atomicAdd(&segHeader(p)->numbers, 1) + 1;
  CRASH(ATTACH_NUMBER);
  rc = lockNumber(p, *piNumber);
  CRASH(ATTACH_BYTE);
  return rc;
}

LockRc processAttach(Seg *p, int bMake){
  LockRc rc;
  if( p->file.fd<0 ){
    p->iNumber = 1;
    rc = segFormat(p);
    segHeader(p)->numbers = 1;
    return rc;
  }
  /* ATTACH-FIRST */
  rc = lockFirst(p, OS_SHARED);
  if( rc!=LOCK_OK ) return rc;
  rc = bMake ? segUsable(p) : usableAsIs(p);
  if( bMake && (rc==LOCK_NOFILE || rc==LOCK_FORMAT) ){
    lockFirst(p, OS_UNLOCKED);
    rc = formatFirst(p);
    if( rc!=LOCK_OK ) return rc;
  }
  if( rc==LOCK_OK ) rc = segFill(p);           /* ATTACH-BLOCKS */
  if( rc==LOCK_OK ){
    if( BUG(FIRST_EARLY) ) lockFirst(p, OS_UNLOCKED);
    rc = ownNumber(p, &p->iNumber);
  }
  /* ATTACH-DONE.  The first byte must be held until here.  Otherwise a process
  ** that finds no other alive could format the file under this one.  The fence:
  ** no process may see the number before its byte is locked. */
  atomicFenceSeq();
  lockFirst(p, OS_UNLOCKED);
  CRASH(ATTACH_DONE);
  return rc;
}

int processDead(Seg *p, u64 iNumber){
  assert( ruleOutside() );
  if( BUG(TAKE_LIVE) && iNumber!=p->iNumber ) return 1;
  if( iNumber==p->iNumber || p->file.fd<0 ) return 0;
  return osNumberHeld(&p->file, iNumber)==0;
}
