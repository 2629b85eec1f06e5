/* SPDX-License-Identifier: 0BSD */
/*
** lkcrowd.c: as many sessions as a lock file has, on one key.  The work of a
** call under the mutex is counted in steps along the links of the file, not in
** time.  An arrival, a hand-over, a request that is given up, the end of a
** guarded transaction and a recovery may cost a few steps for each session in
** the queue, whatever modes the sessions wait for and whether or not they hold
** other locks.  The search for an arrangement of queues must end after its
** budget.
**
**   lkcrowd [SESSIONS]
*/
#include "util.h"

#ifndef OLD                       /* to measure the code before this test */
# define STEPS_OF(p) ((p)->nStep)
#else
# define STEPS_OF(p) 0
# define lockGraphSteps(p) 0
#endif

#define SEARCH_STEPS 400000u      /* as STEPS of graph.c */

static LockFile *pF;
static LockSession *aS[LIMIT_SESSION];
static u32 nS;
static const char *zDb;

static double cpu(void){
  struct timespec t;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return (double)t.tv_sec*1e3 + (double)t.tv_nsec*1e-6;
}

/* The call with most steps since the last report, and the steps of all. */
static struct {
  u64 nMax, nAll, nFrom;
  double msMax, msAll, msFrom;
  u32 n;
} Cost;
static void before(void){
  Cost.nFrom = STEPS_OF(lockSegment(pF));
  Cost.msFrom = cpu();
}
static void after(void){
  u64 n = STEPS_OF(lockSegment(pF)) - Cost.nFrom;
  double ms = cpu() - Cost.msFrom;
  Cost.nAll += n;
  Cost.msAll += ms;
  Cost.n++;
  if( n>Cost.nMax ) Cost.nMax = n;
  if( ms>Cost.msMax ) Cost.msMax = ms;
}
/* No call may have taken more than nPer steps for each session. */
static void report(const char *zWhat, u32 nPer){
  printf("  %-44s %6u calls, at most %8llu steps, %8.3f ms; mean %7.3f ms\n",
         zWhat, Cost.n, (unsigned long long)Cost.nMax, Cost.msMax,
         Cost.n ? Cost.msAll/Cost.n : 0);
  fflush(stdout);
  if( Cost.nMax>(u64)nPer*(nS+10) ){
    fprintf(stderr, "%s: %llu steps for %u sessions, expected %u for each\n",
            zWhat, (unsigned long long)Cost.nMax, nS, nPer);
    nError++;
  }
  nTest++;
  memset(&Cost, 0, sizeof Cost);
}

static void openAll(void){
  u32 i;
  char z[400];
  snprintf(z, sizeof z, "%s-interlock", zDb);
  unlink(z);
  pF = openOrDie(zDb);
  for(i=0; i<nS; i++) aS[i] = beginOrDie(pF);
}
static void closeAll(void){
  u32 i;
  for(i=0; i<nS; i++) lockSessionEnd(aS[i]);
  lockClose(pF);
}

/*------------------------------------------------------------ one queue ---*/

enum { ALL_X, S_AND_X, S_BEHIND_X, ALL_MODES };
static u32 modeOf(int eMix, u32 i){
  static const u32 a[] = { LOCK_EXCLUSIVE, LOCK_SHARED, LOCK_INTENT_SHARED,
                           LOCK_SHARED_AND_INTENT_EXCLUSIVE,
                           LOCK_INTENT_EXCLUSIVE };
  switch( eMix ){
    case ALL_X: return LOCK_EXCLUSIVE;
    case S_AND_X: return a[i%2];
    case S_BEHIND_X: return i==0 ? LOCK_EXCLUSIVE : LOCK_SHARED;
    default: return a[i*7%5];
  }
}

/* Gives sessions a table's intention lock, or a lock of their own, or
** nothing. */
enum { HOLD_NOTHING, HOLD_OWN, HOLD_TABLE };

static void holdBefore(int eHold){
  LockKey t = keyTable("t");
  u32 i;
  for(i=0; i<nS && eHold!=HOLD_NOTHING; i++){
    LockKey k = keyInt(1000+(i64)i);
    CHECK_EQ(lockAcquire(aS[i], eHold==HOLD_OWN ? &k : &t,
                         eHold==HOLD_OWN ? LOCK_EXCLUSIVE
                                         : LOCK_INTENT_EXCLUSIVE, 0, 0), 0);
  }
}

/* Session 0 holds the key.  All others ask for it. */
static void arrive(const LockKey *k, int eMix){
  u32 i;
  CHECK_EQ(lockAcquire(aS[0], k, LOCK_EXCLUSIVE, 0, 0), LOCK_OK);
  for(i=1; i<nS; i++){
    before();
    CHECK_EQ(lockAsk(aS[i], k, modeOf(eMix, i), 0, 1), LOCK_WAITING);
    after();
  }
}

/* The holders give it back until each session has had it, in turn.  A quarter
** of the sessions gives up before the grant. */
static void handOver(const LockKey *k, int eMix){
  u32 i, nDone = 0;
  for(i=1; i<nS; i+=4){
    before();
    CHECK_EQ(lockGiveUp(aS[i], LOCK_TIMEOUT), LOCK_TIMEOUT);
    after();
  }
  report("a request given up", 12);
  before();
  CHECK_EQ(lockRelease(aS[0], k, LOCK_EXCLUSIVE), LOCK_OK);
  after();
  for(i=1; i<nS; i++){
    if( i%4==1 ) continue;
    CHECK_EQ(lockOutcome(aS[i]), LOCK_OK);
    before();
    CHECK_EQ(lockRelease(aS[i], k, modeOf(eMix, i)), LOCK_OK);
    after();
    nDone++;
  }
  report("a hand-over", 12);
  CHECK_EQ(nDone, nS-1-(nS+2)/4);
}

static void oneQueue(const char *zName, int eMix, int eHold){
  LockKey k = keyRow("t", 1);
  printf("%s, %u sessions\n", zName, nS);
  openAll();
  holdBefore(eHold);
  arrive(&k, eMix);
  report("an arrival", 16);
  handOver(&k, eMix);
  closeAll();
}

/*------------------------------------------------- writer and recovery ---*/

/* Every session waits for a row, blocked by the active writer only. */
static void writerEnds(void){
  LockKey k = keyRow("t", 1);
  u32 i;
  printf("a guarded writer, %u sessions\n", nS);
  openAll();
  holdBefore(HOLD_TABLE);
  CHECK_EQ(lockWriterEnter(aS[0]), LOCK_OK);
  for(i=1; i<nS; i++){
    before();
    CHECK_EQ(lockAsk(aS[i], &k, LOCK_EXCLUSIVE, 0, 1), LOCK_WAITING);
    after();
  }
  report("an arrival", 16);
  before();
  lockTxnEnd(aS[0]);
  after();
  report("the end of its transaction", 12);
  CHECK_EQ(lockOutcome(aS[1]), LOCK_OK);
  closeAll();
}

/* Does what a process does after a rebuild: it scans each queue once, and
** checks each once for cycles. */
static void recovery(void){
  LockKey k = keyRow("t", 1);
  Seg *p;
  printf("a recovery, %u sessions\n", nS);
  openAll();
  holdBefore(HOLD_TABLE);
  arrive(&k, ALL_X);
  memset(&Cost, 0, sizeof Cost);
  p = lockSegment(pF);
  CHECK_EQ(mutexEnter(p), MUTEX_ENTERED);
  rebuildSegment(p, 0);
  before();
  recordScanWaiting(p, 0);
#ifndef OLD
  {
    Graph *g = calloc(1, graphSize());
    graphCheckAll(graphInit(g), p);
    free(g);
  }
#endif
  after();
  CHECK_EQ(mutexLeave(p), 0);
  report("scans and checks", 30);
  closeAll();
}

/* Holders of a shared lock all ask for more.  The first waits in front of the
** others, the second is a deadlock. */
static void upgrades(void){
  LockKey k = keyInt(1);
  u32 i;
  printf("upgrades, %u sessions\n", nS);
  openAll();
  for(i=0; i<nS/2; i++){
    CHECK_EQ(lockAcquire(aS[i], &k, LOCK_SHARED, 0, 0), LOCK_OK);
  }
  for(; i<nS; i++){
    CHECK_EQ(lockAsk(aS[i], &k, LOCK_EXCLUSIVE, 0, 1), LOCK_WAITING);
  }
  before();
  CHECK_EQ(lockAsk(aS[0], &k, LOCK_EXCLUSIVE, 0, 1), LOCK_WAITING);
  after();
  report("an upgrade to the front of a queue", 30);
  before();
  CHECK_EQ(lockAsk(aS[1], &k, LOCK_EXCLUSIVE, 0, 1), LOCK_DEADLOCK);
  after();
  report("a second upgrade, which is a deadlock", 30);
  closeAll();
}

/*--------------------------------------------------------------- search ---*/

/*
** Each session holds some of the keys shared and then asks for one exclusive or
** shared, at random, which makes many cycles of soft edges.  The search must
** end soon after its budget, with the walk that it is in the middle of.
*/
static void search(u32 nKey){
  u64 seed = 12345, nDeadlock = 0, nWait = 0, nMax = 0;
  u32 i, j;
  printf("a search, %u sessions, %u keys\n", nS, nKey);
  openAll();
  for(i=0; i<nS; i++){
    for(j=0; j<4; j++){
      LockKey k = keyInt((i64)((rnd(&seed)>>33)%nKey));
      lockAcquire(aS[i], &k, LOCK_SHARED, 0, 0);
    }
  }
  for(i=0; i<nS; i++){
    LockKey k = keyInt((i64)((rnd(&seed)>>33)%nKey));
    u32 e = (rnd(&seed)>>33)%3 ? LOCK_SHARED : LOCK_EXCLUSIVE;
    LockRc rc;
    before();
    rc = lockAsk(aS[i], &k, e, 0, 1);
    after();
    nDeadlock += rc==LOCK_DEADLOCK;
    nWait += rc==LOCK_WAITING;
    if( lockGraphSteps(pF)>nMax ) nMax = lockGraphSteps(pF);
  }
  printf("  %llu wait, %llu deadlocks; at most %llu steps of a check\n",
         (unsigned long long)nWait, (unsigned long long)nDeadlock,
         (unsigned long long)nMax);
  CHECK(nDeadlock>0);
#ifndef OLD
  CHECK(nMax>SEARCH_STEPS);         /* some searches must end by the budget */
#endif
  CHECK(nMax<SEARCH_STEPS+60*(u64)nS);
  report("a request", 2*SEARCH_STEPS);
  closeAll();
}

int main(int n, char **a){
  char z[400];
  u32 nAll = n>1 ? (u32)atoi(a[1]) : LIMIT_SESSION;
  zDb = strdup(scratch("lkcrowd"));
  nS = nAll<500 ? nAll : 500;
  oneQueue("X", ALL_X, HOLD_NOTHING);
  oneQueue("X, with other locks", ALL_X, HOLD_OWN);
  oneQueue("S and X, with a table's intention", S_AND_X, HOLD_TABLE);
  oneQueue("S behind X", S_BEHIND_X, HOLD_TABLE);
  oneQueue("all modes, with a table's intention", ALL_MODES, HOLD_TABLE);
  writerEnds();
  nS = 1500;
  search(38);
  nS = nAll;
  oneQueue("X, with a table's intention", ALL_X, HOLD_TABLE);
  recovery();
  upgrades();
  snprintf(z, sizeof z, "%s-interlock", zDb);
  unlink(z);
  return finish("lkcrowd");
}
