/* SPDX-License-Identifier: 0BSD */
/*
** lkwait.c: how waits end.  A timer sends a signal every millisecond, with
** SA_RESTART and without.  Every sleep must end when it has to: a wait by its
** timeout, by the grant, by the death of the holder; the mutex by the death of
** its owner, or with LOCK_BUSY if the owner is stopped.  With hundreds of
** threads that want the mutex no call may return LOCK_BUSY as long as other
** threads get it.  Interrupt, cancel, timeout, grant and death are aimed at
** each other, each pair.  After an error nothing may be held or requested.  The
** descriptor of a watch becomes readable by each of these.
**
**   lkwait [ROUNDS]                rounds of each pair, 60 by default
*/
#include "util.h"
#include "core/watch.h"
#include <poll.h>
#include <pthread.h>
#include <sys/prctl.h>
#include <sys/time.h>

static char zDb[400], zLock[420];

static void fresh(const char *z){
  snprintf(zDb, sizeof zDb, "%s", scratch(z));
  snprintf(zLock, sizeof zLock, "%s-interlock", zDb);
}

/*-------------------------------------------------------- other processes ---*/

enum { HOLD, HOLD_INSIDE, HOLD_FIRST };
/* Starts a process that does so, and then stops or waits to be killed. */
static pid_t other(int eWhat, int bStop){
  int a[2];
  char c = 0;
  pid_t pid;
  if( pipe(a) ) exit(2);
  pid = fork();
  if( pid==0 ){
    struct itimerval off;
    memset(&off, 0, sizeof off);
    setitimer(ITIMER_REAL, &off, 0);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if( eWhat==HOLD_FIRST ){
      OsFile f;
      if( osOpen(&f, zLock, 0, 1)!=LOCK_OK ) _exit(3);
      if( osLockFirst(&f, OS_EXCLUSIVE, 1000)!=LOCK_OK ) _exit(4);
    }else{
      LockFile *p = openOrDie(zDb);
      LockSession *s = beginOrDie(p);
      LockKey k = keyInt(1);
      if( lockAcquire(s, &k, LOCK_EXCLUSIVE, 0, 0)!=LOCK_OK ) _exit(5);
      if( eWhat==HOLD_INSIDE
       && mutexEnter(lockSegment(p))!=MUTEX_ENTERED ) _exit(6);
    }
    if( write(a[1], "1", 1)!=1 ) _exit(7);
    if( bStop ) raise(SIGSTOP);
    for(;;) pause();
  }
  close(a[1]);
  while( read(a[0], &c, 1)<0 && errno==EINTR ){}
  CHECK(c=='1');
  close(a[0]);
  if( bStop ){
    int st = 0;
    while( waitpid(pid, &st, WUNTRACED)<0 && errno==EINTR ){}
    CHECK(WIFSTOPPED(st));
  }
  return pid;
}
static void killed(pid_t pid){
  signalOne(pid, SIGKILL);
  while( waitpid(pid, 0, 0)<0 && errno==EINTR ){}
}
/* Starts a process that kills another one some time from now. */
static pid_t killLater(pid_t pid, i64 us){
  pid_t k = fork();
  if( k==0 ){
    struct itimerval off;
    memset(&off, 0, sizeof off);
    setitimer(ITIMER_REAL, &off, 0);
    restUs(us);
    signalOne(pid, SIGKILL);
    _exit(0);
  }
  return k;
}

/*--------------------------------------------------------------- signals ---*/

static u32 nSignal;
static void onSignal(int i){ (void)i; atomicAdd(&nSignal, 1); }
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
/* Starts a process that kills this one after some time, since the timer uses
** this process's alarm. */
static pid_t watchdog(int nSecond){
  pid_t pid = getpid(), dog = fork();
  if( dog==0 ){
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    restUs((i64)nSecond*1000000);
    fprintf(stderr, "lkwait: it hangs\n");
    signalOne(pid, SIGKILL);
    _exit(0);
  }
  return dog;
}
static double tBegan;
static void begin(void){ tBegan = seconds(); }
/* A wait must take so long, within what a busy machine may add. */
#define TOOK(a,b) do{ double t_ = seconds()-tBegan; nTest++; \
  if( t_<(a) || t_>(b) ){ nError++; fprintf(stderr, "%s:%d: took %.3f s, " \
  "expected %.3f to %.3f\n", __FILE__, __LINE__, t_, (double)(a), \
  (double)(b)); } }while(0)

static void signalsWait(void){
  LockFile *p = openOrDie(zDb);
  LockSession *s = beginOrDie(p), *t = beginOrDie(p);
  LockKey k = keyInt(1);
  LockWait w = { 300, 0, 0, 0 };
  pid_t pid, pid2;
  CHECK_EQ(lockAcquire(t, &k, LOCK_EXCLUSIVE, 0, 0), LOCK_OK);
  begin();
  CHECK_EQ(lockAcquire(s, &k, LOCK_EXCLUSIVE, 0, &w), LOCK_TIMEOUT);
  TOOK(0.3, 2.0);
  /* granted by a thread, while signals come */
  CHECK_EQ(lockRelease(t, &k, LOCK_EXCLUSIVE), LOCK_OK);
  /* by a death */
  pid = other(HOLD, 0);
  pid2 = killLater(pid, 50000);
  w.msTimeout = 5000;
  begin();
  CHECK_EQ(lockAcquire(s, &k, LOCK_EXCLUSIVE, 0, &w), LOCK_OK);
  TOOK(0.04, 2.0);
  CHECK_EQ(lockRelease(s, &k, LOCK_EXCLUSIVE), LOCK_OK);
  killed(pid);
  killed(pid2);
  lockSessionEnd(s);
  lockSessionEnd(t);
  lockClose(p);
}
static void signalsMutex(void){
  LockFile *p = openOrDie(zDb);
  LockSession *s = beginOrDie(p);
  LockKey k = keyInt(2);
  LockTrouble trouble;
  pid_t pid = other(HOLD_INSIDE, 1), pid2;
  begin();
  CHECK_EQ(lockAcquire(s, &k, LOCK_EXCLUSIVE, 0, 0), LOCK_BUSY);
  TOOK(0.95, 6.0);
  /* a poll or an end enters without a note of the session: the one before */
  atomicSet(&segHeader(lockSegment(p))->lastInside, lockSlot(s));
  lockInside(p, &trouble);
  CHECK_EQ(trouble.iPid, (u32)pid);
  /* killed while this process waits for it */
  pid2 = killLater(pid, 100000);
  begin();
  CHECK_EQ(lockAcquire(s, &k, LOCK_EXCLUSIVE, 0, 0), LOCK_OK);
  TOOK(0.05, 2.4);
  CHECK_EQ(lockRelease(s, &k, LOCK_EXCLUSIVE), LOCK_OK);
  CHECK(lockCheck(p)==0);
  killed(pid);
  killed(pid2);
  lockSessionEnd(s);
  lockClose(p);
}
static void signalsAttach(void){
  LockFile *p = 0;
  pid_t pid = other(HOLD_FIRST, 1);
  begin();
  CHECK_EQ(lockOpen(&sysMem, zDb, 1, &p), LOCK_BUSY);
  TOOK(0.95, 6.0);
  killed(pid);
}
static void signalsEvent(void){
  LockFile *p = openOrDie(zDb);
  u32 i = lockEvent(p, "e");
  pid_t pid;
  begin();
  lockEventWait(p, "e", i, 250);
  TOOK(0.25, 2.0);
  pid = fork();
  if( pid==0 ){
    LockFile *q = openOrDie(zDb);
    restUs(50000);
    lockEventPost(q, "e");
    _exit(0);
  }
  begin();
  lockEventWait(p, "e", i, 5000);
  TOOK(0.0, 2.0);
  CHECK(lockEvent(p, "e")!=i);
  while( waitpid(pid, 0, 0)<0 && errno==EINTR ){}
  lockClose(p);
}
/* The file grows, with several signals in each call. */
static void signalsExtend(int flags){
  OsFile f;
  u64 n = 0;
  timer(100, flags);
  CHECK_EQ(osOpen(&f, zLock, 0, 1), LOCK_OK);
  begin();
  CHECK_EQ(osExtend(&f, 0, (u64)64<<20), LOCK_OK);
  TOOK(0, 20);
  CHECK_EQ(osSize(&f, &n), LOCK_OK);
  CHECK_EQ(n, (u64)64<<20);
  osClose(&f);
}
static void testSignals(int flags){
  fresh("lkwait");
  timer(1000, flags);
  signalsWait();
  signalsMutex();
  unlink(zLock);
  signalsAttach();
  unlink(zLock);
  signalsEvent();
  unlink(zLock);
  signalsExtend(flags);
  unlink(zLock);
  timer(0, flags);
  CHECK(atomicGet(&nSignal)>200);
}

/* A sleep of 20 ms must last as long, so that a waiter does not spin. */
static void testSleep(void){
  u32 x = 1;
  int i;
  begin();
  for(i=0; i<20; i++) CHECK_EQ(osWait(&x, 1, 20000), 1);
  TOOK(0.38, 4.0);
}

/*----------------------------------------------------------------- crowds ---*/

/* Each thread of CROWD owns the mutex once, for so long that the last thread
** waits for longer than a second.  All of them have one process number.  With
** bTwo a second process of as many threads does the same beside it. */
enum { CROWD = 150 };
static LockFile *pCrowd;
static u32 nBusy, nGot;
static void *crowdMain(void *pArg){
  Seg *p = lockSegment(pCrowd);
  int e = mutexEnter(p);
  (void)pArg;
  if( e==MUTEX_BUSY ){
    atomicAdd(&nBusy, 1);
  }else{
    restUs(9000);
    while( mutexLeave(p) ) sessionSweepAll(p);
    atomicAdd(&nGot, 1);
  }
  return 0;
}
static int crowd(void){
  static pthread_t a[CROWD];
  pthread_attr_t attr;
  int i, n = 0;
  pCrowd = openOrDie(zDb);
  nBusy = nGot = 0;
  pthread_attr_init(&attr);
  pthread_attr_setstacksize(&attr, 256*1024);
  for(i=0; i<CROWD; i++) n += pthread_create(&a[i], &attr, crowdMain, 0)==0;
  CHECK_EQ(n, CROWD);
  for(i=0; i<n; i++) pthread_join(a[i], 0);
  CHECK_EQ(nBusy, 0);
  CHECK_EQ(nGot, (u32)n);
  lockClose(pCrowd);
  return nError!=0;
}
static void testCrowd(int bTwo){
  pid_t pid = 0;
  int st = 0;
  fresh("lkcrowd");
  lockClose(openOrDie(zDb));
  if( bTwo ){
    pid = fork();
    if( pid==0 ){
      nError = 0;
      _exit(crowd());
    }
  }
  begin();
  crowd();
  CHECK(seconds()-tBegan>1.2);
  if( bTwo ){
    waitpid(pid, &st, 0);
    CHECK_EQ(st, 0);
  }
  unlink(zLock);
}

/* All ask at once for one lock that is held, and must get it one after the
** other. */
static LockSession *aAsk[1500];
static LockKey kAsk;
static void *askMain(void *pArg){
  LockWait w = { 100000, 0, 0, 0 };
  LockSession *s = pArg;
  LockRc rc = lockAcquire(s, &kAsk, LOCK_EXCLUSIVE, 0, &w);
  if( rc==LOCK_OK ) rc = lockRelease(s, &kAsk, LOCK_EXCLUSIVE);
  if( rc==LOCK_OK ) atomicAdd(&nGot, 1);
  if( rc==LOCK_BUSY ) atomicAdd(&nBusy, 1);
  return 0;
}
static void testAsk(int n){
  static pthread_t a[1500];
  pthread_attr_t attr;
  LockSession *s;
  int i;
  fresh("lkask");
  pCrowd = openOrDie(zDb);
  s = beginOrDie(pCrowd);
  kAsk = keyInt(5);
  nBusy = nGot = 0;
  CHECK_EQ(lockAcquire(s, &kAsk, LOCK_EXCLUSIVE, 0, 0), LOCK_OK);
  pthread_attr_init(&attr);
  pthread_attr_setstacksize(&attr, 128*1024);
  for(i=0; i<n; i++) aAsk[i] = beginOrDie(pCrowd);
  for(i=0; i<n; i++) pthread_create(&a[i], &attr, askMain, aAsk[i]);
  restUs(300000);
  CHECK_EQ(lockRelease(s, &kAsk, LOCK_EXCLUSIVE), LOCK_OK);
  for(i=0; i<n; i++) pthread_join(a[i], 0);
  CHECK_EQ(nBusy, 0);
  CHECK_EQ(nGot, (u32)n);
  for(i=0; i<n; i++) lockSessionEnd(aAsk[i]);
  lockSessionEnd(s);
  lockClose(pCrowd);
  unlink(zLock);
}

/*------------------------------------------------------------- listeners ---*/

/* Many threads that listen poll less often each: alone each would 30 times. */
enum { LISTENERS = 100, MS_LISTEN = 1500 };
static LockSession *aListen[LISTENERS];
static LockKey kListen;
static u32 nPoll;
static LockRc countPoll(void *p){
  (void)p;
  atomicAdd(&nPoll, 1);
  return LOCK_OK;
}
static void *listenMain(void *pArg){
  LockWait w = { MS_LISTEN, 0, countPoll, 0 };
  LockSession *s = *(LockSession**)pArg;
  u64 iSeen, iNumber;
  u32 iRecord;
  if( lockListen(s, &kListen, &iRecord)==LOCK_OK
   && lockListenWait(s, &kListen, iRecord, 0, 0, &iSeen)==LOCK_OK
   && lockListenWait(s, &kListen, iRecord, iSeen, &w, &iNumber)==LOCK_TIMEOUT ){
    atomicAdd(&nGot, 1);
  }
  return 0;
}
static void testListeners(void){
  static pthread_t a[LISTENERS];
  int i;
  fresh("lklisten");
  pCrowd = openOrDie(zDb);
  keyMake(&kListen, KEY_LISTEN, "c", 1);
  nGot = nPoll = 0;
  for(i=0; i<LISTENERS; i++) aListen[i] = beginOrDie(pCrowd);
  for(i=0; i<LISTENERS; i++) pthread_create(&a[i], 0, listenMain, &aListen[i]);
  for(i=0; i<LISTENERS; i++) pthread_join(a[i], 0);
  CHECK_EQ(nGot, LISTENERS);
  CHECK(nPoll>=LISTENERS && nPoll<10*LISTENERS);
  CHECK_EQ(pCrowd->nWaiting, 0);
  for(i=0; i<LISTENERS; i++) lockSessionEnd(aListen[i]);
  lockClose(pCrowd);
  unlink(zLock);
}

/*------------------------------------------------------------------ pairs ---*/

enum { INTERRUPT, CANCEL, TIMEOUT, GRANT, DEATH, EVENTS };
static const char *azEvent[] = {"interrupt","cancel","timeout","grant","death"};

/* The holder is a process, or a session of this one; the waiter a thread. */
static int fdHolder = -1, fdHeld = -1;
static pid_t pidServer;
static struct Shared { u32 pid, eGo; } *pShared;   /* with the holder */

/* One process that was forked before there were threads makes the holders. */
static void holderMain(void){
  LockFile *p = openOrDie(zDb);
  LockSession *s = beginOrDie(p);
  LockKey k = keyInt(1);
  u32 iGo = atomicGetAcq(&pShared->eGo);
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if( lockAcquire(s, &k, LOCK_EXCLUSIVE, 0, 0)!=LOCK_OK ) _exit(5);
  atomicSetRel(&pShared->pid, (u32)getpid());
  if( write(fdHeld, "1", 1)!=1 ) _exit(6);
  while( atomicGetAcq(&pShared->eGo)==iGo ) osWait(&pShared->eGo, iGo, 20000);
  lockRelease(s, &k, LOCK_EXCLUSIVE);
  for(;;) pause();
}
static void serverMain(int fd){
  char c;
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  while( read(fd, &c, 1)==1 ){
    pid_t pid;
    if( c=='w' ){
      while( waitpid(-1, 0, 0)>0 ){}
      if( write(fdHeld, "0", 1)!=1 ) _exit(1);
      continue;
    }
    pid = fork();
    if( pid==0 ) holderMain();
    if( pid<0 ) _exit(1);
  }
  _exit(0);
}
static void serverStart(void){
  int a[2], b[2];
  pShared = mmap(0, 4096, PROT_READ|PROT_WRITE, MAP_SHARED|MAP_ANONYMOUS,
                 -1, 0);
  if( pShared==MAP_FAILED || pipe(a) || pipe(b) ) exit(2);
  fdHeld = b[1];
  pidServer = fork();
  if( pidServer==0 ){
    close(a[1]);
    close(b[0]);
    serverMain(a[0]);
  }
  close(a[0]);
  close(b[1]);
  fdHolder = a[1];
  fdHeld = b[0];
}
static void serverSay(const char *z){
  char c = 0;
  CHECK_EQ(write(fdHolder, z, 1), 1);
  CHECK_EQ(read(fdHeld, &c, 1), 1);
}

static LockFile *pF;
static LockSession *pWaiter, *pHolder;
static LockKey kPair;
static u32 bInterrupt;
static LockRc onPoll(void *p){
  (void)p;
  return atomicGetAcq(&bInterrupt) ? LOCK_INTERRUPTED : LOCK_OK;
}
typedef struct Round {
  u32 eScope;
  LockWait w;
  LockRc rc;
  u32 bDone;
} Round;
static void *waiterMain(void *pArg){
  Round *p = pArg;
  p->rc = lockAcquire(pWaiter, &kPair, LOCK_EXCLUSIVE, p->eScope, &p->w);
  atomicSetRel(&p->bDone, 1);
  return 0;
}
typedef struct Fire { int e; u64 usAt; } Fire;
static void *fireMain(void *pArg){
  Fire *p = pArg;
  while( osMonotonicUs()<p->usAt ) atomicPause();
  switch( p->e ){
    case INTERRUPT: atomicSetRel(&bInterrupt, 1); break;
    case CANCEL: lockCancel(pF, lockSessionId(pWaiter)); break;
    case DEATH: signalOne((pid_t)pShared->pid, SIGKILL); break;
    case GRANT:
      if( pHolder ){
        lockRelease(pHolder, &kPair, LOCK_EXCLUSIVE);
      }else{
        atomicAdd(&pShared->eGo, 1);
        osWake(&pShared->eGo, 1);
      }
      break;
  }
  return 0;
}
/* 1 if the waiter's request is in the queue. */
static int isQueued(void){
  LockSnapshot s;
  int b;
  if( lockSnapshot(pF, &s)!=LOCK_OK ) return 0;
  b = s.nWait>0;
  lockSnapshotFree(pF, &s);
  return b;
}
static int holdsAnything(LockSession *p){
  LockSnapshot s;
  u32 i;
  int n = 0;
  if( lockSnapshot(pF, &s)!=LOCK_OK ) return 1;
  for(i=0; i<s.nRow; i++){
    n += s.aSession[s.aRow[i].iSession].iId==lockSessionId(p);
  }
  lockSnapshotFree(pF, &s);
  return n;
}
/* The result of the waiter must fit, and nothing may be left of the wait. */
static void verify(Round *r, int eA, int eB){
  LockSession *pNext = beginOrDie(pF);
  int aMay[LOCK_MISUSE+1] = { 0 };
  aMay[LOCK_OK] = eA>=GRANT || eB>=GRANT;
  aMay[LOCK_INTERRUPTED] = eA==INTERRUPT || eB==INTERRUPT;
  aMay[LOCK_CANCELLED] = eA==CANCEL || eB==CANCEL;
  aMay[LOCK_TIMEOUT] = eA==TIMEOUT || eB==TIMEOUT;
  CHECK(aMay[r->rc]);
  if( r->rc==LOCK_OK ){
    CHECK_EQ(lockAcquire(pNext, &kPair, LOCK_EXCLUSIVE, 0, 0), LOCK_NO);
    if( r->eScope==LOCK_SCOPE_SESSION ){
      CHECK_EQ(lockRelease(pWaiter, &kPair, LOCK_EXCLUSIVE), LOCK_OK);
    }else{
      lockTxnEnd(pWaiter);
    }
  }
  CHECK(!holdsAnything(pWaiter));
  CHECK(!isQueued());
  CHECK_EQ(lockAcquire(pNext, &kPair, LOCK_EXCLUSIVE, 0, 0), LOCK_OK);
  CHECK_EQ(lockRelease(pNext, &kPair, LOCK_EXCLUSIVE), LOCK_OK);
  CHECK(!lockHolding(pWaiter));
  lockTxnEnd(pWaiter);
  lockSessionEnd(pNext);
}
static void pairRound(int eA, int eB, int i, int *aEnd){
  Round r;
  Fire a = { eA, 0 }, b = { eB, 0 };
  int bDeath = eA==DEATH || eB==DEATH, bTimeout = eA==TIMEOUT || eB==TIMEOUT;
  u64 usAim, usShift = (u64)((i*37)%120);
  pthread_t t, t2;
  memset(&r, 0, sizeof r);
  r.eScope = i%3==0 ? LOCK_SCOPE_SESSION : i%3==1 ? LOCK_SCOPE_TRANSACTION
                                                  : LOCK_SCOPE_TURN;
  r.w.msTimeout = bTimeout ? 6 : 20000;
  r.w.xPoll = onPoll;
  atomicSetRel(&bInterrupt, 0);
  pHolder = 0;
  if( bDeath ){
    serverSay("h");
  }else{
    pHolder = beginOrDie(pF);
    CHECK_EQ(lockAcquire(pHolder, &kPair, LOCK_EXCLUSIVE, 0, 0), LOCK_OK);
  }
  usAim = osMonotonicUs() + 6000;
  pthread_create(&t, 0, waiterMain, &r);
  while( !isQueued() && !atomicGetAcq(&r.bDone) ) atomicPause();
  if( !bTimeout ) usAim = osMonotonicUs() + 200;
  a.usAt = usAim + (i&1 ? usShift : 0);
  b.usAt = usAim + (i&1 ? 0 : usShift);
  pthread_create(&t2, 0, fireMain, &b);
  fireMain(&a);
  pthread_join(t2, 0);
  pthread_join(t, 0);
  if( bDeath ){
    signalOne((pid_t)pShared->pid, SIGKILL);
    serverSay("w");
  }
  if( pHolder ) lockSessionEnd(pHolder);
  verify(&r, eA, eB);
  aEnd[r.rc]++;
}
static void testPairs(int nRound){
  int a, b, i;
  fresh("lkpair");
  kPair = keyInt(1);
  pF = openOrDie(zDb);
  pWaiter = beginOrDie(pF);
  for(a=0; a<EVENTS; a++) for(b=a+1; b<EVENTS; b++){
    int aEnd[LOCK_MISUSE+1] = { 0 }, n = nError;
    for(i=0; i<nRound && nError<n+5; i++) pairRound(a, b, i, aEnd);
    if( nError>n ) fprintf(stderr, "in %s and %s\n", azEvent[a], azEvent[b]);
    printf("%s and %s: granted %d, interrupted %d, cancelled %d, "
           "timed out %d\n",
           azEvent[a], azEvent[b], aEnd[LOCK_OK], aEnd[LOCK_INTERRUPTED],
           aEnd[LOCK_CANCELLED], aEnd[LOCK_TIMEOUT]);
  }
  CHECK(lockCheck(pF)==0);
  CHECK_EQ(segHeader(lockSegment(pF))->nRecord, 0);
  lockSessionEnd(pWaiter);
  lockClose(pF);
  unlink(zLock);
}

/*-------------------------------------------------------------- watches ---*/

/* Whether the descriptor is readable, or becomes so within ms. */
static int readable(const LockWatch *w, int ms){
  struct pollfd f;
  int rc;
  f.fd = watchFd(w);
  f.events = POLLIN;
  do{ rc = poll(&f, 1, ms); }while( rc<0 && errno==EINTR );
  return rc==1;
}
enum { MS_SOON = 5000 };
/* A request of each session, the last of which lie beyond what one sleep of the
** thread covers. */
static void testWatch(void){
  enum { MANY = LIMIT_SESSION<200 ? LIMIT_SESSION-1 : 200 };
  LockSession *s, *a[MANY];
  LockWait wait = { -1, 0, 0, 0 };
  LockFile *p = 0;
  LockWatch *w;
  LockKey k;
  char c;
  int i;
  lockOpenMemory(&sysMem, 0, &p);
  CHECK_EQ(watchBegin(&sysMem, &w), LOCK_OK);
  s = beginOrDie(p);
  for(i=0; i<MANY; i++){
    a[i] = beginOrDie(p);
    k = keyInt(i);
    CHECK_EQ(lockAcquire(s, &k, LOCK_EXCLUSIVE, 0, 0), LOCK_OK);
    CHECK_EQ(lockRequest(a[i], &k, LOCK_EXCLUSIVE, &wait), LOCK_WAITING);
    CHECK_EQ(watchRequest(w, a[i]), LOCK_OK);
    CHECK_EQ(watchRequest(w, a[i]), LOCK_OK);
  }
  CHECK(!readable(w, 0));
  for(i=0; i<MANY; i+=MANY-1){              /* the last, and the first */
    k = keyInt(i);
    CHECK_EQ(lockRelease(s, &k, LOCK_EXCLUSIVE), LOCK_OK);
    CHECK(readable(w, MS_SOON));
  }
  CHECK_EQ(lockStands(a[0]), LOCK_OK);
  CHECK(readable(w, MS_SOON));                 /* one is not taken yet */
  CHECK_EQ(lockGiveUp(a[MANY-1], LOCK_INTERRUPTED), LOCK_INTERRUPTED);
  CHECK(!readable(w, 0));
  if( MANY>2 ){
    CHECK_EQ(lockCancel(p, lockSessionId(a[1])), LOCK_OK);
    CHECK(readable(w, MS_SOON));
    CHECK_EQ(read(watchFd(w), &c, 1), 1);      /* the program reads it */
    CHECK_EQ(lockCancel(p, lockSessionId(a[2])), LOCK_OK);
    CHECK(readable(w, MS_SOON));
    CHECK_EQ(lockStands(a[1]), LOCK_CANCELLED);
    CHECK_EQ(lockStands(a[2]), LOCK_CANCELLED);
    CHECK(!readable(w, 0));
  }
  for(i=0; i<MANY; i++) lockSessionEnd(a[i]);
  CHECK(!readable(w, 0));
  lockSessionEnd(s);
  watchEnd(w);
  lockClose(p);
}
/* The holder dies, and no session makes a call.  A fork's child has no part in
** the watch. */
static void testWatchDeath(void){
  LockSession *s;
  LockWait wait = { -1, 0, 0, 0 };
  LockFile *p;
  LockWatch *w;
  LockKey k = keyInt(1);
  pid_t pid, pidHolder;
  int st = 0;
  fresh("lkwatch");
  pidHolder = other(HOLD, 0);
  p = openOrDie(zDb);
  s = beginOrDie(p);
  CHECK_EQ(watchBegin(&sysMem, &w), LOCK_OK);
  CHECK_EQ(lockRequest(s, &k, LOCK_EXCLUSIVE, &wait), LOCK_WAITING);
  CHECK_EQ(watchRequest(w, s), LOCK_OK);
  CHECK(fcntl(watchFd(w), F_GETFD) & FD_CLOEXEC);
  pid = fork();
  if( pid==0 ){
    lockSessionEnd(s);
    watchEnd(w);
    _exit(0);
  }
  while( waitpid(pid, &st, 0)<0 && errno==EINTR ){}
  CHECK_EQ(st, 0);
  CHECK(!readable(w, 0));
  killed(pidHolder);
  CHECK(readable(w, MS_SOON));
  CHECK_EQ(lockOutcome(s), LOCK_OK);
  lockSessionEnd(s);
  watchEnd(w);
  lockClose(p);
  unlink(zLock);
}

int main(int n, char **a){
  int nRound = n>1 ? atoi(a[1]) : 60;
  pid_t dog = watchdog(40);
  setvbuf(stderr, 0, _IONBF, 0);
  setvbuf(stdout, 0, _IOLBF, 0);
  fresh("lkpair");
  serverStart();
  testWatch();
  testWatchDeath();
  testSleep();
  testSignals(0);
  testSignals(SA_RESTART);
  killed(dog);
  testCrowd(0);
  testCrowd(1);
  if( LIMIT_SESSION>2*LISTENERS ) testListeners();
  testAsk(LIMIT_SESSION>2000 ? (n>2 ? atoi(a[2]) : 100) : 2);
  testPairs(nRound);
  close(fdHolder);
  waitpid(pidServer, 0, 0);
  return finish("lkwait");
}
