-- SPDX-License-Identifier: 0BSD
-- check: an UPDATE that names the version must carry the one that follows.
--
-- UPDATE OF fires for a column in the SET list, changed or not, and so tells
-- a writer who carries a version from one who does not mention it. Without
-- this trigger a stale `SET ..., version = 6` over a row at 6 is accepted.
--
-- 2^63-1: OLD.version + 1 would be a REAL there. Everywhere else what equals
-- it is an INTEGER, for the column has made one of it before a trigger runs;
-- typeof() would say so too, and costs as much as the rest. IS: a NULL must be
-- refused, not make the condition NULL. The last part lets one step through
-- that is no writer's: the lift of a row over the tombstone of its own key.
-- In mode echo it may change nothing else, for there current + 1 is the sign
-- of a stale writer, and `note` may have left a mark at the current version.
-- Another is the step down of `settle`, which it marks while it is taken.

-- SQL ERROR stale write:
-- The row has changed since it was read: the version that the UPDATE carries
-- is not the right one. The text names the table and the column, not the row.
-- To find the row, run `SELECT * FROM t WHERE ... AND version <> ?` with the
-- WHERE clause of the UPDATE and the version that was read.
-- Code: SQLITE_CONSTRAINT_TRIGGER
-- Retry: the transaction, from the reading on: read the row again, compute
--   again, write again
-- Cure: none is needed, this is the purpose of a versioned table; if every
--   write fails, the writers use another convention than the mode of the table
CREATE TRIGGER $trigger BEFORE UPDATE OF $version ON $table
WHEN (NOT($follows) OR OLD.$version>=9223372036854775807)
 AND NOT($lifts AND EXISTS(
   SELECT 1 FROM $tombstones WHERE $tombstone_new
   AND version>=OLD.$version AND NEW.$version IS version+1))
 $if(own) AND NOT(NEW.$version<OLD.$version AND $nothing_else AND EXISTS(
   SELECT 1 FROM $tombstones WHERE $tombstone_new
   AND at=-1-NEW.$version)) $end
BEGIN
  SELECT CASE WHEN OLD.$version=9223372036854775807
    THEN RAISE(ABORT,'version exhausted: $label')
    ELSE $refuse END;
END
