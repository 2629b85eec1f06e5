-- SPDX-License-Identifier: 0BSD
-- parent_insert: a new child raises the version of its parent.
--
-- It runs AFTER: a BEFORE INSERT trigger also runs for an INSERT OR IGNORE or
-- an UPSERT that inserts nothing.
CREATE TRIGGER $trigger AFTER INSERT ON $table
BEGIN
  $raise_new
END
