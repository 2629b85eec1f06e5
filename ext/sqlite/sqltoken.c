/* SPDX-License-Identifier: 0BSD */
/*
** SQL text as tokens. See sqltoken.h.
*/
#include <string.h>
#include "sqlite/sqltoken.h"

static int isSpace(unsigned char c){
  return c==' ' || (c>='\t' && c<='\r');
}

static int isDigit(unsigned char c){
  return c>='0' && c<='9';
}

/* Whether a name can have this byte. SQLite allows every byte of a non-ASCII
** character. */
static int isName(unsigned char c){
  return (c>='a' && c<='z') || (c>='A' && c<='Z') || isDigit(c)
      || c=='_' || c=='$' || c>=0x80;
}

static char lower(char c){
  return c>='A' && c<='Z' ? (char)(c + ('a' - 'A')) : c;
}

/* The end of a quoted token that starts at z: the byte behind it. */
static const char *quotedEnd(const char *z, const char *zEnd){
  char cClose = *z=='[' ? ']' : *z;
  const char *zStart = z;
  for(z++; z<zEnd; z++){
    if( *z!=cClose ) continue;
    if( z+1<zEnd && z[1]==cClose && *zStart!='[' ){
      z++;
    }else{
      return z+1;
    }
  }
  return zEnd;
}

/* Whether a byte order mark starts at z: to SQLite it is white space. */
static int isMark(const char *z, const char *zEnd){
  return zEnd-z>=3 && memcmp(z, "\xef\xbb\xbf", 3)==0;
}

/* The end of the white space and comments that start at z. */
static const char *spaceEnd(const char *z, const char *zEnd){
  while( z<zEnd ){
    if( isSpace((unsigned char)*z) ){
      z++;
    }else if( isMark(z, zEnd) ){
      z += 3;
    }else if( z+1<zEnd && z[0]=='-' && z[1]=='-' ){
      while( z<zEnd && *z!='\n' ) z++;
    }else if( z+1<zEnd && z[0]=='/' && z[1]=='*' ){
      z += 2;
      while( z<zEnd && !(z[0]=='*' && z+1<zEnd && z[1]=='/') ) z++;
      z = z+2<zEnd ? z+2 : zEnd;
    }else{
      break;
    }
  }
  return z;
}

/* The end of a variable that starts at z. Its name may have a suffix in
** brackets, which do not count as brackets of the expression. */
static const char *variableEnd(const char *z, const char *zEnd){
  int n = 0;
  for(z++; z<zEnd; z++){
    if( isName((unsigned char)*z) ){
      n++;
    }else if( *z=='(' && n>0 ){
      while( z<zEnd && *z!=')' && !isSpace((unsigned char)*z) ) z++;
      return z<zEnd && *z==')' ? z+1 : z;
    }else if( zEnd-z>=2 && z[0]==':' && z[1]==':' ){
      z++;
    }else{
      break;
    }
  }
  return z;
}

/* The token that starts at z; zEnd is the end of the text. */
SqlToken sqltokenAt(const char *z, const char *zEnd){
  SqlToken t;
  const char *zNext;
  t.z = z;
  if( z>=zEnd ){
    t.kind = SQLTOKEN_END;
    zNext = z;
  }else if( (zNext = spaceEnd(z, zEnd))>z ){
    t.kind = SQLTOKEN_SPACE;
  }else if( *z=='\'' || *z=='"' || *z=='`' || *z=='[' ){
    t.kind = *z=='\'' ? SQLTOKEN_STRING : SQLTOKEN_QUOTED;
    zNext = quotedEnd(z, zEnd);
  }else if( *z=='$' || *z=='@' || *z=='#' || *z==':' ){
    t.kind = SQLTOKEN_OTHER;
    zNext = variableEnd(z, zEnd);
  }else if( isName((unsigned char)*z) ){
    t.kind = isDigit((unsigned char)*z) ? SQLTOKEN_OTHER : SQLTOKEN_WORD;
    for(zNext=z; zNext<zEnd && isName((unsigned char)*zNext); zNext++){}
  }else{
    t.kind = SQLTOKEN_OTHER;
    zNext = z+1;
  }
  t.n = (int)(zNext - z);
  return t;
}

/* The next token that is not white space. */
SqlToken sqltokenNext(const SqlToken *p, const char *zEnd){
  SqlToken t = sqltokenAt(p->z + p->n, zEnd);
  if( t.kind==SQLTOKEN_SPACE ) t = sqltokenAt(t.z + t.n, zEnd);
  return t;
}

/* Whether n bytes are the same as a text, without regard to case. */
static int same(const char *z, int n, const char *zOther){
  int i;
  for(i=0; i<n && zOther[i]; i++){
    if( lower(z[i])!=lower(zOther[i]) ) return 0;
  }
  return i==n && zOther[i]==0;
}

/* Whether the token is that keyword. A name in quotes is none. */
int sqltokenIsWord(const SqlToken *p, const char *zWord){
  return p->kind==SQLTOKEN_WORD && same(p->z, p->n, zWord);
}

int sqltokenIsByte(const SqlToken *p, char c){
  return p->kind==SQLTOKEN_OTHER && p->n==1 && *p->z==c;
}

/* Writes the name without its quotes to zOut (p->n+1 bytes), NUL-terminated. If
** the token is no name, it returns 0 and writes nothing. */
int sqltokenUnquote(const SqlToken *p, char *zOut){
  int i;
  int n = 0;
  if( p->kind==SQLTOKEN_WORD ){
    for(i=0; i<p->n; i++) zOut[n++] = p->z[i];
  }else if( p->kind==SQLTOKEN_QUOTED && p->n>=2 ){
    for(i=1; i<p->n-1; i++){
      zOut[n++] = p->z[i];
      if( p->z[i]==p->z[0] && p->z[0]!='[' ) i++;
    }
  }else{
    return 0;
  }
  zOut[n] = 0;
  return 1;
}

/* Whether the token is that name, in quotes or not. As in SQLite, case counts
** for non-ASCII characters only. */
int sqltokenIsName(const SqlToken *p, const char *zName){
  int i;
  if( p->kind==SQLTOKEN_WORD ) return same(p->z, p->n, zName);
  if( p->kind!=SQLTOKEN_QUOTED || p->n<2 ) return 0;
  for(i=1; i<p->n-1; i++, zName++){
    if( lower(p->z[i])!=lower(*zName) ) return 0;
    if( p->z[i]==p->z[0] && p->z[0]!='[' ) i++;
  }
  return *zName==0;
}

/* The ')' that closes the '(' at pOpen, or zEnd. */
const char *sqltokenClose(const SqlToken *pOpen, const char *zEnd){
  SqlToken t = *pOpen;
  int nDepth = 0;
  while( t.kind!=SQLTOKEN_END ){
    if( sqltokenIsByte(&t, '(') ) nDepth++;
    if( sqltokenIsByte(&t, ')') && --nDepth==0 ) return t.z;
    t = sqltokenNext(&t, zEnd);
  }
  return zEnd;
}

/* Whether a token of the text is that name. */
int sqltokenMentions(const char *z, const char *zEnd, const char *zName){
  SqlToken t;
  for(t=sqltokenAt(z, zEnd); t.kind!=SQLTOKEN_END; t=sqltokenNext(&t, zEnd)){
    if( sqltokenIsName(&t, zName) ) return 1;
  }
  return 0;
}

/* Whether the text has only white space and comments. */
int sqltokenIsBlank(const char *z){
  const char *zEnd = z + strlen(z);
  SqlToken t = sqltokenAt(z, zEnd);
  return t.z + t.n==zEnd && (t.kind==SQLTOKEN_SPACE || t.kind==SQLTOKEN_END);
}

/* Writes the text to zOut (at most as many bytes, and a NUL). Each run of white
** space and comments becomes one blank, and none is left at the ends. So no
** comment reaches into what follows the text, and a line break can only be
** inside quotes. */
void sqltokenStrip(const char *z, char *zOut){
  const char *zEnd = z + strlen(z);
  int bFirst = 1;
  SqlToken t;
  t = sqltokenAt(z, zEnd);
  for(; t.kind!=SQLTOKEN_END; t=sqltokenAt(t.z + t.n, zEnd)){
    if( t.kind!=SQLTOKEN_SPACE ){
      memcpy(zOut, t.z, (size_t)t.n);
      zOut += t.n;
      bFirst = 0;
    }else if( !bFirst && t.z + t.n<zEnd ){
      *zOut++ = ' ';
    }
  }
  *zOut = 0;
}

/* Whether the text, put in brackets, stays inside them: it closes no bracket
** that it has not opened, and does not end the statement. */
int sqltokenIsInner(const char *z){
  const char *zEnd = z + strlen(z);
  int nDepth = 0, n = 0;
  SqlToken t;
  t = sqltokenAt(z, zEnd);
  for(; t.kind!=SQLTOKEN_END; t=sqltokenAt(t.z + t.n, zEnd)){
    if( t.kind==SQLTOKEN_SPACE ) continue;
    if( sqltokenIsByte(&t, ';') ) return 0;
    if( sqltokenIsByte(&t, '(') ) nDepth++;
    if( sqltokenIsByte(&t, ')') && --nDepth<0 ) return 0;
    n++;
  }
  return n>0 && nDepth==0;
}

/* Whether the text is one CREATE TRIGGER statement of that name, without a
** schema. *pName is then the token of the name. In a trigger, END follows a ';'
** only at the end of the trigger. */
int sqltokenIsTrigger(const char *z, const char *zName, SqlToken *pName){
  const char *zEnd = z + strlen(z);
  int bSemicolon = 0;
  SqlToken t = sqltokenAt(z, zEnd);
  if( !sqltokenIsWord(&t, "CREATE") ) return 0;
  t = sqltokenNext(&t, zEnd);
  if( !sqltokenIsWord(&t, "TRIGGER") ) return 0;
  t = *pName = sqltokenNext(&t, zEnd);
  if( !sqltokenIsName(&t, zName) ) return 0;
  t = sqltokenNext(&t, zEnd);
  if( sqltokenIsByte(&t, '.') ) return 0;
  for(; t.kind!=SQLTOKEN_END; t=sqltokenNext(&t, zEnd)){
    if( bSemicolon && sqltokenIsWord(&t, "END") ){
      return sqltokenNext(&t, zEnd).kind==SQLTOKEN_END;
    }
    bSemicolon = sqltokenIsByte(&t, ';');
  }
  return 0;
}
