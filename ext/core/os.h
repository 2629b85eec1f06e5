/* SPDX-License-Identifier: 0BSD */
/*
** os.h: what the platform supplies.  os_unix.c has Linux's way (open file
** description locks, futex) and a portable POSIX way (-DINTERLOCK_OS_POSIX:
** fcntl locks of the process, short sleeps).  Another platform needs another
** file with the same contract.  No function here knows the format of the file.
*/
#ifndef INTERLOCK_OS_H
#define INTERLOCK_OS_H

#include "core/base.h"
#include <pthread.h>

/* One open lock file.  fd is -1 for private memory. */
typedef struct OsFile {
  int fd;
  int bRead;                 /* 1: opened for reading only */
  u64 iDev, iIno;            /* device and inode of the file */
} OsFile;

/* One letter for the layer, part of the magic word.  The locks of two layers do
** not see each other, so their builds must refuse each other's file. */
u8 osLayer(void);

/* What osLockFirst makes of the lock. */
enum { OS_UNLOCKED, OS_SHARED, OS_EXCLUSIVE };

/*
** osTrouble: why the last call of this thread that returned eRc did so, for
** messages.  The caller must read it right after that call.  eAbout says which
** file owner and mode are of.  mMode 0: they are not known.
*/
enum { OS_ABOUT_SYSTEM,      /* iErrno is the whole reason */
       OS_ABOUT_OPEN,        /* the file could not be opened for writing */
       OS_ABOUT_LOOK,        /* the file could not be opened for reading */
       OS_ABOUT_MAKE,        /* the file could not be made in the folder */
       OS_ABOUT_READER,      /* not made: the user cannot write the database */
       OS_ABOUT_KIND,        /* the file is not a plain file */
       OS_ABOUT_LINKS,       /* the file has nLink names */
       OS_ABOUT_MOUNT,       /* the file is the root of a mount */
       OS_ABOUT_OWNER,       /* its owner may not write the database */
       OS_ABOUT_WIDE };      /* other users may write it, not the database */
typedef struct OsTrouble {
  LockRc eRc;                /* the result of that call */
  int eAbout;                /* OS_ABOUT_SYSTEM ... */
  int iErrno;                /* the system's reason, 0: none */
  u32 mMode, iUid, iGid;     /* mode, owner and group of the file or folder */
  u32 nLink;                 /* names of the file */
  u64 nNeed, nLimit;         /* bytes needed, bytes allowed; or 0 */
} OsTrouble;
const OsTrouble *osTrouble(void);

/*
** osOpen: opens zPath, which must be a plain file with one name, without
** following a symbolic link.  OS_READ: for reading only.  OS_WRITE: for reading
** and writing.  OS_CREATE: the same, and makes the file if there is none.  The
** file is made with the group and the mode of zLike, the database, and by root
** with its owner, where it may do that.  Only a user that may write zLike or is
** its owner makes it.  If other users can write the lock file, although they
** may not write zLike, its owner takes that right away from them, and any other
** user is refused.  Returns LOCK_NOFILE, LOCK_CANTOPEN, LOCK_NETWORK or
** LOCK_REPLACED.
** osClose: closes it.
** osOneName: LOCK_LINKED if zPath is a file with a second name, which is a hard
** link or the root of a mount.  LOCK_MOVED if it is a symbolic link now, or
** not the file that *piDev and *piIno name.  If *piIno is 0 any file is right,
** or none, and the two get its numbers.
** osIdentify: LOCK_OK, and device and inode of the file that zPath names now.
** osUnlinked: 1 if the open file has no name any more.
** No descriptor of these functions is below 3, since a print to a closed stderr
** would go to the file.
*/
enum { OS_WRITE, OS_CREATE, OS_READ };
LockRc osOpen(OsFile*, const char *zPath, const char *zLike, int eHow);
void osClose(OsFile*);
LockRc osOneName(const char *zPath, u64 *piDev, u64 *piIno);
LockRc osIdentify(const char *zPath, u64 *piDev, u64 *piIno);
int osUnlinked(const OsFile*);

/*
** osSize: the length of the file.  osBlocks: the bytes of its blocks, some of
** which may be the file system's own.
** osPage: bytes of a page of memory.
** osExtend: makes the file at least nByte long, with blocks behind all of it
** from iFrom to nByte, and never shorter.  Returns LOCK_NOSPACE if the disk is
** full.  iFrom may be 0 only while no other process uses the file.  It does not
** change what another process stores there or beyond the file's end meanwhile.
** Where the file system cannot allocate, the file gets no holes, and a call for
** a part of it that is there does nothing.
** osPunch: makes zeroes of the bytes from iFrom to nByte and gives their blocks
** back.  Returns 0 if the system cannot.  No other process may use the file.
** osMap: maps nByte of address space over the file, or over zeroed memory of
** the process.  The file may be shorter.  A file that was opened for reading is
** mapped for reading.  Returns 0 after a failure; osTrouble has LOCK_NOMAP.
** osUnmap: unmaps it.
** osTouch: a hint that the caller will soon store to these bytes.  One call is
** cheaper than a fault for each page.
** osUnshare: puts private zeroes in the place of a mapping.  The child of a
** fork must call it, since its inherited mapping would keep the parent's open
** file, and so the parent's byte locks, alive.
*/
u64 osPage(void);
LockRc osSize(const OsFile*, u64 *pnByte);
u64 osBlocks(const OsFile*);
LockRc osExtend(const OsFile*, u64 iFrom, u64 nByte);
int osPunch(const OsFile*, u64 iFrom, u64 nByte);
void *osMap(const OsFile*, size_t nByte);
void osTouch(void*, size_t nByte);
void osUnmap(void*, size_t nByte);
void osUnshare(void*, size_t nByte);

/*
** The byte of process number n is byte OS_NUMBER_BASE + n, which is part of the
** format.
**
** osLockFirst: locks or unlocks the file's first byte.  Tries for msWait, then
** returns LOCK_BUSY.
** osLockNumber: locks the byte of process number iNumber for as long as the
** descriptor is open.  LOCK_NO: another open file has locked it; osTrouble has
** LOCK_IOERR then.  osUnlockNumber: unlocks it.
** osNumberHeld: 1 if another open file holds the byte of a number, 0 if none
** does, -1 if the system does not say.  It is never 1 for the caller's own
** number.
** osAnyHeld: the same for any byte but the first, wherever another build has
** its numbers.
*/
#define OS_NUMBER_BASE ((u64)1<<40)
LockRc osLockFirst(const OsFile*, int eLock, int msWait);
LockRc osLockNumber(const OsFile*, u64 iNumber);
LockRc osUnlockNumber(const OsFile*, u64 iNumber);
int osNumberHeld(const OsFile*, u64 iNumber);
int osAnyHeld(const OsFile*);

/*
** A bell is a word of the file that the kernel changes when the thread that
** holds it ends, whatever ends it, and on which the kernel then wakes one
** sleeper.  It is the word of a robust mutex of the C library, whose other
** parts are the thread's own: two pages are mapped, the first over the file,
** the second private, and the mutex begins in the last 8 bytes of the first.
** So the list of the thread's robust mutexes, which the program may use as
** well, is kept by the C library alone, and no pointer of it lies in the file.
**
** osBellAt: 1 if there can be a bell at an offset: it is 8 bytes before the
** end of a page.
** osBellHold: this thread holds a bell at that offset until it ends.  Returns
** 0 if that is not possible, or another thread holds it.  *piWord is 1 if the
** bell is the second of the two words there.
** osBellHeld: 1 if the thread that holds it has not ended.
** osBellDrop: gives the bell back, from any thread.
** osBellAbandon: for a fork's child, which has the parent's bell in its
** memory.
** The caller of all but osBellAt must have called osProcessEnter.
*/
typedef struct OsBell OsBell;
#define OS_BELL_HOLDER  ((u32)0x3fffffff)  /* number of the thread, or 0 */
#define OS_BELL_DIED    ((u32)0x40000000)  /* the thread ended */
#define OS_BELL_AWAITED ((u32)0x80000000)  /* a thread sleeps on the word */
int osBellAt(u64 iOffset);
OsBell *osBellHold(const OsFile*, u64 iOffset, u32 *piWord);
int osBellHeld(const OsBell*);
void osBellDrop(OsBell*);
void osBellAbandon(OsBell*);

/*
** osWait: sleeps while *p is iValue, at most usWait.  It may return early.
** osWaitEach: the same while each of n words has its value.
** OS_TIMEOUT: the time ran out.  OS_SIGNAL: a signal ended the sleep, if the
** system tells that.  OS_NOWAIT, of osWaitEach: the system cannot do that.
** osWake: wakes nWake of the threads that sleep on p.
** osWaitAny: sleeps while each of the n words has its value of aValue, at most
** usWait.  It may return early.  n is at most OS_WAIT_ANY.
** osSleep: sleeps.  A signal ends the sleep.
*/
enum { OS_WOKEN, OS_TIMEOUT, OS_SIGNAL, OS_NOWAIT };
int osWait(u32 *p, u32 iValue, i64 usWait);
#define OS_WAIT_ANY 128u
int osWaitEach(u32 **apWord, const u32 *aValue, u32 n, i64 usWait);
void osWaitAny(u32 **apWord, const u32 *aValue, u32 n, i64 usWait);
void osWake(u32 *p, int nWake);
void osSleep(i64 us);

/*
** osPipe: a pipe, of which neither end blocks or is inherited by a program that
** the process starts.  Returns LOCK_IOERR.  osPipeClose: closes it.
** osPipeWrite: writes a byte; if the pipe is full it is readable already.
** osPipeEmpty: reads what is in it.
** osThread: starts a thread, which no signal interrupts.  Returns LOCK_IOERR.
*/
LockRc osPipe(int *aFd);
void osPipeClose(int *aFd);
void osPipeWrite(int fd);
void osPipeEmpty(int fd);
LockRc osThread(pthread_t*, void *(*xRun)(void*), void *pArg);

u64 osMonotonicUs(void);     /* never set back; all timeouts use it */
u64 osWallUs(void);          /* wall clock, for display and first tokens */
u64 osWallMs(void);          /* wall clock, cheap and a few ms coarse */

u32 osPid(void);
u64 osPidSpace(void);        /* number of the pid namespace, 0: unknown */

/* What a process does, for display.  Its pid may be of another namespace. */
enum { OS_RUNNING, OS_STOPPED, OS_GONE, OS_UNKNOWN };
int osProcessState(u32 iPid, u64 iPidSpace);

/* osStay: keeps this code in the process until it ends.  What the code has
** registered points to it, and a library that is unloaded and loaded again has
** lost its state. */
void osStay(void);

/* osFileNamed: whether the name of the file that has this code begins so, after
** `lib` if that comes first. */
int osFileNamed(const char *zStart);

/* osProcessEnter, osProcessLeave: the lock of this process for its list of open
** files.  osAtFork: xChild is called in a fork's child, with that lock held. */
void osProcessEnter(void);
void osProcessLeave(void);
void osAtFork(void (*xChild)(void));

#endif
