/* SPDX-License-Identifier: 0BSD */
/*
** Running SQL from inside an SQL function: one request, one sticky error,
** one owner of memory.
**
** A Sqlx lives as long as one call of one SQL function. The first error
** that meets any function below stays in it, and from then on every
** function here does nothing and returns its neutral value (0, "", no
** row). A caller so writes its statements one after the other and looks
** at Sqlx.rc where it must decide, and at the end. All memory handed out
** belongs to the request and goes with sqlxEnd().
**
** A Sqlx belongs to the thread that runs the SQL function; it has no lock.
*/
#ifndef INTERLOCK_SQLX_H
#define INTERLOCK_SQLX_H

#include <assert.h>
#include <sqlite3ext.h>

typedef struct Sqlx Sqlx;
typedef struct SqlxMem SqlxMem;

struct Sqlx {
  sqlite3 *db;           /* the connection that runs the function */
  int rc;                /* first error, SQLITE_OK while there is none */
  const char *zErr;      /* its text; NULL stands for SQLite's own */
  SqlxMem *pMem;         /* everything allocated for this request */
  char *zFree;           /* what is left of the newest block of small pieces */
  int nFree;
};

/* Has this thread the mutex of the connection?  For asserts.  SQLite answers
** only where it was built with SQLITE_DEBUG and the extension is linked with
** it; an extension that is loaded cannot ask. */
#if defined(SQLITE_CORE) && defined(SQLITE_DEBUG)
# define sqlxHeld(db) sqlite3_mutex_held(sqlite3_db_mutex(db))
#else
# define sqlxHeld(db) 1
#endif

void sqlxBegin(Sqlx *p, sqlite3 *db);
void sqlxEnd(Sqlx *p);
void sqlxResultError(Sqlx *p, sqlite3_context *ctx);
int sqlxVtabError(Sqlx *p, sqlite3_vtab *pTab);

void sqlxFail(Sqlx *p, int rc, const char *zFormat, ...);
void sqlxBad(Sqlx *p, const char *zFormat, ...);
const char *sqlxErrorText(Sqlx *p);
void sqlxClear(Sqlx *p);

void *sqlxAlloc(Sqlx *p, sqlite3_uint64 nByte);
void *sqlxGrow(Sqlx *p, void *pOld, int n, sqlite3_uint64 nByte);
const char *sqlxPrintf(Sqlx *p, const char *zFormat, ...);
const char *sqlxText(Sqlx *p, sqlite3_str *pStr);

sqlite3_stmt *sqlxPrepare(Sqlx *p, const char *zFormat, ...);
int sqlxStep(Sqlx *p, sqlite3_stmt *pStmt);
const char *sqlxColumn(Sqlx *p, sqlite3_stmt *pStmt, int iCol);
void sqlxFinalize(Sqlx *p, sqlite3_stmt *pStmt);
void sqlxRun(Sqlx *p, const char *zFormat, ...);
void sqlxChange(Sqlx *p, const char *zSql);
int sqlxReprepared(sqlite3_stmt *pStmt);
int sqlxExists(Sqlx *p, const char *zFormat, ...);
int sqlxTable(Sqlx *p, const char *zSchema, const char *zName);
int sqlxWrites(sqlite3 *db);
int sqlxCount(Sqlx *p, const char *zSql);
const char **sqlxSchemas(Sqlx *p);

/* Identifiers are quoted by \"%w\" and literals by %Q or '%q' in the
** formats of sqlite3_mprintf(), and in no other way. Each text is one
** statement: what goes on behind it is an error, and nothing of it is run. */

#endif
