-- SPDX-License-Identifier: 0BSD
-- moved: a row does not get a key that another session has locked.
--
-- Its old key is `update`'s. It also catches an UPDATE OR REPLACE that removes
-- the row under the new key.
CREATE TRIGGER $trigger AFTER UPDATE OF $of_key ON $table
WHEN NOT($same_key) AND interlock_guard($me,$key_new)
BEGIN
  DELETE FROM interlock_writer WHERE 0;
END
