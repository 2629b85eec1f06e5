/* SPDX-License-Identifier: 0BSD */
/*
** What a PRAGMA says of the schema, without opening a transaction.
**
** To step a PRAGMA that reads the schema opens a read transaction, which in
** BEGIN stays: a lock could not be waited for after it. But SQLite answers
** such a PRAGMA from the schema that it has in memory, and does so when the
** statement is compiled: the program is a list of constants. EXPLAIN shows it
** and runs nothing. A program that is anything else is run after all.
*/
#ifndef INTERLOCK_PRAGMA_H
#define INTERLOCK_PRAGMA_H

#include "sqlite/sqlx.h"

typedef struct PragmaRows {
  int nRow, nCol;
  const char **az;       /* row by row; NULL for NULL */
} PragmaRows;

/* zSql is the PRAGMA, such as sqlxPrintf() makes it. */
void pragmaRead(Sqlx *p, const char *zSql, PragmaRows *pRows);
/* A value as text, or NULL; and as a number. */
const char *pragmaText(const PragmaRows *pRows, int iRow, int iCol);
int pragmaInteger(const PragmaRows *pRows, int iRow, int iCol);

#endif
