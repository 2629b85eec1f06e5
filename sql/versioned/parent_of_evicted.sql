-- SPDX-License-Identifier: 0BSD
-- parent_of_evicted: part of `parent_evicted`. The rows of the parent whose
-- children stand in the way of NEW.
$parent_key IN(SELECT $parent_of_row FROM $table AS r
  WHERE ($parent_blocker) AND NOT($row_is_old))
