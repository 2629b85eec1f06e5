/* SPDX-License-Identifier: 0BSD */
/*
** The generator of guarded tables: it makes the text of the triggers that ask
** Interlock whether a write may stand, from what the user's table looks like.
** The text of each is in sql/guarded/, with the reason for it. Nothing is run
** here.
*/
#ifndef INTERLOCK_GUARDEDTRIGGERS_H
#define INTERLOCK_GUARDEDTRIGGERS_H

#include "schema/tableinfo.h"
#include "schema/triggerset.h"

/* Must go up whenever the generated text changes: an older extension leaves the
** triggers of a newer one alone. */
#define GUARDED_GENERATOR 3

/* Makes the set, with a number in its names. zFile is the id of the database
** file. After an error of the request the set is of no use. */
void guardedtriggersMake(Sqlx *p, const TableInfo *pInfo,
                         const char *zNumber, const char *zFile,
                         TriggerSet *pSet);

#endif
