/* SPDX-License-Identifier: 0BSD */
/*
** lkmodel.c: random steps of 2 to 8 sessions against the model of model.h.
**
** After every step it compares the result, which session holds what how often
** in which scope, the order of every queue, and which session waits.  A request
** that is refused for a deadlock must be in a cycle in every order of the
** queues; the program tries all of them.  A request that is not refused must
** leave no cycle.  The model copies a rearranged queue from the real one once
** it has found it free of cycles.  Without a cycle the order must not change.
**
**   lkmodel STEPS SEED [FILE]
*/
#include "model.h"

static u64 seed;
static int R(int n){ return (int)(rnd(&seed)>>33) % n; }
static int anyMode(void){ return 1+R(LOCK_MODES-1); }

static const char *anyAsk(int s){
  int k = R(nKey);
  int m = R(2) ? (R(2) ? LOCK_EXCLUSIVE : LOCK_SHARED) : anyMode();
  int scope = R(8)==0 ? LOCK_SCOPE_TURN : R(2);
  return doAsk(s, k, m, scope, R(3)>0);
}
static void anyRollbackTo(int s){
  if( M.nsp[s] ) doRollbackTo(s, R(M.nsp[s]));
}
static const char *anyUnlock(int s){
  int k = R(nKey), m = anyMode();
  if( R(2) ) m = R(2) ? LOCK_EXCLUSIVE : LOCK_SHARED;
  return doUnlock(s, k, m);
}
static const char *anyUnlockAll(int s){
  static const u32 aKind[] = { ~0u, 1u<<KEY_ROW, 1u<<KEY_TABLE,
                               1u<<KEY_ROW|1u<<KEY_TABLE };
  return doUnlockAll(s, aKind[R(4)], R(2) ? ~0u : (u32)R(64));
}
static const char *anySkip(int s){
  int scope = R(8)==0 ? LOCK_SCOPE_TURN : R(2);
  return doSkip(s, R(nKey), R(2) ? LOCK_EXCLUSIVE : anyMode(), scope);
}
static const char *anyUndo(int s){
  int scope = R(4)==0 ? LOCK_SCOPE_TURN : R(2);
  return doUndo(s, R(nKey), R(2) ? LOCK_EXCLUSIVE : anyMode(), scope);
}
/* Ends a transaction while another process owns the mutex, which then finds
** WORK and leaves. */
static int bHeld;
static void holdMutex(int b){
  Seg *p = lockSegment(pF);
  if( b ){ bHeld = otherEnters(p)==MUTEX_ENTERED; return; }
  if( bHeld ) otherLeaves(p);
  bHeld = 0;
}
/* The request is granted: the session takes it, or withdraws it. */
static const char *doTake(int s, int bTake){
  M.late[s] = 0;
  if( !bTake ) return doInterrupt(s);
  return lockStands(aS[s])==LOCK_OK ? 0 : "not taken";
}
static const char *step(void){
  int s = R(nSes), held = R(600)==0;
  const char *z = 0;
  if( waitsOn(s) ){
    if( R(2) ) return 0;
    if( R(60)==0 ){ doClose(s); return 0; }
    if( !isBusy(s) || R(2) ) return doWaiter(s, R(4));
  }
  if( M.late[s] && R(3)==0 ) return doTake(s, R(2));
  if( held && R(2)==0 ){
    holdMutex(1);
    if( R(3) ) doEnd(s); else anyRollbackTo(s);
    holdMutex(0);
    return 0;
  }
  switch( R(16) ){
    default: z = anyAsk(s); break;
    case 0: doEnd(s); break;
    case 1: case 2: doSavepoint(s); break;
    case 3: anyRollbackTo(s); break;
    case 4: case 5: case 6: z = anyUnlock(s); break;
    case 7: if( R(6)==0 ) z = anyUnlockAll(s); break;
    case 8: if( R(20)==0 ) doClose(s); break;
    case 9: z = R(10) ? doLook(s) : doWriter(s); break;
    case 10: z = anySkip(s); break;
    case 11: z = anyUndo(s); break;
  }
  return z;
}
/* Makes one round, with a fresh file and other numbers of sessions and keys. */
static const char *rounds(const char *zFile, long nStep, long *pi){
  const char *z = 0;
  long iEnd = *pi + 2000;
  int s;
  nSes = 2 + R(LIMIT_SESSION<NS ? (int)LIMIT_SESSION-1 : NS-1);
  nKey = 1 + R(NK);
  memset(&M, 0, sizeof M);
  for(s=0; s<NS; s++) M.seq[s] = 1;
  if( zFile ) pF = openOrDie(zFile);
  else lockOpenMemory(&sysMem, 0, &pF);
  for(s=0; s<nSes; s++) aS[s] = beginOrDie(pF);
  for(; *pi<nStep && *pi<iEnd && !z; ++*pi){
    z = step();
    nTest++;
    if( !z ) z = compare();
    if( !z ) z = outcomes(R(4) ? 0 : (u32)R(256), R(4) ? 0 : (u32)R(256));
    if( !z ) z = compare();
    if( !z && *pi%16==0 ) z = lockCheck(pF);
    if( z ) fprintf(stderr, "step %ld: %s\n", *pi, z);
  }
  for(s=0; s<nSes && !z; s++) lockSessionEnd(aS[s]);
  if( !z ) lockClose(pF);
  return z;
}

int main(int n, char **a){
  long nStep = n>1 ? atol(a[1]) : 100000, i = 0;
  const char *z = 0;
  u64 iRound = 0;
  double t0 = seconds();
  seed = n>2 ? strtoull(a[2], 0, 10)*2654435761u + 1 : 1;
  makeKeys();
  for(i=0; i<nStep && !z; iRound++) z = rounds(n>3 ? a[3] : 0, nStep, &i);
  if( z ) nError++;
  printf("lkmodel: %ld steps, %llu rounds, %.1f s; cycles %ld: deadlocks %ld "
         "(unproved %ld), cured %ld; full %ld\n", i, (unsigned long long)iRound,
         seconds()-t0, aCount[0], aCount[1], aCount[3], aCount[2], aCount[4]);
  return finish("lkmodel");
}
