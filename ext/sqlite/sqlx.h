/* SPDX-License-Identifier: 0BSD */
/*
** Running SQL inside an SQL function. A Sqlx is a request: it has one sticky
** error, and owns all memory that is allocated for it.
**
** A Sqlx lives as long as one call of an SQL function. The first error of any
** function below stays in it. From then on every function here does nothing and
** returns its neutral value (0, "", no row). So a caller can run its statements
** one after the other. It must look at Sqlx.rc before it decides anything, and
** at the end. sqlxEnd() frees the memory of the request.
**
** A Sqlx belongs to the thread that runs the SQL function, and has no lock.
*/
#ifndef INTERLOCK_SQLX_H
#define INTERLOCK_SQLX_H

#include <assert.h>
#include <sqlite3ext.h>

typedef struct Sqlx Sqlx;
typedef struct SqlxMem SqlxMem;

struct Sqlx {
  sqlite3 *db;           /* the connection that runs the function */
  int rc;                /* the first error; SQLITE_OK if there is none */
  const char *zErr;      /* its text; NULL stands for SQLite's text of rc */
  int bBegun;            /* a transaction was open when the request began */
  SqlxMem *pMem;         /* the memory of this request */
  char *zFree;           /* the free end of the newest block */
  int nFree;             /* its size */
};

/* For asserts: whether this thread has the mutex of the connection. SQLite
** tells only if it was built with SQLITE_DEBUG and has the extension linked in;
** an extension that is loaded cannot ask. */
#if defined(SQLITE_CORE) && defined(SQLITE_DEBUG)
# define sqlxHeld(db) sqlite3_mutex_held(sqlite3_db_mutex(db))
#else
# define sqlxHeld(db) 1
#endif

/* A flag of sqlite3_prepare_v3() since SQLite 3.48. Older versions ignore
** it. */
#define PREPARE_DONT_LOG 0x10

void sqlxBegin(Sqlx *p, sqlite3 *db);
void sqlxEnd(Sqlx *p);
void sqlxResultError(Sqlx *p, sqlite3_context *ctx);
int sqlxVtabError(Sqlx *p, sqlite3_vtab *pTab);

void sqlxFail(Sqlx *p, int rc, const char *zFormat, ...);
void sqlxBad(Sqlx *p, const char *zFormat, ...);
const char *sqlxErrorText(Sqlx *p);
void sqlxClear(Sqlx *p);
int sqlxInterrupted(sqlite3 *db);
int sqlxRolledBack(const Sqlx *p);

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
int sqlxTableColumn(Sqlx *p, const char *zSchema, const char *zName,
                    const char *zColumn);
int sqlxWrites(sqlite3 *db);
int sqlxCount(Sqlx *p, const char *zSql);
const char **sqlxSchemas(Sqlx *p);
const char *sqlxSchemaNamed(Sqlx *p, const char *zName);

/* A format must quote identifiers by \"%w\", and literals by %Q or '%q', as in
** sqlite3_mprintf(). A text must be one statement. If anything follows it, that
** is an error, and nothing is run. */

#endif
