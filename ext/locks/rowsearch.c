/* SPDX-License-Identifier: 0BSD */
/*
** A search for rows of a table that are to be locked. See rowsearch.h.
*/
#include <stdlib.h>
#include <string.h>
#include "locks/rowsearch.h"
#include "sqlite/args.h"
#include "sqlite/json.h"
#include "sqlite/sqltoken.h"
#include "session/waiting.h"
SQLITE_EXTENSION_INIT3

#define KEYS_KEPT 100          /* read before their memory is freed */
#define ROWSEARCH_BEHIND ((sqlite3_int64)1<<40)  /* no pass has so many rows */

/* ---- arguments -------------------------------------------------------- */

const char *rowsearchText(Sqlx *x, sqlite3_value *pVal, const char *zWhat){
  const char *z;
  if( sqlite3_value_type(pVal)==SQLITE_NULL ) return 0;
  if( sqlite3_value_type(pVal)!=SQLITE_TEXT ){
    sqlxBad(x, "%s is %s; allowed are TEXT and NULL", zWhat, argsType(pVal));
    return 0;
  }
  z = (const char*)sqlite3_value_text(pVal);
  if( z==0 ){
    if( x->rc==SQLITE_OK ) x->rc = SQLITE_NOMEM;
  }else if( strlen(z)!=(size_t)sqlite3_value_bytes(pVal) ){
    sqlxBad(x, "%s is cut by a NUL character", zWhat);
  }else if( sqltokenIsBlank(z) ){
    sqlxBad(x, "%s is empty; allowed are SQL and NULL", zWhat);
  }
  return z;
}

/* The result is JSON, which has no BLOBs. */
static void refuseBlobs(Sqlx *x, const RowkeyTable *pTab){
  int i;
  for(i=0; i<pTab->nCol; i++){
    const RowkeyColumn *pCol = &pTab->aCol[i];
    if( pCol->zAffinity[0] || sqlite3_strlike("%BLOB%", pCol->zType, 0)!=0 ){
      continue;
    }
    sqlxBad(x, "%s, of the key of table %s, is a BLOB; allowed are INTEGER,"
               " REAL and TEXT", pCol->zName, pTab->zName);
  }
}

void rowsearchTable(Rowsearch *p, sqlite3_value *pName){
  Sqlx *x = p->x;
  if( x->rc!=SQLITE_OK ) return;
  p->pKnown = knowntableRef(connectionTables(p->pCall->pConn), x,
                            argsText(x, pName, "table"), 1);
  if( p->pKnown==0 ) return;
  p->pTab = &p->pKnown->tab;
  refuseBlobs(x, p->pTab);
}

/* ---- snapshots -------------------------------------------------------- */

static void failSnapshot(Rowsearch *p, const char *zWhy){
  int bTxn = p->req.eScope==LOCK_SCOPE_TRANSACTION;
  sqlxFail(p->x, SQLITE_BUSY, "lock wait refused: %s has to read twice, and %s:"
      " call it %safter BEGIN IMMEDIATE", p->pCall->pThis->zName, zWhy,
      bTxn ? "" : "with no transaction open, or ");
}

#define WHY_STATEMENT \
  "this statement or an open one (a cursor not read to its end, json_each or" \
  " any table in FROM) keeps what it reads first"

/*
** Refuses a call if a read of the table would not end with its statement. It
** ends if there is no BEGIN and no other statement of the connection reads any
** file. In a transaction that writes the table's file a read need not end.
*/
static int askSnapshot(Rowsearch *p){
  sqlite3 *db = p->x->db;
  int eState;
  if( p->x->rc!=SQLITE_OK ) return 0;
  eState = sqlite3_txn_state(db, p->pTab->zSchema);
  p->bNewest = eState==SQLITE_TXN_WRITE;
  if( p->req.eScope==LOCK_SCOPE_TRANSACTION && sqlite3_get_autocommit(db) ){
    sqlxFail(p->x, SQLITE_ERROR, "no transaction: %s needs BEGIN",
             p->req.zName);
  }else if( p->bNewest ){
    return 1;
  }else if( !sqlite3_get_autocommit(db) ){
    failSnapshot(p, sqlxPrintf(p->x, "this transaction, which has not written"
        " %s, keeps what it reads first", p->pTab->zSchema));
  }else if( sqlite3_txn_state(db, 0)!=SQLITE_TXN_NONE ){
    failSnapshot(p, WHY_STATEMENT);
  }
  return p->x->rc==SQLITE_OK;
}

/* Refuses the call if the search has not ended its read. A statement that opens
** no transaction can prevent this as well, such as a PRAGMA journal_mode or an
** EXPLAIN that was not read to its end. */
static void askEnded(Rowsearch *p){
  if( p->x->rc==SQLITE_OK && !p->bNewest
   && sqlite3_txn_state(p->x->db, p->pTab->zSchema)!=SQLITE_TXN_NONE ){
    failSnapshot(p, WHY_STATEMENT);
  }
}

/* ---- the two statements ----------------------------------------------- */

/* Makes an error that the caller's text has caused a `bad argument:`, zWhat. */
static void blame(Sqlx *x, const char *zWhat){
  const char *zText;
  if( x->rc!=SQLITE_ERROR ) return;
  zText = sqlxErrorText(x);
  sqlxClear(x);
  sqlxBad(x, "%s: %s", zWhat, zText);
}

/* The caller's text in brackets. A text that would close these is an error. */
static const char *bracketed(Sqlx *x, const char *zText, const char *zWhat){
  const char *z = sqlxPrintf(x, "(\n%s\n)", zText);
  const char *zEnd = z + strlen(z);
  SqlToken t = sqltokenAt(z, zEnd);
  if( x->rc==SQLITE_OK && sqltokenClose(&t, zEnd)!=zEnd-1 ){
    sqlxBad(x, "%s: brackets, quotes or comments do not end in it", zWhat);
  }
  return z;
}

/* Compiles a statement, which must be one that only reads. */
static sqlite3_stmt *prepareRead(Sqlx *x, const char *zSql, const char *zWhat){
  sqlite3_stmt *pStmt = 0;
  const char *zTail = "";
  int rc;
  if( x->rc!=SQLITE_OK ) return 0;
  rc = sqlite3_prepare_v2(x->db, zSql, -1, &pStmt, &zTail);
  if( rc==SQLITE_NOMEM ) x->rc = rc;
  if( rc!=SQLITE_OK ) sqlxFail(x, rc, "%s", sqlite3_errmsg(x->db));
  blame(x, zWhat);
  if( x->rc==SQLITE_OK && (zTail[0] || !sqlite3_stmt_readonly(pStmt)) ){
    sqlxBad(x, "%s is more than one expression", zWhat);
  }
  return pStmt;
}

/* The columns of the key: their names, their names to order by, or a condition
** on each. The collations are those of the index that keeps the key unique. */
enum { KEY_NAMES, KEY_ORDER, KEY_CONDITION };
static const char *keyList(Rowsearch *p, int eWhat){
  static const char *const azColl[] = { "BINARY", "NOCASE", "RTRIM" };
  const char *zBetween = eWhat==KEY_CONDITION ? " AND " : ", ";
  sqlite3_str *pStr = sqlite3_str_new(p->x->db);
  int i;
  for(i=0; i<p->pTab->nCol; i++){
    const RowkeyColumn *pCol = &p->pTab->aCol[i];
    if( i ) sqlite3_str_appendall(pStr, zBetween);
    sqlite3_str_appendf(pStr, "\"%w\".\"%w\"", p->pTab->zName, pCol->zName);
    if( eWhat==KEY_NAMES ) continue;
    if( !p->pTab->bRowid ){
      sqlite3_str_appendf(pStr, " COLLATE %s", azColl[pCol->eColl]);
    }
    if( eWhat==KEY_CONDITION ){
      sqlite3_str_appendf(pStr, " = ?%d", p->nValue + i + 1);
    }
  }
  return sqlxText(p->x, pStr);
}

static void bindValues(Sqlx *x, sqlite3_stmt *pStmt, int iFirst, int n,
                       sqlite3_value **ap){
  int i, rc = SQLITE_OK;
  for(i=0; i<n && rc==SQLITE_OK && x->rc==SQLITE_OK; i++){
    rc = sqlite3_bind_value(pStmt, iFirst+i, ap[i]);
  }
  if( rc!=SQLITE_OK && x->rc==SQLITE_OK ) x->rc = rc;
}

/* ORDER BY, or nothing. A text of the caller's stands on lines of its own: it
** can end in a comment. */
static const char *orderBy(Rowsearch *p){
  if( p->bKeyOrder ){
    return sqlxPrintf(p->x, " ORDER BY %s", keyList(p, KEY_ORDER));
  }
  if( p->zOrder==0 ) return "";
  bracketed(p->x, p->zOrder, "order by");
  return sqlxPrintf(p->x, " ORDER BY\n%s", p->zOrder);
}

/* With LIMIT in the statement, a LIMIT in the caller's text is an error. */
static void prepareBoth(Rowsearch *p, sqlite3_stmt **apStmt){
  Sqlx *x = p->x;
  const char *zFrom = sqlxPrintf(x, "\"%w\".\"%w\"", p->pTab->zSchema,
                                 p->pTab->zName);
  const char *zWhere = p->zWhere ? bracketed(x, p->zWhere, "where") : "1";
  const char *zOrder = orderBy(p);
  int n;
  apStmt[1] = prepareRead(x, sqlxPrintf(x, "SELECT 1 FROM %s WHERE %s AND %s",
      zFrom, zWhere, keyList(p, KEY_CONDITION)), "where");
  apStmt[0] = prepareRead(x, sqlxPrintf(x, "SELECT %s FROM %s WHERE %s%s\n"
      "LIMIT -1", keyList(p, KEY_NAMES), zFrom, zWhere, zOrder), "order by");
  if( x->rc!=SQLITE_OK ) return;
  n = sqlite3_bind_parameter_count(apStmt[0]);
  if( n!=p->nValue ){
    sqlxBad(x, "%d values; %s %d", p->nValue,
            p->bKeyOrder ? "where has" : "where and order by have", n);
  }
}

/* Takes the two statements that an earlier call has given back, or compiles
** them. */
static void takeBoth(Rowsearch *p){
  int n;
  p->pQuery = knowntableTake(p->pKnown, p->x, sqlxPrintf(p->x, "%d %d %Q %Q",
      p->bKeyOrder, p->nValue, p->zWhere, p->zOrder));
  if( p->pQuery==0 ) return;
  if( p->pQuery->apStmt[0]==0 ) prepareBoth(p, p->pQuery->apStmt);
  p->pSearch = p->pQuery->apStmt[0];
  p->pAgain = p->pQuery->apStmt[1];
  if( p->x->rc!=SQLITE_OK ) return;
  p->nPrepared = sqlxReprepared(p->pSearch);
  bindValues(p->x, p->pSearch, 1, p->nValue, p->apValue);
  n = sqlite3_bind_parameter_count(p->pAgain) - p->pTab->nCol;
  bindValues(p->x, p->pAgain, 1, n, p->apValue);
}

/* Keeps them for the next call, unless there was an error. */
static void giveBoth(Rowsearch *p){
  p->pSearch = p->pAgain = 0;
  if( p->x->rc==SQLITE_OK && !p->bChanged ){
    knowntableGive(p->pKnown, p->pQuery);
  }else{
    knowntableEnd(p->pQuery);
  }
}

/* ---- rows ------------------------------------------------------------- */

/* Room for one more row; NULL with an error. */
static RowsearchRow *nextRow(Rowsearch *p){
  RowsearchRow *pRow;
  if( p->nRow==p->mxRow ){
    RowsearchRow *aNew = sqlxGrow(p->x, p->aRow, p->nRow, sizeof(*pRow));
    if( aNew==0 ) return 0;
    p->aRow = aNew;
    p->mxRow = p->nRow<4 ? 4 : 2*p->nRow;
  }
  pRow = &p->aRow[p->nRow];
  pRow->apVal = 0;
  pRow->grant.iRecord = 0;
  return pRow;
}

static void freeValues(Rowsearch *p, RowsearchRow *pRow){
  int i;
  for(i=0; i<p->pTab->nCol && pRow->apVal; i++){
    sqlite3_value_free(pRow->apVal[i]);
  }
  pRow->apVal = 0;
}

/* Must be called after each key that was made in rowMem: passes its error on,
** and frees the memory of KEYS_KEPT rows. */
static void passRowMem(Rowsearch *p){
  if( p->rowMem.rc==SQLITE_NOMEM ){
    if( p->x->rc==SQLITE_OK ) p->x->rc = SQLITE_NOMEM;
  }else if( p->rowMem.rc!=SQLITE_OK ){
    sqlxFail(p->x, p->rowMem.rc, "%s", sqlxErrorText(&p->rowMem));
  }
  if( p->rowMem.rc==SQLITE_OK && ++p->nRowMem<KEYS_KEPT ) return;
  sqlxEnd(&p->rowMem);
  sqlxBegin(&p->rowMem, p->x->db);
  p->nRowMem = 0;
}

/* Makes the key of the row that the pass is at; 0 if a part of it is NULL, or
** with an error. The values are unprotected ones. That is enough here, since
** the thread has the connection's mutex. */
static int searchedKey(Rowsearch *p, LockKey *pKey){
  int i;
  for(i=0; i<p->pTab->nCol; i++){
    int eType = sqlite3_column_type(p->pSearch, i);
    if( eType==SQLITE_NULL ) return 0;
    if( eType==SQLITE_BLOB ){
      sqlxBad(p->x, "%s, of the key of table %s, is BLOB in a row; allowed are"
          " INTEGER, REAL and TEXT", p->pTab->aCol[i].zName, p->pTab->zName);
      return 0;
    }
    p->apVal[i] = sqlite3_column_value(p->pSearch, i);
  }
  rowkeyRow(&p->rowMem, p->pTab, p->pTab->nCol, p->apVal, pKey);
  passRowMem(p);
  return p->x->rc==SQLITE_OK;
}

/* Copies the key of the row that the pass is at, as values and as JSON. */
static void keepValues(Rowsearch *p, RowsearchRow *pRow){
  Sqlx *x = p->x;
  sqlite3_str *pStr = sqlite3_str_new(x->db);
  int i, n = p->pTab->nCol;
  pRow->apVal = sqlxAlloc(x, (sqlite3_uint64)n*sizeof(sqlite3_value*));
  if( n>1 ) sqlite3_str_appendchar(pStr, 1, '[');
  for(i=0; i<n && pRow->apVal; i++){
    pRow->apVal[i] = sqlite3_value_dup(p->apVal[i]);
    if( i ) sqlite3_str_appendchar(pStr, 1, ',');
    if( pRow->apVal[i]==0 || !jsonValue(pStr, pRow->apVal[i]) ){
      if( x->rc==SQLITE_OK ) x->rc = SQLITE_NOMEM;
      break;
    }
  }
  if( n>1 ) sqlite3_str_appendchar(pStr, 1, ']');
  pRow->zJson = sqlxText(x, pStr);
}

static int *bucketOf(Rowsearch *p, const LockKey *pKey){
  return &p->aBucket[pKey->iHash % (u32)p->nBucket];
}

/* The row with this key that an earlier pass has found; NULL if none has. */
static RowsearchRow *ownRow(Rowsearch *p, const LockKey *pKey){
  int i = p->nOld ? *bucketOf(p, pKey) : 0;
  while( i ){
    RowsearchRow *pRow = &p->aRow[i-1];
    if( pRow->key.nKey==pKey->nKey
     && memcmp(pRow->key.a, pKey->a, pKey->nKey)==0 ) return pRow;
    i = pRow->iNext;
  }
  return 0;
}

/* ---- a pass ----------------------------------------------------------- */

/* Puts the rows that earlier passes have found into buckets. */
static void fillBuckets(Rowsearch *p){
  int i;
  if( p->nBucket<p->nRow ){
    p->nBucket = 2*p->nRow;
    p->aBucket = sqlxAlloc(p->x, (u64)p->nBucket*sizeof(int));
    if( p->aBucket==0 ) return;
  }
  memset(p->aBucket, 0, (size_t)p->nBucket*sizeof(int));
  for(i=0; i<p->nRow; i++){
    int *pBucket = bucketOf(p, &p->aRow[i].key);
    p->aRow[i].iNext = *pBucket;
    *pBucket = i + 1;
  }
}

/* A pass meets the rows that earlier ones have found again, and each then gets
** its position in the new order. Until then it stands behind all others. */
void rowsearchPass(Rowsearch *p){
  int i;
  p->nPass++;
  p->nMet = 0;
  p->iPos = 0;
  if( p->nRow ) fillBuckets(p);
  p->nOld = p->x->rc==SQLITE_OK ? p->nRow : 0;
  for(i=0; i<p->nRow; i++) p->aRow[i].iPos += ROWSEARCH_BEHIND;
  p->bWal = !p->bNewest && knowntableWal(p->pKnown, &p->wal);
}

/* Whether the schema has changed since the look at the table, at the first row.
** SQLite then has prepared the statement anew. It also does so if it plans by
** the values that are bound. */
static void askChanged(Rowsearch *p){
  int n = sqlxReprepared(p->pSearch);
  if( n==p->nPrepared || p->x->rc!=SQLITE_OK ) return;
  p->nPrepared = n;
  p->bChanged = !knowntableStill(p->pKnown, p->x);
}

/* If the schema has changed, the table can have another key now, and the pass
** ends before its first row. */
int rowsearchNext(Rowsearch *p){
  RowsearchRow *pRow;
  while( p->x->rc==SQLITE_OK && !p->bChanged ){
    int bRow = sqlxStep(p->x, p->pSearch);
    blame(p->x, p->bKeyOrder ? "where" : "where or order by");
    if( p->iPos==0 ) askChanged(p);
    if( !bRow || p->bChanged ) return 0;
    pRow = nextRow(p);
    p->iPos++;
    if( pRow && searchedKey(p, &pRow->key) ) return 1;
  }
  return 0;
}

void rowsearchAdd(Rowsearch *p){
  RowsearchRow *pRow = &p->aRow[p->nRow++];
  pRow->iPos = p->iPos;
  keepValues(p, pRow);
}

RowsearchRow *rowsearchMet(Rowsearch *p){
  RowsearchRow *pRow = ownRow(p, &p->aRow[p->nRow].key);
  if( pRow==0 ) return 0;
  pRow->iPos = p->iPos;
  p->nMet++;
  return pRow;
}

/* Sets an error if the rows that were found are not locked any more. */
static void askHeld(Rowsearch *p){
  int i;
  for(i=0; i<p->nRow && p->x->rc==SQLITE_OK; i++){
    connectionSearchHolds(&p->locks, p->x, &p->aRow[i].key);
  }
  if( p->bBegun && p->x->rc==SQLITE_OK ){
    connectionSearchHolds(&p->locks, p->x, 0);
  }
}

/* SQL of the program's can have ended the transaction that wrote the file. */
int rowsearchPassEnd(Rowsearch *p){
  sqlite3 *db = p->x->db;
  const char *zSchema = p->pTab->zSchema;
  int bNewest;
  p->bNewest &= sqlite3_txn_state(db, zSchema)==SQLITE_TXN_WRITE;
  bNewest = p->bNewest
         || (p->bWal ? dbheaderSame(db, zSchema, &p->wal)
                     : !waitingSharesWal(db, zSchema));
  sqlite3_reset(p->pSearch);
  if( p->bBegun && p->x->rc==SQLITE_OK ){
    connectionSearchHolds(&p->locks, p->x, 0);
  }
  askEnded(p);
  return bNewest;
}

/* Whether a row is still there; 1 also with an error. */
static int isStill(Rowsearch *p, RowsearchRow *pRow){
  int bRow;
  if( p->x->rc!=SQLITE_OK ) return 1;
  bindValues(p->x, p->pAgain, p->nValue+1, p->pTab->nCol, pRow->apVal);
  bRow = sqlxStep(p->x, p->pAgain);
  blame(p->x, "where");
  sqlite3_reset(p->pAgain);
  return bRow || p->x->rc!=SQLITE_OK;
}

/* For more than two rows a statement that stays open keeps one snapshot for
** all, since to begin a snapshot costs as much as to read a row. */
void rowsearchReadAgain(Rowsearch *p, int iFrom){
  sqlite3_stmt *pOpen = 0;
  int i, n = iFrom;
  if( p->nRow-iFrom>2 ){
    pOpen = sqlxPrepare(p->x, "SELECT 1 FROM \"%w\".\"%w\"", p->pTab->zSchema,
                        p->pTab->zName);
    sqlxStep(p->x, pOpen);
  }
  for(i=iFrom; i<p->nRow; i++){
    RowsearchRow *pRow = &p->aRow[i];
    if( !isStill(p, pRow) ){
      rowsearchRemove(p, pRow);
    }else{
      p->aRow[n++] = *pRow;
    }
  }
  p->nRow = n;
  sqlxFinalize(p->x, pOpen);
}

void rowsearchRemove(Rowsearch *p, RowsearchRow *pRow){
  if( pRow->grant.iRecord ) connectionSearchBack(&p->locks, &pRow->grant);
  pRow->grant.iRecord = 0;
  freeValues(p, pRow);
}

/* ---- a call ----------------------------------------------------------- */

void rowsearchBegin(Rowsearch *p){
  const Function *pThis = p->pCall->pThis;
  sqlxBegin(&p->rowMem, p->x->db);
  p->req.zName = pThis->zName;
  p->req.eMode = pThis->word.eMode;
  p->req.eScope = pThis->word.eScope;
}

int rowsearchPrepare(Rowsearch *p){
  const RowkeyTable *pTab = p->pTab;
  if( !askSnapshot(p) ) return 0;
  p->req.zSchema = pTab->zSchema;
  p->req.pTable = &pTab->key;
  p->req.key = pTab->key;
  takeBoth(p);
  p->apVal = sqlxAlloc(p->x, (u64)pTab->nCol*sizeof(sqlite3_value*));
  return p->x->rc==SQLITE_OK;
}

int rowsearchLock(Rowsearch *p, int bTry, i64 msTimeout){
  p->req.bTry = bTry;
  p->req.msTimeout = msTimeout;
  p->bBegun = connectionSearchBegin(p->pCall->pConn, p->x, &p->req, &p->locks);
  return p->bBegun;
}

void rowsearchEnd(Rowsearch *p, int bKeep){
  int i;
  if( p->x->rc!=SQLITE_OK ) bKeep = 0;
  for(i=0; i<p->nRow; i++){
    if( bKeep ) freeValues(p, &p->aRow[i]);
    else rowsearchRemove(p, &p->aRow[i]);
  }
  p->nRow = 0;
  if( p->bBegun ) connectionSearchEnd(&p->locks, bKeep);
  if( p->pQuery ) giveBoth(p);
  knowntableUnref(p->pKnown);
  sqlxEnd(&p->rowMem);
}

static int comparePos(const void *a, const void *b){
  sqlite3_int64 x = ((const RowsearchRow*)a)->iPos;
  sqlite3_int64 y = ((const RowsearchRow*)b)->iPos;
  return x<y ? -1 : x>y;
}

void rowsearchResult(Rowsearch *p, sqlite3_context *ctx){
  sqlite3_str *pStr = sqlite3_str_new(p->x->db);
  const char *z;
  int i;
  askHeld(p);
  if( p->nPass>1 ){
    qsort(p->aRow, (size_t)p->nRow, sizeof(p->aRow[0]), comparePos);
  }
  sqlite3_str_appendchar(pStr, 1, '[');
  for(i=0; i<p->nRow && p->x->rc==SQLITE_OK; i++){
    if( i ) sqlite3_str_appendchar(pStr, 1, ',');
    sqlite3_str_appendall(pStr, p->aRow[i].zJson);
  }
  sqlite3_str_appendchar(pStr, 1, ']');
  z = sqlxText(p->x, pStr);
  if( p->x->rc!=SQLITE_OK ) return;
  sqlite3_result_text(ctx, z, -1, SQLITE_TRANSIENT);
  if( sqlite3_errcode(p->x->db)==SQLITE_NOMEM ) p->x->rc = SQLITE_NOMEM;
}
