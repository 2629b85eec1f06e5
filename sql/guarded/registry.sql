-- SPDX-License-Identifier: 0BSD
-- The guarded tables of one database file.
--
-- number     drawn when the table was first guarded. It is part of the names of
--            its triggers, which also pass it to Interlock
-- name       of the table, when it was last guarded or repaired; the triggers
--            pass it too
-- file       16 hex digits, drawn for the first table of the file and passed by
--            the triggers. By it a guard finds out in which of the attached
--            files it is. A text that was made elsewhere (guarded_sql) may have
--            brought another id; each of them leads to this file
-- generator  which generation of trigger text was written
CREATE TABLE IF NOT EXISTS $schema.interlock_guarded(
  number TEXT NOT NULL PRIMARY KEY,
  name TEXT NOT NULL COLLATE NOCASE,
  file TEXT NOT NULL,
  generator INTEGER NOT NULL) WITHOUT ROWID
