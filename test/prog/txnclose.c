/* SPDX-License-Identifier: 0BSD */
/*
** txnclose.c: events in a transaction that writes a guarded table and holds
** locks of transaction scope, or right after it. The main one is a close that
** is refused, which only a program in C can get. The next transaction must be
** registered as the file's writer, and its locks must end with it.
** test/txnclose.test builds and runs it.
**
**   txnclose LIBRARY JOURNAL       prints what is wrong, then exits with 1
*/
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sqlite3.h>

static const char *zLibrary, *zNow = "";
static int nWrong;
#define CHECK(x) do{ if( !(x) ) wrong(__LINE__, #x); }while(0)
static void wrong(int iLine, const char *zWhat){
  printf("%s: line %d: %s\n", zNow, iLine, zWhat);
  nWrong++;
}

static void closing(sqlite3_context *ctx, int n, sqlite3_value **ap){
  (void)n; (void)ap;
  sqlite3_result_int(ctx, sqlite3_close(sqlite3_context_db_handle(ctx)));
}
static sqlite3 *openDb(void){
  sqlite3 *db = 0;
  char *zErr = 0;
  if( sqlite3_open("test.db", &db)!=SQLITE_OK
   || sqlite3_enable_load_extension(db, 1)!=SQLITE_OK
   || sqlite3_load_extension(db, zLibrary, 0, &zErr)!=SQLITE_OK ){
    printf("cannot open: %s\n", zErr ? zErr : sqlite3_errmsg(db));
    exit(2);
  }
  sqlite3_busy_timeout(db, 5000);
  sqlite3_create_function(db, "closing", 0, SQLITE_UTF8, 0, closing, 0, 0);
  return db;
}
static int run(sqlite3 *db, const char *zSql){
  return sqlite3_exec(db, zSql, 0, 0, 0);
}
static void must(int iLine, sqlite3 *db, const char *zSql){
  if( run(db, zSql)==SQLITE_OK ) return;
  printf("%s: line %d: %s: %s\n", zNow, iLine, zSql, sqlite3_errmsg(db));
  nWrong++;
}
static sqlite3_int64 ask(sqlite3 *db, const char *zSql){
  sqlite3_stmt *p = 0;
  sqlite3_int64 i = -1;
  if( sqlite3_prepare_v2(db, zSql, -1, &p, 0)==SQLITE_OK
   && sqlite3_step(p)==SQLITE_ROW ) i = sqlite3_column_int64(p, 0);
  sqlite3_finalize(p);
  return i;
}
/* Returns 1 if this connection can take the lock, which is then released. */
static int isFree(sqlite3 *db, const char *zTry){
  char z[200];
  snprintf(z, sizeof z, "SELECT try_%s", zTry);
  if( ask(db, z)!=1 ) return 0;
  CHECK(ask(db, "SELECT advisory_unlock_all()+row_unlock_all()"
                "+table_unlock_all()")==1);
  return 1;
}

/* ---- what happens to A -------------------------------------------------- */

static sqlite3_stmt *pBusy;      /* keeps A from being closed */

static void refused(sqlite3 *a){
  CHECK(sqlite3_close(a)==SQLITE_BUSY);
}
static void refusedTwice(sqlite3 *a){
  refused(a);
  refused(a);
}
static void refusedThenLock(sqlite3 *a){
  refused(a);
  must(__LINE__, a, "SELECT advisory_xact_lock(3)");
}
static void refusedThenWrite(sqlite3 *a){
  refused(a);
  must(__LINE__, a, "UPDATE t SET x = x+1 WHERE id = 1");
  refused(a);
}
static void refusedAfterSavepoint(sqlite3 *a){
  must(__LINE__, a, "SAVEPOINT a; SELECT advisory_xact_lock(3)");
  refused(a);
}
static void refusedInSavepoint(sqlite3 *a){
  must(__LINE__, a, "SAVEPOINT a");
  refused(a);
  must(__LINE__, a, "UPDATE t SET x = 0 WHERE id = 1; ROLLBACK TO a");
}
static void refusedInStatement(sqlite3 *a){
  must(__LINE__, a, "UPDATE t SET x = x + (closing() = 5) WHERE id IN (1, 3)");
}
/* A cascade writes a guarded table that was not written before. */
static void refusedBeforeCascade(sqlite3 *a){
  must(__LINE__, a, "UPDATE t SET x = x + (closing() = 5) WHERE id = 7");
}
static void refusedReturning(sqlite3 *a){
  sqlite3_stmt *p = 0;
  if( sqlite3_libversion_number()<3035000 ) return;
  sqlite3_prepare_v2(a, "UPDATE t SET x = x+1 WHERE id IN (1, 3) RETURNING x",
                     -1, &p, 0);
  CHECK(sqlite3_step(p)==SQLITE_ROW);
  refused(a);
  sqlite3_finalize(p);
}
static void conflict(sqlite3 *a){
  CHECK(run(a, "INSERT OR ROLLBACK INTO t VALUES(1, 1)")==SQLITE_CONSTRAINT);
  CHECK(sqlite3_get_autocommit(a));
}
static void full(sqlite3 *a){
  must(__LINE__, a, "PRAGMA max_page_count = 1");
  CHECK(run(a, "INSERT INTO big SELECT zeroblob(1000000)")==SQLITE_FULL);
  must(__LINE__, a, "PRAGMA max_page_count = 1000000");
}
static void schemaReset(sqlite3 *a){
  must(__LINE__, a, "PRAGMA writable_schema = RESET");
}
static void temporary(sqlite3 *a){
  must(__LINE__, a, "CREATE TEMP TABLE w(x); ALTER TABLE temp.w RENAME TO v;"
                    "DROP TABLE temp.v");
}
static void madeAgain(sqlite3 *a){
  must(__LINE__, a, "CREATE TABLE made(x); DROP TABLE made");
}
static void dropped(sqlite3 *a){
  /* SQLite refuses the DROP while the table is needed. After a refused close it
  ** may not. */
  run(a, "DROP TABLE temp.interlock_transaction");
}
static void refusedThenDropped(sqlite3 *a){
  refused(a);
  dropped(a);
}
static void memory(sqlite3 *a){
  sqlite3_db_release_memory(a);
}
static void busyReset(sqlite3 *a){
  sqlite3_stmt *p = 0;
  sqlite3_prepare_v2(a, "SELECT * FROM t, t AS t2", -1, &p, 0);
  CHECK(sqlite3_step(p)==SQLITE_ROW);
  sqlite3_reset(p);
  CHECK(sqlite3_step(p)==SQLITE_ROW);
  sqlite3_finalize(p);
}
static void attached(sqlite3 *a){
  run(a, "DETACH m");
  run(a, "ATTACH ':memory:' AS m");
  must(__LINE__, a, "CREATE TABLE m.y(x); DROP TABLE m.y");
  run(a, "DETACH m");            /* refused in the transaction */
}
static void deserialized(sqlite3 *a){
  int n;
  unsigned char *p;
  run(a, "DETACH m");
  run(a, "ATTACH ':memory:' AS m");
  p = sqlite3_malloc(512);
  memset(p, 0, 512);
  n = sqlite3_deserialize(a, "m", p, 0, 512, SQLITE_DESERIALIZE_FREEONCLOSE
                                           |SQLITE_DESERIALIZE_RESIZEABLE);
  (void)n;                       /* refused or not */
  run(a, "DETACH m");
}
static void interrupted(sqlite3 *a){
  sqlite3_stmt *p = 0;
  sqlite3_prepare_v2(a, "SELECT * FROM t", -1, &p, 0);
  sqlite3_step(p);
  sqlite3_interrupt(a);
  run(a, "UPDATE t SET x = x+1");
  sqlite3_finalize(p);
}

static void commit(sqlite3 *a){
  if( !sqlite3_get_autocommit(a) ) must(__LINE__, a, "COMMIT");
}
static void rollback(sqlite3 *a){
  if( !sqlite3_get_autocommit(a) ) must(__LINE__, a, "ROLLBACK");
}
/* ---- and between two transactions ---- */
static void nothing(sqlite3 *a){ (void)a; }
static void tempStore(sqlite3 *a){
  must(__LINE__, a, "PRAGMA temp_store = MEMORY; PRAGMA temp_store = FILE");
}
static void vacuum(sqlite3 *a){ must(__LINE__, a, "VACUUM"); }
static void betweenRefused(sqlite3 *a){ refused(a); }

typedef struct Step {
  const char *zName;
  void (*x)(sqlite3*);
} Step;
static const Step aMiddle[] = {
  {"refused", refused}, {"refused-twice", refusedTwice},
  {"refused-then-lock", refusedThenLock},
  {"refused-then-write", refusedThenWrite},
  {"refused-after-savepoint", refusedAfterSavepoint},
  {"refused-in-savepoint", refusedInSavepoint},
  {"refused-in-statement", refusedInStatement},
  {"refused-before-cascade", refusedBeforeCascade},
  {"refused-returning", refusedReturning},
  {"refused-then-dropped", refusedThenDropped},
  {"nothing", nothing}, {"conflict", conflict}, {"full", full},
  {"schema-reset", schemaReset}, {"temporary", temporary},
  {"made-again", madeAgain}, {"dropped", dropped}, {"memory", memory},
  {"busy-reset", busyReset}, {"attached", attached},
  {"deserialized", deserialized}, {"interrupted", interrupted},
};
static const Step aEnd[] = { {"commit", commit}, {"rollback", rollback} };
static const Step aAfter[] = {
  {"nothing", nothing}, {"temp-store", tempStore}, {"vacuum", vacuum},
  {"dropped", dropped}, {"schema-reset", schemaReset}, {"attached", attached},
  {"refused", betweenRefused},
};

/* ---- the test ----------------------------------------------------------- */

/*
** A writes in a transaction, then an event comes, and the transaction ends. W
** writes, and so becomes the file's writer. A writes again. From then on no
** other connection may be granted the row, whether or not A has called a lock
** function meanwhile.
*/
static void rounds(sqlite3 *a, sqlite3 *w, sqlite3 *r, const char *zBegin,
                   void (*xMiddle)(sqlite3*), void (*xEnd)(sqlite3*),
                   void (*xAfter)(sqlite3*), int bWrite){
  must(__LINE__, a, "BEGIN; SELECT advisory_xact_lock(1);"
                    "SELECT row_xact_lock('u', 1);"
                    "UPDATE t SET x = x+1 WHERE id = 1");
  CHECK(!isFree(r, "row_lock('t', 1)"));
  xMiddle(a);
  if( !sqlite3_get_autocommit(a) ){
    CHECK(!isFree(r, "row_lock('t', 1)"));
    CHECK(!isFree(r, "advisory_lock(1)"));
    CHECK(!isFree(r, "row_lock('u', 1)"));
  }
  xEnd(a);
  xAfter(a);
  if( bWrite ) must(__LINE__, w, "UPDATE t SET x = x+100 WHERE id = 2");
  must(__LINE__, a, zBegin);
  must(__LINE__, a, "UPDATE t SET x = x+1 WHERE id = 1");
  if( !sqlite3_get_autocommit(a) ){
    CHECK(!isFree(r, "row_lock('t', 1)"));
    CHECK(!isFree(r, "table_lock_shared('t')"));
    CHECK(ask(a, "SELECT try_advisory_xact_lock(2)")==1);
    CHECK(!isFree(r, "advisory_lock(2)"));
    must(__LINE__, a, "SAVEPOINT b; SELECT advisory_xact_lock(4)");
    CHECK(!isFree(r, "advisory_lock(4)"));
    must(__LINE__, a, "ROLLBACK TO b");
    CHECK(isFree(r, "advisory_lock(4)"));
    CHECK(!isFree(r, "advisory_lock(2)"));
    xEnd(a);
  }
  CHECK(isFree(r, "row_lock('t', 1)"));
  CHECK(isFree(r, "row_lock('u', 1)"));
  CHECK(isFree(r, "advisory_lock(1)"));
  CHECK(isFree(r, "advisory_lock(2)"));
  CHECK(isFree(r, "advisory_lock(3)"));
  CHECK(ask(r, "SELECT count(*) FROM advisory_locks")==0);
}

/* After a refused close and COMMIT the next call notices the end.
** interlock_reset() is such a call; inside the transaction it is refused. */
static void resets(sqlite3 *a, sqlite3 *r){
  zNow = "resets";
  must(__LINE__, a, "BEGIN; UPDATE t SET x = x+1 WHERE id = 1");
  refused(a);
  CHECK(run(a, "SELECT interlock_reset()")==SQLITE_ERROR);
  CHECK(!isFree(r, "row_lock('t', 1)"));
  /* Events come again, through a table that the guards do not use. */
  must(__LINE__, a, "SELECT advisory_xact_lock(1)");
  CHECK(run(a, "SELECT interlock_reset()")==SQLITE_ERROR);
  CHECK(!isFree(r, "row_lock('t', 1)"));
  must(__LINE__, a, "COMMIT");
  CHECK(isFree(r, "row_lock('t', 1)"));
  must(__LINE__, a, "BEGIN; UPDATE t SET x = x+1 WHERE id = 1");
  refused(a);
  must(__LINE__, a, "COMMIT");
  CHECK(ask(a, "SELECT interlock_reset()")==0);
  CHECK(isFree(r, "row_lock('t', 1)"));
}

/* Savepoints from before a refused close are not those from after it that have
** the same numbers: a rollback to the second must not release what was locked
** in the first, also if the table of the events is made once more in between.
** */
static void savepoints(sqlite3 *a, sqlite3 *r, const char *zBetween){
  zNow = zBetween[0] ? "savepoints, table made again" : "savepoints";
  must(__LINE__, a, "BEGIN; SELECT advisory_xact_lock(1);"
                    "SAVEPOINT a; SELECT advisory_xact_lock(2);"
                    "SAVEPOINT b; SELECT advisory_xact_lock(3)");
  refused(a);
  must(__LINE__, a, "RELEASE a");
  run(a, zBetween);
  must(__LINE__, a, "SAVEPOINT c; SELECT advisory_xact_lock(4);"
                    "SAVEPOINT d; SELECT advisory_xact_lock(5)");
  must(__LINE__, a, "ROLLBACK TO d");
  CHECK(isFree(r, "advisory_lock(5)"));
  CHECK(!isFree(r, "advisory_lock(4)"));
  must(__LINE__, a, "ROLLBACK TO c");
  CHECK(isFree(r, "advisory_lock(4)"));
  CHECK(!isFree(r, "advisory_lock(3)"));
  CHECK(!isFree(r, "advisory_lock(2)"));
  CHECK(!isFree(r, "advisory_lock(1)"));
  must(__LINE__, a, "COMMIT");
  CHECK(ask(r, "SELECT count(*) FROM advisory_locks")==0);
}

/* A call inside a statement that writes by itself notices the end as well. */
static void writesAlone(sqlite3 *a, sqlite3 *r){
  zNow = "writes-alone";
  must(__LINE__, a, "BEGIN; SELECT advisory_xact_lock(1)");
  refused(a);
  must(__LINE__, a, "INSERT INTO big SELECT advisory_unlock(99)");
  CHECK(!isFree(r, "advisory_lock(1)"));
  must(__LINE__, a, "COMMIT; INSERT INTO big SELECT advisory_unlock(99)");
  CHECK(isFree(r, "advisory_lock(1)"));
}

/* Another connection changes the key of the table while A gets no events. */
static void renamed(sqlite3 *a, sqlite3 *w, sqlite3 *r){
  zNow = "renamed";
  must(__LINE__, a, "BEGIN; UPDATE v SET x = x+1");
  refused(a);
  must(__LINE__, a, "COMMIT");
  must(__LINE__, w, "DROP TABLE v; CREATE TABLE v(y TEXT, id TEXT COLLATE"
                    " NOCASE PRIMARY KEY, x); SELECT guarded('v');"
                    "INSERT INTO v VALUES('b', 'one', 1)");
  CHECK(ask(r, "SELECT row_lock('v', 'ONE')")>0);
  must(__LINE__, a, "BEGIN");
  CHECK(run(a, "UPDATE v SET x = 9 WHERE id = 'one'")==SQLITE_LOCKED);
  must(__LINE__, a, "ROLLBACK");
  CHECK(ask(r, "SELECT row_unlock_all()")==1);
}

int main(int argc, char **argv){
  static const char *azBegin[] = { "BEGIN", "BEGIN IMMEDIATE", "SAVEPOINT c",
                                   "SELECT 1" };
  sqlite3 *a, *w, *r;
  char z[200];
  size_t i, j, k, n = 0;
  if( argc!=3 ) return 2;
  zLibrary = argv[1];
  unlink("test.db");
  a = openDb();
  snprintf(z, sizeof z, "PRAGMA journal_mode = %s", argv[2]);
  must(__LINE__, a, z);
  must(__LINE__, a, "PRAGMA synchronous = OFF;"
      "CREATE TABLE t(id INTEGER PRIMARY KEY, x);"
      "CREATE TABLE u(id INTEGER PRIMARY KEY, x);"
      "CREATE TABLE v(id INTEGER PRIMARY KEY, x);"
      "CREATE TABLE c(id INTEGER PRIMARY KEY, x);"
      "CREATE TABLE big(x);"
      "INSERT INTO t VALUES(1, 1), (2, 2), (3, 3), (7, 7);"
      "INSERT INTO v VALUES(1, 1);"
      "INSERT INTO c VALUES(1, 1);"
      "SELECT guarded('t'), guarded('v'), guarded('c');"
      "CREATE TRIGGER cascade AFTER UPDATE ON t WHEN NEW.id = 7"
      " BEGIN UPDATE c SET x = x+1; END");
  w = openDb();
  r = openDb();
  must(__LINE__, w, "PRAGMA synchronous = OFF");
  sqlite3_prepare_v2(a, "SELECT 1", -1, &pBusy, 0);
  for(i=0; i<sizeof aMiddle/sizeof aMiddle[0]; i++){
    for(j=0; j<2; j++){
      for(k=0; k<sizeof aAfter/sizeof aAfter[0]; k++, n++){
        snprintf(z, sizeof z, "%s %s %s %s", aMiddle[i].zName, aEnd[j].zName,
                 aAfter[k].zName, azBegin[n%4]);
        zNow = z;
        rounds(a, w, r, azBegin[n%4], aMiddle[i].x, aEnd[j].x, aAfter[k].x,
              n%3!=2);
      }
    }
  }
  resets(a, r);
  savepoints(a, r, "");
  savepoints(a, r, "DROP TABLE temp.interlock_transaction");
  writesAlone(a, r);
  renamed(a, w, r);
  sqlite3_finalize(pBusy);
  zNow = "end";
  CHECK(sqlite3_close(a)==SQLITE_OK);
  CHECK(ask(r, "SELECT count(*) FROM advisory_sessions")<=2);
  CHECK(sqlite3_close(w)==SQLITE_OK);
  CHECK(sqlite3_close(r)==SQLITE_OK);
  return nWrong>0;
}
