/* SPDX-License-Identifier: 0BSD */
/*
** owner.h: attaching a process to the segment, whether a process is dead, and
** the segment's mutex with its take-over from a dead owner.  Nothing here knows
** of records.
*/
#ifndef INTERLOCK_OWNER_H
#define INTERLOCK_OWNER_H

#include "core/segment.h"

/*
** ownerAttach: give this process a number in the opened segment; formats the
** file if necessary.  LOCK_BUSY if a process is stopped while it attaches or
** formats, LOCK_FORMAT if another format is in use, LOCK_MALFORMED.  On failure
** nothing is held.  Detaching is closing the descriptor (segClose).
*/
LockRc ownerAttach(Seg*);

/*
** ownerLook: for a process that may only read the file, and so has no number
** in it.  LOCK_OK: the first byte is locked shared, so that no process formats
** the file meanwhile.  LOCK_NOFILE if no process is alive in a file of another
** format; LOCK_BUSY, LOCK_FORMAT, LOCK_MALFORMED: nothing is held.
*/
LockRc ownerLook(Seg*);

/*
** ownerDead: 1 if the process of that number is dead, which is certain and
** final.  A system call, so never under the mutex.
*/
int ownerDead(Seg*, u64 iNumber);

/*
** The mutex.  OWNER_TOOK says that it was taken from a dead process: the caller
** must rebuild what is derived before it reads anything else.
**
** ownerEnter  waits; OWNER_BUSY when a living owner has kept it for a second in
**              which no other thread got it
** ownerTry     waits at most usWait, at once takes it from the dead
** ownerTask    never waits: enters, or sets WORK for the owner (OWNER_BUSY),
**              which then sees the caller's `left`
** ownerLeave   1: WORK was set and is cleared now; the caller, still inside,
**              sweeps and calls again.  0: outside
*/
enum { OWNER_IN, OWNER_TOOK, OWNER_BUSY };
int ownerEnter(Seg*);
int ownerTry(Seg*, i64 usWait);
int ownerTask(Seg*);
int ownerLeave(Seg*);

#endif
