-- SPDX-License-Identifier: 0BSD
-- lift: part of `restore` and `restore_moved`. It raises the row under NEW's
-- key above the tombstone of that key, makes sure that this has happened, and
-- deletes the tombstone: only keys without a row need one.
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
SELECT RAISE(ABORT,'version not raised: $label'$row_new) FROM $table
WHERE $self_new AND $lowest<=(
  SELECT version FROM $tombstones WHERE $tombstone_new);
DELETE FROM $tombstones WHERE $tombstone_new
AND EXISTS(SELECT 1 FROM $table WHERE $self_new);
