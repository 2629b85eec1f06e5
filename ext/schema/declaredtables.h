/* SPDX-License-Identifier: 0BSD */
/*
** The virtual table that lists the declared tables of one kind, such as
** versioned_tables. Its columns are schema, name, the kind's own, status and
** note.
**
** If the kind allows writing, INSERT declares a table, UPDATE changes its
** options and DELETE undeclares it. The xRead and xWrite of its ListVtab must
** call these functions.
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
  /* Sets the kind's own columns; NULL: it has none. */
  void (*xColumns)(const DeclaredTable*, const char **azColumn);
  /* Returns the options that a row of values asks for, as the kind's xOptions
  ** takes them; NULL: the table is read-only. */
  const void *(*xOptions)(Sqlx*, sqlite3_value **apVal);
};

/* Read the rows, and write one. */
void declaredtablesRead(Sqlx *p, const DeclaredTables *pThis,
                        const DeclaredKind *pKind, ListVtabRows *pRows);
void declaredtablesWrite(Sqlx *p, const DeclaredTables *pThis,
                         const DeclaredKind *pKind, int argc,
                         sqlite3_value **argv, sqlite3_int64 *piRowid);
/* Returns a TEXT value, or NULL for NULL. Another value is an error, which
** names zWhat. */
const char *declaredtablesText(Sqlx *p, sqlite3_value *pVal,
                               const char *zWhat);

#endif
