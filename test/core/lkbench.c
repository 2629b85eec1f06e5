/* SPDX-License-Identifier: 0BSD */
/*
** lkbench.c: the lock manager's speed.  Each figure stands beside the one that
** it is compared with, from the same run.  The argument selects parts: f free
** locks, m a million, r rows and tables, h hand-over, t two processes, w a
** waiter.
*/
#include "util.h"
#include <sched.h>
#include <sys/resource.h>

static const char *zDb;
static double now(void){
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + (double)t.tv_nsec*1e-9;
}
/* One process alone is measured by its processor time, so that other work on
** the machine does not count. */
static double cpu(void){
  struct timespec t;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return (double)t.tv_sec + (double)t.tv_nsec*1e-9;
}
static void removeFile(void){
  char z[400];
  snprintf(z, sizeof z, "%s-interlock", zDb);
  unlink(z);
}

/* Locks and unlocks a free lock, with nHeld others held.  ns a pair. */
static double pairNs(LockSession *s, int n, u32 eScope){
  LockKey k = keyInt(-5);
  double t = cpu();
  int i;
  for(i=0; i<n; i++){
    if( lockAcquire(s, &k, LOCK_EXCLUSIVE, eScope, 0) ) exit(1);
    if( eScope==0 ) lockRelease(s, &k, LOCK_EXCLUSIVE);
    else lockTxnEnd(s);
  }
  return (cpu()-t)/n*1e9;
}
static void benchFree(void){
  LockFile *p = openOrDie(zDb);
  LockSession *s = beginOrDie(p), *h = beginOrDie(p);
  u32 i, n = 0, aHeld[] = { 0, 1000, 100000, 1000000 };
  LockKey k;
  pairNs(s, 100000, 0);
  printf("lock + unlock, free            %7.0f ns   (aim 150)\n",
         pairNs(s, 1000000, 0));
  printf("transaction lock + end         %7.0f ns\n", pairNs(s, 1000000, 1));
  for(i=1; i<4; i++){
    for(; n<aHeld[i]; n++){
      k = keyInt(n);
      if( lockAcquire(h, &k, LOCK_EXCLUSIVE, 0, 0) ) exit(1);
    }
    printf("  with %7u locks held        %7.0f ns\n", aHeld[i],
           pairNs(s, 300000, 0));
  }
  lockSessionEnd(h);
  lockSessionEnd(s);
  lockClose(p);
  removeFile();
}

/* Takes a million locks, with keys in a row or anywhere. */
static void benchMillion(const char *zKeys, u64 iFactor){
  LockFile *p = openOrDie(zDb);
  LockSession *s = beginOrDie(p);
  LockKey k;
  double t = cpu(), t2;
  u32 i;
  u64 nByte;
  printf("a million locks, keys %s\n", zKeys);
  for(i=0; i<1000000; i++){
    k = keyInt((i64)(i*iFactor));
    if( lockAcquire(s, &k, LOCK_EXCLUSIVE, 0, 0) ) exit(1);
    if( i==999 || i==9999 || i==99999 ){
      printf("  the first %6u, each         %7.0f ns\n", i+1, (cpu()-t)/i*1e9);
    }
  }
  t2 = cpu();
  nByte = segHeader(lockSegment(p))->length - SEG_EXTENTS;
  printf("  all taken                    %7.3f s    (aim 1)\n", t2-t);
  for(i=0; i<1000000; i++){
    k = keyInt((i64)(i*iFactor));
    if( lockRelease(s, &k, LOCK_EXCLUSIVE) ) exit(1);
  }
  printf("  released one by one          %7.3f s    (aim 0.7)\n", cpu()-t2);
  for(i=0; i<1000000; i++){
    k = keyInt((i64)(i*iFactor));
    if( lockAcquire(s, &k, LOCK_EXCLUSIVE, 1, 0) ) exit(1);
  }
  t2 = cpu();
  lockTxnEnd(s);
  printf("  released by one commit       %7.3f s\n", cpu()-t2);
  printf("  bytes a lock                 %7.1f      (aim 160)\n",
         (double)nByte/1e6);
  lockSessionEnd(s);
  lockClose(p);
  removeFile();
}

enum { ROWS = 100000 };
/* Takes rows and releases them by one commit.  ns each, best of 5. */
static void benchRowKeys(LockSession *s, const char *zName, u64 iFactor,
                         const char *zWhat){
  double t, tTake = 1, tEnd = 1;
  int i, j;
  for(j=0; j<5; j++){
    t = cpu();
    for(i=0; i<ROWS; i++){
      LockKey k = keyRow(zName, (i64)((u64)i*iFactor));
      if( lockAcquire(s, &k, LOCK_EXCLUSIVE, 1, 0) ) exit(1);
    }
    t = cpu()-t;
    if( t<tTake ) tTake = t;
    t = cpu();
    lockTxnEnd(s);
    t = cpu()-t;
    if( t<tEnd ) tEnd = t;
  }
  printf("  name of %2u bytes, %-10s   %7.0f ns to take, %3.0f to end\n",
         (u32)strlen(zName), zWhat, tTake/ROWS*1e9, tEnd/ROWS*1e9);
}
static void benchRows(void){
  static const char *azName[] = { "jobs", "account", "order_lines",
                                  "warehouse_stock_item" };
  LockFile *p = openOrDie(zDb);
  LockSession *s = beginOrDie(p), *h = beginOrDie(p);
  LockKey k, table;
  double t, tBest = 1;
  int i, j, n = 0;
  printf("100,000 row locks\n");
  for(i=0; i<4; i++){
    benchRowKeys(s, azName[i], 1, "in a row");
    benchRowKeys(s, azName[i], 0x9E3779B97F4A7C15ULL, "anywhere");
  }
  for(i=0; i<10000; i++){
    k = keyRow("jobs", i);
    if( lockAcquire(h, &k, LOCK_EXCLUSIVE, 0, 0) ) exit(1);
  }
  for(j=0; j<10; j++){
    t = cpu();
    for(i=0; i<10000; i++){
      k = keyRow("jobs", i);
      n += lockSkip(s, &k, LOCK_EXCLUSIVE, 0)!=LOCK_NO;
    }
    t = cpu()-t;
    if( t<tBest ) tBest = t;
  }
  if( n ) exit(1);
  printf("10,000 held rows skipped, each %7.0f ns   (aim 150)\n",
         tBest/1e4*1e9);
  table = keyTable("jobs");
  if( lockWriterEnter(s) ) exit(1);
  t = cpu();
  for(i=0; i<10000000; i++){
    n += lockWriterEnter(s)!=LOCK_OK;
    n += !lockGuardFree(s, &table);
  }
  if( n ) exit(1);
  printf("a guarded row, nothing locked  %7.1f ns\n", (cpu()-t)/1e7*1e9);
  t = cpu();
  for(i=0; i<100000; i++){
    if( lockWriterEnter(s) ) exit(1);
    lockTxnEnd(s);
  }
  printf("the active writer, in and out  %7.0f ns\n", (cpu()-t)/1e5*1e9);
  lockSessionEnd(h);
  lockSessionEnd(s);
  lockClose(p);
  removeFile();
}

static int compareDouble(const void *a, const void *b){
  double x = *(const double*)a, y = *(const double*)b;
  return x<y ? -1 : x>y;
}

/* Hand-over between two processes, of which each waits for the other's lock in
** turn.  Medians of rounds, so that other work on the machine counts little.  A
** round hands over twice. */
#define ROUNDS 20000
static double aRound[ROUNDS], aWake[ROUNDS];

/* Hands over by a bare futex.  us a hand-over. */
static double bareHandover(void){
  u32 *w = mmap(0, 4096, PROT_READ|PROT_WRITE, MAP_SHARED|MAP_ANONYMOUS,-1,0);
  u32 i;
  pid_t pid = fork();
  for(i=0; i<ROUNDS; i++){
    double t = now();
    if( pid ){
      atomicSetRel(w, 2*i+1);
      osWake(w, 1);
    }
    while( atomicGetAcq(w)!=2*i+1+(pid!=0) ) osWait(w, 2*i+(pid!=0), 1000000);
    if( pid==0 ){
      atomicSetRel(w, 2*i+2);
      osWake(w, 1);
    }
    aRound[i] = now()-t;
  }
  if( pid==0 ) _exit(0);
  waitpid(pid, 0, 0);
  munmap(w, 4096);
  qsort(aRound, ROUNDS, sizeof(double), compareDouble);
  return aRound[ROUNDS/2]/2*1e6;
}

/* Memory that the two processes share. */
typedef struct Pass {
  u32 nReady, bQueued, bDone;
  double tRelease;
} Pass;

/* Uses one key with a fair queue: an unlock hands over, a lock waits. */
static void passOn(Pass *w, int bParent){
  LockFile *p = openOrDie(zDb);
  LockSession *s = beginOrDie(p);
  SegHeader *h = segHeader(lockSegment(p));
  LockKey k = keyInt(1);
  LockWait wt = { -1, 0, 0, 0 };
  int i;
  if( !bParent ) atomicSetRel(&w->nReady, 1);
  while( atomicGetAcq(&w->nReady)==0 ) restUs(100);
  lockAcquire(s, &k, LOCK_EXCLUSIVE, 0, &wt);
  while( atomicGet(&h->nWait)==0 && !atomicGetAcq(&w->bQueued) ) restUs(100);
  atomicSetRel(&w->bQueued, 1);
  for(i=0; i<ROUNDS; i++){
    double t = now();
    /* once the other process is queued, an unlock hands the lock over */
    while( atomicGet(&h->nWait)==0 && !atomicGetAcq(&w->bDone) ) atomicPause();
    w->tRelease = now();
    lockRelease(s, &k, LOCK_EXCLUSIVE);
    if( i==ROUNDS-1 ) break;
    lockAcquire(s, &k, LOCK_EXCLUSIVE, 0, &wt);
    aWake[i] = now() - w->tRelease;
    aRound[i] = now()-t;
  }
  atomicSetRel(&w->bDone, 1);
  lockSessionEnd(s);
  lockClose(p);
  if( !bParent ) _exit(0);
}

static void benchHandover(void){
  Pass *w = mmap(0, 4096, PROT_READ|PROT_WRITE, MAP_SHARED|MAP_ANONYMOUS,-1,0);
  double usBare = bareHandover(), us;
  pid_t pid = fork();
  passOn(w, pid!=0);
  waitpid(pid, 0, 0);
  qsort(aRound, ROUNDS-1, sizeof(double), compareDouble);
  qsort(aWake, ROUNDS-1, sizeof(double), compareDouble);
  us = aRound[ROUNDS/2]/2*1e6;
  printf("bare futex hand-over           %7.2f us\n", usBare);
  printf("lock hand-over                 %7.2f us   %.1f times (aim 5)\n", us,
         us/usBare);
  printf("  release to wake              %7.2f us   (aim 50)\n",
         aWake[ROUNDS/2]*1e6);
  munmap(w, 4096);
  removeFile();
}

/*
** One and two processes on keys of their own.  Other work on the machine must
** not count, so time is cut into slots of 1 ms, and a slot counts if none of
** the processes was preempted in it.
*/
#define SLOTS 200
typedef struct Slots {
  u64 mutex, pad[15];              /* the bare mutex, in a line of its own */
  u32 nReady;
  double tStart;
  u32 an[2][SLOTS];                /* pairs made in it; 0: does not count */
} Slots;

/* Does other work: nBetween pauses with the lock held, nAfter without. */
typedef struct Work {
  const char *zWhat;
  int nBetween, nAfter;
} Work;
static void pauses(int n){
  while( n-- > 0 ) atomicPause();
}

/* The bound of any lock manager behind one mutex: a word, and 40 ns inside. */
static void bareSection(u64 *p){
  while( !atomicCas64(p, 0, 1) ){
    do{ atomicPause(); }while( atomicGet(p) );
  }
  pauses(2);
  atomicCas64(p, 1, 0);
}

static void pinTo(int iCpu){
  cpu_set_t m;
  CPU_ZERO(&m);
  CPU_SET((size_t)iCpu, &m);
  (void)sched_setaffinity(0, sizeof m, &m);
}

static void runSlots(Slots *a, int i, int nProc, int nFile, const Work *w){
  char z[400];
  LockFile *p;
  LockSession *s;
  struct rusage r;
  long nPreempt = -1;
  int iSlot = 0, iNow, j;
  u32 n = 0;
  pinTo(i);
  snprintf(z, sizeof z, "%s%d", zDb, nFile==2 ? i : 0);
  p = openOrDie(z);
  s = beginOrDie(p);
  atomicAdd(&a->nReady, 1);
  while( atomicGetAcq(&a->nReady)<(u32)nProc ) atomicPause();
  if( i==0 ){
    a->tStart = now();
    atomicAdd(&a->nReady, 100);
  }
  while( atomicGetAcq(&a->nReady)<100 ) atomicPause();
  while( (iNow = (int)((now()-a->tStart)*1000))<SLOTS ){
    if( iNow!=iSlot ){
      getrusage(RUSAGE_THREAD, &r);
      if( iNow==iSlot+1 && r.ru_nivcsw==nPreempt ) a->an[i][iSlot] = n;
      nPreempt = r.ru_nivcsw;
      iSlot = iNow;
      n = 0;
    }
    for(j=0; j<50; j++){
      LockKey k = keyInt((i64)i*1000000 + j);
      if( nFile==0 ) bareSection(&a->mutex);
      else if( lockAcquire(s, &k, LOCK_EXCLUSIVE, 0, 0) ) exit(1);
      pauses(w->nBetween);
      if( nFile==0 ) bareSection(&a->mutex);
      else lockRelease(s, &k, LOCK_EXCLUSIVE);
      pauses(w->nAfter);
      n++;
    }
  }
  _exit(0);
}

/* Millions of pairs a second in the slots that count, on one file or on two.
** nFile 0: the bare mutex.  Returns 0 if hardly a slot counts. */
static double someSlots(int nProc, int nFile, const Work *w){
  Slots *a = mmap(0, sizeof *a, PROT_READ|PROT_WRITE,
                  MAP_SHARED|MAP_ANONYMOUS, -1, 0);
  double n = 0;
  int i, j, nSlot = 0;
  char z[400];
  for(i=0; i<nProc; i++) if( fork()==0 ) runSlots(a, i, nProc, nFile, w);
  for(i=0; i<nProc; i++) wait(0);
  for(j=1; j<SLOTS; j++){
    if( a->an[0][j]==0 || (nProc==2 && a->an[1][j]==0) ) continue;
    n += (double)a->an[0][j] + (double)a->an[1][j];
    nSlot++;
  }
  for(i=0; i<2; i++){
    snprintf(z, sizeof z, "%s%d-interlock", zDb, i);
    unlink(z);
  }
  munmap(a, sizeof *a);
  return nSlot>5 ? n/nSlot/1e3 : 0;
}
static double throughput(int nProc, int nFile, const Work *w){
  double x = 0;
  int i;
  for(i=0; i<3 && x==0; i++) x = someSlots(nProc, nFile, w);
  return x;
}

/* The time that a cache line takes from one processor to the other, best of
** 20. */
static double lineNs(void){
  u32 *w = mmap(0, 4096, PROT_READ|PROT_WRITE, MAP_SHARED|MAP_ANONYMOUS,-1,0);
  double t, tBest = 1;
  u32 i, j, n = 5000;
  for(j=0; j<20; j++){
    atomicSetRel(w, 0);
    if( fork()==0 ){
      pinTo(1);
      for(i=0; i<n; i++){
        while( atomicGetAcq(w)!=2*i+1 ){}
        atomicSetRel(w, 2*i+2);
      }
      _exit(0);
    }
    restUs(1000);
    t = now();
    for(i=0; i<n; i++){
      atomicSetRel(w, 2*i+1);
      while( atomicGetAcq(w)!=2*i+2 ){}
    }
    t = (now()-t)/n/2;
    if( t<tBest ) tBest = t;
    wait(0);
  }
  munmap(w, 4096);
  return tBest*1e9;
}

/* Median of the ratio between two processes and one; 0: the machine is too
** busy. */
static double twoToOne(int nFile, const Work *w, double *pOne){
  double aOne[3], aRatio[3];
  int j;
  for(j=0; j<3; j++){
    aOne[j] = throughput(1, nFile, w);
    aRatio[j] = aOne[j]>0 ? throughput(2, nFile, w)/aOne[j] : 0;
  }
  qsort(aOne, 3, sizeof(double), compareDouble);
  qsort(aRatio, 3, sizeof(double), compareDouble);
  *pOne = aOne[1];
  return aRatio[1];
}

static void benchTwo(void){
  static const Work aWork[] = {
    { "nothing else", 0, 0 },
    { "0.5 us more, after it", 0, 24 },
    { "0.5 us more, half while it is held", 12, 12 },
    { "0.65 us more, half while it is held", 16, 16 },
    { "2 us more, half while it is held", 48, 48 }
  };
  size_t i;
  printf("a cache line from one processor to the other %4.0f ns\n", lineNs());
  printf("two processes against one: a pair and      pairs/s   ratio (aim 1.5) "
         "  two files   bare mutex\n");
  for(i=0; i<sizeof(aWork)/sizeof(aWork[0]); i++){
    double m, x, y = twoToOne(0, &aWork[i], &m), z = twoToOne(2, &aWork[i], &m);
    x = twoToOne(1, &aWork[i], &m);
    printf("  %-38s %7.2f M %7.2f %20.2f %12.2f\n", aWork[i].zWhat, m, x, z, y);
  }
}

/* A waiter's own processor time over two seconds. */
static void benchWaiter(void){
  LockFile *p = openOrDie(zDb);
  LockSession *s = beginOrDie(p), *t = beginOrDie(p);
  LockKey k = keyInt(1);
  LockWait w = { 2000, 0, 0, 0 };
  struct rusage a, b;
  double used;
  lockAcquire(s, &k, LOCK_EXCLUSIVE, 0, 0);
  getrusage(RUSAGE_SELF, &a);
  lockAcquire(t, &k, LOCK_EXCLUSIVE, 0, &w);
  getrusage(RUSAGE_SELF, &b);
  used = (double)(b.ru_utime.tv_sec-a.ru_utime.tv_sec)
      + (double)(b.ru_stime.tv_sec-a.ru_stime.tv_sec)
      + 1e-6*(double)(b.ru_utime.tv_usec-a.ru_utime.tv_usec)
      + 1e-6*(double)(b.ru_stime.tv_usec-a.ru_stime.tv_usec);
  printf("a waiter uses                  %7.3f %%    (aim 0.5)\n", used/2*100);
  lockSessionEnd(s);
  lockSessionEnd(t);
  lockClose(p);
  removeFile();
}
int main(int n, char **az){
  const char *zWhat = n<2 ? "fmrhtw" : az[1];
  zDb = strdup(scratch("lkbench"));
  setvbuf(stdout, 0, _IONBF, 0);
  alarm(180);
  if( strchr(zWhat, 'f') ) benchFree();
  if( strchr(zWhat, 'm') ){
    benchMillion("in a row", 1);
    benchMillion("anywhere", 0x9E3779B97F4A7C15ULL);
  }
  if( strchr(zWhat, 'r') ) benchRows();
  if( strchr(zWhat, 'h') ) benchHandover();
  if( strchr(zWhat, 't') ) benchTwo();
  if( strchr(zWhat, 'w') ) benchWaiter();
  return 0;
}
