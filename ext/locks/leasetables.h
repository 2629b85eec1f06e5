/* SPDX-License-Identifier: 0BSD */
/*
** The virtual table lease_status.
*/
#ifndef INTERLOCK_LEASETABLES_H
#define INTERLOCK_LEASETABLES_H

#include <sqlite3ext.h>

int leasetablesRegister(sqlite3 *db);
void leasetablesUnregister(sqlite3 *db);

#endif
