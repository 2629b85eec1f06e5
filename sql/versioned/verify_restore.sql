-- SPDX-License-Identifier: 0BSD
-- verify_restore: no INSERT leaves a row at or below the tombstone of its key.
--
-- While `restore` raises a row, triggers of the user's run inside of it, and
-- without recursive_triggers SQLite does not fire `restore` for the rows that
-- they insert. This trigger only refuses. Nothing runs inside of it, and so it
-- is always fired. It must run after `restore`, and so it is made first.
CREATE TRIGGER $trigger AFTER INSERT ON $table
WHEN EXISTS(SELECT 1 FROM $tombstones WHERE $tombstone_new)
BEGIN
  SELECT RAISE(ABORT,'version not raised: $label'$row_new) FROM $table
  WHERE $self_new AND $lowest<=(
    SELECT version FROM $tombstones WHERE $tombstone_new);
END
