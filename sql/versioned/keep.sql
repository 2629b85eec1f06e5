-- SPDX-License-Identifier: 0BSD
-- keep: part of the triggers that write the history. It keeps the rows r of
-- which the condition is true as they are, unless that version is kept already.
--
-- The columns are named without a table. If DROP COLUMN takes one of them from
-- the table, its name then means the column of the history, which is NULL in
-- the new row: SQLite accepts the text, and DROP COLUMN succeeds. So the values
-- are set by an UPDATE, in which the history is around the subquery. RENAME
-- COLUMN rewrites the name in the subquery, and not the one before it.
--
-- The condition can have expressions of indexes, which name columns without a
-- table, too. So it stands in subqueries that have no table but the user's: in
-- a join with the history each name would be ambiguous.
INSERT INTO $history($history_keys,interlock_version)
SELECT $key_row,$of_row FROM $table AS r
WHERE ($kept) $if(nullable) AND $key_row_whole $end
ON CONFLICT($history_keys,interlock_version) DO NOTHING;
UPDATE $history SET ($columns)=(
  SELECT $columns FROM $table AS r WHERE $history_is_row),
  interlock_at=$now
WHERE interlock_at IS NULL AND ($history_keys,interlock_version) IN(
  SELECT $key_row,$of_row FROM $table AS r WHERE $kept);
