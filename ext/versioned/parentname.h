/* SPDX-License-Identifier: 0BSD */
/*
** The option parent of a versioned table as text: `orders(order_id)`, the table
** and the columns that hold its key. Names that are no plain words are in
** quotes.
*/
#ifndef INTERLOCK_PARENTNAME_H
#define INTERLOCK_PARENTNAME_H

#include "versioned/parentclause.h"

/* Takes such a text, or none if it is empty. Columns get the names by which the
** child's schema has them. What is wrong goes to zFault. */
void parentnameRead(Sqlx *p, const char *z, const TableInfo *pInfo,
                    VersionedParent *pParent);
/* Returns the text; "" if there is no parent. */
const char *parentnameText(Sqlx *p, const VersionedParent *pParent);
/* Appends a name, in quotes if it is no plain word. */
void parentnameAppend(sqlite3_str *pStr, const char *zName);

#endif
