/* SPDX-License-Identifier: 0BSD */
/*
** lkcrash.c: a process dies, stops, or stops and dies right after each store
** that another process can see (base.h CRASH_POINTS), in every operation.
** Built with -DINTERLOCK_CRASH.
**
** A victim process runs a scenario; the driver has four sessions of its own:
** W waits for a lock of the victim's, E has a transaction lock, T asks, Q
** waits in other queues.  A dry run counts how often each point is passed;
** then there is a run for the first and the last pass of every point and each
** of: kill; stop, look, go on; stop, look, kill.  Afterwards:
**
**   - W has the victim's lock after at most two polls (100 ms)
**   - T gets what the victim had at once
**   - E still has its lock, ends its transaction, and the lock is free then
**   - while the victim is stopped, E's end and Q's giving up take effect and
**     take no longer than a few ms
**   - segmentCheck and tableCheck find nothing
**
**   lkcrash [SCENARIO [POINT]]
*/
#include "util.h"

enum { KILL, STOPGO, STOPKILL, DRY };
typedef struct Ctl {
  int iPoint, nth, eHow;
  int aHit[CRASH_COUNT];
  int eDone;                       /* victim: 1 ready, 2 finished */
  int bGo;
  u64 iNumber;
} Ctl;
static Ctl *pCtl;
static int bVictim, bArmed;
static const char *zDb;
static const char *azPoint[] = { "none",
#define X(n) #n,
  CRASH_POINTS(X)
#undef X
};

void crashPoint(int i){
  if( !bVictim || !bArmed ) return;
  pCtl->aHit[i]++;
  if( pCtl->eHow==DRY || i!=pCtl->iPoint || pCtl->aHit[i]!=pCtl->nth ) return;
  raise(pCtl->eHow==KILL ? SIGKILL : SIGSTOP);
}

static LockKey kA, kB, kC, kD, kU, kG, kQ, kLong, kHeld;
static LockFile *pF;
static LockSession *W, *E, *T, *Q, *Q2;

static void die(int e){ _exit(e); }
static void need(LockRc rc, LockRc want, int e){ if( rc!=want ) die(e); }

/*----------------------------------------------------------- the victim ---*/

static LockFile *pVF;
static LockSession *V, *V2;
static u32 iLevel;

/* Holds A (W waits for it), B and C in a transaction, C after a savepoint. */
static void victimSetup(void){
  pVF = openOrDie(zDb);
  pCtl->iNumber = lockSegment(pVF)->iNumber;
  V = beginOrDie(pVF);
  V2 = beginOrDie(pVF);
  need(lockAcquire(V, &kA, LOCK_EXCLUSIVE, 0, 0), LOCK_OK, 50);
  need(lockAcquire(V, &kB, LOCK_EXCLUSIVE, 1, 0), LOCK_OK, 51);
  iLevel = lockLevel(V);
  need(lockAcquire(V, &kC, LOCK_EXCLUSIVE, 1, 0), LOCK_OK, 52);
  need(lockAcquire(V, &kU, LOCK_SHARED, 0, 0), LOCK_OK, 53);
}

static const char *otherDb(void){
  static char z[400];
  snprintf(z, sizeof z, "%s-other", zDb);
  return z;
}
static void otherFile(int nByte){       /* nByte zeros, -1: no file */
  char z[420];
  int fd;
  snprintf(z, sizeof z, "%s-interlock", otherDb());
  unlink(z);
  if( nByte<0 ) return;
  fd = open(z, O_RDWR|O_CREAT, 0644);
  if( ftruncate(fd, nByte)!=0 ) die(61);
  close(fd);
}
static void opAttach(void){             /* formats a file of its own */
  lockClose(openOrDie(otherDb()));
}
static void opOpen(void){
  LockSession *p = beginOrDie(pVF);
  lockSessionEnd(p);
}
static void opAcquire(void){
  LockKey k = keyText("free");
  need(lockAcquire(V, &k, LOCK_SHARED, 1, 0), LOCK_OK, 60);
  need(lockAcquire(V, &k, LOCK_SHARED, 0, 0), LOCK_OK, 61);
  need(lockAcquire(V, &k, LOCK_SHARED, 0, 0), LOCK_OK, 62);
  need(lockRelease(V, &k, LOCK_SHARED), LOCK_OK, 63);
  need(lockRelease(V, &k, LOCK_SHARED), LOCK_OK, 64);
}
static void opLong(void){
  need(lockAcquire(V, &kLong, LOCK_EXCLUSIVE, 0, 0), LOCK_OK, 60);
  need(lockRelease(V, &kLong, LOCK_EXCLUSIVE), LOCK_OK, 61);
}
static void opWait(void){          /* E holds D */
  LockWait w = { 30, 0, 0, 0 };
  LockRc rc = lockAcquire(V, &kD, LOCK_SHARED, 1, &w);
  if( rc!=LOCK_TIMEOUT && rc!=LOCK_OK ) die(60);
}
static void opRelease(void){
  need(lockRelease(V, &kA, LOCK_EXCLUSIVE), LOCK_OK, 60);
}
static void opReleaseAll(void){
  u64 n;
  need(lockReleaseAll(V, ~0u, &n), LOCK_OK, 60);
}
static void opTxnEnd(void){ lockTxnEnd(V); }
static void opRollback(void){
  LockKey k = keyText("after");
  lockRollbackTo(V, iLevel);
  need(lockAcquire(V, &k, LOCK_EXCLUSIVE, 1, 0), LOCK_OK, 60);
}
static void opEnd(void){ lockSessionEnd(V); V = 0; }
static void opUpgrade(void){       /* T2 holds U shared too, Q waits for U X */
  LockWait w = { 30, 0, 0, 0 };
  LockRc rc = lockAcquire(V, &kU, LOCK_EXCLUSIVE, 0, &w);
  if( rc!=LOCK_TIMEOUT && rc!=LOCK_OK ) die(60);
}
static void opCure(void){          /* see setupCure */
  LockWait w = { 30, 0, 0, 0 };
  LockRc rc = lockAcquire(V, &kQ, LOCK_SHARED, 0, &w);
  if( rc!=LOCK_TIMEOUT && rc!=LOCK_OK ) die(60);
}
static void opGrow(void){
  u32 i, n = LIMIT_EXTENT + (LIMIT_EXTENT>2 ? 40 : 0);
  for(i=0; i<n; i++){
    LockKey k = keyInt((i64)i+1000000);
    if( lockAcquire(V2, &k, LOCK_EXCLUSIVE, 0, 0)!=LOCK_OK ) break;
  }
}
static u64 iCancelId;              /* W's, noted before the fork */
static void opCancel(void){ lockCancel(pVF, iCancelId); }
static void opWriter(void){
  need(lockWriterEnter(V), LOCK_OK, 60);
  lockTxnEnd(V);
}
static void opReap(void){          /* an earlier victim died with G */
  need(lockAcquire(V, &kG, LOCK_EXCLUSIVE, 0, 0), LOCK_OK, 60);
}
static void opTakeOver(void){      /* an earlier victim died in the mutex */
  LockKey k = keyText("free");
  LockRc rc = lockAcquire(V, &k, LOCK_SHARED, 0, 0);
  if( rc!=LOCK_OK && rc!=LOCK_BUSY ) die(60);
}
/* The driver owns the mutex for 40 ms. */
static void opContended(void){
  LockKey k = keyText("free");
  need(lockAcquire(V, &k, LOCK_SHARED, 0, 0), LOCK_OK, 60);
}
static void opEndContended(void){ lockTxnEnd(V); }
/* Stops inside, the driver ends E's transaction, goes on and leaves. */
static void opSweep(void){
  Seg *p = lockSegment(pVF);
  bArmed = 0;
  need((LockRc)ownerEnter(p), (LockRc)OWNER_IN, 60);
  raise(SIGSTOP);
  bArmed = 1;
  while( ownerLeave(p) ) tableSweepLeft(p);
}

enum { ATTACH, TAKEOVER=16, REAPS=15, CONTENDED=17, ENDCONTENDED, SWEEPS,
       ATTACHHALF, CURE=11 };
static void (*const aOp[])(void) = { opAttach, opOpen, opAcquire, opLong,
  opWait, opRelease, opReleaseAll, opTxnEnd, opRollback, opEnd, opUpgrade,
  opCure, opGrow, opCancel, opWriter, opReap, opTakeOver, opContended,
  opEndContended, opSweep, opAttach };
static const char *azOp[] = { "attach", "open", "acquire", "long key", "wait",
  "release", "release all", "transaction end", "rollback to", "session end",
  "upgrade", "soft deadlock", "grow", "cancel", "writer", "reap", "take over",
  "contended", "contended end", "sweep", "attach, half formatted" };
enum { NOP = sizeof(aOp)/sizeof(aOp[0]) };

static pid_t forkVictim(int iOp){
  pid_t pid = fork();
  if( pid==0 ){
    bVictim = 1;
    victimSetup();
    pCtl->eDone = 1;
    while( !*(volatile int*)&pCtl->bGo ) osSleep(100);
    bArmed = 1;
    aOp[iOp]();
    bArmed = 0;
    pCtl->eDone = 2;
    while( 1 ) pause();            /* alive until killed: holds stay */
  }
  while( *(volatile int*)&pCtl->eDone==0 ){
    int st;
    if( waitpid(pid, &st, WNOHANG)==pid ){
      fprintf(stderr, "victim died in its setup: %x\n", st);
      exit(1);
    }
    osSleep(100);
  }
  return pid;
}

/*----------------------------------------------------------- the driver ---*/

static int holdsNow(LockSession *p, const LockKey *pKey){
  u64 iToken;
  return lockToken(p, pKey, &iToken)==LOCK_OK && iToken>0;
}
static LockRc try(LockSession *p, const LockKey *pKey){
  return lockAsk(p, pKey, LOCK_EXCLUSIVE, LOCK_SCOPE_SESSION, 0);
}

/* A process that takes G and dies, outside or inside of the mutex. */
static void deadHolder(int bInside){
  pid_t pid = fork();
  if( pid==0 ){
    LockFile *p = openOrDie(zDb);
    LockSession *s = beginOrDie(p);
    lockAcquire(s, &kG, LOCK_EXCLUSIVE, 0, 0);
    if( bInside ) ownerEnter(lockSegment(p));
    kill(getpid(), SIGKILL);
  }
  waitpid(pid, 0, 0);
}

/* Who is stopped or dead, and how the victim's story goes on. */
typedef struct Run { int iOp, iPoint, nth, eHow; } Run;
static void say(const Run *r, const char *z){
  fprintf(stderr, "%s, %s #%d, %s: %s\n", azOp[r->iOp], azPoint[r->iPoint],
      r->nth, r->eHow==KILL ? "kill" : r->eHow==STOPGO ? "stop, go on" :
      r->eHow==STOPKILL ? "stop, kill" : "dry", z);
  nError++;
}
#define NEED(x) do{ nTest++; if( !(x) ) say(r, #x); }while(0)

static void driverSetup(const Run *r){
  char zFile[400];
  snprintf(zFile, sizeof zFile, "%s-interlock", zDb);
  unlink(zFile);
  memset(pCtl, 0, sizeof *pCtl);
  pCtl->iPoint = r->iPoint;
  pCtl->nth = r->nth;
  pCtl->eHow = r->eHow;
  pF = openOrDie(zDb);
  W = beginOrDie(pF);
  iCancelId = lockSessionId(W);
  E = beginOrDie(pF); T = beginOrDie(pF);
  Q = beginOrDie(pF); Q2 = beginOrDie(pF);
  NEED( lockAsk(E, &kD, LOCK_EXCLUSIVE, LOCK_SCOPE_TRANSACTION, 0)==LOCK_OK );
  NEED( lockAsk(T, &kU, LOCK_SHARED, LOCK_SCOPE_SESSION, 0)==LOCK_OK );
  NEED( lockAsk(T, &kHeld, LOCK_EXCLUSIVE, 0, 0)==LOCK_OK );
}
/* Queues that the scenarios need, once the victim has its locks. */
static void driverQueues(const Run *r){
  NEED( lockAsk(W, &kA, LOCK_EXCLUSIVE, LOCK_SCOPE_SESSION, 1)==LOCK_WAITING );
  if( r->iOp==CURE ){
    /* Q holds Q shared, waits for A... : Q2 waits for Q X, Q waits for U X
    ** behind the victim's S; the victim asks for Q shared behind Q2: a soft
    ** edge victim -> Q2 -> Q -> victim */
    NEED( lockAsk(Q, &kQ, LOCK_SHARED, 0, 0)==LOCK_OK );
    NEED( lockAsk(Q2, &kQ, LOCK_EXCLUSIVE, 0, 1)==LOCK_WAITING );
    NEED( lockAsk(Q, &kU, LOCK_EXCLUSIVE, 0, 1)==LOCK_WAITING );
  }else{
    NEED( lockAsk(Q, &kU, LOCK_EXCLUSIVE, LOCK_SCOPE_SESSION, 1)
          ==LOCK_WAITING );
  }
}

/* The victim is stopped: what must not hang, does not. */
static void whileStopped(const Run *r){
  double t = seconds();
  lockTxnEnd(E);
  NEED( lockGiveUp(Q, LOCK_TIMEOUT)==LOCK_TIMEOUT );
  nTest++;
  if( seconds()-t>0.2 ) say(r, "an end took longer than 0.2 s");
}

/* Session p waits: granted after at most two polls. */
static int getsIt(LockSession *p){
  int i;
  for(i=0; i<3; i++){
    LockRc rc = lockOutcome(p);
    if( rc!=LOCK_WAITING ) return rc==LOCK_OK;
    lockPoll(p);
  }
  return 0;
}

/* The victim is dead; bEnded: E and Q have given up already. */
static void afterDeath(const Run *r, int bEnded){
  const LockKey *aKey[3];
  LockRc rc;
  int i;
  aKey[0] = &kB; aKey[1] = &kC; aKey[2] = &kLong;
  for(i=0; i<3; i++) NEED( try(T, aKey[i])==LOCK_OK );
  if( r->iOp==13 && lockPending(W) ){            /* cancelled, perhaps */
    rc = lockOutcome(W);
    if( rc==LOCK_CANCELLED ){
      NEED( lockAsk(W, &kA, LOCK_EXCLUSIVE, 0, 1)!=LOCK_NO );
    }else if( rc==LOCK_WAITING ) NEED( getsIt(W) );
  }else NEED( getsIt(W) );
  if( lockPending(W) ) NEED( getsIt(W) );
  NEED( holdsNow(W, &kA) );
  NEED( holdsNow(T, &kHeld) );
  if( !bEnded ){
    NEED( holdsNow(E, &kD) );
    NEED( try(T, &kD)==LOCK_NO );
    lockTxnEnd(E);
  }
  NEED( try(T, &kD)==LOCK_OK );
  NEED( lockCheck(pF)==0 );
  if( lockCheck(pF) ) say(r, lockCheck(pF));
  if( !bEnded && lockPending(Q) ){
    /* T and the victim held U shared: with T's release Q has it */
    NEED( lockRelease(T, &kU, LOCK_SHARED)==LOCK_OK );
    NEED( getsIt(Q) );
  }
  NEED( lockCheck(pF)==0 );
}

static void driverEnd(const Run *r){
  Seg *p = lockSegment(pF);
  u32 i;
  lockSessionEnd(W); lockSessionEnd(E); lockSessionEnd(T);
  lockSessionEnd(Q); lockSessionEnd(Q2);
  NEED( lockCheck(pF)==0 );
  for(i=1; i<=p->nRecord; i++){
    SegRecord *q = segRecord(p, i);
    u32 e = SEG_STATE(q->state);
    if( e==SEG_FREE || e==SEG_TEXT ) continue;
    nTest++;
    if( segSession(p, q->session)->owner==p->iNumber ){
      say(r, "a record of an ended session is left");
      break;
    }
  }
  lockClose(pF);
}

/* Wait until the victim is stopped, dead, or through: 's', 'd', 'e'. */
static int victimState(pid_t pid){
  int st, i;
  for(i=0; i<100000; i++){
    pid_t q = waitpid(pid, &st, WNOHANG|WUNTRACED|WCONTINUED);
    if( q==pid && WIFSTOPPED(st) ) return 's';
    if( q==pid && (WIFSIGNALED(st) || WIFEXITED(st)) ){
      if( WIFEXITED(st) ) fprintf(stderr, "victim: %d\n", WEXITSTATUS(st));
      return WIFEXITED(st) ? 'x' : 'd';
    }
    if( *(volatile int*)&pCtl->eDone==2 ) return 'e';
    osSleep(50);
  }
  return 't';
}

/* The file that the victim was attaching to: whole for others, or, while the
** victim is stopped in the middle of it, busy, but only then. */
static void otherOpens(const Run *r, int bStopped){
  LockFile *p = 0;
  LockRc rc = lockOpen(&sysMem, otherDb(), 1, &p);
  if( bStopped && r->iPoint>=CRASH_FORMAT_CLEAR
   && r->iPoint<=CRASH_FORMAT_MAGIC ){
    NEED( rc==LOCK_BUSY );
  }else{
    NEED( rc==LOCK_OK );
  }
  if( rc==LOCK_OK ){
    LockSession *s = 0;
    NEED( lockSessionBegin(p, &s)==LOCK_OK );
    if( s ) NEED( lockAsk(s, &kA, LOCK_EXCLUSIVE, 0, 0)==LOCK_OK );
    NEED( lockCheck(p)==0 );
    lockSessionEnd(s);
  }
  lockClose(p);
}

static void contend(const Run *r, pid_t pid){
  Seg *p = lockSegment(pF);
  if( r->iOp==CONTENDED || r->iOp==ENDCONTENDED ){
    NEED( ownerTry(p, 0)==OWNER_IN );
    pCtl->bGo = 1;
    osSleep(30000);
    while( ownerLeave(p) ) tableSweepLeft(p);
  }else if( r->iOp==SWEEPS ){
    pCtl->bGo = 1;
    NEED( victimState(pid)=='s' );
    lockTxnEnd(E);                 /* E's lock is void; WORK is set */
    NEED( segHeader(p)->mutex & MUTEX_WORK );
    signalOne(pid, SIGCONT);
  }
  pCtl->bGo = 1;
}

/* One run.  Returns 0 if the point was not reached. */
static int run(const Run *r){
  pid_t pid;
  int e, bEnded = r->iOp==SWEEPS;
  driverSetup(r);
  if( r->iOp==REAPS ) deadHolder(0);
  if( r->iOp==ATTACH || r->iOp==ATTACHHALF ){
    otherFile(r->iOp==ATTACH ? -1 : 8192);
  }
  pid = forkVictim(r->iOp);
  driverQueues(r);
  if( r->iOp==TAKEOVER ) deadHolder(1);
  contend(r, pid);
  e = victimState(pid);
  if( e=='e' && r->eHow!=DRY && r->nth==1
   && r->iOp!=CONTENDED && r->iOp!=ENDCONTENDED ){   /* those depend on time */
    say(r, "point not passed");
  }
  if( e=='x' || e=='t' ) say(r, "the victim failed");
  if( e=='s' ){
    if( bEnded ) { if( lockPending(Q) ) lockGiveUp(Q, LOCK_TIMEOUT); }
    else whileStopped(r);
    if( r->iOp==ATTACH ) otherOpens(r, 1);
    bEnded = 1;
    signalOne(pid, r->eHow==STOPKILL ? SIGKILL : SIGCONT);
    if( r->eHow==STOPGO ) NEED( victimState(pid)=='e' );
  }
  if( e!='d' ){
    /* alive: its lock on A is its own, except where it gave it up */
    signalOne(pid, SIGKILL);
    waitpid(pid, 0, 0);
  }
  afterDeath(r, bEnded);
  if( r->iOp==ATTACH || r->iOp==ATTACHHALF ) otherOpens(r, 0);
  driverEnd(r);
  return e!='e';
}

int main(int n, char **a){
  int iOp, iPoint, nRun = 0, nPoint = 0;
  char aSeen[CRASH_COUNT];
  double t0 = seconds();
  zDb = strdup(scratch("lkcrash"));
  setvbuf(stderr, 0, _IONBF, 0);
  alarm(900);
  pCtl = mmap(0, sizeof *pCtl, PROT_READ|PROT_WRITE,
              MAP_SHARED|MAP_ANONYMOUS, -1, 0);
  kA = keyText("A"); kB = keyText("B"); kC = keyInt(3); kD = keyInt(4);
  kU = keyText("U"); kG = keyText("G"); kQ = keyText("Q");
  { char z[255]; memset(z, 'x', 255); tableKey(&kLong, KEY_BLOB, z, 255);
    tableKey(&kHeld, KEY_TEXT, z, 255); }
  memset(aSeen, 0, sizeof aSeen);
  for(iOp=0; iOp<NOP; iOp++){
    int aHit[CRASH_COUNT];
    Run dry = { iOp, 0, 0, DRY };
    if( n>1 && atoi(a[1])!=iOp ) continue;
    run(&dry);
    memcpy(aHit, pCtl->aHit, sizeof aHit);
    for(iPoint=1; iPoint<CRASH_COUNT; iPoint++){
      int eHow, k;
      if( aHit[iPoint]==0 || (n>2 && atoi(a[2])!=iPoint) ) continue;
      aSeen[iPoint] = 1;
      for(k=0; k<2; k++) for(eHow=KILL; eHow<=STOPKILL; eHow++){
        Run r = { iOp, iPoint, k ? aHit[iPoint] : 1, 0 };
        if( k && aHit[iPoint]==1 ) continue;
        r.eHow = eHow;
        run(&r);
        nRun++;
      }
    }
  }
  for(iPoint=1; iPoint<CRASH_COUNT; iPoint++){
    if( aSeen[iPoint] ) nPoint++;
    else if( n<2 ){
      nError++;
      fprintf(stderr, "never passed: %s\n", azPoint[iPoint]);
    }
  }
  unlink(zDb);
  printf("lkcrash: %d runs, %d of %d points, %.1f s\n", nRun, nPoint,
         CRASH_COUNT-1, seconds()-t0);
  return finish("lkcrash");
}
