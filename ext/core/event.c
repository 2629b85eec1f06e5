/* SPDX-License-Identifier: 0BSD */
/*
** event.c: wake-ups by name.  See lock.h.
*/
#include "core/lockint.h"

static u32 *eventWord(LockFile *pF, const char *zName){
  return &segHeader(&pF->seg)->event[keyEvent(zName) % SEG_EVENTS];
}
u32 lockEvent(LockFile *pF, const char *zName){
  return atomicGetAcq(eventWord(pF, zName));
}
/* A signal ends a sleep early, so the clock decides when the time is over. */
void lockEventWait(LockFile *pF, const char *zName, u32 iSeen, i64 ms){
  u32 *pWord = eventWord(pF, zName);
  u64 usNow = osMonotonicUs(), usEnd = usNow + (u64)ms*1000;
  while( !pF->bForked && usNow<usEnd && atomicGetAcq(pWord)==iSeen ){
    osWait(pWord, iSeen, (i64)(usEnd-usNow));
    usNow = osMonotonicUs();
  }
}
void lockEventPost(LockFile *pF, const char *zName){
  if( pF->bForked ) return;
  atomicAdd(eventWord(pF, zName), 1);
  if( !BUG(EVENT_SILENT) ) osWake(eventWord(pF, zName), 1<<30);
}
