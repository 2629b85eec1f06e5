/* SPDX-License-Identifier: 0BSD */
/*
** Sets of triggers, as texts. See triggerset.h.
*/
#include <assert.h>
#include <string.h>
#include "schema/triggerset.h"
#include "sqlite/sqltoken.h"
SQLITE_EXTENSION_INIT3

/* The length of `interlock_<number>_`. */
#define PREFIX_LENGTH 19

TriggerSetOne *triggersetRead(
  TriggerSet *pSet,
  const char *zName,
  const char *zSql
){
  TriggerSetOne *pOne;
  if( zName==0 || zSql==0 || strlen(zName)<=PREFIX_LENGTH
   || pSet->n>=TRIGGERSET_MAX ) return 0;
  pOne = &pSet->a[pSet->n++];
  pOne->zName = zName;
  pOne->zSql = zSql;
  pOne->zWhat = zName + PREFIX_LENGTH;
  return pOne;
}

const char *triggersetNumber(Sqlx *p, const char *zName){
  if( zName==0 || strlen(zName)<=PREFIX_LENGTH
   || strncmp(zName, "interlock_", 10)!=0 || zName[18]!='_'
   || strspn(zName+10, "0123456789abcdef")!=8 ) return 0;
  return sqlxPrintf(p, "%.8s", zName+10);
}

int triggersetMarked(const TriggerSet *pSet, const char *zMark){
  int n = zMark ? (int)strlen(zMark) : 0;
  int i;
  for(i=0; i<pSet->n && n; i++){
    const char *z = pSet->a[i].zSql;
    const char *zEnd = z + strlen(z);
    SqlToken t = sqltokenAt(z, zEnd);
    for(; t.kind!=SQLTOKEN_END; t=sqltokenNext(&t, zEnd)){
      if( t.n>=n && strncmp(t.z, zMark, (size_t)n)==0 ) return 1;
    }
  }
  return 0;
}

TriggerSetOne *triggersetNew(
  Sqlx *p,
  TriggerSet *pSet,
  const char *zNumber,
  const char *zWhat
){
  TriggerSetOne *pOne = &pSet->a[pSet->n++];
  assert( pSet->n<=TRIGGERSET_MAX );
  pOne->zWhat = zWhat;
  pOne->zName = sqlxPrintf(p, "interlock_%s_%s", zNumber, zWhat);
  pOne->bSchema = 0;
  return pOne;
}

int triggersetPerhaps(const TriggerSet *pSet, const char *zWhat){
  const char *const *pz;
  for(pz=pSet->azPerhaps; pz && *pz; pz++){
    if( strcmp(*pz, zWhat)==0 ) return 1;
  }
  return 0;
}

const TriggerSetOne *triggersetNamed(
  const TriggerSet *pSet,
  const char *zName
){
  int i;
  for(i=0; i<pSet->n; i++){
    if( strcmp(pSet->a[i].zName, zName)==0 ) return &pSet->a[i];
  }
  return 0;
}

const char *triggersetQualified(
  Sqlx *p,
  const char *zSql,
  const char *zSchema
){
  const char *zName = strchr(zSql, '"');
  if( zName==0 ) return zSql;
  return sqlxPrintf(p, "%.*s\"%w\".%s", (int)(zName - zSql), zSql, zSchema,
                    zName);
}

const char *triggersetIfMissing(
  Sqlx *p,
  const char *zSql,
  const char *zSchema
){
  const char *zName = strchr(zSql, '"');
  if( zName==0 ) return zSql;
  return sqlxPrintf(p, "%.*sIF NOT EXISTS \"%w\".%s", (int)(zName - zSql), zSql,
                    zSchema, zName);
}

/*
** The text is the file's and can be anything: SQLite reads it up to the END of
** the trigger and no further, and a statement that Interlock runs is outside of
** the schema, where SQLite allows more. So it must be one CREATE TRIGGER of
** that very name, and not TEMP.
*/
const char *triggersetRemade(
  Sqlx *p,
  const TriggerSetOne *pOne,
  const char *zSchema,
  const char *zKind
){
  SqlToken t;
  if( !sqltokenIsTrigger(pOne->zSql, pOne->zName, &t) ){
    sqlxBad(p, "trigger %s.%s was made by hand, and could not be made again if"
               " anything fails; allowed is SELECT %s(), un%s() or"
               " %s_repair() in a statement of its own",
            zSchema, pOne->zName, zKind, zKind, zKind);
    return 0;
  }
  return sqlxPrintf(p, "CREATE TRIGGER \"%w\".%s", zSchema, t.z);
}
