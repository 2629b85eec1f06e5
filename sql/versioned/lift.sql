-- SPDX-License-Identifier: 0BSD
-- lift: part of `restore` and `restore_moved`. It raises the row under NEW's
-- key above the tombstone of that key, and then deletes the tombstone: only
-- keys without a row need one. If a trigger of the user's has skipped the
-- UPDATE, the tombstone stays, and `validate`, `verify_restore` or
-- `verify_moved` refuses the row.
--
-- It reads the row and not NEW: a trigger of the user's may have changed the
-- row before. There is no OR clause: that of the outer statement would override
-- it.
SELECT RAISE(ABORT,'version exhausted: $label'$row_new) FROM $tombstones
WHERE $tombstone_new AND version>=$last;
UPDATE $table SET $version=(
  SELECT version+$step FROM $tombstones WHERE $tombstone_new)
WHERE $self_new AND $lowest<=(
  SELECT version FROM $tombstones WHERE $tombstone_new);
DELETE FROM $tombstones WHERE $tombstone_new
AND version<(SELECT $lowest FROM $table WHERE $self_new);
