/* SPDX-License-Identifier: 0BSD */
/*
** What the programs of tool/bench/ share: their arguments, helpers over SQLite,
** clocks, statistics, processes that begin together, and figures, which are
** printed and, with -o, added to a file as lines of JSON.
**
**   PROGRAM EXTENSION FOLDER [OPTION VALUE]... [NAME...]
**
**   -o FILE    where the lines of JSON go
**   -r N       repetitions; -n and others are each program's own
**   NAME       the parts to run; without one, all
**
** `PROGRAM -list` prints the parts that it has and its own options.
**
** Interleaved rounds are the program's own loop: for each repetition, every
** side once, and then the median of the repetitions.
*/
#ifndef RUNNER_H
#define RUNNER_H

#include <sqlite3.h>
#include <sys/types.h>

#define RUNNER_PROCESSES 64

extern const char *runnerExtension, *runnerFolder;

/* Reads the arguments. zParts has the names of all parts, zOptions the options
** that xOption takes: called for each of them, it must return 0 if it does not
** know it. Ends the program if the arguments are wrong. */
void runnerBegin(const char *zProgram, const char *zParts, const char *zOptions,
                 int (*xOption)(const char *zName, const char *zValue),
                 int argc, char **argv);

/* Whether the part is to be run. */
int runnerWants(const char *zPart);

/* -r, or nDefault if it was not given; at most nMax. */
int runnerRepetitions(int nDefault, int nMax);

/* ---- SQLite: an error ends the program -------------------------------- */

void runnerCheck(sqlite3 *db, int rc, const char *zSql);
void runnerSql(sqlite3 *db, const char *zSql);
void runnerSqlf(sqlite3 *db, const char *zFormat, ...);
sqlite3_stmt *runnerPrepare(sqlite3 *db, const char *zSql);
void runnerOnce(sqlite3_stmt *pStmt);
sqlite3_int64 runnerInt(sqlite3 *db, const char *zSql);

/* Opens FOLDER/zFile.db, or a database in memory if zFile is NULL. */
sqlite3 *runnerOpen(const char *zFile);
void runnerLoad(sqlite3 *db, const char *zExtension);
sqlite3 *runnerOpenLoaded(const char *zFile);

/* Deletes FOLDER/zFile.db with what is beside it. */
void runnerRemove(const char *zFile);

/* ---- clocks, in seconds ----------------------------------------------- */

double runnerNow(void);
double runnerCpu(void);          /* of this process */
double runnerThreadCpu(void);
void runnerRest(double s);
void runnerSpin(double s);

/* ---- statistics ------------------------------------------------------- */

/* Both sort a. x is from 0 to 1. */
double runnerMedian(double *a, int n);
double runnerQuantile(double *a, int n, double x);

/* ---- processes -------------------------------------------------------- */

/* Memory that this process and those that it starts share. */
void *runnerShare(size_t nByte);

/* Starts n processes which run x(i, pArg), lets them go when each has called
** runnerReady(), sets the flag that runnerStopped() returns after s seconds
** (0: never), and waits for their end. One that fails ends the program. */
void runnerTogether(int n, double s, void (*x)(int i, void *pArg), void *pArg);
void runnerReady(void);
int runnerStopped(void);

/* ---- figures ---------------------------------------------------------- */

/*
** A figure is a value of a series, of which the report makes tables and plots.
** Fields that are 0 are left out of the JSON.
*/
typedef struct Figure Figure;
struct Figure {
  const char *zPart;     /* what `make bench` calls it */
  const char *zWhat;     /* one line of a table */
  const char *zSeries;   /* what was measured beside the others, or NULL */
  const char *zUnit;     /* behind the number, or "" for a ratio */
  double value;
  double aim;            /* 0: none; the value should be at most this */
  int bAtLeast;          /* or at least this */
  int bX;                /* x counts: processes, rows and so on */
  double x;
  double p50, p99, p999, max;
  double spread;         /* (third - first quartile)/median of repetitions */
  const char *zMore;     /* at the end of the line that is printed, or NULL */
};
void runnerFigure(const Figure *p);

/* The spread of n repetitions; sorts a. */
double runnerSpread(double *a, int n);

#endif /* RUNNER_H */
