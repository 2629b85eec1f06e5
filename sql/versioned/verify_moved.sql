-- SPDX-License-Identifier: 0BSD
-- verify_moved: `verify_restore` for an UPDATE that changes the key, which
-- `restore_moved` does not see inside of itself.
CREATE TRIGGER $trigger AFTER UPDATE OF $of_key ON $table
WHEN NOT($same_key)
BEGIN
  SELECT RAISE(ABORT,'version not raised: $label'$row_new) FROM $table
  WHERE $self_new AND $lowest<=(
    SELECT version FROM $tombstones WHERE $tombstone_new);
END
