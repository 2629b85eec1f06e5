/* SPDX-License-Identifier: 0BSD */
/*
** The entry points, which SQLite calls to load the extension.
**
** Loading writes nothing, reads no schema and uses none of the application's
** hooks. Each connection is in a list from its first load to its end, so that a
** second load finds it. Functions must not be registered again: that would end
** their first registration, and with it the locks that the connection holds.
**
** The list belongs to this copy of the code in the process. It is guarded by a
** mutex, and no function of SQLite is called while that is held. A connection
** that another copy serves is left to that copy.
*/
#include <pthread.h>
#include <string.h>
#include "functions.h"
#include "fenced/fencedtables.h"
#include "guarded/guardedtables.h"
#include "locks/inspecttables.h"
#include "locks/leasetables.h"
#include "core/os.h"
#include "session/txnscope.h"
#include "versioned/logtable.h"
#include "versioned/versionedtables.h"
SQLITE_EXTENSION_INIT1

#define INTERLOCK_API __attribute__((visibility("default")))

#define OLDEST_NUMBER 3034000
#define OLDEST_TEXT "3.34.0"

/* A connection that has loaded the extension. */
typedef struct Loaded Loaded;
struct Loaded {
  sqlite3 *db;
  int nFunction;         /* functions registered; after a failed load fewer */
  int bTables;           /* the virtual tables are registered */
  Connection *pConn;
  FunctionCall *aCall;   /* user data of the functions */
  Loaded *pNext;
};

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static Loaded *pLoadedList = 0;

/* Called when the Connection has ended. An entry that newLoaded() has not
** finished is not in the list. */
static void unlist(void *pArg){
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
  p->pConn = connectionNew(db, unlist, p);
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

/* The entry of a connection in the list, or NULL. The caller must release its
** Connection. */
static Loaded *findLoaded(sqlite3 *db){
  Loaded *p;
  pthread_mutex_lock(&mutex);
  for(p=pLoadedList; p && p->db!=db; p=p->pNext){}
  pthread_mutex_unlock(&mutex);
  if( p ) connectionRetain(p->pConn);
  return p;
}

/* Makes an entry and puts it into the list; NULL if memory has run out. The
** caller must release its Connection. */
static Loaded *addLoaded(sqlite3 *db){
  Loaded *p = newLoaded(db);
  if( p==0 ) return 0;
  pthread_mutex_lock(&mutex);
  p->pNext = pLoadedList;
  pLoadedList = p;
  pthread_mutex_unlock(&mutex);
  return p;
}

#define A_FUNCTION "interlock_version"

#define DONT_LOG_NUMBER 3048000    /* the first SQLite with the flag */

/* Whether SQLite lists the function; -1 if it does not say. It then also lists
** no function of its own. */
static int listsFunction(sqlite3 *db){
  sqlite3_stmt *pStmt = 0;
  int rc = sqlite3_prepare_v2(db, "PRAGMA function_list", -1, &pStmt, 0);
  int bFound = 0, nListed = 0;
  while( rc==SQLITE_OK && !bFound && sqlite3_step(pStmt)==SQLITE_ROW ){
    const char *z = (const char*)sqlite3_column_text(pStmt, 0);
    bFound = z && strcmp(z, A_FUNCTION)==0;
    nListed++;
  }
  if( sqlite3_finalize(pStmt)!=SQLITE_OK || nListed==0 ) return -1;
  return bFound;
}

/* Whether a statement that calls the function can be compiled. It is not run.
** SQLite from 3.41 on compiles no SELECT before it has read the schema, which
** loading must not do. An authorizer is asked about a function that there is.
** SQLite returns SQLITE_ERROR for its denial, too. */
static int compilesFunction(sqlite3 *db){
  static const char zSql[] = "VACUUM INTO " A_FUNCTION "()";
  static const char zDenied[] = "not authorized";
  sqlite3_stmt *pStmt = 0;
  int rc = sqlite3_prepare_v3(db, zSql, -1, PREPARE_DONT_LOG, &pStmt, 0);
  int bFound = rc==SQLITE_OK || rc==SQLITE_AUTH
      || strncmp(sqlite3_errmsg(db), zDenied, sizeof(zDenied)-1)==0;
  sqlite3_finalize(pStmt);
  return bFound;
}

/*
** Whether a connection has Interlock's functions. If it is not in the list,
** another copy of the code has registered them. SQLite before 3.48 writes an
** error of a statement that cannot be compiled into the program's log, so it is
** asked for a list. An error would stay that of the connection, and
** sqlite3_open() would return it: compiling nothing clears it.
*/
static int isServed(sqlite3 *db){
  sqlite3_stmt *pStmt = 0;
  int bServed = -1;
  if( sqlite3_libversion_number()<DONT_LOG_NUMBER ) bServed = listsFunction(db);
  if( bServed<0 ) bServed = compilesFunction(db);
  if( !bServed ) sqlite3_prepare_v2(db, "", -1, &pStmt, 0);
  return bServed;
}

static int registerTables(sqlite3 *db, Connection *pConn){
  int rc = versionedtablesRegister(db);
  if( rc==SQLITE_OK ) rc = logtableRegister(db);
  if( rc==SQLITE_OK ) rc = guardedtablesRegister(db);
  if( rc==SQLITE_OK ) rc = fencedtablesRegister(db);
  if( rc==SQLITE_OK ) rc = leasetablesRegister(db);
  if( rc==SQLITE_OK ) rc = inspecttablesRegister(db, pConn);
  if( rc==SQLITE_OK ) rc = txnscopeRegister(connectionScope(pConn));
  return rc;
}

/* Leaves nothing that points into the library. */
static void unregisterTables(sqlite3 *db){
  versionedtablesUnregister(db);
  logtableUnregister(db);
  guardedtablesUnregister(db);
  fencedtablesUnregister(db);
  leasetablesUnregister(db);
  inspecttablesUnregister(db);
  txnscopeUnregister(db);
}

/* Registers what is missing. The functions come first: SQLite refuses to
** replace a function while a statement is being run. If *pnDone is 0
** afterwards, nothing is registered. */
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
** Stores the API table of the SQLite that loads this copy of the code; 0 if it
** has that of another SQLite. A copy has room for one, so two SQLite libraries
** in a process (such as Python's own and apsw's) need two copies.
*/
#ifndef SQLITE_CORE
static int takeApi(const sqlite3_api_routines *pApi){
  int bOk;
  pthread_mutex_lock(&mutex);
  bOk = sqlite3_api==0 || sqlite3_api==pApi;
  if( sqlite3_api==0 ) sqlite3_api = pApi;     /* other threads may read it */
  pthread_mutex_unlock(&mutex);
  return bOk;
}
#endif

/*
** What every entry point runs. An entry point must not call another one by its
** exported name: SQLite opens libraries RTLD_GLOBAL, so in a second copy of
** this code that name can lead to the first copy.
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
  pThis = findLoaded(db);
  if( pThis==0 && isServed(db) ) return SQLITE_OK;
  if( pThis==0 ) pThis = addLoaded(db);
  if( pThis ){
    rc = complete(db, pThis, &nDone);
    connectionRelease(pThis->pConn);
  }
#ifndef SQLITE_CORE
  /* SQLite unloads the library after an error. But functions that could not be
  ** unregistered point into it, so it must stay; the next load completes it. If
  ** memory has run out, the statement that loads reports that by itself. */
  if( rc!=SQLITE_OK && nDone ) return SQLITE_OK_LOAD_PERMANENTLY;
#endif
  if( rc!=SQLITE_OK ) *pzErrMsg = sqlite3_mprintf("interlock: %s",
                                                  sqlite3_errstr(rc));
  return rc;
}

/* Loads the extension into this connection. */
INTERLOCK_API int sqlite3_interlock_init(
  sqlite3 *db,
  char **pzErrMsg,
  const sqlite3_api_routines *pApi
){
  return load(db, pzErrMsg, pApi);
}

/*
** Loads the extension into this connection, and into every one that this SQLite
** opens later in the process. It is for programs whose connections are opened
** by other code (a pool, an ORM).
*/
static int loadAuto(
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

INTERLOCK_API int sqlite3_interlockauto_init(
  sqlite3 *db,
  char **pzErrMsg,
  const sqlite3_api_routines *pApi
){
  return loadAuto(db, pzErrMsg, pApi);
}

#ifndef SQLITE_CORE
/*
** SQLite looks for an entry point of this name before it derives one from the
** name of the file, which can therefore be any. From interlockauto.so it would
** derive sqlite3_interlockauto_init, so this function does the same: a program
** that can name a file but no entry point (PHP) has no other way to that.
*/
INTERLOCK_API int sqlite3_extension_init(
  sqlite3 *db,
  char **pzErrMsg,
  const sqlite3_api_routines *pApi
){
  if( osFileNamed("interlockauto") ) return loadAuto(db, pzErrMsg, pApi);
  return load(db, pzErrMsg, pApi);
}
#endif
