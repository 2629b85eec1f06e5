/* SPDX-License-Identifier: 0BSD */
/*
** The generator of versioned tables: from what a table looks like, and from a
** rule, to the text of the triggers that keep the rule, and of the table of
** tombstones beside them.
**
** The text of each trigger is in sql/versioned/, with the reason for it. What
** differs from table to table and from mode to mode stands there as a
** $placeholder; its values are made here. Nothing is run here.
*/
#ifndef INTERLOCK_VERSIONEDTRIGGERS_H
#define INTERLOCK_VERSIONEDTRIGGERS_H

#include "schema/tableinfo.h"
#include "schema/triggerset.h"

/* Goes up whenever the generated text changes: an older extension leaves the
** triggers of a newer one alone. */
#define VERSIONED_GENERATOR 2

typedef struct VersionedRule VersionedRule;
typedef struct VersionedTexts VersionedTexts;

/* What the writers of a table do. A table has one mode: two conventions in one
** table undo each other's checks. */
typedef enum VersionedMode {
  VERSIONED_AUTO = 0,    /* an UPDATE that carries a version is checked */
  VERSIONED_STRICT,      /* every UPDATE must carry it */
  VERSIONED_ECHO         /* it is carried as it was read */
} VersionedMode;

struct VersionedRule {
  const char *zColumn;   /* the version column */
  const char *zLabel;    /* table.column for error messages, its quotes
                         ** doubled as in an SQL literal */
  VersionedMode mode;
  int bIgnore;           /* on_stale=ignore: skip the row, no error */
  int bTombstones;       /* remember versions over a delete */
  int nExcept;           /* columns whose change does not raise it */
  const char **azExcept;
};

/* What is made beside the triggers. */
struct VersionedTexts {
  const char *zTombstones;      /* name of the table of tombstones */
  const char *zTombstonesSql;   /* as sqlite_master keeps it */
  const char *zLiftAllSql;      /* the UPDATE that belongs to a repair */
};

/* Make the set and the texts with a number in their names. On failure the
** sticky error is set, and neither is of use. */
void versionedtriggersMake(Sqlx *p, const TableInfo *pInfo,
                           const char *zNumber, const VersionedRule *pRule,
                           TriggerSet *pSet, VersionedTexts *pTexts);

#endif
