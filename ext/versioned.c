/* SPDX-License-Identifier: 0BSD */
/*
** Versioned tables. See versioned.h; the triggers themselves, and why each
** exists, are in sql/versioned_*.sql.
**
** The registry, interlock_versioned, stands in the schema of the table. A
** table is found in it by the number in the names of its triggers, which
** follow a RENAME; by its name only where the triggers are gone, as after
** the rebuild of a table by a migration.
*/
#include <string.h>
#include "versioned.h"
#include "triggers.h"
#include "token.h"
SQLITE_EXTENSION_INIT3

/* One table on its way to being declared. */
typedef struct Declared Declared;
struct Declared {
  Shape shape;
  const char *zNumber;   /* NULL if it was never declared */
  const char *zColumn;   /* the column that was declared, or NULL */
  int iGenerator;
  int bDeclared;         /* declared, and not given up since */
};

/* ---- the registry ----------------------------------------------------- */

static int hasTable(Sqlx *p, const char *zSchema, const char *zName){
  return sqlxExists(p, "SELECT 1 FROM \"%w\".sqlite_master"
      " WHERE type='table' AND name=%Q COLLATE NOCASE", zSchema, zName);
}

/* Look a table up. A number whose triggers are on another table is that
** table's, whatever name it was declared under. */
static void registryFind(Sqlx *p, Declared *pDecl){
  const Shape *pShape = &pDecl->shape;
  sqlite3_stmt *pStmt;
  if( !hasTable(p, pShape->zSchema, "interlock_versioned") ) return;
  pStmt = sqlxPrepare(p,
      "SELECT number, \"column\", generator, declared FROM ("
      "SELECT v.*, (SELECT tbl_name FROM \"%w\".sqlite_master"
      " WHERE type='trigger'"
      " AND substr(name,1,19)='interlock_'||v.number||'_' LIMIT 1) AS at"
      " FROM \"%w\".interlock_versioned AS v)"
      " WHERE ifnull(at,name)=%Q COLLATE NOCASE ORDER BY at IS NULL LIMIT 1",
      pShape->zSchema, pShape->zSchema, pShape->zName);
  if( sqlxStep(p, pStmt) ){
    pDecl->zNumber = sqlxColumn(p, pStmt, 0);
    pDecl->zColumn = sqlxColumn(p, pStmt, 1);
    pDecl->iGenerator = sqlite3_column_int(pStmt, 2);
    pDecl->bDeclared = sqlite3_column_int(pStmt, 3);
  }
  sqlxFinalize(p, pStmt);
}

/* A number that no object of the schema has in its name. */
static const char *drawNumber(Sqlx *p, const char *zSchema){
  unsigned int u;
  const char *z;
  do{
    sqlite3_randomness((int)sizeof(u), &u);
    z = sqlxPrintf(p, "%08x", u);
  }while( sqlxExists(p, "SELECT 1 FROM \"%w\".sqlite_master"
      " WHERE substr(name,1,18)='interlock_%s'", zSchema, z) );
  return z;
}

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

static int inForeignKey(Sqlx *p, const Shape *pShape, const char *zColumn){
  int bIn = 0;
  sqlite3_stmt *pStmt = sqlxPrepare(p,
      "PRAGMA \"%w\".foreign_key_list(\"%w\")",
      pShape->zSchema, pShape->zName);
  while( sqlxStep(p, pStmt) ){
    const char *zFrom = sqlxColumn(p, pStmt, 3);
    if( zFrom && sqlite3_stricmp(zFrom, zColumn)==0 ) bIn = 1;
  }
  sqlxFinalize(p, pStmt);
  return bIn;
}

static int inUnique(const Shape *pShape, int iCol){
  int i;
  for(i=0; i<pShape->nPath; i++){
    if( shapePathMentions(pShape, &pShape->aPath[i], iCol) ) return 1;
  }
  return 0;
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

/* Find and check the table of a request. Returns 0 with no error for a
** table of Interlock's own. */
static int declaredFind(Sqlx *p, const char *zTable, Declared *pDecl){
  Shape *pShape = &pDecl->shape;
  memset(pDecl, 0, sizeof(*pDecl));
  if( !shapeFind(p, zTable, pShape) ) return 0;
  if( sqlite3_strnicmp(pShape->zName, "interlock_", 10)==0 ) return 0;
  shapeRead(p, pShape);
  registryFind(p, pDecl);
  if( pDecl->iGenerator>TRIGGERS_GENERATOR ){
    sqlxBad(p, "%s was declared by a newer Interlock (generator %d, this is"
               " %d); load that one", pShape->zName, pDecl->iGenerator,
            TRIGGERS_GENERATOR);
  }
  return p->rc==SQLITE_OK;
}

static void checkTable(Sqlx *p, const Shape *pShape, const char *zColumn){
  int iCol = shapeColumn(pShape, zColumn);
  if( sqlite3_db_readonly(p->db, pShape->zSchema)==1 ){
    sqlxBad(p, "database %s is read-only; allowed is one that can be"
               " written", pShape->zSchema);
  }else if( pShape->zRowid==0 && pShape->bRowidKey ){
    sqlxBad(p, "table %s has no PRIMARY KEY and columns called rowid,"
               " _rowid_ and oid, so that nothing names its rows; allowed"
               " is a table with a PRIMARY KEY", pShape->zName);
  }else if( iCol>=0 ){
    checkColumn(p, pShape, iCol);
    checkRows(p, pShape, pShape->aCol[iCol].zName);
  }
}

/* ---- the plan --------------------------------------------------------- */

/* Whether the schema has the object with exactly this text. */
static int isInstalled(Sqlx *p, const Shape *pShape, const char *zName,
                       const char *zSql){
  return sqlxExists(p, "SELECT 1 FROM \"%w\".sqlite_master"
      " WHERE name=%Q AND sql=%Q", pShape->zSchema, zName, zSql);
}

/* Append DROP TRIGGER for every trigger of that number. Returns how many. */
static int planDrop(
  Sqlx *p,
  const Declared *pDecl,
  sqlite3_str *pPlan
){
  int n = 0;
  sqlite3_stmt *pStmt = sqlxPrepare(p,
      "SELECT name FROM \"%w\".sqlite_master WHERE type='trigger'"
      " AND substr(name,1,19)='interlock_%s_' ORDER BY name",
      pDecl->shape.zSchema, pDecl->zNumber);
  while( sqlxStep(p, pStmt) ){
    sqlite3_str_appendf(pPlan, "DROP TRIGGER \"%w\".\"%w\";\n",
        pDecl->shape.zSchema, sqlxColumn(p, pStmt, 0));
    n++;
  }
  sqlxFinalize(p, pStmt);
  return n;
}

/* Whether all of the set is there, and nothing else under its number. */
static int isWhole(Sqlx *p, const Declared *pDecl, const TriggersSet *pSet){
  int i;
  if( !pDecl->bDeclared || pDecl->iGenerator!=TRIGGERS_GENERATOR ) return 0;
  for(i=0; i<pSet->n; i++){
    if( !isInstalled(p, &pDecl->shape, pSet->a[i].zName, pSet->a[i].zSql) ){
      return 0;
    }
  }
  return hasTable(p, pDecl->shape.zSchema, pSet->zTombstones);
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

/*
** The statements that declare the table, one a line; none where it is
** declared already and bText is not set. The set is always made whole and
** in one order, never a single trigger put back.
*/
static const char *plan(
  Sqlx *p,
  Declared *pDecl,
  const char *zColumn,
  int bText
){
  const Shape *pShape = &pDecl->shape;
  const char *zSchema = pShape->zSchema;
  int iCol = shapeColumn(pShape, zColumn);
  int bSame = pDecl->bDeclared && sqlite3_stricmp(pDecl->zColumn,zColumn)==0;
  TriggersRule rule;
  TriggersSet set;
  sqlite3_str *pPlan;
  int i;

  if( pDecl->zNumber==0 ) pDecl->zNumber = drawNumber(p, zSchema);
  memset(&rule, 0, sizeof(rule));
  rule.zNumber = pDecl->zNumber;
  rule.zColumn = zColumn;
  rule.zLabel = sqlxPrintf(p, "%s.%s", pShape->zName, rule.zColumn);
  triggersMake(p, pShape, &rule, &set);
  if( bText ) checkLines(p, pShape, &set);
  if( !bText && bSame && iCol>=0 && isWhole(p, pDecl, &set) ) return "";

  pPlan = sqlite3_str_new(p->db);
  if( iCol<0 ){
    sqlite3_str_appendf(pPlan, "ALTER TABLE \"%w\".\"%w\" ADD COLUMN \"%w\""
        " INTEGER NOT NULL DEFAULT 1;\n", zSchema, pShape->zName, zColumn);
  }
  sqlite3_str_appendf(pPlan, "%s;\n", triggersRegistry(p, zSchema));
  if( !hasTable(p, zSchema, set.zTombstones) ){
    sqlite3_str_appendf(pPlan, "%s;\n",
        triggersQualified(p, set.zTombstonesSql, zSchema));
  }
  planDrop(p, pDecl, pPlan);
  for(i=0; i<set.n; i++){
    sqlite3_str_appendf(pPlan, "%s;\n",
        triggersQualified(p, set.a[i].zSql, zSchema));
  }
  sqlite3_str_appendf(pPlan,
      "INSERT OR REPLACE INTO \"%w\".interlock_versioned"
      " VALUES(%Q,%Q,%Q,'auto','abort','',1,%d,1);\n",
      zSchema, rule.zNumber, pShape->zName, rule.zColumn,
      TRIGGERS_GENERATOR);
  return sqlxText(p, pPlan);
}

/* ---- all or nothing --------------------------------------------------- */

/*
** Open a scope for writing: the write lock at once where no transaction is
** open, so that busy_timeout works; a savepoint where one is. A savepoint
** is refused inside a statement that writes, and nothing has happened yet.
*/
static int scopeBegin(Sqlx *p){
  int bOwn = sqlite3_get_autocommit(p->db);
  sqlxRun(p, "SAVEPOINT interlock_versioned");
  if( p->rc==SQLITE_BUSY ){
    sqlxClear(p);
    sqlxBad(p, "called in a statement that writes; allowed is a SELECT of"
               " its own");
    return -1;
  }
  if( bOwn ){
    sqlxRun(p, "RELEASE interlock_versioned");
    sqlxRun(p, "BEGIN IMMEDIATE");
  }
  return p->rc==SQLITE_OK ? bOwn : -1;
}

/* Close it: keep what was done, or, after an error, undo all of it. */
static void scopeEnd(Sqlx *p, int bOwn){
  Sqlx undo;
  if( bOwn<0 ) return;
  sqlxRun(p, bOwn ? "COMMIT" : "RELEASE interlock_versioned");
  if( p->rc==SQLITE_OK || sqlite3_get_autocommit(p->db) ) return;
  sqlxBegin(&undo, p->db);
  if( bOwn ){
    sqlxRun(&undo, "ROLLBACK");
  }else{
    sqlxRun(&undo, "ROLLBACK TO interlock_versioned");
    sqlxRun(&undo, "RELEASE interlock_versioned");
  }
  sqlxEnd(&undo);
}

/* The column of a request: as given, as registered, or the default; spelled
** as the table spells it. */
static const char *columnOf(const VersionedRequest *pReq, const Declared *p){
  const char *z = p->zColumn ? p->zColumn : "version";
  int iCol;
  if( pReq->zColumn ) z = pReq->zColumn;
  iCol = shapeColumn(&p->shape, z);
  return iCol<0 ? z : p->shape.aCol[iCol].zName;
}

/* Declare a table. Returns "table.column", NULL for a table of Interlock's
** own. After an error nothing has changed. */
const char *versionedDeclare(Sqlx *p, const VersionedRequest *pReq){
  Declared decl;
  const char *zResult = 0;
  int bOwn = scopeBegin(p);
  if( declaredFind(p, pReq->zTable, &decl) ){
    const char *zColumn = columnOf(pReq, &decl);
    checkTable(p, &decl.shape, zColumn);
    sqlxScript(p, plan(p, &decl, zColumn, 0));
    zResult = sqlxPrintf(p, "%s.%s", decl.shape.zName, zColumn);
  }
  scopeEnd(p, bOwn);
  return zResult;
}

/* The same as text, with nothing run. */
const char *versionedText(Sqlx *p, const VersionedRequest *pReq){
  Declared decl;
  const char *zText = 0;
  if( declaredFind(p, pReq->zTable, &decl) ){
    const char *zColumn = columnOf(pReq, &decl);
    checkTable(p, &decl.shape, zColumn);
    zText = plan(p, &decl, zColumn, 1);
  }
  return zText;
}

/* Drop the triggers of a table; its column and its tombstones stay. Returns
** 1, or 0 if it was not declared. */
int versionedUndeclare(Sqlx *p, const char *zTable){
  Declared decl;
  int bDone = 0;
  int bOwn = scopeBegin(p);
  if( declaredFind(p, zTable, &decl) && decl.bDeclared ){
    sqlite3_str *pPlan = sqlite3_str_new(p->db);
    planDrop(p, &decl, pPlan);
    sqlite3_str_appendf(pPlan, "UPDATE \"%w\".interlock_versioned"
        " SET name=%Q, declared=0 WHERE number=%Q;\n",
        decl.shape.zSchema, decl.shape.zName, decl.zNumber);
    sqlxScript(p, sqlxText(p, pPlan));
    bDone = 1;
  }
  scopeEnd(p, bOwn);
  return bDone;
}
