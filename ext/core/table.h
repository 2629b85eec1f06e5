/* SPDX-License-Identifier: 0BSD */
/*
** table.h: records, queues and sessions in the segment: grants, requests, and
** which modes conflict.  The caller of every function here owns the segment's
** mutex.  Nothing here tests whether a process is alive.
*/
#ifndef INTERLOCK_TABLE_H
#define INTERLOCK_TABLE_H

#include "core/segment.h"

/* Modes, weakest first; stored in the file. */
enum { LOCK_INTENT_SHARED = 1, LOCK_INTENT_EXCLUSIVE, LOCK_SHARED,
       LOCK_SHARED_INTENT, LOCK_EXCLUSIVE };
#define LOCK_MODES 6
#define MODE_BIT(e) (1u<<(e))

/* Kinds of keys: disjoint name spaces; stored in the file. */
enum { KEY_INTEGER = 1,  /* 8 bytes */
       KEY_PAIR,         /* two times 4 bytes */
       KEY_TEXT, KEY_BLOB,
       KEY_NAME,         /* MySQL's get_lock names */
       KEY_ROW,          /* table's name, 0, the row's key */
       KEY_TABLE,        /* table's name */
       KEY_TURN,         /* the queue for SQLite's write lock; no bytes */
       KEY_KINDS };

/* A key in this process.  Bytes after nKey up to the next word are 0. */
typedef struct LockKey {
  u32 a[64];
  u32 iHash;
  u8 eKind, nKey;
} LockKey;

/* Fields of a record's `what`.  REC_BIT is its mode's MODE_BIT; for a mode that
** this code cannot have stored it is a bit without a meaning. */
#define REC_MODE(r) ((r)->what & 0xFF)
#define REC_BIT(r)  ((u32)(((u64)1<<((r)->what & 63)) & SEG_ALL))
#define REC_KIND(r) (((r)->what>>8) & 0x1F)
#define REC_NKEY(r) (((r)->what>>16) & 0xFF)

/*
** tableKey: makes a key; LOCK_MISUSE if it is too long.  tableKeyOf: the key
** of a record.  tableConflicts: the modes that conflict with a mode, as a
** mask of MODE_BITs.
*/
LockRc tableKey(LockKey*, int eKind, const void *pKey, u32 nKey);
void tableKeyOf(Seg*, SegRecord*, LockKey*);
u32 tableConflicts(u32 eMode);

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

/* The active writer: it blocks new row and table locks of other sessions until
** its transaction ends.  tableWriterEnter makes a session the active writer. */
void tableWriterEnter(Seg*, u32 iSession);
int tableWriterBlocks(Seg*, u32 eKind, u32 iSession);

/* After the death of a mutex owner: compute everything derived again, from the
** records.  Grants nothing: tableScanAll does. */
void tableRebuild(Seg*, u64 iDeadNumber);
void tableScanAll(Seg*);

/* Looks for a request that could be granted, for two conflicting grants and for
** a guard word that counts wrongly.  0, or a text.  For debug and tests. */
#ifdef INTERLOCK_TEST
const char *tableCheck(Seg*);
#endif

#endif
