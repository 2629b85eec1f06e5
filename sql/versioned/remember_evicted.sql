-- SPDX-License-Identifier: 0BSD
-- remember_evicted: an UPDATE that may replace another row writes down the
-- version of that row.
--
-- UPDATE OR REPLACE, or an ON CONFLICT REPLACE in the table, removes the row
-- that stands in the way. SQLite fires no DELETE trigger for it.
CREATE TRIGGER $trigger BEFORE UPDATE $of_unique ON $table
WHEN $blocked_by_other
BEGIN
  INSERT INTO $tombstones($keys,version)
  SELECT $key_row,$of_row FROM $table AS r
  WHERE ($blocker) AND NOT($row_is_old) $if(nullable) AND $key_row_whole $end
  ON CONFLICT($keys) DO UPDATE
  SET version=$greater,live=NULL,at=NULL;
END
