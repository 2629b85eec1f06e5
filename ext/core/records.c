/* SPDX-License-Identifier: 0BSD */
/*
** records.c: records and their queues: Insert, Remove and Grant of
** ext/core/README.md.
**
** All records of a key lie in one hash chain, grants and requests mixed, and
** requests in the order of their tickets.  Every record is also in one of two
** lists of its session: firstTxn if it has a transaction hold, with the latest
** stamp first, else firstSes.  So the end of a transaction and a rollback to a
** savepoint cost what they free, not what is held.
**
** The caller of each function must own the segment's mutex.  The state word is
** the truth: it must be stored last when a record is made, and first when it is
** freed.  A field that another process reads without the mutex must be stored
** with atomicSet.  That is every field of a record, since a look may take a
** slot for the text of a key that was there a moment ago.
*/
#include "core/records.h"
#include "core/mutex.h"
#include "core/writer.h"

/*---------------------------------------------------------------- keys ---*/

void recordKey(Seg *p, SegRecord *r, LockKey *pKey){
  u32 nWord = keyWords(REC_NKEY(r)), i = 0, k, iText = r->text;
  pKey->eKind = (u8)REC_KIND(r);
  pKey->nKey = (u8)REC_NKEY(r);
  pKey->nPermit = (u8)REC_PERMIT(r);
  pKey->iHash = r->hash;
  for(; i<nWord && i<SEG_INLINE/4; i++) pKey->a[i] = r->key[i];
  while( i<nWord && !segDamaged(p) ){
    SegText *t = segText(p, iText);
    for(k=0; k<SEG_TEXTBYTES/4 && i<nWord; k++) pKey->a[i++] = t->key[k];
    iText = t->next;
  }
}

static int keyEqual(Seg *p, SegRecord *r, const LockKey *pKey){
  u32 nWord, i = 0, k, iText;
  if( r->hash!=pKey->iHash
   || (r->what>>8 & 0xFFFF)!=((u32)pKey->eKind | (u32)pKey->nKey<<8) ){
    return 0;
  }
  if( BUG(KEY_BY_HASH) && pKey->nKey>SEG_INLINE ) return 1;
  nWord = keyWords(pKey->nKey);
  for(; i<nWord && i<SEG_INLINE/4; i++){
    if( r->key[i]!=pKey->a[i] ) return 0;
  }
  for(iText=r->text; i<nWord; iText=segText(p, iText)->next){
    SegText *t = segText(p, iText);
    if( segDamaged(p) ) return 0;
    for(k=0; k<SEG_TEXTBYTES/4 && i<nWord; k++, i++){
      if( t->key[k]!=pKey->a[i] ) return 0;
    }
  }
  return 1;
}

int recordSameKey(Seg *p, u32 i, u32 j){
  LockKey key;
  assert( segHeld(p) );
  recordKey(p, segRecord(p, i), &key);
  return keyEqual(p, segRecord(p, j), &key);
}

u32 recordNext(Seg *p, const LockKey *pKey, u32 i, u32 *pnStep){
  assert( segHeld(p) );
  if( i==0 ){
    i = *segBucket(p, segBucketOf(pKey->iHash, segHeader(p)->nBucket));
  }else{
    i = segRecord(p, i)->hashNext;
  }
  while( i && segBound(p, pnStep) ){
    SegRecord *r = segRecord(p, i);
    if( keyEqual(p, r, pKey) ) return i;
    i = r->hashNext;
  }
  return 0;
}

u32 recordPrev(Seg *p, const LockKey *pKey, u32 i, u32 *pnStep){
  assert( segHeld(p) );
  i = segRecord(p, i)->hashPrev;
  while( i && segBound(p, pnStep) ){
    SegRecord *r = segRecord(p, i);
    if( keyEqual(p, r, pKey) ) return i;
    i = r->hashPrev;
  }
  return 0;
}

/*--------------------------------------------------------- invalidated ---*/

/* Without the mutex a process may only invalidate its own records.  So a record
** that is valid here was valid when the owner entered, and a record that is
** invalidated stays so. */
int recordHoldInvalid(Seg *p, SegRecord *r){
  u64 now = atomicGetAcq(&segSession(p, r->session)->now);
  u64 hold = atomicGetAcq(&r->txnHold);
  if( hold==0 || SEG_HIGH(hold)!=SEG_HIGH(now) ) return 1;
  return SEG_LOW(hold)>SEG_LOW(now) && !BUG(IGNORE_LEVEL);
}

int recordInvalid(Seg *p, SegRecord *r){
  SegSession *s = segSession(p, r->session);
  if( atomicGetAcq(&s->state)!=SEG_PAIR(r->generation, SEG_LIVE) ) return 1;
  if( SEG_STATE(atomicGetAcq(&r->state))!=SEG_GRANTED ) return 0;
  return atomicGetAcq(&r->sesCount)==0 && recordHoldInvalid(p, r);
}

/*--------------------------------------------------------------- chains ---*/

static u32 *chainHead(Seg *p, SegRecord *r){
  return segBucket(p, segBucketOf(r->hash, segHeader(p)->nBucket));
}

/* Links record i between two others of its chain; 0 is an end of it. */
static void chainLink(Seg *p, u32 i, u32 iPrev, u32 iNext){
  SegRecord *r = segRecord(p, i);
  atomicSet(&r->hashPrev, iPrev);
  atomicSet(&r->hashNext, iNext);
  if( iNext ) atomicSet(&segRecord(p, iNext)->hashPrev, i);
  if( iPrev ) atomicSet(&segRecord(p, iPrev)->hashNext, i);
  else *chainHead(p, r) = i;
}

/* The last record of the chain of record i; 0 if it is empty. */
static u32 chainTail(Seg *p, u32 i){
  u32 iTail = *chainHead(p, segRecord(p, i)), iNext, n = 0;
  if( iTail==0 ) return 0;
  while( (iNext = segRecord(p, iTail)->hashNext)!=0 && segBound(p, &n) ){
    iTail = iNext;
  }
  return iTail;
}

void recordChainInsert(Seg *p, u32 i, u32 iBefore){
  u32 iPrev = iBefore ? segRecord(p, iBefore)->hashPrev : chainTail(p, i);
  chainLink(p, i, iPrev, iBefore);
}

static void chainRemove(Seg *p, u32 i){
  SegRecord *r = segRecord(p, i);
  if( r->hashNext ){
    atomicSet(&segRecord(p, r->hashNext)->hashPrev, r->hashPrev);
  }
  if( r->hashPrev ){
    atomicSet(&segRecord(p, r->hashPrev)->hashNext, r->hashNext);
  }else{
    *segBucket(p, segBucketOf(r->hash, segHeader(p)->nBucket)) = r->hashNext;
  }
}

static u32 *listHead(Seg *p, SegRecord *r){
  SegSession *s = segSession(p, r->session);
  return r->txnHold ? &s->firstTxn : &s->firstSes;
}

void recordListInsert(Seg *p, u32 i){
  SegRecord *r = segRecord(p, i);
  u32 *pHead = listHead(p, r);
  if( r->txnHold && *pHead ){
    u32 iStamp = SEG_LOW(r->txnHold);
    if( iStamp && iStamp<SEG_LOW(segRecord(p, *pHead)->txnHold) ){
      segSession(p, r->session)->unsorted = 1;
    }
  }
  atomicSet(&r->sesPrev, 0);
  atomicSet(&r->sesNext, *pHead);
  if( *pHead ) atomicSet(&segRecord(p, *pHead)->sesPrev, i);
  *pHead = i;
}

void recordListRemove(Seg *p, u32 i){
  SegRecord *r = segRecord(p, i);
  SegSession *s = segSession(p, r->session);
  if( r->sesNext ) atomicSet(&segRecord(p, r->sesNext)->sesPrev, r->sesPrev);
  if( r->sesPrev ) atomicSet(&segRecord(p, r->sesPrev)->sesNext, r->sesNext);
  if( s->firstTxn==i ) s->firstTxn = r->sesNext;
  if( s->firstSes==i ) s->firstSes = r->sesNext;
  if( s->firstTxn==0 ) s->unsorted = 0;
}

void recordMove(Seg *p, u32 i){
  assert( segHeld(p) );
  recordListRemove(p, i);
  recordListInsert(p, i);
}

/* Adds a bucket, and moves the records that belong into it, in their order. */
static void splitBucket(Seg *p){
  SegHeader *h = segHeader(p);
  u32 bNew = h->nBucket, i, iNext, n = 0, iTail = 0, bOld;
  assert( segHeld(p) );
  if( bNew<2 ){
    segDamage(p);
    return;
  }
  bOld = bNew & (SEG_ALL >> (__builtin_clz(bNew)+1));
  /* The bucket that is split some inserts later is in the cache by then. */
  if( bOld+8<bNew && (i = *segBucket(p, bOld+8))!=0 ){
    __builtin_prefetch(segRecord(p, i), 1);
  }
  *segBucket(p, bNew) = 0;                     /* INSERT-SPLIT */
  for(i=*segBucket(p, bOld); i && segBound(p, &n); i=iNext){
    SegRecord *r = segRecord(p, i);
    iNext = r->hashNext;
    if( BUG(SHORT_HASH_SPLIT) ) continue;
    if( segBucketOf(r->hash, bNew+1)!=bNew ) continue;
    chainRemove(p, i);
    atomicSet(&r->hashPrev, iTail);
    atomicSet(&r->hashNext, 0);
    if( iTail ) atomicSet(&segRecord(p, iTail)->hashNext, i);
    else *segBucket(p, bNew) = i;
    iTail = i;
  }
  h->nBucket = bNew+1;
  CRASH(INSERT_SPLIT);
}

/*---------------------------------------------------------- guard words ---*/

/* The order of stores is that of GUARD WORDS in segment.h.  The caller must
** store GRANTED next, with release: no process sees that state without the
** raised word. */
static void raiseGuard(Seg *p, SegRecord *r){
  /* INSERT-GUARD, GRANT-GUARD */
  u32 *pWord = &segHeader(p)->guard[r->hash%SEG_GUARDS];
  assert( segHeld(p) );
  if( REC_KIND(r)!=KEY_TABLE ) return;
  atomicSet(pWord, atomicGet(pWord)+1);
  CRASH(INSERT_GUARD);
}

/* The record has become FREE, or its session gave the request up before the
** grant. */
static void lowerGuard(Seg *p, SegRecord *r){
  /* REMOVE-GUARD */
  u32 *pWord = &segHeader(p)->guard[r->hash%SEG_GUARDS];
  assert( segHeld(p) );
  if( REC_KIND(r)!=KEY_TABLE ) return;
  if( atomicGet(pWord)==0 ){
    segDamage(p);
    return;
  }
  atomicSet(pWord, atomicGet(pWord)-1);
  CRASH(REMOVE_GUARD);
}

/*---------------------------------------------------------------- slots ---*/

/* The slot that the session keeps (segment.h, CACHE LINES) goes into the free
** list. */
void recordGiveSlot(Seg *p, SegSession *s){
  SegHeader *h = segHeader(p);
  if( s->next==0 ) return;
  atomicSet(&segRecord(p, s->next)->hashNext, h->freeRecord);
  h->freeRecord = s->next;
  s->next = 0;
}

/* Collects the slots that sessions keep, when no other slot is free. */
static void gatherSlots(Seg *p){
  SegHeader *h = segHeader(p);
  u32 k;
  for(k=1; k<=h->usedSession && k<=LIMIT_SESSION; k++){
    SegSession *s = segSession(p, k);
    if( SEG_LOW(atomicGetAcq(&s->state))!=SEG_UNUSED ) recordGiveSlot(p, s);
  }
}

/* Takes a free slot.  Returns 0, and marks the file damaged, if it is in
** use. */
static u32 takeSlot(Seg *p, u32 k){
  /* INSERT-SLOT */
  SegHeader *h = segHeader(p);
  SegSession *s = segSession(p, k);
  u32 i = s->next;
  assert( segHeld(p) );
  if( i==0 && h->freeRecord==0 && h->usedRecord>=segRecords(p) ) gatherSlots(p);
  if( i ){
    s->next = 0;
  }else if( (i = h->freeRecord)!=0 ){
    h->freeRecord = segRecord(p, i)->hashNext;
  }else{
    i = h->usedRecord + 1;
    atomicSet(&h->usedRecord, i);
  }
  if( SEG_STATE(atomicGet(&segRecord(p, i)->state))!=SEG_FREE ){
    segDamage(p);
    return 0;
  }
  h->nRecord++;
  CRASH(INSERT_SLOT);
  return i;
}

static void freeSlot(Seg *p, u32 i, u32 k){
  SegSession *s = segSession(p, k);
  if( segHeader(p)->nRecord==0 ) segDamage(p);
  segHeader(p)->nRecord--;                     /* REMOVE-LIST */
  recordGiveSlot(p, s);
  s->next = i;
  CRASH(REMOVE_LIST);
}

u32 recordTextSlots(u32 n){
  return n<=SEG_INLINE ? 0 : 1 + (n>SEG_INLINE+SEG_TEXTBYTES);
}

/* Draws the next fencing token, into the header.  Returns 0, and marks the file
** damaged, if the header's token is lower than one that this process has drawn,
** or cannot be raised: no grant may get a token that was given before, or that
** JSON changes. */
static int drawToken(Seg *p){
  SegHeader *h = segHeader(p);
  assert( segHeld(p) );
  if( h->token<p->iToken || h->token>=SEG_NUMBERS-1 ){
    segDamage(p);
    return 0;
  }
  atomicSet(&h->token, h->token+1);
  p->iToken = h->token;
  return 1;
}

/* Stores the part of a key that does not fit into its record. */
static void storeText(Seg *p, u32 i, const LockKey *pKey){
  /* INSERT-TEXT */
  u32 iWord = SEG_INLINE/4, nWord = keyWords(pKey->nKey), iPart, k;
  u32 *pLink = &segRecord(p, i)->text;
  atomicSet(pLink, 0);
  for(iPart=0; iPart<recordTextSlots(pKey->nKey); iPart++){
    u32 iText = takeSlot(p, segRecord(p, i)->session);
    SegText *t = segText(p, iText);
    atomicSet(&t->record, i);
    atomicSet(&t->next, 0);
    atomicSet(&t->part, iPart);
    for(k=0; k<SEG_TEXTBYTES/4 && iWord<nWord; k++){
      atomicSet(&t->key[k], pKey->a[iWord++]);
    }
    atomicSetRel(&t->state, SEG_NEXTSEQ(atomicGet(&t->state), SEG_TEXT));
    atomicSet(pLink, iText);
    pLink = &t->next;
    CRASH(INSERT_TEXT);
  }
}

#ifndef NDEBUG
/* 1 if grant i is beside no conflicting grant of another session, by either
** one's row of the matrix, or beside fewer than it has permits, and is not
** blocked by the active writer.  A record that is invalidated does not count:
** it can only have become so since the decision. */
static int grantAlone(Seg *p, u32 i){
  SegRecord *r = segRecord(p, i);
  u32 j = 0, n = 0, nBeside = 0;
  LockKey key;
  recordKey(p, r, &key);
  while( (j = recordNext(p, &key, j, &n))!=0 ){
    SegRecord *q = segRecord(p, j);
    if( SEG_STATE(atomicGet(&q->state))!=SEG_GRANTED ) continue;
    if( q->session==r->session ) continue;
    if( recordInvalid(p, q) || recordInvalid(p, r) ) continue;
    if( ++nBeside<REC_PERMIT(r) ) continue;
    if( keyConflicts(REC_MODE(r)) & REC_BIT(q) ) return segDamaged(p);
    if( keyConflicts(REC_MODE(q)) & REC_BIT(r) ) return segDamaged(p);
  }
  return segDamaged(p) || !writerBlocks(p, REC_KIND(r), r->session);
}
#endif

u32 recordInsert(Seg *p, const RecordNew *pNew){
  SegHeader *h = segHeader(p);
  const LockKey *pKey = pNew->pKey;
  u32 i, k, iState;
  SegRecord *r;
  assert( segHeld(p) );
  if( h->nRecord>segRecords(p) ) segDamage(p);
  if( h->nRecord + 1 + recordTextSlots(pKey->nKey) > segRecords(p) ) return 0;
  i = segDamaged(p) ? 0 : takeSlot(p, pNew->iSession);
  if( i==0 ) return 0;
  r = segRecord(p, i);
  /* A late cancel may still compare-and-swap this word.  It fails then. */
  iState = SEG_NEXTSEQ(atomicGet(&r->state),
                       pNew->bWaiting ? SEG_WAITING : SEG_GRANTED);
  if( BUG(VALID_FIRST) ){
    atomicSetRel(&r->state, iState);
    CRASH(INSERT_VALID);
  }
  /* INSERT-FILL */
  atomicSet(&r->session, pNew->iSession);
  atomicSet(&r->generation, pNew->iGeneration);
  atomicSet(&r->sesCount, pNew->sesCount);
  atomicSet(&r->txnHold, pNew->txnHold);
  atomicSet(&r->since, osWallMs());
  atomicSet(&r->what, SEG_WHAT(pNew->eMode, (u32)pKey->eKind, (u32)pKey->nKey,
                               (u32)pKey->nPermit));
  atomicSet(&r->hash, pKey->iHash);
  for(k=0; k<keyWords(pKey->nKey) && k<SEG_INLINE/4; k++){
    atomicSet(&r->key[k], pKey->a[k]);
  }
  storeText(p, i, pKey);
  atomicSet(&h->ticket, h->ticket+1);
  atomicSet(&r->ticket, h->ticket);
  if( !pNew->bWaiting && !drawToken(p) ) return 0;
  atomicSet(&r->token, pNew->bWaiting ? 0 : h->token);
  CRASH(INSERT_FILL);
  /* INSERT-LINK */
  recordChainInsert(p, i, pNew->iBefore);
  recordListInsert(p, i);
  atomicSet(&r->linked, 1);
  segSession(p, pNew->iSession)->nRecord++;
  k = pNew->bWaiting ? STAT_WAITS : STAT_GRANTS;
  atomicSet(&h->stat[k], h->stat[k]+1);
  if( pNew->bWaiting ){
    h->nWait++;
    atomicSet(&segSession(p, pNew->iSession)->waits, i);
  }
  CRASH(INSERT_LINK);
  if( !pNew->bWaiting && !BUG(GUARD_LATE) ) raiseGuard(p, r);
  atomicSetRel(&r->state, iState);             /* INSERT-VALID */
  CRASH(INSERT_VALID);
  if( !pNew->bWaiting && BUG(GUARD_LATE) ) raiseGuard(p, r);
  assert( pNew->bWaiting || grantAlone(p, i) );
  if( h->nRecord>h->nBucket && h->nBucket<segRecords(p) ) splitBucket(p);
  return i;
}

/*------------------------------------------------------------- channels ---*/

/* The word on which sessions sleep that listen on the channel. */
static u32 *channelWord(Seg *p, const LockKey *pListen){
  return &segHeader(p)->event[pListen->iHash % SEG_EVENTS];
}

static void wakeListeners(Seg *p, u32 *pWord){
  atomicAdd(pWord, 1);                         /* RING-EVENT */
  CRASH(RING_EVENT);
  if( !BUG(RING_SILENT) ) mutexWake(p, pWord);
}

/* Gives the session of record i, which listens, a new number. */
static void tellListener(Seg *p, u32 i){
  atomicSetRel(&segRecord(p, i)->token, segHeader(p)->token);
  CRASH(RING_NUMBER);                          /* RING-NUMBER */
}

/* The numbers must be stored before the word, so that a session which has read
** the word, and then an old number, does not sleep. */
void recordRing(Seg *p, const LockKey *pKey){
  u32 i = 0, n = 0, nTold = 0;
  LockKey listen;
  assert( segHeld(p) );
  keyMake(&listen, KEY_LISTEN, pKey->a, pKey->nKey);
  while( (i = recordNext(p, &listen, i, &n))!=0 ){
    if( nTold++==0 && !drawToken(p) ) return;
    tellListener(p, i);
    if( BUG(NOTIFY_FIRST) ) break;
  }
  if( nTold ) wakeListeners(p, channelWord(p, &listen));
}

void recordRingAll(Seg *p){
  u32 i, nTold = 0;
  assert( segHeld(p) );
  for(i=1; i<=segHeader(p)->usedRecord && i<=segRecords(p); i++){
    SegRecord *r = segRecord(p, i);
    u32 e = SEG_STATE(atomicGet(&r->state));
    if( e!=SEG_GRANTED || REC_KIND(r)!=KEY_LISTEN ) continue;
    if( nTold++==0 && !drawToken(p) ) return;
    tellListener(p, i);
  }
  for(i=0; i<SEG_EVENTS && nTold; i++){
    wakeListeners(p, &segHeader(p)->event[i]);
  }
}

/* Sends what record r, which is about to be removed, has noted, unless it was
** rolled back.  The note of a dead process whose transaction was open is sent
** as well: it may have been committed. */
static void sendNote(Seg *p, SegRecord *r){
  u64 now = atomicGetAcq(&segSession(p, r->session)->now);
  u64 hold = atomicGetAcq(&r->txnHold);
  u32 iTxn = SEG_HIGH(hold);
  LockKey key;
  if( hold==0 || SEG_LOW(hold)>SEG_LOW(now) || BUG(NOTIFY_NEVER) ) return;
  if( SEG_HIGH(now)!=iTxn && SEG_HIGH(now)!=segNextTxn(iTxn) ) return;
  if( BUG(NOTIFY_DEAD) && SEG_HIGH(now)==iTxn ) return;
  recordKey(p, r, &key);
  recordRing(p, &key);
}

/*--------------------------------------------------------------- remove ---*/

/* Frees the text slots of record i, from iText on. */
static void removeText(Seg *p, u32 i, u32 iText, u32 k){
  u32 n = 0;
  while( iText && segBound(p, &n) ){
    SegText *t = segText(p, iText);
    u32 iNext = t->next;
    if( SEG_STATE(atomicGet(&t->state))!=SEG_TEXT || t->record!=i ){
      segDamage(p);
      return;
    }
    atomicSet(&t->state, SEG_WITH(atomicGet(&t->state), SEG_FREE));
    atomicFenceRel();
    freeSlot(p, iText, k);
    iText = iNext;
  }
}

/*
** A record that is in no list is damage.  A caller that repeats until a list is
** empty would otherwise remove it without an end.
*/
void recordRemove(Seg *p, u32 i){
  SegHeader *h = segHeader(p);
  SegRecord *r = segRecord(p, i);
  SegSession *s = segSession(p, r->session);
  u32 iText = r->text, k = r->session, e = SEG_STATE(atomicGet(&r->state));
  LockKey key;
  int bScan;
  assert( segHeld(p) );
  if( e==SEG_FREE || e>=SEG_TEXT || s->nRecord==0
   || (!r->linked && !BUG(REMOVE_UNLINKED))
   || (e!=SEG_GRANTED && h->nWait==0) ){
    segDamage(p);
    return;
  }
  if( e!=SEG_GRANTED ) h->nWait--;
  bScan = h->nWait>0 && !BUG(NO_SCAN);
  if( bScan ) recordKey(p, r, &key);
  if( REC_KIND(r)==KEY_NOTIFY ) sendNote(p, r);     /* REMOVE-NOTE */
  /* REMOVE-STATE */
  atomicSet(&r->state, SEG_WITH(atomicGet(&r->state), SEG_FREE));
  CRASH(REMOVE_STATE);
  /* A reader without the mutex must not see the old state beside fields of the
  ** slot's next user.  A release store would not order those later stores. */
  atomicFenceRel();
  if( e==SEG_GRANTED ) lowerGuard(p, r);
  /* REMOVE-CHAIN */
  if( s->waits==i ) atomicSet(&s->waits, 0);
  chainRemove(p, i);
  recordListRemove(p, i);
  atomicSet(&r->linked, 0);
  s->nRecord--;
  CRASH(REMOVE_CHAIN);
  freeSlot(p, i, k);
  removeText(p, i, iText, k);
  if( bScan ) recordScan(p, &key);              /* REMOVE-SCAN */
}

/*---------------------------------------------------------------- grant ---*/

/* Modes that sessions other than k hold on the key. */
static u32 heldByOthers(Seg *p, const LockKey *pKey, u32 k){
  u32 i = 0, n = 0, m = 0;
  while( (i = recordNext(p, pKey, i, &n))!=0 ){
    SegRecord *r = segRecord(p, i);
    if( SEG_STATE(atomicGet(&r->state))==SEG_GRANTED && r->session!=k ){
      m |= REC_BIT(r);
    }
  }
  return m;
}

/*
** Grants request i, unless its session or a cancel was faster.  The token must
** be drawn before it is used: a death then skips a token but never gives one
** twice.
*/
static int grant(Seg *p, u32 i){
  SegHeader *h = segHeader(p);
  SegRecord *r = segRecord(p, i);
  u32 iState = atomicGetAcq(&r->state);
  if( SEG_STATE(iState)!=SEG_WAITING ) return 0;
  /* GRANT-TOKEN */
  if( !BUG(TOKEN_REUSED) && !drawToken(p) ) return 0;
  atomicSet(&r->token, h->token);
  atomicSet(&r->since, osWallMs());
  CRASH(GRANT_TOKEN);
  if( !BUG(GUARD_LATE) ) raiseGuard(p, r);     /* GRANT-GUARD */
  if( BUG(GRANT_STORE) ){                      /* GRANT-STATE */
    atomicSetRel(&r->state, SEG_WITH(iState, SEG_GRANTED));
  }else if( !atomicCas32(&r->state, iState, SEG_WITH(iState, SEG_GRANTED)) ){
    if( !BUG(GUARD_LATE) ) lowerGuard(p, r);
    return 0;
  }
  CRASH(GRANT_STATE);
  if( BUG(GUARD_LATE) ) raiseGuard(p, r);
  h->nWait--;
  atomicSet(&segSession(p, r->session)->waits, 0);
  atomicSet(&h->stat[STAT_GRANTS], h->stat[STAT_GRANTS]+1);
  assert( grantAlone(p, i) );
  mutexWake(p, &r->state);
  return 1;
}

/* What a scan knows of the holders of a key: their modes, their number, and a
** bit for each session that holds. */
typedef struct Held {
  u32 m, n;
  u32 aBit[LIMIT_SESSION/32+1];
} Held;

/* Finds the holders of a key. */
static void holders(Seg *p, const LockKey *pKey, Held *pHeld){
  u32 i = 0, n = 0;
  memset(pHeld, 0, sizeof(*pHeld));
  while( (i = recordNext(p, pKey, i, &n))!=0 ){
    SegRecord *r = segRecord(p, i);
    u32 k = r->session;
    if( SEG_STATE(atomicGet(&r->state))!=SEG_GRANTED ) continue;
    if( k-1>=LIMIT_SESSION ){
      segDamage(p);
      return;
    }
    pHeld->m |= REC_BIT(r);
    pHeld->n++;
    pHeld->aBit[k/32] |= 1u<<(k%32);
  }
}

/* 1 if what other sessions hold conflicts with request r, or if they hold all
** permits.  The queue is walked again only for a session that holds the key
** itself. */
static int heldAgainst(Seg *p, const LockKey *pKey, const Held *pHeld,
                       SegRecord *r){
  u32 m = keyConflicts(REC_MODE(r)), k = r->session;
  if( pKey->eKind==KEY_SEMAPHORE && !BUG(PERMIT_SCAN) ){
    return pHeld->n>=REC_PERMIT(r);
  }
  if( (m & pHeld->m)==0 || k-1>=LIMIT_SESSION ) return (m & pHeld->m)!=0;
  if( !(pHeld->aBit[k/32]>>(k%32) & 1) ) return 1;
  return (m & heldByOthers(p, pKey, k))!=0;
}

void recordScan(Seg *p, const LockKey *pKey){
  u32 mAhead = 0, i = 0, n = 0;
  Held held;
  assert( segHeld(p) );
  if( segHeader(p)->nWait==0 ) return;
  /* GRANT-SCAN */
  holders(p, pKey, &held);
  while( (i = recordNext(p, pKey, i, &n))!=0 ){
    SegRecord *r = segRecord(p, i);
    u32 m = keyConflicts(REC_MODE(r));
    if( SEG_STATE(atomicGetAcq(&r->state))!=SEG_WAITING ) continue;
    if( BUG(PERMIT_PASS) && REC_KIND(r)==KEY_SEMAPHORE ) mAhead = 0;
    if( ((m & mAhead) && !BUG(SKIP_AHEAD))
     || (heldAgainst(p, pKey, &held, r) && !BUG(GRANT_BESIDE))
     || recordInvalid(p, r)
     || writerBlocks(p, REC_KIND(r), r->session) ){
      mAhead |= REC_BIT(r);
    }else if( grant(p, i) ){
      held.m |= REC_BIT(r);
      held.n++;
    }
  }
}

/*
** Each queue is scanned once, for its first request.
*/
void recordScanWaiting(Seg *p, int bObject){
  SegHeader *h = segHeader(p);
  LockKey key;
  u32 k;
  assert( segHeld(p) );
  for(k=1; k<=h->usedSession && k<=LIMIT_SESSION && h->nWait; k++){
    u32 i = segSession(p, k)->waits, j = i, n = 0;
    if( i==0 ) continue;
    recordKey(p, segRecord(p, i), &key);
    if( bObject && key.eKind!=KEY_TABLE
     && (key.eKind!=KEY_ROW || BUG(WRITER_TABLES)) ){
      continue;
    }
    while( (j = recordPrev(p, &key, j, &n))!=0 ){
      if( SEG_STATE(atomicGetAcq(&segRecord(p, j)->state))==SEG_WAITING ) break;
    }
    if( j==0 ) recordScan(p, &key);
  }
}

/*
** The records leave the chain and are linked at its tail, in their new order,
** with new tickets.  The last record must get its ticket first: after a death
** in the middle each of them has at most moved back.  The tail is looked for
** once.
*/
void recordReorder(Seg *p, const u32 *aRecord, u32 n){
  SegHeader *h = segHeader(p);
  u64 iTicket = h->ticket + n;
  u32 i, iTail;
  assert( segHeld(p) );
  atomicSet(&h->ticket, iTicket);
  for(i=n; i>0; i--){                          /* ORDER-TICKETS */
    atomicSet(&segRecord(p, aRecord[i-1])->ticket, iTicket--);
    CRASH(ORDER_TICKETS);
  }
  for(i=0; i<n; i++) chainRemove(p, aRecord[i]);
  iTail = n ? chainTail(p, aRecord[0]) : 0;
  for(i=0; i<n; i++){
    chainLink(p, aRecord[i], iTail, 0);
    iTail = aRecord[i];
  }
}
