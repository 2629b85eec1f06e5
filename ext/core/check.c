/* SPDX-License-Identifier: 0BSD */
/*
** check.c: are the grants and requests what the rules say?  See check.h.
*/
#include "core/check.h"

#ifdef INTERLOCK_TEST
/*---------------------------------------------------------------- check ---*/

/* Compare request or grant i with everything before it in its queue. */
static const char *checkRecord(Seg *p, u32 i){
  SegRecord *r = segRecord(p, i);
  u32 m = keyConflicts(REC_MODE(r)), j = 0, n = 0, bBlocked = 0;
  u32 eState = SEG_STATE(atomicGetAcq(&r->state)), bBefore = 1;
  LockKey key;
  if( eState!=SEG_WAITING && eState!=SEG_GRANTED ) return 0;
  if( tableVoid(p, r) ) return 0;
  tableKeyOf(p, r, &key);
  while( (j = tableNext(p, &key, j, &n))!=0 ){
    SegRecord *q = segRecord(p, j);
    u32 e = SEG_STATE(atomicGetAcq(&q->state));
    if( j==i ) bBefore = 0;
    if( q->session==r->session || !(m & REC_BIT(q)) ) continue;
    if( e==SEG_GRANTED ){
      if( eState==SEG_GRANTED && !tableVoid(p, q) ) return "conflicting grants";
      bBlocked = 1;
    }
    /* withdrawn or cancelled a moment ago: its session will remove it */
    if( bBefore ) bBlocked = 1;
  }
  if( segHeader(p)->writerTxn ) bBlocked = 1;      /* the same */
  if( eState==SEG_WAITING && !bBlocked
   && SEG_STATE(atomicGetAcq(&r->state))==SEG_WAITING ){
    return "grantable request is left waiting";
  }
  return 0;
}

/* Every guard word counts the granted tables of its class. */
static const char *checkGuard(Seg *p){
  u32 aCount[SEG_GUARDS], i;
  memset(aCount, 0, sizeof(aCount));
  for(i=1; i<=segHeader(p)->usedRecord && i<=segRecords(p); i++){
    SegRecord *r = segRecord(p, i);
    if( SEG_STATE(atomicGet(&r->state))!=SEG_GRANTED ) continue;
    if( REC_KIND(r)==KEY_TABLE ) aCount[r->hash%SEG_GUARDS]++;
  }
  for(i=0; i<SEG_GUARDS; i++){
    u32 n = atomicGet(&segHeader(p)->guard[i]);
    if( n<aCount[i] ) return "a guard word is too low";
    if( n>aCount[i] ) return "a guard word is too high";
  }
  return 0;
}

const char *tableCheck(Seg *p){
  const char *z = checkGuard(p);
  u32 i;
  assert( segHeld(p) );
  for(i=1; i<=segHeader(p)->usedRecord && i<=segRecords(p) && z==0; i++){
    if( SEG_STATE(segRecord(p, i)->state)!=SEG_FREE ) z = checkRecord(p, i);
  }
  return z;
}
#endif
