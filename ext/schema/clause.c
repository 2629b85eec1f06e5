/* SPDX-License-Identifier: 0BSD */
/*
** Clauses of SQL about the rows of one table. See clause.h.
*/
#include <string.h>
#include "schema/clause.h"
#include "schema/newvalue.h"
SQLITE_EXTENSION_INIT3

/* ---- rows and keys ---------------------------------------------------- */

void clauseJoin(sqlite3_str *pStr, const char *zSep){
  if( sqlite3_str_length(pStr) ) sqlite3_str_appendall(pStr, zSep);
}

static int isNullable(const TableInfo *pInfo, const TableInfoTerm *pTerm){
  return !pInfo->bWithoutRowid && !pInfo->aCol[pTerm->iCol].bNotNull;
}

/* " COLLATE x" if a term compares by another collation than its column. */
static const char *collate(
  Sqlx *p,
  const TableInfo *pInfo,
  const TableInfoTerm *pTerm
){
  const char *zOwn = pTerm->iCol<0 ? "BINARY"
                   : pInfo->aCol[pTerm->iCol].zColl;
  if( sqlite3_stricmp(zOwn, pTerm->zColl ? pTerm->zColl : "BINARY")==0 ){
    return "";
  }
  return sqlxPrintf(p, " COLLATE \"%w\"", pTerm->zColl);
}

/* "Row r stands in NEW's way by this path." zId: see newvalueOf. */
static const char *pathBlocks(
  Sqlx *p,
  const TableInfo *pInfo,
  const TableInfoPath *pPath,
  const char *zId
){
  sqlite3_str *pStr = sqlite3_str_new(p->db);
  int i;
  if( zId ) sqlite3_str_appendf(pStr, "NEW.%s=-1", pInfo->zRowid);
  for(i=0; i<pPath->nTerm; i++){
    const TableInfoTerm *pTerm = &pPath->aTerm[i];
    clauseJoin(pStr, " AND ");
    if( pTerm->iCol<0 ){
      const char *zExpr = newvalueInner(p, pInfo, "index", pPath->zIndex,
                                        pTerm->zExpr);
      sqlite3_str_appendf(pStr, "(%s)%s=%s", zExpr,
          collate(p, pInfo, pTerm), newvalueExpression(p, pInfo, zExpr, zId));
    }else{
      sqlite3_str_appendf(pStr, "r.\"%w\"%s=%s",
          pInfo->aCol[pTerm->iCol].zName, collate(p, pInfo, pTerm),
          newvalueOf(p, pInfo, pTerm->iCol, zId));
    }
  }
  if( pPath->zWhere ){
    sqlite3_str_appendf(pStr, " AND (%s)",
        newvalueInner(p, pInfo, "index", pPath->zIndex, pPath->zWhere));
  }
  return sqlxText(p, pStr);
}

const char *clauseSameRow(
  Sqlx *p,
  const TableInfo *pInfo,
  const char *zA,
  const char *zB
){
  sqlite3_str *pStr;
  int i;
  if( pInfo->zRowid ){
    return sqlxPrintf(p, "%s%s=%s%s", zA, pInfo->zRowid, zB,
                      pInfo->zRowid);
  }
  pStr = sqlite3_str_new(p->db);
  for(i=0; i<pInfo->key.nTerm; i++){
    const TableInfoTerm *pTerm = &pInfo->key.aTerm[i];
    const char *zName = pInfo->aCol[pTerm->iCol].zName;
    clauseJoin(pStr, " AND ");
    sqlite3_str_appendf(pStr, "%s\"%w\"%s%s%s\"%w\"", zA, zName,
        collate(p, pInfo, pTerm), isNullable(pInfo, pTerm) ? " IS " : "=",
        zB, zName);
  }
  return sqlxText(p, pStr);
}

const char *clauseKeys(Sqlx *p, const TableInfo *pInfo, const char *zPrefix){
  sqlite3_str *pStr;
  int i;
  if( pInfo->bRowidKey ){
    return sqlxPrintf(p, "%s%s", zPrefix, pInfo->zRowid);
  }
  pStr = sqlite3_str_new(p->db);
  for(i=0; i<pInfo->key.nTerm; i++){
    clauseJoin(pStr, ",");
    sqlite3_str_appendf(pStr, "%s\"%w\"", zPrefix,
                        pInfo->aCol[pInfo->key.aTerm[i].iCol].zName);
  }
  return sqlxText(p, pStr);
}

const char *clauseKeysNext(Sqlx *p, const TableInfo *pInfo){
  sqlite3_str *pStr;
  int i;
  if( pInfo->bRowidKey ) return clauseKeys(p, pInfo, "NEW.");
  pStr = sqlite3_str_new(p->db);
  for(i=0; i<pInfo->key.nTerm; i++){
    clauseJoin(pStr, ",");
    sqlite3_str_appendall(pStr, newvalueOf(p, pInfo,
                                           pInfo->key.aTerm[i].iCol, 0));
  }
  return sqlxText(p, pStr);
}

/* A key that contains a NULL identifies no row. */
const char *clauseKeyWhole(
  Sqlx *p,
  const TableInfo *pInfo,
  const char *zPrefix
){
  sqlite3_str *pStr = sqlite3_str_new(p->db);
  int i;
  for(i=0; i<pInfo->key.nTerm; i++){
    const TableInfoTerm *pTerm = &pInfo->key.aTerm[i];
    if( !isNullable(pInfo, pTerm) ) continue;
    clauseJoin(pStr, " AND ");
    sqlite3_str_appendf(pStr, "%s\"%w\" NOT NULL", zPrefix,
                        pInfo->aCol[pTerm->iCol].zName);
  }
  if( sqlite3_str_length(pStr)==0 ) sqlite3_str_appendall(pStr, "1");
  return sqlxText(p, pStr);
}

const char *clauseSameKey(Sqlx *p, const TableInfo *pInfo){
  sqlite3_str *pStr;
  int i;
  if( pInfo->bRowidKey ) return clauseSameRow(p, pInfo, "NEW.", "OLD.");
  pStr = sqlite3_str_new(p->db);
  for(i=0; i<pInfo->key.nTerm; i++){
    const TableInfoTerm *pTerm = &pInfo->key.aTerm[i];
    const char *zName = pInfo->aCol[pTerm->iCol].zName;
    clauseJoin(pStr, " AND ");
    sqlite3_str_appendf(pStr, "NEW.\"%w\"%s IS OLD.\"%w\"", zName,
                        collate(p, pInfo, pTerm), zName);
  }
  return sqlxText(p, pStr);
}

/* ---- rows in the way -------------------------------------------------- */

/* Sets azPath to the paths of these ways, as conditions on r. Returns how many
** there are. Where NEW's id is -1 it may be that one, or SQLite is to choose
** it. No row has the id that it will choose, but a value that is computed from
** it can be that of a row. */
static int paths(
  Sqlx *p,
  const TableInfo *pInfo,
  unsigned mBy,
  const char **azPath
){
  int n = 0, i;
  if( (mBy & CLAUSE_BY_KEY) && !pInfo->bRowidKey ){
    azPath[n++] = pathBlocks(p, pInfo, &pInfo->key, 0);
  }
  if( (mBy & CLAUSE_BY_ROWID) && pInfo->zRowid ){
    azPath[n++] = clauseSameRow(p, pInfo, "r.", "NEW.");
  }
  for(i=0; (mBy & CLAUSE_BY_INDEX) && i<pInfo->nPath; i++){
    const TableInfoPath *pPath = &pInfo->aPath[i];
    azPath[n++] = pathBlocks(p, pInfo, pPath, 0);
    if( newvalueOfId(p, pInfo, pPath) ){
      azPath[n++] = pathBlocks(p, pInfo, pPath, newvalueChosen(p, pInfo));
    }
  }
  return n;
}

void clauseInTheWay(
  Sqlx *p,
  const TableInfo *pInfo,
  unsigned mBy,
  ClauseWay *pWay
){
  const char **azPath = sqlxAlloc(p, sizeof(azPath[0])*(sqlite3_uint64)
                                  (2*pInfo->nPath + 2));
  const char *zIsOld = clauseSameRow(p, pInfo, "r.", "OLD.");
  sqlite3_str *pAny, *pOther, *pRow;
  int n, i;
  pWay->zAny = pWay->zOther = pWay->zRow = "";
  if( azPath==0 ) return;
  n = paths(p, pInfo, mBy, azPath);
  pAny = sqlite3_str_new(p->db);
  pOther = sqlite3_str_new(p->db);
  pRow = sqlite3_str_new(p->db);
  for(i=0; i<n; i++){
    clauseJoin(pAny, " OR ");
    sqlite3_str_appendf(pAny, "EXISTS(SELECT 1 FROM \"%w\" AS r WHERE %s)",
                        pInfo->zName, azPath[i]);
    clauseJoin(pOther, " OR ");
    sqlite3_str_appendf(pOther,
        "EXISTS(SELECT 1 FROM \"%w\" AS r WHERE %s AND NOT(%s))",
        pInfo->zName, azPath[i], zIsOld);
    clauseJoin(pRow, " OR ");
    sqlite3_str_appendall(pRow, azPath[i]);
  }
  pWay->zAny = sqlxText(p, pAny);
  pWay->zOther = sqlxText(p, pOther);
  pWay->zRow = sqlxText(p, pRow);
}

const char *clauseRowIsNewKey(Sqlx *p, const TableInfo *pInfo){
  if( pInfo->bRowidKey ) return clauseSameRow(p, pInfo, "r.", "NEW.");
  return sqlxPrintf(p, "ifnull(%s,0)", pathBlocks(p, pInfo, &pInfo->key, 0));
}

/* ---- UPDATE OF lists -------------------------------------------------- */

void clauseRowidNames(sqlite3_str *pStr, const TableInfo *pInfo){
  const char *z;
  int i;
  for(i=0; (z = tableinfoRowidName(i))!=0; i++){
    if( tableinfoColumn(pInfo, z)>=0 ) continue;
    if( pInfo->zReserved && sqlite3_stricmp(pInfo->zReserved, z)==0 ) continue;
    clauseJoin(pStr, ",");
    sqlite3_str_appendall(pStr, z);
  }
}

/* An UPDATE that changes the key names one of these columns. */
const char *clauseOfKey(Sqlx *p, const TableInfo *pInfo){
  sqlite3_str *pStr;
  if( !pInfo->bRowidKey ) return clauseKeys(p, pInfo, "");
  pStr = sqlite3_str_new(p->db);
  if( pInfo->bDeclaredKey ) sqlite3_str_appendall(pStr, pInfo->zRowid);
  clauseRowidNames(pStr, pInfo);
  return sqlxText(p, pStr);
}

static int isPart(const TableInfo *pInfo, unsigned mBy, int iCol){
  int i;
  if( (mBy & CLAUSE_BY_KEY) && pInfo->aCol[iCol].bKey ) return 1;
  for(i=0; (mBy & CLAUSE_BY_INDEX) && i<pInfo->nPath; i++){
    if( tableinfoPathMentions(pInfo, &pInfo->aPath[i], iCol) ) return 1;
  }
  return 0;
}

/* UPDATE OF looks at the columns that a statement sets, and no statement sets a
** generated column. If one of the columns is generated the text is "", which
** stands for all columns. */
const char *clauseOfWay(Sqlx *p, const TableInfo *pInfo, unsigned mBy){
  sqlite3_str *pStr = sqlite3_str_new(p->db);
  int bRowid = (mBy & CLAUSE_BY_ROWID)!=0;
  int bAll = 0, i;
  for(i=0; i<pInfo->nCol; i++){
    const TableInfoColumn *pCol = &pInfo->aCol[i];
    if( !isPart(pInfo, mBy, i) ) continue;
    if( pCol->bGenerated ) bAll = 1;
    if( pCol->bKey && pInfo->bRowidKey ) bRowid = 1;
    clauseJoin(pStr, ",");
    sqlite3_str_appendf(pStr, "\"%w\"", pCol->zName);
  }
  if( bRowid && !pInfo->bWithoutRowid ) clauseRowidNames(pStr, pInfo);
  if( bAll ){
    sqlite3_str_reset(pStr);
    sqlxText(p, pStr);
    return "";
  }
  return sqlxPrintf(p, "OF %s", sqlxText(p, pStr));
}
