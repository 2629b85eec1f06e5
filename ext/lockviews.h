/* SPDX-License-Identifier: 0BSD */
/*
** What a look at the lock file shows, as rows and columns: the virtual tables
** and interlock_status() both take it from here.
*/
#ifndef INTERLOCK_LOCKVIEWS_H
#define INTERLOCK_LOCKVIEWS_H

#include "session.h"

/* A value: NULL, INTEGER, TEXT, or the key of a lock. */
typedef struct LockCell {
  enum { CELL_NULL, CELL_INTEGER, CELL_TEXT, CELL_KEY } eType;
  i64 i;
  const char *z;
  const LockRow *pRow;   /* whose key it is */
} LockCell;

/* A view: its name, its columns, and its rows at positions 0 to xCount()-1,
** of which those count that xIs() says 1 for. */
typedef struct LockView {
  const char *zName;
  const char *zColumns;  /* as CREATE TABLE has them */
  u32 (*xCount)(const LockSnapshot*);
  int (*xIs)(const LockSnapshot*, u32 iPos);
  LockCell (*xCell)(const LockSnapshot*, u32 iPos, int iCol);
} LockView;

enum { LOCKVIEW_LOCKS, LOCKVIEW_SESSIONS, LOCKVIEW_WAITS, LOCKVIEW_STATS,
       LOCKVIEW_COUNT };
const LockView *lockviewsGet(int i);

#endif
