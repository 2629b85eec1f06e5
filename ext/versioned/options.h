/* SPDX-License-Identifier: 0BSD */
/*
** The options of a versioned table: from what a user asks for, over what the
** registry says, to the rule that the generator follows.
*/
#ifndef INTERLOCK_OPTIONS_H
#define INTERLOCK_OPTIONS_H

#include "versioned/versionedtriggers.h"

typedef struct OptionsWords OptionsWords;

/* The options as words. NULL: not said, so as before or the default. */
struct OptionsWords {
  const char *zColumn;       /* default: version */
  const char *zMode;         /* auto, strict, echo */
  const char *zOnStale;      /* abort, ignore */
  const char *zExcept;       /* names separated by commas; default: none */
  const char *zTombstones;   /* on, off */
};

/* Make the rule of what is asked for (pAsked may be NULL), over what was
** declared (pStored may be NULL), over the defaults. pHas is the installed set:
** it tells to which names columns of except were renamed. */
void optionsMake(Sqlx *p, const TableInfo *pInfo, const OptionsWords *pStored,
                 const TriggerSet *pHas, const OptionsWords *pAsked,
                 VersionedRule *pRule);
/* The words for a rule, as the registry keeps them. */
OptionsWords optionsStored(Sqlx *p, const VersionedRule *pRule);
/* The word for tombstones. */
const char *optionsSwitch(int bOn);

#endif
