/* SPDX-License-Identifier: 0BSD */
/*
** channel.c: listening on a channel and notifying it: Channels of
** ext/core/README.md.
**
** A session that listens has a record of kind KEY_LISTEN in session scope.  Its
** token is the number of the last notification.  A notification that waits for
** the end of a transaction, a note, is a record of kind KEY_NOTIFY in
** transaction scope.  No two of these conflict, so none of them waits.  The
** removal of a note sends it (sendNote in records.c), whichever process removes
** it.
*/
#include "core/lockint.h"
#include "core/mutex.h"

#ifndef US_LISTEN                  /* lkbell is built without polls */
# define US_LISTEN      50000      /* between two polls of a listener */
# define US_LISTEN_MANY 1000000    /* the same if many threads wait */
#endif
#define LISTEN_MANY     10         /* so many */
#define US_LISTEN_AGAIN 10000      /* between two polls that signals cause */

/* This session's record on a channel, or 0. */
static u32 ownListen(LockSession *p, const LockKey *pKey){
  Seg *pSeg = &p->pFile->seg;
  u32 i = 0, n = 0;
  assert( segHeld(pSeg) );
  while( (i = recordNext(pSeg, pKey, i, &n))!=0 ){
    SegRecord *r = segRecord(pSeg, i);
    if( r->session==p->k && r->generation==p->iGen ) return i;
  }
  return 0;
}

LockRc lockListen(LockSession *p, const LockKey *pKey, u32 *piRecord){
  LockRc rc = lockEnterSettled(p);
  if( rc!=LOCK_OK ) return rc;
  *piRecord = ownListen(p, pKey);
  rc = lockLeave(p->pFile);
  if( rc!=LOCK_OK || *piRecord ) return rc;
  rc = lockAsk(p, pKey, LOCK_SHARED, LOCK_SCOPE_SESSION, 0);
  *piRecord = p->grant.iRecord;
  return rc;
}

LockRc lockNotify(LockSession *p, const LockKey *pKey){
  LockRc rc = lockAsk(p, pKey, LOCK_SHARED, LOCK_SCOPE_TRANSACTION, 0);
  if( rc==LOCK_OK && BUG(NOTIFY_EARLY) ) rc = lockNotifyNow(p, pKey);
  return rc;
}

LockRc lockNotifyNow(LockSession *p, const LockKey *pKey){
  LockRc rc = lockEnterSettled(p);
  if( rc!=LOCK_OK ) return rc;
  recordRing(&p->pFile->seg, pKey);
  return lockLeave(p->pFile);
}

/*-------------------------------------------------------------- listening ---*/

/* Removes the invalidated notes of a channel, which sends them, and notes the
** processes of the others, PROBES of them, to be probed.  *pnSkip says where
** the next look goes on. */
static void lookAtNotes(LockSession *p, const LockKey *pNotify, u32 *pnSkip){
  Seg *pSeg = &p->pFile->seg;
  u32 i, iNext, n = 0, nMet = 0;
  p->probes.n = 0;
  for(i=recordNext(pSeg, pNotify, 0, &n); i; i=iNext){
    SegRecord *r = segRecord(pSeg, i);
    iNext = recordNext(pSeg, pNotify, i, &n);
    if( recordInvalid(pSeg, r) ) recordRemove(pSeg, i);
    else if( nMet++>=*pnSkip && !BUG(LISTEN_DEAF) ) lockNote(p, r->session);
  }
  *pnSkip = p->probes.n<PROBES ? 0 : *pnSkip + PROBES/2;
}

/* A poll finds the notes of processes that have died.  It never waits for the
** mutex and never fails. */
static void pollNotes(LockSession *p, const LockKey *pNotify, u32 *pnSkip){
  LockFile *pF = p->pFile;
  u32 nRound = 0;
  /* LISTEN-POLL */
  if( lockUsable(pF)!=LOCK_OK ) return;
  if( lockEntered(pF, mutexTry(&pF->seg, 0))!=LOCK_OK ) return;
  lookAtNotes(p, pNotify, pnSkip);
  if( lockLeave(pF)==LOCK_OK ) lockProbe(p, PROBE_EACH, &nRound);
  p->probes.n = 0;
}

/* Whether a wait may begin: LOCK_OK, or the result of the call. */
static LockRc mayBegin(LockSession *p, const LockWait *pWait){
  assert( ruleOutside() );
  if( pWait->xMayWait && !pWait->xMayWait(pWait->pArg) ) return LOCK_REFUSED;
  if( pWait->msTimeout==0 ) return LOCK_TIMEOUT;
  return lockMoved(p);
}

/* Whether the wait goes on after a poll: LOCK_OK, or the result of the call. */
static LockRc mayGoOn(LockSession *p, const LockWait *pWait){
  LockRc rc = lockUsable(p->pFile);
  if( rc==LOCK_OK && pWait->xPoll ) rc = lockAskCaller(pWait);
  return rc==LOCK_OK ? lockMoved(p) : rc;
}

/* A wait for a channel. */
typedef struct Listening {
  LockSession *p;
  u32 *pWord;                      /* of the channel */
  const u64 *pNumber;              /* of this session's record */
  u64 iSeen;
  u64 usPoll;                      /* time of the last poll */
  u64 usEnd;                       /* when the time is over */
} Listening;

/* The time between two polls.  One poll finds what every listener of the
** channel waits for.  So the threads of one process poll 200 times a second
** together, or each once a second. */
static u64 pollEvery(LockFile *pF){
  u64 us = (u64)atomicGet(&pF->nWaiting)*(US_LISTEN/LISTEN_MANY);
  return us<US_LISTEN ? US_LISTEN : us<US_LISTEN_MANY ? us : US_LISTEN_MANY;
}

/* Sleeps until the number differs, a poll is due or the time is over.  Returns
** 1 if the number differs.  The word must be read before the number, since what
** is stored after that wakes the sleep. */
static int sleepOn(const Listening *a){
  LockFile *pF = a->p->pFile;
  u64 usDue = a->usPoll + pollEvery(pF);
  while( !pF->bForked ){
    u32 iWord = atomicGetAcq(a->pWord);        /* LISTEN-WORD */
    u64 usNow;
    i64 us;
    if( atomicGetAcq(a->pNumber)!=a->iSeen ) return 1;   /* LISTEN-LOOK */
    usNow = osMonotonicUs();
    if( usNow>=usDue || usNow>=a->usEnd ) break;
    CRASH(LISTEN_LOOK);
    if( BUG(LISTEN_LATE) ) iWord = atomicGetAcq(a->pWord);
    us = (i64)((usDue<a->usEnd ? usDue : a->usEnd) - usNow);
    /* LISTEN-SLEEP */
    if( osWait(a->pWord, iWord, us)==OS_SIGNAL && !BUG(SIGNAL_IGNORED)
     && usDue>a->usPoll+US_LISTEN_AGAIN ){
      usDue = a->usPoll + US_LISTEN_AGAIN;
    }
  }
  return 0;
}

/* Waits for another number.  LOCK_OK: it is there. */
static LockRc listenOn(Listening *a, const LockKey *pNotify,
                       const LockWait *pWait){
  LockRc rc = LOCK_OK;
  u32 nSkip = 0;
  a->usPoll = osMonotonicUs();
  while( rc==LOCK_OK && !sleepOn(a) ){
    a->usPoll = osMonotonicUs();
    pollNotes(a->p, pNotify, &nSkip);
    rc = mayGoOn(a->p, pWait);
    if( rc==LOCK_OK && atomicGetAcq(a->pNumber)==a->iSeen
     && osMonotonicUs()>=a->usEnd ){
      rc = LOCK_TIMEOUT;
    }
  }
  return rc;
}

LockRc lockListenWait(LockSession *p, const LockKey *pKey, u32 iRecord,
                      u64 iSeen, const LockWait *pWait, u64 *piNumber){
  Seg *pSeg = &p->pFile->seg;
  u32 *pnWaiting = &p->pFile->nWaiting;
  Listening a = { p, 0, 0, iSeen, 0, UINT64_MAX };
  LockKey notify;
  LockRc rc;
  if( p->pFile->bForked ) return LOCK_FORKED;
  a.pWord = &segHeader(pSeg)->event[pKey->iHash % SEG_EVENTS];
  a.pNumber = &segRecord(pSeg, iRecord)->token;
  *piNumber = atomicGetAcq(a.pNumber);
  if( pWait==0 || *piNumber!=iSeen ) return LOCK_OK;
  if( pWait->msTimeout>=0 ){
    a.usEnd = osMonotonicUs() + (u64)pWait->msTimeout*1000;
  }
  rc = mayBegin(p, pWait);
  if( rc!=LOCK_OK ) return rc;
  keyMake(&notify, KEY_NOTIFY, pKey->a, pKey->nKey);
  atomicAdd(pnWaiting, 1);
  rc = listenOn(&a, &notify, pWait);
  atomicAdd(pnWaiting, (u32)-1);
  *piNumber = atomicGetAcq(a.pNumber);
  return rc;
}
