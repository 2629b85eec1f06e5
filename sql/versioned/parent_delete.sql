-- SPDX-License-Identifier: 0BSD
-- parent_delete: a child that is deleted raises the version of its parent.
--
-- It runs BEFORE, for the reason that `tombstone` has. When a foreign key
-- deletes the children of a parent, that row is gone, and nothing is raised.
CREATE TRIGGER $trigger BEFORE DELETE ON $table
BEGIN
  $raise_old
END
