-- SPDX-License-Identifier: 0BSD
-- tombstone_moved: a key that an UPDATE takes from its row gets a tombstone, as
-- if the row were deleted. It runs BEFORE, for the reason that `tombstone` has.
CREATE TRIGGER $trigger BEFORE UPDATE OF $of_key ON $table
WHEN NOT($same_key) $if(nullable) AND $key_old_whole $end
BEGIN
  INSERT INTO $tombstones($keys,version)
  VALUES($key_old,$old)
  ON CONFLICT($keys) DO UPDATE SET version=$greater,at=NULL;
END
