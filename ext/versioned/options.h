/* SPDX-License-Identifier: 0BSD */
/*
** The options of a versioned table: from the text that a user gives, or that
** the registry has, to the options that the generator follows.
*/
#ifndef INTERLOCK_OPTIONS_H
#define INTERLOCK_OPTIONS_H

#include "versioned/versionedtriggers.h"

typedef struct OptionsText OptionsText;

/* The options as text. NULL: not given, so it stays or is the default. */
struct OptionsText {
  const char *zColumn;       /* default: version */
  const char *zMode;         /* auto, strict, echo */
  const char *zOnStale;      /* abort, ignore, log */
  const char *zExcept;       /* names separated by commas; default: none. After
                             ** "only " those of all other columns are meant */
  const char *zTombstones;   /* on, off */
  const char *zErrors;       /* table, row */
  const char *zNull;         /* refuse, 0 */
  const char *zStep;         /* 1, any */
  const char *zHistory;      /* off, a number of versions, or an age: 30d */
  const char *zParent;       /* table(column,...); default: none */
};

/* Makes the options. Each is the one that is asked for (pAsked, or NULL),
** or else the one that was declared (pStored, or NULL), or else the default.
** The installed set, pHas, tells the new names of columns of except that were
** renamed. */
void optionsMake(Sqlx *p, const TableInfo *pInfo, const OptionsText *pStored,
                 const TriggerSet *pHas, const OptionsText *pAsked,
                 VersionedOptions *pOptions);
/* Returns the text of the options, as the registry stores it. */
OptionsText optionsStored(Sqlx *p, const VersionedOptions *pOptions);
/* Returns the place of an option by its name, from z up to `=`, or NULL. */
const char **optionsNamed(OptionsText *pText, const char *z);
/* Returns the options for which the registry has no column of their own, in one
** text: `name=value` with a space between two. Those that are the default are
** left out. */
const char *optionsMore(Sqlx *p, const OptionsText *pText);
/* Takes such a text. An option that it does not name is the default. */
void optionsReadMore(Sqlx *p, const char *z, OptionsText *pText);
/* Whether two of them have the same options, but for the column. */
int optionsEqual(const OptionsText *pA, const OptionsText *pB);
/* Returns the options in the comment that the text of `check` has; NULL if it
** has none. */
const char *optionsComment(Sqlx *p, const char *zSql);
/* Takes the options of such a comment, or the defaults for NULL, but for the
** column. Returns 0 if the comment does not have all of them. */
int optionsRead(Sqlx *p, const char *zComment, OptionsText *pText);
/* Returns the word for tombstones, always the same pointer. */
const char *optionsSwitch(int bOn);

#endif
