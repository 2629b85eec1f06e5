/* SPDX-License-Identifier: 0BSD */
/*
** The rows of a PRAGMA, without a transaction. See pragma.h.
*/
#include <stdlib.h>
#include <string.h>
#include "sqlite/pragma.h"
SQLITE_EXTENSION_INIT3

/* Columns of EXPLAIN. */
enum { OP_NAME = 1, OP_P1, OP_P2, OP_P3, OP_P4 };

#define REGISTERS 16

/* The registers of the program after the instructions read so far. */
typedef struct Registers {
  const char *az[REGISTERS];
} Registers;

static void addRow(Sqlx *p, PragmaRows *pRows, const char *const *az, int n){
  int i;
  if( pRows->nRow==0 ) pRows->nCol = n;
  for(i=0; i<pRows->nCol; i++){
    int nCell = pRows->nRow*pRows->nCol + i;
    pRows->az = sqlxGrow(p, pRows->az, nCell, sizeof(pRows->az[0]));
    if( pRows->az==0 ) return;
    pRows->az[nCell] = i<n ? az[i] : 0;
  }
  pRows->nRow++;
}

/* Follows one instruction; 0 if it is none of those that are known here. */
static int follow(Sqlx *p, sqlite3_stmt *pStmt, Registers *pReg,
                  PragmaRows *pRows){
  static const char *const azIdle[] = {
    "Init", "Expire", "Transaction", "Goto", "Halt", "Noop"
  };
  const char *zOp = (const char*)sqlite3_column_text(pStmt, OP_NAME);
  int p1 = sqlite3_column_int(pStmt, OP_P1);
  int p2 = sqlite3_column_int(pStmt, OP_P2);
  int p3 = sqlite3_column_int(pStmt, OP_P3);
  size_t i;
  if( zOp==0 ) return 0;
  if( strcmp(zOp, "ResultRow")==0 ){
    if( p1<0 || p2<1 || p1+p2>REGISTERS ) return 0;
    addRow(p, pRows, &pReg->az[p1], p2);
    return 1;
  }
  for(i=0; i<sizeof(azIdle)/sizeof(azIdle[0]); i++){
    if( strcmp(zOp, azIdle[i])==0 ) return 1;
  }
  if( p2<0 || p2>=REGISTERS || p3>=REGISTERS ) return 0;
  if( strcmp(zOp, "Integer")==0 ){
    pReg->az[p2] = sqlxPrintf(p, "%d", p1);
  }else if( strcmp(zOp, "String8")==0 ){
    pReg->az[p2] = sqlxColumn(p, pStmt, OP_P4);
  }else if( strcmp(zOp, "Null")==0 ){
    do{ pReg->az[p2] = 0; }while( ++p2<=p3 );
  }else{
    return 0;
  }
  return 1;
}

/* Reads the rows from the program; 0 if that is not a list of constants. */
static int readProgram(Sqlx *p, const char *zSql, PragmaRows *pRows){
  sqlite3_stmt *pStmt = sqlxPrepare(p, "EXPLAIN %s", zSql);
  Registers reg;
  int bKnown = 1;
  memset(&reg, 0, sizeof(reg));
  while( bKnown && sqlxStep(p, pStmt) ){
    bKnown = follow(p, pStmt, &reg, pRows);
  }
  sqlxFinalize(p, pStmt);
  return bKnown;
}

static void runPragma(Sqlx *p, const char *zSql, PragmaRows *pRows){
  sqlite3_stmt *pStmt = sqlxPrepare(p, "%s", zSql);
  const char *az[REGISTERS];
  while( sqlxStep(p, pStmt) ){
    int n = sqlite3_column_count(pStmt), i;
    if( n>REGISTERS ) n = REGISTERS;
    for(i=0; i<n; i++) az[i] = sqlxColumn(p, pStmt, i);
    addRow(p, pRows, az, n);
  }
  sqlxFinalize(p, pStmt);
}

void pragmaRead(Sqlx *p, const char *zSql, PragmaRows *pRows){
  memset(pRows, 0, sizeof(*pRows));
  if( !readProgram(p, zSql, pRows) ){
    memset(pRows, 0, sizeof(*pRows));
    runPragma(p, zSql, pRows);
  }
  if( p->rc!=SQLITE_OK ) pRows->nRow = 0;
}

const char *pragmaText(const PragmaRows *pRows, int iRow, int iCol){
  if( iRow>=pRows->nRow || iCol>=pRows->nCol ) return 0;
  return pRows->az[iRow*pRows->nCol + iCol];
}

int pragmaInteger(const PragmaRows *pRows, int iRow, int iCol){
  const char *z = pragmaText(pRows, iRow, iCol);
  return z ? atoi(z) : 0;
}
