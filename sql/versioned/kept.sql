-- SPDX-License-Identifier: 0BSD
-- kept: no UPDATE ends with the version it began with.
--
-- A trigger of the application that skips rows (RAISE(IGNORE)) can swallow the
-- bump. And without recursive_triggers SQLite does not fire a trigger inside of
-- itself: what triggers of the application update while `bump` and `raise` are
-- both at work, nothing raises. This one does no more than refuse, so nothing
-- runs inside of it, and it is always fired. It has to run last, and so is made
-- first.

-- SQL ERROR version not raised:
-- The version of a row was not raised although it had to be: a trigger on the
-- table has skipped the UPDATE that raises it (RAISE(IGNORE)), or several
-- triggers that update the table have set each other off. The write is undone.
-- Code: SQLITE_CONSTRAINT_TRIGGER
-- Retry: nothing
-- Cure: `SELECT versioned_repair()`, if status is not `ok`; make that trigger
--   accept an UPDATE that changes only the version, or give it a list of
--   columns
CREATE TRIGGER $trigger AFTER UPDATE $of_others ON $table
WHEN NEW.$version IS OLD.$version
BEGIN
  SELECT RAISE(ABORT,'version not raised: $label') FROM $table
  WHERE $self_new AND $version IS OLD.$version;
END
