/* SPDX-License-Identifier: 0BSD */
/*
** Arguments and results of SQL functions. See args.h.
*/
#include <string.h>
#include "sqlite/args.h"
SQLITE_EXTENSION_INIT3

#define TIMEOUT_MAX 2147483647  /* ms */

/* The name of a value's type, for errors. */
const char *argsType(sqlite3_value *pVal){
  static const char *const az[] = {
    "", "INTEGER", "REAL", "TEXT", "BLOB", "NULL"
  };
  return az[sqlite3_value_type(pVal)];
}

const char *argsText(Sqlx *p, sqlite3_value *pVal, const char *zWhat){
  return argsTextLike(p, pVal, zWhat, "allowed is a name");
}

const char *argsTextLike(
  Sqlx *p,
  sqlite3_value *pVal,
  const char *zWhat,
  const char *zAllowed
){
  const char *z;
  int n;
  if( p->rc!=SQLITE_OK ) return 0;
  if( sqlite3_value_type(pVal)!=SQLITE_TEXT ){
    sqlxBad(p, "%s is %s; allowed is TEXT", zWhat, argsType(pVal));
    return 0;
  }
  n = sqlite3_value_bytes(pVal);
  if( n>ARGS_TEXT_MAX ){
    sqlxBad(p, "%s has %d bytes; allowed are %d", zWhat, n, ARGS_TEXT_MAX);
    return 0;
  }
  z = (const char*)sqlite3_value_text(pVal);
  if( z==0 ){
    p->rc = SQLITE_NOMEM;
  }else if( n==0 || (int)strlen(z)!=n ){
    sqlxBad(p, "%s is %s; %s", zWhat,
            n==0 ? "empty" : "cut by a NUL character", zAllowed);
  }
  return z;
}

const char *argsSchema(Sqlx *p, sqlite3_value *pVal){
  const char *z = argsText(p, pVal, "schema");
  const char *zSchema = p->rc==SQLITE_OK ? sqlxSchemaNamed(p, z) : 0;
  if( zSchema==0 && p->rc==SQLITE_OK ){
    sqlxBad(p, "there is no schema %Q; allowed are main and attached ones", z);
  }
  return zSchema;
}

/* The type of an argument that must be a number. Drivers bind numbers as TEXT
** (PHP's PDO, Perl's DBI, Tcl): a text that is a number counts as that. */
int argsNumberType(sqlite3_value *pVal){
  int eType = sqlite3_value_type(pVal);
  return eType==SQLITE_TEXT ? sqlite3_value_numeric_type(pVal) : eType;
}

/* A REAL without a fraction is accepted, since JavaScript binds every number
** as REAL. */
sqlite3_int64 argsInteger(
  Sqlx *p,
  sqlite3_value *pVal,
  const char *zWhat
){
  double r;
  if( p->rc!=SQLITE_OK ) return 0;
  switch( argsNumberType(pVal) ){
    case SQLITE_INTEGER:
      return sqlite3_value_int64(pVal);
    case SQLITE_FLOAT:
      r = sqlite3_value_double(pVal);
      if( r>=-9007199254740992.0 && r<=9007199254740992.0
       && (double)(sqlite3_int64)r==r ) return (sqlite3_int64)r;
      break;
    default:
      break;
  }
  sqlxBad(p, "%s is %s; allowed is INTEGER", zWhat, argsType(pVal));
  return 0;
}

sqlite3_int64 argsTimeout(Sqlx *p, sqlite3_value *pVal){
  sqlite3_int64 ms = argsInteger(p, pVal, "ms");
  if( ms< -1 || ms>TIMEOUT_MAX ){
    sqlxBad(p, "ms is %lld; allowed is -1 to %d", ms, TIMEOUT_MAX);
  }
  return ms;
}

int argsCount(Sqlx *p, int nArg, int nMin, int nMax, const char *zForm){
  if( nArg<nMin || nArg>nMax ){
    sqlxBad(p, "%d given; allowed is %s", nArg, zForm);
  }
  return p->rc==SQLITE_OK;
}

void argsEndNull(Sqlx *p, sqlite3_context *ctx){ argsEndText(p, ctx, 0); }

void argsEndText(Sqlx *p, sqlite3_context *ctx, const char *z){
  if( p->rc!=SQLITE_OK ){
    sqlxResultError(p, ctx);
  }else if( z ){
    sqlite3_result_text(ctx, z, -1, SQLITE_TRANSIENT);
  }
  sqlxEnd(p);
}

void argsEndInteger(Sqlx *p, sqlite3_context *ctx, sqlite3_int64 i){
  if( p->rc!=SQLITE_OK ){
    sqlxResultError(p, ctx);
  }else{
    sqlite3_result_int64(ctx, i);
  }
  sqlxEnd(p);
}

void argsEndFound(Sqlx *p, sqlite3_context *ctx, sqlite3_int64 i){
  if( i ){
    argsEndInteger(p, ctx, i);
  }else{
    argsEndNull(p, ctx);
  }
}
