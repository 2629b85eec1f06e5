-- SPDX-License-Identifier: 0BSD
-- remember: an INSERT that may replace rows writes down their tokens first.
--
-- INSERT OR REPLACE fires no DELETE trigger (recursive_triggers is off by
-- default). It removes every row that stands in its way, through the key, the
-- rowid or any UNIQUE index. This trigger also runs where nothing gets
-- replaced: a tombstone with the token of a living row refuses nothing that the
-- row itself would not refuse.
CREATE TRIGGER $trigger BEFORE INSERT ON $table
WHEN $blocked
BEGIN
  INSERT INTO $side($keys,token)
  SELECT $key_row,ifnull(r.$token,0) FROM $table AS r
  WHERE ($blocker) $if(nullable) AND $key_row_whole $end
  ON CONFLICT($keys) DO UPDATE SET token=excluded.token
  WHERE excluded.token>token;
END
