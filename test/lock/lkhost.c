/* SPDX-License-Identifier: 0BSD */
/*
** lkhost.c: what the machine does to a lock file: the user's clock set back
** and forth, a full disk, a network file system, the file deleted or replaced
** while it is in use, two copies of this code in one process, a process of
** another word size.
**
** The calls clock_gettime, fstatfs and posix_fallocate are wrapped by the
** linker (--wrap).  A really full disk is a small tmpfs, where the machine
** lets this process mount one.
**
**   lkhost [COPY]              a shared object with the lock manager in it
**   lkhost other PROGRAM [EMULATOR]
**                              this process and PROGRAM, the same of another
**                              word size, on one file; run by EMULATOR where
**                              the machine itself cannot.  Exit status 77 if
**                              neither can
*/
#define _FILE_OFFSET_BITS 64     /* as os_unix.c: the names below end in 64 */
#include "util.h"
#include <dlfcn.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/vfs.h>

/*---------------------------------------------------------- wrapped calls ---*/

static i64 sWall;                 /* by how much the user's clock is wrong */
static long iFsType;              /* what fstatfs says; 0: the truth */
static int eAllocate, nAllocate;  /* what posix_fallocate says, how often */

int __real_clock_gettime(clockid_t, struct timespec*);
int __wrap_clock_gettime(clockid_t, struct timespec*);
int __wrap_clock_gettime(clockid_t e, struct timespec *p){
  int rc = __real_clock_gettime(e, p);
  if( e==CLOCK_REALTIME || e==CLOCK_REALTIME_COARSE ){
    p->tv_sec += (time_t)sWall;
  }
  return rc;
}
int __real_fstatfs64(int, struct statfs*);
int __wrap_fstatfs64(int, struct statfs*);
int __wrap_fstatfs64(int fd, struct statfs *p){
  int rc = __real_fstatfs64(fd, p);
  if( iFsType ) p->f_type = iFsType;
  return rc;
}
int __real_posix_fallocate64(int, off_t, off_t);
int __wrap_posix_fallocate64(int, off_t, off_t);
int __wrap_posix_fallocate64(int fd, off_t i, off_t n){
  if( nAllocate>0 ){
    nAllocate--;
    return eAllocate;
  }
  return __real_posix_fallocate64(fd, i, n);
}

static const char *zDb;
static LockKey kA;
static void removeFile(const char *zName){
  char z[500];
  snprintf(z, sizeof z, "%s-interlock", zName);
  unlink(z);
}

/*---------------------------------------------------------------- clock ---*/

static LockRc setClock(void *p){
  i64 *ps = p;
  sWall = sWall==0 ? *ps : -sWall;       /* back and forth at every poll */
  return LOCK_OK;
}
static u64 tokenOf(LockSession *p){
  u64 i = 0;
  CHECK_EQ(lockToken(p, &kA, &i), LOCK_OK);
  return i;
}
static void testClock(void){
  static const i64 aShift[] = { -315360000, 315360000, -1, 86400 };
  LockFile *p = openOrDie(zDb);
  LockSession *s = beginOrDie(p), *t = beginOrDie(p);
  LockSnapshot snap;
  u64 iLast = 0;
  u32 i;
  for(i=0; i<4; i++){
    i64 sShift = aShift[i];
    LockWait w = { 130, 0, setClock, &sShift };
    u64 us = osMonotonicUs();
    CHECK_EQ(lockAcquire(s, &kA, LOCK_EXCLUSIVE, 0, 0), LOCK_OK);
    CHECK(tokenOf(s)>iLast);
    iLast = tokenOf(s);
    CHECK_EQ(lockAcquire(t, &kA, LOCK_EXCLUSIVE, 0, &w), LOCK_TIMEOUT);
    us = osMonotonicUs()-us;
    CHECK(us>=130000 && us<10000000);
    sWall = sShift;
    CHECK_EQ(lockAsk(t, &kA, LOCK_EXCLUSIVE, 0, 1), LOCK_WAITING);
    CHECK_EQ(lockRelease(s, &kA, LOCK_EXCLUSIVE), LOCK_OK);
    CHECK_EQ(lockOutcome(t), LOCK_OK);
    CHECK(tokenOf(t)>iLast);
    iLast = tokenOf(t);
    CHECK_EQ(lockSnapshot(p, &snap), LOCK_OK);
    lockSnapshotFree(p, &snap);
    CHECK_EQ(lockRelease(t, &kA, LOCK_EXCLUSIVE), LOCK_OK);
  }
  /* formatted again with the clock far behind: tokens go on */
  sWall = -315360000;
  segHeader(lockSegment(p))->damaged = 1;
  lockSessionEnd(s);
  lockSessionEnd(t);
  lockClose(p);
  p = openOrDie(zDb);
  s = beginOrDie(p);
  CHECK_EQ(lockAcquire(s, &kA, LOCK_EXCLUSIVE, 0, 0), LOCK_OK);
  CHECK(tokenOf(s)>iLast);
  lockSessionEnd(s);
  lockClose(p);
  removeFile(zDb);
  sWall = 0;
}

/*---------------------------------------------------------- file systems ---*/

static void testFileSystems(void){
  static const struct { long iType; LockRc rc; } a[] = {
    { 0x6969, LOCK_NETWORK },     { 0xFF534D42, LOCK_NETWORK },
    { 0xFE534D42, LOCK_NETWORK }, { 0x517B, LOCK_NETWORK },
    { 0x01021997, LOCK_NETWORK }, { 0x5346414F, LOCK_NETWORK },
    { 0x00C36400, LOCK_NETWORK }, { 0x0BD00BD0, LOCK_NETWORK },
    { 0xEF53, LOCK_OK },          { 0x01021994, LOCK_OK },
    { 0x58465342, LOCK_OK },      { 0x794C7630, LOCK_OK }
  };
  u32 i;
  for(i=0; i<sizeof(a)/sizeof(a[0]); i++){
    LockFile *p = 0;
    iFsType = a[i].iType;
    CHECK_EQ(lockOpen(&sysMem, zDb, 1, &p), a[i].rc);
    lockClose(p);
    removeFile(zDb);
  }
  iFsType = 0;
}

/*------------------------------------------------------------- full disk ---*/

/* Integer locks until one is refused: how many, and the refusal. */
static i64 fillTable(LockSession *s, LockRc *pRc){
  i64 i;
  for(i=0; i<=3*LIMIT_EXTENT; i++){
    LockKey k = keyInt(i);
    *pRc = lockAcquire(s, &k, LOCK_EXCLUSIVE, 0, 0);
    if( *pRc!=LOCK_OK ) return i;
  }
  return i;
}
/* After a refusal all that is held is held, and everything else works. */
static void stillWorks(LockFile *p, LockSession *s, i64 n){
  LockSession *t = beginOrDie(p);
  LockKey k = keyInt(0);
  i64 i;
  for(i=0; i<n; i++){
    LockKey q = keyInt(i);
    if( lockAcquire(t, &q, LOCK_SHARED, 0, 0)!=LOCK_NO ) break;
  }
  CHECK_EQ(i, n);
  CHECK_EQ(lockAcquire(s, &k, LOCK_EXCLUSIVE, 0, 0), LOCK_OK);
  CHECK_EQ(lockRelease(s, &k, LOCK_EXCLUSIVE), LOCK_OK);
  CHECK_EQ(lockRelease(s, &k, LOCK_EXCLUSIVE), LOCK_OK);
  CHECK_EQ(lockAcquire(t, &k, LOCK_EXCLUSIVE, 0, 0), LOCK_OK);
  CHECK_EQ(lockRelease(t, &k, LOCK_EXCLUSIVE), LOCK_OK);
  CHECK_EQ(lockAcquire(s, &k, LOCK_EXCLUSIVE, 0, 0), LOCK_OK);
  CHECK(lockCheck(p)==0);
  lockSessionEnd(t);
}
static void testAllocate(void){
  static const struct { int e; LockRc rc; } a[] = {
    { ENOSPC, LOCK_NOSPACE }, { EDQUOT, LOCK_NOSPACE },
    { EFBIG, LOCK_NOSPACE }, { EIO, LOCK_IOERR }
  };
  u32 i;
  for(i=0; i<4; i++){
    LockFile *p = 0;
    LockSession *s;
    LockKey k;
    LockRc rc;
    i64 n;
    eAllocate = a[i].e;
    nAllocate = 1;
    CHECK_EQ(lockOpen(&sysMem, zDb, 1, &p), a[i].rc);
    eAllocate = EINTR;             /* tried again */
    nAllocate = 3;
    p = openOrDie(zDb);
    s = beginOrDie(p);
    eAllocate = a[i].e;
    nAllocate = 1000;
    n = fillTable(s, &rc);
    CHECK_EQ(rc, a[i].rc);
    CHECK_EQ(n, LIMIT_EXTENT);
    stillWorks(p, s, n);
    nAllocate = 0;
    k = keyInt(n);
    CHECK_EQ(lockAcquire(s, &k, LOCK_EXCLUSIVE, 0, 0), LOCK_OK);
    CHECK(lockCheck(p)==0);
    lockSessionEnd(s);
    lockClose(p);
    removeFile(zDb);
  }
}
/* A file that takes all the room there is, but for nLeave bytes. */
static void filler(const char *z, size_t nLeave){
  static char a[4096];
  int fd = open(z, O_RDWR|O_CREAT|O_TRUNC, 0600);
  off_t n = 0;
  ssize_t nDone;
  while( (nDone = write(fd, a, sizeof a))>0 ) n += nDone;
  CHECK(ftruncate(fd, n>(off_t)nLeave ? n-(off_t)nLeave : 0)==0);
  close(fd);
}
static void onSmallDisk(const char *zDir){
  char zFill[420], zName[420];
  LockFile *p = 0;
  LockSession *s;
  LockKey k;
  LockRc rc;
  i64 n;
  snprintf(zFill, sizeof zFill, "%s/filler", zDir);
  snprintf(zName, sizeof zName, "%s/db", zDir);
  filler(zFill, 100000);
  CHECK_EQ(lockOpen(&sysMem, zName, 1, &p), LOCK_NOSPACE);
  CHECK(p==0);
  unlink(zFill);
  p = openOrDie(zName);
  s = beginOrDie(p);
  filler(zFill, 10000);
  n = fillTable(s, &rc);
  CHECK_EQ(rc, LOCK_NOSPACE);
  CHECK_EQ(n, LIMIT_EXTENT);
  stillWorks(p, s, n);
  unlink(zFill);
  k = keyInt(n);
  CHECK_EQ(lockAcquire(s, &k, LOCK_EXCLUSIVE, 0, 0), LOCK_OK);
  CHECK(lockCheck(p)==0);
  lockSessionEnd(s);
  lockClose(p);
}
static void testFullDisk(void){
  char zDir[400];
  int st;
  pid_t pid;
  snprintf(zDir, sizeof zDir, "%s-disk", zDb);
  mkdir(zDir, 0700);
  pid = fork();
  if( pid==0 ){
    if( unshare(CLONE_NEWNS)!=0
     || mount("none", "/", 0, MS_REC|MS_PRIVATE, 0)!=0
     || mount("tmpfs", zDir, "tmpfs", 0, "size=1m")!=0 ){
      _exit(77);
    }
    nError = 0;
    onSmallDisk(zDir);
    _exit(nError!=0);
  }
  waitpid(pid, &st, 0);
  if( WIFEXITED(st) && WEXITSTATUS(st)==77 ){
    printf("lkhost: no mount here: the really full disk is not tested\n");
  }else CHECK_EQ(st, 0);
  rmdir(zDir);
}

/*------------------------------------------------------ gone while in use ---*/

static char zFile[500], zAway[520];
static LockRc moveAway(void *p){
  int *peHow = p;
  if( *peHow==0 ) CHECK_EQ(unlink(zFile), 0);
  if( *peHow==1 ) CHECK_EQ(rename(zFile, zAway), 0);
  if( *peHow==2 ){                       /* another file in its place */
    int fd;
    CHECK_EQ(rename(zFile, zAway), 0);
    fd = open(zFile, O_RDWR|O_CREAT, 0600);
    CHECK(fd>=0);
    close(fd);
  }
  *peHow = -1;
  return LOCK_OK;
}
static void testGone(void){
  int e;
  snprintf(zFile, sizeof zFile, "%s-interlock", zDb);
  snprintf(zAway, sizeof zAway, "%s-away", zFile);
  for(e=0; e<3; e++){
    int eHow = e;
    LockWait w = { 20000, 0, moveAway, &eHow };
    LockFile *p = openOrDie(zDb), *p2;
    LockSession *s = beginOrDie(p), *t = beginOrDie(p), *u = 0;
    LockKey kB = keyText("B");
    CHECK_EQ(lockAcquire(s, &kA, LOCK_EXCLUSIVE, 0, 0), LOCK_OK);
    CHECK_EQ(lockAcquire(t, &kA, LOCK_EXCLUSIVE, 0, &w), LOCK_REPLACED);
    CHECK_EQ(lockAcquire(t, &kA, LOCK_EXCLUSIVE, 0, &w), LOCK_REPLACED);
    CHECK_EQ(lockSessionBegin(p, &u), LOCK_REPLACED);
    CHECK_EQ(lockAcquire(t, &kB, LOCK_EXCLUSIVE, 0, 0), LOCK_OK);
    CHECK_EQ(lockRelease(s, &kA, LOCK_EXCLUSIVE), LOCK_OK);
    p2 = openOrDie(zDb);                 /* a new file, another group */
    CHECK(p2!=p);
    u = beginOrDie(p2);
    CHECK_EQ(lockAcquire(u, &kB, LOCK_EXCLUSIVE, 0, 0), LOCK_OK);
    CHECK(lockCheck(p)==0 && lockCheck(p2)==0);
    lockSessionEnd(s);
    lockSessionEnd(t);
    lockSessionEnd(u);
    lockClose(p);
    lockClose(p2);
    unlink(zFile);
    unlink(zAway);
  }
}

/*------------------------------------------------------------- two copies ---*/

/* The calls of another copy of the lock manager in this process. */
typedef struct Copy {
  LockRc (*xOpen)(const LockMem*, const char*, int, LockFile**);
  void (*xClose)(LockFile*);
  LockRc (*xBegin)(LockFile*, LockSession**);
  void (*xEnd)(LockSession*);
  LockRc (*xAsk)(LockSession*, const LockKey*, u32, u32, int);
  LockRc (*xOutcome)(LockSession*);
  LockRc (*xRelease)(LockSession*, const LockKey*, u32);
  void (*xPoll)(LockSession*);
} Copy;
static void *find(void *pLib, const char *z){
  void *p = dlsym(pLib, z);
  CHECK(p!=0);
  return p;
}
#define FIND(field, zName) \
  do{ void *q_ = find(pLib, zName); memcpy(&c.field, &q_, sizeof q_); }while(0)
static void testCopies(const char *zLib){
  LockFile *p = openOrDie(zDb), *p2 = 0;
  LockSession *s = beginOrDie(p), *t = 0;
  LockKey kB = keyText("B");
  void *pLib = dlopen(zLib, RTLD_NOW|RTLD_LOCAL);
  Copy c;
  CHECK(pLib!=0);
  if( pLib==0 ) return;
  FIND(xOpen, "lockOpen"); FIND(xClose, "lockClose");
  FIND(xBegin, "lockSessionBegin"); FIND(xEnd, "lockSessionEnd");
  FIND(xAsk, "lockAsk"); FIND(xOutcome, "lockOutcome");
  FIND(xRelease, "lockRelease"); FIND(xPoll, "lockPoll");
  if( nError ) return;
  CHECK(c.xOpen!=lockOpen);
  CHECK_EQ(c.xOpen(&sysMem, zDb, 0, &p2), LOCK_OK);
  CHECK(p2!=p);
  CHECK_EQ(c.xBegin(p2, &t), LOCK_OK);
  /* each sees the other alive, waits for it and is woken by it */
  CHECK_EQ(lockAsk(s, &kA, LOCK_EXCLUSIVE, 0, 1), LOCK_OK);
  CHECK_EQ(c.xAsk(t, &kA, LOCK_EXCLUSIVE, 0, 0), LOCK_NO);
  CHECK_EQ(c.xAsk(t, &kB, LOCK_EXCLUSIVE, 0, 0), LOCK_OK);
  CHECK_EQ(c.xAsk(t, &kA, LOCK_EXCLUSIVE, 0, 1), LOCK_WAITING);
  c.xPoll(t);
  CHECK_EQ(c.xOutcome(t), LOCK_WAITING);
  CHECK_EQ(lockAsk(s, &kB, LOCK_EXCLUSIVE, 0, 1), LOCK_DEADLOCK);
  CHECK_EQ(lockRelease(s, &kA, LOCK_EXCLUSIVE), LOCK_OK);
  CHECK_EQ(c.xOutcome(t), LOCK_OK);
  CHECK_EQ(lockAsk(s, &kA, LOCK_EXCLUSIVE, 0, 1), LOCK_WAITING);
  lockPoll(s);
  CHECK_EQ(lockOutcome(s), LOCK_WAITING);
  c.xEnd(t);
  CHECK_EQ(lockOutcome(s), LOCK_OK);
  c.xClose(p2);                    /* closes its descriptor, not our locks */
  CHECK_EQ(osAnyHeld(&lockSegment(p)->file), 0);  /* but for one's own */
  CHECK_EQ(lockRelease(s, &kA, LOCK_EXCLUSIVE), LOCK_OK);
  CHECK(lockCheck(p)==0);
  lockSessionEnd(s);
  lockClose(p);
  dlclose(pLib);
  removeFile(zDb);
}

/*-------------------------------------------------------- other word size ---*/

/* `lkhost hold DB`: takes B, waits for A, has it, ends when its input does. */
static int other(const char *zName){
  LockFile *p = openOrDie(zName);
  LockSession *s = beginOrDie(p);
  LockWait w = { 20000, 0, 0, 0 };
  LockKey kB = keyText("B");
  char c;
  if( lockAcquire(s, &kB, LOCK_EXCLUSIVE, 0, 0)!=LOCK_OK ) return 1;
  if( lockAcquire(s, &kA, LOCK_SHARED, 0, 0)!=LOCK_NO ) return 2;
  if( lockAsk(s, &kA, LOCK_EXCLUSIVE, 1, 1)!=LOCK_WAITING ) return 3;
  if( write(1, "w", 1)!=1 ) return 4;
  if( lockWait(s, &w)!=LOCK_OK ) return 5;
  if( write(1, "g", 1)!=1 ) return 6;
  if( lockCheck(p) ) return 7;
  return read(0, &c, 1)==0 ? 0 : 8;
}
static void testOther(const char *zProgram, const char *zEmulator){
  LockFile *p = openOrDie(zDb);
  LockSession *s = beginOrDie(p);
  LockKey kB = keyText("B");
  int aIn[2], aOut[2], st;
  char c = 0;
  pid_t pid;
  CHECK_EQ(lockAcquire(s, &kA, LOCK_EXCLUSIVE, 0, 0), LOCK_OK);
  if( pipe(aIn)!=0 || pipe(aOut)!=0 ) exit(1);
  pid = fork();
  if( pid==0 ){
    dup2(aIn[0], 0);
    dup2(aOut[1], 1);
    close(aIn[1]);
    close(aOut[0]);
    if( zEmulator ){
      execlp(zEmulator, zEmulator, zProgram, "hold", zDb, (char*)0);
    }
    execl(zProgram, zProgram, "hold", zDb, (char*)0);
    _exit(126);
  }
  close(aIn[0]);
  close(aOut[1]);
  CHECK(read(aOut[0], &c, 1)==1 && c=='w');
  CHECK_EQ(lockAsk(s, &kB, LOCK_SHARED, 0, 0), LOCK_NO);
  CHECK_EQ(lockAsk(s, &kB, LOCK_SHARED, 0, 1), LOCK_DEADLOCK);
  CHECK_EQ(lockRelease(s, &kA, LOCK_EXCLUSIVE), LOCK_OK);
  CHECK(read(aOut[0], &c, 1)==1 && c=='g');
  CHECK_EQ(lockAsk(s, &kA, LOCK_SHARED, 0, 0), LOCK_NO);
  CHECK(lockCheck(p)==0);
  close(aIn[1]);
  waitpid(pid, &st, 0);
  CHECK_EQ(st, 0);
  CHECK_EQ(lockAsk(s, &kA, LOCK_SHARED, 0, 0), LOCK_OK);   /* it has exited */
  CHECK_EQ(lockAsk(s, &kB, LOCK_SHARED, 0, 0), LOCK_OK);
  lockSessionEnd(s);
  lockClose(p);
  close(aOut[0]);
  removeFile(zDb);
}

/* Is there such a program of another word size, and can it be run so? */
static int runs(const char *zProgram, const char *zEmulator){
  int st;
  pid_t pid = fork();
  if( pid==0 ){
    char z[20];
    snprintf(z, sizeof z, "%d", (int)sizeof(void*));
    if( zEmulator ) execlp(zEmulator, zEmulator, zProgram, "can", z, (char*)0);
    else execl(zProgram, zProgram, "can", z, (char*)0);
    _exit(126);
  }
  waitpid(pid, &st, 0);
  return st==0;
}
static int otherWordSize(const char *zProgram, const char *zEmulator){
  if( runs(zProgram, 0) ){
    zEmulator = 0;
  }else if( !zEmulator || !runs(zProgram, zEmulator) ){
    printf("lkhost: Skipped: no program of another word size can be run\n");
    return 77;
  }
  testOther(zProgram, zEmulator);
  return finish("lkhost: another word size");
}

int main(int n, char **a){
  alarm(100);
  setvbuf(stderr, 0, _IONBF, 0);
  kA = keyText("A");
  /* Of another size than the one that asks? */
  if( n==3 && strcmp(a[1], "can")==0 ) return atoi(a[2])==(int)sizeof(void*);
  if( n>2 && strcmp(a[1], "hold")==0 ) return other(a[2]);
  zDb = strdup(scratch("lkhost"));
  if( n>2 && strcmp(a[1], "other")==0 ){
    return otherWordSize(a[2], n>3 ? a[3] : 0);
  }
  testClock();
  testFileSystems();
  testAllocate();
  testFullDisk();
  testGone();
  if( n>1 ) testCopies(a[1]);
  testOther(a[0], 0);
  return finish("lkhost");
}
