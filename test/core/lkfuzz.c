/* SPDX-License-Identifier: 0BSD */
/*
** lkfuzz.c: damage in a lock file that is in use.  Every call must return
** within two seconds, with LOCK_MALFORMED sooner or later or without having
** noticed.  No call may crash.  After damage that was noticed the mutex must be
** free.  Opening the file afterwards must give an error or a fresh file.
**
** A case begins with a copy of one of the files that the program makes at its
** start.  Some are small, some have grown to several extents.  Processes that
** died have left locks, requests, invalidated holds and an active writer in
** them.  One of them died inside the mutex, so that the next caller rebuilds.
** The damage is random words, and fields of the format that get values of other
** fields: indexes, states, links, owners, generations, counters.  In some cases
** a thread watches requests meanwhile.
**
**   lkfuzz CASES SEED [FIRST]
*/
#include "util.h"
#include "../../ext/core/watch.h"
#include <poll.h>
#include <sys/time.h>

enum { SESSIONS = 4, KINDS = 5, BATCH = 2000 };

static u64 seed;
static u32 R(u32 n){ return (u32)(rnd(&seed)>>33) % n; }
static u32 anyMode(void){ return 1+R(LOCK_MODES-1); }

static const char *zDb;
static char zFile[400];
static LockFile *pF;
static LockSession *aS[SESSIONS];
static LockWatch *pWatch;          /* watches requests, in some cases */

/* The call that a worker makes, for the message if it ends. */
typedef struct Where {
  i64 iCase;
  char zCall[40];
  i64 nNoticed, nDone, usWorst, iWorst;
  char zWorst[40];
} Where;
static Where *pWhere;

/*---------------------------------------------------------------- calls ---*/

static void onTime(int iSignal){
  char z[200];
  int n = snprintf(z, sizeof z, "case %lld: %s does not come back (%s)\n",
                   (long long)pWhere->iCase, pWhere->zCall,
                   iSignal==SIGPROF ? "2 s of processor time" : "10 s");
  if( write(2, z, (size_t)n)<0 ) _exit(4);
  _exit(3);
}

static u64 usCpu(void){
  struct timespec t;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return (u64)t.tv_sec*1000000 + (u64)t.tv_nsec/1000;
}

/* Starts and stops, around each call, a watch on the processor's clock and one
** on the wall clock, since a call may also sleep without an end. */
static u64 usBegun;
static void begin(const char *zCall){
  struct itimerval t;
  memset(&t, 0, sizeof t);
  snprintf(pWhere->zCall, sizeof pWhere->zCall, "%s", zCall);
  t.it_value.tv_sec = 2;
  setitimer(ITIMER_PROF, &t, 0);
  t.it_value.tv_sec = 10;
  setitimer(ITIMER_REAL, &t, 0);
  usBegun = usCpu();
}
static void end(void){
  i64 us = (i64)(usCpu() - usBegun);
  if( us<=pWhere->usWorst ) return;
  pWhere->usWorst = us;
  pWhere->iWorst = pWhere->iCase;
  memcpy(pWhere->zWorst, pWhere->zCall, sizeof pWhere->zWorst);
}
#define CALL(x) do{ begin(#x); x; end(); }while(0)

/* A key, often one that the files below have. */
static void key(LockKey *k){
  char z[255];
  u32 n = R(4)==0 ? R(255) : 8;
  memset(z, 'a'+(int)R(3), sizeof z);
  if( R(2) ) *k = keyInt(R(4)==0 ? (i64)R(3000) : (i64)R(4));
  else if( R(3)==0 ) *k = keyTable("t");
  else if( R(3)==0 ) *k = keyRow("t", R(3));
  else keyMake(k, n==8 ? KEY_INTEGER : R(3) ? KEY_TEXT : KEY_TABLE, z, n);
}

static void callLook(void){
  LockSnapshot snap;
  LockTrouble t;
  LockRc rc;
  CALL(rc = lockSnapshot(pF, &snap));
  if( rc==LOCK_OK ) lockSnapshotFree(pF, &snap);
  lockInside(pF, &t);
}

static LockRc callWriter(LockSession *s, const LockKey *k){
  const LockKey *pHeld;
  LockKey t = keyTable("t");
  LockRc rc;
  CALL(rc = lockWriterEnter(s));
  lockGuardFree(s, k);
  if( rc==LOCK_OK ) CALL(rc = lockGuard(s, &t, k, &pHeld));
  if( rc==LOCK_OK ) CALL(lockHolding(s));
  return rc;
}

/* A session that has a request queued. */
static LockRc callWaiting(LockSession *s){
  LockWait w = { 1, 0, 0, 0 };
  LockRc rc = LOCK_OK;
  if( pWatch && R(2) ) CALL(rc = watchRequest(pWatch, s));
  switch( R(6) ){
    case 0: CALL(rc = lockGiveUp(s, LOCK_TIMEOUT)); break;
    case 1: CALL(rc = R(2) ? lockOutcome(s) : lockStands(s)); break;
    case 2: if( R(8)==0 ) CALL(rc = lockWait(s, &w)); break;
    default: CALL(lockPoll(s)); break;
  }
  return rc;
}

static LockRc callOne(int i){
  LockSession *s = aS[i];
  LockWait w = { 1, 0, 0, 0 };
  LockKey k;
  u64 x;
  LockRc rc = LOCK_OK;
  key(&k);
  if( lockPending(s) && R(2) ) return callWaiting(s);
  switch( R(20) ){
    case 0: CALL(rc = lockRelease(s, &k, anyMode())); break;
    case 1: CALL(lockTxnEnd(s)); break;
    case 2: CALL(lockRollbackTo(s, R(3))); break;
    case 3: if( R(4)==0 ) CALL(rc = lockReleaseAll(s, ~0u, ~0u, &x)); break;
    case 4: if( R(4)==0 ) callLook(); break;
    case 5: CALL(rc = lockCancel(pF, R(30))); break;
    case 6:
      CALL(rc = lockSkip(s, &k, anyMode(), R(2)));
      CALL(lockSkipProbe(s));
      break;
    case 7: case 8: rc = callWriter(s, &k); break;
    case 9: CALL(rc = lockToken(s, &k, &x)); break;
    case 10:
      CALL(lockSessionEnd(s));
      CALL(rc = lockSessionBegin(pF, &aS[i]));
      break;
    case 11: if( R(8)==0 ) CALL(rc = lockAcquire(s, &k, anyMode(), R(2), &w));
      break;
    case 12: case 13: case 14: case 15:
      CALL(rc = lockAsk(s, &k, anyMode(), R(3), 1));
      break;
    default: CALL(rc = lockAcquire(s, &k, anyMode(), R(2), 0)); break;
  }
  return rc;
}

/*--------------------------------------------------------------- damage ---*/

/* A value for a 32-bit field.  A value of another field does more harm than a
** random one. */
static u32 anyValue(Seg *p, u32 iOwn){
  SegHeader *h = segHeader(p);
  switch( R(10) ){
    case 0: return 0;
    case 1: return iOwn;
    case 2: case 3: case 4: return 1+R(h->usedRecord%5000+2);
    case 5: return 1+R(20);
    case 6: return segRecords(p)+R(3);
    case 7: return 0xFFFFFFFFu;
    case 8: return LIMIT_SESSION+R(3);
    default: return (u32)rnd(&seed);
  }
}
/* A value for a word that has a process number: a dead, a living one, or one
** never given. */
static u64 anyOwner(Seg *p){
  switch( R(4) ){
    case 0: return p->iNumber;
    case 1: return 1+R(6);
    case 2: return (u64)1<<R(63);
    default: return rnd(&seed);
  }
}

static void damageHeader(Seg *p){
  SegHeader *h = segHeader(p);
  u32 v = anyValue(p, 1);
  switch( R(18) ){
    case 0: h->freeRecord = v; break;
    case 1: h->usedRecord = v; break;
    case 2: h->freeSession = v; break;
    case 3: h->usedSession = v; break;
    case 4: h->nRecord = v; break;
    case 5: h->nBucket = v; break;
    case 6: h->nWait = v; break;
    case 7: h->writer = v; break;
    case 8: h->writerTxn = v; break;
    case 9: h->writerGen = v; break;
    case 10: h->guard[R(SEG_GUARDS)] = v; break;
    case 11: h->stat[STAT_RECOVERIES] = rnd(&seed); break;
    case 12: h->ticket = rnd(&seed); break;
    case 13: h->sessionId = rnd(&seed); break;
    case 14: h->token = rnd(&seed); break;
    case 15: h->numbers = anyOwner(p); break;
    case 16: h->lastInside = v; break;
    default: h->mutex = anyOwner(p)<<2 | R(4); break;
  }
}
static void damageSession(Seg *p){
  u32 k = R(3) ? 1+R(16) : 1+R(LIMIT_SESSION), v = anyValue(p, k);
  SegSession *s = segSession(p, k);
  switch( R(11) ){
    case 0: s->state = SEG_PAIR(R(3) ? R(3) : v, R(4)); break;
    case 1: s->owner = anyOwner(p); break;
    case 2: s->now = SEG_PAIR(R(3), v); break;
    case 3: s->sweepNeeded = 1; break;
    case 4: s->waits = v; break;
    case 5: s->next = v; break;
    case 6: s->firstTxn = v; break;
    case 7: s->firstSes = v; break;
    case 8: s->nRecord = v; break;
    case 9: s->unsorted = v; break;
    default: s->id = v; break;
  }
}
static void damageRecord(Seg *p){
  SegHeader *h = segHeader(p);
  u32 i = 1+R(h->usedRecord%5000+2), v = anyValue(p, i);
  SegRecord *r = segRecord(p, i);
  switch( R(16) ){
    case 0: r->state = SEG_WITH(r->state, R(8)); break;
    case 1: r->session = R(2) ? 1+R(12) : v; break;
    case 2: r->generation = v; break;
    case 3: r->sesCount = v; break;
    case 4: r->ticket = R(2) ? rnd(&seed) : v; break;
    case 5: r->txnHold = SEG_PAIR(R(3), R(3)); break;
    case 6: r->what = v; break;
    case 7: r->hash = R(2) ? v : segRecord(p, 1+R(i))->hash; break;
    case 8: r->text = v; break;
    case 9: r->hashNext = v; break;
    case 10: r->hashPrev = v; break;
    case 11: r->sesNext = v; break;
    case 12: r->sesPrev = v; break;
    case 13: r->linked = R(2); break;
    case 14: segText(p, i)->next = v; break;
    default: memcpy(r, segRecord(p, 1+R(i)), sizeof *r); break;
  }
}
/* Stores random words, more often at offsets that matter than by chance. */
static void damageWord(Seg *p){
  SegHeader *h = segHeader(p);
  u32 v = R(3)==0 ? R(20) : R(3)==0 ? 0xFFFFFFFFu : (u32)rnd(&seed);
  size_t iOff;
  switch( R(4) ){
    case 0: iOff = R(70)*4; break;
    case 1: iOff = SEG_SESSIONS + R(16*32)*4; break;
    case 2:
      iOff = SEG_EXTENTS + R(4)*SEG_EXTENT + R(LIMIT_EXTENT)*4;
      break;
    default:
      iOff = SEG_EXTENTS + R(h->usedRecord/LIMIT_EXTENT%8+1)*SEG_EXTENT
           + LIMIT_EXTENT*4 + R(LIMIT_EXTENT*32)*4;
      break;
  }
  if( iOff+4>p->nLength ) return;
  *(u32*)(void*)(p->pBase+iOff) = v;
}
static int bMutexDamaged;        /* in this case: its owner means nothing */
static void damage(Seg *p){
  u32 n = 1+R(6);
  u64 iMutex = segHeader(p)->mutex;
  while( n-->0 ){
    switch( R(6) ){
      case 0: damageHeader(p); break;
      case 1: damageSession(p); break;
      case 2: damageWord(p); break;
      default: damageRecord(p); break;
    }
  }
  bMutexDamaged |= segHeader(p)->mutex!=iMutex;
  /* an index that led nowhere was this program's, not the file's */
  atomicSet(&p->bDamaged, 0);
}

/*---------------------------------------------------------------- files ---*/

typedef struct Image {
  u8 *a;
  size_t n;
} Image;
static Image aImage[KINDS];

/* Starts a process that dies in the file, with nLock locks and one of each
** kind.  With bInside it dies while it owns the mutex. */
static void leaveBehind(u32 nLock, int bInside){
  LockFile *p = openOrDie(zDb);
  LockSession *a[10];
  LockKey k;
  u32 i;
  int rc = 0;
  for(i=0; i<10; i++) a[i] = beginOrDie(p);
  for(i=0; i<nLock; i++){
    k = keyInt((i64)i);
    if( i%7==0 ){
      char z[200];
      memset(z, 'a'+(int)(i%26), sizeof z);
      memcpy(z, &i, 4);
      keyMake(&k, KEY_TEXT, z, 40+i%160);
    }
    rc |= lockAcquire(a[i%6], &k, LOCK_EXCLUSIVE, i/6%2, 0);
  }
  k = keyTable("t");
  for(i=0; i<5; i++) rc |= lockAcquire(a[i], &k, LOCK_INTENT_EXCLUSIVE, 1, 0);
  k = keyRow("t", 1);
  rc |= lockAcquire(a[0], &k, LOCK_EXCLUSIVE, 1, 0);
  for(i=1; i<5; i++) rc |= lockAsk(a[i], &k, 1+i, 1, 1)!=LOCK_WAITING;
  for(i=100; i<900 && i<nLock; i++){      /* free slots, in a list */
    k = keyInt((i64)i);
    if( i%7 && i/6%2==0 ) rc |= lockRelease(a[i%6], &k, LOCK_EXCLUSIVE);
  }
  rc |= lockWriterEnter(a[9]);
  lockSessionEnd(a[8]);
  if( bInside ) rc |= mutexEnter(lockSegment(p))!=MUTEX_ENTERED;
  _exit(rc!=0);
}

static void makeImage(Image *p, u32 nLock, int nProcess, int bInside){
  struct stat st;
  int fd, i;
  unlink(zFile);
  for(i=0; i<nProcess; i++){
    int iStatus;
    pid_t pid = fork();
    if( pid==0 ) leaveBehind(i==0 ? nLock : 3, bInside && i==nProcess-1);
    waitpid(pid, &iStatus, 0);
    /* the second finds keys that the first has */
    if( i==0 ) CHECK(WIFEXITED(iStatus) && WEXITSTATUS(iStatus)==0);
  }
  fd = open(zFile, O_RDONLY);
  CHECK(fd>=0 && fstat(fd, &st)==0);
  p->n = (size_t)st.st_size;
  CHECK(p->n>=SEG_EXTENTS+(nLock>=1900 ? 2*SEG_EXTENT : LIMIT_EXTENT*4));
  p->a = malloc(p->n);
  CHECK(read(fd, p->a, p->n)==(ssize_t)p->n);
  close(fd);
}

static void makeImages(void){
  makeImage(&aImage[0], 20, 1, 0);
  makeImage(&aImage[1], 1900, 1, 0);
  makeImage(&aImage[2], 1900, 1, 1);
  makeImage(&aImage[3], 300, 2, 1);
  makeImage(&aImage[4], 2700, 2, 0);
}

/* Copies only the pages that are not empty: this is most of a case's time. */
static void restore(const Image *p){
  static const u8 aZero[4096];
  int fd = open(zFile, O_RDWR|O_CREAT|O_TRUNC, 0666);
  size_t i;
  if( fd<0 || ftruncate(fd, (off_t)p->n) ) _exit(5);
  for(i=0; i<p->n; i+=4096){
    size_t n = p->n-i<4096 ? p->n-i : 4096;
    if( memcmp(p->a+i, aZero, n)==0 ) continue;
    if( pwrite(fd, p->a+i, n, (off_t)i)!=(ssize_t)n ) _exit(5);
  }
  close(fd);
}

/*---------------------------------------------------------------- cases ---*/

static int isOver(LockRc rc){ return rc==LOCK_MALFORMED || rc==LOCK_BUSY; }

/* After damage was noticed no process may be inside, and every call must return
** LOCK_MALFORMED. */
static void checkOut(void){
  Seg *p = lockSegment(pF);
  LockKey k = keyInt(77);
  LockSession *s = 0;
  int i;
  if( MUTEX_OWNER(segHeader(p)->mutex)==p->iNumber && !bMutexDamaged ){
    fprintf(stderr, "case %lld: the mutex was not left by %s\n",
            (long long)pWhere->iCase, pWhere->zCall);
    _exit(6);
  }
  for(i=0; i<SESSIONS; i++){
    if( aS[i] && !lockPending(aS[i])
     && !isOver(lockAcquire(aS[i], &k, LOCK_SHARED, 0, 0)) ) _exit(7);
  }
  if( lockSessionBegin(pF, &s)==LOCK_OK ) _exit(8);
}

/* The thread of the watch goes on with a request in another file. */
static void watchOther(void){
  LockWait w = { -1, 0, 0, 0 };
  LockSession *s = 0, *s2 = 0;
  struct pollfd a = { 0, POLLIN, 0 };
  LockKey k = keyInt(1);
  LockFile *p = 0;
  if( lockOpenMemory(&sysMem, 0, &p)!=LOCK_OK
   || lockSessionBegin(p, &s)!=LOCK_OK || lockSessionBegin(p, &s2)!=LOCK_OK
   || lockAcquire(s, &k, LOCK_EXCLUSIVE, 0, 0)!=LOCK_OK
   || lockRequest(s2, &k, LOCK_EXCLUSIVE, &w)!=LOCK_WAITING
   || watchRequest(pWatch, s2)!=LOCK_OK ) _exit(12);
  CALL(lockSessionEnd(s));
  a.fd = watchFd(pWatch);
  if( poll(&a, 1, 10000)!=1 || lockStands(s2)!=LOCK_OK ) _exit(13);
  CALL(lockSessionEnd(s2));
  lockClose(p);
  CALL(watchEnd(pWatch));
}

static void oneCase(void){
  LockRc rc = LOCK_OK;
  int i, n = (int)R(12);
  bMutexDamaged = 0;
  pWatch = 0;
  if( R(4)==0 && watchBegin(&sysMem, &pWatch)!=LOCK_OK ) _exit(11);
  restore(&aImage[R(KINDS)]);
  CALL(pF = openOrDie(zDb));
  if( R(4)==0 ) damage(lockSegment(pF));
  for(i=0; i<SESSIONS; i++) CALL(rc = lockSessionBegin(pF, &aS[i]));
  for(i=0; i<n && !isOver(rc); i++) rc = aS[i%4] ? callOne(i%4) : LOCK_OK;
  if( !isOver(rc) ) damage(lockSegment(pF));
  for(i=0; i<60 && !isOver(rc); i++){
    int j = (int)R(SESSIONS);
    if( aS[j] ) rc = callOne(j);
    if( R(30)==0 ) damage(lockSegment(pF));
  }
  pWhere->nNoticed += rc==LOCK_MALFORMED;
  if( rc==LOCK_MALFORMED ) checkOut();
  callLook();
  for(i=0; i<SESSIONS; i++) CALL(lockSessionEnd(aS[i]));
  CALL(lockClose(pF));
  if( pWatch ) watchOther();
}

/* Another process opens the damaged file. */
static void openAgain(void){
  LockRc rc;
  LockFile *p = 0;
  LockSession *s = 0;
  CALL(rc = lockOpen(&sysMem, zDb, 1, &p));
  if( rc!=LOCK_OK && rc!=LOCK_MALFORMED && rc!=LOCK_BUSY ) _exit(9);
  if( rc!=LOCK_OK ) return;
  CALL(rc = lockSessionBegin(p, &s));
  if( rc!=LOCK_OK && rc!=LOCK_MALFORMED && rc!=LOCK_NOSESSION
   && rc!=LOCK_BUSY ){
    _exit(10);
  }
  CALL(lockSessionEnd(s));
  lockClose(p);
}

static void worker(i64 iFirst, i64 iEnd, u64 iSeed){
  i64 i;
  signal(SIGPROF, onTime);
  signal(SIGALRM, onTime);
  for(i=iFirst; i<iEnd; i++){
    pWhere->iCase = i;
    seed = iSeed*1000003 + (u64)i*7919 + 1;
    rnd(&seed);
    rnd(&seed);
    memset(aS, 0, sizeof aS);
    oneCase();
    if( R(3)==0 ) openAgain();
    pWhere->nDone++;
  }
  _exit(0);
}

int main(int n, char **a){
  i64 nCase = n>1 ? atoll(a[1]) : 1000, i = n>3 ? atoll(a[3]) : 0;
  i64 iEnd = i+nCase;
  u64 iSeed = n>2 ? strtoull(a[2], 0, 10) : 1;
  double t0 = seconds();
  zDb = strdup(scratch("lkfuzz"));
  snprintf(zFile, sizeof zFile, "%s-interlock", zDb);
  pWhere = mmap(0, sizeof *pWhere, PROT_READ|PROT_WRITE,
                MAP_SHARED|MAP_ANONYMOUS, -1, 0);
  makeImages();
  while( i<iEnd && nError<20 ){
    i64 iStop = i+BATCH<iEnd ? i+BATCH : iEnd;
    int st;
    pid_t pid = fork();
    if( pid==0 ) worker(i, iStop, iSeed);
    waitpid(pid, &st, 0);
    if( WIFEXITED(st) && WEXITSTATUS(st)==0 ){
      i = iStop;
      continue;
    }
    nError++;
    fprintf(stderr, "lkfuzz 1 %llu %lld: %s ends with %x\n",
            (unsigned long long)iSeed, (long long)pWhere->iCase,
            pWhere->zCall, st);
    i = pWhere->iCase+1;
  }
  nTest += (int)nCase;
  unlink(zFile);
  CHECK(pWhere->nDone<100 || pWhere->nNoticed>pWhere->nDone/4);
  printf("lkfuzz: %lld cases, %lld noticed, %.1f s; the longest call %lld us "
         "(%s, case %lld)\n", (long long)pWhere->nDone,
         (long long)pWhere->nNoticed, seconds()-t0,
         (long long)pWhere->usWorst, pWhere->zWorst,
         (long long)pWhere->iWorst);
  return finish("lkfuzz");
}
