/* SPDX-License-Identifier: 0BSD */
/*
** Virtual tables that read all of their rows when a scan begins, so that rows
** can be changed or added while the scan goes on. The columns are texts; those
** of them that are integers are kept as texts.
**
** The tables are eponymous only: every connection that has loaded the extension
** has them, and no schema does. They are DIRECTONLY, so views and triggers of a
** schema cannot reach them.
*/
#ifndef INTERLOCK_LISTVTAB_H
#define INTERLOCK_LISTVTAB_H

#include "sqlite/sqlx.h"

typedef struct ListVtab ListVtab;
typedef struct ListVtabRows ListVtabRows;

/* One such table. It must stay as long as the module is registered. */
struct ListVtab {
  const char *zName;
  const char *zSql;      /* its CREATE TABLE */
  int nCol;
  int iOwn;              /* the first of the columns that only the table
                         ** writes: an UPDATE that does not set such a column
                         ** passes no value (sqlite3_value_nochange()) */
  unsigned mInteger;     /* the columns that are integers, as bits */
  /* Reads the rows. */
  void (*xRead)(Sqlx*, ListVtabRows*);
  /* The module's xUpdate, with a request of its own; NULL: read-only. */
  void (*xWrite)(Sqlx*, int argc, sqlite3_value **argv, sqlite3_int64*);
};

/* Adds a row and returns its columns, all NULL. The caller sets them to texts
** of the request. NULL if memory has run out. */
const char **listvtabAdd(Sqlx*, ListVtabRows*, sqlite3_int64 iRowid);

int listvtabRegister(sqlite3 *db, const ListVtab*);
/* Must be called when loading has failed: nothing may point into the
** library. */
void listvtabUnregister(sqlite3 *db, const ListVtab*);

#endif
