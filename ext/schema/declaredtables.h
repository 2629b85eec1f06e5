/* SPDX-License-Identifier: 0BSD */
/*
** The virtual table that lists the declared tables of one kind, such as
** versioned_tables. Its columns are schema, name, the kind's own, status and
** note.
**
** INSERT declares a table, UPDATE changes its options, DELETE undeclares it,
** where the kind allows writing. Its ListVtab must have these functions as
** xRead and xWrite, with its own DeclaredTables.
*/
#ifndef INTERLOCK_DECLAREDTABLES_H
#define INTERLOCK_DECLAREDTABLES_H

#include "schema/declared.h"
#include "sqlite/listvtab.h"

typedef struct DeclaredTables DeclaredTables;

/* The first columns; the kind's own begin at DECLAREDTABLES_OWN. */
enum { DECLAREDTABLES_SCHEMA, DECLAREDTABLES_NAME, DECLAREDTABLES_OWN };

struct DeclaredTables {
  int iStatus;           /* column `status`; `note` comes next */
  /* Fill the kind's own columns; or NULL: it has none. */
  void (*xColumns)(const DeclaredTable*, const char **azColumn);
  /* The options that a row of values asks for (xOptions of the kind); NULL: the
  ** table is read-only. */
  const void *(*xWords)(Sqlx*, sqlite3_value **apVal);
};

void declaredtablesRead(Sqlx *p, const DeclaredTables *pThis,
                        const DeclaredKind *pKind, ListVtabRows *pRows);
void declaredtablesWrite(Sqlx *p, const DeclaredTables *pThis,
                         const DeclaredKind *pKind, int argc,
                         sqlite3_value **argv, sqlite3_int64 *piRowid);
/* A TEXT value, or NULL for NULL; other values are errors, which name zWhat. */
const char *declaredtablesText(Sqlx *p, sqlite3_value *pVal,
                               const char *zWhat);

#endif
