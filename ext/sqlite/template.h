/* SPDX-License-Identifier: 0BSD */
/*
** Templates: SQL text with $placeholders, as it stands in sql/ and is embedded
** by tool/embed.tcl. Which words there are, and what stands for each, is the
** caller's.
**
**   $word                 the text of that word
**   $if(word) ... $end    left out where that flag is not set; not nested
*/
#ifndef INTERLOCK_TEMPLATE_H
#define INTERLOCK_TEMPLATE_H

#include "sqlite/sqlx.h"

typedef struct Template Template;

struct Template {
  Sqlx *p;
  int nText;
  const char *const *azName;     /* names of the placeholders, */
  const char *const *azText;     /* and their texts; NULL: has none here */
  int nFlag;
  const char *const *azFlag;     /* names of what can stand in $if(...) */
  const int *abFlag;
  char *zOut;                    /* room for a text while it is filled, */
  size_t nOut, nAlloc;           /* kept from one to the next; begins as 0 */
};

/* The template at z, filled. Never NULL. */
const char *templateFill(Template *t, const char *z);

#endif
