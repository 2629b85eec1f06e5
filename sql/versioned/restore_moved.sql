-- SPDX-License-Identifier: 0BSD
-- moved: under a changed key the row goes on above the tombstone of that key,
-- as if inserted. The old key is `left`'s.
CREATE TRIGGER $trigger AFTER UPDATE OF $of_key ON $table
WHEN NOT($same_key)
BEGIN
  $lift
END
