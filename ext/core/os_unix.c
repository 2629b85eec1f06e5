/* SPDX-License-Identifier: 0BSD */
/*
** os_unix.c: the platform contract of os.h for Linux, and, built with
** INTERLOCK_OS_POSIX, for any POSIX system.
**
** Byte locks.  The first byte of the file guards its format.  The byte of
** process number n lies at NUMBER_BASE + n, far beyond any length that the file
** can have.  With open file description locks a second copy of this code in the
** process is another owner.  With POSIX locks both copies are the same owner,
** and closing one descriptor releases the locks of the other.  That is a limit
** of that layer.
*/
#define _GNU_SOURCE           /* NOLINT(bugprone-reserved-identifier) */
#define _FILE_OFFSET_BITS 64  /* NOLINT(bugprone-reserved-identifier) */
#include "core/os.h"
#include "core/rules.h"
#include "core/atomic.h"
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
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

#define NUMBER_BASE ((off_t)OS_NUMBER_BASE)
#define EXTEND_MIN  4096              /* bytes, the shortest allocation */

/*------------------------------------------------------------ the file ---*/

/* The last failure in this thread: see osTrouble in os.h. */
static _Thread_local OsTrouble trouble;

const OsTrouble *osTrouble(void){ return &trouble; }

/* Notes a failure, and returns its result.  p, if given, is the file that it is
** about. */
static LockRc failAs(LockRc eRc, int eAbout, int iErrno, const struct stat *p){
  memset(&trouble, 0, sizeof(trouble));
  trouble.eRc = eRc;
  trouble.eAbout = eAbout;
  trouble.iErrno = iErrno;
  if( p ){
    trouble.mMode = (u32)p->st_mode;
    trouble.iUid = (u32)p->st_uid;
    trouble.iGid = (u32)p->st_gid;
    trouble.nLink = (u32)p->st_nlink;
  }
  return eRc;
}
static LockRc failSystem(LockRc eRc){
  return failAs(eRc, OS_ABOUT_SYSTEM, errno, 0);
}

/*
** open(), but the descriptor is above stderr, since a print to a closed stdout
** or stderr would overwrite the file.  /dev/null takes the low numbers while
** the file is opened, so there is no moment in which the file has one.
*/
static int openHigh(const char *zPath, int flags, mode_t mode){
  int aLow[3], nLow = 0, fd, e;
  while( nLow<3 && (fcntl(0, F_GETFD)<0 || fcntl(1, F_GETFD)<0
                 || fcntl(2, F_GETFD)<0) ){
    fd = open("/dev/null", O_RDWR|O_CLOEXEC);
    if( fd<0 ) break;
    aLow[nLow++] = fd;
  }
  do{
    fd = open(zPath, flags|O_CLOEXEC, mode);
  }while( fd<0 && errno==EINTR );
  e = errno;
  if( fd>=0 && fd<=2 ){              /* /dev/null could not be opened */
    int fdLow = fd;
    fd = fcntl(fdLow, F_DUPFD_CLOEXEC, 3);
    e = errno;
    close(fdLow);
  }
  while( nLow>0 ) close(aLow[--nLow]);
  errno = e;
  return fd;
}

/*
** A user that may write the lock file must be one that may write the database,
** since another user could truncate the file under this process.  The file's
** owner, or root, takes the right to write away from other users that have it.
** No right is given here: the file may be another one of the owner's that was
** moved to this name.
*/
static LockRc checkRights(int fd, const struct stat *pLike, struct stat *p){
  mode_t mWide = 0;
  if( pLike==0 ){
    return p->st_uid==geteuid() || p->st_uid==0
         ? LOCK_OK : failAs(LOCK_CANTOPEN, OS_ABOUT_OWNER, 0, p);
  }
  if( !(pLike->st_mode & S_IWOTH) ){
    mWide = S_IWOTH;
    if( p->st_gid!=pLike->st_gid || !(pLike->st_mode & S_IWGRP) ){
      mWide |= S_IWGRP;
    }
    mWide &= p->st_mode;
  }
  if( mWide && (geteuid()==0 || geteuid()==p->st_uid)
   && fchmod(fd, p->st_mode & 07777 & ~mWide)==0 ){
    mWide = 0;
  }
  if( mWide ) return failAs(LOCK_CANTOPEN, OS_ABOUT_WIDE, 0, p);
  if( p->st_uid==geteuid() || p->st_uid==0 || p->st_uid==pLike->st_uid
   || (pLike->st_mode & (S_IWGRP|S_IWOTH)) ){
    return LOCK_OK;
  }
  return failAs(LOCK_CANTOPEN, OS_ABOUT_OWNER, 0, p);
}

/* LOCK_OK if the open file is a plain one with one name and the right owner. */
static LockRc checkFile(int fd, const struct stat *pLike, struct stat *p){
  if( fstat(fd, p)!=0 ) return failSystem(LOCK_IOERR);
  if( !S_ISREG(p->st_mode) ) return failAs(LOCK_CANTOPEN, OS_ABOUT_KIND, 0, p);
  if( p->st_nlink==0 ) return failAs(LOCK_REPLACED, OS_ABOUT_LINKS, 0, p);
  if( p->st_nlink>1 ) return failAs(LOCK_CANTOPEN, OS_ABOUT_LINKS, 0, p);
  return checkRights(fd, pLike, p);
}

#ifndef INTERLOCK_OS_POSIX
/* 1 if other machines do not see the file's mappings or locks. */
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

/* Copies the name of the folder of a file.  Returns 0 if it is too long. */
static int folderOf(const char *zPath, char *zDir, size_t nDir){
  const char *zEnd = strrchr(zPath, '/');
  size_t n = zEnd ? (size_t)(zEnd - zPath) : 0;
  if( n+2>nDir ) return 0;
  memcpy(zDir, zEnd && n==0 ? "/" : ".", 2);
  if( n ){
    memcpy(zDir, zPath, n);
    zDir[n] = 0;
  }
  return 1;
}

#ifndef INTERLOCK_OS_POSIX
/*
** The number of the mount that a file lies in; -1 if the system does not say.
** It opens with O_PATH, since closing a real descriptor of the database would
** release the locks that SQLite holds on it in this process.
*/
static long mountNumber(const char *zPath){
  char zBuf[512], zProc[50], *z;
  int fdPath = openHigh(zPath, O_PATH|O_NOFOLLOW, 0), fd;
  ssize_t n = 0;
  if( fdPath<0 ) return -1;
  snprintf(zProc, sizeof(zProc), "/proc/self/fdinfo/%d", fdPath);
  fd = openHigh(zProc, O_RDONLY, 0);
  if( fd>=0 ){
    n = read(fd, zBuf, sizeof(zBuf)-1);
    close(fd);
  }
  close(fdPath);
  zBuf[n>0 ? n : 0] = 0;
  z = strstr(zBuf, "mnt_id:");
  return z ? strtol(z+7, 0, 10) : -1;
}

/* 1 if the file is in another mount than its folder.  For a kernel before 5.8,
** or where statx() is forbidden. */
static int isOtherMount(const char *zPath){
  char zDir[PATH_MAX];
  long iFile, iDir;
  if( !folderOf(zPath, zDir, sizeof(zDir)) ) return 0;
  iFile = mountNumber(zPath);
  iDir = mountNumber(zDir);
  return iFile>=0 && iDir>=0 && iFile!=iDir;
}

/* 1 if a file is mounted by itself, as containers do with a file for a
** volume. */
static int isMountRoot(const char *zPath){
#ifdef STATX_TYPE
# ifndef STATX_ATTR_MOUNT_ROOT
#  define STATX_ATTR_MOUNT_ROOT 0x2000
# endif
  struct statx x;
  if( statx(AT_FDCWD, zPath, AT_SYMLINK_NOFOLLOW, STATX_TYPE, &x)==0
   && (x.stx_attributes_mask & STATX_ATTR_MOUNT_ROOT) ){
    return (x.stx_attributes & STATX_ATTR_MOUNT_ROOT)!=0;
  }
#endif
  return isOtherMount(zPath);
}
#else
static int isMountRoot(const char *zPath){ (void)zPath; return 0; }
#endif

/*
** SQLite gives the name that symbolic links lead to.  So if zPath is a link
** now, the file was moved since, and other processes find it, and a lock file,
** under its new name.  The same holds if another file is there, or none.  A VFS
** may have databases of which the system knows no file.
*/
LockRc osOneName(const char *zPath, u64 *piDev, u64 *piIno){
  struct stat s;
  assert( ruleOutside() );
  if( lstat(zPath, &s)!=0 ){
    int bGone = errno==ENOENT && *piIno;
    return bGone ? failAs(LOCK_MOVED, OS_ABOUT_LINKS, 0, 0) : LOCK_OK;
  }
  if( S_ISLNK(s.st_mode) ) return failAs(LOCK_MOVED, OS_ABOUT_KIND, 0, &s);
  if( *piIno && (*piDev!=(u64)s.st_dev || *piIno!=(u64)s.st_ino) ){
    return failAs(LOCK_MOVED, OS_ABOUT_LINKS, 0, &s);
  }
  *piDev = (u64)s.st_dev;
  *piIno = (u64)s.st_ino;
  if( s.st_nlink>1 ) return failAs(LOCK_LINKED, OS_ABOUT_LINKS, 0, &s);
  if( isMountRoot(zPath) ) return failAs(LOCK_LINKED, OS_ABOUT_MOUNT, 0, &s);
  return LOCK_OK;
}

/*
** Gives a new lock file the database's rights, whatever the umask is.  The file
** that the first member of a group makes must not keep out the second.  A user
** that may not give it the database's group gives its own group the rights of
** all users.  The owner can write the file even if no user may write the
** database.  A root that may not give files away, as in a container, makes it
** as any other user does.
*/
static LockRc giveRights(int fd, const struct stat *pLike){
  const uid_t iSame = (uid_t)-1;
  uid_t iUid = geteuid()==0 ? pLike->st_uid : iSame;
  mode_t m = (pLike->st_mode & 0666) | 0600;
  struct stat s;
  if( fstat(fd, &s)!=0 ) return failSystem(LOCK_IOERR);
  if( iUid!=iSame && s.st_uid!=iUid
   && fchown(fd, iUid, pLike->st_gid)==0 ) s.st_gid = pLike->st_gid;
  if( s.st_gid!=pLike->st_gid && fchown(fd, iSame, pLike->st_gid)!=0 ){
    m = (m & 0606) | (m & 06)<<3;
  }
  (void)fchmod(fd, m);
  return LOCK_OK;
}

static LockRc failMake(const char *zPath, int iErrno){
  char zDir[PATH_MAX];
  struct stat s;
  int bStat = folderOf(zPath, zDir, sizeof(zDir)) && stat(zDir, &s)==0;
  return failAs(LOCK_CANTOPEN, OS_ABOUT_MAKE, iErrno, bStat ? &s : 0);
}

#if !defined(INTERLOCK_OS_POSIX) && defined(O_TMPFILE)
/*
** Makes the file without a name, and names it when it has its rights.  So a
** process that is killed in between leaves nothing, and no other process meets
** a file that it may not open yet.  Returns 0 if the system cannot do that.
*/
static int makeWhole(const char *zPath, const struct stat *pLike){
  char zDir[PATH_MAX], zProc[40];
  int fd, bDone = 0;
  if( !folderOf(zPath, zDir, sizeof(zDir)) ) return 0;
  fd = openHigh(zDir, O_TMPFILE|O_RDWR, 0644);
  if( fd<0 ) return 0;
  snprintf(zProc, sizeof(zProc), "/proc/self/fd/%d", fd);
  if( pLike==0 || giveRights(fd, pLike)==LOCK_OK ){
    bDone = linkat(AT_FDCWD, zProc, AT_FDCWD, zPath, AT_SYMLINK_FOLLOW)==0
         || errno==EEXIST;
  }
  close(fd);
  return bDone;
}
#else
static int makeWhole(const char *zPath, const struct stat *pLike){
  (void)zPath; (void)pLike;
  return 0;
}
#endif

/*
** Makes an empty lock file, unless another process has just done so.  A user
** that may only read the database must not make one, even if the folder allows
** it: other users would find a file of a user that may not write the database.
*/
static LockRc makeFile(const char *zPath, const char *zLike,
                       const struct stat *pLike){
  LockRc rc = LOCK_OK;
  int fd;
  if( pLike && pLike->st_uid!=geteuid()
   && faccessat(AT_FDCWD, zLike, W_OK, AT_EACCESS)!=0 ){
    return failAs(LOCK_CANTOPEN, OS_ABOUT_READER, errno, pLike);
  }
  if( makeWhole(zPath, pLike) ) return LOCK_OK;
  fd = openHigh(zPath, O_RDWR|O_CREAT|O_EXCL|O_NOFOLLOW,
                pLike ? (pLike->st_mode & 0666) : 0644);
  if( fd<0 ) return errno==EEXIST ? LOCK_OK : failMake(zPath, errno);
  if( pLike ) rc = giveRights(fd, pLike);
  if( rc!=LOCK_OK ) (void)unlink(zPath);
  close(fd);
  return rc;
}

/* The result for a file that is there and cannot be opened. */
static LockRc failOpen(const char *zPath, int eHow, int iErrno){
  int eAbout = eHow==OS_READ ? OS_ABOUT_LOOK : OS_ABOUT_OPEN;
  struct stat s;
  int bStat = lstat(zPath, &s)==0;
  if( bStat && !S_ISREG(s.st_mode) ) eAbout = OS_ABOUT_KIND;
  return failAs(LOCK_CANTOPEN, eAbout, iErrno, bStat ? &s : 0);
}

LockRc osOpen(OsFile *p, const char *zPath, const char *zLike, int eHow){
  int flags = (eHow==OS_READ ? O_RDONLY : O_RDWR)
            | O_NOFOLLOW|O_NONBLOCK|O_NOCTTY;
  struct stat sLike, s;
  const struct stat *pLike = zLike && stat(zLike, &sLike)==0 ? &sLike : 0;
  LockRc rc = LOCK_OK;
  assert( ruleOutside() );
  p->bRead = eHow==OS_READ;
  p->fd = openHigh(zPath, flags, 0);
  if( p->fd<0 && errno==ENOENT ){
    if( eHow!=OS_CREATE ) return LOCK_NOFILE;
    rc = makeFile(zPath, zLike, pLike);
    if( rc!=LOCK_OK ) return rc;
    p->fd = openHigh(zPath, flags, 0);
  }
  if( p->fd<0 ) return failOpen(zPath, eHow, errno);
  rc = checkFile(p->fd, pLike, &s);
  if( rc==LOCK_OK && isMountRoot(zPath) ){
    rc = failAs(LOCK_CANTOPEN, OS_ABOUT_MOUNT, 0, &s);
  }
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
  assert( ruleOutside() );
  if( p->fd>=0 ) close(p->fd);
  p->fd = -1;
}

LockRc osIdentify(const char *zPath, u64 *piDev, u64 *piIno){
  struct stat s;
  assert( ruleOutside() );
  if( lstat(zPath, &s)!=0 ) return errno==ENOENT ? LOCK_NOFILE : LOCK_CANTOPEN;
  *piDev = (u64)s.st_dev;
  *piIno = (u64)s.st_ino;
  return LOCK_OK;
}

int osUnlinked(const OsFile *p){
  struct stat s;
  assert( ruleOutside() );
  return p->fd>=0 && fstat(p->fd, &s)==0 && s.st_nlink==0;
}

u64 osPage(void){ return (u64)sysconf(_SC_PAGESIZE); }

u64 osBlocks(const OsFile *p){
  struct stat s;
  return fstat(p->fd, &s)==0 ? (u64)s.st_blocks*512 : 0;
}

LockRc osSize(const OsFile *p, u64 *pnByte){
  struct stat s;
  if( fstat(p->fd, &s)!=0 ) return failSystem(LOCK_IOERR);
  *pnByte = (u64)s.st_size;
  return LOCK_OK;
}

/* Sets whether each write goes to the end of the file.  Returns an errno. */
static int setAppend(int fd, int bAppend){
  int fl = fcntl(fd, F_GETFL);
  if( fl<0 ) return errno;
  fl = bAppend ? fl|O_APPEND : fl&~O_APPEND;
  return fcntl(fd, F_SETFL, fl)==0 ? 0 : errno;
}

/* Reads one byte of each block of the file and stores it again, which gives the
** file its blocks.  No other process may store there meanwhile. */
static int fillHoles(int fd, u64 nSize){
  int e = setAppend(fd, 0);
  u64 i;
  for(i=0; i<nSize && e==0; i+=EXTEND_MIN){
    char c;
    errno = EIO;
    if( pread(fd, &c, 1, (off_t)i)!=1 || pwrite(fd, &c, 1, (off_t)i)!=1 ){
      e = errno;
    }
  }
  return e;
}

/*
** Makes the file longer by appending zeros, where the file system cannot
** allocate (EOPNOTSUPP or EINVAL) or the system has no call for it.  An append
** never stores over what another process has stored beyond the end that this
** one saw.  glibc's posix_fallocate does, since it reads a byte and writes it
** back.  Two processes that append at once make the file longer than they need.
** Every block below the end was written before, except in a file that is being
** formatted (iFrom 0), which no other process uses.
*/
static int appendZeros(int fd, u64 iFrom, u64 nByte){
  static const char aZero[EXTEND_MIN];
  struct stat s;
  int e = fstat(fd, &s)==0 ? 0 : errno;
  if( e==0 && iFrom==0 ) e = fillHoles(fd, (u64)s.st_size);
  if( e==0 ) e = setAppend(fd, 1);
  while( e==0 && (u64)s.st_size<nByte ){
    u64 n = nByte-(u64)s.st_size;
    if( n>sizeof(aZero) ) n = sizeof(aZero);
    if( (write(fd, aZero, (size_t)n)<0 && errno!=EINTR) || fstat(fd, &s)!=0 ){
      e = errno;
    }
  }
  return e;
}

#ifndef INTERLOCK_OS_POSIX
/*
** On some file systems a signal undoes the whole call.  The next piece is half
** as long then, so that signals that come faster than one call lasts do not
** prevent its end.  Returns an errno.
*/
static int reserve(int fd, int eHow, u64 iFrom, u64 nByte){
  u64 i = iFrom, n = nByte-iFrom;
  int e = 0;
  while( i<nByte && (e==0 || e==EINTR) ){
    if( n>nByte-i ) n = nByte-i;
    e = fallocate(fd, eHow, (off_t)i, (off_t)n)==0 ? 0 : errno;
    if( e==0 ) i += n;
    if( e==EINTR && n>EXTEND_MIN ) n /= 2;
  }
  return e;
}

int osPunch(const OsFile *p, u64 iFrom, u64 nByte){
# ifdef FALLOC_FL_PUNCH_HOLE
  const int eHow = FALLOC_FL_PUNCH_HOLE|FALLOC_FL_KEEP_SIZE;
  assert( ruleOutside() );
  return reserve(p->fd, eHow, iFrom, nByte)==0;
# else
  (void)p; (void)iFrom; (void)nByte;
  return 0;
# endif
}
#else
int osPunch(const OsFile *p, u64 iFrom, u64 nByte){
  (void)p; (void)iFrom; (void)nByte;
  return 0;
}
#endif

/* fallocate gives every page a block, so that a later store cannot meet a full
** disk (SIGBUS). */
static int allocateBlocks(int fd, u64 iFrom, u64 nByte){
#ifndef INTERLOCK_OS_POSIX
  int e = reserve(fd, 0, iFrom, nByte);
  if( e!=EOPNOTSUPP && e!=ENOSYS && e!=EINVAL ) return e;
#endif
  return appendZeros(fd, iFrom, nByte);
}

/* 1 if the file may not become that long.  To go beyond the limit on the size
** of files raises SIGXFSZ, which ends the process. */
static int beyondLimit(const OsFile *p, u64 nByte, u64 *pnLimit){
  struct rlimit l;
  struct stat s;
  if( getrlimit(RLIMIT_FSIZE, &l)!=0 || l.rlim_cur==RLIM_INFINITY ) return 0;
  *pnLimit = (u64)l.rlim_cur;
  if( nByte<=*pnLimit ) return 0;
  return fstat(p->fd, &s)!=0 || nByte>(u64)s.st_size;
}

LockRc osExtend(const OsFile *p, u64 iFrom, u64 nByte){
  u64 nLimit;
  int e;
  assert( ruleOutside() );
  if( p->fd<0 ) return LOCK_OK;
  if( beyondLimit(p, nByte, &nLimit) ){
    failAs(LOCK_NOSPACE, OS_ABOUT_SYSTEM, EFBIG, 0);
    trouble.nNeed = nByte;
    trouble.nLimit = nLimit;
    return LOCK_NOSPACE;
  }
  e = allocateBlocks(p->fd, iFrom, nByte);
  if( e==0 ) return LOCK_OK;
  return failAs(e==ENOSPC || e==EDQUOT || e==EFBIG ? LOCK_NOSPACE : LOCK_IOERR,
                OS_ABOUT_SYSTEM, e, 0);
}

void *osMap(const OsFile *p, size_t nByte){
  int flags = p->fd<0 ? MAP_PRIVATE|MAP_ANONYMOUS|MAP_NORESERVE : MAP_SHARED;
  int prot = p->bRead ? PROT_READ : PROT_READ|PROT_WRITE;
  void *pMap = mmap(0, nByte, prot, flags, p->fd, 0);
  struct rlimit l;
  assert( ruleOutside() );
  if( pMap!=MAP_FAILED ) return pMap;
  failSystem(LOCK_NOMAP);
  trouble.nNeed = nByte;
  if( getrlimit(RLIMIT_AS, &l)==0 && l.rlim_cur!=RLIM_INFINITY ){
    trouble.nLimit = (u64)l.rlim_cur;
  }
  return 0;
}

void osTouch(void *pMap, size_t nByte){
  assert( ruleOutside() );
#ifdef MADV_POPULATE_WRITE
  size_t nPage = (size_t)osPage(), nSkip = (uintptr_t)pMap%nPage;
  (void)madvise((u8*)pMap-nSkip, nByte+nSkip, MADV_POPULATE_WRITE);
#else
  (void)pMap;
  (void)nByte;
#endif
}

void osUnmap(void *pMap, size_t nByte){
  assert( ruleOutside() );
  (void)munmap(pMap, nByte);
}

void osUnshare(void *pMap, size_t nByte){
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
  assert( ruleOutside() );
  static const short aType[] = { F_UNLCK, F_RDLCK, F_WRLCK };
  u64 usEnd;
  if( p->fd<0 ) return LOCK_OK;
  usEnd = osMonotonicUs() + (u64)msWait*1000;
  for(;;){
    int e = byteLock(p->fd, aType[eLock], 0);
    if( e==0 ) return LOCK_OK;
    if( e!=EAGAIN && e!=EACCES ){
      return failAs(LOCK_IOERR, OS_ABOUT_SYSTEM, e, 0);
    }
    if( osMonotonicUs()>=usEnd ) return LOCK_BUSY;
    osSleep(1000);
  }
}

LockRc osLockNumber(const OsFile *p, u64 iNumber){
  int e;
  assert( ruleOutside() );
  if( p->fd<0 ) return LOCK_OK;
  e = byteLock(p->fd, F_WRLCK, NUMBER_BASE+(off_t)iNumber);
  if( e==0 ) return LOCK_OK;
  failAs(LOCK_IOERR, OS_ABOUT_SYSTEM, e, 0);
  return e==EAGAIN || e==EACCES ? LOCK_NO : LOCK_IOERR;
}

LockRc osUnlockNumber(const OsFile *p, u64 iNumber){
  int e;
  assert( ruleOutside() );
  e = byteLock(p->fd, F_UNLCK, NUMBER_BASE+(off_t)iNumber);
  return e==0 ? LOCK_OK : failAs(LOCK_IOERR, OS_ABOUT_SYSTEM, e, 0);
}

/* 1 if another open file holds a lock in the range, 0 if not, -1 if the system
** does not say.  It asks for the holder and does not try the lock: a lock held
** for a moment could make a dead process look alive to a third one. */
static int rangeHeld(int fd, off_t iFirst, off_t nByte){
  struct flock l;
  int rc;
  assert( ruleOutside() );
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
  return rangeHeld(p->fd, 1, 0);
}

/*------------------------------------------------------------- waiting ---*/

void osSleep(i64 us){
  struct timespec t;
  assert( ruleOutside() );
  t.tv_sec = (time_t)(us/1000000);
  t.tv_nsec = (long)(us%1000000)*1000;
  nanosleep(&t, 0);
}

#ifndef INTERLOCK_OS_POSIX
/* The system call, and the time as it takes it.  That is not timespec where a
** program of 32 bits is built with a time_t of 64.  The newest machines of 32
** bits have only the call that was made for those. */
#ifdef SYS_futex
# define FUTEX_CALL SYS_futex
typedef __kernel_long_t FutexLong;
#else
# define FUTEX_CALL SYS_futex_time64
typedef i64 FutexLong;
#endif
typedef struct FutexTime {
  FutexLong sec, nsec;
} FutexTime;

int osWait(u32 *p, u32 iValue, i64 us){
  FutexTime t;
  assert( ruleOutside() );
  t.sec = (FutexLong)(us/1000000);
  t.nsec = (FutexLong)(us%1000000)*1000;
  if( syscall(FUTEX_CALL, p, FUTEX_WAIT, iValue, &t, 0, 0)==0 ) return OS_WOKEN;
  if( errno==EINTR ) return OS_SIGNAL;
  return errno==ETIMEDOUT ? OS_TIMEOUT : OS_WOKEN;
}
void osWake(u32 *p, int nWake){
  syscall(FUTEX_CALL, p, FUTEX_WAKE, nWake, 0, 0, 0);
}

/* The call of Linux 5.16, which older headers do not know. */
#ifndef SYS_futex_waitv
# define SYS_futex_waitv 449
#endif
typedef struct FutexWord {
  u64 value, address;
  u32 flags, reserved;
} FutexWord;
typedef struct FutexEnd {
  i64 sec, nsec;
} FutexEnd;
#define FUTEX_OF_32 2              /* a word of 32 bits, of any process */

int osWaitEach(u32 **apWord, const u32 *aValue, u32 n, i64 us){
  FutexWord a[OS_WAIT_ANY];
  u64 usEnd = osMonotonicUs() + (u64)us;
  FutexEnd end;
  u32 i;
  assert( ruleOutside() );
  end.sec = (i64)(usEnd/1000000);
  end.nsec = (i64)(usEnd%1000000)*1000;
  for(i=0; i<n; i++){
    a[i].value = aValue[i];
    a[i].address = (u64)(uintptr_t)apWord[i];
    a[i].flags = FUTEX_OF_32;
    a[i].reserved = 0;
  }
  if( syscall(SYS_futex_waitv, a, n, 0, &end, CLOCK_MONOTONIC)>=0 ){
    return OS_WOKEN;
  }
  if( errno==ETIMEDOUT ) return OS_TIMEOUT;
  if( errno==EINTR ) return OS_SIGNAL;
  return errno==EAGAIN ? OS_WOKEN : OS_NOWAIT;
}
#else
int osWaitEach(u32 **apWord, const u32 *aValue, u32 n, i64 us){
  (void)apWord; (void)aValue; (void)n; (void)us;
  return OS_NOWAIT;
}
int osWait(u32 *p, u32 iValue, i64 us){
  i64 usStep = 50;
  u64 usEnd = osMonotonicUs() + (u64)us;
  assert( ruleOutside() );
  for(;;){
    if( atomicGetAcq((atomicAlias32*)p)!=iValue ) return OS_WOKEN;
    if( osMonotonicUs()>=usEnd ) return OS_TIMEOUT;
    osSleep(usStep);
    if( usStep<1000 ) usStep *= 2;
  }
}
void osWake(u32 *p, int nWake){ (void)p; (void)nWake; }
#endif

/* Where the system cannot sleep on several words. */
#define US_ANY 2000
void osWaitAny(u32 **apWord, const u32 *aValue, u32 n, i64 us){
  u64 usEnd = osMonotonicUs() + (u64)us;
  u32 i;
  if( osWaitEach(apWord, aValue, n, us)!=OS_NOWAIT ) return;
  for(;;){
    for(i=0; i<n; i++){
      if( atomicGetAcq((atomicAlias32*)apWord[i])!=aValue[i] ) return;
    }
    if( osMonotonicUs()>=usEnd ) return;
    osSleep(US_ANY);
  }
}

/*-------------------------------------------------------- pipe and thread ---*/

/* Moves a descriptor away from those of stdin, stdout and stderr. */
static int setUp(int *pFd){
  int fd = *pFd;
  if( fd<3 ){
    *pFd = fcntl(fd, F_DUPFD_CLOEXEC, 3);
    close(fd);
  }
  return *pFd>=0 && fcntl(*pFd, F_SETFD, FD_CLOEXEC)==0
      && fcntl(*pFd, F_SETFL, O_NONBLOCK)==0;
}
LockRc osPipe(int *aFd){
  int bUp;
  if( pipe(aFd)!=0 ) return failAs(LOCK_IOERR, OS_ABOUT_SYSTEM, errno, 0);
  bUp = setUp(&aFd[0]);
  if( setUp(&aFd[1]) && bUp ) return LOCK_OK;
  failAs(LOCK_IOERR, OS_ABOUT_SYSTEM, errno, 0);
  osPipeClose(aFd);
  return LOCK_IOERR;
}
void osPipeClose(int *aFd){
  if( aFd[0]>=0 ) close(aFd[0]);
  if( aFd[1]>=0 ) close(aFd[1]);
}
void osPipeWrite(int fd){
  while( write(fd, "", 1)<0 && errno==EINTR ){}
}
void osPipeEmpty(int fd){
  char a[256];
  ssize_t n;
  do{ n = read(fd, a, sizeof(a)); }while( n>0 || (n<0 && errno==EINTR) );
}

LockRc osThread(pthread_t *p, void *(*xRun)(void*), void *pArg){
  sigset_t all, old;
  int rc;
  sigfillset(&all);
  pthread_sigmask(SIG_BLOCK, &all, &old);
  rc = pthread_create(p, 0, xRun, pArg);
  pthread_sigmask(SIG_SETMASK, &old, 0);
  return rc ? failAs(LOCK_IOERR, OS_ABOUT_SYSTEM, rc, 0) : LOCK_OK;
}

/*---------------------------------------------------------------- bells ---*/

#ifndef INTERLOCK_OS_POSIX
/* It begins in the last 8 bytes of the first page.  It is in its own second
** page. */
struct OsBell {
  pthread_mutex_t mutex;
  u8 *pPage;                           /* the first of the two pages */
  u32 *pWord;                          /* the word of the mutex */
  u32 iThread;                         /* the thread that holds it */
  u64 iMaker;                          /* the same by a number of our own */
  OsBell *pNext;
};
enum { BELL_BYTES = 8 };               /* of the mutex, in the file */
static OsBell *pDropped;               /* held by threads that have not ended */

static size_t pageBytes(void){ return (size_t)osPage(); }
static u32 threadNumber(void){ return (u32)syscall(SYS_gettid); }

/* A number of this thread that no other one gets.  The system gives its numbers
** again, also to a thread whose list does not have the mutex. */
static _Thread_local u64 iMaker;
static u64 nMaker;

int osBellAt(u64 iOffset){
  return (iOffset+BELL_BYTES)%pageBytes()==0;
}

/* Two private pages with a mutex that nothing has used yet; 0 if there is no
** memory. */
static OsBell *newBell(void){
  static const u8 aZero[BELL_BYTES] = { 0 };
  size_t nPage = pageBytes();
  u8 *pPage = mmap(0, 2*nPage, PROT_READ|PROT_WRITE,
                   MAP_PRIVATE|MAP_ANONYMOUS, -1, 0);
  pthread_mutexattr_t attr;
  OsBell *p;
  int rc = 1;
  if( pPage==MAP_FAILED ) return 0;
  p = (OsBell*)(void*)(pPage+nPage-BELL_BYTES);
  p->pPage = pPage;
  if( pthread_mutexattr_init(&attr)==0 ){
    rc = pthread_mutexattr_setpshared(&attr, PTHREAD_PROCESS_SHARED)
      || pthread_mutexattr_setrobust(&attr, PTHREAD_MUTEX_ROBUST)
      || pthread_mutex_init(&p->mutex, &attr);
    pthread_mutexattr_destroy(&attr);
  }
  /* Under the file's page what is not 0 would be lost, such as the type of a
  ** mutex of musl. */
  if( rc==0 && memcmp(p, aZero, sizeof(aZero))==0 ) return p;
  munmap(pPage, 2*nPage);
  return 0;
}

/* The thread that holds the mutex must be this one, or have ended.  Its list
** must not have the mutex any more when the memory goes. */
static int freeBell(OsBell *p){
  if( BUG(BELL_THREAD) ? p->iThread==threadNumber() : p->iMaker==iMaker ){
    if( pthread_mutex_unlock(&p->mutex)!=0 ) return 0;
  }else if( syscall(SYS_tgkill, getpid(), p->iThread, 0)==0 || errno!=ESRCH ){
    return 0;
  }
  munmap(p->pPage, 2*pageBytes());
  return 1;
}

static void freeDropped(void){
  OsBell **pp = &pDropped;
  while( *pp ){
    OsBell *pNext = (*pp)->pNext;
    if( freeBell(*pp) ) *pp = pNext;
    else pp = &(*pp)->pNext;
  }
}

OsBell *osBellHold(const OsFile *pFile, u64 iOffset, u32 *piWord){
  size_t nPage = pageBytes();
  OsBell *p;
  u32 *pWord;
  int rc;
  freeDropped();
  if( pFile->fd<0 || !osBellAt(iOffset) || (p = newBell())==0 ) return 0;
  pWord = (u32*)(void*)(p->pPage+nPage-BELL_BYTES);
  if( mmap(p->pPage, nPage, PROT_READ|PROT_WRITE, MAP_SHARED|MAP_FIXED,
           pFile->fd, (off_t)(iOffset+BELL_BYTES-nPage))==MAP_FAILED ){
    munmap(p->pPage, 2*nPage);
    return 0;
  }
  rc = pthread_mutex_trylock(&p->mutex);
  if( rc==EOWNERDEAD ){
    (void)pthread_mutex_consistent(&p->mutex);
  }else if( rc!=0 ){
    munmap(p->pPage, 2*nPage);
    return 0;
  }
  p->iThread = threadNumber();
  if( iMaker==0 ) iMaker = ++nMaker;
  p->iMaker = iMaker;
  *piWord = (atomicGet(pWord) & OS_BELL_HOLDER)!=p->iThread;
  p->pWord = pWord + *piWord;
  return p;
}

int osBellHeld(const OsBell *p){
  return (atomicGet(p->pWord) & (OS_BELL_HOLDER|OS_BELL_DIED))==p->iThread;
}

/* The mutex may be in the list of another thread, which cannot be changed from
** here.  So its memory stays until that thread has ended, or comes here. */
void osBellDrop(OsBell *p){
  u32 w;
  while( ((w = atomicGet(p->pWord)) & OS_BELL_HOLDER)==p->iThread ){
    if( atomicCas32(p->pWord, w, 0) ) break;
  }
  osWake(p->pWord, INT_MAX);
  osUnshare(p->pPage, pageBytes());
  atomicSet(p->pWord, p->iThread);
  p->pNext = pDropped;
  pDropped = p;
  freeDropped();
}

/* The memory stays, since the C library may still have it in a list. */
void osBellAbandon(OsBell *p){
  osUnshare(p->pPage, pageBytes());
  pDropped = 0;
}

#else
int osBellAt(u64 iOffset){ (void)iOffset; return 1; }
OsBell *osBellHold(const OsFile *p, u64 iOffset, u32 *piWord){
  (void)p; (void)iOffset; (void)piWord;
  return 0;
}
int osBellHeld(const OsBell *p){ (void)p; return 0; }
void osBellDrop(OsBell *p){ (void)p; }
void osBellAbandon(OsBell *p){ (void)p; }
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

/* For display only: a pid must not decide whether a process is dead.  A pid
** that is hidden may belong to another user (/proc with hidepid). */
int osProcessState(u32 iPid, u64 iPidSpace){
  char zPath[40], zBuf[512], *z;
  int fd;
  ssize_t n;
  assert( ruleOutside() );
  if( iPidSpace==0 || iPidSpace!=osPidSpace() ) return OS_UNKNOWN;
  snprintf(zPath, sizeof(zPath), "/proc/%u/stat", iPid);
  fd = openHigh(zPath, O_RDONLY, 0);
  if( fd<0 ) return OS_UNKNOWN;
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

void osProcessEnter(void){
  ruleEnter(RANK_PROCESS, &processMutex);
  pthread_mutex_lock(&processMutex);
}
void osProcessLeave(void){
  pthread_mutex_unlock(&processMutex);
  ruleLeave(RANK_PROCESS, &processMutex);
}

static void forkBegin(void){ pthread_mutex_lock(&processMutex); }
static void forkParent(void){ pthread_mutex_unlock(&processMutex); }
static void forkChild(void){
  ruleReset();
  if( xForkChild ) xForkChild();
  pthread_mutex_unlock(&processMutex);
}
static void forkRegister(void){
  pthread_atfork(forkBegin, forkParent, forkChild);
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

int osFileNamed(const char *zStart){
  static const char here = 0;
  Dl_info info;
  const char *z;
  if( dladdr(&here, &info)==0 || info.dli_fname==0 ) return 0;
  z = strrchr(info.dli_fname, '/');
  z = z ? z+1 : info.dli_fname;
  if( strncmp(z, "lib", 3)==0 ) z += 3;
  return strncmp(z, zStart, strlen(zStart))==0;
}
