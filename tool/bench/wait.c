/* SPDX-License-Identifier: 0BSD */
/*
** What waiting for locks costs in SQL: the hand-over between two processes, one
** lock that many processes want, the takeover after a kill -9 of the holder,
** threads that sleep, and a wait that begins behind others. Each line prints
** `what: number (aim)`. tool/bench/bench.tcl builds and runs it.
**
**   wait EXTENSION FOLDER [-against LIBRARY] [-r REPETITIONS] [NAME...]
**
** With -against every figure is taken of both libraries, turn about, and the
** second library's stands behind the first's. Times are of the wall clock, so
** other work on the machine counts.
*/
#define _GNU_SOURCE
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include "runner.h"

#define MAX_REP    101
#define MAX_PROC   RUNNER_PROCESSES
#define MAX_SLEEP  1000
#define HANDOVERS  400

static int nRep;
static const char *azLib[2];
static int nLib = 1;

/* Memory that all processes of a figure share. */
typedef struct Shared {
  unsigned nReady, bStop;
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

static sqlite3 *openDb(int iLib){
  char zFile[20];
  sqlite3 *db;
  snprintf(zFile, sizeof(zFile), "wait%d", iLib);
  db = runnerOpen(zFile);
  runnerLoad(db, azLib[iLib]);
  return db;
}

/* Writes one figure of each library; x is the number of processes or threads,
** if that counts. */
static void report(const char *zPart, const char *zWhat, const double *a,
                   const char *zUnit, double aim, int bAtLeast, double x){
  static const char *const azSeries[] = { "Interlock", "against" };
  int i;
  for(i=0; i<nLib; i++){
    runnerFigure(&(Figure){ .zPart = zPart, .zWhat = zWhat, .zUnit = zUnit,
        .value = a[i], .aim = aim, .bAtLeast = bAtLeast, .bX = x>0, .x = x,
        .zSeries = nLib>1 ? azSeries[i] : 0 });
  }
}

/* Runs the processes on one library. */
static void together(int nProc, double s, void (*x)(int iProc, void *pLib),
                     int iLib){
  memset(pSh, 0, sizeof(*pSh));
  runnerTogether(nProc, s, x, &iLib);
}

/* ---- hand-over -------------------------------------------------------- */

/* One process waits, and the other hands over when that is asleep, in turns.
** The time from the hand-over to the return of the wait is noted. Each process
** has a processor of its own, or both share one: left to the kernel, a run
** would be of either kind. */
typedef struct Turns {
  sqlite3_stmt *pLock, *pUnlock;     /* NULL: of a bare futex */
} Turns;
static int aCpu[2];                  /* processor of each process */

/* The first two processors that this program may use; their number. */
static int findCpus(int *a){
  cpu_set_t set;
  int i, n = 0;
  if( sched_getaffinity(0, sizeof(set), &set)!=0 ) return 0;
  for(i=0; i<CPU_SETSIZE && n<2; i++) if( CPU_ISSET(i, &set) ) a[n++] = i;
  return n;
}
static void useCpu(int iCpu){
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(iCpu, &set);
  if( sched_setaffinity(0, sizeof(set), &set)!=0 ){
    perror("wait: sched_setaffinity");
    exit(1);
  }
}

static void untilAsleep(pid_t pid){
  char z[200], *q;
  FILE *f;
  do{
    runnerRest(20e-6);
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
  useCpu(aCpu[iProc]);
  runnerReady();
  if( p->pLock && iProc==0 ) runnerOnce(p->pLock);
  add(&pSh->nReady, 1);
  while( get(&pSh->nReady)<2 ){}
  for(i=0; i<HANDOVERS; i++){
    if( (i&1)==(unsigned)iProc ){
      untilAsleep(pSh->aPid[!iProc]);
      pSh->tPassed = runnerNow();
      if( p->pLock ){
        runnerOnce(p->pUnlock);
      }else{
        set(pWord, i+1);
        syscall(SYS_futex, pWord, FUTEX_WAKE, 1, 0, 0, 0);
      }
    }else{
      if( p->pLock ) runnerOnce(p->pLock);
      while( !p->pLock && get(pWord)==i ){
        syscall(SYS_futex, pWord, FUTEX_WAIT, i, 0, 0, 0);
      }
      pSh->aUs[i] = (runnerNow() - pSh->tPassed)*1e6;
    }
  }
}

static void bare(int iProc, void *pLib){
  Turns a = { 0, 0 };
  (void)pLib;
  turns(iProc, &a);
}

static void passOn(int iProc, void *pLib){
  sqlite3 *db = openDb(*(int*)pLib);
  Turns a;
  a.pLock = runnerPrepare(db, "SELECT advisory_lock(1)");
  a.pUnlock = runnerPrepare(db, "SELECT advisory_unlock(1)");
  turns(iProc, &a);
}

static void handoverOn(int nCpu){
  double aUs[2][MAX_REP], aRatio[2][MAX_REP], us[2], ratio[2];
  int r, i;
  for(r=0; r<nRep; r++){
    double usBare;
    together(2, 0, bare, 0);
    usBare = runnerQuantile(pSh->aUs, HANDOVERS, 0.5);
    for(i=0; i<nLib; i++){
      together(2, 0, passOn, i);
      aUs[i][r] = runnerQuantile(pSh->aUs, HANDOVERS, 0.5);
      aRatio[i][r] = aUs[i][r]/usBare;
    }
  }
  for(i=0; i<nLib; i++){
    us[i] = runnerQuantile(aUs[i], nRep, 0.5);
    ratio[i] = runnerQuantile(aRatio[i], nRep, 0.5);
  }
  report("handover", "a hand-over to a process that sleeps, by processors", us,
         " us", 20, 0, nCpu);
  report("handover", "the same / a bare futex", ratio, "", 2.5, 0, nCpu);
}

static void handover(void){
  int a[2], n = findCpus(a), i;
  for(i=0; i<n; i++){
    aCpu[0] = a[0];
    aCpu[1] = a[i];
    handoverOn(i+1);
  }
  if( n<2 ) printf("handover       skipped: with %d processors\n", n);
}

/* ---- one hot lock ----------------------------------------------------- */

static void wantIt(int iProc, void *pLib){
  sqlite3 *db = openDb(*(int*)pLib);
  sqlite3_stmt *pLock = runnerPrepare(db, "SELECT advisory_lock(2)");
  sqlite3_stmt *pUnlock = runnerPrepare(db, "SELECT advisory_unlock(2)");
  double t;
  runnerReady();
  t = runnerCpu();
  while( !runnerStopped() ){
    runnerOnce(pLock);
    runnerSpin(10e-6);
    pSh->anGrant[iProc]++;
    runnerOnce(pUnlock);
  }
  pSh->usCpu[iProc] = (runnerCpu()-t)*1e6;
}

static void hotOf(int nProc, double aim){
  double aRate[2][MAX_REP], aShare[2][MAX_REP], aCpu[2][MAX_REP], x[2];
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
  for(i=0; i<nLib; i++) x[i] = runnerQuantile(aRate[i], nRep, 0.5);
  report("hot", "one lock, grants a second", x, "", aim, 1, nProc);
  for(i=0; i<nLib; i++) x[i] = runnerQuantile(aShare[i], nRep, 0.5);
  report("hot", "one lock, smallest share / largest", x, "", 0.8, 1, nProc);
  for(i=0; i<nLib; i++) x[i] = runnerQuantile(aCpu[i], nRep, 0.5);
  report("hot", "one lock, processor time a grant", x, " us", 0, 0, nProc);
}

static void hot(void){
  hotOf(2, 0);
  hotOf(8, 30000);
  hotOf(16, 20000);
  hotOf(32, 18000);
  hotOf(64, 0);
}

/* ---- takeover --------------------------------------------------------- */

static void holdAndDie(int iLib){
  sqlite3 *db = openDb(iLib);
  runnerSql(db, "SELECT advisory_lock(3)");
  add(&pSh->nReady, 1);
  for(;;) pause();
}

/* Kills a process after some time, and notes when. */
typedef struct Kill { pid_t pid; double s; } Kill;
static void *killLater(void *pArg){
  Kill *p = pArg;
  runnerRest(p->s);
  pSh->tKill = runnerNow();
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
  if( a.pid==0 ) holdAndDie(iLib);
  while( !get(&pSh->nReady) ) runnerRest(0.001);
  db = openDb(iLib);
  a.s = 0.08 + 0.0037*(iRound%30);
  pthread_create(&thread, 0, killLater, &a);
  runnerSql(db, "SELECT advisory_lock(3)");
  ms = (runnerNow() - pSh->tKill)*1e3;
  pthread_join(thread, 0);
  waitpid(a.pid, 0, 0);
  sqlite3_close(db);
  return ms;
}

static void takeover(void){
  double aMs[2][MAX_REP], x[2];
  int r, i, n = nRep*10<MAX_REP ? nRep*10 : MAX_REP;
  for(r=0; r<n; r++) for(i=0; i<nLib; i++) aMs[i][r] = takeoverOnce(i, r);
  for(i=0; i<nLib; i++) x[i] = runnerQuantile(aMs[i], n, 0.5);
  report("takeover", "kill -9 of the holder to the grant, median", x, " ms",
         2, 0, 0);
  for(i=0; i<nLib; i++) x[i] = runnerQuantile(aMs[i], n, 0.99);
  report("takeover", "the same, p99", x, " ms", 10, 0, 0);
}

/* ---- threads that sleep, and a wait behind them ----------------------- */

static void *sleepMain(void *pArg){
  sqlite3_exec(pArg, "SELECT advisory_lock(4)", 0, 0, 0);
  return 0;
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
  runnerSql(db, "SELECT advisory_lock(4)");
  add(&pSh->nReady, 1);
  while( !get(&pSh->bStop) ) runnerRest(0.01);
  runnerSql(db, "SELECT advisory_unlock(4)");
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
  while( !get(&pSh->nReady) ) runnerRest(0.001);
  p->db = openDb(iLib);
  pthread_attr_init(&attr);
  pthread_attr_setstacksize(&attr, 256*1024);
  for(i=0; i<n; i++){
    p->aDb[i] = openDb(iLib);
    pthread_create(&p->aThread[i], &attr, sleepMain, p->aDb[i]);
  }
  while( runnerInt(p->db, "SELECT count(*) FROM advisory_locks"
                           " WHERE NOT granted")<n ) runnerRest(0.05);
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
  runnerRest(4);                     /* the first looks prepare statements */
  t = runnerCpu();
  runnerRest(2);
  x = (runnerCpu()-t)/2*100;
  sleepersEnd();
  return x;
}

static void sleeps(void){
  static const int aN[] = { 1, 100, 1000 };
  double x[2];
  int i, k;
  for(k=0; k<3; k++){
    for(i=0; i<nLib; i++) x[i] = sleeping(aN[k], i);
    report("sleep", "threads asleep, of one processor", x, " %",
           aN[k]==1000 ? 2 : 0, 0, aN[k]);
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
  runnerSql(db, "SELECT advisory_lock(5); SELECT advisory_lock_timeout(1)");
  pStmt = runnerPrepare(db, "SELECT advisory_lock(4)");
  for(i=0; i<30; i++){
    double t = runnerThreadCpu();
    sqlite3_step(pStmt);
    a[i] = (runnerThreadCpu()-t)*1e3;
    sqlite3_reset(pStmt);
  }
  sqlite3_finalize(pStmt);
  sqlite3_close(db);
  sleepersEnd();
  return runnerQuantile(a, 30, 0.5);
}

static void behind(void){
  static const int aN[] = { 1, 200, 1000 };
  double x[2];
  int i, k;
  for(k=0; k<3; k++){
    for(i=0; i<nLib; i++) x[i] = behindOnce(aN[k], i);
    report("behind", "a wait of 1 ms behind others", x, " ms", 0.2, 0, aN[k]);
  }
}

/* ---- main ------------------------------------------------------------- */

static const struct { const char *zName; void (*x)(void); } aPart[] = {
  { "handover", handover }, { "hot", hot }, { "takeover", takeover },
  { "sleep", sleeps }, { "behind", behind }
};

static int option(const char *zName, const char *zValue){
  if( strcmp(zName, "-against")!=0 ) return 0;
  azLib[1] = zValue;
  nLib = 2;
  return 1;
}

int main(int argc, char **argv){
  size_t i;
  int k;
  runnerBegin("wait", "handover hot takeover sleep behind", "-against", option,
              argc, argv);
  azLib[0] = runnerExtension;
  nRep = runnerRepetitions(5, MAX_REP);
  pSh = runnerShare(sizeof(*pSh));
  for(k=0; k<nLib; k++){
    char zFile[20];
    sqlite3 *db;
    snprintf(zFile, sizeof(zFile), "wait%d", k);
    runnerRemove(zFile);
    db = openDb(k);
    runnerSql(db, "PRAGMA journal_mode=WAL; CREATE TABLE t(a)");
    sqlite3_close(db);
  }
  for(i=0; i<sizeof(aPart)/sizeof(aPart[0]); i++){
    if( runnerWants(aPart[i].zName) ) aPart[i].x();
  }
  return 0;
}
