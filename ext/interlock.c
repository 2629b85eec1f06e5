/* SPDX-License-Identifier: 0BSD */
/*
** The entry points: what a process reaches when it loads the extension.
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
#include <string.h>
#include "functions.h"
#include "guarded/guardtab.h"
#include "locks/inspecttables.h"
#include "core/os.h"
#include "session/txnscope.h"
#include "versioned/versionedtables.h"
SQLITE_EXTENSION_INIT1

#define INTERLOCK_API __attribute__((visibility("default")))

#define OLDEST_NUMBER 3034000
#define OLDEST_TEXT "3.34.0"

typedef struct Loaded Loaded;
struct Loaded {
  sqlite3 *db;
  int nFunction;         /* registered; fewer than all after a failed load */
  int bTables;           /* so are the virtual tables */
  Connection *pConn;
  FunctionCall *aCall;   /* user data of the functions */
  Loaded *pNext;
};

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static Loaded *pLoadedList = 0;

/* The session has ended: forget the connection. An entry that was not needed
** is in no list. */
static void forget(void *pArg){
  Loaded *p = (Loaded*)pArg;
  Loaded **pp;
  pthread_mutex_lock(&mutex);
  for(pp=&pLoadedList; *pp && *pp!=p; pp=&(*pp)->pNext){}
  if( *pp ) *pp = p->pNext;
  pthread_mutex_unlock(&mutex);
  sqlite3_free(p->aCall);
  sqlite3_free(p);
}

static Loaded *newLoaded(sqlite3 *db){
  Loaded *p = sqlite3_malloc64(sizeof(*p));
  if( p==0 ) return 0;
  memset(p, 0, sizeof(*p));
  p->db = db;
  p->pConn = connectionNew(db, forget, p);
  if( p->pConn==0 ){
    sqlite3_free(p);
    return 0;
  }
  p->aCall = functionsNew(p->pConn);
  if( p->aCall==0 ){
    connectionRelease(p->pConn);
    return 0;
  }
  return p;
}

/* The entry of a connection, a new one if it has none; NULL if there is no
** memory for it. The caller releases its session. */
static Loaded *remember(sqlite3 *db){
  Loaded *p, *pNew;
  pthread_mutex_lock(&mutex);
  for(p=pLoadedList; p && p->db!=db; p=p->pNext){}
  pthread_mutex_unlock(&mutex);
  if( p ){
    connectionRetain(p->pConn);
    return p;
  }
  pNew = newLoaded(db);
  if( pNew==0 ) return 0;
  pthread_mutex_lock(&mutex);
  pNew->pNext = pLoadedList;
  pLoadedList = pNew;
  pthread_mutex_unlock(&mutex);
  return pNew;
}

static int registerTables(sqlite3 *db, Connection *pConn){
  int rc = versionedtablesRegister(db);
  if( rc==SQLITE_OK ) rc = guardtabRegister(db);
  if( rc==SQLITE_OK ) rc = inspecttablesRegister(db, pConn);
  if( rc==SQLITE_OK ) rc = txnscopeRegister(connectionScope(pConn));
  return rc;
}

/* Leave nothing that points into the library. */
static void unregisterTables(sqlite3 *db){
  versionedtablesUnregister(db);
  guardtabUnregister(db);
  inspecttablesUnregister(db);
  txnscopeUnregister(db);
}

/* Register what is not yet there: the functions first, for they can be refused
** while a statement is being run that has others of their names. If *pnDone is
** 0 afterwards, nothing is. */
static int complete(sqlite3 *db, Loaded *p, int *pnDone){
  int rc = functionsRegister(db, p->aCall, &p->nFunction);
  if( rc==SQLITE_OK && !p->bTables ){
    rc = registerTables(db, p->pConn);
    p->bTables = rc==SQLITE_OK;
    if( rc!=SQLITE_OK ){
      unregisterTables(db);
      functionsUnregister(db, &p->nFunction);
    }
  }
  *pnDone = p->nFunction;
  return rc;
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
  if( sqlite3_api==0 ) sqlite3_api = pApi;     /* others may be reading it */
  pthread_mutex_unlock(&mutex);
  return bOk;
}
#endif

/*
** What every entry point runs. None of them calls another by its exported name:
** SQLite opens libraries RTLD_GLOBAL, so in a second copy of this code that
** name would lead to the first copy.
*/
static int load(
  sqlite3 *db,
  char **pzErrMsg,
  const sqlite3_api_routines *pApi
){
  Loaded *pThis;
  int rc = SQLITE_NOMEM;
  int nDone = 0;
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
  pThis = remember(db);
  if( pThis ){
    rc = complete(db, pThis, &nDone);
    connectionRelease(pThis->pConn);
  }
#ifndef SQLITE_CORE
  /* SQLite unloads the library after an error. Functions that cannot be
  ** taken away must not be left pointing nowhere: the next load completes
  ** them. If memory has run out, the statement that loads says so itself. */
  if( rc!=SQLITE_OK && nDone ) return SQLITE_OK_LOAD_PERMANENTLY;
#endif
  if( rc!=SQLITE_OK ) *pzErrMsg = sqlite3_mprintf("interlock: %s",
                                                  sqlite3_errstr(rc));
  return rc;
}

/* Load into this connection. */
INTERLOCK_API int sqlite3_interlock_init(
  sqlite3 *db,
  char **pzErrMsg,
  const sqlite3_api_routines *pApi
){
  return load(db, pzErrMsg, pApi);
}

#ifndef SQLITE_CORE
/* The same for a library whose file has another name: SQLite derives no entry
** point from the file's name if it finds this one. */
INTERLOCK_API int sqlite3_extension_init(
  sqlite3 *db,
  char **pzErrMsg,
  const sqlite3_api_routines *pApi
){
  return load(db, pzErrMsg, pApi);
}
#endif

/*
** Load into this connection, and into every one that this SQLite opens later
** in this process: for programs that open connections out of reach (a pool,
** an ORM).
*/
INTERLOCK_API int sqlite3_interlockauto_init(
  sqlite3 *db,
  char **pzErrMsg,
  const sqlite3_api_routines *pApi
){
  int rc = load(db, pzErrMsg, pApi);
  if( rc==SQLITE_OK ){
    osStay();
    rc = sqlite3_auto_extension((void(*)(void))load);
  }
  return rc;
}
