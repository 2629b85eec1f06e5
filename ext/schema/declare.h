/* SPDX-License-Identifier: 0BSD */
/*
** Declaring a table of some kind, undeclaring it, repairing it, and printing
** the same as text. The kind decides whether a table may be declared, and which
** triggers it gets (declared.h). The engine makes all of them or none.
**
** First everything is looked at, and the table may be refused. Then all
** statements are written down. Then they are run (ddl.h).
*/
#ifndef INTERLOCK_DECLARE_H
#define INTERLOCK_DECLARE_H

#include "schema/declared.h"

typedef struct DeclareRequest DeclareRequest;

struct DeclareRequest {
  const char *zTable;
  const void *pOptions;  /* for the kind's xOptions; not NULL */
  const char *zEntry;    /* NULL, or the number of a declared table that is
                         ** missing, and of which the user says that it has
                         ** become this one */
  sqlite3_context *pResult;  /* gets the result; or NULL */
};

/* Declares a table, or changes its options. Returns the kind's result, or NULL
** for a table of Interlock's own. After an error nothing has changed. */
const char *declareTable(Sqlx *p, const DeclaredKind *pKind,
                         const DeclareRequest *pReq, DdlScope eScope);
/* Declares several tables with the same options, all or none. The schema is
** read once. Returns how many there are: a table of Interlock's own is not
** counted, and one that is named twice is counted once. */
int declareMany(Sqlx *p, const DeclaredKind *pKind, int nTable,
                const char *const *azTable, const void *pOptions);
/* Returns the statements that declareTable() would run, one a line; NULL as
** there. */
const char *declareText(Sqlx *p, const DeclaredKind *pKind,
                        const DeclareRequest *pReq);
/* Undeclares a table: drops its triggers. Returns 1, or 0 if it was not
** declared. */
int declareUndeclare(Sqlx *p, const DeclaredKind *pKind, const char *zTable,
                DdlScope eScope);
/* Undeclares several tables, all or none. Returns how many were declared. */
int declareUndeclareMany(Sqlx *p, const DeclaredKind *pKind, int nTable,
                         const char *const *azTable);
/* Repairs one table or, if zTable is NULL, every declared table of every
** schema. Returns how many had to be repaired. If some cannot be declared as
** they are now, the others are repaired and stay so, and the error names the
** first one. After any other error nothing has changed. */
int declareRepair(Sqlx *p, const DeclaredKind *pKind, const char *zTable);

/* Finds a table and its entry. pTab must have the size that the kind says, and
** is overwritten. Returns 0 after an error, and without an error for a table of
** Interlock's own. */
int declareFind(Sqlx *p, const DeclaredKind *pKind, const char *zTable,
                DeclaredTable *pTab);

#endif
