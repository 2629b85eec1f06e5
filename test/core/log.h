/* SPDX-License-Identifier: 0BSD */
/*
** log.h: the log that lktorture and advisorytorture.c write and lkcheck
** reads: one file, entries taken by fetch-and-add, so that their order is an
** order in which the events can have happened.  What a session gives up is
** logged before the call, what it got after it: between the two entries it
** believes to hold the lock.  eType is stored last: an entry whose writer was
** killed in the middle is LOG_NONE.
*/
#ifndef LOCK_TEST_LOG_H
#define LOCK_TEST_LOG_H
#include "../../ext/core/base.h"

enum { LOG_NONE, LOG_OPEN, LOG_CLOSE, LOG_ASK, LOG_CYCLE, LOG_RESULT,
       LOG_RELEASE, LOG_RELEASED, LOG_RELEASEALL, LOG_TXNEND, LOG_SAVEPOINT,
       LOG_ROLLBACK, LOG_CANCEL, LOG_CANCELLED, LOG_KILL, LOG_END,
       LOG_OUTSIDE };   /* a savepoint is released: iLevel is the outer one */
typedef struct LogEntry {
  u8 eType;
  u8 iSes;                /* process*2 + session of it */
  u8 iKey, eMode, eScope;
  int8_t rc;
  u8 iLevel;              /* savepoint depth */
  u8 pad;
  u32 iInc;               /* which process of that place in the array */
  u32 msTime;
  u64 iToken;             /* LOG_OPEN, _CYCLE, _CANCEL: a session's id */
} LogEntry;
typedef struct Log {
  u64 nEntry, mxEntry, nOp, mxOp;
  u64 nKill, nStop;
  u64 aId[64];            /* present session id of each iSes */
  LogEntry a[1];
} Log;
enum { LOG_KEYS = 8 };
#endif
