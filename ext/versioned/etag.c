/* SPDX-License-Identifier: 0BSD */
/*
** The version of a row as an entity tag of HTTP. See etag.h.
**
** A tag is the version in quotes, `"7"`: a key gets no version twice, and the
** URL tells the table and the key.
*/
#include <string.h>
#include "versioned/etag.h"
#include "sqlite/args.h"
#include "versioned/expect.h"
SQLITE_EXTENSION_INIT3

static const char zAllowed[] =
    "allowed are \"...\", several of these with commas, and *";

/* Reads the version of a row. Returns 0 if there is no such row. */
static int readVersion(
  Sqlx *p,
  const VersionedTable *pTab,
  int nKey,
  sqlite3_value **apKey,
  sqlite3_int64 *piVersion
){
  const TableInfo *pInfo = &pTab->base.info;
  int bRow;
  sqlite3_stmt *pStmt = sqlxPrepare(p, "SELECT \"%w\" FROM \"%w\".\"%w\""
      " WHERE %s", pTab->stored.zColumn, pInfo->zSchema, pInfo->zName,
      expectKeyIs(p, pInfo, ""));
  expectBindKey(p, pStmt, nKey, apKey);
  bRow = sqlxStep(p, pStmt);
  if( bRow ) *piVersion = sqlite3_column_int64(pStmt, 0);
  sqlxFinalize(p, pStmt);
  return bRow && p->rc==SQLITE_OK;
}

/*
** SQL FUNCTION etag(table, key...)
**
** Returns the version of a row as an entity tag for the header `ETag` of HTTP.
** It is a strong one: it changes with every change of the row that raises the
** version, and a row that is inserted again under the same key gets another
** one. A column of `except`, and any other table, must not be part of what is
** sent under it. Read the row in the same statement, as below.
**
** Arguments:
**   table  TEXT  name, or schema.name, of a versioned table
**   key    ANY   a value for each column of the key, in its order
** Result: TEXT the version in quotes; NULL if there is no such row
** Errors:
**   `bad argument:` SQLITE_ERROR
** From: RFC 9110, ETag
** Example:
**   CREATE TABLE account(id INTEGER PRIMARY KEY, balance INT);
**   INSERT INTO account VALUES(1, 100);
**   SELECT versioned('account');
**   -- account.version
**   SELECT balance, etag('account', id) FROM account WHERE id = 1;
**   -- 100|"1"
**   SELECT etag('account', 2) IS NULL;
**   -- 1
*/
static void etagFunc(sqlite3_context *ctx, int nArg, sqlite3_value **apArg){
  Sqlx x;
  VersionedTable tab;
  sqlite3_int64 iVersion;
  const char *z = 0;
  sqlxBegin(&x, sqlite3_context_db_handle(ctx));
  if( nArg<2 ){
    sqlxBad(&x, "%d given; allowed is etag(table, key...)", nArg);
  }else{
    const char *zTable = argsText(&x, apArg[0], "table");
    if( x.rc==SQLITE_OK && expectFind(&x, zTable, nArg-1, &tab)
     && readVersion(&x, &tab, nArg-1, &apArg[1], &iVersion) ){
      z = sqlxPrintf(&x, "\"%lld\"", iVersion);
    }
  }
  argsEndText(&x, ctx, z);
}

static const char *skipSpace(const char *z){
  while( *z==' ' || *z=='\t' ) z++;
  return z;
}

/* Reads one tag at z. Returns where it ends, or NULL if there is none. A weak
** tag never matches in If-Match. */
static const char *readTag(const char *z, const char *zWant, int *pbMatch){
  int bWeak = strncmp(z, "W/", 2)==0;
  const char *zEnd;
  if( bWeak ) z += 2;
  if( *z!='"' ) return 0;
  for(zEnd=z+1; *zEnd && *zEnd!='"'; zEnd++){
    if( (unsigned char)*zEnd<=' ' || *zEnd==0x7f ) return 0;
  }
  if( *zEnd!='"' ) return 0;
  zEnd++;
  if( !bWeak && zWant && strlen(zWant)==(size_t)(zEnd-z)
   && strncmp(z, zWant, (size_t)(zEnd-z))==0 ) *pbMatch = 1;
  return zEnd;
}

/* Whether a list of tags has the wanted one, which is NULL if there is no row.
** `*` is any. Returns -1 if the text is no list of tags. */
static int listHas(const char *z, const char *zWant){
  int bMatch = 0, nTag = 0;
  z = skipSpace(z);
  if( z[0]=='*' && *skipSpace(z+1)==0 ) return zWant!=0;
  while( *z ){
    if( *z!=',' ){
      z = readTag(z, zWant, &bMatch);
      if( z==0 ) return -1;
      nTag++;
      z = skipSpace(z);
      if( *z && *z!=',' ) return -1;
    }
    if( *z==',' ) z = skipSpace(z+1);
  }
  return nTag ? bMatch : -1;
}

/* Returns the version of the row if the header allows it. zTag NULL expects
** that there is no such row. */
static sqlite3_int64 expectTag(
  Sqlx *p,
  const char *zTable,
  int nKey,
  sqlite3_value **apKey,
  const char *zTag
){
  VersionedTable tab;
  const char *zKey, *zWant = 0;
  sqlite3_int64 iVersion = 0;
  int bHas;
  if( !expectFind(p, zTable, nKey, &tab) ) return 0;
  expectTransaction(p, "expect_etag");
  zKey = expectKeyText(p, nKey, apKey);
  if( readVersion(p, &tab, nKey, apKey, &iVersion) ){
    zWant = sqlxPrintf(p, "\"%lld\"", iVersion);
  }
  if( p->rc!=SQLITE_OK ) return 0;
  bHas = zTag ? listHas(zTag, zWant) : zWant==0;
  if( bHas<0 ){
    sqlxBad(p, "etag is %.100Q; %s", zTag, zAllowed);
  }else if( !bHas && zWant ){
    sqlxFail(p, SQLITE_CONSTRAINT_FUNCTION, "stale read: %s(%s) is at version"
        " %lld, expected %.100s", tab.base.info.zName, zKey, iVersion,
        zTag ? zTag : "no such row");
  }else if( !bHas ){
    sqlxFail(p, SQLITE_CONSTRAINT_FUNCTION, "stale read: %s(%s) is gone,"
        " expected %.100s", tab.base.info.zName, zKey,
        zTag==0 || *skipSpace(zTag)=='*' ? "any version" : zTag);
  }
  return iVersion;
}

/*
** SQL FUNCTION expect_etag(table, key..., etag)
**
** Verifies that a row has one of the entity tags that a client sent in the
** header `If-Match`; otherwise the statement fails, and the program must roll
** back and answer 412. It must be called after BEGIN, and does what
** `expect_version` does: after it, and before COMMIT, the program writes the
** row, with or without its version. Take BEGIN IMMEDIATE, so that no other
** writer can come in between.
**
** `*` is any version of a row that exists. A weak tag, `W/"7"`, is accepted and
** never matches: If-Match compares strongly. NULL expects that there is no such
** row, as `If-None-Match: *` does. A client that sent no header at all should
** be answered with 428 before this.
**
** Arguments:
**   table  TEXT  name, or schema.name, of a versioned table
**   key    ANY   a value for each column of the key, in its order
**   etag   TEXT  a tag, several with commas between them, or `*`; or NULL
** Result: INTEGER the version; 0 if there is, as expected, no such row
** Errors:
**   `stale read:` SQLITE_CONSTRAINT_FUNCTION: answer 412
**   `no transaction:` SQLITE_ERROR, outside BEGIN
**   `bad argument:` SQLITE_ERROR, also for a text that is no tag: answer 400
** From: RFC 9110, If-Match
** Example:
**   CREATE TABLE account(id INTEGER PRIMARY KEY, balance INT);
**   INSERT INTO account VALUES(1, 100);
**   SELECT versioned('account');
**   -- account.version
**   BEGIN IMMEDIATE;
**   SELECT expect_etag('account', 1, '"1"');
**   -- 1
**   UPDATE account SET balance = 90 WHERE id = 1;
**   COMMIT;
**   BEGIN IMMEDIATE;
**   SELECT expect_etag('account', 1, '"1"');
**   -- error: stale read: account(1) is at version 2, expected "1"
**   ROLLBACK;
*/
static void expectEtagFunc(
  sqlite3_context *ctx,
  int nArg,
  sqlite3_value **apArg
){
  Sqlx x;
  sqlite3_int64 i = 0;
  sqlxBegin(&x, sqlite3_context_db_handle(ctx));
  if( nArg<3 ){
    sqlxBad(&x, "%d given; allowed is expect_etag(table, key..., etag)", nArg);
  }else{
    const char *zTable = argsText(&x, apArg[0], "table");
    const char *zTag = 0;
    if( sqlite3_value_type(apArg[nArg-1])!=SQLITE_NULL ){
      zTag = argsTextLike(&x, apArg[nArg-1], "etag", zAllowed);
    }
    if( x.rc==SQLITE_OK ){
      i = expectTag(&x, zTable, nArg-2, &apArg[1], zTag);
    }
  }
  argsEndInteger(&x, ctx, i);
}

static const Function aEtag[] = {
  { "etag",        FUNCTION_ANY, etagFunc,       { 0, 0, 0, 0 } },
  { "expect_etag", FUNCTION_ANY, expectEtagFunc, { 0, 0, 0, 0 } },
};

FunctionList etagFunctions(void){
  FunctionList t = { aEtag, sizeof(aEtag)/sizeof(aEtag[0]) };
  return t;
}
