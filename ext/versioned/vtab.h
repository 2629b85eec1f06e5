/* SPDX-License-Identifier: 0BSD */
/*
** The virtual tables of Interlock. They are eponymous: they are there on
** every connection that has loaded the extension, and in no schema.
*/
#ifndef INTERLOCK_VTAB_H
#define INTERLOCK_VTAB_H

#include <sqlite3ext.h>

int vtabRegister(sqlite3 *db);
void vtabUnregister(sqlite3 *db);

#endif
