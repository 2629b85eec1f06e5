/* SPDX-License-Identifier: 0BSD */
/*
** Tombstones. See tombstones.h.
*/
#include <string.h>
#include "versioned/tombstones.h"
#include "schema/keytable.h"
#include "schema/registry.h"
#include "sqlite/sqltoken.h"
SQLITE_EXTENSION_INIT3

/* How many columns they have beside the key. */
#define TOMBSTONES_MORE 3

int tombstonesBroken(Sqlx *p, const VersionedTable *pTab){
  const VersionedTexts *pTexts = &pTab->texts;
  const char *zSql = tableinfoText(p, &pTab->base.info, "table",
                                   pTexts->zTombstones);
  return p->rc==SQLITE_OK
      && (zSql==0 || strcmp(zSql, pTexts->zTombstonesSql)!=0);
}

/* With another status they are perhaps not there, or not as they should be. */
int tombstonesMany(Sqlx *p, const VersionedTable *pTab){
  const char *zSchema = pTab->base.zSchema;
  if( pTab->base.status!=DECLARED_OK ) return 0;
  return sqlxExists(p, "SELECT 1 FROM (SELECT count(*) AS n FROM (SELECT 1"
      " FROM \"%w\".\"%w\" LIMIT %d)) WHERE n=%d", zSchema,
      pTab->texts.zTombstones, TOMBSTONES_MANY, TOMBSTONES_MANY);
}

static int isOfTemp(const VersionedTable *pTab){
  return sqlite3_stricmp(pTab->base.zSchema, "temp")==0;
}

void tombstonesPrepare(Sqlx *p, VersionedTable *pTab){
  DeclaredTable *pBase = &pTab->base;
  const VersionedTexts *pTexts = &pTab->texts;
  const char *zOld = pBase->zEntry==0 ? 0
                   : tableinfoText(p, &pBase->info, "table",
                                   pTexts->zTombstones);
  if( zOld==0 || strcmp(zOld, pTexts->zTombstonesSql)==0
   || !tableinfoOwnWritten(p, pBase->zSchema, pTexts->zTombstones) ) return;
  if( isOfTemp(pTab) ){
    pBase->zNumber = registryNumber(p, pBase->zSchema);
    pBase->pKind->xMake(p, pBase);
  }
  pTab->bOtherKey = p->rc==SQLITE_OK;
}

/*
** Carries the tombstones over if a rebuild has changed the key. They can still
** name a key only if the new one has as many columns. In temp the old table
** stays, empty, under its number: the statements that ddlWatch() keeps running
** lock it against DROP TABLE.
*/
static void stepsOfOtherKey(Sqlx *p, const VersionedTable *pTab, Ddl *pDdl){
  const DeclaredTable *pBase = &pTab->base;
  const char *zSchema = pBase->zSchema;
  const char *zNew = pTab->texts.zTombstones;
  const char *zOld = sqlxPrintf(p, "interlock_%q_tombstones", pBase->zEntry);
  const char *zFrom = zOld;
  int bTemp = isOfTemp(pTab);
  if( !bTemp ){
    pDdl->bDrops = 1;
    zFrom = sqlxPrintf(p, "interlock_%q_former", pBase->zNumber);
    ddlStep(p, pDdl, sqlxPrintf(p, "CREATE TABLE \"%w\".%s AS SELECT * FROM"
        " \"%w\".%s", zSchema, zFrom, zSchema, zOld), DDL_UNDO_ALL);
    ddlStep(p, pDdl, sqlxPrintf(p, "DROP TABLE \"%w\".%s", zSchema, zOld), 0);
  }
  ddlStep(p, pDdl, triggersetQualified(p, pTab->texts.zTombstonesSql, zSchema),
          0);
  if( sqlxCount(p, sqlxPrintf(p, "PRAGMA \"%w\".table_info(%s)", zSchema,
      zOld))==keytableCount(&pBase->info)+TOMBSTONES_MORE ){
    ddlStep(p, pDdl, sqlxPrintf(p, "INSERT OR IGNORE INTO \"%w\".%s SELECT *"
        " FROM \"%w\".%s ORDER BY version DESC", zSchema, zNew, zSchema,
        zFrom), 0);
  }
  ddlStep(p, pDdl, sqlxPrintf(p, "%s \"%w\".%s",
      bTemp ? "DELETE FROM" : "DROP TABLE", zSchema, zFrom), 0);
}

void tombstonesSteps(Sqlx *p, const VersionedTable *pTab, Ddl *pDdl){
  const char *zSchema = pTab->base.zSchema;
  if( pTab->bOtherKey ){
    stepsOfOtherKey(p, pTab, pDdl);
  }else{
    ddlMakeTable(p, pDdl, pTab->texts.zTombstonesSql,
        tableinfoOwnWritten(p, zSchema, pTab->texts.zTombstones));
  }
}

/* SQLite gives a row without a key the one above the greatest, so a key with a
** tombstone above that comes back. With AUTOINCREMENT none does. */
int tombstonesComeBack(Sqlx *p, const VersionedTable *pTab){
  const TableInfo *pInfo = &pTab->base.info;
  const char *zSchema = pInfo->zSchema, *zSide = pTab->texts.zTombstones;
  if( !pInfo->bRowidKey || pInfo->zRowid==0 || !pTab->options.bTombstones
   || !tableinfoIsOrdinary(p, zSchema, zSide)
   || !sqlxExists(p, "SELECT 1 FROM \"%w\".\"%w\"", zSchema, zSide)
   || sqltokenMentions(pInfo->zSql, pInfo->zSql+strlen(pInfo->zSql),
                       "AUTOINCREMENT")
   || !tableinfoIsOrdinary(p, zSchema, pInfo->zName) ) return 0;
  return sqlxExists(p, "SELECT 1 FROM (SELECT k1 FROM \"%w\".\"%w\""
      " ORDER BY k1 DESC LIMIT 1) AS s WHERE NOT EXISTS("
      "SELECT 1 FROM \"%w\".\"%w\" AS r WHERE r.%s>=s.k1)",
      zSchema, zSide, zSchema, pInfo->zName, pInfo->zRowid);
}

void tombstonesTakeOver(
  Sqlx *p,
  const VersionedTable *pTab,
  const char *zOther,
  Ddl *pDdl
){
  keytableTakeOver(p, &pTab->base.info,
      sqlxPrintf(p, "interlock_%s_tombstones", zOther),
      pTab->texts.zTombstones, "version", TOMBSTONES_MORE, pDdl);
}

sqlite3_int64 tombstonesForget(
  Sqlx *p,
  const VersionedTable *pTab,
  sqlite3_int64 msOlder,
  DdlTxn *pTxn
){
  const char *zSchema = pTab->base.zSchema, *zNumber = pTab->base.zEntry;
  Ddl ddl;
  tableinfoOwnWritten(p, zSchema, sqlxPrintf(p, "interlock_%q_tombstones",
                                             zNumber));
  ddlNew(&ddl, zSchema, pTab->base.pKind->zName);
  ddlStep(p, &ddl, sqlxPrintf(p, "UPDATE \"%w\".interlock_%q_tombstones"
      " SET at=%s WHERE at IS NULL", zSchema, zNumber, TRIGGERSET_NOW), 0);
  ddlStep(p, &ddl, sqlxPrintf(p, "DELETE FROM \"%w\".interlock_%q_tombstones"
      " WHERE at<=%s-%lld", zSchema, zNumber, TRIGGERSET_NOW, msOlder), 0);
  ddlRun(p, &ddl, pTxn);
  return p->rc==SQLITE_OK ? sqlite3_changes(p->db) : 0;
}
