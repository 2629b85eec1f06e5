/* SPDX-License-Identifier: 0BSD */
/*
** The functions that lock all rows of a table that match a condition, and wait
** for them, with their reference text.
*/
#ifndef INTERLOCK_LOCKROWS_H
#define INTERLOCK_LOCKROWS_H

#include "session/function.h"

FunctionList lockrowsFunctions(void);

#endif
