/* SPDX-License-Identifier: 0BSD */
/*
** helper.c: SQL functions that tests need, as an extension of SQLite.
** test/lib/spec.tcl builds and loads it.
**
**   helper_connection()     the address of this connection
**   helper_interrupt(a)     sqlite3_interrupt() on the connection at address
**                           a, of this process and most often of another
**                           thread
**   helper_on_signal()      from now on SIGUSR1 interrupts this connection
**   helper_main_name()      from now on main is called icecube
*/
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sqlite3ext.h>
SQLITE_EXTENSION_INIT1

/* Written before the handler is installed, and read by it alone. */
static sqlite3 *dbOnSignal;

static void onSignal(int iSignal){
  (void)iSignal;
  sqlite3_interrupt(dbOnSignal);
}
static void fnConnection(sqlite3_context *p, int n, sqlite3_value **a){
  (void)n;
  (void)a;
  sqlite3_result_int64(p, (intptr_t)sqlite3_context_db_handle(p));
}
static void fnInterrupt(sqlite3_context *p, int n, sqlite3_value **a){
  (void)n;
  (void)p;
  sqlite3_interrupt((sqlite3*)(intptr_t)sqlite3_value_int64(a[0]));
}
static void fnOnSignal(sqlite3_context *p, int n, sqlite3_value **a){
  struct sigaction s;
  (void)n;
  (void)a;
  dbOnSignal = sqlite3_context_db_handle(p);
  memset(&s, 0, sizeof s);
  s.sa_handler = onSignal;
  sigaction(SIGUSR1, &s, 0);
}

static void fnMainName(sqlite3_context *p, int n, sqlite3_value **a){
  (void)n;
  (void)a;
  sqlite3_db_config(sqlite3_context_db_handle(p), SQLITE_DBCONFIG_MAINDBNAME,
                    "icecube");
}

__attribute__((visibility("default")))
int sqlite3_helper_init(
  sqlite3 *db,
  char **pzErr,
  const sqlite3_api_routines *pApi
){
  int f = SQLITE_UTF8|SQLITE_DIRECTONLY;
  SQLITE_EXTENSION_INIT2(pApi);
  (void)pzErr;
  sqlite3_create_function(db, "helper_connection", 0, f, 0, fnConnection, 0,
                          0);
  sqlite3_create_function(db, "helper_interrupt", 1, f, 0, fnInterrupt, 0, 0);
  sqlite3_create_function(db, "helper_main_name", 0, f, 0, fnMainName, 0, 0);
  return sqlite3_create_function(db, "helper_on_signal", 0, f, 0, fnOnSignal,
                                 0, 0);
}
