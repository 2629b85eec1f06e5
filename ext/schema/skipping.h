/* SPDX-License-Identifier: 0BSD */
/*
** Which triggers of the user's can skip Interlock's, and which of them update
** the table that they are on.
**
** RAISE(IGNORE) in an AFTER trigger leaves the row changed, and skips the AFTER
** triggers of that row which have not run yet. SQLite runs the triggers of one
** event and time from the newest to the oldest, by their rowids in
** sqlite_master, also after VACUUM, RENAME and reopening. It runs those of temp
** before all others. Both were measured in each world. So an
** older trigger of the user's cannot skip Interlock's. RAISE(IGNORE) in a
** trigger of another table skips none of them, and in a BEFORE trigger it skips
** the change as well.
*/
#ifndef INTERLOCK_SKIPPING_H
#define INTERLOCK_SKIPPING_H

#include "schema/tableinfo.h"
#include "schema/triggerset.h"

typedef struct Skipping Skipping;

struct Skipping {
  const char *zName;     /* the trigger; NULL: none can skip ours */
  int bTemp;             /* it is in temp: to make ours anew does not help */
};

/* Looks for a trigger that can skip a trigger `interlock_<number>_...` of the
** table: a newer one, or else one in temp. */
void skippingFind(Sqlx *p, const TableInfo *pInfo, const char *zNumber,
                  Skipping *pSkip);

/* Returns what a user must know of it. zRepair is the function that makes
** Interlock's triggers the newest. */
const char *skippingNote(Sqlx *p, const Skipping *pSkip, const char *zRepair);

typedef struct Touches Touches;

/* Triggers of the user's on a table that update this table. */
struct Touches {
  TriggerSet set;        /* the AFTER UPDATE triggers, but for those that could
                         ** skip ours, in order of making; zName and zSql */
  int iFirst, iLast;     /* when the first and the last of them were made */
  char *abSet;           /* 1 for each column that any trigger on the table sets
                         ** there; NULL: there is none */
};

/* Look for them. A trigger that is fired for zColumn, the version column, by
** name is not in the set. */
void skippingTouches(Sqlx *p, const TableInfo *pInfo, const char *zColumn,
                     Touches *pTouches);

/* Whether one of the set runs where `settle` or `quiet` of the table with that
** number do not meet it: it must be made between the two. */
int skippingIsOutOfOrder(Sqlx *p, const TableInfo *pInfo, const char *zNumber,
                         const Touches *pTouches);

/* Whether the text of a trigger sets that column of the table. */
int skippingSets(Sqlx *p, const TableInfo *pInfo, const char *zSql,
                 const char *zColumn);

/* For a listed table with that number: returns the name of a trigger of the
** user's, on any table, whose UPDATE of this table does not set that column, or
** runs before Interlock's AFTER UPDATE triggers; NULL if there is none. */
const char *skippingUnset(Sqlx *p, const TableInfo *pInfo, const char *zNumber,
                          const char *zColumn);

/* Returns the name of a trigger in temp, on any table, that updates this table,
** which is not in temp; NULL if there is none. */
const char *skippingTempUpdates(Sqlx *p, const TableInfo *pInfo);

/* Whether the text of a trigger updates that table. */
int skippingUpdates(const char *zSql, const char *zTable);

/* Whether it is the text of an UPDATE trigger which writes something and which
** an UPDATE of that column alone fires. */
int skippingSeesColumn(const char *zSql, const char *zColumn);

/* For a listed table: returns what a user should know of a trigger that has
** RAISE(FAIL), by which what it has interrupted stays half done; NULL if there
** is none. It can be on another table, or in temp: triggers fire each other. */
const char *skippingFailNote(Sqlx *p, const TableInfo *pInfo);

#endif
