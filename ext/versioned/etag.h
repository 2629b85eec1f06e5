/* SPDX-License-Identifier: 0BSD */
/*
** The version of a row as an entity tag of HTTP.
*/
#ifndef INTERLOCK_ETAG_H
#define INTERLOCK_ETAG_H

#include "session/function.h"

FunctionList etagFunctions(void);

#endif
