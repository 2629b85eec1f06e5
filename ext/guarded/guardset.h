/* SPDX-License-Identifier: 0BSD */
/*
** The generator of guards: from the shape of a table to the text of the
** triggers that ask Interlock before a write stays. The text of each is in
** sql/guarded/, with the reason for it. Nothing is run here.
*/
#ifndef INTERLOCK_GUARDSET_H
#define INTERLOCK_GUARDSET_H

#include "schema/triggers.h"

/* Goes up whenever the generated text changes: an older extension leaves a
** newer one's triggers alone. */
#define GUARD_GENERATOR 2

#define GUARDSET_FILE_DIGITS 16

typedef struct GuardSetRule GuardSetRule;

struct GuardSetRule {
  const char *zNumber;   /* eight hex digits, in every name */
  const char *zFile;     /* id of the database file */
};

/* The set, in the order in which it is made. On failure the sticky error is
** set and *pSet is of no use. */
void guardsetMake(Sqlx *p, const TableInfo *pInfo, const GuardSetRule *pRule,
                  TriggersSet *pSet);
/* Whether the text of a trigger depends on the UNIQUE indexes of the table, and
** so can have been overtaken by a new one. */
int guardsetDepends(const char *zWhat);
/* The statement that makes the registry of a schema. */
const char *guardsetRegistry(Sqlx *p, const char *zSchema);

#endif
