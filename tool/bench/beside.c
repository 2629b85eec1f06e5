/* SPDX-License-Identifier: 0BSD */
/*
** Interlock's advisory locks beside other ways to take a lock (contender.h): a
** lock that is free (`beside-free`), locks that 2 to 64 processes want
** (`beside-contended`), and the time from the death of a holder by kill -9 to
** the next grant (`beside-takeover`). A contender whose server is missing is
** skipped by name.
**
**   beside EXTENSION FOLDER [-r REPETITIONS] [-s SECONDS] [NAME...]
**
** The contenders take turns in each repetition; medians of repetitions. Times
** are of the wall clock, but for processor time, which is that of the
** processes that lock, without that of servers.
*/
#define _GNU_SOURCE
#include <math.h>
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include "contender.h"
#include "runner.h"

#define MAX_REP        31
#define MAX_CONTENDER  16
#define MAX_SAMPLE     20000        /* waits that a process keeps */
#define HOLD_S         10e-6
#define FREE_ROUNDS    2000
#define TAKEOVERS      20

static double nSecond = 0.4;
static const Contender *apHere[MAX_CONTENDER];
static int nHere;

/* ---- a free lock ------------------------------------------------------ */

/* The rounds of one repetition: the time of each. */
static void freeRounds(const Contender *p, void *pOpen, double *aUs){
  int i;
  for(i=0; i<FREE_ROUNDS; i++){
    double t = runnerNow();
    p->xLock(pOpen, i%CONTENDER_KEYS);
    p->xUnlock(pOpen, i%CONTENDER_KEYS);
    aUs[i] = (runnerNow() - t)*1e6;
  }
}

static void besideFree(void){
  static double aAll[MAX_CONTENDER][MAX_REP*FREE_ROUNDS];
  static double aMedian[MAX_CONTENDER][MAX_REP];
  void *apOpen[MAX_CONTENDER];
  int nRep = runnerRepetitions(5, MAX_REP), r, i;
  for(i=0; i<nHere; i++) apOpen[i] = apHere[i]->xOpen();
  for(r=-1; r<nRep; r++) for(i=0; i<nHere; i++){
    /* The first round warms up, and is overwritten. */
    double *a = aAll[i] + (r<0 ? 0 : r)*FREE_ROUNDS;
    double aSorted[FREE_ROUNDS];
    freeRounds(apHere[i], apOpen[i], a);
    memcpy(aSorted, a, sizeof(aSorted));
    aMedian[i][r<0 ? 0 : r] = runnerMedian(aSorted, FREE_ROUNDS);
  }
  for(i=0; i<nHere; i++){
    int n = nRep*FREE_ROUNDS;
    runnerFigure(&(Figure){ .zPart = "beside-free", .zUnit = " us",
        .zWhat = "a free lock and its unlock", .zSeries = apHere[i]->zName,
        .value = runnerMedian(aMedian[i], nRep),
        .spread = runnerSpread(aMedian[i], nRep),
        .p50 = runnerMedian(aAll[i], n), .p99 = runnerQuantile(aAll[i], n, .99),
        .p999 = runnerQuantile(aAll[i], n, .999) });
  }
}

/* ---- locks that many want --------------------------------------------- */

/* What the processes of a run report, in shared memory. */
typedef struct Share {
  int nGrant, nSample;
  double sCpu;
  float aUs[MAX_SAMPLE];
} Share;
static Share *aShare;

typedef struct Run {
  const Contender *p;
  int nKey;
} Run;

static void wantKeys(int iProcess, void *pArg){
  const Run *pRun = pArg;
  const Contender *p = pRun->p;
  Share *pShare = &aShare[iProcess];
  unsigned x = (unsigned)iProcess*7919u + 1u;
  void *pOpen = p->xOpen();
  double sCpu;
  runnerReady();
  sCpu = runnerCpu();
  while( !runnerStopped() ){
    double t = runnerNow();
    int iKey;
    x = x*1103515245u + 12345u;
    iKey = (int)((x>>8)%(unsigned)pRun->nKey);
    p->xLock(pOpen, iKey);
    t = runnerNow() - t;
    /* A long run overwrites its first samples. */
    pShare->aUs[pShare->nSample++%MAX_SAMPLE] = (float)(t*1e6);
    runnerSpin(HOLD_S);
    pShare->nGrant++;
    p->xUnlock(pOpen, iKey);
  }
  pShare->sCpu = runnerCpu() - sCpu;
}

/* One run of a contender. */
typedef struct Result {
  double rate, share, cpu;         /* cpu: seconds a million grants */
  double p50, p99, max;            /* waits in us */
} Result;

static Result contest(const Contender *p, int nProcess, int nKey){
  static double aUs[RUNNER_PROCESSES*MAX_SAMPLE];
  Run run = { p, nKey };
  Result r = { 0, 0, 0, 0, 0, 0 };
  int i, k, n = 0, nGrant = 0, nMin = 1<<30, nMax = 0;
  memset(aShare, 0, sizeof(aShare[0])*RUNNER_PROCESSES);
  runnerTogether(nProcess, nSecond, wantKeys, &run);
  for(i=0; i<nProcess; i++){
    Share *q = &aShare[i];
    nGrant += q->nGrant;
    if( q->nGrant<nMin ) nMin = q->nGrant;
    if( q->nGrant>nMax ) nMax = q->nGrant;
    r.cpu += q->sCpu;
    for(k=0; k<q->nSample && k<MAX_SAMPLE; k++) aUs[n++] = q->aUs[k];
  }
  r.rate = nGrant/nSecond;
  r.share = nMax ? (double)nMin/nMax : 0;
  r.cpu = nGrant ? r.cpu/nGrant*1e6 : 0;
  r.p50 = runnerQuantile(aUs, n, .5);
  r.p99 = runnerQuantile(aUs, n, .99);
  r.max = runnerQuantile(aUs, n, 1);
  return r;
}

/* Writes the figures of a contender with so many processes: medians of the
** repetitions. */
static void contestFigures(const char *zSeries, int nProcess, int nKey,
                           const Result *aRep, int nRep){
  static const struct {
    const char *zWhat, *zUnit;
    size_t iField;
  } aFigure[] = {
    { "grants a second", "", offsetof(Result, rate) },
    { "smallest share / largest", "", offsetof(Result, share) },
    { "processor seconds a million grants", " s", offsetof(Result, cpu) },
    { "wait, median", " us", offsetof(Result, p50) },
    { "wait, p99", " us", offsetof(Result, p99) },
    { "wait, longest", " us", offsetof(Result, max) },
  };
  size_t f;
  for(f=0; f<sizeof(aFigure)/sizeof(aFigure[0]); f++){
    double a[MAX_REP];
    char zWhat[80];
    int r;
    for(r=0; r<nRep; r++){
      memcpy(&a[r], (const char*)&aRep[r] + aFigure[f].iField, sizeof(a[0]));
    }
    snprintf(zWhat, sizeof(zWhat), "%s, %s",
             nKey==1 ? "one lock" : "1,000 locks", aFigure[f].zWhat);
    runnerFigure(&(Figure){ .zPart = "beside-contended", .zWhat = zWhat,
        .zUnit = aFigure[f].zUnit, .zSeries = zSeries, .bX = 1, .x = nProcess,
        .value = runnerMedian(a, nRep), .spread = runnerSpread(a, nRep) });
  }
}

static void besideContended(void){
  static const int aProcess[] = { 2, 4, 8, 16, 32, 64 };
  static const int aKey[] = { 1, CONTENDER_KEYS };
  static Result aResult[MAX_CONTENDER][MAX_REP];
  int nRep = runnerRepetitions(3, MAX_REP), i, j, k, r;
  aShare = runnerShare(sizeof(aShare[0])*RUNNER_PROCESSES);
  for(k=0; k<2; k++) for(j=0; j<6; j++){
    for(r=0; r<nRep; r++) for(i=0; i<nHere; i++){
      aResult[i][r] = contest(apHere[i], aProcess[j], aKey[k]);
    }
    for(i=0; i<nHere; i++){
      contestFigures(apHere[i]->zName, aProcess[j], aKey[k], aResult[i], nRep);
    }
  }
}

/* ---- takeover --------------------------------------------------------- */

typedef struct Death {
  int bHeld;
  double tKill;
} Death;
static Death *pDeath;

/* Kills a process after some time, and notes when. */
typedef struct Kill { pid_t pid; double s; } Kill;
static void *killLater(void *pArg){
  Kill *p = pArg;
  runnerRest(p->s);
  pDeath->tKill = runnerNow();
  kill(p->pid, SIGKILL);
  return 0;
}

/* The milliseconds from the kill of the holder to the grant of the waiter. */
static double takeover(const Contender *p, int iRound){
  pthread_t thread;
  Kill a;
  void *pOpen;
  double ms;
  memset(pDeath, 0, sizeof(*pDeath));
  fflush(stdout);
  a.pid = fork();
  if( a.pid==0 ){
    contenderDies = 1;
    pOpen = p->xOpen();
    p->xLock(pOpen, 7);
    __atomic_store_n(&pDeath->bHeld, 1, __ATOMIC_RELEASE);
    for(;;) pause();
  }
  while( !__atomic_load_n(&pDeath->bHeld, __ATOMIC_ACQUIRE) ) runnerRest(0.001);
  pOpen = p->xOpen();
  a.s = 0.06 + 0.0037*(iRound%20);
  pthread_create(&thread, 0, killLater, &a);
  p->xLock(pOpen, 7);
  ms = (runnerNow() - pDeath->tKill)*1e3;
  p->xUnlock(pOpen, 7);
  pthread_join(thread, 0);
  waitpid(a.pid, 0, 0);
  return ms;
}

/* A row that stands for a lock is never freed. A lock that only time frees is
** tried a few times. */
static void besideTakeover(void){
  static double a[MAX_CONTENDER][TAKEOVERS];
  int r, i;
  pDeath = runnerShare(sizeof(*pDeath));
  for(r=0; r<TAKEOVERS; r++) for(i=0; i<nHere; i++){
    if( apHere[i]->msTakeover<0 || (apHere[i]->msTakeover && r>=3) ) continue;
    a[i][r] = takeover(apHere[i], r);
  }
  for(i=0; i<nHere; i++){
    int n = apHere[i]->msTakeover ? 3 : TAKEOVERS;
    if( apHere[i]->msTakeover<0 ) continue;
    runnerFigure(&(Figure){ .zPart = "beside-takeover", .zUnit = " ms",
        .zWhat = "kill -9 of the holder to the next grant",
        .zSeries = apHere[i]->zName, .value = runnerMedian(a[i], n),
        .p50 = runnerMedian(a[i], n), .max = runnerQuantile(a[i], n, 1),
        .spread = runnerSpread(a[i], n) });
  }
}

/* ---- main ------------------------------------------------------------- */

static int option(const char *zName, const char *zValue){
  if( strcmp(zName, "-s")!=0 ) return 0;
  nSecond = atof(zValue);
  return nSecond>0;
}

int main(int argc, char **argv){
  const Contender *p;
  runnerBegin("beside", "beside-free beside-contended beside-takeover", "-s",
              option, argc, argv);
  contenderPrepare();
  for(p=contenderAll; p->zName; p++){
    if( contenderIsHere(p) ) apHere[nHere++] = p;
  }
  if( runnerWants("beside-free") ) besideFree();
  if( runnerWants("beside-contended") ) besideContended();
  if( runnerWants("beside-takeover") ) besideTakeover();
  return 0;
}
