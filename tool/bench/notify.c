/* SPDX-License-Identifier: 0BSD */
/*
** One process adds a row and notifies a channel in a transaction, another one
** waits for the channel: how long after the beginning of COMMIT it runs, and
** what the notification adds to the transaction. tool/bench/bench.tcl builds
** and runs it.
**
**   notify EXTENSION FOLDER [-n ROUNDS] [NAME...]
**
** Times are wall-clock times, of a database in WAL mode, synchronous=NORMAL.
*/
#define _DEFAULT_SOURCE
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include "runner.h"

#define MAX_ROUND 100000

static int nRound = 2000;

/* What the two processes share: how many notifications the waiting process has
** heard, and when it heard the last one. */
typedef struct Shared {
  volatile int nHeard;
  volatile double heard;
} Shared;
static Shared *pShared;

static sqlite3 *opened(void){
  sqlite3 *db = runnerOpen("notify");
  sqlite3_busy_timeout(db, 60000);
  runnerSql(db, "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL");
  runnerLoad(db, runnerExtension);
  return db;
}

static void listener(void){
  sqlite3 *db = opened();
  sqlite3_stmt *pWait = runnerPrepare(db, "SELECT listen_wait('job', ?1, -1)");
  sqlite3_int64 iSeen = 0;
  for(;;){
    sqlite3_bind_int64(pWait, 1, iSeen);
    if( sqlite3_step(pWait)!=SQLITE_ROW ) exit(1);
    pShared->heard = runnerNow();
    iSeen = sqlite3_column_int64(pWait, 0);
    sqlite3_reset(pWait);
    __sync_fetch_and_add(&pShared->nHeard, 1);
  }
}

/* Makes the transactions, with zNotify in each; the times of COMMIT to the
** listener, if it is notified, and of the transactions go to the arrays. */
static void transactions(sqlite3 *db, const char *zNotify, double *aWake,
                         double *aAll){
  int i;
  for(i=0; i<nRound; i++){
    int nHeard = pShared->nHeard;
    double begin, commit;
    usleep(200);                 /* the listener sleeps again */
    begin = runnerNow();
    runnerSql(db, "BEGIN");
    runnerSql(db, "INSERT INTO job DEFAULT VALUES");
    runnerSql(db, zNotify);
    commit = runnerNow();
    runnerSql(db, "COMMIT");
    aAll[i] = runnerNow() - begin;
    if( aWake==0 ) continue;
    while( pShared->nHeard==nHeard ) usleep(20);
    aWake[i] = pShared->heard - commit;
  }
}

static double microseconds(double *a, double x){
  return runnerQuantile(a, nRound, x)*1e6;
}

static void figure(const char *zWhat, double *a, double aim){
  runnerFigure(&(Figure){ .zPart = "notify", .zWhat = zWhat, .zUnit = " us",
      .value = microseconds(a, 0.5), .aim = aim, .p50 = microseconds(a, 0.5),
      .p99 = microseconds(a, 0.99), .p999 = microseconds(a, 0.999) });
}

static void bench(void){
  static double aWake[MAX_ROUND], aAll[MAX_ROUND], aNone[MAX_ROUND];
  sqlite3 *db = opened();
  pid_t pid;
  runnerSql(db, "CREATE TABLE job(id INTEGER PRIMARY KEY)");
  sqlite3_close(db);
  fflush(stdout);
  pid = fork();
  if( pid==0 ) listener();
  db = opened();
  while( pShared->nHeard==0 ) usleep(1000);
  transactions(db, "SELECT notify('job')", aWake, aAll);
  kill(pid, SIGKILL);
  waitpid(pid, 0, 0);
  transactions(db, "SELECT 1", 0, aNone);
  figure("COMMIT to the woken listener", aWake, 100);
  figure("a transaction with notify", aAll, 0);
  figure("the same without", aNone, 0);
  sqlite3_close(db);
}

static int option(const char *zName, const char *zValue){
  if( strcmp(zName, "-n")!=0 ) return 0;
  nRound = atoi(zValue)<MAX_ROUND ? atoi(zValue) : MAX_ROUND;
  return 1;
}

int main(int argc, char **argv){
  runnerBegin("notify", "notify", "-n", option, argc, argv);
  if( !runnerWants("notify") ) return 0;
  pShared = runnerShare(sizeof(*pShared));
  runnerRemove("notify");
  bench();
  return 0;
}
