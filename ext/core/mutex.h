/* SPDX-License-Identifier: 0BSD */
/*
** mutex.h: the mutex of the segment, and its take-over from a dead owner.  No
** function here knows of records.
*/
#ifndef INTERLOCK_MUTEX_H
#define INTERLOCK_MUTEX_H

#include "core/segment.h"

/*
** MUTEX_ENTERED: the caller owns the mutex.  MUTEX_TAKEN: it owns the mutex,
** taken from a dead process, and must rebuild what is derived before it reads
** anything else.  MUTEX_BUSY: it does not own the mutex.
**
** mutexEnter: waits.  Returns MUTEX_BUSY when a living owner has kept the mutex
** for a second in which no other thread got it.
** mutexTry: waits at most usWait.  Takes the mutex from a dead owner at once.
** mutexTask: never waits.  Enters, or sets WORK for the owner, which then sees
** the caller's sweepNeeded, and returns MUTEX_BUSY.
** mutexWake: notes a word whose sleepers mutexLeave wakes.  The caller must own
** the mutex.
** mutexLeave: returns 0 if the caller has left.  Returns 1 if WORK was set and
** is cleared now: the caller is still inside, and must sweep and call again.
*/
enum { MUTEX_ENTERED, MUTEX_TAKEN, MUTEX_BUSY };
int mutexEnter(Seg*);
int mutexTry(Seg*, i64 usWait);
int mutexTask(Seg*);
void mutexWake(Seg*, u32 *pWord);
int mutexLeave(Seg*);

#endif
