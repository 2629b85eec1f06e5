/* SPDX-License-Identifier: 0BSD */
/*
** sessions.h: sessions in the segment.  The caller of every function here must
** own the segment's mutex.  No function here tests whether a process is alive.
*/
#ifndef INTERLOCK_SESSIONS_H
#define INTERLOCK_SESSIONS_H

#include "core/records.h"

/*
** sessionOpen: takes a slot for a session of process iNumber, and stores its
** fields.  Returns its index, or 0 if no slot is free.
** sessionSweep: frees at most nMax records that session k has given up, and
** returns 1 if there may be more.  An ENDING session without records is freed.
** sessionSweepAll: sweeps every session whose sweepNeeded is 1.
** sessionKill: ends the sessions of a process, which must be dead.  That
** invalidates their records, and sessionSweep then frees these.  Returns the
** number of the sessions.
*/
u32 sessionOpen(Seg*, u64 iNumber);
int sessionSweep(Seg*, u32 k, u32 nMax);
void sessionSweepAll(Seg*);
u32 sessionKill(Seg*, u64 iNumber);

/* For rebuild.c.  sessionClose: frees an ENDING session that has no record.
** sessionSweepWriter: ends the active writer if it is session k and its
** transaction has ended. */
void sessionClose(Seg*, u32 k);
void sessionSweepWriter(Seg*, u32 k);

#endif
