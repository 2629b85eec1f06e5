/* SPDX-License-Identifier: 0BSD */
/*
** lkformat.c: the format of the lock file must be what it was.
**
**   lkformat FOLDER       every value is as in FOLDER/format.txt: the numbers,
**                         and the bytes and the hash of the sample keys of
**                         format.c.  A value that changed is named.
**   lkformat print        the values of this build, as in that file
**   lkformat hold DB      holds an exclusive lock until its input ends
**   lkformat try DB       tries for the same lock: prints granted, held, or
**                         refused with both formats, or a LockRc
**
** test/lockbuilds.test runs hold and try of builds that differ.
*/
#include "util.h"
#include "../../ext/core/format.h"

typedef void (*Value)(const char *zName, const char *zValue);

static void number(Value x, const char *zName, u64 i){
  char z[40];
  snprintf(z, sizeof z, "%llu", (unsigned long long)i);
  x(zName, z);
}
#define NUMBER(name) number(x, #name, (u64)(name))

static void numbers(Value x){
  u32 e;
  char z[60];
  NUMBER(SEG_FORMAT);
  NUMBER(OS_NUMBER_BASE);
  NUMBER(LIMIT_SESSION);
  NUMBER(LIMIT_EXTENT);
  NUMBER(LIMIT_EXTENTS);
  NUMBER(LIMIT_KEY);
#define X(name) NUMBER(name);
  LOCK_MODE_LIST(X)
#undef X
  for(e=0; e<LOCK_MODES; e++){
    snprintf(z, sizeof z, "conflicts of mode %u", e);
    number(x, z, keyConflicts(e));
  }
  NUMBER(KEY_INTEGER);
  NUMBER(KEY_PAIR);
  NUMBER(KEY_TEXT);
  NUMBER(KEY_BLOB);
  NUMBER(KEY_NAME);
  NUMBER(KEY_ROW);
  NUMBER(KEY_TABLE);
  NUMBER(KEY_TURN);
  NUMBER(KEY_SEMAPHORE);
  NUMBER(KEY_LISTEN);
  NUMBER(KEY_NOTIFY);
  NUMBER(SEG_FREE);
  NUMBER(SEG_WAITING);
  NUMBER(SEG_GRANTED);
  NUMBER(SEG_WITHDRAWN);
  NUMBER(SEG_CANCELLED);
  NUMBER(SEG_TEXT);
  NUMBER(SEG_UNUSED);
  NUMBER(SEG_LIVE);
  NUMBER(SEG_ENDING);
  NUMBER(MUTEX_WAITERS);
  NUMBER(MUTEX_WORK);
  NUMBER(STAT_GRANTS);
  NUMBER(STAT_SWEPT);
  NUMBER(offsetof(SegHeader, mutex));
  NUMBER(offsetof(SegHeader, freeRecord));
  NUMBER(offsetof(SegHeader, guard));
  NUMBER(offsetof(SegSession, now));
  NUMBER(offsetof(SegRecord, txnHold));
  NUMBER(keyEvent("jobs"));
  NUMBER(segBucketOf(0xdeadbeef, 3000));
}

static void samples(Value x){
  const char *zName;
  LockKey key;
  u32 i, k;
  for(i=0; (zName = formatSample(i, &key))!=0; i++){
    char z[2*LIMIT_KEY+40];
    int n = snprintf(z, sizeof z, "kind %u hash %08x bytes ", key.eKind,
                     key.iHash);
    for(k=0; k<key.nKey; k++){
      n += snprintf(z+n, sizeof z-(size_t)n, "%02x", ((u8*)key.a)[k]);
    }
    x(zName, z);
  }
}

/* The print covers all values and every field.  It is the last line, so that
** the program names the value itself first. */
static void values(Value x){
  char z[20];
  numbers(x);
  samples(x);
  snprintf(z, sizeof z, "%08x", formatPrint());
  x("print", z);
}

static void show(const char *zName, const char *z){
  printf("%s = %s\n", zName, z);
}

static char zWas[65536];
static void compare(const char *zName, const char *z){
  char zLine[1000];
  const char *zAt;
  size_t n;
  nTest++;
  snprintf(zLine, sizeof zLine, "\n%s = %s\n", zName, z);
  if( strstr(zWas, zLine) ) return;
  nError++;
  snprintf(zLine, sizeof zLine, "\n%s = ", zName);
  zAt = strstr(zWas, zLine);
  n = zAt ? strlen(zLine) : 0;
  fprintf(stderr, "%s changed: it is %s, and was %.*s\n"
      "  (on purpose? raise SEG_FORMAT, and run lkformat print)\n", zName, z,
      zAt ? (int)strcspn(zAt+n, "\n") : 7, zAt ? zAt+n : "missing");
}

static int golden(const char *zFolder){
  char z[400];
  FILE *f;
  size_t n;
  if( osLayer()!='L' || LIMIT_SESSION!=4096u || *(const u8*)&(u32){1}==0 ){
    printf("lkformat: the values are those of Linux, little-endian\n");
    return 77;
  }
  snprintf(z, sizeof z, "%s/format.txt", zFolder);
  f = fopen(z, "r");
  if( f==0 ){
    fprintf(stderr, "cannot read %s\n", z);
    return 1;
  }
  zWas[0] = '\n';
  n = fread(zWas+1, 1, sizeof zWas-2, f);
  zWas[1+n] = 0;
  fclose(f);
  values(compare);
  return finish("lkformat");
}

static LockRc take(const char *zDb){
  LockKey key = keyInt(42);
  LockFile *pF = 0;
  LockSession *p = 0;
  LockRc rc = lockOpen(&sysMem, zDb, 1, &pF);
  if( rc==LOCK_OK ) rc = lockSessionBegin(pF, &p);
  return rc==LOCK_OK ? lockAcquire(p, &key, LOCK_EXCLUSIVE, 0, 0) : rc;
}

static int hold(const char *zDb){
  char c;
  LockRc rc = take(zDb);
  printf("%s\n", rc==LOCK_OK ? "holds" : "failed");
  fflush(stdout);
  while( rc==LOCK_OK && read(0, &c, 1)>0 ){}
  return rc!=LOCK_OK;
}

static void try(const char *zDb){
  LockRc rc = take(zDb);
  LockFormat a = lockFormatMet(), b = lockFormat();
  if( rc==LOCK_OK ) printf("granted\n");
  else if( rc==LOCK_NO ) printf("held\n");
  else if( rc!=LOCK_FORMAT ) printf("LockRc %d\n", rc);
  else printf("refused %u%c%s%u%c\n", a.iNumber, a.eLayer,
              a.iPrint==b.iPrint ? "=" : "|", b.iNumber, b.eLayer);
}

int main(int n, char **a){
  if( n>1 && strcmp(a[1], "print")==0 ){
    values(show);
    return 0;
  }
  if( n>2 && strcmp(a[1], "hold")==0 ) return hold(a[2]);
  if( n>2 && strcmp(a[1], "try")==0 ){
    try(a[2]);
    return 0;
  }
  return golden(n>1 ? a[1] : "test/core");
}
