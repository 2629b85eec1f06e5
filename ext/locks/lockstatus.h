/* SPDX-License-Identifier: 0BSD */
/*
** interlock_status(): what the inspection tables show, as one text.
*/
#ifndef INTERLOCK_LOCKSTATUS_H
#define INTERLOCK_LOCKSTATUS_H

#include "session/function.h"

FunctionTable lockstatusFunctions(void);

#endif
