/* SPDX-License-Identifier: 0BSD */
/*
** The SQL functions that fence tables, with their reference text.
*/
#ifndef INTERLOCK_FENCEDFUNCTIONS_H
#define INTERLOCK_FENCEDFUNCTIONS_H

#include "session/function.h"

FunctionList fencedFunctions(void);

#endif
