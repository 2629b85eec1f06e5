/* SPDX-License-Identifier: 0BSD */
/*
** lklook.c: looks beside writers, waiters and deaths.  Threads of this process
** and other processes wait for rows, write guarded tables, cancel and die,
** while two threads look at everything as fast as they can.  The sanitizers
** find a look that reads or writes beside its own copy.  This program checks
** that each copy is sound in itself.  First a thread takes 200,000 locks, so
** that the file grows under the looks.
**
**   lklook SECONDS SEED
*/
#include "util.h"
#include <pthread.h>

enum { CHILDREN = 3, LOOKERS = 2 };

static LockFile *pF;
static const char *zDb;
static u32 bStop;                 /* the threads of this process end */
static u64 nLook, nPair, nKilled;

/* Reports each failure once, since the threads find it thousands of times. */
#define SOUND(x) do{ if( !(x) ){ static u32 b_; \
  if( atomicAdd(&b_, 1)==0 ){ atomicAdd((u32*)&nError, 1); \
  fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #x); } } }while(0)

/*---------------------------------------------------------------- looks ---*/

static void checkRow(const LockSnapshot *s, u32 i){
  const LockRow *r = &s->aRow[i];
  u32 j, n = 0;
  SOUND(r->iSession<s->nSession);
  SOUND(r->eMode>=1 && r->eMode<LOCK_MODES);
  for(j=0; j<r->nKey; j++) n += r->pKey[j];     /* all of it can be read */
  SOUND(n<=255u*255u);
}

/* A pair must be of sessions that are there and of a row that waits, and must
** not be there twice. */
static void checkWait(const LockSnapshot *s, u32 i){
  const LockWaitRow *w = &s->aWait[i];
  u32 j;
  SOUND(w->iRow<s->nRow);
  SOUND(!s->aRow[w->iRow].bGranted);
  SOUND(s->aSession[s->aRow[w->iRow].iSession].iId==w->iWaiter);
  SOUND(w->iBlocker!=w->iWaiter);
  for(j=0; j<i; j++){
    SOUND(s->aWait[j].iRow!=w->iRow || s->aWait[j].iBlocker!=w->iBlocker);
  }
}

static void look(void){
  LockSnapshot s;
  LockTrouble t;
  u32 i;
  LockRc rc = lockSnapshot(pF, &s);
  SOUND(rc==LOCK_OK);
  if( rc!=LOCK_OK ) return;
  for(i=0; i<s.nRow; i++) checkRow(&s, i);
  for(i=0; i<s.nWait; i++) checkWait(&s, i);
  atomicAdd(&nLook, 1);
  atomicAdd(&nPair, s.nWait);
  lockInside(pF, &t);
  lockSnapshotFree(pF, &s);
}

static void *looker(void *pArg){
  while( !atomicGetAcq(&bStop) ) look();
  return pArg;
}

/*----------------------------------------------------------------- work ---*/

static LockKey anyKey(u64 *pSeed){
  char zLong[200];
  switch( rnd(pSeed)>>33 & 7 ){
    case 0: case 1: case 2: return keyRow("t", 1);
    case 3: return keyRow("t", 2);
    case 4: return keyTable("t");
    case 5: return keyInt(1);
    default:
      memset(zLong, 'k', sizeof zLong);
      zLong[sizeof zLong-1] = 0;
      return keyText(zLong);
  }
}

/* Makes one step of a worker.  bWriter: only this worker becomes the active
** writer. */
static void work(LockFile *p, LockSession *s, u64 *pSeed, int bWriter){
  LockWait w = { 1, 0, 0, 0 };
  LockKey k = anyKey(pSeed);
  u32 e = (u32)(rnd(pSeed)>>33);
  if( bWriter ){
    lockWriterEnter(s);
    if( e%4==0 ) lockAcquire(s, &k, LOCK_EXCLUSIVE, LOCK_SCOPE_TRANSACTION, 0);
    lockTxnEnd(s);
    return;
  }
  switch( e%16 ){
    case 0: lockTxnEnd(s); break;
    case 1: lockReleaseAll(s, ~0u, ~0u, 0); break;
    case 2: lockRelease(s, &k, LOCK_EXCLUSIVE); break;
    case 3: lockCancel(p, rnd(pSeed)>>33 & 15); break;
    case 4: lockSessionLabel(s, e & 64 ? "a label of forty bytes and some more"
                                       : "another"); break;
    default:
      lockAcquire(s, &k, e & 32 ? LOCK_SHARED : LOCK_EXCLUSIVE, e>>6 & 1, &w);
      if( e & 128 ) lockTxnEnd(s);
      break;
  }
}

static void *worker(void *pArg){
  u64 seed = *(u64*)pArg;
  LockSession *s = beginOrDie(pF);
  u32 i;
  for(i=1; !atomicGetAcq(&bStop); i++){
    work(pF, s, &seed, 0);
    if( i%1000==0 ){
      lockSessionEnd(s);
      s = beginOrDie(pF);
    }
  }
  lockSessionEnd(s);
  return 0;
}

/* Another process with two sessions, of which one may be the writer. */
static void child(u64 seed, int bWriter){
  LockFile *p = openOrDie(zDb);
  LockSession *a = beginOrDie(p), *b = beginOrDie(p);
  for(;;){
    work(p, a, &seed, bWriter);
    if( !bWriter ) work(p, b, &seed, 0);
  }
}

static pid_t spawn(u64 seed, int bWriter){
  pid_t pid = fork();
  if( pid==0 ) child(seed, bWriter);
  return pid;
}

/*
** The process that starts and kills the others.  It has no threads and no
** LockFile, so that a fork of it is sound.  It ends when its pipe is closed.
*/
static void nurse(int fd, u64 seed){
  pid_t a[CHILDREN];
  char c;
  int i;
  fcntl(fd, F_SETFL, O_NONBLOCK);
  for(i=0; i<CHILDREN; i++) a[i] = spawn(seed+(u64)i, i==0);
  while( read(fd, &c, 1)<0 && errno==EAGAIN ){
    i = (int)(rnd(&seed)>>33) % CHILDREN;
    usleep(2000 + (unsigned)(rnd(&seed)>>33) % 20000);
    signalOne(a[i], SIGKILL);
    waitpid(a[i], 0, 0);
    a[i] = spawn(rnd(&seed)|1, i==0);
    nKilled++;
  }
  for(i=0; i<CHILDREN; i++){
    signalOne(a[i], SIGKILL);
    waitpid(a[i], 0, 0);
  }
  _exit(nKilled>0 ? 0 : 1);
}

/*---------------------------------------------------------------- parts ---*/

static void removeFile(void){
  char z[400];
  snprintf(z, sizeof z, "%s-interlock", zDb);
  unlink(z);
}

static void startLookers(pthread_t *a){
  int i;
  atomicSet(&bStop, 0);
  for(i=0; i<LOOKERS; i++) CHECK(pthread_create(&a[i], 0, looker, 0)==0);
}
static void stopThreads(pthread_t *a, int n){
  int i;
  atomicSetRel(&bStop, 1);
  for(i=0; i<n; i++) pthread_join(a[i], 0);
}

/* Takes 200,000 locks under looks: the number of slots rises in steps. */
static void grow(void){
  pthread_t a[LOOKERS];
  LockSession *s;
  i64 i;
  CHECK_EQ(lockOpenMemory(&sysMem, 0, &pF), LOCK_OK);
  startLookers(a);
  s = beginOrDie(pF);
  for(i=0; i<200000 && i<LIMIT_RECORD; i++){
    LockKey k = keyInt(i);
    if( lockAcquire(s, &k, LOCK_EXCLUSIVE, i & 1, 0)!=LOCK_OK ) break;
  }
  CHECK_EQ(i, LIMIT_RECORD<200000 ? LIMIT_RECORD : 200000);
  stopThreads(a, LOOKERS);
  lockSessionEnd(s);
  lockClose(pF);
}

static void together(int nSecond, u64 seed){
  pthread_t a[LOOKERS+2];
  u64 aSeed[2];
  int fd[2], st = 0;
  double tEnd = seconds() + nSecond;
  pid_t pid;
  CHECK(pipe(fd)==0);
  pid = fork();
  if( pid==0 ){
    close(fd[1]);
    nurse(fd[0], seed);
  }
  close(fd[0]);
  pF = openOrDie(zDb);
  startLookers(a);
  aSeed[0] = seed+100;
  aSeed[1] = seed+101;
  CHECK(pthread_create(&a[LOOKERS], 0, worker, &aSeed[0])==0);
  CHECK(pthread_create(&a[LOOKERS+1], 0, worker, &aSeed[1])==0);
  while( seconds()<tEnd ) usleep(20000);
  stopThreads(a, LOOKERS+2);
  close(fd[1]);
  waitpid(pid, &st, 0);
  CHECK(WIFEXITED(st) && WEXITSTATUS(st)==0);
  lockClose(pF);
}

int main(int n, char **a){
  int nSecond = n>1 ? atoi(a[1]) : 3;
  u64 seed = n>2 ? strtoull(a[2], 0, 10)*2654435761u + 1 : 1;
  zDb = strdup(scratch("lklook"));
  removeFile();
  grow();
  together(nSecond, seed);
  removeFile();
  CHECK(nLook>0);
  CHECK(nPair>0);
  printf("lklook: %llu looks, %llu pairs\n", (unsigned long long)nLook,
         (unsigned long long)nPair);
  return finish("lklook");
}
