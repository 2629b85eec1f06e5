/* SPDX-License-Identifier: 0BSD */
/*
** Pieces of SQL about the rows of one table, made from its shape: what names a
** row, when two are the same, what stands in the way of a new one, and which
** columns an UPDATE has to set for that to change. Triggers are made of them.
**
** A prefix is `NEW.`, `OLD.`, `r.` or nothing. Names are always quoted, as
** ALTER TABLE ... RENAME writes them too.
*/
#ifndef INTERLOCK_CLAUSE_H
#define INTERLOCK_CLAUSE_H

#include "schema/tableinfo.h"

/* The ways by which a row can stand in NEW's way, as bits. */
#define CLAUSE_BY_KEY    1u  /* a declared key that is not the rowid */
#define CLAUSE_BY_ROWID  2u
#define CLAUSE_BY_INDEX  4u  /* a UNIQUE index */

typedef struct ClauseWay ClauseWay;

/* Conditions; "" where no row can. */
struct ClauseWay {
  const char *zAny;      /* some row stands in the way */
  const char *zOther;    /* some row that is not OLD does */
  const char *zRow;      /* row r does */
};

/* Append a separator, except before the first. */
void clauseJoin(sqlite3_str *pStr, const char *zSep);

/* The value that a column is about to get, in a BEFORE trigger. */
const char *clauseNext(Sqlx *p, const TableInfo *pInfo, int iCol);
const char *clauseKeys(Sqlx *p, const TableInfo *pInfo, const char *zPrefix);
const char *clauseKeysNext(Sqlx *p, const TableInfo *pInfo);
const char *clauseKeyWhole(Sqlx *p, const TableInfo *pInfo,
                           const char *zPrefix);
const char *clauseSameRow(Sqlx *p, const TableInfo *pInfo, const char *zA,
                          const char *zB);
const char *clauseSameKey(Sqlx *p, const TableInfo *pInfo);
const char *clauseRowIsNewKey(Sqlx *p, const TableInfo *pInfo);

void clauseInTheWay(Sqlx *p, const TableInfo *pInfo, unsigned mBy,
                    ClauseWay *pWay);

/* UPDATE OF lists. The rowid has three names beside its column's, and UPDATE
** OF compares names as text. */
#define CLAUSE_ROWID_NAMES "rowid,_rowid_,oid"

const char *clauseOfKey(Sqlx *p, const TableInfo *pInfo);
const char *clauseOfWay(Sqlx *p, const TableInfo *pInfo, unsigned mBy);

#endif
