/* SPDX-License-Identifier: 0BSD */
/*
** The options of a versioned table. See options.h.
*/
#include <stddef.h>
#include <string.h>
#include "versioned/options.h"
#include "versioned/parentname.h"
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
static const char *const azStale[] = { "abort", "ignore", "log" };
static const char *const azSwitch[] = { "off", "on" };
static const char *const azErrors[] = { "table", "row" };
static const char *const azNull[] = { "refuse", "0" };
static const char *const azStep[] = { "1", "any" };

#define OPTIONS_OFF "off"

/* The options by name, in the order in which a comment has them. */
static const struct {
  const char *zName;
  size_t iField;
  const char *zDefault;
  int bMore;             /* the registry has no column of its own for it, and a
                         ** comment has it only if it is not the default */
} aKnown[] = {
  { "mode",       offsetof(OptionsText, zMode),       "auto",  0 },
  { "on_stale",   offsetof(OptionsText, zOnStale),    "abort", 0 },
  { "tombstones", offsetof(OptionsText, zTombstones), "on",    0 },
  { "errors",     offsetof(OptionsText, zErrors),     "table", 1 },
  { "null",       offsetof(OptionsText, zNull),       "refuse", 1 },
  { "step",       offsetof(OptionsText, zStep),       "1",     1 },
  { "history",    offsetof(OptionsText, zHistory),    OPTIONS_OFF, 1 },
  { "parent",     offsetof(OptionsText, zParent),     "",      1 },
  { "except",     offsetof(OptionsText, zExcept),     "",      0 },
};
#define KNOWN_COUNT ((int)(sizeof(aKnown)/sizeof(aKnown[0])))

static const char **knownField(OptionsText *pText, int i){
  return (const char**)((char*)pText + aKnown[i].iField);
}
static const char *knownValue(const OptionsText *pText, int i){
  return *(const char *const*)((const char*)pText + aKnown[i].iField);
}

/* Whether text at z begins with the name of that option and a `=`. */
static int isOption(const char *z, int i){
  int n = (int)strlen(aKnown[i].zName);
  return sqlite3_strnicmp(z, aKnown[i].zName, n)==0 && z[n]=='=';
}

const char **optionsNamed(OptionsText *pText, const char *z){
  int i;
  for(i=0; i<KNOWN_COUNT; i++){
    if( isOption(z, i) ) return knownField(pText, i);
  }
  return 0;
}

/* What a call asks for of that on which except and only depend. */
typedef enum OptionsAsked {
  OPTIONS_NOTHING = 0,
  OPTIONS_OTHERS,        /* the version column or the parent */
  OPTIONS_EXCEPT         /* except or only */
} OptionsAsked;

/* How a list of except begins that has the columns which count, and not those
** which do not. A column of a name like `only a` is stored in quotes. */
#define OPTIONS_ONLY "only "

/* Whether the installed triggers have a list of columns that tells something
** else of a column than the registry does. RENAME COLUMN rewrites the list, and
** another column can have the name now. */
static int listDenies(
  SqlToken tOf,
  const char *zName,
  const VersionedOptions *pOptions
){
  return tOf.n>0
      && sqltokenMentions(tOf.z, tOf.z+tOf.n, zName)!=pOptions->bOnly;
}

/*
** Takes one name of except or only into the options. A name that may not be
** there is an error only if it is asked for now: a column that the registry
** names may have been renamed or dropped since. Returns 0 if the registry means
** a column that has another name now, or none; 1 if it was taken or, with only,
** if the column was dropped: the triggers watch it still.
*/
static int exceptOne(
  Sqlx *p,
  const TableInfo *pInfo,
  const char *zName,
  SqlToken tOf,
  OptionsAsked eAsked,
  VersionedOptions *pOptions
){
  const char *zOption = pOptions->bOnly ? "only" : "except";
  int iCol = tableinfoColumn(pInfo, zName);
  const TableInfoColumn *pCol = &pInfo->aCol[iCol<0 ? 0 : iCol];
  if( iCol<0 ){
    if( eAsked==OPTIONS_EXCEPT ){
      sqlxBad(p, "%s names the column %Q; allowed are columns of %s",
              zOption, zName, pInfo->zName);
    }
    return pOptions->bOnly && sqltokenMentions(tOf.z, tOf.z+tOf.n, zName);
  }
  if( eAsked!=OPTIONS_EXCEPT && listDenies(tOf, zName, pOptions) ) return 0;
  if( pCol->bKey || sqlite3_stricmp(zName, pOptions->zColumn)==0 ){
    if( eAsked==OPTIONS_NOTHING ) return 0;
    sqlxBad(p, "%s names the column %Q; allowed are columns that are"
               " neither the version nor part of the key", zOption, zName);
  }else if( parentclauseHas(&pOptions->parent, pCol->zName) ){
    if( eAsked==OPTIONS_NOTHING ) return 0;
    sqlxBad(p, "%s names the column %Q; allowed are columns that parent does"
               " not name", zOption, zName);
  }else{
    pOptions->azExcept[pOptions->nExcept++] = pCol->zName;
  }
  return 1;
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

/* Whether a column was in the table when the triggers were made, since one that
** was stands behind it: ALTER TABLE ADD COLUMN adds at the end. */
static int wasThere(
  const TableInfo *pInfo,
  SqlToken tOf,
  int iCol,
  const VersionedOptions *pOptions
){
  int i;
  for(i=iCol+1; i<pInfo->nCol; i++){
    const char *zName = pInfo->aCol[i].zName;
    if( pInfo->aCol[i].bKey || sqlite3_stricmp(zName, pOptions->zColumn)==0
     || sqltokenMentions(tOf.z, tOf.z+tOf.n, zName) ) return 1;
  }
  return 0;
}

/* Whether a column is in the options already; pointers to names are compared.
** Returns its place, or -1. */
static int placeOf(const VersionedOptions *pOptions, const char *zName){
  int i = pOptions->nExcept - 1;
  while( i>=0 && pOptions->azExcept[i]!=zName ) i--;
  return i;
}

/* Whether the triggers treat a column as one of except or only, and no name of
** the registry stands for it. */
static int isUnnamed(
  const TableInfo *pInfo,
  SqlToken tOf,
  int iCol,
  const VersionedOptions *pOptions
){
  const TableInfoColumn *pCol = &pInfo->aCol[iCol];
  return !pCol->bKey && !pCol->bGenerated
      && !parentclauseHas(&pOptions->parent, pCol->zName)
      && sqlite3_stricmp(pCol->zName, pOptions->zColumn)!=0
      && !listDenies(tOf, pCol->zName, pOptions)
      && placeOf(pOptions, pCol->zName)<0;
}

/*
** Removes columns of except from the options that were added since, under the
** name of one that was renamed. ALTER TABLE adds at the end. So if such a
** column was there, so was every unnamed one before it, and a name is missing
** for each of these. Returns how many names are missing now.
*/
static int exceptAdded(
  const TableInfo *pInfo,
  SqlToken tOf,
  int nMissing,
  VersionedOptions *pOptions
){
  int i, j;
  if( pOptions->bOnly || tOf.n==0 ) return nMissing;
  for(i=pInfo->nCol-1; i>=0 && !wasThere(pInfo, tOf, i, pOptions); i--){
    int iPlace = placeOf(pOptions, pInfo->aCol[i].zName);
    int nUnnamed = 0;
    for(j=0; j<i; j++) nUnnamed += isUnnamed(pInfo, tOf, j, pOptions);
    if( iPlace<0 || nUnnamed<=nMissing ) continue;
    nMissing++;
    pOptions->nExcept--;
    for(j=iPlace; j<pOptions->nExcept; j++){
      pOptions->azExcept[j] = pOptions->azExcept[j+1];
    }
  }
  return nMissing;
}

/*
** Takes columns of except into the options that were renamed. The registry has
** their old names, but the triggers tell which columns they watch. The columns
** are taken only if that is certain: as many columns are not watched as names
** are missing. A column that may have been added since is none of them, and is
** watched. With only it is the other way round. Returns how many names are left
** for which there is no column.
*/
static int exceptRenamed(
  const TableInfo *pInfo,
  SqlToken tOf,
  int nMissing,
  VersionedOptions *pOptions
){
  int nFound = 0, i;
  if( nMissing==0 || tOf.n==0 ) return nMissing;
  for(i=0; i<pInfo->nCol && nFound<=nMissing; i++){
    if( !isUnnamed(pInfo, tOf, i, pOptions)
     || (!pOptions->bOnly && !wasThere(pInfo, tOf, i, pOptions)) ) continue;
    if( nFound<nMissing ){
      pOptions->azExcept[pOptions->nExcept+nFound] = pInfo->aCol[i].zName;
    }
    nFound++;
  }
  if( nFound!=nMissing ) return nMissing;
  pOptions->nExcept += nFound;
  return 0;
}

/* Splits the names at commas outside quotes. Returns how many of them stand for
** a column that has another name now. */
static int exceptAll(
  Sqlx *p,
  const TableInfo *pInfo,
  const char *z,
  SqlToken tOf,
  OptionsAsked eAsked,
  VersionedOptions *pOptions
){
  const char *zEnd = z + strlen(z);
  int nMissing = 0;
  pOptions->azExcept = sqlxAlloc(p, sizeof(char*)*(strlen(z) + 1));
  while( pOptions->azExcept && z<zEnd ){
    SqlToken t = sqltokenAt(z, zEnd);
    const char *zStop, *zName;
    if( t.kind==SQLTOKEN_SPACE ) t = sqltokenAt(t.z + t.n, zEnd);
    z = zStop = t.z;
    while( t.kind!=SQLTOKEN_END && !sqltokenIsByte(&t, ',') ){
      if( t.kind!=SQLTOKEN_SPACE ) zStop = t.z + t.n;
      t = sqltokenAt(t.z + t.n, zEnd);
    }
    zName = tableinfoUnquote(p, sqlxPrintf(p, "%.*s", (int)(zStop - z), z));
    nMissing += !exceptOne(p, pInfo, zName, tOf, eAsked, pOptions);
    z = t.z + t.n;
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
  OptionsAsked eAsked,
  VersionedOptions *pOptions
){
  const int nOnly = (int)sizeof(OPTIONS_ONLY) - 1;
  SqlToken tOf = ofList(pHas);
  int nMissing;
  pOptions->bOnly = sqlite3_strnicmp(z, OPTIONS_ONLY, nOnly)==0;
  if( pOptions->bOnly ) z += nOnly;
  nMissing = exceptAll(p, pInfo, z, tOf, eAsked, pOptions);
  if( p->rc!=SQLITE_OK ) return;
  if( eAsked!=OPTIONS_EXCEPT ){
    nMissing = exceptAdded(pInfo, tOf, nMissing, pOptions);
    nMissing = exceptRenamed(pInfo, tOf, nMissing, pOptions);
  }
  if( pOptions->bOnly && (nMissing || pOptions->nExcept==0) ){
    if( eAsked==OPTIONS_EXCEPT ){
      sqlxBad(p, "only names no column; allowed are columns");
    }
    pOptions->bOnly = pOptions->nExcept = 0;
  }
}

#define OPTIONS_HISTORY_MAX 1000000000  /* in any unit */

/* Takes how many versions of a row are kept, or for how long. */
static void takeHistory(Sqlx *p, const char *z, VersionedOptions *pOptions){
  static const struct { char c; sqlite3_int64 ms; } aUnit[] = {
    { 's', 1000 }, { 'm', 60000 }, { 'h', 3600000 }, { 'd', 86400000 }
  };
  sqlite3_int64 n = 0;
  int i = 0, iUnit = 0;
  pOptions->zHistory = OPTIONS_OFF;
  if( z==0 || sqlite3_stricmp(z, OPTIONS_OFF)==0 ) return;
  for(; z[i]>='0' && z[i]<='9' && n<=OPTIONS_HISTORY_MAX; i++){
    n = n*10 + (z[i] - '0');
  }
  while( iUnit<4 && aUnit[iUnit].c!=z[i] ) iUnit++;
  if( z[0]=='0' || n==0 || n>OPTIONS_HISTORY_MAX
   || (z[i] && (iUnit==4 || z[i+1])) ){
    sqlxBad(p, "history is %.40Q; allowed are off, a number of versions such as"
               " 100, or an age such as 12h or 30d (s, m, h, d)", z);
    return;
  }
  if( !pOptions->bTombstones ){
    sqlxBad(p, "history is %Q with tombstones=off, by which a key gets a"
               " version again; allowed is tombstones=on", z);
  }
  pOptions->zHistory = z;
  pOptions->bHistory = 1;
  if( z[i] ) pOptions->msHistory = n*aUnit[iUnit].ms;
  else pOptions->nHistory = n;
}

/* Returns the names of except as the registry stores them. */
static const char *exceptText(Sqlx *p, const VersionedOptions *pOptions){
  sqlite3_str *pStr = sqlite3_str_new(p->db);
  int i;
  if( pOptions->bOnly ) sqlite3_str_appendall(pStr, OPTIONS_ONLY);
  for(i=0; i<pOptions->nExcept; i++){
    if( i ) sqlite3_str_appendall(pStr, ",");
    parentnameAppend(pStr, pOptions->azExcept[i]);
  }
  return sqlxText(p, pStr);
}

OptionsText optionsStored(Sqlx *p, const VersionedOptions *pOptions){
  OptionsText w;
  w.zColumn = pOptions->zColumn;
  w.zMode = azMode[pOptions->mode];
  w.zOnStale = azStale[pOptions->eStale];
  w.zExcept = exceptText(p, pOptions);
  w.zTombstones = azSwitch[pOptions->bTombstones];
  w.zHistory = pOptions->zHistory;
  w.zErrors = azErrors[pOptions->bRowErrors];
  w.zNull = azNull[pOptions->bNull];
  w.zStep = azStep[pOptions->bAnyStep];
  w.zParent = parentnameText(p, &pOptions->parent);
  return w;
}

/* Returns the options as text, bAll or only those that the registry keeps in
** one column. */
static const char *allText(Sqlx *p, const OptionsText *pText, int bAll){
  sqlite3_str *pStr = sqlite3_str_new(p->db);
  int i;
  for(i=0; i<KNOWN_COUNT; i++){
    const char *z = knownValue(pText, i);
    if( z==0 || (!bAll && !aKnown[i].bMore)
     || (aKnown[i].bMore && strcmp(z, aKnown[i].zDefault)==0) ) continue;
    sqlite3_str_appendf(pStr, "%s%s=%s", sqlite3_str_length(pStr) ? " " : "",
                        aKnown[i].zName, z);
  }
  return sqlxText(p, pStr);
}

/*
** Takes the options of a text. A value ends before a space behind which the
** name of an option stands; a name in quotes may contain anything. Returns 0 if
** an option is missing that is always written.
*/
static int takeAll(
  Sqlx *p,
  const char *z,
  const char *zEnd,
  int bAll,
  OptionsText *pText
){
  int iNow = -1, nMissing = 0, i;
  const char *zValue = z;
  SqlToken t = { SQLTOKEN_SPACE, z, 0 };
  for(i=0; i<KNOWN_COUNT; i++){
    if( bAll || aKnown[i].bMore ) *knownField(pText, i) = 0;
  }
  for(;;){
    const char *zNext = t.z + t.n;
    int iNext = KNOWN_COUNT;
    if( t.kind==SQLTOKEN_SPACE && zNext<zEnd ){
      for(iNext=0; iNext<KNOWN_COUNT && !isOption(zNext, iNext); iNext++){}
    }
    if( iNext<KNOWN_COUNT || t.kind==SQLTOKEN_END ){
      if( iNow>=0 && (bAll || aKnown[iNow].bMore) ){
        *knownField(pText, iNow) = sqlxPrintf(p, "%.*s", (int)(t.z - zValue),
                                           zValue);
      }
      if( t.kind==SQLTOKEN_END ) break;
      iNow = iNext;
      zValue = zNext + strlen(aKnown[iNow].zName) + 1;
    }
    t = sqltokenAt(iNext<KNOWN_COUNT ? zValue : zNext, zEnd);
  }
  for(i=0; i<KNOWN_COUNT; i++){
    if( (!bAll && !aKnown[i].bMore) || knownValue(pText, i) ) continue;
    *knownField(pText, i) = aKnown[i].zDefault;
    if( !aKnown[i].bMore ) nMissing++;
  }
  return nMissing==0;
}

const char *optionsMore(Sqlx *p, const OptionsText *pText){
  return allText(p, pText, 0);
}

void optionsReadMore(Sqlx *p, const char *z, OptionsText *pText){
  takeAll(p, z, z + strlen(z), 0, pText);
}

int optionsEqual(const OptionsText *pA, const OptionsText *pB){
  int i;
  for(i=0; i<KNOWN_COUNT; i++){
    const char *zA = knownValue(pA, i), *zB = knownValue(pB, i);
    if( zA==0 || zB==0 || strcmp(zA, zB)!=0 ) return 0;
  }
  return 1;
}

/* Returns the options as a comment. A name that would end the comment is not
** written, nor is then the rest. */
static const char *commentOf(Sqlx *p, const VersionedOptions *pOptions){
  OptionsText w = optionsStored(p, pOptions);
  const char *z = allText(p, &w, 1);
  if( z==0 || strstr(z, "*/") ) return "";
  return sqlxPrintf(p, "/*%s*/", z);
}

const char *optionsComment(Sqlx *p, const char *zSql){
  const char *zEnd = zSql + strlen(zSql);
  SqlToken t;
  for(t=sqltokenAt(zSql, zEnd); t.kind!=SQLTOKEN_END;
      t=sqltokenAt(t.z + t.n, zEnd)){
    const char *z = t.kind==SQLTOKEN_SPACE ? strstr(t.z, "/*mode=") : 0;
    const char *zLast = z && z<t.z+t.n ? strstr(z, "*/") : 0;
    if( zLast ) return sqlxPrintf(p, "%.*s", (int)(zLast+2-z), z);
  }
  return 0;
}

int optionsRead(Sqlx *p, const char *zComment, OptionsText *pText){
  const char *z = zComment ? zComment : "/**/";
  int bAll = takeAll(p, z+2, z+strlen(z)-2, 1, pText);
  pText->zTombstones =
      optionsSwitch(p->rc!=SQLITE_OK || strcmp(pText->zTombstones, "off")!=0);
  return bAll;
}

void optionsMake(
  Sqlx *p,
  const TableInfo *pInfo,
  const OptionsText *pStored,
  const TriggerSet *pHas,
  const OptionsText *pAsked,
  VersionedOptions *pOptions
){
  OptionsText w;
  OptionsAsked eAsked = pAsked==0 ? OPTIONS_NOTHING
      : pAsked->zExcept ? OPTIONS_EXCEPT
      : pAsked->zColumn || pAsked->zParent ? OPTIONS_OTHERS : OPTIONS_NOTHING;
  int i, iCol;
  memset(pOptions, 0, sizeof(*pOptions));
  memset(&w, 0, sizeof(w));
  if( pAsked ) w = *pAsked;
  if( w.zColumn==0 ) w.zColumn = pStored ? pStored->zColumn : "version";
  for(i=0; i<KNOWN_COUNT; i++){
    if( knownValue(&w, i) ) continue;
    *knownField(&w, i) = pStored ? knownValue(pStored, i) : aKnown[i].zDefault;
  }
  if( p->rc!=SQLITE_OK || !w.zColumn || !w.zExcept || !w.zParent ) return;
  iCol = tableinfoColumn(pInfo, w.zColumn);
  pOptions->zColumn = iCol<0 ? w.zColumn : pInfo->aCol[iCol].zName;
  pOptions->zLabel = sqlxPrintf(p, "%q.%q", pInfo->zName, pOptions->zColumn);
  pOptions->mode = (VersionedMode)oneOf(p, "mode", w.zMode, azMode, 3);
  pOptions->eStale = (VersionedStale)oneOf(p, "on_stale", w.zOnStale,
                                           azStale, 3);
  pOptions->bTombstones = oneOf(p, "tombstones", w.zTombstones, azSwitch, 2);
  takeHistory(p, w.zHistory, pOptions);
  pOptions->bRowErrors = oneOf(p, "errors", w.zErrors, azErrors, 2);
  pOptions->bNull = oneOf(p, "null", w.zNull, azNull, 2);
  pOptions->bAnyStep = oneOf(p, "step", w.zStep, azStep, 2);
  parentnameRead(p, w.zParent, pInfo, &pOptions->parent);
  takeExcept(p, pInfo, w.zExcept, pHas, eAsked, pOptions);
  pOptions->zText = commentOf(p, pOptions);
}

const char *optionsSwitch(int bOn){
  return azSwitch[bOn!=0];
}
