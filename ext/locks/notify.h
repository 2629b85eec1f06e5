/* SPDX-License-Identifier: 0BSD */
/*
** The functions of notifications, with their reference text.
*/
#ifndef INTERLOCK_NOTIFY_H
#define INTERLOCK_NOTIFY_H

#include "session/function.h"

FunctionList notifyFunctions(void);

#endif
