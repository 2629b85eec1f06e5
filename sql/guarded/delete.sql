-- SPDX-License-Identifier: 0BSD
-- delete: a row that another session has locked is not deleted. It runs BEFORE,
-- for the reason that `update` has.
CREATE TRIGGER $trigger BEFORE DELETE ON $table
WHEN interlock_guard($me,$key_old)
BEGIN
  DELETE FROM interlock_writer WHERE 0;
END
