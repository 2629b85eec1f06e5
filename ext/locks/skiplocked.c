/* SPDX-License-Identifier: 0BSD */
/*
** The functions that lock rows of a table which no session has locked. See
** skiplocked.h.
**
** A search reads rows in the order that is asked for, and locks each one that
** is free. Between the snapshot of that read and the lock, another session can
** finish with the row: it commits and unlocks. So the search ends its read, and
** reads each row that it has locked again, by its key and under the same
** condition, in a snapshot that began after the lock was granted. A row that is
** not found any more is unlocked.
**
** Rows are not read again where the search has read the newest values that
** there are: in a transaction that writes the table's file, since no other
** connection can commit; in rollback mode, where a connection that reads keeps
** others from committing; and in WAL mode, if there has been no commit since
** before the search began.
**
** The two statements are kept with the table (knowntable.h).
*/
#include <stdlib.h>
#include <string.h>
#include "locks/calloption.h"
#include "locks/skiplocked.h"
#include "sqlite/args.h"
#include "sqlite/json.h"
#include "sqlite/sqltoken.h"
#include "session/waiting.h"
SQLITE_EXTENSION_INIT3

#define SKIP_ROWS 100          /* read before their memory is freed */
#define SKIP_BUCKETS 256
#define SKIP_TRIES 3           /* while the schema changes */

/* A row that was locked. */
typedef struct SkipRow {
  LockKey key;
  LockGrant grant;
  sqlite3_value **apVal;       /* its key, as the row has it */
  const char *zJson;           /* its key, as JSON */
  sqlite3_int64 iPos;          /* its position in the last pass */
  int iNext;                   /* 1 + index of the next in its bucket */
} SkipRow;

/* A call of the function. */
typedef struct Skip {
  Sqlx *x;
  const FunctionCall *pCall;
  KnownTable *pKnown;
  const RowkeyTable *pTab;     /* the table in it */
  sqlite3_int64 nWanted;       /* how many rows to lock, at most */
  const char *zWhere;          /* NULL: all rows */
  const char *zOrder;          /* NULL: any order */
  int nValue;                  /* values for ?1, ?2, ... in these two */
  sqlite3_value **apValue;
  int bNewest;                 /* the snapshot is the newest: its transaction
                               ** writes the table's file */
  KnownQuery *pQuery;          /* in which the two statements are kept */
  sqlite3_stmt *pSearch;       /* returns the keys of rows, in order */
  sqlite3_stmt *pAgain;        /* returns a row if the row is still there */
  int nPrepared;               /* how often SQLite had prepared pSearch anew */
  int bChanged;                /* the schema is not that of pTab any more */
  ConnectionRequest req;
  ConnectionSkip skip;
  SkipRow *aRow;               /* the rows that are locked */
  int nRow, mxRow;
  int nPass;
  int nOld;                    /* rows that earlier passes have locked; */
  int nMet;                    /* those of them that this pass has met */
  int aBucket[SKIP_BUCKETS];   /* nOld rows, by hash of the key */
  Sqlx rowMem;                 /* memory for keys of rows that are read */
  int nRowMem;                 /* how many there are in it */
} Skip;

/* ---- arguments -------------------------------------------------------- */

/* A TEXT argument; NULL for an SQL NULL, or with an error. */
static const char *optionalText(Sqlx *x, sqlite3_value *pVal,
                                const char *zWhat){
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

static int skipArgs(Skip *p, int nArg, sqlite3_value **apArg){
  Sqlx *x = p->x;
  if( nArg<2 ){
    sqlxBad(x, "%d given; allowed is %s(table, n [, where [, order_by"
               " [, value...]]])", nArg, p->pCall->pThis->zName);
    return 0;
  }
  p->pKnown = knowntableRef(connectionTables(p->pCall->pConn), x,
                            argsText(x, apArg[0], "table"), 1);
  if( p->pKnown==0 ) return 0;
  p->pTab = &p->pKnown->tab;
  refuseBlobs(x, p->pTab);
  p->nWanted = argsInteger(x, apArg[1], "n");
  if( p->nWanted<0 ){
    sqlxBad(x, "n is %lld; allowed is 0 and up", p->nWanted);
  }
  if( nArg>2 ) p->zWhere = optionalText(x, apArg[2], "where");
  if( nArg>3 ) p->zOrder = optionalText(x, apArg[3], "order by");
  p->nValue = nArg>4 ? nArg-4 : 0;
  p->apValue = &apArg[nArg-p->nValue];
  return x->rc==SQLITE_OK;
}

/* ---- snapshots -------------------------------------------------------- */

static void failSnapshot(Skip *p, const char *zWhy){
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
static int askSnapshot(Skip *p){
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
static void askEnded(Skip *p){
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

/* The columns of the key, or a condition on each. */
static const char *skipKey(Skip *p, int bCondition){
  static const char *const azColl[] = { "BINARY", "NOCASE", "RTRIM" };
  sqlite3_str *pStr = sqlite3_str_new(p->x->db);
  int i;
  for(i=0; i<p->pTab->nCol; i++){
    const RowkeyColumn *pCol = &p->pTab->aCol[i];
    if( i ) sqlite3_str_appendall(pStr, bCondition ? " AND " : ", ");
    sqlite3_str_appendf(pStr, "\"%w\".\"%w\"", p->pTab->zName, pCol->zName);
    if( !bCondition ) continue;
    if( !p->pTab->bRowid ){
      sqlite3_str_appendf(pStr, " COLLATE %s", azColl[pCol->eColl]);
    }
    sqlite3_str_appendf(pStr, " = ?%d", p->nValue + i + 1);
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

/* With LIMIT in the statement, a LIMIT in the caller's text is an error. */
static void prepareBoth(Skip *p, sqlite3_stmt **apStmt){
  Sqlx *x = p->x;
  const char *zFrom = sqlxPrintf(x, "\"%w\".\"%w\"", p->pTab->zSchema,
                                 p->pTab->zName);
  const char *zWhere = p->zWhere ? bracketed(x, p->zWhere, "where") : "1";
  int n;
  if( p->zOrder ) bracketed(x, p->zOrder, "order by");
  apStmt[1] = prepareRead(x, sqlxPrintf(x, "SELECT 1 FROM %s WHERE %s AND %s",
      zFrom, zWhere, skipKey(p, 1)), "where");
  apStmt[0] = prepareRead(x, sqlxPrintf(x, "SELECT %s FROM %s WHERE %s%s%s\n"
      "LIMIT -1", skipKey(p, 0), zFrom, zWhere, p->zOrder ? " ORDER BY\n" : "",
      p->zOrder ? p->zOrder : ""), "order by");
  if( x->rc!=SQLITE_OK ) return;
  n = sqlite3_bind_parameter_count(apStmt[0]);
  if( n!=p->nValue ){
    sqlxBad(x, "%d values; where and order by have %d", p->nValue, n);
  }
}

/* Takes the two statements that an earlier call has given back, or compiles
** them. */
static void takeBoth(Skip *p){
  int n;
  p->pQuery = knowntableTake(p->pKnown, p->x, sqlxPrintf(p->x, "%d %Q %Q",
      p->nValue, p->zWhere, p->zOrder));
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
static void giveBoth(Skip *p){
  p->pSearch = p->pAgain = 0;
  if( p->x->rc==SQLITE_OK && !p->bChanged ){
    knowntableGive(p->pKnown, p->pQuery);
  }else{
    knowntableEnd(p->pQuery);
  }
}

/* ---- rows ------------------------------------------------------------- */

/* Room for one more row; NULL with an error. */
static SkipRow *nextRow(Skip *p){
  SkipRow *pRow;
  if( p->nRow==p->mxRow ){
    SkipRow *aNew = sqlxGrow(p->x, p->aRow, p->nRow, sizeof(*pRow));
    if( aNew==0 ) return 0;
    p->aRow = aNew;
    p->mxRow = p->nRow<4 ? 4 : 2*p->nRow;
  }
  pRow = &p->aRow[p->nRow];
  pRow->apVal = 0;
  return pRow;
}

static void freeValues(Skip *p, SkipRow *pRow){
  int i;
  for(i=0; i<p->pTab->nCol && pRow->apVal; i++){
    sqlite3_value_free(pRow->apVal[i]);
  }
  pRow->apVal = 0;
}

/* Must be called after each key that was made in rowMem: passes its error on,
** and frees the memory of SKIP_ROWS rows. */
static void passRowMem(Skip *p){
  if( p->rowMem.rc==SQLITE_NOMEM ){
    if( p->x->rc==SQLITE_OK ) p->x->rc = SQLITE_NOMEM;
  }else if( p->rowMem.rc!=SQLITE_OK ){
    sqlxFail(p->x, p->rowMem.rc, "%s", sqlxErrorText(&p->rowMem));
  }
  if( p->rowMem.rc==SQLITE_OK && ++p->nRowMem<SKIP_ROWS ) return;
  sqlxEnd(&p->rowMem);
  sqlxBegin(&p->rowMem, p->x->db);
  p->nRowMem = 0;
}

/* Makes the key of the row that the search is at; 0 if a part of it is NULL, or
** with an error. The values are unprotected ones. That is enough here, since
** the thread has the connection's mutex. */
static int searchedKey(Skip *p, sqlite3_value **apVal, LockKey *pKey){
  int i;
  for(i=0; i<p->pTab->nCol; i++){
    int eType = sqlite3_column_type(p->pSearch, i);
    if( eType==SQLITE_NULL ) return 0;
    if( eType==SQLITE_BLOB ){
      sqlxBad(p->x, "%s, of the key of table %s, is BLOB in a row; allowed are"
          " INTEGER, REAL and TEXT", p->pTab->aCol[i].zName, p->pTab->zName);
      return 0;
    }
    apVal[i] = sqlite3_column_value(p->pSearch, i);
  }
  rowkeyRow(&p->rowMem, p->pTab, p->pTab->nCol, apVal, pKey);
  passRowMem(p);
  return p->x->rc==SQLITE_OK;
}

/* Copies the key of a row that has been locked, as values and as JSON. */
static void keepValues(Skip *p, SkipRow *pRow, sqlite3_value **apVal){
  Sqlx *x = p->x;
  sqlite3_str *pStr = sqlite3_str_new(x->db);
  int i, n = p->pTab->nCol;
  pRow->apVal = sqlxAlloc(x, (sqlite3_uint64)n*sizeof(sqlite3_value*));
  if( n>1 ) sqlite3_str_appendchar(pStr, 1, '[');
  for(i=0; i<n && pRow->apVal; i++){
    pRow->apVal[i] = sqlite3_value_dup(apVal[i]);
    if( i ) sqlite3_str_appendchar(pStr, 1, ',');
    if( pRow->apVal[i]==0 || !jsonValue(pStr, pRow->apVal[i]) ){
      if( x->rc==SQLITE_OK ) x->rc = SQLITE_NOMEM;
      break;
    }
  }
  if( n>1 ) sqlite3_str_appendchar(pStr, 1, ']');
  pRow->zJson = sqlxText(x, pStr);
}

static int *bucketOf(Skip *p, const LockKey *pKey){
  return &p->aBucket[pKey->iHash % SKIP_BUCKETS];
}

/* The row with this key that an earlier pass has locked; NULL if none has. */
static SkipRow *ownRow(Skip *p, const LockKey *pKey){
  int i = *bucketOf(p, pKey);
  while( i ){
    SkipRow *pRow = &p->aRow[i-1];
    if( pRow->key.nKey==pKey->nKey
     && memcmp(pRow->key.a, pKey->a, pKey->nKey)==0 ) return pRow;
    i = pRow->iNext;
  }
  return 0;
}

/* ---- the search ------------------------------------------------------- */

/* Locks the row that the search is at, if it is free. Its position in this pass
** is iPos. */
static void tryRow(Skip *p, sqlite3_value **apVal, sqlite3_int64 iPos){
  SkipRow *pRow = nextRow(p);
  if( pRow==0 || !searchedKey(p, apVal, &pRow->key) ) return;
  if( p->nRow<p->nWanted
   && connectionSkip(&p->skip, p->x, &pRow->key, &pRow->grant) ){
    p->nRow++;
    pRow->iPos = iPos;
    keepValues(p, pRow, apVal);
  }else if( p->nOld && (pRow = ownRow(p, &pRow->key))!=0 ){
    pRow->iPos = iPos;
    p->nMet++;
  }
}

/* A pass meets the rows that earlier ones have locked again, and each then gets
** its position in the new order. Until then it stands behind all others. */
static void beginPass(Skip *p){
  int i;
  p->nPass++;
  p->nOld = p->nRow;
  p->nMet = 0;
  memset(p->aBucket, 0, sizeof(p->aBucket));
  for(i=0; i<p->nRow; i++){
    SkipRow *pRow = &p->aRow[i];
    int *pBucket = bucketOf(p, &pRow->key);
    pRow->iPos += (sqlite3_int64)1<<40;
    pRow->iNext = *pBucket;
    *pBucket = i + 1;
  }
}

/* Goes through the rows once; 1 if it has come to the last one. If SQLite had
** to prepare the statement anew, the table can have another key now, and the
** pass ends before its first row. */
static int searchPass(Skip *p, sqlite3_value **apVal){
  sqlite3_int64 iPos = 0;
  int bEnd = 0;
  beginPass(p);
  while( (p->nRow<p->nWanted || p->nMet<p->nOld)
      && p->x->rc==SQLITE_OK && !bEnd ){
    bEnd = !sqlxStep(p->x, p->pSearch);
    blame(p->x, "where or order by");
    if( iPos==0 && sqlxReprepared(p->pSearch)!=p->nPrepared ) p->bChanged = 1;
    if( p->bChanged ) break;
    if( !bEnd ) tryRow(p, apVal, iPos++);
  }
  return bEnd;
}

/* Whether a row is still there; 1 also with an error. */
static int isStill(Skip *p, SkipRow *pRow){
  int bRow;
  if( p->x->rc!=SQLITE_OK ) return 1;
  bindValues(p->x, p->pAgain, p->nValue+1, p->pTab->nCol, pRow->apVal);
  bRow = sqlxStep(p->x, p->pAgain);
  blame(p->x, "where");
  sqlite3_reset(p->pAgain);
  return bRow || p->x->rc!=SQLITE_OK;
}

/* Unlocks the rows that were gone before they were locked. For more than two
** rows a statement that stays open keeps one snapshot for all, since to begin a
** snapshot costs as much as to read a row. */
static void readAgain(Skip *p){
  sqlite3_stmt *pOpen = 0;
  int i, n = 0;
  if( p->nRow>2 ){
    pOpen = sqlxPrepare(p->x, "SELECT 1 FROM \"%w\".\"%w\"", p->pTab->zSchema,
                        p->pTab->zName);
    sqlxStep(p->x, pOpen);
  }
  for(i=0; i<p->nRow; i++){
    SkipRow *pRow = &p->aRow[i];
    if( !isStill(p, pRow) ){
      connectionSkipBack(&p->skip, &pRow->grant);
      freeValues(p, pRow);
    }else{
      p->aRow[n++] = *pRow;
    }
  }
  p->nRow = n;
  sqlxFinalize(p->x, pOpen);
}

/* A pass, its read ended; and in it or after it each row that it has locked was
** read in a snapshot that began after the lock. */
static int searchOnce(Skip *p, sqlite3_value **apVal){
  const char *zSchema = p->pTab->zSchema;
  DbheaderWal wal;
  int bWal = !p->bNewest && knowntableWal(p->pKnown, &wal);
  int bEnd = searchPass(p, apVal);
  int bNewest = p->bNewest
             || (bWal ? dbheaderSame(p->x->db, zSchema, &wal)
                      : !waitingSharesWal(p->x->db, zSchema));
  sqlite3_reset(p->pSearch);
  askEnded(p);
  if( !bNewest ) readAgain(p);
  return bEnd;
}

/* Searches until there are enough rows or no more are free. A pass is repeated
** if rows that it had locked were gone, or if sessions that had locked rows
** were found dead. These sessions are probed after every pass: otherwise the
** rows of a dead session would stay locked as long as there are enough other
** rows. */
static void searchAll(Skip *p){
  sqlite3_value **apVal = sqlxAlloc(p->x, (sqlite3_uint64)p->pTab->nCol
                                          *sizeof(sqlite3_value*));
  int bEnd, bDead;
  do{
    bEnd = searchOnce(p, apVal);
    bDead = connectionSkipProbe(&p->skip);
  }while( p->x->rc==SQLITE_OK && !p->bChanged
       && p->nRow<p->nWanted && (!bEnd || bDead) );
}

/* ---- the functions ---------------------------------------------------- */

static int comparePos(const void *a, const void *b){
  sqlite3_int64 x = ((const SkipRow*)a)->iPos, y = ((const SkipRow*)b)->iPos;
  return x<y ? -1 : x>y;
}

/* Sets the result. After this the call must not fail any more. */
static void skipResult(Skip *p, sqlite3_context *ctx){
  sqlite3_str *pStr = sqlite3_str_new(p->x->db);
  const char *z;
  int i;
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

/* With an error it releases what it has locked. */
static void skipRun(Skip *p, sqlite3_context *ctx){
  int bBegun = 0, i;
  takeBoth(p);
  if( p->x->rc==SQLITE_OK && p->nWanted>0 ){
    bBegun = connectionSkipBegin(p->pCall->pConn, p->x, &p->req, &p->skip);
  }
  if( bBegun ) searchAll(p);
  skipResult(p, ctx);
  if( bBegun ) connectionSkipEnd(&p->skip, p->nRow>0 && p->x->rc==SQLITE_OK);
  for(i=0; i<p->nRow; i++){
    if( p->x->rc!=SQLITE_OK && p->req.eScope==LOCK_SCOPE_SESSION ){
      connectionSkipBack(&p->skip, &p->aRow[i].grant);
    }
    freeValues(p, &p->aRow[i]);
  }
  giveBoth(p);
}

/* One call, with nothing in p but where it comes from. 1 if it must be made
** again: the schema has changed between the look at the table and the search,
** and nothing is locked. */
static int skipCall(
  Skip *p,
  sqlite3_context *ctx,
  int nArg,
  sqlite3_value **apArg
){
  CallOptions options;
  sqlxBegin(&p->rowMem, p->x->db);
  nArg = calloptionRead(p->x, p->pCall, nArg, apArg, 0, &options);
  p->req.zName = p->pCall->pThis->zName;
  p->req.eMode = p->pCall->pThis->word.eMode;
  p->req.eScope = p->pCall->pThis->word.eScope;
  if( skipArgs(p, nArg, apArg) && askSnapshot(p) ){
    p->req.zSchema = p->pTab->zSchema;
    p->req.pTable = &p->pTab->key;
    p->req.key = p->pTab->key;
    p->req.pTask = 0;
    p->req.msTimeout = 0;
    skipRun(p, ctx);
  }
  knowntableUnref(p->pKnown);
  sqlxEnd(&p->rowMem);
  return p->bChanged && p->nRow==0 && p->x->rc==SQLITE_OK;
}

/*
** SQL AREA Work queues
**
** Any table can be a work queue. Each worker calls `skip_locked`, which locks
** rows that no other worker has locked, and returns their keys. A worker that
** dies releases its rows, and the next worker takes them.
** [LOCKRECIPES.md](LOCKRECIPES.md#a-job-queue) has a complete worker.
*/

/*
** SQL FUNCTION skip_locked(table, n [, where [, order_by [, value...]]])
** SQL FUNCTION xact_skip_locked(table, n [, where [, order_by [, value...]]])
**
** Locks up to n rows that no session has locked or waits for, and returns
** their keys. Rows that this connection has locked are skipped too. Several
** workers that call the function at the same time get different rows, and none
** of them waits. If there was a commit meanwhile, a row is read again after it
** is locked, so a row that another worker has finished is not returned. Each
** row is locked as by row_lock (`xact`: as by row_xact_lock), and row_unlock
** releases it.
**
** Fewer than n keys, or none, does not prove that no other row is left: the
** rows that are left may be locked. The result is also `[]` while a session
** holds or waits for the whole table, or while a transaction of another
** session writes to a guarded table of the file.
**
** The function may read twice, each time the newest values. So it must be
** called outside BEGIN, or in a transaction that writes, as after BEGIN
** IMMEDIATE, and in a SELECT of its own: `json_each(skip_locked(...))` opens a
** transaction first. Give the table an index in the order of `order_by`, or
** each call sorts all rows.
**
** Arguments:
**   table     TEXT     name, or schema.name; its key has no BLOB
**   n         INTEGER  how many at most
**   where     TEXT     which rows, an SQL expression; NULL for all
**   order_by  TEXT     which of them first, as behind ORDER BY; NULL for any
**   value     ANY      for ?1, ?2, ... in these
** Result: TEXT a JSON array of keys, in that order; a key of several columns is
**   an array
** Errors:
**   `lock wait refused:` SQLITE_BUSY, in a transaction that has not written,
**     and in a statement that reads a table
**   `no transaction:` SQLITE_ERROR, of the xact form outside BEGIN
**   `lock table full:` SQLITE_ERROR
**   `lock file:` SQLITE_ERROR, SQLITE_CANTOPEN or SQLITE_BUSY
**   `forked connection:` SQLITE_ERROR
**   `bad argument:` SQLITE_ERROR, also for an error in where or order_by, which
**     may not call a function that releases rows or tables
** From: SELECT ... FOR UPDATE SKIP LOCKED of PostgreSQL, MySQL and Oracle
** Example:
**   CREATE TABLE job(id INTEGER PRIMARY KEY, state TEXT, rank INT);
**   INSERT INTO job VALUES(1,'ready',5), (2,'done',6), (3,'ready',7),
**     (4,'ready',8);
**   SELECT skip_locked('job', 2, 'state = ?1', 'rank DESC', 'ready');
**   -- [4,3]
**   SELECT skip_locked('job', 2, 'state = ?1', 'rank DESC', 'ready');
**   -- [1]
**   SELECT row_unlock('job', 3), skip_locked('job', 9, 'rank > 6');
**   -- 1|[3]
**   SELECT skip_locked('job', 1, 'stat = 1');
**   -- error: bad argument: where: no such column: stat
**   SELECT skip_locked('job', 1) FROM job;
**   -- error: lock wait refused: skip_locked has to read twice, and ...
**   BEGIN IMMEDIATE;
**   SELECT row_unlock('job', 1), xact_skip_locked('job', 1, 'rank < 6');
**   -- 1|[1]
**   COMMIT;
*/
static void skipLockedFunc(
  sqlite3_context *ctx,
  int nArg,
  sqlite3_value **apArg
){
  Skip s;
  Sqlx x;
  int i = 0;
  sqlxBegin(&x, sqlite3_context_db_handle(ctx));
  do{
    memset(&s, 0, sizeof(s));
    s.x = &x;
    s.pCall = sqlite3_user_data(ctx);
  }while( skipCall(&s, ctx, nArg, apArg) && ++i<SKIP_TRIES );
  if( x.rc!=SQLITE_OK ) sqlxResultError(&x, ctx);
  sqlxEnd(&x);
}

static const Function aSkip[] = {
  { "skip_locked", FUNCTION_ANY, skipLockedFunc,
    { 0, LOCK_EXCLUSIVE, LOCK_SCOPE_SESSION, 0 } },
  { "xact_skip_locked", FUNCTION_ANY, skipLockedFunc,
    { 0, LOCK_EXCLUSIVE, LOCK_SCOPE_TRANSACTION, 0 } },
};

FunctionList skiplockedFunctions(void){
  FunctionList t = { aSkip, sizeof(aSkip)/sizeof(aSkip[0]) };
  return t;
}
