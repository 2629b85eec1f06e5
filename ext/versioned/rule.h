/* SPDX-License-Identifier: 0BSD */
/*
** From words to a rule: what a user asks of a versioned table, or what the
** registry says of it, checked against the columns of the table.
*/
#ifndef INTERLOCK_RULE_H
#define INTERLOCK_RULE_H

#include "versioned/registry.h"

typedef struct RuleWords RuleWords;

/* What a user asks for. NULL: as it was declared, or the default. */
struct RuleWords {
  const char *zColumn;       /* default: version */
  const char *zMode;         /* auto, strict, echo */
  const char *zOnStale;      /* abort, ignore */
  const char *zExcept;       /* names separated by commas; default: none */
  const char *zTombstones;   /* on, off */
};

void ruleMake(Sqlx *p, const Shape *pShape, const RegistryEntry *pEntry,
              const RuleWords *pWords, TriggersRule *pRule);
const char *ruleExcept(Sqlx *p, const TriggersRule *pRule);
RegistryEntry ruleEntry(Sqlx *p, const Shape *pShape,
                        const TriggersRule *pRule);

#endif
