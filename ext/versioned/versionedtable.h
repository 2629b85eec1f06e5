/* SPDX-License-Identifier: 0BSD */
/*
** What is known of a versioned table beside what is known of every declared
** table: its options, and what its tombstones look like.
*/
#ifndef INTERLOCK_VERSIONEDTABLE_H
#define INTERLOCK_VERSIONEDTABLE_H

#include "schema/declared.h"
#include "versioned/options.h"

typedef struct VersionedTable VersionedTable;

/* What must be done with the history of a table. */
typedef enum HistoryChange {
  HISTORY_STAYS = 0,     /* nothing, or there is none */
  HISTORY_MADE,
  HISTORY_CHANGED,       /* columns were added or renamed */
  HISTORY_MADE_ANEW,     /* it was made for another key */
  HISTORY_DROPPED        /* the table has the option no more */
} HistoryChange;

struct VersionedTable {
  DeclaredTable base;    /* must be the first */
  OptionsText stored;   /* the options of the entry; the column as it is
                         ** called now */
  const char *zLabel;    /* the label in the installed messages, or NULL */
  const char *zParent;   /* the parent as the installed triggers name it, or
                         ** NULL */
  sqlite3_int64 iRow;    /* the row of sqlite_master that the installed triggers
                         ** name, or 0 */
  const char *zInstalled;  /* the options in the installed comment, or NULL */
  VersionedOptions options;  /* the options of the set */
  VersionedTexts texts;
  int bOtherKey;         /* the tombstones were made for another key */
  HistoryChange eHistory;  /* set by historyPrepare(), as are the next two */
  int bRemade;           /* the triggers will be dropped and made again */
  int bNoTombstones;     /* it had tombstones, and they are gone */
};

#endif
