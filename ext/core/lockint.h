/* SPDX-License-Identifier: 0BSD */
/*
** lockint.h: what the files of the lock manager and its tests share, and no
** layer above sees: the mapped segment of an open file.
*/
#ifndef INTERLOCK_LOCKINT_H
#define INTERLOCK_LOCKINT_H

#include "core/table.h"

typedef struct LockFile LockFile;

/* The segment, its memory functions, whether it is a fork's child's. */
Seg *lockSegment(LockFile*);
const LockMem *lockMemory(LockFile*);
int lockForked(LockFile*);

#endif
