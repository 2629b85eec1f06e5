/* SPDX-License-Identifier: 0BSD */
/*
** check.h: the check of all grants and requests, for debug builds and tests.
** The caller owns the segment's mutex.
*/
#ifndef INTERLOCK_CHECK_H
#define INTERLOCK_CHECK_H

#include "core/sessions.h"

/*
** segmentCheck: do chains, lists and counts agree with the records?  Under the
** mutex.  Returns 0, or a constant text that says what does not.
*/
#ifdef INTERLOCK_TEST
const char *segmentCheck(Seg*);
#endif

/* Looks for a request that could be granted, for two conflicting grants and for
** a guard word that counts wrongly.  0, or a text.  For debug and tests. */
#ifdef INTERLOCK_TEST
const char *tableCheck(Seg*);
#endif

#endif
