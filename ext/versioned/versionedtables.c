/* SPDX-License-Identifier: 0BSD */
/*
** The virtual table versioned_tables. See versionedtables.h.
*/
#include "versioned/versionedtables.h"
#include "versioned/versioned.h"
#include "schema/declaredtables.h"
SQLITE_EXTENSION_INIT3

/*
** SQL AREA Versioned tables
**
** The table `versioned_tables` shows which tables are declared, and whether
** their triggers are whole.
*/

/*
** SQL TABLE versioned_tables
**
** Lists the versioned tables of every database file of the connection, and
** what is wrong with them, if anything. INSERT declares a table, UPDATE
** changes its options, and DELETE undeclares it, as `versioned` and
** `unversioned` do.
**
** `status` is the first of these that applies: `table missing`, `column
** missing`, `parent missing` (the table that `parent` names is not there, is
** not versioned any more, or has another key; `note` says which), `entry
** missing` (a tool has dropped the table `interlock_versioned`, or its row),
** `several sets` (two texts of `versioned_sql` were run, or an older Interlock
** has declared a table whose entry was missing), `cannot be declared` (see
** below), `triggers missing`, `triggers changed`, `triggers outdated` (the
** parent was declared with another column, a UNIQUE index was added since, or
** an older Interlock made the triggers; also if a trigger of yours that updates
** the table, or inserts into it while a row is raised, was made or dropped; in
** mode echo, and beside a trigger that updates the table, also if a column was
** added or dropped; with `except`, after any ALTER TABLE of the table, and
** after a RENAME of a table that it refers to), `triggers broken` (a trigger
** names a table that does not exist),
** `triggers may be skipped` (see below), `ok`. `versioned_repair` repairs each
** of these faults except `cannot be declared`, `parent missing`, which ends
** when the parent is declared again or `parent` is changed, and `table
** missing`, for which it needs the table's new name. A table that a newer
** Interlock has declared is `newer`, and is left alone. `note` reports what is
** no fault but worth knowing.
**
** A schema tool that drops the tables it does not know takes the registry and
** the tombstones away. The triggers stay, and without tombstones every write
** fails with `no such table`. `versioned_repair` makes the tables again, with
** the options that the triggers tell; what the tombstones remembered is lost,
** so that a deleted key starts over if it comes back.
** [MIGRATIONS.md](MIGRATIONS.md) has the setting of each tool that prevents it.
** If the triggers do not tell their options (an older Interlock made them, or a
** column of `except` has the end of a comment in its name), repair leaves them,
** and `versioned` must be called with all options. Of several sets one stays,
** and takes the tombstones of the others over.
**
** A table is `table missing` if it was dropped, or if it was renamed and then
** rebuilt without a call of `versioned_repair` in between: the triggers follow
** a RENAME, but the rebuild dropped them. `versioned_repair(its new name)`, or
** `UPDATE versioned_tables SET name = its new name`, moves the declaration and
** the tombstones to the new table; DELETE undeclares it.
**
** `cannot be declared`: what was done to the table since is not allowed for a
** versioned table, so that `versioned_repair` cannot make its triggers anew;
** `note` says why, and what its triggers are if they are not whole. Examples:
** in mode `strict` a column was added with a FOREIGN KEY action that updates
** rows; the version became part of a UNIQUE index; a database that is read-only
** has a table with a fault.
**
** `triggers may be skipped`: an AFTER INSERT or AFTER UPDATE trigger of the
** application on this table contains RAISE(IGNORE) and is newer. SQLite runs
** the newest trigger first, and RAISE(IGNORE) skips the triggers that have not
** run yet, although the row stays changed. A row may then be written without a
** new version. `versioned_repair` makes Interlock's triggers the newest. A
** trigger of the temp schema always runs first and concerns only its own
** connection; repair cannot change that. Make it a BEFORE trigger, or drop it.
**
** If a trigger was edited by hand in `sqlite_master` so that it is no longer a
** single CREATE TRIGGER, then INSERT, UPDATE and DELETE on this table are
** refused, because they could not be undone. `versioned`, `unversioned` and
** `versioned_repair` still work, in a statement of their own. All of them
** refuse a file whose table `interlock_versioned` is a view, a virtual table,
** or calls functions.
**
** Columns:
**   schema          TEXT     main, temp, or an attached file
**   name            TEXT     the table
**   column          TEXT     the version column
**   mode            TEXT     auto, strict or echo
**   on_stale        TEXT     abort, ignore or log
**   except_columns  TEXT     names separated by commas; after `only `, those
**                            of all other columns
**   tombstones      TEXT     on or off
**   errors          TEXT     table or row
**   null            TEXT     refuse or 0
**   step            TEXT     1 or any
**   history         TEXT     off, or as of `versioned`: 100, 30d
**   parent          TEXT     `table(column,...)`, or empty
**   status          TEXT     see above; not written
**   note            TEXT     see above; not written
** Errors:
**   `bad argument:` SQLITE_ERROR
** From: Interlock
** Example:
**   CREATE TABLE account(id INTEGER PRIMARY KEY, balance INT);
**   INSERT INTO versioned_tables(name) VALUES('account');
**   UPDATE versioned_tables SET mode = 'strict' WHERE name = 'account';
**   SELECT schema, name, "column", mode, status FROM versioned_tables;
**   -- main|account|version|strict|ok
**   DELETE FROM versioned_tables WHERE name = 'account';
**   SELECT count(*) FROM versioned_tables;
**   -- 0
*/
#define VERSIONED_TABLES_SQL \
  "CREATE TABLE x(schema TEXT, name TEXT, \"column\" TEXT, mode TEXT," \
  " on_stale TEXT, except_columns TEXT, tombstones TEXT, errors TEXT," \
  " \"null\" TEXT, step TEXT, history TEXT, parent TEXT, status TEXT," \
  " note TEXT)"

enum { TAB_COLUMN = DECLAREDTABLES_OWN, TAB_MODE, TAB_ON_STALE, TAB_EXCEPT,
       TAB_TOMBSTONES, TAB_ERRORS, TAB_NULL, TAB_STEP, TAB_HISTORY,
       TAB_PARENT, TAB_STATUS, TAB_NOTE, TAB_COUNT };

static void fillColumns(const DeclaredTable *pTab, const char **az){
  const OptionsText *pText = &((const VersionedTable*)pTab)->stored;
  az[TAB_COLUMN] = pText->zColumn;
  az[TAB_MODE] = pText->zMode;
  az[TAB_ON_STALE] = pText->zOnStale;
  az[TAB_EXCEPT] = pText->zExcept;
  az[TAB_TOMBSTONES] = pText->zTombstones;
  az[TAB_ERRORS] = pText->zErrors;
  az[TAB_NULL] = pText->zNull;
  az[TAB_STEP] = pText->zStep;
  az[TAB_HISTORY] = pText->zHistory;
  az[TAB_PARENT] = pText->zParent;
}

static const void *optionsOf(Sqlx *p, sqlite3_value **apVal){
  OptionsText *pText = sqlxAlloc(p, sizeof(*pText));
  if( pText==0 ) return 0;
  pText->zColumn = declaredtablesText(p, apVal[TAB_COLUMN], "column");
  if( pText->zColumn && pText->zColumn[0]==0 ){
    sqlxBad(p, "column is empty; allowed is a name");
  }
  pText->zMode = declaredtablesText(p, apVal[TAB_MODE], "mode");
  pText->zOnStale = declaredtablesText(p, apVal[TAB_ON_STALE], "on_stale");
  pText->zExcept = declaredtablesText(p, apVal[TAB_EXCEPT],
                                       "except_columns");
  pText->zTombstones = declaredtablesText(p, apVal[TAB_TOMBSTONES],
                                           "tombstones");
  pText->zErrors = declaredtablesText(p, apVal[TAB_ERRORS], "errors");
  pText->zNull = declaredtablesText(p, apVal[TAB_NULL], "null");
  pText->zStep = declaredtablesText(p, apVal[TAB_STEP], "step");
  pText->zHistory = declaredtablesText(p, apVal[TAB_HISTORY], "history");
  pText->zParent = declaredtablesText(p, apVal[TAB_PARENT], "parent");
  return pText;
}

static const DeclaredTables versionedDeclared = {
  .iStatus = TAB_STATUS,
  .xColumns = fillColumns,
  .xOptions = optionsOf,
};

static void readRows(Sqlx *p, ListVtabRows *pRows){
  declaredtablesRead(p, &versionedDeclared, versionedKind(), pRows);
}

static void writeRow(
  Sqlx *p,
  int argc,
  sqlite3_value **argv,
  sqlite3_int64 *piRowid
){
  declaredtablesWrite(p, &versionedDeclared, versionedKind(), argc, argv,
                      piRowid);
}

/* ---- registration ----------------------------------------------------- */

static const ListVtab versionedTables = {
  .zName = "versioned_tables",
  .zSql = VERSIONED_TABLES_SQL,
  .nCol = TAB_COUNT,
  .iOwn = TAB_STATUS,
  .xRead = readRows,
  .xWrite = writeRow,
};

int versionedtablesRegister(sqlite3 *db){
  return listvtabRegister(db, &versionedTables);
}

void versionedtablesUnregister(sqlite3 *db){
  listvtabUnregister(db, &versionedTables);
}
