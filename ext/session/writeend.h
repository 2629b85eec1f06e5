/* SPDX-License-Identifier: 0BSD */
/*
** The event of the end of a write transaction on main in which no function of
** Interlock is called.
**
** SQLite reports the end of such a transaction to no function and no table: a
** table takes part only if a statement writes to it, and each hook belongs to
** the application. But SQLite always unlocks the file. So from
** writeendAwait() to the end, the methods of main's open file are a copy of its
** own methods with three of them replaced: those that unlock the file, unlock
** the WAL index, and close the file. Each calls the file's own method first.
** Nothing else is done to the file or its methods.
**
** A file of a shared cache is refused, since another connection uses it at the
** same time.
**
** SQLite's mutex of the connection guards a WriteEnd; a mutex of its own guards
** the list of all.
*/
#ifndef INTERLOCK_WRITEEND_H
#define INTERLOCK_WRITEEND_H

#include "session/filesession.h"

typedef struct WriteEnd WriteEnd;

/*
** writeendAwait: xEnd(pArg) is called once, when the connection's next write
** transaction on main has ended and its lock is released, or main is closed.
** Until then *pp is not NULL. Returns LOCK_OK, also if *pp is not NULL already;
** LOCK_NO if main has no file, or one of a shared cache; LOCK_NOMEM;
** LOCK_INTERRUPTED.
** writeendCancel: xEnd is not called any more, and *pp is NULL.
*/
LockRc writeendAwait(WriteEnd **pp, sqlite3 *db, void (*xEnd)(void*),
                    void *pArg);
void writeendCancel(WriteEnd **pp);

#endif
