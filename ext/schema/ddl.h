/* SPDX-License-Identifier: 0BSD */
/*
** A change of the schema, all or nothing. Its statements, the steps, are
** written down first, each with the statement that undoes it. Then they are
** run.
**
** A change that a function makes is a transaction of its own or, if one is
** open, a savepoint. A change from inside a statement that writes, such as an
** xUpdate, can have neither: if a step fails there, the steps before it are
** undone one by one. Callers decide what is changed.
*/
#ifndef INTERLOCK_DDL_H
#define INTERLOCK_DDL_H

#include "schema/triggerset.h"

typedef struct Ddl Ddl;
typedef struct DdlStep DdlStep;
typedef struct DdlTxn DdlTxn;

struct DdlStep {
  const char *zDo;
  const char *zUndo;     /* NULL: the undo of the step before undoes it, too */
  DdlStep *pPrev, *pNext;
};

struct Ddl {
  const char *zSchema;
  const char *zKind;     /* of the declared table that is changed */
  int bColumns;          /* a step changes the columns of the table */
  int bDrops;            /* a step drops a table: nothing may be reading then */
  int bText;             /* the steps are printed, for another database that
                         ** has only the users' tables */
  DdlStep *pFirst, *pLast;
};

/*
** As the zUndo of a step: the user's whole transaction is rolled back. Inside a
** statement that writes, CREATE TABLE can be undone in no other way: DROP TABLE
** fails as "locked" while anything reads.
*/
#define DDL_UNDO_ALL "ROLLBACK"

/* Where a change is made from. */
typedef enum DdlScope {
  DDL_SELECT,            /* a function: in a transaction or savepoint */
  DDL_STATEMENT          /* a statement that writes: undone step by step */
} DdlScope;

/* What is around changes that belong together, from ddlBegin() to ddlEnd(). All
** of its statements are prepared early: SQLite compiles nothing once memory has
** run out, or after an interrupt. */
struct DdlTxn {
  int bOpen;             /* a transaction or savepoint is open */
  int bOwn;              /* it is a transaction of its own, not a savepoint */
  int bRun;              /* a step has been run */
  sqlite3_stmt *pKeep;   /* keeps the changes */
  sqlite3_stmt *pBack;   /* undoes them */
  sqlite3_stmt *pHalt;   /* undoes them if pBack cannot: ddlBack() */
  sqlite3_stmt *pRead;   /* these two do if neither can: ddlWatch() */
  sqlite3_stmt *pWrite;
};

/* Writing steps down. */
void ddlNew(Ddl *pDdl, const char *zSchema, const char *zKind);
void ddlStep(Sqlx *p, Ddl *pDdl, const char *zDo, const char *zUndo);
void ddlDropTriggers(Sqlx *p, Ddl *pDdl, DdlScope eScope,
                     const TriggerSet *pSet);
void ddlMakeTriggers(Sqlx *p, Ddl *pDdl, const TriggerSet *pSet, int iFrom,
                     int iTo);
void ddlMakeAgain(Sqlx *p, Ddl *pDdl, const TriggerSet *pSet);
/* Appends a step that makes a table, from its CREATE statement, if bThere is 0
** or the plan is printed. No single statement undoes that step. */
void ddlMakeTable(Sqlx *p, Ddl *pDdl, const char *zSql, int bThere);
const char *ddlText(Sqlx *p, const Ddl *pDdl, const char *zTable);

/* Running them. */
DdlTxn ddlBegin(Sqlx *p, DdlScope eScope);
void ddlRun(Sqlx *p, const Ddl *pDdl, DdlTxn *pTxn);
void ddlEnd(Sqlx *p, DdlTxn *pTxn);

#endif
