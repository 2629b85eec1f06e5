/* SPDX-License-Identifier: 0BSD */
/*
** The virtual table of a kind of declared tables. See declaredtables.h.
*/
#include <string.h>
#include "schema/declaredtables.h"
#include "schema/declare.h"
#include "schema/registry.h"
#include "schema/status.h"
#include "sqlite/sqltoken.h"
SQLITE_EXTENSION_INIT3

/* ---- reading ---------------------------------------------------------- */

/* Returns the schema and the number as one integer, which stays the same while
** other tables are declared and undeclared. */
static sqlite3_int64 rowidOf(const DeclaredTable *pTab){
  const char *z = pTab->zEntry;
  sqlite3_int64 i = pTab->iSchema;
  for(; z && *z; z++) i = (i<<4) | (*z<='9' ? *z-'0' : (*z-'a'+10)&15);
  return i;
}

static const char *noteOf(Sqlx *p, const DeclaredTable *pTab){
  const char *zOwn = statusNote(p, pTab);
  const char *zKind = pTab->pKind->xNote(p, pTab);
  return sqlxPrintf(p, "%s%s%s", zOwn, zOwn[0] && zKind[0] ? "; " : "", zKind);
}

void declaredtablesRead(
  Sqlx *p,
  const DeclaredTables *pThis,
  const DeclaredKind *pKind,
  ListVtabRows *pRows
){
  const DeclaredTable *pTab;
  sqlite3_int64 iRow = 0;
  for(pTab=statusList(p, pKind); pTab; pTab=pTab->pNext){
    const char **az;
    iRow = pThis->xOptions ? rowidOf(pTab) : iRow+1;
    az = listvtabAdd(p, pRows, iRow);
    if( az==0 ) break;
    az[DECLAREDTABLES_SCHEMA] = pTab->zSchema;
    az[DECLAREDTABLES_NAME] = pTab->zTable;
    if( pThis->xColumns ) pThis->xColumns(pTab, az);
    az[pThis->iStatus] = statusName(pTab->status);
    az[pThis->iStatus+1] = noteOf(p, pTab);
  }
}

/* ---- writing ---------------------------------------------------------- */

const char *declaredtablesText(
  Sqlx *p,
  sqlite3_value *pVal,
  const char *zWhat
){
  const char *z;
  if( p->rc!=SQLITE_OK || sqlite3_value_type(pVal)==SQLITE_NULL ) return 0;
  if( sqlite3_value_type(pVal)!=SQLITE_TEXT ){
    sqlxBad(p, "%s is no TEXT; allowed is TEXT, or NULL for what it is", zWhat);
    return 0;
  }
  z = (const char*)sqlite3_value_text(pVal);
  if( z==0 ){
    p->rc = SQLITE_NOMEM;
  }else if( (int)strlen(z)!=sqlite3_value_bytes(pVal) ){
    sqlxBad(p, "%s is cut by a NUL character; allowed is TEXT without", zWhat);
  }
  return z;
}

/* Returns the table that a row names: schema.name, quoted. */
static const char *tableOf(Sqlx *p, const char *zSchema, const char *zName){
  if( zSchema==0 ) return zName;
  return sqlxPrintf(p, "\"%w\".\"%w\"", zSchema, zName);
}

/* Returns the declared table of a rowid; NULL with an error if it is not
** there. */
static const DeclaredTable *findRow(
  Sqlx *p,
  const DeclaredKind *pKind,
  sqlite3_int64 iRowid
){
  const DeclaredTable *pTab = statusList(p, pKind);
  while( pTab && rowidOf(pTab)!=iRowid ) pTab = pTab->pNext;
  if( pTab==0 ){
    sqlxBad(p, "this %s table is no longer there", pKind->zName);
  }
  return pTab;
}

/* Makes the request of a row of values. */
static void requestOf(
  Sqlx *p,
  const DeclaredTables *pThis,
  sqlite3_value **apVal,
  DeclareRequest *pReq
){
  const char *zSchema = declaredtablesText(p, apVal[DECLAREDTABLES_SCHEMA],
                                           "schema");
  const char *zName = declaredtablesText(p, apVal[DECLAREDTABLES_NAME],
                                         "name");
  memset(pReq, 0, sizeof(*pReq));
  if( zName==0 ) sqlxBad(p, "name is NULL; allowed is the name of a table");
  pReq->zTable = tableOf(p, zSchema, zName);
  pReq->pOptions = pThis->xOptions(p, apVal);
}

/* Refuses a value for status or note. An UPDATE passes all columns; a column
** that it does not set has no value (iOwn in listvtab.h). */
static void checkReadOnly(
  Sqlx *p,
  const DeclaredTables *pThis,
  sqlite3_value **apVal,
  int bUpdate
){
  int i;
  for(i=pThis->iStatus; i<=pThis->iStatus+1; i++){
    int bGiven = bUpdate ? !sqlite3_value_nochange(apVal[i])
                         : sqlite3_value_type(apVal[i])!=SQLITE_NULL;
    if( bGiven ) sqlxBad(p, "status and note cannot be written");
  }
}

static void insertRow(
  Sqlx *p,
  const DeclaredTables *pThis,
  const DeclaredKind *pKind,
  sqlite3_value **apVal
){
  DeclareRequest req;
  checkReadOnly(p, pThis, apVal, 0);
  requestOf(p, pThis, apVal, &req);
  if( p->rc==SQLITE_OK ) declareTable(p, pKind, &req, DDL_STATEMENT);
}

static void updateRow(
  Sqlx *p,
  const DeclaredTables *pThis,
  const DeclaredKind *pKind,
  sqlite3_int64 iRowid,
  sqlite3_value **apVal
){
  const DeclaredTable *pTab;
  DeclareRequest req;
  checkReadOnly(p, pThis, apVal, 1);
  pTab = findRow(p, pKind, iRowid);
  if( pTab==0 ) return;
  requestOf(p, pThis, apVal, &req);
  if( p->rc!=SQLITE_OK ) return;
  if( sqlite3_stricmp(req.zTable, tableOf(p, pTab->zSchema,
                                          pTab->zTable))!=0 ){
    if( pTab->status!=DECLARED_NO_TABLE ){
      sqlxBad(p, "schema and name cannot be changed; allowed is ALTER TABLE"
                 " ... RENAME, or to say where a table went whose status is"
                 " table missing");
      return;
    }
    req.zEntry = pTab->zEntry;
  }
  declareTable(p, pKind, &req, DDL_STATEMENT);
}

static void deleteRow(
  Sqlx *p,
  const DeclaredKind *pKind,
  sqlite3_int64 iRowid
){
  const DeclaredTable *pTab = findRow(p, pKind, iRowid);
  if( pTab==0 ) return;
  if( pTab->status==DECLARED_NO_TABLE ){
    registryUndeclare(p, pTab);
  }else{
    declareUndeclare(p, pKind, tableOf(p, pTab->zSchema, pTab->zTable),
                DDL_STATEMENT);
  }
}

/* Whether the text of a statement contains the name, in any form that SQLite
** accepts as a name. */
static int isNamed(const char *z, const char *zName){
  const char *zEnd = z + strlen(z);
  int n = (int)strlen(zName) + 2;
  SqlToken t;
  for(t=sqltokenAt(z, zEnd); t.kind!=SQLTOKEN_END; t=sqltokenNext(&t, zEnd)){
    if( sqltokenIsName(&t, zName) ) return 1;
    if( t.kind==SQLTOKEN_STRING && t.n==n
     && sqlite3_strnicmp(t.z+1, zName, t.n-2)==0 ) return 1;
  }
  return 0;
}

/*
** SQLite 3.34 lets a trigger write a DIRECTONLY table, and a file from
** elsewhere may contain such a trigger. A statement that writes the table
** itself names it.
*/
static void checkDirect(Sqlx *p, const char *zTables){
  sqlite3_stmt *pStmt = 0;
  while( (pStmt = sqlite3_next_stmt(p->db, pStmt))!=0 ){
    const char *z = sqlite3_sql(pStmt);
    if( !sqlite3_stmt_busy(pStmt) || sqlite3_stmt_readonly(pStmt) ) continue;
    if( z==0 || isNamed(z, zTables) ) return;
  }
  sqlxFail(p, SQLITE_ERROR, "unsafe use of virtual table \"%s\"", zTables);
}

void declaredtablesWrite(
  Sqlx *p,
  const DeclaredTables *pThis,
  const DeclaredKind *pKind,
  int argc,
  sqlite3_value **argv,
  sqlite3_int64 *piRowid
){
  checkDirect(p, sqlxPrintf(p, "%s_tables", pKind->zName));
  if( p->rc!=SQLITE_OK ) return;
  if( sqlite3_value_type(argv[0])==SQLITE_NULL ){
    insertRow(p, pThis, pKind, &argv[2]);
    *piRowid = sqlite3_last_insert_rowid(p->db);
  }else if( argc>1 ){
    updateRow(p, pThis, pKind, sqlite3_value_int64(argv[0]), &argv[2]);
  }else{
    deleteRow(p, pKind, sqlite3_value_int64(argv[0]));
  }
}
