-- SPDX-License-Identifier: 0BSD
-- required: in mode strict every UPDATE must carry a version.
--
-- It runs AFTER, so that a row which an OR IGNORE skips causes no error. What
-- `bump_own` accepts has been raised by then.

-- SQL ERROR version required:
-- The table is in mode strict, and the UPDATE, or the REPLACE of an existing
-- row, carries no version. If the text says `table altered`, the UPDATE may set
-- a column that was added after the table was declared with `except`.
-- Code: SQLITE_CONSTRAINT_TRIGGER
-- Retry: nothing
-- Cure: set the version to the one that was read plus one; `SELECT
--   versioned_repair()` after ALTER TABLE with `except`; or declare mode
--   auto
CREATE TRIGGER $trigger AFTER UPDATE $of_others ON $table
WHEN $new IS $old
BEGIN
  SELECT RAISE(ABORT,'version required: $label'$row_at);
END
