-- SPDX-License-Identifier: 0BSD
-- moved: a changed key is the end of one row and the start of another.
--
-- The old key gets a tombstone, as if deleted; under the new key the row goes
-- on above that key's tombstone, as if inserted.
CREATE TRIGGER $trigger AFTER UPDATE OF $of_key ON $table
WHEN NOT($same_key)
BEGIN
  $if(tombstones) INSERT INTO $tombstones($keys,version)
  SELECT $key_old,OLD.$version WHERE $key_old_whole
  ON CONFLICT($keys) DO UPDATE
  SET version=$greater,live=NULL,at=NULL; $end
  $lift
END
