/* SPDX-License-Identifier: 0BSD */
/*
** Virtual tables that read all of their rows when a scan begins. See
** listvtab.h.
*/
#include <stdlib.h>
#include "sqlite/listvtab.h"
#include "sqlite/vtab.h"
SQLITE_EXTENSION_INIT3

typedef struct ListVtabVtab ListVtabVtab;
typedef struct ListVtabRow ListVtabRow;
typedef struct ListVtabCursor ListVtabCursor;

struct ListVtabVtab {
  sqlite3_vtab base;
  sqlite3 *db;
  const ListVtab *pThis;
};

struct ListVtabRow {
  sqlite3_int64 iRowid;
  const char **azCol;
  ListVtabRow *pNext;
};

struct ListVtabRows {
  int nCol;
  ListVtabRow *pFirst;
  ListVtabRow *pLast;
};

struct ListVtabCursor {
  sqlite3_vtab_cursor base;
  Sqlx x;                /* owns the rows */
  ListVtabRow *pRow;
};

const char **listvtabAdd(Sqlx *p, ListVtabRows *pRows, sqlite3_int64 iRowid){
  ListVtabRow *pNew = sqlxAlloc(p, sizeof(*pNew));
  if( pNew==0 ) return 0;
  pNew->iRowid = iRowid;
  pNew->azCol = sqlxAlloc(p, sizeof(char*)*(sqlite3_uint64)pRows->nCol);
  if( pNew->azCol==0 ) return 0;
  *(pRows->pLast ? &pRows->pLast->pNext : &pRows->pFirst) = pNew;
  pRows->pLast = pNew;
  return pNew->azCol;
}

static int listvtabConnect(
  sqlite3 *db,
  void *pAux,
  int argc,
  const char *const *argv,
  sqlite3_vtab **ppVtab,
  char **pzErr
){
  const ListVtab *pThis = pAux;
  ListVtabVtab *pNew;
  int rc = vtabConnect(db, pThis->zSql, SQLITE_VTAB_DIRECTONLY, sizeof(*pNew),
                       ppVtab, pzErr);
  (void)argc; (void)argv;
  if( rc!=SQLITE_OK ) return rc;
  pNew = (ListVtabVtab*)*ppVtab;
  pNew->db = db;
  pNew->pThis = pThis;
  return SQLITE_OK;
}

static int listvtabBestIndex(sqlite3_vtab *pVtab, sqlite3_index_info *pInfo){
  (void)pVtab;
  pInfo->estimatedCost = 1000000;
  pInfo->estimatedRows = 100;
  return SQLITE_OK;
}

static int listvtabOpen(sqlite3_vtab *pVtab, sqlite3_vtab_cursor **ppCursor){
  int rc = vtabOpen(sizeof(ListVtabCursor), ppCursor);
  if( rc!=SQLITE_OK ) return rc;
  sqlxBegin(&((ListVtabCursor*)*ppCursor)->x, ((ListVtabVtab*)pVtab)->db);
  return SQLITE_OK;
}

static int listvtabClose(sqlite3_vtab_cursor *pCursor){
  ListVtabCursor *pCur = (ListVtabCursor*)pCursor;
  sqlxEnd(&pCur->x);
  return vtabClose(pCursor);
}

static int listvtabFilter(
  sqlite3_vtab_cursor *pCursor,
  int idxNum,
  const char *idxStr,
  int argc,
  sqlite3_value **argv
){
  ListVtabCursor *pCur = (ListVtabCursor*)pCursor;
  ListVtabVtab *pTab = (ListVtabVtab*)pCursor->pVtab;
  ListVtabRows rows = { pTab->pThis->nCol, 0, 0 };
  (void)idxNum; (void)idxStr; (void)argc; (void)argv;
  sqlxEnd(&pCur->x);
  sqlxBegin(&pCur->x, pTab->db);
  pTab->pThis->xRead(&pCur->x, &rows);
  pCur->pRow = rows.pFirst;
  return sqlxVtabError(&pCur->x, &pTab->base);
}

static int listvtabNext(sqlite3_vtab_cursor *pCursor){
  ListVtabCursor *pCur = (ListVtabCursor*)pCursor;
  pCur->pRow = pCur->pRow->pNext;
  return SQLITE_OK;
}

static int listvtabEof(sqlite3_vtab_cursor *pCursor){
  return ((ListVtabCursor*)pCursor)->pRow==0;
}

static int listvtabColumn(
  sqlite3_vtab_cursor *pCursor,
  sqlite3_context *ctx,
  int i
){
  const ListVtab *pThis = ((ListVtabVtab*)pCursor->pVtab)->pThis;
  const char *z = ((ListVtabCursor*)pCursor)->pRow->azCol[i];
  if( i>=pThis->iOwn && sqlite3_vtab_nochange(ctx) ) return SQLITE_OK;
  if( z && (pThis->mInteger>>i & 1) ){
    sqlite3_result_int64(ctx, strtoll(z, 0, 10));
  }else if( z ){
    sqlite3_result_text(ctx, z, -1, SQLITE_TRANSIENT);
  }
  return SQLITE_OK;
}

static int listvtabRowid(sqlite3_vtab_cursor *pCursor, sqlite3_int64 *piRowid){
  *piRowid = ((ListVtabCursor*)pCursor)->pRow->iRowid;
  return SQLITE_OK;
}

static int listvtabUpdate(
  sqlite3_vtab *pVtab,
  int argc,
  sqlite3_value **argv,
  sqlite3_int64 *piRowid
){
  ListVtabVtab *pTab = (ListVtabVtab*)pVtab;
  Sqlx x;
  int rc;
  sqlxBegin(&x, pTab->db);
  pTab->pThis->xWrite(&x, argc, argv, piRowid);
  rc = sqlxVtabError(&x, pVtab);
  sqlxEnd(&x);
  return rc;
}

/* Without xCreate a table is eponymous only; without xUpdate, read-only. */
#define LISTVTAB_MODULE(update){ \
  .iVersion = 1, \
  .xConnect = listvtabConnect, \
  .xBestIndex = listvtabBestIndex, \
  .xDisconnect = vtabDisconnect, \
  .xOpen = listvtabOpen, \
  .xClose = listvtabClose, \
  .xFilter = listvtabFilter, \
  .xNext = listvtabNext, \
  .xEof = listvtabEof, \
  .xColumn = listvtabColumn, \
  .xRowid = listvtabRowid, \
  .xUpdate = (update), \
}

static const sqlite3_module listvtabReadOnly = LISTVTAB_MODULE(0);
static const sqlite3_module listvtabWritable = LISTVTAB_MODULE(listvtabUpdate);

int listvtabRegister(sqlite3 *db, const ListVtab *pThis){
  return sqlite3_create_module_v2(db, pThis->zName,
      pThis->xWrite ? &listvtabWritable : &listvtabReadOnly, (void*)pThis, 0);
}

void listvtabUnregister(sqlite3 *db, const ListVtab *pThis){
  sqlite3_create_module_v2(db, pThis->zName, 0, 0, 0);
}
