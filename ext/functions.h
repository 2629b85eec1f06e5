/* SPDX-License-Identifier: 0BSD */
/*
** The registration of Interlock's SQL functions; and the functions of versioned
** tables, with their arguments and their reference blocks.
*/
#ifndef INTERLOCK_FUNCTIONS_H
#define INTERLOCK_FUNCTIONS_H

#include "session/function.h"

/* Makes the user data of all functions of a connection; NULL if memory has run
** out. The caller must free it by sqlite3_free() when the Connection has
** ended. */
FunctionCall *functionsNew(Connection*);

/*
** Registers the functions from number *pnDone on, and sets *pnDone to how many
** are registered. After a failure that is 0, unless a statement is being run
** (`SELECT load_extension()`): then the functions that were registered stay,
** and the library must stay as well.
**
** Each registered function has a reference on the Connection.
*/
int functionsRegister(sqlite3 *db, FunctionCall *aCall, int *pnDone);
/* Unregisters them, unless a statement is being run: *pnDone is 0 if they are
** gone. */
void functionsUnregister(sqlite3 *db, int *pnDone);

#endif
