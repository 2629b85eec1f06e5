/* SPDX-License-Identifier: 0BSD */
/*
** Clauses of SQL about the history of a table. See historytext.h.
*/
#include "versioned/historytext.h"
#include "schema/clause.h"
#include "schema/keytable.h"
SQLITE_EXTENSION_INIT3

int historytextKeeps(const TableInfoColumn *pCol, const char *zVersion){
  return !pCol->bGenerated && sqlite3_stricmp(pCol->zName, zVersion)!=0;
}

const char *historytextColumns(
  Sqlx *p,
  const TableInfo *pInfo,
  const char *zVersion
){
  sqlite3_str *pStr = sqlite3_str_new(p->db);
  int i;
  for(i=0; i<pInfo->nCol; i++){
    if( !historytextKeeps(&pInfo->aCol[i], zVersion) ) continue;
    clauseJoin(pStr, ",");
    sqlite3_str_appendf(pStr, "\"%w\"", pInfo->aCol[i].zName);
  }
  return sqlxText(p, pStr);
}

/* The affinity is that of the original: a value that is compared with a version
** is then converted as it would be for the row. */
const char *historytextOne(Sqlx *p, const TableInfoColumn *pCol){
  return sqlxPrintf(p, "\"%w\"%s%s", pCol->zName,
                    pCol->zAffinity[0] ? " " : "", pCol->zAffinity);
}

const char *historytextDeclared(
  Sqlx *p,
  const TableInfo *pInfo,
  const char *zVersion
){
  sqlite3_str *pStr = sqlite3_str_new(p->db);
  int i;
  for(i=0; i<pInfo->nCol; i++){
    if( !historytextKeeps(&pInfo->aCol[i], zVersion) ) continue;
    clauseJoin(pStr, ",");
    sqlite3_str_appendall(pStr, historytextOne(p, &pInfo->aCol[i]));
  }
  return sqlxText(p, pStr);
}

const char *historytextKeys(Sqlx *p, const TableInfo *pInfo){
  sqlite3_str *pStr = sqlite3_str_new(p->db);
  int i;
  for(i=1; i<=keytableCount(pInfo); i++){
    clauseJoin(pStr, ",");
    sqlite3_str_appendf(pStr, HISTORYTEXT_OWN "k%d", i);
  }
  return sqlxText(p, pStr);
}

const char *historytextKeysDeclared(Sqlx *p, const TableInfo *pInfo){
  sqlite3_str *pStr;
  int i;
  if( pInfo->bRowidKey ) return HISTORYTEXT_OWN "k1 INTEGER";
  pStr = sqlite3_str_new(p->db);
  for(i=0; i<pInfo->key.nTerm; i++){
    const TableInfoTerm *pTerm = &pInfo->key.aTerm[i];
    const char *zAffinity = pInfo->aCol[pTerm->iCol].zAffinity;
    clauseJoin(pStr, ",");
    sqlite3_str_appendf(pStr, HISTORYTEXT_OWN "k%d%s%s COLLATE \"%w\"", i+1,
                        zAffinity[0] ? " " : "", zAffinity, pTerm->zColl);
  }
  return sqlxText(p, pStr);
}

/* The column of the history comes first: its collation is that of the key. */
const char *historytextIs(
  Sqlx *p,
  const TableInfo *pInfo,
  const char *zPrefix
){
  sqlite3_str *pStr;
  int i;
  if( pInfo->bRowidKey ){
    return sqlxPrintf(p, HISTORYTEXT_OWN "k1=%s%s", zPrefix, pInfo->zRowid);
  }
  pStr = sqlite3_str_new(p->db);
  for(i=0; i<pInfo->key.nTerm; i++){
    clauseJoin(pStr, " AND ");
    sqlite3_str_appendf(pStr, HISTORYTEXT_OWN "k%d=%s\"%w\"", i+1, zPrefix,
                        pInfo->aCol[pInfo->key.aTerm[i].iCol].zName);
  }
  return sqlxText(p, pStr);
}
