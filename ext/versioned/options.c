/* SPDX-License-Identifier: 0BSD */
/*
** The options of a versioned table. See options.h.
*/
#include <string.h>
#include "versioned/options.h"
#include "sqlite/sqltoken.h"
SQLITE_EXTENSION_INIT3

/* Returns the index of a word in a list. If it is not there, the error says
** that the list is allowed. */
static int oneOf(
  Sqlx *p,
  const char *zWhat,
  const char *z,
  const char *const *az,
  int n
){
  int i;
  for(i=0; z && i<n; i++){
    if( sqlite3_stricmp(z, az[i])==0 ) return i;
  }
  sqlxBad(p, "%s is %Q; allowed are %s, %s%s%s", zWhat, z, az[0], az[1],
          n>2 ? ", " : "", n>2 ? az[2] : "");
  return 0;
}

static const char *const azMode[] = { "auto", "strict", "echo" };
static const char *const azStale[] = { "abort", "ignore" };
static const char *const azSwitch[] = { "off", "on" };

/* How a list of except begins that has the columns which count, and not those
** which do not. A column of a name like `only a` is stored in quotes. */
#define OPTIONS_ONLY "only "

/* Takes one name of except or only into the options. A name that the table does
** not have is an error only if it is asked for now: a column that the registry
** names may have been renamed or dropped since. */
static void exceptOne(
  Sqlx *p,
  const TableInfo *pInfo,
  const char *zName,
  int bAsked,
  VersionedOptions *pOptions
){
  const char *zOption = pOptions->bOnly ? "only" : "except";
  int iCol = tableinfoColumn(pInfo, zName);
  if( iCol<0 ){
    if( bAsked ){
      sqlxBad(p, "%s names the column %Q; allowed are columns of %s",
              zOption, zName, pInfo->zName);
    }
  }else if( pInfo->aCol[iCol].bKey
         || sqlite3_stricmp(zName, pOptions->zColumn)==0 ){
    sqlxBad(p, "%s names the column %Q; allowed are columns that are"
               " neither the version nor part of the key", zOption, zName);
  }else{
    pOptions->azExcept[pOptions->nExcept++] = pInfo->aCol[iCol].zName;
  }
}

/* Returns the UPDATE OF list of an installed trigger, from OF to ON; "" if
** there is none. RENAME COLUMN rewrites it. */
static SqlToken ofList(const TriggerSet *pHas){
  static const char *const azList[] = {
    "verify_bump", "required", "bump_after",
    "raise", "kept"      /* what generator 1 called the first two */
  };
  const int nList = (int)(sizeof(azList)/sizeof(azList[0]));
  SqlToken tOf = { SQLTOKEN_END, "", 0 };
  int i, j;
  for(i=0; i<pHas->n; i++){
    const char *z = pHas->a[i].zSql;
    const char *zEnd = z + strlen(z);
    SqlToken t;
    for(j=0; j<nList && strcmp(pHas->a[i].zWhat, azList[j])!=0; j++){}
    if( j==nList ) continue;
    for(t=sqltokenAt(z, zEnd); t.kind!=SQLTOKEN_END; t=sqltokenNext(&t, zEnd)){
      if( sqltokenIsWord(&t, "OF") ) tOf = t;
      if( sqltokenIsWord(&t, "ON") ) break;
    }
    tOf.n = (int)(t.z - tOf.z);
    if( tOf.kind!=SQLTOKEN_END ) return tOf;
  }
  tOf.z = "";
  tOf.n = 0;
  return tOf;
}

/*
** Takes columns of except into the options that were renamed. The registry has
** their old names, but the triggers tell which columns they watch. The columns
** are taken only if that is certain: as many columns are not watched as names
** are missing. With only it is the other way round. Returns how many names are
** left for which there is no column.
*/
static int exceptRenamed(
  const TableInfo *pInfo,
  SqlToken tOf,
  int nMissing,
  VersionedOptions *pOptions
){
  int nFound = pOptions->nExcept;
  int i, j;
  if( nMissing==0 || tOf.n==0 ) return nMissing;
  for(i=0; i<pInfo->nCol && nFound-pOptions->nExcept<=nMissing; i++){
    const TableInfoColumn *pCol = &pInfo->aCol[i];
    if( pCol->bKey || pCol->bGenerated
     || sqlite3_stricmp(pCol->zName, pOptions->zColumn)==0
     || sqltokenMentions(tOf.z, tOf.z+tOf.n, pCol->zName)!=pOptions->bOnly ){
      continue;
    }
    for(j=0; j<pOptions->nExcept; j++){
      if( pOptions->azExcept[j]==pCol->zName ) break;
    }
    if( j<pOptions->nExcept ) continue;
    if( nFound-pOptions->nExcept<nMissing ){
      pOptions->azExcept[nFound] = pCol->zName;
    }
    nFound++;
  }
  if( nFound-pOptions->nExcept!=nMissing ) return nMissing;
  pOptions->nExcept = nFound;
  return 0;
}

/* Splits the names at commas outside quotes. Returns how many of them the table
** does not have, but for those of only that were dropped: the triggers watch
** them still, where RENAME would have rewritten the name. */
static int exceptAll(
  Sqlx *p,
  const TableInfo *pInfo,
  const char *z,
  SqlToken tOf,
  int bAsked,
  VersionedOptions *pOptions
){
  const char *zEnd = z + strlen(z);
  int nMissing = 0;
  pOptions->azExcept = sqlxAlloc(p, sizeof(char*)*(strlen(z) + 1));
  while( pOptions->azExcept && z<zEnd ){
    SqlToken t = sqltokenAt(z, zEnd);
    const char *zStop, *zName;
    int nBefore = pOptions->nExcept;
    if( t.kind==SQLTOKEN_SPACE ) t = sqltokenAt(t.z + t.n, zEnd);
    z = zStop = t.z;
    while( t.kind!=SQLTOKEN_END && !sqltokenIsByte(&t, ',') ){
      if( t.kind!=SQLTOKEN_SPACE ) zStop = t.z + t.n;
      t = sqltokenAt(t.z + t.n, zEnd);
    }
    zName = tableinfoUnquote(p, sqlxPrintf(p, "%.*s", (int)(zStop - z), z));
    exceptOne(p, pInfo, zName, bAsked, pOptions);
    z = t.z + t.n;
    if( pOptions->nExcept==nBefore && !(pOptions->bOnly
     && sqltokenMentions(tOf.z, tOf.z+tOf.n, zName)) ) nMissing++;
  }
  return nMissing;
}

/* Makes the columns of except or only. Where it is not certain which columns
** were meant by only, all of them count. */
static void takeExcept(
  Sqlx *p,
  const TableInfo *pInfo,
  const char *z,
  const TriggerSet *pHas,
  int bAsked,
  VersionedOptions *pOptions
){
  const int nOnly = (int)sizeof(OPTIONS_ONLY) - 1;
  SqlToken tOf = ofList(pHas);
  int nMissing;
  pOptions->bOnly = sqlite3_strnicmp(z, OPTIONS_ONLY, nOnly)==0;
  if( pOptions->bOnly ) z += nOnly;
  nMissing = exceptAll(p, pInfo, z, tOf, bAsked, pOptions);
  if( p->rc!=SQLITE_OK ) return;
  if( !bAsked ) nMissing = exceptRenamed(pInfo, tOf, nMissing, pOptions);
  if( pOptions->bOnly && (nMissing || pOptions->nExcept==0) ){
    if( bAsked ) sqlxBad(p, "only names no column; allowed are columns");
    pOptions->bOnly = pOptions->nExcept = 0;
  }
}

/* Returns the names of except as the registry stores them. */
static const char *exceptText(Sqlx *p, const VersionedOptions *pOptions){
  sqlite3_str *pStr = sqlite3_str_new(p->db);
  int i;
  if( pOptions->bOnly ) sqlite3_str_appendall(pStr, OPTIONS_ONLY);
  for(i=0; i<pOptions->nExcept; i++){
    const char *z = pOptions->azExcept[i];
    SqlToken t = sqltokenAt(z, z+strlen(z));
    if( i ) sqlite3_str_appendall(pStr, ",");
    if( t.kind==SQLTOKEN_WORD && z[t.n]==0 ){
      sqlite3_str_appendall(pStr, z);
    }else{
      sqlite3_str_appendf(pStr, "\"%w\"", z);
    }
  }
  return sqlxText(p, pStr);
}

OptionsText optionsStored(Sqlx *p, const VersionedOptions *pOptions){
  OptionsText w;
  w.zColumn = pOptions->zColumn;
  w.zMode = azMode[pOptions->mode];
  w.zOnStale = azStale[pOptions->bIgnore];
  w.zExcept = exceptText(p, pOptions);
  w.zTombstones = azSwitch[pOptions->bTombstones];
  return w;
}

/* The options in a comment, in this order. */
enum { WORD_MODE, WORD_ON_STALE, WORD_TOMBSTONES, WORD_EXCEPT, WORD_COUNT };
static const char *const azWord[WORD_COUNT] = {
  "/*mode=", " on_stale=", " tombstones=", " except="
};

/* Returns the options as a comment. A name that would end the comment is not
** written, nor is then the rest. */
static const char *commentOf(Sqlx *p, const VersionedOptions *pOptions){
  OptionsText w = optionsStored(p, pOptions);
  if( w.zExcept==0 || strstr(w.zExcept, "*/") ) return "";
  return sqlxPrintf(p, "%s%s%s%s%s%s%s%s*/", azWord[WORD_MODE], w.zMode,
      azWord[WORD_ON_STALE], w.zOnStale, azWord[WORD_TOMBSTONES],
      w.zTombstones, azWord[WORD_EXCEPT], w.zExcept);
}

const char *optionsComment(Sqlx *p, const char *zSql){
  const char *zEnd = zSql + strlen(zSql);
  SqlToken t;
  for(t=sqltokenAt(zSql, zEnd); t.kind!=SQLTOKEN_END;
      t=sqltokenAt(t.z + t.n, zEnd)){
    const char *z = t.kind==SQLTOKEN_SPACE ? strstr(t.z, azWord[0]) : 0;
    const char *zLast = z && z<t.z+t.n ? strstr(z, "*/") : 0;
    if( zLast ) return sqlxPrintf(p, "%.*s", (int)(zLast+2-z), z);
  }
  return 0;
}

int optionsRead(Sqlx *p, const char *zComment, OptionsText *pText){
  const char *azValue[WORD_COUNT] = { "auto", "abort", "on", "" };
  const char *z = zComment ? zComment : "";
  int i;
  for(i=0; i<WORD_COUNT; i++){
    size_t n = strlen(azWord[i]);
    const char *zNext;
    if( strncmp(z, azWord[i], n)!=0 ) break;
    z += n;
    zNext = strstr(z, i+1<WORD_COUNT ? azWord[i+1] : "*/");
    if( zNext==0 ) break;
    azValue[i] = sqlxPrintf(p, "%.*s", (int)(zNext-z), z);
    z = zNext;
  }
  pText->zMode = azValue[WORD_MODE];
  pText->zOnStale = azValue[WORD_ON_STALE];
  pText->zExcept = azValue[WORD_EXCEPT];
  pText->zTombstones = optionsSwitch(strcmp(azValue[WORD_TOMBSTONES],"off")!=0);
  return i==WORD_COUNT;
}

void optionsMake(
  Sqlx *p,
  const TableInfo *pInfo,
  const OptionsText *pStored,
  const TriggerSet *pHas,
  const OptionsText *pAsked,
  VersionedOptions *pOptions
){
  static const OptionsText none = { 0, 0, 0, 0, 0 };
  static const OptionsText byDefault = {
    "version", "auto", "abort", "", "on"
  };
  const OptionsText *pElse = pStored ? pStored : &byDefault;
  OptionsText w = pAsked ? *pAsked : none;
  int bAsked = w.zExcept!=0;
  int iCol;
  memset(pOptions, 0, sizeof(*pOptions));
  if( w.zColumn==0 ) w.zColumn = pElse->zColumn;
  if( w.zMode==0 ) w.zMode = pElse->zMode;
  if( w.zOnStale==0 ) w.zOnStale = pElse->zOnStale;
  if( w.zExcept==0 ) w.zExcept = pElse->zExcept;
  if( w.zTombstones==0 ) w.zTombstones = pElse->zTombstones;
  if( p->rc!=SQLITE_OK || !w.zColumn || !w.zExcept ) return;
  iCol = tableinfoColumn(pInfo, w.zColumn);
  pOptions->zColumn = iCol<0 ? w.zColumn : pInfo->aCol[iCol].zName;
  pOptions->zLabel = sqlxPrintf(p, "%q.%q", pInfo->zName, pOptions->zColumn);
  pOptions->mode = (VersionedMode)oneOf(p, "mode", w.zMode, azMode, 3);
  pOptions->bIgnore = oneOf(p, "on_stale", w.zOnStale, azStale, 2);
  pOptions->bTombstones = oneOf(p, "tombstones", w.zTombstones, azSwitch, 2);
  takeExcept(p, pInfo, w.zExcept, pHas, bAsked, pOptions);
  pOptions->zText = commentOf(p, pOptions);
}

const char *optionsSwitch(int bOn){
  return azSwitch[bOn!=0];
}
