/* SPDX-License-Identifier: 0BSD */
/*
** The options of a versioned table: from the words of a user and of the
** registry to the rule that the generator follows.
*/
#ifndef INTERLOCK_OPTIONS_H
#define INTERLOCK_OPTIONS_H

#include "versioned/versionedtriggers.h"

typedef struct OptionsWords OptionsWords;

/* The options as words. NULL: not given, so they stay or are the default. */
struct OptionsWords {
  const char *zColumn;       /* default: version */
  const char *zMode;         /* auto, strict, echo */
  const char *zOnStale;      /* abort, ignore */
  const char *zExcept;       /* names separated by commas; default: none */
  const char *zTombstones;   /* on, off */
};

/* Makes the rule. Each option is the one that is asked for (pAsked, or NULL),
** or else the one that was declared (pStored, or NULL), or else the default.
** The installed set, pHas, tells the new names of columns of except that were
** renamed. */
void optionsMake(Sqlx *p, const TableInfo *pInfo, const OptionsWords *pStored,
                 const TriggerSet *pHas, const OptionsWords *pAsked,
                 VersionedRule *pRule);
/* Returns the words for a rule, as the registry stores them. */
OptionsWords optionsStored(Sqlx *p, const VersionedRule *pRule);
/* Returns the word for tombstones, always the same pointer. */
const char *optionsSwitch(int bOn);

#endif
