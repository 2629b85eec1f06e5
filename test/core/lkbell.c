/* SPDX-License-Identifier: 0BSD */
/*
** lkbell.c: deaths of which the kernel tells a session that waits.  It is built
** so that a wait never looks and hardly polls (LK_NOLOOK in core.mk).  So where
** a bell does not ring, or is not heard, a scene hangs and its alarm ends it.
** A process without a bell is polled for as always.
**
**   lkbell [SCENE]
*/
#include "util.h"
#include "../../ext/core/bell.h"
#include <pthread.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

static const char *zDb;
static LockFile *pF;
static LockKey kA, kB;
enum { SH = LOCK_SHARED, X = LOCK_EXCLUSIVE, SES = LOCK_SCOPE_SESSION };

/* What the processes of a scene tell each other. */
typedef struct Said {
  u32 aAt[8];                  /* how far each process has come */
  u32 bReleased;               /* the holder is about to release */
  pthread_mutex_t mutex, mutex2;       /* robust ones of the program itself */
} Said;
static Said *pSaid;

static void tell(int i, u32 at){ atomicSetRel(&pSaid->aAt[i], at); }
static void hear(int i, u32 at){
  while( atomicGetAcq(&pSaid->aAt[i])<at ) restUs(200);
}

static const char *otherDb(void){
  static char z[400];
  snprintf(z, sizeof z, "%s-other", zDb);
  return z;
}
static Seg *seg(void){ return lockSegment(pF); }
static u32 waiting(void){ return atomicGet(&segHeader(seg())->nWait); }

/* Starts process i of the scene. */
static pid_t start(int i, void (*x)(int)){
  pid_t pid = fork();
  if( pid==0 ){
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    nError = 0;
    pF = 0;
    x(i);
    _exit(nError);
  }
  return pid;
}
static void killed(pid_t pid){
  signalOne(pid, SIGKILL);
  CHECK_EQ(waitpid(pid, 0, 0), pid);
}
static void ended(pid_t pid){
  int st = -1;
  CHECK_EQ(waitpid(pid, &st, 0), pid);
  CHECK_EQ(st, 0);
}
/* Returns when the process sleeps, and so has begun its wait. */
static void asleep(pid_t pid){
  char z[200], *q = 0;
  do{
    FILE *f;
    restUs(200);
    snprintf(z, sizeof z, "/proc/%d/stat", (int)pid);
    f = fopen(z, "r");
    if( f && fgets(z, sizeof z, f) ) q = strrchr(z, ')');
    if( f ) fclose(f);
  }while( q==0 || q[2]!='S' );
}

static LockRc waitFor(LockSession *s, const LockKey *k, u32 eMode){
  LockWait w = { -1, 0, 0, 0 };
  return lockAcquire(s, k, eMode, SES, &w);
}
/* Holds kA until it is killed. */
static void holder(int i){
  pF = openOrDie(zDb);
  CHECK_EQ(lockAcquire(beginOrDie(pF), &kA, X, SES, 0), LOCK_OK);
  tell(i, 1);
  for(;;) pause();
}
static void waiter(int i){
  pF = openOrDie(zDb);
  tell(i, 1);
  CHECK_EQ(waitFor(beginOrDie(pF), &kA, X), LOCK_OK);
  tell(i, 2);
}
static void sharer(int i){
  LockSession *s;
  pF = openOrDie(zDb);
  s = beginOrDie(pF);
  tell(i, 1);
  CHECK_EQ(waitFor(s, &kA, SH), LOCK_OK);
  tell(i, 2);
  for(;;) pause();
}

/* Where there are no bells there is nothing to be heard. */
static int hasBells(void){
  u32 *pWord, iValue;
  return bellLook(seg(), seg()->iNumber, &pWord, &iValue)==BELL_QUIET;
}

/* Kills the holder of kA while another process waits for it, which must hear
** that. */
static void killedHeard(pid_t pid){
  pid_t pid2 = start(2, waiter);
  while( waiting()<1 ) restUs(200);
  asleep(pid2);
  killed(pid);
  ended(pid2);
}

/*---------------------------------------------------------------- scenes ---*/

static void sceneHolder(void){
  pid_t pid = start(1, holder);
  hear(1, 1);
  killedHeard(pid);
}
static void sceneOwn(void){
  LockSession *s = beginOrDie(pF);
  CHECK(osLayer()!='L' || LIMIT_SESSION<SEG_BELLSLOT || hasBells());
  lockSessionEnd(s);
}
/* The kernel wakes one of those that sleep on a bell.  Its poll grants to
** all. */
static void sceneCrowd(void){
  pid_t pid = start(0, holder), a[7];
  int i;
  hear(0, 1);
  for(i=1; i<7; i++) a[i] = start(i, sharer);
  while( waiting()<6 ) restUs(200);
  for(i=1; i<7; i++) asleep(a[i]);
  killed(pid);
  for(i=1; i<7; i++) hear(i, 2);
  for(i=1; i<7; i++) killed(a[i]);
}
/* A request ahead stands for the holder.  Both die, in either order. */
static void chain(int bHolderFirst){
  pid_t pid = start(1, holder), pid2, pid3;
  hear(1, 1);
  pid2 = start(2, waiter);
  while( waiting()<1 ) restUs(200);
  asleep(pid2);
  signalOne(pid2, SIGSTOP);
  pid3 = start(3, waiter);
  while( waiting()<2 ) restUs(200);
  asleep(pid3);
  if( bHolderFirst ){
    killed(pid);
    killed(pid2);
  }else{
    killed(pid2);
    while( waiting()>1 ) restUs(200);  /* the death is heard */
    asleep(pid3);
    killed(pid);
  }
  ended(pid3);
}
static void sceneChain(void){ chain(1); }
static void sceneChainAhead(void){ chain(0); }
/* Several holders: the last death counts. */
static void sceneHolders(void){
  pid_t a[4], pid;
  int i;
  for(i=1; i<4; i++) a[i] = start(i, sharer);
  for(i=1; i<4; i++) hear(i, 2);
  pid = start(4, waiter);
  while( waiting()<1 ) restUs(200);
  for(i=1; i<4; i++){
    asleep(pid);
    CHECK_EQ(atomicGetAcq(&pSaid->aAt[4]), 1);
    killed(a[i]);
  }
  ended(pid);
}

/* A thread begins the session, and so holds the bell, and ends. */
static LockSession *pThreads;
static void *beginMain(void *p){
  pThreads = beginOrDie(pF);
  return p;
}
static void beginInThread(void){
  pthread_t t;
  pthread_create(&t, 0, beginMain, 0);
  pthread_join(t, 0);
}
static void threadHolder(int i){
  pF = openOrDie(zDb);
  beginInThread();
  CHECK_EQ(lockAcquire(pThreads, &kA, X, SES, 0), LOCK_OK);
  tell(i, 1);
  hear(0, 1);
  atomicSetRel(&pSaid->bReleased, 1);
  CHECK_EQ(lockRelease(pThreads, &kA, X), LOCK_OK);
}
static void unbelieving(int i){
  pF = openOrDie(zDb);
  CHECK_EQ(waitFor(beginOrDie(pF), &kA, X), LOCK_OK);
  CHECK_EQ(atomicGetAcq(&pSaid->bReleased), 1);
  tell(i, 2);
}
/* A thread ended, the process lives: its lock must not be taken away. */
static void sceneThread(void){
  pid_t pid = start(1, threadHolder), pid2;
  hear(1, 1);
  pid2 = start(2, unbelieving);
  while( waiting()<1 ) restUs(200);
  restUs(300000);                  /* longer than the patience with a ring */
  tell(0, 1);
  ended(pid2);
  ended(pid);
}
/* The next session that begins makes its thread hold the bell. */
static void holdAgain(int i){
  pF = openOrDie(zDb);
  beginInThread();
  CHECK_EQ(lockAcquire(pThreads, &kA, X, SES, 0), LOCK_OK);
  CHECK(!hasBells());
  beginOrDie(pF);
  CHECK(osLayer()!='L' || LIMIT_SESSION<SEG_BELLSLOT || hasBells());
  tell(i, 1);
  for(;;) pause();
}
static void sceneAgain(void){
  pid_t pid = start(1, holdAgain);
  hear(1, 1);
  killedHeard(pid);
}

/* A child of fork() ends.  The parent's bell must not ring for that, and the
** child has its own. */
static void forker(int i){
  LockSession *s;
  pid_t pid;
  pF = openOrDie(zDb);
  s = beginOrDie(pF);
  CHECK_EQ(lockAcquire(s, &kA, X, SES, 0), LOCK_OK);
  pid = fork();
  if( pid==0 ){
    LockFile *p = openOrDie(zDb);
    CHECK_EQ(lockAcquire(beginOrDie(p), &kB, X, SES, 0), LOCK_OK);
    tell(i, 1);
    for(;;) pause();
  }
  hear(i, 1);
  killed(pid);
  CHECK(osLayer()!='L' || LIMIT_SESSION<SEG_BELLSLOT || hasBells());
  CHECK_EQ(waitFor(s, &kB, X), LOCK_OK);
  tell(i, 2);
  for(;;) pause();
}
static void sceneFork(void){
  pid_t pid = start(1, forker);
  hear(1, 2);
  killedHeard(pid);
}

/* A process has no bell, since other processes have all of them. */
static void sceneOther(void){
  SegHeader *h = segHeader(seg());
  LockSession *s = beginOrDie(pF);
  u64 iMine = seg()->iNumber, aBell[SEG_BELLS];
  u32 b;
  pid_t pid;
  for(b=0; b<SEG_BELLS; b++){
    aBell[b] = atomicGet(&h->bell[b]);
    if( b!=segBellOf(iMine) ) atomicSet(&h->bell[b], 4*iMine);
  }
  atomicSet(&h->numbers, iMine+SEG_BELLS-1);
  pid = start(1, holder);
  hear(1, 1);
  CHECK_EQ(atomicGet(&h->bell[segBellOf(iMine)]), aBell[segBellOf(iMine)]);
  for(b=0; b<SEG_BELLS; b++) atomicSet(&h->bell[b], aBell[b]);
  CHECK_EQ(atomicGet(&h->numbers), iMine+SEG_BELLS);
  killedHeard(pid);
  lockSessionEnd(s);
}
/* Processes that live one after the other have the same bell. */
static void shortLived(int i){
  pF = openOrDie(zDb);
  lockSessionEnd(beginOrDie(pF));
  CHECK(osLayer()!='L' || hasBells());
  CHECK_EQ(segBellOf(seg()->iNumber), 1);
  tell(i, 1);
}
static void sceneShortLived(void){
  int i;
  LockSession *s = beginOrDie(pF);
  CHECK_EQ(segBellOf(seg()->iNumber), 0);
  for(i=0; i<5; i++) ended(start(1, shortLived));
  lockSessionEnd(s);
}

/* The program has robust mutexes of its own. */
static void robust(pthread_mutex_t *p){
  pthread_mutexattr_t a;
  pthread_mutexattr_init(&a);
  pthread_mutexattr_setpshared(&a, PTHREAD_PROCESS_SHARED);
  pthread_mutexattr_setrobust(&a, PTHREAD_MUTEX_ROBUST);
  CHECK_EQ(pthread_mutex_init(p, &a), 0);
  pthread_mutexattr_destroy(&a);
}
static void *closeMain(void *p){
  lockClose(pF);
  return p;
}
static void robustUser(int i){
  int n;
  CHECK_EQ(pthread_mutex_lock(&pSaid->mutex), 0);
  for(n=0; n<6; n++){
    pF = openOrDie(zDb);
    lockSessionEnd(beginOrDie(pF));
    CHECK_EQ(pthread_mutex_lock(&pSaid->mutex2), 0);
    if( n&1 ){
      pthread_t t;                 /* another thread than the bell's closes */
      pthread_create(&t, 0, closeMain, 0);
      pthread_join(t, 0);
    }else{
      lockClose(pF);
    }
    CHECK_EQ(pthread_mutex_unlock(&pSaid->mutex2), 0);
  }
  CHECK_EQ(pthread_mutex_unlock(&pSaid->mutex), 0);
  pF = openOrDie(zDb);
  beginOrDie(pF);
  CHECK_EQ(pthread_mutex_lock(&pSaid->mutex), 0);
  CHECK_EQ(pthread_mutex_lock(&pSaid->mutex2), 0);
  lockSessionEnd(beginOrDie(pF));
  tell(i, 1+(nError!=0));
  for(;;) pause();
}
static void sceneRobust(void){
  pid_t pid;
  robust(&pSaid->mutex);
  robust(&pSaid->mutex2);
  pid = start(1, robustUser);
  hear(1, 1);
  CHECK_EQ(pSaid->aAt[1], 1);
  CHECK_EQ(pthread_mutex_trylock(&pSaid->mutex), EBUSY);
  killed(pid);
  CHECK_EQ(pthread_mutex_trylock(&pSaid->mutex), EOWNERDEAD);
  CHECK_EQ(pthread_mutex_trylock(&pSaid->mutex2), EOWNERDEAD);
  CHECK_EQ(pthread_mutex_consistent(&pSaid->mutex), 0);
  CHECK_EQ(pthread_mutex_unlock(&pSaid->mutex), 0);
}

/* A signal ends the sleep, and the session looks at once. */
static u32 bSignal;
static void onSignal(int i){ (void)i; atomicSet(&bSignal, 1); }
static LockRc onLook(void *p){
  (void)p;
  return atomicGet(&bSignal) ? LOCK_INTERRUPTED : LOCK_OK;
}
static void signalled(int i){
  LockWait w = { -1, 0, onLook, 0 };
  struct sigaction a;
  memset(&a, 0, sizeof a);
  a.sa_handler = onSignal;
  sigaction(SIGUSR1, &a, 0);
  pF = openOrDie(zDb);
  CHECK_EQ(lockAcquire(beginOrDie(pF), i==2 ? &kA : &kB, X, SES, &w),
           LOCK_INTERRUPTED);
}
static void sceneSignal(void){
  LockSession *s = beginOrDie(pF);
  pid_t pid = start(1, holder), a[2];
  int i;
  hear(1, 1);
  CHECK_EQ(lockAcquire(s, &kB, X, SES, 0), LOCK_OK);
  for(i=0; i<2; i++){
    a[i] = start(i+2, signalled);
    while( waiting()<(u32)i+1 ) restUs(200);
    asleep(a[i]);
  }
  for(i=0; i<2; i++){
    signalOne(a[i], SIGUSR1);
    ended(a[i]);
  }
  killed(pid);
}

/* A session that listens looks at once as well. */
static LockKey kListen;
static void signalledListener(int i){
  LockWait w = { -1, 0, onLook, 0 };
  struct sigaction a;
  LockSession *s;
  u64 iSeen, iNumber;
  u32 iRecord;
  (void)i;
  memset(&a, 0, sizeof a);
  a.sa_handler = onSignal;
  sigaction(SIGUSR1, &a, 0);
  pF = openOrDie(zDb);
  s = beginOrDie(pF);
  CHECK_EQ(lockListen(s, &kListen, &iRecord), LOCK_OK);
  CHECK_EQ(lockListenWait(s, &kListen, iRecord, 0, 0, &iSeen), LOCK_OK);
  tell(3, 1);
  CHECK_EQ(lockListenWait(s, &kListen, iRecord, iSeen, &w, &iNumber),
           LOCK_INTERRUPTED);
}
static void sceneSignalListener(void){
  pid_t pid;
  keyMake(&kListen, KEY_LISTEN, "c", 1);
  pid = start(3, signalledListener);
  hear(3, 1);
  asleep(pid);
  signalOne(pid, SIGUSR1);
  ended(pid);
}

/* A session waits for a permit behind another one.  When that one has its
** permit, the other holders concern this one, so its next look polls. */
static LockKey kPermit;
static void permitted(int i){
  pF = openOrDie(zDb);
  tell(i, 1);
  CHECK_EQ(waitFor(beginOrDie(pF), &kPermit, X), LOCK_OK);
  tell(i, 2);
  for(;;) pause();
}
static void signalledPermit(int i){
  struct sigaction a;
  memset(&a, 0, sizeof a);
  a.sa_handler = onSignal;
  sigaction(SIGUSR1, &a, 0);
  pF = openOrDie(zDb);
  CHECK_EQ(waitFor(beginOrDie(pF), &kPermit, X), LOCK_OK);
  tell(i, 2);
}
static void scenePermits(void){
  pid_t a[4], pid;
  int i;
  keyMake(&kPermit, KEY_SEMAPHORE, "s", 1);
  kPermit.nPermit = 2;
  for(i=1; i<3; i++){
    a[i] = start(i, permitted);
    hear(i, 2);
  }
  a[3] = start(3, permitted);
  while( waiting()<1 ) restUs(200);
  asleep(a[3]);
  pid = start(4, signalledPermit);
  while( waiting()<2 ) restUs(200);
  asleep(pid);
  killed(a[1]);
  hear(3, 2);
  asleep(pid);
  CHECK_EQ(atomicGetAcq(&pSaid->aAt[4]), 0);
  killed(a[2]);
  signalOne(pid, SIGUSR1);
  ended(pid);
  killed(a[3]);
}

/* A thread has the number of one that held the bell and has ended.  The robust
** mutexes that it has taken must stay in its list. */
static u32 iReused;
static void *beginEnds(void *p){
  pThreads = beginOrDie(pF);
  atomicSetRel(&iReused, (u32)syscall(SYS_gettid));
  return p;
}
static void *lockThenBegin(void *p){
  if( (u32)syscall(SYS_gettid)!=atomicGetAcq(&iReused) ) return p;
  CHECK_EQ(pthread_mutex_lock(&pSaid->mutex), 0);
  beginOrDie(pF);
  tell(1, 1);
  return p;
}
/* The next thread of this pid namespace gets the number n. */
static void nextNumber(u32 n){
  int fd = open("/proc/sys/kernel/ns_last_pid", O_RDWR);
  char z[20];
  int nByte = snprintf(z, sizeof z, "%u", n-1);
  if( fd<0 || write(fd, z, (size_t)nByte)!=nByte ) tell(1, 2);
  close(fd);
}
static void reusedNumber(int i){
  pthread_t t;
  (void)i;
  pF = openOrDie(zDb);
  pthread_create(&t, 0, beginEnds, 0);
  pthread_join(t, 0);
  while( atomicGetAcq(&pSaid->aAt[1])==0 ){
    nextNumber(atomicGetAcq(&iReused));
    pthread_create(&t, 0, lockThenBegin, 0);
    pthread_join(t, 0);
  }
  if( pSaid->aAt[1]==1 ){
    CHECK_EQ(pthread_mutex_trylock(&pSaid->mutex), EOWNERDEAD);
  }
}
/* Its numbers are those of a pid namespace of its own. */
static void numbersOfOwn(int i){
  if( unshare(CLONE_NEWPID)!=0 ) tell(i, 2);
  else ended(start(1, reusedNumber));
}
static void sceneReused(void){
  pid_t pid;
  robust(&pSaid->mutex);
  pid = start(0, numbersOfOwn);
  ended(pid);
  if( pSaid->aAt[0]==2 || pSaid->aAt[1]==2 ){
    printf("lkbell: numbers of threads cannot be chosen here\n");
  }
}

/* Another process has stored nonsense in the word of a bell. */
static void sceneNonsense(void){
  static const u32 aWord[] = { 0, 1, ~0u, OS_BELL_DIED, OS_BELL_AWAITED };
  size_t i;
  for(i=0; i<sizeof(aWord)/sizeof(aWord[0]); i++){
    LockFile *p = openOrDie(otherDb());
    LockSession *s = beginOrDie(p);
    Seg *pSeg = lockSegment(p);
    if( segBellOffset(1) ){
      atomicSet(segBellWord(pSeg, pSeg->iNumber, 0), aWord[i]);
      atomicSet(segBellWord(pSeg, pSeg->iNumber, 1), aWord[i]);
    }
    lockSessionEnd(s);
    s = beginOrDie(p);
    lockSessionEnd(s);
    lockClose(p);
  }
}

static const struct { const char *zName; void (*x)(void); } aScene[] = {
  { "own bell", sceneOwn }, { "holder", sceneHolder }, { "crowd", sceneCrowd },
  { "chain", sceneChain }, { "chain, first ahead", sceneChainAhead },
  { "holders", sceneHolders },
  { "thread", sceneThread }, { "again", sceneAgain }, { "fork", sceneFork },
  { "another's bell", sceneOther },
  { "one after the other", sceneShortLived }, { "robust", sceneRobust },
  { "signal", sceneSignal }, { "permits", scenePermits },
  { "signal to a listener", sceneSignalListener },
  { "a thread's number again", sceneReused }, { "nonsense", sceneNonsense }
};

static void removeFile(const char *z){
  char zFile[400];
  snprintf(zFile, sizeof zFile, "%s-interlock", z);
  unlink(zFile);
}
static void runScene(int i){
  int st;
  pid_t pid;
  memset(pSaid, 0, sizeof(*pSaid));
  pid = fork();
  if( pid==0 ){
    alarm(20);
    nError = 0;
    pF = openOrDie(zDb);
    aScene[i].x();
    _exit(nError!=0);
  }
  waitpid(pid, &st, 0);
  nTest++;
  if( st!=0 ){
    nError++;
    fprintf(stderr, "scene failed: %s (%x)\n", aScene[i].zName, st);
  }
  removeFile(zDb);
  removeFile(otherDb());
}

int main(int n, char **a){
  int i, nScene = (int)(sizeof(aScene)/sizeof(aScene[0]));
  setvbuf(stderr, 0, _IONBF, 0);
  zDb = strdup(scratch("lkbell"));
  kA = keyText("A");
  kB = keyText("B");
  pSaid = mmap(0, sizeof(*pSaid), PROT_READ|PROT_WRITE,
               MAP_SHARED|MAP_ANONYMOUS, -1, 0);
  if( pSaid==MAP_FAILED ) return 2;
  for(i=0; i<nScene; i++){
    if( n<2 || strcmp(a[1], aScene[i].zName)==0 ) runScene(i);
#ifdef INTERLOCK_BUGS
    if( nError ) break;            /* found */
#endif
  }
  return finish("lkbell");
}
