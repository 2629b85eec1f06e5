/* SPDX-License-Identifier: 0BSD */
/*
** The virtual tables that show the lock file. See inspecttables.h.
**
** Each view is a module of its own. The argument of every module is the
** Connection, so a table learns from its module's name which view it shows.
*/
#include "locks/inspecttables.h"
#include "session/lockkey.h"
#include "locks/inspectfilter.h"
#include "locks/inspectrows.h"
#include "sqlite/vtab.h"
SQLITE_EXTENSION_INIT3

typedef struct LookTable {
  sqlite3_vtab base;
  sqlite3 *db;
  Connection *pConn;
  const LockView *pView;
} LookTable;

typedef struct LookCursor {
  sqlite3_vtab_cursor base;
  ConnectionLook look;
  int iFile;             /* index in look.a; look.n at the end */
  u32 iPos;              /* the row's position in that lock file */
} LookCursor;

static const LockView *viewOf(const char *zName){
  int i;
  for(i=0; i<LOCKVIEW_COUNT; i++){
    if( sqlite3_stricmp(zName, inspectrowsGet(i)->zName)==0 ){
      return inspectrowsGet(i);
    }
  }
  return 0;
}

static int lookConnect(
  sqlite3 *db,
  void *pAux,
  int argc,
  const char *const *argv,
  sqlite3_vtab **ppVtab,
  char **pzErr
){
  const LockView *pView = argc>0 ? viewOf(argv[0]) : 0;
  LookTable *pNew;
  char *zSql;
  int rc;
  if( pView==0 ) return SQLITE_ERROR;
  zSql = sqlite3_mprintf("CREATE TABLE x(%s)", pView->zColumns);
  if( zSql==0 ) return SQLITE_NOMEM;
  rc = vtabConnect(db, zSql, SQLITE_VTAB_DIRECTONLY, sizeof(*pNew), ppVtab,
                   pzErr);
  sqlite3_free(zSql);
  if( rc!=SQLITE_OK ) return rc;
  pNew = (LookTable*)*ppVtab;
  pNew->db = db;
  pNew->pConn = (Connection*)pAux;
  pNew->pView = pView;
  return SQLITE_OK;
}

static int isLocks(const LookTable *p){
  return p->pView==inspectrowsGet(LOCKVIEW_LOCKS);
}

static int lookBestIndex(sqlite3_vtab *pVtab, sqlite3_index_info *pInfo){
  pInfo->estimatedCost = 100000;
  pInfo->estimatedRows = 100;
  if( isLocks((LookTable*)pVtab) ) inspectfilterPlan(pInfo);
  return SQLITE_OK;
}

static int lookOpen(sqlite3_vtab *pVtab, sqlite3_vtab_cursor **ppCursor){
  (void)pVtab;
  return vtabOpen(sizeof(LookCursor), ppCursor);
}

static int lookClose(sqlite3_vtab_cursor *pCursor){
  LookCursor *pCur = (LookCursor*)pCursor;
  connectionLookEnd(&pCur->look);
  return vtabClose(pCursor);
}

/* Moves on to the next position that holds a row, in this lock file or a later
** one, unless the cursor is at one. */
static void lookSettle(LookCursor *pCur){
  const LockView *pView = ((LookTable*)pCur->base.pVtab)->pView;
  for(; pCur->iFile<pCur->look.n; pCur->iFile++, pCur->iPos=0){
    const LookFile *pFile = &pCur->look.a[pCur->iFile];
    u32 nPos = pView->xCount(pFile);
    while( pCur->iPos<nPos && !pView->xIs(pFile, pCur->iPos) ) pCur->iPos++;
    if( pCur->iPos<nPos ) return;
  }
}

static int lookFilter(
  sqlite3_vtab_cursor *pCursor,
  int idxNum,
  const char *idxStr,
  int argc,
  sqlite3_value **argv
){
  LookCursor *pCur = (LookCursor*)pCursor;
  LookTable *pTab = (LookTable*)pCursor->pVtab;
  InspectFilter filter;
  Sqlx x;
  int rc;
  (void)idxStr; (void)argc;
  connectionLookEnd(&pCur->look);
  pCur->iPos = 0;
  pCur->iFile = 0;
  sqlxBegin(&x, pTab->db);
  inspectfilterMake(&filter, &x, pTab->pView->mPart, idxNum, argv);
  if( connectionLook(pTab->pConn, &x, &filter.lock, &pCur->look) ){
    lookSettle(pCur);
  }
  rc = sqlxVtabError(&x, &pTab->base);
  sqlxEnd(&x);
  return rc;
}

static int lookNext(sqlite3_vtab_cursor *pCursor){
  LookCursor *pCur = (LookCursor*)pCursor;
  pCur->iPos++;
  lookSettle(pCur);
  return SQLITE_OK;
}

static int lookEof(sqlite3_vtab_cursor *pCursor){
  LookCursor *pCur = (LookCursor*)pCursor;
  return pCur->iFile>=pCur->look.n;
}

static int lookColumn(
  sqlite3_vtab_cursor *pCursor,
  sqlite3_context *ctx,
  int i
){
  LookCursor *pCur = (LookCursor*)pCursor;
  const LockView *pView = ((LookTable*)pCursor->pVtab)->pView;
  LockCell c = pView->xCell(&pCur->look.a[pCur->iFile], pCur->iPos, i);
  const LockRow *r = c.pRow;
  u32 n;
  switch( c.eType ){
    case CELL_INTEGER:
      sqlite3_result_int64(ctx, c.i);
      break;
    case CELL_TEXT:
      sqlite3_result_text(ctx, c.z, -1, SQLITE_TRANSIENT);
      break;
    case CELL_KEY:
      lockkeyResult(ctx, r->eKind, r->pKey, r->nKey);
      break;
    case CELL_OBJECT:
      n = keyTableBytes(r->eKind, r->pKey, r->nKey);
      if( n ){
        sqlite3_result_text(ctx, (const char*)r->pKey, (int)n,
                            SQLITE_TRANSIENT);
      }
      break;
    case CELL_NULL:
      break;
  }
  return SQLITE_OK;
}

static int lookRowid(sqlite3_vtab_cursor *pCursor, sqlite3_int64 *piRowid){
  LookCursor *pCur = (LookCursor*)pCursor;
  const LockView *pView = ((LookTable*)pCursor->pVtab)->pView;
  u64 iId = pView->xId(&pCur->look.a[pCur->iFile], pCur->iPos);
  *piRowid = (sqlite3_int64)((u64)pCur->iFile<<53 | iId);
  return SQLITE_OK;
}

/* Without xCreate a table is eponymous only; without xUpdate, read-only. */
static const sqlite3_module lookModule = {
  .iVersion = 1,
  .xConnect = lookConnect,
  .xBestIndex = lookBestIndex,
  .xDisconnect = vtabDisconnect,
  .xOpen = lookOpen,
  .xClose = lookClose,
  .xFilter = lookFilter,
  .xNext = lookNext,
  .xEof = lookEof,
  .xColumn = lookColumn,
  .xRowid = lookRowid,
};

int inspecttablesRegister(sqlite3 *db, Connection *pConn){
  int rc = SQLITE_OK;
  int i;
  for(i=0; i<LOCKVIEW_COUNT && rc==SQLITE_OK; i++){
    connectionRetain(pConn);
    rc = sqlite3_create_module_v2(db, inspectrowsGet(i)->zName, &lookModule,
                                  pConn, connectionRelease);
  }
  return rc;
}

/* Must be called when loading has failed. */
void inspecttablesUnregister(sqlite3 *db){
  int i;
  for(i=0; i<LOCKVIEW_COUNT; i++){
    sqlite3_create_module_v2(db, inspectrowsGet(i)->zName, 0, 0, 0);
  }
}
