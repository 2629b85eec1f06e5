/* SPDX-License-Identifier: 0BSD */
/*
** The SQL functions of Interlock: their registration, and those of versioned
** tables with the checking of their arguments and the reference text from
** which sql/README.md is made.
*/
#ifndef INTERLOCK_FUNCTIONS_H
#define INTERLOCK_FUNCTIONS_H

#include "session/function.h"

/* What the functions of one connection find in sqlite3_user_data(): memory to
** be freed by sqlite3_free() when the session has ended; NULL without. */
FunctionCall *functionsNew(Connection*);

/*
** Register the functions on a connection from number *pnDone on; *pnDone is
** then how many there are. After a failure that is none, except where the
** extension was loaded by a statement (`SELECT load_extension()`): those that
** were registered stay, and the library has to stay with them.
**
** Each function counts among what points to the session.
*/
int functionsRegister(sqlite3 *db, FunctionCall *aCall, int *pnDone);
/* Take them away, except while a statement is being run: *pnDone tells. */
void functionsUnregister(sqlite3 *db, int *pnDone);

#endif
