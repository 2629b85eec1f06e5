/* SPDX-License-Identifier: 0BSD */
/*
** graph.h: which session waits for which, and whether that is a cycle.  The
** caller of every function that takes a Seg must own the segment's mutex.  No
** function here tests whether a process is alive.
*/
#ifndef INTERLOCK_GRAPH_H
#define INTERLOCK_GRAPH_H

#include "core/records.h"

/* The workspace.  It is made once for a lock file, since a thread must not
** allocate under the mutex. */
typedef struct Graph Graph;
size_t graphSize(void);

/*
** graphCheck: looks for a cycle through session k, which has just queued a
** request.
**   GRAPH_NONE      there is none
**   GRAPH_CURED     there was one with soft edges; queues were rearranged so
**                   that it is gone, and requests without a blocker granted
**   GRAPH_DEADLOCK  no arrangement was found
** graphCycle: after GRAPH_DEADLOCK the sessions of the cycle, k first.
** graphMembers: the sessions of all cycles that the search met.
** graphCheckAll: the same for every session that waits and can be in a cycle.
** graphSteps: the number of elementary steps of the last of these checks.
*/
enum { GRAPH_NONE, GRAPH_CURED, GRAPH_DEADLOCK };
int graphCheck(Graph*, Seg*, u32 k);
void graphCheckAll(Graph*, Seg*);
u64 graphSteps(const Graph*);
const u32 *graphCycle(Graph*, u32 *pn);
const u32 *graphMembers(Graph*, u32 *pn);

/* Makes the workspace in graphSize() zeroed bytes. */
Graph *graphInit(void *pSpace);

#endif
