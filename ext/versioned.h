/* SPDX-License-Identifier: 0BSD */
/*
** Versioned tables: what it takes to declare one, to give it up, and to
** print the same as text. Which triggers there are is decided by the
** generator (triggers.h); this file decides whether a table may have them,
** and puts them there all or not at all.
*/
#ifndef INTERLOCK_VERSIONED_H
#define INTERLOCK_VERSIONED_H

#include "sqlx.h"

typedef struct VersionedRequest VersionedRequest;
struct VersionedRequest {
  const char *zTable;    /* as the user typed it */
  const char *zColumn;   /* NULL: as registered, or "version" */
};

const char *versionedDeclare(Sqlx *p, const VersionedRequest *pReq);
int versionedUndeclare(Sqlx *p, const char *zTable);
const char *versionedText(Sqlx *p, const VersionedRequest *pReq);

#endif
