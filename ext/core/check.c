/* SPDX-License-Identifier: 0BSD */
/*
** check.c: checks of the whole segment.  See check.h.
*/
#include "core/check.h"

#ifdef INTERLOCK_TEST
/*--------------------------------------------------------- chains, lists ---*/

/* Free slots must be FREE, and must lie below usedRecord. */
static const char *checkFree(Seg *p, u32 *pnFree){
  SegHeader *h = segHeader(p);
  u32 i, k, n = 0;
  if( h->usedRecord>segRecords(p) ) return "usedRecord beyond the length";
  for(i=h->freeRecord; i; i=segRecord(p, i)->hashNext){
    if( !segBound(p, &n) ) return "free list does not end";
    if( SEG_STATE(segRecord(p, i)->state)!=SEG_FREE ) return "free, in use";
    if( i>h->usedRecord ) return "free list beyond usedRecord";
  }
  for(k=1; k<=h->usedSession && k<=LIMIT_SESSION; k++){
    SegSession *s = segSession(p, k);
    if( SEG_LOW(s->state)==SEG_UNUSED || s->next==0 ) continue;
    i = s->next;
    if( SEG_STATE(segRecord(p, i)->state)!=SEG_FREE ) return "kept, in use";
    if( i>h->usedRecord ) return "kept slot beyond usedRecord";
    n++;
  }
  *pnFree = n;
  return 0;
}

/* Every record must be in its bucket, and the requests of a key must stand in
** the order of their tickets. */
static const char *checkChains(Seg *p, u32 *pnChain){
  SegHeader *h = segHeader(p);
  u32 b, i, j, n = 0;
  if( h->nBucket<LIMIT_EXTENT || h->nBucket>segBuckets(p) ) return "nBucket";
  for(b=0; b<h->nBucket; b++){
    u32 iPrev = 0;
    for(i=*segBucket(p, b); i; iPrev=i, i=segRecord(p, i)->hashNext){
      SegRecord *r = segRecord(p, i);
      u32 eState = SEG_STATE(r->state);
      if( !segBound(p, &n) ) return "chain does not end";
      if( eState==SEG_FREE || eState==SEG_TEXT ) return "free in a chain";
      if( segBucketOf(r->hash, h->nBucket)!=b ) return "wrong bucket";
      if( r->hashPrev!=iPrev ) return "hashPrev";
      if( !r->linked ) return "linked";
      for(j=r->hashNext; j && eState==SEG_WAITING; j=segRecord(p,j)->hashNext){
        SegRecord *q = segRecord(p, j);
        if( !segBound(p, &n) ) return "chain does not end";
        n--;
        if( q->hash==r->hash && SEG_STATE(q->state)==SEG_WAITING ){
          if( q->ticket<=r->ticket ) return "queue out of order";
          break;
        }
      }
    }
  }
  *pnChain = n;
  return 0;
}

/* A session's two lists must have its records and no others. */
static const char *checkLists(Seg *p, u32 *pnList){
  SegHeader *h = segHeader(p);
  u32 k, i, iList, n = 0;
  if( h->usedSession>segSessions(p) ) return "usedSession";
  for(k=1; k<=h->usedSession; k++){
    SegSession *s = segSession(p, k);
    u32 nOwn = 0;
    for(iList=0; iList<2; iList++){
      u32 iPrev = 0, iStamp = SEG_ALL;
      for(i=iList ? s->firstSes : s->firstTxn; i; iPrev=i,
          i=segRecord(p, i)->sesNext){
        SegRecord *r = segRecord(p, i);
        if( !segBound(p, &n) ) return "list does not end";
        nOwn++;
        if( SEG_STATE(r->state)==SEG_FREE ) return "free in a list";
        if( r->session!=k ) return "list of another session";
        if( r->sesPrev!=iPrev ) return "sesPrev";
        if( (iList==0)!=(r->txnHold!=0) ) return "wrong list";
        if( iList==0 && !s->unsorted && SEG_LOW(r->txnHold) ){
          if( SEG_LOW(r->txnHold)>iStamp ) return "stamps out of order";
          iStamp = SEG_LOW(r->txnHold);
        }
      }
    }
    if( nOwn!=s->nRecord ) return "count of a session";
    if( SEG_LOW(s->state)==SEG_UNUSED && nOwn ) return "records of no session";
  }
  *pnList = n;
  return 0;
}

const char *checkSegment(Seg *p){
  SegHeader *h = segHeader(p);
  u32 i, nFree = 0, nChain = 0, nList = 0, nText = 0, nUsed = 0, nWait = 0;
  const char *z = checkFree(p, &nFree);
  assert( segHeld(p) );
  if( z==0 ) z = checkChains(p, &nChain);
  if( z==0 ) z = checkLists(p, &nList);
  if( z ) return z;
  for(i=1; i<=segRecords(p); i++){
    SegRecord *r = segRecord(p, i);
    u32 eState = SEG_STATE(r->state);
    if( eState==SEG_TEXT ){
      if( SEG_STATE(segRecord(p, segText(p, i)->record)->state)==SEG_FREE ){
        return "text of no record";
      }
      nText++;
    }else if( eState!=SEG_FREE ){
      if( i>h->usedRecord ) return "record beyond usedRecord";
      nUsed++;
      if( r->text ) nText -= 1u + (segText(p, r->text)->next!=0);
    }
    nWait += eState==SEG_WAITING || eState==SEG_CANCELLED
          || eState==SEG_WITHDRAWN;
  }
  if( nText ) return "text slots";
  if( nChain!=nUsed ) return "chains";
  if( nList!=nUsed ) return "lists";
  if( nWait!=h->nWait ) return "nWait";
  if( h->nRecord+nFree!=h->usedRecord ) return "free slots";
  return segDamaged(p) ? "damaged" : 0;
}

/*---------------------------------------------------------------- grants ---*/

/* Compares request or grant i with all records before it in its queue. */
static const char *checkRecord(Seg *p, u32 i){
  SegRecord *r = segRecord(p, i);
  u32 m = keyConflicts(REC_MODE(r)), j = 0, n = 0, bBlocked = 0;
  u32 eState = SEG_STATE(atomicGetAcq(&r->state)), bBefore = 1, nHeld = 0;
  LockKey key;
  if( eState!=SEG_WAITING && eState!=SEG_GRANTED ) return 0;
  if( recordInvalid(p, r) ) return 0;
  recordKey(p, r, &key);
  while( (j = recordNext(p, &key, j, &n))!=0 ){
    SegRecord *q = segRecord(p, j);
    u32 e = SEG_STATE(atomicGetAcq(&q->state));
    if( j==i ) bBefore = 0;
    if( q->session==r->session || !(m & REC_BIT(q)) ) continue;
    if( e==SEG_GRANTED ){
      if( ++nHeld<REC_PERMIT(r) || REC_KIND(r)==KEY_SEMAPHORE ){
        bBlocked |= nHeld>=REC_PERMIT(r);
        continue;
      }
      if( eState==SEG_GRANTED && !recordInvalid(p, q) ){
        return "conflicting grants";
      }
      bBlocked = 1;
    }
    /* A withdrawn or cancelled one blocks until its session removes it. */
    if( bBefore ) bBlocked = 1;
  }
  /* So does an active writer that has ended a moment ago. */
  if( segHeader(p)->writerTxn ) bBlocked = 1;
  if( eState==SEG_WAITING && !bBlocked
   && SEG_STATE(atomicGetAcq(&r->state))==SEG_WAITING ){
    return "grantable request is left waiting";
  }
  return 0;
}

/* Every guard word must count the granted tables of its class. */
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

const char *checkGrants(Seg *p){
  const char *z = checkGuard(p);
  u32 i;
  assert( segHeld(p) );
  for(i=1; i<=segHeader(p)->usedRecord && i<=segRecords(p) && z==0; i++){
    if( SEG_STATE(segRecord(p, i)->state)!=SEG_FREE ) z = checkRecord(p, i);
  }
  return z;
}
#endif
