/* SPDX-License-Identifier: 0BSD */
/*
** A change of the schema, all or nothing: its statements are written down
** first, each with the one that undoes it, then run.
**
** Made from a function, the change is a transaction of its own, or a
** savepoint where one is open. Made from a statement that writes, as an
** xUpdate is, it can have neither: there the steps are undone by hand. What is
** changed, and why, is for others to know.
*/
#ifndef INTERLOCK_PLAN_H
#define INTERLOCK_PLAN_H

#include "schema/triggers.h"

typedef struct Plan Plan;
typedef struct PlanStep PlanStep;
typedef struct PlanTxn PlanTxn;

struct PlanStep {
  const char *zDo;
  const char *zUndo;     /* NULL: the one before it undoes this one, too */
  PlanStep *pPrev, *pNext;
};

struct Plan {
  const char *zSchema;
  int bDrops;            /* a table, which nothing may be reading then */
  PlanStep *pFirst, *pLast;
};

/*
** As a step's zUndo: the user's whole transaction goes. Inside a statement
** that writes nothing undoes CREATE TABLE: DROP TABLE is "locked" while
** anything reads. This is then the one way back.
*/
#define PLAN_UNDO_ALL "ROLLBACK"

/* Where a change is made from. */
typedef enum PlanScope {
  PLAN_SELECT,           /* a function: a transaction or savepoint around it */
  PLAN_STATEMENT         /* a statement that writes: undone by hand */
} PlanScope;

/* What is around the plans that belong together, from planBegin() on. All of
** the statements are made early: nothing can be compiled once memory has run
** out, or an interrupt has come. */
struct PlanTxn {
  int bOpen;
  int bOwn;              /* a transaction of its own, not a savepoint */
  int bRun;              /* a step has been run */
  sqlite3_stmt *pKeep;
  sqlite3_stmt *pBack;   /* undoes all */
  sqlite3_stmt *pHalt;   /* where pBack cannot, see planBack() */
  sqlite3_stmt *pRead;   /* where neither can, see planWatch() */
  sqlite3_stmt *pWrite;
};

/* Writing it down. */
void planNew(Plan *pPlan, const char *zSchema);
void planStep(Sqlx *p, Plan *pPlan, const char *zDo, const char *zUndo);
void planDropTriggers(Sqlx *p, Plan *pPlan, PlanScope eScope,
                      const TriggersOne *a, int n);
void planMakeTriggers(Sqlx *p, Plan *pPlan, const TriggersOne *a, int n);
const char *planText(Sqlx *p, const Plan *pPlan, const char *zTable);

/* Doing it. */
PlanTxn planBegin(Sqlx *p, PlanScope eScope);
void planRun(Sqlx *p, const Plan *pPlan, PlanTxn *pTxn);
void planEnd(Sqlx *p, PlanTxn *pTxn);

#endif
