/* SPDX-License-Identifier: 0BSD */
/*
** Clauses of SQL about the rows of one table, of which triggers are made: what
** identifies a row, when two rows are the same, which rows stand in the way of
** a new one, and which columns an UPDATE must set to change that.
**
** A prefix is `NEW.`, `OLD.`, `r.` or empty. Names are always quoted, as ALTER
** TABLE ... RENAME writes them too. After an error of the request the texts are
** of no use.
*/
#ifndef INTERLOCK_CLAUSE_H
#define INTERLOCK_CLAUSE_H

#include "schema/tableinfo.h"

/* The ways in which a row can stand in NEW's way, as bits. */
#define CLAUSE_BY_KEY    1u  /* a declared key that is not the rowid */
#define CLAUSE_BY_ROWID  2u
#define CLAUSE_BY_INDEX  4u  /* a UNIQUE index */

typedef struct ClauseWay ClauseWay;

/* Conditions; "" if no row can stand in the way. */
struct ClauseWay {
  const char *zAny;      /* some row stands in the way */
  const char *zOther;    /* some row that is not OLD stands in the way */
  const char *zRow;      /* row r stands in the way */
};

/* Appends a separator, unless the text is still empty. */
void clauseJoin(sqlite3_str *pStr, const char *zSep);

/* The columns of the key, separated by commas; the same with the values that
** they are about to get, in a BEFORE trigger. */
const char *clauseKeys(Sqlx *p, const TableInfo *pInfo, const char *zPrefix);
const char *clauseKeysNext(Sqlx *p, const TableInfo *pInfo);
/* "No column of the key is NULL"; "1" if none can be. */
const char *clauseKeyWhole(Sqlx *p, const TableInfo *pInfo,
                           const char *zPrefix);
/* "The rows with these two prefixes are the same row." */
const char *clauseSameRow(Sqlx *p, const TableInfo *pInfo, const char *zA,
                          const char *zB);
/* "NEW has OLD's key." */
const char *clauseSameKey(Sqlx *p, const TableInfo *pInfo);
/* "Row r has the key that NEW is about to get." */
const char *clauseRowIsNewKey(Sqlx *p, const TableInfo *pInfo);

/* Makes the conditions for a row that stands in NEW's way in one of the ways
** mBy. */
void clauseInTheWay(Sqlx *p, const TableInfo *pInfo, unsigned mBy,
                    ClauseWay *pWay);

/* Lists of columns for UPDATE OF. The rowid has three names beside that of its
** column, and UPDATE OF compares names as texts. */
/* Appends those of the three names that are no columns of the table. */
void clauseRowidNames(sqlite3_str *pStr, const TableInfo *pInfo);
/* The columns of the key. */
const char *clauseOfKey(Sqlx *p, const TableInfo *pInfo);
/* "OF " and every column on which one of the ways mBy depends. */
const char *clauseOfWay(Sqlx *p, const TableInfo *pInfo, unsigned mBy);

#endif
