-- SPDX-License-Identifier: 0BSD
-- verify_bump: no UPDATE ends with the version with which it began.
--
-- A trigger of the user's that skips rows (RAISE(IGNORE)) can skip the UPDATE
-- of `bump`. And without recursive_triggers SQLite does not fire a trigger
-- inside of itself: what triggers of the user's update while `bump` and
-- `bump_after` are both at work, nothing raises. This trigger only refuses.
-- Nothing runs inside of it, and so it is always fired. It must run last, and
-- so it is made first.

-- SQL ERROR version not raised:
-- The version of a row was not raised although it had to be: a trigger on the
-- table has skipped the UPDATE that raises it (RAISE(IGNORE)), or triggers that
-- write the table fire each other. If the text ends with `(the
-- one of its parent)`, the trigger is on the table that `parent` names. The
-- write is undone.
-- Code: SQLITE_CONSTRAINT_TRIGGER
-- Retry: nothing
-- Cure: `SELECT versioned_repair()`, if the status of the table is not `ok`;
--   else make that trigger accept an UPDATE that changes only the version, or
--   give it a list of columns
CREATE TRIGGER $trigger AFTER UPDATE $of_others ON $table
WHEN $new IS $old
BEGIN
  SELECT RAISE(ABORT,'version not raised: $label'$row_at) FROM $table
  WHERE $self_new AND $current IS $old;
END
