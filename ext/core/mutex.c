/* SPDX-License-Identifier: 0BSD */
/*
** mutex.c: the mutex of the segment: The mutex of ext/core/README.md.
**
** The mutex word holds the owner's number, WAITERS (a process may sleep on the
** word) and WORK (some session needs a sweep).  Every change of it is a
** compare-and-swap of the whole word.  So an unlock fails while WORK is set,
** and a take-over fails if anything happened since the owner was found dead.
*/
#include "core/mutex.h"
#include "core/process.h"

#ifndef US_GIVEUP                  /* lkfuzz is built with less */
# define US_GIVEUP 1000000         /* patience with an owner that stays */
# define US_SLEEP 20000            /* between two probes of the owner */
#endif
#ifndef SPIN
# define SPIN     100              /* looks before sleeping: README.md, Speed */
#endif

/* The word of this process as the owner. */
static u64 me(const Seg *p){ return p->iNumber<<2; }

/* Counts that the mutex is passed on.  The caller must own it.  Other threads
** read the count for a change only, so no memory order is needed. */
static void countPassed(Seg *p){
  u32 *pPassed = &segHeader(p)->passedOn;
  atomicSet(pPassed, atomicGet(pPassed)+1);
}

/* Takes the mutex from the dead owner in w, if w is still the word.  WORK must
** stay, since the task is not done.  WAITERS must be set, since a process may
** sleep on a word whose WAITERS bit was lost with the owner's unlock. */
static int takeOver(Seg *p, u64 w){
  u64 wNew = me(p) | MUTEX_WAITERS | (w & MUTEX_WORK);
  if( BUG(TAKEOVER_PLAIN) ) wNew &= ~MUTEX_WAITERS;
  /* MUTEX-TAKE */
  if( !atomicCas64(&segHeader(p)->mutex, w, wNew) ) return 0;
  ruleEnter(RANK_MUTEX, p);
  p->iTaken = MUTEX_OWNER(w);
  countPassed(p);
  CRASH(MUTEX_TAKE);
  return 1;
}

/* Enters if the word is 0. */
static int enterFree(Seg *p, u64 mBits){
  /* MUTEX-ENTER */
  if( !atomicCas64(&segHeader(p)->mutex, 0, me(p)|mBits) ) return 0;
  ruleEnter(RANK_MUTEX, p);
  CRASH(MUTEX_ENTER);
  return 1;
}

/*
** How long a thread that waits for the mutex has seen nothing happen.  The time
** begins again whenever a thread leaves the mutex, since `passedOn` goes up
** then, whichever session enters next.  So a process with many threads is seen
** to go on although its number stays in the word.
**
** The thread must go by the clock and not count sleeps, which signals end
** early.  But between two looks it counts at most the time of two sleeps.  So
** it does not take a busy machine, or a stop of itself, for a stop of the
** owner.
*/
typedef struct Patience {
  u64 usLook;              /* time of the last look */
  u64 usStill;             /* how long nothing has happened */
  u64 usAsk;               /* time of the next probe of the owner */
  u32 iPassed;             /* passedOn at the last look */
  int bSleptOut;           /* the last sleep timed out; for SLEPT_OUT */
} Patience;

static void patienceBegin(Seg *p, Patience *a){
  a->usLook = osMonotonicUs();
  a->usStill = 0;
  a->bSleptOut = 0;
  a->usAsk = a->usLook + US_SLEEP;
  a->iPassed = atomicGet(&segHeader(p)->passedOn);
}

/* Makes a look.  Returns 1 if it is time to probe the owner. */
static int patienceLook(Seg *p, Patience *a){
  const u64 usMost = (u64)2*US_SLEEP;
  u64 usNow = osMonotonicUs(), us = usNow - a->usLook;
  u32 iPassed = atomicGet(&segHeader(p)->passedOn);
  a->usLook = usNow;
  a->usStill += us<usMost || BUG(PATIENCE_STOP) ? us : usMost;
  if( iPassed!=a->iPassed && !BUG(ONE_SECOND) ) a->usStill = 0;
  a->iPassed = iPassed;
  if( BUG(ASK_LATE) ? usNow>a->usAsk : usNow<a->usAsk ) return 0;
  a->usAsk = usNow + US_SLEEP;
  return 1;
}

/*
** Enters although the word was not 0.  The thread spins, then sleeps.  At times
** that the clock gives it probes the owner, and it gives up in the end.
**
** A thread may give up only when WAITERS is in the word.  The owner then passes
** on the wake-up that this thread may have consumed, and no other thread sleeps
** on behind an owner that knows of no waiter.  A thread that has slept must
** enter with WAITERS set, since more threads may sleep.
*/
static int enterSlow(Seg *p){
  u64 *pWord = &segHeader(p)->mutex;
  u64 mBits = 0;
  Patience a;
  int i, bAsk;
  for(i=0; i<SPIN; i++){                       /* MUTEX-SPIN */
    if( atomicGet(pWord)==0 && enterFree(p, 0) ) return MUTEX_ENTERED;
    atomicPause();
  }
  patienceBegin(p, &a);
  for(;;){
    u64 w = atomicGet(pWord);
    if( w==0 ){
      if( enterFree(p, mBits) ) return MUTEX_ENTERED;
      continue;
    }
    /* MUTEX-WAITERS */
    if( !(w & MUTEX_WAITERS) && !BUG(NO_WAITERS) ){
      if( !atomicCas64(pWord, w, w|MUTEX_WAITERS) ) continue;
      CRASH(MUTEX_WAITERS);
      w |= MUTEX_WAITERS;
    }
    mBits = BUG(NO_WAITERS) || BUG(WOKEN_PLAIN) ? 0 : MUTEX_WAITERS;
    bAsk = patienceLook(p, &a);
    if( BUG(SLEPT_OUT) ) bAsk = a.bSleptOut;
    if( bAsk ){                                /* MUTEX-PROBE */
      if( processDead(p, MUTEX_OWNER(w)) ){
        if( takeOver(p, w) ) return MUTEX_TAKEN;
        continue;
      }
      if( a.usStill>=US_GIVEUP ) return MUTEX_BUSY;
    }
    /* MUTEX-SLEEP */
    a.bSleptOut = osWait(atomicLowHalf(pWord), (u32)w,
        BUG(SLEPT_OUT) ? US_SLEEP : (i64)(a.usAsk - a.usLook))==OS_TIMEOUT;
  }
}

int mutexEnter(Seg *p){
  return enterFree(p, 0) ? MUTEX_ENTERED : enterSlow(p);
}

int mutexTry(Seg *p, i64 usWait){
  u64 *pWord = &segHeader(p)->mutex;
  u64 usEnd = 0;
  int bAsked = 0, i;
  for(;;){
    u64 w = 0;
    for(i=0; i<SPIN; i++){
      w = atomicGet(pWord);
      if( w==0 && enterFree(p, 0) ) return MUTEX_ENTERED;
      atomicPause();
    }
    if( w!=0 && !bAsked ){
      bAsked = 1;
      if( processDead(p, MUTEX_OWNER(w)) && takeOver(p, w) ) return MUTEX_TAKEN;
    }
    if( usEnd==0 ) usEnd = osMonotonicUs() + (u64)usWait;
    if( osMonotonicUs()>=usEnd ) return MUTEX_BUSY;
    osSleep(100);
  }
}

/*
** WORK must be set by a compare-and-swap even if it is set already.  The swap
** orders the caller's earlier stores before the owner's look.  Without it there
** would be a load after a store, and the owner could miss both.
*/
int mutexTask(Seg *p){
  u64 *pWord = &segHeader(p)->mutex;
  for(;;){
    u64 w = atomicGet(pWord);
    if( w==0 ){
      if( enterFree(p, 0) ) return MUTEX_ENTERED;
    }else if( BUG(NO_WORK) || atomicCas64(pWord, w, w|MUTEX_WORK) ){
      CRASH(END_WORK);                         /* END-WORK */
      return MUTEX_BUSY;
    }
  }
}

/* Wakes the thread that sleeps on the state word of a granted request, or all
** that sleep on the word of a channel. */
static void wakeSleepers(u32 *pWord){
  if( !BUG(WAKE_FIRST) ) osWake(pWord, 1<<30);     /* GRANT-WAKE */
  CRASH(GRANT_WAKE);
}

/* A thread that is woken runs at once, and may want the mutex.  So it is woken
** when the mutex is free, unless too many are noted already. */
void mutexWake(Seg *p, u32 *pWord){
  assert( segHeld(p) );
  if( p->nWake<SEG_WAKES && !BUG(WAKE_INSIDE) ) p->apWake[p->nWake++] = pWord;
  else wakeSleepers(pWord);
}

/* Leaves.  Returns 0 if the mutex word is not w any more. */
static int leaveFrom(Seg *p, u64 w){
  /* MUTEX-LEAVE */
  if( !atomicCas64(&segHeader(p)->mutex, w, 0) ) return 0;
  ruleLeave(RANK_MUTEX, p);
  CRASH(MUTEX_LEAVE);
  return 1;
}

/* The same, then wakes the threads that are noted.  The list must be copied
** before, since another thread of this process may enter next. */
static int leaveAndWake(Seg *p, u64 w){
  u32 *apWake[SEG_WAKES], nWake = p->nWake, i;
  assert( segHeld(p) );
  memcpy(apWake, p->apWake, sizeof(apWake));
  p->nWake = 0;
  if( !leaveFrom(p, w) ){
    p->nWake = nWake;
    return 0;
  }
  for(i=0; i<nWake; i++) wakeSleepers(apWake[i]);
  return 1;
}

/* Leaves although there is a thread to be woken or a sweep to be done.  Inlined
** it would make every leave dearer. */
static int leaveSlow(Seg*) __attribute__((noinline));
static int leaveSlow(Seg *p){
  u64 *pWord = &segHeader(p)->mutex;
  for(;;){
    u64 w = atomicGet(pWord);
    if( w & MUTEX_WORK ){                      /* MUTEX-WORK */
      if( !atomicCas64(pWord, w, w & ~MUTEX_WORK) ) continue;
      CRASH(MUTEX_WORK);
      return 1;
    }
    if( w & MUTEX_WAITERS ) countPassed(p);
    if( !leaveAndWake(p, w) ) continue;
    if( w & MUTEX_WAITERS ){                   /* MUTEX-WAKE */
      if( !BUG(MUTEX_SILENT) ) osWake(atomicLowHalf(pWord), 1);
      CRASH(MUTEX_WAKE);
    }
    return 0;
  }
}

int mutexLeave(Seg *p){
  u64 w = atomicGet(&segHeader(p)->mutex);
  assert( segHeld(p) );
  if( p->nWake==0 && (w & (MUTEX_WORK|MUTEX_WAITERS))==0 && leaveFrom(p, w) ){
    return 0;
  }
  return leaveSlow(p);
}
