/* SPDX-License-Identifier: 0BSD */
/*
** The registry of versioned tables. See registry.h.
*/
#include <string.h>
#include "registry.h"
#include "token.h"
SQLITE_EXTENSION_INIT3

/* Every entry of the registry, once for each trigger under its number, or
** once with NULLs. One pass over the schema, however many tables there are. */
#define REGISTRY_SELECT \
  "SELECT v.number, v.name, v.\"column\", v.mode, v.on_stale," \
  " v.except_columns, v.tombstones, v.generator, v.declared," \
  " m.tbl_name, m.name, m.sql" \
  " FROM \"%w\".interlock_versioned AS v LEFT JOIN (" \
  "SELECT substr(name,11,8) AS number, tbl_name, name, sql, rowid AS made" \
  " FROM \"%w\".sqlite_master" \
  " WHERE type='trigger' AND substr(name,1,10)='interlock_'" \
  ") AS m ON m.number=v.number"

enum { COL_NUMBER, COL_NAME, COL_COLUMN, COL_MODE, COL_ON_STALE, COL_EXCEPT,
       COL_TOMBSTONES, COL_GENERATOR, COL_DECLARED, COL_TABLE, COL_TRIGGER,
       COL_SQL };

int registryExists(Sqlx *p, const char *zSchema){
  return sqlxExists(p, "SELECT 1 FROM \"%w\".sqlite_master"
      " WHERE type='table' AND name='interlock_versioned'", zSchema);
}

/* What RENAME has rewritten in the text of the trigger check and not in the
** registry, the version column in `UPDATE OF column`; and what it has not
** rewritten, the label in the messages. */
static void readCheck(Sqlx *p, RegistryEntry *pEntry, const char *zSql){
  static const char zMessage[] = "'version exhausted: ";
  const char *zEnd = zSql + strlen(zSql);
  Token t;
  for(t=tokenAt(zSql, zEnd); t.kind!=TOKEN_END; t=tokenNext(&t, zEnd)){
    int n = (int)sizeof(zMessage) - 1;
    if( tokenIsWord(&t, "OF") ){
      char *zName;
      t = tokenNext(&t, zEnd);
      zName = sqlxAlloc(p, (sqlite3_uint64)t.n + 1);
      if( zName && tokenUnquote(&t, zName) ) pEntry->zColumn = zName;
    }else if( t.kind==TOKEN_STRING && t.n>n
           && strncmp(t.z, zMessage, (size_t)n)==0 ){
      pEntry->zLabel = sqlxPrintf(p, "%.*s", t.n-n-1, t.z+n);
      return;
    }
  }
}

/* Add the trigger of the present row to the entry. */
static void readTrigger(Sqlx *p, RegistryEntry *pEntry, sqlite3_stmt *pStmt){
  TriggersOne *pOne = &pEntry->aTrigger[pEntry->nTrigger];
  const char *zTable = sqlxColumn(p, pStmt, COL_TABLE);
  pOne->zName = sqlxColumn(p, pStmt, COL_TRIGGER);
  pOne->zSql = sqlxColumn(p, pStmt, COL_SQL);
  if( zTable==0 || pOne->zName==0 || pOne->zSql==0
   || strlen(pOne->zName)<20 ) return;
  pOne->zWhat = pOne->zName + 19;
  pEntry->zTable = zTable;
  pEntry->nTrigger++;
  if( strcmp(pOne->zWhat, "check")==0 ) readCheck(p, pEntry, pOne->zSql);
}

/* Numbers become parts of names. A file from elsewhere can have anything in
** the registry; what is no number is passed over. */
static int isNumber(const char *z){
  int i;
  for(i=0; z && i<8; i++){
    if( !(z[i]>='0' && z[i]<='9') && !(z[i]>='a' && z[i]<='f') ) return 0;
  }
  return z && z[8]==0;
}

/* The next entry. Returns 0 at the end. */
int registryNext(Sqlx *p, RegistryCursor *pCur, RegistryEntry *pEntry){
  sqlite3_stmt *pStmt = pCur->pStmt;
  memset(pEntry, 0, sizeof(*pEntry));
  while( pCur->bRow && p->rc==SQLITE_OK ){
    pEntry->zNumber = sqlxColumn(p, pStmt, COL_NUMBER);
    if( isNumber(pEntry->zNumber) ) break;
    pEntry->zNumber = 0;
    pCur->bRow = sqlxStep(p, pStmt);
  }
  if( !pCur->bRow || p->rc!=SQLITE_OK ) return 0;
  pEntry->zName = sqlxColumn(p, pStmt, COL_NAME);
  pEntry->zTable = pEntry->zName;
  pEntry->zColumn = sqlxColumn(p, pStmt, COL_COLUMN);
  pEntry->zMode = sqlxColumn(p, pStmt, COL_MODE);
  pEntry->zOnStale = sqlxColumn(p, pStmt, COL_ON_STALE);
  pEntry->zExcept = sqlxColumn(p, pStmt, COL_EXCEPT);
  pEntry->bTombstones = sqlite3_column_int(pStmt, COL_TOMBSTONES)!=0;
  pEntry->iGenerator = sqlite3_column_int(pStmt, COL_GENERATOR);
  pEntry->bDeclared = sqlite3_column_int(pStmt, COL_DECLARED)!=0;
  do{
    const char *zNumber = sqlxColumn(p, pStmt, COL_NUMBER);
    if( zNumber==0 || strcmp(zNumber, pEntry->zNumber)!=0 ) break;
    if( sqlite3_column_type(pStmt, COL_SQL)!=SQLITE_NULL
     && pEntry->nTrigger<TRIGGERS_MAX ) readTrigger(p, pEntry, pStmt);
    pCur->bRow = sqlxStep(p, pStmt);
  }while( pCur->bRow );
  return p->rc==SQLITE_OK;
}

/* All entries of a schema, in the order of their names. */
void registryOpen(Sqlx *p, const char *zSchema, RegistryCursor *pCur){
  memset(pCur, 0, sizeof(*pCur));
  if( !registryExists(p, zSchema) ) return;
  pCur->pStmt = sqlxPrepare(p, REGISTRY_SELECT
      " ORDER BY v.name, v.number, m.made", zSchema, zSchema);
  pCur->bRow = sqlxStep(p, pCur->pStmt);
}

void registryClose(Sqlx *p, RegistryCursor *pCur){
  sqlxFinalize(p, pCur->pStmt);
  pCur->pStmt = 0;
  pCur->bRow = 0;
}

/* Look a table up. A number whose triggers are on another table is that
** table's, whatever name it was declared under. */
void registryFind(Sqlx *p, const Shape *pShape, RegistryEntry *pEntry){
  RegistryCursor cur;
  memset(pEntry, 0, sizeof(*pEntry));
  if( !registryExists(p, pShape->zSchema) ) return;
  cur.pStmt = sqlxPrepare(p, REGISTRY_SELECT
      " WHERE ifnull(m.tbl_name,v.name)=%Q COLLATE NOCASE"
      " ORDER BY m.made IS NULL, v.declared DESC, v.number, m.made",
      pShape->zSchema, pShape->zSchema, pShape->zName);
  cur.bRow = sqlxStep(p, cur.pStmt);
  registryNext(p, &cur, pEntry);
  registryClose(p, &cur);
}

/* A number that no object of the schema has in its name. */
const char *registryDraw(Sqlx *p, const char *zSchema){
  unsigned int u;
  const char *z;
  do{
    sqlite3_randomness((int)sizeof(u), &u);
    z = sqlxPrintf(p, "%08x", u);
  }while( sqlxExists(p, "SELECT 1 FROM \"%w\".sqlite_master"
      " WHERE substr(name,1,18)='interlock_%s'", zSchema, z) );
  return z;
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
  sqlxRun(p, "UPDATE \"%w\".interlock_versioned SET declared=0"
      " WHERE number=%Q", zSchema, pEntry->zNumber);
}
