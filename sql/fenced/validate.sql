-- SPDX-License-Identifier: 0BSD
-- validate: a row begins with a token that is an integer from 0 up, or with
-- none; and no INSERT leaves a row below the tombstone of its key.
--
-- AFTER, not BEFORE: a BEFORE INSERT trigger also runs for an INSERT OR IGNORE
-- or an UPSERT that inserts nothing.
--
-- While `restore` sets a token, triggers of the application run inside of it,
-- and without recursive_triggers SQLite does not fire `restore` for the rows
-- that they insert. This trigger only refuses, and so is always fired. It must
-- run after `restore`, and so it is made before it.
CREATE TRIGGER $trigger AFTER INSERT ON $table
BEGIN
  SELECT RAISE(ABORT,'fenced: $label')
  WHERE (NEW.$token NOT NULL
    AND NOT(typeof(NEW.$token)='integer' AND NEW.$token>=0))
  OR EXISTS(SELECT 1 FROM $side WHERE $side_new
    AND token>(SELECT ifnull($token,0) FROM $table WHERE $self_new));
END
