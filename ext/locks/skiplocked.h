/* SPDX-License-Identifier: 0BSD */
/*
** The functions that lock rows of a table which no session has locked.
*/
#ifndef INTERLOCK_SKIPLOCKED_H
#define INTERLOCK_SKIPLOCKED_H

#include "session/function.h"

FunctionList skiplockedFunctions(void);

#endif
