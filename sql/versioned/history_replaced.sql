-- SPDX-License-Identifier: 0BSD
-- history_replaced: the rows that an INSERT may replace keep their versions.
-- SQLite fires no DELETE trigger for them. If it then replaces none, the
-- version is kept early.
CREATE TRIGGER $trigger BEFORE INSERT ON $table
WHEN $blocked
BEGIN
  $keep
END
