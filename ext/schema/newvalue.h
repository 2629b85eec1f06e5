/* SPDX-License-Identifier: 0BSD */
/*
** The values that a row is about to get, as SQL in a BEFORE trigger. NEW has
** most of them, but not all:
**
** - under OR REPLACE a NULL in a NOT NULL column becomes the default later;
** - if SQLite is to choose the id (an INTEGER PRIMARY KEY), NEW has -1;
** - NEW's generated columns are computed from these.
**
** Nothing is run here.
*/
#ifndef INTERLOCK_NEWVALUE_H
#define INTERLOCK_NEWVALUE_H

#include "schema/tableinfo.h"

/* Returns a text of the schema that may stand between brackets. In a file that
** was made to deceive, SQLite may have read another text in its place, so it
** must be one whole expression. zWhat: `column` or `index`. */
const char *newvalueInner(Sqlx *p, const TableInfo *pInfo, const char *zWhat,
                          const char *zName, const char *z);

/* Return the value of a column, and that of an expression over the columns.
** zId: what the id is, or NULL: what NEW says. */
const char *newvalueOf(Sqlx *p, const TableInfo *pInfo, int iCol,
                       const char *zId);
const char *newvalueExpression(Sqlx *p, const TableInfo *pInfo,
                               const char *zExpr, const char *zId);

/* Returns the id that SQLite is going to choose: the one above the greatest,
** with AUTOINCREMENT the greatest that ever was. At 2^63-1 it is any that is
** free. */
const char *newvalueChosen(Sqlx *p, const TableInfo *pInfo);
/* Whether SQLite can be to choose the id, and a row can then stand in the way
** by this path, which has a value that is computed from the id. */
int newvalueOfId(Sqlx *p, const TableInfo *pInfo, const TableInfoPath *pPath);

#endif
