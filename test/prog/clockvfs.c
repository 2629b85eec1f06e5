/* SPDX-License-Identifier: 0BSD */
/*
** clockvfs.c: a loadable extension that registers the VFS `clock`: the default
** one, but with a clock that stands still until the program moves it. On the
** connection that loads it, SELECT clock(ms) sets the clock, in unix ms.
** test/leasemodel.test builds and loads it.
*/
#include <sqlite3ext.h>
SQLITE_EXTENSION_INIT1

#define UNIX_EPOCH 210866760000000   /* in ms of SQLite's julian days */

static sqlite3_int64 msNow;
static sqlite3_vfs clockVfs;

static int currentMs(sqlite3_vfs *pVfs, sqlite3_int64 *pms){
  (void)pVfs;
  *pms = msNow + UNIX_EPOCH;
  return SQLITE_OK;
}

static int currentDay(sqlite3_vfs *pVfs, double *pDay){
  (void)pVfs;
  *pDay = (double)(msNow + UNIX_EPOCH)/86400000.0;
  return SQLITE_OK;
}

static void clockFunc(sqlite3_context *ctx, int nArg, sqlite3_value **apArg){
  (void)nArg;
  msNow = sqlite3_value_int64(apArg[0]);
  sqlite3_result_int64(ctx, msNow);
}

int sqlite3_clockvfs_init(
  sqlite3 *db,
  char **pzError,
  const sqlite3_api_routines *pApi
){
  int rc;
  (void)pzError;
  SQLITE_EXTENSION_INIT2(pApi);
  if( clockVfs.zName==0 ){
    clockVfs = *sqlite3_vfs_find(0);
    clockVfs.zName = "clock";
    clockVfs.xCurrentTime = currentDay;
    clockVfs.xCurrentTimeInt64 = currentMs;
    rc = sqlite3_vfs_register(&clockVfs, 0);
    if( rc!=SQLITE_OK ) return rc;
  }
  rc = sqlite3_create_function(db, "clock", 1, SQLITE_UTF8, 0, clockFunc, 0, 0);
  return rc==SQLITE_OK ? SQLITE_OK_LOAD_PERMANENTLY : rc;
}
