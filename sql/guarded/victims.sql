-- SPDX-License-Identifier: 0BSD
-- victims: an INSERT names the rows that it may write, before it does.
--
-- INSERT OR REPLACE removes every row that stands in its way: the one under its
-- own key, and those that it meets through a second UNIQUE index or, where the
-- key is not the rowid, through the rowid. It fires no DELETE trigger for them
-- (recursive_triggers is off by default). When `insert` runs, such a row is
-- gone, and nothing could say which it was.
--
-- This trigger also runs where nothing is replaced: for an INSERT OR IGNORE, an
-- UPSERT, or one that fails. So it refuses no row. It notes the keys that other
-- sessions have locked, and what their rows look like. `insert` refuses if such
-- a row has changed. Where `insert` is skipped (RAISE(IGNORE) in an AFTER
-- trigger of the user's), the next guard refuses, or COMMIT.
--
-- Where SQLite is to choose the id, NEW has -1. The key is then the one that
-- SQLite will choose, if no other trigger inserts a row before.
--
-- Without a key interlock_guard() fails if another session has locked the
-- table, and returns 1 if another session may have locked a row. So in most
-- cases no search for victims is made.
CREATE TRIGGER $trigger BEFORE INSERT ON $table
WHEN interlock_guard($me)
BEGIN
  $if(key) SELECT interlock_guard_victim($me,$key_next); $end
  $if(chosen) SELECT interlock_guard_victim($me,$chosen)
  WHERE $key_next=-1; $end
  $if(way) SELECT interlock_guard_victim($me,$key_row)
  FROM $table AS r WHERE $blocker; $end
  DELETE FROM interlock_writer WHERE 0;
END
