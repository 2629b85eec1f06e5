/* SPDX-License-Identifier: 0BSD */
/*
** Taking Interlock out of a database. See remove.h.
**
** What Interlock has made is known by its name, not by a registry: a registry
** may be lost, or name a table that is gone.
*/
#include "remove.h"
#include "schema/ddl.h"
#include "sqlite/args.h"
SQLITE_EXTENSION_INIT3

#define HEX "[0-9a-f]"
#define NUMBERED "interlock_" HEX HEX HEX HEX HEX HEX HEX HEX "_"

/* The triggers on tables of the application come first, so that none names a
** table that is gone. Other triggers go with their tables. */
static void removeSteps(Sqlx *p, const char *zSchema, Ddl *pDdl, int *pn){
  sqlite3_stmt *pStmt = sqlxPrepare(p, "SELECT type, name"
      " FROM \"%w\".sqlite_master WHERE (type='trigger'"
      " AND name GLOB '" NUMBERED "*') OR (type='table'"
      " AND (name IN('interlock_versioned','interlock_guarded',"
      "'interlock_fenced','interlock_leases')"
      " OR name GLOB '" NUMBERED "tombstones'"
      " OR name GLOB '" NUMBERED "log'"
      " OR name GLOB '" NUMBERED "history'"
      " OR name GLOB '" NUMBERED "notes'))"
      " ORDER BY type='table', name", zSchema);
  ddlNew(pDdl, zSchema, "");
  pDdl->bDrops = 1;
  *pn = 0;
  while( sqlxStep(p, pStmt) ){
    const char *zType = sqlxColumn(p, pStmt, 0);
    const char *zName = sqlxColumn(p, pStmt, 1);
    if( p->rc!=SQLITE_OK ) break;
    ddlStep(p, pDdl, sqlxPrintf(p, "DROP %s \"%w\".\"%w\"",
        zType[1]=='r' ? "TRIGGER" : "TABLE", zSchema, zName), DDL_UNDO_ALL);
    (*pn)++;
  }
  sqlxFinalize(p, pStmt);
}

/* Returns the schema that the arguments name; NULL with an error. */
static const char *argSchema(Sqlx *p, int nArg, sqlite3_value **apArg,
                             const char *zForm){
  const char *z = "main";
  if( !argsCount(p, nArg, 0, 1, zForm) ) return 0;
  if( nArg ) z = argsSchema(p, apArg[0]);
  return p->rc==SQLITE_OK ? z : 0;
}

/*
** SQL FUNCTION interlock_remove([schema])
**
** Drops everything that Interlock has made in a database: all triggers of
** versioned, guarded and fenced tables, their registries and side tables, and
** the table of leases. It does all of its work or none. The tables of the
** application stay as they are, with the columns of versions and tokens. The
** lock file beside the database can be deleted when no process has the database
** open.
**
** Arguments:
**   schema  TEXT  main, which is the default, or an attached file
** Result: INTEGER how many objects were dropped
** Errors:
**   `bad argument:` SQLITE_ERROR
** From: Interlock
** Example:
**   CREATE TABLE account(id INTEGER PRIMARY KEY, balance INT);
**   SELECT guarded('account'), fenced('account', 'token', 'leader');
**   -- main.account|account.token
**   SELECT interlock_remove() > 0, interlock_remove();
**   -- 1|0
**   SELECT name FROM sqlite_master;
**   -- account
*/
static void removeFunc(sqlite3_context *ctx, int nArg, sqlite3_value **apArg){
  const char *zSchema;
  int n = 0;
  Sqlx x;
  sqlxBegin(&x, sqlite3_context_db_handle(ctx));
  zSchema = argSchema(&x, nArg, apArg, "interlock_remove([schema])");
  if( zSchema ){
    DdlTxn txn = ddlBegin(&x, DDL_SELECT);
    Ddl ddl;
    removeSteps(&x, zSchema, &ddl, &n);
    if( x.rc==SQLITE_OK ) ddlRun(&x, &ddl, &txn);
    ddlEnd(&x, &txn);
  }
  argsEndInteger(&x, ctx, n);
}

/*
** SQL FUNCTION interlock_remove_sql([schema])
**
** Returns the statements that `interlock_remove` would run as text, one a line,
** and runs none of them. It lists what Interlock has made, and is for a
** connection that cannot load the extension.
**
** Arguments:
**   schema  TEXT  as of interlock_remove
** Result: TEXT; '' if there is nothing
** Errors:
**   `bad argument:` SQLITE_ERROR
** From: Interlock
** Example:
**   CREATE TABLE account(id INTEGER PRIMARY KEY, balance INT);
**   SELECT guarded('account');
**   -- main.account
**   SELECT interlock_remove_sql() LIKE 'DROP TRIGGER %DROP TABLE "main".%;%';
**   -- 1
*/
static void removeSqlFunc(
  sqlite3_context *ctx,
  int nArg,
  sqlite3_value **apArg
){
  const char *zSchema, *z = 0;
  int n;
  Sqlx x;
  sqlxBegin(&x, sqlite3_context_db_handle(ctx));
  zSchema = argSchema(&x, nArg, apArg, "interlock_remove_sql([schema])");
  if( zSchema ){
    Ddl ddl;
    removeSteps(&x, zSchema, &ddl, &n);
    z = n ? ddlText(&x, &ddl, "") : "";
  }
  argsEndText(&x, ctx, z);
}

static const Function aRemove[] = {
  { "interlock_remove",     FUNCTION_ANY, removeFunc,    { 0, 0, 0, 0 } },
  { "interlock_remove_sql", FUNCTION_ANY, removeSqlFunc, { 0, 0, 0, 0 } },
};

FunctionList removeFunctions(void){
  FunctionList t = { aRemove, sizeof(aRemove)/sizeof(aRemove[0]) };
  return t;
}
