-- SPDX-License-Identifier: 0BSD
-- note: an INSERT that may replace rows writes down their versions first.
--
-- INSERT OR REPLACE fires no DELETE trigger (recursive_triggers is off by
-- default) and would start the row over. It removes every row that stands in
-- its way, through the key, the rowid or any UNIQUE index. A BEFORE INSERT
-- trigger also runs where nothing gets replaced, and nothing undoes it: so
-- it writes only what is harmless then, the version that the row has.
--
-- A mark with the time of this statement is for those who must tell a REPLACE
-- from a key born again: `again` in mode strict, `unmark`.
CREATE TRIGGER $trigger BEFORE INSERT ON $table
WHEN $blocked
BEGIN
  INSERT INTO $tombstones($keys,version $if(marks),live$end)
  SELECT $key_row,r.$version
  $if(marks),CASE WHEN $row_is_new_key THEN $now END$end
  FROM $table AS r
  WHERE ($blocker) $if(nullable) AND $key_row_whole $end
  ON CONFLICT($keys) DO UPDATE
  SET version=$greater,$if(marks)live=excluded.live,$end at=NULL;
END
