-- SPDX-License-Identifier: 0BSD
-- bump_added: with except, raises the version for an UPDATE of columns that
-- were added to the table after its triggers were made.
--
-- The other triggers have lists of the columns that are not in except, and such
-- a column is in none of them. This one has no list, and is for an UPDATE that
-- has changed no version, once ALTER TABLE has changed the text of the table. A
-- trigger cannot tell which columns an UPDATE without a version sets. So until
-- `versioned_repair` an UPDATE of columns of except raises the version, too.
--
-- The first subquery looks where the table was in sqlite_master, the second one
-- searches for it after VACUUM. The text names no column, so DROP COLUMN works.
-- As `bump_after`, this trigger is not fired for what triggers of the user's
-- update while it raises a row.
CREATE TRIGGER $trigger AFTER UPDATE ON $table
WHEN $new IS $old AND $altered
BEGIN
  UPDATE $table SET $version=$old+$step
  WHERE $self_new AND $current IS $old;
END
