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
    /* ATTACH-NUMBER */
    p->iNumber = atomicAdd(&segHeader(p)->numbers, 1) + 1;
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
