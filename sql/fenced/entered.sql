-- SPDX-License-Identifier: 0BSD
-- entered: with a lease, an INSERT carries the current token.
--
-- BEFORE: no AFTER trigger of the application with RAISE(IGNORE) skips it. So
-- an INSERT OR IGNORE and an UPSERT are refused even if they insert nothing.
CREATE TRIGGER $trigger BEFORE INSERT ON $table
WHEN NOT ifnull(NEW.$token=($current),0)
BEGIN
  SELECT RAISE(ABORT,'fenced: $label');
END
