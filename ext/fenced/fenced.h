/* SPDX-License-Identifier: 0BSD */
/*
** Fenced tables as a kind of declared tables (schema/declared.h): which tables
** may be fenced, what their registry says, and what a declaration takes beside
** triggers: the column of the token, a side table, and the table of leases.
*/
#ifndef INTERLOCK_FENCED_H
#define INTERLOCK_FENCED_H

#include "schema/declare.h"

typedef struct FencedText FencedText;

/* The options. NULL: as it was, or the default. */
struct FencedText {
  const char *zColumn;   /* default `token` */
  const char *zLease;    /* "": none, the default */
};

/* The descriptor. Options are given to it as FencedText. */
const DeclaredKind *fencedKind(void);
/* Returns the options that the registry has for a table of this kind. */
const FencedText *fencedStored(const DeclaredTable *pTab);

#endif
