-- SPDX-License-Identifier: 0BSD
-- insert: a new row is not put under a key that another session has locked,
-- and replaces no row that another session has locked.
--
-- The row need not exist for its key to be locked. It runs AFTER: a BEFORE
-- INSERT trigger also runs for an INSERT OR IGNORE or an UPSERT that inserts
-- nothing, and does not know a rowid that SQLite chooses.
CREATE TRIGGER $trigger AFTER INSERT ON $table
WHEN interlock_guard($me,$key_new)
BEGIN
  DELETE FROM interlock_writer WHERE 0;
END
