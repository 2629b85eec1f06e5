/* SPDX-License-Identifier: 0BSD */
/*
** The key columns of side tables. See keytable.h.
*/
#include "schema/keytable.h"
#include "schema/clause.h"
SQLITE_EXTENSION_INIT3

int keytableCount(const TableInfo *pInfo){
  return pInfo->bRowidKey ? 1 : pInfo->key.nTerm;
}

const char *keytableKeys(Sqlx *p, const TableInfo *pInfo){
  sqlite3_str *pStr = sqlite3_str_new(p->db);
  int i;
  for(i=1; i<=keytableCount(pInfo); i++){
    clauseJoin(pStr, ",");
    sqlite3_str_appendf(pStr, "k%d", i);
  }
  return sqlxText(p, pStr);
}

const char *keytableColumns(Sqlx *p, const TableInfo *pInfo){
  sqlite3_str *pStr;
  int i;
  if( pInfo->bRowidKey ) return "k1 INTEGER PRIMARY KEY";
  pStr = sqlite3_str_new(p->db);
  for(i=0; i<pInfo->key.nTerm; i++){
    const TableInfoTerm *pTerm = &pInfo->key.aTerm[i];
    const char *zAffinity = pInfo->aCol[pTerm->iCol].zAffinity;
    clauseJoin(pStr, ", ");
    sqlite3_str_appendf(pStr, "k%d %s%sNOT NULL", i+1, zAffinity,
                        zAffinity[0] ? " " : "");
    if( sqlite3_stricmp(pTerm->zColl, "BINARY")!=0 ){
      sqlite3_str_appendf(pStr, " COLLATE \"%w\"", pTerm->zColl);
    }
  }
  return sqlxText(p, pStr);
}

const char *keytableEnd(Sqlx *p, const TableInfo *pInfo){
  if( pInfo->bRowidKey ) return ")";
  return sqlxPrintf(p, ",PRIMARY KEY(%s)) WITHOUT ROWID",
                    keytableKeys(p, pInfo));
}

const char *keytableIs(Sqlx *p, const TableInfo *pInfo, const char *zPrefix){
  sqlite3_str *pStr;
  int i;
  if( pInfo->bRowidKey ){
    return sqlxPrintf(p, "k1=%s%s", zPrefix, pInfo->zRowid);
  }
  pStr = sqlite3_str_new(p->db);
  for(i=0; i<pInfo->key.nTerm; i++){
    clauseJoin(pStr, " AND ");
    sqlite3_str_appendf(pStr, "k%d=%s\"%w\"", i+1, zPrefix,
                        pInfo->aCol[pInfo->key.aTerm[i].iCol].zName);
  }
  return sqlxText(p, pStr);
}

void keytableTakeOver(
  Sqlx *p,
  const TableInfo *pInfo,
  const char *zFrom,
  const char *zTo,
  const char *zValue,
  int nMore,
  Ddl *pDdl
){
  const char *zSchema = pInfo->zSchema;
  const char *zKeys = keytableKeys(p, pInfo);
  int bTemp = sqlite3_stricmp(zSchema, "temp")==0;
  if( !tableinfoOwnWritten(p, zSchema, zFrom) ) return;
  if( zTo && sqlxCount(p, sqlxPrintf(p, "PRAGMA \"%w\".table_info(\"%w\")",
      zSchema, zFrom))==keytableCount(pInfo)+nMore ){
    ddlStep(p, pDdl, sqlxPrintf(p, "INSERT INTO \"%w\".\"%w\"(%s,%s)"
        " SELECT %s,%s FROM \"%w\".\"%w\" WHERE 1 ON CONFLICT(%s) DO UPDATE"
        " SET %s=excluded.%s WHERE excluded.%s>%s", zSchema, zTo, zKeys, zValue,
        zKeys, zValue, zSchema, zFrom, zKeys, zValue, zValue, zValue, zValue),
        DDL_UNDO_ALL);
  }
  ddlStep(p, pDdl, sqlxPrintf(p, "%s \"%w\".\"%w\"",
      bTemp ? "DELETE FROM" : "DROP TABLE", zSchema, zFrom), DDL_UNDO_ALL);
  if( !bTemp ) pDdl->bDrops = 1;
}
