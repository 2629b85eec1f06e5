/* SPDX-License-Identifier: 0BSD */
/*
** The SQL functions that guard tables, with their reference text. The functions
** that the guards call are in guardcheck.h.
*/
#ifndef INTERLOCK_GUARDEDFUNCTIONS_H
#define INTERLOCK_GUARDEDFUNCTIONS_H

#include "session/function.h"

FunctionList guardedFunctions(void);

#endif
