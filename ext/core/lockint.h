/* SPDX-License-Identifier: 0BSD */
/*
** lockint.h: what the files of the lock manager show each other and its tests,
** and nobody above: the mapped segment of an open file.
*/
#ifndef INTERLOCK_LOCKINT_H
#define INTERLOCK_LOCKINT_H

#include "core/table.h"

typedef struct LockFile LockFile;

/* The segment, where memory comes from, is it the child's. */
Seg *lockSegment(LockFile*);
const LockMem *lockMemory(LockFile*);
int lockForked(LockFile*);

#endif
