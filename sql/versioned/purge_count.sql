-- SPDX-License-Identifier: 0BSD
-- purge_count: part of the triggers that write the history. With history=n the
-- versions of a row from the one that ends down are kept, n in all.
DELETE FROM $history WHERE $history_is_old
AND interlock_version<=OLD.$version-$bound;
