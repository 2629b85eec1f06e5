/* SPDX-License-Identifier: 0BSD */
/*
** interlock_status(): what the inspection tables show, as one text.
*/
#ifndef INTERLOCK_INSPECTSTATUS_H
#define INTERLOCK_INSPECTSTATUS_H

#include "session/function.h"

FunctionTable inspectstatusFunctions(void);

#endif
