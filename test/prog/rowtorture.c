/* SPDX-License-Identifier: 0BSD */
/*
** rowtorture.c: processes that read, compute and write under row and table
** locks, write guarded tables without any, and take jobs from a queue by
** skip_locked, in turns and out of turn, while some of them are killed and
** stopped. Every write is entered in a journal by the same transaction, so at
** the end the tables themselves show whether one was lost. A session with a
** shared lock looks twice whether another one has written.
** test/rowtorture.test builds and runs it.
**
**   rowtorture LIBRARY DATABASE PROCESSES OPERATIONS JOBS SEED
**
** Prints `SEED s` and what it has done; exit status 0 if all is well.
*/
#define _GNU_SOURCE
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <sqlite3.h>

#define ACCOUNTS 6
#define MAX_PROCESSES 16

typedef struct Shared {
  uint64_t nOp;                 /* operations begun by all */
  uint64_t aDone[12];           /* by kind, how many got to their end */
  uint64_t nLocked, nDeadlock, nTimeout, nRefused, nBusy;
  uint32_t bBad;
  char zBad[500];
} Shared;

static const char *zLibrary, *zDb;
static Shared *pShared;
static uint64_t seed;
static int iMe;
static sqlite3 *db;
static int64_t iValue;          /* first value of the last statement */
static char zValue[200];
static char zError[400];

static uint32_t R(uint32_t n){
  seed ^= seed>>12;
  seed ^= seed<<25;
  seed ^= seed>>27;
  return (uint32_t)((seed*0x2545F4914F6CDD1DULL)>>33) % n;
}
static void add(uint64_t *p){ __atomic_fetch_add(p, 1, __ATOMIC_SEQ_CST); }
static void bad(const char *zWhat){
  if( !__atomic_exchange_n(&pShared->bBad, 1, __ATOMIC_SEQ_CST) ){
    snprintf(pShared->zBad, sizeof pShared->zBad, "process %d: %s: %s", iMe,
             zWhat, zError);
  }
  _exit(3);
}
static void pauseSome(void){
  if( R(3)==0 ) usleep(R(2000));
}

/* ---- SQL ---------------------------------------------------------------- */

static void openDb(void){
  char *zErr = 0;
  if( sqlite3_open(zDb, &db)!=SQLITE_OK
   || sqlite3_enable_load_extension(db, 1)!=SQLITE_OK
   || sqlite3_load_extension(db, zLibrary, 0, &zErr)!=SQLITE_OK ){
    snprintf(zError, sizeof zError, "%s", zErr ? zErr : sqlite3_errmsg(db));
    bad("open");
  }
  sqlite3_busy_timeout(db, 60000);
  sqlite3_exec(db, "PRAGMA synchronous = OFF", 0, 0, 0);
}

static int run(const char *zFormat, ...){
  va_list ap;
  char *zSql;
  sqlite3_stmt *p = 0;
  int rc, n = 0;
  va_start(ap, zFormat);
  zSql = sqlite3_vmprintf(zFormat, ap);
  va_end(ap);
  iValue = -1;
  zValue[0] = 0;
  rc = sqlite3_prepare_v2(db, zSql, -1, &p, 0);
  while( rc==SQLITE_OK && (rc = sqlite3_step(p))==SQLITE_ROW ){
    if( n++==0 ){
      iValue = sqlite3_column_int64(p, 0);
      snprintf(zValue, sizeof zValue, "%s",
               (const char*)sqlite3_column_text(p, 0));
    }
    rc = SQLITE_OK;
  }
  if( rc==SQLITE_DONE ) rc = SQLITE_OK;
  snprintf(zError, sizeof zError, "%s: %s", zSql, sqlite3_errmsg(db));
  sqlite3_finalize(p);
  sqlite3_free(zSql);
  return rc;
}
#define SAYS(z) (strstr(zError, z)!=0)

/* Releases everything after one of the errors that are allowed. */
static void giveBack(void){
  if( !sqlite3_get_autocommit(db) && run("ROLLBACK")!=SQLITE_OK ){
    bad("ROLLBACK");
  }
  if( run("SELECT row_unlock_all(), table_unlock_all()")!=SQLITE_OK ){
    bad("unlock");
  }
}
/* Returns 1 if the statement was successful. bMine: this session itself has
** locked what it writes, so no guard may refuse it. */
static int tried(int rc, int bMine){
  if( rc==SQLITE_OK ) return 1;
  if( SAYS("row locked:") || SAYS("table locked:") ){
    if( bMine ) bad("refused what it has locked itself");
    add(&pShared->nLocked);
  }else if( SAYS("deadlock detected:") ){
    add(&pShared->nDeadlock);
  }else if( SAYS("lock timeout:") ){
    add(&pShared->nTimeout);
  }else if( SAYS("lock wait refused:") ){
    add(&pShared->nRefused);
  }else if( (rc & 0xff)==SQLITE_BUSY ){
    add(&pShared->nBusy);
  }else{
    bad("no such error is known");
  }
  giveBack();
  return 0;
}

/* ---- operations --------------------------------------------------------- */

/* Sets account i to n + 1, and enters that in the journal. */
static int write1(int i, int64_t n, int bMine){
  return tried(run("UPDATE account SET n = %lld WHERE id = %d", n+1, i), bMine)
      && tried(run("INSERT INTO journal(id) VALUES(%d)", i), 0);
}
static int begin(void){
  return tried(run("BEGIN IMMEDIATE"), 0);
}
static int commit(void){
  if( R(8)==0 ) return run("ROLLBACK")==SQLITE_OK;
  return tried(run("COMMIT"), 0);
}

/* Reads under a row lock of session scope, outside the transaction that
** writes. */
static int opRowSession(int bTry){
  int i = 1 + (int)R(ACCOUNTS);
  const char *zTry = bTry ? "try_" : "";
  int64_t n;
  if( !tried(run("SELECT %srow_lock('account', %d)", zTry, i), 0) ) return 0;
  if( iValue==0 ) return 0;
  if( !tried(run("SELECT n FROM account WHERE id = %d", i), 0) ) return 0;
  n = iValue;
  pauseSome();
  if( !begin() || !write1(i, n, 1) || !commit() ) return 0;
  if( run("SELECT row_unlock('account', '%d')", i)!=SQLITE_OK || iValue!=1 ){
    bad("unlock of what it holds");
  }
  return 1;
}
/* Locks, reads and writes in one transaction. */
static int opRowTransaction(void){
  int i = 1 + (int)R(ACCOUNTS);
  int64_t n;
  if( !tried(run("BEGIN"), 0) ) return 0;
  if( R(3)==0 && !tried(run("SAVEPOINT a"), 0) ) return 0;
  if( !tried(run("SELECT row_xact_lock('account', %d)", i), 0) ) return 0;
  if( !tried(run("SELECT n FROM account WHERE id = %d", i), 0) ) return 0;
  n = iValue;
  pauseSome();
  return write1(i, n, 1) && commit();
}
/* All accounts, under the table's lock. */
static int opTable(void){
  int64_t a[ACCOUNTS+1];
  int i, bXact = R(2);
  if( bXact && !tried(run("BEGIN"), 0) ) return 0;
  if( !tried(run("SELECT table_%slock('account')", bXact ? "xact_" : ""), 0) ){
    return 0;
  }
  for(i=1; i<=ACCOUNTS; i++){
    if( !tried(run("SELECT n FROM account WHERE id = %d", i), 0) ) return 0;
    a[i] = iValue;
  }
  pauseSome();
  if( !bXact && !begin() ) return 0;
  for(i=1; i<=ACCOUNTS; i++) if( !write1(i, a[i], 1) ) return 0;
  if( !commit() ) return 0;
  giveBack();
  return 1;
}
/* A writer that locks nothing: the guard keeps it from the rows of those that
** do. */
static int opPlain(void){
  int i = 1 + (int)R(ACCOUNTS), j = 1 + (int)R(ACCOUNTS);
  if( !begin() ) return 0;
  if( R(4)==0 ){
    /* REPLACE, or a key that is deleted and inserted again. */
    if( !tried(run("REPLACE INTO account SELECT id, n + 1, tag FROM account"
                   " WHERE id = %d", i), 0) ) return 0;
  }else if( !tried(run("UPDATE account SET n = n + 1 WHERE id = %d", i), 0) ){
    return 0;
  }
  if( !tried(run("INSERT INTO journal(id) VALUES(%d)", i), 0) ) return 0;
  pauseSome();
  if( i!=j ){
    if( !tried(run("UPDATE account SET n = n + 1 WHERE id = %d", j), 0)
     || !tried(run("INSERT INTO journal(id) VALUES(%d)", j), 0) ) return 0;
  }
  return commit();
}
/* Verifies that no other session writes while this one holds a shared lock. */
static int opShared(void){
  int i = 1 + (int)R(ACCOUNTS), bTable = R(3)==0;
  int64_t n;
  if( !tried(bTable ? run("SELECT table_lock_shared('account')")
                    : run("SELECT row_lock_shared('account', %d)", i), 0) ){
    return 0;
  }
  if( !tried(run("SELECT sum(n) FROM account WHERE %d OR id = %d", bTable, i),
             0) ) return 0;
  n = iValue;
  usleep(R(3000));
  if( !tried(run("SELECT sum(n) FROM account WHERE %d OR id = %d", bTable, i),
             0) ) return 0;
  if( n!=iValue ) bad("written under a shared lock");
  giveBack();
  return 1;
}
/* Locks several rows in any order, which leads to deadlocks. */
static int opTurn(void){
  int i = 1 + (int)R(ACCOUNTS), j = 1 + (int)R(ACCOUNTS);
  int64_t n, m;
  if( !tried(run("BEGIN"), 0) ) return 0;
  if( R(2) && !tried(run("SELECT write_turn()"), 0) ) return 0;
  if( !tried(run("SELECT row_xact_lock('account', %d)", i), 0) ) return 0;
  pauseSome();
  if( !tried(run("SELECT row_xact_lock('account', %d)", j), 0) ) return 0;
  if( !tried(run("SELECT n FROM account WHERE id = %d", i), 0) ) return 0;
  n = iValue;
  if( !tried(run("SELECT n FROM account WHERE id = %d", j), 0) ) return 0;
  m = iValue;
  if( !write1(i, n, 1) ) return 0;
  if( i!=j && !write1(j, m, 1) ) return 0;
  return commit();
}
/* Verifies that a lock which ROLLBACK TO has released blocks no session. */
static int opSavepoint(void){
  int i = 1 + (int)R(ACCOUNTS);
  if( !begin() ) return 0;
  if( !tried(run("SAVEPOINT a"), 0)
   || !tried(run("SELECT try_row_xact_lock('account', %d)", i), 0) ) return 0;
  if( run("UPDATE account SET n = n + 100 WHERE id = %d", i)!=SQLITE_OK
   && !SAYS("locked:") ) bad("UPDATE in a savepoint");
  if( !tried(run("ROLLBACK TO a"), 0) || !tried(run("RELEASE a"), 0) ) return 0;
  return commit();
}
/* Takes a job from the queue and does it. */
static int opJob(void){
  int64_t iJob;
  if( !tried(run("SELECT skip_locked('job', %d, 'state = ?1', 'id', 0)",
                 1 + (int)R(2)), 0) ) return 0;
  if( sscanf(zValue, "[%ld", &iJob)!=1 ) return 0;
  if( !tried(run("SELECT state FROM job WHERE id = %lld", iJob), 0) ) return 0;
  if( iValue!=0 ) bad("a job that is done was returned");
  pauseSome();
  if( !begin() ) return 0;
  if( R(10)==0 ){ giveBack(); return 0; }
  if( !tried(run("UPDATE job SET state = state + 1 WHERE id = %lld", iJob), 1)
   || !tried(run("INSERT INTO finished VALUES(%lld)", iJob), 0)
   || !tried(run("COMMIT"), 0) ) return 0;
  giveBack();
  return 1;
}

static int operation(int i){
  switch( i ){
    case 0: return opRowSession(0);
    case 1: return opRowSession(1);
    case 2: return opRowTransaction();
    case 3: return opTable();
    case 4:
    case 5: return opPlain();
    case 6: return opShared();
    case 7: return opTurn();
    case 8: return opSavepoint();
    default: return opJob();
  }
}

static void worker(uint64_t nOp){
  openDb();
  if( run("SELECT advisory_lock_timeout(%d)", 50 + (int)R(400))!=SQLITE_OK ){
    bad("time-out");
  }
  while( __atomic_fetch_add(&pShared->nOp, 1, __ATOMIC_SEQ_CST)<nOp ){
    int i = (int)R(12);
    if( operation(i) ) add(&pShared->aDone[i]);
    giveBack();
    if( R(200)==0 ){
      sqlite3_close(db);
      openDb();
    }
  }
  sqlite3_close(db);
  _exit(0);
}

/* ---- the parent --------------------------------------------------------- */

static pid_t start(int i, uint64_t iSeed, uint64_t nOp){
  pid_t pid = fork();
  if( pid==0 ){
    seed = iSeed*2654435761u + 88172645463325252ULL;
    iMe = i;
    for(i=0; i<20; i++) R(2);
    worker(nOp);
  }
  return pid;
}

static void setUp(int nJob){
  static const char *az[] = {
    "CREATE TABLE account(id INTEGER PRIMARY KEY, n INT, tag UNIQUE)",
    "CREATE TABLE journal(id INT)",
    "CREATE TABLE job(id INTEGER PRIMARY KEY, state INT)",
    "CREATE TABLE finished(id INT)",
    "SELECT guarded('account'), guarded('job')", 0 };
  int i;
  openDb();
  for(i=0; az[i]; i++) if( run("%s", az[i])!=SQLITE_OK ) bad("set-up");
  for(i=1; i<=ACCOUNTS; i++){
    if( run("INSERT INTO account VALUES(%d, 0, 'tag%d')", i, i)!=SQLITE_OK ){
      bad("set-up");
    }
  }
  if( run("WITH c(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM c WHERE i<%d)"
          " INSERT INTO job SELECT i, 0 FROM c", nJob)!=SQLITE_OK ) bad("jobs");
  sqlite3_close(db);
}

/* Returns 1 if a query returns no row, as it should. */
static int nothing(const char *zWhat, const char *zSql){
  int rc = run("%s", zSql);
  if( rc==SQLITE_OK && zValue[0]==0 ) return 1;
  printf("%s: %s (%s)\n", zWhat, zValue, rc ? zError : "");
  return 0;
}
static int judge(void){
  int bOk;
  openDb();
  bOk = nothing("updates lost or doubled, id of account: n, journal",
    "SELECT a.id || ': ' || n || ', ' || (SELECT count(*) FROM journal AS j"
    " WHERE j.id = a.id) FROM account AS a WHERE n <> (SELECT count(*) FROM"
    " journal AS j WHERE j.id = a.id)");
  bOk &= nothing("jobs done more than once",
    "SELECT id FROM finished GROUP BY id HAVING count(*) > 1");
  bOk &= nothing("jobs of another state", "SELECT id FROM job"
    " WHERE state <> (SELECT count(*) FROM finished AS f WHERE f.id = job.id)");
  bOk &= nothing("still locked", "SELECT kind || ' ' || ifnull(object, '')"
    " FROM advisory_locks JOIN advisory_sessions USING(session)"
    " WHERE state <> 'dead'");
  /* Everything can be locked again. */
  if( run("SELECT advisory_lock_timeout(5000), table_lock('account'),"
          " table_lock('job')")!=SQLITE_OK ){
    printf("not free: %s\n", zError);
    bOk = 0;
  }
  run("SELECT count(*) FROM journal");
  printf("%lld writes, ", (long long)iValue);
  run("SELECT count(*) FROM finished");
  printf("%lld jobs\n", (long long)iValue);
  sqlite3_close(db);
  return bOk;
}

int main(int n, char **a){
  pid_t aPid[MAX_PROCESSES];
  int nProc, nJob, i, nKill = 0, nStop = 0, bOk = 1, nLive;
  uint64_t nOp, iSeed, iNext, msLast = 0, nSeen = 0;
  if( n!=7 ) return 2;
  zLibrary = a[1];
  zDb = a[2];
  nProc = atoi(a[3]);
  nOp = strtoull(a[4], 0, 10);
  nJob = atoi(a[5]);
  iNext = iSeed = strtoull(a[6], 0, 10);
  if( nProc<1 || nProc>MAX_PROCESSES ) return 2;
  printf("SEED %llu\n", (unsigned long long)iSeed);
  fflush(stdout);
  pShared = mmap(0, sizeof(*pShared), PROT_READ|PROT_WRITE,
                 MAP_SHARED|MAP_ANONYMOUS, -1, 0);
  seed = iSeed + 77;
  setUp(nJob);
  for(i=0; i<nProc; i++) aPid[i] = start(i, iNext++, nOp);
  nLive = nProc;
  while( nLive>0 && !pShared->bBad ){
    int status;
    usleep(5000 + R(20000));
    for(i=0; i<nProc; i++){
      if( aPid[i]>0 && waitpid(aPid[i], &status, WNOHANG)==aPid[i] ){
        if( !WIFEXITED(status) || WEXITSTATUS(status) ){
          printf("process %d ended with status %d\n", i, status);
          bOk = 0;
        }
        aPid[i] = 0;
        nLive--;
      }
    }
    /* The processes hang if none has made progress for half a minute. */
    if( pShared->nOp!=nSeen ){ nSeen = pShared->nOp; msLast = 0; }
    else if( (msLast += 15)>30000 ){
      printf("they hang\n");
      bOk = 0;
      break;
    }
    i = (int)R((uint32_t)nProc);
    if( aPid[i]<=0 || pShared->nOp>=nOp ) continue;
    if( R(3)==0 ){
      kill(aPid[i], SIGSTOP);
      usleep(R(30000));
      kill(aPid[i], SIGCONT);
      nStop++;
    }else{
      kill(aPid[i], SIGKILL);
      waitpid(aPid[i], &status, 0);
      aPid[i] = start(i, iNext++, nOp);
      nKill++;
    }
  }
  for(i=0; i<nProc; i++){
    if( aPid[i]<=0 ) continue;
    kill(aPid[i], SIGKILL);
    waitpid(aPid[i], 0, 0);
  }
  if( pShared->bBad ){
    printf("%s\n", pShared->zBad);
    bOk = 0;
  }
  if( !judge() ) bOk = 0;
  printf("done:");
  for(i=0; i<12; i++) printf(" %llu", (unsigned long long)pShared->aDone[i]);
  printf("; refused by a guard %llu, deadlocks %llu, time-outs %llu, waits"
         " refused %llu, busy %llu; killed %d, stopped %d\n",
         (unsigned long long)pShared->nLocked,
         (unsigned long long)pShared->nDeadlock,
         (unsigned long long)pShared->nTimeout,
         (unsigned long long)pShared->nRefused,
         (unsigned long long)pShared->nBusy, nKill, nStop);
  return !bOk;
}
