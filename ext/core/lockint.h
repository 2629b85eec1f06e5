/* SPDX-License-Identifier: 0BSD */
/*
** lockint.h: what the files of the lock manager and its tests share, and no
** layer above sees: the memory of an open file and of a session, and the steps
** that several calls have in common.
**
** Three rules carry everything here.  A session gives something up by one store
** of a word of its own, outside the mutex if necessary; the clean-up is done by
** whichever process next has the mutex (tidy).  A session that has left
** something behind removes it before it makes anything new (settle).  Liveness
** is never tested while the mutex is held: process numbers are collected under
** it and probed after it is released, which is safe because dead is final.
*/
#ifndef INTERLOCK_LOCKINT_H
#define INTERLOCK_LOCKINT_H

#include "core/graph.h"
#include "core/lock.h"
#include "core/sessions.h"

#define SWEEP_MAX 2048             /* records freed before others may enter */
#define US_TIDY   2000             /* patience of an end with the mutex */
#define PROBES    32               /* processes probed at a time */

struct LockFile {
  Seg seg;                         /* its process-side fields: mutex holder */
  Graph *pGraph;                   /* mutex holder */
  u32 *aQueue;                     /* LIMIT_SESSION records, mutex holder */
  LockMem mem;
  LockFile *pNext;                 /* the process's list: osProcessEnter */
  char *zPath;                     /* 0: private memory without a name */
  char *zDb;                       /* the database, behind zPath; or 0 */
  u32 nRef;                        /* osProcessEnter */
  u32 bForked;                     /* this is the child's copy */
  u32 iPid;
  u64 iPidSpace;
};

/* Process numbers to probe. */
typedef struct Probes {
  u32 n;
  u64 a[PROBES];
} Probes;

struct LockSession {
  LockFile *pFile;
  u32 k;                           /* slot, of generation iGen */
  u32 iGen;
  u32 iTxn, iStamp;                /* this transaction, last stamp in it */
  u32 iKeep;                       /* rollback level, as in the slot's now */
  u32 bPend;                       /* something is left to settle */
  u32 bTxn;                        /* this transaction has locks */
  u32 iWriterTxn;                  /* in which it is the active writer */
  u32 iRequest, iState;            /* queued record, its state when queued */
  u32 eMode;                       /* mode of the request */
  u32 iProbe;                      /* where the next poll goes on probing */
  Probes probes;                   /* of the blockers of this attempt */
  Probes skipped;                  /* of the blockers of lockSkip */
  LockKey key;                     /* of the request */
  LockGrant grant;                 /* as lockGranted; of the request, too */
  u32 nBack, aBack[2];             /* records that lockUndo has invalidated */
  u32 bBack;                       /* it has invalidated more than these */
  u64 iStronger;                   /* token of a stronger mode held, or 0 */
  u64 iToken;                      /* as lockGrantToken */
  LockTrouble trouble;
};

/* A request, and what the look at the queue of its key has found. */
typedef struct LockLook {
  const LockKey *pKey;
  u32 eMode, eScope;
  int bQueue;
  u32 iOwn;                /* own grant of that mode */
  u32 iStrong;             /* own grant of the strongest mode above it */
  u32 mOwn;                /* modes held by this session */
  u32 mHeld;               /* modes held by others */
  u32 mAhead;              /* modes requested by others */
  u32 iPlace;              /* first request that conflicts with mOwn */
  u32 mBefore;             /* modes requested ahead of iPlace */
} LockLook;

/* The segment, its memory functions, whether it is a fork's child's. */
Seg *lockSegment(LockFile*);
const LockMem *lockMemory(LockFile*);
int lockForked(LockFile*);

static inline SegSession *lockOwnSlot(LockSession *p){
  return segSession(&p->pFile->seg, p->k);
}

/* enter.c */
void lockRecover(LockFile*);
LockRc lockUsable(LockFile*);
void lockDamage(LockFile*);
LockRc lockEntered(LockFile*, int eHow);
LockRc lockEnter(LockFile*);
LockRc lockEnterSettled(LockSession*);
LockRc lockLeave(LockFile*);
void lockTidy(LockSession*);

/* probe.c */
u32 lockReap(LockFile*, u64 iNumber);
void lockNoteIn(LockSession*, Probes*, u32 k);
void lockNote(LockSession*, u32 k);
int lockProbe(LockSession*, u32 *pnRound);
int lockProbeAll(LockFile*);

/* acquire.c */
void lockLook(LockSession*, LockLook*);
void lockHoldAgain(LockSession*, const LockLook*);
void lockNoteBlockers(LockSession*, const LockLook*, u32 iEnd);
u32 lockInsert(LockSession*, const LockLook*, int bWaiting);
void lockNoteGrant(LockSession*, u32 iRecord);
LockRc lockMoreRoom(LockFile*, u32 *pnGrown);

/* wait.c */
LockRc lockAskCaller(const LockWait*);

#endif
