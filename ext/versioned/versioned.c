/* SPDX-License-Identifier: 0BSD */
/*
** Versioned tables as a kind of declared tables. See versioned.h. The triggers
** themselves, and why each exists, are in sql/versioned/.
*/
#include <string.h>
#include "versioned/versioned.h"
#include "versioned/parent.h"
#include "versioned/tombstones.h"
#include "versioned/history.h"
#include "versioned/versionedlog.h"
#include "schema/owncolumn.h"
#include "schema/registry.h"
#include "schema/status.h"
#include "sqlite/sqltoken.h"
#include "sql_text.h"
SQLITE_EXTENSION_INIT3

/* ---- what may not be versioned ---------------------------------------- */

/* Before this version RAISE() takes no expression, and a file in whose schema
** one has it cannot be opened. */
#define ROW_ERRORS_SQLITE 3047000

/* Columns of PRAGMA foreign_key_list. */
enum { FK_TABLE = 2, FK_ON_UPDATE = 5, FK_ON_DELETE };

/* Refuses a foreign key action that updates rows of this table: it carries no
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

/* Whether a table is fenced with a lease: then every UPDATE must carry the
** token. It can be in an attached file, which is the main of the connection
** that has fenced it. */
static int isLeased(Sqlx *p, const TableInfo *pInfo){
  static const char zCarried[] = "interlock_????????_carried";
  const TableInfoList *pList = pInfo->pList;
  int i;
  if( pList==0 ){
    return sqlxExists(p, "SELECT 1 FROM \"%w\".sqlite_master WHERE"
        " type='trigger' AND name GLOB %Q AND tbl_name=%Q COLLATE NOCASE",
        pInfo->zSchema, zCarried, pInfo->zName);
  }
  for(i=pList->nUser; i<pList->nTrigger; i++){
    if( sqlite3_stricmp(pList->a[i].zTable, pInfo->zName)==0
     && sqlite3_strglob(zCarried, pList->a[i].zName)==0 ) return 1;
  }
  return 0;
}

/* Refuses options with which triggers would raise versions of a table that is
** fenced with a lease: these UPDATEs carry no token. In mode strict every
** UPDATE carries the version, and none is raised but under a key that was used
** before. */
static void checkLease(Sqlx *p, const VersionedTable *pTab){
  const TableInfo *pInfo = &pTab->base.info;
  const VersionedOptions *pOptions = &pTab->options;
  const TableInfo *pParent = pOptions->parent.pInfo;
  if( (pOptions->mode!=VERSIONED_STRICT || pOptions->eStale==VERSIONED_LOG)
   && isLeased(p, pInfo) ){
    sqlxBad(p, "table %s is fenced with a lease, which refuses the UPDATEs by"
               " which triggers raise its version; allowed are mode strict"
               " without on_stale=log, and a fence without a lease",
            pInfo->zName);
  }
  if( pParent && p->rc==SQLITE_OK && isLeased(p, pParent) ){
    sqlxBad(p, "table %s, the parent of %s, is fenced with a lease, which"
               " refuses the UPDATEs by which triggers raise its version;"
               " allowed is a parent without one", pParent->zName,
            pInfo->zName);
  }
}

/* Refuses a table that cannot be versioned. */
static void versionedCheck(Sqlx *p, const DeclaredTable *pTab){
  const VersionedOptions *pOptions = &((const VersionedTable*)pTab)->options;
  const TableInfo *pInfo = &pTab->info;
  int iCol = tableinfoColumn(pInfo, pOptions->zColumn);
  if( pInfo->zRowid==0 && pInfo->bRowidKey ){
    sqlxBad(p, "table %s has no PRIMARY KEY and columns called rowid,"
               " _rowid_ and oid, so that nothing names its rows; allowed"
               " is a table with a PRIMARY KEY", pInfo->zName);
  }else if( iCol>=0 ){
    owncolumnCheck(p, pInfo, iCol, "version");
  }
  if( pOptions->bRowErrors && sqlite3_libversion_number()<ROW_ERRORS_SQLITE ){
    sqlxBad(p, "errors=row needs SQLite 3.47.0 in every program that opens the"
               " file, and this is %s, which could not open it any more;"
               " allowed is errors=table", sqlite3_libversion());
  }
  if( pOptions->bAnyStep && pOptions->mode==VERSIONED_ECHO ){
    sqlxBad(p, "step=any is for programs that choose the next version, and in"
               " mode echo the triggers do; allowed are the modes auto and"
               " strict");
  }
  if( pOptions->mode==VERSIONED_STRICT && pOptions->eStale!=VERSIONED_LOG ){
    checkActions(p, pInfo);
  }
  historyCheck(p, (const VersionedTable*)pTab);
  parentCheck(p, (const VersionedTable*)pTab);
  if( p->rc==SQLITE_OK ) checkLease(p, (const VersionedTable*)pTab);
}

/* Refuses rows whose version cannot be raised. A text is a date perhaps, so the
** cure must not overwrite it. */
static void checkRows(
  Sqlx *p,
  const TableInfo *pInfo,
  const VersionedOptions *pOptions
){
  const char *zColumn = pOptions->zColumn;
  const char *zNull = pOptions->bNull ? "0" : "NULL";
  const char *zBad = 0;
  int bText = 0;
  sqlite3_stmt *pStmt = sqlxPrepare(p,
      "SELECT quote(\"%w\"), typeof(\"%w\") IN('text','blob') AS t"
      " FROM \"%w\".\"%w\" WHERE typeof(ifnull(\"%w\",%s))<>'integer'"
      " OR \"%w\"<0 ORDER BY t DESC LIMIT 1", zColumn, zColumn,
      pInfo->zSchema, pInfo->zName, zColumn, zNull, zColumn);
  if( sqlxStep(p, pStmt) ){
    zBad = sqlxColumn(p, pStmt, 0);
    bText = sqlite3_column_int(pStmt, 1);
  }
  sqlxFinalize(p, pStmt);
  if( zBad && bText ){
    sqlxBad(p, "column %s.%s holds %.40s; allowed are integers from 0 up, or"
               " the name of a new column", pInfo->zName, zColumn, zBad);
  }else if( zBad ){
    sqlxBad(p, "column %s.%s holds %.40s; allowed are integers from 0 up%s:"
               " UPDATE \"%w\" SET \"%w\" = 1"
               " WHERE typeof(\"%w\") <> 'integer' OR \"%w\" < 0",
            pInfo->zName, zColumn, zBad,
            strcmp(zBad, "NULL")==0 ? ", and NULL with null=0" : "",
            pInfo->zName, zColumn, zColumn, zColumn);
  }
}

/* ---- the registry ------------------------------------------------------ */

static const char *const azVersionedColumn[] = {
  "number", "name", "column", "mode", "on_stale", "except_columns",
  "tombstones", "generator", "declared", "options"
};

enum { VERSIONED_COL_COLUMN = 2, VERSIONED_COL_MODE, VERSIONED_COL_ON_STALE,
       VERSIONED_COL_EXCEPT, VERSIONED_COL_TOMBSTONES, VERSIONED_COL_GENERATOR,
       VERSIONED_COL_DECLARED, VERSIONED_COL_OPTIONS, VERSIONED_COL_COUNT };

static void versionedRead(Sqlx *p, sqlite3_stmt *pStmt, DeclaredTable *pBase){
  VersionedTable *pTab = (VersionedTable*)pBase;
  pTab->stored.zColumn = registryReadText(p, pStmt, VERSIONED_COL_COLUMN);
  pTab->stored.zMode = registryReadText(p, pStmt, VERSIONED_COL_MODE);
  pTab->stored.zOnStale = registryReadText(p, pStmt, VERSIONED_COL_ON_STALE);
  pTab->stored.zExcept = registryReadText(p, pStmt, VERSIONED_COL_EXCEPT);
  pTab->stored.zTombstones =
      optionsSwitch(sqlite3_column_int(pStmt, VERSIONED_COL_TOMBSTONES));
  optionsReadMore(p, registryReadText(p, pStmt, VERSIONED_COL_OPTIONS),
                  &pTab->stored);
  pBase->iGenerator = registryReadGenerator(pStmt, VERSIONED_COL_GENERATOR);
  pBase->bDeclared = sqlite3_column_int(pStmt, VERSIONED_COL_DECLARED)!=0;
}

/* How the messages begin that tell a trigger of versioned tables. */
#define VERSIONED_MARK "'version exhausted: "

/* Returns the row of sqlite_master that the text of a trigger names, as in
** `rowid=7`; 0 if it names none. */
static sqlite3_int64 rowIn(const char *zSql){
  const char *zEnd = zSql + strlen(zSql);
  sqlite3_int64 iRow = 0;
  SqlToken t = sqltokenAt(zSql, zEnd);
  int i;
  while( t.kind!=SQLTOKEN_END && !sqltokenIsWord(&t, "rowid") ){
    t = sqltokenNext(&t, zEnd);
  }
  t = sqltokenNext(&t, zEnd);
  if( !sqltokenIsByte(&t, '=') ) return 0;
  t = sqltokenNext(&t, zEnd);
  for(i=0; i<t.n && i<18 && t.z[i]>='0' && t.z[i]<='9'; i++){
    iRow = iRow*10 + (t.z[i] - '0');
  }
  return iRow;
}

/* The text of the trigger `check` tells three things. RENAME has rewritten the
** version column in its `UPDATE OF column`, and not in the registry. It has not
** rewritten the label in its messages, nor the comment that has the options.
** That of `bump_added` tells where it looks for the table. */
static void versionedReadTrigger(
  Sqlx *p,
  DeclaredTable *pBase,
  const TriggerSetOne *pOne
){
  static const char zMessage[] = VERSIONED_MARK;
  VersionedTable *pTab = (VersionedTable*)pBase;
  const char *zEnd = pOne->zSql + strlen(pOne->zSql);
  SqlToken t;
  parentReadTrigger(p, pTab, pOne);
  if( strcmp(pOne->zWhat, "bump_added")==0
   || strcmp(pOne->zWhat, "required_added")==0 ){
    pTab->iRow = rowIn(pOne->zSql);
  }
  if( strcmp(pOne->zWhat, "check")!=0 ) return;
  pTab->zInstalled = optionsComment(p, pOne->zSql);
  t = sqltokenAt(pOne->zSql, zEnd);
  for(; t.kind!=SQLTOKEN_END; t=sqltokenNext(&t, zEnd)){
    int n = (int)sizeof(zMessage) - 1;
    if( sqltokenIsWord(&t, "OF") ){
      char *zName;
      t = sqltokenNext(&t, zEnd);
      zName = sqlxAlloc(p, (sqlite3_uint64)t.n + 1);
      if( zName && sqltokenUnquote(&t, zName) ) pTab->stored.zColumn = zName;
    }else if( t.kind==SQLTOKEN_STRING && t.n>n
           && strncmp(t.z, zMessage, (size_t)n)==0 ){
      pTab->zLabel = sqlxPrintf(p, "%.*s", t.n-n-1, t.z+n);
      return;
    }
  }
}

static int versionedReadLost(Sqlx *p, DeclaredTable *pBase){
  VersionedTable *pTab = (VersionedTable*)pBase;
  const char *zColumn = pTab->stored.zColumn;
  int bTold = optionsRead(p, pTab->zInstalled, &pTab->stored);
  pTab->stored.zColumn = zColumn ? zColumn : "version";
  if( pTab->zParent ) pTab->stored.zParent = pTab->zParent;
  return bTold && zColumn;
}

static const char *versionedValues(
  Sqlx *p,
  const DeclaredTable *pBase,
  int bDeclared
){
  const VersionedTable *pTab = (const VersionedTable*)pBase;
  OptionsText w = bDeclared ? optionsStored(p, &pTab->options) : pTab->stored;
  return sqlxPrintf(p, "%Q,%Q,%Q,%Q,%Q,%Q,%d,%d,%d", pBase->zNumber,
      bDeclared ? pBase->info.zName : pBase->zTable, w.zColumn, w.zMode,
      w.zOnStale, w.zExcept, w.zTombstones==optionsSwitch(1),
      bDeclared ? VERSIONED_GENERATOR : pBase->iGenerator, bDeclared);
}

static const char *versionedLater(
  Sqlx *p,
  const DeclaredTable *pBase,
  int bDeclared
){
  const VersionedTable *pTab = (const VersionedTable*)pBase;
  OptionsText w = bDeclared ? optionsStored(p, &pTab->options) : pTab->stored;
  const char *z = optionsMore(p, &w);
  return z && z[0] ? sqlxPrintf(p, "%Q", z) : "";
}

static int versionedIsStored(Sqlx *p, const DeclaredTable *pBase){
  const VersionedTable *pTab = (const VersionedTable*)pBase;
  OptionsText w = optionsStored(p, &pTab->options);
  return p->rc==SQLITE_OK && optionsEqual(&pTab->stored, &w)
      && sqlite3_stricmp(pTab->stored.zColumn, w.zColumn)==0
      && tableinfoColumn(&pBase->info, w.zColumn)>=0;
}

/* ---- the set ---------------------------------------------------------- */

/* Whether triggers of the user's on the table set a column there that is not
** in except. */
static int setsWatched(const VersionedTable *pTab){
  const TableInfo *pInfo = &pTab->base.info;
  const VersionedOptions *pOptions = &pTab->options;
  int i;
  for(i=0; pOptions->abOwn && i<pInfo->nCol; i++){
    if( pOptions->abOwn[i]
     && !versionedtriggersExcepts(pOptions, &pInfo->aCol[i]) ) return 1;
  }
  return 0;
}

/* Returns the definition of a version column that is missing. If a rebuild has
** lost it, the rows begin above every version that they can have had: at the
** time in unix ms. */
static const char *columnText(Sqlx *p, const VersionedTable *pTab){
  const char *zColumn = pTab->options.zColumn;
  const char *zDefault = "1";
  if( pTab->base.zEntry && sqlite3_stricmp(pTab->stored.zColumn, zColumn)==0 ){
    sqlite3_stmt *pStmt = sqlxPrepare(p, "SELECT " TRIGGERSET_NOW);
    if( sqlxStep(p, pStmt) ) zDefault = sqlxColumn(p, pStmt, 0);
    sqlxFinalize(p, pStmt);
  }
  return sqlxPrintf(p, "\"%w\" INTEGER NOT NULL DEFAULT %s", zColumn, zDefault);
}

static void versionedTakeOptions(
  Sqlx *p,
  DeclaredTable *pBase,
  const void *pAsked
){
  VersionedTable *pTab = (VersionedTable*)pBase;
  optionsMake(p, &pBase->info, pBase->zEntry ? &pTab->stored : 0, &pBase->has,
              pAsked, &pTab->options);
  parentFind(p, pTab);
  if( p->rc!=SQLITE_OK ) return;
  tableinfoReserve(p, &pBase->info, pTab->options.zColumn);
  pTab->options.iRow = pBase->info.iRow;
  if( tableinfoColumn(&pBase->info, pTab->options.zColumn)<0 ){
    pTab->options.zAdds = columnText(p, pTab);
  }
  skippingTouches(p, &pBase->info, pTab->options.zColumn, &pBase->touches);
  pTab->options.abOwn = pBase->touches.abSet;
  pTab->options.bOwn = pBase->touches.set.n>0 && setsWatched(pTab)
                    && !pTab->options.bAnyStep;
}

/* Whether a set is made for triggers of the user's that update the table. */
static int isForTouches(const TriggerSet *pSet){
  int i;
  for(i=0; i<pSet->n && strcmp(pSet->a[i].zWhat, "quiet")!=0; i++){}
  return i<pSet->n;
}

static void versionedMake(Sqlx *p, DeclaredTable *pBase){
  VersionedTable *pTab = (VersionedTable*)pBase;
  versionedtriggersMake(p, &pBase->info, pBase->zNumber, &pTab->options,
                        &pBase->set, &pTab->texts);
  if( isForTouches(&pBase->has)!=isForTouches(&pBase->set) ){
    int i;
    for(i=0; i<pBase->set.n; i++) pBase->set.a[i].bSchema = 1;
  }
}

/* The label and the comment are taken as they are installed: those of a renamed
** table or column have the old name, which is no fault. So is the row of
** sqlite_master: VACUUM moves it, and the trigger finds it all the same. */
static DeclaredStatus versionedExpect(Sqlx *p, DeclaredTable *pBase){
  VersionedTable *pTab = (VersionedTable*)pBase;
  const char *zExcept = pTab->stored.zExcept;
  if( tableinfoColumn(&pBase->info, pTab->stored.zColumn)<0 ){
    return DECLARED_NO_COLUMN;
  }
  versionedTakeOptions(p, pBase, 0);
  pTab->stored.zExcept = optionsStored(p, &pTab->options).zExcept;
  pBase->bOldNames = zExcept && pTab->stored.zExcept
                  && strcmp(zExcept, pTab->stored.zExcept)!=0;
  if( pTab->zLabel ) pTab->options.zLabel = pTab->zLabel;
  if( pTab->iRow ) pTab->options.iRow = pTab->iRow;
  if( pTab->zInstalled ) pTab->options.zText = pTab->zInstalled;
  if( pTab->options.parent.zFault ) return DECLARED_NO_PARENT;
  return DECLARED_OK;
}

/* Beside the table itself, triggers name only the tombstones, the log and the
** history. */
static DeclaredStatus versionedFault(Sqlx *p, const DeclaredTable *pBase){
  const VersionedTable *pTab = (const VersionedTable*)pBase;
  return tombstonesBroken(p, pTab) || versionedlogBroken(p, pTab)
      || historyBroken(p, pTab) ? DECLARED_BROKEN : DECLARED_OK;
}

/* What becomes of an UPDATE by a trigger of the user's that Interlock does not
** take for a part of another UPDATE. */
static const char *raisesOrFails(const DeclaredTable *pTab){
  const VersionedOptions *pOptions = &((const VersionedTable*)pTab)->options;
  return pOptions->mode==VERSIONED_STRICT && pOptions->eStale!=VERSIONED_LOG
       ? "carries no version, which mode strict refuses"
       : "raises the version again";
}

/* What a user should know of a trigger that updates the table, or that keeps
** something beside it up to date. */
static void noteOfTrigger(
  Sqlx *p,
  const DeclaredTable *pTab,
  const TableInfoItem *pItem,
  sqlite3_str *pNote
){
  const char *zTrigger = pItem->zName;
  const char *zColumn = ((const VersionedTable*)pTab)->stored.zColumn;
  int bKnown = triggersetNamed(&pTab->touches.set, zTrigger)!=0;
  const char *zSep = sqlite3_str_length(pNote) ? "; " : "";
  if( !skippingUpdates(pItem->zSql, pTab->info.zName) ){
    if( sqlite3_stricmp(pItem->zTable, pTab->info.zName)==0
     && skippingSeesColumn(pItem->zSql, zColumn) ){
      sqlite3_str_appendf(pNote, "%strigger %s also runs when only the version"
          " is raised: give it the columns it is for, UPDATE OF ...", zSep,
          zTrigger);
    }
  }else if( skippingSets(p, &pTab->info, pItem->zSql, zColumn) ){
    sqlite3_str_appendf(pNote, "%strigger %s sets the version itself: drop it",
                        zSep, zTrigger);
  }else if( bKnown && pTab->status==DECLARED_OUTDATED ){
    sqlite3_str_appendf(pNote, "%strigger %s updates this table:"
        " versioned_repair() takes it in", zSep, zTrigger);
  }else if( !bKnown || pTab->set.nFirst==0 ){
    sqlite3_str_appendf(pNote, "%strigger %s updates this table and %s, unless"
        " all it sets is in except", zSep, zTrigger, raisesOrFails(pTab));
  }
}

/* What a user should know of triggers in temp, and of RETURNING where triggers
** that update the table belong to the UPDATE. */
static void noteOfTouches(
  Sqlx *p,
  const DeclaredTable *pTab,
  sqlite3_str *pNote
){
  const char *zTemp = skippingTempUpdates(p, &pTab->info);
  if( zTemp ){
    sqlite3_str_appendf(pNote, "%stemp trigger %s updates this table and %s,"
        " unless all it sets is in except",
        sqlite3_str_length(pNote) ? "; " : "", zTemp, raisesOrFails(pTab));
  }
  if( pTab->set.nFirst
   && ((const VersionedTable*)pTab)->options.mode==VERSIONED_AUTO ){
    sqlite3_str_appendf(pNote, "%strigger %s updates this table: after an"
        " UPDATE without a version, read the version; RETURNING shows one that"
        " is too low", sqlite3_str_length(pNote) ? "; " : "",
        pTab->touches.set.a[0].zName);
  }
}

/* What a user should know of foreign keys: what ON UPDATE changes carries no
** version, and counts beside the UPDATE that has caused it. */
static void noteOfActions(
  Sqlx *p,
  const DeclaredTable *pTab,
  sqlite3_str *pNote
){
  const TableInfo *pInfo = &pTab->info;
  const char *zUp = ((const VersionedTable*)pTab)->options.parent.zName;
  const char *z = pInfo->zSql;
  sqlite3_stmt *pStmt;
  if( z==0 || !sqltokenMentions(z, z + strlen(z), "REFERENCES") ) return;
  pStmt = sqlxPrepare(p, "PRAGMA \"%w\".foreign_key_list(\"%w\")",
                      pInfo->zSchema, pInfo->zName);
  while( sqlxStep(p, pStmt) ){
    const char *zTable = sqlxColumn(p, pStmt, FK_TABLE);
    const char *zUpdate = sqlxColumn(p, pStmt, FK_ON_UPDATE);
    if( zTable==0 || zUpdate==0
     || (sqlite3_stricmp(zUpdate, "CASCADE")!=0
         && sqlite3_strnicmp(zUpdate, "SET ", 4)!=0) ) continue;
    if( sqlite3_stricmp(zTable, pInfo->zName)!=0
     && (zUp==0 || sqlite3_stricmp(zTable, zUp)!=0) ) continue;
    sqlite3_str_appendf(pNote, "%sFOREIGN KEY ON UPDATE %s: an UPDATE of the"
        " key in %s raises the version there once more for each row that"
        " refers to it", sqlite3_str_length(pNote) ? "; " : "", zUpdate,
        zTable);
  }
  sqlxFinalize(p, pStmt);
}

static const char *versionedNote(Sqlx *p, const DeclaredTable *pTab){
  const TableInfo *pInfo = &pTab->info;
  const char *zLog, *zFails;
  sqlite3_str *pNote;
  int i;
  if( pTab->status==DECLARED_NEWER ) return "";
  if( pTab->status==DECLARED_NO_TABLE ){
    return "renamed and then rebuilt? versioned_repair(its new name);"
           " DELETE gives it up";
  }
  pNote = sqlite3_str_new(p->db);
  if( pTab->status==DECLARED_NO_PARENT ){
    const VersionedParent *pParent =
        &((const VersionedTable*)pTab)->options.parent;
    sqlite3_str_appendf(pNote, "parent %s %s", pParent->zName,
                        pParent->zFault);
  }
  if( pTab->status==DECLARED_SKIPPED ){
    sqlite3_str_appendall(pNote, skippingNote(p, &pTab->skip,
                                              "versioned_repair"));
  }
  if( statusRenamed(pTab) ){
    sqlite3_str_appendf(pNote, "%sdeclared as %s: versioned_repair() before it"
        " is rebuilt", sqlite3_str_length(pNote) ? "; " : "", pTab->zName);
  }
  if( !pInfo->bDeclaredKey ){
    sqlite3_str_appendf(pNote, "%sno PRIMARY KEY: rows go by their rowid,"
        " which VACUUM may change", sqlite3_str_length(pNote) ? "; " : "");
  }
  if( pTab->status==DECLARED_OK
   && tombstonesComeBack(p, (const VersionedTable*)pTab) ){
    sqlite3_str_appendf(pNote, "%sthe next key was used before: the version of"
        " its row is raised after the INSERT; AUTOINCREMENT prevents it",
        sqlite3_str_length(pNote) ? "; " : "");
  }
  for(i=0; pInfo->pList && i<pInfo->pList->nUser; i++){
    const TableInfoItem *pItem = &pInfo->pList->a[i];
    if( pItem->zSql ) noteOfTrigger(p, pTab, pItem, pNote);
  }
  zFails = skippingFailNote(p, pInfo);
  if( zFails ){
    sqlite3_str_appendf(pNote, "%s%s", sqlite3_str_length(pNote) ? "; " : "",
                        zFails);
  }
  if( pTab->status==DECLARED_OK ) noteOfTouches(p, pTab, pNote);
  noteOfActions(p, pTab, pNote);
  zLog = pTab->status==DECLARED_OK
       ? versionedlogNote(p, (const VersionedTable*)pTab) : "";
  if( zLog[0] ){
    sqlite3_str_appendf(pNote, "%s%s", sqlite3_str_length(pNote) ? "; " : "",
                        zLog);
  }
  if( tombstonesMany(p, (const VersionedTable*)pTab) ){
    sqlite3_str_appendf(pNote, "%s%d tombstones or more: versioned_forget()"
        " purges old ones", sqlite3_str_length(pNote) ? "; " : "",
        TOMBSTONES_MANY);
  }
  return sqlxText(p, pNote);
}

/* ---- declaring -------------------------------------------------------- */

/* A table can have been the missing one if it has its version column, and if
** the tombstones of the missing one are those that this table would have. */
static int versionedIsSuccessor(
  Sqlx *p,
  const DeclaredTable *pTab,
  const DeclaredTable *pGone
){
  const VersionedTable *pOld = (const VersionedTable*)pGone;
  VersionedOptions options;
  VersionedTexts texts;
  TriggerSet set;
  const char *z;
  if( tableinfoColumn(&pTab->info, pOld->stored.zColumn)<0 ) return 0;
  memset(&options, 0, sizeof(options));
  options.zColumn = pOld->stored.zColumn;
  options.zLabel = "";
  versionedtriggersMake(p, &pTab->info, pGone->zEntry, &options, &set,
                        &texts);
  z = tableinfoText(p, &pTab->info, "table", texts.zTombstones);
  return p->rc==SQLITE_OK && z && strcmp(z, texts.zTombstonesSql)==0;
}

static void versionedPrepare(Sqlx *p, DeclaredTable *pBase, DdlScope eScope){
  VersionedTable *pTab = (VersionedTable*)pBase;
  if( tableinfoColumn(&pBase->info, pTab->options.zColumn)>=0 ){
    checkRows(p, &pBase->info, &pTab->options);
  }
  tombstonesPrepare(p, pTab);
  if( pTab->bOtherKey && eScope==DDL_STATEMENT ){
    sqlxBad(p, "the key of %s has changed since it was declared; allowed"
               " is SELECT versioned() in a statement of its own",
            pBase->info.zName);
  }
  historyPrepare(p, pTab, eScope);
}

/* Adds the version column if it is missing. */
static void stepsOfColumn(Sqlx *p, const DeclaredTable *pBase, Ddl *pDdl){
  const VersionedTable *pTab = (const VersionedTable*)pBase;
  const TableInfo *pInfo = &pBase->info;
  const char *zAdds = pTab->options.zAdds;
  historyColumns(p, pTab, pDdl);
  if( zAdds==0 ) return;
  ddlStep(p, pDdl,
      sqlxPrintf(p, "ALTER TABLE \"%w\".\"%w\" ADD COLUMN %s",
          pInfo->zSchema, pInfo->zName, zAdds),
      sqlite3_libversion_number()<3035000 ? DDL_UNDO_ALL
      : sqlxPrintf(p, "ALTER TABLE \"%w\".\"%w\" DROP COLUMN \"%w\"",
          pInfo->zSchema, pInfo->zName, pTab->options.zColumn));
}

static void stepsOfTables(Sqlx *p, const DeclaredTable *pBase, Ddl *pDdl){
  tombstonesSteps(p, (const VersionedTable*)pBase, pDdl);
  versionedlogSteps(p, (const VersionedTable*)pBase, pDdl);
  historySteps(p, (const VersionedTable*)pBase, pDdl);
}

/* Raises rows that were written while the triggers were missing above their
** tombstones, and above the versions that the history has. */
static void stepsOfRows(Sqlx *p, const DeclaredTable *pBase, Ddl *pDdl){
  const VersionedTable *pTab = (const VersionedTable*)pBase;
  if( pBase->zEntry==0 || pTab->texts.zLiftAllSql[0]==0 ) return;
  if( pTab->eHistory==HISTORY_STAYS || pTab->eHistory==HISTORY_CHANGED ){
    if( pTab->texts.zLiftKeptSql[0] ){
      ddlStep(p, pDdl, pTab->texts.zLiftKeptSql, DDL_UNDO_ALL);
    }
  }
  ddlStep(p, pDdl, pTab->texts.zLiftAllSql, 0);
}

static void versionedTakeOver(
  Sqlx *p,
  const DeclaredTable *pBase,
  const DeclaredTable *pOther,
  Ddl *pDdl
){
  tombstonesTakeOver(p, (const VersionedTable*)pBase, pOther->zEntry, pDdl);
  versionedlogTakeOver(p, (const VersionedTable*)pBase, pOther->zEntry, pDdl);
  historyTakeOver(p, (const VersionedTable*)pBase, pOther->zEntry, pDdl);
}

static const char *versionedResult(Sqlx *p, const DeclaredTable *pBase){
  return sqlxPrintf(p, "%s.%s", pBase->info.zName,
                    ((const VersionedTable*)pBase)->options.zColumn);
}

const DeclaredKind *versionedKind(void){
  static const DeclaredKind kind = {
    .zName = "versioned",
    .zDeclared = "declared",
    .nTable = sizeof(VersionedTable),
    .iGenerator = VERSIONED_GENERATOR,
    .bTemp = 1,
    .bDeletesEntry = 0,
    .zRegistry = "interlock_versioned",
    .zRegistrySql = versioned_registry_sql,
    .azColumn = azVersionedColumn,
    .nColumn = VERSIONED_COL_COUNT,
    .nLater = VERSIONED_COL_COUNT - VERSIONED_COL_OPTIONS,
    .zTriggerOrder = "rowid",
    .zSide = "tombstones",
    .xRead = versionedRead,
    .xReadTrigger = versionedReadTrigger,
    .zMark = VERSIONED_MARK,
    .xReadLost = versionedReadLost,
    .xValues = versionedValues,
    .xLater = versionedLater,
    .xIsStored = versionedIsStored,
    .xOptions = versionedTakeOptions,
    .xMake = versionedMake,
    .xExpect = versionedExpect,
    .xFault = versionedFault,
    .xList = 0,
    .xNote = versionedNote,
    .xCheck = versionedCheck,
    .xIsSuccessor = versionedIsSuccessor,
    .xPrepare = versionedPrepare,
    .xColumns = stepsOfColumn,
    .xTables = stepsOfTables,
    .xRows = stepsOfRows,
    .xTakeOver = versionedTakeOver,
    .xResult = versionedResult,
  };
  return &kind;
}

int versionedFind(Sqlx *p, const char *zTable, VersionedTable *pTab){
  return declareFind(p, versionedKind(), zTable, &pTab->base);
}

sqlite3_int64 versionedForget(
  Sqlx *p,
  const char *zTable,
  sqlite3_int64 msOlder
){
  VersionedTable tab;
  sqlite3_int64 n = 0;
  DdlTxn txn = ddlBegin(p, DDL_SELECT);
  if( versionedFind(p, zTable, &tab) ){
    if( tab.base.zEntry==0 ){
      sqlxBad(p, "table %s was never versioned; allowed are tables of"
                 " versioned_tables", tab.base.info.zName);
    }
    n = tombstonesForget(p, &tab, msOlder, &txn);
    n += historyForget(p, &tab, msOlder, &txn);
  }
  ddlEnd(p, &txn);
  return n;
}
