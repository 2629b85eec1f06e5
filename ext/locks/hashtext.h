/* SPDX-License-Identifier: 0BSD */
/*
** PostgreSQL's hash of a text, with its values: programs that lock a name
** there by pg_advisory_lock(hashtext(name)) lock the same number here.
*/
#ifndef INTERLOCK_HASHTEXT_H
#define INTERLOCK_HASHTEXT_H

#include <stdint.h>

int32_t hashtext(const unsigned char *z, uint32_t nByte);

#endif
