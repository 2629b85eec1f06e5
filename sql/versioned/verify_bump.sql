-- SPDX-License-Identifier: 0BSD
-- verify_bump: no UPDATE ends with the version with which it began.
--
-- A trigger of the user's that skips rows (RAISE(IGNORE)) can skip the UPDATE
-- of `bump`. This trigger also verifies at every write what SQLite's manual
-- leaves undefined: that a row which a BEFORE trigger has changed is read
-- again.

-- SQL ERROR version not raised:
-- The version of a row was not raised although it had to be: a trigger on the
-- table (RAISE(IGNORE)) has skipped the UPDATE that raises it. The write is
-- undone.
-- Code: SQLITE_CONSTRAINT_TRIGGER
-- Retry: nothing
-- Cure: make that trigger accept an UPDATE that changes only the version
CREATE TRIGGER $trigger AFTER UPDATE $of_others ON $table
WHEN NEW.$version IS OLD.$version
BEGIN
  SELECT RAISE(ABORT,'version not raised: $label');
END
