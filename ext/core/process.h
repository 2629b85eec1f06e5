/* SPDX-License-Identifier: 0BSD */
/*
** process.h: attaching a process to the segment, and whether a process is dead.
** No function here knows of records.  README.md, section The idea, says why a
** process is a number and why "dead" is certain and final.
*/
#ifndef INTERLOCK_PROCESS_H
#define INTERLOCK_PROCESS_H

#include "core/segment.h"

/*
** processAttach: gives this process a number in the opened segment.  With bMake
** it formats the file if necessary; without, it returns LOCK_NOFILE for a file
** that must be formatted.  Returns LOCK_BUSY if a process is stopped while it
** attaches or formats, LOCK_FORMAT if another format is in use, LOCK_NOSPACE if
** the file has holes that the disk has no room for, LOCK_MALFORMED.  After a
** failure no byte is locked.  A process detaches by closing the descriptor
** (segClose).
*/
LockRc processAttach(Seg*, int bMake);

/*
** processLook: for a process that may only read the file, and so has no number
** in it.  LOCK_OK: the first byte is locked, shared, so that no process formats
** the file meanwhile.  LOCK_NOFILE: the file has another format, and no process
** in it is alive.  After LOCK_NOFILE, LOCK_BUSY, LOCK_FORMAT and LOCK_MALFORMED
** no byte is locked.
*/
LockRc processLook(Seg*);

/* processDead: 1 if the process of that number is dead, which is certain and
** final.  This is a system call, so the caller must not own the mutex. */
int processDead(Seg*, u64 iNumber);

#endif
