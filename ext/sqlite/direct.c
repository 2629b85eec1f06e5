/* SPDX-License-Identifier: 0BSD */
/*
** Whether the program itself calls a function. See direct.h.
*/
#include <string.h>
#include "sqlite/direct.h"
#include "sqlite/sqltoken.h"
SQLITE_EXTENSION_INIT3

/* Whether a text contains a call of a function. A file can give a table the
** name of the function, so `INTO name(` and `schema.name(` are not calls. */
static int contains(const char *z, const char *zName){
  const char *zEnd = z + strlen(z);
  SqlToken t = sqltokenAt(z, zEnd), next;
  int bTable = 0;
  while( t.kind!=SQLTOKEN_END ){
    next = sqltokenNext(&t, zEnd);
    if( !bTable && sqltokenIsByte(&next, '(') && sqltokenIsName(&t, zName) ){
      return 1;
    }
    bTable = sqltokenIsByte(&t, '.') || sqltokenIsWord(&t, "INTO");
    t = next;
  }
  return 0;
}

static int inStatement(sqlite3 *db, const char *zName){
  sqlite3_stmt *pStmt = 0;
  while( (pStmt = sqlite3_next_stmt(db, pStmt))!=0 ){
    const char *z = sqlite3_stmt_busy(pStmt) ? sqlite3_sql(pStmt) : 0;
    if( z && contains(z, zName) ) return 1;
  }
  return 0;
}

/* Only the program makes something in temp. What a file declares as TEMP is not
** in the table that is read here. */
static int inTemp(Sqlx *x, const char *zName){
  sqlite3_stmt *pStmt = sqlxPrepare(x,
      "SELECT sql FROM sqlite_temp_master WHERE sql IS NOT NULL");
  int bFound = 0;
  while( !bFound && sqlxStep(x, pStmt) ){
    bFound = contains(sqlxColumn(x, pStmt, 0), zName);
  }
  sqlxFinalize(x, pStmt);
  return bFound;
}

/* What a schema calls runs in a statement that reads or writes a table of that
** schema, and so within a transaction of its database. */
int directAllowed(sqlite3_context *ctx, const char *zName){
  sqlite3 *db = sqlite3_context_db_handle(ctx);
  Sqlx x;
  int bAllowed;
  if( sqlite3_txn_state(db, 0)==SQLITE_TXN_NONE ) return 1;
  if( inStatement(db, zName) ) return 1;
  sqlxBegin(&x, db);
  bAllowed = inTemp(&x, zName);
  if( !bAllowed ){
    sqlxFail(&x, SQLITE_ERROR, "unsafe use of %s(): the schema of a database"
        " calls it; allowed are statements of the program, and triggers and"
        " views in temp", zName);
    sqlxResultError(&x, ctx);
  }
  sqlxEnd(&x);
  return bAllowed;
}
