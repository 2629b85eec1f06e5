-- SPDX-License-Identifier: 0BSD
-- bump_after: `bump` as an AFTER trigger, for what a BEFORE trigger cannot do.
--
-- In mode echo the statement itself sets the version to the one that it read,
-- and its value wins over that of a BEFORE trigger. With on_stale=ignore a
-- BEFORE trigger could run before `check`, and its bump would stay although the
-- row is then skipped.
--
-- It verifies that the version was raised, as `verify_bump` does. A row that
-- `restore_moved` has lifted already is left as it is.
CREATE TRIGGER $trigger AFTER UPDATE $of_others ON $table
WHEN NEW.$version IS OLD.$version
BEGIN
  UPDATE $table SET $version=OLD.$version+1
  WHERE $self_new AND $version IS OLD.$version;
  SELECT RAISE(ABORT,'version not raised: $label') FROM $table
  WHERE $self_new AND $version IS OLD.$version;
END
