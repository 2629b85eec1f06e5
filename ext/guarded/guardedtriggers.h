/* SPDX-License-Identifier: 0BSD */
/*
** The generator of guarded tables: from what a table looks like to the text of
** the triggers that ask Interlock before a write stays. The text of each is in
** sql/guarded/, with the reason for it. Nothing is run here.
*/
#ifndef INTERLOCK_GUARDEDTRIGGERS_H
#define INTERLOCK_GUARDEDTRIGGERS_H

#include "schema/tableinfo.h"
#include "schema/triggerset.h"

/* Goes up whenever the generated text changes: an older extension leaves the
** triggers of a newer one alone. */
#define GUARDED_GENERATOR 2

/* Make the set with a number in its names. zFile is the id of the database
** file. On failure the sticky error is set, and the set is of no use. */
void guardedtriggersMake(Sqlx *p, const TableInfo *pInfo,
                         const char *zNumber, const char *zFile,
                         TriggerSet *pSet);

#endif
