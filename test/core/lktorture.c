/* SPDX-License-Identifier: 0BSD */
/*
** lktorture.c: processes lock and unlock at random, also with requests that do
** not wait, semaphores and sets of locks, and notify each other, while some of
** them are killed and stopped.  It writes a log for lkcheck.
**
**   lktorture PROCESSES OPERATIONS SEED LOGFILE
*/
#include "util.h"
#include "log.h"

static Log *pLog;
static u64 seed;
static const char *zDb;
static u32 iInc;               /* of a worker */
static u32 aInc[32];           /* the parent's: last one started */
static u32 R(u32 n){ return (u32)(rnd(&seed)>>33) % n; }
static u32 anyMode(void){ return 1+R(LOCK_MODES-1); }

static void put(LogEntry x){
  u64 i = atomicAdd(&pLog->nEntry, 1);
  u8 eType = x.eType;
  if( i>=pLog->mxEntry ) _exit(0);
  x.eType = LOG_NONE;
  x.iInc = iInc;
  x.msTime = (u32)(osMonotonicUs()/1000);
  pLog->a[i] = x;
  atomicSetRel(&pLog->a[i].eType, eType);
}
/* PUT(LOG_ASK, session, field = value, ...) */
#define PUT(e, s, ...) \
  put((LogEntry){ .eType = (e), .iSes = (u8)(s), __VA_ARGS__ })

typedef struct Held { u32 n[LOG_CHANNEL][LOCK_MODES]; } Held;
typedef struct Me {
  LockSession *p;
  u32 iSes;
  Held h;                      /* session scope, as the worker believes */
  u32 nSp, aSp[3];
  u32 aListen[LOG_CHANNELS];   /* record, 0: does not listen */
  u64 aSeen[LOG_CHANNELS];     /* last number */
} Me;
static LockFile *pF;

static void key(LockKey *k, u32 i){
  char z[200];
  memset(z, 'a'+(int)i, sizeof z);
  if( i>=LOG_SEMAPHORE ){
    keyMake(k, KEY_SEMAPHORE, z, 5);
    k->nPermit = i==LOG_SEMAPHORE ? LOG_PERMITS : (u8)(1+R(LOG_PERMITS2));
  }else if( i%4==3 ) keyMake(k, KEY_TEXT, z, 60+20*i);
  else if( i%4==2 ) keyMake(k, KEY_TABLE, z, 5);
  else{ i64 v = (i64)i; keyMake(k, KEY_INTEGER, &v, 8); }
}
static LockKey channel(u32 c, int eKind){
  char z = (char)('a'+c);
  LockKey k;
  keyMake(&k, eKind, &z, 1);
  return k;
}
static void openMe(Me *m){
  u32 iSes = m->iSes;
  memset(m, 0, sizeof *m);
  m->iSes = iSes;
  m->p = beginOrDie(pF);
  pLog->aId[iSes] = lockSessionId(m->p);
  PUT(LOG_OPEN, iSes, .iToken = pLog->aId[iSes]);
}
static void fatal(const char *z, int rc){
  fprintf(stderr, "torture: %s: %d\n", z, rc);
  _exit(3);
}
/* A wait that only a mistake can make time out.  A deadlock of those that wait
** for one of several permits is not found, and such a wait is short. */
enum { MS_EVER = 15000, MS_PERMIT = 20 };
static i64 anyTime(const LockKey *k){
  static const i64 aMs[] = { 0, 1, 5, MS_EVER, MS_EVER, MS_EVER };
  i64 ms = aMs[R(6)];
  return ms==MS_EVER && k->nPermit>1 ? MS_PERMIT : ms;
}
/* Logs the result, and with a deadlock the cycle. */
static void putResult(Me *m, u32 i, u32 eMode, u32 eScope, LockRc rc,
                      u64 iToken){
  const LockTrouble *t = lockTrouble(m->p);
  u32 j;
  for(j=1; rc==LOCK_DEADLOCK && j<t->nCycle && j<16; j++){
    PUT(LOG_CYCLE, m->iSes, .iToken = t->aCycle[j]);
  }
  PUT(LOG_RESULT, m->iSes, .iKey = (u8)i, .eMode = (u8)eMode,
      .eScope = (u8)eScope, .rc = (int8_t)rc, .iToken = iToken);
}
/* The same as a request without a wait, which is asked after now and then.  The
** session does other things meanwhile. */
static void otherThings(Me *m);
static LockRc requested(Me *m, const LockKey *k, u32 eMode, i64 ms){
  LockWait w = { -1, 0, 0, 0 };
  u64 usEnd = osMonotonicUs() + (u64)ms*1000;
  LockRc rc = lockRequest(m->p, k, eMode, &w);
  while( rc==LOCK_WAITING ){
    if( osMonotonicUs()>=usEnd ) return lockGiveUp(m->p, LOCK_TIMEOUT);
    if( R(20)==0 ) return lockGiveUp(m->p, LOCK_TIMEOUT);
    if( R(3)==0 ) otherThings(m);
    restUs(R(300));
    rc = lockStands(m->p);
  }
  return rc;
}
static void savepoint(Me *m){
  m->aSp[m->nSp++] = lockLevel(m->p);
  PUT(LOG_SAVEPOINT, m->iSes, .iLevel = (u8)m->nSp);
}
/* Asks for key i.  Returns 1 if it was granted. */
static int ask(Me *m, u32 i, u32 eMode, u32 eScope, int bTry, int bRequest){
  LockWait w = { 0, 0, 0, 0 };
  LockKey k;
  LockRc rc;
  u64 iTok = 0;
  key(&k, i);
  w.msTimeout = anyTime(&k);
  if( i>=LOG_SEMAPHORE ) eMode = LOCK_EXCLUSIVE;
  PUT(LOG_ASK, m->iSes, .iKey = (u8)i, .eMode = (u8)eMode,
      .eScope = (u8)eScope, .nPermit = k.nPermit);
  rc = bRequest ? requested(m, &k, eMode, w.msTimeout)
     : lockAcquire(m->p, &k, eMode, eScope, bTry ? 0 : &w);
  if( rc!=LOCK_BUSY && rc!=LOCK_TIMEOUT && rc!=LOCK_NO && rc!=LOCK_CANCELLED
   && rc!=LOCK_DEADLOCK && rc!=LOCK_OK ){
    fatal("acquire", rc);
  }
  if( rc==LOCK_OK ) lockToken(m->p, &k, &iTok);
  putResult(m, i, eMode, eScope, rc, iTok);
  if( rc==LOCK_TIMEOUT && w.msTimeout==MS_EVER && !bRequest ){
    fatal("stuck", rc);
  }
  if( rc==LOCK_OK && eScope==0 ) m->h.n[i][eMode]++;
  return rc==LOCK_OK;
}
static void askOne(Me *m, int bTry){
  u32 i = R(4) ? R(LOG_KEYS) : LOG_SEMAPHORE+R(2), eScope = R(2);
  u32 eMode = R(2) ? LOCK_EXCLUSIVE : anyMode();
  if( eScope && R(3)==0 && m->nSp<3 ) savepoint(m);
  bTry |= R(4)==0;
  ask(m, i, eMode, eScope, bTry, !bTry && eScope==0 && R(2));
}
/* Several locks, all or none. */
static void askSet(Me *m, int bTry){
  u32 mKey = R(1u<<(LOG_SEMAPHORE+1)), i, aKey[LOG_SEMAPHORE+1];
  u32 eMode = R(2) ? LOCK_EXCLUSIVE : LOCK_SHARED, eScope = R(2) && m->nSp<3;
  LockGrant a[LOG_SEMAPHORE+1];
  int n = 0, bAll = 1;
  mKey &= R(1u<<(LOG_SEMAPHORE+1));
  if( eMode!=LOCK_EXCLUSIVE ) mKey &= ~(1u<<LOG_SEMAPHORE);
  if( eScope ) savepoint(m);
  for(i=0; mKey>>i && bAll; i++){
    if( !(mKey>>i & 1) ) continue;
    bAll = ask(m, i, eMode, eScope, bTry, 0);
    aKey[n] = i;
    if( bAll ) a[n++] = lockGranted(m->p);
  }
  if( bAll ) return;
  if( eScope ){
    PUT(LOG_ROLLBACK, m->iSes, .iLevel = (u8)m->nSp);
    lockRollbackTo(m->p, m->aSp[m->nSp-1]);
    return;
  }
  while( n>0 ){
    i = aKey[--n];
    PUT(LOG_RELEASE, m->iSes, .iKey = (u8)i, .eMode = (u8)eMode);
    lockUndo(m->p, &a[n]);
    m->h.n[i][eMode]--;
  }
}
static void releaseOne(Me *m){
  u32 i = R(LOG_CHANNEL), eMode = anyMode(), j;
  LockKey k;
  LockRc rc;
  for(j=0; j<40 && m->h.n[i][eMode]==0; j++){
    i = R(LOG_CHANNEL);
    eMode = anyMode();
  }
  key(&k, i);
  PUT(LOG_RELEASE, m->iSes, .iKey = (u8)i, .eMode = (u8)eMode);
  rc = lockRelease(m->p, &k, eMode);
  PUT(LOG_RELEASED, m->iSes, .iKey = (u8)i, .eMode = (u8)eMode,
      .rc = (int8_t)rc);
  if( rc==LOCK_OK && m->h.n[i][eMode]==0 ) fatal("released too much", rc);
  if( rc==LOCK_NO && m->h.n[i][eMode] ) fatal("a lock was lost", rc);
  if( rc==LOCK_OK ) m->h.n[i][eMode]--;
}
static void releaseAll(Me *m){
  u64 n = 0, x = 0;
  u32 i, j;
  LockRc rc;
  for(i=0; i<LOG_CHANNEL; i++) for(j=0; j<LOCK_MODES; j++) n += m->h.n[i][j];
  PUT(LOG_RELEASEALL, m->iSes, .rc = 0);
  rc = lockReleaseAll(m->p, ~(1u<<KEY_LISTEN), ~0u, &x);
  if( rc!=LOCK_OK && rc!=LOCK_BUSY ) fatal("release all", rc);
  if( rc==LOCK_OK && n!=x ) fatal("release all counts", (int)x);
  if( rc==LOCK_BUSY ) fatal("busy in release all", 0);
  memset(&m->h, 0, sizeof m->h);
}
static void rollback(Me *m){
  u32 i;
  if( m->nSp==0 ) return;
  i = R(m->nSp);
  PUT(LOG_ROLLBACK, m->iSes, .iLevel = (u8)(i+1));
  lockRollbackTo(m->p, m->aSp[i]);
  m->nSp = i+1;
}
static void endTxn(Me *m){
  int bRollback = R(4)==0;
  PUT(LOG_TXNEND, m->iSes, .rc = (int8_t)bRollback);
  m->nSp = 0;
  if( bRollback ) lockTxnRollback(m->p);
  else lockTxnEnd(m->p);
}

/* Looks whether channel c was notified, and may wait for that. */
static void hear(Me *m, u32 c, int bTry){
  LockKey k = channel(c, KEY_LISTEN);
  LockWait w = { R(2) ? 1 : 10, 0, 0, 0 };
  LockRc rc;
  PUT(LOG_LOOK, m->iSes, .iKey = (u8)c, .iToken = m->aSeen[c]);
  rc = lockListenWait(m->p, &k, m->aListen[c], m->aSeen[c],
                      bTry || R(2) ? 0 : &w, &m->aSeen[c]);
  if( rc!=LOCK_OK && rc!=LOCK_TIMEOUT ) fatal("hear", rc);
  PUT(LOG_HEARD, m->iSes, .iKey = (u8)c, .iToken = m->aSeen[c]);
}
static void listens(Me *m, u32 c){
  LockKey k = channel(c, KEY_LISTEN);
  LockRc rc = LOCK_OK;
  if( m->aListen[c] && R(8) ) return;
  if( m->aListen[c] ){
    PUT(LOG_UNLISTEN, m->iSes, .iKey = (u8)c);
    rc = lockRelease(m->p, &k, LOCK_SHARED);
    if( rc!=LOCK_OK ) fatal("unlisten", rc);
    m->aListen[c] = 0;
    return;
  }
  rc = lockListen(m->p, &k, &m->aListen[c]);
  if( rc!=LOCK_OK ) fatal("listen", rc);
  lockListenWait(m->p, &k, m->aListen[c], 0, 0, &m->aSeen[c]);
  PUT(LOG_LISTEN, m->iSes, .iKey = (u8)c, .iToken = m->aSeen[c]);
}
static void notify(Me *m, u32 c){
  LockKey k = channel(c, KEY_NOTIFY);
  int bNow = R(2)==0;
  LockRc rc;
  if( bNow ) PUT(LOG_NOTIFY, m->iSes, .iKey = (u8)c);
  rc = bNow ? lockNotifyNow(m->p, &k) : lockNotify(m->p, &k);
  if( rc!=LOCK_OK ) fatal("notify", rc);
  PUT(bNow ? LOG_NOTIFIED : LOG_NOTE, m->iSes, .iKey = (u8)c);
}
static void useChannel(Me *m, int bTry){
  u32 c = R(LOG_CHANNELS);
  listens(m, c);
  if( R(2) ) notify(m, c);
  if( m->aListen[c] ) hear(m, c, bTry);
}
/* What a session may do while it has a request. */
static void otherThings(Me *m){
  switch( R(3) ){
    case 0: releaseOne(m); break;
    case 1: useChannel(m, 1); break;
    default: if( R(4) ) rollback(m); else endTxn(m); break;
  }
}
static void cancelOne(Me *m, u32 nProc){
  u64 iId = pLog->aId[R(nProc*2)];
  LockRc rc;
  PUT(LOG_CANCEL, m->iSes, .iToken = iId);
  rc = lockCancel(pF, iId);
  if( rc==LOCK_OK ) PUT(LOG_CANCELLED, m->iSes, .iToken = iId);
  else if( rc!=LOCK_NO ) fatal("cancel", rc);
}
static void step(Me *m, int bTry, u32 nProc){
  switch( R(14) ){
    default: askOne(m, bTry); break;
    case 0: case 1: case 2: releaseOne(m); break;
    case 3: endTxn(m); break;
    case 4: rollback(m); break;
    case 5: if( R(4)==0 ) releaseAll(m); break;
    case 6:
      if( R(10)==0 ){
        PUT(LOG_CLOSE, m->iSes, .rc = 0);
        lockSessionEnd(m->p);
        openMe(m);
      }
      break;
    case 7: if( R(3)==0 ) cancelOne(m, nProc); break;
    case 8: askSet(m, bTry); break;
    case 9: useChannel(m, bTry); break;
  }
}
static void letGo(Me *m){
  endTxn(m);
  releaseAll(m);
}
static void worker(u32 iProc, u32 nProc, u64 iSeed){
  Me a[2];
  int bSecond = 0;
  seed = iSeed*2654435761u+1;
  pF = openOrDie(zDb);
  a[0].iSes = iProc*2;
  a[1].iSes = iProc*2+1;
  openMe(&a[0]);
  openMe(&a[1]);
  while( atomicAdd(&pLog->nOp, 1)<pLog->mxOp ){
    /* The second session never waits.  While it may hold something the first
    ** does not wait either, since the lock manager does not know that one
    ** thread uses both. */
    int j = R(8)==0;
    step(&a[j], j || bSecond, nProc);
    if( j ) bSecond = 1;
    if( R(6)==0 || j==0 ) letGo(&a[1]);
    if( j==0 ) bSecond = 0;
    if( R(6)==0 ) letGo(&a[0]);      /* lets other processes work */
  }
  PUT(LOG_CLOSE, a[0].iSes, .rc = 0);
  PUT(LOG_CLOSE, a[1].iSes, .rc = 0);
  lockSessionEnd(a[0].p);
  lockSessionEnd(a[1].p);
  _exit(0);
}

static pid_t start(u32 i, u32 nProc, u64 iSeed){
  pid_t pid;
  aInc[i]++;
  pid = fork();
  iInc = pid==0 ? aInc[i] : 0;
  if( pid==0 ) worker(i, nProc, iSeed);
  return pid;
}

int main(int n, char **a){
  u32 nProc = n>1 ? (u32)atoi(a[1]) : 4, i, nLive;
  u64 nOp = n>2 ? strtoull(a[2], 0, 10) : 10000, iSeed = 1;
  pid_t aPid[32];
  char z[400];
  size_t nByte;
  int fd, st;
  double t0 = seconds(), tLast;
  if( nProc>32 ) nProc = 32;
  if( n>3 ) iSeed = strtoull(a[3], 0, 10);
  seed = iSeed;
  rnd(&seed);
  zDb = strdup(scratch("lktorture"));
  snprintf(z, sizeof z, "%s-interlock", zDb);
  unlink(z);
  nByte = sizeof(Log) + (size_t)nOp*12*sizeof(LogEntry) + 1000000;
  fd = open(n>4 ? a[4] : "/dev/null", O_RDWR|O_CREAT|O_TRUNC, 0600);
  if( fd<0 || ftruncate(fd, (off_t)nByte)!=0 ) return 2;
  pLog = mmap(0, nByte, PROT_READ|PROT_WRITE, MAP_SHARED, fd, 0);
  pLog->mxEntry = (nByte-sizeof(Log))/sizeof(LogEntry);
  pLog->mxOp = nOp;
  for(i=0; i<nProc; i++) aPid[i] = start(i, nProc, iSeed*100+i);
  tLast = seconds();
  for(nLive=nProc; nLive>0; ){
    pid_t pid = waitpid(-1, &st, WNOHANG);
    if( pid>0 ){
      for(i=0; i<nProc && aPid[i]!=pid; i++){}
      if( !WIFEXITED(st) || WEXITSTATUS(st)!=0 ){
        fprintf(stderr, "process %u ended: %x\n", i, st);
        nError++;
        for(i=0; i<nProc; i++) if( aPid[i]!=pid ) signalOne(aPid[i], SIGKILL);
        break;
      }
      nLive--;
      aPid[i] = -1;
      continue;
    }
    restUs(500);
    if( seconds()-tLast<0.003 || atomicGet(&pLog->nOp)>=nOp ) continue;
    tLast = seconds();
    i = R(nProc);
    if( aPid[i]<0 ) continue;
    if( R(3)==0 ){
      PUT(LOG_KILL, i*2, .iToken = aInc[i]);
      signalOne(aPid[i], SIGKILL);
      waitpid(aPid[i], &st, 0);
      pLog->nKill++;
      aPid[i] = start(i, nProc, rnd(&seed));
    }else{
      signalOne(aPid[i], SIGSTOP);
      restUs(1000*(i64)R(20));
      if( R(8)==0 ){
        PUT(LOG_KILL, i*2, .iToken = aInc[i]);
        signalOne(aPid[i], SIGKILL);
        waitpid(aPid[i], &st, 0);
        pLog->nKill++;
        aPid[i] = start(i, nProc, rnd(&seed));
      }else signalOne(aPid[i], SIGCONT);
      pLog->nStop++;
    }
  }
  PUT(LOG_END, 0, .rc = 0);
  /* nothing may be left, whichever process died at whatever moment */
  {
    LockFile *p = openOrDie(zDb);
    LockSession *s = beginOrDie(p);
    lockProbeAll(p);
    for(i=0; i<LOG_CHANNEL && !nError; i++){
      LockKey k;
      key(&k, i);
      k.nPermit = 1;
      CHECK_EQ(lockAcquire(s, &k, LOCK_EXCLUSIVE, 0, 0), LOCK_OK);
    }
    CHECK(lockCheck(p)==0);
    lockSessionEnd(s);
    CHECK_EQ(segHeader(lockSegment(p))->nRecord, 0);
    printf("lktorture: %u processes, %llu operations, %llu kills, %llu stops, "
        "%.1f s; waits %llu deadlocks %llu cured %llu recoveries %llu\n",
        nProc, (unsigned long long)nOp,
        (unsigned long long)pLog->nKill, (unsigned long long)pLog->nStop,
        seconds()-t0,
        (unsigned long long)segHeader(lockSegment(p))->stat[STAT_WAITS],
        (unsigned long long)segHeader(lockSegment(p))->stat[STAT_DEADLOCKS],
        (unsigned long long)segHeader(lockSegment(p))->stat[STAT_REORDERED],
        (unsigned long long)segHeader(lockSegment(p))->stat[STAT_RECOVERIES]);
    lockClose(p);
  }
  unlink(z);
  return finish("lktorture");
}
