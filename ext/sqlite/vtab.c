/* SPDX-License-Identifier: 0BSD */
/*
** What all virtual tables do to come and to go. See vtab.h.
*/
#include <string.h>
#include "sqlite/vtab.h"
SQLITE_EXTENSION_INIT3

static void *zeroed(size_t nByte){
  void *p = sqlite3_malloc64(nByte);
  if( p ) memset(p, 0, nByte);
  return p;
}

int vtabConnect(
  sqlite3 *db,
  const char *zSql,
  int eRisk,
  size_t nByte,
  sqlite3_vtab **pp,
  char **pzErr
){
  int rc = sqlite3_declare_vtab(db, zSql);
  if( rc!=SQLITE_OK ){
    *pzErr = sqlite3_mprintf("%s", sqlite3_errmsg(db));
    return rc;
  }
  *pp = zeroed(nByte);
  if( *pp==0 ) return SQLITE_NOMEM;
  sqlite3_vtab_config(db, eRisk);
  return SQLITE_OK;
}

int vtabDisconnect(sqlite3_vtab *pVtab){
  sqlite3_free(pVtab);
  return SQLITE_OK;
}

int vtabOpen(size_t nByte, sqlite3_vtab_cursor **pp){
  *pp = zeroed(nByte);
  return *pp ? SQLITE_OK : SQLITE_NOMEM;
}

int vtabClose(sqlite3_vtab_cursor *pCursor){
  sqlite3_free(pCursor);
  return SQLITE_OK;
}
