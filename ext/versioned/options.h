/* SPDX-License-Identifier: 0BSD */
/*
** From words to a rule: what a user asks of a versioned table, or what the
** registry says of it, checked against the columns of the table.
*/
#ifndef INTERLOCK_OPTIONS_H
#define INTERLOCK_OPTIONS_H

#include "versioned/registry.h"

typedef struct OptionsWords OptionsWords;

/* What a user asks for. NULL: as it was declared, or the default. */
struct OptionsWords {
  const char *zColumn;       /* default: version */
  const char *zMode;         /* auto, strict, echo */
  const char *zOnStale;      /* abort, ignore */
  const char *zExcept;       /* names separated by commas; default: none */
  const char *zTombstones;   /* on, off */
};

void optionsMake(Sqlx *p, const TableInfo *pInfo, const RegistryEntry *pEntry,
              const OptionsWords *pWords, TriggersRule *pRule);
const char *optionsExcept(Sqlx *p, const TriggersRule *pRule);
RegistryEntry optionsEntry(Sqlx *p, const TableInfo *pInfo,
                        const TriggersRule *pRule);

#endif
