/* SPDX-License-Identifier: 0BSD */
/*
** What all virtual tables do to come and to go: the memory of a table and of a
** cursor, each a struct of the caller's that begins with SQLite's.
*/
#ifndef INTERLOCK_VTAB_H
#define INTERLOCK_VTAB_H

#include <stddef.h>
#include <sqlite3ext.h>

/* For xConnect and xCreate. Declares a table by its CREATE TABLE, sets who may
** use it (SQLITE_VTAB_DIRECTONLY or SQLITE_VTAB_INNOCUOUS), and returns nByte
** zeroed bytes in *pp. After a failure *pzErr has SQLite's reason, and there is
** nothing to free in *pp. */
int vtabConnect(sqlite3*, const char *zSql, int eRisk, size_t nByte,
                sqlite3_vtab **pp, char **pzErr);
/* xDisconnect of a table that owns nothing else. */
int vtabDisconnect(sqlite3_vtab*);

/* For xOpen: nByte zeroed bytes in *pp. */
int vtabOpen(size_t nByte, sqlite3_vtab_cursor **pp);
/* xClose of a cursor that owns nothing else. */
int vtabClose(sqlite3_vtab_cursor*);

#endif
