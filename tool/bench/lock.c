/* SPDX-License-Identifier: 0BSD */
/*
** What locks cost in SQL, against the cheapest that SQL can do: each line
** prints `what: number (aim)`. tool/bench/bench.tcl builds and runs it.
**
**   lock EXTENSION FOLDER [-n ROUNDS] [-r REPETITIONS] [-side 0|1] [NAME...]
**
** The two sides of a line are run turn about in one process; the median of
** the repetitions counts. Times are CPU times of this process. With -side one
** side alone is run, for a profiler.
*/
#include <stdlib.h>
#include <string.h>
#include "runner.h"

#define MAX_REP 101

static int nRound = 100000;
static int nRep;
static int iSide = -1;
static sqlite3 *db;

/* ---- helpers ---------------------------------------------------------- */

static void run(const char *zSql){
  runnerSql(db, zSql);
}

static void once(sqlite3_stmt *pStmt, sqlite3_int64 iKey){
  if( sqlite3_bind_parameter_count(pStmt) ){
    runnerCheck(db, sqlite3_bind_int64(pStmt, 1, iKey), sqlite3_sql(pStmt));
  }
  runnerOnce(pStmt);
}

static void report(const char *zPart, const char *zWhat, double r, double aim,
                   const char *zUnit){
  Figure figure = { .zPart = zPart, .zWhat = zWhat, .value = r, .aim = aim,
                    .zUnit = zUnit };
  runnerFigure(&figure);
}

/* An SQL function that does nothing. */
static void empty(sqlite3_context *ctx, int nArg, sqlite3_value **apArg){
  (void)nArg; (void)apArg;
  sqlite3_result_int(ctx, 1);
}

/* ---- pairs of statements ---------------------------------------------- */

/* Both sides run their statements in turn; ?1 is the number of the round. The
** time of the second is divided by that of the first, or the first is
** subtracted, in us. */
typedef struct Pair {
  const char *zName, *zWhat;
  double aim;
  int bDifference;
  const char *azSql[2][3];
  const char *zMode;               /* of the journal; NULL: WAL */
  int bInside;                     /* all rounds are one transaction */
  int bCompile;                    /* the first side compiles each time */
} Pair;

/* A lease by the statements of sql/lease.sql, whose :now the program has, and
** by the functions. */
#define BY_HAND \
  { "UPDATE interlock_leases SET owner='a', token=max(token+1,?1)," \
    " expires=?1+60000 WHERE name='hand' AND (owner='a' OR expires<=?1)", \
    "SELECT token FROM interlock_leases WHERE name='hand' AND owner='a'" \
    " AND expires>?1", \
    "UPDATE interlock_leases SET expires=0 WHERE name='hand'" \
    " AND token>?1 AND expires>0" }
#define BY_FUNCTION \
  { "SELECT lease_release('l', lease_acquire('l','a',60000))", 0, 0 }
#define LEASE_PAIR(name, what, aim, inside, compile) \
  { name, what, aim, 0, { BY_HAND, BY_FUNCTION }, 0, inside, compile }

static const Pair aPair[] = {
  { "free", "free lock and unlock / two calls of an empty function", 1.5, 0,
    { { "SELECT empty(?1)", "SELECT empty(?1)", 0 },
      { "SELECT try_advisory_lock(?1)", "SELECT advisory_unlock(?1)", 0 } },
    0, 0, 0 },
  { "waiting", "the same, in the form that may wait", 1.5, 0,
    { { "SELECT empty(?1)", "SELECT empty(?1)", 0 },
      { "SELECT advisory_lock(?1)", "SELECT advisory_unlock(?1)", 0 } },
    0, 0, 0 },
  { "text", "the same with a key of 20 bytes", 1.5, 0,
    { { "SELECT empty('twenty bytes of text')",
        "SELECT empty('twenty bytes of text')", 0 },
      { "SELECT try_advisory_lock('twenty bytes of text')",
        "SELECT advisory_unlock('twenty bytes of text')", 0 } }, 0, 0, 0 },
  { "transaction", "a transaction lock in BEGIN ... COMMIT, more than without",
    1.5, 1,
    { { "BEGIN", "SELECT empty(?1)", "COMMIT" },
      { "BEGIN", "SELECT try_advisory_xact_lock(?1)", "COMMIT" } }, 0, 0, 0 },
  { "request", "a request and unlock / a lock and unlock", 1.5, 0,
    { { "SELECT advisory_lock(?1)", "SELECT advisory_unlock(?1)", 0 },
      { "SELECT request_advisory_lock(?1)", "SELECT advisory_unlock(?1)", 0 } },
    0, 0, 0 },
#define ROW_PAIR(what, mode) \
  { "row", what, 1, 1, \
    { { "SELECT empty(?1)", "SELECT empty(?1)", 0 }, \
      { "SELECT row_lock('job', ?1)", "SELECT row_unlock('job', ?1)", 0 } }, \
    mode, 0, 0 }
  ROW_PAIR("row_lock and row_unlock, more than two empty calls", 0),
  ROW_PAIR("the same, in rollback mode", "DELETE"),
  { "row", "row_xact_lock in BEGIN ... COMMIT, more than without", 2, 1,
    { { "BEGIN", "SELECT empty(?1)", "COMMIT" },
      { "BEGIN", "SELECT row_xact_lock('job', ?1)", "COMMIT" } }, 0, 0, 0 },
  { "row", "skip_locked('job', 1, where, order) and row_unlock_all()", 18, 1,
    { { "SELECT empty(?1)", "SELECT empty(?1)", 0 },
      { "SELECT skip_locked('job', 1, 'state = ''ready''', 'rank')",
        "SELECT row_unlock_all()", 0 } }, 0, 0, 0 },
  { "row", "lock_rows of 10 rows / a SELECT and row_lock_many of them", 0, 0,
    { { "SELECT json_group_array(id) FROM job WHERE id < 11",
        "SELECT row_lock_many('job', '[1,2,3,4,5,6,7,8,9,10]')",
        "SELECT row_unlock_all()" },
      { "SELECT lock_rows('job', 'id < 11')", "SELECT row_unlock_all()", 0 } },
    0, 0, 0 },
  LEASE_PAIR("lease", "lease_acquire and lease_release / by hand", 1, 0, 0),
  LEASE_PAIR("lease-inside", "the same, all in one transaction", 1, 1, 0),
  LEASE_PAIR("lease-compile", "the same / by statements that are compiled"
             " each time", 1, 1, 1),
};

/* These are run while two other connections have two permits of 'busy', and one
** of them a lock on the key -1. */
#define TEN(f) "SELECT " f "1)," f "2)," f "3)," f "4)," f "5)," f "6)," \
  f "7)," f "8)," f "9)," f "10)"
#define TEN_KEYS "'[1,2,3,4,5,6,7,8,9,10]')"
static const Pair aBeside[] = {
  { "semaphore", "a permit and its return / a lock and unlock", 1.5, 0,
    { { "SELECT advisory_lock('mail')", "SELECT advisory_unlock('mail')", 0 },
      { "SELECT semaphore_lock('mail', 3)", "SELECT semaphore_unlock('mail')",
        0 } }, 0, 0, 0 },
  { "semaphore", "the same, while two sessions have permits of it", 1.5, 0,
    { { "SELECT advisory_lock('busy')", "SELECT advisory_unlock('busy')", 0 },
      { "SELECT semaphore_lock('busy', 3)", "SELECT semaphore_unlock('busy')",
        0 } }, 0, 0, 0 },
  { "set", "a set of ten locks / ten locks in one SELECT", 2, 0,
    { { TEN("advisory_lock("), TEN("advisory_unlock("), 0 },
      { "SELECT advisory_lock_many(" TEN_KEYS,
        "SELECT advisory_unlock_many(" TEN_KEYS, 0 } }, 0, 0, 0 },
  { "set", "the same with rows", 2, 0,
    { { TEN("row_lock('job',"), TEN("row_unlock('job',"), 0 },
      { "SELECT row_lock_many('job', " TEN_KEYS,
        "SELECT row_unlock_many('job', " TEN_KEYS, 0 } }, 0, 0, 0 },
  { "set", "a set of ten of which the last is held / ten locks", 2, 0,
    { { TEN("try_advisory_lock("), TEN("advisory_unlock("), 0 },
      { "SELECT try_advisory_lock_many('[1,2,3,4,5,6,7,8,9,-1]')", 0, 0 } },
    0, 0, 0 },
};

static double side(const Pair *p, int i){
  const char *const *azSql = p->azSql[i];
  int bCompile = p->bCompile && i==0;
  sqlite3_stmt *apStmt[3];
  double t;
  int n, k;
  for(k=0; k<3; k++) apStmt[k] = azSql[k] ? runnerPrepare(db, azSql[k]) : 0;
  if( p->bInside ) run("BEGIN");
  t = runnerCpu();
  for(n=0; n<nRound; n++){
    for(k=0; k<3 && apStmt[k]; k++){
      sqlite3_stmt *pStmt = bCompile ? runnerPrepare(db, azSql[k]) : apStmt[k];
      once(pStmt, n);
      if( bCompile ) sqlite3_finalize(pStmt);
    }
  }
  t = runnerCpu() - t;
  if( p->bInside ) run("COMMIT");
  for(k=0; k<3; k++) sqlite3_finalize(apStmt[k]);
  return t*1e6/nRound;
}

static void pair(const Pair *p){
  double a[MAX_REP];
  int r;
  if( p->zMode ){
    char *z = sqlite3_mprintf("PRAGMA journal_mode=%s", p->zMode);
    run(z);
    sqlite3_free(z);
  }
  for(r=0; r<nRep; r++){
    double us0 = iSide==1 ? 1 : side(p, 0);
    double us1 = iSide==0 ? 1 : side(p, 1);
    a[r] = p->bDifference ? us1-us0 : us1/us0;
  }
  report(p->zName, p->zWhat, runnerMedian(a, nRep), p->aim,
         p->bDifference ? " us" : "");
  if( p->zMode ) run("PRAGMA journal_mode=WAL");
}

/* ---- a million locks -------------------------------------------------- */

#define COUNT_UP "WITH RECURSIVE c(i) AS" \
  " (SELECT 1 UNION ALL SELECT i+1 FROM c WHERE i<1000000)"

static void million(void){
  double t = runnerCpu();
  run(COUNT_UP " SELECT sum(try_advisory_lock(i)) FROM c");
  report("million", "one statement that takes 1,000,000 locks", runnerCpu()-t,
         1.5, " s");
  t = runnerCpu();
  run("SELECT advisory_unlock_all()");
  report("million", "advisory_unlock_all() of them", runnerCpu()-t, 0.7, " s");
}

/* ---- growth ----------------------------------------------------------- */

/* A free lock and its unlock while so many others are held. */
static void growth(void){
  static const int aHeld[] = { 0, 1000, 10000, 100000, 1000000, 4000000 };
  static const Pair freeLock = {
    .azSql[1] = { "SELECT advisory_lock(-?1 - 1)",
                  "SELECT advisory_unlock(-?1 - 1)" }
  };
  size_t i;
  for(i=0; i<sizeof(aHeld)/sizeof(aHeld[0]); i++){
    double a[MAX_REP];
    int r;
    if( i ){
      char *z = sqlite3_mprintf("WITH RECURSIVE c(i) AS (SELECT %d UNION ALL"
          " SELECT i+1 FROM c WHERE i<%d) SELECT sum(try_advisory_lock(i))"
          " FROM c", aHeld[i-1] + 1, aHeld[i]);
      run(z);
      sqlite3_free(z);
    }
    for(r=0; r<nRep; r++) a[r] = side(&freeLock, 1);
    runnerFigure(&(Figure){ .zPart = "growth-locks", .zUnit = " us",
        .zWhat = "a free lock and its unlock, others held", .bX = 1,
        .x = aHeld[i], .value = runnerMedian(a, nRep),
        .spread = runnerSpread(a, nRep) });
  }
  run("SELECT advisory_unlock_all()");
}

/* ---- skip_locked ------------------------------------------------------ */

static sqlite3 *openOne(void);

/* The median of a query's CPU milliseconds. The locks of the query are
** released. */
static double query(const char *zSql){
  double a[MAX_REP];
  int r;
  for(r=0; r<nRep; r++){
    double t = runnerCpu();
    run(zSql);
    a[r] = (runnerCpu() - t)*1e3;
    run("SELECT row_unlock_all()");
  }
  return runnerMedian(a, nRep);
}

static void makeJobs(void){
  run("CREATE TABLE job(id INTEGER PRIMARY KEY, state TEXT, rank INT)");
  run("INSERT INTO job WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i+1"
      " FROM c WHERE i<20000) SELECT i, 'ready', i FROM c");
  run("CREATE INDEX job_rank ON job(state, rank)");
}

/* Another connection has locked the first 10,000 rows. */
static void skip(void){
  sqlite3 *dbOther;
  double ms, msSelect;
  run("DROP INDEX job_rank");
  ms = query("SELECT skip_locked('job', 10)");
  report("skip", "skip_locked('job', 10), nothing locked", ms, 0.1, " ms");
  dbOther = openOne();
  runnerSql(dbOther, "SELECT skip_locked('job', 10000)");
  ms = query("SELECT skip_locked('job', 10)");
  report("skip", "skip_locked('job', 10) behind 10,000 locked rows", ms, 5,
         " ms");
  msSelect = query("SELECT id FROM job LIMIT 10010");
  report("skip", "the same / a SELECT of those rows", ms/msSelect, 10, "");
  ms = query("SELECT skip_locked('job', 10, 'state = ?', 'rank', 'ready')");
  msSelect = query("SELECT id FROM job WHERE state = 'ready' ORDER BY rank"
                   " LIMIT 10010");
  report("skip", "with a condition and an order, sorted / such a SELECT",
         ms/msSelect, 4, "");
  runnerCheck(dbOther, sqlite3_close(dbOther), "close");
}

/* ---- main ------------------------------------------------------------- */

static sqlite3 *openOne(void){
  sqlite3 *p = runnerOpenLoaded("lock");
  runnerSql(p, "PRAGMA journal_mode=WAL");
  runnerCheck(p, sqlite3_create_function(p, "empty", 1, SQLITE_UTF8, 0, empty,
                                         0, 0), "empty");
  return p;
}

static void pairs(const Pair *a, size_t n){
  size_t i;
  for(i=0; i<n; i++) if( runnerWants(a[i].zName) ) pair(&a[i]);
}

static void beside(void){
  sqlite3 *aDb[2];
  int i;
  for(i=0; i<2; i++){
    aDb[i] = openOne();
    runnerSql(aDb[i], "SELECT semaphore_lock('busy', 3)");
    runnerSql(aDb[i], "SELECT try_advisory_lock(-1)");
  }
  pairs(aBeside, sizeof(aBeside)/sizeof(aBeside[0]));
  for(i=0; i<2; i++) runnerCheck(aDb[i], sqlite3_close(aDb[i]), "close");
}

static int option(const char *zName, const char *zValue){
  if( strcmp(zName, "-n")==0 ){
    nRound = atoi(zValue);
  }else if( strcmp(zName, "-side")==0 ){
    iSide = atoi(zValue);
  }else{
    return 0;
  }
  return 1;
}

int main(int argc, char **argv){
  runnerBegin("lock", "free waiting text transaction request semaphore set row"
              " lease lease-inside lease-compile million growth-locks skip",
              "-n -side", option, argc, argv);
  nRep = runnerRepetitions(21, MAX_REP);
  runnerRemove("lock");
  db = openOne();
  makeJobs();
  run("SELECT lease_acquire('hand', 'a', 60000)");
  pairs(aPair, sizeof(aPair)/sizeof(aPair[0]));
  beside();
  if( runnerWants("million") ) million();
  if( runnerWants("growth-locks") ) growth();
  if( runnerWants("skip") ) skip();
  return sqlite3_close(db)!=SQLITE_OK;
}
