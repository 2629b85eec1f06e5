-- SPDX-License-Identifier: 0BSD
-- validate: the version with which a row begins is an integer, not negative,
-- and has a next one; and no INSERT leaves a row at or below the tombstone of
-- its key.
--
-- It runs AFTER: a BEFORE INSERT trigger also runs for an INSERT OR IGNORE or
-- an UPSERT that inserts nothing.
--
-- While `restore` raises a row, triggers of the user's run inside of it, and
-- without recursive_triggers SQLite does not fire `restore` for the rows that
-- they insert. This trigger only refuses. Nothing runs inside of it, and so it
-- is always fired. It must run after `restore`, and so it is made before it. In
-- the other order it would refuse a good row, and accept no bad one.

-- SQL ERROR version invalid:
-- An INSERT gives a row a version that is NULL, negative or not an integer.
-- Code: SQLITE_CONSTRAINT_TRIGGER
-- Retry: nothing
-- Cure: leave the version out if its column has a default, or give 0 or 1

-- SQL ERROR version exhausted:
-- The row is, or would be, at version 2^63-1, after which there is no next
-- version.
-- Code: SQLITE_CONSTRAINT_TRIGGER
-- Retry: nothing
-- Cure: undeclare the table, set the versions to 1, and declare it again with
--   another column; no form that was opened before may be saved after that
CREATE TRIGGER $trigger AFTER INSERT ON $table
BEGIN
  SELECT CASE WHEN NEW.$version=9223372036854775807
    THEN RAISE(ABORT,'version exhausted: $label'$row_new)
    WHEN typeof($new)='integer' AND $new>=0
    THEN RAISE(ABORT,'version not raised: $label'$row_new)
    ELSE RAISE(ABORT,'version invalid: $label'$row_new$sent) END
  WHERE NOT(typeof($new)='integer' AND $new>=0
    AND $new<9223372036854775807) OR $unraised;
END
