/* SPDX-License-Identifier: 0BSD */
/*
** rules.c: which locks this thread has.  See rules.h.
*/
#include "core/rules.h"

#ifdef INTERLOCK_DEBUG
#define RULE_LOCKS 4

typedef struct RuleLock {
  int eRank;
  const void *pLock;
} RuleLock;
static _Thread_local RuleLock aLock[RULE_LOCKS];
static _Thread_local int nLock;

/* The rank of the lock that this thread took last. */
static int ruleRank(void){ return nLock ? aLock[nLock-1].eRank : RANK_NONE; }

void ruleEnter(int eRank, const void *pLock){
  assert( ruleRank()<eRank );
  aLock[nLock].eRank = eRank;
  aLock[nLock++].pLock = pLock;
}

void ruleLeave(int eRank, const void *pLock){
  assert( nLock>0 && ruleHolds(eRank, pLock) );
  while( nLock>0 && aLock[--nLock].pLock!=pLock ){}
}

int ruleHolds(int eRank, const void *pLock){
  int i;
  for(i=0; i<nLock; i++){
    if( aLock[i].eRank==eRank && aLock[i].pLock==pLock ) return 1;
  }
  return 0;
}

int ruleOutside(void){ return ruleRank()!=RANK_MUTEX; }
void ruleReset(void){ nLock = 0; }
#endif
