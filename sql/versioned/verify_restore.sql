-- SPDX-License-Identifier: 0BSD
-- verify_restore: with on_stale=log no INSERT leaves a row at or below the
-- tombstone of its key.
--
-- The other sets have this condition in `validate`. There `validate` changes
-- rows, so SQLite does not fire it for what triggers of the user's insert
-- inside of it. This trigger only refuses, and so is always fired. It must run
-- after `restore`, and so it is made first.
CREATE TRIGGER $trigger AFTER INSERT ON $table
BEGIN
  SELECT RAISE(ABORT,'version not raised: $label'$row_new) WHERE $unraised;
END
