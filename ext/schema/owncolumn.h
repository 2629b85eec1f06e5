/* SPDX-License-Identifier: 0BSD */
/*
** A column of a user's table that a kind of declared tables keeps for itself,
** as the version.
*/
#ifndef INTERLOCK_OWNCOLUMN_H
#define INTERLOCK_OWNCOLUMN_H

#include "schema/tableinfo.h"

/* Refuse a column that is there already if triggers cannot write it freely:
** something else of the schema depends on its values. zWhat is what it is
** for. */
void owncolumnCheck(Sqlx *p, const TableInfo *pInfo, int iCol,
                    const char *zWhat);

#endif
