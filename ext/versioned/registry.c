/* SPDX-License-Identifier: 0BSD */
/*
** The registry of versioned tables. See registry.h.
*/
#include <string.h>
#include "versioned/registry.h"
#include "sqlite/sqltoken.h"
SQLITE_EXTENSION_INIT3

#define REGISTRY_COLUMNS \
  "v.number, v.name, v.\"column\", v.mode, v.on_stale, v.except_columns," \
  " v.tombstones, v.generator, v.declared"

enum { COL_NUMBER, COL_NAME, COL_COLUMN, COL_MODE, COL_ON_STALE, COL_EXCEPT,
       COL_TOMBSTONES, COL_GENERATOR, COL_DECLARED, COL_TABLE, COL_TRIGGER,
       COL_SQL };

/* Asked of the schema in memory, which is true once tableinfoFind() has read
** from it: a SELECT over sqlite_master reads all of it, and who declares a
** thousand tables does so a thousand times. */
int registryExists(Sqlx *p, const char *zSchema){
  return tableinfoOwn(p, zSchema, "interlock_versioned");
}

/* What RENAME has rewritten in the text of the trigger check and not in the
** registry, the version column in `UPDATE OF column`; and what it has not
** rewritten, the label in the messages. */
static void readCheck(Sqlx *p, RegistryEntry *pEntry, const char *zSql){
  static const char zMessage[] = "'version exhausted: ";
  const char *zEnd = zSql + strlen(zSql);
  SqlToken t;
  for(t=sqltokenAt(zSql, zEnd); t.kind!=SQLTOKEN_END; t=sqltokenNext(&t, zEnd)){
    int n = (int)sizeof(zMessage) - 1;
    if( sqltokenIsWord(&t, "OF") ){
      char *zName;
      t = sqltokenNext(&t, zEnd);
      zName = sqlxAlloc(p, (sqlite3_uint64)t.n + 1);
      if( zName && sqltokenUnquote(&t, zName) ) pEntry->zColumn = zName;
    }else if( t.kind==SQLTOKEN_STRING && t.n>n
           && strncmp(t.z, zMessage, (size_t)n)==0 ){
      pEntry->zLabel = sqlxPrintf(p, "%.*s", t.n-n-1, t.z+n);
      return;
    }
  }
}

/* Add a trigger to the entry. */
static void addTrigger(
  Sqlx *p,
  RegistryEntry *pEntry,
  const char *zTable,
  const char *zName,
  const char *zSql
){
  TriggersOne *pOne = &pEntry->aTrigger[pEntry->nTrigger];
  if( zTable==0 || zName==0 || zSql==0 || strlen(zName)<20
   || pEntry->nTrigger>=TRIGGERS_MAX ) return;
  pOne->zName = zName;
  pOne->zSql = zSql;
  pOne->zWhat = zName + 19;
  pEntry->zTable = zTable;
  pEntry->nTrigger++;
  if( strcmp(pOne->zWhat, "check")==0 ) readCheck(p, pEntry, zSql);
}

/* Add those of a list that have the entry's number. */
static void addListed(
  Sqlx *p,
  RegistryEntry *pEntry,
  const TableInfoList *pList
){
  int n;
  const TableInfoItem *pItem = tableinfoNumbered(pList, pEntry->zNumber, &n);
  for(; n>0; n--, pItem++){
    addTrigger(p, pEntry, pItem->zTable, pItem->zName, pItem->zSql);
  }
}

/* A text of the registry. A file from elsewhere can have NULL there, which is
** taken for "". */
static const char *entryText(Sqlx *p, sqlite3_stmt *pStmt, int iCol){
  const char *z = sqlxColumn(p, pStmt, iCol);
  return z ? z : "";
}

/* Step to a row of the registry. Returns 0 at the end. */
static int readEntry(Sqlx *p, sqlite3_stmt *pStmt, RegistryEntry *pEntry){
  memset(pEntry, 0, sizeof(*pEntry));
  do{
    if( !sqlxStep(p, pStmt) ) return 0;
    pEntry->zNumber = triggersNumber(p, pStmt, COL_NUMBER);
  }while( pEntry->zNumber==0 );
  pEntry->zName = entryText(p, pStmt, COL_NAME);
  pEntry->zTable = pEntry->zName;
  pEntry->zColumn = entryText(p, pStmt, COL_COLUMN);
  pEntry->zMode = entryText(p, pStmt, COL_MODE);
  pEntry->zOnStale = entryText(p, pStmt, COL_ON_STALE);
  pEntry->zExcept = entryText(p, pStmt, COL_EXCEPT);
  pEntry->bTombstones = sqlite3_column_int(pStmt, COL_TOMBSTONES)!=0;
  pEntry->iGenerator = triggersGenerator(pStmt, COL_GENERATOR);
  pEntry->bDeclared = sqlite3_column_int(pStmt, COL_DECLARED)!=0;
  return p->rc==SQLITE_OK;
}

/* The next entry. Returns 0 at the end. */
int registryNext(Sqlx *p, RegistryCursor *pCur, RegistryEntry *pEntry){
  if( !readEntry(p, pCur->pStmt, pEntry) ) return 0;
  addListed(p, pEntry, pCur->pList);
  return p->rc==SQLITE_OK;
}

/* All entries of a schema, in the order of their names; and the list of the
** schema, read here if there is a registry. Of the triggers of thousands of
** tables SQLite would make a join that is quadratic, or spills to disk. */
void registryOpen(
  Sqlx *p,
  const char *zSchema,
  RegistryCursor *pCur,
  TableInfoList *pList
){
  memset(pCur, 0, sizeof(*pCur));
  if( !sqlxExists(p, "SELECT 1 FROM \"%w\".sqlite_master"
      " WHERE type='table' AND name='interlock_versioned'", zSchema)
   || !registryExists(p, zSchema) ) return;
  tableinfoList(p, zSchema, pList);
  pCur->pList = pList;
  pCur->pStmt = sqlxPrepare(p, "SELECT " REGISTRY_COLUMNS
      " FROM \"%w\".interlock_versioned AS v ORDER BY v.name, v.number",
      zSchema);
}

void registryClose(Sqlx *p, RegistryCursor *pCur){
  sqlxFinalize(p, pCur->pStmt);
  pCur->pStmt = 0;
}

/* The triggers of a schema, by number. */
#define REGISTRY_TRIGGERS \
  "SELECT substr(name,11,8) AS number, tbl_name, name, sql, rowid AS made" \
  " FROM \"%w\".sqlite_master" \
  " WHERE type='trigger' AND substr(name,1,10)='interlock_'"

/* Whether an entry has the table's name, or a trigger on it a number. */
static int isKnown(Sqlx *p, const char *zSchema, const char *zName){
  return sqlxExists(p, "SELECT 1 FROM \"%w\".interlock_versioned WHERE name=%Q"
      " UNION ALL SELECT 1 FROM (" REGISTRY_TRIGGERS ")"
      " WHERE tbl_name=%Q COLLATE NOCASE", zSchema, zName, zSchema, zName);
}

/* Look a table up. A number whose triggers are on another table is that
** table's, whatever name it was declared under. */
void registryFind(Sqlx *p, const TableInfo *pInfo, RegistryEntry *pEntry){
  const char *zSchema = pInfo->zSchema, *zName = pInfo->zName;
  sqlite3_stmt *pStmt;
  memset(pEntry, 0, sizeof(*pEntry));
  if( !registryExists(p, zSchema) || !isKnown(p, zSchema, zName) ) return;
  pStmt = sqlxPrepare(p, "SELECT " REGISTRY_COLUMNS ", m.tbl_name, m.name,"
      " m.sql FROM \"%w\".interlock_versioned AS v"
      " LEFT JOIN (" REGISTRY_TRIGGERS ") AS m ON m.number=v.number"
      " WHERE ifnull(m.tbl_name,v.name)=%Q COLLATE NOCASE"
      " AND v.number IN (SELECT number FROM \"%w\".interlock_versioned"
      " WHERE name=%Q UNION ALL SELECT number FROM (" REGISTRY_TRIGGERS
      ") WHERE tbl_name=%Q COLLATE NOCASE)"
      " ORDER BY m.made IS NULL, v.declared DESC, v.number, m.made",
      zSchema, zSchema, zName, zSchema, zName, zSchema, zName);
  if( readEntry(p, pStmt, pEntry) ){
    do{
      const char *zNumber = sqlxColumn(p, pStmt, COL_NUMBER);
      if( zNumber==0 || strcmp(zNumber, pEntry->zNumber)!=0 ) break;
      addTrigger(p, pEntry, sqlxColumn(p, pStmt, COL_TABLE),
                 sqlxColumn(p, pStmt, COL_TRIGGER),
                 sqlxColumn(p, pStmt, COL_SQL));
    }while( sqlxStep(p, pStmt) );
  }
  sqlxFinalize(p, pStmt);
}

/* The statement that stores an entry. */
const char *registryStore(
  Sqlx *p,
  const char *zSchema,
  const RegistryEntry *pEntry
){
  return sqlxPrintf(p, "INSERT OR REPLACE INTO \"%w\".interlock_versioned"
      " VALUES(%Q,%Q,%Q,%Q,%Q,%Q,%d,%d,%d)",
      zSchema, pEntry->zNumber, pEntry->zTable, pEntry->zColumn,
      pEntry->zMode, pEntry->zOnStale, pEntry->zExcept,
      pEntry->bTombstones, pEntry->iGenerator, pEntry->bDeclared);
}

/* Take back the declaration of a table that is gone. */
void registryGiveUp(Sqlx *p, const char *zSchema, const RegistryEntry *pEntry){
  tableinfoOwnWritten(p, zSchema, "interlock_versioned");
  sqlxRun(p, "UPDATE \"%w\".interlock_versioned SET declared=0"
      " WHERE number=%Q", zSchema, pEntry->zNumber);
}
