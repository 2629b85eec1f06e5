/* SPDX-License-Identifier: 0BSD */
/*
** lkorder.c: memory orders.  On a processor that keeps stores in order a store
** without release and a load without acquire work all the same, so no other
** program can see that one is missing.  Here the thread sanitizer does.  A
** thread stores in plain memory before it gives a lock up, cancels or posts.
** That must have happened before what another thread does after it has read the
** word in the segment.  A sanitizer that sees no order between the two reports
** a race, and the program ends with an error.
**
** The threads follow each other by relaxed atomics, which the sanitizer does
** not take for an order.  One thread is stopped between two stores of an end
** (CRASH_POINTS in base.h), so that the other thread reads the word before the
** first has touched the mutex word.
**
** Each of these orders was taken away by hand, and the scene beside whose name
** it stands found that.  A fence orders what a look reads between two loads of
** a state word; the sanitizer does not know fences, and segment.h has the
** argument.  A compare-and-swap of a record's state needs no acquire, since the
** request was made under the mutex.
**
**   lkorder [SCENE]
*/
#include "util.h"
#include <pthread.h>

static LockFile *pF;
static LockSession *S[4];
static LockKey kA;
static u32 iStopAt, bStopped, bGoOn;      /* relaxed */
static long nPlain;                       /* what the orders protect */

/* The point to stop at.  Only one thread passes it. */
void crashPoint(int i){
  if( i==0 || (u32)i!=atomicGet(&iStopAt) ) return;
  atomicSet(&iStopAt, 0);
  atomicSet(&bStopped, 1);
  while( !atomicGet(&bGoOn) ) osSleep(100);
}
static void stopAt(int iPoint){
  atomicSet(&bStopped, 0);
  atomicSet(&bGoOn, 0);
  atomicSet(&iStopAt, (u32)iPoint);
}
static void untilStopped(void){
  while( !atomicGet(&bStopped) ) osSleep(100);
}
enum { X = LOCK_EXCLUSIVE, SES = LOCK_SCOPE_SESSION,
       TXN = LOCK_SCOPE_TRANSACTION, TURN = LOCK_SCOPE_TURN };
static LockGrant granted;

/* CHECK counts in plain memory, which would be a race itself. */
#define MUST(x) do{ if( !(x) ){ \
  fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #x); _exit(1); } \
  }while(0)

/*--------------------------------------------------- what a thread does ---*/

static void *doEnd(void *p){ nPlain++; lockTxnEnd(S[0]); return p; }
static void *doUndo(void *p){ nPlain++; lockUndo(S[0], &granted); return p; }
static void *doClose(void *p){ nPlain++; lockSessionEnd(S[0]); return p; }
static void *doRelease(void *p){
  nPlain++;
  MUST(lockRelease(S[0], &kA, X)==LOCK_OK);
  return p;
}
static void *doCancel(void *p){
  nPlain++;
  MUST(lockCancel(pF, lockSessionId(S[1]))==LOCK_OK);
  return p;
}
static void *doPost(void *p){ nPlain++; lockEventPost(pF, "e"); return p; }

/*------------------------------------------------------------- scenes ---*/

static void take(u32 eScope){
  MUST(lockAsk(S[0], &kA, X, eScope, 0)==LOCK_OK);
  granted = lockGranted(S[0]);
}
/* A thread gives the lock up by one store and is stopped.  Another session
** takes the lock. */
static void afterStore(u32 eScope, void *(*x)(void*)){
  pthread_t t;
  take(eScope);
  stopAt(CRASH_END_WORD);
  pthread_create(&t, 0, x, 0);
  untilStopped();
  MUST(lockAsk(S[1], &kA, X, SES, 0)==LOCK_OK);
  nPlain++;
  atomicSet(&bGoOn, 1);
  pthread_join(t, 0);
}
static void sceneEnd(void){ afterStore(TXN, doEnd); }
static void sceneUndo(void){ afterStore(SES, doUndo); }
static void sceneTurn(void){ afterStore(TURN, doUndo); }
static void sceneLevel(void){ afterStore(TXN, doUndo); }
static void sceneClose(void){ afterStore(SES, doClose); }

/* A session withdraws its request by one store. */
static void *doGiveUp(void *p){
  nPlain++;
  MUST(lockGiveUp(S[0], LOCK_TIMEOUT)==LOCK_TIMEOUT);
  return p;
}
static void sceneWithdraw(void){
  pthread_t t;
  MUST(lockAsk(S[1], &kA, LOCK_SHARED, SES, 0)==LOCK_OK);
  MUST(lockAsk(S[0], &kA, X, SES, 1)==LOCK_WAITING);
  stopAt(CRASH_WAIT_WITHDRAW);
  pthread_create(&t, 0, doGiveUp, 0);
  untilStopped();
  MUST(lockAsk(S[2], &kA, LOCK_SHARED, SES, 0)==LOCK_OK);
  nPlain++;
  atomicSet(&bGoOn, 1);
  pthread_join(t, 0);
}

/* A waiter looks only at its own request, until the wait is over. */
static void untilOver(LockRc rc){
  LockRc rcNow;
  while( (rcNow = lockOutcome(S[1]))==LOCK_WAITING ) osSleep(100);
  MUST(rcNow==rc);
  nPlain++;
}
static void sceneGrant(void){
  pthread_t t;
  take(SES);
  MUST(lockAsk(S[1], &kA, X, SES, 1)==LOCK_WAITING);
  pthread_create(&t, 0, doRelease, 0);
  untilOver(LOCK_OK);
  pthread_join(t, 0);
}
/* The canceller is stopped.  The waiter settles under the mutex afterwards. */
static void sceneCancel(void){
  pthread_t t;
  take(SES);
  MUST(lockAsk(S[1], &kA, X, SES, 1)==LOCK_WAITING);
  stopAt(CRASH_CANCEL_STATE);
  pthread_create(&t, 0, doCancel, 0);
  untilStopped();
  untilOver(LOCK_CANCELLED);
  atomicSet(&bGoOn, 1);
  pthread_join(t, 0);
}
static void sceneEvent(void){
  pthread_t t;
  u32 iSeen = lockEvent(pF, "e");
  pthread_create(&t, 0, doPost, 0);
  while( lockEvent(pF, "e")==iSeen ) osSleep(100);
  nPlain++;
  pthread_join(t, 0);
}
/* An event ends lockEventWait, which reads the word once more. */
static void sceneEventWait(void){
  pthread_t t;
  u32 iSeen = lockEvent(pF, "e");
  pthread_create(&t, 0, doPost, 0);
  lockEventWait(pF, "e", iSeen, 10000);
  nPlain++;
  pthread_join(t, 0);
}
/* A notification ends lockListenWait, which enters no mutex. */
static LockKey kListen;
static void *doNotify(void *p){
  nPlain++;
  MUST(lockNotifyNow(S[1], &kListen)==LOCK_OK);
  return p;
}
static void sceneNotify(void){
  LockWait w = { 10000, 0, 0, 0 };
  pthread_t t;
  u64 iSeen, iNew;
  u32 i;
  keyMake(&kListen, KEY_LISTEN, "n", 1);
  MUST(lockListen(S[0], &kListen, &i)==LOCK_OK);
  lockListenWait(S[0], &kListen, i, 0, 0, &iSeen);
  pthread_create(&t, 0, doNotify, 0);
  MUST(lockListenWait(S[0], &kListen, i, iSeen, &w, &iNew)==LOCK_OK);
  nPlain++;
  pthread_join(t, 0);
}
/* One thread leaves the mutex.  Another enters, at once or after it has tried
** in vain. */
static void *doInside(void *p){
  MUST(mutexEnter(lockSegment(pF))==MUTEX_ENTERED);
  nPlain++;
  MUST(mutexLeave(lockSegment(pF))==0);
  atomicSet(&bStopped, 1);
  return p;
}
static void sceneMutex(void){
  pthread_t t;
  atomicSet(&bStopped, 0);
  pthread_create(&t, 0, doInside, 0);
  untilStopped();
  MUST(mutexEnter(lockSegment(pF))==MUTEX_ENTERED);
  nPlain++;
  MUST(mutexLeave(lockSegment(pF))==0);
  pthread_join(t, 0);
}

static const struct { const char *zName; void (*x)(void); } aScene[] = {
  { "end of a transaction", sceneEnd },     /* lockTxnEnd: now */
  { "rolled back to", sceneLevel },         /* lockRollbackTo: now */
  { "undone", sceneUndo },                  /* lockUndo: sesCount */
  { "turn undone", sceneTurn },             /* undoTurn: txnHold */
  { "end of a session", sceneClose },       /* lockSessionEnd: state */
  { "withdrawn", sceneWithdraw },           /* lookAt: state of a record */
  { "granted", sceneGrant },                /* lockOutcome, grant */
  { "cancelled", sceneCancel },             /* lockOutcome, cancelSlot */
  { "event", sceneEvent },                  /* lockEvent, lockEventPost */
  { "event waited for", sceneEventWait },   /* lockEventWait */
  { "notified", sceneNotify },              /* lockListenWait: token */
  { "mutex", sceneMutex }                   /* atomicCas64 */
};

static void runScene(int i){
  int st, k;
  pid_t pid = fork();
  if( pid==0 ){
    alarm(30);
    nError = 0;
    lockOpenMemory(&sysMem, 0, &pF);
    for(k=0; k<4; k++) S[k] = beginOrDie(pF);
    aScene[i].x();
    exit(nError!=0);             /* the sanitizer has its own status */
  }
  waitpid(pid, &st, 0);
  nTest++;
  if( st!=0 ){
    nError++;
    fprintf(stderr, "scene failed: %s (%x)\n", aScene[i].zName, st);
  }
}

int main(int n, char **a){
  int i, nScene = (int)(sizeof(aScene)/sizeof(aScene[0]));
  setvbuf(stderr, 0, _IONBF, 0);
  kA = keyText("A");
  for(i=0; i<nScene; i++){
    if( n<2 || strcmp(a[1], aScene[i].zName)==0 ) runScene(i);
  }
  return finish("lkorder");
}
