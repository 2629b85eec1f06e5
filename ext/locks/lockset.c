/* SPDX-License-Identifier: 0BSD */
/*
** The functions that lock several keys or rows at once. See lockset.h.
**
** The keys come as a JSON array, as skip_locked returns one.
*/
#include <string.h>
#include "locks/lockset.h"
#include "locks/calloption.h"
#include "session/rowkey.h"
#include "sqlite/args.h"
SQLITE_EXTENSION_INIT3

enum { LOCKSET_LOCK = 1, LOCKSET_TRY, LOCKSET_UNLOCK };

#define LOCKSET_MAX 1000   /* keys of one call */

/* Bytes of the JSON of so many keys, each of the greatest length: JSON can have
** six bytes for one, and four beside each value and each key. */
#define LOCKSET_BYTES \
  (LOCKSET_MAX*(6*(int)LIMIT_KEY + 4*(int)KEY_VALUES + 4))

/* Each key can be a row with its table's intention lock. */
_Static_assert(2*LOCKSET_MAX<=LOCK_UNDO_MAX,
               "a set that goes back leaves nothing behind");

/* ---- the keys --------------------------------------------------------- */

/* What the function makes of its keys. */
typedef struct KeySet {
  Sqlx *x;
  Connection *pConn;
  JsonKept *pKept;           /* for arrays that are not simple */
  const RowkeyTable *pTab;   /* whose rows are named; NULL: advisory keys */
  LockKey *aKey;
  int n;
} KeySet;

/* Whether JSON of this type is a value of a key; sets an error otherwise. */
static int isKeyValue(Sqlx *x, const char *zType){
  if( strcmp(zType, "integer")==0 || strcmp(zType, "real")==0
   || strcmp(zType, "text")==0 ) return 1;
  sqlxBad(x, "a key is JSON's %s; allowed are numbers, texts and arrays of"
             " these", zType);
  return 0;
}

/* Makes one key of the values of an element. */
static void makeOneKey(KeySet *p, int nVal, sqlite3_value **apVal){
  LockKey *pKey = &p->aKey[p->n];
  int bMade = 0;
  if( p->x->rc!=SQLITE_OK ) return;
  if( p->pTab ){
    bMade = rowkeyRow(p->x, p->pTab, nVal, apVal, pKey);
  }else if( nVal<1 || nVal>2 ){
    sqlxBad(p->x, "a key has %d values; allowed are 1 and 2", nVal);
  }else{
    bMade = lockkeyArgs(p->x, nVal, apVal, pKey);
  }
  p->n += bMade;
}

/* Makes a key of an array of values. They are copied, since more of them can
** be in the array than are read at once. */
static void readArray(KeySet *p, const char *zJson){
  sqlite3_value *apVal[KEY_VALUES];
  JsonArray inner;
  Sqlx *x = p->x;
  int nVal = 0, i;
  jsonarrayBegin(&inner, x, p->pKept, zJson, "keys");
  if( inner.n>(int)KEY_VALUES ){
    sqlxBad(x, "a key has %d values; allowed are %d", inner.n,
            (int)KEY_VALUES);
  }
  for(i=0; i<inner.n && x->rc==SQLITE_OK; i++){
    const char *zType;
    sqlite3_value *pVal = jsonarrayElement(&inner, i, &zType);
    if( strcmp(zType, "array")==0 ) sqlxBad(x, "a key is an array in an array");
    if( x->rc!=SQLITE_OK || !isKeyValue(x, zType) ) break;
    apVal[nVal] = sqlite3_value_dup(pVal);
    if( apVal[nVal] ) nVal++;
    else x->rc = SQLITE_NOMEM;
  }
  jsonarrayEnd(&inner);
  makeOneKey(p, nVal, apVal);
  for(i=0; i<nVal; i++) sqlite3_value_free(apVal[i]);
}

/* Reads element i, a value or an array of them. */
static void readElement(KeySet *p, JsonArray *pArray, int i){
  const char *zType;
  sqlite3_value *pVal = jsonarrayElement(pArray, i, &zType);
  if( p->x->rc!=SQLITE_OK ) return;
  if( strcmp(zType, "array")==0 ){
    const char *zJson = (const char*)sqlite3_value_text(pVal);
    if( zJson ) readArray(p, zJson);
    else p->x->rc = SQLITE_NOMEM;
  }else if( isKeyValue(p->x, zType) ){
    makeOneKey(p, 1, &pVal);
  }
}

/* Makes the key of a simple element; 0 if that must be done by its value. */
static int makeSimple(KeySet *p, const JsonSimple *pOne, LockKey *pKey){
  if( p->pTab ){
    return pOne->z==0 && p->pTab->bRowid
        && rowkeyInteger(p->x, p->pTab, pOne->i, pKey);
  }
  if( pOne->z==0 ) return keyMake(pKey, KEY_INTEGER, &pOne->i, 8)==LOCK_OK;
  return pOne->n<=(int)LIMIT_KEY
      && keyMake(pKey, KEY_TEXT, pOne->z, (u32)pOne->n)==LOCK_OK;
}

/* Reads an array of simple elements; 0 if it is none, or with an error. */
static int readSimple(KeySet *p, const char *zJson, int nByte){
  int mx = nByte/2<LOCKSET_MAX ? nByte/2 : LOCKSET_MAX, n;
  JsonSimple *a = sqlxAlloc(p->x, (u64)mx*sizeof(*a));
  n = a ? jsonarraySimple(zJson, a, mx) : 0;
  if( n==0 ) return 0;
  p->aKey = sqlxAlloc(p->x, (u64)n*sizeof(LockKey));
  while( p->aKey && p->n<n && makeSimple(p, &a[p->n], &p->aKey[p->n]) ) p->n++;
  if( p->n==n ) return 1;
  p->n = 0;
  return 0;
}

/* Reads any array. */
static void readAny(KeySet *p, const char *zJson){
  JsonArray array;
  Sqlx *x = p->x;
  int i;
  p->pKept = connectionArrays(p->pConn, x);
  jsonarrayBegin(&array, x, p->pKept, zJson, "keys");
  if( array.n<0 ) isKeyValue(x, jsonarrayType(&array));
  if( array.n<1 || array.n>LOCKSET_MAX ){
    sqlxBad(x, "keys has %d elements; allowed are 1 to %d",
            array.n<0 ? 0 : array.n, LOCKSET_MAX);
  }
  p->aKey = sqlxAlloc(x, (u64)array.n*sizeof(LockKey));
  for(i=0; i<array.n && x->rc==SQLITE_OK; i++) readElement(p, &array, i);
  jsonarrayEnd(&array);
}

/* Reads all keys; 0 with an error. */
static int readKeys(KeySet *p, sqlite3_value *pArg){
  const char *zJson;
  int n;
  Sqlx *x = p->x;
  if( x->rc!=SQLITE_OK ) return 0;
  if( sqlite3_value_type(pArg)!=SQLITE_TEXT ){
    sqlxBad(x, "keys is %s; allowed is TEXT, a JSON array", argsType(pArg));
    return 0;
  }
  n = sqlite3_value_bytes(pArg);
  if( n>LOCKSET_BYTES ){
    sqlxBad(x, "keys has %d bytes; allowed are %d", n, LOCKSET_BYTES);
    return 0;
  }
  zJson = (const char*)sqlite3_value_text(pArg);
  if( zJson==0 ){
    x->rc = SQLITE_NOMEM;
  }else if( strlen(zJson)!=(size_t)n ){
    sqlxBad(x, "keys is cut by a NUL character; allowed is \\u0000 in a text");
  }else if( !readSimple(p, zJson, n) ){
    readAny(p, zJson);
  }
  return x->rc==SQLITE_OK;
}

/* ---- the functions ---------------------------------------------------- */

static i64 unlockSet(Connection *pConn, Sqlx *x, ConnectionRequest *pReq,
                     const KeySet *pSet){
  i64 nDone = 0;
  int i;
  for(i=0; i<pSet->n && x->rc==SQLITE_OK; i++){
    pReq->key = pSet->aKey[i];
    nDone += pSet->pTab ? connectionUnlockOf(pConn, x, pSet->pTab, pReq)
                        : connectionUnlock(pConn, x, pReq);
  }
  return nDone;
}

/* The same for an earlier table of the same name, if nothing of the set was
** locked. */
static i64 unlockEarlier(Connection *pConn, Sqlx *x, ConnectionRequest *pReq,
                         KnownTable *pTable, sqlite3_value *pKeys){
  KnownTable *pEarlier = knowntableEarlier(pTable, x);
  KeySet set;
  i64 n = 0;
  if( pEarlier==0 ) return 0;
  memset(&set, 0, sizeof(set));
  set.x = x;
  set.pConn = pConn;
  set.pTab = &pEarlier->tab;
  pReq->pTable = &pEarlier->tab.key;
  if( readKeys(&set, pKeys) ) n = unlockSet(pConn, x, pReq, &set);
  knowntableUnref(pEarlier);
  return n;
}

/* Reads the options. Returns whether as many arguments come before them. */
static int readOptions(Sqlx *x, const FunctionCall *pCall, int nArg,
                       sqlite3_value **apArg, int nWant, const char *zForm,
                       CallOptions *pOut){
  u32 mAllowed = pCall->pThis->word.eOp==LOCKSET_LOCK ? CALLOPTION_WAIT : 0;
  nArg = calloptionRead(x, pCall, nArg, apArg, mAllowed, pOut);
  return argsCount(x, nArg, nWant, nWant,
                   sqlxPrintf(x, "%s%s", pCall->pThis->zName, zForm));
}

/* Locks or unlocks a set. The result of a lock is the greatest of the fencing
** tokens, of a try 1 or 0, of an unlock how many were released. */
static void runSet(
  sqlite3_context *ctx,
  Sqlx *x,
  const CallOptions *pOptions,
  KnownTable *pTable,
  sqlite3_value *pKeys
){
  const RowkeyTable *pTab = pTable ? &pTable->tab : 0;
  const FunctionCall *pCall = sqlite3_user_data(ctx);
  const FunctionWord *pWord = &pCall->pThis->word;
  ConnectionRequest req;
  KeySet set;
  i64 iResult = 0;
  memset(&req, 0, sizeof(req));
  memset(&set, 0, sizeof(set));
  set.x = x;
  set.pConn = pCall->pConn;
  set.pTab = pTab;
  req.zName = pCall->pThis->zName;
  if( pTab ){
    req.zSchema = pTab->zSchema;
    req.pTable = &pTab->key;
  }
  req.eMode = pWord->eMode;
  req.eScope = pWord->eScope;
  req.msTimeout = pOptions->msTimeout;
  req.bTry = pWord->eOp==LOCKSET_TRY;
  if( !readKeys(&set, pKeys) ){
    iResult = 0;
  }else if( pWord->eOp==LOCKSET_UNLOCK ){
    iResult = unlockSet(pCall->pConn, x, &req, &set);
    if( iResult==0 && pTable ){
      iResult = unlockEarlier(pCall->pConn, x, &req, pTable, pKeys);
    }
    knowntableUnlocked(pTable, x, iResult);
  }else{
    iResult = connectionLockAll(pCall->pConn, x, &req, set.aKey, set.n);
    if( iResult && !req.bTry ) iResult = connectionGrantToken(pCall->pConn);
  }
  argsEndInteger(x, ctx, iResult);
}

/*
** SQL FUNCTION advisory_lock_many(keys)
** SQL FUNCTION advisory_lock_many_shared(keys)
** SQL FUNCTION advisory_xact_lock_many(keys)
** SQL FUNCTION advisory_xact_lock_many_shared(keys)
**
** Takes several advisory locks, all or none. The keys are taken in one order,
** which is the same in every process, so calls of these functions never wait
** for each other in a deadlock. advisory_lock_timeout, or the last argument
** `wait_at_most(ms)`, limits the waits for all of them together. After an error
** the session holds none that it did not hold before. A key that is named twice
** is taken once.
**
** Arguments:
**   keys  TEXT  a JSON array of 1 to 1000 keys (numbers, texts, and pairs of
**     numbers as `[7,1]`), of 1774000 bytes at most
** Result: INTEGER the greatest of the fencing tokens
** Errors:
**   `lock timeout:` SQLITE_BUSY_TIMEOUT
**   `lock wait refused:` SQLITE_BUSY
**   `deadlock detected:` SQLITE_LOCKED
**   `lock wait cancelled:` SQLITE_INTERRUPT
**   `no transaction:` SQLITE_ERROR, of the xact forms outside BEGIN
**   `lock table full:` SQLITE_ERROR
**   `lock file:` SQLITE_ERROR, SQLITE_CANTOPEN or SQLITE_BUSY
**   `forked connection:` SQLITE_ERROR
**   `bad argument:` SQLITE_ERROR
**   `transaction rolled back:` SQLITE_INTERRUPT, SQLITE_FULL, SQLITE_IOERR
** From: std::lock of C++, by order in place of tries
** Example:
**   SELECT advisory_lock_many('["a", 42, [7,1], "a"]') > 0,
**     advisory_lock_many_shared('[3]') > 0;
**   -- 1|1
**   SELECT key, mode, count FROM advisory_locks;
**   -- 3|shared|1
**   -- 42|exclusive|1
**   -- (7,1)|exclusive|1
**   -- a|exclusive|1
**   SELECT advisory_lock_many('{}');
**   -- error: bad argument: a key is JSON's object; ...
**   BEGIN;
**   SELECT advisory_xact_lock_many('[1,2]') > 0,
**     advisory_xact_lock_many_shared('[3,4]') > 0;
**   -- 1|1
**   COMMIT;
*/

/*
** SQL FUNCTION try_advisory_lock_many(keys)
** SQL FUNCTION try_advisory_lock_many_shared(keys)
** SQL FUNCTION try_advisory_xact_lock_many(keys)
** SQL FUNCTION try_advisory_xact_lock_many_shared(keys)
**
** Takes several advisory locks if all are free, and none otherwise. The
** function never waits.
**
** Arguments:
**   keys  TEXT  as of advisory_lock_many
** Result: INTEGER 1 if all are held now, 0 if not
** Errors:
**   `no transaction:` SQLITE_ERROR, of the xact forms outside BEGIN
**   `lock table full:` SQLITE_ERROR
**   `lock file:` SQLITE_ERROR, SQLITE_CANTOPEN or SQLITE_BUSY
**   `forked connection:` SQLITE_ERROR
**   `bad argument:` SQLITE_ERROR
**   `transaction rolled back:` SQLITE_INTERRUPT, SQLITE_FULL, SQLITE_IOERR
** From: std::try_lock of C++
** Example:
**   SELECT try_advisory_lock_many('[1,2]'),
**     try_advisory_lock_many_shared('[1,3]');
**   -- 1|1
**   BEGIN;
**   SELECT try_advisory_xact_lock_many('[1,2]'),
**     try_advisory_xact_lock_many_shared('[1,3]');
**   -- 1|1
**   COMMIT;
*/

/*
** SQL FUNCTION advisory_unlock_many(keys)
** SQL FUNCTION advisory_unlock_many_shared(keys)
**
** Releases one hold of session scope of each key. The keys need not be those of
** one call.
**
** Arguments:
**   keys  TEXT  as of advisory_lock_many
** Result: INTEGER how many holds were released
** Errors:
**   `lock file:` SQLITE_ERROR or SQLITE_BUSY
**   `forked connection:` SQLITE_ERROR
**   `bad argument:` SQLITE_ERROR
** From: advisory_unlock
** Example:
**   SELECT try_advisory_lock_many('[1,2]'), advisory_unlock_many('[2,3]');
**   -- 1|1
**   SELECT advisory_unlock_many_shared('[1]');
**   -- 0
*/
static void keysFunc(sqlite3_context *ctx, int nArg, sqlite3_value **apArg){
  CallOptions options;
  Sqlx x;
  sqlxBegin(&x, sqlite3_context_db_handle(ctx));
  readOptions(&x, sqlite3_user_data(ctx), nArg, apArg, 1, "(keys)", &options);
  runSet(ctx, &x, &options, 0, nArg ? apArg[0] : 0);
}

/*
** SQL FUNCTION row_lock_many(table, keys)
** SQL FUNCTION row_lock_many_shared(table, keys)
** SQL FUNCTION row_xact_lock_many(table, keys)
** SQL FUNCTION row_xact_lock_many_shared(table, keys)
**
** Locks several rows of a table, all or none, as advisory_lock_many does with
** keys. `BEGIN; SELECT row_xact_lock_many('account', '[1,2]'), write_turn();`
** begins a transfer that meets no deadlock.
**
** Arguments:
**   table  TEXT  name, or schema.name
**   keys   TEXT  a JSON array of 1 to 1000 keys, as skip_locked returns one: of
**     a key of several columns an array of their values; 1774000 bytes at most
** Result: INTEGER the greatest of the fencing tokens
** Errors:
**   `lock timeout:` SQLITE_BUSY_TIMEOUT
**   `lock wait refused:` SQLITE_BUSY
**   `deadlock detected:` SQLITE_LOCKED
**   `lock wait cancelled:` SQLITE_INTERRUPT
**   `no transaction:` SQLITE_ERROR, of the xact forms outside BEGIN
**   `lock table full:` SQLITE_ERROR
**   `lock file:` SQLITE_ERROR, SQLITE_CANTOPEN or SQLITE_BUSY
**   `forked connection:` SQLITE_ERROR
**   `bad argument:` SQLITE_ERROR
**   `transaction rolled back:` SQLITE_INTERRUPT, SQLITE_FULL, SQLITE_IOERR
** From: SELECT ... WHERE id IN (...) ORDER BY id FOR UPDATE
** Example:
**   CREATE TABLE account(id INTEGER PRIMARY KEY, balance INT);
**   CREATE TABLE seat(train TEXT, no INT, PRIMARY KEY(train, no));
**   SELECT row_lock_many('account', '[2,1]') > 0,
**     row_lock_many_shared('seat', '[["IC 7",12],["IC 7",13]]') > 0;
**   -- 1|1
**   SELECT object, key FROM advisory_locks WHERE kind = 'row';
**   -- account|1
**   -- account|2
**   -- seat|('IC 7',12)
**   -- seat|('IC 7',13)
**   BEGIN;
**   SELECT row_xact_lock_many('account', '[1,2]') > 0,
**     row_xact_lock_many_shared('account', '[3]') > 0;
**   -- 1|1
**   COMMIT;
*/

/*
** SQL FUNCTION try_row_lock_many(table, keys)
** SQL FUNCTION try_row_lock_many_shared(table, keys)
** SQL FUNCTION try_row_xact_lock_many(table, keys)
** SQL FUNCTION try_row_xact_lock_many_shared(table, keys)
**
** Locks several rows of a table if all are free, and none otherwise. The
** function never waits.
**
** Arguments:
**   table  TEXT  as of row_lock_many
**   keys   TEXT  as of row_lock_many
** Result: INTEGER 1 if all are held now, 0 if not
** Errors:
**   `lock wait refused:` SQLITE_BUSY, on an old snapshot
**   `no transaction:` SQLITE_ERROR, of the xact forms outside BEGIN
**   `lock table full:` SQLITE_ERROR
**   `lock file:` SQLITE_ERROR, SQLITE_CANTOPEN or SQLITE_BUSY
**   `forked connection:` SQLITE_ERROR
**   `bad argument:` SQLITE_ERROR
**   `transaction rolled back:` SQLITE_INTERRUPT, SQLITE_FULL, SQLITE_IOERR
** From: SELECT ... FOR UPDATE NOWAIT
** Example:
**   CREATE TABLE account(id INTEGER PRIMARY KEY, balance INT);
**   SELECT try_row_lock_many('account', '[1,2]'),
**     try_row_lock_many_shared('account', '[1,3]');
**   -- 1|1
**   BEGIN;
**   SELECT try_row_xact_lock_many('account', '[1,2]'),
**     try_row_xact_lock_many_shared('account', '[1,3]');
**   -- 1|1
**   COMMIT;
*/

/*
** SQL FUNCTION row_unlock_many(table, keys)
** SQL FUNCTION row_unlock_many_shared(table, keys)
**
** Releases one hold of session scope of each row.
**
** Arguments:
**   table  TEXT  as of row_unlock
**   keys   TEXT  as of row_lock_many
** Result: INTEGER how many holds were released
** Errors:
**   `lock file:` SQLITE_ERROR or SQLITE_BUSY
**   `forked connection:` SQLITE_ERROR
**   `bad argument:` SQLITE_ERROR
** From: row_unlock
** Example:
**   CREATE TABLE account(id INTEGER PRIMARY KEY, balance INT);
**   SELECT try_row_lock_many('account', '[1,2]'),
**     row_unlock_many('account', '[1,2,3]');
**   -- 1|2
**   SELECT row_unlock_many_shared('account', '[1]');
**   -- 0
*/
static void rowsFunc(sqlite3_context *ctx, int nArg, sqlite3_value **apArg){
  const FunctionCall *pCall = sqlite3_user_data(ctx);
  CallOptions options;
  KnownTable *p = 0;
  Sqlx x;
  sqlxBegin(&x, sqlite3_context_db_handle(ctx));
  if( readOptions(&x, pCall, nArg, apArg, 2, "(table, keys)", &options) ){
    KnownTables *pTables = connectionTables(pCall->pConn);
    const char *z = argsText(&x, apArg[0], "table");
    p = pCall->pThis->word.eOp==LOCKSET_UNLOCK
      ? knowntableRefUnlock(pTables, &x, z, 1)
      : knowntableRef(pTables, &x, z, 1);
  }
  runSet(ctx, &x, &options, p, nArg>1 ? apArg[1] : 0);
  knowntableUnref(p);
}

/* The six pairs of functions of one kind. */
#define SET_SES LOCK_SCOPE_SESSION
#define SET_TXN LOCK_SCOPE_TRANSACTION
#define SET_PAIR(zName, xFunc, eOp, eScope) \
  { zName, FUNCTION_ANY, xFunc, { eOp, LOCK_EXCLUSIVE, eScope, 0 } }, \
  { zName "_shared", FUNCTION_ANY, xFunc, { eOp, LOCK_SHARED, eScope, 0 } }

static const Function aLockset[] = {
  SET_PAIR("advisory_lock_many", keysFunc, LOCKSET_LOCK, SET_SES),
  SET_PAIR("advisory_xact_lock_many", keysFunc, LOCKSET_LOCK, SET_TXN),
  SET_PAIR("try_advisory_lock_many", keysFunc, LOCKSET_TRY, SET_SES),
  SET_PAIR("try_advisory_xact_lock_many", keysFunc, LOCKSET_TRY, SET_TXN),
  SET_PAIR("advisory_unlock_many", keysFunc, LOCKSET_UNLOCK, SET_SES),
  SET_PAIR("row_lock_many", rowsFunc, LOCKSET_LOCK, SET_SES),
  SET_PAIR("row_xact_lock_many", rowsFunc, LOCKSET_LOCK, SET_TXN),
  SET_PAIR("try_row_lock_many", rowsFunc, LOCKSET_TRY, SET_SES),
  SET_PAIR("try_row_xact_lock_many", rowsFunc, LOCKSET_TRY, SET_TXN),
  SET_PAIR("row_unlock_many", rowsFunc, LOCKSET_UNLOCK, SET_SES),
};

FunctionList locksetFunctions(void){
  FunctionList t = { aLockset, sizeof(aLockset)/sizeof(aLockset[0]) };
  return t;
}
