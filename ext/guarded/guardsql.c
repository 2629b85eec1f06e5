/* SPDX-License-Identifier: 0BSD */
/*
** The SQL functions that guard tables. See guardsql.h.
*/
#include "guarded/guardsql.h"
#include "sqlite/args.h"
#include "guarded/guard.h"
SQLITE_EXTENSION_INIT3

/*
** SQL AREA Guarded tables
**
** A lock on a row is a promise among those who ask for it. On a guarded table
** it holds for every writer: an INSERT, UPDATE or DELETE of a row that another
** session has locked fails with `row locked:`, and on a table that it has
** locked with `table locked:`, whether or not the writer has ever heard of
** locks. So does a REPLACE that would remove such a row, and what a trigger or
** a foreign key action writes. A session's own locks are never in its way, and
** reading is free. An UPDATE or DELETE that comes to a locked row is refused
** even if an OR IGNORE or a trigger would skip the row; an INSERT that inserts
** nothing is refused only if the table is locked. A row whose key is too long
** to be locked (255 bytes together with the table's name, or 60 columns), or
** has a NULL in it, heeds locks on the table only.
**
** A guard is a few triggers on the table which call Interlock. A program that
** has not loaded it can read the table and not write it (`no such function:
** interlock_guard`): nobody passes a lock because he does not know of it. For
** ALTER TABLE ... RENAME and DROP COLUMN SQLite looks through all triggers of
** a file, so these need Interlock, too, on whatever table of that file (`no
** such table: main.interlock_writer`); but for RENAME TO, `PRAGMA
** legacy_alter_table = ON` does as well.
**
** Guards are triggers, and what fires none is not guarded: DROP TABLE,
** incremental writing of a BLOB, a connection whose triggers are switched off.
** Migrations that rebuild a table drop them: run `SELECT guarded_repair();`
** last, and look when the program starts:
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
** Guards a table. Run again, it puts back what is missing, and after a RENAME
** writes the new name into the guards. It takes SQLite's write lock first, so
** that `busy_timeout` works, and does all or nothing.
**
** A row goes by its PRIMARY KEY. A table without one can be guarded, and then
** only against locks on the whole table. Key columns compare by BINARY, NOCASE
** or RTRIM.
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
    if( x.rc==SQLITE_OK ) guardDeclare(&x, zTable, ctx);
  }
  if( x.rc!=SQLITE_OK ) sqlxResultError(&x, ctx);
  sqlxEnd(&x);
}

/*
** SQL FUNCTION unguarded(table)
**
** Drops the guards of a table, all or none: locks are then a promise again. A
** table that is gone, and still in `guarded_tables`, is given up by the name
** that it had.
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
  Sqlx x;
  int bDone = 0;
  sqlxBegin(&x, sqlite3_context_db_handle(ctx));
  if( argsCount(&x, nArg, 1, 1, "unguarded(table)") ){
    const char *zTable = argsText(&x, apArg[0], "table");
    if( x.rc==SQLITE_OK ) bDone = guardUndeclare(&x, zTable);
  }
  argsEndInteger(&x, ctx, bDone);
}

/*
** SQL FUNCTION guarded_sql(table)
**
** The statements that `guarded` would run, as text, one a line; nothing is
** run. For migrations. The text is for one run, on one file, on the schema that
** it was made from: it has the id of the file in it, by which Interlock tells
** attached files apart.
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
    if( x.rc==SQLITE_OK ) z = guardText(&x, zTable);
  }
  argsEndText(&x, ctx, z);
}

/*
** SQL FUNCTION guarded_repair([table])
**
** Puts back what `guarded_tables` says is wrong with the triggers of a table,
** or of all. The set is always made whole and anew. All or nothing.
**
** Arguments:
**   table  TEXT  name, or schema.name; all guarded tables if left out
** Result: INTEGER how many tables were mended
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
  Sqlx x;
  const char *zTable = 0;
  int n = 0;
  sqlxBegin(&x, sqlite3_context_db_handle(ctx));
  if( argsCount(&x, nArg, 0, 1, "guarded_repair([table])") && nArg>0 ){
    zTable = argsText(&x, apArg[0], "table");
  }
  if( x.rc==SQLITE_OK ) n = guardRepair(&x, zTable);
  argsEndInteger(&x, ctx, n);
}

static const Function aGuardSql[] = {
  { "guarded",        FUNCTION_ANY, guardedFunc,       { 0, 0, 0, 0 } },
  { "unguarded",      FUNCTION_ANY, unguardedFunc,     { 0, 0, 0, 0 } },
  { "guarded_sql",    FUNCTION_ANY, guardedSqlFunc,    { 0, 0, 0, 0 } },
  { "guarded_repair", FUNCTION_ANY, guardedRepairFunc, { 0, 0, 0, 0 } },
};

FunctionTable guardsqlFunctions(void){
  FunctionTable t = { aGuardSql, sizeof(aGuardSql)/sizeof(aGuardSql[0]) };
  return t;
}
