/* SPDX-License-Identifier: 0BSD */
/*
** The functions of semaphores, with their reference text.
*/
#ifndef INTERLOCK_SEMAPHORE_H
#define INTERLOCK_SEMAPHORE_H

#include "session/function.h"

FunctionList semaphoreFunctions(void);

#endif
