/* SPDX-License-Identifier: 0BSD */
/*
** The keys of tables and rows in a lock file. See rowkey.h.
*/
#include <string.h>
#include "session/rowkey.h"
#include "sqlite/args.h"
#include "sqlite/pragma.h"
#include "schema/tableinfo.h"
SQLITE_EXTENSION_INIT3

/* Columns of the PRAGMAs used here. */
enum { TABLE_NAME_OF = 1, TABLE_TYPE, TABLE_PK = 5 };
enum { INDEX_NAME_OF = 1, INDEX_ORIGIN = 3 };
enum { TERM_COLUMN = 1, TERM_NAME, TERM_COLL = 4, TERM_KEY };
enum { LISTED_STRICT = 5 };

/* ---- the table -------------------------------------------------------- */

/*
** Brings the schema in memory up to date with its file. Since this connection
** last read the file, another one can have made the table, or made it anew with
** a key that compares differently. To run a PRAGMA of the schema does that, and
** reads the file for a moment. In BEGIN that read would not end. There a
** statement with a table that does not exist is compiled: before SQLite reports
** that, it compares the schema with the file, in a read transaction that ends
** with it. The statement is never run, since a hostile file can have that
** table. If the file is locked against readers, the schema stays as it is.
*/
static void refreshSchema(Sqlx *p, const char *zSchema){
  const char *zSql;
  sqlite3_stmt *pStmt = 0;
  int bRun = sqlite3_get_autocommit(p->db)
          || sqlite3_txn_state(p->db, zSchema)!=SQLITE_TXN_NONE;
  int rc;
  if( bRun ){
    zSql = sqlxPrintf(p, "PRAGMA \"%w\".table_info(sqlite_interlock)", zSchema);
  }else{
    zSql = sqlxPrintf(p, "SELECT 1 FROM \"%w\".sqlite_interlock", zSchema);
  }
  if( p->rc!=SQLITE_OK ) return;
  rc = sqlite3_prepare_v3(p->db, zSql, -1, PREPARE_DONT_LOG, &pStmt, 0);
  if( rc==SQLITE_OK && bRun ) rc = sqlite3_step(pStmt);
  sqlite3_finalize(pStmt);
  if( rc==SQLITE_NOMEM ) p->rc = rc;
}

/* Whether a schema has a table of that name. */
static int isTable(Sqlx *p, const char *zSchema, const char *zName){
  if( sqlite3_stricmp(zSchema, "temp")!=0 ) refreshSchema(p, zSchema);
  return sqlxTable(p, zSchema, zName);
}

/* The schema in which SQLite finds an unqualified name: temp, then the others
** in their order. NULL if no schema has a table of that name. */
static const char *schemaOf(Sqlx *p, const char *zName){
  const char **az;
  int i;
  if( isTable(p, "temp", zName) ) return "temp";
  az = sqlxSchemas(p);
  for(i=0; az && az[i]; i++){
    if( isTable(p, az[i], zName) ) return az[i];
  }
  return 0;
}

/* Finds the table of this name, in a schema or in all (NULL); 0 if there is
** none. */
static int takeTable(Sqlx *p, const char *zSchema, const char *zName,
                     RowkeyTable *pTab){
  if( zSchema==0 ) zSchema = schemaOf(p, zName);
  else if( !isTable(p, zSchema, zName) ) zSchema = 0;
  if( zSchema==0 ) return 0;
  pTab->zSchema = zSchema;
  pTab->zName = zName;
  return 1;
}

/* Whether a query could read something of that name. It is not run: that would
** begin a read transaction. */
static int canRead(Sqlx *p, const char *zSchema, const char *zName){
  const char *zSql;
  sqlite3_stmt *pStmt = 0;
  int rc;
  if( zSchema ){
    zSql = sqlxPrintf(p, "SELECT 1 FROM \"%w\".\"%w\"", zSchema, zName);
  }else{
    zSql = sqlxPrintf(p, "SELECT 1 FROM \"%w\"", zName);
  }
  if( p->rc!=SQLITE_OK ) return 0;
  rc = sqlite3_prepare_v3(p->db, zSql, -1, PREPARE_DONT_LOG, &pStmt, 0);
  sqlite3_finalize(pStmt);
  if( rc==SQLITE_NOMEM ) p->rc = rc;
  return rc==SQLITE_OK;
}

/* Says why there is no table of that name. */
static void failAbsent(
  Sqlx *p,
  const char *zTable,
  const char *zSchema,
  const char *zName
){
  if( canRead(p, zSchema, tableinfoUnquote(p, zName)) ){
    sqlxBad(p, "%s is a view or a table-valued function; allowed are tables",
            zName);
  }else{
    sqlxBad(p, "there is no table %Q; allowed is the name of a table, or"
               " schema.name", zTable);
  }
}

int rowkeyTable(Sqlx *p, const char *zTable, RowkeyTable *pTab){
  const char *zSchema = 0, *zName = 0;
  memset(pTab, 0, sizeof(*pTab));
  if( zTable==0 || p->rc!=SQLITE_OK ) return 0;
  tableinfoSplit(p, zTable, &zSchema, &zName);
  if( (zSchema || !takeTable(p, 0, zName, pTab))
   && !takeTable(p, zSchema, tableinfoUnquote(p, zName), pTab) ){
    failAbsent(p, zTable, zSchema, zName);
  }else if( sqlite3_strnicmp(pTab->zName, "sqlite_", 7)==0 ){
    sqlxBad(p, "%s belongs to SQLite itself; allowed are other tables",
            pTab->zName);
  }else if( sqlite3_stricmp(pTab->zSchema, "temp")==0 ){
    sqlxBad(p, "table %s is temporary: no other connection reaches it; allowed"
               " are tables of a database file", pTab->zName);
  }
  return p->rc==SQLITE_OK && lockkeyTable(p, pTab->zName, &pTab->key);
}

int rowkeyGone(Sqlx *p, const char *zTable, RowkeyTable *pTab){
  const char *zName = 0;
  int bThere = rowkeyTable(p, zTable, pTab);
  pTab->bGone = 1;
  if( bThere ) return 1;
  if( p->rc!=SQLITE_ERROR || pTab->zSchema ) return 0;
  sqlxClear(p);
  tableinfoSplit(p, zTable, &pTab->zSchema, &zName);
  pTab->zName = tableinfoUnquote(p, zName);
  return p->rc==SQLITE_OK && lockkeyTable(p, pTab->zName, &pTab->key);
}

/* ---- its key ---------------------------------------------------------- */

static void readPragma(
  Sqlx *p,
  const RowkeyTable *pTab,
  const char *zPragma,
  const char *zOf,
  PragmaRows *pRows
){
  pragmaRead(p, sqlxPrintf(p, "PRAGMA \"%w\".%s(\"%w\")", pTab->zSchema,
                           zPragma, zOf), pRows);
}

static int isStrictTable(Sqlx *p, const RowkeyTable *pTab){
  PragmaRows rows;
  if( sqlite3_libversion_number()<3037000 ) return 0;
  readPragma(p, pTab, "table_list", pTab->zName, &rows);
  return rows.nRow>0 && pragmaInteger(&rows, 0, LISTED_STRICT);
}

static KeyCollation collationCalled(
  Sqlx *p,
  const RowkeyTable *pTab,
  const char *zColumn,
  const char *zColl
){
  if( zColl==0 || sqlite3_stricmp(zColl, "BINARY")==0 ) return KEY_BINARY;
  if( sqlite3_stricmp(zColl, "NOCASE")==0 ) return KEY_NOCASE;
  if( sqlite3_stricmp(zColl, "RTRIM")==0 ) return KEY_RTRIM;
  sqlxBad(p, "key column %s of table %s compares by %s; allowed are BINARY,"
             " NOCASE and RTRIM", zColumn, pTab->zName, zColl);
  return KEY_BINARY;
}

/* Adds a column, row iRow of table_xinfo, to the key. */
static void addColumn(
  Sqlx *p,
  RowkeyTable *pTab,
  const PragmaRows *pInfo,
  int iRow,
  const char *zColl
){
  const char *zName = pragmaText(pInfo, iRow, TABLE_NAME_OF);
  const char *zType = pragmaText(pInfo, iRow, TABLE_TYPE);
  RowkeyColumn *pCol;
  if( zName==0 ) return;
  pTab->aCol = sqlxGrow(p, pTab->aCol, pTab->nCol, sizeof(*pCol));
  if( pTab->aCol==0 ) return;
  pCol = &pTab->aCol[pTab->nCol++];
  pCol->zName = zName;
  pCol->zType = zType ? zType : "";
  pCol->zAffinity = tableinfoAffinity(pCol->zType,
      sqlite3_stricmp(pCol->zType, "ANY")==0 && isStrictTable(p, pTab));
  pCol->eColl = collationCalled(p, pTab, zName, zColl);
}

/* Reads the index that keeps the key unique: the table itself if it is WITHOUT
** ROWID, or an index. 0 if it is the rowid. */
static int readIndexOfKey(Sqlx *p, RowkeyTable *pTab, PragmaRows *pTerms){
  PragmaRows list;
  int i;
  readPragma(p, pTab, "index_list", pTab->zName, &list);
  readPragma(p, pTab, "index_xinfo", pTab->zName, pTerms);
  if( pTerms->nRow ) return 1;
  for(i=0; i<list.nRow; i++){
    const char *zOrigin = pragmaText(&list, i, INDEX_ORIGIN);
    const char *zIndex = pragmaText(&list, i, INDEX_NAME_OF);
    if( zOrigin==0 || zIndex==0 || strcmp(zOrigin, "pk")!=0 ) continue;
    readPragma(p, pTab, "index_xinfo", zIndex, pTerms);
    return 1;
  }
  return 0;
}

int rowkeyRead(Sqlx *p, RowkeyTable *pTab){
  PragmaRows info, terms;
  int nKey = 0, iKey = 0, i;
  readPragma(p, pTab, "table_xinfo", pTab->zName, &info);
  for(i=0; i<info.nRow; i++){
    if( pragmaInteger(&info, i, TABLE_PK)==0 ) continue;
    nKey++;
    iKey = i;
  }
  if( nKey && readIndexOfKey(p, pTab, &terms) ){
    for(i=0; i<terms.nRow; i++){
      if( !pragmaInteger(&terms, i, TERM_KEY) ) continue;
      addColumn(p, pTab, &info, pragmaInteger(&terms, i, TERM_COLUMN),
                pragmaText(&terms, i, TERM_COLL));
    }
  }else if( nKey ){
    pTab->bRowid = 1;
    addColumn(p, pTab, &info, iKey, 0);
  }
  return p->rc==SQLITE_OK;
}

int rowkeyColumns(Sqlx *p, RowkeyTable *pTab){
  if( rowkeyRead(p, pTab) && pTab->nCol==0 ){
    sqlxBad(p, "table %s has no PRIMARY KEY, so nothing names its rows for"
               " long (VACUUM renumbers them); allowed are tables with one",
            pTab->zName);
  }
  return p->rc==SQLITE_OK;
}

/* ---- a row ------------------------------------------------------------ */

#define FEW_COLUMNS 4      /* a key of more columns needs memory */

/* A number, by its value: 42.0 is 42. A REAL column rounds integers beyond
** 2^53. */
static void takeNumber(
  sqlite3_value *pArg,
  const RowkeyColumn *pCol,
  KeyValue *pVal
){
  if( sqlite3_value_type(pArg)==SQLITE_INTEGER
   && strcmp(pCol->zAffinity, "REAL")!=0 ){
    pVal->eType = KEY_VALUE_INTEGER;
    pVal->i = sqlite3_value_int64(pArg);
  }else{
    keyValueReal(pVal, sqlite3_value_double(pArg));
  }
}

static void takeBytes(
  Sqlx *p,
  sqlite3_value *pArg,
  const RowkeyColumn *pCol,
  KeyValue *pVal
){
  int bText = sqlite3_value_type(pArg)!=SQLITE_BLOB;
  const void *pData = 0;
  u8 *pCopy = 0;
  pVal->eType = bText ? KEY_VALUE_TEXT : KEY_VALUE_BLOB;
  /* lockkeyRow() refuses what is too long by its length. So SQLite must not
  ** expand a zeroblob for it. */
  if( !bText && sqlite3_value_bytes(pArg)>(int)LIMIT_KEY ){
    pVal->n = (u32)sqlite3_value_bytes(pArg);
    return;
  }
  pData = bText ? (const void*)sqlite3_value_text(pArg)
                : sqlite3_value_blob(pArg);
  pVal->n = (u32)sqlite3_value_bytes(pArg);
  pVal->p = pData;
  if( pData==0 && (bText || pVal->n) ){
    p->rc = SQLITE_NOMEM;
  }else if( bText ){
    KeyCollation eColl = pCol->eColl;
    if( eColl==KEY_NOCASE && pVal->n>LIMIT_KEY ) eColl = KEY_BINARY;
    if( eColl==KEY_NOCASE ) pCopy = sqlxAlloc(p, pVal->n + 1);
    if( p->rc==SQLITE_OK ) keyValueText(pVal, eColl, pData, pVal->n, pCopy);
  }
}

/* A value as its column stores it. */
static void takeValue(
  Sqlx *p,
  const RowkeyTable *pTab,
  const RowkeyColumn *pCol,
  sqlite3_value *pArg,
  KeyValue *pVal
){
  int bText = strcmp(pCol->zAffinity, "TEXT")==0;
  int eType = sqlite3_value_type(pArg);
  memset(pVal, 0, sizeof(*pVal));
  if( eType==SQLITE_TEXT && !bText && pCol->zAffinity[0] ){
    eType = sqlite3_value_numeric_type(pArg);
  }
  if( eType==SQLITE_NULL ){
    sqlxBad(p, "%s, of the key of %s, is NULL; no row has that", pCol->zName,
            pTab->zName);
  }else if( eType==SQLITE_BLOB || eType==SQLITE_TEXT || bText ){
    takeBytes(p, pArg, pCol, pVal);
  }else{
    takeNumber(pArg, pCol, pVal);
  }
  if( p->rc==SQLITE_OK && pTab->bRowid && pVal->eType!=KEY_VALUE_INTEGER ){
    sqlxBad(p, "%s, of the key of %s, is %s; allowed is INTEGER",
            pCol->zName, pTab->zName, argsType(pArg));
  }
}

/* The values of a key, in aFew or in memory of the request; NULL with an
** error. */
static KeyValue *takeValues(
  Sqlx *p,
  const RowkeyTable *pTab,
  int nArg,
  sqlite3_value **apArg,
  KeyValue *aFew
){
  static const RowkeyColumn asGiven = { "a value", "", "", KEY_BINARY };
  KeyValue *aVal = aFew;
  int i;
  if( p->rc!=SQLITE_OK ) return 0;
  if( nArg!=pTab->nCol && !pTab->bGone ){
    sqlxBad(p, "%d values for the key of %s; allowed is %d", nArg, pTab->zName,
            pTab->nCol);
    return 0;
  }
  if( nArg>FEW_COLUMNS ){
    aVal = sqlxAlloc(p, (sqlite3_uint64)nArg*sizeof(*aVal));
  }
  for(i=0; i<nArg && p->rc==SQLITE_OK; i++){
    takeValue(p, pTab, pTab->bGone ? &asGiven : &pTab->aCol[i], apArg[i],
              &aVal[i]);
  }
  return p->rc==SQLITE_OK ? aVal : 0;
}

int rowkeyRow(
  Sqlx *p,
  const RowkeyTable *pTab,
  int nArg,
  sqlite3_value **apArg,
  LockKey *pKey
){
  KeyValue aFew[FEW_COLUMNS];
  const KeyValue *aVal = takeValues(p, pTab, nArg, apArg, aFew);
  return aVal && lockkeyRow(p, &pTab->key, aVal, nArg, pKey);
}

int rowkeyLockable(
  Sqlx *p,
  const RowkeyTable *pTab,
  int nArg,
  sqlite3_value **apArg,
  LockKey *pKey
){
  KeyValue aFew[FEW_COLUMNS];
  const KeyValue *aVal = takeValues(p, pTab, nArg, apArg, aFew);
  return aVal && keyRowBytes(&pTab->key, aVal, (u32)nArg)<=LIMIT_KEY
      && lockkeyRow(p, &pTab->key, aVal, nArg, pKey);
}

int rowkeyInteger(
  Sqlx *p,
  const RowkeyTable *pTab,
  sqlite3_int64 i,
  LockKey *pKey
){
  KeyValue val = { KEY_VALUE_INTEGER, 0, 0.0, 0, 0 };
  assert( pTab->bRowid );
  val.i = i;
  return lockkeyRow(p, &pTab->key, &val, 1, pKey);
}
