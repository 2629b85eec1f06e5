/* SPDX-License-Identifier: 0BSD */
/*
** Virtual tables that read all of their rows when a scan begins. See
** rowtab.h.
*/
#include <string.h>
#include "sqlite/rowtab.h"
SQLITE_EXTENSION_INIT3

typedef struct RowtabVtab RowtabVtab;
typedef struct RowtabRow RowtabRow;
typedef struct RowtabCursor RowtabCursor;

struct RowtabVtab {
  sqlite3_vtab base;
  sqlite3 *db;
  const Rowtab *pThis;
};

struct RowtabRow {
  sqlite3_int64 iRowid;
  const char **azCol;
  RowtabRow *pNext;
};

struct RowtabRows {
  int nCol;
  RowtabRow *pFirst;
  RowtabRow *pLast;
};

struct RowtabCursor {
  sqlite3_vtab_cursor base;
  Sqlx x;                /* owns the rows */
  RowtabRow *pRow;
};

const char **rowtabAdd(Sqlx *p, RowtabRows *pRows, sqlite3_int64 iRowid){
  RowtabRow *pNew = sqlxAlloc(p, sizeof(*pNew));
  if( pNew==0 ) return 0;
  pNew->iRowid = iRowid;
  pNew->azCol = sqlxAlloc(p, sizeof(char*)*(sqlite3_uint64)pRows->nCol);
  if( pNew->azCol==0 ) return 0;
  *(pRows->pLast ? &pRows->pLast->pNext : &pRows->pFirst) = pNew;
  pRows->pLast = pNew;
  return pNew->azCol;
}

static int rowtabConnect(
  sqlite3 *db,
  void *pAux,
  int argc,
  const char *const *argv,
  sqlite3_vtab **ppVtab,
  char **pzErr
){
  const Rowtab *pThis = pAux;
  RowtabVtab *pNew;
  int rc = sqlite3_declare_vtab(db, pThis->zSql);
  (void)argc; (void)argv;
  if( rc!=SQLITE_OK ){
    *pzErr = sqlite3_mprintf("%s", sqlite3_errmsg(db));
    return rc;
  }
  pNew = sqlite3_malloc64(sizeof(*pNew));
  if( pNew==0 ) return SQLITE_NOMEM;
  memset(pNew, 0, sizeof(*pNew));
  pNew->db = db;
  pNew->pThis = pThis;
  sqlite3_vtab_config(db, SQLITE_VTAB_DIRECTONLY);
  *ppVtab = &pNew->base;
  return SQLITE_OK;
}

static int rowtabDisconnect(sqlite3_vtab *pVtab){
  sqlite3_free(pVtab);
  return SQLITE_OK;
}

static int rowtabBestIndex(sqlite3_vtab *pVtab, sqlite3_index_info *pInfo){
  (void)pVtab;
  pInfo->estimatedCost = 1000000;
  pInfo->estimatedRows = 100;
  return SQLITE_OK;
}

static int rowtabOpen(sqlite3_vtab *pVtab, sqlite3_vtab_cursor **ppCursor){
  RowtabCursor *pNew = sqlite3_malloc64(sizeof(*pNew));
  if( pNew==0 ) return SQLITE_NOMEM;
  memset(pNew, 0, sizeof(*pNew));
  sqlxBegin(&pNew->x, ((RowtabVtab*)pVtab)->db);
  *ppCursor = &pNew->base;
  return SQLITE_OK;
}

static int rowtabClose(sqlite3_vtab_cursor *pCursor){
  RowtabCursor *pCur = (RowtabCursor*)pCursor;
  sqlxEnd(&pCur->x);
  sqlite3_free(pCur);
  return SQLITE_OK;
}

static int rowtabFilter(
  sqlite3_vtab_cursor *pCursor,
  int idxNum,
  const char *idxStr,
  int argc,
  sqlite3_value **argv
){
  RowtabCursor *pCur = (RowtabCursor*)pCursor;
  RowtabVtab *pTab = (RowtabVtab*)pCursor->pVtab;
  RowtabRows rows = { pTab->pThis->nCol, 0, 0 };
  (void)idxNum; (void)idxStr; (void)argc; (void)argv;
  sqlxEnd(&pCur->x);
  sqlxBegin(&pCur->x, pTab->db);
  pTab->pThis->xRead(&pCur->x, &rows);
  pCur->pRow = rows.pFirst;
  return sqlxVtabError(&pCur->x, &pTab->base);
}

static int rowtabNext(sqlite3_vtab_cursor *pCursor){
  RowtabCursor *pCur = (RowtabCursor*)pCursor;
  pCur->pRow = pCur->pRow->pNext;
  return SQLITE_OK;
}

static int rowtabEof(sqlite3_vtab_cursor *pCursor){
  return ((RowtabCursor*)pCursor)->pRow==0;
}

static int rowtabColumn(
  sqlite3_vtab_cursor *pCursor,
  sqlite3_context *ctx,
  int i
){
  const Rowtab *pThis = ((RowtabVtab*)pCursor->pVtab)->pThis;
  const char *z = ((RowtabCursor*)pCursor)->pRow->azCol[i];
  if( i>=pThis->iOwn && sqlite3_vtab_nochange(ctx) ) return SQLITE_OK;
  if( z ) sqlite3_result_text(ctx, z, -1, SQLITE_TRANSIENT);
  return SQLITE_OK;
}

static int rowtabRowid(sqlite3_vtab_cursor *pCursor, sqlite3_int64 *piRowid){
  *piRowid = ((RowtabCursor*)pCursor)->pRow->iRowid;
  return SQLITE_OK;
}

static int rowtabUpdate(
  sqlite3_vtab *pVtab,
  int argc,
  sqlite3_value **argv,
  sqlite3_int64 *piRowid
){
  RowtabVtab *pTab = (RowtabVtab*)pVtab;
  Sqlx x;
  int rc;
  sqlxBegin(&x, pTab->db);
  pTab->pThis->xWrite(&x, argc, argv, piRowid);
  rc = sqlxVtabError(&x, pVtab);
  sqlxEnd(&x);
  return rc;
}

/* No xCreate: eponymous, and only so. Without xUpdate: read-only. */
#define ROWTAB_MODULE(update){ \
  .iVersion = 1, \
  .xConnect = rowtabConnect, \
  .xBestIndex = rowtabBestIndex, \
  .xDisconnect = rowtabDisconnect, \
  .xOpen = rowtabOpen, \
  .xClose = rowtabClose, \
  .xFilter = rowtabFilter, \
  .xNext = rowtabNext, \
  .xEof = rowtabEof, \
  .xColumn = rowtabColumn, \
  .xRowid = rowtabRowid, \
  .xUpdate = (update), \
}

static const sqlite3_module rowtabReadOnly = ROWTAB_MODULE(0);
static const sqlite3_module rowtabWritable = ROWTAB_MODULE(rowtabUpdate);

int rowtabRegister(sqlite3 *db, const Rowtab *pThis){
  return sqlite3_create_module_v2(db, pThis->zName,
      pThis->xWrite ? &rowtabWritable : &rowtabReadOnly, (void*)pThis, 0);
}

void rowtabUnregister(sqlite3 *db, const Rowtab *pThis){
  sqlite3_create_module_v2(db, pThis->zName, 0, 0, 0);
}
