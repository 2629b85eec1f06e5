/* SPDX-License-Identifier: 0BSD */
/*
** The virtual tables of Interlock. They are eponymous: they are there on
** every connection that has loaded the extension, and in no schema.
*/
#ifndef INTERLOCK_VERSIONEDTABLES_H
#define INTERLOCK_VERSIONEDTABLES_H

#include <sqlite3ext.h>

int versionedtablesRegister(sqlite3 *db);
void versionedtablesUnregister(sqlite3 *db);

#endif
