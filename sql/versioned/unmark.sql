-- SPDX-License-Identifier: 0BSD
-- unmark: with tombstones=off in place of `tombstone`. A deleted row leaves
-- nothing, and the row that `remember` has written for it in some earlier
-- statement is deleted too.
--
-- What this statement itself has written stays: under recursive_triggers
-- REPLACE fires this trigger, and `restore` runs later. The time in the mark
-- tells the two apart. If another statement has marked the key in the same
-- millisecond, its row stays until the key is inserted again.
CREATE TRIGGER $trigger AFTER DELETE ON $table
$if(nullable) WHEN $key_old_whole $end
BEGIN
  DELETE FROM $tombstones WHERE $tombstone_old AND live IS NOT $now;
END
