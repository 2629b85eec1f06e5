/* SPDX-License-Identifier: 0BSD */
/*
** What a look at the lock file shows, as rows and columns: the virtual tables
** and interlock_status() both take it from here.
*/
#ifndef INTERLOCK_INSPECTROWS_H
#define INTERLOCK_INSPECTROWS_H

#include "session/connection.h"

/* A value: NULL, INTEGER, TEXT, the key of a lock, or the name of the table
** that this begins with. */
typedef struct LockCell {
  enum { CELL_NULL, CELL_INTEGER, CELL_TEXT, CELL_KEY, CELL_OBJECT } eType;
  i64 i;
  const char *z;
  const LockRow *pRow;   /* whose key it is */
} LockCell;

/* A view: its name, its columns, and, of each lock file, its rows at positions
** 0 to xCount()-1, of which those count that xIs() says 1 for. */
typedef struct LockView {
  const char *zName;
  const char *zColumns;  /* as CREATE TABLE has them */
  u32 (*xCount)(const LookFile*);
  int (*xIs)(const LookFile*, u32 iPos);
  LockCell (*xCell)(const LookFile*, u32 iPos, int iCol);
} LockView;

enum { LOCKVIEW_LOCKS, LOCKVIEW_SESSIONS, LOCKVIEW_WAITS, LOCKVIEW_STATS,
       LOCKVIEW_COUNT };
const LockView *inspectrowsGet(int i);

#endif
