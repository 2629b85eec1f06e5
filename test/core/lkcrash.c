/* SPDX-License-Identifier: 0BSD */
/*
** lkcrash.c: a process dies, stops, or stops and dies right after each store
** that another process can see (CRASH_POINTS in base.h), in every operation.
** Built with -DINTERLOCK_CRASH.
**
** A victim process runs a scenario.  The survivors are five sessions: W waits
** for a lock of the victim, E has a transaction lock, T asks, Q and Q2 wait in
** other queues.  A dry run counts how often the victim passes each point.  Then
** there is a run for the first and the last pass of every point and each of:
** kill; stop, look, continue; stop, look, kill.
**
** The survivors live in one, two or three processes (Set).  Each time another
** session is the first to act after the death, and so to recover:
**
**   ONE    all in one process; the asking session is first, or, at the last
**          pass of a point, the session that ends its transaction
**   TWO    waiter and asker share a process; the waiter is first, asleep in
**          lockWait when the victim is killed
**   THREE  waiter, ender and asker apart; a process that attaches after the
**          death is first
**
** Afterwards:
**
**   - W has the victim's lock after at most two polls, which is 100 ms.  W may
**     be late a little more often than a control process that only sleeps 50 ms
**     at a time and looks at a word.
**   - T gets at once what the victim had
**   - T, which listens on a channel, hears the victim's note
**   - E still has its lock, ends its transaction, and the lock is free then
**   - while the victim is stopped, E's end and Q's giving up take effect and
**     do not wait for it
**   - checkSegment and checkGrants find nothing wrong; no guard word is too low
**     at any store, nor while the victim is stopped
**
**   lkcrash [quick|full [SCENARIO [POINT]]]
**
** full makes every run with every set, quick with one of them, in turn.
*/
#include "util.h"
#include <sys/prctl.h>

enum { KILL, STOPGO, STOPKILL, DRY };
typedef struct Ctl {
  int iPoint, nth, eHow;
  int aHit[CRASH_COUNT];
  int eDone;                       /* victim: 1 ready, 2 finished */
  int bGo;
  int bLow;                        /* a guard word was too low at a store */
  u64 iNumber;
  u64 usDeath, usSeen;             /* victim died; control saw it */
} Ctl;
static Ctl *pCtl;
static int bVictim, bArmed;
static const char *zDb;
static const char *azPoint[] = { "none",
#define X(n) #n,
  CRASH_POINTS(X)
#undef X
};

static LockKey kA, kB, kC, kD, kU, kG, kQ, kLong, kHeld, kRow, kTable, kTable2;
static LockKey kListen, kNotify;
static LockFile *pF, *pVF;           /* a driver's or helper's; the victim's */

void crashPoint(int i){
  if( guardTooLowHere(bVictim ? pVF : pF) ) pCtl->bLow = 1;
  if( !bVictim || !bArmed ) return;
  pCtl->aHit[i]++;
  if( pCtl->eHow==DRY || i!=pCtl->iPoint || pCtl->aHit[i]!=pCtl->nth ) return;
  if( pCtl->eHow==KILL ) atomicSet(&pCtl->usDeath, osMonotonicUs());
  raise(pCtl->eHow==KILL ? SIGKILL : SIGSTOP);
}


static void die(int e){ _exit(e); }
static void need(LockRc rc, LockRc want, int e){ if( rc!=want ) die(e); }

/*----------------------------------------------------------- the victim ---*/

static LockSession *V, *V2;
static u32 iLevel;

/* Holds A (W waits for it), B and C in a transaction, C after a savepoint, and
** has noted a notification. */
static void victimSetup(void){
  pVF = openOrDie(zDb);
  pCtl->iNumber = lockSegment(pVF)->iNumber;
  V = beginOrDie(pVF);
  V2 = beginOrDie(pVF);
  need(lockAcquire(V, &kA, LOCK_EXCLUSIVE, 0, 0), LOCK_OK, 50);
  need(lockAcquire(V, &kB, LOCK_EXCLUSIVE, 1, 0), LOCK_OK, 51);
  need(lockNotify(V, &kNotify), LOCK_OK, 57);
  iLevel = lockLevel(V);
  need(lockAcquire(V, &kC, LOCK_EXCLUSIVE, 1, 0), LOCK_OK, 52);
  need(lockAcquire(V, &kU, LOCK_SHARED, 0, 0), LOCK_OK, 53);
  need(lockAcquire(V, &kTable, LOCK_INTENT_EXCLUSIVE, 1, 0), LOCK_OK, 54);
  need(lockAcquire(V, &kRow, LOCK_EXCLUSIVE, 1, 0), LOCK_OK, 55);
  need(lockAcquire(V, &kTable2, LOCK_EXCLUSIVE, 0, 0), LOCK_OK, 56);
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
  LockWait w = { 3, 0, 0, 0 };
  LockRc rc = lockAcquire(V, &kD, LOCK_SHARED, 1, &w);
  if( rc!=LOCK_TIMEOUT && rc!=LOCK_OK ) die(60);
}
static void opRelease(void){
  need(lockRelease(V, &kA, LOCK_EXCLUSIVE), LOCK_OK, 60);
}
static void opReleaseAll(void){
  u64 n;
  need(lockReleaseAll(V, ~0u, ~0u, &n), LOCK_OK, 60);
}
static void opTxnEnd(void){ lockTxnEnd(V); }
static void opRollback(void){
  LockKey k = keyText("after");
  lockRollbackTo(V, iLevel);
  need(lockAcquire(V, &k, LOCK_EXCLUSIVE, 1, 0), LOCK_OK, 60);
}
static void opEnd(void){ lockSessionEnd(V); V = 0; }
static void opUpgrade(void){       /* T holds U shared too, Q waits for U X */
  LockWait w = { 3, 0, 0, 0 };
  LockRc rc = lockAcquire(V, &kU, LOCK_EXCLUSIVE, 0, &w);
  if( rc!=LOCK_TIMEOUT && rc!=LOCK_OK ) die(60);
}
static void opCure(void){          /* see setupCure */
  LockWait w = { 3, 0, 0, 0 };
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
static void opSessions(void){       /* more than there is room for */
  LockSession *a[SEG_FIRST_SESSIONS];
  u32 i;
  for(i=0; i<SEG_FIRST_SESSIONS; i++) a[i] = beginOrDie(pVF);
  for(i=0; i<SEG_FIRST_SESSIONS; i++) lockSessionEnd(a[i]);
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
/* The driver owns the mutex until a process waits for it. */
static void opContended(void){
  LockKey k = keyText("free");
  need(lockAcquire(V, &k, LOCK_SHARED, 0, 0), LOCK_OK, 60);
}
static void opEndContended(void){ lockTxnEnd(V); }
/* Stops inside the mutex, continues when the driver has ended E's transaction,
** and leaves. */
static void opSweep(void){
  Seg *p = lockSegment(pVF);
  bArmed = 0;
  need((LockRc)mutexEnter(p), (LockRc)MUTEX_ENTERED, 60);
  raise(SIGSTOP);
  bArmed = 1;
  while( mutexLeave(p) ) sessionSweepAll(p);
}

/* Takes a row with its table's intention lock and gives both back, then takes
** the table that Q2 waits for. */
static void opTable(void){
  LockKey kOther = keyTable("other"), kOne = keyRow("other", 1);
  u32 i = lockLevel(V);
  need(lockAcquire(V, &kOther, LOCK_INTENT_SHARED, 1, 0), LOCK_OK, 60);
  need(lockSkip(V, &kOne, LOCK_SHARED, 1), LOCK_OK, 61);
  lockRollbackTo(V, i);
  need(lockRelease(V, &kTable2, LOCK_EXCLUSIVE), LOCK_OK, 62);
}

/* Gives back what was granted, in each scope, and a row with its intention
** lock. */
static void opUndo(void){
  LockKey kOther = keyTable("other"), kOne = keyRow("other", 1);
  LockGrant table, g;
  u32 eScope;
  for(eScope=0; eScope<=LOCK_SCOPE_TURN; eScope++){
    need(lockAcquire(V, &kOther, LOCK_INTENT_SHARED, eScope, 0), LOCK_OK, 60);
    table = lockGranted(V);
    need(lockAcquire(V, &kOne, LOCK_SHARED, eScope, 0), LOCK_OK, 61);
    g = lockGranted(V);
    lockUndo(V, &g);
    lockUndo(V, &table);
  }
}

/* The process holds its bell anew, as after the end of the thread that held
** it. */
static void opBell(void){
  osProcessEnter();
  if( pVF->pBell ) osBellDrop(pVF->pBell);
  pVF->pBell = 0;
  osProcessLeave();
  lockSessionEnd(beginOrDie(pVF));
}

/* Listens on a channel that no session notifies. */
static void opListen(void){
  LockWait w = { 3, 0, 0, 0 };
  LockKey k;
  u64 iNumber;
  u32 i;
  keyMake(&k, KEY_LISTEN, "quiet", 5);
  need(lockListen(V, &k, &i), LOCK_OK, 60);
  need(lockListenWait(V, &k, i, 0, 0, &iNumber), LOCK_OK, 61);
  need(lockListenWait(V, &k, i, iNumber, &w, &iNumber), LOCK_TIMEOUT, 62);
}

/* A request without a wait for D, which E holds.  The session does other things
** meanwhile and gives it up.  Then one that is granted meanwhile, and is not
** taken but given back, and one that is taken. */
static const LockWait forEver = { -1, 0, 0, 0 };
static void otherThings(void){
  LockKey k = keyText("free");
  need(lockAcquire(V, &k, LOCK_SHARED, 1, 0), LOCK_OK, 60);
  need(lockAcquire(V, &k, LOCK_SHARED, 0, 0), LOCK_OK, 61);
  need(lockRelease(V, &k, LOCK_SHARED), LOCK_OK, 62);
  lockRollbackTo(V, iLevel);
}
static void opRequest(void){
  LockKey k = keyText("asked");
  LockRc rc;
  int i;
  rc = lockRequest(V, &kD, LOCK_SHARED, &forEver);
  if( rc!=LOCK_OK && rc!=LOCK_WAITING ) die(63);  /* E may have ended */
  otherThings();
  V->usPoll = 0;                   /* it polls */
  if( rc==LOCK_WAITING ) rc = lockStands(V);
  if( rc==LOCK_WAITING ) rc = lockGiveUp(V, LOCK_INTERRUPTED);
  if( rc!=LOCK_OK && rc!=LOCK_INTERRUPTED ) die(64);
  for(i=0; i<2; i++){
    need(lockAcquire(V2, &k, LOCK_EXCLUSIVE, 0, 0), LOCK_OK, 65);
    need(lockRequest(V, &k, LOCK_EXCLUSIVE, &forEver), LOCK_WAITING, 66);
    need(lockRelease(V2, &k, LOCK_EXCLUSIVE), LOCK_OK, 67);
    need(lockRelease(V, &k, LOCK_EXCLUSIVE), LOCK_NO, 68);
    otherThings();
    if( i==0 ) need(lockGiveUp(V, LOCK_INTERRUPTED), LOCK_INTERRUPTED, 69);
    else need(lockStands(V), LOCK_OK, 70);
  }
  need(lockRelease(V, &k, LOCK_EXCLUSIVE), LOCK_OK, 71);
}
/* Q2 has requested this table without a wait. */
static void opRequested(void){
  need(lockRelease(V, &kTable2, LOCK_EXCLUSIVE), LOCK_OK, 60);
}

/* The scenarios: number, what the victim does, and the name. */
#define SCENARIOS(X) \
  X(V_ATTACH,        opAttach,       "attach") \
  X(V_OPEN,          opOpen,         "open") \
  X(V_ACQUIRE,       opAcquire,      "acquire") \
  X(V_LONG,          opLong,         "long key") \
  X(V_WAIT,          opWait,         "wait") \
  X(V_RELEASE,       opRelease,      "release") \
  X(V_RELEASE_ALL,   opReleaseAll,   "release all") \
  X(V_TXN_END,       opTxnEnd,       "transaction end") \
  X(V_ROLLBACK,      opRollback,     "rollback to") \
  X(V_END,           opEnd,          "session end") \
  X(V_UPGRADE,       opUpgrade,      "upgrade") \
  X(V_CURE,          opCure,         "soft deadlock") \
  X(V_GROW,          opGrow,         "grow") \
  X(V_CANCEL,        opCancel,       "cancel") \
  X(V_WRITER,        opWriter,       "writer") \
  X(V_REAP,          opReap,         "reap") \
  X(V_TAKE_OVER,     opTakeOver,     "take over") \
  X(V_CONTENDED,     opContended,    "contended") \
  X(V_END_CONTENDED, opEndContended, "contended end") \
  X(V_SWEEP,         opSweep,        "sweep") \
  X(V_ATTACH_HALF,   opAttach,       "attach, half formatted") \
  X(V_TABLE,         opTable,        "table") \
  X(V_UNDO,          opUndo,         "undo") \
  X(V_BELL,          opBell,         "bell") \
  X(V_LISTEN,        opListen,       "listen") \
  X(V_SESSIONS,      opSessions,     "many sessions") \
  X(V_REQUEST,       opRequest,      "request") \
  X(V_REQUESTED,     opRequested,    "release of what is requested")

enum {
#define X(number, op, name) number,
  SCENARIOS(X)
#undef X
  NOP
};
static void (*const aOp[])(void) = {
#define X(number, op, name) op,
  SCENARIOS(X)
#undef X
};
static const char *azOp[] = {
#define X(number, op, name) name,
  SCENARIOS(X)
#undef X
};

static pid_t forkVictim(int iOp){
  pid_t pid = fork();
  if( pid==0 ){
    bVictim = 1;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    victimSetup();
    pCtl->eDone = 1;
    while( !*(volatile int*)&pCtl->bGo ) restUs(100);
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
    restUs(100);
  }
  return pid;
}

/*-------------------------------------------------------- the survivors ---*/

enum { W, E, T, Q, Q2, WHO };
enum { ONE, TWO, THREE, SETS };
static const int aHome[SETS][WHO] = {    /* 0: the driver, else a helper */
  { 0, 0, 0, 0, 0 }, { 1, 0, 1, 0, 0 }, { 1, 2, 0, 2, 2 }
};
enum { HELPERS = 2 };

/* What one survivor must do.  A helper's lies in shared memory. */
enum { BEGIN, ASK, REQUEST, STANDS, OUTCOME, POLL, GIVEUP, WAIT, TXNEND,
       RELEASE, HOLDS, PENDING, LISTEN, TOLD, CLOSE };
typedef struct Mail {
  u32 iAsk, iDone;                 /* number of the command; of the answer */
  int eOp;
  u32 who, eMode, eScope;
  int bQueue;
  LockKey key;
  LockRc rc;
  u64 iId, iNumber, usDone;
  u32 iListen;                     /* who listens: its record, last number */
  u64 iHeard;
} Mail;
static Mail *aMail;                /* of the helpers, [1..HELPERS] */
static pid_t aHelper[HELPERS+1];
static LockSession *aSes[WHO];     /* those of this process */
static int eSet;

static void perform(Mail *m){
  LockSession **pp = &aSes[m->who];
  LockWait w = { 60000, 0, 0, 0 };
  u64 iToken = 0;
  switch( m->eOp ){
    case BEGIN:
      if( pF==0 ) pF = openOrDie(zDb);
      *pp = beginOrDie(pF);
      m->iId = lockSessionId(*pp);
      m->iNumber = lockSegment(pF)->iNumber;
      m->rc = LOCK_OK;
      break;
    case ASK:
      m->rc = lockAsk(*pp, &m->key, m->eMode, m->eScope, m->bQueue);
      break;
    case REQUEST:
      m->rc = lockRequest(*pp, &m->key, m->eMode, &forEver);
      break;
    case STANDS: m->rc = lockStands(*pp); break;
    case OUTCOME: m->rc = lockOutcome(*pp); break;
    case POLL: lockPoll(*pp); m->rc = LOCK_OK; break;
    case GIVEUP: m->rc = lockGiveUp(*pp, LOCK_TIMEOUT); break;
    case WAIT: m->rc = lockWait(*pp, &w); break;
    case TXNEND: lockTxnEnd(*pp); m->rc = LOCK_OK; break;
    case RELEASE: m->rc = lockRelease(*pp, &m->key, m->eMode); break;
    case HOLDS:
      m->rc = lockToken(*pp, &m->key, &iToken)==LOCK_OK && iToken>0;
      break;
    case PENDING: m->rc = (LockRc)lockPending(*pp); break;
    case LISTEN:
      m->rc = lockListen(*pp, &kListen, &m->iListen);
      lockListenWait(*pp, &kListen, m->iListen, 0, 0, &m->iHeard);
      break;
    case TOLD:
      m->rc = lockListenWait(*pp, &kListen, m->iListen, m->iHeard, &w,
                             &m->iHeard);
      break;
    default: lockSessionEnd(*pp); *pp = 0; m->rc = LOCK_OK; break;
  }
  m->usDone = osMonotonicUs();
}
static void helper(Mail *m){
  u32 n = 0;
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  pF = 0;
  for(;;){
    while( atomicGetAcq(&m->iAsk)==n ) osWait(&m->iAsk, n, 1000000);
    n++;
    perform(m);
    atomicSetRel(&m->iDone, n);
    osWake(&m->iDone, 1);
  }
}
static void startHelpers(void){
  int h;
  for(h=1; h<=HELPERS; h++){
    memset(&aMail[h], 0, sizeof(Mail));
    aHelper[h] = 0;
    if( h>eSet ) continue;
    aHelper[h] = fork();
    if( aHelper[h]==0 ) helper(&aMail[h]);
  }
}
static void endHelpers(void){
  int h;
  for(h=1; h<=HELPERS; h++){
    if( aHelper[h]<=0 ) continue;
    signalOne(aHelper[h], SIGKILL);
    waitpid(aHelper[h], 0, 0);
  }
}

/* Gives a command, and does not wait for its answer. */
static void post(int who, int eOp){
  Mail *m = &aMail[aHome[eSet][who]];
  m->eOp = eOp;
  m->who = (u32)who;
  atomicSetRel(&m->iAsk, m->iAsk+1);
  osWake(&m->iAsk, 1);
}
static Mail *answer(int who){
  Mail *m = &aMail[aHome[eSet][who]];
  double t0 = seconds();
  while( atomicGetAcq(&m->iDone)!=m->iAsk ){
    u32 n = atomicGet(&m->iDone);
    if( n==m->iAsk ) break;
    osWait(&m->iDone, n, 100000);
    if( seconds()-t0>60 || waitpid(aHelper[aHome[eSet][who]], 0, WNOHANG)>0 ){
      fprintf(stderr, "a survivor hangs or died: session %d, call %d\n", who,
              m->eOp);
      exit(1);
    }
  }
  return m;
}
static Mail *call(int who, int eOp, const LockKey *pKey, u32 eMode, u32 eScope,
                  int bQueue){
  static Mail here;
  int h = aHome[eSet][who];
  Mail *m = h ? &aMail[h] : &here;
  if( pKey ) m->key = *pKey;
  m->eMode = eMode;
  m->eScope = eScope;
  m->bQueue = bQueue;
  if( h ){
    post(who, eOp);
    return answer(who);
  }
  m->eOp = eOp;
  m->who = (u32)who;
  perform(m);
  return m;
}
static LockRc simple(int who, int eOp){ return call(who, eOp, 0, 0, 0, 0)->rc; }
static LockRc ask(int who, const LockKey *pKey, u32 eMode, u32 eScope,
                  int bQueue){
  return call(who, ASK, pKey, eMode, eScope, bQueue)->rc;
}
static LockRc try(int who, const LockKey *pKey){
  return ask(who, pKey, LOCK_EXCLUSIVE, LOCK_SCOPE_SESSION, 0);
}
static int holdsNow(int who, const LockKey *pKey){
  return (int)call(who, HOLDS, pKey, 0, 0, 0)->rc;
}
static int pending(int who){ return (int)simple(who, PENDING); }

/*----------------------------------------------------------- the driver ---*/

/* Starts a process that takes G and dies, outside or inside the mutex. */
static void deadHolder(int bInside){
  pid_t pid = fork();
  if( pid==0 ){
    LockFile *p = openOrDie(zDb);
    LockSession *s = beginOrDie(p);
    lockAcquire(s, &kG, LOCK_EXCLUSIVE, 0, 0);
    if( bInside ) mutexEnter(lockSegment(p));
    kill(getpid(), SIGKILL);
  }
  waitpid(pid, 0, 0);
}

/* Which process is stopped or dead, and how the victim's story goes on. */
typedef struct Run { int iOp, iPoint, nth, eHow, bLast; } Run;
static void say(const Run *r, const char *z){
  fprintf(stderr, "%s, %s #%d, %s, set %d: %s\n", azOp[r->iOp],
      azPoint[r->iPoint], r->nth, r->eHow==KILL ? "kill" :
      r->eHow==STOPGO ? "stop, go on" : r->eHow==STOPKILL ? "stop, kill" :
      "dry", eSet, z);
  nError++;
}
#define NEED(x) do{ nTest++; if( !(x) ) say(r, #x); }while(0)

static void driverSetup(const Run *r){
  char zFile[400];
  int who;
  snprintf(zFile, sizeof zFile, "%s-interlock", zDb);
  unlink(zFile);
  memset(pCtl, 0, sizeof *pCtl);
  pCtl->iPoint = r->iPoint;
  pCtl->nth = r->nth;
  pCtl->eHow = r->eHow;
  startHelpers();
  pF = openOrDie(zDb);
  for(who=0; who<WHO; who++){
    Mail *m = call(who, BEGIN, 0, 0, 0, 0);
    if( who==W ) iCancelId = m->iId;
  }
  NEED( ask(E, &kD, LOCK_EXCLUSIVE, LOCK_SCOPE_TRANSACTION, 0)==LOCK_OK );
  NEED( ask(T, &kU, LOCK_SHARED, LOCK_SCOPE_SESSION, 0)==LOCK_OK );
  NEED( ask(T, &kHeld, LOCK_EXCLUSIVE, 0, 0)==LOCK_OK );
  NEED( simple(T, LISTEN)==LOCK_OK );
}
/* Makes the queues that the scenarios need, once the victim has its locks. */
static void driverQueues(const Run *r){
  NEED( ask(W, &kA, LOCK_EXCLUSIVE, LOCK_SCOPE_SESSION, 1)==LOCK_WAITING );
  if( r->iOp==V_CURE ){
    /* Q holds Q shared.  Q2 waits for Q X.  Q waits for U X behind the victim's
    ** S.  The victim asks for Q shared behind Q2.  That is the cycle victim ->
    ** Q2 -> Q -> victim, of which the first edge is soft. */
    NEED( ask(Q, &kQ, LOCK_SHARED, 0, 0)==LOCK_OK );
    NEED( ask(Q2, &kQ, LOCK_EXCLUSIVE, 0, 1)==LOCK_WAITING );
    NEED( ask(Q, &kU, LOCK_EXCLUSIVE, 0, 1)==LOCK_WAITING );
  }else{
    NEED( ask(Q, &kU, LOCK_EXCLUSIVE, LOCK_SCOPE_SESSION, 1)==LOCK_WAITING );
  }
  if( r->iOp==V_TABLE ){
    NEED( ask(Q2, &kTable2, LOCK_INTENT_EXCLUSIVE, 0, 1)==LOCK_WAITING );
  }
  if( r->iOp==V_REQUESTED ){
    NEED( call(Q2, REQUEST, &kTable2, LOCK_EXCLUSIVE, 0, 0)->rc
          ==LOCK_WAITING );
  }
}

/* The victim is stopped.  Calls that must not wait for it must return at once.
** A machine may be busy now and then. */
static int nStopped, nSlowEnd;
static void whileStopped(const Run *r){
  double t = seconds();
  NEED( !guardTooLow(lockSegment(pF)) );     /* as a guard would read it */
  simple(E, TXNEND);
  NEED( simple(Q, GIVEUP)==LOCK_TIMEOUT );
  nStopped++;
  nSlowEnd += seconds()-t>0.2;
}

/* Session p, which waits, must be granted after at most two polls. */
static int getsIt(int who){
  int i;
  for(i=0; i<3; i++){
    LockRc rc = simple(who, OUTCOME);
    if( rc!=LOCK_WAITING ) return rc==LOCK_OK;
    simple(who, POLL);
  }
  return 0;
}

/* Q2, which has requested the table without a wait, must be granted it by then,
** and until it takes the lock it does other things. */
static int getsRequest(void){
  int i;
  for(i=0; i<3; i++){
    if( call(Q2, RELEASE, &kTable2, LOCK_EXCLUSIVE, 0, 0)->rc!=LOCK_NO
     || call(Q2, REQUEST, &kHeld, LOCK_SHARED, 0, 0)->rc!=LOCK_PENDING ){
      return 0;
    }
    if( simple(Q2, STANDS)==LOCK_OK ) return holdsNow(Q2, &kTable2);
    simple(Q2, POLL);
  }
  return 0;
}

/* W has slept in lockWait.  Compares how long after the death it had the lock
** with when the control noticed the death. */
static u64 nTimed, nLate, nLateControl, usWorst;
static LockRc sleptWait(void){
  Mail *m = answer(W);
  u64 us = m->usDone - pCtl->usDeath;
  if( m->rc!=LOCK_OK || pCtl->usDeath==0 || m->usDone<pCtl->usDeath ){
    return m->rc;
  }
  while( atomicGetAcq(&pCtl->usSeen)==0 ) restUs(1000);
  nTimed++;
  nLate += us>100000;
  nLateControl += pCtl->usSeen - pCtl->usDeath>100000;
  if( us>usWorst ) usWorst = us;
  return m->rc;
}
static void control(void){
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  for(;;){
    restUs(50000);
    if( atomicGetAcq(&pCtl->usDeath)==0 || pCtl->usSeen ) continue;
    atomicSetRel(&pCtl->usSeen, osMonotonicUs());
  }
}

static void waiterHasIt(const Run *r, int bSlept){
  LockRc rc = bSlept ? sleptWait() : LOCK_WAITING;
  if( r->iOp==V_CANCEL ){
    if( !bSlept && pending(W) ) rc = simple(W, OUTCOME);
    if( rc==LOCK_CANCELLED ){
      NEED( ask(W, &kA, LOCK_EXCLUSIVE, 0, 1)!=LOCK_NO );
      rc = LOCK_WAITING;
    }
  }else if( bSlept ) NEED( rc==LOCK_OK );
  if( pending(W) ) NEED( getsIt(W) );
  NEED( holdsNow(W, &kA) );
}
static void enderEnds(const Run *r){
  NEED( holdsNow(E, &kD) );
  NEED( try(T, &kD)==LOCK_NO );
  simple(E, TXNEND);
}
/* A process that attaches now must get what the dead process had. */
static void newcomer(const Run *r){
  int st = 0;
  pid_t pid = fork();
  if( pid==0 ){
    LockFile *p = openOrDie(zDb);
    LockSession *s = beginOrDie(p);
    int e = lockAsk(s, &kB, LOCK_EXCLUSIVE, LOCK_SCOPE_SESSION, 0)!=LOCK_OK;
    lockSessionEnd(s);
    if( lockCheck(p) ) e |= 2;
    lockClose(p);
    _exit(e);
  }
  waitpid(pid, &st, 0);
  NEED( st==0 );
}

/* The victim is dead.  bEnded: E and Q have given up already. */
static void afterDeath(const Run *r, int bEnded, int bSlept){
  const LockKey *aKey[5];
  int i, bFirst = eSet==ONE && r->bLast;
  aKey[0] = &kB; aKey[1] = &kC; aKey[2] = &kLong;
  aKey[3] = &kTable; aKey[4] = &kRow;
  if( eSet==TWO ) waiterHasIt(r, bSlept);
  if( eSet==THREE ) newcomer(r);
  if( bFirst && !bEnded ) simple(E, TXNEND);
  for(i=0; i<5; i++) NEED( try(T, aKey[i])==LOCK_OK );
  if( r->iOp==V_TABLE ) NEED( getsIt(Q2) );
  else if( r->iOp==V_REQUESTED ) NEED( getsRequest() );
  else if( r->iOp!=V_CURE ) NEED( try(T, &kTable2)==LOCK_OK );
  if( eSet!=TWO ) waiterHasIt(r, 0);
  NEED( holdsNow(T, &kHeld) );
  NEED( simple(T, TOLD)==LOCK_OK );
  if( !bEnded && !bFirst ) enderEnds(r);
  NEED( try(T, &kD)==LOCK_OK );
  NEED( lockCheck(pF)==0 );
  if( lockCheck(pF) ) say(r, lockCheck(pF));
  if( !bEnded && pending(Q) ){
    /* T and the victim held U shared: with T's release Q has it */
    NEED( call(T, RELEASE, &kU, LOCK_SHARED, 0, 0)->rc==LOCK_OK );
    NEED( getsIt(Q) );
  }
  NEED( lockCheck(pF)==0 );
}

/* Nothing may be left of sessions that have ended. */
static void driverEnd(const Run *r){
  Seg *p = lockSegment(pF);
  u32 i;
  int who;
  for(who=0; who<WHO; who++) simple(who, CLOSE);
  NEED( lockCheck(pF)==0 );
  NEED( pCtl->bLow==0 );
  for(i=1; i<=p->nRecord; i++){
    SegRecord *q = segRecord(p, i);
    u32 e = SEG_STATE(q->state);
    u64 iOwner;
    if( e==SEG_FREE || e==SEG_TEXT ) continue;
    nTest++;
    iOwner = segSession(p, q->session)->owner;
    if( iOwner==p->iNumber || iOwner==aMail[1].iNumber
     || iOwner==aMail[2].iNumber ){
      say(r, "a record of an ended session is left");
      break;
    }
  }
  endHelpers();
  lockClose(pF);
  pF = 0;
}

/* Waits until the victim is stopped ('s'), dead ('d') or has finished ('e'). */
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
    restUs(50);
  }
  return 't';
}

/* The file that the victim was attaching to must be whole for others.  Only
** while the victim is stopped in the middle of it may it be busy. */
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

/* 1 if the victim has stopped or died.  A later wait still reports it. */
static int isOver(pid_t pid){
  siginfo_t si;
  memset(&si, 0, sizeof si);
  waitid(P_PID, (id_t)pid, &si, WNOHANG|WNOWAIT|WSTOPPED|WEXITED);
  return si.si_pid!=0;
}
static void contend(const Run *r, pid_t pid){
  Seg *p = lockSegment(pF);
  if( r->iOp==V_CONTENDED || r->iOp==V_END_CONTENDED ){
    u64 mBit = r->iOp==V_CONTENDED ? MUTEX_WAITERS : MUTEX_WORK;
    NEED( mutexTry(p, 0)==MUTEX_ENTERED );
    pCtl->bGo = 1;
    while( !isOver(pid) && !(atomicGetAcq(&segHeader(p)->mutex) & mBit) ){
      restUs(50);
    }
    while( mutexLeave(p) ) sessionSweepAll(p);
  }else if( r->iOp==V_SWEEP ){
    pCtl->bGo = 1;
    NEED( victimState(pid)=='s' );
    simple(E, TXNEND);             /* E's lock is invalidated; WORK is set */
    NEED( segHeader(p)->mutex & MUTEX_WORK );
    signalOne(pid, SIGCONT);
  }
  pCtl->bGo = 1;
}

/* Makes one run.  Returns 0 if the victim did not reach the point. */
static int run(const Run *r){
  pid_t pid;
  int e, bEnded = r->iOp==V_SWEEP, bSlept;
  driverSetup(r);
  if( r->iOp==V_REAP ) deadHolder(0);
  if( r->iOp==V_ATTACH || r->iOp==V_ATTACH_HALF ){
    otherFile(r->iOp==V_ATTACH ? -1 : 8192);
  }
  pid = forkVictim(r->iOp);
  driverQueues(r);
  /* a poll of W would do there what the victim must do */
  bSlept = eSet==TWO && r->eHow==KILL && r->iOp!=V_TAKE_OVER;
  if( bSlept ) post(W, WAIT);
  if( r->iOp==V_TAKE_OVER ) deadHolder(1);
  contend(r, pid);
  e = victimState(pid);
  if( e=='e' && r->eHow!=DRY && r->nth==1
   && r->iOp!=V_CONTENDED && r->iOp!=V_END_CONTENDED ){
    /* those two depend on time */
    say(r, "point not passed");
  }
  if( e=='x' || e=='t' ) say(r, "the victim failed");
  if( e=='s' ){
    if( bEnded ) { if( pending(Q) ) simple(Q, GIVEUP); }
    else whileStopped(r);
    if( r->iOp==V_ATTACH && eSet==ONE ) otherOpens(r, 1);
    bEnded = 1;
    if( r->eHow==STOPKILL ) atomicSet(&pCtl->usDeath, osMonotonicUs());
    signalOne(pid, r->eHow==STOPKILL ? SIGKILL : SIGCONT);
    if( r->eHow==STOPGO ) NEED( victimState(pid)=='e' );
  }
  if( e!='d' ){
    /* it lives: its lock on A stays its own, unless it gave it up */
    if( pCtl->usDeath==0 ) atomicSet(&pCtl->usDeath, osMonotonicUs());
    signalOne(pid, SIGKILL);
    waitpid(pid, 0, 0);
  }
  afterDeath(r, bEnded, bSlept);
  if( r->iOp==V_ATTACH || r->iOp==V_ATTACH_HALF ) otherOpens(r, 0);
  driverEnd(r);
  return e!='e';
}

/* Makes all runs of one scenario.  bFull: with every set. */
static char aSeen[CRASH_COUNT];
static int nRun;
static void scenario(int iOp, int iOnly, int bFull){
  int aHit[CRASH_COUNT], iPoint, eHow, k, e;
  Run dry = { iOp, 0, 0, DRY, 0 };
  eSet = ONE;
  run(&dry);
  memcpy(aHit, pCtl->aHit, sizeof aHit);
  for(iPoint=1; iPoint<CRASH_COUNT; iPoint++){
    if( aHit[iPoint]==0 || (iOnly && iOnly!=iPoint) ) continue;
    aSeen[iPoint] = 1;
    for(k=0; k<2; k++) for(eHow=KILL; eHow<=STOPKILL; eHow++){
      Run r = { iOp, iPoint, k ? aHit[iPoint] : 1, 0, 0 };
      if( k && aHit[iPoint]==1 ) continue;
      r.bLast = aHit[iPoint]==1 ? iPoint & 1 : k;
      r.eHow = eHow;
      for(e=0; e<SETS; e++){
        if( !bFull && e!=(iOp+iPoint+eHow+k)%SETS ) continue;
        eSet = e;
        run(&r);
        nRun++;
      }
    }
  }
}

int main(int n, char **a){
  int iOp, iPoint, nPoint = 0;
  int bFull = n>1 && strcmp(a[1], "full")==0;
  pid_t pidControl;
  char zFile[400];
  double t0 = seconds();
  zDb = strdup(scratch("lkcrash"));
  setvbuf(stderr, 0, _IONBF, 0);
  alarm(900);
  pCtl = mmap(0, sizeof *pCtl, PROT_READ|PROT_WRITE,
              MAP_SHARED|MAP_ANONYMOUS, -1, 0);
  aMail = mmap(0, sizeof(Mail)*(HELPERS+1), PROT_READ|PROT_WRITE,
               MAP_SHARED|MAP_ANONYMOUS, -1, 0);
  kA = keyText("A"); kB = keyText("B"); kC = keyInt(3); kD = keyInt(4);
  kRow = keyRow("t", 1); kTable = keyTable("t"); kTable2 = keyTable("t2");
  keyMake(&kListen, KEY_LISTEN, "jobs", 4);
  keyMake(&kNotify, KEY_NOTIFY, "jobs", 4);
  kU = keyText("U"); kG = keyText("G"); kQ = keyText("Q");
  { char z[255]; memset(z, 'x', 255); keyMake(&kLong, KEY_BLOB, z, 255);
    keyMake(&kHeld, KEY_TEXT, z, 255); }
  pidControl = fork();
  if( pidControl==0 ) control();
  for(iOp=0; iOp<NOP; iOp++){
    if( n>2 && atoi(a[2])!=iOp ) continue;
    scenario(iOp, n>3 ? atoi(a[3]) : 0, bFull);
  }
  signalOne(pidControl, SIGKILL);
  waitpid(pidControl, 0, 0);
  for(iPoint=1; iPoint<CRASH_COUNT; iPoint++){
    int bBell = iPoint==CRASH_BELL_NAME || iPoint==CRASH_BELL_AWAIT;
    if( aSeen[iPoint] ) nPoint++;
    else if( n<3 && (osLayer()=='L' || !bBell) ){     /* only Linux has bells */
      nError++;
      fprintf(stderr, "never passed: %s\n", azPoint[iPoint]);
    }
  }
  otherFile(-1);
  snprintf(zFile, sizeof zFile, "%s-interlock", zDb);
  unlink(zFile);
  CHECK(nLate<=2*nLateControl + 2 + nTimed/50);
  CHECK(nSlowEnd<=2 + nStopped/20);
  printf("lkcrash: %d runs, %d of %d points, %.1f s; waiters asleep: %llu, "
         "over 100 ms: %llu (control: %llu), longest %llu ms; ends beside a "
         "stopped process: %d, over 200 ms: %d\n", nRun, nPoint,
         CRASH_COUNT-1, seconds()-t0, (unsigned long long)nTimed,
         (unsigned long long)nLate, (unsigned long long)nLateControl,
         (unsigned long long)usWorst/1000, nStopped, nSlowEnd);
  return finish("lkcrash");
}
