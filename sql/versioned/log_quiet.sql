-- SPDX-License-Identifier: 0BSD
-- quiet, with on_stale=log: a program may carry any version, so a step of
-- Interlock's is told by what is marked, and not by its size alone. Only an
-- UPDATE that carries the version that the row has plus two is taken for one.
CREATE TRIGGER $trigger AFTER UPDATE OF $version ON $table
WHEN $new IS NOT $old AND $new IS NOT $old+1
AND (NEW.$version IS $old+2 OR $own_step)
BEGIN
  SELECT RAISE(IGNORE);
END
