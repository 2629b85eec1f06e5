/* SPDX-License-Identifier: 0BSD */
/*
** The functions that lock rows and tables.
*/
#ifndef INTERLOCK_ROWLOCK_H
#define INTERLOCK_ROWLOCK_H

#include "session/function.h"

FunctionList rowlockFunctions(void);

#endif
