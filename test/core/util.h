/* SPDX-License-Identifier: 0BSD */
/*
** util.h: what the lock manager's C tests share.  Every program prints
** "N errors out of M tests" last and exits 1 if N is not 0; test/lock.test
** runs them.
*/
#ifndef LOCK_TEST_UTIL_H
#define LOCK_TEST_UTIL_H

#define _GNU_SOURCE
#include "../../ext/core/check.h"
#include "../../ext/core/lockint.h"
#include "../../ext/core/mutex.h"
#include "../../ext/core/process.h"
#include "../../ext/core/rebuild.h"
#include "../../ext/core/writer.h"
#include "../../ext/core/graph.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static int nTest, nError;
#define CHECK(x) do{ nTest++; if( !(x) ){ nError++; \
  fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #x); } }while(0)
#define CHECK_EQ(a,b) do{ long long x_=(long long)(a), y_=(long long)(b); \
  nTest++; if( x_!=y_ ){ nError++; fprintf(stderr, \
  "%s:%d: %s is %lld, expected %lld\n", __FILE__, __LINE__, #a, x_, y_); } \
  }while(0)

/* The seeded mistake that this run has: LOCK_BUG in the environment. */
#ifdef INTERLOCK_BUGS
static int iSeededBug;
int seededBug(void){ return iSeededBug; }
__attribute__((constructor)) static void chooseBug(void){
  const char *z = getenv("LOCK_BUG");
  iSeededBug = z ? atoi(z) : 0;
}
#endif

static inline int finish(const char *zName){
  printf("%s: %d errors out of %d tests\n", zName, nError, nTest);
  fflush(stdout);
  return nError!=0;
}

static inline u64 rnd(u64 *p){          /* xorshift64* */
  *p ^= *p>>12;
  *p ^= *p<<25;
  *p ^= *p>>27;
  return *p * 0x2545F4914F6CDD1DULL;
}

static const LockMem sysMem = { malloc, free };

static inline LockKey keyInt(i64 i){
  LockKey k;
  keyMake(&k, KEY_INTEGER, &i, 8);
  return k;
}
static inline LockKey keyText(const char *z){
  LockKey k;
  keyMake(&k, KEY_TEXT, z, (u32)strlen(z));
  return k;
}

/* Signals one process that the caller started.  A pid of -1 would mean all. */
static inline void signalOne(pid_t pid, int iSignal){
  if( pid>1 ) kill(pid, iSignal);
}

static inline double seconds(void){ return (double)osMonotonicUs()/1e6; }

/* A sleep of the test, whose thread may play one that is stopped inside. */
static inline void restUs(i64 us){
  struct timespec t = { (time_t)(us/1000000), (long)(us%1000000)*1000 };
  nanosleep(&t, 0);
}

/* The state of a thread of this process, as the kernel shows it: 'S' asleep. */
static inline int threadState(int tid){
  char z[200], *q;
  ssize_t n;
  int fd;
  snprintf(z, sizeof z, "/proc/self/task/%d/stat", tid);
  fd = open(z, O_RDONLY);
  n = fd<0 ? 0 : read(fd, z, sizeof(z)-1);
  if( fd>=0 ) close(fd);
  z[n>0 ? n : 0] = 0;
  q = strrchr(z, ')');
  return q && q[1] ? q[2] : 0;
}

/* Returns when the thread that stores its number in *piTid is asleep. */
static inline void untilAsleep(const u32 *piTid){
  while( atomicGetAcq(piTid)==0
      || threadState((int)atomicGetAcq(piTid))!='S' ){
    restUs(100);
  }
}

/* This thread plays another one, which is inside the mutex from the first of
** these calls to the second.  The rules of one thread must not bind both. */
static inline int otherEnters(Seg *p){
  int e = mutexTry(p, 0);
  ruleReset();
  return e;
}
static inline void otherLeaves(Seg *p){
  if( !ruleHolds(RANK_MUTEX, p) ) ruleEnter(RANK_MUTEX, p);
  while( mutexLeave(p) ) sessionSweepAll(p);
}

/* The name of a file of this program. */
static inline const char *scratch(const char *zName){
  static char a[4][300];
  static int i;
  const char *zDir = getenv("LOCK_TEST_DIR");
  char *z = a[i = (i+1)%4];
  snprintf(z, sizeof(a[0]), "%s/%s-%d", zDir ? zDir : "/tmp", zName,
           (int)getpid());
  return z;
}

/* 1 if a guard word counts less than what is granted.  No other process may
** store meanwhile. */
static inline int guardTooLow(Seg *p){
  u32 aCount[SEG_GUARDS] = { 0 }, i, nUsed = segHeader(p)->usedRecord;
  for(i=1; i<=nUsed && i<=p->nRecord; i++){
    SegRecord *r = segRecord(p, i);
    if( SEG_STATE(atomicGet(&r->state))!=SEG_GRANTED ) continue;
    if( REC_KIND(r)==KEY_TABLE ) aCount[r->hash%SEG_GUARDS]++;
  }
  for(i=0; i<SEG_GUARDS; i++){
    if( atomicGet(&segHeader(p)->guard[i])<aCount[i] ) return 1;
  }
  return 0;
}

/* The same at a numbered store, if this process is inside the mutex. */
static inline int guardTooLowHere(LockFile *pF){
  Seg *p = pF ? lockSegment(pF) : 0;
  if( p==0 || p->pBase==0 || segHeader(p)->usedRecord>300 ) return 0;
  if( MUTEX_OWNER(atomicGet(&segHeader(p)->mutex))!=p->iNumber ) return 0;
  return guardTooLow(p);
}

/* The key of a row as the layer above makes it, and the key of a table. */
static inline LockKey keyRow(const char *zTable, i64 i){
  LockKey k;
  char z[100];
  u32 n = (u32)strlen(zTable)+1;
  memset(z, 0, sizeof z);
  memcpy(z, zTable, n);
  n = (n+3)/4*4;
  memcpy(z+n, &i, 8);
  keyMake(&k, KEY_ROW, z, n+8);
  return k;
}
static inline LockKey keyTable(const char *z){
  LockKey k;
  keyMake(&k, KEY_TABLE, z, (u32)strlen(z));
  return k;
}

static inline LockFile *openOrDie(const char *zDb){
  LockFile *pF = 0;
  LockRc rc = lockOpen(&sysMem, zDb, 1, &pF);
  if( rc!=LOCK_OK ){
    fprintf(stderr, "lockOpen %s: %d\n", zDb, rc);
    _exit(99);
  }
  return pF;
}
static inline LockSession *beginOrDie(LockFile *pF){
  LockSession *p = 0;
  LockRc rc = lockSessionBegin(pF, &p);
  if( rc!=LOCK_OK ){
    fprintf(stderr, "lockSessionBegin: %d\n", rc);
    _exit(98);
  }
  return p;
}
#endif
