-- SPDX-License-Identifier: 0BSD
-- required: in mode strict every UPDATE carries a version.
--
-- AFTER, so that a row which an OR IGNORE skips is no error.
CREATE TRIGGER $trigger AFTER UPDATE $of_others ON $table
WHEN NEW.$version IS OLD.$version
BEGIN
  SELECT RAISE(ABORT,'version required: $label');
END
