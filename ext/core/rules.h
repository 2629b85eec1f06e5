/* SPDX-License-Identifier: 0BSD */
/*
** rules.h: rules about locks and calls, as asserts.  A build that is not for
** debugging has none of them.
**
** RANKS.  A thread must take the locks of this list in its order only, and each
** once:
**
**   RANK_PROCESS   the process's list of open files: osProcessEnter
**   RANK_FIRST     the first byte of a lock file, while attaching
**   RANK_WATCH     the list of a watch
**   RANK_MUTEX     the mutex of a segment
**
** NO CALL OUT.  A thread that holds RANK_MUTEX must not allocate or free, must
** not call a function of the caller, and may ask the system only for the time,
** a wake-up and, once after each growth, the length of the file.
**
** THE CALLER OWNS THE MUTEX.  A function whose comment requires it asserts
** segHeld (segment.h), which looks at the mutex word and, here, at the thread.
**
** test/core/lkrules.c breaks each rule and sees its assert fire.
*/
#ifndef INTERLOCK_RULES_H
#define INTERLOCK_RULES_H

#include "core/base.h"

enum { RANK_NONE, RANK_PROCESS, RANK_FIRST, RANK_WATCH, RANK_MUTEX };

/*
** ruleEnter: this thread is about to take a lock, or has it.
** ruleLeave: it has released the lock.
** ruleHolds: 1 if this thread has that lock.
** ruleOutside: 1 if it has no segment's mutex.
** ruleReset: it has none of the locks.  For a fork's child, and for a test
** whose thread plays several.
*/
#ifdef INTERLOCK_DEBUG
void ruleEnter(int eRank, const void *pLock);
void ruleLeave(int eRank, const void *pLock);
int ruleHolds(int eRank, const void *pLock);
int ruleOutside(void);
void ruleReset(void);
#else
# define ruleEnter(eRank, pLock) ((void)0)
# define ruleLeave(eRank, pLock) ((void)0)
# define ruleHolds(eRank, pLock) 1
# define ruleOutside() 1
# define ruleReset() ((void)0)
#endif

/* A thread that allocates or frees memory must not own the mutex. */
static inline void *ruleAlloc(const LockMem *p, size_t nByte){
  assert( ruleOutside() );
  return p->xAlloc(nByte);
}
static inline void ruleFree(const LockMem *p, void *pOld){
  assert( ruleOutside() );
  p->xFree(pOld);
}

#endif
