/* SPDX-License-Identifier: 0BSD */
/*
** rebuild.h: what a process must do after it has taken the mutex from a dead
** owner.
*/
#ifndef INTERLOCK_REBUILD_H
#define INTERLOCK_REBUILD_H

#include "core/sessions.h"

/* Computes everything derived again, from the records, and ends the sessions of
** the dead owner.  The caller must own the mutex.  This grants nothing, so the
** caller must scan all queues (recordScanWaiting). */
void rebuildSegment(Seg*, u64 iDead);

#endif
