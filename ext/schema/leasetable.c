/* SPDX-License-Identifier: 0BSD */
/*
** The table of leases. See leasetable.h.
*/
#include <string.h>
#include "schema/leasetable.h"
#include "schema/tableinfo.h"
#include "sqlite/sqltoken.h"
#include "sql_text.h"
SQLITE_EXTENSION_INIT3

static const struct {
  const char *zName;
  const char *zSql;
} aLeaseText[] = {
  { "interlock_leases",          leases_table_sql },
  { "interlock_leases_kept",     leases_kept_sql },
  { "interlock_leases_grows",    leases_grows_sql },
  { "interlock_leases_replaced", leases_replaced_sql },
};
#define LEASE_TEXTS ((int)(sizeof(aLeaseText)/sizeof(aLeaseText[0])))

/* Whether two texts are the same but for white space and comments:
** sql/lease.sql has line breaks, which SQLite keeps. */
static int isSameText(const char *zA, const char *zB){
  const char *zEndA = zA + strlen(zA), *zEndB = zB + strlen(zB);
  SqlToken a = sqltokenAt(zA, zEndA), b = sqltokenAt(zB, zEndB);
  while( a.kind!=SQLTOKEN_END && a.kind==b.kind && a.n==b.n
      && strncmp(a.z, b.z, (size_t)a.n)==0 ){
    a = sqltokenNext(&a, zEndA);
    b = sqltokenNext(&b, zEndB);
  }
  return a.kind==SQLTOKEN_END && b.kind==SQLTOKEN_END;
}

/* Returns how many of the texts the schema has, unchanged. */
static int countTexts(Sqlx *p, const char *zSchema){
  int n = 0;
  sqlite3_stmt *pStmt = sqlxPrepare(p, "SELECT name, sql"
      " FROM \"%w\".sqlite_master WHERE tbl_name='interlock_leases'"
      " AND sql NOT NULL", zSchema);
  while( sqlxStep(p, pStmt) ){
    const char *zName = sqlxColumn(p, pStmt, 0);
    const char *zSql = sqlxColumn(p, pStmt, 1);
    int i;
    for(i=0; i<LEASE_TEXTS && zName && zSql; i++){
      if( strcmp(zName, aLeaseText[i].zName)==0
       && isSameText(zSql, aLeaseText[i].zSql) ) n++;
    }
  }
  sqlxFinalize(p, pStmt);
  return n;
}

int leasetableThere(Sqlx *p, const char *zSchema){
  if( !tableinfoOwn(p, zSchema, aLeaseText[0].zName) ) return 0;
  if( countTexts(p, zSchema)!=LEASE_TEXTS && p->rc==SQLITE_OK ){
    sqlxBad(p, "table %s.interlock_leases or one of its triggers was changed;"
               " allowed is what sql/lease.sql makes", zSchema);
  }
  return p->rc==SQLITE_OK;
}

void leasetableSteps(Sqlx *p, Ddl *pDdl){
  int bThere = leasetableThere(p, pDdl->zSchema);
  int i;
  for(i=0; i<LEASE_TEXTS; i++){
    ddlMakeTable(p, pDdl, aLeaseText[i].zSql, bThere);
  }
}
