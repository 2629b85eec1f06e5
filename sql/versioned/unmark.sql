-- SPDX-License-Identifier: 0BSD
-- unmark: `gone` for tombstones=off. A deleted row leaves nothing, and takes
-- along what a `note` of some earlier statement has left.
--
-- What this statement itself has noted stays: under recursive_triggers REPLACE
-- deletes with triggers, and `again` comes after. It is told by its time, and
-- so may be that of another statement in the same millisecond: then a row of
-- the side table stays until the key is inserted again.
CREATE TRIGGER $trigger AFTER DELETE ON $table
$if(nullable) WHEN $key_old_whole $end
BEGIN
  DELETE FROM $tombstones WHERE $tombstone_old AND live IS NOT $now;
END
