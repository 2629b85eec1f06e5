/* SPDX-License-Identifier: 0BSD */
/*
** sqlx.c: a text that Interlock runs must be exactly one statement. Such texts
** contain parts of the schema, and every part is checked where it is read. This
** rule is the last barrier behind those checks: as long as they hold, no schema
** can reach it. So it is tested by itself. Also: a table is missing only if
** SQLite says so, and not if the schema cannot be read. A statement before that
** nearly always notices it. test/sqlx.test builds and runs this.
*/
#include <stdio.h>
#include <string.h>
#include "sqlite/sqlx.h"

static sqlite3 *db;
static int nWrong;
#define CHECK(x) do{ if( !(x) ){ nWrong++; \
  printf("line %d: %s\n", __LINE__, #x); } }while(0)

/* The number of tables. */
static int tables(void){
  sqlite3_stmt *p = 0;
  int n = -1;
  sqlite3_prepare_v2(db, "SELECT count(*) FROM sqlite_master", -1, &p, 0);
  if( sqlite3_step(p)==SQLITE_ROW ) n = sqlite3_column_int(p, 0);
  sqlite3_finalize(p);
  return n;
}
enum { CHANGE, RUN, EXISTS, COUNT, PREPARE, WAYS };
/* Runs a text in each way. Returns 1 if every way refuses it as a bad argument
** and changes nothing. */
static int refused(const char *zSql){
  int i, n = tables(), bRefused = 1;
  for(i=0; i<WAYS; i++){
    Sqlx x;
    sqlxBegin(&x, db);
    switch( i ){
      case CHANGE:  sqlxChange(&x, zSql); break;
      case RUN:     sqlxRun(&x, "%s", zSql); break;
      case EXISTS:  sqlxExists(&x, "%s", zSql); break;
      case COUNT:   sqlxCount(&x, zSql); break;
      case PREPARE: sqlxFinalize(&x, sqlxPrepare(&x, "%s", zSql)); break;
    }
    if( x.rc!=SQLITE_ERROR || strncmp(sqlxErrorText(&x), "bad argument: ", 14)
     || strstr(sqlxErrorText(&x), "is not one SQL statement")==0 ){
      bRefused = 0;
    }
    sqlxEnd(&x);
  }
  return bRefused && tables()==n;
}
/* Runs a statement to its end. Returns 1 if the error is like zLike, or if
** there is none and zLike is 0. */
static int change(const char *zSql, const char *zLike){
  Sqlx x;
  int bSo;
  sqlxBegin(&x, db);
  sqlxChange(&x, zSql);
  bSo = zLike ? x.rc!=SQLITE_OK && strstr(sqlxErrorText(&x), zLike)!=0
              : x.rc==SQLITE_OK;
  sqlxEnd(&x);
  return bSo;
}

/* Looks for a table, and for its column x, on a connection that has read no
** schema yet. Returns 1 if both answers are bThere, with this code. */
static int looks(const char *zFile, const char *zTable, int bThere, int rc){
  sqlite3 *pNew = 0;
  Sqlx x;
  int i, bSo = 1;
  for(i=0; i<2; i++){
    if( sqlite3_open(zFile, &pNew)!=SQLITE_OK ) return 0;
    sqlxBegin(&x, pNew);
    if( (i ? sqlxTableColumn(&x, "main", zTable, "x")
           : sqlxTable(&x, "main", zTable))!=bThere || x.rc!=rc ) bSo = 0;
    sqlxEnd(&x);
    sqlite3_close(pNew);
  }
  return bSo;
}
static void testTables(void){
  static const char zFile[] = "sqlx.db";
  remove(zFile);
  if( sqlite3_open(zFile, &db)!=SQLITE_OK ) return;
  CHECK(change("CREATE TABLE a(x)", 0));
  CHECK(change("CREATE VIEW v AS SELECT x FROM a", 0));
  CHECK(looks(zFile, "a", 1, SQLITE_OK));
  CHECK(looks(zFile, "b", 0, SQLITE_OK));
  CHECK(looks(zFile, "v", 0, SQLITE_OK));
  CHECK(change("BEGIN EXCLUSIVE", 0));
  CHECK(looks(zFile, "a", 0, SQLITE_BUSY));
  CHECK(looks(zFile, "b", 0, SQLITE_BUSY));
  CHECK(change("COMMIT", 0));
  sqlite3_exec(db, "PRAGMA writable_schema=1", 0, 0, 0);
  CHECK(change("UPDATE sqlite_master SET sql='CREATE x' WHERE name='v'", 0));
  CHECK(looks(zFile, "a", 0, SQLITE_CORRUPT));
  sqlite3_close(db);
}

int main(void){
  if( sqlite3_open(":memory:", &db)!=SQLITE_OK ) return 2;
  CHECK(refused("CREATE TABLE a(x); CREATE TABLE b(x)"));
  CHECK(refused("CREATE TABLE a(x);CREATE TABLE b(x);"));
  CHECK(refused("CREATE TABLE a(x); nonsense"));
  CHECK(refused("SELECT 1; SELECT 2"));
  CHECK(refused("SELECT 1; /* */ -- \n ; x"));
  CHECK(refused(""));
  CHECK(refused(" -- nothing"));
  CHECK(change("CREATE TABLE a(x)", 0));
  CHECK(change("CREATE TABLE b(x);", 0));
  CHECK(change("CREATE TABLE c(x); -- and nothing\n /* more */", 0));
  CHECK(change("SELECT 1", "returns rows"));
  CHECK(change("CREATE TABLE a(x)", "already exists"));
  CHECK(tables()==3);
  CHECK(sqlite3_close(db)==SQLITE_OK);
  testTables();
  return nWrong>0;
}
