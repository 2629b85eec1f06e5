-- SPDX-License-Identifier: 0BSD
-- required_first: `required` as a BEFORE trigger, where `bump_own` accepts
-- UPDATEs without a version.
--
-- `bump_own` raises the version of each UPDATE that sets a column which
-- triggers of the user's set. A BEFORE trigger of the user's that updates the
-- row has it raised by the time `required` looks. So an UPDATE that sets any
-- other column is refused first. This trigger is made before `check`, and so
-- runs after it: with on_stale=ignore a stale row is skipped.
CREATE TRIGGER $trigger BEFORE UPDATE OF $not_own ON $table
WHEN $new IS $old
BEGIN
  SELECT RAISE(ABORT,'version required: $label'$row_at);
END
