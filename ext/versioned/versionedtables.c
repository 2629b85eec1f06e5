/* SPDX-License-Identifier: 0BSD */
/*
** The virtual table versioned_tables. See versionedtables.h.
*/
#include <string.h>
#include "versioned/versionedtables.h"
#include "sqlite/listvtab.h"
#include "versioned/status.h"
#include "sqlite/sqltoken.h"
#include "versioned/versioned.h"
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
** missing`, `triggers missing`, `triggers changed`, `triggers outdated` (a
** UNIQUE index or, with `except`, a column was added since, or an older
** Interlock made the triggers), `triggers broken` (a trigger names a table
** that does not exist), `triggers may be skipped` (see below), `ok`.
** `versioned_repair` repairs all of them but the first. A table that a newer
** Interlock has declared is `newer`, and is left alone. `note` reports what is
** no fault but worth knowing.
**
** A table is `table missing` if it was dropped, or if it was renamed and then
** rebuilt without a call of `versioned_repair` in between: the triggers follow
** a RENAME, but the rebuild dropped them. `versioned_repair(its new name)`, or
** `UPDATE versioned_tables SET name = its new name`, moves the declaration and
** the tombstones to the new table; DELETE undeclares it.
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
**   on_stale        TEXT     abort or ignore
**   except_columns  TEXT     names separated by commas
**   tombstones      TEXT     on or off
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
  " on_stale TEXT, except_columns TEXT, tombstones TEXT, status TEXT," \
  " note TEXT)"

enum { TAB_SCHEMA, TAB_NAME, TAB_COLUMN, TAB_MODE, TAB_ON_STALE, TAB_EXCEPT,
       TAB_TOMBSTONES, TAB_STATUS, TAB_NOTE, TAB_COUNT };

/* The schema and the number, as one integer. */
static sqlite3_int64 rowidOf(const StatusWalk *pWalk){
  const char *z = pWalk->entry.zNumber;
  sqlite3_int64 i = pWalk->iSchema;
  for(; z && *z; z++) i = (i<<4) | (*z<='9' ? *z-'0' : (*z-'a'+10)&15);
  return i;
}

static void readRows(Sqlx *p, ListVtabRows *pRows){
  StatusWalk walk;
  statusWalkBegin(p, &walk);
  while( statusWalkNext(p, &walk) ){
    const RegistryEntry *pEntry = &walk.entry;
    const char **az = listvtabAdd(p, pRows, rowidOf(&walk));
    if( az==0 ) break;
    az[TAB_SCHEMA] = walk.zSchema;
    az[TAB_NAME] = pEntry->zTable;
    az[TAB_COLUMN] = pEntry->zColumn;
    az[TAB_MODE] = pEntry->zMode;
    az[TAB_ON_STALE] = pEntry->zOnStale;
    az[TAB_EXCEPT] = pEntry->zExcept;
    az[TAB_TOMBSTONES] = pEntry->bTombstones ? "on" : "off";
    az[TAB_STATUS] = statusName(walk.status);
    az[TAB_NOTE] = statusNote(p, &walk);
  }
  statusWalkEnd(p, &walk);
}

/* ---- writing ---------------------------------------------------------- */

/* A TEXT value, or NULL for NULL. */
static const char *textOf(Sqlx *p, sqlite3_value *pVal, const char *zWhat){
  const char *z;
  if( p->rc!=SQLITE_OK || sqlite3_value_type(pVal)==SQLITE_NULL ) return 0;
  if( sqlite3_value_type(pVal)!=SQLITE_TEXT ){
    sqlxBad(p, "%s is no TEXT; allowed is TEXT, or NULL for what it is", zWhat);
    return 0;
  }
  z = (const char*)sqlite3_value_text(pVal);
  if( z==0 ){
    p->rc = SQLITE_NOMEM;
  }else if( (int)strlen(z)!=sqlite3_value_bytes(pVal) ){
    sqlxBad(p, "%s is cut by a NUL character; allowed is TEXT without", zWhat);
  }
  return z;
}

/* The table that a row names: schema.name, quoted. */
static const char *tableOf(Sqlx *p, const char *zSchema, const char *zName){
  if( zSchema==0 ) return zName;
  return sqlxPrintf(p, "\"%w\".\"%w\"", zSchema, zName);
}

/* The declared table of a rowid: it holds the number, which stays while rows
** before it come and go. Returns 0, with an error set, if it is not there. */
static int walkTo(Sqlx *p, sqlite3_int64 iRowid, StatusWalk *pWalk){
  int bFound = 0;
  statusWalkBegin(p, pWalk);
  while( !bFound && statusWalkNext(p, pWalk) ) bFound = rowidOf(pWalk)==iRowid;
  statusWalkEnd(p, pWalk);
  if( !bFound ) sqlxBad(p, "this versioned table is no longer there");
  return p->rc==SQLITE_OK;
}

/* What a row of values asks for. */
static void requestOf(Sqlx *p, sqlite3_value **apVal, VersionedRequest *pReq){
  const char *zSchema = textOf(p, apVal[TAB_SCHEMA], "schema");
  const char *zName = textOf(p, apVal[TAB_NAME], "name");
  memset(pReq, 0, sizeof(*pReq));
  if( zName==0 ) sqlxBad(p, "name is NULL; allowed is the name of a table");
  pReq->zTable = tableOf(p, zSchema, zName);
  pReq->words.zColumn = textOf(p, apVal[TAB_COLUMN], "column");
  if( pReq->words.zColumn && pReq->words.zColumn[0]==0 ){
    sqlxBad(p, "column is empty; allowed is a name");
  }
  pReq->words.zMode = textOf(p, apVal[TAB_MODE], "mode");
  pReq->words.zOnStale = textOf(p, apVal[TAB_ON_STALE], "on_stale");
  pReq->words.zExcept = textOf(p, apVal[TAB_EXCEPT], "except_columns");
  pReq->words.zTombstones = textOf(p, apVal[TAB_TOMBSTONES], "tombstones");
}

/* What the table says by itself is not written. An UPDATE gives all values,
** those that it does not set without their text (iOwn in listvtab.h). */
static void checkReadOnly(Sqlx *p, sqlite3_value **apVal, int bUpdate){
  int i;
  for(i=TAB_STATUS; i<=TAB_NOTE; i++){
    int bGiven = bUpdate ? !sqlite3_value_nochange(apVal[i])
                         : sqlite3_value_type(apVal[i])!=SQLITE_NULL;
    if( bGiven ) sqlxBad(p, "status and note cannot be written");
  }
}

static void insertRow(Sqlx *p, sqlite3_value **apVal){
  VersionedRequest req;
  checkReadOnly(p, apVal, 0);
  requestOf(p, apVal, &req);
  if( p->rc==SQLITE_OK ) versionedDeclare(p, &req, DDL_STATEMENT);
}

static void updateRow(Sqlx *p, sqlite3_int64 iRowid, sqlite3_value **apVal){
  StatusWalk walk;
  VersionedRequest req;
  checkReadOnly(p, apVal, 1);
  if( !walkTo(p, iRowid, &walk) ) return;
  requestOf(p, apVal, &req);
  if( p->rc!=SQLITE_OK ) return;
  if( sqlite3_stricmp(req.zTable, tableOf(p, walk.zSchema,
                                          walk.entry.zTable))!=0 ){
    if( walk.status!=STATUS_TABLE ){
      sqlxBad(p, "schema and name cannot be changed; allowed is ALTER TABLE"
                 " ... RENAME, or to say where a table went whose status is"
                 " table missing");
      return;
    }
    req.zNumber = walk.entry.zNumber;
  }
  versionedDeclare(p, &req, DDL_STATEMENT);
}

static void deleteRow(Sqlx *p, sqlite3_int64 iRowid){
  StatusWalk walk;
  if( !walkTo(p, iRowid, &walk) ) return;
  if( walk.status==STATUS_TABLE ){
    registryGiveUp(p, walk.zSchema, &walk.entry);
  }else{
    versionedUndeclare(p, tableOf(p, walk.zSchema, walk.entry.zTable),
                       DDL_STATEMENT);
  }
}

/* Whether a text has the name of the table in it, in any of the ways that
** SQLite takes for one. */
static int isNamed(const char *z){
  static const char zName[] = "versioned_tables";
  const char *zEnd = z + strlen(z);
  SqlToken t;
  for(t=sqltokenAt(z, zEnd); t.kind!=SQLTOKEN_END; t=sqltokenNext(&t, zEnd)){
    if( sqltokenIsName(&t, zName) ) return 1;
    if( t.kind==SQLTOKEN_STRING && t.n==(int)sizeof(zName)+1
     && sqlite3_strnicmp(t.z+1, zName, t.n-2)==0 ) return 1;
  }
  return 0;
}

/*
** SQLite 3.34 lets a trigger write what is DIRECTONLY, and a file may hold
** triggers that somebody else has made. A statement that writes the table
** itself names it.
*/
static void checkDirect(Sqlx *p){
  sqlite3_stmt *pStmt = 0;
  while( (pStmt = sqlite3_next_stmt(p->db, pStmt))!=0 ){
    const char *z = sqlite3_sql(pStmt);
    if( !sqlite3_stmt_busy(pStmt) || sqlite3_stmt_readonly(pStmt) ) continue;
    if( z==0 || isNamed(z) ) return;
  }
  sqlxFail(p, SQLITE_ERROR,
           "unsafe use of virtual table \"versioned_tables\"");
}

static void writeRow(
  Sqlx *p,
  int argc,
  sqlite3_value **argv,
  sqlite3_int64 *piRowid
){
  checkDirect(p);
  if( p->rc!=SQLITE_OK ) return;
  if( sqlite3_value_type(argv[0])==SQLITE_NULL ){
    insertRow(p, &argv[2]);
    *piRowid = sqlite3_last_insert_rowid(p->db);
  }else if( argc>1 ){
    updateRow(p, sqlite3_value_int64(argv[0]), &argv[2]);
  }else{
    deleteRow(p, sqlite3_value_int64(argv[0]));
  }
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
