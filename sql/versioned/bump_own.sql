-- SPDX-License-Identifier: 0BSD
-- bump_own: in mode strict, raises the version for an UPDATE by a trigger of
-- the user's that updates the table it is on.
--
-- Such a trigger, which keeps `updated_at` or a counter, cannot carry a
-- version. SQL has no way to tell its UPDATE from one of a program, so the
-- columns decide: the version is raised as in mode auto for an UPDATE of those
-- which triggers of the table set in this table, and `required_first` refuses
-- it if it sets any other. A table without such triggers has none of this.
CREATE TRIGGER $trigger BEFORE UPDATE OF $own ON $table
WHEN $new IS $old
BEGIN
  UPDATE $table SET $version=$current+$step WHERE $self_old;
END
