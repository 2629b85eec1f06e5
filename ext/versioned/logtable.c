/* SPDX-License-Identifier: 0BSD */
/*
** The logs of all versioned tables. See logtable.h.
*/
#include <string.h>
#include "versioned/logtable.h"
#include "schema/status.h"
#include "sqlite/listvtab.h"
#include "versioned/versioned.h"
#include "versioned/versionedlog.h"
SQLITE_EXTENSION_INIT3

/* ---- emptying it ------------------------------------------------------ */

/* Appends the step that empties a log, if there is one. Returns how many rows
** it has noted. */
static sqlite3_int64 clearOne(Sqlx *p, const DeclaredTable *pTab, Ddl *pDdl){
  const char *zLog = versionedlogName(p, pTab->zEntry ? pTab->zEntry : "");
  sqlite3_stmt *pStmt;
  sqlite3_int64 n = 0;
  if( !versionedlogThere(p, pTab)
   || !tableinfoOwnWritten(p, pTab->zSchema, zLog) ) return 0;
  pStmt = sqlxPrepare(p, "SELECT total(n) FROM \"%w\".\"%w\" WHERE slot=0",
                      pTab->zSchema, zLog);
  if( sqlxStep(p, pStmt) ) n = sqlite3_column_int64(pStmt, 0);
  sqlxFinalize(p, pStmt);
  ddlStep(p, pDdl, sqlxPrintf(p, "DELETE FROM \"%w\".\"%w\"", pTab->zSchema,
                              zLog), DDL_UNDO_ALL);
  return n;
}

sqlite3_int64 logtableClear(Sqlx *p, const char *zTable){
  DdlTxn txn = ddlBegin(p, DDL_SELECT);
  const DeclaredTable *pTab;
  VersionedTable tab;
  sqlite3_int64 n = 0;
  Ddl ddl;
  ddlNew(&ddl, "main", versionedKind()->zName);
  if( zTable==0 ){
    for(pTab=statusList(p, versionedKind()); pTab; pTab=pTab->pNext){
      n += clearOne(p, pTab, &ddl);
    }
  }else if( versionedFind(p, zTable, &tab) ){
    if( tab.base.zEntry==0 ){
      sqlxBad(p, "table %s was never versioned; allowed are tables of"
                 " versioned_tables", tab.base.info.zName);
    }
    n = clearOne(p, &tab.base, &ddl);
  }
  if( p->rc==SQLITE_OK && ddl.pFirst ) ddlRun(p, &ddl, &txn);
  ddlEnd(p, &txn);
  return n;
}

/* ---- the virtual table ------------------------------------------------ */

/*
** SQL TABLE versioned_log
**
** What tables with `on_stale=log` have noted: a row for each of the last 16
** rows of each kind, the newest first. Nothing of the writer is known but its
** time: a trigger in plain SQL sees no more. To find it, look for the
** statement that writes this row.
**
** - `stale`: an UPDATE that carries a version below the right one
** - `same`: one that carries the version which the row has. It is stale by one,
**   or its writer sends the version as it was read, and needs mode `echo`
** - `ahead`: one that carries a version above the right one
** - `blind`: one that carries no version, which only mode `strict` refuses
** - `replace`: a REPLACE of a row that does not carry the next version, which
**   only mode `strict` refuses
** - `invalid`: an INSERT with a version that is none, such as NULL
**
** When only `blind` and `replace` are left, or nothing, no writer would notice
** `on_stale=abort` in mode auto; when nothing is left, mode strict would not
** refuse anything either. Columns that triggers of the table set, or that are
** in `except`, count for nothing. `blind` also counts a row that an OR IGNORE
** then skips.
**
** The log stays when `on_stale` changes, until `versioned_log_clear`. It is a
** table beside yours, whose size is bounded: `count` goes on, and the oldest
** example of a kind makes room.
**
** Columns:
**   schema   TEXT     main, temp, or an attached file
**   name     TEXT     the table
**   kind     TEXT     see above
**   count    INTEGER  how many rows of this kind were written
**   key      TEXT     of the row, as SQL literals
**   carried  TEXT     the version that the write carried, as a literal; NULL:
**                     none
**   found    INTEGER  the version that the row had
**   time     INTEGER  when, in unix ms
** Errors: none
** From: Content-Security-Policy-Report-Only of HTTP
** Example:
**   CREATE TABLE account(id INTEGER PRIMARY KEY, balance INT);
**   INSERT INTO account VALUES(1, 100);
**   SELECT versioned('account', 'version', 'auto', 'on_stale=log');
**   -- account.version
**   UPDATE account SET balance = 90, version = 2 WHERE id = 1;
**   UPDATE account SET balance = 95, version = 2 WHERE id = 1;
**   UPDATE account SET balance = 80 WHERE id = 1;
**   SELECT * FROM account;
**   -- 1|80|4
**   SELECT name, kind, count, key, carried, found FROM versioned_log;
**   -- account|blind|1|1||3
**   -- account|same|1|1|2|2
**   SELECT note FROM versioned_tables;
**   -- noted in versioned_log: 1 blind, 1 same
**   SELECT versioned_log_clear();
**   -- 2
*/
#define VERSIONED_LOG_SQL \
  "CREATE TABLE x(schema TEXT, name TEXT, kind TEXT, count INTEGER, key TEXT," \
  " carried TEXT, found INTEGER, time INTEGER)"

enum { LOG_SCHEMA, LOG_NAME, LOG_KIND, LOG_COUNT, LOG_KEY, LOG_CARRIED,
       LOG_FOUND, LOG_TIME, LOG_COLUMNS };

/* Adds the rows of one table. */
static void readLogOf(Sqlx *p, const DeclaredTable *pTab, ListVtabRows *pRows,
                    sqlite3_int64 *piRow){
  const char *zLog = versionedlogName(p, pTab->zEntry);
  sqlite3_stmt *pStmt = sqlxPrepare(p, "SELECT c.kind, c.n, e.key, e.carried,"
      " e.found, e.at FROM \"%w\".\"%w\" AS c LEFT JOIN \"%w\".\"%w\" AS e"
      " ON e.kind=c.kind AND e.slot>0 WHERE c.slot=0 AND c.n>0 AND c.kind<>''"
      " ORDER BY c.kind, e.n DESC", pTab->zSchema, zLog, pTab->zSchema, zLog);
  while( sqlxStep(p, pStmt) ){
    const char **az = listvtabAdd(p, pRows, ++*piRow);
    int i;
    if( az==0 ) break;
    az[LOG_SCHEMA] = pTab->zSchema;
    az[LOG_NAME] = pTab->zTable;
    for(i=LOG_KIND; i<LOG_COLUMNS; i++){
      az[i] = sqlxColumn(p, pStmt, i-LOG_KIND);
    }
  }
  sqlxFinalize(p, pStmt);
}

static void readLogs(Sqlx *p, ListVtabRows *pRows){
  const DeclaredTable *pTab;
  sqlite3_int64 iRow = 0;
  for(pTab=statusList(p, versionedKind()); pTab; pTab=pTab->pNext){
    if( versionedlogThere(p, pTab) ) readLogOf(p, pTab, pRows, &iRow);
  }
}

static const ListVtab versionedLog = {
  .zName = "versioned_log",
  .zSql = VERSIONED_LOG_SQL,
  .nCol = LOG_COLUMNS,
  .mInteger = 1u<<LOG_COUNT | 1u<<LOG_FOUND | 1u<<LOG_TIME,
  .iOwn = 0,
  .xRead = readLogs,
  .xWrite = 0,
};

int logtableRegister(sqlite3 *db){
  return listvtabRegister(db, &versionedLog);
}

void logtableUnregister(sqlite3 *db){
  listvtabUnregister(db, &versionedLog);
}
