/* SPDX-License-Identifier: 0BSD */
/*
** The virtual table versioned_tables. See vtab.h.
*/
#include <string.h>
#include "vtab.h"
#include "status.h"
#include "token.h"
#include "versioned.h"
SQLITE_EXTENSION_INIT3

/*
** SQL AREA Versioned tables
**
** What is declared, and whether it is whole, is a table: `versioned_tables`.
*/

/*
** SQL TABLE versioned_tables
**
** The versioned tables of every database file of the connection, and what is
** wrong with them, if anything. INSERT declares a table, UPDATE changes its
** options, DELETE gives it up: as `versioned` and `unversioned` do.
**
** `status` is the first of these that applies: `table missing`, `column
** missing`, `triggers missing`, `triggers changed`, `triggers outdated` (a
** UNIQUE index or, with `except`, a column came since), `triggers broken` (a
** trigger names a table that is not there), `ok`. `versioned_repair` mends
** all but the first. A table that a newer Interlock has declared is `newer`,
** and left alone. `note` tells of what is no fault and yet worth knowing.
**
** A table is `table missing` if it was dropped; or if it was renamed and then
** rebuilt with no `versioned_repair` in between, since the triggers, which
** follow a RENAME, are gone then. `versioned_repair(its new name)`, or
** `UPDATE versioned_tables SET name = its new name`, takes the rule and the
** tombstones there; DELETE gives it up.
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

typedef struct Table Table;
typedef struct Row Row;
typedef struct Cursor Cursor;

struct Table {
  sqlite3_vtab base;
  sqlite3 *db;
};

struct Row {
  sqlite3_int64 iRowid;
  const char *azCol[TAB_COUNT];
  Row *pNext;
};

/* A scan reads everything when it starts: a row may be changed or declared
** while the next ones are read. */
struct Cursor {
  sqlite3_vtab_cursor base;
  Sqlx x;                /* owns the rows */
  Row *pRow;
};

static int xConnect(
  sqlite3 *db,
  void *pAux,
  int argc,
  const char *const *argv,
  sqlite3_vtab **ppVtab,
  char **pzErr
){
  Table *pNew;
  int rc = sqlite3_declare_vtab(db, VERSIONED_TABLES_SQL);
  (void)pAux; (void)argc; (void)argv;
  if( rc!=SQLITE_OK ){
    *pzErr = sqlite3_mprintf("%s", sqlite3_errmsg(db));
    return rc;
  }
  pNew = sqlite3_malloc64(sizeof(*pNew));
  if( pNew==0 ) return SQLITE_NOMEM;
  memset(pNew, 0, sizeof(*pNew));
  pNew->db = db;
  sqlite3_vtab_config(db, SQLITE_VTAB_DIRECTONLY);
  *ppVtab = &pNew->base;
  return SQLITE_OK;
}

static int xDisconnect(sqlite3_vtab *pVtab){
  sqlite3_free(pVtab);
  return SQLITE_OK;
}

static int xBestIndex(sqlite3_vtab *pVtab, sqlite3_index_info *pInfo){
  (void)pVtab;
  pInfo->estimatedCost = 1000000;
  pInfo->estimatedRows = 100;
  return SQLITE_OK;
}

static int xOpen(sqlite3_vtab *pVtab, sqlite3_vtab_cursor **ppCursor){
  Cursor *pNew = sqlite3_malloc64(sizeof(*pNew));
  if( pNew==0 ) return SQLITE_NOMEM;
  memset(pNew, 0, sizeof(*pNew));
  sqlxBegin(&pNew->x, ((Table*)pVtab)->db);
  *ppCursor = &pNew->base;
  return SQLITE_OK;
}

static int xClose(sqlite3_vtab_cursor *pCursor){
  Cursor *pCur = (Cursor*)pCursor;
  sqlxEnd(&pCur->x);
  sqlite3_free(pCur);
  return SQLITE_OK;
}

/* The schema and the number, as one integer. */
static sqlite3_int64 rowidOf(const StatusWalk *pWalk){
  const char *z = pWalk->entry.zNumber;
  sqlite3_int64 i = pWalk->iSchema;
  for(; z && *z; z++) i = (i<<4) | (*z<='9' ? *z-'0' : (*z-'a'+10)&15);
  return i;
}

static Row *readRow(Sqlx *p, const StatusWalk *pWalk){
  const RegistryEntry *pEntry = &pWalk->entry;
  Row *pRow = sqlxAlloc(p, sizeof(*pRow));
  if( pRow==0 ) return 0;
  pRow->iRowid = rowidOf(pWalk);
  pRow->azCol[TAB_SCHEMA] = pWalk->zSchema;
  pRow->azCol[TAB_NAME] = pEntry->zTable;
  pRow->azCol[TAB_COLUMN] = pEntry->zColumn;
  pRow->azCol[TAB_MODE] = pEntry->zMode;
  pRow->azCol[TAB_ON_STALE] = pEntry->zOnStale;
  pRow->azCol[TAB_EXCEPT] = pEntry->zExcept;
  pRow->azCol[TAB_TOMBSTONES] = pEntry->bTombstones ? "on" : "off";
  pRow->azCol[TAB_STATUS] = statusName(pWalk->status);
  pRow->azCol[TAB_NOTE] = statusNote(p, pWalk);
  return pRow;
}

static int xFilter(
  sqlite3_vtab_cursor *pCursor,
  int idxNum,
  const char *idxStr,
  int argc,
  sqlite3_value **argv
){
  Cursor *pCur = (Cursor*)pCursor;
  Sqlx *p = &pCur->x;
  Row **ppLast = &pCur->pRow;
  StatusWalk walk;
  (void)idxNum; (void)idxStr; (void)argc; (void)argv;
  sqlxEnd(p);
  sqlxBegin(p, ((Table*)pCursor->pVtab)->db);
  pCur->pRow = 0;
  statusWalkBegin(p, &walk);
  while( statusWalkNext(p, &walk) ){
    Row *pRow = readRow(p, &walk);
    if( pRow==0 ) break;
    *ppLast = pRow;
    ppLast = &pRow->pNext;
  }
  statusWalkEnd(p, &walk);
  return sqlxVtabError(p, pCursor->pVtab);
}

static int xNext(sqlite3_vtab_cursor *pCursor){
  Cursor *pCur = (Cursor*)pCursor;
  pCur->pRow = pCur->pRow->pNext;
  return SQLITE_OK;
}

static int xEof(sqlite3_vtab_cursor *pCursor){
  return ((Cursor*)pCursor)->pRow==0;
}

static int xColumn(sqlite3_vtab_cursor *pCursor, sqlite3_context *ctx, int i){
  const char *z = ((Cursor*)pCursor)->pRow->azCol[i];
  /* An UPDATE that sets it is told by this from one that does not. */
  if( i>=TAB_STATUS && sqlite3_vtab_nochange(ctx) ) return SQLITE_OK;
  if( z ) sqlite3_result_text(ctx, z, -1, SQLITE_TRANSIENT);
  return SQLITE_OK;
}

static int xRowid(sqlite3_vtab_cursor *pCursor, sqlite3_int64 *piRowid){
  *piRowid = ((Cursor*)pCursor)->pRow->iRowid;
  return SQLITE_OK;
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
** those that it does not set without their text (xColumn). */
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
  if( p->rc==SQLITE_OK ) versionedDeclare(p, &req, PLAN_STATEMENT);
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
  versionedDeclare(p, &req, PLAN_STATEMENT);
}

static void deleteRow(Sqlx *p, sqlite3_int64 iRowid){
  StatusWalk walk;
  if( !walkTo(p, iRowid, &walk) ) return;
  if( walk.status==STATUS_TABLE ){
    registryGiveUp(p, walk.zSchema, &walk.entry);
  }else{
    versionedUndeclare(p, tableOf(p, walk.zSchema, walk.entry.zTable),
                       PLAN_STATEMENT);
  }
}

/* Whether a text has the name of the table in it, in any of the ways that
** SQLite takes for one. */
static int isNamed(const char *z){
  static const char zName[] = "versioned_tables";
  const char *zEnd = z + strlen(z);
  Token t;
  for(t=tokenAt(z, zEnd); t.kind!=TOKEN_END; t=tokenNext(&t, zEnd)){
    if( tokenIsName(&t, zName) ) return 1;
    if( t.kind==TOKEN_STRING && t.n==(int)sizeof(zName)+1
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

static int xUpdate(
  sqlite3_vtab *pVtab,
  int argc,
  sqlite3_value **argv,
  sqlite3_int64 *piRowid
){
  Sqlx x;
  int rc;
  sqlxBegin(&x, ((Table*)pVtab)->db);
  checkDirect(&x);
  if( x.rc!=SQLITE_OK ){
    /* Nothing is done. */
  }else if( sqlite3_value_type(argv[0])==SQLITE_NULL ){
    insertRow(&x, &argv[2]);
    *piRowid = sqlite3_last_insert_rowid(x.db);
  }else if( argc>1 ){
    updateRow(&x, sqlite3_value_int64(argv[0]), &argv[2]);
  }else{
    deleteRow(&x, sqlite3_value_int64(argv[0]));
  }
  rc = sqlxVtabError(&x, pVtab);
  sqlxEnd(&x);
  return rc;
}

/* ---- registration ----------------------------------------------------- */

/* No xCreate: eponymous, and only so. */
static const sqlite3_module versionedTables = {
  .iVersion = 1,
  .xConnect = xConnect,
  .xBestIndex = xBestIndex,
  .xDisconnect = xDisconnect,
  .xOpen = xOpen,
  .xClose = xClose,
  .xFilter = xFilter,
  .xNext = xNext,
  .xEof = xEof,
  .xColumn = xColumn,
  .xRowid = xRowid,
  .xUpdate = xUpdate,
};

int vtabRegister(sqlite3 *db){
  return sqlite3_create_module_v2(db, "versioned_tables", &versionedTables,
                                  0, 0);
}

/* After a failed load: leave nothing that points into the library. */
void vtabUnregister(sqlite3 *db){
  sqlite3_create_module_v2(db, "versioned_tables", 0, 0, 0);
}
