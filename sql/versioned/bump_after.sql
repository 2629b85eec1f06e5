-- SPDX-License-Identifier: 0BSD
-- bump_after: `bump` as an AFTER trigger, for what a BEFORE trigger cannot do.
--
-- In mode echo the statement itself sets the version to the one that it read,
-- and its value wins over that of a BEFORE trigger. With on_stale=ignore a
-- BEFORE trigger could run before `check`, and its bump would stay although the
-- row is then skipped. In mode auto the UPDATEs of the user's triggers run
-- inside of `bump` while it raises a row, and without recursive_triggers SQLite
-- does not fire `bump` for them. So this trigger also makes good what SQLite's
-- manual leaves undefined: a row that a BEFORE trigger has changed, and that is
-- not read again.
--
-- A row that has been raised since it was written is left as it is. With
-- on_stale=ignore there are two of these triggers, the second is `bump_nested`:
-- each is fired for what is updated inside of the other.
CREATE TRIGGER $trigger AFTER UPDATE $of_others ON $table
WHEN $new IS $old
BEGIN
  UPDATE $table SET $version=$old+$step
  WHERE $self_new AND $current IS $old;
END
