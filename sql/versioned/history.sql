-- SPDX-License-Identifier: 0BSD
-- The history of one table: what earlier versions of its rows looked like. A
-- table has it only with the option `history`.
--
-- interlock_id       in the order in which the versions ended
-- interlock_k1, ...  the key, which a version of a row has with it
-- interlock_version  the version
-- interlock_at       when it ended, in unix ms; NULL only while `keep` writes
-- all others         the columns of the table, with the values that they had.
--                    A column that was added to the table later has the value
--                    of its DEFAULT here, a BLOB that says `not kept`, in rows
--                    that are older than it
--
-- A row of it is written when its version ends, and never for the version that
-- the row has now. So a table that is declared takes no room at first.
CREATE TABLE $history(
  interlock_id INTEGER PRIMARY KEY,$history_key_columns,
  interlock_version INTEGER,interlock_at INTEGER,$history_columns,
  UNIQUE($history_keys,interlock_version))
