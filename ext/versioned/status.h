/* SPDX-License-Identifier: 0BSD */
/*
** What is wrong with a versioned table, if anything: what is installed
** compared with what would be generated now. Nothing is written.
*/
#ifndef INTERLOCK_STATUS_H
#define INTERLOCK_STATUS_H

#include "versioned/options.h"
#include "schema/skipping.h"

/* The first that applies, from the bottom up, is reported. */
typedef enum Status {
  STATUS_OK = 0,
  STATUS_SKIPPED,        /* a trigger of the user's may skip some of them */
  STATUS_BROKEN,         /* a trigger names a table that is not there */
  STATUS_OUTDATED,       /* an index or a column came since, or an older
                         ** Interlock has made them */
  STATUS_CHANGED,        /* a trigger's text is not what it should be */
  STATUS_MISSING,        /* a trigger is not there */
  STATUS_COLUMN,         /* the version column is not there */
  STATUS_TABLE,          /* the table is not there */
  STATUS_NEWER           /* declared by a newer Interlock: not looked at */
} Status;

typedef struct StatusWalk StatusWalk;

/* The declared tables of every schema, one after the other: the fields of
** the one it stands on. */
struct StatusWalk {
  const char **azSchema;
  int iSchema;               /* as SQLite counts them; -1 before the first */
  RegistryCursor cur;
  const char *zSchema;
  TableInfoList list;        /* of that schema */
  RegistryEntry entry;
  TableInfo shape;           /* empty for STATUS_TABLE and STATUS_NEWER */
  Status status;
  Skipping skip;         /* for STATUS_SKIPPED the trigger */
};

void statusWalkBegin(Sqlx *p, StatusWalk *pWalk);
int statusWalkNext(Sqlx *p, StatusWalk *pWalk);
void statusWalkEnd(Sqlx *p, StatusWalk *pWalk);

Status statusOfSet(Sqlx *p, const TableInfo *pInfo, const RegistryEntry *pEntry,
                   const TriggersSet *pSet, Skipping *pSkip);
const char *statusName(Status status);
int statusRenamed(const StatusWalk *pWalk);
const char *statusNote(Sqlx *p, const StatusWalk *pWalk);

#endif
