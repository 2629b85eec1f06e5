/* SPDX-License-Identifier: 0BSD */
/*
** lockfile.c: opening and closing a lock file, and the fork of a process that
** has one open.
*/
#include "core/lockint.h"
#include "core/bell.h"
#include "core/format.h"
#include "core/process.h"
#include "core/check.h"

static LockFile *pFiles;           /* all open files; under osProcessEnter */

/* Runs in a fork's child.  The parent's byte must not stay locked through this
** copy of the descriptor, nor through the inherited mapping, which belongs to
** the same open file.  The child must not touch the segment again. */
static void abandonFiles(void){
  LockFile *pF;
  for(pF=pFiles; pF; pF=pF->pNext){
    pF->bForked = 1;
    if( pF->pBell ) osBellAbandon(pF->pBell);
    pF->pBell = 0;
    osUnshare(pF->seg.pBase, pF->seg.nWindow);
    osClose(&pF->seg.file);
  }
  pFiles = 0;
}

static void freeFile(LockFile *pF){
  if( pF->pBell ) osBellDrop(pF->pBell);
  segClose(&pF->seg);
  if( pF->pGraph ) ruleFree(&pF->mem, pF->pGraph);
  if( pF->aQueue ) ruleFree(&pF->mem, pF->aQueue);
  if( pF->zPath ) ruleFree(&pF->mem, pF->zPath);
  ruleFree(&pF->mem, pF);
}

/* Makes a LockFile, still without the memory that it works with.  zPath is
** zName and zSuffix.  With an empty suffix it belongs to no database. */
static LockFile *newFile(const LockMem *pMem, const char *zName,
                         const char *zSuffix){
  LockFile *pF = ruleAlloc(pMem, sizeof(*pF));
  size_t n = zName ? strlen(zName) : 0;
  if( pF==0 ) return 0;
  memset(pF, 0, sizeof(*pF));
  pF->mem = *pMem;
  pF->seg.file.fd = -1;
  pF->nRef = 1;
  pF->iPid = osPid();
  pF->iPidSpace = osPidSpace();
  if( zName ){
    pF->zPath = ruleAlloc(pMem, 2*n + strlen(zSuffix) + 2);
    if( pF->zPath==0 ){
      freeFile(pF);
      return 0;
    }
    memcpy(pF->zPath, zName, n);
    memcpy(pF->zPath+n, zSuffix, strlen(zSuffix)+1);
    if( zSuffix[0] ){
      pF->zDb = pF->zPath + n + strlen(zSuffix) + 1;
      memcpy(pF->zDb, zName, n+1);
    }
  }
  return pF;
}

/* The graph is large: it is made only for a file that is there and that no
** other LockFile has. */
static LockRc takeMemory(LockFile *pF){
  pF->aQueue = ruleAlloc(&pF->mem, LIMIT_SESSION*sizeof(u32));
  pF->pGraph = ruleAlloc(&pF->mem, graphSize());
  if( pF->aQueue==0 || pF->pGraph==0 ) return LOCK_NOMEM;
  memset(pF->pGraph, 0, graphSize());
  pF->pGraph = graphInit(pF->pGraph);
  return LOCK_OK;
}

/* The same file, if this process has it open already, or 0.  The caller must
** have called osProcessEnter. */
static LockFile *findFile(LockFile *pNew, int bMemory){
  LockFile *pF;
  u64 iDev = 0, iIno = 0;
  if( pNew->zPath==0 ) return 0;
  if( !bMemory && osIdentify(pNew->zPath, &iDev, &iIno)!=LOCK_OK ) return 0;
  for(pF=pFiles; pF; pF=pF->pNext){
    int bMem = pF->seg.file.fd<0;
    if( bMem!=bMemory || pF->zPath==0 || pF->seg.file.bRead ) continue;
    if( bMemory ? strcmp(pF->zPath, pNew->zPath)==0
                : pF->seg.file.iDev==iDev && pF->seg.file.iIno==iIno ){
      return pF;
    }
  }
  return 0;
}

/* OPEN_THERE: the file must be there, and formatted.  OPEN_LOOK: the same, and
** reading it is enough. */
enum { OPEN_CREATE, OPEN_THERE, OPEN_LOOK };

static LockRc attachFile(LockFile *pF, int eOpen){
  OsFile *pFile = &pF->seg.file;
  LockRc rc = LOCK_OK;
  if( pF->zDb ){
    rc = osOpen(pFile, pF->zPath, pF->zDb,
                eOpen==OPEN_CREATE ? OS_CREATE : OS_WRITE);
    if( rc==LOCK_CANTOPEN && eOpen==OPEN_LOOK
     && osTrouble()->eAbout==OS_ABOUT_OPEN ){
      rc = osOpen(pFile, pF->zPath, pF->zDb, OS_READ);
    }
  }
  if( rc==LOCK_OK ){
    pF->seg.iPrint = formatPrint();
    rc = segOpen(&pF->seg);
  }
  if( rc==LOCK_OK ){
    rc = pFile->bRead ? processLook(&pF->seg)
                      : processAttach(&pF->seg, eOpen==OPEN_CREATE);
  }
  return rc;
}

/* Joins pNew to an open file of the same name, or attaches it. */
static LockRc openFile(LockFile *pNew, int eOpen, LockFile **pp){
  LockFile *pF;
  LockRc rc = LOCK_OK;
  u64 iDev = 0, iIno = 0;
  *pp = 0;
  if( pNew==0 ) return LOCK_NOMEM;
  if( pNew->zDb ) rc = osOneName(pNew->zDb, &iDev, &iIno);
  if( rc!=LOCK_OK ){
    freeFile(pNew);
    return rc;
  }
  pNew->bDb = iIno!=0;
  osAtFork(abandonFiles);
  osProcessEnter();
  pF = findFile(pNew, pNew->zDb==0);
  if( pF ){
    pF->nRef++;
    freeFile(pNew);
  }else{
    pF = pNew;
    rc = attachFile(pF, eOpen);
    if( rc==LOCK_OK ) rc = takeMemory(pF);
    if( rc==LOCK_OK ){
      pF->pNext = pFiles;
      pFiles = pF;
    }else{
      freeFile(pF);
      pF = 0;
    }
  }
  osProcessLeave();
  *pp = pF;
  return rc;
}

LockRc lockOpen(const LockMem *pMem, const char *zDb, int bCreate,
                LockFile **pp){
  return openFile(newFile(pMem, zDb, LOCK_SUFFIX),
                  bCreate ? OPEN_CREATE : OPEN_THERE, pp);
}

LockRc lockOpenLook(const LockMem *pMem, const char *zDb, LockFile **pp){
  return openFile(newFile(pMem, zDb, LOCK_SUFFIX), OPEN_LOOK, pp);
}

void lockLooked(LockFile *pF){
  if( pF->seg.file.bRead ) osLockFirst(&pF->seg.file, OS_UNLOCKED, 0);
}

LockRc lockOpenMemory(const LockMem *pMem, const char *zName, LockFile **pp){
  return openFile(newFile(pMem, zName, ""), OPEN_CREATE, pp);
}

void lockHoldBell(LockFile *pF){
  osProcessEnter();
  if( !pF->bForked ) pF->pBell = bellHold(&pF->seg, pF->pBell);
  osProcessLeave();
}

LockFile *lockRef(LockFile *pF){
  osProcessEnter();
  pF->nRef++;
  osProcessLeave();
  return pF;
}

void lockClose(LockFile *pF){
  LockFile **ppF;
  u32 nRef;
  if( pF==0 ) return;
  osProcessEnter();
  nRef = --pF->nRef;
  if( nRef==0 ){
    for(ppF=&pFiles; *ppF && *ppF!=pF; ppF=&(*ppF)->pNext){}
    if( *ppF ) *ppF = pF->pNext;
    freeFile(pF);
  }
  osProcessLeave();
}

LockRc lockMoved(LockSession *p){
  LockFile *pF = p->pFile;
  u64 iDev, iIno;
  LockRc rc;
  if( pF->seg.file.fd<0 ) return LOCK_OK;
  rc = osOneName(pF->zDb, &p->iDevDb, &p->iInoDb);
  if( rc==LOCK_MOVED ) return rc;
  if( osIdentify(pF->zPath, &iDev, &iIno)!=LOCK_OK
   || iDev!=pF->seg.file.iDev || iIno!=pF->seg.file.iIno ){
    int bGone = pF->bDb && osIdentify(pF->zDb, &iDev, &iIno)!=LOCK_OK;
    return bGone ? LOCK_MOVED : LOCK_REPLACED;
  }
  return rc;
}

u32 lockLimit(const LockFile *pF){
  return pF->seg.file.fd<0 ? LIMIT_PRIVATE*LIMIT_EXTENT : LIMIT_RECORD;
}

LockFormat lockFormat(void){ return formatOwn(); }
LockFormat lockFormatMet(void){ return formatMet(); }

Seg *lockSegment(LockFile *pF){ return &pF->seg; }
const LockMem *lockMemory(LockFile *pF){ return &pF->mem; }
int lockForked(LockFile *pF){ return pF->bForked!=0; }

#ifdef INTERLOCK_TEST
u32 lockSlot(LockSession *p){ return p->k; }
u64 lockGraphSteps(LockFile *pF){ return graphSteps(pF->pGraph); }
const char *lockCheck(LockFile *pF){
  const char *z;
  LockRc rc = lockEnter(pF);
  if( rc!=LOCK_OK ) return rc==LOCK_BUSY ? "busy" : "not usable";
  z = checkSegment(&pF->seg);
  if( z==0 ) z = checkGrants(&pF->seg);
  rc = lockLeave(pF);
  return z==0 && rc!=LOCK_OK ? "damaged" : z;
}
#endif
