-- SPDX-License-Identifier: 0BSD
-- victims: an INSERT that may replace rows under other keys names them first.
--
-- INSERT OR REPLACE removes every row that stands in its way, also through a
-- second UNIQUE index or, where the key is not the rowid, through the rowid,
-- and fires no DELETE trigger for it (recursive_triggers is off by default).
-- When `insert` runs such a row is gone, and nothing would tell which it was.
--
-- This trigger also runs where nothing gets replaced: for an INSERT OR IGNORE,
-- an UPSERT, or one that fails. So it refuses nothing. It notes the keys, and
-- the guard that runs AFTER refuses if such a row is gone and was locked by
-- another session.
--
-- Without a key interlock_guard() returns 1 if somebody else may hold a lock on
-- the table, and so keeps the search for victims from costs that mostly buy
-- nothing.
CREATE TRIGGER $trigger BEFORE INSERT ON $table
WHEN interlock_guard($me) AND ($blocked)
BEGIN
  SELECT interlock_guard_victim($me,$key_row)
  FROM $table AS r WHERE $blocker;
  DELETE FROM interlock_writer WHERE 0;
END
