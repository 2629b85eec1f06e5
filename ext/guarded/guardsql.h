/* SPDX-License-Identifier: 0BSD */
/*
** The SQL functions that guard tables, with their reference text. What the
** guards themselves call is not among them.
*/
#ifndef INTERLOCK_GUARDSQL_H
#define INTERLOCK_GUARDSQL_H

#include "session/function.h"

FunctionList guardsqlFunctions(void);

#endif
