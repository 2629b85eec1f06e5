-- SPDX-License-Identifier: 0BSD
-- tombstone: a deleted row leaves a tombstone with its last version.
--
-- Without it a key that is inserted again starts over, and a stale writer of
-- the old row overwrites the new one.
--
-- It runs BEFORE: an AFTER trigger of the user's with RAISE(IGNORE) skips the
-- AFTER triggers that run behind it, and by then the row is gone. If a later
-- BEFORE trigger skips the row itself, a living row has a tombstone at its own
-- version. Such a tombstone raises nothing that is not above it anyway.
--
-- A mark that `remember` has set stays: under recursive_triggers REPLACE fires
-- this trigger too, and is still a REPLACE. The next INSERT of the key clears
-- the mark. No function is called here: a function in a trigger makes SQLite
-- open a journal for the statement, which costs more than all the rest.
CREATE TRIGGER $trigger BEFORE DELETE ON $table
$if(nullable) WHEN $key_old_whole $end
BEGIN
  INSERT INTO $tombstones($keys,version)
  VALUES($key_old,$old)
  ON CONFLICT($keys) DO UPDATE SET version=$greater,at=NULL;
END
