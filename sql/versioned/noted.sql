-- SPDX-License-Identifier: 0BSD
-- noted: with on_stale=log an UPDATE that carries the wrong version is
-- accepted, noted, and gets a version that its key never had.
--
-- It runs AFTER, so that a row which an OR IGNORE skips is not noted, and
-- because a BEFORE trigger cannot change what the statement sets.
CREATE TRIGGER $trigger AFTER UPDATE OF $version ON $table
WHEN NOT($follows) AND NOT($own_step)
BEGIN
  $accept
END
