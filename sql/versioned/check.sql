-- SPDX-License-Identifier: 0BSD
-- check: an UPDATE that names the version must carry the right one.
--
-- UPDATE OF fires for a column in the SET list, whether or not its value
-- changes. So it tells a writer that carries a version from one that does not
-- mention it. Without this trigger a stale `SET ..., version = 6` over a row at
-- 6 is accepted.
--
-- At 2^63-1 OLD.version + 1 would be a REAL. Everywhere else a value that
-- equals it is an INTEGER, because the affinity of the column has made it one
-- before the trigger runs; typeof() would cost as much as the rest. The
-- comparison is IS: a NULL must be refused, and must not make the condition
-- NULL.
--
-- The last part accepts one step that no writer makes: `lift` raises a row
-- above the tombstone of its own key. Where triggers of the user's update the
-- table, Interlock raises by two, and there is `settle`, whose step down is
-- accepted: it is marked while it is taken. `check_others` refuses an UPDATE
-- that takes one of these steps and sets anything else. `remember` may have
-- left a tombstone at the current version.

-- The comment has the options of the table. They are read from it if a tool has
-- dropped the registry.

-- SQL ERROR stale write:
-- The row has changed since it was read: the version that the UPDATE carries
-- is not the right one. The text names the table and the column and, with
-- `errors=row`, the row. Without that option this query finds the row: `SELECT
-- * FROM t WHERE ... AND version <> ?`, with the WHERE clause of the UPDATE and
-- the version that was read.
-- In the modes `auto` and `strict` the text ends with `(if it was sent as read:
-- mode echo)` where the UPDATE carries the version that the row has. A writer
-- that read one version before sends that number, and so does one that writes
-- the version back as it read it, which is refused every time.
-- Code: SQLITE_CONSTRAINT_TRIGGER
-- Retry: the transaction, from the reading on: read the row again, compute
--   again, write again; not for ever
-- Cure: none is needed, this is the purpose of a versioned table; if every
--   write fails, the writers use another convention than the mode of the table

-- SQL ERROR version ahead:
-- The UPDATE carries a version that the row has not reached: no writer can have
-- read the one before it. The writer follows another convention than the mode
-- of the table: it sends the version plus one in mode `echo`, or adds more than
-- one in the others. Or the row has gone back, since a backup was restored.
-- With `on_stale=ignore` the row is skipped. With `tombstones=off` this is
-- `stale write:`, since a key that comes back starts over.
-- Code: SQLITE_CONSTRAINT_TRIGGER
-- Retry: nothing
-- Cure: declare the mode that the writers follow; after a restored backup, read
--   again
CREATE TRIGGER $trigger BEFORE UPDATE OF $version ON $table $options
WHEN (NOT($follows) OR $old>=$last)
 AND NOT($same_key AND EXISTS(
   SELECT 1 FROM $tombstones WHERE $tombstone_new
   AND version>=$old AND NEW.$version IS version+$step))
 $if(own) AND NOT(NEW.$version<$old AND EXISTS(
   SELECT 1 FROM $tombstones WHERE $tombstone_new
   AND at=-1-NEW.$version)) $end
BEGIN
  $refused
END
