/* SPDX-License-Identifier: 0BSD */
/*
** The functions of leases, with their reference text; and the virtual table
** lease_status, which is in leasetables.c.
*/
#ifndef INTERLOCK_LEASE_H
#define INTERLOCK_LEASE_H

#include "session/function.h"

FunctionList leaseFunctions(void);

#endif
