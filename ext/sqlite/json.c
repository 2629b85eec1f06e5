/* SPDX-License-Identifier: 0BSD */
/*
** Values as JSON. See json.h.
*/
#include <stdlib.h>
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
