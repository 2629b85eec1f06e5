/* SPDX-License-Identifier: 0BSD */
/*
** lkfuzz.c: random bytes written into a lock file that is in use.  No crash,
** no endless loop: every call comes back in time, with LOCK_MALFORMED sooner or
** later, or without having noticed; opening afterwards gives an error or a
** fresh file.  Each round is a process of its own.
**
**   lkfuzz ROUNDS SEED [FIRST]
*/
#include "util.h"

static const LockKey *pHeld;     /* what lockGuard has met */

static u64 seed;
static u32 R(u32 n){ return (u32)(rnd(&seed)>>33) % n; }

/* Offsets that matter are hit more often than others would be by chance. */
static void damage(Seg *p){
  SegHeader *h = segHeader(p);
  u32 n = 1+R(6), i;
  for(i=0; i<n; i++){
    u32 iOff, v = R(3)==0 ? R(20) : R(3)==0 ? 0xFFFFFFFFu : (u32)rnd(&seed);
    switch( R(6) ){
      case 5: iOff = (u32)offsetof(SegHeader, guard) + R(SEG_GUARDS)*4; break;
      case 0: iOff = R(70)*4; break;                         /* header */
      case 1: iOff = SEG_SESSIONS + R(8*32)*4; break;        /* sessions */
      case 2: iOff = SEG_EXTENTS + R(LIMIT_EXTENT)*4; break; /* buckets */
      default:
        iOff = SEG_EXTENTS + LIMIT_EXTENT*4;
        iOff += R((h->usedRecord%4000+2)*32)*4;
        break;
    }
    if( iOff+4>p->nLength ) continue;
    /* a length beyond the file is checked, one that is too short is not */
    *(u32*)(void*)(p->pBase+iOff) = v;
  }
}
static void key(LockKey *k){
  char z[255];
  u32 n = R(4)==0 ? R(255) : 8;
  memset(z, 'a'+(int)R(3), sizeof z);
  tableKey(k, n==8 ? KEY_INTEGER : R(3) ? KEY_TEXT : KEY_TABLE, z, n);
}
static int use(LockSession *s, LockFile *pF){
  LockWait w = { 3, 0, 0, 0 };
  LockSnapshot snap;
  LockKey k;
  u64 x;
  LockRc rc = LOCK_OK;
  key(&k);
  switch( R(10) ){
    case 8: rc = lockSkip(s, &k, 1+R(5), R(2)); lockSkipProbe(s); break;
    case 9:
      rc = lockWriterEnter(s);
      lockGuardFree(s, &k);
      if( rc==LOCK_OK ) rc = lockGuard(s, 0, &k, &pHeld);
      if( rc==LOCK_OK ) lockHolding(s);
      break;
    default: rc = lockAcquire(s, &k, 1+R(5), R(2), R(2) ? &w : 0); break;
    case 0: rc = lockRelease(s, &k, 1+R(5)); break;
    case 1: lockTxnEnd(s); break;
    case 2: lockRollbackTo(s, R(3)); break;
    case 3: if( R(8)==0 ) rc = lockReleaseAll(s, ~0u, ~0u, &x); break;
    case 4:
      if( R(8)==0 && lockSnapshot(pF, &snap)==LOCK_OK ){
        lockSnapshotFree(pF, &snap);
      }
      break;
    case 5: rc = lockCancel(pF, R(10)); break;
  }
  return rc==LOCK_MALFORMED || rc==LOCK_BUSY;
}
static int round_(const char *zDb){
  LockFile *pF = openOrDie(zDb);
  LockSession *a[4];
  int i, n = 20+(int)R(200), bSaid = 0;
  alarm(20);                       /* an endless loop is found by this */
  for(i=0; i<4; i++) a[i] = beginOrDie(pF);
  for(i=0; i<n; i++) use(a[R(4)], pF);
  damage(lockSegment(pF));
  for(i=0; i<200 && !bSaid; i++) bSaid = use(a[R(4)], pF);
  for(i=0; i<4; i++) lockSessionEnd(a[i]);
  lockClose(pF);
  return bSaid ? 10 : 0;
}
int main(int n, char **a){
  int nRound = n>1 ? atoi(a[1]) : 100, i, nSaid = 0;
  char *zDb = strdup(scratch("lkfuzz"));
  char z[400];
  double t0 = seconds();
  snprintf(z, sizeof z, "%s-interlock", zDb);
  for(i=n>3 ? atoi(a[3]) : 0; i<nRound; i++){
    int st;
    pid_t pid;
    LockRc rc;
    LockFile *p = 0;
    unlink(z);
    seed = (n>2 ? strtoull(a[2], 0, 10) : 1)*1000003 + (u64)i*7919 + 1;
    rnd(&seed);
    pid = fork();
    if( pid==0 ) _exit(round_(zDb));
    waitpid(pid, &st, 0);
    nTest++;
    if( !WIFEXITED(st) || (WEXITSTATUS(st)!=0 && WEXITSTATUS(st)!=10) ){
      nError++;
      fprintf(stderr, "round %d: %x\n", i, st);
    }else nSaid += WEXITSTATUS(st)==10;
    rc = lockOpen(&sysMem, zDb, 1, &p);
    CHECK(rc==LOCK_OK || rc==LOCK_MALFORMED);
    if( rc==LOCK_OK ){
      LockSession *s = 0;
      rc = lockSessionBegin(p, &s);
      CHECK(rc==LOCK_OK || rc==LOCK_MALFORMED || rc==LOCK_FULL
            || rc==LOCK_BUSY);
      lockSessionEnd(s);
      lockClose(p);
    }
  }
  unlink(z);
  free(zDb);
  printf("lkfuzz: %d rounds, %d noticed, %.1f s\n", nRound, nSaid,
         seconds()-t0);
  return finish("lkfuzz");
}
