-- SPDX-License-Identifier: 0BSD
-- first: the version that a row begins with is an integer, not negative, and
-- has a next one.
--
-- AFTER, not BEFORE: a BEFORE INSERT trigger also runs for an INSERT OR
-- IGNORE or an UPSERT that inserts nothing.

-- SQL ERROR version invalid:
-- The version that an INSERT gives to a row is NULL, negative or no integer.
-- Code: SQLITE_CONSTRAINT_TRIGGER
-- Retry: nothing
-- Cure: leave the version out where its column has a default, or give 0 or 1

-- SQL ERROR version exhausted:
-- The row is, or would be, at version 2^63-1, and there is no next one.
-- Code: SQLITE_CONSTRAINT_TRIGGER
-- Retry: nothing
-- Cure: undeclare the table, set the versions to 1, and declare it again with
--   another column; no form that was read before may be written after
CREATE TRIGGER $trigger AFTER INSERT ON $table
WHEN NOT(typeof(NEW.$version)='integer' AND NEW.$version>=0
  AND NEW.$version<9223372036854775807)
BEGIN
  SELECT CASE WHEN NEW.$version=9223372036854775807
    THEN RAISE(ABORT,'version exhausted: $label')
    ELSE RAISE(ABORT,'version invalid: $label') END;
END
