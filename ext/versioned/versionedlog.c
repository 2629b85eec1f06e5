/* SPDX-License-Identifier: 0BSD */
/*
** The log of a versioned table. See versionedlog.h.
*/
#include <string.h>
#include "versioned/versionedlog.h"
SQLITE_EXTENSION_INIT3

const char *versionedlogName(Sqlx *p, const char *zNumber){
  return sqlxPrintf(p, "interlock_%s_log", zNumber);
}

int versionedlogThere(Sqlx *p, const DeclaredTable *pTab){
  return pTab->zEntry
      && tableinfoOwn(p, pTab->zSchema, versionedlogName(p, pTab->zEntry));
}

/* ---- as a part of the table ------------------------------------------- */

int versionedlogBroken(Sqlx *p, const VersionedTable *pTab){
  const char *zSql;
  if( pTab->options.eStale!=VERSIONED_LOG ) return 0;
  zSql = tableinfoText(p, &pTab->base.info, "table", pTab->texts.zLog);
  return p->rc==SQLITE_OK && (zSql==0 || strcmp(zSql, pTab->texts.zLogSql)!=0);
}

/* A table of that name with another text is not Interlock's, and nothing tells
** what is in it. */
void versionedlogSteps(Sqlx *p, const VersionedTable *pTab, Ddl *pDdl){
  const char *zLog = pTab->texts.zLog;
  int bThere;
  if( pTab->options.eStale!=VERSIONED_LOG ) return;
  bThere = tableinfoOwnWritten(p, pTab->base.zSchema, zLog);
  if( bThere && versionedlogBroken(p, pTab) ){
    sqlxBad(p, "table %s is not as Interlock makes it; allowed is DROP TABLE",
            zLog);
  }
  ddlMakeTable(p, pDdl, pTab->texts.zLogSql, bThere);
}

void versionedlogTakeOver(
  Sqlx *p,
  const VersionedTable *pTab,
  const char *zOther,
  Ddl *pDdl
){
  const char *zSchema = pTab->base.zSchema, *zLog = versionedlogName(p, zOther);
  int bTemp = sqlite3_stricmp(zSchema, "temp")==0;
  if( !tableinfoOwnWritten(p, zSchema, zLog) ) return;
  ddlStep(p, pDdl, sqlxPrintf(p, "%s \"%w\".\"%w\"",
      bTemp ? "DELETE FROM" : "DROP TABLE", zSchema, zLog), DDL_UNDO_ALL);
  if( !bTemp ) pDdl->bDrops = 1;
}

const char *versionedlogNote(Sqlx *p, const VersionedTable *pTab){
  sqlite3_str *pStr;
  sqlite3_stmt *pStmt;
  if( pTab->options.eStale!=VERSIONED_LOG
   || !versionedlogThere(p, &pTab->base) ){
    return "";
  }
  pStr = sqlite3_str_new(p->db);
  pStmt = sqlxPrepare(p, "SELECT kind, n FROM \"%w\".\"%w\" WHERE slot=0"
      " AND n>0 ORDER BY kind", pTab->base.zSchema, pTab->texts.zLog);
  while( sqlxStep(p, pStmt) ){
    const char *zKind = sqlxColumn(p, pStmt, 0);
    sqlite3_str_appendf(pStr, "%s%lld %.20s",
        sqlite3_str_length(pStr) ? ", " : "noted in versioned_log: ",
        sqlite3_column_int64(pStmt, 1), zKind ? zKind : "");
  }
  sqlxFinalize(p, pStmt);
  return sqlxText(p, pStr);
}
