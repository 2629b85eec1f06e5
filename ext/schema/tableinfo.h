/* SPDX-License-Identifier: 0BSD */
/*
** What a table looks like: its columns, its key, and every way in which
** one row can stand in the way of another (the rowid, the PRIMARY KEY, each
** UNIQUE index). Read from the schema; nothing is written.
**
** The key of a row is what names it for the outside: the INTEGER PRIMARY
** KEY, the declared PRIMARY KEY, or the rowid if neither is declared.
** All memory belongs to the request (sqlx.h).
*/
#ifndef INTERLOCK_TABLEINFO_H
#define INTERLOCK_TABLEINFO_H

#include "sqlite/sqlx.h"

typedef struct TableInfoColumn TableInfoColumn;
typedef struct TableInfoTerm TableInfoTerm;
typedef struct TableInfoPath TableInfoPath;
typedef struct TableInfoItem TableInfoItem;
typedef struct TableInfoList TableInfoList;
typedef struct TableInfo TableInfo;

struct TableInfoColumn {
  const char *zName;
  const char *zAffinity; /* INTEGER, TEXT, NUMERIC, REAL or "" for none */
  const char *zColl;     /* declared collation */
  const char *zDefault;  /* text of the default, NULL if there is none; as all
                         ** texts here without comments */
  int bNotNull;
  int bKey;              /* part of a declared PRIMARY KEY */
  int bGenerated;
};

struct TableInfoTerm {
  int iCol;              /* index into aCol, or -1: zExpr */
  const char *zExpr;     /* text of an expression over the columns, or NULL */
  const char *zColl;     /* collation by which the index compares */
};

/* A way in which rows exclude one another: equal in every term, and, in a
** partial index, both within zWhere. */
struct TableInfoPath {
  const char *zIndex;
  int nTerm;
  TableInfoTerm *aTerm;
  const char *zWhere;    /* text of a partial index's condition, or NULL */
};

/* What sqlite_master says of a schema: the users' triggers in order of making,
** then Interlock's, then everything else, both in order of name. Read in one
** pass by who looks at many tables. */
struct TableInfoItem {
  int iMade;
  const char *zType;
  const char *zName;
  const char *zTable;
  const char *zSql;      /* NULL for an automatic index */
};

struct TableInfoList {
  int n;
  int nUser;             /* the users' triggers come first, */
  int nTrigger;          /* and Interlock's up to here */
  TableInfoItem *a;
};

struct TableInfo {
  const TableInfoList *pList;  /* of its schema, or NULL: ask sqlite_master */
  const char *zSchema;   /* main, temp or the name of an attached file */
  const char *zName;     /* as the schema spells it */
  const char *zSql;      /* its CREATE TABLE statement */
  int nCol;
  TableInfoColumn *aCol;
  const char *zRowid;    /* how SQL names the rowid, quoted where it is a
                         ** column; NULL: WITHOUT ROWID, or all names of it
                         ** are taken by columns */
  int bWithoutRowid;
  int bRowidKey;         /* the rowid is the key */
  int bDeclaredKey;      /* a PRIMARY KEY of some kind was declared */
  TableInfoPath key;         /* the declared key; no terms if bRowidKey */
  int nPath;
  TableInfoPath *aPath;      /* UNIQUE indexes other than the PRIMARY KEY's */
};

int tableinfoFind(Sqlx *p, const char *zTable, TableInfo *pInfo);
int tableinfoLook(Sqlx *p, const char *zTable, TableInfo *pInfo);
int tableinfoIsOrdinary(Sqlx *p, const char *zSchema, const char *zName);
int tableinfoOwn(Sqlx *p, const char *zSchema, const char *zName);
int tableinfoOwnWritten(Sqlx *p, const char *zSchema, const char *zName);
int tableinfoIsNamed(Sqlx *p, const char *zTable, const char *zSchema,
                 const char *zName);
int tableinfoExists(const TableInfoList *pList, const char *zSchema,
                const char *zName, TableInfo *pInfo);
void tableinfoList(Sqlx *p, const char *zSchema, TableInfoList *pList);
const TableInfoItem *tableinfoNumbered(const TableInfoList *pList,
                                       const char *zNumber,
                               int *pn);
const char *tableinfoText(Sqlx *p, const TableInfo *pInfo, const char *zType,
                      const char *zName);
void tableinfoRead(Sqlx *p, TableInfo *pInfo);
const char *tableinfoUnquote(Sqlx *p, const char *z);
void tableinfoSplit(Sqlx *p, const char *zTable, const char **pzSchema,
                const char **pzName);
const char *tableinfoAffinity(const char *zType, int bStrict);
int tableinfoColumn(const TableInfo *pInfo, const char *zName);
int tableinfoPathMentions(const TableInfo *pInfo, const TableInfoPath *pPath,
                          int iCol);

#endif
