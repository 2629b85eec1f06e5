/* SPDX-License-Identifier: 0BSD */
/*
** Ways to take an exclusive lock on a number: Interlock, what the kernel has,
** rows that stand for locks, and servers. Each is used by its own connection or
** descriptor in each process.
*/
#ifndef CONTENDER_H
#define CONTENDER_H

typedef struct Contender Contender;
struct Contender {
  const char *zName;
  const char *zVariable;        /* says where its server is; NULL: none */
  void *(*xOpen)(void);
  void (*xLock)(void *p, int iKey);      /* waits */
  void (*xUnlock)(void *p, int iKey);
  int bRetries;                 /* a waiter asks again and again */
  int msTakeover;               /* a dead holder's lock is free after this time
                                ** of its own; 0: as soon as it is noticed */
};
extern const Contender contenderAll[];   /* the last one has no name */

/* Keys are from 0 to this. */
#define CONTENDER_KEYS 1000

/* Deletes what earlier runs have left, and makes the files that contenders
** share. Call it once, before any of them is opened. */
void contenderPrepare(void);

/* Whether what it needs is there. Prints which server is missing if not. */
int contenderIsHere(const Contender *p);

/* Set in a process that is going to be killed, before it connects: locks that
** only time frees get the shortest sensible time, instead of ten minutes. */
extern int contenderDies;

#endif /* CONTENDER_H */
