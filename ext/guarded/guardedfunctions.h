/* SPDX-License-Identifier: 0BSD */
/*
** The SQL functions that guard tables, with their reference text. What the
** guards themselves call is not among them.
*/
#ifndef INTERLOCK_GUARDEDFUNCTIONS_H
#define INTERLOCK_GUARDEDFUNCTIONS_H

#include "session/function.h"

FunctionList guardedFunctions(void);

#endif
