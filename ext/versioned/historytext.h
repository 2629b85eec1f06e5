/* SPDX-License-Identifier: 0BSD */
/*
** Clauses of SQL about the history of a table: the side table that keeps what
** earlier versions of its rows looked like (sql/versioned/history.sql).
**
** Its columns are those of the user's table, under their names, and some of its
** own, which begin with `interlock_`. Nothing is run here.
*/
#ifndef INTERLOCK_HISTORYTEXT_H
#define INTERLOCK_HISTORYTEXT_H

#include "schema/tableinfo.h"

/* How the names of its own columns begin. */
#define HISTORYTEXT_OWN "interlock_"

/* Whether the history keeps a column of the user's table: not the version, for
** which it has a column of its own, nor a generated one, which can be computed
** from the others. */
int historytextKeeps(const TableInfoColumn *pCol, const char *zVersion);
/* Return the names of the kept columns, and their declarations. */
const char *historytextColumns(Sqlx *p, const TableInfo *pInfo,
                               const char *zVersion);
const char *historytextDeclared(Sqlx *p, const TableInfo *pInfo,
                                const char *zVersion);
/* Returns the declaration of one. */
const char *historytextOne(Sqlx *p, const TableInfoColumn *pCol);
/* Return the names of its key columns, and their declarations. */
const char *historytextKeys(Sqlx *p, const TableInfo *pInfo);
const char *historytextKeysDeclared(Sqlx *p, const TableInfo *pInfo);
/* "This row of the history has the key of NEW", of OLD or of r. */
const char *historytextIs(Sqlx *p, const TableInfo *pInfo, const char *zPrefix);

#endif
