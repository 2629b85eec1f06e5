/* SPDX-License-Identifier: 0BSD */
/*
** One process adds a row and notifies a channel in a transaction, another one
** waits for the channel: how long after the beginning of COMMIT it runs, and
** what the notification adds to the transaction. tool/bench.tcl builds and runs
** it.
**
**   benchnotify EXTENSION FOLDER [-n ROUNDS] [NAME...]
**
** Times are wall-clock times, of a database in WAL mode, synchronous=NORMAL.
*/
#define _DEFAULT_SOURCE
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MAX_ROUND 100000

static const char *zExt;
static const char *zFolder;
static int nRound = 2000;

/* What the two processes share: how many notifications the waiting process has
** heard, and when it heard the last one. */
typedef struct Shared {
  volatile int nHeard;
  volatile double heard;
} Shared;
static Shared *pShared;

static double now(void){
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + (double)t.tv_nsec*1e-9;
}

static void run(sqlite3 *db, const char *zSql){
  int rc = sqlite3_exec(db, zSql, 0, 0, 0);
  if( rc==SQLITE_OK ) return;
  fprintf(stderr, "benchnotify: %s: %s\n", sqlite3_errmsg(db), zSql);
  exit(1);
}

static sqlite3 *opened(void){
  char *zPath = sqlite3_mprintf("%s/notify.db", zFolder);
  sqlite3 *db = 0;
  if( sqlite3_open(zPath, &db)!=SQLITE_OK ) exit(1);
  sqlite3_free(zPath);
  sqlite3_busy_timeout(db, 60000);
  run(db, "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL");
  sqlite3_db_config(db, SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 1, (int*)0);
  if( sqlite3_load_extension(db, zExt, 0, 0)!=SQLITE_OK ) exit(1);
  return db;
}

static void listener(void){
  sqlite3 *db = opened();
  sqlite3_stmt *pWait = 0;
  sqlite3_int64 iSeen = 0;
  if( sqlite3_prepare_v2(db, "SELECT listen_wait('job', ?1, -1)", -1, &pWait,
                         0)!=SQLITE_OK ) exit(1);
  for(;;){
    sqlite3_bind_int64(pWait, 1, iSeen);
    if( sqlite3_step(pWait)!=SQLITE_ROW ) exit(1);
    pShared->heard = now();
    iSeen = sqlite3_column_int64(pWait, 0);
    sqlite3_reset(pWait);
    __sync_fetch_and_add(&pShared->nHeard, 1);
  }
}

static int compare(const void *a, const void *b){
  double x = *(const double*)a, y = *(const double*)b;
  return x<y ? -1 : x>y;
}

/* Makes the transactions, with zNotify in each; the times of COMMIT to the
** listener, if it is notified, and of the transactions go to the arrays. */
static void transactions(sqlite3 *db, const char *zNotify, double *aWake,
                         double *aAll){
  int i;
  for(i=0; i<nRound; i++){
    int nHeard = pShared->nHeard;
    double begin, commit;
    usleep(200);                 /* the listener sleeps again */
    begin = now();
    run(db, "BEGIN");
    run(db, "INSERT INTO job DEFAULT VALUES");
    run(db, zNotify);
    commit = now();
    run(db, "COMMIT");
    aAll[i] = now() - begin;
    if( aWake==0 ) continue;
    while( pShared->nHeard==nHeard ) usleep(20);
    aWake[i] = pShared->heard - commit;
  }
}

static double microseconds(double *a, int nPercent){
  qsort(a, (size_t)nRound, sizeof(a[0]), compare);
  return a[(nRound-1)*nPercent/100]*1e6;
}

static void bench(void){
  static double aWake[MAX_ROUND], aAll[MAX_ROUND], aNone[MAX_ROUND];
  sqlite3 *db = opened();
  double median;
  pid_t pid;
  run(db, "CREATE TABLE job(id INTEGER PRIMARY KEY)");
  sqlite3_close(db);
  fflush(stdout);
  pid = fork();
  if( pid==0 ) listener();
  db = opened();
  while( pShared->nHeard==0 ) usleep(1000);
  transactions(db, "SELECT notify('job')", aWake, aAll);
  kill(pid, SIGKILL);
  waitpid(pid, 0, 0);
  transactions(db, "SELECT 1", 0, aNone);
  median = microseconds(aWake, 50);
  printf("notify       COMMIT to the woken listener: %.0f us median (aim at"
         " most 100), %.0f us p99%s\n", median, microseconds(aWake, 99),
         median<=100 ? "" : " MISSED");
  printf("notify       the transaction: %.0f us median, %.0f us without\n",
         microseconds(aAll, 50), microseconds(aNone, 50));
  sqlite3_close(db);
}

static void fresh(void){
  static const char *const azTail[] = { "", "-wal", "-shm", "-interlock" };
  size_t i;
  for(i=0; i<sizeof(azTail)/sizeof(azTail[0]); i++){
    char *z = sqlite3_mprintf("%s/notify.db%s", zFolder, azTail[i]);
    unlink(z);
    sqlite3_free(z);
  }
}

int main(int argc, char **argv){
  int bWanted, i;
  if( argc<3 ) return 2;
  zExt = argv[1];
  zFolder = argv[2];
  argc -= 3; argv += 3;
  while( argc>1 && argv[0][0]=='-' ){
    if( strcmp(argv[0], "-n")==0 ) nRound = atoi(argv[1]);
    argc -= 2; argv += 2;
  }
  bWanted = argc==0;
  for(i=0; i<argc; i++) if( strcmp(argv[i], "notify")==0 ) bWanted = 1;
  if( !bWanted ) return 0;
  if( nRound>MAX_ROUND ) nRound = MAX_ROUND;
  pShared = mmap(0, sizeof(*pShared), PROT_READ|PROT_WRITE,
                 MAP_SHARED|MAP_ANONYMOUS, -1, 0);
  if( pShared==MAP_FAILED ) return 1;
  fresh();
  bench();
  return 0;
}
