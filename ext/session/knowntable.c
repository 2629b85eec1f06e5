/* SPDX-License-Identifier: 0BSD */
/*
** Tables whose keys a connection knows. See knowntable.h.
*/
#include <string.h>
#include "session/knowntable.h"
SQLITE_EXTENSION_INIT3

#define MAX_TABLES 50              /* that are kept; and queries of each */
#define MAX_QUERIES 10

/* Columns of EXPLAIN. */
enum { STAMP_OP = 1, STAMP_P3 = 4, STAMP_P4 };

struct KnownSchema {
  char *zSchema;
  char *zFile;
  KnownStamp stamp;
  sqlite3_stmt *pLook;     /* opens a transaction, and compares */
  int nLook;               /* how often it had been prepared anew */
  int bNumber;             /* the number in the file is that of the stamp */
  DbheaderSchema header;
  KnownSchema *pNext;
};

/* ---- what is kept ----------------------------------------------------- */

void knowntableEnd(KnownQuery *p){
  if( p==0 ) return;
  sqlite3_finalize(p->apStmt[0]);
  sqlite3_finalize(p->apStmt[1]);
  sqlite3_free(p);
}

static void freeQueries(KnownTable *p){
  while( p->pQueries ){
    KnownQuery *pNext = p->pQueries->pNext;
    knowntableEnd(p->pQueries);
    p->pQueries = pNext;
  }
}

void knowntableUnref(KnownTable *p){
  if( p==0 || --p->nRef>0 ) return;
  assert( p->pQueries==0 );
  sqlxEnd(&p->mem);
  sqlite3_free(p->zGiven);
  sqlite3_free(p);
}

/* Take a table out of the list. A call that uses it goes on with it. */
static void dropTable(KnownTables *p, KnownTable *pTab){
  KnownTable **pp;
  for(pp=&p->pTables; *pp!=pTab; pp=&(*pp)->pNext){}
  *pp = pTab->pNext;
  pTab->pSchema = 0;
  freeQueries(pTab);
  knowntableUnref(pTab);
}

static void freeSchema(KnownSchema *p){
  sqlite3_finalize(p->pLook);
  sqlite3_free(p->zSchema);
  sqlite3_free(p->zFile);
  sqlite3_free(p);
}

void knowntableForget(KnownTables *p){
  sqlite3_stmt *pExpiry = p->pExpiry;
  while( p->pTables ) dropTable(p, p->pTables);
  while( p->pSchemas ){
    KnownSchema *pSchema = p->pSchemas;
    p->pSchemas = pSchema->pNext;
    freeSchema(pSchema);
  }
  p->pExpiry = 0;
  sqlite3_finalize(pExpiry);
}

void knowntableInit(KnownTables *p, sqlite3 *db, TxnScope *pScope){
  memset(p, 0, sizeof(*p));
  p->db = db;
  p->pScope = pScope;
}

/* ---- has anything changed? -------------------------------------------- */

/* Run a kept statement, which has no row: 1 if SQLite did not have to prepare
** it anew, 0 if it did, -1 if it could not be run. */
static int isUnchanged(sqlite3_stmt *p, int nPrepared){
  int rc = sqlite3_step(p);
  sqlite3_reset(p);
  if( sqlxReprepared(p)!=nPrepared ) return 0;
  return rc==SQLITE_DONE ? 1 : -1;
}

static int isSameFile(const KnownTables *p, const KnownSchema *pSchema){
  const char *z = sqlite3_db_filename(p->db, pSchema->zSchema);
  return z && strcmp(z, pSchema->zFile)==0;
}

/* Does the file have the number under which the schema in memory was read? -1
** if that cannot be told. */
static int hasNumber(const KnownTables *p, KnownSchema *pSchema){
  if( pSchema->stamp.bShared
   || !dbheaderSchema(p->db, pSchema->zSchema, &pSchema->header) ) return -1;
  return pSchema->header.iNumber==(u32)pSchema->stamp.iNumber;
}

/* Is a schema as it was? 0 if it is not, -1 if that cannot be told. A schema
** that was read in a transaction may not have been committed: there the
** statement has to say so once, when it is over. */
static int isSameSchema(const KnownTables *p, KnownSchema *pSchema){
  int bSame = -1, bNumber = -1;
  if( sqlite3_txn_state(p->db, pSchema->zSchema)!=SQLITE_TXN_NONE ){
    return isUnchanged(pSchema->pLook, pSchema->nLook);
  }
  if( pSchema->bNumber ) bSame = hasNumber(p, pSchema);
  if( bSame<0 && sqlite3_get_autocommit(p->db) ){
    bSame = isUnchanged(pSchema->pLook, pSchema->nLook);
    if( bSame==1 && !pSchema->bNumber ) bNumber = hasNumber(p, pSchema);
    if( bNumber==1 ) pSchema->bNumber = 1;
  }
  return bSame;
}

static int countSchemas(Sqlx *x){
  const char **az = sqlxSchemas(x);
  int n = 0;
  while( az && az[n] ) n++;
  return n;
}

static int isSameTable(const KnownTables *p, Sqlx *x, const KnownTable *pTab){
  KnownSchema *pSchema;
  int bSame = 1;
  if( !pTab->bWide ) return isSameSchema(p, pTab->pSchema);
  if( countSchemas(x)!=pTab->nSchema ) return 0;
  for(pSchema=p->pSchemas; pSchema && bSame==1; pSchema=pSchema->pNext){
    bSame = isSameSchema(p, pSchema);
  }
  return bSame;
}

/* Forget everything if DETACH, or a rollback, or a temp table, can have changed
** what a name means. */
static void askConnection(KnownTables *p){
  const KnownSchema *pSchema;
  int bSame = p->pExpiry ? isUnchanged(p->pExpiry, p->nExpiry) : 0;
  for(pSchema=p->pSchemas; pSchema && bSame; pSchema=pSchema->pNext){
    bSame = isSameFile(p, pSchema);
  }
  if( bSame!=1 ) knowntableForget(p);
}

/* ---- looking a table up ----------------------------------------------- */

/* EXPLAIN tells what a statement would compare. 0 if it does not. */
static int readStamp(Sqlx *x, const char *zSchema, KnownStamp *pStamp){
  sqlite3_stmt *pStmt = sqlxPrepare(x,
      "EXPLAIN SELECT 1 FROM \"%w\".sqlite_master", zSchema);
  int bFound = 0;
  pStamp->bShared = 0;
  while( sqlxStep(x, pStmt) ){
    const char *zOp = (const char*)sqlite3_column_text(pStmt, STAMP_OP);
    if( zOp==0 || strcmp(zOp, "TableLock")==0 ) pStamp->bShared = 1;
    if( zOp==0 || strcmp(zOp, "Transaction")!=0 ) continue;
    pStamp->iNumber = sqlite3_column_int64(pStmt, STAMP_P3);
    pStamp->iGeneration = sqlite3_column_int64(pStmt, STAMP_P4);
    bFound = 1;
  }
  sqlxFinalize(x, pStmt);
  return bFound && x->rc==SQLITE_OK;
}

static int isStamp(const KnownStamp *a, const KnownStamp *b){
  return a->iNumber==b->iNumber && a->iGeneration==b->iGeneration;
}

static KnownSchema *schemaNamed(const KnownTables *p, const char *zSchema){
  KnownSchema *pSchema = p->pSchemas;
  while( pSchema && sqlite3_stricmp(pSchema->zSchema, zSchema)!=0 ){
    pSchema = pSchema->pNext;
  }
  return pSchema;
}

/* Keep a statement. It is asked for again where SQLite refuses it (authorizer),
** so that is no error. */
static sqlite3_stmt *keptStatement(Sqlx *x, const char *zSql, int *pnPrepared){
  sqlite3_stmt *pStmt = 0;
  int rc = sqlite3_prepare_v3(x->db, zSql, -1, SQLITE_PREPARE_PERSISTENT,
                              &pStmt, 0);
  if( rc==SQLITE_NOMEM ) x->rc = rc;
  if( pStmt ) *pnPrepared = sqlxReprepared(pStmt);
  return pStmt;
}

static KnownSchema *newSchema(KnownTables *p, Sqlx *x, const char *zSchema){
  const char *zFile = sqlite3_db_filename(p->db, zSchema);
  KnownSchema *pNew;
  if( zFile==0 || zFile[0]!='/' ) return 0;
  pNew = sqlite3_malloc64(sizeof(*pNew));
  if( pNew==0 ){
    x->rc = SQLITE_NOMEM;
    return 0;
  }
  memset(pNew, 0, sizeof(*pNew));
  pNew->zSchema = sqlite3_mprintf("%s", zSchema);
  pNew->zFile = sqlite3_mprintf("%s", zFile);
  if( pNew->zSchema==0 || pNew->zFile==0 ) x->rc = SQLITE_NOMEM;
  else pNew->pLook = keptStatement(x, sqlxPrintf(x,
      "SELECT 1 FROM \"%w\".sqlite_master WHERE 0", zSchema), &pNew->nLook);
  if( pNew->pLook==0 ){
    freeSchema(pNew);
    return 0;
  }
  pNew->pNext = p->pSchemas;
  p->pSchemas = pNew;
  return pNew;
}

/* The schema of this stamp, which is that of the schema in memory. What is
** known of another one is forgotten. NULL if it cannot be kept. */
static KnownSchema *keepSchema(KnownTables *p, Sqlx *x, const char *zSchema,
                               const KnownStamp *pStamp){
  KnownSchema *pSchema = schemaNamed(p, zSchema);
  if( pSchema && !isStamp(&pSchema->stamp, pStamp) ){
    knowntableForget(p);
    pSchema = 0;
  }
  if( p->pExpiry==0 ){
    p->pExpiry = keptStatement(x, "SELECT 1 WHERE 0", &p->nExpiry);
    if( p->pExpiry==0 ) return 0;
  }
  if( pSchema==0 ) pSchema = newSchema(p, x, zSchema);
  if( pSchema==0 ) return 0;
  pSchema->stamp = *pStamp;
  if( !pSchema->bNumber
   && sqlite3_txn_state(p->db, zSchema)==SQLITE_TXN_NONE ){
    pSchema->bNumber = hasNumber(p, pSchema)==1;
  }
  return pSchema;
}

/* Does the name lead to its table whatever else there is? */
static int isPlain(const KnownTable *p){
  const RowkeyTable *pTab = &p->tab;
  size_t n = strlen(pTab->zSchema);
  if( sqlite3_stricmp(pTab->zSchema, "main")==0
   && strcmp(p->zGiven, pTab->zName)==0
   && strchr(p->zGiven, '.')==0 ) return 1;
  return sqlite3_strnicmp(p->zGiven, pTab->zSchema, (int)n)==0
      && p->zGiven[n]=='.' && strcmp(&p->zGiven[n+1], pTab->zName)==0;
}

/* Keep every schema there is, for a table that depends on all. 0 if that cannot
** be, or one of them was not as it was known, by which the others are forgotten
** as well. */
static int keepSchemas(KnownTables *p, Sqlx *x, KnownTable *pTab){
  const char **az = sqlxSchemas(x);
  const KnownSchema *pSchema;
  int n, nKept = 0;
  for(n=0; az && az[n]; n++){
    KnownStamp stamp;
    if( sqlite3_stricmp(az[n], "temp")==0 ) continue;
    if( !readStamp(x, az[n], &stamp)
     || keepSchema(p, x, az[n], &stamp)==0 ) return 0;
  }
  pTab->nSchema = n;
  for(pSchema=p->pSchemas; pSchema; pSchema=pSchema->pNext) nKept++;
  return x->rc==SQLITE_OK && nKept==n-1;
}

/* Put a table that was looked up, in the schema pStamp, into the list; unless
** the schema has been read anew meanwhile, or the statements cannot be kept. */
static void keepTable(KnownTables *p, Sqlx *x, KnownTable *pTab,
                      const KnownStamp *pStamp){
  const char *zSchema = pTab->tab.zSchema;
  KnownTable *pLast;
  KnownStamp stamp;
  int n = 1;
  if( !txnscopeSeesClose(p->pScope, x) ) return;
  pTab->bWide = !isPlain(pTab);
  if( pTab->bWide && !keepSchemas(p, x, pTab) ) return;
  pTab->pSchema = keepSchema(p, x, zSchema, pStamp);
  if( pTab->pSchema==0 ) return;
  if( !readStamp(x, zSchema, &stamp) || !isStamp(&stamp, pStamp) ){
    pTab->pSchema = 0;
    return;
  }
  for(pLast=p->pTables; pLast && pLast->pNext; pLast=pLast->pNext) n++;
  if( pLast && n>=MAX_TABLES ) dropTable(p, pLast);
  pTab->nRef++;
  pTab->pNext = p->pTables;
  p->pTables = pTab;
}

/* The error of a table's own request becomes that of the call. */
static KnownTable *failTable(Sqlx *x, KnownTable *pTab){
  int rc = pTab->mem.rc;
  if( rc!=SQLITE_OK ) sqlxFail(x, rc, "%s", sqlxErrorText(&pTab->mem));
  if( rc==SQLITE_NOMEM ) x->rc = rc;
  knowntableUnref(pTab);
  return 0;
}

/* A table of which nothing is known but its name. */
static KnownTable *newKnown(KnownTables *p, Sqlx *x, const char *zTable){
  KnownTable *pTab = sqlite3_malloc64(sizeof(*pTab));
  if( pTab==0 ){
    x->rc = SQLITE_NOMEM;
    return 0;
  }
  memset(pTab, 0, sizeof(*pTab));
  pTab->nRef = 1;
  pTab->pTables = p;
  sqlxBegin(&pTab->mem, x->db);
  pTab->zGiven = sqlite3_mprintf("%s", zTable);
  if( pTab->zGiven==0 ) pTab->mem.rc = SQLITE_NOMEM;
  return pTab;
}

static KnownTable *lookTableUp(KnownTables *p, Sqlx *x, const char *zTable,
                          int bColumns){
  KnownTable *pTab = newKnown(p, x, zTable);
  Sqlx *pMem;
  KnownStamp stamp = { 0, 0, 0 };
  int bStamp;
  if( pTab==0 ) return 0;
  pTab->bColumns = bColumns;
  pMem = &pTab->mem;
  if( !rowkeyTable(pMem, pTab->zGiven, &pTab->tab) ) return failTable(x, pTab);
  bStamp = readStamp(x, pTab->tab.zSchema, &stamp);
  if( bColumns && !rowkeyColumns(pMem, &pTab->tab) ) return failTable(x, pTab);
  pTab->stamp = stamp;
  pTab->bStamp = bStamp;
  if( bStamp ) keepTable(p, x, pTab, &stamp);
  if( pTab->pSchema==0 ) pTab->bStamp = knowntableStill(pTab, x);
  if( x->rc!=SQLITE_NOMEM ){
    sqlxClear(x);
    return pTab;
  }
  return failTable(x, pTab);
}

/* ---- what is called --------------------------------------------------- */

/* The table in the list, now its first. */
static KnownTable *inList(KnownTables *p, const char *zTable, int bColumns){
  KnownTable **pp = &p->pTables, *pTab;
  while( *pp && (strcmp((*pp)->zGiven, zTable)!=0
             || (*pp)->bColumns<bColumns) ) pp = &(*pp)->pNext;
  pTab = *pp;
  if( pTab ){
    *pp = pTab->pNext;
    pTab->pNext = p->pTables;
    p->pTables = pTab;
  }
  return pTab;
}

KnownTable *knowntableRef(
  KnownTables *p,
  Sqlx *x,
  const char *zTable,
  int bColumns
){
  KnownTable *pTab;
  int bSame;
  assert( sqlxHeld(x->db) );
  if( x->rc!=SQLITE_OK || zTable==0 ) return 0;
  askConnection(p);
  pTab = inList(p, zTable, bColumns);
  if( pTab ){
    bSame = isSameTable(p, x, pTab);
    if( x->rc!=SQLITE_OK ) return 0;
    if( bSame==1 ){
      pTab->nRef++;
      return pTab;
    }
    if( bSame==0 ) knowntableForget(p);
    else dropTable(p, pTab);
  }
  return lookTableUp(p, x, zTable, bColumns);
}

/* The table that is gone, instead of the error in x. NULL if that stays. */
static KnownTable *goneTable(KnownTables *p, Sqlx *x, const char *zTable){
  KnownTable *pTab = newKnown(p, x, zTable);
  if( pTab==0 ) return 0;
  rowkeyGone(&pTab->mem, pTab->zGiven, &pTab->tab);
  pTab->zGone = sqlxPrintf(&pTab->mem, "%s", sqlxErrorText(x));
  if( pTab->mem.rc==SQLITE_OK ){
    sqlxClear(x);
    return pTab;
  }
  if( pTab->mem.rc==SQLITE_NOMEM ) x->rc = SQLITE_NOMEM;
  knowntableUnref(pTab);
  return 0;
}

KnownTable *knowntableRefUnlock(
  KnownTables *p,
  Sqlx *x,
  const char *zTable,
  int bColumns
){
  KnownTable *pTab;
  if( x->rc!=SQLITE_OK ) return 0;
  pTab = knowntableRef(p, x, zTable, bColumns);
  return x->rc==SQLITE_ERROR ? goneTable(p, x, zTable) : pTab;
}

KnownTable *knowntableEarlier(KnownTable *p, Sqlx *x){
  KnownTable *pTab;
  if( p->zGone ) return 0;
  if( x->rc==SQLITE_ERROR ) return goneTable(p->pTables, x, p->zGiven);
  if( x->rc!=SQLITE_OK ) return 0;
  pTab = newKnown(p->pTables, x, p->zGiven);
  if( pTab==0 ) return 0;
  rowkeyGone(&pTab->mem, pTab->zGiven, &pTab->tab);
  if( pTab->mem.rc==SQLITE_OK ) return pTab;
  return failTable(x, pTab);
}

void knowntableUnlocked(const KnownTable *p, Sqlx *x, i64 nUnlocked){
  if( p && p->zGone && nUnlocked==0 ) sqlxFail(x, SQLITE_ERROR, "%s", p->zGone);
}

int knowntableStill(const KnownTable *p, Sqlx *x){
  KnownStamp now;
  return p->bStamp && readStamp(x, p->tab.zSchema, &now)
      && isStamp(&now, &p->stamp);
}

int knowntableWal(const KnownTable *p, DbheaderWal *pWal){
  KnownSchema *pSchema = p->pSchema;
  if( pSchema==0 || hasNumber(p->pTables, pSchema)<0
   || pSchema->header.wal.pWal==0 ) return 0;
  *pWal = pSchema->header.wal;
  return 1;
}

/* The text follows the query, in one allocation. */
static KnownQuery *newQuery(Sqlx *x, const char *zText){
  size_t n = strlen(zText) + 1;
  KnownQuery *p = sqlite3_malloc64(sizeof(*p) + n);
  if( p==0 ){
    x->rc = SQLITE_NOMEM;
    return 0;
  }
  memset(p, 0, sizeof(*p));
  p->zText = memcpy(&p[1], zText, n);
  return p;
}

KnownQuery *knowntableTake(KnownTable *p, Sqlx *x, const char *zText){
  KnownQuery **pp = &p->pQueries, *pQuery;
  if( x->rc!=SQLITE_OK ) return 0;
  while( *pp && strcmp((*pp)->zText, zText)!=0 ) pp = &(*pp)->pNext;
  pQuery = *pp;
  if( pQuery==0 ) return newQuery(x, zText);
  *pp = pQuery->pNext;
  return pQuery;
}

/* The queries of a table that is in no list would never end. */
void knowntableGive(KnownTable *p, KnownQuery *pQuery){
  KnownQuery **pp = &p->pQueries;
  int i, n = 0;
  if( p->pSchema==0 ){
    knowntableEnd(pQuery);
    return;
  }
  for(i=0; i<2 && pQuery->apStmt[i]; i++){
    sqlite3_reset(pQuery->apStmt[i]);
    sqlite3_clear_bindings(pQuery->apStmt[i]);
  }
  pQuery->pNext = p->pQueries;
  p->pQueries = pQuery;
  while( *pp && ++n<=MAX_QUERIES ) pp = &(*pp)->pNext;
  if( *pp ){
    knowntableEnd(*pp);
    *pp = 0;
  }
}
