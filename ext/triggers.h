/* SPDX-License-Identifier: 0BSD */
/*
** The generator: from the shape of a table and a rule to the text of the
** triggers that keep the rule, and of the table of tombstones beside it.
**
** The text of each trigger is in sql/, with the reason for it; what differs
** from table to table and from mode to mode stands there as a $placeholder,
** and which values those take is decided here. Nothing is run here.
*/
#ifndef INTERLOCK_TRIGGERS_H
#define INTERLOCK_TRIGGERS_H

#include "shape.h"

/* Goes up whenever the generated text changes: an older extension leaves a
** newer one's triggers alone. */
#define TRIGGERS_GENERATOR 1

#define TRIGGERS_MAX 16

typedef struct TriggersRule TriggersRule;
typedef struct TriggersOne TriggersOne;
typedef struct TriggersSet TriggersSet;

struct TriggersRule {
  const char *zNumber;   /* eight hex digits, in every name */
  const char *zColumn;   /* the version column */
  const char *zLabel;    /* table.column, as error messages say it */
};

struct TriggersOne {
  const char *zName;
  const char *zSql;      /* as sqlite_master keeps it */
};

struct TriggersSet {
  int n;
  TriggersOne a[TRIGGERS_MAX];
  const char *zTombstones;      /* name of the table of tombstones */
  const char *zTombstonesSql;   /* as sqlite_master keeps it */
};

void triggersMake(Sqlx *p, const Shape *pShape, const TriggersRule *pRule,
                  TriggersSet *pSet);
const char *triggersRegistry(Sqlx *p, const char *zSchema);
const char *triggersQualified(Sqlx *p, const char *zSql, const char *zSchema);

#endif
