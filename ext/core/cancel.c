/* SPDX-License-Identifier: 0BSD */
/*
** cancel.c: ending another session's wait: Cancel of ext/core/README.md.
*/
#include "core/lockint.h"

/* Cancels the wait of session slot k, if that is the session of that id. */
static LockRc cancelSlot(Seg *p, u32 k, u64 iId){
  SegSession *s = segSession(p, k);
  u64 iState = atomicGetAcq(&s->state);
  u32 i = atomicGet(&s->waits), iRec;
  SegRecord *r;
  if( atomicGet(&s->id)!=iId || SEG_LOW(iState)!=SEG_LIVE ) return LOCK_NO;
  if( i-1>=segRecords(p) ) return LOCK_NO;
  r = segRecord(p, i);
  iRec = atomicGetAcq(&r->state);              /* CANCEL-LOOK */
  if( SEG_STATE(iRec)!=SEG_WAITING || atomicGet(&r->session)!=k
   || atomicGet(&r->generation)!=SEG_HIGH(iState) ){
    return LOCK_NO;
  }
  CRASH(CANCEL_LOOK);
  if( BUG(CANCEL_NOSEQ) ){
    iRec = atomicGetAcq(&r->state);
    if( SEG_STATE(iRec)!=SEG_WAITING ) return LOCK_NO;
  }
  /* CANCEL-STATE */
  if( !atomicCas32(&r->state, iRec, SEG_WITH(iRec, SEG_CANCELLED)) ){
    return LOCK_NO;
  }
  CRASH(CANCEL_STATE);
  atomicAdd(&segHeader(p)->stat[STAT_CANCELS], 1);
  if( !BUG(CANCEL_SILENT) ) osWake(&r->state, 1);   /* CANCEL-WAKE */
  return LOCK_OK;
}

LockRc lockCancel(LockFile *pF, u64 iId){
  u32 k, nUsed = segSessions(&pF->seg);
  LockRc rc = lockUsable(pF);
  if( rc==LOCK_OK && segStale(&pF->seg) ) rc = segRefresh(&pF->seg);
  if( rc!=LOCK_OK ) return rc;
  for(k=1; k<=nUsed; k++){
    if( atomicGet(&segSession(&pF->seg, k)->id)==iId ){
      return cancelSlot(&pF->seg, k, iId);
    }
  }
  return LOCK_NO;
}
