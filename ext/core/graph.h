/* SPDX-License-Identifier: 0BSD */
/*
** graph.h: which session waits for which, and whether that is a cycle.  The
** caller owns the segment's mutex.  Nothing here tests whether a process is
** alive.
*/
#ifndef INTERLOCK_GRAPH_H
#define INTERLOCK_GRAPH_H

#include "core/records.h"

/* The workspace, made once for a lock file: under the mutex nothing may be
** allocated. */
typedef struct Graph Graph;
size_t graphSize(void);

/*
** graphCheck: session k has just queued a request.  GRAPH_NONE: its waiting
** completes no cycle.  GRAPH_CURED: it did, but the cycle had soft edges, and
** queues were rearranged so that it is gone; requests without a blocker have
** been granted.  GRAPH_DEADLOCK: no arrangement was found; graphCycle returns
** the sessions of the cycle, k first, and graphMembers the sessions of all
** cycles that were met.
** graphCheckAll: the same for every session that waits and can be in a cycle.
** graphSteps: how many elementary steps the last of these took.
*/
enum { GRAPH_NONE, GRAPH_CURED, GRAPH_DEADLOCK };
int graphCheck(Graph*, Seg*, u32 k);
void graphCheckAll(Graph*, Seg*);
u64 graphSteps(const Graph*);
const u32 *graphCycle(Graph*, u32 *pn);
const u32 *graphMembers(Graph*, u32 *pn);

/* Sets up the workspace in graphSize() zeroed bytes. */
Graph *graphInit(void *pSpace);

#endif
