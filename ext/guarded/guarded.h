/* SPDX-License-Identifier: 0BSD */
/*
** Guarded tables as a kind of declared tables (schema/declared.h): which tables
** may be guarded, and what their registry says. guardcheck.h has what the
** guards do when a row is written.
*/
#ifndef INTERLOCK_GUARDED_H
#define INTERLOCK_GUARDED_H

#include "schema/declare.h"

/* Returns the descriptor. A guarded table has no options. */
const DeclaredKind *guardedKind(void);

#endif
