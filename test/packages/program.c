/* SPDX-License-Identifier: 0BSD */
/*
** program FILE: loads FILE into a SQLite that is compiled with this program,
** for another machine or another C library. program without FILE is linked
** with the library, by what pkg-config says.
*/
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>
#ifdef LINKED
# include <interlock.h>
#endif

/* Print a word and what a query returns, or its error; return the text. */
static const char *show(sqlite3 *db, const char *zWord, const char *zSql){
  static char zText[200];
  sqlite3_stmt *p = 0;
  int rc = sqlite3_prepare_v2(db, zSql, -1, &p, 0);
  zText[0] = 0;
  if( rc==SQLITE_OK && (rc = sqlite3_step(p))==SQLITE_ROW ){
    const char *z = (const char*)sqlite3_column_text(p, 0);
    snprintf(zText, sizeof(zText), "%s", z ? z : "NULL");
  }else if( rc!=SQLITE_DONE ){
    snprintf(zText, sizeof(zText), "%s", sqlite3_errmsg(db));
  }
  sqlite3_finalize(p);
  if( zWord ) printf("%s %s\n", zWord, zText);
  return zText;
}

static int load(sqlite3 *db, const char *zFile){
  char *zErr = 0;
  if( zFile==0 ) return SQLITE_OK;
  sqlite3_db_config(db, SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 1, NULL);
  if( sqlite3_load_extension(db, zFile, 0, &zErr)==SQLITE_OK ) return SQLITE_OK;
  fprintf(stderr, "%s\n", zErr);
  return SQLITE_ERROR;
}

int main(int argc, char **argv){
  static const char zStale[] = "stale write: account.version";
  const char *zFile = argc>1 ? argv[1] : 0;
  const char *z;
  sqlite3 *db = 0;
#ifdef LINKED
  sqlite3_auto_extension((void(*)(void))sqlite3_interlock_init);
#endif
  if( sqlite3_open("shop.db", &db) || load(db, zFile) ) return 1;
  show(db, "loaded", "SELECT interlock_version() LIKE '" VERSION " %'");
  printf("~version SQLite %s\n", sqlite3_libversion());
  show(db, "declared", "SELECT versioned('account')");
  z = show(db, 0, "UPDATE account SET balance = 0, version = 0");
  printf("stale %d\n", strncmp(z, zStale, strlen(zStale))==0);
  show(db, "locked", "SELECT advisory_lock('invoices') > 0");
  show(db, "tried", "SELECT try_advisory_lock('printer')");
  show(db, "waited", "SELECT advisory_lock('scanner') > 0");
  if( sqlite3_close(db)!=SQLITE_OK ) return 1;
  printf("done\n");
  return 0;
}
