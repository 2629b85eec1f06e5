/* SPDX-License-Identifier: 0BSD */
/*
** sessions.h: sessions in the segment, and the active writer.  The caller of
** every function here owns the segment's mutex.  Nothing here tests whether a
** process is alive.
*/
#ifndef INTERLOCK_SESSIONS_H
#define INTERLOCK_SESSIONS_H

#include "core/records.h"

/*
** Sessions.  tableOpen: index of a new session of process iNumber, its fields
** stored; 0 if no slot is free.  tableSweep frees what session k has given up,
** at most nMax records, and returns 1 if there may be more; an ENDING session
** without records is freed.  tableSweepLeft sweeps every session with `left`
** set.
*/
u32 tableOpen(Seg*, u64 iNumber);
int tableSweep(Seg*, u32 k, u32 nMax);
void tableSweepLeft(Seg*);
/* End the sessions of a process that is known to be dead, which invalidates
** their records; tableSweep then frees these.  Returns how many. */
u32 tableKill(Seg*, u64 iNumber);


/* For rebuild.c. */
void tableCloseSession(Seg*, u32 iSession);
void tableSweepWriter(Seg*, u32 iSession);

#endif
