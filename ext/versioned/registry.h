/* SPDX-License-Identifier: 0BSD */
/*
** The registry of versioned tables: which tables of a schema were declared,
** how, and which triggers they have. It is the table interlock_versioned in
** that schema (its columns are described in sql/versioned/registry.sql).
**
** A table is found by the number in the names of its triggers, which follow
** a RENAME; by its name only where the triggers are gone, as after the
** rebuild of a table by a migration.
*/
#ifndef INTERLOCK_REGISTRY_H
#define INTERLOCK_REGISTRY_H

#include "schema/triggers.h"

typedef struct RegistryEntry RegistryEntry;
typedef struct RegistryCursor RegistryCursor;

struct RegistryEntry {
  const char *zNumber;   /* NULL: no entry */
  const char *zTable;    /* the table as it is called now */
  const char *zName;     /* as it was called when it was declared */
  const char *zColumn;   /* the version column, as it is called now */
  const char *zLabel;    /* what the installed messages say, or NULL */
  const char *zMode;     /* the options as they were declared */
  const char *zOnStale;
  const char *zExcept;
  int bTombstones;
  int iGenerator;
  int bDeclared;         /* 0: given up; number and tombstones stay */
  int nTrigger;          /* triggers under its number, from registryFind() in
                         ** the order in which they were made */
  TriggersOne aTrigger[TRIGGERS_MAX];
};

struct RegistryCursor {
  sqlite3_stmt *pStmt;
  const TableInfoList *pList;
};

int registryExists(Sqlx *p, const char *zSchema);
void registryFind(Sqlx *p, const TableInfo *pInfo, RegistryEntry *pEntry);
void registryOpen(Sqlx *p, const char *zSchema, RegistryCursor *pCur,
                  TableInfoList *pList);
int registryNext(Sqlx *p, RegistryCursor *pCur, RegistryEntry *pEntry);
void registryClose(Sqlx *p, RegistryCursor *pCur);
const char *registryStore(Sqlx *p, const char *zSchema,
                          const RegistryEntry *pEntry);
void registryGiveUp(Sqlx *p, const char *zSchema, const RegistryEntry *pEntry);

#endif
