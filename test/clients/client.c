/* SPDX-License-Identifier: 0BSD */
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>

static sqlite3 *db;

static int load(void){
  //:load sqlite3_db_config(db, SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 1, NULL);
  sqlite3_db_config(db, SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 1, NULL);
  return
    sqlite3_load_extension(db, "./build/interlock", NULL, NULL);  //:load
}

/* Run a statement with a number. Print its rows, each after zWord; if that
** begins with ~, print the error after it. */
static int run(const char *zWord, const char *zSql, int iValue){
  int isError = zWord && zWord[0]=='~';
  sqlite3_stmt *p = 0;
  int i, rc = sqlite3_prepare_v2(db, zSql, -1, &p, 0);
  if( rc==SQLITE_OK && sqlite3_bind_parameter_count(p) ){
    rc = sqlite3_bind_int(p, 1, iValue);
  }
  if( rc!=SQLITE_OK ) return rc;
  while( (rc = sqlite3_step(p))==SQLITE_ROW ){
    if( zWord ) printf("%s", zWord);
    for(i=0; zWord && i<sqlite3_column_count(p); i++){
      printf(" %s", (const char*)sqlite3_column_text(p, i));
    }
    if( zWord ) printf("\n");
  }
  if( rc!=SQLITE_DONE && isError ){
    printf("%s %d %s\n", zWord, rc, sqlite3_errmsg(db));
  }
  sqlite3_finalize(p);
  return rc;
}

int main(void){
  if( sqlite3_open("shop.db", &db) || load() ) return 1;
  run("loaded", "SELECT interlock_version() <> ''", 0);
  printf("~version SQLite %s\n", sqlite3_libversion());
  run("declared", "SELECT versioned('account')", 0);
  run("~stale", "UPDATE account SET balance = 0, version = 0", 0);
  printf("stale %d\n",
    sqlite3_extended_errcode(db)==SQLITE_CONSTRAINT_TRIGGER  //:stale
  );
  run("locked", "SELECT advisory_lock('invoices') > 0", 0);
  run("tried", "SELECT try_advisory_lock('printer')", 0);
  run("number", "SELECT try_advisory_lock(?)", 42);
  run("jobs", "SELECT skip_locked('job', 2, 'state = ''ready''', 'id')", 0);
  run("leased", "SELECT lease_acquire('report', 'client', 60000) > 0", 0);
  run("~fenced", "UPDATE report SET text = 'late', token = 1", 0);
  printf("fenced %d\n",
    strncmp(sqlite3_errmsg(db), "fenced:", 7)==0  //:fenced
  );
  run(0, "SELECT advisory_lock_timeout(50)", 0);
  run("~timeout", "SELECT advisory_lock('printer')", 0);
  printf("timeout %d\n",
    sqlite3_extended_errcode(db)==SQLITE_BUSY_TIMEOUT  //:timeout
  );
  run(0, "SELECT advisory_lock_timeout(-1)", 0);
  run("waited", "SELECT advisory_lock('scanner') > 0", 0);
  run("held", "SELECT key, mode FROM advisory_locks WHERE session ="
      " advisory_session() AND kind = 'advisory' ORDER BY key", 0);
  if( sqlite3_close(db)!=SQLITE_OK ) return 1;
  printf("done\n");
  return 0;
}
