/* SPDX-License-Identifier: 0BSD */
/*
** owner.h: who is attached to the segment, who has died, and the segment's
** mutex with its take-over from the dead.  Knows nothing of records.
*/
#ifndef INTERLOCK_OWNER_H
#define INTERLOCK_OWNER_H

#include "core/segment.h"

/*
** ownerAttach: give this process a number in the opened segment; formats the
** file if it has to be.  LOCK_BUSY if somebody is stopped while attaching or
** formatting, LOCK_FORMAT if another format is in use, LOCK_MALFORMED.  On
** failure nothing is held.  Detaching is closing the descriptor (segClose).
*/
LockRc ownerAttach(Seg*);

/*
** ownerLook: for a process that may only read the file, and so has no number
** in it.  LOCK_OK: the first byte is locked shared, so that no process formats
** the file meanwhile.  LOCK_NOFILE if there is nothing in it that is alive,
** LOCK_BUSY, LOCK_FORMAT, LOCK_MALFORMED: nothing is held.
*/
LockRc ownerLook(Seg*);

/*
** ownerDead: 1 if the process of that number has died, for certain and for
** ever.  Asks the system: never under the mutex.
*/
int ownerDead(Seg*, u64 iNumber);

/*
** The mutex.  OWNER_TOOK says that it was taken from a dead process: the
** caller has to rebuild what is derived before it looks at anything.
**
** ownerEnter   waits; OWNER_BUSY when a live owner has kept it for a second in
**              which no other thread or process got it
** ownerTry     waits at most usWait, at once takes it from the dead
** ownerTask    never waits: enters, or leaves the owner the WORK bit
**              (OWNER_BUSY); afterwards the caller's `left` will be seen
** ownerLeave   1: WORK was set and is cleared now; the caller, still inside,
**              sweeps and calls again.  0: outside
*/
enum { OWNER_IN, OWNER_TOOK, OWNER_BUSY };
int ownerEnter(Seg*);
int ownerTry(Seg*, i64 usWait);
int ownerTask(Seg*);
int ownerLeave(Seg*);

#endif
