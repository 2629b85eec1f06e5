/* SPDX-License-Identifier: 0BSD */
/*
** Columns that a kind of declared tables keeps for itself. See owncolumn.h.
*/
#include <string.h>
#include "schema/owncolumn.h"
#include "sqlite/sqltoken.h"
SQLITE_EXTENSION_INIT3

/* Whether a CHECK constraint of the table names the column. */
static int inCheck(const TableInfo *pInfo, const char *zColumn){
  const char *z = pInfo->zSql ? pInfo->zSql : "";
  const char *zEnd = z + strlen(z);
  SqlToken t;
  for(t=sqltokenAt(z, zEnd); t.kind!=SQLTOKEN_END; t=sqltokenNext(&t, zEnd)){
    SqlToken tOpen = sqltokenNext(&t, zEnd);
    if( !sqltokenIsWord(&t, "CHECK") || !sqltokenIsByte(&tOpen, '(') ) continue;
    if( sqltokenMentions(tOpen.z, sqltokenClose(&tOpen, zEnd), zColumn) ){
      return 1;
    }
  }
  return 0;
}

static int inUnique(const TableInfo *pInfo, int iCol){
  int i;
  for(i=0; i<pInfo->nPath; i++){
    if( tableinfoPathMentions(pInfo, &pInfo->aPath[i], iCol) ) return 1;
  }
  return 0;
}

/* Column of PRAGMA foreign_key_list. */
enum { FK_FROM = 3 };

static int inForeignKey(Sqlx *p, const TableInfo *pInfo, const char *zColumn){
  int bIn = 0;
  sqlite3_stmt *pStmt = sqlxPrepare(p,
      "PRAGMA \"%w\".foreign_key_list(\"%w\")",
      pInfo->zSchema, pInfo->zName);
  while( sqlxStep(p, pStmt) ){
    const char *zFrom = sqlxColumn(p, pStmt, FK_FROM);
    if( zFrom && sqlite3_stricmp(zFrom, zColumn)==0 ) bIn = 1;
  }
  sqlxFinalize(p, pStmt);
  return bIn;
}

void owncolumnCheck(
  Sqlx *p,
  const TableInfo *pInfo,
  int iCol,
  const char *zWhat
){
  const TableInfoColumn *pCol = &pInfo->aCol[iCol];
  const char *zWhy = 0;
  if( pCol->bGenerated ){
    zWhy = "is a generated column";
  }else if( pCol->bKey ){
    zWhy = "is part of the PRIMARY KEY";
  }else if( inUnique(pInfo, iCol) ){
    zWhy = "is part of a UNIQUE index";
  }else if( inForeignKey(p, pInfo, pCol->zName) ){
    zWhy = "is part of a FOREIGN KEY";
  }else if( inCheck(pInfo, pCol->zName) ){
    zWhy = "is part of a CHECK constraint";
  }else if( tableinfoHasText(pCol->zType, "DATE")
         || tableinfoHasText(pCol->zType, "TIME") ){
    zWhy = sqlxPrintf(p, "is declared %s, for times", pCol->zType);
  }else if( strcmp(pCol->zAffinity, "INTEGER")!=0
         && strcmp(pCol->zAffinity, "NUMERIC")!=0 ){
    zWhy = "is declared with a type that is not INTEGER or NUMERIC";
  }
  if( zWhy ){
    sqlxBad(p, "column %s.%s %s; allowed is a column of its own for the"
               " %s, or the name of a new one",
            pInfo->zName, pCol->zName, zWhy, zWhat);
  }
}

/* Whether the definition of a column cannot begin with this word, but that of a
** constraint of the table does. */
static int beginsConstraint(const SqlToken *t){
  static const char *const az[] = {
    "CONSTRAINT", "PRIMARY", "UNIQUE", "CHECK", "FOREIGN"
  };
  size_t i;
  for(i=0; i<sizeof(az)/sizeof(az[0]); i++){
    if( sqltokenIsWord(t, az[i]) ) return 1;
  }
  return 0;
}

/* SQLite inserts the definition behind the last column: before the comma that
** begins the constraints of the table or, if there are none, before the bracket
** that closes the list. */
const char *owncolumnAdded(
  Sqlx *p,
  const TableInfo *pInfo,
  const char *zDefinition
){
  const char *z = pInfo->zSql ? pInfo->zSql : "";
  const char *zEnd = z + strlen(z);
  SqlToken t = sqltokenAt(z, zEnd);
  while( t.kind!=SQLTOKEN_END && !sqltokenIsByte(&t, '(') ){
    t = sqltokenNext(&t, zEnd);
  }
  t = sqltokenNext(&t, zEnd);
  while( t.kind!=SQLTOKEN_END && !sqltokenIsByte(&t, ')') ){
    SqlToken tNext = sqltokenNext(&t, zEnd);
    if( sqltokenIsByte(&t, ',') && beginsConstraint(&tNext) ) break;
    if( sqltokenIsByte(&t, '(') ){
      t = sqltokenAt(sqltokenClose(&t, zEnd), zEnd);
      tNext = sqltokenNext(&t, zEnd);
    }
    t = tNext;
  }
  return sqlxPrintf(p, "%.*s, %s%s", (int)(t.z - z), z, zDefinition, t.z);
}
