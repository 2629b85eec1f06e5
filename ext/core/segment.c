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
  p->nRecord = 0;
  p->bDamaged = 0;
  return LOCK_OK;
}

void segClose(Seg *p){
  if( p->pBase ) osUnmap(p->pBase, p->nWindow);
  p->pBase = 0;
  osClose(&p->file);
}

/* The number of records within nLength; 0 for a length that cannot be. */
static u32 recordsWithin(u64 nLength){
  u64 n;
  if( nLength<SEG_EXTENTS+SEG_EXTENT || nLength>SEG_WINDOW ) return 0;
  n = nLength - SEG_EXTENTS;
  return n%SEG_EXTENT ? 0 : (u32)(n/SEG_EXTENT)*LIMIT_EXTENT;
}

/* Several threads may do this at once, so both words only rise.  The value that
** is known must be read before the length, which is never below it. */
LockRc segRefresh(Seg *p){
  u64 nKnown = atomicGetAcq(&p->nLength);
  u64 nLength = atomicGetAcq(&segHeader(p)->length);
  u64 nFile = SEG_WINDOW;
  u32 nRecord = recordsWithin(nLength), nOld;
  if( p->file.fd>=0 && osSize(&p->file, &nFile)!=LOCK_OK ) return LOCK_IOERR;
  if( nRecord==0 || nLength>nFile || nLength<nKnown ){
    segDamage(p);
    return LOCK_MALFORMED;
  }
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
  if( atomicGet(&segHeader(p)->numbers)>>60 ) return LOCK_MALFORMED;
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

/* Finds the highest numbers of the old header and of all slots.  The word of
** the header may be what is damaged, and a slot has its last user's number. */
static void findSeeds(Seg *p, u64 nFile, Seeds *pOut){
  SegHeader *h = segHeader(p);
  u64 i, n;
  u32 k;
  pOut->iToken = believed(h->token);
  pOut->iNumber = h->numbers<((u64)1<<40) ? h->numbers : 0;
  pOut->iSession = believed(h->sessionId);
  if( nFile<SEG_EXTENTS ) return;
  for(k=1; k<=LIMIT_SESSION; k++){
    i = believed(segSession(p, k)->id);
    if( i>pOut->iSession ) pOut->iSession = i;
  }
  n = recordsWithin(nFile - (nFile-SEG_EXTENTS)%SEG_EXTENT);
  if( p->nRecord<n ) p->nRecord = (u32)n;
  for(k=1; k<=n; k++){
    SegRecord *r = segRecord(p, k);
    if( SEG_STATE(r->state)==SEG_TEXT ) continue;
    i = believed(r->token);
    if( i>pOut->iToken ) pOut->iToken = i;
  }
  p->nRecord = 0;
}

/* Sets everything after the magic word to 0, except the seeds.  After a death
** the next process that formats finds them. */
static void clearFile(Seg *p, u64 nFile, const Seeds *pSeeds){
  /* FORMAT-ZERO */
  SegHeader *h = segHeader(p);
  const size_t iSecond = offsetof(SegHeader, token)+sizeof(h->token);
  u64 n = nFile>SEG_WINDOW ? SEG_WINDOW : nFile;
  h->token = pSeeds->iToken;
  h->numbers = pSeeds->iNumber;
  h->sessionId = pSeeds->iSession;
  h->length = h->created = 0;
  h->damaged = h->freeSession = h->usedSession = h->print = 0;
  memset(h->pad0, 0, sizeof(h->pad0));
  h->mutex = 0;
  if( n>iSecond ) memset(p->pBase+iSecond, 0, (size_t)n-iSecond);
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
  u64 nFile = SEG_EXTENTS+SEG_EXTENT, nByte = nFile;
  Seeds seeds = { 0, 0, 0 };
  LockRc rc;
  if( p->file.fd>=0 ){
    u64 iMagic;
    rc = osSize(&p->file, &nFile);
    if( rc!=LOCK_OK ) return rc;
    iMagic = nFile>=sizeof(SegHeader) ? atomicGet(&h->magic) : 1;
    if( iMagic==0 || (iMagic==SEG_MAGIC && h->print==p->iPrint) ){
      findSeeds(p, nFile, &seeds);
    }
    if( nFile>=sizeof(u64) ){
      atomicSetRel(&h->magic, 0);              /* FORMAT-CLEAR */
      CRASH(FORMAT_CLEAR);
    }
    rc = osExtend(&p->file, 0, nByte);         /* FORMAT-EXTEND */
    if( rc!=LOCK_OK ) return rc;
    CRASH(FORMAT_EXTEND);
    clearFile(p, nFile>nByte ? nFile : nByte, &seeds);
    CRASH(FORMAT_ZERO);
  }
  /* FORMAT-LENGTH */
  h->created = osWallUs();
  h->token = believed(h->created)>seeds.iToken ? h->created : seeds.iToken;
  h->numbers = seeds.iNumber;
  h->sessionId = seeds.iSession;
  h->nBucket = LIMIT_EXTENT;
  h->print = p->iPrint;
  atomicSetRel(&h->length, nByte);
  CRASH(FORMAT_LENGTH);
  atomicSetRel(&h->magic, SEG_MAGIC);          /* FORMAT-MAGIC */
  CRASH(FORMAT_MAGIC);
  p->nLength = 0;
  return segRefresh(p);
}

/*
** Grows by about a quarter, at most 2 MB.  The length word only rises: of two
** processes that grow at once each gets at least what it asked for.  The file
** has blocks up to the old length already.
*/
LockRc segGrow(Seg *p){
  u64 *pLength = &segHeader(p)->length;
  u64 nOld = atomicGetAcq(pLength), nNew, nLast = nOld;
  u64 nAdd = recordsWithin(nOld)/(4*LIMIT_EXTENT);
  LockRc rc;
  if( nAdd<1 ) nAdd = 1;
  if( nAdd>16 ) nAdd = 16;
  nNew = nOld + nAdd*SEG_EXTENT;
  if( nNew>p->nWindow ) nNew = p->nWindow;
  if( nNew<=nOld ) return LOCK_FULL;
  rc = osExtend(&p->file, nOld, nNew);         /* GROW-EXTEND */
  if( rc==LOCK_NOSPACE && nAdd>1 ){
    nNew = nOld + SEG_EXTENT;
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

/*
** Linear hashing.  Of n buckets those below n - 2^k are split already, where
** 2^k is the highest power of two below n.
*/
u32 segBucketOf(u32 iHash, u32 nBucket){
  u32 iMask = nBucket<2 ? 0 : SEG_ALL >> __builtin_clz(nBucket-1);
  u32 b = iHash & iMask;
  return b<nBucket ? b : b & (iMask>>1);
}
