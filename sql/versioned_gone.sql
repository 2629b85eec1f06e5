-- SPDX-License-Identifier: 0BSD
-- gone: a deleted row leaves a tombstone with its last version.
--
-- Without it a key that is inserted again starts over, and a stale writer of
-- the old row overwrites the new one.
CREATE TRIGGER $trigger AFTER DELETE ON $table
$if(nullable) WHEN $key_old_whole $end
BEGIN
  INSERT INTO $tombstones($keys,version,live,at)
  VALUES($key_old,OLD.$version,0,$now)
  ON CONFLICT($keys) DO UPDATE
  SET version=max(version,excluded.version),live=0,at=excluded.at;
END
