/* SPDX-License-Identifier: 0BSD */
/*
** format.h: what two builds must agree on before they may use one lock file.
**
** The number SEG_FORMAT is raised by hand when the format changes.  The print
** is a hash of the format itself, so that a change is refused also where the
** number was forgotten: of the names, places and sizes of all fields; of the
** numbers of modes, kinds and states with their names; of the limits; of the
** conflict matrix; of the bytes and the hash of sample keys, made by the
** functions that make them for locks; of the places where buckets and waiters
** by name are looked for; of the byte that says that a process is alive.
**
** A process compares the number, the layer and the print of a file with its
** own when it attaches.  A build of another format gets LOCK_FORMAT as long as
** a process is alive in the file, and formats it anew otherwise.
**
** What the layer above core makes of a value of SQL before it is a key is not
** in the print: test/lockformat.test has the bytes of such keys.
*/
#ifndef INTERLOCK_FORMAT_H
#define INTERLOCK_FORMAT_H

#include "core/key.h"
#include "core/segment.h"

/* The print of this build: never 0. */
u32 formatPrint(void);

/* Sample key i from 0 on, and its name: 0 after the last.  For formatPrint,
** and for the test that has their bytes. */
const char *formatSample(u32 i, LockKey*);

/* The header's format is not this build's: 1, and it is remembered for
** formatMet. */
int formatDiffers(const Seg*);
LockFormat formatMet(void);
LockFormat formatOwn(void);

#endif
