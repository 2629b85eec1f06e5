-- SPDX-License-Identifier: 0BSD
-- parent_evicted: an UPDATE that may replace another child raises the version
-- of the parent of that child. SQLite fires no DELETE trigger for it.
CREATE TRIGGER $trigger BEFORE UPDATE $of_unique ON $table
WHEN $parent_blocked_by_other
BEGIN
  $raise_evicted
END
