-- SPDX-License-Identifier: 0BSD
-- history_ended: the history has no version that has not ended.
--
-- Triggers of the user's that update the row take it through versions that no
-- other connection sees, and `settle` takes it back from them. What was kept of
-- those would later stand for the version that comes to have the number. It is
-- made last, and so runs first: `quiet` would skip it. A row at or below the
-- tombstone of its key is about to be raised, and what is kept of the key above
-- it has ended. With on_stale=log so is a row that an UPDATE has taken back.
CREATE TRIGGER $trigger AFTER UPDATE ON $table
WHEN $new IS NOT $old
 AND NOT EXISTS(SELECT 1 FROM $tombstones WHERE $tombstone_new
   AND version>=$new)
 $if(log) AND ($new>$was OR $own_step) $end
BEGIN
  DELETE FROM $history WHERE $history_is_new
  AND interlock_version>=(SELECT $current FROM $table WHERE $self_new);
END
