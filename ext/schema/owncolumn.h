/* SPDX-License-Identifier: 0BSD */
/*
** A column of a user's table that a kind of declared tables keeps for itself,
** as the version.
*/
#ifndef INTERLOCK_OWNCOLUMN_H
#define INTERLOCK_OWNCOLUMN_H

#include "schema/tableinfo.h"

/* Refuses an existing column if something else of the schema depends on its
** values, so that triggers cannot write it freely. zWhat is what it is for. */
void owncolumnCheck(Sqlx *p, const TableInfo *pInfo, int iCol,
                    const char *zWhat);

/* Returns what sqlite_master will have as the text of the table after ALTER
** TABLE ADD COLUMN with that definition. */
const char *owncolumnAdded(Sqlx *p, const TableInfo *pInfo,
                           const char *zDefinition);

#endif
