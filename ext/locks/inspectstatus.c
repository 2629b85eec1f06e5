/* SPDX-License-Identifier: 0BSD */
/*
** interlock_status(). See inspectstatus.h.
*/
#include <string.h>
#include "locks/inspectstatus.h"
#include "sqlite/args.h"
#include "sqlite/json.h"
#include "session/lockkey.h"
#include "locks/inspectrows.h"
SQLITE_EXTENSION_INIT3

/*
** SQL AREA Inspection
**
** These tables show which sessions hold locks and which ones wait.
** `interlock_status()` returns the same as one JSON text. Looking takes no
** lock, writes nothing, and may be done at any time.
** [OPERATIONS.md](OPERATIONS.md) shows how to use them when a program hangs.
*/

/* A key: an integer as a number, a text as a string, others as a string in
** the form that errors show. */
static void appendKey(Sqlx *x, sqlite3_str *pStr, const LockRow *pRow){
  sqlite3_str *pKey;
  const char *z;
  switch( pRow->eKind ){
    case KEY_TEXT:
    case KEY_NAME:
    case KEY_SEMAPHORE:
    case KEY_LISTEN:
    case KEY_NOTIFY:
      jsonString(pStr, (const char*)pRow->pKey, pRow->nKey);
      break;
    case KEY_TURN:
    case KEY_TABLE:
      sqlite3_str_appendall(pStr, "null");
      break;
    case KEY_INTEGER:
      lockkeyAppend(pStr, pRow->eKind, pRow->pKey, pRow->nKey);
      break;
    default:
      pKey = sqlite3_str_new(x->db);
      lockkeyAppend(pKey, pRow->eKind, pRow->pKey, pRow->nKey);
      z = sqlxText(x, pKey);
      jsonString(pStr, z, (u32)strlen(z));
      break;
  }
}

static void appendObject(sqlite3_str *pStr, const LockRow *pRow){
  u32 n = keyTableBytes(pRow->eKind, pRow->pKey, pRow->nKey);
  if( n ) jsonString(pStr, (const char*)pRow->pKey, n);
  else sqlite3_str_appendall(pStr, "null");
}

static void appendCell(Sqlx *x, sqlite3_str *pStr, const LockCell *p){
  switch( p->eType ){
    case CELL_NULL:
      sqlite3_str_appendall(pStr, "null");
      break;
    case CELL_INTEGER:
      sqlite3_str_appendf(pStr, "%lld", (sqlite3_int64)p->i);
      break;
    case CELL_TEXT:
      jsonString(pStr, p->z, (u32)strlen(p->z));
      break;
    case CELL_KEY:
      appendKey(x, pStr, p->pRow);
      break;
    case CELL_OBJECT:
      appendObject(pStr, p->pRow);
      break;
  }
}

/* A row as an object. The first word of a column's declaration is its name. */
static void appendRow(
  Sqlx *x,
  sqlite3_str *pStr,
  const LockView *pView,
  const LookFile *pFile,
  u32 iPos
){
  const char *z = pView->zColumns;
  int i;
  for(i=0; z; i++){
    LockCell c = pView->xCell(pFile, iPos, i);
    size_t n;
    z += strspn(z, ", ");
    n = strcspn(z, ", ");
    sqlite3_str_appendchar(pStr, 1, i ? ',' : '{');
    jsonString(pStr, z, (u32)n);
    sqlite3_str_appendchar(pStr, 1, ':');
    appendCell(x, pStr, &c);
    z = strchr(z, ',');
  }
  sqlite3_str_appendchar(pStr, 1, '}');
}

static void appendView(
  Sqlx *x,
  sqlite3_str *pStr,
  const LockView *pView,
  const ConnectionLook *pLook
){
  int nRow = 0;
  int iFile;
  jsonString(pStr, pView->zName, (u32)strlen(pView->zName));
  sqlite3_str_appendall(pStr, ":[");
  for(iFile=0; iFile<pLook->n; iFile++){
    const LookFile *pFile = &pLook->a[iFile];
    u32 i, nPos = pView->xCount(pFile);
    for(i=0; i<nPos; i++){
      if( !pView->xIs(pFile, i) ) continue;
      if( nRow++ ) sqlite3_str_appendchar(pStr, 1, ',');
      appendRow(x, pStr, pView, pFile, i);
    }
  }
  sqlite3_str_appendchar(pStr, 1, ']');
}

/*
** SQL FUNCTION interlock_status()
**
** Returns the tables advisory_locks, advisory_sessions, advisory_waits and
** advisory_stats as one JSON text: an object with a list of objects for each.
** Unlike a table in FROM the function opens no transaction, so it also works
** while another process has the database locked.
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
  ConnectionLook look;
  Sqlx x;
  int i;
  (void)nArg; (void)apArg;
  sqlxBegin(&x, sqlite3_context_db_handle(ctx));
  connectionLook(pCall->pConn, &x, 0, &look);
  pStr = sqlite3_str_new(x.db);
  for(i=0; i<LOCKVIEW_COUNT; i++){
    sqlite3_str_appendchar(pStr, 1, i ? ',' : '{');
    appendView(&x, pStr, inspectrowsGet(i), &look);
  }
  sqlite3_str_appendchar(pStr, 1, '}');
  connectionLookEnd(&look);
  argsEndText(&x, ctx, sqlxText(&x, pStr));
}

static const Function aStatus[] = {
  { "interlock_status", 0, statusFunc, { 0, 0, 0, 0 } },
};

FunctionList inspectstatusFunctions(void){
  FunctionList t = { aStatus, sizeof(aStatus)/sizeof(aStatus[0]) };
  return t;
}
