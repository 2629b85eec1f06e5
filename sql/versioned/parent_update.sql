-- SPDX-License-Identifier: 0BSD
-- parent_update: a child whose version is raised raises that of its parent.
--
-- An UPDATE that carries no version is seen when `bump` or `bump_after` raises
-- it. The step down of `settle` is none. It is made after `quiet`, and so runs
-- before it.
CREATE TRIGGER $trigger AFTER UPDATE OF $version ON $table
WHEN NEW.$version>OLD.$version
BEGIN
  $raise_old
END
