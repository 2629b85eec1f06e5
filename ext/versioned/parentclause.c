/* SPDX-License-Identifier: 0BSD */
/*
** Clauses that find the rows of a parent. See parentclause.h.
*/
#include "versioned/parentclause.h"
#include "schema/clause.h"
#include "schema/newvalue.h"
SQLITE_EXTENSION_INIT3

int parentclauseHas(const VersionedParent *pParent, const char *zColumn){
  int i;
  for(i=0; i<pParent->nCol; i++){
    if( sqlite3_stricmp(pParent->azCol[i], zColumn)==0 ) return 1;
  }
  return 0;
}

/* Returns how SQL names column i of the parent's key. */
static const char *keyColumn(Sqlx *p, const VersionedParent *pParent, int i){
  const TableInfo *pInfo = pParent->pInfo;
  if( pInfo->bRowidKey ) return pInfo->zRowid;
  return sqlxPrintf(p, "\"%w\"", pInfo->aCol[pInfo->key.aTerm[i].iCol].zName);
}

const char *parentclauseIs(
  Sqlx *p,
  const VersionedParent *pParent,
  const char *zPrefix
){
  sqlite3_str *pStr = sqlite3_str_new(p->db);
  int i;
  for(i=0; i<pParent->nCol; i++){
    clauseJoin(pStr, " AND ");
    sqlite3_str_appendf(pStr, "%s=%s\"%w\"", keyColumn(p, pParent, i), zPrefix,
                        pParent->azCol[i]);
  }
  return sqlxText(p, pStr);
}

const char *parentclauseIsNext(
  Sqlx *p,
  const VersionedParent *pParent,
  const TableInfo *pInfo
){
  sqlite3_str *pStr = sqlite3_str_new(p->db);
  int i;
  for(i=0; i<pParent->nCol; i++){
    int iCol = tableinfoColumn(pInfo, pParent->azCol[i]);
    if( iCol<0 ) continue;
    clauseJoin(pStr, " AND ");
    sqlite3_str_appendf(pStr, "%s=%s", keyColumn(p, pParent, i),
                        newvalueOf(p, pInfo, iCol, 0));
  }
  return sqlxText(p, pStr);
}

const char *parentclauseKey(Sqlx *p, const VersionedParent *pParent){
  sqlite3_str *pStr = sqlite3_str_new(p->db);
  int i;
  for(i=0; i<pParent->nCol; i++){
    clauseJoin(pStr, ",");
    sqlite3_str_appendall(pStr, keyColumn(p, pParent, i));
  }
  return sqlxPrintf(p, pParent->nCol>1 ? "(%s)" : "%s", sqlxText(p, pStr));
}

/* The plus sign takes the affinity away: that of the parent's column counts. */
const char *parentclauseOfRow(Sqlx *p, const VersionedParent *pParent){
  sqlite3_str *pStr = sqlite3_str_new(p->db);
  int i;
  for(i=0; i<pParent->nCol; i++){
    clauseJoin(pStr, ",");
    sqlite3_str_appendf(pStr, "+r.\"%w\"", pParent->azCol[i]);
  }
  return sqlxText(p, pStr);
}

/* Whether a column of the child is its rowid, which has more names. */
static int isRowid(const TableInfo *pInfo, const char *zColumn){
  int iCol = tableinfoColumn(pInfo, zColumn);
  return pInfo->bRowidKey && iCol>=0 && pInfo->aCol[iCol].bKey;
}

const char *parentclauseOf(
  Sqlx *p,
  const VersionedParent *pParent,
  const TableInfo *pInfo
){
  sqlite3_str *pStr = sqlite3_str_new(p->db);
  int i;
  for(i=0; i<pParent->nCol; i++){
    clauseJoin(pStr, ",");
    sqlite3_str_appendf(pStr, "\"%w\"", pParent->azCol[i]);
    if( isRowid(pInfo, pParent->azCol[i]) ) clauseRowidNames(pStr, pInfo);
  }
  return sqlxText(p, pStr);
}

const char *parentclauseMoved(Sqlx *p, const VersionedParent *pParent){
  sqlite3_str *pStr = sqlite3_str_new(p->db);
  int i;
  for(i=0; i<pParent->nCol; i++){
    clauseJoin(pStr, " OR ");
    sqlite3_str_appendf(pStr, "NEW.\"%w\" IS NOT OLD.\"%w\"",
                        pParent->azCol[i], pParent->azCol[i]);
  }
  return sqlxText(p, pStr);
}
