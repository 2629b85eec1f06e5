/* SPDX-License-Identifier: 0BSD */
/*
** The set of triggers of one declared table, as texts. A trigger is named
** `interlock_<number>_<what>`. The number is the table's own; the last part
** says what the trigger does, and `aTrigger` of its kind leads from it to the
** template in sql/. The generator of a kind makes a set, and the registry
** reads the installed one.
*/
#ifndef INTERLOCK_TRIGGERSET_H
#define INTERLOCK_TRIGGERSET_H

#include "sqlite/sqlx.h"

#define TRIGGERSET_MAX 32

/* Unix ms. The rounding: julianday() is a hair below the millisecond. */
#define TRIGGERSET_NOW \
  "CAST(round((julianday('now')-2440587.5)*86400000) AS INTEGER)"

typedef struct TriggerSet TriggerSet;
typedef struct TriggerSetOne TriggerSetOne;

struct TriggerSetOne {
  const char *zWhat;     /* the last part of its name */
  const char *zName;
  const char *zSql;      /* as sqlite_master has it */
  int bSchema;           /* generators set it if the text depends on the indexes
                         ** or on the list of columns: an installed text that
                         ** differs is outdated, otherwise it is changed */
};

struct TriggerSet {
  int n;
  int nFirst;            /* of a set to be made: so many come before triggers of
                         ** the application that are made anew */
  const char *const *azPerhaps;  /* what, up to NULL: triggers that depend on
                         ** those of the application. One of them too many or
                         ** too few is outdated. NULL: there are none */
  TriggerSetOne a[TRIGGERSET_MAX];
};

/* Appends a trigger that the file contains, and returns it. Returns NULL, and
** appends nothing, if the name is too short or the set is full. */
TriggerSetOne *triggersetRead(TriggerSet *pSet, const char *zName,
                              const char *zSql);
/* Returns the number in a trigger's name; NULL if it has none. */
const char *triggersetNumber(Sqlx *p, const char *zName);
/* Whether a token in the text of a trigger of the set begins with the mark. */
int triggersetMarked(const TriggerSet *pSet, const char *zMark);
/* Appends a trigger that is to be made, still without its text. */
TriggerSetOne *triggersetNew(Sqlx *p, TriggerSet *pSet, const char *zNumber,
                             const char *zWhat);
/* Whether the set is outdated, not incomplete, if such a trigger is missing. */
int triggersetPerhaps(const TriggerSet *pSet, const char *zWhat);
/* Returns the trigger of that name, or NULL. */
const TriggerSetOne *triggersetNamed(const TriggerSet *pSet,
                                     const char *zName);

/* Returns the same CREATE statement with the schema before the name. */
const char *triggersetQualified(Sqlx *p, const char *zSql,
                                const char *zSchema);
/* The same with IF NOT EXISTS: for a text that is run elsewhere. */
const char *triggersetIfMissing(Sqlx *p, const char *zSql,
                                const char *zSchema);
/* Returns the statement that makes a trigger of the file again after a DROP, as
** a trigger of zSchema. Returns NULL with `bad argument:`, which names the
** functions of the kind, if the text is no such statement. */
const char *triggersetRemade(Sqlx *p, const TriggerSetOne *pOne,
                             const char *zSchema, const char *zKind);

#endif
