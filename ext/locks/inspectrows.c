/* SPDX-License-Identifier: 0BSD */
/*
** The inspection tables as data. See inspectrows.h.
*/
#include <string.h>
#include "locks/inspectrows.h"
#include "core/os.h"

/* ---- cells ------------------------------------------------------------ */

static LockCell cellNull(void){
  LockCell c = { CELL_NULL, 0, 0, 0 };
  return c;
}

static LockCell cellInteger(u64 i){
  LockCell c = { CELL_INTEGER, 0, 0, 0 };
  c.i = (i64)i;
  return c;
}

static LockCell cellText(const char *z){
  LockCell c = { CELL_TEXT, 0, 0, 0 };
  c.z = z;
  return c;
}

static LockCell cellKey(const LockRow *pRow){
  LockCell c = { CELL_KEY, 0, 0, 0 };
  c.pRow = pRow;
  return c;
}

static LockCell cellObject(const LockRow *pRow){
  LockCell c = cellKey(pRow);
  c.eType = CELL_OBJECT;
  return c;
}

/* xIs() of a view with a row at every position. */
static int always(const LookFile *p, u32 iPos){
  (void)p; (void)iPos;
  return 1;
}

/* xId() of a view that is never filtered. */
static u64 position(const LookFile *p, u32 iPos){
  (void)p;
  return iPos;
}

/* ---- advisory_locks --------------------------------------------------- */

/*
** SQL TABLE advisory_locks
**
** Lists every lock that is held or waited for, in the lock files of all
** databases of the connection: one row a session, key, mode and scope. A
** session that locks a row also holds an intention on its table. The locks of a
** process that has ended, however it ended, are not listed. Reading the table
** writes nothing, makes no lock file where there is none, and works
** while a process is stopped in the middle of a change. Each row is
** consistent; two rows may be from different moments. Where many locks are
** held, `session = ?` and, with SQLite 3.38 or newer, `key = ?` are found much
** sooner than all rows are read. SQLite compares the key of `(session, key) IN
** (SELECT ...)` without the affinity of the column that stands behind IN.
**
** Columns:
**   session      INTEGER  id of the session that holds or wants it
**   kind         TEXT     advisory; row; table; name for MySQL's names; turn;
**     semaphore; listen, of a session that listens on a channel; notify, of a
**     transaction that will notify it
**   schema       TEXT     main or an attached database: whose lock file it is
**   object       TEXT     of a row or table: the table, in lower case, by the
**     name that it had when it was locked
**   key          ANY      as it was given; two integers, and a row's key of
**     several columns, as the text (a,b); NULL of a table or a turn
**   mode         TEXT     exclusive or shared; of a table whose rows are
**     locked: intention exclusive or intention shared; of a semaphore: permit
**   scope        TEXT     session or transaction
**   granted      INTEGER  1 held, 0 waited for
**   count        INTEGER  how often it is held in session scope; 1 for a
**     transaction, 0 while it is waited for
**   token        INTEGER  fencing token of the grant; NULL while waited for
**   pid          INTEGER  process of the session
**   application  TEXT     its label
**   since        INTEGER  unix ms of the grant, or of the request
**   waited_ms    INTEGER  how long it has been waited for; NULL if granted
** Errors:
**   `lock file:` SQLITE_ERROR or SQLITE_CANTOPEN
**   `forked connection:` SQLITE_ERROR
** From: PostgreSQL's pg_locks
** Example:
**   SELECT count(*) FROM advisory_locks;
**   -- 0
**   SELECT advisory_application('example') = '', try_advisory_lock('a');
**   -- 1|1
**   SELECT kind, key, mode, scope, granted, count, application
**     FROM advisory_locks;
**   -- advisory|a|exclusive|session|1|1|example
*/
#define LOCKS_COLUMNS \
  "session INTEGER, kind TEXT, schema TEXT, object TEXT, key, mode TEXT," \
  " scope TEXT, granted INTEGER, count INTEGER, token INTEGER, pid INTEGER," \
  " application TEXT, since INTEGER, waited_ms INTEGER"

static const char *kindName(u32 eKind){
  switch( eKind ){
    case KEY_NAME:  return "name";
    case KEY_ROW:   return "row";
    case KEY_TABLE: return "table";
    case KEY_TURN:  return "turn";
    case KEY_SEMAPHORE: return "semaphore";
    case KEY_LISTEN: return "listen";
    case KEY_NOTIFY: return "notify";
    default:        return "advisory";
  }
}

static const char *modeName(u32 eKind, u32 eMode){
  static const char *const az[] = {
    "", "intention shared", "intention exclusive", "shared",
    "shared intention exclusive", "exclusive"
  };
  _Static_assert(sizeof(az)/sizeof(az[0])==LOCK_MODES, "a name for each mode");
  if( eKind==KEY_SEMAPHORE ) return "permit";
  return az[eMode<LOCK_MODES ? eMode : 0];
}

/* Two positions for each lock of the snapshot: its session scope, then its
** transaction scope. */
static u32 locksCount(const LookFile *p){ return 2*p->snapshot.nRow; }

static int locksIs(const LookFile *p, u32 iPos){
  const LockRow *r = &p->snapshot.aRow[iPos/2];
  if( iPos%2 ) return r->bTransaction!=0;
  return r->bGranted ? r->nCount>0 : !r->bTransaction;
}

static u64 locksId(const LookFile *p, u32 iPos){
  return p->snapshot.aRow[iPos/2].iRow<<1 | iPos%2;
}

static LockCell locksCell(const LookFile *p, u32 iPos, int iCol){
  const LockRow *r = &p->snapshot.aRow[iPos/2];
  const LockSessionRow *s = &p->snapshot.aSession[r->iSession];
  int bTransaction = iPos%2;
  u64 msNow;
  switch( iCol ){
    case LOCKS_SESSION:     return cellInteger(s->iId);
    case LOCKS_KIND:        return cellText(kindName(r->eKind));
    case LOCKS_SCHEMA:      return cellText(p->zSchema);
    case LOCKS_OBJECT:      return cellObject(r);
    case LOCKS_KEY:         return cellKey(r);
    case LOCKS_MODE:        return cellText(modeName(r->eKind, r->eMode));
    case LOCKS_SCOPE:       return cellText(bTransaction ? "transaction"
                                                     : "session");
    case LOCKS_GRANTED:     return cellInteger(r->bGranted);
    case LOCKS_COUNT:       return cellInteger(!r->bGranted ? 0
                                         : bTransaction ? 1 : r->nCount);
    case LOCKS_TOKEN:
      return r->bGranted ? cellInteger(r->iToken) : cellNull();
    case LOCKS_PID:         return cellInteger(s->iPid);
    case LOCKS_APPLICATION: return cellText(s->zLabel);
    case LOCKS_SINCE:       return cellInteger(r->msSince);
    case LOCKS_WAITED:
      if( r->bGranted ) return cellNull();
      msNow = osWallMs();
      return cellInteger(msNow>r->msSince ? msNow-r->msSince : 0);
    default:                return cellNull();
  }
}

/* ---- advisory_sessions ------------------------------------------------ */

/*
** SQL TABLE advisory_sessions
**
** Lists every session of the lock files. The process of a `stopped` session
** was stopped by a signal or a debugger, and keeps its locks. The process of a
** `dead` session has ended: the session holds no locks and waits for none, and
** it is listed until another session asks for something that it held. An
** `unknown` session is alive in another pid namespace (a container).
**
** Columns:
**   session      INTEGER  id of the session
**   pid          INTEGER  its process
**   application  TEXT     its label
**   state        TEXT     running, stopped, dead or unknown
**   started      INTEGER  unix ms
**   locks        INTEGER  rows of it in advisory_locks that are granted, both
**     scopes of one key and mode counted as one
**   waiting_for  INTEGER  session that it waits for, the first of them; NULL
**   schema       TEXT     main or an attached database: whose lock file it is
** Errors:
**   `lock file:` SQLITE_ERROR or SQLITE_CANTOPEN
**   `forked connection:` SQLITE_ERROR
** From: PostgreSQL's pg_stat_activity
** Example:
**   SELECT try_advisory_lock('a'), try_advisory_lock('b');
**   -- 1|1
**   SELECT session = advisory_session(), state, locks, waiting_for IS NULL
**     FROM advisory_sessions;
**   -- 1|running|2|1
*/
#define SESSIONS_COLUMNS \
  "session INTEGER, pid INTEGER, application TEXT, state TEXT," \
  " started INTEGER, locks INTEGER, waiting_for INTEGER, schema TEXT"

enum { SESSIONS_SESSION, SESSIONS_PID, SESSIONS_APPLICATION, SESSIONS_STATE,
       SESSIONS_STARTED, SESSIONS_LOCKS, SESSIONS_WAITING,
       SESSIONS_SCHEMA };

static u32 sessionsCount(const LookFile *p){ return p->snapshot.nSession; }

static const char *stateName(int eState){
  switch( eState ){
    case OS_RUNNING: return "running";
    case OS_STOPPED: return "stopped";
    case OS_GONE:    return "dead";
    default:         return "unknown";
  }
}

static LockCell sessionsCell(const LookFile *p, u32 iPos, int iCol){
  const LockSessionRow *s = &p->snapshot.aSession[iPos];
  switch( iCol ){
    case SESSIONS_SESSION:     return cellInteger(s->iId);
    case SESSIONS_PID:         return cellInteger(s->iPid);
    case SESSIONS_APPLICATION: return cellText(s->zLabel);
    case SESSIONS_STATE:       return cellText(stateName(s->eState));
    case SESSIONS_STARTED:     return cellInteger(s->msStarted);
    case SESSIONS_LOCKS:       return cellInteger(s->nLock);
    case SESSIONS_WAITING:
      return s->iWaitingFor ? cellInteger(s->iWaitingFor) : cellNull();
    case SESSIONS_SCHEMA:      return cellText(p->zSchema);
    default:                   return cellNull();
  }
}

/* ---- advisory_waits --------------------------------------------------- */

/*
** SQL TABLE advisory_waits
**
** Lists which session waits for which, one row a pair. `hard`: the blocker
** holds a conflicting mode, or is writing a guarded table, which blocks all
** requests for its rows and tables. `soft`: the blocker waits ahead in the
** queue, for a mode that conflicts.
**
** Columns:
**   waiter   INTEGER  id of the session that waits
**   blocker  INTEGER  id of one that it waits for
**   key      ANY      of the lock that is waited for, as in advisory_locks
**   kind     TEXT     hard or soft
**   schema   TEXT     main or an attached database: whose lock file it is
**   object   TEXT     the table, of a row or table lock
** Errors:
**   `lock file:` SQLITE_ERROR or SQLITE_CANTOPEN
**   `forked connection:` SQLITE_ERROR
** From: PostgreSQL's pg_blocking_pids
** Example:
**   SELECT count(*) FROM advisory_waits;
**   -- 0
*/
#define WAITS_COLUMNS \
  "waiter INTEGER, blocker INTEGER, key, kind TEXT, schema TEXT, object TEXT"

enum { WAITS_WAITER, WAITS_BLOCKER, WAITS_KEY, WAITS_KIND, WAITS_SCHEMA,
       WAITS_OBJECT };

static u32 waitsCount(const LookFile *p){ return p->snapshot.nWait; }

static LockCell waitsCell(const LookFile *p, u32 iPos, int iCol){
  const LockWaitRow *w = &p->snapshot.aWait[iPos];
  switch( iCol ){
    case WAITS_WAITER:  return cellInteger(w->iWaiter);
    case WAITS_BLOCKER: return cellInteger(w->iBlocker);
    case WAITS_KEY:     return cellKey(&p->snapshot.aRow[w->iRow]);
    case WAITS_KIND:    return cellText(w->bHard ? "hard" : "soft");
    case WAITS_SCHEMA:  return cellText(p->zSchema);
    case WAITS_OBJECT:  return cellObject(&p->snapshot.aRow[w->iRow]);
    default:            return cellNull();
  }
}

/* ---- advisory_stats --------------------------------------------------- */

/*
** SQL TABLE advisory_stats
**
** Lists the counters of each lock file since it was made, and its size.
**
** Columns:
**   name   TEXT     grants, waits, timeouts, cancels, deadlocks, rearranged
**     (queues, to resolve a deadlock), recoveries (after a process that died
**     in the middle of a change), swept (sessions of dead processes), bytes
**     (which it uses; it may be longer, with a hole)
**   value  INTEGER  how many
**   schema TEXT     main or an attached database: whose lock file it is
** Errors:
**   `lock file:` SQLITE_ERROR or SQLITE_CANTOPEN
**   `forked connection:` SQLITE_ERROR
** From: PostgreSQL's pg_stat_database
** Example:
**   SELECT try_advisory_lock('a'), try_advisory_lock('b');
**   -- 1|1
**   SELECT name, value FROM advisory_stats WHERE name IN ('grants', 'waits');
**   -- grants|2
**   -- waits|0
*/
#define STATS_COLUMNS "name TEXT, value INTEGER, schema TEXT"

static const struct { const char *zName; int iStat; } aStatRow[] = {
  { "grants",     STAT_GRANTS },
  { "waits",      STAT_WAITS },
  { "timeouts",   STAT_TIMEOUTS },
  { "cancels",    STAT_CANCELS },
  { "deadlocks",  STAT_DEADLOCKS },
  { "rearranged", STAT_REORDERED },
  { "recoveries", STAT_RECOVERIES },
  { "swept",      STAT_SWEPT },
  { "bytes",      -1 },
};
#define STATS_ROWS ((u32)(sizeof(aStatRow)/sizeof(aStatRow[0])))

/* A lock file that does not exist has no counters. */
static u32 statsCount(const LookFile *p){
  return p->snapshot.nByte ? STATS_ROWS : 0;
}

static LockCell statsCell(const LookFile *p, u32 iPos, int iCol){
  int iStat = aStatRow[iPos].iStat;
  if( iCol==0 ) return cellText(aStatRow[iPos].zName);
  if( iCol==2 ) return cellText(p->zSchema);
  return cellInteger(iStat<0 ? p->snapshot.nByte : p->snapshot.aStat[iStat]);
}

/* ---- the list of views ------------------------------------------------ */

static const LockView aView[LOCKVIEW_COUNT] = {
  { "advisory_locks",    LOCKS_COLUMNS, SNAPSHOT_LOCKS | SNAPSHOT_KEYS,
    locksCount,    locksIs, locksId,  locksCell },
  { "advisory_sessions", SESSIONS_COLUMNS, SNAPSHOT_ALL,
    sessionsCount, always,  position, sessionsCell },
  { "advisory_waits",    WAITS_COLUMNS, SNAPSHOT_ALL,
    waitsCount,    always,  position, waitsCell },
  { "advisory_stats",    STATS_COLUMNS, 0,
    statsCount,    always,  position, statsCell },
};

const LockView *inspectrowsGet(int i){ return &aView[i]; }
