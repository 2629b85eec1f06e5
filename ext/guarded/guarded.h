/* SPDX-License-Identifier: 0BSD */
/*
** Guarded tables as a kind of declared tables (schema/declared.h): which tables
** may be guarded, and what their registry says. What the guards do when a row
** is written is in guardcheck.h.
*/
#ifndef INTERLOCK_GUARDED_H
#define INTERLOCK_GUARDED_H

#include "schema/declare.h"

/* The descriptor. A guarded table has no options. */
const DeclaredKind *guardedKind(void);

#endif
