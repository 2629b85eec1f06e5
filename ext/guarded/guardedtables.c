/* SPDX-License-Identifier: 0BSD */
/*
** The virtual table guarded_tables. See guardedtables.h.
*/
#include "guarded/guardedtables.h"
#include "guarded/guarded.h"
#include "schema/declaredtables.h"
SQLITE_EXTENSION_INIT3

/*
** SQL AREA Guarded tables
**
** The table `guarded_tables` shows which tables are guarded, and whether their
** guards are whole.
*/

/*
** SQL TABLE guarded_tables
**
** Lists the guarded tables of every database file of the connection, and what
** is wrong with them, if anything. The table is read-only.
**
** `status` is the first of these that applies:
**
** | status | cause | a write |
** |---|---|---|
** | `newer` | a newer Interlock has guarded it | |
** | `table missing` | it was dropped, or renamed and then rebuilt | |
** | `entry missing` | a tool has dropped `interlock_guarded` | fails |
** | `several sets` | two texts of `guarded_sql` were run | |
** | `cannot be declared` | its key cannot be locked; `note` | as `note` says |
** | `triggers missing` | a migration has rebuilt it | checks no lock |
** | `triggers changed` | by hand, or by RENAME | fails after RENAME |
** | `triggers outdated` | index added or dropped; older set | may check none |
** | `file attached twice` | another attached file is a copy | fails |
** | `triggers may be skipped` | see below | may be refused by COMMIT |
** | `ok` | | |
**
** `triggers may be skipped`: an AFTER trigger of the application on this table
** contains RAISE(IGNORE) and is newer. SQLite runs the newest trigger first,
** and RAISE(IGNORE) in an AFTER trigger skips the AFTER triggers that have not
** run yet, although the row stays changed. An UPDATE or DELETE of a locked row
** is still refused. An INSERT, or an UPDATE that replaces a locked row or
** moves a row to a locked key, is then refused by the next guard or by COMMIT,
** which rolls the transaction back. A new row under a locked key is accepted
** if SQLite chose that key (an INTEGER PRIMARY KEY without a value) and no row
** was under it. `guarded_repair` makes the guards the newest triggers. A
** trigger of the temp schema always runs first, and must be a BEFORE trigger
** instead.
**
** `cannot be declared`: a rebuild gave the key a collation of the
** application's, or a database that is read-only has a table with a fault.
** `note` says so, and what the triggers are.
**
** `guarded_repair` repairs every other fault of triggers and entries. A table
** that no longer exists stays in the list until `unguarded` is called with its
** name. If two copies of one file are attached, detach one, or give the copy an
** id of its own by `unguarded` for all of its tables and then `guarded`. A file
** whose table `interlock_guarded` is a view, a virtual table, or calls
** functions is refused.
**
** Columns:
**   schema  TEXT  main, or an attached file
**   name    TEXT  the table
**   status  TEXT  see above
**   note    TEXT  an explanation, and what to do
** Errors:
**   `bad argument:` SQLITE_ERROR
** From: Interlock
** Example:
**   CREATE TABLE account(id INTEGER PRIMARY KEY, owner TEXT);
**   SELECT guarded('account');
**   -- main.account
**   SELECT schema, name, status FROM guarded_tables;
**   -- main|account|ok
**   CREATE UNIQUE INDEX owners ON account(owner);
**   SELECT status FROM guarded_tables;
**   -- triggers outdated
**   SELECT guarded_repair();
**   -- 1
*/
#define GUARDED_TABLES_SQL \
  "CREATE TABLE x(schema TEXT, name TEXT, status TEXT, note TEXT)"

enum { GUARDED_STATUS = DECLAREDTABLES_OWN, GUARDED_NOTE, GUARDED_COUNT };

static const DeclaredTables guardedDeclared = {
  .iStatus = GUARDED_STATUS,
  .xColumns = 0,
  .xOptions = 0,
};

static void readGuarded(Sqlx *p, ListVtabRows *pRows){
  declaredtablesRead(p, &guardedDeclared, guardedKind(), pRows);
}

static const ListVtab guardedTables = {
  .zName = "guarded_tables",
  .zSql = GUARDED_TABLES_SQL,
  .nCol = GUARDED_COUNT,
  .iOwn = 0,
  .xRead = readGuarded,
  .xWrite = 0,
};

int guardedtablesRegister(sqlite3 *db){
  return listvtabRegister(db, &guardedTables);
}

void guardedtablesUnregister(sqlite3 *db){
  listvtabUnregister(db, &guardedTables);
}
