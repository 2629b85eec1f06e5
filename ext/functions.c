/* SPDX-License-Identifier: 0BSD */
/*
** The SQL functions of Interlock. Each has a block above it that is its
** page in sql/README.md; the table at the end registers them.
**
** All are DIRECTONLY: a schema that comes from elsewhere must not be able
** to call them from a trigger or a view.
*/
#include <string.h>
#include "functions.h"
#include "triggers.h"
#include "versioned.h"
SQLITE_EXTENSION_INIT3

#define INTERLOCK_VERSION "0.1.0"

/* ---- arguments -------------------------------------------------------- */

static const char *typeName(sqlite3_value *pVal){
  static const char *const az[] = {
    "", "INTEGER", "REAL", "TEXT", "BLOB", "NULL"
  };
  return az[sqlite3_value_type(pVal)];
}

/* A TEXT argument. zWhat says in the error what it stands for. */
static const char *argText(Sqlx *p, sqlite3_value *pVal, const char *zWhat){
  const char *z;
  int n;
  if( p->rc!=SQLITE_OK ) return 0;
  if( sqlite3_value_type(pVal)!=SQLITE_TEXT ){
    sqlxBad(p, "%s is %s; allowed is TEXT", zWhat, typeName(pVal));
    return 0;
  }
  z = (const char*)sqlite3_value_text(pVal);
  n = sqlite3_value_bytes(pVal);
  if( z==0 ){
    p->rc = SQLITE_NOMEM;
  }else if( n==0 || (int)strlen(z)!=n ){
    sqlxBad(p, "%s is %s; allowed is a name", zWhat,
            n==0 ? "empty" : "cut by a NUL character");
  }
  return z;
}

static int argCount(Sqlx *p, int nArg, int nMin, int nMax, const char *zForm){
  if( nArg<nMin || nArg>nMax ){
    sqlxBad(p, "%d given; allowed is %s", nArg, zForm);
  }
  return p->rc==SQLITE_OK;
}

/* The result of a request that ends here. NULL for NULL. */
static void endText(Sqlx *p, sqlite3_context *ctx, const char *z){
  if( p->rc!=SQLITE_OK ){
    sqlxResultError(p, ctx);
  }else if( z ){
    sqlite3_result_text(ctx, z, -1, SQLITE_TRANSIENT);
  }
  sqlxEnd(p);
}

static int argVersioned(
  Sqlx *p,
  int nArg,
  sqlite3_value **apArg,
  const char *zForm,
  VersionedRequest *pReq
){
  memset(pReq, 0, sizeof(*pReq));
  if( !argCount(p, nArg, 1, 2, zForm) ) return 0;
  pReq->zTable = argText(p, apArg[0], "table");
  if( nArg>1 ) pReq->words.zColumn = argText(p, apArg[1], "column");
  return p->rc==SQLITE_OK;
}

/* ---- versioned tables ------------------------------------------------- */

/*
** SQL FUNCTION versioned(table [, column])
**
** Declares a versioned table: every accepted change of a row raises its
** version, and an UPDATE that carries a version is refused unless it carries
** the one that follows the row's. The column is added if it is missing (as
** `INTEGER NOT NULL DEFAULT 1`). The triggers that do this are plain SQL:
** they hold for every writer, also one that never loaded Interlock.
**
** Run again, it puts back what is missing and changes nothing else. It
** takes SQLite's write lock first, so that `busy_timeout` works, and does
** all or nothing.
**
** Arguments:
**   table   TEXT  name, or schema.name
**   column  TEXT  the version column; default `version`, or as declared
** Result: TEXT `table.column`; NULL for a table of Interlock's own (its name
**   begins with `interlock_`)
** Errors:
**   `bad argument:` SQLITE_ERROR
**   `stale write:` SQLITE_CONSTRAINT_TRIGGER, of later UPDATEs
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
**   -- error: stale write: account.version
**   UPDATE account SET balance = 70 WHERE id = 1;
**   SELECT * FROM account;
**   -- 1|70|3
*/
static void versionedFunc(sqlite3_context *ctx, int nArg, sqlite3_value **ap){
  Sqlx x;
  VersionedRequest req;
  const char *z = 0;
  sqlxBegin(&x, sqlite3_context_db_handle(ctx));
  if( argVersioned(&x, nArg, ap, "versioned(table [, column])", &req) ){
    z = versionedDeclare(&x, &req, VERSIONED_SELECT);
  }
  endText(&x, ctx, z);
}

/*
** SQL FUNCTION unversioned(table)
**
** Gives up a versioned table: drops its triggers, all or none. The version
** column and the tombstones stay, so that the versions go on where they were
** if the table is declared again.
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
  Sqlx x;
  const char *zTable = 0;
  int bDone = 0;
  sqlxBegin(&x, sqlite3_context_db_handle(ctx));
  if( argCount(&x, nArg, 1, 1, "unversioned(table)") ){
    zTable = argText(&x, apArg[0], "table");
  }
  if( x.rc==SQLITE_OK ) bDone = versionedUndeclare(&x, zTable, VERSIONED_SELECT);
  if( x.rc!=SQLITE_OK ){
    sqlxResultError(&x, ctx);
  }else{
    sqlite3_result_int(ctx, bDone);
  }
  sqlxEnd(&x);
}

/*
** SQL FUNCTION versioned_sql(table [, column])
**
** The statements that `versioned` would run, as text, one a line; nothing is
** run. For migrations, and for engines that load no extension. The text is
** for one run on the schema that it was made from.
**
** Arguments:
**   table   TEXT  name, or schema.name
**   column  TEXT  the version column; default `version`, or as declared
** Result: TEXT; NULL for a table of Interlock's own
** Errors:
**   `bad argument:` SQLITE_ERROR
** From: Interlock
** Example:
**   CREATE TABLE account(id INTEGER PRIMARY KEY, balance INT);
**   SELECT versioned_sql('account') LIKE 'ALTER TABLE %;' || char(10) || '%';
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
  VersionedRequest req;
  const char *z = 0;
  sqlxBegin(&x, sqlite3_context_db_handle(ctx));
  if( argVersioned(&x, nArg, apArg, "versioned_sql(table [, column])", &req) ){
    z = versionedText(&x, &req);
  }
  endText(&x, ctx, z);
}

/* ---- the extension ---------------------------------------------------- */

/*
** SQL FUNCTION interlock_version()
**
** The version of Interlock, the generation of its trigger text, and the
** SQLite that runs it.
**
** Arguments: none
** Result: TEXT
** Errors: none
** From: sqlite_version()
** Example:
**   SELECT interlock_version() LIKE '0.1.0 generator 1 sqlite 3.%';
**   -- 1
*/
static void versionFunc(sqlite3_context *ctx, int nArg, sqlite3_value **apArg){
  char *z = sqlite3_mprintf("%s generator %d sqlite %s", INTERLOCK_VERSION,
                            TRIGGERS_GENERATOR, sqlite3_libversion());
  (void)nArg;
  (void)apArg;
  if( z==0 ){
    sqlite3_result_error_nomem(ctx);
    return;
  }
  sqlite3_result_text(ctx, z, -1, sqlite3_free);
}

/* ---- registration ----------------------------------------------------- */

#define ANY_COUNT (-1)     /* counted by the function, with a better error */

static const struct {
  const char *zName;
  int nArg;
  void (*xFunc)(sqlite3_context*, int, sqlite3_value**);
} aFunction[] = {
  { "versioned",         ANY_COUNT, versionedFunc },
  { "unversioned",       ANY_COUNT, unversionedFunc },
  { "versioned_sql",     ANY_COUNT, versionedSqlFunc },
  { "interlock_version", 0,         versionFunc },
};

#define FUNCTION_COUNT ((int)(sizeof(aFunction)/sizeof(aFunction[0])))

/*
** Register every function on a connection, all or none: SQLite unloads the
** library if loading fails, and a function left behind would then point
** nowhere.
**
** xGone(pOwner) is called when the connection really ends: it is the
** destructor of one of the functions. It is called after a failure as well.
*/
int functionsRegister(sqlite3 *db, void *pOwner, void (*xGone)(void*)){
  int rc = SQLITE_OK;
  int i;
  for(i=0; i<FUNCTION_COUNT && rc==SQLITE_OK; i++){
    rc = sqlite3_create_function_v2(db, aFunction[i].zName,
        aFunction[i].nArg, SQLITE_UTF8|SQLITE_DIRECTONLY,
        i==0 ? pOwner : 0, aFunction[i].xFunc, 0, 0, i==0 ? xGone : 0);
  }
  if( rc!=SQLITE_OK ){
    /* The one that failed is not there; those before it are. */
    for(i-=2; i>=0; i--){
      sqlite3_create_function_v2(db, aFunction[i].zName, aFunction[i].nArg,
          SQLITE_UTF8, 0, 0, 0, 0, 0);
    }
  }
  return rc;
}
