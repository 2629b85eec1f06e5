/* SPDX-License-Identifier: 0BSD */
/*
** advisory.c: what only a program in C can do to a connection with locks: call
** sqlite3_txn_state, get a refused sqlite3_close, leave a zombie, interrupt
** from another thread. test/advisoryc.test builds and runs it.
**
**   advisory LIBRARY SCENARIO      prints what is wrong, then exits with 1
*/
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <sqlite3.h>

#define CHECK(x) do{ if( !(x) ) wrong(__LINE__, #x); }while(0)

static const char *zLibrary;
static int nWrong;
static void wrong(int iLine, const char *zWhat){
  printf("line %d: %s\n", iLine, zWhat);
  nWrong++;
}

static sqlite3 *openDb(const char *zFile){
  sqlite3 *db = 0;
  char *zErr = 0;
  if( sqlite3_open(zFile, &db)!=SQLITE_OK
   || sqlite3_enable_load_extension(db, 1)!=SQLITE_OK
   || sqlite3_load_extension(db, zLibrary, 0, &zErr)!=SQLITE_OK ){
    printf("cannot open: %s\n", zErr ? zErr : sqlite3_errmsg(db));
    exit(2);
  }
  sqlite3_extended_result_codes(db, 1);
  sqlite3_busy_timeout(db, 5000);
  return db;
}
/* Runs SQL. Returns SQLite's code. */
static int run(sqlite3 *db, const char *zSql){
  return sqlite3_exec(db, zSql, 0, 0, 0);
}
/* The first value of a statement as an integer; -1 after an error. */
static sqlite3_int64 ask(sqlite3 *db, const char *zSql){
  sqlite3_stmt *p = 0;
  sqlite3_int64 i = -1;
  if( sqlite3_prepare_v2(db, zSql, -1, &p, 0)==SQLITE_OK
   && sqlite3_step(p)==SQLITE_ROW ) i = sqlite3_column_int64(p, 0);
  sqlite3_finalize(p);
  return i;
}
static int isFree(sqlite3 *db, int iKey){
  char z[80];
  snprintf(z, sizeof z, "SELECT try_advisory_lock(%d)", iKey);
  if( ask(db, z)!=1 ) return 0;
  snprintf(z, sizeof z, "SELECT advisory_unlock(%d)", iKey);
  return ask(db, z)==1;
}
static int begins(const char *z, const char *zPrefix){
  return strncmp(z, zPrefix, strlen(zPrefix))==0;
}

/* ---- what opens a transaction, as SQLite itself says -------------------- */

/* Verifies the state of db's transaction, and whether a request of db for the
** lock 1, which another connection holds, waits. */
static void expectWait(int iLine, sqlite3 *db, int eState, int bWaits){
  int rc;
  if( sqlite3_txn_state(db, "main")!=eState ) wrong(iLine, "txn_state");
  run(db, "SELECT advisory_lock_timeout(1)");
  rc = run(db, "SELECT advisory_lock(1)");
  if( bWaits ){
    if( rc!=SQLITE_BUSY_TIMEOUT ) wrong(iLine, "no SQLITE_BUSY_TIMEOUT");
    if( !begins(sqlite3_errmsg(db), "lock timeout: ") ) wrong(iLine, "text");
  }else{
    if( rc!=SQLITE_BUSY ) wrong(iLine, "no SQLITE_BUSY");
    if( !begins(sqlite3_errmsg(db), "lock wait refused: ") ){
      wrong(iLine, "text");
    }
  }
}
static void states(sqlite3 *db, sqlite3 *db2){
  sqlite3_stmt *p = 0;
  sqlite3_blob *pBlob = 0;
  ask(db2, "SELECT advisory_lock(1)");
  expectWait(__LINE__, db, SQLITE_TXN_NONE, 1);
  run(db, "BEGIN");
  expectWait(__LINE__, db, SQLITE_TXN_NONE, 1);
  run(db, "SAVEPOINT a; SELECT advisory_xact_lock(2)");
  expectWait(__LINE__, db, SQLITE_TXN_NONE, 1);
  run(db, "ROLLBACK; BEGIN; SELECT * FROM t");
  expectWait(__LINE__, db, SQLITE_TXN_READ, 0);
  run(db, "COMMIT; BEGIN IMMEDIATE");
  expectWait(__LINE__, db, SQLITE_TXN_WRITE, 0);
  run(db, "COMMIT; BEGIN; UPDATE t SET v = 1 WHERE id = 99");
  expectWait(__LINE__, db, SQLITE_TXN_WRITE, 0);
  run(db, "COMMIT; BEGIN; PRAGMA user_version");
  expectWait(__LINE__, db, SQLITE_TXN_READ, 0);
  run(db, "COMMIT");
  /* A statement that is not read to its end, and one that is reset. */
  sqlite3_prepare_v2(db, "SELECT * FROM t", -1, &p, 0);
  sqlite3_step(p);
  expectWait(__LINE__, db, SQLITE_TXN_READ, 0);
  sqlite3_reset(p);
  expectWait(__LINE__, db, SQLITE_TXN_NONE, 1);
  sqlite3_finalize(p);
  sqlite3_blob_open(db, "main", "t", "v", 1, 1, &pBlob);
  expectWait(__LINE__, db, SQLITE_TXN_WRITE, 0);
  sqlite3_blob_close(pBlob);
  sqlite3_blob_open(db, "main", "t", "v", 1, 0, &pBlob);
  CHECK(sqlite3_txn_state(db, "main")!=SQLITE_TXN_NONE);
  CHECK(run(db, "SELECT advisory_lock(1)")==SQLITE_BUSY);
  sqlite3_blob_close(pBlob);
  run(db, "PRAGMA locking_mode = EXCLUSIVE; SELECT * FROM t");
  expectWait(__LINE__, db, SQLITE_TXN_NONE, 0);
  run(db, "PRAGMA locking_mode = NORMAL");
  expectWait(__LINE__, db, SQLITE_TXN_NONE, 1);
  /* A transaction lock leaves main alone. */
  run(db, "BEGIN; SELECT advisory_xact_lock(3)");
  CHECK(sqlite3_txn_state(db, "main")==SQLITE_TXN_NONE);
  CHECK(sqlite3_txn_state(db, "temp")==SQLITE_TXN_WRITE);
  run(db, "COMMIT");
  CHECK(isFree(db2, 3));
}

/* ---- the end of a connection -------------------------------------------- */

static void closeRefused(sqlite3 *db, sqlite3 *db2){
  sqlite3_stmt *p = 0;
  ask(db, "SELECT advisory_lock(1)");
  run(db, "BEGIN; SELECT advisory_xact_lock(2)");
  sqlite3_prepare_v2(db, "SELECT 1", -1, &p, 0);
  CHECK(sqlite3_close(db)==SQLITE_BUSY);
  CHECK(!isFree(db2, 1));
  CHECK(!isFree(db2, 2));
  /* The connection lives on, and so does its transaction. */
  CHECK(ask(db, "SELECT try_advisory_lock(3)")==1);
  CHECK(ask(db, "SELECT try_advisory_xact_lock(4)")==1);
  CHECK(!isFree(db2, 2));
  CHECK(!isFree(db2, 4));
  CHECK(sqlite3_close(db)==SQLITE_BUSY);
  CHECK(run(db, "COMMIT")==SQLITE_OK);
  /* If the end of the transaction is no event, the next call sees it. */
  CHECK(ask(db, "SELECT advisory_unlock(3)")==1);
  CHECK(isFree(db2, 2));
  CHECK(isFree(db2, 4));
  CHECK(!isFree(db2, 1));
  run(db, "BEGIN; SELECT advisory_xact_lock(5)");
  CHECK(!isFree(db2, 5));
  run(db, "ROLLBACK");
  CHECK(isFree(db2, 5));
  CHECK(sqlite3_close(db)==SQLITE_BUSY);
  CHECK(!isFree(db2, 1));
  sqlite3_finalize(p);
  CHECK(sqlite3_close(db)==SQLITE_OK);
  CHECK(isFree(db2, 1));
}
/* A close is refused. Then the connection rolls back to a savepoint from before
** it. */
static void closeRefusedSavepoint(sqlite3 *db, sqlite3 *db2){
  sqlite3_stmt *p = 0;
  run(db, "BEGIN; SELECT advisory_xact_lock(1); SAVEPOINT a;"
          "SELECT advisory_xact_lock(2)");
  sqlite3_prepare_v2(db, "SELECT 1", -1, &p, 0);
  CHECK(sqlite3_close(db)==SQLITE_BUSY);
  run(db, "SELECT advisory_xact_lock(3); ROLLBACK TO a");
  CHECK(!isFree(db2, 1));
  run(db, "SELECT advisory_xact_lock(4)");
  CHECK(!isFree(db2, 1));
  CHECK(!isFree(db2, 4));
  run(db, "ROLLBACK; SELECT advisory_unlock(99)");
  CHECK(isFree(db2, 1));
  CHECK(isFree(db2, 2));
  CHECK(isFree(db2, 3));
  CHECK(isFree(db2, 4));
  sqlite3_finalize(p);
  CHECK(sqlite3_close(db)==SQLITE_OK);
}
static void closeInTransaction(sqlite3 *db, sqlite3 *db2){
  ask(db, "SELECT advisory_lock(1)");
  run(db, "BEGIN; SELECT advisory_xact_lock(2); INSERT INTO t VALUES(9, 9);"
          "SAVEPOINT a; SELECT advisory_xact_lock(3)");
  CHECK(sqlite3_close(db)==SQLITE_OK);
  CHECK(isFree(db2, 1) && isFree(db2, 2) && isFree(db2, 3));
  CHECK(ask(db2, "SELECT count(*) FROM t")==2);
  CHECK(ask(db2, "SELECT count(*) FROM advisory_sessions")==1);
}
/* A connection that was closed with statements left (a zombie) lives until its
** last statement ends, and so do its session locks. */
static void zombie(sqlite3 *db, sqlite3 *db2){
  sqlite3_stmt *p = 0;
  ask(db, "SELECT advisory_lock(1)");
  run(db, "BEGIN; SELECT advisory_xact_lock(2)");
  sqlite3_prepare_v2(db, "SELECT id, try_advisory_lock(id+10) FROM t", -1, &p,
                     0);
  sqlite3_step(p);
  CHECK(sqlite3_close_v2(db)==SQLITE_OK);
  CHECK(!isFree(db2, 1));
  /* The zombie's statement goes on, and takes a lock. */
  CHECK(sqlite3_step(p)==SQLITE_ROW);
  CHECK(sqlite3_column_int(p, 1)==1);
  CHECK(!isFree(db2, 12));
  CHECK(!isFree(db2, 1));
  sqlite3_finalize(p);
  CHECK(isFree(db2, 1) && isFree(db2, 2) && isFree(db2, 11) && isFree(db2, 12));
  CHECK(ask(db2, "SELECT count(*) FROM advisory_sessions")==1);
}

/* ---- interrupt ----------------------------------------------------------- */

typedef struct Waiter {
  sqlite3 *db;
  const char *zSql;
  int rc;
  char zText[200];
} Waiter;
static void *waiter(void *pArg){
  Waiter *w = (Waiter*)pArg;
  w->rc = run(w->db, w->zSql);
  snprintf(w->zText, sizeof w->zText, "%s", sqlite3_errmsg(w->db));
  return 0;
}
static void untilWaits(sqlite3 *db2){
  int i;
  for(i=0; i<10000; i++){
    if( ask(db2, "SELECT count(*) FROM advisory_waits")>0 ) return;
    usleep(1000);
  }
  wrong(__LINE__, "nobody waits");
}
static void interrupt(sqlite3 *db, sqlite3 *db2){
  Waiter w = { db, "SELECT advisory_lock(1)", 0, "" };
  pthread_t t;
  int i;
  ask(db2, "SELECT advisory_lock(1)");
  for(i=0; i<3; i++){
    if( i==1 ) run(db, "BEGIN; SELECT advisory_xact_lock(2)");
    pthread_create(&t, 0, waiter, &w);
    untilWaits(db2);
    sqlite3_interrupt(db);
    pthread_join(t, 0);
    CHECK(w.rc==SQLITE_INTERRUPT);
    CHECK(ask(db2, "SELECT count(*) FROM advisory_waits")==0);
    /* The next statement works, and the transaction goes on. */
    CHECK(ask(db, "SELECT try_advisory_lock(7)")==1);
    CHECK(ask(db, "SELECT advisory_unlock(7)")==1);
    CHECK(sqlite3_get_autocommit(db)==(i==0));
    CHECK(isFree(db2, 2)==(i==0));
  }
  run(db, "COMMIT");
  CHECK(isFree(db2, 2));
}
/* A progress handler is called in each look of a wait, and may end it. */
static int nProgress, nEnough;
static int progress(void *pArg){
  (void)pArg;
  return ++nProgress>=nEnough;
}
static void progressEnds(sqlite3 *db, sqlite3 *db2){
  static const struct { const char *zSql; int nOps; } a[] = {
    { "SELECT advisory_lock(1)", 100 },
    { "SELECT advisory_lock(1)", 1000 },
    { "BEGIN; SELECT advisory_xact_lock(1)", 500 },
    { "BEGIN; SELECT row_xact_lock('t', 1)", 1 },
    { "BEGIN; SELECT write_turn()", 100 },
    { "SELECT write_turn()", 100 },
  };
  size_t i;
  int n;
  ask(db2, "SELECT advisory_lock(1), row_lock('t', 1), write_turn()");
  for(i=0; i<sizeof a/sizeof a[0]; i++){
    nProgress = 0;
    nEnough = 1000000;
    sqlite3_progress_handler(db, a[i].nOps, progress, 0);
    /* so often without a wait */
    run(db, "SELECT advisory_lock_timeout(0)");
    CHECK(run(db, a[i].zSql)!=SQLITE_INTERRUPT);
    run(db, "ROLLBACK");
    run(db, "SELECT advisory_lock_timeout(-1)");
    n = nProgress;
    nProgress = 0;
    nEnough = n + 3;
    CHECK(run(db, a[i].zSql)==SQLITE_INTERRUPT);
    CHECK(begins(sqlite3_errmsg(db), "lock wait cancelled: interrupted"));
    sqlite3_progress_handler(db, 0, 0, 0);
    run(db, "ROLLBACK");
    CHECK(ask(db2, "SELECT count(*) FROM advisory_waits")==0);
  }
  /* If that statement is too long for SQLite's limit an interrupt still works.
  ** */
  sqlite3_limit(db, SQLITE_LIMIT_SQL_LENGTH, 300);
  run(db2, "SELECT write_turn_end(), row_unlock_all()");
  interrupt(db, db2);
}

static void cancel(sqlite3 *db, sqlite3 *db2){
  Waiter w = { db, "SELECT advisory_lock_shared(1)", 0, "" };
  pthread_t t;
  char z[100];
  snprintf(z, sizeof z, "SELECT advisory_cancel(%lld)",
           (long long)ask(db, "SELECT advisory_session()"));
  ask(db2, "SELECT advisory_lock(1)");
  CHECK(ask(db2, z)==0);
  pthread_create(&t, 0, waiter, &w);
  untilWaits(db2);
  CHECK(ask(db2, z)==1);
  pthread_join(t, 0);
  CHECK(w.rc==SQLITE_INTERRUPT);
  CHECK(begins(w.zText, "lock wait cancelled: "));
  CHECK(ask(db2, z)==0);
}

/* ---- fork ---------------------------------------------------------------- */

/* The child of a fork has the parent's connection in its memory. It can do
** nothing with the locks of that, and its end does not release them. */
static void inChild(sqlite3 *db){
  static const char *az[] = {
    "SELECT advisory_lock(2)", "SELECT try_advisory_lock(1)",
    "SELECT advisory_unlock(1)", "SELECT advisory_unlock_all()",
    "SELECT advisory_session()" };
  size_t i;
  for(i=0; i<sizeof az/sizeof az[0]; i++){
    CHECK(run(db, az[i])==SQLITE_ERROR);
    CHECK(begins(sqlite3_errmsg(db), "forked connection: "));
  }
  sqlite3_close(db);
  db = openDb("test.db");              /* one of its own works */
  CHECK(ask(db, "SELECT try_advisory_lock(1)")==0);
  CHECK(ask(db, "SELECT try_advisory_lock(3)")==1);
  exit(nWrong>0);
}
static void forked(sqlite3 *db, sqlite3 *db2){
  int iStatus = 1;
  pid_t pid;
  ask(db, "SELECT advisory_lock(1)");
  run(db, "BEGIN; SELECT advisory_xact_lock(4)");
  pid = fork();
  if( pid==0 ) inChild(db);
  waitpid(pid, &iStatus, 0);
  CHECK(iStatus==0);
  CHECK(!isFree(db2, 1));
  CHECK(!isFree(db2, 4));
  CHECK(isFree(db2, 2));
  CHECK(isFree(db2, 3));
  run(db, "COMMIT");
  CHECK(isFree(db2, 4));
  CHECK(ask(db, "SELECT advisory_unlock(1)")==1);
  CHECK(isFree(db2, 1));
}

/* ---- codes --------------------------------------------------------------- */

static void codes(sqlite3 *db, sqlite3 *db2){
  Waiter w = { db, "SELECT advisory_lock(2)", 0, "" };
  pthread_t t;
  ask(db, "SELECT advisory_lock(1)");
  ask(db2, "SELECT advisory_lock(2)");
  CHECK(run(db2, "SELECT advisory_xact_lock(3)")==SQLITE_ERROR);
  CHECK(begins(sqlite3_errmsg(db2), "no transaction: "));
  CHECK(run(db2, "SELECT advisory_lock(NULL)")==SQLITE_ERROR);
  CHECK(begins(sqlite3_errmsg(db2), "bad argument: "));
  run(db2, "SELECT advisory_lock_timeout(0)");
  CHECK(run(db2, "SELECT advisory_lock(1)")==SQLITE_BUSY_TIMEOUT);
  run(db2, "SELECT advisory_lock_timeout(-1)");
  pthread_create(&t, 0, waiter, &w);
  untilWaits(db2);
  CHECK(run(db2, "SELECT advisory_lock(1)")==SQLITE_LOCKED);
  CHECK(begins(sqlite3_errmsg(db2), "deadlock detected: "));
  run(db2, "BEGIN IMMEDIATE");
  CHECK(run(db2, "SELECT advisory_lock(1)")==SQLITE_BUSY);
  CHECK(begins(sqlite3_errmsg(db2), "lock wait refused: "));
  run(db2, "ROLLBACK; SELECT advisory_unlock(2)");
  pthread_join(t, 0);
  CHECK(w.rc==SQLITE_OK);
}

/* ---- threads ------------------------------------------------------------- */

/* Each thread adds to a number that nothing but the lock guards. */
enum { THREADS = 6, ROUNDS = 150 };
static long nShared;
static const char *zFile = "test.db";
static void *adder(void *pArg){
  int iThread = (int)(size_t)pArg, i;
  sqlite3 *db = openDb(zFile);
  for(i=0; i<ROUNDS; i++){
    int bTxn = (i+iThread)%2;
    long n;
    if( run(db, bTxn ? "BEGIN; SELECT advisory_xact_lock('sum')"
                     : "SELECT advisory_lock('sum')")!=SQLITE_OK ){
      wrong(__LINE__, sqlite3_errmsg(db));
      break;
    }
    n = *(volatile long*)&nShared;
    if( i%5==0 ) usleep(100);
    *(volatile long*)&nShared = n + 1;
    CHECK(run(db, bTxn ? i%3 ? "COMMIT" : "ROLLBACK"
                       : "SELECT advisory_unlock('sum')")==SQLITE_OK);
  }
  sqlite3_close(db);
  return 0;
}
static void threads(sqlite3 *db, sqlite3 *db2){
  pthread_t a[THREADS];
  int i;
  (void)db2;
  for(i=0; i<THREADS; i++) pthread_create(&a[i], 0, adder, (void*)(size_t)i);
  for(i=0; i<THREADS; i++) pthread_join(a[i], 0);
  CHECK(nShared==THREADS*ROUNDS);
  CHECK(isFree(db, 1));
  CHECK(ask(db, "SELECT count(*) FROM advisory_locks")==0);
}

/* As many sessions as there can be (M1): one more gets an error. Before SQLite
** 3.36 a memdb belongs to one connection. */
static void sessions(sqlite3 *db, sqlite3 *db2){
  static sqlite3 *a[4100];
  int i, n = 0, rc = SQLITE_OK;
  (void)db;
  (void)db2;
  if( sqlite3_libversion_number()<3036000 ) return;
  for(i=0; i<4100 && rc==SQLITE_OK; i++){
    a[i] = openDb("file:/many?vfs=memdb");
    rc = run(a[i], "SELECT advisory_lock_shared(1)");
    n += rc==SQLITE_OK;
  }
  CHECK(n==4096);
  CHECK(rc==SQLITE_ERROR);
  CHECK(begins(sqlite3_errmsg(a[i-1]), "lock table full: "));
  CHECK(run(a[i-1], "SELECT try_advisory_lock_shared(1)")==SQLITE_ERROR);
  /* The other sessions can still lock again what they hold, and unlock. */
  CHECK(run(a[0], "SELECT advisory_lock_shared(1)")==SQLITE_OK);
  CHECK(ask(a[0], "SELECT advisory_unlock_shared(1)")==1);
  CHECK(ask(a[0], "SELECT try_advisory_lock(2)")==1);
  sqlite3_close(a[1]);
  CHECK(run(a[i-1], "SELECT advisory_lock_shared(1)")==SQLITE_OK);
  for(i=0; i<4100; i++) if( i!=1 && a[i] ) sqlite3_close(a[i]);
}

/* A copy of the library does nothing on a connection that the first one
** serves, in the middle of a transaction, too. */
static void copy(sqlite3 *db, sqlite3 *db2){
  char z[1000];
  char *zErr = 0;
  snprintf(z, sizeof z, "mkdir -p copy && cp \"%s\" copy/interlock.so",
           zLibrary);
  CHECK(system(z)==0);
  CHECK(run(db, "BEGIN; SELECT advisory_xact_lock(1)")==SQLITE_OK);
  CHECK(sqlite3_load_extension(db, "./copy/interlock.so", 0, &zErr)==SQLITE_OK);
  if( zErr ) printf("%s\n", zErr);
  CHECK(!isFree(db2, 1));
  CHECK(run(db, "COMMIT")==SQLITE_OK);
  CHECK(isFree(db2, 1));
  CHECK(run(db, "BEGIN; SELECT advisory_xact_lock(2)")==SQLITE_OK);
  CHECK(!isFree(db2, 2));
  CHECK(run(db, "COMMIT")==SQLITE_OK);
  CHECK(isFree(db2, 2));
}

/* The application has a static mutex of its own while a turn ends. */
static void appMutex(sqlite3 *db, sqlite3 *db2){
  int i;
  for(i=SQLITE_MUTEX_STATIC_APP1; i<=SQLITE_MUTEX_STATIC_APP3; i++){
    sqlite3_mutex *p = sqlite3_mutex_alloc(i);
    CHECK(run(db, "SELECT write_turn()")==SQLITE_OK);
    sqlite3_mutex_enter(p);
    CHECK(run(db, "BEGIN IMMEDIATE; UPDATE t SET v = 'x'")==SQLITE_OK);
    CHECK(run(db, "COMMIT")==SQLITE_OK);
    sqlite3_mutex_leave(p);
    CHECK(ask(db2, "SELECT count(*) FROM advisory_locks")==0);
  }
}

/* Another library that replaces the methods of the open file, as Interlock does
** while a turn waits for its transaction. */
static sqlite3_io_methods theirs;
static const sqlite3_io_methods *pBelow;
static int theirUnlock(sqlite3_file *pFile, int eLock){
  return pBelow->xUnlock(pFile, eLock);
}
static int theirClose(sqlite3_file *pFile){
  pFile->pMethods = pBelow;
  return pBelow->xClose(pFile);
}
static sqlite3_file *fileOf(sqlite3 *db){
  sqlite3_file *pFile = 0;
  sqlite3_file_control(db, "main", SQLITE_FCNTL_FILE_POINTER, &pFile);
  return pFile;
}
static void theirsAbove(sqlite3 *db){
  pBelow = fileOf(db)->pMethods;
  theirs = *pBelow;
  theirs.xUnlock = theirUnlock;
  theirs.xClose = theirClose;
  fileOf(db)->pMethods = &theirs;
}
static int hasTurn(sqlite3 *db2){
  return ask(db2, "SELECT count(*) FROM advisory_locks")==1
      && ask(db2, "SELECT try_write_turn()")==0;
}
static int hasNone(sqlite3 *db2){
  return ask(db2, "SELECT try_write_turn()")==1
      && ask(db2, "SELECT write_turn_end()")==1;
}
#define AHEAD "SELECT write_turn(); BEGIN IMMEDIATE; UPDATE t SET v = 'x'"

static void turnMethods(sqlite3 *db, sqlite3 *db2){
  const sqlite3_io_methods *pReal = fileOf(db)->pMethods;
  int i;
  /* alone: the file has its own methods before and after */
  CHECK(run(db, "SELECT write_turn()")==SQLITE_OK);
  CHECK(fileOf(db)->pMethods!=pReal);
  CHECK(run(db, "BEGIN IMMEDIATE; COMMIT")==SQLITE_OK);
  CHECK(fileOf(db)->pMethods==pReal);
  CHECK(run(db, "SELECT write_turn(), write_turn_end()")==SQLITE_OK);
  CHECK(fileOf(db)->pMethods==pReal);
  /* with theirs above: ours stay, and do nothing, until the next turn */
  CHECK(run(db, AHEAD)==SQLITE_OK);
  theirsAbove(db);
  CHECK(hasTurn(db2));
  CHECK(run(db, "COMMIT")==SQLITE_OK);
  CHECK(hasNone(db2));
  CHECK(fileOf(db)->pMethods==&theirs);
  for(i=0; i<3; i++){
    CHECK(run(db, "UPDATE t SET v = 'y'")==SQLITE_OK);
    CHECK(run(db, AHEAD)==SQLITE_OK);
    CHECK(hasTurn(db2));
    CHECK(run(db, i ? "COMMIT" : "ROLLBACK")==SQLITE_OK);
    CHECK(hasNone(db2));
  }
  CHECK(run(db, "SELECT write_turn()")==SQLITE_OK);
  CHECK(sqlite3_close(db)==SQLITE_OK);
  CHECK(hasNone(db2));
}

/* Closes the connection in each state of a turn that was taken before its
** transaction. */
static void turnClose(sqlite3 *db, sqlite3 *db2){
  sqlite3_stmt *pStmt = 0;
  CHECK(run(db, AHEAD)==SQLITE_OK);
  CHECK(sqlite3_prepare_v2(db, "SELECT 1", -1, &pStmt, 0)==SQLITE_OK);
  CHECK(sqlite3_close(db)==SQLITE_BUSY);
  CHECK(hasTurn(db2));
  CHECK(run(db, "COMMIT")==SQLITE_OK);
  CHECK(hasNone(db2));
  CHECK(run(db, AHEAD)==SQLITE_OK);
  CHECK(sqlite3_close_v2(db)==SQLITE_OK);
  CHECK(sqlite3_finalize(pStmt)==SQLITE_OK);
  CHECK(hasNone(db2));
}

static const struct {
  const char *zName;
  void (*xRun)(sqlite3*, sqlite3*);
  int bCloses;           /* it closes the first connection itself */
} aScenario[] = {
  {"states", states, 0},
  {"close-refused", closeRefused, 1},
  {"close-refused-savepoint", closeRefusedSavepoint, 1},
  {"close-in-transaction", closeInTransaction, 1},
  {"zombie", zombie, 1},
  {"interrupt", interrupt, 0},
  {"cancel", cancel, 0},
  {"fork", forked, 0},
  {"codes", codes, 0},
  {"copy", copy, 0},
  {"threads", threads, 0},
  {"sessions", sessions, 0},
  {"progress", progressEnds, 0},
  {"turn-methods", turnMethods, 1},
  {"turn-close", turnClose, 1},
  {"app-mutex", appMutex, 0},
};

int main(int argc, char **argv){
  size_t i;
  sqlite3 *db, *db2;
  if( argc!=3 ) return 2;
  zLibrary = argv[1];
  sqlite3_config(SQLITE_CONFIG_URI, 1);
  for(i=0; i<sizeof aScenario/sizeof aScenario[0]; i++){
    if( strcmp(aScenario[i].zName, argv[2]) ) continue;
    db = openDb(zFile);
    db2 = openDb(zFile);
    run(db, "PRAGMA synchronous = OFF;"
            "CREATE TABLE IF NOT EXISTS t(id INTEGER PRIMARY KEY, v);"
            "DELETE FROM t; INSERT INTO t VALUES(1, 'a'), (2, 'b')");
    aScenario[i].xRun(db, db2);
    if( !aScenario[i].bCloses ) CHECK(sqlite3_close(db)==SQLITE_OK);
    CHECK(sqlite3_close(db2)==SQLITE_OK);
    return nWrong>0;
  }
  printf("no such scenario: %s\n", argv[2]);
  return 2;
}
