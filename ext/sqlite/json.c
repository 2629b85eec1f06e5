/* SPDX-License-Identifier: 0BSD */
/*
** Values as JSON, and texts from it. See json.h.
*/
#include <stdlib.h>
#include <string.h>
#include "sqlite/json.h"
SQLITE_EXTENSION_INIT3

void jsonString(sqlite3_str *pStr, const char *z, u32 n){
  u32 i;
  sqlite3_str_appendchar(pStr, 1, '"');
  for(i=0; i<n; i++){
    unsigned char c = (unsigned char)z[i];
    if( c=='"' || c=='\\' ){
      sqlite3_str_appendf(pStr, "\\%c", c);
    }else if( c<0x20 ){
      sqlite3_str_appendf(pStr, "\\u%04x", c);
    }else{
      sqlite3_str_appendchar(pStr, 1, (char)c);
    }
  }
  sqlite3_str_appendchar(pStr, 1, '"');
}

/* The shortest text that gives the same number again. JSON has no infinity; a
** number that is too large stands for it, as in SQLite's own JSON. */
static void appendReal(sqlite3_str *pStr, double r){
  char z[40];
  if( r-r!=0.0 ){
    sqlite3_str_appendall(pStr, r>0.0 ? "9e999" : "-9e999");
    return;
  }
  sqlite3_snprintf((int)sizeof(z), z, "%!.15g", r);
  if( strtod(z, 0)!=r ) sqlite3_snprintf((int)sizeof(z), z, "%!.17g", r);
  sqlite3_str_appendall(pStr, z);
}

int jsonValue(sqlite3_str *pStr, sqlite3_value *pVal){
  const char *z;
  switch( sqlite3_value_type(pVal) ){
    case SQLITE_INTEGER:
      sqlite3_str_appendf(pStr, "%lld", sqlite3_value_int64(pVal));
      break;
    case SQLITE_FLOAT:
      appendReal(pStr, sqlite3_value_double(pVal));
      break;
    case SQLITE_TEXT:
      z = (const char*)sqlite3_value_text(pVal);
      if( z==0 ) return 0;
      jsonString(pStr, z, (u32)sqlite3_value_bytes(pVal));
      break;
    default:
      sqlite3_str_appendall(pStr, "null");
      break;
  }
  return 1;
}

/* ---- texts from JSON -------------------------------------------------- */

int jsonHasNul(const char *zJson){
  return strstr(zJson, "\\u0000") || strstr(zJson, "\\x00")
      || strstr(zJson, "\\0");
}

/* The number of the four hex digits at z. */
static u32 hexNumber(const char *z){
  u32 u = 0;
  int i;
  for(i=0; i<4; i++){
    char c = z[i];
    u = u*16 + (u32)(c>='a' ? c-'a'+10 : c>='A' ? c-'A'+10 : c-'0');
  }
  return u;
}

/* Writes a character as UTF-8. Returns its bytes. A surrogate that is not one
** of a pair has three, as in SQLite's own JSON. */
static int putCharacter(char *z, u32 u){
  static const u32 aFirst[] = { 0, 0, 0xc0, 0xe0, 0xf0 };
  int n = u<0x80 ? 1 : u<0x800 ? 2 : u<0x10000 ? 3 : 4, i;
  for(i=n-1; i>0; i--, u>>=6) z[i] = (char)(0x80 | (u & 0x3f));
  z[0] = (char)(aFirst[n] | u);
  return n;
}

/* Reads the character that \u begins at z, and returns where it ends. */
static const char *readUnicode(const char *z, u32 *pu){
  u32 u = hexNumber(&z[2]), uLow;
  *pu = u;
  z += 6;
  if( (u & 0xfc00)!=0xd800 || z[0]!='\\' || z[1]!='u' ) return z;
  uLow = hexNumber(&z[2]);
  if( (uLow & 0xfc00)!=0xdc00 ) return z;
  *pu = 0x10000 + ((u & 0x3ff)<<10) + (uLow & 0x3ff);
  return &z[6];
}

/* Decodes the JSON string at z, which SQLite has written, into zOut. Returns
** its bytes. */
static int decodeString(const char *z, char *zOut){
  static const char zFrom[] = "bfnrt", zTo[] = "\b\f\n\r\t";
  int n = 0;
  for(z++; *z && *z!='"'; ){
    const char *zWhich;
    u32 u;
    if( z[0]!='\\' ){
      zOut[n++] = *z++;
    }else if( z[1]=='u' ){
      z = readUnicode(z, &u);
      n += putCharacter(&zOut[n], u);
    }else{
      zWhich = z[1] ? strchr(zFrom, z[1]) : 0;
      zOut[n++] = zWhich ? zTo[zWhich-zFrom] : z[1];
      z += 2;
    }
  }
  return n;
}

/* Where the JSON value at z, which SQLite has written, ends. */
static const char *afterValue(const char *z){
  int nDepth = 0;
  do{
    if( *z=='"' ){
      for(z++; *z && *z!='"'; z++) z += z[0]=='\\' && z[1];
    }else if( *z=='[' || *z=='{' ){
      nDepth++;
    }else if( *z==']' || *z=='}' ){
      nDepth--;
    }
    if( *z ) z++;
    if( nDepth>0 ) continue;
    if( strchr("\"]}", z[-1]) ) continue;
    while( *z && !strchr(",]}", *z) ) z++;             /* of a number, a word */
  }while( *z && nDepth>0 );
  return z;
}

void jsontextsBegin(JsonTexts *p, Sqlx *x, const char *zJson){
  sqlite3_stmt *pStmt = sqlxPrepare(x, "SELECT json(?1)");
  memset(p, 0, sizeof(*p));
  p->x = x;
  if( pStmt ) sqlite3_bind_text(pStmt, 1, zJson, -1, SQLITE_STATIC);
  if( sqlxStep(x, pStmt) ) p->zAll = sqlxColumn(x, pStmt, 0);
  sqlxFinalize(x, pStmt);
  p->pStmt = sqlxPrepare(x, "SELECT ?1");
}

void jsontextsEnd(JsonTexts *p){
  sqlite3_finalize(p->pStmt);
  p->pStmt = 0;
}

/* Goes to element i: behind its name, in an object. NULL if there is none. */
static const char *goTo(JsonTexts *p, int i){
  int bObject = p->zAll[0]=='{';
  if( p->z==0 || i<p->i ){
    p->z = p->zAll;
    p->i = -1;
  }
  while( p->i<i && *p->z ){
    if( p->i>=0 ) p->z = afterValue(p->z);
    if( *p->z ) p->z++;                /* the bracket, or a comma */
    if( bObject ) p->z = afterValue(p->z);
    if( bObject && *p->z ) p->z++;
    p->i++;
  }
  return *p->z=='"' ? p->z : 0;
}

sqlite3_value *jsontextsAt(JsonTexts *p, int i){
  Sqlx *x = p->x;
  const char *z = x->rc==SQLITE_OK && p->zAll ? goTo(p, i) : 0;
  char *zOut;
  int n;
  if( z==0 ){
    sqlxBad(x, "a text with a NUL character was not found again in JSON;"
               " allowed are others");
    return 0;
  }
  zOut = sqlxAlloc(x, (sqlite3_uint64)(afterValue(z) - z));
  if( zOut==0 ) return 0;
  n = decodeString(z, zOut);
  sqlite3_reset(p->pStmt);
  if( sqlite3_bind_text(p->pStmt, 1, zOut, n, SQLITE_STATIC) ){
    x->rc = SQLITE_NOMEM;
  }
  return sqlxStep(x, p->pStmt) ? sqlite3_column_value(p->pStmt, 0) : 0;
}
