/* SPDX-License-Identifier: 0BSD */
/*
** What the lock manager's results become in SQL. See lockerror.h.
*/
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include "session/lockerror.h"
#include "session/lockkey.h"
#include "core/os.h"
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
** Or a row or a table, locked by another session or not, would be locked by a
** connection that reads its file in WAL mode, and what it reads can be older
** than the last holder's commit; the text begins with the function's name then.
**
** Code: SQLITE_BUSY
** Retry: the transaction, after ROLLBACK; without BEGIN the statement, when
**   the open cursors are read to their end
** Cure: take the lock before it, in a SELECT of its own, as the first statement
**   after BEGIN
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
** The lock file has no room for another session (4096) or lock (4194304; of a
** database in memory 262144). What is held stays held, and can be given back.
**
** Code: SQLITE_ERROR
** Retry: nothing
** Cure: hold fewer at a time: one lock on a larger thing; close connections
*/
static void failFull(Sqlx *x, const LockFailure *p){
  if( p->pPlace && p->pPlace->pLock ){
    sqlxFail(x, SQLITE_ERROR, "lock table full: %u locks are held or wanted",
             lockLimit(p->pPlace->pFile));
  }else{
    sqlxFail(x, SQLITE_ERROR, "lock table full: %u sessions are open",
             LIMIT_SESSION);
  }
}

/*
** SQL ERROR lock file:
**
** The lock file cannot be used, and the text says why: its name, what is wrong
** with it, its owner and mode where they matter, the system's reason, and what
** helps. `lock file: busy:` names the process that is stopped in the middle of
** a change; it comes after a second in which no other session could
** make one. After `replaced` this session's locks are not worth anything any
** more: call interlock_reset(), or open a new connection, and begin again.
** After `malformed` nobody's are. After `no space` what is held stays held.
** The database must have one name, since each name would have a lock file of
** its own: a hard link to it, or a mount of the file alone, is refused as soon
** as it is seen. None of these errors rolls back the transaction.
**
** Code: SQLITE_ERROR; SQLITE_CANTOPEN if it cannot be opened, made or mapped,
**   or the database has a second name; SQLITE_BUSY for `lock file: busy:`
** Retry: the statement after `busy` and `no space`, otherwise nothing
** Cure: in [OPERATIONS.md](OPERATIONS.md); the file may be deleted when nobody
**   has the database open
*/

/* The system's reason, in words that do not depend on the locale. */
static const char *reason(Sqlx *x, int iErrno){
  switch( iErrno ){
    case EACCES:       return "permission denied";
    case EPERM:        return "operation not permitted";
    case EROFS:        return "read-only file system";
    case EMFILE:       return "too many open files in this process"
                              " (ulimit -n)";
    case ENFILE:       return "too many open files on this machine";
    case ENOSPC:       return "no space on its disk";
    case EDQUOT:       return "the disk quota is used up";
    case ENOENT:       return "its folder is gone";
    case ENAMETOOLONG: return "the name is too long";
    case ENOMEM:       return "out of memory";
    case ENODEV:       return "its file system maps no files";
    case ENOLCK:       return "the system has no room for another file lock";
    case EIO:          return "input/output error";
    default:           return sqlxPrintf(x, "system error %d", iErrno);
  }
}

static const char *rights(Sqlx *x, const OsTrouble *p, const char *zWhose){
  if( p->mMode==0 ) return "";
  return sqlxPrintf(x, "%s owner %u, group %u, mode %04o", zWhose, p->iUid,
                    p->iGid, p->mMode & 07777);
}

static const char *kindOf(const OsTrouble *p){
  if( S_ISLNK(p->mMode) ) return "a symbolic link";
  if( S_ISDIR(p->mMode) ) return "a folder";
  return "a device, pipe or socket";
}

/* LOCK_CANTOPEN, LOCK_LINKED: what is the matter with the file. */
static const char *whyNotOpen(Sqlx *x, const OsTrouble *p){
  switch( p->eAbout ){
    case OS_ABOUT_OPEN:
      return sqlxPrintf(x, "cannot be opened for writing (%s%s); taking a lock"
          " needs the right to write it, looking at locks the right to read it",
          reason(x, p->iErrno), rights(x, p, "; it has"));
    case OS_ABOUT_LOOK:
      return sqlxPrintf(x, "cannot be opened for reading (%s%s)",
          reason(x, p->iErrno), rights(x, p, "; it has"));
    case OS_ABOUT_MAKE:
      return sqlxPrintf(x, "cannot be made (%s%s); a user with the right to do"
          " so must make it once (SELECT advisory_session())",
          reason(x, p->iErrno), rights(x, p, "; its folder has"));
    case OS_ABOUT_READER:
      return sqlxPrintf(x, "cannot be made by a user who may not write the"
          " database (%s%s)", reason(x, p->iErrno),
          rights(x, p, "; the database has"));
    case OS_ABOUT_KIND:
      return sqlxPrintf(x, "is %s, and must be a plain file; delete it",
          kindOf(p));
    case OS_ABOUT_LINKS:
      return sqlxPrintf(x, "has %u names (hard links); remove the others",
          p->nLink);
    case OS_ABOUT_MOUNT:
      return "is mounted as a single file; mount the folder that it is in";
    case OS_ABOUT_OWNER:
      return sqlxPrintf(x, "belongs to a user who may not write the database"
          " (%s); delete it when nobody has the database open",
          rights(x, p, "it has"));
    case OS_ABOUT_WIDE:
      return sqlxPrintf(x, "can be written by users who may not write the"
          " database (%s); give it the database's group and mode",
          rights(x, p, "it has"));
    default:
      return sqlxPrintf(x, "cannot be opened (%s)", reason(x, p->iErrno));
  }
}

static const char *whyLinked(Sqlx *x, const OsTrouble *p){
  if( p->eAbout==OS_ABOUT_LINKS ){
    return sqlxPrintf(x, "the database has %u names (hard links), and each"
        " would have a lock file of its own; remove the others", p->nLink);
  }
  return "the database is mounted as a single file, and its other name would"
      " have a lock file of its own; mount the folder that it is in";
}

static const char *whyNoSpace(Sqlx *x, const OsTrouble *p){
  if( p->iErrno==EDQUOT ) return "no space on its disk (the quota is used up)";
  if( p->nLimit==0 ) return "no space on its disk";
  return sqlxPrintf(x, "no space (it needs %lld bytes, and this process may"
      " write files of %lld, ulimit -f)", (sqlite3_int64)p->nNeed,
      (sqlite3_int64)p->nLimit);
}

static const char *whyNoMap(Sqlx *x, const OsTrouble *p){
  const char *zLimit = "";
  if( p->nLimit ){
    zLimit = sqlxPrintf(x, ", and this process may have %lld MB in all"
        " (ulimit -v)", (sqlite3_int64)(p->nLimit/1000000));
  }
  return sqlxPrintf(x, "cannot be mapped (%s); it needs %lld MB of address"
      " space%s", reason(x, p->iErrno), (sqlite3_int64)(p->nNeed/1000000),
      zLimit);
}

static const char *whyNot(Sqlx *x, LockRc eRc){
  const OsTrouble *p = osTrouble();
  OsTrouble none;
  if( p->eRc!=eRc ){                 /* it is about something else */
    memset(&none, 0, sizeof(none));
    p = &none;
  }
  switch( eRc ){
    case LOCK_NOSPACE:   return whyNoSpace(x, p);
    case LOCK_NOMAP:     return whyNoMap(x, p);
    case LOCK_LINKED:    return whyLinked(x, p);
    case LOCK_CANTOPEN:  return whyNotOpen(x, p);
    case LOCK_MALFORMED: return "malformed; delete it when nobody has the"
                                " database open";
    case LOCK_FORMAT:    return "in use by another version of Interlock, with"
                                " another format";
    case LOCK_REPLACED:  return "replaced under us (it, or the database, was"
                                " moved or deleted)";
    case LOCK_NETWORK:   return "on a network file system; allowed is a local"
                                " one";
    default:
      return p->iErrno ? sqlxPrintf(x, "the operating system failed (%s)",
                                    reason(x, p->iErrno))
                       : "the operating system failed";
  }
}

static void failFile(Sqlx *x, LockRc eRc, const LockFailure *p){
  const char *zName = p->pPlace ? placeFileName(p->pPlace) : "";
  const char *zWhy = whyNot(x, eRc);
  int bOpen = eRc==LOCK_CANTOPEN || eRc==LOCK_LINKED || eRc==LOCK_NOMAP;
  sqlxFail(x, bOpen ? SQLITE_CANTOPEN : SQLITE_ERROR, "lock file: %s%s: %s",
           zName[0] ? zName : "of a database in memory",
           zName[0] ? "-interlock" : "", zWhy);
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
