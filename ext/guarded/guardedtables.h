/* SPDX-License-Identifier: 0BSD */
/*
** The virtual table guarded_tables.
*/
#ifndef INTERLOCK_GUARDEDTABLES_H
#define INTERLOCK_GUARDEDTABLES_H

#include <sqlite3ext.h>

int guardedtablesRegister(sqlite3 *db);
void guardedtablesUnregister(sqlite3 *db);

#endif
