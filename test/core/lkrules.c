/* SPDX-License-Identifier: 0BSD */
/*
** lkrules.c: each rule of ext/core/rules.h is an assert that fires.  A child
** breaks one rule and must be stopped by the assert that states it; a child
** that does the same as it should be done must end well.
*/
#include "util.h"
#include "../../ext/core/rules.h"

static LockFile *pFile;
static Seg *pSeg;
static LockSession *pSession;
static LockKey key;
static u32 nStep;
static char zFile[400];

/* Under the mutex each of these calls is allowed. */
static void next(void){ recordNext(pSeg, &key, 0, &nStep); }
static void prev(void){ recordPrev(pSeg, &key, 1, &nStep); }
static void same(void){ recordSameKey(pSeg, 1, 1); }
static void move(void){ recordMove(pSeg, 1); }
static void insert(void){
  RecordNew new;
  memset(&new, 0, sizeof new);
  new.pKey = &key;
  new.iSession = lockSlot(pSession);
  new.eMode = LOCK_SHARED;
  new.sesCount = 1;
  recordInsert(pSeg, &new);
}
static void removeOne(void){ recordRemove(pSeg, 1); }
static void scan(void){ recordScan(pSeg, &key); }
static void scanAll(void){ recordScanWaiting(pSeg, 0); }
static void reorder(void){ recordReorder(pSeg, &nStep, 0); }
static void openOne(void){ sessionOpen(pSeg, pSeg->iNumber); }
static void sweep(void){ sessionSweep(pSeg, lockSlot(pSession), 1); }
static void sweepFlagged(void){ sessionSweepAll(pSeg); }
static void killNone(void){ sessionKill(pSeg, 12345); }
static void writer(void){ writerEnter(pSeg, lockSlot(pSession)); }
static void blocks(void){ writerBlocks(pSeg, KEY_ROW, 1); }
static void rebuild(void){ rebuildSegment(pSeg, 12345); }
static void check(void){ checkGrants(pSeg); checkSegment(pSeg); }

/* Without the mutex each of these calls is allowed. */
static void alloc(void){ ruleFree(&sysMem, ruleAlloc(&sysMem, 1)); }
static void rest(void){ osSleep(1); }
static void waitWord(void){ u32 w = 0; osWait(&w, 1, 1); }
static void extend(void){ osExtend(&pSeg->file, 0, 4096); }
static void touch(void){ osTouch(pSeg->pBase, 1); }
static void dead(void){ processDead(pSeg, 12345); }
static void held(void){ osAnyHeld(&pSeg->file); }
static void state(void){ osProcessState(1, osPidSpace()); }
static void list(void){
  osProcessEnter();
  osProcessLeave();
}
static void firstByte(void){
  ruleEnter(RANK_FIRST, pSeg);
  ruleLeave(RANK_FIRST, pSeg);
}
static void twice(void){
  mutexEnter(pSeg);
  mutexLeave(pSeg);
}

enum { INSIDE, OUTSIDE };
static const struct {
  int eWhere;
  void (*x)(void);
  const char *zAssert;
} a[] = {
  { INSIDE, next, "segHeld" },        { INSIDE, prev, "segHeld" },
  { INSIDE, same, "segHeld" },        { INSIDE, move, "segHeld" },
  { INSIDE, insert, "segHeld" },      { INSIDE, removeOne, "segHeld" },
  { INSIDE, scan, "segHeld" },        { INSIDE, scanAll, "segHeld" },
  { INSIDE, reorder, "segHeld" },     { INSIDE, openOne, "segHeld" },
  { INSIDE, sweep, "segHeld" },       { INSIDE, sweepFlagged, "segHeld" },
  { INSIDE, killNone, "segHeld" },    { INSIDE, writer, "segHeld" },
  { INSIDE, blocks, "segHeld" },      { INSIDE, rebuild, "segHeld" },
  { INSIDE, check, "segHeld" },
  { OUTSIDE, alloc, "ruleOutside" },  { OUTSIDE, rest, "ruleOutside" },
  { OUTSIDE, waitWord, "ruleOutside" },
  { OUTSIDE, extend, "ruleOutside" }, { OUTSIDE, touch, "ruleOutside" },
  { OUTSIDE, dead, "ruleOutside" },   { OUTSIDE, held, "ruleOutside" },
  { OUTSIDE, state, "ruleOutside" },  { OUTSIDE, list, "ruleRank()<eRank" },
  { OUTSIDE, firstByte, "ruleRank()<eRank" }
};

/* Runs x in a child, inside the mutex or not.  Returns its status, and what it
** printed. */
static int run(void (*x)(void), int bInside, char *zOut, size_t nOut){
  int aPipe[2], st = 0;
  ssize_t n, nAll = 0;
  pid_t pid;
  if( pipe(aPipe) ) exit(2);
  fflush(0);
  pid = fork();
  if( pid==0 ){
    dup2(aPipe[1], 2);
    close(aPipe[1]);
    /* A fork's child may not use the parent's file, so it opens one of its
    ** own. */
    pFile = openOrDie(zFile);
    pSeg = lockSegment(pFile);
    pSession = beginOrDie(pFile);
    lockAcquire(pSession, &key, LOCK_SHARED, 0, 0);
    if( bInside ) mutexEnter(pSeg);
    x();
    _exit(0);
  }
  close(aPipe[1]);
  while( (n = read(aPipe[0], zOut+nAll, nOut-1-(size_t)nAll))>0 ) nAll += n;
  zOut[nAll] = 0;
  close(aPipe[0]);
  waitpid(pid, &st, 0);
  return st;
}

static void testRule(u32 i){
  char z[2000];
  int bInside = a[i].eWhere==INSIDE, st;
  st = run(a[i].x, bInside, z, sizeof z);
  CHECK_EQ(st, 0);
  if( st ) fprintf(stderr, "case %u, done right: %s\n", i, z);
  st = run(a[i].x, !bInside, z, sizeof z);
  CHECK(WIFSIGNALED(st) && WTERMSIG(st)==SIGABRT);
  CHECK(strstr(z, a[i].zAssert)!=0);
  if( strstr(z, a[i].zAssert)==0 ) fprintf(stderr, "case %u: %s\n", i, z);
}

/* A thread leaves what another has entered, and enters what it has itself. */
static void leaveOnly(void){ mutexLeave(pSeg); }
static void conflict(void){
  LockSession *p = beginOrDie(pFile);
  RecordNew new;
  memset(&new, 0, sizeof new);
  mutexEnter(pSeg);
  new.pKey = &key;
  new.iSession = lockSlot(p);
  new.iGeneration = SEG_HIGH(segSession(pSeg, lockSlot(p))->state);
  new.eMode = LOCK_EXCLUSIVE;
  new.sesCount = 1;
  recordInsert(pSeg, &new);
}

int main(void){
  char z[2000], zLock[420];
  u32 i;
  snprintf(zFile, sizeof zFile, "%s", scratch("lkrules"));
  key = keyInt(7);
  for(i=0; i<sizeof(a)/sizeof(a[0]); i++) testRule(i);
  CHECK_EQ(run(twice, 0, z, sizeof z), 0);
  CHECK(run(leaveOnly, 0, z, sizeof z)!=0 && strstr(z, "segHeld"));
  CHECK(run(conflict, 0, z, sizeof z)!=0 && strstr(z, "grantAlone"));
  snprintf(zLock, sizeof zLock, "%s-interlock", zFile);
  unlink(zLock);
  return finish("lkrules");
}
