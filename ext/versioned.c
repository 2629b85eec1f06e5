/* SPDX-License-Identifier: 0BSD */
/*
** Versioned tables. See versioned.h; the triggers themselves, and why each
** exists, are in sql/versioned_*.sql.
**
** A change is made in three steps: look at everything and refuse what cannot
** be; write down all statements (plan); run them in a scope that undoes all
** of them if one fails.
*/
#include <string.h>
#include "versioned.h"
#include "status.h"
#include "token.h"
SQLITE_EXTENSION_INIT3

/* ---- what may not be versioned ---------------------------------------- */

/* Whether a CHECK constraint of the table names the column. */
static int inCheck(const Shape *pShape, const char *zColumn){
  const char *z = pShape->zSql ? pShape->zSql : "";
  const char *zEnd = z + strlen(z);
  Token t;
  for(t=tokenAt(z, zEnd); t.kind!=TOKEN_END; t=tokenNext(&t, zEnd)){
    Token tOpen = tokenNext(&t, zEnd);
    if( !tokenIsWord(&t, "CHECK") || !tokenIsByte(&tOpen, '(') ) continue;
    if( tokenMentions(tOpen.z, tokenClose(&tOpen, zEnd), zColumn) ) return 1;
  }
  return 0;
}

static int inUnique(const Shape *pShape, int iCol){
  int i;
  for(i=0; i<pShape->nPath; i++){
    if( shapePathMentions(pShape, &pShape->aPath[i], iCol) ) return 1;
  }
  return 0;
}

/* Columns of PRAGMA foreign_key_list. */
enum { FK_FROM = 3, FK_ON_UPDATE = 5, FK_ON_DELETE };

static int inForeignKey(Sqlx *p, const Shape *pShape, const char *zColumn){
  int bIn = 0;
  sqlite3_stmt *pStmt = sqlxPrepare(p,
      "PRAGMA \"%w\".foreign_key_list(\"%w\")",
      pShape->zSchema, pShape->zName);
  while( sqlxStep(p, pStmt) ){
    const char *zFrom = sqlxColumn(p, pStmt, FK_FROM);
    if( zFrom && sqlite3_stricmp(zFrom, zColumn)==0 ) bIn = 1;
  }
  sqlxFinalize(p, pStmt);
  return bIn;
}

/* A foreign key action that updates rows of this table: it can carry no
** version. */
static void checkActions(Sqlx *p, const Shape *pShape){
  const char *zAction = 0;
  sqlite3_stmt *pStmt = sqlxPrepare(p,
      "PRAGMA \"%w\".foreign_key_list(\"%w\")",
      pShape->zSchema, pShape->zName);
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
            pShape->zName, zAction);
  }
}

/* A version column that stands there already: taken as it is, unless a
** bump could be swallowed or refused by what depends on it. */
static void checkColumn(Sqlx *p, const Shape *pShape, int iCol){
  const ShapeColumn *pCol = &pShape->aCol[iCol];
  const char *zWhy = 0;
  if( pCol->bGenerated ){
    zWhy = "is a generated column";
  }else if( pCol->bKey ){
    zWhy = "is part of the PRIMARY KEY";
  }else if( inUnique(pShape, iCol) ){
    zWhy = "is part of a UNIQUE index";
  }else if( inForeignKey(p, pShape, pCol->zName) ){
    zWhy = "is part of a FOREIGN KEY";
  }else if( inCheck(pShape, pCol->zName) ){
    zWhy = "is part of a CHECK constraint";
  }else if( strcmp(pCol->zAffinity, "INTEGER")!=0
         && strcmp(pCol->zAffinity, "NUMERIC")!=0 ){
    zWhy = "is declared with a type that is not INTEGER or NUMERIC";
  }
  if( zWhy ){
    sqlxBad(p, "column %s.%s %s; allowed is a column of its own for the"
               " version, or the name of a new one",
            pShape->zName, pCol->zName, zWhy);
  }
}

/* The rows have versions that can be counted up. */
static void checkRows(Sqlx *p, const Shape *pShape, const char *zColumn){
  const char *zBad = 0;
  sqlite3_stmt *pStmt = sqlxPrepare(p,
      "SELECT quote(\"%w\") FROM \"%w\".\"%w\""
      " WHERE typeof(\"%w\")<>'integer' OR \"%w\"<0 LIMIT 1",
      zColumn, pShape->zSchema, pShape->zName, zColumn, zColumn);
  if( sqlxStep(p, pStmt) ) zBad = sqlxColumn(p, pStmt, 0);
  sqlxFinalize(p, pStmt);
  if( zBad ){
    sqlxBad(p, "column %s.%s holds %.40s; allowed are integers from 0 up:"
               " UPDATE \"%w\" SET \"%w\" = 1"
               " WHERE typeof(\"%w\") <> 'integer' OR \"%w\" < 0",
            pShape->zName, zColumn, zBad, pShape->zName, zColumn, zColumn,
            zColumn);
  }
}

/* Everything that can stand in the way of declaring a table. */
static void checkTable(Sqlx *p, const VersionedTable *pTab){
  const Shape *pShape = &pTab->shape;
  int iCol = shapeColumn(pShape, pTab->rule.zColumn);
  if( sqlite3_db_readonly(p->db, pShape->zSchema)==1 ){
    sqlxBad(p, "database %s is read-only; allowed is one that can be"
               " written", pShape->zSchema);
  }else if( pShape->zRowid==0 && pShape->bRowidKey ){
    sqlxBad(p, "table %s has no PRIMARY KEY and columns called rowid,"
               " _rowid_ and oid, so that nothing names its rows; allowed"
               " is a table with a PRIMARY KEY", pShape->zName);
  }else if( iCol>=0 ){
    checkColumn(p, pShape, iCol);
  }
  if( pTab->rule.mode==TRIGGERS_STRICT ) checkActions(p, pShape);
}

/* Find the table of a request, and what the registry knows of it. Returns 0
** with no error for a table of Interlock's own. */
int versionedFind(Sqlx *p, const char *zTable, VersionedTable *pTab){
  memset(pTab, 0, sizeof(*pTab));
  if( !shapeFind(p, zTable, &pTab->shape) ) return 0;
  if( sqlite3_strnicmp(pTab->shape.zName, "interlock_", 10)==0 ) return 0;
  shapeRead(p, &pTab->shape);
  registryFind(p, &pTab->shape, &pTab->entry);
  if( pTab->entry.iGenerator>TRIGGERS_GENERATOR ){
    sqlxBad(p, "%s was declared by a newer Interlock (generator %d, this is"
               " %d); load that one", pTab->shape.zName,
            pTab->entry.iGenerator, TRIGGERS_GENERATOR);
  }
  return p->rc==SQLITE_OK;
}

/* ---- the plan --------------------------------------------------------- */

/* The statements of a change, one a line, and those that undo them. */
typedef struct Plan Plan;
struct Plan {
  sqlite3_str *pDo;
  sqlite3_str *pUndo;
};

static void planBegin(Sqlx *p, Plan *pPlan){
  pPlan->pDo = sqlite3_str_new(p->db);
  pPlan->pUndo = sqlite3_str_new(p->db);
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

/* Drop every trigger of the table's number; undone by making them again. */
static void planDrop(Sqlx *p, const VersionedTable *pTab, Plan *pPlan){
  const char *zSchema = pTab->shape.zSchema;
  int i;
  for(i=0; i<pTab->entry.nTrigger; i++){
    const TriggersOne *pOne = &pTab->entry.aTrigger[i];
    sqlite3_str_appendf(pPlan->pDo, "DROP TRIGGER \"%w\".\"%w\";\n",
                        zSchema, pOne->zName);
    sqlite3_str_appendf(pPlan->pUndo, "%s;\n",
                        triggersQualified(p, pOne->zSql, zSchema));
  }
}

/* Make the triggers; undone, before all else, by dropping them. */
static void planTriggers(
  Sqlx *p,
  const char *zSchema,
  const TriggersSet *pSet,
  Plan *pPlan
){
  sqlite3_str *pUndo = sqlite3_str_new(p->db);
  int i;
  for(i=0; i<pSet->n; i++){
    sqlite3_str_appendf(pPlan->pDo, "%s;\n",
        triggersQualified(p, pSet->a[i].zSql, zSchema));
    sqlite3_str_appendf(pUndo, "DROP TRIGGER IF EXISTS \"%w\".\"%w\";\n",
                        zSchema, pSet->a[i].zName);
  }
  sqlite3_str_appendall(pUndo, sqlxText(p, pPlan->pUndo));
  pPlan->pUndo = pUndo;
}

/* The registry's entry, and the registry itself if it is the first. */
static void planRegistry(
  Sqlx *p,
  const VersionedTable *pTab,
  const RegistryEntry *pNew,
  Plan *pPlan
){
  const char *zSchema = pTab->shape.zSchema;
  if( !registryExists(p, zSchema) ){
    sqlite3_str_appendf(pPlan->pDo, "%s;\n", triggersRegistry(p, zSchema));
    sqlite3_str_appendf(pPlan->pUndo,
        "DROP TABLE IF EXISTS \"%w\".interlock_versioned;\n", zSchema);
  }else if( pTab->entry.zNumber ){
    registryStore(pPlan->pUndo, zSchema, &pTab->entry);
  }else{
    sqlite3_str_appendf(pPlan->pUndo,
        "DELETE FROM \"%w\".interlock_versioned WHERE number=%Q;\n",
        zSchema, pNew->zNumber);
  }
  registryStore(pPlan->pDo, zSchema, pNew);
}

/*
** The tombstones. Where a rebuild has changed the key they are taken over as
** far as they still name a key, that is, if it has as many columns.
*/
static void planTombstones(
  Sqlx *p,
  const VersionedTable *pTab,
  const TriggersSet *pSet,
  Plan *pPlan
){
  const char *zSchema = pTab->shape.zSchema;
  const char *zOld = installed(p, zSchema, pSet->zTombstones);
  const char *zCopy, *zInfo;
  if( zOld && strcmp(zOld, pSet->zTombstonesSql)==0 ) return;
  zCopy = sqlxPrintf(p, "interlock_%q_former", pTab->rule.zNumber);
  if( zOld ){
    sqlite3_str_appendf(pPlan->pDo,
        "CREATE TABLE \"%w\".%s AS SELECT * FROM \"%w\".%s;\n"
        "DROP TABLE \"%w\".%s;\n", zSchema, zCopy, zSchema,
        pSet->zTombstones, zSchema, pSet->zTombstones);
  }
  sqlite3_str_appendf(pPlan->pDo, "%s;\n",
      triggersQualified(p, pSet->zTombstonesSql, zSchema));
  if( zOld==0 ){
    sqlite3_str_appendf(pPlan->pUndo, "DROP TABLE IF EXISTS \"%w\".%s;\n",
                        zSchema, pSet->zTombstones);
    return;
  }
  zInfo = sqlxPrintf(p, "PRAGMA \"%w\".table_info(%s)", zSchema,
                     pSet->zTombstones);
  if( sqlxCount(p, zInfo)==triggersKeys(&pTab->shape)+3 ){
    sqlite3_str_appendf(pPlan->pDo,
        "INSERT OR IGNORE INTO \"%w\".%s SELECT * FROM \"%w\".%s"
        " ORDER BY version DESC;\n", zSchema, pSet->zTombstones, zSchema,
        zCopy);
  }
  sqlite3_str_appendf(pPlan->pDo, "DROP TABLE \"%w\".%s;\n", zSchema, zCopy);
}

/* The version column, if it is missing. One that a rebuild has lost comes
** back above every version that its rows can have had: at unix ms. */
static void planColumn(Sqlx *p, const VersionedTable *pTab, Plan *pPlan){
  const Shape *pShape = &pTab->shape;
  const char *zDefault = "1";
  if( shapeColumn(pShape, pTab->rule.zColumn)>=0 ) return;
  if( pTab->entry.zNumber
   && sqlite3_stricmp(pTab->entry.zColumn, pTab->rule.zColumn)==0 ){
    sqlite3_stmt *pStmt = sqlxPrepare(p, "SELECT " TRIGGERS_NOW);
    if( sqlxStep(p, pStmt) ) zDefault = sqlxColumn(p, pStmt, 0);
    sqlxFinalize(p, pStmt);
  }
  sqlite3_str_appendf(pPlan->pDo, "ALTER TABLE \"%w\".\"%w\" ADD COLUMN"
      " \"%w\" INTEGER NOT NULL DEFAULT %s;\n", pShape->zSchema,
      pShape->zName, pTab->rule.zColumn, zDefault);
  if( sqlite3_libversion_number()>=3035000 ){
    sqlite3_str_appendf(pPlan->pUndo,
        "ALTER TABLE \"%w\".\"%w\" DROP COLUMN \"%w\";\n",
        pShape->zSchema, pShape->zName, pTab->rule.zColumn);
  }
}

/* As text, one statement is one line. */
static void checkLines(Sqlx *p, const Shape *pShape, const TriggersSet *pSet){
  int bBreak = strchr(pShape->zSchema, '\n')!=0;
  int i;
  for(i=0; i<pSet->n; i++){
    if( strchr(pSet->a[i].zSql, '\n') ) bBreak = 1;
  }
  if( bBreak ){
    sqlxBad(p, "a name or an index of table %Q has a line break in it;"
               " allowed in text are names without", pShape->zName);
  }
}

/* Whether there is nothing to do. */
static int isWhole(
  Sqlx *p,
  const VersionedTable *pTab,
  const RegistryEntry *pNew,
  const TriggersSet *pSet
){
  const RegistryEntry *pOld = &pTab->entry;
  if( !pOld->bDeclared || pOld->iGenerator!=pNew->iGenerator
   || pOld->bTombstones!=pNew->bTombstones
   || strcmp(pOld->zName, pNew->zName)!=0
   || sqlite3_stricmp(pOld->zColumn, pNew->zColumn)!=0
   || sqlite3_stricmp(pOld->zMode, pNew->zMode)!=0
   || sqlite3_stricmp(pOld->zOnStale, pNew->zOnStale)!=0
   || strcmp(pOld->zExcept, pNew->zExcept)!=0
   || shapeColumn(&pTab->shape, pNew->zColumn)<0 ) return 0;
  return statusOfSet(p, &pTab->shape, pOld, pSet)==STATUS_OK;
}

/*
** Plan what declares the table: nothing where all is there already and bText
** is not set. The set is always made whole and in one order, never a single
** trigger put back. The column comes last of what cannot be undone by hand
** in every SQLite: a trigger may name it before it is there.
*/
static int plan(Sqlx *p, VersionedTable *pTab, int bText, Plan *pPlan){
  const char *zSchema = pTab->shape.zSchema;
  RegistryEntry entry;
  TriggersSet set;
  if( p->rc!=SQLITE_OK ) return 0;
  if( pTab->rule.zNumber==0 ) pTab->rule.zNumber = registryDraw(p, zSchema);
  triggersMake(p, &pTab->shape, &pTab->rule, &set);
  entry = ruleEntry(p, &pTab->shape, &pTab->rule);
  if( bText ) checkLines(p, &pTab->shape, &set);
  if( p->rc!=SQLITE_OK ) return 0;
  if( !bText && isWhole(p, pTab, &entry, &set) ) return 0;
  if( shapeColumn(&pTab->shape, pTab->rule.zColumn)>=0 ){
    checkRows(p, &pTab->shape, pTab->rule.zColumn);
  }
  if( p->rc!=SQLITE_OK ) return 0;

  planBegin(p, pPlan);
  if( pTab->entry.zNumber ) planDrop(p, pTab, pPlan);
  planRegistry(p, pTab, &entry, pPlan);
  planTombstones(p, pTab, &set, pPlan);
  planTriggers(p, zSchema, &set, pPlan);
  planColumn(p, pTab, pPlan);
  if( pTab->entry.zNumber && set.zRebornSql[0] ){
    sqlite3_str_appendf(pPlan->pDo, "%s;\n", set.zRebornSql);
  }
  return 1;
}

/* ---- all or nothing --------------------------------------------------- */

typedef struct Scope Scope;
struct Scope {
  int bOpen;
  int bOwn;              /* a transaction of its own, not a savepoint */
};

/*
** Open a scope for writing: the write lock at once where no transaction is
** open, so that busy_timeout works; a savepoint where one is. A savepoint
** is refused inside a statement that writes, and nothing has happened yet.
*/
static Scope scopeBegin(Sqlx *p, VersionedScope eScope){
  Scope s = { 0, 0 };
  if( eScope==VERSIONED_STATEMENT ) return s;
  s.bOwn = sqlite3_get_autocommit(p->db);
  sqlxRun(p, "SAVEPOINT interlock_versioned");
  if( p->rc==SQLITE_BUSY ){
    sqlxClear(p);
    sqlxBad(p, "called in a statement that writes; allowed is a SELECT of"
               " its own");
    return s;
  }
  if( s.bOwn ){
    sqlxRun(p, "RELEASE interlock_versioned");
    sqlxRun(p, "BEGIN IMMEDIATE");
  }
  s.bOpen = p->rc==SQLITE_OK;
  return s;
}

/* Close it: keep what was done, or, after an error, undo all of it. */
static void scopeEnd(Sqlx *p, Scope s){
  Sqlx undo;
  if( !s.bOpen ) return;
  sqlxRun(p, s.bOwn ? "COMMIT" : "RELEASE interlock_versioned");
  if( p->rc==SQLITE_OK || sqlite3_get_autocommit(p->db) ) return;
  sqlxBegin(&undo, p->db);
  if( s.bOwn ){
    sqlxRun(&undo, "ROLLBACK");
  }else{
    sqlxRun(&undo, "ROLLBACK TO interlock_versioned");
    sqlxRun(&undo, "RELEASE interlock_versioned");
  }
  sqlxEnd(&undo);
}

/*
** Run a plan. Inside a statement that writes there is no scope: SQLite
** refuses a savepoint, and for one row it has none of its own. There the
** undo text, written down before the first statement, is run by hand.
*/
static void run(Sqlx *p, Plan *pPlan, Scope s){
  const char *zDo = sqlxText(p, pPlan->pDo);
  const char *zUndo = sqlxText(p, pPlan->pUndo);
  sqlxScript(p, zDo);
  if( p->rc!=SQLITE_OK && !s.bOpen && !sqlite3_get_autocommit(p->db) ){
    Sqlx undo;
    sqlxBegin(&undo, p->db);
    sqlxScript(&undo, zUndo);
    sqlxEnd(&undo);
  }
}

/* ---- what users ask for ----------------------------------------------- */

/* Declare a table. Returns "table.column", NULL for a table of Interlock's
** own. After an error nothing has changed. */
const char *versionedDeclare(
  Sqlx *p,
  const VersionedRequest *pReq,
  VersionedScope eScope
){
  VersionedTable tab;
  Plan todo;
  const char *zResult = 0;
  Scope s = scopeBegin(p, eScope);
  if( versionedFind(p, pReq->zTable, &tab) ){
    ruleMake(p, &tab.shape, &tab.entry, &pReq->words, &tab.rule);
    checkTable(p, &tab);
    if( plan(p, &tab, 0, &todo) ) run(p, &todo, s);
    zResult = sqlxPrintf(p, "%s.%s", tab.shape.zName, tab.rule.zColumn);
  }
  scopeEnd(p, s);
  return zResult;
}

/* The same as text, with nothing run. */
const char *versionedText(Sqlx *p, const VersionedRequest *pReq){
  VersionedTable tab;
  Plan todo;
  const char *zText = 0;
  if( versionedFind(p, pReq->zTable, &tab) ){
    ruleMake(p, &tab.shape, &tab.entry, &pReq->words, &tab.rule);
    checkTable(p, &tab);
    if( plan(p, &tab, 1, &todo) ){
      zText = sqlxText(p, todo.pDo);
      sqlxText(p, todo.pUndo);
    }
  }
  return zText;
}

/* Drop the triggers of a table; its column and its tombstones stay. Returns
** 1, or 0 if it was not declared. */
int versionedUndeclare(Sqlx *p, const char *zTable, VersionedScope eScope){
  VersionedTable tab;
  int bDone = 0;
  Scope s = scopeBegin(p, eScope);
  if( versionedFind(p, zTable, &tab) && tab.entry.bDeclared ){
    RegistryEntry entry = tab.entry;
    Plan todo;
    entry.bDeclared = 0;
    planBegin(p, &todo);
    planDrop(p, &tab, &todo);
    planRegistry(p, &tab, &entry, &todo);
    run(p, &todo, s);
    bDone = 1;
  }
  scopeEnd(p, s);
  return bDone;
}

/* Put back what a table lacks. Returns 1 if there was something to mend. */
static int repairOne(Sqlx *p, const char *zTable, Scope s){
  VersionedTable tab;
  Plan todo;
  if( !versionedFind(p, zTable, &tab) || !tab.entry.bDeclared ) return 0;
  ruleMake(p, &tab.shape, &tab.entry, 0, &tab.rule);
  checkTable(p, &tab);
  if( !plan(p, &tab, 0, &todo) ) return 0;
  run(p, &todo, s);
  return p->rc==SQLITE_OK;
}

/* Mend one table, or, if zTable is NULL, every declared table of every
** schema: all or nothing. Returns how many. */
int versionedRepair(Sqlx *p, const char *zTable){
  Scope s = scopeBegin(p, VERSIONED_SELECT);
  int n = 0;
  if( zTable ){
    n = repairOne(p, zTable, s);
  }else{
    StatusWalk walk;
    statusWalkBegin(p, &walk);
    while( statusWalkNext(p, &walk) ){
      if( walk.status==STATUS_OK || walk.status>=STATUS_TABLE ) continue;
      n += repairOne(p, sqlxPrintf(p, "\"%w\".\"%w\"", walk.zSchema,
                                   walk.entry.zTable), s);
    }
    statusWalkEnd(p, &walk);
  }
  scopeEnd(p, s);
  return n;
}

/* Purge the tombstones of a table that are older. Returns how many. */
sqlite3_int64 versionedForget(
  Sqlx *p,
  const char *zTable,
  sqlite3_int64 msOlder
){
  VersionedTable tab;
  sqlite3_int64 n = 0;
  Scope s = scopeBegin(p, VERSIONED_SELECT);
  if( versionedFind(p, zTable, &tab) ){
    if( tab.entry.zNumber==0 ){
      sqlxBad(p, "table %s was never versioned; allowed are tables of"
                 " versioned_tables", tab.shape.zName);
    }
    sqlxRun(p, "DELETE FROM \"%w\".interlock_%q_tombstones WHERE at<=%s-%lld",
            tab.shape.zSchema, tab.entry.zNumber, TRIGGERS_NOW, msOlder);
    if( p->rc==SQLITE_OK ) n = sqlite3_changes(p->db);
  }
  scopeEnd(p, s);
  return n;
}
