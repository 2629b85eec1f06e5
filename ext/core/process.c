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

LockRc processLook(Seg *p){
  LockRc rc = lockFirst(p, OS_SHARED);
  if( rc!=LOCK_OK ) return rc;
  rc = segUsable(p);
  if( rc==LOCK_FORMAT ){
    rc = osAnyHeld(&p->file)==0 ? LOCK_NOFILE : whyNotUsable(p);
  }
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

/* 1 if this process can have the bell of a number: it is at the end of a page
** here, and not another living process's. */
static int bellFree(Seg *p, u64 iNumber){
  u64 iOffset = segBellOffset(iNumber), iBell;
  if( iOffset==0 ) return 1;
  if( !osBellAt(iOffset) ) return 0;
  iBell = atomicGet(&segHeader(p)->bell[iNumber%SEG_BELLS]);
  return iBell==0 || osNumberHeld(&p->file, iBell>>1)==0;
}

/* Draws a number, if possible one whose bell is free. */
static u64 drawNumber(Seg *p){
  u64 iNumber = 0;
  u32 i = 0;
  /* ATTACH-NUMBER */
  do{
    iNumber = atomicAdd(&segHeader(p)->numbers, 1) + 1;
  }while( !bellFree(p, iNumber) && ++i<SEG_BELLS );
  return iNumber;
}

LockRc processAttach(Seg *p){
  LockRc rc;
  if( p->file.fd<0 ){
    p->iNumber = 1;
    return segFormat(p);
  }
  /* ATTACH-FIRST */
  rc = lockFirst(p, OS_SHARED);
  if( rc!=LOCK_OK ) return rc;
  rc = segUsable(p);
  if( rc==LOCK_NOFILE || rc==LOCK_FORMAT ){
    lockFirst(p, OS_UNLOCKED);
    rc = formatFirst(p);
    if( rc!=LOCK_OK ) return rc;
  }
  if( rc==LOCK_OK ){
    p->iNumber = drawNumber(p);
    if( BUG(FIRST_EARLY) ) lockFirst(p, OS_UNLOCKED);
    CRASH(ATTACH_NUMBER);
    rc = osLockNumber(&p->file, p->iNumber);   /* ATTACH-BYTE */
    CRASH(ATTACH_BYTE);
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
