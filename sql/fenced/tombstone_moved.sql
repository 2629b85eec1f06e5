-- SPDX-License-Identifier: 0BSD
-- tombstone_moved: a key that an UPDATE takes from its row gets a tombstone, as
-- if the row were deleted.
CREATE TRIGGER $trigger BEFORE UPDATE OF $of_key ON $table
WHEN NOT($same_key) $if(nullable) AND $key_old_whole $end
BEGIN
  INSERT INTO $side($keys,token) VALUES($key_old,ifnull(OLD.$token,0))
  ON CONFLICT($keys) DO UPDATE SET token=excluded.token
  WHERE excluded.token>token;
END
