/* SPDX-License-Identifier: 0BSD */
/*
** lock.h: the lock manager as the layer above sees it: open the lock file of
** a database, begin a session for each connection, acquire and release locks.
**
** One thread uses a session at a time.  Different sessions are independent,
** also in one process.  Nothing here waits except lockAcquire and lockWait,
** beyond the second after which LOCK_BUSY says that a process is stopped inside
** the segment's mutex.  lockTxnEnd, lockRollbackTo, lockSessionEnd, lockUndo
** and giving up a wait cannot fail and do not wait for other processes.
*/
#ifndef INTERLOCK_LOCK_H
#define INTERLOCK_LOCK_H

#include "core/key.h"

typedef struct LockFile LockFile;
typedef struct LockSession LockSession;

/* How long a lock is kept. */
enum { LOCK_SCOPE_SESSION,      /* counted, until it is released */
       LOCK_SCOPE_TRANSACTION,  /* to the transaction's end or a roll back */
       LOCK_SCOPE_TURN };       /* to the transaction's end */

/* What blocked an attempt that was not granted: a session that holds the lock;
** else the active writer; else a session that waits for the lock ahead. */
enum { TROUBLE_HOLDS, TROUBLE_WAITS, TROUBLE_WRITES };
typedef struct LockTrouble {
  u64 iBlocker;                 /* id of the first blocking session, or 0 */
  u32 iPid;
  u32 eWhy;                     /* how that session blocks */
  u32 nCycle;                   /* LOCK_DEADLOCK: sessions of the cycle */
  u64 aCycle[16];               /* the first of them, the asking one first */
} LockTrouble;

/*
** How to wait.  xMayWait is called once, before the first sleep: 0 makes
** lockAcquire return LOCK_REFUSED.  xPoll is called about every 50 ms of a
** wait: any result but LOCK_OK ends the wait with that result.  Neither is
** called under the mutex; either may be 0.
*/
typedef struct LockWait {
  i64 msTimeout;                /* -1: without an end, 0: not at all */
  int (*xMayWait)(void*);
  LockRc (*xPoll)(void*);
  void *pArg;
} LockWait;

/*
** lockOpen: the lock file of database zDb, shared by all that open it in this
** process.  Without bCreate LOCK_NOFILE if there is none.  LOCK_LINKED if the
** database has a second name, which would have a second lock file.
** lockOpenLook: for lockSnapshot only; LOCK_NOFILE if there is none.  The right
** to read the file is enough.  lockLooked: the snapshot has been taken, and
** other processes may format the file again.
** lockOpenMemory: memory of this process in its stead, shared by all that give
** the same name; a zName of 0 is not shared.
** lockClose: every session on the file must have ended.
** lockRetain: one more lockClose must follow.
** lockMoved: LOCK_REPLACED if the name of the lock file, or of the database,
** leads elsewhere by now, LOCK_LINKED if the database has a second name.
** lockLimit: how many records the file can have.
*/
LockRc lockOpen(const LockMem*, const char *zDb, int bCreate, LockFile**);
LockRc lockOpenLook(const LockMem*, const char *zDb, LockFile**);
void lockLooked(LockFile*);
LockRc lockOpenMemory(const LockMem*, const char *zName, LockFile**);
LockFile *lockRetain(LockFile*);
void lockClose(LockFile*);
LockRc lockMoved(LockFile*);
u32 lockLimit(const LockFile*);

/* lockFormat: this build's format of the lock file.  lockFormatMet: that of the
** file for which a call of this thread returned LOCK_FORMAT last. */
LockFormat lockFormat(void);
LockFormat lockFormatMet(void);

/*
** lockSessionBegin: LOCK_FULL with 4,096 live sessions.  lockSessionEnd
** releases everything.  In a fork's child both leave the segment alone, and
** every other call returns LOCK_FORKED.
*/
LockRc lockSessionBegin(LockFile*, LockSession**);
void lockSessionEnd(LockSession*);
u64 lockSessionId(LockSession*);
void lockSessionLabel(LockSession*, const char *zLabel);
const LockTrouble *lockTrouble(LockSession*);

/*
** lockAcquire: with pWait 0 a try.  LOCK_OK, LOCK_NO (a try only),
** LOCK_REFUSED, LOCK_TIMEOUT, LOCK_CANCELLED, LOCK_DEADLOCK, what xPoll said,
** LOCK_BUSY, LOCK_FULL, LOCK_NOSPACE, LOCK_REPLACED, LOCK_MALFORMED.  After
** anything but LOCK_OK the lock is neither held through this call nor queued:
** xPoll is called once more after the grant of a request that had to wait, and
** if it ends the wait the lock is given back.
**
** The same in single steps: lockAsk with bQueue returns LOCK_WAITING once the
** request is queued.  Then lockOutcome returns how it stands and lockWait
** sleeps, until one of them returns something else, or lockGiveUp ends the wait
** and returns rc, or LOCK_CANCELLED if a cancel was faster, or, where rc is
** LOCK_TIMEOUT, LOCK_OK if the grant was faster.
**
** lockConfirm, after a grant: whether it stays.  With LOCK_OK and LOCK_TIMEOUT
** it stays, and the result is LOCK_OK.  Any other rc is an error that ends the
** wait: the lock is given back, and rc is returned.
*/
LockRc lockAcquire(LockSession*, const LockKey*, u32 eMode, u32 eScope,
                   const LockWait*);
LockRc lockAsk(LockSession*, const LockKey*, u32 eMode, u32 eScope, int bQueue);
LockRc lockOutcome(LockSession*);
LockRc lockWait(LockSession*, const LockWait*);
LockRc lockGiveUp(LockSession*, LockRc rc);
LockRc lockConfirm(LockSession*, LockRc rc);
/* The poll that lockWait does every 50 ms; tests call it by hand. */
void lockPoll(LockSession*);

/*
** A try for work queues.  LOCK_OK only if no session holds or waits for a
** conflicting mode and this one holds nothing of the key; else LOCK_NO.
** Otherwise as a try of lockAcquire, but no process is probed: some processes
** of blockers are remembered.  lockSkipProbe probes them and forgets them.  It
** returns 1 if one was dead and all of its locks are gone, so that what was
** skipped may be free now.
*/
LockRc lockSkip(LockSession*, const LockKey*, u32 eMode, u32 eScope);
int lockSkipProbe(LockSession*);

/*
** lockGranted: what lockAsk, lockOutcome, lockAcquire or lockSkip has granted
** last.  lockUndo gives that one hold back.  It cannot fail and does not wait.
** Of a transaction's holds, those made since are given back, too.
*/
typedef struct LockGrant {
  u32 iRecord;                  /* slot of the record, 0: nothing */
  u32 eScope;
  u32 iLevel;                   /* of the transaction before the grant */
} LockGrant;
LockGrant lockGranted(const LockSession*);
void lockUndo(LockSession*, const LockGrant*);

/*
** lockRelease: takes one from the session count of key and mode; LOCK_NO if
** that is 0.  lockReleaseRow: the same for a row and for the intention lock on
** its table: both or, after anything but LOCK_OK, neither.
** lockReleaseAll: drops all session counts on keys of the kinds in mKind (bits
** 1<<KEY_...) in the modes of mMode (MODE_BITs); *pn, if given, gets their sum.
** Locks of tables are released last: a row lock is never held without its
** table's.  An error between two portions leaves the rest held; a second call
** releases it.
** lockHolding: 1 if this session holds anything, in either scope, and also if
** LOCK_BUSY prevents the look.
*/
LockRc lockRelease(LockSession*, const LockKey*, u32 eMode);
LockRc lockReleaseRow(LockSession*, const LockKey *pRow, u32 eMode,
                      const LockKey *pTable, u32 eIntent);
LockRc lockReleaseAll(LockSession*, u32 mKind, u32 mMode, u64 *pn);
int lockHolding(LockSession*);

/*
** lockTxnEnd: the transaction has ended, either way.  lockLevel: the level for
** a savepoint that is opened now.  lockRollbackTo releases what has been
** acquired in transaction scope since that level was taken.
*/
void lockTxnEnd(LockSession*);
u32 lockLevel(LockSession*);
void lockRollbackTo(LockSession*, u32 iLevel);

/* End the wait of another session: LOCK_NO if it does not wait. */
LockRc lockCancel(LockFile*, u64 iSession);

/* lockToken: the token of the lock held on a key, the strongest mode's; 0 if
** none is held.  lockGrantToken: the same for the key that lockAcquire granted
** last, without another look: it cannot fail. */
LockRc lockToken(LockSession*, const LockKey*, u64 *piToken);
u64 lockGrantToken(const LockSession*);

/*
** Guarded tables.  lockWriterEnter: this session is the active writer from now
** to its transaction's end; new row and table locks of others wait for that.
** The caller must have SQLite's write lock, so there is one at a time.
** LOCK_REPLACED if the file's name leads elsewhere.  From the second time in a
** transaction on it only returns LOCK_OK.  A transaction whose end lockTxnEnd
** was not called for may be followed by another.  Then lockWriterEnter must be
** called again before the first write of that one is looked at, and does its
** work again if another session has been the active writer since.
** lockWriting: 1 from lockWriterEnter to lockTxnEnd.
** lockGuardFree, afterwards: 1 if certainly no other session has locked the
** table or a row of it; after 0 the caller must call lockGuard.  Enters no
** mutex.
** lockGuard: LOCK_NO if another session holds a lock on the table that a write
** of its rows conflicts with, or any lock on the key.  *ppHeld is that one of
** the two, and the session is in lockTrouble.  Either may be 0.
*/
LockRc lockWriterEnter(LockSession*);
int lockWriting(const LockSession*);
int lockGuardFree(LockSession*, const LockKey *pTable);
LockRc lockGuard(LockSession*, const LockKey *pTable, const LockKey *pKey,
                 const LockKey **ppHeld);

/*
** Wake-ups by name (leases): call lockEvent, look at the data, then
** lockEventWait for the value that lockEvent returned.  lockEventPost wakes
** every thread that waits.  A hint: other names may share the word.
*/
u32 lockEvent(LockFile*, const char *zName);
void lockEventWait(LockFile*, const char *zName, u32 iSeen, i64 ms);
void lockEventPost(LockFile*, const char *zName);

/*------------------------------------------------------------ inspection ---*/

typedef struct LockSessionRow {
  u64 iId, msStarted;
  u32 iPid;
  int eState;                   /* OS_RUNNING ...; OS_GONE if it is dead */
  u32 nLock;                    /* rows of it that are granted */
  u64 iWaitingFor;              /* id of the first blocker, 0: does not wait */
  char zLabel[LIMIT_LABEL+1];
} LockSessionRow;

typedef struct LockRow {
  u32 iSession;                 /* index into aSession */
  u32 eMode, eKind;
  u32 bGranted;                 /* 0: requested */
  u32 nCount;                   /* how often held in session scope */
  u32 bTransaction;             /* held or requested in transaction scope */
  u64 iToken, iTicket, msSince;
  const u8 *pKey;               /* nKey bytes, in the snapshot's memory */
  u32 nKey;
} LockRow;

typedef struct LockWaitRow {
  u64 iWaiter, iBlocker;        /* session ids */
  u32 iRow;                     /* the waiter's row */
  u32 bHard;                    /* the blocker holds it; else waits ahead */
} LockWaitRow;

typedef struct LockSnapshot {
  u32 nSession, nRow, nWait;
  LockSessionRow *aSession;
  LockRow *aRow;                /* sorted by key, then by ticket */
  u8 *aKey;
  LockWaitRow *aWait;           /* one row a pair of waiter and blocker */
  u64 aStat[STAT_COUNT];
  u64 nByte;                    /* length of the lock file */
} LockSnapshot;

/*
** A copy of everything, read without the mutex, so that it works while a
** process is stopped inside.  Each row is whole; two rows may be of different
** moments.  A session of a dead process is in aSession only: its locks and
** requests, which the next process that meets them removes, are left out.
** LOCK_NOMEM and LOCK_FORKED leave nothing to free.  In inspect.c.
*/
LockRc lockSnapshot(LockFile*, LockSnapshot*);
void lockSnapshotFree(LockFile*, LockSnapshot*);

/* The session that was inside the mutex last, for the message of LOCK_BUSY. */
void lockInside(LockFile*, LockTrouble*);

/* For tests: 1 while a request is queued or its outcome is not read; the slot
** of a session; the steps of the last check for cycles (graph.h); the check of
** everything under the mutex, 0 or a text. */
#ifdef INTERLOCK_TEST
int lockPending(LockSession*);
u32 lockSlot(LockSession*);
u64 lockGraphSteps(LockFile*);
const char *lockCheck(LockFile*);
#endif

#endif
