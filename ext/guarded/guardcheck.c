/* SPDX-License-Identifier: 0BSD */
/*
** What the triggers of guarded tables call. See guardcheck.h. The triggers, and
** why each exists, are in sql/guarded/.
**
** A guard works in both directions. The first guarded write of a transaction
** makes its session the active writer of the file, before anything is looked
** up. From then to the end of the transaction no other session is granted a row
** or a table of the file. The locks that other sessions hold already are looked
** up for each row. So as long as no session has locked the table, reading one
** word suffices: its answer stays true to the end of the transaction.
**
** A connection finds out once a transaction what it must know of a guarded
** table: in which of its files the table is, by the id that the triggers pass;
** whether the table still has the name that they pass; and its session in that
** file. It keeps the statement that reads the number of the schema.
*/
#include <string.h>
#include "guarded/guardcheck.h"
#include "sqlite/args.h"
#include "session/lockerror.h"
#include "session/rowkey.h"
#include "schema/tableinfo.h"
SQLITE_EXTENSION_INIT3

/* A key that a statement may be about to write, and that another session has
** locked. */
typedef struct Victim Victim;
struct Victim {
  LockKey key;
  sqlite3_value **apVal;   /* its values, as many as the table's key has */
  int nVal;
  u64 uRow;                /* rowDigest() at the time when it was noted */
  Victim *pNext;
};

/* A guarded table, as its triggers name it. */
typedef struct Guard Guard;
struct Guard {
  char *zNumber, *zFile, *zTable;
  u64 iTransaction;        /* the transaction in which all of this is true */
  u64 uAttached;           /* attachedFiles() at that time */
  sqlite3_int64 iCookie;   /* the schema's number when it was read; -1 before */
  char *zSchema;
  sqlite3_stmt *pCookie;   /* kept: reads that number in zSchema */
  FileSession *pFs;
  Sqlx mem;                /* owns what tab points to */
  RowkeyTable tab;
  Victim *pVictim;         /* of this transaction */
  Guard *pNext;
};

/* ---- memory ----------------------------------------------------------- */

static void freeVictim(Victim *p){
  while( p->apVal && p->nVal>0 ) sqlite3_value_free(p->apVal[--p->nVal]);
  sqlite3_free(p->apVal);
  sqlite3_free(p);
}

/* Returns NULL if not all values of the key could be copied: a victim in the
** list is looked for by its key. */
static Victim *newVictim(int nKey, sqlite3_value **apKey){
  Victim *p = sqlite3_malloc64(sizeof(*p));
  if( p==0 ) return 0;
  memset(p, 0, sizeof(*p));
  p->apVal = sqlite3_malloc64((sqlite3_uint64)nKey*sizeof(sqlite3_value*));
  while( p->apVal && p->nVal<nKey
      && (p->apVal[p->nVal] = sqlite3_value_dup(apKey[p->nVal]))!=0 ){
    p->nVal++;
  }
  if( p->nVal==nKey ) return p;
  freeVictim(p);
  return 0;
}

static void freeVictims(Guard *g){
  while( g->pVictim ){
    Victim *p = g->pVictim;
    g->pVictim = p->pNext;
    freeVictim(p);
  }
}

static void closeGuard(Guard *g){
  freeVictims(g);
  sqlite3_finalize(g->pCookie);
  sqlxEnd(&g->mem);
  sqlite3_free(g->zNumber);
  sqlite3_free(g->zFile);
  sqlite3_free(g->zTable);
  sqlite3_free(g->zSchema);
  sqlite3_free(g);
}

static void closeGuards(void *pGuards){
  Guard *g = (Guard*)pGuards;
  while( g ){
    Guard *pNext = g->pNext;
    closeGuard(g);
    g = pNext;
  }
}

/* The connection is being closed, or may be: the statements go. */
static void closingGuards(void *pGuards){
  Guard *g;
  for(g=(Guard*)pGuards; g; g=g->pNext){
    sqlite3_finalize(g->pCookie);
    g->pCookie = 0;
  }
}

static void commitGuards(void *pGuards, Connection *p, Sqlx *x);
static const ConnectionGuards guardEvents = {
  commitGuards, closingGuards, closeGuards
};

static Guard *newGuard(Sqlx *x, const char *const *az){
  Guard *g = sqlite3_malloc64(sizeof(*g));
  if( g ){
    memset(g, 0, sizeof(*g));
    sqlxBegin(&g->mem, x->db);
    g->iCookie = -1;
    g->zNumber = sqlite3_mprintf("%s", az[0]);
    g->zFile = sqlite3_mprintf("%s", az[1]);
    g->zTable = sqlite3_mprintf("%s", az[2]);
    if( g->zNumber && g->zFile && g->zTable ) return g;
    closeGuard(g);
  }
  if( x->rc==SQLITE_OK ) x->rc = SQLITE_NOMEM;
  return 0;
}

static u64 digestBytes(u64 u, const void *pData, int n){
  const u8 *p = pData;
  int i;
  for(i=0; i<n; i++) u = (u ^ p[i])*1099511628211u;
  return u;
}

/* ---- which file ------------------------------------------------------- */

/*
** SQL ERROR guard broken:
**
** The guard of a table that is written cannot tell which locks it must
** respect. The table was renamed, or its file is attached twice (two copies of
** one file, or a copy beside its original), or a trigger was made by hand. The
** write is refused, and the text says why.
**
** Code: SQLITE_ERROR
** Retry: nothing
** Cure: after a RENAME, `SELECT guarded('its new name')`; DETACH one of the
**   copies, or `unguarded` and `guarded` the tables of one
*/
static void failGuard(Sqlx *x, const char *zTable, const char *zWhy){
  sqlxFail(x, SQLITE_ERROR, "guard broken: %s %s", zTable, zWhy);
}

/* Whether the registry of a schema has this id of a file. */
static int hasFile(Sqlx *x, const char *zSchema, const char *zFile){
  return tableinfoOwn(x, zSchema, "interlock_guarded")
      && sqlxExists(x, "SELECT 1 FROM \"%w\".interlock_guarded WHERE file=%Q",
                    zSchema, zFile);
}

/* Whether there is no file but main. Before SQLite 3.39 it is not known. */
static int isAlone(sqlite3 *db){
#if SQLITE_VERSION_NUMBER>=3039000
  return sqlite3_libversion_number()>=3039000 && sqlite3_db_name(db, 2)==0;
#else
  (void)db;
  return 0;
#endif
}

/*
** Returns the schema whose triggers are running. With one file it is main. With
** several it is the one that has a registry. Only if more than one has, the
** registries are read: that begins a transaction on each file.
*/
static const char *schemaOfGuard(Sqlx *x, Guard *g){
  const char **az, *zFound = 0;
  int i, nFile = 0, nRegistry = 0;
  if( isAlone(x->db) ) return "main";
  az = sqlxSchemas(x);
  for(i=0; az && az[i]; i++){
    if( sqlite3_stricmp(az[i], "temp")==0 ) continue;
    nFile++;
    if( !sqlxTable(x, az[i], "interlock_guarded") ) az[i] = "temp";
    else nRegistry++;
  }
  if( nFile==1 ) return "main";
  for(i=0; az && az[i]; i++){
    if( sqlite3_stricmp(az[i], "temp")==0 ) continue;
    if( nRegistry>1 && !hasFile(x, az[i], g->zFile) ) continue;
    if( zFound ){
      failGuard(x, g->zTable, sqlxPrintf(x, "can be of %s and of %s: they are"
          " copies of one file", zFound, az[i]));
    }
    zFound = az[i];
  }
  if( zFound==0 && x->rc==SQLITE_OK ){
    failGuard(x, g->zTable, "is of a file that is not attached");
  }
  return zFound;
}

/* Notes the schema whose triggers are running. What was known of another one is
** forgotten. */
static void takeSchema(Sqlx *x, Guard *g, const char *zSchema){
  char *zCopy;
  if( g->zSchema && strcmp(zSchema, g->zSchema)==0 ) return;
  zCopy = sqlite3_mprintf("%s", zSchema);
  if( zCopy==0 ){
    x->rc = SQLITE_NOMEM;
    return;
  }
  sqlite3_finalize(g->pCookie);
  sqlite3_free(g->zSchema);
  g->pCookie = 0;
  g->iCookie = -1;
  g->zSchema = zCopy;
}

/* Compiles a statement that outlives this call; NULL with the error. */
static sqlite3_stmt *cookieStatement(Sqlx *x, const char *zSchema){
  const char *zSql = sqlxPrintf(x, "PRAGMA \"%w\".schema_version", zSchema);
  sqlite3_stmt *pStmt = 0;
  int rc;
  if( zSql==0 ) return 0;
  rc = sqlite3_prepare_v3(x->db, zSql, -1, SQLITE_PREPARE_PERSISTENT, &pStmt,
                          0);
  if( rc!=SQLITE_OK ) sqlxFail(x, rc, "%s", sqlite3_errmsg(x->db));
  return pStmt;
}

/* The number of the guard's schema, by a statement that is kept. Where the
** close of the connection is not seen, which a kept statement would prevent, it
** is compiled each time. */
static sqlite3_int64 schemaCookie(Connection *p, Sqlx *x, Guard *g){
  sqlite3_int64 i = -1;
  if( g->pCookie==0 ) g->pCookie = cookieStatement(x, g->zSchema);
  if( sqlxStep(x, g->pCookie) ) i = sqlite3_column_int64(g->pCookie, 0);
  sqlite3_reset(g->pCookie);
  if( x->rc!=SQLITE_OK || !txnscopeSeesClose(connectionScope(p), x) ){
    sqlite3_finalize(g->pCookie);
    g->pCookie = 0;
  }
  return i;
}

/* Reads from the schema what the guard must know of its table. */
static void readTable(Sqlx *x, Guard *g){
  const char *zSchema = g->zSchema;
  if( !sqlxExists(x, "SELECT 1 FROM \"%w\".sqlite_master WHERE type='trigger'"
      " AND name='interlock_%q_update' AND tbl_name=%Q COLLATE NOCASE",
      zSchema, g->zNumber, g->zTable) && x->rc==SQLITE_OK ){
    failGuard(x, g->zTable, "has another name now; call guarded() with that");
    return;
  }
  if( !tableinfoIsOrdinary(x, zSchema, g->zTable) && x->rc==SQLITE_OK ){
    failGuard(x, g->zTable, "is no ordinary table");
    return;
  }
  sqlxEnd(&g->mem);
  sqlxBegin(&g->mem, x->db);
  if( rowkeyTable(&g->mem, sqlxPrintf(&g->mem, "\"%w\".\"%w\"", zSchema,
                                      g->zTable), &g->tab) ){
    rowkeyRead(&g->mem, &g->tab);
  }
  if( g->mem.rc==SQLITE_NOMEM && x->rc==SQLITE_OK ) x->rc = SQLITE_NOMEM;
  if( g->mem.rc!=SQLITE_OK ){
    sqlxFail(x, g->mem.rc, "%s", sqlxErrorText(&g->mem));
  }
}

/* Returns a digest of the names and files of all attached schemas, 0 if there
** is none: a file that was attached since can be a copy. Before SQLite 3.39 it
** is always 0: to ask for each row costs as much as the row. */
static u64 attachedFiles(sqlite3 *db){
  u64 u = 0;
#if SQLITE_VERSION_NUMBER>=3039000
  const char *zName;
  int i;
  if( sqlite3_libversion_number()<3039000 ) return 0;
  for(i=2; (zName = sqlite3_db_name(db, i))!=0; i++){
    const char *zFile = sqlite3_db_filename(db, zName);
    u = digestBytes(u+1, zName, (int)strlen(zName)+1);
    if( zFile ) u = digestBytes(u, zFile, (int)strlen(zFile));
  }
#else
  (void)db;
#endif
  return u;
}

/* Prepares the guard for a transaction. The schema is read again if it has
** changed since: a RENAME does not rewrite literals in triggers. */
static void beginGuard(Connection *p, Sqlx *x, Guard *g){
  const char *zSchema = schemaOfGuard(x, g);
  sqlite3_int64 iCookie;
  g->iTransaction = 0;
  g->uAttached = attachedFiles(x->db);
  freeVictims(g);
  if( zSchema==0 || x->rc!=SQLITE_OK ) return;
  if( sqlite3_txn_state(x->db, zSchema)!=SQLITE_TXN_WRITE
   || !txnscopeFollows(connectionScope(p)) ){
    failGuard(x, g->zTable, "is not being written");
    return;
  }
  takeSchema(x, g, zSchema);
  if( x->rc!=SQLITE_OK ) return;
  iCookie = schemaCookie(p, x, g);
  if( x->rc!=SQLITE_OK ) return;
  if( iCookie!=g->iCookie ){
    g->iCookie = -1;
    readTable(x, g);
  }
  g->pFs = connectionFile(p, x, zSchema);
  if( g->pFs==0 || !connectionWriter(x, g->pFs) ) return;
  if( x->rc==SQLITE_OK ){
    g->iCookie = iCookie;
    g->iTransaction = connectionTransaction(p);
  }
}

/* Returns the guard of a table and moves it to the front of the list. Makes a
** new one if its triggers call for the first time, or pass another name. */
static Guard *findGuard(Connection *p, Sqlx *x, const char *const *az){
  Guard *pFirst = connectionGuards(p), *g;
  Guard **pp = &pFirst;
  while( (g = *pp)!=0
      && (strcmp(g->zNumber, az[0])!=0 || strcmp(g->zFile, az[1])!=0) ){
    pp = &g->pNext;
  }
  if( g && strcmp(g->zTable, az[2])==0 ){
    if( pp==&pFirst ) return g;
    *pp = g->pNext;
  }else{
    if( g ){
      *pp = g->pNext;
      closeGuard(g);
    }
    g = newGuard(x, az);
  }
  if( g ){
    g->pNext = pFirst;
    pFirst = g;
  }
  connectionSetGuards(p, pFirst, &guardEvents);
  return g;
}

/* Returns the guard that the arguments name, prepared for this transaction;
** NULL with an error. */
static Guard *guardOf(Connection *p, Sqlx *x, int nArg, sqlite3_value **apArg){
  const char *az[3];
  Guard *g;
  int i;
  if( nArg<3 ){
    sqlxBad(x, "%d given; allowed is what the triggers of a guarded table give",
            nArg);
    return 0;
  }
  for(i=0; i<3; i++){
    az[i] = 0;
    if( sqlite3_value_type(apArg[i])==SQLITE_TEXT
     && sqlite3_value_bytes(apArg[i])<=ARGS_TEXT_MAX ){
      az[i] = (const char*)sqlite3_value_text(apArg[i]);
    }
    if( az[i]==0 ) az[i] = "";
  }
  g = findGuard(p, x, az);
  if( g && (g->iTransaction!=connectionTransaction(p)
         || g->uAttached!=attachedFiles(x->db)) ){
    beginGuard(p, x, g);
  }
  return x->rc==SQLITE_OK ? g : 0;
}

/* ---- locks of others -------------------------------------------------- */

/*
** SQL ERROR row locked:
**
** Another session has locked the row of a guarded table that is written. The
** text names the row, the session and its process. Nothing of the statement
** has happened; the transaction goes on.
**
** Code: SQLITE_LOCKED
** Retry: the transaction, after ROLLBACK; or the statement, later
** Cure: lock the row first (`row_lock`), in a transaction that has not begun
**   to read or write: the function waits until the row is free
*/

/*
** SQL ERROR table locked:
**
** Another session has locked the table, exclusively or shared; otherwise as
** `row locked:`.
**
** Code: SQLITE_LOCKED
** Retry: the transaction, after ROLLBACK; or the statement, later
** Cure: lock the table first (`table_lock`), in a transaction that has not
**   begun to read or write
*/
static void failLocked(Sqlx *x, const Guard *g, const LockKey *pKey){
  const LockTrouble *pTrouble = lockTrouble(g->pFs->pLock);
  sqlxFail(x, SQLITE_LOCKED, pKey->eKind==KEY_TABLE
      ? "table locked: %s: session %lld, pid %u"
      : "row locked: %s: session %lld, pid %u", lockkeyText(x, pKey),
      (sqlite3_int64)pTrouble->iBlocker, pTrouble->iPid);
}

/* Returns which of the two keys, either of which may be NULL, another session
** has locked against this write. NULL if neither is locked, and after an
** error. */
static const LockKey *lockedOf(
  Sqlx *x,
  const Guard *g,
  const LockKey *pTable,
  const LockKey *pRow
){
  LockFailure failure = { 0, 0, 0, WAITING_ALLOWED, 0, 0 };
  const LockKey *pHeld;
  LockRc eRc = lockGuard(g->pFs->pLock, pTable, pRow, &pHeld);
  if( eRc==LOCK_NO ) return pHeld;
  if( eRc!=LOCK_OK ){
    failure.pFs = g->pFs;
    lockerrorSet(x, eRc, &failure);
  }
  return 0;
}

/* Makes the key of a row. Returns 0 if no session can hold a lock on it: a key
** that contains a NULL identifies no row, and one that is too long for the lock
** file cannot be locked. */
static int rowOfGuard(
  Sqlx *x,
  const Guard *g,
  int nKey,
  sqlite3_value **apKey,
  LockKey *pKey
){
  int i;
  if( g->tab.nCol==0 ) return 0;
  for(i=0; i<nKey; i++){
    if( sqlite3_value_type(apKey[i])==SQLITE_NULL ) return 0;
  }
  return rowkeyLockable(x, &g->tab, nKey, apKey, pKey);
}

/* ---- rows that are replaced ------------------------------------------- */

static u64 digestColumn(u64 u, sqlite3_stmt *pStmt, int iCol){
  int eType = sqlite3_column_type(pStmt, iCol);
  u = digestBytes(u, &eType, sizeof(eType));
  if( eType==SQLITE_INTEGER ){
    sqlite3_int64 i = sqlite3_column_int64(pStmt, iCol);
    return digestBytes(u, &i, sizeof(i));
  }
  if( eType==SQLITE_FLOAT ){
    double r = sqlite3_column_double(pStmt, iCol);
    return digestBytes(u, &r, sizeof(r));
  }
  if( eType!=SQLITE_NULL ){
    const void *pData = sqlite3_column_blob(pStmt, iCol);
    int n = sqlite3_column_bytes(pStmt, iCol);
    u = digestBytes(u, &n, sizeof(n));
    u = digestBytes(u, pData, pData ? n : 0);
  }
  return u;
}

/* Returns a digest of the row under a key, 0 if there is none. The key compares
** by its own collation, which may distinguish what the column's does not. */
static u64 rowDigest(Sqlx *x, const Guard *g, const Victim *pVictim){
  static const char *const azColl[] = { "BINARY", "NOCASE", "RTRIM" };
  sqlite3_str *pStr = sqlite3_str_new(x->db);
  sqlite3_stmt *pStmt;
  u64 u = 0;
  int i;
  for(i=0; i<pVictim->nVal; i++){
    const RowkeyColumn *pCol = &g->tab.aCol[i];
    sqlite3_str_appendf(pStr, "%s\"%w\" IS ?%d COLLATE %s", i ? " AND " : "",
                        pCol->zName, i+1, azColl[pCol->eColl]);
  }
  pStmt = sqlxPrepare(x, "SELECT * FROM \"%w\".\"%w\" WHERE %s", g->zSchema,
                      g->zTable, sqlxText(x, pStr));
  for(i=0; i<pVictim->nVal && pStmt && x->rc==SQLITE_OK; i++){
    x->rc = sqlite3_bind_value(pStmt, i+1, pVictim->apVal[i]);
  }
  if( sqlxStep(x, pStmt) ){
    u = 14695981039346656037u;
    for(i=0; i<sqlite3_column_count(pStmt); i++){
      u = digestColumn(u, pStmt, i);
    }
    if( u==0 ) u = 1;
  }
  sqlxFinalize(x, pStmt);
  return u;
}

/*
** Refuses the write if it has replaced a row that another session has locked,
** or put a row under a key that another session has locked. A row that has not
** changed since it was noted was not written: there was an OR IGNORE, an
** UPSERT, an error, or a ROLLBACK TO.
*/
static void checkVictims(Sqlx *x, const Guard *g){
  const Victim *p;
  for(p=g->pVictim; p && x->rc==SQLITE_OK; p=p->pNext){
    if( rowDigest(x, g, p)==p->uRow || x->rc!=SQLITE_OK ) continue;
    if( lockedOf(x, g, 0, &p->key) ) failLocked(x, g, &p->key);
  }
}

/*
** Called before a COMMIT. A trigger of the user's can have skipped the guard
** that had to look at the noted keys. An error here rolls the transaction back.
*/
static void commitGuards(void *pGuards, Connection *p, Sqlx *x){
  const Guard *g;
  for(g=pGuards; g && x->rc==SQLITE_OK; g=g->pNext){
    if( g->pVictim && g->iTransaction==connectionTransaction(p)
     && !lockGuardFree(g->pFs->pLock, &g->tab.key) ) checkVictims(x, g);
  }
}

static void noteVictim(
  Sqlx *x,
  Guard *g,
  int nKey,
  sqlite3_value **apKey,
  const LockKey *pKey
){
  Victim *p;
  for(p=g->pVictim; p; p=p->pNext){
    if( p->key.nKey==pKey->nKey && memcmp(p->key.a, pKey->a, pKey->nKey)==0 ){
      return;
    }
  }
  p = newVictim(nKey, apKey);
  if( p==0 ){
    if( x->rc==SQLITE_OK ) x->rc = SQLITE_NOMEM;
    return;
  }
  p->key = *pKey;
  p->uRow = rowDigest(x, g, p);
  if( x->rc!=SQLITE_OK ){
    freeVictim(p);
    return;
  }
  p->pNext = g->pVictim;
  g->pVictim = p;
}

/* ---- the functions ---------------------------------------------------- */

/*
** SQL FUNCTION interlock_guard(number, file, table [, key...])
** SQL FUNCTION interlock_guard_victim(number, file, table, key...)
**
** Called by the triggers of a guarded table; called elsewhere, both functions
** fail. The first refuses the row with this key if another session has locked
** the row or the table. Without a key it refuses only if another session has
** locked the table, and returns whether the trigger must note the keys of rows
** that the statement may replace or add. The second notes one such key.
**
** Arguments:
**   number  TEXT  in the names of the triggers
**   file    TEXT  the id that guarded() gave to the database file
**   table   TEXT  the table's name
**   key     ANY   of the row
** Result: INTEGER 0; without a key 1 if a session may have locked the table or
**   a row of it
** Errors:
**   `row locked:` SQLITE_LOCKED
**   `table locked:` SQLITE_LOCKED
**   `guard broken:` SQLITE_ERROR
**   `lock file:` SQLITE_ERROR, SQLITE_CANTOPEN or SQLITE_BUSY
**   `lock table full:` SQLITE_ERROR
**   `forked connection:` SQLITE_ERROR
** From: Interlock
** Example:
**   SELECT interlock_guard('3f9a01c2', '8c7d1e00aa51b3f4', 'account', 42);
**   -- error: guard broken: account is not being written
**   SELECT interlock_guard_victim('3f9a01c2', '8c7d1e00aa51b3f4', 'seat', 1);
**   -- error: guard broken: seat is not being written
*/
static void guardRow(Sqlx *x, Guard *g, int nKey, sqlite3_value **apKey){
  LockKey key;
  int bRow = rowOfGuard(x, g, nKey, apKey, &key);
  const LockKey *pHeld;
  if( x->rc!=SQLITE_OK || !connectionWriter(x, g->pFs) ) return;
  pHeld = lockedOf(x, g, &g->tab.key, bRow ? &key : 0);
  if( pHeld ) failLocked(x, g, pHeld);
  else if( g->pVictim ) checkVictims(x, g);
}

/* Returns 1: a row of the table may be locked. */
static int guardTable(Sqlx *x, Guard *g){
  const LockKey *pHeld = lockedOf(x, g, &g->tab.key, 0);
  if( pHeld ) failLocked(x, g, pHeld);
  return 1;
}

static void guardFunc(sqlite3_context *ctx, int nArg, sqlite3_value **apArg){
  const FunctionCall *pCall = sqlite3_user_data(ctx);
  Guard *g;
  Sqlx x;
  int bMay = 0;
  sqlxBegin(&x, sqlite3_context_db_handle(ctx));
  g = guardOf(pCall->pConn, &x, nArg, apArg);
  if( g && !lockGuardFree(g->pFs->pLock, &g->tab.key) ){
    if( nArg==3 ) bMay = guardTable(&x, g);
    else guardRow(&x, g, nArg-3, &apArg[3]);
  }
  argsEndInteger(&x, ctx, bMay);
}

static void victimFunc(sqlite3_context *ctx, int nArg, sqlite3_value **apArg){
  const FunctionCall *pCall = sqlite3_user_data(ctx);
  LockKey key;
  Guard *g;
  Sqlx x;
  sqlxBegin(&x, sqlite3_context_db_handle(ctx));
  g = guardOf(pCall->pConn, &x, nArg, apArg);
  if( g && rowOfGuard(&x, g, nArg-3, &apArg[3], &key)
   && connectionWriter(&x, g->pFs) && lockedOf(&x, g, 0, &key) ){
    noteVictim(&x, g, nArg-3, &apArg[3], &key);
  }
  argsEndInteger(&x, ctx, 0);
}

static const Function aGuardcheck[] = {
  { "interlock_guard", FUNCTION_ANY, guardFunc,
    { FUNCTION_INNOCUOUS, 0, 0, 0 } },
  { "interlock_guard_victim", FUNCTION_ANY, victimFunc,
    { FUNCTION_INNOCUOUS, 0, 0, 0 } },
};

FunctionList guardcheckFunctions(void){
  FunctionList t = {
    aGuardcheck, sizeof(aGuardcheck)/sizeof(aGuardcheck[0])
  };
  return t;
}
