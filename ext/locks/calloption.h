/* SPDX-License-Identifier: 0BSD */
/*
** Options of one call of a lock function: how long it waits, and which task of
** the connection calls. They come last among its arguments, and are values that
** only wait_at_most() and as_task() return, so they are never taken for a key.
*/
#ifndef INTERLOCK_CALLOPTION_H
#define INTERLOCK_CALLOPTION_H

#include "session/function.h"
#include "sqlite/sqlx.h"

#define CALLOPTION_WAIT 1u   /* wait_at_most(ms) */
#define CALLOPTION_TASK 2u   /* as_task(name) */

typedef struct CallOptions {
  u32 mGiven;            /* CALLOPTION_WAIT | CALLOPTION_TASK */
  i64 msTimeout;         /* how long to wait: the connection's, if not given */
  LockKey task;          /* the task's name, if it is given */
} CallOptions;

/* Reads the options at the end of the arguments. Returns how many arguments
** come before them. An option that is not in mAllowed is an error. */
int calloptionRead(Sqlx*, const FunctionCall*, int nArg, sqlite3_value **apArg,
                   u32 mAllowed, CallOptions*);
/* A timeout that is an argument of its own; an error beside wait_at_most. */
i64 calloptionTimeout(Sqlx*, const CallOptions*, sqlite3_value*);
/* The name of the task; NULL if none is given. */
const LockKey *calloptionTask(const CallOptions*);

FunctionList calloptionFunctions(void);

#endif
