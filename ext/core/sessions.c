/* SPDX-License-Identifier: 0BSD */
/*
** sessions.c: the slots of sessions, and the sweep of what they have given up:
** Sessions, Sweep and Death of ext/core/README.md.
*/
#include "core/sessions.h"

u32 sessionOpen(Seg *p, u64 iNumber){
  SegHeader *h = segHeader(p);
  u32 k = h->freeSession, i;
  SegSession *s;
  assert( segHeld(p) );
  if( k>segSessions(p) ){          /* there may be a hole behind it */
    segDamage(p);
    return 0;
  }else if( k ){
    h->freeSession = segSession(p, k)->next;
  }else if( h->usedSession<segSessions(p) ){
    k = h->usedSession + 1;
    atomicSet(&h->usedSession, k);
  }else{
    return 0;
  }
  s = segSession(p, k);
  if( SEG_LOW(atomicGet(&s->state))!=SEG_UNUSED
   || h->sessionId<p->iSession || h->sessionId>=SEG_NUMBERS-1 ){
    segDamage(p);
    return 0;
  }
  /* OPEN-FIELDS */
  atomicSet(&h->sessionId, h->sessionId+1);
  p->iSession = h->sessionId;
  atomicSet(&s->owner, iNumber);
  atomicSetRel(&s->now, SEG_PAIR(1, SEG_ALL));
  atomicSet(&s->sweepNeeded, 0);
  atomicSet(&s->waits, 0);
  atomicSet(&s->id, h->sessionId);
  atomicSet(&s->started, osWallMs());
  for(i=0; i<LIMIT_LABEL/4; i++) atomicSet(&s->label[i], 0);
  s->firstTxn = s->firstSes = s->nRecord = s->unsorted = s->next = 0;
  CRASH(OPEN_FIELDS);
  /* OPEN-LIVE */
  atomicSetRel(&s->state, SEG_PAIR(SEG_HIGH(s->state), SEG_LIVE));
  CRASH(OPEN_LIVE);
  return k;
}

/* The session goes on in a new generation.  Its lists are empty: a count that
** says otherwise is damage. */
void sessionClose(Seg *p, u32 k){
  SegSession *s = segSession(p, k);
  u64 iState = atomicGetAcq(&s->state);
  if( SEG_LOW(iState)!=SEG_ENDING ) return;
  if( s->nRecord ) segDamage(p);
  /* SWEEP-SESSION */
  recordGiveSlot(p, s);
  atomicSetRel(&s->state, SEG_PAIR(SEG_HIGH(iState)+1, SEG_UNUSED));
  CRASH(SWEEP_SESSION);
  s->next = segHeader(p)->freeSession;
  segHeader(p)->freeSession = k;
}

/* After the end of the active writer requests for rows and tables may be
** granted. */
void sessionSweepWriter(Seg *p, u32 k){
  SegHeader *h = segHeader(p);
  SegSession *s = segSession(p, k);
  if( h->writer!=k || h->writerTxn==0 ) return;
  if( atomicGetAcq(&s->state)==SEG_PAIR(h->writerGen, SEG_LIVE)
   && SEG_HIGH(atomicGetAcq(&s->now))==h->writerTxn ){
    return;
  }
  atomicSet(&h->writerTxn, 0);                 /* SWEEP-WRITER */
  CRASH(WRITER_EMPTY);
  recordScanWaiting(p, 1);
}

/* Ends the transaction hold of record i.  A session hold on it stays. */
static void sweepHold(Seg *p, u32 i){
  SegRecord *r = segRecord(p, i);
  if( r->sesCount==0 ){
    recordRemove(p, i);
    return;
  }
  recordListRemove(p, i);
  atomicSet(&r->txnHold, 0);
  recordListInsert(p, i);
}

/* Removes what lockUndo has invalidated in session scope.  Such a record was
** granted last, so it comes first in its list, and the look ends at the second
** record that is not invalidated.  If a rebuild has changed the order, the
** session itself removes the record, or a process that meets it in a queue. */
static void sweepBack(Seg *p, u32 k, u32 nMax){
  /* SWEEP-BACK */
  u32 i = segSession(p, k)->firstSes, n = 0, nStep = 0;
  while( i && n<2 && nStep++<(BUG(BACK_ONE) ? 1u : nMax) ){
    SegRecord *r = segRecord(p, i);
    u32 iNext = r->sesNext;
    if( r->session!=k && !BUG(SWEEP_FOREIGN) ){
      segDamage(p);
      return;
    }
    if( SEG_STATE(atomicGetAcq(&r->state))==SEG_GRANTED
     && recordInvalid(p, r) ){
      recordRemove(p, i);
    }else{
      n++;
    }
    i = iNext;
  }
}

/* The part of sessionSweep for firstTxn.  That list must have only records of
** session k with a transaction hold.  The sweep would otherwise meet others
** without an end. */
static int sweepTxn(Seg *p, u32 k, int bEnding, u32 nMax, u32 *pn){
  /* SWEEP-HOLDS */
  SegSession *s = segSession(p, k);
  u32 i, iNext, nStep = 0;
  for(i=s->firstTxn; i && segBound(p, &nStep); i=iNext){
    SegRecord *r = segRecord(p, i);
    iNext = r->sesNext;
    if( (r->session!=k && !BUG(SWEEP_FOREIGN)) || r->txnHold==0 ){
      segDamage(p);
      return 0;
    }
    if( *pn>=nMax ) return !BUG(SWEEP_SHORT);
    if( bEnding ){
      recordRemove(p, i);
      ++*pn;
    }else if( SEG_STATE(atomicGetAcq(&r->state))!=SEG_GRANTED ){
      continue;
    }else if( recordHoldInvalid(p, r) ){
      sweepHold(p, i);
      ++*pn;
    }else if( SEG_LOW(r->txnHold) && !s->unsorted ){
      break;
    }
  }
  return 0;
}

int sessionSweep(Seg *p, u32 k, u32 nMax){
  SegSession *s = segSession(p, k);
  u32 i = s->waits, n = 0, nStep = 0;
  int bEnding = SEG_LOW(atomicGetAcq(&s->state))!=SEG_LIVE;
  assert( segHeld(p) );
  /* SWEEP-REQUEST */
  if( i && SEG_STATE(atomicGetAcq(&segRecord(p, i)->state))==SEG_WITHDRAWN ){
    if( segRecord(p, i)->session!=k && !BUG(SWEEP_FOREIGN) ) segDamage(p);
    else recordRemove(p, i);
  }
  if( !bEnding ) sweepBack(p, k, nMax);
  sessionSweepWriter(p, k);
  if( sweepTxn(p, k, bEnding, nMax, &n) ) return 1;
  while( bEnding && (i = s->firstSes)!=0 && segBound(p, &nStep) ){
    if( segRecord(p, i)->session!=k && !BUG(SWEEP_FOREIGN) ){
      segDamage(p);
      return 0;
    }
    if( n++>=nMax ) return 1;
    recordRemove(p, i);
  }
  if( bEnding && !segDamaged(p) ) sessionClose(p, k);
  return 0;
}

/*
** The flag must be exchanged before the look.  In the other order, or with a
** plain store, the owner could miss a session that ends between the two.
*/
void sessionSweepAll(Seg *p){
  u32 k, nUsed = segHeader(p)->usedSession;
  assert( segHeld(p) );
  for(k=1; k<=nUsed && k<=LIMIT_SESSION; k++){
    SegSession *s = segSession(p, k);
    if( atomicGetAcq(&s->sweepNeeded)==0 ) continue;
    if( BUG(FLAG_LATE) ){
      sessionSweep(p, k, SEG_ALL);
      CRASH(SWEEP_FLAG);
      atomicSet(&s->sweepNeeded, 0);
      continue;
    }
    atomicSwap(&s->sweepNeeded, 0);                   /* SWEEP-FLAG */
    CRASH(SWEEP_FLAG);
    if( SEG_LOW(atomicGetAcq(&s->state))==SEG_UNUSED ) continue;
    sessionSweep(p, k, SEG_ALL);
  }
}

u32 sessionKill(Seg *p, u64 iNumber){
  u32 k, n = 0, nUsed = segHeader(p)->usedSession;
  assert( segHeld(p) );
  for(k=1; k<=nUsed && k<=LIMIT_SESSION; k++){
    SegSession *s = segSession(p, k);
    u64 iState = atomicGetAcq(&s->state);
    if( atomicGet(&s->owner)!=iNumber || SEG_LOW(iState)==SEG_UNUSED ) continue;
    /* DEAD-ENDING */
    atomicSetRel(&s->state, SEG_PAIR(SEG_HIGH(iState), SEG_ENDING));
    CRASH(DEAD_ENDING);
    n++;
  }
  return n;
}
