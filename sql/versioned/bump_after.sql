-- SPDX-License-Identifier: 0BSD
-- raise: the bump as an AFTER trigger, for what a BEFORE trigger cannot do.
--
-- echo: the statement sets the version itself, to the one it read, and its
-- value wins over a BEFORE bump. on_stale=ignore: a BEFORE bump that runs
-- before `check` stays although the row is then skipped.
--
-- It makes sure that the bump happened, as `kept` does. A row that `moved`
-- has lifted already is left alone.
CREATE TRIGGER $trigger AFTER UPDATE $of_others ON $table
WHEN NEW.$version IS OLD.$version
BEGIN
  UPDATE $table SET $version=OLD.$version+1
  WHERE $self_new AND $version IS OLD.$version;
  SELECT RAISE(ABORT,'version not raised: $label') FROM $table
  WHERE $self_new AND $version IS OLD.$version;
END
