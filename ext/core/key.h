/* SPDX-License-Identifier: 0BSD */
/*
** key.h: what is locked and how: kinds of keys, their bytes and their hash, the
** modes and which of them conflict.  Nothing of the mapped file is known here.
**
** All of it is part of the format of the lock file.  Two builds that make
** different bytes, or another hash, of one key grant the same exclusive lock
** twice.  format.h mixes everything here into the print by which such builds
** refuse each other, and test/core/lkformat.c has the values themselves: what
** is changed here on purpose needs a new SEG_FORMAT.
**
** The key of a table is its name with ASCII letters in lower case, as SQLite
** compares names.  The key of a row is that of its table and then
**
**   0                     ends the name, which has none
**   n                     how many values, one byte
**   n type bytes          KEY_VALUE_INTEGER ...
**   0 to 3 times 0        up to a multiple of 4
**   the values            INTEGER and REAL in 8 bytes; TEXT and BLOB as they
**                         are, each but the last after a byte with its length
**
** Numbers are in the machine's byte order.  Equal values must have equal bytes:
** a REAL that is an integer is one (keyValueReal), and of a text that is kept
** which its collation sees of it (keyValueText).
*/
#ifndef INTERLOCK_KEY_H
#define INTERLOCK_KEY_H

#include "core/base.h"

/* Modes, weakest first; stored in the file. */
enum { LOCK_INTENT_SHARED = 1, LOCK_INTENT_EXCLUSIVE, LOCK_SHARED,
       LOCK_SHARED_INTENT, LOCK_EXCLUSIVE };
#define LOCK_MODES 6
#define MODE_BIT(e) (1u<<(e))

/* Kinds of keys: disjoint name spaces; stored in the file. */
enum { KEY_INTEGER = 1,  /* 8 bytes */
       KEY_PAIR,         /* two times 4 bytes */
       KEY_TEXT, KEY_BLOB,
       KEY_NAME,         /* MySQL's get_lock names */
       KEY_ROW,          /* table's name, 0, the row's key */
       KEY_TABLE,        /* table's name */
       KEY_TURN,         /* the queue for SQLite's write lock; no bytes */
       KEY_KINDS };

/* A key in this process.  Bytes after nKey up to the next word are 0. */
typedef struct LockKey {
  u32 a[64];
  u32 iHash;
  u8 eKind, nKey;
} LockKey;

/*
** keyMake: makes a key; LOCK_MISUSE if it is too long.  keyConflicts: the modes
** that conflict with a mode, as a mask of MODE_BITs.  keyWords: how many words
** of `a` n bytes take.
*/
LockRc keyMake(LockKey*, int eKind, const void *pKey, u32 nKey);
u32 keyConflicts(u32 eMode);
static inline u32 keyWords(u32 nKey){ return (nKey+3)/4; }

/* keyFold: n bytes with ASCII letters in lower case, as NOCASE sees them: it
** looks no further than a 0, but at the length.  keyMakeFolded: a key of such
** a name; LOCK_MISUSE if it is too long. */
void keyFold(u8 *pTo, const u8 *p, u32 n);
LockRc keyMakeFolded(LockKey*, int eKind, const char *z, u32 n);

/* One value of the key of a row. */
enum { KEY_VALUE_INTEGER = 1, KEY_VALUE_REAL, KEY_VALUE_TEXT, KEY_VALUE_BLOB };
typedef struct KeyValue {
  int eType;
  i64 i;                 /* INTEGER */
  double r;              /* REAL */
  const u8 *p;           /* TEXT and BLOB, */
  u32 n;                 /* and how many bytes they have */
} KeyValue;
#define KEY_VALUES 60u   /* of one row's key; each has two bytes */

/* What a collation sees of a text. */
typedef enum KeyCollation {
  KEY_BINARY, KEY_NOCASE, KEY_RTRIM
} KeyCollation;

/* keyValueReal: the value of a REAL.  keyValueText: the value of a TEXT under a
** collation; with KEY_NOCASE its n bytes are copied to pSpace. */
void keyValueReal(KeyValue*, double r);
void keyValueText(KeyValue*, KeyCollation, const u8 *p, u32 n, u8 *pSpace);

/* keyRowBytes: the length that the key of a row would have; more than
** LIMIT_KEY: it cannot be locked.  keyMakeRow: the key of a row of the table
** with that key; LOCK_MISUSE if it is too long. */
u32 keyRowBytes(const LockKey *pTable, const KeyValue *aVal, u32 nVal);
LockRc keyMakeRow(LockKey*, const LockKey *pTable, const KeyValue*, u32 nVal);

/* keyTableBytes: of the name of the table that the key of a row or a table
** begins with; 0 for other kinds. */
u32 keyTableBytes(u32 eKind, const u8 *pKey, u32 nKey);

/* The key of a row, value by value.  keyNext: 0 at the end, or where the key
** is no row's after all: it can come from a damaged file. */
typedef struct KeyReader {
  const u8 *pKey;
  u32 nKey;
  u32 iType, nType;      /* the next type byte, and how many are left */
  u32 iValue;
} KeyReader;
KeyReader keyReader(const u8 *pKey, u32 nKey);
int keyNext(KeyReader*, KeyValue*);

/* The hash of a name that is waited for: lockEvent. */
u32 keyEvent(const char *zName);

#endif
