-- SPDX-License-Identifier: 0BSD
-- parent_update: a child whose version is raised raises that of its parent.
--
-- An UPDATE that carries no version is seen when `bump` or `bump_after` raises
-- it. The trigger is made after `quiet`, and so runs before it.
CREATE TRIGGER $trigger AFTER UPDATE OF $version ON $table
WHEN $new IS NOT $old
BEGIN
  $raise_old
END
