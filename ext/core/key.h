/* SPDX-License-Identifier: 0BSD */
/*
** key.h: what is locked and how: kinds of keys, their bytes and their hash, the
** modes and which of them conflict.  No function here knows the mapped file.
**
** All of it is part of the format of the lock file.  Two builds that make
** different bytes of one key, or another hash, would both grant the same
** exclusive lock.  So format.h mixes everything here into the print by which
** such builds refuse each other, and test/core/format.txt has the values
** themselves, which lkformat compares.  An intended change of a value must
** raise SEG_FORMAT.
**
** README.md, section Keys, has the bytes of each kind.
*/
#ifndef INTERLOCK_KEY_H
#define INTERLOCK_KEY_H

#include "core/base.h"

/* Modes, the weakest first, from 1 on.  The numbers are stored in the file. */
#define LOCK_MODE_LIST(X) \
  X(LOCK_INTENT_SHARED) /* IS */ X(LOCK_INTENT_EXCLUSIVE) /* IX */ \
  X(LOCK_SHARED) /* S */ X(LOCK_SHARED_AND_INTENT_EXCLUSIVE) /* SIX */ \
  X(LOCK_EXCLUSIVE) /* X */
enum {
  LOCK_NO_MODE,
#define X(name) name,
  LOCK_MODE_LIST(X)
#undef X
  LOCK_MODES             /* one more than there are modes */
};
#define MODE_BIT(e) (1u<<(e))

/* Kinds of keys: disjoint name spaces.  The numbers are stored in the file. */
enum { KEY_INTEGER = 1,  /* 8 bytes */
       KEY_PAIR,         /* two times 4 bytes */
       KEY_TEXT, KEY_BLOB,  /* as given */
       KEY_NAME,         /* a name of MySQL's get_lock */
       KEY_ROW,          /* table's name, 0, the row's values */
       KEY_TABLE,        /* the table's name */
       KEY_TURN,         /* the queue for SQLite's write lock; no bytes */
       KEY_SEMAPHORE,    /* a semaphore's name */
       KEY_LISTEN,       /* a channel: the sessions that listen on it */
       KEY_NOTIFY,       /* a channel: transactions that will notify it */
       KEY_KINDS };

/* A key in this process.  The bytes after nKey up to the next word must be
** 0. */
typedef struct LockKey {
  u32 a[64];
  u32 iHash;
  u8 eKind, nKey;
  u8 nPermit;            /* of a request for a semaphore: how many sessions may
                         ** hold it; it is no part of the key */
} LockKey;

/*
** keyMake: makes a key.  Returns LOCK_MISUSE if it is too long.
** keyConflicts: the modes that conflict with a mode, as a mask of MODE_BITs.
** keyWords: the number of words of `a` that n bytes take.
** keySame: 1 if two keys are the same.
** keyCompare: less than, equal to or greater than 0, by the bytes of the keys.
** Sessions that take several locks in this order never wait for each other in
** a deadlock.
*/
LockRc keyMake(LockKey*, int eKind, const void *pKey, u32 nKey);
u32 keyConflicts(u32 eMode);
int keyCompare(const LockKey*, const LockKey*);
static inline u32 keyWords(u32 nKey){ return (nKey+3)/4; }
static inline int keySame(const LockKey *p, const LockKey *q){
  return p->iHash==q->iHash && p->eKind==q->eKind && p->nKey==q->nKey
      && memcmp(p->a, q->a, p->nKey)==0;
}

/* keyFold: copies n bytes with ASCII letters in lower case, as NOCASE sees
** them: it compares up to a 0, and the length.  keyMakeFolded: makes a key of
** such a name.  Returns LOCK_MISUSE if it is too long. */
void keyFold(u8 *pTo, const u8 *p, u32 n);
LockRc keyMakeFolded(LockKey*, int eKind, const char *z, u32 n);

/* One value of the key of a row. */
enum { KEY_VALUE_INTEGER = 1, KEY_VALUE_REAL, KEY_VALUE_TEXT, KEY_VALUE_BLOB };
typedef struct KeyValue {
  int eType;             /* KEY_VALUE_INTEGER ... */
  i64 i;                 /* an INTEGER */
  double r;              /* a REAL */
  const u8 *p;           /* bytes of a TEXT or BLOB */
  u32 n;                 /* number of these bytes */
} KeyValue;
#define KEY_VALUES 60u   /* most values of one row's key */

/* The collations that a key can have. */
typedef enum KeyCollation {
  KEY_BINARY, KEY_NOCASE, KEY_RTRIM
} KeyCollation;

/* keyValueReal: makes the value of a REAL.  keyValueText: makes the value of a
** TEXT under a collation.  With KEY_NOCASE it copies the n bytes to pSpace. */
void keyValueReal(KeyValue*, double r);
void keyValueText(KeyValue*, KeyCollation, const u8 *p, u32 n, u8 *pSpace);

/* keyRowBytes: the length that the key of a row would have.  More than
** LIMIT_KEY: the row cannot be locked.  keyMakeRow: makes the key of a row of
** the table with key pTable.  Returns LOCK_MISUSE if it is too long. */
u32 keyRowBytes(const LockKey *pTable, const KeyValue *aVal, u32 nVal);
LockRc keyMakeRow(LockKey*, const LockKey *pTable, const KeyValue*, u32 nVal);

/* keyTableBytes: the length of the table's name at the beginning of the key of
** a row or a table; 0 for other kinds. */
u32 keyTableBytes(u32 eKind, const u8 *pKey, u32 nKey);

/* Reads the key of a row value by value.  keyNext returns 0 at the end, and
** where the bytes are not the key of a row: they can come from a damaged
** file. */
typedef struct KeyReader {
  const u8 *pKey;
  u32 nKey;
  u32 iType, nType;      /* the next type byte; number of those to come */
  u32 iValue;            /* the next value */
} KeyReader;
KeyReader keyReader(const u8 *pKey, u32 nKey);
int keyNext(KeyReader*, KeyValue*);

/* The hash of an event's name: lockEvent. */
u32 keyEvent(const char *zName);

#endif
