-- SPDX-License-Identifier: 0BSD
-- restore_moved: a row is not moved to a key that has had a greater token. An
-- UPDATE that does not mention the token cannot be told here from one that
-- carries the row's own, so it is refused as well.
CREATE TRIGGER $trigger AFTER UPDATE OF $of_key ON $table
WHEN NOT($same_key) AND EXISTS(SELECT 1 FROM $side
  WHERE $side_new AND token>ifnull(NEW.$token,0))
BEGIN
  SELECT RAISE(ABORT,'fenced: $label');
END
