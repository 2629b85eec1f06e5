/* SPDX-License-Identifier: 0BSD */
/*
** base.h: what every file of layers 0 to 2 needs: integer types, the result
** enum, the allocator, and the switches of test builds.
**
**   INTERLOCK_TINY     arrays of 2 and 3, so that every boundary is crossed
**   INTERLOCK_SMALL    arrays of 8 and 32, for exploring all states
**   INTERLOCK_CRASH    crashPoint(n) is called after every store that another
**                      process can see; the test program defines it
**   INTERLOCK_BUGS     seeds the mistake that the test program chooses while it
**                      runs; the suite has to find each
**   INTERLOCK_TEST     adds what only tests call; in debug builds anyway
**
** Nothing of SQLite is known here.
*/
#ifndef INTERLOCK_BASE_H
#define INTERLOCK_BASE_H

#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;
typedef int32_t i32;
typedef int64_t i64;

/*
** The result of anything that can fail in layers 0 to 2.  The SQL layer
** translates them to SQLite's codes in one place.
*/
typedef enum LockRc {
  LOCK_OK = 0,
  LOCK_NO,           /* a try was refused; nothing to release or cancel */
  LOCK_WAITING,      /* lockAsk only: the request is queued */
  LOCK_TIMEOUT,      /* the wait took longer than allowed */
  LOCK_REFUSED,      /* would have to wait, and may not */
  LOCK_CANCELLED,    /* another session ended this wait */
  LOCK_INTERRUPTED,  /* the caller's xPoll ended this wait */
  LOCK_DEADLOCK,     /* waiting would close a cycle */
  LOCK_BUSY,         /* somebody is stopped inside the mutex or the format */
  LOCK_FULL,         /* a limit of the lock file is reached */
  LOCK_NOSPACE,      /* the disk is full: the lock file cannot grow */
  LOCK_MALFORMED,    /* the lock file holds what no program of ours wrote */
  LOCK_FORMAT,       /* another format or OS layer, in use by somebody */
  LOCK_REPLACED,     /* the lock file's name leads to another file now */
  LOCK_NETWORK,      /* a file system without coherent mappings and locks */
  LOCK_CANTOPEN,     /* not there, not writable, not a plain file of ours */
  LOCK_LINKED,       /* the database has a second name */
  LOCK_NOMAP,        /* no room in the address space for the lock file */
  LOCK_NOFILE,       /* lockOpen without bCreate: there is no lock file */
  LOCK_FORKED,       /* the handle belongs to the parent process */
  LOCK_NOMEM,        /* the allocator failed */
  LOCK_IOERR,        /* the operating system failed in some other way */
  LOCK_MISUSE        /* an argument that no caller may pass */
} LockRc;

/* Where memory comes from; a test passes one that fails. */
typedef struct LockMem {
  void *(*xAlloc)(size_t nByte);
  void (*xFree)(void*);
} LockMem;

#if defined(INTERLOCK_DEBUG) && !defined(INTERLOCK_TEST)
# define INTERLOCK_TEST 1
#endif

/*
** Crash points: the stores of the protocol that another process can see, in
** the order of the steps.  ext/core/README.md has a row for each: what
** a death right after it leaves behind and who repairs it.
*/
#define CRASH_POINTS(X) \
  X(ATTACH_NUMBER)   /* 4.1 b  number drawn */ \
  X(ATTACH_BYTE)     /* 4.1 c  byte locked */ \
  X(ATTACH_DONE)     /* 4.1 d  first byte let go */ \
  X(FORMAT_CLEAR)    /* 4.2 b  magic is 0 */ \
  X(FORMAT_EXTEND)   /* 4.2 c  blocks allocated */ \
  X(FORMAT_ZERO)     /* 4.2 c  words cleared */ \
  X(FORMAT_LENGTH)   /* 4.2 c  header words and length stored */ \
  X(FORMAT_MAGIC)    /* 4.2 d  magic stored */ \
  X(GROW_EXTEND)     /* 4.3 a  blocks allocated */ \
  X(GROW_LENGTH)     /* 4.3 b  length raised */ \
  X(ENTER)           /* 4.4 a,b  mutex word is mine */ \
  X(ENTER_WAITERS)   /* 4.4 d  WAITERS set */ \
  X(LEAVE_WORK)      /* 4.5 a  WORK cleared */ \
  X(LEAVE)           /* 4.5 b  mutex word is 0 */ \
  X(LEAVE_WAKE)      /* 4.5 c  a sleeper woken */ \
  X(TAKEOVER)        /* 4.6 a  mutex word taken from the dead */ \
  X(REBUILD_FREE)    /* 4.6 b  one record freed */ \
  X(REBUILD_EMPTY)   /* 4.6 c  heads emptied */ \
  X(REBUILD_LINK)    /* 4.6 c  one record linked */ \
  X(REBUILD_GUARD)   /* 4.6 c  one guard word stored */ \
  X(REBUILD_SESSION) /* 4.6 d  one session freed */ \
  X(END_WORD)        /* 4.7 a  now, ENDING or WITHDRAWN stored */ \
  X(END_LEFT)        /* 4.7 b  left is 1 */ \
  X(END_WORK)        /* 4.7 d  WORK set */ \
  X(SETTLE_LEFT)     /* 4.8    left is 0 */ \
  X(SETTLE_KEEP)     /* 4.8    keep set back */ \
  X(REMOVE_STATE)    /* 4.8, 4.12  state is FREE */ \
  X(GUARD_LOWER)     /* 4.8, 4.10, 4.12  a guard word lowered */ \
  X(REMOVE_CHAIN)    /* 4.8, 4.12  out of its chain */ \
  X(REMOVE_LIST)     /* 4.8, 4.12  in the free list */ \
  X(HOLD_AGAIN)      /* 4.9 b  count or transaction hold stored */ \
  X(TAKE_SLOT)       /* 4.9 e  out of the free list */ \
  X(TAKE_TEXT)       /* 4.9 e  slot of a long key */ \
  X(FILL)            /* 4.9 e  fields stored */ \
  X(TICKETS)         /* 4.9 f, 4.15  one ticket renumbered */ \
  X(LINK)            /* 4.9 f  in the chain */ \
  X(GUARD_RAISE)     /* 4.9 g, 4.10 c  a guard word raised */ \
  X(VALID)           /* 4.9 g  WAITING or GRANTED */ \
  X(GRANT_TOKEN)     /* 4.10 b  token stored */ \
  X(GRANT_STATE)     /* 4.10 c  GRANTED */ \
  X(GRANT_WAKE)      /* 4.10 d  woken */ \
  X(WITHDRAW_LOOK)   /* 4.11   to be withdrawn, nothing stored yet */ \
  X(WITHDRAW)        /* 4.11   WITHDRAWN */ \
  X(RELEASE_COUNT)   /* 4.12   count lowered */ \
  X(SWEEP_LEFT)      /* 4.13   left of a session exchanged */ \
  X(SWEEP_SESSION)   /* 4.13   session is FREE */ \
  X(DEAD_ENDING)     /* 4.14   session of a dead process is ENDING */ \
  X(CANCEL_LOOK)     /* 4.15   a wait found, nothing stored yet */ \
  X(CANCEL)          /* 4.15   CANCELLED */ \
  X(REORDER)         /* 4.15   a queue rearranged */ \
  X(SPLIT)           /* a hash bucket split */ \
  X(OPEN_FIELDS)     /* session fields stored, state still FREE */ \
  X(OPEN_LIVE)       /* session is LIVE */ \
  X(WRITER)          /* the writer's place taken or given back */

enum {
  CRASH_NONE,
#define X(name) CRASH_##name,
  CRASH_POINTS(X)
#undef X
  CRASH_COUNT
};

#ifdef INTERLOCK_CRASH
void crashPoint(int iPoint);
# define CRASH(name) crashPoint(CRASH_##name)
#else
# define CRASH(name) ((void)0)
#endif

/*
** Seeded mistakes, numbered from 1.  In a build with INTERLOCK_BUGS the test
** program defines seededBug(), the number of one of them or 0; in others BUG(n)
** is a constant and nothing of them is kept.
*/
#define BUGS(X) \
  X(CONFLICT_BIT)       /* S and IX are taken for compatible */ \
  X(SKIP_AHEAD)         /* scan ignores requests queued ahead */ \
  X(NO_SCAN)            /* release wakes nobody */ \
  X(WAKE_FIRST)         /* no wake after the grant (only polls) */ \
  X(WITHDRAW_STORE)     /* giving up by load and store */ \
  X(GRANT_STORE)        /* grant by load and store */ \
  X(NO_WORK)            /* an ender leaves no WORK bit */ \
  X(KEEP_FIRST)         /* keep goes up before the void records go */ \
  X(NO_REBUILD)         /* take-over without a rebuild */ \
  X(IGNORE_LEVEL)       /* void looks at the transaction only */ \
  X(NO_SETTLE)          /* nothing is settled before acquiring */ \
  X(POLL_HOLDERS)       /* polls probe holders only */ \
  X(TAKE_LIVE)          /* the mutex is taken from a live owner */ \
  X(NO_DEADLOCK)        /* no deadlock check */ \
  X(HARD_ONLY)          /* the deadlock check follows no soft edges */ \
  X(UPGRADE_TAIL)       /* an upgrade queues at the tail */ \
  X(REORDER_NOSCAN)     /* no scan after a rearrangement */ \
  X(REBUILD_NOSCAN)     /* no scan after a rebuild */ \
  X(CANCEL_NOSEQ)       /* cancel ignores the sequence */ \
  X(NO_WAITERS)         /* mutex waiters set no WAITERS bit */ \
  X(VALID_FIRST)        /* state is stored before the fields */ \
  X(COUNT_SCOPES)       /* unlock drops the transaction hold too */ \
  X(TOKEN_REUSED)       /* a grant from the queue draws no token */ \
  X(LEFT_LATE)          /* left is cleared after the look */ \
  X(WRITER_BLIND)       /* row locks do not look at the writer's place */ \
  X(KEY_BY_HASH)        /* long keys are compared by hash and length */ \
  X(SHORT_HASH_SPLIT)   /* a split leaves the records where they are */ \
  X(GROW_STORE)         /* length is stored, not compared and swapped */ \
  X(FIRST_EARLY)        /* first byte let go before the own one is locked */ \
  X(WOKEN_PLAIN)        /* who has slept enters without WAITERS */ \
  X(GUARD_LATE)         /* a guard word is raised after the grant */ \
  X(GUARD_REBUILD)      /* a rebuild clears the guard words, then counts */ \
  X(SKIP_OWN)           /* lockSkip takes what its session holds */ \
  X(SKIP_QUEUED)        /* lockSkip takes what somebody waits for */ \
  X(WRITER_NOTE)        /* a session's note that it writes stays too long */ \
  X(TABLES_FIRST)       /* lockReleaseAll takes tables with the rows */ \
  X(KEEP_GRANT)         /* a grant beats the interrupt that came before it */ \
  X(ONE_SECOND)         /* patience with the mutex does not begin again */ \
  X(SLEPT_OUT)          /* only a whole sleep asks for a dead owner */ \
  X(UNDO_SILENT)        /* a grant that went back is announced to nobody */

enum {
  BUG_NONE,
#define X(name) BUG_##name,
  BUGS(X)
#undef X
  BUG_COUNT
};

#ifdef INTERLOCK_BUGS
int seededBug(void);
# define BUG(name) (seededBug()==BUG_##name)
#else
# define BUG(name) (BUG_NONE==BUG_##name)
#endif

#ifdef INTERLOCK_TINY
# define LIMIT_SESSION 3u        /* sessions of one lock file */
# define LIMIT_EXTENT 2u         /* records added at a time, a power of two */
# define LIMIT_EXTENTS 3u        /* how often */
#elif defined(INTERLOCK_SMALL)
# define LIMIT_SESSION 8u
# define LIMIT_EXTENT 32u
# define LIMIT_EXTENTS 1u
#else
# define LIMIT_SESSION 4096u
# define LIMIT_EXTENT 1024u
# define LIMIT_EXTENTS 4096u
#endif
#define LIMIT_RECORD (LIMIT_EXTENT*LIMIT_EXTENTS)
/* Extents of private memory: the window is address space of the process. */
#define LIMIT_PRIVATE (LIMIT_EXTENTS<256u ? LIMIT_EXTENTS : 256u)
#define LIMIT_KEY 255u           /* bytes of a key */
#define LIMIT_LABEL 48u          /* bytes of a session's label */

#endif
