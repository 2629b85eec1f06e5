/* SPDX-License-Identifier: 0BSD */
/*
** bell.h: the words by which the kernel tells of a death: BELLS in segment.h,
** Bells in README.md.
**
** A bell that rings says that a thread has ended, not that its process is dead.
** A process without a bell can be alive or dead.  So no function here says that
** a process is dead.
*/
#ifndef INTERLOCK_BELL_H
#define INTERLOCK_BELL_H

#include "core/segment.h"

/*
** bellHold: this thread holds the bell of this process from now on, unless
** another thread of it does.  Returns the bell, or 0.  pBell is what the call
** before returned.  The caller must have called osProcessEnter.
** bellLook: how the bell of a process stands.
**   BELL_NONE   it has none
**   BELL_RUNG   it has rung, at *ppWord
**   BELL_QUIET  it will ring: the kernel changes *ppWord, which is *piValue,
**               and wakes a sleeper on it
*/
enum { BELL_NONE, BELL_RUNG, BELL_QUIET };
OsBell *bellHold(Seg*, OsBell *pBell);
int bellLook(Seg*, u64 iNumber, u32 **ppWord, u32 *piValue);

#endif
