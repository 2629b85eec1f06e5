-- SPDX-License-Identifier: 0BSD
-- tombstone: a deleted row leaves its token behind, so that a stale writer does
-- not put its own row under the key. BEFORE: an AFTER trigger of the
-- application with RAISE(IGNORE) skips AFTER triggers that have not run yet.
CREATE TRIGGER $trigger BEFORE DELETE ON $table
$if(nullable) WHEN $key_old_whole $end
BEGIN
  INSERT INTO $side($keys,token) VALUES($key_old,ifnull(OLD.$token,0))
  ON CONFLICT($keys) DO UPDATE SET token=excluded.token
  WHERE excluded.token>token;
END
