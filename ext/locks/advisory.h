/* SPDX-License-Identifier: 0BSD */
/*
** The functions of advisory locks, under Interlock's names and PostgreSQL's.
*/
#ifndef INTERLOCK_ADVISORY_H
#define INTERLOCK_ADVISORY_H

#include "session/function.h"

FunctionList advisoryFunctions(void);

#endif
