/* SPDX-License-Identifier: 0BSD */
/*
** The SQL functions that every kind of declared tables has alike. See
** declarecall.h.
*/
#include "schema/declarecall.h"
#include "schema/declare.h"
#include "sqlite/args.h"
SQLITE_EXTENSION_INIT3

/* Takes a table, which nMin of 0 allows to be left out. */
static const char *argTable(Sqlx *p, int nArg, sqlite3_value **apArg, int nMin,
                            const char *zForm){
  if( !argsCount(p, nArg, nMin, 1, zForm) || nArg==0 ) return 0;
  return argsText(p, apArg[0], "table");
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
