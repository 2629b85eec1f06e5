-- SPDX-License-Identifier: 0BSD
-- update: a row that another session has locked is not changed.
--
-- BEFORE: an AFTER trigger of the user's with RAISE(IGNORE) skips the AFTER
-- triggers that run behind it, and the row has been changed by then. So an
-- UPDATE of a locked row is refused also where an OR IGNORE or a later trigger
-- would skip the row. No list of columns: it would miss one that is added
-- later.
--
-- interlock_guard() returns 0 or fails, so that the body never runs. It stands
-- there all the same, in each of these triggers: by it SQLite tells the virtual
-- table interlock_writer when the transaction begins and ends, and refuses a
-- writer that has not loaded Interlock (`no such table`, or `no such
-- function`). A row costs it nothing.
CREATE TRIGGER $trigger BEFORE UPDATE ON $table
WHEN interlock_guard($me,$key_old)
BEGIN
  DELETE FROM interlock_writer WHERE 0;
END
