/* SPDX-License-Identifier: 0BSD */
/*
** Values as JSON, behind what a string builder has already.
*/
#ifndef INTERLOCK_JSON_H
#define INTERLOCK_JSON_H

#include <sqlite3ext.h>
#include "core/base.h"

/* n bytes of UTF-8 as a string. */
void jsonString(sqlite3_str*, const char *z, u32 n);
/* INTEGER, REAL or TEXT, so that what is read back is equal to it; others as
** null. 0: no memory for the text. */
int jsonValue(sqlite3_str*, sqlite3_value*);

#endif
