/* SPDX-License-Identifier: 0BSD */
/*
** dbheader.c: the number of the schema that is read from the file without a
** transaction is the one that PRAGMA schema_version returns, after anything
** that can happen to a file; and beside a thread that changes the schema all
** the time it is never older than the last change that has ended. What can
** happen between two steps of the look is made to happen there.
**
**   dbheader [SEED [STEPS]]
**
** test/dbheader.test builds and runs it.
*/
#include <pthread.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "sqlite/dbheader.h"

#define FILE_NAME "number.db"

static unsigned iSeed = 1;
static int nStep = 1000;
static sqlite3 *pAsks, *pOther;

static void fail(const char *zWhat, const char *zWhy){
  printf("seed %u: %s: %s\n", iSeed, zWhat, zWhy);
  exit(1);
}
static void run(sqlite3 *db, const char *zSql){
  char *zError = 0;
  if( sqlite3_exec(db, zSql, 0, 0, &zError)!=SQLITE_OK ) fail(zSql, zError);
}
/* Runs SQL that may fail because of the other connection. */
static void attempt(sqlite3 *db, const char *zSql){
  sqlite3_exec(db, zSql, 0, 0, 0);
}
static sqlite3 *opened(void){
  sqlite3 *db = 0;
  if( sqlite3_open(FILE_NAME, &db)!=SQLITE_OK ) fail("open", FILE_NAME);
  run(db, "PRAGMA synchronous=OFF; PRAGMA wal_autocheckpoint=50");
  return db;
}
static u32 numberOf(sqlite3 *db){
  sqlite3_stmt *p = 0;
  u32 i;
  sqlite3_prepare_v2(db, "PRAGMA schema_version", -1, &p, 0);
  if( sqlite3_step(p)!=SQLITE_ROW ) fail("schema_version", sqlite3_errmsg(db));
  i = (u32)sqlite3_column_int64(p, 0);
  sqlite3_finalize(p);
  return i;
}

/* ---- one thing after the other ---------------------------------------- */

static void randomChange(sqlite3 *db, unsigned i){
  static const char *const az[] = {
    "CREATE TABLE IF NOT EXISTS a(x); DROP TABLE a",
    "CREATE TABLE b(x); DROP TABLE b",
    "CREATE INDEX i ON t(x); DROP INDEX i",
    "INSERT INTO t VALUES(zeroblob(100))",
    "INSERT INTO t VALUES(zeroblob(9000))",
    "DELETE FROM t WHERE rowid%3=0",
    "UPDATE t SET x=zeroblob(200) WHERE rowid<20",
    "BEGIN; CREATE TABLE c(x); INSERT INTO t VALUES(zeroblob(90000)); ROLLBACK",
    "BEGIN; CREATE TABLE d(x); DROP TABLE d; COMMIT",
    "PRAGMA wal_checkpoint(PASSIVE)",
    "PRAGMA wal_checkpoint(RESTART)",
    "PRAGMA wal_checkpoint(TRUNCATE)",
    "DELETE FROM t; VACUUM",
    "SELECT count(*) FROM t",
    /* Three regions of the WAL's index, and page 1 in the last. */
    "PRAGMA wal_autocheckpoint=0; WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL"
    " SELECT i+1 FROM n WHERE i<8500) INSERT INTO t SELECT zeroblob(3500)"
    " FROM n; CREATE TABLE h(x); DROP TABLE h; PRAGMA wal_autocheckpoint=50",
  };
  unsigned n = sizeof(az)/sizeof(az[0]);
  if( i%n==n-1 && random()%8 ) i++;
  attempt(db, az[i%n]);
}

/* Changes the journal mode, or sets the same again. For that pAsks must be
** closed. */
static void changeMode(void){
  sqlite3_close(pAsks);
  run(pOther, random()%2 ? "PRAGMA journal_mode=WAL"
                         : "PRAGMA journal_mode=DELETE");
  pAsks = opened();
  attempt(pAsks, "SELECT count(*) FROM t");
}

static void inTurn(void){
  DbheaderSchema kept;
  int i, nTold = 0;
  memset(&kept, 0, sizeof(kept));
  for(i=0; i<nStep; i++){
    DbheaderSchema fresh;
    u32 iNumber;
    if( random()%50==0 ){
      changeMode();
      memset(&kept, 0, sizeof(kept));
    }
    randomChange(random()%4 ? pOther : pAsks, (unsigned)random());
    memset(&fresh, 0, sizeof(fresh));
    iNumber = numberOf(pOther);
    if( dbheaderSchema(pAsks, "main", &kept) ){
      nTold++;
      if( kept.iNumber!=iNumber ) fail("in turn", "another number");
      if( kept.wal.pWal && !dbheaderSame(pAsks, "main", &kept.wal) ){
        fail("in turn", "another state of the WAL");
      }
    }
    if( dbheaderSchema(pAsks, "main", &fresh) && fresh.iNumber!=iNumber ){
      fail("in turn", "another number at first sight");
    }
  }
  if( nTold<nStep*9/10 ) fail("in turn", "not told often enough");
}

/* ---- in between -------------------------------------------------------- */

/* Other things happen while the header and the pages are read: the connection
** that reads has file objects whose methods do them, at the iHook-th call. */
static int iHook;
static const sqlite3_io_methods *apMethods[2];
static sqlite3_io_methods aHooked[2];

/* The WAL begins again, so that the frames that were read become other pages.
** */
static void hook(void){
  if( iHook==0 || --iHook ) return;
  run(pOther, "PRAGMA wal_checkpoint(RESTART);"
              "INSERT INTO t VALUES(zeroblob(90000)); CREATE TABLE f(x)");
}
static void hookedBarrier(sqlite3_file *p){
  hook();
  apMethods[0]->xShmBarrier(p);
}
static int hookedRead(sqlite3_file *p, void *a, int n, sqlite3_int64 i){
  hook();
  return apMethods[0]->xRead(p, a, n, i);
}
static int hookedReadWal(sqlite3_file *p, void *a, int n, sqlite3_int64 i){
  hook();
  return apMethods[1]->xRead(p, a, n, i);
}
static void setHooks(void){
  sqlite3_file *ap[2];
  int i;
  sqlite3_file_control(pAsks, "main", SQLITE_FCNTL_FILE_POINTER, &ap[0]);
  sqlite3_file_control(pAsks, "main", SQLITE_FCNTL_JOURNAL_POINTER, &ap[1]);
  for(i=0; i<2; i++){
    apMethods[i] = ap[i]->pMethods;
    aHooked[i] = *apMethods[i];
    ap[i]->pMethods = &aHooked[i];
  }
  aHooked[0].xShmBarrier = hookedBarrier;
  aHooked[0].xRead = hookedRead;
  aHooked[1].xRead = hookedReadWal;
}

/* The hook runs at each of these calls, with the new number in the WAL or in
** the file. */
static void inBetween(void){
  int i;
  for(i=0; i<12; i++){
    DbheaderSchema kept;
    u32 iBefore, iAfter;
    memset(&kept, 0, sizeof(kept));
    sqlite3_close(pAsks);
    sqlite3_close(pOther);
    pOther = opened();
    run(pOther, "PRAGMA journal_mode=WAL; DROP TABLE IF EXISTS f");
    pAsks = opened();
    run(pAsks, "SELECT count(*) FROM t");
    if( i%3 && !dbheaderSchema(pAsks, "main", &kept) ) fail("hook", "not told");
    run(pOther, "CREATE TABLE g(x); DROP TABLE g");
    if( i%3==1 ) run(pOther, "PRAGMA wal_checkpoint(RESTART);"
                             "INSERT INTO t VALUES(1)");
    iBefore = numberOf(pOther);
    setHooks();
    iHook = 1 + i/3;
    if( dbheaderSchema(pAsks, "main", &kept) ){
      iAfter = numberOf(pOther);
      if( kept.iNumber!=iBefore && kept.iNumber!=iAfter ){
        fail("in between", "a number that there was not");
      }
    }
    iHook = 0;
  }
}

/* ---- at the same time ------------------------------------------------- */

static u32 iBegun, iEnded;         /* the number that is being made, and is */
static int bStop;

static void *changes(void *pUnused){
  sqlite3 *db = opened();
  unsigned i;
  (void)pUnused;
  sqlite3_busy_timeout(db, 10000);
  for(i=0; !__atomic_load_n(&bStop, __ATOMIC_ACQUIRE); i++){
    u32 iNext = iEnded + 1;
    __atomic_store_n(&iBegun, iNext, __ATOMIC_SEQ_CST);
    run(db, i%2 ? "DROP TABLE e" : "CREATE TABLE e(x)");
    __atomic_store_n(&iEnded, iNext, __ATOMIC_SEQ_CST);
    if( i%5==0 ) run(db, "INSERT INTO t VALUES(zeroblob(20000))");
    if( i%97==0 ) attempt(db, "PRAGMA wal_checkpoint(RESTART)");
    if( i%211==0 ) run(db, "DELETE FROM t");
  }
  if( i%2 ) run(db, "DROP TABLE e");
  sqlite3_close(db);
  return 0;
}

static void together(const char *zMode){
  DbheaderSchema kept;
  pthread_t thread;
  int i, nNew = 0;
  sqlite3_close(pAsks);
  run(pOther, zMode);
  sqlite3_close(pOther);
  pAsks = opened();
  run(pAsks, "SELECT count(*) FROM t");
  iBegun = iEnded = numberOf(pAsks);
  bStop = 0;
  memset(&kept, 0, sizeof(kept));
  if( pthread_create(&thread, 0, changes, 0) ) fail("thread", "none");
  for(i=0; nNew<nStep/4 && i<100000000; i++){
    u32 iOldest = __atomic_load_n(&iEnded, __ATOMIC_SEQ_CST);
    u32 iLast = kept.iNumber;
    if( !dbheaderSchema(pAsks, "main", &kept) ) continue;
    if( kept.iNumber!=iLast ) nNew++;
    if( kept.iNumber<iOldest ) fail(zMode, "an old number");
    if( kept.iNumber>__atomic_load_n(&iBegun, __ATOMIC_SEQ_CST) ){
      fail(zMode, "a number that there is not");
    }
  }
  __atomic_store_n(&bStop, 1, __ATOMIC_RELEASE);
  pthread_join(thread, 0);
  if( nNew<nStep/4 ) fail(zMode, "nothing new is told");
  pOther = opened();
}

int main(int argc, char **argv){
  if( argc>1 ) iSeed = (unsigned)atoi(argv[1]);
  if( argc>2 ) nStep = atoi(argv[2]);
  srandom(iSeed);
  remove(FILE_NAME);
  remove(FILE_NAME "-wal");
  remove(FILE_NAME "-shm");
  pOther = opened();
  run(pOther, "PRAGMA journal_mode=WAL; CREATE TABLE t(x)");
  pAsks = opened();
  inTurn();
  inBetween();
  together("PRAGMA journal_mode=WAL");
  together("PRAGMA journal_mode=DELETE");
  return 0;
}
