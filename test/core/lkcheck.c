/* SPDX-License-Identifier: 0BSD */
/*
** lkcheck.c: checks the log of lktorture.  It knows only the meaning of the
** lock manager's calls.  It checks:
**
**   - no session gets a lock while another session believes that it holds a
**     conflicting one
**   - no token is given twice, and tokens grow from a grant to the next one
**     that excludes it
**   - no deadlock is invented: while the refused session asked, each session of
**     the reported cycle had a request that conflicts with what the next
**     session of the cycle held or asked for
**   - no deadlock is missed: no cycle of requests, each for what the next
**     session certainly holds, lasts longer than MS_MISSED
**   - a cancelled wait had a canceller
**   - every ask has a result, or its process was killed
**   - no more sessions have a permit of a semaphore than it has permits
**   - no notification is lost: a session that listens sees another number, at a
**     look that begins after a notification was sent for certain, than it saw
**     before that notification began.  It is sent for certain when the call
**     that sends it has returned, and the note of a transaction when its
**     session has entered the lock file again.  Numbers never fall.
**
**   lkcheck LOGFILE [spoil]
**
** With spoil it falsifies entries of a sound log, one at a time, and must
** notice a good part of them in each way.
*/
#include "util.h"
#include "log.h"

enum { MX = 64 };
/* ASKS: requests that other sessions can make while a session is stopped
** between an answer and its entry. */
enum { MS_MISSED = 4000, CYCLE = 16, ASKS = 64 };
typedef struct Span { u64 iFrom, iTo; } Span;     /* entries; iTo 0: no end */
typedef struct Hold {
  u32 n, bTxn, iLevel;
  u64 iToken;
  Span now, last;              /* held: this time, the time before */
} Hold;
typedef struct Asked {
  u32 iKey, eMode, nPermit;
  Span t;
} Asked;
/* A session and a channel: entries, 0 for none. */
typedef struct Heard {
  u32 bListens, bMust, bMustNow;   /* the number must have changed */
  u64 iNumber, iAt;                /* last number, and when it was seen */
  u64 iNotify;                     /* a call that notifies has begun */
  u64 iCommit;                     /* a transaction with a note has ended */
} Heard;
typedef struct Ses {
  Hold a[LOG_ALL][LOCK_MODES];     /* notes count as transaction holds */
  Heard aHeard[LOG_CHANNELS];
  u64 iId, iCancelAt, iRelease;
  u32 bWaits, msAsk, nSp, nAsked, nCycle;
  Asked aAsked[ASKS];          /* the last few, nAsked-1 is the present one */
  u64 aCycle[CYCLE];
} Ses;
static Ses aS[MX];
static u64 aDead[MX];          /* last one killed, of each place */
static u64 aMaxToken[LOG_KEYS][LOCK_MODES];
static u64 aOpen[MX];          /* session that the cancel under way aims at */
static u64 nGot, nDead, nCancel, nSlip, nEdge, nSeen, nSent, nHeard;
static const u32 aConf[] = { 0, 1u<<5, 1u<<3|1u<<4|1u<<5, 1u<<2|1u<<4|1u<<5,
                             1u<<2|1u<<3|1u<<4|1u<<5, 62 };
_Static_assert(sizeof(aConf)/sizeof(aConf[0])==LOCK_MODES, "every mode");

static u32 nBad, bSpoil;
static void bad(u64 i, const char *z){
  if( nBad++<20 && !bSpoil ) fprintf(stderr, "entry %llu: %s\n",
                                      (unsigned long long)i, z);
}
static int held(const Hold *h){ return h->n || h->bTxn; }
static Asked *asked(Ses *s){ return &s->aAsked[(s->nAsked-1)%ASKS]; }

/*
** A session gives a lock up between the entry before the call and the end of
** the call.  So the lock counts as held until the session's next entry.
*/
static void spans(u64 i, Ses *s, int bAfter){
  u32 k, m;
  for(k=0; k<LOG_CHANNEL; k++) for(m=1; m<LOCK_MODES; m++){
    Hold *h = &s->a[k][m];
    if( held(h) ){
      if( h->now.iFrom && h->now.iTo==0 ) continue;
      h->last = h->now;
      h->now.iFrom = i;
      h->now.iTo = 0;
    }else if( h->now.iFrom && h->now.iTo==0 && !bAfter ){
      h->now.iTo = i;
    }
  }
}
static int meets(Span a, Span b){
  return a.iFrom && b.iFrom && (a.iTo==0 || a.iTo>=b.iFrom)
      && (b.iTo==0 || b.iTo>=a.iFrom);
}

/* Another session may have been granted a permit between this grant and its
** entry, if it has named more.  So the most that are named count. */
static void gotPermit(u64 i, const LogEntry *e){
  Hold *h = &aS[e->iSes].a[e->iKey][e->eMode];
  u32 j, n = 0, nMost = LOG_PERMITS;
  if( e->iKey==LOG_SEMAPHORE2 ) nMost = LOG_PERMITS2;
  for(j=0; j<MX; j++) n += j!=e->iSes && held(&aS[j].a[e->iKey][e->eMode]);
  if( !held(h) && n>=nMost ) bad(i, "more sessions inside than permits");
  if( e->iToken==0 ) bad(i, "no token");
  if( e->eScope==0 ) h->n++;
  else if( !h->bTxn ){ h->bTxn = 1; h->iLevel = aS[e->iSes].nSp; }
}
static void got(u64 i, const LogEntry *e){
  Ses *s = &aS[e->iSes];
  Hold *h = &s->a[e->iKey][e->eMode];
  u32 j, m;
  nGot++;
  if( e->iKey>=LOG_SEMAPHORE ){
    gotPermit(i, e);
    return;
  }
  for(j=0; j<MX; j++) for(m=1; m<LOCK_MODES; m++){
    if( j==e->iSes || !(aConf[e->eMode]>>m & 1) ) continue;
    if( held(&aS[j].a[e->iKey][m]) ) bad(i, "two hold conflicting locks");
  }
  if( !held(h) && e->iToken ){
    /* lockToken returns the strongest mode's: new if this is the strongest */
    int bStrongest = 1;
    for(m=e->eMode+1u; m<LOCK_MODES; m++) if( held(&s->a[e->iKey][m]) ){
      bStrongest = 0;
    }
    if( bStrongest ){
      for(m=1; m<LOCK_MODES; m++) if( aConf[e->eMode]>>m & 1 ){
        if( e->iToken<=aMaxToken[e->iKey][m] ) bad(i, "token did not grow");
      }
      if( e->iToken>aMaxToken[e->iKey][e->eMode] ){
        aMaxToken[e->iKey][e->eMode] = e->iToken;
      }
      h->iToken = e->iToken;
    }
  }else if( e->iToken==0 ) bad(i, "no token");
  if( e->eScope==0 ) h->n++;
  else if( !h->bTxn ){ h->bTxn = 1; h->iLevel = s->nSp; }
}
static void endHolds(Ses *s, u32 iLevel){    /* transaction holds from there */
  u32 k, m;
  for(k=0; k<LOG_ALL; k++) for(m=0; m<LOCK_MODES; m++){
    if( s->a[k][m].bTxn && s->a[k][m].iLevel>=iLevel ) s->a[k][m].bTxn = 0;
  }
}
/*
** 1 if s asked, at some time of the span, for what t held or had asked for.  A
** grant is logged after it has happened, so a hold may still look like a
** request.
*/
static int waitedFor(const Ses *s, const Ses *t, Span w){
  u32 i, j, m;
  for(i=0; i<ASKS; i++){
    const Asked *q = &s->aAsked[i];
    if( !meets(q->t, w) ) continue;
    for(m=1; m<LOCK_MODES; m++) if( aConf[q->eMode]>>m & 1 ){
      const Hold *h = &t->a[q->iKey][m];
      if( meets(h->now, w) || meets(h->last, w) ) return 1;
    }
    for(j=0; j<ASKS; j++){
      const Asked *r = &t->aAsked[j];
      if( r->iKey==q->iKey && (aConf[q->eMode]>>r->eMode & 1)
       && meets(r->t, w) ) return 1;
    }
  }
  return 0;
}
static Ses *byId(u64 iId){
  u32 j;
  for(j=0; j<MX; j++) if( aS[j].iId==iId ) return &aS[j];
  return 0;                                     /* closed or killed since */
}
static void deadlock(u64 i, Ses *s){
  Span w = { asked(s)->t.iFrom, i };
  Ses *t = s, *next;
  u32 c;
  nDead++;
  if( s->nCycle==0 ) bad(i, "a deadlock without a cycle");
  for(c=0; c<=s->nCycle; c++, t=next){
    next = c<s->nCycle ? byId(s->aCycle[c]) : s;
    if( t==0 || next==0 ){ nSlip++; continue; }
    nEdge++;
    if( !waitedFor(t, next, w) ) bad(i, "a deadlock was invented");
  }
}

/*
** Looks for cycles that last.  A session waits if it asked MS_MISSED ago and
** has no result yet.  It waits for a session that has the lock and has not
** begun to give it back.
*/
static u32 msLook;
static void standing(u64 i, u32 msNow){
  u64 aTo[MX];
  u32 a, b, k, m, n = 0;
  nSeen++;
  msLook = msNow;
  for(a=0; a<MX; a++){
    const Asked *q = asked(&aS[a]);
    aTo[a] = 0;
    if( !aS[a].bWaits || msNow-aS[a].msAsk<MS_MISSED ) continue;
    if( q->nPermit>1 ) continue;
    for(b=0; b<MX; b++) for(m=1; m<LOCK_MODES; m++){
      if( b==a || !(aConf[q->eMode]>>m & 1) ) continue;
      if( held(&aS[b].a[q->iKey][m]) ) aTo[a] |= (u64)1<<b;
    }
    n++;
  }
  if( n<2 ) return;
  for(k=0; k<MX; k++) for(a=0; a<MX; a++) if( aTo[a]>>k & 1 ) aTo[a] |= aTo[k];
  for(a=0; a<MX; a++) if( aTo[a]>>a & 1 ){
    bad(i, "a deadlock was missed");
    return;
  }
}
/* A cancel that has begun and has no later entry may still hit a wait that
** began after it. */
static int aimedAt(u64 iId){
  u32 c;
  for(c=0; c<MX; c++) if( iId && aOpen[c]==iId ) return 1;
  return 0;
}
static void closeCancel(u64 i, u32 c){
  u32 k;
  if( aOpen[c]==0 ) return;
  for(k=0; k<MX; k++) if( aS[k].iId==aOpen[c] ) aS[k].iCancelAt = i;
  aOpen[c] = 0;
}
/*------------------------------------------------------------- channels ---*/

/* A notification of channel c that began at entry iBegin was sent by now. */
static void sent(u64 iBegin, u32 c){
  u32 j;
  nSent++;
  for(j=0; j<MX; j++){
    Heard *h = &aS[j].aHeard[c];
    if( h->bListens && h->iAt<iBegin ) h->bMust = 1;
  }
}
/* The session has entered the lock file by a call that began after entry iFrom,
** and so its transaction's notes were sent. */
static void entered(Ses *s, u64 iFrom){
  u32 c;
  for(c=0; c<LOG_CHANNELS; c++){
    Heard *h = &s->aHeard[c];
    if( h->iCommit==0 || h->iCommit>iFrom ) continue;
    sent(h->iCommit, c);
    h->iCommit = 0;
  }
}
static void commits(u64 i, Ses *s){
  u32 c;
  for(c=0; c<LOG_CHANNELS; c++){
    if( s->a[LOG_CHANNEL+c][LOCK_SHARED].bTxn ) s->aHeard[c].iCommit = i;
  }
}
static void heard(u64 i, Ses *s, const LogEntry *e){
  Heard *h = &s->aHeard[e->iKey];
  nHeard += e->iToken!=h->iNumber;
  if( e->iToken<h->iNumber ) bad(i, "a number fell");
  if( e->iToken!=h->iNumber ) h->bMust = 0;
  else if( h->bMustNow ) bad(i, "a notification was lost");
  h->bMustNow = 0;
  h->iNumber = e->iToken;
  h->iAt = i;
}
static void onChannel(u64 i, Ses *s, const LogEntry *e){
  Heard *h = &s->aHeard[e->iKey];
  Hold *note = &s->a[LOG_CHANNEL+e->iKey][LOCK_SHARED];
  switch( e->eType ){
    case LOG_LISTEN:
      h->bListens = 1;
      h->bMust = h->bMustNow = 0;
      h->iNumber = e->iToken;
      h->iAt = i;
      break;
    case LOG_UNLISTEN: h->bListens = h->bMust = 0; break;
    case LOG_LOOK: h->bMustNow = h->bMust; break;
    case LOG_HEARD: heard(i, s, e); break;
    case LOG_NOTE:
      if( !note->bTxn ) note->iLevel = s->nSp;
      note->bTxn = 1;
      break;
    case LOG_NOTIFY: h->iNotify = i; break;
    default:
      sent(h->iNotify, e->iKey);
      entered(s, h->iNotify);
      break;
  }
}

static void result(u64 i, const LogEntry *e){
  Ses *s = &aS[e->iSes];
  if( !s->bWaits ) bad(i, "a result without an ask");
  if( e->rc!=LOCK_BUSY ) entered(s, asked(s)->t.iFrom);
  if( e->rc==LOCK_OK ) got(i, e);
  if( e->rc==LOCK_DEADLOCK ) deadlock(i, s);
  if( e->rc==LOCK_CANCELLED ){
    nCancel++;
    if( s->iCancelAt<asked(s)->t.iFrom && !aimedAt(s->iId) ){
      bad(i, "cancelled, and no session called a cancel");
    }
  }
  s->bWaits = 0;
  s->nCycle = 0;
  asked(s)->t.iTo = i;
}
static void ask(u64 i, const LogEntry *e){
  Ses *s = &aS[e->iSes];
  Asked *q;
  if( s->bWaits ) bad(i, "an ask without a result");
  s->bWaits = 1;
  s->msAsk = e->msTime;
  s->nAsked++;
  q = asked(s);
  q->iKey = e->iKey;
  q->eMode = e->eMode;
  q->nPermit = e->nPermit;
  q->t.iFrom = i;
  q->t.iTo = 0;
}
static void entry(u64 i, const LogEntry *e){
  Ses *s = &aS[e->iSes%MX];
  u32 k, m;
  if( e->eType==LOG_NONE ) return;
  if( i%2048==0 || e->msTime-msLook>500 ) standing(i, e->msTime);
  /* Between the entry of its kill and its death a process may log more, and a
  ** cancel of it may still hit. */
  if( e->iInc && e->iInc<=aDead[e->iSes/2] ){
    if( e->eType==LOG_CANCEL ){
      closeCancel(i, e->iSes);
      aOpen[e->iSes] = e->iToken;
    }
    return;
  }
  if( e->iInc ) closeCancel(i, e->iSes);
  spans(i, s, 0);
  switch( e->eType ){
    case LOG_OPEN: memset(s, 0, sizeof *s); s->iId = e->iToken; break;
    case LOG_CLOSE:
      memset(s->a, 0, sizeof s->a);
      memset(s->aHeard, 0, sizeof s->aHeard);
      s->iId = 0;
      break;
    case LOG_ASK: ask(i, e); break;
    case LOG_CYCLE:
      if( s->nCycle<CYCLE ) s->aCycle[s->nCycle++] = e->iToken;
      break;
    case LOG_RESULT: result(i, e); break;
    case LOG_RELEASE:
      s->iRelease = i;
      if( s->a[e->iKey][e->eMode].n ) s->a[e->iKey][e->eMode].n--;
      break;
    case LOG_RELEASED:
      if( e->rc==LOCK_BUSY ) s->a[e->iKey][e->eMode].n++;
      else entered(s, s->iRelease);
      break;
    case LOG_RELEASEALL:
      for(k=0; k<LOG_CHANNEL; k++) for(m=0; m<LOCK_MODES; m++) s->a[k][m].n = 0;
      break;
    case LOG_TXNEND:
      if( e->rc==0 ) commits(i, s);
      endHolds(s, 0);
      s->nSp = 0;
      break;
    case LOG_SAVEPOINT: s->nSp = e->iLevel; break;
    case LOG_OUTSIDE:
      for(k=0; k<LOG_ALL; k++) for(m=0; m<LOCK_MODES; m++){
        if( s->a[k][m].iLevel>e->iLevel ) s->a[k][m].iLevel = e->iLevel;
      }
      s->nSp = e->iLevel;
      break;
    case LOG_ROLLBACK: endHolds(s, e->iLevel); s->nSp = e->iLevel; break;
    case LOG_CANCEL:
      aOpen[e->iSes] = e->iToken;
      break;
    case LOG_LISTEN: case LOG_UNLISTEN: case LOG_LOOK: case LOG_HEARD:
    case LOG_NOTE: case LOG_NOTIFY: case LOG_NOTIFIED:
      onChannel(i, s, e);
      break;
    case LOG_KILL:
      aDead[e->iSes/2] = e->iToken;
      memset(&aS[e->iSes], 0, sizeof aS[0]);
      memset(&aS[e->iSes+1], 0, sizeof aS[0]);
      break;
  }
  spans(i, s, 1);
}

/* Checks everything from the beginning.  Returns what is wrong. */
static u32 check(Log *p){
  u64 i, nEntry = p->nEntry<p->mxEntry ? p->nEntry : p->mxEntry;
  u32 j;
  memset(aS, 0, sizeof aS);
  memset(aDead, 0, sizeof aDead);
  memset(aMaxToken, 0, sizeof aMaxToken);
  memset(aOpen, 0, sizeof aOpen);
  nBad = nGot = nDead = nCancel = nSlip = nEdge = nSeen = nSent = nHeard = 0;
  msLook = nEntry ? p->a[0].msTime : 0;
  for(i=0; i<nEntry; i++) entry(i+1, &p->a[i]);
  if( nEntry==0 || p->a[nEntry-1].eType!=LOG_END ) bad(nEntry, "no end");
  for(j=0; j<MX; j++) if( aS[j].bWaits ) bad(nEntry, "an ask without a result");
  return nBad;
}

/* Falsifies entry e in way eWay.  Returns 0 if that makes no sense there. */
enum { REFUSED, PERMIT, TOKEN, MEMBER, CANCELS, DEAF, LOST, WAYS };
static const char *azWay[] = { "a refusal made a grant",
  "a permit refused made a grant", "a token set back",
  "a member of a cycle changed", "a timeout made a cancel",
  "a number not heard", "a result lost" };
/* Makes a look that has found a new number one that has found none. */
static int deafen(LogEntry *e){
  LogEntry *q = e;
  if( e->eType!=LOG_HEARD ) return 0;
  while( q->eType!=LOG_LOOK || q->iSes!=e->iSes ) q--;
  if( q->iToken==e->iToken ) return 0;
  e->iToken = q->iToken;
  return 1;
}
static int falsify(LogEntry *e, int eWay, u64 iOther){
  if( eWay==MEMBER ){
    if( e->eType!=LOG_CYCLE || e->iToken==iOther ) return 0;
    e->iToken = iOther;
    return 1;
  }
  if( eWay==DEAF ) return deafen(e);
  if( e->eType!=LOG_RESULT ) return 0;
  switch( eWay ){
    case REFUSED:
    case PERMIT:
      if( (e->iKey==LOG_SEMAPHORE)!=(eWay==PERMIT) ) return 0;
      if( e->rc!=LOCK_NO && (eWay==REFUSED || e->rc!=LOCK_TIMEOUT) ) return 0;
      e->rc = LOCK_OK;
      e->iToken = (u64)1<<60;
      return 1;
    case TOKEN:
      if( e->rc!=LOCK_OK || e->eMode!=LOCK_EXCLUSIVE || e->iKey>=LOG_KEYS ){
        return 0;
      }
      e->iToken = 1;
      return 1;
    case CANCELS:
      if( e->rc!=LOCK_TIMEOUT ) return 0;
      e->rc = LOCK_CANCELLED;
      return 1;
    default:
      e->eType = LOG_NONE;
      return 1;
  }
}
static void spoil(Log *p){
  u64 seed = 7, nEntry = p->nEntry;
  int eWay, n, nSeenWay, nTry;
  for(eWay=0; eWay<WAYS; eWay++){
    nSeenWay = nTry = 0;
    for(n=0; n<24 && nTry<1000000; nTry++){
      LogEntry *e = &p->a[rnd(&seed)%nEntry], was = *e, *q = e;
      u64 iOther = 0;               /* a session that lived at that time */
      while( q>p->a && q->eType!=LOG_CANCEL ) q--;
      if( q->eType==LOG_CANCEL ) iOther = q->iToken;
      if( iOther==0 || !falsify(e, eWay, iOther) ) continue;
      nSeenWay += check(p)>0;
      *e = was;
      n++;
    }
    printf("spoiled: %s: %d of %d noticed\n", azWay[eWay], nSeenWay, n);
    nTest++;
    if( nSeenWay<6 ) nError++;
  }
}
/* Adds two sessions that wait for each other, for five seconds. */
static void missed(void){
  static union { Log l; u8 a[sizeof(Log) + 10*sizeof(LogEntry)]; } space;
  Log *log = &space.l;
  u32 i;
  LogEntry *e = log->a;
  for(i=0; i<2; i++){
    *e++ = (LogEntry){ .eType = LOG_OPEN, .iSes = (u8)(i*2), .iToken = i+1 };
    *e++ = (LogEntry){ .eType = LOG_ASK, .iSes = (u8)(i*2), .iKey = (u8)i,
                       .eMode = LOCK_EXCLUSIVE };
    *e++ = (LogEntry){ .eType = LOG_RESULT, .iSes = (u8)(i*2), .iKey = (u8)i,
                       .eMode = LOCK_EXCLUSIVE, .iToken = i+1 };
  }
  for(i=0; i<2; i++){
    *e++ = (LogEntry){ .eType = LOG_ASK, .iSes = (u8)(i*2), .iKey = (u8)(1-i),
                       .eMode = LOCK_EXCLUSIVE };
  }
  *e++ = (LogEntry){ .eType = LOG_END, .msTime = MS_MISSED+1000 };
  log->nEntry = log->mxEntry = (u64)(e - log->a);
  CHECK(check(log)==3);            /* that, and two asks without a result */
}

int main(int n, char **a){
  struct stat st;
  int fd = n>1 ? open(a[1], O_RDONLY) : -1;
  Log *p;
  if( fd<0 || fstat(fd, &st)!=0 ) return 2;
  p = mmap(0, (size_t)st.st_size, PROT_READ|PROT_WRITE, MAP_PRIVATE, fd, 0);
  nTest = (int)p->nEntry;
  nError = (int)check(p);
  printf("lkcheck: %llu entries, %llu grants, %llu deadlocks, %llu edges "
         "of them (%llu members gone), %llu looks for one that stands, %llu "
         "cancelled\n", (unsigned long long)p->nEntry,
         (unsigned long long)nGot, (unsigned long long)nDead,
         (unsigned long long)nEdge, (unsigned long long)nSlip,
         (unsigned long long)nSeen, (unsigned long long)nCancel);
  printf("lkcheck: %llu notifications sent for certain, %llu new numbers "
         "heard\n", (unsigned long long)nSent, (unsigned long long)nHeard);
  if( n>2 && nError==0 ){
    bSpoil = 1;
    missed();
    spoil(p);
  }
  return finish("lkcheck");
}
