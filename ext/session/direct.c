/* SPDX-License-Identifier: 0BSD */
/*
** Whether the program itself calls a function. See direct.h.
*/
#include <limits.h>
#include <stdint.h>
#include <string.h>
#include "session/direct.h"
#include "sqlite/sqlcall.h"
#include "sqlite/sqltoken.h"
SQLITE_EXTENSION_INIT3

#define SHORT_TEXT 1000  /* bytes of each statement that every call may read */

void directInit(Direct *p, TxnScope *pScope){
  memset(p, 0, sizeof(*p));
  p->pScope = pScope;
}

void directForget(Direct *p){
  sqlite3_stmt *pStmt = p->pStill;
  p->pStill = 0;
  sqlite3_finalize(pStmt);
}

/* ---- statements ------------------------------------------------------- */

static int beginsWith(const char *zSql, const char *zWord){
  const char *zEnd = zSql + strlen(zSql);
  SqlToken t = sqltokenAt(zSql, zEnd);
  if( t.kind==SQLTOKEN_SPACE ) t = sqltokenNext(&t, zEnd);
  return sqltokenIsWord(&t, zWord);
}

/* VACUUM runs the CREATE statements of a file as they stand there, and with
** PRAGMA writable_schema also CREATE TABLE ... AS. */
static int isVacuuming(sqlite3 *db){
  sqlite3_stmt *pStmt = 0;
  while( (pStmt = sqlite3_next_stmt(db, pStmt))!=0 ){
    const char *z = sqlite3_stmt_busy(pStmt) ? sqlite3_sql(pStmt) : 0;
    if( z && beginsWith(z, "VACUUM") ) return 1;
  }
  return 0;
}

static int isOfVacuum(sqlite3 *db, const char *zSql){
  return beginsWith(zSql, "CREATE") && isVacuuming(db);
}

/* Whether the first nMax bytes of a statement that is being run contain a
** call. */
static SqlCall inStatements(sqlite3 *db, const char *zName, int nMax){
  sqlite3_stmt *pStmt = 0;
  SqlCall eAll = SQLCALL_NONE;
  while( (pStmt = sqlite3_next_stmt(db, pStmt))!=0 ){
    const char *z = sqlite3_stmt_busy(pStmt) ? sqlite3_sql(pStmt) : 0;
    SqlCall eCall = z ? sqlcallIn(z, zName, nMax) : SQLCALL_NONE;
    if( eCall==SQLCALL_FOUND && !isOfVacuum(db, z) ) return eCall;
    if( eCall==SQLCALL_UNREAD ) eAll = eCall;
  }
  return eAll;
}

/* What SQLite keeps for the run of a statement, or of a trigger of it, under a
** negative number is for all of its functions. The number of a function is
** made from the address that belongs to it; what is kept is that address. */
static int auxNumber(const unsigned *piTemp){
  return -1 - (int)(((uintptr_t)piTemp/sizeof(*piTemp)) & INT_MAX);
}

/* Whether a long text was found to contain a call in this run of the statement
** that calls. */
static int isRemembered(sqlite3_context *ctx, unsigned *piTemp){
  return sqlite3_get_auxdata(ctx, auxNumber(piTemp))==piTemp;
}

/* ---- temp ------------------------------------------------------------- */

/* Makes Direct.iTemp that of the schema of temp as it is; 0 if there is no
** statement that tells. */
static int askTemp(Direct *p, Sqlx *x){
  int rc;
  if( p->pStill==0 ){
    if( !txnscopeSeesClose(p->pScope, x) ) return 0;
    p->pStill = sqlxPrepare(x, "SELECT 1 FROM sqlite_temp_master WHERE 0");
    if( p->pStill==0 ) return 0;
    p->iTemp++;
    p->nStill = sqlxReprepared(p->pStill);
  }
  rc = sqlite3_step(p->pStill);
  sqlite3_reset(p->pStill);
  if( rc!=SQLITE_DONE || sqlxReprepared(p->pStill)!=p->nStill ) p->iTemp++;
  p->nStill = sqlxReprepared(p->pStill);
  return rc==SQLITE_DONE;
}

/* Only the program makes something in temp. What a file declares as TEMP is not
** in the table that is read here. */
static int readTemp(Sqlx *x, const char *zName){
  sqlite3_stmt *pStmt = sqlxPrepare(x, "SELECT sql FROM sqlite_temp_master"
      " WHERE type IN ('trigger', 'view') AND sql IS NOT NULL");
  int bFound = 0;
  while( !bFound && sqlxStep(x, pStmt) ){
    const char *z = sqlxColumn(x, pStmt, 0);
    bFound = z && sqlcallIn(z, zName, INT_MAX)==SQLCALL_FOUND;
  }
  sqlxFinalize(x, pStmt);
  return bFound;
}

static int inTemp(Direct *p, Sqlx *x, const char *zName, unsigned *piTemp){
  int bKnown = askTemp(p, x);
  if( bKnown && *piTemp==p->iTemp ) return 1;
  if( !readTemp(x, zName) ) return 0;
  if( bKnown ) *piTemp = p->iTemp;
  return 1;
}

/* ---- the answer ------------------------------------------------------- */

/* What a schema calls runs in a statement that reads or writes a table of that
** schema, and so within a transaction of its database. */
int directAllowed(
  Direct *p,
  sqlite3_context *ctx,
  const char *zName,
  unsigned *piTemp
){
  sqlite3 *db = sqlite3_context_db_handle(ctx);
  Sqlx x;
  SqlCall eCall;
  int bAllowed;
  if( sqlite3_txn_state(db, 0)==SQLITE_TXN_NONE ) return 1;
  eCall = inStatements(db, zName, SHORT_TEXT);
  if( eCall==SQLCALL_FOUND || isRemembered(ctx, piTemp) ) return 1;
  sqlxBegin(&x, db);
  bAllowed = inTemp(p, &x, zName, piTemp);
  if( !bAllowed && eCall==SQLCALL_UNREAD
   && inStatements(db, zName, INT_MAX)==SQLCALL_FOUND ){
    bAllowed = 1;
    sqlite3_set_auxdata(ctx, auxNumber(piTemp), piTemp, 0);
  }
  if( !bAllowed ){
    sqlxFail(&x, SQLITE_ERROR, "unsafe use of %s(): the schema of a database"
        " calls it; allowed are statements of the program, and triggers and"
        " views in temp", zName);
    sqlxResultError(&x, ctx);
  }
  sqlxEnd(&x);
  return bAllowed;
}
