/* SPDX-License-Identifier: 0BSD */
/*
** The functions that take rows of a table which nobody has locked.
*/
#ifndef INTERLOCK_SKIPLOCKED_H
#define INTERLOCK_SKIPLOCKED_H

#include "session/function.h"

FunctionTable skiplockedFunctions(void);

#endif
