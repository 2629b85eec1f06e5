/* SPDX-License-Identifier: 0BSD */
/*
** Whether a statement calls a function. See sqlcall.h.
*/
#include <string.h>
#include "sqlite/sqlcall.h"
#include "sqlite/sqltoken.h"

#define MAX_DEPTH 100    /* brackets; deeper ones are taken to call nothing */

/* What a level of brackets contains. */
enum {
  IN_EXPRESSIONS = 0,
  IN_TABLES,             /* a list of tables, of FROM or WITH */
  IN_CAST,               /* a CAST, before its AS */
  IN_TYPE                /* a type; no call can follow in these brackets */
};

/* A text that is being read, token by token. */
typedef struct Text {
  const char *zEnd;
  SqlToken prev;         /* before t; SQLTOKEN_END at the beginning */
  SqlToken t;
  int bDistinctFrom;     /* the last FROM is that of IS DISTINCT FROM */
  int bStringTable;      /* there was INTO 'table' */
  int nDepth;
  unsigned char aIn[MAX_DEPTH+1];
} Text;

static int level(const Text *p){
  return p->nDepth<=MAX_DEPTH ? p->aIn[p->nDepth] : IN_TYPE;
}

static void setLevel(Text *p, int eIn){
  if( p->nDepth<=MAX_DEPTH ) p->aIn[p->nDepth] = (unsigned char)eIn;
}

static void textNext(Text *p){
  p->prev = p->t;
  p->t = sqltokenNext(&p->t, p->zEnd);
}

static void textBegin(Text *p, const char *z){
  p->zEnd = z + strlen(z);
  p->t = sqltokenAt(z, p->zEnd);
  if( p->t.kind==SQLTOKEN_SPACE ) textNext(p);
  p->prev.kind = SQLTOKEN_END;
  p->bDistinctFrom = 0;
  p->bStringTable = 0;
  p->nDepth = 0;
  p->aIn[0] = IN_EXPRESSIONS;
}

/* Whether the token is one of these keywords, a list that ends with NULL. */
static int isOneOf(const SqlToken *p, const char *const *azWord){
  if( p->kind!=SQLTOKEN_WORD ) return 0;
  while( *azWord && !sqltokenIsWord(p, *azWord) ) azWord++;
  return *azWord!=0;
}

static void readOpen(Text *p){
  static const char *const azList[] = { "FROM", "JOIN", 0 };
  int eIn = level(p), eNew = IN_EXPRESSIONS;
  if( eIn==IN_TYPE ){
    eNew = IN_TYPE;
  }else if( sqltokenIsWord(&p->prev, "CAST") ){
    eNew = IN_CAST;
  }else if( eIn==IN_TABLES
         && (isOneOf(&p->prev, azList) || sqltokenIsByte(&p->prev, ',')
          || sqltokenIsByte(&p->prev, '(')) ){
    eNew = IN_TABLES;
  }
  p->nDepth++;
  setLevel(p, eNew);
}

static void readWord(Text *p){
  static const char *const azEnd[] = {
    "SELECT", "WHERE", "GROUP", "ORDER", "HAVING", "LIMIT", "SET", "RETURNING",
    "VALUES", 0
  };
  int eIn = level(p);
  if( eIn==IN_TYPE ) return;
  if( eIn==IN_CAST ){
    if( sqltokenIsWord(&p->t, "AS") ) setLevel(p, IN_TYPE);
  }else if( sqltokenIsWord(&p->t, "FROM") ){
    p->bDistinctFrom = sqltokenIsWord(&p->prev, "DISTINCT");
    if( !p->bDistinctFrom ) setLevel(p, IN_TABLES);
  }else if( sqltokenIsWord(&p->t, "WITH") ){
    setLevel(p, IN_TABLES);
  }else if( eIn==IN_TABLES && isOneOf(&p->t, azEnd) ){
    setLevel(p, IN_EXPRESSIONS);
  }
}

/* Takes note of what this token means for those after it. */
static void readToken(Text *p){
  switch( p->t.kind ){
    case SQLTOKEN_WORD:
      readWord(p);
      break;
    case SQLTOKEN_STRING:
      if( sqltokenIsWord(&p->prev, "INTO") ) p->bStringTable = 1;
      break;
    case SQLTOKEN_OTHER:
      if( *p->t.z=='(' ) readOpen(p);
      if( *p->t.z==')' && p->nDepth>0 ) p->nDepth--;
      if( *p->t.z==';' ) setLevel(p, IN_EXPRESSIONS);
      break;
    default:
      break;
  }
}

/* Whether an expression can follow the token before. */
static int isExpression(const Text *p){
  static const char *const azBefore[] = {
    "SELECT", "DISTINCT", "ALL", "WHERE", "AND", "OR", "NOT", "ON", "IS",
    "CASE", "WHEN", "THEN", "ELSE", "BETWEEN", "LIKE", "GLOB", "MATCH",
    "REGEXP", "ESCAPE", "BY", "HAVING", "LIMIT", "OFFSET", "RETURNING", 0
  };
  const SqlToken *pPrev = &p->prev;
  int eIn = level(p);
  if( eIn==IN_TYPE ) return 0;
  if( sqltokenIsWord(pPrev, "FROM") ) return p->bDistinctFrom;
  if( pPrev->kind!=SQLTOKEN_OTHER ) return isOneOf(pPrev, azBefore);
  if( pPrev->n!=1 || strchr(",(+-*/%<>=|&~", *pPrev->z)==0 ) return 0;
  return eIn!=IN_TABLES || (*pPrev->z!=',' && *pPrev->z!='(');
}

/* Whether the call that begins here, with its bracket at pOpen, is one that
** FTS3 has written. */
static int isOfFts(const Text *p, const SqlToken *pOpen){
  SqlToken t = sqltokenNext(pOpen, p->zEnd);
  if( p->t.kind!=SQLTOKEN_QUOTED ) return 0;
  if( p->bStringTable && sqltokenIsByte(&t, '?') ) return 1;
  if( !sqltokenIsWord(&t, "x") ) return 0;
  t = sqltokenNext(&t, p->zEnd);
  if( !sqltokenIsByte(&t, '.') ) return 0;
  return sqltokenNext(&t, p->zEnd).kind==SQLTOKEN_STRING;
}

static int isCall(const Text *p, const char *zName){
  SqlToken next;
  if( !sqltokenIsName(&p->t, zName) ) return 0;
  next = sqltokenNext(&p->t, p->zEnd);
  return sqltokenIsByte(&next, '(') && isExpression(p) && !isOfFts(p, &next);
}

/* Skips what comes before the part of a statement that calls functions; 0 if it
** has none. */
static int skipHead(Text *p){
  static const char *const azRows[] = {
    "SELECT", "INSERT", "UPDATE", "DELETE", "WITH", "REPLACE", "VALUES", 0
  };
  static const char *const azQuery[] = { "TABLE", "VIEW", 0 };
  static const char *const azTemp[] = { "TEMP", "TEMPORARY", 0 };
  if( isOneOf(&p->t, azRows) ) return 1;
  if( !sqltokenIsWord(&p->t, "CREATE") ) return 0;
  textNext(p);
  if( isOneOf(&p->t, azTemp) ) textNext(p);
  if( sqltokenIsWord(&p->t, "TRIGGER") ) return 1;
  if( !isOneOf(&p->t, azQuery) ) return 0;
  while( p->t.kind!=SQLTOKEN_END ){
    readToken(p);
    textNext(p);
    if( p->nDepth==0 && sqltokenIsWord(&p->t, "AS") ) return 1;
  }
  return 0;
}

SqlCall sqlcallIn(const char *zText, const char *zName, int nMax){
  Text text;
  textBegin(&text, zText);
  if( !skipHead(&text) ) return SQLCALL_NONE;
  while( text.t.kind!=SQLTOKEN_END ){
    if( text.t.z - zText>=nMax ) return SQLCALL_UNREAD;
    if( isCall(&text, zName) ) return SQLCALL_FOUND;
    readToken(&text);
    textNext(&text);
  }
  return SQLCALL_NONE;
}
