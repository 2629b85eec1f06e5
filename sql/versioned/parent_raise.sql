-- SPDX-License-Identifier: 0BSD
-- parent_raise: part of the triggers of a child. It raises rows of the parent
-- that meet a condition, and makes sure that this has happened: a trigger of
-- the user's on the parent may skip the row.
--
-- The UPDATE carries the next version, which the parent accepts in every mode,
-- and which raises the parent of the parent in turn. Inside a trigger changes()
-- counts what the statement before it has changed, and nothing else.
UPDATE $parent SET $parent_version=$parent_current+1 WHERE $parent_is;
SELECT RAISE(ABORT,'version not raised: $label (the one of its parent)')
WHERE changes()<>(SELECT count(*) FROM $parent WHERE $parent_is);
