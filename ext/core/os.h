/* SPDX-License-Identifier: 0BSD */
/*
** os.h: what the platform supplies.  os_unix.c has Linux's way (open file
** description locks, futex) and a portable POSIX way (-DINTERLOCK_OS_POSIX:
** fcntl locks of the process, short sleeps).  Another platform needs another
** file with the same contract.  Nothing here knows the format of the file.
*/
#ifndef INTERLOCK_OS_H
#define INTERLOCK_OS_H

#include "core/base.h"

/* One open lock file.  fd is -1 for private memory. */
typedef struct OsFile {
  int fd;
  int bRead;                 /* opened for reading only */
  u64 iDev, iIno;            /* which file it is */
} OsFile;

/* One letter for the layer, part of the magic word.  The locks of two layers do
** not see each other, so their builds must refuse each other's file. */
u8 osLayer(void);

enum { OS_UNLOCKED, OS_SHARED, OS_EXCLUSIVE };

/*
** Why the last call of this thread that returned eRc did so, for messages.  It
** must be read right after that call.  Owner and mode are those of the file
** that eAbout is about; mMode 0: not known.
*/
enum { OS_ABOUT_SYSTEM,      /* iErrno says it all */
       OS_ABOUT_OPEN,        /* the file could not be opened for writing */
       OS_ABOUT_LOOK,        /* the file could not be opened for reading */
       OS_ABOUT_MAKE,        /* the file could not be made; of the folder */
       OS_ABOUT_READER,      /* not made: the user cannot write the database */
       OS_ABOUT_KIND,        /* the file is not a plain file */
       OS_ABOUT_LINKS,       /* the file has nLink names */
       OS_ABOUT_MOUNT,       /* the file is the root of a mount */
       OS_ABOUT_OWNER,       /* its owner may not write the database */
       OS_ABOUT_WIDE };      /* others may write it, but not the database */
typedef struct OsTrouble {
  LockRc eRc;
  int eAbout;
  int iErrno;                /* the system's reason, 0: none */
  u32 mMode, iUid, iGid, nLink;
  u64 nNeed, nLimit;         /* bytes, and what the process may have; or 0 */
} OsTrouble;
const OsTrouble *osTrouble(void);

/*
** osOpen: open zPath as a plain file with one name, without following a
** symbolic link: for reading only, for reading and writing, or for this and
** making it if there is none.  It is made with the group and the mode of zLike,
** the database, and by root with its owner.  Only a user that may write zLike
** or is its owner makes it.  A lock file that other users can write, although
** they may not write zLike, is refused; its owner takes that right away
** instead.  LOCK_NOFILE, LOCK_CANTOPEN, LOCK_NETWORK, LOCK_REPLACED.
** osOneName: LOCK_LINKED if zPath is a file with a second name: a hard link,
** or the root of a mount.  LOCK_REPLACED if it is a symbolic link by now.
** osIdentify: LOCK_OK and device and inode of what zPath names now.
** osUnlinked: 1 if the open file has no name any more.
** No descriptor is below 3: a print to a closed stderr would go there.
*/
enum { OS_WRITE, OS_CREATE, OS_READ };
LockRc osOpen(OsFile*, const char *zPath, const char *zLike, int eHow);
void osClose(OsFile*);
LockRc osOneName(const char *zPath);
LockRc osIdentify(const char *zPath, u64 *piDev, u64 *piIno);
int osUnlinked(const OsFile*);

/*
** osSize: length of the file.  osExtend: make the file at least nByte long,
** with blocks behind all of it from iFrom on, never shorter; LOCK_NOSPACE.
** From 0 only while no other process uses it.  What another process stores
** beyond its end meanwhile stays.
** osMap: nByte of address space over the file, or over zeroed memory of the
** process; the file may be shorter.  A file that was opened for reading is
** mapped for reading.  0: osTrouble has LOCK_NOMAP.  osTouch: a hint that
** these bytes will be stored to soon; one call is cheaper than a fault a
** page.  osForget puts private zeroes in the place of a mapping: for the child
** of a fork, whose inherited mapping would keep the parent's open file, and so
** its byte locks, alive.
*/
LockRc osSize(const OsFile*, u64 *pnByte);
LockRc osExtend(const OsFile*, u64 iFrom, u64 nByte);
void *osMap(const OsFile*, size_t nByte);
void osTouch(void*, size_t nByte);
void osUnmap(void*, size_t nByte);
void osForget(void*, size_t nByte);

/*
** The byte of process number n is byte OS_NUMBER_BASE + n: part of the format.
**
** osLockFirst: lock the file's first byte, trying for msWait; LOCK_BUSY.
** osLockNumber: lock the byte of process number iNumber for as long as the
** descriptor is open.  osNumberHeld: 1 if another open file holds that byte, 0
** if none does, -1 if the system does not say; never 1 for the own number.
** osAnyHeld: the same for all numbers at once, wherever another build has them:
** any byte but the first.
*/
#define OS_NUMBER_BASE ((u64)1<<40)
LockRc osLockFirst(const OsFile*, int eLock, int msWait);
LockRc osLockNumber(const OsFile*, u64 iNumber);
int osNumberHeld(const OsFile*, u64 iNumber);
int osAnyHeld(const OsFile*);

/*
** osWait: sleep while *p is iValue, at most usWait, perhaps shorter; 1 if the
** time ran out.  osWake: wake nWake of the threads that sleep on p.
*/
int osWait(u32 *p, u32 iValue, i64 usWait);
void osWake(u32 *p, int nWake);
void osSleep(i64 us);

u64 osMonotonicUs(void);     /* never set back; timeouts use only this */
u64 osWallUs(void);          /* the user's clock, for display and first token */
u64 osWallMs(void);          /* the same, cheap and a few ms coarse */

u32 osPid(void);
u64 osPidSpace(void);        /* number of the pid namespace, 0 unknown */
enum { OS_RUNNING, OS_STOPPED, OS_GONE, OS_UNKNOWN };
int osProcessState(u32 iPid, u64 iPidSpace);

/* Keep this code in the process until it ends.  What it has registered points
** to it, and a library that is unloaded and loaded again has lost its state. */
void osStay(void);

/* Whether the file that has this code has a name that begins so, after `lib` if
** that comes first. */
int osFileNamed(const char *zStart);

/* The lock of this process for its list of open files.  xChild is called in a
** fork's child, with that lock held. */
void osProcessEnter(void);
void osProcessLeave(void);
void osAtFork(void (*xChild)(void));

#endif
