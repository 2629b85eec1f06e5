-- SPDX-License-Identifier: 0BSD
-- note: an INSERT that may replace rows writes down their versions first.
--
-- INSERT OR REPLACE fires no DELETE trigger (recursive_triggers is off by
-- default) and would start the row over. It removes every row that stands in
-- its way, through the key, the rowid or any UNIQUE index. A BEFORE INSERT
-- trigger also runs where nothing gets replaced, and nothing undoes it: so
-- it writes only what is harmless then, the version that the row has.
--
-- A mark says that a row lived under the INSERT's own key. `again` needs it in
-- mode strict, to tell a REPLACE from a key born again: so there it is set or
-- taken away for each row that is about to be inserted, whatever an earlier
-- statement has left, and no clock has to tell the two statements apart.
-- Where SQLite is to choose the rowid, NEW has -1, and the key will be the one
-- above the greatest. With tombstones=off `unmark` removes what was left, and
-- goes by the time in the mark: no version depends on that.
CREATE TRIGGER $trigger BEFORE INSERT ON $table
WHEN $blocked $if(strict) OR EXISTS(SELECT 1 FROM $tombstones
  WHERE $tombstone_next AND live NOT NULL) $end
BEGIN
  $if(strict) UPDATE $tombstones SET live=NULL
  WHERE $tombstone_next AND live NOT NULL; $end
  INSERT INTO $tombstones($keys,version $if(marks),live$end)
  SELECT $key_row,r.$version
  $if(marks),CASE WHEN $row_is_new_key THEN $mark END$end
  FROM $table AS r
  WHERE ($blocker) $if(nullable) AND $key_row_whole $end
  ON CONFLICT($keys) DO UPDATE
  SET version=$greater,$if(marks)live=excluded.live,$end at=NULL;
END
