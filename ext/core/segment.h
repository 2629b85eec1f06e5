/* SPDX-License-Identifier: 0BSD */
/*
** segment.h: the format of the lock file <database>-interlock, and access to
** it.  With the section "Reading the file" of ext/core/README.md this header is
** the specification.  That page has the steps by which the words change.
**
** LAYOUT.  All numbers are in the machine's byte order, 64-bit words lie on
** multiples of 8, references are 1-based indexes and 0 means none.
**
**   offset 0                 SegHeader, 4096 bytes
**   offset 4096              LIMIT_SESSION sessions of 128 bytes
**   then, up to LIMIT_EXTENTS times, one extent:
**                              LIMIT_EXTENT hash buckets of 4 bytes
**                              LIMIT_EXTENT records of 128 bytes
**
** Record i (from 1) lies in extent (i-1)/LIMIT_EXTENT at index
** (i-1)%LIMIT_EXTENT, and bucket b (from 0) in extent b/LIMIT_EXTENT.  The
** header word `length` says how many bytes may be touched: it only grows, and
** the file has blocks behind all of it.  A word of 0 is what a fresh page
** holds, and everywhere means free, none or empty.
**
** TRUTH AND CACHE.  The fields marked T are the truth.  Fields marked D are
** derived from them: only the owner of the mutex reads or writes them, in any
** order, and a rebuild after an owner's death computes them again.  The guard
** words are derived, but have an order and other readers: below.
**
** READING WITHOUT THE MUTEX.  Load `state` with acquire, then the fields T,
** then an acquire fence, then `state` again: the fields belong to the state
** if it did not change (READ-STATE to READ-AGAIN).  A session is live if its
** state's low half is SEG_LIVE, and its process is alive if the byte 2^40 +
** owner of the file is locked.  A record counts if it is SEG_WAITING or
** SEG_GRANTED and not invalidated (tableVoid): its session is live with the
** record's generation, and, if it is granted with scount 0, thold is not 0,
** its high half is the high half of the session's `now`, and its low half is
** not above the low half of that.
**
** CACHE LINES.  A line that two processes store in travels between their
** processors, which takes longer than all of lock and unlock.  What taking and
** releasing a free lock stores outside the session's own records lies in one
** line of 64 bytes, from `mutex` to the first statistic, and nothing else that
** is often stored lies beside what is only read.  `passed` lies in another
** line, and is stored only where a process sleeps.  For the same reason a
** session keeps the slot that it freed last (`next`) and takes it first.
**
** GUARD WORDS.  guard[c] counts the records that are SEG_GRANTED, with a key of
** kind KEY_TABLE and a hash of class c, which is hash%64: of any mode and
** session, invalidated ones that are not swept yet included.  A row lock comes
** with an intention lock on its table, so 0 means that no table of the class
** and no row of one is locked.  Only the owner of the mutex stores a word, and
** it must never be too low: it is raised before the record becomes GRANTED and
** lowered after it is FREE; a rebuild counts first and then stores.  A death
** between the two stores leaves it too high, until the rebuild.
**
** It is read without the mutex, by the active writer.  The session became that
** under the mutex, and saw there all that was granted before.  Until its
** transaction ends no row or table is granted to another session.  So whichever
** value of the word the session reads since, it counts at least what others
** still hold.
**
** Stored by: M the owner of the mutex; S the session that the field belongs to
** (its thread, with the mutex unless said otherwise); A any process, by atomic
** operations.  A session also lowers its scount and invalidates its thold
** without the mutex (UNDO-WORD).
*/
#ifndef INTERLOCK_SEGMENT_H
#define INTERLOCK_SEGMENT_H

#include "core/atomic.h"
#include "core/os.h"
#include "core/rules.h"

/*
** The magic word: "Intrlk", the format's number, the OS layer's letter.  A
** build with tiny limits has a format of its own.  The number is raised when
** the format changes; where that was forgotten, the header word `print` tells
** builds apart (format.h).
*/
#define SEG_FORMAT ((u64)4 + (LIMIT_SESSION==4096u ? 0 : 128))
#define SEG_PREFIX ((u64)0x496e74726c6b0000)
#define SEG_MAGIC  (SEG_PREFIX | SEG_FORMAT<<8 | osLayer())

/* Bits of the mutex word; the rest of it, from bit 2, is the owner's number. */
#define MUTEX_WAITERS ((u64)1)     /* a process may sleep on the word */
#define MUTEX_WORK    ((u64)2)     /* some session's `left` is 1 */
#define MUTEX_OWNER(w) ((w)>>2)

/* Low half of a session's state; the high half is the slot's generation. */
enum { SEG_UNUSED, SEG_LIVE, SEG_ENDING };

/*
** Low three bits of a record's state.  The upper 29 count how often the slot
** was taken (the sequence).  SEG_TEXT is a slot that holds the rest of a long
** key: struct SegText in place of SegRecord.
*/
enum { SEG_FREE, SEG_WAITING, SEG_GRANTED, SEG_WITHDRAWN, SEG_CANCELLED,
       SEG_TEXT };
#define SEG_STATE(w)      ((w)&7u)
#define SEG_WITH(w,e)     (((w)&~7u)|(u32)(e))
#define SEG_NEXTSEQ(w,e)  ((((w)&~7u)+8u)|(u32)(e))

#define SEG_ALL ((u32)0xFFFFFFFF)  /* rollback level that invalidates nothing */
#define SEG_PAIR(hi,lo) ((u64)(u32)(hi)<<32 | (u32)(lo))
#define SEG_HIGH(w)     ((u32)((w)>>32))
#define SEG_LOW(w)      ((u32)(w))

/* Fencing tokens and session ids are below this: JSON has them as doubles. */
#define SEG_NUMBERS ((u64)1<<53)

/* A record's `what`, of mode, kind and bytes of the key, and its parts. */
#define SEG_WHAT(eMode,eKind,nKey) ((eMode) | (eKind)<<8 | (nKey)<<16)
#define SEG_WHAT_MODE(w) ((w) & 0xFF)
#define SEG_WHAT_KIND(w) (((w)>>8) & 0x1F)
#define SEG_WHAT_NKEY(w) (((w)>>16) & 0xFF)

#define SEG_EVENTS 64u             /* words to wait on by name: see lockEvent */
#define SEG_GUARDS 64u             /* classes of tables: GUARD WORDS */
#define SEG_INLINE 48u             /* key bytes in a record */
#define SEG_TEXTBYTES 112u         /* key bytes in a text slot */

/* F(offset, type, name, array): each row is a field and a static assert. */
#define SEG_HEADER(F) \
  F(   0, u64, magic,)       /* T SEG_MAGIC; 0 while not formatted */ \
  F(   8, u64, length,)      /* T A bytes that may be touched; only grows */ \
  F(  16, u64, numbers,)     /* T A last process number given */ \
  F(  24, u64, created,)     /* T wall clock at formatting, us */ \
  F(  32, u32, damaged,)     /* T A not 0: a process found nonsense in here */ \
  F(  36, u32, freeSession,) /* D first free session */ \
  F(  40, u64, sessionId,)   /* T M last session id given */ \
  F(  48, u32, usedSession,) /* D no session above it was ever used */ \
  F(  52, u32, print,)       /* T formatPrint of the build that formatted */ \
  F(  56, u32, pad0,[2]) \
  F(  64, u64, mutex,)       /* T A 0, or {owner's number, WORK, WAITERS} */ \
  F(  72, u64, token,)       /* T M last fencing token given */ \
  F(  80, u64, ticket,)      /* T M last ticket given */ \
  F(  88, u32, freeRecord,)  /* D first of the free slots below used */ \
  F(  92, u32, usedRecord,)  /* D no slot above it was ever taken */ \
  F(  96, u32, nRecord,)     /* D slots that are not free */ \
  F( 100, u32, nBucket,)     /* D hash buckets in use: linear hashing */ \
  F( 104, u32, nWait,)       /* D linked records that are not granted */ \
  F( 108, u32, writerTxn,)   /* T M the active writer's; 0: there is none */ \
  F( 112, u32, writer,)      /* T M the active writer: a session */ \
  F( 116, u32, inside,)      /* M session last inside, for messages */ \
  F( 120, u64, stat,[16])    /* M or A: see STAT_GRANTS */ \
  F( 248, u32, writerGen,)   /* T M its generation */ \
  F( 252, u32, passed,)      /* M how often the mutex was passed on */ \
  F( 256, u32, pad1,[16]) \
  F( 320, u32, event,[64])   /* A one word a class of names */ \
  F( 576, u32, guard,[64])   /* D M granted tables, by class: GUARD WORDS */ \
  F( 832, u32, pad2,[816])

#define SEG_SESSION(F) \
  F(   0, u64, state,)       /* T {generation, UNUSED M, LIVE M, ENDING S} */ \
  F(   8, u64, owner,)       /* T M number of its process */ \
  F(  16, u64, now,)         /* T S {transaction, keep}, without the mutex */ \
  F(  24, u32, left,)        /* T 1: it needs a sweep; A stores 0, S 1 */ \
  F(  28, u32, waits,)       /* D its request, for cancel and deadlocks */ \
  F(  32, u64, id,)          /* T M number never used again in this file */ \
  F(  40, u64, started,)     /* T M wall clock, ms */ \
  F(  48, u64, pidSpace,)    /* T M pid namespace, 0 unknown */ \
  F(  56, u32, pid,)         /* T M for display only */ \
  F(  60, u32, next,)        /* D slot freed last; if UNUSED: free list */ \
  F(  64, u32, firstTxn,)    /* D records with a transaction hold */ \
  F(  68, u32, firstSes,)    /* D its other records */ \
  F(  72, u32, nRecord,)     /* D how many in both lists */ \
  F(  76, u32, mixed,)       /* D 1: firstTxn is not sorted by stamp */ \
  F(  80, u32, label,[12])   /* T S what others see; 48 bytes, 0-padded */

#define SEG_RECORD(F) \
  F(   0, u32, state,)       /* T {sequence, SEG_FREE ...}; stored last */ \
  F(   4, u32, session,)     /* T M the session that asks or holds */ \
  F(   8, u32, generation,)  /* T M of that session slot */ \
  F(  12, u32, scount,)      /* T S how often held in session scope */ \
  F(  16, u64, ticket,)      /* T M orders the queue */ \
  F(  24, u64, token,)       /* T M fencing token, before GRANTED */ \
  F(  32, u64, thold,)       /* T S {transaction, stamp}; 0: no such hold */ \
  F(  40, u64, since,)       /* T M wall clock of request or grant, ms */ \
  F(  48, u32, what,)        /* T M mode | kind<<8 | bytes of key<<16 */ \
  F(  52, u32, hash,)        /* T M of kind and key */ \
  F(  56, u32, text,)        /* T M first SegText of a key over 48 bytes */ \
  F(  60, u32, hashNext,)    /* D bucket's chain; queue order within a key */ \
  F(  64, u32, hashPrev,)    /* D; hashNext is also the free list */ \
  F(  68, u32, sesNext,)     /* D session's list */ \
  F(  72, u32, sesPrev,)     /* D */ \
  F(  76, u32, linked,)      /* D in a chain and a list */ \
  F(  80, u32, key,[12])     /* T M first 48 bytes of the key */

#define SEG_TEXTSLOT(F) \
  F(   0, u32, state,)       /* {sequence, SEG_TEXT} */ \
  F(   4, u32, record,)      /* T the record whose key this is */ \
  F(   8, u32, next,)        /* T next slot of the same key */ \
  F(  12, u32, part,)        /* T 0: bytes 48..159 of the key, 1: 160.. */ \
  F(  16, u32, key,[28])

#define SEG_FIELD(iOff, type, name, array) type name array;
typedef struct SegHeader { SEG_HEADER(SEG_FIELD) } SegHeader;
typedef struct SegSession { SEG_SESSION(SEG_FIELD) } SegSession;
typedef struct SegRecord { SEG_RECORD(SEG_FIELD) } SegRecord;
typedef struct SegText { SEG_TEXTSLOT(SEG_FIELD) } SegText;

#define SEG_AT(S,iOff,name) \
  _Static_assert(offsetof(S,name)==(iOff), #name " is out of place");
#define SEG_AT_H(iOff, type, name, array) SEG_AT(SegHeader, iOff, name)
#define SEG_AT_S(iOff, type, name, array) SEG_AT(SegSession, iOff, name)
#define SEG_AT_R(iOff, type, name, array) SEG_AT(SegRecord, iOff, name)
#define SEG_AT_T(iOff, type, name, array) SEG_AT(SegText, iOff, name)
SEG_HEADER(SEG_AT_H)
SEG_SESSION(SEG_AT_S)
SEG_RECORD(SEG_AT_R)
SEG_TEXTSLOT(SEG_AT_T)
_Static_assert(sizeof(SegHeader)==4096, "header");
_Static_assert(sizeof(SegSession)==128, "session");
_Static_assert(sizeof(SegRecord)==128, "record");
_Static_assert(sizeof(SegText)==128, "text slot");

#define SEG_SESSIONS 4096u
#define SEG_EXTENTS  (SEG_SESSIONS + (size_t)LIMIT_SESSION*128)
#define SEG_EXTENT   ((size_t)LIMIT_EXTENT*132)
#define SEG_WINDOW   (SEG_EXTENTS + LIMIT_EXTENTS*SEG_EXTENT)
#define SEG_PRIVATE  (SEG_EXTENTS + LIMIT_PRIVATE*SEG_EXTENT)

/*
** A mapped segment in this process.  nRecord and nLength follow `length`, only
** upwards (segRefresh): segRecords reads nRecord.
**
** Stored by: O the thread that opens or closes the file, while no other thread
** has it; M the thread that owns the mutex; A any thread, by atomic operations,
** so that every read of it must be atomic as well.
*/
typedef struct Seg {
  u8 *pBase;               /* O nWindow bytes of address space */
  OsFile file;             /* O fd -1: private memory */
  size_t nWindow;          /* O SEG_WINDOW; of private memory SEG_PRIVATE */
  u32 iPrint;              /* O this build's formatPrint: before segOpen */
  u64 iNumber;             /* O this process's number */
  u64 iTaken;              /* M the dead owner that the mutex was taken from */
  u64 iToken, iSession;    /* M last token and session id drawn here */
  u64 nLength;             /* A value of `length` that nRecord follows */
  u32 nRecord;             /* A record slots that may be touched */
  u32 bDamaged;            /* A nonsense was met in the file */
#ifdef INTERLOCK_TEST
  u64 nStep;               /* A steps that segBound has counted */
#endif
  SegSession nilSession;   /* A what an index out of bounds leads to */
  SegRecord nilRecord;     /* A the same */
} Seg;

/* Record slots that may be touched, now: the number only rises. */
static inline u32 segRecords(const Seg *p){ return atomicGet(&p->nRecord); }

/* segDamage: nonsense was met in the file.  Everything that this process does
** with the file ends soon after: by segBound, and by lockUsable. */
static inline void segDamage(Seg *p){ atomicSet(&p->bDamaged, 1); }
static inline int segDamaged(const Seg *p){
  return atomicGet(&p->bDamaged)!=0;
}

static inline SegHeader *segHeader(const Seg *p){
  return (SegHeader*)(void*)p->pBase;
}

#ifndef NDEBUG
/* Does this thread own the mutex?  For asserts. */
static inline int segHeld(const Seg *p){
  return MUTEX_OWNER(atomicGet(&segHeader(p)->mutex))==p->iNumber
      && ruleHolds(RANK_MUTEX, p);
}
#endif

/*
** Session i and record i.  An index that this code cannot have stored leads to
** a scrap of this process and marks the segment damaged.  So a function that
** follows links of the file needs no checks, but must bound its loops
** (segBound).  A function that uses an index for an array of this process must
** check it.
*/
static inline SegSession *segSession(Seg *p, u32 i){
  if( i-1>=LIMIT_SESSION ){
    segDamage(p);
    memset(&p->nilSession, 0, sizeof(p->nilSession));
    return &p->nilSession;
  }
  return (SegSession*)(void*)(p->pBase + SEG_SESSIONS) + (i-1);
}
static inline SegRecord *segRecord(Seg *p, u32 i){
  u32 k = i-1;
  if( k>=segRecords(p) ){
    segDamage(p);
    memset(&p->nilRecord, 0, sizeof(p->nilRecord));
    return &p->nilRecord;
  }
  return (SegRecord*)(void*)(p->pBase + SEG_EXTENTS
      + (size_t)(k/LIMIT_EXTENT)*SEG_EXTENT + (size_t)LIMIT_EXTENT*4)
      + k%LIMIT_EXTENT;
}
static inline SegText *segText(Seg *p, u32 i){
  return (SegText*)(void*)segRecord(p, i);
}
static inline u32 *segBucket(Seg *p, u32 b){
  if( b>=segRecords(p) ){
    segDamage(p);
    b = 0;
  }
  return (u32*)(void*)(p->pBase + SEG_EXTENTS
      + (size_t)(b/LIMIT_EXTENT)*SEG_EXTENT) + b%LIMIT_EXTENT;
}

/*
** Bounds a walk along links of the file, and whatever is repeated until
** nothing is left to do: 1 as long as it may go on.  No list has more members
** than there are slots.  In a damaged file no walk goes on, so that what
** repeats a walk ends with it.
*/
static inline int segBound(Seg *p, u32 *pnStep){
#ifdef INTERLOCK_TEST
  atomicSet(&p->nStep, atomicGet(&p->nStep)+1);
#endif
  if( segDamaged(p) ) return 0;
  if( (*pnStep)++ <= segRecords(p) ) return 1;
  segDamage(p);
  return 0;
}

/*
** segOpen maps the file (or private memory) and reads nothing of it:
** LOCK_NOMAP.  A file's window is as large as the file can get, since records
** do not move.  Private memory has a smaller one: no other process can grow it.
** segFormat makes an empty segment of it, under the exclusive first byte.
** segUsable looks at magic, print and length: LOCK_OK, LOCK_NOFILE if the file
** must be formatted, LOCK_FORMAT, LOCK_MALFORMED.
*/
LockRc segOpen(Seg*);
void segClose(Seg*);
LockRc segUsable(Seg*);
LockRc segFormat(Seg*);

/*
** segGrow adds room for records, without the mutex: LOCK_FULL, LOCK_NOSPACE.
** segStale: the length word is not what nRecord follows.  segRefresh makes
** nRecord follow, and asks the system whether the file is that long.  This one
** call is made under the mutex, once a process after each growth.
*/
LockRc segGrow(Seg*);
static inline int segStale(Seg *p){
  return atomicGetAcq(&segHeader(p)->length)!=atomicGet(&p->nLength);
}
LockRc segRefresh(Seg*);

/* The bucket of a hash when n buckets are in use. */
u32 segBucketOf(u32 iHash, u32 nBucket);

#endif
