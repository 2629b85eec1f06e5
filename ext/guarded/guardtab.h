/* SPDX-License-Identifier: 0BSD */
/*
** The virtual table guarded_tables.
*/
#ifndef INTERLOCK_GUARDTAB_H
#define INTERLOCK_GUARDTAB_H

#include <sqlite3ext.h>

int guardtabRegister(sqlite3 *db);
void guardtabUnregister(sqlite3 *db);

#endif
