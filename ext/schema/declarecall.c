/* SPDX-License-Identifier: 0BSD */
/*
** The SQL functions that every kind of declared tables has alike. See
** declarecall.h.
*/
#include <string.h>
#include "schema/declarecall.h"
#include "schema/declare.h"
#include "sqlite/args.h"
#include "sqlite/jsonarray.h"
SQLITE_EXTENSION_INIT3

/* Takes a table, which nMin of 0 allows to be left out. */
static const char *argTable(Sqlx *p, int nArg, sqlite3_value **apArg, int nMin,
                            const char *zForm){
  if( !argsCount(p, nArg, nMin, 1, zForm) || nArg==0 ) return 0;
  return argsText(p, apArg[0], "table");
}

/* Returns element i of the array. */
static const char *elementName(Sqlx *p, JsonArray *pArray, int i){
  const char *zType, *z;
  sqlite3_value *pVal = jsonarrayElement(pArray, i, &zType);
  if( pVal==0 ) return 0;
  if( strcmp(zType, "text")!=0 ){
    sqlxBad(p, "table number %d of the array is JSON's %s; allowed are names,"
               " as texts", i+1, zType);
    return 0;
  }
  z = (const char*)sqlite3_value_text(pVal);
  if( z==0 ){
    p->rc = SQLITE_NOMEM;
  }else if( z[0]==0 || strlen(z)!=(size_t)sqlite3_value_bytes(pVal) ){
    sqlxBad(p, "table number %d of the array is %s; allowed are names", i+1,
            z[0]==0 ? "empty" : "cut by a NUL character");
  }
  return p->rc==SQLITE_OK ? sqlxPrintf(p, "%s", z) : 0;
}

/* Takes a JSON array of names. Returns how many there are; 0 with an error. */
static int argTables(Sqlx *p, sqlite3_value *pArg, const char ***paz){
  const char *zJson = argsText(p, pArg, "tables");
  const char **az = 0;
  JsonArray array;
  int i;
  jsonarrayBegin(&array, p, 0, zJson, "tables");
  if( array.n<1 ){
    sqlxBad(p, "tables is %.40s; allowed is a JSON array of one name or more",
            zJson);
  }else{
    az = sqlxAlloc(p, (sqlite3_uint64)array.n*sizeof(az[0]));
  }
  for(i=0; az!=0 && i<array.n && p->rc==SQLITE_OK; i++){
    az[i] = elementName(p, &array, i);
  }
  jsonarrayEnd(&array);
  *paz = az;
  return p->rc==SQLITE_OK ? array.n : 0;
}

void declarecallMany(
  Sqlx *p,
  sqlite3_context *ctx,
  sqlite3_value **apArg,
  const DeclaredKind *pKind,
  const void *pOptions
){
  const char **az = 0;
  int n = p->rc==SQLITE_OK ? argTables(p, apArg[0], &az) : 0;
  if( n>0 ) n = declareMany(p, pKind, n, az, pOptions);
  argsEndInteger(p, ctx, n);
}

void declarecallUndoMany(
  sqlite3_context *ctx,
  int nArg,
  sqlite3_value **apArg,
  const DeclaredKind *pKind,
  const char *zForm
){
  Sqlx x;
  const char **az = 0;
  int n = 0;
  sqlxBegin(&x, sqlite3_context_db_handle(ctx));
  if( argsCount(&x, nArg, 1, 1, zForm) ) n = argTables(&x, apArg[0], &az);
  if( n>0 ) n = declareUndeclareMany(&x, pKind, n, az);
  argsEndInteger(&x, ctx, n);
}

void declarecallUndo(
  sqlite3_context *ctx,
  int nArg,
  sqlite3_value **apArg,
  const DeclaredKind *pKind,
  const char *zForm
){
  Sqlx x;
  const char *zTable;
  int bDone = 0;
  sqlxBegin(&x, sqlite3_context_db_handle(ctx));
  zTable = argTable(&x, nArg, apArg, 1, zForm);
  if( zTable ) bDone = declareUndeclare(&x, pKind, zTable, DDL_SELECT);
  argsEndInteger(&x, ctx, bDone);
}

void declarecallRepair(
  sqlite3_context *ctx,
  int nArg,
  sqlite3_value **apArg,
  const DeclaredKind *pKind,
  const char *zForm
){
  Sqlx x;
  const char *zTable;
  int n = 0;
  sqlxBegin(&x, sqlite3_context_db_handle(ctx));
  zTable = argTable(&x, nArg, apArg, 0, zForm);
  if( x.rc==SQLITE_OK ) n = declareRepair(&x, pKind, zTable);
  argsEndInteger(&x, ctx, n);
}
