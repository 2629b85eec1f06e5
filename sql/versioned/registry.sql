-- SPDX-License-Identifier: 0BSD
-- The versioned tables of one database file.
--
-- number     drawn when the table was first declared. It is part of the names
--            of its triggers and tombstones, so a RENAME changes nothing here
-- name       of the table, when it was last declared or repaired
-- generator  which generation of trigger text was written
-- declared   0: undeclared; the tombstones wait until it is declared again
-- options    `name=value` with a space between two: the other options that are
--            not the default. An older Interlock made no such column
CREATE TABLE IF NOT EXISTS $schema.interlock_versioned(
  number TEXT NOT NULL PRIMARY KEY,
  name TEXT NOT NULL COLLATE NOCASE,
  "column" TEXT NOT NULL,
  mode TEXT NOT NULL,
  on_stale TEXT NOT NULL,
  except_columns TEXT NOT NULL,
  tombstones INTEGER NOT NULL,
  generator INTEGER NOT NULL,
  declared INTEGER NOT NULL,
  options TEXT NOT NULL DEFAULT '') WITHOUT ROWID
