/* SPDX-License-Identifier: 0BSD */
/*
** Raising all versions. See lift.h.
**
** The new version is the time in unix ms or, if a row has that already, its
** own plus one. So versions that are raised twice grow too, unless the clock is
** set back, and so do those that repair gave to rows without a version column.
*/
#include "versioned/lift.h"
#include "schema/status.h"
#include "versioned/tombstones.h"
#include "versioned/versioned.h"
SQLITE_EXTENSION_INIT3

#define LIFT_MAX "9223372036854775807"

/* Appends the step that raises a column, in which a NULL counts as 0. Rows at
** the end of the range stay: an INTEGER has no next one. No name of its own is
** in it, since the table can have columns of any name. */
static void liftColumn(
  Sqlx *p,
  const char *zSchema,
  const char *zTable,
  const char *zColumn,
  Ddl *pDdl
){
  ddlStep(p, pDdl, sqlxPrintf(p, "UPDATE \"%w\".\"%w\" SET \"%w\"=max("
      TRIGGERSET_NOW ",ifnull(\"%w\",0)+1) WHERE ifnull(\"%w\",0)<" LIFT_MAX,
      zSchema, zTable, zColumn, zColumn, zColumn), DDL_UNDO_ALL);
}

static void liftTable(Sqlx *p, const VersionedTable *pTab, Ddl *pDdl){
  const char *zSchema = pTab->base.zSchema;
  const char *zTombstones = sqlxPrintf(p, "interlock_%s_tombstones",
                                       pTab->base.zEntry);
  liftColumn(p, zSchema, pTab->base.zTable, pTab->stored.zColumn, pDdl);
  if( tableinfoOwnWritten(p, zSchema, zTombstones) ){
    liftColumn(p, zSchema, zTombstones, "version", pDdl);
  }
}

/* One table by its name, or all that have a version column. */
static int liftSteps(Sqlx *p, const char *zTable, Ddl *pDdl){
  const DeclaredTable *pTab;
  VersionedTable tab;
  int n = 0;
  if( zTable==0 ){
    for(pTab=statusList(p, versionedKind()); pTab; pTab=pTab->pNext){
      if( pTab->status==DECLARED_NO_COLUMN
       || pTab->status>=DECLARED_NO_TABLE ) continue;
      liftTable(p, (const VersionedTable*)pTab, pDdl);
      n++;
    }
    return n;
  }
  if( !versionedFind(p, zTable, &tab) || !tab.base.bDeclared
   || tableinfoColumn(&tab.base.info, tab.stored.zColumn)<0 ){
    sqlxBad(p, "table %Q is not versioned, or has no column of versions;"
               " allowed are tables of versioned_tables that have one", zTable);
    return 0;
  }
  liftTable(p, &tab, pDdl);
  return 1;
}

/* No trigger runs meanwhile: `check` would refuse it, and to those of the
** application nothing has changed. The setting makes every statement of the
** connection expire, so it is changed before and after the transaction. */
int liftTables(Sqlx *p, const char *zTable){
  int n, bTriggers = 1;
  DdlTxn txn;
  Ddl ddl;
  sqlite3_db_config(p->db, SQLITE_DBCONFIG_ENABLE_TRIGGER, -1, &bTriggers);
  sqlite3_db_config(p->db, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, (int*)0);
  txn = ddlBegin(p, DDL_SELECT);
  ddlNew(&ddl, "main", versionedKind()->zName);
  n = liftSteps(p, zTable, &ddl);
  if( p->rc==SQLITE_OK ) ddlRun(p, &ddl, &txn);
  ddlEnd(p, &txn);
  sqlite3_db_config(p->db, SQLITE_DBCONFIG_ENABLE_TRIGGER, bTriggers, (int*)0);
  return n;
}
