/* SPDX-License-Identifier: 0BSD */
/*
** watch.h: a descriptor that becomes readable when a request that does not wait
** is decided: granted, or ended by a cancel.
**
** A watch has a pipe and a thread of its own.  The thread sleeps on the state
** words of the requests that are watched, as waiting sessions do, and polls for
** them every 50 ms.  So a request whose holder has died is decided although its
** session makes no call.
**
** The pipe is readable from the moment when one of the requests is decided,
** until the sessions of all such requests have asked, or their program has read
** what is in it.  It is a pipe and no eventfd, since event loops such as that
** of libuv accept pipes only.
*/
#ifndef INTERLOCK_WATCH_H
#define INTERLOCK_WATCH_H

#include "core/lock.h"

typedef struct LockWatch LockWatch;

/*
** watchBegin: makes the pipe and the thread.  LOCK_NOMEM or LOCK_IOERR.
** watchEnd: ends both; the sessions of watched requests must have ended.
** watchFd: the end of the pipe to wait for.  It is closed in a program that
** this process starts, and never written in a fork's child.
** watchRequest: watches the request of a session from now on, until it is taken
** or has ended; once is enough.  LOCK_NOMEM: it is not watched.
*/
LockRc watchBegin(const LockMem*, LockWatch**);
void watchEnd(LockWatch*);
int watchFd(const LockWatch*);
LockRc watchRequest(LockWatch*, LockSession*);

#endif
