-- SPDX-License-Identifier: 0BSD
-- gone: a deleted row leaves a tombstone with its last version.
--
-- Without it a key that is inserted again starts over, and a stale writer of
-- the old row overwrites the new one.
--
-- A mark that `note` has made in this very statement stays: under
-- recursive_triggers REPLACE deletes with triggers, and is still a REPLACE.
CREATE TRIGGER $trigger AFTER DELETE ON $table
$if(nullable) WHEN $key_old_whole $end
BEGIN
  INSERT INTO $tombstones($keys,version,live,at)
  VALUES($key_old,OLD.$version,0,$now)
  ON CONFLICT($keys) DO UPDATE
  SET version=max(version,excluded.version),
    live=live AND at=excluded.at,at=excluded.at;
END
