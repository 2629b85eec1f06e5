/* SPDX-License-Identifier: 0BSD */
/*
** watch.c: watching requests.  See watch.h.
**
** The list of requests is guarded by the watch's own lock (RANK_WATCH).  The
** thread releases it while it sleeps.  A session that has read the outcome of
** its request, or gives it up, first takes its entry out of the list
** (lockUnwatch), so the thread only looks at state words of records that are
** still that request's.
*/
#include "core/lockint.h"
#include "core/watch.h"
#include <pthread.h>

#define WORDS     (OS_WAIT_ANY-1) /* requests that the thread sleeps on */
#define US_BEYOND 5000            /* between two looks at those beyond */

/* A watched request. */
struct Watched {
  LockWatch *pWatch;
  Watched *pNext;
  u32 bTold;               /* 1: a byte was written for it */
  LockSession shadow;      /* what a poll of it needs */
};

struct LockWatch {
  LockMem mem;
  u32 iPid;                /* of the process that has the thread */
  int aFd[2];
  pthread_t thread;
  pthread_mutex_t lock;    /* guards what follows */
  pthread_cond_t change;
  u32 iChange;             /* raised when the list or bEnd changes */
  u32 bEnd;
  u32 nTold;               /* entries with bTold */
  Watched *pFirst;
};

static void enter(LockWatch *w){
  pthread_mutex_lock(&w->lock);
  ruleEnter(RANK_WATCH, w);
}
static void leave(LockWatch *w){
  ruleLeave(RANK_WATCH, w);
  pthread_mutex_unlock(&w->lock);
}
/* Wakes the thread, wherever it sleeps. */
static void changed(LockWatch *w){
  atomicAdd(&w->iChange, 1);
  pthread_cond_signal(&w->change);
  osWake(&w->iChange, 1);
}

static u32 *stateOf(Watched *e){
  return &segRecord(&e->shadow.pFile->seg, e->shadow.iRequest)->state;
}

/* Writes a byte for each request that was decided.  Fills aWord and aSeen with
** the others, and returns their number. */
static u32 look(LockWatch *w, u32 **aWord, u32 *aSeen, u32 *pnBeyond){
  Watched *e;
  u32 n = 0;
  *pnBeyond = 0;
  for(e=w->pFirst; e; e=e->pNext){
    if( e->bTold ) continue;
    if( atomicGetAcq(stateOf(e))!=e->shadow.iState ){
      e->bTold = 1;
      w->nTold++;
      osPipeWrite(w->aFd[1]);
    }else if( n<WORDS ){
      aWord[n] = stateOf(e);
      aSeen[n++] = e->shadow.iState;
    }else{
      ++*pnBeyond;
    }
  }
  return n;
}

/* The polls that the sessions would make if they waited. */
static void pollAll(LockWatch *w){
  Watched *e;
  for(e=w->pFirst; e; e=e->pNext){
    const Concern *c = &e->shadow.concern;
    /* Behind a request of this process, which is alive, there is nothing. */
    if( e->bTold || (c->iAhead && c->bWhole && c->list.n==0
                  && lockConcernTime(&e->shadow)>US_RARE) ) continue;
    lockPoll(&e->shadow);
  }
}

static void *run(void *pArg){
  LockWatch *w = pArg;
  u32 *aWord[OS_WAIT_ANY], aSeen[OS_WAIT_ANY], n, nBeyond;
  u64 usNow, usPoll = osMonotonicUs() + US_POLL;
  enter(w);
  while( !w->bEnd ){
    u32 iChange = atomicGet(&w->iChange);
    usNow = osMonotonicUs();
    if( usNow>=usPoll ){
      if( !BUG(WATCH_IDLE) ) pollAll(w);
      usPoll = osMonotonicUs() + US_POLL;
    }
    n = look(w, aWord, aSeen, &nBeyond);
    if( n==0 ){
      pthread_cond_wait(&w->change, &w->lock);
      continue;
    }
    aWord[n] = &w->iChange;
    aSeen[n++] = iChange;
    leave(w);
    osWaitAny(aWord, aSeen, n,
              nBeyond ? US_BEYOND : usNow<usPoll ? (i64)(usPoll-usNow) : 1);
    enter(w);
  }
  leave(w);
  return 0;
}

LockRc watchBegin(const LockMem *pMem, LockWatch **pp){
  LockWatch *w = ruleAlloc(pMem, sizeof(*w));
  LockRc rc;
  *pp = 0;
  if( w==0 ) return LOCK_NOMEM;
  memset(w, 0, sizeof(*w));
  w->mem = *pMem;
  w->iPid = osPid();
  rc = osPipe(w->aFd);
  if( rc==LOCK_OK ){
    pthread_mutex_init(&w->lock, 0);
    pthread_cond_init(&w->change, 0);
    rc = osThread(&w->thread, run, w);
    if( rc!=LOCK_OK ) osPipeClose(w->aFd);
  }
  if( rc!=LOCK_OK ) ruleFree(pMem, w);
  else *pp = w;
  return rc;
}

/* In a fork's child there is no thread, and its lock may be held for ever. */
void watchEnd(LockWatch *w){
  LockMem mem;
  if( w==0 ) return;
  mem = w->mem;
  if( w->iPid==osPid() ){
    enter(w);
    w->bEnd = 1;
    changed(w);
    leave(w);
    pthread_join(w->thread, 0);
    pthread_cond_destroy(&w->change);
    pthread_mutex_destroy(&w->lock);
  }
  osPipeClose(w->aFd);
  ruleFree(&mem, w);
}

int watchFd(const LockWatch *w){ return w->aFd[0]; }

LockRc watchRequest(LockWatch *w, LockSession *p){
  Watched *e;
  if( p->iRequest==0 || p->pWatched || w->iPid!=osPid() ) return LOCK_OK;
  e = ruleAlloc(&w->mem, sizeof(*e));
  if( e==0 ) return LOCK_NOMEM;
  memset(e, 0, sizeof(*e));
  e->pWatch = w;
  e->shadow.pFile = p->pFile;
  e->shadow.k = p->k;
  e->shadow.iGen = p->iGen;
  e->shadow.iRequest = p->iRequest;
  e->shadow.iState = p->iState;
  e->shadow.eMode = p->eMode;
  e->shadow.key = p->key;
  p->pWatched = e;
  enter(w);
  e->pNext = w->pFirst;
  w->pFirst = e;
  changed(w);
  leave(w);
  return LOCK_OK;
}

void lockUnwatch(LockSession *p){
  Watched *e = p->pWatched, **pp;
  LockWatch *w;
  if( e==0 ) return;
  p->pWatched = 0;
  w = e->pWatch;
  if( w->iPid!=osPid() ) return;
  enter(w);
  for(pp=&w->pFirst; *pp!=e; pp=&(*pp)->pNext){}
  *pp = e->pNext;
  if( e->bTold && --w->nTold==0 && !BUG(WATCH_FULL) ) osPipeEmpty(w->aFd[0]);
  changed(w);
  leave(w);
  ruleFree(&w->mem, e);
}
