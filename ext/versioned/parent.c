/* SPDX-License-Identifier: 0BSD */
/*
** The parent of a versioned table. See parent.h.
*/
#include <string.h>
#include "versioned/parent.h"
#include "versioned/parentname.h"
#include "schema/keytable.h"
#include "schema/registry.h"
#include "sqlite/sqltoken.h"
SQLITE_EXTENSION_INIT3

/* How many parents, one above the other, are followed. */
#define PARENT_DEPTH 100

/* Returns the versioned table of that name, or NULL. */
static VersionedTable *findVersioned(
  Sqlx *p,
  const VersionedTable *pTab,
  const char *zName
){
  const char *zSchema = pTab->base.info.zSchema;
  VersionedTable *pUp;
  DeclaredTable *pBase;
  if( !tableinfoIsOrdinary(p, zSchema, zName) ) return 0;
  pUp = sqlxAlloc(p, sizeof(*pUp));
  if( pUp==0 ) return 0;
  pBase = &pUp->base;
  pBase->pKind = pTab->base.pKind;
  if( !tableinfoLook(p, 0, sqlxPrintf(p, "\"%w\".\"%w\"", zSchema, zName),
                     &pBase->info) ) return 0;
  pBase->zSchema = zSchema;
  tableinfoRead(p, &pBase->info);
  registryFind(p, pBase);
  return p->rc==SQLITE_OK && pBase->bDeclared ? pUp : 0;
}

void parentFind(Sqlx *p, VersionedTable *pTab){
  VersionedParent *pParent = &pTab->options.parent;
  const char *zName = pParent->zName;
  const char *zSchema = pTab->base.info.zSchema;
  VersionedTable *pUp;
  int nKey;
  if( zName==0 || pParent->zFault || p->rc!=SQLITE_OK ) return;
  pUp = findVersioned(p, pTab, zName);
  if( p->rc!=SQLITE_OK ) return;
  if( pUp==0 ){
    pParent->zFault = sqlxPrintf(p, "is no versioned table of %s", zSchema);
    return;
  }
  nKey = keytableCount(&pUp->base.info);
  if( nKey!=pParent->nCol ){
    pParent->zFault = sqlxPrintf(p, "has a key of %d column%s, not of %d", nKey,
                                 nKey==1 ? "" : "s", pParent->nCol);
  }else if( tableinfoColumn(&pUp->base.info, pUp->stored.zColumn)<0 ){
    pParent->zFault = sqlxPrintf(p, "has no column %s", pUp->stored.zColumn);
  }
  pParent->zName = pUp->base.info.zName;
  pParent->pInfo = &pUp->base.info;
  pParent->zColumn = pUp->stored.zColumn;
  pParent->bNull = strcmp(pUp->stored.zNull, "0")==0;
}

/* Whether the parents of a table lead back to it, or to no end. */
static int isCircle(Sqlx *p, const VersionedTable *pTab){
  const char *zOwn = pTab->base.info.zName;
  const char *zName = pTab->options.parent.zName;
  int i;
  for(i=0; i<PARENT_DEPTH && p->rc==SQLITE_OK; i++){
    VersionedParent up;
    VersionedTable *pUp;
    if( sqlite3_stricmp(zName, zOwn)==0 ) return 1;
    pUp = findVersioned(p, pTab, zName);
    if( pUp==0 ) return 0;
    parentnameRead(p, pUp->stored.zParent, &pUp->base.info, &up);
    if( up.zName==0 ) return 0;
    zName = up.zName;
  }
  return 1;
}

void parentCheck(Sqlx *p, const VersionedTable *pTab){
  const VersionedParent *pParent = &pTab->options.parent;
  if( pParent->zName==0 || p->rc!=SQLITE_OK ) return;
  if( isCircle(p, pTab) ){
    sqlxBad(p, "parent %s of %s is the table itself, or has it as a parent;"
               " allowed is a table above it", pParent->zName,
            pTab->base.info.zName);
  }else if( pParent->zFault ){
    sqlxBad(p, "parent %s of %s %s; allowed is table(column,...), a versioned"
               " table of the same schema and the columns that hold its key,"
               " or nothing", pParent->zName, pTab->base.info.zName,
            pParent->zFault);
  }
}

/* Returns the name of a token in quotes. */
static const char *unquotedName(Sqlx *p, const SqlToken *t){
  return tableinfoUnquote(p, sqlxPrintf(p, "%.*s", t->n, t->z));
}

static SqlToken skipToWord(SqlToken t, const char *zEnd, const char *zWord){
  while( t.kind!=SQLTOKEN_END && !sqltokenIsWord(&t, zWord) ){
    t = sqltokenNext(&t, zEnd);
  }
  return t;
}

void parentReadTrigger(
  Sqlx *p,
  VersionedTable *pTab,
  const TriggerSetOne *pOne
){
  const char *zEnd = pOne->zSql + strlen(pOne->zSql);
  VersionedParent parent;
  SqlToken t = sqltokenAt(pOne->zSql, zEnd);
  if( strcmp(pOne->zWhat, "parent_moved")!=0 ) return;
  memset(&parent, 0, sizeof(parent));
  t = skipToWord(t, zEnd, "OF");
  for(; t.kind!=SQLTOKEN_END && !sqltokenIsWord(&t, "ON");
      t=sqltokenNext(&t, zEnd)){
    if( t.kind!=SQLTOKEN_QUOTED ) continue;   /* a name of the rowid */
    parent.azCol = sqlxGrow(p, parent.azCol, parent.nCol, sizeof(char*));
    if( parent.azCol==0 ) return;
    parent.azCol[parent.nCol++] = unquotedName(p, &t);
  }
  t = skipToWord(t, zEnd, "UPDATE");
  t = sqltokenNext(&t, zEnd);
  if( t.kind!=SQLTOKEN_QUOTED || p->rc!=SQLITE_OK ) return;
  parent.zName = unquotedName(p, &t);
  pTab->zParent = parentnameText(p, &parent);
  pTab->stored.zParent = pTab->zParent;
}
