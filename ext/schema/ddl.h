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
#ifndef INTERLOCK_DDL_H
#define INTERLOCK_DDL_H

#include "schema/triggerset.h"

typedef struct Ddl Ddl;
typedef struct DdlStep DdlStep;
typedef struct DdlTxn DdlTxn;

struct DdlStep {
  const char *zDo;
  const char *zUndo;     /* NULL: the one before it undoes this one, too */
  DdlStep *pPrev, *pNext;
};

struct Ddl {
  const char *zSchema;
  const char *zKind;     /* of the declared table that is changed */
  int bDrops;            /* a table, which nothing may be reading then */
  int bText;             /* it is printed, and run on another database: nothing
                         ** is there but the users' tables */
  DdlStep *pFirst, *pLast;
};

/*
** As a step's zUndo: the user's whole transaction goes. Inside a statement
** that writes nothing undoes CREATE TABLE: DROP TABLE is "locked" while
** anything reads. This is then the one way back.
*/
#define DDL_UNDO_ALL "ROLLBACK"

/* Where a change is made from. */
typedef enum DdlScope {
  DDL_SELECT,           /* a function: a transaction or savepoint around it */
  DDL_STATEMENT         /* a statement that writes: undone by hand */
} DdlScope;

/* What is around the plans that belong together, from ddlBegin() on. All of
** the statements are made early: nothing can be compiled once memory has run
** out, or an interrupt has come. */
struct DdlTxn {
  int bOpen;
  int bOwn;              /* a transaction of its own, not a savepoint */
  int bRun;              /* a step has been run */
  sqlite3_stmt *pKeep;
  sqlite3_stmt *pBack;   /* undoes all */
  sqlite3_stmt *pHalt;   /* where pBack cannot, see ddlBack() */
  sqlite3_stmt *pRead;   /* where neither can, see ddlWatch() */
  sqlite3_stmt *pWrite;
};

/* Writing it down. */
void ddlNew(Ddl *pDdl, const char *zSchema, const char *zKind);
void ddlStep(Sqlx *p, Ddl *pDdl, const char *zDo, const char *zUndo);
void ddlDropTriggers(Sqlx *p, Ddl *pDdl, DdlScope eScope,
                     const TriggerSet *pSet);
void ddlMakeTriggers(Sqlx *p, Ddl *pDdl, const TriggerSet *pSet);
/* Append the making of a table, from its CREATE statement, if bThere is 0 or
** the plan is printed. Nothing undoes that by itself. */
void ddlMakeTable(Sqlx *p, Ddl *pDdl, const char *zSql, int bThere);
const char *ddlText(Sqlx *p, const Ddl *pDdl, const char *zTable);

/* Doing it. */
DdlTxn ddlBegin(Sqlx *p, DdlScope eScope);
void ddlRun(Sqlx *p, const Ddl *pDdl, DdlTxn *pTxn);
void ddlEnd(Sqlx *p, DdlTxn *pTxn);

#endif
