-- SPDX-License-Identifier: 0BSD
-- quiet: an UPDATE that changes nothing but the version runs no AFTER UPDATE
-- trigger of the user's.
--
-- A table has it only where such a trigger updates the table itself. `bump` and
-- its like raise a version by an UPDATE, for which that trigger would be fired
-- as well, and would update the row again: under recursive_triggers without
-- end. RAISE(IGNORE) leaves the row as it is, and skips the triggers that were
-- made before this one.
CREATE TRIGGER $trigger AFTER UPDATE OF $version ON $table
WHEN NEW.$version IS NOT OLD.$version AND NEW.$version IS NOT OLD.$version+1
BEGIN
  SELECT RAISE(IGNORE);
END
