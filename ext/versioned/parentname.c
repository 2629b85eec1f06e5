/* SPDX-License-Identifier: 0BSD */
/*
** The option parent as text. See parentname.h.
*/
#include <string.h>
#include "versioned/parentname.h"
#include "sqlite/sqltoken.h"
SQLITE_EXTENSION_INIT3

#define PARENT_FORM "is not of the form table(column,...)"

/* Returns the name of a token without quotes; NULL if it is none. */
static const char *parentName(Sqlx *p, const SqlToken *t){
  if( t->kind!=SQLTOKEN_WORD && t->kind!=SQLTOKEN_QUOTED ) return 0;
  return tableinfoUnquote(p, sqlxPrintf(p, "%.*s", t->n, t->z));
}

/* Reads the columns, from the bracket on. Returns 0 if they have another
** form. */
static int parentColumns(
  Sqlx *p,
  SqlToken t,
  const char *zEnd,
  VersionedParent *pParent
){
  if( !sqltokenIsByte(&t, '(') ) return 0;
  do{
    const char *zColumn;
    t = sqltokenNext(&t, zEnd);
    zColumn = parentName(p, &t);
    pParent->azCol = sqlxGrow(p, pParent->azCol, pParent->nCol,
                              sizeof(char*));
    if( zColumn==0 || pParent->azCol==0 ) return 0;
    pParent->azCol[pParent->nCol++] = zColumn;
    t = sqltokenNext(&t, zEnd);
  }while( sqltokenIsByte(&t, ',') );
  if( !sqltokenIsByte(&t, ')') ) return 0;
  t = sqltokenNext(&t, zEnd);
  return t.kind==SQLTOKEN_END;
}

/* Finds the columns in the child. */
static void parentSpell(
  Sqlx *p,
  const TableInfo *pInfo,
  VersionedParent *pParent
){
  int i;
  for(i=0; i<pParent->nCol; i++){
    int iCol = tableinfoColumn(pInfo, pParent->azCol[i]);
    if( iCol<0 ){
      pParent->zFault = sqlxPrintf(p, "names the column %Q, which %s does not"
          " have", pParent->azCol[i], pInfo->zName);
    }else if( pInfo->aCol[iCol].bGenerated ){
      pParent->zFault = sqlxPrintf(p, "names the column %Q, which is"
          " generated", pParent->azCol[i]);
    }else{
      pParent->azCol[i] = pInfo->aCol[iCol].zName;
    }
  }
}

void parentnameRead(
  Sqlx *p,
  const char *z,
  const TableInfo *pInfo,
  VersionedParent *pParent
){
  const char *zEnd = z + strlen(z);
  SqlToken t = sqltokenAt(z, zEnd);
  memset(pParent, 0, sizeof(*pParent));
  if( t.kind==SQLTOKEN_SPACE ) t = sqltokenNext(&t, zEnd);
  if( t.kind==SQLTOKEN_END ) return;
  pParent->zName = parentName(p, &t);
  if( pParent->zName==0
   || !parentColumns(p, sqltokenNext(&t, zEnd), zEnd, pParent) ){
    pParent->zName = z;
    pParent->nCol = 0;
    pParent->zFault = PARENT_FORM;
    return;
  }
  parentSpell(p, pInfo, pParent);
}

void parentnameAppend(sqlite3_str *pStr, const char *zName){
  SqlToken t = sqltokenAt(zName, zName + strlen(zName));
  sqlite3_str_appendf(pStr, t.kind==SQLTOKEN_WORD && zName[t.n]==0 ? "%s"
                                                    : "\"%w\"", zName);
}

const char *parentnameText(Sqlx *p, const VersionedParent *pParent){
  sqlite3_str *pStr;
  int i;
  if( pParent->zName==0 ) return "";
  if( pParent->nCol==0 ) return pParent->zName;
  pStr = sqlite3_str_new(p->db);
  parentnameAppend(pStr, pParent->zName);
  for(i=0; i<pParent->nCol; i++){
    sqlite3_str_appendall(pStr, i ? "," : "(");
    parentnameAppend(pStr, pParent->azCol[i]);
  }
  sqlite3_str_appendall(pStr, ")");
  return sqlxText(p, pStr);
}
