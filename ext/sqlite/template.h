/* SPDX-License-Identifier: 0BSD */
/*
** Templates: the SQL text with $placeholders of sql/, which tool/embed.tcl
** embeds. The caller says which words there are, and the text of each.
**
**   $word                 becomes the text of that word
**   $if(word) ... $end    is left out if that flag is not set; must not nest
*/
#ifndef INTERLOCK_TEMPLATE_H
#define INTERLOCK_TEMPLATE_H

#include "sqlite/sqlx.h"

typedef struct Template Template;

struct Template {
  Sqlx *p;
  int nText;
  const char *const *azName;     /* the names of the placeholders */
  const char *const *azText;     /* their texts; NULL: must not be used */
  int nFlag;
  const char *const *azFlag;     /* the names of the flags */
  const int *abFlag;
  char *zOut;                    /* the text being made; NULL at first */
  size_t nOut, nAlloc;           /* its length, and its room */
};

/* Fills in the template at z. Never NULL. */
const char *templateFill(Template *t, const char *z);

#endif
