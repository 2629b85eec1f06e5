/* SPDX-License-Identifier: 0BSD */
/*
** mutex.h: the mutex of the segment, with its take-over from a dead owner.
** Nothing here knows of records.
*/
#ifndef INTERLOCK_MUTEX_H
#define INTERLOCK_MUTEX_H

#include "core/segment.h"

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
