/* SPDX-License-Identifier: 0BSD */
/*
** Whether the program itself calls a function, or the schema of a file does.
**
** SQLite keeps a DIRECTONLY function from the triggers and views of a file. It
** does not keep it from everything else that a file can name:
**
** - before 3.50.0 a CHECK constraint can call it;
** - in every version CHECKs, indexes and generated columns can, if the schema
**   was read before the function was registered;
** - before 3.40 a file can contain a trigger that says TEMP;
** - FTS3 and FTS4 call the functions that a table of the file names as
**   compress= and uncompress=, in statements of their own;
** - VACUUM runs the CREATE statements of the file.
**
** So a function that only the program may call must ask here in each call.
**
** The program calls a function if one of the statements that are being run
** contains a call of it (sqlite/sqlcall.h), or if a trigger or a view in temp
** does. SQLite does not tell which of several statements that are being run is
** the one that calls. So while the program reads the rows of a statement that
** calls a function, a schema can call this function, too; and as long as
** something in temp calls it.
**
** The cost of a call must not grow with the text of a statement that calls it,
** or fires a trigger, for each of many rows. So a long text is read once in a
** run of its statement, and after temp; and temp is read again only if its
** schema has changed. A kept statement tells that: SQLite prepares it anew
** then, and counts that. It must go when the connection is closed, of which
** txnscope.h tells.
**
** Guarded by SQLite's mutex of the connection.
*/
#ifndef INTERLOCK_DIRECT_H
#define INTERLOCK_DIRECT_H

#include "session/txnscope.h"

typedef struct Direct {
  TxnScope *pScope;
  sqlite3_stmt *pStill;  /* reads nothing of temp but the number of its schema;
                         ** NULL: not yet, or it cannot be kept */
  int nStill;            /* how often it had been prepared anew */
  unsigned iTemp;        /* goes up when the schema of temp may have changed; 0:
                         ** it has not been read */
} Direct;

void directInit(Direct*, TxnScope*);

/*
** Returns 1 if the program calls the function zName(); otherwise 0, and the
** error is the result of the function. Without a transaction in any database it
** costs one call of SQLite's. *piTemp belongs to the function, and is 0 at
** first: the Direct.iTemp at which temp called it.
*/
int directAllowed(Direct*, sqlite3_context*, const char *zName,
                  unsigned *piTemp);

/* The connection is being closed, or has ended. */
void directForget(Direct*);

#endif
