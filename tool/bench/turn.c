/* SPDX-License-Identifier: 0BSD */
/*
** Processes that write one database, think for a moment and write again, with
** busy_timeout alone and with write turns: how long each waits for the write
** lock, and how many transactions there are in a second (`turns`); the same
** over several times of holding and thinking (`turn-grid`); and how long a
** process that waits in lease_wait sleeps on after a release (`wakes`).
** tool/bench/bench.tcl builds and runs it.
**
**   turn EXTENSION FOLDER [-p PROCESSES] [-s SECONDS] [-t THINK-US]
**        [-hold US] [NAME...]
**
** Times are wall-clock times: what counts is waiting.
*/
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include "runner.h"

#define MAX_SAMPLE 400000

static int nProcess = 8;
static double nSecond = 3;
static int usThink = 2000;    /* at most, between two transactions */
static int usHold = 0;        /* the write lock is held longer by this */

static sqlite3 *opened(void){
  sqlite3 *db = runnerOpenLoaded("turn");
  sqlite3_busy_timeout(db, 60000);
  runnerSql(db, "PRAGMA synchronous=NORMAL");
  return db;
}

static void fresh(void){
  sqlite3 *db;
  runnerRemove("turn");
  db = opened();
  runnerSql(db, "PRAGMA journal_mode=WAL;"
                "CREATE TABLE t(id INTEGER PRIMARY KEY, n INT);"
                "WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM c"
                " WHERE i<1000) INSERT INTO t SELECT i, 0 FROM c");
  sqlite3_close(db);
}

static void think(unsigned us){
  if( us ) runnerRest(us*1e-6);
}

/* Runs one writer, which puts the waits of its transactions into the pipe. */
static void writer(int fd, int bTurn, double end, unsigned iSeed){
  static float a[MAX_SAMPLE/8];
  const char *zBegin = bTurn ? "BEGIN; SELECT write_turn(); UPDATE t SET n=n+1"
                               " WHERE id=1"
                             : "BEGIN IMMEDIATE; UPDATE t SET n=n+1 WHERE id=1";
  sqlite3 *db = opened();
  size_t n = 0, nByte, iByte = 0;
  while( runnerNow()<end && n<sizeof(a)/sizeof(a[0]) ){
    double t = runnerNow();
    char zSql[200];
    runnerSql(db, zBegin);
    a[n++] = (float)((runnerNow()-t)*1e3);
    if( usHold ) runnerSpin(usHold*1e-6);
    iSeed = iSeed*1103515245u + 12345u;
    snprintf(zSql, sizeof(zSql), "UPDATE t SET n=n+1 WHERE id BETWEEN %u AND"
             " %u; COMMIT", (iSeed>>16)%900+1, (iSeed>>16)%900+50);
    runnerSql(db, zSql);
    think(usThink ? (iSeed>>8)%(unsigned)usThink : 0);
  }
  sqlite3_close(db);
  nByte = n*sizeof(a[0]);
  while( iByte<nByte ){
    ssize_t nDone = write(fd, (char*)a+iByte, nByte-iByte);
    if( nDone<=0 ) _exit(1);
    iByte += (size_t)nDone;
  }
  _exit(0);
}

static int compare(const void *a, const void *b){
  float x = *(const float*)a, y = *(const float*)b;
  return x<y ? -1 : x>y;
}

typedef struct Result {
  double median, p99, max, rate;
} Result;

static Result contest(int bTurn){
  static float a[MAX_SAMPLE];
  int aPipe[2], i, nByte = 0, nRead, iStatus;
  double end = runnerNow() + nSecond;
  Result r = { 0, 0, 0, 0 };
  fresh();
  if( pipe(aPipe) ) exit(1);
  fflush(stdout);
  for(i=0; i<nProcess; i++){
    if( fork()==0 ){
      close(aPipe[0]);
      writer(aPipe[1], bTurn, end, (unsigned)i*7919u);
    }
  }
  close(aPipe[1]);
  while( (nRead = (int)read(aPipe[0], (char*)a+nByte,
                            sizeof(a)-(size_t)nByte))>0 ){
    nByte += nRead;
  }
  close(aPipe[0]);
  while( wait(&iStatus)>0 ){
    if( iStatus ) exit(1);
  }
  nByte /= (int)sizeof(a[0]);
  if( nByte==0 ) exit(1);
  qsort(a, (size_t)nByte, sizeof(a[0]), compare);
  r.median = a[nByte/2];
  r.p99 = a[nByte-1-nByte/100];
  r.max = a[nByte-1];
  r.rate = nByte/nSecond;
  return r;
}

static void show(const char *zWhat, const Result *p){
  printf("turns          %s: wait %.2f ms median, %.2f ms p99, %.1f ms at most;"
         " %.0f transactions a second\n", zWhat, p->median, p->p99, p->max,
         p->rate);
  fflush(stdout);
}

static void turns(void){
  Result alone = contest(0), turn;
  show("busy_timeout alone", &alone);
  turn = contest(1);
  show("with write turns  ", &turn);
  runnerFigure(&(Figure){ .zPart = "turns", .zUnit = "", .aim = 5,
      .zWhat = "p99 wait, busy_timeout / turns", .bAtLeast = 1,
      .value = alone.p99/turn.p99 });
  runnerFigure(&(Figure){ .zPart = "turns", .zUnit = "", .aim = 1,
      .zWhat = "throughput, turns / busy_timeout", .bAtLeast = 1,
      .value = turn.rate/alone.rate });
}

/* Writes the figures of one contest. */
static void gridFigures(const char *zWhat, int bTurn, const Result *p){
  const char *zSeries = bTurn ? "write_turn" : "busy_timeout";
  char z[120];
  snprintf(z, sizeof(z), "%s: transactions a second", zWhat);
  runnerFigure(&(Figure){ .zPart = "turn-grid", .zWhat = z, .zUnit = "",
      .zSeries = zSeries, .bX = 1, .x = nProcess, .value = p->rate });
  snprintf(z, sizeof(z), "%s: p99 wait", zWhat);
  runnerFigure(&(Figure){ .zPart = "turn-grid", .zWhat = z, .zUnit = " ms",
      .zSeries = zSeries, .bX = 1, .x = nProcess, .value = p->p99,
      .p50 = p->median, .p99 = p->p99, .max = p->max });
}

static void grid(void){
  static const int aThink[] = { 0, 2000 }, aHold[] = { 0, 1000 };
  static const int aProcess[] = { 2, 8, 32 };
  int i, j, k, bTurn;
  nSecond = 1;
  for(i=0; i<2; i++) for(j=0; j<2; j++){
    char zWhat[80];
    usThink = aThink[i];
    usHold = aHold[j];
    snprintf(zWhat, sizeof(zWhat), "hold %d ms more, think up to %d ms",
             usHold/1000, usThink/1000);
    for(k=0; k<3; k++) for(bTurn=0; bTurn<2; bTurn++){
      Result r;
      nProcess = aProcess[k];
      r = contest(bTurn);
      gridFigures(zWhat, bTurn, &r);
    }
  }
}

/* ---- waking from lease_wait ------------------------------------------- */

#define WAKES 100
#define RELEASE "SELECT lease_release('l', token) FROM interlock_leases"

/* Waits for the lease again and again, and puts the time of each grant into the
** pipe before it releases the lease. */
static void waiter(int fd){
  sqlite3 *db = opened();
  int i;
  for(i=0; i<WAKES; i++){
    double t;
    runnerSql(db, "SELECT lease_wait('l', 'waiter', 60000, -1)");
    t = runnerNow();
    if( write(fd, &t, sizeof(t))!=sizeof(t) ) _exit(1);
    runnerSql(db, RELEASE);
    think(2000);           /* the holder comes first */
  }
  sqlite3_close(db);
  _exit(0);
}

/* The waiter is given time to begin its wait before each release. */
static void wakes(void){
  float a[WAKES];
  sqlite3 *db;
  int aPipe[2], i, iStatus;
  fresh();
  db = opened();
  runnerSql(db, "SELECT lease_wait('l', 'holder', 60000, -1)");
  if( pipe(aPipe) ) exit(1);
  fflush(stdout);
  if( fork()==0 ) waiter(aPipe[1]);
  for(i=0; i<WAKES; i++){
    double tBegin, tEnd;
    think(30000);
    tBegin = runnerNow();
    runnerSql(db, RELEASE);
    if( read(aPipe[0], &tEnd, sizeof(tEnd))!=sizeof(tEnd) ) exit(1);
    a[i] = (float)((tEnd - tBegin)*1e3);
    if( i==WAKES-1 ) break;
    runnerSql(db, "SELECT lease_wait('l', 'holder', 60000, -1)");
  }
  if( wait(&iStatus)<0 || iStatus ) exit(1);
  sqlite3_close(db);
  qsort(a, WAKES, sizeof(a[0]), compare);
  runnerFigure(&(Figure){ .zPart = "wakes", .zUnit = " ms", .aim = 5,
      .zWhat = "from lease_release to the end of another process's lease_wait,"
               " p99", .value = a[WAKES-2], .p50 = a[WAKES/2] });
}

/* ---- main ------------------------------------------------------------- */

static int option(const char *zName, const char *zValue){
  int n = atoi(zValue);
  if( strcmp(zName, "-p")==0 ){
    nProcess = n;
  }else if( strcmp(zName, "-s")==0 ){
    nSecond = n;
  }else if( strcmp(zName, "-t")==0 ){
    usThink = n;
  }else if( strcmp(zName, "-hold")==0 ){
    usHold = n;
  }else{
    return 0;
  }
  return 1;
}

int main(int argc, char **argv){
  runnerBegin("turn", "wakes turns turn-grid", "-p -s -t -hold", option, argc,
              argv);
  if( runnerWants("wakes") ) wakes();
  if( runnerWants("turns") ) turns();
  if( runnerWants("turn-grid") ) grid();
  return 0;
}
