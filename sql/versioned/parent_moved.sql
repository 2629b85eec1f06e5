-- SPDX-License-Identifier: 0BSD
-- parent_moved: a child that goes from one parent to another raises both.
--
-- When the version of the child is raised, it may be under either of them.
CREATE TRIGGER $trigger AFTER UPDATE OF $parent_of ON $table
WHEN $parent_moved
BEGIN
  $raise_old
  $raise_new
END
