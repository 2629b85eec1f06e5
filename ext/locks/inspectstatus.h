/* SPDX-License-Identifier: 0BSD */
/*
** interlock_status(): the inspection tables as one JSON text.
*/
#ifndef INTERLOCK_INSPECTSTATUS_H
#define INTERLOCK_INSPECTSTATUS_H

#include "session/function.h"

FunctionList inspectstatusFunctions(void);

#endif
