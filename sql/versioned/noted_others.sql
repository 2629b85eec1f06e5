-- SPDX-License-Identifier: 0BSD
-- noted_others: with on_stale=log what `check_others` refuses is noted: an
-- UPDATE that sets other columns, and carries what only a step of Interlock's
-- may carry, for which `noted` lets it pass.
--
-- It runs BEFORE: once `bump` has raised a row, an UPDATE that carries no
-- version looks like such a step. A mark that `settle` has left behind is
-- removed, so that `noted` does not take the UPDATE for its step.
CREATE TRIGGER $trigger BEFORE UPDATE OF $others ON $table
WHEN NOT($carries) AND (($follows) OR ($own_step))
BEGIN
  $note_carried
  $if(own) UPDATE $tombstones SET at=NULL WHERE $tombstone_new AND at<0; $end
END
