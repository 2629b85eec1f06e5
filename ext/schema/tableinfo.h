/* SPDX-License-Identifier: 0BSD */
/*
** What a table looks like: its columns, its key, and every way in which one row
** can stand in the way of another (the rowid, the PRIMARY KEY, each UNIQUE
** index). It is read from the schema. Nothing is written.
**
** The key of a row is what identifies it for users: the INTEGER PRIMARY KEY,
** the declared PRIMARY KEY, or the rowid if neither is declared. All memory
** belongs to the request (sqlx.h).
*/
#ifndef INTERLOCK_TABLEINFO_H
#define INTERLOCK_TABLEINFO_H

#include "sqlite/sqlx.h"

typedef struct TableInfoColumn TableInfoColumn;
typedef struct TableInfoTerm TableInfoTerm;
typedef struct TableInfoPath TableInfoPath;
typedef struct TableInfoItem TableInfoItem;
typedef struct TableInfoList TableInfoList;
typedef struct TableInfoSchema TableInfoSchema;
typedef struct TableInfo TableInfo;

struct TableInfoColumn {
  const char *zName;
  const char *zType;     /* as it was declared, "" for none */
  const char *zAffinity; /* INTEGER, TEXT, NUMERIC, REAL or "" for none */
  const char *zColl;     /* declared collation */
  const char *zDefault;  /* text of the default, NULL if there is none. Like all
                         ** texts of the schema here it has no comments */
  int bNotNull;
  int bKey;              /* part of a declared PRIMARY KEY */
  int bGenerated;
  const char *zGenerated;/* text of its expression; NULL if it is not generated,
                         ** or if the text was not found */
};

struct TableInfoTerm {
  int iCol;              /* index into aCol, or -1: zExpr */
  const char *zExpr;     /* text of an expression over the columns, or NULL */
  const char *zColl;     /* collation by which the index compares */
};

/* A way in which rows exclude one another: they are equal in every term and,
** for a partial index, both meet zWhere. */
struct TableInfoPath {
  const char *zIndex;
  int nTerm;
  TableInfoTerm *aTerm;
  const char *zWhere;    /* text of a partial index's condition, or NULL */
};

/* What sqlite_master says of a schema: the users' triggers in the order in
** which they were made, then Interlock's, then everything else, both in order
** of name. A caller that looks at many tables reads it once. */
struct TableInfoItem {
  int iMade;             /* its place in sqlite_master: the smaller is older */
  const char *zType;
  const char *zName;
  const char *zTable;
  const char *zSql;      /* NULL for an automatic index */
  sqlite3_int64 iRow;    /* the rowid of its row */
};

struct TableInfoList {
  int n;
  int nUser;             /* how many users' triggers are at the beginning */
  int nTrigger;          /* how many triggers there are in all */
  int bFail;             /* the text of a user's trigger has FAIL in it */
  TableInfoItem *a;
};

/* The list of one of several schemas. It is read when it is first needed. */
struct TableInfoSchema {
  const char *zSchema;   /* NULL: the end of an array */
  int bRead;
  TableInfoList list;
};

struct TableInfo {
  const TableInfoList *pList;  /* of its schema; NULL: sqlite_master is read */
  const char *zSchema;   /* main, temp or the name of an attached file */
  const char *zName;     /* as the schema spells it */
  const char *zSql;      /* its CREATE TABLE statement */
  sqlite3_int64 iRow;    /* the rowid of its row in sqlite_master; 0 if
                         ** tableinfoExists() has found it */
  int nCol;
  TableInfoColumn *aCol;
  const char *zRowid;    /* how SQL names the rowid, quoted if it is a column;
                         ** NULL: the table is WITHOUT ROWID, or columns have
                         ** all names of the rowid */
  const char *zReserved; /* a column that is about to be added, or NULL */
  int bWithoutRowid;
  int bRowidKey;         /* the rowid is the key */
  int bDeclaredKey;      /* a PRIMARY KEY of some kind was declared */
  TableInfoPath key;         /* the declared key; no terms if bRowidKey */
  int nPath;
  TableInfoPath *aPath;      /* UNIQUE indexes other than the PRIMARY KEY's */
};

int tableinfoFind(Sqlx *p, TableInfoSchema *aAll, const char *zTable,
                  TableInfo *pInfo);
TableInfoSchema *tableinfoSchemas(Sqlx *p);
int tableinfoLook(Sqlx *p, TableInfoSchema *aAll, const char *zTable,
                  TableInfo *pInfo);
int tableinfoIsOrdinary(Sqlx *p, const char *zSchema, const char *zName);
int tableinfoOwn(Sqlx *p, const char *zSchema, const char *zName);
int tableinfoOwnWritten(Sqlx *p, const char *zSchema, const char *zName);
int tableinfoIsNamed(Sqlx *p, const char *zTable, const char *zSchema,
                     const char *zName);
int tableinfoExists(const TableInfoList *pList, const char *zSchema,
                    const char *zName, TableInfo *pInfo);
void tableinfoList(Sqlx *p, const char *zSchema, TableInfoList *pList);
void tableinfoTriggers(Sqlx *p, const TableInfo *pInfo, TableInfoList *pList);
const TableInfoItem *tableinfoNumbered(const TableInfoList *pList,
                                       const char *zNumber, int *pn);
const char *tableinfoText(Sqlx *p, const TableInfo *pInfo, const char *zType,
                          const char *zName);
void tableinfoRead(Sqlx *p, TableInfo *pInfo);
void tableinfoReserve(Sqlx *p, TableInfo *pInfo, const char *zColumn);
const char *tableinfoUnquote(Sqlx *p, const char *z);
void tableinfoSplit(Sqlx *p, const char *zTable, const char **pzSchema,
                    const char **pzName);
int tableinfoHasText(const char *z, const char *zPart);
const char *tableinfoAffinity(const char *zType, int bStrict);
int tableinfoColumn(const TableInfo *pInfo, const char *zName);
/* The names of the rowid where no column is called so: number i, from 0 on;
** NULL after the last. */
const char *tableinfoRowidName(int i);
int tableinfoIsAutoincrement(const TableInfo *pInfo);
int tableinfoPathMentions(const TableInfo *pInfo, const TableInfoPath *pPath,
                          int iCol);

#endif
