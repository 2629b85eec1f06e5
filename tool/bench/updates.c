/* SPDX-License-Identifier: 0BSD */
/*
** Processes that read a row, think for a moment, and write what they computed
** from it, in eight ways: how many updates a second are right, how many are
** lost, and how long one takes (`updates`). A ninth way is PostgreSQL's
** SELECT ... FOR UPDATE, which is skipped if there is no server.
**
**   updates EXTENSION FOLDER [-p PROCESSES] [-s SECONDS] [-t THINK-US]
**           [-rows N] [-r REPETITIONS] [NAME...]
**
** Every update adds 1. What the rows say in the end, less than what the
** processes believe to have added, is lost. Times are wall-clock times.
*/
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "peer.h"
#include "runner.h"

#define MAX_REP     15
#define MAX_SAMPLE  50000

static int nProcess = 4, nRow = 4, usThink = 200;
static double nSecond = 0.8;

/* What a process reports, in shared memory. */
typedef struct Share {
  int nDone, nSample;
  float aUs[MAX_SAMPLE];
} Share;
static Share *aShare;

/* ---- ways ------------------------------------------------------------- */

/* Statements of a way; an empty one is left out. The first ones are run before
** the row is read, the last ones after it was written. A way begins again with
** the first if a statement is refused, or if the write changes no row. */
typedef struct Way {
  const char *zName;
  const char *zDeclare;         /* once, when the database is made */
  const char *azBefore[2];
  const char *zRead;            /* n and version of row ?1 */
  const char *zWrite;           /* ?1 row, ?2 n, ?3 version */
  const char *azAfter[2];
  int bLoad;                    /* with Interlock */
} Way;

#define READ   "SELECT n, version FROM t WHERE id = ?1"
#define PLAIN  "UPDATE t SET n = ?2 WHERE id = ?1"

static const Way aWay[] = {
  { "read, then write (loses)", 0, { 0, 0 }, READ, PLAIN, { 0, 0 }, 0 },
  { "BEGIN, again if busy", 0, { "BEGIN", 0 }, READ, PLAIN, { "COMMIT", 0 },
    0 },
  { "BEGIN IMMEDIATE", 0, { "BEGIN IMMEDIATE", 0 }, READ, PLAIN,
    { "COMMIT", 0 }, 0 },
  { "write_turn", 0, { "BEGIN", "SELECT write_turn()" }, READ, PLAIN,
    { "COMMIT", 0 }, 1 },
  { "advisory_lock of the row's number", 0, { "SELECT advisory_lock(?1)", 0 },
    READ, PLAIN, { "SELECT advisory_unlock(?1)", 0 }, 1 },
  { "row_lock", 0, { "SELECT row_lock('t', ?1)", 0 }, READ, PLAIN,
    { "SELECT row_unlock('t', ?1)", 0 }, 1 },
  { "versioned, again if stale", "SELECT versioned('t')", { 0, 0 }, READ,
    "UPDATE t SET n = ?2, version = ?3 + 1 WHERE id = ?1", { 0, 0 }, 0 },
  { "WHERE version = ?, again if none", 0, { 0, 0 }, READ,
    "UPDATE t SET n = ?2, version = ?3 + 1 WHERE id = ?1 AND version = ?3",
    { 0, 0 }, 0 },
};
#define N_WAY (int)(sizeof(aWay)/sizeof(aWay[0]))

/* A way's statements in one connection. */
typedef struct Prepared {
  sqlite3 *db;
  sqlite3_stmt *apBefore[2], *pRead, *pWrite, *apAfter[2];
} Prepared;

static sqlite3_stmt *maybe(sqlite3 *db, const char *zSql){
  return zSql ? runnerPrepare(db, zSql) : 0;
}

static void prepareWay(const Way *p, Prepared *q){
  int i;
  q->db = runnerOpen("updates");
  sqlite3_busy_timeout(q->db, 10000);
  runnerSql(q->db, "PRAGMA synchronous=NORMAL");
  if( p->bLoad ) runnerLoad(q->db, runnerExtension);
  for(i=0; i<2; i++){
    q->apBefore[i] = maybe(q->db, p->azBefore[i]);
    q->apAfter[i] = maybe(q->db, p->azAfter[i]);
  }
  q->pRead = runnerPrepare(q->db, p->zRead);
  q->pWrite = runnerPrepare(q->db, p->zWrite);
}

/* Runs a statement, if there is one. Returns 0 if it was refused: busy, or
** stale. */
static int tryOne(sqlite3_stmt *pStmt, int iRow){
  int rc;
  if( pStmt==0 ) return 1;
  if( sqlite3_bind_parameter_count(pStmt) ) sqlite3_bind_int(pStmt, 1, iRow);
  sqlite3_step(pStmt);
  rc = sqlite3_reset(pStmt);
  if( rc==SQLITE_BUSY || rc==SQLITE_CONSTRAINT ) return 0;
  runnerCheck(sqlite3_db_handle(pStmt), rc, sqlite3_sql(pStmt));
  return 1;
}

/* Adds 1 to the row. Returns 0 if it must be done again. */
static int addOne(const Prepared *p, int iRow){
  sqlite3_int64 n, iVersion;
  if( !tryOne(p->apBefore[0], iRow) || !tryOne(p->apBefore[1], iRow) ){
    return 0;
  }
  sqlite3_bind_int(p->pRead, 1, iRow);
  if( sqlite3_step(p->pRead)!=SQLITE_ROW ){
    sqlite3_reset(p->pRead);
    return 0;
  }
  n = sqlite3_column_int64(p->pRead, 0);
  iVersion = sqlite3_column_int64(p->pRead, 1);
  sqlite3_reset(p->pRead);
  if( usThink ) runnerRest(usThink*1e-6);
  sqlite3_bind_int64(p->pWrite, 2, n + 1);
  if( sqlite3_bind_parameter_count(p->pWrite)>2 ){
    sqlite3_bind_int64(p->pWrite, 3, iVersion);
  }
  if( !tryOne(p->pWrite, iRow) || sqlite3_changes(p->db)==0 ) return 0;
  return tryOne(p->apAfter[0], iRow) && tryOne(p->apAfter[1], iRow);
}

/* ---- PostgreSQL ------------------------------------------------------- */

static int addOnePostgres(Peer *p, int iRow){
  char z[100];
  const char *zN;
  int n;
  peerPostgresSql(p, "BEGIN");
  snprintf(z, sizeof(z), "SELECT n FROM t WHERE id = %d FOR UPDATE", iRow);
  zN = peerPostgresSql(p, z);
  n = zN ? atoi(zN) : 0;
  if( usThink ) runnerRest(usThink*1e-6);
  snprintf(z, sizeof(z), "UPDATE t SET n = %d WHERE id = %d", n+1, iRow);
  peerPostgresSql(p, z);
  peerPostgresSql(p, "COMMIT");
  return 1;
}

/* ---- a run ------------------------------------------------------------ */

/* One process; pArg is a Way, or NULL for PostgreSQL. */
static void adder(int iProcess, void *pArg){
  Share *pShare = &aShare[iProcess];
  unsigned x = (unsigned)iProcess*7919u + 1u;
  Peer *pPeer = 0;
  Prepared a;
  memset(&a, 0, sizeof(a));
  if( pArg ){
    prepareWay(pArg, &a);
  }else{
    pPeer = peerPostgres();
  }
  runnerReady();
  while( !runnerStopped() ){
    double t = runnerNow();
    int iRow, bDone;
    x = x*1103515245u + 12345u;
    iRow = (int)((x>>8)%(unsigned)nRow) + 1;
    do{
      bDone = pPeer ? addOnePostgres(pPeer, iRow) : addOne(&a, iRow);
      /* What was refused in a transaction has not ended it. */
      if( !bDone && !sqlite3_get_autocommit(a.db) ) runnerSql(a.db, "ROLLBACK");
    }while( !bDone );
    pShare->aUs[pShare->nSample++%MAX_SAMPLE] = (float)((runnerNow()-t)*1e6);
    pShare->nDone++;
  }
}

#define ROWS "INSERT INTO t SELECT i, 0, 1 FROM "

static sqlite3_int64 sum(const Way *p){
  sqlite3_int64 n;
  if( p ){
    sqlite3 *db = runnerOpen("updates");
    n = runnerInt(db, "SELECT sum(n) FROM t");
    sqlite3_close(db);
  }else{
    Peer *pPeer = peerPostgres();
    n = atoi(peerPostgresSql(pPeer, "SELECT sum(n) FROM t"));
    peerClose(pPeer);
  }
  return n;
}

static void freshRows(const Way *p){
  static const char zTable[] =
    "CREATE TABLE t(id INTEGER PRIMARY KEY, n INT, version INT DEFAULT 1);";
  char z[200];
  if( p==0 ){
    Peer *pPeer = peerPostgres();
    peerPostgresSql(pPeer, "DROP TABLE IF EXISTS t");
    peerPostgresSql(pPeer, zTable);
    snprintf(z, sizeof(z), ROWS "generate_series(1, %d) AS c(i)", nRow);
    peerPostgresSql(pPeer, z);
    peerClose(pPeer);
  }else{
    sqlite3 *db;
    runnerRemove("updates");
    db = runnerOpenLoaded("updates");
    runnerSql(db, "PRAGMA journal_mode=WAL");
    runnerSql(db, zTable);
    snprintf(z, sizeof(z), "WITH c(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM c"
             " LIMIT %d) " ROWS "c", nRow);
    runnerSql(db, z);
    if( p->zDeclare ) runnerSql(db, p->zDeclare);
    sqlite3_close(db);
  }
}

typedef struct Result {
  double rate, lost, p50, p99, max;
} Result;

static Result contest(const Way *p){
  static double aUs[RUNNER_PROCESSES*MAX_SAMPLE];
  Result r = { 0, 0, 0, 0, 0 };
  sqlite3_int64 nRight;
  int i, k, n = 0, nDone = 0;
  freshRows(p);
  memset(aShare, 0, sizeof(aShare[0])*RUNNER_PROCESSES);
  runnerTogether(nProcess, nSecond, adder, (void*)p);
  for(i=0; i<nProcess; i++){
    nDone += aShare[i].nDone;
    for(k=0; k<aShare[i].nSample && k<MAX_SAMPLE; k++){
      aUs[n++] = aShare[i].aUs[k];
    }
  }
  nRight = sum(p);
  r.rate = (double)nRight/nSecond;
  r.lost = nDone ? (double)(nDone-nRight)/nDone*100 : 0;
  r.p50 = runnerQuantile(aUs, n, .5);
  r.p99 = runnerQuantile(aUs, n, .99);
  r.max = runnerQuantile(aUs, n, 1);
  return r;
}

static double medianOf(const Result *a, int n, const double *pField){
  double aField[MAX_REP];
  size_t iField = (size_t)((const char*)pField - (const char*)a);
  int i;
  for(i=0; i<n; i++){
    memcpy(&aField[i], (const char*)&a[i] + iField, sizeof(double));
  }
  return runnerMedian(aField, n);
}

static void figures(const char *zSeries, const Result *a, int n){
  runnerFigure(&(Figure){ .zPart = "updates", .zSeries = zSeries, .zUnit = "",
      .zWhat = "right updates a second", .value = medianOf(a, n, &a->rate) });
  runnerFigure(&(Figure){ .zPart = "updates", .zSeries = zSeries, .zUnit = " %",
      .zWhat = "lost", .value = medianOf(a, n, &a->lost) });
  runnerFigure(&(Figure){ .zPart = "updates", .zSeries = zSeries,
      .zUnit = " us", .zWhat = "one update, p99",
      .value = medianOf(a, n, &a->p99), .p50 = medianOf(a, n, &a->p50),
      .max = medianOf(a, n, &a->max) });
}

static void updates(void){
  static Result aResult[N_WAY+1][MAX_REP];
  int nRep = runnerRepetitions(3, MAX_REP), bPeer = peerHas("BENCH_POSTGRESQL");
  int i, r;
  aShare = runnerShare(sizeof(aShare[0])*RUNNER_PROCESSES);
  for(r=0; r<nRep; r++){
    for(i=0; i<N_WAY; i++) aResult[i][r] = contest(&aWay[i]);
    if( bPeer ) aResult[N_WAY][r] = contest(0);
  }
  for(i=0; i<N_WAY; i++) figures(aWay[i].zName, aResult[i], nRep);
  if( bPeer ){
    figures("PostgreSQL, FOR UPDATE", aResult[N_WAY], nRep);
  }else{
    printf("skipped: PostgreSQL\n");
  }
}

/* ---- main ------------------------------------------------------------- */

static int option(const char *zName, const char *zValue){
  int n = atoi(zValue);
  if( strcmp(zName, "-p")==0 ){
    nProcess = n<RUNNER_PROCESSES ? n : RUNNER_PROCESSES;
  }else if( strcmp(zName, "-s")==0 ){
    nSecond = atof(zValue);
  }else if( strcmp(zName, "-t")==0 ){
    usThink = n;
  }else if( strcmp(zName, "-rows")==0 && n>0 ){
    nRow = n;
  }else{
    return 0;
  }
  return nSecond>0 && nProcess>0;
}

int main(int argc, char **argv){
  runnerBegin("updates", "updates", "-p -s -t -rows", option, argc, argv);
  if( runnerWants("updates") ) updates();
  return 0;
}
