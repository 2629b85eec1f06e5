/* SPDX-License-Identifier: 0BSD */
/*
** The entry point: what a process reaches when it loads the extension.
*/
#include <sqlite3ext.h>
SQLITE_EXTENSION_INIT1

static void versionFunc(sqlite3_context *ctx, int n, sqlite3_value **a){
  (void)n; (void)a;
  sqlite3_result_text(ctx, "0.1.0", -1, SQLITE_STATIC);
}

#define INTERLOCK_API __attribute__((visibility("default")))
INTERLOCK_API int sqlite3_interlock_init(
  sqlite3 *db, char **pzErr, const sqlite3_api_routines *pApi
){
  SQLITE_EXTENSION_INIT2(pApi)
  (void)pzErr;
  return sqlite3_create_function_v2(db, "interlock_version", 0,
      SQLITE_UTF8|SQLITE_DIRECTONLY, 0, versionFunc, 0, 0, 0);
}
