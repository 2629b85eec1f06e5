/* SPDX-License-Identifier: 0BSD */
/*
** The registry of guarded tables: which tables of a schema were guarded, which
** triggers they have, and what is wrong with those. It is the table
** interlock_guarded in that schema (sql/guarded/registry.sql has its columns).
**
** A table is found by the number in the names of its triggers, which follow
** a RENAME; by its name only where the triggers are gone, as after the rebuild
** of a table by a migration.
*/
#ifndef INTERLOCK_GUARDREG_H
#define INTERLOCK_GUARDREG_H

#include "guarded/guardset.h"
#include "schema/skipping.h"

typedef struct GuardEntry GuardEntry;
typedef struct GuardTable GuardTable;

struct GuardEntry {
  const char *zNumber;   /* NULL: no entry */
  const char *zTable;    /* the table as it is called now */
  const char *zName;     /* as it was called when it was guarded */
  const char *zFile;     /* id of the file; NULL if what is there is none */
  int iGenerator;
  TriggersSet has;       /* triggers under its number, in order of name */
};

/* What is wrong, from the bottom up: the first that applies. Those above
** GUARD_TWICE let writes pass that should be refused. */
typedef enum GuardStatus {
  GUARD_OK = 0,
  GUARD_SKIPPED,         /* a trigger of the user's may skip some of them */
  GUARD_TWICE,           /* another attached file has the same id */
  GUARD_OUTDATED,        /* an index came since, or went; or an older
                         ** Interlock has made them */
  GUARD_CHANGED,         /* a trigger's text is not what it should be */
  GUARD_MISSING,         /* a trigger is not there */
  GUARD_GONE,            /* the table is not there */
  GUARD_NEWER            /* guarded by a newer Interlock: not looked at */
} GuardStatus;

/* One of a list. */
struct GuardTable {
  const char *zSchema;
  GuardEntry entry;
  GuardStatus status;
  const char *zTwin;     /* for GUARD_TWICE the other schema */
  Skipping skip;         /* for GUARD_SKIPPED the trigger */
  int bKey;              /* its rows have a key that was declared */
  GuardTable *pNext;
};

/* Every guarded table of every schema. */
const GuardTable *guardregList(Sqlx *p);
/* The entry of a table; zNumber is NULL if it has none. */
void guardregFind(Sqlx *p, const TableInfo *pInfo, GuardEntry *pEntry);
/* What is installed against what should be: GUARD_OK, or GUARD_OUTDATED to
** GUARD_MISSING. */
GuardStatus guardregCompare(const TriggersSet *pHas, const TriggersSet *pSet);

/* The id of the file, a new one if it has none. */
const char *guardregFile(Sqlx *p, const char *zSchema);
/* The statements that store an entry and take it away. */
const char *guardregStore(Sqlx *p, const char *zSchema,
                          const GuardEntry *pEntry);
const char *guardregForget(Sqlx *p, const char *zSchema, const char *zNumber);

const char *guardregStatus(GuardStatus status);
/* What a user should know of a table beside its status. */
const char *guardregNote(Sqlx *p, const GuardTable *pTab);

#endif
