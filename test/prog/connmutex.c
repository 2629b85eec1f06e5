/* SPDX-License-Identifier: 0BSD */
/*
** connmutex.c: the asserts (sqlxHeld) of functions that must run under SQLite's
** mutex of the connection. SQLite tells whether it is held only in a debugging
** build that has the extension in itself. So this program contains both as
** source.
**
**   connmutex DB        uses locks through SQL: no assert fires
**   connmutex DB lock, unlock, id, event
**                       calls that function without the mutex: an assert stops
**                       the program
*/
#include "interlock-amalgam.c"
#include <stdio.h>
#include <stdlib.h>

static sqlite3 *db;

static void sql(const char *z){
  char *zErr = 0;
  if( sqlite3_exec(db, z, 0, 0, &zErr)==SQLITE_OK ) return;
  printf("%s: %s\n", z, zErr);
  exit(1);
}

static void work(void){
  sql("CREATE TABLE IF NOT EXISTS jobs(id INTEGER PRIMARY KEY, x)");
  sql("INSERT INTO jobs(x) VALUES(1),(2)");
  sql("SELECT guarded('jobs')");
  sql("SELECT advisory_lock(1), try_advisory_lock_shared(2)");
  sql("BEGIN; SAVEPOINT a; SELECT row_xact_lock('jobs', 1);"
      "SELECT advisory_xact_lock(7); ROLLBACK TO a; RELEASE a;"
      "UPDATE jobs SET x=3; COMMIT");
  sql("BEGIN; SELECT write_turn(); UPDATE jobs SET x=4; ROLLBACK");
  sql("SELECT skip_locked('jobs', 1)");
  sql("SELECT count(*) FROM advisory_locks");
  sql("SELECT row_unlock_all(), advisory_unlock_all(), interlock_reset()");
}

/* The Connection, found in the list of those that have loaded the extension. */
static void without(const char *z){
  Connection *p = pLoadedList->pConn;
  ConnectionRequest req;
  Sqlx x;
  memset(&req, 0, sizeof(req));
  req.zName = "connmutex";
  req.eMode = LOCK_EXCLUSIVE;
  req.bTry = 1;
  keyMake(&req.key, KEY_TURN, 0, 0);
  sqlxBegin(&x, db);
  if( strcmp(z, "lock")==0 ) connectionLock(p, &x, &req);
  if( strcmp(z, "unlock")==0 ) connectionUnlock(p, &x, &req);
  if( strcmp(z, "id")==0 ) connectionId(p, &x);
  if( strcmp(z, "event")==0 ){
    TxnTable table;
    memset(&table, 0, sizeof(table));
    table.pScope = &p->scope;
    txnSavepoint(&table.base, 0);
  }
  sqlxEnd(&x);
}

int main(int n, char **a){
  char *zErr = 0;
  if( n<2 || sqlite3_open(a[1], &db)!=SQLITE_OK ) return 2;
  if( sqlite3_interlock_init(db, &zErr, 0)!=SQLITE_OK ) return 3;
  if( n>2 ) without(a[2]);
  else work();
  if( sqlite3_close(db)!=SQLITE_OK ) return 4;
  puts("ok");
  return 0;
}
