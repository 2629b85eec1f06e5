/* SPDX-License-Identifier: 0BSD */
/*
** The number of a schema, from the file. See dbheader.h.
*/
#include "sqlite/dbheader.h"
SQLITE_EXTENSION_INIT3

/* The database file's header. */
#define AT_VERSIONS 18             /* 1, 1; or 2, 2 in WAL mode */
#define AT_SCHEMA 40

/* The level of SQLite's lock on a file that every connection keeps in WAL mode
** (SQLITE_FCNTL_LOCKSTATE), one without locking_mode=EXCLUSIVE. */
#define FILE_SHARED 1

/* A WAL: its header, and a header before each page. */
#define WAL_HEADER 32
#define FRAME_HEADER 24

/* The WAL index: two copies of its header, more, and from there the page of
** each frame; then regions that have an index of as many bytes behind the
** pages of their frames. */
#define REGION_BYTES 32768
#define REGION_FRAMES 4096
#define FIRST_PAGE_AT 136
#define FIRST_FRAMES (REGION_FRAMES - FIRST_PAGE_AT/4)
#define MAX_FRAMES 100000          /* that are looked through */

/* Words of the header. */
#define WAL_VERSION 3007000
enum { W_VERSION = 0, W_CHANGE = 2, W_FLAGS = 3, W_MXFRAME = 4, W_SALT = 8 };

/* The file of a schema as the connection has it open. */
typedef struct DbFile {
  sqlite3_file *pFile;
  sqlite3_file *pJournal;          /* the WAL, in WAL mode */
  int eLock;
} DbFile;

static int dbFileOf(sqlite3 *db, const char *zSchema, DbFile *p){
  p->pFile = 0;
  p->pJournal = 0;
  p->eLock = 0;
  return sqlite3_file_control(db, zSchema, SQLITE_FCNTL_FILE_POINTER,
                              &p->pFile)==SQLITE_OK
      && p->pFile && p->pFile->pMethods
      && sqlite3_file_control(db, zSchema, SQLITE_FCNTL_JOURNAL_POINTER,
                              &p->pJournal)==SQLITE_OK
      && sqlite3_file_control(db, zSchema, SQLITE_FCNTL_LOCKSTATE,
                              &p->eLock)==SQLITE_OK;
}

static u32 bigEndian(const u8 *a){
  return (u32)a[0]<<24 | (u32)a[1]<<16 | (u32)a[2]<<8 | a[3];
}

/* Does the connection have the WAL open, with an index that is shared? In
** rollback mode it keeps no lock on the file, and with locking_mode=EXCLUSIVE
** it keeps an exclusive one, or its index stays mapped. */
static int hasWal(const DbFile *p){
  const sqlite3_io_methods *pMethods = p->pFile->pMethods;
  return p->eLock==FILE_SHARED && p->pJournal && p->pJournal->pMethods
      && pMethods->iVersion>=2 && pMethods->xShmMap;
}

/* ---- the WAL index ---------------------------------------------------- */

/* A region that is there; NULL if it is not. */
static volatile u32 *region(const DbFile *p, int i){
  volatile void *pRegion = 0;
  int rc = p->pFile->pMethods->xShmMap(p->pFile, i, REGION_BYTES, 0, &pRegion);
  return rc==SQLITE_OK ? (volatile u32*)pRegion : 0;
}

/* The first of the two copies, as it is being published at this moment. */
static int isHeader(volatile u32 *a, const u32 *aHeader){
  int i;
  for(i=0; i<DBHEADER_WORDS; i++){
    if( a[i]!=aHeader[i] ) return 0;
  }
  return 1;
}

/* A commit writes the second copy and then the first: read in the other order,
** two that are equal are whole. */
static int readHeader(const DbFile *p, volatile u32 *a, u32 *aHeader){
  int i;
  for(i=0; i<DBHEADER_WORDS; i++) aHeader[i] = a[i];
  p->pFile->pMethods->xShmBarrier(p->pFile);
  return isHeader(a + DBHEADER_WORDS, aHeader)
      && aHeader[W_VERSION]==WAL_VERSION
      && *(const u8*)&aHeader[W_FLAGS]==1;
}

static u32 pageSize(const u32 *aHeader){
  u16 sz;
  memcpy(&sz, (const u8*)&aHeader[W_FLAGS] + 2, sizeof(sz));
  return sz==1 ? 65536 : sz;
}

/* The page in a frame, of the region that *pa is; 0 if it cannot be told. */
static u32 pageOf(const DbFile *p, u32 iFrame, int *piRegion,
                  volatile u32 **pa){
  u32 i = iFrame - 1;
  int iRegion = i<FIRST_FRAMES ? 0 : (int)(1 + (i-FIRST_FRAMES)/REGION_FRAMES);
  if( iRegion!=*piRegion ){
    *pa = region(p, iRegion);
    *piRegion = iRegion;
  }
  if( *pa==0 ) return 0;
  return iRegion==0 ? (*pa)[FIRST_PAGE_AT/4 + i]
                    : (*pa)[(i-FIRST_FRAMES) % REGION_FRAMES];
}

/* The newest frame after iFrom that holds page 1: 1 with 0 in *piFrame if there
** is none; 0 if it cannot be told. */
static int findPage1(const DbFile *p, volatile u32 *a, u32 iFrom, u32 iTo,
                     u32 *piFrame){
  int iRegion = 0;
  u32 i;
  *piFrame = 0;
  if( iTo-iFrom>MAX_FRAMES ) return 0;
  for(i=iTo; i>iFrom; i--){
    u32 iPage = pageOf(p, i, &iRegion, &a);
    if( iPage==0 ) return 0;
    if( iPage==1 ){
      *piFrame = i;
      return 1;
    }
  }
  return 1;
}

static int readNumber(sqlite3_file *pFile, i64 iAt, u32 *piNumber){
  u8 a[4];
  if( pFile->pMethods->xRead(pFile, a, sizeof(a), iAt)!=SQLITE_OK ) return 0;
  *piNumber = bigEndian(a);
  return 1;
}

/* The number in the state aHeader: as it was read, if no frame since holds
** page 1; else from the newest frame that does, or, where the WAL has none,
** from the file. */
static int numberIn(const DbFile *p, volatile u32 *a, const u32 *aHeader,
                    const DbheaderSchema *pOld, u32 *piNumber){
  const u32 *aOld = pOld->wal.a;
  u32 iTo = aHeader[W_MXFRAME], iFrom = 0, iFrame;
  int bGoesOn = pOld->wal.pWal==p->pJournal && aOld[W_MXFRAME]<=iTo
             && memcmp(&aOld[W_SALT], &aHeader[W_SALT], 2*sizeof(u32))==0;
  if( bGoesOn ) iFrom = aOld[W_MXFRAME];
  if( !findPage1(p, a, iFrom, iTo, &iFrame) ) return 0;
  if( iFrame ){
    i64 iAt = WAL_HEADER + FRAME_HEADER + AT_SCHEMA
            + (i64)(iFrame-1)*(FRAME_HEADER + pageSize(aHeader));
    return readNumber(p->pJournal, iAt, piNumber);
  }
  if( bGoesOn ){
    *piNumber = pOld->iNumber;
    return 1;
  }
  return readNumber(p->pFile, AT_SCHEMA, piNumber);
}

/* What was read belongs to the header if that is the same after it: frames up
** to the last of it are written again only after it has changed. */
static int readWal(const DbFile *p, DbheaderSchema *pOut){
  volatile u32 *a = region(p, 0);
  u32 aHeader[DBHEADER_WORDS];
  u32 iNumber;
  if( a==0 ) return 0;
  if( pOut->wal.pWal==p->pJournal && isHeader(a, pOut->wal.a) ) return 1;
  if( !readHeader(p, a, aHeader) ) return 0;
  if( !numberIn(p, a, aHeader, pOut, &iNumber) ) return 0;
  p->pFile->pMethods->xShmBarrier(p->pFile);
  if( !isHeader(a, aHeader) ) return 0;
  pOut->iNumber = iNumber;
  pOut->wal.pWal = p->pJournal;
  memcpy(pOut->wal.a, aHeader, sizeof(aHeader));
  return 1;
}

/* ---- what is called --------------------------------------------------- */

static int readFile(const DbFile *p, DbheaderSchema *pOut){
  u8 a[AT_SCHEMA + 4 - AT_VERSIONS];
  int rc = p->pFile->pMethods->xRead(p->pFile, a, sizeof(a), AT_VERSIONS);
  if( rc!=SQLITE_OK ) return 0;
  if( a[0]==2 && a[1]==2 && hasWal(p) ) return readWal(p, pOut);
  if( a[0]!=1 || a[1]!=1 ) return 0;
  pOut->wal.pWal = 0;
  pOut->iNumber = bigEndian(a + (AT_SCHEMA - AT_VERSIONS));
  return 1;
}

int dbheaderSchema(sqlite3 *db, const char *zSchema, DbheaderSchema *p){
  DbFile file;
  if( !dbFileOf(db, zSchema, &file) ) return 0;
  if( p->wal.pWal && p->wal.pWal==file.pJournal && hasWal(&file) ){
    return readWal(&file, p);
  }
  return readFile(&file, p);
}

int dbheaderSame(sqlite3 *db, const char *zSchema, const DbheaderWal *p){
  DbFile file;
  volatile u32 *a;
  if( !dbFileOf(db, zSchema, &file) || p->pWal!=file.pJournal
   || !hasWal(&file) ) return 0;
  a = region(&file, 0);
  return a && isHeader(a, p->a);
}
