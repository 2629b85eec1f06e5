/* SPDX-License-Identifier: 0BSD */
/*
** writer.h: the active writer, three words of the header.  The caller of every
** function here must own the segment's mutex.
*/
#ifndef INTERLOCK_WRITER_H
#define INTERLOCK_WRITER_H

#include "core/key.h"
#include "core/segment.h"

/*
** writerEnter: makes a session the active writer.  It blocks new row and table
** locks of other sessions until its transaction ends.
** writerBlocks: 1 if the active writer blocks a request of session iSession for
** a key of kind eKind.
*/
void writerEnter(Seg*, u32 iSession);
int writerBlocks(Seg*, u32 eKind, u32 iSession);

#endif
