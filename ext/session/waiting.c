/* SPDX-License-Identifier: 0BSD */
/*
** The rule about waiting. See waiting.h.
*/
#include <string.h>
#include "session/waiting.h"
SQLITE_EXTENSION_INIT3

/* Levels of SQLite's lock on a file, as SQLITE_FCNTL_LOCKSTATE returns them. */
#define FILE_UNLOCKED 0
#define FILE_SHARED   1

/* ---- SQLite's own lock ------------------------------------------------ */

/* Whether a file is in WAL mode, by its header. The connection must hold
** SQLite's shared lock on the file, so that the mode cannot change. */
static int isWal(sqlite3 *db, const char *zSchema){
  sqlite3_file *pFile = 0;
  unsigned char a[2];
  int rc = sqlite3_file_control(db, zSchema, SQLITE_FCNTL_FILE_POINTER,
                                &pFile);
  if( rc!=SQLITE_OK || pFile==0 || pFile->pMethods==0 ) return 0;
  rc = pFile->pMethods->xRead(pFile, a, sizeof(a), 18);
  return rc==SQLITE_OK && a[0]==2 && a[1]==2;
}

/* The answer after an error of SQLite's. */
static Waiting answerOfError(int rc){
  switch( rc & 0xff ){
    case SQLITE_NOMEM:     return WAITING_NOMEM;
    case SQLITE_INTERRUPT: return WAITING_INTERRUPTED;
    default:               return WAITING_NOT_KNOWN;
  }
}

/* What PRAGMA locking_mode allows. SQLite may not return the mode: an
** authorizer can refuse the pragma. */
static Waiting askPragma(sqlite3 *db, const char *zSchema){
  sqlite3_stmt *pStmt = 0;
  char *zSql = sqlite3_mprintf("PRAGMA \"%w\".locking_mode", zSchema);
  const char *zMode = 0;
  Waiting eAnswer = WAITING_NOT_KNOWN;
  int rc = zSql ? sqlite3_prepare_v2(db, zSql, -1, &pStmt, 0) : SQLITE_NOMEM;
  if( rc==SQLITE_OK ) rc = sqlite3_step(pStmt);
  if( rc==SQLITE_ROW ){
    zMode = (const char*)sqlite3_column_text(pStmt, 0);
    if( zMode==0 ) rc = SQLITE_NOMEM;
    else if( sqlite3_stricmp(zMode, "normal")==0 ) eAnswer = WAITING_ALLOWED;
    else eAnswer = WAITING_LOCK_KEPT;
  }
  sqlite3_finalize(pStmt);
  sqlite3_free(zSql);
  return rc==SQLITE_ROW ? eAnswer : answerOfError(rc);
}

static int lockState(sqlite3 *db, const char *zSchema){
  int eLock = FILE_UNLOCKED;
  int rc = sqlite3_file_control(db, zSchema, SQLITE_FCNTL_LOCKSTATE, &eLock);
  return rc==SQLITE_OK ? eLock : FILE_UNLOCKED;
}

/* In WAL mode only PRAGMA locking_mode=EXCLUSIVE takes more than a shared lock,
** and then no other connection can commit. */
int waitingSharesWal(sqlite3 *db, const char *zSchema){
  return lockState(db, zSchema)<=FILE_SHARED && isWal(db, zSchema);
}

/*
** Reads the file once. SQLite then releases a lock that it has kept only
** because an earlier PRAGMA locking_mode said so. A statement of the connection
** would keep its read in BEGIN. But a statement with a table that does not
** exist is only compiled: before SQLite reports that, it compares the schemas
** with their files, in read transactions that end with it. It stops at a file
** that another connection has locked.
*/
static int compareSchemas(sqlite3 *db, const char *zSchema){
  sqlite3_stmt *pStmt = 0;
  char *zSql = sqlite3_mprintf("SELECT 1 FROM \"%w\".sqlite_interlock",
                               zSchema);
  int rc = SQLITE_NOMEM;
  if( zSql ) rc = sqlite3_prepare_v3(db, zSql, -1, PREPARE_DONT_LOG, &pStmt, 0);
  sqlite3_finalize(pStmt);
  sqlite3_free(zSql);
  return rc;
}

/* The same by a backup, which ends its own read, and reads although it is to
** copy no page. It needs a second database. SQLITE_BUSY or SQLITE_LOCKED:
** another connection of a shared cache uses the file. */
static int beginBackup(sqlite3 *db, const char *zSchema){
  sqlite3 *pTo = 0;
  sqlite3_backup *pBackup;
  int rc = sqlite3_open(":memory:", &pTo);
  if( rc==SQLITE_OK ){
    pBackup = sqlite3_backup_init(pTo, "main", db, zSchema);
    if( pBackup ) sqlite3_backup_step(pBackup, 0);
    rc = pBackup ? sqlite3_backup_finish(pBackup) : sqlite3_errcode(pTo);
  }
  sqlite3_close(pTo);
  return rc;
}

/* Reads the file once. SQLITE_OK if it is not locked then. */
static int readOnce(sqlite3 *db, const char *zSchema){
  if( compareSchemas(db, zSchema)==SQLITE_NOMEM ) return SQLITE_NOMEM;
  if( lockState(db, zSchema)==FILE_UNLOCKED ) return SQLITE_OK;
  return beginBackup(db, zSchema);
}

/*
** Whether this connection keeps SQLite's lock on a file without a transaction.
** It does in exclusive mode, and after a return to normal mode until it next
** uses the file. In WAL mode every connection holds a shared lock all the time,
** so there only the pragma decides. In the other modes the file is read once;
** if it is still locked after that, the lock is another connection's, of a
** shared cache.
*/
static Waiting askFileLock(sqlite3 *db, const char *zSchema){
  int eLock = lockState(db, zSchema), rc;
  Waiting eAnswer;
  if( eLock==FILE_UNLOCKED ) return WAITING_ALLOWED;
  eAnswer = askPragma(db, zSchema);
  if( eAnswer!=WAITING_ALLOWED ) return eAnswer;
  if( eLock==FILE_SHARED && isWal(db, zSchema) ) return WAITING_ALLOWED;
  rc = readOnce(db, zSchema);
  switch( rc & 0xff ){
    case SQLITE_OK:
    case SQLITE_BUSY:
    case SQLITE_LOCKED: return WAITING_ALLOWED;
    default:            return answerOfError(rc);
  }
}

/* ---- the files of a connection ---------------------------------------- */

static Waiting askSchema(sqlite3 *db, const char *zSchema){
  if( sqlite3_stricmp(zSchema, "temp")==0 ) return WAITING_ALLOWED;
  if( sqlite3_txn_state(db, zSchema)>SQLITE_TXN_NONE ){
    return WAITING_TRANSACTION;
  }
  return askFileLock(db, zSchema);
}

/* SQLite before 3.39 lists the schemas only by a statement, which opens no
** transaction, and which an authorizer can refuse. */
Waiting waitingAllowed(Sqlx *x, const char **pzSchema){
  const char **az = sqlxSchemas(x);
  Waiting eAnswer = WAITING_ALLOWED;
  int i, rc = x->rc;
  *pzSchema = 0;
  if( az==0 ){
    if( rc!=SQLITE_NOMEM ) sqlxClear(x);
    return answerOfError(rc);
  }
  for(i=0; az[i] && eAnswer==WAITING_ALLOWED; i++){
    eAnswer = askSchema(x->db, az[i]);
    if( eAnswer!=WAITING_ALLOWED ) *pzSchema = az[i];
  }
  return eAnswer;
}

/* ---- during a wait ---------------------------------------------------- */

/* Six hundred operations of SQLite's, and no table. A progress handler that
** must be called every 500 operations is called in each look but the first, and
** one of every 1000 in each second look. */
#define ROWS_10 "(0),(0),(0),(0),(0),(0),(0),(0),(0),(0)"
#define ROWS_40 ROWS_10 "," ROWS_10 "," ROWS_10 "," ROWS_10
static const char zLook[] = "SELECT count(*) FROM"
    " (VALUES " ROWS_40 "," ROWS_40 "," ROWS_40 ")";

/* For the first look of a wait. It is also the one after a grant that came
** soon, and preparing the long statement would keep the lock from others
** meanwhile. Also for connections where SQLite or an authorizer refuses the
** long one. */
static const char zLookLeast[] = "SELECT 1";

void waitingPrepare(sqlite3 *db, sqlite3_stmt **ppLook){
  if( *ppLook==0 ) sqlite3_prepare_v2(db, zLookLeast, -1, ppLook, 0);
}

/* Whether a look is the least one, and was run. */
static int leastWasRun(sqlite3_stmt *pLook){
  return strcmp(sqlite3_sql(pLook), zLookLeast)==0
      && sqlite3_stmt_status(pLook, SQLITE_STMTSTATUS_RUN, 0)>0;
}

/* A statement of its own ends with SQLITE_INTERRUPT after an interrupt, or
** where the program's progress handler says so. It runs inside the one that
** waits, so it does not clear the flag of an interrupt. */
static int stepsInterrupted(sqlite3 *db, sqlite3_stmt **ppLook){
  int rc = SQLITE_OK;
  if( *ppLook && leastWasRun(*ppLook) ){
    sqlite3_finalize(*ppLook);
    rc = sqlite3_prepare_v2(db, zLook, -1, ppLook, 0);
  }
  if( *ppLook==0 && rc!=SQLITE_INTERRUPT ){
    rc = sqlite3_prepare_v2(db, zLookLeast, -1, ppLook, 0);
  }
  if( rc==SQLITE_OK ) rc = sqlite3_step(*ppLook);
  sqlite3_reset(*ppLook);
  return rc==SQLITE_INTERRUPT;
}

/* Without memory for a statement SQLite since 3.41 still tells of an interrupt.
*/
int waitingInterrupted(sqlite3 *db, sqlite3_stmt **ppLook){
  return sqlxInterrupted(db) || stepsInterrupted(db, ppLook);
}

Waiting waitingKeepsLock(sqlite3 *db, const char *zSchema){
  return askPragma(db, zSchema);
}

int waitingMoved(sqlite3 *db, const char *zSchema){
  int bMoved = 0;
  int rc = sqlite3_file_control(db, zSchema, SQLITE_FCNTL_HAS_MOVED, &bMoved);
  return rc==SQLITE_OK && bMoved;
}
