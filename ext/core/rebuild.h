/* SPDX-License-Identifier: 0BSD */
/*
** rebuild.h: what the next owner of the mutex does after the death of one.
** The caller of every function here owns the segment's mutex.
*/
#ifndef INTERLOCK_REBUILD_H
#define INTERLOCK_REBUILD_H

#include "core/sessions.h"

/* After the death of a mutex owner: compute everything derived again, from the
** records.  Grants nothing: the caller must scan. */
void tableRebuild(Seg*, u64 iDeadNumber);

#endif
