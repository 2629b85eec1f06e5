-- SPDX-License-Identifier: 0BSD
-- verify_moved: no UPDATE that changes the key leaves a row at or below the
-- tombstone of its new key.
--
-- SQLite does not fire `restore_moved` inside of itself, as `validate` says of
-- `restore`. This trigger must run after it, and so it is made first.
CREATE TRIGGER $trigger AFTER UPDATE OF $of_key ON $table
WHEN NOT($same_key)
BEGIN
  SELECT RAISE(ABORT,'version not raised: $label'$row_new) WHERE $unraised;
END
