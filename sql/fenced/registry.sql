-- SPDX-License-Identifier: 0BSD
-- The fenced tables of one database file.
--
-- number     drawn when the table was first fenced; in the names of its
--            triggers and side tables, so that renaming needs nothing here
-- name       of the table, when it was last fenced or repaired
-- lease      the lease whose current token every write must carry; '': none
-- generator  which generation of trigger text was written
-- declared   0: unfenced; its tombstones wait for it
CREATE TABLE IF NOT EXISTS $schema.interlock_fenced(
  number TEXT NOT NULL PRIMARY KEY,
  name TEXT NOT NULL COLLATE NOCASE,
  "column" TEXT NOT NULL,
  lease TEXT NOT NULL,
  generator INTEGER NOT NULL,
  declared INTEGER NOT NULL) WITHOUT ROWID
