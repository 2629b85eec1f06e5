/* SPDX-License-Identifier: 0BSD */
/*
** The trigger generator. See triggers.h.
**
** A template is filled in two steps: valuesOf() makes the text of each
** placeholder once for the table, fill() puts them in. Names are always
** quoted, as ALTER TABLE ... RENAME writes them too, so that a renamed
** table or column still compares equal with a fresh generation.
*/
#include <string.h>
#include "triggers.h"
#include "token.h"
#include "sql_text.h"
SQLITE_EXTENSION_INIT3

/* The placeholders of the templates in sql/. */
typedef enum Value {
  V_TRIGGER, V_TABLE, V_SCHEMA, V_VERSION, V_LABEL, V_TOMBSTONES, V_NOW,
  V_FOLLOWS, V_REFUSE, V_LIFT, V_LIFTS,
  V_KEYS, V_KEY_COLUMNS, V_KEY_OLD, V_KEY_ROW, V_KEY_OLD_WHOLE,
  V_KEY_ROW_WHOLE, V_KEY_END, V_GREATER, V_SAME_KEY,
  V_TOMBSTONE_NEW, V_TOMBSTONE_OLD, V_TOMBSTONE_ROW, V_ROW_IS_NEW_KEY,
  V_SELF_OLD, V_SELF_NEW, V_ROW_IS_OLD,
  V_BLOCKED, V_BLOCKED_BY_OTHER, V_BLOCKER,
  V_OF_KEY, V_OF_UNIQUE, V_OF_OTHERS,
  V_COUNT
} Value;

static const char *const azValue[V_COUNT] = {
  "trigger", "table", "schema", "version", "label", "tombstones", "now",
  "follows", "refuse", "lift", "lifts",
  "keys", "key_columns", "key_old", "key_row", "key_old_whole",
  "key_row_whole", "key_end", "greater", "same_key",
  "tombstone_new", "tombstone_old", "tombstone_row", "row_is_new_key",
  "self_old", "self_new", "row_is_old",
  "blocked", "blocked_by_other", "blocker",
  "of_key", "of_unique", "of_others"
};

/* What can stand in $if(...). */
typedef enum Flag { F_NULLABLE, F_STRICT, F_TOMBSTONES, F_MARKS,
                    F_COUNT } Flag;
static const char *const azFlag[F_COUNT] = {
  "nullable", "strict", "tombstones", "marks"
};

/* The rules under which a trigger is part of the set, as bits. */
#define WHEN(mode, bIgnore)  (1u << ((mode)*2 + (bIgnore)))
#define WHEN_AUTO    (WHEN(TRIGGERS_AUTO, 0) | WHEN(TRIGGERS_AUTO, 1))
#define WHEN_STRICT  (WHEN(TRIGGERS_STRICT, 0) | WHEN(TRIGGERS_STRICT, 1))
#define WHEN_ECHO    (WHEN(TRIGGERS_ECHO, 0) | WHEN(TRIGGERS_ECHO, 1))
#define WHEN_EVER    (WHEN_AUTO | WHEN_STRICT | WHEN_ECHO)

/* The set, in the order in which it is made. Two triggers of one event and
** time never depend on each other: SQLite leaves their order open. */
static const struct {
  const char *zWhat;
  const char *zTemplate;
  unsigned mWhen;
  int iTombstones;       /* 1: only with tombstones, 0: only without; -1 */
} aTrigger[] = {
  { "check",    versioned_check_sql,    WHEN_EVER, -1 },
  { "bump",     versioned_bump_sql,
      WHEN(TRIGGERS_AUTO, 0) | WHEN(TRIGGERS_ECHO, 0), -1 },
  { "kept",     versioned_kept_sql,     WHEN(TRIGGERS_AUTO, 0), -1 },
  { "raise",    versioned_raise_sql,    WHEN(TRIGGERS_AUTO, 1) | WHEN_ECHO,
      -1 },
  { "required", versioned_required_sql, WHEN_STRICT, -1 },
  { "first",    versioned_first_sql,    WHEN_EVER, -1 },
  { "gone",     versioned_gone_sql,     WHEN_EVER, 1 },
  { "unmark",   versioned_unmark_sql,   WHEN_EVER, 0 },
  { "note",     versioned_note_sql,     WHEN_EVER, -1 },
  { "again",    versioned_again_sql,    WHEN_EVER, -1 },
  { "evict",    versioned_evict_sql,    WHEN_EVER, -1 },
  { "moved",    versioned_moved_sql,    WHEN_EVER, -1 },
};

typedef struct Gen Gen;
struct Gen {
  Sqlx *p;
  const Shape *pShape;
  const TriggersRule *pRule;
  const char *azText[V_COUNT];
  int abFlag[F_COUNT];
  char *zOut;            /* the text that is being filled, and its room */
  size_t nOut, nAlloc;
};

/* ---- pieces of SQL about one table ------------------------------------ */

/* Append a separator, except before the first. */
static void join(sqlite3_str *pStr, const char *zSep){
  if( sqlite3_str_length(pStr) ) sqlite3_str_appendall(pStr, zSep);
}

static int isNullable(const Shape *pShape, const ShapeTerm *pTerm){
  return !pShape->bWithoutRowid && !pShape->aCol[pTerm->iCol].bNotNull;
}

/* " COLLATE x" where a term compares otherwise than its column. */
static const char *collate(Gen *g, const ShapeTerm *pTerm){
  const char *zOwn = pTerm->iCol<0 ? "BINARY"
                   : g->pShape->aCol[pTerm->iCol].zColl;
  if( sqlite3_stricmp(zOwn, pTerm->zColl ? pTerm->zColl : "BINARY")==0 ){
    return "";
  }
  return sqlxPrintf(g->p, " COLLATE \"%w\"", pTerm->zColl);
}

/*
** The value that a column is about to get. Under OR REPLACE a NULL in a
** NOT NULL column becomes the default, after the BEFORE triggers have seen
** the NULL.
*/
static const char *newValue(Gen *g, int iCol){
  const ShapeColumn *pCol = &g->pShape->aCol[iCol];
  const char *z = pCol->zDefault;
  Token t;
  if( !pCol->bNotNull || z==0 ){
    return sqlxPrintf(g->p, "NEW.\"%w\"", pCol->zName);
  }
  t = tokenAt(z, z+strlen(z));
  if( t.kind==TOKEN_QUOTED && z[t.n]==0 ){
    /* A default in double quotes is a string; here it would be a name. */
    char *zString = sqlxAlloc(g->p, (sqlite3_uint64)t.n + 1);
    if( zString && tokenUnquote(&t, zString) ){
      z = sqlxPrintf(g->p, "%Q", zString);
    }
  }
  return sqlxPrintf(g->p, "ifnull(NEW.\"%w\",(%s))", pCol->zName, z);
}

/* Whether the value of an expression depends on the affinity of its columns:
** it compares something. */
static int compares(const char *zExpr){
  static const char *const az[] = {
    "IS", "IN", "BETWEEN", "CASE", "MIN", "MAX", "NULLIF"
  };
  const char *zEnd = zExpr + strlen(zExpr);
  Token t;
  size_t i;
  for(t=tokenAt(zExpr, zEnd); t.kind!=TOKEN_END; t=tokenNext(&t, zEnd)){
    if( t.kind==TOKEN_OTHER && strchr("=<>", t.z[0]) ) return 1;
    for(i=0; i<sizeof(az)/sizeof(az[0]); i++){
      if( tokenIsWord(&t, az[i]) ) return 1;
    }
  }
  return 0;
}

/*
** The same value with the affinity of its column, which NEW's has not. A
** subquery has that of the last SELECT in it, which here returns no row; its
** collation is then to be named.
*/
static const char *withAffinity(Gen *g, int iCol, const char *zValue){
  const ShapeColumn *pCol = &g->pShape->aCol[iCol];
  const char *z = sqlxPrintf(g->p, "(SELECT %s UNION ALL SELECT \"%w\""
      " FROM \"%w\" WHERE 0)", zValue, pCol->zName, g->pShape->zName);
  if( sqlite3_stricmp(pCol->zColl, "BINARY")==0 ) return z;
  return sqlxPrintf(g->p, "%s COLLATE \"%w\"", z, pCol->zColl);
}

/* An expression of an index over NEW's columns instead of a row's: evaluated
** in a subquery that gives NEW's values the names of the columns, so that
** nothing in its text needs to be rewritten. */
static const char *newExpression(Gen *g, const char *zExpr){
  const Shape *pShape = g->pShape;
  sqlite3_str *pStr = sqlite3_str_new(g->p->db);
  int bCompares = compares(zExpr);
  int i;
  for(i=0; i<pShape->nCol; i++){
    const char *zName = pShape->aCol[i].zName;
    const char *zValue;
    if( !tokenMentions(zExpr, zExpr+strlen(zExpr), zName) ) continue;
    zValue = newValue(g, i);
    if( bCompares ) zValue = withAffinity(g, i, zValue);
    join(pStr, ",");
    sqlite3_str_appendf(pStr, "%s AS \"%w\"", zValue, zName);
  }
  if( sqlite3_str_length(pStr)==0 ) sqlite3_str_appendall(pStr, "1");
  return sqlxPrintf(g->p, "(SELECT %s FROM (SELECT %s))", zExpr,
                    sqlxText(g->p, pStr));
}

/* "row r stands in NEW's way by this path" */
static const char *pathBlocks(Gen *g, const ShapePath *pPath){
  sqlite3_str *pStr = sqlite3_str_new(g->p->db);
  int i;
  for(i=0; i<pPath->nTerm; i++){
    const ShapeTerm *pTerm = &pPath->aTerm[i];
    join(pStr, " AND ");
    if( pTerm->iCol<0 ){
      sqlite3_str_appendf(pStr, "(%s)%s=%s", pTerm->zExpr, collate(g, pTerm),
                          newExpression(g, pTerm->zExpr));
    }else{
      sqlite3_str_appendf(pStr, "r.\"%w\"%s=%s",
          g->pShape->aCol[pTerm->iCol].zName, collate(g, pTerm),
          newValue(g, pTerm->iCol));
    }
  }
  if( pPath->zWhere ) sqlite3_str_appendf(pStr, " AND (%s)", pPath->zWhere);
  return sqlxText(g->p, pStr);
}

/* "a and b are the same row": zA and zB are prefixes, as NEW. or nothing. */
static const char *sameRow(Gen *g, const char *zA, const char *zB){
  const Shape *pShape = g->pShape;
  sqlite3_str *pStr;
  int i;
  if( pShape->zRowid ){
    return sqlxPrintf(g->p, "%s%s=%s%s", zA, pShape->zRowid, zB,
                      pShape->zRowid);
  }
  pStr = sqlite3_str_new(g->p->db);
  for(i=0; i<pShape->key.nTerm; i++){
    const ShapeTerm *pTerm = &pShape->key.aTerm[i];
    const char *zName = pShape->aCol[pTerm->iCol].zName;
    join(pStr, " AND ");
    sqlite3_str_appendf(pStr, "%s\"%w\"%s%s%s\"%w\"", zA, zName,
        collate(g, pTerm), isNullable(pShape, pTerm) ? " IS " : "=",
        zB, zName);
  }
  return sqlxText(g->p, pStr);
}

/* The columns of the key, each with a prefix as OLD. or nothing. */
static const char *keyList(Gen *g, const char *zPrefix){
  const Shape *pShape = g->pShape;
  sqlite3_str *pStr;
  int i;
  if( pShape->bRowidKey ){
    return sqlxPrintf(g->p, "%s%s", zPrefix, pShape->zRowid);
  }
  pStr = sqlite3_str_new(g->p->db);
  for(i=0; i<pShape->key.nTerm; i++){
    join(pStr, ",");
    sqlite3_str_appendf(pStr, "%s\"%w\"", zPrefix,
                        pShape->aCol[pShape->key.aTerm[i].iCol].zName);
  }
  return sqlxText(g->p, pStr);
}

/* "no column of the key is NULL": such a key names no row, and a tombstone
** for it would match nothing. "1" where that cannot be. */
static const char *keyWhole(Gen *g, const char *zPrefix){
  const Shape *pShape = g->pShape;
  sqlite3_str *pStr = sqlite3_str_new(g->p->db);
  int i;
  for(i=0; i<pShape->key.nTerm; i++){
    const ShapeTerm *pTerm = &pShape->key.aTerm[i];
    if( !isNullable(pShape, pTerm) ) continue;
    join(pStr, " AND ");
    sqlite3_str_appendf(pStr, "%s\"%w\" NOT NULL", zPrefix,
                        pShape->aCol[pTerm->iCol].zName);
  }
  if( sqlite3_str_length(pStr)==0 ) sqlite3_str_appendall(pStr, "1");
  return sqlxText(g->p, pStr);
}

/* "NEW has OLD's key" */
static const char *sameKey(Gen *g){
  const Shape *pShape = g->pShape;
  sqlite3_str *pStr;
  int i;
  if( pShape->bRowidKey ) return sameRow(g, "NEW.", "OLD.");
  pStr = sqlite3_str_new(g->p->db);
  for(i=0; i<pShape->key.nTerm; i++){
    const ShapeTerm *pTerm = &pShape->key.aTerm[i];
    const char *zName = pShape->aCol[pTerm->iCol].zName;
    join(pStr, " AND ");
    sqlite3_str_appendf(pStr, "NEW.\"%w\"%s IS OLD.\"%w\"", zName,
                        collate(g, pTerm), zName);
  }
  return sqlxText(g->p, pStr);
}

/* ---- the columns of the tombstones ------------------------------------ */

/* How many columns the key has. */
int triggersKeys(const Shape *pShape){
  return pShape->bRowidKey ? 1 : pShape->key.nTerm;
}

static const char *tombstoneKeys(Gen *g){
  sqlite3_str *pStr = sqlite3_str_new(g->p->db);
  int i;
  for(i=1; i<=triggersKeys(g->pShape); i++){
    join(pStr, ",");
    sqlite3_str_appendf(pStr, "k%d", i);
  }
  return sqlxText(g->p, pStr);
}

static const char *tombstoneColumns(Gen *g){
  const Shape *pShape = g->pShape;
  sqlite3_str *pStr;
  int i;
  if( pShape->bRowidKey ) return "k1 INTEGER PRIMARY KEY";
  pStr = sqlite3_str_new(g->p->db);
  for(i=0; i<pShape->key.nTerm; i++){
    const ShapeTerm *pTerm = &pShape->key.aTerm[i];
    const char *zAffinity = pShape->aCol[pTerm->iCol].zAffinity;
    join(pStr, ", ");
    sqlite3_str_appendf(pStr, "k%d %s%sNOT NULL", i+1, zAffinity,
                        zAffinity[0] ? " " : "");
    if( sqlite3_stricmp(pTerm->zColl, "BINARY")!=0 ){
      sqlite3_str_appendf(pStr, " COLLATE \"%w\"", pTerm->zColl);
    }
  }
  return sqlxText(g->p, pStr);
}

/* "this tombstone has NEW's key", or OLD's */
static const char *tombstoneIs(Gen *g, const char *zPrefix){
  const Shape *pShape = g->pShape;
  sqlite3_str *pStr;
  int i;
  if( pShape->bRowidKey ){
    return sqlxPrintf(g->p, "k1=%s%s", zPrefix, pShape->zRowid);
  }
  pStr = sqlite3_str_new(g->p->db);
  for(i=0; i<pShape->key.nTerm; i++){
    join(pStr, " AND ");
    sqlite3_str_appendf(pStr, "k%d=%s\"%w\"", i+1, zPrefix,
                        pShape->aCol[pShape->key.aTerm[i].iCol].zName);
  }
  return sqlxText(g->p, pStr);
}

/* ---- rows in the way -------------------------------------------------- */

/* Every path by which a row can stand in NEW's way, as conditions on r.
** Without tombstones only the row under NEW's own key is of interest. */
static int blockers(Gen *g, const char **azPath){
  const Shape *pShape = g->pShape;
  int n = 0, i;
  if( !pShape->bRowidKey ) azPath[n++] = pathBlocks(g, &pShape->key);
  if( n>0 && !g->pRule->bTombstones ) return n;
  if( pShape->zRowid ) azPath[n++] = sameRow(g, "r.", "NEW.");
  if( !g->pRule->bTombstones ) return n;
  for(i=0; i<pShape->nPath; i++){
    azPath[n++] = pathBlocks(g, &pShape->aPath[i]);
  }
  return n;
}

/* The three conditions that are made of them. */
static void valuesOfBlockers(Gen *g){
  Sqlx *p = g->p;
  const char **azPath = sqlxAlloc(p, sizeof(azPath[0])*(sqlite3_uint64)
                                  (g->pShape->nPath + 2));
  sqlite3_str *pAny, *pOther, *pBlocker;
  int n, i;
  if( azPath==0 ) return;
  n = blockers(g, azPath);
  pAny = sqlite3_str_new(p->db);
  pOther = sqlite3_str_new(p->db);
  pBlocker = sqlite3_str_new(p->db);
  for(i=0; i<n; i++){
    join(pAny, " OR ");
    sqlite3_str_appendf(pAny, "EXISTS(SELECT 1 FROM \"%w\" AS r WHERE %s)",
                        g->pShape->zName, azPath[i]);
    join(pOther, " OR ");
    sqlite3_str_appendf(pOther,
        "EXISTS(SELECT 1 FROM \"%w\" AS r WHERE %s AND NOT(%s))",
        g->pShape->zName, azPath[i], g->azText[V_ROW_IS_OLD]);
    join(pBlocker, " OR ");
    sqlite3_str_appendall(pBlocker, azPath[i]);
  }
  g->azText[V_BLOCKED] = sqlxText(p, pAny);
  g->azText[V_BLOCKED_BY_OTHER] = sqlxText(p, pOther);
  g->azText[V_BLOCKER] = sqlxText(p, pBlocker);
}

/* The row r has the key that NEW is about to get. */
static const char *rowIsNewKey(Gen *g){
  const Shape *pShape = g->pShape;
  if( pShape->bRowidKey ) return sameRow(g, "r.", "NEW.");
  return sqlxPrintf(g->p, "ifnull(%s,0)", pathBlocks(g, &pShape->key));
}

/* ---- UPDATE OF lists -------------------------------------------------- */

/* The rowid has three names beside its column's, and UPDATE OF compares
** names as text. */
#define ROWID_NAMES "rowid,_rowid_,oid"

static const char *ofKey(Gen *g){
  const Shape *pShape = g->pShape;
  if( !pShape->bRowidKey ) return keyList(g, "");
  if( !pShape->bDeclaredKey ) return ROWID_NAMES;
  return sqlxPrintf(g->p, "%s," ROWID_NAMES, pShape->zRowid);
}

/* Every column that a path depends on, or nothing, which is all columns,
** where one of them is generated: SQLite names what a statement sets. */
static const char *ofUnique(Gen *g){
  const Shape *pShape = g->pShape;
  sqlite3_str *pStr = sqlite3_str_new(g->p->db);
  int bAll = 0, i, j;
  for(i=0; i<pShape->nCol; i++){
    const ShapeColumn *pCol = &pShape->aCol[i];
    int bPart = pCol->bKey;
    for(j=0; j<pShape->nPath && !bPart; j++){
      bPart = shapePathMentions(pShape, &pShape->aPath[j], i);
    }
    if( !bPart ) continue;
    if( pCol->bGenerated ) bAll = 1;
    join(pStr, ",");
    sqlite3_str_appendf(pStr, "\"%w\"", pCol->zName);
  }
  if( !pShape->bWithoutRowid ){
    join(pStr, ",");
    sqlite3_str_appendall(pStr, ROWID_NAMES);
  }
  if( bAll ){
    sqlite3_str_reset(pStr);
    sqlxText(g->p, pStr);
    return "";
  }
  return sqlxPrintf(g->p, "OF %s", sqlxText(g->p, pStr));
}

static int isExcepted(const TriggersRule *pRule, const char *zName){
  int i;
  for(i=0; i<pRule->nExcept; i++){
    if( sqlite3_stricmp(pRule->azExcept[i], zName)==0 ) return 1;
  }
  return 0;
}

/* The columns whose change raises the version: all, and so no list, unless
** some are excepted. (A list would miss a column that is added later.) */
static const char *ofOthers(Gen *g){
  const Shape *pShape = g->pShape;
  sqlite3_str *pStr;
  int i;
  if( g->pRule->nExcept==0 ) return "";
  pStr = sqlite3_str_new(g->p->db);
  for(i=0; i<pShape->nCol; i++){
    const ShapeColumn *pCol = &pShape->aCol[i];
    if( pCol->bGenerated || isExcepted(g->pRule, pCol->zName)
     || sqlite3_stricmp(pCol->zName, g->pRule->zColumn)==0 ) continue;
    sqlite3_str_appendf(pStr, "%s\"%w\"",
        sqlite3_str_length(pStr) ? "," : "OF ", pCol->zName);
  }
  if( !pShape->bWithoutRowid ){
    sqlite3_str_appendf(pStr, "%s" ROWID_NAMES,
        sqlite3_str_length(pStr) ? "," : "OF ");
  }
  return sqlxText(g->p, pStr);
}

/* ---- what an UPDATE may carry ----------------------------------------- */

/* "nothing but the version changes", to the last bit: IS by the column's own
** collation or across INTEGER and REAL would call different values the same.
** The two meet only in a column without affinity. */
static const char *nothingElse(Gen *g){
  const Shape *pShape = g->pShape;
  sqlite3_str *pStr = sqlite3_str_new(g->p->db);
  int i;
  if( pShape->zRowid ){
    sqlite3_str_appendf(pStr, "NEW.%s=OLD.%s", pShape->zRowid,
                        pShape->zRowid);
  }
  for(i=0; i<pShape->nCol; i++){
    const ShapeColumn *pCol = &pShape->aCol[i];
    const char *zName = pCol->zName;
    if( pCol->bGenerated
     || sqlite3_stricmp(zName, g->pRule->zColumn)==0 ) continue;
    join(pStr, " AND ");
    sqlite3_str_appendf(pStr, "NEW.\"%w\" IS OLD.\"%w\"%s", zName, zName,
        sqlite3_stricmp(pCol->zColl, "BINARY")==0 ? "" : " COLLATE BINARY");
    if( pCol->zAffinity[0]==0 ){
      sqlite3_str_appendf(pStr, " AND typeof(NEW.\"%w\")=typeof(OLD.\"%w\")",
                          zName, zName);
    }
  }
  return sqlxText(g->p, pStr);
}

static const char *follows(Gen *g){
  const char *zCol = g->azText[V_VERSION];
  if( g->pRule->mode!=TRIGGERS_ECHO ){
    return sqlxPrintf(g->p, "NEW.%s IS OLD.%s+1", zCol, zCol);
  }
  return sqlxPrintf(g->p, "NEW.%s IS OLD.%s OR NEW.%s IS OLD.%s+1 AND %s",
                    zCol, zCol, zCol, zCol, nothingElse(g));
}

/* ---- templates -------------------------------------------------------- */

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

/* Append n bytes to the text that is being filled. */
static void append(Gen *g, const char *z, size_t n){
  if( g->zOut==0 || g->nOut+n+1>g->nAlloc ){
    size_t nAlloc = 2*(g->nOut + n) + 1000;
    char *zNew = sqlxAlloc(g->p, nAlloc);
    if( zNew==0 ) return;
    if( g->nOut ) memcpy(zNew, g->zOut, g->nOut);
    g->zOut = zNew;
    g->nAlloc = nAlloc;
  }
  memcpy(g->zOut+g->nOut, z, n);
  g->nOut += n;
}

/* Append what stands at z up to the next placeholder, without its first blank
** if there is one already. Returns its length. */
static size_t appendPlain(Gen *g, const char *z){
  int bBlank = g->nOut>0 && g->zOut[g->nOut-1]==' ' && z[0]==' ';
  size_t n = strcspn(z, "$");
  append(g, z+bBlank, n-(size_t)bBlank);
  return n;
}

/* Put the values into a template. $if(flag) ... $end is left out where the
** flag is not set. An unknown placeholder is a mistake in sql/. */
static const char *fill(Gen *g, const char *z){
  int bSkip = 0, n, i;
  char *zText;
  g->nOut = 0;
  while( *z ){
    if( *z!='$' ){
      z += bSkip ? strcspn(z, "$") : appendPlain(g, z);
    }else if( strncmp(z, "$if(", 4)==0 ){
      i = lookUp(z+4, azFlag, F_COUNT, &n);
      bSkip = i<0 || !g->abFlag[i];
      z += 4 + n + 1;
    }else if( strncmp(z, "$end", 4)==0 ){
      bSkip = 0;
      z += 4;
    }else{
      i = lookUp(z+1, azValue, V_COUNT, &n);
      if( i<0 || g->azText[i]==0 ){
        sqlxFail(g->p, SQLITE_INTERNAL, "sql: unknown $%.*s", n, z+1);
      }else if( !bSkip ){
        append(g, g->azText[i], strlen(g->azText[i]));
      }
      z += 1 + n;
    }
  }
  zText = sqlxAlloc(g->p, g->nOut + 1);
  if( zText==0 ) return "";
  if( g->nOut ) memcpy(zText, g->zOut, g->nOut);
  return zText;
}

/* The text of every placeholder for this table and rule. */
static void valuesOf(Gen *g){
  Sqlx *p = g->p;
  const Shape *pShape = g->pShape;
  const TriggersRule *pRule = g->pRule;
  const char **az = g->azText;
  az[V_TABLE] = sqlxPrintf(p, "\"%w\"", pShape->zName);
  az[V_SCHEMA] = sqlxPrintf(p, "\"%w\"", pShape->zSchema);
  az[V_VERSION] = sqlxPrintf(p, "\"%w\"", pRule->zColumn);
  az[V_LABEL] = pRule->zLabel;
  az[V_TOMBSTONES] = sqlxPrintf(p, "\"interlock_%w_tombstones\"",
                                pRule->zNumber);
  az[V_NOW] = TRIGGERS_NOW;
  az[V_KEYS] = tombstoneKeys(g);
  az[V_KEY_COLUMNS] = tombstoneColumns(g);
  az[V_KEY_OLD] = keyList(g, "OLD.");
  az[V_KEY_ROW] = keyList(g, "r.");
  az[V_KEY_OLD_WHOLE] = keyWhole(g, "OLD.");
  az[V_KEY_ROW_WHOLE] = keyWhole(g, "r.");
  g->abFlag[F_STRICT] = pRule->mode==TRIGGERS_STRICT;
  g->abFlag[F_TOMBSTONES] = pRule->bTombstones;
  g->abFlag[F_MARKS] = g->abFlag[F_STRICT] || !pRule->bTombstones;
  g->abFlag[F_NULLABLE] = strcmp(az[V_KEY_OLD_WHOLE], "1")!=0;
  az[V_KEY_END] = pShape->bRowidKey ? ")"
      : sqlxPrintf(p, ",PRIMARY KEY(%s)) WITHOUT ROWID", az[V_KEYS]);
  az[V_GREATER] = "CASE WHEN version>excluded.version THEN version"
                  " ELSE excluded.version END";
  az[V_SAME_KEY] = sameKey(g);
  az[V_TOMBSTONE_NEW] = tombstoneIs(g, "NEW.");
  az[V_TOMBSTONE_OLD] = tombstoneIs(g, "OLD.");
  az[V_TOMBSTONE_ROW] = tombstoneIs(g, sqlxPrintf(p, "%s.", az[V_TABLE]));
  az[V_ROW_IS_NEW_KEY] = rowIsNewKey(g);
  az[V_SELF_OLD] = sameRow(g, "", "OLD.");
  az[V_SELF_NEW] = sameRow(g, "", "NEW.");
  az[V_ROW_IS_OLD] = sameRow(g, "r.", "OLD.");
  valuesOfBlockers(g);
  az[V_OF_KEY] = ofKey(g);
  az[V_OF_UNIQUE] = ofUnique(g);
  az[V_OF_OTHERS] = ofOthers(g);
  az[V_FOLLOWS] = follows(g);
  az[V_LIFTS] = pRule->mode==TRIGGERS_ECHO ? nothingElse(g)
                                           : az[V_SAME_KEY];
  az[V_REFUSE] = pRule->bIgnore ? "RAISE(IGNORE)"
      : sqlxPrintf(p, "RAISE(ABORT,'stale write: %s')", az[V_LABEL]);
  az[V_LIFT] = fill(g, versioned_lift_sql);
}

/* Generate the set. On failure the sticky error is set and *pSet is of no
** use. */
void triggersMake(
  Sqlx *p,
  const Shape *pShape,
  const TriggersRule *pRule,
  TriggersSet *pSet
){
  Gen g;
  size_t i;
  memset(&g, 0, sizeof(g));
  memset(pSet, 0, sizeof(*pSet));
  g.p = p;
  g.pShape = pShape;
  g.pRule = pRule;
  valuesOf(&g);
  pSet->zTombstones = sqlxPrintf(p, "interlock_%s_tombstones",
                                 pRule->zNumber);
  pSet->zTombstonesSql = fill(&g, versioned_tombstones_sql);
  pSet->zRebornSql = fill(&g, versioned_reborn_sql);
  for(i=0; i<sizeof(aTrigger)/sizeof(aTrigger[0]); i++){
    TriggersOne *pOne = &pSet->a[pSet->n];
    if( !(aTrigger[i].mWhen & WHEN(pRule->mode, pRule->bIgnore)) ) continue;
    if( aTrigger[i].iTombstones==!pRule->bTombstones ) continue;
    pSet->n++;
    pOne->zWhat = aTrigger[i].zWhat;
    pOne->zName = sqlxPrintf(p, "interlock_%s_%s", pRule->zNumber,
                             aTrigger[i].zWhat);
    g.azText[V_TRIGGER] = sqlxPrintf(p, "\"%w\"", pOne->zName);
    pOne->zSql = fill(&g, aTrigger[i].zTemplate);
  }
}

/* The statement that makes the registry of a schema. */
const char *triggersRegistry(Sqlx *p, const char *zSchema){
  Gen g;
  memset(&g, 0, sizeof(g));
  g.p = p;
  g.azText[V_SCHEMA] = sqlxPrintf(p, "\"%w\"", zSchema);
  return fill(&g, versioned_registry_sql);
}

/* The same CREATE statement with the schema before the name. */
const char *triggersQualified(Sqlx *p, const char *zSql, const char *zSchema){
  const char *zName = strchr(zSql, '"');
  if( zName==0 ) return zSql;
  return sqlxPrintf(p, "%.*s\"%w\".%s", (int)(zName - zSql), zSql, zSchema,
                    zName);
}
