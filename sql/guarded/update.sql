-- SPDX-License-Identifier: 0BSD
-- update: a row that another session has locked is not changed.
--
-- It runs BEFORE: an AFTER trigger of the user's with RAISE(IGNORE) skips the
-- AFTER triggers that run behind it, and by then the row has been changed. So
-- an UPDATE of a locked row is also refused where an OR IGNORE or a later
-- trigger would skip the row. There is no list of columns: it would miss a
-- column that is added later.
--
-- interlock_guard() with a key returns 0 or fails, so the body of this trigger
-- never runs. Its DELETE is there in each of these triggers all the same.
-- Through it SQLite calls the virtual table interlock_writer when the
-- transaction begins and ends, and refuses a writer that has not loaded
-- Interlock (`no such table`, or `no such function`). It costs nothing for each
-- row.
CREATE TRIGGER $trigger BEFORE UPDATE ON $table
WHEN interlock_guard($me,$key_old)
BEGIN
  DELETE FROM interlock_writer WHERE 0;
END
