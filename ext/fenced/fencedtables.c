/* SPDX-License-Identifier: 0BSD */
/*
** The virtual table fenced_tables. See fencedtables.h.
*/
#include "fenced/fencedtables.h"
#include "fenced/fenced.h"
#include "schema/declaredtables.h"
SQLITE_EXTENSION_INIT3

/*
** SQL AREA Fenced tables
**
** The table `fenced_tables` shows which tables are fenced, and whether their
** triggers are whole.
*/

/*
** SQL TABLE fenced_tables
**
** Lists the fenced tables of every database file of the connection, and what is
** wrong with them, if anything. INSERT fences a table, UPDATE changes its
** column or lease, and DELETE unfences it, as `fenced` and `unfenced` do. Where
** an INSERT adds the column to a table that is versioned with `history` or
** `except`, or in mode echo, call `versioned_repair` after it.
**
** `status` is the first of these that applies: `newer` (a newer Interlock has
** fenced the table), `table missing`, `column missing`, `entry missing` (a tool
** has dropped the table `interlock_fenced`, or its row), `several sets` (two
** texts of `fenced_sql` were run), `cannot be declared` (the column became part
** of a UNIQUE index, or the database is read-only and has a fault; `note` says
** so), `triggers missing`, `triggers changed`, `triggers outdated` (a UNIQUE
** index was added or dropped since), `triggers broken` (the side table, or the
** table of leases, is missing or was changed), `triggers may be skipped` (as of
** versioned_tables), `ok`. `fenced_repair` repairs each of these faults except
** `newer`, `table missing` and `cannot be declared`. It does not repair a
** changed table of leases. With a lease, `note`
** names a trigger that updates the table and that the fence refuses, such as
** one for `updated_at`.
**
** Columns:
**   schema  TEXT  main, or an attached file
**   name    TEXT  the table
**   column  TEXT  the column of the token
**   lease   TEXT  whose current token every write must carry; NULL: none
**   status  TEXT  see above; not written
**   note    TEXT  an explanation, and what to do; not written
** Errors:
**   `bad argument:` SQLITE_ERROR
** From: Interlock
** Example:
**   CREATE TABLE job(id INTEGER PRIMARY KEY, state TEXT);
**   INSERT INTO fenced_tables(name) VALUES('job');
**   UPDATE fenced_tables SET lease = 'leader' WHERE name = 'job';
**   SELECT schema, name, "column", lease, status FROM fenced_tables;
**   -- main|job|token|leader|ok
**   DELETE FROM fenced_tables WHERE name = 'job';
**   SELECT count(*) FROM fenced_tables;
**   -- 0
*/
#define FENCED_TABLES_SQL \
  "CREATE TABLE x(schema TEXT, name TEXT, \"column\" TEXT, lease TEXT," \
  " status TEXT, note TEXT)"

enum { FENCED_COLUMN = DECLAREDTABLES_OWN, FENCED_LEASE, FENCED_STATUS,
       FENCED_NOTE, FENCED_COUNT };

static void fillFenced(const DeclaredTable *pTab, const char **az){
  const FencedText *pText = fencedStored(pTab);
  az[FENCED_COLUMN] = pText->zColumn;
  az[FENCED_LEASE] = pText->zLease[0] ? pText->zLease : 0;
}

static const void *fencedOptionsOf(Sqlx *p, sqlite3_value **apVal){
  FencedText *pText = sqlxAlloc(p, sizeof(*pText));
  if( pText==0 ) return 0;
  pText->zColumn = declaredtablesText(p, apVal[FENCED_COLUMN], "column");
  if( pText->zColumn && pText->zColumn[0]==0 ){
    sqlxBad(p, "column is empty; allowed is a name");
  }
  pText->zLease = declaredtablesText(p, apVal[FENCED_LEASE], "lease");
  if( pText->zLease && pText->zLease[0]==0 ){
    sqlxBad(p, "lease is empty; allowed is a name, or NULL for none");
  }
  if( pText->zLease==0 ) pText->zLease = "";
  return pText;
}

static const DeclaredTables fencedDeclared = {
  .iStatus = FENCED_STATUS,
  .xColumns = fillFenced,
  .xOptions = fencedOptionsOf,
};

static void readFenced(Sqlx *p, ListVtabRows *pRows){
  declaredtablesRead(p, &fencedDeclared, fencedKind(), pRows);
}

static void writeFenced(
  Sqlx *p,
  int argc,
  sqlite3_value **argv,
  sqlite3_int64 *piRowid
){
  declaredtablesWrite(p, &fencedDeclared, fencedKind(), argc, argv, piRowid);
}

static const ListVtab fencedTables = {
  .zName = "fenced_tables",
  .zSql = FENCED_TABLES_SQL,
  .nCol = FENCED_COUNT,
  .iOwn = FENCED_STATUS,
  .xRead = readFenced,
  .xWrite = writeFenced,
};

int fencedtablesRegister(sqlite3 *db){
  return listvtabRegister(db, &fencedTables);
}

void fencedtablesUnregister(sqlite3 *db){
  listvtabUnregister(db, &fencedTables);
}
