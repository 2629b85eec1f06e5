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
#ifndef INTERLOCK_SHAPE_H
#define INTERLOCK_SHAPE_H

#include "sqlite/sqlx.h"

typedef struct ShapeColumn ShapeColumn;
typedef struct ShapeTerm ShapeTerm;
typedef struct ShapePath ShapePath;
typedef struct ShapeItem ShapeItem;
typedef struct ShapeList ShapeList;
typedef struct Shape Shape;

struct ShapeColumn {
  const char *zName;
  const char *zAffinity; /* INTEGER, TEXT, NUMERIC, REAL or "" for none */
  const char *zColl;     /* declared collation */
  const char *zDefault;  /* text of the default, NULL if there is none; as all
                         ** texts here without comments */
  int bNotNull;
  int bKey;              /* part of a declared PRIMARY KEY */
  int bGenerated;
};

struct ShapeTerm {
  int iCol;              /* index into aCol, or -1: zExpr */
  const char *zExpr;     /* text of an expression over the columns, or NULL */
  const char *zColl;     /* collation by which the index compares */
};

/* A way in which rows exclude one another: equal in every term, and, in a
** partial index, both within zWhere. */
struct ShapePath {
  const char *zIndex;
  int nTerm;
  ShapeTerm *aTerm;
  const char *zWhere;    /* text of a partial index's condition, or NULL */
};

/* What sqlite_master says of a schema: the users' triggers in order of making,
** then Interlock's, then everything else, both in order of name. Read in one
** pass by who looks at many tables. */
struct ShapeItem {
  int iMade;
  const char *zType;
  const char *zName;
  const char *zTable;
  const char *zSql;      /* NULL for an automatic index */
};

struct ShapeList {
  int n;
  int nUser;             /* the users' triggers come first, */
  int nTrigger;          /* and Interlock's up to here */
  ShapeItem *a;
};

struct Shape {
  const ShapeList *pList;  /* of its schema, or NULL: ask sqlite_master */
  const char *zSchema;   /* main, temp or the name of an attached file */
  const char *zName;     /* as the schema spells it */
  const char *zSql;      /* its CREATE TABLE statement */
  int nCol;
  ShapeColumn *aCol;
  const char *zRowid;    /* how SQL names the rowid, quoted where it is a
                         ** column; NULL: WITHOUT ROWID, or all names of it
                         ** are taken by columns */
  int bWithoutRowid;
  int bRowidKey;         /* the rowid is the key */
  int bDeclaredKey;      /* a PRIMARY KEY of some kind was declared */
  ShapePath key;         /* the declared key; no terms if bRowidKey */
  int nPath;
  ShapePath *aPath;      /* UNIQUE indexes other than the PRIMARY KEY's */
};

int shapeFind(Sqlx *p, const char *zTable, Shape *pShape);
int shapeLook(Sqlx *p, const char *zTable, Shape *pShape);
int shapeIsOrdinary(Sqlx *p, const char *zSchema, const char *zName);
int shapeOwn(Sqlx *p, const char *zSchema, const char *zName);
int shapeOwnWritten(Sqlx *p, const char *zSchema, const char *zName);
int shapeIsNamed(Sqlx *p, const char *zTable, const char *zSchema,
                 const char *zName);
int shapeExists(const ShapeList *pList, const char *zSchema,
                const char *zName, Shape *pShape);
void shapeList(Sqlx *p, const char *zSchema, ShapeList *pList);
const ShapeItem *shapeNumbered(const ShapeList *pList, const char *zNumber,
                               int *pn);
const char *shapeText(Sqlx *p, const Shape *pShape, const char *zType,
                      const char *zName);
void shapeRead(Sqlx *p, Shape *pShape);
const char *shapeUnquote(Sqlx *p, const char *z);
void shapeSplit(Sqlx *p, const char *zTable, const char **pzSchema,
                const char **pzName);
const char *shapeAffinity(const char *zType, int bStrict);
int shapeColumn(const Shape *pShape, const char *zName);
int shapePathMentions(const Shape *pShape, const ShapePath *pPath, int iCol);

#endif
