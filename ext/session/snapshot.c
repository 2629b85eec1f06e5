/* SPDX-License-Identifier: 0BSD */
/*
** The rule about snapshots. See snapshot.h.
*/
#include <string.h>
#include "session/snapshot.h"
#include "session/waiting.h"
SQLITE_EXTENSION_INIT3

/* Columns of EXPLAIN. */
enum { EXPLAIN_OPCODE = 1, EXPLAIN_P3 = 4, EXPLAIN_P4 = 5 };

/* ---- statements that are being run ------------------------------------ */

/* Whether zTable is the table that a table-valued function makes of its own
** accord, as EXPLAIN shows tables. A table, a view or a CTE of the user's can
** have the function's name: only a virtual table can be called, and it is found
** as a table of a schema. */
static int isTableOf(sqlite3 *db, const char *zTable, const char *zFunction){
  sqlite3_stmt *pExplain = 0;
  const char *zOp, *z;
  char *zSql;
  int bSame = 0;
  if( sqlite3_table_column_metadata(db, 0, zFunction, 0, 0, 0, 0, 0, 0)
      ==SQLITE_OK ) return 0;
  zSql = sqlite3_mprintf("EXPLAIN SELECT 1 FROM %s(0)", zFunction);
  if( zSql && sqlite3_prepare_v2(db, zSql, -1, &pExplain, 0)==SQLITE_OK ){
    while( !bSame && sqlite3_step(pExplain)==SQLITE_ROW ){
      zOp = (const char*)sqlite3_column_text(pExplain, EXPLAIN_OPCODE);
      z = (const char*)sqlite3_column_text(pExplain, EXPLAIN_P4);
      bSame = zOp && z && strcmp(zOp, "VOpen")==0 && strcmp(z, zTable)==0;
    }
  }
  sqlite3_finalize(pExplain);
  sqlite3_free(zSql);
  return bSame;
}

/* Whether a virtual table is one of a function that reads nothing but its
** arguments. */
static int isPure(sqlite3 *db, const char *zTable){
  static const char *const az[] = {
    "json_each", "json_tree", "jsonb_each", "jsonb_tree", "generate_series",
    "carray"
  };
  size_t i;
  for(i=0; i<sizeof(az)/sizeof(az[0]) && zTable; i++){
    if( isTableOf(db, zTable, az[i]) ) return 1;
  }
  return 0;
}

/* Whether the program of a statement opens a table of schema number iDb, or a
** virtual table other than those functions. */
static int opensTable(sqlite3_stmt *pExplain, int iDb){
  sqlite3 *db = sqlite3_db_handle(pExplain);
  int bOpens = 0;
  while( !bOpens && sqlite3_step(pExplain)==SQLITE_ROW ){
    const void *pOp = sqlite3_column_text(pExplain, EXPLAIN_OPCODE);
    const void *p4 = sqlite3_column_text(pExplain, EXPLAIN_P4);
    const char *zOp = (const char*)pOp;
    int bHere = sqlite3_column_int(pExplain, EXPLAIN_P3)==iDb;
    if( zOp==0 ) return 1;
    if( strcmp(zOp, "VOpen")==0 ) bOpens = !isPure(db, (const char*)p4);
    else if( strcmp(zOp, "OpenRead")==0 || strcmp(zOp, "OpenWrite")==0
          || strcmp(zOp, "ReopenIdx")==0 ) bOpens = bHere;
  }
  return bOpens;
}

/* Whether a statement reads a table of schema number iDb. One without a text, a
** blob handle or a statement of another library's, is taken to. */
static int readsTable(Sqlx *x, const char *zSql, int iDb){
  sqlite3_stmt *pExplain = 0;
  const char *zExplain;
  int bReads = 1;
  if( zSql==0 ) return 1;
  zExplain = sqlxPrintf(x, "EXPLAIN %s", zSql);
  if( x->rc!=SQLITE_OK ) return 1;
  if( sqlite3_prepare_v2(x->db, zExplain, -1, &pExplain, 0)==SQLITE_OK ){
    bReads = opensTable(pExplain, iDb);
  }
  if( sqlite3_finalize(pExplain)!=SQLITE_OK ) bReads = 1;
  return bReads;
}

/* Whether the statement that calls the function reads a table of the schema. If
** another statement is being run as well, the snapshot outlives this one, and
** what the program will read in it is not known: 1. */
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

/* SQLite's number of schema i of a list: main is 0 and temp is 1, whether the
** list has temp or not. */
static int schemaNumber(const char **az, int i){
  int j, n = 1;
  if( sqlite3_stricmp(az[i], "temp")==0 ) return 1;
  for(j=0; j<i; j++) n += sqlite3_stricmp(az[j], "temp")!=0;
  return i==0 ? 0 : n;
}

/* Whether what is read of a schema can be old. */
static int isOld(Sqlx *x, const char *zSchema, int iDb){
  if( sqlite3_txn_state(x->db, zSchema)!=SQLITE_TXN_READ ) return 0;
  if( !waitingSharesWal(x->db, zSchema) ) return 0;
  return !sqlite3_get_autocommit(x->db) || readsAny(x, iDb);
}

/* The file can be attached under several names, and be read by each. */
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
