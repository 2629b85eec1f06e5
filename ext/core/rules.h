/* SPDX-License-Identifier: 0BSD */
/*
** rules.h: rules about locks and calls, as asserts.  In a build that is not for
** debugging there is nothing of them.
**
** RANKS.  A thread takes the locks of this list in its order only, and each
** once:
**
**   RANK_PROCESS   the process's list of open files: osProcessEnter
**   RANK_FIRST     the first byte of a lock file, while attaching
**   RANK_MUTEX     the mutex of a segment
**
** NO CALL OUT.  Under RANK_MUTEX nothing is allocated or freed, no function of
** the caller is called, and the system is asked for nothing but the time, a
** wake-up and, once after each growth, the length of the file.
**
** THE CALLER OWNS THE MUTEX.  Functions of which a comment says so assert
** segHeld (segment.h), which looks at the mutex word and, here, at the thread.
**
** Each rule is seen to fire: test/core/lkrules.c.
*/
#ifndef INTERLOCK_RULES_H
#define INTERLOCK_RULES_H

#include "core/base.h"

enum { RANK_NONE, RANK_PROCESS, RANK_FIRST, RANK_MUTEX };

/*
** ruleEnter: this thread is about to take a lock, or has it.  ruleLeave: it has
** given it back.  ruleHolds: 1 if this thread has that lock.  ruleOutside: 1 if
** it has no segment's mutex.  ruleReset: it has none of the locks; in a fork's
** child, and in a test whose thread plays several.
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

/* Memory is taken and given back outside of the mutex. */
static inline void *ruleAlloc(const LockMem *p, size_t nByte){
  assert( ruleOutside() );
  return p->xAlloc(nByte);
}
static inline void ruleFree(const LockMem *p, void *pOld){
  assert( ruleOutside() );
  p->xFree(pOld);
}

#endif
