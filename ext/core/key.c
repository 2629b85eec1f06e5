/* SPDX-License-Identifier: 0BSD */
/*
** key.c: keys, their bytes and their hash, and the conflict matrix.  All of it
** is part of the format: see key.h.
*/
#include "core/key.h"

/*------------------------------------------------------------ conflicts ---*/

/* Row: the mode of a request.  Columns: the modes that conflict with it. */
#define X(a,b,c,d,e) ((a)<<1|(b)<<2|(c)<<3|(d)<<4|(e)<<5)
static const u8 aConflict[] = {
                              /* IS IX  S SIX X */
  0,
  /* intent shared         */ X( 0, 0, 0, 0, 1 ),
  /* intent exclusive      */ X( 0, 0, 1, 1, 1 ),
  /* shared                */ X( 0, 1, 0, 1, 1 ),
  /* shared + intent excl. */ X( 0, 1, 1, 1, 1 ),
  /* exclusive             */ X( 1, 1, 1, 1, 1 )
};
#undef X
_Static_assert(sizeof(aConflict)==LOCK_MODES, "a row for each mode");

u32 keyConflicts(u32 eMode){
  u32 m = eMode<LOCK_MODES ? aConflict[eMode] : 0;
  if( BUG(CONFLICT_BIT) && eMode==LOCK_SHARED ){
    m &= ~MODE_BIT(LOCK_INTENT_EXCLUSIVE);
  }
  return m;
}

/*---------------------------------------------------------------- keys ---*/

int keyCompare(const LockKey *p, const LockKey *q){
  size_t nMin = p->nKey<q->nKey ? p->nKey : q->nKey;
  int c = (int)p->eKind - (int)q->eKind;
  if( c==0 ) c = memcmp(p->a, q->a, nMin);
  return c ? c : (int)p->nKey - (int)q->nKey;
}

/* The word of an integer that has its low bits. */
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__==__ORDER_BIG_ENDIAN__
# define INTEGER_LOW 1u
#else
# define INTEGER_LOW 0u
#endif

/*
** Processes of any build must agree on this hash.
**
** The low 6 bits of an integer stay out of the mixing and come in last, by
** exclusive or.  So 64 integers in a row get 64 buckets in a row, and a process
** that locks them one after the other finds buckets and neighbors in the cache.
** Which 64 buckets these are, and in which order, is mixed as for any other
** key.  Integers that are not in a row, such as multiples of 64, meet by chance
** only.
*/
static u32 keyHash(const LockKey *p){
  u32 h = p->eKind*0x9E3779B1u + p->nKey, i, iLow = UINT32_MAX, mNear = 0;
  if( p->nKey==8 && p->eKind==KEY_INTEGER ) iLow = INTEGER_LOW;
  if( p->nKey==8 && p->eKind==KEY_PAIR ) iLow = 1;
  if( p->eKind==KEY_ROW && p->nKey>=12 && p->nKey%4==0 ){
    iLow = p->nKey/4u - 2 + INTEGER_LOW;
  }
  for(i=0; i<keyWords(p->nKey); i++){
    u32 a = p->a[i];
    if( i==iLow ) mNear = a & 63;
    h = (h ^ (i==iLow ? a & ~63u : a))*0x85EBCA6Bu;
    h ^= h>>13;
  }
  h *= 0xC2B2AE35u;
  return (h ^ h>>16) ^ mNear;
}

LockRc keyMake(LockKey *p, int eKind, const void *pKey, u32 nKey){
  if( nKey>LIMIT_KEY || eKind<=0 || eKind>=KEY_KINDS ) return LOCK_MISUSE;
  p->eKind = (u8)eKind;
  p->nKey = (u8)nKey;
  p->nPermit = 1;
  if( nKey ){
    p->a[keyWords(nKey)-1] = 0;
    memcpy(p->a, pKey, nKey);
  }
  p->iHash = keyHash(p);
  return LOCK_OK;
}

void keyFold(u8 *pTo, const u8 *p, u32 n){
  u32 i;
  for(i=0; i<n && p[i]; i++){
    u8 c = p[i];
    pTo[i] = c>='A' && c<='Z' ? (u8)(c + 'a' - 'A') : c;
  }
  memset(&pTo[i], 0, n - i);
}

LockRc keyMakeFolded(LockKey *p, int eKind, const char *z, u32 n){
  u8 a[LIMIT_KEY+1];
  if( n>LIMIT_KEY ) return LOCK_MISUSE;
  keyFold(a, (const u8*)z, n);
  return keyMake(p, eKind, a, n);
}

/*---------------------------------------------------------------- rows ---*/

void keyValueReal(KeyValue *pVal, double r){
  if( r>=-9223372036854775808.0 && r<9223372036854775808.0
   && (double)(i64)r==r ){
    pVal->eType = KEY_VALUE_INTEGER;
    pVal->i = (i64)r;
  }else{
    pVal->eType = KEY_VALUE_REAL;
    pVal->r = r;
  }
}

void keyValueText(KeyValue *pVal, KeyCollation eColl, const u8 *p, u32 n,
                  u8 *pSpace){
  while( eColl==KEY_RTRIM && n && p[n-1]==' ' ) n--;
  pVal->eType = KEY_VALUE_TEXT;
  pVal->p = p;
  pVal->n = n;
  if( eColl==KEY_NOCASE ){
    keyFold(pSpace, p, n);
    pVal->p = pSpace;
  }
}

/* The number of bytes of a value, without the byte with its length. */
static u32 valueBytes(const KeyValue *pVal){
  return pVal->eType<=KEY_VALUE_REAL ? 8 : pVal->n;
}

/* The number of bytes before the values: table, 0, number of values, types. */
static u32 headBytes(const LockKey *pTable, u32 nVal){
  return (pTable->nKey + 2u + nVal + 3) & ~3u;
}

u32 keyRowBytes(const LockKey *pTable, const KeyValue *aVal, u32 nVal){
  u32 nAll, i;
  if( nVal>KEY_VALUES ) return LIMIT_KEY + 1;
  nAll = headBytes(pTable, nVal);
  for(i=0; i<nVal; i++){
    if( valueBytes(&aVal[i])>LIMIT_KEY ) return LIMIT_KEY + 1;
    nAll += valueBytes(&aVal[i]);
    nAll += aVal[i].eType>KEY_VALUE_REAL && i+1<nVal;
  }
  return nAll;
}

LockRc keyMakeRow(LockKey *p, const LockKey *pTable, const KeyValue *aVal,
                  u32 nVal){
  u8 a[LIMIT_KEY+1];
  u32 n, i;
  if( keyRowBytes(pTable, aVal, nVal)>LIMIT_KEY ) return LOCK_MISUSE;
  n = headBytes(pTable, nVal);
  memset(a, 0, n);
  memcpy(a, pTable->a, pTable->nKey);
  a[pTable->nKey+1] = (u8)nVal;
  for(i=0; i<nVal; i++){
    const KeyValue *pVal = &aVal[i];
    a[pTable->nKey+2+i] = (u8)pVal->eType;
    if( pVal->eType>KEY_VALUE_REAL && i+1<nVal ) a[n++] = (u8)pVal->n;
    if( pVal->eType==KEY_VALUE_INTEGER ){
      memcpy(&a[n], &pVal->i, 8);
    }else if( pVal->eType==KEY_VALUE_REAL ){
      memcpy(&a[n], &pVal->r, 8);
    }else if( pVal->n ){
      memcpy(&a[n], pVal->p, pVal->n);
    }
    n += valueBytes(pVal);
  }
  return keyMake(p, KEY_ROW, a, n);
}

u32 keyTableBytes(u32 eKind, const u8 *pKey, u32 nKey){
  const u8 *pEnd;
  if( eKind==KEY_TABLE ) return nKey;
  if( eKind!=KEY_ROW || nKey==0 ) return 0;
  pEnd = memchr(pKey, 0, nKey);
  return pEnd ? (u32)(pEnd - pKey) : nKey;
}

KeyReader keyReader(const u8 *pKey, u32 nKey){
  KeyReader r = { pKey, nKey, 0, 0, 0 };
  u32 n = keyTableBytes(KEY_ROW, pKey, nKey);
  if( n+2<=nKey ){
    r.nType = pKey[n+1];
    r.iType = n + 2;
    r.iValue = (n + 2 + r.nType + 3) & ~3u;
  }
  return r;
}

int keyNext(KeyReader *r, KeyValue *pVal){
  memset(pVal, 0, sizeof(*pVal));
  if( r->nType==0 || r->iType>=r->nKey || r->iValue>r->nKey ) return 0;
  pVal->eType = r->pKey[r->iType++];
  r->nType--;
  if( pVal->eType>KEY_VALUE_REAL ){
    pVal->n = r->nKey - r->iValue;
    if( r->nType ){
      if( pVal->n==0 || r->pKey[r->iValue]>=pVal->n ) return 0;
      pVal->n = r->pKey[r->iValue++];
    }
    pVal->p = r->pKey + r->iValue;
  }else{
    if( r->iValue+8>r->nKey ) return 0;
    memcpy(&pVal->i, r->pKey + r->iValue, 8);
    memcpy(&pVal->r, r->pKey + r->iValue, 8);
  }
  r->iValue += valueBytes(pVal);
  return 1;
}

u32 keyEvent(const char *zName){
  u32 h = 2166136261u;
  while( *zName ) h = (h ^ (u8)*zName++)*16777619u;
  return h ^ h>>16;
}
