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
** A session that listens must have a new number after each notification of its
** channel, and after nothing else.
**
**   lkmodel STEPS SEED [FILE]
*/
#include "model.h"

static u64 seed;
static int R(int n){ return (int)(rnd(&seed)>>33) % n; }
static int anyMode(void){ return 1+R(LOCK_MODES-1); }

/*------------------------------------------------------ sets and channels ---*/

static void doRollback(int s){
  modelEnd(s);
  lockTxnRollback(aS[s]);
}
/* Takes the keys of a set that mKey has bits for. */
static const char *doSet(int s, u32 mKey, int m, int scope, int bInside){
  MSet *p = &aSet[s];
  const char *z = 0;
  int k, bQueue;
  p->n = 0;
  p->scope = scope;
  p->m = m;
  p->seq = M.seq[s];
  p->iLevel = lockLevel(aS[s]);
  for(k=0; mKey>>k && z==0; k++){
    if( !(mKey>>k & 1) ) continue;
    bQueue = mKey>>k==1;
    z = doAsk(s, k, m, scope, bQueue);
    if( z || rcAsked==LOCK_WAITING ) break;
    if( rcAsked!=LOCK_OK ){
      undoSet(s, bInside);
      break;
    }
    p->aKey[p->n] = k;
    p->a[p->n++] = lockGranted(aS[s]);
  }
  /* what was granted at once is complete */
  if( z==0 && rcAsked==LOCK_OK ) p->n = 0;
  return z;
}

static const char *doListen(int s){
  MHold *h = &M.hold[s][K_LISTEN][LOCK_SHARED];
  LockRc rc = lockListen(aS[s], &aKey[K_LISTEN], &aListen[s]);
  if( rc==LOCK_FULL && LIMIT_RECORD<100 ) return 0;
  if( rc!=LOCK_OK ) return "listen";
  if( h->n==0 ) aHeard[s] = segRecord(lockSegment(pF), aListen[s])->token;
  h->n = 1;
  return 0;
}
static const char *doNote(int s){
  LockRc rc = lockNotify(aS[s], &aKey[K_NOTE]);
  if( rc==LOCK_FULL && LIMIT_RECORD<100 ) return 0;
  M.txn[s] = 1;
  give(s, K_NOTE, LOCK_SHARED, LOCK_SCOPE_TRANSACTION);
  return rc==LOCK_OK ? 0 : "note";
}
static const char *doNotifyNow(int s){
  ring();
  return lockNotifyNow(aS[s], &aKey[K_NOTE])==LOCK_OK ? 0 : "notify";
}

/*------------------------------------------------------------ any call ---*/

/* A key to ask for.  A semaphore has other permits each time. */
static int anyKey(void){
  aKey[K_PERMIT].nPermit = (u8)(1+R(3));
  return R(nKey<K_LISTEN ? nKey : K_LISTEN);
}
static int modeOf(int k, int m){ return k==K_PERMIT ? LOCK_EXCLUSIVE : m; }

static const char *anyAsk(int s){
  int k = anyKey();
  int m = modeOf(k, R(2) ? (R(2) ? LOCK_EXCLUSIVE : LOCK_SHARED) : anyMode());
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
  int k = anyKey();
  return doSkip(s, k, modeOf(k, R(2) ? LOCK_EXCLUSIVE : anyMode()), scope);
}
static const char *anyUndo(int s){
  int scope = R(4)==0 ? LOCK_SCOPE_TURN : R(2);
  int k = anyKey();
  return doUndo(s, k, modeOf(k, R(2) ? LOCK_EXCLUSIVE : anyMode()), scope);
}
static const char *anySet(int s){
  u32 mKey = (u32)R(1<<K_LISTEN) & ((1u<<nKey)-1);
  int m = R(2) ? LOCK_EXCLUSIVE : LOCK_SHARED, scope = R(2), bInside = R(4)==0;
  anyKey();
  if( m!=LOCK_EXCLUSIVE ) mKey &= ~(1u<<K_PERMIT);
  return mKey ? doSet(s, mKey, m, scope, bInside) : 0;
}
static const char *anyChannel(int s){
  if( nKey<=K_NOTE ) return 0;
  switch( R(4) ){
    case 0: return doListen(s);
    case 1: return doNotifyNow(s);
    default: return doNote(s);
  }
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
/* One of the calls that a session makes while it waits, or that end its wait.
** A wait for the last lock of a set ends with that set. */
static const char *anyWaiter(int s){
  int e = R(4);
  const char *z = doWaiter(s, e);
  if( e<2 && z==0 ) undoSet(s, R(2));
  return z;
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
    if( !isBusy(s) || aSet[s].n || R(2) ) return anyWaiter(s);
  }
  if( M.late[s] && R(3)==0 ) return doTake(s, R(2));
  if( held && R(2)==0 ){
    holdMutex(1);
    switch( R(4) ){
      default: doEnd(s); break;
      case 0: anyRollbackTo(s); break;
      case 1: doRollback(s); break;
    }
    holdMutex(0);
    return 0;
  }
  switch( R(19) ){
    default: z = anyAsk(s); break;
    case 0: if( R(4) ) doEnd(s); else doRollback(s); break;
    case 1: case 2: doSavepoint(s); break;
    case 3: anyRollbackTo(s); break;
    case 4: case 5: case 6: z = anyUnlock(s); break;
    case 7: if( R(6)==0 ) z = anyUnlockAll(s); break;
    case 8: if( R(20)==0 ) doClose(s); break;
    case 9: z = R(10) ? doLook(s) : doWriter(s); break;
    case 10: z = anySkip(s); break;
    case 11: z = anyUndo(s); break;
    case 12: z = anySet(s); break;
    case 13: z = anyChannel(s); break;
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
  memset(aSet, 0, sizeof aSet);
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
