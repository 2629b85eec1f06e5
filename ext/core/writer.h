/* SPDX-License-Identifier: 0BSD */
/*
** writer.h: the active writer: three words of the header.  The caller of every
** function here must own the segment's mutex.
*/
#ifndef INTERLOCK_WRITER_H
#define INTERLOCK_WRITER_H

#include "core/key.h"
#include "core/segment.h"

/* The active writer: it blocks new row and table locks of other sessions until
** its transaction ends.  tableWriterEnter makes a session the active writer. */
void tableWriterEnter(Seg*, u32 iSession);
int tableWriterBlocks(Seg*, u32 eKind, u32 iSession);

#endif
