-- SPDX-License-Identifier: 0BSD
-- purge_age: the same with history=30d. Each write looks at the two oldest
-- versions of the table, so that it costs the same whatever there is, and the
-- history shrinks if less is written.
DELETE FROM $history WHERE interlock_id IN(
  SELECT interlock_id FROM $history ORDER BY interlock_id LIMIT 2)
AND interlock_at<$now-$bound;
