/* SPDX-License-Identifier: 0BSD */
/*
** The virtual table fenced_tables.
*/
#ifndef INTERLOCK_FENCEDTABLES_H
#define INTERLOCK_FENCEDTABLES_H

#include <sqlite3ext.h>

int fencedtablesRegister(sqlite3 *db);
void fencedtablesUnregister(sqlite3 *db);

#endif
