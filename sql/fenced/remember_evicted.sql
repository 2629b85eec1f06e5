-- SPDX-License-Identifier: 0BSD
-- remember_evicted: `remember` for an UPDATE OR REPLACE, which removes the row
-- that stands in the way and fires no DELETE trigger for it.
CREATE TRIGGER $trigger BEFORE UPDATE $of_unique ON $table
WHEN $blocked_by_other
BEGIN
  INSERT INTO $side($keys,token)
  SELECT $key_row,ifnull(r.$token,0) FROM $table AS r
  WHERE ($blocker) AND NOT($row_is_old) $if(nullable) AND $key_row_whole $end
  ON CONFLICT($keys) DO UPDATE SET token=excluded.token
  WHERE excluded.token>token;
END
