/* SPDX-License-Identifier: 0BSD */
/*
** lkbugs.c: every seeded mistake (BUGS in base.h) must be found.  It prints by
** which program and how fast.  It runs the programs of one folder, built with
** INTERLOCK_BUGS, first without a mistake, when they must pass, and then with
** LOCK_BUG set to each number.  A program that does not end within its time has
** found nothing.
**
**   lkbugs quick FOLDER [BUG...]    until the first one finds it
**   lkbugs all FOLDER [BUG...]      what each program finds
*/
#include "util.h"

static const char *azBug[] = { "none",
#define B(n) #n,
  BUGS(B)
#undef B
};
/* lkwait goes by the clock, and a busy machine can hide a mistake from it. So
** it is run up to three times. */
static const struct { const char *z, *z1, *z2; int nTry; } aProgram[] = {
  { "lkstep", 0, 0, 1 }, { "lkmodel", "20000", "7", 1 },
  { "lkunit", "test/core", 0, 1 }, { "lkbell", 0, 0, 1 },
  { "lkwait", "20", 0, 3 }, { "lkcrash", "quick", 0, 1 }
};
enum { PROGRAMS = sizeof(aProgram)/sizeof(aProgram[0]), SECONDS_EACH = 100 };
static const char *zFolder;

/* Runs in the child.  Its output goes to fd. */
static void runProgram(int iProgram, int iBug, int fd){
  char zPath[500], zBug[20];
  snprintf(zPath, sizeof zPath, "%s/%s", zFolder, aProgram[iProgram].z);
  snprintf(zBug, sizeof zBug, "%d", iBug);
  setenv("LOCK_BUG", zBug, 1);
  setpgid(0, 0);
  dup2(fd, 1);
  dup2(fd, 2);
  execl(zPath, zPath, aProgram[iProgram].z1, aProgram[iProgram].z2, (char*)0);
  _exit(126);
}
/* The line that names what failed: an assert or a scene, or else the first. */
static void complaint(FILE *f, char *zOut, size_t n){
  char z[300];
  zOut[0] = 0;
  rewind(f);
  while( fgets(z, sizeof z, f) ){
    z[strcspn(z, "\n")] = 0;
    if( zOut[0]==0 || strstr(z, "scene failed")==z
     || strstr(z, "Assertion") ){
      snprintf(zOut, n, "%.100s", z);
    }
    if( strstr(z, "scene failed")==z || strstr(z, "Assertion") ) break;
  }
}
/* 1: the program ended with an error within its time. */
static int finds(int iProgram, int iBug, char *zOut, size_t n, double *pt){
  FILE *f = tmpfile();
  double t0 = seconds();
  int st = 0;
  pid_t pid, q = 0;
  if( f==0 ) exit(2);
  pid = fork();
  if( pid==0 ) runProgram(iProgram, iBug, fileno(f));
  while( (q = waitpid(pid, &st, WNOHANG))==0 && seconds()-t0<SECONDS_EACH ){
    restUs(1000);
  }
  if( q==0 ){
    kill(-pid, SIGKILL);          /* the group that runProgram has made */
    waitpid(pid, &st, 0);
    st = 0;
  }
  *pt = seconds()-t0;
  complaint(f, zOut, n);
  fclose(f);
  if( WIFEXITED(st) && WEXITSTATUS(st)==126 ) exit(2);
  return st!=0;
}

int main(int n, char **a){
  int iBug, i, bAll, nFound = 0;
  double t0 = seconds(), t;
  char z[300];
  if( n<3 ) return 2;
  bAll = strcmp(a[1], "all")==0;
  zFolder = a[2];
  setvbuf(stdout, 0, _IOLBF, 0);
  for(i=0; i<(bAll ? PROGRAMS : 1); i++){
    nTest++;
    if( !finds(i, 0, z, sizeof z, &t) ) continue;
    nError++;
    printf("%s fails without a mistake: %s\n", aProgram[i].z, z);
  }
  for(iBug=1; iBug<BUG_COUNT; iBug++){
    int nBy = 0, nTry;
    for(i=3; i<n && atoi(a[i])!=iBug; i++){}
    if( n>3 && i==n ) continue;
    for(i=0; i<PROGRAMS && (bAll || nBy==0); i++){
      for(nTry=aProgram[i].nTry; nTry>0; nTry--){
        if( finds(i, iBug, z, sizeof z, &t) ) break;
      }
      if( nTry==0 ) continue;
      nBy++;
      printf("%2d %-17s %-8s %6.0f ms  %s\n", iBug, azBug[iBug], aProgram[i].z,
             t*1000, z);
    }
    nTest++;
    nFound += nBy>0;
    if( nBy==0 ){
      nError++;
      printf("%2d %-17s NOT FOUND\n", iBug, azBug[iBug]);
    }
  }
  printf("lkbugs: %d found, %.1f s\n", nFound, seconds()-t0);
  return finish("lkbugs");
}
