/* SPDX-License-Identifier: 0BSD */
/*
** bell.c: the words by which the kernel tells of a death.  See bell.h.
*/
#include "core/bell.h"

OsBell *bellHold(Seg *p, OsBell *pBell){
  u64 iOffset = segBellOffset(p->iNumber);
  u64 *pName = &segHeader(p)->bell[segBellOf(p->iNumber)];
  u32 iWord = 0;
  if( pBell && osBellHeld(pBell) ) return pBell;
  if( pBell ) osBellDrop(pBell);
  if( iOffset==0 || p->file.fd<0 || BUG(BELL_NONE) ) return 0;
  if( SEG_BELL_OWNER(atomicGet(pName))!=p->iNumber ) return 0;
  if( segBellRoom(p)!=LOCK_OK ) return 0;
  pBell = osBellHold(&p->file, iOffset, &iWord);         /* BELL-HOLD */
  CRASH(BELL_HOLD);
  if( pBell==0 ) return 0;
  /* BELL-NAME */
  atomicSetRel(pName, SEG_BELL(p->iNumber, iWord));
  CRASH(BELL_NAME);
  return pBell;
}

/* The word must have OS_BELL_AWAITED before this thread sleeps on it.  The
** kernel wakes no thread otherwise. */
int bellLook(Seg *p, u64 iNumber, u32 **ppWord, u32 *piValue){
  u64 iName = atomicGetAcq(&segHeader(p)->bell[segBellOf(iNumber)]);
  u32 *pWord, w;
  if( segBellOffset(iNumber)==0 ) return BELL_NONE;
  if( !SEG_BELL_HELD(iName) ) return BELL_NONE;
  if( SEG_BELL_OWNER(iName)!=iNumber && !BUG(BELL_OTHER) ) return BELL_NONE;
  *ppWord = pWord = segBellWord(p, iNumber, SEG_BELL_WORD(iName));
  /* BELL-AWAIT */
  for(;;){
    w = atomicGetAcq(pWord);
    if( (w & OS_BELL_HOLDER)==0 || (w & OS_BELL_DIED) ) return BELL_RUNG;
    if( (w & OS_BELL_AWAITED) || BUG(BELL_PLAIN) ) break;
    if( atomicCas32(pWord, w, w|OS_BELL_AWAITED) ){
      w |= OS_BELL_AWAITED;
      CRASH(BELL_AWAIT);
      break;
    }
  }
  *piValue = w;
  return BELL_QUIET;
}
