/* SPDX-License-Identifier: 0BSD */
/*
** What a versioned, guarded or fenced table costs, as ratios: each line
** compares the same statements on two tables, in one process and turn about,
** and prints the median of the ratios, `what: ratio (aim)`.
** tool/bench/bench.tcl builds and runs it.
**
**   tables EXTENSION FOLDER [-n ROWS] [-r REPETITIONS] [-t TABLES] [-side 0|1]
**          [NAME...]
**
** Times are CPU times of this process: the machine may have other work.
** With -side one side alone is run, for a profiler.
*/
#include <stdlib.h>
#include <string.h>
#include "runner.h"

#define MAX_REP 101

static int nRow = 10000;
static int nRep;
static int iSide = -1;

/* ---- helpers ---------------------------------------------------------- */

/* A new database, in memory where zFile is NULL, else a file in WAL mode. */
static sqlite3 *fresh(const char *zFile){
  sqlite3 *db;
  if( zFile ) runnerRemove(zFile);
  db = runnerOpen(zFile);
  if( zFile ){
    runnerSql(db, "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL");
  }
  return db;
}

static void report(const char *zPart, const char *zWhat, double r, double aim,
                   const char *zUnit, const char *zMore){
  Figure figure = { .zPart = zPart, .zWhat = zWhat, .value = r, .aim = aim,
                    .zUnit = zUnit, .zMore = zMore };
  runnerFigure(&figure);
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
  runnerSql(db, "CREATE TABLE t(id INTEGER PRIMARY KEY, a INT, b TEXT,"
          " version INTEGER NOT NULL DEFAULT 1)");
  if( p->bFilled ) runnerSql(db, zFill);
  if( i || strcmp(p->azDeclare[i], GUARD)==0 ) runnerLoad(db, runnerExtension);
  runnerSql(db, p->azDeclare[i]);
  runnerSql(db, "ANALYZE; DROP TABLE sqlite_stat1");
  sqlite3_free(zFill);
  return db;
}

/* Runs nRow statements over the n keys. Returns the seconds. */
static double repetition(const Pair *p, sqlite3 *db, int n, int iRep){
  sqlite3_stmt *pStmt = runnerPrepare(db, p->zSql);
  int nStatement = n<nRow ? n : nRow;
  sqlite3_int64 iKey = (sqlite3_int64)iRep*7907;
  double t;
  int i;
  if( !p->bEach ) runnerSql(db, "BEGIN");
  t = runnerCpu();
  for(i=0; i<nStatement; i++){
    iKey += 7919;
    sqlite3_bind_int64(pStmt, 1, iKey%n + 1);
    sqlite3_bind_int(pStmt, 2, i + iRep);
    if( sqlite3_bind_parameter_count(pStmt)>2 ){
      sqlite3_bind_int(pStmt, 3, 1 + iRep + p->iCarry);
    }
    runnerOnce(pStmt);
  }
  t = runnerCpu() - t;
  sqlite3_finalize(pStmt);
  if( !p->bEach ) runnerSql(db, p->bBack ? "ROLLBACK" : "COMMIT");
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
    dbBeside = runnerOpen(az[1]);
    runnerLoad(dbBeside, runnerExtension);
    runnerSql(dbBeside, p->zBeside);
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
  *pns = runnerMedian(aTime, nRep);
  return runnerMedian(aRatio, nRep);
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

/* ---- ways to notice a stale write ------------------------------------- */

#define TRACKED \
  "CREATE TABLE change(at INTEGER PRIMARY KEY, id INT, a INT, b TEXT);" \
  "CREATE TRIGGER r AFTER UPDATE ON t BEGIN" \
  " INSERT INTO change(id,a,b) VALUES(OLD.id,OLD.a,OLD.b); END"
#define WHERE "UPDATE t SET a=?2,version=?3 WHERE id=?1 AND version=?3-1"
#define WAY(name, declare, sql, carry) \
  { name, 0, 0, { declare, declare }, sql, 1, 0, carry, 0, 0 }

/* The first one is what the others are divided by. */
static const Pair aWrite[] = {
  WAY("plain UPDATE", "SELECT 1", BUMPED, 0),
  WAY("WHERE version = ?", "SELECT 1", WHERE, 1),
  WAY("AFTER recipe", RECIPE, BUMPED, 0),
  WAY("change tracking", TRACKED, BUMPED, 0),
  WAY("versioned, carried", DECLARE(""), CARRIED, 1),
  WAY("versioned, bumped", DECLARE(""), BUMPED, 0),
  WAY("strict, carried", DECLARE(",'strict'"), CARRIED, 1),
  WAY("echo, carried", DECLARE(",'echo'"), CARRIED, 0),
  WAY("on_stale=ignore, carried", DECLARE(",'auto','on_stale=ignore'"),
      CARRIED, 1),
  WAY("guarded", GUARD, BUMPED, 0),
  WAY("fenced", FENCED, CARRIED, 1),
};
#define N_WRITE (int)(sizeof(aWrite)/sizeof(aWrite[0]))

/* All of them in turn, on tables of their own. */
static void writesIn(const char *zWhere, int bFile){
  static double aNs[N_WRITE][MAX_REP], aRatio[N_WRITE][MAX_REP];
  sqlite3 *adb[N_WRITE];
  char zWhat[100];
  int i, r, bEach;
  for(i=0; i<N_WRITE; i++){
    char zFile[20];
    sqlite3_snprintf(sizeof(zFile), zFile, "write%d", i);
    adb[i] = table(&aWrite[i], 1, bFile ? zFile : 0, nRow);
  }
  for(bEach=0; bEach<=bFile; bEach++){
    for(r=0; r<nRep; r++){
      for(i=0; i<N_WRITE; i++){
        Pair pair = aWrite[i];
        pair.bEach = bEach;
        aNs[i][r] = repetition(&pair, adb[i], nRow, bEach*nRep + r)*1e9/nRow;
        aRatio[i][r] = aNs[i][r]/aNs[0][r];
      }
    }
    sqlite3_snprintf(sizeof(zWhat), zWhat, "an UPDATE / a plain one, %s%s",
        zWhere, bEach ? ", each a transaction" : ", in one transaction");
    for(i=0; i<N_WRITE; i++){
      char zMore[40];
      sqlite3_snprintf(sizeof(zMore), zMore, "  %.0f ns",
                       runnerMedian(aNs[i], nRep));
      runnerFigure(&(Figure){ .zPart = "writes", .zWhat = zWhat, .zUnit = "",
          .zSeries = aWrite[i].zName, .value = runnerMedian(aRatio[i], nRep),
          .spread = runnerSpread(aRatio[i], nRep), .zMore = zMore });
    }
  }
  for(i=0; i<N_WRITE; i++) sqlite3_close(adb[i]);
}

static void writes(void){
  writesIn(":memory:", 0);
  writesIn("WAL", 1);
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

/* The time of a carried UPDATE in tables of so many rows. */
static void growthRows(void){
  static const int aRow[] = { 1000, 10000, 100000, 1000000 };
  const Pair *p = &aWrite[4];
  size_t i;
  for(i=0; i<sizeof(aRow)/sizeof(aRow[0]); i++){
    int n = aRow[i], nStatement = n<nRow ? n : nRow, r;
    Pair plain = aWrite[0], carried = *p;
    double aNs[2][MAX_REP];
    sqlite3 *adb[2];
    adb[0] = table(&plain, 0, 0, n);
    adb[1] = table(&carried, 1, 0, n);
    carried.zSql = "UPDATE t SET a=?2,version=version+1 WHERE id=?1 AND ?3";
    for(r=0; r<nRep; r++){
      aNs[0][r] = repetition(&plain, adb[0], n, r)*1e9/nStatement;
      aNs[1][r] = repetition(&carried, adb[1], n, r)*1e9/nStatement;
    }
    for(r=0; r<2; r++){
      runnerFigure(&(Figure){ .zPart = "growth-rows", .zUnit = " ns",
          .zWhat = "an UPDATE in a table of rows", .bX = 1, .x = n,
          .zSeries = r ? "versioned" : "plain",
          .value = runnerMedian(aNs[r], nRep) });
      sqlite3_close(adb[r]);
    }
  }
}

/* ---- one table of a million rows -------------------------------------- */

static void million(void){
  double a[3];
  int r;
  for(r=0; r<3; r++){
    sqlite3 *db = fresh("million");
    runnerSql(db, "CREATE TABLE t(id INTEGER PRIMARY KEY, a INT, b TEXT);"
            "WITH RECURSIVE s(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM s"
            " LIMIT 1000000) INSERT INTO t SELECT i,i,'some text' FROM s");
    runnerLoad(db, runnerExtension);
    a[r] = runnerCpu();
    runnerSql(db, "SELECT versioned('t')");
    a[r] = runnerCpu() - a[r];
    sqlite3_close(db);
  }
  report("million", "declaring a table of 10^6 rows", runnerMedian(a, 3), 2,
         " s", "");
}

/* ---- a thousand tables ------------------------------------------------ */

static int nTable = 1000;

/* Makes a file of tables, and declares them by a statement. */
static double tables(const char *zFile, const char *zDeclare){
  sqlite3 *db = fresh(zFile);
  double t;
  int i;
  runnerSql(db, "BEGIN");
  for(i=0; i<nTable; i++){
    char *z = sqlite3_mprintf("CREATE TABLE t%d(id INTEGER PRIMARY KEY,"
        " name TEXT UNIQUE, a INT, version INTEGER NOT NULL DEFAULT 1)", i);
    runnerSql(db, z);
    sqlite3_free(z);
  }
  runnerLoad(db, runnerExtension);
  t = runnerCpu();
  if( zDeclare ) runnerSql(db, zDeclare);
  t = runnerCpu() - t;
  runnerSql(db, "COMMIT");
  sqlite3_close(db);
  return t;
}

#define ALL_TABLES "json_group_array(name)) FROM sqlite_master" \
                   " WHERE type='table'"

/* The same, and says how long declaring has taken. */
static void declared(const char *zFile, const char *zWhat,
                     const char *zDeclare){
  runnerFigure(&(Figure){ .zPart = "tables", .zUnit = " s", .bX = 1,
      .zWhat = zWhat, .x = nTable, .value = tables(zFile, zDeclare) });
}

/* What SQLite itself takes for the same triggers and tables. */
static void bareTables(void){
  sqlite3 *db = runnerOpen("declared");
  sqlite3_stmt *pStmt = 0;
  sqlite3_str *pText = sqlite3_str_new(db);
  char *z;
  sqlite3_prepare_v2(db, "SELECT sql FROM sqlite_master WHERE name"
      " GLOB 'interlock_*' AND sql NOT NULL ORDER BY rowid", -1, &pStmt, 0);
  while( sqlite3_step(pStmt)==SQLITE_ROW ){
    sqlite3_str_appendf(pText, "%s;", sqlite3_column_text(pStmt, 0));
  }
  sqlite3_finalize(pStmt);
  z = sqlite3_str_finish(pText);
  sqlite3_close(db);
  declared("bare", "the same CREATE statements by themselves", z);
  sqlite3_free(z);
}

static void repaired(void){
  sqlite3 *db = runnerOpen("declared");
  double t;
  runnerLoad(db, runnerExtension);
  runnerSql(db, "DROP TABLE interlock_versioned");
  t = runnerCpu();
  runnerSql(db, "SELECT versioned_repair()");
  runnerFigure(&(Figure){ .zPart = "tables", .zUnit = " s", .bX = 1,
      .zWhat = "repairing tables whose registry is gone", .x = nTable,
      .value = runnerCpu() - t });
  sqlite3_close(db);
}

/* Opens a connection and reads the schema. */
static sqlite3 *schema(const char *zFile){
  sqlite3 *db = runnerOpen(zFile);
  runnerSql(db, "SELECT a FROM t0");
  return db;
}

/* Opening a connection, for each declared table: what a file takes beyond one
** with plain tables, in the same round. */
static double opening(const char *zFile){
  double t = runnerCpu(), tPlain;
  sqlite3_close(schema("plain"));
  tPlain = runnerCpu() - t;
  t = runnerCpu();
  sqlite3_close(schema(zFile));
  return (runnerCpu() - t - tPlain)*1e6/nTable;
}

static void thousand(void){
  double us[MAX_REP], usGuarded[MAX_REP], ms[MAX_REP], t;
  int r;
  tables("plain", 0);
  declared("declared", "declaring the tables by versioned(), a call each",
           "SELECT versioned(name) FROM sqlite_master WHERE type='table'");
  declared("many", "the same by one versioned_many()",
           "SELECT versioned_many(" ALL_TABLES);
  bareTables();
  declared("guarded", "the same by one guarded_many()",
           "SELECT guarded_many(" ALL_TABLES);
  for(r=0; r<nRep; r++){
    sqlite3 *db;
    us[r] = opening("declared");
    usGuarded[r] = opening("guarded");
    db = schema("declared");
    runnerLoad(db, runnerExtension);
    runnerSql(db, "SELECT count(*) FROM sqlite_master");
    t = runnerCpu();
    runnerSql(db, "SELECT * FROM versioned_tables");
    ms[r] = (runnerCpu() - t)*1000;
    sqlite3_close(db);
  }
  repaired();
  report("tables", "opening a connection, for each versioned table",
         runnerMedian(us, nRep), 50, " us", "");
  report("tables", "opening a connection, for each guarded table",
         runnerMedian(usGuarded, nRep), 50, " us", "");
  report("tables", "SELECT * FROM versioned_tables",
         runnerMedian(ms, nRep), 50, " ms", "");
}

/* Opening a connection to a file with so many versioned tables. */
static void growthTables(void){
  static const int aTable[] = { 1, 10, 100, 1000 };
  int nOld = nTable;
  size_t i;
  for(i=0; i<sizeof(aTable)/sizeof(aTable[0]); i++){
    double aMs[2][MAX_REP];
    int r, k;
    nTable = aTable[i];
    tables("plain", 0);
    tables("declared", "SELECT versioned_many(" ALL_TABLES);
    for(r=0; r<nRep; r++) for(k=0; k<2; k++){
      double t = runnerCpu();
      sqlite3_close(schema(k ? "declared" : "plain"));
      aMs[k][r] = (runnerCpu() - t)*1e3;
    }
    for(k=0; k<2; k++){
      runnerFigure(&(Figure){ .zPart = "growth-tables", .zUnit = " ms",
          .zWhat = "opening a connection to a file of tables", .bX = 1,
          .x = nTable, .zSeries = k ? "versioned" : "plain",
          .value = runnerMedian(aMs[k], nRep) });
    }
  }
  nTable = nOld;
}

/* ---- main ------------------------------------------------------------- */

static int option(const char *zName, const char *zValue){
  int n = atoi(zValue);
  if( strcmp(zName, "-n")==0 ){
    nRow = n;
  }else if( strcmp(zName, "-t")==0 ){
    nTable = n;
  }else if( strcmp(zName, "-side")==0 ){
    iSide = n;
  }else{
    return 0;
  }
  return 1;
}

int main(int argc, char **argv){
  size_t i;
  runnerBegin("tables", "carried strict ignore bumped bumped-after echo insert"
              " delete delete-off replace guarded guarded-each guarded-locked"
              " fenced fenced-lease writes growth growth-rows million tables"
              " growth-tables", "-n -t -side",
              option, argc, argv);
  nRep = runnerRepetitions(21, MAX_REP);
  for(i=0; i<sizeof(aPair)/sizeof(aPair[0]); i++){
    if( runnerWants(aPair[i].zName) ) pairs(&aPair[i]);
  }
  if( runnerWants("writes") ) writes();
  if( runnerWants("growth") ) growth();
  if( runnerWants("growth-rows") ) growthRows();
  if( runnerWants("million") ) million();
  if( runnerWants("tables") ) thousand();
  if( runnerWants("growth-tables") ) growthTables();
  return 0;
}
