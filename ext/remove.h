/* SPDX-License-Identifier: 0BSD */
/*
** Taking Interlock out of a database: the functions that list and drop what
** Interlock has made there.
*/
#ifndef INTERLOCK_REMOVE_H
#define INTERLOCK_REMOVE_H

#include "session/function.h"

FunctionList removeFunctions(void);

#endif
