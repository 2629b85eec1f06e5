/* SPDX-License-Identifier: 0BSD */
/*
** lkhost.c: what the machine can do to a lock file: the wall clock set back and
** forth, a full disk, a network file system, the file deleted or replaced while
** it is in use, two copies of this code in one process, a process of another
** word size, a second name of the database, closed standard streams, limits of
** the process.  Also how a lock file is made.
**
** The calls clock_gettime, fstatfs, fallocate, write, statx, linkat, open and
** fcntl are wrapped by the linker (--wrap).  A really full disk is a small
** tmpfs, where the machine lets this process mount one.
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
#include <sys/resource.h>
#include <sys/vfs.h>

/*---------------------------------------------------------- wrapped calls ---*/

static i64 sWall;                 /* how far the wall clock is wrong */
static long iFsType;              /* what fstatfs returns; 0: the truth */
static int eAllocate, nAllocate;  /* what fallocate returns, how often */

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
static off_t nSignalled;         /* a call for more is undone by a signal */
static int nUndone;              /* how often, before the test is ended */
static int eNoAllocate;          /* of a file system without it */
static int eNoPunch, eNoBlocks;  /* of one that cannot punch, or is full */
static off_t nBlocks;            /* bytes from 0 on that have blocks */
int __real_fallocate64(int, int, off_t, off_t);
int __wrap_fallocate64(int, int, off_t, off_t);
int __wrap_fallocate64(int fd, int e, off_t i, off_t n){
  errno = eNoAllocate;
  if( errno==0 ) errno = e & FALLOC_FL_PUNCH_HOLE ? eNoPunch : eNoBlocks;
  if( errno ) return -1;
  if( e==0 && i<=nBlocks && i+n>nBlocks ) nBlocks = i+n;
  if( nAllocate>0 ){
    nAllocate--;
    errno = eAllocate;
    return -1;
  }
  if( nSignalled && n>nSignalled ){
    if( ++nUndone>1000 ) exit(3);
    errno = EINTR;
    return -1;
  }
  return __real_fallocate64(fd, e, i, n);
}
static void (*xWrite)(void);     /* called once, before the next write */
static int eWrite;               /* what the write after that returns */
ssize_t __real_write(int, const void*, size_t);
ssize_t __wrap_write(int, const void*, size_t);
ssize_t __wrap_write(int fd, const void *p, size_t n){
  void (*x)(void) = xWrite;
  xWrite = 0;
  if( x ) x();
  if( x==0 && eWrite ){
    errno = eWrite;
    return -1;
  }
  return __real_write(fd, p, n);
}

static int bNoStatx, bNoLink;     /* what an old or a strict system lacks */
static int eOpen;                 /* errno of opening a lock file; 0: none */
static int bOnlyRead;             /* the same, but not for reading only */
static int bNoNull;               /* there is no /dev/null */
static int bNoProc;               /* /proc shows no process */
static int nInterrupt;            /* so many calls end with EINTR */
static int eLock;                 /* errno of fcntl for a lock; 0: none */
static int iLowest = 100;         /* lowest descriptor of a lock file so far */
static void (*xLink)(const char *zFrom, const char *zTo);

int __real_statx(int, const char*, int, unsigned, struct statx*);
int __wrap_statx(int, const char*, int, unsigned, struct statx*);
int __wrap_statx(int fd, const char *z, int flags, unsigned m,
                 struct statx *p){
  if( bNoStatx==0 ) return __real_statx(fd, z, flags, m, p);
  if( bNoStatx==1 ){
    errno = ENOSYS;
    return -1;
  }
  memset(p, 0, sizeof(*p));      /* a kernel before 5.8 */
  return 0;
}
int __real_linkat(int, const char*, int, const char*, int);
int __wrap_linkat(int, const char*, int, const char*, int);
int __wrap_linkat(int fd, const char *z, int fd2, const char *z2, int flags){
  if( xLink ) xLink(z, z2);
  if( bNoLink==0 ) return __real_linkat(fd, z, fd2, z2, flags);
  errno = EPERM;
  return -1;
}
int __real_open64(const char*, int, ...);
int __wrap_open64(const char*, int, ...);
int __wrap_open64(const char *z, int flags, ...){
  int mode = 0, fd;
  if( flags & (O_CREAT|O_TMPFILE) ){
    __builtin_va_list ap;
    __builtin_va_start(ap, flags);
    mode = __builtin_va_arg(ap, int);
    __builtin_va_end(ap);
  }
  if( eOpen && strstr(z, "-interlock")
   && !(bOnlyRead && (flags & O_ACCMODE)==O_RDONLY) ){
    errno = eOpen;
    return -1;
  }
  if( nInterrupt>0 && strstr(z, "-interlock") ){
    nInterrupt--;
    errno = EINTR;
    return -1;
  }
  if( (bNoNull && strcmp(z, "/dev/null")==0)
   || (bNoProc && strncmp(z, "/proc/", 6)==0) ){
    errno = ENOENT;
    return -1;
  }
  fd = __real_open64(z, flags, mode);
  if( fd>=0 && (strstr(z, "-interlock") || (flags & O_TMPFILE)==O_TMPFILE)
   && fd<iLowest ){
    iLowest = fd;
  }
  return fd;
}

int __real_fcntl64(int, int, ...);
int __wrap_fcntl64(int, int, ...);
int __wrap_fcntl64(int fd, int eCmd, ...){
  void *pArg;
  __builtin_va_list ap;
  __builtin_va_start(ap, eCmd);
  pArg = __builtin_va_arg(ap, void*);
  __builtin_va_end(ap);
  if( eCmd==F_OFD_SETLK || eCmd==F_OFD_GETLK ){
    if( nInterrupt>0 || eLock ){
      errno = nInterrupt>0 ? EINTR : eLock;
      nInterrupt -= nInterrupt>0;
      return -1;
    }
  }
  return __real_fcntl64(fd, eCmd, pArg);
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
/* After a refusal the session still holds what it held, and all else works. */
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
/* Begins more sessions than the file has room for, and ends them. */
static LockRc fillSessions(LockFile *p){
  LockSession *a[SEG_FIRST_SESSIONS+1];
  LockRc rc = LOCK_OK;
  u32 n = 0;
  while( rc==LOCK_OK && n<=SEG_FIRST_SESSIONS ){
    rc = lockSessionBegin(p, &a[n]);
    n += rc==LOCK_OK;
  }
  CHECK(n>=SEG_FIRST_SESSIONS-1);
  while( n>0 ) lockSessionEnd(a[--n]);
  return rc;
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
    CHECK_EQ(n, SEG_FIRST_RECORDS);
    stillWorks(p, s, n);
    CHECK_EQ(fillSessions(p), a[i].rc);
    nAllocate = 0;
    CHECK_EQ(fillSessions(p), LOCK_OK);
    k = keyInt(n);
    CHECK_EQ(lockAcquire(s, &k, LOCK_EXCLUSIVE, 0, 0), LOCK_OK);
    CHECK(lockCheck(p)==0);
    lockSessionEnd(s);
    lockClose(p);
    removeFile(zDb);
  }
}
/* A file of another program's length, where the system cannot punch: the first
** sessions have blocks. */
static void testShortFile(void){
  char z[500];
  int fd;
  snprintf(z, sizeof z, "%s-interlock", zDb);
  fd = open(z, O_RDWR|O_CREAT, 0600);
  CHECK(ftruncate(fd, SEG_SESSIONS+1)==0);
  close(fd);
  eNoPunch = EOPNOTSUPP;
  nBlocks = 0;
  lockClose(openOrDie(zDb));
  CHECK(nBlocks>=(off_t)(SEG_SESSIONS + SEG_FIRST_SESSIONS*sizeof(SegSession)));
  eNoPunch = 0;
  removeFile(zDb);
}
/* Damages a file so that only its slots have the last numbers, and lets a
** process fail to format it after the blocks are given back. */
static void halfFormat(const char *z, u64 *piToken, u64 *piId){
  LockFile *p = openOrDie(z);
  LockSession *s = beginOrDie(p);
  SegHeader *h = segHeader(lockSegment(p));
  CHECK_EQ(lockAcquire(s, &kA, LOCK_EXCLUSIVE, 0, 0), LOCK_OK);
  *piToken = tokenOf(s);
  *piId = lockSessionId(s);
  h->token = h->sessionId = 1;
  h->damaged = 1;
  lockSessionEnd(s);
  lockClose(p);
  p = 0;
  eNoBlocks = ENOSPC;
  CHECK_EQ(lockOpen(&sysMem, z, 1, &p), LOCK_NOSPACE);
  eNoBlocks = 0;
}
static void testHalfFormatted(void){
  u64 iToken, iId;
  LockFile *p;
  LockSession *s, *t = 0;
  halfFormat(zDb, &iToken, &iId);
  sWall = -315360000;
  p = openOrDie(zDb);
  s = beginOrDie(p);
  CHECK_EQ(lockAcquire(s, &kA, LOCK_EXCLUSIVE, 0, 0), LOCK_OK);
  CHECK(tokenOf(s)>iToken);
  CHECK(lockSessionId(s)>iId);
  sWall = 0;
  /* a free session that has no blocks */
  segHeader(lockSegment(p))->freeSession = SEG_FIRST_SESSIONS+1;
  CHECK_EQ(lockSessionBegin(p, &t), LOCK_MALFORMED);
  lockSessionEnd(s);
  lockClose(p);
  removeFile(zDb);
}
/* Makes a file that leaves only nLeave bytes of room. */
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
  u64 iToken, iId;
  LockFile *p = 0;
  LockSession *s;
  LockKey k;
  LockRc rc;
  i64 n;
  snprintf(zFill, sizeof zFill, "%s/filler", zDir);
  snprintf(zName, sizeof zName, "%s/db", zDir);
  filler(zFill, 10000);
  CHECK_EQ(lockOpen(&sysMem, zName, 1, &p), LOCK_NOSPACE);
  CHECK(p==0);
  unlink(zFill);
  p = openOrDie(zName);
  s = beginOrDie(p);
  filler(zFill, 10000);
  n = fillTable(s, &rc);
  CHECK_EQ(rc, LOCK_NOSPACE);
  CHECK_EQ(n, 2*SEG_FIRST_RECORDS);
  stillWorks(p, s, n);
  CHECK_EQ(fillSessions(p), LOCK_NOSPACE);
  unlink(zFill);
  CHECK_EQ(fillSessions(p), LOCK_OK);
  k = keyInt(n);
  CHECK_EQ(lockAcquire(s, &k, LOCK_EXCLUSIVE, 0, 0), LOCK_OK);
  CHECK(lockCheck(p)==0);
  lockSessionEnd(s);
  lockClose(p);
  /* no process may read what has no blocks: there is no memory for it */
  halfFormat(zName, &iToken, &iId);
  filler(zFill, 0);
  p = 0;
  CHECK_EQ(lockOpen(&sysMem, zName, 1, &p), LOCK_NOSPACE);
  unlink(zFill);
}

/*---------------------------------------------------------- a second name ---*/

static void makeDb(const char *z){
  int fd = open(z, O_RDWR|O_CREAT, 0644);
  CHECK(fd>=0);
  close(fd);
}
static LockRc openRc(const char *z){
  LockFile *p = 0;
  LockRc rc = lockOpen(&sysMem, z, 1, &p);
  lockClose(p);
  return rc;
}
/* Closing what looks at the database must not release SQLite's POSIX locks on
** it. */
static int isPosixLocked(const char *z){
  int st;
  pid_t pid = fork();
  if( pid==0 ){
    struct flock l;
    int fd = open(z, O_RDWR);
    memset(&l, 0, sizeof l);
    l.l_type = F_WRLCK;
    l.l_len = 1;
    _exit(fcntl(fd, F_GETLK, &l)==0 && l.l_type!=F_UNLCK);
  }
  waitpid(pid, &st, 0);
  return WEXITSTATUS(st);
}
static LockRc addLink(void *p){
  /* A wait may look again before it notices. */
  CHECK(link(zDb, p)==0 || errno==EEXIST);
  return LOCK_OK;
}
/* The database gets a second name, and the lock becomes free, right before the
** wait. */
typedef struct LinkFree {
  LockSession *pHolder;
  const char *zOther;
} LinkFree;
static int linkAndFree(void *p){
  LinkFree *pFree = p;
  CHECK_EQ(link(zDb, pFree->zOther), 0);
  CHECK_EQ(lockRelease(pFree->pHolder, &kA, LOCK_EXCLUSIVE), LOCK_OK);
  return 1;
}
static void testLinks(void){
  char zOther[400];
  LinkFree linkFree;
  LockWait w2 = { 20000, linkAndFree, 0, &linkFree };
  LockWait w = { 20000, 0, addLink, zOther };
  LockFile *p, *p2 = 0;
  LockSession *s, *t, *u = 0;
  snprintf(zOther, sizeof zOther, "%s-other", zDb);
  makeDb(zDb);
  p = openOrDie(zDb);
  s = beginOrDie(p);
  t = beginOrDie(p);
  CHECK_EQ(lockAcquire(s, &kA, LOCK_EXCLUSIVE, 0, 0), LOCK_OK);
  CHECK_EQ(lockAcquire(t, &kA, LOCK_EXCLUSIVE, 0, &w), LOCK_LINKED);
  CHECK_EQ(osTrouble()->eRc, LOCK_LINKED);
  CHECK_EQ(osTrouble()->nLink, 2);
  CHECK_EQ(lockAcquire(t, &kA, LOCK_EXCLUSIVE, 0, &w), LOCK_LINKED);
  CHECK_EQ(lockPending(t), 0);
  CHECK_EQ(lockSessionBegin(p, &u), LOCK_LINKED);
  CHECK_EQ(lockWriterEnter(t), LOCK_LINKED);
  CHECK_EQ(openRc(zDb), LOCK_LINKED);
  CHECK_EQ(openRc(zOther), LOCK_LINKED);
  CHECK_EQ(lockOpenLook(&sysMem, zOther, &p2), LOCK_LINKED);
  CHECK_EQ(lockRelease(s, &kA, LOCK_EXCLUSIVE), LOCK_OK);
  CHECK_EQ(unlink(zOther), 0);
  CHECK_EQ(lockMoved(s), LOCK_OK);
  CHECK_EQ(lockWriterEnter(t), LOCK_OK);
  linkFree.pHolder = s;
  linkFree.zOther = zOther;
  CHECK_EQ(lockAcquire(s, &kA, LOCK_EXCLUSIVE, 0, 0), LOCK_OK);
  CHECK_EQ(lockAcquire(t, &kA, LOCK_EXCLUSIVE, 0, &w2), LOCK_LINKED);
  CHECK_EQ(unlink(zOther), 0);
  CHECK_EQ(rename(zDb, zOther), 0);        /* moved behind a link */
  CHECK_EQ(symlink(zOther, zDb), 0);
  CHECK_EQ(lockMoved(s), LOCK_MOVED);
  CHECK_EQ(openRc(zDb), LOCK_MOVED);
  CHECK(lockCheck(p)==0);
  lockSessionEnd(s);
  lockSessionEnd(t);
  lockClose(p);
  unlink(zDb);
  unlink(zOther);
  removeFile(zDb);
  removeFile(zOther);
}
/* Each way of finding a mount, on files mounted alone and in a folder. */
static void onMounts(const char *zDir){
  char zA[420], zB[420], zSub[420], zC[440], zLock[440];
  struct flock l;
  int fd;
  snprintf(zA, sizeof zA, "%s/a", zDir);
  snprintf(zB, sizeof zB, "%s/b", zDir);
  snprintf(zSub, sizeof zSub, "%s/sub", zDir);
  snprintf(zC, sizeof zC, "%s/c", zSub);
  snprintf(zLock, sizeof zLock, "%s-interlock", zA);
  makeDb(zA);
  makeDb(zB);
  mkdir(zSub, 0700);
  CHECK_EQ(mount("tmpfs", zSub, "tmpfs", 0, "size=2m"), 0);
  CHECK_EQ(mount(zA, zB, 0, MS_BIND, 0), 0);
  makeDb(zC);
  for(bNoStatx=0; bNoStatx<3; bNoStatx++){
    CHECK_EQ(openRc(zA), LOCK_OK);
    CHECK_EQ(openRc(zB), LOCK_LINKED);
    CHECK_EQ(osTrouble()->eAbout, OS_ABOUT_MOUNT);
    CHECK_EQ(openRc(zC), LOCK_OK);       /* in the root of its own mount */
    fd = open(zA, O_RDWR);
    memset(&l, 0, sizeof l);
    l.l_type = F_WRLCK;
    l.l_len = 1;
    CHECK_EQ(fcntl(fd, F_SETLK, &l), 0);
    CHECK_EQ(openRc(zA), LOCK_OK);
    CHECK_EQ(isPosixLocked(zA), 1);
    close(fd);
  }
  bNoStatx = 0;
  CHECK_EQ(mount(zB, zLock, 0, MS_BIND, 0), 0);
  CHECK_EQ(openRc(zA), LOCK_CANTOPEN);
  CHECK_EQ(osTrouble()->eAbout, OS_ABOUT_MOUNT);
}
static void inMounts(const char *zWhat, void (*x)(const char*),
                     const char *zSize){
  char zDir[400];
  int st;
  pid_t pid;
  snprintf(zDir, sizeof zDir, "%s-disk", zDb);
  mkdir(zDir, 0700);
  pid = fork();
  if( pid==0 ){
    if( unshare(CLONE_NEWNS)!=0
     || mount("none", "/", 0, MS_REC|MS_PRIVATE, 0)!=0
     || mount("tmpfs", zDir, "tmpfs", 0, zSize)!=0 ){
      _exit(77);
    }
    nError = 0;
    x(zDir);
    _exit(nError!=0);
  }
  waitpid(pid, &st, 0);
  if( WIFEXITED(st) && WEXITSTATUS(st)==77 ){
    printf("lkhost: no mount here: %s not tested\n", zWhat);
  }else CHECK_EQ(st, 0);
  rmdir(zDir);
}

/*------------------------------------------------ how a lock file is made ---*/

static mode_t mAtLink;
static int bThereAtLink;
static void lookAtLink(const char *zFrom, const char *zTo){
  struct stat s;
  mAtLink = stat(zFrom, &s)==0 ? s.st_mode & 07777 : 0;
  bThereAtLink = stat(zTo, &s)==0;
}
static void makeFirst(const char *zFrom, const char *zTo){
  (void)zFrom;
  makeDb(zTo);
}
static void testMaking(void){
  char z[500];
  struct stat s;
  mode_t mOld = umask(077);
  snprintf(z, sizeof z, "%s-interlock", zDb);
  makeDb(zDb);
  CHECK_EQ(chmod(zDb, 0664), 0);
  /* it has its rights before it has its name */
  xLink = lookAtLink;
  CHECK_EQ(openRc(zDb), LOCK_OK);
  CHECK_EQ(mAtLink, 0664);
  CHECK_EQ(bThereAtLink, 0);
  CHECK(stat(z, &s)==0 && (s.st_mode & 07777)==0664);
  removeFile(zDb);
  /* another process was faster: this one uses its file */
  xLink = makeFirst;
  CHECK_EQ(openRc(zDb), LOCK_OK);
  xLink = 0;
  removeFile(zDb);
  bNoLink = 1;                     /* the plain way */
  CHECK_EQ(openRc(zDb), LOCK_OK);
  CHECK(stat(z, &s)==0 && (s.st_mode & 07777)==0664);
  bNoLink = 0;
  removeFile(zDb);
  umask(mOld);
  unlink(zDb);
}
static void testReasons(void){
  static const int a[] = { EACCES, EROFS, EMFILE, ENFILE, ENOSPC, ELOOP,
                           EDQUOT, EPERM, EIO };
  u32 i;
  openRc(zDb);
  for(i=0; i<sizeof(a)/sizeof(a[0]); i++){
    eOpen = a[i];
    CHECK_EQ(openRc(zDb), LOCK_CANTOPEN);
    CHECK_EQ(osTrouble()->eRc, LOCK_CANTOPEN);
    CHECK_EQ(osTrouble()->eAbout, OS_ABOUT_OPEN);
    CHECK_EQ(osTrouble()->iErrno, a[i]);
    CHECK(osTrouble()->mMode!=0);
  }
  eOpen = 0;
  removeFile(zDb);
}

/*--------------------------------------------------- only to be looked at ---*/

static u32 lookCount(LockFile *p, int *peState){
  LockSnapshot snap;
  u32 n;
  CHECK_EQ(lockSnapshot(p, &snap), LOCK_OK);
  n = snap.nRow;
  *peState = snap.nSession ? snap.aSession[0].eState : -1;
  lockSnapshotFree(p, &snap);
  return n;
}
/* A process that holds A until its input ends. */
static pid_t holder(int *pfd){
  int aIn[2], aOut[2];
  char c;
  pid_t pid;
  if( pipe(aIn)!=0 || pipe(aOut)!=0 ) exit(1);
  pid = fork();
  if( pid==0 ){
    LockSession *s = beginOrDie(openOrDie(zDb));
    close(aIn[1]);
    if( lockAcquire(s, &kA, LOCK_EXCLUSIVE, 0, 0)!=LOCK_OK ) _exit(1);
    if( write(aOut[1], "h", 1)!=1 || read(aIn[0], &c, 1)!=0 ) _exit(2);
    _exit(0);
  }
  CHECK(read(aOut[0], &c, 1)==1 && c=='h');
  close(aIn[0]);
  close(aOut[0]);
  close(aOut[1]);
  *pfd = aIn[1];
  return pid;
}
static LockRc lookRc(void){
  LockFile *p = 0;
  LockRc rc = lockOpenLook(&sysMem, zDb, &p);
  lockClose(p);
  return rc;
}
static void mark(off_t iAt, u32 iValue){
  char z[500];
  int fd, e = eOpen;
  snprintf(z, sizeof z, "%s-interlock", zDb);
  eOpen = 0;
  fd = open(z, O_RDWR);
  eOpen = e;
  CHECK(pwrite(fd, &iValue, 4, iAt)==4);
  close(fd);
}
static void testLook(void){
  LockFile *p = 0, *p2 = 0;
  struct stat info;
  LockSession *s = 0;
  int eState, fd = -1, st;
  char z[500];
  pid_t pid;
  removeFile(zDb);
  CHECK_EQ(lookRc(), LOCK_NOFILE);
  pid = holder(&fd);
  eOpen = EACCES;
  bOnlyRead = 1;
  CHECK_EQ(lockOpenLook(&sysMem, zDb, &p), LOCK_OK);
  CHECK_EQ(lookCount(p, &eState), 1);
  CHECK_EQ(eState, OS_RUNNING);
  CHECK_EQ(lockSessionBegin(p, &s), LOCK_MISUSE);
  CHECK_EQ(openRc(zDb), LOCK_CANTOPEN);
  /* a writer must not join a file that is open for a look */
  eOpen = 0;
  CHECK_EQ(lockOpen(&sysMem, zDb, 0, &p2), LOCK_OK);
  CHECK(p2!=p);
  CHECK_EQ(osAnyHeld(&lockSegment(p2)->file), 1);
  lockClose(p2);
  close(fd);
  waitpid(pid, &st, 0);
  CHECK_EQ(st, 0);
  eOpen = EACCES;
  CHECK_EQ(lookCount(p, &eState), 0);          /* the dead hold nothing */
  CHECK_EQ(eState, OS_GONE);
  /* until the look is over no process may format the file */
  eOpen = 0;
  mark(32, 1);
  CHECK_EQ(openRc(zDb), LOCK_BUSY);
  lockLooked(p);
  CHECK_EQ(openRc(zDb), LOCK_OK);
  lockClose(p);
  /* of another format, damaged, empty, and not ours */
  eOpen = EACCES;
  mark(32, 1);
  CHECK_EQ(lookRc(), LOCK_NOFILE);
  mark(32, 0);
  mark(0, 0x4E00);
  CHECK_EQ(lookRc(), LOCK_MALFORMED);
  mark(0, 0x6c6b0000|9<<8|'L');
  CHECK_EQ(lookRc(), LOCK_NOFILE);
  snprintf(z, sizeof z, "%s-interlock", zDb);
  CHECK_EQ(truncate(z, 0), 0);
  CHECK_EQ(lookRc(), LOCK_NOFILE);
  /* a user that may write the file must not make one of it by a look */
  eOpen = bOnlyRead = 0;
  CHECK_EQ(lookRc(), LOCK_NOFILE);
  CHECK_EQ(lockOpen(&sysMem, zDb, 0, &p2), LOCK_NOFILE);
  CHECK_EQ(stat(z, &info), 0);
  CHECK_EQ(info.st_size, 0);
  removeFile(zDb);
}

/*---------------------------------------------------------- interruptions ---*/

/* A call that a signal interrupts must be made again.  A call that fails must
** not make a process look dead. */
static void testInterrupted(void){
  LockFile *p = 0;
  OsFile *pFile;
  u64 iNumber;
  nInterrupt = 3;                          /* the opening */
  CHECK_EQ(lockOpen(&sysMem, zDb, 1, &p), LOCK_OK);
  CHECK_EQ(nInterrupt, 0);
  if( p==0 ) return;
  pFile = &lockSegment(p)->file;
  iNumber = lockSegment(p)->iNumber;
  nInterrupt = 3;
  CHECK_EQ(osLockFirst(pFile, OS_SHARED, 0), LOCK_OK);
  CHECK_EQ(nInterrupt, 0);
  CHECK_EQ(osLockFirst(pFile, OS_UNLOCKED, 0), LOCK_OK);
  nInterrupt = 3;
  CHECK_EQ(osLockNumber(pFile, iNumber+1), LOCK_OK);
  nInterrupt = 3;
  CHECK_EQ(osNumberHeld(pFile, iNumber+2), 0);
  nInterrupt = 3;
  CHECK_EQ(osAnyHeld(pFile), 0);           /* but for one's own */
  CHECK_EQ(nInterrupt, 0);
  eLock = ENOLCK;
  CHECK_EQ(osNumberHeld(pFile, iNumber+2), -1);
  CHECK_EQ(processDead(lockSegment(p), iNumber+2), 0);
  CHECK_EQ(osAnyHeld(pFile), -1);
  eLock = 0;
  CHECK_EQ(processDead(lockSegment(p), iNumber+2), 1);
  lockClose(p);
  removeFile(zDb);
  /* a process that /proc hides may be another user's */
  CHECK_EQ(osProcessState(osPid(), osPidSpace()), OS_RUNNING);
  bNoProc = 1;
  CHECK_EQ(osProcessState(osPid(), osPidSpace()), OS_UNKNOWN);
  bNoProc = 0;
}

/*-------------------------------------------------------------- too wide ---*/

static void modeOf(int iWanted){
  char z[500];
  struct stat s;
  snprintf(z, sizeof z, "%s-interlock", zDb);
  CHECK_EQ(stat(z, &s), 0);
  CHECK_EQ(s.st_mode & 07777, iWanted);
}
/* A lock file that more users may write than the database.  Root and the owner
** take the right away.  Another user must not use the file. */
static void testWide(void){
  static const struct { int mDb, mLock, mAfter; } a[] = {
    { 0644, 0666, 0644 }, { 0644, 0664, 0644 }, { 0664, 0666, 0664 },
    { 0664, 0664, 0664 }, { 0666, 0666, 0666 }, { 0600, 0606, 0604 }
  };
  char z[500];
  u32 i;
  int st;
  if( geteuid()!=0 ){
    printf("lkhost: not root: rights of other users not tested\n");
    return;
  }
  snprintf(z, sizeof z, "%s-interlock", zDb);
  for(i=0; i<sizeof(a)/sizeof(a[0]); i++){
    pid_t pid;
    int bWide = a[i].mLock!=a[i].mAfter;
    makeDb(zDb);
    CHECK_EQ(chmod(zDb, (mode_t)a[i].mDb), 0);
    CHECK_EQ(chown(zDb, 61001, 61001), 0);
    CHECK_EQ(openRc(zDb), LOCK_OK);
    CHECK_EQ(chmod(z, (mode_t)a[i].mLock), 0);
    CHECK_EQ(chown(z, 0, 61001), 0);
    pid = fork();
    if( pid==0 ){
      LockRc rc;
      if( setgid(61001)!=0 || setuid(61001)!=0 ) _exit(2);
      rc = openRc(zDb);
      if( !bWide ) _exit(rc!=LOCK_OK);
      _exit(rc!=LOCK_CANTOPEN
         || (osTrouble()->eAbout!=OS_ABOUT_WIDE
          && osTrouble()->eAbout!=OS_ABOUT_OPEN));
    }
    waitpid(pid, &st, 0);
    CHECK_EQ(st, 0);
    modeOf(a[i].mLock);
    CHECK_EQ(openRc(zDb), LOCK_OK);
    modeOf(a[i].mAfter);
    unlink(zDb);
    removeFile(zDb);
  }
}
/* osTrouble must be about the last failure. */
static void testTrouble(void){
  char z[500];
  snprintf(z, sizeof z, "%s-other", zDb);
  makeDb(zDb);
  CHECK_EQ(link(zDb, z), 0);
  CHECK_EQ(openRc(zDb), LOCK_LINKED);
  CHECK_EQ(osTrouble()->nLink, 2);
  CHECK_EQ(unlink(z), 0);
  eAllocate = ENOSPC;
  nAllocate = 1;
  CHECK_EQ(openRc(zDb), LOCK_NOSPACE);
  CHECK_EQ(osTrouble()->eRc, LOCK_NOSPACE);
  CHECK_EQ(osTrouble()->nLink, 0);
  CHECK_EQ(osTrouble()->mMode, 0);
  unlink(zDb);
  removeFile(zDb);
}

/*------------------------------------------------------ standard streams ---*/

/* With any of the descriptors 0 to 2 closed the lock file must not get one of
** them, not even for a moment, and they must be closed afterwards as before.
** Without /dev/null, as in a bare chroot, the moment cannot be avoided. */
static void testDescriptors(void){
  u32 m;
  for(m=1; m<16; m++){
    int st;
    pid_t pid = fork();
    if( pid==0 ){
      int i, bBad = 0;
      LockFile *p = 0;
      bNoNull = m>=8;
      for(i=0; i<3; i++) if( m & 1u<<i ) close(i);
      bBad = lockOpen(&sysMem, zDb, 1, &p)!=LOCK_OK;
      if( !bBad ) bBad = lockSegment(p)->file.fd<3 ? 2 : 0;
      for(i=0; i<3; i++){
        if( (m & 1u<<i) && fcntl(i, F_GETFD)>=0 ) bBad = 4;
      }
      if( !bBad && !bNoNull && iLowest<3 ) bBad = 8;
      _exit(bBad);
    }
    waitpid(pid, &st, 0);
    CHECK_EQ(st, 0);
    removeFile(zDb);
  }
}

/*---------------------------------------------------- limits of a process ---*/

static void limited(void){
  struct rlimit l = { 100000, RLIM_INFINITY }, lAll;
  LockFile *p = 0;
  LockSession *s;
  LockRc rc;
  i64 n;
  signal(SIGXFSZ, SIG_DFL);
  getrlimit(RLIMIT_FSIZE, &lAll);
  l.rlim_max = lAll.rlim_max;
  CHECK_EQ(setrlimit(RLIMIT_FSIZE, &l), 0);
  CHECK_EQ(lockOpen(&sysMem, zDb, 1, &p), LOCK_NOSPACE);
  CHECK_EQ(osTrouble()->iErrno, EFBIG);
  CHECK_EQ(osTrouble()->nLimit, 100000);
  CHECK(osTrouble()->nNeed>100000);
  l.rlim_cur = (rlim_t)osTrouble()->nNeed;   /* just enough */
  CHECK_EQ(setrlimit(RLIMIT_FSIZE, &l), 0);
  CHECK_EQ(openRc(zDb), LOCK_OK);
  CHECK_EQ(setrlimit(RLIMIT_FSIZE, &lAll), 0);
  p = openOrDie(zDb);
  s = beginOrDie(p);
  l.rlim_cur = (rlim_t)lockSegment(p)->nLength+5;
  CHECK_EQ(setrlimit(RLIMIT_FSIZE, &l), 0);
  n = fillTable(s, &rc);
  CHECK_EQ(rc, LOCK_NOSPACE);
  CHECK_EQ(n, SEG_FIRST_RECORDS);
  CHECK_EQ(fillSessions(p), LOCK_OK);    /* the file is as long already */
  stillWorks(p, s, n);
  CHECK_EQ(setrlimit(RLIMIT_FSIZE, &lAll), 0);
  n = fillTable(s, &rc);
  CHECK_EQ(rc, LOCK_OK);
  lockSessionEnd(s);
  lockClose(p);
}
static void narrow(void){
  struct rlimit l, lAll;
  LockFile *p = 0;
  LockSession *s = 0;
  FILE *f = fopen("/proc/self/statm", "r");
  unsigned long nPage = 0;
  CHECK(f && fscanf(f, "%lu", &nPage)==1);
  fclose(f);
  getrlimit(RLIMIT_AS, &lAll);
  l.rlim_max = lAll.rlim_max;
  l.rlim_cur = (rlim_t)nPage*4096 + 60000000;
  CHECK_EQ(setrlimit(RLIMIT_AS, &l), 0);
  CHECK_EQ(lockOpen(&sysMem, zDb, 1, &p), LOCK_NOMAP);
  CHECK_EQ(osTrouble()->eRc, LOCK_NOMAP);
  CHECK_EQ(osTrouble()->iErrno, ENOMEM);
  CHECK_EQ(osTrouble()->nLimit, l.rlim_cur);
  CHECK_EQ(lockOpenMemory(&sysMem, "m", &p), LOCK_OK);
  CHECK_EQ(lockSessionBegin(p, &s), LOCK_OK);
  CHECK_EQ(lockAcquire(s, &kA, LOCK_EXCLUSIVE, 0, 0), LOCK_OK);
  lockSessionEnd(s);
  lockClose(p);
  CHECK_EQ(setrlimit(RLIMIT_AS, &lAll), 0);
  CHECK_EQ(openRc(zDb), LOCK_OK);
}
static void apart(void (*x)(void)){
  int st;
  pid_t pid = fork();
  if( pid==0 ){
    nError = 0;
    x();
    _exit(nError!=0);
  }
  waitpid(pid, &st, 0);
  CHECK_EQ(st, 0);
  removeFile(zDb);
}
/* Uses private memory to its last record, and looks behind that. */
static void testPrivate(void){
  LockFile *p = 0;
  LockSession *s;
  LockRc rc = LOCK_OK;
  i64 n = 0;
  CHECK_EQ(lockOpenMemory(&sysMem, 0, &p), LOCK_OK);
  s = beginOrDie(p);
  while( rc==LOCK_OK ){
    LockKey k = keyInt(n);
    rc = lockAcquire(s, &k, LOCK_EXCLUSIVE, 0, 0);
    n += rc==LOCK_OK;
  }
  CHECK_EQ(rc, LOCK_FULL);
  CHECK_EQ(n, lockLimit(p));
  CHECK_EQ(n, LIMIT_PRIVATE*LIMIT_EXTENT);
  CHECK_EQ(lockSegment(p)->nLength, lockSegment(p)->nWindow);
  lockSessionEnd(s);
  lockClose(p);
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
/* A second later a free lock is not granted any more either. */
static void staysAway(LockSession *t, LockRc rcWanted){
  LockKey kC = keyText("C");
  LockWait w = { 0, 0, 0, 0 };
  sWall += 2;
  CHECK_EQ(lockAcquire(t, &kC, LOCK_EXCLUSIVE, 0, 0), rcWanted);
  CHECK_EQ(lockSkip(t, &kC, LOCK_EXCLUSIVE, 0), rcWanted);
  CHECK_EQ(lockRequest(t, &kC, LOCK_EXCLUSIVE, &w), rcWanted);
  CHECK_EQ(lockRelease(t, &kC, LOCK_EXCLUSIVE), LOCK_NO);
  sWall -= 2;
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
    CHECK_EQ(lockAcquire(t, &kB, LOCK_EXCLUSIVE, 0, 0), LOCK_OK);
    CHECK_EQ(lockAcquire(t, &kA, LOCK_EXCLUSIVE, 0, &w), LOCK_REPLACED);
    CHECK_EQ(lockAcquire(t, &kA, LOCK_EXCLUSIVE, 0, &w), LOCK_REPLACED);
    CHECK_EQ(lockSessionBegin(p, &u), LOCK_REPLACED);
    staysAway(t, LOCK_REPLACED);
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

/* The same with the database.  A session that begins when another database has
** the name goes with that one; those before it do not. */
static void testDbGone(void){
  int e;
  snprintf(zFile, sizeof zFile, "%s", zDb);
  snprintf(zAway, sizeof zAway, "%s-away", zDb);
  for(e=0; e<3; e++){
    int eHow = e;
    LockWait w = { 20000, 0, moveAway, &eHow };
    LockFile *p;
    LockSession *s, *t, *u;
    makeDb(zDb);
    p = openOrDie(zDb);
    s = beginOrDie(p);
    t = beginOrDie(p);
    CHECK_EQ(lockAcquire(s, &kA, LOCK_EXCLUSIVE, 0, 0), LOCK_OK);
    CHECK_EQ(lockMoved(s), LOCK_OK);
    CHECK_EQ(lockAcquire(t, &kA, LOCK_EXCLUSIVE, 0, &w), LOCK_MOVED);
    CHECK_EQ(lockMoved(s), LOCK_MOVED);
    CHECK_EQ(lockWriterEnter(s), LOCK_MOVED);
    staysAway(t, LOCK_MOVED);
    if( e<2 ) makeDb(zDb);
    u = beginOrDie(p);
    CHECK_EQ(lockMoved(u), LOCK_OK);
    CHECK_EQ(lockMoved(s), LOCK_MOVED);
    if( e>0 ){                           /* the first one comes back */
      CHECK_EQ(rename(zAway, zDb), 0);
      CHECK_EQ(lockMoved(s), LOCK_OK);
      CHECK_EQ(lockMoved(u), LOCK_MOVED);
    }
    lockSessionEnd(s);
    lockSessionEnd(t);
    lockSessionEnd(u);
    lockClose(p);
    unlink(zDb);
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
  /* each copy sees the other alive, waits for it and is woken by it */
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
  c.xClose(p2);                    /* must close its descriptor only */
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

/* 1 if the program exists and the machine, or the emulator, can run it. */
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

/* Signals come faster than a long allocation lasts, and undo it. */
static void testSignalled(void){
  OsFile f;
  char z[500];
  u64 n = 0;
  snprintf(z, sizeof z, "%s-interlock", zDb);
  CHECK_EQ(osOpen(&f, z, 0, 1), LOCK_OK);
  nSignalled = 50000;
  CHECK_EQ(osExtend(&f, 1000, 3000000), LOCK_OK);
  nSignalled = 0;
  CHECK_EQ(osSize(&f, &n), LOCK_OK);
  CHECK_EQ(n, 3000000);
  CHECK(nUndone>3);
  osClose(&f);
  removeFile(zDb);
}

/* On a file system without fallocate two processes make the file longer at
** once.  What the faster one has stored in the new part by then must stay. */
static OsFile appended;
static void extendBeside(void){
  char *pMap;
  CHECK_EQ(osExtend(&appended, 4096, 20000), LOCK_OK);
  pMap = osMap(&appended, 20000);
  CHECK(pMap!=0);
  memset(pMap+4096, 'x', 4096);
  osUnmap(pMap, 20000);
}
static u64 blocksOf(const OsFile *p){
  struct stat st;
  CHECK_EQ(fstat(p->fd, &st), 0);
  return (u64)st.st_blocks*512;
}
static void growAppended(void){
  LockFile *p = openOrDie(zDb);
  LockSession *s = beginOrDie(p);
  i64 i;
  for(i=0; i<3*LIMIT_EXTENT; i++){
    LockKey k = keyInt(i);
    CHECK_EQ(lockAcquire(s, &k, LOCK_EXCLUSIVE, 0, 0), LOCK_OK);
  }
  CHECK(lockCheck(p)==0);
  lockSessionEnd(s);
  lockClose(p);
}
static void testAppended(int eError){
  OsFile f;
  char z[500], a[20000];
  u64 n = 0;
  int i, nX = 0;
  snprintf(z, sizeof z, "%s-interlock", zDb);
  CHECK_EQ(osOpen(&f, z, 0, 1), LOCK_OK);
  CHECK_EQ(osOpen(&appended, z, 0, 1), LOCK_OK);
  eNoAllocate = eError;
  CHECK_EQ(osExtend(&f, 0, 4096), LOCK_OK);
  xWrite = extendBeside;
  CHECK_EQ(osExtend(&f, 4096, 20000), LOCK_OK);
  CHECK_EQ(osSize(&f, &n), LOCK_OK);
  CHECK(n>=20000);
  CHECK_EQ(pread(f.fd, a, sizeof a, 0), sizeof a);
  for(i=0; i<(int)sizeof a; i++) nX += a[i]=='x';
  CHECK_EQ(nX, 4096);
  /* A full disk. */
  eWrite = ENOSPC;
  CHECK_EQ(osExtend(&f, n, n+4096), LOCK_NOSPACE);
  eWrite = 0;
  /* Before the file is formatted its holes get blocks, and must read as
  ** before. */
  CHECK_EQ(ftruncate(f.fd, 200000), 0);
  CHECK_EQ(osExtend(&f, 0, 300000), LOCK_OK);
  CHECK(blocksOf(&f)>=300000);
  CHECK_EQ(pread(f.fd, a, sizeof a, 0), sizeof a);
  for(i=0; i<(int)sizeof a; i++) nX -= a[i]=='x';
  CHECK_EQ(nX, 0);
  osClose(&f);
  osClose(&appended);
  removeFile(zDb);
  /* Makes and uses a whole lock file on such a file system. */
  growAppended();
  eNoAllocate = 0;
  removeFile(zDb);
}

/*---------------------------------------------------- the file's room ---*/

static struct stat statOf(const char *zName){
  char z[500];
  struct stat st;
  snprintf(z, sizeof z, "%s-interlock", zName);
  CHECK_EQ(stat(z, &st), 0);
  return st;
}
static i64 diskOf(const char *zName){
  return (i64)statOf(zName).st_blocks*512;
}
static u64 bytesOf(LockFile *p){
  LockSnapshot snap;
  u64 n;
  CHECK_EQ(lockSnapshot(p, &snap), LOCK_OK);
  n = snap.nByte;
  lockSnapshotFree(p, &snap);
  return n;
}
/* Takes locks and begins sessions, more and more, and looks whether the file
** has blocks behind all of them. */
static void grows(LockFile *p){
  LockSession *a[3*SEG_FIRST_SESSIONS];
  LockRc rc;
  u32 i;
  for(i=0; i<3*SEG_FIRST_SESSIONS; i++){
    a[i] = beginOrDie(p);
    if( i>0 && i%16==0 ) CHECK(diskOf(zDb)>=(i64)bytesOf(p));
  }
  CHECK(diskOf(zDb)<=4*SEG_FIRST_SESSIONS*128 + 32768);
  for(i=0; i<LIMIT_EXTENT+2; i++){
    LockKey k = keyInt(i);
    rc = lockAcquire(a[i%8], &k, LOCK_EXCLUSIVE, 0, 0);
    if( rc!=LOCK_OK ) break;
    if( i%32==0 ) CHECK(diskOf(zDb)>=(i64)bytesOf(p));
  }
  CHECK_EQ(i, LIMIT_EXTENT+2);
  CHECK(bytesOf(p)>=SEG_EXTENT+3*SEG_FIRST_SESSIONS*128);
  CHECK(lockCheck(p)==0);
}
/* A file that is formatted again has nothing of what was there, and gives its
** blocks back if the system can do that. */
static void formatAgain(int bPunch){
  LockFile *p = openOrDie(zDb);
  LockSession *s;
  LockSnapshot snap;
  LockKey k = keyInt(5);
  segHeader(lockSegment(p))->damaged = 1;
  lockClose(p);
  eNoAllocate = bPunch ? 0 : EOPNOTSUPP;
  p = openOrDie(zDb);
  s = beginOrDie(p);
  CHECK_EQ(lockAcquire(s, &k, LOCK_EXCLUSIVE, 0, 0), LOCK_OK);
  CHECK_EQ(lockSnapshot(p, &snap), LOCK_OK);
  CHECK_EQ(snap.nSession, 1);
  CHECK_EQ(snap.nRow, 1);
  lockSnapshotFree(p, &snap);
  CHECK(lockCheck(p)==0);
  if( bPunch ) CHECK(diskOf(zDb)<=32768);
  else CHECK(diskOf(zDb)>=statOf(zDb).st_size);
  lockSessionEnd(s);
  lockClose(p);
  eNoAllocate = 0;
}
static void testSmall(void){
  LockFile *p = openOrDie(zDb);
  LockSession *s = beginOrDie(p);
  i64 n;
  pid_t pid;
  int i, st;
  CHECK_EQ(lockAcquire(s, &kA, LOCK_EXCLUSIVE, 0, 0), LOCK_OK);
  n = diskOf(zDb);
  CHECK(n<=32768 && n>=(i64)bytesOf(p));
  /* a page for each process that lives at one time */
  for(i=0; i<300; i++){
    pid = fork();
    if( pid==0 ){
      beginOrDie(openOrDie(zDb));
      _exit(0);
    }
    waitpid(pid, &st, 0);
    CHECK_EQ(st, 0);
  }
  CHECK(diskOf(zDb)<=n+4096);
  lockSessionEnd(s);
  lockClose(p);
  for(i=0; i<2; i++){
    pid = fork();
    if( pid==0 ){
      nError = 0;
      grows(openOrDie(zDb));
      _exit(nError!=0);          /* and leaves all of it there */
    }
    waitpid(pid, &st, 0);
    CHECK_EQ(st, 0);
    formatAgain(i==0);
  }
  removeFile(zDb);
}

/* A copy of a lock file has holes where the original has blocks.  A process
** that attaches fills them, or is refused if the disk is full.  A file without
** holes can be used on a full disk. */
static void testHoles(void){
  LockFile *p = openOrDie(zDb);
  LockSession *s = beginOrDie(p);
  i64 nNeed = (i64)bytesOf(p), nFile = statOf(zDb).st_size;
  char z[500];
  int fd;
  CHECK_EQ(lockAcquire(s, &kA, LOCK_EXCLUSIVE, 0, 0), LOCK_OK);
  lockSessionEnd(s);
  lockClose(p);
  snprintf(z, sizeof z, "%s-interlock", zDb);
  fd = open(z, O_RDWR);
  if( __real_fallocate64(fd, FALLOC_FL_PUNCH_HOLE|FALLOC_FL_KEEP_SIZE,
                         SEG_EXTENTS, nFile-(off_t)SEG_EXTENTS)==0 ){
    CHECK(diskOf(zDb)<nNeed);
    eNoBlocks = ENOSPC;
    CHECK_EQ(openRc(zDb), LOCK_NOSPACE);
    CHECK_EQ(lookRc(), LOCK_NOSPACE);
    eNoBlocks = 0;
    CHECK_EQ(openRc(zDb), LOCK_OK);
    CHECK(diskOf(zDb)>=nNeed);
    eNoBlocks = ENOSPC;
    CHECK_EQ(openRc(zDb), LOCK_OK);
    eNoBlocks = 0;
  }
  close(fd);
  removeFile(zDb);
}

/* An older copy of the file is written over it.  The process that was in it,
** and one that attaches then and draws the same number, are both refused.  A
** program that has locked the whole file does no damage. */
static void testWentBack(void){
  int bChild;
  for(bChild=0; bChild<2; bChild++){
    LockFile *p = openOrDie(zDb);
    LockSession *s;
    char *a, z[500];
    off_t n = statOf(zDb).st_size;
    int fd, st = 0;
    struct flock l;
    snprintf(z, sizeof z, "%s-interlock", zDb);
    fd = open(z, O_RDWR);
    a = malloc((size_t)n);
    lockClose(p);
    CHECK_EQ(pread(fd, a, (size_t)n, 0), n);
    memset(&l, 0, sizeof l);
    l.l_type = F_RDLCK;
    if( osLayer()=='L' ){
      CHECK_EQ(fcntl(fd, F_OFD_SETLK, &l), 0);
      CHECK_EQ(openRc(zDb), LOCK_IOERR);
      CHECK_EQ(osTrouble()->iErrno, EAGAIN);
      l.l_type = F_UNLCK;
      CHECK_EQ(fcntl(fd, F_OFD_SETLK, &l), 0);
      CHECK_EQ(pwrite(fd, a, (size_t)n, 0), n);
    }
    p = openOrDie(zDb);
    s = beginOrDie(p);
    CHECK_EQ(lockAcquire(s, &kA, LOCK_EXCLUSIVE, 0, 0), LOCK_OK);
    CHECK_EQ(pwrite(fd, a, (size_t)n, 0), n);
    if( bChild ){
      pid_t pid = fork();
      if( pid==0 ) _exit(openRc(zDb)==LOCK_MALFORMED ? 0 : 1);
      waitpid(pid, &st, 0);
      CHECK_EQ(st, 0);
    }
    CHECK_EQ(lockAcquire(s, &kA, LOCK_EXCLUSIVE, 0, 0), LOCK_MALFORMED);
    lockSessionEnd(s);
    lockClose(p);
    close(fd);
    free(a);
    removeFile(zDb);
  }
}

int main(int n, char **a){
  alarm(100);
  setvbuf(stderr, 0, _IONBF, 0);
  kA = keyText("A");
  /* 1 if the program's word size is another than this one's. */
  if( n==3 && strcmp(a[1], "can")==0 ) return atoi(a[2])==(int)sizeof(void*);
  if( n>2 && strcmp(a[1], "hold")==0 ) return other(a[2]);
  zDb = strdup(scratch("lkhost"));
  if( n>2 && strcmp(a[1], "other")==0 ){
    return otherWordSize(a[2], n>3 ? a[3] : 0);
  }
  testClock();
  testFileSystems();
  testAllocate();
  testShortFile();
  testHalfFormatted();
  testSmall();
  testHoles();
  testWentBack();
  testSignalled();
  testAppended(EOPNOTSUPP);
  testAppended(EINVAL);
  testAppended(ENOSYS);
  inMounts("the really full disk is", onSmallDisk, "size=1m");
  testGone();
  testDbGone();
  testLinks();
  inMounts("mounts are", onMounts, "size=8m");
  testMaking();
  testReasons();
  testLook();
  testInterrupted();
  testWide();
  testTrouble();
  testDescriptors();
  apart(limited);
  apart(narrow);
  testPrivate();
  if( n>1 ) testCopies(a[1]);
  testOther(a[0], 0);
  return finish("lkhost");
}
