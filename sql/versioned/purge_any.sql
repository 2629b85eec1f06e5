-- SPDX-License-Identifier: 0BSD
-- purge_any: the same with step=any. Versions can then be far from each other,
-- such as times, so they are counted.
DELETE FROM $history WHERE $history_is_old
AND interlock_version<=(
  SELECT interlock_version FROM $history WHERE $history_is_old
  ORDER BY interlock_version DESC LIMIT 1 OFFSET $bound);
