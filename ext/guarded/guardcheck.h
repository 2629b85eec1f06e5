/* SPDX-License-Identifier: 0BSD */
/*
** The functions that the triggers of guarded tables call for each row that is
** written.
*/
#ifndef INTERLOCK_GUARDCHECK_H
#define INTERLOCK_GUARDCHECK_H

#include "session/function.h"

FunctionList guardcheckFunctions(void);

#endif
