/* SPDX-License-Identifier: 0BSD */
/*
** check.h: checks of the whole segment, for debug builds and tests.  The caller
** must own the segment's mutex.
*/
#ifndef INTERLOCK_CHECK_H
#define INTERLOCK_CHECK_H

#include "core/sessions.h"

/*
** checkSegment: chains, lists and counts must agree with the records.
** checkGrants: no request may be waiting that could be granted, no two grants
** may conflict, and each guard word must count right.
** Both return 0, or a constant text that says what is wrong.
*/
#ifdef INTERLOCK_TEST
const char *checkSegment(Seg*);
const char *checkGrants(Seg*);
#endif

#endif
