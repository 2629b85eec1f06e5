/* SPDX-License-Identifier: 0BSD */
/*
** What is wrong with a declared table, if anything: the triggers that are
** installed are compared with those that would be generated now. Nothing is
** written.
*/
#ifndef INTERLOCK_STATUS_H
#define INTERLOCK_STATUS_H

#include "schema/declared.h"

/* The declared tables of a kind in every schema, with their status. */
DeclaredTable *statusList(Sqlx *p, const DeclaredKind *pKind);
/* The status of a table whose two sets are known. Sets pTab->skip. */
DeclaredStatus statusCompare(Sqlx *p, DeclaredTable *pTab);
const char *statusName(DeclaredStatus status);
/* Whether the table was renamed since the registry wrote its name down. */
int statusRenamed(const DeclaredTable *pTab);

#endif
