/* SPDX-License-Identifier: 0BSD */
/*
** From the lock manager's results to SQL errors: the prefix, text and code of
** each result. Checks that need no result of the lock manager set errors of
** their own, and their files have the texts: `lock wait refused:` of a read
** that can be old (snapshot.c, rowsearch.c), `no transaction:` (connection.c,
** txnscope.c, rowsearch.c; beside locks expect.c, lease.c), `row locked:` and
** `table locked:` of a guarded write (guardcheck.c).
*/
#ifndef INTERLOCK_LOCKERROR_H
#define INTERLOCK_LOCKERROR_H

#include "session/filesession.h"
#include "sqlite/sqlx.h"
#include "session/waiting.h"

/* What failed. */
typedef struct LockFailure {
  const FileSession *pFs;
  const LockKey *pKey;   /* of the request, or NULL */
  i64 msTimeout;         /* of the request */
  Waiting eWaiting;      /* why the connection must not wait */
  const char *zBusy;     /* of eWaiting: the schema or the file, or NULL */
  const char *zHeld;     /* what is not free, if it is no lock; or NULL */
} LockFailure;

/* Sets the error of a result. LOCK_OK, LOCK_NO and LOCK_NOFILE are none. The
** compiler refuses a result that the function does not list. */
void lockerrorSet(Sqlx*, LockRc, const LockFailure*);

#endif
