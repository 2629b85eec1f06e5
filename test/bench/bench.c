/* SPDX-License-Identifier: 0BSD */
/*
** What a versioned, guarded or fenced table costs, as ratios: each line
** compares the same statements on two tables, in one process and turn about,
** and prints the median of the ratios, `what: ratio (aim)`. tool/bench.tcl
** builds and runs it.
**
**   bench EXTENSION FOLDER [-n ROWS] [-r REPETITIONS] [-t TABLES] [-side 0|1]
**         [NAME...]
**
** Times are CPU times of this process: the machine may have other work.
** With -side one side alone is run, for a profiler.
*/
#define _POSIX_C_SOURCE 200809L
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define MAX_REP 101

static const char *zExt;
static const char *zFolder;
static int nRow = 10000;
static int nRep = 21;
static int iSide = -1;

/* ---- helpers ---------------------------------------------------------- */

static void check(sqlite3 *db, int rc, const char *zSql){
  if( rc==SQLITE_OK || rc==SQLITE_ROW || rc==SQLITE_DONE ) return;
  fprintf(stderr, "bench: %s: %s\n", sqlite3_errmsg(db), zSql);
  exit(1);
}

static void run(sqlite3 *db, const char *zSql){
  check(db, sqlite3_exec(db, zSql, 0, 0, 0), zSql);
}

static sqlite3_stmt *prepare(sqlite3 *db, const char *zSql){
  sqlite3_stmt *pStmt = 0;
  check(db, sqlite3_prepare_v2(db, zSql, -1, &pStmt, 0), zSql);
  return pStmt;
}

static void once(sqlite3 *db, sqlite3_stmt *pStmt){
  check(db, sqlite3_step(pStmt), sqlite3_sql(pStmt));
  check(db, sqlite3_reset(pStmt), sqlite3_sql(pStmt));
}

/* CPU seconds of this process. */
static double now(void){
  struct timespec t;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return (double)t.tv_sec + (double)t.tv_nsec*1e-9;
}

static int compare(const void *a, const void *b){
  double x = *(const double*)a, y = *(const double*)b;
  return x<y ? -1 : x>y;
}

static double median(double *a, int n){
  qsort(a, (size_t)n, sizeof(a[0]), compare);
  return a[n/2];
}

/* A new database, in memory where zFile is NULL, else a file in WAL mode. */
static sqlite3 *fresh(const char *zFile){
  static const char *const azTail[] = { "", "-wal", "-shm", "-interlock" };
  sqlite3 *db = 0;
  char *zPath = zFile ? sqlite3_mprintf("%s/%s.db", zFolder, zFile)
                      : sqlite3_mprintf(":memory:");
  size_t i;
  for(i=0; zFile && i<sizeof(azTail)/sizeof(azTail[0]); i++){
    char *z = sqlite3_mprintf("%s%s", zPath, azTail[i]);
    remove(z);
    sqlite3_free(z);
  }
  check(db, sqlite3_open(zPath, &db), zPath);
  if( zFile ) run(db, "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL");
  sqlite3_free(zPath);
  return db;
}

/* An existing database. */
static sqlite3 *opened(const char *zFile){
  sqlite3 *db = 0;
  char *z = sqlite3_mprintf("%s/%s.db", zFolder, zFile);
  check(db, sqlite3_open(z, &db), z);
  sqlite3_free(z);
  return db;
}

static void extension(sqlite3 *db){
  sqlite3_db_config(db, SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 1, (int*)0);
  check(db, sqlite3_load_extension(db, zExt, 0, 0), zExt);
}

static void report(const char *zName, const char *zWhat, double r, double aim,
                   const char *zUnit, const char *zMore){
  printf("%-12s %s: %.2f%s", zName, zWhat, r, zUnit);
  if( aim>0 ){
    printf(" (aim %g%s)%s", aim, zUnit, r<=aim ? "" : " MISSED");
  }
  printf("%s\n", zMore);
  fflush(stdout);
}

/* ---- the same statements on two tables -------------------------------- */

#define EMPTY(event) \
  "CREATE TRIGGER e BEFORE " event " ON t WHEN 0 BEGIN SELECT 1; END"
#define RECIPE \
  "CREATE TRIGGER r AFTER UPDATE ON t BEGIN" \
  " UPDATE t SET version=version+1 WHERE id=NEW.id; END"
#define DECLARE(more) "SELECT versioned('t','version'" more ")"

#define GUARD "SELECT guarded('t')"
#define REFUSING \
  "CREATE TRIGGER e AFTER UPDATE ON t WHEN OLD.id IS NULL BEGIN" \
  " SELECT RAISE(ABORT,'no'); END"
#define LOCKED \
  "WITH RECURSIVE s(i) AS (SELECT 10000001 UNION ALL SELECT i+1 FROM s" \
  " LIMIT 100000) SELECT count(row_lock('t',i)) FROM s"

#define FENCED "SELECT fenced('t','version')"
#define LEASED "SELECT fenced('t','version','l');" \
  "INSERT INTO interlock_leases VALUES('l','a',70,99999999999999)"
#define HELD "UPDATE t SET a=?2,version=70 WHERE id=?1"

#define CARRIED "UPDATE t SET a=?2,version=?3 WHERE id=?1"
#define BUMPED  "UPDATE t SET a=?2 WHERE id=?1"
#define INSERT  "INSERT INTO t(id,a,b) VALUES(?1,?2,'some text')"
#define DELETE  "DELETE FROM t WHERE id=?1"
#define REPLACE "REPLACE INTO t(id,a,b) VALUES(?1,?2,'some text')"

/* In the statements ?1 is a key (each key once in each repetition, in no
** order), ?2 a value, and ?3 the version that the row gets. */
typedef struct Pair Pair;
struct Pair {
  const char *zName;
  const char *zWhat;
  double aim;
  const char *azDeclare[2];  /* what it is held against, and ours */
  const char *zSql;
  int bFilled;               /* the table has all rows at the start */
  int bBack;                 /* a repetition is rolled back */
  int iCarry;                /* ?3 is the present version plus this */
  int bEach;                 /* each statement is a transaction */
  const char *zBeside;       /* what another connection has done, or NULL */
};

static const Pair aPair[] = {
  { "carried", "UPDATE that carries the version / one empty trigger", 1.25,
    { EMPTY("UPDATE"), DECLARE("") }, CARRIED, 1, 0, 1, 0, 0 },
  { "strict", "UPDATE in mode strict / one empty trigger", 1.25,
    { EMPTY("UPDATE"), DECLARE(",'strict'") }, CARRIED, 1, 0, 1, 0, 0 },
  { "ignore", "carried, on_stale=ignore / one empty trigger", 1.25,
    { EMPTY("UPDATE"), DECLARE(",'auto','on_stale=ignore'") },
    CARRIED, 1, 0, 1, 0, 0 },
  { "bumped", "bumped UPDATE / the AFTER recipe", 1.2,
    { RECIPE, DECLARE("") }, BUMPED, 1, 0, 0, 0, 0 },
  { "bumped-after", "bumped UPDATE, on_stale=ignore / the AFTER recipe", 1.15,
    { RECIPE, DECLARE(",'auto','on_stale=ignore'") }, BUMPED, 1, 0, 0, 0, 0 },
  { "echo", "UPDATE that echoes the version / the AFTER recipe", 0,
    { RECIPE, DECLARE(",'echo'") }, CARRIED, 1, 0, 0, 0, 0 },
  { "insert", "INSERT / one empty trigger", 1.8,
    { EMPTY("INSERT"), DECLARE("") }, INSERT, 0, 1, 0, 0, 0 },
  { "delete", "DELETE by key / one empty trigger", 3,
    { EMPTY("DELETE"), DECLARE("") }, DELETE, 1, 1, 0, 0, 0 },
  { "delete-off", "DELETE, tombstones=off / one empty trigger", 3,
    { EMPTY("DELETE"), DECLARE(",'auto','tombstones=off'") },
    DELETE, 1, 1, 0, 0, 0 },
  { "replace", "REPLACE of a live row / one empty trigger", 0,
    { EMPTY("INSERT"), DECLARE("") }, REPLACE, 1, 0, 0, 0, 0 },
  { "guarded", "UPDATE of a guarded table / one empty trigger", 1.15,
    { EMPTY("UPDATE"), GUARD }, BUMPED, 1, 0, 0, 0, 0 },
  { "guarded", "the same / one trigger that can refuse", 0,
    { REFUSING, GUARD }, BUMPED, 1, 0, 0, 0, 0 },
  { "guarded-each", "a transaction of one such UPDATE / one empty trigger", 1.5,
    { EMPTY("UPDATE"), GUARD }, BUMPED, 1, 0, 0, 1, 0 },
  { "guarded-locked", "100,000 other rows locked by another / none locked", 1.3,
    { GUARD, GUARD }, BUMPED, 1, 0, 0, 0, LOCKED },
  { "guarded-locked", "the same / one empty trigger", 0,
    { EMPTY("UPDATE"), GUARD }, BUMPED, 1, 0, 0, 0, LOCKED },
  { "fenced", "UPDATE of a fenced table / one empty trigger", 1.3,
    { EMPTY("UPDATE"), FENCED }, CARRIED, 1, 0, 0, 0, 0 },
  { "fenced-lease", "the same with a lease / one empty trigger", 2.5,
    { EMPTY("UPDATE"), LEASED }, HELD, 1, 0, 0, 0, 0 },
};

/* Makes a database with the table, declared in one of the two ways. */
static sqlite3 *table(const Pair *p, int i, const char *zFile, int n){
  sqlite3 *db = fresh(zFile);
  char *zFill = sqlite3_mprintf(
      "WITH RECURSIVE s(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM s"
      " LIMIT %d) INSERT INTO t(id,a,b) SELECT i,i,'some text' FROM s", n);
  run(db, "CREATE TABLE t(id INTEGER PRIMARY KEY, a INT, b TEXT,"
          " version INTEGER NOT NULL DEFAULT 1)");
  if( p->bFilled ) run(db, zFill);
  if( i || strcmp(p->azDeclare[i], GUARD)==0 ) extension(db);
  run(db, p->azDeclare[i]);
  run(db, "ANALYZE; DROP TABLE sqlite_stat1");
  sqlite3_free(zFill);
  return db;
}

/* Runs nRow statements over the n keys. Returns the seconds. */
static double repetition(const Pair *p, sqlite3 *db, int n, int iRep){
  sqlite3_stmt *pStmt = prepare(db, p->zSql);
  int nStatement = n<nRow ? n : nRow;
  sqlite3_int64 iKey = (sqlite3_int64)iRep*7907;
  double t;
  int i;
  if( !p->bEach ) run(db, "BEGIN");
  t = now();
  for(i=0; i<nStatement; i++){
    iKey += 7919;
    sqlite3_bind_int64(pStmt, 1, iKey%n + 1);
    sqlite3_bind_int(pStmt, 2, i + iRep);
    if( sqlite3_bind_parameter_count(pStmt)>2 ){
      sqlite3_bind_int(pStmt, 3, 1 + iRep + p->iCarry);
    }
    once(db, pStmt);
  }
  t = now() - t;
  sqlite3_finalize(pStmt);
  if( !p->bEach ) run(db, p->bBack ? "ROLLBACK" : "COMMIT");
  return t;
}

/* Returns the median of the ratios of the second side to the first. *pns is the
** time of the second, in ns. */
static double ratio(const Pair *p, const char *zFile, int n, double *pns){
  double aRatio[MAX_REP], aTime[MAX_REP];
  sqlite3 *adb[2], *dbBeside = 0;
  char az[2][64];
  int i, r;
  for(i=0; i<2; i++){
    sqlite3_snprintf(sizeof(az[i]), az[i], "%s-%d", zFile ? zFile : "", i);
    adb[i] = table(p, i, zFile ? az[i] : 0, n);
  }
  if( p->zBeside ){
    dbBeside = opened(az[1]);
    extension(dbBeside);
    run(dbBeside, p->zBeside);
  }
  for(r=0; r<nRep; r++){
    double t[2] = { 1, 1 };
    for(i=0; i<2; i++){
      int k = (i + r)&1;
      if( iSide<0 || k==iSide ) t[k] = repetition(p, adb[k], n, r);
    }
    aRatio[r] = t[1]/t[0];
    aTime[r] = t[1]*1e9/(n<nRow ? n : nRow);
  }
  for(i=0; i<2; i++) sqlite3_close(adb[i]);
  sqlite3_close(dbBeside);
  *pns = median(aTime, nRep);
  return median(aRatio, nRep);
}

static void pairs(const Pair *p){
  static const char *const azWhere[] = { ":memory:", "WAL" };
  int i;
  for(i=0; i<2; i++){
    char zWhat[200], zMore[40];
    double ns, r;
    if( iSide>=0 && i ) return;
    if( p->zBeside && i==0 ) continue;
    r = ratio(p, i ? "pair" : 0, nRow, &ns);
    sqlite3_snprintf(sizeof(zWhat), zWhat, "%s, %s", p->zWhat, azWhere[i]);
    sqlite3_snprintf(sizeof(zMore), zMore, "  %.0f ns", ns);
    report(p->zName, zWhat, r, p->aim, "", zMore);
  }
}

/* ---- growth ----------------------------------------------------------- */

/* If a cost grew with the table, the ratio would grow. */
static void growth(void){
  static const char *const azName[] = { "carried", "bumped", "delete" };
  size_t i, j;
  for(i=0; i<sizeof(azName)/sizeof(azName[0]); i++){
    for(j=0; strcmp(aPair[j].zName, azName[i])!=0; j++){}
    double ns, small, large;
    char zWhat[200];
    int nOld = nRow;
    Pair pair = aPair[j];
    if( pair.iCarry ) pair.zSql = "UPDATE t SET a=?2,version=version+1"
                                  " WHERE id=?1 AND ?3";
    nRow = 1000;
    small = ratio(&pair, 0, 1000, &ns);
    large = ratio(&pair, 0, 1000000, &ns);
    nRow = nOld;
    sqlite3_snprintf(sizeof(zWhat), zWhat,
        "%s, ratio at 10^6 rows / ratio at 10^3", azName[i]);
    report("growth", zWhat, large/small, 1.2, "", "");
  }
}

/* ---- one table of a million rows -------------------------------------- */

static void million(void){
  double a[3];
  int r;
  for(r=0; r<3; r++){
    sqlite3 *db = fresh("million");
    run(db, "CREATE TABLE t(id INTEGER PRIMARY KEY, a INT, b TEXT);"
            "WITH RECURSIVE s(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM s"
            " LIMIT 1000000) INSERT INTO t SELECT i,i,'some text' FROM s");
    extension(db);
    a[r] = now();
    run(db, "SELECT versioned('t')");
    a[r] = now() - a[r];
    sqlite3_close(db);
  }
  report("million", "declaring a table of 10^6 rows", median(a, 3), 2, " s",
         "");
}

/* ---- a thousand tables ------------------------------------------------ */

static int nTable = 1000;

static void tables(const char *zFile, int bDeclare){
  sqlite3 *db = fresh(zFile);
  double t;
  int i;
  run(db, "BEGIN");
  for(i=0; i<nTable; i++){
    char *z = sqlite3_mprintf("CREATE TABLE t%d(id INTEGER PRIMARY KEY,"
        " name TEXT UNIQUE, a INT, version INTEGER NOT NULL DEFAULT 1)", i);
    run(db, z);
    sqlite3_free(z);
  }
  extension(db);
  t = now();
  if( bDeclare ){
    run(db, "SELECT versioned(name) FROM sqlite_master WHERE type='table'");
    report("tables", "declaring the tables in one transaction", now() - t,
           0, " s", "");
  }
  run(db, "COMMIT");
  sqlite3_close(db);
}

/* Opens a connection and reads the schema. */
static sqlite3 *schema(const char *zFile){
  sqlite3 *db = opened(zFile);
  run(db, "SELECT a FROM t0");
  return db;
}

static void thousand(void){
  double a[MAX_REP], ms[MAX_REP], t;
  int r;
  tables("plain", 0);
  tables("declared", 1);
  for(r=0; r<nRep; r++){
    sqlite3 *db;
    t = now();
    sqlite3_close(schema("plain"));
    a[r] = now() - t;
    t = now();
    db = schema("declared");
    sqlite3_close(db);
    a[r] = (now() - t - a[r])*1000/nTable;
    db = schema("declared");
    extension(db);
    run(db, "SELECT count(*) FROM sqlite_master");
    t = now();
    run(db, "SELECT * FROM versioned_tables");
    ms[r] = (now() - t)*1000;
    sqlite3_close(db);
  }
  report("tables", "opening a connection, for each versioned table",
         median(a, nRep), 0.1, " ms", "");
  report("tables", "SELECT * FROM versioned_tables",
         median(ms, nRep), 50, " ms", "");
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
  size_t i;
  if( argc<3 ) return 2;
  zExt = argv[1];
  zFolder = argv[2];
  argc -= 3; argv += 3;
  while( argc>1 && argv[0][0]=='-' ){
    int n = atoi(argv[1]);
    if( strcmp(argv[0], "-n")==0 ) nRow = n;
    if( strcmp(argv[0], "-r")==0 ) nRep = n<MAX_REP ? n : MAX_REP;
    if( strcmp(argv[0], "-t")==0 ) nTable = n;
    if( strcmp(argv[0], "-side")==0 ) iSide = n;
    argc -= 2; argv += 2;
  }
  for(i=0; i<sizeof(aPair)/sizeof(aPair[0]); i++){
    if( wanted(aPair[i].zName, argc, argv) ) pairs(&aPair[i]);
  }
  if( wanted("growth", argc, argv) ) growth();
  if( wanted("million", argc, argv) ) million();
  if( wanted("tables", argc, argv) ) thousand();
  return 0;
}
