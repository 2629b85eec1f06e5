/* SPDX-License-Identifier: 0BSD */
/*
** The parent of a versioned table: which table it is, and what the installed
** triggers tell of it. It is a versioned table of the same schema. A change of
** the child raises the version of the parent's row, by triggers of the child.
*/
#ifndef INTERLOCK_PARENT_H
#define INTERLOCK_PARENT_H

#include "versioned/versionedtable.h"

/* Finds the parent that the options of a table name, or sets zFault. */
void parentFind(Sqlx *p, VersionedTable *pTab);
/* Refuses a parent that has a fault, and one whose own parents lead back to the
** table. */
void parentCheck(Sqlx *p, const VersionedTable *pTab);
/* RENAME rewrites the names in the triggers, and not in the registry: takes
** them from the text of `parent_moved`. */
void parentReadTrigger(Sqlx *p, VersionedTable *pTab,
                       const TriggerSetOne *pOne);

#endif
