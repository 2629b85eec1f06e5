/* SPDX-License-Identifier: 0BSD */
/*
** The lists from which SQL functions are registered, and what the code of a
** function finds in sqlite3_user_data().
*/
#ifndef INTERLOCK_FUNCTION_H
#define INTERLOCK_FUNCTION_H

#include <sqlite3ext.h>
#include "session/connection.h"

/* As nArg: the function checks the number of its arguments itself, since its
** error says more than SQLite's. */
#define FUNCTION_ANY (-1)

/* As eOp: triggers and views of any schema may call the function. All others
** only SQL of the program may call. */
#define FUNCTION_INNOCUOUS (-1)

/* How the functions that share their code differ. */
typedef struct FunctionWord {
  int eOp;               /* the code's own; or FUNCTION_INNOCUOUS */
  u32 eMode;             /* LOCK_SHARED, LOCK_EXCLUSIVE */
  u32 eScope;            /* LOCK_SCOPE_... */
  int bPostgres;         /* with PostgreSQL's arguments and results */
} FunctionWord;

typedef struct Function {
  const char *zName;
  int nArg;
  void (*xFunc)(sqlite3_context*, int, sqlite3_value**);
  FunctionWord word;
} Function;

typedef struct FunctionList {
  const Function *a;
  int n;
} FunctionList;

/* sqlite3_user_data() of every function. */
typedef struct FunctionCall {
  const Function *pThis;
  Connection *pConn;
  unsigned iTemp;        /* for directAllowed() */
} FunctionCall;

#endif
