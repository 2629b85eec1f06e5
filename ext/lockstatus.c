/* SPDX-License-Identifier: 0BSD */
/*
** interlock_status(). See lockstatus.h.
*/
#include <string.h>
#include "lockstatus.h"
#include "args.h"
#include "lockkey.h"
#include "lockviews.h"
SQLITE_EXTENSION_INIT3

static void appendString(sqlite3_str *pStr, const char *z, u32 n){
  u32 i;
  sqlite3_str_appendchar(pStr, 1, '"');
  for(i=0; i<n; i++){
    unsigned char c = (unsigned char)z[i];
    if( c=='"' || c=='\\' ){
      sqlite3_str_appendf(pStr, "\\%c", c);
    }else if( c<0x20 ){
      sqlite3_str_appendf(pStr, "\\u%04x", c);
    }else{
      sqlite3_str_appendchar(pStr, 1, (char)c);
    }
  }
  sqlite3_str_appendchar(pStr, 1, '"');
}

/* A key: an integer as a number, a text as it is, others as errors show it. */
static void appendKey(sqlite3_str *pStr, const LockRow *pRow){
  if( pRow->eKind==KEY_TEXT || pRow->eKind==KEY_NAME ){
    appendString(pStr, (const char*)pRow->pKey, pRow->nKey);
  }else if( pRow->eKind==KEY_TURN ){
    sqlite3_str_appendall(pStr, "null");
  }else if( pRow->eKind==KEY_INTEGER ){
    lockkeyAppend(pStr, pRow->eKind, pRow->pKey, pRow->nKey);
  }else{
    sqlite3_str_appendchar(pStr, 1, '"');
    lockkeyAppend(pStr, pRow->eKind, pRow->pKey, pRow->nKey);
    sqlite3_str_appendchar(pStr, 1, '"');
  }
}

static void appendCell(sqlite3_str *pStr, const LockCell *p){
  switch( p->eType ){
    case CELL_NULL:
      sqlite3_str_appendall(pStr, "null");
      break;
    case CELL_INTEGER:
      sqlite3_str_appendf(pStr, "%lld", (sqlite3_int64)p->i);
      break;
    case CELL_TEXT:
      appendString(pStr, p->z, (u32)strlen(p->z));
      break;
    case CELL_KEY:
      appendKey(pStr, p->pRow);
      break;
  }
}

/* The names of the columns are the first words of their declarations. */
static void appendRow(
  sqlite3_str *pStr,
  const LockView *pView,
  const LockSnapshot *pSnapshot,
  u32 iPos
){
  const char *z = pView->zColumns;
  int i;
  for(i=0; z; i++){
    LockCell c = pView->xCell(pSnapshot, iPos, i);
    size_t n;
    z += strspn(z, ", ");
    n = strcspn(z, ", ");
    sqlite3_str_appendchar(pStr, 1, i ? ',' : '{');
    appendString(pStr, z, (u32)n);
    sqlite3_str_appendchar(pStr, 1, ':');
    appendCell(pStr, &c);
    z = strchr(z, ',');
  }
  sqlite3_str_appendchar(pStr, 1, '}');
}

static void appendView(
  sqlite3_str *pStr,
  const LockView *pView,
  const LockSnapshot *pSnapshot
){
  u32 i, nPos = pView->xCount(pSnapshot);
  int nRow = 0;
  appendString(pStr, pView->zName, (u32)strlen(pView->zName));
  sqlite3_str_appendall(pStr, ":[");
  for(i=0; i<nPos; i++){
    if( !pView->xIs(pSnapshot, i) ) continue;
    if( nRow++ ) sqlite3_str_appendchar(pStr, 1, ',');
    appendRow(pStr, pView, pSnapshot, i);
  }
  sqlite3_str_appendchar(pStr, 1, ']');
}

/*
** SQL FUNCTION interlock_status()
**
** The tables advisory_locks, advisory_sessions, advisory_waits and
** advisory_stats as one JSON text: an object with a list of objects for each.
** It opens no transaction, as a table in FROM does, so it works also while
** another process has the database locked.
**
** Arguments: none
** Result: TEXT, JSON
** Errors:
**   `lock file:` SQLITE_ERROR or SQLITE_CANTOPEN
**   `forked connection:` SQLITE_ERROR
** From: SHOW ENGINE INNODB STATUS of MySQL
** Example:
**   SELECT try_advisory_lock('a');
**   -- 1
**   SELECT json_extract(interlock_status(), '$.advisory_locks[0].key');
**   -- a
*/
static void statusFunc(sqlite3_context *ctx, int nArg, sqlite3_value **apArg){
  const FunctionCall *pCall = sqlite3_user_data(ctx);
  sqlite3_str *pStr;
  SessionLook look;
  Sqlx x;
  int i;
  (void)nArg; (void)apArg;
  sqlxBegin(&x, sqlite3_context_db_handle(ctx));
  sessionLook(pCall->pSession, &x, &look);
  pStr = sqlite3_str_new(x.db);
  for(i=0; i<LOCKVIEW_COUNT; i++){
    sqlite3_str_appendchar(pStr, 1, i ? ',' : '{');
    appendView(pStr, lockviewsGet(i), &look.snapshot);
  }
  sqlite3_str_appendchar(pStr, 1, '}');
  sessionLookEnd(&look);
  argsEndText(&x, ctx, sqlxText(&x, pStr));
}

static const Function aStatus[] = {
  { "interlock_status", 0, statusFunc, { 0, 0, 0, 0 } },
};

FunctionTable lockstatusFunctions(void){
  FunctionTable t = { aStatus, sizeof(aStatus)/sizeof(aStatus[0]) };
  return t;
}
