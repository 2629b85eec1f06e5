-- SPDX-License-Identifier: 0BSD
-- required_added: in mode strict with except, an UPDATE of columns that were
-- added to the table after its triggers were made must carry a version, too.
--
-- See `bump_added`, which stands in its place where a trigger of the user's
-- sets a column of except: it cannot carry a version, and would make every
-- write fail.
CREATE TRIGGER $trigger AFTER UPDATE ON $table
WHEN $new IS $old AND $altered
BEGIN
  SELECT RAISE(ABORT,'version required: $label$cure'$row_at);
END
