/* SPDX-License-Identifier: 0BSD */
/*
** Hearing that SQLite's write lock on main is given back, in a transaction in
** which nothing of Interlock is called.
**
** No function, table or hook is told of the end of such a transaction: tables
** take part only where a statement writes to them, and each hook belongs to the
** application. What is called in any case is the file: SQLite unlocks it. So
** for the time between writeendHear() and the end the methods of main's open
** file are a copy of its own, of which two are replaced: the one that unlocks
** the file, and the one that unlocks the WAL index. Both call the file's own
** first. Nothing else is done to the file or its methods.
**
** The file itself need not be known when it is closed: closing is a method as
** well. A file of a shared cache is not heard, since another connection uses
** it at the same time.
**
** Guarded by SQLite's mutex of the connection, the list of all by a mutex of
** its own.
*/
#ifndef INTERLOCK_WRITEEND_H
#define INTERLOCK_WRITEEND_H

#include "session/filesession.h"

typedef struct WriteEnd WriteEnd;

/*
** writeendHear: call xEnd(pArg) once, when the connection's next write
** transaction on main has ended and its lock is given back, or main is closed.
** LOCK_OK, also if *pp waits for it already; LOCK_NO if main has no file that
** can be heard; LOCK_NOMEM, LOCK_INTERRUPTED.
** writeendCancel: xEnd is not called any more.
** In *pp is what is waited for; it is NULL again when xEnd is called.
*/
LockRc writeendHear(WriteEnd **pp, sqlite3 *db, void (*xEnd)(void*),
                    void *pArg);
void writeendCancel(WriteEnd **pp);

#endif
