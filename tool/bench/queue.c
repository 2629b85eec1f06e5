/* SPDX-License-Identifier: 0BSD */
/*
** Workers that empty a queue of jobs, of which none takes any time: with
** skip_locked, by the usual claim with UPDATE ... RETURNING, and by
** PostgreSQL's FOR UPDATE SKIP LOCKED, one job at a time and ten at a time
** (`queue`). PostgreSQL is skipped if there is no server.
**
**   queue EXTENSION FOLDER [-n JOBS] [-r REPETITIONS] [NAME...]
**
** A job is done when its row says so. A run fails if a job was done twice, or
** not at all. Times are wall-clock times.
*/
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "peer.h"
#include "runner.h"

#define MAX_REP 15

static int nJob = 4000;

/* What the workers report, in shared memory. */
typedef struct Share {
  int nDone;
  double tEnd;                  /* when the last worker found nothing */
  double tBegin;
} Share;
static Share *pShare;

typedef struct Way Way;
struct Way {
  const char *zName;
  int nTake;
  int (*xTake)(const Way *p, void *pOpen);  /* how many jobs it has done */
  int bPeer;
};

/* ---- SQLite ----------------------------------------------------------- */

typedef struct Worker {
  sqlite3 *db;
  sqlite3_stmt *pTake, *pDone, *pUnlock;
} Worker;

static void openWorker(Worker *p){
  p->db = runnerOpenLoaded("queue");
  sqlite3_busy_timeout(p->db, 60000);
  runnerSql(p->db, "PRAGMA synchronous=NORMAL");
}

/* Locks rows that are ready, marks them as done and unlocks them. */
static int takeSkip(const Way *p, void *pOpen){
  Worker *q = pOpen;
  int n;
  if( q->pTake==0 ){
    q->pTake = runnerPrepare(q->db,
        "SELECT skip_locked('job', ?1, 'state = ''ready''', 'id')");
    q->pDone = runnerPrepare(q->db, "UPDATE job SET state = 'done', n = n + 1"
        " WHERE id IN (SELECT value FROM json_each(?1))");
    q->pUnlock = runnerPrepare(q->db, "SELECT row_unlock_all()");
  }
  sqlite3_bind_int(q->pTake, 1, p->nTake);
  if( sqlite3_step(q->pTake)!=SQLITE_ROW ){
    runnerCheck(q->db, sqlite3_reset(q->pTake), "skip_locked");
  }
  sqlite3_bind_text(q->pDone, 1, (const char*)sqlite3_column_text(q->pTake, 0),
                    -1, SQLITE_TRANSIENT);
  runnerOnce(q->pTake);
  n = 0;
  if( sqlite3_bind_parameter_count(q->pDone) ){
    runnerOnce(q->pDone);
    n = sqlite3_changes(q->db);
  }
  runnerOnce(q->pUnlock);
  return n;
}

/* Claims rows by one statement, and marks them as done by a second one, as a
** worker does whose job may fail. */
static int takeClaim(const Way *p, void *pOpen){
  Worker *q = pOpen;
  int n = 0;
  if( q->pTake==0 ){
    q->pTake = runnerPrepare(q->db, "UPDATE job SET state = 'taken' WHERE id IN"
        " (SELECT id FROM job WHERE state = 'ready' ORDER BY id LIMIT ?1)"
        " RETURNING id");
    q->pDone = runnerPrepare(q->db,
        "UPDATE job SET state = 'done', n = n + 1 WHERE id = ?1");
  }
  sqlite3_int64 aId[10];
  sqlite3_bind_int(q->pTake, 1, p->nTake);
  while( sqlite3_step(q->pTake)==SQLITE_ROW ){
    aId[n++] = sqlite3_column_int64(q->pTake, 0);
  }
  runnerCheck(q->db, sqlite3_reset(q->pTake), "claim");
  if( n>1 ) runnerSql(q->db, "BEGIN IMMEDIATE");
  for(int i=0; i<n; i++){
    sqlite3_bind_int64(q->pDone, 1, aId[i]);
    runnerOnce(q->pDone);
  }
  if( n>1 ) runnerSql(q->db, "COMMIT");
  return n;
}

/* ---- PostgreSQL ------------------------------------------------------- */

static int takePostgres(const Way *p, void *pOpen){
  char z[300];
  const char *zN;
  int n;
  snprintf(z, sizeof(z), "WITH took AS (UPDATE job SET state = 'done',"
           " n = n + 1 WHERE id IN (SELECT id FROM job WHERE state = 'ready'"
           " ORDER BY id FOR UPDATE SKIP LOCKED LIMIT %d) RETURNING 1)"
           " SELECT count(*) FROM took", p->nTake);
  zN = peerPostgresSql(pOpen, z);
  n = zN ? atoi(zN) : 0;
  return n;
}

/* ---- a run ------------------------------------------------------------ */

static const Way aWay[] = {
  { "skip_locked, 1 at a time", 1, takeSkip, 0 },
  { "skip_locked, 10 at a time", 10, takeSkip, 0 },
  { "claim, 1 at a time", 1, takeClaim, 0 },
  { "claim, 10 at a time", 10, takeClaim, 0 },
  { "PostgreSQL, 1 at a time", 1, takePostgres, 1 },
  { "PostgreSQL, 10 at a time", 10, takePostgres, 1 },
};
#define N_WAY (int)(sizeof(aWay)/sizeof(aWay[0]))

static const char zTable[] =
  "CREATE TABLE job(id INTEGER PRIMARY KEY, state TEXT, n INT)";
static const char zIndex[] = "CREATE INDEX job_state ON job(state, id)";

static void freshJobs(const Way *p){
  char z[200];
  if( p->bPeer ){
    Peer *q = peerPostgres();
    peerPostgresSql(q, "DROP TABLE IF EXISTS job");
    peerPostgresSql(q, zTable);
    snprintf(z, sizeof(z), "INSERT INTO job SELECT i, 'ready', 0 FROM"
             " generate_series(1, %d) AS c(i)", nJob);
    peerPostgresSql(q, z);
    peerPostgresSql(q, zIndex);
    peerPostgresSql(q, "VACUUM ANALYZE job");
    peerClose(q);
  }else{
    sqlite3 *db;
    runnerRemove("queue");
    db = runnerOpen("queue");
    runnerSql(db, "PRAGMA journal_mode=WAL");
    runnerSql(db, zTable);
    snprintf(z, sizeof(z), "WITH c(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM c"
             " LIMIT %d) INSERT INTO job SELECT i, 'ready', 0 FROM c", nJob);
    runnerSql(db, z);
    runnerSql(db, zIndex);
    sqlite3_close(db);
  }
}

/* Whether every job was done once. */
static int allOnce(const Way *p){
  static const char zWrong[] = "SELECT count(*) FROM job WHERE n <> 1";
  int n;
  if( p->bPeer ){
    Peer *q = peerPostgres();
    n = atoi(peerPostgresSql(q, zWrong));
    peerClose(q);
  }else{
    sqlite3 *db = runnerOpen("queue");
    n = (int)runnerInt(db, zWrong);
    sqlite3_close(db);
  }
  return n==0;
}

/* A worker ends when all jobs are done. One that finds nothing rests until
** those of the others are. */
static void work(int iProcess, void *pArg){
  const Way *p = pArg;
  Worker worker;
  void *pOpen = &worker;
  memset(&worker, 0, sizeof(worker));
  if( p->bPeer ){
    pOpen = peerPostgres();
  }else{
    openWorker(&worker);
  }
  runnerReady();
  if( iProcess==0 ) pShare->tBegin = runnerNow();
  while( __atomic_load_n(&pShare->nDone, __ATOMIC_ACQUIRE)<nJob ){
    int n = p->xTake(p, pOpen);
    if( n ){
      __atomic_fetch_add(&pShare->nDone, n, __ATOMIC_ACQ_REL);
    }else{
      runnerRest(0.0005);
    }
  }
  pShare->tEnd = runnerNow();
}

static double contest(const Way *p, int nWorker){
  freshJobs(p);
  memset(pShare, 0, sizeof(*pShare));
  runnerTogether(nWorker, 0, work, (void*)p);
  if( !allOnce(p) ){
    fprintf(stderr, "queue: %s: a job was not done once\n", p->zName);
    exit(1);
  }
  return nJob/(pShare->tEnd - pShare->tBegin);
}

static void queue(void){
  static const int aWorker[] = { 1, 2, 4, 8, 16 };
  static double a[N_WAY][MAX_REP];
  int nRep = runnerRepetitions(3, MAX_REP), bPeer = peerHas("BENCH_POSTGRESQL");
  int i, k, r;
  pShare = runnerShare(sizeof(*pShare));
  if( !bPeer ) printf("skipped: PostgreSQL\n");
  for(k=0; k<5; k++){
    for(r=0; r<nRep; r++) for(i=0; i<N_WAY; i++){
      if( bPeer || !aWay[i].bPeer ) a[i][r] = contest(&aWay[i], aWorker[k]);
    }
    for(i=0; i<N_WAY; i++){
      if( aWay[i].bPeer && !bPeer ) continue;
      runnerFigure(&(Figure){ .zPart = "queue", .zSeries = aWay[i].zName,
          .zWhat = "jobs a second", .zUnit = "", .bX = 1, .x = aWorker[k],
          .value = runnerMedian(a[i], nRep),
          .spread = runnerSpread(a[i], nRep) });
    }
  }
}

/* ---- main ------------------------------------------------------------- */

static int option(const char *zName, const char *zValue){
  if( strcmp(zName, "-n")!=0 || atoi(zValue)<=0 ) return 0;
  nJob = atoi(zValue);
  return 1;
}

int main(int argc, char **argv){
  runnerBegin("queue", "queue", "-n", option, argc, argv);
  if( runnerWants("queue") ) queue();
  return 0;
}
