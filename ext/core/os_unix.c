/* SPDX-License-Identifier: 0BSD */
/*
** os_unix.c: the platform contract of os.h for Linux, and, built with
** INTERLOCK_OS_POSIX, for any POSIX system.
**
** Byte locks.  The first byte of the file guards its format.  The byte of
** process number n lies at NUMBER_BASE + n, far beyond any length the file can
** have.  With open file description locks a second copy of this code in the
** process is another owner.  With POSIX locks both copies are the same owner,
** and closing one descriptor drops the locks of the other: a limit of that
** layer.
*/
#define _GNU_SOURCE           /* NOLINT(bugprone-reserved-identifier) */
#define _FILE_OFFSET_BITS 64  /* NOLINT(bugprone-reserved-identifier) */
#include "core/os.h"
#include "core/atomic.h"
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#ifndef INTERLOCK_OS_POSIX
# include <linux/futex.h>
# include <sys/syscall.h>
# include <sys/vfs.h>
# define SETLK F_OFD_SETLK
# define GETLK F_OFD_GETLK
u8 osLayer(void){ return 'L'; }
#else
# define SETLK F_SETLK
# define GETLK F_GETLK
u8 osLayer(void){ return 'P'; }
#endif

#define NUMBER_BASE ((off_t)1<<40)

/*------------------------------------------------------------ the file ---*/

/* Is it a plain file with one name that nobody unexpected owns? */
static LockRc checkFile(int fd, const struct stat *pLike, struct stat *pStat){
  if( fstat(fd, pStat)!=0 ) return LOCK_IOERR;
  if( !S_ISREG(pStat->st_mode) || pStat->st_nlink!=1 ) return LOCK_CANTOPEN;
  if( pStat->st_uid!=geteuid() && pStat->st_uid!=0
   && !(pLike && pStat->st_uid==pLike->st_uid) ){
    return LOCK_CANTOPEN;
  }
  return LOCK_OK;
}

#ifndef INTERLOCK_OS_POSIX
/* 1 for file systems whose mappings or locks end at the machine. */
static int isNetwork(int fd){
  static const u32 aType[] = {
    0x6969 /* NFS */, 0xFF534D42 /* CIFS */, 0xFE534D42 /* SMB2 */,
    0x517B /* SMB */, 0x01021997 /* 9p */, 0x5346414F /* AFS */,
    0x73757245 /* Coda */, 0x00C36400 /* Ceph */, 0x47504653 /* GPFS */,
    0x0BD00BD0 /* Lustre */, 0x7461636F /* OCFS2 */, 0x01161970 /* GFS2 */
  };
  struct statfs s;
  size_t i;
  if( fstatfs(fd, &s)!=0 ) return 0;
  for(i=0; i<sizeof(aType)/sizeof(aType[0]); i++){
    if( (u32)s.f_type==aType[i] ) return 1;
  }
  return 0;
}
#else
static int isNetwork(int fd){ (void)fd; return 0; }
#endif

LockRc osOpen(OsFile *p, const char *zPath, const char *zLike, int bCreate){
  int flags = O_RDWR|O_CLOEXEC|O_NOFOLLOW|O_NONBLOCK|O_NOCTTY;
  struct stat sLike, s;
  int bLike = zLike && stat(zLike, &sLike)==0;
  LockRc rc = LOCK_OK;
  p->fd = open(zPath, flags);
  if( p->fd<0 && errno==ENOENT ){
    if( !bCreate ) return LOCK_NOFILE;
    p->fd = open(zPath, flags|O_CREAT|O_EXCL,
                 bLike ? (sLike.st_mode & 0666) : 0644);
    if( p->fd<0 && errno==EEXIST ){
      p->fd = open(zPath, flags);
    }else if( p->fd>=0 && bLike ){
      /* the umask must not narrow what the database allows */
      (void)fchmod(p->fd, sLike.st_mode & 0666);
      if( geteuid()==0 && fchown(p->fd, sLike.st_uid, sLike.st_gid)!=0 ){
        rc = LOCK_CANTOPEN;
      }
    }
  }
  if( p->fd<0 ) return LOCK_CANTOPEN;
  if( rc==LOCK_OK ) rc = checkFile(p->fd, bLike ? &sLike : 0, &s);
  if( rc==LOCK_OK && isNetwork(p->fd) ) rc = LOCK_NETWORK;
  if( rc!=LOCK_OK ){
    osClose(p);
    return rc;
  }
  p->iDev = (u64)s.st_dev;
  p->iIno = (u64)s.st_ino;
  return LOCK_OK;
}

void osClose(OsFile *p){
  if( p->fd>=0 ) close(p->fd);
  p->fd = -1;
}

LockRc osIdentify(const char *zPath, u64 *piDev, u64 *piIno){
  struct stat s;
  if( lstat(zPath, &s)!=0 ) return errno==ENOENT ? LOCK_NOFILE : LOCK_CANTOPEN;
  *piDev = (u64)s.st_dev;
  *piIno = (u64)s.st_ino;
  return LOCK_OK;
}

int osUnlinked(const OsFile *p){
  struct stat s;
  return p->fd>=0 && fstat(p->fd, &s)==0 && s.st_nlink==0;
}

LockRc osSize(const OsFile *p, u64 *pnByte){
  struct stat s;
  if( fstat(p->fd, &s)!=0 ) return LOCK_IOERR;
  *pnByte = (u64)s.st_size;
  return LOCK_OK;
}

/*
** posix_fallocate gives every page a block, so that a later store cannot meet
** a full disk (SIGBUS).  glibc emulates it by writing where the file system
** cannot; that is what the portable layer relies on, too.
*/
LockRc osExtend(const OsFile *p, u64 iFrom, u64 nByte){
  int e;
  if( p->fd<0 ) return LOCK_OK;
  do{
    e = posix_fallocate(p->fd, (off_t)iFrom, (off_t)(nByte-iFrom));
  }while( e==EINTR );
  if( e==0 ) return LOCK_OK;
  if( e==ENOSPC || e==EDQUOT || e==EFBIG ) return LOCK_NOSPACE;
  return LOCK_IOERR;
}

void *osMap(const OsFile *p, size_t nByte){
  int flags = p->fd<0 ? MAP_PRIVATE|MAP_ANONYMOUS|MAP_NORESERVE : MAP_SHARED;
  void *pMap = mmap(0, nByte, PROT_READ|PROT_WRITE, flags, p->fd, 0);
  return pMap==MAP_FAILED ? 0 : pMap;
}

void osTouch(void *pMap, size_t nByte){
#ifdef MADV_POPULATE_WRITE
  size_t nPage = (size_t)sysconf(_SC_PAGESIZE), nSkip = (uintptr_t)pMap%nPage;
  (void)madvise((u8*)pMap-nSkip, nByte+nSkip, MADV_POPULATE_WRITE);
#else
  (void)pMap;
  (void)nByte;
#endif
}

void osUnmap(void *pMap, size_t nByte){
  (void)munmap(pMap, nByte);
}

void osForget(void *pMap, size_t nByte){
  (void)mmap(pMap, nByte, PROT_READ|PROT_WRITE,
             MAP_FIXED|MAP_PRIVATE|MAP_ANONYMOUS|MAP_NORESERVE, -1, 0);
}

/*---------------------------------------------------------- byte locks ---*/

static int byteLock(int fd, short eType, off_t iByte){
  struct flock l;
  int rc;
  memset(&l, 0, sizeof(l));
  l.l_type = eType;
  l.l_whence = SEEK_SET;
  l.l_start = iByte;
  l.l_len = 1;
  do{
    rc = fcntl(fd, SETLK, &l);
  }while( rc!=0 && errno==EINTR );
  return rc==0 ? 0 : errno;
}

LockRc osLockFirst(const OsFile *p, int eLock, int msWait){
  static const short aType[] = { F_UNLCK, F_RDLCK, F_WRLCK };
  u64 usEnd;
  if( p->fd<0 ) return LOCK_OK;
  usEnd = osMonotonicUs() + (u64)msWait*1000;
  for(;;){
    int e = byteLock(p->fd, aType[eLock], 0);
    if( e==0 ) return LOCK_OK;
    if( e!=EAGAIN && e!=EACCES ) return LOCK_IOERR;
    if( osMonotonicUs()>=usEnd ) return LOCK_BUSY;
    osSleep(1000);
  }
}

LockRc osLockNumber(const OsFile *p, u64 iNumber){
  if( p->fd<0 ) return LOCK_OK;
  return byteLock(p->fd, F_WRLCK, NUMBER_BASE+(off_t)iNumber)==0
      ? LOCK_OK : LOCK_IOERR;
}

/* Ask for the lock's holder, never try the lock: a lock held for a moment could
** make a dead process look alive to a third one. */
static int rangeHeld(int fd, off_t iFirst, off_t nByte){
  struct flock l;
  int rc;
  memset(&l, 0, sizeof(l));
  l.l_type = F_WRLCK;
  l.l_whence = SEEK_SET;
  l.l_start = iFirst;
  l.l_len = nByte;
  do{
    rc = fcntl(fd, GETLK, &l);
  }while( rc!=0 && errno==EINTR );
  if( rc!=0 ) return -1;
  return l.l_type!=F_UNLCK;
}

int osNumberHeld(const OsFile *p, u64 iNumber){
  if( p->fd<0 ) return 1;
  if( iNumber>=((u64)1<<61) ) return 0;
  return rangeHeld(p->fd, NUMBER_BASE+(off_t)iNumber, 1);
}

int osAnyHeld(const OsFile *p){
  if( p->fd<0 ) return 0;
  return rangeHeld(p->fd, NUMBER_BASE, 0);
}

/*------------------------------------------------------------- waiting ---*/

void osSleep(i64 us){
  struct timespec t;
  t.tv_sec = (time_t)(us/1000000);
  t.tv_nsec = (long)(us%1000000)*1000;
  nanosleep(&t, 0);
}

#ifndef INTERLOCK_OS_POSIX
int osWait(u32 *p, u32 iValue, i64 us){
  struct timespec t;
  t.tv_sec = (time_t)(us/1000000);
  t.tv_nsec = (long)(us%1000000)*1000;
  if( syscall(SYS_futex, p, FUTEX_WAIT, iValue, &t, 0, 0)==0 ) return 0;
  return errno==ETIMEDOUT;
}
void osWake(u32 *p, int nWake){
  syscall(SYS_futex, p, FUTEX_WAKE, nWake, 0, 0, 0);
}
#else
int osWait(u32 *p, u32 iValue, i64 us){
  i64 usStep = 50;
  u64 usEnd = osMonotonicUs() + (u64)us;
  for(;;){
    if( atomicGetAcq((atomicAlias32*)p)!=iValue ) return 0;
    if( osMonotonicUs()>=usEnd ) return 1;
    osSleep(usStep);
    if( usStep<1000 ) usStep *= 2;
  }
}
void osWake(u32 *p, int nWake){ (void)p; (void)nWake; }
#endif

/*--------------------------------------------------------------- clocks ---*/

static u64 clockUs(clockid_t eClock){
  struct timespec t;
  clock_gettime(eClock, &t);
  return (u64)t.tv_sec*1000000 + (u64)t.tv_nsec/1000;
}
u64 osMonotonicUs(void){ return clockUs(CLOCK_MONOTONIC); }
u64 osWallUs(void){ return clockUs(CLOCK_REALTIME); }
#ifdef CLOCK_REALTIME_COARSE
u64 osWallMs(void){ return clockUs(CLOCK_REALTIME_COARSE)/1000; }
#else
u64 osWallMs(void){ return clockUs(CLOCK_REALTIME)/1000; }
#endif

/*----------------------------------------------------------- processes ---*/

u32 osPid(void){ return (u32)getpid(); }

u64 osPidSpace(void){
  struct stat s;
  return stat("/proc/self/ns/pid", &s)==0 ? (u64)s.st_ino : 0;
}

/* For display only: a pid never decides whether a process is dead. */
int osProcessState(u32 iPid, u64 iPidSpace){
  char zPath[40], zBuf[512], *z;
  int fd;
  ssize_t n;
  if( iPidSpace==0 || iPidSpace!=osPidSpace() ) return OS_UNKNOWN;
  snprintf(zPath, sizeof(zPath), "/proc/%u/stat", iPid);
  fd = open(zPath, O_RDONLY|O_CLOEXEC);
  if( fd<0 ) return errno==ENOENT ? OS_GONE : OS_UNKNOWN;
  n = read(fd, zBuf, sizeof(zBuf)-1);
  close(fd);
  if( n<=0 ) return OS_GONE;
  zBuf[n] = 0;
  z = strrchr(zBuf, ')');
  if( z==0 || z[1]==0 ) return OS_UNKNOWN;
  if( z[2]=='T' || z[2]=='t' ) return OS_STOPPED;
  return z[2]=='Z' || z[2]=='X' ? OS_GONE : OS_RUNNING;
}

static pthread_mutex_t processMutex = PTHREAD_MUTEX_INITIALIZER;
static void (*xForkChild)(void);       /* under processMutex */

void osProcessEnter(void){ pthread_mutex_lock(&processMutex); }
void osProcessLeave(void){ pthread_mutex_unlock(&processMutex); }

static void forkChild(void){
  if( xForkChild ) xForkChild();
  osProcessLeave();
}
static void forkRegister(void){
  pthread_atfork(osProcessEnter, osProcessLeave, forkChild);
}
void osAtFork(void (*xChild)(void)){
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  pthread_once(&once, forkRegister);
  osProcessEnter();
  xForkChild = xChild;
  osProcessLeave();
}

/*
** A library that opens itself once more, by its own name, stays loaded.  In a
** program that contains this code there is nothing to do.
*/
void osStay(void){
  static const char here = 0;
  static u32 bDone = 0;
  Dl_info info;
  if( atomicGet(&bDone) ) return;
  if( dladdr(&here, &info) && info.dli_fname ){
    dlopen(info.dli_fname, RTLD_LAZY|RTLD_NOLOAD|RTLD_NODELETE);
  }
  atomicSet(&bDone, 1);
}
