/* SPDX-License-Identifier: 0BSD */
/*
** lkunit.c: the lock manager piece by piece: the recorded examples
** (examples.txt), files that are no lock files, limits, growth, fork, stopped
** processes, inspection, guards, turns, events, failing memory.
**
**   lkunit FOLDER              which has this file
*/
#include "util.h"
#include <sys/stat.h>
#include <sys/resource.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <pthread.h>

static const LockKey *pHeld;     /* what lockGuard has met */

static const char *zSrc = "test/core";

/*------------------------------------------------------------- examples ---*/

typedef struct Player {
  char zName[8];
  LockSession *p;
  int iStep;                    /* of the request it waits in */
  int nSp;
  char azSp[4][8];
  u32 aSp[4];
} Player;
static Player aP[8];
static int nP;
static LockFile *pEx;

static Player *player(const char *z){
  int i;
  for(i=0; i<nP; i++) if( strcmp(aP[i].zName, z)==0 ) return &aP[i];
  memset(&aP[nP], 0, sizeof(Player));
  strcpy(aP[nP].zName, z);
  aP[nP].p = beginOrDie(pEx);
  return &aP[nP++];
}
static void endExample(void){
  int i;
  if( pEx==0 ) return;
  for(i=0; i<nP; i++) lockSessionEnd(aP[i].p);
  nP = 0;
  lockClose(pEx);
  pEx = 0;
}
/* "s1,s2": the blockers of the player, from the snapshot. */
static void waitsFor(Player *q, char *zOut){
  LockSnapshot s;
  u32 i;
  int j;
  zOut[0] = 0;
  CHECK_EQ(lockSnapshot(pEx, &s), LOCK_OK);
  for(j=0; j<nP; j++) for(i=0; i<s.nWait; i++){
    if( s.aWait[i].iWaiter==lockSessionId(q->p)
     && s.aWait[i].iBlocker==lockSessionId(aP[j].p) ){
      if( zOut[0] ) strcat(zOut, ",");
      strcat(zOut, aP[j].zName);
    }
  }
  lockSnapshotFree(pEx, &s);
}
static void savepoints(Player *q, const char *zCmd, const char *zArg){
  int i = q->nSp-1;
  if( strcmp(zCmd, "savepoint")==0 ){
    strcpy(q->azSp[q->nSp], zArg);
    q->aSp[q->nSp++] = lockLevel(q->p);
    return;
  }
  while( i>=0 && strcmp(q->azSp[i], zArg)!=0 ) i--;
  if( strcmp(zCmd, "release")==0 ){
    q->nSp = i;
  }else{
    lockRollbackTo(q->p, q->aSp[i]);
    q->nSp = i+1;
  }
}
/* Runs one command.  Returns its result as the examples write it. */
static void play(Player *q, int iStep, char *zCmd, char *z1, char *z2,
                 char *zOut){
  LockKey k = keyInt(atoi(z1));
  u32 m = z2[0]=='X' ? LOCK_EXCLUSIVE : LOCK_SHARED;
  char *zVerb = zCmd[0]=='x' ? zCmd+1 : zCmd;
  u32 eScope = zCmd[0]=='x';
  LockRc rc;
  strcpy(zOut, "ok");
  if( strcmp(zVerb, "lock")==0 ){
    rc = lockAsk(q->p, &k, m, eScope, 1);
    if( rc==LOCK_WAITING && lockOutcome(q->p)==LOCK_OK ){
      strcpy(zOut, "waits, then ok");
    }else if( rc==LOCK_WAITING ){
      q->iStep = iStep;
      strcpy(zOut, "WAITS for ");
      waitsFor(q, zOut+10);
    }else if( rc==LOCK_DEADLOCK ) strcpy(zOut, "ERROR deadlock");
  }else if( strcmp(zVerb, "try")==0 ){
    rc = lockAsk(q->p, &k, m, eScope, 0);
    strcpy(zOut, rc==LOCK_OK ? "true" : "false");
  }else if( strcmp(zCmd, "unlock")==0 ){
    strcpy(zOut, lockRelease(q->p, &k, m)==LOCK_OK ? "true" : "false");
  }else if( strcmp(zCmd, "unlock_all")==0 ){
    lockReleaseAll(q->p, ~0u, ~0u, 0);
  }else if( strcmp(zCmd, "commit")==0 || strcmp(zCmd, "rollback")==0 ){
    lockTxnEnd(q->p);
    q->nSp = 0;
  }else if( strcmp(zCmd, "begin")!=0 ){
    savepoints(q, zCmd, z1);
  }
}
static void granted(char *zOut){
  int i;
  zOut[0] = 0;
  for(i=0; i<nP; i++){
    if( aP[i].iStep==0 || lockOutcome(aP[i].p)!=LOCK_OK ) continue;
    sprintf(zOut+strlen(zOut), "%s%s#%d granted", zOut[0] ? "; " : "",
            aP[i].zName, aP[i].iStep);
    aP[i].iStep = 0;
  }
}
static void exampleLine(char *zLine){
  char zWho[16], zCmd[32], *z, *zArrow, zOut[200], zGot[800];
  char z1[32] = "", z2[32] = "";
  int iStep, n = 0, m = 0;
  Player *q;
  if( zLine[0]=='#' ){ endExample(); return; }
  if( pEx==0 ) lockOpenMemory(&sysMem, 0, &pEx);
  zLine[strcspn(zLine, "\n")] = 0;
  sscanf(zLine, " %d %15s %31s%n", &iStep, zWho, zCmd, &n);
  z = zLine+n;
  q = player(zWho);
  if( strstr(zCmd, "lock")==zCmd || strstr(zCmd, "xlock") || strstr(zCmd, "try")
   || strcmp(zCmd, "unlock")==0 ){
    sscanf(z, "%31s %31s%n", z1, z2, &m);
    z += m;
  }else if( strstr(zCmd, "savepoint") || strstr(zCmd, "release")
         || strstr(zCmd, "rollback_to") ){
    sscanf(z, "%31s%n", z1, &m);
    z += m;
  }else if( strcmp(z, " / xlock 1 S          ok")==0 ){
    strcpy(zCmd, "xlock"); strcpy(z1, "1"); strcpy(z2, "S");
    z = strstr(z, "ok");
  }
  zArrow = strstr(z, "=> ");
  if( zArrow ){ *zArrow = 0; zArrow += 3; }
  while( *z==' ' ) z++;
  for(n=(int)strlen(z); n>0 && z[n-1]==' '; n--) z[n-1] = 0;
  play(q, iStep, zCmd, z1, z2, zOut);
  granted(zGot);
  nTest += 2;
  if( strcmp(zGot, zArrow ? zArrow : "") ){
    nError++;
    fprintf(stderr, "%s\n   woke: %s\n", zLine, zGot);
  }
  if( strncmp(z, "ERROR deadlock", 14)==0 ) z[14] = 0;
  if( strcmp(z, "waits, then ERROR DEADLOCK")==0 ) z = "ERROR deadlock";
  if( strncmp(z, "false +WARNING", 14)==0 ) z = "false";
  if( strcmp(zCmd, "unlock_all")!=0 && strcmp(z, zOut) ){
    nError++;
    fprintf(stderr, "%s\n   got: %s, expected: %s\n", zLine, zOut, z);
  }
}
static void testExamples(void){
  char z[400];
  FILE *f;
  snprintf(z, sizeof z, "%s/examples.txt", zSrc);
  f = fopen(z, "r");
  CHECK(f!=0);
  while( f && fgets(z, sizeof z, f) ) exampleLine(z);
  endExample();
  if( f ) fclose(f);
}

/*---------------------------------------------------------------- files ---*/

static void lockName(char *zOut, const char *zDb){
  sprintf(zOut, "%s-interlock", zDb);
}
static LockRc opens(const char *zDb){
  LockFile *p = 0;
  LockSession *s = 0;
  LockRc rc = lockOpen(&sysMem, zDb, 1, &p);
  if( rc==LOCK_OK ){
    rc = lockSessionBegin(p, &s);
    lockSessionEnd(s);
    lockClose(p);
  }
  return rc;
}
static void putFile(const char *z, const void *p, size_t n, int mode){
  int fd = open(z, O_RDWR|O_CREAT|O_TRUNC, 0600);
  if( n ) CHECK_EQ(write(fd, p, n), (ssize_t)n);
  fchmod(fd, (mode_t)mode);
  close(fd);
}
static void testFiles(void){
  const char *zDb = scratch("lkfile");
  char z[400], z2[420], aJunk[8192];
  u64 seed = 99;
  LockFile *p = 0, *p2 = 0;
  LockSession *q;
  struct stat s;
  size_t i;
  lockName(z, zDb);
  sprintf(z2, "%s2", z);
  unlink(z); unlink(z2);
  CHECK_EQ(lockOpen(&sysMem, zDb, 0, &p), LOCK_NOFILE);
  CHECK(access(z, F_OK)!=0);
  putFile(zDb, "x", 1, 0640);
  CHECK_EQ(opens(zDb), LOCK_OK);
  CHECK(stat(z, &s)==0 && (s.st_mode & 0777)==0640);
  CHECK((u64)s.st_size<1000000);
  putFile(z, 0, 0, 0600);
  CHECK_EQ(opens(zDb), LOCK_OK);                     /* empty: formatted */
  putFile(z, "short", 5, 0600);
  CHECK_EQ(opens(zDb), LOCK_MALFORMED);
  memset(aJunk, 0, sizeof aJunk);
  putFile(z, aJunk, sizeof aJunk, 0600);
  CHECK_EQ(opens(zDb), LOCK_OK);                     /* half formatted */
  for(i=0; i<sizeof aJunk; i++) aJunk[i] = (char)rnd(&seed);
  putFile(z, aJunk, sizeof aJunk, 0600);
  CHECK_EQ(opens(zDb), LOCK_MALFORMED);
  memset(aJunk, 0, 8);
  putFile(z, aJunk, sizeof aJunk, 0600);
  CHECK_EQ(opens(zDb), LOCK_MALFORMED);              /* only begins with 0 */
  { u64 m = SEG_MAGIC ^ 0x0300; memcpy(aJunk, &m, 8); }
  putFile(z, aJunk, sizeof aJunk, 0600);
  CHECK_EQ(opens(zDb), LOCK_OK);         /* other format, no process in it */
  unlink(z);
  CHECK_EQ(lockOpen(&sysMem, zDb, 1, &p), LOCK_OK);
  { /* other format in use */
    pid_t pid;
    int st;
    segHeader(lockSegment(p))->magic ^= 0x0300;
    pid = fork();
    if( pid==0 ) _exit(opens(zDb)==LOCK_FORMAT ? 0 : 1);
    waitpid(pid, &st, 0);
    CHECK_EQ(st, 0);
    segHeader(lockSegment(p))->magic ^= 0x0300;
  }
  CHECK_EQ(lockOpen(&sysMem, zDb, 1, &p2), LOCK_OK);
  CHECK(p==p2);                                      /* one a process */
  lockClose(p2);
  q = beginOrDie(p);
  CHECK_EQ(lockMoved(q), LOCK_OK);
  rename(z, z2);
  CHECK_EQ(lockMoved(q), LOCK_REPLACED);
  lockSessionEnd(q);
  CHECK_EQ(lockSessionBegin(p, &q), LOCK_REPLACED);
  CHECK_EQ(opens(zDb), LOCK_OK);                     /* makes a new one */
  lockClose(p);
  unlink(z);
  CHECK(symlink(z2, z)==0);
  CHECK_EQ(opens(zDb), LOCK_CANTOPEN);
  unlink(z);
  CHECK(link(z2, z)==0);
  CHECK_EQ(opens(zDb), LOCK_CANTOPEN);               /* two names */
  unlink(z); unlink(z2);
  mkdir(z, 0700);
  CHECK_EQ(opens(zDb), LOCK_CANTOPEN);
  rmdir(z);
  CHECK(mkfifo(z, 0600)==0);
  CHECK_EQ(opens(zDb), LOCK_CANTOPEN);
  unlink(z);
  if( geteuid()==0 ){
    pid_t pid;
    int st;
    putFile(z, 0, 0, 0444);
    pid = fork();
    if( pid==0 ){
      if( setuid(65534)!=0 ) _exit(2);
      _exit(opens(zDb)==LOCK_CANTOPEN ? 0 : 1);      /* not writable */
    }
    waitpid(pid, &st, 0);
    CHECK_EQ(st, 0);
    putFile(z, 0, 0, 0666);
    CHECK(chown(z, 12345, 12345)==0);
    CHECK_EQ(opens(zDb), LOCK_CANTOPEN);             /* a foreign owner */
    CHECK(chown(zDb, 12345, 12345)==0);
    CHECK_EQ(opens(zDb), LOCK_OK);                   /* the database's owner */
  }
  unlink(z); unlink(zDb);
}

/* Tokens and session ids of a file that is formatted again must not go back. */
static void testAgain(void){
  const char *zDb = scratch("lkagain");
  char z[400];
  LockFile *p = openOrDie(zDb);
  LockSession *s = beginOrDie(p);
  LockKey k = keyInt(1);
  u64 iTok, iTok2, iId = lockSessionId(s);
  lockName(z, zDb);
  CHECK_EQ(lockAcquire(s, &k, LOCK_EXCLUSIVE, 0, 0), LOCK_OK);
  CHECK_EQ(lockToken(s, &k, &iTok), LOCK_OK);
  CHECK(iTok>1500000000000000 && iTok<((u64)1<<53));
  segHeader(lockSegment(p))->token += 1000000000000;      /* a clock set back */
  segHeader(lockSegment(p))->damaged = 1;
  CHECK_EQ(lockAcquire(s, &k, LOCK_EXCLUSIVE, 0, 0), LOCK_MALFORMED);
  lockSessionEnd(s);
  lockClose(p);
  p = openOrDie(zDb);                                     /* formats */
  s = beginOrDie(p);
  CHECK_EQ(lockAcquire(s, &k, LOCK_EXCLUSIVE, 0, 0), LOCK_OK);
  CHECK_EQ(lockToken(s, &k, &iTok2), LOCK_OK);
  CHECK(iTok2>iTok+1000000000000);
  CHECK(lockSessionId(s)>iId);
  lockSessionEnd(s);
  lockClose(p);
  unlink(z);
}

/*--------------------------------------------------------------- limits ---*/

static void testFull(void){
  LockFile *p = 0;
  LockSession *s = 0, *t = 0;
  LockKey k;
  u32 i, n = LIMIT_RECORD<100 ? LIMIT_RECORD : 3*LIMIT_EXTENT+5;
  lockOpenMemory(&sysMem, 0, &p);
  s = beginOrDie(p);
  t = beginOrDie(p);
  for(i=0; i<n; i++){
    k = keyInt(i);
    CHECK_EQ(lockAcquire(s, &k, LOCK_EXCLUSIVE, i&1, 0), LOCK_OK);
  }
  if( LIMIT_RECORD<100 ){
    LockWait w = { 10, 0, 0, 0 };
    k = keyInt(-1);
    CHECK_EQ(lockAcquire(s, &k, LOCK_EXCLUSIVE, 0, 0), LOCK_FULL);
    CHECK_EQ(lockAcquire(t, &k, LOCK_EXCLUSIVE, 1, &w), LOCK_FULL);
    k = keyInt(0);
    CHECK_EQ(lockAcquire(s, &k, LOCK_EXCLUSIVE, 0, 0), LOCK_OK);
    CHECK_EQ(lockAcquire(t, &k, LOCK_EXCLUSIVE, 0, &w), LOCK_FULL);
    CHECK_EQ(lockRelease(s, &k, LOCK_EXCLUSIVE), LOCK_OK);
    CHECK_EQ(lockRelease(s, &k, LOCK_EXCLUSIVE), LOCK_OK);
    CHECK_EQ(lockAcquire(t, &k, LOCK_EXCLUSIVE, 1, 0), LOCK_OK);
  }
  CHECK(lockCheck(p)==0);
  lockTxnEnd(s);
  CHECK(lockCheck(p)==0);
  lockSessionEnd(s);
  lockSessionEnd(t);
  CHECK(lockCheck(p)==0);
  CHECK_EQ(segHeader(lockSegment(p))->nRecord, 0);
  lockClose(p);
}
static void testSessions(void){
  static LockSession *a[LIMIT_SESSION+1];
  LockFile *p = 0;
  u32 i;
  LockSession *s = 0;
  lockOpenMemory(&sysMem, 0, &p);
  for(i=0; i<LIMIT_SESSION; i++) CHECK_EQ(lockSessionBegin(p, &a[i]), LOCK_OK);
  CHECK_EQ(lockSessionBegin(p, &s), LOCK_NOSESSION);
  CHECK(s==0);
  lockSessionEnd(a[1]);
  CHECK_EQ(lockSessionBegin(p, &a[1]), LOCK_OK);
  for(i=0; i<LIMIT_SESSION; i++) lockSessionEnd(a[i]);
  CHECK(lockCheck(p)==0);
  lockClose(p);
}
/* Many transaction locks, in a list that a rebuild has left unsorted. */
static void testUnsorted(void){
  LockFile *p = 0;
  LockSession *s;
  LockKey k;
  u32 i, iLevel, n = LIMIT_RECORD<100 ? 2 : 5000;
  lockOpenMemory(&sysMem, 0, &p);
  s = beginOrDie(p);
  for(i=0; i<n; i++){
    k = keyInt(i);
    CHECK_EQ(lockAcquire(s, &k, LOCK_EXCLUSIVE, 1, 0), LOCK_OK);
  }
  iLevel = lockLevel(s);
  for(; i<n+n/2; i++){
    k = keyInt(i);
    CHECK_EQ(lockAcquire(s, &k, LOCK_EXCLUSIVE, 1, 0), LOCK_OK);
  }
  segSession(lockSegment(p), lockSlot(s))->unsorted = 1;
  lockRollbackTo(s, iLevel);
  CHECK_EQ(segHeader(lockSegment(p))->nRecord, n);
  CHECK(lockCheck(p)==0);
  lockTxnEnd(s);
  CHECK_EQ(segHeader(lockSegment(p))->nRecord, 0);
  lockSessionEnd(s);
  lockClose(p);
}
/* Sessions of dead processes must not use up the slots. */
static void testDeadSessions(void){
  const char *zDb = scratch("lkdead");
  char z[400];
  LockFile *p = openOrDie(zDb);
  LockSession *s = 0;
  int i;
  lockName(z, zDb);
  for(i=0; i<2; i++){
    pid_t pid = fork();
    if( pid==0 ){
      LockFile *q = openOrDie(zDb);
      LockKey k;
      u32 j;
      for(j=0; j<LIMIT_SESSION; j++) if( lockSessionBegin(q, &s) ) break;
      if( j!=LIMIT_SESSION ) _exit(1);
      for(j=0; j<4 && j<LIMIT_RECORD; j++){
        k = keyInt(j);
        if( lockAcquire(s, &k, LOCK_EXCLUSIVE, 0, 0) ) _exit(2);
      }
      raise(SIGKILL);
    }
    { int st; waitpid(pid, &st, 0); CHECK(WIFSIGNALED(st)); }
  }
  CHECK_EQ(lockSessionBegin(p, &s), LOCK_OK);
  CHECK_EQ(segHeader(lockSegment(p))->nRecord, 0);
  CHECK(lockCheck(p)==0);
  lockSessionEnd(s);
  lockClose(p);
  unlink(z);
}

/*----------------------------------------------------------------- fork ---*/

static void testFork(void){
  const char *zDb = scratch("lkfork");
  char z[400];
  LockFile *p = openOrDie(zDb);
  LockSession *s = beginOrDie(p), *t;
  LockKey k = keyInt(1);
  LockWait w = { 250, 0, 0, 0 };
  int st;
  pid_t pid;
  lockName(z, zDb);
  CHECK_EQ(lockAcquire(s, &k, LOCK_EXCLUSIVE, 0, 0), LOCK_OK);
  pid = fork();
  if( pid==0 ){
    LockFile *q = 0;
    LockSession *u = 0;
    int e = 0;
    if( lockAcquire(s, &k, LOCK_EXCLUSIVE, 0, 0)!=LOCK_FORKED ) e |= 1;
    if( lockRelease(s, &k, LOCK_EXCLUSIVE)!=LOCK_FORKED ) e |= 2;
    lockTxnEnd(s);
    lockSessionEnd(s);
    if( lockOpen(&sysMem, zDb, 1, &q)!=LOCK_OK || q==p ) e |= 4;
    if( lockSessionBegin(q, &u)!=LOCK_OK ) e |= 8;
    if( lockAcquire(u, &k, LOCK_EXCLUSIVE, 0, 0)!=LOCK_NO ) e |= 16;
    lockClose(p);
    _exit(e);
  }
  waitpid(pid, &st, 0);
  CHECK_EQ(st, 0);
  CHECK_EQ(lockAcquire(s, &k, LOCK_EXCLUSIVE, 0, 0), LOCK_OK);
  /* a parent that dies while its child lives is dead all the same */
  pid = fork();
  if( pid==0 ){
    LockFile *q = openOrDie(zDb);
    LockKey k2 = keyInt(2);
    LockSession *u = beginOrDie(q);
    if( lockAcquire(u, &k2, LOCK_EXCLUSIVE, 0, 0) ) _exit(1);
    if( fork()==0 ){ restUs(300000); _exit(0); }
    if( fork()==0 ){
      execl("/bin/sleep", "sleep", "0.3", (char*)0);
      _exit(0);
    }
    raise(SIGKILL);
  }
  waitpid(pid, &st, 0);
  k = keyInt(2);        /* the children close their copy when they first run */
  CHECK_EQ(lockAcquire(s, &k, LOCK_EXCLUSIVE, 0, &w), LOCK_OK);
  /* exit without close */
  pid = fork();
  if( pid==0 ){
    LockKey k3 = keyInt(3);
    if( lockAcquire(beginOrDie(openOrDie(zDb)), &k3, LOCK_EXCLUSIVE, 0, 0) ){
      _exit(1);
    }
    _exit(0);
  }
  waitpid(pid, &st, 0);
  CHECK_EQ(st, 0);
  k = keyInt(3);
  CHECK_EQ(lockAcquire(s, &k, LOCK_EXCLUSIVE, 0, 0), LOCK_OK);
  t = beginOrDie(p);
  lockSessionEnd(t);
  lockSessionEnd(s);
  CHECK(lockCheck(p)==0);
  lockClose(p);
  unlink(z);
}

/*----------------------------------------------------- death and stopping */

/* Starts a process that holds lock k, perhaps inside the mutex.  Returns when
** it is ready.  The process ends with this one, also if an assert ends that. */
static pid_t holder(const char *zDb, i64 i, int bInside){
  int a[2];
  char c;
  pid_t pid;
  if( pipe(a)!=0 ) exit(1);
  pid = fork();
  if( pid==0 ){
    LockFile *q = openOrDie(zDb);
    LockKey k = keyInt(i);
    LockSession *u = beginOrDie(q);
    if( lockAcquire(u, &k, LOCK_EXCLUSIVE, 0, 0) ) _exit(1);
    lockSessionLabel(u, "holder");
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if( bInside ) mutexEnter(lockSegment(q));
    if( write(a[1], "x", 1)!=1 ) _exit(1);
    for(;;) pause();
  }
  close(a[1]);
  CHECK_EQ(read(a[0], &c, 1), 1);
  close(a[0]);
  return pid;
}
/* A caller that kills the holder at the first poll of its wait. */
typedef struct Killer {
  pid_t pid;
  int nPoll;
} Killer;
static LockRc killAtFirstPoll(void *pArg){
  Killer *p = pArg;
  if( p->nPoll++==0 ){
    signalOne(p->pid, SIGKILL);
    waitpid(p->pid, 0, 0);
  }
  return LOCK_OK;
}
/* A lock whose holder dies is granted by the next poll.  A mutex whose owner
** dies is taken over. */
static void testDeath(void){
  const char *zDb = scratch("lkdeath");
  char z[400];
  LockFile *p = openOrDie(zDb);
  LockSession *s = beginOrDie(p), *t = beginOrDie(p);
  LockKey k = keyInt(1);
  int i;
  lockName(z, zDb);
  for(i=0; i<6; i++){
    int bInside = i&1;
    Killer killer = { holder(zDb, 1, bInside), 0 };
    LockWait w = { 60000, 0, killAtFirstPoll, &killer };
    if( bInside ){
      pid_t pid = fork();
      LockRc rc = LOCK_BUSY;
      if( pid==0 ){ restUs(20000); signalOne(killer.pid, SIGKILL); _exit(0); }
      while( rc==LOCK_BUSY && waitpid(killer.pid, 0, WNOHANG)==0 ){
        rc = lockAcquire(s, &k, LOCK_EXCLUSIVE, 0, 0);
      }
      if( rc==LOCK_BUSY ) rc = lockAcquire(s, &k, LOCK_EXCLUSIVE, 0, 0);
      CHECK_EQ(rc, LOCK_OK);
      waitpid(pid, 0, 0);
      waitpid(killer.pid, 0, 0);
    }else{
      CHECK_EQ(lockAsk(s, &k, LOCK_EXCLUSIVE, 0, 1), LOCK_WAITING);
      CHECK_EQ(lockWait(s, &w), LOCK_OK);
      CHECK_EQ(killer.nPoll, 1);
      if( killer.nPoll==0 ) killAtFirstPoll(&killer);
    }
    CHECK_EQ(lockRelease(s, &k, LOCK_EXCLUSIVE), LOCK_OK);
    CHECK(lockCheck(p)==0);
  }
  CHECK(segHeader(lockSegment(p))->stat[STAT_RECOVERIES]>=3);
  lockSessionEnd(s);
  lockSessionEnd(t);
  lockClose(p);
  unlink(z);
}
static LockRc countPoll(void *pArg){
  ++*(int*)pArg;
  return LOCK_OK;
}
/* Processes that are stopped: one that holds a lock, and one inside the mutex.
** A thread that waits for the mutex sets WAITERS.  So if that bit stays clear
** no call has waited. */
static void testStopped(void){
  const char *zDb = scratch("lkstop");
  char z[400];
  LockFile *p = openOrDie(zDb);
  LockSession *s = beginOrDie(p), *t = beginOrDie(p);
  LockKey k = keyInt(1), k2 = keyInt(2);
  int nPoll = 0;
  LockWait w = { 120, 0, countPoll, &nPoll };
  LockSnapshot snap;
  pid_t pid = holder(zDb, 1, 0);
  u64 *pWord = &segHeader(lockSegment(p))->mutex;
  double t0;
  u32 i, n = 0;
  lockName(z, zDb);
  signalOne(pid, SIGSTOP);
  t0 = seconds();
  CHECK_EQ(lockAcquire(s, &k, LOCK_EXCLUSIVE, 0, &w), LOCK_TIMEOUT);
  CHECK(seconds()-t0>=0.12);
  CHECK(nPoll>=1 && nPoll<=3);         /* at 50, 100 and 120 ms, or fewer */
  CHECK_EQ(lockTrouble(s)->iPid, (u32)pid);
  CHECK_EQ(lockSnapshot(p, &snap), LOCK_OK);
  for(i=0; i<snap.nSession; i++){
    if( snap.aSession[i].iPid==(u32)pid ){
      n++;
      CHECK_EQ(snap.aSession[i].eState, OS_STOPPED);
      CHECK(strcmp(snap.aSession[i].zLabel, "holder")==0);
      CHECK_EQ(snap.aSession[i].nLock, 1);
    }
  }
  CHECK_EQ(n, 1);
  lockSnapshotFree(p, &snap);
  signalOne(pid, SIGKILL);
  waitpid(pid, 0, 0);
  /* stopped inside the mutex */
  CHECK_EQ(lockAcquire(s, &k2, LOCK_EXCLUSIVE, 1, 0), LOCK_OK);
  CHECK_EQ(lockAsk(t, &k2, LOCK_EXCLUSIVE, 0, 1), LOCK_WAITING);
  pid = holder(zDb, 1, 1);
  signalOne(pid, SIGSTOP);
  t0 = seconds();
  CHECK_EQ(lockAcquire(s, &k, LOCK_EXCLUSIVE, 0, 0), LOCK_BUSY);
  CHECK(seconds()-t0>=0.9);
  CHECK_EQ(lockRelease(s, &k2, LOCK_EXCLUSIVE), LOCK_BUSY);
  CHECK(atomicGet(pWord) & MUTEX_WAITERS);
  CHECK(atomicCas64(pWord, atomicGet(pWord),
                    atomicGet(pWord) & ~MUTEX_WAITERS));
  CHECK_EQ(lockCancel(p, lockSessionId(t)), LOCK_OK);
  CHECK_EQ(lockOutcome(t), LOCK_CANCELLED);
  lockTxnEnd(s);
  lockSessionEnd(t);
  CHECK_EQ(lockSnapshot(p, &snap), LOCK_OK);
  lockSnapshotFree(p, &snap);
  CHECK(!(atomicGet(pWord) & MUTEX_WAITERS));
  signalOne(pid, SIGKILL);
  waitpid(pid, 0, 0);
  t = beginOrDie(p);
  CHECK_EQ(lockAcquire(t, &k2, LOCK_EXCLUSIVE, 0, 0), LOCK_OK);
  CHECK(lockCheck(p)==0);
  lockSessionEnd(s);
  lockSessionEnd(t);
  lockClose(p);
  unlink(z);
}

/*----------------------------------------------- guards, turns and events */

static void testWriter(void){
  LockFile *p = 0;
  LockSession *s, *t;
  LockKey row, table, other = keyInt(1);
  lockOpenMemory(&sysMem, "writer", &p);
  s = beginOrDie(p);
  t = beginOrDie(p);
  keyMake(&row, KEY_ROW, "t\0001", 3);
  keyMake(&table, KEY_TABLE, "t", 1);
  CHECK_EQ(lockWriterEnter(s), LOCK_OK);
  CHECK_EQ(lockGuard(s, 0, &row, &pHeld), LOCK_OK);
  CHECK_EQ(lockAsk(t, &row, LOCK_EXCLUSIVE, 0, 0), LOCK_NO);
  CHECK_EQ(lockTrouble(t)->iBlocker, lockSessionId(s));
  CHECK_EQ(lockAsk(t, &other, LOCK_EXCLUSIVE, 0, 0), LOCK_OK);
  CHECK_EQ(lockAsk(s, &table, LOCK_INTENT_EXCLUSIVE, 1, 0), LOCK_OK);
  CHECK_EQ(lockAsk(t, &row, LOCK_EXCLUSIVE, 0, 1), LOCK_WAITING);
  lockRollbackTo(s, 0);
  CHECK_EQ(lockOutcome(t), LOCK_WAITING);
  lockTxnEnd(s);
  CHECK_EQ(lockOutcome(t), LOCK_OK);
  CHECK_EQ(lockWriterEnter(s), LOCK_OK);
  CHECK_EQ(lockGuard(s, 0, &row, &pHeld), LOCK_NO);
  CHECK_EQ(lockTrouble(s)->iBlocker, lockSessionId(t));
  lockSessionEnd(s);
  CHECK_EQ(lockAsk(t, &table, LOCK_EXCLUSIVE, 0, 0), LOCK_OK);
  CHECK(lockCheck(p)==0);
  lockSessionEnd(t);
  lockClose(p);
}
static u32 guardOf(LockFile *p, const LockKey *pTable){
  return segHeader(lockSegment(p))->guard[pTable->iHash%SEG_GUARDS];
}
enum { IS = LOCK_INTENT_SHARED, IX = LOCK_INTENT_EXCLUSIVE, SH = LOCK_SHARED,
       X = LOCK_EXCLUSIVE, SES = LOCK_SCOPE_SESSION,
       TXN = LOCK_SCOPE_TRANSACTION };

/* Guard words must count the grants of tables, of all sessions and modes. */
static void testGuard(void){
  LockFile *p = 0;
  LockSession *s, *t;
  LockKey table = keyTable("t"), row = keyRow("t", 1), other = keyInt(1);
  lockOpenMemory(&sysMem, 0, &p);
  s = beginOrDie(p);
  t = beginOrDie(p);
  CHECK_EQ(lockGuardFree(s, &table), 0);           /* not the writer */
  CHECK_EQ(lockWriterEnter(s), LOCK_OK);
  CHECK_EQ(lockGuardFree(s, &table), 1);
  CHECK_EQ(lockGuardFree(t, &table), 0);
  lockTxnEnd(s);
  CHECK_EQ(lockGuardFree(s, &table), 0);
  CHECK_EQ(lockAsk(t, &other, X, SES, 0), LOCK_OK);
  CHECK_EQ(lockAsk(t, &row, X, SES, 0), LOCK_OK);
  CHECK_EQ(guardOf(p, &table), 0);
  CHECK_EQ(lockAsk(t, &table, IX, SES, 0), LOCK_OK);
  CHECK_EQ(lockAsk(t, &table, IX, TXN, 0), LOCK_OK);
  CHECK_EQ(lockAsk(s, &table, IS, TXN, 0), LOCK_OK);
  CHECK_EQ(guardOf(p, &table), 2);
  CHECK_EQ(lockWriterEnter(s), LOCK_OK);
  CHECK_EQ(lockGuardFree(s, &table), 0);
  CHECK_EQ(lockGuard(s, 0, &row, &pHeld), LOCK_NO);
  CHECK_EQ(lockRelease(t, &row, X), LOCK_OK);
  CHECK_EQ(lockRelease(t, &table, IX), LOCK_OK);
  CHECK_EQ(guardOf(p, &table), 2);
  lockTxnEnd(t);
  CHECK_EQ(guardOf(p, &table), 1);
  CHECK_EQ(lockAsk(t, &table, IX, SES, 1), LOCK_WAITING);
  CHECK_EQ(guardOf(p, &table), 1);
  lockTxnEnd(s);
  CHECK_EQ(lockOutcome(t), LOCK_OK);
  CHECK_EQ(guardOf(p, &table), 1);
  CHECK(lockCheck(p)==0);
  segHeader(lockSegment(p))->guard[table.iHash%SEG_GUARDS] = 0;
  CHECK_EQ(mutexTry(lockSegment(p), 0), MUTEX_ENTERED);
  CHECK(strcmp(checkGrants(lockSegment(p)), "a guard word is too low")==0);
  segHeader(lockSegment(p))->guard[table.iHash%SEG_GUARDS] = 2;
  CHECK(strcmp(checkGrants(lockSegment(p)), "a guard word is too high")==0);
  segHeader(lockSegment(p))->guard[table.iHash%SEG_GUARDS] = 1;
  CHECK_EQ(mutexLeave(lockSegment(p)), 0);
  CHECK_EQ(lockWriterEnter(s), LOCK_OK);
  lockSessionEnd(t);
  CHECK_EQ(lockGuardFree(s, &table), 1);
  segHeader(lockSegment(p))->damaged = 1;
  CHECK_EQ(lockGuardFree(s, &table), 0);
  CHECK_EQ(lockWriterEnter(s), LOCK_MALFORMED);
  segHeader(lockSegment(p))->damaged = 0;
  lockSessionEnd(s);
  CHECK(lockCheck(p)==0);
  lockClose(p);
}

/* A session becomes the active writer once a transaction.  Further calls must
** not enter the mutex. */
static void testWriterOnce(void){
  const char *zDb = scratch("lkonce");
  char z[400], z2[420];
  LockFile *p = openOrDie(zDb);
  LockSession *s = beginOrDie(p), *t = beginOrDie(p);
  LockKey table = keyTable("t"), row = keyRow("t", 1);
  u32 iLevel;
  pid_t pid;
  int st;
  lockName(z, zDb);
  sprintf(z2, "%s2", z);
  CHECK_EQ(otherEnters(lockSegment(p)), MUTEX_ENTERED);
  CHECK_EQ(lockWriterEnter(s), LOCK_BUSY);
  CHECK_EQ(lockGuardFree(s, &table), 0);
  otherLeaves(lockSegment(p));
  iLevel = lockLevel(s);
  CHECK_EQ(lockWriterEnter(s), LOCK_OK);
  CHECK_EQ(otherEnters(lockSegment(p)), MUTEX_ENTERED);
  CHECK_EQ(lockWriterEnter(s), LOCK_OK);           /* the note is enough */
  CHECK_EQ(lockGuardFree(s, &table), 1);
  otherLeaves(lockSegment(p));
  CHECK_EQ(lockAsk(s, &row, X, TXN, 0), LOCK_OK);
  lockRollbackTo(s, iLevel);                       /* it stays the writer */
  CHECK_EQ(lockWriterEnter(s), LOCK_OK);
  CHECK_EQ(lockAsk(t, &row, X, SES, 0), LOCK_NO);
  CHECK_EQ(lockTrouble(t)->eWhy, TROUBLE_WRITES);
  pid = fork();
  if( pid==0 ){
    int e = lockWriterEnter(s)!=LOCK_FORKED;
    e |= lockGuardFree(s, &table)!=0;
    e |= lockHolding(s)!=0;
    e |= lockSkip(s, &row, X, SES)!=LOCK_FORKED || lockSkipProbe(s)!=0;
    _exit(e);
  }
  waitpid(pid, &st, 0);
  CHECK_EQ(st, 0);
  CHECK(rename(z, z2)==0);
  CHECK_EQ(lockWriterEnter(s), LOCK_OK);           /* probed only once */
  lockTxnEnd(s);
  CHECK_EQ(lockAsk(t, &row, X, SES, 0), LOCK_OK);
  CHECK_EQ(lockWriterEnter(s), LOCK_REPLACED);
  CHECK_EQ(lockWriterEnter(s), LOCK_REPLACED);
  CHECK(rename(z2, z)==0);
  CHECK_EQ(lockWriterEnter(s), LOCK_OK);
  lockSessionEnd(s);
  lockSessionEnd(t);
  lockClose(p);
  unlink(z);
}

/* The stamps of a transaction end. */
static void testStamps(void){
  LockFile *p = 0;
  LockSession *s;
  LockKey k = keyInt(1), row = keyRow("jobs", 1);
  lockOpenMemory(&sysMem, 0, &p);
  s = beginOrDie(p);
  s->iStamp = LIMIT_STAMP-1;
  CHECK_EQ(lockAcquire(s, &k, X, TXN, 0), LOCK_OK);
  CHECK_EQ(lockLevel(s), LIMIT_STAMP);
  CHECK_EQ(lockAcquire(s, &row, X, TXN, 0), LOCK_NOSTAMP);
  CHECK_EQ(lockSkip(s, &row, X, TXN), LOCK_NOSTAMP);
  CHECK(lockCheck(p)==0);
  lockTxnEnd(s);
  CHECK_EQ(lockSkip(s, &row, X, TXN), LOCK_OK);
  CHECK(lockCheck(p)==0);
  lockSessionEnd(s);
  lockClose(p);
}

static void testSkip(void){
  LockFile *p = 0;
  LockSession *s, *t, *u;
  LockKey row = keyRow("jobs", 1), row2 = keyRow("jobs", 2);
  lockOpenMemory(&sysMem, 0, &p);
  s = beginOrDie(p);
  t = beginOrDie(p);
  u = beginOrDie(p);
  CHECK_EQ(lockSkip(s, &row, 0, SES), LOCK_MISUSE);
  CHECK_EQ(lockSkip(s, &row, X, SES), LOCK_OK);
  CHECK(lockGrantToken(s)>0);
  CHECK_EQ(lockSkip(s, &row, X, SES), LOCK_NO);    /* its own */
  CHECK_EQ(lockSkip(s, &row, X, TXN), LOCK_NO);
  CHECK_EQ(lockSkip(s, &row, IS, SES), LOCK_NO);
  CHECK_EQ(lockSkip(t, &row, X, SES), LOCK_NO);
  CHECK_EQ(lockSkipProbe(t), 0);
  CHECK_EQ(lockRelease(s, &row, X), LOCK_OK);
  CHECK_EQ(lockRelease(s, &row, X), LOCK_NO);
  CHECK_EQ(lockAsk(s, &row, SH, SES, 0), LOCK_OK);
  CHECK_EQ(lockSkip(t, &row, SH, SES), LOCK_OK);   /* no conflict */
  CHECK_EQ(lockRelease(t, &row, SH), LOCK_OK);
  CHECK_EQ(lockAsk(u, &row, X, SES, 1), LOCK_WAITING);
  CHECK_EQ(lockSkip(t, &row, SH, SES), LOCK_NO);   /* another waits for it */
  CHECK_EQ(lockSkip(u, &row2, X, SES), LOCK_OK);   /* beside its request */
  CHECK_EQ(lockRelease(u, &row2, X), LOCK_OK);
  CHECK_EQ(lockGiveUp(u, LOCK_TIMEOUT), LOCK_TIMEOUT);
  CHECK_EQ(lockSkip(t, &row, SH, TXN), LOCK_OK);
  lockTxnEnd(t);
  CHECK_EQ(lockSkip(t, &row, SH, TXN), LOCK_OK);
  CHECK_EQ(lockWriterEnter(u), LOCK_OK);
  CHECK_EQ(lockSkip(t, &row2, X, SES), LOCK_NO);   /* another writes */
  CHECK_EQ(lockSkip(u, &row2, X, SES), LOCK_OK);
  CHECK(lockCheck(p)==0);
  lockSessionEnd(s);
  lockSessionEnd(t);
  lockSessionEnd(u);
  lockClose(p);
}

/* Rows of a dead process are skipped, the process is probed once, and a second
** pass takes them. */
static void testSkipDead(void){
  const char *zDb = scratch("lkskip");
  char z[400];
  LockFile *p = openOrDie(zDb);
  LockSession *s = beginOrDie(p);
  int i, n, st;
  pid_t pid = fork();
  lockName(z, zDb);
  if( pid==0 ){
    LockSession *t = beginOrDie(openOrDie(zDb));
    for(i=0; i<4; i++){
      LockKey k = keyRow("jobs", i);
      if( lockAsk(t, &k, X, SES, 0) ) _exit(1);
    }
    raise(SIGSTOP);
  }
  waitpid(pid, &st, WUNTRACED);
  CHECK(WIFSTOPPED(st));
  for(i=n=0; i<4; i++){
    LockKey k = keyRow("jobs", i);
    n += lockSkip(s, &k, X, SES)==LOCK_OK;
  }
  CHECK_EQ(n, 0);
  CHECK_EQ(lockSkipProbe(s), 0);                   /* stopped: it lives */
  CHECK_EQ(lockSkipProbe(s), 0);
  signalOne(pid, SIGKILL);
  waitpid(pid, &st, 0);
  CHECK_EQ(lockSkipProbe(s), 0);                   /* none is noted */
  for(i=n=0; i<4; i++){
    LockKey k = keyRow("jobs", i);
    n += lockSkip(s, &k, X, SES)==LOCK_OK;
  }
  CHECK_EQ(n, 0);
  CHECK_EQ(lockSkipProbe(s), 1);
  CHECK_EQ(lockSkipProbe(s), 0);
  for(i=n=0; i<4; i++){
    LockKey k = keyRow("jobs", i);
    n += lockSkip(s, &k, X, SES)==LOCK_OK;
  }
  CHECK_EQ(n, 4);
  CHECK(lockCheck(p)==0);
  lockSessionEnd(s);
  lockClose(p);
  unlink(z);
}

/* Releases by kind and mode, and asks whether anything is held. */
static void testReleaseAll(void){
  LockFile *p = 0;
  LockSession *s, *t;
  LockKey table = keyTable("t"), row = keyRow("t", 1), other = keyInt(1);
  u64 n = 9;
  lockOpenMemory(&sysMem, 0, &p);
  s = beginOrDie(p);
  t = beginOrDie(p);
  CHECK_EQ(lockHolding(s), 0);
  CHECK_EQ(lockAsk(s, &table, IX, SES, 0), LOCK_OK);
  CHECK_EQ(lockAsk(s, &table, IX, SES, 0), LOCK_OK);
  CHECK_EQ(lockAsk(s, &table, SH, SES, 0), LOCK_OK);
  CHECK_EQ(lockAsk(s, &row, X, SES, 0), LOCK_OK);
  CHECK_EQ(lockHolding(s), 1);
  CHECK_EQ(lockReleaseAll(s, 1u<<KEY_ROW, MODE_BIT(SH), &n), LOCK_OK);
  CHECK_EQ(n, 0);
  CHECK_EQ(lockReleaseAll(s, 1u<<KEY_TABLE, MODE_BIT(IS)|MODE_BIT(IX), &n),
           LOCK_OK);
  CHECK_EQ(n, 2);
  CHECK_EQ(guardOf(p, &table), 1);
  CHECK_EQ(lockRelease(s, &table, IX), LOCK_NO);
  CHECK_EQ(lockReleaseAll(s, 1u<<KEY_ROW, ~0u, &n), LOCK_OK);
  CHECK_EQ(n, 1);
  CHECK_EQ(lockHolding(s), 1);
  CHECK_EQ(lockReleaseAll(s, ~0u, ~0u, &n), LOCK_OK);
  CHECK_EQ(n, 1);
  CHECK_EQ(lockHolding(s), 0);
  CHECK_EQ(lockAsk(s, &other, X, TXN, 0), LOCK_OK);
  CHECK_EQ(lockHolding(s), 1);
  CHECK_EQ(lockAsk(t, &other, X, SES, 1), LOCK_WAITING);
  CHECK_EQ(lockHolding(t), 0);                     /* it waits */
  lockTxnEnd(s);
  CHECK_EQ(lockHolding(s), 0);
  CHECK_EQ(lockHolding(t), 1);
  CHECK(lockCheck(p)==0);
  lockSessionEnd(s);
  lockSessionEnd(t);
  lockClose(p);
}

/* The row lock fails.  Only the table's intention lock, acquired a moment
** before in the same transaction, must go back, and lockTrouble must still have
** the blocker. */
static void testGiveBack(void){
  LockFile *p = 0;
  LockSession *s, *t, *u;
  LockKey table = keyTable("t"), row = keyRow("t", 1), row2 = keyRow("t", 2);
  LockWait w = { 1, 0, 0, 0 };
  u32 iLevel;
  lockOpenMemory(&sysMem, 0, &p);
  s = beginOrDie(p);
  t = beginOrDie(p);
  u = beginOrDie(p);
  CHECK_EQ(lockAsk(t, &row, X, SES, 0), LOCK_OK);
  iLevel = lockLevel(s);
  CHECK_EQ(lockAsk(s, &table, IX, TXN, 0), LOCK_OK);
  CHECK_EQ(lockAcquire(s, &row, X, TXN, &w), LOCK_TIMEOUT);
  lockRollbackTo(s, iLevel);
  CHECK_EQ(lockTrouble(s)->iBlocker, lockSessionId(t));
  CHECK_EQ(lockTrouble(s)->eWhy, TROUBLE_HOLDS);
  CHECK_EQ(lockHolding(s), 0);
  CHECK_EQ(guardOf(p, &table), 0);
  /* held for an earlier row: it stays */
  CHECK_EQ(lockAsk(s, &table, IX, TXN, 0), LOCK_OK);
  CHECK_EQ(lockAsk(s, &row2, X, TXN, 0), LOCK_OK);
  iLevel = lockLevel(s);
  CHECK_EQ(lockAsk(s, &table, IX, TXN, 0), LOCK_OK);
  CHECK_EQ(lockAsk(s, &row, X, TXN, 0), LOCK_NO);
  lockRollbackTo(s, iLevel);
  CHECK_EQ(lockAsk(u, &table, X, SES, 0), LOCK_NO);
  CHECK_EQ(lockAsk(u, &row2, X, SES, 0), LOCK_NO);
  lockTxnEnd(s);
  /* held in session scope: only the transaction hold goes */
  CHECK_EQ(lockAsk(s, &table, IX, SES, 0), LOCK_OK);
  iLevel = lockLevel(s);
  CHECK_EQ(lockAsk(s, &table, IX, TXN, 0), LOCK_OK);
  CHECK_EQ(lockAsk(s, &row, X, TXN, 0), LOCK_NO);
  lockRollbackTo(s, iLevel);
  CHECK_EQ(lockRelease(s, &table, IX), LOCK_OK);
  CHECK_EQ(lockAsk(u, &table, X, SES, 0), LOCK_OK);
  CHECK_EQ(lockRelease(u, &table, X), LOCK_OK);
  /* a request ahead, and the writer before it */
  CHECK_EQ(lockAsk(t, &row2, SH, SES, 0), LOCK_OK);
  CHECK_EQ(lockAsk(u, &row2, X, SES, 1), LOCK_WAITING);
  CHECK_EQ(lockAsk(s, &row2, SH, TXN, 0), LOCK_NO);
  CHECK_EQ(lockTrouble(s)->iBlocker, lockSessionId(u));
  CHECK_EQ(lockTrouble(s)->eWhy, TROUBLE_WAITS);
  CHECK_EQ(lockWriterEnter(t), LOCK_OK);
  CHECK_EQ(lockAsk(s, &row2, SH, TXN, 0), LOCK_NO);
  CHECK_EQ(lockTrouble(s)->iBlocker, lockSessionId(t));
  CHECK_EQ(lockTrouble(s)->eWhy, TROUBLE_WRITES);
  CHECK(lockCheck(p)==0);
  lockSessionEnd(s);
  lockSessionEnd(t);
  lockSessionEnd(u);
  lockClose(p);
}
static void testTurn(void){
  LockFile *p = 0;
  LockSession *a, *b, *c;
  LockKey k, o = keyInt(1);
  u32 iLevel;
  u64 iTok, iTok2;
  lockOpenMemory(&sysMem, 0, &p);
  a = beginOrDie(p); b = beginOrDie(p); c = beginOrDie(p);
  keyMake(&k, KEY_TURN, 0, 0);
  iLevel = lockLevel(a);
  CHECK_EQ(lockAsk(a, &o, LOCK_EXCLUSIVE, LOCK_SCOPE_TRANSACTION, 0), LOCK_OK);
  CHECK_EQ(lockAsk(a, &k, LOCK_EXCLUSIVE, LOCK_SCOPE_TURN, 0), LOCK_OK);
  CHECK_EQ(lockAsk(b, &k, LOCK_EXCLUSIVE, LOCK_SCOPE_TURN, 1), LOCK_WAITING);
  CHECK_EQ(lockAsk(c, &k, LOCK_EXCLUSIVE, LOCK_SCOPE_TURN, 1), LOCK_WAITING);
  lockRollbackTo(a, iLevel);
  CHECK_EQ(lockOutcome(b), LOCK_WAITING);
  CHECK_EQ(lockToken(a, &k, &iTok), LOCK_OK);
  lockTxnEnd(a);
  CHECK_EQ(lockOutcome(b), LOCK_OK);
  CHECK_EQ(lockToken(b, &k, &iTok2), LOCK_OK);
  CHECK(iTok2>iTok);
  CHECK_EQ(lockOutcome(c), LOCK_WAITING);
  CHECK_EQ(lockAsk(c==0 ? b : a, &o, LOCK_EXCLUSIVE, 0, 0), LOCK_OK);
  lockSessionEnd(b);
  CHECK_EQ(lockOutcome(c), LOCK_OK);
  lockSessionEnd(a);
  lockSessionEnd(c);
  lockClose(p);
}
static u32 iEventTid;
static void *waitEvent(void *pArg){
  LockFile *p = pArg;
  u32 iSeen = lockEvent(p, "lease");
  atomicSetRel(&iEventTid, (u32)syscall(SYS_gettid));
  lockEventWait(p, "lease", iSeen, 1000000);
  return 0;
}
/* A post wakes the thread that sleeps.  Without the wake it would sleep on for
** longer than this program has. */
static void testEvents(void){
  LockFile *p = 0;
  pthread_t t;
  struct timespec tEnd;
  lockOpenMemory(&sysMem, 0, &p);
  pthread_create(&t, 0, waitEvent, p);
  untilAsleep(&iEventTid);
  lockEventPost(p, "lease");
  clock_gettime(CLOCK_REALTIME, &tEnd);
  tEnd.tv_sec += 20;
  if( pthread_timedjoin_np(t, 0, &tEnd)!=0 ){
    CHECK(!"the thread still sleeps");
    return;
  }
  lockClose(p);
}

/*----------------------------------------------------------- answers, keys */

static int mayNot(void *p){ ++*(int*)p; return 0; }
static LockRc interrupt(void *p){
  return ++*(int*)p>1 ? LOCK_INTERRUPTED : LOCK_OK;
}
static void testAnswers(void){
  LockFile *p = 0;
  LockSession *s, *t;
  LockKey k = keyInt(1);
  int n = 0;
  LockWait w = { -1, mayNot, 0, 0 };
  lockOpenMemory(&sysMem, 0, &p);
  s = beginOrDie(p);
  t = beginOrDie(p);
  w.pArg = &n;
  CHECK_EQ(lockAcquire(s, &k, LOCK_EXCLUSIVE, 0, &w), LOCK_OK);
  CHECK_EQ(n, 0);
  CHECK_EQ(lockAcquire(t, &k, LOCK_SHARED, 0, &w), LOCK_REFUSED);
  CHECK_EQ(n, 1);
  w.xMayWait = 0;
  w.msTimeout = 0;
  CHECK_EQ(lockAcquire(t, &k, LOCK_SHARED, 0, &w), LOCK_TIMEOUT);
  w.msTimeout = -1;
  w.xPoll = interrupt;
  n = 0;
  CHECK_EQ(lockAcquire(t, &k, LOCK_SHARED, 0, &w), LOCK_INTERRUPTED);
  CHECK_EQ(lockCancel(p, lockSessionId(t)), LOCK_NO);
  CHECK_EQ(lockCancel(p, 123456789), LOCK_NO);
  CHECK_EQ(lockAcquire(t, &k, 0, 0, 0), LOCK_MISUSE);
  CHECK_EQ(lockAcquire(t, &k, 6, 0, 0), LOCK_MISUSE);
  CHECK(lockCheck(p)==0);
  lockSessionEnd(s);
  lockSessionEnd(t);
  lockClose(p);
}
/* Keys of all kinds and lengths must differ, also if only their last byte
** does. */
static void testKeys(void){
  LockFile *p = 0;
  LockSession *s, *t;
  char a[256];
  u32 n, i, aLen[] = { 0, 1, 3, 4, 47, 48, 49, 52, 159, 160, 161, 254, 255 };
  LockKey k;
  lockOpenMemory(&sysMem, 0, &p);
  s = beginOrDie(p);
  t = beginOrDie(p);
  memset(a, 'a', sizeof a);
  CHECK_EQ(keyMake(&k, KEY_TEXT, a, 256), LOCK_MISUSE);
  CHECK_EQ(keyMake(&k, 0, a, 1), LOCK_MISUSE);
  CHECK_EQ(keyMake(&k, KEY_KINDS, a, 1), LOCK_MISUSE);
  for(n=0; n<13 && LIMIT_RECORD>100; n++) for(i=1; i<KEY_KINDS; i++){
    u64 iTok;
    keyMake(&k, (int)i, a, aLen[n]);
    CHECK_EQ(lockAcquire(s, &k, LOCK_EXCLUSIVE, 0, 0), LOCK_OK);
    CHECK_EQ(lockAcquire(t, &k, LOCK_SHARED, 0, 0), LOCK_NO);
    if( aLen[n] ){
      a[aLen[n]-1] ^= 1;
      keyMake(&k, (int)i, a, aLen[n]);
      k.iHash ^= 0;
      CHECK_EQ(lockAcquire(t, &k, LOCK_EXCLUSIVE, 0, 0), LOCK_OK);
      CHECK_EQ(lockToken(t, &k, &iTok), LOCK_OK);
      a[aLen[n]-1] ^= 1;
    }
  }
  CHECK(lockCheck(p)==0);
  { /* two long keys with one hash differ by their bytes alone */
    LockKey x, y;
    memset(a, 'x', sizeof a);
    keyMake(&x, KEY_BLOB, a, 200);
    a[199] = 'y';
    keyMake(&y, KEY_BLOB, a, 200);
    x.iHash = y.iHash;          /* as if their hashes were equal */
    CHECK_EQ(lockAcquire(s, &x, LOCK_EXCLUSIVE, 0, 0), LOCK_OK);
    CHECK_EQ(lockAcquire(t, &y, LOCK_EXCLUSIVE, 0, 0), LOCK_OK);
  }
  lockSessionEnd(s);
  lockSessionEnd(t);
  CHECK_EQ(segHeader(lockSegment(p))->nRecord, 0);
  CHECK(lockCheck(p)==0);
  lockClose(p);
}

/* 1 if the last byte of a key is even. */
static int evenKey(void *pArg, u32 eKind, const u8 *pKey, u32 nKey){
  (void)pArg;
  return eKind==KEY_TEXT && nKey && pKey[nKey-1]%2==0;
}
/* A filter lets every lock through that it asks for, and few others. */
static void testFilter(void){
  LockFile *p = 0;
  LockSession *s, *t;
  LockSnapshot snap;
  LockFilter f;
  LockKey k;
  char a[100];
  u32 i, n = 60;
  if( LIMIT_RECORD<200 ) return;
  lockOpenMemory(&sysMem, 0, &p);
  s = beginOrDie(p);
  t = beginOrDie(p);
  memset(a, 'a', sizeof a);
  for(i=0; i<n; i++){
    k = keyInt(i);
    CHECK_EQ(lockAcquire(i%3 ? s : t, &k, LOCK_EXCLUSIVE, 0, 0), LOCK_OK);
    a[99] = (char)i;
    if( i%2 ) keyMake(&k, KEY_TEXT, a, 100);
    else keyMake(&k, KEY_TEXT, &a[99-i/2], i/2+1);
    CHECK_EQ(lockAcquire(s, &k, LOCK_SHARED, 0, 0), LOCK_OK);
  }
  memset(&f, 0, sizeof f);
  f.mKind = ~0u;
  CHECK_EQ(lockSnapshotSome(p, &f, &snap), LOCK_OK);
  CHECK_EQ(snap.nRow, 0);
  CHECK_EQ(snap.nSession, 2);
  lockSnapshotFree(p, &snap);
  f.mPart = SNAPSHOT_LOCKS;
  CHECK_EQ(lockSnapshotSome(p, &f, &snap), LOCK_OK);
  CHECK_EQ(snap.nRow, 2*n);
  lockSnapshotFree(p, &snap);
  f.mPart |= SNAPSHOT_KEYS;
  f.iSession = lockSessionId(t);
  CHECK_EQ(lockSnapshotSome(p, &f, &snap), LOCK_OK);
  CHECK_EQ(snap.nRow, n/3);
  for(i=0; i<snap.nRow; i++){
    k = keyInt(3*i);
    CHECK_EQ(snap.aSession[snap.aRow[i].iSession].iId, lockSessionId(t));
    CHECK(snap.aRow[i].nKey==8 && memcmp(snap.aRow[i].pKey, k.a, 8)==0);
  }
  lockSnapshotFree(p, &snap);
  f.iSession = 987654321;
  CHECK_EQ(lockSnapshotSome(p, &f, &snap), LOCK_OK);
  CHECK_EQ(snap.nRow, 0);
  lockSnapshotFree(p, &snap);
  f.iSession = 0;
  f.mKind = 1u<<KEY_INTEGER | 1u<<KEY_TEXT;
  f.mHash = 1u<<KEY_INTEGER;
  k = keyInt(4);
  f.aHash[KEY_INTEGER] = k.iHash;
  f.xKey = evenKey;
  CHECK_EQ(lockSnapshotSome(p, &f, &snap), LOCK_OK);
  CHECK_EQ(snap.nRow, 1 + n/2);
  for(i=0; i<snap.nRow; i++){
    const LockRow *r = &snap.aRow[i];
    CHECK(r->eKind==KEY_INTEGER ? memcmp(r->pKey, k.a, 8)==0
                                : evenKey(0, r->eKind, r->pKey, r->nKey));
  }
  lockSnapshotFree(p, &snap);
  lockSessionEnd(s);
  lockSessionEnd(t);
  lockClose(p);
}

/* The allocator fails at every allocation in turn. */
static int nAlloc, nFailAt;
static void *failAlloc(size_t n){
  return ++nAlloc==nFailAt ? 0 : malloc(n);
}
static void testNoMem(void){
  LockMem m = { failAlloc, free };
  int i, bDone = 0;
  for(i=1; i<40 && !bDone; i++){
    LockFile *p = 0;
    LockSession *s = 0;
    LockSnapshot snap;
    nAlloc = 0;
    nFailAt = i;
    if( lockOpenMemory(&m, "nomem", &p)!=LOCK_OK ){ CHECK(p==0); continue; }
    if( lockSessionBegin(p, &s)==LOCK_OK ){
      LockKey k = keyInt(1);
      LockRc rc;
      CHECK_EQ(lockAcquire(s, &k, LOCK_EXCLUSIVE, 0, 0), LOCK_OK);
      rc = lockSnapshot(p, &snap);
      CHECK(rc==LOCK_OK || rc==LOCK_NOMEM);
      if( rc==LOCK_OK ){ lockSnapshotFree(p, &snap); bDone = nAlloc<i; }
      lockSessionEnd(s);
    }
    lockClose(p);
  }
  CHECK(bDone);
}

/*-------------------------------------------------------------- threads ---*/

static LockFile *pThread;
static int nInside, bWrong;
static void *threadMain(void *pArg){
  LockSession *s = beginOrDie(pThread);
  LockKey k = keyInt(7);
  LockWait w = { 60000, 0, 0, 0 };
  int i;
  (void)pArg;
  for(i=0; i<3000; i++){
    if( lockAcquire(s, &k, LOCK_EXCLUSIVE, 0, &w)!=LOCK_OK ){
      bWrong = 1;
      break;
    }
    if( __atomic_add_fetch(&nInside, 1, __ATOMIC_RELAXED)!=1 ) bWrong = 1;
    __atomic_sub_fetch(&nInside, 1, __ATOMIC_RELAXED);
    if( i%64==0 ){
      LockSnapshot snap;
      if( lockSnapshot(pThread, &snap)!=LOCK_OK ) bWrong = 1;
      else lockSnapshotFree(pThread, &snap);
    }
    if( lockRelease(s, &k, LOCK_EXCLUSIVE)!=LOCK_OK ) bWrong = 1;
  }
  lockSessionEnd(s);
  return 0;
}
static void testThreads(void){
  const char *zDb = scratch("lkthread");
  char z[400];
  pthread_t a[3];
  int i;
  lockName(z, zDb);
  pThread = openOrDie(zDb);
  for(i=0; i<3; i++) pthread_create(&a[i], 0, threadMain, 0);
  for(i=0; i<3; i++) pthread_join(a[i], 0);
  CHECK_EQ(bWrong, 0);
  CHECK(lockCheck(pThread)==0);
  CHECK_EQ(segHeader(lockSegment(pThread))->nRecord, 0);
  lockClose(pThread);
  unlink(z);
}

/* A session gives up and is granted at the same moment.  One of the two must
** happen, and after a wait that was given up nothing may be held. */
static LockSession *pRace;
static u32 eRace;                /* 1: the other thread may release, 2: done */
static void *raceMain(void *pArg){
  LockKey k = keyInt(9);
  u32 e;
  (void)pArg;
  while( (e = atomicGetAcq(&eRace))!=3 ){
    if( e!=1 ) continue;
    lockRelease(pRace, &k, LOCK_EXCLUSIVE);
    atomicSetRel(&eRace, 2);
  }
  return 0;
}
static void testRace(void){
  LockFile *p = 0;
  LockSession *s;
  LockKey k = keyInt(9);
  pthread_t t;
  u64 seed = 5;
  int i, j, nWon = 0, nLost = 0;
  double tEnd = seconds()+2;
  lockOpenMemory(&sysMem, 0, &p);
  s = beginOrDie(p);
  pRace = beginOrDie(p);
  pthread_create(&t, 0, raceMain, 0);
  for(i=0; i<20000 && seconds()<tEnd && nError==0; i++){
    int nSpin = (int)(rnd(&seed)>>33)%400;
    LockRc rc;
    CHECK_EQ(lockAcquire(pRace, &k, LOCK_EXCLUSIVE, 0, 0), LOCK_OK);
    CHECK_EQ(lockAsk(s, &k, LOCK_EXCLUSIVE, 0, 1), LOCK_WAITING);
    atomicSetRel(&eRace, 1);
    for(j=0; j<nSpin; j++) atomicPause();
    rc = lockGiveUp(s, LOCK_TIMEOUT);
    while( atomicGetAcq(&eRace)!=2 ) atomicPause();
    CHECK(rc==LOCK_OK || rc==LOCK_TIMEOUT);
    CHECK_EQ(lockRelease(s, &k, LOCK_EXCLUSIVE),
             rc==LOCK_OK ? LOCK_OK : LOCK_NO);
    CHECK_EQ(lockAcquire(pRace, &k, LOCK_EXCLUSIVE, 0, 0), LOCK_OK);
    CHECK_EQ(lockRelease(pRace, &k, LOCK_EXCLUSIVE), LOCK_OK);
    if( rc==LOCK_OK ) nWon++; else nLost++;
  }
  CHECK(i<2000 || (nWon>0 && nLost>0));
  atomicSetRel(&eRace, 3);
  pthread_join(t, 0);
  lockSessionEnd(s);
  lockSessionEnd(pRace);
  lockClose(p);
}

/* A cancel must hit the wait that it has read, and not one that began after. */
static u32 nWaitNow, bStopCancel;
static u64 iCancelId;
static LockFile *pCancelFile;
static u32 nHit, nLate;
static u32 iHitSeen;
static void *cancelMain(void *pArg){
  (void)pArg;
  while( !atomicGetAcq(&bStopCancel) ){
    u32 n = atomicGetAcq(&nWaitNow);
    if( lockCancel(pCancelFile, iCancelId)==LOCK_OK ){
      u32 iHit;
      while( (iHit = atomicGetAcq(&iHitSeen))==0 && !bStopCancel ){
        atomicPause();
      }
      nHit++;
      nLate += iHit>n+1;
      atomicSetRel(&iHitSeen, 0);
    }
    restUs(1);
  }
  return 0;
}
static void testCancelAim(void){
  LockSession *s, *h;
  LockKey k = keyInt(9);
  pthread_t t;
  double tEnd = seconds()+1;
  lockOpenMemory(&sysMem, 0, &pCancelFile);
  s = beginOrDie(pCancelFile);
  h = beginOrDie(pCancelFile);
  iCancelId = lockSessionId(s);
  CHECK_EQ(lockAcquire(h, &k, LOCK_EXCLUSIVE, 0, 0), LOCK_OK);
  pthread_create(&t, 0, cancelMain, 0);
  /* A busy machine takes longer to hit often enough. */
  while( seconds()<tEnd || (atomicGet(&nHit)<=10 && seconds()<tEnd+30) ){
    int j;
    atomicAdd(&nWaitNow, 1);
    if( lockAsk(s, &k, LOCK_EXCLUSIVE, 0, 1)!=LOCK_WAITING ) break;
    for(j=0; j<300; j++) atomicPause();
    if( lockGiveUp(s, LOCK_TIMEOUT)==LOCK_CANCELLED ){
      atomicSetRel(&iHitSeen, nWaitNow);
      while( atomicGetAcq(&iHitSeen) && !bStopCancel ) atomicPause();
    }
  }
  atomicSetRel(&bStopCancel, 1);
  pthread_join(t, 0);
  CHECK(nHit>10);
  /* A thread may sleep before its call, rarely. */
  CHECK(nLate*2<=nHit);
  lockSessionEnd(s);
  lockSessionEnd(h);
  lockClose(pCancelFile);
}

/* A limit of the file size in place of a full disk. */
/*
** Fencing tokens and session ids of a damaged file must not go back, neither
** while it is in use nor when it is formatted again, and must stay below 2^53.
*/
enum { HURT_TOKEN_HIGH, HURT_TOKEN_LOW, HURT_TOKEN_EDGE, HURT_ID_HIGH,
       HURT_ID_LOW, HURT_MAGIC, HURT_COUNT };
static void hurt(SegHeader *h, int e){
  switch( e ){
    case HURT_TOKEN_HIGH: h->token = (u64)1<<60; break;
    case HURT_TOKEN_LOW:  h->token = 5; break;
    case HURT_TOKEN_EDGE: h->token = ((u64)1<<53)-1; break;
    case HURT_ID_HIGH:    h->sessionId = (u64)1<<60; break;
    case HURT_ID_LOW:     h->sessionId = 1; break;
  }
}
static void testTokens(void){
  char zDb[300], zLock[320];
  int e;
  strcpy(zDb, scratch("lkunit"));
  lockName(zLock, zDb);
  for(e=0; e<HURT_COUNT; e++){
    LockFile *p;
    LockSession *s, *t = 0;
    LockKey k = keyInt(1), k2 = keyInt(2);
    SegHeader *h;
    u64 iToken, iId;
    LockRc rc;
    unlink(zLock);
    p = openOrDie(zDb);
    h = segHeader(lockSegment(p));
    h->token += 1000000000000u;             /* the clock was set back since */
    s = beginOrDie(p);
    lockSessionEnd(s);
    s = beginOrDie(p);
    CHECK_EQ(lockAcquire(s, &k, LOCK_EXCLUSIVE, 0, 0), LOCK_OK);
    iToken = lockGrantToken(s);
    iId = lockSessionId(s);
    hurt(h, e);
    if( e<=HURT_TOKEN_EDGE ){
      rc = lockAcquire(s, &k2, LOCK_EXCLUSIVE, 0, 0);
    }else if( e<HURT_MAGIC ){
      rc = lockSessionBegin(p, &t);
    }else{
      rc = LOCK_MALFORMED;
    }
    CHECK_EQ(rc, LOCK_MALFORMED);
    if( t ) lockSessionEnd(t);
    lockSessionEnd(s);
    hurt(h, e);
    h->damaged = 1;
    if( e==HURT_MAGIC ) h->magic = 0;       /* died while it was formatted */
    lockClose(p);
    p = openOrDie(zDb);
    s = beginOrDie(p);
    CHECK_EQ(lockAcquire(s, &k, LOCK_EXCLUSIVE, 0, 0), LOCK_OK);
    CHECK(lockGrantToken(s)>iToken);
    CHECK(lockGrantToken(s)<(u64)1<<53);
    CHECK(lockSessionId(s)>iId);
    CHECK(lockSessionId(s)<(u64)1<<53);
    lockSessionEnd(s);
    lockClose(p);
  }
  unlink(zLock);
}

/* A queued request must not be granted with a token that went back. */
static void testTokenQueue(void){
  LockFile *p = 0;
  LockSession *a, *b;
  LockKey k = keyInt(1);
  CHECK_EQ(lockOpenMemory(&sysMem, 0, &p), LOCK_OK);
  a = beginOrDie(p);
  b = beginOrDie(p);
  CHECK_EQ(lockAcquire(a, &k, LOCK_EXCLUSIVE, 0, 0), LOCK_OK);
  CHECK_EQ(lockAsk(b, &k, LOCK_EXCLUSIVE, 0, 1), LOCK_WAITING);
  segHeader(lockSegment(p))->token -= 100;
  CHECK_EQ(lockRelease(a, &k, LOCK_EXCLUSIVE), LOCK_MALFORMED);
  CHECK_EQ(lockOutcome(b), LOCK_WAITING);
  lockGiveUp(b, LOCK_TIMEOUT);
  lockSessionEnd(a);
  lockSessionEnd(b);
  lockClose(p);
}

/* A list of the file leads to another session's record.  The session's end, its
** next sweep and lockReleaseAll must leave that record alone and mark the file
** damaged.  So must the release of a record that is in no list. */
enum { FOREIGN_TXN, FOREIGN_SES, FOREIGN_SWEEP, FOREIGN_ALL, FOREIGN_WAIT,
       FOREIGN_NONE, FOREIGN_COUNT };
static void foreign(LockSession *a, LockSession *b, SegSession *s, u32 i, int e,
                    Seg *pSeg){
  LockKey k = keyInt(2);
  u64 n;
  switch( e ){
    case FOREIGN_TXN:   s->firstTxn = i; lockSessionEnd(a); break;
    case FOREIGN_SES:   s->firstSes = i; lockSessionEnd(a); break;
    case FOREIGN_SWEEP: s->firstSes = i; lockTxnEnd(a); break;
    case FOREIGN_WAIT:  s->waits = i; lockTxnEnd(a); break;
    case FOREIGN_ALL:
      s->firstTxn = i;
      CHECK_EQ(lockReleaseAll(a, ~0u, ~0u, &n), LOCK_MALFORMED);
      break;
    case FOREIGN_NONE:
      segRecord(pSeg, i)->linked = 0;
      CHECK_EQ(lockRelease(b, &k, X), LOCK_MALFORMED);
      break;
  }
}
static void testForeign(void){
  int e;
  for(e=0; e<FOREIGN_COUNT; e++){
    LockFile *p = 0;
    LockSession *a, *b;
    LockKey k1 = keyInt(1), k2 = keyInt(2);
    SegRecord *r;
    Seg *pSeg;
    u32 i, eState = e==FOREIGN_WAIT ? SEG_WITHDRAWN : SEG_GRANTED;
    CHECK_EQ(lockOpenMemory(&sysMem, 0, &p), LOCK_OK);
    pSeg = lockSegment(p);
    a = beginOrDie(p);
    b = beginOrDie(p);
    CHECK_EQ(lockAsk(a, &k1, X, TXN, 0), LOCK_OK);
    CHECK_EQ(lockAsk(b, &k2, X, SES, 0), LOCK_OK);
    if( e==FOREIGN_TXN ) CHECK_EQ(lockAsk(b, &k2, X, TXN, 0), LOCK_OK);
    i = lockGranted(b).iRecord;
    r = segRecord(pSeg, i);
    if( e==FOREIGN_WAIT ) r->state = SEG_WITH(r->state, eState);
    foreign(a, b, segSession(pSeg, lockSlot(a)), i, e, pSeg);
    CHECK(segDamaged(pSeg));
    CHECK_EQ(SEG_STATE(r->state), eState);
    if( e!=FOREIGN_TXN && e!=FOREIGN_SES ) lockSessionEnd(a);
    lockSessionEnd(b);
    lockClose(p);
  }
}

/*------------------------------------------ what a look counts and copies ---*/

/* An allocator that calls xGrow at a chosen allocation, so that the numbers
** that a look has counted have changed when it copies.  It finds bytes that are
** written behind an allocation. */
enum { BEHIND = 20000, MARK = 0x5A };
static void (*xGrow)(void);
static int nGrowAt;
static u32 nBeyond;                       /* bytes written behind */
static LockFile *pGrow;
static LockSession *aGrow[3];
static void *growAlloc(size_t n){
  u8 *z = malloc(16+n+BEHIND);
  if( z==0 ) exit(1);
  memcpy(z, &n, sizeof n);
  memset(z+16+n, MARK, BEHIND);
  if( nGrowAt>0 && --nGrowAt==0 ) xGrow();
  return z+16;
}
static void growFree(void *p){
  u8 *z = (u8*)p-16;
  size_t n, i;
  memcpy(&n, z, sizeof n);
  for(i=0; i<BEHIND; i++) nBeyond += z[16+n+i]!=MARK;
  free(z);
}
static const LockMem growMem = { growAlloc, growFree };

/* Key i: an integer, or a text of 250 bytes. */
static LockKey growKey(u32 i, int bLong){
  LockKey k;
  char z[251];
  if( !bLong ) return keyInt(i);
  snprintf(z, sizeof z, "%0250u", i);
  keyMake(&k, KEY_TEXT, z, 250);
  return k;
}
static void take(u32 n, int bLong, int bTake){
  u32 i;
  for(i=0; i<n; i++){
    LockKey k = growKey(i, bLong);
    if( bTake ) CHECK_EQ(lockAsk(aGrow[0], &k, X, SES, 0), LOCK_OK);
    else CHECK_EQ(lockRelease(aGrow[0], &k, X), LOCK_OK);
  }
}
static void growRows(void){ take(80, 0, 1); }
static void growKeys(void){
  take(20, 0, 0);
  take(20, 1, 1);
}
static void growWriter(void){
  ruleEnter(RANK_MUTEX, lockSegment(pGrow));
  writerEnter(lockSegment(pGrow), lockSlot(aGrow[0]));
  ruleReset();
}
/* The allocations of a look: sessions twice, rows, keys, pairs twice. */
static void lookAsItGrows(int nAt, void (*x)(void), LockSnapshot *pSnap){
  nGrowAt = nAt;
  xGrow = x;
  CHECK_EQ(lockSnapshot(pGrow, pSnap), LOCK_OK);
  CHECK_EQ(nGrowAt, 0);
}
static void testLookGrows(void){
  LockSnapshot snap;
  LockKey row = keyRow("t", 1);
  u32 i, k;
  for(i=0; i<3; i++){
    CHECK_EQ(lockOpenMemory(&growMem, 0, &pGrow), LOCK_OK);
    for(k=0; k<3; k++) aGrow[k] = beginOrDie(pGrow);
    if( i==0 ){
      take(80, 0, 1);                     /* the slots are below usedRecord */
      take(80, 0, 0);
      lookAsItGrows(3, growRows, &snap);
      CHECK(snap.nRow<80);
    }else if( i==1 ){
      take(100, 0, 1);
      take(100, 0, 0);
      take(20, 0, 1);
      lookAsItGrows(4, growKeys, &snap);
      CHECK(snap.nRow<20);
    }else{
      /* A request whose holder has ended a moment ago waits for no session.  A
      ** session that becomes the active writer while the pairs are made must
      ** be in none of them. */
      CHECK_EQ(lockAsk(aGrow[1], &row, X, TXN, 0), LOCK_OK);
      CHECK_EQ(lockAsk(aGrow[2], &row, X, SES, 1), LOCK_WAITING);
      CHECK_EQ(otherEnters(lockSegment(pGrow)), MUTEX_ENTERED);
      lockTxnEnd(aGrow[1]);
      lookAsItGrows(6, growWriter, &snap);
      CHECK_EQ(snap.nWait, 0);
      for(k=0; k<snap.nSession; k++) CHECK_EQ(snap.aSession[k].iWaitingFor, 0);
      otherLeaves(lockSegment(pGrow));
    }
    lockSnapshotFree(pGrow, &snap);
    CHECK_EQ(nBeyond, 0);
    for(k=0; k<3; k++) lockSessionEnd(aGrow[k]);
    lockClose(pGrow);
  }
}

static void testNoSpace(void){
  const char *zDb = scratch("lkspace");
  char z[400];
  int st;
  pid_t pid;
  lockName(z, zDb);
  pid = fork();
  if( pid==0 ){
    struct rlimit l;
    LockFile *p = 0;
    LockSession *s;
    LockKey k;
    LockRc rc = LOCK_OK;
    u32 i, n;
    signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &l);
    l.rlim_cur = 100;
    setrlimit(RLIMIT_FSIZE, &l);
    if( lockOpen(&sysMem, zDb, 1, &p)!=LOCK_NOSPACE ) _exit(1);
    l.rlim_cur = SEG_EXTENTS+SEG_EXTENT+10;
    setrlimit(RLIMIT_FSIZE, &l);
    s = beginOrDie(openOrDie(zDb));
    for(i=0; i<=LIMIT_EXTENT && rc==LOCK_OK; i++){
      k = keyInt(i);
      rc = lockAcquire(s, &k, LOCK_EXCLUSIVE, 0, 0);
    }
    if( rc!=LOCK_NOSPACE || i!=LIMIT_EXTENT+1 ) _exit(2);
    k = keyInt(0);
    if( lockRelease(s, &k, LOCK_EXCLUSIVE)!=LOCK_OK ) _exit(3);
    l.rlim_cur = l.rlim_max;
    setrlimit(RLIMIT_FSIZE, &l);
    for(n=0; n<2; n++){
      k = keyInt(i+n);
      if( lockAcquire(s, &k, LOCK_EXCLUSIVE, 0, 0) ) _exit(4);
    }
    _exit(0);
  }
  waitpid(pid, &st, 0);
  CHECK_EQ(st, 0);
  unlink(z);
}

int main(int n, char **a){
  if( n>1 ) zSrc = a[1];
  alarm(120);
  setvbuf(stderr, 0, _IONBF, 0);
  testForeign();
  if( LIMIT_RECORD>=300 ) testLookGrows();
  if( LIMIT_SESSION>8 ) testExamples();
  testFiles();
  testAgain();
  testFull();
  testUnsorted();
  testSessions();
  testDeadSessions();
  testFork();
  testDeath();
  testStopped();
  testWriter();
  testGuard();
  testWriterOnce();
  testStamps();
  testSkip();
  if( LIMIT_RECORD>=12 ) testSkipDead();
  testReleaseAll();
  testGiveBack();
  testTurn();
  testEvents();
  testAnswers();
  testKeys();
  testFilter();
  testNoMem();
  testThreads();
  testRace();
  testCancelAim();
  testTokens();
  testTokenQueue();
  testNoSpace();
  return finish("lkunit");
}
