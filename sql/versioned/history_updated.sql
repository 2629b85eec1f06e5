-- SPDX-License-Identifier: 0BSD
-- history_updated: an UPDATE keeps the version that it ends.
--
-- It runs BEFORE, and reads the row. If a trigger that ran before has raised
-- it, the version is kept already, and the row has one that nothing else sees.
-- In mode echo, and with on_stale=ignore, a
-- version is raised after the row has changed. By then its version is kept, and
-- is not kept again.
--
-- A row at or below the tombstone of its key was inserted a moment ago and is
-- about to be raised: an earlier row of that key has had the version. An INSERT
-- that inserts nothing leaves such a tombstone, too, but then
-- `history_replaced` has kept the version. `tombstone_moved` must run later, so
-- it is made first; in the other order the version is not kept. With
-- on_stale=log a row that a trigger of the log is about to raise, which is
-- marked, has the version that a program has sent.
CREATE TRIGGER $trigger BEFORE UPDATE $of_kept ON $table
WHEN NOT EXISTS(SELECT 1 FROM $tombstones WHERE $tombstone_old
  AND version>=$old)
 $if(log) AND NOT EXISTS(SELECT 1 FROM $log WHERE kind='' AND slot=0
  AND key=$key_text) $end
BEGIN
  $keep
  $purge
END
