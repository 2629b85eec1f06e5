/* SPDX-License-Identifier: 0BSD */
/*
** Virtual tables that read all of their rows when a scan begins: a row may be
** changed, or come, while the next ones are read. Columns are texts.
**
** They are eponymous, and only so: there on every connection that has loaded
** the extension, and in no schema. And they are DIRECTONLY: no schema from
** elsewhere reaches them by a view or a trigger.
*/
#ifndef INTERLOCK_LISTVTAB_H
#define INTERLOCK_LISTVTAB_H

#include "sqlite/sqlx.h"

typedef struct ListVtab ListVtab;
typedef struct ListVtabRows ListVtabRows;

/* One such table; it must not go away. */
struct ListVtab {
  const char *zName;
  const char *zSql;      /* its CREATE TABLE */
  int nCol;
  int iOwn;              /* the columns from here on only the table writes: in
                         ** an UPDATE that does not set one it has no value,
                         ** and sqlite3_value_nochange() says so */
  /* Read the rows. */
  void (*xRead)(Sqlx*, ListVtabRows*);
  /* xUpdate, with a request of its own; NULL: the table is read-only. */
  void (*xWrite)(Sqlx*, int argc, sqlite3_value **argv, sqlite3_int64*);
};

/* Add a row: its columns, to be filled with texts of the request; NULL stands
** for NULL. Returns NULL when memory has run out. */
const char **listvtabAdd(Sqlx*, ListVtabRows*, sqlite3_int64 iRowid);

int listvtabRegister(sqlite3 *db, const ListVtab*);
/* After a failed load: leave nothing that points into the library. */
void listvtabUnregister(sqlite3 *db, const ListVtab*);

#endif
