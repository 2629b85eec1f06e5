-- SPDX-License-Identifier: 0BSD
-- lift_all: part of a repair. It raises the rows that were inserted at or below
-- their tombstone while there was no trigger to prevent that.
UPDATE $schema.$table SET $version=(
  SELECT version+$step FROM $schema.$tombstones WHERE $tombstone_row)
WHERE EXISTS(SELECT 1 FROM $schema.$tombstones WHERE $tombstone_row
  AND version>=$of_table)
