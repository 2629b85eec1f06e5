/* SPDX-License-Identifier: 0BSD */
/*
** declared.c: a kind of declared tables that stands in no folder of ext/. The
** engine is linked without the kinds that are there, so it can know none of
** them; all that this kind is, its descriptor says. It has one trigger, which
** notes in a table beside the user's how often a column was written, and one
** option, that column. test/declared.test builds and runs it.
*/
#include <stdio.h>
#include <string.h>
#include "schema/declare.h"
#include "schema/declaredtables.h"
#include "schema/registry.h"
#include "schema/status.h"

static sqlite3 *db;
static int nWrong;
#define CHECK(x) do{ if( !(x) ){ nWrong++; \
  printf("line %d: %s\n", __LINE__, #x); } }while(0)

/* ---- the kind --------------------------------------------------------- */

typedef struct Counted Counted;
struct Counted {
  DeclaredTable base;
  const char *zStored;   /* the column, as the registry has it */
  const char *zColumn;   /* and as it is asked for */
};

static void countedRead(Sqlx *p, sqlite3_stmt *pStmt, DeclaredTable *pTab){
  ((Counted*)pTab)->zStored = registryReadText(p, pStmt, 2);
  pTab->iGenerator = registryReadGenerator(pStmt, 3);
}
static const char *countedValues(Sqlx *p, const DeclaredTable *pTab, int b){
  (void)b;
  return sqlxPrintf(p, "%Q,%Q,%Q,%d", pTab->zNumber, pTab->info.zName,
                    ((const Counted*)pTab)->zColumn, pTab->pKind->iGenerator);
}
static int countedIsStored(Sqlx *p, const DeclaredTable *pTab){
  const Counted *pThis = (const Counted*)pTab;
  (void)p;
  return sqlite3_stricmp(pThis->zStored, pThis->zColumn)==0;
}
static void countedOptions(Sqlx *p, DeclaredTable *pTab, const void *pText){
  Counted *pThis = (Counted*)pTab;
  const char *z = pText ? pText : pThis->zStored;
  if( z==0 ) sqlxBad(p, "no column is given");
  pThis->zColumn = z ? z : "";
}
static DeclaredStatus countedExpect(Sqlx *p, DeclaredTable *pTab){
  countedOptions(p, pTab, 0);
  return tableinfoColumn(&pTab->info, ((Counted*)pTab)->zColumn)<0
       ? DECLARED_NO_COLUMN : DECLARED_OK;
}
static void countedMake(Sqlx *p, DeclaredTable *pTab){
  TriggerSetOne *pOne;
  pTab->set.n = 0;
  pOne = triggersetNew(p, &pTab->set, pTab->zNumber, "count");
  pOne->zSql = sqlxPrintf(p, "CREATE TRIGGER \"%w\" AFTER UPDATE OF \"%w\" ON"
      " \"%w\" BEGIN UPDATE \"interlock_%s_count\" SET n=n+1; END",
      pOne->zName, ((Counted*)pTab)->zColumn, pTab->info.zName,
      pTab->zNumber);
}
static void countedCheck(Sqlx *p, const DeclaredTable *pTab){
  const char *z = ((const Counted*)pTab)->zColumn;
  if( tableinfoColumn(&pTab->info, z)<0 ) sqlxBad(p, "there is no column %s",z);
}
static void countedTables(Sqlx *p, const DeclaredTable *pTab, Ddl *pDdl){
  const char *z = sqlxPrintf(p, "interlock_%s_count", pTab->zNumber);
  if( sqlxTable(p, pTab->zSchema, z) ) return;
  ddlStep(p, pDdl, sqlxPrintf(p, "CREATE TABLE \"%w\".%s AS SELECT 0 AS n",
                              pTab->zSchema, z), DDL_UNDO_ALL);
}
static const char *countedNote(Sqlx *p, const DeclaredTable *pTab){
  (void)p;
  return statusRenamed(pTab) ? "renamed" : "";
}
static const char *countedResult(Sqlx *p, const DeclaredTable *pTab){
  return sqlxPrintf(p, "%s.%s", pTab->info.zName,
                    ((const Counted*)pTab)->zColumn);
}

static const char *const azCounted[] = { "number", "name", "col", "generator" };
static const DeclaredKind counted = {
  .zName = "counted",
  .zDeclared = "counted",
  .nTable = sizeof(Counted),
  .iGenerator = 3,
  .bDeletesEntry = 1,
  .zRegistry = "interlock_counted",
  .zRegistrySql = "CREATE TABLE IF NOT EXISTS $schema.interlock_counted("
                  "number TEXT PRIMARY KEY, name TEXT COLLATE NOCASE, col TEXT,"
                  " generator INTEGER)",
  .azColumn = azCounted,
  .nColumn = 4,
  .zTriggerOrder = "name",
  .zSide = "count",
  .xRead = countedRead,
  .xValues = countedValues,
  .xIsStored = countedIsStored,
  .xOptions = countedOptions,
  .xMake = countedMake,
  .xExpect = countedExpect,
  .xNote = countedNote,
  .xCheck = countedCheck,
  .xTables = countedTables,
  .xResult = countedResult,
};

const DeclaredKind *declaredKind(int i){
  return i==0 ? &counted : 0;
}

static void fillColumns(const DeclaredTable *pTab, const char **az){
  az[DECLAREDTABLES_OWN] = ((const Counted*)pTab)->zStored;
}
static const void *optionsOf(Sqlx *p, sqlite3_value **apVal){
  return declaredtablesText(p, apVal[DECLAREDTABLES_OWN], "col");
}
static const DeclaredTables tables = {
  .iStatus = 3, .xColumns = fillColumns, .xOptions = optionsOf
};
static void readRows(Sqlx *p, ListVtabRows *pRows){
  declaredtablesRead(p, &tables, &counted, pRows);
}
static void writeRow(Sqlx *p, int n, sqlite3_value **ap, sqlite3_int64 *pi){
  declaredtablesWrite(p, &tables, &counted, n, ap, pi);
}
static const ListVtab countedVtab = {
  .zName = "counted_tables",
  .zSql = "CREATE TABLE x(schema, name, col, status, note)",
  .nCol = 5, .iOwn = 3, .xRead = readRows, .xWrite = writeRow,
};

/* ---- what users would call -------------------------------------------- */

static int sql(const char *z){
  return sqlite3_exec(db, z, 0, 0, 0);
}
/* Returns 1 if a query returns one value, which is this text. */
static int says(const char *zSql, const char *zText){
  sqlite3_stmt *p = 0;
  int bSo = 0;
  sqlite3_prepare_v2(db, zSql, -1, &p, 0);
  if( sqlite3_step(p)==SQLITE_ROW ){
    const char *z = (const char*)sqlite3_column_text(p, 0);
    bSo = z && strcmp(z, zText)==0;
    if( !bSo ) printf("%s: %s\n", zSql, z ? z : "NULL");
  }
  sqlite3_finalize(p);
  return bSo;
}
/* Declares a table. Returns 1 if the result, or the error, is this text. */
static int declares(const char *zTable, const char *zColumn, const char *zText){
  DeclareRequest req = { zTable, zColumn, 0, 0 };
  const char *z;
  Sqlx x;
  int bSo;
  sqlxBegin(&x, db);
  z = declareTable(&x, &counted, &req, DDL_SELECT);
  if( x.rc!=SQLITE_OK ) z = sqlxErrorText(&x);
  bSo = z && strcmp(z, zText)==0;
  if( !bSo ) printf("%s %s: %s\n", zTable, zColumn, z ? z : "NULL");
  sqlxEnd(&x);
  return bSo;
}
static int repairs(const char *zTable){
  Sqlx x;
  int n;
  sqlxBegin(&x, db);
  n = declareRepair(&x, &counted, zTable);
  if( x.rc!=SQLITE_OK ) n = -1;
  sqlxEnd(&x);
  return n;
}
static int undoes(const char *zTable){
  Sqlx x;
  int n;
  sqlxBegin(&x, db);
  n = declareUndeclare(&x, &counted, zTable, DDL_SELECT);
  if( x.rc!=SQLITE_OK ) n = -1;
  sqlxEnd(&x);
  return n;
}
/* Runs the text that declares a table. */
static int runsText(const char *zTable, const char *zColumn){
  DeclareRequest req = { zTable, zColumn, 0, 0 };
  const char *z;
  Sqlx x;
  int rc;
  sqlxBegin(&x, db);
  z = declareText(&x, &counted, &req);
  rc = z ? sql(z) : SQLITE_ERROR;
  sqlxEnd(&x);
  return rc;
}

#define STATUS "SELECT group_concat(name||' '||col||' '||status||note, ',')" \
  " FROM counted_tables"
#define TRIGGERS "SELECT count(*) FROM sqlite_master WHERE type='trigger'"

static void byFunctions(void){
  int n;
  CHECK( declares("t", "a", "t.a") );
  CHECK( says(STATUS, "t a ok") );
  n = sqlite3_total_changes(db);
  CHECK( declares("t", "a", "t.a") && sqlite3_total_changes(db)==n );
  CHECK( sql("INSERT INTO t VALUES(1, 1, 1); UPDATE t SET a=2")==SQLITE_OK );
  CHECK( declares("t", "b", "t.b") );
  CHECK( says(STATUS, "t b ok") && says(TRIGGERS, "1") );
  CHECK( declares("t", "c", "bad argument: there is no column c") );
  CHECK( declares("x", "c", "bad argument: there is no table 'x'; allowed is"
                            " the name of a table, or schema.name") );
  CHECK( declares("temp.e", "a", "bad argument: table e is temporary: no other"
      " connection reaches it; allowed are tables of a database file") );
  CHECK( sql("ALTER TABLE t RENAME TO u")==SQLITE_OK );
  CHECK( says(STATUS, "u b okrenamed") );
  CHECK( repairs(0)==1 && repairs(0)==0 && says(STATUS, "u b ok") );
  CHECK( sql("CREATE TABLE v(id INTEGER PRIMARY KEY, a, b); DROP TABLE u;"
             "ALTER TABLE v RENAME TO u")==SQLITE_OK );
  CHECK( says(STATUS, "u b triggers missing") );
  CHECK( repairs("u")==1 && says(STATUS, "u b ok") );
  CHECK( sql("UPDATE interlock_counted SET generator=4")==SQLITE_OK );
  CHECK( says(STATUS, "u b newer") && repairs(0)==0 );
  CHECK( declares("u", "b", "bad argument: u was counted by a newer Interlock"
                            " (generator 4, this is 3); load that one") );
  CHECK( sql("UPDATE interlock_counted SET generator=2")==SQLITE_OK );
  CHECK( repairs(0)==0 && declares("u", "b", "u.b") );
  CHECK( undoes("u")==1 && undoes("u")==0 );
  CHECK( says(TRIGGERS, "0") && says("SELECT count(*) FROM interlock_counted",
                                     "0") );
  CHECK( runsText("u", "a")==SQLITE_OK && says(STATUS, "u a ok") );
  CHECK( sql("ALTER TABLE u RENAME COLUMN b TO c; DROP TABLE u")==SQLITE_OK );
  CHECK( says(STATUS, "u a table missing") && undoes("u")==1 );
}

static void byVirtualTable(void){
  CHECK( sql("CREATE TABLE t(id, a, b); CREATE TABLE s(id, a, b)")
         ==SQLITE_OK );
  CHECK( sql("INSERT INTO counted_tables(name, col) VALUES('t','a'),('s','b')")
         ==SQLITE_OK );
  CHECK( says(STATUS, "s b ok,t a ok") );
  CHECK( sql("UPDATE counted_tables SET col=CASE name WHEN 's' THEN 'a'"
             " ELSE 'none' END")==SQLITE_ERROR );
  CHECK( says(STATUS, "s b ok,t a ok") && says(TRIGGERS, "2") );
  CHECK( sql("UPDATE counted_tables SET status='ok'")==SQLITE_ERROR );
  CHECK( sql("UPDATE counted_tables SET col='a'")==SQLITE_OK );
  CHECK( says(STATUS, "s a ok,t a ok") );
  CHECK( sql("DELETE FROM counted_tables")==SQLITE_OK && says(TRIGGERS, "0") );
}

int main(void){
  if( sqlite3_open(":memory:", &db)!=SQLITE_OK
   || listvtabRegister(db, &countedVtab)!=SQLITE_OK ) return 2;
  CHECK( sql("CREATE TABLE t(id INTEGER PRIMARY KEY, a, b);"
             "CREATE TEMP TABLE e(a)")==SQLITE_OK );
  byFunctions();
  byVirtualTable();
  CHECK( sqlite3_close(db)==SQLITE_OK );
  return nWrong!=0;
}
