-- SPDX-License-Identifier: 0BSD
-- parent_of_victims: part of `parent_victims`. The rows of the parent whose
-- children stand in the way of NEW, but for the one that NEW is about to have.
$parent_key IN(SELECT $parent_of_row FROM $table AS r WHERE $parent_blocker)
AND ($parent_next) IS NOT 1
