/* SPDX-License-Identifier: 0BSD */
/*
** lock.h: the lock manager as the layer above sees it: open the lock file of
** a database, begin a session for each connection, acquire and release locks.
**
** One thread at a time may use a session.  Different sessions are independent,
** even in one process.  lockAcquire and lockWait wait for locks.  Every other
** function returns LOCK_BUSY after one second if a process is stopped inside
** the segment's mutex or while it formats the file.  lockTxnEnd,
** lockRollbackTo, lockSessionEnd, lockUndo and giving up a wait cannot fail
** and do not wait for other processes.
*/
#ifndef INTERLOCK_LOCK_H
#define INTERLOCK_LOCK_H

#include "core/key.h"

typedef struct LockFile LockFile;
typedef struct LockSession LockSession;

/* How long a session holds a lock. */
enum { LOCK_SCOPE_SESSION,      /* counted, until it is released */
       LOCK_SCOPE_TRANSACTION,  /* to the transaction's end or a rollback */
       LOCK_SCOPE_TURN };       /* to the transaction's end */

/* What blocked an attempt that was not granted: a session that holds the lock,
** or else the active writer, or else a session that waits for the lock
** ahead. */
enum { TROUBLE_HOLDS, TROUBLE_WAITS, TROUBLE_WRITES };
typedef struct LockTrouble {
  u64 iBlocker;                 /* id of the first blocking session, or 0 */
  u32 iPid;                     /* process id of that session */
  u32 eWhy;                     /* TROUBLE_HOLDS ... */
  u32 nCycle;                   /* LOCK_DEADLOCK: sessions of the cycle */
  u64 aCycle[16];               /* their ids, the asking session's first */
} LockTrouble;

/*
** How to wait.  lockAcquire calls xMayWait once, before the first sleep, and
** returns LOCK_REFUSED if xMayWait returns 0.  A waiting session calls xPoll
** every 50 to 100 ms, or every second if many threads of its process wait, and
** when a signal ends its sleep.  (If the signal's handler has SA_RESTART, the
** kernel goes on with a sleep that listens for deaths.)  Any result of xPoll
** but LOCK_OK ends the wait, which then returns that result.  Neither is called
** under the mutex.  Either may be 0.
*/
typedef struct LockWait {
  i64 msTimeout;                /* -1: wait without limit, 0: do not wait */
  int (*xMayWait)(void*);
  LockRc (*xPoll)(void*);
  void *pArg;                   /* argument of both */
} LockWait;

/* What the name of a lock file has after that of its database. */
#define LOCK_SUFFIX "-interlock"

/*
** lockOpen: opens the lock file of database zDb.  All callers in this process
** share one LockFile.  Without bCreate it returns LOCK_NOFILE if there is no
** lock file, or one that must be formatted.  LOCK_LINKED: the database has a
** second name, which would have a second lock file.
** lockOpenLook: opens it for lockSnapshot only.  The right to read the file is
** enough.  Returns LOCK_NOFILE as lockOpen without bCreate.
** lockLooked: the caller has taken the snapshot; other processes may format the
** file again.
** lockOpenMemory: private memory of this process in place of a file.  All
** callers that give the same name share it; a zName of 0 is not shared.
** lockRef: one more reference; one more lockClose must follow.
** lockClose: gives a reference back.  Every session on the file must have ended
** before the last one.
** lockLimit: how many records the file can have.
*/
LockRc lockOpen(const LockMem*, const char *zDb, int bCreate, LockFile**);
LockRc lockOpenLook(const LockMem*, const char *zDb, LockFile**);
void lockLooked(LockFile*);
LockRc lockOpenMemory(const LockMem*, const char *zName, LockFile**);
LockFile *lockRef(LockFile*);
void lockClose(LockFile*);
u32 lockLimit(const LockFile*);

/* lockFormat: this build's format of the lock file.  lockFormatMet: the format
** of the file for which a call of this thread last returned LOCK_FORMAT. */
LockFormat lockFormat(void);
LockFormat lockFormatMet(void);

/*
** lockSessionBegin: begins a session.  LOCK_NOSESSION: 4,096 sessions are live.
** lockSessionEnd: releases everything and frees the session.
** lockSessionId: its id.  lockSessionLabel: stores what inspection shows of it.
** lockMoved: LOCK_MOVED if the name of the database leads to another file than
** when the session began, or to none; LOCK_REPLACED the same of the lock file;
** LOCK_LINKED if the database has a second name.
** lockTrouble: what blocked the last attempt.
** In a fork's child the first two leave the segment alone, and every other call
** returns LOCK_FORKED.
*/
LockRc lockSessionBegin(LockFile*, LockSession**);
void lockSessionEnd(LockSession*);
u64 lockSessionId(LockSession*);
void lockSessionLabel(LockSession*, const char *zLabel);
LockRc lockMoved(LockSession*);
const LockTrouble *lockTrouble(LockSession*);

/*
** lockAcquire: acquires a lock; with pWait 0 it is a try.  Returns LOCK_OK,
** LOCK_NO (a try only), LOCK_REFUSED, LOCK_TIMEOUT, LOCK_CANCELLED,
** LOCK_DEADLOCK, LOCK_PENDING, the result of xPoll, LOCK_BUSY, LOCK_FULL,
** LOCK_NOSTAMP, LOCK_NOSPACE, LOCK_REPLACED, LOCK_MALFORMED.  After any result
** but LOCK_OK this call holds no lock and has no request in the queue.  After
** the grant of a request that had to wait it calls xPoll once more; if xPoll
** ends the wait the lock is given back.
**
** The same in single steps: with bQueue lockAsk returns LOCK_WAITING once the
** request is queued.  The caller must then call lockOutcome, which returns how
** the request stands, or lockWait, which sleeps, until one of them returns
** another result.  Or it calls lockGiveUp, which ends the wait and returns rc.
** lockGiveUp returns LOCK_CANCELLED if a cancel was faster, and LOCK_OK if rc
** is LOCK_TIMEOUT and the grant was faster.
**
** lockConfirm: decides after a grant whether the grant stays.  With LOCK_OK and
** LOCK_TIMEOUT it stays, and lockConfirm returns LOCK_OK.  Any other rc is an
** error that ends the wait: lockConfirm gives the lock back and returns rc.
*/
LockRc lockAcquire(LockSession*, const LockKey*, u32 eMode, u32 eScope,
                   const LockWait*);
LockRc lockAsk(LockSession*, const LockKey*, u32 eMode, u32 eScope, int bQueue);
LockRc lockOutcome(LockSession*);
LockRc lockWait(LockSession*, const LockWait*);
LockRc lockGiveUp(LockSession*, LockRc rc);
LockRc lockConfirm(LockSession*, LockRc rc);
/* The poll that lockWait makes at times.  Tests call it by hand. */
void lockPoll(LockSession*);

/* A grant, or a queued request: lockGranted, lockUndo. */
typedef struct LockGrant {
  u32 iRecord;                  /* slot of the record, 0: no grant */
  u32 eScope;                   /* LOCK_SCOPE_SESSION ... */
  u32 iLevel;                   /* lockLevel before the grant */
} LockGrant;

/*
** A request without a wait, in session scope.
**
** lockRequest: as lockAcquire, but where that sleeps it returns LOCK_WAITING:
** the request is queued and keeps its position, while the session does other
** things.  pWait->xPoll is not called.  lockStands: how the request stands:
** LOCK_WAITING, or LOCK_OK, by which the grant is taken, or why the request is
** gone.  lockGiveUp withdraws the request, and gives back a grant that was not
** taken, unless rc is LOCK_TIMEOUT.
**
** A session has at most one request.  Until it is taken or withdrawn, any call
** that would queue returns LOCK_PENDING, and releases leave the request alone,
** also when it is granted already.  lockPending: 1 until then.
** lockRequestKeeps: until then they leave this grant alone, too.
*/
LockRc lockRequest(LockSession*, const LockKey*, u32 eMode, const LockWait*);
LockRc lockStands(LockSession*);
int lockPending(const LockSession*);
void lockRequestKeeps(LockSession*, const LockGrant*);

/*
** lockSkip: a try for work queues.  LOCK_OK only if no session holds or waits
** for a conflicting mode, and this session holds nothing on the key.  Otherwise
** LOCK_NO.  It probes no process, but notes some processes of blockers.
** lockSkipProbe: probes the processes that were noted, and clears the notes.
** Returns 1 if one was dead and all of its locks are gone, so that a lock which
** was skipped may be free now.
*/
LockRc lockSkip(LockSession*, const LockKey*, u32 eMode, u32 eScope);
int lockSkipProbe(LockSession*);

/*
** lockGranted: the last grant of lockAsk, lockOutcome, lockAcquire or lockSkip.
** lockUndo: gives that one hold back.  It cannot fail and does not wait.  With
** a transaction hold it also gives back the transaction holds made since.  If
** more than LOCK_UNDO_MAX session holds go back before the session's next call,
** the records of the others stay until another session meets them or this one
** ends.
*/
#define LOCK_UNDO_MAX 2048
LockGrant lockGranted(const LockSession*);
void lockUndo(LockSession*, const LockGrant*);

/*
** lockRelease: lowers the session count of key and mode by one.  LOCK_NO: the
** count is 0.
** lockReleaseRow: the same for a row and for the intention lock on its table.
** After LOCK_OK both were released, after any other result neither.
** lockReleaseAll: sets to 0 all session counts on keys of the kinds in mKind
** (bits 1<<KEY_...) in the modes of mMode (MODE_BITs).  *pn, if given, receives
** their sum.  Locks of tables are released last, since a session must not hold
** a row lock without its table's intention lock.  After an error between two
** portions the rest is still held, and a second call releases it.
** lockHolding: 1 if this session holds a lock in either scope, and also if
** LOCK_BUSY prevents the look.
*/
LockRc lockRelease(LockSession*, const LockKey*, u32 eMode);
LockRc lockReleaseRow(LockSession*, const LockKey *pRow, u32 eMode,
                      const LockKey *pTable, u32 eIntent);
LockRc lockReleaseAll(LockSession*, u32 mKind, u32 mMode, u64 *pn);
int lockHolding(LockSession*);

/*
** lockTxnEnd: the caller's transaction has ended, by COMMIT or in a way that
** the caller does not know.  lockTxnRollback: it was rolled back, and nothing
** that lockNotify has noted in it is sent.
** lockLevel: the level of a savepoint that the caller opens now.
** lockRollbackTo: releases what the session has acquired in transaction scope
** since that level was read.
*/
void lockTxnEnd(LockSession*);
void lockTxnRollback(LockSession*);
u32 lockLevel(LockSession*);
void lockRollbackTo(LockSession*, u32 iLevel);

/* Ends the wait of another session.  LOCK_NO: that session does not wait. */
LockRc lockCancel(LockFile*, u64 iSession);

/* lockToken: the fencing token of the lock that this session holds on a key, of
** the strongest mode; 0 if it holds none.  lockGrantToken: the same for the key
** that lockAcquire granted last, without another look.  It cannot fail.
** lockTxnHolds: whether this session holds the key in this mode or a stronger
** one, in transaction scope. */
LockRc lockToken(LockSession*, const LockKey*, u64 *piToken);
LockRc lockTxnHolds(LockSession*, const LockKey*, u32 eMode, int *pbHolds);
u64 lockGrantToken(const LockSession*);

/*
** Guarded tables.
**
** lockWriterEnter: makes this session the active writer until its transaction
** ends.  New row and table locks of other sessions wait for that end.  The
** caller must have SQLite's write lock, so there is one active writer at a
** time.  LOCK_REPLACED: the name of the file leads to another file.  A second
** call in a transaction returns LOCK_OK and does nothing.  If a transaction has
** ended and the caller could not call lockTxnEnd, it must call lockWriterEnter
** again before it looks at the first write of the next transaction.  That call
** does its work again if another session has been the active writer since.
** lockWriting: 1 from lockWriterEnter to lockTxnEnd.
** lockGuardFree: 1 if certainly no other session has locked the table or a row
** of it.  After 0 the caller must call lockGuard.  The session must be the
** active writer.  Enters no mutex.
** lockGuard: LOCK_NO if another session holds a lock on the table that
** conflicts with a write of its rows, or any lock on the key.  *ppHeld is then
** the one of the two that is locked, and lockTrouble has the session.  Either
** key may be 0.
*/
LockRc lockWriterEnter(LockSession*);
int lockWriting(const LockSession*);
int lockGuardFree(LockSession*, const LockKey *pTable);
LockRc lockGuard(LockSession*, const LockKey *pTable, const LockKey *pKey,
                 const LockKey **ppHeld);

/*
** Wake-ups by name, for leases.  A caller must call lockEvent, then look at the
** data, then call lockEventWait with the value that lockEvent returned.
** lockEventPost wakes every thread that waits for the name.  A wake-up is a
** hint: other names may share the word.
*/
u32 lockEvent(LockFile*, const char *zName);
void lockEventWait(LockFile*, const char *zName, u32 iSeen, i64 ms);
void lockEventPost(LockFile*, const char *zName);

/*
** Channels.  A session that listens on a channel has a number, which rises with
** each notification of the channel; it is drawn as tokens are.  A channel is a
** name: the bytes of a key of kind KEY_LISTEN or KEY_NOTIFY.
**
** lockListen: the session listens from now on, until lockRelease(LOCK_SHARED)
** of that key or its end.  *piRecord is for lockListenWait.  Called again it
** changes nothing.
** lockListenWait: returns LOCK_OK with the number in *piNumber as soon as it
** differs from iSeen, or what lockAcquire returns for a wait that ends.  With
** pWait 0 it returns the number at once.
** lockNotify: notes a notification that the end of the transaction sends.  The
** caller must call it before its data is committed: if the process dies after
** that, the next process that meets the note sends it.  lockNotifyNow: sends it
** at once.  LOCK_FULL: no room for the note.
*/
LockRc lockListen(LockSession*, const LockKey*, u32 *piRecord);
LockRc lockListenWait(LockSession*, const LockKey*, u32 iRecord, u64 iSeen,
                      const LockWait*, u64 *piNumber);
LockRc lockNotify(LockSession*, const LockKey*);
LockRc lockNotifyNow(LockSession*, const LockKey*);

/*------------------------------------------------------------ inspection ---*/

typedef struct LockSessionRow {
  u64 iId, msStarted;           /* id; wall clock at its begin */
  u32 iPid;                     /* process id */
  int eState;                   /* OS_RUNNING ...; OS_GONE if it is dead */
  u32 nLock;                    /* granted rows of it in aRow */
  u64 iWaitingFor;              /* id of its first blocker, 0: none */
  char zLabel[LIMIT_LABEL+1];
} LockSessionRow;

typedef struct LockRow {
  u32 iSession;                 /* index into aSession */
  u32 eMode, eKind;             /* LOCK_SHARED ..., KEY_TEXT ... */
  u32 bGranted;                 /* 1: granted, 0: requested */
  u32 nCount;                   /* how often held in session scope */
  u32 nPermit;                  /* of a semaphore: the permits it has named */
  u32 bTransaction;             /* 1: in transaction scope */
  u64 iToken, iTicket, msSince;
  u64 iRow;                     /* tells the lock from all others of the file,
                                ** in every snapshot; less than 2^53 */
  const u8 *pKey;               /* nKey bytes, in the snapshot's memory */
  u32 nKey;
} LockRow;

typedef struct LockWaitRow {
  u64 iWaiter, iBlocker;        /* session ids */
  u32 iRow;                     /* the waiter's row */
  u32 bHard;                    /* 1: the blocker holds; 0: waits ahead */
} LockWaitRow;

typedef struct LockSnapshot {
  u32 nSession, nRow, nWait;
  LockSessionRow *aSession;
  LockRow *aRow;                /* sorted by key, then by ticket, if keys are
                                ** wanted */
  u8 *aKey;
  LockWaitRow *aWait;           /* one row a pair of waiter and blocker */
  u64 aStat[STAT_COUNT];
  u64 nByte;                    /* bytes of the lock file in use: segBytes */
} LockSnapshot;

/*
** Which part of the file a snapshot is to have.  Sessions and statistics are
** always there.  A filter is a hint: the snapshot has every lock that matches,
** and may have others.  The counts of locks are those of the snapshot.
*/
enum { SNAPSHOT_LOCKS = 1,      /* aRow */
       SNAPSHOT_KEYS = 2,       /* its keys, and its order */
       SNAPSHOT_WAITS = 4,      /* aWait; needs the other two, of all locks */
       SNAPSHOT_ALL = 7 };
typedef struct LockFilter {
  u32 mPart;                    /* SNAPSHOT_LOCKS ... */
  u64 iSession;                 /* locks of this session; 0: of all */
  u32 mKind;                    /* locks on keys of these kinds (1<<KEY_...) */
  u32 mHash;                    /* of these kinds only keys with aHash[kind] */
  u32 aHash[KEY_KINDS];
  int (*xKey)(void*, u32 eKind, const u8 *pKey, u32 nKey);
                                /* whether a key of another kind matches; 0:
                                ** all do.  Needs SNAPSHOT_KEYS */
  void *pArg;                   /* its first argument */
} LockFilter;

/*
** lockSnapshot: copies all sessions, locks and waits, or with a filter some of
** them.  It reads without the mutex, so it works while a process is stopped
** inside.  Each row is whole.  Two rows may be of different moments.  A session
** of a dead process is shown, in state OS_GONE, until a process sweeps it.  Its
** records are not shown.
** After LOCK_NOMEM and LOCK_FORKED there is nothing to free.
** lockSnapshotFree: frees what lockSnapshot has allocated.
*/
LockRc lockSnapshot(LockFile*, LockSnapshot*);
LockRc lockSnapshotSome(LockFile*, const LockFilter*, LockSnapshot*);
void lockSnapshotFree(LockFile*, LockSnapshot*);

/* lockInside: the session that entered the mutex last, for the message of
** LOCK_BUSY. */
void lockInside(LockFile*, LockTrouble*);

/* For tests.  lockSlot: the slot of a session.  lockGraphSteps: the steps of
** the last check for cycles (graph.h).  lockCheck: checkSegment and
** checkGrants. */
#ifdef INTERLOCK_TEST
u32 lockSlot(LockSession*);
u64 lockGraphSteps(LockFile*);
const char *lockCheck(LockFile*);
#endif

#endif
