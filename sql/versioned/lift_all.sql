-- SPDX-License-Identifier: 0BSD
-- reborn: part of a repair. Lifts the rows that came back at or below their
-- tombstone while no trigger was there to do it.
UPDATE $schema.$table SET $version=(
  SELECT version+1 FROM $schema.$tombstones WHERE $tombstone_row)
WHERE EXISTS(SELECT 1 FROM $schema.$tombstones WHERE $tombstone_row
  AND version>=$table.$version)
