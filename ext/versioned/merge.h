/* SPDX-License-Identifier: 0BSD */
/*
** What a row looked like at a version, and the three-way merge of a write that
** was refused.
*/
#ifndef INTERLOCK_MERGE_H
#define INTERLOCK_MERGE_H

#include "session/function.h"

FunctionList mergeFunctions(void);

#endif
