/* SPDX-License-Identifier: 0BSD */
/*
** The values that a row is about to get. See newvalue.h.
*/
#include <string.h>
#include "schema/newvalue.h"
#include "sqlite/sqltoken.h"
SQLITE_EXTENSION_INIT3

const char *newvalueInner(
  Sqlx *p,
  const TableInfo *pInfo,
  const char *zWhat,
  const char *zName,
  const char *z
){
  if( z && sqltokenIsInner(z) ) return z;
  sqlxBad(p, "%s %s of table %s has no whole expression in the schema; allowed"
             " is what SQLite writes there", zWhat, zName, pInfo->zName);
  return "NULL";
}

/* ---- defaults --------------------------------------------------------- */

/* Whether a default is a name, which stands for its own text. The words in the
** list are values. */
static int isNameAsText(const SqlToken *t){
  static const char *const az[] = {
    "NULL", "TRUE", "FALSE", "CURRENT_DATE", "CURRENT_TIME",
    "CURRENT_TIMESTAMP"
  };
  size_t i;
  if( t->kind!=SQLTOKEN_WORD ) return t->kind==SQLTOKEN_QUOTED;
  for(i=0; i<sizeof(az)/sizeof(az[0]); i++){
    if( sqltokenIsWord(t, az[i]) ) return 0;
  }
  return 1;
}

static int isDefaulted(const TableInfoColumn *pCol){
  return pCol->bNotNull && pCol->zDefault;
}

/*
** The value of a column that SQLite does not compute. Under OR REPLACE a NULL
** in a NOT NULL column becomes the default. SQLite does so after the BEFORE
** triggers, which see the NULL.
*/
static const char *given(Sqlx *p, const TableInfo *pInfo, int iCol){
  const TableInfoColumn *pCol = &pInfo->aCol[iCol];
  const char *z = pCol->zDefault;
  SqlToken t;
  if( !isDefaulted(pCol) ) return sqlxPrintf(p, "NEW.\"%w\"", pCol->zName);
  t = sqltokenAt(z, z+strlen(z));
  if( isNameAsText(&t) && z[t.n]==0 ){
    /* After DEFAULT a name, quoted or not, is a string. */
    char *zString = sqlxAlloc(p, (sqlite3_uint64)t.n + 1);
    if( zString && sqltokenUnquote(&t, zString) ){
      z = sqlxPrintf(p, "%Q", zString);
    }
  }
  return sqlxPrintf(p, "ifnull(NEW.\"%w\",(%s))", pCol->zName,
                    newvalueInner(p, pInfo, "column", pCol->zName, z));
}

/* ---- the id ----------------------------------------------------------- */

static int isId(const TableInfo *pInfo, int iCol){
  return pInfo->bRowidKey && pInfo->aCol[iCol].bKey;
}

const char *newvalueChosen(Sqlx *p, const TableInfo *pInfo){
  const char *z = sqlxPrintf(p, "(SELECT ifnull(max(%s)+1,1) FROM \"%w\")",
                             pInfo->zRowid, pInfo->zName);
  if( !tableinfoIsAutoincrement(pInfo) ) return z;
  return sqlxPrintf(p, "max(%s,ifnull((SELECT seq+1 FROM sqlite_sequence"
                    " WHERE name=%Q),1))", z, pInfo->zName);
}

/* ---- generated columns ------------------------------------------------ */

/* Whether the value of an expression can depend on the affinity of its columns,
** because the expression compares something. */
static int compares(const char *zExpr){
  static const char *const az[] = {
    "IS", "IN", "BETWEEN", "CASE", "MIN", "MAX", "NULLIF"
  };
  const char *zEnd = zExpr + strlen(zExpr);
  SqlToken t;
  size_t i;
  t = sqltokenAt(zExpr, zEnd);
  for(; t.kind!=SQLTOKEN_END; t=sqltokenNext(&t, zEnd)){
    if( t.kind==SQLTOKEN_OTHER && strchr("=<>", t.z[0]) ) return 1;
    for(i=0; i<sizeof(az)/sizeof(az[0]); i++){
      if( sqltokenIsWord(&t, az[i]) ) return 1;
    }
  }
  return 0;
}

/*
** Returns the same value with the affinity of its column: values of NEW have
** none. A subquery has the affinity of the last SELECT in it, which here
** returns no row. The collation must then be named.
*/
static const char *withAffinity(
  Sqlx *p,
  const TableInfo *pInfo,
  int iCol,
  const char *zValue
){
  const TableInfoColumn *pCol = &pInfo->aCol[iCol];
  const char *z = sqlxPrintf(p, "(SELECT %s UNION ALL SELECT \"%w\""
      " FROM \"%w\" WHERE 0)", zValue, pCol->zName, pInfo->zName);
  if( sqlite3_stricmp(pCol->zColl, "BINARY")==0 ) return z;
  return sqlxPrintf(p, "%s COLLATE \"%w\"", z, pCol->zColl);
}

/* What an expression depends on. */
typedef struct Needs Needs;
struct Needs {
  char *aNeed;           /* of each column: whether it is needed */
  int bCompares;         /* one of the expressions compares something */
  int bComputed;         /* NEW's generated columns are not those that the row
                         ** is about to get */
};

static int mentions(const char *z, const TableInfoColumn *pCol){
  return sqltokenMentions(z, z+strlen(z), pCol->zName);
}

/* Adds what an expression mentions; with bDeep also what the generated columns
** are computed from. */
static void need(
  const TableInfo *pInfo,
  const char *zExpr,
  int bDeep,
  Needs *pNeeds
){
  int i;
  if( compares(zExpr) ) pNeeds->bCompares = 1;
  for(i=0; i<pInfo->nCol; i++){
    const TableInfoColumn *pCol = &pInfo->aCol[i];
    if( pNeeds->aNeed[i] || !mentions(zExpr, pCol) ) continue;
    pNeeds->aNeed[i] = 1;
    if( bDeep && pCol->zGenerated ) need(pInfo, pCol->zGenerated, 1, pNeeds);
  }
}

/* Returns 0 if there is no memory. bId: the id is not NEW's. */
static int needsOf(
  Sqlx *p,
  const TableInfo *pInfo,
  const char *zExpr,
  int bId,
  Needs *pNeeds
){
  int bGenerated = 0, bOther = 0, i;
  size_t n = (size_t)pInfo->nCol + 1;
  memset(pNeeds, 0, sizeof(*pNeeds));
  pNeeds->aNeed = sqlxAlloc(p, n);
  if( pNeeds->aNeed==0 ) return 0;
  memset(pNeeds->aNeed, 0, n);
  need(pInfo, zExpr, 1, pNeeds);
  for(i=0; i<pInfo->nCol; i++){
    const TableInfoColumn *pCol = &pInfo->aCol[i];
    if( !pNeeds->aNeed[i] ) continue;
    if( pCol->zGenerated ) bGenerated = 1;
    else if( isDefaulted(pCol) || (bId && isId(pInfo, i)) ) bOther = 1;
  }
  pNeeds->bComputed = bGenerated && bOther;
  if( !pNeeds->bComputed ){
    memset(pNeeds->aNeed, 0, n);
    pNeeds->bCompares = 0;
    need(pInfo, zExpr, 0, pNeeds);
  }
  return 1;
}

/* Appends a value under the name of its column. */
static void appendNewValue(
  Sqlx *p,
  const TableInfo *pInfo,
  const Needs *pNeeds,
  int iCol,
  const char *zValue,
  sqlite3_str *pStr
){
  if( pNeeds->bCompares ) zValue = withAffinity(p, pInfo, iCol, zValue);
  if( sqlite3_str_length(pStr) ) sqlite3_str_appendall(pStr, ",");
  sqlite3_str_appendf(pStr, "%s AS \"%w\"", zValue,
                      pInfo->aCol[iCol].zName);
}

/* Whether a generated column can be computed: what it needs is there. */
static int isReady(const TableInfo *pInfo, const Needs *pNeeds, int iCol){
  int i;
  for(i=0; i<pInfo->nCol; i++){
    if( pNeeds->aNeed[i] && mentions(pInfo->aCol[iCol].zGenerated,
                                     &pInfo->aCol[i]) ) return 0;
  }
  return 1;
}

/* Puts a SELECT around zFrom that computes the generated columns which can be
** computed from it. Returns zFrom itself if there are none. */
static const char *computed(
  Sqlx *p,
  const TableInfo *pInfo,
  Needs *pNeeds,
  const char *zFrom
){
  sqlite3_str *pStr = sqlite3_str_new(p->db);
  char *aReady = sqlxAlloc(p, (sqlite3_uint64)pInfo->nCol + 1);
  int n = 0, i;
  for(i=0; i<pInfo->nCol && aReady; i++){
    aReady[i] = pNeeds->aNeed[i] && isReady(pInfo, pNeeds, i);
    if( !aReady[i] ) continue;
    appendNewValue(p, pInfo, pNeeds, i, sqlxPrintf(p, "(%s)",
        newvalueInner(p, pInfo, "column", pInfo->aCol[i].zName,
                      pInfo->aCol[i].zGenerated)), pStr);
    n++;
  }
  for(i=0; i<pInfo->nCol && aReady; i++){
    if( aReady[i] ) pNeeds->aNeed[i] = 0;
  }
  if( n==0 ){
    sqlite3_str_reset(pStr);
    sqlxText(p, pStr);
    return zFrom;
  }
  return sqlxPrintf(p, "SELECT *,%s FROM (%s)", sqlxText(p, pStr), zFrom);
}

/*
** The expression is evaluated in a subquery that gives the new values the names
** of the columns, so its text need not be rewritten. Where generated columns
** must be computed anew, each SELECT computes those that need nothing but what
** the one inside it has.
*/
const char *newvalueExpression(
  Sqlx *p,
  const TableInfo *pInfo,
  const char *zExpr,
  const char *zId
){
  Needs needs;
  sqlite3_str *pStr;
  const char *zFrom, *zBefore = 0;
  int i;
  if( !needsOf(p, pInfo, zExpr, zId!=0, &needs) ) return "NULL";
  pStr = sqlite3_str_new(p->db);
  for(i=0; i<pInfo->nCol; i++){
    if( !needs.aNeed[i] ) continue;
    if( needs.bComputed && pInfo->aCol[i].zGenerated ) continue;
    appendNewValue(p, pInfo, &needs, i,
                zId && isId(pInfo, i) ? zId : given(p, pInfo, i), pStr);
    needs.aNeed[i] = 0;
  }
  if( sqlite3_str_length(pStr)==0 ) sqlite3_str_appendall(pStr, "1");
  zFrom = sqlxPrintf(p, "SELECT %s", sqlxText(p, pStr));
  while( needs.bComputed && zFrom!=zBefore && p->rc==SQLITE_OK ){
    zBefore = zFrom;
    zFrom = computed(p, pInfo, &needs, zFrom);
  }
  return sqlxPrintf(p, "(SELECT %s FROM (%s))", zExpr, zFrom);
}

const char *newvalueOf(
  Sqlx *p,
  const TableInfo *pInfo,
  int iCol,
  const char *zId
){
  const TableInfoColumn *pCol = &pInfo->aCol[iCol];
  const char *zName = sqlxPrintf(p, "\"%w\"", pCol->zName);
  Needs needs;
  if( pCol->zGenerated && needsOf(p, pInfo, zName, zId!=0, &needs)
   && needs.bComputed ){
    return newvalueExpression(p, pInfo, zName, zId);
  }
  return given(p, pInfo, iCol);
}

int newvalueOfId(Sqlx *p, const TableInfo *pInfo, const TableInfoPath *pPath){
  Needs needs;
  int bId = 0, i, j;
  memset(&needs, 0, sizeof(needs));
  needs.aNeed = sqlxAlloc(p, (sqlite3_uint64)pInfo->nCol + 1);
  if( needs.aNeed==0 || !pInfo->bRowidKey ) return 0;
  memset(needs.aNeed, 0, (size_t)pInfo->nCol + 1);
  for(i=0; i<pPath->nTerm; i++){
    const TableInfoTerm *pTerm = &pPath->aTerm[i];
    const char *z = pTerm->iCol<0 ? pTerm->zExpr
                                  : pInfo->aCol[pTerm->iCol].zGenerated;
    if( pTerm->iCol>=0 && isId(pInfo, pTerm->iCol) ) return 0;
    if( z ) need(pInfo, z, 1, &needs);
  }
  for(j=0; j<pInfo->nCol; j++){
    if( needs.aNeed[j] && isId(pInfo, j) ) bId = 1;
  }
  return bId;
}
