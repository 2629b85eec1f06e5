/* SPDX-License-Identifier: 0BSD */
/*
** lkstep.c: short scenes, each of which puts one step of one process exactly
** between two steps of another.  At a numbered store (CRASH_POINTS in base.h)
** the process calls a function of the scene, or stops or dies.  No scene
** depends on luck or on the speed of the machine.  The two scenes that let time
** pass can overlook a mistake on a slow machine, and never report one that is
** not there.  Most mistakes of BUGS in base.h make one of the scenes fail;
** lkbugs tries them.
**
** A scene runs in a process of its own and may take 20 s.
**
**   lkstep [SCENE]
*/
#include "util.h"
#include <pthread.h>
#include <sys/syscall.h>

static const LockKey *pHeld;     /* what lockGuard has met */

static int iHookAt, nHookPass, aPass[CRASH_COUNT];
static void (*xHook)(void);
static LockFile *pF;
static int bLow;                /* a guard word was too low at some store */
void crashPoint(int i){
  int bInside;
  atomicAdd(&aPass[i], 1);
  if( guardTooLowHere(pF) ) bLow = 1;
  if( i!=iHookAt || --nHookPass ) return;
  iHookAt = 0;
  bInside = pF && ruleHolds(RANK_MUTEX, lockSegment(pF));
  if( bInside ) ruleReset();      /* the hook plays another thread */
  xHook();
  if( bInside ) ruleEnter(RANK_MUTEX, lockSegment(pF));
}
/* Calls x when the point is passed for the n-th time from now. */
static void at(int iPoint, int n, void (*x)(void)){
  iHookAt = iPoint;
  nHookPass = n;
  xHook = x;
}

static LockSession *S[5];
static LockKey kA, kB, kC, kRow, kTable, kListen, kNotify;
static const char *zDb;

static void sessions(void){
  int i;
  for(i=0; i<5; i++) S[i] = beginOrDie(pF);
}
static void inMemory(void){
  lockOpenMemory(&sysMem, 0, &pF);
  sessions();
}
static void inFile(void){
  pF = openOrDie(zDb);
  sessions();
}
static LockRc ask(int i, const LockKey *k, u32 eMode, u32 eScope){
  return lockAsk(S[i], k, eMode, eScope, 1);
}
static LockRc try(int i, const LockKey *k, u32 eMode, u32 eScope){
  return lockAsk(S[i], k, eMode, eScope, 0);
}
static int waits(int i){ return lockOutcome(S[i])==LOCK_WAITING; }
static int granted(int i){ return lockOutcome(S[i])==LOCK_OK; }
static Seg *seg(void){ return lockSegment(pF); }
static int whole(void){
  const char *z = lockCheck(pF);
  if( z ) fprintf(stderr, "%s\n", z);
  return z==0;
}
enum { IS = LOCK_INTENT_SHARED, IX = LOCK_INTENT_EXCLUSIVE, SH = LOCK_SHARED,
       X = LOCK_EXCLUSIVE, SES = LOCK_SCOPE_SESSION,
       TXN = LOCK_SCOPE_TRANSACTION };

/* Takes and leaves the mutex by hand, as another thread would. */
static void inside(void){ CHECK_EQ(otherEnters(seg()), MUTEX_ENTERED); }
static void outside(void){ otherLeaves(seg()); }

/*------------------------------------------------------- other processes ---*/

static int iState;              /* status of the last child, as of waitpid */
static void await(pid_t pid){
  CHECK_EQ(waitpid(pid, &iState, WUNTRACED), pid);
}
/* Starts a process that runs x.  Returns when it has stopped or died. */
static pid_t other(void (*x)(void)){
  pid_t pid = fork();
  if( pid==0 ){
    nError = 0;
    pF = 0;
    x();
    raise(SIGSTOP);
    _exit(nError);
  }
  await(pid);
  return pid;
}
static void killed(pid_t pid){
  signalOne(pid, SIGKILL);
  if( !WIFSIGNALED(iState) ) await(pid);
}
static void dieHere(void){ raise(SIGKILL); }
static void stopHere(void){ raise(SIGSTOP); }

/*--------------------------------------------------- modes, queues, wakes ---*/

static void sceneMatrix(void){
  static const char *azFree[] = { 0, "11110", "11000", "10100", "10000",
                                  "00000" };  /* IS IX S SIX X */
  _Static_assert(sizeof(azFree)/sizeof(azFree[0])==LOCK_MODES, "every mode");
  i64 n = 0;
  u32 a, b;
  inMemory();
  for(a=1; a<LOCK_MODES; a++) for(b=1; b<LOCK_MODES; b++){
    LockKey k = keyInt(n++);
    CHECK_EQ(try(0, &k, a, SES), LOCK_OK);
    CHECK_EQ(try(1, &k, b, SES), azFree[a][b-1]=='1' ? LOCK_OK : LOCK_NO);
  }
}
static void sceneQueue(void){
  inMemory();
  CHECK_EQ(try(0, &kA, SH, SES), LOCK_OK);
  CHECK_EQ(try(3, &kA, SH, SES), LOCK_OK);
  CHECK_EQ(ask(1, &kA, X, SES), LOCK_WAITING);
  CHECK_EQ(ask(2, &kA, SH, SES), LOCK_WAITING);
  CHECK_EQ(try(4, &kA, SH, SES), LOCK_NO);
  CHECK_EQ(lockRelease(S[3], &kA, SH), LOCK_OK);
  CHECK(waits(1) && waits(2));
  CHECK_EQ(lockRelease(S[0], &kA, SH), LOCK_OK);
  CHECK(granted(1) && waits(2));
  CHECK_EQ(lockRelease(S[1], &kA, X), LOCK_OK);
  CHECK(granted(2));
}
/* A grant must wake the thread that sleeps on the request, without a poll. */
static u32 bTimedOut, iTid;
static void *sleeper(void *p){
  u32 *pState = p;
  u32 w = atomicGet(pState);
  atomicSetRel(&iTid, (u32)syscall(SYS_gettid));
  while( atomicGetAcq(pState)==w && !bTimedOut ){
    bTimedOut = osWait(pState, w, 2000000)==OS_TIMEOUT;
  }
  return 0;
}
static void sceneWake(void){
  pthread_t t;
  inMemory();
  CHECK_EQ(try(0, &kA, X, SES), LOCK_OK);
  CHECK_EQ(ask(1, &kA, X, SES), LOCK_WAITING);
  pthread_create(&t, 0, sleeper,
      &segRecord(seg(), segSession(seg(), lockSlot(S[1]))->waits)->state);
  untilAsleep(&iTid);
  CHECK_EQ(lockRelease(S[0], &kA, X), LOCK_OK);
  pthread_join(t, 0);
  CHECK(!bTimedOut);
}
static void asleepOn(pthread_t *pt, u32 *pWord){
  pthread_create(pt, 0, sleeper, pWord);
  untilAsleep(&iTid);
}
/* It must be woken when the mutex is free, also if another thread enters before
** the wake and grants a second request. */
static void hookGrantOther(void){
  CHECK_EQ(lockRelease(S[2], &kB, X), LOCK_OK);
}
static void hookFree(void){
  CHECK_EQ(atomicGet(&segHeader(seg())->mutex), 0);
}
static void sceneWakeLater(void){
  pthread_t t;
  inMemory();
  CHECK_EQ(try(0, &kA, X, SES), LOCK_OK);
  CHECK_EQ(try(2, &kB, X, SES), LOCK_OK);
  CHECK_EQ(ask(1, &kA, X, SES), LOCK_WAITING);
  CHECK_EQ(ask(3, &kB, X, SES), LOCK_WAITING);
  asleepOn(&t, &segRecord(seg(),
      segSession(seg(), lockSlot(S[1]))->waits)->state);
  at(CRASH_MUTEX_LEAVE, 1, hookGrantOther);
  CHECK_EQ(lockRelease(S[0], &kA, X), LOCK_OK);
  pthread_join(t, 0);
  CHECK(!bTimedOut);
  CHECK(granted(1) && granted(3));
  CHECK_EQ(ask(2, &kA, X, SES), LOCK_WAITING);
  at(CRASH_GRANT_WAKE, 1, hookFree);
  CHECK_EQ(lockRelease(S[1], &kA, X), LOCK_OK);
}
/* More are granted at once than the list has room for. */
static void sceneWakeMany(void){
  enum { MANY = SEG_WAKES+3 };
  LockSession *a[MANY];
  int i;
  inMemory();
  CHECK_EQ(try(0, &kA, X, SES), LOCK_OK);
  for(i=0; i<MANY; i++){
    a[i] = beginOrDie(pF);
    CHECK_EQ(lockAsk(a[i], &kA, SH, SES, 1), LOCK_WAITING);
  }
  CHECK_EQ(lockRelease(S[0], &kA, X), LOCK_OK);
  CHECK_EQ(aPass[CRASH_GRANT_WAKE], MANY);
  for(i=0; i<MANY; i++) CHECK_EQ(lockOutcome(a[i]), LOCK_OK);
}
/* A cancel must wake that thread, and a leave one that sleeps on the mutex. */
static void sceneCancelWakes(void){
  pthread_t t;
  inMemory();
  CHECK_EQ(try(0, &kA, X, SES), LOCK_OK);
  CHECK_EQ(ask(1, &kA, X, SES), LOCK_WAITING);
  asleepOn(&t, &segRecord(seg(),
      segSession(seg(), lockSlot(S[1]))->waits)->state);
  CHECK_EQ(lockCancel(pF, lockSessionId(S[1])), LOCK_OK);
  pthread_join(t, 0);
  CHECK(!bTimedOut);
}
static void sceneMutexWakes(void){
  u64 *pWord, w;
  pthread_t t;
  inMemory();
  pWord = &segHeader(seg())->mutex;
  inside();
  w = atomicGet(pWord);
  CHECK(atomicCas64(pWord, w, w|MUTEX_WAITERS));
  asleepOn(&t, atomicLowHalf(pWord));
  outside();
  pthread_join(t, 0);
  CHECK(!bTimedOut);
}
static void sceneToken(void){
  u64 i1, i2;
  inMemory();
  CHECK_EQ(try(0, &kA, X, SES), LOCK_OK);
  lockToken(S[0], &kA, &i1);
  CHECK_EQ(ask(1, &kA, X, SES), LOCK_WAITING);
  CHECK_EQ(lockRelease(S[0], &kA, X), LOCK_OK);
  CHECK(granted(1));
  lockToken(S[1], &kA, &i2);
  CHECK(i2>i1);
}
static void sceneScopes(void){
  inMemory();
  CHECK_EQ(try(0, &kA, X, SES), LOCK_OK);
  CHECK_EQ(try(0, &kA, X, TXN), LOCK_OK);
  CHECK_EQ(lockRelease(S[0], &kA, X), LOCK_OK);
  CHECK_EQ(try(1, &kA, X, SES), LOCK_NO);
  lockTxnEnd(S[0]);
  CHECK_EQ(try(1, &kA, X, SES), LOCK_OK);
}
static void sceneSavepoint(void){
  u32 iLevel;
  inMemory();
  CHECK_EQ(try(0, &kA, X, TXN), LOCK_OK);
  iLevel = lockLevel(S[0]);
  CHECK_EQ(try(0, &kB, X, TXN), LOCK_OK);
  CHECK_EQ(ask(1, &kB, X, SES), LOCK_WAITING);
  lockRollbackTo(S[0], iLevel);
  CHECK(granted(1));
  CHECK_EQ(try(2, &kA, X, SES), LOCK_NO);
}
static void sceneUpgrade(void){
  inMemory();
  CHECK_EQ(try(0, &kA, SH, SES), LOCK_OK);
  CHECK_EQ(try(1, &kA, SH, SES), LOCK_OK);
  CHECK_EQ(ask(2, &kA, X, SES), LOCK_WAITING);
  CHECK_EQ(ask(0, &kA, X, SES), LOCK_WAITING);
  CHECK_EQ(lockRelease(S[1], &kA, SH), LOCK_OK);
  CHECK(granted(0) && waits(2));
  CHECK_EQ(try(3, &kB, SH, SES), LOCK_OK);      /* alone: past the queue */
  CHECK_EQ(ask(4, &kB, X, SES), LOCK_WAITING);
  CHECK_EQ(try(3, &kB, X, SES), LOCK_OK);
}

/* Intention modes: IX waits behind X, S behind IX, IS passes both. */
static void sceneIntention(void){
  inMemory();
  CHECK_EQ(try(0, &kTable, X, SES), LOCK_OK);
  CHECK_EQ(ask(1, &kTable, IX, SES), LOCK_WAITING);
  CHECK_EQ(ask(2, &kTable, SH, SES), LOCK_WAITING);
  CHECK_EQ(ask(3, &kTable, IS, SES), LOCK_WAITING);
  CHECK_EQ(lockRelease(S[0], &kTable, X), LOCK_OK);
  CHECK(granted(1) && waits(2) && granted(3));
  CHECK_EQ(try(4, &kTable, IX, SES), LOCK_NO);   /* not past the S */
  CHECK_EQ(lockTrouble(S[4])->eWhy, TROUBLE_WAITS);
  CHECK_EQ(try(4, &kTable, IS, SES), LOCK_OK);
  CHECK_EQ(ask(0, &kTable, IX, SES), LOCK_WAITING);
  CHECK_EQ(lockRelease(S[1], &kTable, IX), LOCK_OK);
  CHECK(granted(2) && waits(0));
  CHECK_EQ(lockRelease(S[2], &kTable, SH), LOCK_OK);
  CHECK(granted(0));
  CHECK(whole());
}

/*---------------------------------------- the active writer, guard words ---*/

/* Row and table requests of other sessions must wait for the writer's end, and
** only for that. */
static void sceneWriter(void){
  LockKey row2 = keyRow("t", 2);
  u32 iLevel, m;
  inMemory();
  iLevel = lockLevel(S[0]);
  CHECK_EQ(lockWriterEnter(S[0]), LOCK_OK);
  CHECK_EQ(try(1, &kRow, X, SES), LOCK_NO);
  CHECK_EQ(lockTrouble(S[1])->iBlocker, lockSessionId(S[0]));
  CHECK_EQ(lockTrouble(S[1])->eWhy, TROUBLE_WRITES);
  for(m=IS; m<LOCK_MODES; m++) CHECK_EQ(try(1, &kTable, m, TXN), LOCK_NO);
  CHECK_EQ(lockSkip(S[1], &kRow, X, SES), LOCK_NO);
  CHECK_EQ(try(1, &kA, X, SES), LOCK_OK);        /* not a row */
  CHECK_EQ(lockRelease(S[1], &kA, X), LOCK_OK);
  CHECK_EQ(try(0, &kTable, IX, TXN), LOCK_OK);
  CHECK_EQ(try(0, &row2, X, TXN), LOCK_OK);
  CHECK_EQ(ask(1, &kRow, X, SES), LOCK_WAITING);
  CHECK_EQ(ask(2, &kTable, SH, SES), LOCK_WAITING);
  CHECK_EQ(ask(3, &kTable, IX, SES), LOCK_WAITING);
  lockRollbackTo(S[0], iLevel);                  /* it still writes */
  CHECK(waits(1) && waits(2) && waits(3));
  CHECK_EQ(try(4, &row2, X, SES), LOCK_NO);
  lockTxnEnd(S[0]);
  CHECK(granted(1) && granted(2) && waits(3));
  CHECK_EQ(try(4, &row2, X, SES), LOCK_OK);
  CHECK_EQ(lockRelease(S[2], &kTable, SH), LOCK_OK);
  CHECK(granted(3));
  CHECK(whole());
}
/* A waiter whose holder releases must then wait for the writer that has come
** meanwhile.  The writer of the next transaction is another session. */
static void sceneWriterQueue(void){
  inMemory();
  CHECK_EQ(try(0, &kRow, X, SES), LOCK_OK);
  CHECK_EQ(ask(1, &kRow, X, SES), LOCK_WAITING);
  CHECK_EQ(lockWriterEnter(S[2]), LOCK_OK);
  CHECK_EQ(lockRelease(S[0], &kRow, X), LOCK_OK);
  CHECK(waits(1));
  lockPoll(S[1]);
  CHECK(waits(1));
  lockTxnEnd(S[2]);
  CHECK(granted(1));
  CHECK_EQ(lockWriterEnter(S[2]), LOCK_OK);
  CHECK_EQ(lockGuard(S[2], 0, &kRow, &pHeld), LOCK_NO);
  CHECK_EQ(ask(3, &kTable, IS, SES), LOCK_WAITING);
  CHECK_EQ(lockGiveUp(S[3], LOCK_TIMEOUT), LOCK_TIMEOUT);
  CHECK_EQ(ask(3, &kTable, IS, SES), LOCK_WAITING);
  lockSessionEnd(S[2]);
  CHECK(granted(3));
  CHECK(whole());
}
/* The writer's transaction ends while another process is inside the mutex. */
static void sceneWriterBeside(void){
  inMemory();
  CHECK_EQ(lockWriterEnter(S[0]), LOCK_OK);
  CHECK_EQ(ask(1, &kRow, X, SES), LOCK_WAITING);
  inside();
  lockTxnEnd(S[0]);
  CHECK(waits(1));
  outside();
  CHECK(granted(1));
}

/* The two orders of a lock and a guarded write.  If the lock is first the
** writer meets it, and all others of its class.  If the writer is first nothing
** is granted any more. */
static int free0(void){ return lockGuardFree(S[0], &kTable); }
static void sceneGuard(void){
  inMemory();
  CHECK_EQ(try(1, &kTable, IX, SES), LOCK_OK);
  CHECK_EQ(lockWriterEnter(S[0]), LOCK_OK);
  CHECK_EQ(ask(1, &kRow, X, SES), LOCK_WAITING);
  CHECK(!free0());
  CHECK_EQ(lockGuard(S[0], 0, &kRow, &pHeld), LOCK_OK);  /* it only waits */
  CHECK_EQ(lockGiveUp(S[1], LOCK_TIMEOUT), LOCK_TIMEOUT);
  CHECK_EQ(lockRelease(S[1], &kTable, IX), LOCK_OK);
  CHECK(free0());
  CHECK_EQ(try(1, &kTable, IX, SES), LOCK_NO);
  CHECK(free0());
  lockTxnEnd(S[0]);
  CHECK(!free0());
}
/* At every store of a release, and of another process's rebuild, the guard word
** must be right for a reader without the mutex. */
static int nSaw, nFree;
static void hookReader(void){
  nSaw++;
  nFree += free0();
}
static void readAt(int iPoint, int n){
  nSaw = nFree = 0;
  at(iPoint, n, hookReader);
}
static void sceneGuardRelease(void){
  static const struct { int iPoint, bFree; } a[] = {
    { CRASH_REMOVE_STATE, 0 }, { CRASH_REMOVE_GUARD, 1 },
    { CRASH_REMOVE_CHAIN, 1 }, { CRASH_REMOVE_LIST, 1 } };
  int i;
  inMemory();
  for(i=0; i<4; i++){
    CHECK_EQ(try(1, &kTable, IX, i&1 ? TXN : SES), LOCK_OK);
    CHECK_EQ(lockWriterEnter(S[0]), LOCK_OK);
    readAt(a[i].iPoint, 1);
    if( i&1 ) lockTxnEnd(S[1]); else lockRelease(S[1], &kTable, IX);
    CHECK_EQ(nSaw, 1);
    CHECK_EQ(nFree, a[i].bFree);
    lockTxnEnd(S[0]);
  }
  CHECK(whole());
}
/* Grants and releases a table in every way.  crashPoint looks at the guard
** words at each store. */
static void sceneGuardStores(void){
  u64 n;
  u32 iLevel;
  inMemory();
  CHECK_EQ(try(0, &kTable, X, TXN), LOCK_OK);
  CHECK_EQ(ask(1, &kTable, IX, SES), LOCK_WAITING);
  CHECK_EQ(ask(2, &kTable, IX, TXN), LOCK_WAITING);
  CHECK_EQ(ask(3, &kTable, SH, SES), LOCK_WAITING);
  CHECK_EQ(ask(4, &kTable, IS, SES), LOCK_WAITING);
  lockTxnEnd(S[0]);                              /* grants 1, 2, 4 */
  CHECK(granted(1) && granted(2) && waits(3) && granted(4));
  CHECK_EQ(segHeader(seg())->guard[kTable.iHash%SEG_GUARDS], 3);
  iLevel = lockLevel(S[0]);
  CHECK_EQ(try(0, &kTable, IS, TXN), LOCK_OK);
  lockRollbackTo(S[0], iLevel);
  CHECK_EQ(lockReleaseAll(S[1], ~0u, MODE_BIT(IX), &n), LOCK_OK);
  lockSessionEnd(S[2]);                          /* grants 3 */
  CHECK(granted(3));
  CHECK_EQ(segHeader(seg())->guard[kTable.iHash%SEG_GUARDS], 2);
  CHECK_EQ(lockReleaseAll(S[3], ~0u, ~0u, &n), LOCK_OK);
  lockSessionEnd(S[4]);
  CHECK_EQ(segHeader(seg())->guard[kTable.iHash%SEG_GUARDS], 0);
  CHECK(whole());
}
/* The waiter gives up between the raised guard word and the grant. */
static void hookGiveUp1(void){
  CHECK_EQ(lockGiveUp(S[1], LOCK_TIMEOUT), LOCK_TIMEOUT);
}
static void sceneGuardGivenUp(void){
  inMemory();
  CHECK_EQ(try(0, &kTable, X, SES), LOCK_OK);
  CHECK_EQ(ask(1, &kTable, IX, SES), LOCK_WAITING);
  at(BUG(GUARD_LATE) ? CRASH_GRANT_TOKEN : CRASH_INSERT_GUARD, 1, hookGiveUp1);
  CHECK_EQ(lockRelease(S[0], &kTable, X), LOCK_OK);
  CHECK_EQ(segHeader(seg())->guard[kTable.iHash%SEG_GUARDS], 0);
  CHECK_EQ(lockRelease(S[1], &kTable, IX), LOCK_NO);
  CHECK(whole());
}

/* lockSkip must skip what any session holds or waits for, its own included. */
static void sceneSkip(void){
  inMemory();
  CHECK_EQ(lockSkip(S[0], &kRow, X, SES), LOCK_OK);
  CHECK_EQ(lockSkip(S[0], &kRow, X, SES), LOCK_NO);
  CHECK_EQ(lockSkip(S[1], &kRow, X, SES), LOCK_NO);
  CHECK_EQ(ask(2, &kRow, X, SES), LOCK_WAITING);
  CHECK_EQ(lockRelease(S[0], &kRow, X), LOCK_OK);
  CHECK(granted(2));
  CHECK_EQ(ask(3, &kRow, SH, SES), LOCK_WAITING);
  CHECK_EQ(try(4, &kTable, SH, SES), LOCK_OK);
  CHECK_EQ(ask(0, &kTable, X, SES), LOCK_WAITING);
  CHECK_EQ(lockSkip(S[1], &kTable, SH, SES), LOCK_NO);   /* only wanted */
  CHECK_EQ(lockSkip(S[1], &kRow, X, SES), LOCK_NO);
  CHECK_EQ(lockSkipProbe(S[1]), 0);
  CHECK_EQ(lockGiveUp(S[3], LOCK_TIMEOUT), LOCK_TIMEOUT);
  lockSessionEnd(S[2]);
  CHECK_EQ(lockSkip(S[1], &kRow, X, SES), LOCK_OK);
}

/* Between two portions of lockReleaseAll no row may be held without its table's
** intention lock, although that is the first in the list. */
static void hookRows(void){
  Seg *p = seg();
  u32 i, n = 0;
  for(i=1; i<=segHeader(p)->usedRecord; i++){
    SegRecord *r = segRecord(p, i);
    n += SEG_STATE(r->state)==SEG_GRANTED && REC_KIND(r)==KEY_ROW;
  }
  CHECK(n>0);
  CHECK_EQ(segHeader(p)->guard[kTable.iHash%SEG_GUARDS], 1);
  iHookAt = -1;                  /* it was here */
}
static void sceneTablesLast(void){
  i64 i;
  u64 n;
  inMemory();
  for(i=0; i<2100; i++){
    LockKey k = keyRow("t", i);
    CHECK_EQ(try(0, &k, X, SES), LOCK_OK);
  }
  CHECK_EQ(try(0, &kTable, IX, SES), LOCK_OK);
  at(CRASH_MUTEX_LEAVE, 1, hookRows);
  CHECK_EQ(lockReleaseAll(S[0], ~0u, ~0u, &n), LOCK_OK);
  CHECK_EQ(iHookAt, -1);
  CHECK_EQ(n, 2101);
  CHECK_EQ(segHeader(seg())->nRecord, 0);
}

/*---------------------------------------------------------------- keys ---*/

static void sceneHash(void){
  LockKey x, y;
  char a[200];
  inMemory();
  memset(a, 'x', sizeof a);
  keyMake(&x, KEY_BLOB, a, 200);
  a[199] = 'y';
  keyMake(&y, KEY_BLOB, a, 200);
  x.iHash = y.iHash;
  CHECK_EQ(try(0, &x, X, SES), LOCK_OK);
  CHECK_EQ(try(1, &y, X, SES), LOCK_OK);
}
static void sceneSplit(void){
  i64 i;
  inMemory();
  for(i=0; i<1500; i++){
    LockKey k = keyInt(i);
    CHECK_EQ(try(0, &k, X, SES), LOCK_OK);
  }
  for(i=0; i<1500; i++){
    LockKey k = keyInt(i);
    CHECK_EQ(try(1, &k, SH, SES), LOCK_NO);
  }
}

/*----------------------------------------------------------- deadlocks ---*/

static void sceneDeadlock(void){
  inMemory();
  CHECK_EQ(try(0, &kA, X, SES), LOCK_OK);
  CHECK_EQ(try(1, &kB, X, SES), LOCK_OK);
  CHECK_EQ(ask(0, &kB, X, SES), LOCK_WAITING);
  CHECK_EQ(ask(1, &kA, X, SES), LOCK_DEADLOCK);
  CHECK_EQ(lockTrouble(S[1])->nCycle, 2);
  CHECK_EQ(lockRelease(S[1], &kB, X), LOCK_OK);
  CHECK(granted(0));
}
/* The first cycle has two soft edges.  Session 0 passes 3 and is granted. */
static void sceneSoft(void){
  inMemory();
  CHECK_EQ(try(0, &kA, SH, TXN), LOCK_OK);
  CHECK_EQ(try(1, &kB, SH, TXN), LOCK_OK);
  CHECK_EQ(ask(2, &kA, X, TXN), LOCK_WAITING);
  CHECK_EQ(ask(3, &kB, X, TXN), LOCK_WAITING);
  CHECK_EQ(ask(0, &kB, SH, TXN), LOCK_WAITING);
  CHECK_EQ(ask(1, &kA, SH, TXN), LOCK_WAITING);
  CHECK(granted(0) && waits(1) && waits(2) && waits(3));
  lockTxnEnd(S[0]);
  CHECK(granted(2));
  lockTxnEnd(S[2]);
  CHECK(granted(1));
}

/* A queue stands in an order with a cycle, as a death in the middle of a
** rearrangement can leave it.  The search must find the cycle from each of its
** sessions, also from the one whose request covers the one that leads back. */
static void sceneCycleAhead(void){
  static const int aStart[] = { 0, 2, 3 };
  Graph *g;
  u32 aOrder[2];
  int i;
  inMemory();
  CHECK_EQ(try(0, &kA, IS, SES), LOCK_OK);
  CHECK_EQ(try(1, &kA, IX, SES), LOCK_OK);
  CHECK_EQ(try(2, &kB, X, SES), LOCK_OK);
  CHECK_EQ(ask(2, &kA, SH, SES), LOCK_WAITING);
  CHECK_EQ(ask(3, &kA, X, SES), LOCK_WAITING);
  CHECK_EQ(ask(0, &kB, X, SES), LOCK_WAITING);
  aOrder[0] = segSession(seg(), lockSlot(S[3]))->waits;
  aOrder[1] = segSession(seg(), lockSlot(S[2]))->waits;
  g = graphInit(calloc(1, graphSize()));
  for(i=0; i<3; i++){
    CHECK_EQ(mutexEnter(seg()), MUTEX_ENTERED);
    recordReorder(seg(), aOrder, 2);
    CHECK_EQ(graphCheck(g, seg(), lockSlot(S[aStart[i]])), GRAPH_CURED);
    while( mutexLeave(seg()) ) sessionSweepAll(seg());
  }
  free(g);
}

/*------------------------------------------------- grant, give up, cancel ---*/

static LockRc rcHook;
static void hookRelease(void){ rcHook = lockRelease(S[0], &kA, X); }
static void hookGiveUp(void){ rcHook = lockGiveUp(S[1], LOCK_TIMEOUT); }
static void hookCancel(void){ rcHook = lockCancel(pF, lockSessionId(S[1])); }
static void hookWaitAgain(void){
  CHECK_EQ(lockGiveUp(S[1], LOCK_TIMEOUT), LOCK_TIMEOUT);
  rcHook = ask(1, &kA, X, SES);
}
static void held(void){
  inMemory();
  CHECK_EQ(try(0, &kA, X, SES), LOCK_OK);
  CHECK_EQ(ask(1, &kA, X, SES), LOCK_WAITING);
}
/* The lock is granted between the decision to give up and its store. */
static void sceneGrantedFirst(void){
  held();
  at(CRASH_WAIT_DECIDE, 1, hookRelease);
  CHECK_EQ(lockGiveUp(S[1], LOCK_TIMEOUT), LOCK_OK);
  CHECK_EQ(rcHook, LOCK_OK);
  CHECK_EQ(try(2, &kA, X, SES), LOCK_NO);
  CHECK_EQ(lockRelease(S[1], &kA, X), LOCK_OK);
  CHECK(whole());
}
static void sceneCancelledFirst(void){
  held();
  at(CRASH_WAIT_DECIDE, 1, hookCancel);
  CHECK_EQ(lockGiveUp(S[1], LOCK_TIMEOUT), LOCK_CANCELLED);
  CHECK_EQ(rcHook, LOCK_OK);
  CHECK(whole());
}
/* The same where the wait ends with an error.  The lock must go back, in each
** scope, and the next session in the queue must be granted. */
static void interrupted(u32 eScope){
  CHECK_EQ(try(0, &kA, X, SES), LOCK_OK);
  CHECK_EQ(ask(1, &kA, X, eScope), LOCK_WAITING);
  CHECK_EQ(ask(2, &kA, X, SES), LOCK_WAITING);
  at(CRASH_WAIT_DECIDE, 1, hookRelease);
  CHECK_EQ(lockGiveUp(S[1], LOCK_INTERRUPTED), LOCK_INTERRUPTED);
  CHECK_EQ(rcHook, LOCK_OK);
  CHECK(granted(2));
  CHECK(!lockHolding(S[1]));
  CHECK_EQ(lockRelease(S[1], &kA, X), LOCK_NO);
  CHECK_EQ(lockRelease(S[2], &kA, X), LOCK_OK);
  CHECK(whole());
  CHECK_EQ(segHeader(seg())->nRecord, 0);
}
static void sceneInterrupted(void){
  inMemory();
  interrupted(SES);
  interrupted(TXN);
  interrupted(LOCK_SCOPE_TURN);
}
/* A lock goes back while another thread is inside the mutex.  When that thread
** leaves it must grant the next request, without a poll. */
static void undoneBeside(u32 eScope){
  LockGrant g;
  CHECK_EQ(try(1, &kA, X, eScope), LOCK_OK);
  g = lockGranted(S[1]);
  CHECK_EQ(ask(2, &kA, X, SES), LOCK_WAITING);
  inside();
  lockUndo(S[1], &g);
  CHECK(waits(2));
  outside();
  CHECK(granted(2));
  CHECK_EQ(lockRelease(S[2], &kA, X), LOCK_OK);
  CHECK(whole());
  CHECK_EQ(segHeader(seg())->nRecord, 0);
}
/* A row and the intention on its table go back while the mutex is not free. */
static void undoneRow(u32 eScope){
  LockGrant table, row;
  CHECK_EQ(try(1, &kTable, IX, eScope), LOCK_OK);
  table = lockGranted(S[1]);
  CHECK_EQ(try(1, &kRow, X, eScope), LOCK_OK);
  row = lockGranted(S[1]);
  CHECK_EQ(ask(2, &kTable, X, SES), LOCK_WAITING);
  inside();
  lockUndo(S[1], &row);
  lockUndo(S[1], &table);
  outside();
  CHECK(granted(2));
  CHECK_EQ(try(3, &kRow, X, SES), LOCK_OK);
  CHECK_EQ(lockRelease(S[2], &kTable, X), LOCK_OK);
  CHECK_EQ(lockRelease(S[3], &kRow, X), LOCK_OK);
  CHECK(!lockHolding(S[1]));
  CHECK(whole());
  CHECK_EQ(segHeader(seg())->nRecord, 0);
}
static void sceneUndo(void){
  inMemory();
  undoneBeside(SES);
  undoneBeside(TXN);
  undoneBeside(LOCK_SCOPE_TURN);
  undoneRow(SES);
  undoneRow(TXN);
}
/* A session gives back more grants than it notes. */
static void sceneUndoMany(void){
  LockGrant table, a[6];
  LockKey k;
  i64 i;
  inMemory();
  for(i=0; i<6; i++){
    k = keyRow("t", i);
    CHECK_EQ(try(1, &kTable, IX, SES), LOCK_OK);
    table = lockGranted(S[1]);
    CHECK_EQ(try(1, &k, X, SES), LOCK_OK);
    a[i] = lockGranted(S[1]);
  }
  CHECK_EQ(ask(2, &kTable, X, SES), LOCK_WAITING);
  inside();
  for(i=0; i<6; i++){
    lockUndo(S[1], &a[i]);
    lockUndo(S[1], &table);
  }
  outside();
  CHECK(granted(2));
  k = keyRow("t", 0);
  CHECK_EQ(try(3, &k, X, SES), LOCK_OK);
  CHECK(!lockHolding(S[1]));
  CHECK_EQ(lockRelease(S[2], &kTable, X), LOCK_OK);
  CHECK_EQ(lockRelease(S[3], &k, X), LOCK_OK);
  CHECK(whole());
  CHECK_EQ(segHeader(seg())->nRecord, 0);
}
/* One hold of several goes back.  What was held before must stay. */
static void sceneUndoOne(void){
  LockGrant g;
  inMemory();
  CHECK_EQ(try(1, &kA, X, TXN), LOCK_OK);
  CHECK_EQ(try(1, &kA, X, SES), LOCK_OK);
  CHECK_EQ(try(1, &kA, X, SES), LOCK_OK);
  g = lockGranted(S[1]);
  lockUndo(S[1], &g);
  CHECK_EQ(lockRelease(S[1], &kA, X), LOCK_OK);
  CHECK_EQ(lockRelease(S[1], &kA, X), LOCK_NO);
  CHECK_EQ(try(1, &kA, X, SES), LOCK_OK);
  g = lockGranted(S[1]);
  lockUndo(S[1], &g);
  CHECK_EQ(try(1, &kA, X, LOCK_SCOPE_TURN), LOCK_OK);
  g = lockGranted(S[1]);
  lockUndo(S[1], &g);
  CHECK_EQ(try(2, &kA, X, SES), LOCK_NO);
  lockTxnEnd(S[1]);
  CHECK_EQ(try(2, &kA, X, SES), LOCK_OK);
  CHECK(whole());
  CHECK_EQ(try(1, &kB, X, SES), LOCK_OK);
  CHECK_EQ(try(1, &kB, X, TXN), LOCK_OK);
  g = lockGranted(S[1]);
  lockUndo(S[1], &g);
  CHECK_EQ(lockRelease(S[1], &kB, X), LOCK_OK);
  CHECK_EQ(try(2, &kB, X, SES), LOCK_OK);
  CHECK(whole());
}
/* A transaction hold beside a session hold goes back.  The level of the undo
** must be the level before that hold. */
static void sceneUndoHold(void){
  LockGrant g;
  inMemory();
  CHECK_EQ(try(1, &kA, X, SES), LOCK_OK);
  CHECK_EQ(try(1, &kA, X, TXN), LOCK_OK);
  g = lockGranted(S[1]);
  lockUndo(S[1], &g);
  CHECK_EQ(try(2, &kA, X, SES), LOCK_NO);
  CHECK_EQ(lockRelease(S[1], &kA, X), LOCK_OK);
  CHECK_EQ(try(2, &kA, X, SES), LOCK_OK);
  CHECK(whole());
}
/* The waiting session gives up between GRANT-TOKEN and GRANT-STATE. */
static void sceneGivenUpFirst(void){
  held();
  CHECK_EQ(ask(2, &kA, X, SES), LOCK_WAITING);
  at(CRASH_GRANT_TOKEN, 1, hookGiveUp);
  CHECK_EQ(lockRelease(S[0], &kA, X), LOCK_OK);
  CHECK_EQ(rcHook, LOCK_TIMEOUT);
  CHECK_EQ(lockRelease(S[1], &kA, X), LOCK_NO);
  CHECK(granted(2));
  CHECK(whole());
}
static void sceneCancelAtGrant(void){
  held();
  CHECK_EQ(ask(2, &kA, X, SES), LOCK_WAITING);
  at(CRASH_GRANT_TOKEN, 1, hookCancel);
  CHECK_EQ(lockRelease(S[0], &kA, X), LOCK_OK);
  CHECK_EQ(rcHook, LOCK_OK);
  CHECK_EQ(lockOutcome(S[1]), LOCK_CANCELLED);
  CHECK(granted(2));
  CHECK(whole());
}
/* Between a canceller's look and its store the wait ends, and another begins in
** the same slot. */
static void sceneCancelAim(void){
  held();
  at(CRASH_CANCEL_LOOK, 1, hookWaitAgain);
  CHECK_EQ(lockCancel(pF, lockSessionId(S[1])), LOCK_NO);
  CHECK_EQ(rcHook, LOCK_WAITING);
  CHECK(waits(1));
}

/*------------------------------------------------- ends without the mutex ---*/

static void sceneEndInside(void){
  inMemory();
  CHECK_EQ(try(0, &kA, X, TXN), LOCK_OK);
  CHECK_EQ(ask(1, &kA, X, SES), LOCK_WAITING);
  inside();
  lockTxnEnd(S[0]);
  CHECK(waits(1));
  outside();
  CHECK(granted(1));
}
/* The mutex's owner has swept.  The rollback level must rise before the session
** acquires anything. */
static void sceneSettleLevel(void){
  u32 iLevel;
  inMemory();
  CHECK_EQ(try(0, &kA, X, TXN), LOCK_OK);
  iLevel = lockLevel(S[0]);
  CHECK_EQ(try(0, &kB, X, TXN), LOCK_OK);
  inside();
  lockRollbackTo(S[0], iLevel);
  outside();
  CHECK_EQ(try(0, &kC, X, TXN), LOCK_OK);
  CHECK_EQ(try(1, &kA, X, SES), LOCK_NO);
  CHECK_EQ(try(1, &kB, X, SES), LOCK_OK);
  CHECK_EQ(try(1, &kC, X, SES), LOCK_NO);
}
/* The session ends a second time while its first end is swept. */
static void hookEnd(void){ lockTxnEnd(S[0]); }
static void sceneEndAgain(void){
  u32 iLevel;
  inMemory();
  CHECK_EQ(try(0, &kA, X, TXN), LOCK_OK);
  iLevel = lockLevel(S[0]);
  CHECK_EQ(try(0, &kB, X, TXN), LOCK_OK);
  CHECK_EQ(ask(1, &kA, X, SES), LOCK_WAITING);
  inside();
  lockRollbackTo(S[0], iLevel);
  at(CRASH_SWEEP_FLAG, 1, hookEnd);
  outside();
  CHECK(granted(1));
  CHECK(whole());
}

/*------------------------------------------------------------- the mutex ---*/

static u64 iWordInside;
static void *enterer(void *p){
  (void)p;
  atomicSetRel(&iTid, (u32)syscall(SYS_gettid));
  CHECK_EQ(mutexEnter(seg()), MUTEX_ENTERED);
  iWordInside = segHeader(seg())->mutex;
  outside();
  return 0;
}
static void sceneWaiters(void){
  u64 *pWord;
  pthread_t t;
  inMemory();
  pWord = &segHeader(seg())->mutex;
  inside();
  pthread_create(&t, 0, enterer, 0);
  while( !(atomicGetAcq(pWord) & MUTEX_WAITERS) ){
    int tid = (int)atomicGetAcq(&iTid);
    if( tid && threadState(tid)=='S' ) break;
    restUs(100);
  }
  CHECK(atomicGet(pWord) & MUTEX_WAITERS);
  aPass[CRASH_MUTEX_WAKE] = 0;
  outside();
  pthread_join(t, 0);
  CHECK(iWordInside & MUTEX_WAITERS);
  CHECK_EQ(aPass[CRASH_MUTEX_WAKE], 2);
}

/* A process that waits for the mutex is stopped itself, for longer than its
** patience lasts.  It must count no more than a moment of that. */
static void actEnter(void){
  inFile();
  raise(SIGSTOP);
  CHECK_EQ(mutexEnter(seg()), MUTEX_ENTERED);
  outside();
}
static void scenePatience(void){
  pid_t pid;
  inFile();
  pid = other(actEnter);
  inside();
  signalOne(pid, SIGCONT);
  while( !(atomicGet(&segHeader(seg())->mutex) & MUTEX_WAITERS) ) osSleep(100);
  signalOne(pid, SIGSTOP);
  await(pid);
  CHECK(WIFSTOPPED(iState));
  osSleep(1200000);
  signalOne(pid, SIGCONT);
  osSleep(100000);               /* it looks, and goes on waiting */
  outside();
  await(pid);
  CHECK(WIFSTOPPED(iState));     /* at the end of other() */
  signalOne(pid, SIGCONT);
  await(pid);
  CHECK(WIFEXITED(iState) && WEXITSTATUS(iState)==0);
}
/* A living process is stopped inside.  No other may take the mutex from it. */
static void actStopInside(void){
  inFile();
  at(CRASH_INSERT_VALID, 1, stopHere);
  CHECK_EQ(try(0, &kB, X, SES), LOCK_OK);
}
static void sceneLiveOwner(void){
  pid_t pid;
  inFile();
  pid = other(actStopInside);
  CHECK(WIFSTOPPED(iState));
  CHECK_EQ(mutexTry(seg(), 0), MUTEX_BUSY);
  signalOne(pid, SIGCONT);
  await(pid);
  CHECK(WIFSTOPPED(iState));
  CHECK_EQ(try(0, &kA, X, SES), LOCK_OK);
  CHECK_EQ(try(0, &kB, X, SES), LOCK_NO);
  killed(pid);
  CHECK_EQ(try(0, &kB, X, SES), LOCK_OK);
  CHECK(whole());
}
/* A row and the intention on its table must be released together, although a
** process stops inside the mutex at the first moment when it is free. */
static pid_t pidInside;
static void hookStopInside(void){ pidInside = other(actStopInside); }
static void sceneRowRelease(void){
  int e = LOCK_OK;
  inFile();
  CHECK_EQ(try(1, &kTable, IX, SES), LOCK_OK);
  CHECK_EQ(try(1, &kRow, X, SES), LOCK_OK);
  at(CRASH_MUTEX_LEAVE, 1, hookStopInside);
  e = (int)lockReleaseRow(S[1], &kRow, X, &kTable, IX);
  killed(pidInside);
  CHECK_EQ(e, LOCK_OK);
  CHECK_EQ(try(2, &kTable, X, SES), LOCK_OK);
  CHECK_EQ(lockReleaseRow(S[1], &kRow, X, &kTable, IX), LOCK_NO);
  CHECK(whole());
}

/*---------------------------------------------------------------- deaths ---*/

static int iDieAt;
static void actHold(void){
  inFile();
  CHECK_EQ(try(0, &kA, X, SES), LOCK_OK);
}
static void actReleaseDie(void){
  actHold();
  raise(SIGSTOP);
  at(iDieAt, 1, dieHere);
  lockRelease(S[0], &kA, X);
}
/* A process dies with a record half removed.  The next owner must rebuild. */
static void sceneRebuild(void){
  pid_t pid;
  inFile();
  iDieAt = CRASH_REMOVE_STATE;
  pid = other(actReleaseDie);
  signalOne(pid, SIGCONT);
  await(pid);
  CHECK(WIFSIGNALED(iState));
  CHECK(whole());
  CHECK_EQ(segHeader(seg())->stat[STAT_RECOVERIES], 1);
  CHECK_EQ(try(0, &kA, X, SES), LOCK_OK);
}
/* The same with a waiting session, which the rebuild must grant, not a poll. */
static void sceneRebuildScans(void){
  pid_t pid;
  inFile();
  iDieAt = CRASH_REMOVE_LIST;
  pid = other(actReleaseDie);
  CHECK_EQ(ask(1, &kA, X, SES), LOCK_WAITING);
  signalOne(pid, SIGCONT);
  await(pid);
  CHECK(WIFSIGNALED(iState));
  CHECK_EQ(try(0, &kB, X, SES), LOCK_OK);
  CHECK(granted(1));
}
static void actWait(void){
  inFile();
  CHECK_EQ(ask(0, &kA, X, SES), LOCK_WAITING);
}
/* The writer dies outside the mutex, or at a store of WRITER-EMPTY or
** WRITER-ENTER.  A session that waits for a row or a table must be granted by
** one poll, and a session that tries must be granted at once. */
static void actWrite(void){
  inFile();
  if( iDieAt ) at(CRASH_WRITER_EMPTY, iDieAt, dieHere);
  CHECK_EQ(lockWriterEnter(S[0]), LOCK_OK);
}
static void sceneWriterDies(void){
  pid_t pid;
  inFile();
  for(iDieAt=0; iDieAt<3; iDieAt++){
    pid = other(actWrite);
    if( iDieAt==0 ){
      CHECK_EQ(ask(1, &kRow, X, SES), LOCK_WAITING);
      CHECK_EQ(ask(2, &kTable, IX, SES), LOCK_WAITING);
      killed(pid);
      lockPoll(S[1]);
      CHECK(granted(1) && granted(2));           /* sweeping scans for both */
      CHECK_EQ(lockRelease(S[1], &kRow, X), LOCK_OK);
      CHECK_EQ(lockRelease(S[2], &kTable, IX), LOCK_OK);
      pid = other(actWrite);
      CHECK_EQ(try(1, &kRow, X, SES), LOCK_NO);
      killed(pid);
    }else CHECK(WIFSIGNALED(iState));
    CHECK_EQ(try(1, &kRow, X, SES), LOCK_OK);
    CHECK_EQ(lockRelease(S[1], &kRow, X), LOCK_OK);
    CHECK(whole());
  }
}
/* A process that waits for the writer dies.  An S waits behind its IX. */
static void actWaitTable(void){
  inFile();
  CHECK_EQ(ask(0, &kTable, IX, SES), LOCK_WAITING);
}
static void sceneWriterWaiterDies(void){
  pid_t pid;
  inFile();
  CHECK_EQ(lockWriterEnter(S[0]), LOCK_OK);
  pid = other(actWaitTable);
  CHECK_EQ(ask(1, &kTable, SH, SES), LOCK_WAITING);
  killed(pid);
  lockPoll(S[1]);
  CHECK(waits(1));
  lockTxnEnd(S[0]);
  CHECK(granted(1));
  CHECK_EQ(lockRelease(S[1], &kTable, SH), LOCK_OK);
  CHECK_EQ(lockWriterEnter(S[0]), LOCK_OK);      /* without a poll between */
  pid = other(actWaitTable);
  CHECK_EQ(ask(1, &kTable, SH, SES), LOCK_WAITING);
  killed(pid);
  lockTxnEnd(S[0]);
  lockPoll(S[1]);
  CHECK(granted(1));
  CHECK(whole());
}
/* A session waits behind a request whose process dies.  One poll must find
** it. */
static void scenePollAhead(void){
  pid_t pid;
  inFile();
  CHECK_EQ(try(0, &kA, SH, SES), LOCK_OK);
  pid = other(actWait);
  CHECK_EQ(ask(1, &kA, SH, SES), LOCK_WAITING);
  killed(pid);
  lockPoll(S[1]);
  CHECK(granted(1));
}
/* A session that has requested a lock makes other calls. */
static LockRc request(int i, const LockKey *k, u32 eMode){
  LockWait w = { -1, 0, 0, 0 };
  return lockRequest(S[i], k, eMode, &w);
}
static void sceneRequest(void){
  u64 n;
  inMemory();
  CHECK_EQ(try(0, &kA, X, SES), LOCK_OK);
  CHECK_EQ(try(2, &kC, X, SES), LOCK_OK);
  CHECK_EQ(request(1, &kA, X), LOCK_WAITING);
  CHECK_EQ(request(1, &kC, X), LOCK_PENDING);
  CHECK_EQ(try(1, &kB, X, SES), LOCK_OK);
  CHECK_EQ(try(1, &kA, X, SES), LOCK_NO);
  CHECK_EQ(request(1, &kB, X), LOCK_OK);
  CHECK_EQ(lockStands(S[1]), LOCK_WAITING);
  CHECK_EQ(lockRelease(S[0], &kA, X), LOCK_OK);
  CHECK(lockPending(S[1]));
  CHECK_EQ(try(0, &kA, X, SES), LOCK_NO);
  CHECK_EQ(lockRelease(S[1], &kA, X), LOCK_NO);    /* it is not taken yet */
  CHECK_EQ(try(1, &kA, X, SES), LOCK_OK);
  CHECK_EQ(lockReleaseAll(S[1], ~0u, ~0u, &n), LOCK_OK);
  CHECK_EQ(n, 3);
  CHECK_EQ(try(0, &kA, X, SES), LOCK_NO);
  CHECK_EQ(lockStands(S[1]), LOCK_OK);
  CHECK(!lockPending(S[1]) && lockGrantToken(S[1])>0);
  CHECK_EQ(lockRelease(S[1], &kA, X), LOCK_OK);
  CHECK_EQ(try(0, &kA, X, SES), LOCK_OK);
  CHECK(whole());
}
/* It withdraws, before and after the grant; it ends with its session. */
static void sceneRequestEnds(void){
  inMemory();
  CHECK_EQ(try(0, &kA, X, SES), LOCK_OK);
  CHECK_EQ(request(1, &kA, X), LOCK_WAITING);
  CHECK_EQ(ask(2, &kA, X, SES), LOCK_WAITING);
  CHECK_EQ(lockGiveUp(S[1], LOCK_INTERRUPTED), LOCK_INTERRUPTED);
  CHECK_EQ(request(1, &kA, X), LOCK_WAITING);
  CHECK_EQ(lockRelease(S[0], &kA, X), LOCK_OK);
  CHECK(granted(2));
  CHECK_EQ(lockRelease(S[2], &kA, X), LOCK_OK);
  CHECK_EQ(try(1, &kB, X, SES), LOCK_OK);          /* the last grant, not its */
  CHECK_EQ(lockGiveUp(S[1], LOCK_INTERRUPTED), LOCK_INTERRUPTED);
  CHECK_EQ(lockRelease(S[1], &kB, X), LOCK_OK);
  CHECK_EQ(try(0, &kA, X, SES), LOCK_OK);
  CHECK_EQ(request(1, &kA, X), LOCK_WAITING);
  CHECK_EQ(lockRelease(S[0], &kA, X), LOCK_OK);
  CHECK_EQ(ask(2, &kA, X, SES), LOCK_WAITING);
  lockSessionEnd(S[1]);
  S[1] = beginOrDie(pF);
  CHECK(granted(2));
  CHECK_EQ(request(1, &kA, X), LOCK_WAITING);
  CHECK_EQ(lockCancel(pF, lockSessionId(S[1])), LOCK_OK);
  CHECK_EQ(lockStands(S[1]), LOCK_CANCELLED);
  CHECK(!lockPending(S[1]) && whole());
}
/* A request is a wait: the session that would complete a cycle is told. */
static void sceneRequestCycle(void){
  inMemory();
  CHECK_EQ(try(0, &kA, X, SES), LOCK_OK);
  CHECK_EQ(try(1, &kB, X, SES), LOCK_OK);
  CHECK_EQ(request(0, &kB, X), LOCK_WAITING);
  CHECK_EQ(request(1, &kA, X), LOCK_DEADLOCK);
  CHECK(!lockPending(S[1]));
  CHECK_EQ(try(0, &kC, X, SES), LOCK_OK);
  CHECK_EQ(request(1, &kC, X), LOCK_DEADLOCK);
  CHECK_EQ(lockRelease(S[1], &kB, X), LOCK_OK);
  CHECK_EQ(lockStands(S[0]), LOCK_OK);
  CHECK(whole());
}
/* A row's request keeps the intention on the table. */
static void sceneRequestRow(void){
  LockGrant g;
  u64 n;
  inMemory();
  CHECK_EQ(try(0, &kTable, IX, SES), LOCK_OK);
  CHECK_EQ(try(0, &kRow, X, SES), LOCK_OK);
  CHECK_EQ(try(1, &kTable, IX, SES), LOCK_OK);
  g = lockGranted(S[1]);
  CHECK_EQ(request(1, &kRow, X), LOCK_WAITING);
  lockRequestKeeps(S[1], &g);
  CHECK_EQ(lockReleaseAll(S[1], ~0u, ~0u, &n), LOCK_OK);
  CHECK_EQ(n, 0);
  CHECK_EQ(lockReleaseAll(S[0], ~0u, ~0u, &n), LOCK_OK);
  CHECK_EQ(try(0, &kTable, SH, SES), LOCK_NO);
  CHECK_EQ(lockRelease(S[1], &kTable, IX), LOCK_NO);
  CHECK_EQ(lockStands(S[1]), LOCK_OK);
  CHECK_EQ(lockReleaseRow(S[1], &kRow, X, &kTable, IX), LOCK_OK);
  CHECK(!lockHolding(S[1]) && whole());
}
/* Nothing wakes a session that does not sleep.  It must poll itself. */
static void sceneRequestHolderDies(void){
  u64 usEnd = osMonotonicUs() + 5000000;
  pid_t pid;
  inFile();
  pid = other(actHold);
  CHECK_EQ(request(1, &kA, X), LOCK_WAITING);
  killed(pid);
  while( osMonotonicUs()<usEnd && lockStands(S[1])==LOCK_WAITING ){
    osSleep(1000);
  }
  CHECK(!lockPending(S[1]));
  CHECK_EQ(lockRelease(S[1], &kA, X), LOCK_OK);
}
static void scenePollHolder(void){
  pid_t pid;
  inFile();
  pid = other(actHold);
  CHECK_EQ(ask(1, &kA, X, SES), LOCK_WAITING);
  killed(pid);
  lockPoll(S[1]);
  CHECK(granted(1));
  CHECK_EQ(lockRelease(S[1], &kA, X), LOCK_OK);
  pid = other(actHold);
  killed(pid);
  CHECK_EQ(try(1, &kA, X, SES), LOCK_OK);
}
static void actShare(void){
  inFile();
  CHECK_EQ(try(0, &kA, SH, SES), LOCK_OK);
}
/* The first holder is dead, the second alive: a request that is refused names
** the second, and only the first has lost its lock. */
static void sceneProbeFirst(void){
  pid_t pid;
  inFile();
  pid = other(actShare);
  CHECK_EQ(try(1, &kA, SH, SES), LOCK_OK);
  killed(pid);
  CHECK_EQ(try(2, &kA, X, SES), LOCK_NO);
  CHECK_EQ(lockTrouble(S[2])->iBlocker, lockSessionId(S[1]));
  CHECK_EQ(segHeader(seg())->nRecord, 1);
  CHECK_EQ(ask(2, &kA, X, SES), LOCK_WAITING);
  CHECK_EQ(lockRelease(S[1], &kA, SH), LOCK_OK);
  CHECK(granted(2));
  CHECK(whole());
}
/* A process dies right after its record became valid, in a slot whose last user
** was this process.  No old record may be valid again.  A session keeps the
** slot that it freed last, so it frees two. */
static void actAcquireDie(void){
  inFile();
  at(CRASH_INSERT_VALID, 1, dieHere);
  try(0, &kB, X, SES);
}
static void sceneValidLast(void){
  inFile();
  CHECK_EQ(try(0, &kA, X, SES), LOCK_OK);
  CHECK_EQ(try(0, &kC, X, SES), LOCK_OK);
  CHECK_EQ(lockRelease(S[0], &kA, X), LOCK_OK);
  CHECK_EQ(lockRelease(S[0], &kC, X), LOCK_OK);
  other(actAcquireDie);
  CHECK(WIFSIGNALED(iState));
  CHECK_EQ(try(1, &kA, X, SES), LOCK_OK);
  CHECK_EQ(try(1, &kB, X, SES), LOCK_OK);
  CHECK_EQ(try(1, &kC, X, SES), LOCK_OK);
  CHECK_EQ(lockRelease(S[0], &kA, X), LOCK_NO);
  CHECK_EQ(lockRelease(S[0], &kC, X), LOCK_NO);
  CHECK(whole());
}

/* A process dies inside the mutex, and another rebuilds while the writer reads
** guard words. */
static void actDieInside(void){
  inFile();
  at(CRASH_INSERT_VALID, 1, dieHere);
  try(0, &kTable, IS, SES);
}
static void sceneGuardRebuild(void){
  int i;
  inFile();
  for(i=1; i<=(int)SEG_GUARDS; i+=15){
    CHECK_EQ(try(1, &kTable, IX, SES), LOCK_OK);
    other(actDieInside);
    CHECK(WIFSIGNALED(iState));
    CHECK_EQ(segHeader(seg())->guard[kTable.iHash%SEG_GUARDS], 2);
    CHECK_EQ(try(2, &kB, X, SES), LOCK_OK);      /* rebuilds */
    CHECK_EQ(lockRelease(S[2], &kB, X), LOCK_OK);
    CHECK_EQ(lockWriterEnter(S[0]), LOCK_OK);
    other(actAcquireDie);
    CHECK(WIFSIGNALED(iState));
    readAt(CRASH_REBUILD_GUARD, i);
    CHECK_EQ(try(2, &kC, X, SES), LOCK_OK);      /* the writer reads them */
    CHECK_EQ(lockRelease(S[2], &kC, X), LOCK_OK);
    CHECK_EQ(nSaw, 1);
    CHECK_EQ(nFree, 0);
    CHECK(!free0());
    CHECK_EQ(lockRelease(S[1], &kTable, IX), LOCK_OK);
    CHECK(free0());
    lockTxnEnd(S[0]);
  }
  CHECK(whole());
}
/* Threads may sleep on a word whose WAITERS bit was lost with the dead owner.
** The process that takes the mutex over must wake them. */
static u64 wTaken;
static void hookTaken(void){ wTaken = atomicGet(&segHeader(seg())->mutex); }
static void sceneTakeOver(void){
  inFile();
  other(actDieInside);
  CHECK(WIFSIGNALED(iState));
  at(CRASH_MUTEX_TAKE, 1, hookTaken);
  CHECK_EQ(try(1, &kB, X, SES), LOCK_OK);
  CHECK(wTaken & MUTEX_WAITERS);
}
/* A grant goes back after a rebuild, which has put it behind older ones in its
** session's list.  The next request must be granted, without a poll. */
static void sceneUndoRebuilt(void){
  LockGrant g;
  inFile();
  CHECK_EQ(try(1, &kA, X, SES), LOCK_OK);
  CHECK_EQ(try(1, &kB, X, SES), LOCK_OK);
  CHECK_EQ(try(1, &kC, X, SES), LOCK_OK);
  g = lockGranted(S[1]);
  other(actDieInside);
  CHECK(WIFSIGNALED(iState));
  CHECK_EQ(ask(2, &kC, X, SES), LOCK_WAITING);   /* rebuilds */
  CHECK_EQ(segHeader(seg())->stat[STAT_RECOVERIES], 1);
  lockUndo(S[1], &g);
  CHECK(granted(2));
  CHECK_EQ(try(3, &kA, X, SES), LOCK_NO);
  CHECK(whole());
}

/* The owner dies while a thread that has probed it once sleeps. */
static LockRc rcAsleep;
static void *askAsleep(void *p){
  atomicSetRel(&iTid, (u32)syscall(SYS_gettid));
  rcAsleep = try(1, &kA, X, SES);
  return p;
}
static void sceneOwnerDies(void){
  u64 *pWord;
  pthread_t t;
  pid_t pid;
  alarm(8);
  inFile();
  pWord = &segHeader(seg())->mutex;
  pid = other(actStopInside);
  CHECK(WIFSTOPPED(iState));
  pthread_create(&t, 0, askAsleep, 0);
  while( !(atomicGet(pWord) & MUTEX_WAITERS)
      || threadState((int)atomicGetAcq(&iTid))!='S' ) osSleep(100);
  osSleep(30000);                /* longer than to its probe */
  killed(pid);
  pthread_join(t, 0);
  CHECK_EQ(rcAsleep, LOCK_OK);
  CHECK_EQ(segHeader(seg())->stat[STAT_RECOVERIES], 1);
  CHECK(whole());
}

/*----------------------------------------------------------------- fork ---*/

/* Runs in a fork's child, which holds nothing and must change nothing.  Every
** call must return LOCK_FORKED.  Returns the exit status. */
static int childOfFork(int iWaiter){
  LockFile *p = 0;
  LockSession *s = 0;
  u64 n;
  if( lockOutcome(S[iWaiter])!=LOCK_FORKED ) return 1;
  if( lockGiveUp(S[iWaiter], LOCK_TIMEOUT)!=LOCK_FORKED ) return 2;
  if( try(0, &kC, X, SES)!=LOCK_FORKED ) return 3;
  if( lockRelease(S[0], &kA, X)!=LOCK_FORKED ) return 4;
  if( lockReleaseAll(S[0], ~0u, ~0u, &n)!=LOCK_FORKED ) return 5;
  if( lockCancel(pF, 1)!=LOCK_FORKED ) return 6;
  if( lockSessionBegin(pF, &s)==LOCK_OK ) return 7;
  lockTxnEnd(S[0]);
  lockSessionEnd(S[0]);
  lockSessionEnd(S[iWaiter]);
  p = openOrDie(zDb);                   /* its own process */
  if( p==pF ) return 8;
  return 0;
}
static int iForked;
static void hookFork(void){
  pid_t pid = fork();
  if( pid==0 ) _exit(childOfFork(1));
  CHECK_EQ(waitpid(pid, &iForked, 0), pid);
}
static void sceneForkWaiting(void){
  inFile();
  CHECK_EQ(try(0, &kA, X, SES), LOCK_OK);
  CHECK_EQ(try(0, &kB, X, TXN), LOCK_OK);
  CHECK_EQ(ask(1, &kA, X, SES), LOCK_WAITING);
  hookFork();
  CHECK_EQ(iForked, 0);
  CHECK(waits(1));
  CHECK_EQ(try(2, &kB, X, SES), LOCK_NO);
  CHECK_EQ(lockRelease(S[0], &kA, X), LOCK_OK);
  CHECK(granted(1));
  CHECK(whole());
}
/* Inside the mutex, with a record half made. */
static void sceneForkInside(void){
  inFile();
  CHECK_EQ(try(0, &kA, X, SES), LOCK_OK);
  CHECK_EQ(ask(1, &kA, X, SES), LOCK_WAITING);
  at(CRASH_INSERT_FILL, 1, hookFork);
  CHECK_EQ(try(0, &kB, X, SES), LOCK_OK);
  CHECK_EQ(iForked, 0);
  CHECK_EQ(try(2, &kB, X, SES), LOCK_NO);
  CHECK_EQ(segHeader(seg())->stat[STAT_RECOVERIES], 0);
  CHECK(waits(1));
  CHECK(whole());
}

/*--------------------------------------------------------- attach, growth ---*/

/* No process may format the file between ATTACH-NUMBER and ATTACH-BYTE. */
static void actAttach(void){
  at(CRASH_ATTACH_NUMBER, 1, stopHere);
  pF = openOrDie(zDb);
}
static void sceneAttach(void){
  pid_t pid;
  inFile();
  pid = other(actAttach);
  CHECK(WIFSTOPPED(iState));
  CHECK_EQ(osLockFirst(&seg()->file, OS_EXCLUSIVE, 0), LOCK_BUSY);
  signalOne(pid, SIGCONT);
  await(pid);
  CHECK_EQ(osLockFirst(&seg()->file, OS_EXCLUSIVE, 0), LOCK_OK);
  CHECK_EQ(osLockFirst(&seg()->file, OS_UNLOCKED, 0), LOCK_OK);
  killed(pid);
}
/* Two processes attach at once.  Each must get a bell of its own. */
static void sceneAttachBoth(void){
  SegHeader *h;
  pid_t pid, pid2;
  inFile();
  h = segHeader(seg());
  pid = other(actAttach);
  CHECK(WIFSTOPPED(iState));
  pid2 = other(inFile);
  signalOne(pid, SIGCONT);
  await(pid);
  CHECK(SEG_BELL_OWNER(h->bell[1])!=SEG_BELL_OWNER(h->bell[2]));
  CHECK_EQ(osNumberHeld(&seg()->file, SEG_BELL_OWNER(h->bell[1])), 1);
  CHECK_EQ(osNumberHeld(&seg()->file, SEG_BELL_OWNER(h->bell[2])), 1);
  killed(pid);
  iState = 0;                    /* that of the other child */
  killed(pid2);
}
/* Two processes grow at once.  Neither the length nor the room for sessions
** may fall. */
static void hookGrow(void){
  CHECK_EQ(segGrow(seg()), LOCK_OK);
  CHECK_EQ(segGrow(seg()), LOCK_OK);
}
static void hookGrowSessions(void){
  CHECK_EQ(segGrowSessions(seg()), LOCK_OK);
  CHECK_EQ(segGrowSessions(seg()), LOCK_OK);
}
static void sceneGrow(void){
  u32 n = 4*SEG_FIRST_RECORDS;
  inFile();
  at(CRASH_GROW_EXTEND, 1, hookGrow);
  CHECK_EQ(segGrow(seg()), LOCK_OK);
  CHECK_EQ(segHeader(seg())->length, SEG_EXTENTS+LIMIT_EXTENT*4+n*128);
  at(CRASH_GROW_BLOCKS, 1, hookGrowSessions);
  CHECK_EQ(segGrowSessions(seg()), LOCK_OK);
  CHECK_EQ(segHeader(seg())->roomSession, 4*SEG_FIRST_SESSIONS);
  CHECK(whole());
}

/*------------------------------------------------------------ semaphores ---*/

static LockKey permits(u8 n){
  LockKey k;
  keyMake(&k, KEY_SEMAPHORE, "s", 1);
  k.nPermit = n;
  return k;
}
/* Two of four sessions are inside, and the others get in in their order. */
static void sceneSemaphore(void){
  LockKey k2 = permits(2), k3 = permits(3);
  inMemory();
  CHECK_EQ(try(0, &k2, X, SES), LOCK_OK);
  CHECK_EQ(try(1, &k2, X, TXN), LOCK_OK);
  CHECK_EQ(try(0, &k2, X, SES), LOCK_OK);
  CHECK_EQ(try(2, &k2, X, SES), LOCK_NO);
  CHECK_EQ(ask(2, &k2, X, SES), LOCK_WAITING);
  CHECK_EQ(ask(3, &k3, X, SES), LOCK_WAITING);    /* behind the one ahead */
  CHECK_EQ(try(4, &k3, X, SES), LOCK_NO);
  CHECK_EQ(lockRelease(S[0], &k2, X), LOCK_OK);
  CHECK(waits(2));
  CHECK_EQ(lockRelease(S[0], &k2, X), LOCK_OK);
  CHECK(granted(2) && granted(3));
  CHECK_EQ(try(4, &k3, X, SES), LOCK_NO);
  lockTxnEnd(S[1]);
  CHECK_EQ(try(4, &k3, X, SES), LOCK_OK);
  CHECK_EQ(ask(0, &k2, X, SES), LOCK_WAITING);
  CHECK_EQ(lockRelease(S[4], &k2, X), LOCK_OK);
  CHECK(waits(0));
  CHECK_EQ(lockRelease(S[3], &k2, X), LOCK_OK);
  CHECK(granted(0));
  CHECK(whole());
}
/* A cycle through one permit is a deadlock; through one of several it is none,
** since another holder can give its own back. */
static void sceneSemaphoreCycle(void){
  LockKey k1 = permits(1), k2 = permits(2);
  inMemory();
  CHECK_EQ(try(0, &k2, X, SES), LOCK_OK);
  CHECK_EQ(try(1, &k2, X, SES), LOCK_OK);
  CHECK_EQ(try(2, &kA, X, SES), LOCK_OK);
  CHECK_EQ(ask(0, &kA, X, SES), LOCK_WAITING);
  CHECK_EQ(ask(2, &k2, X, SES), LOCK_WAITING);
  CHECK_EQ(ask(3, &k1, X, SES), LOCK_WAITING);
  CHECK_EQ(lockRelease(S[1], &k2, X), LOCK_OK);
  CHECK(granted(2) && waits(3));
  CHECK_EQ(lockRelease(S[2], &k2, X), LOCK_OK);
  CHECK(waits(3));
  CHECK_EQ(ask(2, &k1, X, SES), LOCK_DEADLOCK);
  CHECK(whole());
}
/* A request stays in front of one that names more permits. */
static void sceneSemaphoreOrder(void){
  LockKey k2 = permits(2), k3 = permits(3);
  inMemory();
  CHECK_EQ(try(0, &k2, X, SES), LOCK_OK);
  CHECK_EQ(try(1, &k2, X, SES), LOCK_OK);
  CHECK_EQ(ask(2, &k2, X, SES), LOCK_WAITING);
  CHECK_EQ(ask(3, &k3, X, SES), LOCK_WAITING);
  lockPoll(S[3]);
  CHECK(waits(2) && waits(3));
  CHECK_EQ(lockRelease(S[0], &k2, X), LOCK_OK);
  CHECK(granted(2) && granted(3));
  CHECK(whole());
}
/* A session's request without a wait is not passed by another call of the same
** session, whatever that names: the permit would block the request. */
static void sceneSemaphoreOwn(void){
  LockKey k1 = permits(1), k2 = permits(2), k3 = permits(3);
  LockWait w = { -1, 0, 0, 0 };
  inMemory();
  CHECK_EQ(try(0, &k2, X, SES), LOCK_OK);
  CHECK_EQ(request(1, &k1, X), LOCK_WAITING);
  CHECK_EQ(try(1, &k2, X, SES), LOCK_NO);
  CHECK_EQ(try(1, &k3, X, TXN), LOCK_NO);
  CHECK_EQ(lockSkip(S[1], &k3, X, SES), LOCK_NO);
  CHECK_EQ(lockAcquire(S[1], &k3, X, SES, &w), LOCK_PENDING);
  CHECK_EQ(lockRelease(S[0], &k2, X), LOCK_OK);
  CHECK_EQ(lockStands(S[1]), LOCK_OK);
  CHECK_EQ(try(1, &k3, X, SES), LOCK_OK);           /* the same permit again */
  CHECK_EQ(try(2, &k2, X, SES), LOCK_OK);
  CHECK(whole());
}
/* A process dies with a permit, another one with a request ahead. */
static void actPermit(void){
  LockKey k = permits(2);
  inFile();
  CHECK_EQ(ask(0, &k, X, SES), iDieAt ? LOCK_WAITING : LOCK_OK);
}
static void sceneSemaphoreDies(void){
  LockKey k = permits(2);
  pid_t pid, pidAhead;
  inFile();
  iDieAt = 0;
  pid = other(actPermit);
  CHECK_EQ(try(0, &k, X, SES), LOCK_OK);
  iDieAt = 1;
  pidAhead = other(actPermit);
  CHECK_EQ(ask(1, &k, X, SES), LOCK_WAITING);
  killed(pidAhead);
  lockPoll(S[1]);
  CHECK(waits(1));
  iState = 0;                    /* that of the other child */
  killed(pid);
  lockPoll(S[1]);
  CHECK(granted(1));
  CHECK_EQ(lockRelease(S[1], &k, X), LOCK_OK);
  iDieAt = 0;
  pid = other(actPermit);
  killed(pid);
  CHECK_EQ(try(1, &k, X, SES), LOCK_OK);
  CHECK(whole());
}

/* Of two processes with a permit the second one dies. */
static void sceneSemaphoreSecond(void){
  LockKey k = permits(2);
  pid_t pid, pid2;
  inFile();
  iDieAt = 0;
  pid = other(actPermit);
  pid2 = other(actPermit);
  CHECK_EQ(try(0, &k, X, SES), LOCK_NO);
  killed(pid2);
  CHECK_EQ(try(0, &k, X, SES), LOCK_OK);
  iState = 0;                    /* that of the other child */
  killed(pid);
  CHECK(whole());
}

/*--------------------------------------------------------- sets of locks ---*/

/* A session gives a set back, alone, while another thread is inside, while one
** leaves in between, and after a rebuild, which has put the set behind other
** locks in the session's list.  Nothing of the set is left, and each session
** that waits for a part of it is granted that. */
enum { ALONE, BESIDE, BETWEEN, REBUILT, HOWS };
static void setBack(const LockGrant *a, int eHow){
  int i;
  if( eHow!=ALONE ) inside();
  for(i=8; i>=0; i--){
    lockUndo(S[0], &a[i]);
    if( eHow==BETWEEN && i==6 ){
      outside();
      inside();
    }
  }
  if( eHow!=ALONE ) outside();
}
static void sceneSet(void){
  LockKey aKey[9];
  LockGrant a[9];
  int i, eHow;
  inFile();
  for(i=0; i<9; i++) aKey[i] = keyInt(100+i);
  CHECK_EQ(try(0, &kA, X, SES), LOCK_OK);
  CHECK_EQ(try(0, &kB, X, SES), LOCK_OK);
  CHECK_EQ(try(0, &aKey[4], X, SES), LOCK_OK);   /* held before, and stays */
  for(eHow=0; eHow<HOWS; eHow++){
    for(i=0; i<9; i++){
      CHECK_EQ(try(0, &aKey[i], X, SES), LOCK_OK);
      a[i] = lockGranted(S[0]);
    }
    if( eHow==REBUILT ) killed(other(actDieInside));
    CHECK_EQ(ask(1, &aKey[0], X, SES), LOCK_WAITING);
    CHECK_EQ(ask(2, &aKey[8], X, SES), LOCK_WAITING);
    CHECK_EQ(ask(3, &aKey[6], X, SES), LOCK_WAITING);
    setBack(a, eHow);
    if( eHow==REBUILT ) CHECK(lockHolding(S[0]));    /* it settles */
    CHECK(granted(1) && granted(2) && granted(3));
    CHECK_EQ(try(1, &aKey[4], X, SES), LOCK_NO);
    CHECK(lockHolding(S[0]));
    CHECK_EQ(segHeader(seg())->nRecord, 6);
    for(i=1; i<4; i++) lockReleaseAll(S[i], ~0u, ~0u, 0);
    CHECK(whole());
  }
}

/*-------------------------------------------------------------- channels ---*/

/* The number that a session has heard last, and whether it is a new one. */
static u64 aNumber[5];
static u32 aListen[5];
static void listens(int i){
  CHECK_EQ(lockListen(S[i], &kListen, &aListen[i]), LOCK_OK);
  lockListenWait(S[i], &kListen, aListen[i], 0, 0, &aNumber[i]);
}
static int heard(int i){
  u64 iNew = 0, iOld = aNumber[i];
  CHECK_EQ(lockListenWait(S[i], &kListen, aListen[i], 0, 0, &iNew), LOCK_OK);
  aNumber[i] = iNew;
  return iNew>iOld;
}
static void notes(int i){ CHECK_EQ(lockNotify(S[i], &kNotify), LOCK_OK); }
/* A note is sent at the end of its transaction, and only if that is no rollback
** of it: by the session, or by the mutex's owner. */
static void sceneNotify(void){
  int bInside;
  u32 iLevel;
  inMemory();
  listens(0);
  listens(2);
  for(bInside=0; bInside<2; bInside++){
    notes(1);
    CHECK(!heard(0));
    if( bInside ) inside();
    lockTxnEnd(S[1]);
    if( bInside ) outside();
    CHECK(heard(0) && heard(2) && !heard(0));
    notes(1);
    if( bInside ) inside();
    lockTxnRollback(S[1]);
    if( bInside ) outside();
    CHECK(!heard(0));
    CHECK_EQ(try(1, &kB, X, TXN), LOCK_OK);
    iLevel = lockLevel(S[1]);
    notes(1);
    if( bInside ) inside();
    lockRollbackTo(S[1], iLevel);
    lockTxnEnd(S[1]);
    if( bInside ) outside();
    CHECK(!heard(0));
    notes(1);
    iLevel = lockLevel(S[1]);
    notes(1);
    lockRollbackTo(S[1], iLevel);
    lockTxnEnd(S[1]);
    CHECK(heard(0));
  }
  CHECK_EQ(lockNotifyNow(S[0], &kNotify), LOCK_OK);
  CHECK(heard(0) && heard(2));
  CHECK_EQ(lockRelease(S[2], &kListen, SH), LOCK_OK);
  CHECK_EQ(lockRelease(S[2], &kListen, SH), LOCK_NO);
  CHECK(!lockHolding(S[0]));
  CHECK(whole());
}
static void sceneNotifyWakes(void){
  pthread_t t;
  inMemory();
  listens(0);
  notes(1);
  asleepOn(&t, &segHeader(seg())->event[kListen.iHash % SEG_EVENTS]);
  lockTxnEnd(S[1]);
  pthread_join(t, 0);
  CHECK(!bTimedOut);
}
/* A notification comes between the look at the number and the sleep.  It must
** end the sleep, in one round of many before a poll would. */
static void hookNotify(void){
  CHECK_EQ(lockNotifyNow(S[1], &kNotify), LOCK_OK);
}
static void sceneNotifyFirst(void){
  LockWait w = { 5000, 0, 0, 0 };
  u64 iNew = 0;
  int i, nQuick = 0;
  inMemory();
  listens(0);
  for(i=0; i<20; i++){
    u64 us = osMonotonicUs();
    at(CRASH_LISTEN_LOOK, 1, hookNotify);
    CHECK_EQ(lockListenWait(S[0], &kListen, aListen[0], aNumber[0], &w, &iNew),
             LOCK_OK);
    nQuick += osMonotonicUs()-us<50000;
    CHECK(heard(0));
  }
  CHECK(nQuick>0);
  w.msTimeout = 1;
  CHECK_EQ(lockListenWait(S[0], &kListen, aListen[0], iNew, &w, &iNew),
           LOCK_TIMEOUT);
}
/* A process dies with a note: outside the mutex, at its transaction's end, or
** in the middle of sending.  Every session that listens must be told. */
static const int aNoteDeath[] = {
  CRASH_NONE, CRASH_END_WORD, CRASH_END_FLAG, CRASH_RING_NUMBER,
  CRASH_RING_EVENT, CRASH_REMOVE_STATE, CRASH_REMOVE_LIST
};
static void actNoteDie(void){
  inFile();
  notes(0);
  if( iDieAt==CRASH_NONE ) return;
  at(iDieAt, 1, dieHere);
  lockTxnEnd(S[0]);
}
static int isTold(int i){
  LockWait w = { 5000, 0, 0, 0 };
  u64 iNew = 0;
  return lockListenWait(S[i], &kListen, aListen[i], aNumber[i], &w, &iNew)
             ==LOCK_OK && heard(i);
}
static void sceneNoteDies(void){
  size_t i;
  inFile();
  listens(0);
  listens(1);
  for(i=0; i<sizeof(aNoteDeath)/sizeof(aNoteDeath[0]); i++){
    iDieAt = aNoteDeath[i];
    killed(other(actNoteDie));
    CHECK(WIFSIGNALED(iState));
    CHECK(isTold(0) && isTold(1));
    CHECK(whole());
    heard(0);
    heard(1);
  }
}

static const struct { const char *zName; void (*x)(void); } aScene[] = {
  { "conflict matrix", sceneMatrix }, { "queue order", sceneQueue },
  { "grant wakes", sceneWake }, { "grant wakes later", sceneWakeLater },
  { "many grants wake", sceneWakeMany }, { "cancel wakes", sceneCancelWakes },
  { "leaving the mutex wakes", sceneMutexWakes },
  { "tokens grow", sceneToken },
  { "two scopes", sceneScopes }, { "rollback to", sceneSavepoint },
  { "upgrade in front", sceneUpgrade }, { "intention modes", sceneIntention },
  { "writer's place", sceneWriter }, { "queue and writer", sceneWriterQueue },
  { "writer's end beside the mutex", sceneWriterBeside },
  { "guard", sceneGuard }, { "guard word at a release", sceneGuardRelease },
  { "guard word at every store", sceneGuardStores },
  { "guard word, given up", sceneGuardGivenUp }, { "skip", sceneSkip },
  { "tables go last", sceneTablesLast },
  { "one hash, two keys", sceneHash }, { "split buckets", sceneSplit },
  { "deadlock", sceneDeadlock }, { "cured deadlock", sceneSoft },
  { "cycle of an order", sceneCycleAhead },
  { "granted before giving up", sceneGrantedFirst },
  { "granted before an interrupt", sceneInterrupted },
  { "a grant goes back beside the mutex", sceneUndo },
  { "more go back than are noted", sceneUndoMany },
  { "one hold of several goes back", sceneUndoOne },
  { "a hold beside another goes back", sceneUndoHold },
  { "a grant goes back after a rebuild", sceneUndoRebuilt },
  { "cancelled before giving up", sceneCancelledFirst },
  { "given up before the grant", sceneGivenUpFirst },
  { "cancelled before the grant", sceneCancelAtGrant },
  { "cancel hits its wait", sceneCancelAim },
  { "end beside the mutex", sceneEndInside },
  { "lock after a rollback", sceneSettleLevel },
  { "end during a sweep", sceneEndAgain },
  { "waiters bit", sceneWaiters }, { "stopped owner", sceneLiveOwner },
  { "row and table released", sceneRowRelease },
  { "stopped waiter for the mutex", scenePatience },
  { "waiters bit after a take-over", sceneTakeOver },
  { "owner dies before a sleeper", sceneOwnerDies },
  { "rebuild", sceneRebuild }, { "rebuild grants", sceneRebuildScans },
  { "guard word at a rebuild", sceneGuardRebuild },
  { "first blocker that lives", sceneProbeFirst },
  { "dead request ahead", scenePollAhead }, { "dead holder", scenePollHolder },
  { "request", sceneRequest }, { "request ends", sceneRequestEnds },
  { "request in a cycle", sceneRequestCycle },
  { "request of a row", sceneRequestRow },
  { "dead holder, requested", sceneRequestHolderDies },
  { "dead writer", sceneWriterDies },
  { "dead waiter behind the writer", sceneWriterWaiterDies },
  { "valid last", sceneValidLast },
  { "fork while waiting", sceneForkWaiting },
  { "fork inside the mutex", sceneForkInside }, { "attach", sceneAttach },
  { "attach at once", sceneAttachBoth },
  { "growth at once", sceneGrow },
  { "semaphore", sceneSemaphore },
  { "semaphore and a cycle", sceneSemaphoreCycle },
  { "dead holder of a permit", sceneSemaphoreDies },
  { "order of permits", sceneSemaphoreOrder },
  { "a permit and the session's own request", sceneSemaphoreOwn },
  { "second holder of a permit dies", sceneSemaphoreSecond },
  { "a set goes back", sceneSet },
  { "notes", sceneNotify }, { "a note wakes", sceneNotifyWakes },
  { "notified before the sleep", sceneNotifyFirst },
  { "dead note", sceneNoteDies }
};

static void runScene(int i){
  char z[400];
  int st;
  pid_t pid = fork();
  if( pid==0 ){
    alarm(20);
    nError = 0;
    aScene[i].x();
    CHECK(bLow==0);
    _exit(nError!=0);
  }
  waitpid(pid, &st, 0);
  nTest++;
  if( st!=0 ){
    nError++;
    fprintf(stderr, "scene failed: %s (%x)\n", aScene[i].zName, st);
  }
  snprintf(z, sizeof z, "%s-interlock", zDb);
  unlink(z);
}

int main(int n, char **a){
  int i, nScene = (int)(sizeof(aScene)/sizeof(aScene[0]));
  double t0 = seconds();
  setvbuf(stderr, 0, _IONBF, 0);
  zDb = strdup(scratch("lkstep"));
  kA = keyText("A");
  kB = keyText("B");
  kC = keyInt(3);
  kRow = keyRow("t", 1);
  kTable = keyTable("t");
  keyMake(&kListen, KEY_LISTEN, "jobs", 4);
  keyMake(&kNotify, KEY_NOTIFY, "jobs", 4);
  for(i=0; i<nScene; i++){
    if( n<2 || strcmp(a[1], aScene[i].zName)==0 ) runScene(i);
#ifdef INTERLOCK_BUGS
    if( nError ) break;            /* found */
#endif
  }
  printf("lkstep: %d scenes, %.1f s\n", nTest, seconds()-t0);
  return finish("lkstep");
}
