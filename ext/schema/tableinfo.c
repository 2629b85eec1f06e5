/* SPDX-License-Identifier: 0BSD */
/*
** What a table looks like. See tableinfo.h.
**
** Everything comes from PRAGMAs with quoted names. The table-valued form of a
** PRAGMA is not used: a user's table of that name would hide it. Nothing is
** used that is newer than SQLite 3.34. Only what SQLite keeps as text is read
** as text: the expressions of indexes and generated columns.
*/
#include <stdlib.h>
#include <string.h>
#include "schema/tableinfo.h"
#include "sqlite/sqltoken.h"
SQLITE_EXTENSION_INIT3

/* The columns of the PRAGMAs used here. */
enum { XINFO_NAME = 1, XINFO_TYPE, XINFO_NOTNULL, XINFO_DEFAULT, XINFO_PK,
       XINFO_HIDDEN };
enum { LIST_NAME = 1, LIST_UNIQUE, LIST_ORIGIN };
enum { IXINFO_CID = 1, IXINFO_COLL = 4, IXINFO_KEY };

/* Returns the index of the column with that name, or -1. */
int tableinfoColumn(const TableInfo *pInfo, const char *zName){
  int i;
  for(i=0; i<pInfo->nCol; i++){
    if( sqlite3_stricmp(pInfo->aCol[i].zName, zName)==0 ) return i;
  }
  return -1;
}

/* Whether a path depends on a column, as a term or in an expression. */
int tableinfoPathMentions(
  const TableInfo *pInfo,
  const TableInfoPath *pPath,
  int iCol
){
  const char *zName = pInfo->aCol[iCol].zName;
  const char *z = pPath->zWhere;
  int i;
  if( z && sqltokenMentions(z, z+strlen(z), zName) ) return 1;
  for(i=0; i<pPath->nTerm; i++){
    if( pPath->aTerm[i].iCol==iCol ) return 1;
    z = pPath->aTerm[i].zExpr;
    if( z && sqltokenMentions(z, z+strlen(z), zName) ) return 1;
  }
  return 0;
}

/* Returns a text of the schema without comments: it becomes a part of another
** text, and a comment would take along what follows it there. NULL stays
** NULL. */
static const char *stripped(Sqlx *p, const char *z){
  char *zOut = z ? sqlxAlloc(p, strlen(z) + 1) : 0;
  if( zOut==0 ) return 0;
  sqltokenStrip(z, zOut);
  return zOut;
}

/* Returns the text of a name token without its quotes. */
static const char *unquoted(Sqlx *p, const SqlToken *pTok){
  char *z = sqlxAlloc(p, (sqlite3_uint64)pTok->n + 1);
  if( z==0 || !sqltokenUnquote(pTok, z) ) return 0;
  return z;
}

/* Returns a name as SQL may write it, without its quotes, and any other text as
** it is. */
const char *tableinfoUnquote(Sqlx *p, const char *z){
  SqlToken t = sqltokenAt(z, z+strlen(z));
  const char *zName = 0;
  if( t.kind==SQLTOKEN_QUOTED && z[t.n]==0 ) zName = unquoted(p, &t);
  return zName ? zName : z;
}

/*
** Splits a table argument into schema and name. A dot splits only if its left
** part is a schema. The quotes of the name stay.
*/
void tableinfoSplit(
  Sqlx *p,
  const char *zTable,
  const char **pzSchema, /* OUT: NULL if none is named */
  const char **pzName
){
  SqlToken t = sqltokenAt(zTable, zTable + strlen(zTable));
  const char *zDot = t.kind==SQLTOKEN_QUOTED && zTable[t.n]=='.'
                   ? zTable + t.n : strchr(zTable, '.');
  *pzSchema = 0;
  *pzName = zTable;
  if( zDot ){
    const char *zLeft = tableinfoUnquote(p, sqlxPrintf(p, "%.*s",
                                     (int)(zDot - zTable), zTable));
    *pzSchema = sqlxSchemaNamed(p, zLeft);
    if( *pzSchema ) *pzName = zDot + 1;
  }
}

/*
** What a statement is compiled to. That depends on the schema in memory, and
** what a hostile file says of itself in sqlite_master need not be what SQLite
** has made of it. EXPLAIN shows the program and runs nothing. Triggers have
** programs of their own, which follow and begin at 0 again.
*/
typedef enum TableInfoUse {
  USE_PLAIN = 0,
  USE_FUNCTION,          /* it calls a function */
  USE_VIRTUAL            /* it opens a virtual table */
} TableInfoUse;

static TableInfoUse useOf(Sqlx *p, const char *zSql){
  sqlite3_stmt *pStmt = sqlxPrepare(p, "EXPLAIN %s", zSql);
  TableInfoUse eUse = USE_PLAIN;
  int iRow;
  for(iRow=0; sqlxStep(p, pStmt); iRow++){
    const char *zOp = sqlxColumn(p, pStmt, 1);
    if( iRow && sqlite3_column_int(pStmt, 0)==0 ) break;
    if( zOp==0 ) continue;
    if( strcmp(zOp, "VOpen")==0 ) eUse = USE_VIRTUAL;
    if( strstr(zOp, "Func") && eUse==USE_PLAIN ) eUse = USE_FUNCTION;
  }
  sqlxFinalize(p, pStmt);
  return eUse;
}

/* Whether there is a table of that name that is neither a view nor virtual.
** Reading a virtual table calls its module, and writing one can do anything. */
int tableinfoIsOrdinary(Sqlx *p, const char *zSchema, const char *zName){
  if( !sqlxTable(p, zSchema, zName) ) return 0;
  return useOf(p, sqlxPrintf(p, "SELECT 1 FROM \"%w\".\"%w\"", zSchema, zName))
         !=USE_VIRTUAL && p->rc==SQLITE_OK;
}

static void failOwn(
  Sqlx *p,
  const char *zSchema,
  const char *zName,
  const char *zWhy
){
  sqlxBad(p, "%s.%s %s; allowed is the table that Interlock makes", zSchema,
          zName, zWhy);
}

static int isOwn(
  Sqlx *p,
  const char *zSchema,
  const char *zName,
  const char *zSql
){
  TableInfoUse eUse = useOf(p, zSql);
  if( eUse==USE_VIRTUAL ) failOwn(p, zSchema, zName, "is a virtual table");
  if( eUse==USE_FUNCTION ) failOwn(p, zSchema, zName, "calls functions");
  return p->rc==SQLITE_OK;
}

/*
** Whether a table of Interlock's own is there and may be read. An object that
** has its name but cannot have been made by Interlock is an error: a view, a
** virtual table, or a table whose columns call functions. Interlock reads and
** writes these tables by itself, and the user may not know that they are there.
*/
int tableinfoOwn(Sqlx *p, const char *zSchema, const char *zName){
  if( p->rc!=SQLITE_OK ) return 0;
  if( !sqlxTable(p, zSchema, zName) ){
    if( !sqlxExists(p, "PRAGMA \"%w\".table_info(\"%w\")", zSchema, zName)
     && p->rc!=SQLITE_ERROR ) return 0;
    sqlxClear(p);
    /* Another connection may have made the table since the first look. The
    ** PRAGMA has read the schema again. */
    if( !sqlxTable(p, zSchema, zName) ){
      failOwn(p, zSchema, zName, "is a view");
      return 0;
    }
  }
  return isOwn(p, zSchema, zName, sqlxPrintf(p,
      "SELECT * FROM \"%w\".\"%w\"", zSchema, zName));
}

/* The same for a table that is written: its CHECKs and indexes must not call
** functions either. */
int tableinfoOwnWritten(Sqlx *p, const char *zSchema, const char *zName){
  return tableinfoOwn(p, zSchema, zName)
      && isOwn(p, zSchema, zName, sqlxPrintf(p,
      "REPLACE INTO \"%w\".\"%w\" SELECT * FROM \"%w\".\"%w\"", zSchema, zName,
      zSchema, zName));
}

/* Whether a virtual table keeps its data in this one. */
static int isShadow(Sqlx *p, const TableInfo *pInfo){
  if( sqlite3_libversion_number()>=3037000 ){
    sqlite3_stmt *pStmt = sqlxPrepare(p, "PRAGMA \"%w\".table_list(\"%w\")",
        pInfo->zSchema, pInfo->zName);
    int bShadow = 0;
    while( sqlxStep(p, pStmt) ){
      const char *zType = sqlxColumn(p, pStmt, 2);
      if( zType && strcmp(zType, "shadow")==0 ) bShadow = 1;
    }
    sqlxFinalize(p, pStmt);
    return bShadow;
  }
  return sqlxExists(p,
      "SELECT 1 FROM \"%w\".sqlite_master WHERE type='table'"
      " AND sql LIKE 'CREATE VIRTUAL TABLE%%'"
      " AND substr(%Q,1,length(name)+1)=name||'_' COLLATE NOCASE",
      pInfo->zSchema, pInfo->zName);
}

/* The part of the list that an item belongs to: users' triggers, Interlock's,
** and everything else. */
static int itemKind(const TableInfoItem *pItem){
  if( strcmp(pItem->zType, "trigger")!=0 ) return 2;
  return strncmp(pItem->zName, "interlock_", 10)==0;
}

static int compareItems(const void *pA, const void *pB){
  const TableInfoItem *a = pA, *b = pB;
  int c = itemKind(a) - itemKind(b);
  if( c==0 && itemKind(a)==0 ) c = a->iMade - b->iMade;
  return c ? c : sqlite3_stricmp(a->zName, b->zName);
}

/* Reads the list from the rows of a statement. */
static void readList(Sqlx *p, sqlite3_stmt *pStmt, TableInfoList *pList){
  memset(pList, 0, sizeof(*pList));
  while( sqlxStep(p, pStmt) ){
    TableInfoItem *pItem;
    pList->a = sqlxGrow(p, pList->a, pList->n, sizeof(TableInfoItem));
    if( pList->a==0 ) break;
    pItem = &pList->a[pList->n];
    pItem->zType = sqlxColumn(p, pStmt, 0);
    pItem->zName = sqlxColumn(p, pStmt, 1);
    pItem->zTable = sqlxColumn(p, pStmt, 2);
    pItem->zSql = sqlxColumn(p, pStmt, 3);
    pItem->iRow = sqlite3_column_int64(pStmt, 4);
    if( !pItem->zType || !pItem->zName || !pItem->zTable ) continue;
    pItem->iMade = pList->n;
    pList->nUser += itemKind(pItem)==0;
    pList->nTrigger += itemKind(pItem)<2;
    if( itemKind(pItem)==0 && pItem->zSql ){
      pList->bFail |= tableinfoHasText(pItem->zSql, "FAIL");
    }
    pList->n++;
  }
  sqlxFinalize(p, pStmt);
  if( p->rc!=SQLITE_OK ) pList->n = pList->nUser = pList->nTrigger = 0;
  if( pList->a && pList->n>1 ){
    qsort(pList->a, (size_t)pList->n, sizeof(TableInfoItem), compareItems);
  }
}

/* Reads the list of a schema. */
void tableinfoList(Sqlx *p, const char *zSchema, TableInfoList *pList){
  readList(p, sqlxPrepare(p, "SELECT type, name, tbl_name, sql, rowid"
      " FROM \"%w\".sqlite_master", zSchema), pList);
}

/* Reads the triggers of one table, for a caller that looks at no other. */
void tableinfoTriggers(Sqlx *p, const TableInfo *pInfo, TableInfoList *pList){
  readList(p, sqlxPrepare(p, "SELECT type, name, tbl_name, sql, rowid"
      " FROM \"%w\".sqlite_master WHERE type='trigger'"
      " AND tbl_name=%Q COLLATE NOCASE", pInfo->zSchema, pInfo->zName), pList);
}

/* Returns the first of Interlock's triggers with a number in its name. The
** others follow it; *pn becomes their number, the first included. */
const TableInfoItem *tableinfoNumbered(
  const TableInfoList *pList,
  const char *zNumber,
  int *pn
){
  int iLow = pList->nUser, iHigh = pList->nTrigger, n = 0;
  while( iLow<iHigh ){
    int iMid = (iLow + iHigh)/2;
    if( sqlite3_stricmp(pList->a[iMid].zName+10, zNumber)<0 ){
      iLow = iMid + 1;
    }else{
      iHigh = iMid;
    }
  }
  while( iLow+n<pList->nTrigger
      && strncmp(pList->a[iLow+n].zName+10, zNumber, 8)==0 ) n++;
  *pn = n;
  return &pList->a[iLow];
}

/* Returns the table, view or index of that name, or NULL. */
static const TableInfoItem *listedName(
  const TableInfoList *pList,
  const char *zName
){
  int iLow = pList->nTrigger, iHigh = pList->n;
  while( iLow<iHigh ){
    int iMid = (iLow + iHigh)/2;
    int c = sqlite3_stricmp(pList->a[iMid].zName, zName);
    if( c==0 ) return &pList->a[iMid];
    if( c<0 ) iLow = iMid + 1; else iHigh = iMid;
  }
  return 0;
}

/* Returns the object of that type and name, or NULL. */
static const TableInfoItem *listed(
  const TableInfoList *pList,
  const char *zType,
  const char *zName
){
  const TableInfoItem *pItem = listedName(pList, zName);
  return pItem && strcmp(pItem->zType, zType)==0 ? pItem : 0;
}

/* Finds a table in a list by its name as it is. Sets zSchema, zName, zSql and
** pList. Returns 0 if there is none. */
int tableinfoExists(
  const TableInfoList *pList,
  const char *zSchema,
  const char *zName,
  TableInfo *pInfo
){
  const TableInfoItem *pItem = listed(pList, "table", zName);
  memset(pInfo, 0, sizeof(*pInfo));
  if( pItem==0 ) return 0;
  pInfo->pList = pList;
  pInfo->zSchema = zSchema;
  pInfo->zName = pItem->zName;
  pInfo->zSql = pItem->zSql;
  return 1;
}

/* Returns the CREATE statement of an object in the table's schema, or NULL. */
const char *tableinfoText(
  Sqlx *p,
  const TableInfo *pInfo,
  const char *zType,
  const char *zName
){
  const char *zSql = 0;
  sqlite3_stmt *pStmt;
  if( pInfo->pList ){
    const TableInfoItem *pItem = listed(pInfo->pList, zType, zName);
    return pItem ? pItem->zSql : 0;
  }
  pStmt = sqlxPrepare(p, "SELECT sql FROM \"%w\".sqlite_master"
      " WHERE type=%Q AND name=%Q", pInfo->zSchema, zType, zName);
  if( sqlxStep(p, pStmt) ) zSql = sqlxColumn(p, pStmt, 0);
  sqlxFinalize(p, pStmt);
  return zSql;
}

/* Looks for a table or view in the file of one schema. Returns 1 if it is
** there, with what sqlite_master says of it. */
static int findInFile(
  Sqlx *p,
  const char *zSchema,
  const char *zName,
  TableInfo *pInfo,
  const char **pzType
){
  int bFound = 0;
  sqlite3_stmt *pStmt = sqlxPrepare(p,
      "SELECT name, type, sql, rowid FROM \"%w\".sqlite_master"
      " WHERE type IN('table','view') AND name=%Q COLLATE NOCASE",
      zSchema, zName);
  if( sqlxStep(p, pStmt) ){
    pInfo->zSchema = zSchema;
    pInfo->zName = sqlxColumn(p, pStmt, 0);
    *pzType = sqlxColumn(p, pStmt, 1);
    pInfo->zSql = sqlxColumn(p, pStmt, 2);
    pInfo->iRow = sqlite3_column_int64(pStmt, 3);
    bFound = p->rc==SQLITE_OK;
  }
  sqlxFinalize(p, pStmt);
  return bFound;
}

/* Returns the schema of that name, with its list, or NULL. */
static TableInfoSchema *schemaIn(
  Sqlx *p,
  TableInfoSchema *aAll,
  const char *zSchema
){
  TableInfoSchema *pOne = aAll;
  while( pOne && pOne->zSchema
      && sqlite3_stricmp(pOne->zSchema, zSchema)!=0 ) pOne++;
  if( pOne==0 || pOne->zSchema==0 ) return 0;
  if( !pOne->bRead ) tableinfoList(p, zSchema, &pOne->list);
  pOne->bRead = 1;
  return pOne;
}

/* Looks for a table or view in one schema: in its list if there are lists, and
** otherwise in the file. */
static int findIn(
  Sqlx *p,
  TableInfoSchema *aAll,
  const char *zSchema,
  const char *zName,
  TableInfo *pInfo,
  const char **pzType
){
  const TableInfoSchema *pSchema = schemaIn(p, aAll, zSchema);
  const TableInfoItem *pItem;
  if( pSchema==0 ) return findInFile(p, zSchema, zName, pInfo, pzType);
  pItem = listedName(&pSchema->list, zName);
  if( pItem==0 || (strcmp(pItem->zType, "table")!=0
                && strcmp(pItem->zType, "view")!=0) ) return 0;
  pInfo->pList = &pSchema->list;
  pInfo->zSchema = zSchema;
  pInfo->zName = pItem->zName;
  pInfo->zSql = pItem->zSql;
  pInfo->iRow = pItem->iRow;
  *pzType = pItem->zType;
  return 1;
}

/* Returns the schemas of the connection as an array, for lists that are read
** once; NULL after an error. */
TableInfoSchema *tableinfoSchemas(Sqlx *p){
  const char **az = sqlxSchemas(p);
  TableInfoSchema *a;
  int n = 0;
  while( az && az[n] ) n++;
  a = sqlxAlloc(p, (sqlite3_uint64)(n + 1)*sizeof(*a));
  while( a && n-->0 ) a[n].zSchema = az[n];
  return a;
}

/* Looks in one schema or, if zSchema is NULL, in every schema in SQLite's
** order: temp, main, then the attached files. */
static int findName(
  Sqlx *p,
  TableInfoSchema *aAll,
  const char *zSchema,
  const char *zName,
  TableInfo *pInfo,
  const char **pzType
){
  const char **az;
  int bFound;
  if( zSchema ) return findIn(p, aAll, zSchema, zName, pInfo, pzType);
  bFound = findIn(p, aAll, "temp", zName, pInfo, pzType);
  az = sqlxSchemas(p);
  for(; az && *az && !bFound; az++){
    bFound = findIn(p, aAll, *az, zName, pInfo, pzType);
  }
  return bFound;
}

/* Refuses what is no ordinary table. */
static void checkKind(
  Sqlx *p,
  const TableInfo *pInfo,
  const char *zType
){
  const char *zWhy = 0;
  if( strcmp(zType, "view")==0 ){
    zWhy = "is a view";
  }else if( !sqlxTable(p, pInfo->zSchema, pInfo->zName) ){
    zWhy = "is a view, though its file says a table";
  }else if( !tableinfoIsOrdinary(p, pInfo->zSchema, pInfo->zName) ){
    zWhy = "is a virtual table";
  }else if( sqlite3_strnicmp(pInfo->zName, "sqlite_", 7)==0 ){
    zWhy = "belongs to SQLite itself";
  }else if( isShadow(p, pInfo) ){
    zWhy = "holds the data of a virtual table";
  }
  if( zWhy ){
    sqlxBad(p, "%s %s; allowed are ordinary tables", pInfo->zName, zWhy);
  }
}

/* Looks for a table or view by what a user typed. A name without a schema is
** first taken as it is. After a schema, quotes are those of SQL: a text that
** Interlock makes of two names must not find a table with quotes in its
** name. */
static int lookFor(
  Sqlx *p,
  TableInfoSchema *aAll,
  const char *zTable,
  TableInfo *pInfo,
  const char **pzType
){
  const char *zSchema = 0, *zName = 0;
  memset(pInfo, 0, sizeof(*pInfo));
  tableinfoSplit(p, zTable, &zSchema, &zName);
  return (zSchema==0 && findName(p, aAll, 0, zName, pInfo, pzType))
      || findName(p, aAll, zSchema, tableinfoUnquote(p, zName), pInfo, pzType);
}

/*
** Finds a table by what a user typed: `name` or `schema.name`, each part as it
** is or quoted as in SQL. It is looked for in the lists of aAll or, if aAll is
** NULL, in the files. Sets zSchema, zName, zSql and, with lists, pList. Returns
** 0 with `bad argument:` if there is none, or if it is no ordinary table.
*/
int tableinfoFind(
  Sqlx *p,
  TableInfoSchema *aAll,
  const char *zTable,
  TableInfo *pInfo
){
  const char *zType = 0;
  if( lookFor(p, aAll, zTable, pInfo, &zType) ){
    checkKind(p, pInfo, zType);
  }else{
    sqlxBad(p, "there is no table %Q; allowed is the name of a table, or"
               " schema.name", zTable);
  }
  return p->rc==SQLITE_OK;
}

/* The same for a table of any kind. Returns 0 without an error if there is
** none. */
int tableinfoLook(
  Sqlx *p,
  TableInfoSchema *aAll,
  const char *zTable,
  TableInfo *pInfo
){
  const char *zType = 0;
  return lookFor(p, aAll, zTable, pInfo, &zType) && strcmp(zType, "table")==0;
}

/* Whether what a user typed can mean this table, which need not exist. */
int tableinfoIsNamed(
  Sqlx *p,
  const char *zTable,
  const char *zSchema,
  const char *zName
){
  const char *zOnly = 0, *z = 0;
  tableinfoSplit(p, zTable, &zOnly, &z);
  if( zOnly && sqlite3_stricmp(zOnly, zSchema)!=0 ) return 0;
  return (zOnly==0 && sqlite3_stricmp(z, zName)==0)
      || sqlite3_stricmp(tableinfoUnquote(p, z), zName)==0;
}

/* Whether a text contains another one, in any case. */
int tableinfoHasText(const char *z, const char *zPart){
  size_t n = strlen(zPart);
  for(; *z; z++){
    if( sqlite3_strnicmp(z, zPart, (int)n)==0 ) return 1;
  }
  return 0;
}

/* Returns the affinity of a declared type, by SQLite's rules in their order.
** ANY has no affinity in a STRICT table, and is NUMERIC elsewhere. */
const char *tableinfoAffinity(const char *zType, int bStrict){
  if( tableinfoHasText(zType, "INT") ) return "INTEGER";
  if( tableinfoHasText(zType, "CHAR") || tableinfoHasText(zType, "CLOB")
   || tableinfoHasText(zType, "TEXT") ) return "TEXT";
  if( zType[0]==0 || tableinfoHasText(zType, "BLOB") ) return "";
  if( tableinfoHasText(zType, "REAL") || tableinfoHasText(zType, "FLOA")
   || tableinfoHasText(zType, "DOUB") ) return "REAL";
  if( bStrict && sqlite3_stricmp(zType, "ANY")==0 ) return "";
  return "NUMERIC";
}

/* Returns the first '(' outside quotes. In a CREATE TABLE or CREATE INDEX it
** opens the list of columns. */
static SqlToken listOf(const char *z, const char *zEnd){
  SqlToken t = sqltokenAt(z, zEnd);
  while( t.kind!=SQLTOKEN_END && !sqltokenIsByte(&t, '(') ){
    t = sqltokenNext(&t, zEnd);
  }
  return t;
}

/* AUTOINCREMENT is a keyword, which is no name unless it is in quotes. */
int tableinfoIsAutoincrement(const TableInfo *pInfo){
  const char *z = pInfo->zSql ? pInfo->zSql : "";
  const char *zEnd = z + strlen(z);
  SqlToken t = sqltokenAt(z, zEnd);
  for(; t.kind!=SQLTOKEN_END; t=sqltokenNext(&t, zEnd)){
    if( sqltokenIsWord(&t, "AUTOINCREMENT") ) return 1;
  }
  return 0;
}

/* Whether STRICT comes after the list of columns. */
static int isStrict(const TableInfo *pInfo){
  const char *z = pInfo->zSql ? pInfo->zSql : "";
  const char *zEnd = z + strlen(z);
  SqlToken t = listOf(z, zEnd);
  if( t.kind==SQLTOKEN_END ) return 0;
  t = sqltokenAt(sqltokenClose(&t, zEnd), zEnd);
  for(; t.kind!=SQLTOKEN_END; t=sqltokenNext(&t, zEnd)){
    if( sqltokenIsWord(&t, "STRICT") ) return 1;
  }
  return 0;
}

/* Returns the collation with which a column was declared. */
static const char *collationOf(Sqlx *p, const TableInfo *pInfo, const char *z){
  const char *zColl = 0;
  int rc = sqlite3_table_column_metadata(p->db, pInfo->zSchema,
      pInfo->zName, z, 0, &zColl, 0, 0, 0);
  if( rc!=SQLITE_OK ) sqlxFail(p, rc, "%s", sqlite3_errmsg(p->db));
  return sqlxPrintf(p, "%s", zColl ? zColl : "BINARY");
}

/* Whether a token can only be a string, though SQLite reads a name first: it is
** in double quotes, and names no column. A function's name has a '(' behind
** it. */
static int isStringAsName(
  const TableInfo *pInfo,
  const SqlToken *pToken,
  const char *zEnd
){
  SqlToken tNext = sqltokenNext(pToken, zEnd);
  int i;
  if( pToken->kind!=SQLTOKEN_QUOTED || pToken->z[0]!='"'
   || sqltokenIsByte(&tNext, '(') ) return 0;
  for(i=0; tableinfoRowidName(i); i++){
    if( sqltokenIsName(pToken, tableinfoRowidName(i)) ) return 0;
  }
  for(i=0; i<pInfo->nCol; i++){
    if( sqltokenIsName(pToken, pInfo->aCol[i].zName) ) return 0;
  }
  return 1;
}

/* Returns an expression over the columns as it is in the schema, but with its
** strings in single quotes. Beside another table, a string in double quotes
** could name a column of that one. */
static const char *expressionText(
  Sqlx *p,
  const TableInfo *pInfo,
  const char *z,
  const char *zEnd
){
  const char *zAll = stripped(p, sqlxPrintf(p, "%.*s", (int)(zEnd - z), z));
  sqlite3_str *pStr = sqlite3_str_new(p->db);
  SqlToken t;
  if( zAll==0 ) zAll = "";
  zEnd = zAll + strlen(zAll);
  for(t=sqltokenAt(zAll, zEnd); t.kind!=SQLTOKEN_END;
      t=sqltokenAt(t.z + t.n, zEnd)){
    char *zName = isStringAsName(pInfo, &t, zEnd)
                ? sqlxAlloc(p, (sqlite3_uint64)t.n + 1) : 0;
    if( zName && sqltokenUnquote(&t, zName) ){
      sqlite3_str_appendf(pStr, "%Q", zName);
    }else{
      sqlite3_str_append(pStr, t.z, t.n);
    }
  }
  return sqlxText(p, pStr);
}

/* Returns the expression of a generated column, or NULL. The definitions of the
** columns come first in the list, in the order of aCol. */
static const char *generatedText(Sqlx *p, const TableInfo *pInfo, int iCol){
  const char *z = pInfo->zSql ? pInfo->zSql : "";
  const char *zEnd = z + strlen(z), *zClose;
  int bAs = 0;
  SqlToken t = listOf(z, zEnd);
  if( t.kind==SQLTOKEN_END ) return 0;
  zClose = sqltokenClose(&t, zEnd);
  for(t=sqltokenNext(&t, zClose); t.kind!=SQLTOKEN_END && iCol>=0;
      t=sqltokenNext(&t, zClose)){
    const char *zInner = t.z + t.n;
    if( sqltokenIsByte(&t, ',') ) iCol--;
    if( sqltokenIsByte(&t, '(') ){
      const char *zInnerEnd = sqltokenClose(&t, zClose);
      if( bAs && iCol==0 ) return expressionText(p, pInfo, zInner, zInnerEnd);
      t = sqltokenAt(zInnerEnd, zClose);
    }
    bAs = sqltokenIsWord(&t, "AS");
  }
  return 0;
}

static void readColumns(Sqlx *p, TableInfo *pInfo){
  int i;
  int bStrict = isStrict(pInfo);
  sqlite3_stmt *pStmt = sqlxPrepare(p, "PRAGMA \"%w\".table_xinfo(\"%w\")",
      pInfo->zSchema, pInfo->zName);
  while( sqlxStep(p, pStmt) ){
    TableInfoColumn *pCol;
    const char *zType = sqlxColumn(p, pStmt, XINFO_TYPE);
    pInfo->aCol = sqlxGrow(p, pInfo->aCol, pInfo->nCol,
                            sizeof(TableInfoColumn));
    if( pInfo->aCol==0 ) break;
    pCol = &pInfo->aCol[pInfo->nCol];
    pCol->zName = sqlxColumn(p, pStmt, XINFO_NAME);
    pCol->zType = zType ? zType : "";
    pCol->zAffinity = tableinfoAffinity(pCol->zType, bStrict);
    pCol->zDefault = stripped(p, sqlxColumn(p, pStmt, XINFO_DEFAULT));
    pCol->bNotNull = sqlite3_column_int(pStmt, XINFO_NOTNULL);
    pCol->bKey = sqlite3_column_int(pStmt, XINFO_PK)>0;
    pCol->bGenerated = sqlite3_column_int(pStmt, XINFO_HIDDEN)>=2;
    if( p->rc!=SQLITE_OK ) break;
    pCol->zColl = collationOf(p, pInfo, pCol->zName);
    if( pCol->bKey ) pInfo->bDeclaredKey = 1;
    pInfo->nCol++;
  }
  if( pInfo->aCol==0 ) pInfo->nCol = 0;
  sqlxFinalize(p, pStmt);
  for(i=0; i<pInfo->nCol; i++){
    TableInfoColumn *pCol = &pInfo->aCol[i];
    pCol->zGenerated = pCol->bGenerated ? generatedText(p, pInfo, i) : 0;
  }
}

/*
** Returns the text of the expression number iTerm of an index or, if iTerm is
** negative, of its WHERE. zSql is the CREATE INDEX statement.
*/
static const char *indexText(
  Sqlx *p,
  const TableInfo *pInfo,
  const char *zSql,
  int iTerm
){
  const char *zEnd = zSql + strlen(zSql);
  const char *zStart, *zClose;
  SqlToken t = listOf(zSql, zEnd);
  SqlToken tLast;
  if( t.kind==SQLTOKEN_END ) return "";
  zClose = sqltokenClose(&t, zEnd);
  if( iTerm<0 ){
    t = sqltokenAt(zClose, zEnd);
    while( t.kind!=SQLTOKEN_END && !sqltokenIsWord(&t, "WHERE") ){
      t = sqltokenNext(&t, zEnd);
    }
    return expressionText(p, pInfo, t.z + t.n, zEnd);
  }
  t = sqltokenNext(&t, zClose);
  for(zStart=t.z, tLast=t; t.kind!=SQLTOKEN_END; t=sqltokenNext(&t, zClose)){
    if( sqltokenIsByte(&t, ',') && iTerm--==0 ) break;
    if( sqltokenIsByte(&t, ',') ) zStart = t.z+1;
    if( sqltokenIsByte(&t, '(') ){
      t = sqltokenAt(sqltokenClose(&t, zClose), zClose);
    }
    tLast = t;
  }
  if( sqltokenIsWord(&tLast, "ASC") || sqltokenIsWord(&tLast, "DESC") ){
    t = tLast;
  }
  return expressionText(p, pInfo, zStart, t.z);
}

/* Reads the terms of one index. */
static void readTerms(
  Sqlx *p,
  const TableInfo *pInfo,
  const char *zIndex,    /* an index, or a table that is WITHOUT ROWID */
  const char *zSql,      /* its CREATE INDEX, "" for an automatic one */
  TableInfoPath *pPath
){
  sqlite3_stmt *pStmt = sqlxPrepare(p, "PRAGMA \"%w\".index_xinfo(\"%w\")",
      pInfo->zSchema, zIndex);
  while( sqlxStep(p, pStmt) ){
    TableInfoTerm *pTerm;
    if( !sqlite3_column_int(pStmt, IXINFO_KEY) ) continue;
    pPath->aTerm = sqlxGrow(p, pPath->aTerm, pPath->nTerm,
                            sizeof(TableInfoTerm));
    if( pPath->aTerm==0 ) break;
    pTerm = &pPath->aTerm[pPath->nTerm];
    pTerm->iCol = sqlite3_column_int(pStmt, IXINFO_CID);
    pTerm->zColl = sqlxColumn(p, pStmt, IXINFO_COLL);
    if( pTerm->iCol<0 || pTerm->iCol>=pInfo->nCol ){
      pTerm->iCol = -1;
      pTerm->zExpr = indexText(p, pInfo, zSql, pPath->nTerm);
    }
    pPath->nTerm++;
  }
  if( pPath->aTerm==0 ) pPath->nTerm = 0;
  sqlxFinalize(p, pStmt);
}

/* Reads the index of one row of PRAGMA index_list. */
static void readIndex(Sqlx *p, TableInfo *pInfo, sqlite3_stmt *pList){
  const char *zIndex = sqlxColumn(p, pList, LIST_NAME);
  const char *zOrigin = sqlxColumn(p, pList, LIST_ORIGIN);
  const char *zSql;
  TableInfoPath path;
  int i;
  if( !zIndex || !zOrigin || !sqlite3_column_int(pList, LIST_UNIQUE) ) return;
  if( strcmp(zOrigin, "pk")==0 ){
    if( !pInfo->bWithoutRowid ){
      readTerms(p, pInfo, zIndex, "", &pInfo->key);
    }
    return;
  }
  zSql = tableinfoText(p, pInfo, "index", zIndex);
  memset(&path, 0, sizeof(path));
  path.zIndex = zIndex;
  readTerms(p, pInfo, zIndex, zSql ? zSql : "", &path);
  if( zSql ) path.zWhere = indexText(p, pInfo, zSql, -1);
  if( path.zWhere && path.zWhere[0]==0 ) path.zWhere = 0;
  pInfo->aPath = sqlxGrow(p, pInfo->aPath, pInfo->nPath,
                           sizeof(TableInfoPath));
  if( pInfo->aPath==0 ){
    pInfo->nPath = 0;
    return;
  }
  /* In order of name: SQLite's order differs before and after reopening. */
  for(i=pInfo->nPath++; i>0; i--){
    if( strcmp(pInfo->aPath[i-1].zIndex, zIndex)<0 ) break;
    pInfo->aPath[i] = pInfo->aPath[i-1];
  }
  pInfo->aPath[i] = path;
}

static void readIndexes(Sqlx *p, TableInfo *pInfo){
  sqlite3_stmt *pStmt = sqlxPrepare(p, "PRAGMA \"%w\".index_list(\"%w\")",
      pInfo->zSchema, pInfo->zName);
  while( sqlxStep(p, pStmt) ) readIndex(p, pInfo, pStmt);
  sqlxFinalize(p, pStmt);
}

const char *tableinfoRowidName(int i){
  static const char *const az[] = { "rowid", "_rowid_", "oid", 0 };
  return az[i];
}

/* Returns how SQL can name the rowid: as the INTEGER PRIMARY KEY, or by an
** alias that is the name of no column, and is not zNot. */
static const char *rowidName(
  Sqlx *p,
  const TableInfo *pInfo,
  const char *zNot
){
  const char *z;
  int iCol, i;
  if( pInfo->bWithoutRowid ) return 0;
  for(iCol=0; pInfo->bRowidKey && iCol<pInfo->nCol; iCol++){
    if( pInfo->aCol[iCol].bKey ){
      return sqlxPrintf(p, "\"%w\"", pInfo->aCol[iCol].zName);
    }
  }
  for(i=0; (z = tableinfoRowidName(i))!=0; i++){
    if( tableinfoColumn(pInfo, z)<0 && sqlite3_stricmp(z, zNot)!=0 ) return z;
  }
  return 0;
}

/*
** Whether the table has no rowid. Then SQLite knows no column under a name of
** the rowid that no declared column has. If columns have all of these names,
** PRAGMA index_xinfo returns rows for the table's own name only if there is no
** rowid.
*/
static int isWithoutRowid(Sqlx *p, const TableInfo *pInfo){
  const char *z;
  int i;
  if( p->rc!=SQLITE_OK ) return 0;
  for(i=0; (z = tableinfoRowidName(i))!=0; i++){
    if( tableinfoColumn(pInfo, z)<0 ){
      return !sqlxTableColumn(p, pInfo->zSchema, pInfo->zName, z);
    }
  }
  return sqlxExists(p, "PRAGMA \"%w\".index_xinfo(\"%w\")",
      pInfo->zSchema, pInfo->zName);
}

/* Reads the columns and indexes of a table that was found. */
void tableinfoRead(Sqlx *p, TableInfo *pInfo){
  readColumns(p, pInfo);
  pInfo->bWithoutRowid = isWithoutRowid(p, pInfo);
  readIndexes(p, pInfo);
  if( pInfo->bWithoutRowid ){
    readTerms(p, pInfo, pInfo->zName, "", &pInfo->key);
  }
  pInfo->bRowidKey = pInfo->key.nTerm==0;
  pInfo->zRowid = rowidName(p, pInfo, "");
}

/* The table is going to have this column. If it is called rowid, that will no
** longer be a name of the rowid. */
void tableinfoReserve(Sqlx *p, TableInfo *pInfo, const char *zColumn){
  pInfo->zReserved = zColumn;
  pInfo->zRowid = rowidName(p, pInfo, zColumn);
}
