/* SPDX-License-Identifier: 0BSD */
/*
** The generator of fenced tables: from what a table looks like, and from its
** options, to the text of the triggers, and of the side table that they need.
** The text of each is in sql/fenced/, with the reason for it. Nothing is run
** here.
*/
#ifndef INTERLOCK_FENCEDTRIGGERS_H
#define INTERLOCK_FENCEDTRIGGERS_H

#include "schema/tableinfo.h"
#include "schema/triggerset.h"

/* Goes up whenever the generated text changes: an older extension leaves the
** triggers of a newer one alone. */
#define FENCED_GENERATOR 1

typedef struct FencedOptions FencedOptions;
typedef struct FencedTexts FencedTexts;

struct FencedOptions {
  const char *zColumn;   /* the column of the token */
  const char *zLabel;    /* table.column for error messages, its quotes
                         ** doubled as in an SQL literal */
  const char *zLease;    /* whose current token every write must carry; "":
                         ** none, then a row's token only never gets smaller */
};

/* What is made beside the triggers. */
struct FencedTexts {
  const char *zSide;     /* name of the side table: tombstones or notes */
  const char *zSideSql;  /* as sqlite_master keeps it */
  int nSide;             /* how many columns it has */
};

/* Makes the set and the texts, with a number in their names. After an error of
** the request neither is of use. */
void fencedtriggersMake(Sqlx *p, const TableInfo *pInfo, const char *zNumber,
                        const FencedOptions *pOptions, TriggerSet *pSet,
                        FencedTexts *pTexts);

#endif
