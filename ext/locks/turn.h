/* SPDX-License-Identifier: 0BSD */
/*
** Write turns: a queue for SQLite's write lock.
*/
#ifndef INTERLOCK_TURN_H
#define INTERLOCK_TURN_H

#include "session/function.h"

FunctionList turnFunctions(void);

#endif
