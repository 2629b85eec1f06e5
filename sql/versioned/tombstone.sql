-- SPDX-License-Identifier: 0BSD
-- gone: a deleted row leaves a tombstone with its last version.
--
-- Without it a key that is inserted again starts over, and a stale writer of
-- the old row overwrites the new one.
--
-- BEFORE: an AFTER trigger of the user's with RAISE(IGNORE) skips the AFTER
-- triggers that run behind it, and the row is gone by then. If a later BEFORE
-- trigger skips the row itself, a living row has a tombstone with its own
-- version, which raises nothing that is not above it anyway.
--
-- A mark that `note` has made stays: under recursive_triggers REPLACE deletes
-- with triggers, and is still a REPLACE. The next INSERT of the key takes it
-- away. No function here: a function in a trigger makes SQLite open a journal
-- for the statement, and that costs more than all the rest.
CREATE TRIGGER $trigger BEFORE DELETE ON $table
$if(nullable) WHEN $key_old_whole $end
BEGIN
  INSERT INTO $tombstones($keys,version)
  VALUES($key_old,OLD.$version)
  ON CONFLICT($keys) DO UPDATE SET version=$greater,at=NULL;
END
