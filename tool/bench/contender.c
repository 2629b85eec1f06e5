/* SPDX-License-Identifier: 0BSD */
/*
** Ways to take a lock. See contender.h.
*/
#define _GNU_SOURCE
#include "contender.h"
#include "peer.h"
#include "runner.h"
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#define RETRY_S    0.001       /* between two tries */
#define REDIS_MS   1000        /* when Redis frees the lock of a dead holder */
#define ETCD_S     2           /* the same for etcd; it takes no less */

int contenderDies;

static void stop(const char *zWhat){
  fprintf(stderr, "contender: %s\n", zWhat);
  exit(1);
}

/* ---- Interlock -------------------------------------------------------- */

typedef struct ByStatement {
  sqlite3 *db;
  sqlite3_stmt *pLock, *pUnlock;
} ByStatement;

static void *openInterlock(void){
  ByStatement *p = calloc(1, sizeof(*p));
  p->db = runnerOpenLoaded("contender");
  p->pLock = runnerPrepare(p->db, "SELECT advisory_lock(?1)");
  p->pUnlock = runnerPrepare(p->db, "SELECT advisory_unlock(?1)");
  return p;
}
static void runStatement(sqlite3_stmt *pStmt, int iKey){
  sqlite3_bind_int(pStmt, 1, iKey);
  runnerOnce(pStmt);
}
static void lockStatement(void *pArg, int iKey){
  runStatement(((ByStatement*)pArg)->pLock, iKey);
}
static void unlockStatement(void *pArg, int iKey){
  runStatement(((ByStatement*)pArg)->pUnlock, iKey);
}

/* ---- rows that stand for locks, in the same database ------------------ */

static void *openRows(void){
  ByStatement *p = calloc(1, sizeof(*p));
  p->db = runnerOpen("contender");
  sqlite3_busy_timeout(p->db, 60000);
  runnerSql(p->db, "PRAGMA synchronous=NORMAL");
  p->pLock = runnerPrepare(p->db, "INSERT OR IGNORE INTO held VALUES(?1)");
  p->pUnlock = runnerPrepare(p->db, "DELETE FROM held WHERE key = ?1");
  return p;
}
static void lockRow(void *pArg, int iKey){
  ByStatement *p = pArg;
  for(;;){
    runStatement(p->pLock, iKey);
    if( sqlite3_changes(p->db) ) return;
    runnerRest(RETRY_S);
  }
}

/* ---- files: flock, and locks of open file descriptions ---------------- */

typedef struct ByFile {
  int aFd[CONTENDER_KEYS];      /* one file a lock, for flock */
  int fd;                       /* one byte a lock */
} ByFile;

static char *filePath(int iKey){
  return sqlite3_mprintf("%s/flock-%d", runnerFolder, iKey);
}
static void *openFile(void){
  ByFile *p = calloc(1, sizeof(*p));
  char *z = filePath(CONTENDER_KEYS);
  p->fd = open(z, O_RDWR|O_CREAT, 0600);
  if( p->fd<0 ) stop("cannot open a file");
  sqlite3_free(z);
  return p;
}
/* Opens the file of a key when it is first used. */
static void lockFlock(void *pArg, int iKey){
  ByFile *p = pArg;
  if( p->aFd[iKey]==0 ){
    char *z = filePath(iKey);
    p->aFd[iKey] = open(z, O_RDWR|O_CREAT, 0600);
    if( p->aFd[iKey]<0 ) stop("cannot open a file");
    sqlite3_free(z);
  }
  if( flock(p->aFd[iKey], LOCK_EX) ) stop("flock");
}
static void unlockFlock(void *pArg, int iKey){
  if( flock(((ByFile*)pArg)->aFd[iKey], LOCK_UN) ) stop("flock");
}
static void ofd(void *pArg, int iKey, short eType){
  struct flock lock = { .l_type = eType, .l_whence = SEEK_SET, .l_start = iKey,
                        .l_len = 1 };
  if( fcntl(((ByFile*)pArg)->fd, F_OFD_SETLKW, &lock) ) stop("F_OFD_SETLKW");
}
static void lockOfd(void *p, int iKey){ ofd(p, iKey, F_WRLCK); }
static void unlockOfd(void *p, int iKey){ ofd(p, iKey, F_UNLCK); }

/* ---- a robust mutex in shared memory ---------------------------------- */

static pthread_mutex_t *aMutex;

static void makeMutexes(void){
  pthread_mutexattr_t attr;
  int i;
  aMutex = runnerShare(sizeof(aMutex[0])*CONTENDER_KEYS);
  pthread_mutexattr_init(&attr);
  pthread_mutexattr_setpshared(&attr, PTHREAD_PROCESS_SHARED);
  pthread_mutexattr_setrobust(&attr, PTHREAD_MUTEX_ROBUST);
  for(i=0; i<CONTENDER_KEYS; i++) pthread_mutex_init(&aMutex[i], &attr);
}
static void *openMutex(void){ return aMutex; }
static void lockMutex(void *pArg, int iKey){
  int rc = pthread_mutex_lock(&aMutex[iKey]);
  (void)pArg;
  if( rc==EOWNERDEAD ){
    pthread_mutex_consistent(&aMutex[iKey]);
  }else if( rc ){
    stop("pthread_mutex_lock");
  }
}
static void unlockMutex(void *pArg, int iKey){
  (void)pArg;
  pthread_mutex_unlock(&aMutex[iKey]);
}

/* ---- servers ---------------------------------------------------------- */

static void sqlFormat(Peer *p, const char *zFormat, int iKey,
                      const char *(*xSql)(Peer*, const char*)){
  char z[100];
  snprintf(z, sizeof(z), zFormat, iKey);
  xSql(p, z);
}
static void *openPostgres(void){ return peerPostgres(); }
static void lockPostgres(void *p, int iKey){
  sqlFormat(p, "SELECT pg_advisory_lock(%d)", iKey, peerPostgresSql);
}
static void unlockPostgres(void *p, int iKey){
  sqlFormat(p, "SELECT pg_advisory_unlock(%d)", iKey, peerPostgresSql);
}

static void *openMaria(void){ return peerMaria(); }
static void lockMaria(void *p, int iKey){
  sqlFormat(p, "SELECT GET_LOCK('k%d', 60)", iKey, peerMariaSql);
}
static void unlockMaria(void *p, int iKey){
  sqlFormat(p, "SELECT RELEASE_LOCK('k%d')", iKey, peerMariaSql);
}

/* The lock's value is the holder, so that only the holder deletes it. */
static void *openRedis(void){ return peerRedis(); }
static void lockRedis(void *p, int iKey){
  char zKey[20], zMe[20], zMs[20];
  snprintf(zKey, sizeof(zKey), "k%d", iKey);
  snprintf(zMe, sizeof(zMe), "%d", (int)getpid());
  snprintf(zMs, sizeof(zMs), "%d", contenderDies ? REDIS_MS : 600000);
  while( !peerRedisDo(p, "SET", zKey, zMe, "NX", "PX", zMs, (char*)0) ){
    runnerRest(RETRY_S);
  }
}
static void unlockRedis(void *p, int iKey){
  char zKey[20], zMe[20];
  snprintf(zKey, sizeof(zKey), "k%d", iKey);
  snprintf(zMe, sizeof(zMe), "%d", (int)getpid());
  peerRedisDo(p, "EVAL", "if redis.call('get',KEYS[1])==ARGV[1] then"
              " return redis.call('del',KEYS[1]) else return 0 end", "1", zKey,
              zMe, (char*)0);
}

/* A lock is a key of etcd's, which its lease deletes. */
typedef struct ByEtcd {
  Peer *pPeer;
  char zLease[40];
  char aKey[CONTENDER_KEYS][100];
} ByEtcd;

static void *openEtcd(void){
  ByEtcd *p = calloc(1, sizeof(*p));
  char z[60];
  const char *zId;
  p->pPeer = peerEtcd();
  snprintf(z, sizeof(z), "{\"TTL\":%d}", contenderDies ? ETCD_S : 600);
  zId = peerEtcdPost(p->pPeer, "/v3/lease/grant", z, "ID");
  snprintf(p->zLease, sizeof(p->zLease), "%s", zId);
  return p;
}
static void lockEtcd(void *pArg, int iKey){
  ByEtcd *p = pArg;
  char zKey[20], zName[40], z[200];
  const char *zHeld;
  snprintf(zKey, sizeof(zKey), "k%d", iKey);
  peerBase64(zKey, zName);
  snprintf(z, sizeof(z), "{\"name\":\"%s\",\"lease\":\"%s\"}", zName,
           p->zLease);
  zHeld = peerEtcdPost(p->pPeer, "/v3/lock/lock", z, "key");
  if( zHeld==0 ) stop("etcd gave no lock");
  snprintf(p->aKey[iKey], sizeof(p->aKey[iKey]), "%s", zHeld);
}
static void unlockEtcd(void *pArg, int iKey){
  ByEtcd *p = pArg;
  char z[200];
  snprintf(z, sizeof(z), "{\"key\":\"%s\"}", p->aKey[iKey]);
  peerEtcdPost(p->pPeer, "/v3/lock/unlock", z, "key");
}

/* ---- all of them ------------------------------------------------------ */

const Contender contenderAll[] = {
  { "Interlock", 0, openInterlock, lockStatement, unlockStatement, 0, 0 },
  { "robust mutex", 0, openMutex, lockMutex, unlockMutex, 0, 0 },
  { "flock", 0, openFile, lockFlock, unlockFlock, 0, 0 },
  { "fcntl OFD", 0, openFile, lockOfd, unlockOfd, 0, 0 },
  { "lock rows", 0, openRows, lockRow, unlockStatement, 1, -1 },
  { "PostgreSQL", "BENCH_POSTGRESQL", openPostgres, lockPostgres,
    unlockPostgres, 0, 0 },
  { "MariaDB", "BENCH_MARIADB", openMaria, lockMaria, unlockMaria, 0, 0 },
  { "Redis", "BENCH_REDIS", openRedis, lockRedis, unlockRedis, 1, REDIS_MS },
  { "etcd", "BENCH_ETCD", openEtcd, lockEtcd, unlockEtcd, 0, ETCD_S*1000 },
  { 0, 0, 0, 0, 0, 0, 0 }
};

void contenderPrepare(void){
  sqlite3 *db;
  runnerRemove("contender");
  db = runnerOpen("contender");
  runnerSql(db, "PRAGMA journal_mode=WAL; CREATE TABLE held(key INTEGER"
                " PRIMARY KEY)");
  sqlite3_close(db);
  makeMutexes();
  if( peerHas("BENCH_REDIS") ){
    Peer *p = peerRedis();
    peerRedisDo(p, "FLUSHALL", (char*)0);
    peerClose(p);
  }
}

int contenderIsHere(const Contender *p){
  if( p->zVariable==0 || peerHas(p->zVariable) ) return 1;
  printf("skipped: %s\n", p->zName);
  return 0;
}
