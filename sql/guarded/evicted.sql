-- SPDX-License-Identifier: 0BSD
-- evicted: `victims` for an UPDATE.
--
-- UPDATE OR REPLACE, or an ON CONFLICT REPLACE in the table, removes the row
-- that stands in the way. The new key may be locked too, with a row or without.
CREATE TRIGGER $trigger BEFORE UPDATE $of_way ON $table
WHEN interlock_guard($me)
BEGIN
  SELECT interlock_guard_victim($me,$key_next);
  $if(way) SELECT interlock_guard_victim($me,$key_row)
  FROM $table AS r WHERE ($blocker) AND NOT($row_is_old); $end
  DELETE FROM interlock_writer WHERE 0;
END
