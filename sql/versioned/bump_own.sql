-- SPDX-License-Identifier: 0BSD
-- bump_own: in mode strict, raises the version for an UPDATE by a trigger of
-- the user's that updates the table it is on.
--
-- Such a trigger, which keeps `updated_at` or a counter, cannot carry a
-- version. SQL has no way to tell its UPDATE from one of a program, so the
-- columns decide: where no other column changes than those which triggers of
-- the table set in this table, the version is raised as in mode auto. A table
-- without such triggers has none of this.
CREATE TRIGGER $trigger BEFORE UPDATE $of_others ON $table
WHEN NEW.$version IS OLD.$version AND $own_only
BEGIN
  UPDATE $table SET $version=$version+1 WHERE $self_old;
END
