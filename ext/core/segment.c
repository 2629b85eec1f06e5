/* SPDX-License-Identifier: 0BSD */
/*
** segment.c: mapping, formatting and growing the lock file.  It relies on the
** lock of the file's first byte, which process.c takes.
*/
#include "core/segment.h"

LockRc segOpen(Seg *p){
  p->nWindow = p->file.fd<0 ? SEG_PRIVATE : SEG_WINDOW;
  p->pBase = osMap(&p->file, p->nWindow);
  if( p->pBase==0 ) return LOCK_NOMAP;
  p->nLength = 0;
  p->nRecord = p->nBucket = 0;
  p->bDamaged = 0;
  return LOCK_OK;
}

void segClose(Seg *p){
  if( p->pBase ) osUnmap(p->pBase, p->nWindow);
  p->pBase = 0;
  osClose(&p->file);
}

/* Where the file ends with that many records. */
static u64 lengthOf(u32 nRecord){
  u32 nRest = nRecord%LIMIT_EXTENT;
  return SEG_EXTENTS + (u64)(nRecord/LIMIT_EXTENT)*SEG_EXTENT
       + (nRest ? (u64)LIMIT_EXTENT*4 + (u64)nRest*sizeof(SegRecord) : 0);
}

/* The number of whole records within nLength. */
static u32 recordsBelow(u64 nLength){
  const u64 nBuckets = (u64)LIMIT_EXTENT*4;
  u64 n = nLength>SEG_WINDOW ? SEG_WINDOW : nLength, nRest;
  if( n<SEG_EXTENTS ) return 0;
  n -= SEG_EXTENTS;
  nRest = n%SEG_EXTENT;
  nRest = nRest>nBuckets ? (nRest-nBuckets)/sizeof(SegRecord) : 0;
  return (u32)(n/SEG_EXTENT)*LIMIT_EXTENT + (u32)nRest;
}

/* The same; 0 for a length that cannot be. */
static u32 recordsWithin(u64 nLength){
  u32 n = recordsBelow(nLength);
  return n%SEG_FIRST_RECORDS==0 && lengthOf(n)==nLength ? n : 0;
}

/* Several threads may do this at once, so all words only rise.  The value that
** is known must be read before the length, which is never below it. */
LockRc segRefresh(Seg *p){
  u64 nKnown = atomicGetAcq(&p->nLength);
  u64 nLength = atomicGetAcq(&segHeader(p)->length);
  u64 nFile = SEG_WINDOW;
  u32 nRecord = recordsWithin(nLength), nOld;
  u32 nBucket = (nRecord+LIMIT_EXTENT-1)/LIMIT_EXTENT*LIMIT_EXTENT;
  if( p->file.fd>=0 && osSize(&p->file, &nFile)!=LOCK_OK ) return LOCK_IOERR;
  if( nRecord==0 || nLength>nFile || nLength<nKnown ){
    segDamage(p);
    return LOCK_MALFORMED;
  }
  while( (nOld = atomicGet(&p->nBucket))<nBucket
      && !atomicCas32(&p->nBucket, nOld, nBucket) ){}
  while( (nOld = atomicGet(&p->nRecord))<nRecord
      && !atomicCas32(&p->nRecord, nOld, nRecord) ){}
  while( (nKnown = atomicGet(&p->nLength))<nLength
      && !atomicCas64(&p->nLength, nKnown, nLength) ){}
  return LOCK_OK;
}

/* 1 if the end of the header is empty, as in every format.  A file that only
** begins with a word of zeroes may be another program's, and must not be
** cleared. */
static int unwritten(Seg *p){
  const u8 *z = p->pBase + sizeof(SegHeader)/2;
  size_t i;
  for(i=0; i<sizeof(SegHeader)/2; i++) if( z[i] ) return 0;
  return 1;
}

int segDiffers(const Seg *p){
  const SegHeader *h = segHeader(p);
  return atomicGetAcq(&h->magic)!=SEG_MAGIC || atomicGet(&h->print)!=p->iPrint;
}

/* 1 if the room for sessions is one that this code can have made. */
static int roomSane(Seg *p){
  u32 n = atomicGet(&segHeader(p)->roomSession);
  return n>=SEG_FIRST_SESSIONS && n<=LIMIT_SESSION
      && n%SEG_FIRST_SESSIONS==0;
}

LockRc segUsable(Seg *p){
  u64 nFile = 0, iMagic;
  if( p->file.fd<0 ) return LOCK_NOFILE;
  if( osSize(&p->file, &nFile)!=LOCK_OK ) return LOCK_IOERR;
  if( nFile==0 ) return LOCK_NOFILE;
  if( nFile<sizeof(SegHeader) ) return LOCK_MALFORMED;
  iMagic = atomicGetAcq(&segHeader(p)->magic);
  if( iMagic==0 ) return unwritten(p) ? LOCK_NOFILE : LOCK_MALFORMED;
  if( (iMagic & ~(u64)0xFFFF)!=SEG_PREFIX ) return LOCK_MALFORMED;
  if( segDiffers(p) || atomicGet(&segHeader(p)->damaged) ) return LOCK_FORMAT;
  if( atomicGet(&segHeader(p)->numbers)>>60 || !roomSane(p) ){
    return LOCK_MALFORMED;
  }
  return segRefresh(p);
}

/* The numbers that a file goes on from when it is formatted again. */
typedef struct Seeds {
  u64 iToken, iNumber, iSession;
} Seeds;

/*
** A token or session id from a file that may be damaged; 0 if it is so high
** that a later one could reach SEG_NUMBERS.  Damage to a lower value only makes
** the numbers jump.
*/
static u64 believed(u64 i){ return i<SEG_NUMBERS-((u64)1<<20) ? i : 0; }

/* Rounds up to whole pages, but not beyond the sessions: a store to a page
** needs blocks behind all of it. */
static u64 sessionsEnd(u64 iEnd){
  u64 nPage = osPage();
  iEnd = (iEnd+nPage-1)/nPage*nPage;
  return iEnd<SEG_EXTENTS ? iEnd : SEG_EXTENTS;
}
static u64 sessionsAt(u32 k){
  return SEG_SESSIONS + (u64)k*sizeof(SegSession);
}
static LockRc sessionBlocks(Seg *p, u32 kFrom, u32 kTo){
  u64 iFrom = sessionsAt(kFrom);
  return osExtend(&p->file, iFrom-iFrom%osPage(), sessionsEnd(sessionsAt(kTo)));
}

/*
** Finds the highest numbers of the old header and of all slots.  The word of
** the header may be what is damaged, and a slot has its last user's number.  In
** a header that was cleared the words are right, and the slots may be a hole.
*/
static void findSeeds(Seg *p, u64 nFile, Seeds *pOut){
  SegHeader *h = segHeader(p);
  u64 i;
  u32 k, n = h->roomSession;
  pOut->iToken = believed(h->token);
  pOut->iNumber = h->numbers<((u64)1<<40) ? h->numbers : 0;
  pOut->iSession = believed(h->sessionId);
  if( nFile<SEG_EXTENTS || n==0 ) return;
  if( !roomSane(p) ){              /* a process must not read in a hole */
    n = sessionBlocks(p, 0, LIMIT_SESSION)==LOCK_OK ? LIMIT_SESSION : 0;
  }
  for(k=1; k<=n; k++){
    i = believed(segSession(p, k)->id);
    if( i>pOut->iSession ) pOut->iSession = i;
  }
  n = recordsBelow(nFile);
  if( p->nRecord<n ) p->nRecord = n;
  for(k=1; k<=n; k++){
    SegRecord *r = segRecord(p, k);
    if( SEG_STATE(r->state)==SEG_TEXT ) continue;
    i = believed(r->token);
    if( i>pOut->iToken ) pOut->iToken = i;
  }
  p->nRecord = 0;
}

/* Sets the header after the magic word to 0, except the seeds, and what is
** behind it up to nByte.  After a death or a failure the next process that
** formats finds the seeds.  So the header must be cleared before the slots
** are. */
static void clearFile(Seg *p, u64 nByte, const Seeds *pSeeds){
  /* FORMAT-ZERO */
  SegHeader *h = segHeader(p);
  const size_t iSecond = offsetof(SegHeader, token)+sizeof(h->token);
  h->token = pSeeds->iToken;
  h->numbers = pSeeds->iNumber;
  h->sessionId = pSeeds->iSession;
  h->length = h->created = 0;
  h->damaged = h->freeSession = h->usedSession = h->print = 0;
  h->roomSession = h->pad0 = 0;
  h->mutex = 0;
  memset(p->pBase+iSecond, 0, (size_t)nByte-iSecond);
}

/* Makes the file's first room, all of it zeroes but the header.  A file that
** was longer gives its blocks back.  Where the system cannot do that, or cannot
** make holes, the file has blocks behind all of it. */
static LockRc makeBlocks(Seg *p, u64 nFile, const Seeds *pSeeds){
  u64 nByte = lengthOf(SEG_FIRST_RECORDS), nClear = sizeof(SegHeader);
  u64 nBegin = sessionsEnd(sessionsAt(SEG_FIRST_SESSIONS));
  LockRc rc;
  /* FORMAT-PUNCH */
  if( nFile>nClear && !osPunch(&p->file, nClear, nFile) ){
    nClear = nFile>SEG_WINDOW ? SEG_WINDOW : nFile;
  }
  CRASH(FORMAT_PUNCH);
  /* FORMAT-EXTEND */
  rc = osExtend(&p->file, 0, nClear>nBegin ? nClear : nBegin);
  if( rc==LOCK_OK ) rc = osExtend(&p->file, SEG_EXTENTS, nByte);
  if( rc!=LOCK_OK ) return rc;
  CRASH(FORMAT_EXTEND);
  clearFile(p, nClear, pSeeds);
  CRASH(FORMAT_ZERO);
  return LOCK_OK;
}

/*
** FORMAT-CLEAR to FORMAT-MAGIC.  The caller must hold the first byte
** exclusively, and no process may be alive in the file.
**
** A new file's tokens start at the wall clock in us.  The tokens and session
** ids of a file that is formatted again never go back.  None of them reaches
** SEG_NUMBERS, whatever the file and the clock say.  In a file with magic 0 a
** process may have died while it formatted, so its seeds count.
*/
LockRc segFormat(Seg *p){
  SegHeader *h = segHeader(p);
  Seeds seeds = { 0, 0, 0 };
  LockRc rc;
  if( p->file.fd>=0 ){
    u64 iMagic, nFile = 0;
    rc = osSize(&p->file, &nFile);
    if( rc!=LOCK_OK ) return rc;
    iMagic = nFile>=sizeof(SegHeader) ? atomicGet(&h->magic) : 1;
    if( iMagic==0 || (iMagic==SEG_MAGIC && h->print==p->iPrint) ){
      findSeeds(p, nFile, &seeds);
    }
    if( nFile>=sizeof(u64) ){
      atomicSetRel(&h->magic, 0);              /* FORMAT-CLEAR */
      CRASH(FORMAT_CLEAR);
      atomicFenceSeq();
    }
    if( nFile>=sizeof(SegHeader) ) clearFile(p, sizeof(SegHeader), &seeds);
    rc = makeBlocks(p, nFile, &seeds);
    if( rc!=LOCK_OK ) return rc;
  }
  /* FORMAT-LENGTH */
  h->created = osWallUs();
  h->token = believed(h->created)>seeds.iToken ? h->created : seeds.iToken;
  h->numbers = seeds.iNumber;
  h->sessionId = seeds.iSession;
  h->nBucket = LIMIT_EXTENT;
  h->roomSession = SEG_FIRST_SESSIONS;
  h->print = p->iPrint;
  atomicSetRel(&h->length, lengthOf(SEG_FIRST_RECORDS));
  CRASH(FORMAT_LENGTH);
  atomicSetRel(&h->magic, SEG_MAGIC);          /* FORMAT-MAGIC */
  CRASH(FORMAT_MAGIC);
  p->nLength = 0;
  return segRefresh(p);
}

/* How many records the file should have room for next: twice as many up to one
** extent, then about a quarter more in whole extents, at most 2 MB. */
static u32 moreRecords(u32 nRecord){
  u32 nAdd = nRecord/LIMIT_EXTENT/4;
  if( nRecord<LIMIT_EXTENT ) return 2*nRecord;
  if( nAdd<1 ) nAdd = 1;
  if( nAdd>16 ) nAdd = 16;
  return (nRecord/LIMIT_EXTENT + nAdd)*LIMIT_EXTENT;
}

/*
** The length word only rises: of two processes that grow at once each gets at
** least what it asked for.  The file has blocks up to the old length already.
*/
LockRc segGrow(Seg *p){
  u64 *pLength = &segHeader(p)->length;
  u64 nOld = atomicGetAcq(pLength), nLast = nOld, nNew;
  u32 nRecord = recordsBelow(nOld);
  LockRc rc;
  nNew = lengthOf(moreRecords(nRecord));
  if( nNew>p->nWindow ) nNew = p->nWindow;
  if( nNew<=nOld ) return LOCK_FULL;
  rc = osExtend(&p->file, nOld, nNew);         /* GROW-EXTEND */
  if( rc==LOCK_NOSPACE ){
    nNew = lengthOf(nRecord+SEG_FIRST_RECORDS);
    rc = osExtend(&p->file, nOld, nNew);
  }
  if( rc!=LOCK_OK ) return rc;
  CRASH(GROW_EXTEND);
  if( BUG(GROW_STORE) ){
    atomicSetRel(pLength, nNew);
    return LOCK_OK;
  }
  /* GROW-LENGTH */
  while( nLast<nNew && !atomicCas64(pLength, nLast, nNew) ){
    nLast = atomicGetAcq(pLength);
  }
  CRASH(GROW_LENGTH);
  osTouch(p->pBase+nOld, (size_t)(nNew-nOld));
  return LOCK_OK;
}

/* The room for sessions doubles. */
LockRc segGrowSessions(Seg *p){
  u32 *pRoom = &segHeader(p)->roomSession;
  u32 nOld = segSessions(p), nNew = 2*nOld, nLast;
  LockRc rc;
  if( nNew>LIMIT_SESSION ) nNew = LIMIT_SESSION;
  if( nNew<=nOld ) return LOCK_NOSESSION;
  rc = sessionBlocks(p, nOld, nNew);           /* GROW-BLOCKS */
  if( rc==LOCK_NOSPACE && nNew>nOld+SEG_FIRST_SESSIONS ){
    nNew = nOld+SEG_FIRST_SESSIONS;
    rc = sessionBlocks(p, nOld, nNew);
  }
  if( rc!=LOCK_OK ) return rc;
  CRASH(GROW_BLOCKS);
  if( BUG(GROW_STORE) ){
    atomicSetRel(pRoom, nNew);
    return LOCK_OK;
  }
  /* GROW-ROOM */
  while( (nLast = atomicGetAcq(pRoom))<nNew
      && !atomicCas32(pRoom, nLast, nNew) ){}
  CRASH(GROW_ROOM);
  return LOCK_OK;
}

/* The bytes of the pages of bells that threads hold or have held. */
static u64 bellBytes(const Seg *p){
  u64 iEnd = sessionsEnd(sessionsAt(segSessions(p))), nByte = 0;
  u32 b;
  for(b=0; b<SEG_BELLS; b++){
    u64 iBell = atomicGet(&segHeader(p)->bell[b]);
    if( SEG_BELL_HELD(iBell) && segBellOffset(b+1)>=iEnd ) nByte += osPage();
  }
  return nByte;
}

/* A file system can say that the disk is full although there is nothing to
** allocate.  Then the number of the file's blocks decides. */
LockRc segFill(Seg *p){
  u64 nByte = atomicGet(&p->nLength);
  LockRc rc = osExtend(&p->file, SEG_SESSIONS,
                       sessionsEnd(sessionsAt(segSessions(p))));
  if( rc==LOCK_OK ) rc = osExtend(&p->file, SEG_EXTENTS, nByte);
  if( rc!=LOCK_NOSPACE ) return LOCK_OK;
  return osBlocks(&p->file)<segBytes(p)+bellBytes(p) ? rc : LOCK_OK;
}

LockRc segBellRoom(Seg *p){
  u32 k = SEG_BELLSLOT*(segBellOf(p->iNumber)+1);
  return k<=segSessions(p) ? LOCK_OK : sessionBlocks(p, k-SEG_BELLSLOT, k);
}

u64 segBytes(const Seg *p){
  return sessionsAt(segSessions(p))
       + atomicGet(&segHeader(p)->length) - SEG_EXTENTS;
}

/*
** Linear hashing.  Of n buckets those below n - 2^k are split already, where
** 2^k is the highest power of two below n.
*/
u32 segBucketOf(u32 iHash, u32 nBucket){
  u32 iMask = nBucket<2 ? 0 : SEG_ALL >> __builtin_clz(nBucket-1);
  u32 b = iHash & iMask;
  return b<nBucket ? b : b & (iMask>>1);
}
