/* SPDX-License-Identifier: 0BSD */
/*
** The virtual tables that show the lock file. They are eponymous, and read
** the lock file when a scan begins.
*/
#ifndef INTERLOCK_LOCKVTAB_H
#define INTERLOCK_LOCKVTAB_H

#include "session/session.h"

int lockvtabRegister(sqlite3*, Session*);
void lockvtabUnregister(sqlite3*);

#endif
