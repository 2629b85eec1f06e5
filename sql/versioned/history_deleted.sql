-- SPDX-License-Identifier: 0BSD
-- history_deleted: a deleted row keeps its last version. `tombstone` must run
-- later, for the reason that `history_updated` has.
CREATE TRIGGER $trigger BEFORE DELETE ON $table
WHEN NOT EXISTS(SELECT 1 FROM $tombstones WHERE $tombstone_old
  AND version>=$old)
BEGIN
  $keep
  $purge
END
