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

#include "schema/tableinfo.h"

/* Goes up whenever the generated text changes: an older extension leaves a
** newer one's triggers alone. */
#define TRIGGERS_GENERATOR 2

#define TRIGGERS_MAX 16

/* Unix ms. The rounding: julianday() is a hair below the millisecond. */
#define TRIGGERS_NOW \
  "CAST(round((julianday('now')-2440587.5)*86400000) AS INTEGER)"

/* In the text of `check`: where it lets the step down of `settle` through. */
#define TRIGGERS_DOWN "at=-1-NEW."

typedef struct TriggersRule TriggersRule;
typedef struct TriggersOne TriggersOne;
typedef struct TriggersSet TriggersSet;

/* What the writers of a table do. One mode a table: two conventions in one
** table undo each other's checks. */
typedef enum TriggersMode {
  TRIGGERS_AUTO = 0,     /* who carries a version is checked */
  TRIGGERS_STRICT,       /* everybody has to carry it */
  TRIGGERS_ECHO          /* it is carried as it was read */
} TriggersMode;

struct TriggersRule {
  const char *zNumber;   /* eight hex digits, in every name */
  const char *zColumn;   /* the version column */
  const char *zLabel;    /* table.column for error messages, its quotes
                         ** doubled as in an SQL literal */
  TriggersMode mode;
  int bIgnore;           /* on_stale=ignore: skip the row, no error */
  int bTombstones;       /* remember versions over a delete */
  int bOwn;              /* AFTER UPDATE triggers of the application update
                         ** the table that they are on */
  const char *abOwn;     /* 1 for each column that any trigger sets there;
                         ** NULL: there is none */
  int nExcept;           /* columns whose change does not raise it */
  const char **azExcept;
};

struct TriggersOne {
  const char *zWhat;     /* what it does, the last part of its name */
  const char *zName;
  const char *zSql;      /* as sqlite_master keeps it */
};

struct TriggersSet {
  int n;
  TriggersOne a[TRIGGERS_MAX];
  const char *zTombstones;      /* name of the table of tombstones */
  const char *zTombstonesSql;   /* as sqlite_master keeps it */
  const char *zRebornSql;       /* the UPDATE that belongs to a repair */
};

void triggersMake(Sqlx *p, const TableInfo *pInfo, const TriggersRule *pRule,
                  TriggersSet *pSet);
int triggersKeys(const TableInfo *pInfo);
const char *triggersNumber(Sqlx *p, sqlite3_stmt *pStmt, int iCol);
int triggersGenerator(sqlite3_stmt *pStmt, int iCol);
const char *triggersDraw(Sqlx *p, const char *zSchema);
const char *triggersRegistry(Sqlx *p, const char *zSchema);
const char *triggersQualified(Sqlx *p, const char *zSql, const char *zSchema);
const char *triggersAgain(Sqlx *p, const TriggersOne *pOne,
                          const char *zSchema);

#endif
