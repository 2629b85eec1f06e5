/* SPDX-License-Identifier: 0BSD */
/*
** Declared tables: a user's table that has a set of Interlock's triggers, and
** an entry in a registry, a table of the same schema. There are several kinds
** of them, as versioned tables. A kind describes itself by a DeclaredKind; all
** that kinds have in common is the engine, which knows none of them by name:
**
**   registry.h         reading, finding and storing entries
**   status.h           the set that is installed against a fresh one
**   declare.h          declaring, undeclaring, repairing, printing as text
**   declaredtables.h   the virtual table that lists the tables of one kind
**
** A new kind is a folder with a descriptor, a generator of triggers, and a
** registry among the templates of sql/; its descriptor is added to kinds.c.
*/
#ifndef INTERLOCK_DECLARED_H
#define INTERLOCK_DECLARED_H

#include <stddef.h>

#include "schema/ddl.h"
#include "schema/skipping.h"

typedef struct DeclaredKind DeclaredKind;
typedef struct DeclaredTable DeclaredTable;

/* What is wrong with a declared table. If several apply the last one of this
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
  DECLARED_NO_COLUMN,    /* a column that the kind needs is not there */
  DECLARED_NO_TABLE,     /* the table is not there */
  DECLARED_NEWER         /* declared by a newer Interlock: not looked at */
} DeclaredStatus;

/* A table, its entry in the registry, and what it should have. A kind has a
** struct of its own that begins with this one (nTable of the kind). */
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
  TriggerSet has;        /* the triggers that are installed */

  const char *zNumber;   /* in the names of the triggers of set: zEntry, or one
                         ** that was drawn; NULL before */
  TriggerSet set;        /* the triggers that should be installed */
  Touches touches;       /* triggers of the user's that update the table, where
                         ** the kind looks for them */

  DeclaredStatus status; /* in a list only, as are the next two */
  Skipping skip;         /* for DECLARED_SKIPPED the trigger */
  DeclaredTable *pNext;
};

/*
** A kind. A hook that may be NULL says so. Hooks report errors in the request
** (sqlx.h), and may be called after one.
*/
struct DeclaredKind {
  /* ---- names ---- */
  const char *zName;         /* as `versioned`: of this are made the names of
                             ** its functions, versioned(), unversioned(),
                             ** versioned_repair(), and of its virtual table,
                             ** versioned_tables */
  const char *zDeclared;     /* the participle of its error texts */
  size_t nTable;             /* size of its struct for a table */
  int iGenerator;            /* goes up whenever the text of its triggers
                             ** changes: an older extension leaves the triggers
                             ** of a newer one alone */
  int bTemp;                 /* tables of temp may be declared */
  int bForgets;              /* undeclaring deletes the entry. Otherwise the
                             ** entry stays, with bDeclared 0 */

  /* ---- the registry ---- */
  const char *zRegistry;     /* name of the registry */
  const char *zRegistrySql;  /* template of the statement that makes it */
  const char *const *azColumn;  /* its columns: number, name, and others */
  int nColumn;
  const char *zOrder;        /* by what order of entries (v) the first of
                             ** several that fit a table is found */
  const char *zTriggerOrder; /* the order in which the set is dropped */
  /* Read the columns from the third on into the table. */
  void (*xRead)(Sqlx*, sqlite3_stmt*, DeclaredTable*);
  /* Read what an installed trigger says; or NULL. */
  void (*xReadTrigger)(Sqlx*, DeclaredTable*, const TriggerSetOne*);
  /* The values of the table's entry: as asked for, or, if bDeclared is 0, as
  ** it was, and undeclared. */
  const char *(*xValues)(Sqlx*, const DeclaredTable*, int bDeclared);
  /* Whether the entry has the values that are asked for, beside those that the
  ** engine compares: bDeclared, zName and iGenerator. */
  int (*xIsStored)(Sqlx*, const DeclaredTable*);

  /* ---- the set ---- */
  /* Take the options that are asked for; pWords NULL: those of the entry. */
  void (*xOptions)(Sqlx*, DeclaredTable*, const void *pWords);
  /* Make the set, with zNumber in its names. */
  void (*xMake)(Sqlx*, DeclaredTable*);
  /* Take the options of the entry for a comparison, in place of xOptions.
  ** Returns a status if no set is to be compared with, or DECLARED_OK. */
  DeclaredStatus (*xExpect)(Sqlx*, DeclaredTable*);
  /* What is wrong beside the triggers, which are all there; or NULL. */
  DeclaredStatus (*xFault)(Sqlx*, const DeclaredTable*);
  /* What is wrong with several tables together; or NULL. */
  void (*xList)(DeclaredTable*);
  /* What a user should know of a table beside its status. */
  const char *(*xNote)(Sqlx*, const DeclaredTable*);

  /* ---- declaring ---- */
  /* Refuse a table that may not be declared with its options. */
  void (*xCheck)(Sqlx*, const DeclaredTable*);
  /* Whether a table without an entry can be what has become of a table that is
  ** not there any more. NULL: nothing is taken for another. */
  int (*xFits)(Sqlx*, const DeclaredTable *pTab, const DeclaredTable *pGone);
  /* Look at what the table holds, once it is known that something is to be
  ** done, and refuse it; or NULL. */
  void (*xPrepare)(Sqlx*, DeclaredTable*, DdlScope);
  /* Add steps of the kind's own; or NULL: before triggers are made, after they
  ** were made, and after the entry was stored. */
  void (*xColumns)(Sqlx*, const DeclaredTable*, Ddl*);
  void (*xTables)(Sqlx*, const DeclaredTable*, Ddl*);
  void (*xRows)(Sqlx*, const DeclaredTable*, Ddl*);
  /* The result of the function that declares. */
  const char *(*xResult)(Sqlx*, const DeclaredTable*);
};

/* All kinds, NULL at the end. They stand above the engine, in kinds.c. */
const DeclaredKind *const *declaredKinds(void);

#endif
