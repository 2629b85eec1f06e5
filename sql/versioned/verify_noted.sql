-- SPDX-License-Identifier: 0BSD
-- verify_noted: with on_stale=log no UPDATE that carries a version ends at one
-- that the row had before.
--
-- A trigger of the user's can skip the step of `noted`, and without
-- recursive_triggers SQLite does not fire `noted` for what such triggers update
-- inside of it. This trigger only refuses, and so is always fired. It must run
-- last, and so it is made first. In mode echo an UPDATE that carries the right
-- version raises it only if it sets a column that counts, and `verify_bump`
-- sees to that.
CREATE TRIGGER $trigger AFTER UPDATE OF $version ON $table
$if(echo) WHEN $new IS NOT $old $end
$if(own) WHEN NOT(NEW.$version<$old AND EXISTS(SELECT 1 FROM $tombstones
  WHERE $tombstone_new AND at=-1-NEW.$version)) $end
BEGIN
  SELECT RAISE(ABORT,'version not raised: $label'$row_at) FROM $table
  WHERE $self_new AND $is<=$was;
END
