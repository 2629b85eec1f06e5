-- SPDX-License-Identifier: 0BSD
-- remember: an INSERT that may replace rows writes down their versions first.
--
-- INSERT OR REPLACE removes every row that stands in its way: through the key,
-- the rowid or any UNIQUE index. It fires no DELETE trigger for them
-- (recursive_triggers is off by default), and the version would start over. A
-- BEFORE INSERT trigger also runs where nothing is replaced, and its effects
-- stay then. So it writes only what is harmless in that case: the version that
-- the row has.
--
-- A mark says that a row lived under the INSERT's own key. In mode strict
-- `restore` needs it to tell a REPLACE from an INSERT of an unused key, and
-- also with on_stale=log. So this trigger then sets or clears the mark for each
-- row that is about to be inserted, whatever an earlier statement has left: no
-- clock is needed to tell the two statements apart. Where SQLite is to choose
-- the rowid, NEW has -1, and the key will be the one above the greatest. With
-- tombstones=off `unmark` deletes what was left. It compares the time in the
-- mark; no version depends on that.
CREATE TRIGGER $trigger BEFORE INSERT ON $table
WHEN $blocked $if(sees_replace) OR EXISTS(SELECT 1 FROM $tombstones
  WHERE $tombstone_next AND live NOT NULL) $end
BEGIN
  $if(sees_replace) UPDATE $tombstones SET live=NULL
  WHERE $tombstone_next AND live NOT NULL; $end
  INSERT INTO $tombstones($keys,version $if(marks),live$end)
  SELECT $key_row,$of_row
  $if(marks),CASE WHEN $row_is_new_key THEN $mark END$end
  FROM $table AS r
  WHERE ($blocker) $if(nullable) AND $key_row_whole $end
  ON CONFLICT($keys) DO UPDATE
  SET version=$greater,$if(marks)live=excluded.live,$end at=NULL;
END
