/* SPDX-License-Identifier: 0BSD */
/*
** graph.h: who waits for whom, and whether that goes round in a circle.
** Called by the owner of the segment's mutex; asks nobody who is alive.
*/
#ifndef INTERLOCK_GRAPH_H
#define INTERLOCK_GRAPH_H

#include "core/table.h"

/* Workspace, made once for a lock file: nothing is allocated in the mutex. */
typedef struct Graph Graph;
size_t graphSize(void);

/*
** graphCheck: session k has just queued a request; does its waiting close a
** cycle?  GRAPH_CURED: it did, but the cycle had soft edges, and queues were
** rearranged so that it is gone; what can be granted now has been.
** GRAPH_DEADLOCK: no arrangement was found; graphCycle gives the sessions of
** the cycle, k first, and graphMembers all sessions in any cycle that was met.
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
