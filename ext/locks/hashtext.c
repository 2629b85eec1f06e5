/* SPDX-License-Identifier: 0BSD */
/*
** PostgreSQL's hash of a text. It is Bob Jenkins' hash of 2006, "lookup3", in
** its form for little-endian machines, with the seed that PostgreSQL gives it.
*/
#include "locks/hashtext.h"

#define HASH_SEED 0x9e3779b9u
#define HASH_SALT 3923095u

static uint32_t hashRotate(uint32_t x, int n){ return (x<<n) | (x>>(32-n)); }

/* Up to four bytes as a number, the first one lowest. A missing byte is 0. */
static uint32_t hashWord(const unsigned char *z, uint32_t n){
  uint32_t x = 0, i;
  for(i=0; i<4 && i<n; i++) x |= (uint32_t)z[i]<<(8*i);
  return x;
}

static void hashMix(uint32_t *a, uint32_t *b, uint32_t *c){
  static const int aBit[] = { 4, 6, 8, 16, 19, 4 };
  uint32_t *t;
  int i;
  for(i=0; i<6; i++){
    *a -= *c;
    *a ^= hashRotate(*c, aBit[i]);
    *c += *b;
    t = a;
    a = b;
    b = c;
    c = t;
  }
}

static void hashFinish(uint32_t *a, uint32_t *b, uint32_t *c){
  static const int aBit[] = { 14, 11, 25, 16, 4, 14, 24 };
  uint32_t *t;
  int i;
  for(i=0; i<7; i++){
    *c ^= *b;
    *c -= hashRotate(*b, aBit[i]);
    t = c;
    c = a;
    a = b;
    b = t;
  }
}

int32_t hashtext(const unsigned char *z, uint32_t nByte){
  uint32_t a = HASH_SEED + nByte + HASH_SALT, b = a, c = a, n = nByte;
  for(; n>=12; n-=12, z+=12){
    a += hashWord(z, 4);
    b += hashWord(z+4, 4);
    c += hashWord(z+8, 4);
    hashMix(&a, &b, &c);
  }
  a += hashWord(z, n);
  if( n>4 ) b += hashWord(z+4, n-4);
  if( n>8 ) c += hashWord(z+8, n-8)<<8;   /* its lowest byte is the length's */
  hashFinish(&a, &b, &c);
  return (int32_t)c;
}
