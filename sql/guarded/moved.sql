-- SPDX-License-Identifier: 0BSD
-- moved: `insert` for an UPDATE. A row does not get a key that another session
-- has locked, and replaces no row that another session has locked.
--
-- `update` guards the old key.
CREATE TRIGGER $trigger AFTER UPDATE $of_way ON $table
WHEN interlock_guard($me,$key_new)
BEGIN
  DELETE FROM interlock_writer WHERE 0;
END
