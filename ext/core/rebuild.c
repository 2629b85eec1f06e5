/* SPDX-License-Identifier: 0BSD */
/*
** rebuild.c: computing everything derived again, from the records: Rebuild of
** ext/core/README.md.
*/
#include "core/rebuild.h"

/* 1 if this slot can be a record, with the text slots of its key. */
static int slotSane(Seg *p, u32 i){
  SegRecord *r = segRecord(p, i);
  u32 nText = recordTextSlots(REC_NKEY(r)), iText = r->text, k;
  if( r->session-1>=LIMIT_SESSION ) return 0;
  if( REC_MODE(r)<1 || REC_MODE(r)>=LOCK_MODES ) return 0;
  for(k=0; k<nText; k++, iText=segText(p, iText)->next){
    if( iText-1>=segRecords(p) ) return 0;
    if( SEG_STATE(segText(p, iText)->state)!=SEG_TEXT ) return 0;
    if( segText(p, iText)->record!=i || segText(p, iText)->part!=k ) return 0;
  }
  return iText==0;
}

/* Frees every record that is invalidated, withdrawn or nonsense, and then every
** text slot without its record. */
static void rebuildFree(Seg *p){
  /* REBUILD-FREE */
  u32 i;
  for(i=1; i<=segRecords(p); i++){
    SegRecord *r = segRecord(p, i);
    u32 iState = atomicGetAcq(&r->state), e = SEG_STATE(iState);
    if( e==SEG_FREE || e==SEG_TEXT ) continue;
    atomicSet(&r->linked, 0);
    if( e>SEG_TEXT || e==SEG_WITHDRAWN || !slotSane(p, i)
     || recordInvalid(p, r) ){
      atomicSet(&r->state, SEG_WITH(iState, SEG_FREE));
      CRASH(REBUILD_FREE);
    }
  }
  for(i=1; i<=segRecords(p); i++){
    SegText *t = segText(p, i);
    u32 e, iRecord = t->record;
    if( SEG_STATE(t->state)!=SEG_TEXT ) continue;
    e = iRecord-1<segRecords(p) ? SEG_STATE(segRecord(p, iRecord)->state) : 0;
    if( e==SEG_FREE || e==SEG_TEXT
     || (segRecord(p, iRecord)->text!=i
         && segText(p, segRecord(p, iRecord)->text)->next!=i) ){
      atomicSet(&t->state, SEG_WITH(t->state, SEG_FREE));
      CRASH(REBUILD_FREE);
    }
  }
  atomicFenceRel();
}

static void rebuildEmpty(Seg *p){
  /* REBUILD-EMPTY */
  SegHeader *h = segHeader(p);
  u32 i, k;
  h->nBucket = segBuckets(p);
  h->freeRecord = h->freeSession = 0;
  h->nRecord = h->nWait = 0;
  for(i=0; i<segBuckets(p); i++) *segBucket(p, i) = 0;
  for(k=segSessions(p); k>0; k--){
    SegSession *s = segSession(p, k);
    s->firstTxn = s->firstSes = s->nRecord = s->next = 0;
    s->unsorted = 1;
    atomicSet(&s->waits, 0);
    if( SEG_LOW(s->state)!=SEG_UNUSED && k>h->usedSession ){
      atomicSet(&h->usedSession, k);
    }
  }
  CRASH(REBUILD_EMPTY);
}

/* Links a record into its chain, by its ticket, and into its session's list. */
static void rebuildLink(Seg *p, u32 i){
  /* REBUILD-LINK */
  SegHeader *h = segHeader(p);
  SegRecord *r = segRecord(p, i);
  SegSession *s = segSession(p, r->session);
  u32 iBefore = *segBucket(p, segBucketOf(r->hash, h->nBucket)), n = 0;
  while( iBefore && segBound(p, &n)
      && segRecord(p, iBefore)->ticket<r->ticket ){
    iBefore = segRecord(p, iBefore)->hashNext;
  }
  recordChainInsert(p, i, iBefore);
  recordListInsert(p, i);
  atomicSet(&r->linked, 1);
  s->nRecord++;
  if( SEG_STATE(atomicGet(&r->state))!=SEG_GRANTED ){
    h->nWait++;
    atomicSet(&s->waits, i);
  }
  CRASH(REBUILD_LINK);
}

/* The guard words must be counted first and then stored, so that none is too
** low at any time.  Invalidated grants do not count any more. */
static void rebuildGuard(Seg *p){
  /* REBUILD-GUARD */
  SegHeader *h = segHeader(p);
  u32 aCount[SEG_GUARDS], i;
  memset(aCount, 0, sizeof(aCount));
  for(i=1; i<=segRecords(p); i++){
    SegRecord *r = segRecord(p, i);
    if( SEG_STATE(atomicGet(&r->state))!=SEG_GRANTED ) continue;
    if( REC_KIND(r)==KEY_TABLE ) aCount[r->hash%SEG_GUARDS]++;
  }
  for(i=0; i<SEG_GUARDS && BUG(GUARD_REBUILD); i++){
    atomicSet(&h->guard[i], 0);
    CRASH(REBUILD_GUARD);
  }
  for(i=0; i<SEG_GUARDS; i++){
    atomicSet(&h->guard[i], aCount[i]);
    CRASH(REBUILD_GUARD);
  }
}

void rebuildSegment(Seg *p, u64 iDead){
  SegHeader *h = segHeader(p);
  u32 i, k, nUsed = 0;
  assert( segHeld(p) );
  if( h->usedSession>segSessions(p) ){
    atomicSet(&h->usedSession, segSessions(p));
  }
  sessionKill(p, iDead);                         /* REBUILD-KILL */
  rebuildFree(p);
  rebuildEmpty(p);
  for(i=segRecords(p); i>0; i--){
    u32 e = SEG_STATE(atomicGet(&segRecord(p, i)->state));
    if( e!=SEG_FREE && nUsed==0 ) nUsed = i;
    if( e==SEG_FREE && nUsed!=0 ){
      atomicSet(&segRecord(p, i)->hashNext, h->freeRecord);
      h->freeRecord = i;
    }
    if( e!=SEG_FREE ) h->nRecord++;
    if( e!=SEG_FREE && e!=SEG_TEXT ) rebuildLink(p, i);
  }
  atomicSet(&h->usedRecord, nUsed);
  rebuildGuard(p);
  for(k=h->usedSession; k>0; k--){             /* REBUILD-SESSION */
    SegSession *s = segSession(p, k);
    u64 iState = atomicGetAcq(&s->state);
    if( SEG_LOW(iState)==SEG_UNUSED ){
      s->next = h->freeSession;
      h->freeSession = k;
    }else if( SEG_LOW(iState)==SEG_ENDING && s->nRecord==0 ){
      sessionClose(p, k);
      CRASH(REBUILD_SESSION);
    }
  }
  if( h->writerTxn && h->writer-1<LIMIT_SESSION ){
    sessionSweepWriter(p, h->writer);
  }
}
