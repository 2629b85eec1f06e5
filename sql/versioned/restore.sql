-- SPDX-License-Identifier: 0BSD
-- again: a row under a key that has been used goes on above its tombstone.
--
-- It is the other half of note and gone. In mode strict a REPLACE of a live
-- row has to carry the next version, as an UPDATE has: the mark, which `note`
-- has set or taken away for this very row, tells it from a key born again.
CREATE TRIGGER $trigger AFTER INSERT ON $table
WHEN EXISTS(SELECT 1 FROM $tombstones WHERE $tombstone_new)
BEGIN
  $if(strict) SELECT RAISE(ABORT,'version required: $label')
  FROM $tombstones WHERE $tombstone_new AND live NOT NULL
  AND NEW.$version IS NOT version+1; $end
  $lift
END
