/* SPDX-License-Identifier: 0BSD */
/*
** One SQL function: a row of the tables from which all are registered, and
** what its code finds in sqlite3_user_data().
*/
#ifndef INTERLOCK_FUNCTION_H
#define INTERLOCK_FUNCTION_H

#include <sqlite3ext.h>
#include "session/connection.h"

#define FUNCTION_ANY (-1)  /* arguments counted by the function itself, with a
                           ** better error than SQLite's */

#define FUNCTION_INNOCUOUS (-1)  /* as eOp: triggers of any schema may call it;
                           ** all others are for SQL of the program itself */

/* What sets apart the functions that share their code. */
typedef struct FunctionWord {
  int eOp;
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
} FunctionCall;

#endif
