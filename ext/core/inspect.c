/* SPDX-License-Identifier: 0BSD */
/*
** inspect.c: the inspection snapshot: sessions, locks, and which session waits
** for which.
**
** The snapshot has the sessions of dead processes, without their locks and
** requests.
**
** Everything is read without the mutex: READ-STATE to READ-AGAIN.  Each word of
** the file must be read once, into a copy, and only the copy may be judged: a
** second read of a word may find another value.  The bound of each array must
** be checked where the array is filled, whatever was counted before.
*/
#include "core/lockint.h"
#include "core/process.h"
#include <stdlib.h>

/* One session slot as it was read. */
typedef struct Seen {
  u64 iState, iOwner, now;         /* fields of the slot */
  u32 iRow;                        /* 1 + index into aSession; 0: not live, or
                                   ** its process is dead */
  u32 bWaits;                      /* 1: aRow has a request of it */
} Seen;

/* A snapshot while it is made. */
typedef struct View {
  LockFile *pF;
  Seg *p;                          /* the segment of pF */
  const LockFilter *pWanted;
  LockSnapshot *pOut;              /* what the caller receives */
  Seen *aSeen;                     /* session slots, [1..nSeen] */
  u32 nSeen;
  int bSome;                       /* 1: not all locks are wanted */
  u32 kOnly;                       /* slot of the session whose locks alone are
                                   ** wanted, or 0 */
  u32 nWriter;                     /* 1 + index of the active writer, or 0 */
  u32 mxRow;                       /* room in aRow */
  u32 nKey, mxKey;                 /* bytes in aKey, and room in it */
  u64 mxWait;                      /* room in aWait */
  u32 *aLast;                      /* by session: 1 + its last pair in aWait */
} View;

static void *viewAlloc(View *v, size_t n){
  return ruleAlloc(lockMemory(v->pF), n ? n : 1);
}

/*------------------------------------------------------------- sessions ---*/

static int processState(View *v, u64 iOwner, u32 iPid, u64 iSpace){
  if( processDead(v->p, iOwner) ) return OS_GONE;
  return osProcessState(iPid, iSpace);
}

static void copySession(View *v, u32 k){
  SegSession *s = segSession(v->p, k);
  LockSessionRow *r = &v->pOut->aSession[v->pOut->nSession];
  Seen *e = &v->aSeen[k];
  u32 aLabel[LIMIT_LABEL/4], i, iPid;
  u64 iSpace;
  memset(r, 0, sizeof(*r));
  memset(e, 0, sizeof(*e));
  e->iState = atomicGetAcq(&s->state);         /* READ-STATE */
  if( SEG_LOW(e->iState)!=SEG_LIVE ) return;
  /* READ-FIELDS */
  e->iOwner = atomicGet(&s->owner);
  e->now = atomicGetAcq(&s->now);
  r->iId = atomicGet(&s->id);
  r->msStarted = atomicGet(&s->started);
  iPid = atomicGet(&s->pid);
  iSpace = atomicGet(&s->pidSpace);
  for(i=0; i<LIMIT_LABEL/4; i++) aLabel[i] = atomicGet(&s->label[i]);
  atomicFenceAcq();                            /* READ-AGAIN */
  if( atomicGet(&s->state)!=e->iState ) return;
  memcpy(r->zLabel, aLabel, LIMIT_LABEL);
  r->iPid = iPid;
  r->eState = processState(v, e->iOwner, iPid, iSpace);
  v->pOut->nSession++;
  /* A dead process holds nothing and waits for nothing, although its records
  ** are there until a process removes them. */
  if( r->eState==OS_GONE ) return;
  e->iRow = v->pOut->nSession;
  if( v->pWanted->iSession && r->iId==v->pWanted->iSession ) v->kOnly = k;
}

/* Copies the active writer, if there is one. */
static void copyWriter(View *v){
  SegHeader *h = segHeader(v->p);
  u32 iTxn = atomicGetAcq(&h->writerTxn), k = atomicGet(&h->writer);
  u32 iGen = atomicGet(&h->writerGen);
  const Seen *e;
  if( iTxn==0 || k-1>=v->nSeen ) return;
  e = &v->aSeen[k];
  if( SEG_HIGH(e->now)!=iTxn || SEG_HIGH(e->iState)!=iGen ) return;
  v->nWriter = e->iRow;            /* 0: its process is dead */
}

/*-------------------------------------------------------------- records ---*/

/* A copied slot. */
typedef union Slot {
  u32 a[sizeof(SegRecord)/4];
  SegRecord r;
  SegText t;
} Slot;

/* Copies the words of a record, or of a text slot, as they are at this moment.
** Of a record it leaves out the derived words, which only the owner of the
** mutex may read. */
static void copySlot(Slot *pTo, SegRecord *pFrom, int bText){
  const u32 iFrom = offsetof(SegRecord, hashNext)/4;
  const u32 iTo = offsetof(SegRecord, key)/4;
  atomicAlias32 *a = (atomicAlias32*)(void*)pFrom;
  u32 i;
  for(i=0; i<sizeof(SegRecord)/4; i++){
    pTo->a[i] = bText || i<iFrom || i>=iTo ? atomicGet(&a[i]) : 0;
  }
}

/* 1 if the copied record is a request or a grant, and is not invalidated. */
static int counts(View *v, const SegRecord *r){
  u32 e = SEG_STATE(r->state);
  const Seen *s;
  if( e!=SEG_WAITING && e!=SEG_GRANTED ) return 0;
  if( r->session-1>=v->nSeen || REC_MODE(r)-1>=LOCK_MODES-1 ) return 0;
  s = &v->aSeen[r->session];
  if( s->iRow==0 || s->iState!=SEG_PAIR(r->generation, SEG_LIVE) ) return 0;
  if( e==SEG_WAITING ) return !s->bWaits;      /* it waits for one lock */
  if( r->sesCount ) return 1;
  return r->txnHold && SEG_HIGH(r->txnHold)==SEG_HIGH(s->now)
      && SEG_LOW(r->txnHold)<=SEG_LOW(s->now);
}

/* 0 if the record is certainly none that the filter wants.  Its words can be of
** different moments: a record that changes meanwhile may be missed as well as
** met. */
static int mayWant(View *v, SegRecord *pRec){
  const LockFilter *f = v->pWanted;
  u32 eKind;
  if( v->kOnly && atomicGet(&pRec->session)!=v->kOnly ) return 0;
  eKind = SEG_WHAT_KIND(atomicGet(&pRec->what));
  if( eKind>=KEY_KINDS ) return 1;
  if( !(f->mKind>>eKind & 1) ) return 0;
  return !(f->mHash>>eKind & 1) || atomicGet(&pRec->hash)==f->aHash[eKind];
}

/* 1 if the filter wants the key of the copied record, which was copied, too. */
static int wantsKey(View *v, const SegRecord *r){
  const LockFilter *f = v->pWanted;
  u32 eKind = REC_KIND(r);
  if( f->xKey==0 || eKind>=KEY_KINDS || (f->mHash>>eKind & 1) ) return 1;
  return f->xKey(f->pArg, eKind, v->pOut->aKey + v->nKey, REC_NKEY(r));
}

/* Copies the key of the copied record into pOut->aKey.  Returns 0 if there is
** no room. */
static int copyKey(View *v, const SegRecord *r){
  u32 n = REC_NKEY(r), nPart = n<SEG_INLINE ? n : SEG_INLINE, nDone;
  u32 iText = r->text;
  u8 *pTo = v->pOut->aKey + v->nKey;
  if( !(v->pWanted->mPart & SNAPSHOT_KEYS) ) return 1;
  if( v->nKey+n>v->mxKey && !BUG(KEYS_GREW) ) return 0;
  memcpy(pTo, r->key, nPart);
  for(nDone=nPart; nDone<n; nDone+=nPart){
    Slot x;
    if( iText-1>=segRecords(v->p) ) return 0;
    copySlot(&x, segRecord(v->p, iText), 1);
    nPart = n-nDone<SEG_TEXTBYTES ? n-nDone : SEG_TEXTBYTES;
    memcpy(pTo+nDone, x.t.key, nPart);
    iText = x.t.next;
  }
  return 1;
}

enum { SLOT_BITS = 24 };               /* of iRow, the low ones */
_Static_assert(LIMIT_RECORD<(1<<SLOT_BITS), "a slot in the low bits of iRow");

static void copyRecord(View *v, u32 i){
  SegRecord *pRec = segRecord(v->p, i), *r;
  Slot x;
  LockRow *pRow = &v->pOut->aRow[v->pOut->nRow];
  u32 iState = atomicGetAcq(&pRec->state);     /* READ-STATE */
  if( SEG_STATE(iState)==SEG_FREE || SEG_STATE(iState)==SEG_TEXT ) return;
  if( v->bSome && !mayWant(v, pRec) ) return;
  copySlot(&x, pRec, 0);                       /* READ-FIELDS */
  r = &x.r;
  r->state = iState;
  if( v->pOut->nRow>=v->mxRow && !BUG(ROWS_GREW) ) return;
  if( !counts(v, r) || !copyKey(v, r) || !wantsKey(v, r) ) return;
  atomicFenceAcq();                            /* READ-AGAIN */
  if( atomicGet(&pRec->state)!=iState ) return;
  if( SEG_STATE(iState)==SEG_WAITING ) v->aSeen[r->session].bWaits = 1;
  memset(pRow, 0, sizeof(*pRow));
  pRow->iSession = v->aSeen[r->session].iRow - 1;
  pRow->eMode = REC_MODE(r);
  pRow->nPermit = REC_PERMIT(r);
  pRow->eKind = REC_KIND(r);
  pRow->bGranted = SEG_STATE(iState)==SEG_GRANTED;
  pRow->nCount = r->sesCount;
  pRow->bTransaction = r->txnHold!=0;
  pRow->iToken = pRow->bGranted ? r->token : 0;
  pRow->iTicket = r->ticket;
  pRow->msSince = r->since;
  pRow->iRow = (u64)(iState>>3)<<SLOT_BITS | i;
  pRow->nKey = v->pWanted->mPart & SNAPSHOT_KEYS ? REC_NKEY(r) : 0;
  pRow->pKey = v->pOut->aKey + v->nKey;
  v->nKey += pRow->nKey;
  v->pOut->nRow++;
  v->pOut->aSession[pRow->iSession].nLock += pRow->bGranted;
}

static int compareKeys(const LockRow *a, const LockRow *b){
  u32 n = a->nKey<b->nKey ? a->nKey : b->nKey;
  int c;
  if( a->eKind!=b->eKind ) return a->eKind<b->eKind ? -1 : 1;
  c = memcmp(a->pKey, b->pKey, n);
  if( c==0 && a->nKey!=b->nKey ) c = a->nKey<b->nKey ? -1 : 1;
  return c;
}
static int compareRows(const void *pA, const void *pB){
  const LockRow *a = pA, *b = pB;
  int c = compareKeys(a, b);
  if( c ) return c;
  return a->iTicket<b->iTicket ? -1 : a->iTicket>b->iTicket;
}

/* Makes room for the records of a number of slots that are there now, and for a
** few more. */
static LockRc makeRoom(View *v, u32 nUsed){
  u32 i, n = 0, nKey = 0;
  for(i=1; i<=nUsed && !v->bSome; i++){
    SegRecord *r = segRecord(v->p, i);
    if( SEG_STATE(atomicGet(&r->state))==SEG_FREE ) continue;
    n++;
    nKey += atomicGet(&r->what)>>16 & 0xFF;
  }
  if( !(v->pWanted->mPart & SNAPSHOT_KEYS) ) nKey = 0;
  v->mxRow = n+16;
  v->mxKey = nKey+16*LIMIT_KEY;
  v->pOut->aRow = viewAlloc(v, v->mxRow*sizeof(LockRow));
  v->pOut->aKey = viewAlloc(v, v->mxKey);
  return v->pOut->aRow && v->pOut->aKey ? LOCK_OK : LOCK_NOMEM;
}

static LockRc moreRows(View *v){
  LockSnapshot *s = v->pOut;
  LockRow *aRow = viewAlloc(v, 2*(size_t)v->mxRow*sizeof(LockRow));
  if( aRow==0 ) return LOCK_NOMEM;
  memcpy(aRow, s->aRow, s->nRow*sizeof(LockRow));
  ruleFree(lockMemory(v->pF), s->aRow);
  s->aRow = aRow;
  v->mxRow *= 2;
  return LOCK_OK;
}

static LockRc moreKeys(View *v){
  LockSnapshot *s = v->pOut;
  u8 *aKey = viewAlloc(v, 2*(size_t)v->mxKey);
  u32 i;
  if( aKey==0 ) return LOCK_NOMEM;
  memcpy(aKey, s->aKey, v->nKey);
  for(i=0; i<s->nRow; i++){
    s->aRow[i].pKey = aKey + (s->aRow[i].pKey - s->aKey);
  }
  ruleFree(lockMemory(v->pF), s->aKey);
  s->aKey = aKey;
  v->mxKey *= 2;
  return LOCK_OK;
}

/* Makes room for one more row and its key, of a snapshot with a filter: how
** many records match is not known before. */
static LockRc moreRoom(View *v){
  LockRc rc = LOCK_OK;
  if( v->pOut->nRow==v->mxRow ) rc = moreRows(v);
  if( rc==LOCK_OK && v->nKey+LIMIT_KEY>v->mxKey ) rc = moreKeys(v);
  return rc;
}

static LockRc copyRecords(View *v){
  const LockFilter *f = v->pWanted;
  u32 i, nUsed = atomicGet(&segHeader(v->p)->usedRecord);
  LockRc rc;
  if( nUsed>segRecords(v->p) ) nUsed = segRecords(v->p);
  if( !(f->mPart & SNAPSHOT_LOCKS) || (f->iSession && v->kOnly==0) ) nUsed = 0;
  rc = makeRoom(v, nUsed);
  for(i=1; i<=nUsed && rc==LOCK_OK; i++){
    copyRecord(v, i);
    if( v->bSome ) rc = moreRoom(v);
  }
  if( rc==LOCK_OK && (f->mPart & SNAPSHOT_KEYS) ){
    qsort(v->pOut->aRow, v->pOut->nRow, sizeof(LockRow), compareRows);
  }
  return rc;
}

/*---------------------------------------------------------------- waits ---*/

/* Whether row j blocks the waiting row i, whose key has nHeld grants.  2: as a
** grant; 1: as a request ahead; 0: no. */
static int blocks(const LockRow *a, u32 i, u32 j, u32 nHeld){
  if( a[i].iSession==a[j].iSession ) return 0;
  if( !(keyConflicts(a[i].eMode) & MODE_BIT(a[j].eMode)) ) return 0;
  if( a[j].bGranted ) return nHeld>=a[i].nPermit ? 2 : 0;
  return a[j].iTicket<a[i].iTicket;
}

/* 1 if the active writer blocks row r: each row and table request of others. */
static int viewWriterBlocks(View *v, const LockRow *r){
  if( BUG(WRITER_TWICE) ) copyWriter(v);
  return v->nWriter && r->iSession!=v->nWriter-1
      && (r->eKind==KEY_ROW || r->eKind==KEY_TABLE);
}

/* Adds the pair of row iRow and session iBlocker.  The pairs of a row follow
** each other, from iFirst on, and none of them is added twice. */
static void addWait(View *v, u32 iRow, u32 iBlocker, int eHow, u32 iFirst){
  LockSnapshot *s = v->pOut;
  LockSessionRow *w = &s->aSession[s->aRow[iRow].iSession];
  u32 iLast = v->aLast[iBlocker];
  LockWaitRow *pNew;
  if( w->iWaitingFor==0 || (eHow==2 && s->nWait==iFirst) ){
    w->iWaitingFor = s->aSession[iBlocker].iId;
  }
  if( iLast>iFirst ){
    if( eHow==2 ) s->aWait[iLast-1].bHard = 1;  /* hard if it holds as well */
    return;
  }
  if( s->nWait>=v->mxWait ) return;
  pNew = &s->aWait[s->nWait++];
  pNew->iWaiter = w->iId;
  pNew->iBlocker = s->aSession[iBlocker].iId;
  pNew->iRow = iRow;
  pNew->bHard = eHow==2;
  v->aLast[iBlocker] = s->nWait;
}

/* Adds the pairs of rows iFrom..iTo-1, which have one key.  Returns their
** number, with repetitions.  Without aWait they are only counted. */
static u64 pairsOfKey(View *v, u32 iFrom, u32 iTo){
  LockSnapshot *s = v->pOut;
  u64 n = 0;
  u32 i, j, nHeld = 0;
  for(i=iFrom; i<iTo; i++) nHeld += s->aRow[i].bGranted;
  for(i=iFrom; i<iTo; i++){
    u32 iFirst = s->nWait;
    if( s->aRow[i].bGranted ) continue;
    for(j=iFrom; j<iTo; j++){
      int eHow = blocks(s->aRow, i, j, nHeld);
      if( eHow==0 ) continue;
      n++;
      if( s->aWait ) addWait(v, i, s->aRow[j].iSession, eHow, iFirst);
    }
    if( viewWriterBlocks(v, &s->aRow[i]) ){
      n++;
      if( s->aWait ) addWait(v, i, v->nWriter-1, 2, iFirst);
    }
  }
  return n;
}

static u64 allPairs(View *v){
  LockSnapshot *s = v->pOut;
  u64 n = 0;
  u32 i, j;
  for(i=0; i<s->nRow; i=j){
    u32 nWaiting = 0;
    for(j=i; j<s->nRow && compareKeys(&s->aRow[i], &s->aRow[j])==0; j++){
      nWaiting += !s->aRow[j].bGranted;
    }
    if( nWaiting ) n += pairsOfKey(v, i, j);
  }
  return n;
}

/* Makes room for the pairs, and adds them.  A session waits with one row, so
** more pairs than sessions have with each other can only be repetitions. */
static LockRc makeWaits(View *v){
  LockSnapshot *s = v->pOut;
  u64 n = allPairs(v), nAll = (u64)s->nSession*s->nSession;
  v->mxWait = n<nAll ? n : nAll;
  v->aLast = viewAlloc(v, s->nSession*sizeof(u32));
  s->aWait = viewAlloc(v, (size_t)v->mxWait*sizeof(LockWaitRow));
  if( s->aWait==0 || v->aLast==0 ) return LOCK_NOMEM;
  memset(v->aLast, 0, s->nSession*sizeof(u32));
  allPairs(v);
  return LOCK_OK;
}

/*------------------------------------------------------------- snapshot ---*/

static LockRc fillView(View *v){
  SegHeader *h = segHeader(v->p);
  LockSnapshot *s = v->pOut;
  LockRc rc;
  u32 k;
  if( segStale(v->p) && segRefresh(v->p)!=LOCK_OK ) return LOCK_MALFORMED;
  v->nSeen = atomicGet(&h->usedSession);
  if( v->nSeen>segSessions(v->p) ) v->nSeen = segSessions(v->p);
  v->aSeen = viewAlloc(v, (v->nSeen+1)*sizeof(Seen));
  s->aSession = viewAlloc(v, (v->nSeen+1)*sizeof(LockSessionRow));
  if( v->aSeen==0 || s->aSession==0 ) return LOCK_NOMEM;
  for(k=1; k<=v->nSeen; k++) copySession(v, k);
  copyWriter(v);
  rc = copyRecords(v);
  if( rc==LOCK_OK && (v->pWanted->mPart & SNAPSHOT_WAITS) ) rc = makeWaits(v);
  if( rc!=LOCK_OK ) return rc;
  for(k=0; k<STAT_COUNT; k++) s->aStat[k] = atomicGet(&h->stat[k]);
  s->nByte = segBytes(v->p);
  return LOCK_OK;
}

LockRc lockSnapshot(LockFile *pF, LockSnapshot *pOut){
  LockFilter all;
  memset(&all, 0, sizeof(all));
  all.mPart = SNAPSHOT_ALL;
  all.mKind = ~0u;
  return lockSnapshotSome(pF, &all, pOut);
}

LockRc lockSnapshotSome(LockFile *pF, const LockFilter *pWanted,
                        LockSnapshot *pOut){
  View v;
  LockRc rc;
  memset(pOut, 0, sizeof(*pOut));
  if( lockForked(pF) ) return LOCK_FORKED;
  memset(&v, 0, sizeof(v));
  v.pF = pF;
  v.p = lockSegment(pF);
  v.pWanted = pWanted;
  v.bSome = pWanted->iSession || pWanted->mHash || pWanted->xKey
         || pWanted->mKind!=~0u;
  v.pOut = pOut;
  rc = fillView(&v);
  if( v.aSeen ) ruleFree(lockMemory(pF), v.aSeen);
  if( v.aLast ) ruleFree(lockMemory(pF), v.aLast);
  if( rc!=LOCK_OK ) lockSnapshotFree(pF, pOut);
  return rc;
}

void lockSnapshotFree(LockFile *pF, LockSnapshot *p){
  const LockMem *pMem = lockMemory(pF);
  if( p->aSession ) ruleFree(pMem, p->aSession);
  if( p->aRow ) ruleFree(pMem, p->aRow);
  if( p->aKey ) ruleFree(pMem, p->aKey);
  if( p->aWait ) ruleFree(pMem, p->aWait);
  memset(p, 0, sizeof(*p));
}

/* The session that was noted as the last inside, if its process owns the mutex.
** Otherwise any session of the owner, since ends and polls enter without a
** note. */
static u32 insideNow(Seg *p){
  u64 iOwner = MUTEX_OWNER(atomicGet(&segHeader(p)->mutex));
  u32 kNoted = atomicGet(&segHeader(p)->lastInside), k;
  if( iOwner==0 ) return kNoted;
  if( kNoted-1<LIMIT_SESSION
   && atomicGet(&segSession(p, kNoted)->owner)==iOwner ) return kNoted;
  for(k=1; k<=segSessions(p); k++){
    SegSession *s = segSession(p, k);
    if( atomicGet(&s->owner)==iOwner
     && SEG_LOW(atomicGetAcq(&s->state))!=SEG_UNUSED ) return k;
  }
  return kNoted;
}

void lockInside(LockFile *pF, LockTrouble *pOut){
  Seg *p = lockSegment(pF);
  u32 k;
  memset(pOut, 0, sizeof(*pOut));
  if( lockForked(pF) ) return;
  k = insideNow(p);
  if( k-1>=LIMIT_SESSION ) return;
  pOut->iBlocker = atomicGet(&segSession(p, k)->id);
  pOut->iPid = atomicGet(&segSession(p, k)->pid);
}
