-- SPDX-License-Identifier: 0BSD
-- restore: a row that is inserted under a key that was used before goes on
-- above the tombstone of that key.
--
-- It is the other half of `remember` and `tombstone`. In mode strict a REPLACE
-- of a living row must carry the next version, as an UPDATE must. The mark
-- tells it from an INSERT of a key under which no row lived: `remember` has set
-- or cleared the mark for this very row. With on_stale=log it is noted in the
-- modes auto and strict, and goes on above the row that it has replaced.
CREATE TRIGGER $trigger AFTER INSERT ON $table
WHEN EXISTS(SELECT 1 FROM $tombstones WHERE $tombstone_new)
BEGIN
  $if(replace) SELECT RAISE(ABORT,'version required: $label'$row_new)
  FROM $tombstones WHERE $tombstone_new AND live NOT NULL
  AND $not_next; $end
  $if(note_replace) $note_replace $end
  $lift
END
