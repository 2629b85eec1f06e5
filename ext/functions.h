/* SPDX-License-Identifier: 0BSD */
/*
** The SQL functions of Interlock: their registration, and those of versioned
** tables with the checking of their arguments and the reference text from
** which sql/README.md is made.
*/
#ifndef INTERLOCK_FUNCTIONS_H
#define INTERLOCK_FUNCTIONS_H

#include "function.h"

/* What the functions of one connection find in sqlite3_user_data(): memory to
** be freed by sqlite3_free() when the connection has ended; NULL without. */
FunctionCall *functionsNew(Session*);

/*
** Register the functions on a connection from number *pnDone on; *pnDone is
** then how many there are. After a failure that is none, except where the
** extension was loaded by a statement (`SELECT load_extension()`): those that
** were registered stay, and the library has to stay with them.
**
** xGone(aCall) is called when the connection really ends. It is called as
** well when *pnDone is 0 after a failure.
*/
int functionsRegister(sqlite3 *db, FunctionCall *aCall, void (*xGone)(void*),
                      int *pnDone);

#endif
