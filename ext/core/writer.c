/* SPDX-License-Identifier: 0BSD */
/*
** writer.c: the active writer.  See writer.h.
*/
#include "core/writer.h"

void writerEnter(Seg *p, u32 k){
  SegHeader *h = segHeader(p);
  SegSession *s = segSession(p, k);
  assert( segHeld(p) );
  atomicSet(&h->writerTxn, 0);                 /* WRITER-EMPTY */
  CRASH(WRITER_EMPTY);
  atomicFenceRel();
  /* WRITER-ENTER */
  atomicSet(&h->writer, k);
  atomicSet(&h->writerGen, SEG_HIGH(s->state));
  atomicSetRel(&h->writerTxn, SEG_HIGH(s->now));
  CRASH(WRITER_EMPTY);
}

int writerBlocks(Seg *p, u32 eKind, u32 iSession){
  SegHeader *h = segHeader(p);
  SegSession *s;
  assert( segHeld(p) );
  if( h->writerTxn==0 || h->writer==iSession || BUG(WRITER_BLIND) ) return 0;
  if( eKind!=KEY_ROW && eKind!=KEY_TABLE ) return 0;
  s = segSession(p, h->writer);
  return atomicGetAcq(&s->state)==SEG_PAIR(h->writerGen, SEG_LIVE)
      && SEG_HIGH(atomicGetAcq(&s->now))==h->writerTxn;
}
