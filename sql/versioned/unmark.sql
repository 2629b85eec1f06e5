-- SPDX-License-Identifier: 0BSD
-- unmark: `gone` for tombstones=off. A deleted row leaves nothing, and takes
-- along what a `note` of some earlier statement has left.
--
-- What this statement itself has noted stays: under recursive_triggers REPLACE
-- deletes with triggers, and `again` comes after.
CREATE TRIGGER $trigger AFTER DELETE ON $table
$if(nullable) WHEN $key_old_whole $end
BEGIN
  DELETE FROM $tombstones WHERE $tombstone_old AND live IS NOT $now;
END
