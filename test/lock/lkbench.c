/* SPDX-License-Identifier: 0BSD */
/*
** lkbench.c: the lock manager's speed, each figure beside the one it is held
** against, measured in the same run.
*/
#include "util.h"
#include <linux/futex.h>
#include <sys/syscall.h>
#include <sys/resource.h>

static const char *zDb;
static double now(void){
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + (double)t.tv_nsec*1e-9;
}
/* One process alone is measured by its processor time: what others do on the
** machine does not count. */
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

/* Lock and unlock, free, with nHeld others held; ns a pair. */
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
  double t, t2;
  u64 nByte;
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
  h = beginOrDie(p);
  lockSessionEnd(h);
  lockSessionEnd(s);
  lockClose(p);
  removeFile();
  p = openOrDie(zDb);
  s = beginOrDie(p);
  t = cpu();
  for(i=0; i<1000000; i++){
    k = keyInt(i);
    if( lockAcquire(s, &k, LOCK_EXCLUSIVE, 0, 0) ) exit(1);
  }
  t2 = cpu();
  nByte = segHeader(lockSegment(p))->length - SEG_EXTENTS;
  printf("a million locks, taken         %7.3f s    (aim 1)\n", t2-t);
  for(i=0; i<1000000; i++){
    k = keyInt(i);
    if( lockRelease(s, &k, LOCK_EXCLUSIVE) ) exit(1);
  }
  printf("  released one by one          %7.3f s    (aim 0.7)\n", cpu()-t2);
  for(i=0; i<1000000; i++){
    k = keyInt(i);
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

static int compareDouble(const void *a, const void *b){
  double x = *(const double*)a, y = *(const double*)b;
  return x<y ? -1 : x>y;
}

/* Hand-over between two processes: each waits for the other's lock in turn. */
static void benchHandover(void){
  static double a[20000];
  u32 *w = mmap(0, 4096, PROT_READ|PROT_WRITE, MAP_SHARED|MAP_ANONYMOUS,-1,0);
  int i, n = 20000;
  pid_t pid;
  double t, tBare, tOurs;
  double *pRel = (double*)(void*)(w+64);
  u64 nWait;
  if( (pid = fork())==0 ){
    for(i=0; i<n; i++){
      while( atomicGetAcq(&w[0])!=(u32)2*(u32)i+1 ){
        osWait(&w[0], (u32)2*(u32)i, 1000000);
      }
      atomicSetRel(&w[0], (u32)2*(u32)i+2);
      osWake(&w[0], 1);
    }
    _exit(0);
  }
  t = now();
  for(i=0; i<n; i++){
    atomicSetRel(&w[0], (u32)2*(u32)i+1);
    osWake(&w[0], 1);
    while( atomicGetAcq(&w[0])!=(u32)2*(u32)i+2 ){
      osWait(&w[0], (u32)2*(u32)i+1, 1000000);
    }
  }
  tBare = (now()-t)/n/2*1e6;
  waitpid(pid, 0, 0);
  /* one key, two processes, fair queue: unlock hands over, lock waits */
  pid = fork();
  {
    LockFile *p = openOrDie(zDb);
    LockSession *s = beginOrDie(p);
    LockKey k = keyInt(1);
    LockWait wt = { -1, 0, 0, 0 };
    if( pid ) while( atomicGetAcq(&w[9])==0 ) osSleep(100);
    else atomicSetRel(&w[9], 1);
    lockAcquire(s, &k, LOCK_EXCLUSIVE, 0, &wt);
    /* wait until the other one is queued, then pass the lock n times */
    while( segHeader(lockSegment(p))->nWait==0 && atomicGetAcq(&w[10])==0 ){
      osSleep(100);
    }
    atomicSetRel(&w[10], 1);
    t = now();
    for(i=0; i<n; i++){
      /* the other one is queued: what follows hands the lock over */
      while( atomicGet(&segHeader(lockSegment(p))->nWait)==0 ){
        if( atomicGetAcq(&w[11]) ) break;
        atomicPause();
      }
      *pRel = now();
      lockRelease(s, &k, LOCK_EXCLUSIVE);
      if( i==n-1 ) break;
      lockAcquire(s, &k, LOCK_EXCLUSIVE, 0, &wt);
      a[i] = now() - *pRel;
    }
    atomicSetRel(&w[11], 1);
    tOurs = (now()-t)/n/2*1e6;
    nWait = segHeader(lockSegment(p))->stat[STAT_WAITS];
    lockSessionEnd(s);
    lockClose(p);
    if( pid==0 ) _exit(0);
  }
  waitpid(pid, 0, 0);
  printf("bare futex hand-over           %7.2f us\n", tBare);
  qsort(a, (size_t)n, sizeof(double), compareDouble);
  printf("lock hand-over, mean           %7.2f us   (aim 5 times; %.0f%% "
         "waited)\n", tOurs, (double)nWait*50.0/n);
  printf("  release to wake, median      %7.2f us   (aim 50 us)\n",
         a[n/2]*1e6);
  munmap(w, 4096);
  removeFile();
}

/* One and two processes on keys of their own, for half a second. */
static double throughput(int nProc, int nPause){
  u64 *a = mmap(0, 4096, PROT_READ|PROT_WRITE, MAP_SHARED|MAP_ANONYMOUS,-1,0);
  int i;
  double n = 0;
  for(i=0; i<nProc; i++) if( fork()==0 ){
    LockFile *p = openOrDie(zDb);
    LockSession *s = beginOrDie(p);
    double tEnd;
    u64 nDone = 0;
    tEnd = now()+0.5;
    while( now()<tEnd ){
      int j, m;
      for(j=0; j<100; j++){
        LockKey k = keyInt((i64)i*1000000 + j);
        if( lockAcquire(s, &k, LOCK_EXCLUSIVE, 0, 0) ) exit(1);
        lockRelease(s, &k, LOCK_EXCLUSIVE);
        nDone++;
        for(m=0; m<nPause; m++) atomicPause();
      }
    }
    a[i] = nDone;
    _exit(0);
  }
  for(i=0; i<nProc; i++) wait(0);
  for(i=0; i<nProc; i++) n += (double)a[i];
  munmap(a, 4096);
  return n*2;
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
  double a[5], b[5], x[5];
  int i, j;
  zDb = strdup(scratch("lkbench"));
  setvbuf(stdout, 0, _IONBF, 0);
  alarm(120);
  if( n<2 || strchr(az[1], 'f') ) benchFree();
  if( n<2 || strchr(az[1], 'h') ) benchHandover();
  for(j=0; j<2 && (n<2 || strchr(az[1], 't')); j++){
    for(i=0; i<5; i++){
      a[i] = throughput(1, j*24);
      b[i] = throughput(2, j*24);
      x[i] = b[i]/a[i];
      removeFile();
    }
    qsort(x, 5, sizeof(double), compareDouble);
    qsort(a, 5, sizeof(double), compareDouble);
    qsort(b, 5, sizeof(double), compareDouble);
    printf("pairs a second, %s %7.2f M; two processes %.2f M, %.2f times%s\n",
           j ? "and other work   " : "and nothing else ", a[2]/1e6, b[2]/1e6,
           x[2], j ? " (aim 1.5)" : "");
  }
  if( n<2 || strchr(az[1], 'w') ) benchWaiter();
  return 0;
}
