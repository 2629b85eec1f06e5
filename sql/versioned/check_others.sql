-- SPDX-License-Identifier: 0BSD
-- check_others: an UPDATE that sets other columns may carry no version but the
-- right one.
--
-- `check` must accept more: the steps by which Interlock itself raises or
-- settles a version. They set nothing else. So what they may and a program may
-- not is refused here, where another column is set: in mode echo current + 1,
-- which a writer of mode auto sends; and where triggers of the user's update
-- the table, every step but the right one.
--
-- The columns stand in the list, not in the text. So DROP COLUMN works, which
-- refuses a column that the text of a trigger names.
CREATE TRIGGER $trigger BEFORE UPDATE OF $others ON $table
WHEN NOT($carries)
BEGIN
  $refused
END
