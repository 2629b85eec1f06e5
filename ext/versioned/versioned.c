/* SPDX-License-Identifier: 0BSD */
/*
** Versioned tables. See versioned.h; the triggers themselves, and why each
** exists, are in sql/versioned/.
**
** A change is made in three steps: look at everything and refuse what cannot
** be; write down all statements; run them, all or nothing (ddl.h).
*/
#include <string.h>
#include "versioned/versioned.h"
#include "versioned/status.h"
#include "sqlite/sqltoken.h"
SQLITE_EXTENSION_INIT3

/* ---- what may not be versioned ---------------------------------------- */

/* Whether a CHECK constraint of the table names the column. */
static int inCheck(const TableInfo *pInfo, const char *zColumn){
  const char *z = pInfo->zSql ? pInfo->zSql : "";
  const char *zEnd = z + strlen(z);
  SqlToken t;
  for(t=sqltokenAt(z, zEnd); t.kind!=SQLTOKEN_END; t=sqltokenNext(&t, zEnd)){
    SqlToken tOpen = sqltokenNext(&t, zEnd);
    if( !sqltokenIsWord(&t, "CHECK") || !sqltokenIsByte(&tOpen, '(') ) continue;
    if( sqltokenMentions(tOpen.z, sqltokenClose(&tOpen, zEnd), zColumn) ){
      return 1;
    }
  }
  return 0;
}

static int inUnique(const TableInfo *pInfo, int iCol){
  int i;
  for(i=0; i<pInfo->nPath; i++){
    if( tableinfoPathMentions(pInfo, &pInfo->aPath[i], iCol) ) return 1;
  }
  return 0;
}

/* Columns of PRAGMA foreign_key_list. */
enum { FK_FROM = 3, FK_ON_UPDATE = 5, FK_ON_DELETE };

static int inForeignKey(Sqlx *p, const TableInfo *pInfo, const char *zColumn){
  int bIn = 0;
  sqlite3_stmt *pStmt = sqlxPrepare(p,
      "PRAGMA \"%w\".foreign_key_list(\"%w\")",
      pInfo->zSchema, pInfo->zName);
  while( sqlxStep(p, pStmt) ){
    const char *zFrom = sqlxColumn(p, pStmt, FK_FROM);
    if( zFrom && sqlite3_stricmp(zFrom, zColumn)==0 ) bIn = 1;
  }
  sqlxFinalize(p, pStmt);
  return bIn;
}

/* A foreign key action that updates rows of this table: it can carry no
** version. */
static void checkActions(Sqlx *p, const TableInfo *pInfo){
  const char *zAction = 0;
  sqlite3_stmt *pStmt = sqlxPrepare(p,
      "PRAGMA \"%w\".foreign_key_list(\"%w\")",
      pInfo->zSchema, pInfo->zName);
  while( sqlxStep(p, pStmt) ){
    const char *zUpdate = sqlxColumn(p, pStmt, FK_ON_UPDATE);
    const char *zDelete = sqlxColumn(p, pStmt, FK_ON_DELETE);
    if( zUpdate==0 || zDelete==0 ) continue;
    if( sqlite3_stricmp(zUpdate, "CASCADE")==0
     || sqlite3_strnicmp(zUpdate, "SET ", 4)==0 ){
      zAction = sqlxPrintf(p, "ON UPDATE %s", zUpdate);
    }else if( sqlite3_strnicmp(zDelete, "SET ", 4)==0 ){
      zAction = sqlxPrintf(p, "ON DELETE %s", zDelete);
    }
  }
  sqlxFinalize(p, pStmt);
  if( zAction ){
    sqlxBad(p, "table %s has a FOREIGN KEY %s, and what that updates carries"
               " no version; allowed are the modes auto and echo",
            pInfo->zName, zAction);
  }
}

/* A version column that stands there already: taken as it is, unless a
** bump could be swallowed or refused by what depends on it. */
static void checkColumn(Sqlx *p, const TableInfo *pInfo, int iCol){
  const TableInfoColumn *pCol = &pInfo->aCol[iCol];
  const char *zWhy = 0;
  if( pCol->bGenerated ){
    zWhy = "is a generated column";
  }else if( pCol->bKey ){
    zWhy = "is part of the PRIMARY KEY";
  }else if( inUnique(pInfo, iCol) ){
    zWhy = "is part of a UNIQUE index";
  }else if( inForeignKey(p, pInfo, pCol->zName) ){
    zWhy = "is part of a FOREIGN KEY";
  }else if( inCheck(pInfo, pCol->zName) ){
    zWhy = "is part of a CHECK constraint";
  }else if( strcmp(pCol->zAffinity, "INTEGER")!=0
         && strcmp(pCol->zAffinity, "NUMERIC")!=0 ){
    zWhy = "is declared with a type that is not INTEGER or NUMERIC";
  }
  if( zWhy ){
    sqlxBad(p, "column %s.%s %s; allowed is a column of its own for the"
               " version, or the name of a new one",
            pInfo->zName, pCol->zName, zWhy);
  }
}

/* The rows have versions that can be counted up. */
static void checkRows(Sqlx *p, const TableInfo *pInfo, const char *zColumn){
  const char *zBad = 0;
  sqlite3_stmt *pStmt = sqlxPrepare(p,
      "SELECT quote(\"%w\") FROM \"%w\".\"%w\""
      " WHERE typeof(\"%w\")<>'integer' OR \"%w\"<0 LIMIT 1",
      zColumn, pInfo->zSchema, pInfo->zName, zColumn, zColumn);
  if( sqlxStep(p, pStmt) ) zBad = sqlxColumn(p, pStmt, 0);
  sqlxFinalize(p, pStmt);
  if( zBad ){
    sqlxBad(p, "column %s.%s holds %.40s; allowed are integers from 0 up:"
               " UPDATE \"%w\" SET \"%w\" = 1"
               " WHERE typeof(\"%w\") <> 'integer' OR \"%w\" < 0",
            pInfo->zName, zColumn, zBad, pInfo->zName, zColumn, zColumn,
            zColumn);
  }
}

/* Everything that can stand in the way of declaring a table. */
static void checkTable(Sqlx *p, const VersionedTable *pTab){
  const TableInfo *pInfo = &pTab->shape;
  int iCol = tableinfoColumn(pInfo, pTab->rule.zColumn);
  if( sqlite3_db_readonly(p->db, pInfo->zSchema)==1 ){
    sqlxBad(p, "database %s is read-only; allowed is one that can be"
               " written", pInfo->zSchema);
  }else if( pInfo->zRowid==0 && pInfo->bRowidKey ){
    sqlxBad(p, "table %s has no PRIMARY KEY and columns called rowid,"
               " _rowid_ and oid, so that nothing names its rows; allowed"
               " is a table with a PRIMARY KEY", pInfo->zName);
  }else if( iCol>=0 ){
    checkColumn(p, pInfo, iCol);
  }
  if( pTab->rule.mode==TRIGGERS_STRICT ) checkActions(p, pInfo);
}

/* Find the table of a request, and what the registry knows of it. Returns 0
** with no error for a table of Interlock's own. */
int versionedFind(Sqlx *p, const char *zTable, VersionedTable *pTab){
  memset(pTab, 0, sizeof(*pTab));
  if( !tableinfoFind(p, zTable, &pTab->shape) ) return 0;
  if( sqlite3_strnicmp(pTab->shape.zName, "interlock_", 10)==0 ) return 0;
  tableinfoRead(p, &pTab->shape);
  registryFind(p, &pTab->shape, &pTab->entry);
  if( pTab->entry.iGenerator>TRIGGERS_GENERATOR ){
    sqlxBad(p, "%s was declared by a newer Interlock (generator %d, this is"
               " %d); load that one", pTab->shape.zName,
            pTab->entry.iGenerator, TRIGGERS_GENERATOR);
  }
  return p->rc==SQLITE_OK;
}

/* Whether the tombstones of an entry are those that this table would have,
** and its version column is there. */
static int fits(Sqlx *p, const TableInfo *pInfo, const RegistryEntry *pEntry){
  TriggersRule rule;
  TriggersSet set;
  const char *z;
  if( tableinfoColumn(pInfo, pEntry->zColumn)<0 ) return 0;
  memset(&rule, 0, sizeof(rule));
  rule.zNumber = pEntry->zNumber;
  rule.zColumn = pEntry->zColumn;
  rule.zLabel = "";
  triggersMake(p, pInfo, &rule, &set);
  z = tableinfoText(p, pInfo, "table", set.zTombstones);
  return p->rc==SQLITE_OK && z && strcmp(z, set.zTombstonesSql)==0;
}

/*
** A table that was renamed and then rebuilt, with no Interlock there in
** between, has lost every trace: its entry stands under the old name. Take
** that entry for pTab, which has none: the one with that number, or, if
** zNumber is NULL, the only one that fits.
*/
static void adopt(Sqlx *p, VersionedTable *pTab, const char *zNumber){
  const char *zSchema = pTab->shape.zSchema;
  const char *zFirst = 0;
  RegistryCursor cur;
  RegistryEntry entry;
  TableInfoList list;
  TableInfo other;
  registryOpen(p, zSchema, &cur, &list);
  while( registryNext(p, &cur, &entry) ){
    if( !entry.bDeclared || entry.nTrigger>0
     || entry.iGenerator>TRIGGERS_GENERATOR
     || tableinfoExists(&list, zSchema, entry.zName, &other) ) continue;
    if( zNumber ? strcmp(zNumber, entry.zNumber)!=0
                : !fits(p, &pTab->shape, &entry) ) continue;
    if( zFirst ){
      sqlxBad(p, "table %s was never versioned and can have been %s or %s;"
                 " allowed is UPDATE versioned_tables SET name = %Q WHERE"
                 " name = ...", pTab->shape.zName, zFirst, entry.zName,
              pTab->shape.zName);
    }
    zFirst = entry.zName;
    pTab->entry = entry;
  }
  registryClose(p, &cur);
}

/* ---- what it takes ---------------------------------------------------- */

static int isTemp(const char *zSchema){
  return sqlite3_stricmp(zSchema, "temp")==0;
}

/* The text of an object as sqlite_master keeps it, or NULL. */
static const char *installed(Sqlx *p, const char *zSchema, const char *zName){
  const char *z = 0;
  sqlite3_stmt *pStmt = sqlxPrepare(p, "SELECT sql FROM \"%w\".sqlite_master"
      " WHERE name=%Q", zSchema, zName);
  if( sqlxStep(p, pStmt) ) z = sqlxColumn(p, pStmt, 0);
  sqlxFinalize(p, pStmt);
  return z;
}

/* The statement that gives an entry of the registry back as it stands there,
** old names included. */
static const char *storedEntry(
  Sqlx *p,
  const char *zSchema,
  const char *zNumber
){
  const char *z = 0;
  sqlite3_stmt *pStmt = sqlxPrepare(p, "SELECT quote(number)||','"
      "||quote(name)||','||quote(\"column\")||','||quote(mode)||','"
      "||quote(on_stale)||','||quote(except_columns)||','"
      "||quote(tombstones)||','||quote(generator)||','||quote(declared)"
      " FROM \"%w\".interlock_versioned WHERE number=%Q", zSchema, zNumber);
  if( sqlxStep(p, pStmt) ) z = sqlxColumn(p, pStmt, 0);
  sqlxFinalize(p, pStmt);
  return sqlxPrintf(p, "INSERT OR REPLACE INTO \"%w\".interlock_versioned"
      " VALUES(%s)", zSchema, z ? z : "");
}

/* The registry's entry, and the registry itself if it is the first. */
static void stepsOfRegistry(
  Sqlx *p,
  const VersionedTable *pTab,
  const RegistryEntry *pNew,
  Ddl *pPlan
){
  const char *zSchema = pTab->shape.zSchema;
  const char *zUndo;
  if( !tableinfoOwnWritten(p, zSchema, "interlock_versioned") ){
    ddlStep(p, pPlan, triggersRegistry(p, zSchema), DDL_UNDO_ALL);
    zUndo = 0;
  }else if( pTab->entry.zNumber ){
    zUndo = storedEntry(p, zSchema, pTab->entry.zNumber);
  }else{
    zUndo = sqlxPrintf(p, "DELETE FROM \"%w\".interlock_versioned"
        " WHERE number=%Q", zSchema, pNew->zNumber);
  }
  ddlStep(p, pPlan, registryStore(p, zSchema, pNew), zUndo);
  if( pTab->entry.zNumber && strcmp(pTab->entry.zNumber, pNew->zNumber)!=0 ){
    ddlStep(p, pPlan, sqlxPrintf(p, "DELETE FROM \"%w\".interlock_versioned"
        " WHERE number=%Q", zSchema, pTab->entry.zNumber), 0);
  }
}

/* The tombstones, where there are none yet. */
static void stepsOfTombstones(
  Sqlx *p,
  const VersionedTable *pTab,
  const TriggersSet *pSet,
  Ddl *pPlan
){
  const char *zSchema = pTab->shape.zSchema;
  if( !tableinfoOwnWritten(p, zSchema, pSet->zTombstones) ){
    ddlStep(p, pPlan, triggersQualified(p, pSet->zTombstonesSql, zSchema),
        DDL_UNDO_ALL);
  }
}

/*
** The tombstones where a rebuild has changed the key. They are taken over as
** far as they still name a key, that is, if it has as many columns. In temp
** the old table stays, empty, under its number: a DROP TABLE is "locked"
** there by what watches over the scope (ddlWatch).
*/
static void stepsOfOtherKey(
  Sqlx *p,
  const VersionedTable *pTab,
  const TriggersSet *pSet,
  Ddl *pPlan
){
  const char *zSchema = pTab->shape.zSchema;
  const char *zNew = pSet->zTombstones;
  const char *zOld = sqlxPrintf(p, "interlock_%q_tombstones",
                                pTab->entry.zNumber);
  const char *zFrom = zOld;
  int bTemp = isTemp(zSchema);
  if( !bTemp ){
    pPlan->bDrops = 1;
    zFrom = sqlxPrintf(p, "interlock_%q_former", pTab->rule.zNumber);
    ddlStep(p, pPlan, sqlxPrintf(p, "CREATE TABLE \"%w\".%s AS SELECT * FROM"
        " \"%w\".%s", zSchema, zFrom, zSchema, zOld), DDL_UNDO_ALL);
    ddlStep(p, pPlan,
        sqlxPrintf(p, "DROP TABLE \"%w\".%s", zSchema, zOld), 0);
  }
  ddlStep(p, pPlan, triggersQualified(p, pSet->zTombstonesSql, zSchema), 0);
  if( sqlxCount(p, sqlxPrintf(p, "PRAGMA \"%w\".table_info(%s)", zSchema,
                              zOld))==triggersKeys(&pTab->shape)+3 ){
    ddlStep(p, pPlan, sqlxPrintf(p, "INSERT OR IGNORE INTO \"%w\".%s SELECT *"
        " FROM \"%w\".%s ORDER BY version DESC", zSchema, zNew, zSchema,
        zFrom), 0);
  }
  ddlStep(p, pPlan, sqlxPrintf(p, "%s \"%w\".%s",
      bTemp ? "DELETE FROM" : "DROP TABLE", zSchema, zFrom), 0);
}

/* The version column, if it is missing. One that a rebuild has lost comes
** back above every version that its rows can have had: at unix ms. */
static void stepsOfColumn(Sqlx *p, const VersionedTable *pTab, Ddl *pPlan){
  const TableInfo *pInfo = &pTab->shape;
  const char *zColumn = pTab->rule.zColumn;
  const char *zDefault = "1";
  if( tableinfoColumn(pInfo, zColumn)>=0 ) return;
  if( pTab->entry.zNumber
   && sqlite3_stricmp(pTab->entry.zColumn, zColumn)==0 ){
    sqlite3_stmt *pStmt = sqlxPrepare(p, "SELECT " TRIGGERS_NOW);
    if( sqlxStep(p, pStmt) ) zDefault = sqlxColumn(p, pStmt, 0);
    sqlxFinalize(p, pStmt);
  }
  ddlStep(p, pPlan,
      sqlxPrintf(p, "ALTER TABLE \"%w\".\"%w\" ADD COLUMN \"%w\" INTEGER"
          " NOT NULL DEFAULT %s", pInfo->zSchema, pInfo->zName, zColumn,
          zDefault),
      sqlite3_libversion_number()<3035000 ? DDL_UNDO_ALL
      : sqlxPrintf(p, "ALTER TABLE \"%w\".\"%w\" DROP COLUMN \"%w\"",
          pInfo->zSchema, pInfo->zName, zColumn));
}

/* Whether there is nothing to do. */
static int isWhole(
  Sqlx *p,
  const VersionedTable *pTab,
  const RegistryEntry *pNew,
  const TriggersSet *pSet
){
  const RegistryEntry *pOld = &pTab->entry;
  Skipping skip;
  Status status;
  if( !pOld->bDeclared || pOld->iGenerator!=pNew->iGenerator
   || pOld->bTombstones!=pNew->bTombstones
   || strcmp(pOld->zName, pNew->zName)!=0
   || sqlite3_stricmp(pOld->zColumn, pNew->zColumn)!=0
   || sqlite3_stricmp(pOld->zMode, pNew->zMode)!=0
   || sqlite3_stricmp(pOld->zOnStale, pNew->zOnStale)!=0
   || strcmp(pOld->zExcept, pNew->zExcept)!=0
   || tableinfoColumn(&pTab->shape, pNew->zColumn)<0 ) return 0;
  status = statusOfSet(p, &pTab->shape, pOld, pSet, &skip);
  return status==STATUS_OK || (status==STATUS_SKIPPED && skip.bTemp);
}

/* Whether the tombstones were made for another key than the table has. In
** temp that takes a new number, and the set is made anew. */
static int isOtherKey(Sqlx *p, VersionedTable *pTab, TriggersSet *pSet){
  const char *zSchema = pTab->shape.zSchema;
  const char *zOld = pTab->entry.zNumber==0 ? 0
                   : installed(p, zSchema, pSet->zTombstones);
  if( zOld==0 || strcmp(zOld, pSet->zTombstonesSql)==0 ) return 0;
  if( !tableinfoOwnWritten(p, zSchema, pSet->zTombstones) ) return 0;
  if( isTemp(zSchema) ){
    pTab->rule.zNumber = triggersDraw(p, zSchema);
    triggersMake(p, &pTab->shape, &pTab->rule, pSet);
  }
  return p->rc==SQLITE_OK;
}

/*
** Plan what declares the table: nothing where all is there already and bText
** is not set. The set is always made whole and in one order, never a single
** trigger put back; triggers of the application that update the table are made
** anew behind `settle` (see there). What can be undone by itself comes before
** the tables: a
** trigger may name one before it is there.
*/
static int stepsOfTable(
  Sqlx *p,
  VersionedTable *pTab,
  DdlScope eScope,
  int bText,
  Ddl *pPlan
){
  const char *zSchema = pTab->shape.zSchema;
  RegistryEntry entry;
  TriggersSet set;
  Touches touches;
  int bOtherKey;
  ddlNew(pPlan, zSchema);
  if( p->rc!=SQLITE_OK ) return 0;
  if( pTab->rule.zNumber==0 ) pTab->rule.zNumber = triggersDraw(p, zSchema);
  triggersMake(p, &pTab->shape, &pTab->rule, &set);
  entry = optionsEntry(p, &pTab->shape, &pTab->rule);
  if( p->rc!=SQLITE_OK ) return 0;
  if( !bText && isWhole(p, pTab, &entry, &set) ) return 0;
  if( tableinfoColumn(&pTab->shape, pTab->rule.zColumn)>=0 ){
    checkRows(p, &pTab->shape, pTab->rule.zColumn);
  }
  bOtherKey = isOtherKey(p, pTab, &set);
  if( bOtherKey && eScope==DDL_STATEMENT ){
    sqlxBad(p, "the key of %s has changed since it was declared; allowed"
               " is SELECT versioned() in a statement of its own",
            pTab->shape.zName);
  }
  if( p->rc!=SQLITE_OK ) return 0;
  entry.zNumber = pTab->rule.zNumber;

  skippingTouches(p, &pTab->shape, pTab->rule.zColumn, &touches);
  if( bText || strcmp(set.a[0].zWhat, "settle")!=0 ) touches.n = 0;
  ddlDropTriggers(p, pPlan, eScope, pTab->entry.aTrigger,
                   pTab->entry.nTrigger);
  ddlDropTriggers(p, pPlan, eScope, touches.a, touches.n);
  stepsOfColumn(p, pTab, pPlan);
  ddlMakeTriggers(p, pPlan, set.a, 1);
  ddlMakeAgain(p, pPlan, touches.a, touches.n);
  ddlMakeTriggers(p, pPlan, set.a+1, set.n-1);
  if( bOtherKey ) stepsOfOtherKey(p, pTab, &set, pPlan);
  else stepsOfTombstones(p, pTab, &set, pPlan);
  stepsOfRegistry(p, pTab, &entry, pPlan);
  if( pTab->entry.zNumber && set.zRebornSql[0] ){
    ddlStep(p, pPlan, set.zRebornSql, 0);
  }
  return p->rc==SQLITE_OK;
}

/* ---- what users ask for ----------------------------------------------- */

/* Declare a table. Returns "table.column", NULL for a table of Interlock's
** own, which is also the result of pReq->pResult. After an error nothing has
** changed. The result is set before the work is kept: it is copied, and if
** memory runs out over that nothing can be kept either. */
const char *versionedDeclare(
  Sqlx *p,
  const VersionedRequest *pReq,
  DdlScope eScope
){
  VersionedTable tab;
  Ddl todo;
  const char *zResult = 0;
  DdlTxn txn = ddlBegin(p, eScope);
  if( versionedFind(p, pReq->zTable, &tab) ){
    if( pReq->zNumber && tab.entry.zNumber ){
      sqlxBad(p, "table %s is known by that name already; allowed is one that"
                 " was never versioned", tab.shape.zName);
    }
    if( pReq->zNumber ){
      adopt(p, &tab, pReq->zNumber);
      if( tab.entry.zNumber==0 ){
        sqlxBad(p, "table %s is in another schema than the one that is"
                   " missing", tab.shape.zName);
      }
    }
    optionsMake(p, &tab.shape, &tab.entry, &pReq->words, &tab.rule);
    checkTable(p, &tab);
    zResult = sqlxPrintf(p, "%s.%s", tab.shape.zName, tab.rule.zColumn);
    if( stepsOfTable(p, &tab, eScope, 0, &todo) ) ddlRun(p, &todo, &txn);
  }
  if( p->rc==SQLITE_OK && zResult && pReq->pResult ){
    sqlite3_result_text(pReq->pResult, zResult, -1, SQLITE_TRANSIENT);
  }
  ddlEnd(p, &txn);
  return zResult;
}

/* The same as text, with nothing run. */
const char *versionedText(Sqlx *p, const VersionedRequest *pReq){
  VersionedTable tab;
  Ddl todo;
  const char *zText = 0;
  if( versionedFind(p, pReq->zTable, &tab) ){
    optionsMake(p, &tab.shape, &tab.entry, &pReq->words, &tab.rule);
    checkTable(p, &tab);
    if( stepsOfTable(p, &tab, DDL_SELECT, 1, &todo) ){
      zText = ddlText(p, &todo, tab.shape.zName);
    }
  }
  return zText;
}

/* Drop the triggers of a table; its column and its tombstones stay. Returns
** 1, or 0 if it was not declared. */
int versionedUndeclare(Sqlx *p, const char *zTable, DdlScope eScope){
  VersionedTable tab;
  int bDone = 0;
  DdlTxn txn = ddlBegin(p, eScope);
  if( versionedFind(p, zTable, &tab) && tab.entry.bDeclared ){
    RegistryEntry entry = tab.entry;
    Ddl todo;
    entry.bDeclared = 0;
    ddlNew(&todo, tab.shape.zSchema);
    ddlDropTriggers(p, &todo, eScope, entry.aTrigger, entry.nTrigger);
    stepsOfRegistry(p, &tab, &entry, &todo);
    if( p->rc==SQLITE_OK ) ddlRun(p, &todo, &txn);
    bDone = 1;
  }
  ddlEnd(p, &txn);
  return bDone;
}

/* Put back what a table lacks. Returns 1 if there was something to mend. */
static int repairOne(Sqlx *p, const char *zTable, DdlTxn *pTxn){
  VersionedTable tab;
  Ddl todo;
  if( !versionedFind(p, zTable, &tab) ) return 0;
  if( tab.entry.zNumber==0 ) adopt(p, &tab, 0);
  if( !tab.entry.bDeclared ) return 0;
  optionsMake(p, &tab.shape, &tab.entry, 0, &tab.rule);
  checkTable(p, &tab);
  if( !stepsOfTable(p, &tab, DDL_SELECT, 0, &todo) ) return 0;
  ddlRun(p, &todo, pTxn);
  return p->rc==SQLITE_OK;
}

/* The tables that status finds fault with, or that were renamed: the name is
** all that leads to a table once a rebuild has dropped its triggers. They are
** listed before any is mended: while the list is being read SQLite drops no
** table. */
typedef struct Faulty Faulty;
struct Faulty {
  const char *zTable;
  int bTemp;
  Faulty *pNext;
};

static Faulty *faulty(Sqlx *p){
  Faulty *pList = 0;
  StatusWalk walk;
  statusWalkBegin(p, &walk);
  while( statusWalkNext(p, &walk) ){
    Faulty *pNew;
    if( walk.status>=STATUS_TABLE ) continue;
    if( walk.status==STATUS_OK && !statusRenamed(&walk) ) continue;
    pNew = sqlxAlloc(p, sizeof(*pNew));
    if( pNew==0 ) break;
    pNew->zTable = sqlxPrintf(p, "\"%w\".\"%w\"", walk.zSchema,
                              walk.entry.zTable);
    pNew->bTemp = isTemp(walk.zSchema);
    pNew->pNext = pList;
    pList = pNew;
  }
  statusWalkEnd(p, &walk);
  return pList;
}

/* Mend one table, or, if zTable is NULL, every declared table of every
** schema: all or nothing. Those in temp come last: after them no table can be
** dropped (ddlWatch). Returns how many. */
int versionedRepair(Sqlx *p, const char *zTable){
  DdlTxn txn = ddlBegin(p, DDL_SELECT);
  int n = 0;
  if( zTable ){
    n = repairOne(p, zTable, &txn);
  }else{
    const Faulty *pList = faulty(p);
    const Faulty *pOne;
    int bTemp;
    for(bTemp=0; bTemp<=1; bTemp++){
      for(pOne=pList; pOne; pOne=pOne->pNext){
        if( pOne->bTemp==bTemp ) n += repairOne(p, pOne->zTable, &txn);
      }
    }
  }
  ddlEnd(p, &txn);
  return n;
}

/* Purge the tombstones of a table that are older. A delete leaves no time, the
** first of these calls after it does. Returns how many. */
sqlite3_int64 versionedForget(
  Sqlx *p,
  const char *zTable,
  sqlite3_int64 msOlder
){
  VersionedTable tab;
  Ddl todo;
  sqlite3_int64 n = 0;
  DdlTxn txn = ddlBegin(p, DDL_SELECT);
  if( versionedFind(p, zTable, &tab) ){
    if( tab.entry.zNumber==0 ){
      sqlxBad(p, "table %s was never versioned; allowed are tables of"
                 " versioned_tables", tab.shape.zName);
    }
    tableinfoOwnWritten(p, tab.shape.zSchema, sqlxPrintf(p,
        "interlock_%q_tombstones", tab.entry.zNumber));
    ddlNew(&todo, tab.shape.zSchema);
    ddlStep(p, &todo, sqlxPrintf(p, "UPDATE \"%w\".interlock_%q_tombstones"
        " SET at=%s WHERE at IS NULL", tab.shape.zSchema, tab.entry.zNumber,
        TRIGGERS_NOW), 0);
    ddlStep(p, &todo, sqlxPrintf(p, "DELETE FROM"
        " \"%w\".interlock_%q_tombstones WHERE at<=%s-%lld",
        tab.shape.zSchema, tab.entry.zNumber, TRIGGERS_NOW, msOlder), 0);
    ddlRun(p, &todo, &txn);
    if( p->rc==SQLITE_OK ) n = sqlite3_changes(p->db);
  }
  ddlEnd(p, &txn);
  return n;
}
