/* SPDX-License-Identifier: 0BSD */
/*
** Three-way merge. See merge.h.
**
** One statement reads the row as it is (r, theirs) and as it was (h, base), so
** that both are of one snapshot, and compares them with what the caller wants
** (mine). SQLite compares: by value and not by collation, and mine as it would
** be stored in the column.
*/
#include <string.h>
#include "versioned/merge.h"
#include "sqlite/args.h"
#include "sqlite/json.h"
#include "schema/clause.h"
#include "schema/keytable.h"
#include "versioned/expect.h"
#include "versioned/history.h"
#include "versioned/historytext.h"
SQLITE_EXTENSION_INIT3

/* Results of comparing one column, as bits. */
#define MERGE_BASE_IS_THEIRS  1
#define MERGE_MINE_IS_THEIRS  2
#define MERGE_MINE_IS_BASE    4
#define MERGE_NO_BASE         8   /* what the base had is not known */

/* A column, and what the caller wants in it. */
typedef struct MergeColumn {
  const TableInfoColumn *pCol;
  const char *zKept;         /* where the history has it; NULL: nowhere */
  sqlite3_value *pMine;      /* NULL: nothing */
  int bBlob;                 /* pMine is a BLOB in hex digits */
} MergeColumn;

typedef struct Merge {
  Sqlx *p;
  VersionedTable tab;
  int nKey;
  sqlite3_value **apKey;
  sqlite3_int64 iBase;       /* the version that was read */
  const char *zHistory;      /* the table of history; NULL: there is none */
  int nCol;
  MergeColumn *aCol;         /* all but the version and generated columns */
  sqlite3_stmt *pStmt;       /* its row: see mergeSelect */
  int bTheirs;               /* there is a row */
  int bBase;                 /* it is known what it was */
  int bSame;                 /* it is at that version still */
  sqlite3_int64 iVersion;    /* the version of the row */
} Merge;

/* The columns of mergeSelect: two, then three for each column. */
#define MERGE_THEIRS(i)  (2 + 3*(i))
#define MERGE_BASE(i)    (3 + 3*(i))
#define MERGE_BITS(i)    (4 + 3*(i))

/* ---- what the caller wants -------------------------------------------- */

static int mergeColumn(const Merge *m, const char *zName){
  int i;
  for(i=0; i<m->nCol; i++){
    if( sqlite3_stricmp(m->aCol[i].pCol->zName, zName)==0 ) return i;
  }
  return -1;
}

/* Takes member k of the JSON object; pTexts is for the texts in it, if one can
** have a NUL character. */
static void takeMember(Merge *m, sqlite3_stmt *pStmt, int k,
                       JsonTexts *pTexts){
  Sqlx *p = m->p;
  const char *zName = sqlxColumn(p, pStmt, 0);
  const char *zType = sqlxColumn(p, pStmt, 1);
  int bBlob = sqlite3_column_type(pStmt, 3)==SQLITE_TEXT;
  sqlite3_value *pValue = sqlite3_column_value(pStmt, bBlob ? 3 : 2);
  int i;
  if( p->rc!=SQLITE_OK || zName==0 || zType==0 ) return;
  i = mergeColumn(m, zName);
  if( i<0 ){
    if( tableinfoColumn(&m->tab.base.info, zName)<0 ){
      sqlxBad(p, "mine has %.60Q; allowed are columns of %s", zName,
              m->tab.base.info.zName);
    }
  }else if( strcmp(zType, "array")==0
         || (strcmp(zType, "object")==0 && !bBlob) ){
    sqlxBad(p, "mine has an %s in column %s; allowed are numbers, strings,"
               " true, false, null and {\"blob\": \"hex digits\"}", zType,
            m->aCol[i].pCol->zName);
  }else{
    if( pTexts && strcmp(zType, "text")==0 ){
      pValue = jsontextsAt(pTexts, k);
      if( pValue==0 ) return;
    }
    sqlite3_value_free(m->aCol[i].pMine);
    m->aCol[i].pMine = sqlite3_value_dup(pValue);
    m->aCol[i].bBlob = bBlob;
    if( m->aCol[i].pMine==0 ) p->rc = SQLITE_NOMEM;
  }
}

static void takeMine(Merge *m, sqlite3_value *pMine){
  Sqlx *p = m->p;
  sqlite3_stmt *pStmt = sqlxPrepare(p, "SELECT CASE WHEN json_valid(?1)"
      " THEN json_type(?1)='object' ELSE 0 END");
  const char *zMine = (const char*)sqlite3_value_text(pMine);
  JsonTexts texts;
  int bObject = 0, bNul, k = 0;
  if( zMine==0 && p->rc==SQLITE_OK ) p->rc = SQLITE_NOMEM;
  bNul = zMine && jsonHasNul(zMine);
  if( pStmt ) sqlite3_bind_value(pStmt, 1, pMine);
  if( sqlxStep(p, pStmt) ) bObject = sqlite3_column_int(pStmt, 0);
  sqlxFinalize(p, pStmt);
  if( p->rc==SQLITE_OK && !bObject ){
    sqlxBad(p, "mine is no JSON object; allowed is {\"column\": value, ...}");
  }
  if( bNul && bObject ) jsontextsBegin(&texts, p, zMine);
  pStmt = sqlxPrepare(p, "SELECT key, type, value, CASE type WHEN 'object'"
      " THEN json_extract(value,'$.blob') END FROM json_each(?1)");
  if( pStmt ) sqlite3_bind_value(pStmt, 1, pMine);
  while( sqlxStep(p, pStmt) ) takeMember(m, pStmt, k++, bNul ? &texts : 0);
  sqlxFinalize(p, pStmt);
  if( bNul && bObject ) jsontextsEnd(&texts);
}

static int hexDigit(char c){
  if( c>='0' && c<='9' ) return c - '0';
  if( c>='a' && c<='f' ) return c - 'a' + 10;
  if( c>='A' && c<='F' ) return c - 'A' + 10;
  return -1;
}

/* Binds a BLOB that is given in hex digits. */
static void bindHex(Merge *m, int iBind, const MergeColumn *pCol){
  const char *z = (const char*)sqlite3_value_text(pCol->pMine);
  int n = sqlite3_value_bytes(pCol->pMine), i;
  char *a = sqlxAlloc(m->p, (sqlite3_uint64)n/2 + 1);
  if( z==0 || a==0 ){
    if( m->p->rc==SQLITE_OK ) m->p->rc = SQLITE_NOMEM;
    return;
  }
  for(i=0; i+1<n && hexDigit(z[i])>=0 && hexDigit(z[i+1])>=0; i+=2){
    a[i/2] = (char)(hexDigit(z[i])*16 + hexDigit(z[i+1]));
  }
  if( i!=n ){
    sqlxBad(m->p, "mine has the blob %.40Q in column %s; allowed are pairs of"
                  " hex digits", z, pCol->pCol->zName);
    return;
  }
  sqlite3_bind_blob(m->pStmt, iBind, a, n/2, SQLITE_TRANSIENT);
}

/* ---- reading ---------------------------------------------------------- */

/* Takes the table of a call, and its columns. */
static int mergeOpen(
  Merge *m,
  Sqlx *p,
  const char *zTable,
  int nKey,
  sqlite3_value **apKey
){
  const TableInfo *pInfo = &m->tab.base.info;
  const char **azKept = 0;
  int i;
  memset(m, 0, sizeof(*m));
  m->p = p;
  m->nKey = nKey;
  m->apKey = apKey;
  if( !expectFind(p, zTable, nKey, &m->tab) ) return 0;
  m->zHistory = historyOf(p, &m->tab, &azKept);
  m->aCol = sqlxAlloc(p, sizeof(*m->aCol)*((sqlite3_uint64)pInfo->nCol + 1));
  for(i=0; i<pInfo->nCol && m->aCol; i++){
    MergeColumn *pCol = &m->aCol[m->nCol];
    pCol->pCol = &pInfo->aCol[i];
    if( !historytextKeeps(pCol->pCol, m->tab.stored.zColumn) ) continue;
    if( m->zHistory && azKept ) pCol->zKept = azKept[i];
    m->nCol++;
  }
  return p->rc==SQLITE_OK;
}

static void mergeClose(Merge *m){
  int i;
  for(i=0; i<m->nCol; i++) sqlite3_value_free(m->aCol[i].pMine);
  sqlxFinalize(m->p, m->pStmt);
}

/* Returns the three results of one column. */
static const char *selectColumn(Merge *m, int i, int iBind){
  Sqlx *p = m->p;
  const MergeColumn *pCol = &m->aCol[i];
  const char *z = sqlxPrintf(p, "r.\"%w\"", pCol->pCol->zName);
  const char *zBase = pCol->zKept ? sqlxPrintf(p, "h.\"%w\"", pCol->zKept)
                                  : HISTORY_UNKNOWN;
  const char *zMine = "";
  if( pCol->pMine ){
    zMine = sqlxPrintf(p, "+%d*(%s COLLATE BINARY IS ?%d)"
        "+%d*(%s COLLATE BINARY IS ?%d)", MERGE_MINE_IS_THEIRS, z, iBind,
        MERGE_MINE_IS_BASE, zBase, iBind);
  }
  return sqlxPrintf(p, ",%s,%s,%d*(%s COLLATE BINARY IS %s)+%d*(%s IS "
      HISTORY_UNKNOWN ")%s", z, zBase, MERGE_BASE_IS_THEIRS, zBase, z,
      MERGE_NO_BASE, zBase, zMine);
}

/* Reads the row and what it was: its version, whether the base is kept, then
** for each column theirs, base and how they compare. */
static void mergeSelect(Merge *m){
  Sqlx *p = m->p;
  const TableInfo *pInfo = &m->tab.base.info;
  sqlite3_str *pStr = sqlite3_str_new(p->db);
  const int iFirst = m->nKey + 2;
  int i;
  sqlite3_str_appendf(pStr, "SELECT CASE WHEN %s THEN ifnull(r.\"%w\",0) END"
                      ",%s", expectKeyIs(p, pInfo, "r."), m->tab.stored.zColumn,
                      m->zHistory ? "h.interlock_version" : "NULL");
  for(i=0; i<m->nCol; i++){
    sqlite3_str_appendall(pStr, selectColumn(m, i, iFirst+i));
  }
  sqlite3_str_appendf(pStr, " FROM (SELECT 1) LEFT JOIN \"%w\".\"%w\" AS r"
      " ON %s", pInfo->zSchema, pInfo->zName, expectKeyIs(p, pInfo, "r."));
  if( m->zHistory ){
    sqlite3_str_appendf(pStr, " LEFT JOIN \"%w\".\"%w\" AS h"
        " ON h.interlock_version=?%d", pInfo->zSchema, m->zHistory, m->nKey+1);
    for(i=1; i<=m->nKey; i++){
      sqlite3_str_appendf(pStr, " AND h.interlock_k%d=?%d", i, i);
    }
  }
  m->pStmt = sqlxPrepare(p, "%s", sqlxText(p, pStr));
  expectBindKey(p, m->pStmt, m->nKey, m->apKey);
  if( m->pStmt==0 || p->rc!=SQLITE_OK ) return;
  if( m->zHistory ) sqlite3_bind_int64(m->pStmt, m->nKey+1, m->iBase);
  for(i=0; i<m->nCol && p->rc==SQLITE_OK; i++){
    const MergeColumn *pCol = &m->aCol[i];
    if( pCol->pMine==0 ) continue;
    if( pCol->bBlob ) bindHex(m, iFirst+i, pCol);
    else sqlite3_bind_value(m->pStmt, iFirst+i, pCol->pMine);
  }
  if( !sqlxStep(p, m->pStmt) ) return;
  m->bTheirs = sqlite3_column_type(m->pStmt, 0)!=SQLITE_NULL;
  m->iVersion = sqlite3_column_int64(m->pStmt, 0);
  m->bSame = m->bTheirs && m->iVersion==m->iBase;
  m->bBase = m->bSame || (sqlite3_column_type(m->pStmt, 1)!=SQLITE_NULL
      && !(m->bTheirs && m->iBase>m->iVersion));
}

/* ---- as JSON ---------------------------------------------------------- */

static void mergeName(sqlite3_str *pStr, const char *zName, int *pn){
  if( (*pn)++ ) sqlite3_str_appendchar(pStr, 1, ',');
  jsonString(pStr, zName, (u32)strlen(zName));
}

/* Appends a value; a BLOB as an object. */
static void mergeValue(Merge *m, sqlite3_str *pStr, sqlite3_value *pVal){
  if( sqlite3_value_type(pVal)==SQLITE_BLOB ){
    const unsigned char *a = sqlite3_value_blob(pVal);
    int n = sqlite3_value_bytes(pVal), i;
    sqlite3_str_appendall(pStr, "{\"blob\":\"");
    for(i=0; i<n && a; i++) sqlite3_str_appendf(pStr, "%02x", a[i]);
    sqlite3_str_appendall(pStr, "\"}");
  }else if( !jsonValue(pStr, pVal) && m->p->rc==SQLITE_OK ){
    m->p->rc = SQLITE_NOMEM;
  }
}

static void mergeOne(Merge *m, sqlite3_str *pStr, const MergeColumn *pCol){
  if( pCol->bBlob ){
    sqlite3_str_appendf(pStr, "{\"blob\":\"%s\"}",
                        (const char*)sqlite3_value_text(pCol->pMine));
  }else{
    mergeValue(m, pStr, pCol->pMine);
  }
}

static int bitsOf(const Merge *m, int i){
  return sqlite3_column_int(m->pStmt, MERGE_BITS(i));
}

/* What becomes of a column. */
typedef enum MergeOutcome { TAKE_THEIRS, TAKE_MINE, CONFLICT } MergeOutcome;

static MergeOutcome outcomeOf(const Merge *m, int i){
  int mBits = bitsOf(m, i);
  int bBase = m->bBase && !(mBits & MERGE_NO_BASE);
  if( m->aCol[i].pMine==0 ) return TAKE_THEIRS;
  if( m->bTheirs && (mBits & MERGE_MINE_IS_THEIRS) ) return TAKE_THEIRS;
  if( m->bSame ) return TAKE_MINE;
  if( bBase && (mBits & MERGE_MINE_IS_BASE) ) return TAKE_THEIRS;
  if( bBase && m->bTheirs && (mBits & MERGE_BASE_IS_THEIRS) ) return TAKE_MINE;
  return CONFLICT;
}

/* Appends the row as it is, or as it was. */
static void mergeRow(Merge *m, sqlite3_str *pStr, int bBase){
  int i, n = 0;
  if( !(bBase ? m->bBase : m->bTheirs) ){
    sqlite3_str_appendall(pStr, "null");
    return;
  }
  sqlite3_str_appendchar(pStr, 1, '{');
  for(i=0; i<m->nCol; i++){
    int bKept = bBase && !m->bSame;
    if( bKept && (bitsOf(m, i) & MERGE_NO_BASE) ) continue;
    mergeName(pStr, m->aCol[i].pCol->zName, &n);
    sqlite3_str_appendchar(pStr, 1, ':');
    mergeValue(m, pStr, sqlite3_column_value(m->pStmt,
                         bKept ? MERGE_BASE(i) : MERGE_THEIRS(i)));
  }
  mergeName(pStr, m->tab.stored.zColumn, &n);
  sqlite3_str_appendf(pStr, ":%lld}", bBase ? m->iBase : m->iVersion);
}

static void mergeMine(Merge *m, sqlite3_str *pStr){
  int i, n = 0;
  sqlite3_str_appendchar(pStr, 1, '{');
  for(i=0; i<m->nCol; i++){
    if( m->aCol[i].pMine==0 ) continue;
    mergeName(pStr, m->aCol[i].pCol->zName, &n);
    sqlite3_str_appendchar(pStr, 1, ':');
    mergeOne(m, pStr, &m->aCol[i]);
  }
  sqlite3_str_appendchar(pStr, 1, '}');
}

/* The version is the one that an UPDATE must carry now. */
static void mergeMerged(Merge *m, sqlite3_str *pStr){
  int bEcho = sqlite3_stricmp(m->tab.stored.zMode, "echo")==0;
  int i, n = 0;
  if( !m->bTheirs ){
    sqlite3_str_appendall(pStr, "null");
    return;
  }
  sqlite3_str_appendchar(pStr, 1, '{');
  for(i=0; i<m->nCol; i++){
    mergeName(pStr, m->aCol[i].pCol->zName, &n);
    sqlite3_str_appendchar(pStr, 1, ':');
    if( outcomeOf(m, i)==TAKE_MINE ){
      mergeOne(m, pStr, &m->aCol[i]);
    }else{
      mergeValue(m, pStr, sqlite3_column_value(m->pStmt, MERGE_THEIRS(i)));
    }
  }
  mergeName(pStr, m->tab.stored.zColumn, &n);
  sqlite3_str_appendf(pStr, ":%lld}", m->iVersion + !bEcho);
}

static const char *mergeText(Merge *m){
  sqlite3_str *pStr = sqlite3_str_new(m->p->db);
  int i, n = 0;
  if( m->bTheirs ){
    sqlite3_str_appendf(pStr, "{\"version\":%lld,\"base\":", m->iVersion);
  }else{
    sqlite3_str_appendall(pStr, "{\"version\":null,\"base\":");
  }
  mergeRow(m, pStr, 1);
  sqlite3_str_appendall(pStr, ",\"theirs\":");
  mergeRow(m, pStr, 0);
  sqlite3_str_appendall(pStr, ",\"mine\":");
  mergeMine(m, pStr);
  sqlite3_str_appendall(pStr, ",\"merged\":");
  mergeMerged(m, pStr);
  sqlite3_str_appendall(pStr, ",\"conflicts\":[");
  for(i=0; i<m->nCol; i++){
    if( outcomeOf(m, i)==CONFLICT ){
      mergeName(pStr, m->aCol[i].pCol->zName, &n);
    }
  }
  sqlite3_str_appendall(pStr, "]}");
  return sqlxText(m->p, pStr);
}

/* Refuses a key in mine that is not the one of the call: a merge is of one
** row. */
static void checkKey(Merge *m){
  const TableInfo *pInfo = &m->tab.base.info;
  int i;
  for(i=0; i<m->nCol && m->bTheirs; i++){
    const MergeColumn *pCol = &m->aCol[i];
    if( pCol->pMine==0 || !pCol->pCol->bKey
     || (bitsOf(m, i) & MERGE_MINE_IS_THEIRS) ) continue;
    sqlxBad(m->p, "mine has another value in %s, which is part of the key of"
                  " %s; allowed is the one of the row", pCol->pCol->zName,
            pInfo->zName);
  }
}

/* ---- functions -------------------------------------------------------- */

/*
** SQL FUNCTION versioned_at(table, key..., version)
**
** Returns what a row looked like at a version, as JSON: an object with a member
** for each column that is not generated. The present version is always known,
** an earlier one if the table is declared with `history` and it was not purged.
** A column that was added to the table since then is left out, unless one of
** the same name was dropped before: then its old values are shown. A BLOB is
** `{"blob": "00ff"}`, in hex digits.
**
** Arguments:
**   table    TEXT     name, or schema.name, of a versioned table
**   key      ANY      a value for each column of the key, in its order
**   version  INTEGER  the version
** Result: TEXT JSON; NULL if it is not known
** Errors:
**   `bad argument:` SQLITE_ERROR
** From: AS OF in the temporal tables of SQL:2011
** Example:
**   CREATE TABLE account(id INTEGER PRIMARY KEY, owner TEXT, balance INT);
**   INSERT INTO account VALUES(1, 'Ada', 100);
**   SELECT versioned('account', 'version', 'auto', 'history=30d');
**   -- account.version
**   UPDATE account SET balance = 90, version = 2 WHERE id = 1;
**   SELECT versioned_at('account', 1, 1);
**   -- {"id":1,"owner":"Ada","balance":100,"version":1}
**   DELETE FROM account WHERE id = 1;
**   SELECT versioned_at('account', 1, 2);
**   -- {"id":1,"owner":"Ada","balance":90,"version":2}
**   SELECT versioned_at('account', 1, 3) IS NULL;
**   -- 1
*/
static void versionedAtFunc(
  sqlite3_context *ctx,
  int nArg,
  sqlite3_value **apArg
){
  Sqlx x;
  Merge m;
  const char *z = 0;
  sqlxBegin(&x, sqlite3_context_db_handle(ctx));
  if( nArg<3 ){
    sqlxBad(&x, "%d given; allowed is versioned_at(table, key..., version)",
            nArg);
  }else{
    const char *zTable = argsText(&x, apArg[0], "table");
    sqlite3_int64 iBase = argsInteger(&x, apArg[nArg-1], "version");
    if( x.rc==SQLITE_OK && mergeOpen(&m, &x, zTable, nArg-2, &apArg[1]) ){
      m.iBase = iBase;
      mergeSelect(&m);
      if( x.rc==SQLITE_OK && m.bBase ){
        sqlite3_str *pStr = sqlite3_str_new(x.db);
        mergeRow(&m, pStr, 1);
        z = sqlxText(&x, pStr);
      }
      mergeClose(&m);
    }
  }
  argsEndText(&x, ctx, z);
}

/*
** SQL FUNCTION versioned_merge(table, key..., version, mine)
**
** Tells what a write that was refused as stale would have run into, and merges
** what does not collide. The result is a JSON object. `base` is the row at the
** version that the caller read, `theirs` the row as it is, and `version` its
** version. `mine` repeats the values that the caller wants to write.
**
** `merged` is the row to write instead: a column that only the caller has
** changed has the caller's value, any other the row's. Its version is the one
** that an UPDATE must carry next, by the mode of the table. `conflicts` names
** the columns that both have changed to different values; `merged` has theirs
** there, and the caller must decide. Write again only then, and carry that
** version: if yet another writer was faster, that write is refused, too.
**
** The base is known if the table is declared with `history` and the version was
** not purged. Without a base (`null`, or a column that it lacks), every column
** in which mine and theirs differ is a conflict. If the row is gone, `theirs`,
** `merged` and `version` are null, and the conflicts are what the caller has
** changed.
**
** Values are compared by SQLite as the column stores them: the text `'90'` of a
** form equals the number 90 in an INTEGER column. Case counts, whatever the
** collation of the column. A column that `mine` leaves out is not changed by
** the caller. The version and generated columns are ignored in it, the key must
** be that of the row. A BLOB is `{"blob": "00ff"}`, in hex digits, as in the
** result. Integers beyond 2^53 are exact here, but some parsers of JSON round
** them.
** The function needs SQLite's JSON functions, which a build older than 3.38 can
** lack.
**
** Arguments:
**   table    TEXT     name, or schema.name, of a versioned table
**   key      ANY      a value for each column of the key, in its order
**   version  INTEGER  the version that was read
**   mine     TEXT     a JSON object: the columns, with the values to write
** Result: TEXT JSON: `version`, `base`, `theirs`, `mine`, `merged`, `conflicts`
** Errors:
**   `bad argument:` SQLITE_ERROR
** From: diff3 and merge of version control
** Example:
**   CREATE TABLE account(id INTEGER PRIMARY KEY, owner TEXT, balance INT);
**   INSERT INTO account VALUES(1, 'Ada', 100);
**   SELECT versioned('account', 'version', 'auto', 'history=30d');
**   -- account.version
**   UPDATE account SET balance = 90, version = 2 WHERE id = 1;
**   UPDATE account SET owner = 'Bob', version = 2 WHERE id = 1;
**   -- error: stale write: account.version (if it was sent as read: mode echo)
**   SELECT versioned_merge('account', 1, 1, '{"owner":"Bob","balance":100}');
**   -- {"version":2,"base":{"id":1,"owner":"Ada","balance":100,"version":1},...
**   SELECT json_extract(versioned_merge('account', 1, 1,
**     '{"owner":"Bob","balance":100}'), '$.merged', '$.conflicts');
**   -- [{"id":1,"owner":"Bob","balance":90,"version":3},[]]
**   SELECT json_extract(versioned_merge('account', 1, 1, '{"balance":70}'),
**     '$.merged.balance', '$.conflicts');
**   -- [90,["balance"]]
*/
static void versionedMergeFunc(
  sqlite3_context *ctx,
  int nArg,
  sqlite3_value **apArg
){
  Sqlx x;
  Merge m;
  const char *z = 0;
  sqlxBegin(&x, sqlite3_context_db_handle(ctx));
  if( nArg<4 ){
    sqlxBad(&x, "%d given; allowed is versioned_merge(table, key..., version,"
                " mine)", nArg);
  }else{
    const char *zTable = argsText(&x, apArg[0], "table");
    sqlite3_int64 iBase = argsInteger(&x, apArg[nArg-2], "version");
    if( x.rc==SQLITE_OK && sqlite3_value_type(apArg[nArg-1])!=SQLITE_TEXT ){
      sqlxBad(&x, "mine is %s; allowed is TEXT, a JSON object",
              argsType(apArg[nArg-1]));
    }
    if( x.rc==SQLITE_OK && mergeOpen(&m, &x, zTable, nArg-3, &apArg[1]) ){
      m.iBase = iBase;
      takeMine(&m, apArg[nArg-1]);
      mergeSelect(&m);
      checkKey(&m);
      if( x.rc==SQLITE_OK ) z = mergeText(&m);
      mergeClose(&m);
    }
  }
  argsEndText(&x, ctx, z);
}

static const Function aMerge[] = {
  { "versioned_at",    FUNCTION_ANY, versionedAtFunc,    { 0, 0, 0, 0 } },
  { "versioned_merge", FUNCTION_ANY, versionedMergeFunc, { 0, 0, 0, 0 } },
};

FunctionList mergeFunctions(void){
  FunctionList t = { aMerge, sizeof(aMerge)/sizeof(aMerge[0]) };
  return t;
}
