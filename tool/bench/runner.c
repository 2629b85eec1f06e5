/* SPDX-License-Identifier: 0BSD */
/*
** What the programs of tool/bench/ share. See runner.h.
*/
#define _GNU_SOURCE
#include "runner.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

const char *runnerExtension, *runnerFolder;

static const char *zMain;            /* the name of the program */
static const char *zHas;             /* the names of its parts */
static const char *zJson;            /* -o */
static int nRepeat;                  /* -r */
static int nPart;
static char **azPart;

/* What processes share: how many are ready, and whether they go and stop. */
typedef struct Flags {
  int nReady, bGo, bStop;
} Flags;
static Flags *pFlags;

/* ---- arguments -------------------------------------------------------- */

static void fail(const char *zWhat, const char *zWhich){
  fprintf(stderr, "%s: %s%s\n", zMain, zWhat, zWhich);
  exit(2);
}

/* Whether a list of words has the word. */
static int hasWord(const char *zWords, const char *zWord){
  size_t n = strlen(zWord);
  const char *z = zWords;
  while( (z = strstr(z, zWord))!=0 ){
    if( (z==zWords || z[-1]==' ') && (z[n]==' ' || z[n]==0) ) return 1;
    z += n;
  }
  return 0;
}

static void takeOption(const char *zName, const char *zValue,
                       int (*xOption)(const char*, const char*)){
  if( zValue==0 ) fail("no value for ", zName);
  if( strcmp(zName, "-o")==0 ){
    zJson = zValue;
  }else if( strcmp(zName, "-r")==0 ){
    nRepeat = atoi(zValue);
  }else if( xOption==0 || !xOption(zName, zValue) ){
    fail("unknown option ", zName);
  }
}

void runnerBegin(const char *zProgram, const char *zParts, const char *zOptions,
                 int (*xOption)(const char *zName, const char *zValue),
                 int argc, char **argv){
  int i;
  zMain = zProgram;
  zHas = zParts;
  if( argc==2 && strcmp(argv[1], "-list")==0 ){
    printf("%s\n-o -r %s\n", zParts, zOptions);
    exit(0);
  }
  if( argc<3 ) fail("EXTENSION FOLDER [OPTION VALUE]... [NAME...]", "");
  runnerExtension = argv[1];
  runnerFolder = argv[2];
  for(i=3; i<argc && argv[i][0]=='-'; i+=2){
    takeOption(argv[i], argv[i+1], xOption);
  }
  nPart = argc - i;
  azPart = argv + i;
  for(i=0; i<nPart; i++){
    if( !hasWord(zHas, azPart[i]) ) fail("unknown part ", azPart[i]);
  }
  pFlags = runnerShare(sizeof(*pFlags));
}

int runnerWants(const char *zPart){
  int i;
  if( !hasWord(zHas, zPart) ) fail("not in the list of parts: ", zPart);
  for(i=0; i<nPart; i++){
    if( strcmp(azPart[i], zPart)==0 ) return 1;
  }
  return nPart==0;
}

int runnerRepetitions(int nDefault, int nMax){
  int n = nRepeat>0 ? nRepeat : nDefault;
  return n<nMax ? n : nMax;
}

/* ---- SQLite ----------------------------------------------------------- */

void runnerCheck(sqlite3 *db, int rc, const char *zSql){
  if( rc==SQLITE_OK || rc==SQLITE_ROW || rc==SQLITE_DONE ) return;
  fprintf(stderr, "%s: %s: %s\n", zMain,
          db ? sqlite3_errmsg(db) : sqlite3_errstr(rc), zSql);
  exit(1);
}

void runnerSql(sqlite3 *db, const char *zSql){
  runnerCheck(db, sqlite3_exec(db, zSql, 0, 0, 0), zSql);
}

void runnerSqlf(sqlite3 *db, const char *zFormat, ...){
  va_list ap;
  char *z;
  va_start(ap, zFormat);
  z = sqlite3_vmprintf(zFormat, ap);
  va_end(ap);
  runnerSql(db, z);
  sqlite3_free(z);
}

sqlite3_stmt *runnerPrepare(sqlite3 *db, const char *zSql){
  sqlite3_stmt *pStmt = 0;
  runnerCheck(db, sqlite3_prepare_v2(db, zSql, -1, &pStmt, 0), zSql);
  return pStmt;
}

void runnerOnce(sqlite3_stmt *pStmt){
  sqlite3 *db = sqlite3_db_handle(pStmt);
  runnerCheck(db, sqlite3_step(pStmt), sqlite3_sql(pStmt));
  runnerCheck(db, sqlite3_reset(pStmt), sqlite3_sql(pStmt));
}

sqlite3_int64 runnerInt(sqlite3 *db, const char *zSql){
  sqlite3_stmt *pStmt = runnerPrepare(db, zSql);
  sqlite3_int64 i;
  runnerCheck(db, sqlite3_step(pStmt), zSql);
  i = sqlite3_column_int64(pStmt, 0);
  sqlite3_finalize(pStmt);
  return i;
}

sqlite3 *runnerOpen(const char *zFile){
  char *zPath = zFile ? sqlite3_mprintf("%s/%s.db", runnerFolder, zFile)
                      : sqlite3_mprintf(":memory:");
  sqlite3 *db = 0;
  runnerCheck(db, sqlite3_open(zPath, &db), zPath);
  sqlite3_free(zPath);
  return db;
}

void runnerLoad(sqlite3 *db, const char *zExtension){
  sqlite3_db_config(db, SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 1, (int*)0);
  runnerCheck(db, sqlite3_load_extension(db, zExtension, 0, 0), zExtension);
}

sqlite3 *runnerOpenLoaded(const char *zFile){
  sqlite3 *db = runnerOpen(zFile);
  runnerLoad(db, runnerExtension);
  return db;
}

void runnerRemove(const char *zFile){
  static const char *const azTail[] = { "", "-wal", "-shm", "-interlock" };
  size_t i;
  for(i=0; i<sizeof(azTail)/sizeof(azTail[0]); i++){
    char *z = sqlite3_mprintf("%s/%s.db%s", runnerFolder, zFile, azTail[i]);
    remove(z);
    sqlite3_free(z);
  }
}

/* ---- clocks ----------------------------------------------------------- */

static double clockOf(clockid_t e){
  struct timespec t;
  clock_gettime(e, &t);
  return (double)t.tv_sec + (double)t.tv_nsec*1e-9;
}
double runnerNow(void){ return clockOf(CLOCK_MONOTONIC); }
double runnerCpu(void){ return clockOf(CLOCK_PROCESS_CPUTIME_ID); }
double runnerThreadCpu(void){ return clockOf(CLOCK_THREAD_CPUTIME_ID); }

void runnerRest(double s){
  struct timespec t = { (time_t)s, (long)((s-(double)(time_t)s)*1e9) };
  nanosleep(&t, 0);
}

void runnerSpin(double s){
  double tEnd = runnerNow() + s;
  while( runnerNow()<tEnd ){}
}

/* ---- statistics ------------------------------------------------------- */

static int compare(const void *a, const void *b){
  double x = *(const double*)a, y = *(const double*)b;
  return x<y ? -1 : x>y;
}

double runnerQuantile(double *a, int n, double x){
  if( n==0 ) return 0;
  qsort(a, (size_t)n, sizeof(a[0]), compare);
  return a[(int)(x*(n-1)+0.5)];
}

double runnerMedian(double *a, int n){
  return runnerQuantile(a, n, 0.5);
}

double runnerSpread(double *a, int n){
  double median = runnerMedian(a, n);
  if( n<4 || median==0 ) return 0;
  return (runnerQuantile(a, n, 0.75) - runnerQuantile(a, n, 0.25))/median;
}

/* ---- processes -------------------------------------------------------- */

void *runnerShare(size_t nByte){
  void *p = mmap(0, nByte, PROT_READ|PROT_WRITE, MAP_SHARED|MAP_ANONYMOUS, -1,
                 0);
  if( p==MAP_FAILED ) fail("no memory", "");
  return p;
}

void runnerReady(void){
  __atomic_fetch_add(&pFlags->nReady, 1, __ATOMIC_ACQ_REL);
  while( !__atomic_load_n(&pFlags->bGo, __ATOMIC_ACQUIRE) ) runnerRest(0.0005);
}

int runnerStopped(void){
  return __atomic_load_n(&pFlags->bStop, __ATOMIC_ACQUIRE);
}

/* Waits until n processes are ready. One that has ended never will be. */
static void awaitReady(int n){
  while( __atomic_load_n(&pFlags->nReady, __ATOMIC_ACQUIRE)<n ){
    int iStatus;
    if( waitpid(-1, &iStatus, WNOHANG)>0 && iStatus ){
      fail("a process failed", "");
    }
    runnerRest(0.001);
  }
}

void runnerTogether(int n, double s, void (*x)(int i, void *pArg), void *pArg){
  int i, bFailed = 0;
  memset(pFlags, 0, sizeof(*pFlags));
  fflush(stdout);
  for(i=0; i<n; i++){
    pid_t pid = fork();
    if( pid<0 ) fail("cannot fork", "");
    if( pid==0 ){
      x(i, pArg);
      _exit(0);
    }
  }
  awaitReady(n);
  __atomic_store_n(&pFlags->bGo, 1, __ATOMIC_RELEASE);
  if( s>0 ){
    runnerRest(s);
    __atomic_store_n(&pFlags->bStop, 1, __ATOMIC_RELEASE);
  }
  while( wait(&i)>0 ) bFailed |= i;
  if( bFailed ) fail("a process failed", "");
}

/* ---- figures ---------------------------------------------------------- */

/* Whether the figure is as good as it should be. */
static int meetsAim(const Figure *p){
  return p->bAtLeast ? p->value>=p->aim : p->value<=p->aim;
}

static void printText(const Figure *p){
  double v = p->value, abs = v<0 ? -v : v;
  int nDigit = abs>=100 ? 0 : abs>=10 ? 1 : 2;
  printf("%-14s %s", p->zPart, p->zWhat);
  if( p->zSeries ) printf(", %s", p->zSeries);
  if( p->bX ) printf(", %g", p->x);
  printf(": %.*f%s", nDigit, v, p->zUnit);
  if( p->aim>0 ){
    printf(" (aim %s%g%s)%s", p->bAtLeast ? "at least " : "", p->aim,
           p->zUnit, meetsAim(p) ? "" : " MISSED");
  }
  if( p->p99>0 ) printf("  p99 %.4g", p->p99);
  if( p->max>0 ) printf("  max %.4g", p->max);
  printf("%s\n", p->zMore ? p->zMore : "");
  fflush(stdout);
}

/* The texts of figures have neither quotes nor backslashes of their own. */
static void printString(FILE *f, const char *zName, const char *z){
  if( z ) fprintf(f, ", \"%s\": \"%s\"", zName, z);
}
static void printNumber(FILE *f, const char *zName, double r, int bZero){
  if( r!=0 || bZero ) fprintf(f, ", \"%s\": %.9g", zName, r);
}

void runnerFigure(const Figure *p){
  FILE *f;
  printText(p);
  if( zJson==0 ) return;
  f = fopen(zJson, "a");
  if( f==0 ) fail("cannot write ", zJson);
  fprintf(f, "{\"program\": \"%s\"", zMain);
  printString(f, "part", p->zPart);
  printString(f, "what", p->zWhat);
  printString(f, "series", p->zSeries);
  printString(f, "unit", p->zUnit);
  printNumber(f, "x", p->x, p->bX);
  printNumber(f, "value", p->value, 1);
  printNumber(f, "aim", p->aim, 0);
  if( p->aim>0 && p->bAtLeast ) fprintf(f, ", \"at_least\": true");
  printNumber(f, "p50", p->p50, 0);
  printNumber(f, "p99", p->p99, 0);
  printNumber(f, "p999", p->p999, 0);
  printNumber(f, "max", p->max, 0);
  printNumber(f, "spread", p->spread, 0);
  fprintf(f, "}\n");
  if( fclose(f) ) fail("cannot write ", zJson);
}
