/* SPDX-License-Identifier: 0BSD */
/*
** The rows of a PRAGMA about the schema, read without opening a transaction.
**
** To run such a PRAGMA opens a read transaction, which in BEGIN stays open, and
** after that the connection must not wait for a lock. But SQLite answers the
** PRAGMA from the schema in memory when it compiles the statement: the program
** is a list of constants. EXPLAIN returns that program and runs nothing. If the
** program contains anything else, the PRAGMA is run.
*/
#ifndef INTERLOCK_PRAGMA_H
#define INTERLOCK_PRAGMA_H

#include "sqlite/sqlx.h"

typedef struct PragmaRows {
  int nRow, nCol;
  const char **az;       /* row by row; NULL for NULL */
} PragmaRows;

/* zSql is the text of the PRAGMA. */
void pragmaRead(Sqlx *p, const char *zSql, PragmaRows *pRows);
/* A value as a text, or NULL; and as a number, 0 for NULL. */
const char *pragmaText(const PragmaRows *pRows, int iRow, int iCol);
int pragmaInteger(const PragmaRows *pRows, int iRow, int iCol);

#endif
