/* SPDX-License-Identifier: 0BSD */
/*
** Fenced tables as a kind of declared tables. See fenced.h. The triggers
** themselves, and why each exists, are in sql/fenced/.
*/
#include <string.h>
#include "fenced/fenced.h"
#include "fenced/fencedtriggers.h"
#include "schema/keytable.h"
#include "schema/leasetable.h"
#include "schema/owncolumn.h"
#include "schema/registry.h"
#include "schema/status.h"
#include "sqlite/sqltoken.h"
#include "sql_text.h"
SQLITE_EXTENSION_INIT3

typedef struct FencedTable FencedTable;
struct FencedTable {
  DeclaredTable base;    /* must be the first */
  FencedText stored;     /* what the registry says; the column as it is called
                         ** now */
  const char *zLabel;    /* what the installed messages say, or NULL */
  FencedOptions options; /* what the set is made for */
  FencedTexts texts;
  int bOtherKey;         /* the side table was made for another key */
};

const FencedText *fencedStored(const DeclaredTable *pTab){
  return &((const FencedTable*)pTab)->stored;
}

/* ---- what may not be fenced -------------------------------------------- */

/* Refuses a table whose rows no expression can name. */
static void checkNames(Sqlx *p, const TableInfo *pInfo, const char *zLease){
  if( pInfo->zRowid || pInfo->bWithoutRowid ) return;
  if( !pInfo->bRowidKey && zLease[0]==0 ) return;
  sqlxBad(p, "table %s has columns called rowid, _rowid_ and oid, so that"
             " nothing names its rows; allowed is a table with a PRIMARY KEY%s",
          pInfo->zName, zLease[0] ? ", WITHOUT ROWID" : "");
}

/* With a lease every UPDATE must carry the token, and those by which triggers
** of versioned tables raise a version carry none. Refuses the table if there
** are such triggers, on it or on a child. `restore` is not one of them: it
** raises only a row whose key was used before. */
static void checkRaised(Sqlx *p, const TableInfo *pInfo){
  const char *zTable = 0;
  int bChild = 0;
  sqlite3_stmt *pStmt = sqlxPrepare(p, "SELECT tbl_name, sql, name GLOB"
      " '*_parent_insert' FROM \"%w\".sqlite_master WHERE type='trigger' AND"
      " (name GLOB 'interlock_????????_bump_after'"
      " OR name GLOB 'interlock_????????_parent_insert')", pInfo->zSchema);
  while( zTable==0 && sqlxStep(p, pStmt) ){
    const char *zSql = sqlxColumn(p, pStmt, 1);
    if( zSql==0 || !skippingUpdates(zSql, pInfo->zName) ) continue;
    zTable = sqlxColumn(p, pStmt, 0);
    bChild = sqlite3_column_int(pStmt, 2);
  }
  sqlxFinalize(p, pStmt);
  if( zTable && bChild ){
    sqlxBad(p, "table %s is the parent of the versioned table %s, whose writes"
               " raise its version without a token; allowed is a fence without"
               " a lease", pInfo->zName, zTable);
  }else if( zTable ){
    sqlxBad(p, "table %s is versioned, and its triggers raise the version"
               " without a token; allowed are a fence without a lease, and"
               " SELECT versioned(%Q, ..., 'strict') first", pInfo->zName,
            pInfo->zName);
  }
}

static void fencedCheck(Sqlx *p, const DeclaredTable *pTab){
  const FencedOptions *pOptions = &((const FencedTable*)pTab)->options;
  const TableInfo *pInfo = &pTab->info;
  int iCol = tableinfoColumn(pInfo, pOptions->zColumn);
  checkNames(p, pInfo, pOptions->zLease);
  if( pOptions->zLease[0] && p->rc==SQLITE_OK ) checkRaised(p, pInfo);
  if( iCol>=0 && p->rc==SQLITE_OK ) owncolumnCheck(p, pInfo, iCol, "token");
}

/* Refuses a lease where this connection cannot have it. Another one can have
** the file as its main. */
static void checkMain(Sqlx *p, const TableInfo *pInfo, const char *zLease){
  if( zLease[0]==0 || sqlite3_stricmp(pInfo->zSchema, "main")==0 ) return;
  sqlxBad(p, "table %s is in %s, and leases are in main; allowed is a table"
             " of main, or one without a lease", pInfo->zName, pInfo->zSchema);
}

/* Refuses rows whose token cannot be compared. */
static void checkTokens(Sqlx *p, const TableInfo *pInfo, const char *zColumn){
  const char *zBad = 0;
  sqlite3_stmt *pStmt = sqlxPrepare(p,
      "SELECT quote(\"%w\") FROM \"%w\".\"%w\" WHERE \"%w\" NOT NULL"
      " AND (typeof(\"%w\")<>'integer' OR \"%w\"<0) LIMIT 1",
      zColumn, pInfo->zSchema, pInfo->zName, zColumn, zColumn, zColumn);
  if( sqlxStep(p, pStmt) ) zBad = sqlxColumn(p, pStmt, 0);
  sqlxFinalize(p, pStmt);
  if( zBad ){
    sqlxBad(p, "column %s.%s holds %.40s; allowed are integers from 0 up, and"
               " NULL", pInfo->zName, zColumn, zBad);
  }
}

/* ---- the registry ------------------------------------------------------ */

static const char *const azFencedColumn[] = {
  "number", "name", "column", "lease", "generator", "declared"
};

enum { FENCED_COL_COLUMN = 2, FENCED_COL_LEASE, FENCED_COL_GENERATOR,
       FENCED_COL_DECLARED, FENCED_COL_COUNT };

static void fencedRead(Sqlx *p, sqlite3_stmt *pStmt, DeclaredTable *pBase){
  FencedTable *pTab = (FencedTable*)pBase;
  pTab->stored.zColumn = registryReadText(p, pStmt, FENCED_COL_COLUMN);
  pTab->stored.zLease = registryReadText(p, pStmt, FENCED_COL_LEASE);
  pBase->iGenerator = registryReadGenerator(pStmt, FENCED_COL_GENERATOR);
  pBase->bDeclared = sqlite3_column_int(pStmt, FENCED_COL_DECLARED)!=0;
}

/* Returns the name in `UPDATE OF column`, which RENAME COLUMN rewrites; or
** NULL. */
static const char *columnOf(Sqlx *p, const char *zSql){
  const char *zEnd = zSql + strlen(zSql);
  SqlToken t;
  for(t=sqltokenAt(zSql, zEnd); t.kind!=SQLTOKEN_END; t=sqltokenNext(&t, zEnd)){
    char *zName;
    if( !sqltokenIsWord(&t, "OF") ) continue;
    t = sqltokenNext(&t, zEnd);
    zName = sqlxAlloc(p, (sqlite3_uint64)t.n + 1);
    return zName && sqltokenUnquote(&t, zName) ? zName : 0;
  }
  return 0;
}

/* How the messages begin that tell a trigger of fenced tables. */
#define FENCED_MARK "'fenced: "

/* Returns the label in a message, which no RENAME rewrites; or NULL. */
static const char *labelOf(Sqlx *p, const char *zSql){
  static const char zMessage[] = FENCED_MARK;
  const char *zEnd = zSql + strlen(zSql);
  int n = (int)sizeof(zMessage) - 1;
  SqlToken t;
  for(t=sqltokenAt(zSql, zEnd); t.kind!=SQLTOKEN_END; t=sqltokenNext(&t, zEnd)){
    if( t.kind==SQLTOKEN_STRING && t.n>n
     && strncmp(t.z, zMessage, (size_t)n)==0 ){
      return sqlxPrintf(p, "%.*s", t.n-n-1, t.z+n);
    }
  }
  return 0;
}

static void fencedReadTrigger(
  Sqlx *p,
  DeclaredTable *pBase,
  const TriggerSetOne *pOne
){
  FencedTable *pTab = (FencedTable*)pBase;
  const char *z;
  int bCheck = strcmp(pOne->zWhat, "check")==0;
  if( bCheck || strcmp(pOne->zWhat, "note")==0 ){
    z = columnOf(p, pOne->zSql);
    if( z ) pTab->stored.zColumn = z;
  }
  if( bCheck || strcmp(pOne->zWhat, "carried")==0 ){
    pTab->zLabel = labelOf(p, pOne->zSql);
  }
}

/* Returns the name of the lease in the text of a trigger; NULL if there is
** none. */
static const char *leaseOf(Sqlx *p, const char *zSql){
  const char *zEnd = zSql + strlen(zSql);
  SqlToken t;
  for(t=sqltokenAt(zSql, zEnd); t.kind!=SQLTOKEN_END; t=sqltokenNext(&t, zEnd)){
    SqlToken tValue;
    char *zName;
    int i, n = 0;
    if( !sqltokenIsWord(&t, "name") ) continue;
    t = sqltokenNext(&t, zEnd);
    tValue = sqltokenNext(&t, zEnd);
    if( !sqltokenIsByte(&t, '=') || tValue.kind!=SQLTOKEN_STRING ) continue;
    zName = sqlxAlloc(p, (sqlite3_uint64)tValue.n + 1);
    for(i=1; zName && i<tValue.n-1; i++){
      zName[n++] = tValue.z[i];
      if( tValue.z[i]=='\'' ) i++;
    }
    return zName;
  }
  return 0;
}

static int fencedReadLost(Sqlx *p, DeclaredTable *pBase){
  FencedTable *pTab = (FencedTable*)pBase;
  int i, bTold = pTab->stored.zColumn!=0;
  if( !bTold ) pTab->stored.zColumn = "token";
  pTab->stored.zLease = "";
  for(i=0; i<pBase->has.n; i++){
    const char *zLease;
    if( strcmp(pBase->has.a[i].zWhat, "carried")!=0 ) continue;
    zLease = leaseOf(p, pBase->has.a[i].zSql);
    if( zLease ) pTab->stored.zLease = zLease; else bTold = 0;
  }
  return bTold;
}

static const char *fencedValues(
  Sqlx *p,
  const DeclaredTable *pBase,
  int bDeclared
){
  const FencedTable *pTab = (const FencedTable*)pBase;
  return sqlxPrintf(p, "%Q,%Q,%Q,%Q,%d,%d", pBase->zNumber,
      bDeclared ? pBase->info.zName : pBase->zTable,
      bDeclared ? pTab->options.zColumn : pTab->stored.zColumn,
      bDeclared ? pTab->options.zLease : pTab->stored.zLease,
      bDeclared ? FENCED_GENERATOR : pBase->iGenerator, bDeclared);
}

static int fencedIsStored(Sqlx *p, const DeclaredTable *pBase){
  const FencedTable *pTab = (const FencedTable*)pBase;
  return p->rc==SQLITE_OK
      && sqlite3_stricmp(pTab->stored.zColumn, pTab->options.zColumn)==0
      && strcmp(pTab->stored.zLease, pTab->options.zLease)==0
      && tableinfoColumn(&pBase->info, pTab->options.zColumn)>=0;
}

/* ---- the set ----------------------------------------------------------- */

static void fencedTakeOptions(
  Sqlx *p,
  DeclaredTable *pBase,
  const void *pGiven
){
  static const FencedText none = { 0, 0 };
  FencedTable *pTab = (FencedTable*)pBase;
  const FencedText *pText = pGiven ? (const FencedText*)pGiven : &none;
  const char *zColumn = pText->zColumn ? pText->zColumn
                      : pBase->zEntry ? pTab->stored.zColumn : "token";
  int iCol = tableinfoColumn(&pBase->info, zColumn);
  if( iCol>=0 ) zColumn = pBase->info.aCol[iCol].zName;
  pTab->options.zColumn = zColumn;
  tableinfoReserve(p, &pBase->info, zColumn);
  pTab->options.zLease = pText->zLease ? pText->zLease
                    : pBase->zEntry ? pTab->stored.zLease : "";
  pTab->options.zLabel = sqlxPrintf(p, "%q.%q", pBase->info.zName, zColumn);
}

static void fencedMake(Sqlx *p, DeclaredTable *pBase){
  FencedTable *pTab = (FencedTable*)pBase;
  fencedtriggersMake(p, &pBase->info, pBase->zNumber, &pTab->options,
                     &pBase->set, &pTab->texts);
}

static DeclaredStatus fencedExpect(Sqlx *p, DeclaredTable *pBase){
  FencedTable *pTab = (FencedTable*)pBase;
  if( tableinfoColumn(&pBase->info, pTab->stored.zColumn)<0 ){
    return DECLARED_NO_COLUMN;
  }
  fencedTakeOptions(p, pBase, 0);
  if( pTab->zLabel ) pTab->options.zLabel = pTab->zLabel;
  return DECLARED_OK;
}

/* Whether the side table is another than the triggers need, or none. */
static int isSideBroken(Sqlx *p, const FencedTable *pTab){
  const char *zSql = tableinfoText(p, &pTab->base.info, "table",
                                   pTab->texts.zSide);
  return p->rc==SQLITE_OK
      && (zSql==0 || strcmp(zSql, pTab->texts.zSideSql)!=0);
}

static DeclaredStatus fencedFault(Sqlx *p, const DeclaredTable *pBase){
  const FencedTable *pTab = (const FencedTable*)pBase;
  int bBroken = isSideBroken(p, pTab);
  if( p->rc==SQLITE_OK && !bBroken && pTab->options.zLease[0] ){
    bBroken = !leasetableThere(p, pBase->zSchema);
    if( p->rc==SQLITE_ERROR ) sqlxClear(p);
  }
  return bBroken ? DECLARED_BROKEN : DECLARED_OK;
}

/* With a lease: returns the name of a trigger whose UPDATE of the table carries
** no token, or takes the note of the UPDATE that has fired it; NULL if there is
** none. */
static const char *updatingTrigger(Sqlx *p, const DeclaredTable *pTab){
  const FencedText *pText = fencedStored(pTab);
  if( pText->zLease[0]==0 ) return 0;
  return skippingUnset(p, &pTab->info, pTab->zEntry, pText->zColumn);
}

static const char *fencedNote(Sqlx *p, const DeclaredTable *pTab){
  const char *zTrigger, *zFails, *zKey;
  if( pTab->status==DECLARED_NEWER ) return "";
  if( pTab->status==DECLARED_NO_TABLE ){
    return "renamed and then rebuilt? fenced_repair(its new name);"
           " DELETE gives it up";
  }
  if( pTab->status==DECLARED_SKIPPED ){
    return skippingNote(p, &pTab->skip, "fenced_repair");
  }
  if( pTab->status==DECLARED_BROKEN ){
    return "fenced_repair(); not if it is the table interlock_leases that was"
           " changed: undo that";
  }
  zTrigger = updatingTrigger(p, pTab);
  if( zTrigger ){
    return sqlxPrintf(p, "a write that fires trigger %s is refused: it"
        " updates the table without %s, or is newer than the fence; set its"
        " column in the statement instead", zTrigger,
        fencedStored(pTab)->zColumn);
  }
  if( statusRenamed(pTab) ){
    return sqlxPrintf(p, "fenced as %s: fenced_repair() before it is rebuilt",
                      pTab->zName);
  }
  zKey = pTab->info.bDeclaredKey ? ""
       : "no PRIMARY KEY: rows go by their rowid, which VACUUM may change";
  zFails = skippingFailNote(p, &pTab->info);
  if( zFails==0 ) return zKey;
  return zKey[0] ? sqlxPrintf(p, "%s; %s", zKey, zFails) : zFails;
}

/* ---- declaring --------------------------------------------------------- */

/* Whether a table can have been the missing one: the side table of that is the
** one that this table would have, and its column is there. */
static int fencedIsSuccessor(
  Sqlx *p,
  const DeclaredTable *pTab,
  const DeclaredTable *pGone
){
  const FencedTable *pOld = (const FencedTable*)pGone;
  FencedOptions options;
  FencedTexts texts;
  TriggerSet set;
  const char *z;
  if( tableinfoColumn(&pTab->info, pOld->stored.zColumn)<0 ) return 0;
  options.zColumn = pOld->stored.zColumn;
  options.zLease = pOld->stored.zLease;
  options.zLabel = "";
  fencedtriggersMake(p, &pTab->info, pGone->zEntry, &options, &set, &texts);
  z = tableinfoText(p, &pTab->info, "table", texts.zSide);
  return p->rc==SQLITE_OK && z && strcmp(z, texts.zSideSql)==0;
}

/* A side table that was made for another key gives way to one under a new
** number, which the triggers then have as well. */
static void fencedPrepare(Sqlx *p, DeclaredTable *pBase, DdlScope eScope){
  FencedTable *pTab = (FencedTable*)pBase;
  (void)eScope;
  checkMain(p, &pBase->info, pTab->options.zLease);
  if( tableinfoColumn(&pBase->info, pTab->options.zColumn)>=0 ){
    checkTokens(p, &pBase->info, pTab->options.zColumn);
  }
  if( p->rc!=SQLITE_OK || pBase->zEntry==0 || !isSideBroken(p, pTab)
   || !tableinfoOwnWritten(p, pBase->zSchema, pTab->texts.zSide) ) return;
  pBase->zNumber = registryNumber(p, pBase->zSchema);
  fencedMake(p, pBase);
  pTab->bOtherKey = 1;
}

static void fencedColumn(Sqlx *p, const DeclaredTable *pBase, Ddl *pDdl){
  const FencedTable *pTab = (const FencedTable*)pBase;
  const TableInfo *pInfo = &pBase->info;
  const char *zColumn = pTab->options.zColumn;
  if( tableinfoColumn(pInfo, zColumn)>=0 ) return;
  ddlStep(p, pDdl,
      sqlxPrintf(p, "ALTER TABLE \"%w\".\"%w\" ADD COLUMN \"%w\" INTEGER"
          " NOT NULL DEFAULT 0", pInfo->zSchema, pInfo->zName, zColumn),
      sqlite3_libversion_number()<3035000 ? DDL_UNDO_ALL
      : sqlxPrintf(p, "ALTER TABLE \"%w\".\"%w\" DROP COLUMN \"%w\"",
          pInfo->zSchema, pInfo->zName, zColumn));
}

/* The tombstones of another key are taken over as far as they still name a key,
** that is, if it has as many columns. The old table stays, empty: a DROP TABLE
** is "locked" by what watches over the scope (ddlWatch). */
static void fencedOtherKey(Sqlx *p, const FencedTable *pTab, Ddl *pDdl){
  const char *zSchema = pTab->base.zSchema;
  const char *zOld = sqlxPrintf(p, "interlock_%q_%s", pTab->base.zEntry,
      pTab->options.zLease[0] ? "notes" : "tombstones");
  if( sqlxCount(p, sqlxPrintf(p, "PRAGMA \"%w\".table_info(%s)", zSchema,
                              zOld))==pTab->texts.nSide
   && pTab->options.zLease[0]==0 ){
    ddlStep(p, pDdl, sqlxPrintf(p, "INSERT OR IGNORE INTO \"%w\".%s SELECT *"
        " FROM \"%w\".%s ORDER BY token DESC", zSchema, pTab->texts.zSide,
        zSchema, zOld), DDL_UNDO_ALL);
  }
  ddlStep(p, pDdl, sqlxPrintf(p, "DELETE FROM \"%w\".%s", zSchema, zOld),
          DDL_UNDO_ALL);
}

static void fencedSideTables(Sqlx *p, const DeclaredTable *pBase, Ddl *pDdl){
  const FencedTable *pTab = (const FencedTable*)pBase;
  ddlMakeTable(p, pDdl, pTab->texts.zSideSql,
               tableinfoOwnWritten(p, pBase->zSchema, pTab->texts.zSide));
  if( pTab->bOtherKey ) fencedOtherKey(p, pTab, pDdl);
  if( pTab->options.zLease[0] ) leasetableSteps(p, pDdl);
}

static void fencedTakeOver(
  Sqlx *p,
  const DeclaredTable *pBase,
  const DeclaredTable *pOther,
  Ddl *pDdl
){
  const FencedTable *pTab = (const FencedTable*)pBase;
  const char *zOther = pOther->zEntry;
  keytableTakeOver(p, &pBase->info,
      sqlxPrintf(p, "interlock_%s_tombstones", zOther),
      pTab->options.zLease[0] ? 0 : pTab->texts.zSide, "token", 1, pDdl);
  keytableTakeOver(p, &pBase->info, sqlxPrintf(p, "interlock_%s_notes", zOther),
                   0, "token", 0, pDdl);
}

static const char *fencedResult(Sqlx *p, const DeclaredTable *pBase){
  return sqlxPrintf(p, "%s.%s", pBase->info.zName,
                    ((const FencedTable*)pBase)->options.zColumn);
}

const DeclaredKind *fencedKind(void){
  static const DeclaredKind kind = {
    .zName = "fenced",
    .zDeclared = "fenced",
    .nTable = sizeof(FencedTable),
    .iGenerator = FENCED_GENERATOR,
    .bTemp = 0,
    .bDeletesEntry = 0,
    .zRegistry = "interlock_fenced",
    .zRegistrySql = fenced_registry_sql,
    .azColumn = azFencedColumn,
    .nColumn = FENCED_COL_COUNT,
    .zTriggerOrder = "rowid",
    .zSide = "tombstones",
    .xRead = fencedRead,
    .xReadTrigger = fencedReadTrigger,
    .zMark = FENCED_MARK,
    .xReadLost = fencedReadLost,
    .xValues = fencedValues,
    .xIsStored = fencedIsStored,
    .xOptions = fencedTakeOptions,
    .xMake = fencedMake,
    .xExpect = fencedExpect,
    .xFault = fencedFault,
    .xList = 0,
    .xNote = fencedNote,
    .xCheck = fencedCheck,
    .xIsSuccessor = fencedIsSuccessor,
    .xPrepare = fencedPrepare,
    .xColumns = fencedColumn,
    .xTables = fencedSideTables,
    .xRows = 0,
    .xTakeOver = fencedTakeOver,
    .xResult = fencedResult,
  };
  return &kind;
}
