/* SPDX-License-Identifier: 0BSD */
/*
** The virtual tables that show the lock file. They are eponymous, and read
** the lock file when a scan begins.
*/
#ifndef INTERLOCK_INSPECTTABLES_H
#define INTERLOCK_INSPECTTABLES_H

#include "session/connection.h"

int inspecttablesRegister(sqlite3*, Connection*);
void inspecttablesUnregister(sqlite3*);

#endif
