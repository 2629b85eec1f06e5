/* SPDX-License-Identifier: 0BSD */
/*
** The history of a versioned table. See history.h.
*/
#include <string.h>
#include "versioned/history.h"
#include "versioned/historytext.h"
#include "schema/clause.h"
#include "schema/keytable.h"
#include "schema/status.h"
#include "sqlite/sqltoken.h"
SQLITE_EXTENSION_INIT3

/* ---- what is there ---------------------------------------------------- */

/* Whether the table was declared with the option. */
static int hadHistory(const VersionedTable *pTab){
  return pTab->stored.zHistory && strcmp(pTab->stored.zHistory, "off")!=0;
}

/* A history of columns that are not part of the key can be changed into one of
** others. So only the beginning of the text must be the same. */
static int isForKey(const char *zSql, const char *zWant){
  static const char zLast[] = ",interlock_at INTEGER,";
  const char *zEnd = strstr(zWant, zLast);
  return zEnd && strncmp(zSql, zWant, (size_t)(zEnd-zWant) + strlen(zLast))==0;
}

/* The names of the columns of a history. */
typedef struct Names {
  int n;
  const char **az;
} Names;

static Names namesOf(Sqlx *p, const char *zSchema, const char *zTable){
  Names t = { 0, 0 };
  sqlite3_stmt *pStmt = sqlxPrepare(p, "PRAGMA \"%w\".table_info(\"%w\")",
                                    zSchema, zTable);
  while( sqlxStep(p, pStmt) ){
    t.az = sqlxGrow(p, t.az, t.n, sizeof(char*));
    if( t.az==0 ) break;
    t.az[t.n] = sqlxColumn(p, pStmt, 1);
    if( t.az[t.n] ) t.n++;
  }
  sqlxFinalize(p, pStmt);
  if( t.az==0 ) t.n = 0;
  return t;
}

static int isAmong(const Names *p, const char *zName){
  int i;
  for(i=0; i<p->n; i++){
    if( sqlite3_stricmp(p->az[i], zName)==0 ) return 1;
  }
  return 0;
}

/* Whether a column of the table that is to be kept is missing. */
static int lacksColumn(const VersionedTable *pTab, const Names *pNames){
  const TableInfo *pInfo = &pTab->base.info;
  int i;
  for(i=0; i<pInfo->nCol; i++){
    if( historytextKeeps(&pInfo->aCol[i], pTab->options.zColumn)
     && !isAmong(pNames, pInfo->aCol[i].zName) ) return 1;
  }
  return 0;
}

/* Whether a column that the history has as one of numbers is now one of texts,
** or of anything: it would keep '01' as 1. */
static int losesText(Sqlx *p, const VersionedTable *pTab){
  const TableInfo *pInfo = &pTab->base.info;
  int bLoses = 0;
  sqlite3_stmt *pStmt = sqlxPrepare(p, "PRAGMA \"%w\".table_info(\"%w\")",
                                    pTab->base.zSchema, pTab->texts.zHistory);
  while( sqlxStep(p, pStmt) ){
    const char *zName = sqlxColumn(p, pStmt, 1);
    const char *zWas = sqlxColumn(p, pStmt, 2);
    int iCol = zName ? tableinfoColumn(pInfo, zName) : -1;
    if( iCol<0 || zWas==0 || zWas[0]==0 || strcmp(zWas, "TEXT")==0
     || !historytextKeeps(&pInfo->aCol[iCol], pTab->options.zColumn) ) continue;
    if( pInfo->aCol[iCol].zAffinity[0]==0
     || strcmp(pInfo->aCol[iCol].zAffinity, "TEXT")==0 ) bLoses = 1;
  }
  sqlxFinalize(p, pStmt);
  return bLoses;
}

int historyBroken(Sqlx *p, const VersionedTable *pTab){
  const TableInfo *pInfo = &pTab->base.info;
  const char *zSql, *zWant = pTab->texts.zHistorySql;
  Names names;
  if( !pTab->options.bHistory || p->rc!=SQLITE_OK ) return 0;
  zSql = tableinfoText(p, pInfo, "table", pTab->texts.zHistory);
  if( zSql && strcmp(zSql, zWant)==0 ) return 0;
  if( zSql==0 || !isForKey(zSql, zWant) ) return p->rc==SQLITE_OK;
  names = namesOf(p, pTab->base.zSchema, pTab->texts.zHistory);
  return p->rc==SQLITE_OK && lacksColumn(pTab, &names);
}

void historyCheck(Sqlx *p, const VersionedTable *pTab){
  const TableInfo *pInfo = &pTab->base.info;
  int n = (int)sizeof(HISTORYTEXT_OWN) - 1;
  int i;
  for(i=0; i<pInfo->nCol && pTab->options.bHistory; i++){
    const char *zName = pInfo->aCol[i].zName;
    if( sqlite3_strnicmp(zName, HISTORYTEXT_OWN, n)!=0 ) continue;
    sqlxBad(p, "table %s has a column %s; allowed with history are columns"
               " whose names do not begin with " HISTORYTEXT_OWN,
            pInfo->zName, zName);
  }
  if( pTab->options.bHistory
   && historytextColumns(p, pInfo, pTab->options.zColumn)[0]==0
   && p->rc==SQLITE_OK ){
    sqlxBad(p, "table %s has no columns but the version; allowed with history"
               " are tables that have others", pInfo->zName);
  }
}

/* ---- renamed columns -------------------------------------------------- */

/* Reads names in brackets, or up to FROM. Returns where they end. */
static const char *readNames(
  Sqlx *p,
  const char *z,
  const char *zEnd,
  Names *pNames
){
  SqlToken t = sqltokenAt(z, zEnd);
  for(; t.kind!=SQLTOKEN_END; t=sqltokenNext(&t, zEnd)){
    char *zName;
    if( sqltokenIsByte(&t, ')') || sqltokenIsWord(&t, "FROM") ) break;
    if( t.kind!=SQLTOKEN_QUOTED ) continue;
    zName = sqlxAlloc(p, (sqlite3_uint64)t.n + 1);
    pNames->az = sqlxGrow(p, pNames->az, pNames->n, sizeof(char*));
    if( zName==0 || pNames->az==0 || !sqltokenUnquote(&t, zName) ) return zEnd;
    pNames->az[pNames->n++] = zName;
  }
  return t.z + t.n;
}

/* Reads the two lists of `keep` in an installed trigger: SET (...)=(SELECT ...
** FROM. */
static void readLists(Sqlx *p, const char *zSql, Names *pTo, Names *pFrom){
  const char *zEnd = zSql + strlen(zSql);
  SqlToken t = sqltokenAt(zSql, zEnd);
  while( t.kind!=SQLTOKEN_END && !sqltokenIsWord(&t, "SET") ){
    t = sqltokenNext(&t, zEnd);
  }
  if( t.kind==SQLTOKEN_END ) return;
  readNames(p, readNames(p, t.z + t.n, zEnd, pTo), zEnd, pFrom);
  if( pTo->n!=pFrom->n ) pTo->n = pFrom->n = 0;
}

/* Reads those of the installed triggers. */
static void readInstalled(
  Sqlx *p,
  const VersionedTable *pTab,
  Names *pTo,
  Names *pFrom
){
  int i;
  for(i=0; i<pTab->base.has.n; i++){
    const TriggerSetOne *pOne = &pTab->base.has.a[i];
    if( strcmp(pOne->zWhat, "history_updated")==0 ){
      readLists(p, pOne->zSql, pTo, pFrom);
    }
  }
}

/* Returns "new=old, ..." for the columns that were renamed since the installed
** triggers were made, each to be set from its old one, and each old one that
** gets nothing to what was not kept; "" if there are none. */
static const char *renamedText(
  Sqlx *p,
  const VersionedTable *pTab,
  const Names *pHas
){
  const TableInfo *pInfo = &pTab->base.info;
  Names to = { 0, 0 }, from = { 0, 0 }, now = { 0, 0 };
  sqlite3_str *pStr;
  int i;
  readInstalled(p, pTab, &to, &from);
  now.az = sqlxAlloc(p, sizeof(char*)*((sqlite3_uint64)to.n + 1));
  pStr = sqlite3_str_new(p->db);
  for(i=0; i<to.n && now.az; i++){
    if( strcmp(to.az[i], from.az[i])==0 || !isAmong(pHas, to.az[i])
     || tableinfoColumn(pInfo, from.az[i])<0 ) continue;
    clauseJoin(pStr, ",");
    sqlite3_str_appendf(pStr, "\"%w\"=\"%w\"", from.az[i], to.az[i]);
    now.az[now.n++] = from.az[i];
  }
  for(i=0; i<to.n && now.n; i++){
    if( strcmp(to.az[i], from.az[i])==0 || !isAmong(pHas, to.az[i])
     || tableinfoColumn(pInfo, from.az[i])<0 || isAmong(&now, to.az[i]) ){
      continue;
    }
    sqlite3_str_appendf(pStr, ",\"%w\"=" HISTORY_UNKNOWN, to.az[i]);
  }
  return sqlxText(p, pStr);
}

/* ---- for those who read it -------------------------------------------- */

/* A history of another key has no rows for this one. What it has of a column is
** where the installed triggers put it: if columns were renamed since, another
** one can have its name there. */
const char *historyOf(Sqlx *p, const VersionedTable *pTab, const char ***paz){
  const TableInfo *pInfo = &pTab->base.info;
  const char *z = sqlxPrintf(p, "interlock_%s_history", pTab->base.zEntry);
  int n = keytableCount(pInfo), i, j;
  Names names, to = { 0, 0 }, from = { 0, 0 };
  if( !hadHistory(pTab) || !tableinfoOwn(p, pInfo->zSchema, z) ) return 0;
  names = namesOf(p, pInfo->zSchema, z);
  readInstalled(p, pTab, &to, &from);
  *paz = sqlxAlloc(p, sizeof(char*)*((sqlite3_uint64)pInfo->nCol + 1));
  for(i=0; i<pInfo->nCol && *paz; i++){
    const char *zName = to.n==0 ? pInfo->aCol[i].zName : 0;
    for(j=0; j<to.n; j++){
      if( sqlite3_stricmp(from.az[j], pInfo->aCol[i].zName)==0 ){
        zName = to.az[j];
      }
    }
    (*paz)[i] = zName && isAmong(&names, zName) ? zName : 0;
  }
  return isAmong(&names, sqlxPrintf(p, HISTORYTEXT_OWN "k%d", n))
      && !isAmong(&names, sqlxPrintf(p, HISTORYTEXT_OWN "k%d", n+1)) ? z : 0;
}

/* ---- steps ------------------------------------------------------------ */

void historyPrepare(Sqlx *p, VersionedTable *pTab, DdlScope eScope){
  const DeclaredTable *pBase = &pTab->base;
  const char *zSchema = pBase->zSchema, *zTable = pTab->texts.zHistory;
  const char *zSql;
  pTab->eHistory = HISTORY_STAYS;
  if( !pTab->options.bHistory && !hadHistory(pTab) ) return;
  if( !tableinfoOwnWritten(p, zSchema, zTable) ){
    if( pTab->options.bHistory ) pTab->eHistory = HISTORY_MADE;
    return;
  }
  zSql = tableinfoText(p, &pBase->info, "table", zTable);
  if( !pTab->options.bHistory ){
    pTab->eHistory = HISTORY_DROPPED;
  }else if( zSql && isForKey(zSql, pTab->texts.zHistorySql)
         && !losesText(p, pTab) ){
    Names names = namesOf(p, zSchema, zTable);
    if( lacksColumn(pTab, &names)
     || renamedText(p, pTab, &names)[0] ) pTab->eHistory = HISTORY_CHANGED;
  }else{
    pTab->eHistory = HISTORY_MADE_ANEW;
  }
  pTab->bRemade = pBase->pOther || statusTriggers(p, &pTab->base)!=DECLARED_OK;
  pTab->bNoTombstones = pBase->zEntry
      && !tableinfoOwnWritten(p, zSchema, pTab->texts.zTombstones);
  if( pTab->eHistory!=HISTORY_STAYS && eScope==DDL_STATEMENT ){
    sqlxBad(p, "the history of %s must be dropped, or its columns changed;"
               " allowed is SELECT versioned() in a statement of its own",
            pBase->info.zName);
  }
}

/* Adds the columns that are missing. What older versions had in them is not
** known. */
static void changeColumns(Sqlx *p, const VersionedTable *pTab, Ddl *pDdl){
  const TableInfo *pInfo = &pTab->base.info;
  const char *zSchema = pTab->base.zSchema, *zTable = pTab->texts.zHistory;
  Names names = namesOf(p, zSchema, zTable);
  const char *zRenamed = renamedText(p, pTab, &names);
  int i;
  for(i=0; i<pInfo->nCol; i++){
    if( !historytextKeeps(&pInfo->aCol[i], pTab->options.zColumn)
     || isAmong(&names, pInfo->aCol[i].zName) ) continue;
    ddlStep(p, pDdl, sqlxPrintf(p, "ALTER TABLE \"%w\".\"%w\" ADD COLUMN %s"
        " DEFAULT " HISTORY_UNKNOWN, zSchema, zTable,
        historytextOne(p, &pInfo->aCol[i])), DDL_UNDO_ALL);
  }
  if( zRenamed[0] ){
    ddlStep(p, pDdl, sqlxPrintf(p, "UPDATE \"%w\".\"%w\" SET %s", zSchema,
                                zTable, zRenamed), DDL_UNDO_ALL);
  }
}

void historyColumns(Sqlx *p, const VersionedTable *pTab, Ddl *pDdl){
  if( pTab->eHistory==HISTORY_CHANGED && !pDdl->bText ){
    changeColumns(p, pTab, pDdl);
  }
}

/* In temp the statements that ddlWatch() keeps running lock a table against
** DROP TABLE. */
static void dropHistory(
  Sqlx *p,
  const char *zSchema,
  const char *zTable,
  Ddl *pDdl
){
  int bTemp = sqlite3_stricmp(zSchema, "temp")==0;
  ddlStep(p, pDdl, sqlxPrintf(p, "%s \"%w\".\"%w\"",
      bTemp ? "DELETE FROM" : "DROP TABLE", zSchema, zTable), DDL_UNDO_ALL);
  if( !bTemp ) pDdl->bDrops = 1;
}

/* A key starts over if its tombstone is lost, and has then had all of its
** versions before. */
static void dropGone(Sqlx *p, const VersionedTable *pTab, Ddl *pDdl){
  const TableInfo *pInfo = &pTab->base.info;
  ddlStep(p, pDdl, sqlxPrintf(p, "DELETE FROM \"%w\".\"%w\" WHERE NOT EXISTS("
      "SELECT 1 FROM \"%w\".\"%w\" AS r WHERE %s)", pInfo->zSchema,
      pTab->texts.zHistory, pInfo->zSchema, pInfo->zName,
      historytextIs(p, pInfo, "r.")), DDL_UNDO_ALL);
}

/* The columns are changed here only if no triggers are made: historyColumns()
** has done it otherwise. */
void historySteps(Sqlx *p, const VersionedTable *pTab, Ddl *pDdl){
  const DeclaredTable *pBase = &pTab->base;
  const char *zSchema = pBase->zSchema, *zTable = pTab->texts.zHistory;
  if( pDdl->bText ){
    if( pTab->options.bHistory ){
      ddlMakeTable(p, pDdl, pTab->texts.zHistorySql, 0);
    }
    return;
  }
  switch( pTab->eHistory ){
    case HISTORY_STAYS:
      break;
    case HISTORY_CHANGED:
      if( !pTab->bRemade ) changeColumns(p, pTab, pDdl);
      break;
    case HISTORY_MADE:
      ddlMakeTable(p, pDdl, pTab->texts.zHistorySql, 0);
      return;
    case HISTORY_MADE_ANEW:
      dropHistory(p, zSchema, zTable, pDdl);
      ddlMakeTable(p, pDdl, pTab->texts.zHistorySql, 0);
      return;
    case HISTORY_DROPPED:
      dropHistory(p, zSchema, zTable, pDdl);
      return;
  }
  if( pTab->options.bHistory && pTab->bNoTombstones ) dropGone(p, pTab, pDdl);
}

void historyTakeOver(
  Sqlx *p,
  const VersionedTable *pTab,
  const char *zOther,
  Ddl *pDdl
){
  const char *zSchema = pTab->base.zSchema;
  const char *zTable = sqlxPrintf(p, "interlock_%s_history", zOther);
  if( !tableinfoOwnWritten(p, zSchema, zTable) ) return;
  dropHistory(p, zSchema, zTable, pDdl);
}

sqlite3_int64 historyForget(
  Sqlx *p,
  const VersionedTable *pTab,
  sqlite3_int64 msOlder,
  DdlTxn *pTxn
){
  const char *zSchema = pTab->base.zSchema;
  const char *zTable = sqlxPrintf(p, "interlock_%s_history",
                                  pTab->base.zEntry);
  Ddl ddl;
  if( !tableinfoOwnWritten(p, zSchema, zTable) ) return 0;
  ddlNew(&ddl, zSchema, pTab->base.pKind->zName);
  ddlStep(p, &ddl, sqlxPrintf(p, "DELETE FROM \"%w\".\"%w\""
      " WHERE interlock_at<=%s-%lld", zSchema, zTable, TRIGGERSET_NOW,
      msOlder), 0);
  ddlRun(p, &ddl, pTxn);
  return p->rc==SQLITE_OK ? sqlite3_changes(p->db) : 0;
}
