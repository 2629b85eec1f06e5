-- SPDX-License-Identifier: 0BSD
-- noted_blind: with on_stale=log an UPDATE that carries no version is counted:
-- it is accepted in mode auto, and mode strict would refuse it.
--
-- Whether an UPDATE mentions the version, only the list of a trigger tells. So
-- this trigger counts each that mentions one of its columns, the version among
-- them, and leaves the version as it is; and `noted` takes those back that do
-- mention the version. It runs BEFORE, since `bump` has raised the version when
-- the AFTER triggers run. So an UPDATE is counted too if an OR IGNORE then
-- skips its row. Columns that triggers of the user's set are not in the list:
-- mode strict accepts these, too.
CREATE TRIGGER $trigger BEFORE UPDATE $of_blind ON $table
WHEN $new IS $old
BEGIN
  $note_blind
END
