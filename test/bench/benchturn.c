/* SPDX-License-Identifier: 0BSD */
/*
** Processes that write one database, think for a moment and write again, with
** busy_timeout alone and with write turns: how long each waits for the write
** lock, and how many transactions there are in a second (`turns`); and how long
** a process that waits in lease_wait sleeps on after a release (`wakes`).
** tool/bench.tcl builds and runs it.
**
**   benchturn EXTENSION FOLDER [-p PROCESSES] [-s SECONDS]
**            [-t THINK-US] [NAME...]
**
** Times are wall-clock times: what counts is waiting.
*/
#define _POSIX_C_SOURCE 200809L
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MAX_SAMPLE 400000

static const char *zExt;
static const char *zFolder;
static int nProcess = 8;
static int nSecond = 3;
static int usThink = 2000;    /* at most, between two transactions */

static double now(void){
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + (double)t.tv_nsec*1e-9;
}

static void check(sqlite3 *db, int rc, const char *zSql){
  if( rc==SQLITE_OK || rc==SQLITE_ROW || rc==SQLITE_DONE ) return;
  fprintf(stderr, "benchturn: %s: %s\n", sqlite3_errmsg(db), zSql);
  exit(1);
}

static void run(sqlite3 *db, const char *zSql){
  check(db, sqlite3_exec(db, zSql, 0, 0, 0), zSql);
}

static sqlite3 *opened(void){
  sqlite3 *db = 0;
  char *zPath = sqlite3_mprintf("%s/turn.db", zFolder);
  check(db, sqlite3_open(zPath, &db), zPath);
  sqlite3_free(zPath);
  sqlite3_busy_timeout(db, 60000);
  run(db, "PRAGMA synchronous=NORMAL");
  sqlite3_db_config(db, SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 1, (int*)0);
  check(db, sqlite3_load_extension(db, zExt, 0, 0), zExt);
  return db;
}

static void fresh(void){
  static const char *const azTail[] = { "", "-wal", "-shm", "-interlock" };
  sqlite3 *db;
  int i;
  for(i=0; i<4; i++){
    char *z = sqlite3_mprintf("%s/turn.db%s", zFolder, azTail[i]);
    remove(z);
    sqlite3_free(z);
  }
  db = opened();
  run(db, "PRAGMA journal_mode=WAL;"
          "CREATE TABLE t(id INTEGER PRIMARY KEY, n INT);"
          "WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM c"
          " WHERE i<1000) INSERT INTO t SELECT i, 0 FROM c");
  sqlite3_close(db);
}

static void think(unsigned us){
  struct timespec t = { 0, 0 };
  t.tv_nsec = (long)us*1000;
  if( us ) nanosleep(&t, 0);
}

/* Runs one writer, which puts the waits of its transactions into the pipe. */
static void writer(int fd, int bTurn, double end, unsigned iSeed){
  static float a[MAX_SAMPLE/8];
  const char *zBegin = bTurn ? "BEGIN; SELECT write_turn(); UPDATE t SET n=n+1"
                               " WHERE id=1"
                             : "BEGIN IMMEDIATE; UPDATE t SET n=n+1 WHERE id=1";
  sqlite3 *db = opened();
  size_t n = 0, nByte, iByte = 0;
  while( now()<end && n<sizeof(a)/sizeof(a[0]) ){
    double t = now();
    char zSql[200];
    run(db, zBegin);
    a[n++] = (float)((now()-t)*1e3);
    iSeed = iSeed*1103515245u + 12345u;
    snprintf(zSql, sizeof(zSql), "UPDATE t SET n=n+1 WHERE id BETWEEN %u AND"
             " %u; COMMIT", (iSeed>>16)%900+1, (iSeed>>16)%900+50);
    run(db, zSql);
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
  double end = now() + nSecond;
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
  r.rate = nByte/(double)nSecond;
  return r;
}

static void show(const char *zWhat, const Result *p){
  printf("turns        %s: wait %.2f ms median, %.2f ms p99, %.1f ms at most;"
         " %.0f transactions a second\n", zWhat, p->median, p->p99, p->max,
         p->rate);
  fflush(stdout);
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
    run(db, "SELECT lease_wait('l', 'waiter', 60000, -1)");
    t = now();
    if( write(fd, &t, sizeof(t))!=sizeof(t) ) _exit(1);
    run(db, RELEASE);
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
  run(db, "SELECT lease_wait('l', 'holder', 60000, -1)");
  if( pipe(aPipe) ) exit(1);
  fflush(stdout);
  if( fork()==0 ) waiter(aPipe[1]);
  for(i=0; i<WAKES; i++){
    double tBegin, tEnd;
    think(30000);
    tBegin = now();
    run(db, RELEASE);
    if( read(aPipe[0], &tEnd, sizeof(tEnd))!=sizeof(tEnd) ) exit(1);
    a[i] = (float)((tEnd - tBegin)*1e3);
    if( i<WAKES-1 ) run(db, "SELECT lease_wait('l', 'holder', 60000, -1)");
  }
  if( wait(&iStatus)<0 || iStatus ) exit(1);
  sqlite3_close(db);
  qsort(a, WAKES, sizeof(a[0]), compare);
  printf("wakes        from lease_release to the end of another process's"
         " lease_wait: %.2f ms median, %.2f ms p99 (aim 5 ms)%s\n",
         a[WAKES/2], a[WAKES-2], a[WAKES-2]<=5 ? "" : " MISSED");
}

/* ---- main ------------------------------------------------------------- */

static int wanted(const char *zName, int argc, char **argv){
  int i;
  for(i=0; i<argc; i++){
    if( strcmp(argv[i], zName)==0 ) return 1;
  }
  return argc==0;
}

int main(int argc, char **argv){
  Result alone, turn;
  if( argc<3 ) return 2;
  zExt = argv[1];
  zFolder = argv[2];
  argc -= 3; argv += 3;
  while( argc>1 && argv[0][0]=='-' ){
    int n = atoi(argv[1]);
    if( strcmp(argv[0], "-p")==0 ) nProcess = n;
    if( strcmp(argv[0], "-s")==0 ) nSecond = n;
    if( strcmp(argv[0], "-t")==0 ) usThink = n;
    argc -= 2; argv += 2;
  }
  if( wanted("wakes", argc, argv) ) wakes();
  if( !wanted("turns", argc, argv) ) return 0;
  alone = contest(0);
  show("busy_timeout alone", &alone);
  turn = contest(1);
  show("with write turns  ", &turn);
  printf("turns        p99 wait, busy_timeout / turns: %.1f (aim at least 5)"
         "%s\n", alone.p99/turn.p99, alone.p99/turn.p99>=5 ? "" : " MISSED");
  printf("turns        throughput, turns / busy_timeout: %.2f (aim at least 1)"
         "%s\n", turn.rate/alone.rate, turn.rate>=alone.rate ? "" : " MISSED");
  return 0;
}
