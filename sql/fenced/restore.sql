-- SPDX-License-Identifier: 0BSD
-- restore: a row under a key that has been used goes on at its tombstone.
--
-- An INSERT that carries a smaller token is refused. One that carries none (0,
-- which is the default, or NULL) gets the token of the tombstone. The row is
-- read, not NEW: a trigger of the application may have changed it. If one has
-- skipped the UPDATE, the tombstone stays, and `validate` refuses the row.
CREATE TRIGGER $trigger AFTER INSERT ON $table
WHEN EXISTS(SELECT 1 FROM $side WHERE $side_new)
BEGIN
  SELECT RAISE(ABORT,'fenced: $label') FROM $side
  WHERE $side_new AND token>NEW.$token AND NEW.$token<>0;
  UPDATE $table SET $token=(SELECT token FROM $side WHERE $side_new)
  WHERE $self_new AND ifnull($token,0)<(
    SELECT token FROM $side WHERE $side_new);
  DELETE FROM $side WHERE $side_new
  AND token<=(SELECT ifnull($token,0) FROM $table WHERE $self_new);
END
