/* SPDX-License-Identifier: 0BSD */
/*
** Versioned tables: what it takes to declare one, to give it up, to mend it,
** and to print the same as text. Which triggers there are is decided by the
** generator (triggers.h); this file decides whether a table may have them,
** and puts them there all or not at all.
*/
#ifndef INTERLOCK_VERSIONED_H
#define INTERLOCK_VERSIONED_H

#include "schema/ddl.h"
#include "versioned/options.h"

typedef struct VersionedRequest VersionedRequest;
typedef struct VersionedTable VersionedTable;

struct VersionedRequest {
  const char *zTable;
  OptionsWords words;
  const char *zNumber;   /* of a declared table that is missing, and was in
                         ** truth renamed to this one; or NULL */
  sqlite3_context *pResult;  /* who gets the result, or NULL */
};

/* A table, what the registry knows of it, and the rule it is to follow. */
struct VersionedTable {
  TableInfo shape;
  RegistryEntry entry;
  TriggersRule rule;
};

const char *versionedDeclare(Sqlx *p, const VersionedRequest *pReq,
                             DdlScope eScope);
int versionedUndeclare(Sqlx *p, const char *zTable, DdlScope eScope);
const char *versionedText(Sqlx *p, const VersionedRequest *pReq);
int versionedRepair(Sqlx *p, const char *zTable);
sqlite3_int64 versionedForget(Sqlx *p, const char *zTable,
                              sqlite3_int64 msOlder);

int versionedFind(Sqlx *p, const char *zTable, VersionedTable *pTab);

#endif
