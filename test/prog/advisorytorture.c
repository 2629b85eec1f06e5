/* SPDX-License-Identifier: 0BSD */
/*
** advisorytorture.c: processes that lock and unlock at random through SQL, in
** transactions, savepoints and statements that fail, while others of them are
** killed and stopped. It writes a log for lkcheck (test/core/log.h), and
** verifies itself that unlocks count right and that nothing is locked at the
** end. test/advisorytorture.test builds and runs it.
**
**   advisorytorture LIBRARY DATABASE PROCESSES OPERATIONS SEED LOGFILE
**   advisorytorture LIBRARY DATABASE aim ROUNDS
**
** `aim`: a timeout of 1 ms that is aimed at the moment of the grant.
*/
#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <sqlite3.h>
#include "../core/log.h"
#include "../../ext/core/sessions.h"

static const char *zLibrary, *zDb;
static Log *pLog;
static u64 seed;
static u32 iMe;                /* session number in the log */
static u32 iInc;               /* of a worker */
static u32 aInc[32];           /* the parent's: last one started */

static u32 R(u32 n){
  seed ^= seed>>12;
  seed ^= seed<<25;
  seed ^= seed>>27;
  return (u32)((seed*0x2545F4914F6CDD1DULL)>>33) % n;
}
static i64 microseconds(void){
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (i64)t.tv_sec*1000000 + t.tv_nsec/1000;
}
static void put(LogEntry x){
  u64 i = __atomic_fetch_add(&pLog->nEntry, 1, __ATOMIC_SEQ_CST);
  u8 eType = x.eType;
  if( i>=pLog->mxEntry ) _exit(0);
  x.eType = LOG_NONE;
  x.iSes = (u8)iMe;
  x.iInc = iInc;
  x.msTime = (u32)(microseconds()/1000);
  pLog->a[i] = x;
  __atomic_store_n(&pLog->a[i].eType, eType, __ATOMIC_SEQ_CST);
}
/* PUT(LOG_ASK, field = value, ...) */
#define MODE(x) ((x) ? LOCK_EXCLUSIVE : LOCK_SHARED)
#define PUT(...) put((LogEntry){ .eType = __VA_ARGS__ })

/* ---- SQL ---------------------------------------------------------------- */

static sqlite3 *db;
static char zError[300];
static i64 iValue;             /* the first value of the last statement */

static void fatal(const char *zWhat){
  fprintf(stderr, "torture, session %u: %s: %s\n", iMe, zWhat, zError);
  _exit(3);
}
static void openDb(void){
  char *zErr = 0;
  if( sqlite3_open(zDb, &db)!=SQLITE_OK
   || sqlite3_enable_load_extension(db, 1)!=SQLITE_OK
   || sqlite3_load_extension(db, zLibrary, 0, &zErr)!=SQLITE_OK ){
    snprintf(zError, sizeof zError, "%s", zErr ? zErr : sqlite3_errmsg(db));
    fatal("open");
  }
  sqlite3_busy_timeout(db, 60000);
  sqlite3_exec(db, "PRAGMA synchronous = OFF", 0, 0, 0);
}
static int run(const char *zFormat, ...){
  va_list ap;
  char *zSql;
  sqlite3_stmt *p = 0;
  int rc;
  va_start(ap, zFormat);
  zSql = sqlite3_vmprintf(zFormat, ap);
  va_end(ap);
  iValue = -1;
  rc = sqlite3_prepare_v2(db, zSql, -1, &p, 0);
  while( rc==SQLITE_OK && (rc = sqlite3_step(p))==SQLITE_ROW ){
    iValue = sqlite3_column_int64(p, 0);
    rc = SQLITE_OK;
  }
  if( rc==SQLITE_DONE ) rc = SQLITE_OK;
  snprintf(zError, sizeof zError, "%s: %s", zSql, sqlite3_errmsg(db));
  sqlite3_finalize(p);
  sqlite3_free(zSql);
  return rc;
}
static void must(const char *zSql){
  if( run("%s", zSql)!=SQLITE_OK ) fatal("must not fail");
}

/* ---- what a session must hold ------------------------------------------- */

static u32 aCount[LOG_KEYS][2];     /* session scope; [0] shared */
static int nSp;                     /* open savepoints */
static int inTransaction(void){ return !sqlite3_get_autocommit(db); }

static const char *key(u32 i){
  static const char *az[LOG_KEYS] = {
    "0", "1", "(2,2)", "'three'", "4", "-5", "(6,-6)", "x'0007'" };
  return az[i];
}
/* The arguments of a key: a pair without its brackets. */
static const char *args(u32 i){
  static char z[20];
  snprintf(z, sizeof z, "%s", key(i));
  if( z[0]=='(' ){
    memmove(z, z+1, strlen(z));
    z[strlen(z)-1] = 0;
  }
  return z;
}
static void openMe(u32 iSes){
  iMe = iSes;
  openDb();
  memset(aCount, 0, sizeof aCount);
  nSp = 0;
  must("SELECT advisory_session()");
  PUT(LOG_OPEN, .iToken = (u64)iValue);
  pLog->aId[iSes] = (u64)iValue;
}

/* ---- operations --------------------------------------------------------- */

/* The cycle of a refused request: "session 1 waits for 2, which waits for 3,
** which waits for 1". */
static void putCycle(void){
  const char *z = strstr(zError, "session ");
  u64 iOwn = z ? strtoull(z+8, 0, 10) : 0;
  while( z && (z = strstr(z, "waits for "))!=0 ){
    u64 i = strtoull(z+10, 0, 10);
    if( i!=iOwn ) PUT(LOG_CYCLE, .iToken = i);
    z += 10;
  }
}
static int outcome(int rc, int bTry){
  if( rc==SQLITE_OK ) return bTry && iValue==0 ? LOCK_NO : LOCK_OK;
  if( strstr(zError, "lock timeout:") ) return LOCK_TIMEOUT;
  if( strstr(zError, "lock wait refused:") ) return LOCK_REFUSED;
  if( strstr(zError, "lock wait cancelled:") ) return LOCK_CANCELLED;
  if( strstr(zError, "deadlock detected:") ) return LOCK_DEADLOCK;
  if( strstr(zError, "lock file: busy:") ) return LOCK_BUSY;
  if( strstr(zError, "integer overflow") ) return LOCK_OK;
  fatal("lock");
  return 0;
}
/* The same by a request that does not wait, for which this asks now and then,
** and which it withdraws when the time is over. */
static int requested(const char *zArgs, int x, int ms){
  i64 usEnd = microseconds() + ms*1000;
  for(;;){
    int rc = run("SELECT request_advisory_lock%s(%s)", x ? "" : "_shared",
                 zArgs);
    if( rc!=SQLITE_OK || iValue>0 ) return outcome(rc, 0);
    if( microseconds()>=usEnd ) break;
    usleep(R(300));
  }
  if( run("SELECT withdraw_request()")!=SQLITE_OK || iValue!=1 ){
    fatal("withdraw");
  }
  return LOCK_TIMEOUT;
}
static void askOne(void){
  static const int aMs[] = { 0, 1, 5, 30000, 30000, 30000 };
  /* A part of the statement that is run after the lock. */
  static const char *azAfter[] = {
    "", "", "", "", ", abs(-9223372036854775808)" };
  u32 i = R(LOG_KEYS), x = R(2), bTxn = inTransaction() && R(3)>0;
  int bTry = R(4)==0, ms = aMs[R(6)], rc;
  const char *zAfter = azAfter[R(5)];
  /* If the rest of the statement fails, the result of a try is not known. */
  if( bTry ) zAfter = "";
  if( run("SELECT advisory_lock_timeout(%d)", ms) ) fatal("timeout");
  PUT(LOG_ASK, .iKey = (u8)i, .eMode = (u8)MODE(x), .eScope = (u8)bTxn);
  if( !bTry && !bTxn && R(3)==0 ){
    rc = requested(args(i), (int)x, ms);
  }else{
    rc = run("SELECT %sadvisory_%slock%s(%s)%s", bTry ? "try_" : "",
             bTxn ? "xact_" : "", x ? "" : "_shared", args(i), zAfter);
    rc = outcome(rc, bTry);
  }
  if( rc==LOCK_TIMEOUT && ms==30000 ) fatal("stuck");
  {
    char zKept[300];
    memcpy(zKept, zError, sizeof zKept);
    if( rc==LOCK_OK && run("SELECT advisory_token(%s)", args(i)) ){
      fatal("token");
    }
    memcpy(zError, zKept, sizeof zKept);
  }
  if( rc==LOCK_DEADLOCK ) putCycle();
  PUT(LOG_RESULT, .iKey = (u8)i, .eMode = (u8)MODE(x), .eScope = (u8)bTxn,
      .rc = (int8_t)rc, .iToken = rc==LOCK_OK ? (u64)iValue : 0);
  if( rc==LOCK_OK && !bTxn ) aCount[i][x]++;
}
static void releaseOne(void){
  u32 i = R(LOG_KEYS), x = R(2), j;
  int rc;
  for(j=0; j<30 && aCount[i][x]==0; j++){ i = R(LOG_KEYS); x = R(2); }
  PUT(LOG_RELEASE, .iKey = (u8)i, .eMode = (u8)MODE(x));
  rc = run("SELECT advisory_unlock%s(%s)", x ? "" : "_shared", args(i));
  PUT(LOG_RELEASED, .iKey = (u8)i, .eMode = (u8)MODE(x),
      .rc = rc!=SQLITE_OK ? LOCK_BUSY : iValue ? LOCK_OK : LOCK_NO);
  if( rc!=SQLITE_OK ){
    if( strstr(zError, "lock file: busy:")==0 ) fatal("unlock");
  }else if( iValue!=(aCount[i][x]>0) ){
    fatal(iValue ? "unlocked too much" : "a lock was lost");
  }else if( iValue ){
    aCount[i][x]--;
  }
}
static void releaseAll(void){
  i64 n = 0;
  u32 i;
  for(i=0; i<LOG_KEYS; i++) n += aCount[i][0] + aCount[i][1];
  PUT(LOG_RELEASEALL);
  while( run("SELECT advisory_unlock_all()")!=SQLITE_OK ){
    if( strstr(zError, "lock file: busy:")==0 ) fatal("unlock_all");
  }
  if( iValue!=n ) fatal("unlock_all counts wrong");
  memset(aCount, 0, sizeof aCount);
}
static void endTransaction(int eHow){
  PUT(LOG_TXNEND);
  nSp = 0;
  if( eHow==0 && run("COMMIT")==SQLITE_OK ) return;
  if( eHow==1 && inTransaction() ){
    run("INSERT OR ROLLBACK INTO t VALUES(1, 'twice')");
    if( !inTransaction() ) return;
  }
  if( inTransaction() ) must("ROLLBACK");
}
static void savepoint(void){
  if( nSp==3 ) return;
  PUT(LOG_SAVEPOINT, .iLevel = (u8)(nSp+1));
  if( run("SAVEPOINT s%d", nSp)!=SQLITE_OK ) fatal("savepoint");
  nSp++;
}
static void rollbackTo(void){
  int i;
  if( nSp==0 ) return;
  i = (int)R((u32)nSp);
  PUT(LOG_ROLLBACK, .iLevel = (u8)(i+1));
  if( run("ROLLBACK TO s%d", i)!=SQLITE_OK ) fatal("rollback to");
  nSp = i+1;
}
/* Releases a savepoint, but not the outermost one without BEGIN, since that
** would be a COMMIT. */
static void releaseSavepoint(void){
  int i;
  if( nSp<2 ) return;
  i = 1 + (int)R((u32)nSp-1);
  PUT(LOG_OUTSIDE, .iLevel = (u8)(i));
  if( run("RELEASE s%d", i)!=SQLITE_OK ) fatal("release");
  nSp = i;
}
static void statement(void){
  switch( R(5) ){
    case 0: run("SELECT count(*) FROM t"); break;
    case 1: run("INSERT INTO t VALUES(NULL, %d)", R(1000)); break;
    case 2: run("DELETE FROM t WHERE id > 20"); break;
    case 3:
      /* SQLite undoes this statement, and with it the lock that it takes, which
      ** is not logged. */
      run("INSERT INTO t SELECT 0*try_advisory_xact_lock(%s), 'x' "
          "UNION ALL SELECT 1, 'twice'", args(R(LOG_KEYS)));
      break;
    case 4: run("INSERT INTO t VALUES(NULL, 'a'), (1, 'twice')"); break;
  }
}
static void cancelOne(u32 nProc){
  u64 iId = pLog->aId[R(nProc)*2];
  PUT(LOG_CANCEL, .iToken = iId);
  if( run("SELECT advisory_cancel(%lld)", iId)!=SQLITE_OK ) fatal("cancel");
  if( iValue ) PUT(LOG_CANCELLED, .iToken = iId);
}
static void again(void){
  PUT(LOG_CLOSE);
  if( sqlite3_close(db)!=SQLITE_OK ) fatal("close");
  openMe(iMe);
}
static void step(u32 nProc){
  switch( R(16) ){
    default: askOne(); break;
    case 0: case 1: releaseOne(); break;
    case 2: if( !inTransaction() && nSp==0 ) run("BEGIN"); break;
    case 3: if( inTransaction() ) endTransaction((int)R(3)); break;
    case 4: if( inTransaction() ) savepoint(); break;
    case 5: rollbackTo(); break;
    case 6: releaseSavepoint(); break;
    case 7: statement(); break;
    case 8: if( R(4)==0 ) releaseAll(); break;
    case 9: if( R(12)==0 ) again(); break;
    case 10: if( R(3)==0 ) cancelOne(nProc); break;
  }
}
static void letGo(void){
  if( inTransaction() ) endTransaction((int)R(3));
  releaseAll();
}
static void worker(u32 iProc, u32 nProc, u64 iSeed){
  seed = iSeed*2654435761u+1;
  openMe(iProc*2);
  while( __atomic_fetch_add(&pLog->nOp, 1, __ATOMIC_SEQ_CST)<pLog->mxOp ){
    step(nProc);
    if( R(9)==0 ) letGo();           /* others want to work too */
  }
  PUT(LOG_CLOSE);
  if( sqlite3_close(db)!=SQLITE_OK ) fatal("close");
  _exit(0);
}

/* ---- the parent --------------------------------------------------------- */

static pid_t aPid[32];
static pid_t start(u32 i, u32 nProc, u64 iSeed){
  pid_t pid;
  aInc[i]++;
  pid = fork();
  iInc = pid==0 ? aInc[i] : 0;
  if( pid==0 ) worker(i, nProc, iSeed);
  return pid;
}
/* Signals a process that this program started. A pid of -1 would mean all
** processes. */
static void signalOne(pid_t pid, int iSignal){
  if( pid>1 ) kill(pid, iSignal);
}
static void killOne(u32 i, u32 nProc){
  int st;
  iMe = i*2;
  PUT(LOG_KILL, .iToken = aInc[i]);
  signalOne(aPid[i], SIGKILL);
  waitpid(aPid[i], &st, 0);
  pLog->nKill++;
  aPid[i] = start(i, nProc, (u64)R(1u<<30)+1);
}
/* Stops and kills processes. Returns 0 if all is well. */
static int torment(u32 nProc, u64 nOp){
  i64 usLast = microseconds();
  u32 i, nLive = nProc;
  int st;
  while( nLive>0 ){
    pid_t pid = waitpid(-1, &st, WNOHANG);
    if( pid>0 ){
      for(i=0; i<nProc && aPid[i]!=pid; i++){}
      if( i==nProc ) continue;
      aPid[i] = -1;
      nLive--;
      if( WIFEXITED(st) && WEXITSTATUS(st)==0 ) continue;
      fprintf(stderr, "process %u ended: %x\n", i, (unsigned)st);
      for(i=0; i<nProc; i++) signalOne(aPid[i], SIGKILL);
      return 1;
    }
    usleep(500);
    if( microseconds()-usLast<4000 || pLog->nOp>=nOp ) continue;
    usLast = microseconds();
    i = R(nProc);
    if( aPid[i]<0 ) continue;
    if( R(3)==0 ){
      killOne(i, nProc);
    }else{
      signalOne(aPid[i], SIGSTOP);
      usleep(1000*R(20));
      pLog->nStop++;
      if( R(8)==0 ) killOne(i, nProc); else signalOne(aPid[i], SIGCONT);
    }
  }
  return 0;
}
static int torture(u32 nProc, u64 nOp, u64 iSeed, const char *zLog){
  size_t nByte = sizeof(Log) + (size_t)nOp*8*sizeof(LogEntry) + 1000000;
  int fd = open(zLog, O_RDWR|O_CREAT|O_TRUNC, 0600);
  i64 us0 = microseconds();
  u32 i;
  if( nProc>32 || fd<0 || ftruncate(fd, (off_t)nByte)!=0 ) return 2;
  pLog = mmap(0, nByte, PROT_READ|PROT_WRITE, MAP_SHARED, fd, 0);
  pLog->mxEntry = (nByte-sizeof(Log))/sizeof(LogEntry);
  pLog->mxOp = nOp;
  seed = iSeed*88172645463325252ULL + 1;
  for(i=0; i<nProc; i++) aPid[i] = start(i, nProc, iSeed*100+i+1);
  if( torment(nProc, nOp) ) return 1;
  iMe = 0;
  PUT(LOG_END);
  openDb();
  for(i=0; i<LOG_KEYS; i++){
    run("SELECT try_advisory_lock(%s)", args(i));
    if( iValue!=1 ) fatal("locked at the end");
  }
  must("SELECT advisory_unlock_all()");
  must("SELECT count(*) FROM advisory_locks AS l JOIN advisory_sessions AS s"
       " ON l.session = s.session WHERE state <> 'dead'");
  if( iValue!=0 ) fatal("locks at the end");
  must("SELECT count(*) FROM pragma_integrity_check"
       " WHERE integrity_check = 'ok'");
  if( iValue!=1 ) fatal("integrity");
  printf("%u processes, %llu operations, %llu kills, %llu stops, %.1f s\n",
         nProc, (unsigned long long)nOp, (unsigned long long)pLog->nKill,
         (unsigned long long)pLog->nStop,
         (double)(microseconds()-us0)/1e6);
  sqlite3_close(db);
  return 0;
}

/* ---- a timeout aimed at the grant --------------------------------------- */

typedef struct Aim {
  int iAsk;              /* the round that the waiter has begun */
  int iEnd;              /* the round that it has ended */
  int bGranted;
  int iHeld;             /* the round for which the holder holds the lock */
  int iDone;             /* the round that the holder has looked at */
  int us;                /* after so long the holder unlocks */
} Aim;
static void spinUntil(int *pWord, int iValue_){
  int i;
  for(i=0; __atomic_load_n(pWord, __ATOMIC_SEQ_CST)!=iValue_; i++){
    if( i>100 ) usleep(20);
    if( i>100000 ) fatal("the other process does not go on");
  }
}
static void aimHolder(Aim *a, int nRound){
  int i;
  openDb();
  for(i=1; i<=nRound; i++){
    i64 usStart;
    must("SELECT advisory_lock(1)");
    __atomic_store_n(&a->iHeld, i, __ATOMIC_SEQ_CST);
    spinUntil(&a->iAsk, i);
    usStart = microseconds();
    while( microseconds()-usStart<a->us ){}
    must("SELECT advisory_unlock(1)");
    if( iValue!=1 ) fatal("unlock");
    spinUntil(&a->iEnd, i);
    /* A session that gave up has no lock and no request in the queue. */
    must("SELECT count(*) FROM advisory_locks");
    if( iValue!=a->bGranted ) fatal("rows left");
    must("SELECT try_advisory_lock(1)");
    if( iValue!=!a->bGranted ) fatal("L2: an error, and the lock is held");
    if( iValue ) must("SELECT advisory_unlock(1)");
    __atomic_store_n(&a->iDone, i, __ATOMIC_SEQ_CST);
  }
  sqlite3_close(db);
  _exit(0);
}
static int aim(int nRound){
  Aim *a = mmap(0, sizeof(Aim), PROT_READ|PROT_WRITE,
                MAP_SHARED|MAP_ANONYMOUS, -1, 0);
  int i, nGranted = 0, nTimeout = 0, st = 1, rc;
  pid_t pid;
  a->us = 1000;
  pid = fork();
  if( pid==0 ) aimHolder(a, nRound);
  iMe = 1;
  openDb();
  must("SELECT advisory_lock_timeout(1)");
  for(i=1; i<=nRound; i++){
    spinUntil(&a->iHeld, i);
    __atomic_store_n(&a->iAsk, i, __ATOMIC_SEQ_CST);
    rc = run("SELECT advisory_lock%s(1)", i%3==0 ? "_shared" : "");
    if( rc!=SQLITE_OK && strstr(zError, "lock timeout:")==0 ) fatal("lock");
    a->bGranted = rc==SQLITE_OK;
    nGranted += rc==SQLITE_OK;
    nTimeout += rc!=SQLITE_OK;
    /* Aims at the moment at which both outcomes are equally likely. */
    a->us += rc==SQLITE_OK ? 7 : -7;
    __atomic_store_n(&a->iEnd, i, __ATOMIC_SEQ_CST);
    spinUntil(&a->iDone, i);
    run("SELECT advisory_unlock%s(1)", i%3==0 ? "_shared" : "");
    if( iValue!=a->bGranted ) fatal("what was granted is not held");
  }
  waitpid(pid, &st, 0);
  printf("%d granted, %d timed out, aimed at %d us\n", nGranted, nTimeout,
         a->us);
  return st!=0 || nGranted<nRound/4 || nTimeout<nRound/4;
}

int main(int n, char **a){
  if( n<5 ) return 2;
  zLibrary = a[1];
  zDb = a[2];
  seed = 1;
  if( n==5 ) return aim(atoi(a[4]));
  if( n!=7 ) return 2;
  return torture((u32)atoi(a[3]), strtoull(a[4], 0, 10),
                 strtoull(a[5], 0, 10), a[6]);
}
