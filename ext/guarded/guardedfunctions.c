/* SPDX-License-Identifier: 0BSD */
/*
** The SQL functions that guard tables. See guardedfunctions.h.
*/
#include "guarded/guardedfunctions.h"
#include "schema/declarecall.h"
#include "sqlite/args.h"
#include "guarded/guarded.h"
SQLITE_EXTENSION_INIT3

/*
** SQL AREA Guarded tables
**
** A row lock by itself binds only the programs that ask for it. On a guarded
** table it binds every writer, whether or not the writer uses locks. An
** INSERT, UPDATE or DELETE of a row that another session has locked fails with
** `row locked:`, and with `table locked:` if another session has locked the
** table. A REPLACE that would remove a locked row fails too, and so does a
** write by a trigger or a foreign key action. A session is never refused by
** its own locks, and reading is never refused.
**
** An UPDATE or DELETE that meets a locked row is refused even if an OR IGNORE
** or a trigger would skip the row. An INSERT that inserts nothing is refused
** only if the table is locked. A row whose key is too long to be locked (255
** bytes together with the table's name, or 60 columns), or has a NULL in it,
** is refused only for locks on the table.
**
** A guard consists of triggers on the table, which call Interlock. A program
** that has not loaded Interlock can read the table but not write it (`no such
** function: interlock_guard`), so that it cannot overlook a lock. For ALTER
** TABLE ... RENAME and DROP COLUMN SQLite reads all triggers of a file. These
** statements therefore need Interlock too, for every table of that file (`no
** such table: main.interlock_writer`). RENAME TO also works with `PRAGMA
** legacy_alter_table = ON`.
**
** A change that fires no trigger is not guarded: DROP TABLE, ALTER TABLE,
** incremental writing of a BLOB, and any write of a connection that has
** switched its triggers off. Locks that were taken before a RENAME TO keep the
** old name and guard nothing under the new one. A migration that renames a
** table should therefore lock it first, with `table_lock`, which waits until no
** other session holds a lock on it. A migration that rebuilds a table drops its
** guards. It must end with `SELECT guarded_repair();`, and a program should
** check `guarded_tables` when it starts:
**
** ```sql
** CREATE TABLE account(id INTEGER PRIMARY KEY, balance INT);
** SELECT guarded('account');
** -- main.account
** CREATE TABLE copy(id INTEGER PRIMARY KEY, balance INT, owner TEXT);
** INSERT INTO copy(id, balance) SELECT id, balance FROM account;
** DROP TABLE account;
** ALTER TABLE copy RENAME TO account;
** SELECT schema, name, status FROM guarded_tables WHERE status <> 'ok';
** -- main|account|triggers missing
** SELECT guarded_repair();
** -- 1
** SELECT schema, name, status FROM guarded_tables WHERE status <> 'ok';
** ```
*/

/*
** SQL FUNCTION guarded(table)
**
** Guards a table: from now on every writer is refused where another session
** holds a lock. Called again, the function restores what is missing, and after
** a RENAME writes the new name into the guards. It takes SQLite's write lock
** first, so that `busy_timeout` applies, and does all of its work or none.
**
** A row is identified by its PRIMARY KEY. A table without one can be guarded
** only against locks on the whole table. Key columns must compare by BINARY,
** NOCASE or RTRIM.
**
** Arguments:
**   table  TEXT  name, or schema.name; of a database file, not of temp
** Result: TEXT `schema.table`; NULL for a table of Interlock's own (its name
**   begins with `interlock_`)
** Errors:
**   `bad argument:` SQLITE_ERROR
**   `row locked:` SQLITE_LOCKED, of later writes
**   `table locked:` SQLITE_LOCKED, of later writes
**   `guard broken:` SQLITE_ERROR, of later writes, after a RENAME
** From: the row locks of PostgreSQL's SELECT FOR UPDATE, which hold for all
** Example:
**   CREATE TABLE account(id INTEGER PRIMARY KEY, balance INT);
**   INSERT INTO account VALUES(1, 100), (2, 100);
**   SELECT guarded('account');
**   -- main.account
**   SELECT row_lock('account', 1) > 0;
**   -- 1
**   UPDATE account SET balance = 90 WHERE id = 1;
**
**   -- session B
**   UPDATE account SET balance = 0 WHERE id = 2;
**   UPDATE account SET balance = 0 WHERE id = 1;
**   -- error: row locked: account(1): session ...
**   SELECT * FROM account;
**   -- 1|90
**   -- 2|0
*/
static void guardedFunc(
  sqlite3_context *ctx,
  int nArg,
  sqlite3_value **apArg
){
  Sqlx x;
  sqlxBegin(&x, sqlite3_context_db_handle(ctx));
  if( argsCount(&x, nArg, 1, 1, "guarded(table)") ){
    const char *zTable = argsText(&x, apArg[0], "table");
    DeclareRequest req = { zTable, "", 0, ctx };
    if( x.rc==SQLITE_OK ) declareTable(&x, guardedKind(), &req, DDL_SELECT);
  }
  if( x.rc!=SQLITE_OK ) sqlxResultError(&x, ctx);
  sqlxEnd(&x);
}

/*
** SQL FUNCTION unguarded(table)
**
** Drops all guards of a table, or none. Locks then bind only the programs that
** ask for them. A table that no longer exists, and is still in
** `guarded_tables`, is removed by the name that it had.
**
** A connection without Interlock, which was refused with `no such function:
** interlock_guard`, has the schema of before in memory. It is refused until it
** has read the schema again: after any SELECT from a table of the file.
**
** Arguments:
**   table  TEXT  name, or schema.name
** Result: INTEGER 1, or 0 if the table was not guarded
** Errors:
**   `bad argument:` SQLITE_ERROR
** From: Interlock
** Example:
**   CREATE TABLE account(id INTEGER PRIMARY KEY, balance INT);
**   SELECT guarded('account');
**   -- main.account
**   SELECT unguarded('account'), unguarded('account');
**   -- 1|0
*/
static void unguardedFunc(
  sqlite3_context *ctx,
  int nArg,
  sqlite3_value **apArg
){
  declarecallUndo(ctx, nArg, apArg, guardedKind(), "unguarded(table)");
}

/*
** SQL FUNCTION guarded_many(tables)
** SQL FUNCTION unguarded_many(tables)
**
** Do for several tables what `guarded` and `unguarded` do for one, all or none.
** An error ends with the table that it is about.
**
** Arguments:
**   tables  TEXT  a JSON array of names, each as `guarded` takes one, of 65,536
**     bytes at most
** Result: INTEGER of guarded_many how many tables the array names that are
**   guarded now, a table that is named twice once; of unguarded_many how many
**   were guarded
** Errors:
**   `bad argument:` SQLITE_ERROR
** From: Interlock
** Example:
**   CREATE TABLE account(id INTEGER PRIMARY KEY, balance INT);
**   CREATE TABLE invoice(id INTEGER PRIMARY KEY, amount INT);
**   SELECT guarded_many('["account","invoice"]');
**   -- 2
**   SELECT name, status FROM guarded_tables;
**   -- account|ok
**   -- invoice|ok
**   SELECT unguarded_many('["invoice"]');
**   -- 1
*/
static void guardedManyFunc(
  sqlite3_context *ctx,
  int nArg,
  sqlite3_value **apArg
){
  Sqlx x;
  sqlxBegin(&x, sqlite3_context_db_handle(ctx));
  argsCount(&x, nArg, 1, 1, "guarded_many(tables)");
  declarecallMany(&x, ctx, apArg, guardedKind(), "");
}

static void unguardedManyFunc(
  sqlite3_context *ctx,
  int nArg,
  sqlite3_value **apArg
){
  declarecallUndoMany(ctx, nArg, apArg, guardedKind(),
                      "unguarded_many(tables)");
}

/*
** SQL FUNCTION guarded_sql(table)
**
** Returns the statements that `guarded` would run as text, one a line, and
** runs none of them. It is for migrations. The text must be run once, on the
** file and the schema that it was made from: it contains the id of the file,
** by which Interlock tells attached files apart.
**
** Arguments:
**   table  TEXT  name, or schema.name
** Result: TEXT; NULL for a table of Interlock's own
** Errors:
**   `bad argument:` SQLITE_ERROR
** From: Interlock
** Example:
**   CREATE TABLE account(id INTEGER PRIMARY KEY, balance INT);
**   SELECT guarded_sql('account') LIKE 'CREATE TRIGGER %;' || char(10) || '%';
**   -- 1
**   SELECT count(*) FROM guarded_tables;
**   -- 0
*/
static void guardedSqlFunc(
  sqlite3_context *ctx,
  int nArg,
  sqlite3_value **apArg
){
  Sqlx x;
  const char *z = 0;
  sqlxBegin(&x, sqlite3_context_db_handle(ctx));
  if( argsCount(&x, nArg, 1, 1, "guarded_sql(table)") ){
    const char *zTable = argsText(&x, apArg[0], "table");
    DeclareRequest req = { zTable, "", 0, 0 };
    if( x.rc==SQLITE_OK ) z = declareText(&x, guardedKind(), &req);
  }
  argsEndText(&x, ctx, z);
}

/*
** SQL FUNCTION guarded_repair([table])
**
** Repairs the triggers that `guarded_tables` reports, of one table or of all.
** The function always makes the whole set of triggers anew. A table that cannot
** be guarded as it is now is left, the others are repaired, and then comes an
** error that names it. After any other error nothing has changed.
**
** Arguments:
**   table  TEXT  name, or schema.name; all guarded tables if left out
** Result: INTEGER how many tables were repaired
** Errors:
**   `bad argument:` SQLITE_ERROR
** From: Interlock
** Example:
**   CREATE TABLE account(id INTEGER PRIMARY KEY, balance INT);
**   SELECT guarded('account');
**   -- main.account
**   ALTER TABLE account RENAME TO wallet;
**   INSERT INTO wallet VALUES(1, 100);
**   -- error: guard broken: ...
**   SELECT name, status FROM guarded_tables;
**   -- wallet|triggers changed
**   SELECT guarded_repair(), guarded_repair();
**   -- 1|0
**   INSERT INTO wallet VALUES(1, 100);
*/
static void guardedRepairFunc(
  sqlite3_context *ctx,
  int nArg,
  sqlite3_value **apArg
){
  declarecallRepair(ctx, nArg, apArg, guardedKind(), "guarded_repair([table])");
}

static const Function aGuarded[] = {
  { "guarded",        FUNCTION_ANY, guardedFunc,       { 0, 0, 0, 0 } },
  { "unguarded",      FUNCTION_ANY, unguardedFunc,     { 0, 0, 0, 0 } },
  { "guarded_many",   FUNCTION_ANY, guardedManyFunc,   { 0, 0, 0, 0 } },
  { "unguarded_many", FUNCTION_ANY, unguardedManyFunc, { 0, 0, 0, 0 } },
  { "guarded_sql",    FUNCTION_ANY, guardedSqlFunc,    { 0, 0, 0, 0 } },
  { "guarded_repair", FUNCTION_ANY, guardedRepairFunc, { 0, 0, 0, 0 } },
};

FunctionList guardedFunctions(void){
  FunctionList t = { aGuarded, sizeof(aGuarded)/sizeof(aGuarded[0]) };
  return t;
}
