/* SPDX-License-Identifier: 0BSD */
/*
** The generator of versioned tables: it makes the text of the triggers, and of
** the table of tombstones, from the options of the table and from what the
** user's table looks like.
**
** The text of each trigger is in sql/versioned/, with the reason for it. What
** differs from table to table and from mode to mode stands there as a
** $placeholder; its values are made here. Nothing is run here.
*/
#ifndef INTERLOCK_VERSIONEDTRIGGERS_H
#define INTERLOCK_VERSIONEDTRIGGERS_H

#include "schema/tableinfo.h"
#include "schema/triggerset.h"
#include "versioned/parentclause.h"

/* Must go up whenever the generated text changes: an older extension leaves the
** triggers of a newer one alone. */
#define VERSIONED_GENERATOR 3

typedef struct VersionedOptions VersionedOptions;
typedef struct VersionedTexts VersionedTexts;

/* What the writers of a table do. A table has one mode: if writers of one table
** follow two conventions, the checks of one let the other's stale writes
** pass. */
typedef enum VersionedMode {
  VERSIONED_AUTO = 0,    /* an UPDATE that carries a version is checked */
  VERSIONED_STRICT,      /* every UPDATE must carry it */
  VERSIONED_ECHO         /* an UPDATE carries the version that was read */
} VersionedMode;

/* What happens to an UPDATE that carries a wrong version, or must carry one. */
typedef enum VersionedStale {
  VERSIONED_ABORT = 0,   /* it is refused */
  VERSIONED_IGNORE,      /* the row is skipped */
  VERSIONED_LOG          /* it is accepted and noted in the log */
} VersionedStale;

struct VersionedOptions {
  const char *zColumn;   /* the version column */
  const char *zLabel;    /* table.column for error messages, its quotes
                         ** doubled as in an SQL literal */
  const char *zAdds;     /* definition of the column if it is to be added to the
                         ** table before the triggers are made; NULL: it is
                         ** there */
  sqlite3_int64 iRow;    /* where `bump_added` looks first for the table in
                         ** sqlite_master */
  const char *zText;     /* the options as a text, for a comment; "": none */
  VersionedMode mode;
  VersionedStale eStale;
  int bTombstones;       /* the version of a deleted row is kept */
  int bNull;             /* null=0: a NULL in the column counts as 0 */
  int bAnyStep;          /* step=any: an UPDATE may carry any higher version */
  int bRowErrors;        /* errors=row: the messages name the row */
  int bHistory;          /* what each version of a row looked like is kept */
  sqlite3_int64 nHistory;  /* so many versions of it; 0: */
  sqlite3_int64 msHistory; /* until it is so old */
  const char *zHistory;  /* the same as it was asked for, or off */
  int bOwn;              /* AFTER UPDATE triggers of the user's update the table
                         ** that they are on, and not only columns of
                         ** azExcept */
  const char *abOwn;     /* 1 for each column that any trigger sets there;
                         ** NULL: there is none */
  int bOnly;             /* azExcept has the columns whose change raises the
                         ** version, beside the key */
  VersionedParent parent;
  int nExcept;           /* columns whose change does not raise the version */
  const char **azExcept;
};

/* The texts that are made beside the triggers. */
struct VersionedTexts {
  const char *zTombstones;      /* name of the table of tombstones */
  const char *zTombstonesSql;   /* as sqlite_master keeps it */
  const char *zLiftAllSql;      /* the UPDATE of a repair */
  const char *zLiftKeptSql;     /* what comes before it, with history */
  const char *zLog;             /* name of the log */
  const char *zLogSql;          /* as sqlite_master keeps it */
  const char *zHistory;         /* name of the table of history */
  const char *zHistorySql;      /* as sqlite_master keeps it at first */
};

/* Makes the set and the texts, with a number in their names. After an error of
** the request neither is of use. */
void versionedtriggersMake(Sqlx *p, const TableInfo *pInfo,
                           const char *zNumber,
                           const VersionedOptions *pOptions, TriggerSet *pSet,
                           VersionedTexts *pTexts);
/* Whether a change of that column does not raise the version. */
int versionedtriggersExcepts(const VersionedOptions *pOptions,
                             const TableInfoColumn *pCol);

#endif
