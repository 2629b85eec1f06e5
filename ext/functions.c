/* SPDX-License-Identifier: 0BSD */
/*
** The registration of Interlock's SQL functions, from lists that the files of
** their areas return; and the functions of versioned tables. The reference
** block above a function is its section in sql/README.md.
**
** All functions but those of the guards are DIRECTONLY, so that the triggers
** and views of a schema from elsewhere cannot call them. session/direct.h keeps
** them from the rest of such a schema.
*/
#include <string.h>
#include "functions.h"
#include "remove.h"
#include "locks/advisory.h"
#include "locks/calloption.h"
#include "schema/declarecall.h"
#include "session/direct.h"
#include "sqlite/args.h"
#include "versioned/etag.h"
#include "versioned/expect.h"
#include "versioned/lift.h"
#include "versioned/merge.h"
#include "fenced/fencedfunctions.h"
#include "guarded/guardcheck.h"
#include "guarded/guardedfunctions.h"
#include "locks/inspectstatus.h"
#include "locks/lease.h"
#include "locks/lockrows.h"
#include "locks/lockset.h"
#include "locks/notify.h"
#include "locks/getlock.h"
#include "core/lock.h"
#include "locks/rowlock.h"
#include "locks/semaphore.h"
#include "locks/skiplocked.h"
#include "locks/turn.h"

#include "versioned/versioned.h"
#include "versioned/logtable.h"
SQLITE_EXTENSION_INIT3

#define INTERLOCK_VERSION "0.1.0"

/* ---- arguments -------------------------------------------------------- */

/* Takes one option: name=value. */
static void argOption(Sqlx *p, const char *z, OptionsText *pText){
  int bOnly = sqlite3_strnicmp(z, "only=", 5)==0;
  const char **pzValue = bOnly ? &pText->zExcept : optionsNamed(pText, z);
  if( pzValue && pzValue!=&pText->zMode && *pzValue ){
    sqlxBad(p, "option is %Q; allowed is each option once, and one of except"
               " and only", z);
  }else if( bOnly ){
    pText->zExcept = sqlxPrintf(p, "only %s", z+5);
  }else if( pzValue && pzValue!=&pText->zMode ){
    *pzValue = strchr(z, '=') + 1;
  }else{
    sqlxBad(p, "option is %Q; allowed are on_stale=abort, on_stale=ignore,"
               " on_stale=log,"
               " except=column,..., only=column,..., tombstones=on,"
               " tombstones=off, errors=table, errors=row, null=refuse,"
               " null=0, step=1, step=any, history=100, history=30d,"
               " history=off, parent=table(column,...)", z);
  }
}

#define VERSIONED_FORM "(table [, column [, mode [, option...]]])"
#define VERSIONED_MANY_FORM "(tables [, column [, mode [, option...]]])"

/* Takes the arguments behind the first one of versioned(), and of the functions
** that have the same; 0 with an error. */
static int argVersionedOptions(
  Sqlx *p,
  int nArg,
  sqlite3_value **apArg,
  const char *zForm,
  OptionsText *pText
){
  int i;
  memset(pText, 0, sizeof(*pText));
  if( !argsCount(p, nArg, 1, 10, zForm) ) return 0;
  if( nArg>1 ) pText->zColumn = argsText(p, apArg[1], "column");
  if( nArg>2 ) pText->zMode = argsText(p, apArg[2], "mode");
  for(i=3; i<nArg; i++){
    const char *z = argsText(p, apArg[i], "option");
    if( z ) argOption(p, z, pText);
  }
  return p->rc==SQLITE_OK;
}

/* Takes the arguments of versioned() and versioned_sql(); 0 with an error. */
static int argVersioned(
  Sqlx *p,
  int nArg,
  sqlite3_value **apArg,
  const char *zForm,
  DeclareRequest *pReq,
  OptionsText *pText
){
  memset(pReq, 0, sizeof(*pReq));
  pReq->pOptions = pText;
  if( !argVersionedOptions(p, nArg, apArg, zForm, pText) ) return 0;
  pReq->zTable = argsText(p, apArg[0], "table");
  return p->rc==SQLITE_OK;
}

/* ---- versioned tables ------------------------------------------------- */

/*
** SQL AREA Versioned tables
**
** A versioned table refuses an UPDATE that rests on a value which has changed
** since it was read. The program must then read the row again, compute again,
** and write again. If a transaction reads and writes several rows, roll it
** back and retry all of it: what it read before is as old as the row that was
** refused. With `on_stale=ignore` the program must look at changes() instead
** of an error: 0 rows means stale, or that the row is gone.
** [RECIPES.md](RECIPES.md) has the loops.
**
** Only an UPDATE that carries the version is checked. In mode `auto`, the
** default, an UPDATE that does not mention the version is accepted and raises
** it. In mode `strict` such an UPDATE is refused.
**
** When a row is deleted, its version is kept in a side table, as a tombstone.
** A row that is inserted under the same key later continues above it.
**
** Tombstones grow with every key that is deleted and does not come back;
** `versioned_forget` purges old ones. A table whose keys cannot come back, as
** with AUTOINCREMENT and no program that chooses keys, needs none: declare it
** with `tombstones=off`.
**
** `SET version = version + 1` carries the right version at any time, and so
** checks nothing: carry the version that was read. A version goes up by one at
** a time. A program that chooses the numbers itself, or adds more than one,
** gets `version ahead:`, unless the table is declared with `step=any`:
**
** ```sql
** CREATE TABLE page(id INTEGER PRIMARY KEY, body TEXT, changed INTEGER);
** INSERT INTO page VALUES(1, 'old', 1700000000);
** SELECT versioned('page', 'changed', 'auto', 'step=any');
** -- page.changed
** UPDATE page SET body = 'new', changed = 1700000900
**   WHERE id = 1 AND changed = 1700000000;
** SELECT changes();
** -- 1
** UPDATE page SET body = 'late', changed = 1700000950
**   WHERE id = 1 AND changed = 1700000000;
** SELECT changes();
** -- 0
** UPDATE page SET changed = 1700000000 WHERE id = 1;
** -- error: stale write: page.changed
** ```
**
** With `on_stale=ignore` a lost write shows only in the count of changed rows.
** ActiveRecord with `lock_version` and SQLAlchemy with `version_id_col` look at
** it, and raise an error of their own. Django's `save()` looks at it and then
** inserts, which fails. The `save()` of TypeORM and of Tortoise ORM, and
** `Save()` of GORM, do not look: the write is lost and nothing reports it. Use
** `abort` there. [ORMS.md](ORMS.md) has what makes Tortoise ORM and GORM look.
**
** A program that must not write to an unchecked table should check
** `versioned_tables` when it starts:
**
** ```sql
** CREATE TABLE account(id INTEGER PRIMARY KEY, balance INT);
** SELECT versioned('account');
** -- account.version
** SELECT schema, name, status FROM versioned_tables WHERE status <> 'ok';
** DROP TABLE account;
** CREATE TABLE account(id INTEGER PRIMARY KEY, balance INT);
** SELECT schema, name, status FROM versioned_tables WHERE status <> 'ok';
** -- main|account|column missing
** ```
**
** The error names the row with `errors=row`, which needs SQLite 3.47.0. This
** query returns the rows that an UPDATE was refused for; its WHERE clause is
** that of the UPDATE:
**
** ```sql
** CREATE TABLE account(id INTEGER PRIMARY KEY, balance INT);
** INSERT INTO account VALUES(1, 100), (2, 100);
** SELECT versioned('account');
** -- account.version
** UPDATE account SET balance = 0 WHERE id = 2;
** UPDATE account SET balance = balance + 1, version = 2 WHERE balance < 200;
** -- error: stale write: account.version (if it was sent as read: mode echo)
** SELECT id, version FROM account WHERE balance < 200 AND version <> 2 - 1;
** -- 2|2
** ```
**
** A migration that rebuilds tables, adds UNIQUE indexes, or sets a column of
** one NOT NULL, must end with `SELECT versioned_repair();`. Where the extension
** cannot be loaded, print the text of `versioned_sql` once on a machine that
** has it, and make that text part of the migration.
*/

/*
** SQL FUNCTION versioned(table [, column [, mode [, option...]]])
**
** Declares a versioned table. Every accepted change of a row then raises its
** version, and an UPDATE that carries a wrong version is refused. The function
** adds the version column if it is missing (as `INTEGER NOT NULL DEFAULT 1`).
** It writes plain SQL triggers, which hold for every writer, including a
** program that never loaded Interlock.
**
** In mode `auto` an UPDATE that sets the version must set it to the row's
** version plus one. An UPDATE that does not mention the version is accepted.
** In mode `strict` the latter is refused, and so is a REPLACE of an existing
** row that does not carry the next version. Mode `echo` is for programs that
** write back every column as they read it: an UPDATE sets the version to the
** one that was read, and the triggers raise it.
**
** `on_stale=ignore` skips a stale row instead of failing: changes() is 0,
** which is what many ORMs look at. `except=a,b` names columns whose change
** does not raise the version; `only=a,b` names the columns, beside the key,
** whose change does. A column that is added later does with `except`, and does
** not with `only`.
**
** After ALTER TABLE has added, renamed or dropped a column of a table with
** `except`, or has renamed a table, call `versioned_repair`. A trigger cannot
** tell a column that was added from one of `except`. So until then an UPDATE of
** columns of `except` also raises the version. In mode `strict` it is then
** refused with `version required:`, unless it carries a version, or a trigger
** of the table sets a column of `except`.
**
** With `tombstones=off` the version of a deleted row is not kept.
**
** `on_stale=log` is for adoption in steps: nothing is refused, and what would
** be is noted in `versioned_log`, where also writers are counted that carry no
** version. A row that is written with a wrong version goes on at its next one
** or, if the version that was carried is above the row's, at that one. So a key
** gets no version twice in this mode either. Two errors stay: `version
** exhausted:`, and `version not raised:` where a trigger skips the change of
** the version, or updates the row in between, since the row would keep a
** version that it had before. Each write costs more than without it.
**
** With `null=0` a version that is NULL counts as 0, in a column that can be
** NULL, as Rails and SQLAlchemy count it. The next version is 1.
**
** With `step=any` an UPDATE may carry any version above the row's, for programs
** that choose their versions, such as the time. Versions still only grow, and
** an UPDATE that carries one that is not above the row's is refused. But a
** stale writer that carries a new time is accepted. So each writer must name
** the version that it has read in its WHERE clause, and look at how many rows
** were changed, as ORMs do. A trigger of yours that updates the table raises
** the version further: put the columns that it sets into `except`.
**
** With `parent=orders(order_id)` every INSERT, UPDATE and DELETE of a row also
** raises the version of its parent, the row of `orders` whose key is in
** `order_id`. A program that has read an order with its lines is then refused
** if another one has changed, added or removed a line. `orders` must be a
** versioned table of the same schema; if it has a parent, that is raised, too.
** A row that goes from one parent to another raises both, a row that REPLACE
** removes raises its own, and a NULL names no parent. An UPDATE that changes
** only columns of `except` raises none. Each row raises the version of its
** parent at least by one, so a statement that changes n rows of one parent
** raises it n times or more. [An order and its
** lines](RECIPES.md#an-order-and-its-lines) has the order in which a program
** must write both. With `parent=` the table has no parent.
**
** With `errors=row` the text of an error goes on with the row and its version,
** as in `stale write: account.version: row (42) is at version 7, sent 6`. It
** still begins with the same words. SQLite reads such triggers from version
** 3.47.0 on, and an older one cannot open the file at all. So every program
** that opens the file must have that version; on an older SQLite the option is
** refused.
**
** With `history=...` the triggers keep what earlier versions of a row looked
** like, in a table beside it, for `versioned_at` and `versioned_merge`:
** `history=100` the last 100 versions of each row, `history=30d` those that
** ended within 30 days (s, m, h, d). Each write purges a little of what is
** older, so that nothing else has to run; `versioned_forget` purges the rest,
** such as the versions of deleted rows. With `history=off` the table is
** dropped. A column that is added to the table later is kept from
** `versioned_repair` on. DROP COLUMN and RENAME COLUMN work as before. After a
** rebuild that makes a column of numbers one of texts, `versioned_repair` drops
** what was kept. Columns whose names begin with `interlock_` and
** `tombstones=off` are refused with it. With `on_stale=log`, and a trigger of
** yours that updates the row again, the history can lack a version that a stale
** UPDATE has ended, or have what the row was in between.
**
** AFTER UPDATE triggers of yours that update the table itself, to keep
** `updated_at` or a counter, are dropped and made again with the same text, so
** that a row ends at the version which an UPDATE carries. In mode `strict` the
** columns that triggers of the table set can be set without a version.
**
** Called again, it restores what is missing. An option that is given changes,
** an option that is left out stays. The function takes SQLite's write lock
** first, so that `busy_timeout` applies, and does all of its work or none.
** sqlite3_interrupt() during the call can end the transaction that it was
** called in (`transaction rolled back:`), as it can during an UPDATE.
**
** Arguments:
**   table   TEXT  name, or schema.name
**   column  TEXT  the version column; default `version`, or as declared
**   mode    TEXT  auto (default), strict or echo
**   option  TEXT  on_stale=abort (default), on_stale=ignore, on_stale=log,
**     except=column,..., only=column,..., tombstones=on (default),
**     tombstones=off, errors=table (default), errors=row,
**     null=refuse (default), null=0, step=1 (default), step=any, history=100,
**     history=30d, history=off (default),
**     parent=table(column,...)
** Result: TEXT `table.column`; NULL for a table of Interlock's own (its name
**   begins with `interlock_`)
** Errors:
**   `bad argument:` SQLITE_ERROR
**   `stale write:` SQLITE_CONSTRAINT_TRIGGER, of later UPDATEs
**   `version ahead:` SQLITE_CONSTRAINT_TRIGGER, of later UPDATEs
**   `version required:` SQLITE_CONSTRAINT_TRIGGER, of later writes (strict)
**   `version not raised:` SQLITE_CONSTRAINT_TRIGGER, of later writes
**   `version invalid:` SQLITE_CONSTRAINT_TRIGGER, of later INSERTs
**   `version exhausted:` SQLITE_CONSTRAINT_TRIGGER, of later writes
** From: Hibernate's @Version, Rails' lock_version, SQLAlchemy's
**   version_id_col: here the database itself refuses
** Example:
**   CREATE TABLE account(id INTEGER PRIMARY KEY, balance INT);
**   INSERT INTO account VALUES(1, 100);
**   SELECT versioned('account');
**   -- account.version
**   UPDATE account SET balance = 90, version = 2 WHERE id = 1;
**   UPDATE account SET balance = 80, version = 2 WHERE id = 1;
**   -- error: stale write: account.version (if it was sent as read: mode echo)
**   UPDATE account SET balance = 70 WHERE id = 1;
**   SELECT * FROM account;
**   -- 1|70|3
*/
static void versionedFunc(sqlite3_context *ctx, int nArg, sqlite3_value **ap){
  Sqlx x;
  DeclareRequest req;
  OptionsText options;
  sqlxBegin(&x, sqlite3_context_db_handle(ctx));
  if( argVersioned(&x, nArg, ap, "versioned" VERSIONED_FORM, &req,
                   &options) ){
    req.pResult = ctx;
    declareTable(&x, versionedKind(), &req, DDL_SELECT);
  }
  if( x.rc!=SQLITE_OK ) sqlxResultError(&x, ctx);
  sqlxEnd(&x);
}

/*
** SQL FUNCTION unversioned(table)
**
** Undeclares a versioned table: drops all of its triggers, or none. The
** version column and the tombstones stay. If the table is declared again, the
** versions continue where they were. Call it before the version column is
** dropped.
**
** Arguments:
**   table   TEXT  name, or schema.name
** Result: INTEGER 1, or 0 if the table was not versioned
** Errors:
**   `bad argument:` SQLITE_ERROR
** From: Interlock
** Example:
**   CREATE TABLE account(id INTEGER PRIMARY KEY, balance INT);
**   SELECT versioned('account');
**   -- account.version
**   SELECT unversioned('account'), unversioned('account');
**   -- 1|0
*/
static void unversionedFunc(
  sqlite3_context *ctx,
  int nArg,
  sqlite3_value **apArg
){
  declarecallUndo(ctx, nArg, apArg, versionedKind(), "unversioned(table)");
}

/*
** SQL FUNCTION versioned_many(tables [, column [, mode [, option...]]])
**
** Declares several versioned tables with the same options, all or none. It is
** for a program that declares all of its tables when it starts, or in a
** migration. An error ends with the table that it is about. The function reads
** the schema once, and is one transaction. What is left is SQLite's own work:
** each CREATE TRIGGER searches all of `sqlite_master`, so twice as many tables
** take up to four times as long.
**
** With `parent=` the parent must be declared already, or stand before its
** children.
**
** Arguments:
**   tables  TEXT  a JSON array of names, each as `versioned` takes one,
**     of 65,536 bytes at most
**   column  TEXT  as of versioned
**   mode    TEXT  as of versioned
**   option  TEXT  as of versioned
** Result: INTEGER how many tables the array names that are versioned now; a
**   table that is named twice counts once, one of Interlock's own not at all
** Errors:
**   `bad argument:` SQLITE_ERROR
** From: Interlock
** Example:
**   CREATE TABLE account(id INTEGER PRIMARY KEY, balance INT);
**   CREATE TABLE invoice(id INTEGER PRIMARY KEY, amount INT);
**   SELECT versioned_many('["account","bill"]');
**   -- error: bad argument: there is no table 'bill'; ...
**   SELECT versioned_many(json_group_array(name), 'version', 'strict')
**     FROM sqlite_master WHERE type = 'table';
**   -- 2
**   SELECT name, mode, status FROM versioned_tables;
**   -- account|strict|ok
**   -- invoice|strict|ok
*/
static void versionedManyFunc(
  sqlite3_context *ctx,
  int nArg,
  sqlite3_value **apArg
){
  Sqlx x;
  OptionsText options;
  sqlxBegin(&x, sqlite3_context_db_handle(ctx));
  argVersionedOptions(&x, nArg, apArg, "versioned_many" VERSIONED_MANY_FORM,
                      &options);
  declarecallMany(&x, ctx, apArg, versionedKind(), &options);
}

/*
** SQL FUNCTION unversioned_many(tables)
**
** Does for several tables what `unversioned` does for one, all or none.
**
** Arguments:
**   tables  TEXT  a JSON array of names, each as `unversioned` takes one,
**     of 65,536 bytes at most
** Result: INTEGER how many of the tables were versioned
** Errors:
**   `bad argument:` SQLITE_ERROR
** From: Interlock
** Example:
**   CREATE TABLE account(id INTEGER PRIMARY KEY, balance INT);
**   CREATE TABLE invoice(id INTEGER PRIMARY KEY, amount INT);
**   SELECT versioned('account');
**   -- account.version
**   SELECT unversioned_many('["account","invoice"]');
**   -- 1
*/
static void unversionedManyFunc(
  sqlite3_context *ctx,
  int nArg,
  sqlite3_value **apArg
){
  declarecallUndoMany(ctx, nArg, apArg, versionedKind(),
                      "unversioned_many(tables)");
}

/*
** SQL FUNCTION versioned_sql(table [, column [, mode [, option...]]])
**
** Returns the statements that `versioned` would run as text, one a line, and
** runs none of them. It is for migrations, and for engines that load no
** extension. The text must be run once, on the schema that it was made from. It
** does not make triggers of yours again. If one of them updates the table, the
** row ends at a higher version than an UPDATE carries, until
** `versioned_repair`. Some drivers run only the first statement of a text, as
** `Statement.execute` of sqlite-jdbc does: see that `versioned_tables` has the
** table afterwards.
**
** Arguments:
**   table   TEXT  name, or schema.name
**   column  TEXT  the version column; default `version`, or as declared
**   mode    TEXT  as of versioned
**   option  TEXT  as of versioned
** Result: TEXT; NULL for a table of Interlock's own
** Errors:
**   `bad argument:` SQLITE_ERROR
** From: Interlock
** Example:
**   CREATE TABLE account(id INTEGER PRIMARY KEY, balance INT);
**   SELECT versioned_sql('account') LIKE '%;' || char(10) || 'CREATE %';
**   -- 1
**   SELECT count(*) FROM pragma_table_info('account') WHERE name = 'version';
**   -- 0
*/
static void versionedSqlFunc(
  sqlite3_context *ctx,
  int nArg,
  sqlite3_value **apArg
){
  Sqlx x;
  DeclareRequest req;
  OptionsText options;
  const char *z = 0;
  sqlxBegin(&x, sqlite3_context_db_handle(ctx));
  if( argVersioned(&x, nArg, apArg, "versioned_sql" VERSIONED_FORM, &req,
                   &options) ){
    z = declareText(&x, versionedKind(), &req);
  }
  argsEndText(&x, ctx, z);
}

/*
** SQL FUNCTION expect_version(table, key..., version)
**
** Verifies that a row is still at the version that was read, for a row that
** the transaction rests on but does not write; otherwise the statement fails.
** The program must then roll back. The function is also the guard before a
** DELETE. It must be called after BEGIN, as a SELECT of its own: a WHERE clause
** does not call it for a row that is missing. In a deferred transaction that
** another writer has overtaken, the function passes, and the first write then
** fails with SQLITE_BUSY_SNAPSHOT.
**
** Arguments:
**   table    TEXT     name, or schema.name, of a versioned table
**   key      ANY      a value for each column of the key, in its order
**   version  INTEGER  as it was read; NULL expects that there is no such row
** Result: INTEGER the version; 0 if there is, as expected, no such row
** Errors:
**   `stale read:` SQLITE_CONSTRAINT_FUNCTION
**   `no transaction:` SQLITE_ERROR, outside BEGIN
**   `bad argument:` SQLITE_ERROR
** From: read-set validation of optimistic concurrency control
** Example:
**   CREATE TABLE account(id INTEGER PRIMARY KEY, balance INT);
**   INSERT INTO account VALUES(1, 100), (2, 0);
**   SELECT versioned('account');
**   -- account.version
**   BEGIN;
**   SELECT expect_version('account', 1, 1);
**   -- 1
**   UPDATE account SET balance = 10, version = 2 WHERE id = 2;
**   COMMIT;
**   BEGIN;
**   SELECT expect_version('account', 2, 1);
**   -- error: stale read: account(2) is at version 2, expected 1
**   ROLLBACK;
*/
static void expectFunc(sqlite3_context *ctx, int nArg, sqlite3_value **apArg){
  Sqlx x;
  sqlite3_int64 i = 0;
  sqlxBegin(&x, sqlite3_context_db_handle(ctx));
  if( nArg<3 ){
    sqlxBad(&x, "%d given; allowed is expect_version(table, key..., version)",
            nArg);
  }else{
    const char *zTable = argsText(&x, apArg[0], "table");
    if( sqlite3_value_type(apArg[nArg-1])!=SQLITE_NULL ){
      argsInteger(&x, apArg[nArg-1], "version");
    }
    if( x.rc==SQLITE_OK ){
      i = expectVersion(&x, zTable, nArg-2, &apArg[1], apArg[nArg-1]);
    }
  }
  argsEndInteger(&x, ctx, i);
}

/*
** SQL FUNCTION versioned_delete(table, key..., version)
**
** Deletes a row if it is at the version that was read. A DELETE statement
** carries no version, and no mode checks it: this function, or
** `expect_version` before the DELETE, is the check. It is one statement, and
** needs no transaction.
**
** Arguments:
**   table    TEXT     name, or schema.name, of a versioned table
**   key      ANY      a value for each column of the key, in its order
**   version  INTEGER  as it was read
** Result: INTEGER 1; 0 if a trigger has skipped the row
** Errors:
**   `stale read:` SQLITE_CONSTRAINT_FUNCTION, also if there is no such row
**   `bad argument:` SQLITE_ERROR
** From: the DELETE of ORMs with a version column
** Example:
**   CREATE TABLE account(id INTEGER PRIMARY KEY, balance INT);
**   INSERT INTO account VALUES(1, 100), (2, 0);
**   SELECT versioned('account');
**   -- account.version
**   UPDATE account SET balance = 10 WHERE id = 2;
**   SELECT versioned_delete('account', 2, 1);
**   -- error: stale read: account(2) is at version 2, expected 1
**   SELECT versioned_delete('account', 1, 1);
**   -- 1
*/
static void deleteFunc(sqlite3_context *ctx, int nArg, sqlite3_value **apArg){
  Sqlx x;
  int n = 0;
  sqlxBegin(&x, sqlite3_context_db_handle(ctx));
  if( nArg<3 ){
    sqlxBad(&x, "%d given; allowed is versioned_delete(table, key...,"
            " version)", nArg);
  }else{
    const char *zTable = argsText(&x, apArg[0], "table");
    argsInteger(&x, apArg[nArg-1], "version");
    if( x.rc==SQLITE_OK ){
      n = expectDelete(&x, zTable, nArg-2, &apArg[1], apArg[nArg-1]);
    }
  }
  argsEndInteger(&x, ctx, n);
}

/*
** SQL FUNCTION versioned_lift([table])
**
** Raises the version of every row and every tombstone of one table, or of all
** versioned tables, above every version that was given out: to the time in
** unix ms or, if a row has that already, by one. It is for a database that was
** restored from a backup. Versions go back with it, and without this call a
** form that was opened before could carry a version that is right again by
** chance. Call it before any program writes.
**
** A key that was first inserted after the backup was made has no tombstone.
** If it is inserted again, it starts at its first version.
**
** No trigger runs for these changes.
**
** Arguments:
**   table  TEXT  name, or schema.name; all versioned tables if left out
** Result: INTEGER how many tables were raised
** Errors:
**   `bad argument:` SQLITE_ERROR
** From: Interlock
** Example:
**   CREATE TABLE account(id INTEGER PRIMARY KEY, balance INT);
**   INSERT INTO account VALUES(1, 100), (2, 0);
**   SELECT versioned('account');
**   -- account.version
**   SELECT versioned_lift();
**   -- 1
**   UPDATE account SET balance = 90, version = 2 WHERE id = 1;
**   -- error: stale write: account.version
*/
static void liftFunc(sqlite3_context *ctx, int nArg, sqlite3_value **apArg){
  Sqlx x;
  const char *zTable = 0;
  int n = 0;
  sqlxBegin(&x, sqlite3_context_db_handle(ctx));
  if( argsCount(&x, nArg, 0, 1, "versioned_lift([table])") && nArg>0 ){
    zTable = argsText(&x, apArg[0], "table");
  }
  if( x.rc==SQLITE_OK ) n = liftTables(&x, zTable);
  argsEndInteger(&x, ctx, n);
}

/*
** SQL FUNCTION versioned_repair([table])
**
** Repairs what `versioned_tables` reports about one table, or about all
** tables. The function always makes the whole set of triggers anew. A version
** column that a rebuild has lost is added again, with versions above every
** earlier one (the time in unix ms). Rows that were inserted while the
** triggers were missing are raised above their tombstones and, with `history`,
** rows that went back meanwhile above the versions that it has.
**
** A table that cannot be declared as it is now is left as it is, and the others
** are repaired. Then comes an error, which names that table, what is wrong with
** it, and how many were repaired. They stay repaired. After any other error
** nothing has changed. It names the table, too, if the rows of one cannot be
** raised: then repair the others one by one. A trigger of the application's can
** refuse such a row, and so does a fence with a lease: give the fence up by
** `unfenced`, repair, and declare it again. A table whose triggers are whole
** needs no repair, even if it is `cannot be declared`.
**
** The function also records the new name of a table that was renamed. After
** that a rebuild of the table is recognized. A table that was renamed and
** rebuilt before any such call must be given by its new name. If it matches
** exactly one of the tables that are `table missing` (the same key, the same
** version column), it is taken for that one.
**
** Arguments:
**   table  TEXT  name, or schema.name; all versioned tables if left out
** Result: INTEGER how many tables were repaired
** Errors:
**   `bad argument:` SQLITE_ERROR
** From: Interlock
** Example:
**   CREATE TABLE account(id INTEGER PRIMARY KEY, balance INT);
**   SELECT versioned('account');
**   -- account.version
**   CREATE TABLE copy AS SELECT * FROM account;
**   DROP TABLE account;
**   ALTER TABLE copy RENAME TO account;
**   SELECT name, status FROM versioned_tables;
**   -- account|triggers missing
**   SELECT versioned_repair(), versioned_repair();
**   -- 1|0
*/
static void repairFunc(sqlite3_context *ctx, int nArg, sqlite3_value **apArg){
  declarecallRepair(ctx, nArg, apArg, versionedKind(),
                    "versioned_repair([table])");
}

/*
** SQL FUNCTION versioned_forget(table, older_than_ms)
**
** Purges tombstones that are older than an age, and with them the versions in
** the history that ended before. Afterwards a form that was opened longer ago
** than this can overwrite a row that was inserted again under its key. The age
** of a tombstone counts from the first call of this function after the delete,
** so call it regularly: no younger tombstone is purged, and some are purged
** later.
**
** Arguments:
**   table          TEXT     name, or schema.name
**   older_than_ms  INTEGER  age in ms; 0 for all
** Result: INTEGER how many tombstones and versions were purged
** Errors:
**   `bad argument:` SQLITE_ERROR
** From: gc_grace_seconds of Cassandra
** Example:
**   CREATE TABLE account(id INTEGER PRIMARY KEY, balance INT);
**   SELECT versioned('account');
**   -- account.version
**   INSERT INTO account(id) VALUES(1);
**   DELETE FROM account;
**   SELECT versioned_forget('account', 86400000);
**   -- 0
**   SELECT versioned_forget('account', 0);
**   -- 1
*/
static void forgetFunc(sqlite3_context *ctx, int nArg, sqlite3_value **apArg){
  Sqlx x;
  sqlite3_int64 n = 0;
  sqlxBegin(&x, sqlite3_context_db_handle(ctx));
  if( argsCount(&x, nArg, 2, 2, "versioned_forget(table, older_than_ms)") ){
    const char *zTable = argsText(&x, apArg[0], "table");
    sqlite3_int64 ms = argsInteger(&x, apArg[1], "older_than_ms");
    if( ms<0 ) sqlxBad(&x, "older_than_ms is negative; allowed is 0 and up");
    if( x.rc==SQLITE_OK ) n = versionedForget(&x, zTable, ms);
  }
  argsEndInteger(&x, ctx, n);
}

/*
** SQL FUNCTION versioned_log_clear([table])
**
** Empties `versioned_log`, to begin a new trial of `on_stale=log`.
**
** Arguments:
**   table  TEXT  name, or schema.name; all versioned tables if left out
** Result: INTEGER how many rows had been noted
** Errors:
**   `bad argument:` SQLITE_ERROR
** From: Interlock
** Example:
**   CREATE TABLE account(id INTEGER PRIMARY KEY, balance INT);
**   INSERT INTO account VALUES(1, 100), (2, 0);
**   SELECT versioned('account', 'version', 'strict', 'on_stale=log');
**   -- account.version
**   UPDATE account SET balance = 50;
**   SELECT versioned_log_clear('account'), versioned_log_clear('account');
**   -- 2|0
*/
static void clearFunc(sqlite3_context *ctx, int nArg, sqlite3_value **apArg){
  Sqlx x;
  const char *zTable = 0;
  sqlite3_int64 n = 0;
  sqlxBegin(&x, sqlite3_context_db_handle(ctx));
  if( argsCount(&x, nArg, 0, 1, "versioned_log_clear([table])") && nArg>0 ){
    zTable = argsText(&x, apArg[0], "table");
  }
  if( x.rc==SQLITE_OK ) n = logtableClear(&x, zTable);
  argsEndInteger(&x, ctx, n);
}

/* ---- the extension ---------------------------------------------------- */

/*
** SQL AREA The extension
**
** Loading the extension into a connection a second time changes nothing, from
** the same file or from a copy of it: the copy that was loaded first serves the
** connection, and its locks stay. If a process has two SQLite libraries, each
** of them must load its own copy of the file.
**
** Only the program may call a function, in a statement, or in a trigger or view
** in temp. In a CHECK, a generated column, an index, a default, a view or a
** trigger of a database it is refused with `unsafe use of`, and does nothing.
** So the schema of a file from elsewhere cannot release a lock or change what
** is declared. Excepted are the functions that Interlock's own triggers call.
**
** To find out whether the extension is loaded, call `interlock_version()`:
** without the extension it is an error (`no such function`).
*/

/*
** SQL FUNCTION interlock_version()
**
** Returns the version of Interlock and of the SQLite that runs it. Between
** them stand the format of the lock file, the way in which Interlock asks the
** operating system (`linux` or `posix`), the print of the format (two builds
** whose format, system or print differ refuse each other's lock file), and the
** generation of the trigger text.
**
** Arguments: none
** Result: TEXT
** Errors: none
** From: sqlite_version()
** Example:
**   SELECT interlock_version()
**     LIKE '0.1.0 format 6 os % generator 3 sqlite 3.%';
**   -- 1
*/
static void versionFunc(sqlite3_context *ctx, int nArg, sqlite3_value **apArg){
  LockFormat format = lockFormat();
  char *z = sqlite3_mprintf("%s format %d os %s print %08x generator %d"
      " sqlite %s", INTERLOCK_VERSION, (int)format.iNumber,
      format.eLayer=='L' ? "linux" : "posix", format.iPrint,
      VERSIONED_GENERATOR, sqlite3_libversion());
  (void)nArg;
  (void)apArg;
  if( z==0 ){
    sqlite3_result_error_nomem(ctx);
    return;
  }
  sqlite3_result_text(ctx, z, -1, sqlite3_free);
}

/* ---- registration ----------------------------------------------------- */

#define NO_WORD { 0, 0, 0, 0 }

static const Function aVersioned[] = {
  { "versioned",         FUNCTION_ANY, versionedFunc,    NO_WORD },
  { "unversioned",       FUNCTION_ANY, unversionedFunc,  NO_WORD },
  { "versioned_many",    FUNCTION_ANY, versionedManyFunc,   NO_WORD },
  { "unversioned_many",  FUNCTION_ANY, unversionedManyFunc, NO_WORD },
  { "versioned_sql",     FUNCTION_ANY, versionedSqlFunc, NO_WORD },
  { "expect_version",    FUNCTION_ANY, expectFunc,       NO_WORD },
  { "versioned_delete",  FUNCTION_ANY, deleteFunc,       NO_WORD },
  { "versioned_lift",    FUNCTION_ANY, liftFunc,         NO_WORD },
  { "versioned_repair",  FUNCTION_ANY, repairFunc,       NO_WORD },
  { "versioned_forget",  FUNCTION_ANY, forgetFunc,       NO_WORD },
  { "versioned_log_clear", FUNCTION_ANY, clearFunc,      NO_WORD },
  { "interlock_version", 0,            versionFunc,      NO_WORD },
};

static FunctionList versionedFunctions(void){
  FunctionList t = { aVersioned, sizeof(aVersioned)/sizeof(aVersioned[0]) };
  return t;
}

static FunctionList (*const axList[])(void) = {
  versionedFunctions, etagFunctions, mergeFunctions,
  calloptionFunctions, advisoryFunctions,
  getlockFunctions,
  inspectstatusFunctions,
  turnFunctions,
  rowlockFunctions,
  guardcheckFunctions,
  guardedFunctions,
  fencedFunctions,
  leaseFunctions,
  locksetFunctions,
  notifyFunctions,
  semaphoreFunctions,
  removeFunctions,
  skiplockedFunctions,
  lockrowsFunctions,
};

/* Function number i of all, or NULL. */
static const Function *functionAt(int i){
  size_t iList;
  for(iList=0; iList<sizeof(axList)/sizeof(axList[0]); iList++){
    FunctionList t = axList[iList]();
    const Function *a = t.a;
    if( i<t.n ) return a + i;
    i -= t.n;
  }
  return 0;
}

FunctionCall *functionsNew(Connection *pConn){
  FunctionCall *aCall;
  int n = 0;
  while( functionAt(n) ) n++;
  aCall = sqlite3_malloc64((sqlite3_uint64)n*sizeof(*aCall));
  if( aCall==0 ) return 0;
  while( n-->0 ){
    aCall[n].pThis = functionAt(n);
    aCall[n].pConn = pConn;
    aCall[n].iTemp = 0;
  }
  return aCall;
}

/* Whether a statement of the connection is being run. SQLite then unregisters
** no function. */
static int isRunning(sqlite3 *db){
  sqlite3_stmt *pStmt = sqlite3_next_stmt(db, 0);
  while( pStmt && !sqlite3_stmt_busy(pStmt) ){
    pStmt = sqlite3_next_stmt(db, pStmt);
  }
  return pStmt!=0;
}

void functionsUnregister(sqlite3 *db, int *pnDone){
  const Function *p;
  if( isRunning(db) ) return;
  while( *pnDone>0 && (p = functionAt(--*pnDone))!=0 ){
    sqlite3_create_function_v2(db, p->zName, p->nArg, SQLITE_UTF8, 0, 0, 0, 0,
                               0);
  }
}

/* What SQLite calls for each function that only the program may call. */
static void callDirect(sqlite3_context *ctx, int nArg, sqlite3_value **apArg){
  FunctionCall *pCall = (FunctionCall*)sqlite3_user_data(ctx);
  const Function *p = pCall->pThis;
  if( directAllowed(connectionDirect(pCall->pConn), ctx, p->zName,
                    &pCall->iTemp) ) p->xFunc(ctx, nArg, apArg);
}

/* The destructor of a registered function. */
static void functionGone(void *pCall){
  connectionRelease(((FunctionCall*)pCall)->pConn);
}

int functionsRegister(sqlite3 *db, FunctionCall *aCall, int *pnDone){
  const Function *p;
  int rc = SQLITE_OK;
  int i;
  for(i=*pnDone; (p = functionAt(i))!=0; i++){
    int bDirect = p->word.eOp!=FUNCTION_INNOCUOUS;
    connectionRetain(aCall[i].pConn);
    rc = sqlite3_create_function_v2(db, p->zName, p->nArg,
        SQLITE_UTF8|(bDirect ? SQLITE_DIRECTONLY : SQLITE_INNOCUOUS),
        &aCall[i], bDirect ? callDirect : p->xFunc, 0, 0, functionGone);
    if( rc!=SQLITE_OK ) break;
  }
  *pnDone = i;
  if( rc!=SQLITE_OK ) functionsUnregister(db, pnDone);
  return rc;
}
