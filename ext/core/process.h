/* SPDX-License-Identifier: 0BSD */
/*
** process.h: attaching a process to the segment, and whether a process is dead.
** Nothing here knows of records.
**
** A process is a number that is never used again.  It is alive as long as the
** byte of that number is locked.  The kernel drops the lock whatever ended the
** process, so "dead" is certain and final: a process may ask outside the mutex
** and act on the answer inside.
*/
#ifndef INTERLOCK_PROCESS_H
#define INTERLOCK_PROCESS_H

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

#endif
