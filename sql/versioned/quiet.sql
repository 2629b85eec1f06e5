-- SPDX-License-Identifier: 0BSD
-- quiet: an UPDATE by which Interlock raises or settles a version runs no AFTER
-- UPDATE trigger of the user's.
--
-- A table has it only where such a trigger updates the table itself. `bump` and
-- its like raise a version by an UPDATE, for which that trigger would be fired
-- as well, and would update the row again: under recursive_triggers without
-- end. A program that carries a version raises it by one or, in mode echo, not
-- at all. In a table with this trigger, Interlock raises it by two or more. So
-- the step tells the two apart. RAISE(IGNORE) leaves the row as it is, and
-- skips the triggers that were made before this one.
CREATE TRIGGER $trigger AFTER UPDATE OF $version ON $table
WHEN $new IS NOT $old AND $new IS NOT $old+1
BEGIN
  SELECT RAISE(IGNORE);
END
