/* SPDX-License-Identifier: 0BSD */
/*
** What is wrong with a versioned table. See status.h.
*/
#include <string.h>
#include "versioned/status.h"
#include "sqlite/sqltoken.h"
SQLITE_EXTENSION_INIT3

const char *statusName(Status status){
  static const char *const az[] = {
    "ok", "triggers may be skipped", "triggers broken",
    "triggers outdated", "triggers changed",
    "triggers missing", "column missing", "table missing", "newer"
  };
  return az[status];
}

/* Whether a trigger is part of the set only for what triggers of the
** application do. */
static int isForTouches(const char *zWhat){
  return strcmp(zWhat, "settle")==0 || strcmp(zWhat, "quiet")==0
      || strcmp(zWhat, "own")==0;
}

/* Whether a trigger's text depends on the indexes, on the list of columns or on
** the application's triggers, and so can have been overtaken by a new one. */
static int canBeOvertaken(
  const char *zWhat,
  const char *zSql,
  const char *zOld
){
  static const char *const az[] = { "note", "evict", "own" };
  static const char *const azOf[] = { "bump", "kept", "raise", "nested",
                                     "required" };
  size_t i;
  for(i=0; i<sizeof(az)/sizeof(az[0]); i++){
    if( strcmp(zWhat, az[i])==0 ) return 1;
  }
  if( strcmp(zWhat, "check")==0 ){
    return (strstr(zSql, TRIGGERS_DOWN)==0)!=(strstr(zOld, TRIGGERS_DOWN)==0);
  }
  for(i=0; i<sizeof(azOf)/sizeof(azOf[0]); i++){
    if( strcmp(zWhat, azOf[i])==0 ) return strstr(zSql, " UPDATE OF ")!=0;
  }
  return 0;
}

/* Whether a body names a table that is not there, or not as it should be.
** Beside the table itself they name only the tombstones. */
static int isBroken(Sqlx *p, const TableInfo *pInfo, const TriggersSet *pSet){
  const char *zSql = tableinfoText(p, pInfo, "table", pSet->zTombstones);
  return p->rc==SQLITE_OK
      && (zSql==0 || strcmp(zSql, pSet->zTombstonesSql)!=0);
}

/* How many triggers of the set are there for triggers of the application that
** are gone. */
static int leftOver(const RegistryEntry *pEntry, const TriggersSet *pSet){
  int i, j, n = 0;
  for(j=0; j<pEntry->nTrigger; j++){
    const char *zWhat = pEntry->aTrigger[j].zWhat;
    for(i=0; i<pSet->n && strcmp(pSet->a[i].zWhat, zWhat)!=0; i++){}
    n += i==pSet->n && isForTouches(zWhat);
  }
  return n;
}

/* The triggers that are installed against those that should be. What the set
** of an older generator should look like is not known here. */
Status statusOfSet(
  Sqlx *p,
  const TableInfo *pInfo,
  const RegistryEntry *pEntry,
  const TriggersSet *pSet,
  Skipping *pSkip        /* OUT: for STATUS_SKIPPED */
){
  Status status = STATUS_OK;
  Touches touches;
  int i, j, nLeft;
  if( p->rc!=SQLITE_OK ) return STATUS_OK;
  for(i=0; i<pSet->n; i++){
    const TriggersOne *pNew = &pSet->a[i];
    Status one = isForTouches(pNew->zWhat) ? STATUS_OUTDATED : STATUS_MISSING;
    for(j=0; j<pEntry->nTrigger; j++){
      const TriggersOne *pOld = &pEntry->aTrigger[j];
      if( strcmp(pOld->zName, pNew->zName)!=0 ) continue;
      if( strcmp(pOld->zSql, pNew->zSql)==0 ){
        one = STATUS_OK;
      }else{
        one = canBeOvertaken(pNew->zWhat, pNew->zSql, pOld->zSql)
            ? STATUS_OUTDATED : STATUS_CHANGED;
      }
    }
    if( one>status ) status = one;
  }
  nLeft = leftOver(pEntry, pSet);
  if( nLeft>0 && status==STATUS_OK ) status = STATUS_OUTDATED;
  if( pEntry->nTrigger-nLeft>pSet->n && status<STATUS_CHANGED ){
    status = STATUS_CHANGED;
  }
  if( status!=STATUS_OK && pEntry->nTrigger>0
   && pEntry->iGenerator<TRIGGERS_GENERATOR ) return STATUS_OUTDATED;
  if( status==STATUS_OK && isBroken(p, pInfo, pSet) ){
    status = STATUS_BROKEN;
  }
  if( status==STATUS_OK ){
    skippingTouches(p, pInfo, pEntry->zColumn, &touches);
    if( skippingIsOutOfOrder(p, pInfo, pEntry->zNumber, &touches) ){
      status = STATUS_OUTDATED;
    }
  }
  if( status==STATUS_OK ){
    skippingFind(p, pInfo, pEntry->zNumber, pSkip);
    if( pSkip->zName ) status = STATUS_SKIPPED;
  }
  return status;
}

/* The status of the entry that the walk stands on. What a newer Interlock has
** made is not judged. The label is taken as it
** is installed: a renamed table goes on saying its old name, no more. */
static Status statusOf(Sqlx *p, StatusWalk *pWalk){
  RegistryEntry *pEntry = &pWalk->entry;
  TriggersRule rule;
  TriggersSet set;
  if( pEntry->iGenerator>TRIGGERS_GENERATOR ) return STATUS_NEWER;
  if( !tableinfoExists(&pWalk->list, pWalk->zSchema, pEntry->zTable,
                   &pWalk->shape) ){
    return STATUS_TABLE;
  }
  tableinfoRead(p, &pWalk->shape);
  if( tableinfoColumn(&pWalk->shape, pEntry->zColumn)<0 ) return STATUS_COLUMN;
  optionsMake(p, &pWalk->shape, pEntry, 0, &rule);
  pEntry->zExcept = optionsExcept(p, &rule);
  if( pEntry->zLabel ) rule.zLabel = pEntry->zLabel;
  triggersMake(p, &pWalk->shape, &rule, &set);
  if( p->rc==SQLITE_ERROR ){
    sqlxClear(p);
    return STATUS_CHANGED;
  }
  return statusOfSet(p, &pWalk->shape, pEntry, &set, &pWalk->skip);
}

void statusWalkBegin(Sqlx *p, StatusWalk *pWalk){
  memset(pWalk, 0, sizeof(*pWalk));
  pWalk->azSchema = sqlxSchemas(p);
  pWalk->iSchema = -1;
}

/* Step to the next declared table. Returns 0 at the end. */
int statusWalkNext(Sqlx *p, StatusWalk *pWalk){
  while( p->rc==SQLITE_OK ){
    if( registryNext(p, &pWalk->cur, &pWalk->entry) ){
      if( !pWalk->entry.bDeclared ) continue;
      pWalk->status = statusOf(p, pWalk);
      return p->rc==SQLITE_OK;
    }
    registryClose(p, &pWalk->cur);
    pWalk->zSchema = pWalk->azSchema[++pWalk->iSchema];
    if( pWalk->zSchema==0 ) break;
    registryOpen(p, pWalk->zSchema, &pWalk->cur, &pWalk->list);
  }
  return 0;
}

void statusWalkEnd(Sqlx *p, StatusWalk *pWalk){
  registryClose(p, &pWalk->cur);
}

/* Whether the table was renamed since the registry wrote its name down. */
int statusRenamed(const StatusWalk *pWalk){
  return sqlite3_stricmp(pWalk->entry.zTable, pWalk->entry.zName)!=0;
}

/* What a user should know of a table beside its status. */
const char *statusNote(Sqlx *p, const StatusWalk *pWalk){
  const TableInfo *pInfo = &pWalk->shape;
  sqlite3_str *pNote;
  int i;
  if( pWalk->status==STATUS_NEWER ) return "";
  if( pWalk->status==STATUS_TABLE ){
    return "renamed and then rebuilt? versioned_repair(its new name);"
           " DELETE gives it up";
  }
  pNote = sqlite3_str_new(p->db);
  if( pWalk->status==STATUS_SKIPPED ){
    sqlite3_str_appendall(pNote, skippingNote(p, &pWalk->skip,
                                              "versioned_repair"));
  }
  if( statusRenamed(pWalk) ){
    sqlite3_str_appendf(pNote, "%sdeclared as %s: versioned_repair() before it"
        " is rebuilt", sqlite3_str_length(pNote) ? "; " : "",
        pWalk->entry.zName);
  }
  if( !pInfo->bDeclaredKey ){
    sqlite3_str_appendf(pNote, "%sno PRIMARY KEY: rows go by their rowid,"
        " which VACUUM may change", sqlite3_str_length(pNote) ? "; " : "");
  }
  for(i=0; pInfo->pList && i<pInfo->pList->nUser; i++){
    const TableInfoItem *pItem = &pInfo->pList->a[i];
    if( pItem->zSql==0
     || !skippingUpdates(pItem->zSql, pInfo->zName) ) continue;
    sqlite3_str_appendf(pNote, "%strigger %s updates this table and raises"
        " the version again, unless all it sets is in except",
        sqlite3_str_length(pNote) ? "; " : "", pItem->zName);
  }
  return sqlxText(p, pNote);
}
