-- SPDX-License-Identifier: 0BSD
-- carried: with a lease, an UPDATE leaves a row with the current token, or is
-- refused.
--
-- A statement that does not mention the token has the row's own as NEW's. That
-- one is current where the present holder wrote the row already, so `taken`
-- looks whether the token was mentioned. Here the note that an earlier UPDATE
-- may have left is removed: one that was skipped after its BEFORE triggers. If
-- SQLite ran `note` first, this would refuse a good write, and accept no bad
-- one. The newest trigger runs first, and this one is made after `note`.
CREATE TRIGGER $trigger BEFORE UPDATE ON $table
BEGIN
  SELECT RAISE(ABORT,'fenced: $label')
  WHERE NOT ifnull(NEW.$token=($current),0);
  DELETE FROM $side WHERE $side_old;
END
