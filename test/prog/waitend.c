/* SPDX-License-Identifier: 0BSD */
/*
** waitend.c: waits that end in two ways at once: interrupt, cancel, timeout,
** grant and the death of the holder, each pair aimed at each other.
** test/waitend.test builds and runs it.
**
**   waitend LIBRARY FILE before NAME...       interrupt, later the unlock, for
**                                             each function that can wait
**   waitend LIBRARY FILE pair A B ROUNDS NAME...
**   waitend LIBRARY FILE signals NAME...      under a timer of a millisecond
**   waitend LIBRARY FILE window ROUNDS        how often SQLite's own
**                                             `interrupted` comes after a row
**   waitend LIBRARY FILE hold SQL             the holder that dies
**
** After an error the session must hold nothing and must ask for nothing, and
** another session must get the lock at its first try.  Exit status 0: nothing
** was wrong.
*/
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <sqlite3.h>

static const char *zSelf, *zLibrary, *zFile;
static int nWrong;
#define CHECK(x) do{ if( !(x) ) wrong(__LINE__, #x); }while(0)
static const char *zRound = "";      /* what is being tried, for messages */
static void wrong(int iLine, const char *zWhat){
  if( nWrong++<10 ) printf("line %d: %s (%s)\n", iLine, zWhat, zRound);
}
static double now(void){
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + (double)t.tv_nsec/1e9;
}
static void until(double t){
  while( t-now()>0.002 ) usleep(1000);
  while( now()<t ){}
}

static sqlite3 *openDb(void){
  sqlite3 *db = 0;
  char *zErr = 0;
  if( sqlite3_open(zFile, &db)!=SQLITE_OK
   || sqlite3_enable_load_extension(db, 1)!=SQLITE_OK
   || sqlite3_load_extension(db, zLibrary, 0, &zErr)!=SQLITE_OK ){
    printf("cannot open: %s\n", zErr ? zErr : sqlite3_errmsg(db));
    exit(2);
  }
  sqlite3_busy_timeout(db, 5000);
  return db;
}
/* The first value of a statement as an integer; -1 after an error. */
static sqlite3_int64 ask(sqlite3 *db, const char *zSql){
  sqlite3_stmt *p = 0;
  sqlite3_int64 i = -1;
  if( sqlite3_prepare_v2(db, zSql, -1, &p, 0)==SQLITE_OK
   && sqlite3_step(p)==SQLITE_ROW ) i = sqlite3_column_int64(p, 0);
  if( sqlite3_finalize(p)!=SQLITE_OK ) i = -1;
  return i;
}

/* ---- functions that wait, and what another session holds meanwhile ------ */

typedef struct Names {
  char zWait[100];                /* the call that waits */
  char zHold[100], zFree[100];    /* of others, in autocommit or not */
  char zUnlock[100];              /* of the waiter; "" for transaction locks */
  int bBegin;                     /* the waiter needs BEGIN */
  int bTurn;                      /* holders need BEGIN */
} Names;

static void namesOf(const char *z, Names *p){
  const char *zArg = "(7)";
  char zBase[60], *zX;
  int bMany = strstr(z, "_many")!=0, bPermit = strncmp(z, "sema", 4)==0;
  int bRows = strncmp(z, "lock_rows", 9)==0;
  if( bRows ) zArg = "('t', 'id = 1')";
  else if( strncmp(z, "row_", 4)==0 && bMany ) zArg = "('t', '[1]')";
  else if( strncmp(z, "row_", 4)==0 ) zArg = "('t', 1)";
  else if( bMany ) zArg = "('[7]')";
  else if( bPermit ) zArg = "('s', 1)";
  else if( strncmp(z, "table_", 6)==0 ) zArg = "('t')";
  else if( strcmp(z, "write_turn")==0 ) zArg = "()";
  else if( strcmp(z, "get_lock")==0 ) zArg = "('k', 100)";
  memset(p, 0, sizeof *p);
  p->bBegin = strstr(z, "xact")!=0 || strcmp(z, "write_turn")==0;
  p->bTurn = strcmp(z, "write_turn")==0;
  snprintf(p->zWait, 100, "SELECT %s%s", z, zArg);
  snprintf(zBase, 60, "%s", z);
  if( (zX = strstr(zBase, "_xact"))!=0 ) memmove(zX, zX+5, strlen(zX+5)+1);
  if( bRows || strncmp(z, "row_", 4)==0 ){
    strcpy(p->zHold, "SELECT try_row_lock('t', 1)");
    strcpy(p->zFree, "SELECT row_unlock('t', 1)");
  }else if( strncmp(z, "table_", 6)==0 ){
    strcpy(p->zHold, "SELECT try_table_lock('t')");
    strcpy(p->zFree, "SELECT table_unlock('t')");
  }else if( p->bTurn ){
    strcpy(p->zHold, "SELECT try_write_turn()");
  }else if( strcmp(z, "get_lock")==0 ){
    strcpy(p->zHold, "SELECT get_lock('k', 0)");
    strcpy(p->zFree, "SELECT release_lock('k')");
  }else if( bPermit ){
    strcpy(p->zHold, "SELECT try_semaphore_lock('s', 1)");
    strcpy(p->zFree, "SELECT semaphore_unlock('s')");
  }else{
    strcpy(p->zHold, "SELECT try_advisory_lock(7)");
    strcpy(p->zFree, "SELECT advisory_unlock(7)");
  }
  if( p->bBegin ) return;
  if( strcmp(z, "get_lock")==0 || bPermit ){
    strcpy(p->zUnlock, p->zFree);
  }else if( bRows ){
    snprintf(p->zUnlock, 100, "SELECT row_unlock%s('t', 1)", z+9);
  }else{
    zX = strstr(zBase, "lock");
    snprintf(p->zUnlock, 100, "SELECT %.*sun%s%s", (int)(zX-zBase), zBase, zX,
             zArg);
  }
}
static int hold(sqlite3 *db, const Names *p){
  if( p->bTurn ) sqlite3_exec(db, "BEGIN", 0, 0, 0);
  return ask(db, p->zHold)==1;
}
static int unhold(sqlite3 *db, const Names *p){
  if( p->bTurn ) return sqlite3_exec(db, "COMMIT", 0, 0, 0)==SQLITE_OK;
  return ask(db, p->zFree)==1;
}

/* ---- the waiter, a thread ----------------------------------------------- */

static struct Waiter {
  sqlite3 *db;
  sqlite3_int64 iSession;
  pthread_t thread;
  pthread_mutex_t mutex;
  pthread_cond_t cond;
  int eState;                     /* 0 idle, 1 to run, 2 done, 3 end */
  const Names *pNames;
  int bRow;                       /* a row came */
  int rc;
  char zErr[200];
  double tEnd;                    /* when it ended */
} W;
static void *waiterMain(void *pArg){
  pthread_mutex_lock(&W.mutex);
  for(;;){
    sqlite3_stmt *p = 0;
    int rc;
    while( W.eState!=1 && W.eState!=3 ) pthread_cond_wait(&W.cond, &W.mutex);
    if( W.eState==3 ) break;
    pthread_mutex_unlock(&W.mutex);
    W.bRow = 0;
    W.zErr[0] = 0;
    sqlite3_prepare_v2(W.db, W.pNames->zWait, -1, &p, 0);
    while( (rc = sqlite3_step(p))==SQLITE_ROW ) W.bRow = 1;
    if( rc!=SQLITE_DONE ) snprintf(W.zErr, 200, "%s", sqlite3_errmsg(W.db));
    sqlite3_finalize(p);
    pthread_mutex_lock(&W.mutex);
    W.rc = rc;
    W.tEnd = now();
    W.eState = 2;
    pthread_cond_broadcast(&W.cond);
  }
  pthread_mutex_unlock(&W.mutex);
  return pArg;
}
static void waiterState(int e){
  pthread_mutex_lock(&W.mutex);
  W.eState = e;
  pthread_cond_broadcast(&W.cond);
  pthread_mutex_unlock(&W.mutex);
}
static void waiterDone(void){
  pthread_mutex_lock(&W.mutex);
  while( W.eState!=2 ) pthread_cond_wait(&W.cond, &W.mutex);
  W.eState = 0;
  pthread_mutex_unlock(&W.mutex);
}
static int waiterIsDone(void){
  int b;
  pthread_mutex_lock(&W.mutex);
  b = W.eState==2;
  pthread_mutex_unlock(&W.mutex);
  return b;
}
/* Begins the wait. Returns when its request is queued, or, with bMayEnd, when
** the wait has already timed out. */
static void waiterStart(sqlite3 *db, const Names *p, int bMayEnd){
  double t = now()+10;
  W.pNames = p;
  if( p->bBegin ) CHECK(sqlite3_exec(W.db, "BEGIN", 0, 0, 0)==SQLITE_OK);
  waiterState(1);
  while( ask(db, "SELECT count(*) FROM advisory_waits")<1 ){
    if( now()>t || waiterIsDone() ){
      if( !bMayEnd ) CHECK(!"it does not wait");
      return;
    }
  }
}
static int errorIs(const char *z){ return strncmp(W.zErr, z, strlen(z))==0; }

/* To be called after the wait has ended and the holder has released the lock.
** Returns 1 if the waiter has the lock, and releases it. The result of the wait
** must agree. */
static int waiterHeld(sqlite3 *db, int bRowThenError){
  const Names *p = W.pNames;
  char z[120];
  int bHeld = 0;
  snprintf(z, 120, "SELECT count(*) FROM advisory_locks WHERE session = %lld",
           W.iSession);
  if( W.rc==SQLITE_DONE || (W.bRow && bRowThenError) ){
    bHeld = ask(db, z)>0;
    if( p->bBegin ){
      CHECK(sqlite3_exec(W.db, "COMMIT", 0, 0, 0)==SQLITE_OK);
    }else{
      CHECK(ask(W.db, p->zUnlock)==(bHeld ? 1 : 0)
            || strstr(p->zUnlock, "release_lock"));
    }
    CHECK(ask(db, z)==0);
  }else{
    CHECK(W.bRow==0);
    CHECK(ask(db, z)==0);
    CHECK(hold(db, p));
    CHECK(unhold(db, p));
    if( p->bBegin && !sqlite3_get_autocommit(W.db) ){
      CHECK(sqlite3_exec(W.db, "ROLLBACK", 0, 0, 0)==SQLITE_OK);
    }
  }
  return bHeld;
}

/* ---- an interrupt, and later the unlock --------------------------------- */

static void before(sqlite3 *db, const char *zName){
  Names n;
  int i;
  namesOf(zName, &n);
  zRound = zName;
  for(i=0; i<12; i++){
    CHECK(hold(db, &n));
    waiterStart(db, &n, 0);
    sqlite3_interrupt(W.db);
    until(now() + (double)(i*i)*0.0003);        /* 0 to 36 ms */
    CHECK(unhold(db, &n));
    waiterDone();
    CHECK(W.rc==SQLITE_INTERRUPT);
    CHECK(errorIs("lock wait cancelled: interrupted"));
    CHECK(!waiterHeld(db, 0));
  }
}

/* ---- pairs -------------------------------------------------------------- */

enum { INTERRUPT, CANCEL, TIMEOUT, GRANT, DEATH };
static const char *azEvent[] = {"interrupt","cancel","timeout","grant","death"};
static int eventOf(const char *z){
  int i;
  for(i=0; i<5; i++) if( strcmp(z, azEvent[i])==0 ) return i;
  exit(2);
}
typedef struct Event {
  int e;
  double t;                       /* when */
  sqlite3 *db;                    /* the holder's; a canceller's */
  pid_t pid;                      /* the holder that dies */
  const Names *pNames;
  int iResult;
} Event;
static void *fire(void *pArg){
  Event *p = pArg;
  char z[80];
  until(p->t);
  switch( p->e ){
    case INTERRUPT: sqlite3_interrupt(W.db); break;
    case GRANT: p->iResult = unhold(p->db, p->pNames); break;
    case DEATH: kill(p->pid, SIGKILL); break;
    case CANCEL:
      snprintf(z, 80, "SELECT advisory_cancel(%lld)", W.iSession);
      p->iResult = (int)ask(p->db, z);
      break;
  }
  return 0;
}
/* A process that holds the lock until it is killed. */
static pid_t holder(const Names *p){
  int a[2];
  char c = 0;
  pid_t pid;
  if( pipe(a) ) exit(2);
  pid = fork();
  if( pid==0 ){
    dup2(a[1], 1);
    execl(zSelf, zSelf, zLibrary, zFile, "hold", p->zHold, (char*)0);
    _exit(9);
  }
  close(a[1]);
  while( read(a[0], &c, 1)<0 && errno==EINTR ){}
  CHECK(c=='1');
  close(a[0]);
  return pid;
}

static void reap(pid_t pid){
  while( waitpid(pid, 0, 0)<0 && errno==EINTR ){}
}

/* ---- signals ------------------------------------------------------------ */

static void onSignal(int i){ (void)i; }
static void timer(int us, int flags){
  struct itimerval t;
  struct sigaction sa;
  memset(&sa, 0, sizeof sa);
  sa.sa_handler = onSignal;
  sa.sa_flags = flags;
  sigaction(SIGALRM, &sa, 0);
  memset(&t, 0, sizeof t);
  t.it_interval.tv_usec = t.it_value.tv_usec = us;
  setitimer(ITIMER_REAL, &t, 0);
}
/* Only the waiter gets the signals, since this thread has blocked them. */
static void signals(sqlite3 *db, const char *zName){
  Names n;
  double t;
  pid_t pid;
  namesOf(zName, &n);
  zRound = zName;
  CHECK(hold(db, &n));
  ask(W.db, "SELECT advisory_lock_timeout(300)");
  t = now();
  waiterStart(db, &n, 1);
  waiterDone();
  CHECK(errorIs("lock timeout:"));
  CHECK(W.tEnd-t>=0.3 && W.tEnd-t<3);
  CHECK(unhold(db, &n));
  CHECK(!waiterHeld(db, 0));
  ask(W.db, "SELECT advisory_lock_timeout(20000)");
  CHECK(hold(db, &n));
  waiterStart(db, &n, 0);
  t = now();
  CHECK(unhold(db, &n));
  waiterDone();
  CHECK(W.tEnd-t<3);
  CHECK(waiterHeld(db, 0));
  pid = holder(&n);
  waiterStart(db, &n, 0);
  t = now();
  kill(pid, SIGKILL);
  reap(pid);
  waiterDone();
  CHECK(W.tEnd-t<3);
  CHECK(waiterHeld(db, 0));
}

/* ---- two events --------------------------------------------------------- */

/* Lets both events come within some tens of microseconds, in either order. */
static void pair(sqlite3 *db, int eA, int eB, int nRound, const char *zName){
  sqlite3 *db2 = openDb();
  Names n;
  int i, aEnd[4] = { 0, 0, 0, 0 };
  char zWhat[100];
  namesOf(zName, &n);
  snprintf(zWhat, 100, "%s and %s of %s", azEvent[eA], azEvent[eB], zName);
  zRound = zWhat;
  for(i=0; i<nRound; i++){
    Event a = { eA, 0, db2, 0, &n, -1 }, b = { eB, 0, db2, 0, &n, -1 };
    int bTimeout = eA==TIMEOUT || eB==TIMEOUT, bDeath = eA==DEATH||eB==DEATH;
    double t0 = now(), tShift = (double)((i*37)%201-100)/1e6;
    pthread_t t;
    if( eA==GRANT ) a.db = db;
    if( eB==GRANT ) b.db = db;
    ask(W.db, bTimeout ? "SELECT advisory_lock_timeout(8)"
                       : "SELECT advisory_lock_timeout(-1)");
    if( bDeath ){
      a.pid = b.pid = holder(&n);
    }else{
      CHECK(hold(db, &n));
    }
    t0 = now();
    waiterStart(db2, &n, bTimeout);
    a.t = b.t = bTimeout ? t0+0.008 : now()+0.0003;
    if( bTimeout ) tShift *= 5;
    if( tShift<0 ) a.t -= tShift; else b.t += tShift;
    pthread_create(&t, 0, fire, &b);
    fire(&a);
    pthread_join(t, 0);
    waiterDone();
    if( bDeath ){
      reap(a.pid);
    }else if( eA!=GRANT && eB!=GRANT ){
      CHECK(unhold(db, &n));
    }
    if( W.rc==SQLITE_DONE ){
      aEnd[0]++;
      CHECK(eA>=GRANT || eB>=GRANT);
      CHECK(waiterHeld(db, 0));
    }else if( W.bRow ){
      aEnd[1]++;                  /* interrupted after the row */
      CHECK(eA==INTERRUPT || eB==INTERRUPT);
      CHECK(errorIs("interrupted"));
      CHECK(waiterHeld(db, 1));
    }else{
      int bOut = errorIs("lock timeout:");
      aEnd[2+bOut]++;
      CHECK(bOut ? bTimeout : errorIs("lock wait cancelled:")
            || (n.bTurn && errorIs("transaction rolled back: interrupted")
                && sqlite3_get_autocommit(W.db)));
      CHECK(!waiterHeld(db, 0));
    }
  }
  printf("%s, %d rounds: granted %d, cancelled %d, timed out %d,"
         " interrupted after the row %d\n", zWhat, nRound, aEnd[0], aEnd[2],
         aEnd[3], aEnd[1]);
  sqlite3_close(db2);
}

/* Counts how often an interrupt that is aimed at the grant comes after the row,
** so that the statement ends with SQLite's own error and the lock is held. */
static void window(sqlite3 *db, int nRound){
  Names n;
  int i, nRow = 0, nDone = 0, nCancelled = 0;
  namesOf("advisory_lock", &n);
  for(i=0; i<nRound; i++){
    Event b = { INTERRUPT, 0, 0, 0, &n, -1 };
    pthread_t t;
    CHECK(hold(db, &n));
    waiterStart(db, &n, 0);
    b.t = now()+0.0002+(double)(i%100)/1e6;
    pthread_create(&t, 0, fire, &b);
    until(now()+0.0002);
    CHECK(unhold(db, &n));
    pthread_join(t, 0);
    waiterDone();
    if( W.rc==SQLITE_DONE ) nDone++;
    else if( W.bRow ) nRow++;
    else nCancelled++;
    waiterHeld(db, 1);
  }
  printf("%d rounds: granted %d, lock wait cancelled %d, interrupted after the"
         " row %d\n", nRound, nDone, nCancelled, nRow);
}

int main(int nArg, char **az){
  sqlite3 *db;
  int i;
  if( nArg<4 ) return 2;
  zSelf = az[0]; zLibrary = az[1]; zFile = az[2];
  db = openDb();
  if( strcmp(az[3], "hold")==0 ){
    sqlite3_exec(db, "BEGIN", 0, 0, 0);          /* for a turn */
    if( ask(db, az[4])!=1 ) return 3;
    if( write(1, "1", 1)!=1 ) return 4;
    for(;;) pause();
  }
  alarm(3000);
  setvbuf(stdout, 0, _IOLBF, 0);
  pthread_mutex_init(&W.mutex, 0);
  pthread_cond_init(&W.cond, 0);
  W.db = openDb();
  W.iSession = ask(W.db, "SELECT advisory_session()");
  pthread_create(&W.thread, 0, waiterMain, 0);
  if( strcmp(az[3], "before")==0 ){
    for(i=4; i<nArg; i++) before(db, az[i]);
  }else if( strcmp(az[3], "signals")==0 ){
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGALRM);
    pthread_sigmask(SIG_BLOCK, &set, 0);
    for(i=0; i<2; i++){
      int k;
      timer(1000, i ? SA_RESTART : 0);
      for(k=4; k<nArg; k++) signals(db, az[k]);
    }
    timer(0, 0);
  }else if( strcmp(az[3], "window")==0 ){
    window(db, atoi(az[4]));
  }else{
    for(i=7; i<nArg; i++){
      pair(db, eventOf(az[4]), eventOf(az[5]), atoi(az[6]), az[i]);
    }
  }
  waiterState(3);
  pthread_join(W.thread, 0);
  CHECK(sqlite3_close(W.db)==SQLITE_OK);
  CHECK(sqlite3_close(db)==SQLITE_OK);
  if( nWrong ) printf("%d wrong\n", nWrong);
  return nWrong!=0;
}
