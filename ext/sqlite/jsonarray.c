/* SPDX-License-Identifier: 0BSD */
/*
** Reading a JSON array. See jsonarray.h.
*/
#include <string.h>
#include "sqlite/jsonarray.h"
SQLITE_EXTENSION_INIT3

/* ---- simple arrays ---------------------------------------------------- */

#define DIGITS 18              /* a number of fewer fits into 64 bits */

static const char *afterSpace(const char *z){
  while( *z==' ' || *z=='\t' || *z=='\n' || *z=='\r' ) z++;
  return z;
}

/* Reads an integer, and returns where it ends; NULL if there is none. JSON has
** no zeroes in front of a number. */
static const char *readInteger(const char *z, JsonSimple *p){
  int bMinus = *z=='-', n = 0;
  sqlite3_int64 i = 0;
  z += bMinus;
  for(; z[n]>='0' && z[n]<='9' && n<DIGITS; n++) i = i*10 + (z[n]-'0');
  if( n==0 || n==DIGITS || (z[0]=='0' && n>1) ) return 0;
  p->z = 0;
  p->i = bMinus ? -i : i;
  return &z[n];
}

/* Reads a text, and returns where it ends; NULL if it is not simple. */
static const char *readText(const char *z, JsonSimple *p){
  int n = 0;
  z++;
  while( (unsigned char)z[n]>=0x20 && z[n]!='"' && z[n]!='\\' ) n++;
  p->z = z;
  p->n = n;
  return z[n]=='"' ? &z[n+1] : 0;
}

int jsonarraySimple(const char *zJson, JsonSimple *a, int mx){
  const char *z = afterSpace(zJson);
  int n = 0;
  if( *z!='[' ) return 0;
  do{
    z = afterSpace(z+1);
    if( n==mx ) return 0;
    z = *z=='"' ? readText(z, &a[n]) : readInteger(z, &a[n]);
    if( z==0 ) return 0;
    n++;
    z = afterSpace(z);
  }while( *z==',' );
  return *z==']' && *afterSpace(z+1)==0 ? n : 0;
}

/* ---- any array -------------------------------------------------------- */

/* ?1 is the text, ?2 and those after it are the paths of the elements. */
#define ELEMENT(i) ",json_type(?1,?" #i "),json_extract(?1,?" #i ")"
static const char zRead[] =
  "SELECT json_type(?1),json_array_length(?1)"
  ELEMENT(2) ELEMENT(3) ELEMENT(4) ELEMENT(5)
  ELEMENT(6) ELEMENT(7) ELEMENT(8) ELEMENT(9)
  ELEMENT(10) ELEMENT(11) ELEMENT(12) ELEMENT(13)
  ELEMENT(14) ELEMENT(15) ELEMENT(16) ELEMENT(17);
enum { COLUMN_TYPE, COLUMN_LENGTH, COLUMN_ELEMENTS };

/* Binds the paths of the run that begins with element iFirst. */
static int bindPaths(JsonArray *p, int iFirst){
  static const char *const azFirst[JSONARRAY_RUN] = {
    "$[0]", "$[1]", "$[2]", "$[3]", "$[4]", "$[5]", "$[6]", "$[7]",
    "$[8]", "$[9]", "$[10]", "$[11]", "$[12]", "$[13]", "$[14]", "$[15]"
  };
  int k, rc = SQLITE_OK;
  for(k=0; k<JSONARRAY_RUN && rc==SQLITE_OK; k++){
    const char *z = azFirst[k];
    if( iFirst>0 ){
      z = p->aPath[k];
      sqlite3_snprintf((int)sizeof(p->aPath[k]), p->aPath[k], "$[%d]",
                       iFirst+k);
    }
    rc = sqlite3_bind_text(p->pStmt, 2+k, z, -1, SQLITE_STATIC);
  }
  return rc;
}

/* Reads the elements from iFirst on. */
static void readFrom(JsonArray *p, int iFirst){
  Sqlx *x = p->x;
  int rc = SQLITE_OK;
  if( x->rc!=SQLITE_OK ) return;
  sqlite3_reset(p->pStmt);
  if( iFirst!=p->iFirst ) rc = bindPaths(p, iFirst);
  if( rc!=SQLITE_OK ) sqlxFail(x, rc, "%s", sqlite3_errmsg(x->db));
  p->iFirst = iFirst;
  sqlxStep(x, p->pStmt);
}

/* A statement that is kept has the paths of the first run. */
static int takeStatement(JsonArray *p){
  int k;
  for(k=0; k<2 && p->pKept && p->pStmt==0; k++){
    p->pStmt = p->pKept->apFree[k];
    p->pKept->apFree[k] = 0;
  }
  if( p->pStmt ) return SQLITE_OK;
  p->pStmt = sqlxPrepare(p->x, "%s", zRead);
  return p->pStmt ? bindPaths(p, 0) : SQLITE_OK;
}

void jsonarrayBegin(
  JsonArray *p,
  Sqlx *x,
  JsonKept *pKept,
  const char *zJson,
  const char *zWhat
){
  int rc;
  memset(p, 0, sizeof(*p));
  p->x = x;
  p->pKept = pKept;
  p->n = -1;
  if( x->rc!=SQLITE_OK ) return;
  p->zJson = zJson;
  p->bNul = jsonHasNul(zJson);
  rc = takeStatement(p);
  if( x->rc!=SQLITE_OK ) return;
  if( rc==SQLITE_OK ){
    rc = sqlite3_bind_text(p->pStmt, 1, zJson, -1, SQLITE_STATIC);
  }
  if( rc!=SQLITE_OK ) sqlxFail(x, rc, "%s", sqlite3_errmsg(x->db));
  readFrom(p, 0);
  if( x->rc==SQLITE_ERROR ){
    sqlxClear(x);
    sqlxBad(x, "%s is malformed JSON; allowed is a JSON array", zWhat);
  }
  if( strcmp(jsonarrayType(p), "array")==0 ){
    p->n = sqlite3_column_int(p->pStmt, COLUMN_LENGTH);
  }
}

/* The type of what a column of types says; "" with an error. */
static const char *typeIn(JsonArray *p, int iCol){
  const char *z;
  if( p->x->rc!=SQLITE_OK ) return "";
  z = (const char*)sqlite3_column_text(p->pStmt, iCol);
  if( z==0 ) p->x->rc = SQLITE_NOMEM;
  return z ? z : "";
}

const char *jsonarrayType(JsonArray *p){ return typeIn(p, COLUMN_TYPE); }

/* Element i, a text of an array in which one can have a NUL character. */
static sqlite3_value *wholeText(JsonArray *p, int i){
  if( p->texts.x==0 ) jsontextsBegin(&p->texts, p->x, p->zJson);
  return jsontextsAt(&p->texts, i);
}

sqlite3_value *jsonarrayElement(JsonArray *p, int i, const char **pzType){
  int iCol;
  if( i<p->iFirst || i>=p->iFirst+JSONARRAY_RUN ){
    readFrom(p, i - i%JSONARRAY_RUN);
  }
  iCol = COLUMN_ELEMENTS + 2*(i - p->iFirst);
  *pzType = typeIn(p, iCol);
  if( p->bNul && strcmp(*pzType, "text")==0 ) return wholeText(p, i);
  return p->x->rc==SQLITE_OK ? sqlite3_column_value(p->pStmt, iCol+1) : 0;
}

/* After an error the statement is not kept. */
void jsonarrayEnd(JsonArray *p){
  sqlite3_stmt *pStmt = p->pStmt;
  int k, bKeep;
  jsontextsEnd(&p->texts);
  if( pStmt==0 ) return;
  sqlite3_reset(pStmt);
  bKeep = p->pKept && p->x->rc==SQLITE_OK
       && sqlite3_bind_null(pStmt, 1)==SQLITE_OK
       && (p->iFirst==0 || bindPaths(p, 0)==SQLITE_OK);
  p->pStmt = 0;
  for(k=0; k<2 && bKeep; k++){
    if( p->pKept->apFree[k] ) continue;
    p->pKept->apFree[k] = pStmt;
    return;
  }
  sqlite3_finalize(pStmt);
}

void jsonarrayForget(JsonKept *p){
  int k;
  for(k=0; k<2; k++){
    sqlite3_stmt *pStmt = p->apFree[k];
    p->apFree[k] = 0;
    sqlite3_finalize(pStmt);
  }
}
