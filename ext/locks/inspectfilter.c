/* SPDX-License-Identifier: 0BSD */
/*
** Which locks a statement asks advisory_locks for. See inspectfilter.h.
*/
#include <string.h>
#include "locks/inspectfilter.h"
SQLITE_EXTENSION_INIT3

/* A plan. The value of the session comes first. */
#define PLAN_SESSION 1
#define PLAN_KEY     2
#define PLAN_COUNT   4         /* all rows look the same to the statement */

/* Kinds whose keys are shown as the text that they are. */
#define KINDS_OF_TEXT (1u<<KEY_TEXT | 1u<<KEY_NAME | 1u<<KEY_SEMAPHORE \
                      |1u<<KEY_LISTEN | 1u<<KEY_NOTIFY)

/* ---- planning --------------------------------------------------------- */

/* Whether a constraint is not `key IN (...)`. SQLite does not compare a row
** that a virtual table has found for IN as it does without it: not by the
** affinity of what stands behind IN. SQLite before 3.38 does not tell, nor does
** a newer one for a constraint after the first 32 or for a row value. */
static int isNotIn(sqlite3_index_info *pInfo, int i){
#if SQLITE_VERSION_NUMBER>=3038000
  if( sqlite3_libversion_number()>=3038000 && i<32 ){
    return !sqlite3_vtab_in(pInfo, i, -1);
  }
#endif
  (void)pInfo; (void)i;
  return 0;
}

/* The first `column = value` that can be used; -1 if there is none. A text with
** another collation finds other keys. The affinity of a session is applied to
** each value of IN before the scan. */
static int equality(sqlite3_index_info *pInfo, int iColumn){
  int i;
  for(i=0; i<pInfo->nConstraint; i++){
    if( pInfo->aConstraint[i].iColumn==iColumn && pInfo->aConstraint[i].usable
     && pInfo->aConstraint[i].op==SQLITE_INDEX_CONSTRAINT_EQ
     && sqlite3_stricmp(sqlite3_vtab_collation(pInfo, i), "BINARY")==0
     && (iColumn==LOCKS_SESSION || isNotIn(pInfo, i)) ) return i;
  }
  return -1;
}

void inspectfilterPlan(sqlite3_index_info *pInfo){
  static const struct { int iColumn, mPlan; } a[] = {
    { LOCKS_SESSION, PLAN_SESSION }, { LOCKS_KEY, PLAN_KEY }
  };
  sqlite3_uint64 mUsed = pInfo->colUsed;
  int i, nArg = 0;
  for(i=0; i<2; i++){
    int iConstraint = equality(pInfo, a[i].iColumn);
    if( iConstraint<0 ) continue;
    pInfo->aConstraintUsage[iConstraint].argvIndex = ++nArg;
    pInfo->idxNum |= a[i].mPlan;
    pInfo->estimatedCost /= 4;
    pInfo->estimatedRows = 10;
  }
  if( pInfo->idxNum & PLAN_SESSION ){
    mUsed &= ~((sqlite3_uint64)1<<LOCKS_SESSION);
  }
  if( mUsed==0 ) pInfo->idxNum |= PLAN_COUNT;
}

/* ---- the value -------------------------------------------------------- */

/* Whether a text begins as a number does. */
static int looksLikeNumber(const char *z, u32 n){
  u32 i = 0;
  while( i<n && (z[i]==' ' || (z[i]>='\t' && z[i]<='\r')) ) i++;
  return i<n && z[i] && strchr("+-.0123456789", z[i])!=0;
}

/* The id that a session is compared with; 0: it is not known here. No session
** has a negative one. */
static u64 askedSession(sqlite3_value *pVal, int *pbNone){
  i64 i;
  switch( sqlite3_value_type(pVal) ){
    case SQLITE_NULL:
      *pbNone = 1;
      return 0;
    case SQLITE_INTEGER:
      i = sqlite3_value_int64(pVal);
      if( i<=0 ) *pbNone = 1;
      return i>0 ? (u64)i : 0;
    default:
      return 0;
  }
}

static void readKey(InspectFilter *p, Sqlx *x, sqlite3_value *pVal){
  p->eType = sqlite3_value_type(pVal);
  switch( p->eType ){
    case SQLITE_INTEGER:
      p->i = sqlite3_value_int64(pVal);
      p->r = (double)p->i;
      p->bNumber = 1;
      break;
    case SQLITE_FLOAT:
      p->r = sqlite3_value_double(pVal);
      p->bNumber = 1;
      break;
    case SQLITE_TEXT:
      p->p = (const char*)sqlite3_value_text(pVal);
      p->n = (u32)sqlite3_value_bytes(pVal);
      if( p->p==0 && x->rc==SQLITE_OK ) x->rc = SQLITE_NOMEM;
      if( p->p ) p->bNumber = looksLikeNumber(p->p, p->n);
      break;
    case SQLITE_BLOB:
      p->p = sqlite3_value_blob(pVal);
      p->n = (u32)sqlite3_value_bytes(pVal);
      break;
  }
}

/* ---- comparing -------------------------------------------------------- */

static int sameBytes(const InspectFilter *p, const void *pKey, u32 nKey){
  return p->n==nKey && (nKey==0 || memcmp(p->p, pKey, nKey)==0);
}

static int mayBeText(const InspectFilter *p, const void *pKey, u32 nKey){
  if( p->eType==SQLITE_TEXT && sameBytes(p, pKey, nKey) ) return 1;
  return p->bNumber && looksLikeNumber(pKey, nKey);
}

static int mayBeInteger(const InspectFilter *p, i64 i){
  if( p->eType==SQLITE_INTEGER ) return p->i==i;
  if( p->eType==SQLITE_FLOAT ) return p->r==(double)i;
  return p->bNumber;
}

/* A key of several columns is shown as a text in brackets. */
static int mayBeRow(const InspectFilter *p, const u8 *pKey, u32 nKey){
  KeyReader r = keyReader(pKey, nKey);
  KeyValue val;
  if( r.nType!=1 ) return p->eType==SQLITE_TEXT && p->n && p->p[0]=='(';
  if( !keyNext(&r, &val) ) return 0;
  switch( val.eType ){
    case KEY_VALUE_INTEGER: return mayBeInteger(p, val.i);
    case KEY_VALUE_REAL:    return p->eType!=SQLITE_BLOB;
    case KEY_VALUE_TEXT:    return mayBeText(p, val.p, val.n);
    default:                return p->eType==SQLITE_BLOB
                                && sameBytes(p, val.p, val.n);
  }
}

/* xKey of LockFilter. */
static int mayBe(void *pArg, u32 eKind, const u8 *pKey, u32 nKey){
  const InspectFilter *p = pArg;
  i64 i = 0;
  switch( eKind ){
    case KEY_INTEGER:
      memcpy(&i, pKey, nKey<sizeof(i) ? nKey : sizeof(i));
      return mayBeInteger(p, i);
    case KEY_ROW:
      return mayBeRow(p, pKey, nKey);
    case KEY_PAIR:
      return p->eType==SQLITE_TEXT && p->n && p->p[0]=='(';
    default:
      return mayBeText(p, pKey, nKey);
  }
}

/* ---- the filter ------------------------------------------------------- */

/* Only one key of a kind can match: the one with these bytes. */
static void onlyKey(InspectFilter *p, int eKind, const void *pKey, u32 nKey){
  LockKey key;
  if( keyMake(&key, eKind, pKey, nKey)!=LOCK_OK ) return;
  p->lock.mKind |= 1u<<eKind;
  p->lock.mHash |= 1u<<eKind;
  p->lock.aHash[eKind] = key.iHash;
}

static void onlyText(InspectFilter *p){
  int e;
  for(e=1; e<KEY_KINDS; e++){
    if( KINDS_OF_TEXT>>e & 1 ) onlyKey(p, e, p->p, p->n);
  }
}

static void filterKey(InspectFilter *p){
  p->lock.xKey = mayBe;
  p->lock.pArg = p;
  p->lock.mKind = 1u<<KEY_ROW;
  switch( p->eType ){
    case SQLITE_NULL:
      p->lock.mKind = 0;
      break;
    case SQLITE_BLOB:
      onlyKey(p, KEY_BLOB, p->p, p->n);
      break;
    case SQLITE_INTEGER:
      onlyKey(p, KEY_INTEGER, &p->i, sizeof(p->i));
      p->lock.mKind |= KINDS_OF_TEXT;
      break;
    default:
      p->lock.mKind |= 1u<<KEY_PAIR;
      if( p->bNumber ) p->lock.mKind |= 1u<<KEY_INTEGER | KINDS_OF_TEXT;
      else onlyText(p);
      break;
  }
}

void inspectfilterMake(
  InspectFilter *p,
  Sqlx *x,
  u32 mPart,
  int iPlan,
  sqlite3_value **apVal
){
  int iVal = 0, bNone = 0;
  memset(p, 0, sizeof(*p));
  p->lock.mPart = mPart;
  p->lock.mKind = ~0u;
  if( iPlan & PLAN_SESSION ){
    p->lock.iSession = askedSession(apVal[iVal++], &bNone);
  }
  if( iPlan & PLAN_KEY ){
    readKey(p, x, apVal[iVal]);
    filterKey(p);
  }
  if( iPlan & PLAN_COUNT ) p->lock.mPart &= ~(u32)SNAPSHOT_KEYS;
  if( bNone || p->lock.mKind==0 ) p->lock.mPart = 0;
}
