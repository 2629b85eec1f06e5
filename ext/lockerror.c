/* SPDX-License-Identifier: 0BSD */
/*
** What the lock manager's results become in SQL. See lockerror.h.
*/
#include <string.h>
#include "lockerror.h"
#include "lockkey.h"
SQLITE_EXTENSION_INIT3

/* Who is in the way, in words: 'x' is held by session 7 (pid 4321). */
static const char *heldBy(Sqlx *x, const LockFailure *p){
  const LockTrouble *pTrouble = lockTrouble(p->pPlace->pLock);
  const char *zKey = lockkeyText(x, p->pKey);
  const char *zFormat = "%s is held by session %lld (pid %u)";
  if( pTrouble->iBlocker==0 ) return sqlxPrintf(x, "%s is held", zKey);
  if( pTrouble->eWhy==TROUBLE_WAITS ){
    zFormat = "%s is wanted by session %lld (pid %u), which came before";
  }else if( pTrouble->eWhy==TROUBLE_WRITES ){
    zFormat = "%s: session %lld (pid %u) is writing a guarded table";
  }
  return sqlxPrintf(x, zFormat, zKey, (sqlite3_int64)pTrouble->iBlocker,
                    pTrouble->iPid);
}

/*
** SQL ERROR lock wait refused:
**
** The lock is not free, and this connection may not wait for it now: a
** transaction is open on one of its database files (by this statement, by a
** cursor that was not read to its end, by an earlier read or write in BEGIN),
** or PRAGMA locking_mode keeps SQLite's lock. To sleep now could block
** everybody else. Or it holds locks in the lock file of another of its
** databases: two that wait for each other over two files would not be told of
** it. Nothing has changed.
**
** Code: SQLITE_BUSY
** Retry: the transaction, after ROLLBACK; without BEGIN the statement, when
**   the open cursors are read to their end
** Cure: take the lock before it, as the first statement after BEGIN
*/
static void failRefused(Sqlx *x, const LockFailure *p){
  const char *zWhere = p->zBusy ? sqlxPrintf(x, " on %s", p->zBusy) : "";
  const char *zHeld = heldBy(x, p);
  if( p->eWaiting==WAITING_NOMEM ){
    x->rc = SQLITE_NOMEM;
  }else if( p->eWaiting==WAITING_LOCK_KEPT ){
    sqlxFail(x, SQLITE_BUSY, "lock wait refused: %s; PRAGMA locking_mode keeps"
        " SQLite's own lock%s: set it to NORMAL and use the file once before",
        zHeld, zWhere);
  }else if( p->eWaiting==WAITING_OTHER_FILE ){
    const char *zFile = "a database without a file";
    if( p->zBusy && p->zBusy[0] ){
      zFile = sqlxPrintf(x, "another lock file (%s-interlock)", p->zBusy);
    }
    sqlxFail(x, SQLITE_BUSY, "lock wait refused: %s; this connection holds"
        " locks in %s: give them back before, or lock in one file", zHeld,
        zFile);
  }else{
    sqlxFail(x, SQLITE_BUSY, "lock wait refused: %s; this statement or an open"
        " one (a cursor not read to its end, json_each or any table in FROM,"
        " an earlier read or write) has a transaction open%s: take the lock"
        " before it", zHeld, zWhere);
  }
}

/*
** SQL ERROR lock timeout:
**
** The lock was not free within advisory_lock_timeout. It is neither held nor
** asked for any more; what the session held before it still holds.
**
** Code: SQLITE_BUSY_TIMEOUT
** Retry: the statement
** Cure: advisory_waits tells who is in the way; wait longer
*/
static void failTimeout(Sqlx *x, const LockFailure *p){
  sqlxFail(x, SQLITE_BUSY_TIMEOUT, "lock timeout: %s; waited %lld ms",
      heldBy(x, p), (sqlite3_int64)p->msTimeout);
}

/*
** SQL ERROR deadlock detected:
**
** To wait would close a circle of sessions that wait for each other. Only
** this request failed: what the session holds still blocks the others, so
** give it back. The text names the sessions of the circle.
**
** Code: SQLITE_LOCKED
** Retry: the transaction, after ROLLBACK and giving back session locks
** Cure: take locks in one order everywhere
*/
static void failDeadlock(Sqlx *x, const LockFailure *p){
  LockSession *pLock = p->pPlace->pLock;
  const LockTrouble *pTrouble = lockTrouble(pLock);
  u32 n = sizeof(pTrouble->aCycle)/sizeof(pTrouble->aCycle[0]), i;
  sqlite3_str *pStr = sqlite3_str_new(x->db);
  sqlite3_str_appendf(pStr, "session %lld",
                      (sqlite3_int64)lockSessionId(pLock));
  if( pTrouble->nCycle<n ) n = pTrouble->nCycle;
  for(i=1; i<n; i++){
    sqlite3_str_appendf(pStr, " waits for %lld, which",
                        (sqlite3_int64)pTrouble->aCycle[i]);
  }
  if( n<pTrouble->nCycle ) sqlite3_str_appendall(pStr, " ... which");
  sqlite3_str_appendf(pStr, " waits for %lld",
                      (sqlite3_int64)lockSessionId(pLock));
  sqlxFail(x, SQLITE_LOCKED, "deadlock detected: wanted %s; %s",
           lockkeyText(x, p->pKey), sqlxText(x, pStr));
}

/*
** SQL ERROR lock table full:
**
** The lock file has no room for another session (4096) or lock (4194304).
** What is held stays held, and can be given back.
**
** Code: SQLITE_ERROR
** Retry: nothing
** Cure: hold fewer at a time: one lock on a larger thing; close connections
*/
static void failFull(Sqlx *x, const LockFailure *p){
  if( p->pPlace && p->pPlace->pLock ){
    sqlxFail(x, SQLITE_ERROR, "lock table full: %u locks are held or wanted",
             LIMIT_RECORD);
  }else{
    sqlxFail(x, SQLITE_ERROR, "lock table full: %u sessions are open",
             LIMIT_SESSION);
  }
}

/*
** SQL ERROR lock file:
**
** The lock file cannot be used, and the text says why: its name and what is
** wrong with it. `lock file: busy:` names the process that is stopped in the
** middle of a change; it comes after a second in which no other session could
** make one. After `replaced` this session's locks are not worth
** anything any more: call interlock_reset(), or open a new connection, and
** begin again. After `malformed` nobody's are. After `no space` what is held
** stays held.
**
** Code: SQLITE_ERROR; SQLITE_CANTOPEN if it cannot be opened or written;
**   SQLITE_BUSY for `lock file: busy:`
** Retry: the statement after `busy` and `no space`, otherwise nothing
** Cure: in [OPERATIONS.md](OPERATIONS.md); the file may be deleted when nobody
**   has the database open
*/
static void failFile(Sqlx *x, LockRc eRc, const LockFailure *p){
  const char *zWhy;
  int rc = SQLITE_ERROR;
  switch( eRc ){
    case LOCK_NOSPACE:   zWhy = "no space on its disk";                  break;
    case LOCK_MALFORMED: zWhy = "malformed; delete it when nobody has the"
                                " database open";                    break;
    case LOCK_FORMAT:    zWhy = "in use by another version of Interlock, with"
                                " another format";                       break;
    case LOCK_REPLACED:  zWhy = "replaced under us (it, or the database, was"
                                " moved or deleted)";                break;
    case LOCK_NETWORK:   zWhy = "on a network file system; allowed is a local"
                                " one";                                  break;
    case LOCK_CANTOPEN:  zWhy = "cannot be opened for writing as a plain file"
                                " with one name";
                         rc = SQLITE_CANTOPEN;                           break;
    default:             zWhy = "the operating system failed";           break;
  }
  sqlxFail(x, rc, "lock file: %s-interlock: %s",
           p->pPlace ? placeFileName(p->pPlace) : "", zWhy);
}

static void failBusy(Sqlx *x, const LockFailure *p){
  LockTrouble trouble;
  memset(&trouble, 0, sizeof(trouble));
  if( p->pPlace && p->pPlace->pFile ) lockInside(p->pPlace->pFile, &trouble);
  if( trouble.iBlocker ){
    sqlxFail(x, SQLITE_BUSY, "lock file: busy: session %lld (pid %u) is stopped"
        " inside it", (sqlite3_int64)trouble.iBlocker, trouble.iPid);
  }else{
    sqlxFail(x, SQLITE_BUSY, "lock file: busy: a process is stopped inside it");
  }
}

/*
** SQL ERROR forked connection:
**
** The connection was opened before fork(), and this is the child. It holds
** no locks and can take none; those of the parent are not touched.
**
** Code: SQLITE_ERROR
** Retry: nothing
** Cure: open a connection of its own in the child, as SQLite itself asks for
*/

/*
** SQL ERROR lock wait cancelled:
**
** Another session called advisory_cancel, or sqlite3_interrupt was called,
** while this one waited. The lock is neither held nor asked for any more, also
** if it was granted at that moment.
**
** SQLite's own `interrupted` says something else. The interrupt came when the
** function had returned, or came to another part of the statement, and what the
** statement has locked stays held, as after any error of a statement. A program
** that interrupts its statements unlocks after `interrupted`, or calls
** interlock_reset() before it gives the connection back to a pool; unlocking
** what is not held returns 0 and does no harm.
**
** Code: SQLITE_INTERRUPT
** Retry: the statement, if it is still wanted
** Cure: none needed
*/
void lockerrorSet(Sqlx *x, LockRc eRc, const LockFailure *p){
  switch( eRc ){
    case LOCK_OK:
    case LOCK_NO:
    case LOCK_NOFILE:
      break;
    case LOCK_NOMEM:
      if( x->rc==SQLITE_OK ) x->rc = SQLITE_NOMEM;
      break;
    case LOCK_BUSY:
      failBusy(x, p);
      break;
    case LOCK_FULL:
      failFull(x, p);
      break;
    case LOCK_REFUSED:
      failRefused(x, p);
      break;
    case LOCK_TIMEOUT:
      failTimeout(x, p);
      break;
    case LOCK_DEADLOCK:
      failDeadlock(x, p);
      break;
    case LOCK_FORKED:
      sqlxFail(x, SQLITE_ERROR, "forked connection: it belongs to the parent"
          " process; open one in the child");
      break;
    case LOCK_CANCELLED:
      sqlxFail(x, SQLITE_INTERRUPT, "lock wait cancelled: by another session");
      break;
    case LOCK_INTERRUPTED:
      sqlxFail(x, SQLITE_INTERRUPT, "lock wait cancelled: interrupted");
      break;
    default:
      failFile(x, eRc, p);
      break;
  }
}
