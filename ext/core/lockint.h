/* SPDX-License-Identifier: 0BSD */
/*
** lockint.h: what the files of the lock manager and its tests share, and no
** layer above sees: the memory of an open file and of a session, and the steps
** that several calls have in common.
**
** Three rules carry everything here.
**
** A session gives something up by one store of a word of its own, without the
** mutex if necessary.  The clean-up is done by whichever process next owns the
** mutex (lockTidy).
**
** A session that has left something behind must remove it before it makes
** anything new (lockEnterSettled).
**
** A process must not test under the mutex whether another is alive.  It notes
** process numbers under the mutex and probes them after it has left.  This is
** safe because a dead process never comes back.
*/
#ifndef INTERLOCK_LOCKINT_H
#define INTERLOCK_LOCKINT_H

#include "core/graph.h"
#include "core/lock.h"
#include "core/sessions.h"

#define SWEEP_MAX LOCK_UNDO_MAX    /* records freed before others may enter */
#define US_TIDY   2000             /* patience of an end with the mutex */
#define US_POLL   50000            /* between two polls of a wait */
#ifndef US_RARE                    /* lkbell is built without polls */
# define US_RARE  1000000          /* the same where bells tell of deaths */
#endif
#define PROBES    32               /* processes probed at a time */

/* An open lock file.  The fields marked M belong to the owner of the mutex, the
** fields marked P to the thread in osProcessEnter, those marked A to any thread
** by atomic operations.  The others do not change
** while the file is open. */
struct LockFile {
  Seg seg;                         /* the mapped segment */
  Graph *pGraph;                   /* M workspace of the search for cycles */
  u32 *aQueue;                     /* M workspace: LIMIT_SESSION records */
  LockMem mem;                     /* where memory comes from */
  LockFile *pNext;                 /* P next in the list of open files */
  char *zPath;                     /* lock file, or name of private memory */
  char *zDb;                       /* the database's name, or 0 */
  u32 nRef;                        /* P lockClose calls still to come */
  u32 bForked;                     /* 1: the copy of a fork's child */
  u32 bDb;                         /* 1: zDb was a file when it was opened */
  OsBell *pBell;                   /* P this process's bell, or 0 */
  u32 nWaiting;                    /* A threads that wait */
  u32 iPid;                        /* this process's id, for display */
  u64 iPidSpace;                   /* its pid namespace, for display */
};

/* Process numbers that are noted to be probed. */
typedef struct Probes {
  u32 n;
  u64 a[PROBES];
} Probes;

/* The processes whose deaths concern a request that waits. */
typedef struct Concern {
  Probes list;
  u32 nSkip;                       /* those that the next list passes over */
  u32 bWhole;                      /* 1: the list has all of them */
  u32 bDeaf;                       /* 1: bells do not tell this wait enough */
  u32 iAhead, iAheadState;         /* request ahead that stands for the rest */
} Concern;
/* A request that is watched: watch.c. */
typedef struct Watched Watched;

/* A session in this process.  One thread uses it at a time. */
struct LockSession {
  LockFile *pFile;
  u64 iDevDb, iInoDb;              /* the database's file; 0: there was none */
  u32 k, iGen;                     /* its slot, and the slot's generation */
  u32 iTxn, iStamp;                /* this transaction, last stamp in it */
  u32 iRollback;                   /* rollback level, as in the slot's now */
  u32 bPend;                       /* 1: it must settle before it acts */
  u32 bTxn;                        /* 1: lockTxnEnd has something to end */
  u32 iWriterTxn;                  /* in which it is the active writer, or 0 */
  u32 iRequest, iState;            /* queued record, its state when queued */
  u32 eMode;                       /* mode of the request */
  Concern concern;                 /* whose deaths concern the request */
  Probes probes;                   /* processes of this attempt's blockers */
  Probes skipped;                  /* processes of lockSkip's blockers */
  LockKey key;                     /* key of the request */
  LockGrant grant;                 /* last grant, or the queued request */
  LockGrant request;               /* the queued request */
  u32 iKept;                       /* record that it keeps, or 0 */
  u64 iRequestStronger;            /* as iStronger, of the queued request */
  u64 usPoll;                      /* when lockStands polls again */
  u64 msInsert;                    /* wall clock of its last record, ms */
  u64 msMoved;                     /* the same when lockStay last looked */
  Watched *pWatched;               /* its entry in a watch, or 0 */
  u32 nBack, aBack[2];             /* records that lockUndo has invalidated */
  u32 bBack;                       /* 1: it has invalidated more than these */
  u64 iStronger;                   /* token of a stronger mode held, or 0 */
  u64 iToken;                      /* what lockGrantToken returns */
  LockTrouble trouble;             /* what lockTrouble returns */
};

/* A request, and what the look at the queue of its key has found. */
typedef struct LockLook {
  const LockKey *pKey;
  u32 eMode, eScope;
  int bQueue;              /* 1: the request may be queued */
  u32 iOwn;                /* record: own grant of that mode, or 0 */
  u32 iStrong;             /* record: own grant of a stronger mode, or 0 */
  u32 mOwn;                /* modes that this session holds */
  u32 mHeld;               /* modes that other sessions hold; of a semaphore
                           ** only if they hold all permits */
  u32 nHeld;               /* number of these grants */
  u32 mAhead;              /* modes that other sessions request */
  u32 iPlace;              /* first request that conflicts with mOwn, or 0 */
  u32 mBefore;             /* modes that are requested ahead of iPlace */
} LockLook;

/* lockSegment: the mapped segment.  lockMemory: its memory functions.
** lockForked: 1 in a fork's child.  lockHoldBell: this thread holds the
** process's bell from now on, if no other thread does.  lockOwnSlot: the slot
** of a session. */
Seg *lockSegment(LockFile*);
const LockMem *lockMemory(LockFile*);
int lockForked(LockFile*);
void lockHoldBell(LockFile*);
static inline SegSession *lockOwnSlot(LockSession *p){
  return segSession(&p->pFile->seg, p->k);
}

/*
** enter.c.  lockUsable: LOCK_OK, LOCK_FORKED, or LOCK_MALFORMED after damage.
** lockDamage: makes every process stop using the file.
** lockEnter: enters the mutex.  lockEntered: completes an entry; eHow is the
** result of mutexEnter, mutexTry or mutexTask.  lockEnterSettled: enters for a
** session, which settles first.  After any result but LOCK_OK the caller does
** not own the mutex.
** lockLeave: leaves, after the sweeps that other sessions have requested.
** LOCK_MALFORMED if nonsense was met inside.  The caller does not own the mutex
** after it.
** lockTidy: the session has stored the word that gives something up; this does
** the rest, and cannot fail.
** lockRecover: the caller took the mutex from a dead process; this rebuilds.
*/
LockRc lockUsable(LockFile*);
void lockDamage(LockFile*);
LockRc lockEnter(LockFile*);
LockRc lockEntered(LockFile*, int eHow);
LockRc lockEnterSettled(LockSession*);
LockRc lockLeave(LockFile*);
void lockTidy(LockSession*);
void lockRecover(LockFile*);

/*
** probe.c.  lockNote, lockNoteIn: note the process of session slot k; under the
** mutex.  The others must be called without it.
** lockNoteFirst: notes it in front of the others.
** lockProbe: probes the processes that were noted.  PROBE_FIRST: up to the
** first that is alive.  lockProbeAll: probes the owners of all sessions.  Both
** return 1 if one was dead, so that another attempt may succeed.
** lockReap: removes everything of a dead process, and returns the number of
** sessions that it ended.
*/
void lockNoteIn(LockSession*, Probes*, u32 k);
void lockNote(LockSession*, u32 k);
void lockNoteFirst(LockSession*, u32 k);
enum { PROBE_EACH, PROBE_FIRST };
int lockProbe(LockSession*, int eHow, u32 *pnRound);
int lockProbeAll(LockFile*);
u32 lockReap(LockFile*, u64 iNumber);

/*
** acquire.c, under the mutex.  lockLook: looks through the queue of a key.
** lockHoldAgain: raises a hold that the session has.  lockInsert: makes the
** record of a grant or a request; returns 0 if no slot is free.
** lockNoteBlockers: notes the first blocker ahead of record iEnd for the
** message, and with iEnd 0 all of them to be probed.  lockNoteGrant: notes the
** token of a grant.  lockMoreRoom, without the mutex: LOCK_OK if the caller
** should try again.
*/
void lockLook(LockSession*, LockLook*);
void lockHoldAgain(LockSession*, const LockLook*);
u32 lockInsert(LockSession*, const LockLook*, int bWaiting);
void lockNoteBlockers(LockSession*, const LockLook*, u32 iEnd);
void lockNoteGrant(LockSession*, u32 iRecord);
LockRc lockMoreRoom(LockFile*, u32 *pnGrown);

/*
** hear.c.  lockNoteConcern, under the mutex: finds the processes whose deaths
** concern this session's request.  lockConcernTime: how long that may be taken
** to be so, in us: 0 if others concern it meanwhile.
** lockHear: finds the words to sleep on: the request's and the bells'.
** lockAsleep: sleeps on them.
*/
typedef struct Hear {
  u32 n;                           /* words */
  u32 bTold;                       /* 1: every death that matters will wake */
  u64 iRung;                       /* process whose bell has rung, or 0 */
  u32 *apWord[PROBES+1];
  u32 aValue[PROBES+1];
} Hear;
void lockNoteConcern(LockSession*);
u64 lockConcernTime(LockSession*);
void lockHear(LockSession*, Hear*);
int lockAsleep(LockSession*, Hear*, i64 us);
/* watch.c: the request of a session is not watched any more. */
void lockUnwatch(LockSession*);

/* acquire.c.  lockStay: after a grant: LOCK_OK, or LOCK_REPLACED, LOCK_MOVED or
** LOCK_LINKED, and the grant was given back.  It looks once a second. */
LockRc lockStay(LockSession*);

/* wait.c.  LOCK_OK if the caller's xPoll lets the wait go on. */
LockRc lockAskCaller(const LockWait*);

#endif
