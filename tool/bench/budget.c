/* SPDX-License-Identifier: 0BSD */
/*
** The operations that `make check-budget` counts: runs each of them under
** valgrind's callgrind, which writes one file of counts an operation. It must
** run with --instr-atstart=no. tool/bench/budget.tcl builds and runs it, and
** reads the files.
**
**   budget EXTENSION FOLDER ?NAME...?
**
** An operation is run some times before it is counted, until every statement
** is prepared, every page is in the cache and everything that the connection
** keeps is there.
*/
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <valgrind/callgrind.h>

#define WARM 20      /* runs before those that are counted */

static const char *zExt;
static const char *zFolder;
static sqlite3 *db;

static void check(sqlite3 *p, int rc, const char *zSql){
  if( rc==SQLITE_OK || rc==SQLITE_ROW || rc==SQLITE_DONE ) return;
  fprintf(stderr, "budget: %s: %s\n", sqlite3_errmsg(p), zSql);
  exit(1);
}

static void run(const char *zSql){
  check(db, sqlite3_exec(db, zSql, 0, 0, 0), zSql);
}

static sqlite3 *opened(const char *zFile, int bLoad){
  sqlite3 *p = 0;
  char *zPath = sqlite3_mprintf("%s/%s.db", zFolder, zFile);
  check(p, sqlite3_open(zPath, &p), zPath);
  sqlite3_free(zPath);
  if( bLoad ){
    sqlite3_db_config(p, SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 1, (int*)0);
    check(p, sqlite3_load_extension(p, zExt, 0, 0), zExt);
  }
  return p;
}

/* ---- the operations --------------------------------------------------- */

/* One operation: its statements in turn, ?1 is the number of the run, from 1.
** zBegin and zEnd stand around all runs and are not counted. */
typedef struct Operation {
  const char *zName;
  int nRun;                    /* how many are counted */
  const char *zBegin;
  const char *azSql[3];
  const char *zEnd;
} Operation;

#define INSIDE(...) "BEGIN; SELECT count(*) FROM doc", { __VA_ARGS__ }, "COMMIT"
#define TURN   "SELECT write_turn()"
#define TEXT   "'twenty bytes of text'"
#define TEN    "'[1,2,3,4,5,6,7,8,9,10]'"

static const Operation aOperation[] = {
  { "advisory_lock_integer", 100, 0,
    { "SELECT advisory_lock(?1)", "SELECT advisory_unlock(?1)", 0 }, 0 },
  { "advisory_lock_text", 100, 0,
    { "SELECT advisory_lock(" TEXT ")", "SELECT advisory_unlock(" TEXT ")", 0 },
    0 },
  { "advisory_xact_lock", 100, 0,
    { "BEGIN", "SELECT advisory_xact_lock(?1)", "COMMIT" }, 0 },
  { "request_advisory_lock", 100, 0,
    { "SELECT request_advisory_lock(?1)", "SELECT advisory_unlock(?1)", 0 },
    0 },
  { "advisory_lock_many", 100, 0,
    { "SELECT advisory_lock_many(" TEN ")",
      "SELECT advisory_unlock_many(" TEN ")", 0 }, 0 },
  { "semaphore_lock", 100, 0,
    { "SELECT semaphore_lock('s', 3)", "SELECT semaphore_unlock('s')", 0 }, 0 },
  { "row_lock", 100, 0,
    { "SELECT row_lock('job', ?1)", "SELECT row_unlock('job', ?1)", 0 }, 0 },
  { "row_lock_many", 100, 0,
    { "SELECT row_lock_many('job', " TEN ")",
      "SELECT row_unlock_many('job', " TEN ")", 0 }, 0 },
  { "row_xact_lock", 100, 0,
    { "BEGIN", "SELECT row_xact_lock('job', ?1)", "COMMIT" }, 0 },
  { "skip_locked", 100, 0,
    { "SELECT skip_locked('job', 1, 'state = ''ready''', 'rank')",
      "SELECT row_unlock_all()", 0 }, 0 },
  { "write_turn", 100, 0, { "BEGIN", TURN, "COMMIT" }, 0 },
  { "notify", 100, 0, { "SELECT notify('job')", 0, 0 }, 0 },
  { "lease_acquire", 100, 0,
    { "SELECT lease_release('l', lease_acquire('l', 'a', 60000))", 0, 0 }, 0 },
  { "versioned_insert", 100,
    INSIDE("INSERT INTO doc(id, a) VALUES(100000 + ?1, 'new')", 0, 0) },
  { "versioned_update_carried", 100,
    INSIDE("UPDATE doc SET a = 'carried', version = 2 WHERE id = ?1", 0, 0) },
  { "versioned_update_bumped", 100,
    INSIDE("UPDATE doc SET a = 'bumped' WHERE id = 1000 + ?1", 0, 0) },
  { "versioned_delete", 100,
    INSIDE("DELETE FROM doc WHERE id = 2000 + ?1", 0, 0) },
  { "guarded_update", 100,
    INSIDE("UPDATE room SET a = 'guarded' WHERE id = ?1", 0, 0) },
  { "guarded_transaction", 100, 0,
    { "UPDATE room SET a = 'alone' WHERE id = ?1", 0, 0 }, 0 },
};

/* In a schema of 100 tables, of which those with smaller numbers are declared
** already. */
static const Operation declaring = {
  "declare_versioned", 5, 0,
  { "SELECT versioned(printf('many%d', ?1))", 0, 0 }, 0
};

/* Runs the statements. */
static void once(sqlite3_stmt **apStmt, int iRun){
  int k;
  for(k=0; k<3 && apStmt[k]; k++){
    sqlite3_stmt *p = apStmt[k];
    if( sqlite3_bind_parameter_count(p) ) sqlite3_bind_int(p, 1, iRun);
    check(db, sqlite3_step(p), sqlite3_sql(p));
    check(db, sqlite3_reset(p), sqlite3_sql(p));
  }
}

/* The runs that warm up have the numbers from 1 to WARM, those that count the
** next ones. */
static void count(const Operation *p){
  sqlite3_stmt *apStmt[3] = { 0, 0, 0 };
  int i, k;
  if( p->zBegin ) run(p->zBegin);
  for(k=0; k<3 && p->azSql[k]; k++){
    const char *z = p->azSql[k];
    check(db, sqlite3_prepare_v2(db, z, -1, &apStmt[k], 0), z);
  }
  for(i=1; i<=WARM; i++) once(apStmt, i);
  CALLGRIND_START_INSTRUMENTATION;
  for(; i<=WARM+p->nRun; i++) once(apStmt, i);
  CALLGRIND_STOP_INSTRUMENTATION;
  for(k=0; k<3; k++) sqlite3_finalize(apStmt[k]);
  if( p->zEnd ) run(p->zEnd);
}

/* Opens a connection, loads Interlock or not, runs the query and closes it. */
#define OPENED 2
static void countOpening(const char *zFile, int bLoad, const char *zQuery){
  int i;
  for(i=0; i<=OPENED; i++){
    sqlite3 *p;
    if( i==1 ) CALLGRIND_START_INSTRUMENTATION;
    p = opened(zFile, bLoad);
    check(p, sqlite3_exec(p, zQuery, 0, 0, 0), zQuery);
    sqlite3_close(p);
  }
  CALLGRIND_STOP_INSTRUMENTATION;
}

/* ---- what they work on ------------------------------------------------ */

static void fresh(const char *zFile){
  static const char *const azTail[] = { "", "-wal", "-shm", "-interlock" };
  int i;
  for(i=0; i<4; i++){
    char *z = sqlite3_mprintf("%s/%s.db%s", zFolder, zFile, azTail[i]);
    remove(z);
    sqlite3_free(z);
  }
  db = opened(zFile, 1);
  run("PRAGMA journal_mode=WAL; PRAGMA synchronous=OFF;"
      "PRAGMA wal_autocheckpoint=0");
}

#define ROWS(n, columns) "WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT" \
  " i+1 FROM c WHERE i<" #n ") SELECT " columns " FROM c"

static void makeTables(void){
  fresh("budget");
  run("CREATE TABLE job(id INTEGER PRIMARY KEY, state TEXT, rank INT);"
      "INSERT INTO job " ROWS(20000, "i, 'ready', i") ";"
      "CREATE INDEX job_rank ON job(state, rank);"
      "CREATE TABLE doc(id INTEGER PRIMARY KEY, a TEXT,"
      " version INTEGER NOT NULL DEFAULT 1);"
      "INSERT INTO doc " ROWS(10000, "i, 'some text', 1") ";"
      "CREATE TABLE room(id INTEGER PRIMARY KEY, a TEXT);"
      "INSERT INTO room " ROWS(10000, "i, 'some text'") ";"
      "SELECT versioned('doc'); SELECT guarded('room')");
}

/* Makes the 100 tables that are declared one by one, or all of them. */
static void makeMany(int bDeclare){
  int i;
  fresh("many");
  run("BEGIN");
  for(i=1; i<=100; i++){
    char *z = sqlite3_mprintf("CREATE TABLE many%d(id INTEGER PRIMARY KEY,"
        " name TEXT UNIQUE, a INT, version INTEGER NOT NULL DEFAULT 1)", i);
    run(z);
    sqlite3_free(z);
  }
  if( bDeclare ){
    run("SELECT versioned(name) FROM sqlite_master WHERE name GLOB 'many*'"
        " AND type = 'table'");
  }
  run("COMMIT");
}

/* Writes the counts of one operation into a file of its own. */
static void dump(const char *zName, int nRun){
  char *z = sqlite3_mprintf("%s %d", zName, nRun);
  CALLGRIND_DUMP_STATS_AT(z);
  sqlite3_free(z);
}

/* Prints what the counts depend on: SQLite's version, source and options. */
static void printSqlite(void){
  int i;
  printf("%s\n%s\n", sqlite3_libversion(), sqlite3_sourceid());
  for(i=0; sqlite3_compileoption_get(i); i++){
    printf("%s ", sqlite3_compileoption_get(i));
  }
  printf("\n");
}

static int wanted(const char *zName, int argc, char **argv){
  int i;
  for(i=0; i<argc; i++) if( strcmp(argv[i], zName)==0 ) return 1;
  return argc==0;
}

/* Runs one operation and writes its file. */
static void operation(const Operation *p){
  count(p);
  dump(p->zName, p->nRun);
}

int main(int argc, char **argv){
  size_t i;
  if( argc<3 ) return 2;
  zExt = argv[1];
  zFolder = argv[2];
  argc -= 3; argv += 3;
  printSqlite();
  makeTables();
  for(i=0; i<sizeof(aOperation)/sizeof(aOperation[0]); i++){
    if( wanted(aOperation[i].zName, argc, argv) ) operation(&aOperation[i]);
  }
  sqlite3_close(db);
  if( wanted(declaring.zName, argc, argv) ){
    makeMany(0);
    operation(&declaring);
    sqlite3_close(db);
  }
  if( wanted("open_100_versioned", argc, argv) ){
    makeMany(1);
    sqlite3_close(db);
    countOpening("many", 0, "SELECT a FROM many1");
    dump("open_100_versioned", OPENED);
  }
  if( wanted("load", argc, argv) ){
    countOpening("budget", 1, "SELECT 1");
    dump("load", OPENED);
  }
  return 0;
}
