/* SPDX-License-Identifier: 0BSD */
/*
** log.h: the log that lktorture and advisorytorture.c write and lkcheck reads.
** It is one file.  A process takes an entry by fetch-and-add, so the order of
** entries is an order in which the events can have happened.  A session must
** log before the call what it gives up, and after the call what it got.
** Between the two entries it believes that it holds the lock.  eType must be
** stored last: an entry whose writer was killed in the middle is LOG_NONE.
*/
#ifndef LOCK_TEST_LOG_H
#define LOCK_TEST_LOG_H
#include "../../ext/core/base.h"

enum { LOG_NONE, LOG_OPEN, LOG_CLOSE, LOG_ASK, LOG_CYCLE, LOG_RESULT,
       LOG_RELEASE, LOG_RELEASED, LOG_RELEASEALL, LOG_TXNEND, LOG_SAVEPOINT,
       LOG_ROLLBACK, LOG_CANCEL, LOG_CANCELLED, LOG_KILL, LOG_END,
       LOG_OUTSIDE,     /* a savepoint is released: iLevel is the outer one */
       LOG_LISTEN,      /* listens since, and has seen the number iToken */
       LOG_UNLISTEN, LOG_LOOK, LOG_HEARD,    /* iToken: the number seen */
       LOG_NOTE, LOG_NOTIFY, LOG_NOTIFIED };
typedef struct LogEntry {
  u8 eType;
  u8 iSes;                /* process*2 + session of it */
  u8 iKey, eMode, eScope;
  int8_t rc;              /* LOG_TXNEND: 1 is a rollback */
  u8 iLevel;              /* savepoint depth */
  u8 nPermit;             /* of a semaphore, that the request has named */
  u32 iInc;               /* number of the process in that place */
  u32 msTime;
  u64 iToken;             /* LOG_OPEN, _CYCLE, _CANCEL: a session's id */
} LogEntry;
typedef struct Log {
  u64 nEntry, mxEntry, nOp, mxOp;
  u64 nKill, nStop;
  u64 aId[64];            /* present session id of each iSes */
  LogEntry a[1];
} Log;
/* Keys: locks; a semaphore of LOG_PERMITS permits, and one of which a request
** names 1 to LOG_PERMITS2; the channels, by their notes. */
enum { LOG_KEYS = 8, LOG_CHANNELS = 2, LOG_SEMAPHORE = LOG_KEYS,
       LOG_SEMAPHORE2, LOG_CHANNEL, LOG_ALL = LOG_CHANNEL+LOG_CHANNELS,
       LOG_PERMITS = 2, LOG_PERMITS2 = 3 };
#endif
