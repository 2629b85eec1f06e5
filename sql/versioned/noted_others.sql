-- SPDX-License-Identifier: 0BSD
-- noted_others: with on_stale=log what `check_others` refuses is noted: an
-- UPDATE that sets other columns, and carries what only a step of Interlock's
-- may carry, for which `noted` lets it pass.
--
-- It runs BEFORE: once `bump` has raised a row, an UPDATE that carries no
-- version looks like such a step. A mark that `settle` has left behind is
-- removed, so that `noted` does not take the UPDATE for its step. If the UPDATE
-- carries what a step carries, a mark tells `quiet` that it is none: a step
-- sets nothing but the version. The mark stays until `noted` removes it, also
-- where an OR IGNORE has skipped the row. Then an UPDATE of the version alone,
-- from the same version by two, is not taken for a step either, and so it fires
-- the triggers of the user's. No version depends on that.
CREATE TRIGGER $trigger BEFORE UPDATE OF $others ON $table
WHEN NOT($carries) AND (($follows) OR ($own_step))
BEGIN
  $note_carried
  $if(steps) INSERT INTO $log(kind,slot,key,found)
  SELECT '',1,$key_text,NEW.$version WHERE NEW.$version IS $old+2
  ON CONFLICT(kind,slot) DO UPDATE SET key=excluded.key,found=excluded.found;
  $end
  $if(own) UPDATE $tombstones SET at=NULL WHERE $tombstone_new AND at<0; $end
END
