/* SPDX-License-Identifier: 0BSD */
/*
** lkcheck.c: reads the log of lktorture and knows nothing of the lock manager
** but the meaning of its calls.  Checked: nobody gets a lock while another
** session believes to hold a conflicting one; tokens are never given twice and
** grow from one grant to the next that excludes it; a session that lost a wait
** to a deadlock names sessions that waited at that time; a cancelled wait had
** a canceller; everybody's last ask has a result, or its process was killed.
*/
#include "util.h"
#include "log.h"

enum { MX = 64 };
typedef struct Hold { u32 n; u32 bTxn; u32 iLevel; u64 iToken; } Hold;
typedef struct Ses {
  Hold a[LOG_KEYS][LOCK_MODES];
  u64 iId, iAskAt, iLastAsk, iLastEnd, iCancelAt;
  u32 bWaits, nSp;
} Ses;
static Ses aS[MX];
static u64 aDead[MX];          /* last one killed, of each place */
static u64 aMaxToken[LOG_KEYS][LOCK_MODES];
static u64 aOpen[MX];          /* whom the cancel that is under way aims at */
static u64 nGot, nDead, nCancel, nSlip;
static const u32 aConf[] = { 0, 1u<<5, 1u<<3|1u<<4|1u<<5, 1u<<2|1u<<4|1u<<5,
                             1u<<2|1u<<3|1u<<4|1u<<5, 62 };

static void bad(u64 i, const char *z){
  if( nError++<20 ) fprintf(stderr, "entry %llu: %s\n",
                            (unsigned long long)i, z);
}
static int held(const Hold *h){ return h->n || h->bTxn; }

static void got(u64 i, const LogEntry *e){
  Ses *s = &aS[e->iSes];
  Hold *h = &s->a[e->iKey][e->eMode];
  u32 j, m;
  nGot++;
  for(j=0; j<MX; j++) for(m=1; m<LOCK_MODES; m++){
    if( j==e->iSes || !(aConf[e->eMode]>>m & 1) ) continue;
    if( held(&aS[j].a[e->iKey][m]) ) bad(i, "two hold conflicting locks");
  }
  if( !held(h) && e->iToken ){
    /* lockToken tells the strongest mode's: new if this is the strongest */
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
static void drop(Ses *s, u32 iLevel){        /* transaction holds from there */
  u32 k, m;
  for(k=0; k<LOG_KEYS; k++) for(m=0; m<LOCK_MODES; m++){
    if( s->a[k][m].bTxn && s->a[k][m].iLevel>=iLevel ) s->a[k][m].bTxn = 0;
  }
}
/* Each session of the cycle waited at some time between ask and result. */
static void deadlock(u64 i, const LogEntry *e){
  u32 j, c;
  nDead++;
  for(c=1; c<4 && e->aCycle[c]; c++){
    for(j=0; j<MX && aS[j].iId!=e->aCycle[c]; j++){}
    if( j==MX ){ nSlip++; continue; }        /* closed or killed since */
    if( !aS[j].bWaits && aS[j].iLastEnd<aS[e->iSes].iAskAt ){
      bad(i, "a deadlock with a session that did not wait");
    }
  }
}
/* A cancel that has begun and of which no later entry is known may still hit
** a wait that began after it. */
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
static void result(u64 i, const LogEntry *e){
  Ses *s = &aS[e->iSes];
  if( !s->bWaits ) bad(i, "a result without an ask");
  if( e->rc==LOCK_OK ) got(i, e);
  if( e->rc==LOCK_DEADLOCK ) deadlock(i, e);
  if( e->rc==LOCK_CANCELLED ){
    nCancel++;
    if( s->iCancelAt<s->iAskAt && !aimedAt(s->iId) ){
      bad(i, "cancelled by nobody");
    }
  }
  s->bWaits = 0;
  s->iLastEnd = i;
}
static void entry(u64 i, const LogEntry *e){
  Ses *s = &aS[e->iSes%MX];
  u32 k, m;
  /* between the entry of its kill and its death a process may log more */
  if( e->iInc && e->iInc<=aDead[e->iSes/2] ) return;
  if( e->iInc ) closeCancel(i, e->iSes);
  switch( e->eType ){
    case LOG_OPEN: memset(s, 0, sizeof *s); s->iId = e->iToken; break;
    case LOG_CLOSE: memset(s->a, 0, sizeof s->a); s->iId = 0; break;
    case LOG_ASK: s->bWaits = 1; s->iAskAt = i; break;
    case LOG_RESULT: result(i, e); break;
    case LOG_RELEASE:
      if( s->a[e->iKey][e->eMode].n ) s->a[e->iKey][e->eMode].n--;
      break;
    case LOG_RELEASED:
      if( e->rc==LOCK_BUSY ) s->a[e->iKey][e->eMode].n++;
      break;
    case LOG_RELEASEALL:
      for(k=0; k<LOG_KEYS; k++) for(m=0; m<LOCK_MODES; m++) s->a[k][m].n = 0;
      break;
    case LOG_TXNEND: drop(s, 0); s->nSp = 0; break;
    case LOG_SAVEPOINT: s->nSp = e->iLevel; break;
    case LOG_OUTSIDE:
      for(k=0; k<LOG_KEYS; k++) for(m=0; m<LOCK_MODES; m++){
        if( s->a[k][m].iLevel>e->iLevel ) s->a[k][m].iLevel = e->iLevel;
      }
      s->nSp = e->iLevel;
      break;
    case LOG_ROLLBACK: drop(s, e->iLevel); s->nSp = e->iLevel; break;
    case LOG_CANCEL:
      aOpen[e->iSes] = e->iToken;
      break;
    case LOG_KILL:
      aDead[e->iSes/2] = e->iToken;
      memset(&aS[e->iSes], 0, sizeof aS[0]);
      memset(&aS[e->iSes+1], 0, sizeof aS[0]);
      break;
  }
}

int main(int n, char **a){
  struct stat st;
  int fd = n>1 ? open(a[1], O_RDONLY) : -1;
  Log *p;
  u64 i, nEntry;
  u32 j;
  if( fd<0 || fstat(fd, &st)!=0 ) return 2;
  p = mmap(0, (size_t)st.st_size, PROT_READ, MAP_SHARED, fd, 0);
  nEntry = p->nEntry<p->mxEntry ? p->nEntry : p->mxEntry;
  for(i=0; i<nEntry; i++){
    nTest++;
    entry(i, &p->a[i]);
  }
  if( nEntry==0 || p->a[nEntry-1].eType!=LOG_END ) bad(nEntry, "no end");
  for(j=0; j<MX; j++) if( aS[j].bWaits ) bad(nEntry, "an ask without a result");
  printf("lkcheck: %llu entries, %llu grants, %llu deadlocks (%llu members "
         "gone), %llu cancelled\n", (unsigned long long)nEntry,
         (unsigned long long)nGot, (unsigned long long)nDead,
         (unsigned long long)nSlip, (unsigned long long)nCancel);
  return finish("lkcheck");
}
