/* SPDX-License-Identifier: 0BSD */
/*
** The SQL functions of Interlock: their registration, the checking of their
** arguments, and the reference text from which sql/README.md is made.
*/
#ifndef INTERLOCK_FUNCTIONS_H
#define INTERLOCK_FUNCTIONS_H

#include <sqlite3ext.h>

int functionsRegister(sqlite3 *db, void *pOwner, void (*xGone)(void*),
                      int *pnDone);

#endif
