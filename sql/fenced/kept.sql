-- SPDX-License-Identifier: 0BSD
-- kept: with a lease, no row is deleted: a DELETE carries no token. Under
-- recursive_triggers this refuses a REPLACE that removes a row as well.
CREATE TRIGGER $trigger BEFORE DELETE ON $table
BEGIN
  SELECT RAISE(ABORT,'fenced: $label: DELETE carries no token');
END
