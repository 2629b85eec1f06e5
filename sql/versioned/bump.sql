-- SPDX-License-Identifier: 0BSD
-- bump: an UPDATE that does not mention the version raises it.
--
-- It runs BEFORE, so that RETURNING shows the new version: after the BEFORE
-- triggers SQLite reads every column again that the statement did not set. The
-- condition keeps the trigger from firing itself under recursive_triggers. It
-- counts from the row as it is: a BEFORE trigger of the user's can have
-- updated, and so raised, it already.
CREATE TRIGGER $trigger BEFORE UPDATE $of_others ON $table
WHEN $new IS $old
BEGIN
  UPDATE $table SET $version=$current+$step WHERE $self_old;
END
