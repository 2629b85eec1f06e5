/* SPDX-License-Identifier: 0BSD */
/*
** MySQL's named locks.
*/
#ifndef INTERLOCK_GETLOCK_H
#define INTERLOCK_GETLOCK_H

#include "session/function.h"

FunctionList getlockFunctions(void);

#endif
