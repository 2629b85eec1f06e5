-- SPDX-License-Identifier: 0BSD
-- insert: a new row is not put under a key that another session has locked.
--
-- The row need not exist for its key to be locked; and a REPLACE of the row
-- under NEW's own key is an INSERT too, which fires no DELETE trigger.
--
-- AFTER, not BEFORE: a BEFORE INSERT trigger also runs for an INSERT OR IGNORE
-- or an UPSERT that inserts nothing, and does not know the rowid yet.
--
-- interlock_guard() returns 0 or fails, so that the body never runs. It stands
-- there all the same, in each of these triggers: by it SQLite tells the virtual
-- table interlock_writer when the transaction begins and ends, and refuses a
-- writer that has not loaded Interlock (`no such table`, or `no such
-- function`). A row costs it nothing.
CREATE TRIGGER $trigger AFTER INSERT ON $table
WHEN interlock_guard($me,$key_new)
BEGIN
  DELETE FROM interlock_writer WHERE 0;
END
