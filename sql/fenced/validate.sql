-- SPDX-License-Identifier: 0BSD
-- validate: a row begins with a token that is an integer from 0 up, or with
-- none.
--
-- AFTER, not BEFORE: a BEFORE INSERT trigger also runs for an INSERT OR IGNORE
-- or an UPSERT that inserts nothing.
CREATE TRIGGER $trigger AFTER INSERT ON $table
WHEN NEW.$token NOT NULL
 AND NOT(typeof(NEW.$token)='integer' AND NEW.$token>=0)
BEGIN
  SELECT RAISE(ABORT,'fenced: $label');
END
