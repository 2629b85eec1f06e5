/* SPDX-License-Identifier: 0BSD */
/*
** segment.h: the format of the lock file <database>-interlock, and access to
** it.  This header and the sections "Keys" and "Reading the file" of
** ext/core/README.md specify the format.  That page also has the steps by
** which the words change.
**
** LAYOUT.  All numbers are in the machine's byte order.  64-bit words lie on
** multiples of 8.  References are 1-based indexes, and 0 means none.
**
**   offset 0                 SegHeader, 4096 bytes
**   offset 4096              LIMIT_SESSION sessions of 128 bytes
**   then, up to LIMIT_EXTENTS times, one extent:
**                              LIMIT_EXTENT hash buckets of 4 bytes
**                              LIMIT_EXTENT records of 128 bytes
**
** Record i (from 1) lies in extent (i-1)/LIMIT_EXTENT at index
** (i-1)%LIMIT_EXTENT, and bucket b (from 0) in extent b/LIMIT_EXTENT.  A fresh
** page holds words of 0, and 0 means free, none or empty in every field.
**
** ROOM.  The file begins with a header, SEG_FIRST_SESSIONS sessions, the
** buckets of one extent and SEG_FIRST_RECORDS records, and grows.  The header
** word `length` is the end of the last record that a process may touch: a
** number of whole extents, and maybe the buckets and the first records of one
** more, in steps of SEG_FIRST_RECORDS.  The header word `roomSession` is the
** number of sessions that a process may touch, from the first on.  Both only
** grow, and the file has blocks behind all of that.  Behind other sessions the
** file has a hole, where the file system can: a process must not read or store
** there.  Only the page of a bell gets its blocks before (BELLS).
**
** TRUTH AND CACHE.  The fields marked T are the truth.  The fields marked D are
** derived from them.  Only the owner of the mutex reads or writes a D field, in
** any order, and a rebuild after an owner's death computes all of them again.
** The guard words are derived as well, but they have an order and other
** readers: see GUARD WORDS.
**
** READING WITHOUT THE MUTEX.  A reader must load `state` with acquire, then the
** fields T, then issue an acquire fence, then load `state` again.  The fields
** belong to the state if it did not change (READ-STATE to READ-AGAIN).  A
** session is live if its state's low half is SEG_LIVE.  Its process is alive if
** the byte 2^40 + owner of the file is locked.  A record counts if it is
** SEG_WAITING or SEG_GRANTED, its session's process is alive, and it is not
** invalidated (recordInvalid).  It is not
** invalidated if its session is live with the record's generation and one of
** these holds: the record is not granted; its sesCount is not 0; its txnHold is
** not 0, has the high half of the session's `now`, and has a low half that is
** not above the low half of `now`.
**
** CACHE LINES.  A line that two processes store in travels between their
** processors, which takes longer than all of lock and unlock.  A session that
** takes and releases a free lock stores, outside its own records, in one line
** of 64 bytes only: from `mutex` to the first statistic.  No word that is often
** stored lies beside words that are only read.  `passedOn` lies in another
** line, and a process stores it only where it sleeps.  For the same reason a
** session keeps the slot that it freed last (`next`) and takes it first.
**
** GUARD WORDS.  guard[c] counts the records that are SEG_GRANTED and have a key
** of kind KEY_TABLE with a hash of class c, which is hash%64.  It counts every
** mode and session, and invalidated records that are not swept yet.  A row lock
** comes with an intention lock on its table.  So 0 means that no table of the
** class and no row of one is locked.  Only the owner of the mutex stores a
** guard word, and the word must never be too low.  So the owner must raise it
** before the record becomes GRANTED and lower it after the record is FREE, and
** a rebuild must count first and then store.  A death between the two stores
** leaves the word too high until the rebuild.
**
** The active writer reads a guard word without the mutex.  The session became
** the active writer under the mutex, and saw there all that was granted before.
** Until its transaction ends no row or table is granted to another session.  So
** every value of the word that the session reads since counts at least the
** locks that other sessions still hold.
**
** BELLS.  A bell is a word that the kernel changes when the thread that holds
** it ends, and on which it wakes a thread then: a robust futex.  Process n has
** bell b = (n-1)%SEG_BELLS, which is one of the two words `bell` of session
** slot SEG_BELLSLOT*(b+1): the last 8 bytes of a page of the file, since the
** other parts of the robust mutex must lie in private memory behind them
** (os.h).
** bell[b] of the header is 4n from when process n has drawn its number.  It is
** SEG_BELL(n, w), where w is 1 if it is the second word, from when a thread of
** the process holds the bell.  It may stay when the process has ended.  The
** word has the thread's number, or 0, and the kernel's two bits: OS_BELL_DIED
** and OS_BELL_AWAITED.  A process takes the first bell that no living process
** has, so the file has a page for each process that lived at one time.
**
** STORED BY.  M: the owner of the mutex.  S: the session that the field belongs
** to; its thread must own the mutex unless the field's comment says otherwise.
** A: any process, by atomic operations.  F: the process that formats, while it
** holds the first byte exclusively; it stores every word then.  A session also
** lowers its sesCount and invalidates its txnHold without the mutex
** (UNDO-WORD).
*/
#ifndef INTERLOCK_SEGMENT_H
#define INTERLOCK_SEGMENT_H

#include "core/atomic.h"
#include "core/os.h"
#include "core/rules.h"

/*
** The magic word: "Intrlk", the format's number, the OS layer's letter.  A
** build with tiny limits has a format of its own.  A change of the format must
** raise the number.  If it does not, the header word `print` still tells the
** builds apart (format.h).
*/
#define SEG_FORMAT ((u64)6 + (LIMIT_SESSION==4096u ? 0 : 128))
#define SEG_PREFIX ((u64)0x496e74726c6b0000)
#define SEG_MAGIC  (SEG_PREFIX | SEG_FORMAT<<8 | osLayer())

/* Bits of the mutex word.  The owner's number begins at bit 2. */
#define MUTEX_WAITERS ((u64)1)     /* a process may sleep on the word */
#define MUTEX_WORK    ((u64)2)     /* sweepNeeded of a session is 1 */
#define MUTEX_OWNER(w) ((w)>>2)

/* Low half of a session's state; the high half is the slot's generation. */
enum { SEG_UNUSED, SEG_LIVE, SEG_ENDING };

/*
** Low three bits of a record's state.  The upper 29 bits count how often the
** slot was taken (the sequence).  A slot with SEG_TEXT holds the rest of a long
** key: it is a SegText, not a SegRecord.
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

/* The number of a session's next transaction, if this one is committed.  A
** rollback passes over that number: so the end of a transaction is one store,
** and tells whether its notifications are sent. */
static inline u32 segNextTxn(u32 iTxn){ return iTxn+1 ? iTxn+1 : 1; }

/* Fencing tokens and session ids must stay below this: a JSON number is a
** double. */
#define SEG_NUMBERS ((u64)1<<53)

/* A record's `what`: mode, kind and number of bytes of the key, and of a
** semaphore the number of permits that the request has named. */
#define SEG_WHAT(eMode,eKind,nKey,nPermit) \
  ((eMode) | (eKind)<<8 | (nKey)<<16 | (nPermit)<<24)
#define SEG_WHAT_MODE(w) ((w) & 0xFF)
#define SEG_WHAT_KIND(w) (((w)>>8) & 0x1F)
#define SEG_WHAT_NKEY(w) (((w)>>16) & 0xFF)
#define SEG_WHAT_PERMIT(w) ((w)>>24)

#define SEG_EVENTS 64u             /* words to wait on by name: see lockEvent */
#define SEG_GUARDS 64u             /* classes of tables: GUARD WORDS */
#define SEG_INLINE 48u             /* key bytes in a record */
#define SEG_TEXTBYTES 112u         /* key bytes in a text slot */

/* F(offset, type, name, array): each row is a field and a static assert. */
#define SEG_HEADER(F) \
  F(   0, u64, magic,)       /* T F SEG_MAGIC; 0 while not formatted */ \
  F(   8, u64, length,)      /* T A end of the records: ROOM; only grows */ \
  F(  16, u64, numbers,)     /* T A last process number drawn */ \
  F(  24, u64, created,)     /* T F wall clock at formatting, us */ \
  F(  32, u32, damaged,)     /* T A 1: a process met nonsense in the file */ \
  F(  36, u32, freeSession,) /* D M first session of the free list */ \
  F(  40, u64, sessionId,)   /* T M last session id given */ \
  F(  48, u32, usedSession,) /* D M highest session slot used so far */ \
  F(  52, u32, print,)       /* T F formatPrint of the build that formatted */ \
  F(  56, u32, roomSession,) /* T A sessions that may be touched: ROOM */ \
  F(  60, u32, pad0,) \
  F(  64, u64, mutex,)       /* T A 0, or {owner's number, WORK, WAITERS} */ \
  F(  72, u64, token,)       /* T M last fencing token given */ \
  F(  80, u64, ticket,)      /* T M last ticket given */ \
  F(  88, u32, freeRecord,)  /* D M first slot of the free list of records */ \
  F(  92, u32, usedRecord,)  /* D M highest record slot ever taken */ \
  F(  96, u32, nRecord,)     /* D M record slots that are not FREE */ \
  F( 100, u32, nBucket,)     /* D M hash buckets in use (linear hashing) */ \
  F( 104, u32, nWait,)       /* D M linked records that are not GRANTED */ \
  F( 108, u32, writerTxn,)   /* T M active writer's transaction; 0: none */ \
  F( 112, u32, writer,)      /* T M session slot of the active writer */ \
  F( 116, u32, lastInside,)  /* M session that entered last; for messages */ \
  F( 120, u64, stat,[16])    /* M or A: see STAT_GRANTS in base.h */ \
  F( 248, u32, writerGen,)   /* T M generation of the slot in `writer` */ \
  F( 252, u32, passedOn,)    /* M how often the mutex was passed on */ \
  F( 256, u32, pad1,[16]) \
  F( 320, u32, event,[64])   /* A one word for each class of event names */ \
  F( 576, u32, guard,[64])   /* D M granted tables, by class: GUARD WORDS */ \
  F( 832, u64, bell,[128])   /* T A by class of process numbers: BELLS */ \
  F(1856, u32, pad2,[560])

#define SEG_SESSION(F) \
  F(   0, u64, state,)       /* T {generation, UNUSED M, LIVE M, ENDING S} */ \
  F(   8, u64, owner,)       /* T M number of the session's process */ \
  F(  16, u64, now,)         /* T S {transaction, rollback level}; no mutex */ \
  F(  24, u32, sweepNeeded,) /* T 1: records to be swept; S stores 1, A 0 */ \
  F(  28, u32, waits,)       /* D M record of its request, 0: none */ \
  F(  32, u64, id,)          /* T M id, never given twice in this file */ \
  F(  40, u64, started,)     /* T M wall clock at its begin, ms */ \
  F(  48, u64, pidSpace,)    /* T M pid namespace, 0: unknown */ \
  F(  56, u32, pid,)         /* T M process id; for display only */ \
  F(  60, u32, next,)        /* D M slot freed last; if UNUSED: free list */ \
  F(  64, u32, firstTxn,)    /* D M list of records with a txnHold */ \
  F(  68, u32, firstSes,)    /* D M list of its other records */ \
  F(  72, u32, nRecord,)     /* D M number of records in both lists */ \
  F(  76, u32, unsorted,)    /* D M 1: firstTxn is not sorted by stamp */ \
  F(  80, u32, label,[10])   /* T S label for display: 40 bytes, 0-padded */ \
  F( 120, u32, bell,[2])     /* A not the session's: BELLS */

#define SEG_RECORD(F) \
  F(   0, u32, state,)       /* T A {sequence, SEG_FREE ...}; stored last */ \
  F(   4, u32, session,)     /* T M slot of the session that asks or holds */ \
  F(   8, u32, generation,)  /* T M generation of that slot */ \
  F(  12, u32, sesCount,)    /* T S how often held in session scope */ \
  F(  16, u64, ticket,)      /* T M orders the requests of a queue */ \
  F(  24, u64, token,)       /* T M fencing token; stored before GRANTED */ \
  F(  32, u64, txnHold,)     /* T S {transaction, stamp}; 0: no such hold */ \
  F(  40, u64, since,)       /* T M wall clock of request or grant, ms */ \
  F(  48, u32, what,)        /* T M SEG_WHAT: mode, kind, bytes, permits */ \
  F(  52, u32, hash,)        /* T M hash of kind and key */ \
  F(  56, u32, text,)        /* T M first SegText of a key over 48 bytes */ \
  F(  60, u32, hashNext,)    /* D M next in bucket's chain or free list */ \
  F(  64, u32, hashPrev,)    /* D M previous in bucket's chain */ \
  F(  68, u32, sesNext,)     /* D M next in the session's list */ \
  F(  72, u32, sesPrev,)     /* D M previous in the session's list */ \
  F(  76, u32, linked,)      /* D M 1: the record is in a chain and a list */ \
  F(  80, u32, key,[12])     /* T M first 48 bytes of the key */

#define SEG_TEXTSLOT(F) \
  F(   0, u32, state,)       /* T M {sequence, SEG_TEXT} */ \
  F(   4, u32, record,)      /* T M the record whose key this is */ \
  F(   8, u32, next,)        /* T M next text slot of the same key, 0: none */ \
  F(  12, u32, part,)        /* T M 0: bytes 48..159 of the key; 1: 160.. */ \
  F(  16, u32, key,[28])     /* T M that part of the key */

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

#define SEG_BELLS    128u
#define SEG_BELLSLOT 32u           /* sessions in 4096 bytes */
#define SEG_BELL(n,w)    (4*(n) + 2 + (w))   /* held by a thread of process n */
#define SEG_BELL_HELD(x) ((u32)(x)>>1 & 1)
#define SEG_BELL_WORD(x) ((u32)(x) & 1)
#define SEG_BELL_OWNER(x) ((x)>>2)

#define SEG_SESSIONS 4096u
#define SEG_EXTENTS  (SEG_SESSIONS + (size_t)LIMIT_SESSION*128)
#define SEG_EXTENT   ((size_t)LIMIT_EXTENT*132)
#define SEG_WINDOW   (SEG_EXTENTS + LIMIT_EXTENTS*SEG_EXTENT)
#define SEG_PRIVATE  (SEG_EXTENTS + LIMIT_PRIVATE*SEG_EXTENT)

/* ROOM: what a file begins with. */
#define SEG_FIRST_SESSIONS (LIMIT_SESSION<32u ? LIMIT_SESSION : 32u)
#define SEG_FIRST_RECORDS  (LIMIT_EXTENT<64u ? LIMIT_EXTENT : 64u)

#define SEG_WAKES 16     /* threads that mutexLeave wakes after it has left */

/*
** A mapped segment in this process.  nRecord, nBucket and nLength follow
** `length` of the header, only upwards (segRefresh).
**
** STORED BY.  O: the thread that opens, attaches or closes the file, before or
** after all others use it.  M: the thread that owns the mutex.  A: any thread,
** by atomic operations, so every read of the field must be atomic as well.  S:
** a scrap, which any thread stores and no thread relies on.  `make check`
** compares this column with the code (tool/check/stores.tcl).
*/
typedef struct Seg {
  u8 *pBase;               /* O nWindow bytes of address space */
  OsFile file;             /* O the open file; fd -1: private memory */
  size_t nWindow;          /* O SEG_WINDOW; of private memory SEG_PRIVATE */
  u32 iPrint;              /* O this build's formatPrint: before segOpen */
  u64 iNumber;             /* O this process's number */
  u64 iTaken;              /* M the dead owner that the mutex was taken from */
  u64 iToken;              /* M last fencing token that this process drew */
  u64 iSession;            /* M last session id that this process drew */
  u32 nWake;               /* M threads to be woken when the mutex is left */
  u32 *apWake[SEG_WAKES];  /* M the words that they sleep on */
  u64 nLength;             /* A value of `length` that these two follow */
  u32 nRecord;             /* A record slots that may be touched */
  u32 nBucket;             /* A hash buckets that may be touched */
  u32 bDamaged;            /* A 1: this process met nonsense in the file */
#ifdef INTERLOCK_TEST
  u64 nStep;               /* A steps that segBound has counted */
#endif
  SegSession nilSession;   /* S what an index out of bounds leads to */
  SegRecord nilRecord;     /* S what an index out of bounds leads to */
} Seg;

/* The number of record slots that may be touched, and of buckets.  Both only
** rise. */
static inline u32 segRecords(const Seg *p){ return atomicGet(&p->nRecord); }
static inline u32 segBuckets(const Seg *p){ return atomicGet(&p->nBucket); }

/* segDamage: notes that this process met nonsense in the file.  Every work of
** this process with the file ends soon after: segBound ends walks, and
** lockUsable refuses new calls.  segDamaged: 1 if it was noted. */
static inline void segDamage(Seg *p){ atomicSet(&p->bDamaged, 1); }
static inline int segDamaged(const Seg *p){
  return atomicGet(&p->bDamaged)!=0;
}

static inline SegHeader *segHeader(const Seg *p){
  return (SegHeader*)(void*)p->pBase;
}

/* The number of session slots that may be touched.  It only rises. */
static inline u32 segSessions(const Seg *p){
  u32 n = atomicGetAcq(&segHeader(p)->roomSession);
  return n<=LIMIT_SESSION ? n : LIMIT_SESSION;
}

#ifndef NDEBUG
/* 1 if this thread owns the mutex.  For asserts. */
static inline int segHeld(const Seg *p){
  return MUTEX_OWNER(atomicGet(&segHeader(p)->mutex))==p->iNumber
      && ruleHolds(RANK_MUTEX, p);
}
#endif

/*
** segSession, segRecord, segText and segBucket return the slot with an index.
** An index that this code cannot have stored marks the segment damaged and
** leads to a scrap of this process.  So a function that follows links of the
** file needs no checks, but must bound its loops (segBound).  A function that
** uses an index for an array of this process must check it.
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
  if( b>=segBuckets(p) ){
    segDamage(p);
    b = 0;
  }
  return (u32*)(void*)(p->pBase + SEG_EXTENTS
      + (size_t)(b/LIMIT_EXTENT)*SEG_EXTENT) + b%LIMIT_EXTENT;
}

/* segBellOf: which bell a process number has.  segBellOffset: where in the file
** the two words are, one of which is that bell; 0 if there is none, since the
** file has few sessions.  segBellWord: that word. */
static inline u32 segBellOf(u64 iNumber){
  return (u32)((iNumber-1)%SEG_BELLS);
}
static inline u64 segBellOffset(u64 iNumber){
  u64 k = SEG_BELLSLOT*((u64)segBellOf(iNumber) + 1);
  if( k>LIMIT_SESSION ) return 0;
  return SEG_SESSIONS + k*sizeof(SegSession) - 2*sizeof(u32);
}
static inline u32 *segBellWord(Seg *p, u64 iNumber, u32 iWord){
  return (u32*)(void*)(p->pBase + segBellOffset(iNumber)) + (iWord&1);
}

/*
** segBound bounds a walk along links of the file, and every loop that repeats
** until nothing is left to do.  It returns 1 as long as the loop may go on: no
** list has more members than there are slots.  In a damaged file it returns 0,
** so that every loop that repeats a walk ends with it.  *pnStep must begin at
** 0.
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
** segOpen: maps the file, or private memory, and reads nothing of it.  Returns
** LOCK_NOMAP if the address space has no room.  The window of a file is as
** large as the file can get, since records must not move.  Private memory has a
** smaller window, since no other process can grow it.
** segClose: unmaps and closes.
** segDiffers: 1 if the header's magic word or print is not this build's.
** segUsable: reads magic, print, damage and length.  Returns LOCK_OK,
** LOCK_NOFILE if the file must be formatted, LOCK_FORMAT if it must be
** formatted unless a process is alive in it (it is of another format, or
** damaged: whyNotUsable() tells the two apart), or LOCK_MALFORMED.
** segFormat: makes an empty segment.  The caller must hold the first byte
** exclusively.
*/
LockRc segOpen(Seg*);
void segClose(Seg*);
int segDiffers(const Seg*);
LockRc segUsable(Seg*);
LockRc segFormat(Seg*);

/*
** segGrow: adds room for records.  segGrowSessions: the same for sessions.  The
** caller must not own the mutex.  Without room segGrow returns LOCK_FULL,
** segGrowSessions LOCK_NOSESSION, and both LOCK_NOSPACE if the disk is full.
** segFill: gives the file the blocks that it should have: a copy of a lock file
** may have holes there.  Returns LOCK_NOSPACE if it has holes and the disk is
** full.  Where the file system cannot allocate it does nothing.
** segBellRoom: gives the page of this process's bell its blocks.
** segBytes: the bytes behind which the file has blocks, without pages of bells.
** segStale: 1 if `length` is not the value that nRecord follows.
** segRefresh: makes nRecord follow, and asks the system whether the file is
** that long.  A process makes this call under the mutex, once after each
** growth.  Returns LOCK_MALFORMED if the file is shorter.
*/
LockRc segGrow(Seg*);
LockRc segGrowSessions(Seg*);
LockRc segFill(Seg*);
LockRc segBellRoom(Seg*);
u64 segBytes(const Seg*);
static inline int segStale(Seg *p){
  return atomicGetAcq(&segHeader(p)->length)!=atomicGet(&p->nLength);
}
LockRc segRefresh(Seg*);

/* The bucket of a hash when nBucket buckets are in use. */
u32 segBucketOf(u32 iHash, u32 nBucket);

#endif
