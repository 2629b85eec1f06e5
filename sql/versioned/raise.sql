-- SPDX-License-Identifier: 0BSD
-- raise: the bump as an AFTER trigger, for what a BEFORE trigger cannot do.
--
-- echo: the statement sets the version itself, to the one it read, and its
-- value wins over a BEFORE bump. on_stale=ignore: a BEFORE bump that runs
-- before `check` stays although the row is then skipped. auto: while `bump`
-- raises a row, the UPDATEs of the application's triggers run inside of it, and
-- without recursive_triggers SQLite does not fire `bump` for them. So it also
-- makes good what SQLite's manual leaves undefined, should a row that a BEFORE
-- trigger has changed not be read again.
--
-- A row that has been raised since it was written is left alone. With
-- on_stale=ignore there is a second one, `nested`: each is what is fired inside
-- of the other.
CREATE TRIGGER $trigger AFTER UPDATE $of_others ON $table
WHEN NEW.$version IS OLD.$version
BEGIN
  UPDATE $table SET $version=OLD.$version+1
  WHERE $self_new AND $version IS OLD.$version;
END
