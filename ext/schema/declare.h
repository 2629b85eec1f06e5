/* SPDX-License-Identifier: 0BSD */
/*
** Declaring a table of some kind, undeclaring it, repairing it, and printing
** the same as text. Whether a table may be declared, and which triggers it
** gets, the kind decides (declared.h); the engine puts them there all or not at
** all.
**
** Everything is looked at first, and refused if it cannot be. Then all
** statements are written down. Then they are run (ddl.h).
*/
#ifndef INTERLOCK_DECLARE_H
#define INTERLOCK_DECLARE_H

#include "schema/declared.h"

typedef struct DeclareRequest DeclareRequest;

struct DeclareRequest {
  const char *zTable;
  const void *pWords;    /* the options, for the kind's xOptions; not NULL */
  const char *zEntry;    /* NULL; or the number of a declared table that is
                         ** missing, and has in truth become this one */
  sqlite3_context *pResult;  /* gets the result, or NULL */
};

/* Declare a table, or change its options. Returns the kind's result, NULL for a
** table of Interlock's own. After an error nothing has changed. */
const char *declareTable(Sqlx *p, const DeclaredKind *pKind,
                         const DeclareRequest *pReq, DdlScope eScope);
/* The statements that declareTable() would run, one a line; NULL as there. */
const char *declareText(Sqlx *p, const DeclaredKind *pKind,
                        const DeclareRequest *pReq);
/* Drop the triggers of a table. Returns 1, or 0 if it was not declared. */
int declareUndo(Sqlx *p, const DeclaredKind *pKind, const char *zTable,
                DdlScope eScope);
/* Repair one table, or, if zTable is NULL, every declared table of every
** schema, all or nothing. Returns how many had to be repaired. */
int declareRepair(Sqlx *p, const DeclaredKind *pKind, const char *zTable);

/* Find a table and its entry. pTab has the size that the kind says, and is
** overwritten. Returns 0 after an error, and with no error for a table of
** Interlock's own. */
int declareFind(Sqlx *p, const DeclaredKind *pKind, const char *zTable,
                DeclaredTable *pTab);

#endif
