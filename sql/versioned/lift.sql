-- SPDX-License-Identifier: 0BSD
-- lift: part of again and moved. Raises the row under NEW's key above the
-- tombstone of that key, makes sure that this happened, and takes the
-- tombstone away, which only the dead need.
--
-- It reads the row, not NEW: a trigger of the user's may have been there
-- before it. No OR clause: the outer statement's would override it.
SELECT RAISE(ABORT,'version exhausted: $label') FROM $tombstones
WHERE $tombstone_new AND version=9223372036854775807;
UPDATE $table SET $version=(
  SELECT version+1 FROM $tombstones WHERE $tombstone_new)
WHERE $self_new AND $version<=(
  SELECT version FROM $tombstones WHERE $tombstone_new);
SELECT RAISE(ABORT,'version not raised: $label') FROM $table
WHERE $self_new AND $version<=(
  SELECT version FROM $tombstones WHERE $tombstone_new);
DELETE FROM $tombstones WHERE $tombstone_new
AND EXISTS(SELECT 1 FROM $table WHERE $self_new);
