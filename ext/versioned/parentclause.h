/* SPDX-License-Identifier: 0BSD */
/*
** Clauses of SQL by which the triggers of a versioned table find the rows of
** its parent: another versioned table, whose key stands in columns of this one.
**
** As in a foreign key, values compare by the affinity and the collation of the
** parent's columns, and a NULL names no row. After an error of the request the
** texts are of no use.
*/
#ifndef INTERLOCK_PARENTCLAUSE_H
#define INTERLOCK_PARENTCLAUSE_H

#include "schema/tableinfo.h"

typedef struct VersionedParent VersionedParent;

struct VersionedParent {
  const char *zName;     /* the table; NULL: there is no parent */
  int nCol;
  const char **azCol;    /* the columns of the child that hold its key, in the
                         ** order of the key */
  const char *zFault;    /* why it can be no parent; NULL: it can. What follows
                         ** is set only then */
  const TableInfo *pInfo;
  const char *zColumn;   /* its version column */
  int bNull;             /* there a NULL counts as 0 */
};

/* Whether the child has the key of its parent in that column. */
int parentclauseHas(const VersionedParent *pParent, const char *zColumn);
/* "The row of the parent is the one that the child names", for a child with a
** prefix, or for the one that a BEFORE trigger is about to insert. */
const char *parentclauseIs(Sqlx *p, const VersionedParent *pParent,
                           const char *zPrefix);
const char *parentclauseIsNext(Sqlx *p, const VersionedParent *pParent,
                               const TableInfo *pInfo);
/* The key of the parent, to stand before IN. */
const char *parentclauseKey(Sqlx *p, const VersionedParent *pParent);
/* What child r has for it, to stand behind SELECT. */
const char *parentclauseOfRow(Sqlx *p, const VersionedParent *pParent);
/* The columns of the child, for UPDATE OF, each in quotes; and "an UPDATE has
** changed one of them". */
const char *parentclauseOf(Sqlx *p, const VersionedParent *pParent,
                           const TableInfo *pInfo);
const char *parentclauseMoved(Sqlx *p, const VersionedParent *pParent);

#endif
