-- SPDX-License-Identifier: 0BSD
-- verify_restore: no INSERT leaves a row below the tombstone of its key.
--
-- While `restore` sets a token, triggers of the application run inside of it,
-- and without recursive_triggers SQLite does not fire `restore` for the rows
-- that they insert. This trigger only refuses, and so is always fired. It must
-- run after `restore`, and so it is made before it.
CREATE TRIGGER $trigger AFTER INSERT ON $table
WHEN EXISTS(SELECT 1 FROM $side WHERE $side_new)
BEGIN
  SELECT RAISE(ABORT,'fenced: $label') FROM $table
  WHERE $self_new AND ifnull($token,0)<(
    SELECT token FROM $side WHERE $side_new);
END
