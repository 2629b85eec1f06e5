/* SPDX-License-Identifier: 0BSD */
/*
** records.h: records and queues in the segment: grants, requests, and which of
** them block which.  The caller of every function here must own the segment's
** mutex.  No function here tests whether a process is alive.
*/
#ifndef INTERLOCK_RECORDS_H
#define INTERLOCK_RECORDS_H

#include "core/key.h"
#include "core/segment.h"

/* Parts of a record's `what`.  REC_BIT is the MODE_BIT of its mode.  For a mode
** that this code cannot have stored it is a bit without a meaning. */
#define REC_MODE(r) SEG_WHAT_MODE((r)->what)
#define REC_BIT(r)  ((u32)(((u64)1<<((r)->what & 63)) & SEG_ALL))
#define REC_KIND(r) SEG_WHAT_KIND((r)->what)
#define REC_NKEY(r) SEG_WHAT_NKEY((r)->what)
#define REC_PERMIT(r) SEG_WHAT_PERMIT((r)->what)

/* recordKey: copies the key of a record.  recordSameKey: 1 if two records have
** the same key. */
void recordKey(Seg*, SegRecord*, LockKey*);
int recordSameKey(Seg*, u32 iRecord, u32 jRecord);

/* recordNext: the next record of a key after record i, or the first if i is 0.
** recordPrev: the one before record i.  Both return 0 at the end.  *pnStep must
** begin at 0, and bounds the walk. */
u32 recordNext(Seg*, const LockKey*, u32 i, u32 *pnStep);
u32 recordPrev(Seg*, const LockKey*, u32 i, u32 *pnStep);

/* recordInvalid: 1 if the record is invalidated, which its session has done by
** one store.  recordHoldInvalid: 1 if it has no transaction hold, or an
** invalidated one. */
int recordInvalid(Seg*, SegRecord*);
int recordHoldInvalid(Seg*, SegRecord*);

/* What makes up a new record. */
typedef struct RecordNew {
  const LockKey *pKey;
  u32 iSession, iGeneration;
  u32 eMode, sesCount;
  u64 txnHold;
  u32 iBefore;             /* request to queue in front of; 0: at the tail */
  u32 bWaiting;            /* 1: a request, 0: a grant */
} RecordNew;

/*
** recordInsert: makes a record; returns 0 if no slot is free.
** recordRemove: frees a record, and grants the requests that no longer have a
** blocker.
** recordMove: puts a record into the session's list that its transaction hold
** requires.
** recordScan: grants every request of a key's queue that has no blocker, from
** the head.  recordScanWaiting: the same for all queues, or only for those of
** rows and tables.
** recordReorder: gives the n requests of one queue new tickets and positions,
** in the order of aRecord.
*/
u32 recordInsert(Seg*, const RecordNew*);
void recordRemove(Seg*, u32 iRecord);
void recordMove(Seg*, u32 iRecord);
void recordScan(Seg*, const LockKey*);
void recordScanWaiting(Seg*, int bObject);
void recordReorder(Seg*, const u32 *aRecord, u32 n);

/* recordRing: sends a notification: every session that listens on the channel
** gets a new number, and those that sleep are woken.  The key may be of either
** kind.  recordRingAll: the same for every channel. */
void recordRing(Seg*, const LockKey*);
void recordRingAll(Seg*);

/*
** For sessions.c and rebuild.c.  recordChainInsert: links a record into its
** chain, before another one or at the tail.  recordListInsert and
** recordListRemove: into and out of its session's list.  recordGiveSlot: puts
** the slot that a session keeps into the free list.  recordTextSlots: how many
** slots a key needs beside its record.
*/
void recordChainInsert(Seg*, u32 iRecord, u32 iBefore);
void recordListInsert(Seg*, u32 iRecord);
void recordListRemove(Seg*, u32 iRecord);
void recordGiveSlot(Seg*, SegSession*);
u32 recordTextSlots(u32 nKey);

#endif
