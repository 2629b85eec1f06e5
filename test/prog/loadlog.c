/* SPDX-License-Identifier: 0BSD */
/*
** Loading writes nothing into the program's log, and a copy of the library
** leaves a connection alone that another one serves, although an authorizer
** denies the function that it looks for.
**
**   loadlog LIBRARY COPY
*/
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>

static int nLogged = 0;
static int bPragmas = 1;         /* the authorizer allows pragmas */

static void onLog(void *pArg, int rc, const char *zText){
  (void)pArg;
  printf("log: %d %s\n", rc, zText);
  nLogged++;
}

static int onAuthorize(
  void *pArg,
  int eAction,
  const char *z1,
  const char *z2,
  const char *z3,
  const char *z4
){
  (void)pArg; (void)z1; (void)z3; (void)z4;
  if( eAction==SQLITE_PRAGMA && !bPragmas ) return SQLITE_DENY;
  if( eAction==SQLITE_FUNCTION && z2
   && strcmp(z2, "interlock_version")==0 ) return SQLITE_DENY;
  return SQLITE_OK;
}

static int failed(const char *zWhat){
  printf("%s\n", zWhat);
  return 1;
}

static int countLocks(sqlite3 *db){
  sqlite3_stmt *pStmt = 0;
  int n = -1;
  sqlite3_prepare_v2(db, "SELECT count(*) FROM advisory_locks", -1, &pStmt, 0);
  if( sqlite3_step(pStmt)==SQLITE_ROW ) n = sqlite3_column_int(pStmt, 0);
  sqlite3_finalize(pStmt);
  return n;
}

static int run(const char *zLibrary, const char *zCopy){
  sqlite3 *db = 0;
  if( sqlite3_open(":memory:", &db)!=SQLITE_OK ) return failed("open");
  sqlite3_enable_load_extension(db, 1);
  if( sqlite3_load_extension(db, zLibrary, 0, 0)!=SQLITE_OK ){
    return failed("the library does not load");
  }
  if( nLogged ) return failed("loading has written into the log");
  if( sqlite3_errcode(db)!=SQLITE_OK ) return failed("loading left an error");
  sqlite3_exec(db, "SELECT advisory_lock(1)", 0, 0, 0);
  sqlite3_set_authorizer(db, onAuthorize, 0);
  if( sqlite3_load_extension(db, zCopy, 0, 0)!=SQLITE_OK ){
    return failed("the copy does not load");
  }
  sqlite3_set_authorizer(db, 0, 0);
  if( countLocks(db)!=1 ) return failed("the lock is gone");
  if( sqlite3_close(db)!=SQLITE_OK ) return failed("close");
  return 0;
}

int main(int argc, char **argv){
  if( argc!=3 ) return failed("usage: loadlog LIBRARY COPY");
  sqlite3_config(SQLITE_CONFIG_LOG, onLog, (void*)0);
  if( run(argv[1], argv[2]) ) return 1;
  bPragmas = 0;
  return run(argv[1], argv[2]);
}
