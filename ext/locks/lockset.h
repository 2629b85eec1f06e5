/* SPDX-License-Identifier: 0BSD */
/*
** The functions that lock several keys or rows at once, with their reference
** text.
*/
#ifndef INTERLOCK_LOCKSET_H
#define INTERLOCK_LOCKSET_H

#include "session/function.h"

FunctionList locksetFunctions(void);

#endif
