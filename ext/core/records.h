/* SPDX-License-Identifier: 0BSD */
/*
** records.h: records and queues in the segment: grants, requests, and which of
** them block which.  The caller of every function here must own the segment's
** mutex.  Nothing here tests whether a process is alive.
*/
#ifndef INTERLOCK_RECORDS_H
#define INTERLOCK_RECORDS_H

#include "core/key.h"
#include "core/segment.h"

/* Fields of a record's `what`.  REC_BIT is its mode's MODE_BIT; for a mode that
** this code cannot have stored it is a bit without a meaning. */
#define REC_MODE(r) SEG_WHAT_MODE((r)->what)
#define REC_BIT(r)  ((u32)(((u64)1<<((r)->what & 63)) & SEG_ALL))
#define REC_KIND(r) SEG_WHAT_KIND((r)->what)
#define REC_NKEY(r) SEG_WHAT_NKEY((r)->what)

/* The key of a record. */
void tableKeyOf(Seg*, SegRecord*, LockKey*);

/* The next record of a key after record i; i 0: the first.  0 at the end.
** *pnStep begins at 0 and bounds the walk.  tablePrev: the one before record
** i. */
u32 tableNext(Seg*, const LockKey*, u32 i, u32 *pnStep);
u32 tablePrev(Seg*, const LockKey*, u32 i, u32 *pnStep);

/* Do two records have the same key? */
int tableSameKey(Seg*, u32 iRecord, u32 jRecord);

/* Invalidated: the record's session has given it up by one store. */
int tableVoid(Seg*, SegRecord*);
/* The same for the transaction hold alone. */
int tableHoldVoid(Seg*, SegRecord*);

/* What makes up a new record. */
typedef struct TableNew {
  const LockKey *pKey;
  u32 iSession, iGeneration;
  u32 eMode, scount;
  u64 thold;
  u32 iBefore;             /* queue before this record, 0: at the tail */
  u32 bWaiting;
} TableNew;

/*
** tableInsert makes a record; 0 if no slot is free.  tableRemove frees it and
** grants the requests that no longer have a blocker.  tableMove puts it into
** the list that its transaction hold requires.
*/
u32 tableInsert(Seg*, const TableNew*);
void tableRemove(Seg*, u32 iRecord);
void tableMove(Seg*, u32 iRecord);

/* Grant every request of the key's queue that has no blocker, from the head. */
void tableScan(Seg*, const LockKey*);

/* Renumber: the n requests of one queue, given in their new order, get new
** tickets and positions in the chain. */
void tableReorder(Seg*, const u32 *aRecord, u32 n);

/* For sessions.c and rebuild.c. */
void tableChainInsert(Seg*, u32 iRecord, u32 iBefore);
void tableListInsert(Seg*, u32 iRecord);
void tableListRemove(Seg*, u32 iRecord);
void tableGiveSlot(Seg*, SegSession*);
u32 tableTextSlots(u32 nKey);
void tableScanWaiting(Seg*, int bObject);

#endif
