/* SPDX-License-Identifier: 0BSD */
/*
** The rule about snapshots. See snapshot.h.
*/
#include <string.h>
#include "session/snapshot.h"
#include "sqlite/sqltoken.h"
#include "session/waiting.h"
SQLITE_EXTENSION_INIT3

/* Columns of EXPLAIN. */
enum { EXPLAIN_OPCODE = 1, EXPLAIN_P3 = 4 };

/* ---- statements that are being run ------------------------------------ */

/* The table-valued functions that read nothing but their arguments: how many
** of them a statement calls. */
static int countPure(const char *zSql){
  static const char *const az[] = {
    "json_each", "json_tree", "jsonb_each", "jsonb_tree", "generate_series",
    "carray"
  };
  const char *zEnd = zSql + strlen(zSql);
  SqlToken t = sqltokenAt(zSql, zEnd), next;
  int n = 0;
  size_t i;
  for(; t.kind!=SQLTOKEN_END; t = sqltokenNext(&t, zEnd)){
    next = sqltokenNext(&t, zEnd);
    while( next.kind==SQLTOKEN_SPACE ) next = sqltokenNext(&next, zEnd);
    if( !sqltokenIsByte(&next, '(') ) continue;
    for(i=0; i<sizeof(az)/sizeof(az[0]); i++) n += sqltokenIsName(&t, az[i]);
  }
  return n;
}

/* Does the program of a statement open a table of schema number iDb, or a
** virtual table that is not one of those? */
static int opensTable(sqlite3_stmt *pExplain, const char *zSql, int iDb){
  int bOpens = 0, nVirtual = 0;
  while( !bOpens && sqlite3_step(pExplain)==SQLITE_ROW ){
    const void *pOp = sqlite3_column_text(pExplain, EXPLAIN_OPCODE);
    const char *zOp = (const char*)pOp;
    int bHere = sqlite3_column_int(pExplain, EXPLAIN_P3)==iDb;
    if( zOp==0 ) return 1;
    if( strcmp(zOp, "VOpen")==0 ) nVirtual++;
    else if( strcmp(zOp, "OpenRead")==0 || strcmp(zOp, "OpenWrite")==0
          || strcmp(zOp, "ReopenIdx")==0 ) bOpens = bHere;
  }
  return bOpens || nVirtual>countPure(zSql);
}

/* A statement without a text is a blob handle, or another library's. */
static int readsTable(Sqlx *x, const char *zSql, int iDb){
  sqlite3_stmt *pExplain = 0;
  const char *zExplain;
  int bReads = 1;
  if( zSql==0 ) return 1;
  zExplain = sqlxPrintf(x, "EXPLAIN %s", zSql);
  if( x->rc!=SQLITE_OK ) return 1;
  if( sqlite3_prepare_v2(x->db, zExplain, -1, &pExplain, 0)==SQLITE_OK ){
    bReads = opensTable(pExplain, zSql, iDb);
  }
  if( sqlite3_finalize(pExplain)!=SQLITE_OK ) bReads = 1;
  return bReads;
}

/* Does the statement that calls the function read a table of the schema? If
** another one is being run around it, the snapshot goes on, and what the
** program reads next is not known: that counts as well. */
static int readsAny(Sqlx *x, int iDb){
  sqlite3_stmt *p = 0, *pBusy = 0;
  while( (p = sqlite3_next_stmt(x->db, p))!=0 ){
    if( !sqlite3_stmt_busy(p) ) continue;
    if( pBusy ) return 1;
    pBusy = p;
  }
  return pBusy==0 || readsTable(x, sqlite3_sql(pBusy), iDb);
}

/* ---- the rule --------------------------------------------------------- */

static void failOld(Sqlx *x, const char *zSchema, const char *zWho){
  if( sqlite3_get_autocommit(x->db) ){
    sqlxFail(x, SQLITE_BUSY, "lock wait refused: %s: what this statement or an"
        " open one reads of %s can be older than the lock: lock in a SELECT of"
        " its own, and read after it, or BEGIN IMMEDIATE before", zWho,
        zSchema);
  }else{
    sqlxFail(x, SQLITE_BUSY, "lock wait refused: %s: what this transaction has"
        " read of %s can be older than the lock: lock before the first read, or"
        " begin with BEGIN IMMEDIATE", zWho, zSchema);
  }
}

/* SQLite's number of a schema in a list of them: main is 0, temp 1, whether it
** is in the list or not. */
static int schemaNumber(const char **az, int i){
  int j, n = 1;
  if( sqlite3_stricmp(az[i], "temp")==0 ) return 1;
  for(j=0; j<i; j++) n += sqlite3_stricmp(az[j], "temp")!=0;
  return i==0 ? 0 : n;
}

/* Can what is read of a schema be old? */
static int isOld(Sqlx *x, const char *zSchema, int iDb){
  if( sqlite3_txn_state(x->db, zSchema)!=SQLITE_TXN_READ ) return 0;
  if( !waitingSharesWal(x->db, zSchema) ) return 0;
  return !sqlite3_get_autocommit(x->db) || readsAny(x, iDb);
}

/* A file may be attached under several names, and read by any. */
int snapshotAllows(Sqlx *x, const char *zSchema, const char *zWho){
  sqlite3 *db = x->db;
  const char **az, *zFile;
  int i;
  if( x->rc!=SQLITE_OK ) return 0;
  if( sqlite3_txn_state(db, 0)==SQLITE_TXN_NONE ) return 1;
  az = sqlxSchemas(x);
  zFile = sqlite3_db_filename(db, zSchema);
  for(i=0; az && az[i]; i++){
    const char *z = sqlite3_db_filename(db, az[i]);
    int bSame = sqlite3_stricmp(az[i], zSchema)==0
             || (z && zFile && z[0] && strcmp(z, zFile)==0);
    if( bSame && isOld(x, az[i], schemaNumber(az, i)) && x->rc==SQLITE_OK ){
      failOld(x, az[i], zWho);
    }
  }
  return x->rc==SQLITE_OK;
}
