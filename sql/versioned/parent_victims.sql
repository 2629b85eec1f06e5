-- SPDX-License-Identifier: 0BSD
-- parent_victims: an INSERT that may replace children raises the versions of
-- their parents.
--
-- SQLite fires no DELETE trigger for a row that INSERT OR REPLACE removes. The
-- parent of the new row is left to `parent_insert`. So an INSERT that an OR
-- IGNORE skips, or an UPSERT, raises no parent here, unless the row in its way
-- has another parent.
CREATE TRIGGER $trigger BEFORE INSERT ON $table
WHEN $parent_blocked
BEGIN
  $raise_victims
END
