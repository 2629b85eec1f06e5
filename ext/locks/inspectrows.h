/* SPDX-License-Identifier: 0BSD */
/*
** The inspection tables as data: the columns of each, and its rows in the
** snapshot of a lock file. The virtual tables (inspecttables.h) and
** interlock_status() (inspectstatus.h) both show what is defined here.
*/
#ifndef INTERLOCK_INSPECTROWS_H
#define INTERLOCK_INSPECTROWS_H

#include "session/connection.h"

/* A value: NULL, INTEGER, TEXT, the key of a lock, or its object, which is the
** table that the key names or belongs to. */
typedef struct LockCell {
  enum { CELL_NULL, CELL_INTEGER, CELL_TEXT, CELL_KEY, CELL_OBJECT } eType;
  i64 i;
  const char *z;
  const LockRow *pRow;   /* the lock, of CELL_KEY and CELL_OBJECT */
} LockCell;

/* A view: its name, its columns and its rows. In each lock file its rows are
** at positions 0 to xCount()-1; a position at which xIs() returns 0 holds no
** row. xId() returns a number below 2^53 that only this row has, in every
** snapshot: SQLite compares such numbers of two scans with filters. */
typedef struct LockView {
  const char *zName;
  const char *zColumns;  /* as in CREATE TABLE */
  u32 mPart;             /* the parts of a snapshot that it shows */
  u32 (*xCount)(const LookFile*);
  int (*xIs)(const LookFile*, u32 iPos);
  u64 (*xId)(const LookFile*, u32 iPos);
  LockCell (*xCell)(const LookFile*, u32 iPos, int iCol);
} LockView;

enum { LOCKVIEW_LOCKS, LOCKVIEW_SESSIONS, LOCKVIEW_WAITS, LOCKVIEW_STATS,
       LOCKVIEW_COUNT };
const LockView *inspectrowsGet(int i);

/* Columns of advisory_locks. */
enum { LOCKS_SESSION, LOCKS_KIND, LOCKS_SCHEMA, LOCKS_OBJECT, LOCKS_KEY,
       LOCKS_MODE, LOCKS_SCOPE, LOCKS_GRANTED, LOCKS_COUNT, LOCKS_TOKEN,
       LOCKS_PID, LOCKS_APPLICATION, LOCKS_SINCE, LOCKS_WAITED };

#endif
