/* SPDX-License-Identifier: 0BSD */
/*
** Templates. See template.h.
*/
#include <string.h>
#include "sqlite/template.h"
SQLITE_EXTENSION_INIT3

/* The index of the name at z in a list of names; *pn is its length. */
static int lookUp(const char *z, const char *const *az, int nName, int *pn){
  int n = 0, i;
  while( (z[n]>='a' && z[n]<='z') || z[n]=='_' ) n++;
  *pn = n;
  for(i=0; i<nName; i++){
    if( az[i][0]==z[0] && strncmp(az[i], z, (size_t)n)==0
     && az[i][n]==0 ) return i;
  }
  return -1;
}

/* Appends n bytes to the text. */
static void append(Template *t, const char *z, size_t n){
  if( t->zOut==0 || t->nOut+n+1>t->nAlloc ){
    size_t nAlloc = 2*(t->nOut + n) + 1000;
    char *zNew = sqlxAlloc(t->p, nAlloc);
    if( zNew==0 ) return;
    if( t->nOut ) memcpy(zNew, t->zOut, t->nOut);
    t->zOut = zNew;
    t->nAlloc = nAlloc;
  }
  memcpy(t->zOut+t->nOut, z, n);
  t->nOut += n;
}

/* Appends the text at z up to the next placeholder, and returns its length. If
** what was appended before ends with a blank, a blank at z is left out. */
static size_t appendPlain(Template *t, const char *z){
  int bBlank = t->nOut>0 && t->zOut[t->nOut-1]==' ' && z[0]==' ';
  size_t n = strcspn(z, "$");
  append(t, z+bBlank, n-(size_t)bBlank);
  return n;
}

/* An unknown placeholder is a mistake in sql/, and an error. */
const char *templateFill(Template *t, const char *z){
  int bSkip = 0, n, i;
  char *zText;
  t->nOut = 0;
  while( *z ){
    if( *z!='$' ){
      z += bSkip ? strcspn(z, "$") : appendPlain(t, z);
    }else if( strncmp(z, "$if(", 4)==0 ){
      i = lookUp(z+4, t->azFlag, t->nFlag, &n);
      bSkip = i<0 || !t->abFlag[i];
      z += 4 + n + 1;
    }else if( strncmp(z, "$end", 4)==0 ){
      bSkip = 0;
      z += 4;
    }else{
      i = lookUp(z+1, t->azName, t->nText, &n);
      if( i<0 || t->azText[i]==0 ){
        sqlxFail(t->p, SQLITE_INTERNAL, "sql: unknown $%.*s", n, z+1);
      }else if( !bSkip ){
        append(t, t->azText[i], strlen(t->azText[i]));
      }
      z += 1 + n;
    }
  }
  zText = sqlxAlloc(t->p, t->nOut + 1);
  if( zText==0 ) return "";
  if( t->nOut ) memcpy(zText, t->zOut, t->nOut);
  return zText;
}
