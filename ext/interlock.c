/* SPDX-License-Identifier: 0BSD */
/*
** The entry point: what a process reaches when it loads the extension.
**
** Loading writes nothing, reads no schema and takes none of the hooks of
** the application. What is kept of a connection is its address in a list,
** from the first load to the connection's end, so that a second load finds
** the first: to register the functions again would end their first
** registration, and with it all that this connection holds.
**
** The list belongs to the copy of this code in the process, and is guarded
** by its mutex, under which nothing of SQLite is called but the allocator.
*/
#include <pthread.h>
#include "functions.h"
#include "vtab.h"
SQLITE_EXTENSION_INIT1

#define INTERLOCK_API __attribute__((visibility("default")))

#define OLDEST_NUMBER 3034000
#define OLDEST_TEXT "3.34.0"

typedef struct Loaded Loaded;
struct Loaded {
  sqlite3 *db;
  Loaded *pNext;
};

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static Loaded *pLoadedList = 0;

/* The connection ends: forget it. */
static void forget(void *pArg){
  Loaded *pThis = (Loaded*)pArg;
  Loaded **pp;
  pthread_mutex_lock(&mutex);
  for(pp=&pLoadedList; *pp && *pp!=pThis; pp=&(*pp)->pNext){}
  if( *pp ) *pp = pThis->pNext;
  pthread_mutex_unlock(&mutex);
  sqlite3_free(pThis);
}

/* Enter a connection into the list. Returns SQLITE_DONE, and no entry, if
** it is there already. */
static int remember(sqlite3 *db, Loaded **ppNew){
  Loaded *pNew = sqlite3_malloc64(sizeof(*pNew));
  Loaded *p;
  if( pNew==0 ) return SQLITE_NOMEM;
  pthread_mutex_lock(&mutex);
  for(p=pLoadedList; p && p->db!=db; p=p->pNext){}
  if( p==0 ){
    pNew->db = db;
    pNew->pNext = pLoadedList;
    pLoadedList = pNew;
  }
  pthread_mutex_unlock(&mutex);
  if( p ){
    sqlite3_free(pNew);
    return SQLITE_DONE;
  }
  *ppNew = pNew;
  return SQLITE_OK;
}

/*
** Take the API table of the SQLite that loads this copy of the code. There
** is one place for it, so a second SQLite library in the process (Python's
** own and apsw's, say) cannot be served by the same copy.
*/
#ifndef SQLITE_CORE
static int takeApi(const sqlite3_api_routines *pApi){
  int bOk;
  pthread_mutex_lock(&mutex);
  bOk = sqlite3_api==0 || sqlite3_api==pApi;
  if( bOk ) sqlite3_api = pApi;
  pthread_mutex_unlock(&mutex);
  return bOk;
}
#endif

/* Load into this connection. */
INTERLOCK_API int sqlite3_interlock_init(
  sqlite3 *db,
  char **pzErrMsg,
  const sqlite3_api_routines *pApi
){
  Loaded *pNew = 0;
  int rc;
#ifdef SQLITE_CORE
  (void)pApi;
#else
  if( pApi->libversion_number()<OLDEST_NUMBER ){
    *pzErrMsg = pApi->mprintf("interlock needs SQLite " OLDEST_TEXT
        " or newer, this is %s", pApi->libversion());
    return SQLITE_ERROR;
  }
  if( !takeApi(pApi) ){
    *pzErrMsg = pApi->mprintf("interlock already serves another SQLite"
        " library in this process; load a copy of the file from another"
        " folder");
    return SQLITE_ERROR;
  }
#endif
  rc = remember(db, &pNew);
  if( rc==SQLITE_DONE ) return SQLITE_OK;
  if( rc==SQLITE_OK ) rc = vtabRegister(db);
  if( rc==SQLITE_OK ){
    rc = functionsRegister(db, pNew, forget);
    if( rc!=SQLITE_OK ) vtabUnregister(db);
  }else if( pNew ){
    forget(pNew);
  }
  if( rc!=SQLITE_OK ) *pzErrMsg = sqlite3_mprintf("interlock: %s",
                                                  sqlite3_errstr(rc));
  return rc;
}
