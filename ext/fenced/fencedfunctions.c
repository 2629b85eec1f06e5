/* SPDX-License-Identifier: 0BSD */
/*
** The SQL functions that fence tables. See fencedfunctions.h.
*/
#include <string.h>
#include "fenced/fencedfunctions.h"
#include "schema/declarecall.h"
#include "sqlite/args.h"
#include "fenced/fenced.h"
SQLITE_EXTENSION_INIT3

/*
** SQL AREA Fenced tables
**
** A process can be paused at any point (by a debugger, a sleeping laptop, a
** busy machine), and go on after its lease has expired and another process
** works under it. No lock and no timeout can prevent that. What helps is a
** fencing token: each holder has a greater one than the holder before, every
** write carries it, and the data refuses a smaller one. In a fenced table the
** data does that by itself. The triggers are plain SQL, and hold for every
** writer, including a program that never loaded Interlock.
**
** There are two forms. `fenced('job', 'token')` keeps the token of each row
** from getting smaller: a write that carries a token which is smaller than the
** row's is refused. A key keeps its token: the same holds for a row that comes
** back under it after a DELETE, a changed key, or a REPLACE that removed the
** row. A write that does not mention the token is accepted and leaves the token
** as it is. So is what removes a row, since it carries no token for it: a
** DELETE, and a REPLACE that writes a row under another key and removes this
** one by a UNIQUE index. It fits rows that belong to different leases, and
** tokens of any kind (`advisory_lock` returns such tokens).
**
** `fenced('job', 'token', 'leader')` binds the whole table to one lease of
** main: every INSERT and every UPDATE must carry the current token of that
** lease, also on a row that the present holder has written already. DELETE is
** refused, since it carries no token: mark the row as deleted by an UPDATE.
** A foreign key action that would change or delete a row is refused for the
** same reason, and so is an INSERT OR IGNORE or UPSERT with a wrong token, even
** if it would insert nothing. Under `PRAGMA recursive_triggers = ON` a REPLACE
** that removes a row deletes it, and is refused.
**
** The token that a program writes must be the one that lease_acquire has
** returned to it. A program that reads the current token from the database, or
** writes `token = token`, has switched the fence off.
**
** The triggers compare tokens and do not look at the clock. A lease that has
** expired lets its last holder write until another owner acquires it. Under a
** lease that was released every write is refused.
**
** ```sql
** CREATE TABLE job(id INTEGER PRIMARY KEY, state TEXT);
** SELECT fenced('job', 'token');
** -- job.token
** INSERT INTO job(id, state, token) VALUES(1, 'sent', 7);
** UPDATE job SET state = 'sent twice', token = 6 WHERE id = 1;
** -- error: fenced: job.token
** UPDATE job SET state = 'paid' WHERE id = 1;
** DELETE FROM job WHERE id = 1;
** INSERT INTO job(id, state, token) VALUES(1, 'new', 6);
** -- error: fenced: job.token
** INSERT INTO job(id, state) VALUES(1, 'new');
** SELECT * FROM job;
** -- 1|new|7
** ```
**
** A change that fires no trigger is not fenced: DROP TABLE, incremental writing
** of a BLOB, and any write of a connection that has switched its triggers off.
** A migration that rebuilds a table must end with `SELECT fenced_repair();`. A
** rebuild that loses the column loses the tokens.
*/

#define FENCED_FORM "(table [, column [, lease]])"
#define FENCED_MANY_FORM "(tables [, column [, lease]])"

/* Takes the arguments behind the first one of fenced(), and of the functions
** that have the same; 0 with an error. */
static int argFencedOptions(
  Sqlx *p,
  int nArg,
  sqlite3_value **apArg,
  const char *zForm,
  FencedText *pText
){
  memset(pText, 0, sizeof(*pText));
  if( !argsCount(p, nArg, 1, 3, zForm) ) return 0;
  if( nArg>1 ) pText->zColumn = argsText(p, apArg[1], "column");
  if( nArg>2 && sqlite3_value_type(apArg[2])==SQLITE_NULL ){
    pText->zLease = "";
  }else if( nArg>2 ){
    pText->zLease = argsText(p, apArg[2], "lease");
  }
  return p->rc==SQLITE_OK;
}

/* Takes the arguments of fenced() and fenced_sql(); 0 with an error. */
static int argFenced(
  Sqlx *p,
  int nArg,
  sqlite3_value **apArg,
  const char *zForm,
  DeclareRequest *pReq,
  FencedText *pText
){
  memset(pReq, 0, sizeof(*pReq));
  pReq->pOptions = pText;
  if( !argFencedOptions(p, nArg, apArg, zForm, pText) ) return 0;
  pReq->zTable = argsText(p, apArg[0], "table");
  return p->rc==SQLITE_OK;
}

/*
** SQL FUNCTION fenced(table [, column [, lease]])
**
** Fences a table: from now on a write that carries a token which is too small
** fails. The function adds the column if it is missing (as `INTEGER NOT NULL
** DEFAULT 0`; 0 stands for no token). If the table is versioned, what
** `versioned` has made follows. With a lease, every INSERT and UPDATE
** must carry the current token of that lease, and DELETE is refused. It also
** makes the table of leases if there is none. If the table is versioned, too,
** which must be in mode `strict`, an INSERT of a key that was used before, and
** an UPDATE to such a key, must carry a version above the last one of that key:
** otherwise `versioned` raises the row, by an UPDATE without a token, which the
** fence refuses (`UPDATE carries no token`).
**
** Called again, it restores what is missing. An option that is given changes,
** an option that is left out stays; NULL as the lease takes the lease away. The
** function takes SQLite's write lock first, so that `busy_timeout` applies, and
** does all of its work or none.
**
** Arguments:
**   table   TEXT  name, or schema.name; of a database file, not of temp; with a
**     lease of main
**   column  TEXT  the column of the token; default `token`, or as fenced
**   lease   TEXT  name of a lease; default none, or as fenced
** Result: TEXT `table.column`; NULL for a table of Interlock's own (its name
**   begins with `interlock_`)
** Errors:
**   `bad argument:` SQLITE_ERROR
**   `fenced:` SQLITE_CONSTRAINT_TRIGGER, of later writes
** From: fencing tokens, as M. Kleppmann describes them: here the database
**   itself refuses
** Example:
**   CREATE TABLE job(id INTEGER PRIMARY KEY, state TEXT);
**   SELECT fenced('job', 'token', 'leader');
**   -- job.token
**   CREATE TEMP TABLE a AS SELECT lease_acquire('leader', 'a', 1) AS token;
**   INSERT INTO job SELECT 1, 'sent', token FROM a;
**   CREATE TEMP TABLE b AS
**     SELECT lease_wait('leader', 'b', 60000, 5000) AS token;
**   UPDATE job SET state = 'paid', token = (SELECT token FROM b);
**   UPDATE job SET state = 'sent twice', token = (SELECT token FROM a);
**   -- error: fenced: job.token
**   UPDATE job SET state = 'sent twice';
**   -- error: fenced: job.token: UPDATE carries no token
**   DELETE FROM job;
**   -- error: fenced: job.token: DELETE carries no token
**   SELECT id, state FROM job;
**   -- 1|paid
*/
static void fencedFunc(sqlite3_context *ctx, int nArg, sqlite3_value **apArg){
  Sqlx x;
  DeclareRequest req;
  FencedText text;
  sqlxBegin(&x, sqlite3_context_db_handle(ctx));
  if( argFenced(&x, nArg, apArg, "fenced" FENCED_FORM, &req, &text) ){
    req.pResult = ctx;
    declareTable(&x, fencedKind(), &req, DDL_SELECT);
  }
  if( x.rc!=SQLITE_OK ) sqlxResultError(&x, ctx);
  sqlxEnd(&x);
}

/*
** SQL FUNCTION unfenced(table)
**
** Drops all of Interlock's triggers of a fenced table, or none. The column and
** the tokens of deleted rows stay. If the table is fenced again, they hold
** again.
**
** Arguments:
**   table  TEXT  name, or schema.name
** Result: INTEGER 1, or 0 if the table was not fenced
** Errors:
**   `bad argument:` SQLITE_ERROR
** From: Interlock
** Example:
**   CREATE TABLE job(id INTEGER PRIMARY KEY, state TEXT);
**   SELECT fenced('job');
**   -- job.token
**   SELECT unfenced('job'), unfenced('job');
**   -- 1|0
*/
static void unfencedFunc(sqlite3_context *ctx, int nArg, sqlite3_value **apArg){
  declarecallUndo(ctx, nArg, apArg, fencedKind(), "unfenced(table)");
}

/*
** SQL FUNCTION fenced_many(tables [, column [, lease]])
** SQL FUNCTION unfenced_many(tables)
**
** Do for several tables what `fenced` and `unfenced` do for one, all or none.
** An error ends with the table that it is about.
**
** Arguments:
**   tables  TEXT  a JSON array of names, each as `fenced` takes one, of 65,536
**     bytes at most
**   column  TEXT  as of fenced
**   lease   TEXT  as of fenced
** Result: INTEGER of fenced_many how many tables the array names that are
**   fenced now, a table that is named twice once; of unfenced_many how many
**   were fenced
** Errors:
**   `bad argument:` SQLITE_ERROR
** From: Interlock
** Example:
**   CREATE TABLE job(id INTEGER PRIMARY KEY, state TEXT);
**   CREATE TABLE mail(id INTEGER PRIMARY KEY, body TEXT);
**   SELECT fenced_many('["job","mail"]', 'token', 'leader');
**   -- 2
**   SELECT name, lease, status FROM fenced_tables;
**   -- job|leader|ok
**   -- mail|leader|ok
**   SELECT unfenced_many('["mail"]');
**   -- 1
*/
static void fencedManyFunc(
  sqlite3_context *ctx,
  int nArg,
  sqlite3_value **apArg
){
  Sqlx x;
  FencedText text;
  sqlxBegin(&x, sqlite3_context_db_handle(ctx));
  argFencedOptions(&x, nArg, apArg, "fenced_many" FENCED_MANY_FORM, &text);
  declarecallMany(&x, ctx, apArg, fencedKind(), &text);
}

static void unfencedManyFunc(
  sqlite3_context *ctx,
  int nArg,
  sqlite3_value **apArg
){
  declarecallUndoMany(ctx, nArg, apArg, fencedKind(), "unfenced_many(tables)");
}

/*
** SQL FUNCTION fenced_sql(table [, column [, lease]])
**
** Returns the statements that `fenced` would run as text, one a line, and runs
** none of them. It is for migrations, and for engines that load no extension.
** The text must be run once, on a database with the same table; with a lease it
** also makes the table of leases there.
**
** Arguments:
**   table   TEXT  name, or schema.name
**   column  TEXT  as of fenced
**   lease   TEXT  as of fenced
** Result: TEXT; NULL for a table of Interlock's own
** Errors:
**   `bad argument:` SQLITE_ERROR
** From: Interlock
** Example:
**   CREATE TABLE job(id INTEGER PRIMARY KEY, token INTEGER);
**   SELECT fenced_sql('job') LIKE 'CREATE TRIGGER %;' || char(10) || '%';
**   -- 1
**   SELECT count(*) FROM fenced_tables;
**   -- 0
*/
static void fencedSqlFunc(
  sqlite3_context *ctx,
  int nArg,
  sqlite3_value **apArg
){
  Sqlx x;
  DeclareRequest req;
  FencedText text;
  const char *z = 0;
  sqlxBegin(&x, sqlite3_context_db_handle(ctx));
  if( argFenced(&x, nArg, apArg, "fenced_sql" FENCED_FORM, &req, &text) ){
    z = declareText(&x, fencedKind(), &req);
  }
  argsEndText(&x, ctx, z);
}

/*
** SQL FUNCTION fenced_repair([table])
**
** Repairs the triggers that `fenced_tables` reports, of one table or of all.
** The function always makes the whole set of triggers anew. A column that a
** rebuild has lost is added again, without the tokens that it had. A table that
** cannot be fenced as it is now is left, the others are repaired, and then
** comes an error that names it. After any other error nothing has changed.
**
** Arguments:
**   table  TEXT  name, or schema.name; all fenced tables if left out
** Result: INTEGER how many tables were repaired
** Errors:
**   `bad argument:` SQLITE_ERROR
** From: Interlock
** Example:
**   CREATE TABLE job(id INTEGER PRIMARY KEY, state TEXT);
**   SELECT fenced('job');
**   -- job.token
**   CREATE TABLE copy AS SELECT * FROM job;
**   DROP TABLE job;
**   ALTER TABLE copy RENAME TO job;
**   SELECT name, status FROM fenced_tables;
**   -- job|triggers missing
**   SELECT fenced_repair(), fenced_repair();
**   -- 1|0
*/
static void fencedRepairFunc(
  sqlite3_context *ctx,
  int nArg,
  sqlite3_value **apArg
){
  declarecallRepair(ctx, nArg, apArg, fencedKind(), "fenced_repair([table])");
}

static const Function aFenced[] = {
  { "fenced",        FUNCTION_ANY, fencedFunc,       { 0, 0, 0, 0 } },
  { "unfenced",      FUNCTION_ANY, unfencedFunc,     { 0, 0, 0, 0 } },
  { "fenced_many",   FUNCTION_ANY, fencedManyFunc,   { 0, 0, 0, 0 } },
  { "unfenced_many", FUNCTION_ANY, unfencedManyFunc, { 0, 0, 0, 0 } },
  { "fenced_sql",    FUNCTION_ANY, fencedSqlFunc,    { 0, 0, 0, 0 } },
  { "fenced_repair", FUNCTION_ANY, fencedRepairFunc, { 0, 0, 0, 0 } },
};

FunctionList fencedFunctions(void){
  FunctionList t = { aFenced, sizeof(aFenced)/sizeof(aFenced[0]) };
  return t;
}
