/* SPDX-License-Identifier: 0BSD */
/*
** What is wrong with a declared table, if anything: the triggers that are
** installed are compared with those that would be generated now. Nothing is
** written.
*/
#ifndef INTERLOCK_STATUS_H
#define INTERLOCK_STATUS_H

#include "schema/declared.h"

/* Returns the declared tables of a kind in every schema, with their status. */
DeclaredTable *statusList(Sqlx *p, const DeclaredKind *pKind);
/* Returns the status of a table whose two sets are known, and sets
** pTab->skip. */
DeclaredStatus statusCompare(Sqlx *p, DeclaredTable *pTab);
/* Returns the same for the triggers alone. */
DeclaredStatus statusTriggers(Sqlx *p, DeclaredTable *pTab);
/* Whether the table has another declared set or entry beside its own. */
int statusSeveral(const DeclaredTable *pTab);
/* Returns what the engine has to say of a table in a list; "" for nothing. */
const char *statusNote(Sqlx *p, const DeclaredTable *pTab);
/* Returns the name of a status. */
const char *statusName(DeclaredStatus status);
/* Whether the table was renamed after the registry stored its name. */
int statusRenamed(const DeclaredTable *pTab);

#endif
