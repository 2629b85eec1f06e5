/* SPDX-License-Identifier: 0BSD */
/*
** base.h: what every file of the lock manager needs: integer types, the result
** enum, the allocator, and the switches of test builds.
**
**   INTERLOCK_TINY     arrays of 2 and 3, so that tests cross every boundary
**   INTERLOCK_SMALL    arrays of 8 and 32, for exploring all states
**   INTERLOCK_CRASH    crashPoint(n) is called at every crash point
**                      (CRASH_POINTS); the test program defines it
**   INTERLOCK_BUGS     seeds the mistake that the test program chooses while it
**                      runs; the suite must find each
**   INTERLOCK_TEST     adds functions that only tests call; always in debug
**                      builds
**
** No file of the lock manager knows SQLite.
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
** The result of every function of the lock manager that can fail.  The layer
** above translates it to SQLite's codes in one place.
*/
typedef enum LockRc {
  LOCK_OK = 0,
  LOCK_NO,           /* a try failed: nothing is held or queued */
  LOCK_WAITING,      /* the request is queued (lockAsk only) */
  LOCK_TIMEOUT,      /* the wait took longer than allowed */
  LOCK_REFUSED,      /* the caller would have to wait, and may not */
  LOCK_PENDING,      /* the session has another request that waits */
  LOCK_CANCELLED,    /* another session ended this wait */
  LOCK_INTERRUPTED,  /* the caller's xPoll ended this wait */
  LOCK_DEADLOCK,     /* waiting would complete a cycle */
  LOCK_BUSY,         /* a process is stopped in the mutex or in formatting */
  LOCK_FULL,         /* no room for another lock or request */
  LOCK_NOSESSION,    /* no room for another session */
  LOCK_NOSTAMP,      /* the transaction has taken as many locks as it can */
  LOCK_NOSPACE,      /* the disk is full: the lock file cannot grow */
  LOCK_MALFORMED,    /* damage: this code cannot have written it */
  LOCK_FORMAT,       /* another format or OS layer is in use */
  LOCK_REPLACED,     /* the lock file's name leads to another file now */
  LOCK_MOVED,        /* the database's name leads to another file now */
  LOCK_NETWORK,      /* a file system without coherent mappings and locks */
  LOCK_CANTOPEN,     /* missing, not writable, not a plain file */
  LOCK_LINKED,       /* the database has a second name */
  LOCK_NOMAP,        /* no room in the address space for the lock file */
  LOCK_NOFILE,       /* there is no lock file */
  LOCK_FORKED,       /* the handle belongs to the parent process */
  LOCK_NOMEM,        /* the allocator failed */
  LOCK_IOERR,        /* the operating system failed in some other way */
  LOCK_MISUSE        /* the caller passed a wrong argument */
} LockRc;

/* A format of the lock file: its number, the letter of the OS layer, and the
** print (format.h). */
typedef struct LockFormat {
  u32 iNumber, eLayer, iPrint;
} LockFormat;

/* Statistics, u64 each.  Any process adds to STAT_TIMEOUTS and STAT_CANCELS
** atomically.  Only the owner of the mutex stores the others. */
enum { STAT_GRANTS, STAT_WAITS, STAT_TIMEOUTS, STAT_CANCELS, STAT_DEADLOCKS,
       STAT_REORDERED, STAT_RECOVERIES, STAT_SWEPT, STAT_COUNT=16 };

/* Where memory comes from.  A test passes functions that fail. */
typedef struct LockMem {
  void *(*xAlloc)(size_t nByte);
  void (*xFree)(void*);
} LockMem;

#if defined(INTERLOCK_DEBUG) && !defined(INTERLOCK_TEST)
# define INTERLOCK_TEST 1
#endif

/*
** Crash points: the stores of the protocol that another process can see, each
** with its step.  ext/core/README.md has a row for each: what a death right
** after it leaves, and what repairs it.
*/
#define CRASH_POINTS(X) \
  X(ATTACH_NUMBER)   /* ATTACH-NUMBER: number drawn */ \
  X(ATTACH_BYTE)     /* ATTACH-BYTE: byte locked */ \
  X(ATTACH_BELL)     /* ATTACH-BELL: bell named */ \
  X(ATTACH_DONE)     /* ATTACH-DONE: first byte unlocked */ \
  X(FORMAT_CLEAR)    /* FORMAT-CLEAR: magic is 0 */ \
  X(FORMAT_PUNCH)    /* FORMAT-PUNCH: old blocks given back */ \
  X(FORMAT_EXTEND)   /* FORMAT-EXTEND: blocks allocated */ \
  X(FORMAT_ZERO)     /* FORMAT-ZERO: words cleared */ \
  X(FORMAT_LENGTH)   /* FORMAT-LENGTH: header and length stored */ \
  X(FORMAT_MAGIC)    /* FORMAT-MAGIC: magic stored */ \
  X(GROW_EXTEND)     /* GROW-EXTEND: blocks allocated */ \
  X(GROW_LENGTH)     /* GROW-LENGTH: length raised */ \
  X(GROW_BLOCKS)     /* GROW-BLOCKS: blocks for sessions allocated */ \
  X(GROW_ROOM)       /* GROW-ROOM: room for sessions raised */ \
  X(MUTEX_ENTER)     /* MUTEX-ENTER: the mutex word is ours */ \
  X(MUTEX_WAITERS)   /* MUTEX-WAITERS: WAITERS set */ \
  X(MUTEX_WORK)      /* MUTEX-WORK: WORK cleared */ \
  X(MUTEX_LEAVE)     /* MUTEX-LEAVE: the mutex word is 0 */ \
  X(MUTEX_WAKE)      /* MUTEX-WAKE: a sleeper woken */ \
  X(MUTEX_TAKE)      /* MUTEX-TAKE: taken from a dead owner */ \
  X(REBUILD_FREE)    /* REBUILD-FREE: one record freed */ \
  X(REBUILD_EMPTY)   /* REBUILD-EMPTY: heads emptied */ \
  X(REBUILD_LINK)    /* REBUILD-LINK: one record linked */ \
  X(REBUILD_GUARD)   /* REBUILD-GUARD: one guard word stored */ \
  X(REBUILD_SESSION) /* REBUILD-SESSION: one session freed */ \
  X(END_WORD)        /* END-WORD, UNDO-WORD: the word that decides */ \
  X(END_FLAG)        /* END-FLAG: sweep-needed flag is 1 */ \
  X(END_WORK)        /* END-WORK: WORK set */ \
  X(SETTLE_FLAG)     /* SETTLE-FLAG: sweep-needed flag is 0 */ \
  X(SETTLE_LEVEL)    /* SETTLE-LEVEL: rollback level set back */ \
  X(REMOVE_STATE)    /* REMOVE-STATE: state is FREE */ \
  X(REMOVE_GUARD)    /* REMOVE-GUARD: a guard word lowered */ \
  X(REMOVE_CHAIN)    /* REMOVE-CHAIN: out of its chain */ \
  X(REMOVE_LIST)     /* REMOVE-LIST: slot given back */ \
  X(ACQUIRE_AGAIN)   /* ACQUIRE-AGAIN: count or hold stored */ \
  X(INSERT_SLOT)     /* INSERT-SLOT: out of the free list */ \
  X(INSERT_TEXT)     /* INSERT-TEXT: slot of a long key */ \
  X(INSERT_FILL)     /* INSERT-FILL: fields stored */ \
  X(ORDER_TICKETS)   /* ORDER-TICKETS: one ticket renumbered */ \
  X(INSERT_LINK)     /* INSERT-LINK: in the chain */ \
  X(INSERT_GUARD)    /* INSERT-GUARD, GRANT-GUARD: a guard word raised */ \
  X(INSERT_VALID)    /* INSERT-VALID: WAITING or GRANTED */ \
  X(GRANT_TOKEN)     /* GRANT-TOKEN: token stored */ \
  X(GRANT_STATE)     /* GRANT-STATE: GRANTED */ \
  X(GRANT_WAKE)      /* GRANT-WAKE: a granted session woken */ \
  X(WAIT_DECIDE)     /* WAIT-DECIDE: nothing stored yet */ \
  X(WAIT_WITHDRAW)   /* WAIT-WITHDRAW, WAIT-CANCELLED: WITHDRAWN */ \
  X(RELEASE_COUNT)   /* RELEASE-COUNT, UNDO-WORD: count lowered */ \
  X(SWEEP_FLAG)      /* SWEEP-FLAG: flag exchanged */ \
  X(SWEEP_SESSION)   /* SWEEP-SESSION: session is free */ \
  X(DEAD_ENDING)     /* DEAD-ENDING, REBUILD-KILL: session is ENDING */ \
  X(CANCEL_LOOK)     /* CANCEL-LOOK: nothing stored yet */ \
  X(CANCEL_STATE)    /* CANCEL-STATE: CANCELLED */ \
  X(ORDER_QUEUE)     /* ORDER-QUEUE: a queue rearranged */ \
  X(INSERT_SPLIT)    /* INSERT-SPLIT: a hash bucket split */ \
  X(OPEN_FIELDS)     /* OPEN-FIELDS: state is still UNUSED */ \
  X(OPEN_LIVE)       /* OPEN-LIVE: session is LIVE */ \
  X(BELL_HOLD)       /* BELL-HOLD: this thread holds the bell */ \
  X(BELL_NAME)       /* BELL-NAME: the bell has the process's number */ \
  X(BELL_AWAIT)      /* BELL-AWAIT: OS_BELL_AWAITED set */ \
  X(WRITER_EMPTY)    /* WRITER-EMPTY, WRITER-ENTER, SWEEP-WRITER: one word */ \
  X(RING_NUMBER)     /* RING-NUMBER: one listener has its number */ \
  X(RING_EVENT)      /* RING-EVENT: listeners not woken yet */ \
  X(LISTEN_LOOK)     /* LISTEN-LOOK: nothing stored, about to sleep */

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
** program defines seededBug(), which returns the number of one of them or 0.
** In other builds BUG(n) is a constant, and the compiler removes the mistake.
*/
#define BUGS(X) \
  X(CONFLICT_BIT)       /* S and IX are compatible */ \
  X(SKIP_AHEAD)         /* scan ignores requests queued ahead */ \
  X(NO_SCAN)            /* a release wakes no process */ \
  X(WAKE_FIRST)         /* no wake after the grant (only polls) */ \
  X(WITHDRAW_STORE)     /* giving up by load and store */ \
  X(GRANT_STORE)        /* grant by load and store */ \
  X(NO_WORK)            /* an end leaves no WORK bit */ \
  X(LEVEL_FIRST)         /* SETTLE-LEVEL comes before the sweep */ \
  X(NO_REBUILD)         /* take-over without a rebuild */ \
  X(IGNORE_LEVEL)       /* the rollback level invalidates nothing */ \
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
  X(COUNT_SCOPES)       /* unlock ends the transaction hold too */ \
  X(TOKEN_REUSED)       /* a grant from the queue draws no token */ \
  X(FLAG_LATE)          /* SWEEP-FLAG comes after the look */ \
  X(WRITER_BLIND)       /* row locks ignore the active writer */ \
  X(KEY_BY_HASH)        /* long keys are compared by hash and length */ \
  X(SHORT_HASH_SPLIT)   /* a split leaves the records where they are */ \
  X(GROW_STORE)         /* length is stored, not compared and swapped */ \
  X(FIRST_EARLY)        /* first byte unlocked before the own is locked */ \
  X(WOKEN_PLAIN)        /* after a sleep MUTEX-ENTER without WAITERS */ \
  X(GUARD_LATE)         /* a guard word is raised after the grant */ \
  X(GUARD_REBUILD)      /* a rebuild clears the guard words, then counts */ \
  X(SKIP_OWN)           /* lockSkip takes what its session holds */ \
  X(SKIP_QUEUED)        /* lockSkip takes what another session waits for */ \
  X(WRITER_NOTE)        /* the note that a session writes stays on */ \
  X(TABLES_FIRST)       /* lockReleaseAll takes tables with the rows */ \
  X(KEEP_GRANT)         /* a grant beats the interrupt that came before it */ \
  X(ONE_SECOND)         /* patience with the mutex does not begin again */ \
  X(SLEPT_OUT)          /* the owner is probed after a whole sleep only */ \
  X(UNDO_SILENT)        /* no END-FLAG after a grant was given back */ \
  X(BACK_ONE)           /* SWEEP-BACK looks for one record of two */ \
  X(BACK_KEPT)          /* SETTLE-BACK leaves them to SWEEP-BACK */ \
  X(LEVEL_AFTER)        /* an undo knows the level after the hold */ \
  X(TURN_PRESENT)       /* an undone turn names the present transaction */ \
  X(ASK_LATE)           /* MUTEX-PROBE before its time, not after */ \
  X(PATIENCE_STOP)      /* a waiter's own stop counts as the owner's */ \
  X(MUTEX_SILENT)       /* no MUTEX-WAKE */ \
  X(CANCEL_SILENT)      /* no CANCEL-WAKE */ \
  X(EVENT_SILENT)       /* an event wakes no thread */ \
  X(TAKEOVER_PLAIN)     /* MUTEX-TAKE sets no WAITERS */ \
  X(REMOVE_UNLINKED)    /* a record that is in no list is removed */ \
  X(SWEEP_FOREIGN)      /* a sweep removes another session's record */ \
  X(RELEASE_FOREIGN)    /* lockReleaseAll releases another's record */ \
  X(GUARD_CLASS)        /* a guard word of the wrong class is read */ \
  X(WRITER_TABLES)      /* SWEEP-WRITER scans tables, not rows */ \
  X(SWEEP_SHORT)        /* a sweep of SWEEP_MAX says that it is done */ \
  X(PROBE_ONCE)         /* no second attempt after a death was found */ \
  X(ROWS_GREW)          /* a look copies rows that it did not count */ \
  X(KEYS_GREW)          /* a look copies keys that it did not count */ \
  X(WRITER_TWICE)       /* a look reads the active writer again */ \
  X(WALK_STOP)          /* a walk ends before the request that covers it */ \
  X(LOOK_OUTSIDE)       /* a poll scans without the mutex */ \
  X(ALLOC_INSIDE)       /* memory is allocated under the mutex */ \
  X(SLEEP_INSIDE)       /* a thread sleeps under the mutex */ \
  X(POLL_INSIDE)        /* xPoll is called under the mutex */ \
  X(RANK_TURNED)        /* the list of files is locked in the mutex */ \
  X(GRANT_BESIDE)       /* a scan ignores what others hold */ \
  X(PERMIT_ONE)         /* a free permit counts as held, in a request */ \
  X(PERMIT_SCAN)        /* the same in a scan */ \
  X(PERMIT_EDGE)        /* a wait for several permits has hard edges */ \
  X(NOTIFY_NEVER)       /* the removal of a note sends nothing */ \
  X(NOTIFY_EARLY)       /* a note is sent when it is made */ \
  X(NOTIFY_ROLLBACK)    /* a rollback sends its notes */ \
  X(NOTIFY_LEVEL)       /* COMMIT sends what ROLLBACK TO has undone */ \
  X(RING_SILENT)        /* a notification wakes no thread */ \
  X(REBUILD_SILENT)     /* a rebuild wakes no listener */ \
  X(LISTEN_LATE)        /* a listener reads the word after the number */ \
  X(LISTEN_DEAF)        /* a listener's poll probes no process */ \
  X(WAKE_INSIDE)        /* a granted session is woken under the mutex */ \
  X(BELL_NONE)          /* no thread holds the process's bell */ \
  X(BELL_PLAIN)         /* a sleeper on a bell does not set AWAITED */ \
  X(BELL_OTHER)         /* a bell is taken for that of another process */ \
  X(BELL_BELIEVED)      /* a ring is taken for a death */ \
  X(REQUEST_HELD)       /* a session's own request counts as held */ \
  X(REQUEST_RELEASED)   /* a release takes a grant that was not taken */ \
  X(REQUEST_IDLE)       /* no poll of a request that waits */ \
  X(WATCH_IDLE)         /* a watch does not poll */ \
  X(WATCH_FULL)         /* its pipe stays readable */ \
  X(SIGNAL_IGNORED)     /* a signal causes no look */ \
  X(BELL_STORE)         /* a bell is named by a plain store */ \
  X(BELL_THREAD)        /* a thread is known by its number alone */ \
  X(REQUEST_TWICE)      /* a second request is queued */ \
  X(REQUEST_KEPT)       /* a release takes what the request keeps */ \
  X(NOTIFY_FIRST)       /* one session that listens is told */ \
  X(NOTIFY_DEAD)        /* the note of a dead process is not sent */ \
  X(PERMIT_PASS)        /* a scan passes a request for a permit */ \
  X(PERMIT_FIRST)       /* the first holder of a permit alone is probed */ \
  X(PERMIT_BEHIND)      /* no poll after the request ahead got a permit */ \
  X(PERMIT_OWN)         /* a permit passes the session's own request */ \
  X(SET_NOTED)          /* a set leaves more than is noted */ \
  X(SET_SILENT)         /* no END-WORK after more went back than is noted */

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
# define LIMIT_EXTENT 2u         /* records of an extent, a power of two */
# define LIMIT_EXTENTS 3u        /* extents of a lock file */
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
/* Extents of private memory, whose window is address space of the process. */
#define LIMIT_PRIVATE (LIMIT_EXTENTS<256u ? LIMIT_EXTENTS : 256u)
#define LIMIT_KEY 255u           /* bytes of a key */
#define LIMIT_LABEL 40u          /* bytes of a session's label */
#ifndef LIMIT_STAMP              /* locks that one transaction can number */
# define LIMIT_STAMP 0xFFFFFFFEu
#endif

#endif
