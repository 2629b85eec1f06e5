/* SPDX-License-Identifier: 0BSD */
/*
** Running SQL inside an SQL function. See sqlx.h.
*/
#include <string.h>
#include "sqlite/sqlx.h"
#include "sqlite/sqltoken.h"
SQLITE_EXTENSION_INIT3

/* A request allocates thousands of small pieces, so they come from blocks. In a
** build with asserts each piece is an allocation of its own, so that a
** sanitizer sees where it ends. */
#ifdef INTERLOCK_DEBUG
# define BLOCK 0
#else
# define BLOCK 8000
#endif
#define PIECE 500        /* the largest piece that comes from a block */

struct SqlxMem {
  SqlxMem *pNext;
  void *pOwned;          /* from sqlite3_malloc64() */
};

void sqlxBegin(Sqlx *p, sqlite3 *db){
  memset(p, 0, sizeof(*p));
  p->db = db;
  p->bBegun = !sqlite3_get_autocommit(db);
}

/* Frees the memory of the request. rc stays. */
void sqlxEnd(Sqlx *p){
  SqlxMem *pMem = p->pMem;
  while( pMem ){
    SqlxMem *pNext = pMem->pNext;
    sqlite3_free(pMem->pOwned);
    sqlite3_free(pMem);
    pMem = pNext;
  }
  p->pMem = 0;
  p->nFree = 0;
  p->zErr = 0;
}

/* Gives memory to the request. If that fails, or if pOwned is NULL, the error
** is SQLITE_NOMEM, and the memory is freed. */
static void *own(Sqlx *p, void *pOwned){
  SqlxMem *pMem;
  if( pOwned==0 ){
    if( p->rc==SQLITE_OK ) p->rc = SQLITE_NOMEM;
    return 0;
  }
  pMem = sqlite3_malloc64(sizeof(*pMem));
  if( pMem==0 ){
    sqlite3_free(pOwned);
    if( p->rc==SQLITE_OK ) p->rc = SQLITE_NOMEM;
    return 0;
  }
  pMem->pOwned = pOwned;
  pMem->pNext = p->pMem;
  p->pMem = pMem;
  return pOwned;
}

/* Whether the transaction in which the request began has been rolled back. */
int sqlxRolledBack(const Sqlx *p){
  return p->bBegun && sqlite3_get_autocommit(p->db);
}

/*
** SQL ERROR transaction rolled back:
**
** The function writes, to take part in the transaction or to change something,
** and SQLite has rolled the whole transaction back, with all that was written
** since BEGIN. Its locks of transaction scope are released. SQLite does so when
** a statement that writes is interrupted (by sqlite3_interrupt, a driver's
** cancel, or a progress handler), and when the disk is full or fails. The text
** goes on with SQLite's error. No transaction is open any more: what is sent
** next is committed at once.
**
** Code: SQLITE_INTERRUPT; SQLITE_FULL or SQLITE_IOERR
** Retry: the transaction, from BEGIN on, if it is still wanted
** Cure: none is needed; a ROLLBACK that fails, since none is open, does no harm
*/
static void explainRollback(Sqlx *p){
  char *z;
  int rc = p->rc & 0xff;
  if( rc!=SQLITE_INTERRUPT && rc!=SQLITE_FULL && rc!=SQLITE_IOERR ) return;
  if( !sqlxRolledBack(p) ) return;
  z = own(p, sqlite3_mprintf("transaction rolled back: %s", sqlxErrorText(p)));
  if( z ) p->zErr = z;
}

/* Makes the sticky error the result of the SQL function. The code must be set
** after the text, since sqlite3_result_error() resets it. */
void sqlxResultError(Sqlx *p, sqlite3_context *ctx){
  explainRollback(p);
  if( p->rc==SQLITE_NOMEM ){
    sqlite3_result_error_nomem(ctx);
    return;
  }
  sqlite3_result_error(ctx, sqlxErrorText(p), -1);
  sqlite3_result_error_code(ctx, p->rc);
}

/* Makes the sticky error that of the virtual table, and returns its code. */
int sqlxVtabError(Sqlx *p, sqlite3_vtab *pTab){
  explainRollback(p);
  if( p->rc!=SQLITE_OK && p->rc!=SQLITE_NOMEM ){
    sqlite3_free(pTab->zErrMsg);
    pTab->zErrMsg = sqlite3_mprintf("%s", sqlxErrorText(p));
  }
  return p->rc;
}

static void failV(Sqlx *p, int rc, const char *zFormat, va_list ap){
  char *z;
  if( p->rc!=SQLITE_OK ) return;
  z = own(p, sqlite3_vmprintf(zFormat, ap));
  if( z==0 ) return;
  p->rc = rc;
  p->zErr = z;
}

/* Sets the sticky error, unless there is one already. */
void sqlxFail(Sqlx *p, int rc, const char *zFormat, ...){
  va_list ap;
  va_start(ap, zFormat);
  failV(p, rc, zFormat, ap);
  va_end(ap);
}

/*
** SQL ERROR bad argument:
**
** A function was called with an argument that it cannot take. The text names
** the argument and what is allowed. Nothing has changed. The error also comes
** for a database file in which an object that should be Interlock's was made
** by hand.
**
** Code: SQLITE_ERROR
** Retry: nothing
** Cure: in the text
*/
void sqlxBad(Sqlx *p, const char *zFormat, ...){
  const char *z;
  va_list ap;
  if( p->rc!=SQLITE_OK ) return;
  va_start(ap, zFormat);
  z = own(p, sqlite3_vmprintf(zFormat, ap));
  va_end(ap);
  if( z ) sqlxFail(p, SQLITE_ERROR, "bad argument: %s", z);
}

/* The text of the sticky error. It lives until sqlxEnd(). */
const char *sqlxErrorText(Sqlx *p){
  return p->zErr ? p->zErr : sqlite3_errstr(p->rc);
}

/* Clears an error that the caller has dealt with. */
void sqlxClear(Sqlx *p){
  p->rc = SQLITE_OK;
  p->zErr = 0;
}

/* Memory that lives until sqlxEnd(); NULL with the error. */
static void *piece(Sqlx *p, sqlite3_uint64 nByte){
  char *z;
  int n = (int)((nByte + 7) & ~(sqlite3_uint64)7);
  if( BLOCK==0 || nByte>PIECE ){
    return own(p, sqlite3_malloc64(nByte ? nByte : 1));
  }
  if( n>p->nFree ){
    z = own(p, sqlite3_malloc64(BLOCK));
    if( z==0 ) return 0;
    p->zFree = z;
    p->nFree = BLOCK;
  }
  z = p->zFree;
  p->zFree += n;
  p->nFree -= n;
  return z;
}

/* Zeroed memory that lives until sqlxEnd(); NULL after an error. */
void *sqlxAlloc(Sqlx *p, sqlite3_uint64 nByte){
  void *pNew;
  if( p->rc!=SQLITE_OK ) return 0;
  pNew = piece(p, nByte);
  if( pNew ) memset(pNew, 0, (size_t)nByte);
  return pNew;
}

/* Returns an array of n elements of nByte bytes with room for one more: the old
** array, or a larger copy if the old one is full (at 4, 8, 16, ... elements).
** NULL after an error. */
void *sqlxGrow(Sqlx *p, void *pOld, int n, sqlite3_uint64 nByte){
  void *pNew;
  if( p->rc!=SQLITE_OK ) return 0;
  if( n>0 && (n<4 || (n & (n-1))!=0) ) return pOld;
  pNew = sqlxAlloc(p, nByte*(sqlite3_uint64)(n<4 ? 4 : 2*n));
  if( pNew && n>0 ) memcpy(pNew, pOld, (size_t)nByte*(size_t)n);
  return pNew;
}

/* Gives a text of sqlite3_malloc64() to the request: the text itself or a copy;
** NULL with the error. */
static char *keep(Sqlx *p, char *z){
  size_t n = z ? strlen(z) + 1 : 0;
  char *zCopy;
  if( BLOCK==0 || z==0 || n>PIECE ) return own(p, z);
  zCopy = piece(p, n);
  if( zCopy ) memcpy(zCopy, z, n);
  sqlite3_free(z);
  return zCopy;
}

/* A formatted text that lives until sqlxEnd(). Never NULL. */
const char *sqlxPrintf(Sqlx *p, const char *zFormat, ...){
  const char *z = 0;
  va_list ap;
  if( p->rc!=SQLITE_OK ) return "";
  va_start(ap, zFormat);
  z = keep(p, sqlite3_vmprintf(zFormat, ap));
  va_end(ap);
  return z ? z : "";
}

/* Finishes a string builder, and gives its text to the request. Never NULL. */
const char *sqlxText(Sqlx *p, sqlite3_str *pStr){
  int rc = sqlite3_str_errcode(pStr);
  int n = sqlite3_str_length(pStr);
  char *z = sqlite3_str_finish(pStr);
  if( p->rc==SQLITE_OK && rc!=SQLITE_OK ) p->rc = rc;
  if( p->rc!=SQLITE_OK || n==0 ){
    sqlite3_free(z);
    return "";
  }
  z = keep(p, z);
  return z ? z : "";
}

/* Makes the error that the connection has now the sticky one. After an
** interrupt and when memory has run out, the connection has no text for it. An
** interrupt while a virtual table is connected comes as SQLITE_ERROR. */
static void failDb(Sqlx *p, int rc){
  if( rc==SQLITE_ERROR && strcmp(sqlite3_errmsg(p->db),
                                 sqlite3_errstr(SQLITE_INTERRUPT))==0 ){
    rc = SQLITE_INTERRUPT;
  }
  if( rc==SQLITE_NOMEM || rc==SQLITE_INTERRUPT ){
    if( p->rc==SQLITE_OK ) p->rc = rc;
  }else{
    sqlxFail(p, rc, "%s", sqlite3_errmsg(p->db));
  }
}

/* Compiles exactly one statement. Parts of a text come from the schema, and a
** file can contain anything: a text that goes on behind its first statement is
** an error. */
static sqlite3_stmt *prepare(Sqlx *p, const char *zSql){
  sqlite3_stmt *pStmt = 0;
  const char *zTail = "";
  int rc;
  if( p->rc!=SQLITE_OK ) return 0;
  rc = sqlite3_prepare_v2(p->db, zSql, -1, &pStmt, &zTail);
  if( rc!=SQLITE_OK ) failDb(p, rc);
  if( rc==SQLITE_OK && (pStmt==0 || !sqltokenIsBlank(zTail)) ){
    sqlite3_finalize(pStmt);
    pStmt = 0;
    sqlxBad(p, "%.60s... is not one SQL statement; allowed is one", zSql);
  }
  return pStmt;
}

static sqlite3_stmt *prepareV(Sqlx *p, const char *zFormat, va_list ap){
  const char *zSql;
  if( p->rc!=SQLITE_OK ) return 0;
  zSql = keep(p, sqlite3_vmprintf(zFormat, ap));
  return zSql ? prepare(p, zSql) : 0;
}

/* Compiles a statement; NULL with the error. All functions below accept
** NULL. */
sqlite3_stmt *sqlxPrepare(Sqlx *p, const char *zFormat, ...){
  sqlite3_stmt *pStmt;
  va_list ap;
  va_start(ap, zFormat);
  pStmt = prepareV(p, zFormat, ap);
  va_end(ap);
  return pStmt;
}

/* sqlite3_is_interrupted() is new in 3.41. In a header of 3.40 the API table
** ends just before the slot of that function. */
#if SQLITE_VERSION_NUMBER>=3041000
# define IS_INTERRUPTED(db) sqlite3_is_interrupted(db)
#elif SQLITE_VERSION_NUMBER>=3040000 && !defined(SQLITE_CORE)
typedef struct NextApi {
  sqlite3_api_routines known;
  int (*is_interrupted)(sqlite3*);
} NextApi;
# define IS_INTERRUPTED(db) \
    ((const NextApi*)(const void*)sqlite3_api)->is_interrupted(db)
#endif

/* Whether sqlite3_interrupt() was called while the outermost statement ran.
** SQLite before 3.41 does not tell: then 0. */
int sqlxInterrupted(sqlite3 *db){
#ifdef IS_INTERRUPTED
  return sqlite3_libversion_number()>=3041000 && IS_INTERRUPTED(db);
#else
  (void)db;
  return 0;
#endif
}

/* 1 if there is a row; 0 at the end, or with the error. If a statement that
** writes is begun after an interrupt, SQLite rolls the whole transaction back:
** it is not begun. */
int sqlxStep(Sqlx *p, sqlite3_stmt *pStmt){
  int rc;
  if( p->rc!=SQLITE_OK || pStmt==0 ) return 0;
  if( p->bBegun && sqlxInterrupted(p->db)
   && !sqlite3_stmt_readonly(pStmt) && !sqlite3_stmt_busy(pStmt) ){
    p->rc = SQLITE_INTERRUPT;
    return 0;
  }
  rc = sqlite3_step(pStmt);
  if( rc!=SQLITE_ROW && rc!=SQLITE_DONE ) failDb(p, rc);
  return rc==SQLITE_ROW;
}

/* A copy of a column's text; NULL for an SQL NULL, or after an error. */
const char *sqlxColumn(Sqlx *p, sqlite3_stmt *pStmt, int iCol){
  const unsigned char *z;
  char *zCopy;
  size_t n;
  if( p->rc!=SQLITE_OK ) return 0;
  if( sqlite3_column_type(pStmt, iCol)==SQLITE_NULL ) return 0;
  z = sqlite3_column_text(pStmt, iCol);
  if( z==0 ){
    p->rc = SQLITE_NOMEM;
    return 0;
  }
  n = strlen((const char*)z) + 1;
  zCopy = piece(p, n);
  if( zCopy ) memcpy(zCopy, z, n);
  return zCopy;
}

/* Finalizes a statement. An error of sqlxStep() is the sticky one already. */
void sqlxFinalize(Sqlx *p, sqlite3_stmt *pStmt){
  int rc = sqlite3_finalize(pStmt);
  if( p->rc==SQLITE_OK && rc!=SQLITE_OK ) failDb(p, rc);
}

/* Whether the one column of a statement is the number of rows that it changed,
** which PRAGMA count_changes makes an INSERT, UPDATE or DELETE return. */
static int returnsCount(sqlite3_stmt *pStmt){
  const char *z;
  if( sqlite3_column_count(pStmt)!=1 ) return 0;
  if( sqlite3_stmt_readonly(pStmt) ) return 0;
  z = sqlite3_column_name(pStmt, 0);
  return z && strncmp(z, "rows ", 5)==0;
}

/* Whether a statement can return rows of a table. ALTER TABLE returns none, but
** SQLite 3.46 gives it the columns of the check that ADD COLUMN runs. */
static int returnsRows(sqlite3_stmt *pStmt, const char *zSql){
  SqlToken t = sqltokenAt(zSql, zSql+strlen(zSql));
  return sqlite3_column_count(pStmt)>0 && !sqltokenIsWord(&t, "ALTER")
      && !returnsCount(pStmt);
}

/* Runs a statement, which must return no rows of a table. The text is no
** format. */
void sqlxChange(Sqlx *p, const char *zSql){
  sqlite3_stmt *pStmt = prepare(p, zSql);
  if( pStmt && returnsRows(pStmt, zSql) ){
    sqlxBad(p, "%.60s... returns rows; allowed is what changes something",
            zSql);
  }
  while( sqlxStep(p, pStmt) ){}
  sqlxFinalize(p, pStmt);
}

/* Runs a statement to its end, and ignores the rows that it returns. */
void sqlxRun(Sqlx *p, const char *zFormat, ...){
  sqlite3_stmt *pStmt;
  va_list ap;
  va_start(ap, zFormat);
  pStmt = prepareV(p, zFormat, ap);
  va_end(ap);
  while( sqlxStep(p, pStmt) ){}
  sqlxFinalize(p, pStmt);
}

/* How often SQLite has had to prepare a statement anew: because the schema that
** it was made from was changed, or something else. */
int sqlxReprepared(sqlite3_stmt *pStmt){
  return sqlite3_stmt_status(pStmt, SQLITE_STMTSTATUS_REPREPARE, 0);
}

/* Whether a query returns a row. */
int sqlxExists(Sqlx *p, const char *zFormat, ...){
  sqlite3_stmt *pStmt;
  va_list ap;
  int bRow;
  va_start(ap, zFormat);
  pStmt = prepareV(p, zFormat, ap);
  va_end(ap);
  bRow = sqlxStep(p, pStmt);
  sqlxFinalize(p, pStmt);
  return bRow;
}

/* Whether the schema has a table of that name. SQLite reads a schema that is
** not in memory yet, which can fail: only one text says that there is no such
** table or column. */
int sqlxTable(Sqlx *p, const char *zSchema, const char *zName){
  return sqlxTableColumn(p, zSchema, zName, 0);
}

/* Whether that table has the column. */
int sqlxTableColumn(
  Sqlx *p,
  const char *zSchema,
  const char *zName,
  const char *zColumn
){
  static const char zNone[] = "no such table column:";
  int rc;
  if( p->rc!=SQLITE_OK ) return 0;
  rc = sqlite3_table_column_metadata(p->db, zSchema, zName, zColumn, 0, 0, 0,
                                     0, 0);
  if( rc!=SQLITE_OK
   && (rc!=SQLITE_ERROR
    || strncmp(sqlite3_errmsg(p->db), zNone, sizeof(zNone)-1)!=0) ){
    failDb(p, rc);
  }
  return rc==SQLITE_OK;
}

/* Whether a statement that writes is being run. SQLite then opens no
** savepoint. */
int sqlxWrites(sqlite3 *db){
  sqlite3_stmt *pStmt = 0;
  while( (pStmt = sqlite3_next_stmt(db, pStmt))!=0 ){
    if( sqlite3_stmt_busy(pStmt) && !sqlite3_stmt_readonly(pStmt) ) return 1;
  }
  return 0;
}

/* How many rows a query returns. */
int sqlxCount(Sqlx *p, const char *zSql){
  sqlite3_stmt *pStmt = prepare(p, zSql);
  int n = 0;
  while( sqlxStep(p, pStmt) ) n++;
  sqlxFinalize(p, pStmt);
  return n;
}

/* The names of the schemas in SQLite's order, and a NULL at the end. SQLite
** before 3.39 returns them only from a statement. */
static const char **listedSchemas(Sqlx *p){
  const char **az = 0;
  int n = 0;
#if SQLITE_VERSION_NUMBER>=3039000
  if( sqlite3_libversion_number()>=3039000 ){
    const char *z;
    do{
      z = sqlite3_db_name(p->db, n);
      az = sqlxGrow(p, az, n, sizeof(az[0]));
      if( az==0 ) return 0;
      az[n++] = z ? sqlxPrintf(p, "%s", z) : 0;
    }while( z );
    return p->rc==SQLITE_OK ? az : 0;
  }
#endif
  {
    sqlite3_stmt *pStmt = sqlxPrepare(p, "PRAGMA database_list");
    int bRow = sqlxStep(p, pStmt);
    do{
      az = sqlxGrow(p, az, n, sizeof(az[0]));
      if( az==0 ) break;
      if( bRow && sqlite3_column_int(pStmt, 0)>n ){
        az[n++] = "temp";        /* not listed while it is empty */
        continue;
      }
      az[n++] = bRow ? sqlxColumn(p, pStmt, 1) : 0;
      bRow = bRow && sqlxStep(p, pStmt);
    }while( az[n-1] );
    sqlxFinalize(p, pStmt);
  }
  return p->rc==SQLITE_OK ? az : 0;
}

/* The names of the schemas in SQLite's order, and a NULL at the end: main, temp
** (even if it is empty), and the attached ones. SQLITE_DBCONFIG_MAINDBNAME can
** have given main another name. SQLite goes on to take "main" for it, and no
** other schema can be called so: Interlock knows it by this name alone. */
const char **sqlxSchemas(Sqlx *p){
  const char **az = listedSchemas(p);
  if( az && az[0] ) az[0] = "main";
  return az;
}

/* The name by which sqlxSchemas() has the schema that a user calls zName; NULL
** if there is none, or with an error. */
const char *sqlxSchemaNamed(Sqlx *p, const char *zName){
  const char **az = listedSchemas(p);
  int i = 0;
  if( az==0 ) return 0;
  while( az[i] && sqlite3_stricmp(az[i], zName)!=0 ) i++;
  if( i==0 || sqlite3_stricmp(zName, "main")==0 ) return "main";
  return az[i];
}
