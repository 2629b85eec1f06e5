/* SPDX-License-Identifier: 0BSD */
/*
** Write turns: a queue for SQLite's one write lock.
*/
#ifndef INTERLOCK_TURN_H
#define INTERLOCK_TURN_H

#include "session/function.h"

FunctionTable turnFunctions(void);

#endif
