-- SPDX-License-Identifier: 0BSD
-- taken: with a lease, an UPDATE that does not set the token is refused, also
-- on a row that the present holder wrote already, and whose token is current.
CREATE TRIGGER $trigger AFTER UPDATE ON $table
BEGIN
  SELECT RAISE(ABORT,'fenced: $label: UPDATE carries no token')
  WHERE NOT EXISTS(SELECT 1 FROM $side WHERE $side_old);
  DELETE FROM $side WHERE $side_old;
END
