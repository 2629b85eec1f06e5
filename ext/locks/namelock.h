/* SPDX-License-Identifier: 0BSD */
/*
** MySQL's named locks.
*/
#ifndef INTERLOCK_NAMELOCK_H
#define INTERLOCK_NAMELOCK_H

#include "session/function.h"

FunctionTable namelockFunctions(void);

#endif
