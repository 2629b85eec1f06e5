/* SPDX-License-Identifier: 0BSD */
/*
** Values as JSON, appended to a string builder.
*/
#ifndef INTERLOCK_JSON_H
#define INTERLOCK_JSON_H

#include <sqlite3ext.h>
#include "core/base.h"

/* Appends n bytes of UTF-8 as a JSON string. */
void jsonString(sqlite3_str*, const char *z, u32 n);
/* Appends an INTEGER, REAL or TEXT so that what is read back is equal to it,
** and any other value as null. 0 if memory has run out. */
int jsonValue(sqlite3_str*, sqlite3_value*);

#endif
