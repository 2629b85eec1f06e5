-- SPDX-License-Identifier: 0BSD
-- lift_kept: part of a repair of a table with history, before `lift_all`. A row
-- that has gone back to a version which the history has, while there was no
-- trigger to prevent that, gets a tombstone. Without it the key would have a
-- version twice, and a merge would compare with a base that is not the one
-- which its caller has read. The tombstone is one step above the history: the
-- row had that version when the triggers were lost.
--
-- The history can have the version that the row has now: an UPDATE that was
-- skipped has kept it. Then the row is as it was kept, and stays.
INSERT INTO $schema.$tombstones($keys,version)
SELECT $key_row,(SELECT max(interlock_version)+$step
  FROM $schema.$history WHERE $history_is_row)
FROM $schema.$table AS r
WHERE EXISTS(SELECT 1 FROM $schema.$history WHERE $history_is_row
  AND interlock_version>$of_row)
OR EXISTS(SELECT 1 FROM $schema.$history WHERE $history_is_row
  AND interlock_version=$of_row)
AND ($columns) IS NOT(SELECT $columns FROM $schema.$history
  WHERE $history_is_row AND interlock_version=$of_row)
ON CONFLICT($keys) DO UPDATE SET version=max(version,excluded.version)
