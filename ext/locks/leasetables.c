/* SPDX-License-Identifier: 0BSD */
/*
** The virtual table lease_status. See leasetables.h.
*/
#include "locks/leasetables.h"
#include "schema/leasetable.h"
#include "sqlite/listvtab.h"
SQLITE_EXTENSION_INIT3

/*
** SQL AREA Leases
**
** The table `lease_status` shows the leases.
*/

/*
** SQL TABLE lease_status
**
** Lists the leases of main, with the time that they have left by this machine's
** clock. The table is read-only; `interlock_leases` has the same rows for a
** program that has not loaded Interlock. A table of leases that was changed by
** hand is an error.
**
** Columns:
**   name          TEXT     the lease
**   owner         TEXT     the present holder, or the last one
**   token         INTEGER  of that holder
**   expires       INTEGER  unix ms; 0: it was released
**   remaining_ms  INTEGER  until then; 0 if it has expired
**   expired       INTEGER  1 if another owner can acquire it, else 0
** Errors:
**   `bad argument:` SQLITE_ERROR, if the table of leases was changed
** From: Interlock
** Example:
**   SELECT lease_acquire('leader', 'host a', 60000) > 0;
**   -- 1
**   SELECT name, owner, remaining_ms > 50000, expired FROM lease_status;
**   -- leader|host a|1|0
**   SELECT lease_release(name, token) FROM interlock_leases;
**   -- 1
**   SELECT name, owner, expires, remaining_ms, expired FROM lease_status;
**   -- leader|host a|0|0|1
*/
#define LEASE_STATUS_SQL \
  "CREATE TABLE x(name TEXT, owner TEXT, token INTEGER, expires INTEGER," \
  " remaining_ms INTEGER, expired INTEGER)"

enum { LEASE_NAME, LEASE_OWNER, LEASE_TOKEN, LEASE_EXPIRES, LEASE_REMAINING,
       LEASE_EXPIRED, LEASE_COUNT };

static void readLeases(Sqlx *p, ListVtabRows *pRows){
  sqlite3_int64 iRow = 0;
  sqlite3_stmt *pStmt;
  if( !leasetableThere(p, "main") ) return;
  pStmt = sqlxPrepare(p, "SELECT name, owner, token, expires,"
      " max(0,expires-now), expires<=now"
      " FROM main.interlock_leases, (SELECT " TRIGGERSET_NOW " AS now)"
      " ORDER BY name");
  while( sqlxStep(p, pStmt) ){
    const char **az = listvtabAdd(p, pRows, ++iRow);
    int i;
    for(i=0; az && i<LEASE_COUNT; i++) az[i] = sqlxColumn(p, pStmt, i);
  }
  sqlxFinalize(p, pStmt);
}

static const ListVtab leaseStatus = {
  .zName = "lease_status",
  .zSql = LEASE_STATUS_SQL,
  .nCol = LEASE_COUNT,
  .iOwn = LEASE_COUNT,
  .mInteger = 1u<<LEASE_TOKEN | 1u<<LEASE_EXPIRES | 1u<<LEASE_REMAINING
              | 1u<<LEASE_EXPIRED,
  .xRead = readLeases,
  .xWrite = 0,
};

int leasetablesRegister(sqlite3 *db){
  return listvtabRegister(db, &leaseStatus);
}

void leasetablesUnregister(sqlite3 *db){
  listvtabUnregister(db, &leaseStatus);
}
