/* SPDX-License-Identifier: 0BSD */
/*
** What the lock manager's results become in SQL: the one home of the prefixes,
** texts and codes of its errors.
*/
#ifndef INTERLOCK_LOCKERROR_H
#define INTERLOCK_LOCKERROR_H

#include "session/filesession.h"
#include "sqlite/sqlx.h"
#include "session/waiting.h"

/* Who failed, at what. */
typedef struct LockFailure {
  const FileSession *pFs;
  const LockKey *pKey;   /* what was asked for, or NULL */
  i64 msTimeout;         /* how long it may have been waited for */
  Waiting eWaiting;      /* why it may not be waited for */
  const char *zBusy;     /* the schema that this is about, or NULL */
} LockFailure;

/* Make an error of a result, unless it is none. */
void lockerrorSet(Sqlx*, LockRc, const LockFailure*);

#endif
