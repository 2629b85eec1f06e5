-- SPDX-License-Identifier: 0BSD
-- history_evicted: so do the rows that an UPDATE OR REPLACE may replace.
CREATE TRIGGER $trigger BEFORE UPDATE $of_unique ON $table
WHEN $blocked_by_other
BEGIN
  $keep
END
