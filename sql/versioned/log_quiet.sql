-- SPDX-License-Identifier: 0BSD
-- quiet, with on_stale=log: a program may carry any version, so a step of
-- Interlock's is told by what is marked, and not by its size alone. Only an
-- UPDATE that carries the version that the row has plus two is taken for one,
-- unless `noted_others` has marked it as a program's, or it changes the key: no
-- step of Interlock's does, and the row may have to go on above the tombstone
-- of its new key.
CREATE TRIGGER $trigger AFTER UPDATE OF $version ON $table
WHEN $new IS NOT $old AND $new IS NOT $old+1
AND ((NEW.$version IS $old+2 AND $same_key AND NOT EXISTS(
  SELECT 1 FROM $log WHERE kind='' AND slot=1 AND key=$key_text
  AND found=NEW.$version)) OR $own_step)
BEGIN
  SELECT RAISE(IGNORE);
END
