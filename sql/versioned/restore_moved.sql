-- SPDX-License-Identifier: 0BSD
-- restore_moved: under a changed key the row goes on above the tombstone of
-- that key, as if it were inserted. `tombstone_moved` treats the old key.
CREATE TRIGGER $trigger AFTER UPDATE OF $of_key ON $table
WHEN NOT($same_key)
BEGIN
  $lift
END
