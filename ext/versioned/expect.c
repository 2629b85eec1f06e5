/* SPDX-License-Identifier: 0BSD */
/*
** Read-set validation. See expect.h.
*/
#include "versioned/expect.h"
#include "schema/keytable.h"
#include "versioned/versioned.h"
SQLITE_EXTENSION_INIT3

int expectFind(
  Sqlx *p,
  const char *zTable,
  int nKey,
  VersionedTable *pTab
){
  int nWant;
  if( !versionedFind(p, zTable, pTab) || !pTab->base.bDeclared ){
    sqlxBad(p, "table %Q is not versioned; allowed are tables of"
               " versioned_tables", zTable);
    return 0;
  }
  nWant = keytableCount(&pTab->base.info);
  if( nKey!=nWant ){
    sqlxBad(p, "%d values for the key of %s; allowed is %d", nKey,
            pTab->base.info.zName, nWant);
  }
  if( tableinfoColumn(&pTab->base.info, pTab->stored.zColumn)<0 ){
    sqlxBad(p, "table %s has no column %s any more; allowed is"
               " versioned_repair()", pTab->base.info.zName,
            pTab->stored.zColumn);
  }
  return p->rc==SQLITE_OK;
}

void expectTransaction(Sqlx *p, const char *zFunction){
  if( !sqlite3_get_autocommit(p->db) || sqlxWrites(p->db) ) return;
  sqlxFail(p, SQLITE_ERROR, "no transaction: %s needs BEGIN, or"
      " a statement that writes", zFunction);
}

const char *expectKeyIs(Sqlx *p, const TableInfo *pInfo, const char *zPrefix){
  sqlite3_str *pStr = sqlite3_str_new(p->db);
  int i;
  for(i=0; i<pInfo->key.nTerm; i++){
    const TableInfoTerm *pTerm = &pInfo->key.aTerm[i];
    sqlite3_str_appendf(pStr, "%s%s\"%w\"=?%d COLLATE \"%w\"",
        i ? " AND " : "", zPrefix, pInfo->aCol[pTerm->iCol].zName, i+1,
        pTerm->zColl);
  }
  if( pInfo->bRowidKey ){
    sqlite3_str_appendf(pStr, "%s%s=?1", zPrefix, pInfo->zRowid);
  }
  return sqlxText(p, pStr);
}

void expectBindKey(
  Sqlx *p,
  sqlite3_stmt *pStmt,
  int nKey,
  sqlite3_value **apKey
){
  int i;
  for(i=0; i<nKey && pStmt && p->rc==SQLITE_OK; i++){
    int rc = sqlite3_bind_value(pStmt, i+1, apKey[i]);
    if( rc!=SQLITE_OK ) sqlxFail(p, rc, "%s", sqlite3_errmsg(p->db));
  }
}

const char *expectKeyText(Sqlx *p, int nKey, sqlite3_value **apKey){
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
static sqlite3_int64 compare(
  Sqlx *p,
  const VersionedTable *pTab,
  int nKey,
  sqlite3_value **apKey,
  sqlite3_value *pVersion
){
  const TableInfo *pInfo = &pTab->base.info;
  const char *zName = pInfo->zName, *zKey = expectKeyText(p, nKey, apKey);
  sqlite3_int64 iWant = sqlite3_value_int64(pVersion), iFound = 0;
  int bNone = sqlite3_value_type(pVersion)==SQLITE_NULL;
  int bRow;
  sqlite3_stmt *pStmt = sqlxPrepare(p, "SELECT \"%w\" FROM \"%w\".\"%w\""
      " WHERE %s", pTab->stored.zColumn, pInfo->zSchema, zName,
      expectKeyIs(p, pInfo, ""));
  expectBindKey(p, pStmt, nKey, apKey);
  bRow = sqlxStep(p, pStmt);
  if( bRow ) iFound = sqlite3_column_int64(pStmt, 0);
  sqlxFinalize(p, pStmt);
  if( p->rc!=SQLITE_OK ) return 0;
  if( bNone && bRow ){
    sqlxFail(p, SQLITE_CONSTRAINT_FUNCTION, "stale read: %s(%s) is at"
        " version %lld, expected no such row", zName, zKey, iFound);
  }else if( !bNone && !bRow ){
    sqlxFail(p, SQLITE_CONSTRAINT_FUNCTION, "stale read: %s(%s) is gone,"
        " expected version %lld", zName, zKey, iWant);
  }else if( !bNone && iFound!=iWant ){
    sqlxFail(p, SQLITE_CONSTRAINT_FUNCTION, "stale read: %s(%s) is at"
        " version %lld, expected %lld", zName, zKey, iFound, iWant);
  }
  return iFound;
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
  if( !expectFind(p, zTable, nKey, &tab) ) return 0;
  expectTransaction(p, "expect_version");
  return compare(p, &tab, nKey, apKey, pVersion);
}

/* Deletes the row if it is at that version; a NULL counts as 0. One statement
** compares and deletes, so no transaction is needed. Returns 1, or 0 if a
** trigger has skipped it. */
int expectDelete(
  Sqlx *p,
  const char *zTable,
  int nKey,
  sqlite3_value **apKey,
  sqlite3_value *pVersion
){
  VersionedTable tab;
  const TableInfo *pInfo = &tab.base.info;
  sqlite3_stmt *pStmt;
  if( !expectFind(p, zTable, nKey, &tab) ) return 0;
  if( sqlxWrites(p->db) ){
    sqlxBad(p, "called in a statement that writes; allowed is a SELECT of"
               " its own");
  }
  pStmt = sqlxPrepare(p, "DELETE FROM \"%w\".\"%w\" WHERE %s"
      " AND ifnull(\"%w\",0)=?%d",
      pInfo->zSchema, pInfo->zName, expectKeyIs(p, pInfo, ""),
      tab.stored.zColumn, nKey+1);
  expectBindKey(p, pStmt, nKey, apKey);
  if( pStmt && p->rc==SQLITE_OK ){
    sqlite3_bind_int64(pStmt, nKey+1, sqlite3_value_int64(pVersion));
  }
  sqlxStep(p, pStmt);
  sqlxFinalize(p, pStmt);
  if( p->rc!=SQLITE_OK ) return 0;
  if( sqlite3_changes(p->db)>0 ) return 1;
  compare(p, &tab, nKey, apKey, pVersion);
  return 0;
}
