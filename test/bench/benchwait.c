/* SPDX-License-Identifier: 0BSD */
/*
** What waiting for locks costs in SQL: the hand-over between two processes, one
** lock that many processes want, the takeover after a kill -9 of the holder,
** threads that sleep, and a wait that begins behind others. Each line prints
** `what: number (aim)`. tool/bench.tcl builds and runs it.
**
**   benchwait EXTENSION FOLDER [-against LIBRARY] [-r REPETITIONS] [NAME...]
**
** With -against every figure is taken of both libraries, turn about, and the
** second library's stands behind the first's. Times are of the wall clock, so
** other work on the machine counts.
*/
#define _GNU_SOURCE
#include <linux/futex.h>
#include <pthread.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MAX_REP    101
#define MAX_PROC   64
#define MAX_SLEEP  1000
#define HANDOVERS  400

static int nRep = 5;
static const char *azLib[2];
static int nLib = 1;
static const char *zFolder;

/* Memory that all processes of a figure share. */
typedef struct Shared {
  unsigned nReady, bGo, bStop;
  unsigned word;                     /* of the bare futex */
  pid_t aPid[2];
  double tKill, tPassed;             /* when it was killed, or handed over */
  double aUs[HANDOVERS];             /* what each hand-over took */
  double usCpu[MAX_PROC];            /* processor time of each process */
  unsigned anGrant[MAX_PROC];
} Shared;
static Shared *pSh;

/* ---- helpers ---------------------------------------------------------- */

#define get(p)    __atomic_load_n((p), __ATOMIC_ACQUIRE)
#define set(p,v)  __atomic_store_n((p), (v), __ATOMIC_RELEASE)
#define add(p,v)  __atomic_fetch_add((p), (v), __ATOMIC_ACQ_REL)

static void check(sqlite3 *db, int rc, const char *zSql){
  if( rc==SQLITE_OK || rc==SQLITE_ROW || rc==SQLITE_DONE ) return;
  fprintf(stderr, "benchwait: %s: %s\n", sqlite3_errmsg(db), zSql);
  _exit(1);
}

static void run(sqlite3 *db, const char *zSql){
  check(db, sqlite3_exec(db, zSql, 0, 0, 0), zSql);
}

static sqlite3 *openDb(int iLib){
  sqlite3 *db;
  char *zPath = sqlite3_mprintf("%s/wait%d.db", zFolder, iLib);
  check(0, sqlite3_open(zPath, &db), zPath);
  sqlite3_free(zPath);
  sqlite3_db_config(db, SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 1, (int*)0);
  check(db, sqlite3_load_extension(db, azLib[iLib], 0, 0), azLib[iLib]);
  return db;
}

static sqlite3_stmt *prepare(sqlite3 *db, const char *zSql){
  sqlite3_stmt *pStmt = 0;
  check(db, sqlite3_prepare_v2(db, zSql, -1, &pStmt, 0), zSql);
  return pStmt;
}

static void once(sqlite3_stmt *pStmt){
  check(sqlite3_db_handle(pStmt), sqlite3_step(pStmt), sqlite3_sql(pStmt));
  sqlite3_reset(pStmt);
}

static double clockOf(clockid_t e){
  struct timespec t;
  clock_gettime(e, &t);
  return (double)t.tv_sec + (double)t.tv_nsec*1e-9;
}
static double now(void){ return clockOf(CLOCK_MONOTONIC); }
static double cpu(void){ return clockOf(CLOCK_PROCESS_CPUTIME_ID); }

static void rest(double s){
  struct timespec t = { (time_t)s, (long)((s-(double)(time_t)s)*1e9) };
  nanosleep(&t, 0);
}
static void spin(double s){
  double tEnd = now() + s;
  while( now()<tEnd ){}
}

static int compare(const void *a, const void *b){
  double x = *(const double*)a, y = *(const double*)b;
  return x<y ? -1 : x>y;
}
/* The element of a at part x of the way through its order. */
static double quantile(double *a, int n, double x){
  qsort(a, (size_t)n, sizeof(a[0]), compare);
  return a[(int)(x*(n-1)+0.5)];
}

/* Prints one figure of each library. */
static void report(const char *zName, const char *zWhat, const double *a,
                   const char *zUnit, const char *zAim){
  int i;
  printf("%-10s %s:", zName, zWhat);
  for(i=0; i<nLib; i++){
    printf(a[i]<10 ? " %.2f%s" : " %.0f%s", a[i], zUnit);
    if( i+1<nLib ) printf(",");
  }
  printf(" (aim %s)\n", zAim);
  fflush(stdout);
}

static void shareMemory(void){
  pSh = mmap(0, sizeof(*pSh), PROT_READ|PROT_WRITE, MAP_SHARED|MAP_ANONYMOUS,
             -1, 0);
  if( pSh==MAP_FAILED ) exit(1);
}

/* Starts nProc processes that run x, lets them go when all are ready, and stops
** them after some seconds, or waits for their end if that is 0. */
static void together(int nProc, double s, void (*x)(int iProc, int iLib),
                     int iLib){
  pid_t aPid[MAX_PROC];
  int i;
  memset(pSh, 0, sizeof(*pSh));
  for(i=0; i<nProc; i++){
    aPid[i] = fork();
    if( aPid[i]==0 ){
      x(i, iLib);
      _exit(0);
    }
  }
  while( get(&pSh->nReady)<(unsigned)nProc ) rest(0.001);
  set(&pSh->bGo, 1);
  if( s>0 ){
    rest(s);
    set(&pSh->bStop, 1);
  }
  for(i=0; i<nProc; i++) waitpid(aPid[i], 0, 0);
}
static void ready(void){
  add(&pSh->nReady, 1);
  while( !get(&pSh->bGo) ) rest(0.0005);
}

/* ---- hand-over --------------------------------------------------------- */

/* One process waits, and the other hands over when that is asleep, in turns.
** The time from the hand-over to the return of the wait is noted. */
typedef struct Turns {
  sqlite3_stmt *pLock, *pUnlock;     /* NULL: of a bare futex */
} Turns;

static void untilAsleep(pid_t pid){
  char z[200], *q;
  FILE *f;
  do{
    rest(20e-6);
    snprintf(z, sizeof(z), "/proc/%d/stat", (int)pid);
    f = fopen(z, "r");
    z[0] = 0;
    if( f ){
      if( fgets(z, sizeof(z), f)==0 ) z[0] = 0;
      fclose(f);
    }
    q = strrchr(z, ')');
  }while( q && q[1] && q[2]!='S' );
}

static void turns(int iProc, const Turns *p){
  unsigned *pWord = &pSh->word, i;
  pSh->aPid[iProc] = getpid();
  ready();
  if( p->pLock && iProc==0 ) once(p->pLock);
  add(&pSh->nReady, 1);
  while( get(&pSh->nReady)<4 ){}
  for(i=0; i<HANDOVERS; i++){
    if( (i&1)==(unsigned)iProc ){
      untilAsleep(pSh->aPid[!iProc]);
      pSh->tPassed = now();
      if( p->pLock ){
        once(p->pUnlock);
      }else{
        set(pWord, i+1);
        syscall(SYS_futex, pWord, FUTEX_WAKE, 1, 0, 0, 0);
      }
    }else{
      if( p->pLock ) once(p->pLock);
      while( !p->pLock && get(pWord)==i ){
        syscall(SYS_futex, pWord, FUTEX_WAIT, i, 0, 0, 0);
      }
      pSh->aUs[i] = (now() - pSh->tPassed)*1e6;
    }
  }
}

static void bare(int iProc, int iLib){
  Turns a = { 0, 0 };
  (void)iLib;
  turns(iProc, &a);
}

static void passOn(int iProc, int iLib){
  sqlite3 *db = openDb(iLib);
  Turns a;
  a.pLock = prepare(db, "SELECT advisory_lock(1)");
  a.pUnlock = prepare(db, "SELECT advisory_unlock(1)");
  turns(iProc, &a);
}

static void handover(void){
  double aUs[2][MAX_REP], aRatio[2][MAX_REP], us[2], ratio[2];
  int r, i;
  for(r=0; r<nRep; r++){
    double usBare;
    together(2, 0, bare, 0);
    usBare = quantile(pSh->aUs, HANDOVERS, 0.5);
    for(i=0; i<nLib; i++){
      together(2, 0, passOn, i);
      aUs[i][r] = quantile(pSh->aUs, HANDOVERS, 0.5);
      aRatio[i][r] = aUs[i][r]/usBare;
    }
  }
  for(i=0; i<nLib; i++){
    us[i] = quantile(aUs[i], nRep, 0.5);
    ratio[i] = quantile(aRatio[i], nRep, 0.5);
  }
  report("handover", "a hand-over to a process that sleeps", us, " us", "20");
  report("handover", "the same / a bare futex", ratio, "", "2.5");
}

/* ---- one hot lock ------------------------------------------------------ */

static void wantIt(int iProc, int iLib){
  sqlite3 *db = openDb(iLib);
  sqlite3_stmt *pLock = prepare(db, "SELECT advisory_lock(2)");
  sqlite3_stmt *pUnlock = prepare(db, "SELECT advisory_unlock(2)");
  double t;
  ready();
  t = cpu();
  while( !get(&pSh->bStop) ){
    once(pLock);
    spin(10e-6);
    pSh->anGrant[iProc]++;
    once(pUnlock);
  }
  pSh->usCpu[iProc] = (cpu()-t)*1e6;
}

static void hotOf(int nProc, const char *zAim){
  double aRate[2][MAX_REP], aShare[2][MAX_REP], aCpu[2][MAX_REP], x[2];
  char zWhat[100];
  int r, i, k;
  for(r=0; r<nRep; r++) for(i=0; i<nLib; i++){
    unsigned n = 0, nMin = ~0u, nMax = 0;
    double us = 0;
    together(nProc, 0.7, wantIt, i);
    for(k=0; k<nProc; k++){
      n += pSh->anGrant[k];
      us += pSh->usCpu[k];
      if( pSh->anGrant[k]<nMin ) nMin = pSh->anGrant[k];
      if( pSh->anGrant[k]>nMax ) nMax = pSh->anGrant[k];
    }
    aRate[i][r] = n/0.7;
    aShare[i][r] = (double)nMin/nMax;
    aCpu[i][r] = us/n;
  }
  snprintf(zWhat, sizeof(zWhat), "%d processes, one lock, grants a second",
           nProc);
  for(i=0; i<nLib; i++) x[i] = quantile(aRate[i], nRep, 0.5);
  report("hot", zWhat, x, "", zAim);
  for(i=0; i<nLib; i++) x[i] = quantile(aShare[i], nRep, 0.5);
  report("hot", "  smallest share / largest", x, "", "0.8");
  for(i=0; i<nLib; i++) x[i] = quantile(aCpu[i], nRep, 0.5);
  report("hot", "  processor time a grant", x, " us", "none");
}

static void hot(void){
  hotOf(2, "none");
  hotOf(8, "30000");
  hotOf(16, "20000");
  hotOf(32, "18000");
  hotOf(64, "none");
}

/* ---- takeover ---------------------------------------------------------- */

static void holdAndDie(int iProc, int iLib){
  sqlite3 *db = openDb(iLib);
  (void)iProc;
  run(db, "SELECT advisory_lock(3)");
  add(&pSh->nReady, 1);
  for(;;) pause();
}

/* Kills a process after some time, and notes when. */
typedef struct Kill { pid_t pid; double s; } Kill;
static void *killLater(void *pArg){
  Kill *p = pArg;
  rest(p->s);
  pSh->tKill = now();
  kill(p->pid, SIGKILL);
  return 0;
}

/* The milliseconds from the kill of the holder to the grant. */
static double takeoverOnce(int iLib, int iRound){
  sqlite3 *db;
  pthread_t thread;
  double ms;
  Kill a;
  memset(pSh, 0, sizeof(*pSh));
  a.pid = fork();
  if( a.pid==0 ) holdAndDie(0, iLib);
  while( !get(&pSh->nReady) ) rest(0.001);
  db = openDb(iLib);
  a.s = 0.08 + 0.0037*(iRound%30);
  pthread_create(&thread, 0, killLater, &a);
  run(db, "SELECT advisory_lock(3)");
  ms = (now() - pSh->tKill)*1e3;
  pthread_join(thread, 0);
  waitpid(a.pid, 0, 0);
  sqlite3_close(db);
  return ms;
}

static void takeover(void){
  double aMs[2][MAX_REP], x[2];
  int r, i, n = nRep*10<MAX_REP ? nRep*10 : MAX_REP;
  for(r=0; r<n; r++) for(i=0; i<nLib; i++) aMs[i][r] = takeoverOnce(i, r);
  for(i=0; i<nLib; i++) x[i] = quantile(aMs[i], n, 0.5);
  report("takeover", "kill -9 of the holder to the grant, median", x, " ms",
         "2 ms");
  for(i=0; i<nLib; i++) x[i] = quantile(aMs[i], n, 0.99);
  report("takeover", "the same, p99", x, " ms", "10 ms");
}

/* ---- threads that sleep, and a wait behind them ------------------------ */

static void *sleepMain(void *pArg){
  sqlite3_exec(pArg, "SELECT advisory_lock(4)", 0, 0, 0);
  return 0;
}

static unsigned count(sqlite3 *db, const char *zSql){
  sqlite3_stmt *pStmt = prepare(db, zSql);
  unsigned n = 0;
  if( sqlite3_step(pStmt)==SQLITE_ROW ){
    n = (unsigned)sqlite3_column_int(pStmt, 0);
  }
  sqlite3_finalize(pStmt);
  return n;
}

/* Lets n threads wait for a lock of another process. */
typedef struct Sleepers {
  sqlite3 *aDb[MAX_SLEEP], *db;
  pthread_t aThread[MAX_SLEEP];
  pid_t pid;
  int n;
} Sleepers;
static Sleepers sleepers;

static void holdFour(int iLib){
  sqlite3 *db = openDb(iLib);
  run(db, "SELECT advisory_lock(4)");
  add(&pSh->nReady, 1);
  while( !get(&pSh->bStop) ) rest(0.01);
  run(db, "SELECT advisory_unlock(4)");
  sqlite3_close(db);
  _exit(0);
}

static void sleepersStart(int n, int iLib){
  Sleepers *p = &sleepers;
  pthread_attr_t attr;
  int i;
  memset(pSh, 0, sizeof(*pSh));
  p->n = n;
  p->pid = fork();
  if( p->pid==0 ) holdFour(iLib);
  while( !get(&pSh->nReady) ) rest(0.001);
  p->db = openDb(iLib);
  pthread_attr_init(&attr);
  pthread_attr_setstacksize(&attr, 256*1024);
  for(i=0; i<n; i++){
    p->aDb[i] = openDb(iLib);
    pthread_create(&p->aThread[i], &attr, sleepMain, p->aDb[i]);
  }
  while( count(p->db, "SELECT count(*) FROM advisory_locks WHERE NOT granted")
         <(unsigned)n ) rest(0.05);
}

static void sleepersEnd(void){
  Sleepers *p = &sleepers;
  int i;
  for(i=0; i<p->n; i++) sqlite3_interrupt(p->aDb[i]);
  for(i=0; i<p->n; i++){
    pthread_join(p->aThread[i], 0);
    sqlite3_close(p->aDb[i]);
  }
  set(&pSh->bStop, 1);
  waitpid(p->pid, 0, 0);
  sqlite3_close(p->db);
}

static double sleeping(int n, int iLib){
  double t, x;
  sleepersStart(n, iLib);
  rest(4);                           /* the first looks prepare statements */
  t = cpu();
  rest(2);
  x = (cpu()-t)/2*100;
  sleepersEnd();
  return x;
}

static void sleeps(void){
  static const int aN[] = { 1, 100, 1000 };
  double x[2];
  char zWhat[100];
  int i, k;
  for(k=0; k<3; k++){
    for(i=0; i<nLib; i++) x[i] = sleeping(aN[k], i);
    snprintf(zWhat, sizeof(zWhat), "%d threads asleep, of one processor",
             aN[k]);
    report("sleep", zWhat, x, " %", "2 % at 1000");
  }
}

/* Processor time of a request that waits behind n others, for a millisecond. */
static double behindOnce(int n, int iLib){
  double a[30];
  sqlite3_stmt *pStmt;
  sqlite3 *db;
  int i;
  sleepersStart(n, iLib);
  db = openDb(iLib);
  run(db, "SELECT advisory_lock(5); SELECT advisory_lock_timeout(1)");
  pStmt = prepare(db, "SELECT advisory_lock(4)");
  for(i=0; i<30; i++){
    double t = clockOf(CLOCK_THREAD_CPUTIME_ID);
    sqlite3_step(pStmt);
    a[i] = (clockOf(CLOCK_THREAD_CPUTIME_ID)-t)*1e3;
    sqlite3_reset(pStmt);
  }
  sqlite3_finalize(pStmt);
  sqlite3_close(db);
  sleepersEnd();
  return quantile(a, 30, 0.5);
}

static void behind(void){
  static const int aN[] = { 1, 200, 1000 };
  double x[2];
  char zWhat[100];
  int i, k;
  for(k=0; k<3; k++){
    for(i=0; i<nLib; i++) x[i] = behindOnce(aN[k], i);
    snprintf(zWhat, sizeof(zWhat), "a wait of 1 ms behind %d others", aN[k]);
    report("behind", zWhat, x, " ms", "0.2 ms");
  }
}

/* ---- main ------------------------------------------------------------- */

static const struct { const char *zName; void (*x)(void); } aPart[] = {
  { "handover", handover }, { "hot", hot }, { "takeover", takeover },
  { "sleep", sleeps }, { "behind", behind }
};

static int wanted(const char *zName, int argc, char **argv){
  int i;
  for(i=0; i<argc; i++){
    if( strcmp(argv[i], zName)==0 ) return 1;
  }
  return argc==0;
}

static void removeOld(int iLib){
  static const char *const azTail[] = { "", "-wal", "-shm", "-interlock" };
  int i;
  for(i=0; i<4; i++){
    char *z = sqlite3_mprintf("%s/wait%d.db%s", zFolder, iLib, azTail[i]);
    remove(z);
    sqlite3_free(z);
  }
}

int main(int argc, char **argv){
  size_t i;
  int k;
  if( argc<3 ) return 2;
  azLib[0] = argv[1];
  zFolder = argv[2];
  argc -= 3; argv += 3;
  while( argc>1 && argv[0][0]=='-' ){
    if( strcmp(argv[0], "-against")==0 ){
      azLib[1] = argv[1];
      nLib = 2;
    }
    if( strcmp(argv[0], "-r")==0 ) nRep = atoi(argv[1]);
    argc -= 2; argv += 2;
  }
  if( nRep<1 || nRep>MAX_REP ) nRep = 5;
  shareMemory();
  for(k=0; k<nLib; k++){
    sqlite3 *db;
    removeOld(k);
    db = openDb(k);
    run(db, "PRAGMA journal_mode=WAL; CREATE TABLE t(a)");
    sqlite3_close(db);
  }
  for(i=0; i<sizeof(aPart)/sizeof(aPart[0]); i++){
    if( wanted(aPart[i].zName, argc, argv) ) aPart[i].x();
  }
  return 0;
}
