/* SPDX-License-Identifier: 0BSD */
/*
** format.c: the print of the format.  See format.h.
*/
#include "core/format.h"

/*--------------------------------------------------------------- samples ---*/

/* Values of sample keys of rows. */
static const KeyValue valInteger = { KEY_VALUE_INTEGER, -42, 0, 0, 0 };
static const KeyValue valReal = { KEY_VALUE_REAL, 0, 0.5, 0, 0 };
static const KeyValue valBlob = { KEY_VALUE_BLOB, 0, 0, (const u8*)"\001\0\377",
                                  3 };

/* The value of a text under a collation. */
static KeyValue text(KeyCollation eColl, const char *z, u8 *pSpace){
  KeyValue val = { 0, 0, 0, 0, 0 };
  keyValueText(&val, eColl, (const u8*)z, (u32)strlen(z), pSpace);
  return val;
}
static KeyValue real(double r){
  KeyValue val = { 0, 0, 0, 0, 0 };
  keyValueReal(&val, r);
  return val;
}

/* The key of the row of table Jobs with these values. */
static void row(LockKey *p, u32 n, KeyValue a, KeyValue b, KeyValue c){
  KeyValue aVal[3] = { a, b, c };
  LockKey table;
  keyMakeFolded(&table, KEY_TABLE, "Jobs", 4);
  keyMakeRow(p, &table, aVal, n);
}

static void sampleBytes(LockKey *p, int eKind, u32 n){
  u8 a[LIMIT_KEY];
  u32 i;
  for(i=0; i<n; i++) a[i] = (u8)(3*i+1);
  keyMake(p, eKind, a, n);
}

static void samplePair(LockKey *p, int eKind, i32 i, i32 j){
  i32 a[2];
  a[0] = i;
  a[1] = j;
  keyMake(p, eKind, a, 8);
}

static void sampleInteger(LockKey *p, i64 i){ keyMake(p, KEY_INTEGER, &i, 8); }

#define SAMPLES(X) \
  X(integer_0,      sampleInteger(p, 0)) \
  X(integer_1,      sampleInteger(p, 1)) \
  X(integer_far,    sampleInteger(p, -((i64)1<<40) + 77)) \
  X(pair,           samplePair(p, KEY_PAIR, 7, -9)) \
  X(text_empty,     keyMake(p, KEY_TEXT, 0, 0)) \
  X(text,           keyMake(p, KEY_TEXT, "Bob", 3)) \
  X(text_48,        sampleBytes(p, KEY_TEXT, 48)) \
  X(text_160,       sampleBytes(p, KEY_TEXT, 160)) \
  X(blob_8,         sampleBytes(p, KEY_BLOB, 8)) \
  X(blob_255,       sampleBytes(p, KEY_BLOB, 255)) \
  X(name,           keyMakeFolded(p, KEY_NAME, "My Lock", 7)) \
  X(table,          keyMakeFolded(p, KEY_TABLE, "Jobs", 4)) \
  X(turn,           keyMake(p, KEY_TURN, 0, 0)) \
  X(semaphore,      keyMake(p, KEY_SEMAPHORE, "mail", 4)) \
  X(listen,         keyMake(p, KEY_LISTEN, "jobs", 4)) \
  X(notify,         keyMake(p, KEY_NOTIFY, "jobs", 4)) \
  X(row_integer,    row(p, 1, valInteger, none, none)) \
  X(row_real,       row(p, 1, valReal, none, none)) \
  X(row_real_whole, row(p, 1, real(42.0), none, none)) \
  X(row_real_zero,  row(p, 1, real(-0.0), none, none)) \
  X(row_real_far,   row(p, 1, real(1e300), none, none)) \
  X(row_blob,       row(p, 1, valBlob, none, none)) \
  X(row_binary,     row(p, 1, text(KEY_BINARY, "Bob ", a), none, none)) \
  X(row_nocase,     row(p, 1, text(KEY_NOCASE, "Bob ", a), none, none)) \
  X(row_rtrim,      row(p, 1, text(KEY_RTRIM, "Bob ", a), none, none)) \
  X(row_composite,  row(p, 3, text(KEY_BINARY, "x", a), valInteger, valBlob))

const char *formatSample(u32 i, LockKey *p){
  const KeyValue none = { 0, 0, 0, 0, 0 };
  u8 a[16];
  u32 n = 0;
#define X(name, make) if( i==n++ ){ make; return #name; }
  SAMPLES(X)
#undef X
  return 0;
}

/*----------------------------------------------------------------- print ---*/

static void mix(u32 *h, u64 i){
  int n;
  for(n=0; n<8; n++, i>>=8) *h = (*h ^ (u8)i)*16777619u;
}
static void mixBytes(u32 *h, const void *p, size_t n){
  const u8 *z = p;
  size_t i;
  mix(h, n);
  for(i=0; i<n; i++) *h = (*h ^ z[i])*16777619u;
}
static void mixNamed(u32 *h, const char *z, u64 i){
  mixBytes(h, z, strlen(z));
  mix(h, i);
}

/* Mixes in every field by its name, since two fields of one size may change
** places. */
static void mixFields(u32 *h){
#define MIX_FIELD(S, name) \
  mixNamed(h, #S "." #name, (u64)offsetof(S, name)<<32 | sizeof(((S*)0)->name));
#define MIX_H(iOff, type, name, array) MIX_FIELD(SegHeader, name)
#define MIX_S(iOff, type, name, array) MIX_FIELD(SegSession, name)
#define MIX_R(iOff, type, name, array) MIX_FIELD(SegRecord, name)
#define MIX_T(iOff, type, name, array) MIX_FIELD(SegText, name)
  SEG_HEADER(MIX_H)
  SEG_SESSION(MIX_S)
  SEG_RECORD(MIX_R)
  SEG_TEXTSLOT(MIX_T)
}

#define MIX(name) mixNamed(h, #name, (u64)(name));
static void mixNumbers(u32 *h){
  MIX(SEG_FORMAT) MIX(OS_NUMBER_BASE) MIX(SEG_EXTENTS) MIX(SEG_EXTENT)
  MIX(LIMIT_SESSION) MIX(LIMIT_EXTENT) MIX(LIMIT_EXTENTS)
  MIX(LIMIT_KEY) MIX(LIMIT_LABEL)
  MIX(SEG_NUMBERS) MIX(SEG_EVENTS) MIX(SEG_GUARDS)
  MIX(SEG_FIRST_SESSIONS) MIX(SEG_FIRST_RECORDS)
  MIX(SEG_BELLS) MIX(SEG_BELLSLOT) MIX(segBellOffset(1)) MIX(SEG_BELL(7, 1))
  MIX(OS_BELL_HOLDER) MIX(OS_BELL_DIED) MIX(OS_BELL_AWAITED)
  MIX(SEG_INLINE) MIX(SEG_TEXTBYTES) MIX(SEG_ALL) MIX(SEG_PAIR(1, 2))
  MIX(MUTEX_WAITERS) MIX(MUTEX_WORK) MIX(MUTEX_OWNER(1024))
  MIX(SEG_UNUSED) MIX(SEG_LIVE) MIX(SEG_ENDING)
  MIX(SEG_FREE) MIX(SEG_WAITING) MIX(SEG_GRANTED) MIX(SEG_WITHDRAWN)
  MIX(SEG_CANCELLED) MIX(SEG_TEXT) MIX(SEG_NEXTSEQ(8u, 1))
  MIX(STAT_GRANTS) MIX(STAT_WAITS) MIX(STAT_TIMEOUTS) MIX(STAT_CANCELS)
  MIX(STAT_DEADLOCKS) MIX(STAT_REORDERED) MIX(STAT_RECOVERIES)
  MIX(STAT_SWEPT) MIX(STAT_COUNT)
  mix(h, osLayer());
}

static void mixLocks(u32 *h){
  SegRecord what;
  u32 e;
  LOCK_MODE_LIST(MIX) MIX(LOCK_MODES)
  MIX(KEY_INTEGER) MIX(KEY_PAIR) MIX(KEY_TEXT) MIX(KEY_BLOB) MIX(KEY_NAME)
  MIX(KEY_ROW) MIX(KEY_TABLE) MIX(KEY_TURN)
  MIX(KEY_SEMAPHORE) MIX(KEY_LISTEN) MIX(KEY_NOTIFY) MIX(KEY_KINDS)
  for(e=0; e<LOCK_MODES; e++) mix(h, keyConflicts(e));
  what.what = 0x12345678;
  mix(h, SEG_WHAT_MODE(what.what));
  mix(h, SEG_WHAT_KIND(what.what));
  mix(h, SEG_WHAT_NKEY(what.what));
  mix(h, SEG_WHAT_PERMIT(what.what));
}

/* Mixes in sample keys, their buckets, and the hashes of event names. */
static void mixKeys(u32 *h){
  const char *z;
  LockKey key;
  u32 i, n;
  for(i=0; (z = formatSample(i, &key))!=0; i++){
    mixNamed(h, z, key.iHash);
    mixBytes(h, key.a, key.nKey);
    for(n=LIMIT_EXTENT; n<LIMIT_EXTENT+3; n++){
      mix(h, segBucketOf(key.iHash, n));
    }
    mix(h, keyEvent(z));
  }
}

u32 formatPrint(void){
  u32 h = 2166136261u;
  mixFields(&h);
  mixNumbers(&h);
  mixLocks(&h);
  mixKeys(&h);
  h ^= h>>15;
  return h ? h : 1;
}

/*------------------------------------------------------------ comparison ---*/

static LockFormat formatOf(u64 iMagic, u32 iPrint){
  LockFormat f;
  f.iNumber = (u32)(iMagic>>8) & 0xFF;
  f.eLayer = (u32)iMagic & 0xFF;
  f.iPrint = iPrint;
  return f;
}

static _Thread_local LockFormat met;

int formatDiffers(const Seg *p){
  const SegHeader *h = segHeader(p);
  if( !segDiffers(p) ) return 0;
  met = formatOf(atomicGetAcq(&h->magic), atomicGet(&h->print));
  return 1;
}

LockFormat formatMet(void){ return met; }
LockFormat formatOwn(void){ return formatOf(SEG_MAGIC, formatPrint()); }
