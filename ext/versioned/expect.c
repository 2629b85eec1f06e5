/* SPDX-License-Identifier: 0BSD */
/*
** Read-set validation. See expect.h.
*/
#include "versioned/expect.h"
#include "schema/keytable.h"
#include "versioned/versioned.h"
SQLITE_EXTENSION_INIT3

/* Refuses a call outside a transaction and outside a statement that writes:
** nothing would keep the row as it was seen. */
static void needTransaction(Sqlx *p){
  if( !sqlite3_get_autocommit(p->db) || sqlxWrites(p->db) ) return;
  sqlxFail(p, SQLITE_ERROR, "no transaction: expect_version needs BEGIN, or"
      " a statement that writes");
}

/* Prepares the query that reads the version under a key, ?1, ?2, ... */
static sqlite3_stmt *versionQuery(Sqlx *p, const VersionedTable *pTab){
  const TableInfo *pInfo = &pTab->base.info;
  sqlite3_str *pStr = sqlite3_str_new(p->db);
  int i;
  for(i=0; i<pInfo->key.nTerm; i++){
    const TableInfoTerm *pTerm = &pInfo->key.aTerm[i];
    sqlite3_str_appendf(pStr, "%s\"%w\"=?%d COLLATE \"%w\"",
        i ? " AND " : "", pInfo->aCol[pTerm->iCol].zName, i+1,
        pTerm->zColl);
  }
  if( pInfo->bRowidKey ){
    sqlite3_str_appendf(pStr, "%s=?1", pInfo->zRowid);
  }
  return sqlxPrepare(p, "SELECT \"%w\" FROM \"%w\".\"%w\" WHERE %s",
      pTab->stored.zColumn, pInfo->zSchema, pInfo->zName,
      sqlxText(p, pStr));
}

/* Returns the key as it was given, for the error text. */
static const char *keyText(Sqlx *p, int nKey, sqlite3_value **apKey){
  sqlite3_stmt *pStmt = sqlxPrepare(p, "SELECT quote(?1)");
  sqlite3_str *pStr = sqlite3_str_new(p->db);
  int i;
  for(i=0; i<nKey && p->rc==SQLITE_OK; i++){
    const char *z = 0;
    sqlite3_bind_value(pStmt, 1, apKey[i]);
    if( sqlxStep(p, pStmt) ) z = sqlxColumn(p, pStmt, 0);
    sqlite3_reset(pStmt);
    sqlite3_str_appendf(pStr, "%s%.100s", i ? ", " : "", z ? z : "?");
  }
  sqlxFinalize(p, pStmt);
  return sqlxText(p, pStr);
}

/*
** SQL ERROR stale read:
**
** A row that the transaction rests on is no longer at the version that was
** read. The text names the row, the version it is at, and the expected
** version.
**
** Code: SQLITE_CONSTRAINT_FUNCTION
** Retry: the transaction, from the reading on
** Cure: none is needed
*/
static void compare(
  Sqlx *p,
  const VersionedTable *pTab,
  sqlite3_stmt *pStmt,
  const char *zKey,
  sqlite3_value *pVersion,
  sqlite3_int64 *piFound
){
  int bRow = sqlxStep(p, pStmt);
  const char *zName = pTab->base.info.zName;
  if( p->rc!=SQLITE_OK ) return;
  if( bRow ) *piFound = sqlite3_column_int64(pStmt, 0);
  if( sqlite3_value_type(pVersion)==SQLITE_NULL ){
    if( bRow ){
      sqlxFail(p, SQLITE_CONSTRAINT_FUNCTION, "stale read: %s(%s) is at"
          " version %lld, expected no such row", zName, zKey, *piFound);
    }
  }else if( !bRow ){
    sqlxFail(p, SQLITE_CONSTRAINT_FUNCTION, "stale read: %s(%s) is gone,"
        " expected version %lld", zName, zKey,
        sqlite3_value_int64(pVersion));
  }else if( *piFound!=sqlite3_value_int64(pVersion) ){
    sqlxFail(p, SQLITE_CONSTRAINT_FUNCTION, "stale read: %s(%s) is at"
        " version %lld, expected %lld", zName, zKey, *piFound,
        sqlite3_value_int64(pVersion));
  }
}

/* Returns the version of the row if it is the expected one. Version NULL
** expects that there is no such row. */
sqlite3_int64 expectVersion(
  Sqlx *p,
  const char *zTable,
  int nKey,
  sqlite3_value **apKey,
  sqlite3_value *pVersion
){
  VersionedTable tab;
  sqlite3_stmt *pStmt;
  sqlite3_int64 iFound = 0;
  int nWant, i;
  if( !versionedFind(p, zTable, &tab) || !tab.base.bDeclared ){
    sqlxBad(p, "table %Q is not versioned; allowed are tables of"
               " versioned_tables", zTable);
    return 0;
  }
  nWant = keytableCount(&tab.base.info);
  if( nKey!=nWant ){
    sqlxBad(p, "%d values for the key of %s; allowed is %d", nKey,
            tab.base.info.zName, nWant);
  }
  if( tableinfoColumn(&tab.base.info, tab.stored.zColumn)<0 ){
    sqlxBad(p, "table %s has no column %s any more; allowed is"
               " versioned_repair()", tab.base.info.zName, tab.stored.zColumn);
  }
  needTransaction(p);
  pStmt = versionQuery(p, &tab);
  for(i=0; i<nKey && pStmt && p->rc==SQLITE_OK; i++){
    int rc = sqlite3_bind_value(pStmt, i+1, apKey[i]);
    if( rc!=SQLITE_OK ) sqlxFail(p, rc, "%s", sqlite3_errmsg(p->db));
  }
  compare(p, &tab, pStmt, keyText(p, nKey, apKey), pVersion, &iFound);
  sqlxFinalize(p, pStmt);
  return iFound;
}
