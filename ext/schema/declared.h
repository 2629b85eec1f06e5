/* SPDX-License-Identifier: 0BSD */
/*
** Declared tables: users' tables that have a set of Interlock's triggers, and
** an entry in a registry, which is a table of the same schema. There are
** several kinds, such as versioned tables. Each kind describes itself by a
** DeclaredKind. What the kinds have in common is the engine, which knows none
** of them by name:
**
**   registry.h         reading, finding and storing entries
**   status.h           the set that is installed against a fresh one
**   declare.h          declaring, undeclaring, repairing, printing as text
**   declaredtables.h   the virtual table that lists the tables of one kind
**
** A new kind is a folder with a descriptor and a generator of triggers, and a
** folder of templates in sql/, one of them for its registry. Its descriptor
** must be in the list of kinds.c.
*/
#ifndef INTERLOCK_DECLARED_H
#define INTERLOCK_DECLARED_H

#include <stddef.h>

#include "schema/ddl.h"
#include "schema/skipping.h"

typedef struct DeclaredKind DeclaredKind;
typedef struct DeclaredTable DeclaredTable;

/* What is wrong with a declared table. If several apply, the last one of this
** list is reported. */
typedef enum DeclaredStatus {
  DECLARED_OK = 0,
  DECLARED_SKIPPED,      /* a trigger of the user's may skip some of ours */
  DECLARED_TWICE,        /* another attached file is a copy; no repair helps */
  DECLARED_BROKEN,       /* a trigger names a table that is not there */
  DECLARED_OUTDATED,     /* the table's indexes, columns or triggers that update
                         ** it have changed since, or an older Interlock has
                         ** made the triggers */
  DECLARED_CHANGED,      /* a trigger's text is not what it should be */
  DECLARED_MISSING,      /* a trigger is not there */
  DECLARED_REFUSED,      /* the table may not be declared as it is now, so that
                         ** its triggers cannot be made anew */
  DECLARED_SEVERAL,      /* the table has more than one set or entry */
  DECLARED_NO_ENTRY,     /* its triggers are there, and its entry is not */
  DECLARED_NO_COLUMN,    /* a column that the kind needs is not there */
  DECLARED_NO_PARENT,    /* another table that the kind needs is not there, or
                         ** is not declared; no repair helps */
  DECLARED_NO_TABLE,     /* the table is not there */
  DECLARED_NEWER         /* declared by a newer Interlock: not looked at */
} DeclaredStatus;

/* A table, its entry in the registry, and the set that it should have. A kind
** has a struct of its own for its tables, which must begin with this one. */
struct DeclaredTable {
  const DeclaredKind *pKind;
  const char *zSchema;
  int iSchema;           /* as SQLite counts schemas; in a list only */
  TableInfo info;        /* in a list empty for NO_TABLE and NEWER */

  const char *zEntry;    /* the number of its entry; NULL: it has none */
  const char *zTable;    /* the table as it is called now */
  const char *zName;     /* as it was called when it was declared */
  int iGenerator;        /* which generator has made the installed triggers */
  int bDeclared;         /* 0: no entry, or one that was undeclared */
  int bLost;             /* the triggers are there, and no entry declares them:
                         ** zEntry is the number in their names */
  int bOldNames;         /* set by xExpect: the entry names columns that were
                         ** renamed or dropped since */
  int bUnknown;          /* bLost, and their texts do not tell the options */
  TriggerSet has;        /* the triggers that are installed */
  DeclaredTable *pOther; /* further sets and entries of the same table, each
                         ** with a number of its own */

  const char *zNumber;   /* in the names of the triggers of set: zEntry, or one
                         ** that was drawn; NULL before */
  TriggerSet set;        /* the triggers that should be installed */
  Touches touches;       /* triggers of the user's that update the table, where
                         ** the kind looks for them */

  DeclaredStatus status; /* in a list only, as are the next four */
  DeclaredStatus beneath;  /* for DECLARED_REFUSED: what its triggers are */
  const char *zRefused;  /* and why; NULL: it is not refused */
  Skipping skip;         /* for DECLARED_SKIPPED the trigger */
  DeclaredTable *pNext;
};

/*
** A kind. A hook may be NULL only if its comment says so. Hooks report errors
** in the request (sqlx.h), and the engine may call them after an error.
*/
struct DeclaredKind {
  /* ---- names ---- */
  const char *zName;         /* such as `versioned`. The names of its functions
                             ** and of its virtual table are made of it:
                             ** versioned(), unversioned(), versioned_repair(),
                             ** versioned_tables */
  const char *zDeclared;     /* the word of errors for a declared table */
  size_t nTable;             /* size of its struct for a table */
  int iGenerator;            /* must go up whenever the text of its triggers
                             ** changes: an older extension leaves those of a
                             ** newer one alone */
  int bTemp;                 /* tables in temp may be declared */
  int bDeletesEntry;         /* undeclaring deletes the entry; if not set, the
                             ** entry stays, and its column `declared` is 0 */

  /* ---- the registry ---- */
  const char *zRegistry;     /* its name, `interlock_` and zName */
  const char *zRegistrySql;  /* template of the statement that makes it */
  const char *const *azColumn;  /* its columns: number, name, then others */
  int nColumn;
  int nLater;                /* so many of them, the last ones, are missing in a
                             ** registry that an older Interlock has made: TEXT
                             ** columns, there ''. They are added when an entry
                             ** has another value in them */
  const char *zTriggerOrder; /* ORDER BY of the triggers that are dropped */
  const char *zSide;         /* NULL, or the last part of the name of the table
                             ** that the kind keeps beside each of its tables:
                             ** `interlock_<number>_<zSide>` */
  /* Reads the columns from the third on, among them the generator. */
  void (*xRead)(Sqlx*, sqlite3_stmt*, DeclaredTable*);
  /* Reads what the text of an installed trigger tells; or NULL. */
  void (*xReadTrigger)(Sqlx*, DeclaredTable*, const TriggerSetOne*);
  const char *zMark;         /* how a token begins that is in triggers of this
                             ** kind and of no other; NULL: a set without an
                             ** entry is not recognized */
  /* Sets what xRead would read, for a set without an entry, from the texts of
  ** its triggers. Returns 0 if they do not tell; or NULL: there is nothing. */
  int (*xReadLost)(Sqlx*, DeclaredTable*);
  /* Returns the values of the entry, for INSERT: those that are asked for or,
  ** if bDeclared is 0, those that it had, undeclared. */
  const char *(*xValues)(Sqlx*, const DeclaredTable*, int bDeclared);
  /* Returns those of the nLater columns, which xValues leaves out; "" if all of
  ** them are ''. NULL: there are none. */
  const char *(*xLater)(Sqlx*, const DeclaredTable*, int bDeclared);
  /* Whether the entry has the values that are asked for. The engine itself
  ** compares bDeclared, zName and iGenerator. */
  int (*xIsStored)(Sqlx*, const DeclaredTable*);

  /* ---- the set ---- */
  /* Takes the options that are asked for; pOptions NULL: those of the entry. */
  void (*xOptions)(Sqlx*, DeclaredTable*, const void *pOptions);
  /* Makes the set, with zNumber in its names. */
  void (*xMake)(Sqlx*, DeclaredTable*);
  /* Takes the options of the entry for a comparison, in place of xOptions.
  ** Returns DECLARED_OK, or a status if the sets need not be compared. */
  DeclaredStatus (*xExpect)(Sqlx*, DeclaredTable*);
  /* Returns what is wrong beside the triggers, which are whole; or NULL. */
  DeclaredStatus (*xFault)(Sqlx*, const DeclaredTable*);
  /* Sets the status of tables that are wrong together; or NULL. */
  void (*xList)(DeclaredTable*);
  /* Returns what a user should know of a table beside its status. */
  const char *(*xNote)(Sqlx*, const DeclaredTable*);

  /* ---- declaring ---- */
  /* Refuses a table that may not be declared with its options. The status of a
  ** declared table that it refuses is DECLARED_REFUSED. So it looks at the
  ** table only: what refuses a connection or rows belongs into xPrepare. */
  void (*xCheck)(Sqlx*, const DeclaredTable*);
  /* Whether a table without an entry can be what has become of a declared table
  ** that is missing. NULL: no table is taken for another. */
  int (*xIsSuccessor)(Sqlx*, const DeclaredTable *pTab,
                      const DeclaredTable *pGone);
  /* Looks at the rows of the table and the connection, once it is known that
  ** there is something to do, and may refuse it; or NULL. */
  void (*xPrepare)(Sqlx*, DeclaredTable*, DdlScope);
  /* Append steps of the kind's own, or NULL: before the triggers are made,
  ** after that, and after the entry is stored. */
  void (*xColumns)(Sqlx*, const DeclaredTable*, Ddl*);
  void (*xTables)(Sqlx*, const DeclaredTable*, Ddl*);
  void (*xRows)(Sqlx*, const DeclaredTable*, Ddl*);
  /* Appends the steps that take over what stands beside another set of the same
  ** table, which is dropped; or NULL. */
  void (*xTakeOver)(Sqlx*, const DeclaredTable*, const DeclaredTable *pOther,
                    Ddl*);
  /* Returns the result of the function that declares. */
  const char *(*xResult)(Sqlx*, const DeclaredTable*);
};

/* Returns the kinds, from number 0 on, and NULL after the last. The list is
** above the engine, in kinds.c. */
const DeclaredKind *declaredKind(int i);

#endif
