-- SPDX-License-Identifier: 0BSD
-- settle: a row ends at the version that the UPDATE carries, also if triggers
-- of the user's have updated it once more.
--
-- A table has it only where a trigger of the user's updates the table
-- itself, to keep `updated_at` or a counter. That UPDATE carries no version and
-- raises it; the program, which knows the one that it has written, would be
-- refused from then on. What the trigger has changed belongs to the same
-- UPDATE, and no other statement has seen the row in between. Those triggers
-- are made anew after this one, and so run before it.
--
-- The mark lets the step down through `check`: a negative `at`, which stands
-- only while the step is taken. A tombstone that is there already is of a
-- DELETE or a change of the key around this UPDATE, and keeps its version; one
-- that is made for the mark has -1. A key that has changed is left to
-- `restore_moved`.
CREATE TRIGGER $trigger AFTER UPDATE OF $version ON $table
WHEN NEW.$version IS $old+1 AND $same_key
 $if(nullable) AND $key_old_whole $end
 AND EXISTS(SELECT 1 FROM $table WHERE $self_new AND $version>NEW.$version)
BEGIN
  INSERT INTO $tombstones($keys,version,at)
  VALUES($key_old,-1,-1-NEW.$version)
  ON CONFLICT($keys) DO UPDATE SET at=excluded.at;
  UPDATE $table SET $version=NEW.$version WHERE $self_new;
  DELETE FROM $tombstones WHERE $tombstone_new AND version=-1;
  UPDATE $tombstones SET at=NULL WHERE $tombstone_new AND at<0;
END
