/* SPDX-License-Identifier: 0BSD */
/*
** The table of leases of a database file, `interlock_leases`, and its triggers,
** which keep it from being emptied or set back. Their texts are in sql/leases/.
*/
#ifndef INTERLOCK_LEASETABLE_H
#define INTERLOCK_LEASETABLE_H

#include "schema/ddl.h"

/* Whether the table is there, to be read. Another table of that name is an
** error, and so is a changed text of it. */
int leasetableThere(Sqlx *p, const char *zSchema);
/* Appends the steps that make it, if it is not there or they are printed. */
void leasetableSteps(Sqlx *p, Ddl *pDdl);

#endif
