-- SPDX-License-Identifier: 0BSD
-- first: the version that a row begins with is an integer, not negative, and
-- has a next one.
--
-- AFTER, not BEFORE: a BEFORE INSERT trigger also runs for an INSERT OR
-- IGNORE or an UPSERT that inserts nothing.
CREATE TRIGGER $trigger AFTER INSERT ON $table
WHEN NOT(typeof(NEW.$version)='integer' AND NEW.$version>=0
  AND NEW.$version<9223372036854775807)
BEGIN
  SELECT CASE WHEN NEW.$version=9223372036854775807
    THEN RAISE(ABORT,'version exhausted: $label')
    ELSE RAISE(ABORT,'version invalid: $label') END;
END
