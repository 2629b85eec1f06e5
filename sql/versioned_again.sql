-- SPDX-License-Identifier: 0BSD
-- again: a row under a key that has been used goes on above its tombstone.
--
-- It is the other half of note and gone.
CREATE TRIGGER $trigger AFTER INSERT ON $table
WHEN EXISTS(SELECT 1 FROM $tombstones WHERE $tombstone_new)
BEGIN
  $lift
END
