/* SPDX-License-Identifier: 0BSD */
/*
** A side table that has a row for a key of a declared table, as tombstones
** have: its key columns are k1, k2, ..., with the types and collations of the
** originals. A key that is the rowid is the rowid there, too.
*/
#ifndef INTERLOCK_KEYTABLE_H
#define INTERLOCK_KEYTABLE_H

#include "schema/ddl.h"
#include "schema/tableinfo.h"

/* Returns how many columns the key has. */
int keytableCount(const TableInfo *pInfo);
/* Return their names, and their declarations in CREATE TABLE. */
const char *keytableKeys(Sqlx *p, const TableInfo *pInfo);
const char *keytableColumns(Sqlx *p, const TableInfo *pInfo);
/* Returns the end of that CREATE TABLE. */
const char *keytableEnd(Sqlx *p, const TableInfo *pInfo);
/* "This row of the side table has NEW's key", or OLD's. */
const char *keytableIs(Sqlx *p, const TableInfo *pInfo, const char *zPrefix);
/* Appends the steps that take over zFrom, the side table of another set, into
** zTo, unless zTo is NULL, and drop it. Of two values of zValue the greater
** stays. The tables have nMore columns beside the key; one that has more or
** fewer was made for another key, and is only dropped. */
void keytableTakeOver(Sqlx *p, const TableInfo *pInfo, const char *zFrom,
                      const char *zTo, const char *zValue, int nMore,
                      Ddl *pDdl);

#endif
