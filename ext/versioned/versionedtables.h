/* SPDX-License-Identifier: 0BSD */
/*
** The virtual table versioned_tables.
*/
#ifndef INTERLOCK_VERSIONEDTABLES_H
#define INTERLOCK_VERSIONEDTABLES_H

#include <sqlite3ext.h>

int versionedtablesRegister(sqlite3 *db);
void versionedtablesUnregister(sqlite3 *db);

#endif
