/* SPDX-License-Identifier: 0BSD */
/*
** Which locks a statement asks advisory_locks for: `session = ?`, `key = ?`, or
** only how many. The lock manager then copies no others.
**
** The filter lets every row through that the statement can want, and maybe
** others: SQLite compares each row again. What a comparison with a key can do
** to its type and to that of the value, it does by affinity, which a virtual
** table is not told. So a number also finds texts that look like one, and such
** a text all numbers.
*/
#ifndef INTERLOCK_INSPECTFILTER_H
#define INTERLOCK_INSPECTFILTER_H

#include "locks/inspectrows.h"

typedef struct InspectFilter {
  LockFilter lock;
  int eType;             /* of the value that the key is compared with */
  int bNumber;           /* it is a number, or a text that looks like one */
  i64 i;
  double r;
  const char *p;         /* a TEXT or BLOB: n bytes of the statement's */
  u32 n;
} InspectFilter;

/* Plans a scan of advisory_locks, as xBestIndex. */
void inspectfilterPlan(sqlite3_index_info*);
/* Makes the filter of a scan that was planned so, or, with a plan of 0, one
** that lets through everything that the parts have. It must not move while it
** is used, and the values must stay. */
void inspectfilterMake(InspectFilter*, Sqlx*, u32 mPart, int iPlan,
                       sqlite3_value **apVal);

#endif
