/* SPDX-License-Identifier: 0BSD */
/*
** format.h: what two builds must agree on before they may use one lock file.
**
** A change of the format must raise the number SEG_FORMAT.  The print is a hash
** of the format itself, so that builds refuse each other also where the number
** was not raised.  It covers the names, places and sizes of all fields; the
** numbers of modes, kinds and states with their names; the limits; the conflict
** matrix; the bytes and the hash of sample keys, made by the functions that
** make them for locks; the buckets of hashes and the words of event names; the
** byte that says that a process is alive.
**
** A process that attaches compares the number, the layer and the print of a
** file with its own.  A build of another format returns LOCK_FORMAT while a
** process is alive in the file, and otherwise formats the file anew.
**
** The print does not cover everything that builds must agree on: README.md,
** "What two builds must agree on", has a row for each thing, and what finds a
** difference in it.
*/
#ifndef INTERLOCK_FORMAT_H
#define INTERLOCK_FORMAT_H

#include "core/key.h"
#include "core/segment.h"

/* The print of this build: never 0. */
u32 formatPrint(void);

/* formatSample: makes sample key i, from 0 on, and returns its name, or 0 after
** the last.  For formatPrint, and for the test that has their bytes. */
const char *formatSample(u32 i, LockKey*);

/* formatDiffers: segDiffers.  After 1, formatMet() returns the format of the
** header, in this thread.  formatOwn: the format of this build. */
int formatDiffers(const Seg*);
LockFormat formatMet(void);
LockFormat formatOwn(void);

#endif
