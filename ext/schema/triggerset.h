/* SPDX-License-Identifier: 0BSD */
/*
** The set of triggers of one declared table, as texts. Each is named
** `interlock_<number>_<what>`: the number is the table's own, what names the
** trigger's job and its template in sql/. A generator of a kind makes a set,
** the registry reads the one that is installed.
*/
#ifndef INTERLOCK_TRIGGERSET_H
#define INTERLOCK_TRIGGERSET_H

#include "sqlite/sqlx.h"

#define TRIGGERSET_MAX 16

/* Unix ms. The rounding: julianday() is a hair below the millisecond. */
#define TRIGGERSET_NOW \
  "CAST(round((julianday('now')-2440587.5)*86400000) AS INTEGER)"

typedef struct TriggerSet TriggerSet;
typedef struct TriggerSetOne TriggerSetOne;

struct TriggerSetOne {
  const char *zWhat;     /* its job, the last part of its name */
  const char *zName;
  const char *zSql;      /* as sqlite_master keeps it */
  int bSchema;           /* its text depends on the indexes or on the list of
                         ** columns of the table: one that differs is
                         ** outdated, not changed. Set by generators only */
};

struct TriggerSet {
  int n;
  TriggerSetOne a[TRIGGERSET_MAX];
};

/* Append a trigger of which the file has name and text. A name that is too
** short, and a trigger too many, are left out. Returns it, or NULL. */
TriggerSetOne *triggersetRead(TriggerSet *pSet, const char *zName,
                              const char *zSql);
/* Append a trigger to be made, without its text. */
TriggerSetOne *triggersetNew(Sqlx *p, TriggerSet *pSet, const char *zNumber,
                             const char *zWhat);
/* The trigger of that name, or NULL. */
const TriggerSetOne *triggersetNamed(const TriggerSet *pSet,
                                     const char *zName);

/* The same CREATE statement with the schema before the name. */
const char *triggersetQualified(Sqlx *p, const char *zSql,
                                const char *zSchema);
/* The same with IF NOT EXISTS: for a text that is run elsewhere. */
const char *triggersetIfMissing(Sqlx *p, const char *zSql,
                                const char *zSchema);
/* The statement that makes a trigger of the file again after it was dropped,
** as a trigger of zSchema; NULL with `bad argument:`, which names the functions
** of the kind, if the text is no such statement. */
const char *triggersetRemade(Sqlx *p, const TriggerSetOne *pOne,
                             const char *zSchema, const char *zKind);

#endif
