/* SPDX-License-Identifier: 0BSD */
/*
** What is wrong with a declared table. See status.h.
*/
#include <string.h>
#include "schema/status.h"
#include "schema/registry.h"
SQLITE_EXTENSION_INIT3

const char *statusName(DeclaredStatus status){
  static const char *const az[] = {
    "ok", "triggers may be skipped", "file attached twice", "triggers broken",
    "triggers outdated", "triggers changed", "triggers missing",
    "cannot be declared", "several sets", "entry missing", "column missing",
    "parent missing", "table missing", "newer"
  };
  return az[status];
}

int statusRenamed(const DeclaredTable *pTab){
  return sqlite3_stricmp(pTab->zTable, pTab->zName)!=0;
}

/* Compares the installed triggers with those that should be there. */
static DeclaredStatus compareSets(
  const TriggerSet *pHas,
  const TriggerSet *pSet
){
  DeclaredStatus status = DECLARED_OK;
  int i, nMore = pHas->n;
  for(i=0; i<pSet->n; i++){
    const TriggerSetOne *pNew = &pSet->a[i];
    const TriggerSetOne *pOld = triggersetNamed(pHas, pNew->zName);
    DeclaredStatus one = DECLARED_OK;
    if( pOld==0 ){
      one = triggersetPerhaps(pSet, pNew->zWhat) ? DECLARED_OUTDATED
                                                 : DECLARED_MISSING;
    }else if( strcmp(pOld->zSql, pNew->zSql)!=0 ){
      one = pNew->bSchema ? DECLARED_OUTDATED : DECLARED_CHANGED;
    }
    if( one>status ) status = one;
  }
  for(i=0; i<pHas->n; i++){
    const TriggerSetOne *pOld = &pHas->a[i];
    if( triggersetNamed(pSet, pOld->zName)
     || !triggersetPerhaps(pSet, pOld->zWhat) ) continue;
    nMore--;
    if( status==DECLARED_OK ) status = DECLARED_OUTDATED;
  }
  if( nMore>pSet->n && status<DECLARED_CHANGED ) status = DECLARED_CHANGED;
  return status;
}

int statusSeveral(const DeclaredTable *pTab){
  for(pTab=pTab->pOther; pTab && !pTab->bDeclared; pTab=pTab->pOther){}
  return pTab!=0;
}

const char *statusNote(Sqlx *p, const DeclaredTable *pTab){
  const char *zKind = pTab->pKind->zName;
  if( pTab->status==DECLARED_SEVERAL ){
    return sqlxPrintf(p, "there is more than one set of triggers;"
                         " %s_repair() leaves one", zKind);
  }
  if( pTab->status==DECLARED_REFUSED ){
    return sqlxPrintf(p, "%s%s%s", pTab->zRefused,
        pTab->beneath==DECLARED_OK ? "" : "; ",
        pTab->beneath==DECLARED_OK ? "" : statusName(pTab->beneath));
  }
  if( pTab->status!=DECLARED_NO_ENTRY ) return "";
  return sqlxPrintf(p, pTab->bUnknown
      ? "interlock_%s does not know its triggers, which do not tell all of"
        " their options: %s() with these"
      : "interlock_%s does not know its triggers: %s_repair() adopts them",
      zKind, zKind);
}

/* What the set of an older generator should look like is unknown here. */
DeclaredStatus statusTriggers(Sqlx *p, DeclaredTable *pTab){
  DeclaredStatus status;
  if( p->rc!=SQLITE_OK ) return DECLARED_OK;
  status = compareSets(&pTab->has, &pTab->set);
  if( status!=DECLARED_OK && pTab->has.n>0
   && pTab->iGenerator<pTab->pKind->iGenerator ) return DECLARED_OUTDATED;
  if( status==DECLARED_OK
   && skippingIsOutOfOrder(p, &pTab->info, pTab->zEntry, &pTab->touches) ){
    status = DECLARED_OUTDATED;
  }
  if( status==DECLARED_OK ){
    skippingFind(p, &pTab->info, pTab->zEntry, &pTab->skip);
    if( pTab->skip.zName ) status = DECLARED_SKIPPED;
  }
  return status;
}

DeclaredStatus statusCompare(Sqlx *p, DeclaredTable *pTab){
  DeclaredStatus status = statusTriggers(p, pTab);
  if( status<=DECLARED_SKIPPED && pTab->pKind->xFault ){
    DeclaredStatus fault = pTab->pKind->xFault(p, pTab);
    if( fault>status ) status = fault;
  }
  return status;
}

/* Returns DECLARED_REFUSED for a table that may not be declared as it is now,
** so that no repair helps. */
static DeclaredStatus orRefused(
  Sqlx *p,
  DeclaredTable *pTab,
  DeclaredStatus status
){
  static const char zPrefix[] = "bad argument: ";
  int n = (int)sizeof(zPrefix) - 1;
  if( p->rc!=SQLITE_OK ) return status;
  if( status>DECLARED_TWICE && sqlite3_db_readonly(p->db, pTab->zSchema)==1 ){
    pTab->zRefused = "the database is read-only";
  }else{
    pTab->pKind->xCheck(p, pTab);
    if( p->rc!=SQLITE_ERROR ) return status;
    pTab->zRefused = sqlxErrorText(p);
    if( strncmp(pTab->zRefused, zPrefix, (size_t)n)==0 ) pTab->zRefused += n;
    sqlxClear(p);
  }
  pTab->beneath = status;
  return DECLARED_REFUSED;
}

/* Returns the status of a table in its schema's list. What a newer Interlock
** has made is not judged. */
static DeclaredStatus statusOf(
  Sqlx *p,
  DeclaredTable *pTab,
  const TableInfoList *pList
){
  const DeclaredKind *pKind = pTab->pKind;
  DeclaredStatus status;
  if( pTab->iGenerator>pKind->iGenerator ) return DECLARED_NEWER;
  if( !tableinfoExists(pList, pTab->zSchema, pTab->zTable, &pTab->info) ){
    return DECLARED_NO_TABLE;
  }
  tableinfoRead(p, &pTab->info);
  if( pTab->bUnknown ) return DECLARED_NO_ENTRY;
  status = pKind->xExpect(p, pTab);
  if( status>=DECLARED_NO_COLUMN ) return status;
  if( pTab->bLost ) return DECLARED_NO_ENTRY;
  if( statusSeveral(pTab) ) return DECLARED_SEVERAL;
  if( status!=DECLARED_OK ) return status;
  pKind->xMake(p, pTab);
  if( p->rc==SQLITE_ERROR ){
    sqlxClear(p);
    return DECLARED_CHANGED;
  }
  return orRefused(p, pTab, statusCompare(p, pTab));
}

/* Appends the declared tables of one schema. Returns where the next one
** goes. */
static DeclaredTable **listSchema(
  Sqlx *p,
  const DeclaredKind *pKind,
  const char *zSchema,
  int iSchema,
  DeclaredTable **ppNext
){
  TableInfoList *pList = 0;
  DeclaredTable *pTab, *pAfter;
  for(pTab=registryList(p, pKind, zSchema, &pList); pTab; pTab=pAfter){
    pAfter = pTab->pNext;
    pTab->pNext = 0;
    if( p->rc!=SQLITE_OK ) break;
    if( !pTab->bDeclared ) continue;
    pTab->iSchema = iSchema;
    pTab->status = statusOf(p, pTab, pList);
    *ppNext = pTab;
    ppNext = &pTab->pNext;
  }
  return ppNext;
}

DeclaredTable *statusList(Sqlx *p, const DeclaredKind *pKind){
  DeclaredTable *pFirst = 0, **ppNext = &pFirst;
  const char **az = sqlxSchemas(p);
  int i;
  for(i=0; az && az[i] && p->rc==SQLITE_OK; i++){
    if( !pKind->bTemp && sqlite3_stricmp(az[i], "temp")==0 ) continue;
    ppNext = listSchema(p, pKind, az[i], i, ppNext);
  }
  if( pKind->xList ) pKind->xList(pFirst);
  return p->rc==SQLITE_OK ? pFirst : 0;
}
