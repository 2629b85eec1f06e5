/* SPDX-License-Identifier: 0BSD */
/*
** From the lock manager's results to SQL errors. See lockerror.h.
*/
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include "session/lockerror.h"
#include "session/lockkey.h"
#include "core/os.h"
SQLITE_EXTENSION_INIT3

/* What blocks a request: 'x' is held by session 7 (pid 4321). */
static const char *heldBy(Sqlx *x, const LockFailure *p){
  const LockTrouble *pTrouble = lockTrouble(p->pFs->pLock);
  const char *zKey = p->zHeld ? "" : lockkeyText(x, p->pKey);
  const char *zFormat = "%s is held by session %lld (pid %u)";
  if( p->zHeld ) return p->zHeld;
  if( pTrouble->iBlocker==0 ) return sqlxPrintf(x, "%s is held", zKey);
  if( pTrouble->eWhy==TROUBLE_WAITS ){
    zFormat = "%s is wanted by session %lld (pid %u), which came before";
  }else if( pTrouble->eWhy==TROUBLE_WRITES ){
    zFormat = "%s: session %lld (pid %u) is writing a guarded table";
  }
  return sqlxPrintf(x, zFormat, zKey, (sqlite3_int64)pTrouble->iBlocker,
                    pTrouble->iPid);
}

static void failInterrupted(Sqlx *x){
  sqlxFail(x, SQLITE_INTERRUPT, "lock wait cancelled: interrupted");
}

/*
** SQL ERROR lock wait refused:
**
** The lock is not free, and this connection must not wait for it now, because
** the wait could block all other connections. Either a transaction is open on
** one of its database files (by this statement, by a cursor that was not read
** to its end, by an earlier read or write in BEGIN, or by BEGIN IMMEDIATE,
** which some frameworks send), or PRAGMA locking_mode keeps SQLite's lock, or
** an authorizer of the program's forbids to ask for that. Or the connection
** holds locks in the lock file of another of its databases: a deadlock over two
** lock files could not be detected. Or another task of this connection
** (`as_task`) holds locks: it could not give them back while the connection
** sleeps. Nothing has changed.
**
** The error also means that a connection which reads a file in WAL mode asked
** for a lock on a row or table of that file, whether or not the lock is free:
** the values that the connection reads can be older than the last holder's
** commit. The text then begins with the function's name. The same holds for a
** call of skip_locked or lock_rows, in any journal mode, where what it reads of
** the table would not end with its statement.
**
** Code: SQLITE_BUSY
** Retry: the transaction, after ROLLBACK; without BEGIN the statement, when
**   the open cursors are read to their end
** Cure: take the lock earlier, in a SELECT of its own, as the first statement
**   after BEGIN, or before BEGIN IMMEDIATE
*/
static void failRefused(Sqlx *x, const LockFailure *p){
  const char *zWhere = p->zBusy ? sqlxPrintf(x, " on %s", p->zBusy) : "";
  const char *zHeld = heldBy(x, p);
  if( p->eWaiting==WAITING_NOMEM ){
    x->rc = SQLITE_NOMEM;
  }else if( p->eWaiting==WAITING_INTERRUPTED ){
    failInterrupted(x);
  }else if( p->eWaiting==WAITING_LOCK_KEPT ){
    sqlxFail(x, SQLITE_BUSY, "lock wait refused: %s; PRAGMA locking_mode keeps"
        " SQLite's own lock%s: set it to NORMAL and use the file once before",
        zHeld, zWhere);
  }else if( p->eWaiting==WAITING_NOT_KNOWN ){
    sqlxFail(x, SQLITE_BUSY, "lock wait refused: %s; SQLite does not say"
        " whether PRAGMA locking_mode keeps its own lock%s: if the program has"
        " an authorizer, it must allow PRAGMA locking_mode and database_list",
        zHeld, zWhere);
  }else if( p->eWaiting==WAITING_OTHER_TASK ){
    sqlxFail(x, SQLITE_BUSY, "lock wait refused: %s; another task of this"
        " connection holds or requests locks, and could not go on during a"
        " wait: use request_advisory_lock", zHeld);
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
        " an earlier read or write, BEGIN IMMEDIATE) has a transaction open%s:"
        " take the lock before it", zHeld, zWhere);
  }
}

/*
** SQL ERROR request pending:
**
** The connection, or the task, has requested a lock that it has not taken yet
** (`request_advisory_lock` and its kin). Until it takes the lock or withdraws
** the request, it can make no other one, and cannot wait. While a request is
** in the queue of one lock file, no lock is granted in another one: a deadlock
** over two files could not be detected.
**
** Code: SQLITE_BUSY
** Retry: the statement, when the request is taken or withdrawn
** Cure: withdraw_request(); give each task of the program a name (`as_task`)
*/
static void failPending(Sqlx *x, const LockFailure *p){
  const FileSession *pFs = p->pFs;
  if( lockPending(pFs->pLock) ){
    sqlxFail(x, SQLITE_BUSY, "request pending: this session has requested %s"
        " and must take it or withdraw before it asks for %s",
        lockkeyText(x, &pFs->request.key), lockkeyText(x, p->pKey));
  }else{
    sqlxFail(x, SQLITE_BUSY, "request pending: this connection has requested a"
        " lock of another database and must take it or withdraw before it asks"
        " for %s", lockkeyText(x, p->pKey));
  }
}

/*
** SQL ERROR lock timeout:
**
** The lock was not free within advisory_lock_timeout. The request is gone and
** the lock is not held; the session keeps the locks that it held before. The
** error of lock_rows can also say that in each of 100 searches it met other
** rows that were held.
**
** Code: SQLITE_BUSY_TIMEOUT
** Retry: the statement
** Cure: advisory_waits shows which session blocks the request; allow a longer
**   wait
*/
static void failTimeout(Sqlx *x, const LockFailure *p){
  sqlxFail(x, SQLITE_BUSY_TIMEOUT, "lock timeout: %s; waited %lld ms",
      heldBy(x, p), (sqlite3_int64)p->msTimeout);
}

/*
** SQL ERROR deadlock detected:
**
** Waiting would complete a deadlock: a cycle of sessions that wait for each
** other. Only this request failed. The locks that the session holds still
** block the others and must be released. The text names the sessions of the
** cycle.
**
** Code: SQLITE_LOCKED
** Retry: the transaction, after ROLLBACK and after releasing session locks
** Cure: take locks in the same order in every program
*/
static void failDeadlock(Sqlx *x, const LockFailure *p){
  LockSession *pLock = p->pFs->pLock;
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
** The lock file has no room for another session (the limit is 4096, and a task
** that holds or requests locks is one) or another lock (4194304; for a database
** in memory 262144), or the transaction has taken as many locks as it can
** number (4294967294, those that it has released included). The session keeps
** its locks, and can release them.
**
** Code: SQLITE_ERROR
** Retry: nothing
** Cure: hold fewer locks at a time, for example one lock on a larger object;
**   close connections; end the transaction
*/
static void failFull(Sqlx *x, LockRc eRc, const LockFailure *p){
  if( eRc==LOCK_NOSESSION ){
    sqlxFail(x, SQLITE_ERROR, "lock table full: %u sessions are open; a task"
        " that holds or requests locks is one", LIMIT_SESSION);
  }else if( eRc==LOCK_NOSTAMP ){
    sqlxFail(x, SQLITE_ERROR, "lock table full: this transaction has taken %u"
        " locks, with those that it has released; end it", LIMIT_STAMP);
  }else{
    sqlxFail(x, SQLITE_ERROR, "lock table full: %u locks are held or wanted",
             lockLimit(p->pFs->pFile));
  }
}

/*
** SQL ERROR lock file:
**
** The lock file cannot be used. The text says why: the name of the file, what
** is wrong with it, its owner and mode where they matter, the system's reason,
** and what helps. `lock file: busy:` names the process that is stopped in the
** middle of a change; the error comes after a second in which no other session
** could make a change. After `replaced` the locks of this session are invalid,
** and the text says what was moved or deleted. If it was the lock file, call
** interlock_reset() and begin again. If it was the database, close all
** connections of the process to it, and open it again. After `malformed` the
** locks of all sessions are invalid. After `no space` all locks stay held. The
** database must have one name, since each name would have a lock file of its
** own: a hard link to it, or a mount of the file alone, is refused as soon as
** it is seen. None of these errors rolls back the transaction.
**
** Code: SQLITE_ERROR; SQLITE_CANTOPEN if it cannot be opened, made or mapped,
**   or the database has a second name; SQLITE_BUSY for `lock file: busy:`
** Retry: the statement after `busy` and `no space`, otherwise nothing
** Cure: see [OPERATIONS.md](OPERATIONS.md); the file may be deleted when no
**   program has the database open
*/

/* The system's error as a text that does not depend on the locale. */
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
    case EAGAIN:       return "another program has locked it";
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

/* What is wrong with the file, after LOCK_CANTOPEN. */
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
          " (%s); delete it when no program has the database open",
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

/* A format in the form of interlock_version(). The print is 0 for a file of a
** format before 4. */
static const char *formatText(Sqlx *x, LockFormat f){
  return sqlxPrintf(x, "format %u os %s print %08x", f.iNumber,
                    f.eLayer=='L' ? "linux" : f.eLayer=='P' ? "posix"
                                                            : "unknown",
                    f.iPrint);
}

static const char *whyFormat(Sqlx *x){
  return sqlxPrintf(x, "in use by another version of Interlock: the file has"
      " %s, this version %s", formatText(x, lockFormatMet()),
      formatText(x, lockFormat()));
}

static const char *whyNot(Sqlx *x, LockRc eRc){
  const OsTrouble *p = osTrouble();
  OsTrouble none;
  if( p->eRc!=eRc ){                 /* the trouble of another result */
    memset(&none, 0, sizeof(none));
    p = &none;
  }
  switch( eRc ){
    case LOCK_NOSPACE:   return whyNoSpace(x, p);
    case LOCK_NOMAP:     return whyNoMap(x, p);
    case LOCK_LINKED:    return whyLinked(x, p);
    case LOCK_CANTOPEN:  return whyNotOpen(x, p);
    case LOCK_MALFORMED: return "malformed; delete it when no program has the"
                                " database open";
    case LOCK_FORMAT:    return whyFormat(x);
    case LOCK_REPLACED:  return "replaced (it was moved or deleted); call"
                                " interlock_reset() and begin again";
    case LOCK_MOVED:     return "replaced (the database was moved or deleted);"
                                " close this process's connections to it, and"
                                " open it again";
    case LOCK_NETWORK:   return "on a network file system; allowed is a local"
                                " one";
    default:                         /* LOCK_IOERR */
      return p->iErrno ? sqlxPrintf(x, "the operating system failed (%s)",
                                    reason(x, p->iErrno))
                       : "the operating system failed";
  }
}

/* What is about no file session is the descriptor of all of them. */
static void failFile(Sqlx *x, LockRc eRc, const LockFailure *p){
  const char *zName = p->pFs ? filesessionFileName(p->pFs) : "";
  const char *zWhy = whyNot(x, eRc);
  int bOpen = eRc==LOCK_CANTOPEN || eRc==LOCK_LINKED || eRc==LOCK_NOMAP;
  sqlxFail(x, bOpen ? SQLITE_CANTOPEN : SQLITE_ERROR, "lock file: %s%s: %s",
           zName[0] ? zName
           : p->pFs ? "of a database in memory"
           : "no pipe or thread for interlock_request_fd()",
           zName[0] ? LOCK_SUFFIX : "", zWhy);
}

static void failBusy(Sqlx *x, const LockFailure *p){
  LockTrouble trouble;
  memset(&trouble, 0, sizeof(trouble));
  if( p->pFs && p->pFs->pFile ) lockInside(p->pFs->pFile, &trouble);
  if( trouble.iBlocker ){
    sqlxFail(x, SQLITE_BUSY, "lock file: busy: session %lld (pid %u) is stopped"
        " inside it", (sqlite3_int64)trouble.iBlocker, trouble.iPid);
  }else{
    sqlxFail(x, SQLITE_BUSY, "lock file: busy: a process is stopped inside it");
  }
}

/*
** SQL ERROR no transaction:
**
** The function was called outside BEGIN, and must be called after it. Or the
** lock must end with the transaction, and Interlock cannot learn of its end:
** PRAGMA query_only or an authorizer refuses what that takes, or another
** connection has locked the schema, which this connection has not read yet. Or
** the function was called inside of a statement that writes a file other than
** `main`, by a connection that has taken part in no transaction yet, and `main`
** cannot be written: the text says why, and what helps.
**
** Code: SQLITE_ERROR; SQLITE_READONLY, SQLITE_AUTH or SQLITE_BUSY of the latter
** Retry: the statement, after BEGIN
** Cure: BEGIN; many drivers open no transaction for a SELECT
*/

/*
** SQL ERROR forked connection:
**
** The connection was opened before fork(), and this is the child process. In
** the child the connection holds no locks and can take none; the locks of the
** parent are not touched. A program that becomes a daemon must open its
** connections and take its locks afterwards: the locks that it took before end
** with the process that it leaves.
**
** Code: SQLITE_ERROR
** Retry: nothing
** Cure: open a new connection in the child, as SQLite itself requires
*/

/*
** SQL ERROR lock wait cancelled:
**
** Another session called advisory_cancel, or the program called
** sqlite3_interrupt, or its progress handler ended the statement, while this
** session waited. The request is gone and the lock is not held, even if it was
** granted at that moment.
**
** SQLite's own error `interrupted` is different. The interrupt came after the
** function had returned, or during another part of the statement, and the
** locks that the statement took stay held, as after any error of a statement.
** A program that interrupts its statements must unlock after `interrupted`, or
** call interlock_reset() before it gives the connection back to a pool.
** Unlocking a lock that is not held returns 0 and does no harm.
**
** If a statement that writes called the function, in a trigger for example,
** SQLite rolls the whole transaction back, as after any interrupt of a
** statement that writes.
**
** Code: SQLITE_INTERRUPT
** Retry: the statement, if it is still wanted; the transaction, after ROLLBACK,
**   if it was a statement that writes
** Cure: none is needed
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
    case LOCK_NOSESSION:
    case LOCK_NOSTAMP:
      failFull(x, eRc, p);
      break;
    case LOCK_REFUSED:
      failRefused(x, p);
      break;
    case LOCK_PENDING:
      failPending(x, p);
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
      failInterrupted(x);
      break;
    case LOCK_NOSPACE:
    case LOCK_MALFORMED:
    case LOCK_FORMAT:
    case LOCK_REPLACED:
    case LOCK_MOVED:
    case LOCK_NETWORK:
    case LOCK_CANTOPEN:
    case LOCK_LINKED:
    case LOCK_NOMAP:
    case LOCK_IOERR:
    case LOCK_WAITING:     /* of lockAsk only */
    case LOCK_MISUSE:      /* a wrong argument, of a test only */
      failFile(x, eRc, p);
      break;
  }
}
