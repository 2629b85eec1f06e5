/* SPDX-License-Identifier: 0BSD */
/*
** Keys of locks in SQL. See lockkey.h.
*/
#include <string.h>
#include "session/lockkey.h"
#include "sqlite/args.h"
SQLITE_EXTENSION_INIT3

#define NAME_CHARACTERS 64     /* of a name, at most */

/* ---- from arguments --------------------------------------------------- */

static int keyTooLong(Sqlx *p, const char *zWhat, int nData){
  if( nData<=(int)LIMIT_KEY ) return 0;
  sqlxBad(p, "%s has %d bytes; allowed are %d", zWhat, nData, (int)LIMIT_KEY);
  return 1;
}

/* Makes a key that is not too long. */
static int makeKey(Sqlx *p, LockKey *pKey, int eKind, const void *pData,
                   int nData){
  if( p->rc==SQLITE_OK ) keyMake(pKey, eKind, pData, (u32)nData);
  return p->rc==SQLITE_OK;
}

static int integerKey(Sqlx *p, sqlite3_value *pVal, const char *zWhat,
                      LockKey *pKey){
  i64 i = argsInteger(p, pVal, zWhat);
  return makeKey(p, pKey, KEY_INTEGER, &i, sizeof(i));
}

static int pairKey(Sqlx *p, sqlite3_value **apArg, LockKey *pKey){
  static const char *const azWhat[] = { "first key", "second key" };
  i32 a[2];
  int i;
  for(i=0; i<2; i++){
    i64 iArg = argsInteger(p, apArg[i], azWhat[i]);
    if( iArg<INT32_MIN || iArg>INT32_MAX ){
      sqlxBad(p, "%s is %lld; allowed is -2147483648 to 2147483647", azWhat[i],
              (sqlite3_int64)iArg);
    }
    a[i] = (i32)iArg;
  }
  return p->rc==SQLITE_OK && makeKey(p, pKey, KEY_PAIR, a, sizeof(a));
}

/* The bytes of a TEXT or BLOB. The length is checked first, so that SQLite does
** not expand a zeroblob that is too long. */
static int bytesKey(Sqlx *p, sqlite3_value *pVal, const char *zWhat,
                    LockKey *pKey){
  int bText = sqlite3_value_type(pVal)==SQLITE_TEXT;
  const void *pData;
  int nData = sqlite3_value_bytes(pVal);
  if( keyTooLong(p, zWhat, nData) ) return 0;
  pData = bText ? (const void*)sqlite3_value_text(pVal)
                : sqlite3_value_blob(pVal);
  nData = sqlite3_value_bytes(pVal);
  if( pData==0 && (bText || nData>0) ){
    p->rc = SQLITE_NOMEM;
    return 0;
  }
  if( keyTooLong(p, zWhat, nData) ) return 0;
  return makeKey(p, pKey, bText ? KEY_TEXT : KEY_BLOB, pData, nData);
}

int lockkeyValue(Sqlx *p, sqlite3_value *pVal, const char *zWhat,
                 LockKey *pKey){
  if( p->rc!=SQLITE_OK ) return 0;
  switch( sqlite3_value_type(pVal) ){
    case SQLITE_TEXT:
    case SQLITE_BLOB:
      return bytesKey(p, pVal, zWhat, pKey);
    case SQLITE_NULL:
      sqlxBad(p, "%s is NULL; allowed is INTEGER, TEXT or BLOB", zWhat);
      return 0;
    default:
      return integerKey(p, pVal, zWhat, pKey);
  }
}

int lockkeyArgs(Sqlx *p, int nArg, sqlite3_value **apArg, LockKey *pKey){
  if( nArg!=2 ) return lockkeyValue(p, apArg[0], "key", pKey);
  return p->rc==SQLITE_OK && pairKey(p, apArg, pKey);
}

int lockkeyIntegers(Sqlx *p, int nArg, sqlite3_value **apArg, LockKey *pKey){
  if( p->rc!=SQLITE_OK ) return 0;
  return nArg==2 ? pairKey(p, apArg, pKey)
                 : integerKey(p, apArg[0], "key", pKey);
}

/* How many bytes the UTF-8 character at z has. */
static int characterBytes(const char *z){
  int n = 1;
  while( (z[n] & 0xC0)==0x80 ) n++;
  return n;
}

int lockkeyName(Sqlx *p, sqlite3_value *pVal, LockKey *pKey){
  const char *z = argsText(p, pVal, "name");
  int i, n = 0;
  if( z==0 || p->rc!=SQLITE_OK ) return 0;
  for(i=0; z[i]; i+=characterBytes(&z[i])) n++;
  if( n>NAME_CHARACTERS ){
    sqlxBad(p, "name has %d characters; allowed are %d", n, NAME_CHARACTERS);
    return 0;
  }
  if( keyTooLong(p, "name", i) ) return 0;
  return keyMakeFolded(pKey, KEY_NAME, z, (u32)i)==LOCK_OK;
}

int lockkeyNamed(
  Sqlx *p,
  sqlite3_value *pVal,
  const char *zWhat,
  int eKind,
  LockKey *pKey
){
  const char *z = argsText(p, pVal, zWhat);
  if( z==0 || p->rc!=SQLITE_OK || keyTooLong(p, zWhat, (int)strlen(z)) ){
    return 0;
  }
  return makeKey(p, pKey, eKind, z, (int)strlen(z));
}

/* ---- keys of tables and rows ------------------------------------------ */

int lockkeyTable(Sqlx *p, const char *zTable, LockKey *pKey){
  size_t n = strlen(zTable);
  if( n>LIMIT_KEY ){
    sqlxBad(p, "the name of table %.40s... has %d bytes; allowed are %d",
            zTable, (int)n, (int)LIMIT_KEY);
  }
  return p->rc==SQLITE_OK
      && keyMakeFolded(pKey, KEY_TABLE, zTable, (u32)n)==LOCK_OK;
}

int lockkeyRow(
  Sqlx *p,
  const LockKey *pTable,
  const KeyValue *aVal,
  int nVal,
  LockKey *pKey
){
  if( nVal>(int)KEY_VALUES ){
    sqlxBad(p, "a key of table %.*s has %d columns; allowed are %d to lock a"
        " row", (int)pTable->nKey, (const char*)pTable->a, nVal,
        (int)KEY_VALUES);
  }else if( keyRowBytes(pTable, aVal, (u32)nVal)>LIMIT_KEY ){
    sqlxBad(p, "a key of table %.*s is too long; allowed are %d bytes together"
        " with the table's name", (int)pTable->nKey, (const char*)pTable->a,
        (int)LIMIT_KEY);
  }
  return p->rc==SQLITE_OK
      && keyMakeRow(pKey, pTable, aVal, (u32)nVal)==LOCK_OK;
}

/* ---- into texts and results ------------------------------------------- */

static void appendHex(sqlite3_str *pStr, const u8 *pKey, u32 nKey){
  u32 i;
  sqlite3_str_appendall(pStr, "x'");
  for(i=0; i<nKey; i++) sqlite3_str_appendf(pStr, "%02x", pKey[i]);
  sqlite3_str_appendall(pStr, "'");
}

static void appendValue(sqlite3_str *pStr, const KeyValue *pVal){
  switch( pVal->eType ){
    case KEY_VALUE_INTEGER:
      sqlite3_str_appendf(pStr, "%lld", (sqlite3_int64)pVal->i);
      break;
    case KEY_VALUE_REAL:
      sqlite3_str_appendf(pStr, "%!.15g", pVal->r);
      break;
    case KEY_VALUE_TEXT:
      sqlite3_str_appendf(pStr, "'%.*q'", (int)pVal->n, (const char*)pVal->p);
      break;
    default:
      appendHex(pStr, pVal->p, pVal->n);
      break;
  }
}

/* Appends the values of a row's key, separated by commas. */
static void appendRowKey(sqlite3_str *pStr, const u8 *pKey, u32 nKey){
  KeyReader r = keyReader(pKey, nKey);
  KeyValue val;
  const char *zSep = "";
  while( keyNext(&r, &val) ){
    sqlite3_str_appendall(pStr, zSep);
    appendValue(pStr, &val);
    zSep = ",";
  }
}

void lockkeyAppend(sqlite3_str *pStr, u32 eKind, const u8 *pKey, u32 nKey){
  i64 i = 0;
  i32 a[2] = { 0, 0 };
  switch( eKind ){
    case KEY_INTEGER:
      memcpy(&i, pKey, nKey<sizeof(i) ? nKey : sizeof(i));
      sqlite3_str_appendf(pStr, "%lld", (sqlite3_int64)i);
      break;
    case KEY_PAIR:
      memcpy(a, pKey, nKey<sizeof(a) ? nKey : sizeof(a));
      sqlite3_str_appendf(pStr, "(%d,%d)", a[0], a[1]);
      break;
    case KEY_TEXT:
    case KEY_NAME:
    case KEY_SEMAPHORE:
    case KEY_LISTEN:
    case KEY_NOTIFY:
      sqlite3_str_appendf(pStr, "'%.*q'", (int)nKey, (const char*)pKey);
      break;
    case KEY_TURN:
      sqlite3_str_appendall(pStr, "the turn to write");
      break;
    case KEY_TABLE:
      sqlite3_str_append(pStr, (const char*)pKey, (int)nKey);
      break;
    case KEY_ROW:
      sqlite3_str_append(pStr, (const char*)pKey,
                         (int)keyTableBytes(eKind, pKey, nKey));
      sqlite3_str_appendall(pStr, "(");
      appendRowKey(pStr, pKey, nKey);
      sqlite3_str_appendall(pStr, ")");
      break;
    default:
      appendHex(pStr, pKey, nKey);
      break;
  }
}

const char *lockkeyText(Sqlx *p, const LockKey *pKey){
  sqlite3_str *pStr = sqlite3_str_new(p->db);
  lockkeyAppend(pStr, pKey->eKind, (const u8*)pKey->a, pKey->nKey);
  return sqlxText(p, pStr);
}

/* Sets a finished string builder as the result. */
static void resultText(sqlite3_context *ctx, sqlite3_str *pStr){
  char *z = sqlite3_str_finish(pStr);
  if( z ){
    sqlite3_result_text(ctx, z, -1, sqlite3_free);
  }else{
    sqlite3_result_error_nomem(ctx);
  }
}

/* Sets a row's key as the result. */
static void resultRow(sqlite3_context *ctx, const u8 *pKey, u32 nKey){
  KeyReader r = keyReader(pKey, nKey);
  u32 nVal = r.nType;
  sqlite3_str *pStr;
  KeyValue val;
  if( nVal!=1 ){
    pStr = sqlite3_str_new(sqlite3_context_db_handle(ctx));
    sqlite3_str_appendall(pStr, "(");
    appendRowKey(pStr, pKey, nKey);
    sqlite3_str_appendall(pStr, ")");
    resultText(ctx, pStr);
  }else if( keyNext(&r, &val) ){
    switch( val.eType ){
      case KEY_VALUE_INTEGER:
        sqlite3_result_int64(ctx, val.i);
        break;
      case KEY_VALUE_REAL:
        sqlite3_result_double(ctx, val.r);
        break;
      case KEY_VALUE_TEXT:
        sqlite3_result_text(ctx, (const char*)val.p, (int)val.n,
                            SQLITE_TRANSIENT);
        break;
      default:
        sqlite3_result_blob(ctx, val.p, (int)val.n, SQLITE_TRANSIENT);
        break;
    }
  }
}

void lockkeyResult(sqlite3_context *ctx, u32 eKind, const u8 *pKey, u32 nKey){
  i64 i = 0;
  sqlite3_str *pStr;
  switch( eKind ){
    case KEY_INTEGER:
      memcpy(&i, pKey, nKey<sizeof(i) ? nKey : sizeof(i));
      sqlite3_result_int64(ctx, i);
      return;
    case KEY_TEXT:
    case KEY_NAME:
    case KEY_SEMAPHORE:
    case KEY_LISTEN:
    case KEY_NOTIFY:
      sqlite3_result_text(ctx, (const char*)pKey, (int)nKey, SQLITE_TRANSIENT);
      return;
    case KEY_TURN:
    case KEY_TABLE:
      return;
    case KEY_ROW:
      resultRow(ctx, pKey, nKey);
      return;
    case KEY_PAIR:
      break;
    default:
      sqlite3_result_blob(ctx, pKey, (int)nKey, SQLITE_TRANSIENT);
      return;
  }
  pStr = sqlite3_str_new(sqlite3_context_db_handle(ctx));
  lockkeyAppend(pStr, eKind, pKey, nKey);
  resultText(ctx, pStr);
}
