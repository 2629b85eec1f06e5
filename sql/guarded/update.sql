-- SPDX-License-Identifier: 0BSD
-- update: a row that another session has locked is not changed.
--
-- AFTER, so that a row which an OR IGNORE or a trigger skips is no error. No
-- list of columns: it would miss one that is added later.
CREATE TRIGGER $trigger AFTER UPDATE ON $table
WHEN interlock_guard($me,$key_old)
BEGIN
  DELETE FROM interlock_writer WHERE 0;
END
